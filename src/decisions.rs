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

use std::collections::BTreeMap;
use std::time::SystemTime;

use crate::config::model;
use crate::decide::condition::SavedGroups;
use crate::decide::evaluation::Evaluation;
use crate::decide::payload::Payload;
use crate::decide::result::ExperimentResult;

mod compile;
pub mod force;
mod make;
mod period;
mod set_cookie;
mod sticky;
mod trial;
pub mod visitor;

pub use make::{Asking, Exposed, Made, Note};
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

    /// Who may choose what they see.
    #[must_use]
    pub const fn force(&self) -> Option<&model::Force> {
        self.force.as_ref()
    }

    /// What becomes of bots.
    #[must_use]
    pub const fn bots(&self) -> model::Bots {
        self.visitors.bots
    }
}

#[cfg(test)]
mod tests;
