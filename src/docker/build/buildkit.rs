//! BuildKit: stages in order, each step from the cache or done, one image at the end.
//!
//! Vertices, histories and errors are those of `frontend/dockerfile/dockerfile2llb` and moby's exporter. Steps run one
//! after the other; a real BuildKit would run stages that do not need each other at the same time.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bstr::ByteSlice;

use super::cache::{CacheKey, Done, Inputs};
use super::change::{self, DEFAULT_PATH};
use super::context::{transfer_file_size_bytes, transfer_size_bytes};
use super::error::{BuildError, Located};
use super::files::{self, CopyOptions, Destination, Found};
use super::plan::{self, Base, Origin, Plan, PlannedStage};
use super::trace::{Step, Trace};
use super::world::{DOWNLOAD_RATE, EXTRACT_RATE, FetchEvent, Held, RunMount, RunStep, World};
use crate::base::digest::{BlobDigest, ChainId, DiffId, Digest, ImageId, ManifestDigest};
use crate::base::path;
use crate::base::rope::Rope;
use crate::base::time::Timestamp;
use crate::docker::daemon::api::build::{
    BuildEvent, BuildRequest, BuildSink, Export, LayerSize, MissReason, NamedContext,
};
use crate::docker::dockerfile::error::suggest;
use crate::docker::dockerfile::ignore::{Matcher, has_wildcards};
use crate::docker::dockerfile::instruction::{Arg, Command, Copy, Run};
use crate::docker::dockerfile::lines::Heredoc;
use crate::docker::dockerfile::lint::{self, Warning};
use crate::docker::dockerfile::mount::{Mount, MountType};
use crate::docker::dockerfile::words::{Lex, Variables};
use crate::docker::dockerfile::{self, Dockerfile, Instruction, Span};
use crate::docker::image::config::{ContainerConfig, Form, History, Image, ImageConfig};
use crate::docker::image::reference::Reference;
use crate::docker::registry::Published;
use crate::os::fs::archive;
use crate::os::fs::layer::{Change, Layer};
use crate::os::fs::mounts::{Caller, Mount as MountPoint, Mounts};
use crate::os::fs::node::{Content, Entry, Meta};
use crate::os::fs::overlay::Overlay;
use crate::os::fs::tree::Tree;

/// The comment of BuildKit's history lines.
const COMMENT: &str = "buildkit.dockerfile.v0";
/// The most bytes that a step's layer or a mount may hold in memory.
const MAX_RESIDENT_BYTES: u64 = 1 << 29;

/// Arguments that every RUN sees without an ARG, in small letters too.
const PROXIES: [&str; 5] = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"];

/// What the Dockerfile is gone through for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// For its image.
    Build,
    /// For what the checks find: instructions are read, and neither looked up nor done.
    Check,
    /// For what a build would do: steps are looked up and not done; store and cache stay as they are.
    Foresee,
}

/// What a build leaves.
pub enum Exported {
    /// An image in the store.
    Image(ImageId),
    /// Files as a tar.
    Files(Rope),
    /// Nothing: it was not built.
    Nothing,
    /// In foresight: the image that would come of it, where the cache has every step.
    Foreseen(Option<ImageId>),
}

/// A base image at hand.
#[derive(Clone)]
struct BaseImage {
    image: Image,
    digest: Option<ManifestDigest>,
    held: Option<Rc<Held>>,
    tree: Tree,
}

/// A stage so far.
#[derive(Clone)]
struct State {
    config: ContainerConfig,
    author: String,
    history: Vec<History>,
    diff_ids: Vec<DiffId>,
    held: Option<Rc<Held>>,
    tree: Tree,
    key: CacheKey,
    /// Variables: those of the config and the arguments.
    env: Vec<String>,
    args: Vec<Arg>,
    cmd_set: bool,
    /// The first step that was not in the cache.
    missed: Option<(String, Span)>,
    /// The name of its stage.
    stage: String,
    /// In foresight: a step was not done, so that nobody knows its files.
    unknown: bool,
    /// Triggers that this stage's own ONBUILD lines leave to stages on top of it.
    triggers: Vec<String>,
}

impl State {
    fn chain(&self) -> Option<ChainId> {
        self.held.as_ref().map(|held| held.chain())
    }

    fn set_env(&mut self, key: &str, value: &str) {
        let word = format!("{key}={value}");
        match self.env.iter_mut().find(|old| old.split('=').next() == Some(key)) {
            Some(old) => *old = word,
            None => self.env.push(word),
        }
    }

    fn note(&mut self, created_by: String, created: Option<Timestamp>) {
        self.history.push(History {
            created,
            created_by,
            comment: COMMENT.to_owned(),
            empty_layer: created.is_none(),
            ..History::default()
        });
    }
}

/// A step on its way into the cache.
struct Making {
    key: CacheKey,
    inputs: Inputs,
    name: String,
    span: Span,
    started: Timestamp,
}

/// How far a stage's numbered steps are.
struct Count {
    label: String,
    at: usize,
    total: usize,
    onbuild: bool,
}

impl Count {
    /// `[build 2/10] RUN make`.
    fn name(&mut self, text: &str) -> String {
        self.at += 1;
        let width = self.total.to_string().len();
        let label = if self.label.is_empty() { String::new() } else { format!("{} ", self.label) };
        let onbuild = if self.onbuild { "ONBUILD " } else { "" };
        format!("[{label}{:width$}/{}] {onbuild}{text}", self.at, self.total)
    }
}

struct Solver<'a> {
    world: &'a World,
    purpose: Purpose,
    request: &'a BuildRequest,
    trace: Trace,
    file: &'a Dockerfile,
    plan: &'a Plan<'a>,
    context: Tree,
    images: BTreeMap<String, BaseImage>,
    done: BTreeMap<usize, State>,
    /// Named contexts that were sent.
    sent: BTreeSet<String>,
    /// Names of rules that were broken.
    broken: RefCell<BTreeSet<&'static str>>,
}

/// Builds with BuildKit.
///
/// # Errors
/// Whatever makes a build fail, with the lines it is about.
pub async fn build(world: &World, request: &BuildRequest, sink: &BuildSink) -> Result<Exported, Located> {
    let trace = Trace::new(world, sink);
    let (sleep, name) = (&world.sleep, &request.dockerfile_name);

    let step = trace.start(format!("[internal] load build definition from {name}"));
    let size = if request.is_dockerfile_missing {
        transfer_size_bytes(&Layer::default(), true)
    } else {
        transfer_file_size_bytes(name, &request.dockerfile, (world.now)())
    };
    let part = step.status("transferring dockerfile:", size, 0);
    sleep(World::duration(8, size, 100)).await;
    part.done();
    sleep(World::duration(4, 0, 1)).await;
    step.done();

    if request.is_dockerfile_missing {
        return Err(BuildError::NoDockerfile(name.clone()).into());
    }
    if request.dockerfile.is_empty() {
        return Err(BuildError::EmptyDockerfile { name: name.clone() }.into());
    }
    solve(world, request, trace, if request.check { Purpose::Check } else { Purpose::Build }).await
}

/// Tells what a build would do, and does not do it. `world` must not wait: its sleep only moves its own clock. Gives the
/// image that would come of it, where the cache has every step.
///
/// # Errors
/// What would make the build fail, as far as it can be known.
pub async fn foresee(world: &World, request: &BuildRequest, sink: &BuildSink) -> Result<Option<ImageId>, Located> {
    match solve(world, request, Trace::new(world, sink), Purpose::Foresee).await? {
        Exported::Foreseen(image) => Ok(image),
        _ => Ok(None),
    }
}

/// Tells what the checks find, without the progress of `build --check`; `world` as in [`foresee`].
///
/// # Errors
/// What is wrong with the Dockerfile.
pub async fn check(world: &World, request: &BuildRequest, sink: &BuildSink) -> Result<(), Located> {
    solve(world, request, Trace::new(world, sink), Purpose::Check).await.map(drop)
}

async fn solve(world: &World, request: &BuildRequest, trace: Trace, purpose: Purpose) -> Result<Exported, Located> {
    let text = String::from_utf8_lossy(&request.dockerfile.to_vec()).into_owned();
    let file = dockerfile::parse(&text)?;
    let plan = plan::plan(&file, request, purpose == Purpose::Check, world.architecture)?;
    let mut solver = Solver {
        world,
        purpose,
        request,
        trace,
        file: &file,
        plan: &plan,
        context: Tree::of([request.context.files.as_ref()]),
        images: BTreeMap::new(),
        done: BTreeMap::new(),
        sent: BTreeSet::new(),
        broken: RefCell::default(),
    };
    solver.solve().await
}

impl<'a> Solver<'a> {
    async fn solve(&mut self) -> Result<Exported, Located> {
        self.trace.tell(BuildEvent::Total(self.total()));
        self.plan.warnings.iter().for_each(|warning| self.warn(warning));
        self.load_metadata().await?;
        self.load_ignore_file().await;
        let mut sent = false;
        for index in &self.plan.order {
            let Some(planned) = self.plan.stages.get(*index) else { continue };
            let state = self.stage(planned, &mut sent).await?;
            self.done.insert(*index, state);
        }
        let broken: Vec<&str> = self.broken.borrow().iter().copied().collect();
        if self.plan.checks.error && !broken.is_empty() {
            return Err(BuildError::Lint(broken.join(", ")).into());
        }
        match (self.purpose, self.request.export) {
            (Purpose::Build, Export::Image) => self.export().await.map(Exported::Image),
            (Purpose::Build, export) => self.export_files(export).await.map(Exported::Files),
            (Purpose::Foresee, _) => {
                let state = self.done.remove(&self.plan.target);
                let known = state.filter(|state| state.missed.is_none() && !state.unknown);
                Ok(Exported::Foreseen(known.map(|state| self.image(state).id())))
            }
            (Purpose::Check, _) => Ok(Exported::Nothing),
        }
    }

    /// Tells of a broken rule, unless the Dockerfile says that it does not count.
    fn warn(&self, warning: &Warning) {
        if self.plan.checks.asks_for(warning.rule) {
            self.broken.borrow_mut().insert(warning.rule.name);
            self.trace.warn(warning);
        }
    }

    fn reachable(&self) -> impl Iterator<Item = &'a PlannedStage<'a>> {
        self.plan.order.iter().filter_map(|index| self.plan.stages.get(*index))
    }

    /// How many vertices there will be, triggers of base images aside.
    fn total(&self) -> u32 {
        if self.purpose == Purpose::Check {
            let images = self.reachable().flat_map(|stage| {
                let own = if let Base::Image(reference, _) = &stage.base { Some(reference) } else { None };
                own.into_iter().chain(stage.images.iter().map(|(reference, _)| reference))
            });
            return 2 + images.map(ToString::to_string).collect::<BTreeSet<_>>().len() as u32;
        }
        let mut sum = 3;
        let mut images = BTreeSet::new();
        for stage in self.reachable() {
            if let Base::Image(reference, _) = &stage.base {
                images.insert(reference.to_string());
                sum += 1;
            }
            for (reference, _) in &stage.images {
                sum += u32::from(images.insert(reference.to_string()));
            }
            sum +=
                stage.stage.instructions.iter().filter(|instruction| makes_layer(&instruction.command)).count() as u32;
        }
        sum + images.len() as u32 + u32::from(!self.context_sources().is_empty())
    }

    /// What reachable stages copy from the context.
    fn context_sources(&self) -> Vec<String> {
        let mut out = Vec::new();
        for stage in self.reachable() {
            for instruction in &stage.stage.instructions {
                match &instruction.command {
                    Command::Add(copy) => out.extend(copy.sources.iter().cloned()),
                    Command::Copy(copy) if copy.from.is_none() => out.extend(copy.sources.iter().cloned()),
                    Command::Run(run) => out.extend(run.mounts.iter().filter_map(|text| {
                        let mount = Mount::parse(text).ok()?;
                        (mount.kind == MountType::Bind && mount.from.is_empty()).then_some(mount.source)
                    })),
                    _ => {}
                }
            }
        }
        out
    }

    async fn load_metadata(&mut self) -> Result<(), Located> {
        let mut wanted: Vec<(Reference, String, Span)> = Vec::new();
        for stage in self.reachable() {
            if let Base::Image(reference, name) = &stage.base {
                wanted.push((reference.clone(), name.clone(), stage.stage.span));
            }
            wanted.extend(
                stage.images.iter().map(|(reference, name)| (reference.clone(), name.clone(), stage.stage.span)),
            );
        }
        for (reference, name, span) in wanted {
            let canonical = reference.to_string();
            if self.images.contains_key(&canonical) {
                continue;
            }
            let step = self.trace.start(format!("[internal] load metadata for {canonical}"));
            let local = self.local(&reference);
            if let Some(image) = local.filter(|_| !self.request.pull) {
                (self.world.sleep)(World::duration(3, 0, 1)).await;
                self.images.insert(canonical, image);
                step.done();
                continue;
            }
            let resolve = (self.world.resolve)(reference.clone());
            match resolve.await {
                Ok(published) => {
                    // The image itself comes when its first stage starts.
                    let digest = published.digest();
                    let known = self
                        .world
                        .cache
                        .borrow()
                        .source(&canonical)
                        .filter(|source| source.digest == digest)
                        .map(|source| source.image.clone());
                    if let Some(image) = known {
                        self.images.insert(canonical, self.base(image, Some(digest))?);
                    }
                    step.done();
                }
                Err(why) => {
                    let error = BuildError::Pull { name, reference: canonical, why };
                    let text = error.to_string();
                    step.fail(
                        text.split_once(": failed to")
                            .map_or_else(|| text.clone(), |(_, rest)| format!("failed to{rest}")),
                    );
                    return Err(error.at(span));
                }
            }
        }
        Ok(())
    }

    /// An image of the local store.
    fn local(&self, reference: &Reference) -> Option<BaseImage> {
        let image = {
            let store = self.world.store.borrow();
            store.lookup(reference).and_then(|id| store.image(id)).cloned()?
        };
        self.base(image, None).ok()
    }

    /// An image whose layers are in the store.
    fn base(&self, image: Image, digest: Option<ManifestDigest>) -> Result<BaseImage, BuildError> {
        let chain = image.config().chain_id();
        let held = chain.and_then(|chain| Held::new(&self.world.store, chain)).map(Rc::new);
        let tree = self.world.store.borrow().tree(chain)?;
        Ok(BaseImage { image, digest, held, tree })
    }

    /// The image of a registry as a download would bring it, and how long that would take.
    fn published(&self, published: &Published, span: Span) -> (BaseImage, Duration) {
        let store = self.world.store.borrow();
        let mut chain: Option<ChainId> = None;
        let (mut size, mut missing, mut packed) = (0, 0, 0);
        for layer in &published.layers {
            let next = chain.map_or(ChainId(layer.diff_id.0), |below| below.then(layer.diff_id));
            chain = Some(next);
            size += layer.layer.size_bytes();
            if store.layer(next).is_none() {
                missing += layer.layer.size_bytes();
                packed += layer.blob.size_bytes;
            }
        }
        self.trace.tell(BuildEvent::Base { span, size_bytes: Some(size), download_bytes: packed });
        let tree = match self.purpose {
            Purpose::Check => Tree::empty(),
            _ => Tree::of(published.layers.iter().map(|layer| layer.layer.as_ref())),
        };
        let took = World::duration(5, packed, DOWNLOAD_RATE / 1_000_000)
            + World::duration(0, missing, EXTRACT_RATE / 1_000_000);
        (BaseImage { image: published.image.clone(), digest: Some(published.digest()), held: None, tree }, took)
    }

    async fn load_ignore_file(&self) {
        let step = self.trace.start("[internal] load .dockerignore");
        let size = match &self.request.context.ignore_file {
            Some((name, content)) => transfer_file_size_bytes(name, content, (self.world.now)()),
            None => transfer_size_bytes(&Layer::default(), true),
        };
        let part = step.status("transferring context:", size, 0);
        (self.world.sleep)(World::duration(4, size, 100)).await;
        part.done();
        step.done();
    }

    /// Brings the files that the build asks for, the first time one is needed.
    async fn load_context(&self) {
        let step = self.trace.start("[internal] load build context");
        let sources: Vec<String> = self.context_sources().iter().map(|s| dockerfile::ignore::clean(s)).collect();
        let wanted = |at: &str| {
            sources.iter().any(|source| {
                let source = source.trim_start_matches('/');
                let inside = |dir: &str, path: &str| {
                    path.strip_prefix(dir).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                };
                matches!(source, "" | ".")
                    || has_wildcards(source)
                    || source.contains('$')
                    || inside(source, at)
                    || inside(at, source)
            })
        };
        let (known, new) = {
            let mut cache = self.world.cache.borrow_mut();
            let mut split: [BTreeMap<_, _>; 2] = Default::default();
            for (at, change) in self.request.context.files.entries() {
                if !wanted(&at.to_str_lossy()) {
                    continue;
                }
                let sum = match change {
                    Change::Put(entry) => match &entry.content {
                        Content::File(rope) => cache.learn_file(rope.structural_key()),
                        _ => true,
                    },
                    _ => true,
                };
                let [old, fresh] = &mut split;
                (if sum { old } else { fresh }).insert(at.to_owned(), change.clone());
            }
            let [old, fresh] = split;
            (Layer::new(old), Layer::new(fresh))
        };
        let size = transfer_size_bytes(&known, false) + transfer_size_bytes(&new, true) - 2;
        let part = step.status("transferring context:", size, 0);
        (self.world.sleep)(World::duration(9, size, 200)).await;
        part.done();
        step.done();
    }

    /// The base image of a stage, fetched if it is not here.
    async fn fetch(
        &mut self,
        reference: &Reference,
        name: &str,
        span: Span,
        text: &dyn Fn(&str) -> String,
    ) -> Result<BaseImage, Located> {
        let canonical = reference.to_string();
        if let Some(base) = self.images.get(&canonical).cloned() {
            let size_bytes = Some(self.size_of(&base));
            self.trace.tell(BuildEvent::Base { span, size_bytes, download_bytes: 0 });
            if self.purpose != Purpose::Build {
                return Ok(base);
            }
            let suffix = base.digest.map(|digest| format!("@{digest}")).unwrap_or_default();
            let step = self.trace.start(text(&format!("FROM {canonical}{suffix}")));
            let seen = self.world.cache.borrow_mut().use_base(format!("{canonical}{}", base.image.id()));
            if seen || base.digest.is_some() {
                step.cached()
            } else {
                step.done()
            }
            return Ok(base);
        }
        let pull = |why| BuildError::Pull { name: name.to_owned(), reference: canonical.clone(), why };
        let published = (self.world.resolve)(reference.clone()).await.map_err(|why| pull(why).at(span))?;
        if self.purpose != Purpose::Build {
            let (base, took) = self.published(&published, span);
            if self.purpose == Purpose::Foresee {
                (self.world.sleep)(took).await;
            }
            self.images.insert(canonical, base.clone());
            return Ok(base);
        }
        let digest = published.digest();
        let step = self.trace.start(text(&format!("FROM {canonical}@{digest}")));
        let resolve = step.status(format!("resolve {canonical}@{digest}"), 0, 0);
        (self.world.sleep)(World::duration(5, 0, 1)).await;
        resolve.done();
        let parts = Rc::new(RefCell::new(BTreeMap::<(bool, BlobDigest), super::trace::Part>::new()));
        let step = Rc::new(step);
        let downloaded = Rc::new(Cell::new(0));
        let sink: Rc<dyn Fn(FetchEvent)> = {
            let (parts, step, downloaded) = (Rc::clone(&parts), Rc::clone(&step), Rc::clone(&downloaded));
            Rc::new(move |event| {
                let mut parts = parts.borrow_mut();
                match event {
                    FetchEvent::Download { blob, current, total } => {
                        let part =
                            parts.entry((false, blob)).or_insert_with(|| step.status(blob.to_string(), 0, total));
                        part.at(current, total);
                        if current >= total {
                            downloaded.set(downloaded.get() + total);
                        }
                        if current >= total
                            && let Some(part) = parts.remove(&(false, blob))
                        {
                            part.done();
                        }
                    }
                    FetchEvent::Extract { blob, done: false } => {
                        parts.insert((true, blob), step.status(format!("extracting {blob}"), 0, 0));
                    }
                    FetchEvent::Extract { blob, done: true } => {
                        if let Some(part) = parts.remove(&(true, blob)) {
                            part.done();
                        }
                    }
                }
            })
        };
        let fetched = (self.world.fetch)(reference.clone(), Rc::clone(&sink)).await;
        drop(sink);
        parts.borrow_mut().clear();
        drop(parts);
        let step = Rc::into_inner(step);
        let fetched = match fetched {
            Ok(fetched) => fetched,
            Err(why) => {
                let error = pull(why);
                if let Some(step) = step {
                    step.fail(error.to_string());
                }
                return Err(error.at(span));
            }
        };
        if let Some(step) = step {
            step.done();
        }
        let own = fetched.chain.map(|chain| Held::adopt(&self.world.store, chain));
        let kept = fetched.chain.and_then(|chain| Held::new(&self.world.store, chain));
        let mut cache = self.world.cache.borrow_mut();
        cache.add_source(canonical.clone(), fetched.digest, fetched.image.clone(), kept);
        cache.use_base(format!("{canonical}{}", fetched.image.id()));
        drop(cache);
        let base = self.base(fetched.image, Some(fetched.digest))?;
        drop(own);
        let (size_bytes, download_bytes) = (Some(self.size_of(&base)), downloaded.get());
        self.trace.tell(BuildEvent::Base { span, size_bytes, download_bytes });
        self.images.insert(canonical, base.clone());
        Ok(base)
    }

    fn size_of(&self, base: &BaseImage) -> u64 {
        let store = self.world.store.borrow();
        store.stack(base.held.as_ref().map(|held| held.chain())).iter().map(|layer| layer.size_bytes).sum()
    }

    async fn stage(&mut self, planned: &'a PlannedStage<'a>, sent: &mut bool) -> Result<State, Located> {
        let instructions = &planned.stage.instructions;
        let layers = instructions.iter().filter(|instruction| makes_layer(&instruction.command)).count();
        let is_image = matches!(planned.base, Base::Image(..));
        let mut count =
            Count { label: planned.label.clone(), at: 0, total: layers + usize::from(is_image), onbuild: false };
        let span = planned.stage.span;
        let (mut state, triggers) = match &planned.base {
            Base::Scratch => (self.scratch(), Vec::new()),
            Base::Context(name) => (self.state_of_files(name, span).await?, Vec::new()),
            Base::Stage(index) => {
                let mut state = self.done.get(index).cloned().unwrap_or_else(|| self.scratch());
                let triggers = std::mem::take(&mut state.triggers);
                state.config.on_build.clear();
                state.cmd_set = false;
                (state, triggers)
            }
            Base::Image(reference, name) => {
                let cell = RefCell::new(&mut count);
                let base = self.fetch(reference, name, span, &|text| cell.borrow_mut().name(text)).await?;
                let triggers = base.image.config().config.on_build.clone();
                (self.state_of_image(&base), triggers)
            }
        };
        state.stage.clone_from(&planned.stage.name);
        count.total += triggers.len();
        count.onbuild = true;
        for text in &triggers {
            let trigger = dockerfile::parse_trigger(text, span).map_err(|_| BuildError::OnbuildTrigger.at(span))?;
            self.step(&mut state, &trigger, &mut count, sent).await?;
        }
        count.onbuild = false;
        for instruction in instructions {
            self.step(&mut state, instruction, &mut count, sent).await?;
        }
        Ok(state)
    }

    fn scratch(&self) -> State {
        let env = vec![format!("PATH={DEFAULT_PATH}")];
        State {
            config: ContainerConfig { env: env.clone(), working_dir: "/".to_owned(), ..ContainerConfig::default() },
            author: String::new(),
            history: Vec::new(),
            diff_ids: Vec::new(),
            held: None,
            tree: Tree::empty(),
            key: CacheKey::of("from", None, &[b"scratch"]),
            env,
            args: Vec::new(),
            cmd_set: false,
            missed: None,
            stage: String::new(),
            unknown: false,
            triggers: Vec::new(),
        }
    }

    /// A stage from the files of a named context.
    async fn state_of_files(&mut self, name: &str, span: Span) -> Result<State, Located> {
        let mut state = self.scratch();
        let tree = self.named_tree(name).await;
        let found = Found { path: "".into(), name: "".into(), node: Arc::clone(tree.root()), pivot: 0 };
        let key = CacheKey::of("context", None, &[files::sums(&[found], &Matcher::default()).total.as_bytes()]);
        let inputs = Inputs { code: format!("FROM {name}"), ..Inputs::default() };
        let files = self.named_files(name);
        let making = Making { key, inputs, name: format!("[context {name}]"), span, started: (self.world.now)() };
        self.commit(&mut state, Layer::clone(&files), making).map_err(|error| error.at(span))?;
        state.note(format!("FROM {name}"), Some((self.world.now)()));
        Ok(state)
    }

    fn named_files(&self, name: &str) -> Arc<Layer> {
        match self.request.contexts.get(name) {
            Some(NamedContext::Files(files)) => Arc::clone(files),
            _ => Arc::default(),
        }
    }

    /// The files of a named context, sent when they are first asked for.
    async fn named_tree(&mut self, name: &str) -> Tree {
        let files = self.named_files(name);
        if self.purpose == Purpose::Build && self.sent.insert(name.to_owned()) {
            let step = self.trace.start(format!("[context {name}] load from client"));
            let size = transfer_size_bytes(&files, true);
            let part = step.status(format!("transferring {name}:"), size, 0);
            (self.world.sleep)(World::duration(9, size, 200)).await;
            part.done();
            step.done();
        }
        Tree::of([files.as_ref()])
    }

    fn state_of_image(&self, base: &BaseImage) -> State {
        let image = base.image.config();
        let mut config = image.config.clone();
        config.on_build.clear();
        if config.env("PATH").is_none() {
            config.set_env("PATH", DEFAULT_PATH);
        }
        let chain = image.chain_id().map(|chain| chain.to_string()).unwrap_or_default();
        State {
            env: config.env.clone(),
            config,
            author: image.author.clone(),
            history: image.history.clone(),
            diff_ids: image.diff_ids.clone(),
            held: base.held.clone(),
            tree: base.tree.clone(),
            key: CacheKey::of("from", None, &[chain.as_bytes()]),
            args: Vec::new(),
            cmd_set: false,
            missed: None,
            stage: String::new(),
            unknown: false,
            triggers: Vec::new(),
        }
    }

    async fn step(
        &mut self,
        state: &mut State,
        instruction: &Instruction,
        count: &mut Count,
        sent: &mut bool,
    ) -> Result<(), Located> {
        let span = instruction.span;
        let escape = self.file.directives.escape;
        let (command, unmatched) = change::expand(&instruction.command, escape, &state.env)
            .map_err(|error| BuildError::from(error).at(span))?;
        self.undefined(&unmatched, state, span);
        match &command {
            Command::Arg(args) => {
                let mut words = Vec::new();
                for arg in args {
                    let given = self.request.build_args.get(&arg.key);
                    let global = Variables::get(self.plan.globals.as_slice(), &arg.key).map(ToOwned::to_owned);
                    let value = change::arg_value(arg, escape, &state.env, given, global.as_ref())
                        .map_err(|error| BuildError::from(error).at(span))?;
                    if let Some(value) = &value {
                        state.set_env(&arg.key, value);
                    }
                    words.push(value.as_ref().map_or_else(|| arg.key.clone(), |value| format!("{}={value}", arg.key)));
                    state.args.push(Arg { key: arg.key.clone(), default: value });
                }
                state.note(format!("ARG {}", words.join(" ")), None);
                Ok(())
            }
            Command::Onbuild(text) => {
                state.triggers.push(text.clone());
                state.config.on_build.push(text.clone());
                Ok(())
            }
            Command::Run(run) if self.purpose == Purpose::Check => run
                .mounts
                .iter()
                .try_for_each(|text| Mount::parse(text).map(drop))
                .map_err(BuildError::from)
                .map_err(|error| error.at(span)),
            Command::Copy(copy) | Command::Add(copy) if self.purpose == Purpose::Check => {
                self.ignored_sources(copy, instruction);
                Ok(())
            }
            Command::Run(run) => self.run(state, instruction, run, count, sent).await,
            Command::Copy(copy) => self.copy(state, instruction, copy, false, count, sent).await,
            Command::Add(copy) => self.copy(state, instruction, copy, true, count, sent).await,
            Command::Workdir(_) => self.workdir(state, instruction, &command, count).await,
            _ => {
                let line =
                    change::apply(&mut state.config, &command, &mut state.cmd_set).map_err(|error| error.at(span))?;
                match &command {
                    Command::Env(pairs) => pairs.iter().for_each(|pair| state.set_env(&pair.key, &pair.value)),
                    Command::Maintainer(name) => state.author.clone_from(name),
                    Command::Cmd(_) => state.config.args_escaped = true,
                    _ => {}
                }
                state.note(line.unwrap_or_default(), None);
                Ok(())
            }
        }
    }

    /// Reports variables that are used and not set.
    fn undefined(&self, unmatched: &BTreeSet<String>, state: &State, span: Span) {
        for name in unmatched.iter().filter(|name| !state.args.iter().any(|arg| arg.key == **name)) {
            let options: Vec<&str> = state.env.iter().filter_map(|word| word.split('=').next()).collect();
            let hint =
                suggest(name, &options, true).map(|other| format!(" (did you mean ${other}?)")).unwrap_or_default();
            let message = format!("Usage of undefined variable '${name}'{hint}");
            self.warn(&Warning { rule: &lint::UNDEFINED_VAR, message, span });
        }
    }

    /// Reports sources of the context that the ignore file leaves out (BuildKit `lint.go` `validateCopySourcePath`).
    fn ignored_sources(&self, copy: &Copy, instruction: &Instruction) {
        let Ok(matcher) = Matcher::new(&self.request.context.ignore_patterns) else { return };
        if copy.from.is_some() || matcher.has_exclusions() {
            return;
        }
        let cmd = if matches!(instruction.command, Command::Add(_)) { "Add" } else { "Copy" };
        for source in copy.sources.iter().filter(|source| !source.contains("://")) {
            let source = dockerfile::ignore::clean(source);
            if matcher.matches_or_parent_matches(source.trim_start_matches('/')) {
                let file = dockerfile::quote::go_quote(&source);
                let message = format!("Attempting to {cmd} file {file} that is excluded by .dockerignore");
                self.warn(&Warning { rule: &lint::COPY_IGNORED_FILE, message, span: instruction.span });
            }
        }
    }

    /// An instruction as its progress line shows it: variables expanded, the keyword in capitals.
    fn shown(&self, instruction: &Instruction, state: &State, raw: bool) -> String {
        let lex = Lex { raw_quotes: raw, keep_unset: raw, ..Lex::new(self.file.directives.escape) };
        let code = &instruction.code;
        let text = lex.expand(code, state.env.as_slice()).map_or_else(|_| code.clone(), |expanded| expanded.text);
        match text.split_once(' ') {
            Some((keyword, rest)) => format!("{} {rest}", keyword.to_uppercase()),
            None => text.to_uppercase(),
        }
    }

    /// Takes a step from the cache, if it is there; tells either way.
    fn probe(
        &self,
        state: &mut State,
        step: Step,
        key: CacheKey,
        inputs: &Inputs,
        span: Span,
    ) -> Result<(Option<Timestamp>, Option<Step>), BuildError> {
        let filter = &self.request.no_cache_filter;
        let refused = self.request.no_cache || filter.iter().any(|name| name.eq_ignore_ascii_case(&state.stage));
        let hit = match self.purpose {
            _ if refused || (state.unknown && !inputs.linked) => None,
            Purpose::Build => self.world.cache.borrow_mut().lookup(key, (self.world.now)()),
            _ => self.world.cache.borrow().peek(key),
        };
        let Some(hit) = hit else {
            let miss = match &state.missed {
                _ if refused => MissReason::Refused,
                Some((instruction, span)) if !inputs.linked => {
                    MissReason::Parent { instruction: instruction.clone(), span: *span }
                }
                _ => self.world.cache.borrow().explain((!inputs.linked).then_some(state.key), inputs),
            };
            state.missed.get_or_insert_with(|| (inputs.code.clone(), span));
            self.trace.cache(&inputs.code, span, Some(miss));
            return Ok((None, Some(step)));
        };
        self.trace.cache(&inputs.code, span, None);
        step.cached();
        let size = LayerSize::Exact(hit.size_bytes);
        self.trace.tell(BuildEvent::Layer { span, size, took: Some(Duration::ZERO) });
        let held = if inputs.linked { self.relink(state, hit.chain)? } else { Held::new(&self.world.store, hit.chain) };
        // In foresight the stage's own layers may be in no store.
        let layer = self.world.store.borrow().layer(hit.chain).map(|stored| Arc::clone(&stored.layer));
        if let (Purpose::Foresee, true, Some(layer)) = (self.purpose, inputs.linked, layer) {
            state.tree = state.tree.with(&layer);
            state.key = CacheKey::of("linked", Some(state.key), &[key.as_bytes()]);
            return Ok((Some(hit.created), None));
        }
        let key = if inputs.linked { CacheKey::of("linked", Some(state.key), &[key.as_bytes()]) } else { key };
        self.enter(state, held, key)?;
        Ok((Some(hit.created), None))
    }

    /// Puts the layer on top of a stack onto the stage's own layers: what `COPY --link` made fits anywhere.
    fn relink(&self, state: &State, chain: ChainId) -> Result<Option<Held>, BuildError> {
        if self.purpose != Purpose::Build {
            return Ok(None);
        }
        let layer = self.world.store.borrow().layer(chain).map(|stored| Arc::clone(&stored.layer));
        let Some(layer) = layer else { return Ok(None) };
        let chain = self.world.store.borrow_mut().register(state.chain(), layer)?;
        Ok(Some(Held::adopt(&self.world.store, chain)))
    }

    /// Makes a stack the stage's own.
    fn enter(&self, state: &mut State, held: Option<Held>, key: CacheKey) -> Result<(), BuildError> {
        state.held = held.map(Rc::new);
        state.key = key;
        let store = self.world.store.borrow();
        state.tree = store.tree(state.chain())?;
        state.diff_ids = store.stack(state.chain()).iter().map(|layer| layer.diff_id).collect();
        Ok(())
    }

    /// Puts a new layer on the stage and into the cache.
    fn commit(&self, state: &mut State, layer: Layer, making: Making) -> Result<Timestamp, BuildError> {
        let now = (self.world.now)();
        let Making { key, inputs, name, span, started } = making;
        let (size_bytes, took) = (layer.size_bytes(), now.since(started));
        self.trace.tell(BuildEvent::Layer { span, size: LayerSize::Exact(size_bytes), took: Some(took) });
        if self.purpose == Purpose::Foresee {
            state.tree = state.tree.with(&layer);
            state.key = key;
            return Ok(now);
        }
        let chain = self.world.store.borrow_mut().register(state.chain(), Arc::new(layer))?;
        let held = Held::adopt(&self.world.store, chain);
        let kept = Held::new(&self.world.store, chain);
        let parent = (!inputs.linked).then_some(state.key);
        let above = if inputs.linked { CacheKey::of("linked", Some(state.key), &[key.as_bytes()]) } else { key };
        let id = self.world.identity();
        let done = Done { id, parent, inputs, description: name, held: kept, size_bytes, took, created: now };
        self.world.cache.borrow_mut().insert(key, done);
        self.enter(state, Some(held), above)?;
        Ok(now)
    }

    /// In foresight: a step that only doing it would tell of leaves what it left the last time, or nobody knows what.
    async fn assume(&self, state: &mut State, making: Making) -> Timestamp {
        let last = self.world.cache.borrow().last_time(&making.inputs.code);
        state.key = making.key;
        let (size, took) = match last {
            Some(hit) if !state.unknown => {
                (self.world.sleep)(hit.took).await;
                if let Some(stored) = self.world.store.borrow().layer(hit.chain) {
                    state.tree = state.tree.with(&stored.layer);
                }
                (LayerSize::LastTime(hit.size_bytes), Some(hit.took))
            }
            last => {
                state.unknown = true;
                let size = last.map_or(LayerSize::Unknown, |hit| LayerSize::LastTime(hit.size_bytes));
                (size, last.map(|hit| hit.took))
            }
        };
        self.trace.tell(BuildEvent::Layer { span: making.span, size, took });
        (self.world.now)()
    }

    async fn workdir(
        &self,
        state: &mut State,
        instruction: &Instruction,
        command: &Command,
        count: &mut Count,
    ) -> Result<(), Located> {
        let span = instruction.span;
        let shown = self.shown(instruction, state, false);
        let line = change::apply(&mut state.config, command, &mut state.cmd_set).map_err(|error| error.at(span))?;
        let line = line.unwrap_or_default();
        let dir = state.config.working_dir.clone();
        if dir == "/" {
            state.note(line, None);
            return Ok(());
        }
        if self.purpose == Purpose::Check {
            return Ok(());
        }
        let name = count.name(&shown);
        let step = self.trace.start(name.clone());
        let key = CacheKey::of("mkdir", Some(state.key), &[dir.as_bytes(), state.config.user.as_bytes()]);
        let around = [("USER", &state.config.user), ("WORKDIR", &dir)];
        let around = around.map(|(name, value)| (name.to_owned(), value.clone())).into();
        let inputs = Inputs { code: instruction.code.clone(), around, ..Inputs::default() };
        let making = Making { key, inputs: inputs.clone(), name, span, started: step.started() };
        let created = match self.probe(state, step, key, &inputs, span).map_err(|error| error.at(span))? {
            (Some(created), _) => created,
            (None, step) => {
                (self.world.sleep)(World::duration(14, 0, 1)).await;
                let made = (|| {
                    let owner = match state.config.user.as_str() {
                        "" => None,
                        _ if state.unknown => None,
                        user => Some(files::owner(&state.tree, user)?),
                    };
                    let destination = Destination::new(state.tree.clone(), (self.world.now)());
                    destination.make_dirs(dir.as_bytes(), owner)?;
                    self.commit(state, destination.layer(), making)
                })();
                finish(step, made, span)?
            }
        };
        state.note(line, Some(created));
        Ok(())
    }

    /// What `--from` means; names are those of the stages that the plan knows.
    fn origin(&self, name: &str, instruction: &Instruction) -> Result<Origin, Located> {
        plan::origin(name, instruction, &self.file.stages, &self.request.contexts)
    }

    /// The tree of a source, and whether it is the context.
    async fn origin_tree(&mut self, origin: &Origin, span: Span, sent: &mut bool) -> Result<Tree, Located> {
        match origin {
            Origin::Context => {
                if self.purpose == Purpose::Build && !std::mem::replace(sent, true) {
                    self.load_context().await;
                }
                Ok(self.context.clone())
            }
            Origin::Named(name) => Ok(self.named_tree(name).await),
            Origin::Stage(index) => Ok(self.done.get(index).map(|state| state.tree.clone()).unwrap_or_default()),
            Origin::Image(reference, name) => {
                let base = match self.images.get(&reference.to_string()) {
                    Some(base) if base.held.is_some() => base.clone(),
                    _ => self.fetch(reference, name, span, &|text: &str| text.to_owned()).await?,
                };
                Ok(base.tree)
            }
        }
    }

    /// In foresight: whether nobody knows what files there are.
    fn is_unknown(&self, origin: &Origin) -> bool {
        matches!(origin, Origin::Stage(index) if self.done.get(index).is_some_and(|state| state.unknown))
    }

    async fn copy(
        &mut self,
        state: &mut State,
        instruction: &Instruction,
        copy: &Copy,
        is_add: bool,
        count: &mut Count,
        sent: &mut bool,
    ) -> Result<(), Located> {
        let span = instruction.span;
        let keyword = if is_add { "ADD" } else { "COPY" };
        let origin = self.origin(copy.from.as_deref().unwrap_or_default(), instruction)?;
        let source =
            if copy.sources.is_empty() { Tree::empty() } else { self.origin_tree(&origin, span, sent).await? };
        self.ignored_sources(copy, instruction);
        let name = count.name(&self.shown(instruction, state, false));
        let step = self.trace.start(name.clone());
        let started = step.started();
        let prepared = self.prepare_copy(state, copy, is_add, &origin, &source);
        let (found, options, to, key, mut inputs) = match prepared {
            Ok(prepared) => prepared,
            Err(_) if state.unknown || self.is_unknown(&origin) => {
                let inputs = Inputs { code: instruction.code.clone(), ..Inputs::default() };
                let key = CacheKey::of("unknown", Some(state.key), &[inputs.code.as_bytes()]);
                self.probe(state, step, key, &inputs, span).map_err(|error| error.at(span))?;
                self.assume(state, Making { key, inputs, name, span, started }).await;
                return Ok(());
            }
            Err(error) => {
                let text = error.to_string();
                step.fail(text.strip_prefix("failed to compute cache key: ").unwrap_or(&text).to_owned());
                return Err(error.at(span));
            }
        };
        inputs.code.clone_from(&instruction.code);
        let making = Making { key, inputs: inputs.clone(), name, span, started };
        let created = match self.probe(state, step, key, &inputs, span).map_err(|error| error.at(span))? {
            (Some(created), _) => created,
            (None, step) => {
                let bytes: u64 = found.iter().map(size_of).sum();
                (self.world.sleep)(World::duration(18, bytes, 350)).await;
                // A linked copy does not look at what is below, so that links there lead nowhere.
                let below = if copy.link { Tree::empty() } else { state.tree.clone() };
                let destination = Destination::new(below, (self.world.now)());
                let many = found.len() + copy.documents.len() > 1;
                let made = write_copy(&destination, &found, &to, &options, copy, many)
                    .and_then(|()| self.commit(state, destination.layer(), making));
                finish(step, made, span)?
            }
        };
        state.note(copy_line(keyword, copy), Some(created));
        Ok(())
    }

    fn prepare_copy(
        &self,
        state: &State,
        copy: &Copy,
        is_add: bool,
        origin: &Origin,
        source: &Tree,
    ) -> Result<(Vec<Found>, CopyOptions, String, CacheKey, Inputs), BuildError> {
        let keyword = if is_add { "ADD" } else { "COPY" };
        let mut found = Vec::new();
        for wanted in &copy.sources {
            if let Some(host) = host_of(wanted).filter(|_| is_add) {
                return Err(BuildError::NoHost { url: wanted.clone(), host });
            }
            let here = files::select(source, wanted)?.ok_or_else(|| BuildError::SourceNotFound {
                snapshot: self.world.snapshot(),
                path: path::normalize(wanted.as_bytes()).to_string(),
                written: wanted.clone(),
                keyword,
                in_context: *origin == Origin::Context,
            })?;
            found.extend(here);
        }
        let options = copy_options(copy, is_add, &state.tree)?;
        let to = destination(&state.config.working_dir, &copy.destination);
        let mut words: Vec<Vec<u8>> = vec![
            to.as_bytes().to_vec(),
            format!("{:?} {:?} {} {} {:?}", options.owner, options.mode, options.unpack, options.parents, copy.exclude)
                .into_bytes(),
        ];
        let sums = files::sums(&found, &options.exclude);
        words.push(sums.total.as_bytes().to_vec());
        for file in &found {
            words.push(if options.parents {
                file.path.get(file.pivot..).unwrap_or_default().to_vec()
            } else {
                Vec::new()
            });
        }
        for document in &copy.documents {
            words.push(document.name.clone().into_bytes());
            words.push(document.content.clone().into_bytes());
        }
        let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        let key = CacheKey::of("copy", (!copy.link).then_some(state.key), &words);
        let files = sums.files;
        let around =
            [("WORKDIR".to_owned(), to.clone()), ("--chown".to_owned(), format!("{:?}", options.owner))].into();
        let inputs = Inputs { code: String::new(), files, around, linked: copy.link };
        Ok((found, options, to, key, inputs))
    }

    async fn run(
        &mut self,
        state: &mut State,
        instruction: &Instruction,
        run: &Run,
        count: &mut Count,
        sent: &mut bool,
    ) -> Result<(), Located> {
        let span = instruction.span;
        let mut shown = self.shown(instruction, state, true);
        let (args, script) = run_words(run, state);
        if let Some(first) = run.line.heredocs.first().filter(|_| is_single_heredoc(run)) {
            let text = first.content.trim();
            let line = text.lines().next().unwrap_or_default();
            shown.push_str(&format!(" ({line}{})", if text.lines().count() > 1 { "..." } else { "" }));
        }
        let (mut mounts, mut words, mut files) = (Vec::new(), Vec::new(), BTreeMap::new());
        // Neither proxies nor secrets go into the key.
        let mut hidden_env = self.proxies(state);
        for text in &run.mounts {
            let (mount, sum) = self.mount(state, instruction, text, &mut files, sent).await?;
            mounts.extend(mount);
            words.push(sum);
            hidden_env.extend(self.secret_variable(text));
        }
        if let Some((name, content)) = script {
            mounts.push(script_mount(&name, &content, (self.world.now)()));
        }
        let name = count.name(&shown);
        let step = self.trace.start(name.clone());
        let network =
            run.network.clone().or_else(|| self.request.network.clone()).unwrap_or_else(|| "default".to_owned());
        words.extend(args.iter().map(|word| word.clone().into_bytes()));
        let mut around: BTreeMap<String, String> = BTreeMap::new();
        for word in &state.env {
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            around.insert(name.to_owned(), value.to_owned());
        }
        words.push(format!("{around:?}").into_bytes());
        let place = [("WORKDIR", &state.config.working_dir), ("USER", &state.config.user), ("--network", &network)];
        for (name, word) in place {
            words.push(word.clone().into_bytes());
            around.insert(name.to_owned(), word.clone());
        }
        around.insert("SHELL".to_owned(), change::shell(&state.config).join(" "));
        let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        let key = CacheKey::of("run", Some(state.key), &words);
        let inputs = Inputs { code: instruction.code.clone(), files, around, linked: false };
        let making = Making { key, inputs: inputs.clone(), name, span, started: step.started() };
        let created = match self.probe(state, step, key, &inputs, span).map_err(|error| error.at(span))? {
            (Some(created), _) => created,
            (None, _) if self.purpose == Purpose::Foresee => self.assume(state, making).await,
            (None, step) => {
                let output =
                    step.as_ref().map_or_else(|| Rc::new(|_: bool, _: &[u8]| {}) as Rc<dyn Fn(bool, &[u8])>, Step::log);
                let command = args.join(" ");
                let ended = (self.world.run)(RunStep {
                    lower: state.tree.clone(),
                    args: args.clone(),
                    env: [state.env.clone(), hidden_env].concat(),
                    cwd: state.config.working_dir.clone(),
                    user: state.config.user.clone(),
                    hostname: "buildkitsandbox".to_owned(),
                    network,
                    mounts,
                    output: Rc::clone(&output),
                })
                .await;
                let ended = match ended {
                    Ok(end) if end.code == 0 => Ok(end.layer),
                    Ok(end) => Err(BuildError::Exit { command, code: end.code }),
                    Err(why) => {
                        let text = format!(
                            "runc run failed: unable to start container process: error during container init: {}\n",
                            why.0
                        );
                        output(true, text.as_bytes());
                        Err(BuildError::Start { command, why: why.0 })
                    }
                };
                drop(output);
                let made = ended.and_then(|layer| self.commit(state, layer, making));
                finish(step, made, span)?
            }
        };
        state.note(run_line(&args, state), Some(created));
        Ok(())
    }

    /// Proxies that were given and that no ARG declares (BuildKit `convert.go` `proxyEnvFromBuildArgs`).
    fn proxies(&self, state: &State) -> Vec<String> {
        let given =
            self.request.build_args.iter().filter(|(key, _)| PROXIES.iter().any(|name| key.eq_ignore_ascii_case(name)));
        let own = given.filter(|(key, _)| !state.args.iter().any(|arg| arg.key == **key));
        own.map(|(key, value)| format!("{key}={value}")).collect()
    }

    /// The variable that a secret's mount sets.
    fn secret_variable(&self, text: &str) -> Option<String> {
        let mount = Mount::parse(text).ok().filter(|mount| mount.kind == MountType::Secret)?;
        let content = self.request.secrets.get(&secret_id(&mount))?;
        Some(format!("{}={}", mount.env?, String::from_utf8_lossy(&content.to_vec())))
    }

    /// A mount of a RUN, and what of it goes into the cache key.
    async fn mount(
        &mut self,
        state: &State,
        instruction: &Instruction,
        text: &str,
        files: &mut BTreeMap<String, Digest>,
        sent: &mut bool,
    ) -> Result<(Option<RunMount>, Vec<u8>), Located> {
        let span = instruction.span;
        let mount = Mount::parse(text).map_err(|error| BuildError::from(error).at(span))?;
        let target = path::join(
            if state.config.working_dir.is_empty() { b"/" } else { state.config.working_dir.as_bytes() },
            mount.target.as_bytes(),
        );
        let wrap = |overlay: Rc<RefCell<Overlay>>, path: &str, kind| RunMount {
            at: target.clone(),
            overlay,
            path: path.into(),
            read_only: mount.read_only,
            kind,
        };
        let fresh = |tree: Tree| Rc::new(RefCell::new(Overlay::new(2, tree, MAX_RESIDENT_BYTES)));
        let key = text.as_bytes().to_vec();
        match mount.kind {
            MountType::Tmpfs => Ok((Some(wrap(fresh(Tree::empty()), "/", "tmpfs")), key)),
            MountType::Cache => {
                let id = if mount.id.is_empty() { target.to_string() } else { mount.id.clone() };
                let mut root = Meta::root(mount.mode.unwrap_or(0o755), (self.world.now)());
                (root.uid, root.gid) = (mount.uid.unwrap_or(0), mount.gid.unwrap_or(0));
                let base: Layer = [("".into(), Change::Put(Arc::new(Entry::dir(root))))].into_iter().collect();
                if self.purpose == Purpose::Foresee {
                    return Ok((None, key));
                }
                let make = || Overlay::new(3, Tree::of([&base]), MAX_RESIDENT_BYTES);
                let (name, now) = (self.world.identity(), (self.world.now)());
                let overlay = self.world.cache.borrow_mut().mount(&id, name, now, make);
                Ok((Some(wrap(overlay, "/", "cache")), key))
            }
            MountType::Secret => {
                let id = secret_id(&mount);
                if self.purpose == Purpose::Foresee {
                    return Ok((None, key));
                }
                let Some(content) = self.request.secrets.get(&id) else {
                    return if mount.required { Err(BuildError::Secret(id).at(span)) } else { Ok((None, key)) };
                };
                if mount.env.is_some() && mount.target.is_empty() {
                    return Ok((None, key));
                }
                let mut meta = Meta::root(mount.mode.unwrap_or(0o400), (self.world.now)());
                (meta.uid, meta.gid) = (mount.uid.unwrap_or(0), mount.gid.unwrap_or(0));
                let file: Layer = [("secret".into(), Change::Put(Arc::new(Entry::file(meta, content.clone()))))]
                    .into_iter()
                    .collect();
                let mut run_mount = wrap(fresh(Tree::of([&file])), "/secret", "secret");
                if mount.target.is_empty() {
                    run_mount.at = format!("/run/secrets/{id}").into();
                }
                // A secret leaves no trace, not even in the cache key.
                Ok((Some(run_mount), key))
            }
            // No agent is ever forwarded; a mount that may be missing is.
            MountType::Ssh if !mount.required => Ok((None, key)),
            MountType::Ssh => {
                let id = if mount.id.is_empty() { "default".to_owned() } else { mount.id.clone() };
                Err(BuildError::SshKey(id).at(span))
            }
            MountType::Bind => {
                let origin = self.origin(&mount.from, instruction)?;
                let tree = self.origin_tree(&origin, span, sent).await?;
                let source = path::normalize(mount.source.as_bytes()).to_string();
                let found = files::find(&tree, source.as_bytes());
                if found.is_none() && self.is_unknown(&origin) {
                    return Ok((None, key));
                }
                let found = found.ok_or_else(|| {
                    let missing = BuildError::SourceNotFound {
                        snapshot: self.world.snapshot(),
                        path: source.clone(),
                        written: mount.source.clone(),
                        keyword: "RUN",
                        in_context: origin == Origin::Context,
                    };
                    missing.at(span)
                })?;
                let mut key = key;
                let sums = files::sums(&[found], &Matcher::default());
                key.extend_from_slice(sums.total.as_bytes());
                files.extend(sums.files);
                Ok((Some(wrap(fresh(tree), &source, "bind")), key))
            }
        }
    }

    /// The result's files as a tar (BuildKit `exporter/local`, `exporter/tar`).
    async fn export_files(&mut self, export: Export) -> Result<Rope, Located> {
        let Some(state) = self.done.remove(&self.plan.target) else {
            return Err(BuildError::Target(String::new()).into());
        };
        let (name, what) = match export {
            Export::Tar => ("exporting to client tarball", "sending tarball"),
            _ => ("exporting to client directory", "copying files"),
        };
        let step = self.trace.start(name);
        let root = Rc::new(RefCell::new(Overlay::new(2, state.tree, MAX_RESIDENT_BYTES)));
        let mounts = Mounts::new(MountPoint::overlay("/", "overlay", "overlay", &root));
        let packed = archive::pack(&mounts, &Caller::root(), b"/", b"", true);
        let tar = packed.map_err(|errno| BuildError::File { path: "/".to_owned(), errno })?;
        let part = step.status(what, tar.len(), 0);
        (self.world.sleep)(World::duration(12, tar.len(), 400)).await;
        part.done();
        step.done();
        Ok(tar)
    }

    /// The image of a stage.
    fn image(&self, mut state: State) -> Image {
        for (key, value) in &self.request.labels {
            state.config.labels.insert(key.clone(), value.clone());
        }
        let history = with_times(state.history);
        Image::new(
            ImageConfig {
                architecture: self.world.architecture.to_owned(),
                os: "linux".to_owned(),
                author: state.author,
                config: state.config,
                created: history.iter().rev().find_map(|line| line.created),
                history,
                diff_ids: state.diff_ids,
                ..ImageConfig::default()
            },
            Form::BuildKit,
        )
    }

    async fn export(&mut self) -> Result<ImageId, Located> {
        let Some(state) = self.done.remove(&self.plan.target) else {
            return Err(BuildError::Target(String::new()).into());
        };
        let step = self.trace.start("exporting to image");
        let layers = step.status("exporting layers", 0, 0);
        let bytes: u64 = self.world.store.borrow().stack(state.chain()).last().map_or(0, |layer| layer.size_bytes);
        (self.world.sleep)(if state.missed.is_some() {
            World::duration(24, bytes, 250)
        } else {
            World::duration(0, 0, 1)
        })
        .await;
        layers.done();
        let image = self.image(state);
        let id = image.id();
        let writing = step.status(format!("writing image {id}"), 0, 0);
        self.world.store.borrow_mut().add_image(image)?;
        (self.world.sleep)(World::duration(2, 0, 1)).await;
        writing.done();
        for tag in &self.request.tags {
            let naming = step.status(format!("naming to {tag}"), 0, 0);
            self.world.store.borrow_mut().tag(tag.clone(), id, (self.world.now)());
            naming.done();
        }
        step.done();
        Ok(id)
    }
}

fn finish(step: Option<Step>, made: Result<Timestamp, BuildError>, span: Span) -> Result<Timestamp, Located> {
    match (made, step) {
        (Ok(created), Some(step)) => {
            step.done();
            Ok(created)
        }
        (Ok(created), None) => Ok(created),
        (Err(error), step) => {
            if let Some(step) = step {
                step.fail(error.to_string());
            }
            Err(error.at(span))
        }
    }
}

/// The name of a secret: its id, or the last part of its source or target.
fn secret_id(mount: &Mount) -> String {
    let id = [&mount.id, &mount.source, &mount.target].into_iter().find(|id| !id.is_empty());
    path::file_name(id.map_or(b"", |id| id.as_bytes())).to_string()
}

/// The host of an address that ADD would download from.
fn host_of(source: &str) -> Option<String> {
    let rest = ["http://", "https://", "git://", "ssh://"].iter().find_map(|start| source.strip_prefix(start));
    let rest = rest.or_else(|| source.strip_prefix("git@"))?;
    let end = rest.find(['/', ':', '?', '#']).unwrap_or(rest.len());
    rest.get(..end).map(|host| host.rsplit('@').next().unwrap_or(host).to_owned())
}

fn makes_layer(command: &Command) -> bool {
    matches!(command, Command::Add(_) | Command::Copy(_) | Command::Run(_) | Command::Workdir(_))
}

fn size_of(file: &Found) -> u64 {
    let own = file.node.entry.content.size_bytes();
    own + files::walk(&file.node).iter().map(|(_, node)| node.entry.content.size_bytes()).sum::<u64>()
}

/// Where COPY puts things: absolute, a trailing slash kept.
pub(super) fn destination(working_dir: &str, written: &str) -> String {
    let joined = path::join(if working_dir.is_empty() { b"/" } else { working_dir.as_bytes() }, written.as_bytes());
    let mut to = path::normalize(&joined).to_string();
    if (written.is_empty() || written.ends_with('/') || written.ends_with("/.") || written == ".") && !to.ends_with('/')
    {
        to.push('/');
    }
    to
}

/// The options of a COPY or ADD in an image.
pub(super) fn copy_options(copy: &Copy, is_add: bool, tree: &Tree) -> Result<CopyOptions, BuildError> {
    let mode = match &copy.chmod {
        None => None,
        Some(text) => {
            let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777);
            Some(mode.ok_or_else(|| BuildError::Chmod(text.clone()))?)
        }
    };
    Ok(CopyOptions {
        owner: copy.chown.as_ref().map(|text| files::owner(tree, text)).transpose()?,
        mode,
        exclude: Matcher::new(&copy.exclude)?,
        unpack: copy.unpack.unwrap_or(is_add),
        parents: copy.parents,
    })
}

/// Copies files and here-documents; several things go into a folder.
pub(super) fn write_copy(
    destination: &Destination,
    found: &[Found],
    to: &str,
    options: &CopyOptions,
    copy: &Copy,
    many: bool,
) -> Result<(), BuildError> {
    let into_dir = to.ends_with('/') || many || destination.is_dir(to.as_bytes());
    let folder = if into_dir && !to.ends_with('/') { format!("{to}/") } else { to.to_owned() };
    if !found.is_empty() {
        destination.copy(found, folder.as_bytes(), options)?;
    }
    for document in &copy.documents {
        let at = if into_dir { path::join(folder.as_bytes(), document.name.as_bytes()) } else { to.into() };
        destination.write(&at, Rope::from(document.content.as_str()), options)?;
    }
    Ok(())
}

/// The history line of a COPY or ADD.
fn copy_line(keyword: &str, copy: &Copy) -> String {
    let mut out = keyword.to_owned();
    let mut add = |text: String| {
        out.push(' ');
        out.push_str(&text);
    };
    if copy.parents {
        add("--parents".to_owned());
    }
    copy.chown.iter().for_each(|owner| add(format!("--chown={owner}")));
    copy.chmod.iter().for_each(|mode| add(format!("--chmod={mode}")));
    copy.sources.iter().for_each(|source| add(source.clone()));
    copy.documents.iter().for_each(|document| add(format!("<<{}", document.name)));
    add(copy.destination.clone());
    out.push_str(" # buildkit");
    out
}

/// The history line of a RUN, build arguments in front.
fn run_line(args: &[String], state: &State) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut seen = BTreeSet::new();
    for arg in &state.args {
        if seen.insert(&arg.key) {
            let value =
                Variables::get(state.env.as_slice(), &arg.key).map(ToOwned::to_owned).or_else(|| arg.default.clone());
            words.push(format!("{}={}", arg.key, value.unwrap_or_default()));
        }
    }
    if !words.is_empty() {
        words.insert(0, format!("|{}", words.len()));
    }
    words.extend(args.iter().cloned());
    format!("RUN {} # buildkit", words.join(" "))
}

fn is_single_heredoc(run: &Run) -> bool {
    matches!(run.line.words.as_slice(), [word] if Heredoc::parse(word).is_some()) && run.line.heredocs.len() == 1
}

/// The words of a RUN, and a script that a here-document with a `#!` line makes.
fn run_words(run: &Run, state: &State) -> (Vec<String>, Option<(String, String)>) {
    let mut line = run.line.clone();
    if let Some(document) = run.line.heredocs.first().filter(|_| is_single_heredoc(run)) {
        let text = document.text();
        if text.starts_with("#!") {
            return (vec![format!("/dev/pipes/{}", document.name)], Some((document.name.clone(), text)));
        }
        line.words = vec![text];
    } else if !run.line.heredocs.is_empty() {
        // Several, or one inside a longer command: the shell reads them itself.
        let mut text = run.line.words.join(" ");
        for document in &run.line.heredocs {
            text.push('\n');
            text.push_str(&document.content);
            text.push_str(&document.name);
        }
        line.words = vec![text];
    }
    (change::resolve(&line, &state.config), None)
}

fn script_mount(name: &str, content: &str, now: Timestamp) -> RunMount {
    let file = Entry::file(Meta::root(0o755, now), content);
    let layer: Layer = [(name.into(), Change::Put(Arc::new(file)))].into_iter().collect();
    let overlay = Rc::new(RefCell::new(Overlay::new(2, Tree::of([&layer]), MAX_RESIDENT_BYTES)));
    RunMount { at: "/dev/pipes".into(), overlay, path: "/".into(), read_only: true, kind: "bind" }
}

/// Gives lines without a layer a time: that of the first layer after them, or of the last before (moby
/// `mobyexporter/writer.go` `normalizeLayersAndHistory`).
fn with_times(mut history: Vec<History>) -> Vec<History> {
    let mut created = None;
    let mut missing = false;
    for line in &history {
        if line.created.is_some() {
            created = line.created;
            if missing {
                break;
            }
        } else {
            missing = true;
        }
    }
    missing = false;
    for line in &mut history {
        if line.created.is_some() {
            if missing {
                created = line.created;
            }
        } else {
            missing = true;
            line.created = created;
        }
    }
    history
}
