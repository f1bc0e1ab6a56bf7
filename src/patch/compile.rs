//! From the patches of a document to compiled ones, with everything that is wrong with them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::element::ElementEdit;
use super::{Action, Patch};
use crate::config::model;
use crate::config::node::Path;
use crate::config::problem::{Kind, Problem};
use crate::decide::condition::{Condition, Vocabulary};
use crate::html::selector::Selector;
use crate::request::attributes::Catalogue;

mod elements;
mod exchange;

/// What patches are compiled against, and where problems go.
#[derive(Debug)]
pub struct Compiler<'a> {
    catalogue: &'a Catalogue,
    vocabulary: Vocabulary,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Compiler<'a> {
    /// Compiles against the attributes of `catalogue`.
    #[must_use]
    pub fn new(catalogue: &'a Catalogue, problems: &'a mut Vec<Problem>) -> Self {
        Self { catalogue, vocabulary: catalogue.vocabulary(), problems }
    }

    /// Compiles one patch; `None` when something is wrong with it.
    pub fn patch(&mut self, index: usize, patch: &model::Patch, path: &Path) -> Option<Patch> {
        let before = self.problems.len();
        let when = patch.when.as_ref().and_then(|when| self.condition(when, &path.clone().key("when")));
        let action = self.action(patch, path)?;
        let mut reads: BTreeSet<String> =
            when.iter().flat_map(Condition::attributes).map(str::to_owned).collect();
        if let Action::Elements(edit) = &action {
            reads.extend(edit.attributes().map(str::to_owned));
        }
        (self.problems.len() == before).then(|| Patch {
            label: patch.name.clone().unwrap_or_else(|| index.to_string()),
            required: patch.required,
            action,
            when,
            reads,
        })
    }

    fn report(&mut self, path: &Path, message: impl Into<String>) {
        self.problems.push(Problem::new(Kind::InvalidValue, path.clone(), message));
    }

    fn condition(&mut self, when: &serde_json::Value, path: &Path) -> Option<Condition> {
        match Condition::compile(when, &self.vocabulary) {
            Ok(condition) => Some(condition),
            Err(error) => {
                self.report(path, error.to_string());
                None
            }
        }
    }

    fn action(&mut self, patch: &model::Patch, path: &Path) -> Option<Action> {
        let exchange = [
            ("redirect", patch.redirect.is_some()),
            ("rewrite", patch.rewrite.is_some()),
            ("request_headers", patch.request_headers.is_some()),
            ("response_headers", patch.response_headers.is_some()),
        ];
        let exchange: Vec<&str> =
            exchange.iter().filter(|(_, there)| *there).map(|(name, _)| *name).collect();
        let edits_elements = patch.edits_elements();
        let steps = self.steps(patch, path);
        match (&patch.select, exchange.as_slice()) {
            (Some(select), []) => {
                if !edits_elements {
                    self.report(path, "nothing is done to the elements; add an operation such as `text`, `html` or `attributes`");
                }
                let selector = self.selector(select, &path.clone().key("select"))?;
                Some(Action::Elements(ElementEdit { selector, all: patch.all, steps }))
            }
            (Some(_), [name, ..]) => {
                self.report(path, format!("`select` and `{name}` can't be in one patch; write two"));
                None
            }
            (None, []) if !edits_elements => {
                self.report(path, "nothing is done; add `select` with an operation, `redirect`, `rewrite`, `request_headers` or `response_headers`");
                None
            }
            (None, []) => {
                self.report(path, "`select` is missing: it says which elements");
                None
            }
            (None, names) => {
                if edits_elements || patch.all || patch.required {
                    self.report(
                        path,
                        format!(
                            "edits of elements and `{}` can't be in one patch; write two",
                            names.join("`, `")
                        ),
                    );
                }
                if patch.redirect.is_some() && names.len() > 1 {
                    self.report(
                        path,
                        "a redirect is the whole answer; `rewrite` and headers have no effect beside it",
                    );
                }
                self.exchange(patch, path)
            }
        }
    }

    fn selector(&mut self, select: &str, path: &Path) -> Option<Arc<Selector>> {
        match select.parse() {
            Ok(selector) => Some(Arc::new(selector)),
            Err(error) => {
                let error: crate::html::selector::SelectorError = error;
                self.report(path, error.to_string());
                None
            }
        }
    }
}
