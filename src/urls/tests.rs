use proptest::prelude::*;

use crate::html::charset::Charset;
use crate::html::text_editor::TextOutcome;
use crate::patch::fixture::{Fixture, problems};

const ALL: &str = r#"
urls:
  hosts:
    old.example: new.example
    old.example:8443: https://new.example:9443
    "[2001:db8::1]": six.example
    plain.example: http://plain2.example
  prefixes:
    - { from: /static/, to: https://cdn.example/s/ }
    - { from: /static/fonts/, to: //fonts.example/ }
    - { from: https://old.example/assets/, to: https://cdn.example/old/ }
    - { from: //both.example/x, to: https://cdn.example/both }
    - { from: /moved/, to: /here/ }
    - { from: /caf%C3%A9/, to: https://cdn.example/cafe/ }
"#;

fn unchanged(new: Option<String>, old: &str) -> String {
    new.unwrap_or_else(|| old.to_owned())
}

#[test]
fn urls_become_others() {
    let fixture = Fixture::new(ALL);
    let cases = [
        // Hosts.
        ("https://old.example/x?y#z", "https://new.example/x?y#z"),
        ("http://old.example/x", "http://new.example/x"),
        ("//old.example/x", "//new.example/x"),
        ("HTTPS://OLD.EXAMPLE", "https://new.example"),
        (" \nhttps://old.example:443/x ", "https://new.example/x"),
        ("http://old.example:80?q", "http://new.example?q"),
        ("https:\\\\old.example\\x", "https://new.example\\x"),
        ("/\\old.example/x", "//new.example/x"),
        ("https://old.example:8443/x", "https://new.example:9443/x"),
        ("//old.example:8443/x", "https://new.example:9443/x"),
        ("https://plain.example/x", "http://plain2.example/x"),
        ("https://[2001:DB8:0::1]/x", "https://six.example/x"),
        ("https://old.example:444/x", "https://old.example:444/x"),
        ("http://old.example:443/x", "http://old.example:443/x"),
        ("https://www.old.example/x", "https://www.old.example/x"),
        ("https://old.example.evil.example/", "https://old.example.evil.example/"),
        ("https://old.example@evil.example/", "https://old.example@evil.example/"),
        ("https://evil.example/https://old.example/", "https://evil.example/https://old.example/"),
        ("https:old.example/x", "https:old.example/x"),
        // Prefixes, written in any way.
        ("/static/a.js?v=1#x", "https://cdn.example/s/a.js?v=1#x"),
        ("../static/a.js", "https://cdn.example/s/a.js"),
        ("/x/../static/./a b.js", "https://cdn.example/s/a b.js"),
        ("\\static\\a.js", "https://cdn.example/s/a.js"),
        ("/static/fonts/a.woff2", "//fonts.example/a.woff2"),
        ("/static/../x", "/static/../x"),
        ("/static", "/static"),
        ("https://shop.example/static/a.js", "https://cdn.example/s/a.js"),
        ("//SHOP.example/static/a.js", "https://cdn.example/s/a.js"),
        ("https://shop.example:8443/static/a.js", "https://shop.example:8443/static/a.js"),
        ("https://other.example/static/a.js", "https://other.example/static/a.js"),
        ("https://old.example/assets/a", "https://cdn.example/old/a"),
        ("//old.example/assets/a", "https://cdn.example/old/a"),
        ("http://old.example/assets/a", "http://new.example/assets/a"),
        ("http://both.example/xyz", "https://cdn.example/bothyz"),
        ("/moved/a?b", "/here/a?b"),
        ("https://shop.example/moved/a", "https://shop.example/here/a"),
        ("/café/a", "https://cdn.example/cafe/a"),
        ("/caf%C3%A9/é", "https://cdn.example/cafe/é"),
        // Left alone.
        ("", ""),
        ("#static", "#static"),
        ("?static", "?static"),
        ("x", "x"),
        ("data:text/html,https://old.example/", "data:text/html,https://old.example/"),
        ("blob:https://old.example/1", "blob:https://old.example/1"),
        ("javascript:location='https://old.example/'", "javascript:location='https://old.example/'"),
        ("mailto:x@old.example", "mailto:x@old.example"),
    ];
    for (old, new) in cases {
        let page = fixture.page();
        assert_eq!(unchanged(page.attribute("a", "href", old), old), new, "{old:?}");
    }
}

#[test]
fn no_path_becomes_a_host() {
    let fixture = Fixture::new("urls: { prefixes: [{ from: /moved/, to: / }, { from: /m, to: /n }] }");
    for value in ["/moved//evil.example/", "/moved/\\evil.example/", "/moved/.//evil.example/"] {
        let new = fixture.page().attribute("a", "href", value);
        assert!(new.is_none(), "{value:?} became {new:?}");
    }
    assert_eq!(fixture.page().attribute("a", "href", "/moved/x").as_deref(), Some("/x"));
    assert_eq!(
        fixture.page().attribute("a", "href", "https://shop.example/moved//x").as_deref(),
        Some("https://shop.example//x")
    );
}

#[test]
fn every_attribute_that_holds_a_url() {
    let fixture = Fixture::new("urls: { hosts: { old.example: new.example } }");
    let html = [
        "a href",
        "a ping",
        "area href",
        "area ping",
        "link href",
        "link imagesrcset",
        "audio src",
        "embed src",
        "iframe src",
        "img src",
        "img srcset",
        "img longdesc",
        "input src",
        "input formaction",
        "button formaction",
        "form action",
        "script src",
        "source src",
        "source srcset",
        "track src",
        "video src",
        "video poster",
        "object data",
        "blockquote cite",
        "q cite",
        "ins cite",
        "del cite",
        "body background",
        "td background",
        "html manifest",
        "frame src",
        "frame longdesc",
    ];
    for pair in html {
        let (element, name) = pair.split_once(' ').unwrap();
        let new = fixture.page().attribute(element, name, "https://old.example/x");
        assert_eq!(new.as_deref(), Some("https://new.example/x"), "{pair}");
    }
    let svg = [
        "a href",
        "a xlink:href",
        "use href",
        "use xlink:href",
        "image href",
        "image xlink:href",
        "feimage href",
        "script href",
    ];
    for pair in svg {
        let (element, name) = pair.split_once(' ').unwrap();
        let page = fixture.page();
        let changes = page.tag(element, false, &[(name, "https://old.example/x#y")]);
        assert_eq!(changes, [(name.to_owned(), Some("https://new.example/x#y".to_owned()))], "{pair}");
    }
    let not_urls = [
        "img usemap",
        "div itemid",
        "div itemtype",
        "a title",
        "div href",
        "p src",
        "iframe srcdoc",
        "meta content",
        "div data",
        "input value",
        "a data-href",
        "use href",
    ];
    for pair in not_urls {
        let (element, name) = pair.split_once(' ').unwrap();
        assert_eq!(fixture.page().attribute(element, name, "https://old.example/x"), None, "{pair}");
    }
    let selector: crate::html::selector::Selector = super::tags::SELECTOR.parse().unwrap();
    for pair in html.iter().chain(&svg) {
        let (element, name) = pair.split_once(' ').unwrap();
        let by_name = selector.as_str().split(", ").any(|it| it.eq_ignore_ascii_case(element));
        let by_attribute = selector.as_str().contains(&format!("[{name}]"));
        assert!(by_name || by_attribute, "{pair} is not selected");
    }
}

#[test]
fn lists_keep_what_is_not_rewritten() {
    let page = Fixture::new("urls: { hosts: { old.example: new.example } }").page();
    let cases = [
        (
            "a",
            "ping",
            " https://x.example/1\thttps://old.example/2  /3 ",
            " https://x.example/1\thttps://new.example/2  /3 ",
        ),
        (
            "img",
            "srcset",
            "a.png 1x,\n https://old.example/b.png?c,d 2x, data:,https://old.example/ 3x",
            "a.png 1x,\n https://new.example/b.png?c,d 2x, data:,https://old.example/ 3x",
        ),
        (
            "source",
            "srcset",
            "//old.example/a.png, //old.example/b.png 100w",
            "//new.example/a.png, //new.example/b.png 100w",
        ),
    ];
    for (element, name, old, new) in cases {
        assert_eq!(page.attribute(element, name, old).as_deref(), Some(new));
    }
    let refresh = |http_equiv: &str, content: &str| {
        let attributes = [("http-equiv", http_equiv), ("content", content)];
        let changes = page.tag("meta", true, &attributes);
        changes.into_iter().next().and_then(|(name, value)| value.filter(|_| name == "content"))
    };
    assert_eq!(
        refresh("REFRESH", "5; URL='https://old.example/x' y").as_deref(),
        Some("5; URL='https://new.example/x' y")
    );
    assert_eq!(refresh("refresh", "https://old.example/"), None);
    assert_eq!(refresh("content-security-policy", "0; url=https://old.example/"), None);
}

#[test]
fn relative_urls_are_relative_to_the_base() {
    // The base, a URL after it, what becomes of both.
    let cases = [
        ("https://old.example/app/", "x.png", Some("https://new.example/app/"), None),
        (
            "https://old.example/assets/",
            "x.png",
            Some("https://new.example/assets/"),
            Some("https://cdn.example/old/x.png"),
        ),
        ("https://old.example/app/", "/static/x.png", Some("https://new.example/app/"), None),
        ("https://other.example/", "/static/x.png", None, None),
        ("https://other.example/", "https://shop.example/static/x", None, Some("https://cdn.example/s/x")),
        ("https://other.example/", "https://shop.example/moved/x", None, Some("https://shop.example/here/x")),
        ("https://shop.example/static/", "x.png", None, Some("https://cdn.example/s/x.png")),
        ("https://shop.example/static/", "/moved/x", None, Some("/here/x")),
        ("/static/", "x.png", None, Some("https://cdn.example/s/x.png")),
        ("/static/", "../x.png", None, None),
        ("../static/y", "x.png", None, Some("https://cdn.example/s/x.png")),
        ("javascript:1", "/static/x.png", None, Some("https://cdn.example/s/x.png")),
        (" DATA:x", "/static/x.png", None, Some("https://cdn.example/s/x.png")),
        ("ftp://old.example/", "/static/x.png", None, None),
        ("https://user@old.example/", "/static/x.png", None, None),
    ];
    let fixture = Fixture::new(ALL);
    for (base, url, new_base, new_url) in cases {
        let page = fixture.page();
        assert_eq!(page.attribute("base", "href", base).as_deref(), new_base, "{base}");
        assert_eq!(
            page.attribute("base", "href", "https://old.example/static/"),
            None,
            "the first base counts"
        );
        assert_eq!(page.attribute("img", "src", url).as_deref(), new_url, "{url} on {base}");
    }
    // A base that stays still says what is relative to it.
    let only = Fixture::new("urls: { hosts: { old.example: new.example }, only: [img] }");
    let page = only.page();
    assert_eq!(page.attribute("base", "href", "https://old.example/app/"), None);
    assert_eq!(page.attribute("img", "src", "x.png?y").as_deref(), Some("https://new.example/app/x.png?y"));
    assert_eq!(page.attribute("a", "href", "https://old.example/"), None);
}

#[test]
fn images_come_from_a_service() {
    let fit = r#"
urls:
  images:
    to: https://img.example/fit/{path}
    extensions: [png, JPG]
    parameters: { w: "800", "a b": "é&" }
"#;
    let whole = r#"
urls:
  images: { to: "/_image?url={url}&q=75", from: [/, https://old.example/], site: https://shop.example }
  prefixes: [{ from: /, to: https://cdn.example/ }]
"#;
    let host = "urls: { images: { to: '//img.example/{host}/{path}', from: ['//old.example/'] } }";
    let cases = [
        (fit, "img src", "/a/b.png", Some("https://img.example/fit/a/b.png?a%20b=%C3%A9%26&w=800")),
        (fit, "img src", "c.jpg?x=1#y", Some("https://img.example/fit/a/c.jpg?x=1&a%20b=%C3%A9%26&w=800#y")),
        (fit, "video poster", "c.JPG", Some("https://img.example/fit/a/c.JPG?a%20b=%C3%A9%26&w=800")),
        (fit, "img src", "c.svg", None),
        (fit, "img src", "https://other.example/c.png", None),
        (fit, "img src", "https://img.example/fit/c.png", None),
        (fit, "img src", "data:image/png,", None),
        (fit, "script src", "c.png", None),
        (fit, "a href", "c.png", None),
        (
            fit,
            "img srcset",
            "c.png 1x, d.svg 2x, /e.png 3x",
            Some(
                "https://img.example/fit/a/c.png?a%20b=%C3%A9%26&w=800 1x, d.svg 2x, https://img.example/fit/e.png?a%20b=%C3%A9%26&w=800 3x",
            ),
        ),
        (whole, "img src", "c.png?x", Some("/_image?url=https%3A%2F%2Fshop.example%2Fa%2Fc.png%3Fx&q=75")),
        (whole, "img src", "http://old.example/c", None),
        (whole, "img src", "//old.example/c,", Some("/_image?url=https%3A%2F%2Fold.example%2Fc%2C&q=75")),
        (whole, "a href", "c", Some("https://cdn.example/a/c")),
        (whole, "img src", "/_image?url=x", Some("https://cdn.example/_image?url=x")),
        (host, "img src", "https://old.example/c", Some("//img.example/old.example/c")),
        (host, "img src", "/c", None),
    ];
    for (patch, place, old, new) in cases {
        let (element, name) = place.split_once(' ').unwrap();
        assert_eq!(Fixture::new(patch).page().attribute(element, name, old).as_deref(), new, "{old}");
    }
    let page = Fixture::new(fit).page();
    let link = |attributes: &[(&str, &str)]| page.tag("link", true, attributes).len();
    assert_eq!(link(&[("rel", "preload"), ("as", "image"), ("href", "a.png")]), 1);
    assert_eq!(link(&[("rel", "shortcut ICON"), ("href", "a.png")]), 1);
    assert_eq!(link(&[("rel", "preload"), ("as", "fetch"), ("href", "a.png")]), 0);
}

const STYLES: &[(&str, &str)] = &[
    ("a{b:url(https://old.example/x)}", "a{b:url(https://new.example/x)}"),
    ("a{b:URL( 'https://old.example/x' )}", "a{b:URL( 'https://new.example/x' )}"),
    ("a{b:url( \n//old.example/x\t)}", "a{b:url( \n//new.example/x\t)}"),
    ("a{b:u\\72 l(\"//old.example/x\" )}", "a{b:u\\72 l(\"//new.example/x\" )}"),
    ("a{b:url(https\\:\\/\\/old\\2e example/x\\)y)}", "a{b:url(https://new.example/x\\29 y)}"),
    ("a{b:url('https://old.example/é\\'')}", "a{b:url('https://new.example/\\e9 \\27 ')}"),
    ("a{b:url(https://old.example/é)}", "a{b:url(https://new.example/é)}"),
    ("a{b:url('https://old.ex\\\nample/')}", "a{b:url('https://new.example/')}"),
    ("@import 'https://old.example/x' screen;", "@import 'https://new.example/x' screen;"),
    ("@IMPORT/**/\"//old.example/x\"", "@IMPORT/**/\"//new.example/x\""),
    ("@import url(//old.example/x)", "@import url(//new.example/x)"),
    (
        "a{b:image-set('//old.example/x' 1x type('//old.example/'), url(//old.example/y) 2x)}",
        "a{b:image-set('//new.example/x' 1x type('//old.example/'), url(//new.example/y) 2x)}",
    ),
    ("a{b:url(//old.example/x", "a{b:url(//new.example/x"),
    ("a{b:url('//old.example/x", "a{b:url('//new.example/x"),
    // No URLs.
    (
        "@namespace url(https://old.example/);@namespace a 'https://old.example/';b{}",
        "@namespace url(https://old.example/);@namespace a 'https://old.example/';b{}",
    ),
    ("@import x 'https://old.example/'", "@import x 'https://old.example/'"),
    ("/* url(https://old.example/) */", "/* url(https://old.example/) */"),
    ("/**/a{b:'url(https://old.example/)'}", "/**/a{b:'url(https://old.example/)'}"),
    ("a{b:curl(https://old.example/)}", "a{b:curl(https://old.example/)}"),
    ("a{b:1url(https://old.example/)}", "a{b:1url(https://old.example/)}"),
    ("a{b:url (https://old.example/)}", "a{b:url (https://old.example/)}"),
    ("a{b:url(https://old.example/ x)}", "a{b:url(https://old.example/ x)}"),
    ("a{b:url(https://old.example/'x)}", "a{b:url(https://old.example/'x)}"),
    ("a{b:url('https://old.example/\n')}", "a{b:url('https://old.example/\n')}"),
    ("a{b:url(data:,https://old.example/)}", "a{b:url(data:,https://old.example/)}"),
    ("a{b:url(#x) url('#y')}", "a{b:url(#x) url('#y')}"),
    ("a{b:url('') url()}", "a{b:url('') url()}"),
];

#[test]
fn style_sheets_in_any_pieces() {
    let fixture = Fixture::new("urls: { hosts: { old.example: new.example } }");
    for (old, new) in STYLES {
        let outcome = if old == new { TextOutcome::Missed } else { TextOutcome::Applied };
        let whole = fixture.page().sheet(&[old.as_bytes()]);
        assert_eq!((String::from_utf8(whole.0).unwrap().as_str(), whole.1), (*new, outcome));
        for cut in 0..=old.len() {
            let (head, tail) = old.as_bytes().split_at(cut);
            assert_eq!(fixture.page().sheet(&[head, tail]).0, new.as_bytes(), "{old} cut at {cut}");
        }
        let bytes: Vec<&[u8]> = old.as_bytes().chunks(1).collect();
        assert_eq!(fixture.page().sheet(&bytes).0, new.as_bytes(), "{old}");
        assert_eq!(unchanged(fixture.page().attribute("p", "style", old), old), *new);
    }
}

#[test]
fn style_sheets_stay_what_they_are() {
    // A quote, a tag and a reference can't come out of a rewritten URL.
    let fixture = Fixture::new(
        "urls: { images: { to: 'https://img.example/{path}' }, prefixes: [{ from: /x/, to: /y/&/ }] }",
    );
    let (new, _) = fixture.page().sheet(&[b"a{b:url('/x/\\3c/style\\3e\\27\\26 lt;\\a ')}"]);
    let expected = "a{b:url('/y/\\26 /\\3c /style\\3e \\27 \\26 lt;')}";
    assert_eq!(String::from_utf8(new).unwrap(), expected);

    let fixture = Fixture::new("urls: { hosts: { old.example: new.example } }");
    assert!(fixture.page().editor("style", Some("text/x-template")).is_none());
    assert!(fixture.page().editor("script", None).is_none());
    assert!(fixture.page().editor("style", Some("TEXT/css")).is_some());

    // 表 ends in a byte that is a backslash in ASCII.
    let shift_jis: &[u8] = b"a{c:'\x95\x5c';b:url(//old.example/x)}";
    let page = fixture.page_in(Charset::from_label(b"shift_jis").unwrap());
    assert_eq!(page.sheet(&[shift_jis]).0, b"a{c:'\x95\x5c';b:url(//new.example/x)}");
    for cut in 0..=shift_jis.len() {
        let (head, tail) = shift_jis.split_at(cut);
        assert_eq!(page.sheet(&[head, tail]).0, b"a{c:'\x95\x5c';b:url(//new.example/x)}", "cut at {cut}");
    }
    // What is beyond ASCII is not understood there, and stays.
    let unknown: &[u8] = b"a{b:url(//old.example/\x95\x5c)}";
    assert_eq!(page.sheet(&[unknown]).0, unknown);
}

#[test]
fn little_of_a_style_sheet_is_held() {
    let fixture = Fixture::new("urls: { hosts: { old.example: new.example } }");
    let max = u64::try_from(crate::css::lexer::MAX_TEXT_BYTES).unwrap();
    let sheets = [
        format!("a{{b:url(//old.example/{})}}", "x".repeat(100_000)),
        format!("a{{b:url('data:{}')}}", "x".repeat(100_000)),
        format!("a{{b:'{}'}}", "x".repeat(100_000)),
        format!("/*{}*/", "url(//old.example/)".repeat(1000)),
        "image-set(".repeat(10_000),
        "\\61".repeat(10_000),
    ];
    for sheet in sheets {
        let page = fixture.page();
        let mut editor = page.editor("style", None).unwrap();
        let mut edits = Vec::new();
        for (byte, at) in sheet.as_bytes().chunks(1).zip(0..) {
            editor.write(byte, at, &mut edits);
            assert!(editor.open_from().is_none_or(|from| at - from < max), "held at {at}");
        }
        editor.end(&mut edits);
        assert_eq!(edits, []);
    }
}

#[test]
fn headers() {
    let fixture = Fixture::new(ALL);
    let cases = [
        ("location", "https://old.example/x", "https://new.example/x"),
        ("location", "/static/x?y#z", "https://cdn.example/s/x?y#z"),
        ("location", "../static/x", "https://cdn.example/s/x"),
        ("location", "/x", "/x"),
        ("content-location", "//old.example/x", "//new.example/x"),
        ("refresh", "5;url=https://old.example/x", "5;url=https://new.example/x"),
        (
            "link",
            "<https://old.example/a,b>; rel=preload; title=\"<https://old.example/>, \\\"\", </static/x>;as=script",
            "<https://new.example/a,b>; rel=preload; title=\"<https://old.example/>, \\\"\", <https://cdn.example/s/x>;as=script",
        ),
        ("link", "https://old.example/", "https://old.example/"),
        ("x-other", "https://old.example/", "https://old.example/"),
    ];
    for (name, old, new) in cases {
        assert_eq!(fixture.headers(&[(name, old)], false), [(name.to_owned(), new.to_owned())]);
    }
    let several = [("link", "</a>"), ("link", "<//old.example/>"), ("x-a", "1"), ("link", "</b>")];
    let new = fixture.headers(&several, true);
    let links: Vec<&str> =
        new.iter().filter(|(name, _)| name == "link").map(|(_, value)| value.as_str()).collect();
    assert_eq!(links, ["</a>", "<//new.example/>", "</b>"]);

    let images = Fixture::new("urls: { images: { to: 'https://img.example/{path}' } }");
    let link = ("link", "</a>;as=image, </b>;as=script, </c>; as=\"Image\"");
    let new = "<https://img.example/a>;as=image, </b>;as=script, <https://img.example/c>; as=\"Image\"";
    assert_eq!(images.headers(&[link], true), [("link".to_owned(), new.to_owned())]);

    let location = ("location", "https://old.example/");
    let expected = |is_new: bool| if is_new { "https://new.example/" } else { "https://old.example/" };
    for (options, is_new) in
        [("only: [img]", false), ("only: [img], headers: true", true), ("headers: false", false)]
    {
        let fixture = Fixture::new(&format!("urls: {{ hosts: {{ old.example: new.example }}, {options} }}"));
        assert_eq!(fixture.headers(&[location], true)[0].1, expected(is_new), "{options}");
    }
}

#[test]
fn what_is_wrong_is_told() {
    let cases = [
        ("urls: {}", "no URL is rewritten"),
        ("urls: { hosts: { 'https://old.example': x } }", "not a host"),
        ("urls: { hosts: { old.example: x/y } }", "\"x/y\" is not a host"),
        ("urls: { hosts: { old.example: 'ftp://x' } }", "\"ftp://x\" is not a host"),
        ("urls: { hosts: { old.example: 'javascript://x' } }", "is not a host"),
        ("urls: { hosts: { old.example: 'a@x' } }", "is not a host"),
        ("urls: { hosts: { bücher.example: x } }", "`xn--` form"),
        ("urls: { hosts: { a.example: x, A.example: y } }", "stands here twice"),
        ("urls: { hosts: { a.example: x, 'a.example:443': y } }", "stands here twice"),
        ("urls: { prefixes: [{ from: static/, to: /x/ }] }", "neither a path"),
        ("urls: { prefixes: [{ from: /x/, to: 'https://cdn.example' }] }", "neither a path"),
        ("urls: { prefixes: [{ from: /x/, to: 'javascript:/' }] }", "neither a path"),
        ("urls: { prefixes: [{ from: /x/, to: /y }] }", "end both with a slash"),
        ("urls: { prefixes: [{ from: /x, to: / }] }", "end both with a slash"),
        ("urls: { prefixes: [{ from: /x/, to: '/y/?z/' }] }", "has a query"),
        ("urls: { prefixes: [{ from: /x/../, to: /y/ }] }", "dot segments"),
        ("urls: { prefixes: [{ from: /x/, to: '/y\"/' }] }", "neither a path"),
        ("urls: { prefixes: [{ from: /x/, to: /y/ }, { from: /x/, to: /z/ }] }", "stands here twice"),
        ("urls: { images: { to: '{path}' } }", "starts with a placeholder"),
        ("urls: { images: { to: 'https://{host}/' } }", "neither a path"),
        ("urls: { images: { to: 'https://img.example{path}' } }", "neither a path"),
        ("urls: { images: { to: /x } }", "every image would become the same"),
        ("urls: { images: { to: '/x/{width}' } }", "accepted: {path}, {host}, {url}"),
        ("urls: { images: { to: '/x/{path},' } }", "comma at the end"),
        ("urls: { images: { to: '/x?u={url}' } }", "add `site: https://…`"),
        ("urls: { images: { to: '/x/{path}', site: shop.example } }", "is not a site"),
        ("urls: { images: { to: '/x/{path}', extensions: [.png] } }", "not an extension"),
        ("urls: { hosts: { a.example: b }, only: ['img src'] }", "not the name of an element"),
        ("urls: { hosts: { a.example: b } }\nselect: h1", "`urls` and `select` can't be in one patch"),
        ("urls: { hosts: { a.example: b } }\ntext: x", "edits of elements can't be in one patch"),
        ("urls: { hosts: { a.example: b } }\nall: true", "leave `all` out"),
    ];
    for (patch, expected) in cases {
        let problems = problems(patch);
        assert!(problems.contains(expected), "{patch}: {problems}");
    }
}

proptest! {
    #[test]
    fn sheets_do_not_depend_on_how_they_are_cut(
        tokens in proptest::collection::vec("url\\(|//old\\.example/|['\"()@{};\\\\/* \n,a]|@import|@namespace|image-set\\(|\\\\6|é|data:", 0..24),
        cuts in proptest::collection::vec(0usize..200, 0..6),
    ) {
        let page = Fixture::new("urls: { hosts: { old.example: new.example } }").page();
        let sheet = tokens.concat().into_bytes();
        let whole = page.sheet(&[&sheet]);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut % (sheet.len() + 1)).collect();
        cuts.extend([0, sheet.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &sheet[cut[0]..cut[1]]).collect();
        prop_assert_eq!(&page.sheet(&pieces), &whole);
        // What is rewritten has no old host any more, and is not looked at again.
        prop_assert_eq!(page.sheet(&[&whole.0]).0, whole.0);
    }

    #[test]
    fn nothing_gets_a_scheme_or_a_host_that_is_not_configured(value in "\\PC{0,16}|[a-z:/\\\\.?#@%\t0-9]{0,24}") {
        let page = Fixture::new(ALL).page();
        if let Some(new) = page.attribute("a", "href", &value) {
            let at = url::Url::parse("https://shop.example/a/b.html?c").unwrap();
            let (old, new) = (at.join(&value).unwrap(), at.join(&new).unwrap());
            let hosts = ["new.example", "cdn.example", "fonts.example", "plain2.example", "six.example", "shop.example"];
            prop_assert!(matches!(new.scheme(), "http" | "https"));
            prop_assert!(hosts.contains(&new.host_str().unwrap()), "{} became {}", old, new);
        }
    }

    #[test]
    fn pages_without_such_urls_stay(value in "[ -~]{0,32}") {
        prop_assume!(!value.to_ascii_lowercase().contains("old"));
        let page = Fixture::new("urls: { hosts: { very-old.example: new.example } }").page();
        for (element, name) in [("a", "href"), ("a", "ping"), ("img", "srcset"), ("p", "style")] {
            prop_assert_eq!(page.attribute(element, name, &value), None);
        }
        let (same, outcome) = page.sheet(&[value.as_bytes()]);
        prop_assert_eq!((same, outcome), (value.into_bytes(), TextOutcome::Missed));
    }
}
