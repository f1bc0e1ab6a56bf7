//! Values in headers (RFC 9110 § 5.5, 5.6). The attacks: a line too many, an item or a parameter too many.

use std::fmt::Write as _;

/// Visible ASCII and spaces stay. Percent-encoded, as UTF-8, are control characters, which end or break lines; everything
/// beyond ASCII, which recipients read in different ways; and `,` `;` `"` `\`, which begin another item, another parameter or
/// a quoted string. `%` stays, so that a value which is encoded already is not encoded twice.
pub fn header_value(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if (byte.is_ascii_graphic() || byte == b' ') && !matches!(byte, b',' | b';' | b'"' | b'\\') {
            out.push(byte.into());
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
}
