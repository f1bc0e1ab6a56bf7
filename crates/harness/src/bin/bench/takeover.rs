//! What requests feel of a payload of a megabyte that is taken over by the worker that serves them.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use engraft_harness::bootstrap::{Bootstrap, Cluster, Configuration, Listener, Plugin};
use engraft_harness::envoy::Envoy;
use engraft_harness::load::Load;
use engraft_harness::origin::{Origin, Reply};
use engraft_harness::payload;
use engraft_harness::samples::Samples;
use engraft_harness::table::Table;
use engraft_harness::wire::Protocol::Http1;
use serde_json::json;

use crate::Outcome;
use crate::measure::ROUNDS;

const BYTES: usize = 1_000_000;
/// As few as show a queue: each waits for the others and for what the worker does besides.
const CONNECTIONS: usize = 2;
/// So long a run is: at least one payload comes in it.
const TIME: Duration = Duration::from_secs(5);
const PAGE: &str = "<!doctype html><title>Page</title><h1>of the origin</h1>";
const EDITED: &str = "<!doctype html><title>Page</title><h1>edited</h1>";
const TAKEN_OVER: &str = "wasmcustom.engraft.payload.taken_over";

/// Measures and tells, as Markdown.
pub(crate) fn section() -> Outcome<String> {
    let mut table =
        Table::new(&["longest request, ms", "payload as it is", "another one each time", "taken over"]);
    for (name, is_encrypted) in [("1 MB payload", false), ("the same encrypted", true)] {
        let pages = Origin::start()?;
        pages.forget_requests();
        pages.reply("/", Reply::html(PAGE));
        let (same, other) = (start(&pages, is_encrypted, false)?, start(&pages, is_encrypted, true)?);
        let mut slowest = (Vec::new(), Vec::new());
        let before = other.envoy.stat(TAKEN_OVER)?;
        for _ in 0..ROUNDS {
            slowest.0.push(same.slowest()?);
            slowest.1.push(other.slowest()?);
        }
        // Envoy's main thread has a VM, too.
        let taken_over = (other.envoy.stat(TAKEN_OVER)? - before) / 2;
        table.row(vec![
            name.to_owned(),
            Samples::millis(&slowest.0).to_string(),
            Samples::millis(&slowest.1).to_string(),
            taken_over.to_string(),
        ]);
    }
    Ok(format!(
        "{table}\n- One worker, {CONNECTIONS} connections, a page of {} bytes with one edit; {ROUNDS} runs of {} s in turns, of each the \
         slowest request.\n",
        PAGE.len(),
        TIME.as_secs(),
    ))
}

struct Stand {
    envoy: Envoy,
    _service: Origin,
}

impl Stand {
    fn slowest(&self) -> Outcome<Duration> {
        let load = Load::new(CONNECTIONS, TIME);
        Ok(load.run(self.envoy.listener_addr("main")?, "/", EDITED.len())?.slowest)
    }
}

fn start(pages: &Origin, is_encrypted: bool, changes: bool) -> Outcome<Stand> {
    let service = Origin::start()?;
    service.forget_requests();
    let version = AtomicU32::new(0);
    // Made beforehand: making one takes longer than taking it over.
    let made = (0..2).map(|version| {
        let plain = payload::of(BYTES, version);
        if is_encrypted { payload::encrypted(&plain) } else { Ok(plain) }
    });
    let made = made.collect::<Result<Vec<_>, _>>()?;
    service.otherwise(move |_| {
        let version = if changes { version.fetch_add(1, Ordering::Relaxed) } else { 0 };
        let payload = made.get(usize::from(version % 2 == 1)).cloned().unwrap_or_default();
        Reply::ok("application/json", payload)
    });
    let configuration = json!({
        "version": 1,
        "growthbook": {
            "fetch": { "cluster": "growthbook", "authority": "features.example", "client_key": "sdk-bench", "interval": "1s" },
            "decryption_key": payload::KEY,
        },
        "routes": [{ "name": "bench", "patches": [{ "select": "h1", "text": "edited" }] }],
    });
    let plugin = Plugin::engraft(Configuration::Text(configuration.to_string()))?;
    let listener = Listener::main().plugin(&plugin).manager_field("access_log", json!([]));
    let envoy = Bootstrap::proxy(listener, Cluster::origin(Http1, pages.addr()))
        .cluster(Cluster::new("growthbook", Http1, service.addr()))
        .start()?;
    envoy.wait_for("the first payload", || Ok((envoy.stat(TAKEN_OVER)? >= 2).then_some(())))?;
    Ok(Stand { envoy, _service: service })
}
