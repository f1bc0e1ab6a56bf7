//! Pages larger than anything Envoy buffers: engraft holds bytes in its own bounded memory and streams the rest.

use engraft_harness::client::Request;
use engraft_harness::origin::{Framing, Reply};

use crate::stage::{Outcome, Stage, patches, protocols};

const BUFFER_LIMIT: u32 = 32 * 1024;

fn stage(edits: &str) -> Result<Stage, Box<dyn std::error::Error>> {
    let listener = |listener: engraft_harness::bootstrap::Listener| listener.buffer_limit_bytes(BUFFER_LIMIT);
    let cluster = |cluster: engraft_harness::bootstrap::Cluster| cluster.buffer_limit_bytes(BUFFER_LIMIT);
    Stage::with(&patches(edits), listener, cluster)
}

/// Paragraphs that no two places have in common, so that bytes that are lost or doubled show.
fn filler(bytes: usize) -> String {
    (0..bytes / 50).map(|line| format!("<p title='{line:07}'>All work and no play {line:07}</p>\n")).collect()
}

#[test]
fn page_of_three_megabytes_is_whole_and_edited_from_start_to_end() -> Outcome {
    let stage = stage(
        "- select: h1\n  text: new\n- select: b\n  all: true\n  text: new\n- select: main\n  append: <i>new</i>",
    )?;
    let half = filler(1_500_000);
    let page = format!("<main><h1>old</h1>{half}<b>old</b>{half}<b>old</b></main>");
    let edited = format!("<main><h1>new</h1>{half}<b>new</b>{half}<b>new</b><i>new</i></main>");
    for framing in [Framing::ContentLength, Framing::Chunked] {
        stage.origin.reply("/", Reply::html(page.clone()).framing(framing));
        for pair in protocols() {
            let received = stage.fetch(pair, &Request::get("/"))?;
            assert!(received.complete, "{framing:?} {pair:?}: {:?}", received.broken);
            assert_eq!(received.body.len(), edited.len(), "{framing:?} {pair:?}");
            assert!(received.body == edited.as_bytes(), "{framing:?} {pair:?}");
        }
    }
    stage.assert_alive()
}

#[test]
fn element_of_ten_megabytes_that_would_be_held_goes_out_as_it_came() -> Outcome {
    let stage =
        stage("- select: h1\n  text: new\n- select: pre\n  text: new\n- select: footer\n  text: new")?;
    let text = "0123456789abcde\n".repeat(10 * 1024 * 1024 / 16);
    let page = |h1: &str, footer: &str| format!("<h1>{h1}</h1><pre>{text}</pre><footer>{footer}</footer>");
    stage.origin.reply("/", Reply::html(page("old", "old")).framing(Framing::Chunked));
    let edited = page("new", "new");
    for pair in protocols() {
        let received = stage.fetch(pair, &Request::get("/"))?;
        assert!(received.complete, "{pair:?}: {:?}", received.broken);
        assert_eq!(received.body.len(), edited.len(), "{pair:?}");
        assert!(received.body == edited.as_bytes(), "{pair:?}");
    }
    stage.wait_for_counter("patches.skipped.held_too_long", 4)?;
    let line = stage.envoy.access_log(1)?.remove(0);
    let held = line.get("engraft.max_held_bytes").and_then(|held| held.as_str()?.parse::<usize>().ok());
    // Up to `limits.max_held_bytes`; not the ten megabytes.
    assert!(held.is_some_and(|held| held > 64 * 1024 && held <= 128 * 1024), "{line}");
    stage.assert_alive()
}
