//! What is said of one text.

use engraft::config::node::Path;

use super::super::expect::Text;
use super::super::outcome::Mismatch;
use super::{Found, differs};

/// How many characters are shown before what should not be in a text, and half of those after it.
const AROUND: usize = 30;

/// Holds a text against what is said of it.
pub(super) fn hold(wanted: &Text, text: &str, path: &Path, found: &mut Found) {
    let Text { equals, contains, not_contains, matches } = wanted;
    if let Some(equals) = equals
        && equals != text
    {
        found.push((path.clone(), differs(equals, text)));
    }
    let at = |field: &str| path.clone().key(field);
    for part in contains.0.iter().filter(|part| !text.contains(*part)) {
        found.push((at("contains"), Mismatch::says(format!("{part:?} is not in it: {}", cut(text)))));
    }
    for part in &not_contains.0 {
        if let Some(place) = text.find(part) {
            found.push((
                at("not_contains"),
                Mismatch::says(format!("{part:?} is in it: {}", around(text, place, part.len()))),
            ));
        }
    }
    if let Some(pattern) = matches
        && !pattern.0.is_match(text)
    {
        let message = format!("/{}/ is found nowhere in it: {}", pattern.0.as_str(), cut(text));
        found.push((at("matches"), Mismatch::says(message)));
    }
}

/// Enough of a text to know it by, on one line.
fn cut(text: &str) -> String {
    around(text, 0, 0)
}

/// A part of a text and what is around it, on one line.
fn around(text: &str, start: usize, length: usize) -> String {
    let end = start.saturating_add(length);
    let (before, after) = (text.get(..start).unwrap_or_default(), text.get(end..).unwrap_or_default());
    let from = before.char_indices().rev().nth(AROUND.saturating_sub(1)).map_or(0, |(at, _)| at);
    let to = after.char_indices().nth(2 * AROUND).map_or(text.len(), |(at, _)| end.saturating_add(at));
    let part = text.get(from..to).unwrap_or_default().escape_debug();
    let (before, after) = (if from > 0 { "…" } else { "" }, if to < text.len() { "…" } else { "" });
    format!("{before}{part}{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_texts_are_cut_between_characters() {
        let text = "é".repeat(200);
        assert_eq!(around(&text, 100, 2), format!("…{}…", "é".repeat(AROUND + 1 + 2 * AROUND)));
        assert_eq!(around("short", 2, 1), "short");
        assert_eq!(cut("a\nb"), "a\\nb");
    }
}
