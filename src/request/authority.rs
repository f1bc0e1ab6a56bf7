//! The host a request is for, in the one form that routes are matched against.
//!
//! `Shop.Example.:8443` and `shop.example` are the same site. Without one form, a visitor could leave a
//! route, and the cache policy that comes with it, by writing the host differently.

use std::borrow::Cow;

/// The host of an `:authority` or `Host` value: lower case, without port, without the dot of a fully
/// qualified name.
///
/// Brackets of an IPv6 literal stay (RFC 3986 §3.2.2), its port goes. What is no authority (user information,
/// an IPv6 address without brackets) is only lower-cased: it then matches no host, which is right.
///
/// ```
/// # use engraft::request::authority::host;
/// assert_eq!(host("Shop.Example.:8443"), "shop.example");
/// assert_eq!(host("[2001:DB8::1]:443"), "[2001:db8::1]");
/// ```
#[must_use]
pub fn host(authority: &str) -> Cow<'_, str> {
    let host = without_port(authority);
    let host = host.strip_suffix('.').unwrap_or(host);
    if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(host.to_ascii_lowercase())
    } else {
        Cow::Borrowed(host)
    }
}

fn without_port(authority: &str) -> &str {
    let Some((host, port)) = authority.rsplit_once(':') else { return authority };
    // The port may be empty (RFC 3986 §3.2.3).
    let is_port = port.bytes().all(|byte| byte.is_ascii_digit());
    let is_host = !host.contains(':') || (host.starts_with('[') && host.ends_with(']'));
    if is_port && is_host { host } else { authority }
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn one_form_for_every_spelling() {
        for (authority, expected) in [
            ("shop.example", "shop.example"),
            ("SHOP.Example", "shop.example"),
            ("shop.example:80", "shop.example"),
            ("shop.example:", "shop.example"),
            ("shop.example.", "shop.example"),
            ("shop.example.:443", "shop.example"),
            ("shop.example..", "shop.example."),
            ("127.0.0.1:8080", "127.0.0.1"),
            ("[::1]", "[::1]"),
            ("[::1]:8080", "[::1]"),
            ("[2001:DB8::A]:8080", "[2001:db8::a]"),
            ("::1", "::1"),
            ("2001:db8::80", "2001:db8::80"),
            ("[::1", "[::1"),
            ("[::1]x:80", "[::1]x:80"),
            ("user:pass@shop.example:80", "user:pass@shop.example:80"),
            ("shop.example:http", "shop.example:http"),
            ("localhost", "localhost"),
            ("BÜCHER.example", "bÜcher.example"),
            (":80", ""),
            (".", ""),
            ("", ""),
        ] {
            assert_eq!(host(authority), expected, "{authority:?}");
        }
    }
}
