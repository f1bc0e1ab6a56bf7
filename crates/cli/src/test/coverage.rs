//! Which routes, patches and variations of a configuration no scenario touches.

use std::collections::{BTreeMap, BTreeSet};

use engraft::config::model::Config;
use engraft::config::source;
use engraft::engine::Engine;
use engraft::exchange::report::Report;

/// What scenarios touch of one configuration.
#[derive(Debug, Default)]
pub(super) struct Coverage {
    routes: BTreeSet<String>,
    /// Routes and the patches that were applied there.
    patches: BTreeSet<(String, String)>,
    /// Experiments and the variations that were shown.
    variations: BTreeSet<(String, String)>,
}

impl Coverage {
    pub(super) fn add(&mut self, report: &Report) {
        let Some(route) = &report.route else { return };
        self.routes.insert(route.clone());
        let applied = report.patches.iter().filter(|patch| patch.is_applied() || patch.is_stored);
        let applied = applied.map(|patch| patch.label.clone()).chain(report.redirected_by.clone());
        self.patches.extend(applied.map(|label| (route.clone(), label)));
        for note in &report.decisions {
            if let Some(experiment) = note.name.strip_prefix("variants.") {
                self.variations.insert((experiment.to_owned(), note.value.clone()));
            }
        }
    }

    /// What it lacks, a line each.
    pub(super) fn lacks(&self, engine: &Engine, configuration: &[u8]) -> Vec<String> {
        let mut lacks = Vec::new();
        for route in engine.routes() {
            if !self.routes.contains(&route.name) {
                lacks.push(format!("route {}: no scenario reaches it", route.name));
                continue;
            }
            let touched = |label: &str| self.patches.contains(&(route.name.clone(), label.to_owned()));
            for patch in route.patches.iter().filter(|patch| !touched(&patch.label)) {
                lacks.push(format!("route {}, patch {}: no scenario applies it", route.name, patch.label));
            }
        }
        for (experiment, variations) in variations(configuration) {
            for variation in variations {
                if !self.variations.contains(&(experiment.clone(), variation.clone())) {
                    lacks.push(format!("experiment {experiment}: no scenario sees {variation}"));
                }
            }
        }
        lacks
    }
}

fn variations(configuration: &[u8]) -> BTreeMap<String, Vec<String>> {
    let config = source::read(configuration).ok().and_then(|document| document.decode::<Config>().ok());
    let experiments = config.map(|config| config.experiments).unwrap_or_default();
    experiments.into_iter().map(|(name, experiment)| (name, experiment.variations)).collect()
}
