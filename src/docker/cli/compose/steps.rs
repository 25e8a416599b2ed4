//! What compose shows of its work: a line for each thing, redrawn in place on a terminal (docker/compose `pkg/progress`).

use crate::base::time::Timestamp;
use crate::docker::cli::client::Client;

struct Step {
    id: String,
    status: String,
    begun: Timestamp,
    ended: Option<Timestamp>,
    failed: bool,
}

/// The lines so far.
pub struct Steps {
    title: &'static str,
    lines: Vec<Step>,
    shown: usize,
    is_quiet: bool,
}

const BLUE: &str = "\x1b[34m";
const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[31m";
const OFF: &str = "\x1b[0m";

impl Steps {
    /// Nothing done yet. The title is what the first line says: `Running`, `Stopping`.
    pub const fn new(title: &'static str) -> Self {
        Self { title, lines: Vec::new(), shown: 0, is_quiet: false }
    }

    /// The same that nobody sees, where `is_quiet`.
    pub const fn quiet(mut self, is_quiet: bool) -> Self {
        self.is_quiet = is_quiet;
        self
    }

    /// Something has begun or goes on: `Creating`.
    pub async fn working(&mut self, client: &Client, id: &str, status: &str) {
        self.set(client, id, status, false, false).await;
    }

    /// Something is done: `Created`.
    pub async fn done(&mut self, client: &Client, id: &str, status: &str) {
        self.set(client, id, status, true, false).await;
    }

    /// Something went wrong.
    pub async fn failed(&mut self, client: &Client, id: &str) {
        self.set(client, id, "Error", true, true).await;
    }

    async fn set(&mut self, client: &Client, id: &str, status: &str, ended: bool, failed: bool) {
        let now = client.now();
        let ended = ended.then_some(now);
        match self.lines.iter_mut().find(|line| line.id == id) {
            Some(line) => {
                (line.status, line.ended, line.failed) = (status.to_owned(), ended, failed);
            }
            None => {
                let line = Step { id: id.to_owned(), status: status.to_owned(), begun: now, ended, failed };
                self.lines.push(line);
            }
        }
        match client.proc.tty_of(2) {
            _ if self.is_quiet => {}
            Some(tty) => {
                let width = usize::from(client.proc.win_size(tty).cols);
                let text = self.draw(now, width);
                client.proc.eprint(text).await;
            }
            None => client.complain(format!(" {id}  {status}")).await,
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
            let (icon, colour) = match (line.ended, line.failed) {
                (_, true) => ("✘", RED),
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
