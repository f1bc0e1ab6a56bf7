//! What is inserted behind text that ends in `<`, and what is left when something behind it goes.
//!
//! The attack that this prevents: a page says `1 <` in front of an element's end, which is text, and a visitor's value comes in
//! behind it: `img src=x onerror=…` has then become a tag, with nothing in it to be escaped. A `<` is text only as long as no
//! letter, `/`, `!` or `?` follows (WHATWG HTML § 13.2.5.6); in a title or a text area `</tit` is, as long as `le` and the end of
//! a name do not (§ 13.2.5.9).
//!
//! The first character of what is inserted becomes a character reference there, which is the same text. Where something only
//! goes, an empty comment takes its place.

/// How far back one has to look: `</textarea`.
pub(crate) const LOOK_BACK: usize = 10;

/// What keeps two pieces of text apart.
pub(crate) const APART: &[u8] = b"<!---->";

/// Whether text that ends like this makes a tag or its end together with what may follow.
pub(crate) fn is_open(before: &[u8]) -> bool {
    let recent = before.get(before.len().saturating_sub(LOOK_BACK)..).unwrap_or(before);
    match recent.iter().rposition(|byte| *byte == b'<').and_then(|at| recent.get(at..)) {
        Some([_]) => true,
        Some([_, b'/', name @ ..]) => name.iter().all(u8::is_ascii_alphabetic),
        _ => false,
    }
}

/// Text or markup as it is to be inserted behind text that ends like `before`.
pub(crate) fn behind(before: &[u8], inserted: Vec<u8>) -> Vec<u8> {
    let continues = match inserted.first() {
        Some(first) if is_open(before) => {
            first.is_ascii_alphabetic()
                || first.is_ascii_whitespace()
                || matches!(first, b'/' | b'!' | b'?' | b'>')
        }
        // `&` is text, too, as long as no name or number follows.
        Some(first) if before.last() == Some(&b'&') => first.is_ascii_alphanumeric() || *first == b'#',
        _ => false,
    };
    match inserted.split_first() {
        Some((first, rest)) if continues => [format!("&#{first};").as_bytes(), rest].concat(),
        _ => inserted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_becomes_a_tag_with_what_stands_before_it() {
        for (before, inserted, expected) in [
            ("1 <", "img src=x", "&#105;mg src=x"),
            ("1 <", "/p", "&#47;p"),
            ("1 <", "!--", "&#33;--"),
            ("1 <", "?x", "&#63;x"),
            ("1 <", "5", "5"),
            ("1 <", "&lt;b", "&lt;b"),
            ("1 <", "<b>", "<b>"),
            ("</tit", "le >", "&#108;e >"),
            ("</title", " y", "&#32;y"),
            ("</title ", "y", "y"),
            ("<b", "x", "x"),
            ("a", "x", "x"),
            ("", "x", "x"),
            ("1 <", "", ""),
            ("a &", "lt;", "&#108;t;"),
            ("a &", "#60;", "&#35;60;"),
            ("a &", " b", " b"),
        ] {
            let got = behind(before.as_bytes(), inserted.as_bytes().to_vec());
            assert_eq!(String::from_utf8(got).unwrap(), expected, "{before:?} and {inserted:?}");
        }
    }
}
