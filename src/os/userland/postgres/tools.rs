//! `initdb`, `pg_ctl` and `pg_isready`: what the image's entry script needs to make and start a cluster.

use std::time::Duration;

use bstr::{BString, ByteSlice};

use super::catalog::Cluster;
use super::server::{CATALOG, PID_FILE};
use super::{PORT, SOCKET, Version, data_dir};
use crate::base::rope::Rope;
use crate::os::kernel::{Proc, Signal};
use crate::os::userland::date::strftime;
use crate::os::userland::names::Names;

/// Folders of a cluster (`initdb.c`, `subdirs`).
const FOLDERS: [&str; 23] = [
    "global",
    "pg_wal",
    "pg_wal/archive_status",
    "pg_commit_ts",
    "pg_dynshmem",
    "pg_notify",
    "pg_serial",
    "pg_snapshots",
    "pg_subtrans",
    "pg_twophase",
    "pg_multixact",
    "pg_multixact/members",
    "pg_multixact/offsets",
    "base",
    "base/1",
    "pg_replslot",
    "pg_tblspc",
    "pg_stat",
    "pg_stat_tmp",
    "pg_xact",
    "pg_logical",
    "pg_logical/snapshots",
    "pg_logical/mappings",
];

/// The local part of `pg_hba.conf`.
const HBA: &str = "# TYPE  DATABASE        USER            ADDRESS                 METHOD\n\n# \"local\" is for Unix domain socket connections only\nlocal   all             all                                     trust\n# IPv4 local connections:\nhost    all             all             127.0.0.1/32            trust\n# IPv6 local connections:\nhost    all             all             ::1/128                 trust\n# Allow replication connections from localhost, by a user with the\n# replication privilege.\nlocal   replication     all                                     trust\nhost    replication     all             127.0.0.1/32            trust\nhost    replication     all             ::1/128                 trust\n";

/// Bytes of a new database's files, and of the first segment of the log.
const DATABASE_BYTES: u64 = 8_000_000;
const SEGMENT_BYTES: u64 = 16 << 20;

fn value(args: &[String], short: &str, long: &str) -> Option<String> {
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if arg == short {
            return args.next().cloned();
        }
        if let Some(value) = arg.strip_prefix(long).and_then(|rest| rest.strip_prefix('=')) {
            return Some(value.to_owned());
        }
    }
    None
}

/// `initdb`.
pub async fn initdb(proc: &Proc, args: &[String], version: &Version) -> i32 {
    let dir = value(args, "-D", "--pgdata").unwrap_or_else(|| data_dir(proc));
    let own = Names::load(proc).await.user(proc.cred().uid).to_str_lossy().into_owned();
    let superuser = value(args, "-U", "--username").unwrap_or_else(|| own.clone());
    let locale = proc.getenv("LANG").map_or_else(|| "C".to_owned(), |lang| lang.to_str_lossy().into_owned());
    if proc.cred().uid == 0 {
        proc.eprint("initdb: error: cannot be run as root\n").await;
        return 1;
    }
    let password = match value(args, "", "--pwfile") {
        Some(file) => match proc.read_file(file.as_bytes()).await {
            Ok(text) => Some(text.to_vec().to_str_lossy().trim_end_matches('\n').to_owned()),
            Err(error) => {
                let why = error.strerror();
                proc.eprint(format!("initdb: error: could not open file \"{file}\" for reading: {why}\n")).await;
                return 1;
            }
        },
        None => None,
    };
    let _ = proc
        .print(format!(
            "The files belonging to this database system will be owned by user \"{own}\".\nThis user must also own the server process.\n\nThe database cluster will be initialized with locale \"{locale}\".\nThe default database encoding has accordingly been set to \"UTF8\".\nThe default text search configuration will be set to \"english\".\n\nData page checksums are disabled.\n\n"
        ))
        .await;
    let entries =
        proc.readdir(dir.as_bytes()).map(|entries| entries.iter().filter(|e| e.name != "." && e.name != "..").count());
    match entries {
        Ok(0) => {
            let _ = proc.print(format!("fixing permissions on existing directory {dir} ... ok\n")).await;
            let _ = proc.chmod(dir.as_bytes(), 0o700);
        }
        Ok(_) => {
            proc.eprint(format!("initdb: error: directory \"{dir}\" exists but is not empty\nIf you want to create a new database system, either remove or empty\nthe directory \"{dir}\" or run initdb\nwith an argument other than \"{dir}\".\n")).await;
            return 1;
        }
        Err(_) => {
            let made = proc.mkdir(dir.as_bytes(), 0o700);
            let _ =
                proc.print(format!("creating directory {dir} ... {}\n", if made.is_ok() { "ok" } else { "" })).await;
        }
    }
    if let Err(error) = make(proc, &dir, &superuser, password, &locale, version).await {
        proc.eprint(format!("initdb: error: could not create directory \"{dir}/global\": {}\n", error.strerror()))
            .await;
        return 1;
    }
    let _ = proc.sleep(Duration::from_millis(700)).await;
    let _ = proc
        .print("creating subdirectories ... ok\nselecting dynamic shared memory implementation ... posix\nselecting default max_connections ... 100\nselecting default shared_buffers ... 128MB\nselecting default time zone ... Etc/UTC\ncreating configuration files ... ok\nrunning bootstrap script ... ok\nperforming post-bootstrap initialization ... ok\nsyncing data to disk ... ")
        .await;
    let warns = "\nWARNING: enabling \"trust\" authentication for local connections\nYou can change this by editing pg_hba.conf or using the option -A, or\n--auth-local and --auth-host, the next time you run initdb.\n";
    let warning = if version.major() >= 13 { warns.replace("\nWARNING", "initdb: warning") } else { warns.to_owned() };
    proc.eprint(warning).await;
    let _ = proc
        .print(format!(
            "ok\n\n\nSuccess. You can now start the database server using:\n\n    pg_ctl -D {dir} -l logfile start\n\n"
        ))
        .await;
    0
}

async fn make(
    proc: &Proc,
    dir: &str,
    superuser: &str,
    password: Option<String>,
    locale: &str,
    version: &Version,
) -> Result<(), crate::base::errno::Errno> {
    proc.set_umask(0o077);
    for folder in FOLDERS {
        proc.mkdir(format!("{dir}/{folder}").as_bytes(), 0o700)?;
    }
    let sample = format!("/usr/share/postgresql/{}/postgresql.conf.sample", version.major());
    let conf = match proc.read_file(sample.as_bytes()).await {
        Ok(conf) => conf,
        Err(_) => "listen_addresses = '*'\nmax_connections = 100\nshared_buffers = 128MB\n".into(),
    };
    let cluster = Cluster::new(superuser, password, locale, &version.full());
    let shut = format!("shut down at {}\n", strftime("%Y-%m-%d %H:%M:%S UTC", proc.now()));
    let files: [(&str, Rope); 9] = [
        ("PG_VERSION", format!("{}\n", version.major()).as_str().into()),
        ("postgresql.conf", conf),
        (
            "postgresql.auto.conf",
            "# Do not edit this file manually!\n# It will be overwritten by the ALTER SYSTEM command.\n".into(),
        ),
        ("pg_hba.conf", HBA.into()),
        ("pg_ident.conf", "# MAPNAME       SYSTEM-USERNAME         PG-USERNAME\n".into()),
        ("global/pg_control", shut.as_str().into()),
        (CATALOG, cluster.dump().as_str().into()),
        ("base/1/1259", Rope::bulk(1259, DATABASE_BYTES)),
        ("pg_wal/000000010000000000000001", Rope::bulk(1, SEGMENT_BYTES)),
    ];
    for (name, content) in files {
        proc.write_file(format!("{dir}/{name}").as_bytes(), &content).await?;
    }
    Ok(())
}

/// `pg_ctl start`, `stop` and `status`.
pub async fn pg_ctl(proc: &Proc, args: &[String]) -> i32 {
    let dir = value(args, "-D", "--pgdata").unwrap_or_else(|| data_dir(proc));
    let file = format!("{dir}/{PID_FILE}");
    let verb = args.iter().find(|arg| ["start", "stop", "status", "restart", "reload"].contains(&arg.as_str()));
    let pid = async || -> Option<i64> {
        let text = proc.read_file(file.as_bytes()).await.ok()?.to_vec();
        text.to_str_lossy().lines().next()?.parse().ok()
    };
    match verb.map(String::as_str) {
        Some("start") => {
            let _ = proc.print("waiting for server to start....").await;
            let mut words: Vec<BString> = vec!["postgres".into(), "-D".into(), dir.as_str().into()];
            if let Some(extra) = value(args, "-o", "--options") {
                words.extend(extra.split_whitespace().map(|word| BString::from(word.replace('\'', ""))));
            }
            let started = proc.fork(move |child| {
                Box::pin(async move {
                    let Ok(path) = child.search("postgres".into()) else { return 127 };
                    let env = child.env();
                    child.exec(&path, words, env).await.unwrap_or(126)
                })
            });
            for _ in 0..600 {
                let _ = proc.sleep(Duration::from_millis(100)).await;
                if pid().await.is_some() {
                    let _ = proc.print(" done\nserver started\n").await;
                    return 0;
                }
                if started.is_err() || proc.try_wait(started.ok(), false).is_ok_and(|ended| ended.is_some()) {
                    break;
                }
            }
            let _ = proc.print(" stopped waiting\n").await;
            proc.eprint("pg_ctl: could not start server\nExamine the log output.\n").await;
            1
        }
        Some("stop") => {
            let Some(server) = pid().await else {
                proc.eprint(format!("pg_ctl: PID file \"{file}\" does not exist\nIs server running?\n")).await;
                return 1;
            };
            let signal = match value(args, "-m", "--mode").as_deref() {
                Some("smart") => Signal::TERM,
                Some("immediate") => Signal::QUIT,
                _ => Signal::INT,
            };
            let _ = proc.print("waiting for server to shut down....").await;
            let _ = proc.kill(server, Some(signal));
            for _ in 0..600 {
                let _ = proc.sleep(Duration::from_millis(100)).await;
                if pid().await.is_none() {
                    let _ = proc.print(" done\nserver stopped\n").await;
                    return 0;
                }
            }
            let _ = proc.print(" failed\n").await;
            1
        }
        Some("status") => {
            let running = pid().await;
            let text = running.map_or_else(
                || "pg_ctl: no server running\n".to_owned(),
                |pid| format!("pg_ctl: server is running (PID: {pid})\n"),
            );
            let _ = proc.print(text).await;
            if running.is_some() { 0 } else { 3 }
        }
        Some(other) => {
            proc.eprint(format!("pg_ctl: {other} is not simulated in Capas\n")).await;
            1
        }
        None => {
            proc.eprint("pg_ctl: no operation specified\nTry \"pg_ctl --help\" for more information.\n").await;
            1
        }
    }
}

/// `pg_isready`.
pub async fn pg_isready(proc: &Proc, args: &[String]) -> i32 {
    let host = value(args, "-h", "--host").filter(|host| !host.starts_with('/'));
    let (place, address) = match &host {
        None => ("/var/run/postgresql".to_owned(), Some(std::net::Ipv4Addr::LOCALHOST)),
        Some(host) => (host.clone(), proc.resolve(host).await.ok().and_then(|found| found.first().copied())),
    };
    let is_there = host.is_some() || proc.stat(SOCKET.as_bytes()).is_ok();
    let answers = match address {
        Some(address) if is_there => proc.connect((address, PORT)).await.is_ok(),
        _ => false,
    };
    let _ = proc
        .print(format!("{place}:{PORT} - {}\n", if answers { "accepting connections" } else { "no response" }))
        .await;
    if answers { 0 } else { 2 }
}
