//! The encoding of a page, and how text gets into it.
//!
//! Which one it is, browsers decide by the first of: a byte order mark, the header, the page itself ([`Sniffer`]). What is
//! not touched: UTF-16, where markup is not ASCII, and ISO-2022-JP, where ASCII bytes may be halves of characters.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8};

mod prescan;
mod sniff;

pub use sniff::{Sniffer, Unsupported};

/// How a page is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Charset {
    /// In this encoding, one in which ASCII is ASCII.
    Declared(&'static Encoding),
    /// Nothing says how: some encoding in which ASCII is ASCII.
    Undeclared,
}

impl Charset {
    /// UTF-8.
    pub const UTF_8: Self = Self::Declared(UTF_8);

    /// The charset with this label (Encoding Standard § 4.2); `None` for those that are not a superset of ASCII or not
    /// known.
    #[must_use]
    pub fn from_label(label: &[u8]) -> Option<Self> {
        Encoding::for_label_no_replacement(label).and_then(Self::of)
    }

    /// `None` for an encoding that is not a superset of ASCII.
    fn of(encoding: &'static Encoding) -> Option<Self> {
        encoding.is_ascii_compatible().then_some(Self::Declared(encoding))
    }

    /// What attributes and texts are read with. Markup is ASCII, so for an undeclared charset any will do.
    #[must_use]
    pub fn encoding(self) -> &'static Encoding {
        match self {
            Self::Declared(encoding) => encoding,
            Self::Undeclared => UTF_8,
        }
    }

    /// `text` as bytes of the page. A character that the encoding lacks becomes a decimal character reference; beyond ASCII,
    /// they all do where the encoding is not known.
    #[must_use]
    pub fn encode(self, text: &str) -> Vec<u8> {
        if let Some(bytes) = self.exactly(text) {
            return bytes.into_owned();
        }
        text.char_indices().fold(Vec::with_capacity(text.len()), |mut out, (at, character)| {
            let piece = text.get(at..at.saturating_add(character.len_utf8())).unwrap_or_default();
            match self.exactly(piece) {
                Some(bytes) => out.extend_from_slice(&bytes),
                None => out.extend_from_slice(format!("&#{};", u32::from(character)).as_bytes()),
            }
            out
        })
    }

    /// Whether all of `text` can stand in the page as itself: [`encode`](Self::encode) needs no character references.
    #[must_use]
    pub fn covers(self, text: &str) -> bool {
        self.exactly(text).is_some()
    }

    /// Whether text goes in as it is.
    #[must_use]
    pub fn is_utf8(self) -> bool {
        self == Self::UTF_8
    }

    /// `text` in bytes that mean `text` and nothing else.
    ///
    /// That they can be read back is checked: the encoders of Shift_JIS and EUC-JP turn `¥` into the byte of `\`, which
    /// would end what an escaper has escaped.
    fn exactly(self, text: &str) -> Option<Cow<'_, [u8]>> {
        if self.is_utf8() || text.is_ascii() {
            return Some(Cow::Borrowed(text.as_bytes()));
        }
        let Self::Declared(encoding) = self else { return None };
        let (bytes, _, lacks) = encoding.encode(text);
        if lacks || encoding.decode_without_bom_handling_and_without_replacement(&bytes)? != text {
            return None;
        }
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn charset(label: &str) -> Charset {
        Charset::from_label(label.as_bytes()).unwrap()
    }

    #[test]
    fn text_goes_in_as_it_is_encoded_or_as_references() {
        let cases: &[(&str, &str, &[u8])] = &[
            ("utf-8", "é<あ", "é<あ".as_bytes()),
            ("UTF8", "é<あ", "é<あ".as_bytes()),
            ("iso-8859-1", "é€<あ", b"\xe9\x80<&#12354;"),
            ("iso-8859-2", "é€", b"\xe9&#8364;"),
            ("koi8-r", "Да é", b"\xe4\xc1 &#233;"),
            ("macintosh", "é€あ", b"\x8e\xdb&#12354;"),
            ("shift_jis", "表示é", b"\x95\x5c\x8e\xa6&#233;"),
            // Its encoder writes `\` and `~`, which read as such.
            ("shift_jis", "¥\u{203e}", b"&#165;&#8254;"),
            ("euc-jp", "¥\u{203e}あ", b"&#165;&#8254;\xa4\xa2"),
            // A minus sign, of which it makes a full-width one.
            ("euc-jp", "\u{2212}", b"&#8722;"),
            ("euc-kr", "한é", b"\xc7\xd1&#233;"),
            ("big5", "中é", b"\xa4\xa4&#233;"),
            ("gbk", "中€", b"\xd6\xd0\x80"),
            ("gb18030", "中é\u{1f600}", b"\xd6\xd0\xa8\xa6\x94\x39\xfc\x36"),
            ("x-user-defined", "é\u{f780}", b"&#233;\x80"),
        ];
        for (label, text, expected) in cases {
            let bytes = charset(label).encode(text);
            assert_eq!(
                bytes.escape_ascii().to_string(),
                expected.escape_ascii().to_string(),
                "{label} {text}"
            );
            assert_eq!(charset(label).covers(text), !bytes.contains(&b'#'), "{label} {text}");
        }
        assert_eq!(Charset::Undeclared.encode("aé"), b"a&#233;");
        assert!(Charset::Undeclared.covers("a") && !Charset::Undeclared.covers("é"));
        for label in ["utf-16", "utf-16be", "iso-2022-jp", "nonsense", "replacement", "hz-gb-2312", ""] {
            assert_eq!(Charset::from_label(label.as_bytes()), None, "{label}");
        }
    }

    const LABELS: [&str; 14] = [
        "utf-8",
        "windows-1252",
        "iso-8859-8-i",
        "windows-1258",
        "koi8-u",
        "macintosh",
        "x-user-defined",
        "shift_jis",
        "euc-jp",
        "euc-kr",
        "big5",
        "gbk",
        "gb18030",
        "iso-8859-16",
    ];

    proptest! {
        /// What an escaper has written as ASCII stays what it is, and nothing becomes ASCII that was not.
        #[test]
        fn a_browser_reads_what_was_meant(
            text in proptest::collection::vec(
                prop_oneof![any::<char>(), proptest::char::range('\u{a0}', '\u{ff}'),
                    proptest::char::range('\u{3000}', '\u{9fff}'), proptest::sample::select(&['\u{a5}', '\u{203e}', '<', '\\'][..])],
                0..12),
            label in proptest::sample::select(&LABELS[..]),
        ) {
            let text: String = text.into_iter().collect();
            let Charset::Declared(encoding) = charset(label) else { panic!("{label}") };
            let bytes = charset(label).encode(&text);
            let read = encoding.decode_without_bom_handling_and_without_replacement(&bytes);
            prop_assert!(read.is_some());
            let mut read = read.unwrap().into_owned();
            for character in text.chars().filter(|character| !character.is_ascii()) {
                read = read.replace(&format!("&#{};", u32::from(character)), &character.to_string());
            }
            prop_assert_eq!(read, text);
        }
    }
}
