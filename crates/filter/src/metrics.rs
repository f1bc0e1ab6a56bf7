//! Metrics: `engraft.<name>`, those of the origin stage `engraft.origin.<name>`. All are defined when a configuration loads: a
//! counter that first appears with a 1 has no increase that Prometheus could see, and the first error is the one to be told of.

use std::collections::BTreeMap;
use std::rc::Rc;

use engraft::config::model::Stage;
use engraft::exchange::report::{Counter, HELD_BYTES, Report};

use crate::host::{self, Metric};

/// The metrics of a plugin; a copy is another handle to the same ones.
#[derive(Debug, Clone, Default)]
pub(crate) struct Metrics(Rc<Defined>);

#[derive(Debug, Default)]
struct Defined {
    counters: BTreeMap<Counter, Metric>,
    held_bytes: Option<Metric>,
}

/// How the names begin of what a plugin of this stage tells: two of them may run for one request, in one Envoy.
pub(crate) const fn prefix(stage: Stage) -> &'static str {
    match stage {
        Stage::Both | Stage::Client => "engraft",
        Stage::Origin => "engraft.origin",
    }
}

impl Metrics {
    /// Defines all that a stage has.
    pub(crate) fn new(stage: Stage) -> Self {
        let prefix = prefix(stage);
        let mut counters = BTreeMap::new();
        for counter in Counter::all(stage) {
            if let Some(metric) = host::define_counter(&format!("{prefix}.{counter}")) {
                counters.insert(counter, metric);
            }
        }
        let held_bytes = host::define_histogram(&format!("{prefix}.{HELD_BYTES}"));
        Self(Rc::new(Defined { counters, held_bytes }))
    }

    /// Adds what an exchange counts.
    pub(crate) fn count(&self, report: &Report) {
        for (counter, n) in report.counters() {
            self.add(counter, n);
        }
        if let (Some(histogram), Some(bytes)) = (self.0.held_bytes, report.held_bytes()) {
            host::record(histogram, bytes);
        }
    }

    /// Adds to one of them.
    pub(crate) fn add(&self, counter: Counter, n: u64) {
        if let Some(metric) = self.0.counters.get(&counter) {
            host::increment(*metric, n);
        }
    }
}
