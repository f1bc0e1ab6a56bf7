use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::*;
use crate::config::source;
use crate::engine::Engine;
use crate::exchange::{Begun, Body, Forwarded, Next, begin};
use crate::request::RequestHead;

#[derive(Deserialize)]
struct Table {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    name: String,
    cache: Option<Map<String, Json>>,
    reads: Option<String>,
    by: Option<String>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(default = "ok")]
    status: u16,
    #[serde(rename = "type", default = "html")]
    content_type: String,
    #[serde(default)]
    cookie: String,
    #[serde(default = "path")]
    path: String,
    #[serde(default)]
    country: String,
    #[serde(default)]
    origin: BTreeMap<String, Json>,
    get: BTreeMap<String, Json>,
    stored: Option<BTreeMap<String, Json>>,
    staged: Option<BTreeMap<String, Json>>,
}

fn ok() -> u16 {
    200
}

fn html() -> String {
    "text/html".into()
}

fn path() -> String {
    "/p/aurora".into()
}

fn config(cache: Option<Json>, reads: Option<&str>, by: Option<&str>, stage: &str) -> String {
    let mut route = json!({ "name": "all" });
    if let Some(cache) = cache {
        route["cache"] = cache;
    }
    if let Some(reads) = reads {
        let value = format!("{{{{ {reads} }}}}");
        route["patches"] = match by {
            Some("exchange") => json!([{ "request_headers": { "set": { "x-copy": value } } }]),
            _ => json!([{ "select": "p", "text": value }]),
        };
    }
    let attributes = json!({
        "country": { "header": "x-geo-country", "values": ["DE", "US", "a, b"], "otherwise": "other" },
        "city": { "header": "x-geo-city" },
        "plan": { "cookie": "plan" },
        "device": { "user_agent": "device" },
        "slug": { "path_segment": 1 },
    });
    json!({ "version": 1, "stage": stage, "attributes": attributes, "routes": [route] }).to_string()
}

fn load(cache: Option<Json>, reads: Option<&str>, by: Option<&str>) -> Result<Arc<Engine>, String> {
    stage(cache, reads, by, "both")
}

fn stage(
    cache: Option<Json>,
    reads: Option<&str>,
    by: Option<&str>,
    stage: &str,
) -> Result<Arc<Engine>, String> {
    let config = config(cache, reads, by, stage);
    let loaded = Engine::load(config.as_bytes()).map_err(|problems| problems.to_string())?;
    Ok(Arc::new(loaded.engine))
}

fn lines(said: &BTreeMap<String, Json>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, values) in said {
        let values = match values {
            Json::Array(values) => values.clone(),
            one => vec![one.clone()],
        };
        for value in values {
            let value = HeaderValue::from_str(value.as_str().unwrap()).unwrap();
            headers.append(HeaderName::try_from(name).unwrap(), value);
        }
    }
    headers
}

fn shown(headers: &HeaderMap) -> Vec<String> {
    let headers = headers.iter().filter(|(name, _)| **name != header::CONTENT_TYPE);
    let mut shown: Vec<String> = headers
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
        .collect();
    shown.sort();
    shown
}

fn request(case: &Case) -> RequestHead {
    let mut request = RequestHead {
        method: "GET".into(),
        scheme: "https".into(),
        authority: "shop.example".into(),
        path: case.path.clone(),
        ..RequestHead::default()
    };
    for (name, value) in [("cookie", &case.cookie), ("x-geo-country", &case.country)] {
        if !value.is_empty() {
            request.headers.insert(name, HeaderValue::try_from(value).unwrap());
        }
    }
    request
}

fn response(case: &Case) -> HeaderMap {
    let mut headers = lines(&case.origin);
    if !case.content_type.is_empty() {
        headers.insert(header::CONTENT_TYPE, HeaderValue::try_from(&case.content_type).unwrap());
    }
    headers
}

/// What a visitor gets, and how many tags were dropped.
fn get(engine: &Arc<Engine>, case: &Case) -> (HeaderMap, usize) {
    let begun = begin(engine, &request(case), &Default::default());
    let Next::Forward(forwarded) = begun.next else { panic!("not forwarded") };
    answered(forwarded, case, response(case))
}

fn answered(forwarded: Forwarded, case: &Case, mut headers: HeaderMap) -> (HeaderMap, usize) {
    let answered = forwarded.answer(StatusCode::from_u16(case.status).unwrap(), &headers);
    answered.headers.iter().for_each(|edit| edit.apply(&mut headers));
    let report = match answered.body {
        Body::Passes(report) | Body::NotModified(_, report) => report,
        Body::Edited(edits) => edits.abort(),
    };
    (headers, report.dropped_tags)
}

/// Repeated headers as one line, as the stages hand them on.
fn joined(headers: &HeaderMap) -> HeaderMap {
    let line = |name: &HeaderName| {
        let lines: Vec<&[u8]> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
        (name.clone(), HeaderValue::from_bytes(&lines.join(&b", "[..])).unwrap())
    };
    headers.keys().map(line).collect()
}

/// What a cache between the stages is told, and what a visitor gets from it.
fn get_by_stages(client: &Arc<Engine>, origin: &Arc<Engine>, case: &Case) -> (HeaderMap, HeaderMap) {
    let mut request = request(case);
    let mut forward = |engine: &Arc<Engine>| {
        let Begun { edits, next: Next::Forward(forwarded), .. } =
            begin(engine, &request, &Default::default())
        else {
            panic!("not forwarded")
        };
        edits.headers.iter().for_each(|edit| edit.apply(&mut request.headers));
        request.path = edits.path.unwrap_or_else(|| request.path.clone());
        forwarded
    };
    let (to_visitor, to_cache) = (forward(client), forward(origin));
    assert!(!request.path.contains("x-engraft"), "{}", request.path);
    assert!(!request.headers.keys().any(|name| name.as_str().starts_with("x-engraft")));
    let (stored, _) = answered(to_cache, case, response(case));
    let (got, _) = answered(to_visitor, case, stored.clone());
    // The date is when the origin was asked.
    let told = stored.iter();
    let told = told.filter(|(name, _)| !name.as_str().starts_with("x-engraft") && **name != header::DATE);
    (told.map(|(name, value)| (name.clone(), value.clone())).collect(), got)
}

#[test]
fn policies_make_exactly_these_headers() {
    let table = include_bytes!("../../tests/data/cache/policies.yaml");
    let table: Table = source::read(table).unwrap().decode().unwrap_or_else(|problems| panic!("{problems}"));
    let mut wrong = Vec::new();
    for group in table.groups {
        let cache = group.cache.map(Json::Object);
        let load = |which: &str| stage(cache.clone(), group.reads.as_deref(), group.by.as_deref(), which);
        let (both, client, origin) = match (load("both"), load("client"), load("origin")) {
            (Ok(both), Ok(client), Ok(origin)) => (both, client, origin),
            (both, ..) => {
                wrong.push(format!("{}: {both:?}", group.name));
                continue;
            }
        };
        for (index, case) in group.cases.iter().enumerate() {
            let (stored, by_stages) = get_by_stages(&client, &origin, case);
            let mut compare = |what: &str, got: &HeaderMap, expected: &BTreeMap<String, Json>| {
                let (got, expected) = (shown(got), shown(&lines(expected)));
                if got != expected {
                    wrong.push(format!(
                        "{}, case {index}, {what}:\n   got {got:#?}\n  want {expected:#?}",
                        group.name
                    ));
                }
            };
            compare("both", &get(&both, case).0, &case.get);
            let expected = joined(&lines(case.staged.as_ref().unwrap_or(&case.get)));
            let (got, expected) = (shown(&joined(&by_stages)), shown(&expected));
            let is_same = got == expected;
            if let Some(expected) = &case.stored {
                compare("stored", &stored, expected);
            }
            if !is_same {
                wrong.push(format!(
                    "{}, case {index}, by stages:\n   got {got:#?}\n  want {expected:#?}",
                    group.name
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_leaks_or_contradicts_is_refused() {
    let long = "x".repeat(200);
    let cases: Vec<(Json, Option<&str>, &str)> = vec![
        (
            json!({ "cdn": { "max_age": "1h" } }),
            Some("country"),
            "\"country\" (country is the header x-geo-country)",
        ),
        (json!({ "cdn": { "max_age": "1h" } }), Some("country"), "`key: [x-geo-country]`"),
        (
            json!({ "cdn": { "max_age": "1h" } }),
            Some("plan"),
            "plan is the cookie plan), so a cache that visitors share",
        ),
        (json!({ "cdn": { "max_age": "1h", "key": ["x-other"] } }), Some("country"), "must not keep it"),
        (json!({ "cdn": { "max_age": "1h", "key": ["user-agent"] } }), Some("device"), "sec-ch-ua-mobile"),
        (json!({ "cdn": { "max_age": "1h", "key": ["Cookie"] } }), Some("plan"), "without number"),
        (
            json!({ "cdn": { "max_age": "1h", "key": ["x-geo-city"] } }),
            Some("city"),
            "`values` and `otherwise`",
        ),
        (json!({ "cdn": { "max_age": "1h", "key": ["a b"] } }), None, "not a header name"),
        (json!({ "cdn": { "private": true, "key": ["x-a"] } }), None, "leave `key` out"),
        (json!({ "browser": { "max_age": "1h", "key": ["x-a"] } }), None, "browser is not one"),
        (
            json!({ "browser": { "public": true, "max_age": "1h" } }),
            Some("country"),
            "leave `public` and `s_maxage` out",
        ),
        (
            json!({ "rules": [{ "status": [404], "cdn": { "max_age": "1h" } }] }),
            Some("country"),
            "rules[0].cdn",
        ),
        (json!({ "rules": [{ "content_types": ["*/*"], "cdn": "private" }] }), None, "not a content type"),
        (
            json!({ "rules": [{ "content_types": ["text/*"], "cdn": { "max_age": "1h" } }] }),
            Some("country"),
            "must not keep it",
        ),
        (json!({ "rules": [{ "browser": "private" }] }), None, "fits every response"),
        (json!({ "rules": [{ "cookies": [], "browser": "private" }] }), None, "write `any`"),
        (json!({ "rules": [{ "status": ["1xx"], "browser": "private" }] }), None, "not a status"),
        (json!({ "rules": [{ "status": [404], "mode": "at_most" }] }), None, "nothing is"),
        (json!({ "browser": { "no_store": true, "max_age": "1h" } }), None, "keep one of them"),
        (json!({ "store": { "no_store": true, "max_age": "1h" } }), None, "routes[0].cache.store"),
        (json!({ "cdn": { "public": true, "private": true } }), None, "contradict"),
        (json!({ "cdn": { "private": true, "s_maxage": "1h" } }), None, "no meaning"),
        (json!({ "cdn": { "must_revalidate": true, "stale_if_error": "1h" } }), None, "RFC 5861"),
        (
            json!({ "cdn": { "proxy_revalidate": true, "stale_if_error": "1h" } }),
            None,
            "`proxy_revalidate` forbids",
        ),
        (json!({ "browser": { "immutable": true } }), None, "RFC 8246"),
        (json!({ "browser": { "no_cache": true, "max_age": "1h" } }), None, "§ 5.2.2.4"),
        (json!({ "browser": { "must_understand": true, "max_age": "1h" } }), None, "§ 5.2.2.3"),
        (json!({ "browser": { "must_understand": true, "no_store": true } }), None, "not how long"),
        (json!({ "cdn_dialects": [] }), None, "no cache in front"),
        (json!({ "cdn": { "max_age": "1h" }, "cdn_dialects": ["envoy"] }), None, "add `browser`"),
        (
            json!({ "browser": "no_store", "cdn": { "max_age": "1h" }, "cdn_dialects": ["varnish"] }),
            None,
            "goes for the caches in front",
        ),
        (
            json!({ "browser": "private", "cdn": { "max_age": "1h" }, "cdn_dialects": ["varnish"] }),
            None,
            "`private`, said to the browser",
        ),
        (
            json!({ "browser": { "no_cache": true }, "cdn": { "max_age": "1h" }, "cdn_dialects": ["varnish"] }),
            None,
            "`browser: { max_age: 0s }`",
        ),
        (
            json!({ "browser": { "must_revalidate": true }, "cdn": { "stale_if_error": "1h" }, "cdn_dialects": ["varnish"] }),
            None,
            "forbids the caches in front",
        ),
        (
            json!({ "browser": { "s_maxage": "2h" }, "cdn": { "max_age": "1h" }, "cdn_dialects": ["varnish"] }),
            None,
            "another lifetime",
        ),
        (
            json!({ "browser": { "max_age": "1m" }, "cdn": { "max_age": "1h", "stale_if_error": "1h" }, "cdn_dialects": ["varnish"] }),
            None,
            "the same for both",
        ),
        (json!({ "tags": ["a b"] }), None, "' ' can't stand in a tag of `cache-tag`"),
        (json!({ "tags": ["a,b"] }), None, "','"),
        (json!({ "tags": ["a\nb"] }), None, "'\\n'"),
        (json!({ "tags": ["é"] }), None, "'é'"),
        (json!({ "tags": ["a:b"], "cdn_dialects": ["akamai"] }), None, "`edge-cache-tag`"),
        (json!({ "tags": [&long], "cdn_dialects": ["akamai"] }), None, "at most 128"),
        (json!({ "tags": [""] }), None, "the tag is empty"),
        (json!({ "tags": ["a"], "cdn_dialects": ["envoy"] }), None, "has tags"),
        (json!({ "tags": ["{{ nothing }}"] }), None, "nothing"),
        (json!({ "tags": ["{{ country }}"] }), None, "whoever gets the stored page gets its tags"),
        (
            json!({ "tags": (0..100).map(|n| format!("{n}{long}")).collect::<Vec<_>>() }),
            None,
            "more than `cache-tag` holds",
        ),
    ];
    for (cache, reads, message) in cases {
        let problems = load(Some(cache.clone()), reads, None).map(|_| String::new()).unwrap_or_else(|it| it);
        assert!(problems.contains(message), "{cache}: {message} is not in {problems:?}");
    }
}

#[test]
fn what_can_be_meant_is_taken() {
    let cases = [
        (json!({ "browser": { "no_cache": true, "max_age": "0s" } }), None),
        (json!({ "cdn": { "max_age": "1h", "key": ["x-geo-country", "x-other"] } }), Some("country")),
        (
            json!({ "cdn": { "max_age": "1h", "key": ["user-agent", "sec-ch-ua-mobile", "sec-ch-ua-platform"] } }),
            Some("device"),
        ),
        (json!({ "cdn": { "max_age": "1h" } }), Some("slug")),
        (json!({ "store": { "max_age": "1h" } }), Some("plan")),
        (json!({ "rules": [{ "status": [404, "5xx"], "cdn": "private" }] }), Some("plan")),
    ];
    for (cache, reads) in cases {
        assert_eq!(load(Some(cache.clone()), reads, None).map(|_| ()), Ok(()), "{cache}");
    }
}

#[test]
fn the_store_is_told_by_the_policy_that_fits() {
    let cache = json!({
        "store": { "max_age": "1h" },
        "rules": [{ "status": ["5xx"], "store": "no_store", "mode": "at_most" }],
    });
    let engine = load(Some(cache), None, None).unwrap();
    let cache = &engine.routes()[0].cache;
    let (headers, values) = (HeaderMap::new(), Values::default());
    let asked = cache.asked(&headers);
    let told = |status: u16| {
        let status = StatusCode::from_u16(status).unwrap();
        let answer = Answer {
            status,
            headers: &headers,
            vary: None,
            is_page: true,
            asked: &asked,
            values: &values,
            is_of_visitor: false,
            cookies: &Storable::Yes,
        };
        let mut told = HeaderMap::new();
        cache.store_edits(&answer).headers.iter().for_each(|edit| edit.apply(&mut told));
        told.get("cache-control").map(|value| value.to_str().unwrap().to_owned())
    };
    assert_eq!(told(200).as_deref(), Some("max-age=3600"));
    assert_eq!(told(500).as_deref(), Some("no-store"));
    assert_eq!(told(404), None);
}

#[test]
fn tags_that_do_not_fit_are_dropped_and_counted() {
    let case = |path: String, origin: BTreeMap<String, Json>| Case {
        status: 200,
        content_type: html(),
        cookie: String::new(),
        path,
        country: String::new(),
        origin,
        get: BTreeMap::new(),
        stored: None,
        staged: None,
    };
    let engine =
        load(Some(json!({ "tags": ["kept", "p-{{ slug }}"], "cdn_dialects": ["akamai"] })), None, None)
            .unwrap();
    let (headers, dropped) = get(&engine, &case(format!("/p/{}", "x".repeat(127)), BTreeMap::new()));
    assert_eq!((headers["edge-cache-tag"].to_str().unwrap(), dropped), ("kept", 1));
    // The origin has filled the header.
    let full = BTreeMap::from([("edge-cache-tag".to_owned(), json!("x,".repeat(4095)))]);
    let (headers, dropped) = get(&engine, &case("/p/a".into(), full));
    assert_eq!((headers.get_all("edge-cache-tag").iter().count(), dropped), (1, 2));
    let long: Vec<String> = (0..15).map(|n| format!("{n}{}", "x".repeat(1000))).collect();
    let engine = load(Some(json!({ "tags": long })), None, None).unwrap();
    let (headers, dropped) = get(&engine, &case(path(), BTreeMap::new()));
    let lines: Vec<usize> = headers.get_all("cache-tag").iter().map(HeaderValue::len).collect();
    assert_eq!((lines.len(), dropped), (3, 0));
    assert!(lines.iter().all(|line| *line <= 8000), "{lines:?}");
}

#[test]
fn what_is_too_long_to_be_read_is_not_made_longer() {
    let case = |value: String| Case {
        status: 200,
        content_type: html(),
        cookie: String::new(),
        path: path(),
        country: String::new(),
        origin: BTreeMap::from([("cache-control".to_owned(), json!(value))]),
        get: BTreeMap::new(),
        stored: None,
        staged: None,
    };
    let long = format!("{}, no-store", "x".repeat(directive::MAX_BYTES));
    for (mode, expected) in [
        ("respect_origin", long.as_str()),
        ("at_most", "private, no-cache, no-store"),
        ("override", "private, max-age=60"),
    ] {
        let engine = load(Some(json!({ "mode": mode, "browser": { "max_age": "1m" } })), None, None).unwrap();
        assert_eq!(get(&engine, &case(long.clone())).0["cache-control"], expected, "{mode}");
    }
}

proptest! {
    /// Whatever the origin says: what it forbids stays forbidden, what is not known stays, no lifetime gets longer than the
    /// policy's or than what was left of the origin's, and what depends on the visitor is for no shared cache.
    #[test]
    fn modes_keep_their_word(
        origin in prop::collection::vec(
            prop::sample::select(&["no-store", "private", "no-cache", "must-revalidate", "no-transform", "public", "max-age=30",
                "max-age=600", "s-maxage=30", "s-maxage=600", "ext=\"a, no-store\"", "other", "max-age=x", "stale-if-error=9"][..]),
            0..6,
        ),
        age in 0u32..700,
        respects in any::<bool>(),
        is_personal in any::<bool>(),
    ) {
        let mode = if respects { "respect_origin" } else { "at_most" };
        let cdn = if is_personal { json!("private") } else { json!({ "max_age": "100s" }) };
        let cache = json!({ "mode": mode, "browser": { "max_age": "60s", "stale_if_error": "5s" }, "cdn": cdn });
        let engine = load(Some(cache), is_personal.then_some("plan"), None).unwrap();
        let case = Case {
            status: 200,
            content_type: html(),
            cookie: String::new(),
            path: path(),
            country: String::new(),
            origin: BTreeMap::from([
                ("cache-control".to_owned(), json!(origin.join(", "))),
                ("age".to_owned(), json!(age.to_string())),
            ]),
            get: BTreeMap::new(),
            stored: None,
            staged: None,
        };
        let (headers, _) = get(&engine, &case);
        let before = directive::Field::read(&lines(&case.origin), &header::CACHE_CONTROL);
        let left = |field: &directive::Field, name: &str, age: u32| field.lifetime(name).map(|it| it.saturating_sub(age));
        let age_after = directive::age(&headers);
        for name in [header::CACHE_CONTROL, CDN_CACHE_CONTROL] {
            if !headers.contains_key(&name) {
                continue;
            }
            let after = directive::Field::read(&headers, &name);
            for word in ["no-store", "private", "no-cache", "must-revalidate", "no-transform", "ext", "other"] {
                prop_assert!(!before.has(word) || after.has(word), "{word} is lost: {headers:?}");
            }
            if is_personal {
                prop_assert!(after.has("private") || after.has("no-store"), "{headers:?}");
                prop_assert!(!after.has("public") && !after.has("s-maxage"), "{headers:?}");
            }
        }
        let after = directive::Field::read(&headers, &header::CACHE_CONTROL);
        let (was, is) = (left(&before, "max-age", age), left(&after, "max-age", age_after));
        prop_assert!(was.is_none() || is <= was, "{was:?} became {is:?}");
        if !respects {
            prop_assert!(is.unwrap_or(0) <= 60, "{is:?}");
        }
    }
}
