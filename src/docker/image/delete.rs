//! `docker rmi` and `docker image prune`: what goes, what is kept, and why (moby `daemon/images/image_delete.go`).

use super::reference::Reference;
use super::store::{Store, StoreError, is_id_prefix};
use crate::base::digest::{ChainId, ImageId};

/// Who uses an image: short ids of containers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// A running container.
    pub running: Option<String>,
    /// A container that is not running.
    pub stopped: Option<String>,
}

impl Usage {
    fn any(&self) -> Option<&String> {
        self.running.as_ref().or(self.stopped.as_ref())
    }
}

/// One thing that is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removal {
    /// A reference: `Untagged: app:v2`.
    Untagged(Reference, ImageId),
    /// An image: `Deleted: sha256:…`.
    Image(ImageId),
    /// A layer: `Deleted: sha256:…`.
    Layer(ChainId),
}

impl std::fmt::Display for Removal {
    /// The line that `docker rmi` prints.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Untagged(reference, _) => write!(f, "Untagged: {}", reference.familiar()),
            Self::Image(id) => write!(f, "Deleted: {id}"),
            Self::Layer(id) => write!(f, "Deleted: {id}"),
        }
    }
}

/// Why an image stays.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeleteError {
    /// There is none.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// `ImageDelete`: the last name of an image in use.
    #[error(
        "conflict: unable to remove repository reference \"{reference}\" (must force) - container {container} is using its referenced image {image}"
    )]
    ReferenceInUse {
        /// As the user wrote it.
        reference: String,
        /// The container's short id.
        container: String,
        /// The image's short id.
        image: String,
    },
    /// `imageDeleteConflict`.
    #[error("conflict: unable to delete {image} ({}) - {why}", if why.is_hard() { "cannot be forced" } else { "must be forced" })]
    Conflict {
        /// The image's short id.
        image: String,
        /// The reason.
        why: Conflict,
    },
}

/// What keeps an image (moby `checkImageDeleteConflict`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// Images made from it.
    #[error("image has dependent child images")]
    Children,
    /// A running container.
    #[error("image is being used by running container {0}")]
    Running(String),
    /// Names in more than one repository.
    #[error("image is referenced in multiple repositories")]
    References,
    /// A stopped container.
    #[error("image is being used by stopped container {0}")]
    Stopped(String),
}

impl Conflict {
    const fn is_hard(&self) -> bool {
        matches!(self, Self::Children | Self::Running(_))
    }
}

/// What is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct DeleteOptions {
    /// `--force`.
    pub force: bool,
    /// Untagged parents go too (not with `--no-prune`).
    pub prune_parents: bool,
}

/// Deletes what `text` names: a reference, or an image with all its references.
///
/// # Errors
/// No such image; a conflict that keeps it.
pub fn delete(
    store: &mut Store,
    text: &str,
    options: DeleteOptions,
    usage: &dyn Fn(ImageId) -> Usage,
) -> Result<Vec<Removal>, DeleteError> {
    let id = store.resolve(text)?;
    let references = store.references_to(id);
    let mut removals = Vec::new();
    let mut quiet = false;
    if !is_id_prefix(id, text) {
        if !options.force
            && is_single(&references)
            && let Some(container) = usage(id).any()
        {
            return Err(DeleteError::ReferenceInUse {
                reference: text.to_owned(),
                container: container.clone(),
                image: id.short(),
            });
        }
        let reference = Reference::parse(text).map_err(StoreError::from)?.normalized();
        untag(store, &reference, &mut removals);
        let mut rest = store.references_to(id);
        let is_tag = |other: &Reference| other.digest().is_none();
        let same = |other: &Reference| other.repository() == reference.repository();
        // The last tag of a repository takes the repository's digests with it.
        if is_tag(&reference) && !rest.iter().any(|other| is_tag(other) && same(other)) {
            for other in rest.iter().filter(|other| same(other)) {
                untag(store, other, &mut removals);
            }
            rest.retain(|other| !same(other));
        }
        if !rest.is_empty() {
            return Ok(removals);
        }
        quiet = true;
    } else if is_single(&references) {
        if let Some(why) = conflict(store, id, options.force, true, usage) {
            return Err(DeleteError::Conflict { image: id.short(), why });
        }
        for reference in &references {
            untag(store, reference, &mut removals);
        }
    }
    delete_image(store, id, options, quiet, usage, &mut removals)?;
    Ok(removals)
}

fn untag(store: &mut Store, reference: &Reference, removals: &mut Vec<Removal>) {
    if let Some(id) = store.untag(reference) {
        removals.push(Removal::Untagged(reference.clone(), id));
    }
}

/// Whether there is at most one tag, and no digest of another repository.
fn is_single(references: &[Reference]) -> bool {
    if references.len() <= 1 {
        return true;
    }
    let mut tags = references.iter().filter(|reference| reference.digest().is_none());
    let (first, second) = (tags.next(), tags.next());
    if second.is_some() {
        return false;
    }
    let Some(single) = first.or(references.first()) else { return true };
    let mut digests = references.iter().filter(|reference| reference.digest().is_some()).peekable();
    digests.peek().is_some() && digests.all(|other| other.repository() == single.repository())
}

fn conflict(
    store: &Store,
    id: ImageId,
    force: bool,
    ignore_references: bool,
    usage: &dyn Fn(ImageId) -> Usage,
) -> Option<Conflict> {
    let used = usage(id);
    if store.children(id).next().is_some() {
        return Some(Conflict::Children);
    }
    if let Some(container) = used.running {
        return Some(Conflict::Running(container));
    }
    if force {
        return None;
    }
    if !ignore_references && !store.references_to(id).is_empty() {
        return Some(Conflict::References);
    }
    used.stopped.map(Conflict::Stopped)
}

fn delete_image(
    store: &mut Store,
    id: ImageId,
    options: DeleteOptions,
    quiet: bool,
    usage: &dyn Fn(ImageId) -> Usage,
    removals: &mut Vec<Removal>,
) -> Result<(), DeleteError> {
    let mut next = Some((id, options.force, quiet));
    while let Some((id, force, quiet)) = next.take() {
        if let Some(why) = conflict(store, id, force, false, usage) {
            let used = matches!(why, Conflict::Running(_) | Conflict::Stopped(_));
            let dangling = store.references_to(id).is_empty() && store.children(id).next().is_none();
            if quiet && (!dangling || used) {
                return Ok(());
            }
            return Err(DeleteError::Conflict { image: id.short(), why });
        }
        let parent = store.parent(id);
        for reference in store.references_to(id) {
            untag(store, &reference, removals);
        }
        let layers = store.remove_image(id);
        removals.push(Removal::Image(id));
        removals.extend(layers.into_iter().map(Removal::Layer));
        if options.prune_parents {
            next = parent.map(|parent| (parent, false, true));
        }
    }
    Ok(())
}

/// Deletes images that nothing uses: those without a tag, or all of them. `keep` takes images out (filters).
///
/// The bytes that were freed are the sum of the removed layers.
pub fn prune(
    store: &mut Store,
    all: bool,
    keep: &dyn Fn(&Store, ImageId) -> bool,
    usage: &dyn Fn(ImageId) -> Usage,
) -> (Vec<Removal>, u64) {
    let sizes: Vec<(ChainId, u64)> = store.layers().map(|layer| (layer.chain_id, layer.size_bytes)).collect();
    let candidates: Vec<ImageId> = store.images().map(super::Image::id).collect();
    let mut removals = Vec::new();
    let options = DeleteOptions { force: false, prune_parents: true };
    for id in candidates {
        if store.image(id).is_none() || keep(store, id) {
            continue;
        }
        let references = store.references_to(id);
        // What is in the middle of a classic build goes with its end.
        if references.is_empty() && store.children(id).next().is_some() {
            continue;
        }
        let has_tag = references.iter().any(|reference| reference.digest().is_none());
        if has_tag && !all {
            continue;
        }
        if references.is_empty() {
            removals.extend(delete(store, &id.0.hex(), options, usage).unwrap_or_default());
        }
        for reference in references {
            // The digests of a repository may have gone with its last tag.
            if store.lookup(&reference) == Some(id) {
                removals.extend(delete(store, &reference.to_string(), options, usage).unwrap_or_default());
            }
        }
    }
    let freed = |removal: &Removal| match removal {
        Removal::Layer(chain) => sizes.iter().find(|(own, _)| own == chain).map_or(0, |(_, size)| *size),
        _ => 0,
    };
    let freed_bytes = removals.iter().map(freed).sum();
    (removals, freed_bytes)
}

#[cfg(test)]
mod tests {
    use super::super::store::tests::{add, check, name};
    use super::*;
    use crate::base::digest::{Digest, ManifestDigest};
    use crate::base::time::Timestamp;
    use proptest::prelude::*;

    const OPTIONS: DeleteOptions = DeleteOptions { force: false, prune_parents: true };
    const FORCE: DeleteOptions = DeleteOptions { force: true, prune_parents: true };

    fn unused(_: ImageId) -> Usage {
        Usage::default()
    }

    fn lines(removals: &[Removal]) -> Vec<String> {
        removals
            .iter()
            .map(|removal| removal.to_string().split("sha256:").next().unwrap_or_default().to_owned())
            .collect()
    }

    #[test]
    fn the_last_tag_takes_image_digests_and_layers_with_it() {
        let mut store = Store::default();
        let id = add(&mut store, None, &["a", "b"], "x");
        store.tag(name("app:v1"), id, Timestamp(0));
        store.tag(name("app:v2"), id, Timestamp(0));
        let digest = ManifestDigest(Digest::of(b"m"));
        store.tag(Reference::digested(name("app").repository().clone(), digest), id, Timestamp(0));
        assert_eq!(lines(&delete(&mut store, "app:v2", OPTIONS, &unused).unwrap()), ["Untagged: app:v2"]);
        let removals = delete(&mut store, "app:v1", OPTIONS, &unused).unwrap();
        assert_eq!(lines(&removals), ["Untagged: app:v1", "Untagged: app@", "Deleted: ", "Deleted: ", "Deleted: "]);
        assert_eq!(removals[2], Removal::Image(id));
        assert_eq!(store.layers().count(), 0);
    }

    #[test]
    fn what_is_in_use_stays_and_says_why() {
        let mut store = Store::default();
        let id = add(&mut store, None, &["a"], "x");
        store.tag(name("app"), id, Timestamp(0));
        let running = |_| Usage { running: Some("c0ffee000000".into()), stopped: None };
        let stopped = |_| Usage { running: None, stopped: Some("c0ffee000000".into()) };
        let short = id.short();
        let fail = |store: &mut Store, text: &str, options, usage: &dyn Fn(ImageId) -> Usage| {
            delete(store, text, options, usage).unwrap_err().to_string()
        };
        assert_eq!(
            fail(&mut store, "app", OPTIONS, &stopped),
            format!(
                "conflict: unable to remove repository reference \"app\" (must force) - container c0ffee000000 is using its referenced image {short}"
            )
        );
        assert_eq!(
            fail(&mut store, &short, FORCE, &running),
            format!(
                "conflict: unable to delete {short} (cannot be forced) - image is being used by running container c0ffee000000"
            )
        );
        assert_eq!(
            fail(&mut store, &short, OPTIONS, &stopped),
            format!(
                "conflict: unable to delete {short} (must be forced) - image is being used by stopped container c0ffee000000"
            )
        );
        // By name and forced, a running container keeps the image but not its name.
        let mut copy = store.clone();
        assert_eq!(lines(&delete(&mut copy, "app", FORCE, &running).unwrap()), ["Untagged: app:latest"]);
        assert!(copy.image(id).is_some());
        store.tag(name("other/app"), id, Timestamp(0));
        assert_eq!(
            fail(&mut store, &short, OPTIONS, &unused),
            format!(
                "conflict: unable to delete {short} (must be forced) - image is referenced in multiple repositories"
            )
        );
        let child = add(&mut store, Some(id), &["b"], "y");
        store.set_parent(child, id);
        assert_eq!(
            fail(&mut store, &short, FORCE, &unused),
            format!("conflict: unable to delete {short} (cannot be forced) - image has dependent child images")
        );
        assert_eq!(fail(&mut store, "nope", OPTIONS, &unused), "No such image: nope:latest");
    }

    #[test]
    fn untagged_parents_go_with_their_last_child() {
        let mut store = Store::default();
        let base = add(&mut store, None, &["a"], "base");
        let middle = add(&mut store, Some(base), &["b"], "middle");
        let top = add(&mut store, Some(middle), &["c"], "top");
        store.set_parent(middle, base);
        store.set_parent(top, middle);
        store.tag(name("base"), base, Timestamp(0));
        store.tag(name("top"), top, Timestamp(0));
        let removals = delete(&mut store, "top", OPTIONS, &unused).unwrap();
        assert_eq!(removals.iter().filter(|removal| matches!(removal, Removal::Image(_))).count(), 2);
        assert!(store.image(base).is_some() && store.image(middle).is_none());
    }

    proptest! {
        #[test]
        fn prune_keeps_what_is_referenced(
            tags in prop::collection::vec((0usize..6, 0usize..4), 0..6),
            bases in prop::collection::vec(0usize..6, 6),
            all: bool,
            used in 0usize..6,
        ) {
            let mut store = Store::default();
            let mut ids: Vec<ImageId> = Vec::new();
            for (index, base) in bases.iter().enumerate() {
                let base = ids.get(*base).copied();
                let id = add(&mut store, base, &[["a", "b", "c", "d", "e", "f"][index]], "");
                if let Some(base) = base { store.set_parent(id, base); }
                ids.push(id);
            }
            for (image, tag) in tags {
                store.tag(name(["p", "q", "r", "s"][tag]), ids[image], Timestamp(0));
            }
            let tagged: Vec<ImageId> = store.references().map(|(_, id)| id).collect();
            let container = |id| if id == ids[used] { Usage { running: Some("c".into()), stopped: None } } else { Usage::default() };
            let before = store.layers().map(|layer| layer.size_bytes).sum::<u64>();
            let (_, freed) = prune(&mut store, all, &|_, _| false, &container);
            check(&store);
            prop_assert!(store.image(ids[used]).is_some(), "an image in use is gone");
            if !all {
                tagged.iter().for_each(|id| assert!(store.image(*id).is_some(), "a tagged image is gone"));
            }
            prop_assert_eq!(before - freed, store.layers().map(|layer| layer.size_bytes).sum::<u64>());
            for id in ids.iter().copied() {
                if store.image(id).is_some() && store.references_to(id).is_empty() && store.children(id).next().is_none() {
                    prop_assert_eq!(container(id).running.is_some(), true, "a dangling image is left");
                }
            }
        }
    }
}
