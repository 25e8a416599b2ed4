//! A recording of what a terminal was sent, as asciicast: the format of asciinema, which plays it.
//! <https://docs.asciinema.org/manual/asciicast/v2/>

use std::collections::VecDeque;

use crate::base::time::Timestamp;

/// Bytes that are kept; the beginning goes first.
const MAX_BYTES: usize = 8 << 20;

/// The recording.
#[derive(Default)]
pub struct Recording {
    pieces: VecDeque<(Timestamp, Vec<u8>)>,
    bytes: usize,
}

impl Recording {
    /// Notes output and when it came.
    pub fn push(&mut self, at: Timestamp, output: &[u8]) {
        self.bytes += output.len();
        match self.pieces.back_mut() {
            Some((last, piece)) if *last == at => piece.extend_from_slice(output),
            _ => self.pieces.push_back((at, output.to_vec())),
        }
        while self.bytes > MAX_BYTES {
            let Some((_, piece)) = self.pieces.pop_front() else { break };
            self.bytes -= piece.len();
        }
    }

    /// The recording in version 2 of the format.
    pub fn to_asciicast(&self, (cols, rows): (usize, usize)) -> String {
        let start = self.pieces.front().map_or(Timestamp::default(), |piece| piece.0);
        let mut text = format!(
            "{{\"version\":2,\"width\":{cols},\"height\":{rows},\"timestamp\":{},\"env\":{{\"TERM\":\"xterm-256color\"}}}}\n",
            start.seconds()
        );
        // A character may be cut in two between pieces.
        let mut cut: Vec<u8> = Vec::new();
        for (at, piece) in &self.pieces {
            cut.extend_from_slice(piece);
            let whole = match std::str::from_utf8(&cut) {
                Err(error) if error.error_len().is_none() => error.valid_up_to(),
                _ => cut.len(),
            };
            let rest = cut.split_off(whole);
            let output = serde_json::Value::from(String::from_utf8_lossy(&cut).into_owned());
            text.push_str(&format!("[{:.6},\"o\",{output}]\n", at.since(start).as_secs_f64()));
            cut = rest;
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn characters_and_quotes_survive() {
        let start = Timestamp::from_date(2021, 12, 20);
        let mut recording = Recording::default();
        recording.push(start, b"a\"\r\n\xc3");
        recording.push(start + Duration::from_millis(1_500), b"\xb1\x1b[0m");
        let text = recording.to_asciicast((80, 24));
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("{\"version\":2,\"width\":80,\"height\":24,\"timestamp\":1639958400,"));
        assert_eq!(lines[1], r#"[0.000000,"o","a\"\r\n"]"#);
        let event: (f64, String, String) = serde_json::from_str(lines[2]).unwrap();
        assert_eq!(event, (1.5, "o".to_owned(), "ñ\x1b[0m".to_owned()));
    }

    #[test]
    fn only_so_much_is_kept() {
        let mut recording = Recording::default();
        for n in 0..20 {
            recording.push(Timestamp::default() + Duration::from_secs(n), &vec![b'x'; 1 << 20]);
        }
        assert!(recording.bytes <= MAX_BYTES);
    }
}
