//! What a build tells, as a terminal shows it (BuildKit `util/progress/progressui`, docker/buildx `commands/build.go`).
//!
//! A [`Display`] is fed events and asked for bytes: pure, without a clock or a terminal. [`Mode::Tty`] redraws its lines in
//! place, [`Mode::Plain`] appends, [`Mode::Quiet`] says nothing. The classic builder's text needs no display.

mod plain;
mod rawjson;
mod trace;
mod tty;

use crate::base::sort::Arrange;
use std::fmt::Write;

use crate::base::time::Timestamp;
use crate::docker::daemon::api::build::{BuildEvent, BuildFailure, SourceExcerpt};
use crate::docker::dockerfile::lint::Warning;
use trace::Trace;

/// `--progress`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Lines redrawn in place.
    Tty,
    /// Lines appended.
    Plain,
    /// Every event as JSON.
    RawJson,
    /// Nothing.
    Quiet,
}

/// The size of the terminal, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Columns.
    pub width: usize,
    /// Lines.
    pub height: usize,
}

/// A build's progress on its way to a terminal.
pub struct Display {
    mode: Mode,
    trace: Trace,
    tty: tty::Tty,
    plain: plain::Plain,
    raw: rawjson::RawJson,
    lines: String,
    expand: Option<(String, String)>,
}

/// The builder's name at the right edge of the first line.
const DRIVER: &str = "docker:default";
/// Go's `context.Canceled`: what a step ends with that was told to stop.
pub const CANCELED: &str = "context canceled";
/// How often a display is refreshed, in milliseconds.
pub const REFRESH_MILLIS: u64 = 100;

impl Display {
    /// Nothing told yet.
    pub fn new(mode: Mode) -> Self {
        Self {
            mode,
            trace: Trace::default(),
            tty: tty::Tty::default(),
            plain: plain::Plain::default(),
            raw: rawjson::RawJson::default(),
            lines: String::new(),
            expand: None,
        }
    }

    /// Takes an event in; it shows at the next [`Self::refresh`].
    pub fn update(&mut self, event: &BuildEvent) {
        self.trace.update(event);
        if self.mode == Mode::RawJson {
            self.lines.push_str(&self.raw.line(event));
        }
    }

    /// Takes in that the build was told to stop.
    pub fn cancel(&mut self, now: Timestamp) {
        self.trace.cancel(now);
    }

    /// The bytes that bring the terminal up to date.
    pub fn refresh(&mut self, now: Timestamp, size: Size) -> String {
        match self.mode {
            Mode::Tty => self.tty.draw(&self.trace, now, size, false),
            Mode::Plain => self.plain.draw(&mut self.trace, now),
            Mode::RawJson => std::mem::take(&mut self.lines),
            Mode::Quiet => String::new(),
        }
    }

    /// The last bytes: everything at its end, the output of what failed, the checks' warnings.
    pub fn finish(&mut self, now: Timestamp, size: Size) -> String {
        let mut out = match self.mode {
            Mode::Tty => self.tty.draw(&self.trace, now, size, true),
            Mode::Plain => self.plain.draw(&mut self.trace, now),
            Mode::RawJson => return std::mem::take(&mut self.lines),
            Mode::Quiet => return String::new(),
        };
        out.push_str(&self.trace.error_logs());
        out.push_str(&self.trace.warnings(self.expand.as_ref()));
        out
    }

    /// Tells all that is known of a warning (`docker --debug build`), with lines of this Dockerfile.
    pub fn expand_warnings(&mut self, file: &str, text: &str) {
        self.expand = Some((file.to_owned(), text.to_owned()));
    }
}

/// What `--check` found (docker/buildx `commands/build.go` `printResult`, BuildKit `subrequests/lint` `PrintTo`), and how
/// many warnings that are.
pub fn check_report(file: &str, text: &str, warnings: &[Warning], failed: bool) -> String {
    let mut sorted: Vec<&Warning> = warnings.iter().collect();
    sorted.arrange_by_key(|warning| warning.span.start);
    let mut out = match sorted.len() {
        0 if failed => String::new(),
        0 => return "Check complete, no warnings found.\n".to_owned(),
        1 => "Check complete, 1 warning has been found!\n".to_owned(),
        many => format!("Check complete, {many} warnings have been found!\n"),
    };
    for warning in sorted {
        let url = warning.rule.url().map(|url| format!(" - {url}")).unwrap_or_default();
        // Writing to a string does not fail; so it is below.
        let _ = writeln!(out, "\nWARNING: {}{url}\n{}", warning.rule.name, warning.message);
        out.push_str(&excerpt(&SourceExcerpt { file: file.to_owned(), text: text.to_owned(), span: warning.span }));
    }
    out
}

/// Which steps the cache had and why it did not have the others: words of our own, as Docker has no such list.
pub fn cache_report(events: &[BuildEvent]) -> String {
    let mut out = "\nCache, step by step (--explain-cache is Capas's own flag; Docker has none like it):\n".to_owned();
    for event in events {
        let BuildEvent::Cache { instruction, span, miss } = event else { continue };
        let _ = match miss {
            None => writeln!(out, "  line {:<3} HIT   {instruction}", span.start),
            Some(why) => writeln!(out, "  line {:<3} MISS  {instruction}\n                 {why}", span.start),
        };
    }
    out
}

/// The end of a failed BuildKit build: the lines of the Dockerfile and the error.
pub fn failure(failure: &BuildFailure) -> String {
    let mut out = failure.source.as_ref().map(excerpt).unwrap_or_default();
    // Writing to a string does not fail.
    let _ = writeln!(out, "ERROR: failed to solve: {}", failure.message);
    out
}

/// Lines of a Dockerfile with those marked that an error is about (BuildKit `solver/errdefs/source.go`).
pub fn excerpt(source: &SourceExcerpt) -> String {
    let lines: Vec<&str> = source.text.split('\n').collect();
    let (mut start, mut end) = (source.span.start, source.span.end.max(source.span.start).min(lines.len()));
    if start < 1 || start > lines.len() {
        return String::new();
    }
    let first = start;
    let pad = if start == end { 4 } else { 2 };
    let mut padded = 0;
    while padded < pad {
        if start > 1 {
            start -= 1;
            padded += 1;
        }
        if end != lines.len() {
            end += 1;
            padded += 1;
        }
        padded += 1;
    }
    let rule = "--------------------\n";
    let mut out = format!("{}:{first}\n{rule}", source.file);
    for (number, line) in (1..).zip(&lines).skip(start - 1).take(end + 1 - start) {
        let mark = if (source.span.start..=source.span.end).contains(&number) { ">>>" } else { "   " };
        let _ = writeln!(out, " {number:3} | {mark} {line}");
    }
    out.push_str(rule);
    out
}

/// Bytes as tonistiigi/units writes them with two decimals: `334B`, `1.05kB`, `54.71MB`.
fn bytes(count: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if count < 1000 {
        return format!("{count}B");
    }
    let mut value = count as f64 / 1000.0;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{value:.2}{}", UNITS.get(unit).unwrap_or(&""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::daemon::api::build::{Vertex, VertexStatus};
    use crate::docker::dockerfile::Span;
    use crate::docker::dockerfile::lint;

    const START: i64 = 1_000_000_000_000;

    fn at(millis: i64) -> Timestamp {
        Timestamp(START + millis * 1_000_000)
    }

    fn vertex(id: u32, name: &str, started: i64, completed: Option<i64>) -> Vertex {
        Vertex {
            id,
            name: name.into(),
            started: Some(at(started)),
            completed: completed.map(at),
            cached: false,
            error: None,
        }
    }

    fn status(vertex: u32, id: &str, current: u64, total: u64, started: i64, now: i64, done: bool) -> BuildEvent {
        BuildEvent::Status(VertexStatus {
            vertex,
            id: id.into(),
            current,
            total,
            started: at(started),
            at: at(now),
            completed: done.then(|| at(now)),
        })
    }

    /// A build that fails in its second step.
    fn events() -> Vec<BuildEvent> {
        let cached = Vertex { cached: true, ..vertex(2, "[1/2] FROM docker.io/library/alpine", 20, Some(20)) };
        let failed = Vertex {
            error: Some("process \"/bin/sh -c false\" did not complete successfully: exit code: 1".into()),
            ..vertex(3, "[2/2] RUN false", 30, Some(1300))
        };
        vec![
            BuildEvent::Total(4),
            BuildEvent::Vertex(vertex(1, "[internal] load build definition from Dockerfile", 0, None)),
            status(1, "transferring dockerfile:", 1334, 0, 0, 8, true),
            BuildEvent::Vertex(vertex(1, "[internal] load build definition from Dockerfile", 0, Some(12))),
            BuildEvent::Warning {
                vertex: 1,
                warning: Warning { rule: &lint::FROM_AS_CASING, message: "x".into(), span: Span::line(1) },
            },
            BuildEvent::Vertex(cached),
            BuildEvent::Vertex(vertex(3, "[2/2] RUN false", 30, None)),
            BuildEvent::Log { vertex: 3, at: at(245), bytes: b"one\ntw".to_vec() },
            BuildEvent::Log { vertex: 3, at: at(300), bytes: b"o\n".to_vec() },
            BuildEvent::Vertex(failed),
        ]
    }

    #[test]
    fn plain_progress_reads_as_buildkit_prints_it() {
        let mut display = Display::new(Mode::Plain);
        let size = Size { width: 80, height: 24 };
        events().iter().for_each(|event| display.update(event));
        let out = display.finish(at(1300), size);
        assert_eq!(
            out,
            "#0 building with \"default\" instance using docker driver\n\n\
             #1 [internal] load build definition from Dockerfile\n\
             #1 transferring dockerfile: 1.33kB done\n\
             #1 WARN: FromAsCasing: x (line 1)\n\
             #1 DONE 0.0s\n\n\
             #2 [1/2] FROM docker.io/library/alpine\n\
             #2 CACHED\n\n\
             #3 [2/2] RUN false\n\
             #3 0.215 one\n\
             #3 0.215 two\n\
             #3 ERROR: process \"/bin/sh -c false\" did not complete successfully: exit code: 1\n\
             ------\n > [2/2] RUN false:\n0.215 one\n0.215 two\n------\n\n\
             \u{20}\u{1b}[33m1 warning found (use docker --debug to expand):\n\u{1b}[0m - FromAsCasing: x (line 1)\n"
        );
    }

    #[test]
    fn plain_progress_appends_as_time_goes_by() {
        let mut display = Display::new(Mode::Plain);
        let size = Size { width: 80, height: 24 };
        let mut out = String::new();
        for event in [
            BuildEvent::Vertex(vertex(1, "exporting to image", 0, None)),
            status(1, "exporting layers", 0, 0, 0, 0, false),
        ] {
            display.update(&event);
        }
        out.push_str(&display.refresh(at(100), size));
        display.update(&status(1, "exporting layers", 0, 0, 0, 240, true));
        display.update(&BuildEvent::Log { vertex: 1, at: at(11_500), bytes: b"part".to_vec() });
        out.push_str(&display.refresh(at(300), size));
        display.update(&BuildEvent::Vertex(vertex(1, "exporting to image", 0, Some(12_340))));
        out.push_str(&display.finish(at(400), size));
        assert_eq!(
            out,
            "#0 building with \"default\" instance using docker driver\n\n\
             #1 exporting to image\n#1 exporting layers\n#1 exporting layers 0.2s done\n#1 11.50 part\n#1 DONE 12.3s\n"
        );
    }

    /// What a terminal shows after some bytes.
    fn screen(bytes: &str, size: Size) -> Vec<String> {
        let mut terminal = avt::Terminal::new(size.width, size.height).unwrap();
        terminal.feed([bytes.replace('\n', "\r\n").as_str()]);
        let screen = terminal.screen();
        let lines = (0..size.height).filter_map(|row| screen.line(row)).map(|line| line.text().trim_end().to_owned());
        lines.filter(|line| !line.is_empty()).collect()
    }

    #[test]
    fn tty_progress_is_redrawn_in_place() {
        let size = Size { width: 60, height: 20 };
        let mut display = Display::new(Mode::Tty);
        let all = events();
        let mut out = String::new();
        all.iter().take(8).for_each(|event| display.update(event));
        out.push_str(&display.refresh(at(400), size));
        assert_eq!(
            screen(&out, size),
            [
                "[+] Building 0.4s (2/4)                      docker:default",
                " => [internal] load build definition from Dockerfile   0.0s",
                " => => transferring dockerfile: 1.33kB                 0.0s",
                " => WARN: FromAsCasing: x (line 1)                     0.0s",
                " => CACHED [1/2] FROM docker.io/library/alpine         0.0s",
                " => [2/2] RUN false                                    0.4s",
                " => => # one",
                " => => # tw",
            ]
        );
        all.iter().skip(8).for_each(|event| display.update(event));
        out.push_str(&display.finish(at(1300), size));
        let shown = screen(&out, size);
        assert_eq!(shown[0], "[+] Building 1.3s (3/4)                      docker:default");
        assert_eq!(shown[5], " => ERROR [2/2] RUN false                              1.3s");
        assert_eq!(&shown[6..11], ["------", " > [2/2] RUN false:", "0.215 one", "0.215 two", "------"]);
        assert_eq!(shown[11], " 1 warning found (use docker --debug to expand):");
        assert_eq!(out.matches("\u{1b}[?25l").count(), out.matches("\u{1b}[?25h").count());
    }

    #[test]
    fn a_finished_build_says_so_and_statuses_show_bytes() {
        let size = Size { width: 100, height: 10 };
        let mut display = Display::new(Mode::Tty);
        let mut events = vec![BuildEvent::Total(1), BuildEvent::Vertex(vertex(1, "FROM a", 0, None))];
        events.push(status(1, "sha256:abc", 54_710_000, 71_520_000, 0, 500, false));
        events.iter().for_each(|event| display.update(event));
        let first = display.refresh(at(1000), size);
        assert!(
            screen(&first, size)[2].starts_with(" => => sha256:abc 54.71MB / 71.52MB"),
            "{:?}",
            screen(&first, size)
        );
        display.update(&BuildEvent::Vertex(vertex(1, "FROM a", 0, Some(2000))));
        let last = first + &display.finish(at(2000), size);
        assert!(screen(&last, size)[0].starts_with("[+] Building 2.0s (1/1) FINISHED"), "{:?}", screen(&last, size));
    }

    #[test]
    fn many_lines_scroll_and_keep_what_runs() {
        let size = Size { width: 80, height: 8 };
        let mut display = Display::new(Mode::Tty);
        display.update(&BuildEvent::Vertex(vertex(1, "slow", 0, None)));
        for id in 2..30 {
            display.update(&BuildEvent::Vertex(vertex(id, &format!("quick {id}"), 0, Some(1))));
        }
        let shown = screen(&display.refresh(at(100), size), size);
        assert_eq!(shown.len(), 7);
        assert!(shown[1].starts_with(" => slow") && shown[6].starts_with(" => quick 29"), "{shown:?}");
        let tiny = Size { width: 5, height: 2 };
        display.refresh(at(200), tiny);
        display.finish(at(300), Size { width: 0, height: 0 });
    }

    #[test]
    fn excerpts_mark_the_lines() {
        let source = |text: &str, start, end| SourceExcerpt {
            file: "Dockerfile".into(),
            text: text.into(),
            span: Span { start, end },
        };
        assert_eq!(
            excerpt(&source("FROM alpine\nRUN false\n", 2, 2)),
            "Dockerfile:2\n--------------------\n   1 |     FROM alpine\n   2 | >>> RUN false\n   3 |     \n--------------------\n"
        );
        let long = excerpt(&source("1\n2\n3\n4\n5\n6\n7\n8\n9", 4, 5));
        assert_eq!(long.lines().nth(2), Some("   3 |     3"));
        assert_eq!(long.lines().filter(|line| line.contains(">>>")).count(), 2);
        assert_eq!(excerpt(&source("x", 9, 9)), "");
        let failed = BuildFailure { message: "m".into(), source: None, code: 1 };
        assert_eq!(failure(&failed), "ERROR: failed to solve: m\n");
    }

    #[test]
    fn what_was_told_to_stop_is_no_failure() {
        let mut display = Display::new(Mode::Plain);
        display.update(&BuildEvent::Vertex(vertex(1, "[1/1] RUN sleep 9", 0, None)));
        display.cancel(at(100));
        let out = display.finish(at(100), Size { width: 80, height: 24 });
        assert!(out.ends_with("#1 [1/1] RUN sleep 9\n#1 CANCELED\n"), "{out}");
    }

    #[test]
    fn a_quiet_display_says_nothing() {
        let mut display = Display::new(Mode::Quiet);
        events().iter().for_each(|event| display.update(event));
        let size = Size { width: 80, height: 24 };
        assert_eq!(display.refresh(at(0), size) + &display.finish(at(0), size), "");
    }
}
