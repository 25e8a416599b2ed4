//! COPY and ADD.

use std::sync::Arc;

use super::super::cache::{CacheKey, Inputs};
use super::super::error::{BuildError, Located};
use super::super::files::{self, CopyOptions, Destination, Found};
use super::super::plan::Origin;
use super::super::world::World;
use super::Solver;
use super::lookup::{Making, finish};
use super::remote::look_up;
use super::state::{Count, State};
use crate::base::digest::Digest;
use crate::base::path;
use crate::base::rope::Rope;
use crate::docker::dockerfile::Instruction;
use crate::docker::dockerfile::ignore::Matcher;
use crate::docker::dockerfile::instruction::Copy;
use crate::docker::registry::git::Remote;
use crate::os::fs::tree::Tree;

impl Solver<'_> {
    pub(super) async fn copy(
        &self,
        state: &mut State,
        instruction: &Instruction,
        copy: &Copy,
        is_add: bool,
        count: &mut Count,
    ) -> Result<(), Located> {
        let span = instruction.span;
        let keyword = if is_add { "ADD" } else { "COPY" };
        let origin = self.origin(copy.from.as_deref().unwrap_or_default(), instruction)?;
        let source = if copy.sources.is_empty() { Tree::empty() } else { self.origin_tree(&origin, span).await? };
        self.ignored_sources(copy, instruction);
        let name = count.name(&self.shown(instruction, state, false));
        let prepared = self.prepare_copy(state, copy, is_add, &origin, &source);
        let (found, options, to, key, mut inputs) = match prepared {
            Ok(prepared) => prepared,
            Err(_) if state.unknown || self.is_unknown(&origin) => {
                let inputs = Inputs { code: instruction.code.clone(), ..Inputs::default() };
                let key = CacheKey::of("unknown", Some(state.key), &[inputs.code.as_bytes()]);
                let (step, started) = self.begin(key, &name).await;
                let making = Making { key, inputs, name, span, started };
                self.probe(state, step, &making).await.map_err(|error| error.at(span))?;
                self.assume(state, making).await;
                return Ok(());
            }
            Err(error) => {
                let text = error.to_string();
                let step = self.trace.start(name);
                step.fail(text.strip_prefix("failed to compute cache key: ").unwrap_or(&text).to_owned());
                return Err(error.at(span));
            }
        };
        inputs.code.clone_from(&instruction.code);
        let (step, started) = self.begin(key, &name).await;
        let making = Making { key, inputs, name, span, started };
        let created = match self.probe(state, step, &making).await.map_err(|error| error.at(span))? {
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
        self.is_done(key);
        state.note(copy_line(keyword, copy), Some(created));
        Ok(())
    }

    /// The files of a repository that ADD names.
    fn cloned(&self, remote: &Remote, copy: &Copy) -> Result<Found, BuildError> {
        if copy.keep_git_dir {
            return Err(BuildError::NotSimulated("ADD --keep-git-dir".to_owned()));
        }
        let (_, branch) = look_up(self.world, remote, "")?;
        let files = branch.files(&remote.folder, (self.world.now)()).unwrap_or_default();
        let tree = Tree::of([&files]);
        Ok(Found { path: "".into(), name: "".into(), node: Arc::clone(tree.root()), pivot: 0 })
    }

    pub(super) fn prepare_copy(
        &self,
        state: &State,
        copy: &Copy,
        is_add: bool,
        origin: &Origin,
        source: &Tree,
    ) -> Result<(Vec<Found>, CopyOptions, String, CacheKey, Inputs), BuildError> {
        let keyword = if is_add { "ADD" } else { "COPY" };
        check_sum(copy)?;
        let mut found = Vec::new();
        for wanted in &copy.sources {
            if let Some(remote) = Remote::parse(wanted).filter(|_| is_add && !is_path(wanted)) {
                found.push(self.cloned(&remote, copy)?);
                continue;
            }
            if let Some(host) = host_of(wanted) {
                if !is_add {
                    return Err(BuildError::UrlForCopy);
                }
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
}

/// Whether ADD takes a source for a file of the context, although it could be a repository without a scheme.
fn is_path(source: &str) -> bool {
    !source.contains("://") && !source.starts_with("git@")
}

/// Whether a checksum can be asked for, and is one.
fn check_sum(copy: &Copy) -> Result<(), BuildError> {
    let Some(sum) = &copy.checksum else { return Ok(()) };
    sum.parse::<Digest>().map_err(|_| BuildError::ChecksumFormat)?;
    match copy.sources.as_slice() {
        [source] if source.starts_with("http://") || source.starts_with("https://") => Ok(()),
        [_] => Err(BuildError::Checksum("non-HTTP(S) sources")),
        _ => Err(BuildError::Checksum("multiple sources")),
    }
}

/// The host of an address that ADD would download from.
pub(super) fn host_of(source: &str) -> Option<String> {
    let rest = ["http://", "https://", "git://", "ssh://"].iter().find_map(|start| source.strip_prefix(start));
    let rest = rest.or_else(|| source.strip_prefix("git@"))?;
    let end = rest.find(['/', ':', '?', '#']).unwrap_or(rest.len());
    rest.get(..end).map(|host| host.rsplit('@').next().unwrap_or(host).to_owned())
}

pub(super) fn size_of(file: &Found) -> u64 {
    let own = file.node.entry.content.size_bytes();
    own + files::walk(&file.node).iter().map(|(_, node)| node.entry.content.size_bytes()).sum::<u64>()
}

/// Where COPY puts things: absolute, a trailing slash kept.
pub(in crate::docker::build) fn destination(working_dir: &str, written: &str) -> String {
    let joined = path::join(if working_dir.is_empty() { b"/" } else { working_dir.as_bytes() }, written.as_bytes());
    let mut to = path::normalize(&joined).to_string();
    if (written.is_empty() || written.ends_with('/') || written.ends_with("/.") || written == ".") && !to.ends_with('/')
    {
        to.push('/');
    }
    to
}

/// The options of a COPY or ADD in an image.
pub(in crate::docker::build) fn copy_options(
    copy: &Copy,
    is_add: bool,
    tree: &Tree,
) -> Result<CopyOptions, BuildError> {
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
pub(in crate::docker::build) fn write_copy(
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
pub(super) fn copy_line(keyword: &str, copy: &Copy) -> String {
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
