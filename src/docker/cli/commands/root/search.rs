//! `docker search`.

use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::columns::{Columns, ellipsis, filters, row, template_error};
use crate::docker::cli::command::*;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::value::Kind::*;

/// `docker search`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS] TERM",
    short: "Search Docker Hub for images",
    flags: &[&[
        flag('f', "filter", Filter, "Filter output based on conditions provided"),
        long("format", Text, "Pretty-print search using a Go template"),
        long("limit", Int, "Max number of search results"),
        long("no-trunc", Bool(false), "Don't truncate output"),
    ]],
    arity: Arity::Exactly(1),
    verb: Verb::Run(run),
    ..Command::new("search")
};

static RESULTS: Columns = Columns {
    go_type: "*registry.searchContext",
    titles: &[("Name", "NAME"), ("Description", "DESCRIPTION"), ("StarCount", "STARS"), ("IsOfficial", "OFFICIAL")],
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let format = given.string("format").unwrap_or_default();
        let is_table = matches!(format.as_str(), "" | "table");
        let limit = given.int("limit").unwrap_or(0);
        let found = client.daemon.image_search(&given.operand(0), limit, &filters(given)).await?;
        let rows: Vec<_> = found
            .into_iter()
            .map(|one| {
                let description = one.description.replace(['\n', '\r'], " ");
                let description = if given.bool("no-trunc") { description } else { ellipsis(&description, 45) };
                let official = match (!format.contains("json"), one.is_official) {
                    (true, true) => "[OK]",
                    (true, false) => "",
                    (false, true) => "true",
                    (false, false) => "false",
                };
                row([
                    ("Name", one.name.into()),
                    ("Description", description.into()),
                    ("StarCount", one.star_count.to_string().into()),
                    ("IsOfficial", official.into()),
                ])
            })
            .collect();
        let layout = "table {{.Name}}\t{{.Description}}\t{{.StarCount}}\t{{.IsOfficial}}";
        client.print(RESULTS.render(if is_table { layout } else { &format }, &rows).map_err(template_error)?).await
    })
}
