//! Exchanges that break off: what was decoded stands, the visitor sees what a visitor without engraft would see, it is counted, and
//! nobody else notices.

use std::net::TcpListener;
use std::time::Duration;

use engraft_harness::client::{Connection, Request};
use engraft_harness::origin::{Framing, Gate, Pieces, Reply, Then};
use engraft_harness::wire::Protocol;

use engraft_harness::bootstrap::{Bootstrap, Cluster, Listener};

use crate::stage::{Outcome, Stage, assert_no_vm_failed, counter, engraft, patches, protocols};

const EDITS: &str = "- select: h1\n  text: new\n- select: footer\n  text: new";
const PAGE: &str = "<h1>old</h1><p>some</p><footer>old</footer><p>end</p>";
/// Within the footer, which is held.
const CUT: usize = 35;

#[test]
fn visitor_that_leaves_in_mid_page_is_counted_and_hurts_nobody() -> Outcome {
    let stage = Stage::start(&patches(EDITS))?;
    for (pair, aborted) in protocols().zip(1..) {
        let gate = Gate::new();
        let reply = Reply::html(PAGE).framing(Framing::Chunked).pieces(Pieces::Sizes(vec![CUT])).gate(&gate);
        stage.origin.reply("/", reply);
        let mut connection = stage.connect(pair)?;
        let mut exchange = connection.start(&Request::get("/"))?;
        assert!(exchange.read_until("<h1>new</h1><p>some</p>"), "{pair:?}");
        assert!(!exchange.abort().complete, "{pair:?}");
        drop(connection);
        stage.wait_for_counter("body.aborted", aborted)?;
        gate.open_for_good();
    }
    let log = stage.envoy.access_log(4)?;
    assert!(log.iter().all(|line| line.get("engraft.body").is_some_and(|body| body == "aborted")), "{log:?}");
    assert_eq!(stage.counter("patches.applied")?, 4, "the headings; the footers never left");
    stage.assert_alive()
}

#[test]
fn origin_that_breaks_off_leaves_what_was_decoded_and_a_broken_response() -> Outcome {
    let stage = Stage::start(&patches(EDITS))?;
    for then in [Then::ResetAfter(CUT), Then::CloseAfter(CUT)] {
        for framing in [Framing::Chunked, Framing::ContentLength] {
            stage.origin.reply("/", Reply::html(PAGE).framing(framing).then(then));
            for pair in protocols() {
                let received = stage.fetch(pair, &Request::get("/"))?;
                assert!(!received.complete, "{then:?} {framing:?} {pair:?}");
                assert_eq!(received.text(), "<h1>new</h1><p>some</p>", "{then:?} {framing:?} {pair:?}");
            }
        }
    }
    stage.wait_for_counter("body.aborted", 16)?;
    stage.assert_alive()
}

#[test]
fn origin_that_hangs_in_mid_page_keeps_nobody_else_waiting() -> Outcome {
    let stage = Stage::start(&patches(EDITS))?;
    stage.origin.reply("/", Reply::html(PAGE).framing(Framing::Chunked).then(Then::HangAfter(CUT)));
    for (pair, aborted) in protocols().zip(1..) {
        let mut connection = stage.connect(pair)?;
        let mut exchange = connection.start(&Request::get("/"))?;
        assert!(exchange.read_until("<h1>new</h1><p>some</p>"), "{pair:?}");
        stage.assert_alive()?;
        drop(exchange);
        drop(connection);
        stage.wait_for_counter("body.aborted", aborted)?;
    }
    stage.assert_alive()
}

#[test]
fn origin_that_never_answers_is_counted_when_the_visitor_leaves() -> Outcome {
    // It takes connections, as the kernel does that by itself, and says nothing.
    let silent = TcpListener::bind(("127.0.0.1", 0))?;
    let listener = Listener::main().plugin(&engraft(&patches(EDITS))?);
    let envoy = Bootstrap::proxy(listener, Cluster::origin(Protocol::Http1, silent.local_addr()?)).start()?;
    for (down, aborted) in Protocol::ALL.into_iter().zip(1..) {
        let patience = Duration::from_millis(500);
        let mut connection = Connection::open_with(down, envoy.listener_addr("main")?, patience)?;
        assert!(connection.start(&Request::get("/")).is_err(), "{down:?}");
        drop(connection);
        envoy.wait_for("the abort to be counted", || {
            Ok((envoy.stat(&counter("body.aborted"))? == aborted).then_some(()))
        })?;
    }
    assert_no_vm_failed(&envoy);
    Ok(())
}

#[test]
fn origin_that_can_not_be_reached_is_answered_for_by_envoy() -> Outcome {
    let gone = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
    let listener = Listener::main().plugin(&engraft(&patches(EDITS))?);
    let envoy = Bootstrap::proxy(listener, Cluster::origin(Protocol::Http1, gone)).start()?;
    for down in Protocol::ALL {
        let mut connection = Connection::open(down, envoy.listener_addr("main")?)?;
        let received = connection.fetch(&Request::get("/"))?;
        assert_eq!((received.status, received.complete), (503, true), "{down:?}");
    }
    assert_no_vm_failed(&envoy);
    Ok(())
}
