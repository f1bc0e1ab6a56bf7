//! In which stage each patch of a route runs.

use std::fmt;

use super::Patch;
use crate::exchange::gate::Kind;

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
    /// It can't be told apart from this patch of the client stage.
    DependsOn(String),
    /// All patches of the route belong together.
    Together(&'static str),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reads(name) => write!(f, "it reads {name}"),
            Self::Exchange => f.write_str("it changes the exchange"),
            Self::DependsOn(label) => write!(f, "it can't be told apart from patch {label}"),
            Self::Together(why) => f.write_str(why),
        }
    }
}

/// One place for each patch, in order.
#[must_use]
pub fn split(patches: &[Patch], is_keyed: impl Fn(&str) -> bool, whole: bool, gzip: bool) -> Vec<Place> {
    let candidate = |patch: &Patch| -> Result<(), Why> {
        if !patch.edits_elements() && !patch.edits_json() {
            return Err(Why::Exchange);
        }
        if gzip {
            return Err(Why::Together("pages are compressed for each visitor"));
        }
        match patch.reads().iter().find(|name| !is_keyed(name)) {
            Some(name) => Err(Why::Reads(name.clone())),
            None => Ok(()),
        }
    };
    let first: Vec<Result<(), Why>> = patches.iter().map(candidate).collect();
    let client_of = |kind: Kind| {
        let mut both = patches.iter().zip(&first);
        both.find(|(patch, place)| {
            place.is_err() && (patch.edits(kind) || (whole && !matches!(place, Err(Why::Exchange))))
        })
        .map(|(patch, _)| patch.label.clone())
    };
    let (html, json) = (client_of(Kind::Html), client_of(Kind::Json));
    let place = |(patch, place): (&Patch, Result<(), Why>)| match place {
        Err(why) => Place::Client(why),
        Ok(()) => match if patch.edits_elements() { &html } else { &json } {
            Some(label) => Place::Client(Why::DependsOn(label.clone())),
            None => Place::Origin,
        },
    };
    patches.iter().zip(first.clone()).map(place).collect()
}
