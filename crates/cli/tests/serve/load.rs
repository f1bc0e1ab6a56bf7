//! Much at once, much in one piece, and visitors who do not wait.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use engraft_harness::client::{Connection, Request};
use engraft_harness::load::Load;
use engraft_harness::origin::{Framing, Gate, Origin, Pieces, Reply};
use engraft_harness::wire::Protocol;

use crate::server::{GREETING, PATIENCE, Server, Tested};

const GIGABYTE: u64 = 1 << 30;
/// What a server may take more for it, in KiB. It is no more than what is in the buffers of two connections.
const MAX_GROWTH: u64 = 24 * 1024;

/// An origin that sends a gigabyte, once.
fn large(content_type: &'static str) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let addr = listener.local_addr()?;
    std::thread::spawn(move || -> io::Result<()> {
        loop {
            let (mut stream, _) = listener.accept()?;
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte)?;
                head.extend(byte);
            }
            write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ncontent-length: {GIGABYTE}\r\n\r\n"
            )?;
            let chunk = [b'a'; 1 << 16];
            for _ in 0..GIGABYTE / chunk.len() as u64 {
                stream.write_all(&chunk)?;
            }
        }
    });
    Ok(addr)
}

/// How many bytes come in answer to a request, head included.
fn download(addr: SocketAddr, path: &str) -> io::Result<u64> {
    let mut stream = TcpStream::connect(addr)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: a\r\ncookie: first_name=Ada\r\nconnection: close\r\n\r\n")?;
    io::copy(&mut stream, &mut io::sink())
}

#[test]
fn a_gigabyte_passes_in_constant_memory() -> Tested {
    let folder = tempfile::tempdir()?;
    std::fs::File::create(folder.path().join("large.bin"))?.set_len(GIGABYTE)?;
    let site: Vec<std::ffi::OsString> = vec!["--site".into(), folder.path().into()];
    let origin = |kind| -> Result<Vec<std::ffi::OsString>, io::Error> {
        Ok(vec!["--origin".into(), format!("http://{}", large(kind)?).into()])
    };
    // The last one is a page that is edited all along.
    for (args, path) in [(site, "/large.bin"), (origin("video/mp4")?, "/p"), (origin("text/html")?, "/p")] {
        let server = Server::with(GREETING, &args)?;
        server.fetch(&server.own("/__engraft/live.js"))?;
        let before = server.peak_memory()?;
        let bytes = download(server.addr, path)?;
        // What is edited has no length, and comes in chunks.
        assert!((GIGABYTE..GIGABYTE + GIGABYTE / 100).contains(&bytes), "{args:?}: {bytes}");
        let grown = server.peak_memory()?.saturating_sub(before);
        assert!(grown < MAX_GROWTH, "{args:?}: {grown} KiB");
    }
    Ok(())
}

#[test]
fn an_origin_is_read_no_faster_than_the_visitor_reads() -> Tested {
    let server = Server::with(GREETING, ["--origin".to_owned(), format!("http://{}", large("video/mp4")?)])?;
    server.fetch(&server.own("/__engraft/live.js"))?;
    let before = server.peak_memory()?;
    let mut stream = TcpStream::connect(server.addr)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")?;
    stream.read_exact(&mut [0; 1024])?;
    // Other requests pass meanwhile; nobody reads the first one's answer.
    for _ in 0..200 {
        server.fetch(&server.own("/__engraft/live.js"))?;
    }
    let grown = server.peak_memory()?.saturating_sub(before);
    assert!(grown < MAX_GROWTH, "{grown} KiB");
    drop(stream);
    assert_eq!(server.line()?["end"], "aborted");
    Ok(())
}

#[test]
fn five_hundred_visitors_are_served_at_once() -> Tested {
    let origin = Origin::start()?;
    let gate = Gate::new();
    let page = Reply::html("<h1>Hi</h1><p>slow").framing(Framing::Chunked);
    origin.reply("/p", page.pieces(Pieces::Sizes(vec![11])).gate(&gate));
    let server = Server::before(&origin, GREETING)?;
    let mut connections = Vec::new();
    for _ in 0..500 {
        let mut stream = TcpStream::connect(server.addr)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(
            b"GET /p HTTP/1.1\r\nhost: a\r\ncookie: first_name=Ada\r\nconnection: close\r\n\r\n",
        )?;
        connections.push(stream);
    }
    // Each has begun before any may end.
    let mut begun = Vec::new();
    for stream in &mut connections {
        let mut text = Vec::new();
        while !text.ends_with(b"</h1>\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            text.extend(byte);
        }
        begun.push(text);
    }
    gate.open_for_good();
    for (mut stream, mut text) in connections.into_iter().zip(begun) {
        stream.read_to_end(&mut text)?;
        let text = String::from_utf8(text)?;
        assert!(
            text.contains("Hello Ada") && text.contains("<p>slow") && text.ends_with("0\r\n\r\n"),
            "{text}"
        );
    }
    Ok(())
}

#[test]
fn many_requests_are_answered_in_full() -> Tested {
    let origin = Origin::start()?;
    origin.forget_requests();
    origin.reply("/p", Reply::html("<h1>Hi</h1>"));
    let server = Server::before(&origin, GREETING)?;
    let load = Load::new(50, Duration::from_secs(60)).max_responses(5000);
    assert_eq!(load.run(server.addr, "/p", 11)?.responses, 5000);
    Ok(())
}

#[test]
fn a_visitor_who_leaves_is_told_of_and_disturbs_nobody() -> Tested {
    let origin = Origin::start()?;
    let gate = Gate::new();
    origin.reply("/p", Reply::html("<h1>Hi</h1>end").pieces(Pieces::Sizes(vec![11])).gate(&gate));
    let server = Server::before(&origin, GREETING)?;
    for (protocol, cookie) in [
        (Protocol::Http1, "first_name=Ada"),
        (Protocol::Http1, "a=b"),
        (Protocol::Http2, "first_name=Ada"),
        (Protocol::Http2, "a=b"),
    ] {
        let mut connection = Connection::open(protocol, server.addr)?;
        let mut exchange = connection.start(&Request::get("/p").header("cookie", cookie))?;
        assert!(exchange.read_until("</h1>"));
        let _ = exchange.abort();
        drop(connection);
        let line = server.line()?;
        assert_eq!((&line["end"], &line["route"]), (&"aborted".into(), &"page".into()), "{protocol:?}");
    }
    // And before the head.
    let silent = TcpListener::bind("127.0.0.1:0")?;
    let server = Server::with(GREETING, ["--origin".to_owned(), format!("http://{}", silent.local_addr()?)])?;
    let mut stream = TcpStream::connect(server.addr)?;
    stream.write_all(b"GET /p HTTP/1.1\r\nhost: a\r\n\r\n")?;
    let asked = silent.accept()?;
    drop(stream);
    let line = server.line()?;
    assert_eq!((&line["end"], &line["body"]), (&"aborted".into(), &"aborted".into()));
    drop(asked);
    Ok(())
}
