//! What comes from the client: the context, named contexts, and what `--from` means.

use std::sync::Arc;

use bstr::ByteSlice;

use super::super::context::{Transfer, transfer_file_size_bytes, transfer_size_bytes};
use super::super::error::Located;
use super::super::plan::{self, Origin};
use super::super::world::World;
use super::state::State;
use super::{Purpose, Solver};
use crate::docker::daemon::api::build::NamedContext;
use crate::docker::dockerfile::ignore::has_wildcards;
use crate::docker::dockerfile::instruction::Command;
use crate::docker::dockerfile::mount::{Mount, MountType};
use crate::docker::dockerfile::{self, Instruction, Span};
use crate::os::fs::layer::{Change, Layer};
use crate::os::fs::node::Content;
use crate::os::fs::tree::Tree;

impl Solver<'_> {
    /// What reachable stages copy from the context.
    pub(super) fn context_sources(&self) -> Vec<String> {
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

    /// Whether the client sends files: some step asks for them, and they don't come from elsewhere.
    pub(super) fn is_context_sent(&self) -> bool {
        self.request.remote.is_none() && !self.context_sources().is_empty()
    }

    pub(super) async fn load_ignore_file(&self) {
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
    pub(super) async fn load_context(&self) {
        if self.purpose == Purpose::Check || self.request.remote.is_some() || self.asked("").await {
            return;
        }
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
        let is_foresight = self.purpose == Purpose::Foresee;
        let mut known = Transfer::new(false);
        let mut new = Transfer::new(true);
        {
            let mut cache = self.world.cache.borrow_mut();
            for (at, change) in self.request.context.files.entries() {
                if !wanted(&at.to_str_lossy()) {
                    continue;
                }
                let sum = match change {
                    Change::Put(entry) => match &entry.content {
                        Content::File(rope) if is_foresight => cache.knows_file(rope.structural_key()),
                        Content::File(rope) => cache.learn_file(rope.structural_key()),
                        _ => true,
                    },
                    _ => true,
                };
                (if sum { &mut known } else { &mut new }).add(at, change);
            }
        }
        let size = known.size_bytes + new.size_bytes - 2;
        let part = step.status("transferring context:", size, 0);
        (self.world.sleep)(World::duration(9, size, 200)).await;
        part.done();
        step.done();
        self.arrived("");
    }

    /// Whether a context was asked for before; then it is here.
    pub(super) async fn asked(&self, name: &str) -> bool {
        if self.sent.borrow().contains_key(name) {
            self.bell.until(|| self.sent.borrow().get(name).copied().filter(|here| *here)).await;
            return true;
        }
        self.sent.borrow_mut().insert(name.to_owned(), false);
        false
    }

    pub(super) fn arrived(&self, name: &str) {
        self.sent.borrow_mut().insert(name.to_owned(), true);
        self.bell.ring();
    }

    pub(super) fn named_files(&self, name: &str) -> Arc<Layer> {
        match self.request.contexts.get(name) {
            Some(NamedContext::Files(files)) => Arc::clone(files),
            _ => Arc::default(),
        }
    }

    /// The files of a named context, sent when they are first asked for.
    pub(super) async fn named_tree(&self, name: &str) -> Tree {
        let files = self.named_files(name);
        if self.purpose != Purpose::Check && !self.asked(name).await {
            let step = self.trace.start(format!("[context {name}] load from client"));
            let size = transfer_size_bytes(&files, true);
            let part = step.status(format!("transferring {name}:"), size, 0);
            (self.world.sleep)(World::duration(9, size, 200)).await;
            part.done();
            step.done();
            self.arrived(name);
        }
        Tree::of([files.as_ref()])
    }

    /// What `--from` means; names are those of the stages that the plan knows.
    pub(super) fn origin(&self, name: &str, instruction: &Instruction) -> Result<Origin, Located> {
        plan::origin(name, instruction, &self.file.stages, &self.request.contexts)
    }

    /// The tree of a source, and whether it is the context.
    pub(super) async fn origin_tree(&self, origin: &Origin, span: Span) -> Result<Tree, Located> {
        match origin {
            Origin::Context => {
                self.load_context().await;
                Ok(self.context.clone())
            }
            Origin::Scratch => Ok(Tree::empty()),
            Origin::Named(name) => Ok(self.named_tree(name).await),
            Origin::Stage(index) => Ok(self.finished(*index).await.map(|state| state.tree).unwrap_or_default()),
            Origin::Image(reference, name) => {
                Ok(self.fetch(reference, name, span, &|text: &str| text.to_owned()).await?.tree)
            }
        }
    }

    /// A stage once it is done; `None` for one that this build does not need.
    pub(super) async fn finished(&self, index: usize) -> Option<State> {
        if !self.plan.order.contains(&index) {
            return None;
        }
        Some(self.bell.until(|| self.done.borrow().get(&index).cloned()).await)
    }

    /// In foresight: whether nobody knows what files there are.
    pub(super) fn is_unknown(&self, origin: &Origin) -> bool {
        matches!(origin, Origin::Stage(index) if self.done.borrow().get(index).is_some_and(|state| state.unknown))
    }
}
