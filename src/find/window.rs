//! The stretch of decoded text that is being searched, and where each character of it is in the source.

use std::ops::Range;

use engraft_locate::offset::as_u64;

/// Decoded text that may still have a match in it. Positions in it are those of the string, in bytes.
#[derive(Debug, Default)]
pub(super) struct Window {
    text: String,
    /// In order; each goes up to the next one, the last one up to `end`.
    runs: Vec<Run>,
    /// Where the source goes on.
    end: u64,
}

#[derive(Debug, Clone, Copy)]
struct Run {
    text: usize,
    source: u64,
    /// Its characters come from one piece of source that can't be parted; otherwise each byte is its own source.
    whole: bool,
}

impl Window {
    /// Empty, before the byte at `source`.
    pub(super) fn start(&mut self, source: u64) {
        self.text.clear();
        self.runs.clear();
        self.end = source;
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Where the source goes on behind the text.
    pub(super) const fn end(&self) -> u64 {
        self.end
    }

    /// Text that the source has byte for byte.
    pub(super) fn push_plain(&mut self, text: &str) {
        if self.runs.last().is_none_or(|run| run.whole) {
            self.runs.push(Run { text: self.text.len(), source: self.end, whole: false });
        }
        self.text.push_str(text);
        self.end = self.end.saturating_add(as_u64(text.len()));
    }

    /// Characters that `length` bytes of source stand for together.
    pub(super) fn push_whole(&mut self, characters: impl IntoIterator<Item = char>, length: usize) {
        self.runs.push(Run { text: self.text.len(), source: self.end, whole: true });
        self.text.extend(characters);
        self.pass(length);
    }

    /// Source that adds nothing to the text.
    pub(super) fn pass(&mut self, length: usize) {
        self.end = self.end.saturating_add(as_u64(length));
    }

    /// The source of a stretch of text; `None` where it would part what can't be parted.
    pub(super) fn source(&self, text: &Range<usize>) -> Option<Range<u64>> {
        let (start, is_start) = self.locate(text.start);
        let (end, is_end) = self.locate(text.end);
        (is_start && is_end).then_some(start..end)
    }

    /// Where the source of the character at `at` starts.
    pub(super) fn source_start(&self, at: usize) -> u64 {
        self.locate(at).0
    }

    fn locate(&self, at: usize) -> (u64, bool) {
        if at >= self.text.len() {
            return (self.end, true);
        }
        let behind = self.runs.partition_point(|run| run.text <= at);
        let Some(run) = behind.checked_sub(1).and_then(|index| self.runs.get(index)) else {
            return (self.end, false);
        };
        let inside = at.saturating_sub(run.text);
        if run.whole { (run.source, inside == 0) } else { (run.source.saturating_add(as_u64(inside)), true) }
    }

    /// Forgets the text before `at`, but for one character: what follows may depend on it. Returns where `at` is then.
    pub(super) fn forget_before(&mut self, at: usize) -> usize {
        let Some(cut) = self.text.get(..at).and_then(|seen| seen.char_indices().next_back()) else {
            return at;
        };
        let cut = cut.0;
        let first = self.runs.partition_point(|run| run.text <= cut).saturating_sub(1);
        self.runs.drain(..first);
        for run in &mut self.runs {
            if !run.whole {
                run.source = run.source.saturating_add(as_u64(cut.saturating_sub(run.text)));
            }
            run.text = run.text.saturating_sub(cut);
        }
        self.text.drain(..cut);
        at.saturating_sub(cut)
    }
}
