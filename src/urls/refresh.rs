//! `5; url=…`: the URL of a refresh, in a `meta` or in a header (WHATWG HTML § 4.2.5.3, shared declarative refresh steps).

use std::ops::Range;

/// Where the URL stands; `None` where there is none, or the value is none that browsers follow.
pub(crate) fn url(value: &str) -> Option<Range<usize>> {
    let mut rest = Rest { value, at: 0 };
    rest.skip(is_space);
    let digits = rest.skip(|byte| byte.is_ascii_digit());
    if digits == 0 && rest.peek() != Some(b'.') {
        return None;
    }
    rest.skip(|byte| byte.is_ascii_digit() || byte == b'.');
    match rest.peek() {
        Some(byte) if matches!(byte, b';' | b',') || is_space(byte) => {}
        _ => return None,
    }
    rest.skip(is_space);
    let _ = rest.take(b';') || rest.take(b',');
    rest.skip(is_space);
    let start = rest.at;
    let word = |rest: &mut Rest<'_>| {
        let named = [b'u', b'r', b'l'].into_iter().all(|letter| {
            let there = rest.peek().is_some_and(|byte| byte.eq_ignore_ascii_case(&letter));
            there && rest.advance()
        });
        if !named {
            return false;
        }
        rest.skip(is_space);
        if !rest.take(b'=') {
            return false;
        }
        rest.skip(is_space);
        true
    };
    // A value that starts like `url=` and then is none is a URL itself, and its quotes are part of it.
    let may_be_quoted = word(&mut rest) || !rest.starts_with_u(start);
    if !may_be_quoted {
        rest.at = start;
    }
    let quote = rest.peek().filter(|byte| may_be_quoted && matches!(byte, b'"' | b'\''));
    if quote.is_some() {
        rest.advance();
    }
    let tail = value.get(rest.at..)?;
    let length = quote.and_then(|quote| tail.find(char::from(quote))).unwrap_or(tail.len());
    (length > 0).then(|| rest.at..rest.at.saturating_add(length))
}

struct Rest<'a> {
    value: &'a str,
    at: usize,
}

impl Rest<'_> {
    fn peek(&self) -> Option<u8> {
        self.value.as_bytes().get(self.at).copied()
    }

    fn advance(&mut self) -> bool {
        self.at = self.at.saturating_add(1);
        true
    }

    fn take(&mut self, byte: u8) -> bool {
        self.peek() == Some(byte) && self.advance()
    }

    fn skip(&mut self, wanted: impl Fn(u8) -> bool) -> usize {
        let start = self.at;
        while self.peek().is_some_and(&wanted) {
            self.advance();
        }
        self.at.saturating_sub(start)
    }

    fn starts_with_u(&self, at: usize) -> bool {
        self.value.as_bytes().get(at).is_some_and(|byte| byte.eq_ignore_ascii_case(&b'u'))
    }
}

const fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace()
}

#[cfg(test)]
mod tests {
    use super::url;

    #[test]
    fn finds_the_url_as_browsers_do() {
        let cases = [
            ("5; url=/a", Some("/a")),
            ("5;url=/a", Some("/a")),
            (" 5 , URL = '/a' b", Some("/a")),
            ("0 url=\"/a", Some("/a")),
            ("5; /a", Some("/a")),
            ("5 /a", Some("/a")),
            ("5; '/a'", Some("/a")),
            ("5; urls/a", Some("urls/a")),
            ("5; u", Some("u")),
            ("5; url", Some("url")),
            ("5; url '/a'", Some("url '/a'")),
            ("5; usage.html", Some("usage.html")),
            ("0.5.5; url=/a", Some("/a")),
            (".5; url=/a", Some("/a")),
            ("5; url=", None),
            ("5; url=''", None),
            ("5", None),
            ("5;", None),
            ("5x; url=/a", None),
            ("url=/a", None),
            ("; url=/a", None),
            ("-1; url=/a", None),
            ("", None),
        ];
        for (value, expected) in cases {
            assert_eq!(url(value).and_then(|range| value.get(range)), expected, "{value:?}");
        }
    }
}
