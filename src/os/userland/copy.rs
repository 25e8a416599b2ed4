//! Copying trees: what `cp` does, and `mv` across file systems.

use std::collections::BTreeMap;

use bstr::BString;

use super::program::{Run, below, quoted, trimmed};
use super::walk::Walk;
use crate::base::errno::Errno;
use crate::base::path;
use crate::os::fs::node::{Content, Kind, Meta, Stat};
use crate::os::kernel::Open;

/// How to copy.
#[derive(Clone, Copy, Default, Debug)]
pub struct Options {
    /// Directories too.
    pub recursive: bool,
    /// Mode, owner and times are kept.
    pub preserve: bool,
    /// Extended attributes are kept.
    pub xattrs: bool,
    /// A destination that can't be opened is removed first.
    pub force: bool,
    /// Existing files are left alone.
    pub no_clobber: bool,
    /// Says what is done.
    pub verbose: bool,
    /// Links are followed.
    pub follow: bool,
    /// Only newer files replace older ones.
    pub update: bool,
    /// Hard links instead of copies.
    pub link: bool,
    /// Symbolic links instead of copies.
    pub symlink: bool,
}

/// Copies one operand to a destination that is its own name. Complaints raise the program's status.
///
/// # Errors
/// Those of writes to standard output.
pub async fn copy(run: &mut Run, from: &[u8], to: &[u8], options: Options) -> Result<(), Errno> {
    let start = trimmed(from).to_owned();
    if options.recursive
        && let (Ok(source), Ok(target)) = (run.proc.realpath(from), real_target(run, to))
        && run.proc.lstat(&source).is_ok_and(|s| s.is_dir())
        && (target == source || target.starts_with(&[source.as_slice(), b"/"].concat()))
    {
        let (from, to) = (quoted(&start), quoted(to));
        run.complain(format!("cannot copy a directory, {from}, into itself, {to}")).await;
        return Ok(());
    }
    let mut walk = Walk::new(&run.proc, &start);
    // Names that are links of one file stay so (`cp -a`).
    let mut seen: BTreeMap<(u64, u64), BString> = BTreeMap::new();
    let mut made: Vec<(BString, Stat)> = Vec::new();
    while let Some(visit) = walk.next().await {
        let inside = visit.path.get(start.len()..).unwrap_or_default();
        let inside = inside.strip_prefix(b"/").unwrap_or(inside);
        let target: BString = if inside.is_empty() { to.into() } else { below(to, inside) };
        let stat = match visit.stat {
            Ok(_) if options.follow || (visit.depth == 0 && from.ends_with(b"/")) => run.proc.stat(&visit.path),
            other => other,
        };
        let stat = match stat {
            Ok(stat) => stat,
            Err(error) => {
                run.complain_of("cannot stat", &visit.path, error).await;
                continue;
            }
        };
        if visit.leaving {
            if let Some((dir, stat)) = made.pop() {
                finish_dir(run, &dir, &stat, options).await;
            }
            continue;
        }
        if stat.is_dir() {
            if !options.recursive {
                let what = if run.is_busybox() { "omitting directory" } else { "-r not specified; omitting directory" };
                run.complain(format!("{what} {}", quoted(&visit.path))).await;
                walk.prune();
                continue;
            }
            match make_dir(run, &visit.path, &target, options).await? {
                true => made.push((target, stat)),
                false => walk.prune(),
            }
            if let Some(error) = visit.unlisted {
                run.complain_of("cannot access", &visit.path, error).await;
            }
            continue;
        }
        let key = (stat.dev, stat.ino);
        if options.preserve
            && stat.nlink > 1
            && let Some(first) = seen.get(&key)
            && run.proc.link(first, &target).is_ok()
        {
            continue;
        }
        if copy_file(run, &visit.path, &target, &stat, options).await? && stat.nlink > 1 {
            seen.insert(key, target);
        }
    }
    Ok(())
}

fn real_target(run: &Run, to: &[u8]) -> Result<BString, Errno> {
    run.proc.realpath(to).or_else(|_| Ok(path::join(&run.proc.realpath(path::parent(to))?, path::file_name(to))))
}

async fn make_dir(run: &mut Run, from: &[u8], to: &[u8], options: Options) -> Result<bool, Errno> {
    match run.proc.stat(to) {
        Ok(stat) if stat.is_dir() => return Ok(true),
        Ok(_) => {
            run.complain(format!("cannot overwrite non-directory {} with directory {}", quoted(to), quoted(from)))
                .await;
            return Ok(false);
        }
        Err(_) => {}
    }
    // Writable until it is full; its own mode comes at the end.
    if let Err(error) = run.proc.mkdir(to, 0o777) {
        run.complain_of("cannot create directory", to, error).await;
        return Ok(false);
    }
    keep_xattrs(run, from, to, options);
    say(run, from, to, options).await?;
    Ok(true)
}

async fn finish_dir(run: &mut Run, dir: &[u8], stat: &Stat, options: Options) {
    let mode = if options.preserve { stat.meta.mode } else { stat.meta.mode & 0o777 & !run.proc.umask() };
    let _ = run.proc.chmod(dir, mode);
    if options.preserve {
        keep(run, dir, &stat.meta, true);
    }
}

fn keep(run: &Run, path: &[u8], meta: &Meta, mode: bool) {
    let _ = run.proc.chown(path, Some(meta.uid), Some(meta.gid), false);
    if mode {
        let _ = run.proc.chmod(path, meta.mode);
    }
    let _ = run.proc.set_mtime(path, meta.mtime, false);
}

/// What the file system or the user's rights do not allow is left out, as GNU `cp -a` does.
fn keep_xattrs(run: &Run, from: &[u8], to: &[u8], options: Options) {
    let xattrs =
        if options.xattrs && !options.link { run.proc.xattrs(from, false).unwrap_or_default() } else { return };
    for (name, value) in xattrs.iter() {
        run.proc.set_xattr(to, name, Some(value), false).unwrap_or_default();
    }
}

async fn say(run: &mut Run, from: &[u8], to: &[u8], options: Options) -> Result<(), Errno> {
    if options.verbose { run.put(format!("{} -> {}\n", quoted(from), quoted(to))).await } else { Ok(()) }
}

/// Copies anything but a directory; tells whether it did.
async fn copy_file(run: &mut Run, from: &[u8], to: &[u8], stat: &Stat, options: Options) -> Result<bool, Errno> {
    if let Ok(existing) = run.proc.stat(to) {
        if (existing.dev, existing.ino) == (stat.dev, stat.ino) {
            run.complain(format!("{} and {} are the same file", quoted(from), quoted(to))).await;
            return Ok(false);
        }
        if existing.is_dir() {
            run.complain(format!("cannot overwrite directory {} with non-directory", quoted(to))).await;
            return Ok(false);
        }
        if options.no_clobber || (options.update && existing.meta.mtime >= stat.meta.mtime) {
            return Ok(false);
        }
    }
    let made = if options.link || options.symlink {
        if options.force {
            let _ = run.proc.unlink(to);
        }
        if options.link { run.proc.link(from, to) } else { run.proc.symlink(from, to) }
    } else {
        match stat.kind {
            Kind::File => return copy_bytes(run, from, to, stat, options).await,
            _ if options.recursive => copy_special(run, from, to, stat),
            Kind::Symlink => Err(Errno::ELOOP),
            _ => return copy_bytes(run, from, to, stat, options).await,
        }
    };
    match made {
        Ok(()) => {
            say(run, from, to, options).await?;
            if options.preserve && !options.link {
                keep(run, to, &stat.meta, stat.kind != Kind::Symlink);
            }
            Ok(true)
        }
        Err(error) => {
            let what = match stat.kind {
                _ if options.link || options.symlink => "cannot create link",
                Kind::Symlink => "cannot create symbolic link",
                _ => "cannot create special file",
            };
            run.complain_of(what, to, error).await;
            Ok(false)
        }
    }
}

fn copy_special(run: &Run, from: &[u8], to: &[u8], stat: &Stat) -> Result<(), Errno> {
    if run.proc.lstat(to).is_ok() {
        run.proc.unlink(to)?;
    }
    let content = match (stat.kind, stat.device) {
        (Kind::Symlink, _) => return run.proc.symlink(&run.proc.readlink(from)?, to),
        (Kind::CharDevice, Some((major, minor))) => Content::CharDevice(major, minor),
        (Kind::BlockDevice, Some((major, minor))) => Content::BlockDevice(major, minor),
        (Kind::Fifo, _) => Content::Fifo,
        _ => Content::Socket,
    };
    run.proc.mknod(to, stat.meta.mode, content)
}

async fn copy_bytes(run: &mut Run, from: &[u8], to: &[u8], stat: &Stat, options: Options) -> Result<bool, Errno> {
    let source = match run.proc.open(from, Open::READ) {
        Ok(fd) => fd,
        Err(error) => {
            let text = format!("cannot open {} for reading: {}", quoted(from), error.strerror());
            run.complain(text).await;
            return Ok(false);
        }
    };
    let new = run.proc.lstat(to).is_err();
    let open = Open { create: Some(stat.meta.mode & 0o777), ..Open::WRITE };
    let mut opened = run.proc.open(to, open);
    if opened.is_err() && options.force && !new {
        opened = run.proc.unlink(to).and_then(|()| run.proc.open(to, open));
    }
    let target = match opened {
        Ok(fd) => fd,
        Err(error) => {
            run.done_with(source);
            run.complain_of("cannot create regular file", to, error).await;
            return Ok(false);
        }
    };
    let copied = loop {
        match run.proc.read(source, 1 << 24).await {
            Ok(piece) if piece.is_empty() => break Ok(()),
            Ok(piece) => {
                if let Err(error) = run.proc.write_rope(target, &piece).await {
                    break Err(("error writing", to, error));
                }
            }
            Err(error) => break Err(("error reading", from, error)),
        }
    };
    run.done_with(source);
    let _ = run.proc.close(target);
    if let Err((what, path, error)) = copied {
        run.complain_of(what, path, error).await;
        return Ok(false);
    }
    if options.preserve {
        keep(run, to, &stat.meta, true);
    }
    keep_xattrs(run, from, to, options);
    say(run, from, to, options).await?;
    Ok(true)
}

/// Where operands go: into a directory, or to a name. `Err` is the usage status when there is no such place.
pub async fn destinations(run: &mut Run, into: Option<BString>, no_dir: bool) -> Result<Vec<(BString, BString)>, i32> {
    let mut operands = run.args.operands.clone();
    let missing = |run: &Run| if run.is_busybox() { None } else { Some(run.args.operands.first().cloned()) };
    let target = match into {
        Some(dir) => {
            if !run.proc.stat(&dir).is_ok_and(|s| s.is_dir()) {
                run.complain(format!("target {} is not a directory", quoted(&dir))).await;
                return Err(1);
            }
            dir
        }
        None => {
            let last = operands.pop();
            match (last, operands.is_empty()) {
                (Some(last), false) => last,
                (last, _) => {
                    let text = match (last, missing(run)) {
                        (Some(only), Some(_)) => format!("missing destination file operand after {}", quoted(&only)),
                        _ => "missing file operand".to_owned(),
                    };
                    return Err(run.missing(text).await);
                }
            }
        }
    };
    let stat = run.proc.stat(&target);
    let is_dir = stat.as_ref().is_ok_and(Stat::is_dir) && !no_dir;
    if !is_dir && operands.len() > 1 {
        let text = match stat {
            Err(error) if !run.is_busybox() => format!("target {}: {}", quoted(&target), error.strerror()),
            Ok(_) if !run.is_busybox() => format!("target {}: Not a directory", quoted(&target)),
            _ => format!("target '{target}' is not a directory"),
        };
        run.complain(text).await;
        return Err(1);
    }
    let place = |from: BString| {
        if !is_dir {
            return (from, target.clone());
        }
        let name = match path::file_name(trimmed(&from)) {
            name if name == ".." || name == "." || name.is_empty() => return (from, target.clone()),
            name => name.to_owned(),
        };
        let to = below(&target, &name);
        (from, to)
    };
    Ok(operands.into_iter().map(place).collect())
}
