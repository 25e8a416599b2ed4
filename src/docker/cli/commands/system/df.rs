//! `docker system df` (docker/cli `cli/command/formatter/disk_usage.go`).

use serde_json::{Value, json};

use crate::base::size::{human_size, human_size3};
use crate::base::time::Timestamp;
use crate::docker::cli::client::{Client, Running};
use crate::docker::cli::columns::{Columns, row, short_id, template_error};
use crate::docker::cli::command::*;
use crate::docker::cli::commands::root::version::show;
use crate::docker::cli::commands::{container, image, volume};
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::value::Kind::*;
use crate::docker::cli::when;
use crate::docker::daemon::api::system::{BuildCacheRecord, DiskUsage};

/// `docker system df`.
pub static COMMAND: Command = Command {
    usage: "[OPTIONS]",
    short: "Show docker disk usage",
    flags: &[&[
        long("format", Text, TABLE_FORMAT),
        flag('v', "verbose", Bool(false), "Show detailed information on space usage"),
    ]],
    verb: Verb::Run(run),
    ..Command::new("df")
};

static USAGE: Columns = Columns {
    go_type: "*formatter.diskUsageImagesContext",
    titles: &[
        ("Type", "TYPE"),
        ("TotalCount", "TOTAL"),
        ("Active", "ACTIVE"),
        ("Size", "SIZE"),
        ("Reclaimable", "RECLAIMABLE"),
    ],
};

static CACHE: Columns = Columns {
    go_type: "*formatter.buildCacheContext",
    titles: &[
        ("ID", "CACHE ID"),
        ("Parent", "PARENT"),
        ("CacheType", "CACHE TYPE"),
        ("Description", "DESCRIPTION"),
        ("InUse", "IN USE"),
        ("Shared", "SHARED"),
        ("Size", "SIZE"),
        ("CreatedAt", "CREATED AT"),
        ("CreatedSince", "CREATED"),
        ("LastUsedAt", "LAST USED AT"),
        ("LastUsedSince", "LAST USED"),
        ("UsageCount", "USAGE"),
    ],
};

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let format = given.string("format").unwrap_or_default();
        let usage = client.daemon.disk_usage()?;
        let is_default = matches!(format.as_str(), "" | "table");
        if !given.bool("verbose") {
            let default = "table {{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}";
            let text =
                USAGE.render(if is_default { default } else { &format }, &summary(&usage)).map_err(template_error)?;
            return client.print(text).await;
        }
        let now = client.now();
        let images: Vec<Value> = usage.images.iter().map(|i| image::rows::first(i, now)).collect();
        let mut containers = usage.containers.clone();
        // Only what the containers themselves take is shown.
        containers.iter_mut().for_each(|c| c.size_root_fs_bytes = None);
        let containers: Vec<Value> = containers.iter().map(|c| container::rows::container(c, true, now)).collect();
        let volumes: Vec<Value> = usage.volumes.iter().map(|v| volume::rows::volume(v, true)).collect();
        let cache: Vec<Value> = usage.build_cache.iter().map(|record| cached(record, now)).collect();
        if !is_default {
            let value = json!({"Images": images, "Containers": containers, "Volumes": volumes, "BuildCache": cache});
            return show(client, &format, &value, "*formatter.diskUsageContext").await;
        }
        let table =
            |columns: &Columns, format: &str, rows: &[Value]| columns.render(format, rows).map_err(template_error);
        let columns = "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}";
        let mut out = "Images space usage:\n\n".to_owned() + &table(&image::rows::IMAGES, columns, &images)?;
        let columns = "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.RunningFor}}\t{{.Status}}\t{{.Names}}";
        out +=
            &("\nContainers space usage:\n\n".to_owned() + &table(&container::rows::CONTAINERS, columns, &containers)?);
        let columns = "table {{.Name}}\t{{.Links}}\t{{.Size}}";
        out += &("\nLocal Volumes space usage:\n\n".to_owned() + &table(&volume::rows::VOLUMES, columns, &volumes)?);
        let columns = "table {{.ID}}\t{{.CacheType}}\t{{.Size}}\t{{.CreatedSince}}\t{{.LastUsedSince}}\t{{.UsageCount}}\t{{.Shared}}";
        let head = format!("\nBuild cache usage: {}\n\n", human_size(cache_bytes(&usage)));
        out += &(head + &table(&CACHE, columns, &cache)?);
        client.print(out).await
    })
}

fn cache_bytes(usage: &DiskUsage) -> u64 {
    usage.build_cache.iter().filter(|record| !record.shared).map(|record| record.size_bytes).sum()
}

fn summary(usage: &DiskUsage) -> Vec<Value> {
    let line = |kind: &str, total: usize, active: usize, size: u64, free: u64| {
        // The build cache has no share.
        let share = match (free * 100).checked_div(size) {
            Some(percent) if kind != "Build Cache" => format!(" ({percent}%)"),
            _ => String::new(),
        };
        row([
            ("Type", kind.into()),
            ("TotalCount", total.to_string().into()),
            ("Active", active.to_string().into()),
            ("Size", human_size(size).into()),
            ("Reclaimable", (human_size(free) + &share).into()),
        ])
    };
    let own = |image: &&_| {
        let image: &crate::docker::daemon::api::image::ImageSummary = image;
        image.size_bytes.saturating_sub(u64::try_from(image.shared_size_bytes).unwrap_or(0))
    };
    let used = || usage.images.iter().filter(|image| image.containers > 0);
    let images = usage.layers_size_bytes;
    let free = images.saturating_sub(used().map(|image| own(&image)).sum());
    let bytes = |active: bool| -> (usize, u64) {
        let these =
            usage.containers.iter().filter(|c| matches!(c.state, "running" | "paused" | "restarting") == active);
        these.fold((0, 0), |(count, sum), c| (count + 1, sum + c.size_rw_bytes.unwrap_or(0)))
    };
    let ((running, running_bytes), (_, ended_bytes)) = (bytes(true), bytes(false));
    let volumes: u64 = usage.volumes.iter().map(|volume| volume.size_bytes).sum();
    let unused = usage.volumes.iter().filter(|volume| volume.ref_count == 0);
    let in_use = usage.build_cache.iter().filter(|record| record.in_use);
    let in_use_bytes: u64 = in_use.clone().filter(|record| !record.shared).map(|record| record.size_bytes).sum();
    let cache = cache_bytes(usage);
    vec![
        line("Images", usage.images.len(), used().count(), images, free),
        line("Containers", usage.containers.len(), running, running_bytes + ended_bytes, ended_bytes),
        line(
            "Local Volumes",
            usage.volumes.len(),
            usage.volumes.len() - unused.clone().count(),
            volumes,
            unused.map(|volume| volume.size_bytes).sum(),
        ),
        line("Build Cache", usage.build_cache.len(), in_use.count(), cache, cache - in_use_bytes),
    ]
}

fn cached(record: &BuildCacheRecord, now: Timestamp) -> Value {
    let id = short_id(&record.id) + if record.in_use { "*" } else { "" };
    row([
        ("ID", id.into()),
        ("Parent", "".into()),
        ("CacheType", record.kind.clone().into()),
        ("Description", record.description.clone().into()),
        ("InUse", record.in_use.to_string().into()),
        ("Shared", record.shared.to_string().into()),
        ("Size", human_size3(record.size_bytes).into()),
        ("CreatedAt", when::go(record.created).into()),
        ("CreatedSince", when::ago(record.created, now).into()),
        ("LastUsedAt", when::go(record.last_used).into()),
        ("LastUsedSince", when::ago(record.last_used, now).into()),
        ("UsageCount", record.usage_count.to_string().into()),
    ])
}
