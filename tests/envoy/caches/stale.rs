//! Pages that are over stay personal: while they are fetched anew, and while there is nobody to fetch them from.
//!
//! nginx does here what Cache-Control says by `stale-while-revalidate` and `stale-if-error`: the origin's, or engraft's.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use engraft_harness::client::{self, Received, Request};
use engraft_harness::envoy::Envoy;
use engraft_harness::nginx;
use engraft_harness::origin::{Framing, Gate, Origin, Pieces, Reply};
use engraft_harness::wire::Protocol::Http1;

use super::{envoy, has_nginx};
use crate::stage::Outcome;

/// nginx counts in whole seconds: a lifetime of one is over after the second tick.
const UNTIL_OVER: Duration = Duration::from_millis(2_100);

const BEHIND: &str = "
version: 1
attributes:
  name: { cookie: first_name }
routes:
  - name: product
    match: { path: { prefix: /p/ } }
    cache: { store: { max_age: 1h } }
    patches:
      - { select: '#who', text: '{{ name }}' }
";

const IN_FRONT: &str = "
version: 1
attributes:
  country: { header: x-geo-country, trusted: true, values: [US, CA], otherwise: other }
routes:
  - name: product
    match: { path: { prefix: /p/ } }
    cache:
      browser: { max_age: 0s, stale_while_revalidate: 10m, stale_if_error: 10m }
      cdn: { max_age: 1s, stale_while_revalidate: 10m, stale_if_error: 10m, key: [x-geo-country] }
      cdn_dialects: [varnish]
    patches:
      - { select: '#who', text: '{{ country }}' }
";

/// An edition of the page; what is behind the first part waits for the gate.
fn edition(number: usize, gate: &Gate) -> Reply {
    let head = format!("<!doctype html><title>Edition {number}</title><p id=who>nobody</p>");
    let length = head.len();
    Reply::html(format!("{head}<p>The end</p>"))
        .framing(Framing::Chunked)
        .pieces(Pieces::Sizes(vec![length]))
        .gate(gate)
}

fn open_gate() -> Gate {
    let gate = Gate::new();
    gate.open_for_good();
    gate
}

/// The page of one visitor, whose `header` has this value.
fn fetch(addr: SocketAddr, (header, value): (&str, &str)) -> Result<Received, String> {
    let request = Request::get("/p/lamp").header(header, value);
    let page = client::fetch(Http1, addr, &request).map_err(|error| error.to_string())?;
    if page.complete { Ok(page) } else { Err(format!("{value}: {:?}", page.broken)) }
}

fn assert_shows(page: &Received, number: usize, who: &str) {
    let expected = format!("<!doctype html><title>Edition {number}</title><p id=who>{who}</p><p>The end</p>");
    assert_eq!((page.status, page.text().as_ref()), (200, expected.as_str()), "{}", page.headers);
}

/// What happens to a page that is over, with two visitors who must see different things: they get the old one at once, each
/// their own, as long as the new one is on its way, and then the new one. The cache has so many `keys` for them.
fn old_ones_go_out_while_the_new_one_is_fetched(
    origin: &Origin,
    envoy: &Envoy,
    addr: SocketAddr,
    visitors: [((&str, &str), &str); 2],
    keys: usize,
) -> Outcome {
    let (gate, asked) = (Gate::new(), AtomicUsize::new(0));
    let held = gate.clone();
    origin.otherwise(move |_| {
        let is_first = asked.fetch_add(1, Ordering::SeqCst) < keys;
        let reply = if is_first { edition(1, &open_gate()) } else { edition(2, &held) };
        reply.header("cache-control", "max-age=1, stale-while-revalidate=600, stale-if-error=600")
    });
    for (visitor, who) in visitors {
        assert_shows(&fetch(addr, visitor)?, 1, who);
    }
    std::thread::sleep(UNTIL_OVER);
    for _ in 0..2 {
        for (visitor, who) in visitors {
            let page = fetch(addr, visitor)?;
            assert_shows(&page, 1, who);
            let state = page.header("x-cache").unwrap_or_default();
            assert!(matches!(state, "STALE" | "UPDATING"), "{state}");
        }
    }
    gate.open_for_good();
    for (visitor, who) in visitors {
        let page = envoy.wait_for("the new edition", || {
            Ok(fetch(addr, visitor).ok().filter(|page| page.text().contains("Edition 2")))
        })?;
        assert_shows(&page, 2, who);
    }
    assert_eq!(origin.requests().len(), 2 * keys, "once for each edition");
    Ok(())
}

#[test]
fn a_page_behind_that_is_over_goes_out_personal_while_it_is_fetched() -> Outcome {
    if !has_nginx()? {
        return Ok(());
    }
    let origin = Origin::start()?;
    // A connection over which a page was asked for that is being fetched anew is busy until that is done.
    let cache = nginx::Cache::new(origin.addr())
        .directive("proxy_cache_background_update on;")
        .directive("keepalive_timeout 0;")
        .start()?;
    let (envoy, addr) = envoy(BEHIND, cache.addr())?;
    let visitors = [(("cookie", "first_name=Ada"), "Ada"), (("cookie", "first_name=Eve"), "Eve")];
    old_ones_go_out_while_the_new_one_is_fetched(&origin, &envoy, addr, visitors, 1)
}

#[test]
fn a_page_in_front_that_is_over_stays_that_of_its_country_while_it_is_fetched() -> Outcome {
    if !has_nginx()? {
        return Ok(());
    }
    let origin = Origin::start()?;
    let (envoy, engraft) = envoy(IN_FRONT, origin.addr())?;
    let cache = nginx::Cache::new(engraft)
        .keyed_by("x-geo-country")
        .directive("proxy_cache_background_update on;")
        .start()?;
    let visitors = [(("x-geo-country", "US"), "US"), (("x-geo-country", "CA"), "CA")];
    old_ones_go_out_while_the_new_one_is_fetched(&origin, &envoy, cache.addr(), visitors, 2)
}

#[test]
fn a_page_behind_stays_personal_when_the_origin_is_gone() -> Outcome {
    if !has_nginx()? {
        return Ok(());
    }
    for (says, directive) in
        [("max-age=1, stale-if-error=600", ""), ("max-age=1", "proxy_cache_use_stale error http_500;")]
    {
        let origin = Origin::start()?;
        origin.reply("/p/lamp", edition(1, &open_gate()).header("cache-control", says));
        let cache = nginx::Cache::new(origin.addr()).directive(directive).start()?;
        let (_envoy, addr) = envoy(BEHIND, cache.addr())?;
        assert_shows(&fetch(addr, ("cookie", "first_name=Ada"))?, 1, "Ada");
        std::thread::sleep(UNTIL_OVER);
        // stale-if-error alone does not cover answers, with nginx: lost connections only.
        if directive.contains("http_500") {
            origin.reply("/p/lamp", Reply::new(500, "oops"));
            assert_shows(&fetch(addr, ("cookie", "first_name=Bob"))?, 1, "Bob");
        }
        drop(origin);
        for name in ["Ada", "Eve"] {
            let page = fetch(addr, ("cookie", &format!("first_name={name}")))?;
            assert_shows(&page, 1, name);
            assert_eq!(page.header("x-cache"), Some("STALE"), "{says}");
        }
    }
    Ok(())
}

#[test]
fn a_page_in_front_stays_that_of_its_country_when_engraft_or_the_origin_is_gone() -> Outcome {
    if !has_nginx()? {
        return Ok(());
    }
    let origin = Origin::start()?;
    origin.reply("/p/lamp", edition(1, &open_gate()));
    let (envoy, engraft) = envoy(IN_FRONT, origin.addr())?;
    // Envoy answers 503 where the origin is gone; where Envoy is, what engraft said of errors counts.
    let cache = nginx::Cache::new(engraft).keyed_by("x-geo-country");
    let for_answers = cache.clone().directive("proxy_cache_use_stale http_503;").start()?;
    let as_told = cache.start()?;
    let countries = ["US", "CA"];
    for (cache, country) in
        [&for_answers, &as_told].into_iter().flat_map(|cache| countries.map(|it| (cache, it)))
    {
        let page = fetch(cache.addr(), ("x-geo-country", country))?;
        assert_shows(&page, 1, country);
        let says = page.header("cache-control").unwrap_or_default();
        assert!(says.contains("s-maxage=1,") && says.contains("stale-if-error=600"), "{says}");
    }
    std::thread::sleep(UNTIL_OVER);
    let assert_stale = |cache: &nginx::Nginx| -> Outcome {
        for country in countries {
            let page = fetch(cache.addr(), ("x-geo-country", country))?;
            assert_shows(&page, 1, country);
            assert_eq!(page.header("x-cache"), Some("STALE"), "{country}");
        }
        Ok(())
    };
    drop(origin);
    assert_stale(&for_answers)?;
    drop(envoy);
    assert_stale(&as_told)
}
