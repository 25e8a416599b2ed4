//! What a long operation tells while it goes on: a document a line (moby `pkg/jsonmessage`).

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::Poll;

use serde_json::{Value, json};

use super::exchange::{Call, Outlet, Refusal, Routed};
use crate::docker::cli::client::{Queue, beside};
use crate::docker::daemon::api::DaemonError;
use crate::docker::daemon::api::image::{Progress, ProgressSink};

/// Carries documents from an operation to the client while it goes on. The answer begins with the first of them.
pub struct Teller<'a> {
    call: &'a Call,
    queue: Queue<Value>,
    out: RefCell<Option<Rc<Outlet<'a>>>>,
}

impl<'a> Teller<'a> {
    /// Nothing is told yet.
    pub fn new(call: &'a Call) -> Self {
        Self { call, queue: Queue::default(), out: RefCell::default() }
    }

    /// Where an operation leaves its documents.
    pub fn queue(&self) -> Queue<Value> {
        Rc::clone(&self.queue)
    }

    /// Whether the answer has begun.
    pub fn has_begun(&self) -> bool {
        self.out.borrow().is_some()
    }

    /// Sends what was left.
    pub async fn flush(&self) {
        let told = std::mem::take(&mut *self.queue.borrow_mut());
        if told.is_empty() {
            return;
        }
        let out =
            Rc::clone(self.out.borrow_mut().get_or_insert_with(|| Rc::new(self.call.stream(200, "application/json"))));
        for document in told {
            out.json(&document).await;
        }
    }

    /// Runs an operation and sends what it tells meanwhile.
    pub async fn beside<T>(&self, work: impl Future<Output = T>) -> T {
        let done = beside(work, async {
            loop {
                poll_fn(|_| if self.queue.borrow().is_empty() { Poll::Pending } else { Poll::Ready(()) }).await;
                self.flush().await;
            }
        })
        .await;
        self.flush().await;
        done
    }

    /// Ends an answer with an error, in its head if that has not been sent.
    pub async fn fail(&self, error: &DaemonError) -> Routed {
        if !self.has_begun() {
            return Err(Refusal::new(error.http_status(), error.to_string()));
        }
        self.queue.borrow_mut().push(failure(&error.to_string(), None));
        self.flush().await;
        Ok(None)
    }
}

/// The document that tells of a failure in a stream.
pub fn failure(message: &str, code: Option<i32>) -> Value {
    let detail = match code {
        Some(code) => json!({"code": code, "message": message}),
        None => json!({"message": message}),
    };
    json!({"errorDetail": detail, "error": message})
}

/// Runs an operation on images; `quiet` leaves out what is redrawn in place.
pub async fn show<W>(call: &Call, quiet: bool, start: impl FnOnce(ProgressSink) -> W) -> Routed
where
    W: Future<Output = Result<(), DaemonError>>,
{
    let teller = Teller::new(call);
    let queue = teller.queue();
    let sink: ProgressSink = Rc::new(move |progress| {
        if !quiet || matches!(progress, Progress::Stream(_)) {
            queue.borrow_mut().push(document(progress));
        }
    });
    match teller.beside(start(sink)).await {
        Ok(()) if teller.has_begun() => Ok(None),
        Ok(()) => {
            // An answer without a body.
            let _ = call.stream(200, "application/json");
            Ok(None)
        }
        Err(error) => teller.fail(&error).await,
    }
}

fn document(progress: Progress) -> Value {
    match progress {
        Progress::Line { id, status } if id.is_empty() => json!({"status": status}),
        Progress::Line { id, status } => json!({"status": status, "id": id}),
        Progress::Layer { id, status, detail } => {
            let detail =
                detail.map_or_else(|| json!({}), |(current, total)| json!({"current": current, "total": total}));
            json!({"status": status, "progressDetail": detail, "id": id})
        }
        Progress::Stream(text) => json!({"stream": text}),
    }
}
