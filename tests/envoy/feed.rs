//! A GrowthBook payload that is fetched while pages are served: by one worker for all of them, and whatever becomes of it, no page
//! waits.

use std::error::Error;
use std::net::SocketAddr;

use engraft_harness::bootstrap::{Bootstrap, Cluster, Configuration, FailurePolicy, Listener, Plugin};
use engraft_harness::client::{self, Connection, Request};
use engraft_harness::envoy::{Envoy, Update};
use engraft_harness::origin::{Origin, Reply, Then};
use engraft_harness::wire::Protocol::Http1;
use serde_json::json;

use crate::stage::{Outcome, assert_no_vm_failed, counter};

const PATH: &str = "/api/features/sdk-test";
const KEY: &str = "Zvwv/+uhpFDznZ6SX28Yjg==";
/// A feature and its value, encrypted by that key.
const ENCRYPTED: &str =
    "m5ylFM6ndyOJA2OPadubkw==.Uu7ViqgKEt/dWvCyhI46q088PkAEJbnXKf3KPZjf9IEQQ+A8fojNoxw4wIbPX3aj";

/// Envoy's main thread has a VM, too. It serves nobody, and may be the one that asks.
const MAIN: u64 = 1;

/// Pages say what the flag `a` is; below `/stored/` they don't.
fn configuration(stage: &str, more: &str) -> String {
    format!(
        "
version: 1
stage: {stage}
growthbook:
  fetch: {{ cluster: growthbook, authority: features.example, client_key: sdk-test, interval: 1s, timeout: 1s }}
{more}
routes:
  - name: stored
    match: {{ path: {{ prefix: /stored/ }} }}
    cache: {{ store: {{ max_age: 1h }} }}
    patches:
      - {{ select: h1, text: edited }}
  - name: flags
    patches:
      - {{ select: h1, text: \"a is {{{{ flags.a | default('nothing') }}}}\" }}
"
    )
}

/// Pages and payloads, and an Envoy in front.
struct Fed {
    service: Origin,
    envoy: Envoy,
    addr: SocketAddr,
    _pages: Origin,
}

impl Fed {
    fn start(workers: u32, service: Origin, more: &str) -> Result<Self, Box<dyn Error>> {
        let text = configuration("both", more);
        let plugin = Plugin::engraft(Configuration::Yaml(text))?.failure_policy(FailurePolicy::FailClosed);
        let addr = service.addr();
        Self::with(workers, (service, addr), |listener| listener.plugin(&plugin), |cluster| cluster)
    }

    fn with(
        workers: u32,
        (service, at): (Origin, SocketAddr),
        listener: impl Fn(Listener) -> Listener,
        cluster: impl Fn(Cluster) -> Cluster,
    ) -> Result<Self, Box<dyn Error>> {
        let pages = Origin::start()?;
        pages.otherwise(|_| Reply::html("<h1>of the origin</h1>"));
        let bootstrap = Bootstrap::new()
            .listener(listener(Listener::main()))
            .cluster(cluster(Cluster::origin(Http1, pages.addr())))
            .cluster(Cluster::new("growthbook", Http1, at));
        let envoy = bootstrap.launch().concurrency(workers).start()?;
        let addr = envoy.listener_addr("main")?;
        Ok(Self { service, envoy, addr, _pages: pages })
    }

    /// What a page says of the flag.
    fn shown(&self) -> Result<String, Box<dyn Error>> {
        let page = client::fetch(Http1, self.addr, &Request::get("/"))?;
        assert_eq!(page.status, 200, "{}", self.envoy.log_tail());
        let text = page.text().into_owned();
        let value = text.strip_prefix("<h1>a is ").and_then(|text| text.strip_suffix("</h1>"));
        Ok(value.ok_or_else(|| format!("the page is {text:?}"))?.to_owned())
    }

    /// Pages are served, and say that.
    fn assert_shows(&self, value: impl ToString) -> Outcome {
        assert_eq!(self.shown()?, value.to_string(), "{}", self.envoy.log_tail());
        Ok(())
    }

    fn wait_until_shown(&self, value: impl ToString) -> Outcome {
        let value = value.to_string();
        let shown = || Ok(self.shown().is_ok_and(|shown| shown == value).then_some(()));
        Ok(self.envoy.wait_for("a page to show it", shown)?)
    }

    fn count(&self, name: &str) -> Result<u64, Box<dyn Error>> {
        Ok(self.envoy.stat(&counter(name))?)
    }

    fn wait_for(&self, name: &str, value: u64) -> Outcome {
        let found = self
            .envoy
            .wait_for("a counter to grow", || Ok((self.envoy.stat(&counter(name))? >= value).then_some(())));
        found.map_err(|error| format!("{name}: {error}\n{:?}", self.envoy.stats("engraft")).into())
    }

    /// The lines of the log that are about payloads and are no good news.
    fn warnings(&self) -> Vec<String> {
        let log = self.envoy.log();
        log.lines()
            .filter(|line| line.contains("[warning]") && line.contains("payload:"))
            .map(str::to_owned)
            .collect()
    }
}

/// A payload with one feature.
fn payload(value: u32) -> String {
    json!({ "features": { "a": { "defaultValue": value } } }).to_string()
}

/// A service that knows what it has sent.
fn service(value: u32) -> Result<Origin, Box<dyn Error>> {
    let origin = Origin::start()?;
    serve(&origin, value);
    Ok(origin)
}

fn serve(origin: &Origin, value: u32) {
    origin.on(PATH, move |request| {
        let tag = format!("\"{value}\"");
        if request.headers.get("if-none-match") == Some(tag.as_str()) {
            Reply::new(304, "").header("etag", tag)
        } else {
            Reply::ok("application/json", payload(value)).header("etag", tag)
        }
    });
}

#[test]
fn one_of_four_workers_asks_and_each_has_it() -> Outcome {
    let fed = Fed::start(4, service(1)?, "")?;
    fed.wait_for("payload.taken_over", 4 + MAIN)?;
    fed.wait_for("payload.not_modified", 3)?;
    let asked = fed.service.requests();
    for (nth, request) in asked.iter().enumerate() {
        assert_eq!((request.method.as_str(), request.target.as_str()), ("GET", PATH));
        assert_eq!(request.authority, "features.example");
        // Had two workers asked, each of them had asked for the whole.
        assert_eq!(request.headers.get("if-none-match"), (nth > 0).then_some("\"1\""));
    }
    assert_eq!((fed.count("payload.fetched")?, fed.count("payload.taken_over")?), (1, 4 + MAIN));
    serve(&fed.service, 2);
    fed.wait_for("payload.taken_over", 2 * (4 + MAIN))?;
    assert_eq!(fed.count("payload.fetched")?, 2);
    let connections = fed.service.requests().iter().map(|request| request.connection).max();
    assert_eq!(connections, Some(0), "one worker, one connection");
    assert_eq!(fed.warnings(), Vec::<String>::new());
    // Each worker changes at the time that all know.
    fed.wait_until_shown(2)?;
    assert_no_vm_failed(&fed.envoy);
    Ok(())
}

#[test]
fn once_one_page_shows_a_new_payload_all_do() -> Outcome {
    let fed = Fed::start(4, service(1)?, "")?;
    fed.wait_for("payload.taken_over", 4 + MAIN)?;
    // The kernel spreads connections over the workers.
    let connections = (0..16).map(|_| Connection::open(Http1, fed.addr));
    let mut connections = connections.collect::<Result<Vec<_>, _>>()?;
    serve(&fed.service, 2);
    let mut shown = Vec::new();
    while shown.last() != Some(&true) || shown.len() % 16 != 0 {
        for connection in &mut connections {
            let page = connection.fetch(&Request::get("/"))?;
            shown.push(page.text().contains("a is 2"));
        }
        assert!(shown.len() < 1_000_000, "it never comes");
    }
    let old = shown.iter().rposition(|is_new| !is_new).unwrap_or_default();
    let new = shown.iter().position(|is_new| *is_new).unwrap_or_default();
    assert!(old < new, "page {new} was decided by the new payload, page {old} by the old one");
    Ok(())
}

#[test]
fn a_new_configuration_has_the_payload_that_is_there() -> Outcome {
    let (pages, service) = (Origin::start()?, service(1)?);
    pages.otherwise(|_| Reply::html("<h1>of the origin</h1>"));
    let listener = |says: &str| -> Result<Listener, Box<dyn Error>> {
        let plugin = Plugin::engraft(Configuration::Yaml(configuration("both", "").replace("a is", says)))?;
        Ok(Listener::main().port(0).plugin(&plugin))
    };
    let envoy = Bootstrap::proxy(listener("a is")?, Cluster::origin(Http1, pages.addr()))
        .cluster(Cluster::new("growthbook", Http1, service.addr()))
        .listeners_can_change()
        .start()?;
    let shows = |text: &str| {
        let shown = || {
            let page = client::fetch(Http1, envoy.listener_addr("main")?, &Request::get("/"));
            Ok(page.is_ok_and(|page| page.text().contains(text)).then_some(()))
        };
        envoy.wait_for("a page to show it", shown)
    };
    shows("a is 1")?;
    assert_eq!(envoy.update_listener(&listener("it is")?)?, Update::Accepted);
    shows("it is 1")?;
    let whole = service.requests().iter().filter(|request| !request.headers.has("if-none-match")).count();
    assert_eq!(whole, 1, "the new one found it where the old one had left it");
    assert_no_vm_failed(&envoy);
    Ok(())
}

#[test]
fn pages_do_not_wait_for_the_first_payload() -> Outcome {
    let silent = Origin::start()?;
    silent.reply(PATH, Reply::ok("application/json", payload(1)).then(Then::HangAfter(5)));
    let fed = Fed::start(1, silent, "")?;
    fed.envoy
        .wait_for("the service to be asked", || Ok((!fed.service.requests().is_empty()).then_some(())))?;
    fed.assert_shows("nothing")?;
    fed.wait_for("decisions.no_payload", 1)?;
    serve(&fed.service, 1);
    fed.wait_for("payload.taken_over", 1)?;
    fed.wait_until_shown(1)?;
    assert_no_vm_failed(&fed.envoy);
    Ok(())
}

#[test]
fn a_service_that_takes_requests_and_says_nothing_is_slow() -> Outcome {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let plugin = Plugin::engraft(Configuration::Yaml(configuration("both", "")))?;
    let service = (Origin::start()?, listener.local_addr()?);
    let fed = Fed::with(1, service, |listener| listener.plugin(&plugin), |cluster| cluster)?;
    fed.wait_for("payload.failed.status", 2)?;
    fed.assert_shows("nothing")?;
    let warnings = fed.warnings();
    assert!(
        warnings.iter().any(|line| line.contains("down or slow: 504; there is none yet")),
        "{warnings:?}"
    );
    assert_no_vm_failed(&fed.envoy);
    Ok(())
}

#[test]
fn whatever_the_service_does_pages_are_served_and_the_last_good_one_stays() -> Outcome {
    let json = |body: Vec<u8>| Reply::ok("application/json", body);
    let whole = payload(9);
    let half = whole.get(..whole.len() / 2).unwrap_or_default();
    let failures = [
        ("status", Reply::new(500, "oops")),
        ("status", Reply::new(404, whole.clone())),
        // Longer than `timeout`, after the head has come.
        ("broken_off", json(whole.clone().into()).then(Then::HangAfter(0))),
        ("broken_off", json(whole.clone().into()).then(Then::CloseAfter(10))),
        ("broken_off", json(whole.clone().into()).then(Then::ResetAfter(10))),
        ("no_json", json(half.into())),
        ("no_json", json(b"<html>".to_vec())),
        ("no_json", json(Vec::new())),
        ("no_payload", json(b"[]".to_vec())),
        ("no_key", json(json!({ "encryptedFeatures": ENCRYPTED }).to_string().into())),
        ("content_coding", json(whole.clone().into()).header("content-encoding", "gzip")),
        ("too_long", json(vec![b' '; 20_000_000])),
        // More than Envoy holds of an answer.
        ("broken_off", json(vec![b' '; 50_000_000])),
    ];
    let fed = Fed::start(2, service(1)?, "")?;
    fed.wait_for("payload.taken_over", 2 + MAIN)?;
    for (reason, reply) in failures {
        let name = format!("payload.failed.{reason}");
        let before = fed.count(&name)?;
        fed.service.reply(PATH, reply.clone());
        fed.wait_for(&name, before + 2).map_err(|error| format!("{reply:.0?}: {error}"))?;
        fed.assert_shows(1)?;
        // And back again: it still knows what it had.
        let before = fed.count("payload.not_modified")?;
        serve(&fed.service, 1);
        fed.wait_for("payload.not_modified", before + 1)?;
    }
    serve(&fed.service, 2);
    fed.wait_until_shown(2)?;
    // Down: nobody listens where the service was.
    let Fed { service, envoy, addr, _pages } = fed;
    drop(service);
    let fed = Fed { service: Origin::start()?, envoy, addr, _pages };
    let before = fed.count("payload.failed.status")?;
    fed.wait_for("payload.failed.status", before + 2)?;
    fed.assert_shows(2)?;
    let warnings = fed.warnings();
    assert!((1..=2).contains(&warnings.len()), "one a minute: {warnings:#?}");
    assert!(warnings.iter().all(|line| line.contains("the last good one stays, digest")), "{warnings:#?}");
    assert_no_vm_failed(&fed.envoy);
    Ok(())
}

#[test]
fn a_wrong_key_is_told_and_the_right_one_reads() -> Outcome {
    let encrypted = json!({ "encryptedFeatures": ENCRYPTED }).to_string();
    for (key, name) in [("ZW5ncmFmdC10ZXN0LWtleQ==", "payload.failed.wrong_key"), (KEY, "payload.taken_over")]
    {
        let origin = Origin::start()?;
        origin.reply(PATH, Reply::ok("application/json", encrypted.clone()));
        let fed = Fed::start(1, origin, &format!("  decryption_key: {key}"))?;
        fed.wait_for(name, 1)?;
        if key == KEY {
            fed.wait_until_shown("nothing")?
        } else {
            fed.assert_shows("nothing")?
        }
        // Whoever reads it with a wrong key publishes nothing.
        assert_eq!(fed.count("payload.taken_over")? > 0, key == KEY);
        assert!(!fed.envoy.log().contains(key), "the key is in the log");
        assert_no_vm_failed(&fed.envoy);
    }
    Ok(())
}

#[test]
fn a_cluster_that_is_not_there_is_named() -> Outcome {
    let text = configuration("both", "").replace("cluster: growthbook", "cluster: elsewhere");
    let plugin = Plugin::engraft(Configuration::Yaml(text))?;
    let service = service(1)?;
    let at = service.addr();
    let fed = Fed::with(1, (service, at), |listener| listener.plugin(&plugin), |cluster| cluster)?;
    fed.wait_for("payload.failed.no_cluster", 2)?;
    fed.assert_shows("nothing")?;
    let warnings = fed.warnings();
    assert!(
        warnings.iter().any(|line| line.contains("Envoy knows no cluster \"elsewhere\"")),
        "{warnings:?}"
    );
    assert_no_vm_failed(&fed.envoy);
    Ok(())
}

#[test]
fn the_origin_stage_asks_nobody() -> Outcome {
    let stage = |stage: &str, name: &str| -> Result<Plugin, Box<dyn Error>> {
        let plugin = Plugin::engraft(Configuration::Yaml(configuration(stage, "")))?;
        Ok(plugin.name(name).failure_policy(FailurePolicy::FailClosed))
    };
    let (client, origin) = (stage("client", "engraft-client")?, stage("origin", "engraft-origin")?);
    let service = service(1)?;
    let at = service.addr();
    let fed =
        Fed::with(2, (service, at), |listener| listener.plugin(&client), |cluster| cluster.plugin(&origin))?;
    fed.wait_for("payload.taken_over", 2 + MAIN)?;
    for _ in 0..10 {
        let page = client::fetch(Http1, fed.addr, &Request::get("/stored/"))?;
        assert_eq!(page.text(), "<h1>edited</h1>");
    }
    fed.wait_for("payload.not_modified", 2)?;
    let whole = fed.service.requests().iter().filter(|request| !request.headers.has("if-none-match")).count();
    assert_eq!(whole, 1);
    assert_eq!(fed.envoy.stats("engraft.origin.payload")?.len(), 0);
    assert_no_vm_failed(&fed.envoy);
    Ok(())
}

#[test]
fn a_megabyte_is_taken_over_while_pages_are_served() -> Outcome {
    let long = engraft_harness::payload::of(1_000_000, 1);
    let origin = Origin::start()?;
    origin.reply(PATH, Reply::ok("application/json", long));
    let fed = Fed::start(2, origin, "")?;
    fed.wait_for("payload.taken_over", 2 + MAIN)?;
    fed.assert_shows("nothing")?;
    assert_eq!(fed.warnings(), Vec::<String>::new());
    assert_no_vm_failed(&fed.envoy);
    Ok(())
}
