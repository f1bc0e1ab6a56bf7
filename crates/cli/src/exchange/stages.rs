//! The two stages of a configuration, around a cache that keeps nothing: what it would be told.

use std::sync::Arc;

use engraft::config::model::Stage;
use engraft::engine::Engine;

use super::rendering::{Answer, Rendering};
use super::visit::Visit;
use crate::cacheability::{Audience, Verdict};

/// A configuration as both stages have it, whichever of them it says it is for.
#[derive(Debug)]
pub(crate) struct Stages {
    client: Arc<Engine>,
    origin: Arc<Engine>,
}

impl Stages {
    /// `None` where the configuration can't be used.
    pub(crate) fn of(configuration: &[u8]) -> Option<Self> {
        let staged = |stage| Some(Arc::new(Engine::load(configuration).ok()?.engine.at_stage(stage)));
        Some(Self { client: staged(Stage::Client)?, origin: staged(Stage::Origin)? })
    }

    /// What the cache between them may do with a response. `None` where it never sees one, or the route is not stored.
    pub(crate) fn store(&self, visit: &Visit, answer: &Answer) -> Option<Verdict> {
        let (_, route) = self.client.route(&visit.head)?;
        if !route.key.is_stored() {
            return None;
        }
        let asked = Rendering::of(&self.client, visit.clone(), answer).request?.into_head();
        let fetch = Visit { head: asked.clone(), ..visit.clone() };
        let now = visit.now;
        let stored = Rendering::of(&self.origin, fetch, answer);
        Some(Verdict::of(Audience::Shared, &asked, (stored.status, &stored.headers), now))
    }
}
