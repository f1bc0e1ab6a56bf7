//! Conditional requests (RFC 9110 § 13): what the origin is asked, and what is answered without it.
//!
//! The origin compares its own tags, so it is asked about nothing else. What a condition is for decides what becomes of it:
//!
//! | | GET and HEAD | other methods |
//! |---|---|---|
//! | `If-None-Match` | tags of the current variant become the origin's, all others go; none left: no header | tags of any variant become the origin's, the rest stays |
//! | `If-Modified-Since` | goes: a date does not tell variants apart | stays, and means nothing (§ 13.1.3) |
//! | `If-Match` | tags of the current variant become the origin's, the rest stays and does not match | tags of any variant become the origin's, the rest stays |
//! | `If-Range` | goes with `Range`: a variant's tag is weak, so it can't match (§ 13.1.5) | |
//! | `If-Unmodified-Since` | stays: it is about the origin's page | stays |
//!
//! `If-Match` guards a change of the origin's page, which is the same whatever was made of it for whom; so any variant's tag
//! will do, if it is of the same origin's page. Where it can be of another one, because requests are rewritten, only the
//! current variant's does. What makes a request that changes something conditional is never taken off.

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use super::digest::Digest;
use super::entity_tag::{EntityTag, Member, members, to_value};
use crate::headers::HeaderEdit;

/// What a route's tags can stand for, as far as one request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "whoever asks must say both")]
pub struct Variants {
    /// What the visitor would get.
    pub current: Current,
    /// All variants are made of one page of the origin's.
    pub of_one_page: bool,
}

/// What a visitor would get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever translates must handle each")]
pub enum Current {
    /// The origin's bytes.
    Origin,
    /// What an outcome makes of them.
    Variant(Digest),
    /// Nobody knows before it is made: it has no validator, and no tag matches.
    Unknown,
}

/// Whether a request with this method asks for what a tag stands for (§ 13.1.2).
#[must_use]
pub fn retrieves(method: &str) -> bool {
    method == Method::GET.as_str() || method == Method::HEAD.as_str()
}

/// What changes of the conditions of a request on its way to the origin, for a route whose URLs have variants.
#[must_use]
pub fn towards_origin(method: &str, headers: &HeaderMap, variants: Variants) -> Vec<HeaderEdit> {
    let mut edits = Vec::new();
    let Variants { current, of_one_page } = variants;
    let of_current = |tag: &EntityTag| {
        Digest::unmark(tag)
            .filter(|(digest, _)| Current::Variant(*digest) == current)
            .map(|(_, origin)| origin)
    };
    if !retrieves(method) {
        let of_any = |tag: &EntityTag| {
            if of_one_page { Digest::unmark(tag).map(|(_, origin)| origin) } else { of_current(tag) }
        };
        for name in [header::IF_MATCH, header::IF_NONE_MATCH] {
            edits.extend(translated(headers, name, of_any));
        }
        return edits;
    }
    edits.extend(translated(headers, header::IF_MATCH, of_current));
    if headers.contains_key(header::IF_NONE_MATCH) {
        let members = members(headers, &header::IF_NONE_MATCH);
        edits.extend(match current {
            Current::Variant(_) | Current::Unknown => {
                Some(asking(members.unwrap_or_default().iter().filter_map(|member| match member {
                    Member::Tag(tag) => of_current(tag),
                    Member::Any | Member::Other(_) => None,
                })))
            }
            // The origin's bytes have the origin's tags; but `*` matches whatever the visitor has.
            Current::Origin if members.is_none_or(|members| members.contains(&Member::Any)) => {
                Some(HeaderEdit::Remove(header::IF_NONE_MATCH))
            }
            Current::Origin => None,
        });
    }
    let mut unwanted = vec![header::IF_MODIFIED_SINCE];
    if current != Current::Origin && headers.contains_key(header::IF_RANGE) {
        unwanted.extend([header::IF_RANGE, header::RANGE]);
    }
    edits.extend(unwanted.into_iter().filter(|name| headers.contains_key(name)).map(HeaderEdit::Remove));
    edits
}

/// What changes of the condition by which a cache asks for what it has stored, as the variant `current` or as it came: tags of that
/// variant become the origin's, and are returned as well; all others stay.
#[must_use]
pub fn of_cache(headers: &HeaderMap, current: Digest) -> (Option<HeaderEdit>, Vec<EntityTag>) {
    let of_current = |tag: &EntityTag| {
        Digest::unmark(tag).filter(|(digest, _)| *digest == current).map(|(_, origin)| origin)
    };
    let members = members(headers, &header::IF_NONE_MATCH).unwrap_or_default();
    let asked = members.iter().filter_map(|member| match member {
        Member::Tag(tag) => of_current(tag),
        Member::Any | Member::Other(_) => None,
    });
    (translated(headers, header::IF_NONE_MATCH, of_current), asked.collect())
}

/// `If-None-Match` with these tags, each once.
fn asking(tags: impl Iterator<Item = EntityTag>) -> HeaderEdit {
    let mut kept: Vec<Member> = Vec::new();
    for tag in tags.map(Member::Tag) {
        if !kept.contains(&tag) {
            kept.push(tag);
        }
    }
    match to_value(&kept) {
        Some(value) => HeaderEdit::Set(header::IF_NONE_MATCH, value),
        None => HeaderEdit::Remove(header::IF_NONE_MATCH),
    }
}

/// A list in which the tags that `translate` knows are those of the origin. `None` where it stays as it is.
fn translated(
    headers: &HeaderMap,
    name: HeaderName,
    translate: impl Fn(&EntityTag) -> Option<EntityTag>,
) -> Option<HeaderEdit> {
    let mut is_changed = false;
    let mut members = members(headers, &name)?;
    for member in &mut members {
        let Member::Tag(tag) = member else { continue };
        if let Some(origin) = translate(tag) {
            *tag = origin;
            is_changed = true;
        }
    }
    let value = to_value(&members).filter(|_| is_changed)?;
    Some(HeaderEdit::Set(name, value))
}

/// What becomes of the validators of a response that is `variant` of the origin's, or that must not have any. A tag that can't
/// be read, or one of several, goes; so does a date, which does not tell variants apart.
///
/// `asked` are the tags by which the origin was asked, for a 304: an origin may call a tag weak that it called strong before,
/// and the visitor is to find the page in its store.
#[must_use]
pub fn towards_visitor(headers: &HeaderMap, variant: Option<Digest>, asked: &[EntityTag]) -> Vec<HeaderEdit> {
    let mut edits = Vec::new();
    if headers.contains_key(header::ETAG) {
        let origin = EntityTag::of(headers).map(|origin| {
            asked.iter().find(|asked| asked.matches_weakly(&origin)).cloned().unwrap_or(origin)
        });
        let tag = variant.zip(origin).and_then(|(variant, origin)| variant.mark(&origin)?.to_value());
        edits.push(match tag {
            Some(tag) => HeaderEdit::Set(header::ETAG, tag),
            None => HeaderEdit::Remove(header::ETAG),
        });
    }
    if headers.contains_key(header::LAST_MODIFIED) {
        edits.push(HeaderEdit::Remove(header::LAST_MODIFIED));
    }
    edits
}

/// The conditions that a visitor made, taken off the request because a cache between us and the origin must not answer
/// them: it knows the page before it is personal.
///
/// ```
/// # use engraft::cache::validator::conditional::Remembered;
/// # use http::{HeaderMap, HeaderValue, StatusCode, header};
/// let mut request = HeaderMap::new();
/// request.insert(header::IF_NONE_MATCH, HeaderValue::from_static("W/\"abc;e=0123456789abcdef\""));
/// let remembered = Remembered::take("GET", &mut request);
/// assert!(request.is_empty());
///
/// // What the visitor would get, with the variant's tag.
/// let mut response = HeaderMap::new();
/// response.insert(header::ETAG, HeaderValue::from_static("W/\"abc;e=0123456789abcdef\""));
/// assert!(remembered.answers(StatusCode::OK, &response));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remembered {
    if_none_match: Option<Vec<EntityTag>>,
    if_modified_since: Option<HeaderValue>,
}

impl Remembered {
    /// The conditions of a request. Those of a method that changes something are the origin's to judge.
    #[must_use]
    pub fn of(method: &str, headers: &HeaderMap) -> Self {
        if !retrieves(method) {
            return Self::default();
        }
        let tags = headers.contains_key(header::IF_NONE_MATCH).then(|| {
            let members = members(headers, &header::IF_NONE_MATCH).unwrap_or_default();
            let tags = members.into_iter().filter_map(|member| match member {
                Member::Tag(tag) => Some(tag),
                Member::Any | Member::Other(_) => None,
            });
            tags.collect()
        });
        Self { if_none_match: tags, if_modified_since: headers.get(header::IF_MODIFIED_SINCE).cloned() }
    }

    /// Takes the conditions off a request.
    #[must_use]
    pub fn take(method: &str, headers: &mut HeaderMap) -> Self {
        let remembered = Self::of(method, headers);
        remembered.edits().iter().for_each(|edit| edit.apply(headers));
        remembered
    }

    /// The conditions of a request that are not remembered, as they go to the origin.
    #[must_use]
    pub fn others(headers: &HeaderMap) -> HeaderMap {
        let names = [header::IF_RANGE, header::RANGE];
        let lines = |name: HeaderName| {
            let values = headers.get_all(&name).iter().cloned();
            values.map(move |value| (name.clone(), value)).collect::<Vec<_>>()
        };
        names.into_iter().flat_map(lines).collect()
    }

    /// What takes them off.
    #[must_use]
    pub fn edits(&self) -> Vec<HeaderEdit> {
        let tags = self.if_none_match.as_ref().map(|_| HeaderEdit::Remove(header::IF_NONE_MATCH));
        let date = self.if_modified_since.as_ref().map(|_| HeaderEdit::Remove(header::IF_MODIFIED_SINCE));
        tags.into_iter().chain(date).collect()
    }

    /// Whether the visitor has what the response holds: `headers` are those that it would leave with, the variant's tag
    /// included. The order is that of § 13.2.2. A date counts only where it is the page's to the letter: a page that is
    /// edited has none.
    #[must_use]
    pub fn answers(&self, status: StatusCode, headers: &HeaderMap) -> bool {
        if status != StatusCode::OK {
            return false;
        }
        match (&self.if_none_match, &self.if_modified_since) {
            (Some(tags), _) => EntityTag::of(headers)
                .is_some_and(|current| tags.iter().any(|tag| tag.matches_weakly(&current))),
            (None, Some(date)) => headers.get(header::LAST_MODIFIED) == Some(date),
            (None, None) => false,
        }
    }
}

/// What makes the head of a 200 that of a 304 (§ 15.4.5): what describes the body goes; `Cache-Control`,
/// `Content-Location`, `Date`, `ETag`, `Expires`, `Vary` and what is about the exchange (cookies, policies) stay.
#[must_use]
pub fn not_modified(headers: &HeaderMap) -> Vec<HeaderEdit> {
    const OF_THE_BODY: [&str; 13] = [
        "accept-ranges",
        "content-digest",
        "content-encoding",
        "content-language",
        "content-length",
        "content-md5",
        "content-range",
        "content-type",
        "digest",
        "repr-digest",
        "trailer",
        "transfer-encoding",
        "last-modified",
    ];
    // The only validator that there is stays.
    let is_kept = |name: &HeaderName| *name == header::LAST_MODIFIED && !headers.contains_key(header::ETAG);
    let names = OF_THE_BODY.into_iter().map(HeaderName::from_static);
    names.filter(|name| headers.contains_key(name) && !is_kept(name)).map(HeaderEdit::Remove).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(lines: &[(&'static str, &str)]) -> HeaderMap {
        let lines = lines.iter();
        lines
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    fn shown(headers: &HeaderMap) -> String {
        let lines = headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()));
        lines.collect::<Vec<_>>().join("; ")
    }

    /// Of a tag made from nothing but the digits.
    fn digest(digits: &str) -> Digest {
        Digest::unmark(&EntityTag::parse(format!("\";e={digits}\"").as_bytes()).unwrap()).unwrap().0
    }

    const NOW: &str = "1111111111111111";

    #[test]
    fn conditions_become_those_of_the_origin() {
        let (ours, weak, old) =
            ("W/\"a;e=1111111111111111\"", "W/\"b;w=1111111111111111\"", "W/\"c;e=2222222222222222\"");
        let all = format!("{ours}, \"plain\", {weak}, {old}, junk, {ours}");
        type Case<'a> = (&'a str, Option<&'a str>, bool, (&'static str, &'a str), &'a str);
        let cases: &[Case<'_>] = &[
            // What may be answered 304 is the current variant, and nothing else.
            ("GET", Some(NOW), true, ("if-none-match", &all), "if-none-match: \"a\", W/\"b\""),
            ("HEAD", Some(NOW), true, ("if-none-match", &all), "if-none-match: \"a\", W/\"b\""),
            ("GET", Some(NOW), true, ("if-none-match", old), ""),
            ("GET", Some(NOW), true, ("if-none-match", "\"plain\""), ""),
            ("GET", Some(NOW), true, ("if-none-match", "*"), ""),
            ("GET", Some(NOW), true, ("if-none-match", "junk"), ""),
            ("GET", Some(NOW), true, ("if-none-match", ""), ""),
            ("GET", Some(NOW), true, ("if-none-match", "\"a;e=1111111111111111\""), "if-none-match: \"a\""),
            // Who would get the origin's bytes is asked for them by the origin's tags.
            ("GET", None, true, ("if-none-match", "\"plain\""), "if-none-match: \"plain\""),
            ("GET", None, true, ("if-none-match", ours), "if-none-match: W/\"a;e=1111111111111111\""),
            ("GET", None, true, ("if-none-match", "*"), ""),
            // What protects a change is never taken off, and is about the origin's page.
            ("PUT", Some(NOW), true, ("if-none-match", "*"), "if-none-match: *"),
            ("PUT", None, true, ("if-none-match", "*"), "if-none-match: *"),
            ("PUT", Some(NOW), true, ("if-match", "*"), "if-match: *"),
            ("PUT", Some(NOW), true, ("if-match", ours), "if-match: \"a\""),
            ("PUT", Some(NOW), true, ("if-match", weak), "if-match: W/\"b\""),
            ("PUT", Some(NOW), true, ("if-match", old), "if-match: \"c\""),
            ("PUT", None, true, ("if-match", old), "if-match: \"c\""),
            (
                "PUT",
                Some(NOW),
                true,
                ("if-match", &all),
                "if-match: \"a\", \"plain\", W/\"b\", \"c\", junk, \"a\"",
            ),
            ("PUT", Some(NOW), true, ("if-match", "\"plain\",junk"), "if-match: \"plain\",junk"),
            ("PUT", Some(NOW), false, ("if-match", old), "if-match: W/\"c;e=2222222222222222\""),
            ("PUT", Some(NOW), false, ("if-match", ours), "if-match: \"a\""),
            ("PUT", None, true, ("if-modified-since", "x"), "if-modified-since: x"),
            ("DELETE", None, true, ("if-unmodified-since", "x"), "if-unmodified-since: x"),
            ("GET", Some(NOW), true, ("if-match", ours), "if-match: \"a\""),
            ("GET", Some(NOW), true, ("if-match", old), "if-match: W/\"c;e=2222222222222222\""),
            ("GET", None, true, ("if-match", ours), "if-match: W/\"a;e=1111111111111111\""),
            // A date does not tell variants apart.
            ("GET", Some(NOW), true, ("if-modified-since", "x"), ""),
            ("GET", None, true, ("if-modified-since", "x"), ""),
            ("GET", Some(NOW), true, ("if-unmodified-since", "x"), "if-unmodified-since: x"),
            ("GET", Some(NOW), true, ("if-range", "\"a\""), ""),
            ("GET", None, true, ("if-range", "\"a\""), "if-range: \"a\""),
        ];
        for (method, current, of_one_page, line, expected) in cases {
            let variants = Variants {
                current: current.map_or(Current::Origin, |now| Current::Variant(digest(now))),
                of_one_page: *of_one_page,
            };
            let mut headers = map(&[*line]);
            for edit in towards_origin(method, &headers.clone(), variants) {
                edit.apply(&mut headers);
            }
            assert_eq!(shown(&headers), *expected, "{method} {line:?}");
        }
    }

    #[test]
    fn no_tag_matches_what_nobody_knows_before_it_is_made() {
        let variants = Variants { current: Current::Unknown, of_one_page: true };
        for tag in ["W/\"a;e=1111111111111111\"", "\"a\"", "*"] {
            let edits = towards_origin("GET", &map(&[("if-none-match", tag)]), variants);
            assert_eq!(edits, [HeaderEdit::Remove(header::IF_NONE_MATCH)], "{tag}");
        }
        let edits = towards_visitor(&map(&[("etag", "\"a\"")]), None, &[]);
        assert_eq!(edits, [HeaderEdit::Remove(header::ETAG)]);
    }

    #[test]
    fn a_part_is_not_added_to_another_page() {
        let variants = Variants { current: Current::Variant(digest(NOW)), of_one_page: true };
        let edits = towards_origin("GET", &map(&[("range", "bytes=1-"), ("if-range", "\"a\"")]), variants);
        assert_eq!(edits, [HeaderEdit::Remove(header::IF_RANGE), HeaderEdit::Remove(header::RANGE)]);
    }

    #[test]
    fn a_hundred_headers_are_read_and_ten_thousand_are_not() {
        let variants = Variants { current: Current::Variant(digest(NOW)), of_one_page: true };
        let tags = |n: usize, name: HeaderName| {
            let mut headers = HeaderMap::new();
            for i in 0..n {
                let value = format!("W/\"{i};e={NOW}\"");
                headers.append(name.clone(), HeaderValue::try_from(value).unwrap());
            }
            headers
        };
        let edits = towards_origin("GET", &tags(100, header::IF_NONE_MATCH), variants);
        let [HeaderEdit::Set(_, value)] = edits.as_slice() else { panic!("{edits:?}") };
        assert_eq!(value.to_str().unwrap().split(", ").count(), 100);
        // Too long to be read: no 304, but no unconditional change either.
        let edits = towards_origin("GET", &tags(10_000, header::IF_NONE_MATCH), variants);
        assert_eq!(edits, [HeaderEdit::Remove(header::IF_NONE_MATCH)]);
        assert_eq!(towards_origin("PUT", &tags(10_000, header::IF_MATCH), variants), []);
        let origin = Variants { current: Current::Origin, of_one_page: true };
        let edits = towards_origin("GET", &tags(10_000, header::IF_NONE_MATCH), origin);
        assert_eq!(edits, [HeaderEdit::Remove(header::IF_NONE_MATCH)]);
    }

    #[test]
    fn responses_get_the_variants_tag() {
        let date = ("last-modified", "x");
        let cases: &[(&[(&'static str, &str)], &str)] = &[
            (&[("etag", "\"a\"")], "etag: W/\"a;e=1111111111111111\""),
            (&[("etag", "W/\"a\""), date], "etag: W/\"a;w=1111111111111111\""),
            (&[date], ""),
            (&[], ""),
            (&[("etag", "abc")], ""),
            (&[("etag", "")], ""),
            (&[("etag", "\"a\""), ("etag", "\"b\"")], ""),
        ];
        for (lines, expected) in cases {
            let mut headers = HeaderMap::new();
            for (name, value) in *lines {
                headers.append(*name, HeaderValue::from_str(value).unwrap());
            }
            for edit in towards_visitor(&headers.clone(), Some(digest(NOW)), &[]) {
                edit.apply(&mut headers);
            }
            assert_eq!(shown(&headers), *expected, "{lines:?}");
        }
    }

    #[test]
    fn a_304_names_the_tag_that_the_visitor_has() {
        let asked = [EntityTag::parse(b"\"b\"").unwrap(), EntityTag::parse(b"\"a\"").unwrap()];
        let edits = towards_visitor(&map(&[("etag", "W/\"a\"")]), Some(digest(NOW)), &asked);
        let value = HeaderValue::from_static("W/\"a;e=1111111111111111\"");
        assert_eq!(edits, [HeaderEdit::Set(header::ETAG, value)]);
    }

    #[test]
    fn what_was_remembered_answers_for_the_page_that_the_visitor_has() {
        let (tag, other) = ("W/\"a;e=1111111111111111\"", "W/\"a;e=2222222222222222\"");
        type Lines<'a> = &'a [(&'static str, &'a str)];
        let cases: &[(&str, Lines<'_>, u16, Lines<'_>, bool)] = &[
            ("GET", &[("if-none-match", tag)], 200, &[("etag", tag)], true),
            ("HEAD", &[("if-none-match", tag)], 200, &[("etag", tag)], true),
            ("GET", &[("if-none-match", other)], 200, &[("etag", tag)], false),
            ("GET", &[("if-none-match", "\"a\"")], 200, &[("etag", tag)], false),
            ("GET", &[("if-none-match", "W/\"a\"")], 200, &[("etag", "\"a\"")], true),
            ("GET", &[("if-none-match", tag)], 200, &[], false),
            ("GET", &[("if-none-match", tag)], 404, &[("etag", tag)], false),
            ("GET", &[("if-none-match", tag)], 206, &[("etag", tag)], false),
            ("GET", &[("if-none-match", "*")], 200, &[("etag", tag)], false),
            ("GET", &[("if-modified-since", "x")], 200, &[("last-modified", "x")], true),
            ("GET", &[("if-modified-since", "x")], 200, &[("last-modified", "y")], false),
            ("GET", &[("if-modified-since", "x")], 200, &[], false),
            // RFC 9110 § 13.1.3: with tags, the date does not count.
            (
                "GET",
                &[("if-none-match", other), ("if-modified-since", "x")],
                200,
                &[("etag", tag), ("last-modified", "x")],
                false,
            ),
            ("GET", &[], 200, &[("etag", tag)], false),
            ("PUT", &[("if-none-match", tag)], 200, &[("etag", tag)], false),
        ];
        for (method, request, status, response, expected) in cases {
            let mut request = map(request);
            let before = request.len();
            let remembered = Remembered::take(method, &mut request);
            assert_eq!(request.len(), if *method == "PUT" { before } else { 0 });
            let status = StatusCode::from_u16(*status).unwrap();
            assert_eq!(remembered.answers(status, &map(response)), *expected, "{remembered:?} {response:?}");
        }
    }

    #[test]
    fn a_304_says_what_caches_are_to_know() {
        let kept = [
            ("cache-control", "private"),
            ("content-location", "/a"),
            ("content-security-policy", "default-src 'self'"),
            ("date", "x"),
            ("etag", "\"a\""),
            ("expires", "x"),
            ("set-cookie", "a=b"),
            ("vary", "cookie"),
        ];
        let gone = [("content-type", "text/html"), ("content-length", "3"), ("last-modified", "x")];
        let mut headers = map(&[&kept[..], &gone[..]].concat());
        for edit in not_modified(&headers.clone()) {
            edit.apply(&mut headers);
        }
        assert_eq!(headers, map(&kept));
        assert_eq!(not_modified(&map(&[("last-modified", "x")])), []);
    }
}
