//! Progress on a terminal: a header and a line a step, redrawn in place (BuildKit `progressui/display.go`).

use std::fmt::Write;

use super::trace::{Node, Trace};
use super::{DRIVER, Size, bytes};
use crate::base::time::Timestamp;

/// Lines of output shown under a running step.
const TERM_HEIGHT: usize = 6;
/// Columns that output leaves free.
const TERM_PAD: usize = 10;
const BLUE: &str = "\u{1b}[34m";
const YELLOW: &str = "\u{1b}[33m";
const RED: &str = "\u{1b}[31m";
const FAINT: &str = "\u{1b}[2m";
const RESET: &str = "\u{1b}[0m";

/// What was drawn last.
#[derive(Default)]
pub struct Tty {
    lines: usize,
    repeated: bool,
}

/// A line to draw.
struct Job<'a> {
    name: String,
    status: String,
    seconds: f64,
    completed: bool,
    color: &'static str,
    /// The step, where its output may be shown below.
    node: Option<&'a Node>,
}

impl Tty {
    /// Draws over what was drawn before; `all` draws every line, however many there are.
    pub fn draw(&mut self, trace: &Trace, now: Timestamp, size: Size, all: bool) -> String {
        let width = if size.width == 0 { 80 } else { size.width };
        let height = if size.height == 0 { 10 } else { size.height };
        let mut jobs: Vec<Job<'_>> = trace.nodes.iter().flat_map(|node| jobs(node, now)).collect();
        let running = jobs.iter().filter(|job| !job.completed).count();
        let mut free = (height as isize) - 2 - running as isize;
        let mut hidden = 0;
        let mut windows: Vec<u32> = Vec::new();
        for node in
            jobs.iter().filter(|job| !job.completed).filter_map(|job| job.node).filter(|node| !node.lines.is_empty())
        {
            let limit = TERM_HEIGHT as isize + 3;
            if free > limit {
                windows.push(node.vertex.id);
                hidden += node.lines.len().min(TERM_HEIGHT);
                free -= limit;
            }
        }
        if !all {
            jobs = wrap(jobs, height.saturating_sub(2 + hidden));
        }

        let mut out = "\u{1b}[1A".repeat(self.lines + 1);
        if !std::mem::replace(&mut self.repeated, true) {
            out.push_str("\u{1b}[1B");
        }
        out.push_str("\u{1b}[0G\u{1b}[?25l");
        let (done, total) = (trace.completed(), (trace.total as usize).max(trace.nodes.len()));
        let finished = if done > 0 && done == total && all { "FINISHED" } else { "" };
        let head = format!("[+] Building {:.1}s ({done}/{total}) {finished}", trace.seconds(now));
        // Writing to a string does not fail; so it is below.
        let _ = writeln!(out, "{}", cut(&align(&head, DRIVER, width.saturating_sub(1)), width));

        let mut drawn = 0;
        for job in &jobs {
            let Some(line) = line(job, width) else { continue };
            match job.color {
                "" => out.push_str(&line),
                color => drop(write!(out, "{color}{line}{RESET}")),
            }
            drawn += 1;
            if let Some(node) = job.node.filter(|node| windows.contains(&node.vertex.id) && !all) {
                let room = width.saturating_sub(TERM_PAD).max(1);
                for line in node.lines.iter().skip(node.lines.len().saturating_sub(TERM_HEIGHT)) {
                    // What a program does with the cursor stays inside its line.
                    let text = line.text.rsplit('\r').find(|part| !part.is_empty()).unwrap_or_default();
                    let text: String = text.chars().filter(|c| !c.is_control()).take(room).collect();
                    if !text.trim().is_empty() {
                        let _ = write!(out, "{FAINT} => => # {text:room$}\n{RESET}");
                        drawn += 1;
                    }
                }
            }
        }
        let rest = self.lines.saturating_sub(drawn);
        if rest > 0 {
            let blank = " ".repeat(width);
            for _ in 0..rest {
                let _ = writeln!(out, "{blank}");
            }
            let _ = write!(out, "\u{1b}[{rest}A\u{1b}[0G");
        }
        self.lines = drawn;
        out.push_str("\u{1b}[?25h");
        out
    }
}

fn jobs(node: &Node, now: Timestamp) -> Vec<Job<'_>> {
    let vertex = &node.vertex;
    let Some(started) = vertex.started else { return Vec::new() };
    let lasted = |from: Timestamp, to: Option<Timestamp>| to.unwrap_or(now).since(from).as_secs_f64();
    let completed = vertex.completed.is_some();
    let prefix = match (&vertex.error, vertex.cached) {
        (Some(error), _) if error.ends_with(super::CANCELED) => "CANCELED ",
        (Some(_), _) => "ERROR ",
        (None, true) => "CACHED ",
        (None, false) => "",
    };
    let color = match (completed, &vertex.error) {
        (false, _) => "",
        (true, Some(_)) => RED,
        (true, None) => BLUE,
    };
    let name = format!("{prefix}{}", vertex.name.replace('\t', " "));
    let seconds = lasted(started, vertex.completed);
    let mut out = vec![Job { name, status: String::new(), seconds, completed, color, node: Some(node) }];
    for part in &node.parts {
        let status = &part.status;
        let done = status.completed.is_some();
        let text = match (status.current, status.total) {
            (0, 0) => String::new(),
            (current, 0) => bytes(current),
            (current, total) => format!("{} / {}", bytes(current), bytes(total)),
        };
        out.push(Job {
            name: format!("=> {}", status.id),
            status: text,
            seconds: lasted(status.started, status.completed),
            completed: done,
            color: if done { BLUE } else { "" },
            node: None,
        });
    }
    out.extend(node.warnings.iter().map(|warning| Job {
        name: format!("WARN: {}", warning.short()),
        status: String::new(),
        seconds,
        completed: true,
        color: YELLOW,
        node: None,
    }));
    out
}

fn line(job: &Job<'_>, width: usize) -> Option<String> {
    let seconds = if job.seconds < 0.05 { 0.0 } else { job.seconds };
    let timer = format!(" {seconds:3.1}s\n");
    let mut left = width.checked_sub(4 + timer.len() + 1)?;
    let mut status = String::new();
    if !job.status.is_empty() && left + job.status.len() > 20 {
        left = left.checked_sub(job.status.len() + 1)?;
        status = format!(" {}", job.status);
    }
    if left < 12 {
        return None;
    }
    Some(align(&format!(" => {}{status}", cut(&job.name, left)), &timer, width))
}

/// `left` padded so that `right` ends at `width`.
fn align(left: &str, right: &str, width: usize) -> String {
    let pad = width.saturating_sub(right.chars().count() + 1);
    format!("{left:pad$} {right}")
}

fn cut(text: &str, width: usize) -> String {
    text.chars().take(width).collect()
}

/// The last lines that fit, with those in front that still run.
fn wrap(jobs: Vec<Job<'_>>, limit: usize) -> Vec<Job<'_>> {
    let over = jobs.len().saturating_sub(limit);
    if over == 0 {
        return jobs;
    }
    let mut hidden = Vec::new();
    let mut shown = Vec::new();
    for (index, job) in jobs.into_iter().enumerate() {
        if index >= over {
            shown.push(job);
        } else if !job.completed {
            hidden.push(job);
        }
    }
    let mut give = hidden.len();
    let before = shown.len();
    shown.retain(|job| {
        let keep = !job.completed || give == 0;
        give = give.saturating_sub(1);
        keep
    });
    let room = before - shown.len();
    let mut out: Vec<Job<'_>> = hidden.drain(hidden.len().saturating_sub(room)..).collect();
    out.extend(shown);
    out
}
