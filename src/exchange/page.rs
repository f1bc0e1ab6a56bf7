//! The page of a body: its bytes in, without content coding, and its edited bytes out.
//!
//! What is edited is known only when the encoding is, so the first bytes are held until it is (at most 1024 of them), and
//! the patches are rendered then. A page that is delivered wholly or not at all is held to its end, up to a bound.

use std::rc::Rc;

use super::document::DocumentEditor;
use super::explained::LabelledRecord;
use super::gate::{Kind, Untouched};
use super::patches::Patches;
use super::report::{BodyState, PatchReport};
use super::watched::{Watched, completed};
use crate::config::model::{Delivery, Limits};
use crate::csp::{self, Verdict};
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
    pub(super) patches: Patches,
    pub(super) values: Values,
    /// The numbers of the patches that are carried out.
    pub(super) eligible: Vec<usize>,
    pub(super) sniffer: Sniffer,
    pub(super) kind: Kind,
    /// What policies in the headers say of each edit.
    pub(super) verdicts: Vec<Verdict>,
    /// Whose policies they are.
    pub(super) page: csp::Page,
    /// What it is looked at for besides.
    pub(super) watched: Watched,
    /// Its edits are recorded.
    pub(super) records: bool,
}

/// What became of a page.
#[derive(Debug, Default)]
pub(super) struct CameTo {
    pub(super) body: BodyState,
    /// Of each patch, probed ones too.
    pub(super) patches: Vec<PatchReport>,
    /// Of what was made for its end.
    pub(super) late: Vec<Outcome>,
    /// The largest number of bytes that were held between two chunks.
    pub(super) max_held: usize,
    /// The edits that left, where they are recorded.
    pub(super) recorded: LabelledRecord,
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
    Ended(CameTo),
}

#[derive(Debug)]
struct Editing {
    editor: DocumentEditor,
    /// The reports of the patches, in order: complete where they were refused beforehand, the others as the editor's
    /// outcomes come.
    reports: Rc<[PatchReport]>,
}

impl Page {
    pub(super) fn new(plan: Plan) -> Self {
        let delivery = plan.patches.route().map(|route| route.delivery).unwrap_or_default();
        let max_whole_bytes = size(plan.limits().max_whole_bytes);
        Self { plan, delivery, max_whole_bytes, state: State::Held(Vec::new()), max_held: 0 }
    }

    /// Whether the rest of the page passes as it is: [`write`](Self::write) need not be called any more.
    pub(super) fn is_done(&self) -> bool {
        match &self.state {
            State::Held(_) => false,
            State::Editing(editing) => editing.editor.is_done(),
            State::Passing(_) | State::Ended(_) => true,
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
            State::Passing(_) | State::Ended(_) => chunk.len(),
        }
    }

    /// The page has ended: adds to `out` all that is left.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) {
        if let State::Held(held) = &mut self.state {
            let held = std::mem::take(held);
            if held.is_empty() {
                // A response without a body: there is no page to put anything into.
                self.state = State::Ended(self.plan.missed());
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
                self.state = State::Ended(self.plan.not_tried(BodyState::Aborted));
            }
            _ => self.end(out),
        }
    }

    /// What became of the page.
    pub(super) fn outcome(self) -> CameTo {
        let mut came_to = match self.state {
            State::Held(_) => self.plan.not_tried(BodyState::Aborted),
            State::Passing(reason) => self.plan.not_tried(BodyState::Untouched(reason)),
            State::Ended(came_to) => came_to,
            State::Editing(editing) => editing.came_to(),
        };
        came_to.max_held = came_to.max_held.max(self.max_held);
        came_to
    }

    /// What a body says that was never looked at.
    pub(super) fn not_tried(&self) -> CameTo {
        self.plan.not_tried(BodyState::Aborted)
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
        let mut came_to = CameTo { max_held: 0, ..editing.came_to() };
        let stands = came_to.patches.iter().filter(|report| !report.is_probe).all(PatchReport::stands);
        out.append(if stands { &mut edited } else { &mut page });
        if !stands {
            came_to.patches.iter_mut().for_each(PatchReport::revert);
            came_to.late.iter_mut().for_each(Outcome::revert);
            came_to.recorded = LabelledRecord::default();
            came_to.body = BodyState::Reverted;
        }
        // Of a page that is all or nothing, a patch that would have been taken back would not have been seen.
        let probes = came_to.patches.iter_mut().filter(|report| report.is_probe && !report.stands());
        probes.for_each(PatchReport::revert);
        self.state = State::Ended(came_to);
    }
}

impl Editing {
    /// Writes bytes that are not the chunk of the call: what follows them unchanged is copied.
    fn write_all(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let tail = self.editor.write(bytes, out);
        out.extend_from_slice(bytes.get(bytes.len().saturating_sub(tail)..).unwrap_or_default());
    }

    fn came_to(mut self) -> CameTo {
        let max_held = self.editor.max_held();
        let edited: Vec<&PatchReport> =
            self.reports.iter().filter(|report| report.outcome.is_none()).collect();
        let recorded = self.editor.take_record().map(|recorded| LabelledRecord::new(recorded, &edited));
        let mut outcomes = self.editor.outcomes().into_iter();
        let patches = completed(&self.reports, outcomes.by_ref());
        let recorded = recorded.unwrap_or_default();
        CameTo { body: BodyState::Edited, patches, late: outcomes.collect(), max_held, recorded }
    }
}

impl Plan {
    fn limits(&self) -> &Limits {
        self.patches.engine().limits()
    }

    fn patches(&self) -> impl Iterator<Item = &Patch> {
        self.numbered(&self.eligible)
    }

    fn probed(&self) -> impl Iterator<Item = &Patch> {
        self.numbered(&self.watched.probed)
    }

    fn numbered<'p>(&'p self, numbers: &'p [usize]) -> impl Iterator<Item = &'p Patch> {
        self.patches.numbered(numbers).filter(|patch| patch.edits(self.kind))
    }

    /// What the patches of a page report that has nothing.
    fn missed(&self) -> CameTo {
        let mut came_to = self.not_tried(BodyState::Edited);
        for report in &mut came_to.patches {
            report.outcome = Some(Outcome::default());
        }
        came_to
    }

    fn not_tried(&self, body: BodyState) -> CameTo {
        let patches = self.patches().map(PatchReport::not_tried);
        let probes = self.probed().map(PatchReport::probe);
        CameTo { body, patches: patches.chain(probes).collect(), ..CameTo::default() }
    }

    fn editing(&self, charset: Charset) -> Editing {
        let mut editing = match self.kind {
            Kind::Html => self.editing_html(charset),
            Kind::Json => self.editing_json(),
        };
        if self.records {
            editing.editor.record();
        }
        editing
    }

    fn editing_html(&self, charset: Charset) -> Editing {
        let limits = self.limits();
        let (mut reports, mut rendered) = (Vec::new(), Vec::new());
        let patches = admitted(self.patches(), &self.verdicts).map(|edit| (edit, false));
        let probes = admitted(self.probed(), &self.watched.verdicts).map(|edit| (edit, true));
        for (admitted, is_probe) in patches.chain(probes) {
            let outcome = match admitted.render(&self.values, charset, &self.page) {
                Ok(patch) => {
                    rendered.push(if is_probe { patch.probe() } else { patch });
                    None
                }
                Err(reason) => Some(Outcome::skipped(reason)),
            };
            reports.push(PatchReport {
                part: admitted.edit.part,
                outcome,
                is_probe,
                ..PatchReport::not_tried(admitted.patch)
            });
        }
        let bounds = Bounds {
            max_tag_bytes: size(limits.max_tag_bytes),
            max_elements: limits.max_elements,
            max_undecided_bytes: limits.max_held_bytes.into(),
        };
        let reports: Rc<[PatchReport]> = reports.into();
        let late = self
            .watched
            .late
            .iter()
            .map(|edit| edit.insertion(&reports, &self.page, self.sniffer.is_xml()))
            .collect();
        let editor = Editor::with_late(rendered, late, charset, bounds, size(limits.max_held_bytes));
        Editing { editor: DocumentEditor::Html(Box::new(editor)), reports }
    }

    fn editing_json(&self) -> Editing {
        let plan = |patch: &Patch| match &patch.action {
            Action::Json(edit) => Some(edit.for_body(&self.values)),
            _ => None,
        };
        let patches = self.patches().filter_map(|patch| Some((PatchReport::not_tried(patch), plan(patch)?)));
        let probed = self.probed().filter_map(|patch| Some((PatchReport::probe(patch), plan(patch)?)));
        let (mut reports, plans): (Vec<_>, Vec<_>) = patches.unzip();
        let (of_probes, probes): (Vec<_>, Vec<_>) = probed.unzip();
        reports.extend(of_probes);
        let bounds = json::Bounds::holding(size(self.limits().max_held_bytes));
        let editor = BodyEditor::with_probes(plans, probes, bounds);
        Editing { editor: DocumentEditor::Json(Box::new(editor)), reports: reports.into() }
    }
}

fn size(bytes: u32) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
