//! Pages that come compressed: their heads wait for their first bytes where Envoy shows them, and nobody waits in vain.

use std::io::Write as _;
use std::time::Duration;

use engraft_harness::client::{Connection, Request};
use engraft_harness::origin::{Framing, Gate, Pieces, Reply, Then};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::stage::{Outcome, Stage, engraft, patches, protocols};

const EDITS: &str = "- select: h1\n  text: new\n- select: footer\n  text: new";
const PARTS: [&str; 3] = ["<h1>old</h1><p>some</p>", "<p>more</p>", "<footer>old</footer><p>end</p>"];
const EDITED: &str = "<h1>new</h1><p>some</p><p>more</p><footer>new</footer><p>end</p>";

/// A gzip stream, flushed after each part: how long it is then, and all of it.
fn gzip(parts: &[&str]) -> Result<(Vec<usize>, Vec<u8>), std::io::Error> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    let mut sizes = Vec::new();
    let mut sent = 0;
    for part in parts {
        encoder.write_all(part.as_bytes())?;
        encoder.flush()?;
        sizes.push(encoder.get_ref().len() - sent);
        sent = encoder.get_ref().len();
    }
    Ok((sizes, encoder.finish()?))
}

fn coded(body: impl Into<Vec<u8>>) -> Reply {
    let html = Reply::ok("text/html; charset=utf-8", body);
    html.header("content-encoding", "gzip").header("etag", "\"a\"")
}

/// A stage whose Envoy shows no body while a head waits, as it does where nobody asks it to.
fn hiding() -> Result<Stage, Box<dyn std::error::Error>> {
    let plugin = engraft(&patches(EDITS))?.hiding_bodies_under_held_heads();
    Stage::with_plugin(&plugin, |listener| listener, |cluster| cluster)
}

#[test]
fn each_part_leaves_when_it_has_come() -> Outcome {
    let (sizes, body) = gzip(&PARTS)?;
    for stage in [Stage::start(&patches(EDITS))?, hiding()?] {
        for pair in protocols() {
            let gate = Gate::new();
            let reply = coded(body.clone()).framing(Framing::Chunked);
            stage.origin.reply("/", reply.pieces(Pieces::Sizes(sizes.clone())).gate(&gate));
            let mut connection = stage.connect(pair)?;
            let mut exchange = connection.start(&Request::get("/"))?;
            assert!(exchange.read_until("<h1>new</h1><p>some</p>"), "{pair:?}");
            gate.open(1);
            assert!(exchange.read_until("<p>more</p>"), "{pair:?}");
            gate.open_for_good();
            let received = exchange.finish();
            assert_eq!((received.text().as_ref(), received.complete), (EDITED, true), "{pair:?}");
            assert_eq!(received.header("content-encoding"), None, "{pair:?}");
            let tag = received.header("etag").unwrap_or_default();
            assert!(tag.starts_with("W/\"a;e="), "{tag} {pair:?}");
        }
        stage.assert_alive()?;
    }
    Ok(())
}

#[test]
fn page_that_is_cut_anywhere_is_edited() -> Outcome {
    let (_, body) = gzip(&PARTS)?;
    for stage in [Stage::start(&patches(EDITS))?, hiding()?] {
        for framing in [Framing::Chunked, Framing::ContentLength] {
            stage.origin.reply("/", coded(body.clone()).framing(framing).pieces(Pieces::EveryByte));
            for pair in protocols() {
                let received = stage.fetch(pair, &Request::get("/"))?;
                assert_eq!((received.text().as_ref(), received.complete), (EDITED, true), "{pair:?}");
            }
        }
        stage.assert_alive()?;
    }
    Ok(())
}

#[test]
fn page_that_is_not_coded_at_all_goes_out_as_it_came() -> Outcome {
    let stage = Stage::start(&patches(EDITS))?;
    let page = PARTS.concat();
    for framing in [Framing::Chunked, Framing::ContentLength] {
        for cut in [Pieces::Whole, Pieces::EveryByte] {
            stage.origin.reply("/", coded(page.clone()).framing(framing).pieces(cut.clone()));
            for pair in protocols() {
                let received = stage.fetch(pair, &Request::get("/"))?;
                assert_eq!((received.text().as_ref(), received.complete), (page.as_str(), true), "{pair:?}");
                assert_eq!(received.header("content-encoding"), Some("gzip"), "{pair:?} {cut:?}");
                assert_eq!(received.header("etag"), Some("\"a\""), "{pair:?} {cut:?}");
                if framing == Framing::ContentLength {
                    let length = page.len().to_string();
                    assert_eq!(received.header("content-length"), Some(length.as_str()), "{pair:?} {cut:?}");
                }
            }
        }
    }
    stage.wait_for_counter("body.untouched.corrupt_coding", 16)?;
    stage.assert_alive()
}

/// Its head says that it is not coded, and is out.
#[test]
fn page_that_is_not_coded_at_all_breaks_off_where_the_head_can_not_wait() -> Outcome {
    let stage = hiding()?;
    stage.origin.reply("/", coded(PARTS.concat()));
    for pair in protocols() {
        let received = stage.fetch(pair, &Request::get("/"))?;
        assert!(!received.complete, "{pair:?}");
        assert!(received.body.is_empty(), "{pair:?}: {}", received.text());
    }
    stage.wait_for_counter("body.broken.corrupt", 4)?;
    stage.assert_alive()
}

#[test]
fn page_that_breaks_midway_is_seen_to_be_broken() -> Outcome {
    let (sizes, mut body) = gzip(&PARTS)?;
    let first = sizes.first().copied().unwrap_or_default();
    // The block after the first part gets a type that there is none of.
    if let Some(byte) = body.get_mut(first) {
        *byte |= 6;
    }
    for stage in [Stage::start(&patches(EDITS))?, hiding()?] {
        for framing in [Framing::Chunked, Framing::ContentLength] {
            let gate = Gate::new();
            let reply = coded(body.clone()).framing(framing).pieces(Pieces::Sizes(vec![first])).gate(&gate);
            stage.origin.reply("/", reply);
            for pair in protocols() {
                let mut connection = stage.connect(pair)?;
                let mut exchange = connection.start(&Request::get("/"))?;
                assert!(exchange.read_until("<h1>new</h1><p>some</p>"), "{pair:?}");
                gate.open(1);
                let received = exchange.finish();
                assert!(!received.complete, "{pair:?}");
                assert_eq!(received.text(), "<h1>new</h1><p>some</p>", "{pair:?}");
            }
        }
        stage.wait_for_counter("body.broken.corrupt", 8)?;
        stage.assert_alive()?;
    }
    Ok(())
}

#[test]
fn origin_that_breaks_off_is_no_news() -> Outcome {
    let (sizes, body) = gzip(&PARTS)?;
    let first = sizes.first().copied().unwrap_or_default();
    let stage = Stage::start(&patches(EDITS))?;
    for then in [Then::ResetAfter(first), Then::CloseAfter(first)] {
        stage.origin.reply("/", coded(body.clone()).framing(Framing::Chunked).then(then));
        for pair in protocols() {
            let received = stage.fetch(pair, &Request::get("/"))?;
            assert!(!received.complete, "{then:?} {pair:?}");
            assert_eq!(received.text(), "<h1>new</h1><p>some</p>", "{then:?} {pair:?}");
        }
    }
    stage.wait_for_counter("body.aborted", 8)?;
    stage.assert_alive()
}

#[test]
fn trailers_without_a_body_let_the_head_go() -> Outcome {
    for stage in [Stage::start(&patches(EDITS))?, hiding()?] {
        stage.origin.reply("/", coded("").framing(Framing::Chunked).trailer("x-sum", "42"));
        for pair in protocols() {
            let received = stage.fetch(pair, &Request::get("/"))?;
            assert_eq!((received.text().as_ref(), received.complete), ("", true), "{pair:?}");
            assert_eq!(received.trailers.get("x-sum"), Some("42"), "{pair:?}");
        }
        stage.assert_alive()?;
    }
    Ok(())
}

#[test]
fn head_waits_for_a_body_that_never_comes_only_where_it_would_be_shown() -> Outcome {
    let (_, body) = gzip(&PARTS)?;
    for (stage, waits) in [(Stage::start(&patches(EDITS))?, true), (hiding()?, false)] {
        // Proves to each filter that bodies are shown, where they are: an Envoy that shows none is found out by the first one.
        stage.origin.reply("/proof", coded(body.clone()));
        for pair in protocols() {
            stage.fetch(pair, &Request::get("/proof"))?;
        }
        stage.origin.reply("/", coded(body.clone()).framing(Framing::Chunked).then(Then::HangAfter(0)));
        for pair in protocols() {
            let patience = Duration::from_millis(if waits { 400 } else { 10_000 });
            let mut connection = Connection::open_with(pair.1, stage.addr(pair.0), patience)?;
            let head = connection.start(&Request::get("/"));
            assert_eq!(head.is_err(), waits, "{pair:?}");
        }
        // Visitors have left.
        stage.wait_for_counter("body.aborted", 4)?;
        stage.assert_alive()?;
    }
    Ok(())
}

/// Whether bodies are shown is not known yet, and several heads wait at once: all of them go on.
#[test]
fn first_pages_wait_a_moment_where_no_bodies_are_shown() -> Outcome {
    let (_, body) = gzip(&PARTS)?;
    let stage = hiding()?;
    stage.origin.reply("/", coded(body));
    std::thread::scope(|scope| {
        let visitors: Vec<_> = (0..3)
            .flat_map(|_| protocols())
            .map(|pair| {
                let stage = &stage;
                scope.spawn(move || {
                    let received =
                        stage.fetch(pair, &Request::get("/")).map_err(|error| error.to_string())?;
                    Ok::<_, String>((received.text().into_owned(), received.complete))
                })
            })
            .collect();
        for visitor in visitors {
            let seen = visitor.join().map_err(|_| "a visitor panicked")??;
            assert_eq!(seen, (EDITED.to_owned(), true));
        }
        Ok::<_, String>(())
    })?;
    stage.assert_alive()
}
