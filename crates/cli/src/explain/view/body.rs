//! The branches of the body: what became of it, each edit with its place in the page, and what the visitor saw of experiments.

use engraft::explain::trace::{Body, Edit, Trace};

use super::choice::branch;
use super::{Node, Tone, count};
use crate::explain::tree::fitting;
use crate::printable;

/// How many edits are shown; JSON has them all.
const MAX_EDITS: usize = 40;
/// How much of a text that was, or is, is shown.
const MAX_TEXT: usize = 36;

pub(super) fn body(trace: &Trace, page: Option<&[u8]>) -> Option<Node> {
    let Body { state, max_held_bytes, edits, more_edits } = trace.body.as_ref()?;
    let tone = if state.starts_with("broken") { Tone::Bad } else { Tone::Plain };
    let mut node = Node::new(Tone::Plain, "body: ").with(tone, state);
    if !edits.is_empty() {
        let all = edits.len().saturating_add(*more_edits);
        node = node.with(Tone::Plain, &format!(", {}", count(all, "edit")));
    }
    if *max_held_bytes > 0 {
        node = node.with(Tone::Faint, &format!(", {} held at most", count(*max_held_bytes, "byte")));
    }
    let mut place = Place::default();
    let shown = edits.iter().take(MAX_EDITS).map(|edit| {
        let at = page.map(|page| place.of(page, edit.start));
        show(edit, at)
    });
    let node = node.and(shown);
    let more = edits.len().saturating_sub(MAX_EDITS).saturating_add(*more_edits);
    Some(node.and((more > 0).then(|| Node::new(Tone::Faint, &format!("… {more} more, which --json has")))))
}

pub(super) fn exposures(trace: &Trace) -> Option<Node> {
    let exposures = trace.exposures.iter().map(|exposure| {
        Node::new(Tone::Name, &exposure.experiment).with(Tone::Plain, &format!(" = {}", exposure.variation))
    });
    branch("exposures", exposures)
}

fn show(edit: &Edit, at: Option<(usize, usize)>) -> Node {
    let at = match at {
        Some((line, column)) => format!("{line}:{column} "),
        None => format!("byte {} ", edit.start),
    };
    let node = Node::new(Tone::Faint, &at).with(Tone::Name, &edit.patches.join(", "));
    let was = (!edit.was.is_empty()).then(|| short(&edit.was));
    let with = (!edit.with.is_empty()).then(|| short(&edit.with));
    match (was, with) {
        (Some(was), Some(with)) => {
            node.with(Tone::Bad, &format!(" {was}")).with(Tone::Plain, " → ").with(Tone::Good, &with)
        }
        (Some(was), None) => node.with(Tone::Bad, &format!(" {was}")).with(Tone::Plain, " goes"),
        (None, Some(with)) => node.with(Tone::Plain, " + ").with(Tone::Good, &with),
        (None, None) => node,
    }
}

/// A text on one line, cut.
fn short(text: &str) -> String {
    let text = printable::line(text);
    let shown = fitting(&text, MAX_TEXT);
    if shown.len() < text.len() { format!("{shown}…") } else { text.into_owned() }
}

/// A place in a page, found by going on from the one before.
#[derive(Debug)]
struct Place {
    offset: usize,
    line: usize,
    line_start: usize,
}

impl Default for Place {
    fn default() -> Self {
        Self { offset: 0, line: 1, line_start: 0 }
    }
}

impl Place {
    /// The line, and the column in characters, of a byte that is not before the last one.
    fn of(&mut self, page: &[u8], offset: u64) -> (usize, usize) {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX).min(page.len()).max(self.offset);
        for (at, byte) in page.iter().enumerate().take(offset).skip(self.offset) {
            if *byte == b'\n' {
                self.line = self.line.saturating_add(1);
                self.line_start = at.saturating_add(1);
            }
        }
        self.offset = offset;
        let before = page.get(self.line_start..offset).unwrap_or_default();
        (self.line, String::from_utf8_lossy(before).chars().count().saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_lines_and_characters() {
        let page = "aé<b>\n\nö<c>\n";
        let mut place = Place::default();
        let found: Vec<(usize, usize)> = ["<b>", "b>", "\n\n", "ö", "<c>"]
            .map(|text| place.of(page.as_bytes(), u64::try_from(page.find(text).unwrap()).unwrap()))
            .into();
        assert_eq!(found, [(1, 3), (1, 4), (1, 6), (3, 1), (3, 2)]);
        assert_eq!(place.of(page.as_bytes(), 1000), (4, 1));
    }
}
