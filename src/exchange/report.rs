//! What came of an exchange: for metrics, logs and access logs.

use std::collections::BTreeMap;
use std::fmt;

use super::gate::Untouched;
use crate::coding::CodingError;
use crate::decisions::Note;
use crate::explain::hidden::Hidden;
use crate::explain::trace::Trace;
use crate::exposure::Event;
use crate::html::outcome::{Outcome, Skip};
use crate::names::names;
use crate::patch::Patch;

mod counter;

pub use counter::Counter;

/// The histogram of [`Report::held_bytes`].
pub const HELD_BYTES: &str = "body.held_bytes";

/// See the [module](self).
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// The name of the route, if one matched.
    pub route: Option<String>,
    /// The patch that answered with a redirect.
    pub redirected_by: Option<String>,
    /// Whether the origin was asked for something else.
    pub rewritten: bool,
    /// What happened to the body.
    pub body: BodyState,
    /// The patches whose guards held.
    pub patches: Vec<PatchReport>,
    /// Patches that were not to be applied: what they would have come to. They are not counted.
    pub probes: Vec<PatchReport>,
    /// What was made for the end of the page, and whether it went in.
    pub late: Vec<Outcome>,
    /// How many cache tags did not fit into the limits of a cache in front.
    pub dropped_tags: usize,
    /// `Set-Cookie` was taken off so that shared caches may keep the response.
    pub drops_cookies: bool,
    /// Why the cache behind the personal edits was told not to store the response, at the origin stage.
    pub not_storable: Option<NotStorable>,
    /// The largest number of bytes that were held between two chunks.
    pub max_held_bytes: usize,
    /// The assignments that the visitor saw.
    pub exposures: Vec<Event>,
    /// How many assignments were left out, as their names or values are too long.
    pub too_long_exposures: u32,
    /// What was decided, by name, and why; where that was asked for.
    pub decisions: Vec<Note>,
    /// Somebody chose what they saw.
    pub forced: bool,
    /// Something was decided that only a payload knows, and none had come.
    pub awaits_payload: bool,
    /// How it all came about; where that was asked for.
    pub trace: Option<Box<Trace>>,
    /// What the trace does not show of it, for whoever shows more than the trace; where that was asked for.
    pub hidden: Option<Box<Hidden>>,
}

/// Why a response is not stored, although its route is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum NotStorable {
    /// It sets a cookie that is not named as droppable.
    SetCookie,
    /// It differs by something that is not in the key.
    Vary,
    /// It has a content coding that not all visitors take, though the origin was asked for none.
    ContentCoding,
    /// It is a part of the body only, and would pass for the whole.
    Partial,
    /// The visitor's cookies keep it from the cache, or the request is none that a cache may answer.
    Passing,
    /// The client stage has another configuration.
    OtherConfiguration,
}

names! {
    NotStorable {
        SetCookie => "set_cookie",
        Vary => "vary",
        ContentCoding => "content_coding",
        Partial => "partial",
        Passing => "passing",
        OtherConfiguration => "other_configuration",
    }
}

/// What happened to a body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyState {
    /// No patch wanted to edit it.
    #[default]
    NotWanted,
    /// It was left as it is.
    Untouched(Untouched),
    /// It had all its edits when it came from the cache behind.
    Stored,
    /// The visitor has it, and was told so.
    NotModified,
    /// It was edited, to the end.
    Edited,
    /// It was to be edited wholly or not at all, and left as it came.
    Reverted,
    /// Its content coding could not be undone to the end: what was decoded has left, and the response is to be broken off.
    Broken(Break),
    /// The exchange broke off.
    Aborted,
}

impl fmt::Display for BodyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotWanted => f.write_str("not_wanted"),
            Self::Untouched(reason) => write!(f, "untouched:{reason}"),
            Self::Stored => f.write_str("stored"),
            Self::NotModified => f.write_str("not_modified"),
            Self::Edited => f.write_str("edited"),
            Self::Reverted => f.write_str("reverted"),
            Self::Broken(why) => write!(f, "broken:{why}"),
            Self::Aborted => f.write_str("aborted"),
        }
    }
}

/// Why a body can't be decoded to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Break {
    /// It is not what its content coding says.
    Corrupt,
    /// It ends before its content coding does.
    Truncated,
    /// It expands to more than is allowed.
    Expansion,
}

names! {
    Break {
        Corrupt => "corrupt",
        Truncated => "truncated",
        Expansion => "expansion",
    }
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl From<CodingError> for Break {
    fn from(error: CodingError) -> Self {
        match error {
            CodingError::Corrupt { .. } => Self::Corrupt,
            CodingError::Truncated { .. } => Self::Truncated,
            CodingError::Expansion { .. } => Self::Expansion,
        }
    }
}

/// What became of a patch.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PatchReport {
    /// The name of the patch, or its number in the route. A patch with several edits has several reports.
    pub label: String,
    /// Which part of it, where it has several.
    pub part: Option<&'static str>,
    /// A miss is an error.
    pub required: bool,
    /// What became of it; `None` where the body was not touched here.
    pub outcome: Option<Outcome>,
    /// It was done before the page was stored; what came of it was counted then.
    pub is_stored: bool,
    /// It was not to be applied, only to tell what it would have come to.
    pub is_probe: bool,
}

impl PatchReport {
    pub(super) fn not_tried(patch: &Patch) -> Self {
        Self {
            label: patch.label.clone(),
            part: None,
            required: patch.required,
            outcome: None,
            is_stored: false,
            is_probe: false,
        }
    }

    pub(super) fn probe(patch: &Patch) -> Self {
        Self { is_probe: true, ..Self::not_tried(patch) }
    }

    pub(super) fn stored(patch: &Patch) -> Self {
        Self { is_stored: true, ..Self::not_tried(patch) }
    }

    pub(super) fn done(patch: &Patch) -> Self {
        let outcome = Outcome { applied: 1, ..Outcome::default() };
        Self { outcome: Some(outcome), ..Self::not_tried(patch) }
    }

    /// Whether a page that is delivered wholly or not at all may have it.
    pub(super) fn stands(&self) -> bool {
        let complete = self.outcome.as_ref().is_some_and(Outcome::is_complete);
        complete && (!self.required || self.is_applied())
    }

    /// It was taken back with the others.
    pub(super) fn revert(&mut self) {
        if let Some(outcome) = &mut self.outcome {
            outcome.revert();
        }
    }

    /// Whether it was applied to the exchange or to some element.
    #[must_use]
    pub fn is_applied(&self) -> bool {
        self.outcome.as_ref().is_some_and(|outcome| outcome.applied > 0)
    }
}

impl fmt::Display for PatchReport {
    /// `label=2` (elements, or 1 for the exchange), `label=missed`, `label=skipped:reason`, `label=stored`, `label=not_tried`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.part {
            Some(part) => write!(f, "{}.{part}=", self.label)?,
            None => write!(f, "{}=", self.label)?,
        }
        if self.is_stored {
            return f.write_str("stored");
        }
        let Some(outcome) = &self.outcome else { return f.write_str("not_tried") };
        match (outcome.applied, outcome.skipped.keys().next(), outcome.search_ended) {
            (0, Some(reason), _) => write!(f, "skipped:{reason}"),
            (0, None, Some(reason)) => write!(f, "search_ended:{reason}"),
            (0, None, None) => f.write_str("missed"),
            (applied, ..) => write!(f, "{applied}"),
        }
    }
}

impl Report {
    pub(super) fn redirected(route: &str, patch: &Patch) -> Self {
        Self {
            route: Some(route.to_owned()),
            redirected_by: Some(patch.label.clone()),
            patches: vec![PatchReport::done(patch)],
            ..Self::default()
        }
    }

    /// An experiment of the payload led elsewhere.
    pub(super) fn led_away(route: &str) -> Self {
        Self { route: Some(route.to_owned()), redirected_by: Some("auto".to_owned()), ..Self::default() }
    }

    /// The patches and what became of each, for an access log: `0=1,banner=missed`.
    #[must_use]
    pub fn summary(&self) -> String {
        let patches: Vec<String> = self.patches.iter().map(ToString::to_string).collect();
        patches.join(",")
    }

    /// The largest number of bytes that were held of a page that was edited.
    #[must_use]
    pub fn held_bytes(&self) -> Option<u64> {
        (self.body == BodyState::Edited).then(|| u64::try_from(self.max_held_bytes).unwrap_or(u64::MAX))
    }

    /// What to count, and by how much.
    #[must_use]
    pub fn counters(&self) -> BTreeMap<Counter, u64> {
        let mut counters: BTreeMap<Counter, u64> = BTreeMap::new();
        let mut count = |name: Counter, n: u32| {
            if n > 0 {
                let sum = counters.entry(name).or_default();
                *sum = sum.saturating_add(n.into());
            }
        };
        count(Counter::Requests, 1);
        count(Counter::NoRoute, self.route.is_none().into());
        count(Counter::Redirects, self.redirected_by.is_some().into());
        count(Counter::Rewrites, self.rewritten.into());
        count(Counter::TagsDropped, u32::try_from(self.dropped_tags).unwrap_or(u32::MAX));
        count(Counter::CookiesDropped, self.drops_cookies.into());
        count(Counter::Forced, self.forced.into());
        count(Counter::NoPayload, self.awaits_payload.into());
        count(Counter::ExposuresTooLong, self.too_long_exposures);
        count(Counter::Exposures, u32::try_from(self.exposures.len()).unwrap_or(u32::MAX));
        if let Some(reason) = self.not_storable {
            count(Counter::NotStorable(reason), 1);
        }
        match self.body {
            BodyState::NotWanted => {}
            BodyState::Untouched(reason) => count(Counter::BodyUntouched(reason), 1),
            BodyState::Stored => count(Counter::BodyStored, 1),
            BodyState::NotModified => count(Counter::BodyNotModified, 1),
            BodyState::Edited => count(Counter::BodyEdited, 1),
            BodyState::Reverted => count(Counter::BodyReverted, 1),
            BodyState::Broken(why) => count(Counter::BodyBroken(why), 1),
            BodyState::Aborted => count(Counter::BodyAborted, 1),
        }
        for outcome in &self.late {
            count(Counter::ExposuresInPage, outcome.applied);
            for (reason, n) in &outcome.skipped {
                count(Counter::InPageSkipped(*reason), *n);
            }
        }
        for patch in &self.patches {
            let Some(outcome) = &patch.outcome else { continue };
            count(Counter::PatchesApplied, outcome.applied);
            for (reason, n) in &outcome.skipped {
                count(Counter::PatchesSkipped(*reason), *n);
            }
            if let Some(reason) = outcome.search_ended {
                count(Counter::SearchEnded(reason), 1);
            }
            let to_its_end = matches!(self.body, BodyState::Edited | BodyState::Reverted);
            if to_its_end && !patch.is_applied() && !outcome.skipped.contains_key(&Skip::Reverted) {
                count(Counter::PatchesMissed, outcome.skipped.is_empty().into());
                count(Counter::PatchesRequiredMissed, patch.required.into());
            }
        }
        counters
    }
}
