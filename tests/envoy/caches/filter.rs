//! What the two stages count on in Envoy's own cache, `cache_v2` with files, seen without them: a new Envoy that keeps these can be
//! put between them. A filter of the cluster stands where the origin stage does.

use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use engraft_harness::bootstrap::{Bootstrap, CacheFilter, Cluster, Listener};
use engraft_harness::client::{self, Connection, Received, Request};
use engraft_harness::envoy::Envoy;
use engraft_harness::origin::{Framing, Gate, Origin, Pieces, Reply, Then};
use engraft_harness::wire::Protocol::{Http1, Http2};
use serde_json::{Value, json};

use crate::stage::Outcome;

fn mutations(of: &str, name: &str, value: &str) -> Value {
    let append = json!({ "header": { "key": name, "value": value }, "append_action": "ADD_IF_ABSENT" });
    let mut mutations = serde_json::Map::new();
    mutations.insert(of.to_owned(), json!([{ "append": append }]));
    json!({
        "name": "envoy.filters.http.header_mutation",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
            "mutations": mutations,
        },
    })
}

/// Writes this header on every response that lacks it.
fn writes(name: &str, value: &str) -> Value {
    mutations("response_mutations", name, value)
}

fn with(upstream: &[Value], origin: SocketAddr) -> Result<(Envoy, SocketAddr), Box<dyn Error>> {
    let cache = CacheFilter::file_system(Path::new("."))
        .second_version()
        .field("ignore_request_cache_control_header", json!(true));
    let cluster =
        upstream.iter().fold(Cluster::origin(Http1, origin), |cluster, it| cluster.filter(it.clone()));
    let listener = Listener::main().filter(cache.to_filter()).filter(mutations(
        "request_mutations",
        "x-after",
        "the cache",
    ));
    let envoy = Bootstrap::proxy(listener, cluster).start()?;
    let addr = envoy.listener_addr("main")?;
    Ok((envoy, addr))
}

/// The cache, and a filter behind it that says when a page was made.
fn dated(origin: &Origin) -> Result<(Envoy, SocketAddr), Box<dyn Error>> {
    with(&[writes("date", "%START_TIME(%a, %d %b %Y %H:%M:%S GMT)%")], origin.addr())
}

fn get(addr: SocketAddr, path: &str) -> Result<Received, Box<dyn Error>> {
    Ok(client::fetch(Http1, addr, &Request::get(path).header("cache-control", "no-cache"))?)
}

fn page() -> Reply {
    Reply::html("<p>first</p><p>second</p>").header("cache-control", "max-age=60")
}

#[test]
fn it_stores_what_a_filter_of_the_cluster_says_and_asks_through_no_other() -> Outcome {
    let origin = Origin::start()?;
    origin.otherwise(|_| Reply::html("<p>page").header("set-cookie", "a=1").header("set-cookie", "b=2"));
    let date = writes("date", "%START_TIME(%a, %d %b %Y %H:%M:%S GMT)%");
    let (_envoy, addr) = with(&[date, writes("cache-control", "max-age=60")], origin.addr())?;
    for turn in 0..3 {
        let page = get(addr, "/page")?;
        assert_eq!(page.headers.has("age"), turn > 0, "{}", page.headers);
        // It does not look at Set-Cookie: whoever stands behind it has to.
        assert_eq!(page.headers.all("set-cookie"), ["a=1", "b=2"]);
    }
    let asked = origin.requests();
    assert_eq!(asked.len(), 1);
    assert!(asked.iter().all(|asked| !asked.headers.has("x-after")), "{asked:?}");
    Ok(())
}

#[test]
fn a_page_that_does_not_say_when_it_was_made_is_over_at_once() -> Outcome {
    let origin = Origin::start()?;
    origin.reply("/page", page());
    let (_envoy, addr) = with(&[], origin.addr())?;
    for asked in 1..=3 {
        assert!(get(addr, "/page")?.complete);
        assert_eq!(origin.requests().len(), asked);
    }
    Ok(())
}

#[test]
fn what_has_vary_is_not_stored_and_what_is_private_neither() -> Outcome {
    let origin = Origin::start()?;
    origin.reply("/vary", page().header("vary", "accept-language"));
    origin.reply("/private", Reply::html("<p>page").header("cache-control", "private, max-age=60"));
    let (_envoy, addr) = dated(&origin)?;
    for path in ["/vary", "/private"] {
        for asked in 1..=3 {
            assert!(get(addr, path)?.complete);
            assert_eq!(origin.requests().len(), asked, "{path}");
        }
        drop(origin.take_requests());
    }
    Ok(())
}

#[test]
fn a_304_changes_the_stored_head_and_leaves_one_line_of_each_other_header() -> Outcome {
    let origin = Origin::start()?;
    let asked = AtomicUsize::new(0);
    origin.otherwise(move |_| {
        let reply = if asked.fetch_add(1, Ordering::SeqCst) == 0 {
            let twice = Reply::html("<p>page").header("x-twice", "one").header("x-twice", "two");
            twice.header("cache-control", "no-cache").header("x-changes", "before")
        } else {
            Reply::new(304, "").header("cache-control", "max-age=60").header("x-changes", "after")
        };
        reply.header("etag", "\"page\"")
    });
    let (_envoy, addr) = dated(&origin)?;
    let told =
        |page: &Received| (page.headers.all("x-twice").join(" "), page.headers.all("x-changes").join(" "));
    assert_eq!(told(&get(addr, "/page")?), ("one two".to_owned(), "before".to_owned()));
    for _ in 0..2 {
        let page = get(addr, "/page")?;
        assert_eq!((page.status, page.text().as_ref()), (200, "<p>page"));
        assert_eq!(told(&page), ("one".to_owned(), "after".to_owned()));
    }
    let conditional = origin.requests().iter().filter(|asked| asked.headers.has("if-none-match")).count();
    assert_eq!((origin.requests().len(), conditional), (2, 1));
    Ok(())
}

#[test]
fn a_page_is_fetched_once_for_all_who_wait_and_stored_when_they_are_gone() -> Outcome {
    let origin = Origin::start()?;
    let gate = Gate::new();
    let held = gate.clone();
    origin.otherwise(move |_| page().framing(Framing::Chunked).pieces(Pieces::Sizes(vec![12])).gate(&held));
    let (envoy, addr) = dated(&origin)?;
    for down in [Http1, Http2] {
        let mut connections = [Connection::open(down, addr)?, Connection::open(down, addr)?];
        for connection in &mut connections {
            let mut exchange = connection.start(&Request::get("/page"))?;
            assert!(exchange.read_until("first"));
            drop(exchange.abort());
        }
    }
    gate.open_for_good();
    // Whoever comes while the page is still on its way gets it as it comes.
    for _ in 0..3 {
        assert_eq!(get(addr, "/page")?.text(), "<p>first</p><p>second</p>");
    }
    assert_eq!(origin.requests().len(), 1);
    // The first of Envoy's two cache filters would have taken the process with it.
    assert_eq!(envoy.stat("server.live")?, 1);
    Ok(())
}

#[test]
fn a_page_that_breaks_off_is_not_stored() -> Outcome {
    let origin = Origin::start()?;
    let (envoy, addr) = dated(&origin)?;
    for framing in [Framing::ContentLength, Framing::Chunked] {
        for then in [Then::CloseAfter(0), Then::CloseAfter(12), Then::ResetAfter(12)] {
            let path = format!("/{framing:?}-{then:?}").replace(['(', ')'], "-");
            origin.reply(&path, page().framing(framing).then(then));
            let broken = get(addr, &path).map_or(true, |page| !page.complete || page.status >= 500);
            assert!(broken, "{path}");
            origin.reply(&path, page().framing(framing));
            let whole = envoy.wait_for("the page to be fetched again", || {
                Ok(get(addr, &path).ok().filter(|page| page.complete))
            })?;
            assert_eq!(whole.text(), "<p>first</p><p>second</p>", "{path}");
        }
    }
    Ok(())
}
