//! In which stage each patch of a route runs.
//!
//! A patch runs once for all, before the page is stored, where it reads nothing that is not in the cache's key, and where no
//! patch of the other stage can tell: a visitor gets the very bytes that one filter makes which does all patches at once.
//! What can't be told apart for certain runs on every response.

use std::fmt;

mod commute;
mod footprint;

use super::{Action, Patch};
use commute::commute;
use footprint::Footprint;

/// Where a patch runs, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there are two stages")]
pub enum Place {
    /// Once, before the page is stored.
    Origin,
    /// On every response.
    Client(Why),
}

/// Why a patch does not run once for all.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// It reads an attribute that is not the same in all requests of one key.
    Reads(String),
    /// It changes the exchange.
    Exchange,
    /// It may not be done before a patch that runs on every response.
    DependsOn {
        /// That patch.
        label: String,
        /// What the two have to do with each other; "it" is the one that depends, "which" the other.
        because: &'static str,
    },
    /// All patches of the route belong together.
    Together(&'static str),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reads(name) => write!(f, "it reads {name}"),
            Self::Exchange => f.write_str("it changes the exchange"),
            Self::DependsOn { label, because } => write!(f, "it depends on patch {label}: {because}"),
            Self::Together(why) => f.write_str(why),
        }
    }
}

/// One place for each patch, in order. `is_keyed` tells of an attribute that it is the same in all requests of one key;
/// `whole` that pages are delivered wholly or not at all, `gzip` that they are compressed for each visitor.
#[must_use]
pub fn split(patches: &[Patch], is_keyed: impl Fn(&str) -> bool, whole: bool, gzip: bool) -> Vec<Place> {
    let first = |patch: &Patch| {
        let reads = || patch.reads().iter().find(|name| !is_keyed(name));
        if !patch.edits_elements() && !patch.edits_json() {
            Place::Client(Why::Exchange)
        } else if gzip {
            Place::Client(Why::Together("pages are compressed for each visitor"))
        } else {
            reads().map_or(Place::Origin, |name| Place::Client(Why::Reads(name.clone())))
        }
    };
    let mut places: Vec<Place> = patches.iter().map(first).collect();
    let traits: Vec<Traits<'_>> = patches.iter().map(Traits::of).collect();
    let is_client = |(at, place): (usize, &Place)| matches!(place, Place::Client(_)).then_some(at);
    let mut clients: Vec<usize> = places.iter().enumerate().filter_map(is_client).collect();
    // Whoever depends on one of these is one of these, and others may depend on it.
    while let Some(client) = clients.pop() {
        let Some(later) = traits.get(client) else { continue };
        for (at, (place, earlier)) in places.iter_mut().zip(&traits).enumerate() {
            if *place != Place::Origin {
                continue;
            }
            if let Err(because) = earlier.may_precede(later, whole) {
                *place = Place::Client(Why::DependsOn { label: later.patch.label.clone(), because });
                clients.push(at);
            }
        }
    }
    places
}

/// A patch, and what its edits look at and change.
struct Traits<'p> {
    patch: &'p Patch,
    edits: Vec<Footprint<'p>>,
    has_needs: bool,
}

impl<'p> Traits<'p> {
    fn of(patch: &'p Patch) -> Self {
        let has_needs = patch.needs().iter().any(|needs| !needs.is_empty());
        Self { patch, edits: Footprint::of(patch), has_needs }
    }

    /// Whether it may be done before `later` sees the response, and if not, why.
    fn may_precede(&self, later: &Self, whole: bool) -> Result<(), &'static str> {
        let changes_headers = match &later.patch.action {
            Action::Exchange(exchange) => exchange.answers_differently(),
            Action::Redirect(_) => return Ok(()),
            Action::Elements(_) | Action::Json(_) => false,
        };
        // Policies in headers and in the page are asked once, about all that is inserted.
        if self.has_needs && later.has_needs {
            return Err("a Content-Security-Policy has a say in both");
        }
        if self.has_needs && changes_headers {
            return Err("which changes headers, and a Content-Security-Policy has a say in what it inserts");
        }
        if !self.patch.head.is_empty() && changes_headers {
            return Err("both change headers");
        }
        if matches!(later.patch.action, Action::Exchange(_)) {
            return Ok(());
        }
        if whole {
            return Err("pages are delivered wholly or not at all");
        }
        match (self.patch.edits_json(), later.patch.edits_json()) {
            (true, true) => Err("each works on the document as the one before left it"),
            (false, false) => {
                let mut pairs =
                    self.edits.iter().flat_map(|edit| later.edits.iter().map(move |other| (edit, other)));
                pairs.try_for_each(|(edit, other)| commute(edit, other))
            }
            // A body is of one kind.
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
