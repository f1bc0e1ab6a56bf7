//! Values in URLs (WHATWG URL § 4, RFC 3986). The attacks: a scheme that runs script, another host, a path that climbs out of
//! where the configuration put it, a parameter too many.

use std::fmt::Write as _;

/// What a URL with a scheme that is not allowed becomes. It leads nowhere, and can be found.
pub const INVALID_URL: &str = "about:invalid#engraft";

/// The schemes that a value may bring along.
pub(in crate::template) const SCHEMES: &[&str] = &["http", "https", "mailto", "tel"];

/// A value that is the start of a URL or all of it: one with `http`, `https`, `mailto` or `tel`, or a relative one. Its delimiters stay,
/// and so does what is percent-encoded; everything that is neither is encoded, `\` among it, which browsers would take for
/// `/`, and quotes, parentheses and commas, which end URLs in CSS and `srcset`.
pub fn whole_url(text: &str, out: &mut String) {
    // Browsers strip these from the start and the end, and would find the scheme behind them.
    let text = text.trim_matches(|c: char| c <= ' ');
    let head = text.split(['/', '?', '#']).next().unwrap_or_default();
    let allowed = match head.split_once(':') {
        None => true,
        Some((scheme, _)) => SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme)),
    };
    if !allowed {
        return out.push_str(INVALID_URL);
    }
    normalize(text, out, |byte| {
        matches!(
            byte,
            b'!' | b'#' | b'$' | b'&' | b'*' | b'+' | b'/' | b':' | b';' | b'=' | b'?' | b'@' | b'[' | b']'
        )
    });
}

/// A value inside the path: part of one segment. Its slashes are encoded, and parts of it that are nothing but dots, which
/// would mean the directory above, are written `_`; also where somebody decodes the slashes.
pub fn path(text: &str, out: &mut String) {
    let mut start = 0;
    for (at, slash) in
        text.match_indices(['/', '\\']).map(|(at, slash)| (at, Some(slash))).chain([(text.len(), None)])
    {
        segment(text.get(start..at).unwrap_or_default(), out, component);
        if let Some(slash) = slash {
            component(slash, out);
            start = at.saturating_add(slash.len());
        }
    }
}

/// The path of a request, whole: it starts with one slash and has no dot segments left.
pub fn request_path(text: &str, out: &mut String) {
    let rest = text.trim_start_matches(['/', '\\']);
    out.push('/');
    for (index, part) in rest.split('/').enumerate() {
        if index > 0 {
            out.push('/');
        }
        segment(part, out, |text, out| {
            normalize(text, out, |byte| {
                matches!(byte, b'!' | b'$' | b'&' | b'*' | b'+' | b',' | b':' | b';' | b'=' | b'@')
            });
        });
    }
}

/// A value behind `mailto:` or `tel:`.
pub fn opaque(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if is_unreserved(byte) || matches!(byte, b'@' | b'+') {
            out.push(byte.into())
        } else {
            encode(byte, out)
        }
    }
}

/// A value inside the query or the fragment: all but letters, digits, `-`, `.`, `_` and `~` is encoded.
pub fn component(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if is_unreserved(byte) { out.push(byte.into()) } else { encode(byte, out) }
    }
}

fn segment(text: &str, out: &mut String, write: impl Fn(&str, &mut String)) {
    if is_dots(text) { out.push('_') } else { write(text, out) }
}

/// Whether it is, or has, a `.` or `..` in any spelling (WHATWG URL § 4.4); also for servers that decode slashes first, or
/// that leave out what follows a `;`.
fn is_dots(segment: &str) -> bool {
    let plain = segment.to_ascii_lowercase().replace("%2e", ".").replace("%2f", "/").replace("%5c", "/");
    plain.split('/').any(|part| matches!(part.split(';').next(), Some("." | "..")))
}

/// Encodes what is neither unreserved nor kept; what is percent-encoded stays.
fn normalize(text: &str, out: &mut String, keep: impl Fn(u8) -> bool) {
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        let is_hex = |offset| bytes.get(at.saturating_add(offset)).is_some_and(u8::is_ascii_hexdigit);
        let stays = is_unreserved(*byte) || keep(*byte) || (*byte == b'%' && is_hex(1) && is_hex(2));
        if stays { out.push(char::from(*byte)) } else { encode(*byte, out) }
    }
}

/// RFC 3986 § 2.3.
const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn encode(byte: u8, out: &mut String) {
    // Writing to a string can't fail.
    let _ = write!(out, "%{byte:02X}");
}
