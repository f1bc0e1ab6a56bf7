//! What decisions read of a visitor: so that a shell reads no more, and whoever stores a page knows what it depends on.

use std::collections::BTreeSet;

use super::experiment::Experiment;
use super::feature::Feature;
use super::payload::Payload;

impl Payload {
    /// The attributes that may change what these features and experiments decide, given by key and by place: their own
    /// ([`Feature::reads`](super::feature::Feature::reads), [`Experiment::reads`](super::experiment::Experiment::reads)) and those
    /// of all features that they depend on, however indirectly. Paths are as conditions write them (`user.plan`). What the page's
    /// URL decides is not among them.
    ///
    /// Each feature is looked at once, so this takes time linear in the payload: something for when a payload comes, not for
    /// each request.
    ///
    /// ```
    /// use engraft::decide::payload::Payload;
    /// use serde_json::json;
    ///
    /// let payload = Payload::compile(&json!({ "features": {
    ///     "checkout": { "rules": [{ "parentConditions": [{ "id": "beta", "condition": { "value": true } }], "force": 1 }] },
    ///     "beta": { "rules": [{ "condition": { "user.plan": "pro" }, "force": true }] },
    /// } })).unwrap();
    /// assert_eq!(payload.reads(["checkout"], []).into_iter().collect::<Vec<_>>(), ["user.plan"]);
    /// ```
    #[must_use]
    pub fn reads<'k>(
        &self,
        features: impl IntoIterator<Item = &'k str>,
        experiments: impl IntoIterator<Item = usize>,
    ) -> BTreeSet<&str> {
        let mut reads = BTreeSet::new();
        let mut waiting: Vec<usize> =
            features.into_iter().filter_map(|key| self.feature_index(key)).collect();
        for experiment in experiments.into_iter().filter_map(|index| self.experiments().get(index)) {
            reads.extend(experiment.reads());
            waiting.extend(experiment.parents());
        }
        let mut seen = vec![false; self.features().len()];
        while let Some(index) = waiting.pop() {
            let (Some(feature), Some(seen)) = (self.features().get(index), seen.get_mut(index)) else {
                continue;
            };
            if !std::mem::replace(seen, true) {
                reads.extend(feature.reads());
                waiting.extend(feature.parents());
            }
        }
        reads
    }

    /// What the features read that an experiment depends on which stands by itself.
    pub(crate) fn reads_of_parents(&self, experiment: &Experiment) -> BTreeSet<&str> {
        let parents = experiment.parents().filter_map(|index| self.features().get(index));
        self.reads(parents.map(Feature::key), [])
    }

    /// What one feature reads, as [`reads`](Self::reads) has it; nothing for one that there is not.
    #[must_use]
    pub fn reads_of_feature(&self, key: &str) -> BTreeSet<&str> {
        self.reads([key], [])
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use proptest::prelude::*;
    use proptest::sample::select;
    use serde_json::{Value, json};

    use super::*;
    use crate::decide::condition::Attributes;
    use crate::decide::evaluation::Evaluation;
    use crate::decide::sticky::StickyBuckets;
    use crate::decide::visitor::Visitor;

    #[test]
    fn all_that_a_decision_may_read() {
        let payload = Payload::compile(&json!({
            "contextualBandits": { "b": { "contexts": [{ "leafId": 1, "condition": { "b.c": 1 } }] } },
            "features": {
                "f": { "rules": [
                    { "force": 1, "coverage": 0.5, "hashAttribute": "h1", "fallbackAttribute": "h2", "condition": { "c1": 1, "$not": { "c2.d": 1 } } },
                    { "filters": [{ "seed": "s", "ranges": [[0, 1]], "attribute": "f1" }], "force": 1 },
                    { "contextualVariations": [1, 2], "contextualBanditRef": "b", "hashAttribute": "h3", "disableStickyBucketing": true },
                    { "parentConditions": [{ "id": "p", "condition": { "value": 1 } }, { "id": "missing" }] },
                ] },
                "p": { "rules": [
                    { "variations": [1, 2], "hashAttribute": "h4", "filters": [{ "seed": "s", "ranges": [[0, 1]] }] },
                    { "parentConditions": [{ "id": "q" }], "force": 1 },
                ] },
                "q": { "rules": [{ "parentConditions": [{ "id": "f" }], "condition": { "c3": { "$elemMatch": { "inner": 1 } } }, "force": 1 }] },
                "unread": { "rules": [{ "condition": { "x": 1 }, "force": 1 }] },
            },
            "experiments": [
                { "key": "e", "variations": [{ "css": "" }, {}], "hashAttribute": "h5", "condition": { "c4": 1 }, "parentConditions": [{ "id": "unread" }] },
            ],
        }))
        .unwrap();
        let names = |reads: BTreeSet<&str>| reads.into_iter().collect::<Vec<_>>().join(" ");
        assert_eq!(names(payload.reads_of_feature("f")), "b.c c1 c2.d c3 f1 h1 h2 h3 h4 id");
        assert_eq!(names(payload.reads_of_feature("q")), "b.c c1 c2.d c3 f1 h1 h2 h3 h4 id");
        assert_eq!(names(payload.reads_of_feature("none")), "");
        assert_eq!(names(payload.reads([], [0])), "c4 h5 id x");
        assert_eq!(names(payload.reads(["unread"], [7])), "x");
    }

    /// Remembers what it was asked for.
    struct Watched<'a>(&'a Value, RefCell<BTreeSet<String>>);

    impl Attributes for Watched<'_> {
        fn attribute(&self, path: &str) -> Option<&Value> {
            self.1.borrow_mut().insert(path.to_owned());
            self.0.attribute(path)
        }

        fn own(&self, name: &str) -> Option<&Value> {
            self.1.borrow_mut().insert(name.to_owned());
            self.0.own(name)
        }
    }

    fn rule() -> impl Strategy<Value = Value> {
        let name = || select(&["a", "b", "c.d", "e"][..]);
        let condition = proptest::option::of((name(), 0..2_u8));
        let parents = proptest::option::of((select(&["f0", "f1", "f2", "no"][..]), 0..2_u8));
        let filters = proptest::option::of(name());
        (condition, parents, filters, name(), proptest::option::of(name()), 0..3_u8).prop_map(
            |(condition, parents, filters, hash, fallback, kind)| {
                let mut rule = json!({ "hashAttribute": hash, "fallbackAttribute": fallback });
                if let Some((name, value)) = condition {
                    rule["condition"] = json!({ (name): value });
                }
                if let Some((feature, value)) = parents {
                    rule["parentConditions"] = json!([{ "id": feature, "condition": { "value": value } }]);
                }
                if let Some(name) = filters {
                    rule["filters"] = json!([{ "seed": "s", "ranges": [[0, 0.5]], "attribute": name }]);
                }
                match kind {
                    0 => rule["force"] = json!(1),
                    1 => (rule["force"], rule["coverage"]) = (json!(1), json!(0.5)),
                    _ => rule["variations"] = json!([0, 1]),
                }
                rule
            },
        )
    }

    proptest! {
        #[test]
        fn nothing_else_is_read(
            features in proptest::collection::vec(proptest::collection::vec(rule(), 0..3), 3),
            mut experiment in rule(),
            sticky in any::<bool>(),
            values in proptest::collection::vec(0..3_u8, 4),
        ) {
            experiment["key"] = json!("e");
            experiment["variations"] = json!([{ "css": "" }, { "css": "a" }]);
            let rules: Vec<Value> = features.iter().map(|rules| json!({ "defaultValue": 0, "rules": rules })).collect();
            let payload = Payload::compile(&json!({
                "features": { "f0": rules[0], "f1": rules[1], "f2": rules[2] },
                "experiments": [experiment],
            })).unwrap();
            let values = json!({ "id": "1", "a": values[0], "b": values[1], "c": { "d": values[2] }, "c.d": values[2], "e": values[3] });
            let decide = |watched: &Watched<'_>, feature: Option<&str>| {
                let mut evaluation = Evaluation::new(&payload, Visitor::new(watched, "https://a.example/"));
                if sticky {
                    evaluation = evaluation.with_sticky_buckets(StickyBuckets::default());
                }
                match feature {
                    Some(key) => drop(evaluation.feature(key)),
                    None => drop(evaluation.auto_experiments()),
                }
            };
            for feature in [Some("f0"), Some("f1"), Some("f2"), None] {
                let watched = Watched(&values, RefCell::default());
                decide(&watched, feature);
                let reads = feature.map_or_else(|| payload.reads([], [0]), |key| payload.reads_of_feature(key));
                for name in watched.1.borrow().iter() {
                    prop_assert!(reads.contains(name.as_str()), "{:?} reads {} beside {:?}", feature, name, reads);
                }
            }
        }
    }
}
