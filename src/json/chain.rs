//! Several editors on one text, each working on what the ones before it left, as if the text had been written out and read
//! again in between. What comes out are edits of the text as it came.
//!
//! Two JSON patches side by side would not do: each would put its comma where the other one puts its own.

use std::collections::VecDeque;
use std::ops::Range;

use engraft_locate::offset::{as_u64, as_usize};

use crate::html::text_editor::{TextEdit, TextEditor, TextOutcome};

/// See the [module](self). [`write`](Self::write) the text, which has no gaps, then [`end`](Self::end) it.
#[derive(Debug)]
pub struct Chain<E> {
    links: Vec<Link<E>>,
    node_ended: bool,
}

/// One editor, and the text that it still may change.
#[derive(Debug)]
struct Link<E> {
    editor: E,
    /// What the editor has seen and may still change.
    queue: VecDeque<Piece>,
    /// Where the queue starts, as the editor counts; `None` before the first piece.
    start: Option<u64>,
    /// How many bytes are queued.
    queued: u64,
    edits: VecDeque<TextEdit>,
}

/// A piece of text on its way, and the part of the source that it stands for.
#[derive(Debug)]
struct Piece {
    source: Range<u64>,
    bytes: Vec<u8>,
    /// It is not what the source has there.
    changed: bool,
}

impl<E: TextEditor> Chain<E> {
    /// Editors in the order in which they work.
    #[must_use]
    pub fn new(editors: impl IntoIterator<Item = E>) -> Self {
        let link =
            |editor| Link { editor, queue: VecDeque::new(), start: None, queued: 0, edits: VecDeque::new() };
        Self { links: editors.into_iter().map(link).collect(), node_ended: false }
    }

    /// The editors.
    pub fn editors(&self) -> impl Iterator<Item = &E> {
        self.links.iter().map(|link| &link.editor)
    }

    /// As [`TextEditor::write`].
    pub fn write(&mut self, text: &[u8], at: u64, edits: &mut Vec<TextEdit>) {
        if std::mem::take(&mut self.node_ended) {
            self.pass(None, edits, |link| link.tell(E::end_node));
        }
        if let [link] = self.links.as_mut_slice() {
            return link.editor.write(text, at, edits);
        }
        let end = at.saturating_add(as_u64(text.len()));
        self.pass(Some(Piece { source: at..end, bytes: text.to_vec(), changed: false }), edits, |_| ());
    }

    /// As [`TextEditor::end_node`].
    pub fn end_node(&mut self) {
        self.node_ended = true;
    }

    /// As [`TextEditor::end`]. Returns what became of each editor's work.
    pub fn end(&mut self, edits: &mut Vec<TextEdit>) -> Vec<TextOutcome> {
        if let [link] = self.links.as_mut_slice() {
            return vec![link.editor.end(edits)];
        }
        let mut outcomes = Vec::new();
        self.pass(None, edits, |link| {
            outcomes.push(link.tell(E::end));
            link.start = link.start.or(Some(0));
        });
        outcomes
    }

    /// As [`TextEditor::open_from`]: at most so far back as all editors together.
    #[must_use]
    pub fn open_from(&self) -> Option<u64> {
        if let [link] = self.links.as_slice() {
            return link.editor.open_from();
        }
        // What is queued further back in the chain is further ahead in the source.
        self.links.iter().rev().find_map(|link| link.queue.front()).map(|piece| piece.source.start)
    }

    /// Lets a piece run through the chain; `then` is done to each link when what comes before it has arrived there.
    fn pass(&mut self, piece: Option<Piece>, edits: &mut Vec<TextEdit>, mut then: impl FnMut(&mut Link<E>)) {
        let mut pieces: Vec<Piece> = piece.into_iter().collect();
        for link in &mut self.links {
            for piece in pieces {
                link.take(piece);
            }
            then(link);
            pieces = link.release();
        }
        edits.extend(
            pieces
                .into_iter()
                .filter(|piece| piece.changed)
                .map(|piece| TextEdit { range: piece.source, with: piece.bytes }),
        );
    }
}

impl<E: TextEditor> Link<E> {
    fn take(&mut self, piece: Piece) {
        let start = *self.start.get_or_insert(piece.source.start);
        let mut edits = Vec::new();
        self.editor.write(&piece.bytes, start.saturating_add(self.queued), &mut edits);
        self.edits.extend(edits);
        self.queued = self.queued.saturating_add(as_u64(piece.bytes.len()));
        self.queue.push_back(piece);
    }

    fn tell<T>(&mut self, what: impl FnOnce(&mut E, &mut Vec<TextEdit>) -> T) -> T {
        let mut edits = Vec::new();
        let said = what(&mut self.editor, &mut edits);
        self.edits.extend(edits);
        said
    }

    /// What the editor will not change any more, with what it has changed.
    fn release(&mut self) -> Vec<Piece> {
        let Some(start) = self.start else { return Vec::new() };
        let end = start.saturating_add(self.queued);
        let limit = self.editor.open_from().unwrap_or(end).min(end);
        let mut out = Vec::new();
        while self.edits.front().is_some_and(|edit| edit.range.end <= limit) {
            let Some(edit) = self.edits.pop_front() else { break };
            let from = self.start.unwrap_or_default();
            self.cut(edit.range.start.saturating_sub(from), &mut out);
            let mut gone = Vec::new();
            self.cut(edit.range.end.saturating_sub(edit.range.start), &mut gone);
            let place = gone.first().map(|piece| piece.source.start);
            let place = place.or_else(|| self.queue.front().map(|piece| piece.source.start));
            let place = place.or_else(|| out.last().map(|piece| piece.source.end)).unwrap_or(from);
            let until = gone.last().map_or(place, |piece| piece.source.end);
            out.push(Piece { source: place..until, bytes: edit.with, changed: true });
        }
        let limit = self.edits.front().map_or(limit, |waiting| limit.min(waiting.range.start));
        let from = self.start.unwrap_or_default();
        self.cut(limit.saturating_sub(from), &mut out);
        out
    }

    /// Moves `n` bytes from the queue to `out`, and what was made of nothing behind them.
    fn cut(&mut self, n: u64, out: &mut Vec<Piece>) {
        let mut left = n;
        while self.queue.front().is_some_and(|piece| left > 0 || piece.bytes.is_empty()) {
            let Some(mut piece) = self.queue.pop_front() else { break };
            let length = as_u64(piece.bytes.len());
            if length > left {
                let rest = piece.split(left);
                self.queue.push_front(rest);
            }
            let moved = length.min(left);
            left = left.saturating_sub(moved);
            self.queued = self.queued.saturating_sub(moved);
            self.start = self.start.map(|start| start.saturating_add(moved));
            out.push(piece);
        }
    }
}

impl Piece {
    /// Keeps `n` bytes and returns the others. The first part of a changed piece stands for all that it replaced.
    fn split(&mut self, n: u64) -> Self {
        let bytes = self.bytes.split_off(as_usize(n).min(self.bytes.len()));
        let middle = if self.changed { self.source.end } else { self.source.start.saturating_add(n) };
        let rest = Self { source: middle..self.source.end, bytes, changed: self.changed };
        self.source.end = middle;
        rest
    }
}

impl TextEditor for Box<dyn TextEditor> {
    fn write(&mut self, text: &[u8], at: u64, edits: &mut Vec<TextEdit>) {
        self.as_mut().write(text, at, edits);
    }

    fn end_node(&mut self, edits: &mut Vec<TextEdit>) {
        self.as_mut().end_node(edits);
    }

    fn end(&mut self, edits: &mut Vec<TextEdit>) -> TextOutcome {
        self.as_mut().end(edits)
    }

    fn open_from(&self) -> Option<u64> {
        self.as_ref().open_from()
    }
}
