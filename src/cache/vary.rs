//! One `Vary`, with what a response really differs by (RFC 9110 § 12.5.5).
//!
//! In: any number of `Vary` lines, garbage among them. Out: at most one, each name once, in the order and the spelling of
//! its first mention. `*` wins over everything. What is no name is kept: a cache that does not understand it does not
//! store, which is the safe side. More than 64 names become `*` for the same reason.

use http::{HeaderMap, HeaderName, HeaderValue, header::VARY};

use crate::headers::{HeaderEdit, list};

/// How many names there are; a response that differs by more is one that no cache can use.
const MAX_NAMES: usize = 64;

const ANY: HeaderValue = HeaderValue::from_static("*");

/// The change that makes one `Vary` of all of them. Names for which `may_vary` (given in lower case) does not hold are
/// left out, those of `also` are added. `None` where nothing is to be changed.
#[must_use]
pub fn merged(
    headers: &HeaderMap,
    may_vary: impl Fn(&str) -> bool,
    also: impl IntoIterator<Item = HeaderName>,
) -> Option<HeaderEdit> {
    let mut names: Vec<Vec<u8>> = Vec::new();
    let also: Vec<HeaderName> = also.into_iter().collect();
    let written = list(headers, &VARY).filter(|name| {
        let lower = std::str::from_utf8(name).map(str::to_ascii_lowercase);
        lower.map_or(true, |lower| {
            lower == "*" || HeaderName::try_from(lower.as_str()).is_err() || may_vary(&lower)
        })
    });
    let mut is_any = false;
    for name in written.chain(also.iter().map(|name| name.as_str().as_bytes())) {
        if names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            continue;
        }
        if name == b"*" || names.len() == MAX_NAMES {
            is_any = true;
            break;
        }
        names.push(name.to_vec());
    }
    let value = if is_any { ANY } else { HeaderValue::from_bytes(&names.join(&b", "[..])).unwrap_or(ANY) };
    let mut lines = headers.get_all(VARY).into_iter();
    match (lines.next(), lines.next()) {
        (None, _) if value.is_empty() => None,
        (Some(line), None) if *line == value => None,
        _ if value.is_empty() => Some(HeaderEdit::Remove(VARY)),
        _ => Some(HeaderEdit::Set(VARY, value)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn headers(lines: &[&str]) -> HeaderMap {
        lines.iter().map(|line| (VARY, HeaderValue::from_bytes(line.as_bytes()).unwrap())).collect()
    }

    fn vary(lines: &[&str], also: &[&'static str]) -> Vec<String> {
        let mut headers = headers(lines);
        let also = || also.iter().copied().map(HeaderName::from_static);
        let may_vary = |name: &str| name != "cookie" && name != "user-agent";
        let edit = merged(&headers, may_vary, also());
        edit.iter().for_each(|edit| edit.apply(&mut headers));
        assert_eq!(merged(&headers, may_vary, also()), None, "merged once and for all");
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        headers.get_all(VARY).iter().map(text).collect()
    }

    #[test]
    fn one_line_with_each_name_once() {
        for (lines, also, expected) in [
            (&[][..], &[][..], None),
            (&["Accept"], &[], Some("Accept")),
            (&["Accept, accept", "ACCEPT"], &[], Some("Accept")),
            (&["B", "a"], &["c"], Some("B, a, c")),
            (&["Accept-Language"], &["accept-language"], Some("Accept-Language")),
            (&["Cookie"], &[], None),
            (&["cookie, Accept, USER-AGENT"], &[], Some("Accept")),
            (&["Cookie"], &["x-geo"], Some("x-geo")),
            (&["Accept", "*"], &["a"], Some("*")),
            (&["Cookie, *"], &[], Some("*")),
            (&[",, ,"], &[], None),
            (&["", ""], &["a"], Some("a")),
            (&["a b, \"x\", \u{e9}"], &[], Some("a b, \"x\", \u{e9}")),
            (&["cookie;a"], &[], Some("cookie;a")),
        ] {
            let got = vary(lines, also);
            assert_eq!(got, expected.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>(), "{lines:?}");
        }
    }

    #[test]
    fn a_line_that_says_it_already_stays_as_it_is() {
        assert_eq!(merged(&headers(&["Accept, B"]), |_| true, []), None);
        assert!(merged(&headers(&["Accept,B"]), |_| true, []).is_some());
    }

    #[test]
    fn a_hundred_lines_are_one() {
        let lines = ["Accept, accept-encoding, Accept"; 100];
        assert_eq!(vary(&lines, &[]), ["Accept, accept-encoding"]);
        let names: Vec<String> = (0..65).map(|n| format!("x-{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(vary(&names, &[]), ["*"], "more than anybody can use");
        assert_eq!(vary(&names[..64], &[]).len(), 1);
    }

    proptest! {
        #[test]
        fn no_name_is_lost(lines in prop::collection::vec("[aAb*, \";é]{0,6}|cookie|x-a", 0..6)) {
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            let got = vary(&lines, &[]);
            prop_assert!(got.len() <= 1);
            let before = headers(&lines);
            let after = headers(&got.iter().map(String::as_str).collect::<Vec<_>>());
            for name in list(&before, &VARY).filter(|name| !name.eq_ignore_ascii_case(b"cookie")) {
                prop_assert!(list(&after, &VARY).any(|known| known == b"*" || known.eq_ignore_ascii_case(name)));
            }
        }
    }
}
