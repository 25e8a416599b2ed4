//! Processes as futures: scheduler, system calls, terminals, pipes, signals, timers, loopback network.
//!
//! A process is one future; a system call that may wait is a leaf future that registers the process with what it waits
//! for. There is one thread, virtual time and no randomness but the seed: the order of everything follows from the
//! inputs. A poll costs at least a microsecond of virtual time, so time never stands still while something runs, and
//! [`Kernel::run`] stops when its fuel is used up, so an endless loop leaves the caller in charge.
//!
//! This module knows files, processes, terminals and sockets; programs and Docker are built on [`Proc`].

pub mod cgroup;
pub mod desktop;
pub mod devices;
pub mod exec;
pub mod file;
pub mod history;
pub mod lines;
pub mod mount;
pub mod net;
pub mod pipe;
pub mod proc_fs;
pub mod process;
pub mod pts;
pub mod signal;
pub mod syscall;
pub mod tty;
pub mod unix;
pub mod wait;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::base::errno::Errno;
use crate::base::rng::Rng;
use crate::base::time::Timestamp;

pub use exec::{Flavour, Programs};
pub use file::{Fd, Open};
pub use process::{Proc, ProcessSpec, Status};
pub use signal::{Disposition, Signal};
pub use tty::TtyId;

use net::Network;
use process::Process;
use tty::Tty;
use wait::RunQueue;

/// A process's number in the whole machine (what the host sees).
pub type Gpid = u32;

/// The future that a program runs as; its value is the exit status.
pub type Task = Pin<Box<dyn Future<Output = i32>>>;

/// Virtual time that one tick of work takes.
const TICK: Duration = Duration::from_micros(1);
/// Ticks after which a running process lets others run.
const SLICE: u64 = 200;
/// Processes there may be (Linux `pid_max` by default).
const MAX_PROCESSES: usize = 32_768;

/// Why [`Kernel::run`] came back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// Nothing to do until there is input.
    Idle,
    /// Nothing to do until this time.
    Until(Timestamp),
    /// There is more to do; the fuel is used up.
    OutOfFuel,
}

/// The kernel: a handle, cheap to clone.
#[derive(Clone)]
pub struct Kernel {
    state: Rc<RefCell<State>>,
    queue: Rc<RunQueue>,
}

struct State {
    now: Timestamp,
    boot: Timestamp,
    horizon: Timestamp,
    /// Ticks the current poll has used.
    ticks: u64,
    /// Ticks that all polls have used.
    spent: u64,
    current: Gpid,
    processes: BTreeMap<Gpid, Process>,
    cgroups: cgroup::Cgroups,
    tasks: BTreeMap<Gpid, Task>,
    /// How watched processes ended, and how many watchers have yet to learn it.
    last_words: BTreeMap<Gpid, (Status, usize)>,
    timers: BTreeSet<(Timestamp, u64, Gpid)>,
    next_timer: u64,
    next_gpid: Gpid,
    next_dev: u64,
    pid_namespaces: BTreeMap<u32, process::Numbers>,
    next_pid_namespace: u32,
    programs: Programs,
    ttys: BTreeMap<TtyId, Tty>,
    next_tty: u32,
    network: Network,
    fifos: BTreeMap<(u64, u64), Rc<pipe::Pipe>>,
    sockets: BTreeMap<unix::SocketFile, unix::Listener>,
    rng: Rng,
    history: history::History,
    desktop: desktop::Desktop,
    lines: lines::Notes,
}

impl Kernel {
    /// A kernel with no processes at `now`.
    pub fn new(seed: u64, now: Timestamp, programs: Programs) -> Self {
        Self {
            state: Rc::new(RefCell::new(State {
                now,
                boot: now,
                horizon: now,
                ticks: 0,
                spent: 0,
                current: 0,
                processes: BTreeMap::new(),
                cgroups: cgroup::Cgroups::new(),
                tasks: BTreeMap::new(),
                last_words: BTreeMap::new(),
                timers: BTreeSet::new(),
                next_timer: 0,
                next_gpid: 1,
                next_dev: 40,
                pid_namespaces: BTreeMap::new(),
                next_pid_namespace: 1,
                programs,
                ttys: BTreeMap::new(),
                next_tty: 0,
                network: Network::default(),
                fifos: BTreeMap::new(),
                sockets: BTreeMap::new(),
                rng: Rng::new(seed),
                history: history::History::default(),
                desktop: desktop::Desktop::default(),
                lines: lines::Notes::default(),
            })),
            queue: Rc::new(RunQueue::default()),
        }
    }

    /// Enters a program whose code needs this kernel to exist first.
    pub fn add_program(&self, name: &'static str, main: impl Fn(Proc) -> Task + 'static) {
        self.state.borrow_mut().programs.add(name, main);
    }

    /// Enters what completes a program's arguments.
    pub fn add_completer(&self, name: &'static str, complete: exec::Complete) {
        self.state.borrow_mut().programs.add_completer(name, complete);
    }

    /// What completes the arguments of a program.
    pub fn completer(&self, name: &bstr::BStr) -> Option<exec::Complete> {
        self.state.borrow().programs.completer(name)
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        let state = self.state.borrow();
        state.now + TICK.saturating_mul(u32::try_from(state.ticks).unwrap_or(u32::MAX))
    }

    /// A simulated program's code, for programs that are several programs (busybox).
    pub fn program(&self, name: &bstr::BStr) -> Option<Rc<dyn Fn(Proc) -> Task>> {
        self.state.borrow().programs.get(name)
    }

    /// The names of all simulated programs, sorted.
    pub fn program_names(&self) -> Vec<&'static str> {
        self.state.borrow().programs.names().collect()
    }

    /// When the machine was started.
    pub fn boot_time(&self) -> Timestamp {
        self.state.borrow().boot
    }

    /// Random numbers for `purpose`, on which other purposes have no influence beyond their order of asking.
    pub fn rng(&self, purpose: u64) -> Rng {
        self.state.borrow_mut().rng.fork(purpose)
    }

    /// A number for a new file system.
    pub fn new_dev(&self) -> u64 {
        let mut state = self.state.borrow_mut();
        state.next_dev += 1;
        state.next_dev
    }

    /// The work that was done so far, in units of fuel.
    pub fn spent(&self) -> u64 {
        self.state.borrow().spent
    }

    /// Lets time pass up to `time` in the next [`Self::run`].
    pub fn advance_to(&self, time: Timestamp) {
        let mut state = self.state.borrow_mut();
        state.horizon = state.horizon.max(time);
    }

    /// Runs what can run, at most `fuel` ticks, and not past `until` while something is still running.
    pub fn run(&self, mut fuel: u64, until: Option<Timestamp>) -> Stop {
        loop {
            if until.is_some_and(|until| self.state.borrow().now >= until) || fuel == 0 {
                return self.stop();
            }
            self.fire_timers();
            if let Some(gpid) = self.queue.pop() {
                if let Some(until) = self.throttled_until(gpid) {
                    self.set_timer_for(gpid, until);
                    continue;
                }
                let used = self.poll(gpid);
                fuel = fuel.saturating_sub(used);
                continue;
            }
            let mut state = self.state.borrow_mut();
            match state.timers.first().map(|timer| timer.0) {
                Some(time) if time <= state.horizon => state.now = state.now.max(time),
                _ => {
                    state.now = state.now.max(state.horizon);
                    break;
                }
            }
        }
        self.stop()
    }

    fn stop(&self) -> Stop {
        let state = self.state.borrow();
        match state.timers.first() {
            _ if !self.queue.is_empty() => Stop::OutOfFuel,
            Some(timer) if timer.0 <= state.horizon => Stop::OutOfFuel,
            Some(timer) => Stop::Until(timer.0),
            None => Stop::Idle,
        }
    }

    fn fire_timers(&self) {
        let mut state = self.state.borrow_mut();
        while let Some(timer) = state.timers.first().copied()
            && timer.0 <= state.now
        {
            state.timers.remove(&timer);
            self.queue.wake(timer.2);
        }
    }

    /// Polls one process and returns the ticks it used.
    fn poll(&self, gpid: Gpid) -> u64 {
        let task = {
            let mut state = self.state.borrow_mut();
            if state.processes.get(&gpid).is_none_or(|process| process.is_stopped()) {
                return 0;
            }
            state.current = gpid;
            state.ticks = 0;
            state.tasks.remove(&gpid)
        };
        let Some(mut task) = task else { return 0 };
        let poll = task.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let (ticks, doomed) = {
            let mut state = self.state.borrow_mut();
            let ticks = state.ticks.max(1);
            state.ticks = 0;
            state.spent += ticks;
            state.now = state.now + TICK.saturating_mul(u32::try_from(ticks).unwrap_or(u32::MAX));
            state.current = 0;
            state.charge_cpu(gpid, ticks);
            let doomed = state.processes.get(&gpid).and_then(|process| process.doomed);
            (ticks, doomed)
        };
        match (doomed, poll) {
            (Some(signal), _) => {
                drop(task);
                self.finish(gpid, Status::Signaled(signal));
            }
            (None, Poll::Ready(code)) => {
                drop(task);
                self.finish(gpid, Status::Exited((code & 0xff) as u8));
            }
            (None, Poll::Pending) => drop(self.state.borrow_mut().tasks.insert(gpid, task)),
        }
        ticks
    }

    /// A list of processes that wait for something of somebody else's making.
    pub fn waiters(&self) -> wait::Waiters {
        wait::Waiters::new(&self.queue)
    }

    /// Lets the current process sleep, whatever signals it gets: for what is done in its name.
    pub async fn sleep(&self, time: Duration) {
        let until = self.now() + time;
        let mut armed = false;
        std::future::poll_fn(|_| {
            if self.now() >= until {
                return Poll::Ready(());
            }
            if !armed {
                armed = true;
                self.set_timer(until);
            }
            Poll::Pending
        })
        .await;
    }

    /// Wakes the current process at `time`.
    fn set_timer(&self, time: Timestamp) {
        self.set_timer_for(self.current(), time);
    }

    fn set_timer_for(&self, gpid: Gpid, time: Timestamp) {
        let mut state = self.state.borrow_mut();
        let id = state.next_timer;
        state.next_timer += 1;
        state.timers.insert((time, id, gpid));
    }

    /// The process being polled; 0 outside of one.
    pub(crate) fn current(&self) -> Gpid {
        self.state.borrow().current
    }

    /// Counts work. Returns whether the current slice is used up.
    fn tick(&self, ticks: u64) -> bool {
        let mut state = self.state.borrow_mut();
        state.ticks += ticks;
        state.ticks >= SLICE
    }

    /// Starts a process from a spec: the way into a new container or session.
    ///
    /// # Errors
    /// `ENOENT`, `EACCES`, `ENOEXEC` and the like for its program; `EAGAIN` when there are too many processes.
    pub fn spawn(&self, spec: ProcessSpec) -> Result<Gpid, Errno> {
        process::spawn(self, spec)
    }

    /// Starts a process whose program is `main` rather than a file.
    ///
    /// # Errors
    /// `EAGAIN` when there are too many processes.
    pub fn spawn_with(&self, spec: ProcessSpec, main: impl FnOnce(Proc) -> Task) -> Result<Gpid, Errno> {
        process::spawn_with(self, spec, main)
    }

    /// Waits for a process to end without being its parent. Ask before it can have ended.
    pub async fn ended(&self, gpid: Gpid) -> Status {
        std::future::poll_fn(|_| {
            let mut state = self.state.borrow_mut();
            let current = state.current;
            if let Some((status, watchers)) = state.last_words.get_mut(&gpid) {
                let status = *status;
                *watchers = watchers.saturating_sub(1);
                if *watchers == 0 {
                    state.last_words.remove(&gpid);
                }
                return Poll::Ready(status);
            }
            match state.processes.get_mut(&gpid) {
                Some(process) => {
                    process.watchers.insert(current);
                    Poll::Pending
                }
                None => Poll::Ready(Status::Exited(0)),
            }
        })
        .await
    }

    /// Whether a process is there and has not ended.
    pub fn is_alive(&self, gpid: Gpid) -> bool {
        let state = self.state.borrow();
        !state.last_words.contains_key(&gpid) && state.processes.contains_key(&gpid)
    }

    /// Sends a signal to a process by its machine-wide number, as from outside its namespace.
    ///
    /// # Errors
    /// `ESRCH` when there is none.
    pub fn kill(&self, gpid: Gpid, signal: Signal) -> Result<(), Errno> {
        self.deliver(gpid, signal, true)
    }

    /// Access to the network.
    pub fn network<T>(&self, with: impl FnOnce(&mut Network) -> T) -> T {
        with(&mut self.state.borrow_mut().network)
    }

    /// Switches the machine off: drops every process and program. They hold handles of the kernel, so that without this
    /// none of it would ever be freed.
    pub fn halt(&self) {
        // Dropped outside of the borrow: futures and files tell the kernel when they go.
        let tasks = std::mem::take(&mut self.state.borrow_mut().tasks);
        drop(tasks);
        let mut state = self.state.borrow_mut();
        let gone = (
            std::mem::take(&mut state.processes),
            std::mem::take(&mut state.network),
            std::mem::take(&mut state.fifos),
            std::mem::take(&mut state.programs),
        );
        drop(state);
        drop(gone);
    }

    /// Lives as long as the kernel's state.
    #[cfg(test)]
    pub(crate) fn life(&self) -> std::rc::Weak<dyn std::any::Any> {
        let state: Rc<dyn std::any::Any> = self.state.clone();
        Rc::downgrade(&state)
    }

    fn ready_soon(&self, gpid: Gpid) {
        self.queue.wake(gpid);
    }
}

/// Lets other processes run; the process goes on in its next turn.
pub(crate) fn yield_now(kernel: &Kernel) -> impl Future<Output = ()> {
    let kernel = kernel.clone();
    let mut yielded = false;
    std::future::poll_fn(move |_| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        kernel.ready_soon(kernel.current());
        Poll::Pending
    })
}

#[cfg(test)]
mod tests;
