//! Which of the languages on offer a visitor reads.
//!
//! Answers for: choosing one tag of a list by `Accept-Language` (syntax and weights of RFC 9110 §12.5.4). The
//! scheme is lookup (RFC 4647 §3.4): language ranges in the order of their weight, each compared as written,
//! then cut subtag by subtag (`de-CH`, then `de`). Two additions and one limit:
//!
//! - A range as written also finds a more specific tag (`de` finds `de-AT`), since a site with Austrian
//!   German only serves readers of German better than one in English. A range that was cut doesn't: `zh-TW`
//!   must not find `zh-CN`.
//! - A weight of zero bars the tags it matches from every other range, unless a longer range allows them.
//! - `*` chooses nothing: whoever takes any language gets the caller's default, as §3.4 says.
//!
//! Ranges past the first 32, ranges longer than 64 bytes, and those that aren't well-formed are passed over.
//!
//! Own code because the crates don't fit: `accept-language` 3.1 only intersects (no prefixes, `q` unchecked),
//! and `fluent-langneg` 0.14 reads the order but not the weights of the header, and wants its own locale type
//! for what are opaque configuration strings here.

use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;

/// How many language ranges of a request count. Browsers send up to ten.
const MAX_RANGES: usize = 32;

/// The longest range that counts; RFC 5646 §4.4.1 finds 35 bytes enough for tags.
const MAX_RANGE_BYTES: usize = 64;

/// The position in `available` of the tag that suits the visitor best, or `None` when none does and the
/// site's default applies.
///
/// ```
/// # use engraft::request::language::negotiate;
/// let request = http::Request::get("/").header("accept-language", "fr;q=0.5, de-CH").body(()).unwrap();
/// assert_eq!(negotiate(request.headers(), &["en", "fr", "de"]), Some(2));
/// ```
#[must_use]
pub fn negotiate(headers: &HeaderMap, available: &[impl AsRef<str>]) -> Option<usize> {
    let values = headers.get_all(ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok());
    let mut ranges: Vec<_> =
        values.flat_map(|value| value.split(',')).filter_map(Range::parse).take(MAX_RANGES).collect();
    // Stable: of two equal weights the first written comes first.
    ranges.sort_by_key(|range| std::cmp::Reverse(range.weight));
    let wanted = ranges.iter().take_while(|range| range.weight > 0);
    wanted.filter_map(|range| range.lookup(available, &ranges)).next()
}

/// A language range and its weight in thousandths.
#[derive(Debug, Clone, Copy)]
struct Range<'a> {
    tag: &'a str,
    weight: u16,
}

impl<'a> Range<'a> {
    fn parse(element: &'a str) -> Option<Self> {
        let (tag, weight) = match element.split_once(';') {
            Some((tag, weight)) => (tag, parse_weight(weight)?),
            None => (element, 1000),
        };
        let tag = tag.trim_matches([' ', '\t']);
        let well_formed =
            |subtag: &str| matches!(subtag.len(), 1..=8) && subtag.bytes().all(|b| b.is_ascii_alphanumeric());
        (tag.len() <= MAX_RANGE_BYTES && tag.split('-').all(well_formed)).then_some(Self { tag, weight })
    }

    /// The first tag that this range finds and no other bars.
    fn lookup(self, available: &[impl AsRef<str>], ranges: &[Range<'_>]) -> Option<usize> {
        let first = |matches: &dyn Fn(&str) -> bool| {
            available.iter().position(|tag| matches(tag.as_ref()) && !barred(tag.as_ref(), ranges))
        };
        let exactly = |range: &str| first(&|tag| tag.eq_ignore_ascii_case(range));
        exactly(self.tag)
            .or_else(|| first(&|tag| covers(self.tag, tag)))
            .or_else(|| std::iter::successors(cut(self.tag), |range| cut(range)).find_map(exactly))
    }
}

/// Whether the longest range that matches a tag has a weight of zero.
fn barred(tag: &str, ranges: &[Range<'_>]) -> bool {
    let matching = ranges.iter().filter(|range| covers(range.tag, tag));
    matching.max_by_key(|range| range.tag.len()).is_some_and(|range| range.weight == 0)
}

/// Basic filtering (RFC 4647 §3.3.1): the tag is the range, or starts with it and a hyphen.
fn covers(range: &str, tag: &str) -> bool {
    tag.split_at_checked(range.len()).is_some_and(|(start, rest)| {
        start.eq_ignore_ascii_case(range) && (rest.is_empty() || rest.starts_with('-'))
    })
}

/// A range without its last subtag, and without a single letter that would then end it (RFC 4647 §3.4).
fn cut(range: &str) -> Option<&str> {
    let (shorter, _) = range.rsplit_once('-')?;
    match shorter.rsplit_once('-') {
        Some((even_shorter, single)) if single.len() == 1 => Some(even_shorter),
        _ => Some(shorter),
    }
}

/// `q=` and a weight of up to three decimals (RFC 9110 §12.4.2), in thousandths.
fn parse_weight(parameter: &str) -> Option<u16> {
    let (name, value) = parameter.split_once('=')?;
    if !name.trim_matches([' ', '\t']).eq_ignore_ascii_case("q") {
        return None;
    }
    let value = value.trim_matches([' ', '\t']);
    let (whole, decimals) = value.split_once('.').unwrap_or((value, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{decimals:0<3}").parse().ok()?;
    match (whole, thousandths) {
        ("0", thousandths) => Some(thousandths),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http::header::ACCEPT_LANGUAGE;
    use http::{HeaderMap, HeaderValue};
    use proptest::prelude::*;

    use super::negotiate;

    fn chosen<'a>(accepted: &str, available: &[&'a str]) -> Option<&'a str> {
        let headers =
            HeaderMap::from_iter([(ACCEPT_LANGUAGE, HeaderValue::from_bytes(accepted.as_bytes()).unwrap())]);
        negotiate(&headers, available).map(|index| available[index])
    }

    #[test]
    fn chooses_by_weight_then_prefix() {
        for (accepted, available, expected) in [
            ("de", &["en", "de"][..], Some("de")),
            ("DE-at", &["en", "de-AT"], Some("de-AT")),
            ("en;q=0.5, de", &["en", "de"], Some("de")),
            ("en;q=0.8, de;q=0.9, fr;q=1.0", &["en", "de"], Some("de")),
            ("en, de", &["de", "en"], Some("en")),
            ("de-CH-1996, en", &["en", "de"], Some("de")),
            ("zh-Hant-CN-x-private", &["zh", "zh-Hant"], Some("zh-Hant")),
            ("en-GB, de;q=0.9", &["de", "en"], Some("en")),
            // More specific tags for a range as written, in the order of the list.
            ("de", &["en", "de-AT", "de-DE"], Some("de-AT")),
            ("de", &["de-AT", "de"], Some("de")),
            ("zh-TW", &["en", "zh-CN"], None),
            ("de-CH, en;q=0.5", &["de-AT", "en"], Some("en")),
            ("de-CH, de;q=0.9, en;q=0.5", &["de-AT", "en"], Some("de-AT")),
            ("d", &["de"], None),
            ("de", &["den", "en"], None),
            // Barred.
            ("en;q=0", &["en"], None),
            ("en-GB, en;q=0", &["en"], None),
            ("en-GB, en;q=0", &["en", "en-GB"], Some("en-GB")),
            ("de, de-AT;q=0", &["de-AT", "de-CH"], Some("de-CH")),
            // Any language: the caller's default.
            ("*", &["en"], None),
            ("fr, *;q=0.5", &["en"], None),
            ("*, en;q=0.1", &["en"], Some("en")),
            ("", &["en"], None),
            ("en", &[], None),
        ] {
            assert_eq!(chosen(accepted, available), expected, "{accepted} of {available:?}");
        }
    }

    #[test]
    fn passes_over_what_is_malformed() {
        for accepted in [
            ",, ,de",
            "en;q=2, de",
            "en;q=1.001, de",
            "en;q=0.1234, de",
            "en;q=, de",
            "en;q=.9, de",
            "en;q=-1, de",
            "en;level=1, de",
            "en;q=1;q=1, de",
            "en_US, de",
            "e n, de",
            "en-, de",
            "-en, de",
            "\u{e9}n",
            "toolongtag, de",
            "  de \t; \tQ = 0.001 ",
        ] {
            let expected = accepted.is_ascii().then_some("de");
            assert_eq!(chosen(accepted, &["en", "de", "en_US"]), expected, "{accepted}");
        }
    }

    #[test]
    fn every_header_counts_and_only_so_many_ranges() {
        let headers = |values: &[&str]| -> HeaderMap {
            values.iter().map(|value| (ACCEPT_LANGUAGE, HeaderValue::from_str(value).unwrap())).collect()
        };
        assert_eq!(negotiate(&headers(&["fr", "de"]), &["en", "de"]), Some(1));
        assert_eq!(negotiate(&headers(&[&format!("{}de", "fr,".repeat(31))]), &["de"]), Some(0));
        assert_eq!(negotiate(&headers(&[&format!("{}de", "fr,".repeat(32))]), &["de"]), None);
        assert_eq!(negotiate(&headers(&["a-".repeat(32 * 1024).as_str(), "de"]), &["a", "de"]), Some(1));
    }

    proptest! {
        #[test]
        fn any_header_can_be_read(accepted in "[a-c0-9q=;,*. -]{0,80}", tags in prop::collection::vec(".{0,6}", 0..4)) {
            let headers = HeaderMap::from_iter([(ACCEPT_LANGUAGE, HeaderValue::from_str(&accepted).unwrap())]);
            prop_assert!(negotiate(&headers, &tags).is_none_or(|index| index < tags.len()));
        }
    }
}
