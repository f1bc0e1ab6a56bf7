//! `srcset` and `imagesrcset`: where their URLs stand (WHATWG HTML § 4.8.4.2.2, parse a srcset attribute).

use std::ops::Range;

/// The places of the URLs; descriptors and what separates candidates are what lies between them.
pub(crate) fn urls(value: &str) -> Vec<Range<usize>> {
    let bytes = value.as_bytes();
    let mut urls = Vec::new();
    let mut at = 0;
    loop {
        at = skip(bytes, at, |byte| byte.is_ascii_whitespace() || byte == b',');
        if at >= bytes.len() {
            return urls;
        }
        let start = at;
        at = skip(bytes, at, |byte| !byte.is_ascii_whitespace());
        let url = value.get(start..at).unwrap_or_default();
        let without_commas = url.trim_end_matches(',');
        urls.push(start..start.saturating_add(without_commas.len()));
        // Commas at the end of the URL end the candidate; without them descriptors follow.
        if without_commas.len() == url.len() {
            at = descriptors_end(bytes, at);
        }
    }
}

/// Where the descriptors of a candidate end: after a comma that is not in parentheses.
fn descriptors_end(bytes: &[u8], mut at: usize) -> usize {
    let mut in_parentheses = false;
    while let Some(byte) = bytes.get(at) {
        at = at.saturating_add(1);
        match byte {
            b'(' => in_parentheses = true,
            b')' => in_parentheses = false,
            b',' if !in_parentheses => return at,
            _ => {}
        }
    }
    at
}

fn skip(bytes: &[u8], from: usize, wanted: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from.saturating_add(rest.iter().take_while(|byte| wanted(**byte)).count())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn finds_the_urls_of_candidates() {
        let cases: [(&str, &[&str]); 16] = [
            ("a.png", &["a.png"]),
            ("a.png 1x, b.png 2x", &["a.png", "b.png"]),
            ("\n a.png 100w ,\tb.png 200w,", &["a.png", "b.png"]),
            ("a.png, b.png", &["a.png", "b.png"]),
            ("a.png,b.png", &["a.png,b.png"]),
            ("a.png 1x,b.png 2x", &["a.png", "b.png"]),
            ("a.png,,, b.png", &["a.png", "b.png"]),
            (",a.png", &["a.png"]),
            ("data:,a 1x", &["data:,a"]),
            ("data:,a, b.png", &["data:,a", "b.png"]),
            ("data:image/png;base64,AA== 1x, b.png 2x", &["data:image/png;base64,AA==", "b.png"]),
            ("a.png (1x, c.png) 2x, b.png", &["a.png", "b.png"]),
            ("a.png x(, b.png", &["a.png"]),
            ("a.png ((a), b.png 2x", &["a.png", "b.png"]),
            ("", &[]),
            (" , ,", &[]),
        ];
        for (value, expected) in cases {
            let found: Vec<&str> = urls(value).into_iter().filter_map(|range| value.get(range)).collect();
            assert_eq!(found, expected, "{value:?}");
        }
    }

    proptest! {
        #[test]
        fn urls_are_whole_and_in_order(value in "[a,() \n:é]{0,24}") {
            let mut last = 0;
            for url in urls(&value) {
                prop_assert!(last <= url.start && url.start < url.end);
                last = url.end;
                let url = value.get(url).unwrap();
                prop_assert!(!url.starts_with(',') && !url.ends_with(','));
                prop_assert!(!url.contains(|c: char| c.is_ascii_whitespace()));
            }
        }
    }
}
