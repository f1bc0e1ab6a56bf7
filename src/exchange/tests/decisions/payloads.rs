//! Flags and experiments of a payload that a service has sent.

use super::*;
use crate::live::Live;

const SERVICE: &str = r#"
version: 1
exposures: { access_log: true }
visitor: { id: { cookie: id } }
growthbook: { fetch: { cluster: growthbook, authority: gb.example, client_key: sdk-1 } }
routes:
  - { name: flag, match: { path: { prefix: /flag } }, patches: [{ flag: { remote: true }, select: h1, text: "{{ flags.remote }}" }] }
  - { name: variant, match: { path: { prefix: /variant } }, patches: [{ variant: { e: v1 }, select: h1, text: B }] }
  - { name: auto, auto_experiments: true }
"#;

const PAYLOAD: &str = r##"{
    "features": { "remote": { "defaultValue": false, "rules": [{ "id": "all", "force": true }] } },
    "experiments": [
        { "key": "e", "variations": [{}, {}], "meta": [{ "key": "v0" }, { "key": "v1" }], "weights": [0, 1] },
        { "key": "hero", "hashVersion": 2,
          "urlPatterns": [{ "type": "simple", "pattern": "/shop/*", "include": true }],
          "variations": [{}, { "domMutations": [{ "selector": "h1", "action": "set", "attribute": "html", "value": "<b>{{ no template }}</b>" }], "css": "h1 { color: red }" }] },
        { "key": "gone", "hashVersion": 2, "persistQueryString": true,
          "urlPatterns": [{ "type": "simple", "pattern": "/old", "include": true }],
          "variations": [{}, { "urlRedirect": "https://shop.example/new" }] }
    ]
}"##;

fn by_service(path: &str, id: &str, live: Option<&Arc<Live>>, page: &str) -> Got {
    let engine =
        Arc::new(Engine::load(SERVICE.as_bytes()).unwrap_or_else(|problems| panic!("{problems}")).engine);
    let cookie = format!("id={id}");
    let headers = [("cookie", cookie.as_str()), ("accept", "text/html")];
    exchange_by(&engine, path, &headers, &Surroundings { live, random: 7, ..Surroundings::default() }, page)
}

fn live() -> Arc<Live> {
    Arc::new(Live::read(PAYLOAD.as_bytes(), None).unwrap())
}

#[test]
fn until_a_payload_comes_its_flags_and_experiments_are_nothing() {
    for path in ["/flag", "/variant", "/shop/a"] {
        let none = by_service(path, "1", None, PAGE);
        assert_eq!((none.body.as_str(), none.report.awaits_payload), (PAGE, true), "{path}");
        assert_eq!(
            none.header("cache-control"),
            Some("private, no-cache"),
            "{path}: the next one may get another page"
        );
    }
    let live = live();
    let flag = by_service("/flag", "1", Some(&live), PAGE);
    assert!(flag.body.ends_with("<h1>true</h1>") && !flag.report.awaits_payload, "{}", flag.body);
    let variant = by_service("/variant", "1", Some(&live), PAGE);
    assert!(variant.body.ends_with("<h1>B</h1>"), "{}", variant.body);
    assert_eq!(variant.exposures(), "e=v1");
}

#[test]
fn experiments_of_the_visual_editor_run_on_their_pages() {
    let live = live();
    let page = "<html><head></head><body><h1>Hello</h1></body></html>";
    let mut seen = Vec::new();
    for id in 0..20 {
        let got = by_service("/shop/a", &id.to_string(), Some(&live), page);
        match got.exposures().as_str() {
            "hero=0" => {
                assert_eq!(got.body, page);
                assert_eq!(got.header("etag"), Some("\"v1\""));
            }
            "hero=1" => {
                assert!(got.body.contains("<h1><b>{{ no template }}</b></h1>"), "{}", got.body);
                assert!(got.body.contains("<style>h1 { color: red }</style></head>"), "{}", got.body);
                assert!(got.header("etag").unwrap().starts_with("W/\"v1;e="));
            }
            other => panic!("{other}"),
        }
        seen.push(got.exposures());
        let elsewhere = by_service("/about", &id.to_string(), Some(&live), page);
        assert_eq!((elsewhere.body.as_str(), elsewhere.exposures().as_str()), (page, ""));
        let without = by_service("/shop/a", &id.to_string(), Some(&live), "<p>none</p>");
        assert_eq!(without.exposures(), "", "what the other variation changes is not there");
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen, ["hero=0", "hero=1"]);
}

#[test]
fn redirects_of_a_payload_lead_pages_away_and_keep_the_query() {
    let live = live();
    let mut seen = Vec::new();
    for id in 0..20 {
        let got = by_service("/old?utm=a", &id.to_string(), Some(&live), PAGE);
        if got.status == 302 {
            assert_eq!(got.header("location"), Some("https://shop.example/new?utm=a"));
            assert_eq!(
                (got.exposures().as_str(), got.header("cache-control")),
                ("gone=1", Some("private, no-cache"))
            );
        } else {
            assert_eq!((got.body.as_str(), got.exposures().as_str()), (PAGE, "gone=0"));
        }
        seen.push(got.status);
    }
    assert!(seen.contains(&302) && seen.contains(&200));
    // An image is no page.
    let engine = Arc::new(Engine::load(SERVICE.as_bytes()).unwrap().engine);
    for id in 0..20 {
        let cookie = format!("id={id}");
        let headers = [("cookie", cookie.as_str()), ("sec-fetch-dest", "image")];
        let surroundings = Surroundings { live: Some(&live), ..Surroundings::default() };
        assert_eq!(exchange_by(&engine, "/old", &headers, &surroundings, PAGE).status, 200);
    }
}

#[test]
fn pages_of_two_visual_experiments_are_told_apart() {
    let experiment = |key: &str, country: &str| {
        format!(
            r#"{{ "key": "{key}", "condition": {{ "id": "{country}" }}, "weights": [0, 1], "variations": [{{}}, {{ "domMutations": [{{ "selector": "h1", "action": "set", "attribute": "html", "value": "{key}" }}] }}] }}"#
        )
    };
    let payload = format!("{{\"experiments\":[{},{}]}}", experiment("x", "1"), experiment("y", "2"));
    let live = Arc::new(Live::read(payload.as_bytes(), None).unwrap());
    let of = |id| by_service("/a", id, Some(&live), PAGE);
    let (one, other) = (of("1"), of("2"));
    assert!(one.body.contains("<h1>x</h1>") && other.body.contains("<h1>y</h1>"));
    assert_ne!(one.header("etag"), other.header("etag"));
}

#[test]
fn another_payload_is_another_page() {
    let (one, other) =
        (live(), Arc::new(Live::read(PAYLOAD.replace("red", "blue").as_bytes(), None).unwrap()));
    let tag = |live| by_service("/flag", "1", Some(live), PAGE).header("etag").unwrap().to_owned();
    assert_eq!(tag(&one), tag(&one));
    assert_ne!(tag(&one), tag(&other));
}

#[test]
fn a_holdout_is_reported_beside_what_it_lets_through() {
    let payload = r#"{ "features": {
        "holdout": { "defaultValue": "in", "rules": [{ "key": "holdout-2026", "variations": ["out", "in"], "weights": [0.3, 0.7], "hashVersion": 2 }] },
        "remote": { "defaultValue": false, "rules": [
            { "parentConditions": [{ "id": "holdout", "condition": { "value": "in" }, "gate": false }], "key": "e", "variations": [false, true], "hashVersion": 2 }
        ] }
    } }"#;
    let live = Arc::new(Live::read(payload.as_bytes(), None).unwrap());
    let mut seen: Vec<String> =
        (0..40).map(|id| by_service("/flag", &id.to_string(), Some(&live), PAGE).exposures()).collect();
    seen.sort();
    seen.dedup();
    assert_eq!(seen, ["holdout-2026=0", "holdout-2026=1,e=0", "holdout-2026=1,e=1"]);
    assert_eq!(by_service("/flag", "1", Some(&live), "<p>no target</p>").exposures(), "");
}
