//! The editors of texts that are at work, and their edits put in the order of the source.

use super::locate::ElementId;
use super::outcome::{Outcome, Skip};
use super::splice::Edit;
use super::text_editor::{TextEdit, TextEditor, TextOutcome};
use crate::json::chain::Chain;

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Texts {
    open: Vec<OpenText>,
    /// Edits that wait for those that other editors may still make in front of them.
    waiting: Vec<Edit>,
}

#[derive(Debug)]
struct OpenText {
    element: ElementId,
    work: Work,
}

/// Who edits.
#[derive(Debug)]
enum Work {
    One(usize, Box<dyn TextEditor>),
    /// Patches, and their editors in that order.
    Chained(Vec<usize>, Chain<Box<dyn TextEditor>>),
    /// A patch of which only the outcome counts.
    Probe(usize, Box<dyn TextEditor>),
}

impl Work {
    fn write(&mut self, text: &[u8], at: u64, edits: &mut Vec<TextEdit>) {
        match self {
            Self::One(_, editor) => editor.write(text, at, edits),
            Self::Chained(_, chain) => chain.write(text, at, edits),
            Self::Probe(_, editor) => editor.write(text, at, &mut Vec::new()),
        }
    }

    fn end_node(&mut self, edits: &mut Vec<TextEdit>) {
        match self {
            Self::One(_, editor) => editor.end_node(edits),
            Self::Chained(_, chain) => chain.end_node(),
            Self::Probe(_, editor) => editor.end_node(&mut Vec::new()),
        }
    }

    /// What became of each patch.
    fn end(self, edits: &mut Vec<TextEdit>) -> Vec<(usize, TextOutcome)> {
        match self {
            Self::One(patch, mut editor) => vec![(patch, editor.end(edits))],
            Self::Chained(patches, mut chain) => patches.into_iter().zip(chain.end(edits)).collect(),
            Self::Probe(patch, mut editor) => vec![(patch, editor.end(&mut Vec::new()))],
        }
    }

    fn patches(&self) -> &[usize] {
        match self {
            Self::One(patch, _) | Self::Probe(patch, _) => std::slice::from_ref(patch),
            Self::Chained(patches, _) => patches,
        }
    }

    fn open_from(&self) -> Option<u64> {
        match self {
            Self::One(_, editor) => editor.open_from(),
            Self::Chained(_, chain) => chain.open_from(),
            // It holds nothing back.
            Self::Probe(..) => None,
        }
    }
}

impl Texts {
    /// An editor for the text of an element, for a patch.
    pub(super) fn open(&mut self, element: ElementId, patch: usize, editor: Box<dyn TextEditor>) {
        self.open.push(OpenText { element, work: Work::One(patch, editor) });
    }

    /// An editor for the text of an element whose edits nobody makes.
    pub(super) fn open_probe(&mut self, element: ElementId, patch: usize, editor: Box<dyn TextEditor>) {
        self.open.push(OpenText { element, work: Work::Probe(patch, editor) });
    }

    /// Editors for the text of an element that work one after the other.
    pub(super) fn open_chain(&mut self, element: ElementId, editors: Vec<(usize, Box<dyn TextEditor>)>) {
        if !editors.is_empty() {
            let (patches, editors): (Vec<_>, Vec<_>) = editors.into_iter().unzip();
            self.open.push(OpenText { element, work: Work::Chained(patches, Chain::new(editors)) });
        }
    }

    /// A piece of a text. Where it is not markup, only the editors of that very element see it.
    pub(super) fn write(&mut self, text: &[u8], at: u64, raw: Option<ElementId>) {
        let mut edits = Vec::new();
        for open in &mut self.open {
            if raw.is_none_or(|element| element == open.element) {
                open.work.write(text, at, &mut edits);
                wait(&mut self.waiting, &mut edits, open.element);
            }
        }
    }

    /// A text is over.
    pub(super) fn end_node(&mut self) -> Vec<Edit> {
        let mut edits = Vec::new();
        for open in &mut self.open {
            open.work.end_node(&mut edits);
            wait(&mut self.waiting, &mut edits, open.element);
        }
        self.take_settled()
    }

    /// An element is over.
    pub(super) fn end(
        &mut self,
        element: ElementId,
        applied: &mut Vec<(ElementId, usize)>,
        outcomes: &mut [Outcome],
    ) -> Vec<Edit> {
        let mut edits = Vec::new();
        let all = std::mem::take(&mut self.open);
        let (over, open): (Vec<_>, Vec<_>) = all.into_iter().partition(|text| text.element == element);
        self.open = open;
        for text in over {
            let done = text.work.end(&mut edits);
            wait(&mut self.waiting, &mut edits, element);
            for (patch, outcome) in done {
                match outcome {
                    TextOutcome::Applied => applied.push((element, patch)),
                    TextOutcome::Missed => {}
                    TextOutcome::Skipped(reason) => skip(outcomes, patch, reason),
                }
            }
        }
        self.take_settled()
    }

    /// No text will come any more: what was made stands.
    pub(super) fn abandon(&mut self, outcomes: &mut [Outcome], reason: Skip) -> Vec<Edit> {
        for text in std::mem::take(&mut self.open) {
            text.work.patches().iter().for_each(|patch| skip(outcomes, *patch, reason));
        }
        self.take_settled()
    }

    /// From where on the source has to wait.
    pub(super) fn open_from(&self) -> Option<u64> {
        let open = self.open.iter().filter_map(|open| open.work.open_from());
        open.chain(self.waiting.iter().map(|edit| edit.range.start)).min()
    }

    /// The edits in front of which no other can come, in source order. Of two that overlap, that of the patch that comes
    /// first counts.
    pub(super) fn take_settled(&mut self) -> Vec<Edit> {
        let limit = self.open.iter().filter_map(|open| open.work.open_from()).min().unwrap_or(u64::MAX);
        self.waiting.sort_by_key(|edit| edit.range.start);
        let settled = self.waiting.iter().take_while(|edit| edit.range.end <= limit).count();
        let mut end = 0;
        self.waiting
            .drain(..settled)
            .filter(|edit| {
                let free = edit.range.start >= end;
                if free {
                    end = edit.range.end;
                }
                free
            })
            .collect()
    }
}

fn skip(outcomes: &mut [Outcome], patch: usize, reason: Skip) {
    if let Some(outcome) = outcomes.get_mut(patch) {
        outcome.skip(reason);
    }
}

fn wait(waiting: &mut Vec<Edit>, edits: &mut Vec<TextEdit>, element: ElementId) {
    waiting.extend(edits.drain(..).map(|edit| Edit::new(edit.range, edit.with, element.0)));
}
