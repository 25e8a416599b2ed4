//! A small world for tests of programs: one file system with `/bin`, `/etc` and `/tmp`, and a way to run a command in it.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bstr::BString;

use crate::base::rope::Rope;
use crate::base::time::Timestamp;
use crate::os::fs::mounts::{Caller, Cred, Mount, Mounts};
use crate::os::fs::node::Content;
use crate::os::fs::overlay::Overlay;
use crate::os::fs::tree::Tree;
use crate::os::kernel::{Flavour, Kernel, ProcessSpec, Programs, Status, exec};

/// What a command did.
#[derive(PartialEq, Eq, Debug)]
pub struct Ran {
    pub status: i32,
    pub out: String,
    pub err: String,
}

/// A machine with one file system.
pub struct World {
    pub kernel: Kernel,
    pub spec: ProcessSpec,
}

impl World {
    pub fn new() -> Self {
        Self::of(Flavour::Gnu)
    }

    pub fn of(flavour: Flavour) -> Self {
        let mut programs = Programs::new();
        super::register(&mut programs);
        let names: Vec<&str> = programs.names().collect();
        let start = Timestamp::from_date(2021, 3, 1);
        let kernel = Kernel::new(1, start, programs);
        let overlay = Rc::new(RefCell::new(Overlay::new(1, Tree::empty(), 1 << 30)));
        let mounts = Mounts::new(Mount::overlay("/", "/dev/vda1", "ext4", &overlay));
        let spec = ProcessSpec {
            program: BString::default(),
            args: vec![],
            env: vec!["PATH=/bin".into(), "HOME=/root".into()],
            cwd: "/tmp".into(),
            cred: Cred::ROOT,
            mounts: Rc::new(RefCell::new(mounts)),
            net: kernel.network(|n| n.add()),
            hostname: Rc::new(RefCell::new("box".into())),
            stdio: [kernel.null(), kernel.null(), kernel.null()],
            tty: None,
            pid_namespace: Some(1),
            cgroup: String::new(),
        };
        let world = Self { kernel, spec };
        // An init that takes orphans in and never ends.
        let init = |p: crate::os::kernel::Proc| -> crate::os::kernel::Task {
            Box::pin(async move {
                loop {
                    let _ = p.wait(None, false).await;
                    let _ = p.sleep(Duration::from_secs(1_000_000)).await;
                }
            })
        };
        world.kernel.spawn_with(ProcessSpec { pid_namespace: None, ..world.spec.clone() }, init).unwrap();
        for dir in ["/bin", "/etc", "/dev", "/tmp", "/var", "/var/log", "/root"] {
            world.dir(dir);
        }
        for name in names {
            world.file(&format!("/bin/{name}"), exec::header(name, flavour));
            world.spec.mounts.borrow().chmod(&Caller::root(), format!("/bin/{name}").as_bytes(), 0o755).unwrap();
        }
        world.file("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nana:x:1000:1000:Ana:/home/ana:/bin/sh\n");
        world.file("/etc/group", "root:x:0:\nana:x:1000:\nsudo:x:27:ana\n");
        let null = Content::CharDevice(1, 3);
        world.spec.mounts.borrow().create(&world.caller(), b"/dev/null", 0o666, null).unwrap();
        world
    }

    fn caller(&self) -> Caller {
        Caller { now: self.kernel.now(), ..Caller::root() }
    }

    pub fn dir(&self, path: &str) {
        let dir = Content::Dir { opaque: false };
        self.spec.mounts.borrow().create(&self.caller(), path.as_bytes(), 0o755, dir).unwrap();
    }

    pub fn file(&self, path: &str, content: impl Into<Rope>) {
        let content = Content::File(content.into());
        self.spec.mounts.borrow().create(&self.caller(), path.as_bytes(), 0o644, content).unwrap();
    }

    pub fn read(&self, path: &str) -> Rope {
        let place = self.spec.mounts.borrow().find(&self.caller(), path.as_bytes(), true).unwrap();
        match place.content().unwrap() {
            Content::File(rope) => rope,
            other => panic!("{path} is {other:?}"),
        }
    }

    /// Runs a command line of plain words (split at spaces).
    pub fn run(&self, line: &str) -> Ran {
        self.words(&line.split(' ').collect::<Vec<_>>(), "")
    }

    /// Runs a command with standard input.
    pub fn words(&self, words: &[&str], input: impl Into<Rope>) -> Ran {
        let (input, words): (Rope, Vec<BString>) = (input.into(), words.iter().map(|w| BString::from(*w)).collect());
        let (stdin, feed) = self.kernel.pipe();
        let (out_read, out) = self.kernel.pipe();
        let (err_read, err) = self.kernel.pipe();
        let (ran, helper) = (Rc::new(RefCell::new(None)), self.spec.clone());
        let spec =
            ProcessSpec { program: words[0].clone(), args: words, stdio: [stdin, out, err], ..self.spec.clone() };
        let collected = [Rc::new(RefCell::new(Rope::new())), Rc::new(RefCell::new(Rope::new()))];
        for (handle, into) in [out_read, err_read].into_iter().zip(collected.iter().map(Rc::clone)) {
            self.kernel
                .spawn_with(helper.clone(), move |p| {
                    Box::pin(async move {
                        while let Ok(piece) = p.read_handle(&handle, 1 << 20).await
                            && !piece.is_empty()
                        {
                            into.borrow_mut().push(&piece);
                        }
                        0
                    })
                })
                .unwrap();
        }
        self.kernel
            .spawn_with(helper.clone(), move |p| {
                Box::pin(async move {
                    let _ = p.write_handle(&feed, &input).await;
                    0
                })
            })
            .unwrap();
        let (kernel, told) = (self.kernel.clone(), Rc::clone(&ran));
        self.kernel
            .spawn_with(helper, move |_| {
                Box::pin(async move {
                    // Watched from before its first step.
                    let status = match kernel.spawn(spec) {
                        Ok(gpid) => kernel.ended(gpid).await,
                        Err(_) => Status::Exited(127),
                    };
                    *told.borrow_mut() = Some(status);
                    0
                })
            })
            .unwrap();
        self.kernel.advance_to(self.kernel.now() + Duration::from_secs(3600));
        self.kernel.run(50_000_000, None);
        let status = match *ran.borrow() {
            Some(status @ (Status::Exited(_) | Status::Signaled(_))) => status.code(),
            None => -1,
        };
        let [out, err] = collected.map(|rope| String::from_utf8_lossy(&rope.borrow().to_vec()).into_owned());
        Ran { status, out, err }
    }
}

/// A command's standard output, which must be all that it says.
pub fn output(world: &World, line: &str) -> String {
    let ran = world.run(line);
    assert_eq!((ran.status, ran.err.as_str()), (0, ""), "{line}");
    ran.out
}
