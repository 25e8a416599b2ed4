//! Progress of pulls, pushes and loads: messages in, terminal bytes out (moby `pkg/jsonmessage`).
//!
//! A pure function of the messages and of the terminal's width. On a terminal, each id has a line that is redrawn in place; elsewhere
//! each new status is a line and progress is not shown at all.

use crate::base::size::human_size;

/// How far something has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    /// What is done.
    pub current: u64,
    /// What there is to do; 0 when that is not known.
    pub total: u64,
}

/// A message from the daemon.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Message {
    /// What it is about: a layer's short id, a tag.
    pub id: String,
    /// `Downloading`, `Pull complete`.
    pub status: String,
    /// How far it has come. A message with progress, be it empty, owns its id's line.
    pub progress: Option<Progress>,
}

/// What has been shown so far.
#[derive(Debug)]
pub struct Display {
    /// The terminal's width; `None` when the output is no terminal.
    width: Option<usize>,
    /// The ids of the lines at the bottom of the screen.
    ids: Vec<String>,
}

impl Display {
    /// For a terminal so many columns wide, or for something else.
    pub fn new(width: Option<usize>) -> Self {
        Self { width, ids: Vec::new() }
    }

    /// The bytes that show a message.
    pub fn show(&mut self, message: &Message) -> String {
        let mut out = String::new();
        let mut up = 0;
        let owns_line = !message.id.is_empty() && message.progress.is_some();
        if owns_line {
            let line = self.ids.iter().position(|id| *id == message.id).unwrap_or_else(|| {
                self.ids.push(message.id.clone());
                if self.width.is_some() {
                    out.push('\n');
                }
                self.ids.len() - 1
            });
            up = self.ids.len() - line;
        } else {
            // Lines above other output are out of reach.
            self.ids.clear();
        }
        let head = if message.id.is_empty() { String::new() } else { format!("{}: ", message.id) };
        match (self.width, message.progress) {
            (Some(width), Some(progress)) => {
                if up > 0 {
                    out.push_str(&format!("\x1b[{up}A"));
                }
                out.push_str(&format!("\x1b[2K\r{head}{} {}\r", message.status, bar(progress, width)));
                if up > 0 {
                    out.push_str(&format!("\x1b[{up}B"));
                }
            }
            (None, Some(progress)) if progress != Progress::default() => (),
            _ => out.push_str(&format!("{head}{}\n", message.status)),
        }
        out
    }
}

/// `[====>   ]  1.2MB/3MB`; the bar only where there is room for it.
fn bar(progress: Progress, width: usize) -> String {
    let Progress { current, total } = progress;
    let size = human_size(current);
    match (current, total) {
        (0, 0) => return String::new(),
        (_, 0) => return format!("{size:>8}"),
        _ => (),
    }
    let cells = usize::try_from(u128::from(current) * 100 / u128::from(total) / 2).unwrap_or(50).min(50);
    let numbers = if current > total { format!("{size:>8}") } else { format!("{size:>8}/{}", human_size(total)) };
    match width {
        111.. => format!("[{}>{}] {numbers}", "=".repeat(cells), " ".repeat(50 - cells)),
        _ => numbers,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: &str, status: &str, progress: Option<(u64, u64)>) -> Message {
        let progress = progress.map(|(current, total)| Progress { current, total });
        Message { id: id.to_owned(), status: status.to_owned(), progress }
    }

    #[test]
    fn without_a_terminal_each_status_is_a_line() {
        let mut display = Display::new(None);
        let text: String = [
            message("latest", "Pulling from library/ubuntu", None),
            message("7b1a6ab2e44d", "Pulling fs layer", Some((0, 0))),
            message("7b1a6ab2e44d", "Downloading", Some((1000, 2000))),
            message("7b1a6ab2e44d", "Pull complete", Some((0, 0))),
            message("", "Digest: sha256:626f", None),
        ]
        .iter()
        .map(|m| display.show(m))
        .collect();
        assert_eq!(
            text,
            "latest: Pulling from library/ubuntu\n7b1a6ab2e44d: Pulling fs layer\n7b1a6ab2e44d: Pull complete\nDigest: sha256:626f\n"
        );
    }

    #[test]
    fn on_a_terminal_each_layer_keeps_its_line() {
        let mut display = Display::new(Some(80));
        assert_eq!(display.show(&message("a", "Waiting", Some((0, 0)))), "\n\x1b[1A\x1b[2K\ra: Waiting \r\x1b[1B");
        assert_eq!(display.show(&message("b", "Waiting", Some((0, 0)))), "\n\x1b[1A\x1b[2K\rb: Waiting \r\x1b[1B");
        let shown = display.show(&message("a", "Downloading", Some((54_710_000, 71_520_000))));
        assert_eq!(shown, "\x1b[2A\x1b[2K\ra: Downloading  54.71MB/71.52MB\r\x1b[2B");
    }

    #[test]
    fn wide_terminals_have_a_bar_of_fifty_cells() {
        let half = bar(Progress { current: 54_710_000, total: 71_520_000 }, 120);
        assert_eq!(half, "[======================================>            ]  54.71MB/71.52MB");
        assert_eq!(bar(Progress { current: 3, total: 2 }, 120), format!("[{}>]       3B", "=".repeat(50)));
        assert_eq!(bar(Progress { current: 5, total: 0 }, 120), "      5B");
    }
}
