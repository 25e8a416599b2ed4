//! Completion of docker's command lines: commands and flags from the tables, names from the daemon.
//!
//! What an operand is follows from the command's usage line, as the tables have it: `CONTAINER`, `IMAGE`, `VOLUME`, `NETWORK`.

use bstr::{BString, ByteSlice};

use super::command::{Command, Flag};
use super::commands::ROOT;
use super::value::Kind;
use crate::docker::daemon::api::container::ListOptions;
use crate::docker::daemon::api::image::ImageListOptions;
use crate::docker::daemon::api::{CAPABILITIES, Daemon, Filters};
use crate::os::fs::mounts::Caller;
use crate::os::fs::overlay::DirEntry;
use crate::os::kernel::Signal;

/// What the last of the words can become; `None` leaves it to file names.
pub fn complete(daemon: &Daemon, words: &[BString]) -> Option<Vec<BString>> {
    let (typed, before) = words.split_last()?;
    let before = before.get(1..).unwrap_or_default();
    let Some(first) = before.iter().position(|word| !word.starts_with(b"-")) else {
        let names = ROOT.nouns.iter().map(|noun| noun.name).chain(ROOT.shortcuts.iter().map(|shortcut| shortcut.name));
        return Some(if typed.starts_with(b"-") { flags(ROOT.flags.iter()) } else { owned(names) });
    };
    let (name, rest) = (before.get(first)?, before.get(first + 1..).unwrap_or_default());
    let shortcut = ROOT.shortcuts.iter().find(|shortcut| shortcut.name.as_bytes() == name.as_slice());
    let (command, rest): (&'static Command, &[BString]) =
        match (shortcut, ROOT.nouns.iter().find(|noun| noun.name.as_bytes() == name.as_slice())) {
            (Some(shortcut), _) => (shortcut.command, rest),
            (None, Some(noun)) => match rest.iter().position(|word| !word.starts_with(b"-")) {
                Some(at) => {
                    let command =
                        noun.verbs.iter().find(|command| command.is_named(rest.get(at).map_or(b"", |w| w)))?;
                    (command, rest.get(at + 1..).unwrap_or_default())
                }
                None => return Some(owned(noun.verbs.iter().map(|command| command.name))),
            },
            (None, None) => return Some(Vec::new()),
        };
    let given = Given::read(command, rest);
    // What follows the operand is the container's own command line.
    if command.stop_at_operand && !given.operands.is_empty() && command.name != "tag" {
        return Some(Vec::new());
    }
    if let Some(flag) = given.wants_value {
        return value(daemon, command, flag, typed);
    }
    if let (Some((name, half)), true) = (typed.split_once_str("="), typed.starts_with(b"--")) {
        let flag = command.flags().find(|flag| Some(flag.long.as_bytes()) == name.get(2..))?;
        let prefix = format!("{}=", name.to_str_lossy());
        let values = value(daemon, command, flag, half)?;
        return Some(values.into_iter().map(|value| [prefix.as_bytes(), &value].concat().into()).collect());
    }
    if typed.starts_with(b"-") {
        return Some(flags(command.flags().filter(|flag| !flag.hidden)));
    }
    operand(daemon, command, &given, typed)
}

/// What stands between the command and the word that is completed.
struct Given<'a> {
    operands: Vec<&'a [u8]>,
    /// Whether `--force` is among the flags.
    force: bool,
    /// The last flag, when its value comes next.
    wants_value: Option<&'static Flag>,
}

impl<'a> Given<'a> {
    fn read(command: &'static Command, words: &'a [BString]) -> Self {
        let mut given = Self { operands: Vec::new(), force: false, wants_value: None };
        for word in words {
            if given.wants_value.take().is_some() {
                continue;
            }
            match word.strip_prefix(b"-") {
                _ if command.stop_at_operand && !given.operands.is_empty() => given.operands.push(word),
                None | Some(b"") => given.operands.push(word),
                Some(name) => {
                    let flag = command.flags().find(|flag| match name.strip_prefix(b"-") {
                        Some(long) => flag.long.as_bytes() == long,
                        None => flag.short != '\0' && name.to_str_lossy().ends_with(flag.short),
                    });
                    given.force |= flag.is_some_and(|flag| flag.long == "force");
                    given.wants_value = flag.filter(|flag| !matches!(flag.kind, Kind::Bool(_)));
                }
            }
        }
        given
    }
}

/// Values that are always the same, by flag (docker/cli `cli/command/completion`, `container/completion.go`).
const VALUES: &[(&str, &[&str])] = &[
    ("restart", &["always", "no", "on-failure", "unless-stopped"]),
    ("pull", &["always", "missing", "never"]),
    ("platform", &["linux/amd64"]),
    ("attach", &["stderr", "stdin", "stdout"]),
    ("log-driver", &["json-file"]),
    ("ipc", &["container:", "host", "none", "private", "shareable"]),
    ("pid", &["container:", "host"]),
    ("userns", &["host"]),
    ("uts", &["host"]),
    ("cgroupns", &["host", "private"]),
    ("security-opt", &["apparmor=", "label=", "no-new-privileges", "seccomp=", "systempaths=unconfined"]),
    (
        "ulimit",
        &[
            "as=",
            "chroot=",
            "core=",
            "cpu=",
            "data=",
            "fsize=",
            "locks=",
            "maxlogins=",
            "maxsyslogins=",
            "memlock=",
            "msgqueue=",
            "nice=",
            "nofile=",
            "nproc=",
            "priority=",
            "rss=",
            "rtprio=",
            "sigpending=",
            "stack=",
        ],
    ),
    ("format", &["json", "table"]),
    ("progress", &["auto", "plain", "quiet", "rawjson", "tty"]),
    ("driver", &["bridge"]),
];

/// The names of filters, by verb.
const FILTERS: &[(&str, &[&str])] = &[
    (
        "events",
        &["container=", "daemon=", "event=", "image=", "label=", "network=", "node=", "scope=", "type=", "volume="],
    ),
    (
        "ps",
        &[
            "ancestor=",
            "before=",
            "exited=",
            "expose=",
            "health=",
            "id=",
            "label=",
            "name=",
            "network=",
            "publish=",
            "since=",
            "status=",
            "volume=",
        ],
    ),
    ("images", &["before=", "dangling=", "label=", "reference=", "since=", "until="]),
];

const STATES: [&str; 7] = ["created", "dead", "exited", "paused", "removing", "restarting", "running"];

/// What the value of a flag can become.
fn value(daemon: &Daemon, command: &Command, flag: &Flag, typed: &[u8]) -> Option<Vec<BString>> {
    let same =
        |names: Vec<String>, end: &str| Some(names.iter().map(|name| BString::from(format!("{name}{end}"))).collect());
    match flag.long {
        "network" | "net" => same(networks(daemon), ""),
        "volumes-from" => same(containers(daemon, Which::All), ""),
        "link" => same(containers(daemon, Which::All), ":"),
        "signal" | "stop-signal" => {
            let has_prefix = typed.to_ascii_uppercase().starts_with(b"SIG");
            let name = |name: &str| if has_prefix { format!("SIG{name}") } else { name.to_owned() };
            same(Signal::ALL.iter().map(|row| name(row.1)).collect(), "")
        }
        "cap-add" | "cap-drop" => {
            let names = CAPABILITIES.iter().map(|name| format!("CAP_{name}"));
            same(std::iter::once("ALL".to_owned()).chain(names).collect(), "")
        }
        "filter" => {
            if typed.starts_with(b"status=") {
                return Some(STATES.iter().map(|state| format!("status={state}").into()).collect());
            }
            let verb = match command.name {
                "ls" if command.alias_line.contains("docker ps") => "ps",
                "ls" if command.alias_line.contains("docker images") => "images",
                name => name,
            };
            let filters = FILTERS.iter().find(|(name, _)| *name == verb);
            Some(owned(filters.into_iter().flat_map(|(_, names)| names.iter().copied())))
        }
        // A named volume, or a folder of the host.
        "volume" => {
            let names = volumes(daemon);
            let fits = names.iter().any(|name| name.as_bytes().starts_with(typed)) && !typed.contains(&b':');
            if fits { same(names, ":") } else { None }
        }
        "file" | "env-file" | "output" | "input" | "iidfile" | "cidfile" | "label-file" => None,
        name => {
            let values = VALUES.iter().find(|(flag, _)| *flag == name);
            Some(owned(values.into_iter().flat_map(|(_, values)| values.iter().copied())))
        }
    }
}

/// Which containers a verb can do something with.
#[derive(Clone, Copy)]
enum Which {
    All,
    /// Running or paused.
    Alive,
    Running,
    Paused,
    /// Created or ended.
    Still,
}

fn which(verb: &str, force: bool) -> Which {
    match verb {
        "attach" | "exec" | "pause" => Which::Running,
        "unpause" => Which::Paused,
        "start" => Which::Still,
        "rm" if !force => Which::Still,
        "commit" | "diff" | "kill" | "port" | "stats" | "stop" | "top" | "wait" => Which::Alive,
        _ => Which::All,
    }
}

fn containers(daemon: &Daemon, which: Which) -> Vec<String> {
    let all = ListOptions { all: true, ..ListOptions::default() };
    // What the daemon refuses cannot be offered.
    let list = daemon.container_list(&all).unwrap_or_default();
    let fits = |state: &str| match which {
        Which::All => true,
        Which::Alive => matches!(state, "running" | "paused" | "restarting"),
        Which::Running => state == "running",
        Which::Paused => state == "paused",
        Which::Still => matches!(state, "created" | "exited" | "dead"),
    };
    let list = list.iter().filter(|container| fits(container.state));
    let names = list.flat_map(|container| &container.names).map(|name| name.trim_start_matches('/'));
    names.filter(|name| !name.contains('/')).map(ToOwned::to_owned).collect()
}

fn volumes(daemon: &Daemon) -> Vec<String> {
    daemon.volume_list(&Filters::new()).unwrap_or_default().into_iter().map(|volume| volume.name).collect()
}

fn networks(daemon: &Daemon) -> Vec<String> {
    daemon.network_list(&Filters::new()).unwrap_or_default().into_iter().map(|network| network.name).collect()
}

/// Names of images: `nginx` is as good a name as `nginx:latest`, until a colon is typed.
fn images(daemon: &Daemon, typed: &[u8]) -> Vec<String> {
    let list = daemon.image_list(&ImageListOptions::default()).unwrap_or_default();
    let names = list.into_iter().flat_map(|image| image.repo_tags);
    let short = |name: String| match name.strip_suffix(":latest") {
        Some(short) if !typed.starts_with(format!("{short}:").as_bytes()) => short.to_owned(),
        _ => name,
    };
    names.map(short).collect()
}

/// The objects that a usage line speaks of, in the place of the word.
fn operand(daemon: &Daemon, command: &Command, given: &Given<'_>, typed: &[u8]) -> Option<Vec<BString>> {
    let usage = command.usage;
    let mut names: Vec<String> = Vec::new();
    if usage.contains("CONTAINER:") {
        return path(daemon, typed);
    }
    // `NETWORK CONTAINER`: one after the other.
    if usage.contains("NETWORK CONTAINER") {
        names = match given.operands.first() {
            None => networks(daemon),
            Some(network) => {
                let filters = Filters::from([("network".to_owned(), vec![network.to_str_lossy().into_owned()])]);
                let options = ListOptions { all: true, filters, ..ListOptions::default() };
                let list = daemon.container_list(&options).unwrap_or_default();
                let names = list.iter().flat_map(|container| &container.names);
                let members: Vec<String> = names.map(|name| name.trim_start_matches('/').to_owned()).collect();
                match command.name {
                    "disconnect" => members,
                    _ => containers(daemon, Which::All).into_iter().filter(|name| !members.contains(name)).collect(),
                }
            }
        };
        return Some(owned(names.iter().map(String::as_str)));
    }
    if usage.contains("CONTAINER") || usage.contains("NAME|ID") {
        names.extend(containers(daemon, which(command.name, given.force)));
    }
    let is_remote = matches!(command.name, "pull" | "search");
    let speaks_of_images = ["IMAGE", "REPOSITORY", "NAME|ID", "NAME[:TAG"].iter().any(|word| usage.contains(word));
    // What `commit` and `import` name is new.
    if speaks_of_images && !is_remote && !matches!(command.name, "commit" | "import") {
        names.extend(images(daemon, typed));
    }
    if usage.contains("VOLUME") || usage.contains("NAME|ID") {
        names.extend(volumes(daemon));
    }
    if usage.contains("NETWORK") || usage.contains("NAME|ID") {
        names.extend(networks(daemon));
    }
    let files = ["PATH", "FILE", "file", "DEST"].iter().any(|word| usage.contains(word));
    let fits = names.iter().any(|name| name.as_bytes().starts_with(typed));
    (!files || fits).then(|| owned(names.iter().map(String::as_str)))
}

/// `cp`: a container, a path in it, or a file of the host.
fn path(daemon: &Daemon, typed: &[u8]) -> Option<Vec<BString>> {
    let Some((name, inside)) = typed.split_once_str(":") else {
        let names = containers(daemon, Which::All);
        let fits = names.iter().any(|name| name.as_bytes().starts_with(typed));
        let is_path = typed.contains(&b'/');
        return (fits && !is_path).then(|| names.iter().map(|name| BString::from(format!("{name}:"))).collect());
    };
    let files = daemon.container_files(&name.to_str_lossy()).ok()?;
    let cut = inside.rfind_byte(b'/').map_or(0, |at| at + 1);
    let folder = inside.get(..cut).unwrap_or_default();
    let at = crate::base::path::join(b"/", folder);
    let root = Caller::root();
    let entries = files.readdir(&root, &at).unwrap_or_default();
    let full = |entry: &DirEntry| {
        let is_dir =
            files.stat(&root, &crate::base::path::join(&at, &entry.name), true).is_ok_and(|stat| stat.is_dir());
        let end: &[u8] = if is_dir { b"/" } else { b"" };
        let folder: &[u8] = if inside.is_empty() { b"/" } else { folder };
        [name, b":", folder, &entry.name, end].concat().into()
    };
    Some(entries.iter().map(full).collect())
}

fn flags<'a>(flags: impl Iterator<Item = &'a Flag>) -> Vec<BString> {
    flags.map(|flag| BString::from(format!("--{}", flag.long))).collect()
}

fn owned<'a>(names: impl Iterator<Item = &'a str>) -> Vec<BString> {
    names.map(BString::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::cli::command::Verb;

    #[test]
    fn values_of_flags_are_no_operands() {
        let run = ROOT.shortcuts.iter().find(|shortcut| shortcut.name == "run").unwrap().command;
        assert!(matches!(run.verb, Verb::Run(_)));
        let words = |text: &str| text.split(' ').map(BString::from).collect::<Vec<_>>();
        let (flag, all) = (words("-it --name x -p 80:80"), words("--rm --network=red -e A=1 alpine sh -c"));
        let given = Given::read(run, &flag);
        assert!(given.operands.is_empty() && given.wants_value.is_none());
        assert_eq!(Given::read(run, &all).operands, [b"alpine".as_slice(), b"sh", b"-c"]);
        assert_eq!(Given::read(run, &words("-d --name")).wants_value.unwrap().long, "name");
        assert!(Given::read(run, &words("--rm")).wants_value.is_none());
    }
}
