//! The operations, as configurations and the bodies that they are for.

use std::fmt;
use std::io::{self, Write as _};

use serde_json::{Value, json};

use crate::Outcome;
use crate::subject::Subject;

/// One line of the table.
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    pub(crate) patches: Value,
    /// More of the route.
    pub(crate) route: Value,
    /// The stages that it goes through.
    pub(crate) stages: &'static [&'static str],
    /// Path and headers of the request.
    pub(crate) request: (&'static str, Lines),
    /// Headers of the response, besides those that describe the body.
    pub(crate) answer: Lines,
    pub(crate) content_type: &'static str,
    pub(crate) coding: Option<&'static str>,
    pub(crate) body: Vec<u8>,
    /// Something is edited.
    pub(crate) is_done: bool,
}

/// Header lines.
pub(crate) type Lines = &'static [(&'static str, &'static str)];

const UTF_8: &str = "text/html; charset=utf-8";
/// What no page has.
const ABSENT: &str = "engraft-absent";
/// What is edited where an operation is on elements: what most pages have dozens of.
const ELEMENTS: &str = "p, li";
/// Every entry of the document is about a hundred bytes.
const JSON_ENTRIES: usize = 1200;
const SCRIPT_ENTRIES: usize = 160;

/// All of them, the search that finds nothing first.
pub(crate) fn all(subject: &Subject) -> Outcome<Vec<Operation>> {
    let page = subject.markup.as_bytes();
    let absent = json!([{ "select": ABSENT, "all": true, "text": "" }]);
    let find = json!([{ "select": "body", "find": "the", "replace_with": "this" }]);
    let on_page = |name, patches: Value| Operation::new(name, patches, page);
    let on_elements = |name, operation: Value| {
        let mut patch = json!({ "select": ELEMENTS, "all": true });
        if let (Some(patch), Some(more)) = (patch.as_object_mut(), operation.as_object()) {
            patch.extend(more.clone());
        }
        Operation::new(name, json!([patch]), page)
    };
    let coded = |name, coding, body| Operation {
        coding: Some(coding),
        is_done: false,
        ..Operation::new(name, absent.clone(), body)
    };
    let with_script = subject.markup.replace(
        "</body>",
        &format!(
            r#"<script id="state" type="application/json">{}</script></body>"#,
            document(SCRIPT_ENTRIES)
        ),
    );

    Ok(vec![
        Operation { is_done: false, ..on_page("looking for what is not there", absent.clone()) },
        Operation { is_done: false, ..on_page("no patch", json!([])) },
        of_caches("headers alone, with every feature of cache", &["both"]),
        of_caches("the same, through two stages", &["client", "origin"]),
        Operation {
            is_done: false,
            ..on_page("looking for 100 things that are not there", {
                (0..100)
                    .map(|nth| json!({ "select": format!("div.{ABSENT}-{nth} > p"), "text": "" }))
                    .collect()
            })
        },
        on_elements("text", json!({ "text": "Deals & more" })),
        on_elements("html", json!({ "html": "<b>Deals</b>" })),
        on_elements("replace", json!({ "replace": "<p>Deals</p>" })),
        on_elements("remove", json!({ "remove": true })),
        on_elements("unwrap", json!({ "unwrap": true })),
        on_elements("rename", json!({ "rename": "div" })),
        on_elements("before", json!({ "before": "<hr>" })),
        on_elements("after", json!({ "after": "<hr>" })),
        on_elements("prepend", json!({ "prepend": "<b>!</b>" })),
        on_elements("append", json!({ "append": "<b>!</b>" })),
        on_elements("attributes", json!({ "attributes": { "set": { "data-b": "1" }, "remove": ["id"] } })),
        on_elements("class", json!({ "class": { "add": ["is-b"], "remove": ["is-a"] } })),
        on_page("find a word", find.clone()),
        on_page(
            "find an expression",
            json!([{ "select": "body", "find": { "regex": "[0-9]+", "max_match": 16 }, "replace_with": "$0!" }]),
        ),
        on_page("title", json!([{ "title": "Deals" }])),
        on_page("meta", json!([{ "meta": { "name": "description", "content": "Deals" } }])),
        on_page("script, at the end of the body", {
            json!([{ "script": { "src": "/b.js", "defer": true, "at": "body_end" } }])
        }),
        on_page("style", json!([{ "style": { "inline": ".deal { color: crimson }" } }])),
        on_page(
            "link",
            json!([{ "link": { "rel": "preload", "href": "/hero.avif", "as": "image", "at": "head_start" } }]),
        ),
        on_page("urls: hosts", json!([{ "urls": { "hosts": { subject.host: "edge.example" } } }])),
        on_page("optimize: lazy images", json!([{ "optimize": { "lazy_images": { "except_first": 1 } } }])),
        Operation::new(
            "json in a script",
            json!([{ "json": "script#state", "set": { "/entries/100/title": "Deals" } }]),
            with_script.into_bytes(),
        ),
        Operation {
            content_type: "application/json",
            ..Operation::new(
                "json body",
                json!([{ "json": "body", "set": { "/entries/1000/title": "Deals" } }]),
                document(JSON_ENTRIES).into_bytes(),
            )
        },
        Operation {
            content_type: "text/html; charset=windows-1252",
            ..Operation::new("find a word, windows-1252", find, windows_1252(&subject.markup))
        },
        Operation {
            route: json!({ "delivery": "whole" }),
            ..on_elements("text, delivery: whole", json!({ "text": "Deals & more" }))
        },
        coded("looking, in gzip", "gzip", gzip(page)?),
        coded("looking, in br", "br", brotli(page)?),
        coded("looking, in zstd", "zstd", zstd(page)?),
        Operation {
            route: json!({ "content_coding": "gzip" }),
            is_done: false,
            ..on_page("looking, out as gzip", absent.clone())
        },
    ])
}

impl Operation {
    fn new(name: &'static str, patches: Value, body: impl Into<Vec<u8>>) -> Self {
        Self {
            name,
            patches,
            route: Value::Null,
            stages: &["both"],
            request: ("/", &[]),
            answer: &[],
            content_type: UTF_8,
            coding: None,
            body: body.into(),
            is_done: true,
        }
    }
}

/// Headers alone, of a route with every feature of caches.
fn of_caches(name: &'static str, stages: &'static [&'static str]) -> Operation {
    Operation {
        stages,
        route: every_cache_feature(),
        request: (
            "/p/lamp?utm_source=mail&page=2&gclid=a.b-c&sort=price",
            &[
                (
                    "user-agent",
                    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
                ),
                ("accept-language", "de-CH, de;q=0.9, en;q=0.7, *;q=0.5"),
                (
                    "cookie",
                    "a=1; session=0123456789abcdef0123456789abcdef; plan=pro; _ga=GA1.1.1234567.1234567",
                ),
                ("x-geo-country", "DE"),
                ("if-none-match", "W/\"abc;e=0123456789abcdef\", \"abc\""),
            ],
        ),
        answer: &[
            ("cache-control", "public, max-age=600, s-maxage=3600, x-unknown=\"a, b\""),
            ("age", "37"),
            ("etag", "\"abc\""),
            ("date", "Thu, 01 Jan 2026 00:00:00 GMT"),
            ("vary", "Accept-Encoding, User-Agent"),
            ("vary", "accept-language, Cookie"),
        ],
        is_done: false,
        ..Operation::new(name, json!([]), "")
    }
}

fn every_cache_feature() -> Value {
    json!({
        "origin_reads": [{ "header": "accept-language" }, { "header": "x-geo-country", "values": ["US", "CA"], "otherwise": "other" }],
        "cache": {
            "mode": "at_most",
            "browser": { "max_age": "1m", "stale_while_revalidate": "1h" },
            "cdn": {
                "max_age": "1h",
                "stale_if_error": "1d",
                "key": ["x-geo-country", "accept-language", "user-agent", "sec-ch-ua-mobile", "sec-ch-ua-platform"],
            },
            "droppable_cookies": ["seen"],
            "store": { "max_age": "1h" },
            "rules": [
                { "status": [404], "browser": { "max_age": "10s" }, "cdn": "private" },
                { "cookies": ["session-of-another-kind"], "browser": "private", "cdn": "private" },
            ],
            "cdn_dialects": ["rfc9213", "fastly", "cloudflare", "akamai", "netlify", "vercel"],
            "tags": ["product", "product-{{ slug }}"],
            "query": { "drop": ["tracking"], "sort": true },
            "headers": { "accept_language": ["en", "de"], "user_agent": "device" },
        },
    })
}

fn document(entries: usize) -> String {
    let entry = |nth: usize| json!({ "id": nth, "title": format!("Offer {nth}"), "price": 19.9, "tags": ["new", "lamp"], "text": "Free shipping for 30 days." });
    json!({ "entries": (0..entries).map(entry).collect::<Value>() }).to_string()
}

/// One byte for each character, a question mark for those that would need another encoding.
fn windows_1252(markup: &str) -> Vec<u8> {
    let byte = |character: char| match u8::try_from(u32::from(character)) {
        Ok(byte) if !(0x80..0xA0).contains(&byte) => byte,
        _ => b'?',
    };
    markup.chars().map(byte).collect()
}

fn gzip(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(body)?;
    encoder.finish()
}

fn brotli(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 22);
    encoder.write_all(body)?;
    Ok(encoder.into_inner())
}

fn zstd(body: &[u8]) -> Outcome<Vec<u8>> {
    let mut compressor = mzstd::Compressor::new(mzstd::EncoderConfig::default()).map_err(Zstd::new)?;
    let mut encoder = compressor.writer(Vec::new(), mzstd::StreamConfig::default());
    encoder.write_all(body)?;
    Ok(encoder.finish().map_err(Zstd::new)?)
}

/// The encoder's own errors are of several types.
#[derive(Debug)]
struct Zstd(String);

impl Zstd {
    fn new(error: impl fmt::Display) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for Zstd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "could not encode a page as zstd: {}", self.0)
    }
}

impl std::error::Error for Zstd {}
