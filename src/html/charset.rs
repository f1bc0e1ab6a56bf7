//! The encoding of a page, and how text gets into it.

use encoding_rs::Encoding;
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

    /// `text` as bytes of the page: itself in UTF-8, ASCII and character references in everything else. References are
    /// right in any superset of ASCII, so they still are where a byte order mark overrides what the headers say.
    #[must_use]
    pub fn encode(self, text: &str) -> Vec<u8> {
        if self.is_utf8() {
            return text.as_bytes().to_vec();
        }
        text.chars().fold(Vec::with_capacity(text.len()), |mut out, character| {
            match u8::try_from(character) {
                Ok(byte) if byte.is_ascii() => out.push(byte),
                _ => out.extend_from_slice(format!("&#{};", u32::from(character)).as_bytes()),
            }
            out
        })
    }

    /// Whether text goes in as it is.
    #[must_use]
    pub fn is_utf8(self) -> bool {
        matches!(self, Self::Declared(encoding) if encoding == AsciiCompatibleEncoding::utf_8())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_goes_in_as_it_is_or_as_references() {
        for label in ["utf-8", "UTF8"] {
            assert_eq!(Charset::from_label(label.as_bytes()).unwrap().encode("é<あ"), "é<あ".as_bytes());
        }
        for label in ["iso-8859-1", "shift_jis", "x-user-defined"] {
            assert_eq!(
                Charset::from_label(label.as_bytes()).unwrap().encode("é<あ"),
                b"&#233;<&#12354;",
                "{label}"
            );
        }
        assert_eq!(Charset::Undeclared.encode("aé"), b"a&#233;");
        for label in ["utf-16", "iso-2022-jp", "nonsense", "replacement", ""] {
            assert_eq!(Charset::from_label(label.as_bytes()), None, "{label}");
        }
    }
}
