//! Which bodies may be edited.

use std::fmt;

use http::{HeaderMap, StatusCode, header};

use crate::headers::list;
use crate::html::charset::Charset;

/// Why a body is not edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Untouched {
    /// The response to HEAD has none; its headers are those of GET.
    Head,
    /// 1xx, 204, 205 and 304 have none, and 206 has a part.
    Status,
    /// Not HTML, nor what the route names.
    ContentType,
    /// The origin forbids it (RFC 9111 § 5.2.2.6).
    NoTransform,
    /// It is compressed, in spite of what was asked for.
    ContentCoding,
    /// Trailers are announced for a body of unknown length: where it ends is told too late to send what was held.
    Trailers,
    /// An encoding that is not known, or not a superset of ASCII.
    Charset,
}

impl Untouched {
    /// Its name in reports and counters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Status => "status",
            Self::ContentType => "content_type",
            Self::NoTransform => "no_transform",
            Self::ContentCoding => "content_coding",
            Self::Trailers => "trailers",
            Self::Charset => "charset",
        }
    }
}

impl fmt::Display for Untouched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Judges a response by its head. `content_types` are read as HTML besides HTML's own, in lower case.
///
/// # Errors
/// Why the body must stay as it is.
pub fn gate(status: StatusCode, headers: &HeaderMap, content_types: &[String]) -> Result<Charset, Untouched> {
    let content_type = headers.get(header::CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    let (essence, parameters) = content_type.split_at(semicolon(content_type));
    let essence = String::from_utf8_lossy(essence.trim_ascii()).to_ascii_lowercase();
    let known = matches!(essence.as_str(), "text/html" | "application/xhtml+xml");
    if !known && !content_types.contains(&essence) {
        return Err(Untouched::ContentType);
    }
    if status.is_informational() || matches!(status.as_u16(), 204 | 205 | 206 | 304) {
        return Err(Untouched::Status);
    }
    if list(headers, &header::CACHE_CONTROL).any(|directive| directive.eq_ignore_ascii_case(b"no-transform"))
    {
        return Err(Untouched::NoTransform);
    }
    if list(headers, &header::CONTENT_ENCODING).any(|coding| !coding.eq_ignore_ascii_case(b"identity")) {
        return Err(Untouched::ContentCoding);
    }
    if headers.contains_key(header::TRAILER) && !headers.contains_key(header::CONTENT_LENGTH) {
        return Err(Untouched::Trailers);
    }
    match charset(parameters) {
        Some(label) => Charset::from_label(&label).ok_or(Untouched::Charset),
        None => Ok(Charset::Undeclared),
    }
}

fn semicolon(value: &[u8]) -> usize {
    value.iter().position(|byte| *byte == b';').unwrap_or(value.len())
}

/// The `charset` parameter (RFC 9110 § 8.3.1), quoted or not.
fn charset(parameters: &[u8]) -> Option<Vec<u8>> {
    parameters.split(|byte| *byte == b';').find_map(|parameter| {
        let (name, value) = parameter.split_at(parameter.iter().position(|byte| *byte == b'=')?);
        let value = value.get(1..)?.trim_ascii();
        let unquoted = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
        name.trim_ascii().eq_ignore_ascii_case(b"charset").then(|| unquoted.to_vec())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn judge(status: u16, headers: &[(&'static str, &'static str)]) -> Result<Charset, Untouched> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        gate(StatusCode::from_u16(status).unwrap(), &map, &["text/x-fragment".to_owned()])
    }

    #[test]
    fn judges_by_type_status_directives_coding_and_charset() {
        let utf8 = Ok(Charset::from_label(b"utf-8").unwrap());
        let html = ("content-type", "text/html; charset=utf-8");
        assert_eq!(judge(200, &[html]), utf8);
        assert_eq!(judge(404, &[html]), utf8);
        assert_eq!(judge(200, &[("content-type", "Text/HTML ;x=y; Charset=\"UTF-8\"")]), utf8);
        assert_eq!(judge(200, &[("content-type", "text/x-fragment")]), Ok(Charset::Undeclared));
        assert_eq!(judge(200, &[html, ("content-encoding", "identity")]), utf8);
        assert_eq!(judge(200, &[]), Err(Untouched::ContentType));
        assert_eq!(judge(200, &[("content-type", "image/png")]), Err(Untouched::ContentType));
        for status in [101, 204, 205, 206, 304] {
            assert_eq!(judge(status, &[html]), Err(Untouched::Status), "{status}");
        }
        let no_transform = ("cache-control", "max-age=1, No-Transform");
        assert_eq!(
            judge(200, &[html, ("cache-control", "public"), no_transform]),
            Err(Untouched::NoTransform)
        );
        assert_eq!(judge(200, &[html, ("content-encoding", "gzip")]), Err(Untouched::ContentCoding));
        assert_eq!(judge(200, &[html, ("trailer", "x-sum")]), Err(Untouched::Trailers));
        assert_eq!(judge(200, &[html, ("trailer", "x-sum"), ("content-length", "9")]), utf8);
        assert_eq!(judge(200, &[("content-type", "text/html; charset=utf-16")]), Err(Untouched::Charset));
        assert_eq!(judge(200, &[("content-type", "text/html; charset=klingon")]), Err(Untouched::Charset));
    }
}
