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
use engraft_harness::envoy::Envoy;
use engraft_harness::origin::{Origin, ReceivedRequest, Reply};
use engraft_harness::wire::Protocol::{self, Http1, Http2};

use crate::stage::{Outcome, assert_no_vm_failed};

const CONFIG: &str = "
version: 1
debug: {}
attributes:
  name: { cookie: first_name }
  language: { language: [en, de], otherwise: en }
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
      - { name: who, select: '#who', text: '{{ name }}' }
  - name: passing
    match: { path: { prefix: /session/ } }
    cache:
      store: { max_age: 10m }
      rules: [{ cookies: [session], browser: private }]
";

/// One of Envoy's cache filters between two stages of engraft.
struct Chain {
    origin: Origin,
    envoy: Envoy,
    addr: SocketAddr,
}

impl Chain {
    fn start(configuration: &str, cache: &CacheFilter) -> Result<Self, Box<dyn Error>> {
        let origin = Origin::start()?;
        origin.otherwise(page);
        let plugin = |stage: &str| -> Result<Plugin, Box<dyn Error>> {
            let text = configuration.replace("version: 1\n", &format!("version: 1\nstage: {stage}\n"));
            let plugin = Plugin::engraft(Configuration::Yaml(text))?;
            Ok(plugin.name(&format!("engraft-{stage}")).failure_policy(FailurePolicy::FailClosed))
        };
        let listener = Listener::main().plugin(&plugin("client")?).filter(cache.to_filter());
        let cluster = Cluster::origin(Http1, origin.addr()).plugin(&plugin("origin")?);
        let envoy = Bootstrap::proxy(listener, cluster).start()?;
        let addr = envoy.listener_addr("main")?;
        Ok(Self { origin, envoy, addr })
    }

    fn fetch(&self, protocol: Protocol, request: &Request) -> Result<Received, Box<dyn Error>> {
        let received = client::fetch(protocol, self.addr, request)
            .map_err(|error| format!("{error}\n{}", self.envoy.log_tail()))?;
        assert!(received.complete, "{:?}\n{}", received.broken, self.envoy.log_tail());
        for (name, _) in received.headers.iter() {
            assert!(
                name.eq_ignore_ascii_case("x-engraft-debug") || !name.starts_with("x-engraft"),
                "{name} is between the stages"
            );
        }
        Ok(received)
    }

    fn get(&self, request: &Request) -> Result<Received, Box<dyn Error>> {
        self.fetch(Http1, request)
    }

    fn asked(&self) -> usize {
        self.origin.requests().len()
    }
}

/// What the origin's page tells of the request that it was made from.
fn page(request: &ReceivedRequest) -> Reply {
    let saw = |name: &str| request.headers.get(name).unwrap_or("nothing").to_owned();
    let body = format!(
        "<!doctype html><title>Page</title><p id=who>nobody</p><p>cookie {}, authorization {}, language {}, target {}</p>",
        saw("cookie"),
        saw("authorization"),
        saw("accept-language"),
        request.target,
    );
    let tag = format!("\"{}\"", saw("accept-language"));
    let told = request.headers.get("if-none-match");
    let reply = if told.is_some_and(|told| told == tag) { Reply::new(304, "") } else { Reply::html(body) };
    reply.header("etag", tag).header("vary", "Accept-Language, Cookie")
}

fn visitor(n: usize, path: &str) -> Request {
    Request::get(path)
        .header("accept-language", if n.is_multiple_of(2) { "de-CH, de;q=0.9" } else { "en-US,fr;q=0.1" })
        .header("authorization", format!("Bearer secret-{n}"))
        .header("cookie", format!("session=secret-{n}; first_name=visitor-{n}"))
}

#[test]
fn the_origin_is_asked_once_for_each_key_and_every_visitor_gets_their_own() -> Outcome {
    let chain = Chain::start(CONFIG, &CacheFilter::simple())?;
    for n in 0..20 {
        let protocol = if n % 3 == 0 { Http2 } else { Http1 };
        let received = chain.fetch(
            protocol,
            &visitor(n, &format!("/p/a?utm_source=mail-{n}&b=2&a=1")).header("x-engraft-debug", "1"),
        )?;
        let language = if n.is_multiple_of(2) { "de" } else { "en" };
        assert_eq!(
            received.text(),
            format!(
                "<!doctype html><title>Page</title><p id=who>visitor-{n}</p><p>cookie nothing, authorization nothing, \
                 language {language}, target /p/a?a=1&b=2</p>"
            ),
            "{}",
            chain.envoy.log_tail()
        );
        let hit = if n < 2 { "miss" } else { "hit" };
        let debug = received.header("x-engraft-debug").unwrap_or_default();
        assert!(debug.ends_with(&format!("cache={hit}")), "{n}: {debug}");
    }
    assert_eq!(chain.asked(), 2);
    assert_no_vm_failed(&chain.envoy);
    Ok(())
}

#[test]
fn a_visitor_is_told_304_for_their_own_page_and_no_other() -> Outcome {
    let chain = Chain::start(CONFIG, &CacheFilter::simple())?;
    let first = chain.get(&visitor(1, "/p/a"))?;
    let tag = first.header("etag").ok_or("no tag")?.to_owned();
    assert!(tag.starts_with("W/\"en;e="), "{tag}");
    for (protocol, n, status) in [(Http1, 1, 304), (Http2, 1, 304), (Http1, 3, 200)] {
        let received = chain.fetch(protocol, &visitor(n, "/p/a").header("if-none-match", tag.as_str()))?;
        assert_eq!(received.status, status, "{protocol:?} {n}: {:?}", received.headers);
        assert_eq!(received.body.is_empty(), status == 304);
        assert_eq!(received.header("cache-control"), Some("private, no-cache"));
        assert_eq!(received.header("etag") == Some(&tag), status == 304);
    }
    assert_eq!(chain.asked(), 1);
    assert_no_vm_failed(&chain.envoy);
    Ok(())
}
