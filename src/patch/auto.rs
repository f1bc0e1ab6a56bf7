//! Visual experiments of a payload as patches.
//!
//! A variation says what GrowthBook's JavaScript SDK does to a page that is there: `css` and `js` become elements in the head,
//! and `domMutations` are what [dom-mutator](https://github.com/growthbook/dom-mutator) (0.6.0, which is in SDK 1.8.0) does with them. Here each becomes
//! a [`Patch`] that does the same to the page while it streams. What a stream can't do, or what would not be the same, is a
//! patch that is reported as skipped, with its reason; the rest of the variation stands.
//!
//! A payload's texts are trusted like the configuration, by whose word it is fetched: they go in as they are, and nothing in
//! them is a value of the request, whatever it looks like. Trusted is not flawless, so no text can do more than its author
//! could see: a script or a style that would end its element, markup that would take in what follows on the page, are not
//! inserted.
//!
//! A payload comes over the network, so there are bounds ([`MAX_CHANGES`], [`MAX_TEXT_BYTES`], [`MAX_PATCHES`]), and experiments are compiled one at
//! a time ([`Draft::add`]), in the payload's order.

mod interplay;
mod label;
mod mutation;
#[cfg(test)]
mod tests;
mod variation;

use std::slice;

use super::Patch;
use crate::decide::auto::{AutoIndex, AutoIndexDraft, Change, Ran};
use crate::decide::experiment::Experiment;
use crate::decide::url_targeting::PageUrl;
use crate::html::outcome::Skip;

/// How many changes one variation may make: its style, its script and its mutations. The visual editor writes some tens.
pub const MAX_CHANGES: usize = 200;

/// How long a text of a change may be: a style, a script, the content of elements.
pub const MAX_TEXT_BYTES: usize = 512 * 1024;

/// How many patches the experiments of a payload have at most. One takes about a kilobyte besides its texts.
pub const MAX_PATCHES: usize = 10_000;

/// The auto experiments of a payload, ready for pages.
#[derive(Debug)]
pub struct AutoExperiments {
    index: AutoIndex,
    experiments: Vec<Variations>,
    /// What stands for the changes of a variation for which there was no room.
    too_many: Patch,
}

/// What the variations of one experiment do.
type Variations = Box<[Changes]>;

#[derive(Debug)]
enum Changes {
    Patches(Box<[Patch]>),
    TooMany,
}

impl AutoExperiments {
    /// The experiments that a page may be in, by their places in the payload, ascending: for
    /// [`auto_experiments_among`](crate::decide::evaluation::Evaluation::auto_experiments_among).
    #[must_use]
    pub fn candidates(&self, page: &PageUrl<'_>) -> Vec<usize> {
        self.index.candidates(page)
    }

    /// What a variation of the experiment at that place does to pages, in order. A redirect does nothing to one.
    #[must_use]
    pub fn patches(&self, experiment: usize, variation: usize) -> &[Patch] {
        match self.experiments.get(experiment).and_then(|variations| variations.get(variation)) {
            Some(Changes::Patches(patches)) => patches,
            Some(Changes::TooMany) => slice::from_ref(&self.too_many),
            None => &[],
        }
    }

    /// What an experiment that was run does to the page: nothing where the visitor takes no part.
    #[must_use]
    pub fn patches_of(&self, ran: &Ran<'_>) -> &[Patch] {
        if ran.result.in_experiment { self.patches(ran.index, ran.result.variation_id) } else { &[] }
    }
}

/// [`AutoExperiments`] while they are being compiled: [`add`](Self::add) those of a payload, in its order, then
/// [`finish`](Self::finish).
#[derive(Debug)]
pub struct Draft {
    index: AutoIndexDraft,
    experiments: Vec<Variations>,
    /// How many more patches there may be.
    room: usize,
}

impl Default for Draft {
    fn default() -> Self {
        Self { index: AutoIndexDraft::default(), experiments: Vec::new(), room: MAX_PATCHES }
    }
}

impl Draft {
    /// Compiles the next experiment of the payload. It takes time linear in its length, and quadratic in the number of its
    /// mutations, of which there are [`MAX_CHANGES`] at most.
    pub fn add(&mut self, experiment: &Experiment) {
        self.index.add(experiment);
        let is_run = experiment.change() == Change::Visual && !experiment.waits_for_script();
        let variations = if is_run { experiment.variations() } else { &[] };
        let compiled = variations.iter().enumerate().map(|(number, variation)| {
            if variation::size(variation) > self.room {
                return Changes::TooMany;
            }
            let patches = variation::compile(variation, &label::of(experiment.key(), number));
            self.room = self.room.saturating_sub(patches.len());
            Changes::Patches(patches.into())
        });
        self.experiments.push(compiled.collect());
    }

    /// All are added.
    #[must_use]
    pub fn finish(self) -> AutoExperiments {
        let too_many = variation::refused("auto.too_many".to_owned(), Skip::TooManyChanges);
        AutoExperiments { index: self.index.finish(), experiments: self.experiments, too_many }
    }
}
