//! Entity tags (RFC 9110 § 8.8.3) and lists of them (§ 13.1.1, 13.1.2), as the web writes them.
//!
//! In: bytes of headers. Out: tags, and whatever else stood in a list, in order. A space within quotes is taken for what it
//! is; a tag without quotes is none. A list longer than [`MAX_LIST_BYTES`] is not read.

use http::{HeaderMap, HeaderName, HeaderValue};

/// The longest list of tags that is read, all lines of the header together. A hundred tags of the usual length fit.
pub const MAX_LIST_BYTES: usize = 16 * 1024;

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct EntityTag {
    /// `W/`: the same tag on different bytes is no lie.
    pub is_weak: bool,
    /// What stands between the quotes.
    pub opaque: Vec<u8>,
}

/// A member of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever translates a list must keep what it does not know")]
pub enum Member {
    /// `*`.
    Any,
    /// A tag.
    Tag(EntityTag),
    /// Anything else.
    Other(Vec<u8>),
}

impl EntityTag {
    /// Reads one tag, with nothing around it but spaces.
    ///
    /// ```
    /// # use engraft::cache::validator::entity_tag::EntityTag;
    /// let tag = EntityTag::parse(b"W/\"abc\"").unwrap();
    /// assert!(tag.is_weak && tag.opaque == b"abc");
    /// assert_eq!(EntityTag::parse(b"abc"), None);
    /// ```
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = text.trim_ascii();
        let strong = text.strip_prefix(b"W/").or_else(|| text.strip_prefix(b"w/"));
        let quoted = strong.unwrap_or(text);
        let opaque = quoted.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        let is_opaque = opaque.iter().all(|byte| !byte.is_ascii_control() && *byte != b'"');
        is_opaque.then(|| Self { is_weak: strong.is_some(), opaque: opaque.to_vec() })
    }

    /// The tag of a message. More than one is none: nobody could say which is meant.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut lines = headers.get_all(http::header::ETAG).into_iter();
        match (lines.next(), lines.next()) {
            (Some(line), None) => Self::parse(line.as_bytes()),
            _ => None,
        }
    }

    /// Weak comparison (§ 8.8.3.2), that of `If-None-Match`.
    #[must_use]
    pub fn matches_weakly(&self, other: &Self) -> bool {
        self.opaque == other.opaque
    }

    /// Strong comparison (§ 8.8.3.2), that of `If-Match` and `If-Range`.
    #[must_use]
    pub fn matches_strongly(&self, other: &Self) -> bool {
        !self.is_weak && !other.is_weak && self.opaque == other.opaque
    }

    /// As it stands in a header.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let prefix: &[u8] = if self.is_weak { b"W/\"" } else { b"\"" };
        [prefix, &self.opaque, b"\""].concat()
    }

    /// As a header.
    #[must_use]
    pub fn to_value(&self) -> Option<HeaderValue> {
        HeaderValue::from_bytes(&self.to_bytes()).ok()
    }
}

impl Member {
    /// As it stands in a header.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Any => b"*".to_vec(),
            Self::Tag(tag) => tag.to_bytes(),
            Self::Other(bytes) => bytes.clone(),
        }
    }
}

/// The members of a list, of all lines of the header; `None` where it is too long to be read.
#[must_use]
pub fn members(headers: &HeaderMap, name: &HeaderName) -> Option<Vec<Member>> {
    let lines = || headers.get_all(name).into_iter().map(HeaderValue::as_bytes);
    let bytes = lines().fold(0_usize, |sum, line| sum.saturating_add(line.len()));
    if bytes > MAX_LIST_BYTES {
        return None;
    }
    let mut members = Vec::new();
    for mut line in lines() {
        while !line.is_empty() {
            let (member, rest) = split_member(line);
            line = rest;
            let member = member.trim_ascii();
            members.extend(match EntityTag::parse(member) {
                Some(tag) => Some(Member::Tag(tag)),
                None if member == b"*" => Some(Member::Any),
                None => Some(member).filter(|other| !other.is_empty()).map(|it| Member::Other(it.to_vec())),
            });
        }
    }
    Some(members)
}

/// The list as a header; `None` where it is empty.
#[must_use]
pub fn to_value(members: &[Member]) -> Option<HeaderValue> {
    let members: Vec<Vec<u8>> = members.iter().map(Member::to_bytes).collect();
    HeaderValue::from_bytes(&members.join(&b", "[..])).ok().filter(|value| !value.is_empty())
}

/// Up to the first comma outside of quotes, and what follows it. Nothing escapes a quote in a tag.
fn split_member(line: &[u8]) -> (&[u8], &[u8]) {
    let mut is_quoted = false;
    let comma = line.iter().position(|byte| {
        is_quoted ^= *byte == b'"';
        *byte == b',' && !is_quoted
    });
    match comma {
        Some(comma) => {
            let (member, rest) = line.split_at(comma);
            (member, rest.get(1..).unwrap_or_default())
        }
        None => (line, &[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::IF_NONE_MATCH;

    fn shown(lines: &[&[u8]]) -> Option<Vec<String>> {
        let lines = lines.iter().map(|line| (IF_NONE_MATCH, HeaderValue::from_bytes(line).unwrap()));
        let members = members(&lines.collect(), &IF_NONE_MATCH)?;
        let shown = members.iter().map(|member| match member {
            Member::Any => "any".to_owned(),
            Member::Tag(tag) => {
                format!("{} {}", if tag.is_weak { "weak" } else { "strong" }, tag.opaque.escape_ascii())
            }
            Member::Other(bytes) => format!("other {}", bytes.escape_ascii()),
        });
        Some(shown.collect())
    }

    #[test]
    fn lists_are_read_as_the_web_writes_them() {
        let cases: &[(&[&[u8]], &[&str])] = &[
            (&[], &[]),
            (&[b""], &[]),
            (&[b" , ,"], &[]),
            (&[b"\"a\""], &["strong a"]),
            (&[b"W/\"a\",\"b\" ,  w/\"c\""], &["weak a", "strong b", "weak c"]),
            (&[b"\"a,b\", \"c\""], &["strong a,b", "strong c"]),
            (&[b"\"a\"", b"W/\"b\""], &["strong a", "weak b"]),
            (&[b"\"\""], &["strong "]),
            (&[b"\"\\\", \"b\""], &["strong \\\\", "strong b"]),
            (&[b"\"a b\xe9!;=\""], &["strong a b\\xe9!;="]),
            (&[b"*"], &["any"]),
            (&[b"\"*\", *"], &["strong *", "any"]),
            (&[b"abc, \"a\""], &["other abc", "strong a"]),
            (&[b"W/abc, W/ \"a\""], &["other W/abc", "other W/ \\\"a\\\""]),
            (&[b"\"a\"b\", \"c\""], &["other \\\"a\\\"b\\\", \\\"c\\\""]),
            (&[b"\"a\" \"b\", \"c\""], &["other \\\"a\\\" \\\"b\\\"", "strong c"]),
            (&[b"\"a, \"b\""], &["other \\\"a, \\\"b\\\""]),
            (&[b"\"a"], &["other \\\"a"]),
            (&[b"\"a\tb\""], &["other \\\"a\\tb\\\""]),
            (&[b"\""], &["other \\\""]),
        ];
        for (lines, expected) in cases {
            assert_eq!(shown(lines).unwrap(), *expected, "{lines:?}");
        }
    }

    #[test]
    fn lists_have_a_bound() {
        let line: &[u8] = b"W/\"0123456789\", \"x\"";
        assert_eq!(shown(&vec![line; 100]).unwrap().len(), 200);
        assert_eq!(shown(&vec![line; 1000]), None);
        assert_eq!(shown(&[&[b','; MAX_LIST_BYTES]]), Some(vec![]));
    }

    #[test]
    fn what_is_read_is_written_again() {
        for text in [&b"\"a\""[..], b"W/\"a\"", b"\"\xe9, b\"", b"\"\""] {
            assert_eq!(EntityTag::parse(text).unwrap().to_bytes(), text);
        }
    }

    #[test]
    fn comparisons_are_those_of_the_table_in_the_standard() {
        let cases = [
            ("W/\"1\"", "W/\"1\"", false, true),
            ("W/\"1\"", "W/\"2\"", false, false),
            ("W/\"1\"", "\"1\"", false, true),
            ("\"1\"", "\"1\"", true, true),
        ];
        for (one, other, strongly, weakly) in cases {
            let (a, b) =
                (EntityTag::parse(one.as_bytes()).unwrap(), EntityTag::parse(other.as_bytes()).unwrap());
            let found = (a.matches_strongly(&b), a.matches_weakly(&b));
            assert_eq!(found, (strongly, weakly), "{one} {other}");
        }
    }

    #[test]
    fn of_two_tags_none_counts() {
        let tag = |lines: &[&'static str]| {
            let lines = lines.iter().map(|line| (http::header::ETAG, HeaderValue::from_static(line)));
            EntityTag::of(&lines.collect())
        };
        assert!(tag(&["\"a\""]).is_some());
        assert_eq!(tag(&["\"a\"", "\"a\""]), None);
        assert_eq!(tag(&["\"a\", \"b\""]), None);
        assert_eq!(tag(&[]), None);
    }
}
