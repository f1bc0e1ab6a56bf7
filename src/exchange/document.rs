//! The two kinds of documents that bodies are.

use crate::html::editor::{Editor, Recorded};
use crate::html::outcome::Outcome;
use crate::json::BodyEditor;

/// Edits a document of one kind or the other; the calls are those of either editor.
#[derive(Debug)]
pub(super) enum DocumentEditor {
    Html(Box<Editor>),
    Json(Box<BodyEditor>),
}

impl DocumentEditor {
    pub(super) fn record(&mut self) {
        match self {
            Self::Html(editor) => editor.record(),
            Self::Json(editor) => editor.record(),
        }
    }

    pub(super) fn take_record(&mut self) -> Option<Recorded> {
        match self {
            Self::Html(editor) => editor.take_record(),
            Self::Json(editor) => editor.take_record(),
        }
    }

    pub(super) fn is_done(&self) -> bool {
        match self {
            Self::Html(editor) => editor.is_done(),
            Self::Json(editor) => editor.is_done(),
        }
    }

    pub(super) fn write(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> usize {
        match self {
            Self::Html(editor) => editor.write(chunk, out),
            Self::Json(editor) => editor.write(chunk, out),
        }
    }

    pub(super) fn end(&mut self, out: &mut Vec<u8>) {
        match self {
            Self::Html(editor) => editor.end(out),
            Self::Json(editor) => editor.end(out),
        }
    }

    pub(super) fn max_held(&self) -> usize {
        match self {
            Self::Html(editor) => editor.max_held(),
            Self::Json(editor) => editor.max_held(),
        }
    }

    pub(super) fn outcomes(self) -> Vec<Outcome> {
        match self {
            Self::Html(editor) => editor.outcomes(),
            Self::Json(editor) => editor.outcomes(),
        }
    }
}
