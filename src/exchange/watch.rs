//! Which assignments a visitor has seen.
//!
//! An assignment counts where its experiment could be seen: the patches of the visitor's own variation were applied, and the
//! elements that the patches of every other variation change are on the page. So all variations are counted on the same pages,
//! the control among them, which has no patches of its own; a page that lacks what one variation changes tells nothing about the
//! experiment.

use super::patches::{OfAuto, Patches};
use super::report::PatchReport;
use crate::decide::condition::{Attributes, SavedGroups};
use crate::decisions::Exposed;
use crate::patch::{Action, Patch};
use crate::request::attributes::Values;
use serde_json::Value;

/// The assignments of a visitor that may be seen.
#[derive(Debug, Default)]
pub(super) struct Watch {
    arms: Vec<Arm>,
}

/// An assignment, and what shows that it is seen.
#[derive(Debug)]
struct Arm {
    exposed: Exposed,
    /// The numbers of the patches of the visitor's variation.
    own: Vec<usize>,
    /// The numbers of patches of other variations.
    others: Vec<usize>,
    /// The page itself is what is seen: another variation leads elsewhere.
    is_page: bool,
}

/// Values of which some are other than they are.
struct Supposed<'v> {
    values: &'v Values,
    others: &'v [(String, Value)],
}

impl Attributes for Supposed<'_> {
    fn attribute(&self, path: &str) -> Option<&Value> {
        let other = self.others.iter().find(|(name, _)| name == path);
        match other {
            Some((_, value)) => Some(value).filter(|value| !value.is_null()),
            None => self.values.attribute(path),
        }
    }
}

impl Watch {
    pub(super) fn new(
        exposures: Vec<Exposed>,
        patches: &Patches,
        eligible: &[usize],
        values: &Values,
        groups: &SavedGroups,
    ) -> Self {
        let arm = |exposed: Exposed| {
            let names: Vec<&String> = exposed.others.iter().flatten().map(|(name, _)| name).collect();
            let concerned = patches
                .of_the_route()
                .filter(|(_, patch)| names.iter().any(|name| patch.reads().contains(*name)));
            let (own, rest): (Vec<_>, Vec<_>) = concerned.partition(|(number, _)| eligible.contains(number));
            let would_be = |patch: &Patch| {
                exposed.others.iter().any(|others| patch.is_eligible(&Supposed { values, others }, groups))
            };
            let others =
                rest.into_iter().filter(|(_, patch)| would_be(patch)).map(|(number, _)| number).collect();
            let own = own.into_iter().map(|(number, _)| number).collect();
            Arm { own, others, is_page: false, exposed }
        };
        let arms = exposures.into_iter().map(arm);
        Self { arms: arms.filter(|arm| !arm.own.is_empty() || !arm.others.is_empty()).collect() }
    }

    /// Adds an experiment of the payload.
    pub(super) fn add(&mut self, exposed: Exposed, numbers: OfAuto) {
        let OfAuto { own, others } = numbers;
        let is_page = own.is_empty() && others.is_empty();
        self.arms.push(Arm { exposed, own, others, is_page });
    }

    /// The numbers of the patches that are only looked for.
    pub(super) fn probes(&self) -> Vec<usize> {
        let mut probes: Vec<usize> = self.arms.iter().flat_map(|arm| &arm.others).copied().collect();
        probes.sort_unstable();
        probes.dedup();
        probes
    }

    /// All of them: the visitor confirms that they have the page.
    pub(super) fn confirmed(&self) -> Vec<Exposed> {
        self.arms.iter().map(|arm| arm.exposed.clone()).collect()
    }

    /// Those that the redirect with that number comes from.
    pub(super) fn redirected(self, redirect: usize) -> Vec<Exposed> {
        let of_redirect = self.arms.into_iter().filter(|arm| arm.own.contains(&redirect));
        of_redirect.map(|arm| arm.exposed).collect()
    }

    /// Those that are seen, given what became of the patches for a body, and where the elements of others were `found`. Patches for
    /// other kinds of bodies say nothing.
    pub(super) fn seen(
        &self,
        patches: &Patches,
        concerns: impl Fn(&Patch) -> bool,
        reports: &[PatchReport],
        found: &dyn Fn(usize) -> bool,
    ) -> Vec<Exposed> {
        let is_applied = |patch: &Patch| {
            let mut of_patch = reports.iter().filter(|report| report.label == patch.label).peekable();
            of_patch.peek().is_some() && of_patch.all(PatchReport::is_applied)
        };
        let is_seen = |arm: &&Arm| {
            let own = || patches.numbered(&arm.own).filter(|patch| concerns(patch));
            let others = || arm.others.iter().filter(|number| patches.get(**number).is_some_and(&concerns));
            let any = arm.is_page || own().next().is_some() || others().next().is_some();
            any && own().all(is_applied) && others().all(|number| found(*number))
        };
        self.arms.iter().filter(is_seen).map(|arm| arm.exposed.clone()).collect()
    }
}

/// Whether a patch would have been done wherever it is looked for: nothing on the page decides.
pub(super) const fn is_done_anyway(patch: &Patch) -> bool {
    matches!(patch.action, Action::Exchange(_) | Action::Redirect(_))
}
