//! What a configuration decides about its visitors: who they are, which variation of each experiment they see, and the values of
//! flags.
//!
//! ```text
//! request ─► visitor (id, consent, bot?) ─► decide::Evaluation ─► values: `variants.hero`, `flags.new-nav`, `id`
//!                                                             └► exposures, cookies
//! ```
//!
//! How a decision is made is in [`decide`](crate::decide). What comes out is values under names, beside the attributes that were
//! read, so that conditions, templates, headers, tags and validators need to know nothing of experiments.
//!
//! The attack that this prevents: a link that puts a visitor into a variation of its author's choosing, or an id that a visitor
//! can't get rid of. Only [`force`] chooses, for whoever shows a secret; ids are random and live a bounded time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use crate::config::model;
use crate::config::node::Path;
use crate::config::problem::{Code, Problem};
use crate::decide::condition::SavedGroups;
use crate::decide::evaluation::Evaluation;
use crate::decide::experiment::Experiment;
use crate::decide::payload::Payload;
use crate::decide::result::ExperimentResult;
use crate::request::attributes::Catalogue;
use crate::request::decided::Decided;

mod compile;
pub mod force;
mod make;
mod period;
mod set_cookie;
mod sticky;
mod trial;
pub mod visitor;

pub use make::{Asking, Auto, Exposed, Made, Note};
use trial::Trial;
use visitor::Visitors;

/// The decisions of a configuration, compiled.
#[derive(Debug, Default)]
pub struct Decisions {
    /// The configuration's own flags and groups.
    payload: Payload,
    trials: BTreeMap<String, Trial>,
    visitors: Visitors,
    force: Option<model::Force>,
}

impl Decisions {
    /// Lists of values that conditions name.
    #[must_use]
    pub const fn saved_groups(&self) -> &SavedGroups {
        self.payload.saved_groups()
    }

    /// The attributes on which the values of these names depend. What only a payload knows may depend on any.
    #[must_use]
    pub(crate) fn reads(&self, names: &[String], attributes: &Catalogue) -> BTreeSet<String> {
        let mut reads = BTreeSet::new();
        if !names.is_empty() {
            reads.extend(self.visitors.reads().map(str::to_owned));
        }
        for name in names {
            let of_name: BTreeSet<String> = match Decided::of(name) {
                Some(Decided::Variant(key)) if self.trials.contains_key(key) => {
                    let experiment = self.trials.get(key).map(|trial| &trial.experiment);
                    let of_parents = experiment.map(|experiment| self.payload.reads_of_parents(experiment));
                    let own = experiment.into_iter().flat_map(Experiment::reads);
                    own.chain(of_parents.into_iter().flatten()).map(str::to_owned).collect()
                }
                Some(Decided::Flag(path)) if make::resolve(&self.payload, path).is_some() => {
                    let flag = make::resolve(&self.payload, path).map(|(key, _)| key);
                    self.payload.reads(flag, []).into_iter().map(str::to_owned).collect()
                }
                Some(Decided::Id) | None => continue,
                _ => {
                    attributes.names().filter(|name| Decided::of(name).is_none()).map(str::to_owned).collect()
                }
            };
            reads.extend(of_name);
        }
        reads.retain(|name| Decided::of(name).is_none());
        reads
    }

    /// Says which flags ask for attributes that there are not.
    pub(crate) fn advise(&self, attributes: &Catalogue, advice: &mut Vec<Problem>) {
        if self.force.as_ref().is_some_and(|force| force.secret.is_none()) {
            let message = "whoever Envoy takes for this machine may choose; write a `secret`, or see to it that Envoy knows who asks \
                           (`use_remote_address: true`)";
            advice.push(Problem::advice(Code::OpenForce, Path::default().key("force"), message));
        }
        for feature in self.payload.features() {
            for name in feature.reads().filter(|name| attributes.input(name).is_none()) {
                let path = Path::default().key("features").key(feature.key());
                let message = format!("it asks for \"{name}\", which nobody has; name it under `attributes`");
                advice.push(Problem::advice(Code::UnknownFlagAttribute, path, message));
            }
        }
    }

    /// The configuration's own flags.
    #[must_use]
    pub const fn payload(&self) -> &Payload {
        &self.payload
    }

    /// Runs each of the configuration's own experiments, by name.
    pub fn run<'a>(
        &'a self,
        evaluation: &mut Evaluation<'a>,
        now: SystemTime,
    ) -> impl Iterator<Item = (&'a str, ExperimentResult<'a>)> {
        self.trials.iter().map(move |(name, trial)| (name.as_str(), trial.run(evaluation, now)))
    }

    /// Where visitors' ids come from.
    pub(crate) const fn id(&self) -> Option<&model::VisitorId> {
        self.visitors.id.as_ref()
    }

    /// Who may choose what they see.
    #[must_use]
    pub const fn force(&self) -> Option<&model::Force> {
        self.force.as_ref()
    }
}

#[cfg(test)]
mod tests;
