//! `localedef` and `locale-gen`: compiled locales in the archive of locales.

use super::{Line, fault_text, make_dirs, run, text_of};
use crate::base::digest::Digest;
use crate::base::rope::Rope;
use crate::os::args::scan::Opt;
use crate::os::args::{flag, long_flag, value};
use crate::os::kernel::Proc;

const ARCHIVE: &str = "/usr/lib/locale/locale-archive";
/// What one compiled locale adds to the archive, about.
const LOCALE_BYTES: u64 = 3_000_000;
const OPTIONS: &[Opt] = &[
    value('i', "inputfile"),
    value('f', "charmap"),
    value('A', "alias-file"),
    flag('c', "force"),
    flag('v', "verbose"),
    long_flag("quiet"),
    long_flag("no-archive"),
    long_flag("list-archive"),
];

/// `localedef`.
pub async fn localedef(proc: Proc) -> i32 {
    let line = match Line::read(OPTIONS, &proc.args()) {
        Ok(line) => line,
        Err(fault) => {
            proc.eprint(format!("localedef: {}\n", fault_text(&fault))).await;
            return 64;
        }
    };
    let (Some(input), Some(name)) = (line.value("inputfile"), line.operands.first()) else {
        proc.eprint("localedef: no input file given\n").await;
        return 4;
    };
    let source = if input.contains('/') { input.to_owned() } else { format!("/usr/share/i18n/locales/{input}") };
    if proc.stat(source.as_bytes()).is_err() {
        proc.eprint(format!("cannot open locale definition file `{input}': No such file or directory\n")).await;
        return 4;
    }
    compile(&proc, name).await
}

async fn compile(proc: &Proc, name: &str) -> i32 {
    make_dirs(proc, "/usr/lib/locale");
    let mut archive = proc.read_file(ARCHIVE.as_bytes()).await.unwrap_or_else(|_| Rope::new());
    let seed = Digest::of(name.as_bytes()).as_bytes().iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte));
    archive.push(&Rope::bulk(seed, LOCALE_BYTES));
    match proc.write_file(ARCHIVE.as_bytes(), &archive).await {
        Ok(()) => 0,
        Err(error) => {
            proc.eprint(format!("cannot create temporary file: {ARCHIVE}: {}\n", error.strerror())).await;
            4
        }
    }
}

/// `locale-gen`: compiles what `/etc/locale.gen` or the arguments name.
pub async fn locale_gen(proc: Proc) -> i32 {
    let named: Vec<String> =
        proc.args().iter().skip(1).map(ToString::to_string).filter(|arg| !arg.starts_with('-')).collect();
    let text = text_of(&proc, "/etc/locale.gen").await;
    let listed = text.lines().filter(|line| !line.trim_start().starts_with('#') && !line.trim().is_empty());
    let wanted: Vec<String> = if named.is_empty() { listed.map(str::to_owned).collect() } else { named };
    let _ = proc.print("Generating locales (this might take a while)...\n").await;
    for locale in &wanted {
        let name = locale.split(' ').next().unwrap_or_default();
        let definition = name.split('.').next().unwrap_or_default();
        let status = run(&proc, &["localedef", "-i", definition, "-f", "UTF-8", name]).await;
        let done = if status == 0 { " done" } else { " failed" };
        let _ = proc.print(format!("  {name}...{done}\n")).await;
        if status != 0 {
            return 1;
        }
    }
    i32::from(proc.print("Generation complete.\n").await.is_err())
}
