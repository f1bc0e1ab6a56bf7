//! Texts with values in them: `Deals for {{ country | default('you') }}`.
//!
//! A template is parsed when the configuration loads, and every value in it gets the escaper of the place where it
//! stands ([`context`]); what comes of that is an [`Escaped`]. A place where no escaper makes a value safe is refused
//! then, not met at run time. There are no loops and no conditions: that is what patches and `when` are for.

use std::fmt;

use serde_json::Value;

pub mod context;
pub mod escape;
mod escaped;
pub mod expression;
pub mod filter;
mod parse;

pub use escaped::Escaped;
pub use expression::Expression;

/// A parsed template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever renders must handle both")]
pub enum Part {
    /// Text of the configuration.
    Literal(String),
    /// A value of the request.
    Value(Expression),
}

/// What a template may name.
pub trait Known {
    /// The attributes, in the order in which suggestions prefer them.
    fn names(&self) -> Vec<&str>;

    /// Whether there is an attribute of that name.
    fn knows(&self, name: &str) -> bool {
        self.names().contains(&name)
    }

    /// All values that an attribute can have, where each is a constant of the configuration. `None` where a visitor, or
    /// anybody else, can make one up.
    fn constants(&self, name: &str) -> Option<Vec<&str>>;
}

impl Template {
    /// Parses `source`; `known` says which attributes there are.
    ///
    /// # Errors
    /// The first thing that can't be understood, with its place.
    pub fn parse(source: &str, known: &impl Known) -> Result<Self, TemplateError> {
        parse::template(source, known).map(|parts| Self { parts })
    }

    /// Nothing.
    #[must_use]
    pub const fn empty() -> Self {
        Self { parts: Vec::new() }
    }

    /// A text in which nothing is a value, whatever it looks like.
    #[must_use]
    pub fn literal(text: &str) -> Self {
        Self { parts: if text.is_empty() { Vec::new() } else { vec![Part::Literal(text.to_owned())] } }
    }

    /// Its pieces, in order.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The text, where there is no value in it.
    #[must_use]
    pub fn constant(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// The attributes that it reads.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        self.expressions().flat_map(Expression::attributes)
    }

    /// Its values.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.parts.iter().filter_map(|part| match part {
            Part::Value(expression) => Some(expression),
            Part::Literal(_) => None,
        })
    }

    /// The text with its values, for places that [`context`] does not know: literals by `literal`, values by `value`
    /// after `lookup` and their filters. Whoever calls this answers for the escaping, and refuses [`Expression::is_raw`].
    pub fn render<V: Into<Value>>(
        &self,
        lookup: impl Fn(&str) -> Option<V>,
        literal: impl Fn(&str, &mut String),
        value: impl Fn(&str, &mut String),
    ) -> String {
        let lookup = |name: &str| lookup(name).map(Into::into);
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(text) => literal(text, &mut out),
                Part::Value(expression) => {
                    if let Some(found) = expression.evaluate(&lookup) {
                        value(&found.text(), &mut out);
                    }
                }
            }
        }
        out
    }
}

/// A template that can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    /// Which character of the template it is about; the first one is 1.
    pub column: usize,
    /// What is wrong and what to write.
    pub message: String,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (character {} of the text)", self.message, self.column)
    }
}

impl std::error::Error for TemplateError {}

#[cfg(test)]
mod tests;
