//! `Cache-Control` and the fields that are written like it (RFC 9111 § 5.2, RFC 9213), as the web sends them.
//!
//! Answers for reading whatever comes: repeated headers, quoted strings with commas and escapes, upper case, garbage. What is
//! not known is kept byte for byte, in its place, so that writing a field back loses nothing of it. It refuses to guess: a
//! lifetime that is no number counts as over (RFC 9111 § 4.2.1), one that is too large as 2³¹ (§ 1.2.2), and of several the
//! shortest counts.
//!
//! Bounds: [`MAX_BYTES`] and [`MAX_DIRECTIVES`] of a field are read. What goes beyond is not understood as a whole
//! ([`Field::is_whole`]), and must not be written back.
//!
//! No crate does this: `headers` and `http-cache-semantics` have a fixed set of directives and drop the others, `cache_control`
//! reads one line and knows no quotes, and `sfv` refuses the field for one thing that is not a structured field, which is the
//! reading of RFC 9213 and not that of `Cache-Control`.

use http::{HeaderMap, HeaderName, HeaderValue};

/// How much of a field is read, all its lines together.
pub const MAX_BYTES: usize = 16 * 1024;
/// How many directives of a field are read.
pub const MAX_DIRECTIVES: usize = 256;
/// RFC 9111 § 1.2.2.
const INFINITE: u32 = 1 << 31;

/// One directive, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Directive {
    /// Without the white space around it.
    raw: Vec<u8>,
    /// In lower case; of garbage, whatever stands before the first `=`.
    name: String,
    /// What follows the `=`, without quotes and escapes.
    argument: Option<String>,
}

/// A field, all its lines together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Field {
    directives: Vec<Directive>,
    is_cut: bool,
}

impl Field {
    /// Reads the field of this name.
    ///
    /// ```
    /// use engraft::cache::directive::Field;
    /// use http::{HeaderMap, HeaderValue, header};
    ///
    /// let value = HeaderValue::from_static("Max-Age=\"60\", ext=\"a, b\",, private");
    /// let headers = HeaderMap::from_iter([(header::CACHE_CONTROL, value)]);
    /// let field = Field::read(&headers, &header::CACHE_CONTROL);
    /// assert_eq!(field.lifetime("max-age"), Some(60));
    /// assert!(field.has("private") && !field.has("b"));
    /// assert_eq!(field.to_value().unwrap(), "Max-Age=\"60\", ext=\"a, b\", private");
    /// ```
    #[must_use]
    pub fn read(headers: &HeaderMap, name: &HeaderName) -> Self {
        let mut field = Self::default();
        let mut left = MAX_BYTES;
        for line in headers.get_all(name) {
            let Some(after) = left.checked_sub(line.len()) else {
                field.is_cut = true;
                break;
            };
            left = after;
            for item in items(line.as_bytes()) {
                if field.directives.len() == MAX_DIRECTIVES {
                    field.is_cut = true;
                    return field;
                }
                field.directives.push(Directive::read(item));
            }
        }
        field
    }

    /// Whether all of it was read. What was not could say anything.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        !self.is_cut
    }

    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.directives.is_empty()
    }

    /// Whether a directive of this name, in lower case, is there, with an argument or without.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.directives.iter().any(|directive| directive.name == name)
    }

    /// Whether a directive is there without an argument: `no-cache="set-cookie"` is about one field only.
    #[must_use]
    pub fn has_plain(&self, name: &str) -> bool {
        self.directives.iter().any(|directive| directive.name == name && directive.argument.is_none())
    }

    /// How many seconds a directive says; `None` where there is none of this name.
    #[must_use]
    pub fn lifetime(&self, name: &str) -> Option<u32> {
        let said = self.directives.iter().filter(|directive| directive.name == name);
        said.map(|directive| seconds(directive.argument.as_deref().unwrap_or_default())).min()
    }

    /// What a directive says; of several the first.
    #[must_use]
    pub fn argument(&self, name: &str) -> Option<&str> {
        self.directives.iter().find(|directive| directive.name == name)?.argument.as_deref()
    }

    /// Makes a directive say so many seconds: in its place where it is there, once, and otherwise at the end.
    pub fn set_lifetime(&mut self, name: &str, seconds: u32) {
        self.set(name, seconds.to_string());
    }

    /// Gives a directive, a token, this argument, a token: in its place where it is there, once, and otherwise at the end.
    pub fn set(&mut self, name: &str, argument: String) {
        let mut written = Some(Directive::written(name, Some(argument)));
        // The first one becomes this, and the others go.
        self.directives.retain_mut(|directive| {
            if directive.name != name {
                return true;
            }
            let first = written.take();
            let is_first = first.is_some();
            if let Some(first) = first {
                *directive = first;
            }
            is_first
        });
        self.directives.extend(written);
    }

    /// Adds a directive without an argument, unless it is there.
    pub fn add(&mut self, name: &str) {
        if !self.has_plain(name) {
            self.directives.push(Directive::written(name, None));
        }
    }

    /// Removes all directives of this name.
    pub fn remove(&mut self, name: &str) {
        self.directives.retain(|directive| directive.name != name);
    }

    /// As one line; `None` where nothing is said.
    #[must_use]
    pub fn to_value(&self) -> Option<HeaderValue> {
        let raw: Vec<&[u8]> = self.directives.iter().map(|directive| directive.raw.as_slice()).collect();
        HeaderValue::from_bytes(&raw.join(&b", "[..])).ok().filter(|value| !value.is_empty())
    }
}

impl Directive {
    fn read(raw: &[u8]) -> Self {
        let equals = raw.iter().position(|byte| *byte == b'=');
        let (name, argument) = match equals.and_then(|at| raw.split_at_checked(at)) {
            Some((name, rest)) => (name, rest.strip_prefix(b"=").map(|text| unquoted(text.trim_ascii()))),
            None => (raw, None),
        };
        let name = String::from_utf8_lossy(name.trim_ascii()).to_ascii_lowercase();
        Self { raw: raw.to_vec(), name, argument }
    }

    fn written(name: &str, argument: Option<String>) -> Self {
        let raw = argument.as_ref().map_or_else(|| name.to_owned(), |argument| format!("{name}={argument}"));
        Self { raw: raw.into_bytes(), name: name.to_owned(), argument }
    }
}

/// The items of a line: split at commas outside of quotes, trimmed, not empty. A quote opens only behind an `=`, and one that
/// never closes is a character like any other, or it would swallow the directives behind it.
fn items(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let line = rest?;
        let end = item_end(line);
        let (item, after) = line.split_at_checked(end).unwrap_or((line, b""));
        rest = after.strip_prefix(b",");
        Some(item.trim_ascii())
    })
    .filter(|item| !item.is_empty())
}

fn item_end(line: &[u8]) -> usize {
    let comma = line.iter().position(|byte| *byte == b',').unwrap_or(line.len());
    let Some(equals) = line.iter().take(comma).position(|byte| *byte == b'=') else { return comma };
    let mut bytes =
        line.iter().enumerate().skip(equals.saturating_add(1)).skip_while(|(_, byte)| **byte == b' ');
    if bytes.next().is_none_or(|(_, byte)| *byte != b'"') {
        return comma;
    }
    let mut escaped = false;
    let closed = bytes.find(|(_, byte)| {
        let closes = **byte == b'"' && !escaped;
        escaped = **byte == b'\\' && !escaped;
        closes
    });
    match closed {
        Some((at, _)) => line
            .iter()
            .skip(at)
            .position(|byte| *byte == b',')
            .map_or(line.len(), |comma| at.saturating_add(comma)),
        None => comma,
    }
}

/// Without quotes and escapes (RFC 9110 § 5.6.4); as it is where it is no quoted string.
fn unquoted(text: &[u8]) -> String {
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let Some(inner) = text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\"")) else {
        return lossy(text);
    };
    let mut escaped = false;
    let plain = inner.iter().copied().filter(|byte| {
        escaped = *byte == b'\\' && !escaped;
        !escaped
    });
    lossy(&plain.collect::<Vec<u8>>())
}

/// RFC 9111 § 1.2.2: digits. Everything else is no time at all.
fn seconds(argument: &str) -> u32 {
    if argument.is_empty() || !argument.bytes().all(|byte| byte.is_ascii_digit()) {
        return 0;
    }
    argument.parse().unwrap_or(INFINITE).min(INFINITE)
}

/// The age that a response says it has (RFC 9111 § 5.1). Of several lines or items the oldest counts, and what is no number
/// says nothing (§ 5.1: an invalid one is ignored).
#[must_use]
pub fn age(headers: &HeaderMap) -> u32 {
    let items = headers
        .get_all(http::header::AGE)
        .into_iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    let ages = items.take(MAX_DIRECTIVES).map(|item| seconds(&String::from_utf8_lossy(item.trim_ascii())));
    ages.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use http::header::CACHE_CONTROL;
    use proptest::prelude::*;

    use super::*;

    fn field(lines: &[&[u8]]) -> Field {
        let headers = lines.iter().map(|line| (CACHE_CONTROL, HeaderValue::from_bytes(line).unwrap()));
        Field::read(&headers.collect(), &CACHE_CONTROL)
    }

    fn written(field: &Field) -> String {
        field
            .to_value()
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .unwrap_or_default()
    }

    #[test]
    fn what_the_web_sends_is_read_and_kept() {
        type Case<'c> = (&'c [&'c [u8]], &'c str, Option<u32>);
        let cases: &[Case<'_>] = &[
            (&[b"max-age=60"], "max-age=60", Some(60)),
            (&[b"MAX-AGE=60"], "MAX-AGE=60", Some(60)),
            (&[b"max-age=\"60\""], "max-age=\"60\"", Some(60)),
            (&[b"max-age = 60"], "max-age = 60", Some(60)),
            (&[b"max-age=60,max-age=5"], "max-age=60, max-age=5", Some(5)),
            (&[b"public", b" max-age=7 ,"], "public, max-age=7", Some(7)),
            (&[b"max-age=-1"], "max-age=-1", Some(0)),
            (&[b"max-age=1.5"], "max-age=1.5", Some(0)),
            (&[b"max-age"], "max-age", Some(0)),
            (&[b"max-age="], "max-age=", Some(0)),
            (&[b"max-age=soon"], "max-age=soon", Some(0)),
            (&[b"max-age=99999999999999999999"], "max-age=99999999999999999999", Some(INFINITE)),
            (&[b"max-age=2147483649"], "max-age=2147483649", Some(INFINITE)),
            (&[b"ext=\"a, max-age=1\", max-age=9"], "ext=\"a, max-age=1\", max-age=9", Some(9)),
            (&[b"ext=\"a\\\", max-age=1\", max-age=9"], "ext=\"a\\\", max-age=1\", max-age=9", Some(9)),
            (&[b"ext=\"open, max-age=9"], "ext=\"open, max-age=9", Some(9)),
            (&[b"x\"y, max-age=9\""], "x\"y, max-age=9\"", Some(0)),
            (&[b"<html>; \xE9, max-age=9"], "<html>; \u{FFFD}, max-age=9", Some(9)),
            (&[b", ,,"], "", None),
            (&[b""], "", None),
            (&[], "", None),
        ];
        for (lines, kept, lifetime) in cases {
            let field = field(lines);
            assert_eq!(
                (written(&field).as_str(), field.lifetime("max-age")),
                (*kept, *lifetime),
                "{lines:?}"
            );
        }
    }

    #[test]
    fn a_list_of_fields_is_not_the_plain_directive() {
        let field = field(&[b"private=\"set-cookie, x\", no-cache"]);
        assert!(field.has("private") && !field.has_plain("private"));
        assert!(field.has_plain("no-cache") && !field.has("x\""));
    }

    #[test]
    fn changes_stay_in_their_place() {
        let mut field = field(&[b"a, max-age=60, b=\"c, d\", max-age=5"]);
        field.set_lifetime("max-age", 3);
        field.set_lifetime("s-maxage", 4);
        field.add("a");
        field.add("private");
        field.remove("b");
        assert_eq!(written(&field), "a, max-age=3, s-maxage=4, private");
    }

    #[test]
    fn what_is_read_is_bounded() {
        assert!(field(&[&b"a"[..]; 100]).is_whole());
        assert!(!field(&[&b"a"[..]; 300]).is_whole());
        assert!(!field(&["a".repeat(MAX_BYTES + 1).as_bytes()]).is_whole());
    }

    #[test]
    fn the_oldest_age_counts() {
        let headers = |lines: &[&'static str]| -> HeaderMap {
            lines.iter().map(|line| (http::header::AGE, HeaderValue::from_static(line))).collect()
        };
        for (lines, expected) in [
            (&["5"][..], 5),
            (&["5", "7, 6"], 7),
            (&["-1"], 0),
            (&["x"], 0),
            (&["99999999999"], INFINITE),
            (&[], 0),
        ] {
            assert_eq!(age(&headers(lines)), expected, "{lines:?}");
        }
    }

    proptest! {
        /// Reading what was written changes nothing, and no byte that is not white space or a comma gets lost.
        #[test]
        fn nothing_is_lost(lines in prop::collection::vec("[a-z=\", \\\\0-9\u{80}]{0,40}", 0..6)) {
            let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
            let once = field(&lines);
            let ink = |bytes: &[u8]| bytes.iter().filter(|byte| !matches!(byte, b',' | b' ')).count();
            let value = once.to_value();
            let bytes = value.as_ref().map(|value| value.as_bytes()).unwrap_or_default();
            prop_assert_eq!(ink(bytes), lines.iter().map(|line| ink(line)).sum::<usize>());
        }
    }
}
