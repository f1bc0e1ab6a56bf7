//! The notation: `{{ name }}`, `{{ name | filter('argument') }}`, `{{ 'text' }}`.

use super::expression::{Expression, Head};
use super::filter::{self, Argument, Filter};
use super::{Known, Part, TemplateError};
use crate::config::problem::suggest;

/// More filters than anybody needs on one value.
const MAX_FILTERS: usize = 8;

/// See [`Template::parse`](super::Template::parse).
pub(super) fn template(source: &str, known: &impl Known) -> Result<Vec<Part>, TemplateError> {
    let mut parts = Vec::new();
    let mut rest = source;
    let mut column: usize = 1;
    while let Some((literal, tail)) = rest.split_once("{{") {
        column = column.saturating_add(literal.chars().count());
        let error = |message: String| TemplateError { column, message };
        let (inside, after) = split_expression(tail).ok_or_else(|| {
            error("`{{` is not closed; write `{{ name }}`, or `{{ '{{' }}` for two braces".into())
        })?;
        push_literal(&mut parts, literal);
        let expression = expression(inside, column, known).map_err(error)?;
        match constant(&expression) {
            Some(text) => push_literal(&mut parts, &text),
            None => parts.push(Part::Value(expression)),
        }
        // Two braces on either side.
        column = column.saturating_add(4).saturating_add(inside.chars().count());
        rest = after;
    }
    push_literal(&mut parts, rest);
    Ok(parts)
}

/// What an expression says that depends on nothing.
fn constant(expression: &Expression) -> Option<String> {
    let reads_nothing = expression.attributes().next().is_none() && !expression.is_raw();
    reads_nothing
        .then(|| expression.evaluate(&|_| None).map(|value| value.text().into_owned()).unwrap_or_default())
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
    let at =
        outside_quotes(text).find(|(at, _)| text.get(*at..).is_some_and(|rest| rest.starts_with("}}")))?.0;
    Some((text.get(..at)?, text.get(at.saturating_add(2)..)?))
}

/// The characters that are not in quotes, with their offsets; quotes are not among them.
fn outside_quotes(text: &str) -> impl Iterator<Item = (usize, char)> {
    let mut quote = None;
    text.char_indices().filter(move |(_, c)| match (quote, c) {
        (None, '\'' | '"') => {
            quote = Some(*c);
            false
        }
        (Some(open), _) => {
            if open == *c {
                quote = None;
            }
            false
        }
        (None, _) => true,
    })
}

/// Splits at a separator, but not inside quotes.
fn split_at(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut start = 0;
    let ends = outside_quotes(text).filter(move |(_, c)| *c == separator).map(|(at, _)| at);
    ends.chain([text.len()]).filter_map(move |end| {
        let piece = text.get(start..end);
        start = end.saturating_add(separator.len_utf8());
        piece.map(str::trim)
    })
}

fn expression(inside: &str, column: usize, known: &impl Known) -> Result<Expression, String> {
    let mut pieces = split_at(inside, '|');
    let head = head(pieces.next().unwrap_or_default(), known)?;
    let calls: Vec<&str> = pieces.collect();
    if calls.len() > MAX_FILTERS {
        return Err(format!("{} filters on one value; {MAX_FILTERS} is the most", calls.len()));
    }
    let is_raw = calls.contains(&"raw");
    let filters = calls.iter().filter(|call| **call != "raw").map(|call| call_of(call, known));
    let filters: Vec<Filter> = filters.collect::<Result<_, String>>()?;
    let raw = if is_raw { Some(constants(&head, &calls, &filters, known)?) } else { None };
    Ok(Expression { head, filters, raw, column })
}

fn head(text: &str, known: &impl Known) -> Result<Head, String> {
    if text.is_empty() {
        return Err("nothing stands between the braces; write `{{ name }}`".into());
    }
    match unquote(text) {
        Some(text) => Ok(Head::Text(text.to_owned())),
        None => attribute(text, known).map(Head::Attribute),
    }
}

fn attribute(name: &str, known: &impl Known) -> Result<String, String> {
    if known.knows(name) {
        return Ok(name.to_owned());
    }
    let hint =
        suggest(name, known.names()).map(|name| format!("; did you mean \"{name}\"?")).unwrap_or_default();
    Err(format!("\"{name}\" is not an attribute{hint}; name it under `attributes`"))
}

/// `name` or `name(argument, …)`.
fn call_of(call: &str, known: &impl Known) -> Result<Filter, String> {
    let (name, arguments) = match call.split_once('(') {
        Some((name, rest)) => {
            let inside = rest.strip_suffix(')').ok_or_else(|| format!("`{call}` has no `)` at its end"))?;
            (name.trim_end(), Some(inside).filter(|inside| !inside.trim().is_empty()))
        }
        None => (call, None),
    };
    let arguments = arguments.map(|inside| split_at(inside, ',').map(|text| argument(text, known)).collect());
    let arguments: Vec<Argument> = arguments.transpose()?.unwrap_or_default();
    filter::filter(name, &arguments)
}

fn argument(text: &str, known: &impl Known) -> Result<Argument, String> {
    if let Some(text) = unquote(text) {
        return Ok(Argument::Text(text.to_owned()));
    }
    match text.parse() {
        Ok(number) => Ok(Argument::Number(number)),
        // What is no attribute may still be a text that lacks its quotes; the filter knows what it wants.
        Err(_) => Ok(attribute(text, known).map_or_else(Argument::Unknown, Argument::Attribute)),
    }
}

fn unquote(text: &str) -> Option<&str> {
    let quote = text.chars().next().filter(|first| matches!(first, '\'' | '"'))?;
    text.strip_prefix(quote)?.strip_suffix(quote).filter(|inside| !inside.contains(quote))
}

/// All that a value with `raw` can become.
fn constants(
    head: &Head,
    calls: &[&str],
    filters: &[Filter],
    known: &impl Known,
) -> Result<Vec<String>, String> {
    let Head::Attribute(name) = head else {
        return Err("a text needs no `raw`; write it where it belongs".into());
    };
    if calls.last() != Some(&"raw") || filters.iter().any(|filter| !matches!(filter, Filter::Default(_))) {
        return Err("`raw` stands last, and no filter but `default` before it".into());
    }
    let values = known.constants(name).ok_or_else(|| {
        format!(
            "\"{name}\" can be anything that somebody sends, so `raw` would let them write the page; \
             leave `raw` out, or name all its values with `values` and `otherwise`"
        )
    })?;
    let defaults = filters.iter().filter_map(|filter| match filter {
        Filter::Default(text) => Some(text.as_str()),
        _ => None,
    });
    Ok(values.into_iter().chain(defaults).map(str::to_owned).collect())
}
