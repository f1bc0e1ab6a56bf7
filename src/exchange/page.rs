//! The page of a body: its bytes in, without content coding, and its edited bytes out.
//!
//! What is edited is known only when the encoding is, so the first bytes are held until it is (at most 1024 of them), and
//! the patches are rendered then. A page that is delivered wholly or not at all is held to its end, up to a bound.

use super::document::DocumentEditor;
use super::gate::{Kind, Untouched};
use super::patches::Patches;
use super::report::{BodyState, PatchReport};
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
    /// The numbers of the patches whose elements are looked for.
    pub(super) probes: Vec<usize>,
    pub(super) sniffer: Sniffer,
    pub(super) kind: Kind,
    /// What policies in the headers say of each edit.
    pub(super) verdicts: Vec<Verdict>,
    /// The same of those that are looked for.
    pub(super) probe_verdicts: Vec<Verdict>,
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
    Ended(BodyState, Reports),
}

#[derive(Debug)]
struct Editing {
    editor: DocumentEditor,
    /// In order: complete where a patch was refused beforehand, the others as the editor's outcomes come.
    patches: Vec<PatchReport>,
    /// The same of patches that are looked for, by their numbers.
    probes: Vec<(usize, Option<Outcome>)>,
}

/// What came of the patches.
#[derive(Debug, Default)]
struct Reports {
    patches: Vec<PatchReport>,
    /// The numbers of the patches whose elements were looked for and found.
    found: Vec<usize>,
}

/// What came of a page.
#[derive(Debug)]
pub(super) struct PageOutcome {
    pub(super) body: BodyState,
    pub(super) patches: Vec<PatchReport>,
    /// The numbers of the patches whose elements were looked for and found.
    pub(super) found: Vec<usize>,
    /// The largest number of bytes that were held between two chunks.
    pub(super) max_held: usize,
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
                self.state = State::Ended(
                    BodyState::Edited,
                    Reports { patches: self.plan.missed(), found: Vec::new() },
                );
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
                self.state = State::Ended(BodyState::Aborted, self.plan.nothing_done());
            }
            _ => self.end(out),
        }
    }

    /// What became of the page and of each patch.
    pub(super) fn outcome(self) -> PageOutcome {
        let mut max_held = self.max_held;
        let (body, Reports { patches, found }) = match self.state {
            State::Held(_) => (BodyState::Aborted, self.plan.nothing_done()),
            State::Passing(reason) => (BodyState::Untouched(reason), self.plan.nothing_done()),
            State::Ended(body, reports) => (body, reports),
            State::Editing(editing) => {
                max_held = max_held.max(editing.editor.max_held());
                (BodyState::Edited, editing.reports())
            }
        };
        PageOutcome { body, patches, found, max_held }
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
        let mut reports = editing.reports();
        let stands = reports.patches.iter().all(PatchReport::stands);
        out.append(if stands { &mut edited } else { &mut page });
        if !stands {
            reports.patches.iter_mut().for_each(PatchReport::revert);
        }
        self.state = State::Ended(if stands { BodyState::Edited } else { BodyState::Reverted }, reports);
    }
}

impl Editing {
    /// Writes bytes that are not the chunk of the call: what follows them unchanged is copied.
    fn write_all(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let tail = self.editor.write(bytes, out);
        out.extend_from_slice(bytes.get(bytes.len().saturating_sub(tail)..).unwrap_or_default());
    }

    /// The editor has first the patches, then what is looked for.
    fn reports(self) -> Reports {
        let mut outcomes = self.editor.outcomes().into_iter();
        let mut patches = self.patches;
        for report in patches.iter_mut().filter(|report| report.outcome.is_none()) {
            report.outcome = outcomes.next();
        }
        let mut found: Vec<usize> = self.probes.iter().map(|(number, _)| *number).collect();
        found.dedup();
        for (number, refused) in self.probes {
            let outcome = refused.or_else(|| outcomes.next());
            if outcome.is_none_or(|outcome| outcome.applied == 0) {
                found.retain(|found| *found != number);
            }
        }
        Reports { patches, found }
    }
}

impl Plan {
    fn limits(&self) -> &Limits {
        self.patches.engine().limits()
    }

    fn patches(&self) -> impl Iterator<Item = &Patch> {
        self.patches.numbered(&self.eligible).filter(|patch| patch.edits(self.kind))
    }

    /// The patches that are looked for, with their numbers.
    fn probes(&self) -> impl Iterator<Item = (usize, &Patch)> {
        let numbered = self.probes.iter().filter_map(|number| Some((*number, self.patches.get(*number)?)));
        numbered.filter(|(_, patch)| patch.edits(self.kind))
    }

    fn nothing_done(&self) -> Reports {
        Reports { patches: self.not_tried(), found: Vec::new() }
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
        let limits = self.limits();
        let (mut patches, mut probes, mut rendered) = (Vec::new(), Vec::new(), Vec::new());
        for admitted in admitted(self.patches(), &self.verdicts) {
            let outcome = match admitted.render(&self.values, charset, &self.page) {
                Ok(patch) => {
                    rendered.push(patch);
                    None
                }
                Err(reason) => Some(Outcome::skipped(reason)),
            };
            let part = admitted.edit.part;
            patches.push(PatchReport { part, outcome, ..PatchReport::not_tried(admitted.patch) });
        }
        for (number, patch) in self.probes() {
            let judged: Vec<_> = admitted([patch], self.verdicts_of_probe(number)).collect();
            for admitted in judged {
                let outcome = match admitted.render(&self.values, charset, &self.page) {
                    Ok(patch) => {
                        rendered.push(patch.probe());
                        None
                    }
                    Err(reason) => Some(Outcome::skipped(reason)),
                };
                probes.push((number, outcome));
            }
        }
        let bounds = Bounds {
            max_tag_bytes: size(limits.max_tag_bytes),
            max_elements: limits.max_elements,
            max_undecided_bytes: limits.max_held_bytes.into(),
        };
        let editor = Editor::new(rendered, charset, bounds, size(limits.max_held_bytes));
        Editing { editor: DocumentEditor::Html(Box::new(editor)), patches, probes }
    }

    /// Verdicts stand one behind the other, as many for each patch as it has edits.
    fn verdicts_of_probe(&self, number: usize) -> &[Verdict] {
        let before = self.probes.iter().take_while(|probe| **probe != number);
        let before = before.filter_map(|number| self.patches.get(*number));
        let skipped: usize = before.map(|patch| patch.needs().len()).sum();
        self.probe_verdicts.get(skipped..).unwrap_or_default()
    }

    fn editing_json(&self) -> Editing {
        let edits = self.patches().filter_map(|patch| match &patch.action {
            Action::Json(edit) => Some((patch, edit)),
            _ => None,
        });
        let (patches, plans): (Vec<_>, Vec<_>) =
            edits.map(|(patch, edit)| (PatchReport::not_tried(patch), edit.for_body(&self.values))).unzip();
        let bounds = json::Bounds::holding(size(self.limits().max_held_bytes));
        let editor = DocumentEditor::Json(Box::new(BodyEditor::new(plans, bounds)));
        Editing { editor, patches, probes: Vec::new() }
    }
}

fn size(bytes: u32) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
