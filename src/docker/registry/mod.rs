//! Registries: repositories, tags, manifests and blobs.
//!
//! A registry keeps a blob once, however many repositories use it. The catalogue's images are made when they are first
//! asked for, by a [`Baker`] that the machine gives: a registry knows recipes ([`recipes`]), not how to build. What an
//! image weighs on its way is the size of its blobs' gzip form.

pub mod git;
pub mod recipes;
pub mod shelf;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use crate::base::digest::{BlobDigest, DiffId, ImageId, ManifestDigest};
use crate::docker::image::config::Image;
use crate::docker::image::manifest::{Blob, Manifest, ManifestForm};
use crate::docker::image::reference::{Reference, Repository};
use crate::docker::image::store::{Store, StoredLayer};
use crate::os::fs::layer::Layer;

use recipes::Recipe;

/// A layer as a registry holds it.
#[derive(Debug, Clone)]
pub struct PublishedLayer {
    /// Its compressed form.
    pub blob: Blob,
    /// The digest of its uncompressed form.
    pub diff_id: DiffId,
    /// Its changes.
    pub layer: Arc<Layer>,
}

/// An image as a registry holds it.
#[derive(Debug, Clone)]
pub struct Published {
    /// The config.
    pub image: Image,
    /// The layers, lowest first.
    pub layers: Vec<PublishedLayer>,
    /// The manifest.
    pub manifest: Manifest,
}

impl Published {
    /// A stored image as it goes to a registry.
    pub fn of(store: &Store, id: ImageId) -> Option<Self> {
        let image = store.image(id)?.clone();
        let published = |stored: &StoredLayer| PublishedLayer {
            blob: store.memo().blob(&stored.layer.to_tar()),
            diff_id: stored.diff_id,
            layer: stored.layer.clone(),
        };
        let layers: Vec<PublishedLayer> = store.stack(image.config().chain_id()).into_iter().map(published).collect();
        let config = Blob { digest: BlobDigest(id.0), size_bytes: image.bytes().len() as u64 };
        let blobs = layers.iter().map(|layer| layer.blob).collect();
        Some(Self { image, layers, manifest: Manifest { form: ManifestForm::Docker, config, layers: blobs } })
    }

    /// The manifest's digest, which names the image in a registry.
    pub fn digest(&self) -> ManifestDigest {
        self.manifest.digest()
    }
}

/// Makes the image of a recipe; `None` when its build fails.
pub type Baker = Rc<dyn Fn(&'static Recipe) -> Option<Published>>;

/// Why a registry refuses. The daemon puts these into Docker's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// No such repository, or not for this account (distribution `errcode`: DENIED).
    #[error("requested access to the resource is denied")]
    Denied,
    /// The repository has no such tag or digest (distribution `errcode`: MANIFEST_UNKNOWN).
    #[error("manifest unknown")]
    ManifestUnknown,
    /// Nothing answers under the registry's name.
    #[error("no such host")]
    Unreachable,
}

/// One repository's tags and manifests.
#[derive(Debug, Default)]
struct Tags {
    tags: BTreeMap<String, ManifestDigest>,
    manifests: BTreeSet<ManifestDigest>,
}

#[derive(Default)]
struct State {
    repositories: BTreeMap<Repository, Tags>,
    manifests: BTreeMap<ManifestDigest, Rc<Published>>,
    /// Which repositories hold a blob: what is there is not sent again.
    blobs: BTreeMap<BlobDigest, BTreeSet<Repository>>,
    /// Recipes that were made, or could not be.
    baked: BTreeMap<(&'static str, &'static str), Option<ManifestDigest>>,
    /// Passwords by account.
    accounts: BTreeMap<String, String>,
}

/// All registries that can be reached: a handle, cheap to clone.
#[derive(Clone)]
pub struct Registry {
    state: Rc<RefCell<State>>,
    baker: Baker,
}

impl Registry {
    /// Registries whose catalogue `baker` makes.
    pub fn new(baker: Baker) -> Self {
        Self { state: Rc::default(), baker }
    }

    /// The image that a reference names, by tag or by digest.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub fn resolve(&self, reference: &Reference) -> Result<Rc<Published>, RegistryError> {
        let repository = reference.repository();
        if repository.domain() != "docker.io" && !self.state.borrow().repositories.contains_key(repository) {
            return Err(RegistryError::Unreachable);
        }
        self.bake(repository, reference.tag());
        let state = self.state.borrow();
        let Some(tags) = state.repositories.get(repository) else {
            let known = recipes::repositories().any(|path| path == repository.path());
            return Err(if known { RegistryError::ManifestUnknown } else { RegistryError::Denied });
        };
        let digest = match (reference.digest(), reference.tag()) {
            (Some(digest), _) => tags.manifests.get(&digest).copied(),
            (None, tag) => tags.tags.get(tag.unwrap_or("latest")).copied(),
        };
        digest.and_then(|digest| state.manifests.get(&digest).cloned()).ok_or(RegistryError::ManifestUnknown)
    }

    /// Makes the recipes of a repository that a request may mean: one tag's, or all.
    fn bake(&self, repository: &Repository, tag: Option<&str>) {
        for recipe in recipes::all().filter(|recipe| recipe.repository == repository.path()) {
            let wanted = tag.is_none_or(|tag| recipe.tags().any(|own| own == tag));
            let key = (recipe.repository, recipe.tags);
            if !wanted || self.state.borrow().baked.contains_key(&key) {
                continue;
            }
            // The baker asks this registry for the base image, so nothing may be borrowed here.
            let published = (self.baker)(recipe);
            self.state.borrow_mut().baked.insert(key, published.as_ref().map(Published::digest));
            if let Some(published) = published {
                let published = Rc::new(published);
                for tag in recipe.tags() {
                    self.enter(repository, Some(tag), &published);
                }
            }
        }
    }

    /// Takes a pushed image in. Blobs it has in any repository need not be sent again.
    pub fn publish(&self, reference: &Reference, published: Published) -> ManifestDigest {
        let published = Rc::new(published);
        self.enter(reference.repository(), Some(reference.tag().unwrap_or("latest")), &published);
        published.digest()
    }

    fn enter(&self, repository: &Repository, tag: Option<&str>, published: &Rc<Published>) {
        let digest = published.digest();
        let mut state = self.state.borrow_mut();
        let tags = state.repositories.entry(repository.clone()).or_default();
        tags.manifests.insert(digest);
        if let Some(tag) = tag {
            tags.tags.insert(tag.to_owned(), digest);
        }
        for layer in &published.layers {
            state.blobs.entry(layer.blob.digest).or_default().insert(repository.clone());
        }
        state.manifests.insert(digest, Rc::clone(published));
    }

    /// The repositories of a registry that hold a blob, for `Layer already exists` and `Mounted from`.
    pub fn holders(&self, domain: &str, blob: BlobDigest) -> Vec<Repository> {
        let state = self.state.borrow();
        let holders = state.blobs.get(&blob).into_iter().flatten();
        holders.filter(|repository| repository.domain() == domain).cloned().collect()
    }

    /// The tags of a repository, recipes' tags included, sorted.
    pub fn tags(&self, repository: &Repository) -> Vec<String> {
        let mut tags: BTreeSet<String> = recipes::all()
            .filter(|recipe| repository.domain() == "docker.io" && recipe.repository == repository.path())
            .flat_map(Recipe::tags)
            .map(str::to_owned)
            .collect();
        if let Some(own) = self.state.borrow().repositories.get(repository) {
            tags.extend(own.tags.keys().cloned());
        }
        tags.into_iter().collect()
    }

    /// Whether these are an account's name and password. The Hub here has no list of accounts: whoever comes first with
    /// a name opens the account, and its password is then the one to give.
    pub fn authenticate(&self, name: &str, password: &str) -> bool {
        // The official images are nobody's to push.
        if name.is_empty() || name == "library" {
            return false;
        }
        let mut state = self.state.borrow_mut();
        let known = state.accounts.entry(name.to_lowercase()).or_insert_with(|| password.to_owned());
        known == password
    }

    /// Whether an account may push to a repository: to its own.
    pub fn may_push(repository: &Repository, account: &str) -> bool {
        repository.path().split('/').next() == Some(account.to_lowercase().as_str())
    }

    /// The Hub's repositories that a term fits, what fits best first, with what is told of them.
    pub fn search(&self, term: &str) -> Vec<(String, &'static str, u32)> {
        let term = term.to_lowercase();
        let mut paths: BTreeSet<String> = recipes::repositories().map(str::to_owned).collect();
        let pushed = self.state.borrow().repositories.keys().cloned().collect::<Vec<_>>();
        paths.extend(pushed.iter().filter(|own| own.domain() == "docker.io").map(|own| own.path().to_owned()));
        let mut found: Vec<(String, &'static str, u32)> = Vec::new();
        for path in paths {
            let (about, stars) = recipes::about(&path);
            if path.contains(&term) || about.to_lowercase().contains(&term) {
                let name = path.strip_prefix("library/").unwrap_or(&path);
                let at = found.iter().position(|(other, _, less)| *other != term && (name == term || *less < stars));
                found.insert(at.unwrap_or(found.len()), (name.to_owned(), about, stars));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_names_are_refused_as_hub_refuses_them() {
        let registry = Registry::new(Rc::new(|_| None));
        let ask = |name: &str| {
            let reference = Reference::parse(name).unwrap().with_default_tag();
            registry.resolve(&reference).map(drop)
        };
        assert_eq!(ask("nope"), Err(RegistryError::Denied));
        assert_eq!(ask("ubuntu:nope"), Err(RegistryError::ManifestUnknown));
        assert_eq!(ask("localhost:5000/x"), Err(RegistryError::Unreachable));
    }
}
