//! Time to first byte stays that of the origin; what waits is what must wait.

use engraft_harness::client::Request;
use engraft_harness::origin::{Framing, Gate, Pieces, Reply};

use crate::stage::{Outcome, Stage, patches, protocols};

/// A page that comes in these pieces, each but the first when the gate is opened for it.
fn gated(pieces: &[&str], gate: &Gate) -> Reply {
    let sizes = pieces.iter().map(|piece| piece.len()).collect();
    Reply::html(pieces.concat()).framing(Framing::Chunked).pieces(Pieces::Sizes(sizes)).gate(gate)
}

#[test]
fn what_stands_before_an_edit_leaves_before_the_rest_has_come() -> Outcome {
    let stage = Stage::start(&patches("- select: h1\n  text: new"))?;
    for pair in protocols() {
        let gate = Gate::new();
        stage.origin.reply("/", gated(&["<p>before</p>", "<h1>old</h1>", "<p>after</p>"], &gate));
        let mut connection = stage.connect(pair)?;
        let mut exchange = connection.start(&Request::get("/"))?;
        assert!(exchange.read_until("<p>before</p>"), "{pair:?}");
        gate.open(1);
        assert!(exchange.read_until("<h1>new</h1>"), "{pair:?}");
        gate.open(1);
        let received = exchange.finish();
        assert_eq!(received.text(), "<p>before</p><h1>new</h1><p>after</p>", "{pair:?}");
        assert!(received.complete, "{pair:?}");
    }
    stage.assert_alive()
}

#[test]
fn element_that_is_appended_to_is_not_held() -> Outcome {
    let stage = Stage::start(&patches(
        "- select: main\n  append: <p>ours</p>\n- select: main\n  class: { add: [seen] }",
    ))?;
    for pair in protocols() {
        let gate = Gate::new();
        stage.origin.reply("/", gated(&["<main><p>1</p>", "<p>2</p>", "<p>3</p>", "</main><i></i>"], &gate));
        let mut connection = stage.connect(pair)?;
        let mut exchange = connection.start(&Request::get("/"))?;
        for read in ["<main class=\"seen\"><p>1</p>", "<p>2</p>", "<p>3</p>"] {
            assert!(exchange.read_until(read), "{pair:?}: {read}");
            gate.open(1);
        }
        let received = exchange.finish();
        let expected = "<main class=\"seen\"><p>1</p><p>2</p><p>3</p><p>ours</p></main><i></i>";
        assert_eq!(received.text(), expected, "{pair:?}");
    }
    Ok(())
}

#[test]
fn held_element_holds_only_itself() -> Outcome {
    let stage = Stage::start(&patches("- select: h1\n  text: new"))?;
    for pair in protocols() {
        let gate = Gate::new();
        let page = ["<p>before</p><h1 id=a>o", "l", "d</h1><p>after</p>", "<p>end</p>"];
        stage.origin.reply("/", gated(&page, &gate));
        let mut connection = stage.connect(pair)?;
        let mut exchange = connection.start(&Request::get("/"))?;
        assert!(exchange.read_until("<p>before</p>"), "{pair:?}");
        assert_eq!(exchange.so_far().text(), "<p>before</p>", "{pair:?}");
        gate.open(2);
        assert!(exchange.read_until("<h1 id=a>new</h1><p>after</p>"), "{pair:?}");
        gate.open(1);
        let received = exchange.finish();
        assert_eq!(received.text(), "<p>before</p><h1 id=a>new</h1><p>after</p><p>end</p>", "{pair:?}");
    }
    Ok(())
}

#[test]
fn page_that_is_held_up_holds_up_no_other() -> Outcome {
    let stage = Stage::start(&patches("- select: h1\n  text: new"))?;
    for pair in protocols() {
        let gate = Gate::new();
        stage.origin.reply("/slow", gated(&["<h1>o", "ld</h1>"], &gate));
        stage.origin.reply("/fast", Reply::html("<h1>old</h1>"));
        let mut connection = stage.connect(pair)?;
        let slow = connection.start(&Request::get("/slow"))?;
        assert_eq!(stage.fetch(pair, &Request::get("/fast"))?.text(), "<h1>new</h1>", "{pair:?}");
        gate.open_for_good();
        assert_eq!(slow.finish().text(), "<h1>new</h1>", "{pair:?}");
    }
    Ok(())
}

#[test]
fn page_without_eligible_patches_streams() -> Outcome {
    let stage = Stage::start(&patches("- select: h1\n  text: new\n  when: { request.path: /other }"))?;
    for pair in protocols() {
        let gate = Gate::new();
        stage.origin.reply("/", gated(&["<h1>o", "l", "d</h1>"], &gate));
        let mut connection = stage.connect(pair)?;
        let mut exchange = connection.start(&Request::get("/"))?;
        for read in ["<h1>o", "<h1>ol"] {
            assert!(exchange.read_until(read), "{pair:?}");
            gate.open(1);
        }
        assert_eq!(exchange.finish().text(), "<h1>old</h1>", "{pair:?}");
    }
    Ok(())
}
