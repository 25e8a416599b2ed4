//! The administrator's programs at work in real root file systems.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bstr::BString;

use crate::base::time::Timestamp;
use crate::os::fs::mounts::{Cred, Mount, Mounts};
use crate::os::fs::overlay::Overlay;
use crate::os::fs::tree::Tree;
use crate::os::kernel::{Kernel, ProcessSpec, Programs};
use crate::os::userland::packages::{release, rootfs::rootfs};

struct World {
    kernel: Kernel,
    spec: ProcessSpec,
}

impl World {
    fn new(codename: &str) -> Self {
        let mut programs = Programs::new();
        super::register(&mut programs);
        // Scripts need a shell, which is not under test here.
        programs.add("dash", |_| Box::pin(async { 0 }));
        let kernel = Kernel::new(1, Timestamp::from_date(2021, 12, 20), programs);
        let layer = rootfs(release(codename).unwrap(), &[]).into_layer();
        let overlay = Rc::new(RefCell::new(Overlay::new(1, Tree::of([&layer]), 1 << 30)));
        let spec = ProcessSpec {
            program: BString::default(),
            args: Vec::new(),
            env: vec!["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".into()],
            cwd: "/".into(),
            cred: Cred::ROOT,
            mounts: Rc::new(RefCell::new(Mounts::new(Mount::overlay("/", "overlay", "overlay", &overlay)))),
            net: kernel.network(|network| network.add()),
            hostname: Rc::new(RefCell::new("box".into())),
            stdio: [kernel.null(), kernel.null(), kernel.null()],
            tty: None,
            pid_namespace: None,
            cgroup: String::new(),
        };
        Self { kernel, spec }
    }

    /// Runs a command; its status and everything it says.
    fn run(&self, line: &str) -> (i32, String) {
        let words: Vec<BString> = line.split(' ').map(BString::from).collect();
        let (read, write) = self.kernel.pipe();
        let said = Rc::new(RefCell::new(Vec::new()));
        let into = Rc::clone(&said);
        self.kernel
            .spawn_with(self.spec.clone(), move |proc| {
                Box::pin(async move {
                    while let Ok(piece) = proc.read_handle(&read, 1 << 16).await
                        && !piece.is_empty()
                    {
                        into.borrow_mut().extend(piece.to_vec());
                    }
                    0
                })
            })
            .unwrap();
        let spec = ProcessSpec { stdio: [self.kernel.null(), write.clone(), write], ..self.spec.clone() };
        let status = Rc::new(RefCell::new(-1));
        let slot = Rc::clone(&status);
        self.kernel
            .spawn_with(spec, move |proc| {
                Box::pin(async move {
                    let words: Vec<String> = words.iter().map(ToString::to_string).collect();
                    let words: Vec<&str> = words.iter().map(String::as_str).collect();
                    *slot.borrow_mut() = super::run(&proc, &words).await;
                    0
                })
            })
            .unwrap();
        for _ in 0..1000 {
            match self.kernel.run(1 << 20, None) {
                crate::os::kernel::Stop::Until(time) => self.kernel.advance_to(time),
                crate::os::kernel::Stop::OutOfFuel => {}
                crate::os::kernel::Stop::Idle => break,
            }
        }
        self.kernel.advance_to(self.kernel.now() + Duration::from_secs(1));
        let status = *status.borrow();
        (status, String::from_utf8_lossy(&said.borrow()).into_owned())
    }

    fn ok(&self, line: &str) -> String {
        let (status, said) = self.run(line);
        assert_eq!(status, 0, "{line}: {said}");
        said
    }
}

#[test]
fn a_package_is_unknown_before_update() {
    let world = World::new("bullseye");
    let (status, said) = world.run("apt-get install -y curl");
    assert_eq!((status, said.ends_with("E: Unable to locate package curl\n")), (100, true), "{said}");
}

#[test]
fn install_brings_a_package_with_what_it_needs_and_remove_takes_it_out() {
    let world = World::new("bullseye");
    let said = world.ok("apt-get update");
    assert!(said.starts_with("Get:1 http://deb.debian.org/debian bullseye InRelease [116 kB]\n"), "{said}");
    assert!(said.ends_with("Reading package lists...\n"), "{said}");
    assert!(world.ok("apt-get update").starts_with("Hit:1 "));
    let said = world.ok("apt-get install -y --no-install-recommends curl");
    for part in [
        "The following additional packages will be installed:\n  libbrotli1 libcurl4 ",
        "newly installed, 0 to remove and 0 not upgraded.\nNeed to get ",
        "Selecting previously unselected package libcurl4:amd64.\n",
        "Unpacking curl (7.74.0-1.3+deb11u1) ...\n",
        "Setting up curl (7.74.0-1.3+deb11u1) ...\nProcessing triggers for libc-bin (2.31-13+deb11u2) ...\n",
    ] {
        assert!(said.contains(part), "{part:?} in {said}");
    }
    assert!(world.ok("dpkg -L curl").contains("\n/usr/bin/curl\n"));
    assert_eq!(world.ok("dpkg -S /usr/bin/curl"), "curl: /usr/bin/curl\n");
    assert!(world.ok("apt-get install curl").contains("curl is already the newest version (7.74.0-1.3+deb11u1).\n"));
    assert!(world.ok("apt-mark showauto").contains("libcurl4\n"));
    let said = world.ok("apt-get purge -y --auto-remove curl");
    assert!(said.contains("  curl* ") && said.contains("libcurl4*"), "{said}");
    assert!(said.contains("Removing curl (7.74.0-1.3+deb11u1) ...\n"), "{said}");
    assert_eq!(world.run("dpkg -L curl").0, 1);
    assert_eq!(world.run("dpkg -s libcurl4").0, 1);
}

#[test]
fn a_question_without_an_answer_aborts() {
    let world = World::new("focal");
    world.ok("apt-get update");
    let (status, said) = world.run("apt-get install curl");
    assert_eq!(status, 1, "{said}");
    assert!(said.ends_with("Do you want to continue? [Y/n] Abort.\n"), "{said}");
}

#[test]
fn wrong_words_get_apts_answers() {
    let world = World::new("focal");
    for (line, wanted) in [
        ("apt-get frobnicate", "E: Invalid operation frobnicate\n"),
        ("apt-get install -z curl", "E: Command line option 'z' [from -z] is not known.\n"),
    ] {
        assert_eq!(world.run(line), (100, wanted.to_owned()), "{line}");
    }
    assert!(world.run("apt-get remove -y bash").1.contains("essential"));
}

#[test]
fn accounts_are_added_where_numbers_are_free() {
    let world = World::new("stretch");
    world.ok("groupadd -r postgres --gid=999");
    world.ok("useradd -r -g postgres --uid=999 --home-dir=/var/lib/postgresql --shell=/bin/bash postgres");
    assert_eq!(world.ok("getent passwd postgres"), "postgres:x:999:999::/var/lib/postgresql:/bin/bash\n");
    assert_eq!(world.run("useradd postgres"), (9, "useradd: user 'postgres' already exists\n".into()));
    let said = world.ok("addgroup --system --gid 101 nginx");
    assert_eq!(said, "Adding group `nginx' (GID 101) ...\nDone.\n");
    world.ok("adduser --system --disabled-login --ingroup nginx --no-create-home --home /nonexistent --gecos nginx --shell /bin/false --uid 101 nginx");
    assert_eq!(world.ok("getent passwd nginx"), "nginx:x:101:101:nginx:/nonexistent:/bin/false\n");
    world.ok("useradd -m ana");
    world.ok("usermod -aG sudo ana");
    assert_eq!(world.ok("getent group sudo"), "sudo:x:27:ana\n");
    world.ok("userdel ana");
    assert_eq!(world.ok("getent group sudo"), "sudo:x:27:\n");
}

#[test]
fn dpkg_lists_what_the_database_holds() {
    let world = World::new("focal");
    let said = world.ok("dpkg -l bash");
    let rows: Vec<&str> = said.lines().collect();
    assert_eq!(rows[3..].len(), 3, "{said}");
    assert_eq!(rows[4], "+++-====-==============-============-======================");
    assert_eq!(rows[5], "ii  bash 5.0-6ubuntu1.1 amd64        GNU Bourne Again SHell");
}

#[test]
fn apk_adds_and_deletes() {
    let world = World::new("v3.15");
    let (status, said) = world.run("apk add curl");
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("  curl (no such package):\n    required by: world[curl]\n"), "{said}");
    let said = world.ok("apk add --no-cache curl");
    assert!(
        said.starts_with("fetch https://dl-cdn.alpinelinux.org/alpine/v3.15/main/x86_64/APKINDEX.tar.gz\n"),
        "{said}"
    );
    assert!(said.contains("(5/5) Installing curl (7.80.0-r0)\n"), "{said}");
    assert!(said.contains("Executing busybox-1.34.1-r3.trigger\n"), "{said}");
    assert!(said.contains("OK: ") && said.ends_with(" MiB in 19 packages\n"), "{said}");
    let said = world.ok("apk del curl");
    assert!(said.contains("Purging curl (7.80.0-r0)\n") && said.ends_with(" MiB in 14 packages\n"), "{said}");
}
