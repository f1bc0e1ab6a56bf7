//! Exposures on their way to a service that collects them: each of them once, and whatever the service does, no page waits.

use std::collections::BTreeSet;
use std::error::Error;
use std::net::{SocketAddr, TcpListener};

use engraft_harness::bootstrap::{Bootstrap, Cluster, Listener};
use engraft_harness::client::{self, Connection};
use engraft_harness::envoy::Envoy;
use engraft_harness::origin::{Origin, ReceivedRequest, Reply, Then};
use engraft_harness::wire::Protocol::Http1;
use serde_json::Value;

use crate::stage::{Outcome, assert_no_vm_failed, counter, engraft, ids, page_view};

const PATH: &str = "/v1/events";

/// Pages with one experiment each, and an Envoy that tells a service of them.
struct Collected {
    envoy: Envoy,
    addr: SocketAddr,
    _pages: Origin,
}

impl Collected {
    /// `settings` are more fields of the collector, `service` is where it listens.
    fn start(workers: u32, settings: &str, service: SocketAddr) -> Result<Self, Box<dyn Error>> {
        Self::told(workers, "collector", settings, service)
    }

    /// The same, with the name under which the filter looks for the service.
    fn told(
        workers: u32,
        cluster: &str,
        settings: &str,
        service: SocketAddr,
    ) -> Result<Self, Box<dyn Error>> {
        let configuration = format!(
            "
version: 1
visitor: {{ id: {{ cookie: engraft_id }} }}
experiments: {{ hero: {{ variations: [control, bold] }} }}
exposures:
  collector: {{ cluster: {cluster}, authority: collector.example, path: {PATH}, {settings} }}
routes:
  - name: hero
    patches: [{{ variant: {{ hero: bold }}, select: h1, text: Bold }}]
"
        );
        let pages = Origin::start()?;
        pages.otherwise(|_| Reply::html("<h1>Hello</h1>"));
        let bootstrap = Bootstrap::new()
            .listener(Listener::main().plugin(&engraft(&configuration)?))
            .cluster(Cluster::origin(Http1, pages.addr()))
            .cluster(Cluster::new("collector", Http1, service));
        let envoy = bootstrap.launch().concurrency(workers).start()?;
        let addr = envoy.listener_addr("main")?;
        Ok(Self { envoy, addr, _pages: pages })
    }

    /// That many pages are served, to visitors of both variations, over connections of their own.
    fn view(&self, pages: usize) -> Outcome {
        for (path, (id, text)) in (0..pages).zip(ids("hero").iter().zip(["Hello", "Bold"]).cycle()) {
            let request = page_view(&format!("/{path}")).header("cookie", format!("engraft_id={id}"));
            let page = client::fetch(Http1, self.addr, &request)?;
            assert_eq!((page.status, page.text().as_ref()), (200, format!("<h1>{text}</h1>").as_str()));
        }
        Ok(())
    }

    fn count(&self, name: &str) -> Result<u64, Box<dyn Error>> {
        Ok(self.envoy.stat(&counter(&format!("exposures.collector.{name}")))?)
    }

    fn wait_for(&self, name: &str, value: u64) -> Outcome {
        let name = counter(&format!("exposures.collector.{name}"));
        let found = self.envoy.wait_for("a counter of the collector to grow", || {
            Ok((self.envoy.stat(&name)? >= value).then_some(()))
        });
        found.map_err(|error| format!("{name}: {error}\n{:?}", self.envoy.stats("collector")).into())
    }
}

/// The events of a batch.
fn events(request: &ReceivedRequest) -> Result<Vec<Value>, Box<dyn Error>> {
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", PATH));
    assert_eq!(request.authority, "collector.example");
    assert_eq!(request.headers.get("content-type"), Some("application/json"));
    let body: Value = serde_json::from_slice(&request.body)?;
    assert_eq!(body.as_object().map(serde_json::Map::len), Some(1), "{body}");
    Ok(body.get("events").and_then(Value::as_array).cloned().ok_or("no events")?)
}

fn text<'e>(event: &'e Value, name: &str) -> &'e str {
    event.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// What names an event, and tells one from another.
fn name(event: &Value) -> (String, String) {
    (text(event, "view_id").to_owned(), text(event, "experiment_id").to_owned())
}

#[test]
fn each_page_view_of_all_workers_arrives_once() -> Outcome {
    const PAGES: usize = 60;
    let service = Origin::start()?;
    service.reply(PATH, Reply::new(204, ""));
    let collected = Collected::start(2, "batch_events: 7, batch_age: 1s", service.addr())?;
    // The kernel spreads connections over the workers.
    collected.view(PAGES)?;
    collected.wait_for("sent", 60)?;
    let requests = service.requests();
    let batches = requests.iter().map(events).collect::<Result<Vec<_>, _>>()?;
    assert!(batches.iter().all(|batch| (1..=7).contains(&batch.len())), "{batches:?}");
    let arrived: Vec<&Value> = batches.iter().flatten().collect();
    assert_eq!(arrived.len(), PAGES);
    assert_eq!(arrived.iter().map(|event| name(event)).collect::<BTreeSet<_>>().len(), PAGES);
    let paths: BTreeSet<&str> = arrived.iter().map(|event| text(event, "url_path")).collect();
    assert_eq!(paths.len(), PAGES, "each of them is there");
    let [control, bold] = ids("hero");
    for event in &arrived {
        let (id, seen_by) =
            if text(event, "variation_id") == "bold" { (&bold, "edit") } else { (&control, "control") };
        assert_eq!((text(event, "hash_value"), text(event, "seen_by")), (id.as_str(), seen_by), "{event}");
    }
    for (name, value) in [("queued", 60), ("sent", 60), ("dropped", 0), ("failed", 0), ("retries", 0)] {
        assert_eq!(collected.count(name)?, value, "{name}");
    }
    assert_no_vm_failed(&collected.envoy);
    Ok(())
}

#[test]
fn few_events_are_sent_when_they_have_waited_for_long_enough() -> Outcome {
    let service = Origin::start()?;
    service.reply(PATH, Reply::ok("application/json", "{}"));
    let collected = Collected::start(1, "batch_age: 1s", service.addr())?;
    collected.view(3)?;
    collected.wait_for("sent", 3)?;
    assert_eq!(service.requests().first().map(events).transpose()?.map(|events| events.len()), Some(3));
    Ok(())
}

#[test]
fn whatever_the_service_does_pages_are_served_and_the_batch_comes_again() -> Outcome {
    let failures = [
        Reply::new(500, "oops"),
        Reply::new(503, ""),
        Reply::new(429, ""),
        // The head has come, and the rest does not in time.
        Reply::ok("text/plain", "thanks").then(Then::HangAfter(0)),
        Reply::ok("text/plain", "thanks").then(Then::CloseAfter(2)),
        Reply::ok("text/plain", "thanks").then(Then::ResetAfter(2)),
    ];
    // Most of it is waiting for the batch to come again.
    let outcomes = std::thread::scope(|scope| {
        let begun = failures.map(|failure| {
            scope.spawn(move || {
                fails_and_comes_back(&failure).map_err(|error| format!("{failure:?}: {error}"))
            })
        });
        begun.map(|outcome| outcome.join().unwrap_or_else(|_| Err("it panicked".to_owned())))
    });
    outcomes.into_iter().try_for_each(|outcome| Ok(outcome?))
}

/// A service answers like that until two batches are there, and then takes them.
fn fails_and_comes_back(failure: &Reply) -> Outcome {
    let service = Origin::start()?;
    service.reply(PATH, failure.clone());
    let collected = Collected::start(1, "timeout: 1s, batch_events: 2, batch_age: 1s", service.addr())?;
    collected.view(2)?;
    collected.wait_for("retries", 1)?;
    collected.view(2)?;
    assert_eq!((collected.count("sent")?, collected.count("failed")?), (0, 0), "{failure:?}");
    // Back again: the same batch, byte for byte, and what came meanwhile.
    service.reply(PATH, Reply::new(204, ""));
    collected.wait_for("sent", 4)?;
    let requests = service.requests();
    let batches = requests.iter().map(events).collect::<Result<Vec<_>, _>>()?;
    let named: BTreeSet<_> = batches.iter().flatten().map(name).collect();
    assert_eq!(named.len(), 4, "{failure:?}");
    let bodies: Vec<&[u8]> = requests.iter().map(|request| request.body.as_slice()).collect();
    assert_eq!(bodies.first(), bodies.get(1), "{failure:?}");
    assert_eq!(collected.count("dropped")?, 0, "{failure:?}");
    assert_no_vm_failed(&collected.envoy);
    Ok(())
}

#[test]
fn a_batch_that_is_refused_for_good_is_given_up_and_the_next_one_goes() -> Outcome {
    let service = Origin::start()?;
    service.reply(PATH, Reply::new(400, "no"));
    let collected = Collected::start(1, "batch_events: 2, batch_age: 1s", service.addr())?;
    collected.view(2)?;
    collected.wait_for("failed", 2)?;
    assert_eq!(service.requests().len(), 1);
    service.reply(PATH, Reply::new(200, ""));
    collected.view(2)?;
    collected.wait_for("sent", 2)?;
    assert_eq!((collected.count("failed")?, collected.count("retries")?), (2, 0));
    Ok(())
}

#[test]
fn a_service_that_is_down_holds_nobody_up() -> Outcome {
    // Nobody listens where one has listened.
    let gone = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let collected = Collected::start(1, "batch_events: 2, batch_age: 1s", gone)?;
    collected.view(4)?;
    collected.wait_for("retries", 1)?;
    collected.view(4)?;
    let service = Origin::start_on(gone)?;
    service.reply(PATH, Reply::new(204, ""));
    collected.wait_for("sent", 8)?;
    let batches = service.requests().iter().map(events).collect::<Result<Vec<_>, _>>()?;
    let named: BTreeSet<_> = batches.iter().flatten().map(name).collect();
    assert_eq!((named.len(), batches.iter().flatten().count()), (8, 8), "once, as it was never there before");
    assert_no_vm_failed(&collected.envoy);
    Ok(())
}

#[test]
fn the_queue_is_bounded_and_pages_go_on() -> Outcome {
    const PAGES: u64 = 40;
    // The kernel takes connections, and nobody ever says anything.
    let silent = TcpListener::bind("127.0.0.1:0")?;
    let settings = "timeout: 60s, max_queue_events: 5, batch_events: 5, batch_age: 1s";
    let collected = Collected::start(1, settings, silent.local_addr()?)?;
    // Over one connection: a page that waited for the service would hold up the next one, for longer than the client waits.
    let mut connection = Connection::open(Http1, collected.addr)?;
    for n in 0..PAGES {
        let request = page_view("/").header("cookie", format!("engraft_id=visitor-{n}"));
        let page = connection.fetch(&request)?;
        assert_eq!((page.status, page.complete), (200, true));
    }
    // One batch is under way, and as many as fit wait.
    collected.wait_for("dropped", PAGES - 10)?;
    let (queued, dropped) = (collected.count("queued")?, collected.count("dropped")?);
    assert_eq!(queued + dropped, PAGES);
    assert!((5..=10).contains(&queued), "{queued}");
    assert_eq!((collected.count("sent")?, collected.count("failed")?), (0, 0));
    collected.view(2)?;
    assert_no_vm_failed(&collected.envoy);
    Ok(())
}

#[test]
fn a_cluster_that_is_not_there_holds_nobody_up() -> Outcome {
    let service = Origin::start()?;
    let settings = "batch_events: 2, batch_age: 1s";
    let collected = Collected::told(1, "elsewhere", settings, service.addr())?;
    collected.view(4)?;
    collected.wait_for("retries", 1)?;
    collected.view(4)?;
    assert_eq!((collected.count("sent")?, service.requests().len()), (0, 0));
    assert_no_vm_failed(&collected.envoy);
    Ok(())
}
