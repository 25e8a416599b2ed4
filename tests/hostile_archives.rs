//! Archives that mean harm, one kind a test: a clear error, nothing half-loaded, bounded memory.
//!
//! What random damage does is for `layer_archives.rs`, and for the fuzz target beside it in `tests/fuzz`.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "it asks Linux what this process weighs")]

use std::sync::Arc;

use bstr::BString;
use capas::base::rope::Rope;
use capas::base::time::Timestamp;
use capas::machine::Stop;
use capas::os::fs::layer::{Change, Layer};
use capas::os::fs::node::{Content, Entry, Meta};
use capas::os::fs::packed::{self, Packing};
use capas::os::fs::tar::Writer;
use capas::os::fs::tree::Tree;
use capas::os::fs::{gzip, tar};

mod support;

use support::Session;

const META: Meta = Meta::root(0o644, Timestamp(0));

/// A raw header of this type, with what `change` does to it, its checksum right.
fn header(name: &str, flag: u8, link: &str, size: u64, change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let mut block = vec![0; 512];
    let mut put = |at: usize, text: &[u8]| block[at..at + text.len()].copy_from_slice(text);
    put(0, name.as_bytes());
    put(100, b"0000644\x000000000\x000000000\0");
    put(124, format!("{size:011o}\0").as_bytes());
    put(136, b"00000000000\0");
    put(156, &[flag]);
    put(157, link.as_bytes());
    put(257, b"ustar\x0000");
    change(&mut block);
    block[148..156].copy_from_slice(b"        ");
    let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

fn plain(name: &str, flag: u8, link: &str) -> Vec<u8> {
    header(name, flag, link, 0, |_| ())
}

/// A body, padded.
fn with_body(mut head: Vec<u8>, body: &[u8]) -> Vec<u8> {
    head.extend_from_slice(body);
    head.resize(head.len().next_multiple_of(512), 0);
    head
}

fn pax(record: &[u8]) -> Vec<u8> {
    with_body(header("PaxHeaders.0/x", b'x', "", record.len() as u64, |_| ()), record)
}

fn archive(parts: &[Vec<u8>]) -> Rope {
    let mut bytes = parts.concat();
    bytes.resize(bytes.len() + 1024, 0);
    bytes.into()
}

/// What is wrong, an archive in which it is, what a reader says.
fn refused() -> Vec<(&'static str, Rope, &'static str)> {
    let outside = "it leaves the archive's root";
    let no_file = "no such file or directory";
    let invalid = "archive/tar: invalid tar header";
    let long_name = format!("d/{}", "n".repeat(256));
    let gnu_name = b"../../etc/passwd\0";
    let cases: Vec<(&str, Vec<Vec<u8>>, &str)> = vec![
        ("a name above the root", vec![plain("../etc/passwd", b'0', "")], outside),
        ("a name that climbs on its way", vec![plain("a/../../b", b'0', "")], outside),
        ("the same in a PAX record", vec![pax(b"20 path=../../etc/x\n"), plain("x", b'0', "")], outside),
        (
            "the same in a GNU long name",
            vec![
                with_body(header("././@LongLink", b'L', "", gnu_name.len() as u64, |_| ()), gnu_name),
                plain("x", b'0', ""),
            ],
            outside,
        ),
        ("a whiteout of its own directory", vec![plain("a/.wh..", b'0', "")], outside),
        ("a whiteout of the directory above", vec![plain("a/.wh...", b'0', "")], outside),
        ("a whiteout of nothing", vec![plain(".wh.", b'0', "")], outside),
        ("a hard link above the root", vec![plain("x", b'1', "../../etc/shadow")], outside),
        ("an absolute hard link to what only the computer has", vec![plain("x", b'1', "/home/alumno/secret")], no_file),
        ("a hard link to a directory", vec![plain("d/", b'5', ""), plain("x", b'1', "d")], no_file),
        ("hard links in a circle", vec![plain("a", b'1', "b"), plain("b", b'1', "a")], no_file),
        ("a hard link to itself", vec![plain("a", b'1', "a")], no_file),
        ("a size beyond the end", vec![with_body(header("x", b'0', "", 4096, |_| ()), b"few")], "unexpected EOF"),
        (
            "a size of 2^63",
            vec![header("x", b'0', "", 0, |h| h[124..136].copy_from_slice(b"\x80\0\0\0\x80\0\0\0\0\0\0\0"))],
            "unexpected EOF",
        ),
        ("a size below nothing", vec![header("x", b'0', "", 0, |h| h[124..136].fill(0xff))], invalid),
        (
            "a size that is no number",
            vec![header("x", b'0', "", 0, |h| h[124..136].copy_from_slice(b"99999999999\0"))],
            invalid,
        ),
        (
            "a PAX size beyond the end",
            vec![pax(b"28 size=18446744073709551615\n"), plain("x", b'0', "")],
            "invalid tar header",
        ),
        ("a PAX record longer than its header", vec![pax(b"99 path=x\n"), plain("x", b'0', "")], invalid),
        ("a PAX record of length 0", vec![pax(b"0 path=x\n"), plain("x", b'0', "")], invalid),
        ("a PAX owner that is no number", vec![pax(b"20 uid=99999999999\n"), plain("x", b'0', "")], invalid),
        (
            "an extended header of gigabytes",
            vec![header("x", b'x', "", 0, |h| h[124..135].copy_from_slice(b"77777777777"))],
            "archive is too large",
        ),
        (
            "a name longer than Linux has",
            vec![pax(format!("{} path={long_name}\n", long_name.len() + 10).as_bytes()), plain("x", b'0', "")],
            "archive is too large",
        ),
        (
            "a name of 257 directories",
            vec![pax(format!("524 path={}\n", "a/".repeat(257)).as_bytes()), plain("x", b'0', "")],
            "too deep",
        ),
        (
            "a wrong checksum",
            vec![{
                let mut h = plain("x", b'0', "");
                h[0] = b'y';
                h
            }],
            invalid,
        ),
        ("a type that nobody knows", vec![plain("x", b'Z', "")], "unhandled tar header type 90"),
        ("half a header", vec![plain("x", b'0', "")[..100].to_vec()], "unexpected EOF"),
    ];
    let ended = |(what, parts, words): (&'static str, Vec<Vec<u8>>, &'static str)| match what {
        // No end is put behind what is cut.
        "half a header" | "a size beyond the end" => (what, Rope::from(parts.concat()), words),
        _ => (what, archive(&parts), words),
    };
    cases.into_iter().map(ended).collect()
}

#[test]
fn a_layer_that_lies_is_refused_with_a_clear_error() {
    for (what, archive, words) in refused() {
        let error = Layer::from_tar(&archive).expect_err(what).to_string();
        assert!(error.contains(words), "{what}: {error}");
    }
}

/// An archive as `docker save` writes it whose layers are these files.
fn image(layers: &[(Rope, Rope)]) -> Rope {
    let mut out = Writer::new();
    let mut put = |name: &str, content: Rope| out.entry(name.as_bytes(), &Entry::file(META, content));
    let ids: Vec<String> = layers.iter().map(|(plain, _)| format!("\"{}\"", plain.digest())).collect();
    let names: Vec<String> = (0..layers.len()).map(|at| format!("\"{at}.tar\"")).collect();
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","config":{{}},"rootfs":{{"type":"layers","diff_ids":[{}]}}}}"#,
        ids.join(",")
    );
    put("config.json", config.as_str().into());
    let manifest = format!(r#"[{{"Config":"config.json","RepoTags":["bad:v1"],"Layers":[{}]}}]"#, names.join(","));
    put("manifest.json", manifest.as_str().into());
    for (at, (_, packed)) in layers.iter().enumerate() {
        put(&format!("{at}.tar"), packed.clone());
    }
    out.finish()
}

#[test]
fn docker_refuses_such_layers_and_keeps_nothing_of_them() {
    let mut session = Session::new();
    session.types("docker pull -q busybox; docker create --name box busybox");
    let state = "docker images -a --no-trunc --digests; docker ps -as --format '{{.ID}} {{.Size}}'; docker system df; sudo ls /var/lib/docker/overlay2; \
                 sudo find /var/lib/docker/image";
    let before = session.types(state);
    for (what, archive, words) in refused() {
        session.put("layer.tar", &archive);
        let good = Layer::default().to_tar();
        session.put("image.tar", &image(&[(good.clone(), good), (archive.clone(), archive.clone())]));
        session.put("image.tgz", &gzip::compress(&image(&[(archive.clone(), gzip::compress(&archive))])));
        for command in ["docker load -i image.tar", "docker load -i image.tgz", "docker import layer.tar bad:v2"] {
            let told = session.types(&format!("{command}; echo $?"));
            assert!(told.contains("Error response from daemon: "), "{what}: {command}: {told}");
            assert!(told.contains(words) && told.ends_with("\n1\n"), "{what}: {command}: {told}");
        }
        // To `docker cp` whiteouts are files like others, and what comes before the error stays, as Docker's does.
        if !what.contains("whiteout") {
            let told = session.types("docker create -q --name other busybox; docker cp - other:/ < layer.tar; echo $?");
            assert!(told.ends_with("\n1\n"), "{what}: docker cp: {told}");
            session.types("docker rm other");
        }
        assert_eq!(session.types(state), before, "{what}");
    }
}

#[test]
fn links_that_are_absolute_or_in_a_circle_stay_in_the_container() {
    let mut session = Session::new();
    session.types("docker pull -q busybox; docker run --name box busybox true; docker export box > root.tar");
    let parts = [
        plain("/etc/motd2", b'0', ""),
        plain("hard", b'1', "/etc/motd2"),
        plain("out", b'2', "/etc/hostname"),
        plain("up", b'2', "../../../../etc/hostname"),
        plain("a", b'2', "b"),
        plain("b", b'2', "/a"),
    ];
    session.put("links.tar", &archive(&parts));
    session.types("docker import links.tar links; mkdir ctx; docker save links > /dev/null");
    session.types("printf 'FROM busybox\\nCOPY --from=links / /\\n' > ctx/Dockerfile; docker build -q -t both ctx");
    let told = session.types("docker run --rm -h inside both sh -c 'cat /out /up; cat /a; stat -c %h /hard'");
    assert_eq!(told, "inside\ninside\ncat: can't open '/a': Too many levels of symbolic links\n2\n");
}

/// A layer with a file in the deepest directory there may be.
fn deepest() -> (String, Rope) {
    let path = format!("{}x", "a/".repeat(255));
    let archive = archive(&[pax(format!("{} path={path}\n", path.len() + 10).as_bytes()), plain("x", b'0', "")]);
    (path, archive)
}

/// The page has 1 MB of stack; frames of this build are larger than its.
fn on_stack_of(bytes: usize, run: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(bytes).spawn(run).unwrap().join().unwrap();
}

#[test]
fn the_deepest_tree_needs_little_stack() {
    on_stack_of(256 << 10, || {
        let (path, archive) = deepest();
        let layer = Layer::from_tar(&archive).unwrap();
        assert_eq!(layer.len(), 1);
        let tree = Tree::of([&layer, &layer]);
        assert!(tree.get(path.as_bytes()).is_some());
        assert_eq!(Layer::from_tar(&layer.to_tar()).unwrap(), layer);
        drop(tree);
    });
}

#[test]
fn commands_that_walk_the_deepest_tree_need_little_stack() {
    on_stack_of(4 << 20, || {
        let mut session = Session::new();
        session.types("docker pull -q busybox; docker run --name box busybox true");
        session.put("deep.tar", &deepest().1);
        let told = session.types("docker import deep.tar deep; docker cp - box:/ < deep.tar; echo $?");
        assert!(told.ends_with("\n0\n"), "{told}");
        for command in [
            "docker diff box | wc -l",
            "docker commit box web",
            "docker export box | wc -c",
            "docker save deep | wc -c",
            "docker history deep",
            "capas layers box",
            "docker cp box:/a there; find there | wc -l",
            "du -s there; ls -R there | wc -l; tree there | tail -1; tar cf t.tar there; cp -r there other; diff -r there other",
            "chmod -R u+w there; chown -R $USER there; grep -r nothing there; sudo find /var/lib/docker | wc -l",
            "mkdir ctx; cp -r there ctx; printf 'FROM web\\nCOPY . /\\nRUN find /a | wc -l; rm -rf /a\\n' > ctx/Dockerfile; docker build -t built ctx",
            "rm -rf there other; echo done",
            "docker rm box; docker system prune -af; echo done",
        ] {
            let told = session.types(command);
            println!("{command}\n{told}");
        }
    });
}

/// Forgets what [`peak_bytes`] has seen.
fn forget_peak() {
    // Where this can't be done, the peak is that of the whole process, and the test is weaker.
    std::fs::write("/proc/self/clear_refs", "5").unwrap_or_default();
}

/// Bytes that this process has held at most.
fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10)
}

fn zeros(len: u64) -> Rope {
    let mut rope = Rope::new();
    (0..len >> 20).for_each(|_| rope.push_packed(&[0; 1 << 20]));
    rope
}

/// A file of zeros in a tar.
fn bomb(len: u64) -> Rope {
    let mut out = Writer::new();
    out.entry(b"zeros", &Entry::file(META, zeros(len)));
    out.finish()
}

/// Whether this is a process of this test alone; makes one otherwise, since tests share a process and its memory.
fn is_alone(test: &str) -> bool {
    let is_alone = std::env::var_os("CAPAS_ALONE").is_some();
    if !is_alone {
        let mut own = std::process::Command::new(std::env::current_exe().unwrap());
        let own = own.args(["--exact", test, "--nocapture"]).env("CAPAS_ALONE", "1").status().unwrap();
        assert!(own.success());
    }
    is_alone
}

#[test]
fn a_large_image_is_taken_in_parts_and_stays_compressed() {
    if !is_alone("a_large_image_is_taken_in_parts_and_stays_compressed") {
        return;
    }
    const FILES: u64 = 6;
    const FILE_BYTES: u64 = 20 << 20;
    let text: Vec<u8> = (0..200_000_u32).flat_map(|line| format!("line {line}\n").into_bytes()).collect();
    let mut out = Writer::new();
    for at in 0..FILES {
        let mut content = Rope::from(format!("file {at}\n").as_str());
        while content.len() < FILE_BYTES {
            content.push_packed(&text);
        }
        content.truncate(FILE_BYTES);
        out.entry(format!("f{at}").as_bytes(), &Entry::file(META, content));
    }
    let plain = out.finish();
    let packed = gzip::compress(&plain);
    let mut session = Session::new();
    session.put("big.tar", &image(&[(plain.clone(), packed.clone())]));
    session.put("root.tgz", &packed);
    drop((plain, packed));
    forget_peak();
    let start = peak_bytes();
    for command in ["docker load -i big.tar", "docker import root.tgz flat"] {
        let tty = session.0.console();
        session.0.input(tty, format!("{command} > told 2>&1\r").as_bytes());
        // The page draws after each part.
        let mut parts = 0;
        loop {
            match session.0.run(1 << 30) {
                Stop::Until(time) => session.0.advance_to(time),
                Stop::OutOfFuel => {}
                Stop::Idle => break,
            }
            parts += 1;
            if parts > 10 && !session.0.is_busy(tty) {
                break;
            }
        }
        assert!(parts > FILES * FILE_BYTES / (4 << 20), "{command}: {parts}");
    }
    assert_eq!(session.types("docker images --format '{{.Repository}} {{.Size}}'"), "flat 126MB\nbad 126MB\n");
    let told =
        session.types("docker create -q --name box bad:v1 x > id; docker cp -q box:/f5 f5; head -n 2 f5; wc -c < f5");
    assert_eq!(told, "file 5\nline 0\n20971520\n");
    match (start, peak_bytes()) {
        (Some(start), Some(end)) => assert!(end - start < 100 << 20, "{} MB", (end - start) >> 20),
        _ => eprintln!("SKIPPED: this system does not tell what a process weighs"),
    }
}

#[test]
fn bombs_are_refused_in_little_memory() {
    if !is_alone("bombs_are_refused_in_little_memory") {
        return;
    }
    let mut session = Session::new();
    session.types("docker pull -q busybox");
    let before = session.types("docker images -a --no-trunc");
    // 200 MB three times, each allowed by itself, in a few hundred kB.
    let big = bomb(200 << 20);
    let packed = gzip::compress(&big);
    assert!(packed.len() < 300_000, "{}", packed.len());
    let other = bomb(201 << 20);
    let third = bomb(202 << 20);
    let several = image(&[
        (big, packed.clone()),
        (other.clone(), gzip::compress(&other)),
        (third.clone(), packed::bzip2(&third)),
    ]);
    drop((other, third));
    let huge = gzip::compress(&bomb(600 << 20));
    let twice = gzip::compress(&image(&[(Rope::new(), gzip::compress(&huge))]));
    session.put("several.tar", &several);
    session.put("huge.tar.gz", &huge);
    session.put("twice.tar.gz", &twice);
    forget_peak();
    let start = peak_bytes();
    let refusals = [
        ("docker load -i several.tar", "archive is too large"),
        ("docker load -i huge.tar.gz", "archive is too large"),
        ("docker import huge.tar.gz", "archive is too large"),
        ("docker load -i twice.tar.gz", "invalid tar header"),
    ];
    for (command, words) in refusals {
        let told = session.types(&format!("{command}; echo $?"));
        assert!(told.contains(words) && told.ends_with("\n1\n"), "{command}: {told}");
        assert_eq!(session.types("docker images -a --no-trunc"), before, "{command}");
    }
    if let (Some(start), Some(end)) = (start, peak_bytes()) {
        assert!(end - start < 100 << 20, "{} MB", (end - start) >> 20);
    } else {
        eprintln!("SKIPPED: this system does not tell what a process weighs");
    }
}

#[test]
fn an_archive_of_many_empty_items_weighs_what_it_holds() {
    let mut out = Writer::new();
    (0..50_000).for_each(|at| out.entry(format!("f{at}").as_bytes(), &Entry::new(META, Content::Fifo)));
    let layer = Layer::from_archive(&out.finish()).unwrap();
    assert_eq!(layer.len(), 50_000);
    assert!(matches!(layer.get(b"f7"), Some(Change::Put(_))));
    let one: Layer = [(BString::from("x"), Change::Put(Arc::new(Entry::file(META, "x"))))].into_iter().collect();
    assert_eq!(Packing::of(&gzip::compress(&one.to_tar()).head(8)), Some(Packing::Gzip));
    assert!(tar::Reader::new(&one.to_tar()).all(|item| item.is_ok()));
}
