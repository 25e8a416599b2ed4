//! What a container wrote: whole lines with their times (json-file), bounded.

use std::collections::VecDeque;

use super::api::container::{HostConfig, LogsOptions};
use super::api::stream::{Frame, Sender, Source};
use crate::base::rope::Rope;
use crate::base::time::Timestamp;

/// Lines that are kept; the oldest go first.
const MAX_LINES: usize = 10_000;
/// Bytes that are kept.
const MAX_BYTES: usize = 4 << 20;
/// Longest line; longer ones are cut into parts, as the real driver does.
const MAX_LINE_BYTES: usize = 16 << 10;

/// A line, with its newline when it had one.
#[derive(Debug, Clone)]
pub struct LogLine {
    /// When it was complete.
    pub time: Timestamp,
    /// Where it was written.
    pub source: Source,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl HostConfig {
    /// The log driver's name.
    pub fn log_driver(&self) -> &str {
        if self.log_driver.is_empty() { "json-file" } else { &self.log_driver }
    }
}

/// A container's log.
#[derive(Default)]
pub struct Log {
    lines: VecDeque<LogLine>,
    bytes: usize,
    partial: [Vec<u8>; 2],
    max_bytes: usize,
    followers: Vec<(LogsOptions, Sender<Frame>)>,
}

impl Log {
    /// An empty log of the driver and size that `host` asks for.
    pub fn new(host: &HostConfig) -> Self {
        let option = |name: &str| host.log_options.get(name);
        let size = option("max-size").and_then(|text| crate::base::size::parse_ram(text));
        let files = option("max-file").and_then(|text| text.parse::<usize>().ok()).unwrap_or(1);
        let asked = size.and_then(|size| usize::try_from(size).ok()).map(|size| size.saturating_mul(files));
        let max_bytes = if host.log_driver == "none" { 0 } else { asked.unwrap_or(MAX_BYTES).min(MAX_BYTES) };
        Self { max_bytes, ..Self::default() }
    }

    /// Takes output.
    pub fn write(&mut self, source: Source, bytes: &Rope, now: Timestamp) {
        bytes.for_each_chunk(|chunk| {
            for piece in chunk.split_inclusive(|b| *b == b'\n') {
                let partial = match source {
                    Source::Stdout => &mut self.partial[0],
                    Source::Stderr => &mut self.partial[1],
                };
                partial.extend_from_slice(piece);
                if partial.ends_with(b"\n") || partial.len() >= MAX_LINE_BYTES {
                    let line = std::mem::take(partial);
                    self.push(LogLine { time: now, source, bytes: line });
                }
            }
        });
    }

    /// The process ended: what has no newline is a line all the same. Followers get their end.
    pub fn end(&mut self, now: Timestamp) {
        for (index, source) in [(0, Source::Stdout), (1, Source::Stderr)] {
            let rest = self.partial.get_mut(index).map(std::mem::take).unwrap_or_default();
            if !rest.is_empty() {
                self.push(LogLine { time: now, source, bytes: rest });
            }
        }
        self.followers.clear();
    }

    fn push(&mut self, line: LogLine) {
        self.followers.retain(|(options, to)| match frame(&line, options) {
            _ if is_past(&line, options) => false,
            Some(frame) => to.push(frame),
            None => to.is_open(),
        });
        self.bytes += line.bytes.len();
        self.lines.push_back(line);
        while self.lines.len() > MAX_LINES || self.bytes > self.max_bytes {
            let Some(old) = self.lines.pop_front() else { break };
            self.bytes = self.bytes.saturating_sub(old.bytes.len());
        }
    }

    /// Sends what is asked for; `running` keeps a follower.
    pub fn read(&mut self, options: &LogsOptions, running: bool, to: Sender<Frame>) {
        let wanted: Vec<Frame> = self.lines.iter().filter_map(|line| frame(line, options)).collect();
        let skip = options.tail.map_or(0, |tail| wanted.len().saturating_sub(tail));
        for frame in wanted.into_iter().skip(skip) {
            to.push(frame);
        }
        if options.follow && running && !self.lines.iter().any(|line| is_past(line, options)) {
            self.followers.push((options.clone(), to));
        }
    }

    /// Everything that was logged, for a client that attaches with `logs`.
    pub fn frames(&self) -> Vec<Frame> {
        self.lines.iter().map(|line| Frame { source: line.source, bytes: line.bytes.clone().into() }).collect()
    }

    /// Bytes that are kept.
    pub const fn size_bytes(&self) -> usize {
        self.bytes
    }
}

/// Whether a line is later than what is asked for: its follower is done (moby `daemon/logger/loggerutils/follow.go`).
fn is_past(line: &LogLine, options: &LogsOptions) -> bool {
    options.until.is_some_and(|until| line.time > until)
}

fn frame(line: &LogLine, options: &LogsOptions) -> Option<Frame> {
    let wanted = match line.source {
        Source::Stdout => options.stdout,
        Source::Stderr => options.stderr,
    };
    let in_time = options.since.is_none_or(|since| line.time >= since) && options.until.is_none_or(|u| line.time <= u);
    if !wanted || !in_time {
        return None;
    }
    let mut bytes = Vec::new();
    if options.timestamps {
        bytes.extend_from_slice(stamp(line.time).as_bytes());
        bytes.push(b' ');
    }
    bytes.extend_from_slice(&line.bytes);
    Some(Frame { source: line.source, bytes: bytes.into() })
}

/// `jsonmessage.RFC3339NanoFixed`: nine digits always.
fn stamp(time: Timestamp) -> String {
    let c = time.civil();
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z",
        c.year, c.month, c.day, c.hour, c.minute, c.second, c.nanosecond
    )
}
