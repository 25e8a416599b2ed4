//! Running: start, stop, exec, attach. What outlasts a request lives in processes of the host (the shims).

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use bstr::BString;
use futures_lite::future::{or, poll_once, zip};

use super::api::container::{
    AttachOptions, Attached, ExecConfig, ExecInspect, HostConfig, StopOptions, UpdateRequest, Wait, WaitCondition,
};
use super::api::stream::{Frame, Receiver, Sender, Source, stream};
use super::container::{ContainerId, Ended, Run, Sink, State};
use super::errors::{DaemonError, RuntimeError};
use super::files;
use super::handle::{Daemon, World};
use super::links;
use super::rootfs::INIT_INSIDE;
use super::users;
use crate::base::errno::Errno;
use crate::base::path;
use crate::os::fs::mounts::{Caller, Mounts};
use crate::os::fs::node::Kind;
use crate::os::kernel::cgroup::Limits;
use crate::os::kernel::process::Handle;
use crate::os::kernel::{Disposition, Gpid, Proc, ProcessSpec, Signal, Status, TtyId};

const DEFAULT_PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// The host's init, which adopts what daemons leave.
const INIT_PID: Gpid = 1;
/// Seconds from the stop signal to SIGKILL.
const STOP_SECONDS: i64 = 10;
/// Longest back-off between restarts (moby `restartmanager`).
const MAX_BACKOFF: Duration = Duration::from_secs(60);
/// A container that ran this long starts its back-off anew.
const BACKOFF_RESET: Duration = Duration::from_secs(10);

/// What an exec is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecState {
    /// Not started.
    Created,
    /// Runs as this process of the host.
    Running(Gpid),
    /// Ended with this code.
    Exited(i64),
}

/// A further process in a container.
pub struct Exec {
    /// Its id.
    pub id: String,
    /// The container.
    pub container: ContainerId,
    /// What was asked for.
    pub config: ExecConfig,
    /// What it does.
    pub state: ExecState,
    /// Its terminal.
    pub tty: Option<TtyId>,
}

/// How a process in a container starts.
struct Launch {
    spec: ProcessSpec,
    /// An interpreter or format that `execve` would refuse, after the container has started.
    broken: Option<String>,
}

impl World {
    /// Runs `work` in a process of the host, so that it outlives whoever asked for it.
    pub fn background(&self, name: &str, args: &[&str], work: impl Future<Output = ()> + 'static) {
        let _ = self.background_with(name, args, |_| work);
    }

    /// The same, for work that needs its own process; the process is returned.
    fn background_with<F>(&self, name: &str, args: &[&str], work: impl FnOnce(Proc) -> F) -> Option<Gpid>
    where
        F: Future<Output = ()> + 'static,
    {
        let null = self.kernel.null();
        let spec = ProcessSpec {
            program: format!("/usr/bin/{name}").into(),
            args: std::iter::once(name).chain(args.iter().copied()).map(BString::from).collect(),
            stdio: [null.clone(), null.clone(), null],
            tty: None,
            cgroup: String::new(),
            cwd: "/".into(),
            ..self.host.clone()
        };
        // Too many processes: what was to be done is not done, as on a real host that is out of them.
        let spawned = self.kernel.spawn_with(spec, |proc| {
            proc.on_signal(Signal::PIPE, Disposition::Ignore);
            let work = work(proc);
            Box::pin(async move {
                work.await;
                0
            })
        });
        let spawned = spawned.ok()?;
        self.kernel.watched_over(spawned, Some(INIT_PID));
        Some(spawned)
    }

    /// Makes a container's standard streams, unless a client that attached early has.
    fn prepare_console(&self, id: ContainerId) {
        let (has_tty, open_stdin, size, has_one) = self
            .with(id, |c| (c.config.tty, c.config.open_stdin, c.host.console_size, c.console.tty.is_some()))
            .unwrap_or_default();
        let tty = (has_tty && !has_one).then(|| self.new_tty(id, size));
        let pipe = (!has_tty && open_stdin).then(|| self.kernel.pipe());
        self.with(id, |c| {
            if has_tty {
                c.console.tty = c.console.tty.or(tty);
            } else if let Some((read, write)) = pipe
                && c.console.stdin.is_none()
            {
                c.console.stdin = Some(read);
                c.console.stdin_writer = Some(write);
            }
        });
    }

    fn new_tty(&self, id: ContainerId, size: [u16; 2]) -> TtyId {
        let [height, width] = size;
        let or = |n: u16, default: u16| if n == 0 { default } else { n };
        self.kernel.new_tty_in(&id.to_string(), or(width, 80), or(height, 24))
    }

    /// Starts a container.
    pub fn launch(self: &Rc<Self>, id: ContainerId) -> Result<(), DaemonError> {
        match self.with(id, |c| c.state.clone()) {
            Some(State::Running(_)) => return Ok(()),
            Some(State::Paused(_)) => return Err(DaemonError::StartPaused),
            None => return Err(DaemonError::NoSuchContainer(id.to_string())),
            Some(_) => {}
        }
        let oom_kills = self.kernel.cgroup(&id.to_string()).1.oom_kills;
        self.with(id, |c| {
            c.generation += 1;
            c.stopped_by_user = false;
            c.oom_killed = false;
            c.oom_kills_before = oom_kills;
            c.last_stats = None;
        });
        self.prepare_console(id);
        let (net, own_net) = self.network_namespace(id)?;
        let started = self.launch_in(id, net);
        if let Err(error) = &started {
            self.unmount_volumes(id, &self.with(id, |c| c.mounts.clone()).unwrap_or_default());
            self.unpublish_ports(id);
            self.leave_networks(id);
            if own_net {
                self.kernel.network(|n| n.remove(net));
            }
            let (tty, auto_remove) = self
                .with(id, |c| {
                    let ended = c.state.ended().cloned().unwrap_or_default();
                    let code = error.runtime().map_or(128, |runtime| i64::from(runtime.exit_status()));
                    let failed = Ended { code, error: error.to_string(), ..ended };
                    c.state = match c.state {
                        State::Created(_) => State::Created(failed),
                        _ => State::Exited(failed),
                    };
                    c.sinks.clear();
                    c.tell(code, &[WaitCondition::NotRunning, WaitCondition::NextExit]);
                    (std::mem::take(&mut c.console).tty, c.host.auto_remove)
                })
                .unwrap_or_default();
            if let Some(tty) = tty {
                self.kernel.remove_tty(tty);
            }
            self.changed();
            if auto_remove {
                self.destroy(id, true);
            }
        }
        started
    }

    /// The network namespace to start in, and whether it was made for this.
    fn network_namespace(&self, id: ContainerId) -> Result<(crate::os::kernel::net::NetId, bool), DaemonError> {
        let mode = self.with(id, |c| c.host.network_mode.clone()).unwrap_or_default();
        if mode == "host" {
            return Ok((self.host.net, false));
        }
        if let Some(other) = mode.strip_prefix("container:") {
            let other_id = self.find(other)?;
            let net = self.with(other_id, |c| c.state.run().map(|run| run.net)).flatten();
            if other_id == id {
                return Err(DaemonError::JoinSelf);
            }
            return net.map(|net| (net, false)).ok_or_else(|| DaemonError::JoinNotRunning(other_id.to_string()));
        }
        let settings = self.with(id, |c| c.host.sysctls.clone()).unwrap_or_default();
        let net = self.kernel.network(|network| {
            let net = network.add();
            if let Some(namespace) = network.get_mut(net) {
                // Users other than root may listen on port 80 (moby `daemon/oci_linux.go`, since 20.10).
                namespace.first_free_port = 0;
                for (name, value) in settings {
                    // It was checked when the container was made.
                    let path = name.trim_start_matches("net.").replace('.', "/");
                    let _ = namespace.set(&path, &value);
                }
            }
            net
        });
        Ok((net, true))
    }

    fn launch_in(self: &Rc<Self>, id: ContainerId, net: crate::os::kernel::net::NetId) -> Result<(), DaemonError> {
        self.join_networks(id, net)?;
        self.publish_ports(id, net)?;
        // Who shares a network has the name of whose it is (moby `initializeNetworking`).
        let owner = self.with(id, |c| c.host.network_mode.strip_prefix("container:").map(ToOwned::to_owned)).flatten();
        let shared = owner.and_then(|owner| self.with(self.find(&owner).ok()?, |c| c.config.hostname.clone()));
        if let Some(shared) = shared {
            self.with(id, |c| c.config.hostname = shared);
        }
        let (output, launch, tty, hostname) = {
            let state = self.state.borrow();
            let missing = || DaemonError::NoSuchContainer(id.to_string());
            let container = state.containers.get(&id).ok_or_else(missing)?;
            if let Some(driver) = &container.host.gpu_driver {
                return Err(DaemonError::NoGpu { driver: driver.clone() });
            }
            self.write_network_files(container)?;
            self.mount_volumes(container)?;
            let tty = container.console.tty;
            let mounts = self.rootfs(container, tty)?;
            let now = self.kernel.now();
            if !container.config.working_dir.is_empty() {
                let dir = &container.config.working_dir;
                files::mkdir_all(&mounts, dir.as_bytes(), 0o755, now)
                    .map_err(|_| DaemonError::Start(RuntimeError::WorkingDirNotDirectory(dir.clone())))?;
            }
            let mut output = None;
            let stdio = match tty {
                Some(tty) => {
                    let slave = self.kernel.open_tty(tty);
                    [slave.clone(), slave.clone(), slave]
                }
                None => {
                    let ((out_read, out), (err_read, err)) = (self.kernel.pipe(), self.kernel.pipe());
                    output = Some((out_read, err_read));
                    let stdin = container.console.stdin.clone();
                    [stdin.unwrap_or_else(|| self.kernel.null()), out, err]
                }
            };
            let hostname = match container.host.uts_mode.as_str() {
                "host" => Rc::clone(&self.host.hostname),
                _ => Rc::new(RefCell::new(container.config.hostname.clone())),
            };
            if container.host.resources.cpu_shares.is_some_and(|shares| shares < 0) {
                return Err(DaemonError::BadResources("shares: invalid argument"));
            }
            let oom_score_adj = container.host.oom_score_adj;
            self.kernel.limit(&id.to_string(), Limits { oom_score_adj, ..container.host.resources.limits() });
            let mut base = vec![DEFAULT_PATH.to_owned(), format!("HOSTNAME={}", container.config.hostname)];
            if tty.is_some() {
                base.push("TERM=xterm".to_owned());
            }
            base.extend(links::environment(&state, container)?);
            let launch = self.prepare(Prepare {
                words: match container.host.init {
                    Some(true) => [vec![INIT_INSIDE.to_owned(), "--".to_owned()], container.command()].concat(),
                    _ => container.command(),
                },
                host: Some(&container.host),
                user: &container.config.user,
                cwd: &container.config.working_dir,
                env: &[base.as_slice(), container.config.env.as_slice()].concat(),
                mounts: Rc::new(RefCell::new(mounts)),
                net,
                hostname: Rc::clone(&hostname),
                stdio,
                tty,
                pid_namespace: self.pid_namespace(&container.host.pid_mode, &state)?,
                cgroup: id.to_string(),
            });
            let launch = launch.map_err(|error| match error {
                RuntimeError::NoUser(_) | RuntimeError::NoGroup(_) | RuntimeError::IdRange => {
                    DaemonError::Runtime(error)
                }
                other => DaemonError::Start(other),
            })?;
            (output, launch, tty, hostname)
        };
        // The shim comes first in the run queue, so that it watches before the process can have ended.
        let watched = Rc::new(Cell::new(0));
        let (world, watch) = (Rc::clone(self), Rc::clone(&watched));
        let text = id.to_string();
        let args = ["-namespace", "moby", "-id", text.as_str(), "-address", "/run/containerd/containerd.sock"];
        let master = tty.map(|tty| (tty, self.kernel.open_master(tty)));
        let shim = self.background_with("containerd-shim-runc-v2", &args, |proc| {
            supervise(world, proc, id, watch, output, master)
        });
        let (mounts, env) = (Rc::clone(&launch.spec.mounts), launch.spec.env.clone());
        let gpid = self.spawn(launch).map_err(DaemonError::Start)?;
        watched.set(gpid);
        self.kernel.watched_over(gpid, shim);
        let run = Run {
            started: self.kernel.now(),
            gpid,
            namespace: self.kernel.pid_namespace(gpid).unwrap_or(0),
            mounts,
            net,
            hostname,
            shim,
            env: env.iter().map(ToString::to_string).collect(),
            finished: self.with(id, |c| c.state.ended().and_then(|ended| ended.finished)).flatten(),
        };
        self.with(id, |c| {
            c.state = State::Running(run);
            // The process has its end now; the daemon must not keep it open.
            c.console.stdin = None;
        });
        if let Some(container) = self.state.borrow().containers.get(&id) {
            self.mount_merged(container);
        }
        self.refresh_names();
        self.tell_of_volumes(id, "mount");
        self.emit_container(id, "start", &[]);
        self.watch_health(id);
        Ok(())
    }

    /// The namespace of process numbers to start in; `None` for one of its own.
    fn pid_namespace(&self, mode: &str, state: &super::handle::State) -> Result<Option<u32>, DaemonError> {
        let Some(other) = mode.strip_prefix("container:") else { return Ok((mode == "host").then_some(1)) };
        let joined = state.resolve(other).and_then(|id| {
            let run = state.containers.get(&id).and_then(|c| c.state.run());
            run.map(|run| Some(run.namespace)).ok_or_else(|| DaemonError::NotRunning(other.to_owned()))
        });
        joined.map_err(|why| DaemonError::Join { namespace: "PID", why: Box::new(why) })
    }

    fn spawn(&self, launch: Launch) -> Result<Gpid, RuntimeError> {
        let program = launch.spec.args.first().map(ToString::to_string).unwrap_or_default();
        let spawned = match launch.broken {
            None => self.kernel.spawn(launch.spec),
            Some(text) => self.kernel.spawn_with(launch.spec, |proc| {
                Box::pin(async move {
                    proc.eprint(text).await;
                    255
                })
            }),
        };
        spawned.map_err(|error| match error {
            Errno::ENOSYS => RuntimeError::NotSimulated(program),
            error => RuntimeError::Spawn(error),
        })
    }

    fn prepare(&self, from: Prepare<'_>) -> Result<Launch, RuntimeError> {
        let mounts = from.mounts.borrow();
        let mut user = users::lookup(&mounts, from.user)?;
        if let Some(host) = from.host {
            user.cred.dropped = host.dropped();
            for group in &host.group_add {
                user.cred.groups.push(users::group(&mounts, group)?);
            }
        }
        let mut env: Vec<String> = Vec::new();
        for word in from.env {
            let name = word.split('=').next().unwrap_or_default();
            match env.iter_mut().find(|have| have.split('=').next() == Some(name)) {
                // A name without a value is taken out.
                Some(have) if word.contains('=') => have.clone_from(word),
                Some(_) => env.retain(|have| have.split('=').next() != Some(name)),
                None if word.contains('=') => env.push(word.clone()),
                None => {}
            }
        }
        // runc takes an empty one for none.
        env.retain(|word| word != "HOME=");
        if !env.iter().any(|word| word.starts_with("HOME=")) {
            env.push(format!("HOME={}", user.home));
        }
        let cwd = if from.cwd.is_empty() { "/" } else { from.cwd };
        let who = Caller { cred: user.cred.clone(), cwd: cwd.into(), umask: 0o022, now: self.kernel.now() };
        match mounts.stat(&who, cwd.as_bytes(), true) {
            Ok(stat) if stat.is_dir() => {}
            _ => return Err(RuntimeError::NoCwd(cwd.to_owned())),
        }
        let word = from.words.first().cloned().unwrap_or_default();
        let program = find_program(&mounts, &who, &word, &env)?;
        let broken = refused(&mounts, &who, &program);
        drop(mounts);
        let spec = ProcessSpec {
            program,
            args: from.words.iter().map(|word| word.as_str().into()).collect(),
            env: env.iter().map(|word| word.as_str().into()).collect(),
            cwd: cwd.into(),
            cred: user.cred,
            mounts: from.mounts,
            net: from.net,
            hostname: from.hostname,
            stdio: from.stdio,
            tty: from.tty,
            pid_namespace: from.pid_namespace,
            cgroup: from.cgroup,
        };
        Ok(Launch { spec, broken })
    }

    /// A container's process ended. A back-off to wait before the next start is returned, with its generation.
    fn exited(self: &Rc<Self>, id: ContainerId, status: Status) -> Option<(Duration, u64)> {
        let now = self.kernel.now();
        let code = i64::from(status.code());
        let oom_kills = self.kernel.cgroup(&id.to_string()).1.oom_kills;
        // Processes that share another's numbers do not end with the first.
        if self.with(id, |c| !c.host.pid_mode.is_empty()) == Some(true) {
            for process in self.kernel.processes(None).into_iter().filter(|p| p.cgroup == id.to_string()) {
                let _ = self.kernel.kill(process.gpid, Signal::KILL);
            }
        }
        self.unmount_merged(id);
        self.unpublish_ports(id);
        self.tell_of_volumes(id, "unmount");
        self.leave_networks(id);
        self.collect_file_events();
        let mut remove = None;
        let mut again = None;
        let console = self.with(id, |c| {
            let run = c.state.run().cloned();
            let started = run.as_ref().map(|run| run.started);
            let own_net = c.host.network_mode != "host" && !c.host.network_mode.starts_with("container:");
            remove = run.as_ref().filter(|_| own_net).map(|run| run.net);
            let ended = Ended { started, finished: Some(now), code, error: String::new() };
            c.log.end(now);
            c.sinks.clear();
            c.oom_killed = oom_kills > c.oom_kills_before;
            if let Some(health) = &mut c.health {
                // moby: a check that has ended leaves the container unhealthy.
                health.status = super::health::Status::Unhealthy;
            }
            let ran = now.since(started.unwrap_or(now));
            let policy = &c.host.restart_policy;
            let limit = u32::try_from(policy.maximum_retry_count).unwrap_or(0);
            let wanted = match policy.name.as_str() {
                "always" | "unless-stopped" => !c.stopped_by_user,
                "on-failure" => !c.stopped_by_user && code != 0 && (limit == 0 || c.restart_count < limit),
                _ => false,
            };
            if wanted {
                if ran >= BACKOFF_RESET {
                    c.restart_count = 0;
                }
                let backoff = Duration::from_millis(100).saturating_mul(1 << c.restart_count.min(10));
                c.restart_count += 1;
                again = Some((backoff.min(MAX_BACKOFF), c.generation));
                c.state = State::Restarting(ended);
                c.tell(code, &[WaitCondition::NextExit]);
            } else {
                c.state = State::Exited(ended);
                c.tell(code, &[WaitCondition::NotRunning, WaitCondition::NextExit]);
            }
            std::mem::take(&mut c.console)
        });
        self.unmount_volumes(id, &self.with(id, |c| c.mounts.clone()).unwrap_or_default());
        if let Some(net) = remove {
            self.kernel.network(|n| n.remove(net));
        }
        if let Some(tty) = console.as_ref().and_then(|console| console.tty) {
            self.kernel.remove_tty(tty);
        }
        drop(console);
        if self.with(id, |c| c.oom_killed) == Some(true) {
            self.emit_container(id, "oom", &[]);
        }
        self.emit_container(id, "die", &[("exitCode", code.to_string())]);
        if again.is_none() && self.with(id, |c| c.host.auto_remove) == Some(true) {
            self.destroy(id, true);
        }
        again
    }

    fn signal(&self, id: ContainerId, signal: Signal) {
        let run = self.with(id, |c| c.state.run().cloned()).flatten();
        if let Some(run) = run {
            let was_paused = self.with(id, |c| matches!(c.state, State::Paused(_))) == Some(true);
            if was_paused && signal == Signal::KILL {
                self.thaw(id);
            }
            // It may have ended meanwhile, which is what was wanted.
            let _ = self.kernel.kill(run.gpid, signal);
            self.emit_container(id, "kill", &[("signal", signal.0.to_string())]);
        }
    }

    fn thaw(&self, id: ContainerId) {
        self.kernel.freeze(&id.to_string(), false);
        self.with(id, |c| {
            if let State::Paused(run) = &c.state {
                c.state = State::Running(run.clone());
            }
        });
    }

    fn watch(&self, id: ContainerId, condition: WaitCondition) -> Wait {
        let (to, receiver) = stream(&self.kernel);
        self.with(id, |c| {
            let ended = match (&c.state, condition) {
                (State::Created(ended) | State::Exited(ended), WaitCondition::NotRunning) => Some(ended.code),
                _ => None,
            };
            match ended {
                Some(code) => drop(to.push(code)),
                None => c.waiters.push((condition, to)),
            }
        });
        Wait { receiver }
    }
}

struct Prepare<'a> {
    words: Vec<String>,
    /// What the container may do; a build's step may all.
    host: Option<&'a HostConfig>,
    user: &'a str,
    cwd: &'a str,
    env: &'a [String],
    mounts: Rc<RefCell<Mounts>>,
    net: crate::os::kernel::net::NetId,
    hostname: Rc<RefCell<String>>,
    stdio: [Handle; 3],
    tty: Option<TtyId>,
    pid_namespace: Option<u32>,
    cgroup: String,
}

/// Go's `exec.LookPath` in the container.
fn find_program(mounts: &Mounts, who: &Caller, word: &str, env: &[String]) -> Result<BString, RuntimeError> {
    if word.contains('/') {
        return match mounts.stat(who, word.as_bytes(), true) {
            Err(Errno::EACCES) => Err(RuntimeError::NotExecutable(word.to_owned())),
            Err(_) => Err(RuntimeError::NoSuchFile(word.to_owned())),
            Ok(stat) if stat.kind == Kind::Dir => Err(RuntimeError::IsDirectory(word.to_owned())),
            Ok(_) if mounts.access(who, word.as_bytes(), 1).is_err() => {
                Err(RuntimeError::NotExecutable(word.to_owned()))
            }
            Ok(_) => Ok(word.into()),
        };
    }
    let path_value = env.iter().find_map(|have| have.strip_prefix("PATH=")).unwrap_or_default();
    for dir in path_value.split(':').filter(|_| !word.is_empty()) {
        let candidate = path::join(if dir.is_empty() { b"." } else { dir.as_bytes() }, word.as_bytes());
        let is_file = mounts.stat(who, &candidate, true).is_ok_and(|stat| stat.kind != Kind::Dir);
        if is_file && mounts.access(who, &candidate, 1).is_ok() {
            return Ok(candidate);
        }
    }
    Err(RuntimeError::NotInPath(word.to_owned()))
}

/// What `execve` would say of a file that is there and executable, in runc's words.
fn refused(mounts: &Mounts, who: &Caller, program: &BString) -> Option<String> {
    use crate::os::kernel::exec::{Format, HEAD_BYTES, gained, recognise};
    let head = files::read(mounts, program).ok()?.head(HEAD_BYTES);
    if let Ok(place) = mounts.find(who, program, true)
        && !mounts.ignores_set_ids(&place)
        && gained(&who.cred, &place).is_err()
    {
        return Some(format!("exec {program}: operation not permitted\n"));
    }
    match recognise(&head) {
        Format::Program(..) => None,
        Format::Script(interpreter, _) => match mounts.stat(who, &interpreter, true) {
            Ok(_) => None,
            Err(_) => Some(format!("exec {program}: no such file or directory\n")),
        },
        Format::ForeignElf => Some(format!("exec {program}: this program is not simulated\n")),
        Format::Unknown => Some(format!("exec {program}: exec format error\n")),
    }
}

/// A shim: copies output, waits for the end, restarts when the policy says so.
async fn supervise(
    world: Rc<World>,
    proc: Proc,
    id: ContainerId,
    watched: Rc<Cell<Gpid>>,
    output: Option<(Handle, Handle)>,
    master: Option<(TtyId, Handle)>,
) {
    let gpid = watched.get();
    if gpid == 0 {
        return;
    }
    let ended = async {
        let status = world.kernel.ended(gpid).await;
        if let Some((tty, _)) = &master {
            world.kernel.hang_up(*tty);
        }
        status
    };
    let copied = async {
        match (&output, &master) {
            (Some((out, err)), _) => {
                zip(copy(&world, &proc, id, out, Source::Stdout), copy(&world, &proc, id, err, Source::Stderr)).await;
            }
            (None, Some((_, master))) => copy(&world, &proc, id, master, Source::Stdout).await,
            (None, None) => {}
        }
    };
    let (status, ()) = zip(ended, copied).await;
    let Some((backoff, generation)) = world.exited(id, status) else { return };
    world.kernel.sleep(backoff).await;
    let still_wanted =
        world.with(id, |c| c.generation == generation && matches!(c.state, State::Restarting(_))) == Some(true);
    if still_wanted {
        // A start that fails leaves its reason in the container's state.
        let _ = world.launch(id);
    }
}

async fn copy(world: &Rc<World>, proc: &Proc, id: ContainerId, from: &Handle, source: Source) {
    loop {
        let Ok(bytes) = proc.read_handle(from, 1 << 16).await else { return };
        if bytes.is_empty() {
            return;
        }
        let now = world.kernel.now();
        let sinks = world.with(id, |c| c.output(source, &bytes, now)).unwrap_or_default();
        for sink in sinks {
            sink.send(Frame { source, bytes: bytes.clone() }).await;
        }
    }
}

/// Copies an exec's output to its client until the process ends; what is in the pipes then is still sent.
async fn forward(
    world: Rc<World>,
    proc: Proc,
    exec: String,
    watched: Rc<Cell<Gpid>>,
    sources: Vec<(Handle, Source)>,
    tty: Option<TtyId>,
    to: Sender<Frame>,
) {
    let gpid = watched.get();
    if gpid == 0 {
        return;
    }
    let one = async |index: usize| {
        let Some((from, source)) = sources.get(index) else { return };
        while let Ok(bytes) = proc.read_handle(from, 1 << 16).await
            && !bytes.is_empty()
        {
            to.send(Frame { source: *source, bytes }).await;
        }
    };
    let status = {
        let copying = async {
            zip(one(0), one(1)).await;
            std::future::pending::<Status>().await
        };
        or(world.kernel.ended(gpid), copying).await
    };
    for (from, source) in &sources {
        while let Some(Ok(bytes)) = poll_once(proc.read_handle(from, 1 << 16)).await
            && !bytes.is_empty()
        {
            to.push(Frame { source: *source, bytes });
        }
    }
    if let Some(tty) = tty {
        world.kernel.hang_up(tty);
        world.kernel.remove_tty(tty);
    }
    let code = i64::from(status.code());
    let container = {
        let mut state = world.state.borrow_mut();
        state.execs.get_mut(&exec).map(|exec| {
            exec.state = ExecState::Exited(code);
            exec.container
        })
    };
    if let Some(container) = container {
        world.emit_container(container, "exec_die", &[("execID", exec), ("exitCode", code.to_string())]);
    }
}

impl Daemon {
    /// `POST /containers/{id}/start`. Starting a running one changes nothing.
    ///
    /// # Errors
    /// What keeps it from starting; it stays as it was then.
    pub async fn container_start(&self, name: &str) -> Result<(), DaemonError> {
        let id = self.0.find(name)?;
        self.0.with(id, |c| c.restart_count = 0);
        self.0.launch(id)
    }

    /// `POST /containers/{id}/stop`: the stop signal, a grace, SIGKILL. Goes on when the client goes away.
    ///
    /// # Errors
    /// No such container, no such signal.
    pub async fn container_stop(&self, name: &str, options: StopOptions) -> Result<(), DaemonError> {
        let id = self.0.find(name)?;
        let signal = match &options.signal {
            Some(text) => Some(Signal::parse(text).ok_or_else(|| DaemonError::BadSignal(text.clone()))?),
            None => None,
        };
        if self.0.with(id, |c| matches!(c.state, State::Created(_) | State::Exited(_))) == Some(true) {
            return Ok(());
        }
        let (own_signal, own_seconds) = self
            .0
            .with(id, |c| (Signal::parse(&c.config.stop_signal), c.config.stop_timeout_seconds))
            .unwrap_or_default();
        let signal = signal.or(own_signal).unwrap_or(Signal::TERM);
        let seconds = options.timeout_seconds.or(own_seconds).unwrap_or(STOP_SECONDS);
        let waits = (self.0.watch(id, WaitCondition::NotRunning), self.0.watch(id, WaitCondition::NotRunning));
        self.0.with(id, |c| c.stopped_by_user = true);
        self.0.cancel_restart(id);
        self.0.thaw(id);
        let (world, job) = (Rc::clone(&self.0), waits.0);
        self.0.background("dockerd", &["stop"], async move {
            world.signal(id, signal);
            let grace = async {
                match u64::try_from(seconds) {
                    Ok(seconds) => world.kernel.sleep(Duration::from_secs(seconds)).await,
                    Err(_) => std::future::pending().await,
                }
                true
            };
            let ended = async {
                job.ended().await;
                false
            };
            if or(ended, grace).await {
                world.signal(id, Signal::KILL);
            }
        });
        waits.1.ended().await;
        self.0.emit_container(id, "stop", &[]);
        Ok(())
    }

    /// `POST /containers/{id}/restart`.
    ///
    /// # Errors
    /// As stop and start.
    pub async fn container_restart(&self, name: &str, options: StopOptions) -> Result<(), DaemonError> {
        let id = self.0.find(name)?;
        self.container_stop(&id.to_string(), options).await?;
        self.0.with(id, |c| c.restart_count = 0);
        self.0.launch(id)?;
        self.0.emit_container(id, "restart", &[]);
        Ok(())
    }

    /// `POST /containers/{id}/kill`.
    ///
    /// # Errors
    /// One that does not run, no such signal.
    pub async fn container_kill(&self, name: &str, signal: &str) -> Result<(), DaemonError> {
        let id = self.0.find(name)?;
        let signal = match signal {
            "" => Signal::KILL,
            text => Signal::parse(text).ok_or_else(|| DaemonError::BadSignal(text.to_owned()))?,
        };
        if self.0.with(id, |c| c.state.run().is_some()) != Some(true) {
            return Err(DaemonError::KillNotRunning { name: name.to_owned(), id: id.to_string() });
        }
        if signal == Signal::KILL {
            self.kill_and_wait(id, signal).await;
        } else {
            self.0.with(id, |c| {
                let stops = Signal::parse(&c.config.stop_signal).unwrap_or(Signal::TERM);
                c.stopped_by_user |= signal == stops;
            });
            self.0.signal(id, signal);
        }
        Ok(())
    }

    /// Sends a signal that ends a container and waits until it has.
    pub(super) async fn kill_and_wait(&self, id: ContainerId, signal: Signal) {
        self.0.with(id, |c| {
            c.stopped_by_user = true;
            // Who kills it to remove it does not want it removed twice.
            c.host.auto_remove &= signal != Signal::KILL || c.state.run().is_some();
        });
        self.0.cancel_restart(id);
        let wait = self.0.watch(id, WaitCondition::NotRunning);
        self.0.signal(id, signal);
        wait.ended().await;
    }

    /// `POST /containers/{id}/pause`.
    ///
    /// # Errors
    /// One that does not run or is paused.
    pub fn container_pause(&self, name: &str) -> Result<(), DaemonError> {
        let id = self.0.find(name)?;
        match self.0.with(id, |c| c.state.clone()) {
            Some(State::Running(run)) => {
                self.0.kernel.freeze(&id.to_string(), true);
                self.0.with(id, |c| c.state = State::Paused(run));
                self.0.emit_container(id, "pause", &[]);
                Ok(())
            }
            Some(State::Paused(_)) => Err(DaemonError::Paused(id.to_string())),
            Some(State::Restarting(_)) => Err(DaemonError::Restarting(id.to_string())),
            _ => Err(DaemonError::NotRunning(id.to_string())),
        }
    }

    /// `POST /containers/{id}/unpause`.
    ///
    /// # Errors
    /// One that is not paused.
    pub fn container_unpause(&self, name: &str) -> Result<(), DaemonError> {
        let id = self.0.find(name)?;
        if self.0.with(id, |c| matches!(c.state, State::Paused(_))) != Some(true) {
            return Err(DaemonError::NotPaused(id.to_string()));
        }
        self.0.thaw(id);
        self.0.emit_container(id, "unpause", &[]);
        Ok(())
    }

    /// `POST /containers/{id}/wait`: register before what shall be waited for is caused.
    ///
    /// # Errors
    /// No such container.
    pub fn container_wait(&self, name: &str, condition: WaitCondition) -> Result<Wait, DaemonError> {
        let id = self.0.find(name)?;
        Ok(self.0.watch(id, condition))
    }

    /// `POST /containers/{id}/update`; warnings.
    ///
    /// # Errors
    /// No such container, settings that contradict one another.
    pub fn container_update(&self, name: &str, request: UpdateRequest) -> Result<Vec<String>, DaemonError> {
        let id = self.0.find(name)?;
        if let Some(policy) = &request.restart_policy {
            super::create::check_restart(policy)?;
        }
        let updated = self.0.with(id, |c| {
            if let Some(policy) = request.restart_policy {
                if c.host.auto_remove && !matches!(policy.name.as_str(), "" | "no") {
                    return Err(DaemonError::UpdateAutoRemove);
                }
                c.host.restart_policy = policy;
            }
            let updated = c.host.resources.update(request.resources);
            let oom_score_adj = c.host.oom_score_adj;
            self.0.kernel.limit(&id.to_string(), Limits { oom_score_adj, ..c.host.resources.limits() });
            updated
        });
        let updated = updated.unwrap_or(Ok(()));
        updated.map_err(|cause| DaemonError::Update { id: id.to_string(), cause: Box::new(cause) })?;
        self.0.emit_container(id, "update", &[]);
        Ok(Vec::new())
    }

    /// `POST /containers/{id}/resize`.
    ///
    /// # Errors
    /// No such container.
    pub fn container_resize(&self, name: &str, height: u16, width: u16) -> Result<(), DaemonError> {
        let id = self.0.find(name)?;
        if let Some(tty) = self.0.with(id, |c| c.console.tty).flatten() {
            self.0.kernel.resize(tty, width, height);
        }
        Ok(())
    }

    /// `POST /containers/{id}/attach`, before or after the start.
    ///
    /// # Errors
    /// No such container; a paused one.
    pub fn container_attach(&self, name: &str, options: AttachOptions) -> Result<Attached, DaemonError> {
        let id = self.0.find(name)?;
        match self.0.with(id, |c| c.state.clone()) {
            Some(State::Paused(_)) => return Err(DaemonError::AttachPaused(id.to_string())),
            Some(State::Restarting(_)) => return Err(DaemonError::Restarting(id.to_string())),
            Some(State::Created(_) | State::Exited(_)) => self.0.prepare_console(id),
            _ => {}
        }
        let (to, output) = stream(&self.0.kernel);
        let (tty, terminal, writer) = self
            .0
            .with(id, |c| {
                if options.logs {
                    for frame in c.log.frames() {
                        to.push(frame);
                    }
                }
                c.sinks.push(Sink { to, stdout: options.stdout, stderr: options.stderr });
                let writer = match () {
                    () if !options.stdin => None,
                    () if c.config.stdin_once => c.console.stdin_writer.take(),
                    () => c.console.stdin_writer.clone(),
                };
                (c.config.tty, c.console.tty, writer)
            })
            .unwrap_or_default();
        let terminal = terminal.filter(|_| options.stdin).map(|tty| self.0.kernel.open_master(tty));
        self.0.emit_container(id, "attach", &[]);
        Ok(Attached { tty, stdin: terminal.or(writer), output })
    }

    /// `POST /containers/{id}/exec`: the id of the exec.
    ///
    /// # Errors
    /// A container that does not run, or is paused; no command.
    pub fn exec_create(&self, name: &str, config: ExecConfig) -> Result<String, DaemonError> {
        let id = self.0.find(name)?;
        match self.0.with(id, |c| c.state.clone()) {
            Some(State::Running(_)) => {}
            Some(State::Paused(_)) => return Err(DaemonError::ExecPaused(id.to_string())),
            Some(State::Restarting(_)) => return Err(DaemonError::Restarting(id.to_string())),
            _ => return Err(DaemonError::NotRunning(id.to_string())),
        }
        if config.cmd.is_empty() {
            return Err(DaemonError::NoExecCommand);
        }
        let exec_id = self.0.new_id().hex();
        let words = config.cmd.join(" ");
        let exec = Exec { id: exec_id.clone(), container: id, config, state: ExecState::Created, tty: None };
        self.0.state.borrow_mut().execs.insert(exec_id.clone(), exec);
        self.0.emit_container(id, &format!("exec_create: {words}"), &[("execID", exec_id.clone())]);
        Ok(exec_id)
    }

    /// `POST /exec/{id}/start`; attached unless `detach`.
    ///
    /// # Errors
    /// What keeps it from starting.
    pub fn exec_start(&self, exec: &str, detach: bool) -> Result<Option<Attached>, DaemonError> {
        let world = &self.0;
        let (id, config) = {
            let state = world.state.borrow();
            let exec = state.execs.get(exec).ok_or_else(|| DaemonError::NoSuchExec(exec.to_owned()))?;
            (exec.container, exec.config.clone())
        };
        let run = world.with(id, |c| c.state.run().cloned()).flatten();
        let run = run.ok_or_else(|| DaemonError::NotRunning(id.to_string()))?;
        let (own_user, own_cwd, mut host) = world
            .with(id, |c| (c.config.user.clone(), c.config.working_dir.clone(), c.host.clone()))
            .unwrap_or_default();
        if config.privileged {
            // Whatever the container was denied.
            host.privileged = true;
            host.cap_drop.clear();
            host.security_opt.clear();
        }
        let tty = config.tty.then(|| world.new_tty(id, config.console_size));
        let mut sources = Vec::new();
        let mut stdin = None;
        let stdio = match tty {
            Some(tty) => {
                let slave = world.kernel.open_tty(tty);
                sources.push((world.kernel.open_master(tty), Source::Stdout));
                if config.attach_stdin {
                    stdin = Some(world.kernel.open_master(tty));
                }
                [slave.clone(), slave.clone(), slave]
            }
            None => {
                let ((out_read, out), (err_read, err)) = (world.kernel.pipe(), world.kernel.pipe());
                sources.push((out_read, Source::Stdout));
                sources.push((err_read, Source::Stderr));
                let input = if config.attach_stdin {
                    let (read, write) = world.kernel.pipe();
                    stdin = Some(write);
                    read
                } else {
                    world.kernel.null()
                };
                [input, out, err]
            }
        };
        let mut env = run.env.clone();
        // The home is the user's own, unless the container's settings name one.
        let asked = world.with(id, |c| c.config.env.clone()).unwrap_or_default();
        env.retain(|word| !word.starts_with("HOME=") || asked.contains(word));
        if tty.is_some() && !env.iter().any(|word| word.starts_with("TERM=")) {
            env.push("TERM=xterm".to_owned());
        }
        env.extend(config.env.iter().cloned());
        let pick = |own: String, default: String| if own.is_empty() { default } else { own };
        let launch = world
            .prepare(Prepare {
                words: config.cmd.clone(),
                host: Some(&host),
                user: &pick(config.user, own_user),
                cwd: &pick(config.working_dir, own_cwd),
                env: &env,
                mounts: Rc::clone(&run.mounts),
                net: run.net,
                hostname: Rc::clone(&run.hostname),
                stdio,
                tty,
                pid_namespace: Some(run.namespace),
                cgroup: id.to_string(),
            })
            .map_err(|error| match error {
                RuntimeError::NoUser(_) | RuntimeError::NoGroup(_) | RuntimeError::IdRange => {
                    DaemonError::Runtime(error)
                }
                other => DaemonError::Exec(other),
            });
        let (to, output) = stream(&world.kernel);
        let watched = Rc::new(Cell::new(0));
        let started = launch.and_then(|launch| {
            let (own, watch, name) = (Rc::clone(world), Rc::clone(&watched), exec.to_owned());
            let _ = world.background_with("containerd-shim-runc-v2", &["exec"], |proc| {
                forward(own, proc, name, watch, sources, tty, to)
            });
            world.spawn(launch).map_err(DaemonError::Exec)
        });
        match started {
            Ok(gpid) => {
                watched.set(gpid);
                world.kernel.watched_over(gpid, run.shim);
                if let Some(exec) = world.state.borrow_mut().execs.get_mut(exec) {
                    exec.state = ExecState::Running(gpid);
                    exec.tty = tty;
                }
                world.emit_container(
                    id,
                    &format!("exec_start: {}", config.cmd.join(" ")),
                    &[("execID", exec.to_owned())],
                );
                Ok((!detach).then_some(Attached { tty: config.tty, stdin, output }))
            }
            Err(error) => {
                if let Some(tty) = tty {
                    world.kernel.remove_tty(tty);
                }
                let code = error.runtime().map_or(126, |runtime| i64::from(runtime.exit_status()));
                if let Some(exec) = world.state.borrow_mut().execs.get_mut(exec) {
                    exec.state = ExecState::Exited(code);
                }
                Err(error)
            }
        }
    }

    /// `GET /exec/{id}/json`.
    ///
    /// # Errors
    /// No such exec.
    pub fn exec_inspect(&self, exec: &str) -> Result<ExecInspect, DaemonError> {
        let state = self.0.state.borrow();
        let found = state.execs.get(exec).ok_or_else(|| DaemonError::NoSuchExec(exec.to_owned()))?;
        Ok(ExecInspect {
            id: found.id.clone(),
            container_id: found.container.to_string(),
            running: matches!(found.state, ExecState::Running(_)),
            exit_code: match found.state {
                ExecState::Exited(code) => Some(code),
                _ => None,
            },
            pid: match found.state {
                ExecState::Running(gpid) => gpid,
                _ => 0,
            },
        })
    }

    /// `POST /exec/{id}/resize`.
    ///
    /// # Errors
    /// No such exec.
    pub fn exec_resize(&self, exec: &str, height: u16, width: u16) -> Result<(), DaemonError> {
        let tty = {
            let state = self.0.state.borrow();
            state.execs.get(exec).ok_or_else(|| DaemonError::NoSuchExec(exec.to_owned()))?.tty
        };
        if let Some(tty) = tty {
            self.0.kernel.resize(tty, width, height);
        }
        Ok(())
    }

    /// A build's step, as a container of its own: the root is the builder's, nothing is kept.
    ///
    /// # Errors
    /// What keeps it from starting.
    pub fn run_step(&self, step: Step) -> Result<StepRun, RuntimeError> {
        let world = &self.0;
        let net = match step.network.as_str() {
            "host" => world.host.net,
            _ => world.kernel.network(crate::os::kernel::net::Network::add),
        };
        let ((out_read, out), (err_read, err)) = (world.kernel.pipe(), world.kernel.pipe());
        let launch = world.prepare(Prepare {
            words: step.args,
            host: None,
            user: &step.user,
            cwd: &step.cwd,
            env: &[vec![DEFAULT_PATH.to_owned(), format!("HOSTNAME={}", step.hostname)], step.env].concat(),
            mounts: Rc::new(RefCell::new(step.mounts)),
            net,
            hostname: Rc::new(RefCell::new(step.hostname.clone())),
            stdio: [world.kernel.null(), out, err],
            tty: None,
            pid_namespace: None,
            cgroup: step.hostname,
        })?;
        let (to, output) = stream(&world.kernel);
        let (ended_to, ended) = stream(&world.kernel);
        let watched = Rc::new(Cell::new(0));
        let (own, watch) = (Rc::clone(world), Rc::clone(&watched));
        let sources = vec![(out_read, Source::Stdout), (err_read, Source::Stderr)];
        let _ = world.background_with("buildkit-runc", &[], |proc| async move {
            let gpid = watch.get();
            let kernel = own.kernel.clone();
            let ended = kernel.ended(gpid);
            let status = Rc::new(Cell::new(None));
            let seen = Rc::clone(&status);
            let ended = async move { seen.set(Some(ended.await)) };
            zip(ended, forward_all(&proc, &sources, &to)).await;
            ended_to.push(status.get().map_or(0, Status::code));
        });
        let gpid = world.spawn(launch)?;
        watched.set(gpid);
        Ok(StepRun { output, ended, gpid })
    }
}

async fn forward_all(proc: &Proc, sources: &[(Handle, Source)], to: &Sender<Frame>) {
    let one = async |index: usize| {
        let Some((from, source)) = sources.get(index) else { return };
        while let Ok(bytes) = proc.read_handle(from, 1 << 16).await
            && !bytes.is_empty()
        {
            to.send(Frame { source: *source, bytes }).await;
        }
    };
    zip(one(0), one(1)).await;
}

/// A command of a build.
pub struct Step {
    /// What the process sees as `/`; [`Daemon::step_mounts`] makes it.
    pub mounts: Mounts,
    /// The command's words.
    pub args: Vec<String>,
    /// `NAME=value`.
    pub env: Vec<String>,
    /// The working directory.
    pub cwd: String,
    /// The user; empty for root.
    pub user: String,
    /// The host name.
    pub hostname: String,
    /// `default`, `none` or `host`.
    pub network: String,
}

/// A build's command that runs.
pub struct StepRun {
    /// What it writes; ends when it has.
    pub output: Receiver<Frame>,
    /// Its exit status.
    pub ended: Receiver<i32>,
    /// Its number on the host, for who cancels.
    pub gpid: Gpid,
}

impl World {
    /// Takes a container that waits for its next start out of its policy.
    fn cancel_restart(&self, id: ContainerId) {
        self.with(id, |c| {
            c.generation += 1;
            if let State::Restarting(ended) = &c.state {
                let code = ended.code;
                c.state = State::Exited(ended.clone());
                c.tell(code, &[WaitCondition::NotRunning]);
            }
        });
    }
}
