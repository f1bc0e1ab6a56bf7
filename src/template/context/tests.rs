use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts, states,
};
use proptest::prelude::*;
use std::cell::RefCell;

use super::*;
use crate::template::Template;
use crate::template::tests::NAMES;

fn parsed(source: &str) -> Template {
    Template::parse(source, &NAMES).unwrap()
}

fn check(source: &str) -> Result<(), String> {
    markup(&parsed(source)).map(|_| ()).map_err(|error| error.to_string())
}

fn render(source: &str, x: &str) -> String {
    let (escaped, _) = markup(&parsed(source)).unwrap_or_else(|error| panic!("{source}: {error}"));
    escaped.render(|name| match name {
        "x" | "request.path" => Some(x.to_owned()),
        "closed" => Some("<b>gold</b>".to_owned()),
        _ => None,
    })
}

/// A value with everything in it that ends something somewhere.
const HOSTILE: &str = "a\"'`<>&;=/\\ )\r\n\u{2028}é";

/// Every place that takes values, and what `HOSTILE` becomes there.
const PLACES: &[(&str, &str)] = &[
    // Text.
    ("{{ x }}", "a&quot;&#39;`&lt;&gt;&amp;;=/\\ )&#13;\n\u{2028}é"),
    ("<p>{{ x }}</p>", "<p>a&quot;&#39;`&lt;&gt;&amp;;=/\\ )&#13;\n\u{2028}é</p>"),
    ("<title>{{ x }}</title>", "<title>a&quot;&#39;`&lt;&gt;&amp;;=/\\ )&#13;\n\u{2028}é</title>"),
    (
        "<textarea>{{ x }}</textarea>",
        "<textarea>a&quot;&#39;`&lt;&gt;&amp;;=/\\ )&#13;\n\u{2028}é</textarea>",
    ),
    // Attributes.
    ("<p title=\"{{ x }}\">", "<p title=\"a&quot;&#39;`&lt;&gt;&amp;;=/\\ )&#13;\n\u{2028}é\">"),
    ("<p title='{{ x }}'>", "<p title='a&quot;&#39;`&lt;&gt;&amp;;=/\\ )&#13;\n\u{2028}é'>"),
    ("<p title={{ x }}>", "<p title=\"a&quot;&#39;`&lt;&gt;&amp;;=/\\ )&#13;\n\u{2028}é\">"),
    (
        "<p title=b\"{{ x }}c\" id=d>",
        "<p title=\"b&quot;a&quot;&#39;`&lt;&gt;&amp;;=/\\ )&#13;\n\u{2028}éc&quot;\" id=d>",
    ),
    // URLs.
    ("<a href=\"{{ x }}\">", "<a href=\"a%22%27%60%3C%3E&amp;;=/%5C%20%29%0D%0A%E2%80%A8%C3%A9\">"),
    (
        "<a href=/p/{{ x }}?q={{ x }}#{{ x }}>",
        "<a href=\"/p/a%22%27%60%3C%3E%26%3B%3D%2F%5C%20%29%0D%0A%E2%80%A8%C3%A9?q=a%22%27%60%3C%3E%26%3B%3D%2F%5C%20%29%0D%0A%E2%80%A8%C3%A9#a%22%27%60%3C%3E%26%3B%3D%2F%5C%20%29%0D%0A%E2%80%A8%C3%A9\">",
    ),
    (
        "<script src='https://cdn.example/{{ x }}.js'></script>",
        "<script src='https://cdn.example/a%22%27%60%3C%3E%26%3B%3D%2F%5C%20%29%0D%0A%E2%80%A8%C3%A9.js'></script>",
    ),
    (
        "<img srcset='{{ x }} 1x, /b.jpg?{{ x }} 2x'>",
        "<img srcset='a%22%27%60%3C%3E&amp;;=/%5C%20%29%0D%0A%E2%80%A8%C3%A9 1x, /b.jpg?a%22%27%60%3C%3E%26%3B%3D%2F%5C%20%29%0D%0A%E2%80%A8%C3%A9 2x'>",
    ),
    // CSS.
    ("<p style='color: {{ x }}'>", "<p style='color: engraft-invalid'>"),
    (
        "<p style='content: \"{{ x }}\"'>",
        "<p style='content: \"a\\000022\\000027\\000060\\00003c\\00003e\\000026\\00003b\\00003d\\00002f\\00005c\\000020\\000029\\00000d\\00000a\\002028\\0000e9\"'>",
    ),
    (
        "<p style='background: url({{ x }})'>",
        "<p style='background: url(a%22%27%60%3C%3E\\000026\\00003b=/%5C%20%29%0D%0A%E2%80%A8%C3%A9)'>",
    ),
    (
        "<style>p { width: calc(1px * {{ x }}); background: url('/{{ x }}.png') }</style>",
        "<style>p { width: calc(1px * engraft-invalid); background: url('/a%22%27%60%3C%3E%26%3B%3D%2F%5C%20%29%0D%0A%E2%80%A8%C3%A9.png') }</style>",
    ),
    ("<svg><path fill='{{ x }}'/></svg>", "<svg><path fill='engraft-invalid'/></svg>"),
    // Scripts.
    (
        "<script>f('{{ x }}')</script>",
        "<script>f('a\\\"\\u0027\\u0060\\u003c\\u003e\\u0026;=\\/\\\\ )\\r\\n\\u2028\\u00e9')</script>",
    ),
    (
        "<script>var a = {{ x }};</script>",
        "<script>var a = \"a\\\"\\u0027\\u0060\\u003c\\u003e\\u0026;=\\/\\\\ )\\r\\n\\u2028\\u00e9\";</script>",
    ),
    (
        "<script type=application/ld+json>{\"a {{ x }}\": {{ x | json }}}</script>",
        "<script type=application/ld+json>{\"a a\\\"\\u0027\\u0060\\u003c\\u003e\\u0026;=\\/\\\\ )\\r\\n\\u2028\\u00e9\": \"a\\\"\\u0027\\u0060\\u003c\\u003e\\u0026;=\\/\\\\ )\\r\\n\\u2028\\u00e9\"}</script>",
    ),
    // Meta.
    (
        "<meta name=description content='{{ x }}'>",
        "<meta name=description content='a&quot;&#39;`&lt;&gt;&amp;;=/\\ )&#13;\n\u{2028}é'>",
    ),
    (
        "<meta content='{{ x }}' property=og:title>",
        "<meta content='a&quot;&#39;`&lt;&gt;&amp;;=/\\ )&#13;\n\u{2028}é' property=og:title>",
    ),
    // Markup of the configuration.
    ("{{ closed | raw }}", "<b>gold</b>"),
];

#[test]
fn every_place_has_its_escaper() {
    for (source, expected) in PLACES {
        assert_eq!(render(source, HOSTILE), *expected, "{source}");
    }
}

#[test]
fn values_are_taken_where_they_can_be_escaped() {
    for source in [
        "<!-- c --><p>{{ x }}</p>",
        "<!doctype html><p>{{ x }}",
        "<img alt='{{ x }}'/>",
        "<script>var a = '<p>';</script>{{ x }}",
        "a < b {{ x }}",
        "a &{{ x }} &amp; {{ x }}",
        "<p data-name=\"{{ x }}\">",
        "<!---->{{ x }}<!-->{{ x }}",
        "<a href='?a&{{ x }}=1&b={{ x }}'>",
        "<a href='mailto:{{ x }}?subject={{ y }}'>",
        "<a href='#{{ x }}'>",
        "<a href='{{ x }}/{{ y }}?z'>",
        "<a href=' &#104;ttps://a.example/{{ x }}'>",
        "<a href='https://a.example{{ request.path }}'>",
        "<link rel=stylesheet href='/{{ x }}.css'>",
        "<iframe src='/{{ x }}'></iframe>",
        "<form action='/{{ x }}'></form>",
        "<p style='color:red;width:{{ x }}px'>",
        "<p style=\"font-family: '{{ x }}', serif\">",
        "<style>@media (min-width: 1px) { a:hover { color: {{ x }} } b { margin: 0 {{ y }} } }</style>",
        "<style>/* it's */ a { color: {{ x }} }</style>",
        "<style>a { background: image-set('{{ x }}' 1x, url(\"/a/{{ x }}\") 2x) }</style>",
        "<script>a = b / 2; c = {{ x }} / 3 / {{ x }}</script>",
        "<script>a = /['\"`{}]/.test(b) ? {{ x }} : '{{ y }}'</script>",
        "<script>return /[/'\"]/g, {{ x }}</script>",
        "<script>a.return / 2; '{{ x }}'</script>",
        "<script>`a ${ f({ b: '}' }) } '`; '{{ x }}'</script>",
        "<script>// it's\n/* isn't */ var a = '\\'{{ x }}';</script>",
        "<script>Array.from({{ x }}); import a from '/b.js'; f({{ x }})</script>",
        "<script type=module>f({{ x }})</script>",
        "<script type=text/javascript1.5>f({{ x }})</script>",
        "<script>x = '<b>{{ x }}</b>'</script>",
        "<svg><a href='{{ x }}'><title>{{ x }}</title></a><script>f({{ x }})</script></svg><title>{{ x }}</title>",
        "{{ closed | raw }}{{ closed | default('<br>') | raw }}",
        "<p>{{ closed }}</p>",
    ] {
        assert_eq!(check(source), Ok(()), "{source}");
    }
}

#[test]
fn every_other_place_is_refused_by_name() {
    for (source, message) in [
        // Attributes that are more than text.
        ("<p onclick=\"f('{{ x }}')\">", "in the attribute \"onclick\" of <p>, which is script"),
        ("<iframe srcdoc='{{ x }}'></iframe>", "a document"),
        ("<input type='{{ x }}'>", "more than text"),
        ("<script nonce='{{ x }}'></script>", "more than text"),
        ("<link rel='{{ x }}'>", "more than text"),
        ("<script integrity={{ x }}></script>", "more than text"),
        ("<iframe sandbox='{{ x }}'></iframe>", "more than text"),
        ("<animate attributeName=href to='{{ x }}'/>", "more than text"),
        ("<param value='{{ x }}'>", "more than text"),
        ("<p @click='{{ x }}'>", "script"),
        ("<p v-html='{{ x }}'>", "script"),
        ("<p data-ng-init='{{ x }}'>", "script"),
        ("<p hx-get='{{ x }}'>", "script"),
        ("<p [title]='{{ x }}'>", "script"),
        ("<p data-bind='{{ x }}'>", "script"),
        ("<base href='/{{ x }}'>", "others depend on"),
        ("<a ping='/{{ x }}'>", "a list of URLs"),
        ("<meta name=viewport content='{{ x }}'>", "\"content\" of <meta>"),
        ("<meta content='{{ x }}'>", "\"content\" of <meta>"),
        ("<meta name=description http-equiv=refresh content='{{ x }}'>", "\"content\" of <meta>"),
        ("<meta http-equiv='{{ x }}'>", "more than text"),
        // URLs.
        ("<script src='{{ x }}'></script>", "at its start, and would decide where it leads"),
        ("<iframe src='{{ x }}'></iframe>", "where it leads"),
        ("<embed src={{ x }}>", "where it leads"),
        ("<object data='{{ x }}'></object>", "where it leads"),
        ("<link href='{{ x }}'>", "where it leads"),
        ("<form action='{{ x }}'></form>", "where it leads"),
        ("<button formaction='{{ x }}'></button>", "where it leads"),
        ("<svg><use href='{{ x }}'/></svg>", "where it leads"),
        ("<my-a href='{{ x }}'></my-a>", "where it leads"),
        ("<p data-api-url='{{ x }}'></p>", "where it leads"),
        ("<iframe data-src='{{ x }}'></iframe>", "where it leads"),
        ("<a href='https://{{ x }}/p'>", "in the host"),
        ("<a href='https:{{ x }}'>", "in the host"),
        ("<a href='https:/{{ x }}'>", "in the host"),
        ("<a href='//a.{{ x }}'>", "in the host"),
        ("<a href='/\\{{ x }}'>", "in the host"),
        ("<a href='/&sol;{{ x }}'>", "in the host"),
        ("<a href='/\t/{{ x }}'>", "in the host"),
        ("<a href='https://a.example:{{ x }}'>", "in the host"),
        ("<a href='{{ x }}:alert(1)'>", "could be a scheme"),
        ("<a href='java{{ x }}&colon;alert(1)'>", "could be a scheme"),
        ("<a href='{{ x }}{{ y }}&#58alert(1)'>", "could be a scheme"),
        ("<a href='javascript:f({{ x }})'>", "whose scheme is none of"),
        ("<a href=' java&Tab;script&#x3a;f({{ x }})'>", "whose scheme is none of"),
        ("<img src='data:image/svg+xml,{{ x }}'>", "whose scheme is none of"),
        ("<a href='/{{ x | urlencode }}'>", "leave `urlencode` out"),
        ("<img srcset='/a {{ x }}w'>", "descriptor"),
        ("<a href='&#{{ x }}'>", "character reference"),
        ("<p>&copy{{ x }}</p>", "character reference"),
        ("<title>&am{{ x }}</title>", "character reference"),
        // CSS.
        ("<p style='{{ x }}: red'>", "outside of the value of a declaration"),
        ("<p style='color: red; {{ x }}'>", "outside of the value"),
        ("<style>{{ x }} { color: red }</style>", "outside of the value"),
        ("<style>@import '{{ x }}';</style>", "outside of the value"),
        ("<style>@import url({{ x }});</style>", "outside of the value"),
        ("<style>a { &:is({{ x }}) { color: red } }</style>", "in a selector"),
        ("<style>a { b: {{ x }}(1) }</style>", "name of a function"),
        ("<style>a { b: url{{ x }}(1) }</style>", "name of a function"),
        ("<style>a { color: red /* {{ x }} */ }</style>", "in a comment"),
        ("<style>a { b\\: red; c: {{ x }} }</style>", "have `\\` in them"),
        ("<style>a { b: '\\{{ x }}' }</style>", "behind a `\\`"),
        ("<p style='background: url(//{{ x }})'>", "in the host"),
        ("<p style='background: url(javascript:{{ x }})'>", "scheme is none of"),
        ("<style>a { b: '</{{ x }}' }</style>", "could become a tag"),
        // Scripts.
        ("<script>var a = `{{ x }}`;</script>", "inside <script>, in a template literal"),
        ("<script>var a = `${ {{ x }} }`;</script>", "in a template literal"),
        ("<script>var a = /{{ x }}/;</script>", "in a regular expression"),
        ("<script>var a = /b[{{ x }}]/;</script>", "in a regular expression"),
        ("<script>return /b{{ x }}/</script>", "in a regular expression"),
        ("<script>if (a) /'/.test({{ x }})</script>", "divides or begins a regular expression"),
        ("<script>a++ /'/ {{ x }}</script>", "divides or begins"),
        ("<script>} / {{ x }}</script>", "divides or begins"),
        ("<script>// {{ x }}\n</script>", "in a comment of the script"),
        ("<script>/* {{ x }} */</script>", "in a comment of the script"),
        ("<script>\n--> '\n{{ x }}</script>", "may end a comment"),
        ("<script>var a = '\\{{ x }}';</script>", "behind a `\\`"),
        ("<script>var \\u0061 = {{ x }};</script>", "name with `\\`"),
        ("<script>import a from '{{ x }}'</script>", "loaded as a script"),
        ("<script>import({{ x }})</script>", "loaded as a script"),
        ("<script>new Worker('/{{ x }}')</script>", "loaded as a script"),
        ("<script>eval('{{ x }}')</script>", "run or loaded"),
        ("<script>'</{{ x }}'</script>", "could become a tag"),
        ("<script>'<{{ x }}'</script>", "could become a tag"),
        ("<script>'<!{{ x }}'</script>", "could become a tag"),
        ("<script>'</SCRIPT{{ x }}'</script>", "could become a tag"),
        ("<script>\"</scriptx>\"; `{{ x }}`</script>", "in a template literal"),
        ("<script type=importmap>{\"a\": {{ x }}}</script>", "neither JavaScript nor JSON"),
        ("<script type=text/x-template><p>{{ x }}</p></script>", "neither JavaScript nor JSON"),
        ("<script type=application/json>\"\\{{ x }}\"</script>", "behind a `\\`"),
        ("<script><!--<script></script>{{ x }}--></script>", "`<!--` inside <script>"),
        ("</><script>`{{ x }}`</script>", "inside <script>"),
        // Elsewhere.
        ("<noscript>{{ x }}</noscript>", "inside <noscript>"),
        ("<iframe>{{ x }}</iframe>", "inside <iframe>"),
        ("<xmp>{{ x }}</xmp>", "inside <xmp>"),
        ("<!-- {{ x }} -->", "in a comment"),
        ("<!--> <!-- > {{ x }} -->", "in a comment"),
        ("<!doctype {{ x }}>", "in a comment"),
        ("<{{ x }}>", "in a tag name"),
        ("</{{ x }}>", "in a tag name"),
        ("<p {{ x }}>", "in the tag <p>"),
        ("<p a{{ x }}>", "in the tag <p>"),
        ("<p title='a'{{ x }}>", "in the tag <p>"),
        ("<svg><style><a title=\"</style>{{ x }}\"></style></svg>", "in SVG or MathML"),
        ("<svg><![CDATA[ <p> ]]>{{ x }}</svg>", "in SVG or MathML"),
        // Raw.
        ("<p title='{{ closed | raw }}'>", "with `raw`"),
        ("<script>{{ closed | raw }}</script>", "with `raw`"),
        ("<title>{{ closed | raw }}</title>", "with `raw`"),
        ("{{ open_tag | raw }}", "\"open_tag\" with `raw` can be \"<p\", but the markup ends in a tag name"),
        ("{{ open_svg | raw }}", "not closed"),
        ("{{ closed | default('<!--') | raw }}", "ends in a comment"),
    ] {
        let error = check(source).expect_err(source);
        assert!(error.contains(message), "{source}: {error}");
    }
}

#[test]
fn the_place_is_shown() {
    let error = check("é<p>{{ x }}</p><p onclick='{{ y }}'>").unwrap_err();
    assert_eq!(
        error,
        "\"y\" stands in the attribute \"onclick\" of <p>, which is script; write one patch for each value, with `when`, and \
         the attribute's value in full (character 28 of the text)"
    );
}

#[test]
fn markup_that_would_swallow_the_page_is_refused() {
    for source in [
        "<p",
        "<p title=\"a",
        "<!-- a",
        "<script>a",
        "<textarea>",
        "<p title=\"{{ x }}>y",
        "<p title={{ x }}",
        "a <",
        "</p",
    ] {
        assert!(check(source).unwrap_err().contains("swallow"), "{source}");
    }
}

#[test]
fn empty_values_do_not_change_what_is_around_them() {
    for (source, expected) in [
        ("<p title={{ x }} class=y>", "<p title=\"\" class=y>"),
        ("<p title={{ x }}>", "<p title=\"\">"),
        ("<a href='/{{ x }}/{{ y }}'>", "<a href='/_/'>"),
        ("<a href='/{{ x }}{{ y }}/evil'>", "<a href='/_/evil'>"),
        ("<a href='/{{ x }}{{ y }}\\evil'>", "<a href='/_\\evil'>"),
        ("<a href='/{{ x }}'>", "<a href='/'>"),
        ("<a href='/p/{{ x }}/'>", "<a href='/p//'>"),
        ("<a href='{{ request.path }}/evil'>", "<a href='/_/evil'>"),
        ("<p style='background: url(/{{ x }}/a)'>", "<p style='background: url(/_/a)'>"),
        ("<script>var a = {{ x }};</script>", "<script>var a =  null ;</script>"),
        ("<script type=application/json>[{{ x }}]</script>", "<script type=application/json>[null]</script>"),
        ("a &{{ x }}", "a &amp;"),
    ] {
        assert_eq!(render(source, ""), expected, "{source}");
    }
}

#[test]
fn typed_values_stay_what_they_are() {
    let (escaped, _) = markup(&parsed("<script>a-{{ x }}</script>{{ x }}")).unwrap();
    let render = |value: serde_json::Value| escaped.render(|_| Some(value.clone()));
    assert_eq!(render((-1.0).into()), "<script>a- -1 </script>-1");
    assert_eq!(render(true.into()), "<script>a- true </script>true");
    assert_eq!(render(vec!["<", "b"].into()), "<script>a- [\"\\u003c\",\"b\"] </script>&lt;,b");
}

#[test]
fn lone_ampersands_do_not_become_references() {
    assert_eq!(render("&{{ x }}", "lt;"), "&amp;lt;");
    assert_eq!(render("<a href='?&{{ x }}'>", "lt;"), "<a href='?&amp;lt%3B'>");
    assert_eq!(render("<a href='/?&b{{ x }}'>", "c"), "<a href='/?&amp;bc'>");
}

#[test]
fn attributes_of_any_element() {
    let cases = [
        ("title", "{{ x }}", Ok(("a\"", "a&quot;", Dynamic::Inside))),
        ("title", "x", Ok(("", "x", Dynamic::No))),
        ("href", "{{ x }}", Ok(("JavaScript:x", "about:invalid#engraft", Dynamic::Origin))),
        ("href", "/a&b/{{ x }}", Ok(("/", "/a&amp;b/%2F", Dynamic::Inside))),
        ("src", "{{ x }}", Ok(("//a", "//a", Dynamic::Origin))),
        ("data-src", "{{ x }}", Ok(("a", "a", Dynamic::Origin))),
        ("srcset", "{{ x }} 2x", Ok(("a,b c", "a%2Cb%20c 2x", Dynamic::Inside))),
        ("content", "{{ x }}", Ok(("0;url=x", "0;url=x", Dynamic::Inside))),
        ("style", "color:{{ x }}", Ok(("red;b:c", "color:engraft-invalid", Dynamic::Inside))),
        ("action", "{{ x }}", Err("where it leads")),
        ("data", "{{ x }}", Err("where it leads")),
        ("onclick", "f({{ x }})", Err("which is script")),
        ("srcdoc", "{{ x }}", Err("a document")),
        ("title", "{{ closed | raw }}", Err("with `raw`")),
    ];
    for (name, source, expected) in cases {
        let found = attribute(name, &parsed(source));
        match (found, expected) {
            (Ok((escaped, dynamic)), Ok((value, text, expected))) => {
                assert_eq!(escaped.render(|_| Some(value)), text, "{name}={source}");
                assert_eq!(dynamic, expected, "{name}={source}");
            }
            (Err(error), Err(message)) => {
                assert!(error.to_string().contains(message), "{name}={source}: {error}")
            }
            (found, _) => panic!("{name}={source}: {found:?}"),
        }
    }
}

#[test]
fn locations() {
    let render = |source: &str, x: &str| {
        location(&parsed(source))
            .map(|escaped| escaped.render(|_| Some(x)))
            .map_err(|error| error.to_string())
    };
    for (source, x, expected) in [
        ("/de/{{ x }}?a={{ x }}", "a/../b&c", "/de/a%2F_%2Fb%26c?a=a%2F..%2Fb%26c"),
        ("/{{ x }}/{{ y }}", "..", "/_/_"),
        ("https://a.example/{{ x }}", "\r\nb:c", "https://a.example/%0D%0Ab%3Ac"),
        ("https://a.example{{ request.path }}", "/p/../%2e%2e//q", "https://a.example/p/_/_//q"),
        ("{{ request.path }}", "//evil.example", "/evil.example"),
        ("/de{{ request.path }}", "/p", "/de/p"),
    ] {
        assert_eq!(render(source, x).as_deref(), Ok(expected), "{source} {x}");
    }
    for source in
        ["{{ x }}", "https://{{ x }}/", "//{{ x }}", "/\\{{ x }}", "{{ x }}.example/", "ftp://a/{{ x }}"]
    {
        assert!(render(source, "").is_err(), "{source}");
    }
}

#[test]
fn headers() {
    let cases = [
        ("x-country", "{{ x }};q=1", "a, b;c\r\nd: \"é", Ok("a%2C b%3Bc%0D%0Ad: %22%C3%A9;q=1")),
        (
            "set-cookie",
            "lang={{ x }}; Path=/",
            "de; Domain=.example",
            Ok("lang=de%3B Domain=.example; Path=/"),
        ),
        ("set-cookie", "{{ x }}=1", "", Err("outside of the cookie's value")),
        ("set-cookie", "a=b; Path={{ x }}", "", Err("outside of the cookie's value")),
        ("location", "/{{ x }}", "", Err("which browsers and caches obey")),
        ("access-control-allow-origin", "{{ x }}", "", Err("obey")),
        ("content-security-policy", "script-src {{ x }}", "", Err("obey")),
        ("cache-control", "max-age={{ x }}", "", Err("obey")),
        ("cache-control", "max-age=1", "", Ok("max-age=1")),
    ];
    for (name, source, x, expected) in cases {
        let found = header(name, &parsed(source)).map(|escaped| escaped.render(|_| Some(x)));
        match expected {
            Ok(expected) => assert_eq!(found.as_deref(), Ok(expected), "{name}: {source}"),
            Err(message) => assert!(found.unwrap_err().to_string().contains(message), "{name}: {source}"),
        }
    }
}

/// What the standard's tokenizer sees: tags with the names of their attributes, and where there is text.
#[derive(Debug, Default)]
struct Shape {
    seen: RefCell<Vec<String>>,
    values: RefCell<Vec<String>>,
}

impl TokenSink for Shape {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        let mut seen = self.seen.borrow_mut();
        match token {
            Token::TagToken(Tag { kind, name, attrs, .. }) => {
                let names: Vec<String> = attrs.iter().map(|attr| attr.name.local.to_string()).collect();
                seen.push(format!("{kind:?} {name} {}", names.join(" ")));
                self.values.borrow_mut().extend(attrs.iter().map(|attr| attr.value.to_string()));
                return match (kind, &*name) {
                    (TagKind::StartTag, "script") => TokenSinkResult::RawData(states::ScriptData),
                    (TagKind::StartTag, "style") => TokenSinkResult::RawData(states::Rawtext),
                    (TagKind::StartTag, "title" | "textarea") => TokenSinkResult::RawData(states::Rcdata),
                    _ => TokenSinkResult::Continue,
                };
            }
            Token::CharacterTokens(text) => match seen.last().map(String::as_str) {
                Some("text") => {
                    if let Some(last) = self.values.borrow_mut().last_mut() {
                        last.push_str(&text);
                    }
                }
                _ => {
                    seen.push("text".into());
                    self.values.borrow_mut().push(text.to_string());
                }
            },
            Token::NullCharacterToken => seen.push("null".into()),
            Token::CommentToken(_) => seen.push("comment".into()),
            Token::DoctypeToken(_) => seen.push("doctype".into()),
            Token::EOFToken | Token::ParseError(_) => {}
        }
        TokenSinkResult::Continue
    }
}

fn shape(page: &str) -> (Vec<String>, Vec<String>) {
    let input = BufferQueue::default();
    input.push_back(page.into());
    let tokenizer = Tokenizer::new(Shape::default(), TokenizerOpts::default());
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    (tokenizer.sink.seen.take(), tokenizer.sink.values.take())
}

/// Pieces that end, begin or hide something in some language.
fn hostile() -> impl Strategy<Value = String> {
    let pieces = proptest::sample::select(vec![
        "a",
        "1",
        " ",
        "\t",
        "\n",
        "\r",
        "\0",
        "\u{1b}",
        "<",
        ">",
        "\"",
        "'",
        "`",
        "&",
        ";",
        ":",
        "=",
        "/",
        "\\",
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        "#",
        "%",
        "?",
        "-",
        "!",
        "*",
        "--",
        "-->",
        "<!--",
        "]]>",
        "</script",
        "</style>",
        "</title>",
        "<script>",
        "javascript:",
        "data:text/html,",
        "&Tab;",
        "&#58;",
        "&lt",
        "%3C",
        "%0d%0a",
        "..",
        "//",
        "url(",
        "expression(",
        "@import",
        "\u{2028}",
        "\u{2029}",
        "\u{FEFF}",
        "é",
        "😀",
        "onerror=",
        "${",
        "+ADw-",
    ]);
    proptest::collection::vec(pieces, 0..10).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_value_changes_the_markup_around_it(value in hostile()) {
        for (source, _) in PLACES {
            let followed = format!("{source}<p id=end>");
            let (expected, _) = shape(&render(&followed, "x"));
            let (seen, _) = shape(&render(&followed, &value));
            let without_text = |seen: Vec<String>| seen.into_iter().filter(|it| it != "text").collect::<Vec<_>>();
            prop_assert_eq!(without_text(seen), without_text(expected), "{}: {:?}", source, value);
        }
    }

    #[test]
    fn text_says_what_the_value_says(value in hostile()) {
        let kept: String =
            value.chars().map(|c| if c.is_ascii_control() && !"\t\n\r".contains(c) { '\u{FFFD}' } else { c }).collect();
        for source in ["<p title='{{ x }}'>", "<p title={{ x }}>", "<title>.{{ x }}"] {
            let source = source.replace("<title>.{{ x }}", "<title>{{ x }}</title>");
            let (_, values) = shape(&render(&source, &value));
            prop_assert_eq!(values.concat(), kept.clone(), "{}", source);
        }
    }

    #[test]
    fn scripts_get_the_string_that_the_value_is(value in hostile()) {
        for source in ["<script>{{ x }}</script>", "<script>\"{{ x }}\"</script>", "<script type=application/json>\"{{ x }}\"</script>"] {
            let page = render(source, &value);
            let script = page.split_once('>').unwrap().1.strip_suffix("</script>").unwrap();
            prop_assert!(script.is_ascii() && !script.contains(['<', '>', '&', '\'', '`', '\n', '\r', '\0'].as_slice()), "{}", script);
            let read: serde_json::Value = serde_json::from_str(script.trim()).unwrap();
            let expected = if value.is_empty() && !source.contains('"') { serde_json::Value::Null } else { value.clone().into() };
            prop_assert_eq!(read, expected);
        }
    }

    #[test]
    fn urls_lead_where_the_configuration_says(value in hostile()) {
        let href = |source: &str| shape(&render(source, &value)).1.concat();
        let whole = href("<a href='{{ x }}'>");
        let scheme = whole.split(['/', '?', '#']).next().unwrap().split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
        prop_assert!(scheme.is_none_or(|it| ["http", "https", "mailto", "tel", "about"].contains(&it.as_str())), "{}", whole);
        prop_assert!(whole.bytes().all(|byte| byte.is_ascii_graphic()), "{}", whole);

        let fixed = href("<a href='https://a.example/b/{{ x }}/c?d={{ x }}&e=f#g'>");
        let rest = fixed.strip_prefix("https://a.example/b/").unwrap();
        prop_assert_eq!(rest.matches('/').count(), 1, "{}", rest);
        prop_assert_eq!(rest.matches(['?', '&', '#', '=', '\\'].as_slice()).count(), 5, "{}", rest);
        prop_assert!(rest.ends_with("&e=f#g") && !rest.starts_with("../") && !rest.starts_with("./"), "{}", rest);

        let local = href("<a href='/{{ x }}/{{ x }}'>");
        prop_assert!(!local.starts_with("//") && local.starts_with('/') && !local.contains('\\'), "{}", local);
    }

    #[test]
    fn styles_stay_in_their_declaration(value in hostile()) {
        for source in ["<p style='a:{{ x }}'>", "<p style='a:\"{{ x }}\"'>", "<p style='a:url({{ x }})'>", "<p style='a:url(\"/{{ x }}\")'>"] {
            let style = shape(&render(source, &value)).1.concat();
            let inside = shape(&render(source, "")).1.concat();
            let (front, back) = inside.split_at(inside.len() - if inside.ends_with("\")") { 2 } else { usize::from(inside.ends_with(['"', ')'])) });
            let written = style.strip_prefix(front).unwrap().strip_suffix(back).unwrap();
            prop_assert!(!written.contains(['"', '\'', '(', ')', ';', '{', '}', '<', '&', '\n', '@', '/'].as_slice()) || source.contains("url"), "{}", style);
            prop_assert!(!written.contains(['"', '\'', '(', ')', ';', '{', '}', '<', '&', '\n', ' '].as_slice()) || !source.contains("url"), "{}", style);
        }
    }

    #[test]
    fn headers_stay_one_value(value in hostile()) {
        let escaped = header("x-a", &parsed("a={{ x }}; b, c")).unwrap().render(|_| Some(value.as_str()));
        prop_assert!(http::HeaderValue::from_str(&escaped).is_ok());
        prop_assert_eq!(escaped.matches([',', ';', '"', '\\'].as_slice()).count(), 2, "{}", escaped);
    }

    #[test]
    fn any_text_can_be_read(source in "[<>/!='\"&#;a-z{} \\\\`$()*:-]{0,40}") {
        // Nothing but that it comes to an end.
        if let Ok(template) = Template::parse(&source.replace('x', "{{ x }}"), &NAMES) {
            let _ = markup(&template);
            for name in ["title", "href", "srcset", "style"] {
                let _ = attribute(name, &template);
            }
            let _ = location(&template);
        }
    }
}

/// What an element makes of an attribute is what any element makes of it, or stricter: the escaper is chosen before the
/// element is met.
#[test]
fn elements_only_make_attributes_stricter() {
    use attribute::{Class, Leads, class};
    let names = [
        "href",
        "src",
        "srcset",
        "imagesrcset",
        "action",
        "formaction",
        "data",
        "poster",
        "content",
        "value",
        "name",
        "style",
        "title",
        "to",
        "fill",
        "xlink:href",
        "data-src",
        "data-x-url",
        "cite",
        "background",
        "type",
        "id",
        "class",
        "alt",
    ];
    let tags = [
        "a",
        "area",
        "base",
        "meta",
        "script",
        "link",
        "iframe",
        "frame",
        "embed",
        "object",
        "param",
        "img",
        "image",
        "use",
        "animate",
        "set",
        "form",
        "button",
        "input",
        "video",
        "track",
        "svg",
        "my-element",
        "p",
    ];
    for (tag, name) in tags.iter().flat_map(|tag| names.iter().map(move |name| (tag, name))) {
        let (any, met) = (class(None, name), class(Some(tag), name));
        let stricter = met == any
            || matches!(met, Class::Refused(_))
            || (any == Class::Url(Leads::Anywhere) && met == Class::Url(Leads::Fixed));
        assert!(stricter, "{name} on {tag}: {met:?}, not {any:?}");
    }
}
