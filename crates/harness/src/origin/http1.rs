//! HTTP/1.1, written by hand because the framing is what tests vary.

use std::future;
use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Framing, ReceivedRequest, Reply, Shared, Then};
use crate::wire::{BodyReader, Head, Protocol, WireError};

pub(super) async fn serve(mut stream: TcpStream, connection: usize, shared: &Shared) -> io::Result<()> {
    let mut buffer = Vec::new();
    while let Some(request) = receive(&mut stream, &mut buffer, connection).await? {
        let keeps = !request.headers.get("connection").is_some_and(|v| v.eq_ignore_ascii_case("close"));
        let method = request.method.clone();
        let reply = shared.answer(request);
        send(&mut stream, &method, &reply).await?;
        if !keeps || reply.framing == Framing::CloseDelimited {
            break;
        }
    }
    stream.shutdown().await
}

async fn receive(
    stream: &mut TcpStream,
    buffer: &mut Vec<u8>,
    connection: usize,
) -> io::Result<Option<ReceivedRequest>> {
    let head = loop {
        if let Some(head) = Head::take(buffer).map_err(io::Error::other)? {
            break head;
        }
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    };
    let mut words = head.first_line.split(' ');
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Err(io::Error::other(WireError::new("a request line", head.first_line.as_bytes())));
    };
    let mut reader = BodyReader::announced_by(&head.headers, false).map_err(io::Error::other)?;
    let mut body = Vec::new();
    loop {
        reader.read(buffer, &mut body).map_err(io::Error::other)?;
        if reader.is_done() {
            break;
        }
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(Some(ReceivedRequest {
        protocol: Protocol::Http1,
        connection,
        method: method.to_owned(),
        target: target.to_owned(),
        authority: head.headers.get("host").unwrap_or_default().to_owned(),
        headers: head.headers,
        body,
        trailers: reader.trailers,
    }))
}

async fn send(stream: &mut TcpStream, method: &str, reply: &Reply) -> io::Result<()> {
    stream.write_all(&head(reply)).await?;
    let chunked = reply.framing == Framing::Chunked;
    if !reply.has_body(method) {
        return Ok(());
    }
    for (index, piece) in reply.cut().into_iter().enumerate() {
        reply.ready_for(index).await;
        if chunked {
            // One write, so that a chunk is not cut where the script did not cut it.
            let chunk = [format!("{:x}\r\n", piece.len()).as_bytes(), &piece, b"\r\n"].concat();
            stream.write_all(&chunk).await?;
        } else {
            stream.write_all(&piece).await?;
        }
    }
    match reply.then {
        Then::Finish if chunked => {
            let mut end = b"0\r\n".to_vec();
            reply.trailers.write_to(&mut end);
            end.extend_from_slice(b"\r\n");
            stream.write_all(&end).await
        }
        Then::Finish => Ok(()),
        Then::ResetAfter(_) => {
            // Bytes still in the send queue would be dropped by the reset, and with them what the script promised to send.
            stream.flush().await?;
            tokio::time::sleep(super::http2::SETTLE).await;
            stream.set_zero_linger()?;
            Err(io::ErrorKind::ConnectionReset.into())
        }
        Then::CloseAfter(_) => {
            stream.shutdown().await?;
            Err(io::ErrorKind::ConnectionAborted.into())
        }
        Then::HangAfter(_) => future::pending().await,
    }
}

fn head(reply: &Reply) -> Vec<u8> {
    let reason =
        http::StatusCode::from_u16(reply.status).ok().and_then(|s| s.canonical_reason()).unwrap_or("-");
    let mut head = format!("HTTP/1.1 {} {reason}\r\n", reply.status).into_bytes();
    reply.headers.write_to(&mut head);
    let framing = match reply.framing {
        Framing::ContentLength if matches!(reply.status, 204 | 304) => String::new(),
        Framing::ContentLength => format!("content-length: {}\r\n", reply.body.len()),
        Framing::Chunked => "transfer-encoding: chunked\r\n".to_owned(),
        Framing::CloseDelimited => "connection: close\r\n".to_owned(),
    };
    head.extend_from_slice(framing.as_bytes());
    head.extend_from_slice(b"\r\n");
    head
}
