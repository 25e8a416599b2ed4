//! What every program does the same way: read its command line, buffer its output, complain, end.
//!
//! Nothing a program prints is lost: the buffer is written before every complaint and at the end. Which options there are
//! and what they mean is left to the programs.

use std::future::Future;
use std::pin::Pin;

use bstr::{BStr, BString, ByteSlice};

use crate::base::errno::Errno;
use crate::base::rope::Rope;
use crate::os::args::{self, Parsed, Spec};
use crate::os::kernel::{Fd, Flavour, Open, Proc};

/// Output is written in pieces of this many bytes.
const BUFFER_BYTES: usize = 16 << 10;
/// Bytes that are looked at in one piece.
pub const PIECE: u64 = 64 << 10;

/// How a program's body ends: its status, or the error of a write to standard output.
pub type Done = Result<i32, Errno>;

/// A program at work.
pub struct Run {
    /// The process.
    pub proc: Proc,
    /// The name that messages begin with.
    pub name: BString,
    /// Options and operands.
    pub args: Parsed,
    /// The status in the end unless the body says another: raised by complaints.
    pub status: i32,
    spec: &'static Spec,
    out: Vec<u8>,
}

/// A program's body, waiting to be run.
pub type Body<'a> = Pin<Box<dyn Future<Output = Done> + 'a>>;

/// Describes a program's command line: constant, name, the rest of its usage line, options.
macro_rules! spec {
    ($constant:ident, $name:literal, $usage:literal, [$($option:expr),* $(,)?] $(, $field:ident: $value:expr)* $(,)?) => {
        const $constant: $crate::os::args::Spec = $crate::os::args::Spec {
            options: &[$($option),*],
            help: concat!("Usage: ", $name, " ", $usage, "\n"),
            busybox_usage: concat!("Usage: ", $name, " ", $usage, "\n"),
            $($field: $value,)*
            ..$crate::os::args::Spec::new($name)
        };
    };
}
pub(super) use spec;

/// The dialect of option errors that belongs to a wording.
pub const fn dialect(flavour: Flavour) -> args::Flavour {
    match flavour {
        Flavour::Gnu => args::Flavour::Gnu,
        Flavour::Busybox => args::Flavour::Busybox,
    }
}

/// Reads the command line and runs the body.
pub async fn run(proc: Proc, spec: &'static Spec, body: impl for<'a> FnOnce(&'a mut Run) -> Body<'a>) -> i32 {
    let argv = proc.args();
    run_as(proc, spec, &argv, body).await
}

/// The same with arguments other than the process's own.
pub async fn run_as(
    proc: Proc,
    spec: &'static Spec,
    argv: &[BString],
    body: impl for<'a> FnOnce(&'a mut Run) -> Body<'a>,
) -> i32 {
    let flavour = dialect(proc.flavour());
    let args = match args::getopt(spec, flavour, argv) {
        Ok(args) => args,
        Err(stop) => {
            let _ = proc.print(&stop.out).await;
            proc.eprint(&stop.err).await;
            return i32::from(stop.status);
        }
    };
    let name = match proc.flavour() {
        Flavour::Gnu => argv.first().cloned().unwrap_or_else(|| spec.name.into()),
        Flavour::Busybox => spec.name.into(),
    };
    let mut run = Run { proc, name, args, status: 0, spec, out: Vec::new() };
    let done = body(&mut run).await;
    let flushed = run.flush().await;
    match done.and_then(|status| flushed.map(|()| status)) {
        Ok(0) => run.status,
        Ok(status) => status,
        Err(Errno::EPIPE) => 1,
        Err(error) => {
            run.out.clear();
            run.complain(format!("write error: {}", error.strerror())).await;
            run.status.max(1)
        }
    }
}

impl Run {
    /// Appends to standard output.
    ///
    /// # Errors
    /// Those of a write.
    pub async fn put(&mut self, bytes: impl AsRef<[u8]>) -> Result<(), Errno> {
        self.out.extend_from_slice(bytes.as_ref());
        if self.out.len() >= BUFFER_BYTES { self.flush().await } else { Ok(()) }
    }

    /// Appends a rope to standard output; bulk stays bulk.
    ///
    /// # Errors
    /// Those of a write.
    pub async fn put_rope(&mut self, rope: &Rope) -> Result<(), Errno> {
        self.flush().await?;
        self.proc.write_rope(1, rope).await
    }

    /// Writes what is buffered.
    ///
    /// # Errors
    /// Those of a write.
    pub async fn flush(&mut self) -> Result<(), Errno> {
        if self.out.is_empty() {
            return Ok(());
        }
        let out = std::mem::take(&mut self.out);
        self.proc.write(1, &out).await
    }

    /// Prints `name: message` to standard error and remembers that something failed.
    pub async fn complain(&mut self, message: impl AsRef<[u8]>) {
        self.status = self.status.max(1);
        let _ = self.flush().await;
        self.proc.eprint([self.name.as_slice(), b": ", message.as_ref(), b"\n"].concat()).await;
    }

    /// Complains of a file: `name: cannot remove 'path': strerror`; busybox says `can't remove`.
    pub async fn complain_of(&mut self, what: &str, path: &[u8], error: Errno) {
        let text = if self.is_busybox() {
            [b"can't ", short_verb(what).as_bytes(), b" '", path, b"': ", error.strerror().as_bytes()].concat()
        } else {
            [what.as_bytes(), b" ", quoted(path).as_slice(), b": ", error.strerror().as_bytes()].concat()
        };
        self.complain(text).await;
    }

    /// Complains of a file: `name: path: strerror`.
    pub async fn complain_path(&mut self, path: &[u8], error: Errno) {
        self.complain([maybe_quoted(path).as_slice(), b": ", error.strerror().as_bytes()].concat()).await;
    }

    /// Prints a usage error and returns its status.
    pub async fn usage(&mut self, message: impl AsRef<[u8]>) -> i32 {
        let _ = self.flush().await;
        let stop = self.spec.usage_error(dialect(self.proc.flavour()), &self.proc.args(), message);
        self.proc.eprint(&stop.err).await;
        i32::from(stop.status)
    }

    /// An operand is missing: GNU says what, busybox shows its usage.
    pub async fn missing(&mut self, message: impl AsRef<[u8]>) -> i32 {
        if self.is_busybox() {
            self.proc.eprint(&self.spec.busybox_help()).await;
            return 1;
        }
        self.usage(message).await
    }

    /// Whether the wording is busybox's.
    pub fn is_busybox(&self) -> bool {
        self.proc.flavour() == Flavour::Busybox
    }

    /// Opens an operand for reading; `-` is standard input.
    ///
    /// # Errors
    /// As [`Proc::open`].
    pub fn input(&self, path: &[u8]) -> Result<Fd, Errno> {
        if path == b"-" { Ok(0) } else { self.proc.open(path, Open::READ) }
    }

    /// The operands, or standard input when there are none.
    pub fn inputs(&self) -> Vec<BString> {
        if self.args.operands.is_empty() { vec!["-".into()] } else { self.args.operands.clone() }
    }

    /// Closes what [`Self::input`] opened.
    pub fn done_with(&self, fd: Fd) {
        if fd != 0 {
            let _ = self.proc.close(fd);
        }
    }

    /// All of an operand's bytes, or a complaint.
    pub async fn slurp(&mut self, path: &[u8]) -> Option<Rope> {
        let read = match self.input(path) {
            Ok(fd) => {
                let read = self.proc.read_all(fd).await;
                self.done_with(fd);
                read
            }
            Err(error) => Err(error),
        };
        match read {
            Ok(rope) => Some(rope),
            Err(error) => {
                self.complain_path(path, error).await;
                None
            }
        }
    }
}

/// What busybox calls what GNU says it cannot do: `cannot create directory` is `create directory`.
fn short_verb(what: &str) -> &str {
    let verb = what.strip_prefix("cannot ").or_else(|| what.strip_prefix("failed to ")).unwrap_or(what);
    match verb {
        "access" | "stat" => "stat",
        "touch" | "open" => "open",
        other => other,
    }
}

/// A name in messages, always between quotes; odd bytes as the shell would write them.
pub fn quoted(path: &[u8]) -> BString {
    if path.iter().all(|b| *b >= b' ' && *b != 0x7f && *b != b'\'') {
        return [b"'", path, b"'"].concat().into();
    }
    if path.contains(&b'\'') && !path.iter().any(|b| *b < b' ' || matches!(b, b'"' | b'\\' | b'$' | b'`' | 0x7f)) {
        return [b"\"", path, b"\""].concat().into();
    }
    shell_escape(path)
}

/// A name in messages, quoted only where the shell would need it (gnulib `quotef`).
pub fn maybe_quoted(path: &[u8]) -> BString {
    let plain =
        |b: &u8| (*b > b' ' && *b != 0x7f && !b"'\"\\$`*?[]{}()<>|&;!~#=^".contains(b)) || *b == b'=' || *b == b'~';
    if !path.is_empty() && path.iter().all(plain) { path.into() } else { quoted(path) }
}

fn shell_escape(path: &[u8]) -> BString {
    let mut out = BString::from("'");
    for byte in path {
        match byte {
            b'\'' => out.extend_from_slice(b"'\\''"),
            b'\n' => out.extend_from_slice(b"'$'\\n''"),
            b'\t' => out.extend_from_slice(b"'$'\\t''"),
            b if *b < b' ' || *b == 0x7f => out.extend_from_slice(format!("'$'\\{b:03o}''").as_bytes()),
            b => out.push(*b),
        }
    }
    out.push(b'\'');
    out
}

/// Reads a descriptor line by line.
pub struct Lines {
    proc: Proc,
    fd: Fd,
    buffer: Vec<u8>,
    at: usize,
    end: bool,
    separator: u8,
}

impl Lines {
    /// Lines of an open file.
    pub fn new(proc: &Proc, fd: Fd) -> Self {
        Self { proc: proc.clone(), fd, buffer: Vec::new(), at: 0, end: false, separator: b'\n' }
    }

    /// The same with another end of line.
    pub fn separated(proc: &Proc, fd: Fd, separator: u8) -> Self {
        Self { separator, ..Self::new(proc, fd) }
    }

    /// The next line with its newline, if it has one; `None` at the end.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Errno> {
        let mut searched = self.at;
        loop {
            let rest = self.buffer.get(searched..).unwrap_or_default();
            if let Some(found) = rest.find_byte(self.separator) {
                let end = searched + found + 1;
                let line = self.buffer.get(self.at..end).unwrap_or_default().to_vec();
                self.at = end;
                self.proc.tick().await;
                return Ok(Some(line));
            }
            if self.end {
                let line = self.buffer.get(self.at..).unwrap_or_default().to_vec();
                self.at = self.buffer.len();
                return Ok(if line.is_empty() { None } else { Some(line) });
            }
            self.buffer.drain(..self.at);
            self.at = 0;
            searched = self.buffer.len();
            let piece = self.proc.read(self.fd, PIECE).await?;
            if piece.is_empty() {
                self.end = true;
            }
            self.buffer.extend_from_slice(&piece.to_vec());
            if self.buffer.len() > 256 << 20 {
                return Err(Errno::ENOMEM);
            }
        }
    }
}

/// A line without its newline, and whether it had one.
pub fn chomp(line: &[u8]) -> (&[u8], bool) {
    match line.strip_suffix(b"\n") {
        Some(line) => (line, true),
        None => (line, false),
    }
}

/// Text of bytes, for parsing numbers and names that are ASCII anyway.
pub fn text(bytes: &[u8]) -> String {
    bytes.to_str_lossy().into_owned()
}

/// A number, if the bytes are one.
pub fn number<T: std::str::FromStr>(bytes: &[u8]) -> Option<T> {
    bytes.to_str().ok()?.parse().ok()
}

/// Appends a name to a directory's path as programs print it: `a/` and `b` are `a/b`.
pub fn below(dir: &[u8], name: &[u8]) -> BString {
    let slash: &[u8] = if dir.ends_with(b"/") { b"" } else { b"/" };
    [dir, slash, name].concat().into()
}

/// A path without trailing slashes (but `/` stays).
pub fn trimmed(path: &[u8]) -> &BStr {
    let mut path = path;
    while path.len() > 1
        && let Some(rest) = path.strip_suffix(b"/")
    {
        path = rest;
    }
    path.as_bstr()
}
