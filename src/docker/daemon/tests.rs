//! The daemon's claims, in a world of one small image and a handful of programs.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bstr::BString;

use super::api::container::*;
use super::api::network::NetworkCreate;
use super::errors::{DaemonError, RuntimeError};
use super::handle::{Daemon, DaemonConfig};
use crate::base::time::Timestamp;
use crate::docker::image::config::{ContainerConfig, Form, History, Image, ImageConfig};
use crate::docker::image::memo::DigestMemo;
use crate::docker::image::reference::Reference;
use crate::docker::image::store::Store;
use crate::docker::registry::Registry;
use crate::os::fs::layer::{Change, Layer};
use crate::os::fs::mounts::{Cred, Mount, Mounts};
use crate::os::fs::node::{Entry, Meta};
use crate::os::fs::overlay::Overlay;
use crate::os::fs::tree::Tree;
use crate::os::kernel::exec::header;
use crate::os::kernel::{Disposition, Flavour, Kernel, Proc, ProcessSpec, Programs, Signal, Task};

fn programs() -> Programs {
    let mut programs = Programs::new();
    // Writes its arguments, or a file, or ends with a code; `serve` stays until it is told to stop.
    programs.add("do", |p: Proc| -> Task {
        Box::pin(async move {
            let args: Vec<String> = p.args().iter().map(ToString::to_string).collect();
            let words: Vec<&str> = args.iter().skip(1).map(String::as_str).collect();
            match words.as_slice() {
                ["write", path, text] => i32::from(p.write_file(path.as_bytes(), &(*text).into()).await.is_err()),
                ["read", path] => match p.read_file(path.as_bytes()).await {
                    Ok(text) => i32::from(p.print(text.to_vec()).await.is_err()),
                    Err(_) => 1,
                },
                ["exit", code] => code.parse().unwrap(),
                ["env"] => {
                    for word in p.env() {
                        p.print([word.as_slice(), b"\n"].concat()).await.unwrap();
                    }
                    0
                }
                ["cat"] => {
                    let text = p.read_all(0).await.unwrap();
                    p.print(text.to_vec()).await.unwrap();
                    0
                }
                ["serve"] => {
                    p.on_signal(Signal::TERM, Disposition::Handle);
                    p.pause().await;
                    143
                }
                ["sleep"] => {
                    p.sleep(Duration::from_secs(1000)).await.unwrap();
                    0
                }
                ["id"] => {
                    p.print(format!("{} {} {}\n", p.pid(), p.cred().uid, p.cwd())).await.unwrap();
                    0
                }
                _ => {
                    p.print(words.join(" ")).await.unwrap();
                    p.eprint("!").await;
                    0
                }
            }
        })
    });
    programs
}

fn daemon() -> Daemon {
    let kernel = Kernel::new(1, Timestamp::from_date(2025, 3, 1), programs());
    let disk = Rc::new(RefCell::new(Overlay::new(1, Tree::empty(), 1 << 20)));
    let net = kernel.network(|n| n.add());
    let null = kernel.null();
    let init = ProcessSpec {
        program: "/sbin/init".into(),
        args: vec!["init".into()],
        env: vec![],
        cwd: "/".into(),
        cred: Cred::ROOT,
        mounts: Rc::new(RefCell::new(Mounts::new(Mount::overlay("/", "/dev/vda1", "ext4", &disk)))),
        net,
        hostname: Rc::new(RefCell::new("host".into())),
        stdio: [null.clone(), null.clone(), null],
        tty: None,
        pid_namespace: None,
        cgroup: String::new(),
    };
    kernel.spawn_with(init.clone(), |_| Box::pin(std::future::pending())).unwrap();
    let host = ProcessSpec { pid_namespace: Some(1), ..init };
    let mut store = Store::new(DigestMemo::new());
    let meta = |mode| Meta::root(mode, Timestamp(0));
    let put = |entry: Entry| Change::Put(Arc::new(entry));
    let base: Layer = [
        (BString::from("bin"), put(Entry::dir(meta(0o755)))),
        ("bin/do".into(), put(Entry::file(meta(0o755), header("do", Flavour::Gnu)))),
        ("bin/plain".into(), put(Entry::file(meta(0o644), "x"))),
        ("bin/odd".into(), put(Entry::file(meta(0o755), "x"))),
        ("etc".into(), put(Entry::dir(meta(0o755)))),
        (
            "etc/passwd".into(),
            put(Entry::file(meta(0o644), "root:x:0:0::/root:/bin/sh\nann:x:7:7::/home/ann:/bin/sh\n")),
        ),
        ("data".into(), put(Entry::dir(meta(0o755)))),
        ("data/seed".into(), put(Entry::file(meta(0o644), "seeded"))),
    ]
    .into_iter()
    .collect();
    let chain = store.register(None, Arc::new(base)).unwrap();
    let diff_ids = vec![store.layer(chain).unwrap().diff_id];
    let config = ContainerConfig {
        env: vec!["PATH=/bin".into()],
        cmd: Some(vec!["do".into(), "serve".into()]),
        ..ContainerConfig::default()
    };
    let history = vec![History { created_by: "ADD".into(), ..History::default() }];
    let image = ImageConfig { os: "linux".into(), config, history, diff_ids, ..ImageConfig::default() };
    let id = store.add_image(Image::new(image, Form::Classic)).unwrap();
    store.tag(Reference::parse("small").unwrap(), id, kernel.now());
    store.release(chain);
    let registry = Registry::new(Rc::new(|_| None));
    Daemon::new(DaemonConfig { kernel, store: Rc::new(RefCell::new(store)), registry, host })
}

/// Does something as a client process of the host, to its end.
fn client<T: 'static, F: Future<Output = T> + 'static>(daemon: &Daemon, ask: impl FnOnce(Daemon, Proc) -> F) -> T {
    let out = Rc::new(RefCell::new(None));
    let (own, to) = (daemon.clone(), Rc::clone(&out));
    let kernel = daemon.kernel().clone();
    kernel
        .spawn_with(daemon.host().clone(), |proc| {
            let asked = ask(own, proc);
            Box::pin(async move {
                let answer = asked.await;
                *to.borrow_mut() = Some(answer);
                0
            })
        })
        .unwrap();
    for _ in 0..100 {
        if out.borrow().is_some() {
            break;
        }
        kernel.run(100_000, None);
        kernel.advance_to(kernel.now() + Duration::from_secs(1));
    }
    out.borrow_mut().take().unwrap()
}

fn words(text: &str) -> Option<Vec<String>> {
    (!text.is_empty()).then(|| text.split(' ').map(ToOwned::to_owned).collect())
}

fn request(name: &str, command: &str) -> CreateRequest {
    CreateRequest {
        name: Some(name.to_owned()),
        config: ContainerConfig { image: "small".into(), cmd: words(command), ..ContainerConfig::default() },
        ..CreateRequest::default()
    }
}

/// Creates, attaches, starts, waits: the output of both streams and the code.
fn run(daemon: &Daemon, request: CreateRequest) -> Result<(String, i64), DaemonError> {
    client(daemon, async |daemon, _| {
        let id = daemon.container_create(request)?.id;
        let options = AttachOptions { stdout: true, stderr: true, ..AttachOptions::default() };
        let attached = daemon.container_attach(&id, options)?;
        let wait = daemon.container_wait(&id, WaitCondition::NextExit)?;
        daemon.container_start(&id).await?;
        let mut out = Vec::new();
        while let Some(frame) = attached.output.next().await {
            out.extend(frame.bytes.to_vec());
        }
        Ok((String::from_utf8(out).unwrap(), wait.ended().await.status_code))
    })
}

fn start(daemon: &Daemon, request: CreateRequest) -> Result<String, DaemonError> {
    client(daemon, async |daemon, _| {
        let id = daemon.container_create(request)?.id;
        daemon.container_start(&id).await.map(|()| id)
    })
}

fn exec(daemon: &Daemon, name: &str, command: &str) -> Result<(String, Option<i64>), DaemonError> {
    let (name, cmd) = (name.to_owned(), words(command).unwrap());
    client(daemon, async move |daemon, _| {
        let config = ExecConfig { cmd, attach_stdout: true, ..ExecConfig::default() };
        let id = daemon.exec_create(&name, config)?;
        let attached = daemon.exec_start(&id, false)?.unwrap();
        let mut out = Vec::new();
        while let Some(frame) = attached.output.next().await {
            out.extend(frame.bytes.to_vec());
        }
        Ok((String::from_utf8(out).unwrap(), daemon.exec_inspect(&id)?.exit_code))
    })
}

#[test]
fn a_container_runs_and_its_output_and_code_come_back() {
    let daemon = daemon();
    assert_eq!(run(&daemon, request("aa", "do hello you")), Ok(("hello you!".into(), 0)));
    assert_eq!(run(&daemon, request("bb", "do exit 3")), Ok((String::new(), 3)));
    let rows = daemon.container_list(&ListOptions { all: true, ..ListOptions::default() }).unwrap();
    let status: Vec<&str> = rows.iter().map(|row| row.status.as_str()).collect();
    assert!(status[0].starts_with("Exited (3) "), "{status:?}");
    assert_eq!(run(&daemon, request("cc", "do id")), Ok(("1 0 /\n".into(), 0)));
}

#[test]
fn environment_is_path_hostname_own_and_home() {
    let daemon = daemon();
    let mut request = request("aa", "do env");
    request.config.user = "ann".into();
    request.config.hostname = "box".into();
    assert_eq!(run(&daemon, request).unwrap().0, "PATH=/bin\nHOSTNAME=box\nHOME=/home/ann\n");
}

#[test]
fn what_cannot_be_executed_is_told_in_the_runtimes_words() {
    let daemon = daemon();
    let fails = |name: &str, command: &str| run(&daemon, request(name, command)).unwrap_err();
    assert_eq!(
        fails("aa", "nope").to_string(),
        "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: \
         unable to start container process: error during container init: exec: \"nope\": executable file not found in \
         $PATH: unknown"
    );
    assert_eq!(fails("bb", "/etc").runtime().unwrap().exit_status(), 126);
    assert_eq!(fails("cc", "/bin/plain"), DaemonError::Start(RuntimeError::NotExecutable("/bin/plain".into())));
    assert_eq!(run(&daemon, request("dd", "/bin/odd")), Ok(("exec /bin/odd: exec format error\n".into(), 255)));
    let brief = daemon.container_brief("aa").unwrap();
    assert_eq!((brief.state, brief.exit_code), ("created", 127));
}

#[test]
fn exec_writes_only_where_it_was_asked_to() {
    let daemon = daemon();
    start(&daemon, request("aa", "")).unwrap();
    start(&daemon, request("bb", "")).unwrap();
    assert_eq!(exec(&daemon, "aa", "do write /etc/new x"), Ok((String::new(), Some(0))));
    assert_eq!(exec(&daemon, "aa", "do read /etc/new"), Ok(("x".into(), Some(0))));
    assert_eq!(exec(&daemon, "bb", "do read /etc/new"), Ok((String::new(), Some(1))));
    let changes = daemon.container_changes("aa").unwrap();
    let shown: Vec<_> = changes.iter().map(|c| (c.kind, c.path.to_string())).collect();
    assert_eq!(shown, [(ChangeKind::Modify, "/etc".into()), (ChangeKind::Add, "/etc/new".into())]);
    assert_eq!(daemon.container_changes("bb"), Ok(vec![]));
    assert!(matches!(exec(&daemon, "aa", "nope"), Err(DaemonError::Exec(_))));
}

#[test]
fn stop_asks_and_then_kills() {
    let daemon = daemon();
    for (name, command, code) in [("polite", "do serve", 143), ("deaf", "do sleep", 137)] {
        let before = daemon.kernel().now();
        start(&daemon, request(name, command)).unwrap();
        client(&daemon, async move |d, _| d.container_stop(name, StopOptions::default()).await).unwrap();
        let took = daemon.kernel().now().since(before).as_secs();
        assert_eq!((daemon.container_brief(name).unwrap().exit_code, took >= 10), (code, name == "deaf"));
    }
}

#[test]
fn a_taken_port_leaves_the_container_created() {
    let daemon = daemon();
    let with_port = |name: &str, auto_remove: bool| {
        let mut request = request(name, "");
        let binding = PortBinding { host_ip: String::new(), host_port: "9003".into() };
        request.host.port_bindings = BTreeMap::from([("80/tcp".to_owned(), vec![binding])]);
        request.host.auto_remove = auto_remove;
        request
    };
    start(&daemon, with_port("first", true)).unwrap();
    let error = start(&daemon, with_port("second", false)).unwrap_err().to_string();
    assert!(error.starts_with("driver failed programming external connectivity on endpoint second ("), "{error}");
    assert!(error.ends_with("): Bind for 0.0.0.0:9003 failed: port is already allocated"), "{error}");
    assert_eq!(daemon.container_brief("second").unwrap().state, "created");
    start(&daemon, with_port("third", true)).unwrap_err();
    assert!(daemon.container_brief("third").is_err());
    client(&daemon, async |d, _| d.container_stop("first", StopOptions::default()).await).unwrap();
    assert!(daemon.container_brief("first").is_err(), "--rm removes it");
    client(&daemon, async |d, _| d.container_start("second").await).unwrap();
    assert_eq!(daemon.container_brief("second").unwrap().address.unwrap().to_string(), "172.17.0.2");
}

#[test]
fn restart_policy_starts_again_until_its_limit() {
    let daemon = daemon();
    let mut request = request("aa", "do exit 1");
    request.host.restart_policy = RestartPolicy { name: "on-failure".into(), maximum_retry_count: 2 };
    start(&daemon, request).unwrap();
    client(&daemon, async |d, _| d.kernel().sleep(Duration::from_secs(5)).await);
    let brief = daemon.container_brief("aa").unwrap();
    assert_eq!((brief.state, brief.exit_code), ("exited", 1));
    assert_eq!(daemon.container_inspect("aa", false).unwrap()["RestartCount"], 2);
}

#[test]
fn an_empty_volume_gets_the_images_files_and_outlives_its_container() {
    let daemon = daemon();
    let with_volume = |name: &str, command: &str| {
        let mut request = request(name, command);
        request.host.binds = vec!["vol:/data".into()];
        request
    };
    assert_eq!(run(&daemon, with_volume("aa", "do read /data/seed")).unwrap().0, "seeded");
    assert_eq!(run(&daemon, with_volume("bb", "do write /data/more kept")), Ok((String::new(), 0)));
    assert_eq!(
        daemon.volume_remove("vol", false).unwrap_err().to_string().split(" - ").next(),
        Some("remove vol: volume is in use")
    );
    daemon.container_prune(&BTreeMap::new()).unwrap();
    assert_eq!(run(&daemon, with_volume("cc", "do read /data/more")).unwrap().0, "kept");
}

#[test]
fn containers_of_one_network_know_one_another_by_name() {
    let daemon = daemon();
    daemon.network_create(NetworkCreate { name: "app".into(), ..NetworkCreate::default() }).unwrap();
    for name in ["aa", "bb"] {
        let mut request = request(name, "");
        request.host.network_mode = "app".into();
        start(&daemon, request).unwrap();
    }
    let run = daemon.0.with(daemon.0.find("aa").unwrap(), |c| c.state.run().cloned()).flatten().unwrap();
    let names = daemon.kernel().network(|n| n.get(run.net).unwrap().names.clone());
    assert_eq!(names["bb"][0].to_string(), "172.18.0.3");
    assert!(matches!(daemon.network_remove("app"), Err(DaemonError::NetworkInUse { .. })));
}

#[test]
fn input_reaches_a_container_and_ends_with_its_client() {
    let daemon = daemon();
    let mut request = request("aa", "do cat");
    request.config.open_stdin = true;
    request.config.stdin_once = true;
    let out = client(&daemon, async |daemon, proc| {
        let id = daemon.container_create(request)?.id;
        let options = AttachOptions { stdin: true, stdout: true, ..AttachOptions::default() };
        let attached = daemon.container_attach(&id, options)?;
        daemon.container_start(&id).await?;
        proc.write_handle(attached.stdin.as_ref().unwrap(), &"typed".into()).await.unwrap();
        drop(attached.stdin);
        let frame = attached.output.next().await.unwrap();
        Ok::<_, DaemonError>(frame.bytes.to_vec())
    });
    assert_eq!(out.unwrap(), b"typed");
}

#[test]
fn a_terminal_is_bridged_both_ways() {
    let daemon = daemon();
    let mut request = request("aa", "do cat");
    request.config.open_stdin = true;
    request.config.tty = true;
    let out = client(&daemon, async |daemon, proc| {
        let id = daemon.container_create(request)?.id;
        let options = AttachOptions { stdin: true, stdout: true, ..AttachOptions::default() };
        let attached = daemon.container_attach(&id, options)?;
        daemon.container_start(&id).await?;
        proc.write_handle(attached.stdin.as_ref().unwrap(), &"hi\n\x04".into()).await.unwrap();
        let mut out = Vec::new();
        while let Some(frame) = attached.output.next().await {
            out.extend(frame.bytes.to_vec());
        }
        Ok::<_, DaemonError>(String::from_utf8(out).unwrap())
    });
    assert_eq!(out.unwrap(), "hi\r\nhi\r\n");
}

#[test]
fn commit_makes_an_image_of_what_changed_and_files_travel_as_tar() {
    let daemon = daemon();
    start(&daemon, request("aa", "")).unwrap();
    exec(&daemon, "aa", "do write /etc/new mine").unwrap();
    let (tar, stat) = daemon.archive_get("aa", b"/etc/new").unwrap();
    assert_eq!((stat.name.to_string(), stat.size_bytes), ("new".to_owned(), 4));
    start(&daemon, request("bb", "")).unwrap();
    daemon.archive_put("bb", b"/data", &tar, PutArchiveOptions::default()).unwrap();
    assert_eq!(exec(&daemon, "bb", "do read /data/new").unwrap().0, "mine");
    assert_eq!(
        daemon.archive_stat("aa", b"/nope").unwrap_err().to_string(),
        "Could not find the file /nope in container aa"
    );
    let commit = CommitRequest { container: "aa".into(), reference: "mine:v1".into(), ..CommitRequest::default() };
    let image = daemon.commit(commit).unwrap();
    let layers = daemon.store().borrow().image(image).unwrap().config().diff_ids.len();
    assert_eq!(layers, 2);
    let mut from_it = request("cc", "do read /etc/new");
    from_it.config.image = "mine:v1".into();
    assert_eq!(run(&daemon, from_it).unwrap().0, "mine");
    assert!(daemon.image_remove("small", false, true).is_err());
}

#[test]
fn the_snapshot_changes_when_a_file_does() {
    let daemon = daemon();
    start(&daemon, request("aa", "")).unwrap();
    let before = daemon.snapshot();
    assert_eq!((before.images.len(), before.containers[0].changed_files), (1, 0));
    assert_eq!(daemon.revision(), before.revision);
    exec(&daemon, "aa", "do write /etc/new x").unwrap();
    let after = daemon.snapshot();
    assert!(after.revision > before.revision);
    assert_eq!(after.containers[0].changed_files, 2);
}
