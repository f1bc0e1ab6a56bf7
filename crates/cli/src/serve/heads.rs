//! Heads on their way through a proxy: what is of one connection only stays behind (RFC 9110 § 7.6.1), and what names the origin
//! names the listener afterwards.

use std::net::IpAddr;

use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};

use super::args::Origin;
use crate::args::Url;

const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Takes away what is of one connection, and gives the protocols that it asks to be upgraded to. How long the message is stays, where
/// that is known.
pub(crate) fn of_connection(headers: &mut HeaderMap) -> Option<HeaderValue> {
    let mut named = Vec::new();
    for value in headers.get_all(header::CONNECTION) {
        let options = value.to_str().unwrap_or_default().split(',').map(str::trim);
        named.extend(options.filter_map(|option| HeaderName::try_from(option).ok()));
    }
    let upgrade = headers.remove(header::UPGRADE).filter(|_| named.contains(&header::UPGRADE));
    let upgrade = upgrade.and_then(|protocols| beside_http(&protocols));
    if headers.contains_key(header::TRANSFER_ENCODING) {
        // It is what counts of the two (RFC 9112 § 6.3), and it stays behind.
        headers.remove(header::CONTENT_LENGTH);
    }
    say_length_once(headers);
    // What a message is about is not of its connection, whatever that says.
    named.retain(|name| !matches!(*name, header::HOST | header::CONTENT_LENGTH | header::CACHE_CONTROL));
    let always = [header::CONNECTION, PROXY_CONNECTION, KEEP_ALIVE, header::TE, header::TRANSFER_ENCODING];
    for name in named.iter().chain(&always) {
        headers.remove(name);
    }
    upgrade
}

/// The protocols of an `Upgrade` but for HTTP/2: what followed would be HTTP that the core does not see.
fn beside_http(protocols: &HeaderValue) -> Option<HeaderValue> {
    let listed = protocols.to_str().ok()?.split(',').map(str::trim);
    let others: Vec<&str> = listed.filter(|it| !it.is_empty() && !it.eq_ignore_ascii_case("h2c")).collect();
    (!others.is_empty()).then(|| HeaderValue::try_from(others.join(", ")).ok()).flatten()
}

/// A length that is said several times is said once (RFC 9110 § 8.6).
fn say_length_once(headers: &mut HeaderMap) {
    let lines = headers.get_all(header::CONTENT_LENGTH).iter();
    let said = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b',')).map(<[u8]>::trim_ascii);
    let said: Vec<&[u8]> = said.collect();
    let [length, others @ ..] = said.as_slice() else { return };
    if !others.is_empty()
        && others.iter().all(|other| other == length)
        && let Ok(length) = HeaderValue::from_bytes(length)
    {
        headers.insert(header::CONTENT_LENGTH, length);
    }
}

/// HTTP/2 may send each cookie in a line of its own; everybody else knows one line (RFC 9113 § 8.2.3).
pub(crate) fn join_cookies(headers: &mut HeaderMap) {
    let mut values = headers.get_all(header::COOKIE).iter();
    let (Some(first), Some(second)) = (values.next(), values.next()) else { return };
    let lines: Vec<&[u8]> = [first, second].into_iter().chain(values).map(HeaderValue::as_bytes).collect();
    if let Ok(joined) = HeaderValue::from_bytes(&lines.join(b"; ".as_slice())) {
        headers.insert(header::COOKIE, joined);
    }
}

/// Says to the origin for whom it is asked.
pub(crate) fn forward_for(headers: &mut HeaderMap, peer: IpAddr, host: &str) {
    let mut chain: Vec<String> = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .filter_map(|value| value.to_str().ok().map(str::to_owned))
        .collect();
    chain.push(peer.to_canonical().to_string());
    if let Ok(value) = HeaderValue::try_from(chain.join(", ")) {
        headers.insert(FORWARDED_FOR, value);
    }
    if let Ok(value) = HeaderValue::try_from(host) {
        headers.insert(FORWARDED_HOST, value);
    }
    headers.insert(FORWARDED_PROTO, HeaderValue::from_static("http"));
}

/// Where the answers of an origin lead, for a browser that is to stay on the listener.
#[derive(Debug)]
pub(crate) struct Homecoming<'a> {
    /// The listener, as the browser calls it.
    pub(crate) host: &'a str,
    pub(crate) origin: Option<&'a Origin>,
    pub(crate) seen_as: Option<&'a Url>,
}

impl Homecoming<'_> {
    /// Redirects to the origin lead to the listener, and cookies are for it.
    pub(crate) fn apply(&self, headers: &mut HeaderMap) {
        if let Some(home) = headers.get(header::LOCATION).and_then(|location| self.location(location)) {
            headers.insert(header::LOCATION, home);
        }
        let cookies: Vec<HeaderValue> = headers.get_all(header::SET_COOKIE).iter().map(cookie).collect();
        headers.remove(header::SET_COOKIE);
        for cookie in cookies {
            headers.append(header::SET_COOKIE, cookie);
        }
    }

    fn location(&self, location: &HeaderValue) -> Option<HeaderValue> {
        let text = location.to_str().ok()?;
        let (reference, fragment) = text.split_once('#').map_or((text, None), |(uri, it)| (uri, Some(it)));
        let uri: Uri = reference.parse().ok()?;
        let authority = uri.authority()?;
        let is_origin = self.origin.is_some_and(|origin| same(authority, &origin.authority));
        let is_seen = || {
            let seen = self.seen_as.and_then(|seen| seen.authority.parse::<Authority>().ok());
            seen.is_some_and(|seen| same(authority, &seen))
        };
        if !is_origin && !is_seen() {
            return None;
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let fragment = fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
        HeaderValue::try_from(format!("http://{}{path}{fragment}", self.host)).ok()
    }
}

/// Whether two authorities are one server. http and https count as one: an origin that moves browsers to https does not mean
/// that they should leave the listener.
fn same(one: &Authority, other: &Authority) -> bool {
    let port = |authority: &Authority| authority.port_u16().filter(|port| !matches!(port, 80 | 443));
    one.host().eq_ignore_ascii_case(other.host()) && port(one) == port(other)
}

/// A cookie that a browser takes from http://localhost: `Domain` names another host, `Secure` needs TLS in some browsers, and
/// `SameSite=None` needs `Secure`. Names with prefixes need what they stand for, so those stay as they are.
fn cookie(value: &HeaderValue) -> HeaderValue {
    let Ok(text) = value.to_str() else { return value.clone() };
    if text.trim_start().starts_with("__") {
        return value.clone();
    }
    let goes = |attribute: &str| {
        let (name, to) = attribute.split_once('=').unwrap_or((attribute, ""));
        let is = |text: &str, other: &str| text.trim().eq_ignore_ascii_case(other);
        is(name, "domain") || is(name, "secure") || (is(name, "samesite") && is(to, "none"))
    };
    let mut parts = text.split(';');
    let pair = parts.next().unwrap_or_default();
    let kept: Vec<&str> = std::iter::once(pair).chain(parts.filter(|part| !goes(part))).collect();
    HeaderValue::try_from(kept.join(";")).unwrap_or_else(|_| value.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::visit::map;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        map(lines
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))))
    }

    #[test]
    fn what_is_of_one_connection_stays_behind() {
        let mut asked = headers(&[
            ("connection", "keep-alive, x-hop, Upgrade, content-length"),
            ("x-hop", "1"),
            ("upgrade", "websocket"),
            ("te", "trailers"),
            ("keep-alive", "timeout=5"),
            ("content-length", "3"),
            ("accept", "*/*"),
        ]);
        assert_eq!(of_connection(&mut asked), Some(HeaderValue::from_static("websocket")));
        assert_eq!(asked, headers(&[("content-length", "3"), ("accept", "*/*")]));
        let mut unasked = headers(&[("upgrade", "websocket")]);
        assert_eq!(of_connection(&mut unasked), None);
        assert!(unasked.is_empty());
    }

    #[test]
    fn nobody_speaks_another_http_past_the_core() {
        for (upgrade, left) in [("h2c", None), ("H2C, websocket", Some("websocket")), ("a, b", Some("a, b"))]
        {
            let mut asked = headers(&[("connection", "upgrade, http2-settings"), ("http2-settings", "AAMA")]);
            asked.insert(header::UPGRADE, HeaderValue::from_static(upgrade));
            let protocol = of_connection(&mut asked);
            assert_eq!(protocol.as_ref().map(HeaderValue::as_bytes), left.map(str::as_bytes), "{upgrade}");
            assert!(asked.is_empty());
        }
    }

    #[test]
    fn a_message_says_once_how_long_it_is() {
        for (lines, left) in [
            (&[("content-length", "3"), ("transfer-encoding", "chunked")][..], &[][..]),
            (&[("content-length", "3, 3")], &[("content-length", "3")]),
            (&[("content-length", "3"), ("content-length", "3")], &[("content-length", "3")]),
            (&[("content-length", "3")], &[("content-length", "3")]),
        ] {
            let mut said = headers(lines);
            of_connection(&mut said);
            assert_eq!(said, headers(left), "{lines:?}");
        }
    }

    #[test]
    fn cookies_in_several_lines_become_one() {
        let mut several = headers(&[("cookie", "a=1"), ("cookie", "b=2"), ("cookie", "c=3")]);
        join_cookies(&mut several);
        assert_eq!(several, headers(&[("cookie", "a=1; b=2; c=3")]));
    }

    #[test]
    fn redirects_to_the_origin_lead_to_the_listener() {
        let origin =
            Origin { scheme: http::uri::Scheme::HTTPS, authority: Authority::from_static("shop.example") };
        let seen_as = "https://www.shop.example".parse::<Url>().unwrap();
        let home = Homecoming { host: "localhost:8080", origin: Some(&origin), seen_as: Some(&seen_as) };
        for (location, expected) in [
            ("https://shop.example/p?a=1#b", "http://localhost:8080/p?a=1#b"),
            ("http://SHOP.example", "http://localhost:8080/"),
            ("https://shop.example:443/p", "http://localhost:8080/p"),
            ("https://www.shop.example/p", "http://localhost:8080/p"),
            ("https://shop.example:8443/p", "https://shop.example:8443/p"),
            (
                "https://login.example/?to=https://shop.example/",
                "https://login.example/?to=https://shop.example/",
            ),
            ("/p", "/p"),
            ("p/q", "p/q"),
        ] {
            let mut answered = headers(&[("location", location)]);
            home.apply(&mut answered);
            assert_eq!(answered, headers(&[("location", expected)]), "{location}");
        }
    }

    #[test]
    fn cookies_are_for_the_listener() {
        let home = Homecoming { host: "localhost:8080", origin: None, seen_as: None };
        for (set, expected) in [
            ("a=1; Domain=.shop.example; Path=/; Secure; HttpOnly", "a=1; Path=/; HttpOnly"),
            ("a=1; samesite=None; secure", "a=1"),
            ("a=1; SameSite=Lax", "a=1; SameSite=Lax"),
            ("secure=domain", "secure=domain"),
            ("__Host-a=1; Secure; Path=/", "__Host-a=1; Secure; Path=/"),
        ] {
            let mut answered = headers(&[("set-cookie", set), ("set-cookie", "b=2")]);
            home.apply(&mut answered);
            assert_eq!(answered, headers(&[("set-cookie", expected), ("set-cookie", "b=2")]), "{set}");
        }
    }
}
