//! Decisions for one visitor on one page.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::condition::SavedGroups;
use super::experiment::Experiment;
use super::payload::Payload;
use super::result::ExperimentResult;
use super::sticky::{StickyBuckets, StickyDocument};
use super::url_targeting::PageUrl;
use super::visitor::Visitor;

/// Decides for one visitor on one page.
///
/// Decisions remember three things for those that come after them: the values of features that others depend on, sticky
/// buckets that were assigned, and which assignments were made at all. Apart from that each is a function of the payload
/// and the visitor.
///
/// ```
/// use engraft::decide::evaluation::Evaluation;
/// use engraft::decide::payload::Payload;
/// use engraft::decide::visitor::Visitor;
/// use serde_json::json;
///
/// let payload = Payload::compile(&json!({
///     "features": {
///         "layout": { "defaultValue": "old", "rules": [{ "id": "r1", "variations": ["old", "new"], "hashVersion": 2 }] },
///     },
/// })).unwrap();
/// let attributes = json!({ "id": "u-1" });
/// let mut evaluation = Evaluation::new(&payload, Visitor::new(&attributes, "https://shop.example/"));
///
/// let layout = evaluation.feature("layout");
/// assert_eq!((layout.value, layout.rule_id), (&json!("new"), "r1"));
/// assert_eq!(evaluation.exposures().len(), 1);
/// ```
#[derive(Debug)]
pub struct Evaluation<'a> {
    pub(super) payload: &'a Payload,
    pub(super) visitor: Visitor<'a>,
    pub(super) groups: &'a SavedGroups,
    pub(super) sticky: Option<StickyBuckets>,
    /// Features that others depend on, once decided.
    pub(super) parents: BTreeMap<usize, Parent<'a>>,
    /// The features that wait for what is decided now.
    pub(super) path: Vec<usize>,
    pub(super) cyclic_evaluations: usize,
    /// How often a sticky bucket was assigned.
    pub(super) assignments: usize,
    exposures: Vec<Exposure<'a>>,
    exposed: BTreeSet<(&'a str, &'a str, usize)>,
    tracks: Vec<&'a Value>,
}

/// How many assignments of sticky buckets make one look at features again. Two experiments of one key that change each
/// other's bucket would go on for ever.
const MAX_FORGETTING: usize = 1_000;

/// A feature that others depend on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parent<'a> {
    pub(super) value: &'a Value,
    pub(super) cyclic: bool,
}

/// A visitor was assigned a variation by hash. Whether it is reported depends on whether they saw it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Exposure<'a> {
    /// Of which experiment.
    pub experiment: &'a Experiment,
    /// Which variation.
    pub result: ExperimentResult<'a>,
}

impl<'a> Evaluation<'a> {
    /// For that visitor, without sticky buckets.
    #[must_use]
    pub const fn new(payload: &'a Payload, visitor: Visitor<'a>) -> Self {
        Self {
            groups: payload.saved_groups(),
            payload,
            visitor,
            sticky: None,
            parents: BTreeMap::new(),
            path: Vec::new(),
            cyclic_evaluations: 0,
            assignments: 0,
            exposures: Vec::new(),
            exposed: BTreeSet::new(),
            tracks: Vec::new(),
        }
    }

    /// The same visitor on another page, before anything is decided.
    pub(super) fn elsewhere<'b>(&self, url: &'b str) -> Evaluation<'b>
    where
        'a: 'b,
    {
        let visitor = Visitor { url: PageUrl::new(url), ..self.visitor.clone() };
        Evaluation {
            groups: self.groups,
            sticky: self.sticky.clone(),
            ..Evaluation::new(self.payload, visitor)
        }
    }

    /// With sticky buckets: those that the visitor has.
    #[must_use]
    pub fn with_sticky_buckets(mut self, buckets: StickyBuckets) -> Self {
        self.sticky = Some(buckets);
        self
    }

    /// With other saved groups than the payload's.
    #[must_use]
    pub const fn with_saved_groups(mut self, groups: &'a SavedGroups) -> Self {
        self.groups = groups;
        self
    }

    /// Whether a variation of that experiment is forced upon the visitor.
    pub(crate) fn forces(&self, experiment: &str) -> bool {
        self.visitor.forced_variations.is_some_and(|forced| forced.contains_key(experiment))
    }

    /// The assignments that were made so far, each experiment's once.
    #[must_use]
    pub fn exposures(&self) -> &[Exposure<'a>] {
        &self.exposures
    }

    /// The assignments that a server made which decided for us (`tracks` of a rule that applied), as it wrote them.
    #[must_use]
    pub fn tracks(&self) -> &[&'a Value] {
        &self.tracks
    }

    /// The sticky buckets, with what was assigned.
    #[must_use]
    pub const fn sticky_buckets(&self) -> Option<&StickyBuckets> {
        self.sticky.as_ref()
    }

    /// The documents of sticky buckets that have to be stored.
    pub fn changed_documents(&self) -> impl Iterator<Item = &StickyDocument> {
        self.sticky.iter().flat_map(StickyBuckets::changed)
    }

    /// Before each decision that is asked for.
    pub(super) fn start(&mut self) {
        self.path.clear();
        self.cyclic_evaluations = 0;
    }

    /// After a sticky bucket was assigned: what others depend on may be decided otherwise now. An experiment whose own version
    /// is blocked takes part the first time only.
    pub(super) fn forget_parents(&mut self) {
        self.assignments = self.assignments.saturating_add(1);
        if self.assignments <= MAX_FORGETTING {
            self.parents.clear();
        }
    }

    /// Whether what was decided since there were that many assignments is still so.
    pub(super) const fn still_knows(&self, assignments: usize) -> bool {
        self.assignments == assignments || self.assignments > MAX_FORGETTING
    }

    pub(super) fn expose(&mut self, exposure: Exposure<'a>) {
        let ExperimentResult { hash_attribute, variation_id, .. } = exposure.result;
        if self.exposed.insert((&exposure.experiment.key, hash_attribute, variation_id)) {
            self.exposures.push(exposure);
        }
    }

    pub(super) fn track(&mut self, tracks: &'a [Value]) {
        for track in tracks {
            if !self.tracks.contains(&track) {
                self.tracks.push(track);
            }
        }
    }
}
