//! Where a terminal is: on the host, or inside a container that a docker client on it is attached to.

/// A running container.
pub struct Candidate<'a> {
    /// 64 hexadecimal digits.
    pub id: &'a str,
    /// Its name.
    pub name: &'a str,
}

/// Verbs that bring a terminal into a container.
const VERBS: [&str; 4] = ["run", "exec", "attach", "start"];

/// The container that the client with these arguments leads to; the running ones are given, the newest first.
pub fn container<'a>(args: &[String], running: &[Candidate<'a>]) -> Option<&'a str> {
    let verb = args.iter().find(|arg| VERBS.contains(&arg.as_str()))?;
    let named = |arg: &String| {
        let name = arg.rsplit_once('=').map_or(arg.as_str(), |(_, name)| name);
        running.iter().find(|one| one.name == name || (name.len() >= 4 && one.id.starts_with(name)))
    };
    let found = args.iter().find_map(named);
    // A `run` names its container only when it is given a name.
    if verb == "run" { found.or_else(|| running.first()) } else { found }.map(|one| one.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_leads_to_the_container_it_names() {
        let running = [Candidate { id: "beef0000", name: "lively_hopper" }, Candidate { id: "cafe0000", name: "web" }];
        let at = |line: &str| {
            let args: Vec<String> = line.split(' ').map(str::to_owned).collect();
            container(&args, &running)
        };
        assert_eq!(at("docker run -it ubuntu bash"), Some("lively_hopper"));
        assert_eq!(at("docker run -it --name=web nginx sh"), Some("web"));
        assert_eq!(at("docker container exec -it cafe bash"), Some("web"));
        assert_eq!(at("docker exec -it web bash"), Some("web"));
        assert_eq!(at("docker exec -it gone bash"), None);
        assert_eq!(at("docker pull web"), None);
    }
}
