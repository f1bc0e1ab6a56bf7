//! The editor on real pages and against lol_html's own rewriting.
//!
//! The pages are not part of this repository; where they are absent, the tests that need them say so and pass.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests: what they stumble over is a failure"
)]

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use engraft::engine::Engine;
use engraft::exchange::{self, Body, Next};
use engraft::request::RequestHead;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use lol_html::html_content::ContentType;
use lol_html::{HtmlRewriter, Settings, element};

const PAGES: [&str; 3] = ["cloudflare.com.html", "ecma402-spec.html", "html-parsing-spec.html"];

fn page(name: &str) -> Option<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/pages").join(name);
    let page = std::fs::read(path).ok();
    if page.is_none() {
        // Not by `eprintln!`: what a passing test prints is not shown.
        let _ = writeln!(std::io::stderr(), "SKIPPED: ../shared/pages/{name} is absent");
    }
    page
}

fn engine(patches: &str) -> Arc<Engine> {
    let config = format!(
        "version: 1\nlimits: {{ max_held_bytes: 1000000 }}\nroutes:\n- name: a\n  patches:\n{patches}"
    );
    Arc::new(Engine::load(config.as_bytes()).expect("the configuration is valid").engine)
}

/// The page through the whole exchange, cut after each of `sizes`, again and again.
fn through(engine: &Arc<Engine>, page: &[u8], mut sizes: impl Iterator<Item = usize>) -> Vec<u8> {
    let request = RequestHead { method: "GET".into(), path: "/".into(), ..RequestHead::default() };
    let Next::Forward(forwarded) = exchange::begin(engine, &request, &Default::default()).next else {
        panic!("answered without the origin")
    };
    let headers: HeaderMap =
        [(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))].into_iter().collect();
    let Body::Edited(mut edits) = forwarded.answer(StatusCode::OK, &headers).body else {
        return page.to_vec();
    };
    let mut out = Vec::with_capacity(page.len());
    let mut rest = page;
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(sizes.next().unwrap_or(usize::MAX).clamp(1, rest.len()));
        let tail = edits.write(chunk, &mut out);
        out.extend_from_slice(&chunk[chunk.len() - tail..]);
        rest = after;
    }
    let report = edits.end(&mut out);
    assert!(!report.summary().contains("internal"), "{}", report.summary());
    out
}

fn random(seed: u64, max: u64) -> impl Iterator<Item = usize> {
    let mut state = seed | 1;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % max).expect("small") + 1
    })
}

const PATCHES: &str = r##"
  - { select: title, text: "A & B" }
  - { select: "p", all: true, class: { add: [seen] } }
  - { select: "a", all: true, attributes: { set: { rel: "x" }, remove: [target] } }
  - { select: "li", all: true, append: "<b>!</b>" }
  - { select: "h1", all: true, before: "<hr>", after: "<hr>" }
  - { select: "code", all: true, unwrap: true }
  - { select: "h2", all: true, html: "<i>new</i>" }
  - { select: "img", all: true, remove: true }
  - { select: "body", prepend: "<p>first</p>" }
  - { select: "dl dt", all: true, rename: dd }
"##;

#[test]
fn real_pages_do_not_depend_on_the_cuts() {
    for name in PAGES {
        let Some(page) = page(name) else { continue };
        let engine = engine(PATCHES);
        let whole = through(&engine, &page, std::iter::repeat(usize::MAX));
        assert_ne!(whole, page, "{name}");
        for seed in 1..=6_u64 {
            let max = [7, 100, 1500, 16 * 1024, 70_000, 200_000][usize::try_from(seed).expect("small") - 1];
            assert!(
                through(&engine, &page, random(seed * 7919, max)) == whole,
                "{name}: seed {seed}, cuts up to {max}"
            );
        }
    }
}

#[test]
fn real_pages_without_a_match_stay_as_they_are() {
    for name in PAGES {
        let Some(page) = page(name) else { continue };
        let engine = engine("  - { select: 'no-such-element > a.nowhere', all: true, text: x }\n");
        for seed in [3, 5] {
            assert!(through(&engine, &page, random(seed, 5000)) == page, "{name}: seed {seed}");
        }
    }
}

/// One operation that lol_html has too, as a patch and as a handler of its own rewriter.
struct Twin {
    patch: &'static str,
    handler: fn(&mut lol_html::html_content::Element<'_, '_>),
}

const TWINS: &[Twin] = &[
    Twin { patch: "before: '<b>1</b>'", handler: |el| el.before("<b>1</b>", ContentType::Html) },
    Twin { patch: "after: '<b>1</b>'", handler: |el| el.after("<b>1</b>", ContentType::Html) },
    Twin { patch: "prepend: '<b>1</b>'", handler: |el| el.prepend("<b>1</b>", ContentType::Html) },
    Twin { patch: "append: '<b>1</b>'", handler: |el| el.append("<b>1</b>", ContentType::Html) },
    Twin { patch: "text: '<1>'", handler: |el| el.set_inner_content("<1>", ContentType::Text) },
    Twin { patch: "html: '<b>1</b>'", handler: |el| el.set_inner_content("<b>1</b>", ContentType::Html) },
    Twin { patch: "replace: '<b>1</b>'", handler: |el| el.replace("<b>1</b>", ContentType::Html) },
    Twin { patch: "remove: true", handler: |el| el.remove() },
    Twin { patch: "unwrap: true", handler: |el| el.remove_and_keep_content() },
];

fn by_lol_html(
    page: &[u8],
    selector: &str,
    handler: fn(&mut lol_html::html_content::Element<'_, '_>),
) -> Vec<u8> {
    let mut out = Vec::new();
    let settings = Settings::new().append_element_content_handler(element!(selector, |el| {
        handler(el);
        Ok(())
    }));
    let mut rewriter = HtmlRewriter::new(settings, |bytes: &[u8]| out.extend_from_slice(bytes));
    rewriter.write(page).expect("the page is not ambiguous");
    rewriter.end().expect("the page is not ambiguous");
    out
}

fn compare(page: &[u8], selector: &str, seed: u64) {
    for Twin { patch, handler } in TWINS {
        let engine = engine(&format!("  - {{ select: '{selector}', all: true, {patch} }}\n"));
        let expected = by_lol_html(page, selector, *handler);
        let actual = through(&engine, page, random(seed, 3000));
        assert!(actual == expected, "{selector} {patch}: seed {seed}");
    }
}

#[test]
fn real_pages_are_edited_as_lol_html_would() {
    // Elements whose end tags these pages write out: where they are left out, lol_html guesses and engraft skips.
    let selectors =
        [("cloudflare.com.html", ["h2", "form", "nav a"]), ("html-parsing-spec.html", ["h1", "dfn", "pre"])];
    for (name, selectors) in selectors {
        let Some(page) = page(name) else { continue };
        for selector in selectors {
            compare(&page, selector, 11);
        }
    }
}

#[test]
fn generated_pages_are_edited_as_lol_html_would() {
    // Elements whose tags alone say where they are: there lol_html and the standard agree.
    let names = ["label", "q", "abbr", "x-card", "span", "cite"];
    for seed in 1..=400_u64 {
        let mut random = random(seed * 104_729, 1000);
        let mut next = || random.next().expect("endless");
        let mut page = String::from("<!doctype html><html><body>");
        let mut open = Vec::new();
        for _ in 0..next() % 60 {
            match next() % 5 {
                0 | 1 if open.len() < 8 => {
                    let name = names[next() % names.len()];
                    page.push_str(&format!("<{name} class='c{}' id=i{}>", next() % 3, next()));
                    open.push(name);
                }
                2 => page.push_str(
                    ["text ", "&amp;", "<br>", "<img src=x>", "<!-- <p> -->", "a < b "][next() % 6],
                ),
                _ => page.push_str(&open.pop().map(|name| format!("</{name}>")).unwrap_or_default()),
            }
        }
        while let Some(name) = open.pop() {
            page.push_str(&format!("</{name}>"));
        }
        page.push_str("</body></html>");
        for selector in ["q", "label span", ".c1", "x-card > abbr"] {
            compare(page.as_bytes(), selector, seed);
        }
    }
}
