//! Lists: rows of fields through a `--format`, in a table or not (docker/cli `cli/command/formatter`).
//!
//! A verb makes rows of all the fields that its formatter has in Docker; which of them are printed is the template's business.

use crate::base::sort::Arrange;
use serde_json::{Map, Value};

use crate::base::table::tabulate;
use crate::docker::daemon::api::Filters;

use super::client::{Answer, Client};
use super::error::CliError;
use super::parse::Invocation;
use super::template::{Dot, Mode, Template};
use super::when;

/// The fields of a kind of object.
#[derive(Debug)]
pub struct Columns {
    /// The Go type that errors name.
    pub go_type: &'static str,
    /// Each field's title in a table.
    pub titles: &'static [(&'static str, &'static str)],
}

/// A row of fields, sorted as `{{json .}}` prints them.
pub fn row(fields: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    let mut fields: Vec<(&str, Value)> = fields.into_iter().collect();
    fields.arrange_by_key(|(name, _)| *name);
    Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
}

/// Whether a template may ask for a field: it names it, or takes whole rows (`{{json .}}`).
pub fn may_ask_for(template: &str, name: &str) -> bool {
    let takes_all = || {
        let dots = template.match_indices('.').filter_map(|(at, _)| template.get(at + 1..));
        dots.into_iter().any(|rest| !rest.starts_with(|c: char| c.is_alphabetic()))
    };
    template == "json" || template.contains(name) || takes_all() || template.contains('$')
}

impl Columns {
    /// Prints rows through a format: `table TEMPLATE`, `json` or a template. The error is Go's.
    pub fn render(&self, format: &str, rows: &[Value]) -> Result<String, String> {
        let is_table = format.starts_with("table");
        let template = match format {
            "json" => "{{json .}}",
            _ => format.strip_prefix("table").unwrap_or(format),
        };
        let template = template.trim_matches(' ').replace("\\t", "\t").replace("\\n", "\n");
        let template = Template::parse(&template)?;
        let mut body = String::new();
        for row in rows {
            template.execute(&Dot { value: row, mode: Mode::Context(self.go_type) }, &mut body)?;
            body.push('\n');
        }
        if !is_table {
            return Ok(body);
        }
        let titles: Map<String, Value> =
            self.titles.iter().map(|(name, title)| ((*name).to_owned(), Value::String((*title).to_owned()))).collect();
        let mut text = String::new();
        // Docker ignores what goes wrong in the header.
        let _ = template.execute(&Dot { value: &Value::Object(titles), mode: Mode::Header }, &mut text);
        text.push('\n');
        text.push_str(&body);
        let lines: Vec<Vec<String>> = text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect();
        Ok(tabulate(&lines))
    }
}

/// The filters of `--filter`.
pub fn filters(given: &Invocation) -> Filters {
    let mut filters = Filters::new();
    for text in given.strings("filter") {
        if let Some((name, value)) = text.split_once('=') {
            filters.entry(name.trim().to_ascii_lowercase()).or_default().push(value.trim().to_owned());
        }
    }
    filters
}

/// The filters of a prune, with `until` as the daemon wants it: in nanoseconds since 1970.
///
/// # Errors
/// An `until` that is no time.
pub fn prune_filters(client: &Client, given: &Invocation) -> Answer<Filters> {
    let mut filters = filters(given);
    for value in filters.get_mut("until").into_iter().flatten() {
        let time = when::parse(value, client.now());
        *value = time.map_err(|why| CliError::new(format!("Error response from daemon: {why}")))?.0.to_string();
    }
    Ok(filters)
}

/// A template that cannot be run.
pub fn template_error(error: String) -> CliError {
    CliError::new(format!("template parsing error: {error}"))
}

/// Cuts to `length` characters, the last of which is then `…` (docker/cli `formatter.Ellipsis`).
pub fn ellipsis(text: &str, length: usize) -> String {
    if text.chars().count() <= length {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(length.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// The first twelve digits of an id, without its algorithm.
pub fn short_id(id: &str) -> String {
    let hex = id.split_once(':').map_or(id, |(_, hex)| hex);
    hex.get(..12).unwrap_or(hex).to_owned()
}

/// `KEY=VALUE` of all labels, sorted, with commas.
pub fn labels<'a>(labels: impl IntoIterator<Item = (&'a String, &'a String)>) -> String {
    let mut labels: Vec<String> = labels.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    labels.arrange();
    labels.join(",")
}

/// JSON as `docker inspect` shows it, indented by four.
pub fn indented_json(value: &Value) -> String {
    let mut out = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, formatter);
    // Writing a `Value` into memory cannot fail.
    let _ = serde::Serialize::serialize(value, &mut serializer);
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const VOLUMES: Columns = Columns {
        go_type: "*formatter.volumeContext",
        titles: &[("Driver", "DRIVER"), ("Labels", "LABELS"), ("Name", "VOLUME NAME")],
    };

    fn rows() -> Vec<Value> {
        ["one", "another"]
            .map(|name| {
                row([
                    ("Name", name.into()),
                    ("Driver", "local".into()),
                    ("Label", serde_json::json!({"a": "b"})),
                    ("Labels", "a=b".into()),
                ])
            })
            .into()
    }

    #[test]
    fn tables_have_docker_s_columns() {
        let table = VOLUMES.render("table {{.Driver}}\t{{.Name}}", &rows()).unwrap();
        assert_eq!(table, "DRIVER    VOLUME NAME\nlocal     one\nlocal     another\n");
        let table = VOLUMES.render("table {{upper .Name}}\\t{{.Label \"x.a\"}}", &[]).unwrap();
        assert_eq!(table, "VOLUME NAME   a\n");
        assert_eq!(VOLUMES.render("table", &[]).unwrap(), "\n");
    }

    #[test]
    fn formats_may_be_json_or_anything() {
        let json = VOLUMES.render("json", &rows()[..1]).unwrap();
        assert_eq!(json, "{\"Driver\":\"local\",\"Labels\":\"a=b\",\"Name\":\"one\"}\n");
        assert_eq!(VOLUMES.render("{{.Label \"a\"}}/{{.Label \"x\"}}", &rows()[..1]).unwrap(), "b/\n");
        assert_eq!(
            VOLUMES.render("{{.Nope}}", &rows()).unwrap_err(),
            "template: :1:2: executing \"\" at <.Nope>: can't evaluate field Nope in type *formatter.volumeContext"
        );
    }

    #[test]
    fn templates_ask_for_what_they_name() {
        for (template, is) in [
            ("table {{.ID}}\t{{.Names}}", false),
            ("{{.Size}}", true),
            ("json", true),
            ("{{json .}}", true),
            ("{{range $k, $v := .}}{{end}}", true),
            ("{{.}}", true),
            ("{{index . \"ID\"}}", true),
            ("{{with .ID}}{{.}}{{end}}", true),
        ] {
            assert_eq!(may_ask_for(template, "Size"), is, "{template}");
        }
    }

    #[test]
    fn long_texts_end_in_an_ellipsis() {
        assert_eq!(ellipsis("/docker-entrypoint.sh nginx", 20), "/docker-entrypoint.…");
        assert_eq!(ellipsis("bash", 20), "bash");
        assert_eq!(short_id("sha256:0123456789abcdef"), "0123456789ab");
    }
}
