//! What a page says of its encoding itself, in its first bytes (WHATWG HTML § 13.2.3.2, 13.2.3.3).
//!
//! The names are those of the standard. It reads bytes and nothing past them; running out of them ends it.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED};

/// Prescans a byte stream to determine its encoding, for a `meta`. More bytes never change what it finds.
pub(super) fn meta(bytes: &[u8]) -> Option<&'static Encoding> {
    if bytes.starts_with(b"<\0?\0x\0") {
        return Some(UTF_16LE);
    }
    if bytes.starts_with(b"\0<\0?\0x") {
        return Some(UTF_16BE);
    }
    let mut at = Position { bytes, at: 0 };
    loop {
        let rest = at.rest();
        match rest {
            // The dashes of `<!--` may be those of `-->`.
            [b'<', b'!', b'-', b'-', ..] => {
                at.advance(2);
                at.advance(find(at.rest(), b"-->")?.saturating_add(2));
            }
            [b'<', b'm' | b'M', b'e' | b'E', b't' | b'T', b'a' | b'A', after, ..]
                if is_space(*after) || *after == b'/' =>
            {
                at.advance(5);
                if let Some(encoding) = declared(&mut at)? {
                    return Some(encoding);
                }
            }
            [b'<', letter, ..] | [b'<', b'/', letter, ..] if letter.is_ascii_alphabetic() => {
                let name = rest.iter().position(|byte| is_space(*byte) || *byte == b'>')?;
                at.advance(name);
                while at.attribute()?.is_some() {}
            }
            [b'<', b'!' | b'/' | b'?', ..] => at.advance(find(rest, b">")?),
            [] => return None,
            _ => {}
        }
        at.advance(1);
    }
}

/// Gets an XML encoding: that of `<?xml … encoding="…"?>`. `Err` where the declaration is not whole yet.
pub(super) fn xml(bytes: &[u8]) -> Result<Option<&'static Encoding>, Cut> {
    const START: &[u8] = b"<?xml";
    if !bytes.starts_with(START) {
        return if START.starts_with(bytes) { Err(Cut) } else { Ok(None) };
    }
    let end = find(bytes, b">").ok_or(Cut)?;
    Ok(xml_label(bytes.get(..end).unwrap_or_default()).and_then(for_label))
}

/// The bytes end within what would tell.
pub(super) struct Cut;

fn xml_label(declaration: &[u8]) -> Option<&[u8]> {
    let after = declaration.get(find(declaration, b"encoding")?.saturating_add(8)..)?;
    let value = trim_controls(after).strip_prefix(b"=")?;
    let (quote, value) =
        trim_controls(value).split_first().filter(|(quote, _)| matches!(quote, b'"' | b'\''))?;
    let label = value.get(..value.iter().position(|byte| byte == quote)?)?;
    (!label.iter().any(|byte| *byte <= b' ')).then_some(label)
}

fn trim_controls(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|byte| *byte > b' ').unwrap_or(bytes.len());
    bytes.get(start..).unwrap_or_default()
}

/// An ASCII declaration of UTF-16 is wrong about itself.
fn for_label(label: &[u8]) -> Option<&'static Encoding> {
    let encoding = Encoding::for_label(label)?;
    Some(if encoding == UTF_16BE || encoding == UTF_16LE { UTF_8 } else { encoding })
}

/// What the attributes of a `meta` declare; `None` at the end of the bytes.
#[expect(clippy::option_option, reason = "the bytes may end, and a `meta` may say nothing")]
fn declared(at: &mut Position<'_>) -> Option<Option<&'static Encoding>> {
    let mut names: Vec<Vec<u8>> = Vec::new();
    let mut got_pragma = false;
    let mut need_pragma = None;
    // `Some(None)` is a label that names nothing.
    let mut charset: Option<Option<&'static Encoding>> = None;
    while let Some((name, value)) = at.attribute()? {
        if names.contains(&name) {
            continue;
        }
        match name.as_slice() {
            b"http-equiv" => got_pragma |= value == b"content-type",
            b"content" if charset.is_none() => {
                if let Some(encoding) = content_label(&value).and_then(Encoding::for_label) {
                    charset = Some(Some(encoding));
                    need_pragma = Some(true);
                }
            }
            b"charset" => {
                charset = Some(Encoding::for_label(&value));
                need_pragma = Some(false);
            }
            _ => {}
        }
        names.push(name);
    }
    let counts = need_pragma.is_some_and(|need_pragma| !need_pragma || got_pragma);
    Some(charset.flatten().filter(|_| counts).map(|encoding| match encoding {
        encoding if encoding == UTF_16BE || encoding == UTF_16LE => UTF_8,
        encoding if encoding == X_USER_DEFINED => WINDOWS_1252,
        encoding => encoding,
    }))
}

/// Extracts a character encoding from a `meta` element: the label in `text/html; charset=…`.
fn content_label(content: &[u8]) -> Option<&[u8]> {
    let mut rest = content;
    let value = loop {
        let found = rest.windows(7).position(|window| window.eq_ignore_ascii_case(b"charset"))?;
        rest = trim_spaces(rest.get(found.saturating_add(7)..)?);
        if let Some(value) = rest.strip_prefix(b"=") {
            break trim_spaces(value);
        }
    };
    match value.split_first()? {
        (quote @ (b'"' | b'\''), quoted) => quoted.get(..quoted.iter().position(|byte| byte == quote)?),
        _ => {
            let end = value.iter().position(|byte| is_space(*byte) || *byte == b';');
            value.get(..end.unwrap_or(value.len()))
        }
    }
}

fn trim_spaces(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|byte| !is_space(*byte)).unwrap_or(bytes.len());
    bytes.get(start..).unwrap_or_default()
}

struct Position<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Position<'b> {
    fn rest(&self) -> &'b [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    const fn advance(&mut self, n: usize) {
        self.at = self.at.saturating_add(n);
    }

    fn skip(&mut self, skipped: impl Fn(u8) -> bool) -> Option<u8> {
        loop {
            match self.peek()? {
                byte if skipped(byte) => self.advance(1),
                byte => return Some(byte),
            }
        }
    }

    /// Gets an attribute: name and value in lower case. `None` at the end of the bytes, `Some(None)` at the tag's.
    #[expect(clippy::option_option, reason = "the bytes may end, and so may the tag")]
    fn attribute(&mut self) -> Option<Option<(Vec<u8>, Vec<u8>)>> {
        if self.skip(|byte| is_space(byte) || byte == b'/')? == b'>' {
            return Some(None);
        }
        let (mut name, mut value) = (Vec::new(), Vec::new());
        loop {
            match self.peek()? {
                b'=' if !name.is_empty() => break,
                byte if is_space(byte) => {
                    if self.skip(is_space)? == b'=' {
                        break;
                    }
                    return Some(Some((name, value)));
                }
                b'/' | b'>' => return Some(Some((name, value))),
                byte => name.push(byte.to_ascii_lowercase()),
            }
            self.advance(1);
        }
        self.advance(1);
        match self.skip(is_space)? {
            quote @ (b'"' | b'\'') => {
                self.advance(1);
                while self.peek()? != quote {
                    value.extend(self.peek().map(|byte| byte.to_ascii_lowercase()));
                    self.advance(1);
                }
                self.advance(1);
            }
            _ => loop {
                match self.peek()? {
                    byte if is_space(byte) || byte == b'>' => break,
                    byte => value.push(byte.to_ascii_lowercase()),
                }
                self.advance(1);
            },
        }
        Some(Some((name, value)))
    }
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | b' ')
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meta_declares_as_the_standard_says() {
        let cases: &[(&[u8], Option<&str>)] = &[
            (b"", None),
            (b"<meta charset=koi8-r>", Some("KOI8-R")),
            (b"<META/CHARSET = \"KOI8-R\" >", Some("KOI8-R")),
            (b"<meta charset='koi8-r'x>", Some("KOI8-R")),
            (b"<meta charset=koi8-r", None),
            (b"<meta charset='koi8-r", None),
            (b"<metacharset=koi8-r>", None),
            (b"<meta charset=nonsense><meta charset=koi8-r>", Some("KOI8-R")),
            (b"<meta charset=koi8-r charset=big5>", Some("KOI8-R")),
            (b"<meta charset=utf-16le>", Some("UTF-8")),
            (b"<meta charset=x-user-defined>", Some("windows-1252")),
            (b"<meta charset=iso-2022-jp>", Some("ISO-2022-JP")),
            (b"<meta charset=hz-gb-2312>", Some("replacement")),
            // The pragma, in whichever order, and only with both of its halves.
            (b"<meta http-equiv=Content-Type content='text/html; charset=koi8-r'>", Some("KOI8-R")),
            (b"<meta content='text/html; charset=koi8-r' http-equiv=\"CONTENT-TYPE\">", Some("KOI8-R")),
            (b"<meta content='text/html; charset=koi8-r'>", None),
            (b"<meta http-equiv=refresh content='0; charset=koi8-r'>", None),
            (
                b"<meta charset=big5 content='text/html; charset=koi8-r' http-equiv=content-type>",
                Some("Big5"),
            ),
            (b"<meta content='text/html; charset=koi8-r' charset=big5>", Some("Big5")),
            (b"<meta content='text/html; charset=koi8-r' charset=nonsense http-equiv=content-type>", None),
            (b"<meta http-equiv=content-type content='charset charset = \"koi8-r\"'>", Some("KOI8-R")),
            (b"<meta http-equiv=content-type content='charset=\"koi8-r'>", None),
            (b"<meta http-equiv=content-type content='charset=koi8-r;x'>", Some("KOI8-R")),
            (b"<meta http-equiv=content-type content='charset='>", None),
            // What looks like one and is not.
            (b"<!-- <meta charset=koi8-r> --><meta charset=big5>", Some("Big5")),
            (b"<!--><meta charset=koi8-r>", Some("KOI8-R")),
            (b"<!-- <meta charset=koi8-r>", None),
            (b"<a title='<meta charset=koi8-r>'><meta charset=big5>", Some("Big5")),
            (b"</a title='<meta charset=koi8-r>'><meta charset=big5>", Some("Big5")),
            (b"<!doctype <meta charset=koi8-r><meta charset=big5>", Some("Big5")),
            (b"<?x <meta charset=koi8-r><meta charset=big5>", Some("Big5")),
            (b"</3 <meta charset=koi8-r><meta charset=big5>", Some("Big5")),
            // A script is not one to this algorithm.
            (b"<script>'<meta charset=koi8-r>'</script>", Some("KOI8-R")),
            (b"< <<meta charset=koi8-r>", Some("KOI8-R")),
            (b"text <p =x><meta a= >><meta charset=koi8-r>", Some("KOI8-R")),
            (b"<\0?\0x\0", Some("UTF-16LE")),
            (b"\0<\0?\0x", Some("UTF-16BE")),
        ];
        for (page, expected) in cases {
            assert_eq!(meta(page).map(Encoding::name), *expected, "{}", page.escape_ascii());
        }
    }

    #[test]
    fn an_xml_declaration_declares() {
        let cases: &[(&[u8], Option<Option<&str>>)] = &[
            (b"<?xml version='1.0' encoding='koi8-r'?>", Some(Some("KOI8-R"))),
            (b"<?xml encoding \n=\t\"koi8-r\"?>", Some(Some("KOI8-R"))),
            (b"<?xml version='1.0'?>", Some(None)),
            (b"<?xml encoding='utf-16'?>", Some(Some("UTF-8"))),
            (b"<?xml encoding='nonsense'?>", Some(None)),
            (b"<?xml encoding='koi8-r ?>'?>", Some(None)),
            (b"<?xml encoding=' koi8-r'?>", Some(None)),
            (b"<?xml encoding=koi8-r?>", Some(None)),
            (b"<?xml?> encoding='koi8-r'", Some(None)),
            (b"<?XML encoding='koi8-r'?>", Some(None)),
            (b" <?xml encoding='koi8-r'?>", Some(None)),
            (b"<html>", Some(None)),
            (b"<?xml encoding='koi8-r'", None),
            (b"<?xm", None),
            (b"", None),
        ];
        for (page, expected) in cases {
            let found = xml(page).ok().map(|found| found.map(Encoding::name));
            assert_eq!(found, *expected, "{}", page.escape_ascii());
        }
    }
}
