//! The page of a body: its bytes in, without content coding, and its edited bytes out.
//!
//! What is edited is known only when the encoding is, so the first bytes are held until it is (at most 1024 of them), and
//! the patches are rendered then. A page that is delivered wholly or not at all is held to its end, up to a bound.

use std::sync::Arc;

use super::document::DocumentEditor;
use super::gate::{Kind, Untouched};
use super::report::{BodyState, PatchReport};
use crate::config::model::Delivery;
use crate::csp::{self, Verdict};
use crate::engine::{Engine, Route};
use crate::html::charset::{Charset, Sniffer, Unsupported};
use crate::html::editor::Editor;
use crate::html::locate::Bounds;
use crate::html::outcome::Outcome;
use crate::json::{self, BodyEditor};
use crate::patch::admission::admitted;
use crate::patch::{Action, Patch};
use crate::request::attributes::Values;

/// What is to be done to a page.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) engine: Arc<Engine>,
    /// Index of the route in the engine.
    pub(super) route: usize,
    pub(super) values: Values,
    /// Indexes of the patches whose guards hold.
    pub(super) eligible: Vec<usize>,
    pub(super) sniffer: Sniffer,
    pub(super) kind: Kind,
    /// What policies in the headers say of each edit.
    pub(super) verdicts: Vec<Verdict>,
    /// Whose policies they are.
    pub(super) page: csp::Page,
}

/// See the [module](self). [`write`](Self::write) each chunk, then [`end`](Self::end) or [`cut_off`](Self::cut_off).
#[derive(Debug)]
pub(super) struct Page {
    plan: Plan,
    delivery: Delivery,
    max_whole_bytes: usize,
    state: State,
    max_held: usize,
}

#[derive(Debug)]
enum State {
    /// Nothing is out. In a stream it is too early to tell the encoding.
    Held(Vec<u8>),
    Editing(Box<Editing>),
    Passing(Untouched),
    Ended(BodyState, Vec<PatchReport>),
}

#[derive(Debug)]
struct Editing {
    editor: DocumentEditor,
    /// The reports of the patches, in order: complete where they were refused beforehand, the others as the editor's
    /// outcomes come.
    reports: Vec<PatchReport>,
}

impl Page {
    pub(super) fn new(plan: Plan) -> Self {
        let delivery = plan.route().map(|route| route.delivery).unwrap_or_default();
        let max_whole_bytes = size(plan.engine.limits().max_whole_bytes);
        Self { plan, delivery, max_whole_bytes, state: State::Held(Vec::new()), max_held: 0 }
    }

    /// Whether the rest of the page passes as it is: [`write`](Self::write) need not be called any more.
    pub(super) fn is_done(&self) -> bool {
        match &self.state {
            State::Held(_) => false,
            State::Editing(editing) => editing.editor.is_done(),
            State::Passing(_) | State::Ended(..) => true,
        }
    }

    /// Takes the next bytes and adds to `out` what may leave. Returns how many bytes at the end of `chunk` follow `out`
    /// unchanged; they are not copied.
    pub(super) fn write(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> usize {
        match &mut self.state {
            State::Held(held) => {
                let held = std::mem::take(held);
                match self.delivery {
                    Delivery::Stream => self.sniff(held, chunk, out),
                    Delivery::Whole => self.collect(held, chunk, out),
                }
            }
            State::Editing(editing) => editing.editor.write(chunk, out),
            State::Passing(_) | State::Ended(..) => chunk.len(),
        }
    }

    /// The page has ended: adds to `out` all that is left.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) {
        if let State::Held(held) = &mut self.state {
            let held = std::mem::take(held);
            if held.is_empty() {
                // A response without a body: there is no page to put anything into.
                self.state = State::Ended(BodyState::Edited, self.plan.missed());
                return;
            }
            self.start(self.plan.sniffer.judge(&held, true));
            match (&mut self.state, self.delivery) {
                (State::Editing(_), Delivery::Whole) => return self.all_or_nothing(held, out),
                (State::Editing(editing), Delivery::Stream) => editing.write_all(&held, out),
                _ => out.extend_from_slice(&held),
            }
        }
        if let State::Editing(editing) = &mut self.state {
            editing.editor.end(out);
        }
    }

    /// The page breaks off: adds to `out` all that came and is not out.
    pub(super) fn cut_off(&mut self, out: &mut Vec<u8>) {
        match &mut self.state {
            State::Held(held) if self.delivery == Delivery::Whole => {
                out.append(held);
                self.state = State::Ended(BodyState::Aborted, self.plan.not_tried());
            }
            _ => self.end(out),
        }
    }

    /// What became of the page and of each patch, and the largest number of bytes that were held between two chunks.
    pub(super) fn outcome(self) -> (BodyState, Vec<PatchReport>, usize) {
        match self.state {
            State::Held(_) => (BodyState::Aborted, self.plan.not_tried(), self.max_held),
            State::Passing(reason) => (BodyState::Untouched(reason), self.plan.not_tried(), self.max_held),
            State::Ended(body, patches) => (body, patches, self.max_held),
            State::Editing(editing) => {
                let max_held = self.max_held.max(editing.editor.max_held());
                (BodyState::Edited, editing.reports(), max_held)
            }
        }
    }

    /// What a body says that was never looked at.
    pub(super) fn not_tried(&self) -> Vec<PatchReport> {
        self.plan.not_tried()
    }

    fn sniff(&mut self, mut held: Vec<u8>, chunk: &[u8], out: &mut Vec<u8>) -> usize {
        if held.is_empty() {
            let verdict = self.plan.sniffer.judge(chunk, false);
            if verdict.is_some() {
                self.start(verdict);
                return self.write(chunk, out);
            }
        }
        held.extend_from_slice(chunk);
        let verdict = self.plan.sniffer.judge(&held, false);
        if verdict.is_none() {
            return self.hold(held);
        }
        self.start(verdict);
        match &mut self.state {
            State::Editing(editing) => editing.write_all(&held, out),
            _ => out.append(&mut held),
        }
        0
    }

    fn collect(&mut self, mut held: Vec<u8>, chunk: &[u8], out: &mut Vec<u8>) -> usize {
        if held.len().saturating_add(chunk.len()) > self.max_whole_bytes {
            out.append(&mut held);
            self.state = State::Passing(Untouched::TooLong);
            return chunk.len();
        }
        held.extend_from_slice(chunk);
        self.hold(held)
    }

    fn hold(&mut self, held: Vec<u8>) -> usize {
        self.max_held = self.max_held.max(held.len());
        self.state = State::Held(held);
        0
    }

    fn start(&mut self, verdict: Option<Result<Charset, Unsupported>>) {
        self.state = match verdict.unwrap_or(Ok(Charset::Undeclared)) {
            Ok(charset) => State::Editing(Box::new(self.plan.editing(charset))),
            Err(Unsupported) => State::Passing(Untouched::Charset),
        };
    }

    fn all_or_nothing(&mut self, mut page: Vec<u8>, out: &mut Vec<u8>) {
        let State::Editing(editing) = std::mem::replace(&mut self.state, State::Passing(Untouched::TooLong))
        else {
            return;
        };
        let (mut editing, mut edited) = (*editing, Vec::new());
        editing.write_all(&page, &mut edited);
        editing.editor.end(&mut edited);
        let mut patches = editing.reports();
        let stands = patches.iter().all(PatchReport::stands);
        out.append(if stands { &mut edited } else { &mut page });
        if !stands {
            patches.iter_mut().for_each(PatchReport::revert);
        }
        self.state = State::Ended(if stands { BodyState::Edited } else { BodyState::Reverted }, patches);
    }
}

impl Editing {
    /// Writes bytes that are not the chunk of the call: what follows them unchanged is copied.
    fn write_all(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let tail = self.editor.write(bytes, out);
        out.extend_from_slice(bytes.get(bytes.len().saturating_sub(tail)..).unwrap_or_default());
    }

    fn reports(self) -> Vec<PatchReport> {
        let mut outcomes = self.editor.outcomes().into_iter();
        let mut reports = self.reports;
        for report in reports.iter_mut().filter(|report| report.outcome.is_none()) {
            report.outcome = outcomes.next();
        }
        reports
    }
}

impl Plan {
    fn route(&self) -> Option<&Route> {
        self.engine.routes().get(self.route)
    }

    fn patches(&self) -> impl Iterator<Item = &Patch> {
        let patches = self.route().map(|route| route.patches.as_slice()).unwrap_or_default();
        self.eligible.iter().filter_map(|index| patches.get(*index)).filter(|patch| patch.edits(self.kind))
    }

    /// What the patches of a page report that has nothing.
    fn missed(&self) -> Vec<PatchReport> {
        let missed =
            |patch| PatchReport { outcome: Some(Outcome::default()), ..PatchReport::not_tried(patch) };
        self.patches().map(missed).collect()
    }

    fn not_tried(&self) -> Vec<PatchReport> {
        self.patches().map(PatchReport::not_tried).collect()
    }

    fn editing(&self, charset: Charset) -> Editing {
        match self.kind {
            Kind::Html => self.editing_html(charset),
            Kind::Json => self.editing_json(),
        }
    }

    fn editing_html(&self, charset: Charset) -> Editing {
        let limits = self.engine.limits();
        let (mut reports, mut rendered) = (Vec::new(), Vec::new());
        for admitted in admitted(self.patches(), &self.verdicts) {
            let outcome = match admitted.render(&self.values, charset, &self.page) {
                Ok(patch) => {
                    rendered.push(patch);
                    None
                }
                Err(reason) => Some(Outcome::skipped(reason)),
            };
            reports.push(PatchReport {
                label: admitted.label(),
                required: admitted.patch.required,
                outcome,
                is_stored: false,
            });
        }
        let bounds = Bounds {
            max_tag_bytes: size(limits.max_tag_bytes),
            max_elements: limits.max_elements,
            max_undecided_bytes: limits.max_held_bytes.into(),
        };
        let editor = Editor::new(rendered, charset, bounds, size(limits.max_held_bytes));
        Editing { editor: DocumentEditor::Html(Box::new(editor)), reports }
    }

    fn editing_json(&self) -> Editing {
        let edits = self.patches().filter_map(|patch| match &patch.action {
            Action::Json(edit) => Some((patch, edit)),
            _ => None,
        });
        let (reports, plans): (Vec<_>, Vec<_>) =
            edits.map(|(patch, edit)| (PatchReport::not_tried(patch), edit.for_body(&self.values))).unzip();
        let bounds = json::Bounds::holding(size(self.engine.limits().max_held_bytes));
        Editing { editor: DocumentEditor::Json(Box::new(BodyEditor::new(plans, bounds))), reports }
    }
}

fn size(bytes: u32) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
