//! `capas daemon`: the machine's Docker daemon behind a real socket, so that the real `docker` client drives it.
//!
//! One thread has everything: the machine, the connections and a loop that lets the machine's time follow the real one.
//! A request becomes a process of the machine ([`gate`]), as whatever waits in the machine waits in a process; what it
//! does is a function over the daemon's API ([`crate::docker::http`]). HTTP itself is hyper's ([`http`]).

mod gate;
mod http;

use std::io::ErrorKind;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::net::UnixListener;
use tokio::task::LocalSet;

use crate::base::time::Timestamp;
use crate::machine::{Config, Machine, Stop};
use crate::view::settings::Speed;
use gate::Gate;

use super::clock::Clock;

/// Work between two looks at the sockets.
const FUEL: u64 = 50_000;
/// Where real clients look when nothing else is said.
const DEFAULT: &str = "unix:///var/run/docker.sock";

/// Serves until it is killed.
pub(super) fn run(config: Config, speed: Speed, args: &[&str]) -> ExitCode {
    let served = socket(args).and_then(|path| serve(config, speed, &path));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("capas: {why}");
            ExitCode::from(1)
        }
    }
}

/// The path of the socket.
fn socket(args: &[&str]) -> Result<String, String> {
    let host = match args {
        [] => DEFAULT,
        ["--host" | "-H"] => return Err("--host needs a value".to_owned()),
        ["--host" | "-H", host] => host,
        [arg] if let Some(host) = arg.strip_prefix("--host=") => host,
        [other, ..] => return Err(format!("unknown flag of daemon: {other}")),
    };
    match host.strip_prefix("unix://") {
        Some(path) if !path.is_empty() => Ok(path.to_owned()),
        _ => Err(format!("--host must be unix://PATH: {host}")),
    }
}

fn serve(config: Config, speed: Speed, path: &str) -> Result<(), String> {
    // The client tells ages by the real clock.
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let epoch = i64::try_from(since.as_nanos()).map_or(config.epoch, Timestamp);
    let machine = Machine::new(Config { epoch, ..config });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    let local = LocalSet::new();
    local.block_on(&runtime, async {
        let listener = listen(path)?;
        eprintln!("capas: API listen on {}", path);
        let gate = Rc::new(Gate::new(machine.kernel(), machine.daemon()));
        tokio::task::spawn_local(http::accept(listener, Rc::clone(&gate)));
        drive(machine, &gate, speed).await;
        Ok(())
    })
}

/// Takes the socket over from a daemon that is gone.
fn listen(path: &str) -> Result<UnixListener, String> {
    let fail = |error: std::io::Error| format!("{path}: {error}");
    match UnixListener::bind(path) {
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            if std::os::unix::net::UnixStream::connect(path).is_ok() {
                return Err(format!("{path}: somebody listens there"));
            }
            let is_socket = Path::new(path).symlink_metadata().is_ok_and(|file| file.file_type().is_socket());
            if !is_socket {
                return Err(format!("{path}: is there and is no socket"));
            }
            std::fs::remove_file(path).map_err(fail)?;
            UnixListener::bind(path).map_err(fail)
        }
        bound => bound.map_err(fail),
    }
}

/// Lets the machine work, and time pass in it, for ever.
async fn drive(mut machine: Machine, gate: &Gate, speed: Speed) {
    let clock = Clock::new(machine.now(), speed);
    let console = machine.console();
    loop {
        machine.advance_to(clock.now());
        gate.admit();
        let stop = machine.run(FUEL);
        // Nobody sits at the machine's own screen.
        drop(machine.take_output(console));
        drop(machine.take_wishes());
        match stop {
            Stop::OutOfFuel => tokio::task::yield_now().await,
            // Whether time has come or work, the machine runs again.
            Stop::Until(time) => drop(tokio::time::timeout(clock.until(time), gate.work()).await),
            Stop::Idle => gate.work().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unix_sockets_are_served() {
        assert_eq!(socket(&["--host", "unix:///tmp/x"]).as_deref(), Ok("/tmp/x"));
        assert_eq!(socket(&["--host=unix:///tmp/x"]).as_deref(), Ok("/tmp/x"));
        assert_eq!(socket(&[]).as_deref(), Ok("/var/run/docker.sock"));
        assert!(socket(&["-H", "tcp://0.0.0.0:2375"]).is_err_and(|why| why.contains("must be unix://PATH")));
        assert!(socket(&["--host"]).is_err_and(|why| why == "--host needs a value"));
        assert!(socket(&["--tls", "1"]).is_err());
    }
}
