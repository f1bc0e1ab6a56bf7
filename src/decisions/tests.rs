//! What is wrong with experiments, and cookies that keep variations.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, header};

use super::Asking;
use super::force::Forced;
use crate::engine::Engine;
use crate::request::RequestHead;

fn problems(config: &str) -> String {
    let config = format!("version: 1\n{config}");
    Engine::load(config.as_bytes()).map(|_| String::new()).unwrap_or_else(|problems| problems.to_string())
}

#[test]
fn what_is_wrong_is_said_with_the_fix() {
    const ID: &str = "visitor: { id: { cookie: c } }\n";
    for (config, path, message) in [
        ("experiments: { a: { variations: [x] } }", "experiments.a.variations", "two variations or more"),
        ("experiments: { a: { variations: [x, x] } }", "experiments.a.variations[1]", "called \"x\" already"),
        ("experiments: { a: { variations: [x, 'y z'] } }", "experiments.a.variations[1]", "is not a name"),
        ("experiments: { 'a b': { variations: [x, w] } }", "experiments[\"a b\"]", "is not a name"),
        (
            "experiments: { a: { variations: [x, w], weights: [1] } }",
            "experiments.a.weights",
            "1 weights for 2 variations",
        ),
        (
            "experiments: { a: { variations: [x, w], weights: [0.5, 0.4] } }",
            "experiments.a.weights",
            "add up to 0.9",
        ),
        (
            "experiments: { a: { variations: [x, w], weights: [-1, 2] } }",
            "experiments.a.weights",
            "each is from 0 to 1",
        ),
        (
            "experiments: { a: { variations: [x, w], coverage: 1.5 } }",
            "experiments.a.coverage",
            "from 0 to 1",
        ),
        (
            "experiments: { a: { variations: [x, w], hash_version: 3 } }",
            "experiments.a.hash_version",
            "write 1 or 2",
        ),
        (
            "experiments: { a: { variations: [x, w], namespace: { name: n, range: [0.5, 0.5] } } }",
            "experiments.a.namespace.range",
            "lower to a higher",
        ),
        (
            "experiments: { a: { variations: [x, w], condition: { contry: US } } }",
            "experiments.a.condition",
            "unknown attribute",
        ),
        (
            "experiments: { a: { variations: [x, w], hash_attribute: account } }",
            "experiments.a.hash_attribute",
            "is not an attribute",
        ),
        (
            "experiments: { a: { variations: [x, w], fallback_attribute: id } }",
            "experiments.a.fallback_attribute",
            "sticky_buckets",
        ),
        ("experiments: { a: { variations: [x, w], force: z } }", "experiments.a.force", "accepted: x, w"),
        ("experiments: { a: { variations: [x, w], winner: z } }", "experiments.a.winner", "accepted: x, w"),
        (
            "experiments: { a: { variations: [x, w], starts_at: tomorrow } }",
            "experiments.a.starts_at",
            "in UTC",
        ),
        (
            "experiments: { a: { variations: [x, w], starts_at: 2026-02-01T00:00:00Z, ends_at: 2026-01-01T00:00:00Z } }",
            "experiments.a.ends_at",
            "before it starts",
        ),
        (
            "experiments: { a: { variations: [x, w], parent_conditions: [{ flag: f, condition: { value: true } }] } }",
            "experiments.a.parent_conditions[0].flag",
            "no flag \"f\"",
        ),
        ("features: { f: on }", "features.f", "a flag is an object"),
        (
            "features: { f: { defaultValue: 1, rules: [{ namespace: all, variations: [1, 2] }] } }",
            "features",
            "is off",
        ),
        ("force: { parameter: 'a&b' }", "force.parameter", "letters, digits"),
        ("force: { secret: short }", "force.secret", "can be guessed"),
        (
            "routes: [{ name: r, patches: [{ variant: { a: x }, select: p, text: t }] }]",
            "routes[0].patches[0].variant.a",
            "is not an experiment",
        ),
        (
            "routes: [{ name: r, patches: [{ flag: { f: 1 }, select: p, text: t }] }]",
            "routes[0].patches[0].flag.f",
            "is not a flag",
        ),
        (
            "routes: [{ name: r, patches: [{ select: p, text: '{{ variants.a }}' }] }]",
            "routes[0].patches[0].text",
            "is not an attribute",
        ),
    ] {
        let said = problems(&format!("{ID}{config}"));
        assert!(said.contains(path) && said.contains(message), "{config}\n{said}");
    }
    for (config, message) in [
        ("experiments: { a: { variations: [x, w] } }", "visitors have no `id`"),
        ("visitor: { id: {} }", "an id comes from nowhere"),
        ("visitor: { id: { from: [ga] } }", "\"ga\" is not an attribute"),
        ("visitor: { id: { cookie: 'a b' } }", "can't be the name of a cookie"),
        ("visitor: { id: { cookie: a, max_age: 500d } }", "longer than 400d"),
        ("visitor: { id: { cookie: a, domain: 'a;b' } }", "is not a domain"),
        ("visitor: { consent: { cookie: a } }", "either `equals` or `contains`"),
        ("attributes: { account: { jwt: { cookie: session, claim: sub } } }", "say `unverified: true`"),
        ("attributes: { account: { jwt: { claim: sub, unverified: true } } }", "name `header` or `cookie`"),
    ] {
        let said = problems(config);
        assert!(said.contains(message), "{config}\n{said}");
    }
}

#[test]
fn a_route_with_an_experiment_is_never_shared() {
    let said = problems(
        "visitor: { id: { cookie: c } }\nexperiments: { a: { variations: [x, w] } }\nroutes:\n- { name: r, cache: { cdn: { max_age: 1h } }, patches: [{ variant: { a: w }, select: p, text: t }] }",
    );
    assert!(said.contains("routes[0].cache.cdn"), "{said}");
    // A flag without rules is the same for everybody.
    let constant = "features: { f: { defaultValue: true } }\nroutes:\n- { name: r, cache: { cdn: { max_age: 1h } }, patches: [{ flag: { f: true }, select: p, text: t }] }";
    assert_eq!(problems(constant), "");
}

const STICKY: &str = "
version: 1
visitor: { id: { cookie: uid }, sticky_buckets: { max_age: 30d } }
attributes: { account: { header: x-account } }
experiments:
  old: { variations: [a, b], hash_attribute: account, fallback_attribute: id }
routes: [{ name: r, patches: [{ variant: { old: b }, select: p, text: t }] }]
";

fn request(cookie: &str, account: Option<&str>) -> RequestHead {
    let mut headers = HeaderMap::new();
    headers.insert(header::USER_AGENT, HeaderValue::from_static("Mozilla/5.0 Firefox/140.0"));
    headers.insert(header::COOKIE, HeaderValue::try_from(cookie).unwrap());
    if let Some(account) = account {
        headers.insert("x-account", HeaderValue::try_from(account).unwrap());
    }
    RequestHead { headers, ..RequestHead::default() }
}

/// The variation, and the cookies that are set.
fn decide(engine: &Engine, request: &RequestHead) -> (String, Vec<String>) {
    let route = &engine.routes()[0];
    let mut values = engine.attributes().read(&route.reads, request, &[]);
    let asking = Asking {
        names: &route.decides,
        request,
        live: None,
        forced: None,
        now: std::time::SystemTime::UNIX_EPOCH,
        random: None,
        asks_for_page: true,
        tells: true,
        explains: false,
    };
    let made = engine.decisions().make(&asking, &mut values);
    let cookies = made.cookies.iter().map(|cookie| cookie.to_str().unwrap().to_owned()).collect();
    (values.text("variants.old").unwrap(), cookies)
}

#[test]
fn visitors_keep_their_variation_when_they_log_in_and_when_weights_change() {
    let engine = |weights: &str| {
        let config = STICKY.replace("hash_attribute", &format!("weights: {weights}, hash_attribute"));
        Arc::new(Engine::load(config.as_bytes()).unwrap_or_else(|problems| panic!("{problems}")).engine)
    };
    let (variation, cookies) = decide(&engine("[0, 1]"), &request("uid=7", None));
    assert_eq!(variation, "b");
    let cookie = cookies[0].split(';').next().unwrap();
    assert!(cookie.starts_with("gbStickyBuckets__id%7C%7C7=%7B%22attributeName%22"), "{cookie}");
    assert!(cookies[0].ends_with("; Path=/; Max-Age=2592000; Secure; SameSite=Lax"), "{}", cookies[0]);

    let again = request(&format!("uid=7; {cookie}"), None);
    assert_eq!(decide(&engine("[1, 0]"), &again), ("b".to_owned(), Vec::new()), "kept, and nothing is new");
    let logged_in = request(&format!("uid=7; {cookie}"), Some("ada"));
    let (variation, cookies) = decide(&engine("[1, 0]"), &logged_in);
    assert_eq!(variation, "b");
    assert!(cookies[0].starts_with("gbStickyBuckets__account%7C%7Cada="), "{cookies:?}");
    assert_eq!(
        decide(&engine("[1, 0]"), &request("uid=7", None)).0,
        "a",
        "without the cookie the hash decides"
    );
}

#[test]
fn a_cookie_that_would_get_too_long_loses_what_is_over() {
    let engine = Engine::load(STICKY.as_bytes()).unwrap().engine;
    let assignments: Vec<String> =
        (0..60).map(|n| format!("\"an-experiment-of-long-ago-{n}__0\":\"a\"")).collect();
    let json = format!(
        "{{\"attributeName\":\"id\",\"attributeValue\":\"7\",\"assignments\":{{{}}}}}",
        assignments.join(",")
    );
    let value = percent_encoding::utf8_percent_encode(&json, percent_encoding::NON_ALPHANUMERIC);
    let (_, cookies) = decide(&engine, &request(&format!("uid=7; gbStickyBuckets__id||7={value}"), None));
    assert!(cookies[0].len() < 4096, "{}", cookies[0].len());
    assert!(cookies[0].contains("old__0"));
}

#[test]
fn choices_are_bounded() {
    let forced = Forced::parse("hero:bold,nav:true, a:1,none,:x");
    assert_eq!((forced.of("hero"), forced.of("a"), forced.of("none")), (Some("bold"), Some("1"), None));
    assert_eq!(forced.value("nav"), Some(serde_json::json!(true)));
    assert_eq!(forced.value("hero"), Some(serde_json::json!("bold")));
    let many: Vec<String> = (0..1000).map(|n| format!("e{n}:x")).collect();
    assert_eq!(Forced::parse(&many.join(",")).iter().count(), 32);
}

#[test]
fn an_id_that_is_empty_or_too_long_is_none() {
    let config = "version: 1\nvisitor: { id: { from: [account, tags], cookie: uid } }\nattributes: { account: { header: x-account }, tags: { header: x-tags, type: list } }\nexperiments: { e: { variations: [a, b] } }\nroutes: [{ name: r, patches: [{ variant: { e: b }, select: p, text: t }] }]";
    let engine = Engine::load(config.as_bytes()).unwrap().engine;
    let id = |account: &str| {
        let mut request = request("uid=7", Some(account));
        request.headers.insert("x-tags", HeaderValue::from_static("a,b"));
        let route = &engine.routes()[0];
        let mut values = engine.attributes().read(&route.reads, &request, &[]);
        let asking = Asking {
            names: &route.decides,
            request: &request,
            live: None,
            forced: None,
            now: std::time::SystemTime::UNIX_EPOCH,
            random: Some(1),
            asks_for_page: true,
            tells: true,
            explains: false,
        };
        let made = engine.decisions().make(&asking, &mut values);
        assert!(made.cookies.is_empty());
        values.text("id").unwrap()
    };
    assert_eq!((id("ada").as_str(), id("").as_str(), id(&"x".repeat(300)).as_str()), ("ada", "7", "7"));
}

#[test]
fn a_cookie_that_no_browser_keeps_is_not_read() {
    let engine = Engine::load(STICKY.as_bytes()).unwrap().engine;
    let assignments: Vec<String> = (0..8000).map(|n| format!("\"{n}\":\"\"")).collect();
    let json = format!(
        "{{\"attributeName\":\"id\",\"attributeValue\":\"7\",\"assignments\":{{{}}}}}",
        assignments.join(",")
    );
    let (_, cookies) = decide(&engine, &request(&format!("uid=7; gbStickyBuckets__id||7={json}"), None));
    assert!(cookies[0].len() < 400, "{}", cookies[0]);
}
