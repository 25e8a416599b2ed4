//! Build containers on the kernel: a root file system, the usual mounts, a process, its output.
//!
//! Mount points that an image lacks are in a layer below the container's, as in Docker's init layer, and so in no image.
//! A build that is cancelled takes its container along.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use bstr::{BStr, BString};
use futures_lite::future::zip;

use super::files;
use super::world::{Later, Run, RunEnd, RunStep, StartError};
use crate::base::errno::Errno;
use crate::base::path;
use crate::base::rope::Rope;
use crate::base::time::Timestamp;
use crate::os::fs::layer::{Change, Layer};
use crate::os::fs::mounts::{Caller, Cred, Mount, Mounts};
use crate::os::fs::node::{Content, Entry, Kind, Meta};
use crate::os::fs::overlay::Overlay;
use crate::os::fs::tree::Tree;
use crate::os::kernel::net::NetId;
use crate::os::kernel::proc_fs::ProcFs;
use crate::os::kernel::process::Handle;
use crate::os::kernel::{Gpid, Kernel, Proc, ProcessSpec, Signal, devices};

/// The most bytes a file of `/etc` is read for.
const MAX_TABLE_BYTES: u64 = 1 << 20;
/// The most bytes that a container's own files may hold in memory.
const MAX_RESIDENT_BYTES: u64 = 1 << 29;
/// The most bytes read from a pipe at once.
const READ_BYTES: u64 = 1 << 16;

/// What build containers share.
#[derive(Clone)]
pub struct Sandbox {
    /// The kernel.
    pub kernel: Kernel,
    /// The name server's file.
    pub resolv_conf: Vec<u8>,
    /// A network for a mode (`default`, `none`, `host`).
    pub attach: Rc<dyn Fn(&str) -> NetId>,
    /// Takes a network back.
    pub detach: Rc<dyn Fn(NetId)>,
}

impl Sandbox {
    /// Containers whose network is only their own loopback.
    pub fn isolated(kernel: &Kernel) -> Self {
        let (a, d) = (kernel.clone(), kernel.clone());
        Self {
            kernel: kernel.clone(),
            resolv_conf: b"nameserver 127.0.0.11\n".to_vec(),
            attach: Rc::new(move |_| a.network(|network| network.add())),
            detach: Rc::new(move |id| d.network(|network| network.remove(id))),
        }
    }

    /// This as a world's way to run commands.
    pub fn runner(self) -> Run {
        Rc::new(move |step| {
            let sandbox = self.clone();
            let later: Later<_> = Box::pin(async move { sandbox.run(step).await });
            later
        })
    }

    async fn run(&self, step: RunStep) -> Result<RunEnd, StartError> {
        let kernel = &self.kernel;
        let now = kernel.now();
        let lower = with_mount_points(&step, now);
        let root = Rc::new(RefCell::new(Overlay::new(kernel.new_dev(), lower, MAX_RESIDENT_BYTES)));
        let mounts = self.mounts(&step, &root)?;
        let (cred, home) = user(&root, &step.user)?;
        let mut env: Vec<BString> = step.env.iter().map(|word| word.as_str().into()).collect();
        if !env.iter().any(|word| word.starts_with(b"HOME=")) {
            env.push(format!("HOME={home}").into());
        }
        let cwd = if step.cwd.is_empty() { "/" } else { &step.cwd };
        make_dirs(&root, cwd.as_bytes(), now).map_err(|errno| {
            StartError(format!(
                "chdir to cwd (\"{cwd}\") set in config.json failed: {}",
                errno.strerror().to_lowercase()
            ))
        })?;
        let ((out, out_write), (err, err_write)) = (kernel.pipe(), kernel.pipe());
        let net = (self.attach)(&step.network);
        let program = step.args.first().map_or("", String::as_str);
        let spec = ProcessSpec {
            program: program.into(),
            args: step.args.iter().map(|word| word.as_str().into()).collect(),
            env,
            cwd: cwd.into(),
            cred,
            mounts: Rc::new(RefCell::new(mounts)),
            net,
            hostname: Rc::new(RefCell::new(step.hostname.clone())),
            stdio: [kernel.null(), out_write, err_write],
            tty: None,
            pid_namespace: None,
            cgroup: "buildkit".to_owned(),
        };
        let guard = Guard { sandbox: self.clone(), net, container: Cell::new(0) };
        let container = kernel.spawn(spec).map_err(|errno| StartError(why(program, errno)))?;
        guard.container.set(container);
        let own = kernel.current_process();
        let output = zip(forward(&own, &out, &*step.output, false), forward(&own, &err, &*step.output, true));
        // `zip` asks for the end first, before the container's process has had a turn.
        let (status, _) = zip(kernel.ended(container), output).await;
        guard.container.set(0);
        drop(guard);
        let layer = root.borrow().upper();
        Ok(RunEnd { code: status.code(), layer })
    }

    fn mounts(&self, step: &RunStep, root: &Rc<RefCell<Overlay>>) -> Result<Mounts, StartError> {
        let kernel = &self.kernel;
        let now = kernel.now();
        let fail = |at: &[u8]| {
            let at = BStr::new(at).to_string();
            move |errno: Errno| {
                StartError(format!("error mounting to rootfs at \"{at}\": {}", errno.strerror().to_lowercase()))
            }
        };
        let shared = |overlay| Rc::new(RefCell::new(overlay));
        let mut mounts = Mounts::new(Mount::overlay("/", "overlay", "overlay", root));
        let dev = shared(devices::dev(kernel.new_dev(), now));
        let sys = shared(Overlay::new(kernel.new_dev(), Tree::empty(), 1 << 20));
        for mount in [
            Mount::synthetic("/proc", "proc", Rc::new(ProcFs::new(kernel.clone()))),
            Mount::overlay("/dev", "tmpfs", "tmpfs", &dev),
            Mount { read_only: true, ..Mount::overlay("/sys", "sysfs", "sysfs", &sys) },
        ] {
            let at = mount.at.clone();
            mounts.mount(mount).map_err(fail(&at))?;
        }
        let mut hosts = format!("127.0.0.1\tlocalhost {}\n::1\tlocalhost ip6-localhost ip6-loopback\n", step.hostname);
        for (name, address) in step.extra_hosts.iter().filter_map(|host| host.split_once(':')) {
            hosts.push_str(&format!("{address}\t{name}\n"));
        }
        let etc = shared(Overlay::new(kernel.new_dev(), Tree::empty(), 1 << 20));
        let table = Mounts::new(Mount::overlay("/", "tmpfs", "tmpfs", &etc));
        let who = Caller { now, ..Caller::root() };
        for (name, content) in [("resolv.conf", self.resolv_conf.clone()), ("hosts", hosts.into_bytes())] {
            let at = format!("/etc/{name}");
            let from = table
                .create(&who, name.as_bytes(), 0o644, Content::File(Rope::from(content)))
                .map_err(fail(at.as_bytes()))?;
            mounts.bind(&from, at.as_bytes(), false, "/etc").map_err(fail(at.as_bytes()))?;
        }
        for extra in &step.mounts {
            let source = Mounts::new(Mount::overlay("/", "overlay", "overlay", &extra.overlay));
            let from = source.find(&who, &extra.path, true).map_err(fail(&extra.at))?;
            if extra.at.starts_with(b"/dev/") {
                // What is mounted below another mount has its place there.
                let place = Content::Dir { opaque: false };
                mounts.create(&who, &extra.at, 0o755, place).map_err(fail(&extra.at))?;
            }
            mounts.bind(&from, &extra.at, extra.read_only, extra.kind).map_err(fail(&extra.at))?;
        }
        Ok(mounts)
    }
}

/// Kills what still runs and takes the network back when a run ends, however it ends.
struct Guard {
    sandbox: Sandbox,
    net: NetId,
    container: Cell<Gpid>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.container.get() != 0 {
            // It may have ended by itself.
            let _ = self.sandbox.kernel.kill(self.container.get(), Signal::KILL);
        }
        (self.sandbox.detach)(self.net);
    }
}

async fn forward(proc: &Proc, file: &Handle, sink: &dyn Fn(bool, &[u8]), is_error: bool) {
    while let Ok(bytes) = proc.read_handle(file, READ_BYTES).await {
        if bytes.is_empty() {
            break;
        }
        sink(is_error, &bytes.to_vec());
    }
}

/// runc's words for a program that does not start.
fn why(program: &str, errno: Errno) -> String {
    match errno {
        Errno::ENOENT if !program.contains('/') => format!("exec: \"{program}\": executable file not found in $PATH"),
        Errno::ENOEXEC => format!("exec {program}: exec format error"),
        Errno::EISDIR => format!("exec: \"{program}\": is a directory: permission denied"),
        Errno::EACCES => format!("exec: \"{program}\": permission denied"),
        errno => format!("exec: \"{program}\": stat {program}: {}", errno.strerror().to_lowercase()),
    }
}

/// The identity and home of an image's user (moby/sys/user `GetExecUser`).
fn user(root: &Rc<RefCell<Overlay>>, text: &str) -> Result<(Cred, String), StartError> {
    let mounts = Mounts::new(Mount::overlay("/", "overlay", "overlay", root));
    let rows = |file: &str| -> Vec<Vec<String>> {
        let content = mounts.find(&Caller::root(), file.as_bytes(), true).and_then(|place| place.content());
        let Ok(Content::File(rope)) = content else { return Vec::new() };
        let text = rope.head(MAX_TABLE_BYTES);
        let text = String::from_utf8_lossy(&text);
        text.lines().map(|line| line.split(':').map(ToOwned::to_owned).collect()).collect()
    };
    let text = if text.is_empty() { "0" } else { text };
    let (name, group) = text.split_once(':').map_or((text, None), |(name, group)| (name, Some(group)));
    let number = |row: &[String], at: usize| row.get(at).and_then(|field| field.parse::<u32>().ok());
    let users = rows("/etc/passwd");
    let own = users.iter().find(|row| match name.parse::<u32>() {
        Ok(uid) => number(row, 2) == Some(uid),
        Err(_) => row.first().is_some_and(|own| own == name),
    });
    let (uid, own_gid) = match (own, name.parse::<u32>()) {
        (Some(row), _) => (number(row, 2).unwrap_or(0), number(row, 3).unwrap_or(0)),
        (None, Ok(uid)) => (uid, 0),
        (None, Err(_)) => {
            return Err(StartError(format!("unable to find user {name}: no matching entries in passwd file")));
        }
    };
    let home = own.and_then(|row| row.get(5)).filter(|home| !home.is_empty()).cloned();
    let groups = rows("/etc/group");
    let gid = match group {
        None => own_gid,
        Some(group) => {
            let row = groups.iter().find(|row| row.first().is_some_and(|own| own == group));
            let gid = row.and_then(|row| number(row, 2)).or_else(|| group.parse().ok());
            gid.ok_or_else(|| StartError(format!("unable to find group {group}: no matching entries in group file")))?
        }
    };
    let login = own.and_then(|row| row.first()).map_or(name, String::as_str);
    let member = |row: &&Vec<String>| row.get(3).is_some_and(|list| list.split(',').any(|other| other == login));
    let further = if group.is_some() {
        Vec::new()
    } else {
        groups.iter().filter(member).filter_map(|row| number(row, 2)).collect()
    };
    Ok((Cred::user(uid, gid, further), home.unwrap_or_else(|| "/".to_owned())))
}

fn make_dirs(root: &Rc<RefCell<Overlay>>, at: &[u8], now: Timestamp) -> Result<(), Errno> {
    let mounts = Mounts::new(Mount::overlay("/", "overlay", "overlay", root));
    let who = Caller { now, ..Caller::root() };
    let mut dir = BString::from("/");
    for name in path::components(at) {
        dir = path::join(&dir, name);
        match mounts.create(&who, &dir, 0o755, Content::Dir { opaque: false }) {
            Ok(_) | Err(Errno::EEXIST) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// The files below a container with the mount points that an image may lack.
fn with_mount_points(step: &RunStep, now: Timestamp) -> Tree {
    let mut tree = step.lower.clone();
    let own = [("/proc", Kind::Dir), ("/dev", Kind::Dir), ("/sys", Kind::Dir)];
    let etc = [("/etc/resolv.conf", Kind::File), ("/etc/hosts", Kind::File)];
    let mut points: Vec<(BString, Kind)> =
        own.iter().chain(&etc).map(|(at, kind)| (BString::from(*at), *kind)).collect();
    for extra in &step.mounts {
        let source = Mounts::new(Mount::overlay("/", "overlay", "overlay", &extra.overlay));
        let is_file = source.stat(&Caller::root(), &extra.path, true).is_ok_and(|stat| !stat.is_dir());
        points.push((extra.at.clone(), if is_file { Kind::File } else { Kind::Dir }));
    }
    for (at, kind) in points {
        if files::find(&tree, &at).is_some() || at.starts_with(b"/dev/") {
            continue;
        }
        // The folders above that are there may be links; below the last of them all is new.
        let names: Vec<&BStr> = path::components(&at).collect();
        let mut dir = BString::default();
        let mut missing: BTreeMap<BString, Change> = BTreeMap::new();
        for (index, name) in names.iter().enumerate() {
            let next = if dir.is_empty() { (*name).to_owned() } else { path::join(&dir, name) };
            match files::find(&tree, &next) {
                Some(found) => dir = found.path,
                None => {
                    let entry = if kind == Kind::File && index + 1 == names.len() {
                        Entry::file(Meta::root(0o644, now), "")
                    } else {
                        Entry::dir(Meta::root(0o755, now))
                    };
                    missing.insert(next.clone(), Change::Put(Arc::new(entry)));
                    dir = next;
                }
            }
        }
        tree = tree.with(&Layer::new(missing));
    }
    tree
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::kernel::Stop;
    use crate::os::kernel::exec::{Flavour, Programs, header};
    use std::time::Duration;

    /// A shell that tells who and where it is, writes a file and sleeps if asked to.
    fn sh(proc: Proc) -> crate::os::kernel::Task {
        Box::pin(async move {
            let text = proc.args().last().cloned().unwrap_or_default();
            let cred = proc.cred();
            proc.print(format!(
                "{}:{} {} {} {}\n",
                cred.uid,
                cred.gid,
                proc.cwd(),
                proc.hostname(),
                proc.getenv("HOME").unwrap_or_default()
            ))
            .await
            .unwrap();
            proc.eprint("to stderr\n").await;
            let _ = proc.mkdir(b"/made", 0o755);
            assert!(
                proc.stat(b"/dev/null").is_ok() && proc.stat(b"/proc/1").is_ok() && proc.stat(b"/etc/hosts").is_ok()
            );
            if text == "sleep" {
                proc.sleep(Duration::from_secs(10)).await.unwrap();
            }
            if text == "fail" { 3 } else { 0 }
        })
    }

    fn run(args: &[&str], user: &str) -> (Result<i32, StartError>, String, Vec<String>, Timestamp) {
        let mut programs = Programs::new();
        programs.add("sh", sh);
        let start = Timestamp::from_date(2026, 1, 1);
        let kernel = Kernel::new(1, start, programs);
        let meta = Meta::root(0o755, Timestamp(0));
        let image: Layer = [
            ("bin", Entry::dir(meta)),
            ("bin/sh", Entry::file(meta, header("sh", Flavour::Busybox))),
            ("bin/text", Entry::file(Meta { mode: 0o644, ..meta }, "no program")),
            ("etc", Entry::dir(meta)),
            ("etc/passwd", Entry::file(meta, "root:x:0:0::/root:/bin/sh\nnode:x:1000:1001::/home/node:/bin/sh\n")),
        ]
        .into_iter()
        .map(|(path, entry)| (BString::from(path), Change::Put(Arc::new(entry))))
        .collect();
        let text = Rc::new(RefCell::new(Vec::new()));
        let sink = Rc::clone(&text);
        let step = RunStep {
            lower: Tree::of([&image]),
            args: args.iter().map(ToString::to_string).collect(),
            env: vec!["PATH=/bin".into()],
            cwd: "/work/dir".into(),
            user: user.into(),
            hostname: "buildkitsandbox".into(),
            network: "default".into(),
            extra_hosts: Vec::new(),
            mounts: Vec::new(),
            output: Rc::new(move |is_error, bytes| {
                sink.borrow_mut().extend_from_slice(if is_error { b"E " } else { b"O " });
                sink.borrow_mut().extend_from_slice(bytes);
            }),
        };
        let later = Sandbox::isolated(&kernel).runner()(step);
        let end = Rc::new(RefCell::new(None));
        let result = Rc::clone(&end);
        let host = Mounts::new(Mount::overlay(
            "/",
            "disk",
            "ext4",
            &Rc::new(RefCell::new(Overlay::new(9, Tree::empty(), 1 << 20))),
        ));
        let null = kernel.null();
        let spec = ProcessSpec {
            program: "test".into(),
            args: vec!["test".into()],
            env: Vec::new(),
            cwd: "/".into(),
            cred: Cred::ROOT,
            mounts: Rc::new(RefCell::new(host)),
            net: kernel.network(|network| network.add()),
            hostname: Rc::new(RefCell::new("host".into())),
            stdio: [null.clone(), null.clone(), null],
            tty: None,
            pid_namespace: None,
            cgroup: String::new(),
        };
        kernel
            .spawn_with(spec, move |_| {
                Box::pin(async move {
                    *result.borrow_mut() = Some(later.await);
                    0
                })
            })
            .unwrap();
        while let Stop::Until(time) = kernel.run(1_000_000, None) {
            kernel.advance_to(time);
        }
        let text = String::from_utf8(text.borrow().clone()).unwrap();
        let ended = end.borrow_mut().take().expect("the run ended");
        assert_eq!(kernel.processes(None).len(), 0, "no process is left");
        let upper = match &ended {
            Ok(end) => end.layer.entries().map(|(path, _)| path.to_string()).filter(|path| !path.is_empty()).collect(),
            Err(_) => Vec::new(),
        };
        (ended.map(|end| end.code), text, upper, kernel.now())
    }

    #[test]
    fn a_command_runs_as_its_user_in_its_folder_and_leaves_only_its_files() {
        let (code, text, upper, _) = run(&["/bin/sh", "-c", "true"], "");
        assert_eq!((code, text.as_str()), (Ok(0), "O 0:0 /work/dir buildkitsandbox /root\nE to stderr\n"));
        assert_eq!(upper, ["made", "work", "work/dir"]);
        let (code, text, ..) = run(&["sh", "-c", "fail"], "node");
        assert_eq!(code, Ok(3));
        assert!(text.starts_with("O 1000:1001 /work/dir buildkitsandbox /home/node\n"), "{text}");
        let (.., now) = run(&["sh", "-c", "sleep"], "12:13");
        assert!(now >= Timestamp::from_date(2026, 1, 1) + Duration::from_secs(10));
    }

    #[test]
    fn what_does_not_start_says_why() {
        let why = |args: &[&str], user: &str| run(args, user).0.unwrap_err().0;
        assert_eq!(why(&["/bin/nope"], ""), "exec: \"/bin/nope\": stat /bin/nope: no such file or directory");
        assert_eq!(why(&["nope"], ""), "exec: \"nope\": executable file not found in $PATH");
        assert_eq!(why(&["/bin/text"], ""), "exec: \"/bin/text\": permission denied");
        assert_eq!(why(&["sh"], "nobody"), "unable to find user nobody: no matching entries in passwd file");
    }
}
