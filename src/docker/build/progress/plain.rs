//! Plain progress: lines appended, each with its vertex's number (BuildKit `progressui/printer.go`).

use crate::base::sort::Arrange;
use std::fmt::Write;

use super::trace::{Node, Part, Trace};
use super::{CANCELED, bytes};
use crate::base::time::Timestamp;
use crate::docker::daemon::api::build::{VertexId, VertexStatus};

/// How long a vertex stays in front, in seconds, if another one says as much (`antiFlicker`).
const ANTI_FLICKER: f64 = 5.0;
/// After how many seconds a vertex comes to the front, however little it says (`maxDelay`).
const MAX_DELAY: f64 = 10.0;
/// A part is printed again when so much of it was done (`minProgressDelta`) or after so many seconds (`minTimeDelta`).
const MIN_PROGRESS: (f64, f64) = (0.05, 5.0);

/// What was printed last.
#[derive(Default)]
pub struct Plain {
    started: bool,
    not_first: bool,
    /// The vertex in front.
    current: Option<VertexId>,
    last: u32,
}

impl Plain {
    /// Prints what ended, what is new of the vertex in front, and lets another one to the front if it is due (`textMux`).
    pub fn draw(&mut self, trace: &mut Trace, now: Timestamp) -> String {
        let mut out = String::new();
        if !trace.nodes.iter().any(|node| node.fresh) {
            return out;
        }
        if !std::mem::replace(&mut self.started, true) {
            out.push_str("#0 building with \"default\" instance using docker driver\n\n");
        }
        let before = self.current;
        let mut ended: Vec<(bool, Option<Timestamp>, VertexId)> = trace
            .nodes
            .iter()
            .filter(|node| node.fresh && node.vertex.completed.is_some())
            .map(|node| (Some(node.vertex.id) != before, node.vertex.completed, node.vertex.id))
            .collect();
        ended.arrange();
        for (.., id) in &ended {
            self.print(trace, *id, &mut out);
        }
        let front_ended = ended.iter().any(|(is_other, ..)| !is_other);
        if let Some(next) = self.next(trace, before, front_ended, now, &mut out) {
            self.print(trace, next, &mut out);
        }
        out
    }

    /// Prints what is new of the vertex in front, and tells which one comes next to the front.
    fn next(
        &mut self,
        trace: &mut Trace,
        before: Option<VertexId>,
        front_ended: bool,
        now: Timestamp,
        out: &mut String,
    ) -> Option<VertexId> {
        let is_open = |node: &&Node| node.vertex.completed.is_none();
        let mut rest: Vec<VertexId> =
            trace.nodes.iter().filter(is_open).filter(|node| node.fresh).map(|node| node.vertex.id).collect();
        if rest.is_empty() {
            let first = trace.nodes.iter().find(is_open).map(|node| node.vertex.id);
            return first.filter(|_| self.current.is_none());
        }
        if let Some(front) = before.filter(|front| rest.contains(front)) {
            self.print(trace, front, out);
        } else {
            rest.extend(before.filter(|_| !front_ended));
        }
        let (mut loudest, mut overdue, mut sum) = (None::<(VertexId, f64)>, None, 0.0);
        let (mut of_front, mut since_front) = (0.0, 0.0);
        for node in trace.nodes.iter().filter(|node| rest.contains(&node.vertex.id)) {
            let id = node.vertex.id;
            let (count, since) = node.untold;
            let waited = now.since(since).as_secs_f64();
            let speed = count as f64 / waited;
            sum += speed;
            let is_overdue = waited > MAX_DELAY && Some(id) != before;
            if is_overdue {
                overdue = overdue.or(Some(id));
            }
            if is_overdue || loudest.is_none_or(|(_, best)| best < speed) {
                loudest = Some((id, speed));
            }
            if Some(id) == before {
                (of_front, since_front) = (speed, waited);
            }
        }
        let loudest = loudest.map(|(id, _)| id);
        if front_ended || before.is_none() {
            return loudest;
        }
        // A fair split of the time in front between those who have something to say.
        let is_fair = 1.0 / (1.0 - of_front / sum) * ANTI_FLICKER < since_front;
        overdue.or(loudest.filter(|loudest| is_fair && Some(*loudest) != before))
    }

    fn print(&mut self, trace: &mut Trace, id: VertexId, out: &mut String) {
        let front = self.current.filter(|current| *current != id);
        if let Some(node) = front.and_then(|front| trace.nodes.iter_mut().find(|node| node.vertex.id == front)) {
            node.untold.0 = 0;
            // Writing to a string does not fail; so it is below.
            let _ = writeln!(out, "#{} ...", node.number);
        }
        let Some(node) = trace.nodes.iter_mut().find(|node| node.vertex.id == id) else { return };
        if node.number == 0 {
            self.last += 1;
            node.number = self.last;
        }
        let is_front = self.current == Some(id);
        self.current = Some(id);
        self.print_node(node, is_front, out);
    }

    fn print_node(&mut self, node: &mut Node, is_front: bool, out: &mut String) {
        let id = node.number;
        if !is_front {
            if std::mem::replace(&mut self.not_first, true) {
                out.push('\n');
            }
            let _ = writeln!(out, "#{id} {}", node.vertex.name);
        }
        for part in node.parts.iter_mut().filter(|part| part.fresh) {
            if !is_due(part) {
                continue;
            }
            part.fresh = false;
            part.printed = Some((part.status.current, part.status.at));
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
        let Some(completed) = node.vertex.completed else { return };
        self.current = None;
        node.untold.0 = 0;
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

/// Whether enough of a part was done since it was last printed.
fn is_due(part: &Part) -> bool {
    let (Some((current, at)), None) = (part.printed, part.status.completed) else { return true };
    let done = part.status.current.saturating_sub(current) as f64;
    let share = if part.status.total > 0 { done / part.status.total as f64 } else { 0.0 };
    share >= MIN_PROGRESS.0 || part.status.at.since(at).as_secs_f64() >= MIN_PROGRESS.1
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
