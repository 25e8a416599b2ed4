//! The classic builder: every instruction makes an image, whose parent is the one before.
//!
//! Its cache is those images: a child of the same parent whose container config is the same is taken again. Texts and
//! configs are those of moby `builder/dockerfile` and `image/image.go`.

use crate::base::sort::Arrange;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use bstr::{BStr, ByteSlice};

use super::buildkit::{copy_options, destination, write_copy};
use super::error::{BuildError, Located};
use super::files::{self, Destination, Found};
use super::plan::find_stage;
use super::world::{Held, RunStep, World};
use crate::base::digest::{ChainId, Digest, Hasher, ImageId};
use crate::base::path;
use crate::docker::daemon::api::build::{BuildEvent, BuildRequest, BuildSink, MissReason};
use crate::docker::dockerfile::ignore::{Matcher, has_wildcards};
use crate::docker::dockerfile::instruction::{Arg, Command, Copy, Run};
use crate::docker::dockerfile::words::Lex;
use crate::docker::dockerfile::{self, Dockerfile, Instruction, Span, Stage};
use crate::docker::image::change::{self, DEFAULT_PATH};
use crate::docker::image::config::{ContainerConfig, Form, History, Image, ImageConfig};
use crate::docker::image::reference::Reference;
use crate::os::fs::layer::Layer;
use crate::os::fs::node::Kind;
use crate::os::fs::tree::Tree;

/// Arguments that need no ARG and leave no trace (moby `buildargs.go`).
const BUILTIN_ARGS: [&str; 10] = [
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "FTP_PROXY",
    "ftp_proxy",
    "NO_PROXY",
    "no_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// A stage so far.
#[derive(Clone, Default)]
struct State {
    /// The image, or none before the first layer or change of a stage from scratch.
    image: Option<ImageId>,
    config: ContainerConfig,
    author: String,
    cmd_set: bool,
    /// Arguments that ARG allowed, with their values.
    args: Vec<(String, Option<String>)>,
}

struct Builder<'a> {
    world: &'a World,
    request: &'a BuildRequest,
    sink: &'a BuildSink,
    file: &'a Dockerfile,
    context: Tree,
    globals: Vec<(String, Option<String>)>,
    used_args: BTreeSet<String>,
    done: Vec<State>,
    step: usize,
    total: usize,
    /// Images of `--cache-from`; once one of them has had a step, only that one.
    sources: Vec<ImageId>,
    /// The first step that was not in the cache: those after it can't be either.
    missed: Option<(String, Span)>,
}

/// Builds with the classic builder.
///
/// # Errors
/// Whatever makes a build fail.
pub async fn build(world: &World, request: &BuildRequest, sink: &BuildSink) -> Result<ImageId, Located> {
    if request.dockerfile.is_empty() {
        return Err(BuildError::EmptyDockerfile { name: request.dockerfile_name.clone() }.into());
    }
    let text = String::from_utf8_lossy(&request.dockerfile.to_vec()).into_owned();
    let mut file = dockerfile::parse(&text)?;
    if let Some(target) = &request.target {
        let index = find_stage(&file.stages, target).ok_or_else(|| BuildError::Target(target.clone()))?;
        file.stages.truncate(index + 1);
    }
    if let Some(last) = file.stages.last_mut().filter(|_| !request.labels.is_empty()) {
        for (key, value) in &request.labels {
            // In quotes, so that nothing in them is a variable (moby `addNodesForLabelOption`).
            let pair = dockerfile::instruction::Pair { key: key.clone(), value: format!("'{value}'"), legacy: false };
            last.instructions.push(Instruction {
                keyword: "LABEL".to_owned(),
                code: format!("LABEL {key}={value}"),
                span: last.span,
                command: Command::Label(vec![pair]),
            });
        }
    }
    let total = file.global_args.len() + file.stages.iter().map(|stage| 1 + stage.instructions.len()).sum::<usize>();
    let mut builder = Builder {
        world,
        request,
        sink,
        file: &file,
        context: Tree::of([&without_ignored(request)]),
        globals: Vec::new(),
        used_args: BTreeSet::new(),
        done: Vec::new(),
        step: 0,
        total,
        sources: sources(world, request),
        missed: None,
    };
    builder.run_all().await
}

impl Builder<'_> {
    fn say(&self, text: &str) {
        (self.sink)(BuildEvent::Stream(text.as_bytes().to_vec()));
    }

    fn say_step(&mut self, code: &str) {
        self.step += 1;
        self.say(&format!("Step {}/{} : {code}\n", self.step, self.total));
    }

    async fn run_all(&mut self) -> Result<ImageId, Located> {
        for instruction in &self.file.global_args {
            self.say_step(&instruction.code);
            if let Command::Arg(args) = &instruction.command {
                for arg in args {
                    let value = self.arg(arg, &self.words(&self.globals.clone()), None, instruction.span)?;
                    self.globals.push((arg.key.clone(), value));
                }
            }
        }
        for stage in &self.file.stages {
            self.say_step(&stage.code);
            let mut state = self.start(stage).await?;
            self.say_image(&state);
            for instruction in &stage.instructions {
                self.say_step(&instruction.code);
                self.dispatch(&mut state, instruction).await?;
                self.say_image(&state);
            }
            self.done.push(state);
        }
        let mut unused: Vec<&str> = self
            .request
            .build_args
            .keys()
            .chain(&self.request.unset_args)
            .filter(|key| !self.used_args.contains(*key) && !BUILTIN_ARGS.contains(&key.as_str()))
            .map(String::as_str)
            .collect();
        unused.arrange();
        if !unused.is_empty() {
            self.say(&format!("[Warning] One or more build-args [{}] were not consumed\n", unused.join(" ")));
        }
        let id = self.done.last().and_then(|state| state.image).ok_or(BuildError::NoImage)?;
        self.say(&format!("Successfully built {}\n", id.short()));
        for tag in &self.request.tags {
            self.world.store.borrow_mut().tag(tag.clone(), id, (self.world.now)());
            self.say(&format!("Successfully tagged {}\n", tag.familiar()));
        }
        Ok(id)
    }

    fn say_image(&self, state: &State) {
        self.say(&format!(" ---> {}\n", state.image.map(|id| id.short()).unwrap_or_default()));
    }

    fn words(&self, args: &[(String, Option<String>)]) -> Vec<String> {
        args.iter().filter_map(|(key, value)| Some(format!("{key}={}", value.as_ref()?))).collect()
    }

    fn arg(
        &mut self,
        arg: &Arg,
        env: &[String],
        global: Option<&String>,
        span: Span,
    ) -> Result<Option<String>, Located> {
        self.used_args.insert(arg.key.clone());
        let given = self.request.build_args.get(&arg.key);
        change::arg_value(arg, self.file.directives.escape, env, given, global)
            .map_err(|error| BuildError::from(error).at(span))
    }

    /// The variables that words of a stage see: the config's and, where it has none of the name, arguments.
    fn scope(&self, state: &State) -> Vec<String> {
        let mut out = self.words(&state.args);
        out.extend(state.config.env.iter().cloned());
        out
    }

    async fn start(&mut self, stage: &Stage) -> Result<State, Located> {
        self.missed = None;
        let lex = Lex::new(self.file.directives.escape);
        let globals = self.words(&self.globals);
        let name =
            lex.expand(&stage.base, globals.as_slice()).map_err(|error| BuildError::from(error).at(stage.span))?.text;
        let earlier = self
            .file
            .stages
            .iter()
            .take(self.done.len())
            .rposition(|other| !other.name.is_empty() && other.name == name.to_lowercase());
        let mut state = State::default();
        if let Some(index) = earlier {
            state.image = self.done.get(index).and_then(|done| done.image);
        } else if name != "scratch" {
            let problem = |problem| BuildError::StageName { name: name.clone(), problem }.at(stage.span);
            let reference = Reference::parse(&name).map_err(problem)?.with_default_tag();
            state.image = Some(self.image(&reference, &name, stage.span).await?);
        }
        if let Some(image) = state.image.and_then(|id| self.world.store.borrow().image(id).cloned()) {
            state.config = image.config().config.clone();
            state.author.clone_from(&image.config().author);
        }
        if state.config.env("PATH").is_none() {
            state.config.set_env("PATH", DEFAULT_PATH);
        }
        let triggers = std::mem::take(&mut state.config.on_build);
        if !triggers.is_empty() {
            let plural = if triggers.len() > 1 { "s" } else { "" };
            self.say(&format!("# Executing {} build trigger{plural}\n", triggers.len()));
        }
        for text in triggers {
            let trigger =
                dockerfile::parse_trigger(&text, stage.span).map_err(|_| BuildError::OnbuildTrigger.at(stage.span))?;
            self.dispatch(&mut state, &trigger).await?;
        }
        Ok(state)
    }

    async fn image(&self, reference: &Reference, name: &str, span: Span) -> Result<ImageId, Located> {
        let local = self.world.store.borrow().resolve(name).ok();
        if let Some(id) = local.filter(|_| !self.request.pull) {
            return Ok(id);
        }
        let sink = Rc::clone(self.sink);
        let output: Rc<dyn Fn(&[u8])> = Rc::new(move |bytes| sink(BuildEvent::Stream(bytes.to_vec())));
        let pulled = (self.world.pull)(reference.clone(), output).await;
        pulled.map_err(|why| BuildError::Pull { name: name.to_owned(), reference: reference.to_string(), why }.at(span))
    }

    fn chain(&self, state: &State) -> Option<ChainId> {
        let store = self.world.store.borrow();
        state.image.and_then(|id| store.image(id)).and_then(|image| image.config().chain_id())
    }

    fn tree(&self, state: &State) -> Result<Tree, BuildError> {
        let chain = self.chain(state);
        Ok(self.world.store.borrow().tree(chain)?)
    }

    async fn dispatch(&mut self, state: &mut State, instruction: &Instruction) -> Result<(), Located> {
        let span = instruction.span;
        state.config.image = state.image.map(|id| id.to_string()).unwrap_or_default();
        let scope = self.scope(state);
        let (command, _) = change::expand(&instruction.command, self.file.directives.escape, &scope)
            .map_err(|error| BuildError::from(error).at(span))?;
        let done = match &command {
            Command::Arg(args) => {
                let mut words = Vec::new();
                for arg in args {
                    let global =
                        self.globals.iter().rev().find(|(key, _)| *key == arg.key).and_then(|(_, value)| value.clone());
                    let value = self.arg(arg, &self.scope(state), global.as_ref(), span)?;
                    words.push(
                        value
                            .as_ref()
                            .filter(|_| arg.default.is_some() || self.request.build_args.contains_key(&arg.key))
                            .map_or_else(|| arg.key.clone(), |value| format!("{}={value}", arg.key)),
                    );
                    state.args.retain(|(key, _)| *key != arg.key);
                    state.args.push((arg.key.clone(), value));
                }
                self.commit_change(state, instruction, &format!("ARG {}", words.join(" ")))
            }
            Command::Run(run) => self.run(state, instruction, run).await,
            Command::Copy(copy) => self.copy(state, instruction, copy, "COPY").await,
            Command::Add(copy) => self.copy(state, instruction, copy, "ADD").await,
            Command::Workdir(_) => self.workdir(state, instruction, &command).await,
            _ => {
                if let Command::Maintainer(name) = &command {
                    state.author.clone_from(name);
                }
                if let (Command::Healthcheck(_), Some(old)) = (&command, &state.config.healthcheck)
                    && old.test.first().is_some_and(|kind| kind != "NONE")
                {
                    self.say(&format!("Note: overriding previous HEALTHCHECK: [{}]\n", old.test.join(" ")));
                }
                match change::apply(&mut state.config, &command, &mut state.cmd_set) {
                    Err(error) => Err(error.into()),
                    Ok(line) => {
                        let line = match &command {
                            Command::Expose(ports) => format!("EXPOSE {}", ports.join(" ")),
                            _ => line.unwrap_or_default(),
                        };
                        self.commit_change(state, instruction, &line)
                    }
                }
            }
        };
        done.map_err(|error| error.at(span))
    }

    /// A container config whose command only says what was done.
    fn noted(&self, state: &State, words: Vec<String>) -> ContainerConfig {
        let mut config = state.config.clone();
        let mut cmd = change::shell(&config);
        cmd.extend(words);
        config.cmd = Some(cmd);
        config
    }

    /// An instruction that changes the config only.
    fn commit_change(&mut self, state: &mut State, instruction: &Instruction, line: &str) -> Result<(), BuildError> {
        let config = self.noted(state, vec!["#(nop) ".to_owned(), line.to_owned()]);
        if self.probe(state, &config, instruction, &BTreeMap::new()) {
            return Ok(());
        }
        // Each instruction has a container of its own, which the daemon makes with the volumes so far.
        let tree = self.tree(state)?;
        for volume in &state.config.volumes {
            let at = path::normalize(volume.as_bytes());
            if files::find(&tree, &at).is_some_and(|file| file.node.kind() != Kind::Dir) {
                let folder = crate::base::digest::hex(&self.world.random.borrow_mut().id());
                return Err(BuildError::VolumeOverFile { folder, path: at.to_string() });
            }
        }
        let container = self.say_running();
        self.commit(state, &container, config, Layer::default())?;
        self.say_removed(&container);
        Ok(())
    }

    fn say_running(&self) -> String {
        let container = crate::base::digest::hex(&self.world.random.borrow_mut().id());
        self.say(&format!(" ---> Running in {}\n", container.get(..12).unwrap_or_default()));
        container
    }

    fn say_removed(&self, container: &str) {
        if !self.request.keep_intermediate {
            self.say(&format!(" ---> Removed intermediate container {}\n", container.get(..12).unwrap_or_default()));
        }
    }

    /// Takes a child of the current image with the same container config (moby `GetImageCacheable`, `runconfig.Compare`).
    fn probe(
        &mut self,
        state: &mut State,
        config: &ContainerConfig,
        instruction: &Instruction,
        files: &BTreeMap<String, Digest>,
    ) -> bool {
        let tell = |miss| {
            (self.sink)(BuildEvent::Cache { instruction: instruction.code.clone(), span: instruction.span, miss });
        };
        let found = if self.request.no_cache || self.missed.is_some() {
            None
        } else {
            let store = self.world.store.borrow();
            let children: Vec<ImageId> = match state.image {
                Some(id) => store.children(id).collect(),
                None => store.images().map(Image::id).filter(|id| store.parent(*id).is_none()).collect(),
            };
            let same = children
                .into_iter()
                .filter_map(|id| store.image(id))
                .filter(|image| image.config().container_config.as_ref().is_some_and(|other| is_same(other, config)));
            let own = same.max_by_key(|image| image.config().created).map(Image::id);
            // With `--cache-from` only what its images are made of counts.
            let is_below = |id: &ImageId| {
                let below = |source: &ImageId| std::iter::successors(store.parent(*source), |id| store.parent(*id));
                self.sources.iter().any(|source| below(source).any(|parent| parent == *id))
            };
            let own = own.filter(|id| self.request.cache_from.is_empty() || is_below(id));
            drop(store);
            own.or_else(|| self.restored(state.image, config))
        };
        match found {
            Some(id) => {
                state.image = Some(id);
                self.say(" ---> Using cache\n");
                tell(None);
                true
            }
            None => {
                let miss = match &self.missed {
                    _ if self.request.no_cache => MissReason::Refused,
                    Some((instruction, span)) => MissReason::Parent { instruction: instruction.clone(), span: *span },
                    None => self.explain(state, instruction, files),
                };
                tell(Some(miss));
                self.missed.get_or_insert_with(|| (instruction.code.clone(), instruction.span));
                false
            }
        }
    }

    /// Takes a step from the history of one of the images of `--cache-from` (moby `image/cache/cache.go` `ImageCache`).
    fn restored(&mut self, parent: Option<ImageId>, config: &ContainerConfig) -> Option<ImageId> {
        let mut store = self.world.store.borrow_mut();
        let below = parent.and_then(|id| store.image(id)).map(|image| image.config().clone()).unwrap_or_default();
        let line = config.cmd.clone().unwrap_or_default().join(" ");
        let depth = below.history.len();
        let fits = |source: &ImageConfig| {
            source.history.get(depth).is_some_and(|next| next.created_by == line)
                && source.history.starts_with(&below.history)
                && source.diff_ids.starts_with(&below.diff_ids)
        };
        let (id, source) = self.sources.iter().find_map(|id| {
            let source = store.image(*id)?.config();
            fits(source).then(|| (*id, source.clone()))
        })?;
        let history = source.history.get(..=depth)?.to_vec();
        let made = if source.history.len() == history.len() {
            id
        } else {
            let mut diff_ids = below.diff_ids;
            if history.last().is_some_and(|line| !line.empty_layer) {
                let layers = history.iter().filter(|line| !line.empty_layer).count();
                diff_ids.push(*source.diff_ids.get(layers.checked_sub(1)?)?);
            }
            let restored = ImageConfig {
                architecture: source.architecture,
                os: source.os,
                author: source.author,
                config: config.clone(),
                created: history.last().and_then(|line| line.created),
                docker_version: self.world.docker_version.to_owned(),
                history,
                diff_ids,
                ..ImageConfig::default()
            };
            // It stays with the image it came from, so as not to mix two.
            self.sources = vec![id];
            store.add_image(Image::new(restored, Form::Classic)).ok()?
        };
        if let Some(parent) = parent {
            store.set_parent(made, parent);
        }
        Some(made)
    }

    fn explain(&self, state: &State, instruction: &Instruction, files: &BTreeMap<String, Digest>) -> MissReason {
        let store = self.world.store.borrow();
        let keyword = instruction.command.name();
        let lines: Vec<String> = state
            .image
            .into_iter()
            .flat_map(|id| store.children(id).collect::<Vec<_>>())
            .filter_map(|id| store.image(id)?.config().history.last().map(|line| line.created_by.clone()))
            .collect();
        match lines.last() {
            None => MissReason::New,
            // The histories of copies differ in the sum of the files.
            Some(line) if line.contains(&format!("#(nop) {keyword}")) && !files.is_empty() => {
                MissReason::Files { changed: Vec::new() }
            }
            Some(line) => MissReason::Instruction { before: line.clone() },
        }
    }

    /// Makes the image of a step.
    fn commit(
        &self,
        state: &mut State,
        container: &str,
        mut config: ContainerConfig,
        layer: Layer,
    ) -> Result<(), BuildError> {
        let store = &self.world.store;
        let now = (self.world.now)();
        let parent = state.image.and_then(|id| store.borrow().image(id).cloned());
        let mut child = parent.as_ref().map(|image| image.config().clone()).unwrap_or_default();
        let empty_layer = layer.is_empty();
        let mut held = None;
        if !empty_layer {
            let chain = store.borrow_mut().register(child.chain_id(), Arc::new(layer))?;
            held = Some(Held::adopt(store, chain));
            let diff_id = store.borrow().layer(chain).map(|layer| layer.diff_id);
            child.diff_ids.extend(diff_id);
        }
        let created_by = config.cmd.as_ref().map(|words| words.join(" ")).unwrap_or_default();
        child.history.push(History {
            created: Some(now),
            created_by,
            author: state.author.clone(),
            comment: String::new(),
            empty_layer,
        });
        if !container.is_empty() {
            config.hostname = container.get(..12).unwrap_or_default().to_owned();
        }
        let image = Image::new(
            ImageConfig {
                architecture: self.world.architecture.to_owned(),
                os: "linux".to_owned(),
                author: state.author.clone(),
                comment: String::new(),
                config: state.config.clone(),
                container: container.to_owned(),
                container_config: Some(config),
                created: Some(now),
                docker_version: self.world.docker_version.to_owned(),
                inline_cache: Vec::new(),
                ..child
            },
            Form::Classic,
        );
        let id = image.id();
        let mut store = store.borrow_mut();
        store.add_image(image)?;
        if let Some(parent) = state.image {
            store.set_parent(id, parent);
        }
        drop(store);
        drop(held);
        state.image = Some(id);
        Ok(())
    }

    async fn workdir(
        &mut self,
        state: &mut State,
        instruction: &Instruction,
        command: &Command,
    ) -> Result<(), BuildError> {
        change::apply(&mut state.config, command, &mut state.cmd_set)?;
        let dir = state.config.working_dir.clone();
        let config = self.noted(state, vec![format!("#(nop) WORKDIR {dir}")]);
        if self.probe(state, &config, instruction, &BTreeMap::new()) {
            return Ok(());
        }
        let container = self.say_running();
        (self.world.sleep)(World::duration(60, 0, 1)).await;
        let destination = Destination::new(self.tree(state)?, (self.world.now)());
        destination.make_dirs(dir.as_bytes(), None)?;
        self.commit(state, &container, config, destination.layer())?;
        self.say_removed(&container);
        Ok(())
    }

    async fn run(&mut self, state: &mut State, instruction: &Instruction, run: &Run) -> Result<(), BuildError> {
        for (flag, given) in [
            ("mount", !run.mounts.is_empty()),
            ("network", run.network.is_some()),
            ("security", run.security.is_some()),
        ] {
            if given {
                return Err(BuildError::NeedsBuildKit(flag));
            }
        }
        if !run.line.heredocs.is_empty() {
            return Err(BuildError::HeredocNeedsBuildKit);
        }
        let network = self.request.network.as_deref().unwrap_or("default");
        if !["default", "bridge", "host", "none"].contains(&network) {
            return Err(BuildError::NotSimulated(format!("--network {network}")));
        }
        let args = change::resolve(&run.line, &state.config);
        // Arguments that the config's own variables don't hide are the command's too.
        let allowed: Vec<String> = state
            .args
            .iter()
            .filter(|(key, _)| state.config.env(key).is_none())
            .filter_map(|(key, value)| Some(format!("{key}={}", value.as_ref()?)))
            .collect();
        let mut saved = args.clone();
        if !allowed.is_empty() {
            let mut sorted = allowed.clone();
            sorted.arrange();
            sorted.insert(0, format!("|{}", sorted.len()));
            sorted.extend(saved);
            saved = sorted;
        }
        let mut config = state.config.clone();
        config.cmd = Some(saved);
        if !args.is_empty() {
            config.entrypoint = None;
        }
        if self.probe(state, &config, instruction, &BTreeMap::new()) {
            return Ok(());
        }
        // Without a command the image's own runs (moby `withEntrypointOverride`, `merge`).
        let args = match args.is_empty() {
            true => {
                [state.config.entrypoint.clone(), state.config.cmd.clone()].into_iter().flatten().flatten().collect()
            }
            false => args,
        };
        if args.is_empty() {
            return Err(BuildError::NoCommand);
        }
        let container = self.say_running();
        let lower = self.tree(state)?;
        let mut env = state.config.env.clone();
        env.extend(allowed);
        env.extend(self.proxies(state));
        let sink = Rc::clone(self.sink);
        let command = args.join(" ");
        let ended = (self.world.run)(RunStep {
            lower,
            args,
            env,
            cwd: state.config.working_dir.clone(),
            user: state.config.user.clone(),
            hostname: container.get(..12).unwrap_or_default().to_owned(),
            network: network.to_owned(),
            extra_hosts: self.request.extra_hosts.clone(),
            mounts: Vec::new(),
            output: Rc::new(move |is_error, bytes| {
                let bytes = bytes.to_vec();
                sink(if is_error { BuildEvent::ErrorStream(bytes) } else { BuildEvent::Stream(bytes) });
            }),
        })
        .await;
        let layer = match ended {
            Ok(end) if end.code == 0 => end.layer,
            Ok(end) => {
                self.say_removed(&container);
                return Err(BuildError::Exit { command, code: end.code });
            }
            Err(why) => return Err(BuildError::Start { command, why: why.0 }),
        };
        self.commit(state, &container, config, layer)?;
        self.say_removed(&container);
        Ok(())
    }

    /// Proxies that were given and that no ARG names: commands see them, the cache and the history don't.
    fn proxies(&self, state: &State) -> Vec<String> {
        let given = self.request.build_args.iter().filter(|(key, _)| {
            BUILTIN_ARGS.contains(&key.as_str())
                && state.config.env(key).is_none()
                && !state.args.iter().any(|(arg, _)| arg == *key)
        });
        given.map(|(key, value)| format!("{key}={value}")).collect()
    }

    async fn copy(
        &mut self,
        state: &mut State,
        instruction: &Instruction,
        copy: &Copy,
        keyword: &'static str,
    ) -> Result<(), BuildError> {
        for (flag, given) in [
            ("chmod", copy.chmod.is_some()),
            ("link", copy.link),
            ("parents", copy.parents),
            ("exclude", !copy.exclude.is_empty()),
            ("checksum", copy.checksum.is_some()),
        ] {
            if given {
                return Err(BuildError::NeedsBuildKit(flag));
            }
        }
        if !copy.documents.is_empty() {
            return Err(BuildError::HeredocNeedsBuildKit);
        }
        let (source, in_context) = match &copy.from {
            None => (self.context.clone(), true),
            Some(from) => (self.copy_source(from, instruction.span).await?, false),
        };
        let mut found: Vec<Found> = Vec::new();
        for wanted in &copy.sources {
            if wanted.starts_with("http://") || wanted.starts_with("https://") {
                return Err(match keyword {
                    "COPY" => BuildError::UrlForCopy,
                    _ => BuildError::NotSimulated(format!("{keyword} from {wanted}")),
                });
            }
            if in_context && leaves(wanted) {
                return Err(BuildError::OutsideContext { path: wanted.clone(), keyword });
            }
            match files::select(&source, wanted)? {
                Some(here) => found.extend(here),
                None => {
                    let path = path::normalize(wanted.as_bytes()).to_string();
                    return Err(BuildError::SourceNotFound {
                        snapshot: String::new(),
                        path,
                        written: wanted.clone(),
                        keyword,
                        in_context,
                    });
                }
            }
        }
        if found.is_empty() {
            return Err(BuildError::NoSourceFiles { keyword });
        }
        if found.len() > 1 && !copy.destination.ends_with('/') {
            return Err(BuildError::ManySources { keyword });
        }
        let tree = self.tree(state)?;
        let mut options = copy_options(copy, keyword == "ADD", &tree)?;
        if options.owner.is_none() && in_context {
            options.owner = Some((0, 0));
        }
        if options.unpack && found.iter().all(|file| file.node.kind() == Kind::File) {
            // The owners in an archive are kept.
            options.owner = options.owner.filter(|_| copy.chown.is_some());
        }
        let sum = self.sum(&found);
        let chown = copy.chown.as_ref().map(|owner| format!("--chown={owner}")).unwrap_or_default();
        let line = format!("#(nop) {keyword} {chown}{sum} in {} ", copy.destination);
        let config = self.noted(state, vec![line]);
        let sums = files::sums(&found, &options.exclude).files;
        if self.probe(state, &config, instruction, &sums) {
            return Ok(());
        }
        (self.world.sleep)(World::duration(80, 0, 1)).await;
        let to = destination(&state.config.working_dir, &copy.destination);
        let target = Destination::new(tree, (self.world.now)());
        write_copy(&target, &found, &to, &options, copy, found.len() > 1)?;
        self.commit(state, "", config, target.layer())
    }

    async fn copy_source(&mut self, from: &str, span: Span) -> Result<Tree, BuildError> {
        if let Some(state) = find_stage(&self.file.stages, from).and_then(|index| self.done.get(index)) {
            return self.tree(state);
        }
        let problem = |problem| BuildError::StageName { name: from.to_owned(), problem };
        let reference = Reference::parse(from).map_err(problem)?.with_default_tag();
        let id = self.image(&reference, from, span).await.map_err(|located| located.error)?;
        self.tree(&State { image: Some(id), ..State::default() })
    }

    /// `file:…`, `dir:…` or `multi:…`: sums over the files' tar forms, times left out (moby `copy.go`, `tarsum`).
    fn sum(&self, found: &[Found]) -> String {
        let memo = self.world.store.borrow().memo().clone();
        let one = |name: &[u8], node: &crate::os::fs::tree::Node| {
            let mut entry = crate::os::fs::node::Entry::clone(&node.entry);
            entry.meta.mtime = crate::base::time::Timestamp(0);
            let change = crate::os::fs::layer::Change::Put(Arc::new(entry));
            let layer: Layer = [(name.into(), change)].into_iter().collect();
            memo.diff_id(&layer.to_tar()).0
        };
        let joined = |sums: Vec<String>| {
            let mut hasher = Hasher::new();
            hasher.update(sums.join(",").as_bytes());
            hasher.finish().hex()
        };
        let mut sums = Vec::new();
        for file in found {
            if file.node.kind() != Kind::Dir {
                sums.push(format!("file:{}", one(&file.name, &file.node).hex()));
                continue;
            }
            let mut inner: Vec<String> = files::walk(&file.node).iter().map(|(at, node)| one(at, node).hex()).collect();
            inner.arrange();
            sums.push(format!("dir:{}", joined(inner)));
        }
        match sums.as_slice() {
            [only] => only.clone(),
            _ => format!("multi:{}", joined(sums)),
        }
    }
}

/// The context without the Dockerfile and the ignore file where that one names them: the client sends both all the same
/// (moby `remotecontext` `removeDockerfile`).
fn without_ignored(request: &BuildRequest) -> Layer {
    let ignored = Matcher::new(&request.context.ignore_patterns).unwrap_or_default();
    let leaves = |at: &BStr| {
        (at == ".dockerignore" || at == request.dockerfile_name.as_str())
            && ignored.matches_or_parent_matches(&at.to_str_lossy())
    };
    let kept = request.context.files.entries().filter(|(at, _)| !leaves(at));
    kept.map(|(at, change)| (at.into(), change.clone())).collect()
}

/// Whether a path goes above the context.
fn leaves(wanted: &str) -> bool {
    !has_wildcards(wanted) && dockerfile::ignore::clean(wanted.trim_start_matches('/')).starts_with("..")
}

/// The images of `--cache-from` that are here; the others are passed over without a word (moby `MakeImageCache`).
fn sources(world: &World, request: &BuildRequest) -> Vec<ImageId> {
    let store = world.store.borrow();
    request.cache_from.iter().filter_map(|name| store.resolve(name).ok()).collect()
}

/// Whether a container config would give the same (moby `image/cache/compare.go`): the host's name and the image's don't count.
fn is_same(a: &ContainerConfig, b: &ContainerConfig) -> bool {
    let neutral = |config: &ContainerConfig| ContainerConfig {
        hostname: String::new(),
        domainname: String::new(),
        image: String::new(),
        ..config.clone()
    };
    neutral(a) == neutral(b)
}
