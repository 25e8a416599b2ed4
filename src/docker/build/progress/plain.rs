//! Plain progress: lines appended, each with its vertex's number (BuildKit `progressui/printer.go`).

use crate::base::sort::Arrange;
use std::fmt::Write;

use super::trace::{Node, Trace};
use super::{CANCELED, bytes};
use crate::docker::daemon::api::build::{VertexId, VertexStatus};

/// What was printed last.
#[derive(Default)]
pub struct Plain {
    started: bool,
    not_first: bool,
    current: Option<VertexId>,
}

impl Plain {
    /// Prints what is new: what ended first, then what runs.
    pub fn draw(&mut self, trace: &mut Trace) -> String {
        let mut out = String::new();
        let mut fresh: Vec<usize> =
            trace.nodes.iter().enumerate().filter(|(_, node)| node.fresh).map(|(index, _)| index).collect();
        if fresh.is_empty() {
            return out;
        }
        if !std::mem::replace(&mut self.started, true) {
            out.push_str("#0 building with \"default\" instance using docker driver\n\n");
        }
        let current = self.current;
        fresh.arrange_by_key(|index| {
            let vertex = trace.nodes.get(*index).map(|node| &node.vertex);
            let ended = vertex.and_then(|vertex| vertex.completed);
            (ended.is_none(), vertex.map(|vertex| vertex.id) != current, ended, *index)
        });
        for index in fresh {
            if let Some(node) = trace.nodes.get_mut(index) {
                self.print(node, &mut out);
            }
        }
        out
    }

    fn print(&mut self, node: &mut Node, out: &mut String) {
        let id = node.vertex.id;
        // Writing to a string does not fail; so it is below.
        if self.current != Some(id) {
            if let Some(current) = self.current {
                let _ = writeln!(out, "#{current} ...");
            }
            if std::mem::replace(&mut self.not_first, true) {
                out.push('\n');
            }
            let _ = writeln!(out, "#{id} {}", node.vertex.name);
        }
        for part in node.parts.iter_mut().filter(|part| part.fresh) {
            part.fresh = false;
            let _ = writeln!(out, "#{id} {}", status(&part.status));
        }
        for warning in node.warnings.iter().skip(node.printed_warnings) {
            let _ = writeln!(out, "#{id} WARN: {}", warning.short());
        }
        node.printed_warnings = node.warnings.len();
        let last = node.lines.len();
        let ends = node.vertex.completed.is_some();
        for (index, line) in node.lines.iter_mut().enumerate().skip(node.printed_lines) {
            let whole = index + 1 < last || !node.partial || ends;
            // An unfinished line waits for its end, so that nothing is printed twice.
            if whole && line.printed == 0 {
                let _ = writeln!(out, "#{id} {} {}", line.time, line.text);
                line.printed = 1;
                node.printed_lines = index + 1;
            }
        }
        node.fresh = false;
        self.current = Some(id);
        let Some(completed) = node.vertex.completed else { return };
        self.current = None;
        let end = match (&node.vertex.error, node.vertex.cached) {
            (Some(error), _) if error.ends_with(CANCELED) => "CANCELED".to_owned(),
            (Some(error), _) => format!("ERROR: {error}"),
            (None, true) => "CACHED".to_owned(),
            (None, false) => {
                let seconds = node.vertex.started.map_or(0.0, |started| completed.since(started).as_secs_f64());
                format!("DONE {seconds:.1}s")
            }
        };
        let _ = writeln!(out, "#{id} {end}");
    }
}

fn status(status: &VertexStatus) -> String {
    let mut out = status.id.clone();
    if status.total != 0 {
        let _ = write!(out, " {} / {}", bytes(status.current), bytes(status.total));
    } else if status.current != 0 {
        let _ = write!(out, " {}", bytes(status.current));
    }
    let seconds = status.completed.unwrap_or(status.at).since(status.started).as_secs_f64();
    if seconds > 0.01 {
        let _ = write!(out, " {seconds:.1}s");
    }
    if status.completed.is_some() {
        out.push_str(" done");
    }
    out
}
