//! From the patches of a document to compiled ones, with everything that is wrong with them.

use std::collections::BTreeSet;
use std::sync::Arc;

use engraft_locate::offset::as_usize;
use serde_json::json;

use super::element::ElementEdit;
use super::head::Head;
use super::{Action, Guard, Patch};
use crate::config::model;
use crate::config::node::Path;
use crate::config::problem::{Code, Kind, Problem, suggest};
use crate::decide::condition::{Condition, Vocabulary};
use crate::html::operation::Site;
use crate::html::selector::Selector;
use crate::request::attributes::Catalogue;
use crate::request::decided::{self, FLAGS, VARIANTS};

mod elements;
mod exchange;
mod find;
mod inject;
mod json;
mod optimize;
mod urls;
mod whole_page;

/// What patches are compiled against, and where problems go.
#[derive(Debug)]
pub struct Compiler<'a> {
    catalogue: &'a Catalogue,
    vocabulary: Vocabulary,
    problems: &'a mut Vec<Problem>,
    max_held_bytes: usize,
}

impl<'a> Compiler<'a> {
    /// Compiles against the attributes of `catalogue`.
    #[must_use]
    pub fn new(catalogue: &'a Catalogue, problems: &'a mut Vec<Problem>) -> Self {
        let max_held_bytes = as_usize(u64::from(model::Limits::default().max_held_bytes));
        Self { catalogue, vocabulary: catalogue.vocabulary(), problems, max_held_bytes }
    }

    /// What it compiles holds so much of a text.
    #[must_use]
    pub fn holding(self, max_held_bytes: u32) -> Self {
        Self { max_held_bytes: as_usize(u64::from(max_held_bytes)), ..self }
    }

    /// Compiles one patch; `None` when something is wrong with it.
    pub fn patch(&mut self, index: usize, patch: &model::Patch, path: &Path) -> Option<Patch> {
        let before = self.problems.len();
        let guards = self.guards(patch, path);
        let (action, head) = match patch.injections().as_slice() {
            _ if patch.urls.is_some() || patch.optimize.is_some() => self.whole_page(patch, path)?,
            [] => (self.action(patch, path)?, Head::default()),
            names => (self.injections(index, patch, names, path)?, Head::default()),
        };
        let mut reads: BTreeSet<String> =
            guards.iter().flat_map(|guard| guard.condition.attributes()).map(str::to_owned).collect();
        let mut needs = Vec::new();
        match &action {
            Action::Elements(edits) => {
                needs.extend(edits.iter().map(ElementEdit::needs));
                reads.extend(edits.iter().flat_map(ElementEdit::attributes).map(str::to_owned));
            }
            Action::Json(edit) => reads.extend(edit.attributes().map(str::to_owned)),
            Action::Redirect(redirect) => reads.extend(redirect.attributes().map(str::to_owned)),
            Action::Exchange(exchange) => reads.extend(exchange.attributes().map(str::to_owned)),
        }
        (self.problems.len() == before).then(|| Patch {
            label: patch.name.clone().unwrap_or_else(|| index.to_string()),
            site: site(patch),
            required: patch.required,
            action,
            head,
            guards,
            reads,
            needs,
        })
    }

    fn report(&mut self, path: &Path, message: impl Into<String>) {
        self.report_as(Code::InvalidValue, path, message);
    }

    fn report_as(&mut self, code: Code, path: &Path, message: impl Into<String>) {
        self.problems.push(Problem::new(Kind::InvalidValue, path.clone(), message).coded(code));
    }

    fn condition(&mut self, when: &serde_json::Value, path: &Path) -> Option<Condition> {
        match Condition::compile(when, &self.vocabulary) {
            Ok(condition) => Some(condition),
            Err(error) => {
                self.report_as(Code::InvalidCondition, path, error.to_string());
                None
            }
        }
    }

    /// Its conditions: the variations, the flags, and `when`.
    fn guards(&mut self, patch: &model::Patch, path: &Path) -> Vec<Guard> {
        let mut guards = Vec::new();
        for (experiment, variation) in &patch.variant {
            let path = path.clone().key("variant").key(experiment);
            let name = decided::variant(experiment);
            if self.catalogue.input(&name).is_none() {
                self.unknown("an experiment", "experiments", VARIANTS, &name, &path);
                continue;
            }
            let known = self.catalogue.values(&name);
            if let Some(known) = known.filter(|known| !known.contains(variation)) {
                let message =
                    format!("\"{variation}\" is none of its variations; accepted: {}", known.join(", "));
                self.report(&path, message);
                continue;
            }
            let condition = self.condition(&json!({ name: variation }), &path);
            let written = format!("variant {experiment}: {variation}");
            guards.extend(condition.map(|condition| Guard { condition, written }));
        }
        for (flag, value) in &patch.flag {
            let path = path.clone().key("flag").key(flag);
            let name = decided::flag(flag);
            if self.catalogue.input(&name).is_none() {
                self.unknown("a flag", "features", FLAGS, &name, &path);
                continue;
            }
            let condition = self.condition(&json!({ name: value }), &path);
            let written = format!("flag {flag}: {value}");
            guards.extend(condition.map(|condition| Guard { condition, written }));
        }
        if let Some(when) = &patch.when {
            let condition = self.condition(when, &path.clone().key("when"));
            let written = format!("when {when}");
            guards.extend(condition.map(|condition| Guard { condition, written }));
        }
        guards
    }

    fn unknown(&mut self, what: &str, section: &str, prefix: &str, name: &str, path: &Path) {
        let key = |name| str::strip_prefix(name, prefix);
        let written = key(name).unwrap_or(name);
        let hint = suggest(written, self.catalogue.names().filter_map(key));
        let hint = hint.map(|name| format!("; did you mean \"{name}\"?")).unwrap_or_default();
        self.report(path, format!("\"{written}\" is not {what}{hint}; define it under `{section}`"));
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
        let json_operations = patch.json_operations();
        if patch.json.is_some() || !json_operations.is_empty() {
            return self.json(patch, &json_operations, &exchange, path);
        }
        let steps = self.steps(patch, path);
        match (&patch.select, exchange.as_slice()) {
            (Some(select), []) => {
                if !edits_elements {
                    self.report(path, "nothing is done to the elements; add an operation such as `text`, `html` or `attributes`");
                }
                let selector = self.selector(select, &path.clone().key("select"))?;
                let site = Site::Elements { selector, all: patch.all, skip_first: 0 };
                Some(Action::Elements(vec![ElementEdit {
                    part: None,
                    site,
                    refusal: None,
                    steps,
                    fallback: None,
                }]))
            }
            (Some(_), [name, ..]) => {
                self.report(path, format!("`select` and `{name}` can't be in one patch; write two"));
                None
            }
            (None, []) if !edits_elements => {
                self.report(path, "nothing is done; add `select` with an operation, `urls`, `optimize`, `title`, `meta`, `script`, `style`, `link`, `redirect`, `rewrite`, `request_headers` or `response_headers`");
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
                self.report_as(Code::UnsupportedSelector, path, error.to_string());
                None
            }
        }
    }
}

/// Where a patch is done, for people.
fn site(patch: &model::Patch) -> String {
    let selector = patch.select.clone().or_else(|| patch.json.clone());
    selector.unwrap_or_else(|| {
        let whole = [("urls", patch.urls.is_some()), ("optimize", patch.optimize.is_some())];
        let whole = whole.into_iter().filter(|(_, there)| *there).map(|(name, _)| name);
        whole.chain(patch.injections()).collect::<Vec<_>>().join(", ")
    })
}
