//! What compose shows of its work: a line for each thing, redrawn in place on a terminal (docker/compose `pkg/progress`).

use std::collections::BTreeMap;

use crate::base::time::Timestamp;
use crate::docker::cli::client::{Answer, Client};
use crate::docker::cli::error::CliError;
use crate::docker::cli::parse::Invocation;

struct Step {
    id: String,
    status: String,
    begun: Timestamp,
    ended: Option<Timestamp>,
    mark: Mark,
}

/// How something went.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Well,
    Warned,
    Failed,
}

/// The lines so far.
pub struct Steps {
    title: &'static str,
    lines: Vec<Step>,
    shown: usize,
    mode: Mode,
}

/// How work is shown (`--progress`, `--ansi`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Redrawn on a terminal, plain elsewhere.
    Auto,
    /// Redrawn.
    Tty,
    /// A line each.
    Plain,
    /// Not at all.
    Quiet,
}

impl Mode {
    /// What the flags or the variables ask for (docker/compose `cmd/compose/compose.go`).
    ///
    /// # Errors
    /// A mode that there is not, or two that don't go together.
    pub fn chosen(given: &Invocation, env: &BTreeMap<String, String>) -> Answer<Self> {
        let asked = |flag: &'static str, variable: &str| {
            given.string(flag).or_else(|| env.get(variable).cloned()).filter(|asked| !asked.is_empty())
        };
        let ansi = asked("ansi", "COMPOSE_ANSI").unwrap_or_else(|| "auto".to_owned());
        let no_colour = env.get("NO_COLOR").is_some_and(|value| !value.is_empty());
        let ansi = if no_colour { "never" } else { &ansi };
        let progress = asked("progress", "COMPOSE_PROGRESS").unwrap_or_else(|| "auto".to_owned());
        match (progress.as_str(), ansi) {
            ("auto", "never") => Ok(Self::Plain),
            ("auto", "always") => Ok(Self::Tty),
            ("auto", _) => Ok(Self::Auto),
            ("tty", "never") => Err(CliError::new("can't use --progress tty while ANSI support is disabled")),
            ("tty", _) => Ok(Self::Tty),
            ("plain", "always") => Err(CliError::new("can't use --progress plain while ANSI support is forced")),
            ("plain", _) => Ok(Self::Plain),
            ("quiet" | "none", _) => Ok(Self::Quiet),
            ("json", _) => Err(CliError::Says(125, "docker: --progress=json is not simulated in Capas".to_owned())),
            (other, _) => Err(CliError::new(format!("unsupported --progress value {other:?}"))),
        }
    }
}

const BLUE: &str = "\x1b[34m";
const GREEN: &str = "\x1b[32m";
const YELLOW: &str = "\x1b[33m";
const RED: &str = "\x1b[31m";
const OFF: &str = "\x1b[0m";

impl Steps {
    /// Nothing done yet. The title is what the first line says: `Running`, `Stopping`.
    pub const fn new(title: &'static str, mode: Mode) -> Self {
        Self { title, lines: Vec::new(), shown: 0, mode }
    }

    /// The same that nobody sees, where `is_quiet`.
    pub const fn quiet(mut self, is_quiet: bool) -> Self {
        if is_quiet {
            self.mode = Mode::Quiet;
        }
        self
    }

    /// Something has begun or goes on: `Creating`.
    pub async fn working(&mut self, client: &Client, id: &str, status: &str) {
        self.set(client, id, status, false, Mark::Well).await;
    }

    /// Something is done: `Created`.
    pub async fn done(&mut self, client: &Client, id: &str, status: &str) {
        self.set(client, id, status, true, Mark::Well).await;
    }

    /// Something was left as it is.
    pub async fn warned(&mut self, client: &Client, id: &str, status: &str) {
        self.set(client, id, status, true, Mark::Warned).await;
    }

    /// Something went wrong.
    pub async fn failed(&mut self, client: &Client, id: &str) {
        self.set(client, id, "Error", true, Mark::Failed).await;
    }

    async fn set(&mut self, client: &Client, id: &str, status: &str, ended: bool, mark: Mark) {
        let now = client.now();
        let ended = ended.then_some(now);
        match self.lines.iter_mut().find(|line| line.id == id) {
            Some(line) => {
                (line.status, line.ended, line.mark) = (status.to_owned(), ended, mark);
            }
            None => {
                let line = Step { id: id.to_owned(), status: status.to_owned(), begun: now, ended, mark };
                self.lines.push(line);
            }
        }
        let tty = client.proc.tty_of(2);
        match self.mode {
            Mode::Quiet => {}
            Mode::Auto | Mode::Tty if tty.is_some() || self.mode == Mode::Tty => {
                let width = tty.map_or(80, |tty| usize::from(client.proc.win_size(tty).cols));
                let text = self.draw(now, width);
                client.proc.eprint(text).await;
            }
            _ => client.complain(format!(" {id}  {status}")).await,
        }
    }

    fn draw(&mut self, now: Timestamp, width: usize) -> String {
        let mut out = String::from("\x1b[?25l");
        if self.shown > 0 {
            out.push_str(&format!("\x1b[{}A", self.shown));
        }
        let done = self.lines.iter().filter(|line| line.ended.is_some()).count();
        let head = format!("[+] {} {done}/{}", self.title, self.lines.len());
        let head = if done == self.lines.len() { format!("{BLUE}{head}{OFF}") } else { head };
        out.push_str(&format!("\x1b[2K{head}\n"));
        let widest = self.lines.iter().map(|line| line.id.chars().count()).max().unwrap_or(0);
        for line in &self.lines {
            let (icon, colour) = match (line.ended, line.mark) {
                (_, Mark::Failed) => ("✘", RED),
                (_, Mark::Warned) => ("!", YELLOW),
                (Some(_), _) => ("✔", GREEN),
                (None, _) => ("⠋", BLUE),
            };
            let seconds = line.ended.unwrap_or(now).since(line.begun).as_secs_f64();
            let timer = format!("{seconds:.1}s ");
            let body = format!("{:<widest$}  {}", line.id, line.status);
            let gap = width.saturating_sub(body.chars().count() + 3 + timer.len());
            let status = format!("{colour}{}{OFF}", line.status);
            let id = format!("{:<widest$}", line.id);
            out.push_str(&format!("\x1b[2K {colour}{icon}{OFF} {id}  {status}{:gap$}{BLUE}{timer}{OFF}\n", ""));
        }
        self.shown = self.lines.len() + 1;
        out.push_str("\x1b[?25h");
        out
    }
}
