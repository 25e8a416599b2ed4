//! `inspect`: documents as indented JSON, in one line, or through a template (docker/cli `cli/command/inspect/inspector.go`).

use serde_json::Value;

use super::client::{Answer, Client};
use super::columns::indented_json;
use super::error::CliError;
use super::template::{Dot, Mode, Struct, Template, document, go_json};

/// What is inspected.
pub struct Document {
    /// The daemon's JSON.
    pub value: Value,
    /// Its type in the client, if that looks at it with one.
    pub of: Option<&'static Struct>,
}

impl Document {
    /// As a template shows it: its Go type is tried first, then the JSON.
    fn through(&self, template: &Template) -> Result<String, String> {
        if let Some(of) = self.of {
            let (value, mut out) = (document(&self.value, of), String::new());
            if template.execute(&Dot { value: &value, mode: Mode::Typed }, &mut out).is_ok() {
                return Ok(out);
            }
        }
        let mut out = String::new();
        template.execute(&Dot { value: &self.value, mode: Mode::Inspect }, &mut out).map(|()| out)
    }
}

/// Shows what `find` finds for each name; tells at the end what it did not find.
///
/// # Errors
/// A template that is none (status 64), names that name nothing.
pub async fn inspect(
    client: &Client,
    names: &[String],
    format: &str,
    find: impl Fn(&str) -> Result<Document, String>,
) -> Answer {
    let template = match format {
        "" | "json" => None,
        _ => match Template::parse(format) {
            Ok(template) => Some(template),
            Err(error) => return Err(CliError::Says(64, format!("template parsing error: {error}"))),
        },
    };
    let (mut found, mut text, mut missing) = (Vec::new(), String::new(), Vec::new());
    for name in names {
        match (find(name), &template) {
            (Err(error), _) => missing.push(error),
            (Ok(document), None) => found.push(document.value),
            (Ok(document), Some(template)) => match document.through(template) {
                Ok(out) => {
                    text.push_str(&out);
                    text.push('\n');
                }
                Err(error) => missing.push(format!("template parsing error: {error}")),
            },
        }
    }
    let found = Value::Array(found);
    match (&template, format) {
        (Some(_), _) if text.is_empty() => text.push('\n'),
        (Some(_), _) => {}
        (None, "json") => text = go_json(&found) + "\n",
        (None, _) => text = indented_json(&found) + "\n",
    }
    client.print(text).await?;
    if missing.is_empty() { Ok(()) } else { Err(CliError::new(missing.join("\n"))) }
}
