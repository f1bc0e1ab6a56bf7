//! Who may see the panel: a person at this machine, in a page that this server made.
//!
//! Two attacks are prevented. A page of another site that has its own name resolve to this machine (DNS rebinding) would be of the same
//! origin as the panel to the browser: so the Host has to be one that no other site can have. A page of another site that
//! has the browser send requests here (CSRF) can't read the answers, but what they do would be done: so the browser must not say
//! that another site asks, and what changes something needs a header that no other site may send.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName, Method, header};

/// What requests have to have that change something.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-engraft-panel");

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Why a request for the panel is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The Host is not one of the listener's.
    Host,
    /// The request comes from a page of another site.
    Site,
    /// It is to change something, and the header is missing.
    Header,
}

impl Refusal {
    pub(crate) const fn why(self) -> &'static str {
        match self {
            Self::Host => {
                "the panel answers under the listener's own names only: localhost, 127.0.0.1 or [::1], with its port\n"
            }
            Self::Site => "the panel answers no pages of other sites\n",
            Self::Header => "what changes something needs the header x-engraft-panel: 1\n",
        }
    }
}

/// Looks at a request for the panel; `host` is what it asks for, and `listener` the address that it reached.
pub(crate) fn check(
    method: &Method,
    host: &str,
    headers: &HeaderMap,
    listener: SocketAddr,
) -> Result<(), Refusal> {
    if !is_own(host, listener) {
        return Err(Refusal::Host);
    }
    let own = format!("http://{host}");
    let is_foreign = |origin: &http::HeaderValue| !origin.as_bytes().eq_ignore_ascii_case(own.as_bytes());
    if headers.get_all(header::ORIGIN).iter().any(is_foreign) {
        return Err(Refusal::Site);
    }
    // `same-site` is another port of this machine.
    let is_own_site = |site: &http::HeaderValue| matches!(site.as_bytes(), b"same-origin" | b"none");
    if !headers.get_all(FETCH_SITE).iter().all(is_own_site) {
        return Err(Refusal::Site);
    }
    if !matches!(*method, Method::GET | Method::HEAD) && !headers.contains_key(HEADER) {
        return Err(Refusal::Header);
    }
    Ok(())
}

/// Whether only the listener can be called so.
fn is_own(host: &str, listener: SocketAddr) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, port.parse().ok()),
        _ => (host, Some(80)),
    };
    if port != Some(listener.port()) {
        return false;
    }
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    match address.parse::<IpAddr>() {
        // Addresses are nobody's to resolve.
        Ok(address) => address.is_loopback() || address == listener.ip().to_canonical(),
        Err(_) => name.eq_ignore_ascii_case("localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::visit::map;
    use http::HeaderValue;

    fn checked(method: Method, host: &str, lines: &[(HeaderName, &'static str)]) -> Result<(), Refusal> {
        let lines = lines.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
        check(&method, host, &map(lines), SocketAddr::from(([127, 0, 0, 1], 8080)))
    }

    #[test]
    fn the_panel_answers_under_the_names_of_the_listener() {
        for host in ["localhost:8080", "LOCALHOST:8080", "127.0.0.1:8080", "[::1]:8080"] {
            assert_eq!(checked(Method::GET, host, &[]), Ok(()), "{host}");
        }
        for host in [
            "",
            "localhost",
            "localhost:80",
            "evil.example",
            "evil.example:8080",
            "localhost.evil.example:8080",
            "127.0.0.1.evil.example:8080",
            "192.0.2.1:8080",
            "localhost:8080@evil.example",
        ] {
            assert_eq!(checked(Method::GET, host, &[]), Err(Refusal::Host), "{host}");
        }
        let remote = SocketAddr::from(([192, 0, 2, 1], 80));
        assert_eq!(check(&Method::GET, "192.0.2.1", &HeaderMap::new(), remote), Ok(()));
    }

    #[test]
    fn pages_of_other_sites_are_refused() {
        let host = "localhost:8080";
        let origin = |origin| checked(Method::GET, host, &[(header::ORIGIN, origin)]);
        assert_eq!(origin("http://localhost:8080"), Ok(()));
        for other in ["http://localhost:3000", "https://localhost:8080", "http://127.0.0.1:8080", "null"] {
            assert_eq!(origin(other), Err(Refusal::Site), "{other}");
        }
        let site = |site| checked(Method::GET, host, &[(FETCH_SITE, site)]);
        assert_eq!((site("same-origin"), site("none")), (Ok(()), Ok(())));
        assert_eq!((site("same-site"), site("cross-site")), (Err(Refusal::Site), Err(Refusal::Site)));
    }

    #[test]
    fn what_changes_something_needs_a_header() {
        assert_eq!(checked(Method::POST, "localhost:8080", &[]), Err(Refusal::Header));
        assert_eq!(checked(Method::POST, "localhost:8080", &[(HEADER, "1")]), Ok(()));
        let foreign = [(HEADER, "1"), (header::ORIGIN, "https://evil.example")];
        assert_eq!(checked(Method::POST, "localhost:8080", &foreign), Err(Refusal::Site));
    }
}
