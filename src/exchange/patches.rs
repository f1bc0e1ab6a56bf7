//! The patches that an exchange chooses from: those of its route, and behind them those of the payload's experiments that run on the
//! page.

use std::sync::Arc;

use crate::decisions::Auto;
use crate::engine::{Engine, Route};
use crate::live::Live;
use crate::patch::Patch;

/// See the [module](self). Patches go by their number.
#[derive(Debug, Clone)]
pub(super) struct Patches {
    engine: Arc<Engine>,
    /// Index of the route in the engine.
    route: usize,
    live: Option<Arc<Live>>,
    /// Where the patches of the payload's experiments are: of which experiment, of which variation, and the place there.
    auto: Vec<(usize, usize, usize)>,
}

/// The numbers of what an experiment of the payload does.
#[derive(Debug, Default)]
pub(super) struct OfAuto {
    /// In the visitor's variation.
    pub(super) own: Vec<usize>,
    /// In the others.
    pub(super) others: Vec<usize>,
}

impl Patches {
    /// Those of the route with that index.
    pub(super) const fn of_route(engine: Arc<Engine>, route: usize) -> Self {
        Self { engine, route, live: None, auto: Vec::new() }
    }

    /// Adds those of an experiment of the payload.
    pub(super) fn add(&mut self, live: &Arc<Live>, auto: &Auto) -> OfAuto {
        self.live.get_or_insert_with(|| Arc::clone(live));
        let of_route = self.of_route_len();
        let mut numbers = OfAuto::default();
        for variation in 0..auto.variations {
            for place in 0..live.auto().patches(auto.experiment, variation).len() {
                let number = of_route.saturating_add(self.auto.len());
                self.auto.push((auto.experiment, variation, place));
                if variation == auto.variation { &mut numbers.own } else { &mut numbers.others }.push(number);
            }
        }
        numbers
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(super) fn route(&self) -> Option<&Route> {
        self.engine.routes().get(self.route)
    }

    /// Those of the route, in order.
    pub(super) fn of_the_route(&self) -> impl Iterator<Item = (usize, &Patch)> + Clone {
        self.route().into_iter().flat_map(|route| &route.patches).enumerate()
    }

    pub(super) fn get(&self, number: usize) -> Option<&Patch> {
        let Some(of_auto) = number.checked_sub(self.of_route_len()) else {
            return self.route()?.patches.get(number);
        };
        let (experiment, variation, place) = *self.auto.get(of_auto)?;
        self.live.as_ref()?.auto().patches(experiment, variation).get(place)
    }

    /// Those with these numbers.
    pub(super) fn numbered<'p>(&'p self, numbers: &'p [usize]) -> impl Iterator<Item = &'p Patch> + Clone {
        numbers.iter().filter_map(|number| self.get(*number))
    }

    /// The names of those with these numbers that are the payload's.
    pub(super) fn auto_labels<'p>(&'p self, numbers: &'p [usize]) -> impl Iterator<Item = &'p str> {
        let of_route = self.of_route_len();
        let auto = numbers.iter().filter(move |number| **number >= of_route);
        auto.filter_map(|number| Some(self.get(*number)?.label.as_str()))
    }

    fn of_route_len(&self) -> usize {
        self.route().map_or(0, |route| route.patches.len())
    }
}
