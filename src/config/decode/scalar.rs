//! A scalar as the type that is asked for.
//!
//! Answers for one reading of a scalar whatever form it came in: Envoy hands over `1.5` as text and `7` as a number, a
//! JSON file may have `"7"`, and all of them are numbers where a number is asked for. It refuses to take quoted text for a
//! truth: what is quoted was meant as text.

use std::borrow::Cow;

use super::super::node::{Node, Value};
use super::super::yaml::{decimal, flexible_bool};
use super::failure::Failure;

pub(super) fn boolean(node: &Node) -> Result<bool, Failure> {
    match &node.value {
        Value::Bool(truth) => Ok(*truth),
        Value::Text(text) => Err(match flexible_bool(text) {
            Some(truth) => Failure::advised("true or false", format!("remove the quotes: {truth}")),
            None => Failure::expected("true or false"),
        }),
        _ => Err(Failure::expected("true or false")),
    }
}

pub(super) fn number(node: &Node) -> Result<f64, Failure> {
    let number = match &node.value {
        Value::Number(number) => Some(*number),
        Value::Text(text) => decimal(text),
        _ => None,
    };
    number.filter(|number| number.is_finite()).ok_or_else(|| Failure::expected("a number"))
}

/// A whole number of the type `N`, whose bounds name themselves in the message.
pub(super) fn whole<N: TryFrom<i128>>(node: &Node, bounds: &'static str) -> Result<N, Failure> {
    let whole = match &node.value {
        Value::Number(number) => integral(*number),
        Value::Text(text) => text.parse().ok().or_else(|| integral(decimal(text)?)),
        _ => None,
    };
    whole.and_then(|whole: i128| N::try_from(whole).ok()).ok_or_else(|| Failure::expected(bounds))
}

/// A number without a fraction, as an integer.
pub(super) fn integral(number: f64) -> Option<i128> {
    // Beyond 2^64 no integer type asks, and the digits of a double are not those that were meant.
    const TOO_LARGE: f64 = 18_446_744_073_709_551_616.0;
    let fits = number.fract() == 0.0 && number.abs() < TOO_LARGE;
    fits.then(|| format!("{number:.0}").parse().ok())?
}

pub(super) fn text(node: &Node) -> Result<Cow<'_, str>, Failure> {
    match &node.value {
        Value::Text(text) => Ok(Cow::Borrowed(text)),
        Value::Number(number) => Ok(Cow::Owned(number.to_string())),
        Value::Bool(true) => Ok(Cow::Borrowed("true")),
        Value::Bool(false) => Ok(Cow::Borrowed("false")),
        _ => Err(Failure::expected("text")),
    }
}
