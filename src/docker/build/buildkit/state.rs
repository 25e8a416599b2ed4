//! A stage so far, and what it starts from.

use std::rc::Rc;
use std::sync::Arc;

use super::super::cache::{CacheKey, Inputs};
use super::super::error::Located;
use super::super::files::{self, Found};
use super::super::world::Held;
use super::inline::Record;
use super::lookup::Making;
use super::{COMMENT, Solver};
use crate::base::digest::{ChainId, DiffId, ManifestDigest};
use crate::base::time::Timestamp;
use crate::docker::dockerfile::Span;
use crate::docker::dockerfile::ignore::Matcher;
use crate::docker::dockerfile::instruction::Arg;
use crate::docker::image::change::DEFAULT_PATH;
use crate::docker::image::config::{ContainerConfig, History, Image};
use crate::os::fs::layer::Layer;
use crate::os::fs::tree::Tree;

/// A base image at hand.
#[derive(Clone)]
pub(super) struct BaseImage {
    pub(super) image: Image,
    pub(super) digest: Option<ManifestDigest>,
    pub(super) held: Option<Rc<Held>>,
    pub(super) tree: Tree,
}

/// A stage so far.
#[derive(Clone)]
pub(super) struct State {
    pub(super) config: ContainerConfig,
    pub(super) author: String,
    pub(super) history: Vec<History>,
    pub(super) diff_ids: Vec<DiffId>,
    pub(super) held: Option<Rc<Held>>,
    pub(super) tree: Tree,
    pub(super) key: CacheKey,
    /// Variables: those of the config and the arguments.
    pub(super) env: Vec<String>,
    pub(super) args: Vec<Arg>,
    pub(super) cmd_set: bool,
    /// The first step that was not in the cache.
    pub(super) missed: Option<(String, Span)>,
    /// The name of its stage.
    pub(super) stage: String,
    /// In foresight: a step was not done, so that nobody knows its files.
    pub(super) unknown: bool,
    /// Triggers that this stage's own ONBUILD lines leave to stages on top of it.
    pub(super) triggers: Vec<String>,
    /// What made which of its layers, lowest first.
    pub(super) records: Vec<Record>,
}

impl State {
    pub(super) fn chain(&self) -> Option<ChainId> {
        self.held.as_ref().map(|held| held.chain())
    }

    pub(super) fn set_env(&mut self, key: &str, value: &str) {
        let word = format!("{key}={value}");
        match self.env.iter_mut().find(|old| old.split('=').next() == Some(key)) {
            Some(old) => *old = word,
            None => self.env.push(word),
        }
    }

    pub(super) fn note(&mut self, created_by: String, created: Option<Timestamp>) {
        self.history.push(History {
            created,
            created_by,
            comment: COMMENT.to_owned(),
            empty_layer: created.is_none(),
            ..History::default()
        });
    }
}

/// How far a stage's numbered steps are.
pub(super) struct Count {
    pub(super) label: String,
    pub(super) at: usize,
    pub(super) total: usize,
    pub(super) onbuild: bool,
}

impl Count {
    /// `[build 2/10] RUN make`.
    pub(super) fn name(&mut self, text: &str) -> String {
        self.at += 1;
        let width = self.total.to_string().len();
        let label = if self.label.is_empty() { String::new() } else { format!("{} ", self.label) };
        let onbuild = if self.onbuild { "ONBUILD " } else { "" };
        format!("[{label}{:width$}/{}] {onbuild}{text}", self.at, self.total)
    }
}

impl Default for State {
    /// A stage of nothing at all, not even a search path.
    fn default() -> Self {
        let key = CacheKey::of("from", None, &[b"scratch"]);
        Self {
            config: ContainerConfig::default(),
            author: String::new(),
            history: Vec::new(),
            diff_ids: Vec::new(),
            held: None,
            tree: Tree::empty(),
            key,
            env: Vec::new(),
            args: Vec::new(),
            cmd_set: false,
            missed: None,
            stage: String::new(),
            unknown: false,
            triggers: Vec::new(),
            records: vec![Record::base(key)],
        }
    }
}

impl Solver<'_> {
    pub(super) fn scratch(&self) -> State {
        let env = vec![format!("PATH={DEFAULT_PATH}")];
        let config = ContainerConfig { env: env.clone(), working_dir: "/".to_owned(), ..ContainerConfig::default() };
        State { config, env, ..State::default() }
    }

    /// A stage from the files of a named context.
    pub(super) async fn state_of_files(&self, name: &str, span: Span) -> Result<State, Located> {
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

    pub(super) fn state_of_image(&self, base: &BaseImage) -> State {
        let image = base.image.config();
        let mut config = image.config.clone();
        config.on_build.clear();
        if config.env("PATH").is_none() {
            config.set_env("PATH", DEFAULT_PATH);
        }
        let chain = image.chain_id().map(|chain| chain.to_string()).unwrap_or_default();
        let key = CacheKey::of("from", None, &[chain.as_bytes()]);
        State {
            env: config.env.clone(),
            config,
            author: image.author.clone(),
            history: image.history.clone(),
            diff_ids: image.diff_ids.clone(),
            held: base.held.clone(),
            tree: base.tree.clone(),
            key,
            records: vec![Record::base(key)],
            ..State::default()
        }
    }
}
