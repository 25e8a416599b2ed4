//! Archives of images in and out: skopeo and umoci as oracles in both directions, and archives that lie.
//!
//! Where a tool is missing the test says loudly that it was skipped.
#![expect(clippy::print_stderr, clippy::unwrap_used, reason = "it asks real programs and tells what they say")]
#![expect(clippy::disallowed_methods, reason = "real programs read real files")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use capas::base::rope::Rope;
use capas::base::time::Timestamp;
use capas::machine::Stop;
use capas::os::fs::gzip;
use capas::os::fs::node::{Content, Entry, Meta};
use capas::os::fs::tar::{Body, Reader, Writer};

mod support;

use support::Session;

/// What the store holds, by full ids.
fn store(session: &mut Session) -> String {
    session.types("docker images --all --no-trunc --digests; docker system df -v | head -20")
}

/// An image of two layers with a whiteout, saved.
fn saved() -> (Session, Rope) {
    let mut session = Session::new();
    session.types(
        "docker pull -q alpine:3.15; docker run --name box alpine:3.15 sh -c 'echo hi > /greeting; rm /etc/motd'",
    );
    session.types("docker commit -c 'CMD [\"cat\", \"/greeting\"]' box web:v1; docker rm box");
    assert_eq!(session.types("docker save -o web.tar web:v1"), "");
    let archive = session.file("web.tar");
    (session, archive)
}

fn tool(words: &[&str]) -> Option<String> {
    let (program, words) = words.split_first()?;
    let output = match Command::new(program).args(words).output() {
        Ok(output) => output,
        Err(_) => {
            eprintln!("SKIPPED: no {program} here to compare with");
            return None;
        }
    };
    assert!(output.status.success(), "{program} {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn scratch(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    drop(std::fs::remove_dir_all(&dir));
    std::fs::create_dir_all(&dir).unwrap();
    dir
}

/// The files of an archive by name, and back.
fn files(archive: &Rope) -> Vec<(String, Rope)> {
    let file = |item: capas::os::fs::tar::Item| match item.body {
        Body::Entry(Entry { content: Content::File(rope), .. }) => Some((item.path.to_string(), rope)),
        _ => None,
    };
    Reader::new(archive).filter_map(|item| file(item.unwrap())).collect()
}

fn pack(files: &[(String, Rope)]) -> Rope {
    let mut out = Writer::new();
    for (name, content) in files {
        out.entry(name.as_bytes(), &Entry::file(Meta::root(0o644, Timestamp(0)), content.clone()));
    }
    out.finish()
}

#[test]
fn skopeo_and_umoci_read_what_is_saved() {
    let (mut session, archive) = saved();
    let id = session.types("docker image inspect -f '{{.Id}}' web:v1").trim().to_owned();
    let layers = session.types("docker image inspect -f '{{join .RootFS.Layers \" \"}}' web:v1").trim().to_owned();
    let dir = scratch("saved");
    let file = dir.join("web.tar");
    std::fs::write(&file, archive.to_vec()).unwrap();
    let docker = format!("docker-archive:{}", file.display());
    let Some(told) = tool(&["skopeo", "inspect", &docker]) else { return };
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    let told: Vec<&str> = told["Layers"].as_array().unwrap().iter().map(|layer| layer.as_str().unwrap()).collect();
    assert_eq!(told.join(" "), layers);
    // The same file is an OCI layout: its config, whose digest is the image's id, and its layers are found there.
    let oci = format!("oci-archive:{}", file.display());
    let raw = tool(&["skopeo", "inspect", "--raw", &oci]).unwrap();
    assert!(raw.contains(&id), "{raw}");
    let unpacked = format!("oci:{}:web", dir.join("layout").display());
    tool(&["skopeo", "copy", "-q", "--insecure-policy", &oci, &unpacked]).unwrap();
    let (image, bundle) = (format!("{}:web", dir.join("layout").display()), dir.join("bundle"));
    if tool(&["umoci", "unpack", "--rootless", "--image", &image, bundle.to_str().unwrap()]).is_some() {
        assert_eq!(std::fs::read_to_string(bundle.join("rootfs/greeting")).unwrap(), "hi\n");
        assert!(bundle.join("rootfs/etc/alpine-release").exists() && !bundle.join("rootfs/etc/motd").exists());
    }
}

#[test]
fn podman_loads_what_is_saved_and_what_it_saves_is_loaded_with_the_same_id() {
    let (mut session, archive) = saved();
    let id = session.types("docker image inspect -f '{{.Id}}' web:v1").trim().to_owned();
    let dir = scratch("podman");
    let file = dir.join("web.tar");
    std::fs::write(&file, archive.to_vec()).unwrap();
    // A store of its own, which needs neither an overlay nor a service.
    let (root, runroot) = (dir.join("root").display().to_string(), dir.join("run").display().to_string());
    let podman = |words: &[&str]| {
        tool(&[&["podman", "--root", &root, "--runroot", &runroot, "--storage-driver", "vfs"], words].concat())
    };
    let Some(told) = podman(&["load", "-q", "-i", file.to_str().unwrap()]) else { return };
    assert!(told.contains("web:v1"), "{told}");
    let told = podman(&["image", "inspect", "--format", "{{.Id}} {{len .RootFS.Layers}}", "web:v1"]).unwrap();
    assert_eq!(told.trim(), format!("{} 2", id.strip_prefix("sha256:").unwrap()));
    let back = dir.join("back.tar");
    podman(&["save", "-q", "-o", back.to_str().unwrap(), "web:v1"]).unwrap();
    store(&mut session);
    session.types("docker image rm web:v1");
    session.put("back.tar", &Rope::from(std::fs::read(&back).unwrap()));
    assert_eq!(session.types("docker load -q -i back.tar"), "Loaded image: web:v1\n");
    assert_eq!(session.types("docker image inspect -f '{{.Id}}' web:v1").trim(), id);
    assert_eq!(session.types("docker run --rm web:v1"), "hi\n");
}

#[test]
fn what_other_tools_write_is_loaded_with_its_id() {
    let (mut session, archive) = saved();
    let id = session.types("docker image inspect -f '{{.Id}}' web:v1");
    let dir = scratch("written");
    let file = dir.join("web.tar");
    std::fs::write(&file, archive.to_vec()).unwrap();
    let from = format!("docker-archive:{}", file.display());
    for (kind, loaded) in [("docker-archive", "Loaded image: other:v2"), ("oci-archive", "Loaded image ")] {
        let path = dir.join(format!("{kind}.tar"));
        let to = format!("{kind}:{}:docker.io/library/other:v2", path.display());
        let Some(_) = tool(&["skopeo", "copy", "-q", "--insecure-policy", &from, &to]) else { return };
        session.types("docker rmi -f $(docker images -q)");
        session.put("other.tar", &Rope::from(std::fs::read(path).unwrap()));
        let told = session.types("docker load -q -i other.tar");
        assert!(told.starts_with(loaded.trim()), "{kind}: {told}");
        let named = if told.contains("other:v2") { "other:v2" } else { "$(docker images -q)" };
        if kind == "docker-archive" {
            assert_eq!(session.types(&format!("docker image inspect -f '{{{{.Id}}}}' {named}")), id);
        }
        assert_eq!(session.types(&format!("docker run --rm {named}")), "hi\n", "{kind}");
    }
}

#[test]
fn a_layer_that_another_tool_wrote_keeps_its_diff_id() {
    let Some(tar) = foreign_layer() else { return };
    let mut session = Session::new();
    session.put("root.tar", &tar);
    session.types("docker import root.tar mine");
    let expected = format!("[{}]\n", tar.digest());
    assert_eq!(session.types("docker image inspect -f '{{.RootFS.Layers}}' mine"), expected);
    session.types("docker save -o mine.tar mine; docker image inspect -f '{{.Id}}' mine > before; docker rmi mine");
    assert_eq!(session.types("docker load -q -i mine.tar"), "Loaded image: mine:latest\n");
    assert_eq!(
        session
            .types("docker image inspect -f '{{.Id}}' mine | diff before - && docker image inspect -f '{{.RootFS.Layers}}' mine"),
        expected
    );
}

/// A tar by GNU tar, whose headers differ from ours.
fn foreign_layer() -> Option<Rope> {
    let dir = scratch("foreign");
    std::fs::create_dir(dir.join("etc")).unwrap();
    std::fs::write(dir.join("etc/name"), "x\n").unwrap();
    let file = dir.with_extension("tar");
    tool(&["tar", "--format=gnu", "-C", dir.to_str()?, "-cf", file.to_str()?, "."])?;
    Some(Rope::from(std::fs::read(file).unwrap()))
}

/// Whatever is wrong, Docker's client says so, and the store is as it was.
#[test]
fn archives_that_lie_are_refused_and_leave_nothing() {
    let (_, archive) = saved();
    let mut session = Session::new();
    session.types("docker pull -q busybox");
    let before = store(&mut session);
    let mut refuse = |what: &str, archive: &Rope, words: &str| {
        session.put("bad.tar", archive);
        let told = session.types("docker load -q -i bad.tar; echo $?");
        assert!(told.contains(words) && told.ends_with("\n1\n"), "{what}: {told}");
        assert_eq!(store(&mut session), before, "{what}");
    };
    let whole = files(&archive);
    let changed = |name: &str, change: &dyn Fn(&str) -> String| {
        let text = |rope: &Rope| String::from_utf8(rope.to_vec()).unwrap();
        let change = |(own, rope): &(String, Rope)| match own == name {
            true => (own.clone(), Rope::from(change(&text(rope)).as_str())),
            false => (own.clone(), rope.clone()),
        };
        pack(&whole.iter().map(change).collect::<Vec<_>>())
    };
    let without = |name: &str| pack(&whole.iter().filter(|(own, _)| !own.contains(name)).cloned().collect::<Vec<_>>());
    refuse("nothing", &Rope::new(), "/repositories: no such file or directory");
    refuse("noise", &Rope::bulk(1, 4096), "archive/tar: invalid tar header");
    refuse("half", &archive.slice(0..archive.len() / 2), "unexpected EOF");
    refuse("half a gzip", &gzip::compress(&archive).slice(0..5000), "unexpected EOF");
    refuse("no json", &changed("manifest.json", &|_| "nope".into()), "invalid character");
    refuse("null", &changed("manifest.json", &|_| "null".into()), "manifest cannot be null");
    refuse("number", &changed("manifest.json", &|_| "3".into()), "json: cannot unmarshal");
    refuse("cut json", &changed("manifest.json", &|text| text.chars().take(40).collect()), "unexpected EOF");
    refuse(
        "outside",
        &changed("manifest.json", &|t| t.replacen("blobs/", "../../etc/", 1)),
        "no such file or directory",
    );
    refuse("tag", &changed("manifest.json", &|t| t.replace("web:v1", "WEB:v1")), "must be lowercase");
    refuse("no tag", &changed("manifest.json", &|t| t.replace("web:v1", "web")), "invalid tag \"web\"");
    let swapped = |text: &str| {
        let (head, tail) = text.split_once("\"Layers\":[").unwrap();
        let (list, tail) = tail.split_once(']').unwrap();
        let (first, second) = list.split_once(',').unwrap();
        format!("{head}\"Layers\":[{second},{first}]{tail}")
    };
    refuse("swapped layers", &changed("manifest.json", &swapped), "invalid diffID for layer 0: expected \"sha256:");
    let fewer = |text: &str| text.replacen("\"Layers\":[", "\"Layers\":[],\"Was\":[", 1);
    refuse("fewer layers", &changed("manifest.json", &fewer), "layers length mismatch: expected 0, got 2");
    let escape = Rope::from(vec![0; 1]);
    let mut breakout = whole.clone();
    breakout.push(("../escape".into(), escape));
    refuse("breakout", &pack(&breakout), "escape");
    let plain = pack(&[("etc/passwd".to_owned(), Rope::from("root"))]);
    refuse("a root file system", &plain, "no such file or directory");
    // As an OCI layout.
    let oci = files(&without("manifest.json"));
    refuse(
        "no index",
        &pack(&oci.iter().filter(|(n, _)| n != "index.json").cloned().collect::<Vec<_>>()),
        "no such file",
    );
    let mut first = oci.clone();
    first.iter_mut().filter(|(n, r)| n.starts_with("blobs") && r.len() < 4000).for_each(|(_, r)| r.push_bytes(b" "));
    refuse("changed blobs", &pack(&first), "unexpected commit digest");
    // Truncated at every block: an error, or, behind the last file, the image.
    for blocks in (0..archive.len() / 512).step_by(97).filter(|blocks| blocks * 512 < archive.len() - 20_000) {
        refuse("cut", &archive.slice(0..blocks * 512 + 100), "Error response from daemon: ");
    }
}

#[test]
fn oci_layouts_and_compressed_archives_are_loaded() {
    let (mut session, archive) = saved();
    let id = session.types("docker image inspect -f '{{.Id}}' web:v1");
    let without = |name: &str| pack(&files(&archive).into_iter().filter(|(own, _)| own != name).collect::<Vec<_>>());
    for (what, content) in [
        ("oci", without("manifest.json")),
        ("docker", without("index.json")),
        ("gzip", gzip::compress(&archive)),
        ("xz", capas::os::fs::xz::store(&archive)),
    ] {
        session.types("docker rmi -f $(docker images -q)");
        session.put("in.tar", &content);
        assert_eq!(session.types("docker load -q < in.tar"), "Loaded image: web:v1\n", "{what}");
        assert_eq!(session.types("docker image inspect -f '{{.Id}}' web:v1"), id, "{what}");
    }
}

/// Docker before 1.10: a folder an image, each with its layer and its own JSON.
#[test]
fn the_oldest_layout_is_loaded() {
    let layer = |name: &str| pack(&[(name.to_owned(), Rope::from(name))]);
    let folder = |id: &str, parent: &str, name: &str| {
        let json = format!(
            r#"{{"id":"{id}","parent":"{parent}","created":"2015-01-02T03:04:05Z","container_config":{{"Cmd":["/bin/sh","-c","add {name}"]}},"config":{{"Cmd":["{name}"]}},"architecture":"amd64","os":"linux","Size":3}}"#
        );
        [
            (format!("{id}/VERSION"), Rope::from("1.0")),
            (format!("{id}/json"), json.as_str().into()),
            (format!("{id}/layer.tar"), layer(name)),
        ]
    };
    let mut session = Session::new();
    let mut all: Vec<(String, Rope)> = [folder("aa", "bb", "top"), folder("bb", "", "base")].concat();
    all.push(("repositories".to_owned(), Rope::from(r#"{"old":{"v1":"aa"}}"#)));
    session.put("old.tar", &pack(&all));
    session.types("docker load -i old.tar");
    let told = session.types("docker history --format '{{.CreatedBy}} {{.Size}}' old:v1");
    assert_eq!(told, "/bin/sh -c add top 3B\n/bin/sh -c add base 4B\n");
    // A circle of parents.
    let circle: Vec<(String, Rope)> = [folder("aa", "bb", "top"), folder("bb", "aa", "base")].concat();
    session.put("bad.tar", &pack(&circle));
    assert_eq!(session.types("docker load -i bad.tar"), "Error response from daemon: max depth exceeded\n");
}

/// The bars of the layers that a terminal shows, in order: the layer's id, how far it is, whether all of it is there.
fn bars(shown: &str) -> Vec<(String, usize, bool)> {
    let bar = |line: &str| {
        let (id, rest) = line.split_once(": Loading layer [")?;
        let (cells, sizes) = rest.split_once(']')?;
        let (done, all) = sizes.trim().split_once('/')?;
        let all = all.split([' ', '\r', '\n', '\x1b']).next()?;
        Some((id.chars().rev().take(12).collect(), cells.matches('=').count(), done == all))
    };
    shown.split("\x1b[2K").filter_map(bar).collect()
}

#[test]
fn load_shows_how_far_each_layer_is_while_it_reads_and_lets_others_run() {
    // 16 MB that are no pattern, so that a packed layer is as long; the third layer lies about what it is.
    let noise: Vec<u8> =
        (0u64..1 << 21).flat_map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ n << 7).to_le_bytes()).collect();
    let layer = |name: &str| {
        let mut out = Writer::new();
        out.entry(name.as_bytes(), &Entry::file(Meta::root(0o644, Timestamp(0)), noise.as_slice()));
        out.finish()
    };
    let [one, two, three] = ["one", "two", "three"].map(layer);
    let image = |diff_ids: [&Rope; 2]| {
        let ids = diff_ids.map(|rope| format!("\"{}\"", rope.digest())).join(",");
        let config =
            format!(r#"{{"architecture":"amd64","os":"linux","rootfs":{{"type":"layers","diff_ids":[{ids}]}}}}"#);
        let manifest = r#"[{"Config":"c.json","RepoTags":["big:v1"],"Layers":["1.tar","2.tar"]}]"#;
        pack(&[
            ("c.json".to_owned(), config.as_str().into()),
            ("manifest.json".to_owned(), manifest.into()),
            ("1.tar".to_owned(), one.clone()),
            ("2.tar".to_owned(), gzip::compress(&two)),
        ])
    };
    for (archive, is_good) in [(image([&one, &two]), true), (image([&one, &three]), false)] {
        let mut session = Session::new();
        session.put("big.tar", &archive);
        let tty = session.0.console();
        session.0.settle(tty, Duration::from_secs(1), Duration::from_secs(60));
        session.0.take_output(tty);
        session.0.input(tty, b"docker load -i big.tar\r");
        // Each stop is a moment in which the page draws and others run.
        let (mut shown, mut moments) = (String::new(), 0);
        for _ in 0..5_000 {
            let stop = session.0.run(1 << 24);
            let fresh = String::from_utf8_lossy(&session.0.take_output(tty)).into_owned();
            moments += usize::from(!bars(&fresh).is_empty());
            shown.push_str(&fresh);
            match stop {
                Stop::Until(time) => session.0.advance_to(time),
                Stop::Idle => break,
                Stop::OutOfFuel => {}
            }
        }
        let bars = bars(&shown);
        assert!(moments > 20, "{moments} moments: {shown}");
        let (first, second): (Vec<_>, Vec<_>) = bars.iter().partition(|bar| bar.0 == bars[0].0);
        // One after the other, each forward only, from near nothing to all.
        assert_eq!(bars.iter().map(|bar| &bar.0).collect::<Vec<_>>().windows(2).filter(|w| w[0] != w[1]).count(), 1);
        for layer in [&first, &second] {
            assert!(layer.is_sorted_by_key(|bar| bar.1), "{layer:?}");
            assert!(layer.len() > 8 && layer[0].1 < 10 && layer.last().unwrap().2, "{layer:?}");
        }
        if is_good {
            assert!(shown.contains("Loaded image: big:v1"), "{shown}");
        } else {
            assert!(shown.contains("invalid diffID for layer 1"), "{shown}");
            assert_eq!(session.types("docker images -q; docker system df --format '{{.Size}}' | head -1"), "0B\n");
        }
    }
}
