//! The compact form of a journal: bytes for files and storage, text for links.
//!
//! `0xCA`, `0x9A`, the form's number, then a zlib stream (its checksum tells damage from truncation) of five columns, each
//! with its length in front: head and numbers, milliseconds between inputs, nanoseconds beyond them, lengths, bytes. Columns
//! of one kind compress far better than inputs one after the other: typing is mostly ones and zeros but for the keys.
//!
//! Reading trusts nothing: a journal may come from anybody's link. What it can't know is whether replaying ends, so that
//! is done in slices ([`super::replay`]).

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

use super::browser::Request;
use super::content::Content;
use super::journal::{Input, Journal, VERSION};
use crate::base::rope::Rope;
use crate::base::time::Timestamp;

const MAGIC: [u8; 2] = [0xCA, 0x9A];
/// The number of this form. A reader knows exactly one; a change of [`Input`] or of the columns is another one.
const FORM: u8 = 1;
/// Bytes that a journal may unpack to.
const MAX_UNPACKED: u64 = 32 << 20;
/// Bytes that its inputs may bring; the rest is for what stands around them.
pub const MAX_CONTENT: u64 = 24 << 20;
/// Inputs that a journal may hold: ten hours of the fastest typing.
const MAX_INPUTS: u64 = 1 << 19;
/// Characters of a link beyond which nothing is unpacked.
const MAX_TEXT: usize = 16 << 20;
/// Terminals that a journal may open.
const MAX_CONSOLES: usize = 64;
/// Columns or rows that a terminal may have.
pub const MAX_SIDE: u16 = 1000;
/// In a link, what stands before the journal in the fragment.
pub const LINK_KEY: &str = "s=";

/// Why something is not a journal that can be replayed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CodecError {
    /// It does not begin as a journal does.
    #[error("not a Capas session")]
    NotAJournal,
    /// Another form of journals.
    #[error("a Capas session of form {found}; this Capas reads form {FORM}")]
    Version {
        /// The form's number.
        found: u8,
    },
    /// Its end is missing.
    #[error("the session is cut off")]
    Truncated,
    /// It was changed on the way.
    #[error("the session is damaged")]
    Damaged,
    /// It is or unpacks to more than is taken.
    #[error("the session is too large")]
    TooLarge,
}

impl Input {
    /// How many bytes it brings.
    pub fn content_bytes(&self) -> u64 {
        match self {
            Self::Type { bytes, .. } => bytes.len() as u64,
            Self::PutFile { content, .. } | Self::SaveFile { content, .. } => content.0.len(),
            Self::Fetch(request) => request.body.len() as u64,
            Self::Resize { .. } | Self::OpenConsole { .. } => 0,
        }
    }
}

impl Journal {
    /// Whether its compact form can be read again: with a file of many megabytes it is too large.
    pub fn is_portable(&self) -> bool {
        self.inputs.iter().map(|(_, input)| input.content_bytes()).sum::<u64>() <= MAX_CONTENT
    }

    /// The compact form.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut columns = Columns::default();
        let [head, ..] = &mut columns.0;
        for number in [self.seed, zigzag(self.epoch.0), self.cols.into(), self.rows.into()] {
            varint(head, number);
        }
        varint(head, self.env.len() as u64);
        varint(head, self.inputs.len() as u64);
        for variable in &self.env {
            columns.bytes(variable.as_bytes());
        }
        let mut before = self.epoch;
        for (time, input) in &self.inputs {
            columns.time(before, *time);
            before = *time;
            columns.input(input);
        }
        columns.time(before, self.end);
        let mut out = MAGIC.to_vec();
        out.push(FORM);
        let mut zlib = ZlibEncoder::new(out, Compression::new(9));
        for column in &columns.0 {
            let mut length = Vec::new();
            varint(&mut length, column.len() as u64);
            // Writing to a Vec does not fail.
            drop(zlib.write_all(&length).and_then(|()| zlib.write_all(column)));
        }
        zlib.finish().unwrap_or_default()
    }

    /// Reads the compact form.
    ///
    /// # Errors
    /// Anything but the whole of a journal of this form.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CodecError> {
        let magic = bytes.get(..bytes.len().min(2)).unwrap_or_default();
        if bytes.is_empty() || !MAGIC.starts_with(magic) {
            return Err(CodecError::NotAJournal);
        }
        match bytes.get(2) {
            None => return Err(CodecError::Truncated),
            Some(&FORM) => {}
            Some(&found) => return Err(CodecError::Version { found }),
        }
        let body = unpack(bytes.get(3..).unwrap_or_default())?;
        let mut rest = Cursor(&body);
        let mut column = || -> Result<Cursor<'_>, CodecError> { Ok(Cursor(rest.slice()?)) };
        let mut columns =
            Reader { numbers: column()?, millis: column()?, nanos: column()?, lengths: column()?, bytes: column()? };
        let journal = columns.journal()?;
        let all_read = [&columns.numbers, &columns.millis, &columns.nanos, &columns.lengths, &columns.bytes, &rest];
        if all_read.iter().all(|column| column.0.is_empty()) { Ok(journal) } else { Err(CodecError::Damaged) }
    }

    /// The compact form in base64url, which a link's fragment takes as it is.
    pub fn to_text(&self) -> String {
        const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let bytes = self.to_bytes();
        let mut text = String::with_capacity(bytes.len() * 4 / 3 + 3);
        for group in bytes.chunks(3) {
            let at = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
            let bits = at(0) << 16 | at(1) << 8 | at(2);
            for place in 0..=group.len() {
                text.push(DIGITS[(bits >> (18 - 6 * place) & 63) as usize] as char);
            }
        }
        text
    }

    /// Reads a link, its fragment, or the bare text; spaces and line breaks that a mail put in are skipped.
    ///
    /// # Errors
    /// As [`Self::from_bytes`].
    pub fn from_text(text: &str) -> Result<Self, CodecError> {
        let fragment = text.rsplit_once('#').map_or(text, |(_, fragment)| fragment);
        let code = fragment.split('&').find_map(|part| part.strip_prefix(LINK_KEY)).unwrap_or(fragment);
        if code.len() > MAX_TEXT {
            return Err(CodecError::TooLarge);
        }
        let (mut bytes, mut bits, mut count) = (Vec::with_capacity(code.len() * 3 / 4), 0u32, 0);
        for byte in code.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=') {
            let digit = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'-' | b'+' => 62,
                b'_' | b'/' => 63,
                _ if bytes.starts_with(&MAGIC) => return Err(CodecError::Damaged),
                _ => return Err(CodecError::NotAJournal),
            };
            bits = bits << 6 | u32::from(digit);
            count += 6;
            if count >= 8 {
                count -= 8;
                bytes.push((bits >> count) as u8);
            }
        }
        Self::from_bytes(&bytes)
    }
}

fn unpack(packed: &[u8]) -> Result<Vec<u8>, CodecError> {
    let mut body = Vec::new();
    match ZlibDecoder::new(packed).take(MAX_UNPACKED + 1).read_to_end(&mut body) {
        Ok(_) if body.len() as u64 > MAX_UNPACKED => Err(CodecError::TooLarge),
        Ok(_) => Ok(body),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Err(CodecError::Truncated),
        Err(_) => Err(CodecError::Damaged),
    }
}

/// What is written: head and numbers, milliseconds, nanoseconds, lengths, bytes.
#[derive(Default)]
struct Columns([Vec<u8>; 5]);

impl Columns {
    fn time(&mut self, before: Timestamp, time: Timestamp) {
        let [_, millis, nanos, ..] = &mut self.0;
        varint(millis, (time.0.div_euclid(MILLI)).saturating_sub(before.0.div_euclid(MILLI)).unsigned_abs());
        varint(nanos, time.0.rem_euclid(MILLI).unsigned_abs());
    }

    fn bytes(&mut self, content: &[u8]) {
        let [_, _, _, lengths, bytes] = &mut self.0;
        varint(lengths, content.len() as u64);
        bytes.extend_from_slice(content);
    }

    fn file(&mut self, path: &str, content: &Content) {
        self.bytes(path.as_bytes());
        self.bytes(&content.0.to_pieces());
    }

    fn input(&mut self, input: &Input) {
        let mut numbers = |all: &[u64]| all.iter().for_each(|number| varint(&mut self.0[0], *number));
        match input {
            Input::Type { tty, bytes } => {
                numbers(&[0, (*tty).into()]);
                self.bytes(bytes);
            }
            Input::Resize { tty, cols, rows } => numbers(&[1, (*tty).into(), (*cols).into(), (*rows).into()]),
            Input::OpenConsole { cols, rows } => numbers(&[2, (*cols).into(), (*rows).into()]),
            Input::PutFile { path, content } => {
                numbers(&[3]);
                self.file(path, content);
            }
            Input::SaveFile { path, content } => {
                numbers(&[4]);
                self.file(path, content);
            }
            Input::Fetch(Request { url, method, content_type, body }) => {
                numbers(&[5]);
                for text in [url, method, content_type, body] {
                    self.bytes(text.as_bytes());
                }
            }
        }
    }
}

const MILLI: i64 = 1_000_000;

struct Reader<'a> {
    numbers: Cursor<'a>,
    millis: Cursor<'a>,
    nanos: Cursor<'a>,
    lengths: Cursor<'a>,
    bytes: Cursor<'a>,
}

impl Reader<'_> {
    fn journal(&mut self) -> Result<Journal, CodecError> {
        let (seed, epoch) = (self.numbers.varint()?, Timestamp(unzigzag(self.numbers.varint()?)));
        let (cols, rows) = (self.side()?, self.side()?);
        let (variables, count) = (self.numbers.varint()?, self.numbers.varint()?);
        if variables > 64 || count > MAX_INPUTS {
            return Err(CodecError::TooLarge);
        }
        let (mut env, mut inputs, mut consoles) = (Vec::new(), Vec::new(), 1);
        for _ in 0..variables {
            env.push(self.text()?);
        }
        let mut now = epoch;
        for _ in 0..count {
            now = self.time(now)?;
            let input = self.input()?;
            consoles += usize::from(matches!(input, Input::OpenConsole { .. }));
            inputs.push((now, input));
        }
        if consoles > MAX_CONSOLES {
            return Err(CodecError::TooLarge);
        }
        let end = self.time(now)?;
        Ok(Journal { version: VERSION, seed, epoch, cols, rows, env, inputs, end })
    }

    fn input(&mut self) -> Result<Input, CodecError> {
        Ok(match self.numbers.varint()? {
            0 => Input::Type { tty: self.number()?, bytes: self.content()?.to_vec() },
            1 => Input::Resize { tty: self.number()?, cols: self.side()?, rows: self.side()? },
            2 => Input::OpenConsole { cols: self.side()?, rows: self.side()? },
            3 => Input::PutFile { path: self.text()?, content: self.file()? },
            4 => Input::SaveFile { path: self.text()?, content: self.file()? },
            5 => Input::Fetch(Request {
                url: self.text()?,
                method: self.text()?,
                content_type: self.text()?,
                body: self.text()?,
            }),
            _ => return Err(CodecError::Damaged),
        })
    }

    fn time(&mut self, before: Timestamp) -> Result<Timestamp, CodecError> {
        let (millis, nanos) = (self.millis.varint()?, self.nanos.varint()?);
        let time = i64::try_from(millis)
            .ok()
            .and_then(|millis| before.0.div_euclid(MILLI).checked_add(millis)?.checked_mul(MILLI))
            .and_then(|whole| whole.checked_add(i64::try_from(nanos).ok().filter(|nanos| *nanos < MILLI)?));
        time.map(Timestamp).filter(|time| *time >= before).ok_or(CodecError::Damaged)
    }

    fn number(&mut self) -> Result<u32, CodecError> {
        u32::try_from(self.numbers.varint()?).map_err(|_| CodecError::Damaged)
    }

    fn side(&mut self) -> Result<u16, CodecError> {
        let side = self.numbers.varint()?;
        u16::try_from(side).ok().filter(|side| (1..=MAX_SIDE).contains(side)).ok_or(CodecError::Damaged)
    }

    fn content(&mut self) -> Result<&[u8], CodecError> {
        let length = self.lengths.varint()?;
        self.bytes.take(length)
    }

    fn file(&mut self) -> Result<Content, CodecError> {
        Rope::from_pieces(self.content()?).map(Content).ok_or(CodecError::Damaged)
    }

    fn text(&mut self) -> Result<String, CodecError> {
        String::from_utf8(self.content()?.to_vec()).map_err(|_| CodecError::Damaged)
    }
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, length: u64) -> Result<&'a [u8], CodecError> {
        let length = usize::try_from(length).map_err(|_| CodecError::Damaged)?;
        let (taken, rest) = self.0.split_at_checked(length).ok_or(CodecError::Damaged)?;
        self.0 = rest;
        Ok(taken)
    }

    fn slice(&mut self) -> Result<&'a [u8], CodecError> {
        let length = self.varint()?;
        self.take(length)
    }

    fn varint(&mut self) -> Result<u64, CodecError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.take(1)?.first().ok_or(CodecError::Damaged)?;
            let part = u64::from(byte & 0x7f);
            if part << shift >> shift != part {
                return Err(CodecError::Damaged);
            }
            value |= part << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(CodecError::Damaged)
    }
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

const fn zigzag(value: i64) -> u64 {
    (value << 1 ^ value >> 63) as u64
}

const fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Config;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn input() -> impl Strategy<Value = Input> {
        let side = || 1..=MAX_SIDE;
        prop_oneof![
            6 => (any::<u32>(), vec(any::<u8>(), 0..9)).prop_map(|(tty, bytes)| Input::Type { tty, bytes }),
            1 => (any::<u32>(), side(), side()).prop_map(|(tty, cols, rows)| Input::Resize { tty, cols, rows }),
            1 => (side(), side()).prop_map(|(cols, rows)| Input::OpenConsole { cols, rows }),
            1 => (".{0,20}", vec(any::<u8>(), 0..300), any::<bool>()).prop_map(|(path, content, saved)| {
                let content = Content(content.into());
                if saved { Input::SaveFile { path, content } } else { Input::PutFile { path, content } }
            }),
            1 => (".{0,20}", ".{0,4}", ".{0,9}", ".{0,20}").prop_map(|(url, method, content_type, body)| {
                Input::Fetch(Request { url, method, content_type, body })
            }),
        ]
    }

    fn journal() -> impl Strategy<Value = Journal> {
        let inputs = vec((0..1u64 << 40, input()), 0..50);
        let head = (any::<u64>(), -(1i64 << 60)..1 << 60, 1..=MAX_SIDE, 1..=MAX_SIDE, vec(".{0,9}", 0..3));
        (head, inputs, 0..1i64 << 40).prop_map(|((seed, epoch, cols, rows, env), steps, rest)| {
            let mut now = epoch;
            let mut at = |step: i64| {
                now += step;
                Timestamp(now)
            };
            let inputs = steps.into_iter().map(|(step, input)| (at(step as i64), input)).collect();
            let end = at(rest);
            Journal { version: VERSION, seed, epoch: Timestamp(epoch), cols, rows, env, inputs, end }
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(journal in journal()) {
            prop_assert_eq!(Journal::from_bytes(&journal.to_bytes()), Ok(journal.clone()));
            let text = journal.to_text();
            prop_assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
            let link = format!("https://example.org/capas/?lang=en#s={text}");
            prop_assert_eq!(Journal::from_text(&link), Ok(journal.clone()));
            let wrapped: String = text.chars().flat_map(|c| [c, '\n']).collect();
            prop_assert_eq!(Journal::from_text(&wrapped), Ok(journal));
        }

        #[test]
        fn a_journal_that_is_cut_off_says_so(journal in journal(), part in 0.0..1.0) {
            let bytes = journal.to_bytes();
            let cut = 1 + ((bytes.len() - 1) as f64 * part) as usize;
            prop_assert_eq!(Journal::from_bytes(&bytes[..cut]), Err(CodecError::Truncated));
        }

        #[test]
        fn a_changed_byte_never_makes_another_journal(journal in journal(), place in any::<prop::sample::Index>(), change in 1..=255u8) {
            let mut bytes = journal.to_bytes();
            let place = place.index(bytes.len());
            bytes[place] ^= change;
            // A few bits of a zlib stream have no meaning to a reader: with another journal no change passes.
            prop_assert!(Journal::from_bytes(&bytes).is_ok_and(|read| read == journal) || Journal::from_bytes(&bytes).is_err());
        }

        #[test]
        fn any_bytes_and_any_text_are_read_or_refused(bytes in vec(any::<u8>(), 0..200), text in ".{0,200}") {
            let _ = Journal::from_text(&text);
            let _ = Journal::from_bytes(&bytes);
            // Past magic and checksum, where damage is not caught by zlib.
            let mut zlib = ZlibEncoder::new(vec![MAGIC[0], MAGIC[1], FORM], Compression::fast());
            zlib.write_all(&bytes).unwrap();
            let _ = Journal::from_bytes(&zlib.finish().unwrap());
        }
    }

    #[test]
    fn other_forms_and_other_things_are_told_apart() {
        let mut bytes = Journal::new(&Config::default()).to_bytes();
        assert_eq!(Journal::from_bytes(b""), Err(CodecError::NotAJournal));
        assert_eq!(Journal::from_text("hello world"), Err(CodecError::NotAJournal));
        assert_eq!(Journal::from_bytes(b"PK\x03\x04"), Err(CodecError::NotAJournal));
        bytes[2] = 9;
        assert_eq!(Journal::from_bytes(&bytes), Err(CodecError::Version { found: 9 }));
        assert_eq!(Journal::from_text(&"A".repeat(MAX_TEXT + 1)), Err(CodecError::TooLarge));
        assert_eq!(CodecError::Version { found: 9 }.to_string(), "a Capas session of form 9; this Capas reads form 1");
    }

    #[test]
    fn a_small_link_that_unpacks_to_a_flood_is_refused() {
        let mut zlib = ZlibEncoder::new(vec![MAGIC[0], MAGIC[1], FORM], Compression::fast());
        for _ in 0..MAX_UNPACKED >> 20 {
            zlib.write_all(&[0; 1 << 20]).unwrap();
        }
        zlib.write_all(&[0; 9]).unwrap();
        assert_eq!(Journal::from_bytes(&zlib.finish().unwrap()), Err(CodecError::TooLarge));
    }

    /// What a lesson's link costs: thirty commands typed by hand, a key an input.
    #[test]
    fn a_typed_lesson_fits_into_a_link() {
        let mut journal = Journal::new(&Config::default());
        let mut now = journal.epoch;
        for index in 0..30u64 {
            for (at, byte) in format!("docker container run --rm -d --name web{index} nginx\r").bytes().enumerate() {
                now = Timestamp(now.0 + (80 + (index * 37 + at as u64 * 53) % 140) as i64 * MILLI);
                journal.inputs.push((now, Input::Type { tty: 0, bytes: vec![byte] }));
            }
        }
        journal.end = now;
        let text = journal.to_text();
        assert!(text.len() < 3500, "{}", text.len());
        assert_eq!(Journal::from_text(&text), Ok(journal));
    }
}
