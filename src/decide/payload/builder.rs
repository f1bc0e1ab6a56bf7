//! A payload that is being compiled, one feature after the other.

use serde_json::{Map, Value};

use super::{MAX_SWITCHED_OFF, Payload, Scope, SwitchedOff, order};
use crate::decide::experiment::Experiment;
use crate::decide::feature::Feature;
use crate::decide::fields::Unreadable;

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Builder {
    payload: Payload,
    bandits: Option<Map<String, Value>>,
    features: Vec<Feature>,
    experiments: Vec<Experiment>,
    /// How many experiments there were, those that can't be read among them.
    seen: usize,
}

impl Builder {
    /// `keys` are those of the features, in their order: a feature may refer to one that comes later.
    pub(super) fn new<'a>(
        keys: impl IntoIterator<Item = &'a str>,
        bandits: Option<Map<String, Value>>,
    ) -> Self {
        let index = keys.into_iter().enumerate().map(|(index, key)| (key.into(), index)).collect();
        let payload = Payload { index, ..Payload::default() };
        Self { payload, bandits, features: Vec::new(), experiments: Vec::new(), seen: 0 }
    }

    /// Adds a saved group.
    pub(super) fn group(&mut self, id: &str, members: &Value) {
        self.payload.groups.insert(id, members);
    }

    /// Adds the next feature.
    pub(super) fn feature(&mut self, key: &str, feature: &Value) {
        let scope = Scope { index: &self.payload.index, bandits: self.bandits.as_ref() };
        let mut off = Vec::new();
        let mut report = |rule: usize, why| off.push((rule, why));
        self.features.push(Feature::read(key, feature, &scope, &mut report));
        for (rule, why) in off {
            let key = key.replace('~', "~0").replace('/', "~1");
            self.switch_off(format!("/features/{key}/rules/{rule}"), why);
        }
    }

    /// Adds the next auto experiment.
    pub(super) fn experiment(&mut self, experiment: &Value) {
        let scope = Scope { index: &self.payload.index, bandits: self.bandits.as_ref() };
        match Experiment::defined(experiment, &scope) {
            Ok(experiment) => self.experiments.push(experiment),
            Err(why) => self.switch_off(format!("/experiments/{}", self.seen), why),
        }
        self.seen = self.seen.saturating_add(1);
    }

    fn switch_off(&mut self, at: String, why: Unreadable) {
        self.payload.switched_off_count = self.payload.switched_off_count.saturating_add(1);
        if self.payload.switched_off.len() < MAX_SWITCHED_OFF {
            self.payload.switched_off.push(SwitchedOff { at, why });
        }
    }

    /// The payload, when all is added.
    pub(super) fn finish(self) -> Payload {
        let mut features: Box<[Feature]> = self.features.into();
        order::find_depths(&mut features);
        Payload { features, experiments: self.experiments.into(), ..self.payload }
    }
}
