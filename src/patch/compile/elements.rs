//! Operations on elements.

use super::Compiler;
use crate::config::model;
use crate::config::node::Path;
use crate::config::problem::Code;
use crate::html::operation::{RAW_TEXT, RCDATA};
use crate::patch::element::{Markup, Slot, Step};
use crate::template::context::{self, Found};
use crate::template::{Expression, Template};

impl Compiler<'_> {
    pub(super) fn steps(&mut self, patch: &model::Patch, path: &Path) -> Vec<Step> {
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
        steps.extend(self.find(patch, path));
        if patch.remove == model::Removal::Element {
            steps.push(Step::Insert(Slot::Element, Markup::nothing()));
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
        let fates = [
            ("replace", patch.replace.is_some()),
            ("remove", patch.remove == model::Removal::Element),
            ("unwrap", patch.unwrap),
        ];
        let fates: Vec<&str> = fates.iter().filter(|(_, there)| *there).map(|(name, _)| *name).collect();
        if fates.len() > 1 {
            self.report(path, format!("`{}` contradict each other; keep one", fates.join("` and `")));
        }
        let goes = patch.replace.is_some() || patch.remove == model::Removal::Element;
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
        if LOADING.contains(&name) {
            self.report(
                path,
                format!(
                    "<{name}> runs, shows or changes what its attributes name; use `replace` with the whole element"
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
            match context::attribute(&name, &template) {
                Ok((escaped, dynamic)) => steps.push(Step::SetAttribute(name, escaped, dynamic)),
                Err(error) => self.report_as(Code::UnescapedContext, &path, error.to_string()),
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

    pub(super) fn markup(&mut self, source: &str, is_text: bool, path: &Path) -> Option<Markup> {
        let template = self.template(source, path)?;
        let escaped = if is_text {
            context::text(&template).map(|escaped| (escaped, Found::default()))
        } else {
            context::markup(&template)
        };
        match escaped {
            Ok((template, found)) => Some(Markup {
                template,
                is_text,
                needs_utf8: found.beyond_ascii_in_raw_text,
                has_raw_text: found.has_raw_text,
                only_in_markup: false,
            }),
            Err(error) => {
                self.report_as(Code::UnescapedContext, path, error.to_string());
                None
            }
        }
    }

    /// A template that becomes text, never markup.
    pub(super) fn text_template(&mut self, source: &str, path: &Path) -> Option<Template> {
        let template = self.template(source, path)?;
        if template.expressions().any(Expression::is_raw) {
            self.report_as(
                Code::UnescapedContext,
                path,
                "`raw` is for markup, and this is text; leave it out",
            );
            return None;
        }
        Some(template)
    }

    pub(super) fn template(&mut self, source: &str, path: &Path) -> Option<Template> {
        match Template::parse(source, self.catalogue) {
            Ok(template) => Some(template),
            Err(error) => {
                self.report_as(Code::InvalidTemplate, path, error.to_string());
                None
            }
        }
    }
}

/// Elements on which attributes mean more than on others: a value that was safe before would be judged anew. The attributes
/// of SVG's and MathML's roots and their content are read in another way altogether.
const LOADING: &[&str] = &[
    "animate",
    "animatemotion",
    "animatetransform",
    "applet",
    "feimage",
    "foreignobject",
    "frame",
    "frameset",
    "image",
    "math",
    "object",
    "set",
    "svg",
    "use",
];

/// Elements without content (WHATWG HTML § 13.1.2).
const VOID: &[&str] = &[
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track",
    "wbr",
];
