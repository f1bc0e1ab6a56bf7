//! Where two texts differ, for people.

use std::fmt::Write as _;
use std::ops::Range;
use std::time::Duration;

use similar::{Algorithm, DiffTag, capture_diff_slices_deadline, group_diff_ops};

use crate::printable;
use crate::time;

/// How many lines are shown around a difference.
const CONTEXT: usize = 2;

/// How much of a line is shown; a minified page is one line.
const MAX_CHARS: usize = 160;

/// How much of a line is shown before the first difference, where not all of it is.
const BEFORE: usize = 60;

/// How many lines are shown at most.
const MAX_LINES: usize = 60;

/// How long is looked for the shortest difference.
const DEADLINE: Duration = Duration::from_secs(1);

/// A line, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) side: Side,
    pub(crate) text: String,
}

/// Where a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Both,
    Expected,
    Found,
    /// Lines are left out here.
    Gap,
}

/// The lines that differ and those around them.
pub(crate) fn lines(expected: &str, found: &str) -> Vec<Line> {
    let (old, new): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), found.lines().collect());
    let mut shown = Vec::new();
    let line = |side, text: &str, around: usize| Line { side, text: cut(text, around) };
    let deadline = time::instant().checked_add(DEADLINE);
    let ops = capture_diff_slices_deadline(Algorithm::Myers, &old, &new, deadline);
    for (index, group) in group_diff_ops(ops, CONTEXT).into_iter().enumerate() {
        if index > 0 {
            shown.push(Line { side: Side::Gap, text: "…".to_owned() });
        }
        for op in group {
            let (old, new) = (part(&old, op.old_range()), part(&new, op.new_range()));
            match op.tag() {
                DiffTag::Equal => shown.extend(old.iter().map(|text| line(Side::Both, text, 0))),
                DiffTag::Delete | DiffTag::Insert | DiffTag::Replace => {
                    // Lines that take each other's place are cut at the same place.
                    let place = |index: usize| match (old.get(index), new.get(index)) {
                        (Some(old), Some(new)) => same_chars(old, new),
                        _ => 0,
                    };
                    let old = old.iter().enumerate();
                    shown.extend(old.map(|(index, text)| line(Side::Expected, text, place(index))));
                    let new = new.iter().enumerate();
                    shown.extend(new.map(|(index, text)| line(Side::Found, text, place(index))));
                }
            }
        }
    }
    if shown.is_empty() && expected != found {
        let text = "only the ends of lines differ, or the last one has none".to_owned();
        shown.push(Line { side: Side::Gap, text });
    }
    if shown.len() > MAX_LINES {
        let more = shown.len().saturating_sub(MAX_LINES);
        shown.truncate(MAX_LINES);
        shown.push(Line { side: Side::Gap, text: format!("… and {more} more lines") });
    }
    shown
}

/// The same as text, with `-` for what is expected and `+` for what is found.
pub(crate) fn plain(expected: &str, found: &str) -> String {
    let lines = lines(expected, found);
    lines.iter().fold(String::new(), |mut text, line| {
        let separator = if text.is_empty() { "" } else { "\n" };
        let _ = write!(text, "{separator}{} {}", line.side.sign(), line.text);
        text
    })
}

impl Side {
    pub(crate) const fn sign(self) -> char {
        match self {
            Self::Both | Self::Gap => ' ',
            Self::Expected => '-',
            Self::Found => '+',
        }
    }
}

fn part<T>(all: &[T], range: Range<usize>) -> &[T] {
    all.get(range).unwrap_or_default()
}

fn same_chars(a: &str, b: &str) -> usize {
    a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count()
}

/// A line, or what of it is around a place.
fn cut(text: &str, around: usize) -> String {
    let all = text.chars().count();
    if all <= MAX_CHARS {
        return printable::code(text).into_owned();
    }
    let from = around.saturating_sub(BEFORE);
    let part: String = text.chars().skip(from).take(MAX_CHARS).collect();
    let before = if from > 0 { "…" } else { "" };
    let after = if from.saturating_add(MAX_CHARS) < all { "…" } else { "" };
    format!("{before}{}{after}", printable::code(&part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_shown_with_what_is_around_it() {
        let before = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj";
        let after = "a\nb\nc\nd\nE\nf\ng\nh\ni\nJ";
        assert_eq!(plain(before, after), "  c\n  d\n- e\n+ E\n  f\n  g\n  h\n  i\n- j\n+ J");
        assert_eq!(plain("a", "a"), "");
        assert_eq!(plain("", "x"), "+ x");
        assert!(plain("a\n", "a").contains("ends of lines"));
    }

    #[test]
    fn a_long_line_is_cut_to_where_it_differs() {
        let line = |word: &str| format!("{}{word}{}", "x".repeat(5000), "y".repeat(5000));
        let shown = lines(&line("before"), &line("after"));
        assert_eq!(shown.len(), 2);
        for (line, word) in shown.iter().zip(["before", "after"]) {
            assert!(line.text.contains(word) && line.text.chars().count() < 170, "{line:?}");
        }
    }
}
