//! The encoding of a page, and how text gets into it.

use encoding_rs::{Encoding, UTF_8};
use lol_html::AsciiCompatibleEncoding;

/// How a page is encoded, as far as its headers tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Charset {
    /// The `charset` of its content type.
    Declared(AsciiCompatibleEncoding),
    /// Not declared: some encoding in which ASCII is ASCII.
    Undeclared,
}

impl Charset {
    /// The charset with this label (Encoding Standard § 4.2); `None` for those that are not a superset of ASCII or not
    /// known.
    #[must_use]
    pub fn from_label(label: &[u8]) -> Option<Self> {
        let encoding = Encoding::for_label_no_replacement(label)?;
        AsciiCompatibleEncoding::new(encoding).map(Self::Declared)
    }

    /// What the parser is told. Markup is ASCII, so for an undeclared charset any will do.
    #[must_use]
    pub fn for_parser(self) -> AsciiCompatibleEncoding {
        match self {
            Self::Declared(encoding) => encoding,
            Self::Undeclared => AsciiCompatibleEncoding::utf_8(),
        }
    }

    /// `text` as bytes of the page. What the page's encoding lacks becomes a character reference.
    #[must_use]
    pub fn encode(self, text: &str) -> Vec<u8> {
        match self {
            Self::Declared(encoding) => {
                let encoding: &'static Encoding = encoding.into();
                if encoding == UTF_8 {
                    text.as_bytes().to_vec()
                } else {
                    encoding.encode(text).0.into_owned()
                }
            }
            Self::Undeclared => text.chars().fold(Vec::with_capacity(text.len()), |mut out, character| {
                match u8::try_from(character) {
                    Ok(byte) if byte.is_ascii() => out.push(byte),
                    _ => out.extend_from_slice(format!("&#{};", u32::from(character)).as_bytes()),
                }
                out
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_encoded_or_referred_to() {
        let cases: &[(&str, &[u8])] = &[
            ("utf-8", "é€あ".as_bytes()),
            ("iso-8859-1", b"\xE9\x80&#12354;"),
            ("shift_jis", b"&#233;&#8364;\x82\xA0"),
        ];
        for (label, expected) in cases {
            assert_eq!(Charset::from_label(label.as_bytes()).unwrap().encode("é€あ"), *expected, "{label}");
        }
        assert_eq!(Charset::Undeclared.encode("aé"), b"a&#233;");
        for label in ["utf-16", "iso-2022-jp", "nonsense", "replacement", ""] {
            assert_eq!(Charset::from_label(label.as_bytes()), None, "{label}");
        }
    }
}
