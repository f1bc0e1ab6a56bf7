//! Changes of the exchange, compiled; `render` makes them ready for one request.
//!
//! The attacks that rendering prevents, together with [`context`](crate::template::context): a value that ends a header's
//! line, that sends the visitor to another site, or that makes the origin serve another path.

use http::{HeaderName, HeaderValue, StatusCode};

use super::{ExchangeEdit, Redirect};
use crate::decide::condition::Attributes as _;
use crate::headers::HeaderEdit;
use crate::request::attributes::Values;
use crate::template::Escaped;

/// A redirect, its location not rendered yet.
#[derive(Debug)]
#[non_exhaustive]
pub struct RedirectTemplate {
    pub(super) location: Text,
    pub(super) status: StatusCode,
    pub(super) keep_query: bool,
}

/// Changes of the request and of the head of the response, their texts not rendered yet.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct ExchangeTemplate {
    pub(super) path: Option<Escaped>,
    pub(super) host: Option<String>,
    pub(super) request_headers: Vec<HeaderStep>,
    pub(super) response_headers: Vec<HeaderStep>,
}

/// The value of a header.
#[derive(Debug)]
pub(super) enum Text {
    Constant(HeaderValue),
    Template(Escaped),
}

/// One change of headers.
#[derive(Debug)]
pub(super) enum HeaderStep {
    Set(HeaderName, Text),
    Add(HeaderName, Text),
    Remove(HeaderName),
}

impl RedirectTemplate {
    /// Where to, for these values; `None` where they make no location of it.
    #[must_use]
    pub fn render(&self, values: &Values) -> Option<Redirect> {
        let location = self.location.render(values)?;
        // A constant was looked at when the configuration loaded.
        let leads = matches!(self.location, Text::Constant(_)) || location.to_str().is_ok_and(is_location);
        leads.then_some(Redirect { location, status: self.status, keep_query: self.keep_query })
    }

    pub(super) fn attributes(&self) -> impl Iterator<Item = &str> {
        self.location.attributes()
    }
}

impl ExchangeTemplate {
    /// Whether the origin may be asked for something else.
    #[must_use]
    pub const fn rewrites(&self) -> bool {
        self.path.is_some() || self.host.is_some()
    }

    /// Whether it changes the head of the response.
    pub(super) const fn answers_differently(&self) -> bool {
        !self.response_headers.is_empty()
    }

    /// What changes of the request for these values. A path that they make no path of is left as it was.
    #[must_use]
    pub fn render(&self, values: &Values) -> ExchangeEdit {
        let path = self.path.as_ref().map(|path| path.render(|name| values.attribute(name).cloned()));
        ExchangeEdit {
            path: path.filter(|path| is_path_alone(path)),
            host: self.host.clone(),
            request_headers: self.request_headers.iter().filter_map(|step| step.render(values)).collect(),
        }
    }

    /// The headers of the request that it changes, and whether it gives them a value.
    pub fn request_header_names(&self) -> impl Iterator<Item = (&HeaderName, bool)> {
        self.request_headers.iter().map(|step| match step {
            HeaderStep::Set(name, _) | HeaderStep::Add(name, _) => (name, true),
            HeaderStep::Remove(name) => (name, false),
        })
    }

    /// What changes of the response's headers for these values.
    pub fn response_headers(&self, values: &Values) -> impl Iterator<Item = HeaderEdit> {
        self.response_headers.iter().filter_map(|step| step.render(values))
    }

    pub(super) fn attributes(&self) -> impl Iterator<Item = &str> {
        let steps = self.request_headers.iter().chain(&self.response_headers);
        let headers = steps.filter_map(|step| match step {
            HeaderStep::Set(_, text) | HeaderStep::Add(_, text) => Some(text),
            HeaderStep::Remove(_) => None,
        });
        self.path.iter().flat_map(Escaped::attributes).chain(headers.flat_map(Text::attributes))
    }
}

impl Text {
    fn render(&self, values: &Values) -> Option<HeaderValue> {
        match self {
            Self::Constant(value) => Some(value.clone()),
            Self::Template(template) => {
                HeaderValue::try_from(template.render(|name| values.attribute(name).cloned())).ok()
            }
        }
    }

    fn attributes(&self) -> impl Iterator<Item = &str> {
        let template = match self {
            Self::Constant(_) => None,
            Self::Template(template) => Some(template),
        };
        template.into_iter().flat_map(Escaped::attributes)
    }
}

impl HeaderStep {
    fn render(&self, values: &Values) -> Option<HeaderEdit> {
        match self {
            Self::Set(name, text) => Some(HeaderEdit::Set(name.clone(), text.render(values)?)),
            Self::Add(name, text) => Some(HeaderEdit::Add(name.clone(), text.render(values)?)),
            Self::Remove(name) => Some(HeaderEdit::Remove(name.clone())),
        }
    }
}

/// Where a redirect may lead: a path of this site, or an `http` or `https` URL.
pub(super) fn is_location(text: &str) -> bool {
    let scheme = text.parse::<http::Uri>().ok().and_then(|uri| uri.scheme_str().map(str::to_owned));
    is_path(text) || scheme.is_some_and(|scheme| matches!(scheme.as_str(), "http" | "https"))
}

/// A path for this site without a query.
pub(super) fn is_path_alone(text: &str) -> bool {
    is_path(text) && !text.contains(['?', '#'])
}

/// A path for this site: `//host` would be another one, and so would `/\host` for browsers.
fn is_path(text: &str) -> bool {
    let local = !text.starts_with("//") && !text.starts_with("/\\");
    local && text.starts_with('/') && text.is_ascii() && text.parse::<http::uri::PathAndQuery>().is_ok()
}

#[cfg(test)]
mod tests;
