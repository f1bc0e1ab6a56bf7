//! Lines that belong to lines, drawn as a tree no wider than the terminal.

use std::io::{self, Write};

use clap::builder::styling::Style;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::output::Palette;
use crate::printable;

/// What a piece of a line is to the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Name,
    Good,
    Bad,
    Faint,
}

/// A line and those that belong to it.
#[derive(Debug, Clone, Default)]
pub(super) struct Node {
    pieces: Vec<(Tone, String)>,
    children: Vec<Self>,
}

impl Tone {
    const fn style(self, palette: &Palette) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Name => palette.place,
            Self::Good => palette.fine,
            Self::Bad => palette.error,
            Self::Faint => palette.faint,
        }
    }
}

impl Node {
    /// A line with this at its start. Whatever a terminal would obey in it is written out.
    pub(super) fn new(tone: Tone, text: &str) -> Self {
        Self::default().with(tone, text)
    }

    /// And this after it.
    pub(super) fn with(mut self, tone: Tone, text: &str) -> Self {
        self.pieces.push((tone, printable::line(text).into_owned()));
        self
    }

    /// And these below it.
    pub(super) fn and(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children);
        self
    }

    /// Whether nothing stands below it.
    pub(super) const fn is_leaf(&self) -> bool {
        self.children.is_empty()
    }

    /// Writes it and all below it, each on a line of so many columns at most.
    pub(super) fn write(&self, out: &mut dyn Write, palette: &Palette, columns: usize) -> io::Result<()> {
        self.write_line(out, palette, columns)?;
        self.write_children(out, palette, columns, "")
    }

    fn write_children(
        &self,
        out: &mut dyn Write,
        palette: &Palette,
        columns: usize,
        before: &str,
    ) -> io::Result<()> {
        for (number, child) in self.children.iter().enumerate() {
            let is_last = number.saturating_add(1) == self.children.len();
            let (branch, below) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            let faint = palette.faint;
            write!(out, "{faint}{before}{branch}{faint:#}")?;
            let room = columns.saturating_sub(before.width().saturating_add(branch.width()));
            child.write_line(out, palette, room)?;
            child.write_children(out, palette, columns, &format!("{before}{below}"))?;
        }
        Ok(())
    }

    fn write_line(&self, out: &mut dyn Write, palette: &Palette, columns: usize) -> io::Result<()> {
        let width: usize = self.pieces.iter().map(|(_, text)| text.width()).sum();
        let mut room = if width <= columns { usize::MAX } else { columns.saturating_sub(1) };
        for (tone, text) in &self.pieces {
            let shown = fitting(text, room);
            let style = tone.style(palette);
            write!(out, "{style}{shown}{style:#}")?;
            room = room.saturating_sub(shown.width());
            if shown.len() < text.len() {
                write!(out, "…")?;
                break;
            }
        }
        writeln!(out)
    }
}

/// The start of a text that takes no more than so many columns.
pub(super) fn fitting(text: &str, columns: usize) -> &str {
    let mut taken = 0_usize;
    for (at, c) in text.char_indices() {
        taken = taken.saturating_add(c.width().unwrap_or(0));
        if taken > columns {
            return text.get(..at).unwrap_or(text);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_hang_from_their_line_and_end_at_the_edge() {
        let plain = |text: &str| Node::new(Tone::Plain, text);
        let below = plain("b").and([plain("c").and([plain("漢字漢字漢字")]), plain("d\u{1b}[1m")]);
        let tree = plain("a").and([below, Node::new(Tone::Name, "name").with(Tone::Faint, ": 1234567890")]);
        let mut out = Vec::new();
        tree.write(&mut out, &Palette::default(), 17).unwrap();
        let expected = "a\n├─ b\n│  ├─ c\n│  │  └─ 漢字漢…\n│  └─ d\\u{1b}[1m\n└─ name: 1234567…\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
