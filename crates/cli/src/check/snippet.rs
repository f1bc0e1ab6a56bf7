//! The text of a configuration, and the part of it that a remark is about.

use std::ops::Range;

use engraft::config::node::Location;

/// Of a longer line, so many characters around the place are shown.
const MAX_CHARS: usize = 400;

/// The text as lines; none where it is no text, and nothing has a place.
#[derive(Debug, Default)]
pub(super) struct Source {
    text: String,
    /// Where the lines begin.
    starts: Vec<usize>,
}

/// A line, or a part of it, and what is marked in it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Excerpt<'s> {
    pub(super) text: &'s str,
    /// In bytes of `text`.
    pub(super) marked: Range<usize>,
    /// It begins where the line does.
    pub(super) is_from_start: bool,
}

impl Source {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned();
        let feeds = text.match_indices('\n').map(|(at, _)| at.saturating_add(1));
        let starts = [0].into_iter().chain(feeds).collect();
        Self { text, starts }
    }

    /// The value or key that begins at a place. A place behind the end of its line marks the end.
    pub(super) fn excerpt(&self, at: Location) -> Option<Excerpt<'_>> {
        let start = *self.starts.get(at.line.checked_sub(1)?)?;
        let end = self.starts.get(at.line).map_or(self.text.len(), |next| next.saturating_sub(1));
        let line = self.text.get(start..end)?.trim_end_matches('\r');
        let column = at.column.checked_sub(1)?;
        let start = line.char_indices().nth(column).map_or(line.len(), |(start, _)| start);
        let (before, rest) = line.split_at(start);
        let end = start.saturating_add(token(before, rest).len());
        // What is marked may itself be long; its beginning says enough.
        let from = floor(line, start.saturating_sub(MAX_CHARS / 4));
        let from = if line.len() > MAX_CHARS { from } else { 0 };
        let to = floor(line, from.saturating_add(MAX_CHARS)).max(start);
        let text = line.get(from..to)?;
        let is_from_start = from == 0;
        Some(Excerpt {
            text,
            is_from_start,
            marked: start.saturating_sub(from)..end.min(to).saturating_sub(from),
        })
    }

    /// Where a mark that begins at a place ends, in characters from 1 and behind it.
    pub(super) fn end_column(&self, at: Location) -> Option<usize> {
        let Excerpt { text, marked, .. } = self.excerpt(at)?;
        let marked = text.get(marked)?.chars().count();
        Some(at.column.saturating_add(marked.max(1)))
    }
}

/// The largest character boundary that is not behind `at`.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at = at.saturating_sub(1);
    }
    at
}

/// What stands at the beginning of `rest`: text in quotes, a key, a scalar, or the bracket that opens a list or a map.
fn token<'s>(before: &str, rest: &'s str) -> &'s str {
    let first = rest.chars().next();
    if let Some(quote @ ('"' | '\'')) = first {
        return quoted(rest, quote);
    }
    if matches!(first, Some('{' | '[')) {
        return rest.get(..1).unwrap_or_default();
    }
    let opened = before.matches(['{', '[']).count() > before.matches(['}', ']']).count();
    let mut previous = None;
    for (at, c) in rest.char_indices() {
        let next = rest.get(at..).and_then(|tail| tail.chars().nth(1));
        let ends = match c {
            ':' => next.is_none_or(|next| next == ' ' || (opened && matches!(next, ',' | '}' | ']'))),
            '#' => previous == Some(' '),
            ',' | '}' | ']' => opened,
            _ => false,
        };
        if ends {
            return rest.get(..at).unwrap_or_default().trim_end();
        }
        previous = Some(c);
    }
    rest.trim_end()
}

fn quoted(rest: &str, quote: char) -> &str {
    let mut is_escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if quote == '"' => is_escaped = true,
            c if c == quote => return rest.get(..=at).unwrap_or(rest),
            _ => {}
        }
    }
    rest.trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(line: &str, column: usize) -> String {
        let source = Source::of(line.as_bytes());
        let Excerpt { text, marked, .. } = source.excerpt(Location { line: 1, column }).unwrap();
        text.get(marked).unwrap().to_owned()
    }

    #[test]
    fn what_begins_at_a_place_is_marked() {
        for (line, column, expected) in [
            ("  slect: h1", 3, "slect"),
            ("  text: Hello, world # why", 9, "Hello, world"),
            ("  - { text: Hello, x: y }", 13, "Hello"),
            ("  - { text: \"a, \\\"b\" }", 13, "\"a, \\\"b\""),
            ("  url: http://a.example/#b", 8, "http://a.example/#b"),
            ("  cache: { a: 1 }", 10, "{"),
            ("  a: [b]", 20, ""),
            ("  é: ü", 6, "ü"),
            ("  open: 'ab", 9, "'ab"),
            ("{\"a\": 12}", 7, "12"),
        ] {
            assert_eq!(marked(line, column), expected, "{line}");
        }
    }

    #[test]
    fn of_a_long_line_the_part_around_the_place_is_shown() {
        let line = format!("{{\"{}\": 1, \"k\": é}}", "é".repeat(1000));
        let source = Source::of(line.as_bytes());
        let at = Location { line: 1, column: 1014 };
        let excerpt = source.excerpt(at).unwrap();
        assert!(excerpt.text.len() <= MAX_CHARS && excerpt.text.get(excerpt.marked) == Some("é"));
        assert_eq!(source.end_column(at), Some(1015));
        assert_eq!(source.excerpt(Location { line: 2, column: 1 }), None);
    }
}
