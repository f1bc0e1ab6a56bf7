//! Escapes (CSS Syntax 3 § 4.3.7), read byte by byte and written for any place.

use std::fmt::Write as _;

/// An escape whose backslash has been seen.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Escape {
    digits: u8,
    value: u32,
}

/// What a byte did to an escape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// It goes on.
    More,
    /// The byte ended it and belongs to it.
    Done(u32),
    /// It ended before the byte.
    DoneBefore(u32),
    /// A line end: a continued line in a string, no escape elsewhere.
    LineEnd,
}

impl Escape {
    pub(crate) fn step(&mut self, byte: u8) -> Step {
        match char::from(byte).to_digit(16) {
            Some(digit) if self.digits < 6 => {
                self.value = self.value.wrapping_mul(16) | digit;
                self.digits = self.digits.saturating_add(1);
                Step::More
            }
            _ if self.digits == 0 && is_line_end(byte) => Step::LineEnd,
            _ if self.digits == 0 => Step::Done(byte.into()),
            _ if is_space(byte) => Step::Done(self.value),
            _ => Step::DoneBefore(self.value),
        }
    }
}

pub(crate) const fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r' | b'\x0c')
}

pub(crate) const fn is_space(byte: u8) -> bool {
    is_line_end(byte) || matches!(byte, b' ' | b'\t')
}

/// The text that the content of a string or of a `url()` stands for.
pub(crate) fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        let mut escape = Escape::default();
        loop {
            let Some(next) = characters.peek().copied() else {
                // The sheet ends here; an escape of nothing is nothing we could write back.
                if escape.digits > 0 {
                    out.push(scalar(escape.value));
                }
                break;
            };
            match u8::try_from(next).ok().filter(u8::is_ascii).map(|byte| escape.step(byte)) {
                Some(Step::More) => {
                    characters.next();
                }
                Some(Step::Done(value)) => {
                    let carriage_return = next == '\r';
                    characters.next();
                    if carriage_return {
                        characters.next_if_eq(&'\n');
                    }
                    out.push(scalar(value));
                    break;
                }
                Some(Step::DoneBefore(value)) => {
                    out.push(scalar(value));
                    break;
                }
                Some(Step::LineEnd) => {
                    characters.next();
                    if next == '\r' {
                        characters.next_if_eq(&'\n');
                    }
                    break;
                }
                None if escape.digits > 0 => {
                    out.push(scalar(escape.value));
                    break;
                }
                None => {
                    characters.next();
                    out.push(next);
                    break;
                }
            }
        }
    }
    out
}

fn scalar(value: u32) -> char {
    char::from_u32(value).filter(|character| *character != '\0').unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// Writes `text` as part of a string or an unquoted URL. What comes out is ASCII, ends no string, URL or element, and is the
/// same with and without character references.
pub(crate) fn write(text: &str, out: &mut String) {
    for character in text.chars() {
        let plain = character.is_ascii_graphic() && !"\"'()\\<>&".contains(character);
        if plain {
            out.push(character);
        } else {
            let _ = write!(out, "\\{:x} ", u32::from(character));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escapes_are_read() {
        let cases = [
            ("a", "a"),
            ("\\61", "a"),
            ("\\61 b", "ab"),
            ("\\000061b", "ab"),
            ("\\61\r\nb", "ab"),
            ("\\/\\:", "/:"),
            ("a\\\nb", "ab"),
            ("a\\\r\nb", "ab"),
            ("\\0", "\u{fffd}"),
            ("\\d800 x", "\u{fffd}x"),
            ("\\ffffff", "\u{fffd}"),
            ("\\é\\e9é", "ééé"),
            ("a\\", "a"),
        ];
        for (text, expected) in cases {
            assert_eq!(unescape(text), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_the_same_and_is_harmless(text in "[^\0]{0,16}") {
            let mut written = String::new();
            write(&text, &mut written);
            prop_assert_eq!(unescape(&written), text);
            prop_assert!(written.is_ascii() && !written.contains(['<', '&', '"', '\'', '(', ')', '\n']));
        }
    }
}
