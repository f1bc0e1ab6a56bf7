//! What is counted. The set is closed: docs/metrics.md has a row for each, and hosts may define them before anything is counted.

use std::fmt;

use super::{Break, NotStorable};
use crate::config::model::Stage;
use crate::exchange::gate::Untouched;
use crate::feed::Reason;
use crate::html::outcome::Skip;

/// Which stages count it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Where {
    /// All of them.
    Each,
    /// Those that decide what a visitor sees.
    Visitors,
    /// The one in front of an origin.
    Origin,
}

/// One table makes the enum, its names and the list of all, so that no counter can lack a name or stand outside the list.
macro_rules! counters {
    (
        $($(#[doc = $doc:literal])+ $variant:ident => $name:literal, $where:ident;)+
        because
        $($(#[doc = $why_doc:literal])+ $why:ident($reason:ty) of $all:expr => $group:literal, $why_where:ident;)+
    ) => {
        /// A counter: what is counted, and for some the reason. Shown as `body.edited`, `body.untouched.charset`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Counter {
            $($(#[doc = $doc])+ $variant,)+
            $($(#[doc = $why_doc])+ $why($reason),)+
        }

        impl Counter {
            /// All that a stage counts.
            #[must_use]
            pub fn all(stage: Stage) -> Vec<Self> {
                let mut all = Vec::new();
                $(if Where::$where.has(stage) { all.push(Self::$variant); })+
                $(if Where::$why_where.has(stage) {
                    for reason in $all {
                        all.push(Self::$why(*reason));
                    }
                })+
                all
            }

            /// What is counted, and why.
            const fn name(self) -> (&'static str, Option<&'static str>) {
                match self {
                    $(Self::$variant => ($name, None),)+
                    $(Self::$why(reason) => ($group, Some(reason.name())),)+
                }
            }
        }
    };
}

counters! {
    /// Exchanges.
    Requests => "requests", Each;
    /// Exchanges without a route.
    NoRoute => "requests.no_route", Each;
    /// Exchanges that a patch, or an experiment of the payload, answered with a redirect.
    Redirects => "redirects", Visitors;
    /// Exchanges for which the origin was asked for something else.
    Rewrites => "rewrites", Visitors;
    /// Cache tags that did not fit into the limits of a cache in front.
    TagsDropped => "cache.tags_dropped", Each;
    /// Responses that lost `Set-Cookie` so that shared caches may keep them.
    CookiesDropped => "cache.cookies_dropped", Each;
    /// Requests whose sender chose what they see.
    Forced => "decisions.forced", Visitors;
    /// Requests that asked for what only a payload knows, before there was one.
    NoPayload => "decisions.no_payload", Visitors;
    /// Assignments that a visitor saw.
    Exposures => "exposures", Visitors;
    /// Assignments that are not told, as their names or values are too long.
    ExposuresTooLong => "exposures.too_long", Visitors;
    /// Assignments that did not fit into the list of an access log.
    ExposuresListFull => "exposures.list_full", Visitors;
    /// Pages whose own scripts were told of assignments.
    ExposuresInPage => "exposures.in_page", Visitors;
    /// Events that a collector's queue took.
    CollectorQueued => "exposures.collector.queued", Visitors;
    /// Events that the collector took.
    CollectorSent => "exposures.collector.sent", Visitors;
    /// Events for which the queue had no room.
    CollectorDropped => "exposures.collector.dropped", Visitors;
    /// Events that the collector refused, or that were sent too often.
    CollectorFailed => "exposures.collector.failed", Visitors;
    /// How often a batch was to be sent again.
    CollectorRetries => "exposures.collector.retries", Visitors;
    /// Answers of the service with a payload.
    PayloadFetched => "payload.fetched", Visitors;
    /// Answers of the service that the payload is still the same.
    PayloadNotModified => "payload.not_modified", Visitors;
    /// Payloads that were made ready.
    PayloadTakenOver => "payload.taken_over", Visitors;
    /// Bodies that were edited to their end.
    BodyEdited => "body.edited", Each;
    /// Bodies that had all their edits when they came from a cache behind.
    BodyStored => "body.stored", Visitors;
    /// Responses that told the visitor that they have it.
    BodyNotModified => "body.not_modified", Visitors;
    /// Bodies that were to be edited wholly or not at all, and left as they came.
    BodyReverted => "body.reverted", Each;
    /// Bodies that broke off, on either side.
    BodyAborted => "body.aborted", Each;
    /// Elements, or exchanges, to which a patch was applied.
    PatchesApplied => "patches.applied", Each;
    /// Patches that found nothing on a page.
    PatchesMissed => "patches.missed", Each;
    /// Patches that were required and not applied.
    PatchesRequiredMissed => "patches.required_missed", Each;
    because
    /// Responses of a stored route that are not stored.
    NotStorable(NotStorable) of NotStorable::ALL => "cache.not_storable", Origin;
    /// Bodies that were wanted and left as they came.
    BodyUntouched(Untouched) of Untouched::ALL => "body.untouched", Each;
    /// Responses that were broken off after what could be decoded.
    BodyBroken(Break) of Break::ALL => "body.broken", Each;
    /// Elements to which a patch was not applied.
    PatchesSkipped(Skip) of Skip::ALL => "patches.skipped", Each;
    /// Patches for which not the whole page was searched.
    SearchEnded(Skip) of Skip::OF_SEARCH => "patches.search_ended", Each;
    /// Pages whose own scripts could not be told of assignments.
    InPageSkipped(Skip) of Skip::OF_PAGE_END => "exposures.in_page_skipped", Visitors;
    /// Questions for a payload that brought none.
    PayloadFailed(Reason) of Reason::ALL => "payload.failed", Visitors;
}

impl Where {
    const fn has(self, stage: Stage) -> bool {
        match self {
            Self::Each => true,
            Self::Visitors => !matches!(stage, Stage::Origin),
            Self::Origin => matches!(stage, Stage::Origin),
        }
    }
}

impl fmt::Display for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, why) = self.name();
        f.write_str(what)?;
        match why {
            Some(why) => write!(f, ".{why}"),
            None => Ok(()),
        }
    }
}
