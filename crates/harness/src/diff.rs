//! What differs between two texts or header sets, line by line, the changed words marked.

use std::borrow::Cow;
use std::env;
use std::io::IsTerminal;

use similar::{ChangeTag, InlineChange, TextDiff};

use crate::wire::Headers;

/// How many unchanged lines are shown around a change.
const CONTEXT: usize = 2;
/// How much of a line is shown; a minified page is one line, and nobody reads all of it.
const MAX_LINE_CHARS: usize = 400;

const RESET: &str = "\x1b[0m";
const FAINT: &str = "\x1b[2m";
const HEADING: &str = "\x1b[1m";

/// Whether to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Style {
    /// Text only; changed words are not marked.
    Plain,
    /// With ANSI colours.
    Coloured,
}

impl Style {
    /// Colours for a terminal, unless the environment has a `NO_COLOR` that is not empty or a `TERM` that is `dumb`.
    #[must_use]
    pub fn of(output: &impl IsTerminal) -> Self {
        let refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || env::var_os("TERM").is_some_and(|term| term == "dumb");
        if output.is_terminal() && !refused { Self::Coloured } else { Self::Plain }
    }

    /// A heading.
    #[must_use]
    pub fn heading(self, text: &str) -> String {
        self.paint(HEADING, text)
    }

    /// Something of less weight.
    #[must_use]
    pub fn faint(self, text: &str) -> String {
        self.paint(FAINT, text)
    }

    fn paint(self, colour: &str, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Coloured => format!("{colour}{text}{RESET}"),
        }
    }
}

/// The lines that differ, `-` before those of `old` and `+` before those of `new`, with their surroundings; empty when none does.
#[must_use]
pub fn lines(old: &str, new: &str, style: Style) -> String {
    let diff = TextDiff::from_lines(old, new);
    let mut out = String::new();
    for (index, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if index > 0 {
            out.push_str(&style.faint("    ⋮"));
            out.push('\n');
        }
        for op in group {
            for change in diff.iter_inline_changes(op) {
                line(&mut out, &change, style);
            }
        }
    }
    out
}

/// The same for headers, sorted by name so that order alone is no difference.
#[must_use]
pub fn headers(old: &Headers, new: &Headers, style: Style) -> String {
    lines(&sorted(old), &sorted(new), style)
}

fn sorted(headers: &Headers) -> String {
    let text = headers.to_string();
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    lines.sort_by_key(|line| line.split(':').next().map(str::to_ascii_lowercase));
    lines.concat()
}

fn line(out: &mut String, change: &InlineChange<'_, str>, style: Style) {
    let (sign, colour, strong) = match change.tag() {
        ChangeTag::Equal => (' ', FAINT, FAINT),
        ChangeTag::Delete => ('-', "\x1b[31m", "\x1b[1;31m"),
        ChangeTag::Insert => ('+', "\x1b[32m", "\x1b[1;32m"),
    };
    out.push_str(&style.paint(colour, &format!("  {sign} ")));
    let mut room = MAX_LINE_CHARS;
    for (is_changed, part) in change.iter_strings_lossy() {
        let text = shortened(part.trim_end_matches(['\r', '\n']), &mut room);
        if !text.is_empty() {
            out.push_str(&style.paint(if is_changed { strong } else { colour }, &text));
        }
    }
    out.push('\n');
}

/// As much of `text` as there is room for, without control characters: what a page holds must not drive the terminal.
fn shortened<'t>(text: &'t str, room: &mut usize) -> Cow<'t, str> {
    let harmless = !text.chars().any(|c| c.is_control() && c != '\t');
    let length = text.chars().count();
    if harmless && length <= *room {
        *room -= length;
        return Cow::Borrowed(text);
    }
    let had_room = *room > 0;
    let shown = text.chars().take(*room).map(|c| if c.is_control() && c != '\t' { '\u{fffd}' } else { c });
    let mut shown: String = shown.collect();
    if length > *room && had_room {
        shown.push('…');
    }
    *room = room.saturating_sub(length);
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_changes_and_their_surroundings_are_shown() {
        let old = "1\n2\n3\n4\n5\n6\n7\n8\n";
        let new = "1\n2\n3\nfour\n5\n6\n7\n8\n";
        let expected = "    2\n    3\n  - 4\n  + four\n    5\n    6\n";
        assert_eq!(lines(old, new, Style::Plain), expected);
        assert_eq!(lines(old, old, Style::Plain), "");
    }

    #[test]
    fn order_of_headers_is_no_difference() {
        let one: Headers = [("b", "2"), ("a", "1")].into_iter().collect();
        let other: Headers = [("a", "1"), ("b", "2")].into_iter().collect();
        assert_eq!(headers(&one, &other, Style::Plain), "");
    }

    #[test]
    fn escape_sequences_of_the_page_do_not_reach_the_terminal() {
        assert_eq!(lines("", "\u{1b}[2Jx\n", Style::Plain), "  + \u{fffd}[2Jx\n");
    }

    #[test]
    fn long_lines_are_cut() {
        let shown = lines("", &"é".repeat(1000), Style::Plain);
        assert_eq!(shown.chars().filter(|c| *c == 'é').count(), MAX_LINE_CHARS);
        assert!(shown.ends_with("…\n"));
    }
}
