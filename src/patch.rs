//! Patches: what a route changes, and when.

use std::collections::BTreeSet;

use http::{HeaderValue, StatusCode};

use crate::decide::condition::{Condition, SavedGroups};
use crate::headers::HeaderEdit;
use crate::request::attributes::Values;

pub mod compile;
pub mod element;

use element::ElementEdit;

/// A compiled patch.
#[derive(Debug)]
#[non_exhaustive]
pub struct Patch {
    /// Its name, or its number in the route.
    pub label: String,
    /// A miss is an error.
    pub required: bool,
    /// What it does.
    pub action: Action,
    when: Option<Condition>,
    reads: BTreeSet<String>,
}

/// What a patch does.
#[derive(Debug)]
#[non_exhaustive]
pub enum Action {
    /// Edits elements of the page.
    Elements(ElementEdit),
    /// Answers in place of the origin.
    Redirect(Redirect),
    /// Changes the request or the head of the response.
    Exchange(ExchangeEdit),
}

/// A redirect.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Redirect {
    /// `Location`.
    pub location: HeaderValue,
    /// 301, 302, 303, 307 or 308.
    pub status: StatusCode,
    /// Adds the query of the request.
    pub keep_query: bool,
}

/// Changes of the request and of the head of the response.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExchangeEdit {
    /// The new path, without a query.
    pub path: Option<String>,
    /// The new authority.
    pub host: Option<String>,
    /// For the request to the origin.
    pub request_headers: Vec<HeaderEdit>,
    /// For the response.
    pub response_headers: Vec<HeaderEdit>,
}

impl Patch {
    /// Whether it is to be applied, given the values of a request.
    #[must_use]
    pub fn is_eligible(&self, values: &Values) -> bool {
        self.when.as_ref().is_none_or(|condition| condition.eval(values, &SavedGroups::default()))
    }

    /// Whether it edits pages, not the exchange.
    #[must_use]
    pub const fn edits_elements(&self) -> bool {
        matches!(self.action, Action::Elements(_))
    }

    /// The attributes that its condition and its texts read.
    #[must_use]
    pub const fn reads(&self) -> &BTreeSet<String> {
        &self.reads
    }
}
