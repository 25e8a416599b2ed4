//! Foresight for the editor: what every line of a Dockerfile would do if it were built now.
//!
//! A [`Forecast`] is a function of the machine's state and a text; it changes nothing and may be asked on every key. What
//! it tells of the cache is what the builder itself finds in it. Up to a line that can't be read, the lines before it are
//! foretold all the same.

use std::time::Duration;

use crate::base::path;
use crate::docker::build::foresee::{Foreseen, foresee};
use crate::docker::build::recipe::request_of;
use crate::docker::daemon::api::build::{BuildEvent, BuildRequest, LayerSize, MissReason};
use crate::docker::dockerfile::{self, Dockerfile, ParseError, Span};
use crate::machine::Machine;

/// What a Dockerfile would do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Forecast {
    /// A line an instruction, in the order of the text.
    pub lines: Vec<Line>,
    /// What the checks find, in the order of lines.
    pub findings: Vec<Finding>,
    /// What would make the build fail.
    pub error: Option<Failure>,
    /// The sums.
    pub total: Total,
}

/// An instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Where it stands.
    pub span: Span,
    /// `RUN`.
    pub keyword: &'static str,
    /// What becomes of it.
    pub outcome: Outcome,
    /// Bytes of its layer; `None` where it makes none or is not reached.
    pub size: Option<LayerSize>,
    /// How long it takes; `None` where only running it would tell.
    pub took: Option<Duration>,
}

/// What becomes of an instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// `FROM`: the image is here, or so many bytes of it must be downloaded.
    Base {
        /// Bytes to download, compressed.
        download_bytes: u64,
    },
    /// The cache has it.
    Hit,
    /// The cache does not have it, and why.
    Miss(MissReason),
    /// It changes the image's config and makes no layer.
    Config,
    /// Its stage is not needed.
    Unused,
    /// The build fails before it, or at it.
    NotReached,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where.
    pub span: Span,
    /// Docker's name of the rule.
    pub rule: &'static str,
    /// Docker's words.
    pub message: String,
    /// Docker's page about the rule.
    pub url: Option<String>,
}

/// What would make the build fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Where, if it is about an instruction.
    pub span: Option<Span>,
    /// BuildKit's words.
    pub message: String,
}

/// The sums of a forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Total {
    /// Steps that the cache has.
    pub hits: usize,
    /// Steps that it does not have.
    pub misses: usize,
    /// Bytes to download.
    pub download_bytes: u64,
    /// Bytes of the image: its base and its layers as far as they are known.
    pub image_bytes: u64,
    /// Whether the image's bytes are all known.
    pub is_complete: bool,
    /// How long the build takes as far as that is known: stages that don't need each other take their time together.
    pub took: Duration,
}

impl Forecast {
    /// Foretells the build of the folder in which the Dockerfile at `path` of the host stands, with `text` in the file.
    pub fn of(machine: &Machine, path: &str, text: &str) -> Self {
        let folder = path::parent(path.as_bytes()).to_owned();
        Self::of_context(machine, &folder.to_string(), path, text)
    }

    /// Foretells the build of another context (`docker build -f PATH FOLDER`).
    pub fn of_context(machine: &Machine, folder: &str, path: &str, text: &str) -> Self {
        let (mut request, unreadable) = request_of(&machine.host_files().borrow(), folder, path, text);
        let (file, error) = readable(text);
        let Some(file) = file else { return Self { error, ..Self::default() } };
        request.dockerfile = file.text.as_str().into();
        let foreseen = foresee(machine.builder(), &request);
        let mut out = Self::read(&file, &foreseen);
        let missing = unreadable.map(|message| Failure { span: None, message });
        out.error = error.or(missing).or(out.error);
        out
    }

    /// The instruction that stands at a line of the text, the first being 1.
    pub fn at(&self, line: usize) -> Option<&Line> {
        self.lines.iter().find(|own| own.span.start <= line && line <= own.span.end)
    }

    /// What the checks find at the lines of an instruction.
    pub fn findings_at(&self, span: Span) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| span.start <= finding.span.start && finding.span.start <= span.end)
    }

    fn read(file: &Dockerfile, foreseen: &Foreseen) -> Self {
        let mut out = Self::default();
        for instruction in &file.global_args {
            out.push(instruction.span, instruction.command.name(), Outcome::Config);
        }
        for stage in &file.stages {
            out.push(stage.span, "FROM", Outcome::Config);
            for instruction in &stage.instructions {
                out.push(instruction.span, instruction.command.name(), Outcome::Config);
            }
        }
        let mut reached = Vec::new();
        for event in &foreseen.events {
            match event {
                BuildEvent::Cache { span, miss, .. } => {
                    reached.push(*span);
                    out.total.hits += usize::from(miss.is_none());
                    out.total.misses += usize::from(miss.is_some());
                    // A FROM may run the triggers of its image; the line is the base's.
                    if let Some(line) = out.line(*span).filter(|line| line.keyword != "FROM") {
                        line.outcome = miss.clone().map_or(Outcome::Hit, Outcome::Miss);
                    }
                }
                BuildEvent::Layer { span, size, took } => {
                    if let Some(line) = out.line(*span) {
                        line.size = Some(sum(line.size, *size));
                        line.took = *took;
                    }
                }
                BuildEvent::Base { span, size_bytes, download_bytes } => {
                    reached.push(*span);
                    out.total.download_bytes += download_bytes;
                    if let Some(line) = out.line(*span).filter(|line| line.keyword == "FROM") {
                        line.outcome = Outcome::Base { download_bytes: *download_bytes };
                        line.size = size_bytes.map(LayerSize::Exact);
                    }
                }
                _ => {}
            }
        }
        out.total.took = foreseen.took;
        out.leave_out(file, foreseen, &reached);
        out.add_up(file);
        out.findings = foreseen
            .warnings
            .iter()
            .map(|warning| Finding {
                span: warning.span,
                rule: warning.rule.name,
                message: warning.message.clone(),
                url: warning.rule.url(),
            })
            .collect();
        out.error = foreseen.failure.as_ref().or(foreseen.check_failure.as_ref()).map(|failure| Failure {
            span: failure.source.as_ref().map(|source| source.span),
            message: failure.message.clone(),
        });
        out
    }

    fn push(&mut self, span: Span, keyword: &'static str, outcome: Outcome) {
        self.lines.push(Line { span, keyword, outcome, size: None, took: None });
    }

    fn line(&mut self, span: Span) -> Option<&mut Line> {
        self.lines.iter_mut().find(|line| line.span == span)
    }

    /// Marks the lines of stages that are not needed, and those that a failure keeps from being reached.
    fn leave_out(&mut self, file: &Dockerfile, foreseen: &Foreseen, reached: &[Span]) {
        let needed = needed(file);
        for (index, stage) in file.stages.iter().enumerate() {
            let spans = std::iter::once(stage.span).chain(stage.instructions.iter().map(|i| i.span));
            for span in spans {
                let Some(line) = self.line(span) else { continue };
                if !needed.contains(&index) {
                    line.outcome = Outcome::Unused;
                } else if foreseen.failure.is_some()
                    && line.outcome == Outcome::Config
                    && makes_layer(line.keyword)
                    && !reached.contains(&span)
                {
                    line.outcome = Outcome::NotReached;
                }
            }
        }
    }

    /// Adds the image up: the last stage and those that it starts from.
    fn add_up(&mut self, file: &Dockerfile) {
        let mut next = file.stages.len().checked_sub(1);
        self.total.is_complete = true;
        while let Some(index) = next {
            let Some(stage) = file.stages.get(index) else { break };
            let spans: Vec<Span> =
                std::iter::once(stage.span).chain(stage.instructions.iter().map(|i| i.span)).collect();
            for line in self.lines.iter().filter(|line| spans.contains(&line.span)) {
                match (line.size, &line.outcome) {
                    (Some(LayerSize::Exact(bytes) | LayerSize::LastTime(bytes)), _) => self.total.image_bytes += bytes,
                    (Some(LayerSize::Unknown), _) | (None, Outcome::NotReached) => self.total.is_complete = false,
                    (None, _) => {}
                }
            }
            next = file.stages.iter().take(index).rposition(|other| !other.name.is_empty() && other.name == stage.base);
        }
    }
}

fn makes_layer(keyword: &str) -> bool {
    matches!(keyword, "RUN" | "COPY" | "ADD" | "WORKDIR")
}

fn sum(a: Option<LayerSize>, b: LayerSize) -> LayerSize {
    use LayerSize::{Exact, LastTime, Unknown};
    match (a, b) {
        (None, b) => b,
        (Some(Exact(a)), Exact(b)) => Exact(a + b),
        (Some(Exact(a) | LastTime(a)), Exact(b) | LastTime(b)) => LastTime(a + b),
        _ => Unknown,
    }
}

/// The stages that the last one needs.
fn needed(file: &Dockerfile) -> Vec<usize> {
    let request = BuildRequest::default();
    let plan = crate::docker::build::plan::plan(file, &request, false, "amd64", &mut Vec::new());
    plan.map_or_else(|_| (0..file.stages.len()).collect(), |plan| plan.order)
}

/// The Dockerfile, or as much of its beginning as can be read, and what is wrong with the rest.
fn readable(text: &str) -> (Option<Dockerfile>, Option<Failure>) {
    let mut first: Option<ParseError> = None;
    let mut rest = text.to_owned();
    loop {
        match dockerfile::parse(&rest) {
            Ok(file) => return (Some(file), first.as_ref().map(told)),
            Err(error) => {
                let end = error.span.start.saturating_sub(1);
                let shorter: String = rest.split_inclusive('\n').take(end).collect();
                first.get_or_insert(error);
                if shorter.len() >= rest.len() || shorter.trim().is_empty() {
                    return (None, first.as_ref().map(told));
                }
                rest = shorter;
            }
        }
    }
}

fn told(error: &ParseError) -> Failure {
    let span = (error.span != Span::default()).then_some(error.span);
    Failure { span, message: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Config;

    fn machine(lines: &[&str]) -> Machine {
        let mut machine = Machine::new(Config::default());
        let console = machine.console();
        let hour = Duration::from_secs(3600);
        machine.settle(console, hour, hour);
        for line in lines {
            machine.input(console, format!("{line}\r").as_bytes());
            machine.settle(console, hour, hour);
        }
        machine
    }

    const PATH: &str = "/home/alumno/app/Dockerfile";
    const TEXT: &str =
        "FROM alpine\nWORKDIR /app\nCOPY a.txt b.txt ./\nRUN touch done && cat a.txt\nCMD [\"cat\", \"a.txt\"]\n";

    fn put(machine: &mut Machine, name: &str, text: &str) {
        machine.put_file(&format!("/home/alumno/app/{name}"), text.as_bytes()).unwrap();
    }

    fn outcomes(forecast: &Forecast) -> Vec<String> {
        let text = |line: &Line| match &line.outcome {
            Outcome::Base { download_bytes: 0 } => format!("{} here", line.keyword),
            Outcome::Base { .. } => format!("{} download", line.keyword),
            Outcome::Miss(why) => format!("{} miss: {why}", line.keyword),
            other => format!("{} {other:?}", line.keyword),
        };
        forecast.lines.iter().map(text).collect()
    }

    #[test]
    fn what_is_foretold_is_what_happens() {
        let mut machine = machine(&[]);
        put(&mut machine, "a.txt", "12345");
        put(&mut machine, "b.txt", "1");
        put(&mut machine, "Dockerfile", TEXT);
        let before = Forecast::of(&machine, PATH, TEXT);
        assert_eq!(before.error, None);
        assert_eq!(outcomes(&before)[0], "FROM download");
        assert_eq!(outcomes(&before)[2], "COPY miss: it stands on line 2, `WORKDIR /app`, which was not cached");
        let sizes: Vec<Option<LayerSize>> = before.lines.iter().skip(1).map(|line| line.size).collect();
        use LayerSize::{Exact, LastTime, Unknown};
        assert_eq!(sizes, [Some(Exact(0)), Some(Exact(6)), Some(Unknown), None]);
        assert!(before.total.download_bytes > 1_000_000 && !before.total.is_complete);
        assert!(machine.daemon().snapshot().images.is_empty(), "asking changes nothing");

        let console = machine.console();
        let hour = Duration::from_secs(3600);
        machine.input(console, b"docker build -t app app\r");
        machine.settle(console, hour, hour);
        let after = Forecast::of(&machine, PATH, TEXT);
        assert_eq!(outcomes(&after), ["FROM here", "WORKDIR Hit", "COPY Hit", "RUN Hit", "CMD Config"]);
        assert_eq!((after.total.hits, after.total.misses, after.total.is_complete), (3, 0, true));
        let image = machine.daemon().snapshot().images.first().map(|image| image.size_bytes);
        assert_eq!(Some(after.total.image_bytes), image);

        // Another text of the same file, not saved: the steps after it are spoilt, their sizes known from the last time.
        put(&mut machine, "b.txt", "123");
        let changed = Forecast::of(&machine, PATH, TEXT);
        assert_eq!(outcomes(&changed)[1..3], ["WORKDIR Hit", "COPY miss: `b.txt` changed"]);
        assert_eq!((changed.lines[2].size, changed.lines[3].size), (Some(Exact(8)), Some(LastTime(0))));
        let moved = Forecast::of(
            &machine,
            PATH,
            &TEXT.replace("WORKDIR /app\n", "RUN touch done && cat a.txt\nWORKDIR /app\n"),
        );
        assert_eq!(outcomes(&moved)[1], "RUN miss: the instruction changed; it was `WORKDIR /app`");
    }

    #[test]
    fn lines_before_a_mistake_are_foretold() {
        let mut machine = machine(&[]);
        put(&mut machine, "a", "1");
        let typed = Forecast::of(&machine, PATH, "FROM scratch as x\nCOPY a /a\nCOP");
        assert_eq!(outcomes(&typed), ["FROM Config", "COPY miss: nothing like it was built before"]);
        assert_eq!(typed.findings.iter().map(|finding| finding.rule).collect::<Vec<_>>(), ["FromAsCasing"]);
        assert_eq!(typed.findings_at(Span::line(1)).count(), 1);
        let error = typed.error.unwrap();
        assert_eq!(
            (error.span, error.message.as_str()),
            (Some(Span::line(3)), "dockerfile parse error on line 3: unknown instruction: COP (did you mean COPY?)")
        );
        let missing = Forecast::of(&machine, PATH, "FROM scratch\nCOPY nope /a\nCOPY a /\nENV A=1\n");
        assert_eq!(outcomes(&missing), ["FROM Config", "COPY NotReached", "COPY NotReached", "ENV Config"]);
        assert_eq!(missing.error.and_then(|error| error.span), Some(Span::line(2)));
        let none = Forecast::of(&machine, PATH, "");
        assert_eq!(none.error.unwrap().message, "file with no instructions");
        let unused = Forecast::of(&machine, PATH, "FROM scratch AS a\nCOPY a /\nFROM scratch\nCOPY a /b\n");
        assert_eq!(outcomes(&unused)[..2], ["FROM Unused", "COPY Unused"]);
    }

    #[test]
    fn nobody_knows_what_a_command_leaves() {
        let mut machine = machine(&[]);
        put(&mut machine, "a", "1");
        let text = "FROM alpine AS build\nRUN make\nCOPY --chown=me a /a\nFROM scratch\nCOPY --from=build /out /out\n";
        let forecast = Forecast::of(&machine, PATH, text);
        assert_eq!(forecast.error, None);
        assert_eq!(forecast.lines.last().unwrap().size, Some(LayerSize::Unknown));
    }

    /// How long the last build took on the machine's clock: from the start of its first vertex to the end of its last.
    fn really_took(machine: &Machine) -> Duration {
        let log = machine.file("/home/alumno/log").unwrap().to_vec();
        let (mut first, mut last) = (None::<crate::base::time::Timestamp>, None);
        for line in String::from_utf8(log).unwrap().lines() {
            let news: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
            for vertex in news["vertexes"].as_array().into_iter().flatten() {
                let at = |key: &str| vertex[key].as_str().and_then(crate::base::time::Timestamp::parse_rfc3339);
                first = first.into_iter().chain(at("started")).min();
                last = last.into_iter().chain(at("completed")).max();
            }
        }
        last.unwrap().since(first.unwrap())
    }

    /// Stages side by side, one after the other, with a base in common and without; each built twice, the second time with
    /// one file changed, so that the first time of every command is known.
    #[test]
    fn the_time_that_is_foretold_is_the_time_that_it_takes() {
        let cases = [
            "FROM alpine\nCOPY a /a\nRUN sleep 2\nRUN sleep 1\n",
            "FROM alpine AS one\nCOPY a /a\nRUN sleep 3; touch /one\nFROM alpine AS two\nCOPY a /a\nRUN sleep 5; touch /two\nFROM alpine\nCOPY --from=one /one /\nCOPY --from=two /two /\n",
            "FROM alpine AS one\nCOPY a /a\nRUN sleep 3; touch /one\nFROM one AS two\nRUN sleep 2; touch /two\nFROM one AS three\nRUN sleep 4; touch /three\nFROM scratch\nCOPY --from=two /two /\nCOPY --from=three /three /\n",
            "FROM alpine AS no\nRUN sleep 50\nFROM alpine\nWORKDIR /w\nCOPY a .\nRUN sleep 1\n",
            "FROM alpine AS one\nRUN sleep 3\nFROM alpine AS two\nCOPY a /a\nRUN --mount=from=one,target=/m sleep 2\n",
        ];
        for text in cases {
            let mut machine = machine(&[]);
            put(&mut machine, "a", "1");
            put(&mut machine, "Dockerfile", text);
            let close = |machine: &mut Machine, command: &str| {
                let foretold = Forecast::of(machine, PATH, text).total.took;
                let (console, hour) = (machine.console(), Duration::from_secs(3600));
                machine.input(console, format!("{command}\r").as_bytes());
                machine.settle(console, hour, hour);
                let took = really_took(machine);
                let apart = took.abs_diff(foretold);
                assert!(
                    apart <= took / 50 + Duration::from_millis(20),
                    "{text}: {foretold:?} foretold, {took:?} taken"
                );
                took
            };
            let build = "docker build --progress=rawjson app 2> log";
            let console = machine.console();
            machine.input(console, format!("{build}\r").as_bytes());
            machine.settle(console, Duration::from_secs(3600), Duration::from_secs(3600));
            let cold = really_took(&machine);
            put(&mut machine, "a", "12");
            let again = close(&mut machine, build);
            assert!(again > Duration::from_secs(1) && again <= cold, "{cold:?} {again:?}");
            assert!(close(&mut machine, build) < Duration::from_millis(100), "all of it is cached");
        }
    }

    /// What is known before anything was built: downloads, copies, nothing that runs.
    #[test]
    fn the_time_of_downloads_is_foretold() {
        let text = "FROM debian:bookworm-slim AS one\nCOPY a /a\nFROM alpine\nCOPY --from=one /a /a\nCOPY a /b\n";
        let mut machine = machine(&[]);
        put(&mut machine, "a", &"0123456789".repeat(10_000));
        put(&mut machine, "Dockerfile", text);
        let foretold = Forecast::of(&machine, PATH, text);
        assert!(foretold.total.took > Duration::from_secs(1), "{:?}", foretold.total.took);
        let console = machine.console();
        machine.input(console, b"docker build --progress=rawjson app 2> log\r");
        machine.settle(console, Duration::from_secs(3600), Duration::from_secs(3600));
        let took = really_took(&machine);
        let apart = took.abs_diff(foretold.total.took);
        assert!(apart <= took / 10, "{:?} foretold, {took:?} taken", foretold.total.took);
    }
}
