//! Which bodies may be edited.

use std::fmt;

use http::{HeaderMap, StatusCode, header};

use crate::coding::Coding;
use crate::headers::list;
use crate::html::charset::{Charset, Sniffer};
use crate::json::script::is_json;
use crate::names::names;

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
    /// It has a content coding that can't be undone.
    ContentCoding,
    /// It is not what its content coding says, from its first byte on.
    CorruptCoding,
    /// It would expand to more than is allowed.
    Expansion,
    /// Trailers are announced for a body of unknown length: where it ends is told too late to send what was held.
    Trailers,
    /// An encoding that is not known, or not a superset of ASCII.
    Charset,
    /// It is longer than may be held for delivery as a whole.
    TooLong,
    /// The charset is told in the page only, where patches of the other stage must find it as the origin sent it.
    UntoldCharset,
    /// Another configuration says that it has made edits in it.
    ForeignRecord,
}

names! {
    Untouched {
        Head => "head",
        Status => "status",
        ContentType => "content_type",
        NoTransform => "no_transform",
        ContentCoding => "content_coding",
        CorruptCoding => "corrupt_coding",
        Expansion => "expansion",
        Trailers => "trailers",
        Charset => "charset",
        TooLong => "too_long",
        UntoldCharset => "untold_charset",
        ForeignRecord => "foreign_record",
    }
}

impl fmt::Display for Untouched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever edits must handle each")]
pub enum Kind {
    /// HTML, or what a route reads as HTML.
    Html,
    /// JSON.
    Json,
}

/// A body that may be edited, as far as its head tells.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Readable {
    /// What it is.
    pub kind: Kind,
    /// What must be undone before it can be read; the last one was applied last.
    pub codings: Vec<Coding>,
    /// What finds out how its text is encoded.
    pub sniffer: Sniffer,
}

/// Judges a response by its head. `content_types` are read as HTML besides HTML's own, in lower case.
///
/// # Errors
/// Why the body must stay as it is.
pub fn gate(
    status: StatusCode,
    headers: &HeaderMap,
    content_types: &[String],
) -> Result<Readable, Untouched> {
    let content_type = headers.get(header::CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    let (essence, parameters) = content_type.split_at(semicolon(content_type));
    let essence = String::from_utf8_lossy(essence.trim_ascii()).to_ascii_lowercase();
    let is_xhtml = essence == "application/xhtml+xml";
    let kind = if essence == "text/html" || is_xhtml || content_types.contains(&essence) {
        Kind::Html
    } else if is_json(&essence) {
        Kind::Json
    } else {
        return Err(Untouched::ContentType);
    };
    if status.is_informational() || matches!(status.as_u16(), 204 | 205 | 206 | 304) {
        return Err(Untouched::Status);
    }
    if list(headers, &header::CACHE_CONTROL).any(|directive| directive.eq_ignore_ascii_case(b"no-transform"))
    {
        return Err(Untouched::NoTransform);
    }
    let codings = Coding::stack(list(headers, &header::CONTENT_ENCODING)).ok_or(Untouched::ContentCoding)?;
    if headers.contains_key(header::TRAILER) && !headers.contains_key(header::CONTENT_LENGTH) {
        return Err(Untouched::Trailers);
    }
    let charset = match (charset(parameters), kind) {
        (Some(label), _) => Some(Charset::from_label(&label).ok_or(Untouched::Charset)?),
        (None, Kind::Html) => None,
        // RFC 8259 § 8.1.
        (None, Kind::Json) => Some(Charset::UTF_8),
    };
    if kind == Kind::Json && charset != Some(Charset::UTF_8) {
        return Err(Untouched::Charset);
    }
    Ok(Readable { kind, codings, sniffer: Sniffer::new(charset, is_xhtml) })
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

    fn judge(status: u16, headers: &[(&'static str, &'static str)]) -> Result<Readable, Untouched> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        gate(StatusCode::from_u16(status).unwrap(), &map, &["text/x-fragment".to_owned()])
    }

    fn readable(label: Option<&str>, is_xhtml: bool) -> Result<Readable, Untouched> {
        let charset = label.and_then(|label| Charset::from_label(label.as_bytes()));
        Ok(Readable { kind: Kind::Html, codings: Vec::new(), sniffer: Sniffer::new(charset, is_xhtml) })
    }

    #[test]
    fn judges_by_type_status_directives_coding_and_charset() {
        let utf8 = readable(Some("utf-8"), false);
        let html = ("content-type", "text/html; charset=utf-8");
        assert_eq!(judge(200, &[html]), utf8);
        assert_eq!(judge(404, &[html]), utf8);
        assert_eq!(judge(200, &[("content-type", "Text/HTML ;x=y; Charset=\"UTF-8\"")]), utf8);
        assert_eq!(judge(200, &[("content-type", "text/x-fragment")]), readable(None, false));
        assert_eq!(judge(200, &[("content-type", "application/xhtml+xml")]), readable(None, true));
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
        assert_eq!(judge(200, &[html, ("trailer", "x-sum")]), Err(Untouched::Trailers));
        assert_eq!(judge(200, &[html, ("trailer", "x-sum"), ("content-length", "9")]), utf8);
        assert_eq!(judge(200, &[("content-type", "text/html; charset=utf-16")]), Err(Untouched::Charset));
        assert_eq!(judge(200, &[("content-type", "text/html; charset=klingon")]), Err(Untouched::Charset));
    }

    #[test]
    fn json_is_utf_8() {
        for content_type in ["application/json", "Application/Problem+JSON; charset=utf-8", "text/json"] {
            let judged = judge(200, &[("content-type", content_type)]);
            assert_eq!(judged.map(|readable| readable.kind), Ok(Kind::Json), "{content_type}");
        }
        let judged = judge(200, &[("content-type", "application/json; charset=iso-8859-1")]);
        assert_eq!(judged, Err(Untouched::Charset));
    }

    #[test]
    fn codings_are_undone_that_are_known() {
        let html = ("content-type", "text/html");
        let coded = |lines: &[&'static str]| {
            let lines = lines.iter().map(|line| ("content-encoding", *line));
            judge(200, &[html].into_iter().chain(lines).collect::<Vec<_>>()).map(|readable| readable.codings)
        };
        assert_eq!(coded(&["GZIP"]), Ok(vec![Coding::Gzip]));
        assert_eq!(coded(&["gzip, identity", "br"]), Ok(vec![Coding::Gzip, Coding::Brotli]));
        assert_eq!(coded(&["compress"]), Err(Untouched::ContentCoding));
        assert_eq!(coded(&["gzip", "dcb"]), Err(Untouched::ContentCoding));
        assert_eq!(coded(&["gzip, gzip, gzip, gzip"]), Err(Untouched::ContentCoding));
    }
}
