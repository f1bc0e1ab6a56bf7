use super::*;

fn written(escape: fn(&str, &mut String), text: &str) -> String {
    let mut out = String::new();
    escape(text, &mut out);
    out
}

#[test]
fn nothing_that_ends_a_text_or_a_value_is_left() {
    assert_eq!(
        written(markup, "a&b<c>\"d'\0\u{1b}$B\u{7f}\r\n`é"),
        "a&amp;b&lt;c&gt;&quot;d&#39;\u{FFFD}\u{FFFD}$B\u{FFFD}&#13;\n`é"
    );
}

/// Values and what each escaper makes of them: whole URL, path, component, string of CSS, value of CSS, string of JSON, header.
const HOSTILE: &[(&str, [&str; 7])] = &[
    (
        "javascript:alert(1)",
        [
            "about:invalid#engraft",
            "javascript%3Aalert%281%29",
            "javascript%3Aalert%281%29",
            "javascript\\00003aalert\\0000281\\000029",
            "engraft-invalid",
            "javascript:alert(1)",
            "javascript:alert(1)",
        ],
    ),
    (
        " \u{1}JaVa\nScRiPt:x",
        [
            "about:invalid#engraft",
            "%20%01JaVa%0AScRiPt%3Ax",
            "%20%01JaVa%0AScRiPt%3Ax",
            " \\000001JaVa\\00000aScRiPt\\00003ax",
            "engraft-invalid",
            " \\u0001JaVa\\nScRiPt:x",
            " %01JaVa%0AScRiPt:x",
        ],
    ),
    (
        "data:text/html,<script>",
        [
            "about:invalid#engraft",
            "data%3Atext%2Fhtml%2C%3Cscript%3E",
            "data%3Atext%2Fhtml%2C%3Cscript%3E",
            "data\\00003atext\\00002fhtml,\\00003cscript\\00003e",
            "engraft-invalid",
            "data:text\\/html,\\u003cscript\\u003e",
            "data:text/html%2C<script>",
        ],
    ),
    (
        "java&Tab;script:x",
        [
            "about:invalid#engraft",
            "java%26Tab%3Bscript%3Ax",
            "java%26Tab%3Bscript%3Ax",
            "java\\000026Tab\\00003bscript\\00003ax",
            "engraft-invalid",
            "java\\u0026Tab;script:x",
            "java&Tab%3Bscript:x",
        ],
    ),
    (
        "../..\\%2e%2E/x",
        [
            "../..%5C%2e%2E/x",
            "_%2F_%5C_%2Fx",
            "..%2F..%5C%252e%252E%2Fx",
            "..\\00002f..\\00005c\\0000252e\\0000252E\\00002fx",
            "engraft-invalid",
            "..\\/..\\\\%2e%2E\\/x",
            "../..%5C%2e%2E/x",
        ],
    ),
    (
        "`\u{2028}]]>-->*/",
        [
            "%60%E2%80%A8]]%3E--%3E*/",
            "%60%E2%80%A8%5D%5D%3E--%3E%2A%2F",
            "%60%E2%80%A8%5D%5D%3E--%3E%2A%2F",
            "\\000060\\002028\\00005d\\00005d\\00003e--\\00003e\\00002a\\00002f",
            "engraft-invalid",
            "\\u0060\\u2028]]\\u003e--\\u003e*\\/",
            "`%E2%80%A8]]>-->*/",
        ],
    ),
    (
        "\"'\\\r\n\0&;,=",
        [
            "%22%27%5C%0D%0A%00&;%2C=",
            "%22%27%5C%0D%0A%00%26%3B%2C%3D",
            "%22%27%5C%0D%0A%00%26%3B%2C%3D",
            "\\000022\\000027\\00005c\\00000d\\00000a\\00fffd\\000026\\00003b,\\00003d",
            "engraft-invalid",
            "\\\"\\u0027\\\\\\r\\n\\u0000\\u0026;,=",
            "%22'%5C%0D%0A%00&%3B%2C=",
        ],
    ),
    (
        "</script><!--+ADw-",
        [
            "%3C/script%3E%3C!--+ADw-",
            "%3C%2Fscript%3E%3C%21--%2BADw-",
            "%3C%2Fscript%3E%3C%21--%2BADw-",
            "\\00003c\\00002fscript\\00003e\\00003c\\000021--\\00002bADw-",
            "engraft-invalid",
            "\\u003c\\/script\\u003e\\u003c!--\\u002bADw-",
            "</script><!--+ADw-",
        ],
    ),
    (
        "100% é😀",
        [
            "100%25%20%C3%A9%F0%9F%98%80",
            "100%25%20%C3%A9%F0%9F%98%80",
            "100%25%20%C3%A9%F0%9F%98%80",
            "100\\000025\\000020\\0000e9\\01f600",
            "engraft-invalid",
            "100% \\u00e9\\ud83d\\ude00",
            "100% %C3%A9%F0%9F%98%80",
        ],
    ),
    (
        "#f00, 1.5em -2%",
        [
            "#f00%2C%201.5em%20-2%25",
            "%23f00%2C%201.5em%20-2%25",
            "%23f00%2C%201.5em%20-2%25",
            "\\000023f00, 1.5em -2\\000025",
            "#f00, 1.5em -2%",
            "#f00, 1.5em -2%",
            "#f00%2C 1.5em -2%",
        ],
    ),
];

#[test]
fn hostile_values() {
    let escapers: [fn(&str, &mut String); 7] =
        [whole_url, path, component, css_string, css_value, json_string, header_value];
    for (value, expected) in HOSTILE {
        for (index, escape) in escapers.iter().enumerate() {
            assert_eq!(written(*escape, value), expected[index], "escaper {index}: {value:?}");
        }
    }
}

#[test]
fn whole_urls() {
    for (value, expected) in [
        ("https://a.example/p?q=1#f", "https://a.example/p?q=1#f"),
        ("HTTP://A", "HTTP://A"),
        ("mailto:a@b.example", "mailto:a@b.example"),
        ("tel:+49-30", "tel:+49-30"),
        ("/p/a b", "/p/a%20b"),
        ("//a.example", "//a.example"),
        ("?q=a:b", "?q=a:b"),
        ("p/a:b", "p/a:b"),
        ("", ""),
        ("\t https://a\u{1f} ", "https://a"),
        ("vbscript:x", INVALID_URL),
        ("view-source:https://a", INVALID_URL),
        ("blob:https://a/x", INVALID_URL),
        ("file:///etc/passwd", INVALID_URL),
        (":x", INVALID_URL),
        ("java\\script:x", INVALID_URL),
        ("javascript%3Ax", "javascript%3Ax"),
        ("/\\evil.example", "/%5Cevil.example"),
        ("%zz%4", "%25zz%254"),
        ("a),b(c'd\"", "a%29%2Cb%28c%27d%22"),
    ] {
        assert_eq!(written(whole_url, value), expected, "{value:?}");
    }
}

#[test]
fn paths_of_requests() {
    for (value, expected) in [
        ("/a/b%20c/", "/a/b%20c/"),
        ("//evil.example/x", "/evil.example/x"),
        ("/\\evil.example", "/evil.example"),
        ("/a/../b/%2e%2E/./c", "/a/_/b/_/_/c"),
        ("/a\"<?#\\", "/a%22%3C%3F%23%5C"),
        ("/..;a=b/c;..", "/_/c;.."),
        ("/..%2Fa/b%5c.%2e", "/_/_"),
        ("*", "/*"),
        ("", "/"),
    ] {
        assert_eq!(written(request_path, value), expected, "{value:?}");
    }
}

#[test]
fn addresses_behind_schemes() {
    assert_eq!(written(opaque, "a+b@c.example?cc=x,y"), "a+b@c.example%3Fcc%3Dx%2Cy");
}
