//! The process table: birth, identity, death.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use bstr::{BStr, BString};

use super::file::{Descriptor, Fd, OpenFile};
use super::net::NetId;
use super::signal::{Action, Disposition, Signal};
use super::tty::TtyId;
use super::{Flavour, Gpid, Kernel, MAX_PROCESSES, Task};
use crate::base::errno::Errno;
use crate::base::time::Timestamp;
use crate::os::fs::mounts::{Cred, Mounts};

/// How a process ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// By itself.
    Exited(u8),
    /// By a signal.
    Signaled(Signal),
}

impl Status {
    /// As a shell's `$?`: the exit status, or 128 plus the signal.
    pub const fn code(self) -> i32 {
        match self {
            Self::Exited(code) => code as i32,
            Self::Signaled(signal) => 128 + signal.0 as i32,
        }
    }
}

/// A file descriptor's worth of openness that can be handed to another process.
pub type Handle = Rc<OpenFile>;

/// Everything a new session or container process starts with.
#[derive(Clone)]
pub struct ProcessSpec {
    /// The program's path, or a name to be looked up in `PATH`.
    pub program: BString,
    /// Arguments, the name first.
    pub args: Vec<BString>,
    /// `NAME=value`.
    pub env: Vec<BString>,
    /// The working directory.
    pub cwd: BString,
    /// The user.
    pub cred: Cred,
    /// Its view of files.
    pub mounts: Rc<RefCell<Mounts>>,
    /// Its network.
    pub net: NetId,
    /// The host name, shared by those who see the same one.
    pub hostname: Rc<RefCell<String>>,
    /// Standard input, output and error.
    pub stdio: [Handle; 3],
    /// The controlling terminal.
    pub tty: Option<TtyId>,
    /// The pid namespace to join by one of its processes; `None` for a new one.
    pub pid_namespace: Option<u32>,
    /// A name for the group of processes that is accounted together (a container's id).
    pub cgroup: String,
}

/// The process numbers of a namespace.
#[derive(Default)]
pub(super) struct Numbers {
    pub pids: BTreeMap<u32, Gpid>,
    /// The last one given.
    last: u32,
}

pub(super) struct Process {
    pub gpid: Gpid,
    pub pid: u32,
    pub namespace: u32,
    pub parent: Gpid,
    pub group: u32,
    pub session: u32,
    pub cred: Cred,
    /// Who started it: a program's set-id bit does not change that.
    pub real_uid: u32,
    pub cwd: BString,
    pub umask: u32,
    pub args: Vec<BString>,
    pub env: Vec<BString>,
    pub exe: BString,
    pub comm: BString,
    pub flavour: Flavour,
    pub files: BTreeMap<Fd, Descriptor>,
    pub mounts: Rc<RefCell<Mounts>>,
    pub net: NetId,
    pub hostname: Rc<RefCell<String>>,
    pub tty: Option<TtyId>,
    pub cgroup: String,
    /// Who watches over it from outside of its namespace (a shim): the parent that `ps` shows there.
    pub keeper: Option<Gpid>,
    pub started: Timestamp,
    pub cpu_ticks: u64,
    /// Bytes that the program's file takes in memory.
    pub image_bytes: u64,
    /// Bytes that it has taken for itself.
    pub heap_bytes: u64,
    pub children: BTreeSet<Gpid>,
    pub watchers: BTreeSet<Gpid>,
    pub dispositions: BTreeMap<Signal, Disposition>,
    pub pending: Vec<Signal>,
    /// A signal that ends the process as soon as it stops running.
    pub doomed: Option<Signal>,
    pub life: Life,
    /// Told to the parent's `wait` once.
    pub stop_reported: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Life {
    Running,
    Stopped(Signal),
    Zombie(Status),
}

impl Process {
    pub fn is_stopped(&self) -> bool {
        !matches!(self.life, Life::Running)
    }

    pub fn ended(&self) -> Option<Status> {
        match self.life {
            Life::Zombie(status) => Some(status),
            _ => None,
        }
    }

    pub fn disposition(&self, signal: Signal) -> Disposition {
        self.dispositions.get(&signal).copied().unwrap_or(Disposition::Default)
    }
}

/// A process's own handle: every system call starts here. Programs get one as their only argument.
#[derive(Clone)]
pub struct Proc {
    pub(super) kernel: Kernel,
    pub(super) gpid: Gpid,
}

/// What `ps` shows of a process.
#[derive(Clone, Debug)]
pub struct ProcessInfo {
    /// Machine-wide number.
    pub gpid: Gpid,
    /// Number in the asker's namespace.
    pub pid: u32,
    /// The parent's number in the asker's namespace; 0 when it is outside.
    pub ppid: u32,
    /// The process group.
    pub group: u32,
    /// The session.
    pub session: u32,
    /// The user.
    pub uid: u32,
    /// What [`crate::os::fs::mounts::Cred::dropped`] tells.
    pub dropped: u64,
    /// What its program's file gave it.
    pub gained: crate::os::fs::mounts::Gained,
    /// The group of users.
    pub gid: u32,
    /// Further groups.
    pub groups: Vec<u32>,
    /// The program's short name.
    pub comm: BString,
    /// Arguments.
    pub args: Vec<BString>,
    /// Environment.
    pub env: Vec<BString>,
    /// The program's path.
    pub exe: BString,
    /// The working directory.
    pub cwd: BString,
    /// `R`, `S`, `T` or `Z`.
    pub state: char,
    /// The terminal.
    pub tty: Option<TtyId>,
    /// The terminal's number in its `/dev/pts`.
    pub pts: Option<u32>,
    /// When it started.
    pub started: Timestamp,
    /// Processor time, in microseconds.
    pub cpu_micros: u64,
    /// Memory, in bytes.
    pub memory_bytes: u64,
    /// The accounting group (a container's id).
    pub cgroup: String,
}

pub(super) fn spawn(kernel: &Kernel, spec: ProcessSpec) -> Result<Gpid, Errno> {
    let (program, args, env) = (spec.program.clone(), spec.args.clone(), spec.env.clone());
    // The program is found before there is a process, so that a caller learns why there is none.
    let gpid = create(kernel, spec)?;
    let proc = Proc { kernel: kernel.clone(), gpid };
    let found = proc.search(program.as_ref()).and_then(|path| proc.load(path.as_ref(), args, env));
    match found {
        Ok(main) => {
            let task = main(proc);
            start(kernel, gpid, task);
            Ok(gpid)
        }
        Err(error) => {
            kernel.forget(gpid);
            Err(error)
        }
    }
}

pub(super) fn spawn_with(kernel: &Kernel, spec: ProcessSpec, main: impl FnOnce(Proc) -> Task) -> Result<Gpid, Errno> {
    let gpid = create(kernel, spec)?;
    start(kernel, gpid, main(Proc { kernel: kernel.clone(), gpid }));
    Ok(gpid)
}

fn create(kernel: &Kernel, spec: ProcessSpec) -> Result<Gpid, Errno> {
    let mut state = kernel.state.borrow_mut();
    let namespace = match spec.pid_namespace {
        Some(namespace) => namespace,
        None => {
            state.next_pid_namespace += 1;
            state.next_pid_namespace - 1
        }
    };
    let files = spec
        .stdio
        .iter()
        .zip(0..)
        .map(|(file, fd)| (fd, Descriptor { file: Rc::clone(file), close_on_exec: false }))
        .collect();
    let comm = crate::base::path::file_name(&spec.program).to_owned();
    let process = Process {
        gpid: 0,
        pid: 0,
        namespace,
        parent: 0,
        group: 0,
        session: 0,
        real_uid: spec.cred.uid,
        cred: spec.cred,
        cwd: spec.cwd,
        umask: 0o022,
        args: spec.args,
        env: spec.env,
        exe: spec.program,
        comm,
        flavour: Flavour::Gnu,
        files,
        mounts: spec.mounts,
        net: spec.net,
        hostname: spec.hostname,
        tty: spec.tty,
        cgroup: spec.cgroup,
        keeper: None,
        started: state.now,
        cpu_ticks: 0,
        image_bytes: 0,
        heap_bytes: 0,
        children: BTreeSet::new(),
        watchers: BTreeSet::new(),
        dispositions: BTreeMap::new(),
        pending: Vec::new(),
        doomed: None,
        life: Life::Running,
        stop_reported: false,
    };
    let gpid = state.admit(process)?;
    let (pid, tty, uid) = match state.processes.get_mut(&gpid) {
        Some(process) => {
            process.group = process.pid;
            process.session = process.pid;
            (process.pid, process.tty, process.cred.uid)
        }
        None => return Err(Errno::ESRCH),
    };
    if let Some(tty) = tty.and_then(|id| state.ttys.get_mut(&id))
        && tty.session == 0
    {
        tty.session = gpid;
        tty.foreground = gpid;
        tty.owner = uid;
    }
    debug_assert!(pid > 0);
    Ok(gpid)
}

fn start(kernel: &Kernel, gpid: Gpid, task: Task) {
    kernel.state.borrow_mut().tasks.insert(gpid, task);
    kernel.ready_soon(gpid);
}

impl super::State {
    /// Numbers a process and enters it.
    pub(super) fn admit(&mut self, mut process: Process) -> Result<Gpid, Errno> {
        if self.processes.len() >= MAX_PROCESSES || self.is_full(&process.cgroup) {
            return Err(Errno::EAGAIN);
        }
        let gpid = self.next_gpid;
        self.next_gpid += 1;
        let namespace = self.pid_namespaces.entry(process.namespace).or_default();
        // A number is not given twice, as long as there are others.
        let pid = namespace.last.checked_add(1).unwrap_or(2);
        // The first namespace is the machine's own: there both numbers are the same.
        let pid = if process.namespace == 1 { gpid } else { pid };
        namespace.last = pid;
        namespace.pids.insert(pid, gpid);
        process.gpid = gpid;
        process.pid = pid;
        self.processes.insert(gpid, process);
        Ok(gpid)
    }
}

impl Kernel {
    /// Enters a copy of `parent` as its child and runs `main` in it.
    pub(super) fn fork(&self, parent: Gpid, main: impl FnOnce(Proc) -> Task) -> Result<Gpid, Errno> {
        let gpid = self.copy_of(parent)?;
        start(self, gpid, main(Proc { kernel: self.clone(), gpid }));
        Ok(gpid)
    }

    fn copy_of(&self, parent: Gpid) -> Result<Gpid, Errno> {
        let mut state = self.state.borrow_mut();
        let now = state.now;
        let from = state.processes.get(&parent).ok_or(Errno::ESRCH)?;
        let dispositions =
            from.dispositions.iter().filter(|row| *row.1 == Disposition::Ignore).map(|row| (*row.0, *row.1));
        let child = Process {
            gpid: 0,
            pid: 0,
            namespace: from.namespace,
            parent,
            group: from.group,
            session: from.session,
            cred: from.cred.clone(),
            real_uid: from.real_uid,
            cwd: from.cwd.clone(),
            umask: from.umask,
            args: from.args.clone(),
            env: from.env.clone(),
            exe: from.exe.clone(),
            comm: from.comm.clone(),
            flavour: from.flavour,
            files: from.files.clone(),
            mounts: Rc::clone(&from.mounts),
            net: from.net,
            hostname: Rc::clone(&from.hostname),
            tty: from.tty,
            cgroup: from.cgroup.clone(),
            keeper: None,
            started: now,
            cpu_ticks: 0,
            image_bytes: from.image_bytes,
            heap_bytes: 0,
            children: BTreeSet::new(),
            watchers: BTreeSet::new(),
            dispositions: dispositions.collect(),
            pending: Vec::new(),
            doomed: None,
            life: Life::Running,
            stop_reported: false,
        };
        let gpid = state.admit(child)?;
        let net = state.processes.get_mut(&parent).map(|process| {
            process.children.insert(gpid);
            process.net
        });
        if let Some(net) = net {
            state.network.share(net, parent, gpid);
        }
        Ok(gpid)
    }

    /// Removes a process that never ran.
    fn forget(&self, gpid: Gpid) {
        let removed = self.state.borrow_mut().remove(gpid);
        drop(removed);
    }

    /// Ends a process: closes its files, hands its children on, tells who waits.
    pub(super) fn finish(&self, gpid: Gpid, status: Status) {
        let (files, orphans, kills, task, listeners, sockets) = {
            let mut state = self.state.borrow_mut();
            let task = state.tasks.remove(&gpid);
            let Some(process) = state.processes.get_mut(&gpid) else { return };
            if process.ended().is_some() {
                return;
            }
            process.life = Life::Zombie(status);
            let files = std::mem::take(&mut process.files);
            let children = std::mem::take(&mut process.children);
            let watchers = std::mem::take(&mut process.watchers);
            let (parent, namespace, is_init) = (process.parent, process.namespace, process.pid == 1);
            let net = process.net;
            let listeners = state.network.release(net, gpid);
            let sockets = state.release_sockets(gpid);
            watchers.iter().for_each(|watcher| self.ready_soon(*watcher));
            if !watchers.is_empty() {
                state.last_words.insert(gpid, (status, watchers.len()));
            }
            self.ready_soon(parent);
            let kills: Vec<Gpid> = if is_init {
                let members = state.pid_namespaces.get(&namespace);
                members
                    .into_iter()
                    .flat_map(|numbers| numbers.pids.values())
                    .copied()
                    .filter(|other| *other != gpid)
                    .collect()
            } else {
                Vec::new()
            };
            // Nobody waits for what a namespace's dead init leaves behind: it is gone at once.
            let init = state.pid_namespaces.get(&namespace).and_then(|numbers| numbers.pids.get(&1)).copied();
            let lives = |init: &Gpid| state.processes.get(init).is_some_and(|init| init.ended().is_none());
            let heir = init.filter(lives).unwrap_or(0);
            let mut orphans = Vec::new();
            for child in children {
                let Some(process) = state.processes.get_mut(&child) else { continue };
                process.parent = heir;
                if process.ended().is_some() && heir == 0 {
                    orphans.push(child);
                }
                if heir != 0
                    && let Some(init) = state.processes.get_mut(&heir)
                {
                    init.children.insert(child);
                    self.ready_soon(heir);
                }
            }
            if parent == 0 {
                orphans.push(gpid);
            } else {
                let _ = self.post(&mut state, parent, Signal::CHLD);
            }
            (files, orphans, kills, task, listeners, sockets)
        };
        // Closing files and dropping futures can run code of pipes and file systems: not under the borrow.
        drop(files);
        drop((listeners, sockets));
        drop(task);
        for other in kills {
            self.finish(other, Status::Signaled(Signal::KILL));
        }
        for orphan in orphans {
            self.forget(orphan);
        }
    }

    /// Sends a signal; `outside` the namespace even an init can be killed.
    pub(super) fn deliver(&self, gpid: Gpid, signal: Signal, outside: bool) -> Result<(), Errno> {
        let ends = {
            let mut state = self.state.borrow_mut();
            let current = state.current;
            let process = state.processes.get_mut(&gpid).ok_or(Errno::ESRCH)?;
            if process.ended().is_some() {
                return Ok(());
            }
            let is_init = process.pid == 1 && process.namespace != 1;
            if is_init && !outside && (signal == Signal::KILL || signal == Signal::STOP) {
                return Ok(());
            }
            if signal == Signal::KILL { Some((gpid == current, signal)) } else { self.post(&mut state, gpid, signal) }
        };
        if let Some((is_current, signal)) = ends {
            if is_current {
                if let Some(process) = self.state.borrow_mut().processes.get_mut(&gpid) {
                    process.doomed = Some(signal);
                }
            } else {
                self.finish(gpid, Status::Signaled(signal));
            }
        }
        Ok(())
    }

    /// Does what the receiver has chosen for a signal; tells whether it ends (and whether it is running now).
    fn post(&self, state: &mut super::State, gpid: Gpid, signal: Signal) -> Option<(bool, Signal)> {
        let current = state.current;
        let process = state.processes.get_mut(&gpid)?;
        if signal == Signal::CONT
            && let Life::Stopped(_) = process.life
        {
            process.life = Life::Running;
            process.stop_reported = false;
            self.ready_soon(gpid);
        }
        match process.disposition(signal) {
            Disposition::Handle => {
                if !process.pending.contains(&signal) {
                    process.pending.push(signal);
                }
                self.ready_soon(gpid);
                None
            }
            Disposition::Ignore => None,
            // An init has no default actions (kernel/signal.c, SIGNAL_UNKILLABLE).
            Disposition::Default if process.pid == 1 && process.namespace != 1 => None,
            Disposition::Default => match signal.action() {
                Action::Terminate => Some((gpid == current, signal)),
                Action::Stop => {
                    process.life = Life::Stopped(signal);
                    let parent = process.parent;
                    self.ready_soon(parent);
                    None
                }
                Action::Continue | Action::Ignore => None,
            },
        }
    }

    /// Sends a signal to every process of a group.
    pub(super) fn deliver_group(&self, group_leader: Gpid, signal: Signal) {
        let members: Vec<Gpid> = {
            let state = self.state.borrow();
            let key = state.group_key(group_leader);
            state.processes.values().filter(|p| Some((p.namespace, p.group)) == key).map(|p| p.gpid).collect()
        };
        for gpid in members {
            // Each exists: they were just listed.
            let _ = self.deliver(gpid, signal, false);
        }
    }

    /// All processes, as `ps` on the host sees them, or only those of a pid namespace.
    pub fn processes(&self, namespace: Option<u32>) -> Vec<ProcessInfo> {
        let state = self.state.borrow();
        state
            .processes
            .values()
            .filter(|p| namespace.is_none_or(|n| n == p.namespace || n == 1))
            .map(|p| {
                let inside = namespace.is_some_and(|n| n != 1);
                let ppid = state.processes.get(&p.parent).filter(|parent| !inside || parent.namespace == p.namespace);
                ProcessInfo {
                    gpid: p.gpid,
                    pid: if inside { p.pid } else { p.gpid },
                    ppid: match ppid {
                        Some(parent) if inside => parent.pid,
                        Some(parent) => parent.gpid,
                        None if inside => 0,
                        None => p.keeper.unwrap_or(0),
                    },
                    group: p.group,
                    session: p.session,
                    uid: p.cred.uid,
                    gid: p.cred.gid,
                    groups: p.cred.groups.clone(),
                    comm: p.comm.clone(),
                    args: p.args.clone(),
                    env: p.env.clone(),
                    exe: p.exe.clone(),
                    cwd: p.cwd.clone(),
                    state: match p.life {
                        Life::Running if p.gpid == state.current => 'R',
                        Life::Running => 'S',
                        Life::Stopped(_) => 'T',
                        Life::Zombie(_) => 'Z',
                    },
                    tty: p.tty,
                    pts: p.tty.and_then(|id| state.ttys.get(&id)).map(|tty| tty.number),
                    started: p.started,
                    cpu_micros: p.cpu_ticks,
                    dropped: p.cred.dropped,
                    gained: p.cred.gained,
                    memory_bytes: p.image_bytes + p.heap_bytes,
                    cgroup: p.cgroup.clone(),
                }
            })
            .collect()
    }

    /// Names who watches over a process from outside of its namespace: `ps` shows it as the parent there.
    pub fn watched_over(&self, gpid: Gpid, keeper: Option<Gpid>) {
        if let Some(process) = self.state.borrow_mut().processes.get_mut(&gpid) {
            process.keeper = keeper;
        }
    }

    /// The pid namespace of a process.
    pub fn pid_namespace(&self, gpid: Gpid) -> Option<u32> {
        self.state.borrow().processes.get(&gpid).map(|process| process.namespace)
    }
}

impl super::State {
    /// The namespace and group that a leader's machine-wide number stands for.
    fn group_key(&self, leader: Gpid) -> Option<(u32, u32)> {
        if let Some(process) = self.processes.get(&leader) {
            return Some((process.namespace, process.pid));
        }
        // A group outlives its leader: its number stays in the namespace's terms only for namespace 1.
        Some((1, leader))
    }

    pub(super) fn remove(&mut self, gpid: Gpid) -> Option<Process> {
        let process = self.processes.remove(&gpid)?;
        if let Some(namespace) = self.pid_namespaces.get_mut(&process.namespace) {
            namespace.pids.remove(&process.pid);
            if namespace.pids.is_empty() && process.namespace != 1 {
                self.pid_namespaces.remove(&process.namespace);
            }
        }
        if let Some(parent) = self.processes.get_mut(&process.parent) {
            parent.children.remove(&gpid);
        }
        Some(process)
    }
}

/// The value of `name` in an environment.
pub fn env_value<'a>(env: &'a [BString], name: &str) -> Option<&'a BStr> {
    env.iter().find_map(|entry| {
        let rest = entry.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
        Some(BStr::new(rest))
    })
}
