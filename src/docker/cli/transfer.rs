//! Long operations of the daemon with their progress on the terminal: pull, push, load.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::Poll;

use crate::docker::daemon::api::DaemonError;
use crate::docker::daemon::api::image::{Credentials, Progress, ProgressSink, PullOptions};
use crate::docker::image::reference::Reference;

use super::client::{Answer, Client, Queue, beside};
use super::error::CliError;
use super::progress::{Display, Message, Progress as Detail};

/// Where progress is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum To {
    /// Standard output.
    Stdout,
    /// Standard error: `docker run` keeps its output for the container's.
    Stderr,
    /// Nowhere.
    Nowhere,
}

/// Runs an operation and shows what it tells. The error is framed only when nothing was told before it (moby `streamformatter`).
///
/// # Errors
/// The operation's own.
pub async fn show<W>(client: &Client, to: To, start: impl FnOnce(ProgressSink) -> W) -> Answer
where
    W: Future<Output = Result<(), DaemonError>>,
{
    let queue: Queue<Progress> = Rc::default();
    let told = Rc::new(RefCell::new(false));
    let sink: ProgressSink = {
        let (queue, told) = (Rc::clone(&queue), Rc::clone(&told));
        Rc::new(move |message| {
            *told.borrow_mut() = true;
            queue.borrow_mut().push(message);
        })
    };
    let fd = if to == To::Stderr { 2 } else { 1 };
    let width = client.proc.tty_of(fd).map(|tty| usize::from(client.proc.win_size(tty).cols));
    let mut display = Display::new(width);
    let mut flush = async || {
        let messages = std::mem::take(&mut *queue.borrow_mut());
        let text: String = messages.into_iter().map(|message| bytes(&mut display, message)).collect();
        if to != To::Nowhere && !text.is_empty() {
            // A closed output does not stop the daemon.
            let _ = client.proc.write(fd, text.as_bytes()).await;
        }
    };
    let result = beside(start(sink), async {
        loop {
            poll_fn(|_| if queue.borrow().is_empty() { Poll::Pending } else { Poll::Ready(()) }).await;
            flush().await;
        }
    })
    .await;
    flush().await;
    result.map_err(|error| if *told.borrow() { CliError::new(error.to_string()) } else { error.into() })
}

fn bytes(display: &mut Display, message: Progress) -> String {
    match message {
        Progress::Line { id, status } => display.show(&Message { id, status, progress: None }),
        Progress::Layer { id, status, detail } => {
            let (current, total) = detail.unwrap_or((0, 0));
            display.show(&Message { id, status, progress: Some(Detail { current, total }) })
        }
        Progress::Stream(text) => text,
    }
}

/// Pulls an image.
///
/// # Errors
/// What the daemon or the registry refuses.
pub async fn pull(client: &Client, reference: &Reference, all_tags: bool, platform: Option<String>, to: To) -> Answer {
    let options = PullOptions { all_tags, platform, credentials: credentials(client, reference).await };
    let name = reference.familiar();
    show(client, to, |sink| client.daemon.image_pull(&name, options, sink)).await
}

/// What the client has stored for the registry of a reference.
pub async fn credentials(client: &Client, reference: &Reference) -> Option<Credentials> {
    super::config::Config::read(client).await.credentials(reference.repository().domain())
}
