//! `RUN --mount`: what a step sees besides its files, and what of it counts for the cache.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use super::super::error::{BuildError, Located};
use super::super::files;
use super::super::plan::Origin;
use super::super::world::RunMount;
use super::state::State;
use super::{MAX_RESIDENT_BYTES, Purpose, Solver};
use crate::base::digest::Digest;
use crate::base::path;
use crate::docker::dockerfile::Instruction;
use crate::docker::dockerfile::ignore::Matcher;
use crate::docker::dockerfile::mount::{Mount, MountType};
use crate::os::fs::layer::{Change, Layer};
use crate::os::fs::node::{Content, Entry, Meta};
use crate::os::fs::overlay::Overlay;
use crate::os::fs::tree::Tree;

/// The kind of a mount that is an agent's socket.
pub(super) const SSH: &str = "ssh";
/// Where an agent's socket is without a target; the number of those before it in the same RUN follows.
pub(super) const AGENT: &str = "/run/buildkit/ssh_agent.";

impl Solver<'_> {
    /// A mount of a RUN, and what of it goes into the cache key.
    pub(super) async fn mount(
        &self,
        state: &State,
        instruction: &Instruction,
        text: &str,
        files: &mut BTreeMap<String, Digest>,
    ) -> Result<(Option<RunMount>, Vec<u8>), Located> {
        let span = instruction.span;
        let mount = Mount::parse(text).map_err(|error| BuildError::from(error).at(span))?;
        let target = path::join(
            if state.config.working_dir.is_empty() { b"/" } else { state.config.working_dir.as_bytes() },
            mount.target.as_bytes(),
        );
        let is_for_files = matches!(mount.kind, MountType::Bind | MountType::Cache | MountType::Tmpfs);
        if is_for_files && path::normalize(&target).as_slice() == b"/" {
            return Err(BuildError::MountTarget.at(span));
        }
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
            MountType::Tmpfs => {
                let most = mount.size_limit_bytes.and_then(|size| u64::try_from(size).ok()).filter(|size| *size > 0);
                let most = most.map_or(MAX_RESIDENT_BYTES, |size| size.min(MAX_RESIDENT_BYTES));
                let memory = Rc::new(RefCell::new(Overlay::new(2, Tree::empty(), most)));
                Ok((Some(wrap(memory, "/", "tmpfs")), key))
            }
            MountType::Cache => {
                let id = if mount.id.is_empty() { target.to_string() } else { mount.id.clone() };
                let mut root = Meta::root(mount.mode.unwrap_or(0o755), (self.world.now)());
                (root.uid, root.gid) = (mount.uid.unwrap_or(0), mount.gid.unwrap_or(0));
                let base: Layer = [("".into(), Change::Put(Arc::new(Entry::dir(root))))].into_iter().collect();
                let (below, source) = if mount.from.is_empty() {
                    (Tree::of([&base]), "/".to_owned())
                } else {
                    // What a cache holds before anybody wrote into it.
                    let origin = self.origin(&mount.from, instruction)?;
                    let tree = self.origin_tree(&origin, span).await?;
                    (tree, path::normalize(mount.source.as_bytes()).to_string())
                };
                if self.purpose == Purpose::Foresee {
                    return Ok((None, key));
                }
                let make = || Overlay::new(3, below, MAX_RESIDENT_BYTES);
                let (name, now) = (self.world.identity(), (self.world.now)());
                let overlay = self.world.cache.borrow_mut().mount(&id, name, now, make);
                Ok((Some(wrap(overlay, &source, "cache")), key))
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
            MountType::Ssh => {
                let id = if mount.id.is_empty() { "default" } else { mount.id.as_str() };
                if !self.request.ssh.contains(id) && mount.required && self.purpose != Purpose::Foresee {
                    return Err(BuildError::SshKey(id.to_owned()).at(span));
                }
                if !self.request.ssh.contains(id) || self.purpose == Purpose::Foresee {
                    return Ok((None, key));
                }
                let mut meta = Meta::root(mount.mode.unwrap_or(0o600), (self.world.now)());
                (meta.uid, meta.gid) = (mount.uid.unwrap_or(0), mount.gid.unwrap_or(0));
                let socket = Entry::new(meta, Content::Socket);
                let file: Layer = [("socket".into(), Change::Put(Arc::new(socket)))].into_iter().collect();
                let mut run_mount = wrap(fresh(Tree::of([&file])), "/socket", SSH);
                if mount.target.is_empty() {
                    run_mount.at = AGENT.into();
                }
                Ok((Some(run_mount), key))
            }
            MountType::Bind => {
                let origin = self.origin(&mount.from, instruction)?;
                let tree = self.origin_tree(&origin, span).await?;
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
}

/// The name of a secret: its id, or the last part of its source or target.
pub(super) fn secret_id(mount: &Mount) -> String {
    let id = [&mount.id, &mount.source, &mount.target].into_iter().find(|id| !id.is_empty());
    path::file_name(id.map_or(b"", |id| id.as_bytes())).to_string()
}
