use http::{HeaderMap, HeaderValue};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::*;
use crate::config::model::{SafeRegex, StringMatcher};

fn compile(matches: &[RequestMatch]) -> Result<RouteTable, String> {
    let mut problems = Vec::new();
    let places = (0..).map(|index| Path::default().key("routes").index(index).key("match"));
    let table = RouteTable::compile(places.zip(matches.iter().map(Some)), &mut problems);
    assert_eq!(table.is_some(), problems.is_empty());
    let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
    table.ok_or_else(|| lines.join("\n"))
}

fn table(matches: Value) -> Result<RouteTable, String> {
    compile(&serde_json::from_value::<Vec<_>>(matches).unwrap())
}

/// A request as it is written: `GET shop.example/p/1?a=b`.
fn input<'r>(request: &'r str, headers: &'r HeaderMap) -> RouteInput<'r> {
    let (method, request) = request.split_once(' ').unwrap();
    let (host, target) = request.split_at(request.find('/').unwrap());
    RouteInput { method, host, target: Target::parse(target), headers }
}

fn find(table: &RouteTable, request: &str) -> Option<usize> {
    table.find(&input(request, &HeaderMap::new()))
}

#[test]
fn the_first_route_in_order_counts() {
    let table = table(json!([
        { "host": { "exact": "Shop.Example" }, "path": { "exact": "/" } },
        { "path": { "prefix": "/p/sale" } },
        { "host": { "exact": "shop.example" }, "path": { "prefix": "/p/" } },
        { "host": { "suffix": ".example" }, "path": { "safe_regex": { "regex": "/p/[0-9]+" } } },
        { "path": { "prefix": "/p/sale/" } },
        { "path": { "exact": "/about", "ignore_case": true } },
        { "path": { "suffix": ".html" }, "methods": ["GET", "HEAD"] },
        { "host": { "safe_regex": { "regex": "SHOP[.].*" } } },
    ]))
    .unwrap();
    for (request, expected) in [
        ("GET shop.example/", Some(0)),
        ("GET other.example/", None),
        ("GET shop.example/p/sale/1", Some(1)),
        ("GET shop.example/p/1", Some(2)),
        ("GET other.example/p/1", Some(3)),
        ("GET other.example/p/1/", None),
        ("GET other.test/p/1", None),
        ("GET other.test/p/sale/1", Some(1)),
        ("GET other.test/ABOUT", Some(5)),
        ("GET other.test/about?x", Some(5)),
        ("GET other.test/index.html", Some(6)),
        ("HEAD other.test/index.html?a", Some(6)),
        ("POST other.test/index.html", None),
        ("get other.test/index.html", None),
        ("GET other.test/?/index.html", None),
        ("GET shop.test/x", Some(7)),
        ("GET /x", None),
    ] {
        assert_eq!(find(&table, request), expected, "{request}");
    }
}

#[test]
fn headers_and_parameters_must_be_there_and_the_first_counts() {
    let table = table(json!([
        { "headers": { "X-Tenant": { "exact": "a" }, "x-plan": { "prefix": "pro" } } },
        { "headers": { "x-tenant": { "safe_regex": { "regex": ".*" } } } },
        { "query": { "tag": { "exact": "café au lait" } } },
        { "query": { "tag": { "contains": "x" }, "page": { "exact": "" } } },
    ]))
    .unwrap();
    let headers = |lines: &[(&'static str, &[u8])]| {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_bytes(value).unwrap());
        }
        headers
    };
    for (lines, request, expected) in [
        (&[("x-tenant", &b"a"[..]), ("x-plan", b"prof")][..], "GET h/", Some(0)),
        (&[("x-tenant", b"b"), ("x-tenant", b"a"), ("x-plan", b"pro")], "GET h/", Some(1)),
        (&[("x-tenant", b"\xff")], "GET h/", Some(1)),
        (&[("x-tenant", b"")], "GET h/", Some(1)),
        (&[("x-plan", b"pro")], "GET h/", None),
        (&[], "GET h/?tag=caf%C3%A9+au%20lait", Some(2)),
        (&[], "GET h/?t%61g=caf%C3%A9+au%20lait&tag=x", Some(2)),
        (&[], "GET h/?tag=x&tag=caf%C3%A9+au%20lait", None),
        (&[], "GET h/?page&tag=x", Some(3)),
        (&[], "GET h/?tag=x", None),
        (&[], "GET h/tag=x&page", None),
    ] {
        let headers = headers(lines);
        assert_eq!(table.find(&input(request, &headers)), expected, "{lines:?} {request}");
    }
}

#[test]
fn a_route_without_match_takes_every_request() {
    let mut problems = Vec::new();
    let table = RouteTable::compile([(Path::default(), None)], &mut problems).unwrap();
    assert_eq!(find(&table, "X-Y h/z"), Some(0));
    assert_eq!(find(&RouteTable::compile([], &mut problems).unwrap(), "GET h/"), None);
}

#[test]
fn refuses_what_no_request_can_be() {
    let problems = table(json!([
        { "methods": ["GET", "get", "PURGE", "purge", "GET /", ""] },
        { "headers": { "X-A": { "exact": "a" }, ":path": { "exact": "/" }, "a b": { "exact": "b" }, "b": {} } },
        { "host": { "exact": "Shop.Example:8443" } },
        { "host": { "exact": "*.shop.example" } },
        { "host": { "exact": "*" } },
        { "path": { "exact": "shop" } },
        { "path": { "prefix": "/p?x=" } },
        { "path": { "prefix": "" } },
        { "path": { "exact": "*" } },
        { "query": { "q": { "exact": "a", "suffix": "a" } } },
    ]))
    .unwrap_err();
    let ways = "accepted: exact, prefix, suffix, contains, safe_regex";
    let expected = [
        r#"routes[0].match.methods[1]: found method "get", expected a method in upper case; did you mean "GET"?"#,
        r#"routes[0].match.methods[3]: found method "purge", expected a method in upper case; did you mean "PURGE"?"#,
        r#"routes[0].match.methods[4]: found "GET /", expected a method, such as GET"#,
        r#"routes[0].match.methods[5]: found "", expected a method, such as GET"#,
        r#"routes[1].match.headers[":path"]: found ":path", expected a header name; what is in :path, :method and :authority is asked for by path, methods and host"#,
        r#"routes[1].match.headers["a b"]: found "a b", expected a header name: letters, digits and -, without a colon"#,
        &format!("routes[1].match.headers.b: found no way to compare, expected exactly one; {ways}"),
        r#"routes[2].match.host.exact: found "Shop.Example:8443", expected a host without port and without final dot; did you mean "shop.example"?"#,
        r#"routes[3].match.host.exact: found "*.shop.example", expected a host, or suffix ".shop.example" for every host that ends so"#,
        r#"routes[4].match.host.exact: found "*", expected a host; without host, every one matches"#,
        r#"routes[5].match.path.exact: found "shop", expected a path that starts with a slash; did you mean "/shop"?"#,
        r#"routes[6].match.path.prefix: found "/p?x=", expected a path without query and fragment; query has the parameters"#,
        r#"routes[7].match.path.prefix: found an empty prefix, which every text has, expected some text"#,
        &format!("routes[9].match.query.q: found exact and suffix, expected exactly one; {ways}"),
    ];
    assert_eq!(problems.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn a_thousand_routes_leave_a_handful_to_check() {
    let of = |route: fn(usize) -> Value| table((0..1000).map(route).collect()).unwrap();
    let long = "/x".repeat(32 * 1024);
    for (table, path) in [
        (of(|n| json!({ "path": { "prefix": format!("/p/{n}/") } })), "/p/{n}/x"),
        (of(|n| json!({ "path": { "exact": format!("/p/{n}") } })), "/p/{n}"),
        (of(|n| json!({ "path": { "safe_regex": { "regex": format!("/p/{n}/(a|x)*(/x)*") } } })), "/p/{n}/x"),
        (of(|n| json!({ "host": { "exact": format!("{n}.x") }, "path": { "suffix": "x" } })), "/p/{n}/x"),
    ] {
        for n in 0..1000 {
            let request = format!("GET {n}.x{}", path.replace("{n}", &n.to_string()));
            assert_eq!(find(&table, &request), Some(n), "{request}");
            assert_eq!(table.candidates(&input(&request, &HeaderMap::new())).count(), 1, "{request}");
            if n % 100 == 0 {
                let request = format!("{request}{long}");
                assert!(table.candidates(&input(&request, &HeaderMap::new())).count() <= 1, "{n}");
            }
        }
        assert_eq!(table.candidates(&input("GET h/elsewhere", &HeaderMap::new())).count(), 0);
    }
}

#[test]
fn prefixes_of_prefixes_are_all_candidates_and_no_others_are() {
    // `/a`, `/aa`, … and after each of them one that leaves the way.
    let route =
        |n: usize| json!({ "path": { "prefix": format!("/{}{}", "a".repeat(n / 2), ["a", "b"][n % 2]) } });
    let table = table((0..400).map(route).collect()).unwrap();
    let candidates =
        |path: &str| table.candidates(&input(&format!("GET h{path}"), &HeaderMap::new())).collect::<Vec<_>>();
    assert_eq!(candidates("/aaac"), [0, 2, 4]);
    assert_eq!(candidates("/aaab/x"), [0, 2, 4, 7]);
    assert_eq!(candidates("/b"), [1]);
    assert!(candidates("/").is_empty());
    assert_eq!(candidates(&format!("/{}", "a".repeat(64 * 1024))).len(), 200);
}

#[test]
fn length_takes_no_request_off_its_route() {
    let table = table(json!([
        { "path": { "safe_regex": { "regex": "/account/.*" } } },
        { "path": { "prefix": "/" } },
    ]))
    .unwrap();
    assert_eq!(find(&table, &format!("GET h/account/{}", "a".repeat(64 * 1024))), Some(0));
}

fn text_matcher(texts: &'static str, starts: &'static str) -> impl Strategy<Value = StringMatcher> {
    let tails = vec!["", ".*", "[ab/]+", "?", "+", "*b", "|/b", "(a|/b)*", "(?i)a", r"\.?a", "{0,1}a", "$"];
    let regex = ("[(^]?", starts, select(tails)).prop_map(|(open, start, tail)| {
        let close = if open == "(" { ")" } else { "" };
        format!("{open}{start}{tail}{close}")
    });
    (0..5, texts, starts, regex, prop::bool::weighted(0.2)).prop_map(
        |(way, text, start, regex, ignore_case)| {
            let mut matcher = StringMatcher { ignore_case, ..StringMatcher::default() };
            match way {
                0 => matcher.exact = Some(start),
                1 => matcher.prefix = Some(start),
                2 => matcher.suffix = Some(text),
                3 => matcher.contains = Some(text),
                _ => {
                    matcher.safe_regex = Some(SafeRegex { regex });
                    matcher.ignore_case = false;
                }
            }
            matcher
        },
    )
}

fn request_match() -> impl Strategy<Value = RequestMatch> {
    let host = text_matcher("[abA]{1,2}", "[abA]{1,2}");
    let path = text_matcher("[/abA]{1,2}", "/[ab]{0,2}/?[abA]{0,2}");
    let one = |name: &'static str, weight| {
        let matcher = text_matcher("[ab]{1,2}", "[ab]{1,2}");
        option::weighted(weight, matcher).prop_map(|matcher| matcher.map(|it| (name.to_owned(), it)))
    };
    let methods = vec(select(&["GET", "POST"]).prop_map(str::to_owned), 0..2);
    (option::of(host), option::weighted(0.9, path), methods, one("x-a", 0.1), one("q", 0.1)).prop_map(
        |(host, path, methods, header, parameter)| RequestMatch {
            host,
            path,
            methods,
            headers: header.into_iter().collect(),
            query: parameter.into_iter().collect(),
        },
    )
}

proptest! {
    #[test]
    fn finds_what_a_scan_of_all_routes_finds(
        matches in vec(request_match(), 0..24),
        requests in vec(("GET|POST", "[ab]{0,2}", "/[ab]{0,2}/?[abA/]{0,3}", "|[?]q=[ab%61]{0,3}", option::of("[ab]{0,2}")), 32),
    ) {
        let table = compile(&matches).map_err(TestCaseError::fail)?;
        for (method, host, path, query, header) in &requests {
            let mut headers = HeaderMap::new();
            headers.extend(header.iter().map(|value| (http::HeaderName::from_static("x-a"), value.parse().unwrap())));
            let target = format!("{path}{query}");
            let request = RouteInput { method, host, target: Target::parse(&target), headers: &headers };
            let parameters = Parameters::new(request.target);
            let on: Vec<_> = (0..matches.len()).filter(|&route| table.routes[route].hold(&request, &parameters)).collect();
            prop_assert_eq!(table.find(&request), on.first().copied(), "{:?}", request);
            let candidates: Vec<_> = table.candidates(&request).collect();
            prop_assert!(candidates.is_sorted() && on.iter().all(|route| candidates.contains(route)));
        }
    }
}
