//! `docker image history`.

use crate::base::size::human_size3;
use crate::base::time::Timestamp;
use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::columns::{Columns, ellipsis, row, short_id, template_error};
use crate::docker::cli::command::*;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::value::Kind::*;
use crate::docker::cli::when;
use crate::docker::daemon::api::image::HistoryItem;
use serde_json::Value;

/// `docker image history`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] IMAGE",
    short: "Show the history of an image",
    alias_line: "docker image history, docker history",
    flags: &[&[
        long("format", Text, TABLE_FORMAT),
        flag('H', "human", Bool(true), "Print sizes and dates in human readable format (default true)"),
        long("no-trunc", Bool(false), "Don't truncate output"),
        long(
            "platform",
            Text,
            "Show history for the given platform. Formatted as \"os[/arch[/variant]]\" (e.g., \"linux/amd64\")",
        )
        .since_api("1.48"),
        flag('q', "quiet", Bool(false), "Only show image IDs"),
    ]],
    arity: Arity::Exactly(1),
    verb: Verb::Run(run),
    ..Command::new("history")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let format = given.string("format").unwrap_or_default();
        let (human, truncated) = (given.bool("human"), !given.bool("no-trunc"));
        let layout = match format.as_str() {
            "" | "table" if given.bool("quiet") => "{{.ID}}",
            "" | "table" if human => {
                "table {{.ID}}\t{{if .CreatedSince}}{{.CreatedSince}}{{else}}N/A{{end}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}"
            }
            "" | "table" => "table {{.ID}}\t{{.CreatedAt}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}",
            _ => &format,
        };
        let history = client.daemon.image_history(&given.operand(0))?;
        let rows: Vec<_> = history.iter().map(|item| fields(item, human, truncated, client.now())).collect();
        client.print(HISTORY.render(layout, &rows).map_err(template_error)?).await
    })
}

static HISTORY: Columns = Columns {
    go_type: "*image.historyContext",
    titles: &[
        ("ID", "IMAGE"),
        ("CreatedSince", "CREATED"),
        ("CreatedAt", "CREATED AT"),
        ("CreatedBy", "CREATED BY"),
        ("Size", "SIZE"),
        ("Comment", "COMMENT"),
    ],
};

fn fields(item: &HistoryItem, human: bool, truncated: bool, now: Timestamp) -> Value {
    let by = item.created_by.replace('\t', " ");
    let created = item.created;
    let seconds = created.map(|time| Timestamp::from_seconds(time.seconds()).rfc3339_nano());
    row([
        ("ID", if truncated { short_id(&item.id) } else { item.id.clone() }.into()),
        ("CreatedSince", created.map(|time| when::ago(time, now)).unwrap_or_default().into()),
        ("CreatedAt", seconds.unwrap_or_default().into()),
        ("CreatedBy", if truncated { ellipsis(&by, 45) } else { by }.into()),
        ("Size", if human { human_size3(item.size_bytes) } else { item.size_bytes.to_string() }.into()),
        ("Comment", item.comment.clone().into()),
    ])
}
