use crate::html::charset::Charset;
use crate::html::operation::{Landmark, Operation, Site};
use crate::html::text_editor::TextOutcome;
use crate::patch::fixture::{Fixture, Page, problems};

fn utf8() -> Charset {
    Charset::from_label(b"utf-8").unwrap()
}

fn changes(page: &Page, name: &str, attributes: &[(&str, &str)]) -> String {
    let changes = page.tag(name, true, attributes);
    let changes = changes.iter().map(|(name, value)| format!("{name}={}", value.as_deref().unwrap_or("-")));
    changes.collect::<Vec<String>>().join(" ")
}

#[test]
fn each_option_is_a_part_of_its_own() {
    let options = [
        ("lazy_images: { except_first: 2 }", "lazy_images", "img", 2),
        ("lazy_frames: {}", "lazy_frames", "iframe[src]", 0),
        ("fetchpriority: [{ select: img.hero, priority: high }]", "fetchpriority", "img.hero", 0),
        ("async_scripts: [{ host: a.example }]", "async_scripts", "base[href], script[src]", 0),
        ("defer_scripts: [{ prefix: /a/ }]", "defer_scripts", "base[href], script[src]", 0),
        ("third_party_scripts: { delay: [{ prefix: /a }] }", "delay_scripts", "script[src^=\"/a\"]", 0),
        ("third_party_scripts: { drop: [{ prefix: /a }] }", "drop_scripts", "script[src^=\"/a\"]", 0),
        ("font_display: swap", "font_display", "style", 0),
        ("preconnect: [https://a.example]", "preconnect", "", 0),
        ("preload: [{ href: /a, as: script }]", "preload", "", 0),
    ];
    for (option, name, select, skipped) in options {
        let parts = Fixture::new(&format!("optimize: {{ {option} }}")).parts(utf8());
        let [(part, patch)] = parts.as_slice() else { panic!("{option} is {parts:?}") };
        assert_eq!(*part, name);
        match &patch.site {
            Site::Elements { selector, all, skip_first } => {
                assert_eq!((selector.as_str(), *all, *skip_first), (select, true, skipped), "{option}");
            }
            Site::Landmark(landmark) => {
                assert_eq!((select, *landmark), ("", Landmark::HeadStart), "{option}")
            }
        }
    }
}

#[test]
fn what_says_how_it_loads_is_not_made_lazy() {
    let images = Fixture::new("optimize: { lazy_images: {} }").page();
    let cases: [(&[(&str, &str)], &str); 6] = [
        (&[], "loading=lazy decoding=async"),
        (&[("decoding", "sync")], "loading=lazy"),
        (&[("fetchpriority", "low")], "loading=lazy decoding=async"),
        (&[("fetchpriority", "HIGH")], ""),
        (&[("loading", "eager")], ""),
        (&[("loading", "")], ""),
    ];
    for (attributes, expected) in cases {
        assert_eq!(changes(&images, "img", attributes), expected, "{attributes:?}");
    }
    assert_eq!(images.tag("img", false, &[]), []);
    let frames = Fixture::new("optimize: { lazy_frames: {} }").page();
    assert_eq!(changes(&frames, "iframe", &[]), "loading=lazy");
    assert_eq!(changes(&frames, "iframe", &[("loading", "eager")]), "");
}

#[test]
fn scripts_by_their_urls() {
    let fixture = Fixture::new(
        "optimize: { async_scripts: [{ host: tags.example }, { host: 'tags.example:8443' }, { prefix: /vendor/ }, { prefix: 'https://x.example/y' }] }",
    );
    let scripts = [
        ("https://tags.example/a.js", true),
        ("//TAGS.example/a.js", true),
        (" http://tags.example\\a.js", true),
        ("https://tags.example", true),
        ("https://tags.example:8443/a.js", true),
        ("https://tags.example:8444/a.js", false),
        ("https://tags.example.evil.example/", false),
        ("https://a.example/?https://tags.example/", false),
        ("/vendor/a.js", true),
        ("../vendor/a.js", true),
        ("https://shop.example/vendor/a.js", true),
        ("https://other.example/vendor/a.js", false),
        ("https://x.example/yz", true),
        ("http://x.example/yz", false),
        ("", false),
    ];
    for (src, is_ours) in scripts {
        let expected = if is_ours { "async=" } else { "" };
        assert_eq!(changes(&fixture.page(), "script", &[("src", src)]), expected, "{src}");
    }
    let src = ("src", "https://tags.example/a.js");
    for (with, is_ours) in [
        (("type", ""), true),
        (("type", " text/JavaScript "), true),
        (("type", "module"), false),
        (("type", "application/json"), false),
        (("type", "text/javascript; charset=utf-8"), false),
        (("async", ""), false),
        (("defer", ""), false),
        (("nomodule", ""), true),
    ] {
        let expected = if is_ours { "async=" } else { "" };
        assert_eq!(changes(&fixture.page(), "script", &[src, with]), expected, "{with:?}");
    }
    let page = fixture.page();
    assert_eq!(changes(&page, "base", &[("href", "https://tags.example/")]), "");
    assert_eq!(changes(&page, "script", &[("src", "a.js")]), "async=");
    assert_eq!(changes(&page, "script", &[("src", "/vendor/a.js")]), "async=");
    assert_eq!(changes(&page, "script", &[]), "");
}

#[test]
fn third_party_scripts_are_selected_by_host() {
    let fixture = Fixture::new(
        "optimize: { third_party_scripts: { drop: [{ host: A.example }], delay: [{ prefix: 'https://b.example/x' }] } }",
    );
    let parts = fixture.parts(utf8());
    let [("drop_scripts", dropped), ("delay_scripts", delayed)] = parts.as_slice() else {
        panic!("{parts:?}")
    };
    let Site::Elements { selector, .. } = &dropped.site else { panic!("{dropped:?}") };
    for src in ["https://a.example/", "http://a.example/", "//a.example/", "//a.example?"] {
        assert!(selector.as_str().contains(&format!("script[src^=\"{src}\" i]")), "{selector}");
    }
    assert!(!selector.as_str().contains("^=\"https://a.example\""), "another host may start so");
    assert!(
        matches!(dropped.operations.as_slice(), [Operation::Replace(content)] if content.bytes.is_empty())
    );

    let Site::Elements { selector, .. } = &delayed.site else { panic!("{delayed:?}") };
    assert_eq!(selector.as_str(), "script[src^=\"https://b.example/x\"], script[src^=\"//b.example/x\"]");
    let [Operation::Before(loader), rewrite @ Operation::RewriteTag(_)] = delayed.operations.as_slice()
    else {
        panic!("{delayed:?}")
    };
    assert_eq!(loader.bytes, format!("<script>{}</script>", super::delay::LOADER).as_bytes());
    assert!(!loader.needs_markup && loader.encodable && !loader.has_references);
    let page = Page(vec![rewrite.clone()]);
    assert_eq!(changes(&page, "script", &[]), "data-engraft-type= type=text/plain");
    assert_eq!(changes(&page, "script", &[("type", "module")]), "data-engraft-type=module type=text/plain");
    assert_eq!(changes(&page, "script", &[("type", "application/json")]), "");
}

#[test]
fn the_loader_can_stand_in_any_page() {
    let loader = super::delay::LOADER;
    assert!(loader.is_ascii() && !loader.contains(['<', '\n', '&']) && !loader.contains("{{"));
}

#[test]
fn links_in_the_head_and_in_the_header() {
    let fixture = Fixture::new(
        r#"
optimize:
  link_header: true
  preconnect: [https://a.example, { href: https://b.example, crossorigin: anonymous }]
  preload:
    - { href: "/f.woff2?a&b", as: font, type: font/woff2, crossorigin: anonymous }
    - { href: /h.avif, as: image, fetchpriority: high, imagesrcset: '/h.avif 1x, /H.avif 2x', media: "(min-width: 1px)" }
"#,
    );
    let parts = fixture.parts(utf8());
    let markup: Vec<String> = parts
        .iter()
        .map(|(_, patch)| match patch.operations.as_slice() {
            [Operation::Before(content)] => String::from_utf8(content.bytes.clone()).unwrap(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        markup,
        [
            r#"<link rel="preconnect" href="https://a.example"><link rel="preconnect" href="https://b.example" crossorigin="anonymous">"#,
            concat!(
                r#"<link rel="preload" href="/f.woff2?a&amp;b" as="font" type="font/woff2" crossorigin="anonymous">"#,
                r#"<link rel="preload" href="/h.avif" as="image" media="(min-width: 1px)" imagesrcset="/h.avif 1x, /H.avif 2x" fetchpriority="high">"#,
            ),
        ]
    );
    let headers = fixture.headers(&[("link", "</x>")], true);
    let headers: Vec<&str> = headers.iter().map(|(_, value)| value.as_str()).collect();
    assert_eq!(
        headers,
        [
            "</x>",
            "<https://a.example>; rel=preconnect",
            "<https://b.example>; rel=preconnect; crossorigin=anonymous",
            "</f.woff2?a&b>; rel=preload; as=font; type=\"font/woff2\"; crossorigin=anonymous",
            "</h.avif>; rel=preload; as=image; media=\"(min-width: 1px)\"; imagesrcset=\"/h.avif 1x, /H.avif 2x\"; fetchpriority=high",
        ]
    );
    assert_eq!(fixture.headers(&[("link", "</x>")], false), [("link".to_owned(), "</x>".to_owned())]);
    let quiet = Fixture::new("optimize: { preconnect: [https://a.example] }");
    assert_eq!(quiet.headers(&[], true), []);
}

#[test]
fn fonts_are_shown_at_once() {
    let page = Fixture::new("optimize: { font_display: swap }").page();
    let cases = [
        ("@font-face{src:url(x)}", "@font-face{src:url(x);font-display:swap}"),
        ("@Font-Face { src: url('x') ; }", "@Font-Face { src: url('x') ; font-display:swap}"),
        ("@font-face{}", "@font-face{font-display:swap}"),
        ("@font-face{src:url(x);font-display:block}", ""),
        ("@font-face{FONT-DISPLAY:optional;src:url(x)}", ""),
        (
            "@font-face{/* font-display: swap */src:url(x}y)}",
            "@font-face{/* font-display: swap */src:url(x}y);font-display:swap}",
        ),
        ("@font-face{a:'font-display:}';b:c(})}", "@font-face{a:'font-display:}';b:c(});font-display:swap}"),
        (
            "@media x{@font-face{a:b}}@font-face{c:d}",
            "@media x{@font-face{a:b;font-display:swap}}@font-face{c:d;font-display:swap}",
        ),
        ("@font-face;a{b:c}", ""),
        ("@font-face x{b:c}", ""),
        ("@font-face-x{b:c}", ""),
        ("a{b:c}/*@font-face{}*/'@font-face{}'", ""),
        ("@font-face{a:b", ""),
    ];
    for (old, new) in cases {
        let (new, outcome) =
            if new.is_empty() { (old, TextOutcome::Missed) } else { (new, TextOutcome::Applied) };
        for cut in 0..=old.len() {
            let (head, tail) = old.as_bytes().split_at(cut);
            let (out, became) = page.sheet(&[head, tail]);
            assert_eq!((String::from_utf8(out).unwrap().as_str(), became), (new, outcome), "cut at {cut}");
        }
    }
}

#[test]
fn what_is_wrong_is_told() {
    let cases = [
        ("{}", "no option is named"),
        ("{ fetchpriority: [{ select: 'a:has(b)', priority: high }] }", "optimize.fetchpriority[0].select"),
        ("{ fetchpriority: [{ select: a, priority: highest }] }", "accepted: high, low, auto"),
        ("{ async_scripts: [{}] }", "name one of `host` and `prefix`"),
        ("{ async_scripts: [{ host: a, prefix: /b }] }", "name one of `host` and `prefix`"),
        ("{ async_scripts: [{ host: 'https://a' }] }", "not a host"),
        ("{ defer_scripts: [{ prefix: a.js }] }", "neither a path"),
        ("{ third_party_scripts: {} }", "add `delay` or `drop`"),
        ("{ third_party_scripts: { drop: [{ host: 'a\"]' }] } }", "not a host"),
        ("{ preconnect: [https://a.example/b] }", "not an origin"),
        ("{ preconnect: [a.example] }", "not an origin"),
        ("{ preconnect: [5] }", "https://cdn.example"),
        ("{ preconnect: [{ href: 'https://a.example', x: 1 }] }", "unknown field"),
        ("{ preload: [{ href: 'javascript:x', as: script }] }", "not a path or an http or https URL"),
        ("{ preload: [{ href: '', as: script }] }", "not a path or an http or https URL"),
        ("{ preload: [{ href: '/{{ x }}', as: script }] }", "values can't stand"),
        ("{ preload: [{ href: /x, as: video }] }", "accepted: fetch, font, image"),
        ("{ preload: [{ href: /x, as: font }] }", "add `crossorigin: anonymous`"),
        ("{ preload: [{ href: /x, as: script, imagesizes: 1px }] }", "are for `as: image`"),
        ("{ preload: [{ href: /x, as: style, media: \"a\\nb\" }] }", "line break"),
        ("{ link_header: true }", "nothing to say in `Link`"),
    ];
    for (optimize, expected) in cases {
        let problems = problems(&format!("optimize: {optimize}"));
        assert!(problems.contains(expected), "{optimize}: {problems}");
    }
}
