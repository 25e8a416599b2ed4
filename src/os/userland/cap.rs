//! `getcap`, `setcap`: the capabilities of programs' files (libcap 2.66).

use bstr::{BString, ByteSlice};

use super::program::Lines;
use super::walk::Walk;
use crate::base::errno::Errno;
use crate::os::fs::capability::{ALL_CAPABILITIES, CAP_SETFCAP, FileCapabilities, NAMES};
use crate::os::fs::node::{CAPABILITY, Kind};
use crate::os::kernel::Proc;

const SET_USAGE: &str = "usage: setcap [-h] [-q] [-v] [-n <rootid>] (-r|-|<caps>) <filename> \
                         [ ... (-r|-|<capsN>) <filenameN> ]\n\n \
                         Note <filename> must be a regular (non-symlink) file.\n \
                         -r          remove capability from file\n \
                         -           read capability text from stdin\n \
                         <capsN>     cap_from_text(3) formatted file capability\n \
                         [ Note: capsh --suggest=\"something...\" might help you pick. ]\n \
                         -h          this message and exit status 0\n \
                         -q          quietly\n \
                         -v          validate supplied capability matches file\n \
                         -n <rootid> write a user namespace (!= 0) limited capability\n \
                         --license   display the license info\n";
const GET_USAGE: &str = "usage: getcap [-h] [-l] [-n] [-r] [-v] <filename> [<filename> ...]\n\n\
                         \tdisplays the capabilities on the queried file(s).\n";
const NOTE: &str = "NOTE: Under Linux, effective file capabilities must either be empty, or\n      exactly match the union of \
                    selected permitted and inheritable bits.\n";

/// The three sets of a file, as text tells them: `cap_chown,cap_kill=ep`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Sets {
    effective: u64,
    permitted: u64,
    inheritable: u64,
}

/// Letters of the sets, in the order in which they are told, with their place in a capability's state.
const LETTERS: [(char, u8); 3] = [('e', 1), ('i', 4), ('p', 2)];

impl Sets {
    /// `cap_from_text(3)`.
    fn parse(text: &str) -> Option<Self> {
        let mut sets = Self::default();
        for clause in text.split_ascii_whitespace() {
            let at = clause.find(['=', '+', '-'])?;
            let (names, mut actions) = (clause.get(..at)?, clause.get(at..)?);
            let listed = if names.is_empty() { None } else { Some(listed(names)?) };
            let mut first = true;
            while let Some(operator) = actions.chars().next() {
                let rest = actions.get(1..)?;
                let end = rest.find(['=', '+', '-']).unwrap_or(rest.len());
                let (letters, after) = rest.split_at(end);
                // `=` comes first and once; the others need something to do it to, and what.
                let fits = match operator {
                    '=' => first,
                    _ => !letters.is_empty() && (listed.is_some() || !first),
                };
                if !fits || !letters.chars().all(|letter| LETTERS.iter().any(|known| known.0 == letter)) {
                    return None;
                }
                let which = listed.unwrap_or(ALL_CAPABILITIES);
                for (letter, set) in
                    [('e', &mut sets.effective), ('p', &mut sets.permitted), ('i', &mut sets.inheritable)]
                {
                    match (operator, letters.contains(letter)) {
                        ('-', true) | ('=', false) => *set &= !which,
                        (_, true) => *set |= which,
                        (_, false) => {}
                    }
                }
                (actions, first) = (after, false);
            }
        }
        Some(sets)
    }

    /// What the attribute can say: effective is all of the others, or nothing.
    fn of_file(self) -> Option<FileCapabilities> {
        let (permitted, inheritable, effective) = (self.permitted, self.inheritable, self.effective != 0);
        let fits = !effective || (permitted | inheritable) & !self.effective == 0;
        fits.then_some(FileCapabilities { permitted, inheritable, effective, root: 0 })
    }

    /// Whether a capability that is effective comes before one that is given and isn't: `setcap` explains that.
    const fn mixes(self) -> bool {
        let idle = (self.permitted | self.inheritable) & !self.effective;
        self.effective != 0 && idle != 0 && self.effective.trailing_zeros() < u64::BITS - 1 - idle.leading_zeros()
    }

    const fn from_file(file: &FileCapabilities) -> Self {
        let (permitted, inheritable) = (file.permitted, file.inheritable);
        Self { effective: if file.effective { permitted | inheritable } else { 0 }, permitted, inheritable }
    }

    /// Which of the sets a capability is in.
    fn state(self, number: usize) -> u8 {
        let bit = |set: u64, place: u8| if set >> number & 1 == 0 { 0 } else { place };
        bit(self.effective, 1) | bit(self.permitted, 2) | bit(self.inheritable, 4)
    }

    /// `cap_to_text(3)`: what most capabilities have, and then how others differ.
    fn text(self) -> String {
        let states: Vec<u8> = (0..NAMES.len()).map(|number| self.state(number)).collect();
        let count = |state: u8| states.iter().filter(|other| **other == state).count();
        let base = (0..8u8).rev().max_by_key(|state| (count(*state), std::cmp::Reverse(*state))).unwrap_or_default();
        let letters = |state: u8| LETTERS.iter().filter(|l| state & l.1 != 0).map(|l| l.0).collect::<String>();
        let mut out = if base == 0 { String::new() } else { format!("={}", letters(base)) };
        for state in (0..8u8).rev().filter(|state| *state != base && count(*state) != 0) {
            let names: Vec<String> = NAMES
                .iter()
                .zip(&states)
                .filter(|(_, other)| **other == state)
                .map(|(name, _)| format!("cap_{}", name.to_ascii_lowercase()))
                .collect();
            let (more, less) = (letters(state & !base), letters(base & !state));
            let more = match (more.as_str(), out.is_empty()) {
                ("", _) => String::new(),
                (more, true) => format!("={more}"),
                (more, false) => format!("+{more}"),
            };
            let less = if less.is_empty() { less } else { format!("-{less}") };
            let blank = if out.is_empty() { "" } else { " " };
            out.push_str(&format!("{blank}{}{more}{less}", names.join(",")));
        }
        if out.is_empty() {
            out.push('=');
        }
        // Those that have no name yet.
        for state in (1..8u8).rev() {
            let numbers: Vec<String> =
                (NAMES.len()..64).filter(|number| self.state(*number) == state).map(|n| n.to_string()).collect();
            if !numbers.is_empty() {
                out.push_str(&format!(" {}+{}", numbers.join(","), letters(state)));
            }
        }
        out
    }
}

/// The capabilities of a list of names or numbers.
fn listed(names: &str) -> Option<u64> {
    names.split(',').try_fold(0, |all, name| {
        let lower = name.to_ascii_lowercase();
        if lower == "all" {
            return Some(all | ALL_CAPABILITIES);
        }
        let number = match lower.strip_prefix("cap_") {
            Some(bare) => NAMES.iter().position(|known| known.eq_ignore_ascii_case(bare))?,
            None => match (lower.strip_prefix("0x"), lower.strip_prefix('0')) {
                (Some(digits), _) => usize::from_str_radix(digits, 16).ok()?,
                (None, Some(digits)) if !digits.is_empty() => usize::from_str_radix(digits, 8).ok()?,
                _ => lower.parse().ok()?,
            },
        };
        (number < 64).then(|| all | 1 << number)
    })
}

/// `getcap`.
pub async fn getcap(proc: Proc) -> i32 {
    let args = proc.args();
    let (mut shows_root, mut recursive, mut verbose) = (false, false, false);
    let mut files = args.iter().skip(1).peekable();
    while let Some(word) = files.next_if(|word| word.starts_with(b"-") && word.len() > 1) {
        for letter in word.iter().skip(1).filter(|_| word != "--") {
            match letter {
                b'h' => return i32::from(proc.print(GET_USAGE).await.is_err()),
                b'n' => shows_root = true,
                b'r' => recursive = true,
                b'v' => verbose = true,
                other => {
                    let other = char::from(*other);
                    proc.eprint(format!("getcap: invalid option -- '{other}'\n{GET_USAGE}")).await;
                    return 1;
                }
            }
        }
    }
    if files.peek().is_none() {
        proc.eprint(GET_USAGE).await;
        return 1;
    }
    for file in files {
        let mut out = Vec::new();
        if let Err(error) = proc.lstat(file) {
            proc.eprint(format!("{file} ({})\n", error.strerror())).await;
            continue;
        }
        if recursive {
            let mut walk = Walk::new(&proc, file);
            while let Some(visit) = walk.next().await {
                if !visit.leaving {
                    show(&proc, &visit.path, shows_root, verbose, &mut out);
                }
            }
        } else {
            show(&proc, file, shows_root, verbose, &mut out);
        }
        if proc.print(out).await.is_err() {
            return 1;
        }
    }
    0
}

/// Appends what one file has.
fn show(proc: &Proc, path: &BString, shows_root: bool, verbose: bool, out: &mut Vec<u8>) {
    let mut line = |text: &[u8]| {
        out.extend_from_slice(path);
        out.extend_from_slice(text);
        out.push(b'\n');
    };
    if proc.lstat(path).is_ok_and(|stat| stat.kind != Kind::File) {
        if verbose {
            line(b" (Not a regular file)");
        }
        return;
    }
    let held = proc.xattrs(path, false).ok();
    match held.as_ref().and_then(|xattrs| FileCapabilities::read(xattrs.get(CAPABILITY)?)) {
        Some(file) => {
            let text = Sets::from_file(&file).text();
            let root = if shows_root && file.root != 0 { format!(" [rootid={}]", file.root) } else { String::new() };
            line(format!(" {text}{root}").as_bytes());
        }
        None if verbose => line(b""),
        None => {}
    }
}

/// `setcap`.
pub async fn setcap(proc: Proc) -> i32 {
    let (mut quiet, mut verify, mut status) = (false, false, 0);
    let mut words = proc.args().into_iter().skip(1).peekable();
    if words.peek().is_none() {
        return set_usage(&proc, "").await;
    }
    while let Some(word) = words.next() {
        match word.as_slice() {
            b"-q" => quiet = true,
            b"-v" => verify = true,
            b"-h" => return i32::from(proc.print(SET_USAGE).await.is_err()),
            b"-n" => {
                proc.eprint("setcap: -n: user namespaces are not simulated in Capas\n").await;
                return 1;
            }
            _ => {
                let wanted = match word.as_slice() {
                    b"-r" => None,
                    b"-" => match asked(&proc, quiet).await {
                        Some(sets) => Some(sets),
                        None => return set_usage(&proc, "fatal error: Invalid argument\n").await,
                    },
                    text => match text.to_str().ok().and_then(Sets::parse) {
                        Some(sets) => Some(sets),
                        None => return set_usage(&proc, "fatal error: Invalid argument\n").await,
                    },
                };
                let Some(file) = words.next() else { return set_usage(&proc, "").await };
                if verify {
                    status |= compare(&proc, &file, wanted.unwrap_or_default(), quiet).await;
                } else if let Err(text) = change(&proc, &file, wanted) {
                    proc.eprint(text).await;
                    return 1;
                }
            }
        }
    }
    status
}

async fn set_usage(proc: &Proc, first: &str) -> i32 {
    proc.eprint(format!("{first}{SET_USAGE}")).await;
    1
}

/// Reads capabilities from standard input, until an empty line.
async fn asked(proc: &Proc, quiet: bool) -> Option<Sets> {
    if !quiet {
        proc.print("Please enter caps for file [empty line to end]:\n").await.ok()?;
    }
    let (mut lines, mut text) = (Lines::new(proc, 0), String::new());
    while let Some(line) = lines.next().await.ok()? {
        let line = line.to_str().ok()?.trim_end();
        if line.is_empty() {
            break;
        }
        text.push_str(line);
        text.push(' ');
    }
    Sets::parse(&text)
}

/// Sets what a file has, or takes it away.
fn change(proc: &Proc, file: &BString, wanted: Option<Sets>) -> Result<(), String> {
    let failed = |error: Errno| match error {
        Errno::EINVAL => format!("Invalid file '{file}' for capability operation\n"),
        Errno::ENODATA => format!("File '{file}' has no capablity to remove\n"),
        error => format!("Failed to set capabilities on file '{file}': {}\n", error.strerror()),
    };
    if !proc.cred().is_capable(CAP_SETFCAP) {
        let error = Errno::EPERM.strerror();
        return Err(format!("unable to set CAP_SETFCAP effective capability: {error}\n"));
    }
    if proc.lstat(file).map_err(failed)?.kind != Kind::File {
        return Err(failed(Errno::EINVAL));
    }
    let value = match wanted {
        None => None,
        Some(sets) => {
            let note = if sets.mixes() { NOTE } else { "" };
            Some(sets.of_file().ok_or_else(|| format!("{note}{}", failed(Errno::EINVAL)))?.written())
        }
    };
    proc.set_xattr(file, CAPABILITY, value.as_deref(), false).map_err(failed)
}

/// Says whether a file has what it should.
async fn compare(proc: &Proc, file: &BString, wanted: Sets, quiet: bool) -> i32 {
    let xattrs = match proc.xattrs(file, false) {
        Ok(xattrs) => xattrs,
        Err(error) => {
            proc.eprint(format!("Failed to get capabilities of file '{file}': {}\n", error.strerror())).await;
            return 1;
        }
    };
    let file_has = xattrs.get(CAPABILITY).and_then(|value| FileCapabilities::read(value)).unwrap_or_default();
    let has = Sets::from_file(&file_has);
    let mut differing = String::new();
    for (letter, differs) in [
        ('p', has.permitted != wanted.permitted),
        ('i', has.inheritable != wanted.inheritable),
        ('e', has.effective != wanted.effective),
    ] {
        differing.extend(differs.then_some(letter));
    }
    let told = match (differing.as_str(), file_has.root) {
        ("", 0) => format!("{file}: OK\n"),
        ("", root) => format!("nsowner[got={root}, want=0]\n"),
        (letters, 0) => format!("{file} differs in [{letters}]\n"),
        (letters, root) => format!("nsowner[got={root}, want=0],{file} differs in [{letters}]\n"),
    };
    if !quiet && proc.print(told).await.is_err() {
        return 1;
    }
    i32::from(!differing.is_empty() || file_has.root != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the real programs said (libcap 2.66): a text, what `getcap` makes of it; nothing where `setcap` refuses it.
    #[test]
    fn texts_are_read_and_told_as_libcap_does() {
        let cases = [
            ("cap_net_bind_service=+ep", Some("cap_net_bind_service=ep")),
            ("cap_net_bind_service,cap_chown+ep", Some("cap_chown,cap_net_bind_service=ep")),
            ("all=ep", Some("=ep")),
            ("=ep", Some("=ep")),
            ("=ep cap_chown-ep", Some("=ep cap_chown-ep")),
            ("=", Some("=")),
            ("", Some("=")),
            ("cap_chown=i", Some("cap_chown=i")),
            ("CAP_CHOWN=pe", Some("cap_chown=ep")),
            ("7=ep", Some("cap_setuid=ep")),
            ("010=p", Some("cap_setpcap=p")),
            ("0x7=p", Some("cap_setuid=p")),
            ("63=p", Some("= 63+p")),
            ("cap_chown=e", Some("=")),
            ("cap_chown=p cap_kill=i cap_fowner=ip", Some("cap_fowner=ip cap_kill+i cap_chown+p")),
            ("all=ep cap_chown-p", Some("=ep cap_chown-ep")),
            ("all=p cap_kill=ip", Some("=p cap_kill+i")),
            ("cap_chown,cap_kill=ip cap_kill-i", Some("cap_chown=ip cap_kill+p")),
            ("=ip cap_sys_admin-ip", Some("=ip cap_sys_admin-ip")),
            ("cap_chown=p+i", Some("cap_chown=ip")),
            ("cap_chown+p-p", Some("=")),
            ("  cap_chown=p  ", Some("cap_chown=p")),
            ("all,cap_chown=p", Some("=p")),
            ("cap_chown=ep cap_chown=ei", Some("cap_chown=ei")),
            ("cap_kill=e cap_kill+p", Some("cap_kill=ep")),
            ("cap_chown+", None),
            ("+ep", None),
            ("cap_chown,=p", None),
            (",cap_chown=p", None),
            ("cap_chown", None),
            ("cap_chown=x", None),
            ("cap_chown=ep,cap_kill=ep", None),
            ("cap_chown==p", None),
            ("cap_chown=p=i", None),
            ("64=p", None),
            ("bogus", None),
            ("cap_bogus+ep", None),
        ];
        for (text, told) in cases {
            let sets = Sets::parse(text);
            let file = sets.map(|sets| sets.of_file().unwrap());
            assert_eq!(file.map(|file| Sets::from_file(&file).text()).as_deref(), told, "{text}");
        }
    }

    #[test]
    fn effective_is_all_or_nothing() {
        for (text, noted) in [
            ("cap_net_raw=p cap_chown+eip", true),
            ("cap_kill=i cap_chown=ep", true),
            ("cap_chown,cap_fowner=p cap_kill=ep", false),
            ("cap_chown=p cap_kill=ei", false),
        ] {
            let sets = Sets::parse(text).unwrap();
            assert_eq!((sets.of_file(), sets.mixes()), (None, noted), "{text}");
        }
    }
}
