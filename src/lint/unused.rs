//! What is written and nobody reads.
//!
//! A payload that is fetched may read any attribute and any group, so of these nothing is said where there is one.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Lint;
use crate::config::node::Path;
use crate::config::problem::Code;
use crate::request::decided;

impl Lint<'_> {
    pub(super) fn unused(&mut self) {
        let engine = self.engine;
        let read: BTreeSet<&str> =
            engine.routes().iter().flat_map(|route| &route.reads).map(String::as_str).collect();
        let config = self.config;
        for name in config.experiments.keys().filter(|name| !read.contains(&*decided::variant(name))) {
            let message = format!(
                "no patch and no tag reads the experiment \"{name}\", so nobody sees it; guard a patch with `variant: {{ {name}: … }}`, or take \
                 it out"
            );
            self.add(Code::UnusedExperiment, Path::default().key("experiments").key(name), message);
        }
        let words = self.words();
        for key in config.features.keys().filter(|key| !is_read(&read, key) && !words.contains(key.as_str()))
        {
            let message = format!(
                "nothing reads the flag \"{key}\"; guard a patch with `flag: {{ {key}: … }}`, or take it out"
            );
            self.add(Code::UnusedFlag, Path::default().key("features").key(key), message);
        }
        if config.growthbook.is_some() {
            return;
        }
        for name in config
            .attributes
            .keys()
            .filter(|name| !read.contains(name.as_str()) && !words.contains(name.as_str()))
        {
            let message = format!("no condition and no text reads the attribute \"{name}\"; take it out");
            self.add(Code::UnusedAttribute, Path::default().key("attributes").key(name), message);
        }
        for name in config.saved_groups.keys().filter(|name| !words.contains(name.as_str())) {
            let message = format!("no condition names the group \"{name}\" by `$inGroup`; take it out");
            self.add(Code::UnusedSavedGroup, Path::default().key("saved_groups").key(name), message);
        }
    }

    /// Every word that a condition, an experiment, a flag or the visitor's id may name something by.
    fn words(&self) -> BTreeSet<String> {
        let config = self.config;
        let mut words = BTreeSet::new();
        let id = config.visitor.iter().filter_map(|visitor| visitor.id.as_ref());
        words.extend(id.flat_map(|id| id.from.iter().cloned()));
        for experiment in config.experiments.values() {
            words.extend(experiment.hash_attribute.iter().chain(&experiment.fallback_attribute).cloned());
            words.extend(experiment.parent_conditions.iter().map(|parent| parent.flag.clone()));
            let of_parents = experiment.parent_conditions.iter().map(|parent| &parent.condition);
            experiment.condition.iter().chain(of_parents).for_each(|it| collect(it, &mut words));
        }
        config.features.values().for_each(|feature| collect(feature, &mut words));
        let guards =
            config.routes.iter().flat_map(|route| &route.patches).filter_map(|patch| patch.when.as_ref());
        guards.for_each(|it| collect(it, &mut words));
        words
    }
}

/// A member of a flag's value is read by the flag's key and a dot.
fn is_read(read: &BTreeSet<&str>, key: &str) -> bool {
    let name = decided::flag(key);
    read.iter()
        .any(|read| read.strip_prefix(&*name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
}

fn collect(value: &Value, words: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            words.insert(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, words)),
        Value::Object(members) => {
            for (name, value) in members {
                words.insert(name.clone());
                collect(value, words);
            }
        }
        _ => {}
    }
}
