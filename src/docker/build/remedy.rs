//! Remedies: changes to a Dockerfile that make its image smaller, each with the saving that building it gives.
//!
//! A [`Remedy`] is proposed only where a trial build of the changed text has fewer bytes: nothing is estimated. The
//! causes are the common ones: package lists and caches that stay in a layer, files that are added and deleted later,
//! copies that only change an owner.

use crate::base::sort::Arrange;
use std::sync::Arc;

use bstr::{BStr, ByteSlice};

use super::waste::{Hidden, How, Waste};
use super::{files, plan};
use crate::base::digest::ImageId;
use crate::docker::daemon::api::build::{BuildEvent, BuildFailure, BuildRequest};
use crate::docker::dockerfile::instruction::{Command, Copy, Run};
use crate::docker::dockerfile::{self, Dockerfile, Instruction, Span};
use crate::docker::image::store::Store;
use crate::os::fs::layer::{Change, Layer};
use crate::os::fs::node::Content;

/// What a trial build left.
pub struct Trial {
    /// The session's images and the new one.
    pub store: Store,
    /// The new one.
    pub image: ImageId,
    /// What the build told.
    pub events: Vec<BuildEvent>,
}

/// Why there is no image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrialError {
    /// The build fails.
    Failed(BuildFailure),
    /// It does not end.
    Endless,
}

/// Why an image is larger than it need be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// What a package manager keeps for the next time.
    PackageCache,
    /// Files that one step adds and a later one deletes.
    AddedThenDeleted,
    /// A step that gives files to another owner, and so stores them again.
    ChownCopy,
}

/// A change that makes an image smaller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    /// What it is against.
    pub cause: Cause,
    /// The lines that it changes.
    pub span: Span,
    /// The whole Dockerfile after it.
    pub text: String,
    /// Bytes of the image before.
    pub before_bytes: u64,
    /// Bytes of the image after it.
    pub after_bytes: u64,
}

impl Remedy {
    /// Bytes that it saves.
    pub const fn saved_bytes(&self) -> u64 {
        self.before_bytes.saturating_sub(self.after_bytes)
    }
}

/// What was found in a Dockerfile's image.
pub struct Diagnosis {
    /// What its image wastes.
    pub waste: Waste,
    /// What would make it smaller, the largest saving first.
    pub remedies: Vec<Remedy>,
}

/// A package manager's cache: where it is, in which commands it comes about, and what keeps it out.
struct PackageCache {
    folder: &'static str,
    command: &'static str,
    keep_out: KeepOut,
}

enum KeepOut {
    /// A flag after the command, and what it makes needless before it.
    Flag(&'static str, &'static str),
    /// A command at the end.
    Then(&'static str),
}

const PACKAGE_CACHES: &[PackageCache] = &[
    PackageCache {
        folder: "var/lib/apt/lists/",
        command: "apt",
        keep_out: KeepOut::Then("rm -rf /var/lib/apt/lists/*"),
    },
    PackageCache { folder: "var/cache/apt/", command: "apt", keep_out: KeepOut::Then("apt-get clean") },
    PackageCache {
        folder: "var/cache/apk/",
        command: "apk add",
        keep_out: KeepOut::Flag(" --no-cache", "apk update && "),
    },
    PackageCache { folder: "root/.cache/pip/", command: "pip install", keep_out: KeepOut::Flag(" --no-cache-dir", "") },
    PackageCache { folder: "root/.npm/", command: "npm ", keep_out: KeepOut::Then("npm cache clean --force") },
];

impl Diagnosis {
    /// Builds a Dockerfile with `text` in it, finds what its image wastes, and builds every change that may help. Takes as
    /// long as the builds do.
    ///
    /// # Errors
    /// The Dockerfile can't be built.
    pub fn of(text: &str, build: &dyn Fn(&str) -> Result<Trial, TrialError>) -> Result<Self, TrialError> {
        let trial = build(text)?;
        let waste = Waste::of_stored(&trial.store, trial.image).unwrap_or_default();
        let before_bytes = trial.store.image_size_bytes(trial.image);
        let mut remedies: Vec<Remedy> = Vec::new();
        for (cause, span, text) in proposals(text, &trial, &waste) {
            let Ok(changed) = build(&text) else { continue };
            let after_bytes = changed.store.image_size_bytes(changed.image);
            if after_bytes < before_bytes && is_same(&trial, &changed) {
                remedies.push(Remedy { cause, span, text, before_bytes, after_bytes });
            }
        }
        remedies.arrange_by_key(|remedy| remedy.after_bytes);
        Ok(Self { waste, remedies })
    }
}

/// Whether a container sees the same files in both images, package caches aside: a remedy may not change what the image
/// is for. Times and the folders of caches don't count.
fn is_same(before: &Trial, after: &Trial) -> bool {
    let files = |trial: &Trial| {
        let chain = trial.store.image(trial.image).and_then(|image| image.config().chain_id());
        let tree = trial.store.tree(chain).unwrap_or_default();
        let mut files = dockerfile_files(&tree);
        files.retain(|(path, ..)| !is_cache(path.as_bytes().as_bstr()));
        files
    };
    files(before) == files(after)
}

type SeenFile = (String, u32, u32, u32, Content);

fn dockerfile_files(tree: &crate::os::fs::tree::Tree) -> Vec<SeenFile> {
    let file = |(path, node): (bstr::BString, Arc<crate::os::fs::tree::Node>)| {
        let meta = node.entry.meta;
        (path.to_string(), meta.mode, meta.uid, meta.gid, node.entry.content.clone())
    };
    files::walk(tree.root()).into_iter().map(file).collect()
}

fn is_cache(path: &BStr) -> bool {
    PACKAGE_CACHES.iter().any(|cache| path.starts_with_str(cache.folder.trim_end_matches('/')))
        || path.starts_with_str("var/log")
        || path.starts_with_str("var/lib/dpkg")
        || path.starts_with_str("lib/apk")
}

/// The instructions whose layers an image's own layers are, the lowest first.
fn makers<'a>(file: &'a Dockerfile, trial: &Trial, layers: usize) -> Vec<Option<&'a Instruction>> {
    let needed = plan::plan(file, &BuildRequest::default(), false, "amd64", &mut Vec::new()).ok();
    let mut own = Vec::new();
    let mut next = needed.map(|plan| plan.target);
    while let Some(stage) = next.and_then(|index| file.stages.get(index)) {
        own.splice(0..0, stage.instructions.iter());
        next = file.stages.iter().position(|other| !other.name.is_empty() && other.name == stage.base);
    }
    let mut spans = trial.events.iter().filter_map(|event| match event {
        BuildEvent::Layer { span, .. } => Some(*span),
        _ => None,
    });
    let made: Vec<&Instruction> =
        spans.by_ref().filter_map(|span| own.iter().find(|i| i.span == span).copied()).collect();
    let base = layers.saturating_sub(made.len());
    (0..base).map(|_| None).chain(made.into_iter().map(Some)).collect()
}

/// The changes that may help: the cause, the lines and the whole text after it.
fn proposals(text: &str, trial: &Trial, waste: &Waste) -> Vec<(Cause, Span, String)> {
    let Ok(file) = dockerfile::parse(text) else { return Vec::new() };
    let makers = makers(&file, trial, waste.layers.len());
    let mut out = Vec::new();
    let mut propose = |cause, span, changed: Option<String>| {
        if let Some(changed) = changed.filter(|changed| !out.iter().any(|(_, _, other)| other == changed)) {
            out.push((cause, span, changed));
        }
    };
    for (index, maker) in makers.iter().enumerate() {
        let Some(maker) = maker else { continue };
        let Command::Run(run) = &maker.command else { continue };
        for cache in PACKAGE_CACHES {
            if keeps(&trial.store, waste, index, cache.folder) && maker.code.contains(cache.command) {
                propose(Cause::PackageCache, maker.span, without_cache(text, maker, run, cache));
            }
        }
    }
    for hidden in waste.hidden.iter().filter(|hidden| hidden.bytes > 0) {
        let (Some(Some(holder)), Some(Some(hider))) = (makers.get(hidden.holds), makers.get(hidden.hides)) else {
            continue;
        };
        let span = Span { start: holder.span.start, end: hider.span.end };
        match (&holder.command, &hider.command, hidden.how) {
            (Command::Copy(copy) | Command::Add(copy), Command::Run(run), How::Copied | How::Replaced) => {
                propose(Cause::ChownCopy, span, with_owner(text, holder, copy, hider, run));
            }
            (Command::Run(_), Command::Run(run), _) => {
                propose(Cause::AddedThenDeleted, span, joined(text, &file, holder, hider, run));
            }
            (Command::Copy(copy), Command::Run(run), How::Deleted) => {
                propose(Cause::AddedThenDeleted, span, mounted(text, holder, copy, hider, run, hidden));
            }
            _ => {}
        }
    }
    out
}

/// Whether a layer puts files below a folder.
fn keeps(store: &Store, waste: &Waste, layer: usize, folder: &str) -> bool {
    let chain = waste.layers.get(layer).and_then(|share| share.chain_id);
    let stored = chain.and_then(|chain| store.layer(chain));
    let has = |layer: &Layer| {
        layer.entries().any(|(path, change)| {
            path.starts_with_str(folder)
                && matches!(change, Change::Put(entry) if matches!(&entry.content, Content::File(rope) if !rope.is_empty()))
        })
    };
    stored.is_some_and(|stored| has(&stored.layer))
}

/// The text with the lines of a span replaced; `None` takes them out.
fn replace_lines(text: &str, span: Span, with: Option<&str>) -> String {
    let mut out = String::new();
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        if number == span.start
            && let Some(with) = with
        {
            out.push_str(with);
            out.push('\n');
        }
        if !(span.start..=span.end).contains(&number) {
            out.push_str(line);
        }
    }
    out
}

/// An instruction as it is written.
fn lines_of(text: &str, span: Span) -> String {
    let skip = span.start.saturating_sub(1);
    let lines: String = text.split_inclusive('\n').skip(skip).take((span.end + 1).saturating_sub(span.start)).collect();
    lines.trim_end().to_owned()
}

fn is_plain(run: &Run) -> bool {
    run.line.shell_form && run.line.heredocs.is_empty()
}

/// What a shell-form RUN runs.
fn script(run: &Run) -> String {
    run.line.words.join(" ").trim().to_owned()
}

fn without_cache(text: &str, maker: &Instruction, run: &Run, cache: &PackageCache) -> Option<String> {
    if !is_plain(run) {
        return None;
    }
    let lines = lines_of(text, maker.span);
    let changed = match cache.keep_out {
        KeepOut::Then(command) => format!("{lines} \\\n && {command}"),
        KeepOut::Flag(flag, _) if lines.contains(flag.trim()) => return None,
        KeepOut::Flag(flag, needless) => {
            let lines = if needless.is_empty() { lines } else { lines.replace(needless, "") };
            lines.replace(cache.command, &format!("{}{flag}", cache.command))
        }
    };
    Some(replace_lines(text, maker.span, Some(&changed)))
}

/// Two RUNs with nothing but RUNs between them, as one; a late `rm` goes into the step that adds, whatever is between.
fn joined(text: &str, file: &Dockerfile, first: &Instruction, last: &Instruction, run: &Run) -> Option<String> {
    let stage = file.stages.iter().find(|stage| stage.instructions.iter().any(|i| i.span == first.span))?;
    let from = stage.instructions.iter().position(|i| i.span == first.span)?;
    let to = stage.instructions.iter().position(|i| i.span == last.span)?;
    let between = stage.instructions.get(from..to)?;
    let plain = |i: &Instruction| matches!(&i.command, Command::Run(run) if is_plain(run) && run.mounts.is_empty() && run.network.is_none());
    if !plain(first) || !plain(last) || !is_plain(run) {
        return None;
    }
    if !between.iter().all(plain) {
        let command = script(run);
        let lines = format!("{} \\\n && {command}", lines_of(text, first.span));
        let without = replace_lines(text, last.span, None);
        // Whether what is between needs the file a trial shows.
        return command.starts_with("rm ").then(|| replace_lines(&without, first.span, Some(&lines)));
    }
    let mut lines = lines_of(text, first.span);
    for instruction in stage.instructions.get(from + 1..=to)? {
        let own = lines_of(text, instruction.span);
        let (_, command) = own.trim_start().split_once(char::is_whitespace)?;
        lines.push_str(&format!(" \\\n && {}", command.trim_start()));
    }
    Some(replace_lines(text, Span { start: first.span.start, end: last.span.end }, Some(&lines)))
}

/// `RUN chown -R owner path` as the `--chown` of the COPY before it.
fn with_owner(text: &str, copied: &Instruction, copy: &Copy, hider: &Instruction, run: &Run) -> Option<String> {
    let script = script(run);
    let words: Vec<&str> = script.split_whitespace().collect();
    let owner = match words.as_slice() {
        ["chown", flag, owner, _path] if flag.starts_with('-') => *owner,
        ["chown", owner, _path] => *owner,
        _ => return None,
    };
    if !is_plain(run) || copy.chown.is_some() {
        return None;
    }
    let lines = lines_of(text, copied.span);
    let (keyword, rest) = lines.trim_start().split_once(char::is_whitespace)?;
    let without = replace_lines(text, hider.span, None);
    Some(replace_lines(&without, copied.span, Some(&format!("{keyword} --chown={owner} {}", rest.trim_start()))))
}

/// A COPY whose file the next RUN uses and deletes, as a mount of that RUN.
fn mounted(
    text: &str,
    copied: &Instruction,
    copy: &Copy,
    hider: &Instruction,
    run: &Run,
    hidden: &Hidden,
) -> Option<String> {
    let ([source], true, true) = (copy.sources.as_slice(), is_plain(run), copy.documents.is_empty()) else {
        return None;
    };
    let target = format!("/{}", hidden.path);
    let lines = lines_of(text, hider.span);
    let (keyword, rest) = lines.trim_start().split_once(char::is_whitespace)?;
    let deletes = ["rm -rf", "rm -fr", "rm -f", "rm -r", "rm"];
    let kept = deletes.iter().find_map(|rm| {
        let end = rest.trim_end().strip_suffix(&format!("{rm} {target}"))?;
        end.trim_end().trim_end_matches('\\').trim_end().strip_suffix("&&")
    })?;
    let kept = kept.trim_end().trim_end_matches('\\').trim_end();
    let from = copy.from.as_ref().map(|from| format!(",from={from}")).unwrap_or_default();
    let changed = format!("{keyword} --mount=type=bind{from},source={source},target={target} {kept}");
    let changed = replace_lines(text, hider.span, Some(&changed));
    Some(replace_lines(&changed, copied.span, None))
}
