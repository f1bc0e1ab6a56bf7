//! Which codings a visitor takes (RFC 9110 § 12.5.3).

use http::{HeaderMap, header};

use crate::headers::list;

/// Whether gzip is as welcome as no coding at all. Without `Accept-Encoding` it is not: whoever says nothing may not be
/// able to decode.
#[must_use]
pub fn accepts_gzip(headers: &HeaderMap) -> bool {
    let mut gzip = None;
    let mut any = None;
    let mut identity = None;
    for member in list(headers, &header::ACCEPT_ENCODING) {
        let mut parts = member.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let token = parts.next().unwrap_or_default().to_ascii_lowercase();
        let weight = weight(parts);
        let slot = match token.as_slice() {
            b"gzip" | b"x-gzip" => &mut gzip,
            b"*" => &mut any,
            b"identity" => &mut identity,
            _ => continue,
        };
        *slot = (*slot).max(Some(weight));
    }
    // Without a word about it, `identity` is as good as the least of the others.
    gzip.or(any).is_some_and(|weight| weight > 0 && weight >= identity.unwrap_or_default())
}

/// In thousandths; what is not one counts as a refusal, as no coding at all is always right.
fn weight<'p>(mut parameters: impl Iterator<Item = &'p [u8]>) -> u16 {
    let Some(parameter) = parameters.next() else { return 1000 };
    let (Some(value), None) =
        (parameter.strip_prefix(b"q=").or_else(|| parameter.strip_prefix(b"Q=")), parameters.next())
    else {
        return 0;
    };
    let (whole, fraction) = match value.split_first() {
        Some((whole @ (b'0' | b'1'), [])) => (whole, &[][..]),
        Some((whole @ (b'0' | b'1'), [b'.', fraction @ ..])) => (whole, fraction),
        _ => return 0,
    };
    if fraction.len() > 3 || !fraction.iter().all(u8::is_ascii_digit) {
        return 0;
    }
    let digit = |at: usize| fraction.get(at).map_or(0, |digit| u16::from(digit.saturating_sub(b'0')));
    let thousandths = digit(0) * 100 + digit(1) * 10 + digit(2);
    match (whole, thousandths) {
        (b'0', thousandths) => thousandths,
        (_, 0) => 1000,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn gzip_is_taken_where_it_is_welcome() {
        let cases: &[(&[&'static str], bool)] = &[
            (&[], false),
            (&[""], false),
            (&["gzip"], true),
            (&["GZIP, br"], true),
            (&["br", "x-gzip;q=0.5"], true),
            (&["br"], false),
            (&["*"], true),
            (&["*, gzip;q=0"], false),
            (&["*;q=0"], false),
            (&["gzip;q=0.5, identity"], false),
            (&["gzip;q=0.5, identity;q=0.4"], true),
            (&["gzip ; q=0.001"], true),
            (&["gzip;q=0.000"], false),
            (&["gzip;q=1.000"], true),
            (&["gzip;q=1.001"], false),
            (&["gzip;q=2"], false),
            (&["gzip;q=0.1234"], false),
            (&["gzip;q="], false),
            (&["gzip;level=9"], false),
            (&["gzip;q=1;level=9"], false),
            (&["gzippy"], false),
            (&["identity"], false),
        ];
        for (lines, expected) in cases {
            let headers: HeaderMap =
                lines.iter().map(|line| (header::ACCEPT_ENCODING, HeaderValue::from_static(line))).collect();
            assert_eq!(accepts_gzip(&headers), *expected, "{lines:?}");
        }
    }
}
