use crate::engine::Engine;

/// The places of the patches of a route with these patches and this head, a line each, as an operator reads them.
fn places_with(route: &str, patches: &[&str]) -> Vec<String> {
    let patches: String = patches.iter().map(|patch| format!("  - {patch}\n")).collect();
    let config = format!(
        "version: 1\nattributes: {{ v: {{ cookie: v }}, q: {{ query: q }} }}\nroutes:\n- name: a\n  cache: {{ store: {{ max_age: 1h }} }}\n  {route}\n  patches:\n{patches}"
    );
    let loaded = Engine::load(config.as_bytes()).unwrap_or_else(|problems| panic!("{problems}"));
    let place = |place: &super::Place| match place {
        super::Place::Origin => "origin".to_owned(),
        super::Place::Client(why) => why.to_string(),
    };
    loaded.engine.routes()[0].places.iter().map(place).collect()
}

fn places(patches: &[&str]) -> Vec<String> {
    places_with("delivery: stream", patches)
}

/// Of two patches, the first the same for everybody and the second not: what keeps the first from running once.
#[track_caller]
fn pairs(client: &str, cases: &[(&str, &str)]) {
    for (origin, expected) in cases {
        let found = places(&[origin, client]);
        let because = found[0].strip_prefix("it depends on patch 1: ").unwrap_or(&found[0]);
        assert_eq!(because, *expected, "{origin} beside {client}");
        assert!(found[1].starts_with("it reads v"), "{client}: {}", found[1]);
    }
}

#[test]
fn what_reads_nothing_of_the_visitor_runs_once() {
    let found = places(&[
        "{ select: h1, text: New }",
        "{ select: .x, all: true, remove: true }",
        "{ select: h2, text: '{{ q }}' }",
        "{ urls: { hosts: { a.example: b.example } } }",
        "{ request_headers: { set: { x-a: b } } }",
        "{ json: body, set: { /a: 1 } }",
    ]);
    let exchange = "it changes the exchange";
    assert_eq!(found, ["origin", "origin", "origin", "origin", exchange, "origin"]);
}

#[test]
fn the_head_is_changed_beside_what_can_not_stand_in_one() {
    pairs(
        "{ select: 'p.hello', all: true, text: 'Hi {{ v }}' }",
        &[
            ("{ link: { rel: canonical, href: /a } }", "origin"),
            ("{ link: { rel: canonical, href: /a, at: head_start } }", "origin"),
            (
                "{ link: { rel: canonical, href: /a, at: body_start } }",
                "it inserts where the other one may look",
            ),
            (
                "{ meta: { charset: utf-8 } }",
                "the search ends for only one of them where tags are not nested well",
            ),
        ],
    );
    // Both are given up where a block is moved.
    pairs(
        "{ select: 'main > p', text: 'Hi {{ v }}' }",
        &[
            ("{ title: New }", "origin"),
            ("{ meta: { name: description, content: New } }", "origin"),
            ("{ meta: { http_equiv: refresh, content: '5' } }", "it inserts where the other one may look"),
            ("{ script: { src: /a.js } }", "origin"),
            ("{ script: { inline: \"a('</p>')\" } }", "it inserts where the other one may look"),
            ("{ title: New, style: { inline: 'p {}' } }", "origin"),
            (
                "{ title: New, link: { rel: canonical, href: /a } }",
                "the search ends for only one of them where tags are not nested well",
            ),
        ],
    );
    for (client, expected) in [
        ("{ select: .hello, text: '{{ v }}' }", "which may select what is in the head"),
        ("{ select: 'p, title', text: '{{ v }}' }", "which may select what is in the head"),
        ("{ select: body, append: '{{ v }}' }", "origin"),
        ("{ when: { v: a }, link: { rel: canonical, href: /b } }", "both change the head"),
        ("{ when: { v: a }, link: { rel: canonical, href: /b, at: body_end } }", "origin"),
        (
            "{ when: { v: a }, optimize: { lazy_images: { except_first: 1 } } }",
            "which works on the whole page or on JSON in it",
        ),
    ] {
        pairs(client, &[("{ link: { rel: canonical, href: /a } }", expected)]);
    }
}

#[test]
fn attributes_are_changed_beside_content() {
    pairs(
        "{ select: '.hello', text: 'Hi {{ v }}' }",
        &[
            ("{ select: img, all: true, attributes: { set: { loading: lazy } } }", "origin"),
            ("{ select: img, attributes: { set: { src: /a.avif }, remove: [srcset] } }", "origin"),
            (
                "{ select: script, attributes: { remove: [src] } }",
                "it changes an attribute by which pages are read",
            ),
            (
                "{ select: img, all: true, class: { add: [x] } }",
                "which selects by an attribute that it changes",
            ),
            (
                "{ select: .y, attributes: { set: { lang: de } } }",
                "it changes attributes, and its selector does not say of which elements",
            ),
            (
                "{ select: 'a.y', attributes: { set: { href: / } } }",
                "it changes attributes of formatting elements",
            ),
            (
                "{ select: input, attributes: { set: { type: text } } }",
                "it changes an attribute by which pages are read",
            ),
            (
                "{ select: 'main img', attributes: { set: { alt: '' } } }",
                "only one of them selects by what an element stands in",
            ),
            ("{ select: img, rename: x-img }", "both change what is in the page"),
        ],
    );
    for (client, expected) in [
        ("{ select: img, attributes: { set: { alt: '{{ v }}' } } }", "both may change the same start tag"),
        ("{ select: h1, attributes: { set: { title: '{{ v }}' } } }", "origin"),
        ("{ select: 'h1:not([Loading])', text: '{{ v }}' }", "which selects by an attribute that it changes"),
        ("{ when: { v: a }, select: img, remove: true }", "origin"),
        ("{ json: script, set: { /a: '{{ v }}' } }", "which works on the whole page or on JSON in it"),
    ] {
        pairs(client, &[("{ select: img, all: true, attributes: { set: { loading: lazy } } }", expected)]);
    }
}

#[test]
fn content_is_added_beside_attributes() {
    pairs(
        "{ select: h1, attributes: { set: { title: '{{ v }}' } } }",
        &[
            ("{ select: p, find: '2024', replace_with: '2025' }", "origin"),
            (
                "{ select: p, find: Old, replace_with: New }",
                "it may take away or move what the other one selects",
            ),
            (
                "{ select: p, find: ' ', replace_with: New }",
                "it may take away or move what the other one selects",
            ),
            (
                "{ select: p, find: Old, replace_with: '' }",
                "it may take away or move what the other one selects",
            ),
            (
                "{ select: p, find: { regex: a+ }, replace_with: b }",
                "it may take away or move what the other one selects",
            ),
            ("{ select: li, all: true, append: '<b>new</b>' }", "origin"),
            ("{ select: li, all: true, append: '<h1>new</h1>' }", "which may select what it inserts"),
            ("{ select: p, append: '<b>new</b>' }", "it inserts where a page of frames might still begin"),
            ("{ select: li, append: New }", "it may take away or move what the other one selects"),
            (
                "{ select: .x, append: <i>New</i> }",
                "it may insert into an element whose content is not markup",
            ),
            ("{ select: li, text: New }", "it may take away or move what the other one selects"),
            ("{ select: li, append: '{{ q }}' }", "it may take away or move what the other one selects"),
        ],
    );
    for (client, expected) in [
        ("{ select: '[id]', class: { add: [x] }, when: { v: a } }", "which may select what it inserts"),
        ("{ select: tr, class: { add: [x] }, when: { v: a } }", "which may select what it inserts"),
        ("{ select: a, class: { add: [x] }, when: { v: a } }", "which selects formatting elements"),
        ("{ select: h1, text: '{{ v }}' }", "both change what is in the page"),
    ] {
        pairs(client, &[("{ select: li, all: true, append: <i>New</i> }", expected)]);
    }
    let positional = "{ when: { v: a }, select: 'h1 + div', class: { add: [x] } }";
    pairs(
        positional,
        &[("{ select: 'li + li', append: <i>New</i> }", "which selects by the place among siblings")],
    );
}

#[test]
fn who_depends_on_a_patch_of_the_client_is_one() {
    let found = places(&[
        "{ name: hello, select: p, text: '{{ v }}' }",
        "{ name: size, select: img, attributes: { set: { width: '1' } } }",
        "{ name: links, select: a, attributes: { set: { rel: x } } }",
        "{ name: alt, select: img, attributes: { set: { alt: x } } }",
        "{ name: all, select: '[rel]', remove: true }",
    ]);
    assert_eq!(
        found,
        [
            "it reads v",
            "origin",
            "it depends on patch hello: it changes attributes of formatting elements",
            "origin",
            "it depends on patch hello: both change what is in the page",
        ]
    );
    // Only because of `all`, which depends on `hello`.
    let found = places(&[
        "{ name: rel, select: img, attributes: { set: { rel: x } } }",
        "{ name: all, select: '[rel]', remove: true }",
        "{ name: hello, select: p, text: '{{ v }}' }",
    ]);
    assert_eq!(found[0], "it depends on patch all: which selects by an attribute that it changes");
}

#[test]
fn responses_have_one_head() {
    let headers = "{ response_headers: { set: { x-a: b } } }";
    let of_policies = "which changes headers, and a Content-Security-Policy has a say in what it inserts";
    for (patches, expected) in [
        (["{ script: { src: /a.js } }", "{ request_headers: { set: { x-a: b } } }"], "origin"),
        (["{ script: { src: /a.js } }", headers], &*format!("it depends on patch 1: {of_policies}")),
        (
            ["{ urls: { hosts: { a.example: b.example }, headers: true } }", headers],
            "it depends on patch 1: both change headers",
        ),
        (["{ link: { rel: canonical, href: /a } }", headers], "origin"),
        (
            ["{ script: { src: /a.js } }", "{ when: { v: a }, script: { src: /b.js, at: body_end } }"],
            "it depends on patch 1: a Content-Security-Policy has a say in both",
        ),
    ] {
        assert_eq!(places(&patches)[0], expected, "{patches:?}");
    }
}

#[test]
fn documents_of_json_are_edited_by_one() {
    let found = places(&[
        "{ json: body, set: { /a: 1 } }",
        "{ json: body, set: { /b: '{{ v }}' } }",
        "{ select: p, text: New }",
    ]);
    let because = "it depends on patch 1: each works on the document as the one before left it";
    assert_eq!(found, [because, "it reads v", "origin"]);
}

#[test]
fn what_belongs_together_stays_together() {
    let patches = ["{ link: { rel: canonical, href: /a } }", "{ select: p, text: '{{ v }}' }"];
    let found = places_with("delivery: whole", &patches);
    assert_eq!(found[0], "it depends on patch 1: pages are delivered wholly or not at all");
    let found = places_with("content_coding: gzip", &patches[..1]);
    assert_eq!(found[0], "pages are compressed for each visitor");
}
