//! The recorder: what an author does at a machine becomes an exercise in Markdown.
//!
//! What was typed before the author says “the student begins here” is the setup, the rest is the solution; goals are what is
//! different at the end. Words are left for the author to write.

use crate::base::sort::Arrange;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bstr::ByteSlice;

use super::scene::Scene;
use crate::base::language::Language;
use crate::base::rope::Rope;
use crate::base::time::Timestamp;
use crate::docker::daemon::api::container::ChangeKind;
use crate::machine::host::HOME;
use crate::machine::{Edited, Entered, Input, Machine};
use crate::os::fs::mounts::Caller;
use crate::os::fs::node::Kind;

/// Changed paths of a container that become goals.
const MAX_CHANGES: usize = 5;
/// Bytes of a file that stand in an exercise.
const MAX_FILE: u64 = 64 << 10;
/// Characters of a file's line that a goal quotes.
const MAX_QUOTE: usize = 60;
/// Editors of the terminal.
const EDITORS: [&str; 5] = ["nano", "pico", "vi", "vim", "vim.tiny"];
/// A shell that waits takes a line within this time.
const AT_ONCE: Duration = Duration::from_millis(2);

/// A recording.
#[derive(Clone, Debug)]
pub struct Recording {
    setup: Vec<String>,
    before: Facts,
    /// Commands and inputs that are recorded already.
    entered: usize,
    inputs: usize,
}

/// What goals can be made of.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Facts {
    images: BTreeSet<String>,
    containers: BTreeMap<String, Container>,
    volumes: BTreeSet<String>,
    networks: BTreeSet<String>,
    /// Files of the student's folder, with their first lines.
    files: BTreeMap<String, String>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Container {
    state: &'static str,
    image: String,
    ports: BTreeSet<(u16, u16)>,
    mounts: Vec<(String, String)>,
    networks: BTreeSet<String>,
    changes: BTreeMap<String, &'static str>,
}

impl Recording {
    /// The student begins here: all that was done on the machine since command `entered` and input `inputs` is the setup.
    pub fn begin(machine: &Machine, entered: usize, inputs: usize) -> Self {
        Self {
            setup: lines(machine, entered, inputs),
            before: Facts::of(machine),
            entered: machine.entered_count(),
            inputs: machine.journal().inputs.len(),
        }
    }

    /// Whether the machine is still the one that is recorded, or one that went back to before the student begins.
    pub fn fits(&self, machine: &Machine) -> bool {
        machine.entered_count() >= self.entered && machine.journal().inputs.len() >= self.inputs
    }

    /// What the solution is so far, a line a step.
    pub fn solution(&self, machine: &Machine) -> Vec<String> {
        told(lines(machine, self.entered, self.inputs))
    }

    /// The author is done: the file.
    pub fn finish(&self, machine: &Machine, title: &str, language: Language) -> String {
        let goals = goals(&self.before, &Facts::of(machine));
        let solution = lines(machine, self.entered, self.inputs);
        let [setup_title, goals_title, hints_title, solution_title] = match language {
            Language::Spanish => ["Inicio", "Objetivos", "Pistas", "Solución"],
            Language::English => ["Setup", "Goals", "Hints", "Solution"],
        };
        let [prose, hint] = match language {
            Language::Spanish => {
                ["Escribe aquí qué tiene que hacer el alumno y por qué.", "Escribe aquí una primera pista."]
            }
            Language::English => ["Write here what the student has to do, and why.", "Write a first hint here."],
        };
        let title = title.trim().replace(['\n', '\r'], " ");
        let title = if title.is_empty() { "…" } else { title.as_str() };
        let mut out = format!("---\nid: {}\ntitle: {title}\nlevel: 1\norder: 1\n---\n\n{prose}\n\n", slug(title));
        if !self.setup.is_empty() {
            out.push_str(&format!("## {setup_title}\n\n{}\n", blocks(&self.setup)));
        }
        let goals: String = goals.iter().flat_map(|goal| [goal.as_str(), "\n"]).collect();
        out.push_str(&format!("## {goals_title}\n\n```goals\n{goals}```\n\n"));
        out.push_str(&format!("## {hints_title}\n\n1. {hint}\n\n## {solution_title}\n\n{}", blocks(&solution)));
        out
    }
}

/// What the setup would be if the student began now, a line a step.
pub fn setup(machine: &Machine, entered: usize, inputs: usize) -> Vec<String> {
    told(lines(machine, entered, inputs))
}

/// Lines for people: of files only their names.
fn told(lines: Vec<String>) -> Vec<String> {
    let name = |line: &str| Some(line.strip_prefix('\0')?.split_once('\0')?.0.to_owned());
    lines.into_iter().map(|line| name(&line).unwrap_or(line)).collect()
}

/// An id made of a title.
fn slug(title: &str) -> String {
    let plain = |c: char| match c {
        'á' => 'a',
        'é' => 'e',
        'í' => 'i',
        'ó' => 'o',
        'ú' | 'ü' => 'u',
        'ñ' => 'n',
        c if c.is_ascii_alphanumeric() => c,
        _ => ' ',
    };
    let text: String = title.to_lowercase().chars().map(plain).collect();
    let slug = text.split_whitespace().collect::<Vec<_>>().join("-");
    if slug.is_empty() { "ejercicio".to_owned() } else { slug }
}

/// What was done since command `entered` and input `inputs`, in order, as it stands in blocks: commands, `» ` what was typed
/// into a container's shell or a program, and files between marks.
fn lines(machine: &Machine, entered: usize, inputs: usize) -> Vec<String> {
    let taken: Vec<Entered> = machine.entered().into_iter().skip(entered).collect();
    let fresh = machine.journal().inputs.get(inputs..).unwrap_or_default();
    let sittings = sittings(&taken, machine.edited());
    let is_editing = |at: Timestamp| sittings.iter().any(|(command, edited)| command.at < at && at <= edited.ended);
    let keys: Vec<_> = fresh.iter().filter(|(time, _)| !is_editing(*time)).cloned().collect();
    let mut done: Vec<(Timestamp, String)> = typed_into_programs(&keys, &taken);
    for line in &taken {
        match sittings.iter().find(|(command, _)| std::ptr::eq(*command, line)) {
            Some((_, edited)) => done.extend(left_behind(edited).into_iter().map(|text| (line.at, text))),
            None if line.cgroup.is_empty() => done.push((line.at, line.text.clone())),
            None => done.push((line.at, format!("» {}", line.text))),
        }
    }
    for (time, input) in fresh {
        if let Input::PutFile { path, content } | Input::SaveFile { path, content } = input {
            done.extend(file(path, &content.0).map(|file| (*time, file)));
        }
    }
    done.arrange_by_key(|(time, _)| *time);
    // Keys of despair are pressed more often than they are needed.
    done.dedup_by(|next, last| next.1 == last.1 && next.1.starts_with("» ^"));
    done.into_iter().map(|(_, line)| line).collect()
}

/// A file of the host between marks, as [`lines`] gives it.
fn file(path: &str, content: &Rope) -> Option<String> {
    let name = path.strip_prefix(HOME).and_then(|rest| rest.strip_prefix('/')).unwrap_or(path);
    let bytes = content.head(MAX_FILE);
    // A fence in a file would end its block.
    let text = bytes.to_str().ok().filter(|text| !text.contains("```"))?;
    Some(format!("\0{name}\0{text}"))
}

/// Commands that did nothing but open an editor, with what was done in it.
fn sittings(taken: &[Entered], edited: Vec<Edited>) -> Vec<(&Entered, Edited)> {
    let opens_editor = |line: &Entered| {
        let program = line.text.split_whitespace().find(|word| *word != "sudo" && !word.contains('='));
        program.is_some_and(|program| EDITORS.contains(&program)) && !line.text.contains([';', '&', '|'])
    };
    let command = |edited: &Edited| {
        let before = taken.iter().rev().find(|line| line.cgroup == edited.cgroup && line.at <= edited.began);
        before.filter(|line| opens_editor(line))
    };
    edited.into_iter().filter_map(|edited| Some((command(&edited)?, edited))).collect()
}

/// What leads to the files that were written in an editor: the files themselves on the host, here-documents in a container.
fn left_behind(edited: &Edited) -> Vec<String> {
    let mut steps = Vec::new();
    for (path, content) in &edited.files {
        let Ok(path) = path.to_str() else { continue };
        if edited.cgroup.is_empty() {
            steps.extend(file(path, content));
            continue;
        }
        let bytes = content.head(MAX_FILE);
        let Ok(text) = bytes.to_str() else { continue };
        let path = quoted(path);
        // A shell that reads its terminal completes at a tab and ends at others.
        if text.chars().any(|c| c.is_control() && c != '\n') || text.contains("```") {
            let escaped: String = text.chars().map(escaped).collect();
            steps.push(format!("» printf '{escaped}' > {path}"));
        } else {
            let end =
                (1..).map(|n| "EOF".repeat(n)).find(|end| text.lines().all(|line| line != end)).unwrap_or_default();
            steps.push(format!("» cat > {path} <<'{end}'"));
            steps.extend(text.lines().map(|line| format!("» {line}")));
            steps.push(format!("» {end}"));
        }
    }
    steps
}

/// A word for a shell.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+,:@%".contains(c);
    if text.chars().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

/// A character in the single-quoted format of `printf`.
fn escaped(c: char) -> String {
    match c {
        '\n' => "\\n".to_owned(),
        '\t' => "\\t".to_owned(),
        '%' => "%%".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\'' | '`' => format!("\\{:03o}", u32::from(c)),
        c if c.is_ascii_control() => format!("\\{:03o}", u32::from(c)),
        c => c.to_string(),
    }
}

/// Lines that no shell took, and Ctrl-C and Ctrl-D on an empty line. What was edited with keys of movement is left out:
/// nobody but the program knows what it became.
fn typed_into_programs(inputs: &[(Timestamp, Input)], taken: &[Entered]) -> Vec<(Timestamp, String)> {
    let mut lines = Vec::new();
    let mut open: BTreeMap<u32, Option<Vec<u8>>> = BTreeMap::new();
    let ends: Vec<(u32, Timestamp)> =
        inputs.iter().filter_map(|(time, input)| Some((line_end(input)?, *time))).collect();
    for (time, input) in inputs {
        let Input::Type { tty, bytes } = input else { continue };
        // A shell that waits has the line at once, and before the next one.
        let next = ends.iter().find(|(other, end)| other == tty && end > time).map(|(_, end)| *end);
        let line = open.entry(*tty).or_insert_with(|| Some(Vec::new()));
        let bytes = bytes.replace(b"\x1b[200~", b"").replace(b"\x1b[201~", b"");
        for byte in bytes {
            match (byte, line.as_mut()) {
                (b'\r' | b'\n', _) => {
                    let text = line.replace(Vec::new()).and_then(|bytes| String::from_utf8(bytes).ok());
                    let is_taken = |text: &str| {
                        taken.iter().any(|entered| {
                            let same = entered.text.lines().any(|line| line.trim() == text.trim());
                            let at_once =
                                entered.at.since(*time) < AT_ONCE && next.is_none_or(|next| entered.at < next);
                            entered.at >= *time && (same || at_once)
                        })
                    };
                    lines.extend(text.filter(|text| !is_taken(text)).map(|text| (*time, format!("» {text}"))));
                }
                (3 | 4, Some(keys)) if keys.is_empty() => {
                    lines.push((*time, format!("» ^{}", if byte == 3 { 'C' } else { 'D' })));
                }
                // Ctrl-C and Ctrl-U begin the line anew.
                (3 | 0x15, _) => *line = Some(Vec::new()),
                (0x7f, Some(keys)) => drop(keys.pop()),
                // The page clears the screen as a lesson begins.
                (0x0c, _) => {}
                (0..b' ', _) => *line = None,
                (_, Some(keys)) => keys.push(byte),
                (_, None) => {}
            }
        }
    }
    // Enter at a prompt does nothing.
    lines.retain(|(_, line)| line.trim() != "»");
    lines
}

/// The terminal of an input that ends a line.
fn line_end(input: &Input) -> Option<u32> {
    match input {
        Input::Type { tty, bytes } if bytes.contains(&b'\r') || bytes.contains(&b'\n') => Some(*tty),
        _ => None,
    }
}

fn blocks(lines: &[String]) -> String {
    let mut out = String::new();
    let mut commands = String::new();
    let flush = |out: &mut String, commands: &mut String| {
        if !commands.is_empty() {
            out.push_str(&format!("```sh\n{commands}```\n"));
            commands.clear();
        }
    };
    for line in lines {
        match line.strip_prefix('\0').and_then(|rest| rest.split_once('\0')) {
            Some((path, text)) => {
                flush(&mut out, &mut commands);
                let end = if text.ends_with('\n') || text.is_empty() { "" } else { "\n" };
                out.push_str(&format!("```text path={path}\n{text}{end}```\n\n"));
            }
            None => {
                commands.push_str(line);
                commands.push('\n');
            }
        }
    }
    flush(&mut out, &mut commands);
    out
}

impl Facts {
    fn of(machine: &Machine) -> Self {
        let scene = Scene::new(machine);
        let snapshot = scene.snapshot();
        let containers = snapshot.containers.iter().map(|container| {
            let changes = machine.daemon().container_changes(&container.id).unwrap_or_default();
            let changes = changes.into_iter().map(|change| {
                let kind = match change.kind {
                    ChangeKind::Add => "added",
                    ChangeKind::Modify => "changed",
                    ChangeKind::Delete => "deleted",
                };
                (change.path.to_string(), kind)
            });
            let state = match container.state {
                "exited" | "dead" => "stopped",
                "created" => "created",
                "paused" => "paused",
                _ => "running",
            };
            let facts = Container {
                state,
                image: container.image.clone(),
                ports: container.ports.iter().filter_map(|p| Some((p.public_port?, p.private_port))).collect(),
                mounts: container.volumes.clone(),
                networks: container.networks.iter().map(|(name, _)| name.clone()).collect(),
                changes: changes.collect(),
            };
            (container.name.clone(), facts)
        });
        let own = |name: &&str| !["bridge", "host", "none"].contains(name);
        Self {
            images: snapshot.images.iter().flat_map(|image| image.tags.iter().cloned()).collect(),
            containers: containers.collect(),
            volumes: snapshot.volumes.iter().filter(|v| !v.anonymous).map(|v| v.name.clone()).collect(),
            networks: snapshot.networks.iter().map(|n| n.name.as_str()).filter(own).map(ToOwned::to_owned).collect(),
            files: home_files(machine, &scene),
        }
    }
}

fn home_files(machine: &Machine, scene: &Scene<'_>) -> BTreeMap<String, String> {
    let mounts = machine.host_files();
    let entries = mounts.borrow().readdir(&Caller::root(), HOME.as_bytes()).unwrap_or_default();
    let files = entries.into_iter().filter(|entry| entry.kind == Kind::File && !entry.name.starts_with(b"."));
    files
        .map(|entry| {
            let name = entry.name.to_string();
            let text = scene.host_text(&name).unwrap_or_default();
            let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim().to_owned();
            (name, line)
        })
        .collect()
}

/// A word of a goal, in quotes where it needs them.
fn word(text: &str) -> String {
    if !text.is_empty() && !text.contains([' ', '"', '\\', '\t']) {
        return text.to_owned();
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// What is different, as checks.
fn goals(before: &Facts, after: &Facts) -> Vec<String> {
    let mut goals = Vec::new();
    goals.extend(after.images.difference(&before.images).map(|name| format!("image {}", word(name))));
    goals.extend(before.images.difference(&after.images).map(|name| format!("no image {}", word(name))));
    for (name, container) in &after.containers {
        let old = before.containers.get(name);
        let mut line = String::new();
        if old.is_none_or(|old| old.state != container.state) {
            line.push_str(&format!(" {}", container.state));
        }
        if old.is_none() {
            line.push_str(&format!(" image {}", word(&container.image)));
        }
        if old.is_none_or(|old| old.ports != container.ports) {
            line.extend(container.ports.iter().map(|(host, inside)| format!(" port {host}:{inside}")));
        }
        let mounts = container.mounts.iter().filter(|mount| old.is_none_or(|old| !old.mounts.contains(mount)));
        // A volume without a name has another one each time.
        line.extend(
            mounts.filter(|(name, _)| after.volumes.contains(name)).map(|(name, path)| format!(" mount {name}:{path}")),
        );
        let networks = container.networks.iter().filter(|name| old.is_none_or(|old| !old.networks.contains(*name)));
        line.extend(networks.filter(|name| after.networks.contains(*name)).map(|name| format!(" network {name}")));
        // Names that Docker makes up have an underscore, and are others each time.
        let is_made_up = old.is_none() && name.contains('_');
        if !line.is_empty() {
            goals.push(format!("container {}{line}", if is_made_up { "*" } else { name }));
        }
        if is_made_up {
            continue;
        }
        let fresh = container.changes.iter().filter(|(path, kind)| {
            let known = old.is_some_and(|old| old.changes.get(*path) == Some(kind));
            // A folder is changed by what is changed in it.
            let has_below = container.changes.keys().any(|other| other.starts_with(&format!("{path}/")));
            !known && !has_below
        });
        goals.extend(fresh.take(MAX_CHANGES).map(|(path, kind)| format!("change {} in {name} {kind}", word(path))));
    }
    let gone = before.containers.keys().filter(|name| !after.containers.contains_key(*name));
    goals.extend(gone.map(|name| format!("no container {name}")));
    goals.extend(after.volumes.difference(&before.volumes).map(|name| format!("volume {name}")));
    goals.extend(before.volumes.difference(&after.volumes).map(|name| format!("no volume {name}")));
    goals.extend(after.networks.difference(&before.networks).map(|name| format!("network {name}")));
    goals.extend(before.networks.difference(&after.networks).map(|name| format!("no network {name}")));
    for (name, line) in after.files.iter().filter(|(name, line)| before.files.get(*name) != Some(line)) {
        let quote: String = line.chars().take(MAX_QUOTE).collect();
        let is_text = !quote.is_empty() && !quote.contains('\u{fffd}') && !quote.chars().any(char::is_control);
        let containing = if is_text { format!(" containing {}", word(&quote)) } else { String::new() };
        goals.push(format!("file {}{containing}", word(&format!("~/{name}"))));
    }
    let gone = before.files.keys().filter(|name| !after.files.contains_key(*name));
    goals.extend(gone.map(|name| format!("no file {}", word(&format!("~/{name}")))));
    goals
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lesson::exercise::{Exercise, Step};
    use crate::lesson::prove::prove;
    use crate::lesson::run::perform;

    #[test]
    fn what_is_typed_into_programs_is_recorded() {
        let mut machine = Machine::new(crate::machine::Config::default());
        let run = |machine: &mut Machine, text: &str| perform(machine, &Step::Command(text.to_owned()));
        let type_in = |machine: &mut Machine, text: &str| perform(machine, &Step::Type(text.to_owned()));
        let recording = Recording::begin(&machine, 0, 0);
        run(&mut machine, "cat > nota.txt");
        type_in(&mut machine, "hola");
        type_in(&mut machine, "^D");
        run(&mut machine, "docker run -d --name web nginx");
        run(&mut machine, "docker logs -f web");
        type_in(&mut machine, "^C");
        run(&mut machine, "docker run -ti --name caja \\\n  ubuntu bash");
        type_in(&mut machine, "touch /aqui");
        type_in(&mut machine, "^D");
        run(&mut machine, "docker rename caja caja2");
        let text = recording.finish(&machine, "", Language::English);
        let exercise = Exercise::parse(&text).unwrap();
        assert_eq!(prove(&exercise), [], "{text}");
        let solution = "```sh\ncat > nota.txt\n» hola\n» ^D\ndocker run -d --name web nginx\ndocker logs -f web\n» ^C\n\
            docker run -ti --name caja \\\n  ubuntu bash\n» touch /aqui\n» ^D\ndocker rename caja caja2\n```";
        assert!(text.contains(solution), "{text}");
        assert!(text.contains("file ~/nota.txt containing hola"), "{text}");
    }

    #[test]
    fn what_is_edited_is_recorded_as_the_file_it_became() {
        let mut machine = Machine::new(crate::machine::Config::default());
        let run = |machine: &mut Machine, text: &str| perform(machine, &Step::Command(text.to_owned()));
        let recording = Recording::begin(&machine, 0, 0);
        run(&mut machine, "echo uno > nota.txt");
        run(&mut machine, "nano nota.txt");
        let tty = machine.console();
        let keys = |machine: &mut Machine, bytes: &[u8]| {
            machine.input(tty, bytes);
            machine.settle(tty, Duration::from_millis(50), Duration::from_secs(5));
        };
        keys(&mut machine, b"cero\r\x1b[B\x1b[Fdos\x0f\r\x18");
        run(&mut machine, "docker run -ti --name caja alpine sh");
        perform(&mut machine, &Step::Type("vi '/etc/a b'".to_owned()));
        keys(&mut machine, b"iuna linea\rcon 100% de \\\x1b:w\r:w /tmp/copia\r");
        keys(&mut machine, b"A\tfin\x1b:wq\r");
        perform(&mut machine, &Step::Type("vi /nada".to_owned()));
        keys(&mut machine, b"ino\x1b:q!\r");
        perform(&mut machine, &Step::Type("exit".to_owned()));
        let text = recording.finish(&machine, "", Language::English);
        for part in [
            "```text path=nota.txt\ncero\nuno\ndos\n```",
            "» cat > /tmp/copia <<'EOF'\n» una linea\n» con 100% de \\\n» EOF\n» exit\n",
            "» printf 'una linea\\ncon 100%% de \\\\\\tfin\\n' > '/etc/a b'\n» cat",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!text.contains("nano") && !text.contains("» vi"), "{text}");
        assert_eq!(prove(&Exercise::parse(&text).unwrap()), [], "{text}");
    }

    #[test]
    fn what_is_recorded_is_an_exercise_that_holds() {
        let mut machine = Machine::new(crate::machine::Config::default());
        let run = |machine: &mut Machine, text: &str| perform(machine, &Step::Command(text.to_owned()));
        run(&mut machine, "docker run -d --name uno busybox sleep infinity");
        let recording = Recording::begin(&machine, 0, 0);
        machine.put_file(&format!("{HOME}/nota.txt"), b"hola y \"adios\"\n").unwrap();
        run(&mut machine, "docker cp nota.txt uno:/tmp/nota.txt");
        run(&mut machine, "docker volume create datos");
        run(&mut machine, "docker run --rm -ti -v datos:/d busybox sh");
        perform(&mut machine, &Step::Type("touch /d/x".to_owned()));
        perform(&mut machine, &Step::Type("exit".to_owned()));
        run(&mut machine, "docker run -d -v datos:/d -p 8080:80 --name dos busybox sleep infinity");
        let text = recording.finish(&machine, "Una copia a mano", Language::Spanish);
        let exercise = Exercise::parse(&text).unwrap();
        assert_eq!(exercise.id, "una-copia-a-mano");
        assert_eq!(prove(&exercise), [], "{text}");
        for line in [
            "container dos running image busybox port 8080:80 mount datos:/d",
            "change /tmp/nota.txt in uno added",
            "volume datos",
            "file ~/nota.txt containing \"hola y \\\"adios\\\"\"",
            "» touch /d/x",
            "```text path=nota.txt",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }
}
