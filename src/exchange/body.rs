//! The body: chunks in, edited chunks out, one report at the end.

use super::report::{BodyState, PatchReport, Report};
use crate::html::editor::Editor;

/// The edits of one body. [`write`](Self::write) each chunk, then [`end`](Self::end); if the exchange breaks off, call
/// [`abort`](Self::abort) instead.
#[derive(Debug)]
pub struct Edits {
    editor: Editor,
    /// Label and `required` of each patch, in the editor's order.
    names: Vec<(String, bool)>,
    report: Report,
}

impl Edits {
    pub(super) const fn new(editor: Editor, names: Vec<(String, bool)>, report: Report) -> Self {
        Self { editor, names, report }
    }

    /// Whether the rest of the body passes as it is: chunks need not be written any more.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.editor.is_done()
    }

    /// Takes the next chunk and adds to `out` what may leave. Returns how many bytes at the end of `chunk` follow `out`
    /// unchanged; they are not copied.
    pub fn write(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> usize {
        self.editor.write(chunk, out)
    }

    /// The body has ended: adds to `out` all that is left.
    #[must_use]
    pub fn end(mut self, out: &mut Vec<u8>) -> Report {
        self.editor.end(out);
        self.report.body = BodyState::Edited;
        self.finish()
    }

    /// The exchange broke off.
    #[must_use]
    pub fn abort(mut self) -> Report {
        self.report.body = BodyState::Aborted;
        self.finish()
    }

    fn finish(self) -> Report {
        let Self { editor, names, mut report } = self;
        report.max_held_bytes = editor.max_held();
        let reports = names
            .into_iter()
            .zip(editor.outcomes())
            .map(|((label, required), outcome)| PatchReport { label, required, outcome: Some(outcome) });
        report.patches.extend(reports);
        report
    }
}
