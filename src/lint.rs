//! What can be used and is probably not meant: looks at a whole configuration, for `engraft check`.
//!
//! Answers for remarks that are right: a route that is said never to count never does, and a patch that is said to be lost has a
//! request on which it is. What takes more than that to see is not said. It refuses nothing, and nothing here is part of the
//! module.
//!
//! What caches and decisions have to say is said when a configuration is compiled; this is the rest.
//! [`page`] looks at a page besides.

use crate::config::model::{self, Config};
use crate::config::node::Path;
use crate::config::problem::{Code, Problem};
use crate::engine::{Engine, Route};

mod bodies;
mod conflicts;
mod effects;
mod elements;
mod guards;
mod policies;
mod raw;
mod unreachable;
mod unused;

pub mod page;

/// Everything that is worth a remark, in the order of the looks; `engine` is `config` compiled. Places are paths.
#[must_use]
pub fn lint(config: &Config, engine: &Engine) -> Vec<Problem> {
    let mut lint = Lint { config, engine, found: Vec::new() };
    lint.unreachable_routes();
    for (index, (written, route)) in config.routes.iter().zip(engine.routes()).enumerate() {
        let part = Part { written, route, path: Path::default().key("routes").index(index) };
        lint.bodies(&part);
        lint.guards(&part);
        lint.elements(&part);
        lint.conflicts(&part);
        lint.raw_values(&part);
        lint.policies(&part);
    }
    lint.unused();
    lint.found
}

struct Lint<'e> {
    config: &'e Config,
    engine: &'e Engine,
    found: Vec<Problem>,
}

/// A route as it was written and as it was compiled.
struct Part<'e> {
    written: &'e model::Route,
    route: &'e Route,
    path: Path,
}

impl Lint<'_> {
    fn add(&mut self, code: Code, path: Path, message: impl Into<String>) {
        self.found.push(Problem::advice(code, path, message));
    }
}

impl<'e> Part<'e> {
    /// Its patches, with their places.
    fn patches(&self) -> impl Iterator<Item = (Path, &'e model::Patch, &'e crate::patch::Patch)> {
        let patches = self.written.patches.iter().zip(&self.route.patches).enumerate();
        patches
            .map(|(index, (written, patch))| (self.path.clone().key("patches").index(index), written, patch))
    }
}

#[cfg(test)]
mod tests;
