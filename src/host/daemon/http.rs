//! HTTP/1.1 over the socket: requests in, answers and raw streams out.

use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{CONNECTION, HeaderName, HeaderValue, UPGRADE};
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;
use tokio::sync::mpsc;

use super::gate::{Begun, Gate, Left, Presence};
use crate::docker::http::exchange::{Ask, Head};

/// The largest body: archives come this way.
const MAX_BODY_BYTES: usize = 1 << 30;
/// Raw input read at once.
const CHUNK_BYTES: usize = 1 << 16;

/// Serves whoever connects.
pub async fn accept(listener: UnixListener, gate: Rc<Gate>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let gate = Rc::clone(&gate);
                tokio::task::spawn_local(async move {
                    let service = service_fn(|request| serve(Rc::clone(&gate), request));
                    let connection = hyper::server::conn::http1::Builder::new();
                    // A connection that breaks is its client's loss.
                    drop(connection.serve_connection(TokioIo::new(stream), service).with_upgrades().await);
                });
            }
            // Out of files, say: others will be closed.
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(100)).await,
        }
    }
}

async fn serve(gate: Rc<Gate>, mut request: Request<Incoming>) -> Result<Response<Answer>, Infallible> {
    let upgrade = request.headers().contains_key(UPGRADE).then(|| hyper::upgrade::on(&mut request));
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, MAX_BODY_BYTES).collect().await else {
        return Ok(plain(StatusCode::PAYLOAD_TOO_LARGE));
    };
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = parts.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let mut ask = Ask::new(parts.method.as_str(), target, headers, body.to_bytes().as_ref().into());
    ask.upgrade = upgrade.is_some();
    let Left { head, input, presence } = gate.leave(ask);
    let Ok(Begun { head, body }) = head.await else { return Ok(plain(StatusCode::INTERNAL_SERVER_ERROR)) };
    Ok(match upgrade {
        Some(upgrade) if head.status == StatusCode::SWITCHING_PROTOCOLS.as_u16() => {
            let mut response = response(&head, Answer::default());
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("Upgrade"));
            response.headers_mut().insert(UPGRADE, HeaderValue::from_static("tcp"));
            tokio::task::spawn_local(raw(upgrade, body, input, presence));
            response
        }
        _ => {
            let mut response = response(&head, Answer::default());
            *response.body_mut() = Answer { pieces: Some((body, presence)), length: head.length };
            response
        }
    })
}

fn plain(status: StatusCode) -> Response<Answer> {
    let mut response = Response::new(Answer::default());
    *response.status_mut() = status;
    response
}

fn response(head: &Head, body: Answer) -> Response<Answer> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(head.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    for (name, value) in head.lines() {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(&value)) {
            headers.insert(name, value);
        }
    }
    response
}

/// A body that comes in pieces.
#[derive(Default)]
struct Answer {
    pieces: Option<(mpsc::Receiver<Bytes>, Presence)>,
    length: Option<u64>,
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some((pieces, _)) = &mut self.pieces else { return Poll::Ready(None) };
        pieces.poll_recv(context).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn size_hint(&self) -> SizeHint {
        match (&self.pieces, self.length) {
            (None, _) => SizeHint::with_exact(0),
            (Some(_), Some(length)) => SizeHint::with_exact(length),
            (Some(_), None) => SizeHint::default(),
        }
    }
}

/// Carries bytes both ways until the process has ended its output or the client has hung up.
async fn raw(upgrade: OnUpgrade, mut output: mpsc::Receiver<Bytes>, input: mpsc::Sender<Bytes>, presence: Presence) {
    let Ok(upgraded) = upgrade.await else { return };
    let (mut read, mut write) = tokio::io::split(TokioIo::new(upgraded));
    let presence = Rc::new(presence);
    let waker = Rc::clone(&presence);
    let feed = tokio::task::spawn_local(async move {
        let mut buffer = vec![0; CHUNK_BYTES];
        while let Ok(count) = read.read(&mut buffer).await
            && count > 0
            && let Some(bytes) = buffer.get(..count)
            && input.send(Bytes::copy_from_slice(bytes)).await.is_ok()
        {
            waker.link().wake();
        }
        drop(input);
        waker.link().wake();
    });
    while let Some(bytes) = output.recv().await {
        if write.write_all(&bytes).await.is_err() {
            break;
        }
        // What is typed is seen at once.
        if write.flush().await.is_err() {
            break;
        }
    }
    // The client may have closed already.
    drop(write.shutdown().await);
    feed.abort();
}
