//! `capas daemon`: the machine's Docker daemon behind a real socket, so that the real `docker` client drives it.
//!
//! One thread has everything: the machine, the connections and a loop that lets the machine's time follow the real one.
//! A request becomes a process of the machine ([`exchange`]), as whatever waits in the machine waits in a process; what it
//! does is a function over the daemon's API ([`routes`]). HTTP itself is hyper's ([`http`]).

mod build;
mod containers;
mod create;
mod exchange;
mod http;
mod images;
mod networks;
mod progress;
mod routes;
mod streams;
mod system;
mod volumes;

use std::io::ErrorKind;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::net::UnixListener;
use tokio::task::LocalSet;

use crate::base::time::Timestamp;
use crate::machine::{Config, Machine, Stop};
use crate::view::settings::{Choice, Speed};
use exchange::Gate;

/// Work between two looks at the sockets.
const FUEL: u64 = 50_000;
/// Where real clients look when nothing else is said.
const DEFAULT: &str = "unix:///var/run/docker.sock";

/// What is asked for.
struct Options {
    socket: String,
    speed: Speed,
}

/// Serves until it is killed.
pub(super) fn run(config: Config, args: &[&str]) -> ExitCode {
    let served = options(args).and_then(|options| serve(config, &options));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("capas: {why}");
            ExitCode::from(1)
        }
    }
}

fn options(args: &[&str]) -> Result<Options, String> {
    let (mut host, mut speed) = (DEFAULT.to_owned(), Speed::default());
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let (flag, value) = match arg.split_once('=') {
            Some((flag, value)) => (flag, Some(value)),
            None => (*arg, args.next().copied()),
        };
        let value = value.ok_or_else(|| format!("{flag} needs a value"))?;
        match flag {
            "--host" | "-H" => value.clone_into(&mut host),
            "--speed" => {
                speed = Speed::from_name(value).ok_or_else(|| format!("--speed is real, 4x or instant: {value}"))?
            }
            other => return Err(format!("unknown flag of daemon: {other}")),
        }
    }
    match host.strip_prefix("unix://") {
        Some(path) if !path.is_empty() => Ok(Options { socket: path.to_owned(), speed }),
        _ => Err(format!("--host must be unix://PATH: {host}")),
    }
}

/// The machine's time as the real one goes on.
struct Clock {
    epoch: Timestamp,
    start: Instant,
    rate: u32,
}

impl Clock {
    fn now(&self) -> Timestamp {
        self.epoch + self.start.elapsed() * self.rate
    }

    /// How long it takes until the machine's clock shows `time`.
    fn until(&self, time: Timestamp) -> Duration {
        time.since(self.now()) / self.rate
    }
}

fn serve(config: Config, options: &Options) -> Result<(), String> {
    // The client tells ages by the real clock.
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let epoch = i64::try_from(since.as_nanos()).map_or(config.epoch, Timestamp);
    let machine = Machine::new(Config { epoch, ..config });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    let local = LocalSet::new();
    local.block_on(&runtime, async {
        let listener = listen(&options.socket)?;
        eprintln!("capas: API listen on {}", options.socket);
        let gate = Rc::new(Gate::new(machine.kernel(), machine.daemon()));
        tokio::task::spawn_local(http::accept(listener, Rc::clone(&gate)));
        drive(machine, &gate, options.speed).await;
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
    let clock = Clock { epoch: machine.now(), start: Instant::now(), rate: speed.rate() };
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
        let asked = options(&["--host", "unix:///tmp/x", "--speed=4x"]).unwrap();
        assert_eq!((asked.socket.as_str(), asked.speed), ("/tmp/x", Speed::Fast));
        assert!(options(&["-H", "tcp://0.0.0.0:2375"]).is_err_and(|why| why.contains("must be unix://PATH")));
        assert!(options(&["--host"]).is_err_and(|why| why == "--host needs a value"));
        assert!(options(&["--speed", "fast"]).is_err());
        assert!(options(&["--tls", "1"]).is_err());
    }
}
