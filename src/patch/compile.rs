//! From the patches of a document to compiled ones, with everything that is wrong with them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use http::uri::{Authority, PathAndQuery, Uri};
use http::{HeaderName, HeaderValue, StatusCode};

use super::element::{ElementEdit, Markup, Slot, Step};
use super::{Action, ExchangeEdit, Patch, Redirect};
use crate::config::model;
use crate::config::node::Path;
use crate::config::problem::{Kind, Problem};
use crate::decide::condition::{Condition, Vocabulary};
use crate::headers::HeaderEdit;
use crate::html::operation::{RAW_TEXT, RCDATA};
use crate::html::selector::Selector;
use crate::request::attributes::Catalogue;
use crate::template::{Template, context};

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

    fn steps(&mut self, patch: &model::Patch, path: &Path) -> Vec<Step> {
        let mut steps = Vec::new();
        if let Some(name) = &patch.rename {
            steps.extend(self.rename(name, &path.clone().key("rename")));
        }
        if let Some(changes) = &patch.attributes {
            self.attributes(changes, &path.clone().key("attributes"), &mut steps);
        }
        if let Some(changes) = &patch.class {
            self.classes(changes, &path.clone().key("class"), &mut steps);
        }
        let contents = [
            ("text", Slot::Content, &patch.text),
            ("html", Slot::Content, &patch.html),
            ("prepend", Slot::Prepend, &patch.prepend),
            ("append", Slot::Append, &patch.append),
            ("before", Slot::Before, &patch.before),
            ("after", Slot::After, &patch.after),
            ("replace", Slot::Element, &patch.replace),
        ];
        for (name, slot, source) in contents {
            if let Some(source) = source {
                let markup = self.markup(source, name == "text", &path.clone().key(name));
                steps.extend(markup.map(|markup| Step::Insert(slot, markup)));
            }
        }
        if patch.remove {
            let nothing = Markup { template: Template::empty(), is_text: false };
            steps.push(Step::Insert(Slot::Element, nothing));
        }
        if patch.unwrap {
            steps.push(Step::Unwrap);
        }
        self.contradictions(patch, &steps, path);
        steps
    }

    fn contradictions(&mut self, patch: &model::Patch, steps: &[Step], path: &Path) {
        if patch.text.is_some() && patch.html.is_some() {
            self.report(path, "`text` and `html` both replace the content; keep one");
        }
        let fates =
            [("replace", patch.replace.is_some()), ("remove", patch.remove), ("unwrap", patch.unwrap)];
        let fates: Vec<&str> = fates.iter().filter(|(_, there)| *there).map(|(name, _)| *name).collect();
        if fates.len() > 1 {
            self.report(path, format!("`{}` contradict each other; keep one", fates.join("` and `")));
        }
        let goes = patch.replace.is_some() || patch.remove;
        let around =
            |step: &Step| matches!(step, Step::Insert(Slot::Before | Slot::After | Slot::Element, _));
        if goes && !steps.iter().all(around) {
            self.report(
                path,
                "the element goes, so nothing else can be done to it; only `before` and `after` stay",
            );
        }
    }

    fn rename(&mut self, name: &str, path: &Path) -> Option<Step> {
        let valid = name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if !valid {
            self.report(
                path,
                format!("\"{name}\" is not a tag name in lower case, such as `h2` or `my-card`"),
            );
            return None;
        }
        if RAW_TEXT.contains(&name) || RCDATA.contains(&name) || VOID.contains(&name) {
            self.report(
                path,
                format!(
                    "the content of <{name}> is read in another way; use `replace` with the whole element"
                ),
            );
            return None;
        }
        Some(Step::Rename(name.to_owned()))
    }

    fn attributes(&mut self, changes: &model::AttributeChanges, path: &Path, steps: &mut Vec<Step>) {
        for (index, name) in changes.remove.iter().enumerate() {
            let path = path.clone().key("remove").index(index);
            if self.attribute_name(name, &path) {
                if changes.set.contains_key(name) {
                    self.report(&path, format!("\"{name}\" is both set and removed; keep one"));
                }
                steps.push(Step::RemoveAttribute(name.to_ascii_lowercase()));
            }
        }
        for (name, value) in &changes.set {
            let path = path.clone().key("set").key(name);
            if !self.attribute_name(name, &path) {
                continue;
            }
            let name = name.to_ascii_lowercase();
            let Some(template) = self.template(value, &path) else { continue };
            let hazard = template.attributes().next().map(|value| context::check_attribute(&name, value));
            match hazard {
                Some(Err(error)) => self.report(&path, error.to_string()),
                _ => steps.push(Step::SetAttribute(name, template)),
            }
        }
    }

    fn attribute_name(&mut self, name: &str, path: &Path) -> bool {
        let valid = !name.is_empty()
            && name.bytes().all(|byte| {
                byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'>' | b'/' | b'=' | b'<')
            });
        if !valid {
            self.report(path, format!("\"{name}\" is not the name of an attribute"));
        }
        valid
    }

    fn classes(&mut self, changes: &model::ClassChanges, path: &Path, steps: &mut Vec<Step>) {
        for (list, key) in [(&changes.remove, "remove"), (&changes.add, "add")] {
            for (index, class) in list.iter().enumerate() {
                if class.is_empty() || class.contains(char::is_whitespace) || class.contains("{{") {
                    let path = path.clone().key(key).index(index);
                    self.report(
                        &path,
                        format!(
                            "\"{class}\" is not one class; write each as an item of its own, without values"
                        ),
                    );
                } else if key == "add" {
                    steps.push(Step::AddClass(class.clone()));
                } else {
                    steps.push(Step::RemoveClass(class.clone()));
                }
            }
        }
    }

    fn markup(&mut self, source: &str, is_text: bool, path: &Path) -> Option<Markup> {
        let template = self.template(source, path)?;
        if !is_text && let Err(error) = context::check_markup(&template) {
            self.report(path, error.to_string());
            return None;
        }
        Some(Markup { template, is_text })
    }

    fn template(&mut self, source: &str, path: &Path) -> Option<Template> {
        match Template::parse(source, self.catalogue.names()) {
            Ok(template) => Some(template),
            Err(error) => {
                self.report(path, error.to_string());
                None
            }
        }
    }

    fn exchange(&mut self, patch: &model::Patch, path: &Path) -> Option<Action> {
        if let Some(redirect) = &patch.redirect {
            return self.redirect(redirect, &path.clone().key("redirect")).map(Action::Redirect);
        }
        let mut edit = ExchangeEdit::default();
        if let Some(rewrite) = &patch.rewrite {
            self.rewrite(rewrite, &path.clone().key("rewrite"), &mut edit);
        }
        if let Some(changes) = &patch.request_headers {
            edit.request_headers = self.headers(changes, &path.clone().key("request_headers"));
        }
        if let Some(changes) = &patch.response_headers {
            edit.response_headers = self.headers(changes, &path.clone().key("response_headers"));
        }
        Some(Action::Exchange(edit))
    }

    fn redirect(&mut self, redirect: &model::Redirect, path: &Path) -> Option<Redirect> {
        let to = path.clone().key("to");
        let location = self.constant(&redirect.to, &to);
        let uri = redirect.to.parse::<Uri>().ok();
        let absolute =
            uri.as_ref().and_then(Uri::scheme_str).is_some_and(|scheme| matches!(scheme, "http" | "https"));
        if !(absolute || is_path(&redirect.to)) {
            self.report(
                &to,
                format!(
                    "\"{}\" is neither a path that starts with one `/` nor an http or https URL",
                    redirect.to
                ),
            );
        }
        let status = match redirect.status {
            301 => StatusCode::MOVED_PERMANENTLY,
            302 => StatusCode::FOUND,
            303 => StatusCode::SEE_OTHER,
            307 => StatusCode::TEMPORARY_REDIRECT,
            308 => StatusCode::PERMANENT_REDIRECT,
            other => {
                self.report(
                    &path.clone().key("status"),
                    format!("{other} is not a redirect; accepted: 301, 302, 303, 307, 308"),
                );
                return None;
            }
        };
        Some(Redirect { location: location?, status, keep_query: redirect.keep_query })
    }

    fn rewrite(&mut self, rewrite: &model::Rewrite, path: &Path, edit: &mut ExchangeEdit) {
        if rewrite.path.is_none() && rewrite.host.is_none() {
            self.report(path, "nothing is rewritten; add `path` or `host`");
        }
        if let Some(target) = &rewrite.path {
            let path = path.clone().key("path");
            self.constant(target, &path);
            if !is_path(target) || target.contains('?') {
                self.report(&path, format!("\"{target}\" is not a path that starts with one `/` and has no query; the query stays as it is"));
            }
            edit.path = Some(target.clone());
        }
        if let Some(host) = &rewrite.host {
            let path = path.clone().key("host");
            self.constant(host, &path);
            if host.parse::<Authority>().is_err() || host.contains('@') {
                self.report(
                    &path,
                    format!("\"{host}\" is not a host, such as `shop.example` or `10.0.0.1:8080`"),
                );
            }
            edit.host = Some(host.clone());
        }
    }

    fn headers(&mut self, changes: &model::HeaderChanges, path: &Path) -> Vec<HeaderEdit> {
        let mut edits = Vec::new();
        for (index, name) in changes.remove.iter().enumerate() {
            let name = self.header_name(name, &path.clone().key("remove").index(index));
            edits.extend(name.map(HeaderEdit::Remove));
        }
        let values = [("set", &changes.set), ("add", &changes.add)];
        for (key, map) in values {
            let map: &BTreeMap<String, String> = map;
            for (name, value) in map {
                let path = path.clone().key(key).key(name);
                let name = self.header_name(name, &path);
                let value = self.constant(value, &path);
                let edit = if key == "set" { HeaderEdit::Set } else { HeaderEdit::Add };
                edits.extend(name.zip(value).map(|(name, value)| edit(name, value)));
            }
        }
        edits
    }

    fn header_name(&mut self, name: &str, path: &Path) -> Option<HeaderName> {
        let Ok(parsed) = HeaderName::try_from(name) else {
            self.report(path, format!("\"{name}\" is not a header name"));
            return None;
        };
        if PROXY_HEADERS.contains(&parsed.as_str()) || parsed.as_str().starts_with("x-engraft-") {
            let advice =
                if parsed == http::header::HOST { "use `rewrite: { host: … }`" } else { "leave it out" };
            self.report(path, format!("\"{name}\" is set by the proxy; {advice}"));
            return None;
        }
        Some(parsed)
    }

    /// A text for a header: no values in it yet, and nothing that could end the line.
    fn constant(&mut self, text: &str, path: &Path) -> Option<HeaderValue> {
        if text.contains("{{") {
            self.report(
                path,
                "values can't stand in headers and URLs; write one patch for each value, with `when`",
            );
            return None;
        }
        let value = HeaderValue::try_from(text).ok();
        if value.is_none() {
            self.report(
                path,
                format!("\"{}\" has a line break or a control character in it", text.escape_debug()),
            );
        }
        value
    }
}

/// A path for this site: `//host` would be another one, and so would `/\host` for browsers.
fn is_path(text: &str) -> bool {
    let local = !text.starts_with("//") && !text.starts_with("/\\");
    local && text.starts_with('/') && text.parse::<PathAndQuery>().is_ok()
}

/// Elements without content (WHATWG HTML § 13.1.2).
const VOID: &[&str] = &[
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track",
    "wbr",
];

/// What frames the message or names its peer.
const PROXY_HEADERS: &[&str] = &[
    "connection",
    "content-encoding",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
