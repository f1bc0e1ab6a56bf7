//! What a patch does to an element, with its texts ready: rendered, escaped, and in the page's encoding.

use std::sync::Arc;

use super::outcome::Skip;
use super::selector::Selector;

/// Bytes to insert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Markup, in the page's encoding.
    pub bytes: Vec<u8>,
    /// Whether it is safe only where markup is parsed as markup: escaped text, or markup with a value in it. Content
    /// that is a constant of the configuration may go anywhere.
    pub needs_markup: bool,
    /// Whether every character of it can stand in the page where it has to be itself. `false` where a script in it would
    /// get a character reference.
    pub encodable: bool,
    /// Whether there are character references in it that stand for what the page's encoding may lack.
    pub has_references: bool,
}

/// One step of a patch.
#[derive(Debug, Clone, PartialEq, Eq)]
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
        /// Whether a value of the request is in it.
        dynamic: bool,
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

    /// The attribute whose place must be known.
    #[must_use]
    pub fn attribute(&self) -> Option<&str> {
        match self {
            Self::SetAttribute { name, .. } | Self::RemoveAttribute(name) => Some(name),
            Self::AddClass(_) | Self::RemoveClass(_) => Some("class"),
            _ => None,
        }
    }

    /// Why it can't be done on this element, judged by its start tag alone.
    pub(super) fn refusal(&self, name: &str, html: bool, can_have_content: bool) -> Option<Skip> {
        // In SVG the content of a script or style is markup for the parser, and still runs or applies.
        let raw = (html && RAW_TEXT.contains(&name)) || matches!(name, "script" | "style");
        match self {
            _ if self.content().is_some_and(|content| !content.encodable) => Some(Skip::Charset),
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
            // A `refresh` would make it a URL, a `content-security-policy` a policy.
            Self::SetAttribute { name: attribute, dynamic: true, .. }
                if name == "meta" && (attribute == "content" || attribute == "http-equiv") =>
            {
                Some(Skip::UnsafeAttribute)
            }
            _ => None,
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
    /// Which elements.
    pub selector: Arc<Selector>,
    /// Every match, not just the first.
    pub all: bool,
    /// What is done to each, in this order. All of it or nothing.
    pub operations: Vec<Operation>,
}

impl ElementPatch {
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
}
