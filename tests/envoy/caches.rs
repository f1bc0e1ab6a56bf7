//! Pages stay cached and personal: a real nginx behind Envoy keeps the page before it is personal, one in front of it stands for a CDN.
//!
//! The attack: a page made for one visitor, or from one visitor's cookies, that the next one gets from a cache.

mod filter;
mod stale;
mod tags;

use std::collections::BTreeSet;
use std::error::Error;
use std::io::Write as _;
use std::net::SocketAddr;

use engraft_harness::bootstrap::{Bootstrap, Cluster, Configuration, Listener, Plugin};
use engraft_harness::client::{Connection, Request};
use engraft_harness::envoy::Envoy;
use engraft_harness::nginx;
use engraft_harness::origin::{Origin, ReceivedRequest, Reply};
use engraft_harness::wire::Protocol::{Http1, Http2};

use crate::stage::Outcome;

const VISITORS: usize = 1_000;
const AT_ONCE: usize = 8;
const PAGES: usize = 3;
/// What browsers send, and which of the page's languages that is.
const LANGUAGES: [(&str, &str); 5] = [
    ("de-CH, de;q=0.9, en;q=0.5", "de"),
    ("en-US,en;q=0.9", "en"),
    ("fr, de;q=0.2", "de"),
    ("ja", "en"),
    ("*", "en"),
];
const COUNTRIES: [&str; 4] = ["US", "CA", "DE", "XX"];

const BEHIND: &str = "
version: 1
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
    patches:
      - { select: '#who', text: '{{ name }}' }
";

const IN_FRONT: &str = "
version: 1
attributes:
  name: { cookie: first_name }
  country: { header: x-geo-country, trusted: true, values: [US, CA, DE], otherwise: other }
routes:
  - name: product
    match: { path: { prefix: /p/ } }
    cache:
      browser: { max_age: 0s }
      cdn: { max_age: 10m, key: [x-geo-country] }
      cdn_dialects: [varnish]
    patches:
      - { select: '#who', text: 'someone in {{ country }}' }
  - name: account
    patches:
      - { select: '#who', text: '{{ name }}' }
";

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
    Reply::html(body).header("cache-control", "max-age=600").header("vary", "Accept-Language")
}

fn envoy(configuration: &str, upstream: SocketAddr) -> Result<(Envoy, SocketAddr), Box<dyn Error>> {
    let plugin = Plugin::engraft(Configuration::Yaml(configuration.to_owned()))?;
    let envoy =
        Bootstrap::proxy(Listener::main().plugin(&plugin), Cluster::origin(Http1, upstream)).start()?;
    let addr = envoy.listener_addr("main")?;
    Ok((envoy, addr))
}

pub(crate) fn has_nginx() -> std::io::Result<bool> {
    let has = nginx::binary().is_some();
    if !has {
        writeln!(std::io::stderr(), "SKIPPED: {}", nginx::NginxError::NotFound)?;
    }
    Ok(has)
}

/// Visitors in an order that is the same in every run and like no other.
fn shuffled() -> Vec<usize> {
    let mut visitors: Vec<usize> = (0..VISITORS).collect();
    // An odd multiplier reaches every residue of a power of two once.
    visitors.sort_by_key(|visitor| visitor.wrapping_mul(2_654_435_761) % (1 << 31));
    visitors
}

/// Asks for every visitor, several at a time; `ask` says what is wrong with what came.
fn all_at_once(ask: impl Fn(usize) -> Result<(), String> + Sync) -> Outcome {
    let visitors = shuffled();
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let parts: Vec<_> = visitors
            .chunks(VISITORS.div_ceil(AT_ONCE))
            .map(|part| {
                scope.spawn(|| part.iter().filter_map(|visitor| ask(*visitor).err()).collect::<Vec<_>>())
            })
            .collect();
        parts.into_iter().flat_map(|part| part.join().unwrap_or_default()).collect()
    });
    match wrong.first() {
        None => Ok(()),
        Some(first) => Err(format!("{} of {VISITORS}, first {first}", wrong.len()).into()),
    }
}

fn fetch(addr: SocketAddr, visitor: usize, request: &Request) -> Result<(String, Option<String>), String> {
    let protocol = if visitor.is_multiple_of(2) { Http1 } else { Http2 };
    let received = Connection::open(protocol, addr).and_then(|mut connection| connection.fetch(request));
    let received = received.map_err(|error| error.to_string())?;
    if received.status != 200 || !received.complete {
        return Err(format!("visitor {visitor}: status {}, {:?}", received.status, received.broken));
    }
    Ok((received.text().into_owned(), received.header("cache-control").map(str::to_owned)))
}

#[test]
fn a_cache_behind_asks_once_for_each_key_and_every_visitor_gets_their_own() -> Outcome {
    if !has_nginx()? {
        return Ok(());
    }
    let origin = Origin::start()?;
    origin.otherwise(page);
    let cache = nginx::Cache::new(origin.addr()).keyed_by("accept-language").start()?;
    let (_envoy, addr) = envoy(BEHIND, cache.addr())?;

    all_at_once(|visitor| {
        let (accepts, language) = LANGUAGES[visitor % LANGUAGES.len()];
        let nth = visitor % PAGES;
        let request = Request::get(&format!("/p/{nth}?utm_source=mail-{visitor}&b=2&a=1&gclid={visitor}"))
            .header("accept-language", accepts)
            .header("authorization", format!("Bearer secret-{visitor}"))
            .header("cookie", format!("session=secret-{visitor}; first_name=visitor-{visitor}"));
        let (body, cache_control) = fetch(addr, visitor, &request)?;
        let expected = format!(
            "<!doctype html><title>Page</title><p id=who>visitor-{visitor}</p><p>cookie nothing, authorization nothing, \
             language {language}, target /p/{nth}?a=1&b=2</p>"
        );
        if body != expected {
            return Err(format!("visitor {visitor} got {body}"));
        }
        if cache_control.as_deref() != Some("private, no-cache") {
            return Err(format!("visitor {visitor}: {cache_control:?}"));
        }
        Ok(())
    })?;

    let asked: Vec<String> = origin
        .requests()
        .iter()
        .map(|request| {
            format!("{} {}", request.target, request.headers.get("accept-language").unwrap_or_default())
        })
        .collect();
    let keys: BTreeSet<&String> = asked.iter().collect();
    assert_eq!(keys.len(), PAGES * 2, "{keys:?}");
    assert_eq!(asked.len(), keys.len(), "the origin is asked once for each key");
    Ok(())
}

#[test]
fn a_cache_in_front_keeps_a_page_for_each_country_and_nothing_personal() -> Outcome {
    if !has_nginx()? {
        return Ok(());
    }
    let origin = Origin::start()?;
    origin.otherwise(page);
    let (_envoy, engraft) = envoy(IN_FRONT, origin.addr())?;
    let cache = nginx::Cache::new(engraft).keyed_by("x-geo-country").start()?;

    all_at_once(|visitor| {
        let country = COUNTRIES[visitor % COUNTRIES.len()];
        let shown = if country == "XX" { "other" } else { country };
        let is_personal = visitor.is_multiple_of(5);
        let path = if is_personal { "/account" } else { "/p/lamp" };
        let who = if is_personal { format!("visitor-{visitor}") } else { format!("someone in {shown}") };
        let request = Request::get(path)
            .header("x-geo-country", country)
            .header("cookie", format!("first_name=visitor-{visitor}"));
        let received = Connection::open(Http1, cache.addr()).and_then(|mut it| it.fetch(&request));
        let received = received.map_err(|error| error.to_string())?;
        if !received.text().contains(&format!("<p id=who>{who}</p>")) {
            return Err(format!("visitor {visitor} got {}", received.text()));
        }
        if is_personal && received.header("x-cache") != Some("MISS") {
            return Err(format!("visitor {visitor}: {:?} for {path}", received.header("x-cache")));
        }
        Ok(())
    })?;

    let asked = |path: &str| origin.requests().iter().filter(|request| request.path() == path).count();
    assert_eq!(asked("/p/lamp"), COUNTRIES.len(), "once for each value of the header");
    assert_eq!(asked("/account"), VISITORS.div_ceil(5), "every time");
    Ok(())
}
