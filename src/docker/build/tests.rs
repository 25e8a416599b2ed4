//! Builds in a world of their own: what becomes of the store, the histories and the cache.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use bstr::BString;

use super::build;
use super::cache::BuildCache;
use super::error::PullProblem;
use super::world::{RunEnd, RunStep, StartError, World};
use crate::base::digest::ImageId;
use crate::base::rng::Rng;
use crate::base::rope::Rope;
use crate::base::time::Timestamp;
use crate::docker::daemon::api::build::{
    BuildContext, BuildEvent, BuildFailure, BuildOutcome, BuildRequest, BuilderVersion, MissReason,
};
use crate::docker::dockerfile::Span;
use crate::docker::image::config::{Form, History, Image, ImageConfig};
use crate::docker::image::reference::Reference;
use crate::docker::image::store::Store;
use crate::os::fs::layer::{Change, Layer};
use crate::os::fs::mounts::{Caller, Mount, Mounts};
use crate::os::fs::node::{Content, Entry, Kind, Meta};
use crate::os::fs::overlay::Overlay;
use crate::os::fs::xz;

/// A shell that knows `touch`, `cat`, `echo $NAME`, `rm`, `true` and `exit N`, joined by `&&`.
fn run(step: &RunStep) -> Result<RunEnd, StartError> {
    let root = Rc::new(RefCell::new(Overlay::new(1, step.lower.clone(), 1 << 24)));
    let mounts = Mounts::new(Mount::overlay("/", "overlay", "overlay", &root));
    let code = sh(step, &mounts)?;
    let layer = root.borrow().upper();
    Ok(RunEnd { code, layer })
}

fn sh(step: &RunStep, mounts: &Mounts) -> Result<i32, StartError> {
    let who = Caller { now: Timestamp::from_date(2026, 2, 1), ..Caller::root() };
    let shell = step.args.first().map(String::as_str).unwrap_or_default();
    if mounts.find(&who, shell.as_bytes(), true).is_err() {
        return Err(StartError(format!("exec: \"{shell}\": stat {shell}: no such file or directory")));
    }
    let text = step.args.last().map(String::as_str).unwrap_or_default();
    for command in text.split("&&").flat_map(|part| part.split('\n')) {
        let words: Vec<&str> = command.split_whitespace().collect();
        match words.as_slice() {
            ["touch", path] => drop(mounts.create(&who, path.as_bytes(), 0o644, Content::File(Rope::new()))),
            ["rm", path] => drop(mounts.unlink(&who, path.as_bytes())),
            ["cat", path] => match mounts.find(&who, path.as_bytes(), true).and_then(|place| place.content()) {
                Ok(Content::File(rope)) => (step.output)(false, &rope.to_vec()),
                _ => return Ok(1),
            },
            ["echo", word] => {
                let value = word.strip_prefix('$').map(|name| {
                    let prefix = format!("{name}=");
                    step.env.iter().rev().find_map(|word| word.strip_prefix(&prefix)).unwrap_or_default()
                });
                (step.output)(false, format!("{}\n", value.unwrap_or(word)).as_bytes());
            }
            ["exit", code] => return Ok(code.parse().unwrap()),
            _ => {}
        }
    }
    Ok(0)
}

fn layer(files: &[(&str, Content)]) -> Layer {
    let entry = |content: &Content| {
        let mode = if content.kind() == Kind::Dir { 0o755 } else { 0o644 };
        Entry::new(Meta::root(mode, Timestamp::from_date(2025, 1, 1)), content.clone())
    };
    files.iter().map(|(path, content)| (BString::from(*path), Change::Put(Arc::new(entry(content))))).collect()
}

fn file(text: &str) -> Content {
    Content::File(text.into())
}

const DIR: Content = Content::Dir { opaque: false };

/// A miss because of the step at a line.
fn parent(instruction: &str, line: usize) -> Option<MissReason> {
    Some(MissReason::Parent { instruction: instruction.into(), span: Span::line(line) })
}

struct Lab {
    world: World,
    events: Rc<RefCell<Vec<BuildEvent>>>,
}

impl Lab {
    /// A world with an image `base` of a shell and two users.
    fn new() -> Self {
        let clock = Rc::new(Cell::new(Timestamp::from_date(2026, 1, 1)));
        let store = Rc::new(RefCell::new(Store::default()));
        let root = layer(&[
            ("bin", DIR),
            ("bin/sh", file("#!")),
            ("etc", DIR),
            ("etc/passwd", file("root:x:0:0::/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n")),
            ("etc/group", file("root:x:0:\nnode:x:1000:\n")),
        ]);
        let chain = store.borrow_mut().register(None, Arc::new(root)).unwrap();
        let diff_id = store.borrow().layer(chain).unwrap().diff_id;
        let mut config = ImageConfig {
            architecture: "amd64".into(),
            os: "linux".into(),
            diff_ids: vec![diff_id],
            ..Default::default()
        };
        config.created = Some(Timestamp::from_date(2025, 6, 1));
        config.history.push(History { created: config.created, created_by: "ADD rootfs".into(), ..History::default() });
        config.config.cmd = Some(vec!["sh".into()]);
        let id = store.borrow_mut().add_image(Image::new(config, Form::Classic)).unwrap();
        store.borrow_mut().release(chain);
        store.borrow_mut().tag(Reference::parse("base").unwrap(), id, Timestamp(0));
        let (tick, now) = (Rc::clone(&clock), Rc::clone(&clock));
        let world = World {
            store,
            cache: Rc::new(RefCell::new(BuildCache::default())),
            random: Rc::new(RefCell::new(Rng::new(1))),
            now: Rc::new(move || now.get()),
            sleep: Rc::new(move |time| {
                tick.set(tick.get() + time);
                Box::pin(std::future::ready(()))
            }),
            resolve: Rc::new(|reference| {
                let known = reference.repository().familiar() == "nginx";
                Box::pin(std::future::ready(Err(if known { PullProblem::NotFound } else { PullProblem::Denied })))
            }),
            fetch: Rc::new(|_, _| Box::pin(std::future::ready(Err(PullProblem::Denied)))),
            pull: Rc::new(|_, _| Box::pin(std::future::ready(Err(PullProblem::Denied)))),
            run: Rc::new(|step| Box::pin(std::future::ready(run(&step)))),
            docker_version: "27.5.1",
            architecture: "amd64",
        };
        Self { world, events: Rc::default() }
    }

    fn request(dockerfile: &str, files: &[(&str, Content)]) -> BuildRequest {
        BuildRequest {
            context: BuildContext { files: Arc::new(layer(files)), ..BuildContext::default() },
            dockerfile: dockerfile.into(),
            dockerfile_name: "Dockerfile".into(),
            tags: vec![Reference::parse("app").unwrap().with_default_tag()],
            ..BuildRequest::default()
        }
    }

    fn try_build(&self, request: &BuildRequest) -> Result<BuildOutcome, BuildFailure> {
        self.events.borrow_mut().clear();
        let events = Rc::clone(&self.events);
        let sink: Rc<dyn Fn(BuildEvent)> = Rc::new(move |event| events.borrow_mut().push(event));
        futures_lite::future::block_on(build(&self.world, request, &sink))
    }

    fn build(&self, dockerfile: &str, files: &[(&str, Content)]) -> Image {
        let id = self.try_build(&Self::request(dockerfile, files)).map_err(|failure| failure.message).unwrap().image;
        self.image(id.unwrap())
    }

    fn classic(&self, dockerfile: &str, files: &[(&str, Content)]) -> Image {
        let request = BuildRequest { version: BuilderVersion::Classic, ..Self::request(dockerfile, files) };
        let id = self.try_build(&request).map_err(|failure| failure.message).unwrap().image;
        self.image(id.unwrap())
    }

    fn image(&self, id: ImageId) -> Image {
        self.world.store.borrow().image(id).unwrap().clone()
    }

    /// Vertices as they ended.
    fn vertices(&self) -> Vec<String> {
        let mut out = BTreeMap::new();
        for event in self.events.borrow().iter() {
            if let BuildEvent::Vertex(vertex) = event {
                let end = match (&vertex.error, vertex.cached) {
                    (Some(error), _) => format!("ERROR {error}"),
                    (None, true) => "CACHED".to_owned(),
                    (None, false) => "DONE".to_owned(),
                };
                out.insert(vertex.id, format!("{} {end}", vertex.name));
            }
        }
        out.into_values().collect()
    }

    fn total(&self) -> Option<u32> {
        self.events
            .borrow()
            .iter()
            .find_map(|event| if let BuildEvent::Total(total) = event { Some(*total) } else { None })
    }

    fn misses(&self) -> Vec<Option<MissReason>> {
        let events = self.events.borrow();
        events
            .iter()
            .filter_map(|event| if let BuildEvent::Cache { miss, .. } = event { Some(miss.clone()) } else { None })
            .collect()
    }

    /// What commands wrote, and the classic builder's lines.
    fn text(&self) -> String {
        let mut out = Vec::new();
        for event in self.events.borrow().iter() {
            match event {
                BuildEvent::Log { bytes, .. } | BuildEvent::Stream(bytes) | BuildEvent::ErrorStream(bytes) => {
                    out.extend(bytes)
                }
                _ => {}
            }
        }
        String::from_utf8(out).unwrap()
    }

    fn paths(&self, image: &Image) -> Vec<String> {
        let store = self.world.store.borrow();
        let tree = store.tree(image.config().chain_id()).unwrap();
        super::files::walk(tree.root()).iter().map(|(path, _)| path.to_string()).collect()
    }
}

fn lines(image: &Image) -> Vec<String> {
    image
        .config()
        .history
        .iter()
        .map(|line| format!("{}{}", line.created_by, if line.empty_layer { " -" } else { "" }))
        .collect()
}

#[test]
fn the_courses_dockerfile_builds() {
    let lab = Lab::new();
    let text = "# instrucciones\nFROM base\n\nCOPY . /usr/share/nginx/html/\n";
    let files = [("Dockerfile", file(text)), ("index.html", file("hola"))];
    let image = lab.build(text, &files);
    assert_eq!(lines(&image), ["ADD rootfs", "COPY . /usr/share/nginx/html/ # buildkit"]);
    assert_eq!(
        lab.vertices(),
        [
            "[internal] load build definition from Dockerfile DONE",
            "[internal] load metadata for docker.io/library/base:latest DONE",
            "[internal] load .dockerignore DONE",
            "[1/2] FROM docker.io/library/base:latest DONE",
            "[internal] load build context DONE",
            "[2/2] COPY . /usr/share/nginx/html/ DONE",
            "exporting to image DONE"
        ]
    );
    assert_eq!(lab.total(), Some(7));
    assert!(lab.paths(&image).contains(&"usr/share/nginx/html/index.html".to_owned()));
    assert_eq!(lab.world.store.borrow().resolve("app"), Ok(image.id()));
    assert_eq!(lab.misses(), [Some(MissReason::New)]);

    let again = lab.build(text, &files);
    assert_eq!(again.id(), image.id(), "a cached build is the same image");
    assert_eq!(lab.misses(), [None]);
    assert!(lab.vertices().contains(&"[2/2] COPY . /usr/share/nginx/html/ CACHED".to_owned()));

    let changed = lab.build(text, &[files[0].clone(), ("index.html", file("adios"))]);
    assert_ne!(changed.id(), image.id());
    assert_eq!(lab.misses(), [Some(MissReason::Files { changed: vec!["index.html".into()] })]);
}

#[test]
fn a_root_file_system_from_scratch_is_one_layer() {
    let rootfs =
        layer(&[("bin", DIR), ("bin/bash", file("#!")), ("etc", DIR), ("etc/os-release", file("ID=debian\n"))]);
    let text = "FROM scratch\nADD rootfs.tar.xz /\nCMD [\"bash\"]\n";
    let files = [("rootfs.tar.xz", Content::File(xz::store(&rootfs.to_tar())))];
    let lab = Lab::new();
    let image = lab.build(text, &files);
    assert_eq!(lines(&image), ["ADD rootfs.tar.xz / # buildkit", "CMD [\"bash\"] -"]);
    assert_eq!(lab.paths(&image), ["bin", "bin/bash", "etc", "etc/os-release"]);
    assert_eq!(image.config().config.cmd, Some(vec!["bash".to_owned()]));
    assert_eq!(image.config().created, image.config().history[0].created);
    let classic = lab.classic(text, &files);
    let history = lines(&classic);
    assert!(history[0].starts_with("/bin/sh -c #(nop) ADD file:") && history[0].ends_with(" in / "), "{history:?}");
    assert_eq!(history[1], "/bin/sh -c #(nop)  CMD [\"bash\"] -");
    assert_eq!(classic.config().diff_ids, image.config().diff_ids, "both builders make the same layer");
}

#[test]
fn every_instruction_leaves_its_line() {
    let lab = Lab::new();
    let text = "FROM base\nARG V=1\nENV A=$V\nRUN touch /made && echo $A\nWORKDIR /app\nUSER node\nEXPOSE 80\nVOLUME /data\nLABEL k=v\nSTOPSIGNAL SIGQUIT\nHEALTHCHECK NONE\nSHELL [\"/bin/sh\", \"-ec\"]\nENTRYPOINT run\nMAINTAINER me\n";
    let image = lab.build(text, &[]);
    assert_eq!(
        lines(&image),
        [
            "ADD rootfs",
            "ARG V=1 -",
            "ENV A=1 -",
            "RUN |1 V=1 /bin/sh -c touch /made && echo $A # buildkit",
            "WORKDIR /app",
            "USER node -",
            "EXPOSE map[80/tcp:{}] -",
            "VOLUME [/data] -",
            "LABEL k=v -",
            "STOPSIGNAL SIGQUIT -",
            "HEALTHCHECK &{[\"NONE\"] \"0s\" \"0s\" \"0s\" \"0s\" '\\x00'} -",
            "SHELL [/bin/sh -ec] -",
            "ENTRYPOINT [\"/bin/sh\" \"-ec\" \"run\"] -",
            "MAINTAINER me -"
        ]
    );
    assert_eq!(lab.text(), "1\n");
    let config = &image.config().config;
    assert_eq!((config.user.as_str(), config.working_dir.as_str()), ("node", "/app"));
    assert_eq!(config.cmd, None, "an entrypoint takes the inherited command away");
    assert!(image.config().history.iter().all(|line| line.created.is_some()));
    assert!(!config.env.contains(&"V=1".to_owned()), "arguments are gone after the build");
}

#[test]
fn only_needed_stages_are_built() {
    let lab = Lab::new();
    let text = "FROM base AS build\nRUN touch /out\nFROM base AS unused\nRUN exit 1\nFROM scratch\nCOPY --from=build /out /bin/\n";
    let image = lab.build(text, &[]);
    assert_eq!(lab.paths(&image), ["bin", "bin/out"]);
    assert_eq!(
        &lab.vertices()[3..],
        [
            "[build 1/2] FROM docker.io/library/base:latest DONE",
            "[build 2/2] RUN touch /out DONE",
            "[stage-2 1/1] COPY --from=build /out /bin/ DONE",
            "exporting to image DONE"
        ]
    );
    assert_eq!(image.config().config.env, ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]);
}

#[test]
fn a_change_spoils_the_steps_after_it_only() {
    let lab = Lab::new();
    let text = "FROM base\nRUN touch /a\nCOPY x /x\nRUN touch /b\n";
    lab.build(text, &[("x", file("1"))]);
    lab.build(text, &[("x", file("2"))]);
    assert_eq!(lab.misses(), [None, Some(MissReason::Files { changed: vec!["x".into()] }), parent("COPY x /x", 3)]);
    lab.build("FROM base\nRUN touch /other\nCOPY x /x\n", &[("x", file("2"))]);
    assert_eq!(lab.misses()[0], Some(MissReason::Instruction { before: "RUN touch /a".into() }));
    let request = BuildRequest { no_cache: true, ..Lab::request(text, &[("x", file("2"))]) };
    lab.try_build(&request).unwrap();
    assert_eq!(lab.misses(), [const { Some(MissReason::Refused) }; 3]);
}

#[test]
fn failures_tell_what_and_where() {
    let lab = Lab::new();
    let fail = |text: &str| lab.try_build(&Lab::request(text, &[])).unwrap_err();
    let failure = fail("FROM base\nRUN exit 3\n");
    assert_eq!(failure.message, "process \"/bin/sh -c exit 3\" did not complete successfully: exit code: 3");
    assert_eq!(failure.source.unwrap().span.start, 2);
    assert!(lab.vertices().last().unwrap().starts_with("[2/2] RUN exit 3 ERROR process"));

    let missing = fail("FROM base\nCOPY nope /x\n").message;
    assert!(
        missing.starts_with("failed to compute cache key: failed to calculate checksum of ref ")
            && missing.ends_with(": \"/nope\": not found"),
        "{missing}"
    );
    assert_eq!(
        fail("FROM nope\n").message,
        "nope: failed to resolve source metadata for docker.io/library/nope:latest: pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed"
    );
    assert_eq!(
        fail("FROM nginx:nope\n").message,
        "nginx:nope: failed to resolve source metadata for docker.io/library/nginx:nope: docker.io/library/nginx:nope: not found"
    );
    assert_eq!(
        fail("FROM scratch\nRUN true\n").message,
        "process \"/bin/sh -c true\" did not complete successfully: exit code: 1"
    );
    assert_eq!(
        lab.text(),
        "runc run failed: unable to start container process: error during container init: exec: \"/bin/sh\": stat /bin/sh: no such file or directory\n"
    );
    assert_eq!(fail("").message, "the Dockerfile cannot be empty");
    let parse = fail("FROM base\nRUNN x\n");
    assert_eq!(parse.message, "dockerfile parse error on line 2: unknown instruction: RUNN (did you mean RUN?)");
    assert_eq!(parse.source.unwrap().span.start, 2);
    assert_eq!(
        fail("FROM base\nADD https://example.com/x /x\n").message,
        "failed to load cache key: Get \"https://example.com/x\": dial tcp: lookup example.com: no such host"
    );
    let before = lab.world.store.borrow().layers().count();
    fail("FROM base\nRUN touch /x\nRUN exit 1\n");
    assert_eq!(lab.world.store.borrow().layers().count(), before + 1, "what succeeded stays in the cache");
}

#[test]
fn the_classic_builder_reads_as_it_always_did() {
    let lab = Lab::new();
    let text = "FROM base\nCOPY . /html/\nRUN echo hi\nCMD [\"x\"]\n";
    let image = lab.classic(text, &[("index.html", file("hola"))]);
    let shown = lab.text();
    let pattern = "Step 1/4 : FROM base\n ---> ID\nStep 2/4 : COPY . /html/\n ---> ID\nStep 3/4 : RUN echo hi\n ---> Running in ID\nhi\n ---> Removed intermediate container ID\n ---> ID\nStep 4/4 : CMD [\"x\"]\n ---> Running in ID\n ---> Removed intermediate container ID\n ---> ID\nSuccessfully built ID\nSuccessfully tagged app:latest\n";
    let hide = |text: &str| {
        let is_id = |word: &str| word.len() == 12 && word.bytes().all(|b| b.is_ascii_hexdigit());
        let line = |line: &str| {
            line.split(' ').map(|word| if is_id(word) { "ID" } else { word }).collect::<Vec<_>>().join(" ")
        };
        text.lines().map(line).collect::<Vec<_>>().join("\n") + "\n"
    };
    // "hi" writes no layer: the line says so.
    assert_eq!(hide(&shown), pattern);
    let history = lines(&image);
    assert!(
        history[1].starts_with("/bin/sh -c #(nop) COPY dir:") && history[1].ends_with(" in /html/ "),
        "{history:?}"
    );
    assert_eq!(&history[2..], ["/bin/sh -c echo hi -", "/bin/sh -c #(nop)  CMD [\"x\"] -"]);
    assert!(lab.world.store.borrow().parent(image.id()).is_some());

    let again = lab.classic(text, &[("index.html", file("hola"))]);
    assert_eq!(again.id(), image.id());
    assert_eq!(lab.text().matches(" ---> Using cache\n").count(), 3);
    lab.classic(text, &[("index.html", file("adios"))]);
    assert_eq!(lab.misses()[1], parent("COPY . /html/", 2));

    let request = BuildRequest { version: BuilderVersion::Classic, ..Lab::request("FROM base\nRUN exit 7\n", &[]) };
    let failure = lab.try_build(&request).unwrap_err();
    assert_eq!(
        (failure.message.as_str(), failure.code),
        ("The command '/bin/sh -c exit 7' returned a non-zero code: 7", 7)
    );
    for (text, error) in [
        ("FROM base\nCOPY ../x /y\n", "COPY failed: forbidden path outside the build context: ../x ()"),
        (
            "FROM base\nCOPY nope /y\n",
            "COPY failed: file not found in build context or excluded by .dockerignore: stat nope: file does not exist",
        ),
        ("FROM base\nCOPY *.nope /y/\n", "COPY failed: no source files were specified"),
        (
            "FROM base\nCOPY --chmod=755 a /y\n",
            "the --chmod option requires BuildKit. Refer to https://docs.docker.com/go/buildkit/ to learn how to build images with BuildKit enabled",
        ),
        ("FROM scratch\n", "No image was generated. Is your Dockerfile empty?"),
    ] {
        let request = BuildRequest { version: BuilderVersion::Classic, ..Lab::request(text, &[]) };
        assert_eq!(lab.try_build(&request).unwrap_err().message, error, "{text}");
    }
}

#[test]
fn triggers_run_in_the_next_build() {
    let lab = Lab::new();
    let mut request = Lab::request("FROM base\nONBUILD COPY a /a\nONBUILD ENV X=1\n", &[]);
    request.tags = vec![Reference::parse("parent").unwrap().with_default_tag()];
    lab.try_build(&request).unwrap();
    let image = lab.build("FROM parent\nRUN echo $X\n", &[("a", file("1"))]);
    assert!(lab.paths(&image).contains(&"a".to_owned()));
    assert_eq!(lab.text(), "1\n");
    assert!(lab.vertices().contains(&"[2/4] ONBUILD COPY a /a DONE".to_owned()), "{:?}", lab.vertices());
    assert_eq!(image.config().config.on_build, Vec::<String>::new());
    let classic = lab.classic("FROM parent\n", &[("a", file("1"))]);
    assert!(lab.text().contains("# Executing 2 build triggers\n"));
    assert!(lab.paths(&classic).contains(&"a".to_owned()));
}

#[test]
fn heredocs_mounts_and_secrets_reach_the_command() {
    let lab = Lab::new();
    let image = lab.build("FROM base\nARG A=1\nCOPY <<one <<\"two\" /d/\nv=$A\none\nv=$A\ntwo\nRUN <<EOF\ntouch /x\ncat /d/one\ncat /d/two\nEOF\n", &[]);
    assert_eq!(lab.text(), "v=1\nv=$A\n");
    assert!(lab.paths(&image).contains(&"x".to_owned()));
    assert_eq!(lines(&image)[2], "COPY <<one <<two /d/ # buildkit");
    assert!(lab.vertices().iter().any(|v| v.ends_with("RUN <<EOF (touch /x...) DONE")), "{:?}", lab.vertices());
    let missing =
        lab.try_build(&Lab::request("FROM base\nRUN --mount=type=secret,id=k,required=true true\n", &[])).unwrap_err();
    assert!(missing.message.ends_with("secret k: not found"));
}

#[test]
fn undefined_variables_and_checks_are_warned_of() {
    let lab = Lab::new();
    lab.build("FROM base as x\nENV HOST=a\nCOPY $HOTS /x\nLABEL a=$NOPE\nCMD echo\n", &[("a", file("1"))]);
    let events = lab.events.borrow();
    let shorts: Vec<String> = events
        .iter()
        .filter_map(|event| if let BuildEvent::Warning { warning, .. } = event { Some(warning.short()) } else { None })
        .collect();
    assert_eq!(
        shorts,
        [
            "FromAsCasing: 'as' and 'FROM' keywords' casing do not match (line 1)",
            "JSONArgsRecommended: JSON arguments recommended for CMD to prevent unintended behavior related to OS signals (line 5)",
            "UndefinedVar: Usage of undefined variable '$HOTS' (did you mean $HOST?) (line 3)",
            "UndefinedVar: Usage of undefined variable '$NOPE' (line 4)",
        ]
    );
}

#[test]
fn the_same_build_in_the_same_world_gives_the_same_bytes() {
    let text = "FROM base\nRUN touch /a\nCOPY . /b/\nCMD [\"x\"]\n";
    let files = [("f", Content::File(Rope::bulk(1, 3_000_000)))];
    let once = |classic: bool| {
        let lab = Lab::new();
        let image = if classic { lab.classic(text, &files) } else { lab.build(text, &files) };
        (image.id(), lab.events.borrow().clone())
    };
    assert_eq!(once(false), once(false));
    assert_eq!(once(true), once(true));
}

#[test]
fn pruning_the_cache_gives_layers_back() {
    let lab = Lab::new();
    lab.build("FROM base\nRUN touch /a\n", &[]);
    lab.build("FROM base\nRUN touch /b\n", &[]);
    let store = &lab.world.store;
    assert_eq!(store.borrow().layers().count(), 3);
    let records = lab.world.cache.borrow().records(&store.borrow());
    assert_eq!(
        records.iter().map(|record| record.description.as_str()).collect::<Vec<_>>(),
        ["[2/2] RUN touch /b", "[2/2] RUN touch /a"]
    );
    let gone = lab.world.cache.borrow_mut().prune(&store.borrow(), true, None);
    assert_eq!(gone.0.len(), 2);
    drop(gone);
    // The first app image lost its name to the second and still has its layer.
    assert_eq!(store.borrow().layers().count(), 3);
}

proptest::proptest! {
    /// What can't be expanded is told with the line it stands on, and so is what a check finds.
    #[test]
    fn any_expansion_is_done_or_refused_at_its_line(word in r#"([$\{\}:#%/*?\\'"a-c -]|\PC){0,24}"#) {
        let lab = Lab::new();
        let text = format!("FROM base\nARG a=x\nLABEL k={word}\n");
        let request = BuildRequest {
            dockerfile: text.as_str().into(),
            dockerfile_name: "Dockerfile".into(),
            ..BuildRequest::default()
        };
        let (warnings, failure) = super::foresee::check(&lab.world, &request);
        for warning in warnings {
            proptest::prop_assert!((1..=4).contains(&warning.span.start), "{warning:?}");
        }
        if let Some(failure) = failure {
            let line = failure.source.as_ref().map(|source| source.span.start);
            proptest::prop_assert!(line.is_some_and(|line| (1..=4).contains(&line)), "{failure:?}");
        }
    }
}
