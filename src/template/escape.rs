//! Escapers, one for each kind of place. The attack that they prevent: a visitor's header, cookie or query becoming
//! markup, script, style, another attribute, another header, or an address that leads somewhere else.
//!
//! [`context`](super::context) finds the place of each value and gives it its [`Escape`].

use serde_json::Value;

use super::expression::Evaluated;

mod css;
mod header;
mod script;
mod url;

pub use css::{css_string, css_url, css_value};
pub use header::header_value;
pub use script::{json_string, json_value};
pub(super) use url::SCHEMES;
pub use url::{INVALID_URL, component, opaque, path, request_path, whole_url};

/// How one value is written in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Escape {
    pub(super) kind: Kind,
    /// Character references are read there, so the result is escaped as [`markup`] once more.
    pub(super) in_markup: bool,
}

/// What stands in the place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text.
    Text,
    /// A constant of the configuration, as it is.
    Raw,
    /// Part of a URL.
    Url(UrlPart),
    /// Part of a URL in CSS.
    CssUrl(UrlPart),
    /// A word or a number of CSS.
    CssValue,
    /// The inside of a string in CSS.
    CssString,
    /// The inside of a string in script or JSON.
    ScriptString,
    /// A value in script: a literal of its own.
    ScriptValue,
    /// A value in JSON.
    JsonValue,
    /// Part of a header.
    Header,
}

/// Where in a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UrlPart {
    /// At its start: the value says where it leads.
    Whole,
    /// In the path.
    Path {
        /// With nothing here, `/` before and `/` behind it would make what follows a host.
        never_empty: bool,
    },
    /// The path of the request in place of a path, slashes and all.
    RequestPath {
        /// The same.
        never_empty: bool,
    },
    /// Behind `mailto:` or `tel:`.
    Opaque,
    /// In the query or the fragment.
    Component,
}

impl Escape {
    /// For text, and attributes that are text.
    pub(super) const fn text() -> Self {
        Self { kind: Kind::Text, in_markup: true }
    }

    /// Adds a value to `out`; `None` where there is none.
    pub(super) fn write(self, value: Option<&Evaluated>, out: &mut String) {
        if !self.in_markup {
            return self.write_inner(value, out);
        }
        let mut inner = String::new();
        self.write_inner(value, &mut inner);
        markup(&inner, out);
    }

    fn write_inner(self, value: Option<&Evaluated>, out: &mut String) {
        let text = value.map(Evaluated::text).unwrap_or_default();
        match self.kind {
            Kind::Text | Kind::Raw => out.push_str(&text),
            Kind::Url(part) => part.write(&text, out),
            Kind::CssUrl(part) => {
                let mut url = String::new();
                part.write(&text, &mut url);
                css_url(&url, out);
            }
            Kind::CssValue => css_value(&text, out),
            Kind::CssString => css_string(&text, out),
            Kind::ScriptString => json_string(&text, out),
            Kind::ScriptValue | Kind::JsonValue => {
                let value = value.map_or(&Value::Null, Evaluated::value);
                // A number must not grow together with a name or a sign before it.
                let apart = self.kind == Kind::ScriptValue && !value.is_string();
                out.push_str(if apart { " " } else { "" });
                json_value(value, out);
                out.push_str(if apart { " " } else { "" });
            }
            Kind::Header => header_value(&text, out),
        }
    }
}

impl UrlPart {
    /// The same, written with something even where the value is empty.
    pub(super) const fn never_empty(self) -> Self {
        match self {
            Self::Path { .. } => Self::Path { never_empty: true },
            Self::RequestPath { .. } => Self::RequestPath { never_empty: true },
            other => other,
        }
    }

    fn write(self, text: &str, out: &mut String) {
        match self {
            Self::Whole => whole_url(text, out),
            Self::Path { never_empty: true } if text.is_empty() => out.push('_'),
            Self::Path { .. } => path(text, out),
            Self::RequestPath { never_empty } => {
                request_path(text, out);
                if never_empty && out.ends_with('/') {
                    out.push('_');
                }
            }
            Self::Opaque => opaque(text, out),
            Self::Component => component(text, out),
        }
    }
}

/// Escapes for text and for attribute values in either kind of quotes (WHATWG HTML § 13.2.5: none of these characters can
/// then end a text, a tag or a quoted value). CR, which the tokenizer would turn into a line feed, stays a CR; other control
/// characters become U+FFFD: an ESC would switch a page in ISO-2022-JP to an alphabet without `<`.
pub fn markup(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\r' => out.push_str("&#13;"),
            '\t' | '\n' => out.push(character),
            control if control.is_ascii_control() => out.push('\u{FFFD}'),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests;
