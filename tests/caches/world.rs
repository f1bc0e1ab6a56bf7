//! Visitors, and an origin that puts all that it gets of them into its page.

use engraft::headers::list;
use engraft::request::RequestHead;
use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::generate::SECRET;
use crate::model::Response;
use crate::random::Random;

/// What a browser keeps of a page.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) path: String,
    pub(crate) tag: HeaderValue,
    pub(crate) body: String,
}

/// Requests of one of many visitors, who differ in whatever the configurations may read.
pub(crate) fn request(random: &mut Random) -> RequestHead {
    let mut headers = HeaderMap::new();
    let mut set = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    let cookies = [
        ("plan", &["free", "pro"][..]),
        ("name", &["ada", "bob"]),
        ("theme", &["a", "b"]),
        ("uid", &["1", "2", "3", "4"]),
    ];
    let mut jar: Vec<String> = Vec::new();
    for (name, values) in cookies {
        if random.percent(60) {
            jar.push(format!("{name}={}", random.pick(values)));
        }
    }
    if random.percent(25) {
        jar.push(format!("session=secret-{}", random.below(3)));
    }
    if !jar.is_empty() {
        set("cookie", jar.join("; "));
    }
    for (name, values) in [
        ("x-geo", &["us", "de", "odd"][..]),
        ("x-beta", &["1"]),
        ("accept-language", &["de", "en;q=0.5, de;q=0.1", "fr"]),
        ("user-agent", &["Mozilla/5.0 (iPhone) Mobile", "curl/8"]),
        ("authorization", &["Bearer a", "Bearer b"]),
        ("x-odd", &["1", "2"]),
        ("x-variant", &["forged"]),
        ("x-hero", &["forged"]),
        ("x-engraft-route", &["forged"]),
        ("x-engraft-record", &["forged"]),
    ] {
        if random.percent(if name.starts_with("x-engraft") { 5 } else { 40 }) {
            set(name, random.pick(values).to_owned());
        }
    }
    let path = random.pick(&["/p/a", "/p/b"]);
    let chosen = format!("b&force-secret={}", SECRET);
    let query = [
        ("q", &["1", "2"][..]),
        ("utm_source", &["x", "y"]),
        ("x-engraft-key", &["forged"]),
        ("force", &["hero:b", &format!("hero:{chosen}"), "hero:b&force-secret=guessed"]),
    ];
    let query: Vec<String> = query
        .iter()
        .filter(|(name, _)| random.percent(if matches!(*name, "x-engraft-key" | "force") { 5 } else { 30 }))
        .collect::<Vec<_>>()
        .into_iter()
        .map(|(name, values)| format!("{name}={}", random.pick(values)))
        .collect();
    let path = if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) };
    RequestHead {
        method: "GET".into(),
        scheme: "https".into(),
        authority: "shop.example".into(),
        path,
        headers,
        has_body: false,
    }
}

/// The same visitor without the cookie by which rules keep pages from caches.
pub(crate) fn without_session(request: &RequestHead) -> RequestHead {
    let mut request = request.clone();
    let cookies = request.headers.get(header::COOKIE).and_then(|cookies| cookies.to_str().ok());
    let kept: Vec<&str> = cookies
        .unwrap_or_default()
        .split("; ")
        .filter(|it| !it.starts_with("session=") && !it.is_empty())
        .collect();
    let kept = HeaderValue::try_from(kept.join("; ")).ok().filter(|kept| !kept.is_empty());
    request.headers.remove(header::COOKIE);
    request.headers.extend(kept.map(|kept| (header::COOKIE, kept)));
    request
}

/// How an origin speaks of its pages.
#[derive(Debug, Clone)]
pub(crate) struct Manners {
    pub(crate) cache_control: Option<&'static str>,
    /// It says by what its pages differ. One that does not is only right where engraft answers for it.
    pub(crate) is_honest: bool,
    pub(crate) has_tag: bool,
    pub(crate) sets_cookie: Option<&'static str>,
}

impl Manners {
    pub(crate) fn random(random: &mut Random, is_honest: bool) -> Self {
        let said = [
            (3, None),
            (3, Some("public, max-age=60")),
            (2, Some("max-age=60")),
            (1, Some("s-maxage=60")),
            (1, Some("no-cache")),
            (1, Some("private")),
            (1, Some("no-store")),
        ];
        let cookie = [(6, None), (1, Some("seen")), (1, Some("session"))];
        Self {
            cache_control: *random.weighted(&said),
            is_honest,
            has_tag: random.percent(70),
            sets_cookie: *random.weighted(&cookie),
        }
    }

    /// The page for a request: its text is all that the origin got.
    pub(crate) fn answer(&self, request: &RequestHead) -> Response {
        let read = [
            "cookie",
            "x-geo",
            "x-beta",
            "accept-language",
            "user-agent",
            "authorization",
            "x-odd",
            "x-variant",
            "x-hero",
            "x-engraft-route",
            "x-engraft-record",
            "x-engraft-url",
        ];
        let mut saw = format!("{} {}", request.authority, request.path);
        for name in read {
            let values: Vec<String> = request
                .headers
                .get_all(name)
                .iter()
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
                .collect();
            if !values.is_empty() {
                saw.push_str(&format!("; {name}: {}", values.join(" | ")));
            }
        }
        let body = format!(
            "<!doctype html><title>t</title><h1 id=a class=k>a</h1><p id=b>b</p><p id=c title=x>c</p><div id=d><p class=k>d</p></div><pre>{saw}</pre>"
        );
        let mut headers = HeaderMap::new();
        let mut add = |name: HeaderName, value: &str| {
            headers.extend(HeaderValue::try_from(value).ok().map(|value| (name, value)));
        };
        add(header::CONTENT_TYPE, "text/html; charset=utf-8");
        let is_shared = !self.is_honest || self.sets_cookie.is_none();
        if let Some(said) = self.cache_control.map(|said| if is_shared { said } else { "private" }) {
            add(header::CACHE_CONTROL, said);
        }
        if self.is_honest {
            add(header::VARY, &read.join(", "));
        }
        if let Some(name) = self.sets_cookie {
            // Of this visitor, as far as the origin knows them.
            add(header::SET_COOKIE, &format!("{name}={}", saw.len()));
        }
        let tag = format!(
            "\"{:x}\"",
            saw.bytes().fold(7_u64, |hash, byte| hash.wrapping_mul(31) ^ u64::from(byte))
        );
        if self.has_tag {
            add(header::ETAG, &tag);
        }
        let asked = list(&request.headers, &header::IF_NONE_MATCH);
        let is_kept = self.has_tag
            && asked.map(|it| it.strip_prefix(b"W/").unwrap_or(it)).any(|it| it == tag.as_bytes());
        if is_kept {
            return Response { status: 304, headers, body: String::new() };
        }
        Response { status: 200, headers, body }
    }
}
