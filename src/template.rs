//! Texts with values in them: `Deals for {{ country | default('you') }}`.
//!
//! A template is parsed when the configuration loads, and every value in it gets the escaper of the place where it
//! stands ([`context`]). A place where no escaper makes a value safe is refused then, not met at run time.

use std::fmt;

use crate::config::problem::suggest;

pub mod context;
pub mod escape;

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

/// `name`, or `name | default('text')`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    /// The attribute.
    pub attribute: String,
    /// What stands there when it is missing or empty.
    pub default: Option<String>,
}

/// Filters, in the order in which errors list them.
const FILTERS: &[&str] = &["default"];

impl Template {
    /// Parses `source`; `names` are the attributes that there are.
    ///
    /// # Errors
    /// The first thing that can't be understood, with its place.
    pub fn parse<'n>(
        source: &str,
        names: impl IntoIterator<Item = &'n str> + Clone,
    ) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = source;
        while let Some((literal, tail)) = rest.split_once("{{") {
            let column = source.len().saturating_sub(tail.len());
            let Some((inside, after)) = split_expression(tail) else {
                return Err(TemplateError::new(
                    column,
                    "`{{` is not closed; write `{{ name }}`, or `{{ '{{' }}` for two braces",
                ));
            };
            push_literal(&mut parts, literal);
            match parse_expression(inside, names.clone()) {
                Ok(Parsed::Text(text)) => push_literal(&mut parts, &text),
                Ok(Parsed::Value(expression)) => parts.push(Part::Value(expression)),
                Err(message) => return Err(TemplateError { column, message }),
            }
            rest = after;
        }
        push_literal(&mut parts, rest);
        Ok(Self { parts })
    }

    /// Nothing.
    #[must_use]
    pub const fn empty() -> Self {
        Self { parts: Vec::new() }
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
        self.parts.iter().filter_map(|part| match part {
            Part::Value(expression) => Some(expression.attribute.as_str()),
            Part::Literal(_) => None,
        })
    }

    /// The text with its values: literals by `literal`, values by `value` after `lookup`.
    pub fn render(
        &self,
        lookup: impl Fn(&str) -> Option<String>,
        literal: impl Fn(&str, &mut String),
        value: impl Fn(&str, &mut String),
    ) -> String {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(text) => literal(text, &mut out),
                Part::Value(expression) => {
                    let found = lookup(&expression.attribute).filter(|found| !found.is_empty());
                    if let Some(text) = found.or_else(|| expression.default.clone()) {
                        value(&text, &mut out);
                    }
                }
            }
        }
        out
    }
}

fn push_literal(parts: &mut Vec<Part>, text: &str) {
    match parts.last_mut() {
        Some(Part::Literal(last)) => last.push_str(text),
        _ if text.is_empty() => {}
        _ => parts.push(Part::Literal(text.to_owned())),
    }
}

/// Splits at the `}}` that closes an expression; braces in quoted text do not.
fn split_expression(text: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (None, b'\'' | b'"') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            (None, b'}') if text.as_bytes().get(at.saturating_add(1)) == Some(&b'}') => {
                return Some((text.get(..at)?, text.get(at.saturating_add(2)..)?));
            }
            _ => {}
        }
    }
    None
}

enum Parsed {
    Text(String),
    Value(Expression),
}

fn parse_expression<'n>(
    inside: &str,
    names: impl IntoIterator<Item = &'n str> + Clone,
) -> Result<Parsed, String> {
    let (head, filter) = match split_filter(inside) {
        Some((head, filter)) => (head.trim(), Some(filter.trim())),
        None => (inside.trim(), None),
    };
    if let (Some(text), None) = (unquote(head), filter) {
        return Ok(Parsed::Text(text.to_owned()));
    }
    if head.is_empty() {
        return Err("nothing stands between the braces; write `{{ name }}`".into());
    }
    if !names.clone().into_iter().any(|name| name == head) {
        let hint = suggest(head, names).map(|name| format!("; did you mean \"{name}\"?")).unwrap_or_default();
        return Err(format!("\"{head}\" is not an attribute{hint}; name it under `attributes`"));
    }
    let default = filter.map(parse_filter).transpose()?;
    Ok(Parsed::Value(Expression { attribute: head.to_owned(), default }))
}

fn split_filter(inside: &str) -> Option<(&str, &str)> {
    if inside.trim_start().starts_with(['\'', '"']) { None } else { inside.split_once('|') }
}

fn parse_filter(filter: &str) -> Result<String, String> {
    let (name, argument) = filter.split_once('(').unwrap_or((filter, ""));
    let name = name.trim();
    if !FILTERS.contains(&name) {
        let hint = suggest(name, FILTERS.iter().copied()).map(|known| format!("; did you mean \"{known}\"?"));
        return Err(format!(
            "\"{name}\" is not a filter{}; accepted: default('text')",
            hint.unwrap_or_default()
        ));
    }
    argument
        .trim_end()
        .strip_suffix(')')
        .and_then(|argument| unquote(argument.trim()))
        .map(str::to_owned)
        .ok_or_else(|| "`default` takes one text in quotes: `default('you')`".into())
}

fn unquote(text: &str) -> Option<&str> {
    let quote = text.chars().next().filter(|first| matches!(first, '\'' | '"'))?;
    text.strip_prefix(quote)?.strip_suffix(quote).filter(|inside| !inside.contains(quote))
}

/// A template that can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    /// Offset in the template, in bytes.
    pub column: usize,
    /// What is wrong and what to write.
    pub message: String,
}

impl TemplateError {
    fn new(column: usize, message: impl Into<String>) -> Self {
        Self { column, message: message.into() }
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for TemplateError {}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 3] = ["country", "request.host", "first-name"];

    fn render(source: &str, country: Option<&str>) -> String {
        let template = Template::parse(source, NAMES).unwrap();
        let lookup = |name: &str| (name == "country").then(|| country.map(str::to_owned)).flatten();
        template.render(
            lookup,
            |text, out| out.push_str(text),
            |text, out| out.push_str(&text.to_uppercase()),
        )
    }

    #[test]
    fn values_and_defaults() {
        assert_eq!(render("Deals for {{ country }}!", Some("us")), "Deals for US!");
        assert_eq!(render("{{country|default('you')}}", None), "YOU");
        assert_eq!(render("{{ country | default(\"a}}b\") }}", Some("")), "A}}B");
        assert_eq!(render("{{ country }}", None), "");
        assert_eq!(render("{{ '{{' }} and } }} {", None), "{{ and } }} {");
        assert_eq!(Template::parse("{{ 'x' }}y", NAMES).unwrap().constant(), Some("xy"));
    }

    #[test]
    fn what_is_wrong_is_said_with_the_fix() {
        let cases = [
            ("a {{ country", 4, "not closed"),
            ("{{ }}", 2, "nothing stands between"),
            ("{{ contry }}", 2, "did you mean \"country\"?"),
            ("{{ country | upper }}", 2, "not a filter"),
            ("{{ country | defualt('x') }}", 2, "did you mean \"default\"?"),
            ("{{ country | default(x) }}", 2, "one text in quotes"),
            ("{{ country | default('x }}", 2, "not closed"),
        ];
        for (source, column, message) in cases {
            let error = Template::parse(source, NAMES).unwrap_err();
            assert_eq!(error.column, column, "{source}");
            assert!(error.message.contains(message), "{source}: {error}");
        }
    }
}
