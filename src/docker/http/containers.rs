//! `/containers`: all but creating them and their streams.

use serde_json::{Value, json};

use super::exchange::{Answer, Call, Refusal, Routed};
use crate::docker::cli::config;
use crate::docker::daemon::api::Daemon;
use crate::docker::daemon::api::container::{
    ChangeKind, ContainerSummary, ListOptions, PathStat, PutArchiveOptions, RemoveOptions, Stats, StopOptions,
    WaitCondition,
};

const TAR: &str = "application/x-tar";
/// Between two readings of `stats`.
const SECOND: std::time::Duration = std::time::Duration::from_secs(1);

fn name(call: &Call) -> &str {
    call.ask.part(1)
}

/// A row of `GET /containers/json`.
pub fn summary(daemon: &Daemon, container: &ContainerSummary) -> Value {
    let document = daemon.container_inspect(&container.id, false).unwrap_or_default();
    let inspected = |path: &str| document.pointer(path).cloned().unwrap_or_default();
    let mut out = json!({
        "Id": container.id,
        "Names": container.names,
        "Image": container.image,
        "ImageID": container.image_id,
        "Command": container.command,
        "Created": container.created.seconds(),
        "Ports": container.ports,
        "Labels": container.labels,
        "State": container.state,
        "Status": container.status,
        "HostConfig": {"NetworkMode": inspected("/HostConfig/NetworkMode")},
        "NetworkSettings": {"Networks": inspected("/NetworkSettings/Networks")},
        "Mounts": container.mounts,
    });
    if let Some(out) = out.as_object_mut() {
        let sizes = [("SizeRw", container.size_rw_bytes), ("SizeRootFs", container.size_root_fs_bytes)];
        for (name, size) in sizes {
            out.extend(size.filter(|size| *size > 0).map(|size| (name.to_owned(), size.into())));
        }
    }
    out
}

/// `GET /containers/json`.
pub async fn list(call: &Call) -> Routed {
    let query = &call.ask.query;
    let options = ListOptions {
        all: query.flag("all"),
        // The client sends -1 where there is no limit.
        limit: query.number("limit").unwrap_or(0),
        size: query.flag("size"),
        filters: query.filters()?,
    };
    let rows = call.daemon.container_list(&options)?;
    let rows: Vec<Value> = rows.iter().map(|container| summary(&call.daemon, container)).collect();
    Ok(Some(Answer::json(200, &rows.into())))
}

/// `GET /containers/{id}/json`.
pub async fn inspect(call: &Call) -> Routed {
    let document = call.daemon.container_inspect(name(call), call.ask.query.flag("size"))?;
    Ok(Some(Answer::json(200, &document)))
}

/// `GET /containers/{id}/top`.
pub async fn top(call: &Call) -> Routed {
    let args = call.ask.query.text("ps_args");
    let args: Vec<String> = args.split_whitespace().map(ToOwned::to_owned).collect();
    Ok(Some(Answer::json(200, &json!(call.daemon.container_top(name(call), &args)?))))
}

/// `GET /containers/{id}/changes`.
pub async fn changes(call: &Call) -> Routed {
    let changes = call.daemon.container_changes(name(call))?;
    let document = |change: &crate::docker::daemon::api::container::FilesystemChange| {
        let kind = match change.kind {
            ChangeKind::Modify => 0,
            ChangeKind::Add => 1,
            ChangeKind::Delete => 2,
        };
        json!({"Path": change.path.to_string(), "Kind": kind})
    };
    let changes: Vec<Value> = changes.iter().map(document).collect();
    // Go's nil list.
    let document = if changes.is_empty() { Value::Null } else { changes.into() };
    Ok(Some(Answer::json(200, &document)))
}

/// `GET /containers/{id}/export`.
pub async fn export(call: &Call) -> Routed {
    Ok(Some(Answer::bytes("application/octet-stream", call.daemon.container_export(name(call))?)))
}

/// `GET /containers/{id}/stats`: a reading a second.
pub async fn stats(call: &Call) -> Routed {
    let query = &call.ask.query;
    let is_stream = query.text("stream").is_empty() || query.flag("stream");
    let mut before = call.daemon.container_stats(name(call))?;
    let mut then = call.daemon.kernel().now();
    let out = call.stream(200, "application/json");
    loop {
        if !query.flag("one-shot") {
            call.daemon.kernel().sleep(SECOND).await;
        }
        let Ok(stats) = call.daemon.container_stats(name(call)) else { return Ok(None) };
        let now = call.daemon.kernel().now();
        let passed = u64::try_from(now.since(then).as_nanos()).unwrap_or(u64::MAX);
        let since_boot = u64::try_from(now.since(call.daemon.kernel().boot_time()).as_nanos()).unwrap_or(u64::MAX);
        let document = reading(&stats, &before, now.rfc3339_nano(), since_boot, passed);
        if !out.json(&document).await || !is_stream {
            return Ok(None);
        }
        (before, then) = (stats, now);
    }
}

/// A reading. The client makes percents of differences: those of the container by those of all processors.
fn reading(now: &Stats, before: &Stats, read: String, since_boot_nanos: u64, passed_nanos: u64) -> Value {
    const PROCESSORS: u64 = 2;
    let cpu = |stats: &Stats, nanos: u64| {
        json!({
            "cpu_usage": {"total_usage": stats.cpu_nanos, "usage_in_kernelmode": 0, "usage_in_usermode": stats.cpu_nanos},
            "system_cpu_usage": nanos.saturating_mul(PROCESSORS),
            "online_cpus": PROCESSORS,
            "throttling_data": {"periods": 0, "throttled_periods": 0, "throttled_time": 0},
        })
    };
    let [received, sent] = now.network_bytes;
    let [read_bytes, written] = now.block_bytes;
    json!({
        "name": now.name,
        "id": now.id,
        "read": read,
        "num_procs": 0,
        "pids_stats": {"current": now.pids},
        "blkio_stats": {"io_service_bytes_recursive": [
            {"major": 8, "minor": 0, "op": "read", "value": read_bytes},
            {"major": 8, "minor": 0, "op": "write", "value": written},
        ]},
        "cpu_stats": cpu(now, since_boot_nanos),
        "precpu_stats": cpu(before, since_boot_nanos.saturating_sub(passed_nanos)),
        "memory_stats": {"usage": now.memory_bytes, "limit": now.memory_limit_bytes, "stats": {}},
        "networks": {"eth0": {"rx_bytes": received, "tx_bytes": sent}},
    })
}

/// What `X-Docker-Container-Path-Stat` tells.
fn stat_header(stat: &PathStat) -> String {
    let document = json!({
        "name": stat.name.to_string(),
        "size": stat.size_bytes,
        "mode": go_mode(stat.mode),
        "mtime": stat.mtime.rfc3339_nano(),
        "linkTarget": stat.link_target.to_string(),
    });
    config::encode(document.to_string().as_bytes())
}

/// Go's `fs.FileMode`, which keeps kinds and special bits in places of its own.
fn go_mode(mode: u32) -> u32 {
    let kind = match mode & 0o170_000 {
        0o040_000 => 1 << 31,
        0o120_000 => 1 << 27,
        0o060_000 => 1 << 26,
        0o010_000 => 1 << 25,
        0o140_000 => 1 << 24,
        0o020_000 => 1 << 26 | 1 << 21,
        _ => 0,
    };
    let bit = |unix: u32, go: u32| if mode & unix == 0 { 0 } else { go };
    kind | mode & 0o777 | bit(0o4000, 1 << 23) | bit(0o2000, 1 << 22) | bit(0o1000, 1 << 20)
}

const PATH_STAT: &str = "x-docker-container-path-stat";

/// `HEAD /containers/{id}/archive`.
pub async fn archive_stat(call: &Call) -> Routed {
    let stat = call.daemon.archive_stat(name(call), call.ask.query.text("path").as_bytes())?;
    Ok(Some(Answer::empty(200).header(PATH_STAT, stat_header(&stat))))
}

/// `GET /containers/{id}/archive`.
pub async fn archive_get(call: &Call) -> Routed {
    let (tar, stat) = call.daemon.archive_get(name(call), call.ask.query.text("path").as_bytes())?;
    Ok(Some(Answer::bytes(TAR, tar).header(PATH_STAT, stat_header(&stat))))
}

/// `PUT /containers/{id}/archive`.
pub async fn archive_put(call: &Call) -> Routed {
    let query = &call.ask.query;
    let options = PutArchiveOptions {
        no_overwrite_dir_non_dir: query.flag("noOverwriteDirNonDir"),
        copy_uid_gid: query.flag("copyUIDGID"),
    };
    let tar = call.ask.body.clone();
    call.daemon.archive_put(name(call), query.text("path").as_bytes(), &tar, options)?;
    Ok(Some(Answer::empty(200)))
}

/// `POST /containers/{id}/start`.
pub async fn start(call: &Call) -> Routed {
    let is_running = call.daemon.container_brief(name(call))?.state == "running";
    call.daemon.container_start(name(call)).await?;
    Ok(Some(Answer::empty(if is_running { 304 } else { 204 })))
}

fn stop_options(call: &Call) -> StopOptions {
    StopOptions { signal: call.ask.query.given("signal"), timeout_seconds: call.ask.query.number("t") }
}

/// `POST /containers/{id}/stop`.
pub async fn stop(call: &Call) -> Routed {
    let is_running = call.daemon.container_brief(name(call))?.running;
    call.daemon.container_stop(name(call), stop_options(call)).await?;
    Ok(Some(Answer::empty(if is_running { 204 } else { 304 })))
}

/// `POST /containers/{id}/restart`.
pub async fn restart(call: &Call) -> Routed {
    call.daemon.container_restart(name(call), stop_options(call)).await?;
    Ok(Some(Answer::empty(204)))
}

/// `POST /containers/{id}/kill`.
pub async fn kill(call: &Call) -> Routed {
    call.daemon.container_kill(name(call), &call.ask.query.text("signal")).await?;
    Ok(Some(Answer::empty(204)))
}

/// `POST /containers/{id}/pause`.
pub async fn pause(call: &Call) -> Routed {
    call.daemon.container_pause(name(call))?;
    Ok(Some(Answer::empty(204)))
}

/// `POST /containers/{id}/unpause`.
pub async fn unpause(call: &Call) -> Routed {
    call.daemon.container_unpause(name(call))?;
    Ok(Some(Answer::empty(204)))
}

/// `POST /containers/{id}/rename`.
pub async fn rename(call: &Call) -> Routed {
    call.daemon.container_rename(name(call), &call.ask.query.text("name"))?;
    Ok(Some(Answer::empty(204)))
}

/// `POST /containers/{id}/wait`: the head of the answer says that the wait has begun.
pub async fn wait(call: &Call) -> Routed {
    let condition = match call.ask.query.text("condition").as_str() {
        "" | "not-running" => WaitCondition::NotRunning,
        "next-exit" => WaitCondition::NextExit,
        "removed" => WaitCondition::Removed,
        other => return Err(Refusal::new(400, format!("invalid condition: {other:?}"))),
    };
    let wait = call.daemon.container_wait(name(call), condition)?;
    let out = call.stream(200, "application/json");
    let ended = wait.ended().await;
    out.json(&json!(ended)).await;
    Ok(None)
}

/// `POST /containers/{id}/resize`.
pub async fn resize(call: &Call) -> Routed {
    let (height, width) = size(call);
    call.daemon.container_resize(name(call), height, width)?;
    Ok(Some(Answer::empty(200)))
}

/// A terminal's height and width.
pub fn size(call: &Call) -> (u16, u16) {
    (call.ask.query.number("h").unwrap_or(24), call.ask.query.number("w").unwrap_or(80))
}

/// `DELETE /containers/{id}`.
pub async fn remove(call: &Call) -> Routed {
    let query = &call.ask.query;
    if query.flag("link") {
        return Err(Refusal::not_simulated("rm --link"));
    }
    let options = RemoveOptions { force: query.flag("force"), volumes: query.flag("v") };
    call.daemon.container_remove(name(call), options).await?;
    Ok(Some(Answer::empty(204)))
}

/// `POST /containers/prune`.
pub async fn prune(call: &Call) -> Routed {
    let report = call.daemon.container_prune(&call.ask.query.filters()?)?;
    let deleted = if report.deleted.is_empty() { Value::Null } else { json!(report.deleted) };
    let document = json!({"ContainersDeleted": deleted, "SpaceReclaimed": report.space_reclaimed_bytes});
    Ok(Some(Answer::json(200, &document)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_those_of_go() {
        assert_eq!(go_mode(0o040_755), 1 << 31 | 0o755);
        assert_eq!(go_mode(0o100_644), 0o644);
        assert_eq!(go_mode(0o120_777), 1 << 27 | 0o777);
        assert_eq!(go_mode(0o104_755), 1 << 23 | 0o755);
        assert_eq!(go_mode(0o041_777), 1 << 31 | 1 << 20 | 0o777);
    }
}
