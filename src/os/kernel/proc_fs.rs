//! `/proc`: processes as files.

use std::rc::Rc;
use std::time::Duration;

use bstr::{BStr, BString, ByteSlice};

use super::Kernel;
use super::file::Object;
use super::net::SETTINGS;
use super::process::ProcessInfo;
use crate::base::errno::Errno;
use crate::base::rope::Rope;
use crate::base::time::Timestamp;
use crate::os::fs::capability::{ALL_CAPABILITIES, NO_NEW_PRIVILEGES};
use crate::os::fs::mounts::{Made, Protections, Synthetic};
use crate::os::fs::node::{Content, Meta};

/// The `/proc` of whoever looks: a process sees its own pid namespace.
pub struct ProcFs {
    kernel: Kernel,
}

/// Memory that the simulated computer has, in bytes.
pub const MEMORY_BYTES: u64 = 4 << 30;

const PROCESS_FILES: [&str; 11] =
    ["cgroup", "cmdline", "comm", "cwd", "environ", "exe", "fd", "mounts", "ns", "oom_score_adj", "status"];
const ROOT_FILES: [&str; 12] = [
    "cmdline",
    "cpuinfo",
    "filesystems",
    "loadavg",
    "meminfo",
    "mounts",
    "self",
    "stat",
    "sys",
    "sysrq-trigger",
    "uptime",
    "version",
];
/// Kinds of namespaces, with the number of the first of each (Linux `include/linux/proc_ns.h`).
const NAMESPACES: [(&str, u32); 7] = [
    ("cgroup", 0xEFFF_FFFB),
    ("ipc", 0xEFFF_FFFF),
    ("mnt", 0xF000_0001),
    ("net", 0xF000_0000),
    ("pid", 0xEFFF_FFFC),
    ("user", 0xEFFF_FFFD),
    ("uts", 0xEFFF_FFFE),
];

impl ProcFs {
    /// Of a kernel.
    pub const fn new(kernel: Kernel) -> Self {
        Self { kernel }
    }

    fn visible(&self) -> Vec<ProcessInfo> {
        self.kernel.processes(self.kernel.pid_namespace(self.kernel.current()))
    }

    fn mounts_of(&self, gpid: super::Gpid) -> String {
        let state = self.kernel.state.borrow();
        let Some(process) = state.processes.get(&gpid) else { return String::new() };
        let mounts = process.mounts.borrow();
        let line = |m: &crate::os::fs::mounts::Mount| {
            let mode = if m.read_only { "ro" } else { "rw" };
            format!("{} {} {} {mode},{} 0 0\n", m.source, m.at, m.fs_type, m.options)
        };
        mounts.shown().map(line).collect()
    }

    /// `/proc/PID/fd/N`: what a descriptor stands for.
    fn descriptor(&self, process: &ProcessInfo, number: &str) -> Option<Content> {
        let proc = super::Proc { kernel: self.kernel.clone(), gpid: process.gpid };
        let target = match &proc.handle(number.parse().ok()?).ok()?.object {
            Object::Regular(place)
            | Object::Snapshot(place, _)
            | Object::Dir(place)
            | Object::SyntheticWrite(place) => place.path.clone(),
            Object::PipeRead(pipe) | Object::PipeWrite(pipe) => format!("pipe:[{}]", pipe.number).into(),
            Object::Socket { receive, .. } => format!("socket:[{}]", receive.number).into(),
            Object::Tty(tty) => format!("/dev/pts/{}", self.kernel.pts_number(*tty)).into(),
            Object::Master(_) => "/dev/ptmx".into(),
            Object::Null => "/dev/null".into(),
            Object::Zero => "/dev/zero".into(),
            Object::Full => "/dev/full".into(),
            Object::Random => "/dev/urandom".into(),
        };
        Some(Content::Symlink(target))
    }

    /// `/proc/PID/ns/KIND`: a number that those in the same namespace share. One's own are told apart by the group of
    /// processes, which is the container.
    fn namespace(&self, process: &ProcessInfo, kind: &str) -> Option<Content> {
        let (_, first) = NAMESPACES.iter().find(|row| row.0 == kind)?;
        let state = self.kernel.state.borrow();
        let own = state.processes.get(&process.gpid)?;
        let init = state.processes.values().next()?;
        let apart = process.cgroup.bytes().take(6).fold(0_u32, |sum, byte| sum << 4 | u32::from(byte & 15));
        let number = match kind {
            "net" if own.net == init.net => 0,
            "net" => 16 + own.net.0 * 16,
            "pid" if own.namespace == init.namespace => 0,
            "pid" => 24 + own.namespace * 16,
            "uts" if Rc::ptr_eq(&own.hostname, &init.hostname) => 0,
            "user" => 0,
            _ if process.cgroup.is_empty() => 0,
            _ => 1 << 24 | apart,
        };
        Some(Content::Symlink(format!("{kind}:[{}]", first + number).into()))
    }

    fn process_file(&self, process: &ProcessInfo, name: &str) -> Option<Content> {
        if let Some(number) = name.strip_prefix("fd/") {
            return self.descriptor(process, number);
        }
        if let Some(kind) = name.strip_prefix("ns/") {
            return self.namespace(process, kind);
        }
        let text = match name {
            "fd" | "ns" => return Some(Content::Dir { opaque: false }),
            "cgroup" if process.cgroup.is_empty() => "0::/init.scope\n".to_owned(),
            "cgroup" => "0::/\n".to_owned(),
            "cmdline" => {
                let mut line = Vec::new();
                process.args.iter().for_each(|arg| {
                    line.extend_from_slice(arg);
                    line.push(0);
                });
                return Some(Content::File(line.into()));
            }
            "environ" => {
                let mut all = Vec::new();
                process.env.iter().for_each(|entry| {
                    all.extend_from_slice(entry);
                    all.push(0);
                });
                return Some(Content::File(all.into()));
            }
            "comm" => format!("{}\n", process.comm),
            "cwd" => return Some(Content::Symlink(process.cwd.clone())),
            "exe" => return Some(Content::Symlink(process.exe.clone())),
            "mounts" => self.mounts_of(process.gpid),
            "oom_score_adj" => format!("{}\n", self.kernel.cgroup(&process.cgroup).0.oom_score_adj),
            "status" => self.status(process),
            _ => return None,
        };
        Some(Content::File(text.as_str().into()))
    }

    /// proc_pid_status(5), in its order; what is not simulated is left out.
    fn status(&self, process: &ProcessInfo) -> String {
        let held = ALL_CAPABILITIES & !process.dropped;
        // Linux gives a user other than root none but those of the program's file; `held` is the bound.
        let (permitted, effective) = match process.uid {
            0 => (held, held),
            _ => (process.gained.permitted & held, process.gained.effective & held),
        };
        let groups: String = process.groups.iter().map(|group| format!("{group} ")).collect();
        format!(
            "Name:\t{}\nState:\t{}\nPid:\t{}\nPPid:\t{}\nUid:\t{u}\t{u}\t{u}\t{u}\nGid:\t{g}\t{g}\t{g}\t{g}\n\
             Groups:\t{groups}\nCapInh:\t{:016x}\nCapPrm:\t{permitted:016x}\nCapEff:\t{effective:016x}\n\
             CapBnd:\t{held:016x}\nCapAmb:\t{:016x}\nNoNewPrivs:\t{}\n",
            process.comm,
            match process.state {
                'R' => "R (running)",
                'T' => "T (stopped)",
                'Z' => "Z (zombie)",
                _ => "S (sleeping)",
            },
            process.pid,
            process.ppid,
            0,
            0,
            process.dropped >> NO_NEW_PRIVILEGES & 1,
            u = process.uid,
            g = process.gid
        )
    }

    /// `/proc/sys`: the settings that are acted by. Nobody changes them.
    fn sys_file(&self, path: &str) -> Option<Made> {
        let made = |mode, content| Some(Made { meta: Meta::root(mode, Timestamp(self.kernel.now().0)), content });
        if sys_names(path).is_some() {
            return made(0o555, Content::Dir { opaque: false });
        }
        let (mode, value) = match path.split_once('/')? {
            ("fs", name) => {
                let settings = Protections::default().settings();
                (0o600, u32::from(settings.iter().find(|setting| setting.0 == name)?.1).to_string())
            }
            ("net", path) => {
                let net = self.kernel.state.borrow().processes.get(&self.kernel.current())?.net;
                (0o644, self.kernel.network(|network| network.get(net).and_then(|ns| ns.setting(path)))?)
            }
            _ => return None,
        };
        made(mode, Content::File(format!("{value}\n").as_str().into()))
    }

    fn root_file(&self, name: &str) -> Option<Content> {
        let up = self.kernel.now().since(self.kernel.boot_time());
        let kib = MEMORY_BYTES / 1024;
        let text = match name {
            "cmdline" => "BOOT_IMAGE=/boot/vmlinuz root=/dev/vda1 ro quiet\n".to_owned(),
            "cpuinfo" => (0..2)
                .map(|n| format!("processor\t: {n}\nvendor_id\t: Capas\nmodel name\t: Capas virtual CPU\n\n"))
                .collect(),
            "filesystems" => "nodev\tproc\nnodev\ttmpfs\nnodev\toverlay\n\text4\n".to_owned(),
            "loadavg" => format!("0.00 0.01 0.05 1/{} {}\n", self.visible().len(), self.kernel.current()),
            "meminfo" => format!(
                "MemTotal:       {kib:8} kB\nMemFree:        {:8} kB\nMemAvailable:   {:8} kB\n",
                kib * 3 / 4,
                kib * 7 / 8
            ),
            "mounts" => self.mounts_of(self.kernel.current()),
            "self" => {
                let current = self.kernel.current();
                let pid = self.visible().into_iter().find(|p| p.gpid == current)?.pid;
                return Some(Content::Symlink(pid.to_string().into()));
            }
            "sysrq-trigger" => String::new(),
            "stat" => format!("cpu  0 0 0 0 0 0 0 0 0 0\nbtime {}\n", self.kernel.boot_time().seconds()),
            "uptime" => format!("{} {}\n", seconds(up), seconds(up)),
            "version" => "Linux version 5.15.0-91-generic (capas@simulated) #101 SMP\n".to_owned(),
            _ => return None,
        };
        Some(Content::File(text.as_str().into()))
    }
}

/// What a directory of `/proc/sys` has in it.
fn sys_names(dir: &str) -> Option<Vec<&'static str>> {
    let below = |dir: &str| -> Vec<&'static str> {
        let mine = SETTINGS.iter().filter_map(|row| row.0.strip_prefix(dir)?.strip_prefix('/'));
        mine.collect()
    };
    Some(match dir {
        "" => vec!["fs", "net"],
        "fs" => Protections::default().settings().iter().map(|setting| setting.0).collect(),
        "net" => vec!["core", "ipv4"],
        "net/core" => below("core"),
        "net/ipv4" => below("ipv4"),
        _ => return None,
    })
}

const NET_FILES: [&str; 4] = ["arp", "dev", "route", "tcp"];

impl ProcFs {
    /// `/proc/net`: the namespace of whoever looks (`net/ipv4/fib_trace.c`, `arp.c`, `tcp_ipv4.c`, `net/core/net-procfs.c`).
    fn net_file(&self, name: &str) -> Option<Content> {
        let proc = self.kernel.current_process();
        let net = proc.net();
        let little = |address: std::net::Ipv4Addr| u32::from(address).swap_bytes();
        let text: String = self.kernel.network(|network| match name {
            "dev" => {
                let head = "Inter-|   Receive                                                |  Transmit\n face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n";
                let line = |link: super::net::Link| {
                    let [received, sent] = link.traffic;
                    let packets = |bytes: u64| bytes.div_ceil(super::net::PACKET_BYTES);
                    format!(
                        "{:>6}: {received:7} {:7}    0    0    0     0          0         0 {sent:8} {:7}    0    0    0     0       0          0\n",
                        link.name,
                        packets(received),
                        packets(sent)
                    )
                };
                Some(network.links(net).into_iter().map(line).fold(head.to_owned(), |all, line| all + &line))
            }
            "route" => {
                let head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT".to_owned();
                let line = |route: super::net::RouteLine| {
                    let via = route.via.map_or(0, little);
                    let mask = little(super::net::mask(route.to.1));
                    let flags = if via == 0 { "0001" } else { "0003" };
                    let text = format!("{}\t{:08X}\t{via:08X}\t{flags}\t0\t0\t0\t{mask:08X}\t0\t0\t0", route.device, little(route.to.0));
                    format!("{text:<127}\n")
                };
                let head = format!("{head:<127}\n");
                Some(network.routes(net).into_iter().map(line).fold(head, |all, line| all + &line))
            }
            "tcp" => {
                let head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode".to_owned();
                let lines = network.listeners(net).into_iter().enumerate().map(|(n, listening)| {
                    let text = format!(
                        "{n:4}: {:08X}:{:04X} 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 0 1 0000000000000000 100 0 0 10 0",
                        little(listening.address),
                        listening.port
                    );
                    format!("{text:<149}\n")
                });
                Some(lines.fold(format!("{head:<149}\n"), |all, line| all + &line))
            }
            "arp" => {
                let head = "IP address       HW type     Flags       HW address            Mask     Device\n".to_owned();
                let lines = network.neighbours(net).into_iter().map(|(address, mac, device)| {
                    let (flags, mac) = mac.map_or((0, "00:00:00:00:00:00".to_owned()), |mac| (2, mac));
                    format!("{:<16} 0x{:<10x}0x{flags:<10x}{mac:<17}     *        {device}\n", address.to_string(), 1)
                });
                Some(lines.fold(head, |all, line| all + &line))
            }
            _ => None,
        })?;
        Some(Content::File(text.as_str().into()))
    }
}

fn seconds(time: Duration) -> String {
    format!("{}.{:02}", time.as_secs(), time.subsec_millis() / 10)
}

impl Synthetic for ProcFs {
    fn get(&self, path: &BStr) -> Option<Made> {
        let dir = Content::Dir { opaque: false };
        let text = path.to_str().ok()?;
        if let Some(setting) = text.strip_prefix("sys")
            && (setting.is_empty() || setting.starts_with('/'))
        {
            return self.sys_file(setting.trim_start_matches('/'));
        }
        let content = match text.split_once('/') {
            None if text.is_empty() || text == "net" => dir,
            None => match text.parse::<u32>() {
                Ok(pid) => self.visible().iter().any(|p| p.pid == pid).then_some(dir)?,
                Err(_) => self.root_file(text)?,
            },
            Some(("net", name)) => self.net_file(name)?,
            Some((pid, name)) => {
                let pid: u32 = pid.parse().ok()?;
                self.process_file(self.visible().iter().find(|p| p.pid == pid)?, name)?
            }
        };
        let mode = match &content {
            Content::Dir { .. } => 0o555,
            Content::Symlink(_) => 0o777,
            _ if text == "sysrq-trigger" => 0o200,
            _ => 0o444,
        };
        Some(Made { meta: Meta::root(mode, Timestamp(self.kernel.now().0)), content })
    }

    fn refusal(&self) -> Errno {
        Errno::ENOENT
    }

    /// Settings can't be changed here; what is no setting takes nothing (Linux `proc_reg_write`).
    fn write(&self, path: &BStr, _bytes: &Rope) -> Result<(), Errno> {
        Err(if path.starts_with(b"sys/") { Errno::EPERM } else { Errno::EIO })
    }

    fn list(&self, path: &BStr) -> Vec<BString> {
        if path.is_empty() {
            let mut names: Vec<BString> = self.visible().iter().map(|p| p.pid.to_string().into()).collect();
            names.extend(ROOT_FILES.iter().map(|name| BString::from(*name)));
            names.push("net".into());
            return names;
        }
        if let Some(setting) = path.strip_prefix(b"sys") {
            let names = setting.to_str().ok().and_then(|path| sys_names(path.trim_start_matches('/')));
            return names.unwrap_or_default().into_iter().map(BString::from).collect();
        }
        if path == "net" {
            return NET_FILES.iter().map(|name| BString::from(*name)).collect();
        }
        if path.ends_with(b"/ns") {
            return NAMESPACES.iter().map(|row| BString::from(row.0)).collect();
        }
        if let Some(pid) = path.strip_suffix(b"/fd").and_then(|pid| pid.to_str().ok()?.parse::<u32>().ok()) {
            let of = |p: ProcessInfo| super::Proc { kernel: self.kernel.clone(), gpid: p.gpid }.descriptors();
            let numbers = self.visible().into_iter().find(|p| p.pid == pid).map(of).unwrap_or_default();
            return numbers.into_iter().map(|number| number.to_string().into()).collect();
        }
        PROCESS_FILES.iter().map(|name| BString::from(*name)).collect()
    }
}
