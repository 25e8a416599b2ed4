//! What a container may do and use: limits, capabilities, devices (moby `daemon/daemon_unix.go`, `oci/caps`).

use crate::os::kernel::net::Link;
use crate::os::kernel::net::Namespace;
use bstr::{BStr, BString};

use super::api::container::{HostConfig, Resources};
use super::errors::DaemonError;
use crate::base::time::Timestamp;
use crate::os::fs::capability::{ALL_CAPABILITIES as ALL, NAMES, NO_NEW_PRIVILEGES};
use crate::os::fs::mounts::{Made, Synthetic};
use crate::os::fs::node::{Content, Meta};
use crate::os::kernel::Kernel;
use crate::os::kernel::cgroup::Limits;

/// Processors of the machine.
pub const CPUS: u32 = 2;
/// Least memory for a container, in bytes.
const LEAST_BYTES: i64 = 6 << 20;

/// What a container has by default (moby `oci/caps/defaults.go`).
const DEFAULT: [u32; 14] = [0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31];

impl Resources {
    /// Checks what contradicts itself and fills in what follows (moby `verifyPlatformContainerResources`).
    ///
    /// # Errors
    /// The first thing that can't be.
    pub fn check(&mut self) -> Result<(), DaemonError> {
        let bad = |text| Err(DaemonError::BadResources(text));
        let [memory, swap, reservation, nano, period, quota] = [
            self.memory_bytes,
            self.memory_swap_bytes,
            self.memory_reservation_bytes,
            self.nano_cpus,
            self.cpu_period,
            self.cpu_quota,
        ]
        .map(Option::unwrap_or_default);
        if memory > 0 && memory < LEAST_BYTES {
            return bad("Minimum memory limit allowed is 6MB");
        }
        if memory == 0 && swap > 0 {
            return bad("You should always set the Memory limit when using Memoryswap limit, see usage");
        }
        if memory > 0 && swap > 0 && swap < memory {
            return bad("Minimum memoryswap limit should be larger than memory limit, see usage");
        }
        if reservation > 0 && reservation < LEAST_BYTES {
            return bad("Minimum memory reservation allowed is 6MB");
        }
        if memory > 0 && reservation > memory {
            return bad("Minimum memory limit can not be less than memory reservation limit, see usage");
        }
        if let Some(weight) = self.blkio_weight
            && weight != 0
            && !(10..=1000).contains(&weight)
        {
            return bad("Range of blkio weight is from 10 to 1000");
        }
        if nano > 0 && period > 0 {
            return bad("Conflicting options: Nano CPUs and CPU Period cannot both be set");
        }
        if nano > 0 && quota > 0 {
            return bad("Conflicting options: Nano CPUs and CPU Quota cannot both be set");
        }
        if nano < 0 || nano > i64::from(CPUS) * 1_000_000_000 {
            return bad("range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available");
        }
        if period != 0 && !(1000..=1_000_000).contains(&period) {
            return bad("CPU cfs period cannot be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)");
        }
        if quota > 0 && quota < 1000 {
            return bad("CPU cfs quota cannot be less than 1ms (i.e. 1000)");
        }
        if let Some(set) = self.cpuset_cpus.as_deref().filter(|set| !set.is_empty()) {
            let asked = || set.to_owned();
            let mask = cpu_mask(set).ok_or_else(|| DaemonError::BadCpus(asked()))?;
            if mask >> CPUS != 0 {
                return Err(DaemonError::NoSuchCpus { asked: asked(), available: "0-1" });
            }
        }
        if memory > 0 && swap == 0 {
            self.memory_swap_bytes = Some(memory.saturating_mul(2));
        }
        Ok(())
    }

    /// Takes out what a kernel with cgroup v2 does not have, and says so (moby `verifyPlatformContainerResources`).
    pub fn discard(&mut self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.memory_swappiness.take().is_some() {
            warnings.push("Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.".to_owned());
        }
        if self.oom_kill_disable.take() == Some(true) {
            warnings.push("Your kernel does not support OomKillDisable. OomKillDisable discarded.".to_owned());
        }
        warnings
    }

    /// Takes over what `newer` gives (moby `container_unix.go` `UpdateContainer`).
    ///
    /// # Errors
    /// Memory above the swap limit that is there.
    pub fn update(&mut self, newer: Self) -> Result<(), DaemonError> {
        let (memory, swap) = (newer.memory_bytes.unwrap_or(0), self.memory_swap_bytes.unwrap_or(0));
        if memory > swap && swap > 0 && newer.memory_swap_bytes.is_none() {
            return Err(DaemonError::BadResources(
                "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time",
            ));
        }
        let mut merged = self.clone();
        merged.memory_bytes = newer.memory_bytes.or(merged.memory_bytes);
        merged.memory_swap_bytes = newer.memory_swap_bytes.or(merged.memory_swap_bytes);
        merged.memory_reservation_bytes = newer.memory_reservation_bytes.or(merged.memory_reservation_bytes);
        merged.nano_cpus = newer.nano_cpus.or(merged.nano_cpus);
        merged.cpu_shares = newer.cpu_shares.or(merged.cpu_shares);
        merged.cpu_period = newer.cpu_period.or(merged.cpu_period);
        merged.cpu_quota = newer.cpu_quota.or(merged.cpu_quota);
        merged.cpuset_cpus = newer.cpuset_cpus.or(merged.cpuset_cpus);
        merged.cpuset_mems = newer.cpuset_mems.or(merged.cpuset_mems);
        merged.pids_limit = newer.pids_limit.or(merged.pids_limit);
        merged.check()?;
        *self = merged;
        Ok(())
    }

    /// As the kernel keeps them.
    pub fn limits(&self) -> Limits {
        let positive = |n: Option<i64>| n.and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0);
        let from_quota =
            positive(self.cpu_quota).map(|quota| quota * 1_000_000_000 / positive(self.cpu_period).unwrap_or(100_000));
        let memory_bytes = positive(self.memory_bytes);
        let files = self.ulimits.iter().find(|limit| limit.name == "nofile").map(|limit| limit.soft);
        Limits {
            files: positive(files),
            // It is no resource's: the container's settings have it.
            oom_score_adj: 0,
            processes: positive(self.pids_limit),
            memory_bytes,
            nano_cpus: positive(self.nano_cpus).or(from_quota),
            cpu_period_micros: positive(self.cpu_period),
            cpu_shares: positive(self.cpu_shares).unwrap_or(0),
            cpus: self.cpuset_cpus.as_deref().and_then(cpu_mask).filter(|mask| *mask != 0),
            swap_bytes: positive(self.memory_swap_bytes)
                .zip(memory_bytes)
                .map(|(both, memory)| both - memory.min(both)),
        }
    }
}

/// `0-2,4` as bits.
fn cpu_mask(text: &str) -> Option<u64> {
    let mut mask = 0;
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (from, to): (u32, u32) = (from.trim().parse().ok()?, to.trim().parse().ok()?);
        if from > to || to >= u64::BITS {
            return None;
        }
        (from..=to).for_each(|cpu| mask |= 1 << cpu);
    }
    Some(mask)
}

/// The names as moby writes them, and their bits; `None` in a pair's place stands for `ALL`.
fn capabilities(names: &[String], flag: &'static str) -> Result<(Vec<String>, u64), DaemonError> {
    let (mut out, mut bits) = (Vec::new(), 0);
    for name in names {
        let upper = name.to_ascii_uppercase();
        let bare = upper.strip_prefix("CAP_").unwrap_or(&upper);
        if bare == "ALL" {
            bits |= ALL;
            out.push("ALL".to_owned());
            continue;
        }
        let number = NAMES.iter().position(|known| *known == bare);
        let number = number.ok_or_else(|| DaemonError::BadCapability { flag, name: format!("CAP_{bare}") })?;
        bits |= 1 << number;
        out.push(format!("CAP_{bare}"));
    }
    Ok((out, bits))
}

impl HostConfig {
    /// Checks what concerns privileges and brings names into their form.
    ///
    /// # Errors
    /// What is unknown or not simulated.
    pub fn check_privileges(&mut self) -> Result<(), DaemonError> {
        let (added, _) = capabilities(&self.cap_add, "CapAdd")?;
        let (dropped, _) = capabilities(&self.cap_drop, "CapDrop")?;
        (self.cap_add, self.cap_drop) = (added, dropped);
        if self.resources.ulimits.iter().any(|limit| limit.name != "nofile") {
            return Err(DaemonError::NotSimulated("--ulimit other than nofile"));
        }
        // Nothing is confined by these here, so that taking them away changes nothing.
        let is_free = |option: &String| {
            matches!(
                option.split_once(['=', ':']),
                Some(("seccomp" | "apparmor", "unconfined") | ("label", "disable") | ("no-new-privileges", _))
            ) || option == "no-new-privileges"
        };
        if !self.security_opt.iter().all(is_free) {
            return Err(DaemonError::NotSimulated("--security-opt other than no-new-privileges and unconfined"));
        }
        if !(-1000..=1000).contains(&self.oom_score_adj) {
            return Err(DaemonError::BadOomScore(self.oom_score_adj));
        }
        if !self.sysctls.is_empty() && self.network_mode == "host" {
            return Err(DaemonError::NotSimulated("--sysctl with --network host"));
        }
        let mut probe = Namespace::default();
        let mut is_known = |(name, value): (&String, &String)| {
            name.strip_prefix("net.").is_some_and(|rest| probe.set(&rest.replace('.', "/"), value))
        };
        if !self.sysctls.iter().all(&mut is_known) {
            return Err(DaemonError::NotSimulated("--sysctl other than of what is in /proc/sys/net"));
        }
        Ok(())
    }

    /// Whether it is without AppArmor's profile.
    pub fn is_unconfined(&self) -> bool {
        self.privileged
            || self.security_opt.iter().any(|o| matches!(o.as_str(), "apparmor=unconfined" | "apparmor:unconfined"))
    }

    /// What the container's processes do without, as bits of [`crate::os::fs::mounts::Cred::dropped`].
    pub fn dropped(&self) -> u64 {
        let bits = |names: &[String]| capabilities(names, "").map_or(0, |(_, bits)| bits);
        let default = DEFAULT.iter().fold(0, |mask, number| mask | 1 << number);
        let base = if self.privileged { ALL } else { default };
        let (add, drop) = (bits(&self.cap_add), bits(&self.cap_drop));
        // What is named beats what `ALL` stands for (moby `TweakCapabilities`).
        let kept = match (add == ALL, drop == ALL) {
            (true, _) => ALL & !if drop == ALL { 0 } else { drop },
            (_, true) => add,
            _ => (base & !drop) | add,
        };
        let frozen = self
            .security_opt
            .iter()
            .any(|option| option.starts_with("no-new-privileges") && !option.ends_with("false"));
        (ALL & !kept) | u64::from(frozen) << NO_NEW_PRIVILEGES
    }
}

/// A `/sys` that shows little more than the container's own limits.
pub struct SysFs {
    /// When it was mounted.
    pub now: Timestamp,
    /// Who knows the limits.
    pub kernel: Kernel,
    /// The container's group.
    pub cgroup: String,
}

const SYS_DIRS: [&str; 10] =
    ["block", "bus", "class", "class/net", "dev", "devices", "firmware", "fs", "fs/cgroup", "kernel"];
const CGROUP_FILES: [&str; 11] = [
    "cgroup.controllers",
    "cpu.max",
    "cpu.stat",
    "cpu.weight",
    "cpuset.cpus",
    "cpuset.cpus.effective",
    "memory.current",
    "memory.max",
    "memory.swap.max",
    "pids.current",
    "pids.max",
];

impl SysFs {
    fn file(&self, name: &str) -> Option<String> {
        let (limits, usage) = self.kernel.cgroup(&self.cgroup);
        let (memory, processes) = self.kernel.cgroup_now(&self.cgroup);
        let or_max = |limit: Option<u64>| limit.map_or_else(|| "max".to_owned(), |limit| limit.to_string());
        let cpus = || {
            let mask = limits.cpus.unwrap_or((1 << CPUS) - 1);
            let each = (0..CPUS).filter(|cpu| mask >> cpu & 1 == 1).map(|cpu| cpu.to_string());
            each.collect::<Vec<_>>().join(if limits.cpus.is_some() { "," } else { "-" })
        };
        Some(match name {
            "cgroup.controllers" => "cpuset cpu io memory pids".to_owned(),
            "cpu.max" => {
                let period = limits.cpu_period_micros.unwrap_or(100_000);
                format!("{} {period}", or_max(limits.nano_cpus.map(|n| n.saturating_mul(period) / 1_000_000_000)))
            }
            "cpu.stat" => format!("usage_usec {}", usage.cpu_nanos / 1000),
            // runc's conversion from shares.
            "cpu.weight" if limits.cpu_shares >= 2 => (1 + (limits.cpu_shares - 2) * 9999 / 262_142).to_string(),
            "cpu.weight" => "100".to_owned(),
            "cpuset.cpus" if limits.cpus.is_none() => String::new(),
            "cpuset.cpus" | "cpuset.cpus.effective" => cpus(),
            "memory.current" => memory.to_string(),
            "memory.max" => or_max(limits.memory_bytes),
            "memory.swap.max" => or_max(limits.swap_bytes),
            "pids.current" => processes.to_string(),
            "pids.max" => or_max(limits.processes),
            _ => return None,
        })
    }
}

impl Synthetic for SysFs {
    fn get(&self, path: &BStr) -> Option<Made> {
        if path.is_empty() || SYS_DIRS.iter().any(|dir| BStr::new(dir) == path) {
            return Some(Made { meta: Meta::root(0o555, self.now), content: Content::Dir { opaque: false } });
        }
        let name = std::str::from_utf8(path).ok()?;
        if let Some(device) = name.strip_prefix("class/net/") {
            let (device, file) = device.split_once('/').unwrap_or((device, ""));
            let link = self.links().into_iter().find(|link| link.name == device)?;
            let (mode, content) = match file {
                "" => (0o755, Content::Dir { opaque: false }),
                file => (0o444, Content::File(link_file(&link, file)?.as_str().into())),
            };
            return Some(Made { meta: Meta::root(mode, self.now), content });
        }
        let name = name.strip_prefix("fs/cgroup/")?;
        let text = format!("{}\n", self.file(name)?);
        Some(Made { meta: Meta::root(0o444, self.now), content: Content::File(text.as_str().into()) })
    }

    fn list(&self, path: &BStr) -> Vec<BString> {
        let below = |dir: &&&str| dir.rsplit_once('/').map_or("", |(parent, _)| parent).as_bytes() == &**path;
        let dirs = SYS_DIRS.iter().filter(below).map(|dir| dir.rsplit('/').next().unwrap_or_default());
        let files = CGROUP_FILES.iter().copied().filter(|_| path == "fs/cgroup");
        let mut names: Vec<BString> = dirs.chain(files).map(BString::from).collect();
        if path == "class/net" {
            names.extend(self.links().into_iter().map(|link| BString::from(link.name)));
        } else if path.starts_with(b"class/net/") {
            names.extend(LINK_FILES.map(BString::from));
        }
        names
    }
}

const LINK_FILES: [&str; 6] = ["address", "carrier", "ifindex", "iflink", "mtu", "operstate"];

impl SysFs {
    /// The network devices of whoever looks.
    fn links(&self) -> Vec<Link> {
        let net = self.kernel.current_process().net();
        self.kernel.network(|network| network.links(net))
    }
}

/// A file of `/sys/class/net/DEVICE` (Linux `Documentation/ABI/testing/sysfs-class-net`).
fn link_file(link: &Link, name: &str) -> Option<String> {
    let loopback = link.mac.is_none();
    Some(match name {
        "address" => format!("{}\n", link.mac.as_deref().unwrap_or("00:00:00:00:00:00")),
        "carrier" => format!("{}\n", u8::from(link.carrier)),
        "ifindex" => format!("{}\n", link.index),
        "iflink" => format!("{}\n", link.peer.unwrap_or(link.index)),
        "mtu" => format!("{}\n", if loopback { 65_536 } else { 1500 }),
        "operstate" => {
            format!(
                "{}\n",
                if loopback {
                    "unknown"
                } else if link.carrier {
                    "up"
                } else {
                    "down"
                }
            )
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_named_beat_all() {
        let host = |add: &[&str], drop: &[&str]| HostConfig {
            cap_add: add.iter().map(|s| (*s).to_owned()).collect(),
            cap_drop: drop.iter().map(|s| (*s).to_owned()).collect(),
            ..HostConfig::default()
        };
        assert_eq!(host(&["chown"], &["ALL"]).dropped(), ALL & !1);
        assert_eq!(host(&[], &["CHOWN"]).dropped() & 1, 1);
        assert_eq!(host(&["ALL"], &[]).dropped(), 0);
        assert!(host(&["nope"], &[]).check_privileges().is_err());
    }

    #[test]
    fn processors_are_listed_and_ranged() {
        assert_eq!(cpu_mask("0-1,3"), Some(0b1011));
        assert_eq!(cpu_mask("x"), None);
        let mut nine = Resources { cpuset_cpus: Some("9".to_owned()), ..Resources::default() };
        let error = nine.check().unwrap_err().to_string();
        assert_eq!(error, "Requested CPUs are not available - requested 9, available: 0-1");
    }
}
