//! What passes between `psql` and the server: frames of a length and bytes, in a form of their own.

use super::catalog::Table;
use crate::os::kernel::{Fd, Proc};

/// Bytes of one frame.
const MAX_FRAME: usize = 1 << 20;
const UNIT: char = '\u{1f}';
const RECORD: char = '\u{1e}';

/// What a server sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Who connected is taken: the server's version, and whether he is a superuser.
    Ready(String, bool),
    /// A password is needed.
    Password,
    /// A statement is done.
    Tag(String),
    /// Rows.
    Rows(Table),
    /// It failed: severity and text, perhaps with more lines.
    Error(String),
    /// Something to know.
    Notice(String),
    /// All that was asked is answered.
    End,
}

impl Answer {
    /// As it is sent.
    pub fn encode(&self) -> Vec<u8> {
        let text = match self {
            Self::Ready(version, is_superuser) => format!("R{}{version}", if *is_superuser { '#' } else { '>' }),
            Self::Password => "P".to_owned(),
            Self::Tag(tag) => format!("C{tag}"),
            Self::Error(text) => format!("E{text}"),
            Self::Notice(text) => format!("N{text}"),
            Self::End => "Z".to_owned(),
            Self::Rows(table) => {
                let line = |cells: &[String]| cells.join(&UNIT.to_string());
                let mut text = format!("T{}{RECORD}{}", table.title, u8::from(table.is_counted));
                for cells in std::iter::once(&table.columns).chain(&table.rows) {
                    text.push(RECORD);
                    text.push_str(&line(cells));
                }
                text
            }
        };
        text.into_bytes()
    }

    /// What was sent.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let (kind, rest) = text.split_at_checked(1)?;
        Some(match kind {
            "R" => Self::Ready(rest.get(1..)?.to_owned(), rest.starts_with('#')),
            "P" => Self::Password,
            "C" => Self::Tag(rest.to_owned()),
            "E" => Self::Error(rest.to_owned()),
            "N" => Self::Notice(rest.to_owned()),
            "Z" => Self::End,
            "T" => {
                let mut records = rest.split(RECORD);
                let (title, counted) = (records.next()?.to_owned(), records.next()?);
                let cells = |record: &str| record.split(UNIT).map(ToOwned::to_owned).collect::<Vec<_>>();
                let columns = cells(records.next()?);
                Self::Rows(Table { title, columns, rows: records.map(cells).collect(), is_counted: counted == "1" })
            }
            _ => return None,
        })
    }
}

/// A connection's two ends read and write with it.
pub struct Stream<'a> {
    proc: &'a Proc,
    fd: Fd,
    bytes: Vec<u8>,
}

impl<'a> Stream<'a> {
    /// Over an open connection.
    pub const fn new(proc: &'a Proc, fd: Fd) -> Self {
        Self { proc, fd, bytes: Vec::new() }
    }

    /// Sends a frame; `None` when nobody is there.
    pub async fn send(&self, bytes: &[u8]) -> Option<()> {
        let len = u32::try_from(bytes.len()).ok()?;
        let frame = [len.to_be_bytes().as_slice(), bytes].concat();
        self.proc.write(self.fd, &frame).await.ok()
    }

    /// The next frame; `None` when the other end is gone.
    pub async fn receive(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some((head, rest)) = self.bytes.split_first_chunk::<4>() {
                let len = usize::try_from(u32::from_be_bytes(*head)).ok()?;
                if len > MAX_FRAME {
                    return None;
                }
                if let Some(frame) = rest.get(..len) {
                    let frame = frame.to_vec();
                    self.bytes.drain(..4 + len);
                    return Some(frame);
                }
            }
            let more = self.proc.read(self.fd, 1 << 16).await.ok()?;
            if more.is_empty() {
                return None;
            }
            self.bytes.extend(more.to_vec());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_arrive_as_they_were_sent() {
        let table = Table {
            title: "List".to_owned(),
            columns: vec!["a".to_owned(), "b".to_owned()],
            rows: vec![vec!["1".to_owned(), "x\ny".to_owned()], vec!["2".to_owned(), String::new()]],
            is_counted: true,
        };
        for answer in [Answer::Rows(table), Answer::Ready("14".to_owned(), true), Answer::Tag("GRANT".to_owned())] {
            assert_eq!(Answer::decode(&answer.encode()), Some(answer));
        }
        assert_eq!(Answer::decode(b""), None);
        assert_eq!(Answer::decode(b"?"), None);
    }
}
