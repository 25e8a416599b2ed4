//! `docker image ls`.

use super::rows;
use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::columns::{filters, template_error};
use crate::docker::cli::command::*;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::value::Kind::*;
use crate::docker::daemon::api::image::ImageListOptions;

/// `docker image ls`.
pub static COMMAND: Command = Command {
    aliases: &["list"],
    usage: "[OPTIONS] [REPOSITORY[:TAG]]",
    short: "List images",
    alias_line: "docker image ls, docker image list, docker images",
    flags: &[&[
        flag('a', "all", Bool(false), "Show all images (default hides intermediate images)"),
        long("digests", Bool(false), "Show digests"),
        flag('f', "filter", Filter, "Filter output based on conditions provided"),
        long("format", Text, TABLE_FORMAT),
        long("no-trunc", Bool(false), "Don't truncate output"),
        flag('q', "quiet", Bool(false), "Only show image IDs"),
        long("tree", Bool(false), "List multi-platform images as a tree (EXPERIMENTAL)").not_simulated(),
    ]],
    arity: Arity::AtMost(1),
    verb: Verb::Run(run),
    ..Command::new("ls")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let format = given.string("format").unwrap_or_default();
        let (quiet, digests) = (given.bool("quiet"), given.bool("digests"));
        let layout = layout(&format, quiet, digests);
        let mut filters = filters(given);
        if let Some(name) = given.operands.first() {
            filters.entry("reference".to_owned()).or_default().push(name.to_string());
        }
        let options = ImageListOptions { all: given.bool("all"), filters };
        let with_digests = digests || layout.contains("{{.Digest}}");
        let truncated = !given.bool("no-trunc");
        let images = client.daemon.image_list(&options)?;
        let now = client.now();
        let rows: Vec<_> = images.iter().flat_map(|i| rows::images(i, with_digests, truncated, now)).collect();
        client.print(rows::IMAGES.render(&layout, &rows).map_err(template_error)?).await
    })
}

/// docker/cli `NewImageFormat`.
fn layout(format: &str, quiet: bool, digests: bool) -> String {
    let digest = if digests { "{{.Digest}}\t" } else { "" };
    match format {
        "" | "table" | "raw" if quiet && format != "raw" => "{{.ID}}".to_owned(),
        "raw" if quiet => "image_id: {{.ID}}".to_owned(),
        "" | "table" => {
            let created = "{{if .CreatedSince }}{{.CreatedSince}}{{else}}N/A{{end}}";
            format!("table {{{{.Repository}}}}\t{{{{.Tag}}}}\t{digest}{{{{.ID}}}}\t{created}\t{{{{.Size}}}}")
        }
        "raw" => {
            let digest = if digests { "digest: {{.Digest}}\n" } else { "" };
            let first = "repository: {{ .Repository }}\ntag: {{.Tag}}\n";
            format!(
                "{first}{digest}image_id: {{{{.ID}}}}\ncreated_at: {{{{.CreatedAt}}}}\nvirtual_size: {{{{.Size}}}}\n"
            )
        }
        _ if format.starts_with("table") && digests && !format.contains("{{.Digest}}") => {
            format!("{format}\t{{{{.Digest}}}}")
        }
        _ => format.to_owned(),
    }
}
