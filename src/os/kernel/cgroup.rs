//! Groups of processes that are counted and limited together (cgroup v2).
//!
//! The empty name is the machine's own processes: those are neither counted nor limited.

use std::collections::BTreeMap;
use std::time::Duration;

use super::process::Proc;
use super::{Gpid, Kernel, Signal, State, TICK};
use crate::base::time::Timestamp;

/// The time over which a processor limit is kept (`cpu.cfs_period_us`).
const PERIOD: Duration = Duration::from_millis(100);

/// What a group may use; `None` is without limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Limits {
    /// Processes.
    pub processes: Option<u64>,
    /// Memory, in bytes.
    pub memory_bytes: Option<u64>,
    /// Billionths of a processor.
    pub nano_cpus: Option<u64>,
    /// The time in which they are counted, in microseconds (`cpu.max`), where it is not 100,000.
    pub cpu_period_micros: Option<u64>,
    /// Files that one process may have open (`RLIMIT_NOFILE`).
    pub files: Option<u64>,
    /// `cpu.weight` as Docker's shares; 0 is the default.
    pub cpu_shares: u64,
    /// Which processors, a bit each.
    pub cpus: Option<u64>,
    /// Swap, in bytes.
    pub swap_bytes: Option<u64>,
    /// How much rather than others its processes are killed for want of memory (`/proc/PID/oom_score_adj`), which Linux
    /// keeps by process.
    pub oom_score_adj: i64,
}

/// What a group has used since it began.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Usage {
    /// Processor time, in nanoseconds.
    pub cpu_nanos: u64,
    /// Bytes read from files.
    pub read_bytes: u64,
    /// Bytes written to files.
    pub written_bytes: u64,
    /// Processes that were ended because memory was short.
    pub oom_kills: u64,
}

#[derive(Default)]
pub(super) struct Cgroup {
    limits: Limits,
    usage: Usage,
    period_start: Timestamp,
    used_in_period: Duration,
}

pub(super) type Cgroups = BTreeMap<String, Cgroup>;

impl Kernel {
    /// Makes a group, or changes what it may use.
    pub fn limit(&self, cgroup: &str, limits: Limits) {
        self.state.borrow_mut().cgroups.entry(cgroup.to_owned()).or_default().limits = limits;
    }

    /// Removes a group: what it used is forgotten.
    pub fn remove_cgroup(&self, cgroup: &str) {
        self.state.borrow_mut().cgroups.remove(cgroup);
    }

    /// What a group may use and has used; nothing for one that is not there.
    pub fn cgroup(&self, cgroup: &str) -> (Limits, Usage) {
        self.state.borrow().cgroups.get(cgroup).map(|group| (group.limits, group.usage)).unwrap_or_default()
    }

    /// Bytes of memory and the number of processes of a group.
    pub fn cgroup_now(&self, cgroup: &str) -> (u64, u64) {
        self.state.borrow().members(cgroup).fold((0, 0), |(bytes, count), (_, used)| (bytes + used, count + 1))
    }

    /// How long a process whose group has used up its processor time must wait.
    pub(super) fn throttled_until(&self, gpid: Gpid) -> Option<Timestamp> {
        let state = self.state.borrow();
        let group = state.processes.get(&gpid).and_then(|process| state.cgroups.get(&process.cgroup))?;
        let quota = PERIOD.mul_f64(group.limits.nano_cpus? as f64 / 1e9);
        let until = group.period_start + PERIOD;
        (group.used_in_period >= quota && state.now < until).then_some(until)
    }
}

impl State {
    /// The group's processes that have not ended, with the memory that each uses.
    fn members<'a>(&'a self, cgroup: &'a str) -> impl Iterator<Item = (Gpid, u64)> + 'a {
        let alive = self.processes.values().filter(move |p| p.cgroup == cgroup && p.ended().is_none());
        alive.map(|p| (p.gpid, p.image_bytes + p.heap_bytes))
    }

    pub(super) fn is_full(&self, cgroup: &str) -> bool {
        let limit = self.cgroups.get(cgroup).and_then(|group| group.limits.processes);
        limit.is_some_and(|limit| self.members(cgroup).count() as u64 >= limit)
    }

    pub(super) fn charge_cpu(&mut self, gpid: Gpid, ticks: u64) {
        let Some(process) = self.processes.get_mut(&gpid) else { return };
        process.cpu_ticks += ticks;
        let Some(group) = self.cgroups.get_mut(&process.cgroup) else { return };
        let time = TICK.saturating_mul(u32::try_from(ticks).unwrap_or(u32::MAX));
        group.usage.cpu_nanos += time.as_nanos() as u64;
        if self.now.since(group.period_start) >= PERIOD {
            group.period_start = self.now;
            group.used_in_period = Duration::ZERO;
        }
        group.used_in_period += time;
    }

    pub(super) fn charge_io(&mut self, gpid: Gpid, read_bytes: u64, written_bytes: u64) {
        let Some(process) = self.processes.get(&gpid) else { return };
        if let Some(group) = self.cgroups.get_mut(&process.cgroup) {
            group.usage.read_bytes += read_bytes;
            group.usage.written_bytes += written_bytes;
        }
    }

    /// The process that must go because its group uses too much memory: the one that uses most.
    fn victim(&mut self, cgroup: &str) -> Option<Gpid> {
        let limit = self.cgroups.get(cgroup)?.limits.memory_bytes?;
        let used: u64 = self.members(cgroup).map(|(_, bytes)| bytes).sum();
        if used <= limit {
            return None;
        }
        let victim = self.members(cgroup).max_by_key(|(gpid, bytes)| (*bytes, *gpid))?.0;
        self.cgroups.get_mut(cgroup)?.usage.oom_kills += 1;
        Some(victim)
    }
}

impl Proc {
    /// Sets how much memory this process has taken for itself. Who takes too much is killed, as by Linux.
    pub async fn set_heap(&self, bytes: u64) {
        let victim = {
            let mut state = self.kernel.state.borrow_mut();
            let Some(process) = state.processes.get_mut(&self.gpid) else { return };
            process.heap_bytes = bytes;
            let cgroup = process.cgroup.clone();
            state.victim(&cgroup)
        };
        if let Some(victim) = victim {
            // It may have ended meanwhile, which is what was wanted.
            let _ = self.kernel.deliver(victim, Signal::KILL, true);
            if victim == self.gpid {
                // This process does nothing more: it is not polled again.
                super::yield_now(&self.kernel).await;
            }
        }
    }

    /// The group's name and limits.
    pub fn limits(&self) -> Limits {
        self.kernel.cgroup(&self.cgroup()).0
    }

    pub(super) fn charge_network(&self, file: &super::file::OpenFile, received: u64, sent: u64) {
        if let Some(peer) = file.peer() {
            let net = self.net();
            self.kernel.network(|network| network.count(net, peer, received, sent));
        }
    }

    pub(super) fn charge_io(&self, read_bytes: u64, written_bytes: u64) {
        self.kernel.state.borrow_mut().charge_io(self.gpid, read_bytes, written_bytes);
    }
}
