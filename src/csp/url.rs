//! Where a script or style comes from, and whether a source expression names that place (CSP Level 3 § 6.7.2.8).

use percent_encoding::percent_decode_str;

/// The place of the page: what `'self'` is, and what URLs without scheme or host go by.
///
/// A scheme that a proxy in front has changed does no harm: `http` also matches `https` in policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    scheme: String,
    authority: Option<Authority>,
}

impl Page {
    /// From the request's `:scheme` and `:authority`.
    #[must_use]
    pub fn new(scheme: &str, authority: &str) -> Self {
        Self { scheme: scheme.to_ascii_lowercase(), authority: Authority::parse(authority) }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Authority {
    host: String,
    port: Option<u16>,
}

impl Authority {
    fn parse(text: &str) -> Option<Self> {
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port),
            _ => (text, ""),
        };
        let port = if port.is_empty() { None } else { Some(port.parse().ok()?) };
        let is_host = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        let is_ipv6 = host.starts_with('[') && host.ends_with(']');
        let valid = !host.is_empty() && (is_ipv6 || host.bytes().all(is_host));
        valid.then(|| Self { host: host.to_ascii_lowercase(), port })
    }
}

/// A URL of the configuration, as far as policies look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// `None`: that of the page.
    scheme: Option<String>,
    place: Place,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Host(Authority, String),
    /// On the host of the page. The path is not known where it depends on the page's own.
    Same(Option<String>),
    /// A scheme without hosts, or a URL that is not understood: no host matches.
    Nowhere,
}

impl Url {
    /// Reads a URL. One that is not understood matches no source expression.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text = text.trim_matches(|c: char| c.is_ascii_control() || c == ' ');
        let nowhere = |scheme: Option<String>| Self { scheme, place: Place::Nowhere };
        // Browsers drop tabs and line ends, and read a backslash as a slash.
        if text.contains(['\\', '\t', '\n', '\r']) {
            return nowhere(Some(String::new()));
        }
        let before = text.split(['?', '#']).next().unwrap_or_default();
        let (scheme, rest) = match scheme(before) {
            Some((scheme, rest)) => (Some(scheme.to_ascii_lowercase()), rest),
            None => (None, before),
        };
        if let Some(rest) = rest.strip_prefix("//") {
            let at = rest.find('/').unwrap_or(rest.len());
            let (authority, path) = rest.split_at_checked(at).unwrap_or((rest, ""));
            return match Authority::parse(authority) {
                Some(authority) => {
                    let path = if path.is_empty() { "/" } else { path };
                    Self { scheme, place: Place::Host(authority, path.to_owned()) }
                }
                None => nowhere(Some(scheme.unwrap_or_default())),
            };
        }
        match scheme {
            Some(scheme) => nowhere(Some(scheme)),
            None => {
                let path = rest.starts_with('/').then(|| rest.to_owned());
                Self { scheme: None, place: Place::Same(path) }
            }
        }
    }

    /// Whether it is a path of the page's host that starts with `/`, or a whole URL with this or no scheme: `http`, `https`.
    #[must_use]
    pub fn is_fetched(&self) -> bool {
        let web = self.scheme.as_deref().is_none_or(|scheme| matches!(scheme, "http" | "https"));
        web && matches!(self.place, Place::Host(..) | Place::Same(Some(_)))
    }

    fn scheme<'a>(&'a self, page: &'a Page) -> &'a str {
        self.scheme.as_deref().unwrap_or(&page.scheme)
    }

    fn authority<'a>(&'a self, page: &'a Page) -> Option<&'a Authority> {
        match &self.place {
            Place::Host(authority, _) => Some(authority),
            Place::Same(_) => page.authority.as_ref(),
            Place::Nowhere => None,
        }
    }

    fn path(&self) -> Option<&str> {
        match &self.place {
            Place::Host(_, path) => Some(path),
            Place::Same(path) => path.as_deref(),
            Place::Nowhere => None,
        }
    }

    /// Does it match `'self'`?
    pub(super) fn is_of(&self, page: &Page) -> bool {
        if matches!(self.place, Place::Same(_)) {
            return true;
        }
        let (Some(own), Some(other)) = (&page.authority, self.authority(page)) else { return false };
        let (scheme, page_scheme) = (self.scheme(page), page.scheme.as_str());
        let default = |authority: &Authority, scheme: &str| {
            authority.port.is_none() || authority.port == default_port(scheme)
        };
        let port = |authority: &Authority, scheme: &str| authority.port.or_else(|| default_port(scheme));
        own.host == other.host
            && (port(own, page_scheme) == port(other, scheme)
                || (default(own, page_scheme) && default(other, scheme)))
            && (scheme == page_scheme || scheme == "https")
    }

    /// Does it match a host, a scheme or `*`?
    pub(super) fn matches(&self, expression: &str, page: &Page) -> bool {
        let own = self.scheme(page);
        if expression == "*" {
            return matches!(own, "http" | "https") || matches_scheme(&page.scheme, own);
        }
        let (wanted, rest) = match expression.split_once("://") {
            Some((scheme, rest)) if is_scheme(scheme) => (Some(scheme), rest),
            _ => match expression.strip_suffix(':') {
                Some(scheme) if is_scheme(scheme) => return matches_scheme(scheme, own),
                _ => (None, expression),
            },
        };
        if !matches_scheme(wanted.unwrap_or(&page.scheme), own) {
            return false;
        }
        let Some(authority) = self.authority(page) else { return false };
        let (host, path) = match rest.find('/') {
            Some(at) => rest.split_at_checked(at).unwrap_or((rest, "")),
            None => (rest, ""),
        };
        // The port of an IPv6 address: none of the hosts of the grammar has brackets.
        let (host, port) = match host.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (host, None),
        };
        matches_host(host, &authority.host)
            && matches_port(port, authority.port, own)
            && (path.is_empty() || self.path().is_some_and(|own| matches_path(path, own)))
    }
}

fn scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    is_scheme(scheme).then_some((scheme, rest))
}

/// RFC 3986 § 3.1.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

/// § 6.7.2.9: a scheme also matches its secure variant.
fn matches_scheme(wanted: &str, own: &str) -> bool {
    wanted.eq_ignore_ascii_case(own) || (wanted.eq_ignore_ascii_case("http") && own == "https")
}

/// § 6.7.2.10.
fn matches_host(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix('*') {
        Some("") => true,
        Some(suffix) if suffix.starts_with('.') => {
            let at = host.len().checked_sub(suffix.len());
            at.and_then(|at| host.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(suffix))
        }
        Some(_) => false,
        None => pattern.eq_ignore_ascii_case(host),
    }
}

/// § 6.7.2.11.
fn matches_port(wanted: Option<&str>, own: Option<u16>, scheme: &str) -> bool {
    let own = own.or_else(|| default_port(scheme));
    match wanted {
        Some("*") => true,
        Some(port) => port.parse().is_ok_and(|port: u16| Some(port) == own),
        None => own == default_port(scheme),
    }
}

/// § 6.7.2.12: a path that ends in `/` names all below it, any other exactly itself.
fn matches_path(pattern: &str, path: &str) -> bool {
    let exact = !pattern.ends_with('/');
    let mut pieces = path.split('/');
    let wanted: Vec<&str> = pattern.split('/').collect();
    let wanted =
        if exact { wanted.as_slice() } else { wanted.split_last().map_or(&[][..], |(_, rest)| rest) };
    let same = |a: &str, b: &str| percent_decode_str(a).eq(percent_decode_str(b));
    let starts = wanted.iter().all(|piece| pieces.next().is_some_and(|own| same(piece, own)));
    let left = pieces.count();
    starts && if exact { left == 0 } else { left > 0 }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_match_as_the_standard_says() {
        let page = Page::new("https", "shop.example");
        for (expression, url, expected) in [
            ("*", "https://a.example/x", true),
            ("*", "http://a.example/x", true),
            ("*", "data:text/javascript,1", false),
            ("data:", "data:text/javascript,1", true),
            ("https:", "https://a.example/x", true),
            ("https:", "http://a.example/x", false),
            ("http:", "https://a.example/x", true),
            ("a.example", "https://a.example/x", true),
            ("A.Example", "https://a.EXAMPLE/x", true),
            ("a.example", "http://a.example/x", false),
            ("http://a.example", "https://a.example/x", true),
            ("https://a.example", "//a.example/x", true),
            ("a.example", "https://b.a.example/x", false),
            ("*.a.example", "https://b.a.example/x", true),
            ("*.a.example", "https://a.example/x", false),
            ("*a.example", "https://a.example/x", false),
            ("a.example", "https://a.example:8443/x", false),
            ("a.example:8443", "https://a.example:8443/x", true),
            ("a.example:*", "https://a.example:8443/x", true),
            ("a.example:443", "https://a.example/x", true),
            ("a.example", "https://a.example:443/x", true),
            ("a.example/js/", "https://a.example/js/x.js", true),
            ("a.example/js/", "https://a.example/js", false),
            ("a.example/js", "https://a.example/js/x.js", false),
            ("a.example/js/x.js", "https://a.example/js/x.js?v=1#y", true),
            ("a.example/js/%78.js", "https://a.example/js/x.js", true),
            ("a.example/", "https://a.example", true),
            ("a.example/JS/", "https://a.example/js/x.js", false),
            ("shop.example", "/x.js", true),
            ("shop.example/js/", "/js/x.js", true),
            ("shop.example/js/", "js/x.js", false),
            ("shop.example", "js/x.js", true),
            ("a.example", "https://a.example\\@b.example/x", false),
            ("a.example", "https://user@a.example/x", false),
            ("'wasm-unsafe-eval'", "https://a.example/x", false),
        ] {
            assert_eq!(Url::parse(url).matches(expression, &page), expected, "{expression} {url}");
        }
    }

    #[test]
    fn self_is_the_page_or_its_secure_variant() {
        for (scheme, authority, url, expected) in [
            ("https", "shop.example", "/x", true),
            ("https", "shop.example", "x", true),
            ("https", "shop.example", "https://shop.example/x", true),
            ("https", "Shop.example:443", "https://shop.EXAMPLE/x", true),
            ("https", "shop.example", "http://shop.example/x", false),
            ("http", "shop.example", "https://shop.example/x", true),
            ("http", "shop.example:8080", "http://shop.example:8080/x", true),
            ("http", "shop.example:8080", "http://shop.example/x", false),
            ("https", "shop.example", "https://cdn.shop.example/x", false),
            ("https", "shop.example", "//shop.example/x", true),
            ("https", "shop.example", "data:text/css,x", false),
            ("http", "[::1]:8080", "http://[::1]:8080/x", true),
        ] {
            let page = Page::new(scheme, authority);
            assert_eq!(Url::parse(url).is_of(&page), expected, "{scheme}://{authority} {url}");
        }
    }
}
