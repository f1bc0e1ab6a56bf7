//! Pages, and patterns for them.

use serde_json::{Value, json};

use crate::random::Random;

pub(super) fn url(random: &mut Random) -> Value {
    let host = random.pick(&[
        "https://shop.example.com",
        "http://shop.example.com",
        "https://www.example.com:8443",
        "HTTPS://Shop.Example.com:443",
        "",
        "//shop.example.com",
        "https://user:pw@shop.example.com",
        "https://[::1]",
        "https://127.0.0.1",
    ]);
    let path = random.pick(&[
        "",
        "/",
        "/women",
        "/Women/",
        "/de/product/42",
        "/de/../fr/product/7",
        "/a b/(c",
        "/caf%C3%A9",
        "/café",
        "/x/y/z.html",
        "//x",
    ]);
    let query = random.pick(&[
        "",
        "",
        "?",
        "?page=2",
        "?page=2&utm=x+y",
        "?exp=1",
        "?auto0=0&exp=2",
        "?q=%C3%A9&Q=É",
        "?a=1&a=2",
        "?page=",
        "?exp=1?exp=0",
        "?f0=1",
        "?key-a=0x1",
        "?exp=-0",
    ]);
    let fragment = random.pick(&["", "", "", "#top", "#", "#a b"]);
    json!(format!("{host}{path}{query}{fragment}"))
}

pub(super) fn targets(random: &mut Random) -> Value {
    let count = random.below(4);
    json!(random.many(count, |random| {
        let mut target = match random.below(5) {
            0 | 1 => json!({ "type": "regex", "pattern": random.pick(&[
                "^/women", "^https://shop\\.example", "/(de|fr)/product/[0-9]+", "\\?page=", "#top$", "(", "com/", ".*", "example\\.com:8443",
            ]) }),
            2 | 3 => json!({ "type": "simple", "pattern": random.pick(&[
                "/", "*", "/women", "women/", "/WOMEN", "https://shop.example.com/*", "*.example.com", "*.example.com/*", "shop.example.com",
                "/de/*/42", "/*?page=2", "/*?page=*", "/women?a=1", "https://*/women", "http://shop.example.com/women", "/a b/(c", "/café",
                "/*#top", "/*?q=é", "/*?utm=x y", "localhost:3000/a", "https://", "((*)(*$&#@!!)))", "www.example.com:8443/*", "#a.b", "",
                "/x/y/*.html", "*x*", "https://127.0.0.1/*", "/_____", "mailto:a@b.c", "//shop.example.com/women", "https:/women",
            ]) }),
            _ => json!({ "type": random.pick(&["simple", "other"]), "pattern": "/women" }),
        };
        if random.percent(80) {
            target["include"] = json!(random.percent(70));
        }
        target
    }))
}
