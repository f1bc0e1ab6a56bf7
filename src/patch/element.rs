//! Edits of elements, compiled; [`ElementEdit::render`] makes them ready for one page.

use std::rc::Rc;

use super::append::AppendValue;
use super::injection::Injection;
use super::json::JsonEdit;
use crate::csp::{Need, markup as policy};
use crate::decide::condition::Attributes as _;
use crate::find::Find;
use crate::html::charset::Charset;
use crate::html::operation::{Content, Dynamic, ElementPatch, Fallback, Landmark, Operation, Site};
use crate::html::outcome::Skip;
use crate::request::attributes::Values;
use crate::template::escape::markup;
use crate::template::{Escaped, Template};

/// What is done to the elements that a selector names.
#[derive(Debug)]
#[non_exhaustive]
pub struct ElementEdit {
    /// Which part of its patch it is, where a patch has several that count on their own.
    pub part: Option<&'static str>,
    /// Where.
    pub site: Site,
    /// Why it is not tried on any page.
    pub refusal: Option<Skip>,
    pub(super) steps: Vec<Step>,
    pub(super) fallback: Option<(Landmark, Injection)>,
}

/// One step, its texts not rendered yet.
#[derive(Debug)]
pub(super) enum Step {
    Rename(String),
    SetAttribute(String, Escaped, Dynamic),
    /// The `content` of a `meta` without `http-equiv`, which is text.
    SetMeta(Template),
    /// Adds text to the value of an attribute, which may not be there.
    AppendAttribute(String, String),
    RemoveAttribute(String),
    AddClass(String),
    RemoveClass(String),
    Insert(Slot, Markup),
    Find {
        find: Find,
        /// What is found has a letter or a digit in it, and what stands there instead begins with one that makes no tag of a
        /// `<` before it.
        keeps_words: bool,
    },
    Unwrap,
    Json(JsonEdit),
    /// Before a landmark.
    Inject(Injection),
    Page(Box<dyn PageSteps>),
}

/// Steps that are made anew for each page, for they remember what it said before.
pub(crate) trait PageSteps: std::fmt::Debug + Send + Sync {
    /// The operations on a page in `charset`.
    fn operations(&self, values: &Values, charset: Charset) -> Vec<Operation>;

    /// The attributes of the request that they read.
    fn attributes(&self) -> &'static [&'static str] {
        &[]
    }
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
    pub(super) template: Escaped,
    /// It is text, not markup.
    pub(super) is_text: bool,
    /// It has a character beyond ASCII where character references are not read.
    pub(super) needs_utf8: bool,
    /// It has an element that is read in another way in SVG and MathML.
    pub(super) has_raw_text: bool,
    /// It goes nowhere but where markup is read as markup, constant or not.
    pub(super) only_in_markup: bool,
}

impl ElementEdit {
    /// Renders its texts with `values` for a page in `charset`.
    #[must_use]
    pub fn render(&self, values: &Values, charset: Charset) -> ElementPatch {
        let operations = self.steps.iter().flat_map(|step| step.render(values, charset)).collect();
        let fallback = self.fallback.as_ref().map(|(landmark, injection)| Fallback {
            landmark: *landmark,
            content: injection.render(values, charset),
        });
        ElementPatch { site: self.site.clone(), operations, fallback, policies: None, is_probe: false }
    }

    /// The same, with a nonce of the page on the scripts, styles and links that it inserts.
    #[must_use]
    pub fn render_with_nonce(&self, values: &Values, charset: Charset, nonce: &str) -> ElementPatch {
        let mut patch = self.render(values, charset);
        for operation in &mut patch.operations {
            let (Operation::SetContent(content)
            | Operation::Prepend(content)
            | Operation::Append(content)
            | Operation::Before(content)
            | Operation::After(content)
            | Operation::Replace(content)) = operation
            else {
                continue;
            };
            let bytes = policy::with_nonce(&content.bytes, nonce);
            // In a script of the page it would have been no tag, and the nonce would break it.
            content.needs_markup |= bytes != content.bytes;
            content.bytes = bytes;
        }
        if let Some(fallback) = &mut patch.fallback {
            fallback.content.bytes = policy::with_nonce(&fallback.content.bytes, nonce);
        }
        patch
    }

    /// What it inserts that Content-Security-Policies may have a say in.
    pub(super) fn needs(&self) -> Vec<Need> {
        let mut needs = Vec::new();
        for step in &self.steps {
            match step {
                Step::SetAttribute(name, template, _) => {
                    needs.extend(policy::attribute_need(name, &template.sketch(policy::VALUE)));
                }
                // What it becomes depends on the page.
                Step::AppendAttribute(name, _) => {
                    needs.extend(policy::attribute_need(name, &policy::VALUE.to_string()));
                }
                Step::Insert(_, Markup { template, is_text: false, .. }) => {
                    needs.extend(policy::needs(&template.sketch(policy::VALUE)));
                }
                Step::Inject(injection) => needs.extend(injection.needs()),
                _ => {}
            }
        }
        needs.extend(self.fallback.iter().flat_map(|(_, injection)| injection.needs()));
        needs
    }

    /// The attributes that go into the page as they are.
    #[cfg(feature = "lint")]
    pub(crate) fn raw_attributes(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().flat_map(|step| match step {
            Step::Insert(_, Markup { template, .. }) => template.raw_attributes().collect(),
            _ => Vec::new(),
        })
    }

    pub(super) fn attributes(&self) -> impl Iterator<Item = &str> {
        let fallback = self.fallback.iter().flat_map(|(_, injection)| injection.attributes());
        self.steps.iter().flat_map(Step::attributes).chain(fallback)
    }
}

impl Step {
    /// The attributes that it reads.
    fn attributes(&self) -> Vec<&str> {
        match self {
            Self::SetAttribute(_, template, _) | Self::Insert(_, Markup { template, .. }) => {
                template.attributes().collect()
            }
            Self::Find { find, .. } => find.replacement.attributes().collect(),
            Self::SetMeta(template) => template.attributes().collect(),
            Self::Json(edit) => edit.attributes().collect(),
            Self::Inject(injection) => injection.attributes().collect(),
            Self::Page(steps) => steps.attributes().to_vec(),
            _ => Vec::new(),
        }
    }

    fn render(&self, values: &Values, charset: Charset) -> Vec<Operation> {
        let escaped = |class: &str| {
            let mut out = String::new();
            markup(class, &mut out);
            charset.encode(&out)
        };
        let operation = match self {
            Self::Rename(name) => Operation::Rename(name.clone()),
            Self::SetAttribute(name, template, dynamic) => Operation::SetAttribute {
                name: name.clone(),
                value: charset.encode(&template.render(|name| values.attribute(name).cloned())),
                dynamic: *dynamic,
            },
            Self::SetMeta(template) => Operation::SetAttribute {
                name: "content".to_owned(),
                value: charset.encode(&template.render(|name| values.text(name), markup, markup)),
                dynamic: Dynamic::No,
            },
            Self::AppendAttribute(name, text) => {
                Operation::RewriteTag(Rc::new(AppendValue::new(name, text, charset)))
            }
            Self::RemoveAttribute(name) => Operation::RemoveAttribute(name.clone()),
            Self::AddClass(class) => Operation::AddClass(escaped(class)),
            Self::RemoveClass(class) => Operation::RemoveClass(escaped(class)),
            Self::Insert(slot, markup) => slot.operation(markup.render(values, charset)),
            Self::Find { find, .. } => Operation::EditText(find.render(values, charset)),
            Self::Unwrap => Operation::Unwrap,
            Self::Json(edit) => Operation::EditText(Rc::new(edit.for_script(values, charset))),
            Self::Inject(injection) => Operation::Before(injection.render(values, charset)),
            Self::Page(steps) => return steps.operations(values, charset),
        };
        vec![operation]
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
    /// Nothing at all.
    pub(super) fn nothing() -> Self {
        Self {
            template: Escaped::default(),
            is_text: false,
            needs_utf8: false,
            has_raw_text: false,
            only_in_markup: false,
        }
    }

    fn render(&self, values: &Values, charset: Charset) -> Content {
        let text = self.template.render(|name| values.attribute(name).cloned());
        Content {
            bytes: charset.encode(&text),
            needs_markup: self.is_text || self.only_in_markup || !self.template.is_constant(),
            needs_html: self.has_raw_text && !self.template.is_constant(),
            encodable: !self.needs_utf8 || charset.covers(&text),
            has_references: !charset.covers(&text),
        }
    }
}
