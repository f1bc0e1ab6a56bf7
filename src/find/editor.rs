//! The editor of one element's text.

use std::rc::Rc;

use engraft_locate::offset::{as_u64, as_usize};

use super::Page;
use super::pattern::{Found, Horizon};
use super::reader::{Read, Reader};
use super::window::Window;
use crate::html::outcome::Skip;
use crate::html::seam;
use crate::html::text_editor::{TextEdit, TextEditor, TextOutcome};

/// How much is decoded before it is searched: a page may come as one piece.
const SLICE_BYTES: usize = 4096;

/// Finds and replaces in one element. It holds back what may become a match: the start of the text that is looked for, or
/// twice the length of the longest match of an expression.
#[derive(Debug)]
pub(super) struct Editor {
    page: Rc<Page>,
    reader: Reader,
    window: Window,
    /// The source of the node, as far as matches may still stand in it, and a little before; and where it starts.
    source: Vec<u8>,
    source_at: u64,
    /// Bytes behind the window that are not decided yet: a part of a character or of a reference.
    pending: Vec<u8>,
    /// Where in the window a match may start.
    from: usize,
    is_in_node: bool,
    /// The window has only what can't be read before it.
    is_after_unreadable: bool,
    replaced: u32,
    unreadable: bool,
    given_up: bool,
}

impl Editor {
    pub(super) fn new(page: Rc<Page>) -> Self {
        Self {
            reader: Reader::new(page.charset),
            page,
            window: Window::default(),
            source: Vec::new(),
            source_at: 0,
            pending: Vec::new(),
            from: 0,
            is_in_node: false,
            is_after_unreadable: false,
            replaced: 0,
            unreadable: false,
            given_up: false,
        }
    }

    fn start_node(&mut self, at: u64) {
        self.reader.start();
        self.window.start(at);
        self.source.clear();
        self.source_at = at;
        self.pending.clear();
        self.from = 0;
        self.is_in_node = true;
        self.is_after_unreadable = false;
    }

    /// Where the next piece of this node must start.
    fn next_offset(&self) -> u64 {
        self.window.end().saturating_add(as_u64(self.pending.len()))
    }

    fn take(&mut self, piece: &[u8], end: bool, edits: &mut Vec<TextEdit>) {
        self.pending.extend_from_slice(piece);
        self.source.extend_from_slice(piece);
        let bytes = std::mem::take(&mut self.pending);
        let mut rest = bytes.as_slice();
        while !self.given_up {
            let read = match self.reader.read(rest, end, &mut self.window) {
                Read::NeedMore => break,
                Read::Taken(length) => {
                    self.is_after_unreadable = false;
                    length
                }
                Read::Unreadable(length) => {
                    self.skip_unreadable(length, edits);
                    length
                }
            };
            rest = rest.get(read..).unwrap_or_default();
        }
        self.pending.extend_from_slice(rest);
        self.search(if end { Horizon::Closed } else { Horizon::Open }, edits);
        let open_from = as_usize(self.window.source_start(self.from).saturating_sub(self.source_at));
        let past = open_from.saturating_sub(seam::LOOK_BACK).min(self.source.len());
        self.source.drain(..past);
        self.source_at = self.source_at.saturating_add(as_u64(past));
    }

    /// The source of the node before `at`, at least as much as is to be looked at.
    fn before(&self, at: u64) -> &[u8] {
        let length = as_usize(at.saturating_sub(self.source_at)).min(self.source.len());
        self.source.get(..length).unwrap_or_default()
    }

    /// Nothing matches over it, and what follows sees a character that is no letter.
    fn skip_unreadable(&mut self, length: usize, edits: &mut Vec<TextEdit>) {
        self.unreadable = true;
        if self.is_after_unreadable {
            self.window.pass(length);
            return;
        }
        self.is_after_unreadable = true;
        self.window.push_whole(['\u{FFFD}'], length);
        self.search(Horizon::Unreadable, edits);
    }

    fn search(&mut self, horizon: Horizon, edits: &mut Vec<TextEdit>) {
        while !self.given_up {
            let text = self.window.text();
            match self.page.pattern.search(text, self.from, horizon) {
                Found::Nothing(from) => {
                    self.from = self.window.forget_before(from);
                    return;
                }
                Found::Match { range, seen } => {
                    let start = range.start;
                    self.from = match self.window.source(&range) {
                        Some(source) => {
                            let seen = text.get(..seen).unwrap_or(text);
                            let with = self.page.replacement.bytes(&self.page.pattern, seen, start);
                            let before = self.before(source.start);
                            // What nothing stands for would let what is before it and what is behind it make a tag.
                            let stays = with.is_empty() && seam::is_open(before);
                            let with = seam::behind(before, with);
                            self.given_up = !self.page.take_match() || !self.page.take_bytes(with.len());
                            if !self.given_up && !stays {
                                self.replaced = self.replaced.saturating_add(1);
                                edits.push(TextEdit { range: source, with });
                            }
                            range.end
                        }
                        None => self.discard(start),
                    };
                }
                Found::Discarded(start) => self.from = self.discard(start),
            }
        }
    }

    /// Goes on behind the first character of what does not count.
    fn discard(&mut self, start: usize) -> usize {
        self.given_up = !self.page.take_match();
        let rest = self.window.text().get(start..).unwrap_or_default();
        start.saturating_add(rest.chars().next().map_or(1, char::len_utf8))
    }
}

impl TextEditor for Editor {
    fn write(&mut self, text: &[u8], at: u64, edits: &mut Vec<TextEdit>) {
        if self.is_in_node && at != self.next_offset() {
            self.end_node(edits);
        }
        if !self.is_in_node {
            self.start_node(at);
        }
        for piece in text.chunks(SLICE_BYTES) {
            if self.given_up {
                return;
            }
            self.take(piece, false, edits);
        }
    }

    fn end_node(&mut self, edits: &mut Vec<TextEdit>) {
        if self.is_in_node && !self.given_up {
            self.take(&[], true, edits);
        }
        self.is_in_node = false;
    }

    fn end(&mut self, edits: &mut Vec<TextEdit>) -> TextOutcome {
        self.end_node(edits);
        if self.given_up {
            TextOutcome::Skipped(Skip::TooManyMatches)
        } else if self.replaced > 0 {
            TextOutcome::Applied
        } else if self.unreadable {
            TextOutcome::Skipped(Skip::UnreadableText)
        } else {
            TextOutcome::Missed
        }
    }

    fn open_from(&self) -> Option<u64> {
        if !self.is_in_node || self.given_up {
            return None;
        }
        let start = self.window.source_start(self.from);
        (start < self.next_offset()).then_some(start)
    }
}
