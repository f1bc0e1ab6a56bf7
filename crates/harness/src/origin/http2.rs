//! HTTP/2 with prior knowledge.

use std::future::{self, poll_fn};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::{Framing, ReceivedRequest, Reply, Shared, Then};
use crate::wire::{Headers, Protocol};

/// How long bytes that were handed over get to leave before the connection is broken on purpose: neither h2 nor the kernel tells
/// when they have.
pub(super) const SETTLE: Duration = Duration::from_millis(30);

type Failure = Box<dyn std::error::Error + Send + Sync>;

pub(super) async fn serve(stream: TcpStream, connection: usize, shared: Arc<Shared>) -> Result<(), Failure> {
    let mut requests = h2::server::handshake(stream).await?;
    let broken_off = Arc::new(Notify::new());
    loop {
        let next = tokio::select! {
            next = requests.accept() => next,
            () = broken_off.notified() => return Ok(()),
        };
        let Some(next) = next else { return Ok(()) };
        let (request, respond) = next?;
        let (shared, broken_off) = (Arc::clone(&shared), Arc::clone(&broken_off));
        tokio::spawn(async move {
            // A peer that resets the stream is part of what tests do.
            let _ = exchange(request, respond, connection, &shared, &broken_off).await;
        });
    }
}

async fn exchange(
    request: http::Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    connection: usize,
    shared: &Shared,
    broken_off: &Notify,
) -> Result<(), Failure> {
    let request = receive(request, connection).await?;
    let method = request.method.clone();
    let reply = shared.answer(request);
    let has_body = reply.has_body(&method);
    let pieces = if has_body { reply.cut() } else { Vec::new() };
    let ends_with_data = reply.then == Then::Finish && (reply.trailers.is_empty() || !has_body);

    let mut stream = respond.send_response(head(&reply)?, pieces.is_empty() && ends_with_data)?;
    let count = pieces.len();
    for (index, piece) in pieces.into_iter().enumerate() {
        reply.ready_for(index).await;
        send(&mut stream, piece, ends_with_data && index + 1 == count).await?;
    }
    match reply.then {
        Then::Finish if !ends_with_data => stream.send_trailers((&reply.trailers).try_into()?)?,
        Then::Finish => {}
        Then::ResetAfter(_) => {
            tokio::time::sleep(SETTLE).await;
            stream.send_reset(Reason::INTERNAL_ERROR);
        }
        Then::CloseAfter(_) => {
            tokio::time::sleep(SETTLE).await;
            broken_off.notify_one();
        }
        Then::HangAfter(_) => future::pending().await,
    }
    Ok(())
}

async fn receive(request: http::Request<RecvStream>, connection: usize) -> Result<ReceivedRequest, Failure> {
    let (head, mut stream) = request.into_parts();
    let mut body = Vec::new();
    while let Some(data) = stream.data().await {
        let data = data?;
        stream.flow_control().release_capacity(data.len())?;
        body.extend_from_slice(&data);
    }
    let trailers = stream.trailers().await?.as_ref().map(Headers::from).unwrap_or_default();
    Ok(ReceivedRequest {
        protocol: Protocol::Http2,
        connection,
        method: head.method.to_string(),
        target: head.uri.path_and_query().map_or("*", |target| target.as_str()).to_owned(),
        authority: head.uri.authority().map_or("", |authority| authority.as_str()).to_owned(),
        headers: Headers::from(&head.headers),
        body,
        trailers,
    })
}

fn head(reply: &Reply) -> Result<http::Response<()>, Failure> {
    let mut headers = http::HeaderMap::try_from(&reply.headers)?;
    if reply.framing == Framing::ContentLength && !matches!(reply.status, 204 | 304) {
        headers.insert(http::header::CONTENT_LENGTH, reply.body.len().into());
    }
    let mut response = http::Response::builder().status(reply.status).body(())?;
    *response.headers_mut() = headers;
    Ok(response)
}

/// Sends a piece as one frame where the peer's window allows.
async fn send(stream: &mut SendStream<Bytes>, piece: Bytes, is_last: bool) -> Result<(), Failure> {
    let mut rest = BytesMut::from(piece);
    while !rest.is_empty() {
        stream.reserve_capacity(rest.len());
        let Some(room) = poll_fn(|cx| stream.poll_capacity(cx)).await else { return Ok(()) };
        let part = rest.split_to(room?.min(rest.len())).freeze();
        stream.send_data(part, is_last && rest.is_empty())?;
    }
    Ok(())
}
