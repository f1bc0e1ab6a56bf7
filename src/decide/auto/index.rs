//! Which auto experiments a page may be in, told by its URL without asking each.
//!
//! Answers for a short list, in the payload's order, that leaves out none whose URL patterns take the page; whether they do is
//! for [`Targets`](crate::decide::url_targeting::Targets) to say. Experiments whose patterns name a host are apart from the rest;
//! in each part they are sorted by path, or by what stands in it before the first `*`. What has no such pattern, or a regular
//! expression among those that include, is always on the list; what no page can be in, never.

use std::collections::BTreeMap;

use crate::decide::experiment::Experiment;
use crate::decide::url_targeting::{PageUrl, Reach, Targets};
use crate::route::paths::{Draft, Paths};

/// See the module.
#[derive(Debug, Clone)]
pub struct AutoIndex {
    always: Vec<usize>,
    by_host: BTreeMap<Box<str>, Paths>,
    any_host: Paths,
}

/// An [`AutoIndex`] while it is being made.
#[derive(Debug, Clone, Default)]
pub struct AutoIndexDraft {
    experiments: usize,
    always: Vec<usize>,
    by_host: BTreeMap<Box<str>, Draft>,
    any_host: Draft,
}

impl AutoIndexDraft {
    /// Adds the next experiment of the payload's list.
    pub fn add(&mut self, experiment: &Experiment) {
        let index = self.experiments;
        self.experiments = index.saturating_add(1);
        let reaches = experiment.targets.as_ref().map_or_else(|| vec![Reach::All], Targets::reaches);
        if reaches.contains(&Reach::All) {
            self.always.push(index);
            return;
        }
        for reach in reaches {
            let Reach::Part { host, path, is_exact } = reach else { continue };
            let paths = match host {
                Some(host) => self.by_host.entry(host.into()).or_default(),
                None => &mut self.any_host,
            };
            if is_exact { paths.add_exact(&path, index) } else { paths.add_prefix(&path, index) }
        }
    }

    /// All are added.
    #[must_use]
    pub fn finish(self) -> AutoIndex {
        let by_host = self.by_host.into_iter().map(|(host, paths)| (host, paths.into()));
        AutoIndex { always: self.always, by_host: by_host.collect(), any_host: self.any_host.into() }
    }
}

impl AutoIndex {
    /// The places in the payload's list of the experiments that the page may be in, ascending.
    #[must_use]
    pub fn candidates(&self, page: &PageUrl<'_>) -> Vec<usize> {
        let mut found = self.always.clone();
        if let Some((host, path)) = page.folded() {
            let starts = [Some(&*path), path.strip_prefix('/')].into_iter().flatten();
            let written = starts.flat_map(|path| [Some(path), path.strip_suffix('/')]).flatten();
            let parts: Vec<&Paths> = self.by_host.get(&*host).into_iter().chain([&self.any_host]).collect();
            for path in written {
                found.extend(parts.iter().flat_map(|part| part.lists(path)).flatten());
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;
    use serde_json::{Value, json};

    use super::*;
    use crate::decide::auto::Ran;
    use crate::decide::evaluation::Evaluation;
    use crate::decide::payload::Payload;
    use crate::decide::visitor::Visitor;

    fn index(payload: &Payload) -> AutoIndex {
        let mut draft = AutoIndexDraft::default();
        payload.experiments().iter().for_each(|experiment| draft.add(experiment));
        draft.finish()
    }

    #[test]
    fn a_page_has_a_few_candidates_of_many() {
        let experiment = |number: usize| {
            let pattern = match number % 4 {
                0 => {
                    json!({ "type": "simple", "pattern": format!("/p/{number}/*"), "include": true })
                }
                1 => {
                    json!({ "type": "simple", "pattern": format!("https://s{number}.example/*"), "include": true })
                }
                2 => json!({ "type": "simple", "pattern": format!("/q/{number}"), "include": true }),
                _ => json!({ "type": "unknown", "pattern": "/", "include": true }),
            };
            let variations = json!([{}, { "css": "a{}" }]);
            json!({ "key": number.to_string(), "variations": variations, "urlPatterns": [pattern] })
        };
        let experiments: Vec<Value> = (0..1000).map(experiment).collect();
        let payload = Payload::compile(&json!({ "experiments": experiments })).unwrap();
        let index = index(&payload);
        for (url, expected) in [
            ("https://shop.example/p/8/x", vec![8]),
            ("https://shop.example/P/8/", vec![8]),
            ("https://shop.example/q/6", vec![6]),
            ("https://shop.example/q/6/?a", vec![6]),
            ("https://S5.example/p/8/x", vec![5, 8]),
            ("https://shop.example/", vec![]),
        ] {
            assert_eq!(index.candidates(&PageUrl::new(url)), expected, "{url}");
        }
    }

    fn pattern() -> impl Strategy<Value = Value> {
        let simple = "((https?://)?(a\\.b|\\*\\.b|\\*|c)(:1)?)?[/pPé*]{0,4}([?]q=[x*]?)?(#[h*])?";
        let regex = "[/p.^]{0,4}";
        let kinds = prop_oneof![simple.prop_map(|it| ("simple", it)), regex.prop_map(|it| ("regex", it))];
        let include = select(&[Some(true), Some(false), Some(true), None][..]);
        (kinds, include).prop_map(
            |((kind, pattern), include)| json!({ "type": kind, "pattern": pattern, "include": include }),
        )
    }

    fn experiment() -> impl Strategy<Value = Value> {
        let change = select(&["css", "urlRedirect"][..]);
        let patterns = proptest::option::weighted(0.9, proptest::collection::vec(pattern(), 0..4));
        (patterns, change, select(&["a", "b", "c"][..]), 0..3_u8).prop_map(
            |(patterns, change, key, other)| {
                let target = ["https://a.b/p", "https://a.b/", "javascript:x"][usize::from(other)];
                json!({
                    "key": key,
                    "urlPatterns": patterns,
                    "persistQueryString": other == 1,
                    "variations": [{ (change): "" }, { (change): target }, { (change): "https://c/p" }],
                })
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]
        #[test]
        fn asking_the_candidates_is_asking_all(
            experiments in proptest::collection::vec(experiment(), 0..8),
            url in "(https?://(a\\.b|x\\.b|A\\.B|c|c:1)/?|mailto:p|)?[/pPé]{0,4}([?]q=x?)?(#h)?",
            id in "[a-z]",
        ) {
            let payload = Payload::compile(&json!({ "experiments": experiments })).unwrap();
            let attributes = json!({ "id": id });
            let visitor = || Visitor::new(&attributes, &url);
            let (mut all, mut few) = (Evaluation::new(&payload, visitor()), Evaluation::new(&payload, visitor()));
            let taking_part = |ran: Vec<Ran<'_>>| {
                let ran = ran.into_iter().filter(|ran| ran.result.in_experiment);
                ran.map(|ran| (ran.index, ran.result.variation_id, ran.redirect)).collect::<Vec<_>>()
            };
            let expected = taking_part(all.auto_experiments());
            let candidates = index(&payload).candidates(&PageUrl::new(&url));
            prop_assert!(candidates.is_sorted());
            prop_assert_eq!(taking_part(few.auto_experiments_among(candidates)), expected);
            prop_assert_eq!(few.exposures().len(), all.exposures().len());
        }
    }
}
