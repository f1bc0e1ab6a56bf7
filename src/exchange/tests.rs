use super::gate::Untouched;
use super::report::BodyState;
use super::*;
use crate::request::RequestHead;
use http::{HeaderMap, header};

const CONFIG: &str = r#"
version: 1
debug: { secret: "sixteen characters" }
attributes:
  country: { header: x-geo-country, trusted: true, values: [US, DE], otherwise: other }
  slug: { path_segment: 1 }
routes:
  - name: product
    match: { path: { prefix: /p/ } }
    patches:
      - when: { country: US }
        select: h1
        text: "Hello {{ country }}"
      - when: { country: DE }
        redirect: { to: /de/, keep_query: true }
      - when: { slug: old }
        rewrite: { path: /p/new, host: other.example }
        request_headers: { set: { x-variant: new }, remove: [x-drop] }
      - response_headers: { set: { x-shop: "1" } }
  - name: de
    match: { path: { exact: /de/ } }
    patches:
      - redirect: { to: /de/ }
  - name: cached
    match: { path: { prefix: /c/ } }
    cache: { browser: { max_age: 1m }, cdn: { max_age: 1h } }
    patches:
      - select: h1
        text: Hi
"#;

fn engine() -> Arc<Engine> {
    Arc::new(Engine::load(CONFIG.as_bytes()).unwrap().engine)
}

fn head(path: &str, headers: &[(&'static str, &'static str)]) -> RequestHead {
    let mut head = RequestHead { method: "GET".into(), path: path.into(), ..RequestHead::default() };
    for (name, value) in headers {
        head.headers.append(*name, HeaderValue::from_static(value));
    }
    head
}

fn forward(path: &str, headers: &[(&'static str, &'static str)]) -> (RequestEdits, Forwarded) {
    let begun = begin(&engine(), &head(path, headers), &Default::default());
    match begun.next {
        Next::Forward(forwarded) => (begun.edits, forwarded),
        Next::Respond(response, _) => panic!("answered with {response:?}"),
    }
}

fn map(headers: &[(&'static str, &'static str)]) -> HeaderMap {
    headers.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v))).collect()
}

fn edited(edits: &[HeaderEdit], mut headers: HeaderMap) -> Vec<String> {
    edits.iter().for_each(|edit| edit.apply(&mut headers));
    let mut shown: Vec<String> =
        headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    shown.sort();
    shown
}

#[test]
fn an_edited_page_loses_what_its_body_makes_untrue() {
    let (_, forwarded) = forward("/p/aurora", &[("x-geo-country", "US")]);
    let etag = format!("etag: W/\"a;e={}\"", forwarded.variant().unwrap());
    let origin = map(&[
        ("content-type", "text/html;charset=utf-8"),
        ("content-length", "12"),
        ("etag", "\"a\""),
        ("last-modified", "x"),
        ("accept-ranges", "bytes"),
        ("repr-digest", "x"),
        ("x-kept", "1"),
    ]);
    let answered = forwarded.answer(StatusCode::OK, &origin);
    assert_eq!(
        edited(&answered.headers, origin),
        [
            "cache-control: private, no-cache",
            "content-type: text/html;charset=utf-8",
            &etag,
            "x-kept: 1",
            "x-shop: 1"
        ]
    );
    let Body::Edited(mut edits) = answered.body else { panic!("not edited") };
    let mut out = Vec::new();
    let tail = edits.write(b"<h1>x</h1>!", &mut out);
    assert_eq!((out.as_slice(), tail), (&b"<h1>Hello US"[..], 6), "what follows is not copied");
    let report = edits.end(&mut out);
    assert_eq!(report.summary(), "3=1,0=1");
    let applied = report.counters().into_iter().find(|(counter, _)| counter.to_string() == "patches.applied");
    assert_eq!(applied.map(|(_, n)| n), Some(2));
}

#[test]
fn requests_for_pages_ask_for_whole_readable_bodies() {
    let asked = [
        ("x-geo-country", "US"),
        ("range", "bytes=0-1"),
        ("if-none-match", "\"a\""),
        ("accept-encoding", "br"),
        ("x-engraft-debug", "guess"),
        ("te", "trailers"),
    ];
    let (edits, _) = forward("/p/aurora", &asked);
    assert_eq!(edited(&edits.headers, map(&asked)), ["accept-encoding: identity", "x-geo-country: US"]);

    let mut image = asked.to_vec();
    image.push(("sec-fetch-dest", "image"));
    let (edits, _) = forward("/p/aurora.png", &image);
    assert_eq!(edits.headers, [HeaderEdit::Remove(DEBUG_HEADER)]);
}

#[test]
fn without_a_route_nothing_changes() {
    let (edits, forwarded) = forward("/other", &[("accept-encoding", "br")]);
    assert_eq!(edits, RequestEdits::default());
    let answered =
        forwarded.answer(StatusCode::OK, &map(&[("content-type", "text/html"), ("etag", "\"a\"")]));
    assert!(answered.headers.is_empty() && matches!(answered.body, Body::Passes(_)));
}

#[test]
fn images_of_a_personal_route_are_left_alone() {
    let (_, forwarded) = forward("/p/aurora.png", &[("x-geo-country", "US")]);
    let origin = map(&[("content-type", "image/png"), ("etag", "\"a\"")]);
    let answered = forwarded.answer(StatusCode::OK, &origin);
    // The redirect and the rewrite depend on the visitor, so every response of this route does.
    assert_eq!(
        edited(&answered.headers, origin),
        ["cache-control: private, no-cache", "content-type: image/png", "etag: \"a\"", "x-shop: 1"]
    );
}

#[test]
fn policies_are_for_successes() {
    for (status, expected) in [(200, true), (304, true), (404, false), (503, false)] {
        let (_, forwarded) = forward("/c/page", &[]);
        let answered =
            forwarded.answer(StatusCode::from_u16(status).unwrap(), &map(&[("content-type", "text/html")]));
        let told = edited(&answered.headers, HeaderMap::new());
        assert_eq!(told.contains(&"cdn-cache-control: max-age=3600".to_owned()), expected, "{status}");
    }
}

#[test]
fn redirects_keep_the_query_and_never_loop() {
    let begun = begin(&engine(), &head("/p/x?a=1", &[("x-geo-country", "DE")]), &Default::default());
    let Next::Respond(response, report) = begun.next else { panic!("not answered") };
    assert_eq!(response.status, StatusCode::FOUND);
    assert_eq!(response.headers[0], (header::LOCATION, HeaderValue::from_static("/de/?a=1")));
    assert_eq!(response.headers[1].0, header::CACHE_CONTROL);
    assert_eq!(report.redirected_by.as_deref(), Some("1"));
    forward("/de/", &[]);
}

#[test]
fn rewrites_keep_the_query() {
    let (edits, _) = forward("/p/old?a=1", &[("x-drop", "1")]);
    assert_eq!(edits.path.as_deref(), Some("/p/new?a=1"));
    assert_eq!(edits.authority.as_deref(), Some("other.example"));
    assert_eq!(edited(&edits.headers, map(&[("x-drop", "1")])), ["x-variant: new"]);
}

#[test]
fn debug_headers_need_the_secret() {
    for (shown, answered) in [("sixteen characters", true), ("sixteen character", false), ("", false)] {
        let (_, forwarded) = forward("/c/x", &[("x-engraft-debug", shown)]);
        let headers = forwarded.answer(StatusCode::OK, &map(&[("content-type", "text/html")])).headers;
        let found =
            headers.iter().any(|edit| matches!(edit, HeaderEdit::Set(name, _) if *name == DEBUG_HEADER));
        assert_eq!(found, answered, "{shown:?}");
    }
}

#[test]
fn without_a_secret_only_this_machine_is_told() {
    let config = "version: 1\ndebug: {}\nroutes: [{ name: a }]";
    let engine = Arc::new(Engine::load(config.as_bytes()).unwrap().engine);
    type Case = (&'static str, &'static [(&'static str, &'static str)], bool);
    let cases: &[Case] = &[
        ("127.0.0.1", &[], true),
        ("::1", &[], true),
        ("192.0.2.1", &[], false),
        ("127.0.0.1", &[("x-forwarded-for", "192.0.2.1, 127.0.0.1")], false),
        ("127.0.0.1", &[("x-forwarded-for", "127.0.0.1")], true),
        ("127.0.0.1", &[("forwarded", "for=192.0.2.1")], false),
    ];
    for (peer, headers, answered) in cases {
        let mut request = head("/", &[("x-engraft-debug", "")]);
        for (name, value) in *headers {
            request.headers.insert(*name, HeaderValue::from_static(value));
        }
        let begun =
            begin(&engine, &request, &Surroundings { peer: peer.parse().ok(), ..Surroundings::default() });
        let Next::Forward(forwarded) = begun.next else { panic!("answered") };
        assert_eq!(
            !forwarded.answer(StatusCode::OK, &HeaderMap::new()).headers.is_empty(),
            *answered,
            "{peer} {headers:?}"
        );
    }
}

#[test]
fn head_has_the_headers_of_get() {
    let request = RequestHead { method: "HEAD".into(), ..head("/c/x", &[]) };
    let Next::Forward(forwarded) = begin(&engine(), &request, &Default::default()).next else {
        panic!("answered")
    };
    let origin = map(&[("content-type", "text/html"), ("content-length", "9"), ("etag", "\"a\"")]);
    let answered = forwarded.answer(StatusCode::OK, &origin);
    let (_, of_get) = forward("/c/x", &[]);
    let of_get = edited(&of_get.answer(StatusCode::OK, &origin).headers, origin.clone());
    assert_eq!(edited(&answered.headers, origin), of_get);
    assert!(of_get.iter().any(|line| line.starts_with("etag: W/\"a;e=")), "{of_get:?}");
    assert!(
        matches!(answered.body, Body::Passes(report) if report.body == BodyState::Untouched(Untouched::Head))
    );
}

mod decisions;
mod traces;
mod validators;
