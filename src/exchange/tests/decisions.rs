//! Experiments and flags on whole exchanges: who sees what, what is counted, and what caches get to know of it.

use std::time::Duration;

use super::*;

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

mod exposures;
mod payloads;
