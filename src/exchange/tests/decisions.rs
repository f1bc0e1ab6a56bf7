//! Experiments and flags on whole exchanges: who sees what, what is counted, and what caches get to know of it.

use std::time::Duration;

use super::*;
use crate::live::Live;

const CONFIG: &str = r#"
version: 1
debug: {}
exposures: { access_log: true }
visitor:
  id: { cookie: engraft_id }
  consent: { cookie: consent, contains: analytics }
force: { secret: "sixteen characters" }
attributes:
  country: { header: x-geo-country, trusted: true, values: [US, DE], otherwise: other }
experiments:
  hero:
    variations: [control, bold]
    condition: { country: { $ne: DE } }
  sale:
    variations: [control, red]
    starts_at: 2026-01-01T00:00:00Z
    ends_at: 2026-02-01T00:00:00Z
    winner: red
  away:
    variations: [stay, go]
    weights: [0, 1]
  three:
    variations: [a, b, c]
    weights: [1, 0, 0]
features:
  nav:
    defaultValue: old
    rules:
      - { condition: { country: US }, force: new }
      - { key: nav-test, variations: [old, new], hashVersion: 2 }
  columns: { defaultValue: { wide: 4 } }
routes:
  - name: hero
    match: { path: { prefix: /hero } }
    cache: { cdn: private, browser: { max_age: 0s } }
    patches:
      - { variant: { hero: bold }, select: h1, text: "Bold for {{ variants.hero }}" }
  - name: sale
    match: { path: { prefix: /sale } }
    patches: [{ variant: { sale: red }, select: h1, text: Sale }]
  - name: away
    match: { path: { prefix: /away } }
    patches: [{ variant: { away: go }, redirect: { to: /elsewhere } }]
  - name: nav
    match: { path: { prefix: /nav } }
    patches: [{ flag: { nav: new }, select: nav, text: New }, { when: { flags.columns.wide: 4 }, select: main, text: "{{ flags.columns.wide }}" }]
  - name: three
    match: { path: { prefix: /three } }
    patches: [{ variant: { three: b }, select: h1, text: b }, { variant: { three: c }, select: h2, text: c }]
  - name: same
    match: { path: { prefix: /same } }
    patches:
      - { variant: { three: a }, select: h1, html: "a" }
      - { variant: { three: b }, select: h1, html: "b" }
      - { variant: { three: c }, select: body, prepend: "c" }
      - { variant: { three: c }, select: h1, replace: "c" }
  - name: whole
    match: { path: { prefix: /whole } }
    delivery: whole
    patches: [{ variant: { hero: bold }, select: h1, all: true, text: t }]
  - name: here
    match: { path: { exact: /elsewhere } }
    patches: [{ variant: { away: go }, redirect: { to: /elsewhere } }]
  - name: rewritten
    match: { path: { prefix: /rewritten } }
    patches: [{ request_headers: { set: { x-hero: "{{ variants.hero }}" } } }]
"#;

const PAGE: &str = "<nav>old</nav><main>m</main><h1>Hello</h1>";
const CONSENT: (&str, &str) = ("cookie", "consent=analytics");
const PAGE_WANTED: (&str, &str) = ("sec-fetch-dest", "document");
const BROWSER: (&str, &str) = ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0");

/// What a visitor got.
struct Got {
    status: u16,
    headers: HeaderMap,
    body: String,
    report: Report,
    request: HeaderMap,
}

impl Got {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    fn exposures(&self) -> String {
        let shown =
            self.report.exposures.iter().map(|it| format!("{}={}", it.experiment_id(), it.variation_id()));
        shown.collect::<Vec<_>>().join(",")
    }
}

fn config() -> Arc<Engine> {
    Arc::new(Engine::load(CONFIG.as_bytes()).unwrap_or_else(|problems| panic!("{problems}")).engine)
}

fn visit(path: &str, headers: &[(&'static str, &str)]) -> Got {
    visit_with(path, headers, &Surroundings { random: 7, ..Surroundings::default() }, PAGE)
}

fn visit_with(
    path: &str,
    headers: &[(&'static str, &str)],
    surroundings: &Surroundings<'_>,
    page: &str,
) -> Got {
    exchange_by(&config(), path, headers, surroundings, page)
}

fn exchange_by(
    engine: &Arc<Engine>,
    path: &str,
    headers: &[(&'static str, &str)],
    surroundings: &Surroundings<'_>,
    page: &str,
) -> Got {
    answered_by(engine, path, headers, surroundings, (StatusCode::OK, &ORIGIN), page)
}

/// What the origin says of its pages.
const ORIGIN: [(&str, &str); 3] =
    [("content-type", "text/html"), ("etag", "\"v1\""), ("cache-control", "max-age=60")];

fn answered_by(
    engine: &Arc<Engine>,
    path: &str,
    headers: &[(&'static str, &str)],
    surroundings: &Surroundings<'_>,
    (status, said): (StatusCode, &[(&'static str, &'static str)]),
    page: &str,
) -> Got {
    let mut request = RequestHead {
        method: "GET".into(),
        scheme: "https".into(),
        authority: "shop.example".into(),
        path: path.into(),
        ..RequestHead::default()
    };
    for (name, value) in [(BROWSER.0, BROWSER.1)].iter().chain(headers) {
        if *name == "user-agent" {
            request.headers.remove("user-agent");
        }
        request.headers.append(*name, HeaderValue::from_str(value).unwrap());
    }
    let begun = begin(engine, &request, surroundings);
    for edit in &begun.edits.headers {
        edit.apply(&mut request.headers);
    }
    let forwarded = match begun.next {
        Next::Respond(response, report) => {
            let headers = response.headers.into_iter().collect();
            let body = String::new();
            return Got {
                status: response.status.as_u16(),
                headers,
                body,
                report: *report,
                request: request.headers,
            };
        }
        Next::Forward(forwarded) => forwarded,
    };
    let mut headers = map(said);
    let answered = forwarded.answer(status, &headers);
    answered.headers.iter().for_each(|edit| edit.apply(&mut headers));
    let (body, report) = match answered.body {
        Body::Passes(report) => (page.as_bytes().to_vec(), report),
        Body::NotModified(_, report) => (Vec::new(), report),
        Body::Edited(mut edits) => {
            let mut out = Vec::new();
            for chunk in page.as_bytes().chunks(5) {
                let tail = edits.write(chunk, &mut out);
                out.extend_from_slice(&chunk[chunk.len() - tail..]);
            }
            let report = edits.end(&mut out);
            (out, report)
        }
    };
    let body = String::from_utf8(body).unwrap();
    Got { status: status.as_u16(), headers, body, report, request: request.headers }
}

/// A visitor whose hash is in that variation of `hero`.
fn cookie_of(variation: &str) -> String {
    let id = (0..100).find(|id| {
        let cookie = format!("consent=analytics; engraft_id={id}");
        visit("/hero", &[("cookie", &cookie)]).exposures() == format!("hero={variation}")
    });
    format!("consent=analytics; engraft_id={}", id.unwrap())
}

#[test]
fn a_variation_is_shown_and_counted() {
    let bold = visit("/hero", &[("cookie", &cookie_of("bold"))]);
    assert_eq!(bold.body, "<nav>old</nav><main>m</main><h1>Bold for bold</h1>");
    assert_eq!(bold.exposures(), "hero=bold");
    assert_eq!(bold.report.exposures[0].hash_attribute(), "id");
    assert_eq!(bold.header("cache-control"), Some("private, max-age=0"));
    assert_eq!(bold.header("set-cookie"), None, "the id is known");
}

#[test]
fn the_control_is_counted_where_the_others_elements_are_and_passes_as_it_came() {
    let cookie = cookie_of("control");
    let control = visit("/hero", &[("cookie", &cookie)]);
    assert_eq!((control.body.as_str(), control.exposures().as_str()), (PAGE, "hero=control"));
    assert_eq!(control.header("etag"), Some("\"v1\""), "it is the origin's page");
    assert_eq!(control.report.body, BodyState::NotWanted);
    let surroundings = Surroundings::default();
    for variation in ["control", "bold"] {
        let without = visit_with("/hero", &[("cookie", &cookie_of(variation))], &surroundings, "<p>none</p>");
        assert_eq!((without.body.as_str(), without.exposures().as_str()), ("<p>none</p>", ""), "{variation}");
    }
}

#[test]
fn all_variations_count_on_the_same_pages() {
    let cookie = [("cookie", "consent=analytics; engraft_id=1")];
    let surroundings = Surroundings::default();
    for (page, seen) in [("<h1>1</h1><h2>2</h2>", "three=a"), ("<h1>1</h1>", ""), ("<h2>2</h2>", "")] {
        assert_eq!(visit_with("/three", &cookie, &surroundings, page).exposures(), seen, "{page}");
    }
}

#[test]
fn variations_of_one_element_count_alike() {
    let engine = |weights: &str| {
        let config = CONFIG.replace("weights: [1, 0, 0]", &format!("weights: {weights}"));
        Arc::new(Engine::load(config.as_bytes()).unwrap().engine)
    };
    let cookie = [("cookie", "consent=analytics; engraft_id=1")];
    for (weights, seen) in [("[1, 0, 0]", "three=a"), ("[0, 1, 0]", "three=b"), ("[0, 0, 1]", "three=c")] {
        let engine = engine(weights);
        let surroundings = Surroundings::default();
        let exposures = |page| exchange_by(&engine, "/same", &cookie, &surroundings, page).exposures();
        assert_eq!(exposures("<body><h1>1</h1></body>"), seen);
        assert_eq!(exposures("<body><h2>1</h2></body>"), "", "{seen}: the element is not there");
    }
}

#[test]
fn a_304_counts_for_both_arms_and_for_pages_only() {
    let not_modified = (StatusCode::NOT_MODIFIED, &[("etag", "\"v1\"")][..]);
    for variation in ["control", "bold"] {
        let cookie = cookie_of(variation);
        let ask = |dest: &str, tag: &str| {
            let headers = [("cookie", cookie.as_str()), ("sec-fetch-dest", dest), ("if-none-match", tag)];
            answered_by(&config(), "/hero", &headers, &Surroundings::default(), not_modified, "")
        };
        let tag = visit("/hero", &[("cookie", &cookie)]).header("etag").unwrap().to_owned();
        let got = ask("document", &tag);
        assert_eq!((got.status, got.exposures()), (304, format!("hero={variation}")));
        assert!(got.report.exposures[0].for_server(0).contains("\"seen_by\":\"not_modified\""));
        assert_eq!(ask("empty", &tag).exposures(), "", "{variation}: a script asks");
        assert_eq!(ask("image", &tag).exposures(), "", "{variation}: an image");
        assert_eq!(ask("document", &tag).header("set-cookie"), None);
    }
}

#[test]
fn cookies_are_not_set_where_a_cdn_is_told_to_keep_the_response() {
    let said = [
        ("content-type", "application/json"),
        ("cache-control", "no-store"),
        ("surrogate-control", "max-age=60"),
    ];
    let answer = (StatusCode::OK, &said[..]);
    let got = answered_by(&config(), "/sale", &[CONSENT], &Surroundings::default(), answer, "{}");
    assert_eq!((got.header("surrogate-control"), got.header("set-cookie")), (Some("max-age=60"), None));
}

#[test]
fn a_page_that_would_have_been_taken_back_does_not_count() {
    let surroundings = Surroundings::default();
    // The second one never ends, so the first is taken back as well.
    for (page, counts) in [("<h1>a</h1>", true), ("<h1>a</h1><h1>b", false)] {
        for variation in ["control", "bold"] {
            let got = visit_with("/whole", &[("cookie", &cookie_of(variation))], &surroundings, page);
            assert_eq!(!got.exposures().is_empty(), counts, "{variation} {page} {}", got.body);
        }
    }
}

#[test]
fn where_a_redirect_leads_nobody_is_compared() {
    for id in ["1", "2"] {
        let cookie = format!("consent=analytics; engraft_id={id}");
        let got = visit("/elsewhere", &[("cookie", &cookie), PAGE_WANTED]);
        assert_eq!((got.status, got.exposures().as_str()), (200, ""));
    }
    let known = ("cookie", "consent=analytics; engraft_id=1");
    let image = visit("/away", &[known, ("sec-fetch-dest", "image")]);
    assert_eq!((image.status, image.exposures().as_str()), (302, ""), "no page was asked for");
}

#[test]
fn ids_are_minted_for_visitors_who_agree_and_on_private_pages_only() {
    let first = visit("/hero", &[CONSENT]);
    let set = first.header("set-cookie").unwrap();
    let (id, attributes) = set.split_once("; ").unwrap();
    assert_eq!(id, "engraft_id=00000000-0000-4000-8000-000000000007");
    assert_eq!(attributes, "Path=/; Max-Age=31536000; Secure; HttpOnly; SameSite=Lax");
    let again = visit("/hero", &[("cookie", &format!("consent=analytics; {id}"))]);
    assert_eq!(again.exposures(), first.exposures(), "the first page counts as the second does");
    for (why, path, headers) in [
        ("no consent", "/hero", &[("cookie", "consent=none")][..]),
        ("a bot", "/hero", &[CONSENT, ("user-agent", "Googlebot/2.1")]),
        ("a part of a page", "/hero", &[CONSENT, ("sec-fetch-dest", "image")]),
        ("nothing is decided", "/other", &[CONSENT]),
    ] {
        let got = visit(path, headers);
        assert_eq!((got.header("set-cookie"), got.exposures().as_str()), (None, ""), "{why}");
        assert_eq!(got.body, PAGE, "{why}");
    }
}

#[test]
fn experiments_run_from_when_to_when_they_say() {
    for (day, text, counted) in [(0, "Hello", false), (40, "Hello|Sale", true), (90, "Sale", false)] {
        let now =
            humantime::parse_rfc3339("2025-12-01T00:00:00Z").unwrap() + Duration::from_secs(day * 86_400);
        let surroundings = Surroundings { now, ..Surroundings::default() };
        let got = visit_with("/sale", &[("cookie", "consent=analytics; engraft_id=1")], &surroundings, PAGE);
        let shown = got.body.split("<h1>").nth(1).unwrap().split('<').next().unwrap();
        assert!(text.split('|').any(|it| it == shown), "day {day}: {shown}");
        assert_eq!(!got.exposures().is_empty(), counted, "day {day}");
    }
}

#[test]
fn a_redirect_counts_when_it_is_sent() {
    let got = visit("/away", &[CONSENT, PAGE_WANTED]);
    assert_eq!((got.status, got.header("location")), (302, Some("/elsewhere")));
    assert_eq!(
        (got.exposures().as_str(), got.header("cache-control")),
        ("away=go", Some("private, no-cache"))
    );
    assert!(got.header("set-cookie").is_some());
    let prefetched = visit("/away", &[CONSENT, PAGE_WANTED, ("sec-purpose", "prefetch;prerender")]);
    assert_eq!((prefetched.status, prefetched.exposures().as_str()), (302, ""));
}

#[test]
fn flags_are_forced_or_tried_out_and_have_members() {
    let got = visit("/nav", &[CONSENT, ("x-geo-country", "US")]);
    assert_eq!(got.body, "<nav>New</nav><main>4</main><h1>Hello</h1>");
    assert_eq!(got.exposures(), "", "nobody was assigned");
    let tried: Vec<(String, String)> = (0..20)
        .map(|id| visit("/nav", &[("cookie", &format!("consent=analytics; engraft_id={id}"))]))
        .map(|got| (got.body.split(['<', '>']).nth(2).unwrap().to_owned(), got.exposures()))
        .collect();
    assert!(tried.contains(&("New".to_owned(), "nav-test=1".to_owned())), "{tried:?}");
    assert!(tried.contains(&("old".to_owned(), "nav-test=0".to_owned())), "{tried:?}");
    assert_eq!(tried.iter().filter(|(_, seen)| seen.is_empty()).count(), 0);
}

/// What the origin answers to somebody who has the page, or something else.
fn revalidated(
    cookie: &str,
    method: &str,
    more: &[(&'static str, &str)],
    tag: &str,
) -> (String, Vec<String>) {
    let mut request = head("/hero", &[]);
    request.method = method.to_owned();
    let headers = [("cookie", cookie), BROWSER, ("if-none-match", tag)];
    for (name, value) in headers.iter().chain(more) {
        request.headers.append(*name, HeaderValue::from_str(value).unwrap());
    }
    let begun = begin(&config(), &request, &Surroundings::default());
    begun.edits.headers.iter().for_each(|edit| edit.apply(&mut request.headers));
    let Next::Forward(forwarded) = begun.next else { panic!("it is answered") };
    let asked = request.headers.get("if-none-match").map(|tag| tag.to_str().unwrap().to_owned());
    let answered = forwarded.answer(StatusCode::NOT_MODIFIED, &map(&[("etag", "\"v1\"")]));
    let Body::Passes(report) = answered.body else { panic!("a 304 has no body") };
    let seen_by = |event: &crate::exposure::Event| {
        let event: serde_json::Value = serde_json::from_str(&event.for_server(0)).unwrap();
        event["seen_by"].as_str().unwrap().to_owned()
    };
    (asked.unwrap_or_default(), report.exposures.iter().map(seen_by).collect())
}

#[test]
fn a_304_counts_for_all_variations_where_it_may_be_about_the_page() {
    let page = [("accept", "text/html,*/*;q=0.8")];
    for variation in ["control", "bold"] {
        let cookie = cookie_of(variation);
        let tag = visit("/hero", &[("cookie", &cookie)]).header("etag").unwrap().to_owned();
        let not_modified = ("\"v1\"".to_owned(), vec!["not_modified".to_owned()]);
        assert_eq!(revalidated(&cookie, "GET", &page, &tag), not_modified, "{variation}");
        let as_browsers_do = [("accept", "*/*"), ("sec-fetch-dest", "document")];
        assert_eq!(revalidated(&cookie, "GET", &as_browsers_do, &tag), not_modified, "{variation}");
        for (method, more) in
            [("HEAD", page), ("GET", [("sec-fetch-dest", "image")]), ("GET", [("accept", "image/avif,*/*")])]
        {
            let (_, seen) = revalidated(&cookie, method, &more, &tag);
            assert!(seen.is_empty(), "{variation}: {method} {more:?}");
        }
    }
}

#[test]
fn what_the_origin_is_told_counts_on_pages() {
    let got = visit("/rewritten", &[("cookie", &cookie_of("bold"))]);
    assert_eq!(got.request.get("x-hero").unwrap(), "bold");
    assert_eq!((got.body.as_str(), got.exposures().as_str()), (PAGE, "hero=bold"));
}

#[test]
fn choosing_takes_the_secret_and_passes_every_cache() {
    let secret = "engraft-force-secret=sixteen%20characters";
    let got = visit(&format!("/hero?a=1&engraft-force=hero:bold&{secret}"), &[("if-none-match", "\"v1\"")]);
    assert!(got.body.ends_with("<h1>Bold for bold</h1>"), "{}", got.body);
    assert_eq!(got.header("cache-control"), Some("private, no-store"));
    assert_eq!((got.header("etag"), got.header("set-cookie"), got.exposures().as_str()), (None, None, ""));
    assert!(got.header("x-engraft-debug").unwrap().contains("forced=hero:bold"));
    assert_eq!(got.request.get("cache-control").unwrap(), "no-cache");
    assert_eq!(got.request.get("if-none-match"), None);
    assert!(got.report.forced);
    for secret in ["", "engraft-force-secret=sixteen", "engraft-force-secret=sixteen+characterS"] {
        let got = visit(&format!("/hero?engraft-force=hero:bold&{secret}"), &[]);
        assert_eq!((got.body.as_str(), got.report.forced), (PAGE, false), "{secret}");
        assert_eq!(got.header("x-engraft-debug"), None);
    }
    let flag = visit(&format!("/nav?engraft-force=nav:new&{secret}"), &[]);
    assert!(flag.body.starts_with("<nav>New</nav>"), "{}", flag.body);
    let away = visit(&format!("/away?engraft-force=away:stay&{secret}"), &[CONSENT]);
    assert_eq!((away.status, away.exposures().as_str()), (200, ""));
}

#[test]
fn the_origin_and_caches_never_see_the_parameters() {
    let engine = config();
    let request = head("/hero?engraft-force=hero:bold&a=1&engraft-force-secret=x", &[]);
    let begun = begin(&engine, &request, &Surroundings::default());
    assert_eq!(begun.edits.path.as_deref(), Some("/hero?a=1"));
}

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
