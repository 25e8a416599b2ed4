//! `docker container cp`.
//!
//! What goes where is moby's `pkg/archive/copy.go` (`PrepareArchiveCopy`): into a directory that is there, or under the
//! destination's name into the directory above it.

use bstr::{BStr, BString, ByteSlice};

use crate::base::path;
use crate::base::rope::Rope;
use crate::base::size::human_size3;
use crate::docker::cli::client::{Answer, Client, Running, go_errno};
use crate::docker::cli::command::*;
use crate::docker::cli::error::CliError;
use crate::docker::cli::parse::Invocation;
use crate::docker::cli::value::Kind::*;
use crate::docker::daemon::api::container::PutArchiveOptions;
use crate::os::fs::archive::{self, UnpackError};
use crate::os::fs::mounts::Caller;

/// `docker container cp`.
pub static COMMAND: Command = Command {
    foreign_aliases: &["copy"],
    usage: "[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n\tdocker cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH",
    short: "Copy files/folders between a container and the local filesystem",
    long: "Copy files/folders between a container and the local filesystem\n\nUse '-' as the source to read a tar archive from stdin\nand extract it to a directory destination in a container.\nUse '-' as the destination to stream a tar archive of a\ncontainer source to stdout.",
    alias_line: "docker container cp, docker cp",
    flags: &[&[
        flag('a', "archive", Bool(false), "Archive mode (copy all uid/gid information)"),
        flag('L', "follow-link", Bool(false), "Always follow symbol link in SRC_PATH"),
        flag(
            'q',
            "quiet",
            Bool(false),
            "Suppress progress output during copy. Progress output is automatically suppressed if no terminal is attached",
        ),
    ]],
    arity: Arity::Exactly(2),
    verb: Verb::Run(run),
    ..Command::new("cp")
};

/// What the flags say.
#[derive(Clone, Copy)]
struct Options {
    archive: bool,
    follow: bool,
    quiet: bool,
}

fn run<'a>(client: &'a Client, given: &'a Invocation) -> Running<'a> {
    Box::pin(async move {
        let (source, destination) = (given.operand(0), given.operand(1));
        if source.is_empty() {
            return Err(CliError::new("source can not be empty"));
        }
        if destination.is_empty() {
            return Err(CliError::new("destination can not be empty"));
        }
        let quiet = if given.changed("quiet") { given.bool("quiet") } else { client.stdout_tty().is_none() };
        let options = Options { archive: given.bool("archive"), follow: given.bool("follow-link"), quiet };
        match (split(&source), split(&destination)) {
            ((Some(name), from), (None, to)) => out(client, name, from.as_bytes(), to, options).await,
            ((None, from), (Some(name), to)) => into(client, name, from, to, options).await,
            ((Some(_), _), (Some(_), _)) => Err(CliError::new("copying between containers is not supported")),
            ((None, _), (None, _)) => Err(CliError::new("must specify at least one container source")),
        }
    })
}

/// docker/cli `splitCpArg`.
fn split(word: &str) -> (Option<&str>, &str) {
    match word.split_once(':') {
        Some((name, path)) if !word.starts_with(['/', '.']) => (Some(name).filter(|name| !name.is_empty()), path),
        _ => (None, word),
    }
}

/// Whether only the content of a directory is meant.
fn is_content(path: &[u8]) -> bool {
    path == b"." || path.ends_with(b"/.")
}

/// Go's `filepath.Clean` of an absolute path and its last name; that of the root and of a `/.` is empty.
fn base(path: &[u8]) -> BString {
    if is_content(path) { BString::default() } else { path::file_name(&path::normalize(path)).to_owned() }
}

/// What is at the destination.
struct Destination<'a> {
    path: &'a [u8],
    /// Whether it is a directory; `None` when nothing is there.
    is_dir: Option<bool>,
}

impl Destination<'_> {
    /// The directory to unpack in, and what the source is called there.
    fn place(&self, source: &BStr, source_is_dir: bool) -> Answer<(BString, BString)> {
        let above = || {
            let clean = path::normalize(self.path);
            (path::parent(&clean).to_owned(), path::file_name(&clean).to_owned())
        };
        match self.is_dir {
            Some(true) => Ok((self.path.into(), source.to_owned())),
            Some(false) if source_is_dir => Err(CliError::new("cannot copy directory")),
            None if !source_is_dir && (self.path.ends_with(b"/") || is_content(self.path)) => {
                Err(CliError::new("no such directory"))
            }
            Some(false) | None => Ok(above()),
        }
    }
}

/// From the host into a container.
async fn into(client: &Client, name: &str, from: &str, to: &str, options: Options) -> Answer {
    let mut target = path::join(b"/", to.as_bytes());
    let mut shown = to.to_owned();
    let mut there = client.daemon.archive_stat(name, &target).ok();
    if let Some(link) = there.as_ref().filter(|stat| stat.is_symlink()).map(|stat| stat.link_target.clone()) {
        there = client.daemon.archive_stat(name, &link).ok();
        shown = link.to_string();
        target = link;
    }
    let is_dir = there.map(|stat| stat.is_dir());
    let (dir, tar) = if from == "-" {
        if is_dir != Some(true) {
            return Err(CliError::new(format!("destination \"{name}:{to}\" must be a directory")));
        }
        (target.clone(), client.proc.read_all(0).await.unwrap_or_default())
    } else {
        // A link is followed when told to, and by a slash behind it.
        let local = path::join(&client.proc.cwd(), from.as_bytes());
        let follow = options.follow || from.ends_with('/') || is_content(&local);
        let gone = |errno| CliError::new(format!("lstat {}: {}", path::normalize(&local), go_errno(errno)));
        let stat = if follow { client.proc.stat(&local) } else { client.proc.lstat(&local) }.map_err(gone)?;
        let (dir, as_name) = Destination { path: &target, is_dir }.place(base(&local).as_bstr(), stat.is_dir())?;
        let real = if follow { client.proc.realpath(&local).map_err(gone)? } else { path::normalize(&local) };
        let who = client.proc.caller();
        let packed = client.proc.mounts(|mounts| archive::pack(mounts, &who, &real, &as_name, false));
        (dir, packed.map_err(|errno| CliError::new(format!("open {real}: {}", go_errno(errno))))?)
    };
    let put = PutArchiveOptions { no_overwrite_dir_non_dir: true, copy_uid_gid: options.archive };
    client.daemon.archive_put(name, &dir, &tar, put)?;
    report(client, &tar, &format!("{name}:{shown}"), options).await
}

/// From a container to the host.
async fn out(client: &Client, name: &str, from: &[u8], to: &str, options: Options) -> Answer {
    let mut source = path::join(b"/", from);
    if options.follow {
        let stat = client.daemon.archive_stat(name, &source)?;
        if stat.is_symlink() {
            source = stat.link_target;
        }
    }
    if to != "-" {
        client.check_output(to).map_err(CliError::new)?;
    }
    let (tar, stat) = client.daemon.archive_get(name, &source)?;
    if to == "-" {
        return client.put("", &tar).await;
    }
    let local = path::join(&client.proc.cwd(), to.as_bytes());
    let is_dir = client.proc.stat(&local).ok().map(|stat| stat.is_dir());
    let (dir, as_name) = Destination { path: &local, is_dir }.place(base(&source).as_bstr(), stat.is_dir())?;
    // What is in a folder, or in the root, comes without a name before it.
    let old: &[u8] = if stat.name == "/" || source.ends_with(b"/.") { b"" } else { &stat.name };
    let rebased = archive::rebase(&tar, old, &as_name).map_err(|error| CliError::new(error.to_string()))?;
    let dir = client.proc.realpath(&dir).unwrap_or(dir);
    let who = Caller { umask: 0, ..client.proc.caller() };
    let owner = (!options.archive).then_some((who.cred.uid, who.cred.gid));
    // What unpacking says has several kinds; the mount table is asked for only one.
    let mut refused = None;
    let unpacked = client.proc.mounts(|mounts| {
        refused = archive::unpack(mounts, &who, &dir, &rebased, true, owner).err();
        Ok(())
    });
    let why = match (refused, unpacked) {
        (None, Ok(())) => return report(client, &tar, &local.to_string(), options).await,
        (Some(UnpackError::Errno(errno)), _) | (None, Err(errno)) => {
            format!("open {}: {}", path::join(&dir, &as_name), go_errno(errno))
        }
        (Some(UnpackError::Tar(error)), _) => error.to_string(),
        (Some(UnpackError::Overwrite { directory_is_there: true, path }), _) => {
            format!("cannot overwrite directory \"{path}\" with non-directory \"{dir}\"")
        }
        (Some(UnpackError::Overwrite { path, .. }), _) => {
            format!("cannot overwrite non-directory \"{path}\" with directory \"{dir}\"")
        }
    };
    Err(CliError::new(why))
}

/// The closing line, on standard error.
async fn report(client: &Client, tar: &Rope, to: &str, options: Options) -> Answer {
    if !options.quiet {
        client.complain(format!("Successfully copied {} to {to}", human_size3(tar.len()))).await;
    }
    Ok(())
}
