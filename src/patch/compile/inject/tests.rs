use http::{HeaderMap, HeaderValue};

use crate::engine::Engine;
use crate::html::charset::Charset;
use crate::html::operation::{Content, Dynamic, ElementPatch, Operation, Site};
use crate::patch::{Action, Patch};
use crate::request::RequestHead;

const HOSTILE: &str = "a\"'<b>&é\u{2028}</script><!--";

fn engine(patch: &str) -> Result<Engine, String> {
    let text = format!(
        "version: 1\nattributes: {{ x: {{ header: x }} }}\nroutes:\n  - name: r\n    patches:\n      - {patch}\n"
    );
    Engine::load(text.as_bytes()).map(|loaded| loaded.engine).map_err(|problems| problems.to_string())
}

/// The edits as a request with `x` in it gets them, and their parts.
fn rendered(patch: &str, charset: &str, nonce: Option<&str>) -> Vec<(Option<&'static str>, ElementPatch)> {
    let engine = engine(patch).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("x", HeaderValue::from_bytes(HOSTILE.as_bytes()).unwrap());
    let request = RequestHead { headers, ..RequestHead::default() };
    let values = engine.attributes().read(&engine.routes()[0].reads, &request, &[]);
    let charset = Charset::from_label(charset.as_bytes()).unwrap();
    let [Patch { action: Action::Elements(edits), .. }] = engine.routes()[0].patches.as_slice() else {
        panic!("{patch}");
    };
    let render = |edit: &crate::patch::element::ElementEdit| match nonce {
        Some(nonce) => edit.render_with_nonce(&values, charset, nonce),
        None => edit.render(&values, charset),
    };
    edits.iter().map(|edit| (edit.part, render(edit))).collect()
}

fn show(content: &Content) -> String {
    String::from_utf8(content.bytes.clone()).unwrap()
}

/// Site, operation, fallback, in a line each.
fn lines(patch: &str) -> String {
    let edits = rendered(patch, "utf-8", None).into_iter().map(|(_, edit)| {
        let site = match &edit.site {
            Site::Elements { selector, all: false, skip_first: 0 } => selector.to_string(),
            Site::Landmark(landmark) => format!("{landmark:?}"),
            Site::Elements { .. } => "?".to_owned(),
        };
        let [operation] = edit.operations.as_slice() else { return "?".to_owned() };
        let operation = match operation {
            Operation::Before(content) => show(content),
            Operation::SetContent(content) => format!("content = {}", show(content)),
            Operation::SetAttribute { name, value, dynamic: Dynamic::No } => {
                format!("{name} = {}", String::from_utf8_lossy(value))
            }
            _ => "?".to_owned(),
        };
        let fallback = edit
            .fallback
            .map(|fallback| format!(" else {:?} {}", fallback.landmark, show(&fallback.content)))
            .unwrap_or_default();
        format!("{site}: {operation}{fallback}")
    });
    edits.collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_put_where() {
    let escaped = "a&quot;&#39;&lt;b&gt;&amp;é\u{2028}&lt;/script&gt;&lt;!--";
    for (patch, expected) in [
        (
            "title: \"For {{ x }} & <you>\"",
            format!(
                "head > title: content = For {escaped} &amp; &lt;you&gt; else HeadEnd <title>For {escaped} &amp; &lt;you&gt;</title>"
            ),
        ),
        (
            "meta: { name: Description, content: '{{ x }}' }",
            format!(
                "head > meta[name=\"Description\" i]:not([http-equiv]): content = {escaped} else HeadEnd <meta name=\"Description\" content=\"{escaped}\">"
            ),
        ),
        (
            "meta: { property: 'og:\"\\title', content: a&b }",
            "head > meta[property=\"og:\\\"\\\\title\" i]:not([http-equiv]): content = a&amp;b else HeadEnd <meta property=\"og:&quot;\\title\" content=\"a&amp;b\">".to_owned(),
        ),
        (
            "meta: { http_equiv: refresh, content: 5 }",
            "head > meta[http-equiv=\"refresh\" i]: content = 5 else HeadEnd <meta http-equiv=\"refresh\" content=\"5\">".to_owned(),
        ),
        (
            "meta: { charset: utf-8 }",
            "head > meta[charset]: charset = utf-8 else HeadStart <meta charset=\"utf-8\">".to_owned(),
        ),
        (
            "script: { src: 'https://a.example/x.js?a=1&b=2', async: true, defer: true, type: module, integrity: sha384-AAAA, crossorigin: use-credentials, at: body_end }",
            "BodyEnd: <script type=\"module\" src=\"https://a.example/x.js?a=1&amp;b=2\" integrity=\"sha384-AAAA\" crossorigin=\"use-credentials\" async defer></script>".to_owned(),
        ),
        (
            "script: { inline: 'if (a < b && c) f(\"é\")' }",
            "HeadEnd: <script>if (a < b && c) f(\"é\")</script>".to_owned(),
        ),
        (
            "script: { inline: 'f()', data: { '<k>': '{{ x }}!', n: [1, true, ~, 'é</script>'] }, at: body_start }",
            "BodyStart: <script type=\"application/json\" id=\"engraft-data-0\">{\"\\u003ck\\u003e\":\"a\\\"'\\u003cb\\u003e\\u0026\\u00e9\\u2028\\u003c/script\\u003e\\u003c!--!\",\"n\":[1,true,null,\"\\u00e9\\u003c/script\\u003e\"]}</script><script>f()</script>".to_owned(),
        ),
        (
            "{ name: ab-1, script: { data: { a: '{{ x | default(''y'') }}' } } }",
            "HeadEnd: <script type=\"application/json\" id=\"engraft-data-ab-1\">{\"a\":\"a\\\"'\\u003cb\\u003e\\u0026\\u00e9\\u2028\\u003c/script\\u003e\\u003c!--\"}</script>".to_owned(),
        ),
        (
            "style: { inline: 'p > a { color: red }', media: print, at: head_start }",
            "HeadStart: <style media=\"print\">p > a { color: red }</style>".to_owned(),
        ),
        (
            "link: { rel: preload, href: /a.woff2, as: font, type: font/woff2, crossorigin: anonymous, fetchpriority: high, at: head_start }",
            "HeadStart: <link rel=\"preload\" href=\"/a.woff2\" as=\"font\" type=\"font/woff2\" crossorigin=\"anonymous\" fetchpriority=\"high\">".to_owned(),
        ),
        (
            "{ style: { inline: a }, title: t }",
            "head > title: content = t else HeadEnd <title>t</title>\nHeadEnd: <style>a</style>".to_owned(),
        ),
    ] {
        assert_eq!(lines(patch), expected, "{patch}");
    }
}

#[test]
fn parts_are_named_where_there_are_several() {
    let parts = |patch| rendered(patch, "utf-8", None).into_iter().map(|(part, _)| part).collect::<Vec<_>>();
    assert_eq!(parts("title: t"), [None]);
    assert_eq!(
        parts("{ link: { rel: icon, href: /i }, title: t, script: { src: /x } }"),
        [Some("title"), Some("script"), Some("link")]
    );
}

#[test]
fn what_the_pages_encoding_may_lack_is_written_so_that_it_need_not_have_it() {
    let content = |patch| {
        let (_, edit) = rendered(patch, "windows-1252", None).remove(0);
        let [Operation::Before(content)] = edit.operations.as_slice() else { panic!("{patch}") };
        (show(content), content.encodable)
    };
    let data = "<script type=\"application/json\" id=\"engraft-data-0\">{\"a\":\"\\u0416\"}</script>";
    assert_eq!(content("script: { data: { a: Ж } }"), (data.to_owned(), true));
    assert!(!content("style: { inline: 'p { content: \"Ж\" }' }").1);
    assert!(!content("script: { inline: 'f(\"Ж\")' }").1);
    assert_eq!(
        content("link: { rel: icon, href: /Ж }"),
        ("<link rel=\"icon\" href=\"/&#1046;\">".to_owned(), true)
    );
}

#[test]
fn what_is_wrong_is_said_with_the_fix() {
    for (patch, message) in [
        ("{ select: p, text: a, title: t }", "`select` and `title` can't be in one patch"),
        ("{ redirect: { to: /a }, title: t }", "`redirect` and `title` can't be in one patch"),
        ("{ all: true, title: t }", "the other with `select`"),
        ("{ html: a, style: { inline: b } }", "the other with `select`"),
        ("title: '{{ y }}'", "\"y\" is not an attribute"),
        ("meta: { content: a }", "one of `name`, `property`, `http_equiv` and `charset`"),
        ("meta: { name: a, property: b, content: a }", "one of `name`"),
        ("meta: { name: a }", "`content` is missing"),
        ("meta: { name: '', content: a }", "names nothing"),
        ("meta: { name: '{{ x }}', content: a }", "values can't stand here"),
        ("meta: { http_equiv: refresh, content: '0;url={{ x }}' }", "values can't stand in the `content`"),
        (
            "meta: { http_equiv: Content-Security-Policy, content: '{{ x }}' }",
            "values can't stand in the `content`",
        ),
        ("meta: { name: Referrer, content: '{{ x }}' }", "values can't stand in the `content`"),
        ("meta: { charset: klingon }", "write `utf-8`"),
        ("meta: { charset: utf-8, content: a }", "has no `content`"),
        ("script: {}", "needs `src`, `inline` or `data`"),
        ("script: { src: /a, inline: b }", "write two patches"),
        ("script: { src: 'javascript:f()' }", "neither a path"),
        ("script: { src: 'a.js' }", "neither a path"),
        ("script: { src: 'https://a\\b' }", "neither a path"),
        ("script: { src: '/{{ x }}.js' }", "values can't stand here"),
        ("script: { inline: 'f(\"{{ x }}\")' }", "put them under `data`"),
        ("script: { inline: 'f(\"</SCRIPT>\")' }", "ends the element"),
        ("script: { inline: 'f(\"<!--\")' }", "write `<\\!--`"),
        ("script: { inline: a, defer: true }", "`defer` does nothing without `src`"),
        ("script: { inline: a, integrity: sha256-AAAA }", "`integrity` does nothing"),
        ("script: { src: /a, integrity: md5-AAAA }", "they would check nothing"),
        ("script: { data: { a: '{{ y }}' } }", "\"y\" is not an attribute"),
        ("style: { inline: '</style>' }", "ends the element"),
        ("style: { inline: '{{ x }}' }", "values can't stand in a style"),
        ("style: {}", "inline"),
        ("link: { rel: preload, href: /a }", "`as` is missing"),
        ("link: { rel: '', href: /a }", "`rel` says nothing"),
        ("link: { rel: icon, href: 'data:,x' }", "neither a path"),
        ("link: { rel: icon, href: '/{{ x }}' }", "values can't stand here"),
    ] {
        let problems = engine(patch).map(|_| ()).unwrap_err();
        assert!(problems.contains(message), "{patch}: {problems}");
    }
}

#[test]
fn values_of_visitors_are_known_to_be_read() {
    for patch in
        ["title: '{{ x }}'", "meta: { name: a, content: '{{ x }}' }", "script: { data: { a: ['{{ x }}'] } }"]
    {
        let engine = engine(patch).unwrap();
        assert!(engine.routes()[0].reads.contains("x"), "{patch}");
    }
}

mod policies {
    use super::*;
    use crate::csp::{Hash, Kind, Need, Resource, Url};

    fn needs(patch: &str) -> Vec<Vec<Need>> {
        engine(patch).unwrap().routes()[0].patches[0].needs().to_vec()
    }

    #[test]
    fn what_they_may_forbid_is_known_when_the_configuration_loads() {
        let inline = |kind, text| Need::Inline { kind, hash: Some(Hash::of(text)), nonceable: true };
        let attribute = |kind, text| Need::Attribute { kind, hash: Some(Hash::of(text)) };
        for (patch, expected) in [
            ("title: t", vec![vec![]]),
            ("script: { data: { a: '{{ x }}' } }", vec![vec![]]),
            ("script: { inline: f(), data: { a: '{{ x }}' } }", vec![vec![inline(Kind::Script, "f()")]]),
            (
                "{ style: { inline: 'p{}' }, script: { inline: f() } }",
                vec![vec![inline(Kind::Script, "f()")], vec![inline(Kind::Style, "p{}")]],
            ),
            (
                "script: { src: /a, integrity: 'sha256-AAAA sha384-BBBB' }",
                vec![vec![Need::Fetch {
                    resource: Resource::Script,
                    url: Url::parse("/a"),
                    integrity: Hash::of_integrity("sha256-AAAA sha384-BBBB"),
                    nonceable: true,
                }]],
            ),
            (
                "{ select: p, append: '<script>f()</script><b style=\"a\">{{ x }}</b>', attributes: { set: { style: b, onclick: g(), title: '{{ x }}' } } }",
                vec![vec![
                    attribute(Kind::Script, "g()"),
                    attribute(Kind::Style, "b"),
                    inline(Kind::Script, "f()"),
                    attribute(Kind::Style, "a"),
                ]],
            ),
            ("{ select: p, text: '<script>f()</script>' }", vec![vec![]]),
        ] {
            assert_eq!(needs(patch), expected, "{patch}");
        }
    }

    #[test]
    fn nonces_go_on_what_is_inserted() {
        let content = |patch| {
            let (_, edit) = rendered(patch, "utf-8", Some("abc")).remove(0);
            match edit.operations.as_slice() {
                [Operation::Before(content) | Operation::SetContent(content)] => {
                    (show(content), content.needs_markup)
                }
                _ => panic!("{patch}"),
            }
        };
        assert_eq!(content("style: { inline: a }").0, "<style nonce=\"abc\">a</style>");
        assert_eq!(
            content("{ select: p, html: '<script>a</script>' }"),
            ("<script nonce=\"abc\">a</script>".to_owned(), true)
        );
        assert_eq!(content("{ select: p, html: '<b>a</b>' }"), ("<b>a</b>".to_owned(), false));
        assert_eq!(content("{ select: p, text: '<script>' }").0, "&lt;script&gt;");
    }
}
