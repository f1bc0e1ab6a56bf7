//! What the origin gets to see, and what becomes of what it answers; origins that are down or slow.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use engraft_harness::client::{self, Request};
use engraft_harness::origin::{Gate, Origin, Pieces, Reply};
use engraft_harness::wire::Protocol;

use crate::server::{GREETING, Server, Tested};

#[test]
fn the_origin_is_asked_under_its_own_name_and_told_for_whom() -> Tested {
    let origin = Origin::start()?;
    let server = Server::before(&origin, GREETING)?;
    let own = origin.addr().to_string();
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let asked = Request::get("/a?b=c%20d").host("localhost:8080").header("x-forwarded-for", "192.0.2.1");
        client::fetch(protocol, server.addr, &asked)?;
        let [request] = origin.take_requests().try_into().map_err(|_| "not one request")?;
        assert_eq!((request.target.as_str(), request.authority.as_str()), ("/a?b=c%20d", own.as_str()));
        assert_eq!(request.headers.get("x-forwarded-for"), Some("192.0.2.1, 127.0.0.1"));
        assert_eq!(request.headers.get("x-forwarded-host"), Some("localhost:8080"));
        assert_eq!(request.headers.get("x-forwarded-proto"), Some("http"));
    }
    Ok(())
}

#[test]
fn the_origin_is_asked_under_the_name_of_the_request_where_that_is_wished() -> Tested {
    let origin = Origin::start()?;
    let url = format!("http://{}", origin.addr());
    let server = Server::with(GREETING, ["--origin", &url, "--preserve-host"])?;
    server.fetch(&Request::get("/").host("shop.local:8080"))?;
    let requests = origin.take_requests();
    assert_eq!(requests.first().map(|request| request.authority.as_str()), Some("shop.local:8080"));
    Ok(())
}

#[test]
fn a_patch_names_another_host() -> Tested {
    let origin = Origin::start()?;
    let configuration = "\
version: 1
routes:
- name: moved
  match: { path: { prefix: /p } }
  patches:
  - rewrite: { host: www.shop.example, path: /q }
";
    let server = Server::before(&origin, configuration)?;
    server.get("/p?a=1")?;
    let requests = origin.take_requests();
    let seen = requests.first().map(|request| (request.authority.as_str(), request.target.as_str()));
    assert_eq!(seen, Some(("www.shop.example", "/q?a=1")));
    Ok(())
}

#[test]
fn routes_match_the_host_that_the_listener_stands_for() -> Tested {
    let origin = Origin::start()?;
    origin.reply("/p", Reply::html("<h1>Hi</h1>"));
    let configuration = GREETING.replace("match: {", "match: { host: { exact: shop.example },");
    let url = format!("http://{}", origin.addr());
    let greeted = |args: &[&str]| -> Result<String, Box<dyn std::error::Error>> {
        let server = Server::with(&configuration, args)?;
        let asked = Request::get("/p").host("localhost:1").header("cookie", "first_name=Ada");
        Ok(server.fetch(&asked)?.text().into_owned())
    };
    assert_eq!(greeted(&["--origin", &url])?, "<h1>Hi</h1>");
    assert_eq!(greeted(&["--origin", &url, "--as", "https://shop.example"])?, "<h1>Hello Ada</h1>");
    Ok(())
}

#[test]
fn what_the_edge_would_set_is_set_unless_it_came() -> Tested {
    let origin = Origin::start()?;
    let url = format!("http://{}", origin.addr());
    let server = Server::with(GREETING, ["--origin", &url, "-H", "x-geo-country: US"])?;
    server.get("/")?;
    server.fetch(&Request::get("/").header("x-geo-country", "DE"))?;
    let countries: Vec<_> = origin.take_requests().iter().map(|it| it.headers.all("x-geo-country")).collect();
    assert_eq!(countries, [["US"], ["DE"]]);
    Ok(())
}

#[test]
fn what_is_of_one_connection_goes_no_further() -> Tested {
    let origin = Origin::start()?;
    let reply = Reply::html("<h1>Hi</h1>").header("connection", "x-hop").header("x-hop", "1");
    origin.reply("/", reply.header("keep-alive", "timeout=5").header("x-end", "1"));
    let server = Server::before(&origin, GREETING)?;
    let asked = Request::get("/").header("connection", "x-mine, keep-alive").header("x-mine", "1");
    let received = server.fetch(&asked.header("te", "trailers").header("x-end", "1"))?;
    let requests = origin.take_requests();
    let request = requests.first().ok_or("no request")?;
    for name in ["x-mine", "te", "keep-alive"] {
        assert!(!request.headers.has(name), "{name} at the origin");
    }
    for name in ["x-hop", "keep-alive"] {
        assert!(!received.headers.has(name), "{name} at the visitor");
    }
    assert!(request.headers.has("x-end") && received.headers.has("x-end"));
    Ok(())
}

#[test]
fn a_body_reaches_the_origin() -> Tested {
    let origin = Origin::start()?;
    origin.on("/p", |request| Reply::ok("text/plain", request.body.clone()));
    let server = Server::before(&origin, GREETING)?;
    let body: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let posted = client::fetch(protocol, server.addr, &Request::new("POST", "/p").body(body.clone()))?;
        assert!(posted.complete && posted.body == body, "{protocol:?}");
    }
    Ok(())
}

#[test]
fn a_client_that_waits_for_100_is_told_to_go_on() -> Tested {
    let origin = Origin::start()?;
    origin.on("/p", |request| Reply::ok("text/plain", request.body.clone()));
    let server = Server::before(&origin, GREETING)?;
    let mut stream = std::net::TcpStream::connect(server.addr)?;
    stream.set_read_timeout(Some(crate::server::PATIENCE))?;
    stream.write_all(b"POST /p HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 4\r\nconnection: close\r\n\r\n")?;
    let mut interim = [0; 25];
    stream.read_exact(&mut interim)?;
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"body")?;
    let mut rest = String::new();
    stream.read_to_string(&mut rest)?;
    assert!(rest.starts_with("HTTP/1.1 200") && rest.ends_with("body"), "{rest}");
    Ok(())
}

#[test]
fn redirects_and_cookies_of_the_origin_are_for_the_listener() -> Tested {
    let origin = Origin::start()?;
    let there = format!("http://{}/there?a=1#part", origin.addr());
    let reply = Reply::new(302, "").header("location", there.clone());
    origin.reply("/", reply.header("set-cookie", "a=1; Domain=shop.example; Secure; HttpOnly"));
    let url = format!("http://{}", origin.addr());
    let server = Server::with(GREETING, ["--origin", &url])?;
    let asked = Request::get("/").host("localhost:8080");
    let received = server.fetch(&asked)?;
    assert_eq!(received.header("location"), Some("http://localhost:8080/there?a=1#part"));
    assert_eq!(received.headers.all("set-cookie"), ["a=1; HttpOnly"]);
    let preserving = Server::with(GREETING, ["--origin", &url, "--preserve-host"])?;
    let received = preserving.fetch(&asked)?;
    assert_eq!(received.header("location"), Some(there.as_str()));
    assert_eq!(received.headers.all("set-cookie"), ["a=1; Domain=shop.example; Secure; HttpOnly"]);
    Ok(())
}

/// An origin that answers every connection with these bytes.
fn raw(answer: &'static [u8]) -> std::io::Result<std::net::SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let addr = listener.local_addr()?;
    std::thread::spawn(move || -> std::io::Result<()> {
        loop {
            let (mut stream, _) = listener.accept()?;
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte)?;
                head.extend(byte);
            }
            stream.write_all(answer)?;
        }
    });
    Ok(addr)
}

#[test]
fn an_answer_is_whole_however_often_it_says_how_long_it_is() -> Tested {
    for answer in [
        &b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n5\r\nwhole\r\n0\r\n\r\n"
            [..],
        b"HTTP/1.1 200 OK\r\ncontent-length: 5, 5\r\n\r\nwhole",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 5\r\n\r\nwhole",
    ] {
        let server = Server::with(GREETING, ["--origin", &format!("http://{}", raw(answer)?)])?;
        for protocol in [Protocol::Http1, Protocol::Http2] {
            let received = client::fetch(protocol, server.addr, &Request::get("/"))?;
            let answer = String::from_utf8_lossy(answer);
            assert_eq!((received.text().as_ref(), received.complete), ("whole", true), "{answer:?}");
        }
    }
    Ok(())
}

#[test]
fn what_is_no_http_is_told_of_with_what_to_look_at() -> Tested {
    for answer in [&b"\x15\x03\x03\0\x02\x02\x32"[..], b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n"] {
        let server = Server::with(GREETING, ["--origin", &format!("http://{}", raw(answer)?)])?;
        let received = server.get("/")?;
        let text = received.text();
        assert_eq!(received.status, 502);
        assert!(text.contains("does not answer in HTTP: ") && text.contains("http or https"), "{text}");
    }
    Ok(())
}

#[test]
fn an_origin_that_is_down_is_told_of_on_a_page() -> Tested {
    // A port that was free a moment ago.
    let addr = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let server = Server::with(GREETING, ["--origin", &format!("http://{addr}")])?;
    let received = server.get("/p?a&b")?;
    assert_eq!((received.status, received.complete), (502, true));
    let text = received.text();
    assert!(text.contains(&format!("GET http://{addr}/p")) && text.contains("Start the origin"), "{text}");
    assert!(text.contains("?a&amp;b"), "{text}");
    let line = server.line()?;
    assert_eq!((&line["status"], &line["end"]), (&502.into(), &"failed".into()));

    // And once it is up, it is asked.
    let origin = Origin::start_on(addr)?;
    origin.reply("/p", Reply::html("up"));
    assert_eq!(server.get("/p")?.text(), "up");
    Ok(())
}

#[test]
fn an_origin_that_does_not_answer_is_given_up() -> Tested {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", listener.local_addr()?);
    let server = Server::with(GREETING, ["--origin", &url, "--origin-timeout", "0.2"])?;
    let received = server.get("/p")?;
    assert_eq!(received.status, 504);
    assert!(received.text().contains("--origin-timeout"), "{}", received.text());
    assert_eq!(server.line()?["end"], "failed");
    Ok(())
}

#[test]
fn a_slow_origin_is_waited_for_once_it_has_begun() -> Tested {
    let origin = Origin::start()?;
    let gate = Gate::new();
    origin.reply("/p", Reply::html("<h1>Hi</h1>slow").pieces(Pieces::Sizes(vec![11])).gate(&gate));
    let url = format!("http://{}", origin.addr());
    let server = Server::with(GREETING, ["--origin", &url, "--origin-timeout", "0.2"])?;
    let mut connection = client::Connection::open(Protocol::Http1, server.addr)?;
    let mut exchange = connection.start(&Request::get("/p"))?;
    assert!(exchange.read_until("<h1>Hi</h1>"));
    // Another origin's timeout passes meanwhile: that of a request that is never answered.
    let hanging = TcpListener::bind("127.0.0.1:0")?;
    let other = format!("http://{}", hanging.local_addr()?);
    let late = Server::with(GREETING, ["--origin", &other, "--origin-timeout", "0.4"])?;
    assert_eq!(late.get("/")?.status, 504);
    gate.open_for_good();
    let received = exchange.finish();
    assert!(received.complete && received.text() == "<h1>Hi</h1>slow");
    Ok(())
}
