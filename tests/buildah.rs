//! Builds compared with buildah's: generated Dockerfiles on `FROM scratch` and busybox, built by both; the files in the
//! end, the files of every layer and the config must be the same.
//!
//! Where buildah is missing, or can't build here, the test says loudly that it was skipped.
#![expect(clippy::print_stderr, clippy::unwrap_used, reason = "it asks a real program and tells what it says")]
#![expect(clippy::disallowed_methods, reason = "real programs read real files")]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use capas::base::rope::Rope;
use capas::docker::build::files::walk;
use capas::machine::{Config, Machine};
use capas::os::fs::layer::{Change, Layer};
use capas::os::fs::node::{Content, Entry, Kind};
use capas::os::fs::tar::{Body, Reader};
use capas::os::fs::tree::Tree;
use serde_json::Value;

const HOME: &str = capas::machine::host::HOME;
/// How many Dockerfiles are compared.
const FILES: u64 = 6;
/// Programs of busybox that the steps use.
const APPLETS: [&str; 10] = ["sh", "mkdir", "rm", "mv", "touch", "chmod", "ln", "cat", "cp", "true"];

/// What runtimes put into a container's files while a step runs.
const OF_THE_RUNTIME: [&str; 6] = ["dev", "proc", "sys", "etc", "run", "bin/busybox"];

fn is_of_the_runtime(path: &str) -> bool {
    OF_THE_RUNTIME.iter().any(|own| path == *own || path.strip_prefix(own).is_some_and(|rest| rest.starts_with('/')))
}

/// Numbers that follow from a seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

fn dockerfile(seed: u64) -> String {
    let mut dice = Dice(seed.wrapping_mul(97) + 5);
    let mut out = String::from("ARG BASE=scratch\nFROM scratch AS other\nCOPY rootfs /\n");
    let _ = writeln!(out, "RUN mkdir -p /o/p && echo {seed} > /o/p/q && ln -s p/q /o/link && chmod 640 /o/p/q");
    out.push_str("FROM ${BASE}\nCOPY rootfs /\nARG WORD=word\n");
    for _ in 0..14 {
        let (a, b) = (dice.roll(3), dice.roll(3));
        let line = match dice.roll(27) {
            0 => format!("RUN mkdir -p /d{a}/e{b} && echo {b} > /d{a}/f{b}"),
            1 => format!("RUN rm -rf /d{a}"),
            2 => format!("RUN rm -f /d{a}/f{b} /x{b}"),
            3 => format!("RUN mkdir -p /d{a} && touch /d{a}/t && mv /d{a} /m{b}"),
            4 => format!("RUN echo more >> /x{a} && chmod 600 /x{a}"),
            5 => format!(
                "RUN ln -sf /x{a} /link{b} && mkdir -p /hard && cp /bin/sh.txt /hard/one{b} && ln -f /hard/one{b} /hard/two{b}"
            ),
            6 => format!("COPY a.txt /x{a}"),
            7 => format!("COPY a.txt b.txt /many{a}/"),
            8 => format!("COPY dir /tree{a}"),
            9 => format!("COPY dir/sub /d{a}/e{b}/"),
            10 => format!("COPY *.txt /txt{a}/"),
            11 => format!("COPY --chown={a}:{b} dir /own{a}"),
            12 => format!("COPY --chmod=750 a.txt /mode{a}"),
            13 => format!("ADD files.tar /unpacked{a}"),
            // buildah makes the folder only once something runs in it.
            14 => format!("WORKDIR /work{a}\nRUN true"),
            15 => "COPY b.txt .".to_owned(),
            16 => format!("ENV V{a}=\"value {b}\" W=$V{b}"),
            17 => format!("LABEL l{a}=\"{b}\""),
            18 => format!("EXPOSE 80{a} 53{b}/udp"),
            19 => format!("COPY --from=other /o /from{a}"),
            20 => format!("COPY --from=other --chown={b}:{a} /o/p/q /bin/sh.txt /from{a}/"),
            21 => format!("RUN [\"/bin/touch\", \"/exec{a}\"]"),
            22 => format!("RUN echo $WORD ${{WORD:-none}} '$WORD' > /word{a}"),
            23 => format!("ENV LATER{a}=${{WORD}}-${{V{b}:-unset}}"),
            24 => format!("HEALTHCHECK --interval={}s --retries={b} CMD true {a}", a + 5),
            25 => format!("ONBUILD RUN echo {a}"),
            _ => format!("CMD [\"cat\", \"/x{a}\"]"),
        };
        out.push_str(&line);
        out.push('\n');
    }
    out.push_str("ENTRYPOINT [\"/bin/sh\"]\nUSER 12:34\nSTOPSIGNAL SIGQUIT\n");
    out
}

/// The commands that make the context, in either world; only busybox itself comes from elsewhere. The student's archive
/// belongs to the student, so the real one is told to.
fn context(tar: &str) -> String {
    let mut out = String::from("mkdir -p rootfs/bin dir/sub; echo shell > rootfs/bin/sh.txt; ");
    for applet in APPLETS {
        let _ = write!(out, "ln -s busybox rootfs/bin/{applet}; ");
    }
    out.push_str("echo a > a.txt; echo bb > b.txt; echo c > dir/c; echo d > dir/sub/d; ln -s c dir/link; ");
    out.push_str("echo no > dir/no.log; echo no > dir/sub/no.log; echo yes > dir/sub/yes.log; ");
    out.push_str("printf '# left out\\n**/*.log\\n!dir/sub/yes.log\\n' > .dockerignore; ");
    out.push_str("chmod 644 dir/no.log dir/sub/no.log dir/sub/yes.log; chmod 700 dir/sub/d; chmod 755 dir dir/sub rootfs rootfs/bin; ");
    out.push_str("chmod 644 a.txt b.txt dir/c rootfs/bin/sh.txt; ");
    let _ = write!(out, "{tar} -cf files.tar dir");
    out
}

/// An image as both write it: its layers and its config.
struct Image {
    layers: Vec<Layer>,
    config: Value,
}

fn read(archive: &Rope) -> Image {
    let mut files: BTreeMap<String, Rope> = BTreeMap::new();
    let mut links: Vec<(String, String)> = Vec::new();
    for item in Reader::new(archive).map(Result::unwrap) {
        match item.body {
            Body::Entry(Entry { content: Content::File(rope), .. }) => drop(files.insert(item.path.to_string(), rope)),
            Body::Entry(Entry { content: Content::Symlink(to), .. }) => {
                links.push((item.path.to_string(), to.to_string()))
            }
            _ => {}
        }
    }
    for (name, to) in links {
        let target = to.trim_start_matches("../").to_owned();
        if let Some(rope) = files.get(&target).cloned() {
            files.insert(name, rope);
        }
    }
    let json = |name: &str| -> Value { serde_json::from_slice(&files.get(name).unwrap().to_vec()).unwrap() };
    let manifest = json("manifest.json");
    let names = manifest[0]["Layers"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned());
    let layers = names.map(|name| Layer::from_tar(files.get(&name).unwrap()).unwrap()).collect();
    Image { layers, config: json(manifest[0]["Config"].as_str().unwrap()) }
}

/// One file as both must have it: busybox differs, times do, and so do links' permissions.
fn file(path: &str, entry: &Entry) -> String {
    let meta = entry.meta;
    let content = match &entry.content {
        Content::File(rope) => format!("{:?}", String::from_utf8_lossy(&rope.to_vec())),
        Content::Symlink(to) => format!("-> {to}"),
        _ => String::new(),
    };
    let mode = if entry.content.kind() == Kind::Symlink { 0o777 } else { meta.mode };
    format!("{path} {:?} {mode:o} {}:{} {content}", entry.content.kind(), meta.uid, meta.gid)
}

/// All files in the end.
fn files_of(image: &Image) -> Vec<String> {
    let tree = Tree::of(&image.layers);
    let all = walk(tree.root()).into_iter().map(|(path, node)| (path.to_string(), node));
    all.filter(|(path, _)| !is_of_the_runtime(path)).map(|(path, node)| file(&path, &node.entry)).collect()
}

/// What every layer changes; folders are compared in the end only, and so are files that are put where the same file is
/// already: BuildKit stores them again, buildah's comparison of folders does not see them. Layers without anything else
/// are left out.
fn layers_of(image: &Image) -> Vec<Vec<String>> {
    let mut below = Tree::empty();
    let mut lists = Vec::new();
    for layer in &image.layers {
        let change = |(path, change): (&bstr::BStr, &Change)| {
            let (name, old) = (path.to_string(), below.get(path).map(|node| file(&path.to_string(), &node.entry)));
            match change {
                _ if is_of_the_runtime(&name) => None,
                Change::Put(entry) if entry.content.kind() == Kind::Dir => None,
                Change::Put(entry) => Some(file(&name, entry)).filter(|new| old.as_ref() != Some(new)),
                Change::HardLink(to) => Some(format!("{name} = {to}")),
                Change::Whiteout => Some(format!("{name} gone")),
            }
        };
        lists.push(layer.entries().filter_map(change).collect::<Vec<_>>());
        below = below.with(layer);
    }
    lists.retain(|list| !list.is_empty());
    lists
}

fn config_of(image: &Image) -> Vec<String> {
    let config = &image.config["config"];
    ["Env", "Cmd", "Entrypoint", "WorkingDir", "User", "Labels", "ExposedPorts", "StopSignal", "Healthcheck", "OnBuild"]
        .iter()
        .map(|key| {
            let mut value = config[*key].clone();
            if let Value::Object(labels) = &mut value {
                // Every builder signs its work.
                labels.retain(|name, _| !name.starts_with("io.buildah"));
            }
            let empty =
                value.is_null() || value == "" || value == serde_json::json!([]) || value == serde_json::json!({});
            let root = *key == "WorkingDir" && value == "/";
            format!("{key} {}", if empty || root { "-".to_owned() } else { value.to_string() })
        })
        .collect()
}

struct Capas(Machine);

impl Capas {
    fn new() -> Self {
        let mut capas = Self(Machine::new(Config { cols: 200, rows: 40, ..Config::default() }));
        capas.types("docker create --name box alpine:3.15 true; mkdir ctx; cd ctx");
        capas.types(&context("tar"));
        capas.types("docker cp box:/bin/busybox rootfs/bin/busybox");
        capas
    }

    fn types(&mut self, line: &str) -> String {
        let tty = self.0.console();
        let (quiet, limit) = (Duration::from_secs(60), Duration::from_secs(600));
        self.0.settle(tty, quiet, limit);
        self.0.input(tty, format!("{{ {line}; }} > ~/out 2>&1\r").as_bytes());
        self.0.settle(tty, quiet, limit);
        String::from_utf8_lossy(&self.0.file(&format!("{HOME}/out")).unwrap().to_vec()).into_owned()
    }

    fn build(&mut self, dockerfile: &str) -> Image {
        self.0.put_file(&format!("{HOME}/ctx/Dockerfile"), dockerfile.as_bytes()).unwrap();
        self.types("rm -f ~/image.tar");
        let said = self.types("docker build -t generated --progress=plain . && docker save -o ~/image.tar generated");
        let archive = self.0.file(&format!("{HOME}/image.tar"));
        assert!(archive.is_ok(), "{dockerfile}\n{said}");
        read(&archive.unwrap())
    }
}

/// A folder with a context, and buildah's own storage.
struct Buildah {
    dir: PathBuf,
}

impl Buildah {
    fn new() -> Option<Self> {
        let busybox = [Path::new("/bin/busybox"), Path::new("/usr/bin/busybox")].into_iter().find(|path| path.exists());
        let (Some(busybox), Ok(_)) = (busybox, Command::new("buildah").arg("--version").output()) else {
            eprintln!("SKIPPED: no buildah, or no busybox, here to compare with");
            return None;
        };
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("buildah");
        drop(std::fs::remove_dir_all(&dir));
        std::fs::create_dir_all(dir.join("ctx")).unwrap();
        let made = Command::new("sh")
            .arg("-c")
            .arg(format!("umask 022; {}", context("tar --owner=1000 --group=1000 --numeric-owner")))
            .current_dir(dir.join("ctx"))
            .status();
        assert!(made.unwrap().success());
        std::fs::copy(busybox, dir.join("ctx/rootfs/bin/busybox")).unwrap();
        let own = Self { dir };
        match own.build("FROM scratch\nCOPY rootfs /\nRUN true\n") {
            Ok(_) => Some(own),
            Err(why) => {
                eprintln!("SKIPPED: buildah can't build here: {why}");
                None
            }
        }
    }

    fn run(&self, words: &[&str]) -> Result<(), String> {
        let storage = ["--storage-driver", "vfs", "--root"];
        let mut tries = 0;
        loop {
            let output = Command::new("buildah")
                .args(storage)
                .arg(self.dir.join("root"))
                .arg("--runroot")
                .arg(self.dir.join("run"))
                .args(words)
                .current_dir(self.dir.join("ctx"))
                .output()
                .map_err(|error| error.to_string())?;
            let said = String::from_utf8_lossy(&output.stderr);
            match output.status.success() {
                true => return Ok(()),
                // buildah seals a copy of itself before it runs it; a busy kernel refuses that while it still holds a
                // page of the copy. It says nothing of the Dockerfile.
                false if said.contains("sealing memfd copy") && tries < 5 => tries += 1,
                false => return Err(said.into_owned()),
            }
        }
    }

    fn build(&self, dockerfile: &str) -> Result<Image, String> {
        std::fs::write(self.dir.join("Dockerfile"), dockerfile).unwrap();
        let file = self.dir.join("Dockerfile").display().to_string();
        self.run(&[
            "build",
            "--isolation",
            "chroot",
            "--layers",
            "--format",
            "docker",
            "--network",
            "host",
            "-q",
            "-f",
            &file,
            "-t",
            "generated",
            ".",
        ])?;
        let archive = self.dir.join("image.tar");
        drop(std::fs::remove_file(&archive));
        self.run(&["push", "-q", "generated", &format!("docker-archive:{}", archive.display())])?;
        Ok(read(&std::fs::read(&archive).unwrap().as_slice().into()))
    }
}

#[test]
fn generated_dockerfiles_build_as_buildah_builds_them() {
    let Some(buildah) = Buildah::new() else { return };
    let mut capas = Capas::new();
    for seed in 0..FILES {
        let text = dockerfile(seed);
        let theirs = buildah.build(&text).unwrap_or_else(|why| panic!("{text}\n{why}"));
        let ours = capas.build(&text);
        assert_eq!(files_of(&ours), files_of(&theirs), "the files in the end of\n{text}");
        assert_eq!(layers_of(&ours), layers_of(&theirs), "the files of each layer of\n{text}");
        assert_eq!(config_of(&ours), config_of(&theirs), "the config of\n{text}");
    }
}
