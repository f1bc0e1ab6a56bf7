//! The page is the same however its bytes came and however their end was told.

use std::time::Duration;

use engraft_harness::client::Request;
use engraft_harness::origin::{Framing, Pieces, Reply};

use crate::stage::{Outcome, Stage, patches, protocols};

const FRAMINGS: [Framing; 3] = [Framing::ContentLength, Framing::Chunked, Framing::CloseDelimited];

const EDITS: &str = r#"
- select: h1
  text: "Grüße & Küsse"
- select: "img.hero"
  attributes: { set: { src: /new.avif }, remove: [srcset] }
- select: ul li
  all: true
  class: { add: [seen] }
- select: aside
  remove: true
- select: main
  append: <p>ours</p>
"#;

const PAGE: &str = "<!doctype html><meta charset=utf-8><title>é</title><main><h1>Old <b>one</b></h1>\
    <img class='hero' src=/old.png srcset='a 1x, b 2x'><ul><li>1<li class=x>2</ul>\
    <aside><p>gone</p></aside>… — “end”</main><p";

const EDITED: &str = "<!doctype html><meta charset=utf-8><title>é</title><main><h1>Grüße &amp; Küsse</h1>\
    <img class='hero' src=\"/new.avif\"><ul><li class=\"seen\">1<li class=\"x seen\">2</ul>\
    … — “end”<p>ours</p></main><p";

#[test]
fn page_is_the_same_in_every_framing_and_every_cut() -> Outcome {
    let stage = Stage::start(&patches(EDITS))?;
    let cuts = [Pieces::Whole, Pieces::Sizes(vec![1, 90, 7, 60, 33]), Pieces::EveryByte];
    for framing in FRAMINGS {
        for cut in &cuts {
            stage.origin.reply("/", Reply::html(PAGE).framing(framing).pieces(cut.clone()));
            for pair in protocols() {
                let received = stage.fetch(pair, &Request::get("/"))?;
                assert_eq!(received.text(), EDITED, "{framing:?} {cut:?} {pair:?}");
                assert!(received.complete, "{framing:?} {cut:?} {pair:?}: {:?}", received.broken);
                assert_eq!(received.header("content-length"), None, "{framing:?} {cut:?} {pair:?}");
            }
        }
    }
    stage.assert_alive()
}

#[test]
fn slow_dribble_arrives_whole() -> Outcome {
    let stage = Stage::start(&patches(EDITS))?;
    let dribble = Reply::html(PAGE).pieces(Pieces::EveryByte).delay(Duration::from_millis(1));
    for framing in FRAMINGS {
        stage.origin.reply("/", dribble.clone().framing(framing));
        for pair in protocols() {
            let received = stage.fetch(pair, &Request::get("/"))?;
            assert_eq!((received.text().as_ref(), received.complete), (EDITED, true), "{framing:?} {pair:?}");
        }
    }
    Ok(())
}

#[test]
fn empty_body_stays_empty() -> Outcome {
    let stage = Stage::start(&patches(EDITS))?;
    for framing in FRAMINGS {
        stage.origin.reply("/", Reply::html("").framing(framing));
        for pair in protocols() {
            let received = stage.fetch(pair, &Request::get("/"))?;
            assert_eq!((received.status, received.body.len(), received.complete), (200, 0, true), "{pair:?}");
        }
    }
    stage.assert_alive()
}

#[test]
fn head_is_answered_like_get_without_the_body() -> Outcome {
    let stage = Stage::start(&patches(EDITS))?;
    stage.origin.reply("/", Reply::html(PAGE).header("etag", "\"a\"").header("x-origin", "1"));
    for pair in protocols() {
        let get = stage.fetch(pair, &Request::get("/"))?;
        let head = stage.fetch(pair, &Request::new("HEAD", "/"))?;
        assert_eq!((head.status, head.body.len(), head.complete), (200, 0, true), "{pair:?}");
        for name in ["content-length", "etag", "content-type", "x-origin"] {
            assert_eq!(head.header(name), get.header(name), "{name} {pair:?}");
        }
        assert_eq!(head.header("x-origin"), Some("1"));
    }
    stage.assert_alive()
}

#[test]
fn statuses_without_a_page_pass() -> Outcome {
    let stage = Stage::start(&patches(EDITS))?;
    stage.origin.reply("/204", Reply::new(204, ""));
    stage.origin.reply("/304", Reply::new(304, "").header("etag", "\"a\""));
    let part = Reply::html("<h1>Old").header("content-range", "bytes 0-6/100");
    stage.origin.on("/206", move |_| {
        let mut part = part.clone();
        part.status = 206;
        part
    });
    for pair in protocols() {
        for (path, status, body) in [("/204", 204, ""), ("/304", 304, ""), ("/206", 206, "<h1>Old")] {
            let received = stage.fetch(pair, &Request::get(path))?;
            assert_eq!((received.status, received.text().as_ref()), (status, body), "{path} {pair:?}");
            assert!(received.complete, "{path} {pair:?}");
        }
    }
    stage.assert_alive()
}
