//! The steps of an image's history, read as instructions of a Dockerfile.

/// A step of a Dockerfile.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Instruction {
    /// `RUN`, `COPY`, `ADD`.
    pub keyword: String,
    /// What follows.
    pub rest: String,
}

/// Reads `created_by` of an image's history, in the form of the classic builder or of BuildKit.
pub fn instruction_of(created_by: &str) -> Instruction {
    let text = created_by.trim();
    let text = text.strip_suffix("# buildkit").unwrap_or(text).trim();
    if let Some(nop) = text.strip_prefix("/bin/sh -c #(nop)") {
        return split_instruction(nop.trim());
    }
    if let Some(command) = text.strip_prefix("/bin/sh -c ") {
        return Instruction { keyword: "RUN".to_owned(), rest: command.trim().to_owned() };
    }
    if let Some(command) = text.strip_prefix("RUN /bin/sh -c ") {
        return Instruction { keyword: "RUN".to_owned(), rest: command.trim().to_owned() };
    }
    split_instruction(text)
}

fn split_instruction(text: &str) -> Instruction {
    let (keyword, rest) = text.split_once(' ').unwrap_or((text, ""));
    if !keyword.is_empty() && keyword.bytes().all(|byte| byte.is_ascii_uppercase()) {
        let rest = rest.split_whitespace().collect::<Vec<_>>().join(" ");
        return Instruction { keyword: keyword.to_owned(), rest };
    }
    Instruction { keyword: String::new(), rest: text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_reads_as_dockerfile_steps() {
        for (created_by, keyword, rest) in [
            ("/bin/sh -c #(nop) ADD file:5d68d27cc15a80653 in / ", "ADD", "file:5d68d27cc15a80653 in /"),
            ("/bin/sh -c apt-get update", "RUN", "apt-get update"),
            ("RUN /bin/sh -c make # buildkit", "RUN", "make"),
            ("COPY . /app # buildkit", "COPY", ". /app"),
            ("COPY docker-entrypoint.sh / # buildkit", "COPY", "docker-entrypoint.sh /"),
            ("bazel build ...", "", "bazel build ..."),
            ("", "", ""),
        ] {
            let wanted = Instruction { keyword: keyword.to_owned(), rest: rest.to_owned() };
            assert_eq!(instruction_of(created_by), wanted, "{created_by}");
        }
    }
}
