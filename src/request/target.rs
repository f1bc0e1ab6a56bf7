//! The parts of a request target.
//!
//! Answers for: where the path ends and the query begins, and what a path segment or a query parameter says
//! once decoded. It doesn't normalise: dot segments and doubled slashes are Envoy's to merge
//! (`normalize_path`, `merge_slashes`), before this and everybody else sees the path, or two parts of the
//! system would disagree on what a path is.
//!
//! Decoded text is data. A segment may contain `/` (from `%2F`), and anything may contain control characters:
//! it goes through an escaper before it goes anywhere else.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// A request target (RFC 9112 §3.2), such as the value of `:path`.
///
/// ```
/// # use engraft::request::target::Target;
/// let target = Target::parse("/p/caf%C3%A9?utm_source=news+letter&page=2");
/// assert_eq!(target.path(), "/p/caf%C3%A9");
/// assert_eq!(target.segment(1).as_deref(), Some("café"));
/// assert_eq!(target.parameter("utm_source").as_deref(), Some("news letter"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target<'a> {
    path: &'a str,
    query: Option<&'a str>,
}

impl<'a> Target<'a> {
    /// Splits a target. Of the absolute form (`http://host/path`) only path and query remain; a fragment,
    /// which no client should send, is cut off; `*` and whatever else doesn't start with a slash is a path
    /// without segments.
    #[must_use]
    pub fn parse(target: &'a str) -> Self {
        let target = target.split_once('#').map_or(target, |(target, _)| target);
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        Self { path: without_origin(path), query }
    }

    /// The path, as it is written: encoded, without query.
    #[must_use]
    pub const fn path(self) -> &'a str {
        self.path
    }

    /// The query, as it is written, without its question mark; `Some("")` when there is nothing after it.
    #[must_use]
    pub const fn query(self) -> Option<&'a str> {
        self.query
    }

    /// A segment of the path, decoded, counted from zero: of `/p/shoe/` 0 is `p`, 1 is `shoe`, 2 is `None`.
    ///
    /// Percent-decoded as UTF-8, with replacement characters where it isn't; `+` is a plus here. An empty
    /// segment between two slashes counts and is empty, the one after a last slash doesn't exist.
    #[must_use]
    pub fn segment(self, index: usize) -> Option<Cow<'a, str>> {
        let path = self.path.strip_prefix('/')?;
        let path = path.strip_suffix('/').unwrap_or(path);
        let segment = path.split('/').nth(index).filter(|_| !path.is_empty())?;
        Some(percent_decode_str(segment).decode_utf8_lossy())
    }

    /// The value of the first parameter called `name` (decoded), decoded; empty when it has none.
    #[must_use]
    pub fn parameter(self, name: &str) -> Option<Cow<'a, str>> {
        self.parameters().find(|parameter| parameter.name() == name).map(Parameter::value)
    }

    /// The parameters of the query in their order. Empty ones (`a&&b`) are passed over, as browsers and
    /// servers do.
    pub fn parameters(self) -> impl Iterator<Item = Parameter<'a>> {
        let parameters = self.query.into_iter().flat_map(|query| query.split('&'));
        parameters.filter(|raw| !raw.is_empty()).map(|raw| Parameter { raw })
    }
}

/// One parameter of a query, as it was sent: `name=value`, or only a name.
///
/// Decoding is that of `application/x-www-form-urlencoded` (WHATWG URL §5.1): `+` is a space, then
/// percent-decoding as UTF-8 with replacement characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter<'a> {
    raw: &'a str,
}

impl<'a> Parameter<'a> {
    /// As it was sent; parameters joined by `&` are a query again.
    #[must_use]
    pub const fn raw(self) -> &'a str {
        self.raw
    }

    /// The name, decoded.
    #[must_use]
    pub fn name(self) -> Cow<'a, str> {
        decode(self.raw.split_once('=').map_or(self.raw, |(name, _)| name))
    }

    /// The value, decoded; empty without `=`.
    #[must_use]
    pub fn value(self) -> Cow<'a, str> {
        decode(self.raw.split_once('=').map_or("", |(_, value)| value))
    }
}

/// Takes `scheme://authority` off the absolute form. A path of its own always starts with a slash, so it
/// can't be mistaken for one.
fn without_origin(path: &str) -> &str {
    let Some((scheme, rest)) = path.split_once("://") else { return path };
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    if !is_scheme {
        return path;
    }
    // An absolute form without a path means the root (RFC 9112 §3.2.1).
    rest.find('/').and_then(|slash| rest.get(slash..)).unwrap_or("/")
}

fn decode(text: &str) -> Cow<'_, str> {
    if text.contains('+') {
        let spaced = text.replace('+', " ");
        Cow::Owned(percent_decode_str(&spaced).decode_utf8_lossy().into_owned())
    } else {
        percent_decode_str(text).decode_utf8_lossy()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Target;

    #[test]
    fn splits_every_form_of_target() {
        for (target, path, query) in [
            ("/", "/", None),
            ("/a/b", "/a/b", None),
            ("/a?b=c", "/a", Some("b=c")),
            ("/a?", "/a", Some("")),
            ("/a?b?c", "/a", Some("b?c")),
            ("/a#f", "/a", None),
            ("/a?b#f?c", "/a", Some("b")),
            ("/a#f?b", "/a", None),
            ("*", "*", None),
            ("", "", None),
            ("http://h/a?b", "/a", Some("b")),
            ("HTTPS://h:8443", "/", None),
            ("http://h?b", "/", Some("b")),
            ("/r?to=http://h/a", "/r", Some("to=http://h/a")),
            ("/http://h/a", "/http://h/a", None),
            ("://h/a", "://h/a", None),
            ("//h/a", "//h/a", None),
            ("h:443", "h:443", None),
        ] {
            let parsed = Target::parse(target);
            assert_eq!((parsed.path(), parsed.query()), (path, query), "{target:?}");
        }
    }

    #[test]
    fn segments_are_counted_and_decoded() {
        for (target, segments) in [
            ("/p/shoe", &["p", "shoe"][..]),
            ("/p/shoe/", &["p", "shoe"]),
            ("/p//shoe", &["p", "", "shoe"]),
            ("//", &[]),
            ("/", &[]),
            ("", &[]),
            ("*", &[]),
            ("/caf%C3%A9", &["café"]),
            ("/caf%E9", &["caf\u{FFFD}"]),
            ("/100%", &["100%"]),
            ("/%zz%2", &["%zz%2"]),
            ("/a%2Fb/c+d", &["a/b", "c+d"]),
            ("/%00", &["\0"]),
            ("/é?x", &["é"]),
        ] {
            let parsed = Target::parse(target);
            let found: Vec<_> = (0..).map_while(|index| parsed.segment(index)).collect();
            assert_eq!(found, segments, "{target:?}");
        }
    }

    #[test]
    fn parameters_are_found_decoded_first_wins() {
        for (query, expected) in [
            ("a=1", Some("1")),
            ("b=2&a=1&a=3", Some("1")),
            ("a", Some("")),
            ("a=", Some("")),
            ("a&a=1", Some("")),
            ("&&a=1&", Some("1")),
            ("a=x=y", Some("x=y")),
            ("a=x+y%2B", Some("x y+")),
            ("%61=1", Some("1")),
            ("a=%E9", Some("\u{FFFD}")),
            ("a=%", Some("%")),
            ("a=b?c", Some("b?c")),
            ("a=1;b=2", Some("1;b=2")),
            ("b=a=1", None),
            ("aa=1", None),
            ("=a", None),
            ("", None),
        ] {
            let target = format!("/?{query}");
            assert_eq!(Target::parse(&target).parameter("a").as_deref(), expected, "{query:?}");
        }
        assert_eq!(Target::parse("/?a+b=1").parameter("a b").as_deref(), Some("1"));
        assert_eq!(Target::parse("/?=1").parameter("").as_deref(), Some("1"));
        assert_eq!(Target::parse("/a").parameter("a"), None);
    }

    #[test]
    fn parameters_joined_are_the_query_again() {
        let target = Target::parse("/?b&a=%20+x&c==&b=");
        let raw: Vec<_> = target.parameters().map(|parameter| parameter.raw()).collect();
        assert_eq!(raw.join("&"), target.query().unwrap());
    }

    #[test]
    fn long_targets_are_read_to_their_end() {
        let target = format!("/{}z?{}a=1", "a/".repeat(16 * 1024), "+%&".repeat(11 * 1024));
        assert_eq!(Target::parse(&target).segment(16 * 1024).as_deref(), Some("z"));
        assert_eq!(Target::parse(&target).parameter("a").as_deref(), Some("1"));
    }

    proptest! {
        #[test]
        fn any_target_can_be_read(target in ".{0,64}", like in "[a:/?#&=+%0-9A-F*é]{0,64}", name in ".{0,2}") {
            for target in [&target, &like] {
                let parsed = Target::parse(target);
                let _ = parsed.segment(1);
                let _ = parsed.parameter(&name);
                prop_assert!(!parsed.path().contains(['?', '#']));
                for parameter in parsed.parameters() {
                    prop_assert!(!parameter.raw().is_empty());
                }
            }
        }
    }
}
