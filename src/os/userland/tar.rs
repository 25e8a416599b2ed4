//! `tar`: creates, lists and unpacks; contents stay ropes.

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice};

use super::names::Names;
use super::pattern::glob;
use super::program::{Done, Run, below, run_as, spec};
use super::walk::Walk;
use crate::base::errno::Errno;
use crate::base::path;
use crate::base::rope::Rope;
use crate::os::args::{flag, long_flag, long_value, value};
use crate::os::fs::node::{Content, Entry, Kind, Stat, Xattrs};
use crate::os::fs::packed::{self, Packing};
use crate::os::fs::{gzip, tar, xz};
use crate::os::kernel::Proc;

spec!(
    SPEC,
    "tar",
    "[OPTION...] [FILE]...",
    [
        flag('c', "create"),
        flag('x', "extract"),
        flag('x', "get"),
        flag('t', "list"),
        flag('r', "append"),
        flag('u', "update"),
        value('f', "file"),
        value('C', "directory"),
        flag('z', "gzip"),
        flag('J', "xz"),
        flag('j', "bzip2"),
        flag('a', "auto-compress"),
        flag('v', "verbose"),
        flag('O', "to-stdout"),
        flag('p', "preserve-permissions"),
        flag('P', "absolute-names"),
        flag('h', "dereference"),
        flag('k', "keep-old-files"),
        flag('m', "touch"),
        flag('o', "no-same-owner"),
        value('T', "files-from"),
        value('X', "exclude-from"),
        long_value("exclude"),
        long_value("strip-components"),
        long_value("transform"),
        long_flag("numeric-owner"),
        long_flag("same-owner"),
        long_flag("no-same-permissions"),
        long_value("owner"),
        long_value("group"),
        long_value("mtime"),
        long_value("sort"),
        long_flag("overwrite"),
        long_flag("zstd"),
        long_flag("xattrs"),
    ],
    usage_status: 2
);

/// `tar`: its first word may be letters without a dash.
pub async fn main(proc: Proc) -> i32 {
    let mut argv = proc.args();
    if let Some(word) = argv.get(1).cloned()
        && !word.starts_with(b"-")
        && !word.is_empty()
    {
        // Old style: the values follow in the order of the letters that want them.
        let mut rest = argv.split_off(2).into_iter();
        argv.truncate(1);
        for letter in word.iter() {
            argv.push([b"-", &[*letter][..]].concat().into());
            if b"fCTX".contains(letter) {
                argv.extend(rest.next());
            }
        }
        argv.extend(rest);
    }
    run_as(proc, &SPEC, &argv, |run| Box::pin(body(run))).await
}

async fn body(run: &mut Run) -> Done {
    let mode = run.args.last_of(&['c', 'x', 't', 'r', 'u']);
    let status = match mode {
        Some('c') => create(run).await?,
        Some('x' | 't') => read(run, mode == Some('x')).await?,
        Some(_) => {
            run.complain("appending to an archive is not simulated").await;
            return Ok(2);
        }
        None if run.is_busybox() => return Ok(run.missing("").await),
        None => {
            return Ok(run.usage("You must specify one of the '-Acdtrux', '--delete' or '--test-label' options").await);
        }
    };
    if status == 2 {
        run.complain("Error is not recoverable: exiting now").await;
    } else if run.status != 0 {
        run.status = 2;
        if !run.is_busybox() {
            run.complain("Exiting with failure status due to previous errors").await;
        }
        run.status = 2;
    }
    Ok(status)
}

fn excluded(patterns: &[BString], name: &[u8]) -> bool {
    let name = name.strip_suffix(b"/").unwrap_or(name);
    patterns.iter().any(|pattern| {
        let pattern = pattern.strip_suffix(b"/").unwrap_or(pattern);
        // A pattern matches from any slash on.
        glob(pattern, name) || name.find_iter(b"/").any(|at| glob(pattern, name.get(at + 1..).unwrap_or_default()))
    })
}

async fn patterns(run: &mut Run) -> Vec<BString> {
    let mut patterns: Vec<BString> = run.args.values("exclude").map(ToOwned::to_owned).collect();
    let files: Vec<BString> = run.args.values('X').map(ToOwned::to_owned).collect();
    for file in files {
        if let Some(content) = run.slurp(&file).await {
            patterns.extend(content.head(1 << 20).lines().map(BString::from));
        }
    }
    patterns
}

async fn create(run: &mut Run) -> Done {
    let mut operands = run.args.operands.clone();
    let lists: Vec<BString> = run.args.values('T').map(ToOwned::to_owned).collect();
    for file in lists {
        if let Some(content) = run.slurp(&file).await {
            operands.extend(content.head(1 << 24).lines().map(BString::from));
        }
    }
    if operands.is_empty() {
        let text = "Cowardly refusing to create an empty archive";
        return Ok(if run.is_busybox() { run.missing("").await } else { run.usage(text).await });
    }
    let exclude = patterns(run).await;
    let output: BString = run.args.value('f').map_or("-".into(), ToOwned::to_owned);
    let origin = run.proc.cwd();
    if !enter(run).await {
        return Ok(2);
    }
    let (verbose, follow) = (run.args.has('v'), run.args.has('h'));
    let mut writer = tar::Writer::new();
    let mut links: BTreeMap<(u64, u64), BString> = BTreeMap::new();
    let mut said_slash = false;
    for operand in operands {
        let mut walk = Walk::new(&run.proc, super::program::trimmed(&operand));
        while let Some(visit) = walk.next().await {
            if visit.leaving {
                continue;
            }
            if excluded(&exclude, &visit.path) {
                walk.prune();
                continue;
            }
            let stat = if follow { run.proc.stat(&visit.path).or(visit.stat) } else { visit.stat };
            let stat = match stat {
                Ok(stat) => stat,
                Err(error) => {
                    let what = if run.is_busybox() { "" } else { "Cannot stat: " };
                    run.complain(format!("{}: {what}{}", visit.path, error.strerror())).await;
                    continue;
                }
            };
            if let Some(error) = visit.unlisted {
                run.complain(format!("{}: Cannot open: {}", visit.path, error.strerror())).await;
            }
            let mut name = visit.path.as_bstr();
            if !run.args.has('P')
                && let Some(relative) = name.strip_prefix(b"/")
            {
                if !said_slash {
                    let status = run.status;
                    let what = if run.is_busybox() {
                        "removing leading '/' from member names"
                    } else {
                        "Removing leading `/' from member names"
                    };
                    run.complain(what).await;
                    (run.status, said_slash) = (status, true);
                }
                name = if relative.is_empty() { b".".as_bstr() } else { relative.as_bstr() };
            }
            if verbose {
                let slash = if stat.is_dir() { "/" } else { "" };
                // GNU shows the path as it was found, busybox the name that it gets.
                let shown = if run.is_busybox() { name } else { visit.path.as_bstr() };
                let line = format!("{shown}{slash}\n");
                if output == "-" { run.proc.eprint(line).await } else { run.put(line).await? }
            }
            if stat.nlink > 1 && stat.kind == Kind::File {
                let key = (stat.dev, stat.ino);
                if let Some(first) = links.get(&key) {
                    writer.hard_link(name, first);
                    continue;
                }
                links.insert(key, name.to_owned());
            }
            match content_of(run, &visit.path, &stat).await {
                Ok(content) => {
                    let xattrs = if run.args.has("xattrs") {
                        run.proc.xattrs(&visit.path, false).unwrap_or_default()
                    } else {
                        Xattrs::default()
                    };
                    writer.entry(name, &Entry { meta: stat.meta, content, xattrs });
                }
                Err(error) => run.complain(format!("{}: Cannot open: {}", visit.path, error.strerror())).await,
            }
        }
    }
    let _ = run.proc.chdir(&origin);
    let archive = writer.finish();
    let by_name = run.args.has('a');
    let archive = if run.args.has('z') || (by_name && (output.ends_with(b".gz") || output.ends_with(b".tgz"))) {
        gzip::compress(&archive)
    } else if run.args.has('J') || (by_name && output.ends_with(b".xz")) {
        xz::store(&archive)
    } else if run.args.has('j') || (by_name && (output.ends_with(b".bz2") || output.ends_with(b".tbz2"))) {
        packed::bzip2(&archive)
    } else if run.args.has("zstd") || (by_name && output.ends_with(b".zst")) {
        run.complain("packing with zstd is not simulated in Capas").await;
        return Ok(2);
    } else {
        archive
    };
    if output == "-" {
        run.put_rope(&archive).await?;
    } else if let Err(error) = run.proc.write_file(&output, &archive).await {
        run.complain(format!("{output}: Cannot open: {}", error.strerror())).await;
        return Ok(2);
    }
    Ok(0)
}

async fn content_of(run: &Run, at: &[u8], stat: &Stat) -> Result<Content, Errno> {
    Ok(match (stat.kind, stat.device) {
        (Kind::File, _) => Content::File(run.proc.read_file(at).await?),
        (Kind::Dir, _) => Content::Dir { opaque: false },
        (Kind::Symlink, _) => Content::Symlink(run.proc.readlink(at)?),
        (Kind::CharDevice, Some((major, minor))) => Content::CharDevice(major, minor),
        (Kind::BlockDevice, Some((major, minor))) => Content::BlockDevice(major, minor),
        (Kind::Fifo, _) => Content::Fifo,
        _ => Content::Socket,
    })
}

async fn enter(run: &mut Run) -> bool {
    let dirs: Vec<BString> = run.args.values('C').map(ToOwned::to_owned).collect();
    for dir in dirs {
        if let Err(error) = run.proc.chdir(&dir) {
            let text = if run.is_busybox() {
                format!("can't change directory to '{dir}': {}", error.strerror())
            } else {
                format!("{dir}: Cannot open: {}", error.strerror())
            };
            run.complain(text).await;
            return false;
        }
    }
    true
}

async fn unpacked(run: &mut Run) -> Option<Rope> {
    let input: BString = run.args.value('f').map_or("-".into(), ToOwned::to_owned);
    let read = match run.input(&input) {
        Ok(fd) => {
            let read = run.proc.read_all(fd).await;
            run.done_with(fd);
            read
        }
        Err(error) => Err(error),
    };
    let packed = match read {
        Ok(packed) => packed,
        Err(error) => {
            let text = if run.is_busybox() {
                format!("can't open '{input}': {}", error.strerror())
            } else {
                format!("{input}: Cannot open: {}", error.strerror())
            };
            run.complain(text).await;
            return None;
        }
    };
    let archive = if let Some(packing) = Packing::of(&packed.head(8)) {
        super::gzip::unpack(&run.proc, packing, &packed).await.map_err(|e| e.to_string())
    } else if run.args.has('z') {
        run.proc.eprint("\ngzip: stdin: not in gzip format\n").await;
        run.complain("Child returned status 1").await;
        return None;
    } else if run.args.has('J') {
        run.proc.eprint("xz: (stdin): File format not recognized\n").await;
        run.complain("Child returned status 1").await;
        return None;
    } else if run.args.has('j') {
        run.proc.eprint("bzip2: (stdin) is not a bzip2 file.\n").await;
        run.complain("Child returned status 2").await;
        return None;
    } else {
        Ok(packed)
    };
    match archive {
        // Not even the two empty blocks that end one.
        Ok(archive) if archive.is_empty() && !run.is_busybox() => {
            run.complain("This does not look like a tar archive").await;
            run.complain("Exiting with failure status due to previous errors").await;
            None
        }
        Ok(archive) => Some(archive),
        Err(text) => {
            run.complain(text).await;
            None
        }
    }
}

async fn read(run: &mut Run, extract: bool) -> Done {
    let exclude = patterns(run).await;
    let wanted = run.args.operands.clone();
    let mut met = vec![false; wanted.len()];
    let Some(archive) = unpacked(run).await else { return Ok(2) };
    if extract && !enter(run).await {
        return Ok(2);
    }
    let names = Names::load(&run.proc).await;
    let strip: usize = run.args.value("strip-components").and_then(|n| super::program::number(n)).unwrap_or(0);
    let verbose = run.args.count('v');
    let to_stdout = run.args.has('O');
    let mut dirs: Vec<(BString, Entry)> = Vec::new();
    for item in tar::Reader::new(&archive) {
        run.proc.tick().await;
        let item = match item {
            Ok(item) => item,
            Err(tar::TarError::Header) => {
                run.complain("This does not look like a tar archive").await;
                return Ok(2);
            }
            Err(tar::TarError::Truncated) => {
                run.complain("Unexpected EOF in archive").await;
                return Ok(2);
            }
            Err(error) => {
                run.complain(error.to_string()).await;
                return Ok(2);
            }
        };
        let is_dir = matches!(&item.body, tar::Body::Entry(e) if e.content.kind() == Kind::Dir);
        let shown: BString = if item.path.is_empty() { ".".into() } else { item.path.clone() };
        let matches = |want: &BString| {
            let want = path::normalize(&[b"/", want.as_slice()].concat());
            let want = want.strip_prefix(b"/").unwrap_or(&want);
            want.is_empty() || item.path == want || item.path.starts_with(&[want, b"/"].concat())
        };
        if let Some(index) = wanted.iter().position(matches) {
            if let Some(met) = met.get_mut(index) {
                *met = true;
            }
        } else if !wanted.is_empty() {
            continue;
        }
        if excluded(&exclude, &shown) {
            continue;
        }
        if !extract || verbose > 0 {
            let slash = if is_dir { "/" } else { "" };
            let line = if verbose > usize::from(extract) {
                long_line(&item, &names, slash)
            } else {
                format!("{shown}{slash}\n")
            };
            if to_stdout { run.proc.eprint(line).await } else { run.put(line).await? }
        }
        if !extract {
            continue;
        }
        if to_stdout {
            if let tar::Body::Entry(Entry { content: Content::File(rope), .. }) = &item.body {
                run.put_rope(rope).await?;
            }
            continue;
        }
        let parts: Vec<_> = path::components(&item.path).skip(strip).map(|n| n.to_vec()).collect();
        if parts.is_empty() && strip > 0 {
            continue;
        }
        let at: BString = if parts.is_empty() { ".".into() } else { parts.join(b"/".as_slice()).into() };
        match unpack(run, &at, &item).await {
            Ok(()) => {}
            Err(error) => {
                let what = if run.is_busybox() { "can't open" } else { "Cannot open" };
                run.complain(format!("{at}: {what}: {}", error.strerror())).await;
            }
        }
        if let tar::Body::Entry(entry) = item.body
            && is_dir
        {
            dirs.push((at, entry));
        }
    }
    for (at, entry) in dirs.iter().rev() {
        keep(run, at, entry);
    }
    for (want, met) in wanted.iter().zip(met) {
        if !met {
            run.complain(format!("{want}: Not found in archive")).await;
        }
    }
    Ok(0)
}

fn long_line(item: &tar::Item, names: &Names, slash: &str) -> String {
    let (kind, size, arrow) = match &item.body {
        tar::Body::Entry(entry) => {
            let arrow = match &entry.content {
                Content::Symlink(target) => format!(" -> {target}"),
                _ => String::new(),
            };
            let size = if let Content::File(rope) = &entry.content { rope.len() } else { 0 };
            (entry.content.kind(), size, arrow)
        }
        tar::Body::HardLink(target) => (Kind::File, 0, format!(" link to {target}")),
    };
    let stat = Stat {
        dev: 0,
        ino: 0,
        kind,
        meta: item.meta,
        ctime: item.meta.mtime,
        nlink: 1,
        size_bytes: size,
        device: None,
    };
    let owner = format!("{}/{}", names.user(item.meta.uid), names.group(item.meta.gid));
    let time = super::date::strftime("%Y-%m-%d %H:%M", item.meta.mtime);
    let width = 19usize.saturating_sub(owner.len() + 1);
    format!("{} {owner} {size:>width$} {time} {}{slash}{arrow}\n", stat.mode_string(), item.path)
}

async fn unpack(run: &Run, at: &BString, item: &tar::Item) -> Result<(), Errno> {
    let mut dir = BString::default();
    for name in path::components(path::parent(at)) {
        dir = if dir.is_empty() { name.to_owned() } else { below(&dir, name) };
        if run.proc.stat(&dir).is_err() {
            run.proc.mkdir(&dir, 0o755)?;
        }
    }
    let existing = run.proc.lstat(at);
    let entry = match &item.body {
        tar::Body::HardLink(target) => {
            if existing.is_ok() {
                run.proc.unlink(at)?;
            }
            return run.proc.link(target, at);
        }
        tar::Body::Entry(entry) => entry,
    };
    if entry.content.kind() == Kind::Dir {
        return match existing {
            Ok(stat) if stat.is_dir() => Ok(()),
            Ok(stat) if stat.kind == Kind::Symlink && run.proc.stat(at).is_ok_and(|s| s.is_dir()) => Ok(()),
            Ok(_) => run.proc.unlink(at).and_then(|()| run.proc.mkdir(at, 0o755)),
            Err(_) => run.proc.mkdir(at, 0o755),
        };
    }
    match existing {
        Ok(_) if run.args.has('k') => return Err(Errno::EEXIST),
        Ok(stat) if stat.is_dir() => run.proc.rmdir(at)?,
        Ok(_) => run.proc.unlink(at)?,
        Err(_) => {}
    }
    match &entry.content {
        Content::File(rope) => run.proc.write_file(at, rope).await?,
        other => run.proc.mknod(at, entry.meta.mode, other.clone())?,
    }
    keep(run, at, entry);
    Ok(())
}

/// Owner (for root), mode and time of an unpacked file.
fn keep(run: &Run, at: &[u8], entry: &Entry) {
    let root = run.proc.cred().uid == 0;
    if root && !run.args.has('o') {
        let _ = run.proc.chown(at, Some(entry.meta.uid), Some(entry.meta.gid), false);
    }
    if entry.content.kind() != Kind::Symlink {
        let mode = if root || run.args.has('p') { entry.meta.mode } else { entry.meta.mode & !run.proc.umask() };
        let _ = run.proc.chmod(at, mode);
    }
    if run.args.has("xattrs") {
        // GNU tar restores the user's attributes unless told otherwise.
        for (name, value) in entry.xattrs.iter().filter(|(name, _)| name.starts_with(b"user.")) {
            let _ = run.proc.set_xattr(at, name, Some(value), false);
        }
    }
    if !run.args.has('m') {
        let _ = run.proc.set_mtime(at, entry.meta.mtime, false);
    }
}
