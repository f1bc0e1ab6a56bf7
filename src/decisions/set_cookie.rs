//! `Set-Cookie` (RFC 6265 § 4.1, `SameSite` as in its successor).

use http::HeaderValue;

/// Browsers let no cookie live longer (RFC 6265bis § 5.5).
pub(super) const MAX_AGE_SECONDS: u32 = 400 * 24 * 60 * 60;

/// A cookie to be set, for the whole site and over TLS only.
#[derive(Debug, Clone, Copy)]
pub(super) struct SetCookie<'c> {
    pub(super) name: &'c str,
    pub(super) value: &'c str,
    pub(super) max_age_seconds: u32,
    pub(super) domain: Option<&'c str>,
    pub(super) http_only: bool,
}

impl SetCookie<'_> {
    /// The header's value; `None` where a part of it can't stand there.
    pub(super) fn value(self) -> Option<HeaderValue> {
        let Self { name, value, max_age_seconds, domain, http_only } = self;
        let domain = domain.map(|domain| format!("; Domain={domain}")).unwrap_or_default();
        let http_only = if http_only { "; HttpOnly" } else { "" };
        let text = format!(
            "{name}={value}; Path=/; Max-Age={max_age_seconds}{domain}; Secure{http_only}; SameSite=Lax"
        );
        HeaderValue::try_from(text).ok()
    }
}

/// Whether a name can be that of a cookie: a token (RFC 9110 § 5.6.2).
pub(super) fn is_name(name: &str) -> bool {
    let is_tchar = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.len() <= 128 && name.bytes().all(is_tchar)
}

/// Whether a text can be a cookie's domain.
pub(super) fn is_domain(domain: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    !domain.is_empty() && domain.len() <= 253 && domain.bytes().all(is_letter)
}
