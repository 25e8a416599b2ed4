//! `docker network ls`.

use crate::base::sort::Arrange;
use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::columns::{Columns, filters, labels, row, short_id, template_error};
use crate::docker::cli::command::*;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::value::Kind::*;
use crate::docker::cli::when;
use crate::docker::daemon::api::network::NetworkSummary;
use serde_json::Value;

/// `docker network ls`.
pub static COMMAND: Command = Command {
    aliases: &["list"],
    usage: "[OPTIONS]",
    short: "List networks",
    alias_line: "docker network ls, docker network list",
    flags: &[&[
        flag('f', "filter", Filter, "Provide filter values (e.g. \"driver=bridge\")"),
        long("format", Text, TABLE_FORMAT),
        long("no-trunc", Bool(false), "Do not truncate the output"),
        flag('q', "quiet", Bool(false), "Only display network IDs"),
    ]],
    verb: Verb::Run(run),
    ..Command::new("ls")
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let format = given.string("format").unwrap_or_default();
        let layout = match format.as_str() {
            "" | "table" | "raw" if given.bool("quiet") => "{{.ID}}",
            "" | "table" => "table {{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}",
            "raw" => "network_id: {{.ID}}\nname: {{.Name}}\ndriver: {{.Driver}}\nscope: {{.Scope}}\n",
            _ => &format,
        };
        let truncated = !given.bool("no-trunc");
        let mut networks = client.daemon.network_list(&filters(given))?;
        networks.arrange_by(|a, b| a.name.cmp(&b.name));
        let rows: Vec<_> = networks.iter().map(|network| fields(network, truncated)).collect();
        client.print(NETWORKS.render(layout, &rows).map_err(template_error)?).await
    })
}

static NETWORKS: Columns = Columns {
    go_type: "*network.networkContext",
    titles: &[
        ("ID", "NETWORK ID"),
        ("Name", "NAME"),
        ("Driver", "DRIVER"),
        ("Scope", "SCOPE"),
        ("IPv4", "IPV4"),
        ("IPv6", "IPV6"),
        ("Internal", "INTERNAL"),
        ("Labels", "LABELS"),
        ("CreatedAt", "CREATED AT"),
    ],
};

fn fields(network: &NetworkSummary, truncated: bool) -> Value {
    row([
        ("ID", if truncated { short_id(&network.id) } else { network.id.clone() }.into()),
        ("Name", network.name.clone().into()),
        ("Driver", network.driver.clone().into()),
        ("Scope", network.scope.clone().into()),
        // A 27.5 daemon does not tell this one.
        ("IPv4", "false".into()),
        ("IPv6", "false".into()),
        ("Internal", network.internal.to_string().into()),
        ("Label", network.labels.iter().map(|(k, v)| (k.clone(), Value::from(v.clone()))).collect()),
        ("Labels", labels(&network.labels).into()),
        ("CreatedAt", when::go(network.created).into()),
    ])
}
