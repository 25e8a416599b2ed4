//! What instructions change in an image's config, and the words that histories keep of it.
//!
//! Both builders, `docker commit --change` and `docker import --change` share these; only the instructions that make layers (`RUN`, `COPY`, `ADD`,
//! `WORKDIR`) do more than this.

use std::collections::BTreeSet;

use super::config::{self, ContainerConfig};
use crate::base::path;
use crate::base::time::go_duration;
use crate::docker::dockerfile::instruction::{Arg, Command, CommandLine, Copy, Healthcheck, Pair};
use crate::docker::dockerfile::quote::{go_quote, go_quote_list};
use crate::docker::dockerfile::words::{Lex, WordError};

/// A value that can't be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// moby/sys/signal.
    #[error("invalid signal: {0}")]
    Signal(String),
    /// docker/go-connections nat.
    #[error("invalid containerPort: {0}")]
    Port(String),
    /// docker/go-connections nat.
    #[error("invalid proto: {0}")]
    Protocol(String),
    /// BuildKit `dispatchVolume`, moby `instructions` `VolumeCommand`: `VOLUME $nothing`.
    #[error("VOLUME specified can not be an empty string")]
    EmptyVolume,
}

/// The shell of shell forms where no `SHELL` says otherwise.
pub const DEFAULT_SHELL: [&str; 2] = ["/bin/sh", "-c"];
/// The `PATH` of an image that sets none.
pub const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Expands the variables of an instruction; also tells which variables were not set.
///
/// `ARG` is left alone: its words are expanded one by one, as each may use those before it.
///
/// # Errors
/// Words that can't be expanded.
pub fn expand(command: &Command, escape: char, env: &[String]) -> Result<(Command, BTreeSet<String>), WordError> {
    let mut words = Expander { lex: Lex::new(escape), env, unmatched: BTreeSet::new() };
    let expanded = match command {
        Command::Env(pairs) => Command::Env(words.pairs(pairs)?),
        Command::Label(pairs) => Command::Label(words.pairs(pairs)?),
        Command::Add(copy) => Command::Add(words.copy(copy)?),
        Command::Copy(copy) => Command::Copy(words.copy(copy)?),
        Command::Workdir(path) => Command::Workdir(words.word(path)?),
        Command::User(user) => Command::User(words.word(user)?),
        Command::StopSignal(signal) => Command::StopSignal(words.word(signal)?),
        Command::Volume(volumes) => Command::Volume(words.list(volumes)?),
        Command::Expose(ports) => {
            let mut out = Vec::new();
            for port in ports {
                // The only instruction in which a variable may hold several words.
                out.extend(words.expand(port)?.words);
            }
            Command::Expose(out)
        }
        Command::Run(run) => {
            let mut run = run.clone();
            run.mounts = words.list(&run.mounts)?;
            Command::Run(run)
        }
        other => other.clone(),
    };
    Ok((expanded, words.unmatched))
}

struct Expander<'a> {
    lex: Lex,
    env: &'a [String],
    unmatched: BTreeSet<String>,
}

impl Expander<'_> {
    fn expand(&mut self, text: &str) -> Result<crate::docker::dockerfile::words::Expanded, WordError> {
        let expanded = self.lex.expand(text, self.env)?;
        self.unmatched.extend(expanded.unmatched.iter().cloned());
        Ok(expanded)
    }

    fn word(&mut self, text: &str) -> Result<String, WordError> {
        Ok(self.expand(text)?.text)
    }

    fn list(&mut self, list: &[String]) -> Result<Vec<String>, WordError> {
        list.iter().map(|text| self.word(text)).collect()
    }

    fn pairs(&mut self, pairs: &[Pair]) -> Result<Vec<Pair>, WordError> {
        let pair =
            |pair: &Pair| Ok(Pair { key: self.word(&pair.key)?, value: self.word(&pair.value)?, legacy: pair.legacy });
        pairs.iter().map(pair).collect()
    }

    fn option(&mut self, text: &Option<String>) -> Result<Option<String>, WordError> {
        text.as_ref().map(|text| self.word(text)).transpose()
    }

    fn copy(&mut self, copy: &Copy) -> Result<Copy, WordError> {
        let mut out = copy.clone();
        out.sources = self.list(&copy.sources)?;
        out.destination = self.word(&copy.destination)?;
        out.chown = self.option(&copy.chown)?;
        out.chmod = self.option(&copy.chmod)?;
        out.exclude = self.list(&copy.exclude)?;
        out.checksum = self.option(&copy.checksum)?;
        for document in &mut out.documents {
            document.content = document.text();
            document.chomp = false;
            if document.expand {
                let raw = Lex { skip_quotes: true, ..Lex::new('\\') };
                document.content = raw.expand(&document.content, self.env)?.text;
            }
        }
        Ok(out)
    }
}

/// The value of one `ARG`: from the command line, from before the first `FROM`, or its default with variables expanded.
///
/// # Errors
/// A default that can't be expanded.
pub fn arg_value(
    arg: &Arg,
    escape: char,
    env: &[String],
    given: Option<&String>,
    global: Option<&String>,
) -> Result<Option<String>, WordError> {
    match (given, &arg.default) {
        (Some(value), _) => Ok(Some(value.clone())),
        (None, Some(default)) => Ok(Some(Lex::new(escape).expand(default, env)?.text)),
        (None, None) => Ok(global.cloned()),
    }
}

/// The words that a command line starts with: the shell's in front of a shell form.
pub fn resolve(line: &CommandLine, config: &ContainerConfig) -> Vec<String> {
    if !line.shell_form {
        return line.words.clone();
    }
    let mut out = shell(config);
    out.push(line.words.join(" "));
    out
}

/// The shell of shell forms.
pub fn shell(config: &ContainerConfig) -> Vec<String> {
    if config.shell.is_empty() { DEFAULT_SHELL.map(ToOwned::to_owned).to_vec() } else { config.shell.clone() }
}

/// Changes `config` as an expanded instruction says and returns the line of its history, such as `CMD ["bash"]`.
/// `cmd_set` remembers whether this build has set a command: an entrypoint takes away only an inherited one.
///
/// `None` for instructions that are no mere change: `RUN`, `COPY`, `ADD`, `ARG`.
///
/// # Errors
/// A port or signal that is none.
pub fn apply(
    config: &mut ContainerConfig,
    command: &Command,
    cmd_set: &mut bool,
) -> Result<Option<String>, ChangeError> {
    Ok(Some(match command {
        Command::Env(pairs) => {
            pairs.iter().for_each(|pair| config.set_env(&pair.key, &pair.value));
            format!("ENV{}", assignments(pairs))
        }
        Command::Label(pairs) => {
            for pair in pairs {
                config.labels.insert(pair.key.clone(), pair.value.clone());
            }
            format!("LABEL{}", assignments(pairs))
        }
        Command::Cmd(line) => {
            let words = resolve(line, config);
            *cmd_set = !words.is_empty();
            let text = format!("CMD {}", go_quote_list(&words));
            config.cmd = Some(words);
            text
        }
        Command::Entrypoint(line) => {
            let words = resolve(line, config);
            if !*cmd_set {
                config.cmd = None;
            }
            let text = format!("ENTRYPOINT {}", go_quote_list(&words));
            config.entrypoint = Some(words);
            text
        }
        Command::Expose(ports) => {
            let mut added = BTreeSet::new();
            for port in ports {
                added.extend(parse_ports(port)?);
            }
            let map: Vec<String> = added.iter().map(|port| format!("{port}:{{}}")).collect();
            config.exposed_ports.extend(added);
            format!("EXPOSE map[{}]", map.join(" "))
        }
        Command::Healthcheck(check) => {
            config.healthcheck = Some(config::Healthcheck {
                test: check.test.clone(),
                interval_nanos: check.interval_nanos,
                timeout_nanos: check.timeout_nanos,
                start_period_nanos: check.start_period_nanos,
                start_interval_nanos: check.start_interval_nanos,
                retries: check.retries,
            });
            format!("HEALTHCHECK {}", quoted_healthcheck(check))
        }
        Command::Maintainer(name) => format!("MAINTAINER {name}"),
        Command::Onbuild(expression) => {
            config.on_build.push(expression.clone());
            format!("ONBUILD {expression}")
        }
        Command::Shell(words) => {
            config.shell.clone_from(words);
            format!("SHELL [{}]", words.join(" "))
        }
        Command::StopSignal(signal) => {
            check_signal(signal)?;
            config.stop_signal.clone_from(signal);
            format!("STOPSIGNAL {signal}")
        }
        Command::User(user) => {
            config.user.clone_from(user);
            format!("USER {user}")
        }
        Command::Volume(volumes) => {
            if volumes.iter().any(String::is_empty) {
                return Err(ChangeError::EmptyVolume);
            }
            config.volumes.extend(volumes.iter().cloned());
            format!("VOLUME [{}]", volumes.join(" "))
        }
        Command::Workdir(dir) => {
            let current = if config.working_dir.is_empty() { "/" } else { &config.working_dir };
            let joined = path::normalize(&path::join(current.as_bytes(), dir.as_bytes()));
            config.working_dir = joined.to_string();
            format!("WORKDIR {joined}")
        }
        Command::Run(_) | Command::Add(_) | Command::Copy(_) | Command::Arg(_) => return Ok(None),
    }))
}

fn assignments(pairs: &[Pair]) -> String {
    pairs.iter().map(|pair| format!(" {}={}", pair.key, pair.value)).collect()
}

/// Go's `%q` of a pointer to the check.
fn quoted_healthcheck(check: &Healthcheck) -> String {
    let times = [check.interval_nanos, check.timeout_nanos, check.start_period_nanos, check.start_interval_nanos];
    let times: Vec<String> = times.iter().map(|nanos| go_quote(&go_duration(*nanos))).collect();
    // Go quotes a number as the character it stands for.
    let retries = u32::try_from(check.retries).ok().and_then(char::from_u32).unwrap_or('\u{fffd}');
    let retries = go_quote(&retries.to_string());
    let retries = retries.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default();
    format!("&{{{} {} '{retries}'}}", go_quote_list(&check.test), times.join(" "))
}

/// `80`, `80/udp`, `8000-8002/tcp` as single ports (docker/go-connections nat `ParsePortSpecs`).
fn parse_ports(spec: &str) -> Result<Vec<String>, ChangeError> {
    let (range, protocol) = spec.split_once('/').unwrap_or((spec, "tcp"));
    let protocol = protocol.to_lowercase();
    // An address and a host port may stand in front and mean nothing here.
    let range = range.rsplit(':').next().unwrap_or(range);
    let (low, high) = range.split_once('-').unwrap_or((range, range));
    let number = |text: &str| text.parse::<u16>().map_err(|_| ChangeError::Port(range.to_owned()));
    let (low, high) = (number(low)?, number(high)?);
    if low > high {
        return Err(ChangeError::Port(range.to_owned()));
    }
    if !["tcp", "udp", "sctp"].contains(&protocol.as_str()) {
        return Err(ChangeError::Protocol(protocol));
    }
    Ok((low..=high).map(|port| format!("{port}/{protocol}")).collect())
}

/// A number or a name with or without `SIG` (moby/sys/signal `ParseSignal`).
fn check_signal(signal: &str) -> Result<(), ChangeError> {
    const NAMES: [&str; 35] = [
        "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL", "PIPE", "POLL",
        "PROF", "PWR", "QUIT", "SEGV", "STKFLT", "STOP", "SYS", "TERM", "TRAP", "TSTP", "TTIN", "TTOU", "URG", "USR1",
        "USR2", "VTALRM", "WINCH", "XCPU", "XFSZ", "RTMIN",
    ];
    let upper = signal.to_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let real_time =
        name.strip_prefix("RTMIN+").or(name.strip_prefix("RTMAX-")).is_some_and(|n| n.parse::<u8>().is_ok());
    let known = match signal.parse::<i64>() {
        Ok(number) => number != 0,
        Err(_) => NAMES.contains(&name) || name == "RTMAX" || real_time,
    };
    if known { Ok(()) } else { Err(ChangeError::Signal(signal.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::dockerfile::parse;

    /// Applies instructions to an empty config and returns it with the history lines.
    fn change(text: &str, env: &[&str]) -> Result<(ContainerConfig, Vec<String>), Box<dyn std::error::Error>> {
        let file = parse(&format!("FROM a\n{text}"))?;
        let mut config = ContainerConfig { env: env.iter().map(ToString::to_string).collect(), ..Default::default() };
        let (mut cmd_set, mut lines) = (false, Vec::new());
        for instruction in &file.stages[0].instructions {
            let (command, _) = expand(&instruction.command, '\\', &config.env.clone())?;
            lines.extend(apply(&mut config, &command, &mut cmd_set)?);
        }
        Ok((config, lines))
    }

    #[test]
    fn histories_read_as_docker_writes_them() {
        for (text, line) in [
            ("CMD [\"bash\"]", "CMD [\"bash\"]"),
            ("CMD echo hi", "CMD [\"/bin/sh\" \"-c\" \"echo hi\"]"),
            ("ENTRYPOINT [\"/docker-entrypoint.sh\"]", "ENTRYPOINT [\"/docker-entrypoint.sh\"]"),
            ("ENV A=1 B=\"two words\"", "ENV A=1 B=two words"),
            ("ENV A 1 2", "ENV A=1 2"),
            ("LABEL a=b", "LABEL a=b"),
            ("EXPOSE 80 443/tcp 53/udp", "EXPOSE map[443/tcp:{} 53/udp:{} 80/tcp:{}]"),
            ("VOLUME /data /log", "VOLUME [/data /log]"),
            ("WORKDIR /a/../b", "WORKDIR /b"),
            ("USER node", "USER node"),
            ("STOPSIGNAL SIGQUIT", "STOPSIGNAL SIGQUIT"),
            ("SHELL [\"/bin/bash\", \"-c\"]", "SHELL [/bin/bash -c]"),
            (
                "HEALTHCHECK --interval=1m30s --timeout=1500ms --retries=3 CMD curl -f x",
                "HEALTHCHECK &{[\"CMD-SHELL\" \"curl -f x\"] \"1m30s\" \"1.5s\" \"0s\" \"0s\" '\\x03'}",
            ),
        ] {
            assert_eq!(change(text, &[]).unwrap().1, [line], "{text}");
        }
    }

    #[test]
    fn later_instructions_see_earlier_ones() {
        let (config, _) =
            change("ENV A=1\nENV A=2 B=$A\nWORKDIR app\nWORKDIR $B/x\nUSER ${U:-me}", &["PATH=/bin"]).unwrap();
        assert_eq!(config.env, ["PATH=/bin", "A=2", "B=1"]);
        assert_eq!((config.working_dir.as_str(), config.user.as_str()), ("/app/1/x", "me"));
        let (config, _) = change("SHELL [\"/bin/bash\", \"-ec\"]\nCMD a b", &[]).unwrap();
        assert_eq!(config.cmd.unwrap(), ["/bin/bash", "-ec", "a b"]);
        let (config, _) = change("EXPOSE $P", &["P=80 443"]).unwrap();
        assert_eq!(config.exposed_ports.len(), 2);
    }

    #[test]
    fn an_entrypoint_takes_away_an_inherited_command_only() {
        let mut config = ContainerConfig { cmd: Some(vec!["bash".into()]), ..Default::default() };
        let line = CommandLine { words: vec!["x".into()], shell_form: false, heredocs: Vec::new() };
        apply(&mut config, &Command::Entrypoint(line.clone()), &mut false).unwrap();
        assert_eq!(config.cmd, None);
        let (config, _) = change("CMD [\"a\"]\nENTRYPOINT [\"x\"]", &[]).unwrap();
        assert_eq!(config.cmd, Some(vec!["a".to_owned()]));
    }

    #[test]
    fn impossible_values_are_refused() {
        for (text, error) in [
            ("EXPOSE 99999", "invalid containerPort: 99999"),
            ("EXPOSE 80/icmp", "invalid proto: icmp"),
            ("STOPSIGNAL SIGNOPE", "invalid signal: SIGNOPE"),
            ("WORKDIR ${X?gone}", "failed to process \"${X?gone}\": X: gone"),
        ] {
            assert_eq!(change(text, &[]).unwrap_err().to_string(), error);
        }
    }
}
