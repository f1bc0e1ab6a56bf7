//! Filters: what is made of a value before it is escaped. They are pure: the same value gives the same text.
//!
//! A filter that can make nothing of its value gives none, so that a `default` behind it decides.

use serde_json::Value;

use super::escape;
use super::expression::Evaluated;
use crate::config::problem::suggest;

pub mod date;
pub mod locale;
pub mod number;
mod truncate;
mod url;

use date::Format;
use locale::Locale;

/// One filter with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever applies filters must handle each")]
pub enum Filter {
    /// A text where there is no value.
    Default(String),
    /// In capitals.
    Upper,
    /// In small letters.
    Lower,
    /// No more than so many characters as readers see them, and `…`.
    Truncate(usize),
    /// A number with its separators.
    Number(In),
    /// An amount of money.
    Currency(String, In),
    /// A day.
    Date(Format, In),
    /// The host of a URL.
    UrlHost,
    /// The path of a URL.
    UrlPath,
    /// A parameter of a URL's query, decoded.
    UrlQuery(String),
    /// Percent-encoded, as one component of a URL.
    UrlEncode,
    /// As JSON.
    Json,
}

/// In which locale.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way to say it")]
pub enum In {
    /// In this one.
    Fixed(&'static Locale),
    /// In the one that an attribute names; in English where it names none that is known.
    Of(String),
}

/// What stands between the parentheses of a filter.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Argument {
    Text(String),
    Number(f64),
    /// An attribute.
    Attribute(String),
    /// None of these; why it is no attribute.
    Unknown(String),
}

/// Names and how they are written, in the order in which errors list them.
const FILTERS: &[(&str, &str)] = &[
    ("default", "default('text')"),
    ("upper", "upper"),
    ("lower", "lower"),
    ("truncate", "truncate(80)"),
    ("number", "number('de')"),
    ("currency", "currency('EUR', 'de')"),
    ("date", "date('long', 'de')"),
    ("url_host", "url_host"),
    ("url_path", "url_path"),
    ("url_query", "url_query('name')"),
    ("urlencode", "urlencode"),
    ("json", "json"),
    ("raw", "raw"),
];

/// The most characters that `truncate` may be asked for.
const MAX_TRUNCATE: f64 = 100_000.0;

/// The filter `name` with `arguments`.
pub(super) fn filter(name: &str, arguments: &[Argument]) -> Result<Filter, String> {
    let plain = match name {
        "upper" => Some(Filter::Upper),
        "lower" => Some(Filter::Lower),
        "url_host" => Some(Filter::UrlHost),
        "url_path" => Some(Filter::UrlPath),
        "urlencode" => Some(Filter::UrlEncode),
        "json" => Some(Filter::Json),
        _ => None,
    };
    match (name, arguments, plain) {
        (_, [], Some(filter)) => Ok(filter),
        (_, _, Some(_)) => Err(format!("`{name}` takes nothing in parentheses")),
        ("default", [Argument::Text(text)], _) => Ok(Filter::Default(text.clone())),
        ("default", ..) => Err("`default` takes one text in quotes: `default('you')`".into()),
        ("truncate", [Argument::Number(most)], _)
            if (1.0..=MAX_TRUNCATE).contains(most) && most.fract() == 0.0 =>
        {
            Ok(Filter::Truncate(whole(*most)))
        }
        ("truncate", ..) => Err("`truncate` takes a whole number from 1 to 100000: `truncate(80)`".into()),
        ("url_query", [Argument::Text(text)], _) => Ok(Filter::UrlQuery(text.clone())),
        ("url_query", ..) => {
            Err("`url_query` takes the name of a parameter in quotes: `url_query('page')`".into())
        }
        ("number", [locale], _) => Ok(Filter::Number(in_locale(locale)?)),
        ("number", ..) => {
            Err("`number` takes a locale: `number('de')`, or an attribute that names one".into())
        }
        ("currency", [Argument::Text(code), locale], _) if number::is_currency(code) => {
            Ok(Filter::Currency(code.clone(), in_locale(locale)?))
        }
        ("currency", ..) => {
            Err("`currency` takes a code of three capitals and a locale: `currency('EUR', 'de')`".into())
        }
        ("date", [Argument::Text(format), locale], _) => {
            Ok(Filter::Date(Format::parse(format)?, in_locale(locale)?))
        }
        ("date", ..) => Err(
            "`date` takes a style or a pattern and a locale: `date('long', 'de')`, `date('d MMMM', 'de')`"
                .into(),
        ),
        _ => Err(unknown(name)),
    }
}

fn unknown(name: &str) -> String {
    let hint = suggest(name, FILTERS.iter().map(|(known, _)| *known))
        .map(|known| format!("; did you mean \"{known}\"?"))
        .unwrap_or_default();
    let accepted: Vec<&str> = FILTERS.iter().map(|(_, form)| *form).collect();
    format!("\"{name}\" is not a filter{hint}; accepted: {}", accepted.join(", "))
}

/// A whole number between 1 and [`MAX_TRUNCATE`].
fn whole(number: f64) -> usize {
    // Through text: there is no conversion from f64 that is checked.
    format!("{number:.0}").parse().unwrap_or(usize::MAX)
}

fn in_locale(argument: &Argument) -> Result<In, String> {
    match argument {
        Argument::Attribute(name) => Ok(In::Of(name.clone())),
        Argument::Text(tag) => Locale::find(tag).map(In::Fixed).ok_or_else(|| {
            let tags: Vec<&str> = Locale::all().iter().map(|locale| locale.tag).collect();
            let hint = suggest(tag, tags.iter().copied())
                .map(|known| format!("; did you mean \"{known}\"?"))
                .unwrap_or_default();
            format!("\"{tag}\" is not a locale that is known{hint}; accepted: {}", tags.join(", "))
        }),
        Argument::Number(number) => Err(format!("{number} is not a locale; write it in quotes: 'de'")),
        Argument::Unknown(why) => Err(format!("{why}, or write a locale in quotes: 'de'")),
    }
}

impl In {
    fn locale(&self, lookup: &dyn Fn(&str) -> Option<Value>) -> Option<&'static Locale> {
        match self {
            Self::Fixed(locale) => Some(locale),
            Self::Of(name) => {
                let tag = lookup(name);
                tag.as_ref().and_then(Value::as_str).and_then(Locale::find).or_else(|| Locale::find("en"))
            }
        }
    }
}

impl Filter {
    /// The attribute that it reads.
    pub(super) fn attribute(&self) -> Option<&str> {
        match self {
            Self::Number(In::Of(name)) | Self::Currency(_, In::Of(name)) | Self::Date(_, In::Of(name)) => {
                Some(name)
            }
            _ => None,
        }
    }

    /// What it makes of a value that is there and not empty.
    pub(super) fn apply(
        &self,
        value: Option<Value>,
        lookup: &dyn Fn(&str) -> Option<Value>,
    ) -> Option<Value> {
        let value = match (self, value) {
            (Self::Default(text), None) => return Some(Value::String(text.clone())),
            (Self::Default(_), value) => return value,
            (_, value) => Evaluated::new(value?),
        };
        let text = value.text();
        let made = match self {
            Self::Default(_) => None,
            Self::Upper => Some(text.to_uppercase()),
            Self::Lower => Some(text.to_lowercase()),
            Self::Truncate(most) => Some(truncate::truncate(&text, *most)),
            Self::Number(locale) => number::number(&text, locale.locale(lookup)?),
            Self::Currency(code, locale) => number::currency(&text, code, locale.locale(lookup)?),
            Self::Date(format, locale) => date::date(&text, format, locale.locale(lookup)?),
            Self::UrlHost => url::host(&text),
            Self::UrlPath => url::path(&text),
            Self::UrlQuery(name) => url::parameter(&text, name),
            Self::UrlEncode => {
                let mut out = String::new();
                escape::component(&text, &mut out);
                Some(out)
            }
            Self::Json => {
                let mut out = String::new();
                escape::json_value(value.value(), &mut out);
                Some(out)
            }
        };
        made.map(Value::String)
    }
}

#[cfg(test)]
mod tests;
