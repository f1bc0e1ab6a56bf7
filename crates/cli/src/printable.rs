//! Text of others, such as pages, traces and recorded URLs, on a terminal: what steers the terminal is shown, not obeyed.

use std::borrow::Cow;

/// A line in which every control character is written as an escape.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    escaped(text, |_| false)
}

/// The same of a line of a page, which may be indented by tabs.
pub(crate) fn code(text: &str) -> Cow<'_, str> {
    escaped(text, |char| char == '\t')
}

fn escaped(text: &str, is_fine: impl Fn(char) -> bool) -> Cow<'_, str> {
    // The latter turn the direction of what follows, or begin another line.
    let steers = |char: char| {
        let turns = matches!(
            char,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        );
        (char.is_control() && !is_fine(char)) || turns
    };
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    text.chars()
        .fold(String::with_capacity(text.len()), |mut line, char| {
            if steers(char) {
                line.extend(char.escape_debug())
            } else {
                line.push(char)
            }
            line
        })
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_shown() {
        assert_eq!(line("\u{1b}[31mred\r\n\u{202e}\tZoë"), "\\u{1b}[31mred\\r\\n\\u{202e}\\tZoë");
        assert_eq!(line("\u{9b}2J\u{2028}\u{61c}"), "\\u{9b}2J\\u{2028}\\u{61c}");
        assert!(matches!(line("plain, Zoë"), Cow::Borrowed(_)));
        assert_eq!(code("\tx\u{7f}"), "\tx\\u{7f}");
    }
}
