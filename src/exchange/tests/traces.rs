//! What traces say.

use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};

use super::super::*;
use crate::explain::compact;
use crate::explain::trace::{HIDDEN, Trace};

const CONFIG: &str = r#"
version: 1
visitor: { id: { cookie: uid } }
debug: { secret: "sixteen characters" }
force: { secret: "another secret word" }
secrets: { cookies: [session], headers: [x-api-key] }
attributes:
  country: { header: x-geo-country, trusted: true, values: [US, DE], otherwise: other }
  team: { filter_state: team }
  session: { cookie: session }
experiments:
  hero: { variations: [control, bold], weights: [0, 1] }
routes:
  - name: beta
    match: { path: { prefix: /p/ }, headers: { x-beta: { exact: "1" } } }
  - name: product
    match: { path: { prefix: /p/ } }
    cache: { browser: { max_age: 1m } }
    patches:
      - { name: headline, variant: { hero: bold }, select: h1, text: "Hi {{ country }} {{ session }}" }
      - { name: note, when: { country: DE }, select: p, remove: true }
      - { name: badge, select: h2, all: true, class: { add: [new] } }
      - { name: tracked, response_headers: { set: { x-shop: "1" } }, request_headers: { set: { x-team: "{{ team }}" } } }
  - name: away
    match: { path: { exact: /away } }
    patches: [{ name: sent, redirect: { to: /p/ } }]
  - name: derived
    match: { path: { prefix: /derived } }
    patches:
      - { select: h1, text: "{{ session | truncate(3) }}" }
      - { select: p, text: "{{ session | upper }} again" }
      - { response_headers: { set: { x-session: "{{ session | truncate(4) }}" } } }
      - { name: led, when: { request.path: /derived/away }, redirect: { to: "/p/{{ session | truncate(2) }}" } }
"#;

const PAGE: &str = "<h1>Old</h1><p>x</p><h2>a</h2><h2 class=b>b</h2>";

fn engine() -> Arc<Engine> {
    Arc::new(Engine::load(CONFIG.as_bytes()).unwrap().engine)
}

fn request(path: &str) -> RequestHead {
    let headers = [
        ("x-geo-country", "US"),
        ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"),
        ("cookie", "uid=8b7f1a4e-1111-4222-8333-444455556666; session=s3cr3t"),
        ("authorization", "Bearer tokentoken"),
        ("x-engraft-debug", "sixteen characters"),
    ];
    let headers = headers
        .into_iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
    RequestHead {
        method: "GET".into(),
        scheme: "https".into(),
        authority: "shop.example".into(),
        path: path.into(),
        headers: headers.collect(),
        has_body: false,
    }
}

/// The trace of a request and its page, and the headers that left.
fn traced(path: &str, surroundings: &Surroundings<'_>) -> (Trace, HeaderMap) {
    let engine = engine();
    let mut came = HeaderMap::new();
    came.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    came.insert(http::header::SET_COOKIE, HeaderValue::from_static("session=fresh-one; Path=/"));
    let begun = begin(&engine, &request(path), surroundings);
    let forwarded = match begun.next {
        Next::Respond(response, report) => {
            return (*report.trace.unwrap_or_default(), response.headers.into_iter().collect());
        }
        Next::Forward(forwarded) => forwarded,
    };
    let answered = forwarded.answer(StatusCode::OK, &came);
    let mut out = Vec::new();
    let report = match answered.body {
        Body::Edited(mut edits) => {
            for byte in PAGE.as_bytes() {
                let kept = edits.write(&[*byte], &mut out);
                out.extend(&[*byte][1 - kept..]);
            }
            edits.end(&mut out)
        }
        Body::Passes(report) | Body::NotModified(_, report) => report,
    };
    answered.headers.iter().for_each(|edit| edit.apply(&mut came));
    (*report.trace.unwrap_or_default(), came)
}

fn surroundings(facts: &[Option<String>]) -> Surroundings<'_> {
    Surroundings {
        facts,
        peer: "192.0.2.7".parse().ok(),
        now: UNIX_EPOCH + Duration::from_millis(1_700_000_000_123),
        random: 255,
        explains: true,
        ..Surroundings::default()
    }
}

#[test]
fn a_trace_tells_all_that_came_of_an_exchange() {
    let facts = [Some("blue".to_owned())];
    let (trace, _) = traced("/p/1?a=b", &surroundings(&facts));
    let mut trace = serde_json::to_value(&trace).unwrap();
    let engine = trace["engine"].take();
    assert_eq!(engine["configuration"].as_str().map(str::len), Some(32));
    let expected: Value = serde_json::from_str(include_str!("../../../tests/data/trace.json")).unwrap();
    assert_eq!(trace, expected, "{}", serde_json::to_string_pretty(&trace).unwrap());
}

#[test]
fn edits_rebuild_the_page() {
    let (trace, _) = traced("/p/1", &surroundings(&[]));
    let body = trace.body.unwrap();
    let (mut out, mut at) = (String::new(), 0);
    for edit in &body.edits {
        let (start, end) = (usize::try_from(edit.start).unwrap(), usize::try_from(edit.end).unwrap());
        assert_eq!(PAGE.get(start..end), Some(edit.was.as_str()));
        out += PAGE.get(at..start).unwrap();
        out += &edit.with;
        at = end;
    }
    out += PAGE.get(at..).unwrap();
    assert_eq!(out, "<h1>Hi US ‹hidden›</h1><p>x</p><h2 class=\"new\">a</h2><h2 class=\"b new\">b</h2>");
}

#[test]
fn who_shows_the_secret_gets_what_is_known_with_the_head() {
    let facts = [None];
    let (_, headers) = traced("/p/1", &Surroundings { explains: false, ..surroundings(&facts) });
    let value = headers.get(TRACE_HEADER).unwrap().to_str().unwrap();
    let trace = compact::decode(value).unwrap();
    assert_eq!((trace.route.as_deref(), trace.decisions.len()), (Some("product"), 1));
    assert_eq!((trace.left_out.as_slice(), trace.body), (&[][..], None));
    assert_eq!(headers.get(http::header::CACHE_CONTROL).unwrap(), "private, no-store");
    let json = serde_json::to_string(&trace.request).unwrap();
    assert!(!json.contains("s3cr3t") && !json.contains("tokentoken") && !json.contains("sixteen"), "{json}");

    let (_, headers) = traced("/away", &Surroundings { explains: false, ..surroundings(&facts) });
    let trace = compact::decode(headers.get(TRACE_HEADER).unwrap().to_str().unwrap()).unwrap();
    assert_eq!(trace.response.unwrap().redirected_by.as_deref(), Some("sent"));
    assert_eq!(trace.cache.unwrap().cache_control.as_deref(), Some("private, no-store"));
    assert_eq!(headers.get(http::header::CACHE_CONTROL).unwrap(), "private, no-store");
}

#[test]
fn what_is_overridden_is_seen_and_kept_nowhere() {
    let overrides = Overrides {
        attributes: [("country".into(), json!("DE")), ("unread".into(), json!(1)), ("id".into(), json!("x"))]
            .into(),
        choices: crate::decisions::force::Forced::parse("hero:control"),
    };
    let (trace, headers) = traced("/p/1", &Surroundings { overrides: Some(&overrides), ..surroundings(&[]) });
    let country = trace.attributes.iter().find(|it| it.name == "country").unwrap();
    assert_eq!((&country.value, country.overridden), (&json!("DE"), true));
    let eligible: Vec<&str> =
        trace.patches.iter().filter(|it| it.eligible).map(|it| it.name.as_str()).collect();
    assert_eq!(eligible, ["note", "badge", "tracked"]);
    assert_eq!(trace.request.choices, [("hero".to_owned(), "control".to_owned())].into());
    assert_eq!(headers.get(http::header::CACHE_CONTROL).unwrap(), "private, no-store");
    assert!(trace.exposures.is_empty());

    let none = Overrides { attributes: [("country".into(), Value::Null)].into(), ..Overrides::default() };
    let (trace, headers) = traced("/p/1", &Surroundings { overrides: Some(&none), ..surroundings(&[]) });
    let country = trace.attributes.iter().find(|it| it.name == "country").unwrap();
    assert_eq!((&country.value, country.overridden), (&Value::Null, true));
    assert_eq!(headers.get(http::header::CACHE_CONTROL).unwrap(), "private, no-store");
}

#[test]
fn what_filters_make_of_a_secret_is_as_hidden() {
    let (trace, headers) = traced("/derived", &surroundings(&[]));
    assert_eq!(headers.get("x-session").unwrap(), "s3c%E2%80%A6");
    let with: Vec<&str> = trace.body.iter().flat_map(|it| &it.edits).map(|it| it.with.as_str()).collect();
    assert_eq!(with, ["‹hidden›", "‹hidden› again"]);
    let changes = &trace.response.as_ref().unwrap().changes;
    let change = changes.iter().find(|change| change.name == "x-session").unwrap();
    assert_eq!(change.after, ["‹hidden›"]);

    let (trace, headers) = traced("/derived/away", &surroundings(&[]));
    assert!(headers.get(http::header::LOCATION).unwrap().to_str().unwrap().starts_with("/p/s"));
    let response = trace.response.unwrap();
    let location = response.headers.iter().find(|it| it.name == "location").unwrap();
    assert_eq!(location.value, "‹hidden›");
    assert_eq!(trace.cache.unwrap().depends_on, ["session"]);
}

#[test]
fn a_secret_id_is_hidden_on_its_first_page_too() {
    let config = CONFIG.replace("[session]", "[session, uid]").replace("Hi {{ country }}", "Hi {{ id }}");
    let engine = Arc::new(Engine::load(config.as_bytes()).unwrap().engine);
    let mut request = request("/p/1");
    request.headers.remove("cookie");
    request.headers.insert(http::header::ACCEPT, HeaderValue::from_static("text/html"));
    let Next::Forward(forwarded) = begin(&engine, &request, &surroundings(&[])).next else {
        panic!("answered")
    };
    let mut came = HeaderMap::new();
    came.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
    let answered = forwarded.answer(StatusCode::OK, &came);
    let Body::Edited(mut edits) = answered.body else { panic!("passes") };
    let mut out = Vec::new();
    edits.write(PAGE.as_bytes(), &mut out);
    let trace = edits.end(&mut out).trace.unwrap();
    let page = String::from_utf8(out).unwrap();
    let id = page.split_once("Hi ").unwrap().1.get(..36).unwrap();
    assert!(page.contains(&format!("<h1>Hi {id} </h1>")), "{page}");
    let json = serde_json::to_string(&trace).unwrap();
    assert!(!json.contains(id) && json.contains("Hi ‹hidden› "), "{json}");
    assert_eq!(trace.request.random, HIDDEN, "the id is made of it");
}

#[test]
fn what_filters_make_of_a_secret_id_is_as_hidden() {
    for (of_id, secret) in [("{ cookie: uid }", "[uid]"), ("{ from: [session] }", "[session]")] {
        let config = CONFIG
            .replace("id: { cookie: uid }", &format!("id: {of_id}"))
            .replace("cookies: [session]", &format!("cookies: {secret}"))
            .replace("Hi {{ country }} {{ session }}", "Hi {{ id | truncate(4) }}");
        let engine = Arc::new(Engine::load(config.as_bytes()).unwrap().engine);
        let Next::Forward(forwarded) = begin(&engine, &request("/p/1"), &surroundings(&[])).next else {
            panic!("answered")
        };
        let mut came = HeaderMap::new();
        came.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
        let Body::Edited(mut edits) = forwarded.answer(StatusCode::OK, &came).body else { panic!("passes") };
        edits.write(PAGE.as_bytes(), &mut Vec::new());
        let body = edits.end(&mut Vec::new()).trace.unwrap().body.unwrap();
        assert_eq!(body.edits[0].with, "‹hidden›", "{of_id}");
    }
}

#[test]
fn the_number_that_ids_are_made_of_is_shown_where_the_id_is() {
    let random = |cookie: Option<&'static str>| {
        let mut request = request("/p/1");
        request.headers.remove("cookie");
        request.headers.insert(http::header::ACCEPT, HeaderValue::from_static("text/html"));
        request.headers.extend(cookie.map(|it| (http::header::COOKIE, HeaderValue::from_static(it))));
        let Next::Forward(forwarded) = begin(&engine(), &request, &surroundings(&[])).next else {
            panic!("answered")
        };
        forwarded.abort().trace.unwrap().request.random
    };
    assert_eq!([random(None), random(Some("session=s3cr3t"))], ["ff", "ff"]);
}

#[test]
fn secrets_of_the_configuration_are_not_shown_either() {
    let mut request = request("/p/1");
    let referer =
        "https://shop.example/p/?engraft-force=hero:bold&engraft-force-secret=another%20secret%20word";
    request.headers.insert(http::header::REFERER, HeaderValue::from_static(referer));
    let begun = begin(&engine(), &request, &surroundings(&[]));
    let Next::Forward(forwarded) = begun.next else { panic!("answered") };
    let trace = forwarded.abort().trace.unwrap();
    let shown = trace.request.headers.iter().find(|header| header.name == "referer").unwrap();
    assert!(shown.value.ends_with("engraft-force-secret=‹hidden›"), "{}", shown.value);
}

#[test]
fn a_head_that_is_restored_is_told_as_it_leaves() {
    let engine = engine();
    let begun = begin(&engine, &request("/p/1"), &surroundings(&[]));
    let Next::Forward(forwarded) = begun.next else { panic!("answered") };
    let mut came = HeaderMap::new();
    for (name, value) in
        [("content-type", "text/html"), ("content-encoding", "gzip"), ("content-length", "9")]
    {
        came.insert(name, HeaderValue::from_static(value));
    }
    let answered = forwarded.answer(StatusCode::OK, &came);
    let Body::Edited(mut edits) = answered.body else { panic!("passes") };
    let mut out = Vec::new();
    edits.write(b"no gzip..", &mut out);
    edits.finish(&mut out);
    assert!(edits.take_restored_head().is_some());
    let trace = edits.end(&mut out).trace.unwrap();
    let response = trace.response.unwrap();
    assert_eq!(trace.body.unwrap().state, "untouched:corrupt_coding");
    let changed: Vec<&str> = response.changes.iter().map(|change| change.name.as_str()).collect();
    assert!(!changed.iter().any(|name| name.starts_with("content-")), "{changed:?}");
    assert_eq!(response.status, 200);
}

#[test]
fn what_is_answered_in_place_of_a_stored_page_is_told_as_it_leaves() {
    let config = "version: 1\nstage: client\nroutes: [{ name: a, cache: { store: { max_age: 1h } } }]";
    let engine = Arc::new(Engine::load(config.as_bytes()).unwrap().engine);
    let mut request = request("/");
    request.headers.insert(http::header::IF_NONE_MATCH, HeaderValue::from_static("\"abc\""));
    let Next::Forward(forwarded) = begin(&engine, &request, &surroundings(&[])).next else {
        panic!("answered")
    };
    let mut came = HeaderMap::new();
    for (name, value) in [("content-type", "text/html"), ("content-length", "9"), ("etag", "\"abc\"")] {
        came.insert(name, HeaderValue::from_static(value));
    }
    let answered = forwarded.answer(StatusCode::OK, &came);
    let Body::NotModified(left, report) = answered.body else { panic!("{:?}", answered.body) };
    let response = report.trace.unwrap().response.unwrap();
    assert_eq!((response.status, response.came_status), (304, Some(200)));
    let mut told: HeaderMap = came;
    for change in &response.changes {
        let name = HeaderName::try_from(&change.name).unwrap();
        told.remove(&name);
        told.extend(change.after.iter().map(|value| (name.clone(), value.parse().unwrap())));
    }
    assert_eq!(told, left.headers.into_iter().collect::<HeaderMap>());
}

#[test]
fn every_change_has_a_cause_that_the_page_on_traces_knows() {
    let page = include_str!("../../../docs/trace.md");
    for path in ["/p/1", "/elsewhere", "/derived"] {
        let (trace, _) = traced(path, &surroundings(&[]));
        let changes = trace.response.iter().flat_map(|it| &it.changes);
        for change in changes.chain(trace.origin.iter().flat_map(|it| &it.changes)) {
            for by in &change.by {
                assert!(
                    by.starts_with("patch ") || page.contains(&format!("| `{by}` |")),
                    "{path}: {change:?}"
                );
            }
        }
    }
}

#[test]
fn nobody_who_has_not_asked_gets_a_trace() {
    let engine = engine();
    let mut request = request("/p/1");
    request.headers.remove("x-engraft-debug");
    let begun = begin(&engine, &request, &Surroundings::default());
    let Next::Forward(forwarded) = begun.next else { panic!("answered") };
    let answered = forwarded.answer(StatusCode::NO_CONTENT, &HeaderMap::new());
    let Body::Passes(report) = answered.body else { panic!("edited") };
    assert_eq!(report.trace, None);
}
