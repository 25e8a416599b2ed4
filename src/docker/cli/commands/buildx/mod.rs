//! `docker buildx`: its verbs. There is one builder, the daemon's own; its words are those of docker/buildx.

pub mod build;

use crate::base::size::human_size;
use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::columns::prune_filters;
use crate::docker::cli::command::*;
use crate::docker::cli::error::CliError;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::value::Kind::*;
use crate::docker::cli::{BUILDX_COMMIT, BUILDX_VERSION, when};
use crate::docker::daemon::api::system::BuildCacheRecord;

/// `docker buildx`.
pub static BUILDX: Noun = Noun {
    place: Place::Plugin,
    long: "Extended build capabilities with BuildKit",
    ..Noun::new(
        "buildx",
        "Docker Buildx",
        &[
            &absent("bake", "Build from a file"),
            &build::COMMAND,
            &absent("create", "Create a new builder instance"),
            &DU,
            &absent("history", "Commands to work on build records"),
            &absent("imagetools", "Commands to work on images in registry"),
            &INSPECT,
            &LS,
            &PRUNE,
            &absent("rm", "Remove one or more builder instances"),
            &absent("stop", "Stop builder instance"),
            &USE,
            &VERSION,
        ],
    )
};

/// The version of BuildKit in the daemon.
const BUILDKIT: &str = "v0.17.3";

const fn absent(name: &'static str, short: &'static str) -> Command {
    Command { short, arity: Arity::Any, ..Command::new(name) }
}

static DU: Command = Command {
    short: "Disk usage",
    flags: &[&[
        long("filter", Filter, "Provide filter values").not_simulated(),
        long("verbose", Bool(false), "Shows detailed information about cache usage"),
    ]],
    verb: Verb::Run(du),
    ..Command::new("du")
};

static INSPECT: Command = Command {
    usage: "[NAME]",
    short: "Inspect current builder instance",
    flags: &[&[long("bootstrap", Bool(false), "Ensure builder has booted before inspecting")]],
    arity: Arity::AtMost(1),
    verb: Verb::Run(inspect),
    ..Command::new("inspect")
};

static LS: Command = Command { short: "List builder instances", verb: Verb::Run(ls), ..Command::new("ls") };

static PRUNE: Command = Command {
    short: "Remove build cache",
    flags: &[&[
        flag('a', "all", Bool(false), "Include internal/frontend images"),
        long("filter", Filter, "Provide filter values (e.g., \"until=24h\")"),
        flag('f', "force", Bool(false), "Do not prompt for confirmation"),
        long("verbose", Bool(false), "Provide a more verbose output").not_simulated(),
    ]],
    verb: Verb::Run(prune),
    ..Command::new("prune")
};

static USE: Command = Command {
    usage: "[OPTIONS] NAME",
    short: "Set the current builder instance",
    flags: &[&[
        long("default", Bool(false), "Set builder as default for current context"),
        long("global", Bool(false), "Builder persists context changes"),
    ]],
    arity: Arity::Exactly(1),
    verb: Verb::Run(run_use),
    ..Command::new("use")
};

static VERSION: Command =
    Command { short: "Show buildx version information", verb: Verb::Run(version), ..Command::new("version") };

/// docker/buildx `commands/du.go`, with the columns of its tabwriter.
fn table(records: &[BuildCacheRecord], client: &Client) -> String {
    let mut out = "ID\t\t\t\t\t\tRECLAIMABLE\tSIZE\t\tLAST ACCESSED\n".to_owned();
    for record in records {
        let size = human_size(record.size_bytes) + if record.shared { "*" } else { "" };
        let ago = when::ago(record.last_used, client.now());
        out.push_str(&format!("{:<40}\t{:<5}\t\t{size:<10}\t{ago}\n", record.id, !record.in_use));
    }
    out
}

fn sum(records: &[BuildCacheRecord], test: impl Fn(&BuildCacheRecord) -> bool) -> u64 {
    records.iter().filter(|record| test(record)).map(|record| record.size_bytes).sum()
}

/// docker/buildx `commands/du.go` `printVerbose`: a paragraph a record, its values one below the other.
fn paragraphs(records: &[BuildCacheRecord], client: &Client) -> String {
    let mut out = String::new();
    for record in records {
        // Go's `time.Time`, as it prints itself.
        let time = |at: crate::base::time::Timestamp| at.rfc3339_nano().replace('T', " ").replace('Z', " +0000 UTC");
        let lines = [
            ("ID", record.id.clone()),
            ("Created at", time(record.created)),
            ("Mutable", (record.kind == "exec.cachemount").to_string()),
            ("Reclaimable", (!record.in_use).to_string()),
            ("Shared", record.shared.to_string()),
            ("Size", human_size(record.size_bytes)),
            ("Description", record.description.clone()),
            ("Usage count", record.usage_count.to_string()),
            ("Last used", when::ago(record.last_used, client.now())),
            ("Type", record.kind.clone()),
        ];
        for (name, value) in lines.iter().filter(|(name, value)| *name != "Description" || !value.is_empty()) {
            // The column is as wide as the longest name, in tabs.
            let tabs = if name.len() + 1 < 8 { "\t\t" } else { "\t" };
            out.push_str(&format!("{name}:{tabs}{value}\n"));
        }
        out.push('\n');
    }
    out
}

fn du<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let records = client.daemon.disk_usage()?.build_cache;
        let (shared, total) = (sum(&records, |record| record.shared), sum(&records, |_| true));
        let verbose = given.bool("verbose");
        let mut out = if verbose { paragraphs(&records, client) } else { table(&records, client) };
        if shared > 0 {
            out.push_str(&format!("Shared:\t\t{}\nPrivate:\t{}\n", human_size(shared), human_size(total - shared)));
        }
        let free = sum(&records, |record| !record.in_use);
        out.push_str(&format!("Reclaimable:\t{}\nTotal:\t\t{}\n", human_size(free), human_size(total)));
        client.print(out).await
    })
}

/// docker/buildx `store`: a builder that is none.
fn check(name: &str) -> Result<(), CliError> {
    match name {
        "" | "default" => Ok(()),
        _ => {
            Err(CliError::new(format!("ERROR: no builder {} found", crate::os::args::pflag::go_quote(name.as_bytes()))))
        }
    }
}

fn inspect<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        check(&given.operand(0))?;
        let nodes = format!(
            "Name:   default\nDriver: docker\n\nNodes:\nName:             default\nEndpoint:         default\nStatus:           \
             running\nBuildKit version: {BUILDKIT}\nPlatforms:        linux/amd64\n"
        );
        client.print(nodes).await
    })
}

fn ls<'a>(client: &'a Client, _given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let rows: Vec<Vec<String>> = [
            ["NAME/NODE", "DRIVER/ENDPOINT", "STATUS", "BUILDKIT", "PLATFORMS"],
            ["default*", "docker", "", "", ""],
            [" \\_ default", " \\_ default", "running", BUILDKIT, "linux/amd64"],
        ]
        .map(|row| row.map(str::to_owned).to_vec())
        .into();
        client.print(crate::base::table::tabulate(&rows)).await
    })
}

fn prune<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let all = given.bool("all");
        let what = if all { "build cache" } else { "dangling build cache" };
        let question = format!("WARNING! This will remove all {what}. Are you sure you want to continue?");
        let filters = prune_filters(client, given)?;
        if let Some(name) = filters.keys().find(|name| *name != "until") {
            return Err(CliError::Says(125, format!("docker: --filter {name} is not simulated in Capas")));
        }
        if !given.bool("force") && !client.confirm(&question).await? {
            return Ok(());
        }
        let before = client.daemon.disk_usage()?.build_cache;
        let report = client.daemon.builder_prune(all, &filters)?;
        let gone: Vec<BuildCacheRecord> = before.into_iter().filter(|r| report.deleted.contains(&r.id)).collect();
        let total = format!("Total:\t{}\n", human_size(sum(&gone, |_| true)));
        client.print(if gone.is_empty() { total } else { table(&gone, client) + &total }).await
    })
}

fn run_use<'a>(_client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move { check(&given.operand(0)) })
}

fn version<'a>(client: &'a Client, _given: &'a Invocation) -> Running<'a> {
    Box::pin(client.say(format!("github.com/docker/buildx {BUILDX_VERSION} {BUILDX_COMMIT}")))
}
