//! What a patch does to an element, with its texts ready: rendered, escaped, and in the page's encoding.

use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

pub use super::locate::Landmark;
use super::locate::{NewTags, Place, Slot, Target};
use super::outcome::Skip;
use super::selector::Selector;
use super::tag_rewrite::TagRewrite;
use super::text_editor::TextEditorFactory;
use crate::csp::meta::Policies;
use crate::template::context::attribute::{Class, Leads, class};

/// Bytes to insert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Markup, in the page's encoding.
    pub bytes: Vec<u8>,
    /// Whether it is safe only where markup is parsed as markup: escaped text, or markup with a value in it. Content
    /// that is a constant of the configuration may go anywhere.
    pub needs_markup: bool,
    /// Whether it is safe only in HTML: it has a value and an element like `script` or `title`, which a parser in SVG or
    /// MathML reads as markup, with the value who knows where.
    pub needs_html: bool,
    /// Whether every character of it can stand in the page where it has to be itself. `false` where a script in it would
    /// get a character reference.
    pub encodable: bool,
    /// Whether there are character references in it that stand for what the page's encoding may lack.
    pub has_references: bool,
}

/// One step of a patch.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_enums, reason = "whoever folds operations must handle each")]
pub enum Operation {
    /// Another tag name.
    Rename(String),
    /// Sets an attribute; the value is escaped for both kinds of quotes.
    SetAttribute {
        /// In lower case.
        name: String,
        /// Escaped, encoded.
        value: Vec<u8>,
        /// Where a value of the request is in it.
        dynamic: Dynamic,
    },
    /// Removes an attribute; its name in lower case.
    RemoveAttribute(String),
    /// Adds a class, escaped.
    AddClass(Vec<u8>),
    /// Removes a class, escaped.
    RemoveClass(Vec<u8>),
    /// Replaces the content.
    SetContent(Content),
    /// Inserts before the first child.
    Prepend(Content),
    /// Inserts after the last child.
    Append(Content),
    /// Inserts before the element.
    Before(Content),
    /// Inserts after the element.
    After(Content),
    /// Replaces the element; with nothing to remove it.
    Replace(Content),
    /// Removes the tags and keeps the content.
    Unwrap,
    /// Changes of the start tag that depend on it.
    RewriteTag(Rc<dyn TagRewrite>),
    /// Changes inside the element's text.
    EditText(Rc<dyn TextEditorFactory>),
}

impl Operation {
    /// Whether it is done where the element ends, and nowhere else.
    const fn is_at_end(&self) -> bool {
        matches!(self, Self::Append(_) | Self::After(_))
    }

    /// Whether it is done where the element starts, and can't be before the end is known.
    const fn spans(&self) -> bool {
        matches!(self, Self::Rename(_) | Self::SetContent(_) | Self::Replace(_) | Self::Unwrap)
    }

    /// What is inserted.
    const fn content(&self) -> Option<&Content> {
        match self {
            Self::SetContent(content)
            | Self::Prepend(content)
            | Self::Append(content)
            | Self::Before(content)
            | Self::After(content)
            | Self::Replace(content) => Some(content),
            _ => None,
        }
    }

    /// The attributes whose places must be known, in lower case.
    fn attributes(&self) -> Vec<String> {
        match self {
            Self::SetAttribute { name, .. } | Self::RemoveAttribute(name) => vec![name.clone()],
            Self::AddClass(_) | Self::RemoveClass(_) => vec!["class".to_owned()],
            Self::RewriteTag(rewrite) => rewrite.attributes().into_iter().map(str::to_owned).collect(),
            Self::EditText(_) => vec!["type".to_owned(), "src".to_owned()],
            _ => Vec::new(),
        }
    }

    /// Why it can't be done on this element, judged by its start tag alone.
    pub(super) fn refusal(&self, name: &str, html: bool, can_have_content: bool) -> Option<Skip> {
        // In SVG the content of a script or style is markup for the parser, and still runs or applies.
        let raw = (html && RAW_TEXT.contains(&name)) || matches!(name, "script" | "style");
        match self {
            _ if self.content().is_some_and(|content| !content.encodable) => Some(Skip::Charset),
            _ if !html && self.content().is_some_and(|content| content.needs_html) => Some(Skip::RawText),
            Self::SetContent(content) | Self::Prepend(content) | Self::Append(content) => {
                if raw && content.has_references {
                    Some(Skip::Charset)
                } else if !can_have_content {
                    Some(Skip::VoidElement)
                } else if raw && content.needs_markup {
                    Some(Skip::RawText)
                } else {
                    None
                }
            }
            Self::Rename(_) if html && !can_have_content => Some(Skip::VoidElement),
            Self::Rename(_) if raw || (html && RCDATA.contains(&name)) => Some(Skip::RawText),
            Self::SetAttribute { name: attribute, dynamic, .. } => {
                (!dynamic.is_safe(name, attribute)).then_some(Skip::UnsafeAttribute)
            }
            _ => None,
        }
    }
}

/// Where values of the request stand in the value of an attribute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever sets attributes says which")]
pub enum Dynamic {
    /// Nowhere: it is a constant of the configuration.
    #[default]
    No,
    /// Escaped for the language of the attribute; if it is a URL, they don't decide where that leads.
    Inside,
    /// At the start of a URL, so that they decide where it leads.
    Origin,
}

impl Dynamic {
    /// Whether what was right for some element is right on `tag`: a `.x` may be a `base`, a `meta` or a `script`.
    fn is_safe(self, tag: &str, attribute: &str) -> bool {
        match (self, class(Some(tag), attribute)) {
            (Self::No, _) => true,
            (_, Class::Refused(_)) => false,
            (Self::Origin, class) => class == Class::Url(Leads::Anywhere),
            (Self::Inside, _) => true,
        }
    }
}

/// Elements whose content the tokenizer reads as raw text, or does depending on scripting (WHATWG HTML § 13.2.5, 13.2.6).
pub const RAW_TEXT: &[&str] =
    &["script", "style", "iframe", "noscript", "noembed", "noframes", "xmp", "plaintext"];

/// Elements whose content is text with character references (WHATWG HTML § 13.1.2, escapable raw text elements).
pub const RCDATA: &[&str] = &["title", "textarea"];

/// A patch on elements, ready for one page.
#[derive(Debug, Clone)]
pub struct ElementPatch {
    /// Where it is done.
    pub site: Site,
    /// What is done to each element, in this order. All of it or nothing. At a landmark, [`Operation::Before`] only.
    pub operations: Vec<Operation>,
    /// What is done where no element matched.
    pub fallback: Option<Fallback>,
    /// What policies that the page itself states are asked, where they have a say in it.
    pub policies: Option<Rc<dyn Admits>>,
    /// Whether it changes nothing, and only tells where it would have been done; see [`probe`](Self::probe).
    pub is_probe: bool,
}

/// Something that a page's own policies may forbid.
pub trait Admits: fmt::Debug {
    /// Whether the policies that the page has stated so far let it pass.
    fn admits(&self, policies: &Policies) -> bool;
}

/// Where a patch is done.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_enums, reason = "whoever locates must handle each")]
pub enum Site {
    /// At elements.
    Elements {
        /// Which.
        selector: Arc<Selector>,
        /// Every match, not just the first.
        all: bool,
        /// So many matches are passed by before.
        skip_first: u32,
    },
    /// At a place that every page has, with or without tags for it.
    Landmark(Landmark),
}

/// What is inserted at a landmark that comes before any element matched.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "whoever makes a patch gives both")]
pub struct Fallback {
    /// Where.
    pub landmark: Landmark,
    /// What.
    pub content: Content,
}

impl ElementPatch {
    /// The same patch, which changes nothing and tells what it would have come to: applied and skipped are counted as they
    /// would have been, reason by reason.
    ///
    /// It is located as the patch itself is, since only markup that is to be inserted tells whether it could stand there, and
    /// only an end tag whether an element has one. Nothing is held back for it, however; an element that would have been
    /// held for too long counts as such when that is seen.
    ///
    /// What only the edits would have told it can't know: that one of its own elements lies in another one that it removes
    /// counts as [covered](Skip::Covered) for the patch and as applied for the probe, and of several probes of JSON in one
    /// script each sees the script as the origin sent it.
    ///
    /// Editors of text remember what they met, so a patch and its probe are not for the same page.
    #[must_use]
    pub fn probe(&self) -> Self {
        Self { is_probe: true, ..self.clone() }
    }

    /// Whether it needs to know where an element ends.
    #[must_use]
    pub fn needs_end(&self) -> bool {
        self.operations.iter().any(|op| op.spans() || op.is_at_end())
    }

    /// Whether an element must be held back for it: something is done at the start that must not be done if the end
    /// never comes.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.needs_end() && !self.operations.iter().all(Operation::is_at_end)
    }

    /// Whether it puts something where an element starts.
    pub(super) fn inserts_at_start(&self) -> bool {
        self.operations.iter().any(|op| matches!(op, Operation::Before(_) | Operation::Prepend(_)))
    }

    /// Whether clones of an element, which have the attributes of its tag, need nothing more: all of them are meant, for what
    /// they are, and only attributes change.
    pub(super) fn is_copied(&self) -> bool {
        let meant = matches!(&self.site, Site::Elements { selector, all: true, skip_first: 0 }
            if !selector.asks_for_context());
        let attributes = |op: &Operation| {
            matches!(
                op,
                Operation::SetAttribute { .. }
                    | Operation::RemoveAttribute(_)
                    | Operation::AddClass(_)
                    | Operation::RemoveClass(_)
                    | Operation::RewriteTag(_)
                    | Operation::EditText(_)
            )
        };
        meant && self.operations.iter().all(attributes)
    }

    /// What the locator is asked for.
    pub(super) fn target(&self) -> Target {
        let place = match &self.site {
            Site::Elements { selector, all, skip_first } => {
                Place::Elements { selector: Arc::clone(selector), all: *all, skip_first: *skip_first }
            }
            Site::Landmark(landmark) => Place::Landmark(*landmark),
        };
        let attributes: Vec<String> = self.operations.iter().flat_map(Operation::attributes).collect();
        let inserts = self.operations.iter().filter_map(|op| {
            let slot = match op {
                Operation::SetContent(_) => Slot::Content,
                Operation::Prepend(_) => Slot::Start,
                Operation::Append(_) => Slot::End,
                Operation::Before(_) => Slot::Before,
                Operation::After(_) => Slot::After,
                Operation::Replace(_) => Slot::Instead,
                _ => return None,
            };
            Some((slot, Arc::from(op.content()?.bytes.as_slice())))
        });
        Target {
            place,
            needs_end: self.needs_end(),
            needs_text: self.operations.iter().any(|op| matches!(op, Operation::EditText(_))),
            displaces: self
                .operations
                .iter()
                .any(|op| matches!(op, Operation::Replace(_) | Operation::Unwrap | Operation::Rename(_))),
            keeps_content: self.operations.iter().find_map(|op| match op {
                Operation::Unwrap => Some(NewTags::Gone),
                Operation::Rename(name) => Some(NewTags::Named(name.clone())),
                _ => None,
            }),
            attributes: (!attributes.is_empty()).then_some(attributes),
            inserts: inserts.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_where_they_were_thought_to_be() {
        let content = |needs_markup, needs_html| Content {
            bytes: Vec::new(),
            needs_markup,
            needs_html,
            encodable: true,
            has_references: false,
        };
        for (tag, html, needs_markup, needs_html, safe) in [
            ("p", true, true, true, true),
            ("title", true, true, false, true),
            ("textarea", true, true, false, true),
            ("svg", false, true, false, true),
            ("svg", false, true, true, false),
            ("mi", false, true, true, false),
            ("script", true, true, false, false),
            ("script", false, true, false, false),
            ("style", true, true, false, false),
            ("iframe", true, true, false, false),
            ("noscript", true, true, false, false),
            ("xmp", true, true, false, false),
            ("script", true, false, false, true),
        ] {
            let expected = (!safe).then_some(Skip::RawText);
            for operation in [Operation::SetContent, Operation::Prepend, Operation::Append] {
                let found = operation(content(needs_markup, needs_html)).refusal(tag, html, true);
                assert_eq!(found, expected, "<{tag}>, {html}");
            }
        }
    }

    #[test]
    fn values_are_judged_on_the_element_that_is_met() {
        use Dynamic::{Inside, No, Origin};
        for (tag, name, dynamic, safe) in [
            ("a", "href", Origin, true),
            ("area", "href", Origin, true),
            ("img", "src", Origin, true),
            ("img", "srcset", Inside, true),
            ("video", "poster", Origin, true),
            ("p", "title", Inside, true),
            ("p", "style", Inside, true),
            // The host is constant.
            ("script", "src", Inside, true),
            ("link", "href", Inside, true),
            ("iframe", "src", Inside, true),
            ("use", "href", Inside, true),
            // It is not.
            ("script", "src", Origin, false),
            ("script", "href", Origin, false),
            ("link", "href", Origin, false),
            ("iframe", "src", Origin, false),
            ("iframe", "data-src", Origin, false),
            ("frame", "src", Origin, false),
            ("embed", "src", Origin, false),
            ("use", "href", Origin, false),
            ("use", "xlink:href", Origin, false),
            ("animate", "href", Origin, false),
            ("my-element", "href", Origin, false),
            // Nothing helps.
            ("base", "href", Inside, false),
            ("meta", "content", Inside, false),
            ("meta", "http-equiv", Inside, false),
            ("param", "value", Inside, false),
            ("iframe", "srcdoc", Inside, false),
            ("animate", "to", Inside, false),
            ("base", "href", No, true),
            ("script", "src", No, true),
        ] {
            let operation = Operation::SetAttribute { name: name.into(), value: Vec::new(), dynamic };
            let expected = (!safe).then_some(Skip::UnsafeAttribute);
            assert_eq!(operation.refusal(tag, true, true), expected, "{name} of <{tag}>, {dynamic:?}");
            assert_eq!(
                operation.refusal(tag, false, false),
                expected,
                "{name} of <{tag}> in SVG, {dynamic:?}"
            );
        }
    }
}
