//! The patches that an exchange chooses from: those of its route, and behind them those of the payload's experiments that run on the
//! page.

use std::sync::Arc;

use crate::engine::{Engine, Route};
use crate::patch::Patch;

/// See the [module](self). Patches go by their number.
#[derive(Debug, Clone)]
pub(super) struct Patches {
    engine: Arc<Engine>,
    /// Index of the route in the engine.
    route: usize,
}

impl Patches {
    /// Those of the route with that index.
    pub(super) const fn of_route(engine: Arc<Engine>, route: usize) -> Self {
        Self { engine, route }
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(super) fn route(&self) -> Option<&Route> {
        self.engine.routes().get(self.route)
    }

    /// All of them, in order.
    pub(super) fn all(&self) -> impl Iterator<Item = (usize, &Patch)> + Clone {
        self.route().into_iter().flat_map(|route| &route.patches).enumerate()
    }

    pub(super) fn get(&self, number: usize) -> Option<&Patch> {
        self.route()?.patches.get(number)
    }

    /// Those with these numbers.
    pub(super) fn numbered<'p>(&'p self, numbers: &'p [usize]) -> impl Iterator<Item = &'p Patch> + Clone {
        numbers.iter().filter_map(|number| self.get(*number))
    }
}
