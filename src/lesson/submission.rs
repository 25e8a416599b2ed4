//! What a student hands in: everything that was typed in a lesson, as a file or in a link.
//!
//! Nothing in it is believed but what a replay shows ([`super::grade`]); name and hints are the student's word.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use serde_json::{Value, json};

use super::say::Say;
use crate::machine::Journal;
use crate::machine::journal::VERSION;

/// The form of submissions.
const FORM: u64 = 1;
/// Characters of a submission that are read.
const MAX_TEXT: usize = 4 << 20;
/// Bytes that a journal may unpack to.
const MAX_UNPACKED: u64 = 32 << 20;
/// Characters of a name.
const MAX_NAME: usize = 80;
/// What stands before a submission in a link's fragment.
pub const LINK_KEY: &str = "entrega=";

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// What is handed in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Submission {
    /// The exercise's id.
    pub lesson: String,
    /// The student's name, as they wrote it.
    pub name: String,
    /// Hints that were seen.
    pub hints: u64,
    /// Whether the solution was seen.
    pub saw_solution: bool,
    /// All that was typed, the setup included.
    pub journal: Journal,
}

impl Submission {
    /// The text of a file.
    pub fn to_text(&self) -> String {
        json!({
            "capas_submission": FORM,
            "lesson": self.lesson,
            "name": self.name,
            "hints": self.hints,
            "saw_solution": self.saw_solution,
            "journal": pack(&self.journal),
        })
        .to_string()
    }

    /// A link to the page at `page`, which must have no fragment.
    pub fn to_link(&self, page: &str) -> String {
        format!("{page}#{LINK_KEY}{}", digits(self.to_text().as_bytes()))
    }

    /// Why what is very large is no submission.
    pub fn too_large() -> Say {
        Say::new(["es demasiado grande para ser una entrega", "it is too large for a submission"])
    }

    /// Reads a file's text or a link.
    ///
    /// # Errors
    /// What it is instead.
    pub fn parse(text: &str) -> Result<Self, Say> {
        let text = text.trim();
        if text.len() > MAX_TEXT {
            return Err(Self::too_large());
        }
        let none = || Say::new(["no es una entrega de Capas", "it is no submission of Capas"]);
        let cut = || Say::new(["la entrega está cortada o dañada", "the submission is cut off or damaged"]);
        let linked = text.split_once(LINK_KEY).map(|(_, code)| bytes(code));
        let text = match linked {
            Some(Some(bytes)) => String::from_utf8(bytes).map_err(|_| cut())?,
            Some(None) => return Err(cut()),
            None => text.to_owned(),
        };
        let value: Value = serde_json::from_str(&text).map_err(|error| if error.is_eof() { cut() } else { none() })?;
        let form = value.get("capas_submission").and_then(Value::as_u64).ok_or_else(none)?;
        if form != FORM {
            let say = Say::new([
                "es una entrega de la forma {0}; este Capas lee la {1}",
                "it is a submission of form {0}; this Capas reads form {1}",
            ]);
            return Err(say.text(form).text(FORM));
        }
        let field = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
        let journal = unpack(field("journal")).ok_or_else(cut)?;
        if journal.version != VERSION {
            let say = Say::new([
                "la sesión es de la forma {0}; este Capas repite la {1}",
                "the session is of form {0}; this Capas replays form {1}",
            ]);
            return Err(say.text(journal.version).text(VERSION));
        }
        Ok(Self {
            lesson: field("lesson").to_owned(),
            name: field("name").chars().filter(|c| !c.is_control()).take(MAX_NAME).collect(),
            hints: value.get("hints").and_then(Value::as_u64).unwrap_or(0),
            saw_solution: value.get("saw_solution").and_then(Value::as_bool).unwrap_or(false),
            journal,
        })
    }
}

/// A journal as text: compressed, with a checksum, in digits that a link takes.
fn pack(journal: &Journal) -> String {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::new(9));
    // Writing to a Vec does not fail.
    let json = serde_json::to_vec(journal).unwrap_or_default();
    drop(zlib.write_all(&json));
    digits(&zlib.finish().unwrap_or_default())
}

fn unpack(text: &str) -> Option<Journal> {
    let packed = bytes(text)?;
    let mut json = Vec::new();
    ZlibDecoder::new(packed.as_slice()).take(MAX_UNPACKED).read_to_end(&mut json).ok()?;
    serde_json::from_slice(&json).ok()
}

/// Bytes in base64url (RFC 4648), without padding.
fn digits(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 4 / 3 + 3);
    for group in bytes.chunks(3) {
        let bits = group.iter().enumerate().fold(0u32, |bits, (at, byte)| bits | u32::from(*byte) << (16 - 8 * at));
        for place in 0..=group.len() {
            let digit = DIGITS.get((bits >> (18 - 6 * place) & 63) as usize).copied().unwrap_or_default();
            text.push(char::from(digit));
        }
    }
    text
}

/// Reads base64url; blanks that a mail put in are skipped.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let (mut out, mut bits, mut count) = (Vec::with_capacity(text.len() * 3 / 4), 0u32, 0);
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        let digit = DIGITS.iter().position(|digit| *digit == byte)?;
        bits = bits << 6 | u32::try_from(digit).ok()?;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count & 0xff) as u8);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::language::Language;
    use crate::machine::Config;

    fn submission() -> Submission {
        let journal = Journal::new(&Config::default());
        Submission { lesson: "uno".to_owned(), name: "Ana <b>".to_owned(), hints: 2, saw_solution: true, journal }
    }

    #[test]
    fn a_submission_travels_by_file_and_by_link() {
        let one = submission();
        assert_eq!(Submission::parse(&one.to_text()), Ok(one.clone()));
        let link = one.to_link("https://x/?lesson=uno");
        assert_eq!(Submission::parse(&format!(" {link}\n")), Ok(one));
    }

    #[test]
    fn what_is_none_is_told() {
        let told = |text: &str| Submission::parse(text).unwrap_err().in_language(Language::English);
        let text = submission().to_text();
        let link = submission().to_link("https://x/");
        assert_eq!(told("<script>"), "it is no submission of Capas");
        assert_eq!(told(text.get(..text.len() - 20).unwrap_or_default()), "the submission is cut off or damaged");
        assert_eq!(told(link.get(..link.len() - 20).unwrap_or_default()), "the submission is cut off or damaged");
        assert_eq!(told(&text.replace("\"journal\":\"eN", "\"journal\":\"eM")), "the submission is cut off or damaged");
        assert_eq!(told(&"x".repeat(5 << 20)), "it is too large for a submission");
        assert!(told(&text.replace("_submission\":1", "_submission\":7")).contains("form 7"));
    }
}
