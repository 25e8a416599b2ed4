//! The dialect of Go's `spf13/pflag`, which Docker's client speaks.
//!
//! Leaves what a value means to `accept`; owns the texts of pflag's errors (pflag `errors.go`).

use bstr::{BString, ByteSlice};

use super::scan::{Accept, Fault, Opt, Syntax, Words, scan};

/// Reads `words` by pflag's rules.
pub fn parse(options: &[Opt], stop_at_operand: bool, words: &[BString], accept: Accept<'_>) -> Result<Words, Fault> {
    scan(options, Syntax { pflag: true, stop_at_operand, digits: None }, words, accept)
}

/// What pflag says about a fault.
pub fn message(options: &[Opt], fault: &Fault) -> BString {
    let pieces: Vec<&[u8]> = match fault {
        Fault::UnknownLong(name) => vec![b"unknown flag: --", name],
        Fault::UnknownShort(cluster) => vec![b"unknown shorthand flag: '", first(cluster), b"' in -", cluster],
        Fault::LongNeedsValue(name) => vec![b"flag needs an argument: --", name],
        Fault::ShortNeedsValue(cluster) => vec![b"flag needs an argument: '", first(cluster), b"' in -", cluster],
        Fault::BadSyntax(word) => vec![b"bad flag syntax: ", word],
        // pflag has neither: every boolean takes a value and no name is abbreviated.
        Fault::TakesNoValue(name) | Fault::Ambiguous(name, _) => vec![b"unknown flag: --", name],
        Fault::Invalid(index, value, reason) => {
            let flag = options.get(*index).map(name_in_errors).unwrap_or_default();
            return format!("invalid argument {} for \"{flag}\" flag: {reason}", go_quote(value)).into();
        }
    };
    pieces.concat().into()
}

fn first(cluster: &BString) -> &[u8] {
    cluster.get(..1).unwrap_or_default()
}

/// `-n, --last` or `--rm`.
fn name_in_errors(option: &Opt) -> String {
    if option.short == '\0' { format!("--{}", option.long) } else { format!("-{}, --{}", option.short, option.long) }
}

/// Go's `strconv.Quote` (`%q`).
pub fn go_quote(text: &[u8]) -> String {
    let mut out = String::from("\"");
    for (start, end, c) in text.char_indices() {
        let raw = text.get(start..end).unwrap_or_default();
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0b' => out.push_str("\\v"),
            '\x0c' => out.push_str("\\f"),
            '\u{fffd}' if raw != "\u{fffd}".as_bytes() => raw.iter().for_each(|b| out.push_str(&format!("\\x{b:02x}"))),
            c if c < ' ' || c == '\x7f' => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use bstr::BStr;

    use super::super::scan::{optional, value};
    use super::*;

    const RUN: &[Opt] = &[
        optional('d', "detach"),
        optional('i', "interactive"),
        optional('t', "tty"),
        optional('\0', "rm"),
        value('p', "publish"),
        value('\0', "name"),
        value('n', "last"),
    ];

    type Given = (Vec<(String, Option<String>)>, Vec<String>);

    fn run(line: &str) -> Result<Given, String> {
        let words: Vec<BString> = line.split(' ').map(BString::from).collect();
        let accept = |index: usize, value: Option<&BStr>| match (index, value) {
            (6, _) => Err("no".to_owned()),
            _ => Ok(()),
        };
        let words = parse(RUN, true, &words, &accept).map_err(|fault| message(RUN, &fault).to_string())?;
        let options =
            words.occurrences.iter().map(|o| (RUN[o.index].long.to_owned(), o.value.as_ref().map(|v| v.to_string())));
        Ok((options.collect(), words.operands.iter().map(|o| o.to_string()).collect()))
    }

    #[test]
    fn shorthands_combine_and_take_values() {
        let given = |long: &str, value: Option<&str>| (long.to_owned(), value.map(str::to_owned));
        let (options, operands) =
            run("-dit -p8080:80 -p=81:81 -p 82 -itp83 --rm=false --name web nginx -d --name").unwrap();
        let expected = [
            given("detach", None),
            given("interactive", None),
            given("tty", None),
            given("publish", Some("8080:80")),
            given("publish", Some("81:81")),
            given("publish", Some("82")),
            given("interactive", None),
            given("tty", None),
            given("publish", Some("83")),
            given("rm", Some("false")),
            given("name", Some("web")),
        ];
        assert_eq!(options, expected);
        assert_eq!(operands, ["nginx", "-d", "--name"]);
    }

    #[test]
    fn faults_are_told_in_pflags_words() {
        for (line, text) in [
            ("--nope", "unknown flag: --nope"),
            ("--na x", "unknown flag: --na"),
            ("-dZt", "unknown shorthand flag: 'Z' in -Zt"),
            ("--name", "flag needs an argument: --name"),
            ("-itp", "flag needs an argument: 'p' in -p"),
            ("---x", "bad flag syntax: ---x"),
            ("--last=x", "invalid argument \"x\" for \"-n, --last\" flag: no"),
        ] {
            assert_eq!(run(line).unwrap_err(), text);
        }
    }
}
