//! Logs, attached containers and execs: output in frames, input as it comes.

use serde_json::{Value, json};

use super::containers::size;
use super::exchange::{Answer, Call, Outlet, Routed};
use super::system::time;
use super::volumes::text;
use crate::base::rope::Rope;
use crate::docker::cli::client::beside;
use crate::docker::daemon::api::DaemonError;
use crate::docker::daemon::api::container::{AttachOptions, Attached, ExecConfig, LogsOptions};
use crate::docker::daemon::api::stream::{Frame, Source};

/// A terminal's bytes, as they are.
const RAW: &str = "application/vnd.docker.raw-stream";
/// Frames with a head that tells which output they are of.
const MULTIPLEXED: &str = "application/vnd.docker.multiplexed-stream";

const fn kind(tty: bool) -> &'static str {
    if tty { RAW } else { MULTIPLEXED }
}

/// Sends a piece of output (moby `pkg/stdcopy`).
async fn send(out: &Outlet<'_>, tty: bool, source: Source, bytes: &Rope) -> bool {
    if !tty {
        let number = if source == Source::Stderr { 2 } else { 1 };
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes();
        let head = [[number, 0, 0, 0], length].concat();
        if !out.write(head).await {
            return false;
        }
    }
    out.rope(bytes).await
}

/// `GET /containers/{id}/logs`.
pub async fn logs(call: &Call) -> Routed {
    let (query, name) = (&call.ask.query, call.ask.part(1));
    let options = LogsOptions {
        follow: query.flag("follow"),
        stdout: query.flag("stdout"),
        stderr: query.flag("stderr"),
        since: query.given("since").and_then(|text| time(&text)),
        until: query.given("until").and_then(|text| time(&text)),
        timestamps: query.flag("timestamps"),
        tail: query.number("tail"),
        details: query.flag("details"),
    };
    let tty = call.daemon.container_brief(name)?.tty;
    let frames = call.daemon.container_logs(name, &options)?;
    let out = call.stream(200, kind(tty));
    while let Some(Frame { source, bytes }) = frames.next().await {
        if !send(&out, tty, source, &bytes).await {
            break;
        }
    }
    Ok(None)
}

/// Carries a session's bytes both ways until its output ends.
async fn session(call: &Call, attached: Attached) -> Routed {
    let Attached { tty, stdin, output } = attached;
    let out = open(call, tty);
    let show = async {
        while let Some(Frame { source, bytes }) = output.next().await {
            if !send(&out, tty, source, &bytes).await {
                break;
            }
        }
    };
    let feed = async {
        if let Some(stdin) = stdin {
            while let Some(bytes) = call.input().await {
                if call.proc.write_handle(&stdin, &bytes.as_slice().into()).await.is_err() {
                    break;
                }
            }
            // Here the end of the input is passed on.
            drop(stdin);
        }
    };
    beside(show, feed).await;
    Ok(None)
}

/// Begins a raw stream, or a body where the client did not ask for one.
fn open(call: &Call, tty: bool) -> Outlet<'_> {
    call.stream(if call.ask.upgrade { 101 } else { 200 }, kind(tty))
}

/// `POST /containers/{id}/attach`.
pub async fn attach(call: &Call) -> Routed {
    let query = &call.ask.query;
    let has_stream = query.flag("stream");
    let options = AttachOptions {
        stdin: has_stream && query.flag("stdin"),
        stdout: query.flag("stdout"),
        stderr: query.flag("stderr"),
        logs: query.flag("logs"),
    };
    let attached = call.daemon.container_attach(call.ask.part(1), options)?;
    session(call, attached).await
}

/// `POST /containers/{id}/exec`.
pub async fn exec_create(call: &Call) -> Routed {
    let body = call.ask.json()?;
    let flag = |name: &str| body.get(name).and_then(Value::as_bool).unwrap_or(false);
    let texts = |name: &str| {
        let list = body.get(name).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(Value::as_str).map(ToOwned::to_owned).collect()
    };
    let config = ExecConfig {
        cmd: texts("Cmd"),
        tty: flag("Tty"),
        attach_stdin: flag("AttachStdin"),
        attach_stdout: flag("AttachStdout"),
        attach_stderr: flag("AttachStderr"),
        env: texts("Env"),
        working_dir: text(&body, "WorkingDir"),
        user: text(&body, "User"),
        privileged: flag("Privileged"),
        console_size: console_size(&body),
    };
    let id = call.daemon.exec_create(call.ask.part(1), config)?;
    Ok(Some(Answer::json(201, &json!({"Id": id}))))
}

/// `ConsoleSize`: a terminal's height and width.
pub fn console_size(body: &Value) -> [u16; 2] {
    let side = |index: usize| {
        let side = body.get("ConsoleSize").and_then(|size| size.get(index)).and_then(Value::as_u64);
        side.and_then(|side| u16::try_from(side).ok()).unwrap_or(0)
    };
    [side(0), side(1)]
}

/// `POST /exec/{id}/start`.
pub async fn exec_start(call: &Call) -> Routed {
    let body = call.ask.json()?;
    let flag = |name: &str| body.get(name).and_then(Value::as_bool).unwrap_or(false);
    let (detach, tty) = (flag("Detach"), flag("Tty"));
    match call.daemon.exec_start(call.ask.part(1), detach) {
        Ok(Some(attached)) => session(call, attached).await,
        Ok(None) => Ok(Some(Answer::empty(200))),
        // The answer has begun by then, so that the reason comes as output.
        Err(error @ DaemonError::Exec(_)) if !detach => {
            let out = open(call, tty);
            send(&out, tty, Source::Stdout, &format!("{error}\r\n").as_str().into()).await;
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /exec/{id}/resize`.
pub async fn exec_resize(call: &Call) -> Routed {
    let (height, width) = size(call);
    call.daemon.exec_resize(call.ask.part(1), height, width)?;
    Ok(Some(Answer::empty(201)))
}

/// `GET /exec/{id}/json`.
pub async fn exec_inspect(call: &Call) -> Routed {
    let exec = call.daemon.exec_inspect(call.ask.part(1))?;
    let document = json!({
        "ID": exec.id,
        "Running": exec.running,
        "ExitCode": exec.exit_code,
        "ContainerID": exec.container_id,
        "Pid": exec.pid,
    });
    Ok(Some(Answer::json(200, &document)))
}
