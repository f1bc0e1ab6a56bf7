//! Text in JSON strings: values on their way in, keys on their way out.

use std::borrow::Cow;

use encoding_rs::{BIG5, Encoding, GB18030, GBK, SHIFT_JIS, UTF_8};

/// Adds `text` to `out` as it is written between the quotes of a JSON string.
///
/// The attack that it prevents: a visitor's value that ends the string, the script element around it, or the statement
/// when the JSON is read as JavaScript. Quotes and control characters are escaped as RFC 8259 § 7 asks; besides them `<`, `>` and
/// `&`, so that no tag, comment or character reference can come of it in HTML or XML, and U+2028 and U+2029, which end a line in
/// JavaScript. Unless `utf8` says that the bytes will be read as UTF-8, everything beyond ASCII is an escape as well.
pub fn escape(text: &str, utf8: bool, out: &mut String) {
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => push_escape(character, out),
            control if control.is_control() => push_escape(control, out),
            other if other.is_ascii() || utf8 => out.push(other),
            other => push_escape(other, out),
        }
    }
}

/// Adds JSON to `out`, with the same characters escaped. They can only stand in its strings.
pub fn escape_raw(json: &str, utf8: bool, out: &mut String) {
    for character in json.chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => push_escape(character, out),
            other if other.is_ascii() || utf8 => out.push(other),
            other => push_escape(other, out),
        }
    }
}

fn push_escape(character: char, out: &mut String) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        out.push_str(&format!("\\u{unit:04x}"));
    }
}

/// The name that a key spells, from the bytes between its quotes; `None` where it is not text (a lone surrogate), which no
/// pointer can name. In a script NUL is U+FFFD (WHATWG HTML § 13.2.5.4).
pub(super) fn key<'a>(raw: &'a [u8], encoding: &'static Encoding, in_script: bool) -> Option<Cow<'a, str>> {
    let (mut text, _) = encoding.decode_without_bom_handling(raw);
    if in_script && text.contains('\0') {
        text = Cow::Owned(text.replace('\0', "\u{FFFD}"));
    }
    if !text.contains('\\') {
        return Some(text);
    }
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let unit = match character {
            '\\' => match characters.next()? {
                'b' => 8,
                'f' => 12,
                'n' => 10,
                'r' => 13,
                't' => 9,
                'u' => u16::from_str_radix(characters.as_str().get(..4)?, 16).ok().inspect(|_| {
                    characters.nth(3);
                })?,
                other => u16::try_from(u32::from(other)).ok()?,
            },
            other => {
                units.extend_from_slice(other.encode_utf16(&mut [0; 2]));
                continue;
            }
        };
        units.push(unit);
    }
    String::from_utf16(&units).ok().map(Cow::Owned)
}

/// How to find the characters of ASCII in bytes of an encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bytes {
    /// Every byte below 0x80 that matters to JSON's grammar is that character.
    Plain,
    /// A backslash may be the second byte of a character.
    Paired(&'static Encoding),
    /// Not known to be UTF-8: a backslash behind bytes that are not UTF-8 may be part of a character.
    Unknown,
}

impl Bytes {
    pub(super) fn of(encoding: Option<&'static Encoding>) -> Self {
        match encoding {
            None => Self::Unknown,
            Some(encoding) if [SHIFT_JIS, BIG5, GBK, GB18030].contains(&encoding) => Self::Paired(encoding),
            Some(_) => Self::Plain,
        }
    }

    pub(super) const fn encoding(self) -> &'static Encoding {
        match self {
            Self::Paired(encoding) => encoding,
            Self::Plain | Self::Unknown => UTF_8,
        }
    }
}

/// Whether `byte` starts a character of two bytes, where it is not the second one of such a character.
pub(super) fn is_lead(encoding: &'static Encoding, byte: u8) -> bool {
    if encoding == SHIFT_JIS {
        matches!(byte, 0x81..=0x9F | 0xE0..=0xFC)
    } else {
        matches!(byte, 0x81..=0xFE)
    }
}

/// Whether a backslash behind `lead` is the second byte of a character, and not, behind a broken one, itself.
pub(super) fn takes_backslash(encoding: &'static Encoding, lead: u8) -> bool {
    !encoding.decode_without_bom_handling(&[lead, b'\\']).0.contains('\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_ends_a_string_or_a_script_is_left() {
        let hostile = "a\"b\\c</script><!-- --> ]]>&quot;\u{2028}\u{2029}\0\u{1b}\u{7f}\u{85}\r\n\té😀'`";
        for utf8 in [true, false] {
            let mut out = String::new();
            escape(hostile, utf8, &mut out);
            assert_eq!(serde_json::from_str::<String>(&format!("\"{out}\"")).unwrap(), hostile);
            for character in ['<', '>', '&', '\u{2028}', '\u{2029}', '\0', '\r', '\n', '\u{7f}', '\u{85}'] {
                assert!(!out.contains(character), "{character:?} in {out}");
            }
            assert_eq!(out.is_ascii(), !utf8);
            assert_eq!(out.contains("é😀"), utf8);
        }
    }

    #[test]
    fn keys_are_what_they_spell() {
        let cases: [(&[u8], Option<&str>); 10] = [
            (b"a", Some("a")),
            (b"\\u0061\\/\\\"\\\\", Some("a/\"\\")),
            (b"\\b\\f\\n\\r\\t", Some("\u{8}\u{c}\n\r\t")),
            ("é\\u00E9".as_bytes(), Some("éé")),
            (b"\\ud83d\\ude00", Some("😀")),
            ("😀\\n".as_bytes(), Some("😀\n")),
            (b"\\ud83d", None),
            (b"\\ude00\\ud83d", None),
            (b"\xFF", Some("\u{FFFD}")),
            (b"\\u0000", Some("\0")),
        ];
        for (raw, expected) in cases {
            assert_eq!(key(raw, UTF_8, false).as_deref(), expected, "{raw:?}");
        }
        assert_eq!(key(b"a\0", UTF_8, true).as_deref(), Some("a\u{FFFD}"));
        assert_eq!(key(b"\x95\x5C\\u0061", SHIFT_JIS, true).as_deref(), Some("表a"));
    }

    #[test]
    fn pairs_that_take_a_backslash() {
        assert!(
            takes_backslash(SHIFT_JIS, 0x95) && takes_backslash(GBK, 0x81) && takes_backslash(BIG5, 0xA5)
        );
        // No character there: the decoder gives the backslash back.
        assert!(!takes_backslash(SHIFT_JIS, 0x85) && !takes_backslash(BIG5, 0x81));
    }
}
