//! The student's computer: files, mounts, init, and a shell on every terminal.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bstr::BString;

use super::set_up;
use crate::base::errno::Errno;
use crate::base::path;
use crate::base::rope::Rope;
use crate::os::fs::layer::Layer;
use crate::os::fs::mounts::{Caller, Cred, How, Mount, Mounts};
use crate::os::fs::node::{Content, Entry, Meta};
use crate::os::fs::overlay::Overlay;
use crate::os::fs::tree::Tree;
use crate::os::kernel::exec::Flavour;
use crate::os::kernel::net::NetId;
use crate::os::kernel::proc_fs::ProcFs;
use crate::os::kernel::pts::PtsFs;
use crate::os::kernel::{Gpid, Kernel, Proc, ProcessSpec, Programs, Task, TtyId, devices};
use crate::os::userland::packages;

/// The student's name on the host.
pub const USER: &str = "alumno";
/// Where the student starts.
pub const HOME: &str = "/home/alumno";
const NAME: &str = "capas";
const UID: u32 = 1000;
/// The group that may talk to the Docker daemon.
pub(super) const DOCKER_GID: u32 = 998;
/// The group that may use sudo.
const SUDO_GID: u32 = 27;
/// The size of the program `capas`.
const CAPAS_BYTES: u64 = 1_200_000;
/// Bytes that files written on the host may hold in memory.
const DISK_LIMIT: u64 = 768 << 20;
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The host's parts that outlive processes.
pub struct Host {
    mounts: Rc<RefCell<Mounts>>,
    hostname: Rc<RefCell<String>>,
    net: NetId,
    /// More of the environment of the student's shells.
    env: Vec<String>,
}

/// The coloured prompt of Ubuntu's own `.bashrc`.
const PROMPT: &str = r"PS1='\[\e[01;32m\]\u@\h\[\e[00m\]:\[\e[01;34m\]\w\[\e[00m\]\$ '
";

/// A shell that ended sooner than this is started again only after this long.
const RESPAWN: Duration = Duration::from_millis(500);

/// What a student finds installed, beyond the base system.
const PACKAGES: [&str; 21] = [
    "docker-ce",
    "docker-ce-cli",
    "containerd.io",
    "curl",
    "nano",
    "vim-tiny",
    "xz-utils",
    "sudo",
    "procps",
    "less",
    "ca-certificates",
    "iputils-ping",
    "wget",
    "tree",
    "iproute2",
    "net-tools",
    "jq",
    "psmisc",
    "netcat-openbsd",
    "bind9-dnsutils",
    "file",
];

/// The root file system of the student's computer: an Ubuntu with the Docker client and an account for the student.
pub fn root() -> Layer {
    let Some(release) = packages::release("jammy") else { return Layer::default() };
    let mut root = packages::rootfs::rootfs(release, &PACKAGES);
    let append = |root: &mut packages::rootfs::Rootfs, path: &str, mode: u32, line: &str| {
        let text = root.read(path) + line + "\n";
        root.text(path, mode, &text);
    };
    append(&mut root, "/etc/passwd", 0o644, &format!("{USER}:x:{UID}:{UID}:Alumno,,,:{HOME}:/bin/bash"));
    append(&mut root, "/etc/group", 0o644, &format!("{USER}:x:{UID}:\ndocker:x:{DOCKER_GID}:{USER}"));
    append(&mut root, "/etc/shadow", 0o640, &format!("{USER}:*:18980:0:99999:7:::"));
    let groups = root.read("/etc/group").replace("sudo:x:27:\n", &format!("sudo:x:27:{USER}\n"));
    root.text("/etc/group", 0o644, &groups);
    root.text("/etc/hostname", 0o644, &format!("{NAME}\n"));
    root.text("/etc/hosts", 0o644, &format!("127.0.0.1 localhost\n127.0.1.1 {NAME}\n"));
    root.text("/etc/resolv.conf", 0o644, "nameserver 127.0.0.53\noptions edns0 trust-ad\n");
    // Our own program, as a binary that nobody's package brings.
    let capas = packages::files::executable("capas", Flavour::Gnu, CAPAS_BYTES, 1);
    root.put("/usr/local/bin/capas", Entry::file(Meta::root(0o755, release.built), capas));
    let own = |mode| Meta { mode, uid: UID, gid: UID, mtime: release.built };
    root.put(HOME, Entry::dir(own(0o750)));
    for name in [".bashrc", ".profile", ".bash_logout"] {
        let mut text = root.read(&format!("/etc/skel/{name}"));
        if name == ".bashrc" {
            text.push_str(PROMPT);
        }
        root.put(&format!("{HOME}/{name}"), Entry::file(own(0o644), text.as_str()));
    }
    let prompt = root.read("/root/.bashrc") + "PS1='\\u@\\h:\\w\\$ '\n";
    root.text("/root/.bashrc", 0o644, &prompt);
    // Of systemd there is what the student meets.
    let systemctl = packages::files::executable("systemctl", Flavour::Gnu, 1_115_000, 1);
    root.put("/usr/bin/systemctl", Entry::file(Meta::root(0o755, release.built), systemctl));
    // Not of any package: they come with the desktop that Capas is.
    for program in ["edit", "xdg-open"] {
        let content = packages::files::executable(program, Flavour::Gnu, 18_000, 1);
        root.put(&format!("/usr/local/bin/{program}"), Entry::file(Meta::root(0o755, release.built), content));
    }
    // Compose as a program of its own, by the name that it had before it was a plugin.
    let compose = "#!/bin/sh\nif [ \"$1\" = --version ] || [ \"$1\" = -v ]; then\n\texec docker compose version\nfi\nexec docker compose \"$@\"\n";
    root.put("/usr/local/bin/docker-compose", Entry::file(Meta::root(0o755, release.built), compose));
    root.into_layer()
}

/// Enters every program of the operating system.
pub fn register(programs: &mut Programs) {
    crate::os::shell::register(programs);
    crate::os::userland::register(programs);
}

impl Host {
    /// Sets the host up and starts its init.
    pub fn new(kernel: &Kernel, root: Tree, env: Vec<String>) -> Self {
        let now = kernel.now();
        let disk = Rc::new(RefCell::new(Overlay::new(1, root, DISK_LIMIT)));
        let mut mounts = Mounts::new(Mount::overlay("/", "/dev/vda1", "ext4", &disk));
        let dev = Rc::new(RefCell::new(devices::dev(kernel.new_dev(), now)));
        let proc_fs = Rc::new(ProcFs::new(kernel.clone()));
        let who = set_up(now);
        for dir in ["/dev", "/proc", "/root", "/home", "/tmp", "/run"] {
            make_dir(&mounts, &who, dir);
        }
        // Both mount points exist by now.
        let mounted = mounts
            .mount(Mount::overlay("/dev", "udev", "devtmpfs", &dev))
            .and_then(|()| {
                mounts.mount(Mount::synthetic("/dev/pts", "devpts", Rc::new(PtsFs::new(kernel.clone(), ""))))
            })
            .and_then(|()| mounts.mount(Mount::synthetic("/proc", "proc", proc_fs)));
        debug_assert_eq!(mounted, Ok(()));
        let host = Self {
            mounts: Rc::new(RefCell::new(mounts)),
            hostname: Rc::new(RefCell::new(NAME.to_owned())),
            net: kernel.network(|network| network.add()),
            env,
        };
        disk.borrow_mut().take_events();
        let started = kernel.spawn_with(host.spec(kernel, None, Cred::ROOT), |proc| Box::pin(init(proc)));
        debug_assert!(started.is_ok());
        host
    }

    fn spec(&self, kernel: &Kernel, tty: Option<TtyId>, cred: Cred) -> ProcessSpec {
        let file = tty.map_or_else(|| kernel.null(), |id| kernel.open_tty(id));
        let home = if cred.uid == 0 { "/root" } else { HOME };
        let user = if cred.uid == 0 { "root" } else { USER };
        ProcessSpec {
            program: "/sbin/init".into(),
            args: vec!["/sbin/init".into()],
            env: [
                format!("HOME={home}"),
                format!("USER={user}"),
                format!("LOGNAME={user}"),
                "SHELL=/bin/bash".to_owned(),
                "TERM=xterm-256color".to_owned(),
                "LANG=C.UTF-8".to_owned(),
                format!("PATH={PATH}"),
            ]
            .into_iter()
            .chain(self.env.iter().filter(|_| tty.is_some()).cloned())
            .map(BString::from)
            .collect(),
            cwd: if cred.uid == 0 { "/".into() } else { HOME.into() },
            cred,
            mounts: Rc::clone(&self.mounts),
            net: self.net,
            hostname: Rc::clone(&self.hostname),
            stdio: [file.clone(), file.clone(), file],
            tty,
            pid_namespace: if tty.is_some() { Some(1) } else { None },
            cgroup: String::new(),
        }
    }

    /// Keeps a shell on a terminal: when it ends, the next one starts.
    pub fn log_in(&self, kernel: &Kernel, tty: TtyId) -> Result<Gpid, Errno> {
        kernel.spawn_with(self.spec(kernel, Some(tty), student()), |proc| Box::pin(login(proc)))
    }

    /// How the student's browser starts.
    pub fn browser_spec(&self, kernel: &Kernel) -> ProcessSpec {
        ProcessSpec { pid_namespace: Some(1), ..self.spec(kernel, None, student()) }
    }

    /// How the daemon's own processes start: as root, without a terminal.
    pub fn daemon_spec(&self, kernel: &Kernel) -> ProcessSpec {
        ProcessSpec { pid_namespace: Some(1), ..self.spec(kernel, None, Cred::ROOT) }
    }

    /// Puts a file on the host, owned by the student when it is below the student's folder.
    pub fn put_file(&self, kernel: &Kernel, at: &str, content: Rope) -> Result<(), Errno> {
        let owner = if at.starts_with(HOME) { Cred::user(UID, UID, vec![]) } else { Cred::ROOT };
        let who = Caller { cred: owner, umask: 0o022, ..set_up(kernel.now()) };
        let mounts = self.mounts.borrow();
        make_dirs(&mounts, &who, path::parent(at.as_bytes()));
        write(&mounts, &who, at, &content)
    }

    /// Writes a file as the student.
    pub fn save_file(&self, kernel: &Kernel, at: &str, content: &Rope) -> Result<(), Errno> {
        let who = Caller { cred: student(), umask: 0o022, ..set_up(kernel.now()) };
        write(&self.mounts.borrow(), &who, at, content)
    }

    /// The content of a regular file.
    pub fn file(&self, at: &str) -> Result<Rope, Errno> {
        match self.mounts.borrow().find(&Caller::root(), at.as_bytes(), true)?.content()? {
            Content::File(rope) => Ok(rope),
            Content::Dir { .. } => Err(Errno::EISDIR),
            _ => Err(Errno::EINVAL),
        }
    }

    /// The mount table.
    pub fn mounts(&self) -> Rc<RefCell<Mounts>> {
        Rc::clone(&self.mounts)
    }

    /// The network namespace.
    pub const fn net(&self) -> NetId {
        self.net
    }
}

/// Who the student is.
pub fn student() -> Cred {
    Cred::user(UID, UID, vec![UID, SUDO_GID, DOCKER_GID])
}

fn write(mounts: &Mounts, who: &Caller, at: &str, content: &Rope) -> Result<(), Errno> {
    let place = mounts.open(who, at.as_bytes(), How { wanted: 2, create: Some(0o644), ..How::default() })?;
    let (fs, ino) = place.writable()?;
    let mut fs = fs.borrow_mut();
    fs.truncate(ino, 0, who.now)?;
    fs.write(ino, 0, content, who.now)
}

fn make_dir(mounts: &Mounts, who: &Caller, at: &str) {
    // An existing folder is what was wanted.
    let _ = mounts.create(who, at.as_bytes(), 0o755, Content::Dir { opaque: false });
}

fn make_dirs(mounts: &Mounts, who: &Caller, dir: &[u8]) {
    let mut at = BString::default();
    for name in path::components(dir) {
        at.push(b'/');
        at.extend_from_slice(name);
        let _ = mounts.create(who, &at, 0o755, Content::Dir { opaque: false });
    }
}

/// Process 1: takes in orphans.
async fn init(proc: Proc) -> i32 {
    loop {
        if proc.wait(None, false).await.is_err() {
            // No children: look again when one is handed over.
            std::future::poll_fn(|_| match proc.try_wait(None, false) {
                Err(Errno::ECHILD) => std::task::Poll::Pending,
                _ => std::task::Poll::Ready(()),
            })
            .await;
        }
    }
}

/// A terminal's keeper.
async fn login(proc: Proc) -> i32 {
    loop {
        let shell = |child: Proc| -> Task {
            Box::pin(async move {
                let _ = child.set_group(0, 0);
                if let Some(tty) = child.tty() {
                    child.set_foreground(tty, child.group());
                }
                let args = vec![BString::from("-bash")];
                match child.exec(b"/bin/bash", args, child.env()).await {
                    Ok(code) => code,
                    Err(error) => {
                        child.eprint(format!("/bin/bash: {error}\n")).await;
                        127
                    }
                }
            })
        };
        let Ok(pid) = proc.fork(shell) else { return 1 };
        let started = proc.now();
        while proc.wait(Some(pid), false).await == Err(Errno::EINTR) {}
        // A shell that can't start is tried again only now and then.
        if proc.now().since(started) < RESPAWN {
            let _ = proc.sleep(RESPAWN).await;
        }
    }
}
