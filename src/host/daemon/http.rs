//! HTTP/1.1 over the socket: requests in, answers and raw streams out.

use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{CONNECTION, CONTENT_TYPE, HeaderValue, UPGRADE};
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;
use tokio::sync::mpsc;

use super::exchange::{Ask, Gate, Head, Left, Presence, Query, unescape};
use super::routes;
use crate::docker::daemon::api::{API_VERSION, SERVER_VERSION};

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
    let mut path: Vec<String> = parts.uri.path().split('/').filter(|part| !part.is_empty()).map(unescape).collect();
    let version = path.first().and_then(|first| first.strip_prefix('v'));
    let version = version.filter(|text| routes::version(text).is_some()).map(str::to_owned);
    if version.is_some() {
        path.remove(0);
    }
    let ask = Ask {
        method: parts.method,
        version,
        path,
        query: Query::parse(parts.uri.query().unwrap_or_default()),
        headers: parts.headers,
        body: body.to_bytes(),
        upgrade: upgrade.is_some(),
    };
    let Left { head, input, presence } = gate.leave(ask);
    let Ok(head) = head.await else { return Ok(plain(StatusCode::INTERNAL_SERVER_ERROR)) };
    Ok(match upgrade {
        Some(upgrade) if head.status == StatusCode::SWITCHING_PROTOCOLS.as_u16() => {
            let mut response = response(&head, Answer::default());
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("Upgrade"));
            response.headers_mut().insert(UPGRADE, HeaderValue::from_static("tcp"));
            tokio::task::spawn_local(raw(upgrade, head.body, input, presence));
            response
        }
        _ => {
            let mut response = response(&head, Answer::default());
            *response.body_mut() = Answer { pieces: Some((head.body, presence)), length: head.length };
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
    let server = format!("Docker/{SERVER_VERSION} (linux)");
    let own =
        [("api-version", API_VERSION), ("docker-experimental", "false"), ("ostype", "linux"), ("server", &server)];
    let further = head.headers.iter().map(|(name, value)| (*name, value.as_str()));
    for (name, value) in own.into_iter().chain(further) {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    if let (false, Ok(kind)) = (head.kind.is_empty(), HeaderValue::from_str(&head.kind)) {
        headers.insert(CONTENT_TYPE, kind);
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
