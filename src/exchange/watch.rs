//! Which assignments a visitor has seen.
//!
//! An assignment counts where its experiment could be seen: the patches of the visitor's own variation were applied, and the
//! elements that the patches of every other variation change are on the page. So all variations are counted on the same pages,
//! the control among them, which has no patches of its own; a page that lacks what one variation changes tells nothing about the
//! experiment.

use std::rc::Rc;

use serde_json::Value;

use super::gate::Kind;
use super::patches::{OfAuto, Patches};
use super::report::PatchReport;
use super::watched::Late;
use crate::decide::condition::{Attributes, SavedGroups};
use crate::decisions::Exposed;
use crate::exposure::page::PageReport;
use crate::exposure::{Event, SeenBy};
use crate::patch::exchange::RedirectTemplate;
use crate::patch::{Action, Patch};
use crate::request::attributes::Values;

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
    /// Some variation leads elsewhere, and there is no page of it.
    leads_away: bool,
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
        is_sent: impl Fn(&RedirectTemplate) -> bool,
    ) -> Self {
        let arm = |exposed: Exposed| {
            let names = &exposed.decides;
            let concerned = patches
                .of_the_route()
                .filter(|(_, patch)| names.iter().any(|name| patch.reads().contains(name)));
            let (own, rest): (Vec<_>, Vec<_>) = concerned.partition(|(number, _)| eligible.contains(number));
            let would_be = |patch: &Patch| {
                let mut others = exposed.others.iter();
                // Where nobody knows what others see, they may see any of it.
                exposed.others.is_empty()
                    || others.any(|others| patch.is_eligible(&Supposed { values, others }, groups))
            };
            let others: Vec<usize> =
                rest.into_iter().filter(|(_, patch)| would_be(patch)).map(|(number, _)| number).collect();
            let own: Vec<usize> = own.into_iter().map(|(number, _)| number).collect();
            let redirects = |numbers: &[usize]| {
                let redirects = patches.numbered(numbers).filter_map(|patch| match &patch.action {
                    Action::Redirect(redirect) => Some(is_sent(redirect)),
                    _ => None,
                });
                redirects.collect::<Vec<bool>>()
            };
            let (of_own, of_others) = (redirects(&own), redirects(&others));
            let leads_away = !of_own.is_empty() || !of_others.is_empty();
            // Where a variation leads is where the visitor is: there is nothing to compare.
            let is_comparable = of_own.into_iter().chain(of_others).all(|is_sent| is_sent);
            is_comparable.then_some(Arm { exposed, own, others, leads_away })
        };
        let arms = exposures.into_iter().filter_map(arm);
        Self { arms: arms.filter(|arm| !arm.own.is_empty() || !arm.others.is_empty()).collect() }
    }

    /// Adds an experiment of the payload; one that decided something already is the same one.
    pub(super) fn add(&mut self, exposed: Exposed, numbers: OfAuto, leads_away: bool) {
        let OfAuto { own, others } = numbers;
        let is_same = |arm: &&mut Arm| arm.exposed.is_of(&exposed);
        match self.arms.iter_mut().find(is_same) {
            Some(arm) => {
                arm.own.extend(own);
                arm.others.extend(others);
                arm.leads_away |= leads_away;
            }
            None => self.arms.push(Arm { exposed, own, others, leads_away }),
        }
    }

    /// The numbers of the patches that are only looked for.
    pub(super) fn probes(&self) -> Vec<usize> {
        let mut probes: Vec<usize> = self.arms.iter().flat_map(|arm| &arm.others).copied().collect();
        probes.sort_unstable();
        probes.dedup();
        probes
    }

    /// Whether there is nothing to see.
    pub(super) const fn is_idle(&self) -> bool {
        self.arms.is_empty()
    }

    /// What the page's own scripts may be told, in all.
    pub(super) fn told(&self, route: &str, with_hash_value: bool) -> Vec<String> {
        // The page of a variation that leads away says nothing, so neither does that of another one.
        let arms = self.arms.iter().filter(|arm| !arm.leads_away);
        let events = arms.filter_map(|arm| Event::of(&arm.exposed, route, SeenBy::Page).ok());
        events.map(|event| event.for_page(with_hash_value)).collect()
    }

    /// Those that the redirect with that number comes from.
    pub(super) fn redirected(self, redirect: usize) -> Vec<Exposed> {
        let of_redirect = self.arms.into_iter().filter(|arm| arm.own.contains(&redirect));
        of_redirect.map(|arm| arm.exposed).collect()
    }
}

/// What a visitor may see on one page, and the page. A copy is another handle to the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Seeing(Option<Rc<Page>>);

#[derive(Debug)]
struct Page {
    watch: Watch,
    patches: Patches,
    view: View,
}

/// A page that is looked at.
#[derive(Debug, Clone, Default)]
pub(super) struct View {
    /// The name of the route.
    pub(super) route: String,
    /// Its path.
    pub(super) path: String,
    /// Another number for each.
    pub(super) number: u128,
}

impl View {
    /// The events of assignments that are seen by a view.
    pub(super) fn events<'e>(&self, seen: impl IntoIterator<Item = (&'e Exposed, SeenBy)>) -> Vec<Event> {
        let events = seen.into_iter().filter_map(|(exposed, by)| Event::of(exposed, &self.route, by).ok());
        events.map(|event| event.on(&self.path, self.number)).collect()
    }
}

impl Seeing {
    pub(super) fn new(watch: Watch, patches: &Patches, view: View) -> Self {
        let is_idle = watch.is_idle();
        Self((!is_idle).then(|| Rc::new(Page { watch, patches: patches.clone(), view })))
    }

    /// Whether there is nothing to see.
    pub(super) const fn is_idle(&self) -> bool {
        self.0.is_none()
    }

    /// All of them: the visitor confirms that they have the page.
    pub(super) fn confirmed(&self) -> Vec<Event> {
        let Some(page) = &self.0 else { return Vec::new() };
        page.view.events(page.watch.arms.iter().map(|arm| (&arm.exposed, SeenBy::NotModified)))
    }

    /// Those that are seen in a body of that kind, given what became of its patches and of those that were looked for. Without a
    /// kind nobody looked into the body. Patches for other kinds of bodies say nothing.
    pub(super) fn seen(&self, kind: Option<Kind>, reports: &[PatchReport]) -> Vec<Event> {
        self.seen_by(kind, reports, |_| true)
    }

    /// The same for the page's own scripts.
    fn seen_on_page(&self, reports: &[PatchReport]) -> Vec<Event> {
        self.seen_by(Some(Kind::Html), reports, |arm| !arm.leads_away)
    }

    fn seen_by(
        &self,
        kind: Option<Kind>,
        reports: &[PatchReport],
        is_wanted: impl Fn(&Arm) -> bool,
    ) -> Vec<Event> {
        let Some(page) = &self.0 else { return Vec::new() };
        let concerns = |patch: &&Patch| is_done_anyway(patch) || kind.is_some_and(|kind| patch.edits(kind));
        let found = |numbers: &[usize], is_probe: bool| -> Vec<Found> {
            let patches = page.patches.numbered(numbers).filter(concerns);
            patches.map(|patch| Found::of(patch, is_probe, reports)).collect()
        };
        let seen = page.watch.arms.iter().filter(|arm| is_wanted(arm)).filter_map(|arm| {
            let (own, others) = (found(&arm.own, false), found(&arm.others, true));
            let (by, shown) = if own.is_empty() { (SeenBy::Control, &others) } else { (SeenBy::Edit, &own) };
            let is_page = arm.leads_away && kind.is_none_or(|kind| kind == Kind::Html);
            let is_shown = shown.contains(&Found::Done) || (shown.is_empty() && is_page);
            let is_all_there = own.iter().chain(&others).all(|found| *found != Found::No);
            (is_shown && is_all_there).then_some((&arm.exposed, by))
        });
        page.view.events(seen)
    }
}

/// Whether what a patch changes is on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// It was changed, or would have been.
    Done,
    /// It is there, and another change has taken its place.
    Covered,
    No,
}

impl Found {
    fn of(patch: &Patch, is_probe: bool, reports: &[PatchReport]) -> Self {
        match patch.action {
            Action::Exchange(_) => return Self::Done,
            // The visitor's own was not sent, or there would be no page; another one would have been.
            Action::Redirect(_) => return if is_probe { Self::Done } else { Self::No },
            Action::Elements(_) | Action::Json(_) => {}
        }
        let of_patch = reports.iter().filter(|it| it.is_probe == is_probe && it.label == patch.label);
        let found = of_patch.map(|report| match &report.outcome {
            Some(outcome) if outcome.applied > 0 => Self::Done,
            Some(outcome) if outcome.is_covered() => Self::Covered,
            _ => Self::No,
        });
        found
            .reduce(|one, other| match (one, other) {
                (Self::No, _) | (_, Self::No) => Self::No,
                (Self::Done, _) | (_, Self::Done) => Self::Done,
                (Self::Covered, Self::Covered) => Self::Covered,
            })
            .unwrap_or(Self::No)
    }
}

/// What goes in at the end of a page for its own scripts: what is seen on it.
#[derive(Debug)]
pub(super) struct PageEvents {
    pub(super) seeing: Seeing,
    pub(super) report: PageReport,
}

impl Late for PageEvents {
    fn markup(&self, reports: &[PatchReport]) -> Option<Vec<u8>> {
        let events = self.seeing.seen_on_page(reports);
        self.report.markup(&events).map(|(markup, _)| markup)
    }
}

/// Whether a patch is done wherever it is to be: nothing on the page decides.
const fn is_done_anyway(patch: &Patch) -> bool {
    matches!(patch.action, Action::Exchange(_) | Action::Redirect(_))
}
