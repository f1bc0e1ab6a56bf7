//! What is said, and what is not. Each code's page in `docs/checks` has an example besides, which the CLI's tests run.

use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::page::look;
use crate::config::model::Config;
use crate::config::source;
use crate::engine::Engine;
use crate::exchange::gate::Untouched;

/// `code path` of each remark on a configuration, without its version.
fn said(config: &str) -> Vec<String> {
    let document = source::read(format!("version: 1\n{config}").as_bytes()).unwrap();
    let config: Config = document.decode().unwrap();
    let engine = Engine::compile(&config).unwrap_or_else(|problems| panic!("{problems}"));
    let found = super::lint(&config, &engine);
    found.iter().map(|it| format!("{} {}", it.code.unwrap(), it.path)).collect()
}

/// The same for patches of one route, with attributes, an experiment and a flag of which guards may read; what nobody reads is left
/// out.
fn of_patches(patches: &[&str]) -> Vec<String> {
    let patches: Vec<String> = patches.iter().map(|patch| format!("  - {{ {patch} }}\n")).collect();
    let config = format!(
        "attributes:
  country: {{ header: x-geo, trusted: true, values: [US, DE], otherwise: other }}
  plan: {{ cookie: plan }}
  age: {{ cookie: age, type: number }}
  device: {{ user_agent: device }}
  bot: {{ user_agent: bot }}
visitor: {{ id: {{ cookie: id }} }}
experiments:
  hero: {{ variations: [control, bold] }}
  left: {{ variations: [control, bold], namespace: {{ name: n, range: [0, 0.5] }} }}
  right: {{ variations: [control, bold], namespace: {{ name: n, range: [0.5, 1] }} }}
  us: {{ variations: [control, bold], condition: {{ country: US }} }}
  over: {{ variations: [control, bold], active: false }}
features:
  nav: {{ defaultValue: false, rules: [] }}
  part: {{ defaultValue: false, rules: [{{ coverage: 0.5, hashAttribute: id, force: true }}] }}
  beta: {{ defaultValue: false, rules: [{{ condition: {{ country: DE }}, force: true }}] }}
saved_groups: {{ vips: [gold] }}
routes:
- name: r
  patches:
{}",
        patches.concat()
    );
    said(&config).into_iter().filter(|it| !it.starts_with("unused-")).collect()
}

#[test]
fn a_route_is_unreachable_where_one_before_it_takes_everything() {
    let routes = |first: &str, second: &str| {
        said(&format!("routes:\n- {{ name: a, {first} }}\n- {{ name: b, {second} }}\n"))
    };
    for (first, second, shadowed) in [
        ("match: { path: { prefix: / } }", "cache: {}", true),
        ("match: { path: { prefix: /p/ } }", "match: { path: { prefix: /p/a } }", true),
        ("match: { path: { prefix: /p/ } }", "match: { path: { exact: /p/ }, methods: [GET] }", true),
        ("match: { host: { exact: A.example } }", "match: { host: { exact: a.example } }", true),
        ("match: { host: { suffix: .example } }", "match: { host: { exact: a.example } }", true),
        ("match: { path: { prefix: /p/ } }", "match: { path: { prefix: / } }", false),
        ("match: { path: { prefix: /p/ }, methods: [GET] }", "match: { path: { prefix: /p/a } }", false),
        ("match: { headers: { x-a: { exact: '1' } } }", "match: { path: { prefix: /p/a } }", false),
        (
            "match: { headers: { x-a: { prefix: '1' } } }",
            "match: { headers: { X-A: { exact: '12' } } }",
            true,
        ),
        ("match: { query: { a: { exact: b } } }", "match: { query: { a: { exact: c } } }", false),
        ("match: { path: { prefix: /p } }", "match: { path: { prefix: /P, ignore_case: true } }", false),
    ] {
        let found = routes(first, second);
        assert_eq!(
            found.iter().any(|it| it.starts_with("unreachable-route routes[1].")),
            shadowed,
            "{first}; {second}: {found:?}"
        );
    }
}

#[test]
fn patches_are_held_against_what_the_paths_of_their_route_end_in() {
    for (route, patch, unmatched) in [
        ("match: { path: { suffix: .json } }", "select: h1, text: a", true),
        ("match: { path: { exact: /a/style.CSS } }", "select: h1, text: a", true),
        ("match: { path: { exact: /a.html } }", "json: body, set: { /a: b }", true),
        ("match: { path: { suffix: .json } }", "json: body, set: { /a: b }", false),
        ("match: { path: { suffix: .html } }", "json: script, set: { /a: b }", false),
        ("match: { path: { suffix: .json } }", "json: script, set: { /a: b }", true),
        ("match: { path: { exact: /v1.2 } }", "select: h1, text: a", false),
        ("match: { path: { exact: /a.b/c } }", "select: h1, text: a", false),
        ("match: { path: { suffix: .xml } }, content_types: [application/xml]", "select: h1, text: a", false),
        ("match: { path: { suffix: .json } }", "response_headers: { set: { x-a: b } }", false),
        ("match: { methods: [HEAD] }", "select: h1, text: a", true),
        ("match: { methods: [HEAD, GET] }", "select: h1, text: a", false),
        ("content_types: [Application/LD+JSON]", "json: body, set: { /a: b }", true),
        ("content_types: [application/ld+json]", "select: h1, text: a", false),
    ] {
        let found = said(&format!("routes:\n- {{ name: a, {route}, patches: [{{ {patch} }}] }}\n"));
        assert_eq!(
            found.iter().any(|it| it.starts_with("unmatched-content-type routes[0].")),
            unmatched,
            "{route}; {patch}: {found:?}"
        );
    }
}

#[test]
fn guards_that_never_hold_are_found_where_all_values_are_known() {
    for (guards, impossible) in [
        ("when: { country: FR }", true),
        ("when: { country: other }", false),
        ("when: { $and: [{ country: US }, { country: DE }] }", true),
        ("when: { country: { $in: [US, FR] } }", false),
        ("when: { device: phone }", true),
        ("when: { device: tablet }", false),
        ("when: { $and: [{ bot: true }, { bot: false }] }", true),
        ("when: { $and: [{ plan: pro }, { plan: free }] }", false),
        ("variant: { hero: bold }, when: { variants.hero: control }", true),
        ("variant: { hero: bold }, flag: { nav: true }", false),
        ("when: { plan: { $inGroup: vips } }", false),
    ] {
        let found = of_patches(&[&format!("{guards}, select: h1, text: a")]);
        assert_eq!(
            found.iter().any(|it| it.starts_with("impossible-guard ")),
            impossible,
            "{guards}: {found:?}"
        );
    }
}

#[test]
fn who_is_in_a_group_of_a_payload_is_not_known() {
    let of = |growthbook: &str| {
        said(&format!(
            "attributes: {{ country: {{ header: x-geo, trusted: true, values: [US], otherwise: other }} }}
{growthbook}
routes: [{{ name: r, patches: [{{ when: {{ country: {{ $inGroup: eu }} }}, select: h1, text: a }}] }}]
"
        ))
    };
    assert_eq!(of("growthbook: { payload: { savedGroups: { eu: [US] } } }"), [""; 0]);
    assert_eq!(of("saved_groups: { eu: [FR] }"), ["impossible-guard routes[0].patches[0].when"]);
}

#[test]
fn patches_conflict_where_both_apply_and_one_is_lost() {
    const LOST: &str = "conflicting-patches routes[0].patches[0].text";
    for (first, second, expected) in [
        ("select: h1, text: a", "select: h1, text: b", Some(LOST)),
        ("select: ' main  h1', text: a", "select: main h1, html: b", Some(LOST)),
        ("select: h1, text: a", "select: h2, text: b", None),
        ("select: h1, text: a", "select: h1, append: b", None),
        // A default and its exception.
        ("select: h1, text: a", "select: h1, when: { country: US }, text: b", None),
        ("select: h1, when: { country: US }, text: a", "select: h1, text: b", Some(LOST)),
        ("select: h1, when: { country: US }, text: a", "select: h1, when: { country: DE }, text: b", None),
        (
            "select: h1, when: { country: US }, text: a",
            "select: h1, when: { plan: pro }, text: b",
            Some(LOST),
        ),
        ("select: h1, when: { plan: free }, text: a", "select: h1, when: { plan: pro }, text: b", None),
        (
            "select: h1, when: { age: { $lt: 18 } }, text: a",
            "select: h1, when: { age: { $gte: 18 } }, text: b",
            None,
        ),
        (
            "select: h1, when: { age: { $lt: 19 } }, text: a",
            "select: h1, when: { age: { $gt: 17 } }, text: b",
            Some(LOST),
        ),
        (
            "select: h1, variant: { hero: bold }, text: a",
            "select: h1, variant: { hero: control }, text: b",
            None,
        ),
        (
            "select: h1, variant: { hero: bold }, text: a",
            "select: h1, flag: { nav: true }, text: b",
            Some(LOST),
        ),
        // Of elements that go, the first one counts, and with it goes what others do to them.
        (
            "select: h1, replace: <p>a</p>",
            "select: h1, remove: true",
            Some("conflicting-patches routes[0].patches[1].remove"),
        ),
        (
            "select: h1, replace: <p>a</p>",
            "select: h1, when: { country: US }, replace: <p>b</p>",
            Some("conflicting-patches routes[0].patches[1].replace"),
        ),
        ("select: h1, when: { country: US }, replace: <p>a</p>", "select: h1, replace: <p>b</p>", None),
        ("select: h1, text: a", "select: h1, remove: true", Some(LOST)),
        (
            "select: a, attributes: { set: { href: /a } }",
            "select: a, attributes: { set: { href: /b, title: c } }",
            Some("conflicting-patches routes[0].patches[0].attributes.set.href"),
        ),
        (
            "select: a, attributes: { set: { href: /a } }",
            "select: a, attributes: { set: { href: /a, title: c } }",
            None,
        ),
        (
            "select: a, class: { add: [x] }",
            "select: a, class: { remove: [x] }",
            Some("conflicting-patches routes[0].patches[0].class.add[0]"),
        ),
        ("title: a", "title: b", Some("conflicting-patches routes[0].patches[0].title")),
        (
            "meta: { name: robots, content: a }",
            "meta: { name: robots, content: b }",
            Some("conflicting-patches routes[0].patches[0].meta"),
        ),
        ("meta: { name: robots, content: a }", "meta: { name: author, content: b }", None),
        ("meta: { name: robots, content: a }", "meta: { property: robots, content: b }", None),
        // Whoever is `pro` is among those of the first, whatever was tried out.
        (
            "select: h1, when: { plan: { $regex: ^p } }, text: a",
            "select: h1, when: { plan: pro }, text: b",
            None,
        ),
        (
            "select: h1, when: { plan: { $regex: ^p } }, text: a",
            "select: h1, when: { plan: { $regex: ^p } }, text: b",
            None,
        ),
        ("select: h1, when: { plan: pro }, text: a", "select: h1, when: { plan: pro }, text: b", Some(LOST)),
        // The first of them, and all the others.
        ("select: li, all: true, text: a", "select: li, text: b", None),
        ("select: li, text: a", "select: li, all: true, text: b", Some(LOST)),
        (
            "json: body, set: { /a: 1 }",
            "json: body, remove: [/a]",
            Some("conflicting-patches routes[0].patches[0].set[\"/a\"]"),
        ),
        // An array moves up behind an element that goes: the second is done to another one.
        ("json: body, remove: [/a/0]", "json: body, set: { /a/0: 1 }", None),
        (
            "json: body, set: { /a/0: 1 }",
            "json: body, remove: [/a/0]",
            Some("conflicting-patches routes[0].patches[0].set[\"/a/0\"]"),
        ),
        // Experiments that are for other visitors each.
        (
            "select: h1, variant: { left: bold }, text: a",
            "select: h1, variant: { right: bold }, text: b",
            None,
        ),
        ("select: h1, variant: { us: bold }, text: a", "select: h1, when: { country: DE }, text: b", None),
        ("select: h1, variant: { us: bold }, text: a", "select: h1, flag: { beta: true }, text: b", None),
        (
            "select: h1, variant: { over: bold }, text: a",
            "select: h1, variant: { hero: bold }, text: b",
            None,
        ),
        (
            "select: h1, variant: { us: bold }, when: { plan: pro }, text: a",
            "select: h1, variant: { us: bold }, when: { age: 7 }, text: b",
            Some(LOST),
        ),
        (
            "select: h1, variant: { hero: bold }, text: a",
            "select: h1, flag: { part: true }, text: b",
            Some(LOST),
        ),
        (
            "redirect: { to: /a }",
            "when: { country: US }, redirect: { to: /b }",
            Some("conflicting-patches routes[0].patches[1].redirect"),
        ),
        ("when: { country: US }, redirect: { to: /a }", "redirect: { to: /b }", None),
    ] {
        let found = of_patches(&[first, second]);
        assert_eq!(found.first().map(String::as_str), expected, "{first}; {second}: {found:?}");
    }
}

#[test]
fn a_patch_is_a_duplicate_whatever_it_is_called() {
    let found = of_patches(&["name: a, select: h1, append: x", "name: b, select: h1, append: x"]);
    assert_eq!(found, ["duplicate-patch routes[0].patches[1]"]);
    assert_eq!(of_patches(&["select: h1, append: x", "select: h1, append: y"]), [""; 0]);
}

#[test]
fn elements_that_can_take_nothing_and_those_as_long_as_the_page_are_told() {
    for (patch, expected) in [
        ("select: img.hero, text: a", Some("impossible-operation routes[0].patches[0].select")),
        ("select: 'img, br', prepend: a", Some("impossible-operation routes[0].patches[0].select")),
        ("select: 'img, p', prepend: a", None),
        ("select: img, before: a", None),
        ("select: script, text: '{{ plan }}'", Some("impossible-operation routes[0].patches[0].select")),
        ("select: body, remove: true", Some("impossible-operation routes[0].patches[0].select")),
        ("select: body, prepend: a", None),
        (
            "select: base, attributes: { set: { href: '/{{ plan }}' } }",
            Some("impossible-operation routes[0].patches[0].select"),
        ),
        ("select: main, text: a", Some("held-region routes[0].patches[0].text")),
        ("select: main, prepend: a", None),
        ("select: main, class: { add: [x] }", None),
        ("select: main, class: { add: [x] }, append: a", Some("held-region routes[0].patches[0]")),
        ("select: main h1, text: a", None),
        ("select: '#__next', html: a", Some("held-region routes[0].patches[0].html")),
        ("select: '#teaser', html: a", None),
        ("select: .root, html: a", None),
    ] {
        let found = of_patches(&[patch]);
        assert_eq!(found.first().map(String::as_str), expected, "{patch}: {found:?}");
    }
    let whole = "routes:\n- { name: a, delivery: whole, patches: [{ select: main, text: a }] }\n";
    assert_eq!(said(whole), [""; 0], "a page that is held anyway");
}

#[test]
fn what_nothing_reads_is_told() {
    let found = said(
        "attributes: { a: { cookie: a }, b: { cookie: b }, c: { cookie: c }, d: { cookie: d }, e: { cookie: e } }
visitor: { id: { cookie: id, from: [c] } }
experiments: { shown: { variations: [x, y], condition: { d: z } }, idle: { variations: [x, y] } }
features:
  on: { defaultValue: false }
  off: { defaultValue: false }
  parent: { defaultValue: true }
  child: { defaultValue: 1, rules: [{ parentConditions: [{ id: parent, condition: { value: true } }], force: 2 }] }
saved_groups: { used: [x], idle: [y] }
routes:
- name: r
  patches:
  - { variant: { shown: y }, flag: { on: true }, when: { a: { $inGroup: used } }, select: h1, text: '{{ b }} {{ flags.child }}' }
",
    );
    assert_eq!(
        found,
        [
            "unused-experiment experiments.idle",
            "unused-flag features.off",
            "unused-attribute attributes.e",
            "unused-saved-group saved_groups.idle"
        ]
    );
    let payload = "attributes: { a: { cookie: a } }\nsaved_groups: { g: [x] }\ngrowthbook: { payload: { features: {} } }\nroutes: []\n";
    assert_eq!(said(payload), [""; 0], "a payload may read anything");
}

#[test]
fn policies_are_read_as_caches_read_them() {
    for (cache, patches, expected) in [
        ("store: { stale_if_error: 1d }", "", Some("stale-without-lifetime routes[0].cache.store")),
        ("store: { stale_if_error: 1d, max_age: 1m }", "", None),
        ("store: { stale_if_error: 1d }, mode: respect_origin", "", None),
        (
            "browser: { max_age: 1h, immutable: true }",
            "{ select: h1, text: a }",
            Some("immutable-page routes[0].cache.browser"),
        ),
        ("browser: { max_age: 1h, immutable: true }", "", None),
        (
            "cdn: { max_age: 1m }, rules: [{ status: [5xx], cdn: { max_age: 1h } }]",
            "",
            Some("long-lived-errors routes[0].cache.rules[0].cdn"),
        ),
        ("cdn: { max_age: 1h }, rules: [{ status: [404, 503], cdn: { max_age: 1m } }]", "", None),
        ("cdn: { max_age: 1m }, rules: [{ status: [404], cdn: { max_age: 1h } }]", "", None),
    ] {
        let found = said(&format!("routes:\n- {{ name: a, cache: {{ {cache} }}, patches: [{patches}] }}\n"));
        assert_eq!(found.first().map(String::as_str), expected, "{cache}: {found:?}");
    }
}

#[test]
fn patches_are_looked_for_on_a_page() {
    let config = "version: 1
attributes: { country: { header: x-geo } }
routes:
- name: r
  patches:
  - { select: li, when: { country: nowhere }, text: '{{ country }}' }
  - { select: li, all: true, class: { add: [x] } }
  - { select: nav, text: a }
  - { name: both, script: { src: /x.js }, title: T }
  - { select: textarea, replace: <td>a</td> }
  - { json: body, set: { /a: 1 } }
";
    let engine = Engine::load(config.as_bytes()).unwrap().engine;
    let page = "<!doctype html><title>é</title>\n<ul> é <li>a<li>b\n<li>c<li>d</ul><textarea></textarea>";
    let see = |content_type: &'static str, page: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        let sights = look(&engine.routes()[0], engine.limits(), StatusCode::OK, &headers, page.as_bytes());
        let line = |it: &super::page::Sight| {
            let places: Vec<String> =
                it.places.iter().map(|at| format!("{}:{}", at.line, at.column)).collect();
            let skipped: Vec<&str> = it.outcome.skipped.keys().map(|skip| skip.name()).collect();
            format!(
                "{} {} {} {} {}",
                it.label,
                it.matches,
                places.join(","),
                it.outcome.applied,
                skipped.join(",")
            )
        };
        sights.map(|sights| sights.iter().map(line).collect::<Vec<_>>())
    };
    assert_eq!(
        see("text/html; charset=utf-8", page).unwrap(),
        [
            "0 4 2:8,2:13,3:1 1 ",
            "1 4 2:8,2:13,3:1 4 ",
            "2 0  0 ",
            "both.title 1 1:16 1 ",
            "both.script 0  1 ",
            "4 1 3:16 0 misplaced_markup",
        ]
    );
    assert_eq!(see("application/json", "{\"a\": 2}").unwrap(), ["5 1  1 "]);
    assert_eq!(see("application/json", "{\"b\": [2]").unwrap(), ["5 1  0 json_syntax"]);
    assert_eq!(see("image/png", ""), Err(Untouched::ContentType));
}

#[test]
fn what_is_held_for_a_patch_is_measured_on_a_page() {
    let config = "version: 1
routes:
- name: r
  patches:
  - { select: main, text: a }
  - { select: main, prepend: a }
  - { select: em, text: a }
";
    let engine = Engine::load(config.as_bytes()).unwrap().engine;
    let page = format!("<!doctype html><main>{}<em>b</em></main>", "<p>word</p>".repeat(1000));
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    let sights =
        look(&engine.routes()[0], engine.limits(), StatusCode::OK, &headers, page.as_bytes()).unwrap();
    let held: Vec<usize> = sights.iter().map(|sight| sight.held_bytes).collect();
    assert!(held[0] > 9 * super::page::PIECE_BYTES && held[0] < page.len(), "{held:?}");
    assert!(held[1] < 64 && held[2] < 64, "{held:?}");
}
