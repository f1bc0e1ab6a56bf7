//! Services that Envoy asks and tells, as small as they can be.

use std::sync::{Arc, Mutex, PoisonError};

use engraft_harness::origin::{Origin, ReceivedRequest, Reply};
use serde_json::{Value, json};

/// What a health check asks for.
pub(crate) const READY: &str = "/ready";
/// The key of the SDK connection, by which the payload is asked for.
pub(crate) const CLIENT_KEY: &str = "sdk-stack";
/// The flag of the payload, the experiment behind it, and what the flag is in each of its variations.
pub(crate) const FLAG: &str = "banner";
pub(crate) const VARIATIONS: [&str; 2] = ["control", "shipping"];
/// Where events are sent, and where those that came can be read.
pub(crate) const EVENTS: &str = "/v1/events";

/// A server of one GrowthBook payload.
pub(crate) fn features(origin: &Origin) {
    let payload = json!({
        "status": 200,
        "dateUpdated": "2026-01-01T00:00:00.000Z",
        "features": { FLAG: {
            "defaultValue": VARIATIONS.first(),
            "rules": [{
                "key": FLAG,
                "hashAttribute": "id",
                "hashVersion": 2,
                "seed": FLAG,
                "coverage": 1,
                "weights": [0.5, 0.5],
                "variations": VARIATIONS,
            }],
        } },
    });
    origin.reply(READY, Reply::ok("text/plain", "ready\n"));
    origin.reply(
        &format!("/api/features/{CLIENT_KEY}"),
        Reply::ok("application/json", payload.to_string()).header("etag", "\"1\""),
    );
}

/// Keeps every event of the batches that it is sent, and refuses what is none.
pub(crate) fn collector(origin: &Origin) {
    let kept: Arc<Mutex<Vec<Value>>> = Arc::default();
    origin.reply(READY, Reply::ok("text/plain", "ready\n"));
    origin.on(EVENTS, move |request| {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        match request.method.as_str() {
            "GET" => Reply::ok("application/json", json!({ "events": *kept }).to_string()),
            "POST" => match events(request) {
                Some(events) => {
                    kept.extend(events);
                    Reply::new(204, "")
                }
                None => Reply::new(400, "no {\"events\":[…]}\n"),
            },
            _ => Reply::new(405, "only GET and POST\n").header("allow", "GET, POST"),
        }
    });
}

fn events(request: &ReceivedRequest) -> Option<Vec<Value>> {
    let batch: Value = serde_json::from_slice(&request.body).ok()?;
    batch.get("events")?.as_array().cloned()
}
