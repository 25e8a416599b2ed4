//! The kernel's claims: processes, pipes, signals, terminals, fuel and replay.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use super::*;
use crate::os::fs::mounts::{Caller, Cred, Mount, Mounts};
use crate::os::fs::node::{Content, Entry, Meta};
use crate::os::fs::overlay::Overlay;
use crate::os::fs::tree::Tree;

fn world(programs: Programs) -> (Kernel, ProcessSpec, TtyId) {
    let kernel = Kernel::new(1, Timestamp::from_date(2021, 1, 1), programs);
    let overlay = Rc::new(RefCell::new(Overlay::new(1, Tree::empty(), 1 << 20)));
    let mounts = Mounts::new(Mount::overlay("/", "/dev/vda1", "ext4", &overlay));
    let id = kernel.new_tty(80, 24);
    let tty = kernel.open_tty(id);
    let net = kernel.network(|n| n.add());
    let spec = ProcessSpec {
        program: "/main".into(),
        args: vec!["main".into()],
        env: vec![],
        cwd: "/".into(),
        cred: Cred::ROOT,
        mounts: Rc::new(RefCell::new(mounts)),
        net,
        hostname: Rc::new(RefCell::new("host".into())),
        stdio: [tty.clone(), tty.clone(), tty],
        tty: Some(id),
        pid_namespace: None,
        cgroup: String::new(),
    };
    (kernel, spec, id)
}

fn run(main: impl FnOnce(Proc) -> Task, typed: &[u8]) -> String {
    let (kernel, spec, id) = world(Programs::new());
    kernel.spawn_with(spec, main).unwrap();
    kernel.run(100_000, None);
    kernel.type_into(id, typed);
    kernel.advance_to(kernel.now() + Duration::from_secs(100));
    kernel.run(1_000_000, None);
    String::from_utf8(kernel.take_output(id)).unwrap()
}

#[test]
fn pipe_bounds_its_writer_and_sigpipe_ends_it() {
    let out = run(
        |p| {
            Box::pin(async move {
                let (read, write) = p.pipe().unwrap();
                let child = p
                    .fork(move |c| {
                        Box::pin(async move {
                            c.close(read).unwrap();
                            loop {
                                if c.write(write, b"yes\n").await.is_err() {
                                    return 1;
                                }
                            }
                        })
                    })
                    .unwrap();
                p.close(write).unwrap();
                let head = p.read(read, 8).await.unwrap().to_vec();
                p.close(read).unwrap();
                let waited = p.wait(Some(child), false).await.unwrap();
                p.print(format!("{:?} {waited:?}", String::from_utf8(head))).await.unwrap();
                0
            })
        },
        b"",
    );
    assert_eq!(out, "Ok(\"yes\\nyes\\n\") Ended(2, Signaled(Signal(13)))");
}

#[test]
fn ctrl_c_ends_an_endless_loop_and_the_parent_goes_on() {
    let out = run(
        |p| {
            Box::pin(async move {
                p.on_signal(Signal::INT, Disposition::Handle);
                let child = p
                    .fork(|c| {
                        Box::pin(async move {
                            c.on_signal(Signal::INT, Disposition::Default);
                            loop {
                                c.tick().await;
                            }
                        })
                    })
                    .unwrap();
                let mut waited = p.wait(Some(child), false).await;
                while waited == Err(Errno::EINTR) {
                    p.take_signal();
                    waited = p.wait(Some(child), false).await;
                }
                p.print(format!("{waited:?}")).await.unwrap();
                0
            })
        },
        b"\x03",
    );
    assert_eq!(out, "^COk(Ended(2, Signaled(Signal(2))))");
}

#[test]
fn fuel_bounds_a_run_and_time_goes_on() {
    let (kernel, spec, _) = world(Programs::new());
    let start = kernel.now();
    kernel
        .spawn_with(spec, |p| {
            Box::pin(async move {
                loop {
                    p.tick().await;
                }
            })
        })
        .unwrap();
    assert_eq!(kernel.run(10_000, None), Stop::OutOfFuel);
    assert!(kernel.now() >= start + Duration::from_millis(10));
}

#[test]
fn sleep_takes_virtual_time_only() {
    let (kernel, spec, id) = world(Programs::new());
    let start = kernel.now();
    kernel
        .spawn_with(spec, |p| {
            Box::pin(async move {
                p.sleep(Duration::from_secs(60)).await.unwrap();
                p.print("done").await.unwrap();
                0
            })
        })
        .unwrap();
    let Stop::Until(time) = kernel.run(1000, None) else { panic!("it should sleep") };
    assert_eq!(time.since(start).as_secs(), 60);
    kernel.advance_to(time);
    assert_eq!(kernel.run(1000, None), Stop::Idle);
    assert_eq!(kernel.take_output(id), b"done");
}

#[test]
fn a_program_exists_only_where_its_file_does() {
    let mut programs = Programs::new();
    programs.add("hello", |p| {
        Box::pin(async move {
            p.print("hello").await.unwrap();
            3
        })
    });
    let (kernel, spec, id) = world(programs);
    assert_eq!(kernel.spawn(spec.clone()), Err(Errno::ENOENT));
    let file = Entry::file(Meta::root(0o755, Timestamp(0)), exec::header("hello", Flavour::Gnu));
    let Content::File(content) = file.content else { unreachable!() };
    spec.mounts.borrow().create(&Caller::root(), b"/main", 0o755, Content::File(content)).unwrap();
    let gpid = kernel.spawn(spec.clone()).unwrap();
    kernel.run(1000, None);
    assert_eq!((kernel.take_output(id), kernel.processes(None).len(), gpid), (b"hello".to_vec(), 0, 2));
    spec.mounts.borrow().chmod(&Caller::root(), b"/main", 0o644).unwrap();
    assert_eq!(kernel.spawn(spec).err(), Some(Errno::EACCES));
}

#[test]
fn listeners_answer_across_a_bridge_and_through_published_ports() {
    use std::net::Ipv4Addr;
    let (kernel, host, id) = world(Programs::new());
    let inside = kernel.network(|n| {
        let inside = n.add();
        let plug = |address| net::Interface {
            name: "eth0".into(),
            bridge: 1,
            address,
            prefix: 16,
            gateway: None,
            mac: String::new(),
            index: 0,
            cable: false,
        };
        n.get_mut(inside).unwrap().interfaces.push(plug(Ipv4Addr::new(172, 17, 0, 2)));
        let ns = n.get_mut(host.net).unwrap();
        ns.interfaces.push(plug(Ipv4Addr::new(172, 17, 0, 1)));
        ns.forwards.insert((Ipv4Addr::UNSPECIFIED, 9003), net::Forward { to: inside, port: 80 });
        inside
    });
    let server = ProcessSpec { net: inside, ..host.clone() };
    kernel
        .spawn_with(server, |p| {
            Box::pin(async move {
                p.listen(Ipv4Addr::UNSPECIFIED, 80).unwrap();
                loop {
                    let (fd, _, peer) = p.accept(&[80]).await.unwrap();
                    let got = p.read(fd, 100).await.unwrap().to_vec();
                    p.write(fd, &[b"re:", got.as_slice(), peer.split(':').next().unwrap().as_bytes()].concat())
                        .await
                        .unwrap();
                    p.close(fd).unwrap();
                }
            })
        })
        .unwrap();
    kernel
        .spawn_with(host, |p| {
            Box::pin(async move {
                for address in [(Ipv4Addr::LOCALHOST, 9003), (Ipv4Addr::new(172, 17, 0, 2), 80)] {
                    let fd = p.connect(address).await.unwrap();
                    p.write(fd, b"x ").await.unwrap();
                    let got = p.read_all(fd).await.unwrap();
                    p.print(got.to_vec()).await.unwrap();
                }
                assert_eq!(p.connect((Ipv4Addr::LOCALHOST, 9)).await, Err(Errno::ECONNREFUSED));
                p.print(" end").await.unwrap();
                0
            })
        })
        .unwrap();
    kernel.run(10_000, None);
    assert_eq!(String::from_utf8(kernel.take_output(id)).unwrap(), "re:x 172.17.0.1re:x 172.17.0.1 end");
}
