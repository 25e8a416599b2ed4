//! `postgres`: the server of a data directory.

use std::cell::RefCell;
use std::net::Ipv4Addr;
use std::rc::Rc;

use bstr::ByteSlice;

use super::catalog::{Cluster, Session};
use super::wire::{Answer, Stream};
use super::{PORT, SOCKET, Version, data_dir};
use crate::base::errno::Errno;
use crate::os::fs::node::Content;
use crate::os::kernel::{Disposition, Fd, Proc, Signal, Task};
use crate::os::userland::date::strftime;
use crate::os::userland::serve_each::serve_each;

/// Where the cluster is kept.
pub const CATALOG: &str = "global/1260";
/// What tells that a server runs here.
pub const PID_FILE: &str = "postmaster.pid";

fn line(proc: &Proc, pid: u32, text: &str) -> String {
    let now = proc.now();
    let millis = now.civil().nanosecond / 1_000_000;
    format!("{}.{millis:03} UTC [{pid}] LOG:  {text}\n", strftime("%Y-%m-%d %H:%M:%S", now))
}

async fn log(proc: &Proc, text: &str) {
    proc.eprint(line(proc, proc.pid(), text)).await;
}

/// The processes beside the one that listens.
const HELPERS: [&str; 6] = [
    "checkpointer ",
    "background writer ",
    "walwriter ",
    "autovacuum launcher ",
    "stats collector ",
    "logical replication launcher ",
];

/// `postgres`.
pub async fn main(proc: Proc, args: &[String], version: &Version) -> i32 {
    if proc.cred().uid == 0 {
        proc.eprint(
            "\"root\" execution of the PostgreSQL server is not permitted.\nThe server must be started under an unprivileged user ID to prevent\npossible system security compromise.  See the documentation for\nmore information on how to properly start the server.\n",
        )
        .await;
        return 1;
    }
    let option = |name: &str| args.iter().position(|arg| arg == name).and_then(|at| args.get(at + 1)).cloned();
    let dir = option("-D").unwrap_or_else(|| data_dir(&proc));
    let dump = match proc.read_file(format!("{dir}/{CATALOG}").as_bytes()).await {
        Ok(bytes) => bytes.to_vec().to_str_lossy().into_owned(),
        Err(_) => {
            proc.eprint(format!(
                "postgres: could not access directory \"{dir}\": No such file or directory\nRun initdb or pg_basebackup to initialize a PostgreSQL data directory.\n"
            ))
            .await;
            return 2;
        }
    };
    let cluster = Rc::new(RefCell::new(Cluster::load(&dump, &version.full())));
    let is_local = args.iter().any(|arg| arg == "listen_addresses=" || arg == "listen_addresses=''");
    let address = if is_local { Ipv4Addr::LOCALHOST } else { Ipv4Addr::UNSPECIFIED };
    if version.major() >= 12 {
        log(&proc, &format!("starting {}", version.full())).await;
    }
    if let Err(error) = proc.listen(address, PORT) {
        log(&proc, &format!("could not bind IPv4 address \"0.0.0.0\": {}", error.strerror())).await;
        return 1;
    }
    if !is_local {
        log(&proc, &format!("listening on IPv4 address \"0.0.0.0\", port {PORT}")).await;
        log(&proc, &format!("listening on IPv6 address \"::\", port {PORT}")).await;
    }
    log(&proc, &format!("listening on Unix socket \"{SOCKET}\"")).await;
    let _ = proc.unlink(SOCKET.as_bytes());
    let _ = proc.mknod(SOCKET.as_bytes(), 0o777, Content::Socket);
    for signal in [Signal::TERM, Signal::INT, Signal::QUIT, Signal::CHLD] {
        proc.on_signal(signal, Disposition::Handle);
    }
    start(&proc, &dir).await;
    let helpers = helpers(&proc);
    let pid_file = format!("{dir}/{PID_FILE}");
    let text = format!("{}\n{dir}\n{PORT}\nready\n", proc.pid());
    let _ = proc.write_file(pid_file.as_bytes(), &text.as_str().into()).await;
    log(&proc, "database system is ready to accept connections").await;
    let trusts = trusts_everybody(&proc, &dir).await;
    let signal = listen(&proc, &cluster, &dir, trusts, version).await;
    stop(&proc, signal, &helpers, &dir).await;
    let _ = proc.unlink(SOCKET.as_bytes());
    let _ = proc.unlink(pid_file.as_bytes());
    0
}

/// What the startup process says.
async fn start(proc: &Proc, dir: &str) {
    let control = format!("{dir}/global/pg_control");
    let state = proc.read_file(control.as_bytes()).await.map(|file| file.to_vec()).unwrap_or_default();
    let state = state.to_str_lossy().into_owned();
    let told = match state.strip_prefix("shut down at ") {
        Some(when) => format!("database system was shut down at {}", when.trim_end()),
        None => {
            "database system was interrupted; last known up at ".to_owned()
                + state.trim_start_matches("up at ").trim_end()
        }
    };
    let was_lost = !state.starts_with("shut down");
    let child = proc.fork(move |child| {
        Box::pin(async move {
            child.set_args(vec!["postgres: startup ".into()]);
            log(&child, &told).await;
            if was_lost {
                log(&child, "database system was not properly shut down; automatic recovery in progress").await;
                log(&child, "redo is not required").await;
            }
            0
        })
    });
    if let Ok(pid) = child {
        while proc.wait(Some(pid), false).await == Err(Errno::EINTR) {
            proc.take_signal();
        }
    }
    note(proc, dir, "up").await;
}

async fn note(proc: &Proc, dir: &str, state: &str) {
    let text = format!("{state} at {}\n", strftime("%Y-%m-%d %H:%M:%S UTC", proc.now()));
    let _ = proc.write_file(format!("{dir}/global/pg_control").as_bytes(), &text.as_str().into()).await;
}

fn helpers(proc: &Proc) -> Vec<(u32, &'static str)> {
    let mut pids = Vec::new();
    for name in HELPERS {
        let child = proc.fork(move |child| {
            Box::pin(async move {
                child.set_args(vec![format!("postgres: {name}").into()]);
                for signal in [Signal::TERM, Signal::INT, Signal::CHLD] {
                    child.on_signal(signal, Disposition::Handle);
                }
                while child.pause().await != Signal::TERM {}
                0
            })
        });
        pids.extend(child.ok().map(|pid| (pid, name)));
    }
    pids
}

/// Whether `pg_hba.conf` lets everybody in from everywhere.
async fn trusts_everybody(proc: &Proc, dir: &str) -> bool {
    let file = proc.read_file(format!("{dir}/pg_hba.conf").as_bytes()).await;
    let text = file.map(|file| file.to_vec()).unwrap_or_default();
    let text = text.to_str_lossy().into_owned();
    text.lines().any(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.starts_with(&["host", "all", "all", "all"]) && words.last() == Some(&"trust")
    })
}

/// Serves until a signal ends it.
async fn listen(proc: &Proc, cluster: &Rc<RefCell<Cluster>>, dir: &str, trusts: bool, version: &Version) -> Signal {
    let connection = |child: Proc, fd, peer: String| -> Task {
        let (own, dir, number) = (Rc::clone(cluster), dir.to_owned(), version.number().to_owned());
        Box::pin(async move {
            let is_near = peer.starts_with("127.") || is_own(&child, &peer).await;
            serve(child, fd, own, dir, trusts || is_near, number).await
        })
    };
    serve_each(proc, &[PORT], &[Signal::TERM, Signal::INT, Signal::QUIT], connection).await.unwrap_or(Signal::QUIT)
}

/// Whether a connection comes from this container itself, as those through the socket do.
async fn is_own(proc: &Proc, peer: &str) -> bool {
    let address = peer.rsplit_once(':').map_or(peer, |(address, _)| address);
    let hostname = proc.hostname();
    proc.resolve(&hostname).await.is_ok_and(|own| own.iter().any(|own| own.to_string() == address))
}

async fn stop(proc: &Proc, signal: Signal, helpers: &[(u32, &'static str)], dir: &str) {
    let how = match signal {
        Signal::TERM => "smart",
        Signal::INT => "fast",
        _ => "immediate",
    };
    log(proc, &format!("received {how} shutdown request")).await;
    proc.unlisten(PORT);
    if signal != Signal::QUIT {
        log(proc, "aborting any active transactions").await;
        if let Some((pid, _)) = helpers.iter().find(|(_, name)| name.starts_with("logical")) {
            log(
                proc,
                &format!("background worker \"logical replication launcher\" (PID {pid}) exited with exit code 1"),
            )
            .await;
        }
        if let Some((pid, _)) = helpers.first() {
            proc.eprint(line(proc, *pid, "shutting down")).await;
        }
        note(proc, dir, "shut down").await;
    }
    proc.on_signal(Signal::CHLD, Disposition::Default);
    for (pid, _) in helpers {
        let _ = proc.kill(i64::from(*pid), Some(Signal::TERM));
    }
    for (pid, _) in helpers {
        while proc.wait(Some(*pid), false).await == Err(Errno::EINTR) {
            proc.take_signal();
        }
    }
    log(proc, "database system is shut down").await;
}

/// One client.
async fn serve(
    proc: Proc,
    fd: Fd,
    cluster: Rc<RefCell<Cluster>>,
    dir: String,
    is_trusted: bool,
    version: String,
) -> i32 {
    for signal in [Signal::TERM, Signal::INT, Signal::QUIT] {
        proc.on_signal(signal, Disposition::Default);
    }
    let mut stream = Stream::new(&proc, fd);
    let Some(hello) = stream.receive().await else { return 0 };
    let hello = hello.to_str_lossy().into_owned();
    let mut fields = hello.split('\0').map(ToOwned::to_owned);
    let (user, database) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
    let password = fields.next().filter(|password| !password.is_empty());
    let session = Session { user, database };
    proc.set_args(vec![format!("postgres: {} {} [local] idle", session.user, session.database).into()]);
    let admitted = cluster.borrow().admit(&session, password.as_deref(), !is_trusted);
    let answer = match admitted {
        Ok(true) => Answer::Ready(version, cluster.borrow().is_superuser(&session.user)),
        Ok(false) => Answer::Password,
        Err(why) => {
            // The log tells it, too.
            let now = proc.now();
            let time = strftime("%Y-%m-%d %H:%M:%S", now);
            let millis = now.civil().nanosecond / 1_000_000;
            proc.eprint(format!("{time}.{millis:03} UTC [{}] {why}\n", proc.pid())).await;
            Answer::Error(why)
        }
    };
    let is_in = matches!(answer, Answer::Ready(..));
    if stream.send(&answer.encode()).await.is_none() || !is_in {
        return 0;
    }
    while let Some(asked) = stream.receive().await {
        let asked = asked.to_str_lossy().into_owned();
        let (answers, changed) = {
            let mut cluster = cluster.borrow_mut();
            let before = cluster.clone();
            let answers = cluster.run(&asked, &session);
            (answers, (*cluster != before).then(|| cluster.dump()))
        };
        for answer in &answers {
            if let Answer::Error(why) = answer {
                let now = proc.now();
                let millis = now.civil().nanosecond / 1_000_000;
                let head = format!("{}.{millis:03} UTC [{}] ", strftime("%Y-%m-%d %H:%M:%S", now), proc.pid());
                let first = why.lines().next().unwrap_or_default();
                let asked = asked.trim();
                proc.eprint(format!("{head}{first}\n{head}STATEMENT:  {asked};\n")).await;
            }
        }
        if let Some(dump) = changed {
            let _ = proc.write_file(format!("{dir}/{CATALOG}").as_bytes(), &dump.as_str().into()).await;
        }
        for answer in answers.iter().chain([&Answer::End]) {
            if stream.send(&answer.encode()).await.is_none() {
                return 0;
            }
        }
    }
    0
}
