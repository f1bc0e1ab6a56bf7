//! The attributes of a start tag (WHATWG HTML § 13.2.5.32 to 13.2.5.40), as places in its bytes.

use std::ops::Range;

use memchr::memchr;

/// One attribute of a tag, by offsets in the tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attribute {
    pub(crate) name: Range<usize>,
    /// Without its quotes; `None` when it has none.
    pub(crate) value: Option<Range<usize>>,
}

/// Reads the attributes of `tag`, which starts at `<` and ends with `>`; `name_end` is the end of its name.
pub(crate) struct Attributes<'t> {
    tag: &'t [u8],
    at: usize,
}

impl<'t> Attributes<'t> {
    pub(crate) const fn new(tag: &'t [u8], name_end: usize) -> Self {
        Self { tag, at: name_end }
    }

    fn skip(&mut self, run: Run) {
        self.at = self.at.saturating_add(run.len(self.tag.get(self.at..).unwrap_or_default()));
    }

    fn skip_while(&mut self, matches: impl Fn(u8) -> bool) {
        let rest = self.tag.get(self.at..).unwrap_or_default();
        let len = rest.iter().position(|byte| !matches(*byte)).unwrap_or(rest.len());
        self.at = self.at.saturating_add(len);
    }

    fn peek(&self) -> Option<u8> {
        self.tag.get(self.at).copied()
    }
}

/// ASCII whitespace (WHATWG Infra § 4.6).
pub(crate) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\x0c' | b'\r')
}

/// Which runs of characters in a tag a character ends: one look at a table for each character of every tag.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Run {
    /// The name of the tag.
    TagName = 1,
    /// The name of an attribute.
    AttributeName = 2,
    /// A value without quotes.
    Unquoted = 4,
}

#[expect(clippy::indexing_slicing, reason = "while it is compiled")]
const ENDS: [u8; 256] = {
    let mut ends = [0; 256];
    let all = Run::TagName as u8 | Run::AttributeName as u8 | Run::Unquoted as u8;
    ends[b' ' as usize] = all;
    ends[b'\t' as usize] = all;
    ends[b'\n' as usize] = all;
    ends[0x0C] = all;
    ends[b'\r' as usize] = all;
    ends[b'>' as usize] = all;
    ends[b'/' as usize] = Run::TagName as u8 | Run::AttributeName as u8;
    ends[b'=' as usize] = Run::AttributeName as u8;
    ends
};

impl Run {
    /// How many bytes the run has that starts here.
    pub(crate) fn len(self, bytes: &[u8]) -> usize {
        let ends = |byte: &u8| ENDS.get(usize::from(*byte)).is_some_and(|ends| ends & self as u8 != 0);
        bytes.iter().position(ends).unwrap_or(bytes.len())
    }
}

impl Iterator for Attributes<'_> {
    type Item = Attribute;

    fn next(&mut self) -> Option<Attribute> {
        self.skip_while(|byte| is_space(byte) || byte == b'/');
        if matches!(self.peek()?, b'>') {
            return None;
        }
        let start = self.at;
        // An `=` that comes first belongs to the name.
        self.at = self.at.saturating_add(1);
        self.skip(Run::AttributeName);
        let name = start..self.at;
        self.skip_while(is_space);
        if self.peek() != Some(b'=') {
            return Some(Attribute { name, value: None });
        }
        self.at = self.at.saturating_add(1);
        self.skip_while(is_space);
        let value = match self.peek() {
            Some(quote @ (b'"' | b'\'')) => {
                self.at = self.at.saturating_add(1);
                let start = self.at;
                let rest = self.tag.get(self.at..).unwrap_or_default();
                self.at = self.at.saturating_add(memchr(quote, rest).unwrap_or(rest.len()));
                let value = start..self.at;
                self.at = self.at.saturating_add(1);
                Some(value)
            }
            Some(b'>') | None => None,
            Some(_) => {
                let start = self.at;
                self.skip(Run::Unquoted);
                Some(start..self.at)
            }
        };
        Some(Attribute { name, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_an_attribute_is_read() {
        type Expected = &'static [(&'static str, Option<&'static str>)];
        let cases: &[(&str, Expected)] = &[
            ("<a>", &[]),
            ("<a b>", &[("b", None)]),
            ("<a b=c d='e' f=\"g\">", &[("b", Some("c")), ("d", Some("e")), ("f", Some("g"))]),
            ("<a b = c\td\n=\n'e f'/>", &[("b", Some("c")), ("d", Some("e f"))]),
            ("<a =b=c>", &[("=b", Some("c"))]),
            ("<a b='c'd=e/>", &[("b", Some("c")), ("d", Some("e/"))]),
            ("<a/b/c=''>", &[("b", None), ("c", Some(""))]),
            ("<a b=>", &[("b", None)]),
            ("<a b= >", &[("b", None)]),
            ("<a b='>'>", &[("b", Some(">"))]),
            ("<a b\"c>", &[("b\"c", None)]),
        ];
        for (tag, expected) in cases {
            let found: Vec<(&str, Option<&str>)> = Attributes::new(tag.as_bytes(), 2)
                .map(|it| (tag.get(it.name).unwrap(), it.value.map(|value| tag.get(value).unwrap())))
                .collect();
            assert_eq!(found, *expected, "{tag}");
        }
    }
}
