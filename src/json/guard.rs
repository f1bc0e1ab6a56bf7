//! What in a script's text decides where the script ends.
//!
//! The attack that it prevents: behind `<!--`, a `<script` makes the tokenizer read on over the next `</script>` (WHATWG
//! HTML § 13.2.5.20 to 13.2.5.31). Whoever takes one of these away moves the end of the script, and what was data becomes
//! markup. Without a `<!--`, nothing that may be in the text matters.

use std::ops::Range;

/// Watches the text of one script.
#[derive(Debug, Default)]
pub(super) struct Guard {
    /// How much of `<!--` has just come.
    opening: u8,
    /// How many `-` have just come.
    dashes: u8,
    first_comment: Option<u64>,
    last_comment: Option<u64>,
    /// Where the last `<` or `-->` is, behind the first `<!--`.
    last_mark: Option<u64>,
}

impl Guard {
    /// The next bytes of the text; the first one stands at `at`.
    pub(super) fn watch(&mut self, mut bytes: &[u8], mut at: u64) {
        loop {
            // Everything starts with `<`, or is behind a `<!--`.
            if self.opening == 0 && self.first_comment.is_none() {
                let Some(skipped) = bytes.iter().position(|byte| *byte == b'<') else { return };
                bytes = bytes.get(skipped..).unwrap_or_default();
                at = at.saturating_add(engraft_locate::offset::as_u64(skipped));
            }
            let Some((byte, rest)) = bytes.split_first() else { return };
            self.byte(*byte, at);
            bytes = rest;
            at = at.saturating_add(1);
        }
    }

    fn byte(&mut self, byte: u8, at: u64) {
        self.opening = match (self.opening, byte) {
            (_, b'<') => 1,
            (1, b'!') => 2,
            (2, b'-') => 3,
            (3, b'-') => {
                let start = at.saturating_sub(3);
                self.first_comment = self.first_comment.or(Some(start));
                self.last_comment = Some(start);
                0
            }
            _ => 0,
        };
        if self.first_comment.is_some() && (byte == b'<' || (byte == b'>' && self.dashes >= 2)) {
            self.last_mark = Some(at);
        }
        self.dashes = if byte == b'-' { self.dashes.saturating_add(1) } else { 0 };
    }

    /// Whether the bytes of `range`, which ends where the text that was watched ends, may go without moving the end of the
    /// script.
    pub(super) fn allows_removal(&self, range: &Range<u64>) -> bool {
        let inside = |mark: Option<u64>| mark.is_some_and(|mark| mark >= range.start);
        !inside(self.last_comment) && !inside(self.last_mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_decides_where_a_script_ends_stays() {
        let cases = [
            ("\"a\"", "\"b\"", true),
            ("", "\"<!-- \"", false),
            ("", "\"<!--> <\"", false),
            ("\"<!--\"", "\"b\"", true),
            ("\"<!--\"", "\"<script>\"", false),
            ("\"<!--\"", "\"-->\"", false),
            ("\"<!--\"", "\"--->\"", false),
            ("\"<!--\"", "\"->\"", true),
            ("\"<b\"", "\"--> <script\"", true),
            ("\"<!--", "-->\"", false),
            ("\"<!-", "-\"", true),
            ("\"<!\"", "\"<b><!-<!\"", true),
        ];
        for (before, removed, allowed) in cases {
            let text = format!("{before}{removed}");
            let range = before.len() as u64..text.len() as u64;
            for cut in 0..=text.len() {
                let mut guard = Guard::default();
                guard.watch(&text.as_bytes()[..cut], 0);
                guard.watch(&text.as_bytes()[cut..], cut as u64);
                assert_eq!(guard.allows_removal(&range), allowed, "{text} cut at {cut}");
            }
        }
    }
}
