//! The units that systemd keeps on the student's computer: `docker.service`, and `docker.socket`, which starts it when somebody
//! calls. `systemctl` tells and changes what they do; `dockerd` can be started by hand, too.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use bstr::ByteSlice;

use crate::base::time::Timestamp;
use crate::docker::daemon::api::{Daemon, SERVER_VERSION};
use crate::docker::daemon::system::COMMIT;
use crate::docker::http::server;
use crate::os::kernel::{Gpid, Kernel, Proc, ProcessSpec, Signal};
use crate::os::userland::date::strftime;

/// `RestartSec` of `docker.service`.
const RESTART: Duration = Duration::from_secs(2);
/// How the service is started.
const COMMAND: [&str; 4] = ["/usr/bin/dockerd", "-H", "fd://", "--containerd=/run/containerd/containerd.sock"];
/// A link that says that the service starts with the computer.
const WANTED: &str = "/etc/systemd/system/multi-user.target.wants/docker.service";
/// Where the unit stands.
const UNIT: &str = "/lib/systemd/system/docker.service";

/// What the service does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Activity {
    Active(Gpid),
    Inactive,
    Failed,
}

/// The units: a handle.
#[derive(Clone)]
pub struct Units(Rc<Inner>);

struct Inner {
    daemon: Daemon,
    group: u32,
    activity: Cell<Activity>,
    since: Cell<Timestamp>,
    /// Whether `docker.socket` listens.
    socket: Cell<bool>,
    /// Whether the service is started again when it ends.
    kept: Cell<bool>,
    /// Why it last failed.
    why: RefCell<String>,
}

impl Units {
    /// The units of a computer that has just started.
    pub fn start(daemon: &Daemon, group: u32) -> Self {
        let own = Self(Rc::new(Inner {
            daemon: daemon.clone(),
            group,
            activity: Cell::new(Activity::Inactive),
            since: Cell::new(daemon.kernel().now()),
            socket: Cell::new(true),
            kept: Cell::new(true),
            why: RefCell::default(),
        }));
        own.launch();
        let weak = Rc::downgrade(&own.0);
        daemon.set_activation(Rc::new(move || {
            weak.upgrade().is_some_and(|inner| {
                let units = Self(inner);
                let starts = units.0.socket.get() && !units.is_active() && units.0.activity.get() != Activity::Failed;
                // Who called is answered once everything runs again.
                starts && units.launch() && {
                    units.0.daemon.start_wanted();
                    true
                }
            })
        }));
        own
    }

    fn kernel(&self) -> &Kernel {
        self.0.daemon.kernel()
    }

    fn become_(&self, activity: Activity) {
        self.0.activity.set(activity);
        self.0.since.set(self.kernel().now());
    }

    fn is_active(&self) -> bool {
        matches!(self.0.activity.get(), Activity::Active(pid) if self.kernel().is_alive(pid))
    }

    /// Starts the service's process.
    fn launch(&self) -> bool {
        let null = self.kernel().null();
        let spec = ProcessSpec {
            program: COMMAND[0].into(),
            args: COMMAND.map(Into::into).to_vec(),
            stdio: [null.clone(), null.clone(), null],
            tty: None,
            cgroup: String::new(),
            cwd: "/".into(),
            ..self.0.daemon.host().clone()
        };
        let units = self.clone();
        let started = self.kernel().spawn_with(spec, move |proc| Box::pin(async move { units.serve(&proc).await }));
        let Ok(pid) = started else { return false };
        self.kernel().watched_over(pid, Some(1));
        self.0.kept.set(true);
        self.become_(Activity::Active(pid));
        true
    }

    async fn serve(&self, proc: &Proc) -> i32 {
        let done = server::serve(proc, &self.0.daemon, self.0.group).await;
        if let Err(why) = done {
            *self.0.why.borrow_mut() = why;
            self.become_(Activity::Failed);
            return 1;
        }
        self.become_(Activity::Inactive);
        if self.0.kept.get() {
            let units = self.clone();
            // Without another process nobody starts it but the next who calls.
            let _ = proc.fork(move |child| {
                Box::pin(async move {
                    let _ = child.sleep(RESTART).await;
                    if !units.is_active() {
                        units.launch();
                    }
                    0
                })
            });
        }
        0
    }

    /// Ends the service and waits for it.
    async fn stop(&self) {
        self.0.kept.set(false);
        let Activity::Active(pid) = self.0.activity.get() else {
            return self.become_(Activity::Inactive);
        };
        if self.kernel().kill(pid, Signal::TERM).is_ok() {
            self.kernel().ended(pid).await;
        }
        self.become_(Activity::Inactive);
    }

    /// Starts the service and waits until it serves; `false` when it does not.
    async fn bring_up(&self, proc: &Proc) -> bool {
        if !self.is_active() && !self.launch() {
            return false;
        }
        self.0.socket.set(true);
        // It says that it is ready, or ends.
        while self.is_active() && proc.can_connect_at(server::SOCKET.as_bytes()).is_err() {
            let _ = proc.sleep(Duration::from_millis(100)).await;
        }
        self.is_active()
    }

    fn state(&self) -> &'static str {
        match self.0.activity.get() {
            Activity::Active(_) if self.is_active() => "active",
            Activity::Failed => "failed",
            _ => "inactive",
        }
    }
}

async fn complain(proc: &Proc, text: impl AsRef<[u8]>) -> i32 {
    proc.eprint(text).await;
    1
}

/// `systemctl`.
pub async fn systemctl(proc: Proc, units: Units) -> i32 {
    let args: Vec<String> = proc.args().iter().skip(1).map(|arg| arg.to_str_lossy().into_owned()).collect();
    let is_flag = |arg: &&String| arg.starts_with('-');
    let known = ["--now", "--no-pager", "-l", "--full", "--quiet", "-q"];
    if let Some(flag) = args.iter().find(|arg| is_flag(arg) && !known.contains(&arg.as_str())) {
        return complain(&proc, format!("systemctl: {flag} is not simulated in Capas\n")).await;
    }
    if proc.ppid() == 0 || proc.mounts_handle().is_none() || !proc.cgroup().is_empty() {
        let text = "System has not been booted with systemd as init system (PID 1). Can't operate.\nFailed to connect to bus: Host is down\n";
        return complain(&proc, text).await;
    }
    let has = |flag: &str| args.iter().any(|arg| arg == flag);
    let words: Vec<&str> = args.iter().filter(|arg| !is_flag(arg)).map(String::as_str).collect();
    let verb = words.first().copied().unwrap_or_default();
    let names: Vec<String> = words.iter().skip(1).map(|name| full_name(name)).collect();
    let changes = !matches!(verb, "status" | "is-active" | "is-enabled" | "cat");
    if verb == "daemon-reload" && proc.cred().uid == 0 {
        return 0;
    }
    if !matches!(
        verb,
        "" | "start"
            | "stop"
            | "restart"
            | "try-restart"
            | "reload"
            | "status"
            | "is-active"
            | "is-enabled"
            | "enable"
            | "disable"
            | "cat"
    ) {
        return complain(&proc, format!("systemctl: `systemctl {verb}` is not simulated in Capas\n")).await;
    }
    if names.is_empty() {
        let hint = if verb.is_empty() {
            "systemctl: a list of all units is not simulated in Capas\n"
        } else {
            "Too few arguments.\n"
        };
        return complain(&proc, hint).await;
    }
    for name in &names {
        if !matches!(name.as_str(), "docker.service" | "docker.socket" | "containerd.service") {
            let text = match verb {
                "status" => format!("Unit {name} could not be found.\n"),
                "is-active" => {
                    let _ = proc.print("inactive\n").await;
                    String::new()
                }
                _ => format!("Failed to {verb} {name}: Unit {name} not found.\n"),
            };
            complain(&proc, text).await;
            return if changes { 5 } else { 4 };
        }
    }
    if changes && proc.cred().uid != 0 {
        let name = names.first().map_or("", String::as_str);
        return complain(&proc, format!("Failed to {verb} {name}: Interactive authentication required.\nSee system logs and 'systemctl status {name}' for details.\n")).await;
    }
    let mut status = 0;
    for name in &names {
        status = status.max(match (verb, name.as_str()) {
            ("status", name) => tell(&proc, &units, name).await,
            ("is-active", name) => {
                let state = match name {
                    "docker.service" => units.state(),
                    "docker.socket" if !units.0.socket.get() => "inactive",
                    _ => "active",
                };
                if !has("-q") && !has("--quiet") {
                    let _ = proc.print(format!("{state}\n")).await;
                }
                if state == "active" { 0 } else { 3 }
            }
            ("is-enabled", _) => {
                let is_enabled = name != "docker.service" || proc.lstat(WANTED.as_bytes()).is_ok();
                let _ = proc.print(if is_enabled { "enabled\n" } else { "disabled\n" }).await;
                i32::from(!is_enabled)
            }
            ("cat", "docker.service") => {
                let text = proc.read_file(UNIT.as_bytes()).await.unwrap_or_default().to_vec();
                let text = [format!("# {UNIT}\n").as_bytes(), &text].concat();
                i32::from(proc.print(text).await.is_err())
            }
            ("enable", "docker.service") => enable(&proc, &units, has("--now")).await,
            ("disable", "docker.service") => disable(&proc, &units, has("--now")).await,
            ("start", "docker.service") => start(&proc, &units).await,
            ("try-restart", "docker.service") if !units.is_active() => 0,
            ("restart" | "try-restart", "docker.service") => {
                units.stop().await;
                start(&proc, &units).await
            }
            ("reload", "docker.service") => match units.0.activity.get() {
                Activity::Active(pid) if units.kernel().kill(pid, Signal::HUP).is_ok() => 0,
                _ => complain(&proc, "docker.service is not active, cannot reload.\n").await,
            },
            ("stop", "docker.service") => {
                units.stop().await;
                if units.0.socket.get() && !names.iter().any(|name| name == "docker.socket") {
                    proc.eprint(
                        "Warning: Stopping docker.service, but it can still be activated by:\n  docker.socket\n",
                    )
                    .await;
                }
                0
            }
            ("start" | "restart", "docker.socket") => {
                units.0.socket.set(true);
                0
            }
            ("stop", "docker.socket") => {
                units.0.socket.set(false);
                0
            }
            (verb, name) => {
                complain(&proc, format!("systemctl: `systemctl {verb} {name}` is not simulated in Capas\n")).await
            }
        });
    }
    status
}

fn full_name(name: &str) -> String {
    if name.contains('.') { name.to_owned() } else { format!("{name}.service") }
}

async fn start(proc: &Proc, units: &Units) -> i32 {
    if units.bring_up(proc).await {
        return 0;
    }
    complain(proc, "Job for docker.service failed because the control process exited with error code.\nSee \"systemctl status docker.service\" and \"journalctl -xeu docker.service\" for details.\n").await
}

async fn enable(proc: &Proc, units: &Units, now: bool) -> i32 {
    let text = "Synchronizing state of docker.service with SysV service script with /lib/systemd/systemd-sysv-install.\nExecuting: /lib/systemd/systemd-sysv-install enable docker\n";
    proc.eprint(text).await;
    if proc.lstat(WANTED.as_bytes()).is_err() {
        for dir in ["/etc/systemd", "/etc/systemd/system", "/etc/systemd/system/multi-user.target.wants"] {
            let _ = proc.mkdir(dir.as_bytes(), 0o755);
        }
        if proc.symlink(UNIT.as_bytes(), WANTED.as_bytes()).is_ok() {
            proc.eprint(format!("Created symlink {WANTED} → {UNIT}.\n")).await;
        }
    }
    if now { start(proc, units).await } else { 0 }
}

async fn disable(proc: &Proc, units: &Units, now: bool) -> i32 {
    let text = "Synchronizing state of docker.service with SysV service script with /lib/systemd/systemd-sysv-install.\nExecuting: /lib/systemd/systemd-sysv-install disable docker\n";
    proc.eprint(text).await;
    if proc.unlink(WANTED.as_bytes()).is_ok() {
        proc.eprint(format!("Removed {WANTED}.\n")).await;
    }
    if now {
        units.stop().await;
    }
    0
}

/// `systemctl status`.
async fn tell(proc: &Proc, units: &Units, name: &str) -> i32 {
    let since = units.0.since.get();
    let ago = proc.now().since(since).as_secs();
    let ago = match ago {
        0..=59 => format!("{ago}s"),
        60..=3599 => format!("{}min {}s", ago / 60, ago % 60),
        _ => format!("{}h {}min", ago / 3600, ago % 3600 / 60),
    };
    let time = format!("{}; {ago} ago", strftime("%a %Y-%m-%d %H:%M:%S UTC", since));
    let (text, status) = match (name, units.0.activity.get()) {
        ("docker.socket", _) => {
            let listens = units.0.socket.get();
            let (mark, state) = if listens { ("●", "active (running)") } else { ("○", "inactive (dead)") };
            let text = format!(
                "{mark} docker.socket - Docker Socket for the API\n     Loaded: loaded (/lib/systemd/system/docker.socket; enabled; vendor preset: enabled)\n     Active: {state}\n   Triggers: ● docker.service\n     Listen: /run/docker.sock (Stream)\n"
            );
            (text, if listens { 0 } else { 3 })
        }
        ("containerd.service", _) => {
            ("● containerd.service - containerd container runtime\n     Loaded: loaded (/lib/systemd/system/containerd.service; enabled; vendor preset: enabled)\n     Active: active (running)\n".to_owned(), 0)
        }
        (_, activity) => {
            let is_enabled = proc.lstat(WANTED.as_bytes()).is_ok();
            let enabled = if is_enabled { "enabled" } else { "disabled" };
            let head = |mark: &str| {
                format!(
                    "{mark} docker.service - Docker Application Container Engine\n     Loaded: loaded ({UNIT}; {enabled}; vendor preset: enabled)\n"
                )
            };
            let socket = if units.0.socket.get() { "●" } else { "○" };
            let tail = format!("TriggeredBy: {socket} docker.socket\n       Docs: https://docs.docker.com\n");
            match activity {
                Activity::Active(pid) if units.is_active() => {
                    let line = COMMAND.join(" ");
                    let text = format!(
                        "{}     Active: active (running) since {time}\n{tail}   Main PID: {pid} (dockerd)\n     CGroup: /system.slice/docker.service\n             └─{pid} {line}\n",
                        head("●")
                    );
                    (text, 0)
                }
                Activity::Failed => {
                    let why = units.0.why.borrow();
                    let text = format!(
                        "{}     Active: failed (Result: exit-code) since {time}\n{tail}    Process: ExecStart={} (code=exited, status=1/FAILURE)\n\ndockerd: {why}\n",
                        head("×"),
                        COMMAND.join(" ")
                    );
                    (text, 3)
                }
                _ => (format!("{}     Active: inactive (dead) since {time}\n{tail}", head("○")), 3),
            }
        }
    };
    if proc.print(text).await.is_err() { 1 } else { status }
}

/// `dockerd`, started by hand: it stays in the foreground and says what it does.
pub async fn dockerd(proc: Proc, units: Units) -> i32 {
    let args: Vec<String> = proc.args().iter().skip(1).map(|arg| arg.to_str_lossy().into_owned()).collect();
    let mut rest = args.iter();
    let version = format!("Docker version {SERVER_VERSION}, build {COMMIT}\n");
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "-v" | "--version" => return i32::from(proc.print(version).await.is_err()),
            // What is there anyway.
            "-H" | "--host" if rest.clone().next().is_some_and(|host| is_own(host)) => drop(rest.next()),
            other if other.split_once('=').is_some_and(|(flag, host)| flag == "--host" && is_own(host)) => {}
            other if other.starts_with("--containerd=") => {}
            other => return complain(&proc, format!("dockerd: {other} is not simulated in Capas\n")).await,
        }
    }
    if proc.cred().uid != 0 {
        return complain(&proc, "dockerd needs to be started with root privileges. To run dockerd in rootless mode as an unprivileged user, see https://docs.docker.com/go/rootless/\n").await;
    }
    let is_terminal = proc.tty_of(2).is_some();
    let say = async |text: &str| {
        let now = proc.now().rfc3339_nano();
        let line = if is_terminal {
            format!("\x1b[36mINFO\x1b[0m[{now}] {text:<44} \n")
        } else {
            format!("time=\"{now}\" level=info msg=\"{text}\"\n")
        };
        proc.eprint(line).await;
    };
    say("Starting up").await;
    let (before, done) = (units.is_active(), server::serve(&proc, &units.0.daemon, units.0.group));
    if !before {
        say("API listen on /run/docker.sock").await;
    }
    match done.await {
        Ok(()) => {
            say("Daemon shutdown complete").await;
            0
        }
        Err(why) => complain(&proc, format!("{why}\n")).await,
    }
}

fn is_own(host: &str) -> bool {
    matches!(host, "fd://" | "unix:///var/run/docker.sock" | "unix:///run/docker.sock" | "unix://")
}
