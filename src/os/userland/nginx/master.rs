//! nginx as processes: what it makes ready, the master, its workers and the lines they log (`src/os/unix/ngx_process_cycle.c`).
//!
//! The master keeps as many workers as it was told to; signals end it, or make it read its configuration again. What a
//! request gets is for the file above.

use std::net::Ipv4Addr;

use bstr::BString;

use super::config::{Config, errno_number, load};
use super::connection;
use crate::base::errno::Errno;
use crate::base::sort::Arrange;
use crate::os::fs::mounts::Cred;
use crate::os::kernel::syscall::Waited;
use crate::os::kernel::{Disposition, Open, Proc, Signal, Status};
use crate::os::userland::date::strftime;
use crate::os::userland::names::Names;
use crate::os::userland::program::text;

/// How a master was started, for when it reads its configuration again.
#[derive(Clone)]
pub(super) struct Start {
    pub file: String,
    /// `-g`.
    pub extra: String,
    pub version: String,
}

/// Where the builds of nginx.org and of the distributions keep what they write of a request before they hand it on.
const TEMPORARY: [(&str, [&str; 5]); 2] = [
    ("/var/cache/nginx", ["client_temp", "proxy_temp", "fastcgi_temp", "uwsgi_temp", "scgi_temp"]),
    ("/var/lib/nginx", ["body", "proxy", "fastcgi", "uwsgi", "scgi"]),
];

/// Open files that a process may have where nobody set a limit.
const OPEN_FILES: u64 = 1_048_576;

/// The compilers of the releases that nginx is packaged for: name and version of a release, as `/etc/os-release` has them.
const COMPILERS: [(&str, &str, &str); 12] = [
    ("debian", "9", "6.3.0 20170516 (Debian 6.3.0-18+deb9u1)"),
    ("debian", "10", "8.3.0 (Debian 8.3.0-6)"),
    ("debian", "11", "10.2.1 20210110 (Debian 10.2.1-6)"),
    ("debian", "12", "12.2.0 (Debian 12.2.0-14)"),
    ("ubuntu", "18.04", "7.5.0 (Ubuntu 7.5.0-3ubuntu1~18.04)"),
    ("ubuntu", "20.04", "9.4.0 (Ubuntu 9.4.0-1ubuntu1~20.04.2)"),
    ("ubuntu", "22.04", "11.4.0 (Ubuntu 11.4.0-1ubuntu1~22.04)"),
    ("ubuntu", "24.04", "13.2.0 (Ubuntu 13.2.0-23ubuntu4)"),
    ("alpine", "3.13", "10.2.1 20201203 (Alpine 10.2.1_pre1)"),
    ("alpine", "3.14", "10.3.1 20210424 (Alpine 10.3.1_git20210424)"),
    ("alpine", "3.15", "10.3.1 20211027 (Alpine 10.3.1_git20211027)"),
    ("alpine", "3.17", "12.2.1 20220924 (Alpine 12.2.1_git20220924-r4)"),
];

/// The compiler that built the nginx of the release that this is, if that is known.
async fn compiler(proc: &Proc) -> Option<&'static str> {
    let release = text(&proc.read_file(b"/etc/os-release").await.ok()?.head(4096));
    let value = |name: &str| release.lines().find_map(|line| line.strip_prefix(name)).map(|v| v.trim_matches('"'));
    let (id, version) = (value("ID=")?, value("VERSION_ID=")?);
    let is_it = |known: &str| version == known || version.strip_prefix(known).is_some_and(|more| more.starts_with('.'));
    COMPILERS.iter().find(|row| row.0 == id && is_it(row.1)).map(|row| row.2)
}

/// A line of the error log, as long as it is told of what is as little as this.
pub(super) async fn notice(proc: &Proc, config: &Config, message: &str) {
    if matches!(config.log_level.as_str(), "notice" | "info" | "debug") {
        append(proc, &config.error_log, line(proc, "notice", message).as_bytes()).await;
    }
}

/// A line as the error log has it.
pub(super) fn line(proc: &Proc, level: &str, message: &str) -> String {
    let pid = proc.pid();
    format!("{} [{level}] {pid}#{pid}: {message}\n", strftime("%Y/%m/%d %H:%M:%S", proc.now()))
}

pub(super) async fn append(proc: &Proc, file: &str, bytes: &[u8]) {
    if file == "off" {
        return;
    }
    let Ok(fd) = proc.open(file.as_bytes(), Open::APPEND) else { return };
    let _ = proc.write(fd, bytes).await;
    let _ = proc.close(fd);
}

fn ports(config: &Config) -> Vec<u16> {
    let mut ports: Vec<u16> = config.servers.iter().flat_map(|s| s.ports.iter().copied()).collect();
    ports.arrange();
    ports.dedup();
    ports
}

/// What has to be there before the first worker (`ngx_init_cycle`): folders and sockets. The error is nginx's text.
pub(super) async fn make_ready(proc: &Proc, config: &Config, bound: &[u16]) -> Result<(), String> {
    let failed = |what: String, error: Errno| format!("{what} failed ({}: {})", errno_number(error), error.strerror());
    let user = user(proc, config).await;
    if let Some((dir, names)) = TEMPORARY.iter().find(|row| proc.stat(row.0.as_bytes()).is_ok()) {
        for name in names {
            let at = format!("{dir}/{name}");
            match proc.mkdir(at.as_bytes(), 0o700) {
                Ok(()) => {
                    if let Some((uid, _)) = user {
                        let _ = proc.chown(at.as_bytes(), Some(uid), None, false);
                    }
                }
                Err(Errno::EEXIST) => {}
                Err(error) => return Err(failed(format!("mkdir() \"{at}\""), error)),
            }
        }
    }
    for port in ports(config).into_iter().filter(|port| !bound.contains(port)) {
        if let Err(error) = proc.listen(Ipv4Addr::UNSPECIFIED, port) {
            return Err(failed(format!("bind() to 0.0.0.0:{port}"), error));
        }
    }
    Ok(())
}

/// The user of the workers: only root can choose one.
async fn user(proc: &Proc, config: &Config) -> Option<(u32, u32)> {
    let name = config.user.as_ref().filter(|_| proc.cred().uid == 0)?;
    let names = Names::load(proc).await;
    names.users.get(bstr::BStr::new(name)).map(|user| (user.uid, user.gid))
}

/// A master at work.
struct Master<'a> {
    proc: &'a Proc,
    config: Config,
    version: String,
    /// Those that are kept.
    workers: Vec<u32>,
    /// Those of an older configuration, which end when they are done.
    retired: Vec<u32>,
}

pub(super) async fn master(proc: &Proc, config: Config, start: Start) -> i32 {
    for signal in [Signal::TERM, Signal::QUIT, Signal::INT, Signal::HUP, Signal::USR1, Signal::CHLD] {
        proc.on_signal(signal, Disposition::Handle);
    }
    if let Err(error) = proc.write_file(config.pid.as_bytes(), &format!("{}\n", proc.pid()).as_str().into()).await {
        let why = format!("open() \"{}\" failed ({}: {})", config.pid, errno_number(error), error.strerror());
        append(proc, &config.error_log, line(proc, "emerg", &why).as_bytes()).await;
        proc.eprint(format!("nginx: [emerg] {why}\n")).await;
        return 1;
    }
    // ngx_setproctitle: one argument, which `ps` shows.
    let words: Vec<BString> = proc.args();
    proc.set_args(vec![[b"nginx: master process ".as_slice(), &bstr::join(" ", words)].concat().into()]);
    let version = start.version.clone();
    let mut master = Master { proc, config, version, workers: Vec::new(), retired: Vec::new() };
    master.say("using the \"epoll\" event method").await;
    master.say(&format!("nginx/{}", master.version)).await;
    if let Some(compiler) = compiler(proc).await {
        // The line ends with a blank, as the compiler's own does.
        master.say(&format!("built by gcc {compiler} ")).await;
    }
    let version = proc.read_file(b"/proc/version").await.map(|rope| rope.head(200)).unwrap_or_default();
    let release = text(&version).split(' ').nth(2).map(str::to_owned);
    if let Some(release) = release {
        master.say(&format!("OS: Linux {release}")).await;
    }
    let files = proc.limits().files.unwrap_or(OPEN_FILES);
    master.say(&format!("getrlimit(RLIMIT_NOFILE): {files}:{files}")).await;
    master.say("start worker processes").await;
    master.fill().await;
    let mut ending = None;
    loop {
        let signal = proc.pause().await;
        match signal {
            Signal::CHLD => {
                if master.reap(ending.is_some()).await {
                    break;
                }
            }
            Signal::HUP => master.reconfigure(&start).await,
            Signal::USR1 => {
                master.say("signal 10 (SIGUSR1) received, reopening logs").await;
                master.say("reopening logs").await;
            }
            signal => {
                let what = if signal == Signal::QUIT { "shutting down" } else { "exiting" };
                master.say(&format!("signal {} (SIG{}) received, {what}", signal.0, signal.name())).await;
                ending = Some(signal);
                for worker in master.workers.iter().chain(&master.retired) {
                    let _ = proc.kill(i64::from(*worker), Some(signal));
                }
                for port in ports(&master.config) {
                    proc.unlisten(port);
                }
                if master.workers.is_empty() && master.retired.is_empty() {
                    break;
                }
            }
        }
    }
    let _ = proc.unlink(master.config.pid.as_bytes());
    master.say("exit").await;
    0
}

impl Master<'_> {
    async fn say(&self, message: &str) {
        notice(self.proc, &self.config, message).await;
    }

    /// Starts workers until there are as many as there should be.
    async fn fill(&mut self) {
        let user = user(self.proc, &self.config).await;
        while self.workers.len() < self.config.workers {
            let (own, version) = (self.config.clone(), self.version.clone());
            let child = self.proc.fork(move |worker| {
                Box::pin(async move {
                    worker.set_args(vec!["nginx: worker process".into()]);
                    if let Some((uid, gid)) = user {
                        let _ = worker.set_cred(Cred::user(uid, gid, Vec::new()));
                    }
                    serve(&worker, &own, &version).await
                })
            });
            // No more processes: nginx goes on with those it has.
            let Ok(pid) = child else { return };
            self.say(&format!("start worker process {pid}")).await;
            self.workers.push(pid);
        }
    }

    /// Tells of the workers that ended and replaces those that should not have; whether none is left at the end.
    async fn reap(&mut self, ending: bool) -> bool {
        let mut first = true;
        while let Ok(Some(Waited::Ended(pid, status))) = self.proc.try_wait(None, false) {
            if first {
                self.say(&format!("signal 17 (SIGCHLD) received from {pid}")).await;
                first = false;
            }
            match status {
                Status::Exited(code) => self.say(&format!("worker process {pid} exited with code {code}")).await,
                Status::Signaled(signal) => {
                    let text = format!("worker process {pid} exited on signal {}", signal.0);
                    append(self.proc, &self.config.error_log, line(self.proc, "alert", &text).as_bytes()).await;
                }
            }
            self.workers.retain(|worker| *worker != pid);
            self.retired.retain(|worker| *worker != pid);
        }
        if ending && self.workers.is_empty() && self.retired.is_empty() {
            return true;
        }
        if !ending {
            self.fill().await;
        }
        if !first {
            // The others close their end of the channel to the one that is gone.
            self.say("signal 29 (SIGIO) received").await;
        }
        false
    }

    /// Reads the configuration again: new workers for it, and no more work for the old ones.
    async fn reconfigure(&mut self, start: &Start) {
        self.say("signal 1 (SIGHUP) received, reconfiguring").await;
        self.say("reconfiguring").await;
        let old = ports(&self.config);
        let loaded = match load(self.proc, start).await {
            Ok(config) => make_ready(self.proc, &config, &old).await.map(|()| config),
            Err(message) => Err(message),
        };
        let config = match loaded {
            Ok(config) => config,
            Err(message) => {
                append(self.proc, &self.config.error_log, line(self.proc, "emerg", &message).as_bytes()).await;
                return;
            }
        };
        let new = ports(&config);
        for port in old.into_iter().filter(|port| !new.contains(port)) {
            self.proc.unlisten(port);
        }
        self.config = config;
        self.say("using the \"epoll\" event method").await;
        self.say("start worker processes").await;
        let old = std::mem::take(&mut self.workers);
        self.fill().await;
        for worker in &old {
            let _ = self.proc.kill(i64::from(*worker), Some(Signal::QUIT));
        }
        self.retired.extend(old);
    }
}

/// A worker: answers until it is told to end.
async fn serve(proc: &Proc, config: &Config, version: &str) -> i32 {
    for signal in [Signal::HUP, Signal::USR1, Signal::CHLD] {
        proc.on_signal(signal, Disposition::Ignore);
    }
    for signal in [Signal::TERM, Signal::QUIT, Signal::INT] {
        proc.on_signal(signal, Disposition::Handle);
    }
    proc.on_signal(Signal::PIPE, Disposition::Ignore);
    let ports = ports(config);
    loop {
        match proc.accept(&ports).await {
            Ok((fd, port, peer)) => {
                let answered = connection(proc, config, version, fd, port, &peer).await;
                let _ = (answered, proc.close(fd));
            }
            Err(error) => {
                // The master may have closed the sockets already when it tells to end.
                let signal = match proc.take_signal() {
                    Some(signal) => signal,
                    None if error == Errno::EINTR => continue,
                    None => return 0,
                };
                if signal == Signal::QUIT {
                    notice(proc, config, "gracefully shutting down").await;
                }
                notice(proc, config, "exiting").await;
                notice(proc, config, "exit").await;
                return 0;
            }
        }
    }
}
