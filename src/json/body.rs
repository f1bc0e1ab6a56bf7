//! JSON patches on a response body.

use std::rc::Rc;

use engraft_locate::offset::as_u64;

use super::chain::Chain;
use super::{Bounds, Editor, Medium, Plan};
use crate::html::editor::Recorded;
use crate::html::outcome::{Outcome, Skip};
use crate::html::splice::{Edit, Record, SpliceError, Splicer};
use crate::html::text_editor::{TextEdit, TextEditor as _, TextOutcome};

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
    /// Editors whose edits nobody makes.
    probes: Vec<Editor>,
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
        Self::with_probes(plans, [], bounds)
    }

    /// The same, with plans that change nothing, and hold nothing, and tell what they would have come to. Each is told by the
    /// body as it came, not as other plans leave it.
    #[must_use]
    pub fn with_probes(
        plans: impl IntoIterator<Item = Rc<Plan<String>>>,
        probes: impl IntoIterator<Item = Rc<Plan<String>>>,
        bounds: Bounds,
    ) -> Self {
        let editor = |plan| Editor::new(plan, Medium::Body, bounds);
        let editors: Vec<Editor> = plans.into_iter().map(editor).collect();
        let probes: Vec<Editor> = probes.into_iter().map(editor).collect();
        Self {
            outcomes: vec![Outcome::default(); editors.len().saturating_add(probes.len())],
            chain: Chain::new(editors),
            probes,
            splicer: Splicer::default(),
            position: 0,
            edits: Vec::new(),
            bug: None,
        }
    }

    /// From now on, keeps a record of the edits.
    pub fn record(&mut self) {
        self.splicer.record();
    }

    /// The edits that have left, each as the work of all plans that were applied; where a record is kept.
    pub fn take_record(&mut self) -> Option<Recorded> {
        let Record { edits, more, .. } = self.splicer.take_record()?;
        let applied = self.outcomes.iter().enumerate().filter(|(_, outcome)| outcome.applied > 0);
        let probes = self.outcomes.len().saturating_sub(self.probes.len());
        let applied: Vec<usize> = applied.map(|(plan, _)| plan).filter(|plan| *plan < probes).collect();
        Some(Recorded { edits: edits.into_iter().map(|edit| (applied.clone(), edit)).collect(), more })
    }

    /// Whether the rest of the body passes as it is: [`write`](Self::write) need not be called any more.
    #[must_use]
    pub fn is_done(&self) -> bool {
        let is_lost = self.chain.editors().chain(&self.probes).all(Editor::is_lost);
        (self.bug.is_some() || is_lost) && self.splicer.held().is_empty()
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
        for probe in &mut self.probes {
            probe.write(chunk, at, &mut Vec::new());
        }
        self.chain.write(chunk, at, &mut self.edits);
        self.splice();
        let located = self.chain.open_from().unwrap_or(self.position);
        self.splicer.push(chunk, located, out)
    }

    /// The body has ended: adds to `out` all that is left.
    pub fn end(&mut self, out: &mut Vec<u8>) {
        if self.bug.is_none() {
            let mut found = self.chain.end(&mut self.edits);
            found.extend(self.probes.iter_mut().map(|probe| probe.end(&mut Vec::new())));
            for (outcome, found) in self.outcomes.iter_mut().zip(found) {
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

    /// What became of each plan, in their order, and then of each probe.
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
