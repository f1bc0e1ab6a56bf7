//! JSON patches on a response body.

use std::rc::Rc;

use engraft_locate::offset::as_u64;

use super::chain::Chain;
use super::{Bounds, Editor, Medium, Plan};
use crate::html::outcome::{Outcome, Skip};
use crate::html::splice::{Edit, SpliceError, Splicer};
use crate::html::text_editor::{TextEdit, TextOutcome};

/// Applies plans to a body, each to what the ones before it left. Call [`write`](Self::write) for each chunk, then
/// [`end`](Self::end) once.
///
/// ```
/// use std::rc::Rc;
/// use engraft::json::{BodyEditor, Bounds, Change, Plan};
///
/// let set = Change::Set("\"Sale\"".to_owned());
/// let plan = Rc::new(Plan::new(vec![("/title".parse().unwrap(), set)]).unwrap());
/// let mut editor = BodyEditor::new([plan], Bounds::holding(1024));
/// let mut out = Vec::new();
/// let tail = editor.write(b"{ \"title\": \"Shop\", \"n\": 1.0 }", &mut out);
/// assert_eq!(out, b"{ \"title\": \"Sale\"");
/// assert_eq!(tail, 12, "what follows is unchanged and need not be copied");
/// ```
#[derive(Debug)]
pub struct BodyEditor {
    chain: Chain<Editor>,
    splicer: Splicer,
    position: u64,
    edits: Vec<TextEdit>,
    outcomes: Vec<Outcome>,
    bug: Option<SpliceError>,
}

impl BodyEditor {
    /// An editor for one body.
    #[must_use]
    pub fn new(plans: impl IntoIterator<Item = Rc<Plan<String>>>, bounds: Bounds) -> Self {
        let editors: Vec<Editor> =
            plans.into_iter().map(|plan| Editor::new(plan, Medium::Body, bounds)).collect();
        Self {
            outcomes: vec![Outcome::default(); editors.len()],
            chain: Chain::new(editors),
            splicer: Splicer::default(),
            position: 0,
            edits: Vec::new(),
            bug: None,
        }
    }

    /// Whether the rest of the body passes as it is: [`write`](Self::write) need not be called any more.
    #[must_use]
    pub fn is_done(&self) -> bool {
        (self.bug.is_some() || self.chain.editors().all(Editor::is_lost)) && self.splicer.held().is_empty()
    }

    /// The largest number of bytes that were held between two chunks.
    #[must_use]
    pub const fn max_held(&self) -> usize {
        self.splicer.max_held()
    }

    /// Takes the next bytes of the body and adds to `out` what may leave. Returns how many bytes at the end of `chunk`
    /// follow `out` unchanged; they are not copied.
    pub fn write(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> usize {
        let at = self.position;
        self.position = at.saturating_add(as_u64(chunk.len()));
        if self.bug.is_some() {
            return self.splicer.push(chunk, self.position, out);
        }
        self.chain.write(chunk, at, &mut self.edits);
        self.splice();
        let located = self.chain.open_from().unwrap_or(self.position);
        self.splicer.push(chunk, located, out)
    }

    /// The body has ended: adds to `out` all that is left.
    pub fn end(&mut self, out: &mut Vec<u8>) {
        if self.bug.is_none() {
            for (outcome, found) in self.outcomes.iter_mut().zip(self.chain.end(&mut self.edits)) {
                match found {
                    TextOutcome::Applied => outcome.applied = 1,
                    TextOutcome::Missed => {}
                    TextOutcome::Skipped(reason) => {
                        outcome.skipped.insert(reason, 1);
                    }
                }
            }
            self.splice();
        }
        self.splicer.finish(out);
    }

    /// What became of each plan, in their order.
    #[must_use]
    pub fn outcomes(mut self) -> Vec<Outcome> {
        if self.bug.is_some() {
            for outcome in &mut self.outcomes {
                *outcome = Outcome { skipped: [(Skip::Internal, 1)].into(), ..Outcome::default() };
            }
        }
        self.outcomes
    }

    fn splice(&mut self) {
        for edit in self.edits.drain(..) {
            if let Err(bug) = self.splicer.edit(Edit::new(edit.range, edit.with, 0)) {
                self.bug = Some(bug);
                self.splicer.abandon();
                break;
            }
        }
    }
}
