//! Trailers come after the last byte, when nothing can be said any more about the body: it must have gone by then.

use engraft_harness::client::Request;
use engraft_harness::origin::{Framing, Pieces, Reply};
use engraft_harness::wire::Protocol;

use crate::stage::{Outcome, Stage, patches, protocols};

const EDITS: &str = "
- select: main
  append: <p>ours</p>
- select: b
  text: new
- select: '[data-x]'
  attributes: { set: { data-x: new } }
";

fn stage() -> Result<Stage, Box<dyn std::error::Error>> {
    Stage::start(&patches(EDITS))
}

#[test]
fn page_with_trailers_is_whole_and_edited_and_keeps_them() -> Outcome {
    let stage = stage()?;
    let page = Reply::html("<main>1<b>old</b></main><i data-x=1></i>").trailer("x-sum", "42");
    for cut in [Pieces::Whole, Pieces::EveryByte] {
        stage.origin.reply("/", page.clone().framing(Framing::Chunked).pieces(cut.clone()));
        for pair in protocols() {
            let received = stage.fetch(pair, &Request::get("/"))?;
            let expected = "<main>1<b>new</b><p>ours</p></main><i data-x=\"new\"></i>";
            assert_eq!((received.text().as_ref(), received.complete), (expected, true), "{pair:?} {cut:?}");
            assert_eq!(received.trailers.get("x-sum"), Some("42"), "{pair:?} {cut:?}");
        }
    }
    stage.assert_alive()
}

/// Ends while bytes are held: inside a tag that might be one to edit, or inside an element that waits for its end tag.
const UNFINISHED: [&str; 3] =
    ["<main>1</main><p data-x=1", "<main>1</main><b>old, not closed", "<main>1</main><"];
const UNFINISHED_EDITED: &str = "<main>1<p>ours</p></main>";

#[test]
fn unfinished_page_of_known_length_is_whole_before_its_trailers() -> Outcome {
    let stage = stage()?;
    for page in UNFINISHED {
        for cut in [Pieces::Whole, Pieces::EveryByte] {
            stage.origin.reply("/", Reply::html(page).pieces(cut.clone()).trailer("x-sum", "42"));
            // HTTP/1.1 has no trailers with a Content-Length.
            for down in Protocol::ALL {
                let received = stage.fetch((Protocol::Http2, down), &Request::get("/"))?;
                let expected = page.replace("<main>1</main>", UNFINISHED_EDITED);
                assert_eq!(
                    (received.text().as_ref(), received.complete),
                    (expected.as_str(), true),
                    "{down:?}"
                );
                assert_eq!(received.trailers.get("x-sum"), Some("42"), "{down:?}");
            }
        }
    }
    stage.assert_alive()
}

/// Envoy has no buffer to put bytes into once trailers have come. A response that can't be whole must not look whole: a cache would
/// keep it.
#[test]
fn unfinished_page_of_unknown_length_is_whole_or_seen_to_be_broken() -> Outcome {
    let stage = stage()?;
    for page in UNFINISHED {
        for cut in [Pieces::Whole, Pieces::EveryByte] {
            let reply = Reply::html(page).framing(Framing::Chunked).pieces(cut.clone());
            stage.origin.reply("/", reply.clone().trailer("x-sum", "42"));
            let whole = page.replace("<main>1</main>", UNFINISHED_EDITED);
            for pair in protocols() {
                let received = stage.fetch(pair, &Request::get("/"))?;
                assert!(whole.starts_with(received.text().as_ref()), "{pair:?} {cut:?}: {}", received.text());
                assert!(
                    received.text().starts_with(UNFINISHED_EDITED),
                    "{pair:?} {cut:?}: {}",
                    received.text()
                );
                assert!(
                    !received.complete || received.text() == whole,
                    "{pair:?} {cut:?}: {}",
                    received.text()
                );
            }
            // Without trailers nothing of that kind is in the way.
            stage.origin.reply("/", reply);
            for pair in protocols() {
                let received = stage.fetch(pair, &Request::get("/"))?;
                assert_eq!(
                    (received.text().as_ref(), received.complete),
                    (whole.as_str(), true),
                    "{pair:?} {cut:?}"
                );
            }
        }
    }
    stage.assert_alive()
}
