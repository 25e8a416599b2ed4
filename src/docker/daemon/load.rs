//! `docker load` and `docker import`: archives become images (moby `image/tarexport/load.go`, `daemon/images/image_import.go`).
//!
//! An archive is distrusted: all of it is read and every digest is checked before the store changes, and then the store
//! changes at once, so that a damaged archive leaves nothing behind. Ids never change by being loaded.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bstr::{BString, ByteSlice};
use serde_json::{Map, Value, json};

use super::api::image::{Progress, ProgressSink};
use super::api::system::EventKind;
use super::archive::apply_changes;
use super::errors::{DaemonError, LoadError};
use super::handle::Daemon;
use super::pull::{EXTRACT_BYTES, STEP};
use super::save::{NAME_ANNOTATION, REF_ANNOTATION};
use crate::base::digest::{ChainId, DiffId, Digest, Hasher, ImageId};
use crate::base::path;
use crate::base::rope::Rope;
use crate::docker::image::config::{ContainerConfig, Form, History, Image, ImageConfig, go_json};
use crate::docker::image::memo::TarFacts;
use crate::docker::image::reference::Reference;
use crate::docker::image::store::{MAX_LAYER_DEPTH, StoreError};
use crate::os::fs::layer::{Layer, Reading};
use crate::os::fs::node::Content;
use crate::os::fs::packed::{Packing, Unpacking};
use crate::os::fs::tar;

/// What an archive may unpack to, in bytes. What is stored, not compressed, may be larger.
const MAX_UNPACKED_BYTES: u64 = 1 << 29;
/// What an item of an archive counts as work, in bytes.
const ITEM_BYTES: u64 = 1 << 12;
/// The longest document that is read, in bytes.
const MAX_DOCUMENT_BYTES: u64 = 1 << 23;
/// Symbolic links that are followed for one name.
const MAX_LINKS: usize = 16;
/// Letters of an id that are told (moby `stringid` `shortLen`).
const SHORT_ID: usize = 12;
/// Indexes within indexes, and parents of parents.
const MAX_NESTING: usize = 1000;

type Answer<T> = Result<T, DaemonError>;

/// Long work on an archive is done in parts of about this many bytes, between which others run.
const PART_BYTES: u64 = 2 << 20;
/// How long a part takes.
const PART: Duration = Duration::from_millis(5);

/// Counts bytes of long work and lets others run after each part.
struct Parts<'a> {
    daemon: &'a Daemon,
    next: u64,
}

impl<'a> Parts<'a> {
    const fn new(daemon: &'a Daemon) -> Self {
        Self { daemon, next: PART_BYTES }
    }

    /// Whether a part ended here.
    async fn at(&mut self, done: u64) -> bool {
        let ended = done >= self.next;
        if ended {
            self.next = done + PART_BYTES;
            self.daemon.0.kernel.sleep(PART).await;
        }
        ended
    }
}

/// Work on a layer's archive, one after the other; each counts as much as the others.
#[derive(Clone, Copy)]
enum Work {
    Unpack,
    Hash,
    Read,
    Store,
}

/// Tells how far the work on a layer is, as part of its archive's bytes (moby `progress.NewProgressReader`).
struct Bar<'a> {
    sink: &'a dyn Fn(Progress),
    id: String,
    size_bytes: u64,
    /// What the work begins with: what isn't compressed needn't be unpacked.
    first: Work,
}

impl Bar<'_> {
    /// Nobody is told.
    const NONE: Bar<'static> = Bar { sink: &|_| (), id: String::new(), size_bytes: 0, first: Work::Unpack };

    /// `done` of `all` bytes of this work have been done.
    fn at(&self, work: Work, done: u64, all: u64) {
        let parts = Work::Store as u64 + 1 - self.first as u64;
        // Sizes are those of archives, far from where this would overflow.
        let own = u128::from(self.size_bytes) * u128::from(done.min(all)) / u128::from(all.max(1));
        let before = u128::from(self.size_bytes) * u128::from((work as u64).saturating_sub(self.first as u64));
        let current = u64::try_from((before + own) / u128::from(parts)).unwrap_or(self.size_bytes);
        let detail = Some((current, self.size_bytes));
        (self.sink)(Progress::Layer { id: self.id.clone(), status: "Loading layer".to_owned(), detail });
    }
}

/// The plain form of a file that may be compressed (moby `archive.DecompressStream`), found part by part.
async fn plain(daemon: &Daemon, content: &Rope, limit: u64, bar: &Bar<'_>) -> Answer<Rope> {
    let Some(packing) = Packing::of(&content.head(8)) else { return Ok(content.clone()) };
    let (mut unpacking, mut parts) = (Unpacking::new(packing, content, limit), Parts::new(daemon));
    while unpacking.step().map_err(LoadError::Packed)? {
        if parts.at(unpacking.len()).await {
            bar.at(Work::Unpack, unpacking.position(), content.len());
        }
    }
    Ok(unpacking.finish())
}

/// Reads a layer's plain archive part by part.
async fn read_layer(daemon: &Daemon, archive: &Rope, bar: &Bar<'_>) -> Answer<Layer> {
    let (mut reading, mut parts) = (Reading::new(archive), Parts::new(daemon));
    // A header is work too.
    let mut items = 0;
    while reading.step().map_err(LoadError::Tar)? {
        items += 1;
        if parts.at(reading.position() + items * ITEM_BYTES).await {
            bar.at(Work::Read, reading.position(), archive.len());
        }
    }
    Ok(reading.finish().with_archive(archive))
}

/// Hashes a long file part by part; what follows finds its digest remembered. Generated content is none of a visitor's, and
/// soon hashed.
async fn hash_in_parts(daemon: &Daemon, content: &Rope, bar: &Bar<'_>) {
    if content.len() < PART_BYTES || !content.is_written() {
        return;
    }
    let (mut reader, mut hasher) = (content.reader(), Hasher::new());
    while reader.remaining() > 0 {
        reader.take(PART_BYTES).for_each_chunk(|chunk| hasher.update(chunk));
        bar.at(Work::Hash, reader.position(), content.len());
        daemon.0.kernel.sleep(PART).await;
    }
    let digest = hasher.finish();
    let key = content.note_digest(digest);
    let facts = TarFacts { diff_id: DiffId(digest), size_bytes: content.len(), blob: None };
    daemon.0.store.borrow().memo().preload(key, facts);
}

/// A layer that was read.
#[derive(Clone)]
struct Read {
    diff_id: DiffId,
    layer: Arc<Layer>,
}

/// An image that was read and checked.
struct Ready {
    image: Image,
    layers: Vec<Arc<Layer>>,
    references: Vec<Reference>,
    parent: Option<ImageId>,
}

/// An archive's files, and what was read of them.
struct Archive<'a> {
    daemon: &'a Daemon,
    sink: ProgressSink,
    files: BTreeMap<BString, Content>,
    /// The number in the name of the folder that Docker would unpack to.
    number: u64,
    /// What it may still unpack to, in bytes.
    room: u64,
    read: BTreeMap<String, Read>,
    /// Layers of images that were read, by the stacks that they end.
    stacks: BTreeMap<ChainId, Arc<Layer>>,
    images: Vec<Ready>,
}

impl<'a> Archive<'a> {
    async fn open(daemon: &'a Daemon, archive: &Rope, sink: ProgressSink) -> Answer<Self> {
        let tar = plain(daemon, archive, MAX_UNPACKED_BYTES, &Bar::NONE).await?;
        let room = if tar.len() == archive.len() { MAX_UNPACKED_BYTES } else { MAX_UNPACKED_BYTES - tar.len() };
        let (mut files, mut parts) = (BTreeMap::new(), Parts::new(daemon));
        for (at, item) in (0..).zip(tar::Reader::new(&tar)) {
            let item = item.map_err(LoadError::Tar)?;
            let content = match item.body {
                tar::Body::Entry(entry) => entry.content,
                tar::Body::HardLink(target) => Content::Symlink(path::join(b"/", &target)),
            };
            files.insert(item.path, content);
            parts.at(at * ITEM_BYTES).await;
        }
        let number = daemon.0.rng.borrow_mut().below(4_000_000_000);
        let (read, stacks, images) = Default::default();
        Ok(Self { daemon, sink, files, number, room, read, stacks, images })
    }

    fn missing(&self, path: &str) -> DaemonError {
        LoadError::Missing { number: self.number, path: path.to_owned() }.into()
    }

    /// A file; links are followed, but never out of the archive.
    fn file(&self, name: &str) -> Answer<&Rope> {
        let mut at = path::normalize(&path::join(b"/", name.as_bytes()));
        for _ in 0..MAX_LINKS {
            match self.files.get(at.trim_start_with(|c| c == '/').as_bstr()) {
                Some(Content::File(rope)) => return Ok(rope),
                Some(Content::Symlink(target)) => at = path::normalize(&path::join(path::parent(&at), target)),
                _ => break,
            }
        }
        Err(self.missing(name))
    }

    fn has(&self, name: &str) -> bool {
        self.files.contains_key(name.as_bytes().as_bstr())
    }

    fn document(&self, name: &str) -> Answer<Vec<u8>> {
        let content = self.file(name)?;
        if content.len() > MAX_DOCUMENT_BYTES {
            return Err(LoadError::Tar(tar::TarError::TooLarge).into());
        }
        Ok(content.to_vec())
    }

    fn json(&self, name: &str) -> Answer<Value> {
        parse(&self.document(name)?)
    }

    /// Reads a layer's archive, once, and tells how far it is under this id.
    async fn layer(&mut self, name: &str, id: String) -> Answer<Read> {
        if let Some(read) = self.read.get(name) {
            return Ok(read.clone());
        }
        let file = self.file(name)?.clone();
        let sink = Rc::clone(&self.sink);
        let first = if Packing::of(&file.head(8)).is_some() { Work::Unpack } else { Work::Hash };
        let bar = Bar { sink: &*sink, id, size_bytes: file.len(), first };
        let tar = plain(self.daemon, &file, self.room, &bar).await?;
        if Packing::of(&file.head(8)).is_some() {
            self.room = self.room.saturating_sub(tar.len());
        }
        hash_in_parts(self.daemon, &tar, &bar).await;
        let layer = read_layer(self.daemon, &tar, &bar).await?;
        let diff_id = self.daemon.0.store.borrow().memo().diff_id(&tar);
        self.store_slowly(tar.len(), &bar).await;
        let read = Read { diff_id, layer: Arc::new(layer) };
        self.read.insert(name.to_owned(), read.clone());
        Ok(read)
    }

    /// What a disk takes for a layer of this size.
    async fn store_slowly(&self, size_bytes: u64, bar: &Bar<'_>) {
        let mut done = 0;
        while done < size_bytes {
            self.daemon.0.kernel.sleep(STEP).await;
            done = size_bytes.min(done + EXTRACT_BYTES / 10);
            bar.at(Work::Store, done, size_bytes);
        }
    }

    /// Notes a layer on top of a stack; tells the new stack. What is in the store already need not be in the archive.
    fn stack(&mut self, below: Option<ChainId>, diff_id: DiffId, read: Option<&Read>) -> ChainId {
        let chain = below.map_or(ChainId(diff_id.0), |below| below.then(diff_id));
        if let (Some(read), false) = (read, self.stacks.contains_key(&chain)) {
            self.stacks.insert(chain, Arc::clone(&read.layer));
        }
        chain
    }

    /// Notes an image whose layers stand in the files named.
    async fn image(&mut self, config: &[u8], files: &[String]) -> Answer<usize> {
        let image = Image::from_json(config).map_err(LoadError::Config)?;
        let diff_ids = image.config().diff_ids.clone();
        if !matches!(image.config().os.as_str(), "" | "linux") {
            return Err(LoadError::Os(image.config().os.clone()).into());
        }
        if files.len() != diff_ids.len() {
            return Err(LoadError::LayerCount { expected: files.len(), actual: diff_ids.len() }.into());
        }
        if diff_ids.len() > MAX_LAYER_DEPTH {
            return Err(StoreError::MaxDepth.into());
        }
        let (mut chain, mut layers) = (None, Vec::new());
        for (index, (diff_id, file)) in diff_ids.iter().zip(files).enumerate() {
            let next = chain.map_or(ChainId(diff_id.0), |below: ChainId| below.then(*diff_id));
            let stored = self.daemon.0.store.borrow().layer(next).map(|stored| Arc::clone(&stored.layer));
            let known = stored.or_else(|| self.stacks.get(&next).cloned());
            let layer = match known {
                Some(layer) => layer,
                None => {
                    let read = self.layer(file, diff_id.short()).await?;
                    if read.diff_id != *diff_id {
                        let (expected, got) = (diff_id.to_string(), read.diff_id.to_string());
                        return Err(DaemonError::WrongDiffId { index, expected, got });
                    }
                    self.stack(chain, *diff_id, Some(&read));
                    read.layer
                }
            };
            layers.push(layer);
            chain = Some(next);
        }
        self.images.push(Ready { image, layers, references: Vec::new(), parent: None });
        Ok(self.images.len() - 1)
    }

    /// `manifest.json`: the archives of Docker since 1.10.
    async fn docker(&mut self) -> Answer<()> {
        let manifest = self.json("manifest.json")?;
        let Value::Array(items) = manifest else {
            return Err(if manifest.is_null() { LoadError::NullManifest } else { LoadError::Shape }.into());
        };
        for item in &items {
            let config = self.document(text(item, "Config")?)?;
            let at = self.image(&config, &texts(item, "Layers")?).await?;
            for name in texts(item, "RepoTags")? {
                let reference = Reference::parse(&name).map_err(StoreError::Reference)?;
                if reference.tag().is_none() || reference.digest().is_some() {
                    return Err(LoadError::Tag(name).into());
                }
                if let Some(image) = self.images.get_mut(at) {
                    image.references.push(reference);
                }
            }
            if let Some(image) = self.images.get_mut(at) {
                image.parent = item.get("Parent").and_then(Value::as_str).and_then(|parent| parent.parse().ok());
            }
        }
        Ok(())
    }

    /// `index.json` without a `manifest.json`: an OCI layout of another tool.
    async fn oci(&mut self) -> Answer<()> {
        let mut queue = vec![(self.json("index.json")?, String::new(), true)];
        for _ in 0..MAX_NESTING {
            let Some((document, name, is_top)) = queue.pop() else { break };
            let Some(Value::Array(entries)) = document.get("manifests") else {
                self.oci_image(&document, &name).await?;
                continue;
            };
            // Lists of platforms hold proofs of origin too, which are no images.
            let is_image = |entry: &&Value| {
                let of = |key: &str| entry.get("platform").and_then(|platform| platform.get(key)?.as_str());
                of("os").is_none_or(|os| os == "linux") && of("architecture").is_none_or(|own| own != "unknown")
            };
            let is_ours = |entry: &&Value| {
                entry.get("platform").and_then(|platform| platform.get("architecture")?.as_str()) == Some("amd64")
            };
            // At the top are images; below, the same image for several machines.
            let all: Vec<&Value> = entries.iter().filter(is_image).collect();
            let mut chosen = all.clone();
            if !is_top {
                chosen.retain(is_ours);
                chosen.truncate(1);
            }
            if chosen.is_empty() {
                chosen = all;
            }
            let label = |entry: &'_ Value, key: &str| Some(entry.get("annotations")?.get(key)?.as_str()?.to_owned());
            for entry in chosen.into_iter().rev() {
                // Other tools put a name, and not just a tag, into the standard's own annotation.
                let other = || label(entry, REF_ANNOTATION).filter(|name| name.contains(':'));
                let own = label(entry, NAME_ANNOTATION).or_else(other);
                queue.push((parse(&self.blob(entry)?)?, own.unwrap_or_else(|| name.clone()), false));
            }
        }
        Ok(())
    }

    async fn oci_image(&mut self, manifest: &Value, name: &str) -> Answer<()> {
        let config = self.blob(manifest.get("config").ok_or(LoadError::Shape)?)?;
        let Some(Value::Array(layers)) = manifest.get("layers") else { return Err(LoadError::Shape.into()) };
        let files = layers.iter().map(|layer| Ok(blob_file(digest(layer)?))).collect::<Answer<Vec<_>>>()?;
        let at = self.image(&config, &files).await?;
        if let (false, Some(image)) = (name.is_empty(), self.images.get_mut(at)) {
            image.references.push(Reference::parse(name).map_err(StoreError::Reference)?.with_default_tag());
        }
        Ok(())
    }

    /// A document that a descriptor points at, checked.
    fn blob(&self, descriptor: &Value) -> Answer<Vec<u8>> {
        let expected = digest(descriptor)?;
        let bytes = self.document(&blob_file(expected))?;
        let got = Digest::of(&bytes);
        if got == expected { Ok(bytes) } else { Err(LoadError::Digest { expected, got }.into()) }
    }

    /// A folder an image: Docker before 1.10 (moby `legacyLoad`).
    async fn legacy(&mut self) -> Answer<()> {
        // Folders need no entry of their own.
        let top = |(name, content): (&BString, &Content)| match name.split_once_str("/") {
            Some((dir, _)) => Some(dir.to_str_lossy().into_owned()),
            None if name.is_empty() || !matches!(content, Content::Dir { .. }) => None,
            None => Some(name.to_str_lossy().into_owned()),
        };
        let mut dirs: Vec<String> = self.files.iter().filter_map(top).collect();
        dirs.dedup();
        let mut loaded: BTreeMap<String, usize> = BTreeMap::new();
        for dir in dirs {
            // Parents first.
            let mut line = vec![dir];
            while let Some(last) = line.last() {
                let document = self.json(&format!("{last}/json"))?;
                match document.get("parent").or_else(|| document.get("Parent")).and_then(Value::as_str) {
                    Some(parent) if !parent.is_empty() && !loaded.contains_key(parent) => line.push(parent.to_owned()),
                    _ => break,
                }
                if line.len() > MAX_NESTING {
                    return Err(StoreError::MaxDepth.into());
                }
            }
            while let Some(name) = line.pop() {
                if !loaded.contains_key(&name) {
                    let at = self.legacy_image(&name, &loaded).await?;
                    loaded.insert(name, at);
                }
            }
        }
        let repositories = self.json("repositories")?;
        for (name, tags) in repositories.as_object().ok_or(LoadError::Shape)? {
            for (tag, id) in tags.as_object().ok_or(LoadError::Shape)? {
                let id = id.as_str().unwrap_or_default();
                let at = loaded.get(id).ok_or_else(|| LoadError::Target(id.to_owned()))?;
                let reference = Reference::parse(&format!("{name}:{tag}")).map_err(StoreError::Reference)?;
                if let Some(image) = self.images.get_mut(*at) {
                    image.references.push(reference);
                }
            }
        }
        Ok(())
    }

    /// One folder: its config gets the layers and the history that the new format keeps there (moby `MakeConfigFromV1Config`).
    async fn legacy_image(&mut self, name: &str, loaded: &BTreeMap<String, usize>) -> Answer<usize> {
        let document = self.json(&format!("{name}/json"))?;
        let old = document.as_object().ok_or(LoadError::Shape)?;
        let parent = old.get("parent").and_then(Value::as_str).and_then(|parent| loaded.get(parent));
        let parent = parent.and_then(|at| self.images.get(*at));
        let (base, parent) =
            (parent.map(|p| p.image.config().clone()).unwrap_or_default(), parent.map(|p| p.image.id()));
        let read = self.layer(&format!("{name}/layer.tar"), name.chars().take(SHORT_ID).collect()).await?;
        let mut diff_ids = base.diff_ids;
        diff_ids.push(read.diff_id);
        if diff_ids.len() > MAX_LAYER_DEPTH {
            return Err(StoreError::MaxDepth.into());
        }
        let text = |name: &str| old.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let command = old.get("container_config").map(|config| texts(config, "Cmd")).transpose()?.unwrap_or_default();
        let mut history = base.history;
        history.push(History {
            created: crate::base::time::Timestamp::parse_rfc3339(&text("created")),
            created_by: command.join(" "),
            author: text("author"),
            comment: text("comment"),
            empty_layer: false,
        });
        const GONE: [&str; 6] = ["id", "parent", "Size", "parent_id", "layer_id", "throwaway"];
        let mut fields: BTreeMap<String, Value> = old
            .iter()
            .filter(|(name, _)| !GONE.contains(&name.as_str()))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        let ids: Vec<String> = diff_ids.iter().map(ToString::to_string).collect();
        fields.insert("rootfs".into(), json!({"type": "layers", "diff_ids": ids}));
        fields.insert("history".into(), history.iter().map(History::to_value).collect());
        let config = go_json(&Value::Object(fields.into_iter().collect::<Map<_, _>>()));
        let image = Image::from_json(&config).map_err(LoadError::Config)?;
        let mut layers: Vec<Arc<Layer>> = Vec::new();
        let mut chain = None;
        for diff_id in &diff_ids {
            let next = self.stack(chain, *diff_id, (*diff_id == read.diff_id).then_some(&read));
            layers.push(self.stacks.get(&next).cloned().ok_or(StoreError::NoSuchLayer)?);
            chain = Some(next);
        }
        self.images.push(Ready { image, layers, references: Vec::new(), parent });
        Ok(self.images.len() - 1)
    }
}

/// Go's words for what its JSON decoder refuses.
fn parse(bytes: &[u8]) -> Answer<Value> {
    serde_json::from_slice(bytes).map_err(|error| {
        if error.is_eof() {
            return LoadError::Tar(tar::TarError::Truncated).into();
        }
        let line = bytes.lines().nth(error.line().saturating_sub(1)).unwrap_or_default();
        let found = line.get(error.column().saturating_sub(1)).copied().unwrap_or(b' ');
        LoadError::Json(char::from(found)).into()
    })
}

fn text<'a>(value: &'a Value, name: &str) -> Answer<&'a str> {
    value.get(name).and_then(Value::as_str).ok_or_else(|| LoadError::Shape.into())
}

/// A list of texts; none when it is not there.
fn texts(value: &Value, name: &str) -> Answer<Vec<String>> {
    let list = match value.get(name) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(list) => list.as_array().ok_or(LoadError::Shape)?,
    };
    list.iter().map(|item| item.as_str().map(ToOwned::to_owned).ok_or_else(|| LoadError::Shape.into())).collect()
}

fn digest(descriptor: &Value) -> Answer<Digest> {
    text(descriptor, "digest")?.parse().map_err(|error| LoadError::BadDigest(error).into())
}

fn blob_file(digest: Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

impl Daemon {
    /// `POST /images/load`. Dropping the future loads nothing.
    ///
    /// # Errors
    /// What is wrong with the archive.
    pub async fn image_load(&self, archive: &Rope, sink: ProgressSink) -> Answer<()> {
        let mut archive = Archive::open(self, archive, Rc::clone(&sink)).await?;
        if archive.has("manifest.json") {
            archive.docker().await?;
        } else if archive.has("index.json") && archive.has("oci-layout") {
            archive.oci().await?;
        } else {
            archive.legacy().await?;
        }
        // The oldest format loads without a word.
        let is_named = archive.has("manifest.json") || archive.has("index.json");
        let Archive { images, .. } = archive;
        let told = self.take_in(&images)?;
        if is_named {
            told.into_iter().for_each(|line| sink(Progress::Stream(line)));
        }
        for ready in &images {
            let id = ready.image.id().to_string();
            self.0.emit(EventKind::Image, "load", id.clone(), &[("name", id)]);
        }
        Ok(())
    }

    /// Puts images into the store, all or none; tells what to print of it.
    fn take_in(&self, images: &[Ready]) -> Answer<Vec<String>> {
        let now = self.0.kernel.now();
        let mut store = self.0.store.borrow().clone();
        let (mut told, mut unnamed) = (Vec::new(), String::new());
        for ready in images {
            let mut chain = None;
            for layer in &ready.layers {
                let next = store.register(chain, Arc::clone(layer))?;
                chain.replace(next).map(|below| store.release(below));
            }
            let id = store.add_image(ready.image.clone())?;
            chain.map(|chain| store.release(chain));
            unnamed.push_str(&format!("Loaded image ID: {id}\n"));
            for reference in &ready.references {
                let name = reference.familiar();
                if let Some(old) = store.tag(reference.clone(), id, now) {
                    told.push(format!(
                        "The image {name} already exists, renaming the old one with ID {old} to empty string\n"
                    ));
                }
                told.push(format!("Loaded image: {name}\n"));
            }
        }
        for ready in images {
            if let Some(parent) = ready.parent {
                store.set_parent(ready.image.id(), parent);
            }
        }
        *self.0.store.borrow_mut() = store;
        self.0.changed();
        // Docker tells the ids when the last image has no name.
        if images.last().is_some_and(|last| last.references.is_empty()) {
            told.push(unnamed);
        }
        Ok(told)
    }

    /// `POST /images/create?fromSrc=`: the files of an archive as an image of one layer.
    ///
    /// # Errors
    /// A name that can't be one, a change that can't be made, what is wrong with the archive.
    pub async fn image_import(&self, archive: &Rope, name: &str, message: &str, changes: &[String]) -> Answer<ImageId> {
        let reference = match name {
            "" => None,
            name => Some(Reference::parse(name).map_err(StoreError::Reference)?.with_default_tag()),
        };
        let mut config = ContainerConfig::default();
        apply_changes(&mut config, changes)?;
        let bar = Bar::NONE;
        let tar = plain(self, archive, MAX_UNPACKED_BYTES, &bar).await?;
        hash_in_parts(self, &tar, &bar).await;
        let layer = Arc::new(read_layer(self, &tar, &bar).await?);
        let now = self.0.kernel.now();
        let comment = if message.is_empty() { "Imported from -" } else { message }.to_owned();
        let mut store = self.0.store.borrow_mut();
        let held = store.register(None, layer)?;
        let document = ImageConfig {
            architecture: "amd64".to_owned(),
            os: "linux".to_owned(),
            comment: comment.clone(),
            config,
            created: Some(now),
            docker_version: super::api::SERVER_VERSION.to_owned(),
            history: vec![History { created: Some(now), comment, ..History::default() }],
            diff_ids: vec![DiffId(held.0)],
            ..ImageConfig::default()
        };
        let made = store.add_image(Image::new(document, Form::Classic))?;
        store.release(held);
        let familiar = reference.map(|reference| {
            let familiar = reference.familiar();
            store.tag(reference, made, now);
            familiar
        });
        drop(store);
        if let Some(name) = familiar {
            self.0.emit(EventKind::Image, "tag", made.to_string(), &[("name", name)]);
        }
        self.0.emit(EventKind::Image, "import", made.to_string(), &[("name", made.to_string())]);
        Ok(made)
    }
}
