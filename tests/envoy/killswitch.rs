//! engraft is taken out, of everything or of a share, while visitors ask: at once, without a reload, and without one response that is
//! not a whole page. What `envoy/` has for that is used as it stands.
//!
//! The attack: a page that was asked for with one visitor's cookies while engraft was out, and that the cache gives to the next.

use std::error::Error;

use engraft_harness::client::{self, Connection, Request};
use engraft_harness::envoy::{Envoy, Launch};
use engraft_harness::origin::{Framing, Gate, Origin, Pieces, ReceivedRequest, Reply};
use engraft_harness::wire::Protocol::{self, Http1};
use engraft_harness::workspace;

use crate::shipped::{EVERYWHERE, ORIGIN, address, cached, configuration, edge, port, uncommented};
use crate::stage::{Outcome, assert_no_vm_failed};
use crate::visitors::{Visitor, Visitors};

const FOOTER: &str = "<p>as ever</p>";

/// A page of which only the cookie's owner may get this copy, though the origin lets caches keep it.
fn page(request: &ReceivedRequest) -> Reply {
    let owner = request.headers.get("cookie").unwrap_or("nobody").to_owned();
    let page = format!("<p class=greeting>Hello</p><p>for {owner}</p>{FOOTER}");
    Reply::html(page).header("cache-control", "max-age=600")
}

fn cookie(n: usize) -> String {
    format!("first_name=visitor-{n}")
}

fn plain(n: usize) -> String {
    format!("<p class=greeting>Hello</p><p>for {}</p>{FOOTER}", cookie(n))
}

/// Edited by engraft.yaml: the origin is asked with the visitor's cookies.
fn personal(n: usize) -> String {
    plain(n).replace("Hello", &format!("Welcome back, visitor-{n}."))
}

/// Edited by cached.yaml: the page is everybody's.
fn stored(n: usize) -> String {
    format!("<p class=greeting>Welcome back, visitor-{n}.</p><p>for nobody</p>{FOOTER}")
}

fn asks(n: usize, path: &str) -> Request {
    Request::get(path).header("cookie", cookie(n))
}

fn origin() -> Result<Origin, Box<dyn Error>> {
    let origin = Origin::start()?;
    origin.otherwise(page);
    Ok(origin)
}

fn switch(envoy: &Envoy, percent: u32) -> Outcome {
    envoy.admin_post(&format!("/runtime_modify?engraft.off={percent}"))?;
    Ok(())
}

fn assert_served(envoy: &Envoy) -> Outcome {
    assert_eq!(envoy.stat("http.edge.downstream_rq_5xx")?, 0);
    assert_eq!(envoy.stat("http.edge.downstream_cx_destroy_local")?, 0, "no connection was closed");
    assert_no_vm_failed(envoy);
    Ok(())
}

#[test]
fn the_switch_works_under_load_without_one_error() -> Outcome {
    let origin = origin()?;
    let envoy = edge(&origin)?;
    let visitor = |n| Visitor { request: asks(n, "/p/a/"), pages: vec![personal(n), plain(n)] };
    let visitors = Visitors::start(envoy.listener_addr("edge")?, (0..8).map(visitor).collect());
    visitors.wait_for(&envoy, 0)?;
    // One page is under way all the while, and ends as it began.
    let gate = Gate::new();
    let slow = Reply::html(plain(9)).framing(Framing::Chunked).pieces(Pieces::Sizes(vec![30]));
    origin.reply("/p/slow/", slow.gate(&gate));
    let mut connection = Connection::open(Http1, envoy.listener_addr("edge")?)?;
    let mut exchange = connection.start(&asks(9, "/p/slow/"))?;
    assert!(exchange.read_until("<p class=greeting>"), "it has begun");
    for (percent, which) in [(100, 1), (0, 0), (100, 1)] {
        switch(&envoy, percent)?;
        visitors.wait_for(&envoy, which)?;
    }
    gate.open_for_good();
    assert_eq!(exchange.finish().text(), personal(9));
    switch(&envoy, 0)?;
    visitors.wait_for(&envoy, 0)?;
    for seen in visitors.finish()? {
        assert_eq!(seen.runs, [0, 1, 0, 1, 0], "{seen:?}");
    }
    assert_served(&envoy)
}

#[test]
fn the_switch_of_both_stages_works_under_load_and_what_is_stored_stays() -> Outcome {
    let origin = origin()?;
    let envoy = cached(&origin)?;
    let addr = envoy.listener_addr("edge")?;
    let visitor = |n| Visitor { request: asks(n, "/p/a/"), pages: vec![stored(n), plain(n)] };
    // Visitors who miss at the same time are not what this is about.
    assert_eq!(client::fetch(Http1, addr, &asks(0, "/p/a/"))?.text(), stored(0));
    let visitors = Visitors::start(addr, (0..8).map(visitor).collect());
    visitors.wait_for(&envoy, 0)?;
    let asked = |origin: &Origin| origin.take_requests().iter().filter(|it| it.path() == "/p/a/").count();
    assert_eq!(asked(&origin), 1, "the page is stored");
    switch(&envoy, 100)?;
    visitors.wait_for(&envoy, 1)?;
    // Meanwhile a page comes up that nobody had asked for.
    assert_eq!(client::fetch(Http1, addr, &asks(3, "/p/b/"))?.text(), plain(3));
    switch(&envoy, 0)?;
    visitors.wait_for(&envoy, 0)?;
    assert!(asked(&origin) >= 8, "each asked for their own");
    // The stored page is there as it was, and nothing of what came meanwhile.
    assert_eq!(client::fetch(Http1, addr, &asks(4, "/p/a/"))?.text(), stored(4));
    assert_eq!(asked(&origin), 0);
    assert_eq!(client::fetch(Http1, addr, &asks(5, "/p/b/"))?.text(), stored(5));
    for seen in visitors.finish()? {
        assert_eq!(seen.runs, [0, 1, 0], "{seen:?}");
    }
    assert_served(&envoy)
}

/// How many of so many requests go without engraft; every page is one of the two that are right.
fn share(envoy: &Envoy, requests: usize, with: &str, without: &str) -> Result<usize, Box<dyn Error>> {
    let mut out = 0;
    for protocol in Protocol::ALL {
        let mut connection = Connection::open(protocol, envoy.listener_addr("edge")?)?;
        for _ in 0..requests / 2 {
            let page = connection.fetch(&asks(1, "/p/a/"))?;
            assert!(page.text() == with || page.text() == without, "{}", page.text());
            out += usize::from(page.text() == without);
        }
    }
    Ok(out)
}

#[test]
fn a_share_of_requests_goes_without_engraft() -> Outcome {
    let (one, other) = (origin()?, origin()?);
    for (envoy, with) in [(edge(&one)?, personal(1)), (cached(&other)?, stored(1))] {
        assert_eq!(share(&envoy, 100, &with, &plain(1))?, 0);
        switch(&envoy, 25)?;
        envoy.wait_for("the workers to see the switch", || {
            let addr = envoy.listener_addr("edge")?;
            let page = client::fetch(Http1, addr, &asks(1, "/p/a/"));
            Ok(page.is_ok_and(|page| page.text() == plain(1)).then_some(()))
        })?;
        // Of 800 requests 200 are to be expected; what is asserted lies eight standard deviations from that.
        let out = share(&envoy, 800, &with, &plain(1))?;
        assert!((100..300).contains(&out), "{out} of 800");
        assert_served(&envoy)?;
    }
    Ok(())
}

#[test]
fn who_shows_the_secret_goes_without_engraft_and_leaves_nothing_in_a_cache() -> Outcome {
    let module = workspace::module()?.to_string_lossy().into_owned();
    for (file, with) in [("engraft.yaml", personal(1)), ("cached.yaml", stored(1))] {
        let origin = origin()?;
        let (admin, listener, (old, new)) = (port(9901), port(10000), EVERYWHERE);
        let mut replaced = vec![
            (admin.0.as_str(), admin.1),
            (listener.0.as_str(), listener.1),
            ("/etc/envoy/engraft.wasm", module.clone()),
            (old, new.to_owned()),
            (ORIGIN.0, address(origin.addr())),
        ];
        replaced.push(if file == "cached.yaml" {
            ("cache_path: /var/cache/envoy", "cache_path: .".to_owned())
        } else {
            ("address: cdn.growthbook.io, port_value: 443", "address: 127.0.0.1, port_value: 9".to_owned())
        });
        let envoy = Launch::new(uncommented(&configuration(file, &replaced)?)).start()?;
        let addr = envoy.listener_addr("edge")?;
        for down in Protocol::ALL {
            let fetch = |request: &Request| client::fetch(down, addr, request);
            let shown = fetch(&asks(1, "/p/a/").header("x-engraft-off", "secret-of-yours"))?;
            assert_eq!(shown.text(), plain(1), "{file} {down:?}");
            assert_eq!(shown.header("cache-control"), Some("no-store"), "{file} {down:?}");
            for guess in ["secret", "", "secret-of-yours2"] {
                let page = fetch(&asks(1, "/p/a/").header("x-engraft-off", guess))?;
                assert_eq!(page.text(), with, "{file} {down:?} {guess}");
            }
        }
        for asked in origin.take_requests() {
            assert!(!asked.headers.has("x-engraft-off"), "{file}: {:?}", asked.headers);
        }
        assert_served(&envoy)?;
    }
    Ok(())
}
