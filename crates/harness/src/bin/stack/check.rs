//! What the running services have to do, asked from a container beside them.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use engraft_harness::client::{self, Received, Request};
use engraft_harness::shop::{self, GREETING, VISITORS};
use engraft_harness::wire::Protocol::{Http1, Http2};
use serde_json::Value;

use crate::print::FIRST_PORT;
use crate::stand_ins::{EVENTS, FLAG, VARIATIONS};
use crate::{Outcome, PORT};

/// How long payloads and events may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// So many visitors that each variation has some.
const VISITS: usize = 16;
const ASSET: &str = "/assets/hero.svg";
/// What the page says in the second variation.
const BANNER: &str = "Free shipping, says the feature service";

type Check = (&'static str, fn() -> Outcome<()>);

const CHECKS: [Check; 5] = [
    ("the demo shows one page as two visitors see it", two_visitors),
    ("a visitor's own listener needs no headers", own_listeners),
    ("what no route is for passes byte for byte", passes),
    ("the payload of the feature service decides", decides),
    ("the collector is told what was seen, and nothing else", tells),
];

/// Runs all of them, each of which says how it ended.
pub(crate) fn all() -> Outcome<ExitCode> {
    let mut out = std::io::stdout();
    let mut failed: usize = 0;
    for (name, check) in CHECKS {
        match check() {
            Ok(()) => writeln!(out, "ok      {name}")?,
            Err(why) => {
                failed = failed.saturating_add(1);
                writeln!(out, "FAILED  {name}: {why}")?;
            }
        }
    }
    writeln!(out, "{} passed, {failed} failed", CHECKS.len().saturating_sub(failed))?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn two_visitors() -> Outcome<()> {
    let [a, b] = demo()?;
    if !b.contains(GREETING) || a.contains(GREETING) {
        return Err(format!("{GREETING:?} has to stand in B's page, and only there").into());
    }
    // Now from the cache, by the other protocol.
    let request = VISITORS.iter().map(|visitor| {
        visitor
            .headers
            .iter()
            .fold(Request::get(shop::PAGE), |request, (name, value)| request.header(name, *value))
    });
    for (request, before) in request.zip([a, b]) {
        if whole(client::fetch(Http2, at("envoy", FIRST_PORT)?, &request)?)? != before.as_bytes() {
            return Err("over HTTP/2 it is another page".into());
        }
    }
    Ok(())
}

fn own_listeners() -> Outcome<()> {
    let ports = FIRST_PORT.saturating_add(1)..;
    for ((visitor, page), port) in VISITORS.iter().zip(demo()?).zip(ports) {
        if whole(client::fetch(Http1, at("envoy", port)?, &Request::get(shop::PAGE))?)? != page.as_bytes() {
            return Err(format!("{}'s listener shows another page than {0}'s headers", visitor.name).into());
        }
    }
    Ok(())
}

fn demo() -> Outcome<[String; 2]> {
    let addr = at("envoy", FIRST_PORT)?;
    let [a, b] =
        VISITORS.map(|visitor| -> Outcome<String> { Ok(String::from_utf8(whole(visitor.fetch(addr)?)?)?) });
    Ok([a?, b?])
}

fn passes() -> Outcome<()> {
    let direct = whole(client::fetch(Http1, at("origin", PORT)?, &Request::get(ASSET))?)?;
    for protocol in [Http1, Http2] {
        if whole(client::fetch(protocol, at("edge", FIRST_PORT)?, &Request::get(ASSET))?)? != direct {
            return Err(format!("{ASSET} is another file by {protocol:?}").into());
        }
    }
    Ok(())
}

fn decides() -> Outcome<()> {
    decided().map(drop)
}

/// What each visitor sees, who sees the same each time.
fn decided() -> Outcome<BTreeMap<String, &'static str>> {
    let all =
        || (0..VISITS).map(|visit| format!("visitor-{visit}")).map(|id| see(&id).map(|seen| (id, seen)));
    // The payload is fetched while pages are served; before it is there, nothing is decided.
    let seen = wait_for("both variations in pages", || {
        let seen = all().collect::<Outcome<BTreeMap<_, _>>>()?;
        let is_decided = VARIATIONS.iter().all(|variation| seen.values().any(|it| it == variation));
        Ok(is_decided.then_some(seen))
    })?;
    for again in all() {
        let (id, again) = again?;
        if seen.get(&id) != Some(&again) {
            return Err(format!("{id} sees another variation than before").into());
        }
    }
    Ok(seen)
}

fn tells() -> Outcome<()> {
    let seen = decided()?;
    wait_for("the events at the collector", || {
        let told = told()?;
        if let Some((id, variation)) = told.iter().find(|(id, variation)| seen.get(*id) != Some(*variation)) {
            return Err(format!("{id} is said to have seen {variation}").into());
        }
        Ok((told.len() == seen.len()).then_some(()))
    })
}

/// Which variation the page of a visitor shows.
fn see(id: &str) -> Outcome<&'static str> {
    let request = Request::get(shop::PAGE)
        .header("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
        .header("cookie", format!("engraft_id={id}"));
    let page = String::from_utf8(whole(client::fetch(Http1, at("edge", FIRST_PORT)?, &request)?)?)?;
    let [control, shipping] = VARIATIONS;
    Ok(if page.contains(BANNER) { shipping } else { control })
}

/// What the collector knows: visitors, and the variation each of them is said to have seen.
fn told() -> Outcome<BTreeMap<String, &'static str>> {
    let answer = whole(client::fetch(Http1, at("collector", PORT)?, &Request::get(EVENTS))?)?;
    let answer: Value = serde_json::from_slice(&answer)?;
    let mut told = BTreeMap::new();
    for event in answer.get("events").and_then(Value::as_array).ok_or("no events")? {
        let field = |name: &str| event.get(name).and_then(Value::as_str);
        if field("experiment_id") != Some(FLAG) {
            return Err(format!("an event of another experiment: {event}").into());
        }
        let id = field("hash_value").ok_or_else(|| format!("an event of nobody: {event}"))?;
        let index = event
            .get("variation_index")
            .and_then(Value::as_u64)
            .and_then(|index| usize::try_from(index).ok());
        let variation = index
            .and_then(|index| VARIATIONS.get(index))
            .ok_or_else(|| format!("no such variation: {event}"))?;
        told.insert(id.to_owned(), *variation);
    }
    Ok(told)
}

/// The body of a whole 200.
fn whole(page: Received) -> Outcome<Vec<u8>> {
    if page.status == 200 && page.complete {
        Ok(page.body)
    } else {
        Err(format!("it did not come whole (status {})", page.status).into())
    }
}

fn at(service: &str, port: u16) -> Outcome<SocketAddr> {
    (service, port).to_socket_addrs()?.next().ok_or_else(|| format!("{service} has no address").into())
}

#[expect(clippy::disallowed_methods, reason = "what is waited for is another process")]
fn wait_for<T>(what: &str, mut probe: impl FnMut() -> Outcome<Option<T>>) -> Outcome<T> {
    let start = Instant::now();
    loop {
        if let Some(answer) = probe()? {
            return Ok(answer);
        }
        if start.elapsed() > PATIENCE {
            return Err(format!("{what} did not come in {} s", PATIENCE.as_secs()).into());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
