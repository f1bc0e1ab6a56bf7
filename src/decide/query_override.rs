//! Variations that a page's own query chooses: `?my-experiment=1` (`docs/lib/build-your-own.mdx`,
//! "getQueryStringOverride").
//!
//! The attack that this allows: a link that puts a visitor into a variation of the link's author's choosing. The SDKs
//! allow it, so it is here; who may use it is for the shell to say
//! ([`Visitor::query_override`](super::visitor::Visitor::query_override)).

/// The variation that the query of `url` gives the experiment `key`, if there is one of that number.
///
/// ```
/// use engraft::decide::query_override::query_override;
///
/// assert_eq!(query_override("hero", "https://shop.example/?page=2&hero=1#top", 2), Some(1));
/// assert_eq!(query_override("hero", "https://shop.example/?hero=2", 2), None);
/// ```
#[must_use]
pub fn query_override(key: &str, url: &str, variations: usize) -> Option<usize> {
    let query = url.split('?').nth(1)?;
    let query = query.split('#').next().unwrap_or_default();
    let value = query.split('&').find_map(|pair| {
        let mut parts = pair.split('=');
        (parts.next() == Some(key)).then(|| parts.next().unwrap_or_default())
    })?;
    integer(value).filter(|variation| *variation < variations)
}

/// The integer that text starts with, as `parseInt` reads it (ECMA-262 § 19.2.5), unless it is negative.
fn integer(text: &str) -> Option<usize> {
    let text = text.trim_start_matches(|c: char| c == '\u{FEFF}' || (c.is_whitespace() && c != '\u{85}'));
    let (negative, text) = match text.strip_prefix('-') {
        Some(text) => (true, text),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (radix, digits) = hexadecimal.map_or((10, text), |digits| (16, digits));
    let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    let number = usize::from_str_radix(digits.get(..end)?, radix).ok()?;
    // Minus zero is a variation, too.
    (!negative || number == 0).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_as_javascript() {
        for (text, expected) in [
            ("1", Some(1)),
            ("+1", Some(1)),
            (" \u{a0}1x", Some(1)),
            ("0x10", Some(16)),
            ("1.9", Some(1)),
            ("-0", Some(0)),
            ("-1", None),
            ("", None),
            ("x1", None),
            ("0x", None),
            ("99999999999999999999999", None),
        ] {
            assert_eq!(integer(text), expected, "{text:?}");
        }
    }

    #[test]
    fn the_first_parameter_of_that_name_counts() {
        assert_eq!(query_override("a", "/?a=x&a=1", 2), None);
        assert_eq!(query_override("a", "/?a=1=0", 2), Some(1));
        assert_eq!(query_override("a", "/?b?a=1", 2), None);
        assert_eq!(query_override("a", "/?%61=1", 2), None);
    }
}
