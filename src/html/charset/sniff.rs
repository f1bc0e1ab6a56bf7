//! Which encoding a page is in: a byte order mark, the header, the page itself (WHATWG HTML § 13.2.3.2; of XHTML, XML
//! § 4.3.3).

use std::fmt;

use encoding_rs::{Encoding, UTF_8};

use super::{Charset, prescan};

const MARKS: [(&[u8], bool); 3] = [(b"\xef\xbb\xbf", true), (b"\xfe\xff", false), (b"\xff\xfe", false)];

/// Finds the encoding of a page in its first bytes, at most [`MAX_BYTES`](Self::MAX_BYTES) of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sniffer {
    header: Option<Charset>,
    is_xml: bool,
}

/// The page is in an encoding that is not a superset of ASCII.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "there is nothing else to tell")]
pub struct Unsupported;

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("encoding is not a superset of ASCII; serve the page as UTF-8")
    }
}

impl std::error::Error for Unsupported {}

impl Sniffer {
    /// Whether the page is XML, which this reads as HTML.
    #[must_use]
    pub const fn is_xml(&self) -> bool {
        self.is_xml
    }

    /// How far browsers look for a declaration.
    pub const MAX_BYTES: usize = 1024;

    /// `header` is the charset that the content type names. XML is not HTML: a `meta` says nothing there.
    #[must_use]
    pub const fn new(header: Option<Charset>, is_xml: bool) -> Self {
        Self { header, is_xml }
    }

    /// Whether the content type names the charset: then nothing in the page but a byte order mark can name another one.
    #[must_use]
    pub const fn is_told(&self) -> bool {
        self.header.is_some()
    }

    /// Judges a page by its first bytes, all that have come so far; `None` when more might tell more. `ended` says that
    /// there are no more. What is said once stands, whatever comes.
    ///
    /// # Errors
    /// [`Unsupported`] where the page must stay as it is.
    pub fn judge(&self, bytes: &[u8], ended: bool) -> Option<Result<Charset, Unsupported>> {
        let ended = ended || bytes.len() >= Self::MAX_BYTES;
        let bytes = bytes.get(..Self::MAX_BYTES).unwrap_or(bytes);
        for (mark, is_utf8) in MARKS {
            if bytes.starts_with(mark) {
                return Some(if is_utf8 { Ok(Charset::UTF_8) } else { Err(Unsupported) });
            }
            if !ended && mark.starts_with(bytes) {
                return None;
            }
        }
        match (self.header, self.is_xml) {
            (Some(charset), _) => Some(Ok(charset)),
            (None, true) => Self::xml(bytes, ended),
            (None, false) => Self::html(bytes, ended),
        }
    }

    fn html(bytes: &[u8], ended: bool) -> Option<Result<Charset, Unsupported>> {
        match prescan::meta(bytes) {
            Some(encoding) => Some(supported(encoding)),
            None if ended => Some(match prescan::xml(bytes) {
                Ok(Some(encoding)) => supported(encoding),
                _ => Ok(Charset::Undeclared),
            }),
            None => None,
        }
    }

    /// XML without a declaration is UTF-8.
    fn xml(bytes: &[u8], ended: bool) -> Option<Result<Charset, Unsupported>> {
        if bytes.contains(&0) {
            return Some(Err(Unsupported));
        }
        match prescan::xml(bytes) {
            Ok(encoding) => Some(supported(encoding.unwrap_or(UTF_8))),
            Err(prescan::Cut) if ended => Some(Ok(Charset::Undeclared)),
            Err(prescan::Cut) => None,
        }
    }
}

fn supported(encoding: &'static Encoding) -> Result<Charset, Unsupported> {
    Charset::of(encoding).ok_or(Unsupported)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(label: &str) -> Result<Charset, Unsupported> {
        Ok(Charset::from_label(label.as_bytes()).unwrap())
    }

    fn sniff(sniffer: Sniffer, page: &[u8]) -> Result<Charset, Unsupported> {
        sniffer.judge(page, true).unwrap()
    }

    #[test]
    fn a_mark_is_believed_first_then_the_header_then_the_page() {
        let bare = Sniffer::new(None, false);
        let header = Sniffer::new(Charset::from_label(b"koi8-r"), false);
        let xhtml = Sniffer::new(None, true);
        let beyond = [&vec![b' '; 1010][..], b"<meta charset=big5>"].concat();
        let within = [&vec![b' '; 1024 - 19][..], b"<meta charset=big5>"].concat();
        let undeclared = Ok(Charset::Undeclared);
        let cases: &[(Sniffer, &[u8], Result<Charset, Unsupported>)] = &[
            (bare, b"", undeclared),
            (bare, b"<p>", undeclared),
            (bare, b"\xef\xbb\xbf<meta charset=big5>", declared("utf-8")),
            (bare, b"\xef\xbb<meta charset=big5>", declared("big5")),
            (bare, b"\xfe\xff", Err(Unsupported)),
            (bare, b"\xff\xfe<\0", Err(Unsupported)),
            (bare, b"<\0?\0x\0m\0l\0", Err(Unsupported)),
            (bare, b"<meta charset=iso-2022-jp>", Err(Unsupported)),
            (bare, b"<meta charset=hz-gb-2312>", Err(Unsupported)),
            (bare, b"<?xml encoding='euc-kr'?><meta charset=big5>", declared("big5")),
            (bare, b"<?xml encoding='euc-kr'?><p>", declared("euc-kr")),
            (bare, &within, declared("big5")),
            (bare, &beyond, undeclared),
            (header, b"", declared("koi8-r")),
            (header, b"\xef\xbb\xbf", declared("utf-8")),
            (header, b"\xff\xfe", Err(Unsupported)),
            (header, b"<meta charset=big5>", declared("koi8-r")),
            (xhtml, b"", undeclared),
            (xhtml, b"<html><meta charset='big5'/>", declared("utf-8")),
            (xhtml, b"<?xml encoding='euc-kr'?>", declared("euc-kr")),
            (xhtml, b"<?xml encoding='iso-2022-jp'?>", Err(Unsupported)),
            (xhtml, b"<\0h\0", Err(Unsupported)),
        ];
        for (sniffer, page, expected) in cases {
            assert_eq!(sniff(*sniffer, page), *expected, "{sniffer:?} {}", page.escape_ascii());
        }
    }

    #[test]
    fn what_is_said_of_the_first_bytes_stands() {
        let pages: [&[u8]; 9] = [
            b"\xef\xbb\xbf<p>",
            b"\xef\xbbx<meta charset=big5>",
            b"\xff\xfe<\0",
            b"\xffx",
            b"<!doctype html><!-- c --><meta http-equiv=content-type content='a; charset=koi8-r'><p>x",
            b"<?xml version='1.0' encoding='euc-kr'?><html>",
            b"<\0?\0x\0m\0",
            b"<p>nothing</p>",
            b"",
        ];
        for sniffer in [
            Sniffer::new(None, false),
            Sniffer::new(None, true),
            Sniffer::new(Charset::from_label(b"koi8-r"), false),
        ] {
            for page in pages {
                let whole = sniff(sniffer, page);
                let early = (0..=page.len()).find_map(|len| {
                    let verdict = sniffer.judge(page.get(..len)?, false)?;
                    Some((len, verdict))
                });
                if let Some((len, verdict)) = early {
                    assert_eq!(verdict, whole, "{sniffer:?} {} after {len}", page.escape_ascii());
                }
                // And no longer than browsers look.
                let long = [page, &vec![b' '; Sniffer::MAX_BYTES]].concat();
                assert!(sniffer.judge(&long, false).is_some());
            }
        }
    }

    #[test]
    fn a_header_leaves_only_the_mark_to_wait_for() {
        let sniffer = Sniffer::new(Charset::from_label(b"koi8-r"), false);
        for (bytes, waits) in
            [(&b""[..], true), (b"\xef", true), (b"\xef\xbb", true), (b"\xff", true), (b"<", false)]
        {
            assert_eq!(sniffer.judge(bytes, false).is_none(), waits, "{}", bytes.escape_ascii());
        }
    }
}
