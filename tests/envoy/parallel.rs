//! Streams don't meet: each visitor gets exactly the own page.

use std::error::Error;
use std::sync::Barrier;

use engraft_harness::client::{Connection, Request};
use engraft_harness::origin::{Framing, Gate, Pieces, Reply};
use engraft_harness::wire::Protocol;

use crate::multiplexed;
use crate::stage::{Outcome, Stage};

const VISITORS: usize = 64;

const CONFIGURATION: &str = "
version: 1
attributes:
  name: { cookie: name }
routes:
  - name: all
    patches:
      - select: h1
        text: \"Hello {{ name | default('you') }}\"
      - select: b
        all: true
        attributes: { set: { title: \"{{ name | default('you') }}\" } }
";

fn before() -> String {
    "<p>lead</p><h1>Hello</h1><p>said</p>".to_owned()
}

fn after() -> String {
    "<b>and</b> so <i>on</i> and so forth\n".repeat(500)
}

fn expected(visitor: usize) -> String {
    let after = after().replace("<b>", &format!("<b title=\"visitor-{visitor}\">"));
    format!("{}{after}", before().replace("Hello", &format!("Hello visitor-{visitor}")))
}

/// Pages whose second half comes when all visitors have read the first.
fn stage(gate: &Gate) -> Result<Stage, Box<dyn Error>> {
    let stage = Stage::start(CONFIGURATION)?;
    let reply = Reply::html(before() + &after()).framing(Framing::Chunked);
    stage.origin.reply("/", reply.pieces(Pieces::Sizes(vec![before().len(), 4001, 977])).gate(gate));
    Ok(stage)
}

fn request(visitor: usize) -> Request {
    Request::get("/").header("cookie", format!("name=visitor-{visitor}"))
}

/// Each visitor with a connection of its own; towards the origin they share connections, over HTTP/2 a single one.
fn visit_side_by_side(up: Protocol, down: Protocol) -> Outcome {
    let gate = Gate::new();
    let stage = stage(&gate)?;
    let all_have_begun = Barrier::new(VISITORS + 1);
    let pages = std::thread::scope(|scope| {
        let visitors: Vec<_> = (0..VISITORS)
            .map(|visitor| {
                let (addr, all_have_begun) = (stage.addr(up), &all_have_begun);
                scope.spawn(move || {
                    let connection = Connection::open(down, addr).map_err(|error| error.to_string());
                    // Whoever fails must not keep the others waiting.
                    let mut connection = connection.inspect_err(|_| {
                        all_have_begun.wait();
                    })?;
                    let mut exchange = connection.start(&request(visitor));
                    let begun = exchange.as_mut().is_ok_and(|exchange| exchange.read_until("<p>said</p>"));
                    all_have_begun.wait();
                    match exchange {
                        Ok(exchange) if begun => Ok(exchange.finish()),
                        Ok(_) => Err("it ended early".to_owned()),
                        Err(error) => Err(error.to_string()),
                    }
                })
            })
            .collect();
        all_have_begun.wait();
        gate.open_for_good();
        visitors.into_iter().map(|visitor| visitor.join().map_err(|_| "it panicked")).collect::<Vec<_>>()
    });
    for (visitor, page) in pages.into_iter().enumerate() {
        let page = page??;
        assert!(page.complete, "visitor {visitor}: {:?}", page.broken);
        assert_eq!(page.text(), expected(visitor), "visitor {visitor}");
    }
    let connections: std::collections::BTreeSet<usize> =
        stage.origin.requests().iter().map(|request| request.connection).collect();
    assert_eq!(connections.len() == 1, up == Protocol::Http2, "{connections:?}");
    stage.assert_alive()
}

#[test]
fn visitors_over_http1_get_their_own_pages() -> Outcome {
    visit_side_by_side(Protocol::Http1, Protocol::Http1)
}

#[test]
fn visitors_whose_pages_come_over_one_http2_connection_get_their_own() -> Outcome {
    visit_side_by_side(Protocol::Http2, Protocol::Http1)
}

#[test]
fn visitors_over_one_http2_connection_get_their_own_pages() -> Outcome {
    let gate = Gate::new();
    let stage = stage(&gate)?;
    let mut connection = multiplexed::Connection::open(stage.addr(Protocol::Http2))?;
    for visitor in 0..VISITORS {
        connection.request("/", &format!("name=visitor-{visitor}"))?;
    }
    while !connection.bodies().all(|body| body.ends_with(b"<p>said</p>")) {
        connection.read()?;
    }
    assert!(!connection.bodies().any(|body| body.ends_with(b"forth\n")), "no page is over yet");
    gate.open_for_good();
    while connection.open_streams() > 0 {
        connection.read()?;
    }
    assert_eq!(connection.bodies().count(), VISITORS);
    for (visitor, body) in connection.bodies().enumerate() {
        assert_eq!(String::from_utf8_lossy(body), expected(visitor), "visitor {visitor}");
    }
    stage.assert_alive()
}
