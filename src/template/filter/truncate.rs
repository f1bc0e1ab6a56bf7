//! Shortening.

use unicode_segmentation::UnicodeSegmentation as _;

/// `text`, or its first characters and `…`, `most` in all. A character is what readers see as one (UAX 29, extended
/// grapheme clusters): no accent and no part of a flag is cut off.
pub(super) fn truncate(text: &str, most: usize) -> String {
    let mut starts = text.grapheme_indices(true).map(|(at, _)| at);
    let last = starts.nth(most.saturating_sub(1));
    match (last, starts.next()) {
        (Some(at), Some(_)) => {
            let kept = text.get(..at).unwrap_or_default();
            format!("{}…", kept.trim_end())
        }
        _ => text.to_owned(),
    }
}
