//! `od`, `hexdump`, `hd`, `xxd`: the bytes of files as numbers. One line printer serves them all.

use super::program::{Done, Run, run, run_as, spec, text};
use crate::base::errno::Errno;
use crate::base::rope::Rope;
use crate::os::args::number::gnu_size;
use crate::os::args::{flag, value};
use crate::os::kernel::Proc;

spec!(
    OD,
    "od",
    "[OPTION]... [FILE]...",
    [
        value('A', "address-radix"),
        value('t', "format"),
        value('N', "read-bytes"),
        value('j', "skip-bytes"),
        value('w', "width"),
        flag('v', "output-duplicates"),
        flag('a', ""),
        flag('b', ""),
        flag('c', ""),
        flag('d', ""),
        flag('o', ""),
        flag('x', ""),
    ]
);
spec!(
    HEXDUMP,
    "hexdump",
    "[options] <file>...",
    [
        flag('C', "canonical"),
        flag('b', "one-byte-octal"),
        flag('c', "one-byte-char"),
        flag('d', "two-bytes-decimal"),
        flag('o', "two-bytes-octal"),
        flag('x', "two-bytes-hex"),
        value('n', "length"),
        value('s', "skip"),
        flag('v', "no-squeezing"),
        value('e', "format"),
    ]
);
spec!(
    XXD,
    "xxd",
    "[options] [infile [outfile]]",
    [
        flag('b', ""),
        value('c', ""),
        value('g', ""),
        value('l', ""),
        flag('p', ""),
        flag('r', ""),
        value('s', ""),
        flag('u', ""),
    ]
);

/// `od`.
pub async fn od(proc: Proc) -> i32 {
    run(proc, &OD, |run| Box::pin(od_body(run))).await
}

/// `hexdump`.
pub async fn hexdump(proc: Proc) -> i32 {
    run(proc, &HEXDUMP, |run| Box::pin(hexdump_body(run))).await
}

/// `hd` is `hexdump -C`.
pub async fn hd(proc: Proc) -> i32 {
    let mut argv = proc.args();
    argv.insert(argv.len().min(1), "-C".into());
    run_as(proc, &HEXDUMP, &argv, |run| Box::pin(hexdump_body(run))).await
}

/// `xxd`.
pub async fn xxd(proc: Proc) -> i32 {
    let mut argv = proc.args();
    // xxd's long options are single letters and `-ps`.
    argv.iter_mut().filter(|word| *word == "-ps").for_each(|word| *word = "-p".into());
    run_as(proc, &XXD, &argv, |run| Box::pin(xxd_body(run))).await
}

/// How a number is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Octal,
    Hex,
    Signed,
    Unsigned,
    Char,
    Named,
}

/// A column: bytes a number, how it is shown, characters in front, characters wide, text behind.
#[derive(Clone, Copy)]
struct Form {
    unit: usize,
    kind: Kind,
    gap: usize,
    width: usize,
    trailer: bool,
}

const NAMES: [&str; 33] = [
    "nul", "soh", "stx", "etx", "eot", "enq", "ack", "bel", "bs", "ht", "nl", "vt", "ff", "cr", "so", "si", "dle",
    "dc1", "dc2", "dc3", "dc4", "nak", "syn", "etb", "can", "em", "sub", "esc", "fs", "gs", "rs", "us", "sp",
];

impl Form {
    fn of(kind: Kind, unit: usize) -> Self {
        let width = match (kind, unit) {
            (Kind::Octal, 1) | (Kind::Char | Kind::Named, _) => 3,
            (Kind::Octal, 2) => 6,
            (Kind::Octal, 4) => 11,
            (Kind::Octal, _) => 22,
            (Kind::Hex, unit) => unit * 2,
            (Kind::Signed, 1) => 4,
            (Kind::Signed, 2) => 6,
            (Kind::Signed, 4) => 11,
            (Kind::Signed, _) => 20,
            (Kind::Unsigned, 1) => 3,
            (Kind::Unsigned, 2) => 5,
            (Kind::Unsigned, 4) => 10,
            (Kind::Unsigned, _) => 20,
        };
        Self { unit, kind, gap: 1, width, trailer: false }
    }

    /// One number: little-endian, missing bytes are zero.
    fn show(self, bytes: &[u8]) -> String {
        let value = bytes.iter().rev().fold(0u64, |value, byte| value << 8 | u64::from(*byte));
        let byte = bytes.first().copied().unwrap_or(0);
        let width = self.width;
        match self.kind {
            Kind::Octal => format!("{value:0width$o}"),
            Kind::Hex => format!("{value:0width$x}"),
            Kind::Unsigned => format!("{value:width$}"),
            Kind::Signed => {
                let shift = 64 - 8 * self.unit.min(8) as u32;
                format!("{:width$}", (value << shift).cast_signed() >> shift)
            }
            Kind::Char => match byte {
                0 => " \\0".to_owned(),
                7 => " \\a".to_owned(),
                8 => " \\b".to_owned(),
                9 => " \\t".to_owned(),
                10 => " \\n".to_owned(),
                11 => " \\v".to_owned(),
                12 => " \\f".to_owned(),
                13 => " \\r".to_owned(),
                b' '..=b'~' => format!("  {}", char::from(byte)),
                _ => format!("{byte:03o}"),
            },
            Kind::Named => match NAMES.get(usize::from(byte & 0x7f)) {
                Some(name) => format!("{name:>3}"),
                None if byte & 0x7f == 0x7f => "del".to_owned(),
                None => format!("  {}", char::from(byte & 0x7f)),
            },
        }
    }
}

fn printable(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| if (b' '..=b'~').contains(byte) { char::from(*byte) } else { '.' }).collect()
}

/// All bytes of the operands, cut to what is asked for.
async fn input(run: &mut Run, skip: u64, length: Option<u64>) -> Rope {
    let mut all = Rope::new();
    for path in run.inputs() {
        if let Some(piece) = run.slurp(&path).await {
            all.push(&piece);
        }
    }
    let end = length.map_or(all.len(), |length| skip.saturating_add(length)).min(all.len());
    all.slice(skip.min(end)..end)
}

/// Hands out lines of `width` bytes with their offsets; a repeated one is said once (`None`), then not at all.
async fn lines(
    run: &mut Run,
    bytes: &Rope,
    width: usize,
    squeeze: bool,
    mut line: impl FnMut(u64, Option<&[u8]>) -> String,
) -> Result<(), Errno> {
    let (mut at, mut last, mut told) = (0, Vec::new(), false);
    while at < bytes.len() {
        let piece = bytes.slice(at..(at + width as u64).min(bytes.len())).to_vec();
        let again = squeeze && piece == last && piece.len() == width;
        if !again {
            run.put(line(at, Some(&piece))).await?;
        } else if !told {
            run.put(line(at, None)).await?;
        }
        (told, last) = (again, piece);
        at += width as u64;
        run.proc.tick().await;
    }
    Ok(())
}

async fn od_body(run: &mut Run) -> Done {
    let size = |run: &Run, key: char| run.args.value(key).map(|text| gnu_size(text));
    if [size(run, 'j'), size(run, 'N')].contains(&Some(None)) {
        let usage = run.usage("invalid number of bytes").await;
        return Ok(usage);
    }
    let mut forms = Vec::new();
    let mut wrong = None;
    for (option, value) in run.args.iter() {
        let form = match option.short {
            'a' => Form::of(Kind::Named, 1),
            'b' => Form::of(Kind::Octal, 1),
            'c' => Form::of(Kind::Char, 1),
            'd' => Form::of(Kind::Unsigned, 2),
            'o' => Form::of(Kind::Octal, 2),
            'x' => Form::of(Kind::Hex, 2),
            't' => {
                let word = text(value.map_or(b"", |value| value));
                match types(&word) {
                    Some(found) => {
                        forms.extend(found);
                        continue;
                    }
                    None => {
                        wrong = Some(word);
                        continue;
                    }
                }
            }
            _ => continue,
        };
        forms.push(form);
    }
    if let Some(word) = wrong {
        run.complain(format!("invalid type string '{word}'")).await;
        return Ok(1);
    }
    if forms.is_empty() {
        forms.push(Form::of(Kind::Octal, 2));
    }
    let radix = run.args.value('A').and_then(|a| a.first().copied()).unwrap_or(b'o');
    let width =
        run.args.value('w').map_or(Some(16), |w| gnu_size(w)).filter(|w| (1..=4096).contains(w)).unwrap_or(16) as usize;
    let skip = size(run, 'j').flatten().unwrap_or(0);
    let squeeze = !run.args.has('v');
    let length = size(run, 'N').flatten();
    let bytes = input(run, skip, length).await;
    let address = |at: u64| match radix {
        b'd' => format!("{at:07}"),
        b'x' => format!("{at:06x}"),
        b'n' => String::new(),
        _ => format!("{at:07o}"),
    };
    // Columns of several types stand one below the other.
    let total = |form: &Form| width.div_ceil(form.unit) * (form.width + 1);
    let widest = forms.iter().map(total).max().unwrap_or(0);
    let margin = " ".repeat(address(0).len());
    let end = skip + bytes.len();
    lines(run, &bytes, width, squeeze, |at, piece| {
        let Some(piece) = piece else { return "*\n".to_owned() };
        let mut out = String::new();
        for (place, form) in forms.iter().enumerate() {
            out.push_str(if place == 0 { "" } else { &margin });
            if place == 0 {
                out.push_str(&address(skip + at));
            }
            let fields = width.div_ceil(form.unit);
            let spare = widest - total(form);
            for (index, unit) in piece.chunks(form.unit).enumerate() {
                // What is to spare is shared out evenly.
                let pad = spare * (fields - index) / fields - spare * (fields - index - 1) / fields;
                out.push_str(&" ".repeat(pad + 1));
                out.push_str(&form.show(unit));
            }
            if form.trailer {
                let missing = fields - piece.len().div_ceil(form.unit);
                let blank = " ".repeat(missing * (form.width + 1 + spare / fields.max(1)));
                out.push_str(&format!("{blank}  >{}<", printable(piece)));
            }
            out.push('\n');
        }
        out
    })
    .await?;
    if radix != b'n' {
        run.put(address(end) + "\n").await?;
    }
    Ok(0)
}

/// `x1z`, `o2`, `d4u1`.
fn types(word: &str) -> Option<Vec<Form>> {
    let mut out = Vec::new();
    let mut rest = word;
    while !rest.is_empty() {
        let mut chars = rest.chars();
        let kind = match chars.next()? {
            'o' => Kind::Octal,
            'x' => Kind::Hex,
            'd' => Kind::Signed,
            'u' => Kind::Unsigned,
            'c' => Kind::Char,
            'a' => Kind::Named,
            _ => return None,
        };
        rest = chars.as_str();
        let single = matches!(kind, Kind::Char | Kind::Named);
        let (unit, taken) = match rest.chars().next() {
            Some('1' | 'C') if !single => (1, 1),
            Some('2' | 'S') if !single => (2, 1),
            Some('4' | 'I') if !single => (4, 1),
            Some('8' | 'L') if !single => (8, 1),
            _ => (if single { 1 } else { 4 }, 0),
        };
        rest = rest.get(taken..)?;
        let trailer = rest.starts_with('z');
        rest = rest.strip_prefix('z').unwrap_or(rest);
        out.push(Form { trailer, ..Form::of(kind, unit) });
    }
    (!out.is_empty()).then_some(out)
}

async fn hexdump_body(run: &mut Run) -> Done {
    if run.args.has('e') {
        run.complain("formats of one's own (-e) are not simulated in Capas").await;
        return Ok(1);
    }
    let wanted = run.args.last_of(&['C', 'b', 'c', 'd', 'o', 'x']);
    let form = match wanted {
        Some('b') => Form::of(Kind::Octal, 1),
        Some('c') => Form::of(Kind::Char, 1),
        Some('d') => Form { gap: 3, width: 5, ..Form::of(Kind::Octal, 2) },
        Some('o') => Form { gap: 2, ..Form::of(Kind::Octal, 2) },
        Some('x') => Form { gap: 4, ..Form::of(Kind::Hex, 2) },
        _ => Form::of(Kind::Hex, 2),
    };
    let canonical = wanted == Some('C');
    let squeeze = !run.args.has('v');
    let size = |run: &Run, key: char| run.args.value(key).and_then(|text| gnu_size(text));
    let (skip, length) = (size(run, 's').unwrap_or(0), size(run, 'n'));
    let bytes = input(run, skip, length).await;
    let address = |at: u64| if canonical { format!("{:08x}", skip + at) } else { format!("{:07x}", skip + at) };
    lines(run, &bytes, 16, squeeze, |at, piece| {
        let Some(piece) = piece else { return "*\n".to_owned() };
        let mut out = address(at);
        if canonical {
            let halves: Vec<String> = piece
                .chunks(8)
                .map(|half| half.iter().map(|byte| format!(" {byte:02x}")).collect::<String>())
                .collect();
            let shown = halves.iter().map(|half| format!(" {half}")).collect::<String>();
            out.push_str(&format!("{shown:<51} |{}|\n", printable(piece)));
            return out;
        }
        let field = form.gap + form.width;
        let shown = piece.chunks(form.unit).map(|unit| {
            let value = unit.iter().rev().fold(0u64, |value, byte| value << 8 | u64::from(*byte));
            let text = if wanted == Some('d') { format!("{value:05}") } else { form.show(unit) };
            format!("{text:>field$}")
        });
        let (shown, all) = (shown.collect::<String>(), 16 / form.unit * field);
        out.push_str(&format!("{shown:<all$}\n"));
        out
    })
    .await?;
    if !bytes.is_empty() {
        run.put(address(bytes.len()) + "\n").await?;
    }
    Ok(0)
}

async fn xxd_body(run: &mut Run) -> Done {
    let output = (run.args.operands.len() > 1).then(|| run.args.operands.truncate(1));
    if output.is_some() {
        run.complain("writing to a named file is not simulated in Capas: use >").await;
        return Ok(1);
    }
    if run.args.has('r') {
        let all = input(run, 0, None).await.to_vec();
        let out = unhex(&text(&all), run.args.has('p'));
        run.put(out).await?;
        return Ok(0);
    }
    let size = |run: &Run, key: char| run.args.value(key).and_then(|text| gnu_size(text));
    let (plain, binary) = (run.args.has('p'), run.args.has('b'));
    let usual = if plain {
        30
    } else if binary {
        6
    } else {
        16
    };
    let columns = size(run, 'c').filter(|c| (1..=256).contains(c)).unwrap_or(usual) as usize;
    let group = size(run, 'g').unwrap_or(if binary { 1 } else { 2 }).min(256) as usize;
    let (skip, length) = (size(run, 's').unwrap_or(0), size(run, 'l'));
    let upper = run.args.has('u');
    let bytes = input(run, skip, length).await;
    let digits = |byte: &u8| match (binary, upper) {
        (true, _) => format!("{byte:08b}"),
        (_, true) => format!("{byte:02X}"),
        _ => format!("{byte:02x}"),
    };
    let per_byte = if binary { 8 } else { 2 };
    let groups = if group == 0 { 1 } else { columns.div_ceil(group) };
    let width = columns * per_byte + groups;
    lines(run, &bytes, columns, false, |at, piece| {
        let piece = piece.unwrap_or_default();
        if plain {
            return piece.iter().map(digits).collect::<String>() + "\n";
        }
        let joined = |group: &[u8]| group.iter().map(digits).collect::<String>();
        let step = if group == 0 { columns } else { group };
        let shown: Vec<String> = piece.chunks(step.max(1)).map(joined).collect();
        format!("{:08x}: {:<width$} {}\n", skip + at, shown.join(" "), printable(piece))
    })
    .await?;
    Ok(0)
}

/// The bytes that a dump stands for.
fn unhex(dump: &str, plain: bool) -> Vec<u8> {
    let mut out = Vec::new();
    for line in dump.lines() {
        let digits = if plain {
            line
        } else {
            line.split_once(": ").map_or("", |(_, rest)| rest.split("  ").next().unwrap_or_default())
        };
        let digits: Vec<u8> = digits.chars().filter_map(|c| c.to_digit(16)).map(|digit| digit as u8).collect();
        out.extend(digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)));
    }
    out
}
