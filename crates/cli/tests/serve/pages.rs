//! Pages: as the core makes them, however they come.

use std::io::Write as _;
use std::path::Path;

use engraft_harness::client::{self, Connection, Request};
use engraft_harness::origin::{Framing, Gate, Origin, Pieces, Reply, Then};
use engraft_harness::wire::Protocol;

use crate::server::{GREETING, Server, Tested, rendered};

const SHOP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/shop");

fn gzip(page: &[u8]) -> Result<Vec<u8>, std::io::Error> {
    let mut coder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    coder.write_all(page)?;
    coder.finish()
}

#[test]
fn what_no_patch_wants_passes_byte_for_byte() -> Tested {
    let origin = Origin::start()?;
    let server = Server::before(&origin, GREETING)?;
    let every_byte: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    for framing in [Framing::ContentLength, Framing::Chunked, Framing::CloseDelimited] {
        for (path, kind) in [("/image", "image/png"), ("/p/image", "image/png"), ("/other", "text/html")] {
            let reply = Reply::ok(kind, every_byte.clone()).framing(framing);
            let reply = reply
                .header("x-origin", "caf\u{e9}")
                .header("set-cookie", "a=1; Path=/")
                .header("set-cookie", "b=2");
            origin.reply(path, reply);
            for protocol in [Protocol::Http1, Protocol::Http2] {
                let asked = Request::get(path).header("cookie", "first_name=Ada");
                let received = client::fetch(protocol, server.addr, &asked)?;
                assert!(received.complete && received.body == every_byte, "{path} {framing:?} {protocol:?}");
                assert_eq!(received.headers.bytes("x-origin"), Some("caf\u{e9}".as_bytes()));
                assert_eq!(received.headers.all("set-cookie"), ["a=1; Path=/", "b=2"]);
                assert_eq!(received.header("content-type"), Some(kind));
                assert_eq!(
                    received.headers.has("content-length"),
                    framing == Framing::ContentLength,
                    "{path} {framing:?} {protocol:?}"
                );
            }
        }
    }
    Ok(())
}

#[test]
fn edited_pages_are_what_render_prints_however_they_are_cut() -> Tested {
    let origin = Origin::start()?;
    let config = Path::new(SHOP).join("engraft.yaml");
    let server = Server::before(&origin, &std::fs::read_to_string(&config)?)?;
    for (path, file) in
        [("/", "index.html"), ("/p/aurora/", "p/aurora/index.html"), ("/cart/", "cart/index.html")]
    {
        let page = std::fs::read(Path::new(SHOP).join("site").join(file))?;
        for cookie in ["a=b", "plan=pro; first_name=Ada <b>"] {
            let expected = rendered(&config, path, &format!("cookie: {cookie}"), &page)?;
            let request = Request::get(path).header("cookie", cookie);
            for pieces in [Pieces::Whole, Pieces::EveryByte, Pieces::Sizes(vec![1, 4096, 7, 1000])] {
                for framing in [Framing::ContentLength, Framing::Chunked] {
                    origin.reply(path, Reply::html(page.clone()).framing(framing).pieces(pieces.clone()));
                    let received = server.fetch(&request)?;
                    assert!(received.complete, "{path} {cookie} {pieces:?} {framing:?}");
                    assert_eq!(
                        received.text(),
                        String::from_utf8_lossy(&expected),
                        "{path} {cookie} {pieces:?}"
                    );
                }
            }
        }
    }
    Ok(())
}

#[test]
fn a_page_is_decoded_before_it_is_edited() -> Tested {
    let origin = Origin::start()?;
    let server = Server::before(&origin, GREETING)?;
    let request = Request::get("/p").header("cookie", "first_name=Ada").header("accept-encoding", "gzip");
    let coded = gzip(b"<h1>Hi</h1><p>Welcome")?;
    for pieces in [Pieces::Whole, Pieces::EveryByte] {
        let reply = Reply::html(coded.clone()).header("content-encoding", "gzip").pieces(pieces);
        origin.reply("/p", reply);
        let received = server.fetch(&request)?;
        assert_eq!((received.text().as_ref(), received.complete), ("<h1>Hello Ada</h1><p>Welcome", true));
        assert!(!received.headers.has("content-encoding"));
    }
    Ok(())
}

#[test]
fn a_body_that_is_not_what_its_coding_says_goes_out_as_it_came() -> Tested {
    let origin = Origin::start()?;
    let server = Server::before(&origin, GREETING)?;
    let request = Request::get("/p").header("cookie", "first_name=Ada");
    for framing in [Framing::ContentLength, Framing::Chunked] {
        for pieces in [Pieces::Whole, Pieces::EveryByte] {
            let reply = Reply::html("<h1>not gzip</h1>").header("content-encoding", "gzip");
            origin.reply("/p", reply.framing(framing).pieces(pieces.clone()));
            let received = server.fetch(&request)?;
            assert_eq!(
                (received.text().as_ref(), received.complete),
                ("<h1>not gzip</h1>", true),
                "{pieces:?}"
            );
            assert_eq!(received.header("content-encoding"), Some("gzip"));
            assert_eq!(server.line()?["body"], "untouched:corrupt_coding");
        }
    }
    Ok(())
}

#[test]
fn a_body_that_ends_before_its_coding_begins_goes_out_as_it_came() -> Tested {
    let origin = Origin::start()?;
    let server = Server::before(&origin, GREETING)?;
    for body in [&b"\x1f"[..], b"\x1f\x8b\x08"] {
        for framing in [Framing::ContentLength, Framing::Chunked, Framing::CloseDelimited] {
            let reply = Reply::html(body).header("content-encoding", "gzip").framing(framing);
            origin.reply("/p", reply);
            let received = server.fetch(&Request::get("/p").header("cookie", "first_name=Ada"))?;
            assert_eq!((received.body.as_slice(), received.complete), (body, true), "{framing:?}");
            assert_eq!(received.header("content-encoding"), Some("gzip"), "{body:?} {framing:?}");
            let line = server.line()?;
            assert_eq!((&line["end"], &line["status"]), (&"whole".into(), &200.into()), "{line}");
        }
    }
    Ok(())
}

#[test]
fn a_body_that_breaks_its_coding_midway_is_broken_off() -> Tested {
    let origin = Origin::start()?;
    let server = Server::before(&origin, GREETING)?;
    // Of noise, so that a half of it decodes to something.
    let noise = (0_u32..20_000).map(|n| n.wrapping_mul(2_654_435_761) >> 24);
    let page: String = noise.map(|n| char::from(b'a' + (n % 26) as u8)).collect();
    let mut coded = gzip(format!("<h1>Hi</h1>{page}").as_bytes())?;
    let half = coded.len() / 2;
    coded.truncate(half);
    coded.extend([0xff; 64]);
    let gate = Gate::new();
    let reply = Reply::html(coded).header("content-encoding", "gzip").pieces(Pieces::Sizes(vec![half]));
    origin.reply("/p", reply.framing(Framing::Chunked).gate(&gate));
    let mut connection = Connection::open(Protocol::Http1, server.addr)?;
    let mut exchange = connection.start(&Request::get("/p").header("cookie", "first_name=Ada"))?;
    assert!(exchange.read_until("Hello Ada"));
    gate.open_for_good();
    assert!(!exchange.finish().complete, "half a page must not pass for one");
    let line = server.line()?;
    assert_eq!(line["end"], "failed");
    assert!(line["body"].as_str().is_some_and(|body| body.starts_with("broken:")), "{line}");
    Ok(())
}

#[test]
fn a_page_streams() -> Tested {
    let origin = Origin::start()?;
    let server = Server::before(&origin, GREETING)?;
    let gate = Gate::new();
    let page = Reply::html("<h1>Hi</h1><p>first<p>second").pieces(Pieces::Sizes(vec![19]));
    origin.reply("/p", page.framing(Framing::Chunked).gate(&gate));
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let mut connection = Connection::open(protocol, server.addr)?;
        let mut exchange = connection.start(&Request::get("/p").header("cookie", "first_name=Ada"))?;
        assert!(exchange.read_until("Hello Ada</h1><p>first"), "the rest has not been sent");
        gate.open(1);
        assert_eq!(exchange.finish().text(), "<h1>Hello Ada</h1><p>first<p>second");
    }
    Ok(())
}

#[test]
fn trailers_follow_the_body() -> Tested {
    let origin = Origin::start()?;
    let server = Server::before(&origin, GREETING)?;
    let reply = Reply::html("<h1>Hi</h1><p").framing(Framing::Chunked).trailer("x-sum", "1");
    origin.reply("/p", reply.header("trailer", "x-sum"));
    for cookie in ["first_name=Ada", "a=b"] {
        let received =
            client::fetch(Protocol::Http2, server.addr, &Request::get("/p").header("cookie", cookie))?;
        assert!(received.complete && received.text().ends_with("</h1><p"), "{}", received.text());
        assert_eq!(received.trailers.get("x-sum"), Some("1"), "{cookie}");
    }
    Ok(())
}

#[test]
fn heads_without_a_body_end() -> Tested {
    let origin = Origin::start()?;
    let server = Server::before(&origin, GREETING)?;
    origin.reply("/p", Reply::html("<h1>Hi</h1>").header("etag", "\"a\""));
    origin.reply("/p/204", Reply::new(204, ""));
    origin.reply("/p/304", Reply::new(304, "").header("etag", "\"a\""));
    for protocol in [Protocol::Http1, Protocol::Http2] {
        let mut connection = Connection::open(protocol, server.addr)?;
        let head = connection.fetch(&Request::new("HEAD", "/p").header("cookie", "first_name=Ada"))?;
        assert_eq!((head.status, head.body.len(), head.complete), (200, 0, true));
        assert!(head.header("etag").is_some_and(|etag| etag.contains(";e=")), "{}", head.headers);
        for (path, status) in [("/p/204", 204), ("/p/304", 304)] {
            let received = connection.fetch(&Request::get(path).header("cookie", "first_name=Ada"))?;
            assert_eq!((received.status, received.body.len(), received.complete), (status, 0, true));
        }
        for _ in 0..3 {
            assert_eq!(server.line()?["end"], "whole");
        }
    }
    Ok(())
}

#[test]
fn an_edited_page_is_confirmed_by_its_own_tag() -> Tested {
    let origin = Origin::start()?;
    let server = Server::before(&origin, GREETING)?;
    origin.on("/p", |request| match request.headers.get("if-none-match") {
        Some("\"a\"") => Reply::new(304, "").header("etag", "\"a\""),
        _ => Reply::html("<h1>Hi</h1>").header("etag", "\"a\""),
    });
    let asked = Request::get("/p").header("cookie", "first_name=Ada");
    let first = server.fetch(&asked)?;
    let etag = first.header("etag").ok_or("no tag")?.to_owned();
    let again = server.fetch(&asked.header("if-none-match", etag.clone()))?;
    assert_eq!((again.status, again.header("etag")), (304, Some(etag.as_str())));
    let other = Request::get("/p").header("cookie", "first_name=Bob").header("if-none-match", etag);
    assert_eq!(server.fetch(&other)?.text(), "<h1>Hello Bob</h1>");
    Ok(())
}

#[test]
fn a_redirect_of_the_configuration_asks_no_origin() -> Tested {
    let origin = Origin::start()?;
    let configuration = "\
version: 1
routes:
- name: old
  match: { path: { prefix: /old } }
  patches:
  - redirect: { to: /new, status: 301 }
";
    let server = Server::before(&origin, configuration)?;
    let received = server.get("/old")?;
    assert_eq!((received.status, received.header("location")), (301, Some("/new")));
    assert!(origin.requests().is_empty());
    assert_eq!(server.line()?["route"], "old");
    Ok(())
}

#[test]
fn a_configuration_for_two_stages_runs_as_one() -> Tested {
    let origin = Origin::start()?;
    origin.reply("/p", Reply::html("<h1>Hi</h1>"));
    for stage in ["client", "origin"] {
        let configuration = GREETING.replace("version: 1\n", &format!("version: 1\nstage: {stage}\n"));
        let server = Server::before(&origin, &configuration)?;
        let received = server.fetch(&Request::get("/p").header("cookie", "first_name=Ada"))?;
        assert_eq!(received.text(), "<h1>Hello Ada</h1>", "{stage}");
    }
    assert!(origin.requests().iter().all(|request| request.target == "/p"), "nobody marks keys of a cache");
    Ok(())
}

#[test]
fn an_origin_that_breaks_off_is_broken_off() -> Tested {
    let origin = Origin::start()?;
    let server = Server::before(&origin, GREETING)?;
    for then in [Then::ResetAfter(12), Then::CloseAfter(12)] {
        for cookie in ["first_name=Ada", "a=b"] {
            origin.reply("/p", Reply::html("<h1>Hi</h1><p>Welcome").then(then));
            let received = server.fetch(&Request::get("/p").header("cookie", cookie))?;
            // A reset may come before the origin's head has.
            assert!(!received.complete || received.status == 502, "{received:?}");
            let line = server.line()?;
            assert_eq!(line["end"], "failed", "{line}");
        }
    }
    Ok(())
}
