//! What an address asks of the page, and the messages between the page in a frame and the page around it.
//!
//! Both are an interface for others, documented in the README under "Embedding": names here are kept for good, and a
//! message says the version that it speaks.

use crate::base::sort::Arrange;
use serde_json::{Value, json};

use crate::docker::daemon::api::snapshot::Snapshot;

/// The version of the messages: the field `capas` of each of them.
pub const VERSION: u64 = 1;
/// Commands that one message or address may bring.
const MAX_COMMANDS: usize = 200;
/// Bytes of one command, file or text.
const MAX_TEXT: usize = 256 * 1024;
/// Bytes of a kept session's name.
const MAX_NAME: usize = 64;

/// What the page shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Panes {
    /// The terminal beside the layers.
    #[default]
    Both,
    /// Only the terminal.
    Terminal,
    /// Only the layers.
    Layers,
}

impl Panes {
    /// From `terminal`, `layers` or `terminal,layers`.
    pub fn from_name(name: &str) -> Option<Self> {
        let mut words: Vec<&str> = name.split([',', ' ', '+']).filter(|word| !word.is_empty()).collect();
        words.arrange();
        match words.as_slice() {
            ["terminal"] => Some(Self::Terminal),
            ["layers"] => Some(Self::Layers),
            ["layers", "terminal"] => Some(Self::Both),
            _ => None,
        }
    }

    /// As in the address.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Both => "terminal,layers",
            Self::Terminal => "terminal",
            Self::Layers => "layers",
        }
    }
}

/// What an address asks for, beyond language, theme, seed and speed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// The page is part of another one: no header, nothing kept.
    pub embedded: bool,
    /// What is shown.
    pub panes: Panes,
    /// The lesson to open; empty for the list of them.
    pub lesson: Option<String>,
    /// Commands to run at the start.
    pub commands: Vec<String>,
    /// The visitor can't type.
    pub read_only: bool,
    /// The origin of the page around, if it isn't that of this page.
    pub origin: Option<String>,
    /// Whether the session is kept in the browser, and under which name; what is usual if the address does not say.
    pub keep: Keep,
}

/// Whether a session is kept in the browser.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Keep {
    /// It is, unless the page is part of another one or the visitor can't type.
    #[default]
    Usual,
    /// It is not.
    Not,
    /// It is, under a name of its own: frames of one page are told apart by it.
    As(String),
}

impl Options {
    /// From the parameters of an address, in their order. What is unknown or wrong is passed over.
    pub fn from_parameters<'a>(parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut options = Self::default();
        let is_on = |value: &str| !matches!(value, "0" | "false" | "no");
        for (name, value) in parameters {
            match name {
                "embed" => options.embedded = is_on(value),
                "panes" => options.panes = Panes::from_name(value).unwrap_or_default(),
                "lesson" => options.lesson = Some(value.to_owned()),
                "run" if options.commands.len() < MAX_COMMANDS => options.commands.extend(command(value)),
                "readonly" => options.read_only = is_on(value),
                "origin" => options.origin = Some(value.to_owned()),
                "keep" if !is_on(value) => options.keep = Keep::Not,
                "keep" if !value.is_empty() && value.len() <= MAX_NAME => options.keep = Keep::As(value.to_owned()),
                _ => {}
            }
        }
        options
    }
}

/// A command as it is typed: line ends of any kind, none at the end.
fn command(text: &str) -> Option<String> {
    let text = text.replace("\r\n", "\n");
    let text = text.trim_end();
    (!text.is_empty() && text.len() <= MAX_TEXT).then(|| text.to_owned())
}

/// What the page around asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request {
    /// Type these commands, one after the other, and tell what they printed.
    Run {
        /// The commands.
        commands: Vec<String>,
        /// At once, not letter by letter.
        fast: bool,
    },
    /// Type these characters, as keys would.
    Type(String),
    /// Put a file on the host.
    Put {
        /// Where; relative paths begin in the student's home folder.
        path: String,
        /// What is in it.
        text: String,
    },
    /// Tell what Docker holds.
    State,
    /// Begin anew.
    Reset,
    /// Show these panes.
    Show(Panes),
    /// Give the terminal the keyboard.
    Focus,
}

/// A request that can't be understood.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RequestError {
    /// A message of another version.
    #[error("this page speaks version {VERSION} of the messages")]
    Version,
    /// No such `type`.
    #[error("unknown type '{0}'")]
    Type(String),
    /// A field is missing, too long, or of another kind.
    #[error("'{0}' is missing or not what it should be")]
    Field(&'static str),
}

/// Reads a message: what is asked, and the `id` that its answer will carry. `None` if it is no message of ours.
pub fn request(message: &Value) -> Option<(Result<Request, RequestError>, Value)> {
    let version = message.get("capas")?;
    let id = message.get("id").cloned().unwrap_or(Value::Null);
    if version.as_u64() != Some(VERSION) {
        return Some((Err(RequestError::Version), id));
    }
    Some((read(message), id))
}

fn read(message: &Value) -> Result<Request, RequestError> {
    let text = |name: &'static str| {
        let text = message.get(name).and_then(Value::as_str).filter(|text| text.len() <= MAX_TEXT);
        text.map(str::to_owned).ok_or(RequestError::Field(name))
    };
    Ok(match text("type")?.as_str() {
        "run" => {
            let list = message.get("commands").and_then(Value::as_array).filter(|list| list.len() <= MAX_COMMANDS);
            let list = list.ok_or(RequestError::Field("commands"))?;
            let commands = list.iter().map(|one| one.as_str().and_then(command));
            let commands = commands.collect::<Option<_>>().ok_or(RequestError::Field("commands"))?;
            Request::Run { commands, fast: message.get("fast").and_then(Value::as_bool).unwrap_or(false) }
        }
        "type" => Request::Type(text("text")?),
        "put" => Request::Put { path: text("path")?, text: text("text")? },
        "state" => Request::State,
        "reset" => Request::Reset,
        "show" => Request::Show(Panes::from_name(&text("panes")?).ok_or(RequestError::Field("panes"))?),
        "focus" => Request::Focus,
        other => return Err(RequestError::Type(other.to_owned())),
    })
}

/// A message to the page around.
pub fn message(kind: &str, id: &Value, fields: Value) -> Value {
    let mut message = json!({ "capas": VERSION, "type": kind });
    if let Some(object) = message.as_object_mut() {
        if !id.is_null() {
            object.insert("id".to_owned(), id.clone());
        }
        if let Value::Object(fields) = fields {
            object.extend(fields);
        }
    }
    message
}

/// An exercise that was solved, as the page around is told.
pub fn solved(lesson: &str, commands: u64, hints: u64, saw_solution: bool) -> Value {
    json!({ "lesson": lesson, "commands": commands, "hints": hints, "sawSolution": saw_solution })
}

/// What Docker holds, as the page around is told.
pub fn state(snapshot: &Snapshot) -> Value {
    let images = snapshot.images.iter().map(|image| {
        let layers: Vec<String> = image.layers.iter().filter_map(|layer| Some(layer.diff_id?.0.to_string())).collect();
        json!({ "id": image.id.0.to_string(), "tags": image.tags, "size": image.size_bytes, "layers": layers })
    });
    let containers = snapshot.containers.iter().map(|container| {
        let ports = container.ports.iter().filter_map(|port| {
            let public = port.public_port?;
            Some(json!({ "host": public, "container": port.private_port, "protocol": port.protocol }))
        });
        json!({
            "id": container.id, "name": container.name, "image": container.image, "state": container.state,
            "exitCode": container.exit_code, "size": container.size_bytes, "changed": container.changed_files,
            "ports": ports.collect::<Vec<_>>(),
        })
    });
    json!({
        "images": images.collect::<Vec<_>>(),
        "containers": containers.collect::<Vec<_>>(),
        "volumes": snapshot.volumes.iter().map(|volume| volume.name.as_str()).collect::<Vec<_>>(),
        "networks": snapshot.networks.iter().map(|network| network.name.as_str()).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_what_is_shown_and_run() {
        let options = Options::from_parameters([
            ("embed", "1"),
            ("run", "docker images"),
            ("run", "cat <<EOF\r\nhola\r\nEOF\r\n"),
            ("panes", "layers,terminal"),
            ("unknown", "x"),
            ("lesson", "puerto-ocupado"),
            ("readonly", ""),
        ]);
        assert!(options.embedded && options.read_only);
        assert_eq!(options.panes, Panes::Both);
        assert_eq!(options.lesson.as_deref(), Some("puerto-ocupado"));
        assert_eq!(options.commands, ["docker images", "cat <<EOF\nhola\nEOF"]);
        assert_eq!(Options::from_parameters([("panes", "terminal"), ("embed", "0")]).panes, Panes::Terminal);
    }

    #[test]
    fn messages_of_others_are_none_and_wrong_ones_are_answered() {
        assert_eq!(request(&json!({ "type": "run" })), None);
        assert_eq!(request(&json!("capas")), None);
        let (wrong, id) = request(&json!({ "capas": 2, "type": "run", "id": 7 })).unwrap();
        assert_eq!((wrong, id), (Err(RequestError::Version), json!(7)));
        let read = |message: Value| request(&message).unwrap().0;
        assert_eq!(
            read(json!({ "capas": 1, "type": "run", "commands": ["docker ps\n"] })),
            Ok(Request::Run { commands: vec!["docker ps".to_owned()], fast: false })
        );
        assert_eq!(read(json!({ "capas": 1, "type": "run", "commands": [3] })), Err(RequestError::Field("commands")));
        assert_eq!(read(json!({ "capas": 1, "type": "boom" })), Err(RequestError::Type("boom".to_owned())));
        assert_eq!(read(json!({ "capas": 1, "type": "show", "panes": "x" })), Err(RequestError::Field("panes")));
    }

    #[test]
    fn answers_carry_version_and_id() {
        let answer = message("ran", &json!("a"), json!({ "results": [] }));
        assert_eq!(answer, json!({ "capas": 1, "type": "ran", "id": "a", "results": [] }));
    }
}
