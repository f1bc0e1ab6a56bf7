//! What is no page: WebSocket and server-sent events.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};

use engraft_harness::client::{Connection, Request};
use engraft_harness::origin::{Framing, Gate, Origin, Pieces, Reply};
use engraft_harness::wire::Protocol;

use crate::server::{GREETING, PATIENCE, Server, Tested};

/// Reads a head, to the empty line.
fn head(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.extend(byte);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// An origin that agrees to speak WebSocket and then says whatever it hears. Gives the head that it was asked with.
fn echo() -> std::io::Result<(SocketAddr, std::thread::JoinHandle<std::io::Result<String>>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let addr = listener.local_addr()?;
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept()?;
        let asked = head(&mut stream)?;
        stream.write_all(b"HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")?;
        let mut reader = stream.try_clone()?;
        std::io::copy(&mut reader, &mut stream)?;
        Ok(asked)
    });
    Ok((addr, thread))
}

#[test]
fn a_websocket_is_the_visitors_and_the_origins() -> Tested {
    let (addr, origin) = echo()?;
    let server = Server::with(GREETING, ["--origin", &format!("http://{addr}")])?;
    let mut stream = TcpStream::connect(server.addr)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET /p/chat HTTP/1.1\r\nhost: shop.example\r\nconnection: keep-alive, Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\ncookie: first_name=Ada\r\n\r\n")?;
    let answered = head(&mut stream)?;
    assert!(answered.starts_with("HTTP/1.1 101"), "{answered}");
    assert!(answered.contains("upgrade: websocket\r\n") && answered.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    for message in [&b"\x81\x02hi"[..], &[0xff; 100_000]] {
        let mut writer = stream.try_clone()?;
        let sent = message.to_vec();
        let writing = std::thread::spawn(move || writer.write_all(&sent));
        let mut echoed = vec![0; message.len()];
        stream.read_exact(&mut echoed)?;
        assert!(echoed == message);
        writing.join().map_err(|_| "writing panicked")??;
    }
    stream.shutdown(std::net::Shutdown::Write)?;
    assert_eq!(stream.read(&mut [0; 16])?, 0, "an end on one side is one on the other");
    let asked = origin.join().map_err(|_| "the origin panicked")??;
    let asked = asked.to_ascii_lowercase();
    assert!(asked.contains("connection: upgrade\r\n") && asked.contains("sec-websocket-key: "), "{asked}");
    let line = server.line()?;
    assert_eq!(
        (&line["status"], &line["end"], &line["bytes"]),
        (&101.into(), &"whole".into(), &100_004.into())
    );
    Ok(())
}

#[test]
fn an_origin_may_refuse_to_upgrade() -> Tested {
    let origin = Origin::start()?;
    origin.reply("/p", Reply::html("<h1>Hi</h1>"));
    let server = Server::before(&origin, GREETING)?;
    let asked = Request::get("/p").header("connection", "upgrade").header("upgrade", "websocket");
    assert_eq!(server.fetch(&asked.header("cookie", "first_name=Ada"))?.text(), "<h1>Hello Ada</h1>");
    Ok(())
}

#[test]
fn events_arrive_when_they_are_sent() -> Tested {
    let origin = Origin::start()?;
    let gate = Gate::new();
    let events = Reply::ok("text/event-stream", "data: 1\n\ndata: 2\n\ndata: 3\n\n");
    let events = events.framing(Framing::Chunked).pieces(Pieces::Sizes(vec![9, 9, 9]));
    origin.reply("/p/events", events.gate(&gate));
    let server = Server::before(&origin, GREETING)?;
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let mut connection = Connection::open(protocol, server.addr)?;
        let asked = Request::get("/p/events").header("cookie", "first_name=Ada");
        let mut exchange = connection.start(&asked)?;
        for event in ["data: 1\n\n", "data: 2\n\n"] {
            assert!(exchange.read_until(event), "{protocol:?} {event}");
            gate.open(1);
        }
        assert_eq!(exchange.finish().text(), "data: 1\n\ndata: 2\n\ndata: 3\n\n");
    }
    Ok(())
}
