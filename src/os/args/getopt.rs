//! The dialect of Unix programs: `getopt_long`'s rules, in the words of GNU (glibc) or of busybox (musl).
//!
//! A program declares a `Spec`, calls [`getopt`], and either gets a [`Parsed`] or a [`Stop`] with the bytes to write and the status.
//! `--help` and `--version` are answered here where the spec has a text for them.
//!
//! ```
//! use capas::os::args::{Flavour, Spec, flag, getopt, value};
//! const HEAD: Spec = Spec { options: &[value('n', "lines"), flag('q', "quiet")], digits: Some('n'), ..Spec::new("head") };
//! let argv: Vec<bstr::BString> = ["head", "-5", "a", "-q"].map(Into::into).into();
//! let parsed = getopt(&HEAD, Flavour::Gnu, &argv).unwrap();
//! assert_eq!(parsed.value('n').unwrap(), "5");
//! assert!(parsed.has("quiet"));
//! assert_eq!(parsed.operands, ["a"]);
//! ```

use bstr::{BStr, BString, ByteSlice};

use super::scan::{Fault, Opt, Syntax, Words, scan};

/// Whose words a program uses.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Flavour {
    /// GNU programs on glibc.
    #[default]
    Gnu,
    /// Busybox on musl, as in Alpine.
    Busybox,
}

/// What a program's command line looks like. Build it with `..Spec::new("name")`.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// The program's name, when its `argv[0]` is missing.
    pub name: &'static str,
    /// The options of both flavours.
    pub options: &'static [Opt],
    /// GNU's `--help`; when it is empty there is no such option.
    pub help: &'static str,
    /// GNU's `--version`; when it is empty there is no such option.
    pub version: &'static str,
    /// Busybox's usage, without the line with its version: `Usage: cat [-nbvteA] [FILE]...` and what follows.
    pub busybox_usage: &'static str,
    /// Whether the first operand ends the options (`env`, `xargs`, `timeout`).
    pub stop_at_operand: bool,
    /// `-5` is this option with the value 5 (`head -5`).
    pub digits: Option<char>,
    /// The status of a usage error in GNU's flavour: 1, but 2 for `ls`, `grep`, `sort` and `diff`. Busybox always has 1.
    pub usage_status: u8,
}

impl Spec {
    /// A program without options.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            options: &[],
            help: "",
            version: "",
            busybox_usage: "",
            stop_at_operand: false,
            digits: None,
            usage_status: 1,
        }
    }

    /// A usage error of the program's own: `NAME: MESSAGE` and the hint where to look (`cp: missing file operand`).
    pub fn usage_error(&self, flavour: Flavour, argv: &[BString], message: impl AsRef<[u8]>) -> Stop {
        let name = self.name_in(flavour, argv);
        let mut err = BString::from([name.as_bytes(), b": ", message.as_ref(), b"\n"].concat());
        let status = match flavour {
            Flavour::Gnu => {
                err.extend_from_slice(&[b"Try '", name.as_bytes(), b" --help' for more information.\n"].concat());
                self.usage_status
            }
            Flavour::Busybox => {
                err.extend_from_slice(&self.busybox_help());
                1
            }
        };
        Stop { status, out: BString::default(), err }
    }

    /// Busybox's answer to wrong usage without a message of its own (a missing operand): version and usage.
    pub fn busybox_help(&self) -> BString {
        if self.busybox_usage.is_empty() {
            return BString::default();
        }
        format!("{BUSYBOX}\n\n{}", self.busybox_usage).into()
    }

    /// The name in messages: GNU prints `argv[0]` as it was typed, busybox the applet's.
    fn name_in<'a>(&'a self, flavour: Flavour, argv: &'a [BString]) -> &'a BStr {
        let typed = argv.first().map_or(BStr::new(self.name), |name| name.as_bstr());
        match flavour {
            Flavour::Gnu => typed,
            Flavour::Busybox => typed.rsplit_once_str("/").map_or(typed, |(_, name)| name.as_bstr()),
        }
    }
}

/// The first line of every busybox usage (Alpine's `busybox` package).
pub const BUSYBOX: &str = "BusyBox v1.34.1 (2021-11-23 00:57:35 UTC) multi-call binary.";

/// The program ends here: what to write and with which status.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Stop {
    /// The exit status.
    pub status: u8,
    /// For standard output.
    pub out: BString,
    /// For standard error.
    pub err: BString,
}

/// An option by its letter (`'n'`) or its long name (`"lines"`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Key<'a> {
    /// By letter.
    Short(char),
    /// By name.
    Long(&'a str),
}

impl From<char> for Key<'_> {
    fn from(short: char) -> Self {
        Self::Short(short)
    }
}

impl<'a> From<&'a str> for Key<'a> {
    fn from(long: &'a str) -> Self {
        Self::Long(long)
    }
}

impl Key<'_> {
    fn names(self, option: &Opt) -> bool {
        match self {
            Self::Short(short) => option.short == short,
            Self::Long(long) => option.long == long,
        }
    }
}

/// A command line that was read. Options may be asked for by letter or by name, whichever way they were written.
#[derive(Clone, Debug)]
pub struct Parsed {
    options: &'static [Opt],
    words: Words,
    /// The operands in the order given.
    pub operands: Vec<BString>,
}

impl Parsed {
    /// Whether the option was given.
    pub fn has<'k>(&self, key: impl Into<Key<'k>>) -> bool {
        self.count(key) > 0
    }

    /// How many times the option was given.
    pub fn count<'k>(&self, key: impl Into<Key<'k>>) -> usize {
        let key = key.into();
        self.iter().filter(|(option, _)| key.names(option)).count()
    }

    /// The value of the option's last occurrence.
    pub fn value<'k>(&self, key: impl Into<Key<'k>>) -> Option<&BStr> {
        let key = key.into();
        self.iter().filter(|(option, _)| key.names(option)).last().and_then(|(_, value)| value)
    }

    /// The values of all its occurrences.
    pub fn values<'a>(&'a self, key: impl Into<Key<'a>>) -> impl Iterator<Item = &'a BStr> {
        let key = key.into();
        self.iter().filter(move |(option, _)| key.names(option)).filter_map(|(_, value)| value)
    }

    /// Which of these letters came last, for options that override one another (`ls -l1C`, `cp -if`).
    pub fn last_of(&self, letters: &[char]) -> Option<char> {
        self.iter().map(|(option, _)| option.short).filter(|short| letters.contains(short)).last()
    }

    /// Every option with its value, in the order given.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Opt, Option<&BStr>)> {
        self.words.occurrences.iter().filter_map(|occurrence| {
            let option = self.options.get(occurrence.index)?;
            Some((option, occurrence.value.as_ref().map(|value| value.as_bstr())))
        })
    }
}

/// Reads `argv` (with the program's name in front) by `spec`.
pub fn getopt(spec: &Spec, flavour: Flavour, argv: &[BString]) -> Result<Parsed, Stop> {
    let mut options = spec.options.to_vec();
    // Programs own their letters; these two have none and come last, as in gnulib.
    let answers = [("help", spec.help), ("version", spec.version)];
    for (long, text) in answers {
        if !text.is_empty() && flavour == Flavour::Gnu || long == "help" && !spec.busybox_usage.is_empty() {
            options.push(super::scan::long_flag(long));
        }
    }
    let syntax = Syntax { pflag: false, stop_at_operand: spec.stop_at_operand, digits: spec.digits };
    let mut words = scan(&options, syntax, argv.get(1..).unwrap_or_default(), &|_, _| Ok(()))
        .map_err(|fault| spec.usage_error(flavour, argv, message(flavour, &fault)))?;
    for occurrence in &words.occurrences {
        let answer = match options.get(occurrence.index) {
            Some(option) if occurrence.index >= spec.options.len() => option.long,
            _ => continue,
        };
        return Err(match (flavour, answer) {
            (Flavour::Gnu, "version") => Stop { out: spec.version.into(), ..Stop::default() },
            (Flavour::Gnu, _) => Stop { out: spec.help.into(), ..Stop::default() },
            // Busybox writes its help to standard error, but succeeds.
            (Flavour::Busybox, _) => Stop { err: spec.busybox_help(), ..Stop::default() },
        });
    }
    let operands = std::mem::take(&mut words.operands);
    Ok(Parsed { options: spec.options, words, operands })
}

/// glibc `posix/getopt.c` and musl `src/misc/getopt.c`, `getopt_long.c`.
fn message(flavour: Flavour, fault: &Fault) -> BString {
    let first = |cluster: &BString| cluster.get(..1).unwrap_or_default().to_vec();
    let (gnu, musl): (Vec<Vec<u8>>, Vec<Vec<u8>>) = match fault {
        Fault::UnknownLong(name) | Fault::BadSyntax(name) => (
            vec![b"unrecognized option '--".to_vec(), name.to_vec(), b"'".to_vec()],
            vec![b"unrecognized option: ".to_vec(), name.to_vec()],
        ),
        Fault::UnknownShort(cluster) => (
            vec![b"invalid option -- '".to_vec(), first(cluster), b"'".to_vec()],
            vec![b"unrecognized option: ".to_vec(), first(cluster)],
        ),
        Fault::LongNeedsValue(name) => (
            vec![b"option '--".to_vec(), name.to_vec(), b"' requires an argument".to_vec()],
            vec![b"option requires an argument: ".to_vec(), name.to_vec()],
        ),
        Fault::ShortNeedsValue(cluster) => (
            vec![b"option requires an argument -- '".to_vec(), first(cluster), b"'".to_vec()],
            vec![b"option requires an argument: ".to_vec(), first(cluster)],
        ),
        Fault::TakesNoValue(name) => (
            vec![b"option '--".to_vec(), name.to_vec(), b"' doesn't allow an argument".to_vec()],
            vec![b"option does not take an argument: ".to_vec(), name.to_vec()],
        ),
        Fault::Ambiguous(name, names) => {
            let possibilities = names.iter().flat_map(|name| [b" '--", name.as_bytes(), b"'"].concat()).collect();
            (
                vec![b"option '--".to_vec(), name.to_vec(), b"' is ambiguous; possibilities:".to_vec(), possibilities],
                vec![b"option is ambiguous: ".to_vec(), name.to_vec()],
            )
        }
        Fault::Invalid(_, value, reason) => {
            let text = [reason.as_bytes(), b": ", value.as_slice()].concat();
            (vec![text.clone()], vec![text])
        }
    };
    match flavour {
        Flavour::Gnu => gnu.concat().into(),
        Flavour::Busybox => musl.concat().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::scan::{flag, long_optional, value};
    use super::*;

    const LS: Spec = Spec {
        options: &[
            flag('a', "all"),
            flag('A', "almost-all"),
            flag('l', ""),
            value('w', "width"),
            long_optional("color"),
        ],
        help: "Usage: ls\n",
        version: "ls (GNU coreutils) 9.1\n",
        busybox_usage: "Usage: ls [FILE]...\n",
        usage_status: 2,
        ..Spec::new("ls")
    };

    fn argv(line: &str) -> Vec<BString> {
        line.split(' ').map(BString::from).collect()
    }

    fn fails(flavour: Flavour, line: &str) -> String {
        let stop = getopt(&LS, flavour, &argv(line)).unwrap_err();
        assert_eq!(stop.status, if flavour == Flavour::Gnu { 2 } else { 1 });
        stop.err.to_string()
    }

    #[test]
    fn options_and_operands_may_be_mixed() {
        let parsed = getopt(&LS, Flavour::Gnu, &argv("ls x -la --width=5 y -w6 --color -- -l")).unwrap();
        assert!(parsed.has('l') && parsed.has("all") && !parsed.has('A'));
        assert_eq!(parsed.value('w').unwrap(), "6");
        assert_eq!(parsed.values("width").collect::<Vec<_>>(), ["5", "6"]);
        assert_eq!((parsed.has("color"), parsed.value("color")), (true, None));
        assert_eq!(parsed.operands, ["x", "y", "-l"]);
        assert_eq!(parsed.last_of(&['a', 'l']), Some('a'));
    }

    #[test]
    fn names_may_be_abbreviated_while_that_is_clear() {
        assert!(getopt(&LS, Flavour::Gnu, &argv("ls --wid 7")).unwrap().has('w'));
        assert_eq!(
            fails(Flavour::Gnu, "ls --al"),
            "ls: option '--al' is ambiguous; possibilities: '--all' '--almost-all'\nTry 'ls --help' for more information.\n"
        );
    }

    #[test]
    fn faults_are_told_in_both_flavours() {
        for (line, gnu, musl) in [
            ("ls --nope", "unrecognized option '--nope'", "unrecognized option: nope"),
            ("ls -aQ", "invalid option -- 'Q'", "unrecognized option: Q"),
            ("ls -aw", "option requires an argument -- 'w'", "option requires an argument: w"),
            ("ls --width", "option '--width' requires an argument", "option requires an argument: width"),
            ("ls --all=x", "option '--all' doesn't allow an argument", "option does not take an argument: all"),
        ] {
            assert_eq!(fails(Flavour::Gnu, line), format!("ls: {gnu}\nTry 'ls --help' for more information.\n"));
            assert_eq!(fails(Flavour::Busybox, line), format!("ls: {musl}\n{BUSYBOX}\n\nUsage: ls [FILE]...\n"));
        }
    }

    #[test]
    fn help_and_version_end_the_program_well() {
        let stop = getopt(&LS, Flavour::Gnu, &argv("ls --help")).unwrap_err();
        assert_eq!((stop.status, stop.out), (0, "Usage: ls\n".into()));
        let stop = getopt(&LS, Flavour::Gnu, &argv("ls --vers")).unwrap_err();
        assert_eq!((stop.status, stop.out), (0, "ls (GNU coreutils) 9.1\n".into()));
    }
}
