//! What is known of a build: its vertices with their parts, output and warnings.

use std::fmt::Write;

use crate::base::time::Timestamp;
use crate::docker::daemon::api::build::{BuildEvent, SourceExcerpt, Vertex, VertexId, VertexStatus};
use crate::docker::dockerfile::lint::Warning;

/// The most output lines of a vertex that are kept.
const MAX_LINES: usize = 10_000;

/// A part of a vertex.
pub struct Part {
    /// As last told.
    pub status: VertexStatus,
    /// Told since it was last printed.
    pub fresh: bool,
    /// How far it was when it was last printed, and when that was told.
    pub printed: Option<(u64, Timestamp)>,
}

/// A line of output.
pub struct Line {
    /// Seconds since the vertex started, as it is printed.
    pub time: String,
    /// The bytes.
    pub text: String,
    /// How much of it was printed.
    pub printed: usize,
}

/// A vertex with all that belongs to it.
pub struct Node {
    /// As last told.
    pub vertex: Vertex,
    /// Its parts.
    pub parts: Vec<Part>,
    /// Its output; the last line may be unfinished.
    pub lines: Vec<Line>,
    /// Whether the last line is unfinished.
    pub partial: bool,
    /// Lines printed whole.
    pub printed_lines: usize,
    /// Its warnings.
    pub warnings: Vec<Warning>,
    /// How many of them were printed.
    pub printed_warnings: usize,
    /// Told since it was last printed.
    pub fresh: bool,
    /// Its number in plain progress, in the order in which vertices are first printed; 0 until then.
    pub number: u32,
    /// What was told of it since it was in front the last time, and since when.
    pub untold: (u64, Timestamp),
}

/// A build so far.
#[derive(Default)]
pub struct Trace {
    /// Vertices in the order they started.
    pub nodes: Vec<Node>,
    /// How many there will be.
    pub total: u32,
    started: Option<Timestamp>,
}

impl Trace {
    /// Takes an event in.
    pub fn update(&mut self, event: &BuildEvent) {
        match event {
            BuildEvent::Total(total) => self.total = *total,
            BuildEvent::Vertex(vertex) => {
                self.started = self.started.or(vertex.started);
                match self.nodes.iter_mut().find(|node| node.vertex.id == vertex.id) {
                    Some(node) => {
                        node.vertex = vertex.clone();
                        node.hear(vertex.completed.or(vertex.started).unwrap_or_default());
                    }
                    None => self.nodes.push(Node {
                        vertex: vertex.clone(),
                        parts: Vec::new(),
                        lines: Vec::new(),
                        partial: false,
                        printed_lines: 0,
                        warnings: Vec::new(),
                        printed_warnings: 0,
                        fresh: true,
                        number: 0,
                        untold: (1, vertex.started.unwrap_or_default()),
                    }),
                }
            }
            BuildEvent::Status(status) => {
                if let Some(node) = self.node(status.vertex) {
                    node.hear(status.at);
                    match node.parts.iter_mut().find(|part| part.status.id == status.id) {
                        Some(part) => (part.status, part.fresh) = (status.clone(), true),
                        None => node.parts.push(Part { status: status.clone(), fresh: true, printed: None }),
                    }
                }
            }
            BuildEvent::Log { vertex, at, bytes } => {
                if let Some(node) = self.node(*vertex) {
                    node.hear(*at);
                    node.log(*at, &String::from_utf8_lossy(bytes));
                }
            }
            BuildEvent::Warning { vertex, warning } => {
                if let Some(node) = self.node(*vertex) {
                    node.fresh = true;
                    node.warnings.push(warning.clone());
                }
            }
            BuildEvent::Stream(_)
            | BuildEvent::ErrorStream(_)
            | BuildEvent::Cache { .. }
            | BuildEvent::Base { .. }
            | BuildEvent::Layer { .. } => {}
        }
    }

    /// Ends whatever has not ended: the build was told to stop.
    pub fn cancel(&mut self, now: Timestamp) {
        for node in self.nodes.iter_mut().filter(|node| node.vertex.completed.is_none()) {
            node.vertex.completed = Some(now);
            node.vertex.error = Some(super::CANCELED.to_owned());
            node.fresh = true;
        }
    }

    fn node(&mut self, id: VertexId) -> Option<&mut Node> {
        self.nodes.iter_mut().find(|node| node.vertex.id == id)
    }

    /// Seconds since the build started.
    pub fn seconds(&self, now: Timestamp) -> f64 {
        self.started.map_or(0.0, |started| now.since(started).as_secs_f64())
    }

    /// How many vertices have ended.
    pub fn completed(&self) -> usize {
        self.nodes.iter().filter(|node| node.vertex.completed.is_some()).count()
    }

    /// The output of vertices that failed.
    pub fn error_logs(&self) -> String {
        let mut out = String::new();
        let failed = |node: &&Node| node.vertex.error.as_ref().is_some_and(|error| !error.ends_with(super::CANCELED));
        for node in self.nodes.iter().filter(failed) {
            // Writing to a string does not fail.
            let _ = writeln!(out, "------\n > {}:", node.vertex.name);
            for line in &node.lines {
                let _ = writeln!(out, "{} {}", line.time, line.text);
            }
            out.push_str("------\n");
        }
        out
    }

    /// The checks' warnings after the build (docker/buildx `printWarnings`); with a file's name and text all that is known
    /// of them.
    pub fn warnings(&self, expand: Option<&(String, String)>) -> String {
        let all: Vec<&Warning> = self.nodes.iter().flat_map(|node| &node.warnings).collect();
        if all.is_empty() {
            return String::new();
        }
        let count = if all.len() == 1 { "1 warning found".to_owned() } else { format!("{} warnings found", all.len()) };
        let hint = if expand.is_none() { " (use docker --debug to expand)" } else { "" };
        let mut out = format!("\n \u{1b}[33m{count}{hint}:\n\u{1b}[0m");
        for warning in all {
            let _ = writeln!(out, " - {}", warning.short());
            if let Some((file, text)) = expand {
                let _ = writeln!(out, "{}", warning.rule.description);
                if let Some(url) = warning.rule.url() {
                    let _ = writeln!(out, "More info: {url}");
                }
                let source = SourceExcerpt { file: file.clone(), text: text.clone(), span: warning.span };
                out.push_str(&super::excerpt(&source));
                out.push('\n');
            }
        }
        out
    }
}

impl Node {
    /// Something was told of it.
    fn hear(&mut self, at: Timestamp) {
        self.fresh = true;
        let (count, since) = self.untold;
        self.untold = (count + 1, if count == 0 { at } else { since });
    }

    fn log(&mut self, at: Timestamp, text: &str) {
        let seconds = self.vertex.started.map_or(0.0, |started| at.since(started).as_secs_f64());
        let decimals = match seconds {
            s if s < 10.0 => 3,
            s if s < 100.0 => 2,
            _ => 1,
        };
        for piece in text.split_inclusive('\n') {
            let (line, ended) = piece.strip_suffix('\n').map_or((piece, false), |line| (line, true));
            match self.lines.last_mut().filter(|_| self.partial) {
                Some(last) => last.text.push_str(line),
                None => {
                    let time = format!("{seconds:.decimals$}");
                    self.lines.push(Line { time, text: line.to_owned(), printed: 0 });
                }
            }
            self.partial = !ended;
        }
        if self.lines.len() > MAX_LINES {
            let cut = self.lines.len() - MAX_LINES;
            self.lines.drain(..cut);
            self.printed_lines = self.printed_lines.saturating_sub(cut);
        }
    }
}
