//! Edits of elements, compiled; [`ElementEdit::render`] makes them ready for one page.

use std::sync::Arc;

use crate::html::charset::Charset;
use crate::html::operation::{Content, ElementPatch, Operation};
use crate::html::selector::Selector;
use crate::request::attributes::Values;
use crate::template::Template;
use crate::template::escape::markup;

/// What is done to the elements that a selector names.
#[derive(Debug)]
#[non_exhaustive]
pub struct ElementEdit {
    /// Which elements.
    pub selector: Arc<Selector>,
    /// Every match, not just the first.
    pub all: bool,
    pub(super) steps: Vec<Step>,
}

/// One step, its texts not rendered yet.
#[derive(Debug)]
pub(super) enum Step {
    Rename(String),
    SetAttribute(String, Template),
    RemoveAttribute(String),
    AddClass(String),
    RemoveClass(String),
    Insert(Slot, Markup),
    Unwrap,
}

/// Where content goes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Slot {
    Content,
    Prepend,
    Append,
    Before,
    After,
    Element,
}

/// Content that is not rendered yet.
#[derive(Debug)]
pub(super) struct Markup {
    pub(super) template: Template,
    /// The literal parts are text, not markup.
    pub(super) is_text: bool,
    /// It has a character beyond ASCII where character references are not read.
    pub(super) needs_utf8: bool,
}

impl ElementEdit {
    /// Renders its texts with `values` for a page in `charset`.
    #[must_use]
    pub fn render(&self, values: &Values, charset: Charset) -> ElementPatch {
        let operations = self.steps.iter().map(|step| step.render(values, charset)).collect();
        ElementPatch { selector: Arc::clone(&self.selector), all: self.all, operations }
    }

    pub(super) fn attributes(&self) -> impl Iterator<Item = &str> {
        self.steps
            .iter()
            .filter_map(|step| match step {
                Step::SetAttribute(_, template) | Step::Insert(_, Markup { template, .. }) => Some(template),
                _ => None,
            })
            .flat_map(Template::attributes)
    }
}

impl Step {
    fn render(&self, values: &Values, charset: Charset) -> Operation {
        let escaped = |class: &str| {
            let mut out = String::new();
            markup(class, &mut out);
            charset.encode(&out)
        };
        match self {
            Self::Rename(name) => Operation::Rename(name.clone()),
            Self::SetAttribute(name, template) => Operation::SetAttribute {
                name: name.clone(),
                value: charset.encode(&template.render(|name| values.text(name), markup, markup)),
                dynamic: template.constant().is_none(),
            },
            Self::RemoveAttribute(name) => Operation::RemoveAttribute(name.clone()),
            Self::AddClass(class) => Operation::AddClass(escaped(class)),
            Self::RemoveClass(class) => Operation::RemoveClass(escaped(class)),
            Self::Insert(slot, markup) => slot.operation(markup.render(values, charset)),
            Self::Unwrap => Operation::Unwrap,
        }
    }
}

impl Slot {
    const fn operation(self, content: Content) -> Operation {
        match self {
            Self::Content => Operation::SetContent(content),
            Self::Prepend => Operation::Prepend(content),
            Self::Append => Operation::Append(content),
            Self::Before => Operation::Before(content),
            Self::After => Operation::After(content),
            Self::Element => Operation::Replace(content),
        }
    }
}

impl Markup {
    fn render(&self, values: &Values, charset: Charset) -> Content {
        let literal = |text: &str, out: &mut String| {
            if self.is_text {
                markup(text, out);
            } else {
                out.push_str(text);
            }
        };
        let text = self.template.render(|name| values.text(name), literal, markup);
        Content {
            bytes: charset.encode(&text),
            needs_markup: self.is_text || self.template.constant().is_none(),
            encodable: !self.needs_utf8 || charset.is_utf8(),
            has_references: !text.is_ascii() && !charset.is_utf8(),
        }
    }
}
