//! A page that Envoy's own cache has stored before it was personal, and that every visitor gets as theirs: the client stage in the
//! listener's chain, the cache filter behind it, the origin stage in the cluster.
//!
//! The attacks: bytes of one visitor that another one gets, be they put in by a patch or by the origin, and a 304 for a page that
//! the visitor does not have.

use std::error::Error;
use std::net::SocketAddr;

use engraft_harness::bootstrap::{
    Bootstrap, CacheFilter, Cluster, Configuration, FailurePolicy, Listener, Plugin,
};
use engraft_harness::client::{self, Received, Request};
use engraft_harness::envoy::{Envoy, EnvoyError};
use engraft_harness::origin::{Origin, ReceivedRequest, Reply};
use engraft_harness::wire::Protocol::{self, Http1, Http2};

use crate::stage::{Outcome, assert_no_vm_failed, counter};

const VISITORS: usize = 1_000;
const AT_ONCE: usize = 8;
const PAGES: usize = 3;

const CONFIG: &str = "
version: 1
debug: {}
attributes:
  name: { cookie: first_name }
routes:
  - name: product
    match: { path: { prefix: /p/ } }
    origin_reads: [{ header: accept-language }]
    cache:
      store: { max_age: 10m }
      query: { drop: [tracking], sort: true }
      headers: { accept_language: [en, de] }
      droppable_cookies: [seen]
    patches:
      - { name: heading, select: h1, attributes: { set: { lang: en } } }
      - { name: who, select: 'p#who', text: '{{ name }}' }
  - name: asked
    match: { path: { prefix: /asked/ } }
    cache: { store: { no_cache: true } }
    patches:
      - { name: all, select: h1, text: 'for all' }
  - name: sessions
    match: { path: { prefix: /s/ } }
    cache:
      store: { max_age: 10m }
      browser: { max_age: 5m }
      rules: [{ cookies: [session], browser: private }]
";

/// One of Envoy's cache filters between two stages of engraft.
pub(crate) struct Chain {
    pub(crate) origin: Origin,
    pub(crate) envoy: Envoy,
    addr: SocketAddr,
}

impl Chain {
    fn start(cache: &CacheFilter) -> Result<Self, Box<dyn Error>> {
        Self::with(cache, CONFIG, CONFIG)
    }

    /// The two stages have a configuration each.
    pub(crate) fn with(
        cache: &CacheFilter,
        client: &str,
        origin_stage: &str,
    ) -> Result<Self, Box<dyn Error>> {
        let origin = Origin::start()?;
        origin.otherwise(page);
        let plugin = |stage: &str, configuration: &str| -> Result<Plugin, Box<dyn Error>> {
            let text = configuration.replace("version: 1\n", &format!("version: 1\nstage: {stage}\n"));
            let plugin = Plugin::engraft(Configuration::Yaml(text))?;
            Ok(plugin.name(&format!("engraft-{stage}")).failure_policy(FailurePolicy::FailClosed))
        };
        let listener = Listener::main()
            .log_filter_state("engraft.patches")
            .log_filter_state("engraft.exposures")
            .plugin(&plugin("client", client)?)
            .filter(cache.to_filter());
        let cluster = Cluster::origin(Http1, origin.addr()).plugin(&plugin("origin", origin_stage)?);
        let envoy = Bootstrap::proxy(listener, cluster).start()?;
        let addr = envoy.listener_addr("main")?;
        Ok(Self { origin, envoy, addr })
    }

    fn fetch(&self, protocol: Protocol, request: &Request) -> Result<Received, Box<dyn Error>> {
        let received = client::fetch(protocol, self.addr, request)
            .map_err(|error| format!("{error}\n{}", self.envoy.log_tail()))?;
        assert!(received.complete, "{:?}\n{}", received.broken, self.envoy.log_tail());
        let internal = received.headers.iter().map(|(name, _)| name.to_ascii_lowercase());
        for name in internal.filter(|name| !["x-engraft-debug", "x-engraft-trace"].contains(&name.as_str())) {
            assert!(!name.starts_with("x-engraft"), "{name} is between the stages");
        }
        Ok(received)
    }

    pub(crate) fn get(&self, request: &Request) -> Result<Received, Box<dyn Error>> {
        self.fetch(Http1, request)
    }

    /// How often the origin was asked.
    pub(crate) fn asked(&self) -> usize {
        self.origin.requests().len()
    }

    /// A counter of the origin stage, which Envoy 1.36 has below its cluster's.
    fn counter(&self, name: &str) -> Result<u64, EnvoyError> {
        let name = counter(&format!("origin.{name}"));
        Ok(self.envoy.stat(&name)?.saturating_add(self.envoy.stat(&format!("cluster.origin.{name}"))?))
    }
}

/// What the origin's page tells of the request that it was made from. It answers conditions, and sets a cookie that a path names.
fn page(request: &ReceivedRequest) -> Reply {
    let saw = |name: &str| request.headers.get(name).unwrap_or("nothing").to_owned();
    let body = format!(
        "<!doctype html><title>Page</title><h1>of the origin</h1><p id=who>nobody</p><p>cookie {}, authorization {}, language {}, \
         target {}</p>",
        saw("cookie"),
        saw("authorization"),
        saw("accept-language"),
        request.target,
    );
    let tag = format!("\"{}\"", saw("accept-language"));
    let is_kept = request.headers.get("if-none-match") == Some(tag.as_str());
    let reply = if is_kept { Reply::new(304, "") } else { Reply::html(body) };
    let reply = reply.header("etag", tag).header("vary", "Accept-Language, Cookie");
    // What an origin says under the stages' own names is nothing to them.
    let reply = reply.header("x-engraft-record", "forged").header("x-engraft-origin-etag", "\"forged\"");
    match request.path().rsplit_once("/sets-") {
        Some((_, cookie)) => reply.header("set-cookie", format!("{cookie}=1")),
        None => reply,
    }
}

fn expected(n: usize, path: &str, language: &str) -> String {
    format!(
        "<!doctype html><title>Page</title><h1 lang=\"en\">of the origin</h1><p id=who>visitor-{n}</p><p>cookie \
         nothing, authorization nothing, language {language}, target {path}</p>"
    )
}

/// What browsers send, and which of the page's languages that is.
fn language(n: usize) -> (&'static str, &'static str) {
    if n.is_multiple_of(2) { ("de-CH, de;q=0.9", "de") } else { ("en-US,fr;q=0.1", "en") }
}

fn visitor(n: usize, path: &str) -> Request {
    Request::get(path)
        .header("accept-language", language(n).0)
        .header("authorization", format!("Bearer secret-{n}"))
        .header("cookie", format!("session=secret-{n}; first_name=visitor-{n}"))
}

/// A thousand visitors in six variants of the stored page, each page with a mark of its visitor. The six are asked for one after the
/// other, since Envoy does not collapse requests that miss at the same time.
fn asks_once_for_each_key(cache: &CacheFilter) -> Outcome {
    let chain = Chain::start(cache)?;
    let ask = |n: usize| -> Result<(), String> {
        let protocol = if n.is_multiple_of(3) { Http2 } else { Http1 };
        let nth = n / 2 % PAGES;
        let request = visitor(n, &format!("/p/{nth}?utm_source=mail-{n}&b=2&a=1&gclid={n}"));
        let received = chain.fetch(protocol, &request.header("x-engraft-debug", "1"));
        let received = received.map_err(|error| error.to_string())?;
        let (text, wanted) = (received.text(), expected(n, &format!("/p/{nth}?a=1&b=2"), language(n).1));
        let hit = if n < PAGES * 2 { "miss" } else { "hit" };
        let debug = received.header("x-engraft-debug").unwrap_or_default();
        if text != wanted || !debug.ends_with(&format!("cache={hit}")) {
            return Err(format!("visitor {n}: {debug}\n{text}"));
        }
        Ok(())
    };
    for n in 0..PAGES * 2 {
        ask(n)?;
    }
    let mut visitors: Vec<usize> = (PAGES * 2..VISITORS).collect();
    // An order that is the same in every run and like no other: an odd multiplier reaches every residue of a power of two once.
    visitors.sort_by_key(|n| n.wrapping_mul(2_654_435_761) % (1 << 31));
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let parts: Vec<_> = visitors
            .chunks(VISITORS.div_ceil(AT_ONCE))
            .map(|part| scope.spawn(|| part.iter().filter_map(|n| ask(*n).err()).collect::<Vec<_>>()))
            .collect();
        parts.into_iter().flat_map(|part| part.join().unwrap_or_default()).collect()
    });
    if let Some(first) = wrong.first() {
        return Err(
            format!("{} of {VISITORS}, first {first}\n{}", wrong.len(), chain.envoy.log_tail()).into()
        );
    }
    assert_eq!(chain.asked(), PAGES * 2, "the hit ratio is what the key predicts");
    for request in chain.origin.requests() {
        let told =
            request.headers.iter().find(|(name, _)| name.starts_with("x-engraft") || *name == "cookie");
        assert_eq!(told, None, "of no business to the origin");
    }
    chain.envoy.wait_for("the origin stage to count", || {
        let (edited, requests) = (chain.counter("body.edited")?, chain.counter("requests")?);
        Ok((edited == 6 && requests == 6).then_some(()))
    })?;
    assert_no_vm_failed(&chain.envoy);
    Ok(())
}

#[test]
fn the_first_filter_asks_once_for_each_key_and_every_visitor_gets_their_own() -> Outcome {
    asks_once_for_each_key(&CacheFilter::simple())
}

#[test]
fn the_second_filter_asks_once_for_each_key_and_every_visitor_gets_their_own() -> Outcome {
    asks_once_for_each_key(&CacheFilter::simple().second_version())
}

#[test]
fn files_are_asked_once_for_each_key_and_every_visitor_gets_their_own() -> Outcome {
    let folder = tempfile::tempdir()?;
    asks_once_for_each_key(&CacheFilter::file_system(folder.path()).second_version())
}

#[test]
fn a_visitor_is_told_304_for_their_own_page_and_no_other() -> Outcome {
    let chain = Chain::start(&CacheFilter::simple().second_version())?;
    let first = chain.get(&visitor(1, "/p/a"))?;
    let tag = first.header("etag").ok_or("no tag")?.to_owned();
    assert!(tag.starts_with("W/\"en;e="), "{tag}");
    let other = chain.get(&visitor(3, "/p/a"))?.header("etag").ok_or("no tag")?.to_owned();
    let forged = "W/\"en;e=0123456789abcdef\"".to_owned();
    let several = format!("{other}, {tag}");
    for (protocol, n, asks, status) in [
        (Http1, 1, &tag, 304),
        (Http2, 1, &tag, 304),
        (Http1, 1, &several, 304),
        (Http1, 3, &tag, 200),
        (Http2, 1, &other, 200),
        (Http1, 1, &forged, 200),
        (Http1, 1, &"\"en\"".to_owned(), 200),
        (Http1, 1, &"*".to_owned(), 200),
    ] {
        let received = chain.fetch(protocol, &visitor(n, "/p/a").header("if-none-match", asks.as_str()))?;
        assert_eq!(received.status, status, "{protocol:?} {n} {asks}: {:?}", received.headers);
        assert_eq!(received.body.is_empty(), status == 304);
        assert_eq!(received.header("cache-control"), Some("private, no-cache"));
        assert_eq!(received.header("vary"), Some("Accept-Language"));
        assert_eq!(received.header("etag"), Some(if n == 1 { &*tag } else { &*other }));
        assert_eq!(received.header("content-type").is_some(), status == 200);
    }
    // HEAD has the headers of GET.
    let of_get = chain.get(&visitor(1, "/p/a"))?;
    let head = |request: Request| chain.get(&request.header("cookie", "first_name=visitor-1"));
    let asks = || Request::new("HEAD", "/p/a").header("accept-language", language(1).0);
    let of_head = head(asks())?;
    assert_eq!((of_head.status, of_head.body.len()), (200, 0));
    for name in ["etag", "cache-control", "vary", "content-type"] {
        assert_eq!(of_head.header(name), of_get.header(name), "{name}");
    }
    assert_eq!(head(asks().header("if-none-match", tag.as_str()))?.status, 304);
    // What guards a change is for the origin to judge, which is asked by its own tag.
    let guarded = chain.get(&visitor(1, "/p/a").header("if-match", tag.as_str()))?;
    assert_eq!(guarded.text(), expected(1, "/p/a", "en"));
    let told =
        chain.origin.take_requests().pop().and_then(|it| it.headers.get("if-match").map(str::to_owned));
    assert_eq!(told.as_deref(), Some("\"en\""));
    // A date does not tell variants apart.
    let by_date = visitor(1, "/p/a").header("if-modified-since", "Fri, 01 Jan 2100 00:00:00 GMT");
    assert_eq!(chain.get(&by_date)?.status, 200);
    assert_eq!(chain.asked(), 0, "no other condition of a visitor passes the cache by");
    assert_no_vm_failed(&chain.envoy);
    Ok(())
}

#[test]
fn what_is_over_is_asked_for_by_the_origins_tag_and_stays_what_it_was() -> Outcome {
    let chain = Chain::start(&CacheFilter::simple().second_version())?;
    for nth in 0..3 {
        let received = chain.get(&visitor(nth, "/asked/a"))?;
        assert_eq!(received.status, 200);
        assert!(received.text().contains("<h1>for all</h1><p id=who>nobody</p>"), "{}", received.text());
        assert_eq!(received.header("cache-control"), None, "as the origin says");
        let told =
            chain.origin.requests().last().and_then(|it| it.headers.get("if-none-match").map(str::to_owned));
        assert_eq!(told, (nth > 0).then(|| "\"nothing\"".to_owned()));
    }
    assert_eq!(chain.asked(), 3);
    assert_no_vm_failed(&chain.envoy);
    Ok(())
}

#[test]
fn what_sets_a_cookie_is_stored_only_where_that_may_be_dropped() -> Outcome {
    let chain = Chain::start(&CacheFilter::simple().second_version())?;
    for n in [1, 3, 5] {
        let received = chain.get(&visitor(n, "/p/sets-csrf"))?;
        assert_eq!(received.header("set-cookie"), Some("csrf=1"), "it arrives");
        assert_eq!(received.text(), expected(n, "/p/sets-csrf", "en"));
        let received = chain.get(&visitor(n, "/p/sets-seen"))?;
        assert_eq!(received.header("set-cookie"), None);
        assert_eq!(received.text(), expected(n, "/p/sets-seen", "en"));
    }
    let asked = |path: &str| chain.origin.requests().iter().filter(|request| request.path() == path).count();
    assert_eq!((asked("/p/sets-csrf"), asked("/p/sets-seen")), (3, 1));
    chain.envoy.wait_for("the origin stage to count", || {
        let refused = chain.counter("cache.not_storable.set_cookie")?;
        Ok((refused == 3 && chain.counter("cache.cookies_dropped")? == 1).then_some(()))
    })?;
    Ok(())
}

#[test]
fn those_with_a_session_have_pages_of_their_own_beside_the_stored_one() -> Outcome {
    let chain = Chain::start(&CacheFilter::simple().second_version())?;
    for n in [1, 2, 3] {
        let anonymous = chain.get(&Request::get("/s/a"))?;
        assert!(anonymous.text().contains("cookie nothing"), "{}", anonymous.text());
        assert_eq!(anonymous.header("cache-control"), Some("private, max-age=300"));
        for header in ["age", "expires"] {
            assert_eq!(anonymous.header(header), None, "it would defeat the lifetime");
        }
        let own = chain.get(&visitor(n, "/s/a"))?;
        assert!(own.text().contains(&format!("session=secret-{n}")), "{}", own.text());
        assert_eq!(own.header("cache-control"), Some("private"));
    }
    assert_eq!(chain.asked(), 1 + 3);
    Ok(())
}

#[test]
fn nobody_but_the_client_stage_chooses_what_is_stored_or_found() -> Outcome {
    let chain = Chain::start(&CacheFilter::simple().second_version())?;
    assert_eq!(chain.get(&visitor(1, "/p/a"))?.text(), expected(1, "/p/a", "en"));
    let forged = visitor(3, "/p/a?x-engraft-key=0123456789abcdef0123456789abcdef")
        .header("x-engraft-route", "00000000000000000000000000000000;product")
        .header("x-engraft-url", "https://evil.example/p/a")
        .header("x-engraft-record", "00000000000000000000000000000000;made=0-1");
    assert_eq!(chain.get(&forged)?.text(), expected(3, "/p/a", "en"));
    assert_eq!(chain.asked(), 1);
    // On no route: the origin's own page, without the parameter.
    let received =
        chain.get(&Request::get("/other?x-engraft-key=1&a=b").header("x-engraft-route", "forged"))?;
    assert!(received.text().contains("target /other?a=b"), "{}", received.text());
    // With a body nothing is read from the cache, and the answer is not put into it.
    let posted = chain.get(&Request::new("POST", "/p/a").header("cookie", "first_name=poster").body("x"))?;
    assert!(posted.text().contains("cookie first_name=poster"), "{}", posted.text());
    assert_eq!(chain.get(&visitor(5, "/p/a"))?.text(), expected(5, "/p/a", "en"));
    assert_no_vm_failed(&chain.envoy);
    Ok(())
}

#[test]
fn stages_that_are_configured_otherwise_make_the_page_and_store_nothing() -> Outcome {
    let other = CONFIG.replace("lang: en", "lang: de");
    let chain = Chain::with(&CacheFilter::simple().second_version(), CONFIG, &other)?;
    for n in [1, 3] {
        let received = chain.get(&visitor(n, "/p/a"))?;
        assert_eq!(received.text(), expected(n, "/p/a", "en"));
        assert_eq!(received.header("cache-control"), Some("private, no-cache"));
    }
    assert_eq!(chain.asked(), 2);
    assert_no_vm_failed(&chain.envoy);
    Ok(())
}
