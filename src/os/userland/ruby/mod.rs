//! Ruby as the image `ruby` has it: `ruby` itself, [`gem`], [`bundle`] and [`rails`].
//!
//! `ruby` knows its version, its help, and scripts that only print: `puts`, `print` and `p` of strings with `#{…}`, numbers
//! and the constants that tell which Ruby it is; and those that start the program of a gem. Any other script is refused.

pub mod bundle;
pub mod gem;
mod gems;
mod rails;

use bstr::{BString, ByteSlice};

use crate::os::kernel::Proc;
use crate::os::kernel::exec::{HEAD_BYTES, version};

/// `ruby -h` (`ruby.c`, `usage`).
const HELP: &str = "Usage: ruby [switches] [--] [programfile] [arguments]
  -0[octal]       specify record separator (\\0, if no argument)
  -a              autosplit mode with -n or -p (splits $_ into $F)
  -c              check syntax only
  -Cdirectory     cd to directory before executing your script
  -d              set debugging flags (set $DEBUG to true)
  -e 'command'    one line of script. Several -e's allowed. Omit [programfile]
  -Eex[:in]       specify the default external and internal character encodings
  -Fpattern       split() pattern for autosplit (-a)
  -i[extension]   edit ARGV files in place (make backup if extension supplied)
  -Idirectory     specify $LOAD_PATH directory (may be used more than once)
  -l              enable line ending processing
  -n              assume 'while gets(); ... end' loop around your script
  -p              assume loop like -n but print line also like sed
  -rlibrary       require the library before executing your script
  -s              enable some switch parsing for switches after script name
  -S              look for the script using PATH environment variable
  -v              print the version number, then turn on verbose mode
  -w              turn warnings on for your script
  -W[level=2|:category]     set warning level; 0=silence, 1=medium, 2=verbose
  -x[directory]   strip off text before #!ruby line and perhaps cd to directory
  --jit           enable JIT for the platform, same as --yjit (experimental)
  --mjit          enable C compiler-based JIT compiler (experimental)
  --yjit          enable in-process JIT compiler (experimental)
  -h              show this message, --help for more info
";

/// Which Ruby it is: `3.0.3p157,2021-11-24,3fb7d2cadc` in the executable.
pub struct Release {
    number: String,
    patch: String,
    date: String,
    revision: String,
}

/// The version that an executable tells of itself.
async fn told_by(proc: &Proc, path: &[u8]) -> String {
    let head = proc.read_file(path).await.map(|file| file.head(HEAD_BYTES).to_vec()).unwrap_or_default();
    version(&head).unwrap_or_default()
}

impl Release {
    /// That of the program which runs.
    async fn of(proc: &Proc) -> Self {
        Self::read(&told_by(proc, b"/proc/self/exe").await)
    }

    /// That of the `ruby` that would be run.
    async fn of_ruby(proc: &Proc) -> Self {
        let path = proc.search("ruby".into()).unwrap_or_else(|_| "/usr/local/bin/ruby".into());
        Self::read(&told_by(proc, &path).await)
    }

    fn read(told: &str) -> Self {
        let mut fields = told.split(',').map(ToOwned::to_owned);
        let full = fields.next().unwrap_or_default();
        let (number, patch) = full.split_once('p').unwrap_or((&full, "0"));
        Self {
            number: number.to_owned(),
            patch: patch.to_owned(),
            date: fields.next().unwrap_or_default(),
            revision: fields.next().unwrap_or_default(),
        }
    }

    /// The version whose libraries it uses: `3.0.0` for `3.0.3`.
    fn series(&self) -> String {
        self.number.rsplit_once('.').map_or_else(|| self.number.clone(), |(series, _)| format!("{series}.0"))
    }

    fn line(&self) -> String {
        format!("ruby {}p{} ({} revision {}) [x86_64-linux]", self.number, self.patch, self.date, self.revision)
    }

    fn constant(&self, name: &str) -> Option<String> {
        Some(match name {
            "RUBY_VERSION" => self.number.clone(),
            "RUBY_PATCHLEVEL" => self.patch.clone(),
            "RUBY_PLATFORM" => "x86_64-linux".to_owned(),
            "RUBY_ENGINE" => "ruby".to_owned(),
            "RUBY_RELEASE_DATE" => self.date.clone(),
            "RUBY_DESCRIPTION" => self.line(),
            _ => return None,
        })
    }
}

/// `ruby`.
pub async fn main(proc: Proc) -> i32 {
    let args: Vec<String> = proc.args().iter().skip(1).map(|arg| arg.to_str_lossy().into_owned()).collect();
    let release = Release::of(&proc).await;
    let mut script = String::new();
    let mut rest = args.iter();
    let mut file = None;
    while let Some(arg) = rest.next() {
        match arg.as_str() {
            "-v" | "--version" => return i32::from(proc.print(format!("{}\n", release.line())).await.is_err()),
            "-h" => {
                let modern = |line: &&str| {
                    !release.number.starts_with("2.") && !release.number.starts_with("3.0") || !line.contains("jit")
                };
                let text: String = HELP.lines().filter(modern).map(|line| format!("{line}\n")).collect();
                return i32::from(proc.print(text).await.is_err());
            }
            "-w" | "-W0" | "--" => {}
            "-e" => {
                let Some(line) = rest.next() else {
                    proc.eprint("ruby: no code specified for -e (RuntimeError)\n").await;
                    return 1;
                };
                script.push_str(line);
                script.push('\n');
            }
            other if other.starts_with('-') => {
                proc.eprint(format!("ruby: {other} is not simulated in Capas\n")).await;
                return 1;
            }
            other => {
                file = Some(other.to_owned());
                break;
            }
        }
    }
    if script.is_empty() {
        let read = match &file {
            Some(file) => proc.read_file(file.as_bytes()).await,
            None => proc.read_all(0).await,
        };
        match read {
            Ok(text) => script = text.to_vec().to_str_lossy().into_owned(),
            Err(_) => {
                let file = file.unwrap_or_default();
                proc.eprint(format!("ruby: No such file or directory -- {file} (LoadError)\n")).await;
                return 1;
            }
        }
    }
    let arguments: Vec<String> = rest.cloned().collect();
    if let Some(program) = starts(&script) {
        return start(proc, &program, file.as_deref().unwrap_or_default(), arguments, release).await;
    }
    match run(&script, &release) {
        Some(output) => i32::from(proc.print(output).await.is_err()),
        None => {
            proc.eprint("ruby: scripts that do more than print are not simulated in Capas\n").await;
            1
        }
    }
}

/// The program of a gem that a script starts: made by RubyGems, by Bundler or by Rails.
fn starts(script: &str) -> Option<String> {
    for line in script.lines().map(str::trim) {
        if line.starts_with("require \"rails/commands\"") || line.starts_with("require 'rails/commands'") {
            return Some("rails".to_owned());
        }
        if line.starts_with("Rake.application.run") {
            return Some("rake".to_owned());
        }
        let rest = line.strip_prefix("load Gem.activate_bin_path(").or_else(|| line.strip_prefix("load Gem.bin_path("));
        if let Some(rest) = rest {
            let program = rest.split(',').nth(1)?;
            return Some(program.trim().trim_matches([')', '\'', '"']).to_owned());
        }
    }
    None
}

/// Runs the program of a gem.
async fn start(proc: Proc, program: &str, script: &str, arguments: Vec<String>, release: Release) -> i32 {
    let words = |first: &str| -> Vec<BString> {
        std::iter::once(first).chain(arguments.iter().map(String::as_str)).map(BString::from).collect()
    };
    match program {
        "rails" => rails::main(proc, script, arguments, release).await,
        "rake" => rails::rake(proc, arguments, release).await,
        "bundle" | "bundler" => {
            proc.set_args(words("bundle"));
            let own = told_by(&proc, b"/usr/local/bin/bundle").await;
            bundle::run(proc, own).await
        }
        other => {
            proc.eprint(format!("{other}: running programs in this language is not simulated in Capas\n")).await;
            1
        }
    }
}

/// `gem`, with the version that its file tells.
pub async fn gem_main(proc: Proc) -> i32 {
    let own = told_by(&proc, b"/proc/self/exe").await;
    gem::main(proc, own).await
}

/// `bundle`, with the version that its file tells.
pub async fn bundle_main(proc: Proc) -> i32 {
    let own = told_by(&proc, b"/proc/self/exe").await;
    bundle::run(proc, own).await
}

/// What a script prints; nothing if it does more than print.
fn run(script: &str, release: &Release) -> Option<String> {
    let mut out = String::new();
    for statement in script.split(['\n', ';']).map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let (verb, rest) = statement.split_once([' ', '(']).unwrap_or((statement, ""));
        let rest = rest.trim().trim_end_matches(')').trim();
        let value = if rest.is_empty() { Some(String::new()) } else { expression(rest, release) };
        match verb {
            "puts" => {
                out.push_str(&value?);
                if !out.ends_with('\n') || rest.is_empty() {
                    out.push('\n');
                }
            }
            "print" => out.push_str(&value?),
            "p" if rest.starts_with(['"', '\'']) => out.push_str(&format!("{:?}\n", value?)),
            "p" => out.push_str(&format!("{}\n", value?)),
            _ => return None,
        }
    }
    Some(out)
}

/// A string, a whole number, a constant, or sums of numbers.
fn expression(source: &str, release: &Release) -> Option<String> {
    if let Some(inner) = source.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        return (!inner.contains('\'')).then(|| inner.to_owned());
    }
    if let Some(inner) = source.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        return text(inner, release);
    }
    if let Some(value) = release.constant(source) {
        return Some(value);
    }
    let mut sum = 0i64;
    for (at, term) in source.split('+').enumerate() {
        let mut product = 1i64;
        for factor in term.split('*') {
            product = product.checked_mul(factor.trim().parse().ok()?)?;
        }
        sum = if at == 0 { product } else { sum.checked_add(product)? };
    }
    Some(sum.to_string())
}

/// The inside of a string in double quotes.
fn text(inner: &str, release: &Release) -> Option<String> {
    let mut out = String::new();
    let mut rest = inner;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("#{") {
            let (code, after) = after.split_once('}')?;
            out.push_str(&expression(code.trim(), release)?);
            rest = after;
        } else if let Some(after) = rest.strip_prefix('\\') {
            let escaped = after.chars().next()?;
            out.push(match escaped {
                'n' => '\n',
                't' => '\t',
                other => other,
            });
            rest = after.get(escaped.len_utf8()..)?;
        } else if c == '"' {
            return None;
        } else {
            out.push(c);
            rest = rest.get(c.len_utf8()..)?;
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_that_print_are_run_and_others_refused() {
        let release = Release {
            number: "3.1.0".to_owned(),
            patch: "0".to_owned(),
            date: "2021-12-25".to_owned(),
            revision: "fb4df44d16".to_owned(),
        };
        let run = |script: &str| run(script, &release);
        assert_eq!(run("puts \"Bienvenido a Ruby!! #{RUBY_VERSION}\""), Some("Bienvenido a Ruby!! 3.1.0\n".to_owned()));
        assert_eq!(run("puts 'a'; print 1 + 2 * 3\nputs"), Some("a\n7\n".to_owned()));
        assert_eq!(run("puts(\"a\\n\")"), Some("a\n".to_owned()));
        assert_eq!(run("10.times { puts 1 }"), None);
        assert_eq!(run("puts gets"), None);
        assert_eq!(release.line(), "ruby 3.1.0p0 (2021-12-25 revision fb4df44d16) [x86_64-linux]");
    }
}
