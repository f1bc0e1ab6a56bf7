//! Patches: what a route changes, and when.

use std::collections::BTreeSet;

use http::{HeaderValue, StatusCode};

use crate::csp::Need;
use crate::decide::condition::{Attributes, Condition, SavedGroups};
use crate::exchange::gate::Kind;
use crate::headers::HeaderEdit;

pub mod admission;
mod append;
pub mod auto;
pub mod compile;
pub mod element;
pub mod exchange;
#[cfg(test)]
pub(crate) mod fixture;
pub mod head;
mod injection;
pub mod json;
pub mod split;

use element::ElementEdit;
use exchange::{ExchangeTemplate, RedirectTemplate};
use head::Head;
use json::JsonEdit;

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
    /// What it does to the head of the response besides.
    pub head: Head,
    /// Where on pages it is done, for people: a selector, `title`, `meta`; nothing where it is not done on pages.
    pub site: String,
    /// All of them must hold.
    guards: Vec<Guard>,
    reads: BTreeSet<String>,
    needs: Vec<Vec<Need>>,
}

/// A condition of a patch.
#[derive(Debug)]
struct Guard {
    condition: Condition,
    /// As people know it: `variant hero: bold`.
    written: String,
}

/// What a patch does.
#[derive(Debug)]
#[non_exhaustive]
pub enum Action {
    /// Edits elements of the page.
    Elements(Vec<ElementEdit>),
    /// Edits a body that is JSON.
    Json(JsonEdit),
    /// Answers in place of the origin.
    Redirect(RedirectTemplate),
    /// Changes the request or the head of the response.
    Exchange(ExchangeTemplate),
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

/// Changes of the request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExchangeEdit {
    /// The new path, without a query.
    pub path: Option<String>,
    /// The new authority.
    pub host: Option<String>,
    /// For the request to the origin.
    pub request_headers: Vec<HeaderEdit>,
}

impl Patch {
    /// An edit of pages that depends on nothing and is whole when it is made.
    fn constant(label: String, site: &str, edit: ElementEdit) -> Self {
        Self {
            label,
            site: site.to_owned(),
            required: false,
            needs: vec![edit.needs()],
            action: Action::Elements(vec![edit]),
            head: Head::default(),
            guards: Vec::new(),
            reads: BTreeSet::new(),
        }
    }

    /// Whether it is to be applied, given the values of a request.
    #[must_use]
    pub fn is_eligible(&self, values: &dyn Attributes, groups: &SavedGroups) -> bool {
        self.guards.iter().all(|guard| guard.condition.eval(values, groups))
    }

    /// Its conditions as they are written, each with whether it holds.
    pub(crate) fn guards(
        &self,
        values: &dyn Attributes,
        groups: &SavedGroups,
    ) -> impl Iterator<Item = (&str, bool)> {
        self.guards.iter().map(|guard| (guard.written.as_str(), guard.condition.eval(values, groups)))
    }

    /// What it is for: `elements`, `json`, `redirect` or `exchange`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self.action {
            Action::Elements(_) => "elements",
            Action::Json(_) => "json",
            Action::Redirect(_) => "redirect",
            Action::Exchange(_) => "exchange",
        }
    }

    /// Whether it edits pages, not the exchange.
    #[must_use]
    pub const fn edits_elements(&self) -> bool {
        matches!(self.action, Action::Elements(_))
    }

    /// Whether it edits bodies that are JSON.
    #[must_use]
    pub const fn edits_json(&self) -> bool {
        matches!(self.action, Action::Json(_))
    }

    /// Whether the origin may be asked for something else.
    #[must_use]
    pub const fn rewrites(&self) -> bool {
        matches!(&self.action, Action::Exchange(exchange) if exchange.rewrites())
    }

    /// Whether it edits bodies of this kind.
    #[must_use]
    pub const fn edits(&self, kind: Kind) -> bool {
        match kind {
            Kind::Html => self.edits_elements(),
            Kind::Json => self.edits_json(),
        }
    }

    /// Whether a response that is not a page is the same with and without it.
    #[must_use]
    pub fn changes_pages_only(&self) -> bool {
        (self.edits_elements() || self.edits_json()) && !self.head.reaches_beyond_pages()
    }

    /// The attributes that its conditions read.
    #[cfg(feature = "lint")]
    pub(crate) fn guarded_by(&self) -> impl Iterator<Item = &str> {
        self.guards.iter().flat_map(|guard| guard.condition.attributes())
    }

    /// The attributes that its condition and its texts read.
    #[must_use]
    pub const fn reads(&self) -> &BTreeSet<String> {
        &self.reads
    }

    /// What Content-Security-Policies may have a say in, for each of its [edits](Action::Elements).
    #[must_use]
    pub fn needs(&self) -> &[Vec<Need>] {
        &self.needs
    }
}
