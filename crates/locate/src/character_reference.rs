//! Character references: `&amp;`, `&notin;`, `&#x41;` (WHATWG HTML § 13.2.5.72 to 13.2.5.80 and § 13.5).
//!
//! The attack that this prevents: a value that is looked at in one spelling and read by the browser in another
//! (`java&Tab;script:`, `&#106;avascript:`). So it decodes exactly what a browser does: all names, the longest one that
//! matches, the old ones without a semicolon too, and not those inside attribute values that are followed by `=` or by
//! a letter or digit.
//!
//! The names are a sorted text, searched where it lies: 30 KB in the module. A map of strings, as the crates that have
//! the list carry it, takes twice as much and can't tell whether a longer name may follow.

use std::borrow::Cow;

/// The list of § 13.5, written by `scripts/character-references`: a name, a space, code points in hexadecimal.
const NAMES: &[u8] = include_bytes!("character_reference/names.txt");

/// Names that make up nearly all references of nearly all pages; none is the start of another.
const USUAL: &[(&[u8], char)] =
    &[(b"amp;", '&'), (b"nbsp;", '\u{A0}'), (b"lt;", '<'), (b"gt;", '>'), (b"quot;", '"')];

/// What starts with an ampersand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever decodes must handle each")]
pub enum Reference {
    /// A reference.
    Characters {
        /// What it stands for.
        characters: Characters,
        /// How many bytes it takes, the ampersand and the semicolon, if there is one, among them.
        length: usize,
    },
    /// An ampersand that means itself; so does what follows, up to the next one.
    NotAReference,
    /// What follows decides.
    NeedMore,
}

/// What a reference stands for: one character or two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Characters {
    first: char,
    second: Option<char>,
}

impl Characters {
    const fn one(first: char) -> Self {
        Self { first, second: None }
    }
}

impl IntoIterator for Characters {
    type Item = char;
    type IntoIter = std::iter::Chain<std::iter::Once<char>, std::option::IntoIter<char>>;

    fn into_iter(self) -> Self::IntoIter {
        std::iter::once(self.first).chain(self.second)
    }
}

/// Reads the reference at the start of `bytes`, which is an ampersand. `in_attribute` says that they are the value of an
/// attribute, `at_end` that nothing follows them.
///
/// It is the same in every encoding that is a superset of ASCII. A name needs at most [`LONGEST_NAME`] bytes to be
/// decided; digits have no bound, which is what [`Digits`] is for.
#[must_use]
pub fn next(bytes: &[u8], in_attribute: bool, at_end: bool) -> Reference {
    let open = if at_end { Reference::NotAReference } else { Reference::NeedMore };
    match bytes.strip_prefix(b"&") {
        None => Reference::NotAReference,
        Some([]) => open,
        Some([b'#', digits @ ..]) => numeric(digits, at_end),
        Some(name) => named(name, in_attribute, at_end),
    }
}

/// How many bytes from the ampersand on decide which name it is: the longest, and what follows it.
pub const LONGEST_NAME: usize = 34;

fn named(input: &[u8], in_attribute: bool, at_end: bool) -> Reference {
    if let Some((name, character)) = USUAL.iter().find(|(name, _)| input.starts_with(name)) {
        return found(Characters::one(*character), name.len().saturating_add(1));
    }
    let mut names = Names { lines: NAMES, depth: 0 };
    let mut longest = None;
    loop {
        // Sorted by byte, and a space comes before all that names are made of: the name that ends here is the first.
        if let Some(characters) = names.first() {
            longest = Some((characters, names.depth));
        }
        match input.get(names.depth) {
            None if !at_end => return Reference::NeedMore,
            None => break,
            Some(byte) => names.narrow(*byte),
        }
        if names.lines.is_empty() {
            break;
        }
    }
    let Some((characters, length)) = longest else { return Reference::NotAReference };
    let closed = input.get(length.saturating_sub(1)) == Some(&b';');
    // `?a=1&copy=2` is a query, not a copyright sign.
    let goes_on = input.get(length).is_some_and(|next| *next == b'=' || next.is_ascii_alphanumeric());
    if in_attribute && !closed && goes_on {
        return Reference::NotAReference;
    }
    found(characters, length.saturating_add(1))
}

const fn found(characters: Characters, length: usize) -> Reference {
    Reference::Characters { characters, length }
}

/// The names that start with what was read.
struct Names {
    lines: &'static [u8],
    /// How much was read.
    depth: usize,
}

impl Names {
    /// What the name stands for that was read and ends here, if there is one.
    fn first(&self) -> Option<Characters> {
        let rest = self.lines.get(self.depth..)?.strip_prefix(b" ")?;
        let line = rest.split(|byte| *byte == b'\n').next()?;
        let mut points = line.split(|byte| *byte == b' ').map(|point| {
            let digits = std::str::from_utf8(point).ok()?;
            char::from_u32(u32::from_str_radix(digits, 16).ok()?)
        });
        Some(Characters { first: points.next()??, second: points.next().flatten() })
    }

    /// Keeps those that go on with `byte`.
    fn narrow(&mut self, byte: u8) {
        let byte = if byte.is_ascii_alphanumeric() || byte == b';' { byte } else { b'\n' };
        let (_, tail) = self.split(|next| next < byte);
        let (same, _) = Self { lines: tail, depth: self.depth }.split(|next| next <= byte);
        *self = Self { lines: same, depth: self.depth.saturating_add(1) };
    }

    /// Splits before the first line whose next byte is not `before`, by bisection.
    fn split(&self, before: impl Fn(u8) -> bool) -> (&'static [u8], &'static [u8]) {
        let (mut low, mut high) = (0, self.lines.len());
        while low < high {
            let middle = low.midpoint(high);
            let line_feed = |byte: &u8| *byte == b'\n';
            let start = self
                .lines
                .get(low..middle)
                .and_then(|lines| lines.iter().rposition(line_feed))
                .map_or(low, |at| low.saturating_add(at).saturating_add(1));
            let end = self
                .lines
                .get(middle..high)
                .and_then(|lines| lines.iter().position(line_feed))
                .map_or(high, |at| middle.saturating_add(at).saturating_add(1));
            match self.lines.get(start.saturating_add(self.depth)) {
                Some(next) if before(*next) => low = end,
                _ => high = start,
            }
        }
        self.lines.split_at_checked(low).unwrap_or((&[], &[]))
    }
}

fn numeric(input: &[u8], at_end: bool) -> Reference {
    let mut digits = Digits::new();
    let mut length = 2_usize;
    for byte in input {
        match digits.push(*byte) {
            Digit::Taken => length = length.saturating_add(1),
            Digit::Last => return digits.finish(length.saturating_add(1)),
            Digit::Refused => return digits.finish(length),
        }
    }
    if at_end { digits.finish(length) } else { Reference::NeedMore }
}

/// The part of a numeric reference that comes after `&#`, byte by byte: there may be any number of digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digits {
    radix: Option<u32>,
    value: Option<u32>,
}

/// What became of a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever decodes must handle each")]
pub enum Digit {
    /// It belongs to the reference, which goes on.
    Taken,
    /// It is the semicolon.
    Last,
    /// It does not belong to the reference, which has ended before.
    Refused,
}

impl Digits {
    /// Nothing seen yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { radix: None, value: None }
    }

    /// The next byte.
    pub fn push(&mut self, byte: u8) -> Digit {
        if self.radix.is_none() {
            let hexadecimal = matches!(byte, b'x' | b'X');
            self.radix = Some(if hexadecimal { 16 } else { 10 });
            if hexadecimal {
                return Digit::Taken;
            }
        }
        let radix = self.radix.unwrap_or(10);
        if let Some(digit) = char::from(byte).to_digit(radix) {
            // Beyond the last code point all values mean the same.
            let value = self.value.unwrap_or(0).saturating_mul(radix).saturating_add(digit);
            self.value = Some(value);
            return Digit::Taken;
        }
        if byte == b';' && self.value.is_some() { Digit::Last } else { Digit::Refused }
    }

    /// The reference, `length` bytes long; none where there was no digit.
    #[must_use]
    pub fn finish(self, length: usize) -> Reference {
        match self.character() {
            Some(character) => found(Characters::one(character), length),
            None => Reference::NotAReference,
        }
    }

    /// The character of the number (§ 13.2.5.80), if there was a digit.
    #[must_use]
    pub fn character(self) -> Option<char> {
        let value = self.value?;
        let windows = value.checked_sub(0x80).and_then(|at| C1.get(usize::try_from(at).ok()?));
        Some(match windows {
            Some(character) => *character,
            None if value == 0 => '\u{FFFD}',
            None => char::from_u32(value).unwrap_or('\u{FFFD}'),
        })
    }
}

impl Default for Digits {
    fn default() -> Self {
        Self::new()
    }
}

/// What 0x80 to 0x9F stand for: windows-1252, where it has a character.
const C1: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž', '\u{8F}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9D}', 'ž', 'Ÿ',
];

/// The value of an attribute, as the DOM has it.
#[must_use]
pub fn decode_attribute(value: &str) -> Cow<'_, str> {
    decode(value, true)
}

/// Text, as the DOM has it.
#[must_use]
pub fn decode_text(text: &str) -> Cow<'_, str> {
    decode(text, false)
}

fn decode(source: &str, in_attribute: bool) -> Cow<'_, str> {
    let mut out = String::new();
    // What was not copied yet, and how much of it was looked at.
    let (mut rest, mut seen) = (source, 0);
    while let Some(at) = rest.get(seen..).and_then(|unseen| unseen.find('&')) {
        let at = at.saturating_add(seen);
        let Some((before, reference)) = rest.split_at_checked(at) else { break };
        match next(reference.as_bytes(), in_attribute, true) {
            Reference::Characters { characters, length } => {
                out.push_str(before);
                out.extend(characters);
                rest = reference.get(length..).unwrap_or_default();
                seen = 0;
            }
            Reference::NotAReference | Reference::NeedMore => seen = at.saturating_add(1),
        }
    }
    if rest.len() == source.len() {
        return Cow::Borrowed(source);
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests;
