//! What can be seen from outside: counters with names that people can read, and filter state for access logs.

use engraft_harness::client::Request;
use engraft_harness::origin::Reply;
use engraft_harness::wire::Protocol::Http1;
use serde_json::{Value, json};

use crate::stage::{Outcome, Stage};

const CONFIGURATION: &str = "
version: 1
routes:
  - name: old
    match: { path: { exact: /old } }
    patches:
      - name: moved
        redirect: { to: /new }
  - name: page
    match: { path: { prefix: /p/ } }
    patches:
      - select: h1
        text: new
      - name: banner
        select: .banner
        required: true
        remove: true
      - select: li
        all: true
        class: { add: [seen] }
";

#[test]
fn counters_have_names_that_people_can_read() -> Outcome {
    let stage = Stage::start(CONFIGURATION)?;
    stage.origin.reply("/p/", Reply::html("<h1>old</h1><li>1<li>2"));
    stage.origin.reply("/p/text", Reply::ok("text/plain", "<h1>"));
    stage.origin.reply("/else", Reply::html("<h1>old</h1>"));
    for path in ["/p/", "/p/text", "/else", "/old"] {
        stage.get(path)?;
    }
    stage.wait_for_counter("requests", 4)?;
    let prometheus = stage.envoy.prometheus()?;
    let ours: Vec<&str> = prometheus.lines().filter(|line| line.contains("engraft_")).collect();
    for (name, value) in [
        ("requests", 4),
        ("requests_no_route", 1),
        ("redirects", 1),
        ("body_edited", 1),
        ("body_untouched_content_type", 1),
        ("patches_applied", 4),
        ("patches_missed", 1),
        ("patches_required_missed", 1),
    ] {
        let line = format!("engraft_{name}{{}} {value}");
        assert!(ours.contains(&line.as_str()), "{line} is not in\n{}", ours.join("\n"));
    }
    stage.assert_alive()
}

#[test]
fn access_log_tells_route_body_and_patches_of_each_request() -> Outcome {
    let stage = Stage::start(CONFIGURATION)?;
    stage.origin.reply("/p/", Reply::html("<h1>old</h1><li>1<li>2"));
    stage.origin.reply("/p/text", Reply::ok("text/plain", "<h1>"));
    stage.origin.reply("/else", Reply::html("<h1>old</h1>"));
    let expected = [
        ("/p/", json!(["page", "edited", "0=1,banner=missed,2=2", "0", null])),
        (
            "/p/text",
            json!(["page", "untouched:content_type", "0=not_tried,banner=not_tried,2=not_tried", "0", null]),
        ),
        ("/else", json!([null, null, null, null, null])),
        ("/old", json!(["old", "not_wanted", "moved=1", "0", "moved"])),
    ];
    for ((path, state), lines) in expected.into_iter().zip(1..) {
        stage.fetch((Http1, Http1), &Request::get(path))?;
        let line = stage.envoy.access_log(lines)?.pop().unwrap_or_default();
        let keys = crate::stage::FILTER_STATE.map(|key| format!("engraft.{key}"));
        let seen: Vec<&Value> = keys.iter().filter_map(|key| line.get(key)).collect();
        assert_eq!(json!(seen), state, "{path}: {line}");
    }
    Ok(())
}
