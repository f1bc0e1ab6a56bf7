//! Keys of whole routes.

use proptest::prelude::*;

use super::*;
use crate::cache::inputs::Inputs;
use crate::engine::Engine;

const ATTRIBUTES: &str = "version: 1
attributes:
  country: { header: x-geo, values: [US, CA], otherwise: other }
  any: { header: x-any }
  plan: { cookie: plan }
  utm: { query: utm_source }
  page: { query: page }
  language: { language: [en, de], otherwise: en }
  other_language: { language: [en, de], otherwise: de }
  device: { user_agent: device }
  bot: { user_agent: bot }
  peer: { connection: peer_address }
  product: { path_segment: 1 }
";

fn load(route: &str) -> Result<Engine, String> {
    let text = format!("{ATTRIBUTES}routes:\n  - {{ name: r, {route} }}\n");
    Engine::load(text.as_bytes()).map(|loaded| loaded.engine).map_err(|problems| problems.to_string())
}

fn advice(route: &str) -> Vec<String> {
    load(route).unwrap().advice().iter().map(ToString::to_string).collect()
}

const STORED: &str = "cache: { store: { max_age: 1h }, query: { drop: [tracking] }, headers: { accept_language: [en, de], user_agent: device } }, origin_reads: [{ cookie: plan, any_value: true }, { header: x-any, any_value: true }]";

#[test]
fn what_is_in_the_key() {
    let stored = load(STORED).unwrap();
    let plain = load("cache: { query: { keep: [page] } }").unwrap();
    for (attribute, in_stored, in_plain) in [
        ("request.path", Keyed::Url, Keyed::Url),
        ("request.query", Keyed::No, Keyed::No),
        ("product", Keyed::Url, Keyed::Url),
        ("page", Keyed::Url, Keyed::Url),
        ("utm", Keyed::No, Keyed::No),
        ("country", Keyed::No, Keyed::No),
        ("any", Keyed::Vary, Keyed::No),
        ("plan", Keyed::Vary, Keyed::No),
        ("language", Keyed::Vary, Keyed::No),
        ("other_language", Keyed::No, Keyed::No),
        ("device", Keyed::Vary, Keyed::No),
        ("bot", Keyed::No, Keyed::No),
        ("peer", Keyed::No, Keyed::No),
        ("unknown", Keyed::No, Keyed::No),
    ] {
        for (engine, expected) in [(&stored, in_stored), (&plain, in_plain)] {
            let keyed = engine.routes()[0].key.keyed(engine.attributes(), attribute);
            assert_eq!(keyed, expected, "{attribute}");
        }
    }
}

fn request(method: &str, path: &str, lines: &[(&str, &str)]) -> RequestHead {
    let lines = lines.iter().map(|(name, value)| {
        (HeaderName::try_from(*name).unwrap(), http::HeaderValue::from_bytes(value.as_bytes()).unwrap())
    });
    RequestHead {
        method: method.into(),
        scheme: "https".into(),
        authority: "shop.example".into(),
        path: path.into(),
        headers: lines.collect(),
        has_body: false,
    }
}

/// What is left of a request, as the origin sees it.
fn normalised(engine: &Engine, mut request: RequestHead, standing: Standing) -> RequestHead {
    let key = &engine.routes()[0].key;
    let edits = key.header_edits(&request, standing, true);
    let path = key.target(&request).into_owned();
    edits.iter().for_each(|edit| edit.apply(&mut request.headers));
    request.path = path;
    request
}

#[test]
fn only_what_caches_answer_is_changed() {
    let engine = load(STORED).unwrap();
    for (method, lines, covered) in [
        ("GET", &[][..], true),
        ("HEAD", &[], true),
        ("POST", &[], false),
        ("get", &[], false),
        ("OPTIONS", &[], false),
        ("GET", &[("content-length", "0")], true),
        ("GET", &[("content-length", "5")], false),
        ("GET", &[("content-length", "0"), ("content-length", "5")], false),
        ("GET", &[("transfer-encoding", "chunked")], false),
        ("GET", &[("connection", "keep-alive, Upgrade"), ("upgrade", "websocket")], false),
        ("GET", &[("upgrade", "websocket")], true),
        ("GET", &[("connection", "upgrade")], true),
    ] {
        let mut lines = lines.to_vec();
        lines.push(("cookie", "id=1"));
        let request = request(method, "/p?gclid=1", &lines);
        assert_eq!(CacheKey::covers(&request), covered, "{method} {lines:?}");
        let left = normalised(&engine, request.clone(), Standing::Visitor);
        assert_eq!(left != request, covered, "{method} {lines:?}");
        assert_eq!(left.headers.contains_key("cookie"), !covered, "{method} {lines:?}");
    }
}

#[test]
fn routes_that_store_nothing_keep_what_they_do_not_name() {
    for (route, vary) in [
        ("cache: { browser: no_store }", None),
        ("cache: { store: no_store }, origin_reads: [{ cookie: a, any_value: true }]", None),
        ("cache: { query: { sort: true } }", Some("cookie, accept")),
    ] {
        let engine = load(route).unwrap();
        let sent = request("GET", "/p?a", &[("cookie", "id=1"), ("x-any", "1")]);
        assert_eq!(normalised(&engine, sent.clone(), Standing::Visitor), sent, "{route}");
        let mut response = HeaderMap::new();
        response.append("vary", "cookie".parse().unwrap());
        response.append("vary", "accept".parse().unwrap());
        let got = engine.routes()[0].key.vary(&response, true);
        let expected = vary.map(|value| HeaderEdit::Set(header::VARY, value.parse().unwrap()));
        assert_eq!(got, expected, "{route}");
    }
}

#[test]
fn responses_of_stored_routes_differ_by_the_key() {
    let engine = load(STORED).unwrap();
    for (lines, expected) in [
        (&[][..], "accept-language, user-agent, x-any, cookie"),
        (&[("vary", "Origin, User-Agent, Referer")], "User-Agent, accept-language, x-any, cookie"),
        (&[("vary", "*")], "*"),
        (&[("content-encoding", "br")], "accept-language, user-agent, x-any, cookie, accept-encoding"),
    ] {
        let response = request("GET", "/", lines).headers;
        let mut told = response.clone();
        engine.routes()[0].key.vary(&response, true).iter().for_each(|edit| edit.apply(&mut told));
        assert_eq!(told["vary"], expected, "{lines:?}");
    }
    let bare = load("cache: { store: { max_age: 1h } }").unwrap();
    let response = request("GET", "/", &[("vary", "Cookie, User-Agent")]).headers;
    assert_eq!(bare.routes()[0].key.vary(&response, true), Some(HeaderEdit::Remove(header::VARY)));
}

#[test]
fn patches_do_not_tell_the_origin_what_is_not_in_the_key() {
    const STORE: &str = "cache: { store: { max_age: 1h } }";
    for (patch, reads, message) in [
        ("{ request_headers: { set: { x-a: constant } } }", "", ""),
        ("{ request_headers: { set: { x-a: '{{ product }}' } } }", "", ""),
        ("{ request_headers: { set: { x-a: '{{ country }}' } } }", "", "add `header: x-a` to `origin_reads`"),
        (
            "{ when: { country: US }, request_headers: { remove: [x-b] } }",
            "",
            "patch 0 changes \"x-b\" by \"country\"",
        ),
        ("{ request_headers: { set: { x-a: '{{ country }}' } } }", "{ header: x-a }", ""),
        (
            "{ request_headers: { set: { x-a: '{{ any }}' } } }",
            "{ header: x-a }",
            "give that attribute `values`",
        ),
        ("{ when: { country: US }, rewrite: { path: /us } }", "", ""),
        ("{ response_headers: { set: { x-a: '{{ country }}' } } }", "", ""),
    ] {
        let route = format!("{STORE}, origin_reads: [{reads}], patches: [{patch}]");
        let problems = load(&route).map(|_| String::new()).unwrap_or_else(|problems| problems);
        assert_eq!(problems.is_empty(), message.is_empty(), "{patch}: {problems}");
        assert!(problems.contains(message), "{patch}: {problems}");
        let unstored = format!("patches: [{patch}]");
        assert!(load(&unstored).is_ok(), "nothing is stored: {patch}");
    }
}

#[test]
fn classic_mistakes_are_told() {
    const QUERY: &str = "query: { keep: [] }";
    for (route, expected) in [
        ("cache: { store: { max_age: 1h }, query: { keep: [] } }", &[][..]),
        ("cache: { store: { max_age: 1h } }", &["any query"]),
        ("cache: { store: { max_age: 1h }, query: { sort: true } }", &["any query"]),
        ("cache: { query: { sort: true } }", &[]),
        (
            "origin_reads: [{ cookie: a, any_value: true }], cache: { droppable_cookies: [b] }",
            &["`origin_reads` has an effect", "`droppable_cookies` has"],
        ),
        (
            "origin_reads: [{ header: User-Agent, any_value: true }], cache: { store: { max_age: 1h }, QUERY }",
            &["there are as many user agents"],
        ),
        (
            "origin_reads: [{ header: User-Agent, any_value: true }], cache: { store: { max_age: 1h }, headers: { user_agent: device }, QUERY }",
            &[],
        ),
        (
            "origin_reads: [{ header: accept-language, any_value: true }, { header: authorization, any_value: true }, { header: x, any_value: true }, { cookie: s, any_value: true }], cache: { store: { max_age: 1h }, QUERY }",
            &["browsers send hundreds", "bearer", "each value of \"x\"", "cookie \"s\""],
        ),
        (
            "cache: { store: { max_age: 1h }, QUERY, rules: [{ cookies: any, browser: private }] }",
            &["nearly every visitor has some cookie"],
        ),
        ("cache: { QUERY, rules: [{ cookies: any, browser: private }] }", &[]),
        ("cache: { store: { max_age: 1h }, QUERY, rules: [{ cookies: [session], browser: private }] }", &[]),
        (
            "cache: { cdn: { max_age: 5m, key: [User-Agent, accept-language, x-geo] } }",
            &["as many user agents", "browsers send hundreds"],
        ),
        (
            "patches: [{ response_headers: { set: { Vary: '*' } } }, { response_headers: { add: { vary: 'Accept, user-agent' } } }]",
            &["with `Vary: *` again", "as many user agents"],
        ),
        (
            "patches: [{ response_headers: { add: { vary: Cookie }, remove: [x, ETag] } }]",
            &["hardly two visitors", "without \"ETag\" browsers"],
        ),
        ("patches: [{ response_headers: { add: { vary: Accept } } }]", &[]),
        (
            "match: { query: { preview: { exact: '1' } } }, cache: { QUERY }",
            &["the route is chosen by the parameter \"preview\""],
        ),
    ] {
        let found = advice(&route.replace("QUERY", QUERY));
        assert_eq!(found.len(), expected.len(), "{route}: {found:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.contains(expected), "{route}: {found}");
        }
    }
}

#[test]
fn inputs_say_who_reads_what() {
    let route = format!(
        "{STORED}, patches: [{{ name: hello, select: h1, text: '{{{{ country }}}} {{{{ device }}}} {{{{ page }}}}' }}]"
    );
    let engine = load(&route).unwrap();
    let inputs = Inputs::of(&engine.routes()[0], engine.attributes());
    let reads: Vec<String> = inputs.reads.iter().map(ToString::to_string).collect();
    assert_eq!(
        reads,
        [
            "country (header x-geo), read by patch hello",
            "device (header user-agent: device), read by patch hello, in the key",
            "page (query page), read by patch hello, in the key",
        ]
    );
    assert_eq!(
        inputs.key,
        [
            "method",
            "scheme",
            "host",
            "path",
            "query without tracking",
            "accept-language: one of en, de",
            "user-agent: desktop, mobile or tablet",
            "header x-any: any value",
            "cookie plan: any value",
        ]
    );
    assert!(inputs.stored && !inputs.is_plain());
}

fn requests() -> impl Strategy<Value = RequestHead> {
    let names = [
        "cookie",
        "user-agent",
        "accept-language",
        "x-any",
        "x-geo",
        "sec-ch-ua-mobile",
        "accept",
        "referer",
    ];
    let line = (prop::sample::select(names.to_vec()), "(plan=|id=|de|en|\\?1|[a; ])?[ab;]{0,3}");
    let path = "/p(\\?(page=[12]|gclid=[12]|utm_a|&){0,3})?";
    let headers = prop::collection::vec(line, 0..5);
    (path, headers).prop_map(|(path, lines)| {
        let lines: Vec<(&str, &str)> = lines.iter().map(|(name, value)| (*name, value.as_str())).collect();
        request("GET", &path, &lines)
    })
}

proptest! {
    /// A cache sees the URL and the headers that `Vary` names; the origin does not see more.
    #[test]
    fn one_key_is_one_request(one in requests(), other in requests()) {
        let engine = load(STORED).unwrap();
        let (one, other) = (normalised(&engine, one, Standing::Visitor), normalised(&engine, other, Standing::Visitor));
        let key = |head: &RequestHead| -> Vec<Vec<http::HeaderValue>> {
            let reads = engine.routes()[0].key.reads().unwrap();
            reads.vary().map(|name| head.headers.get_all(name).iter().cloned().collect()).collect()
        };
        if one.path == other.path && key(&one) == key(&other) {
            prop_assert_eq!(&one, &other);
        }
        // The origin stage takes nothing more, and reads the same of what is in the key.
        prop_assert_eq!(&normalised(&engine, one.clone(), Standing::Patched), &one);
    }

    #[test]
    fn what_is_in_the_key_is_read_again_behind_it(sent in requests()) {
        let engine = load(STORED).unwrap();
        let seen = normalised(&engine, sent.clone(), Standing::Visitor);
        let catalogue = engine.attributes();
        let wanted = catalogue.names().filter(|name| engine.routes()[0].key.keyed(catalogue, name) != Keyed::No);
        let wanted = wanted.map(str::to_owned).collect();
        prop_assert_eq!(catalogue.read(&wanted, &sent, &[]), catalogue.read(&wanted, &seen, &[]));
    }
}
