//! Counters: `engraft.<name>`, those of the origin stage `engraft.origin.<name>`, defined when they are first used.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use engraft::config::model::Stage;
use engraft::exchange::report::{Counter, Report};

use crate::host;

/// The counters of a plugin; a copy is another handle to the same ones.
#[derive(Debug, Clone, Default)]
pub(crate) struct Metrics {
    prefix: &'static str,
    ids: Rc<RefCell<BTreeMap<Counter, Option<u32>>>>,
}

/// How the names begin of what a plugin of this stage tells: two of them may run for one request, in one Envoy.
pub(crate) const fn prefix(stage: Stage) -> &'static str {
    match stage {
        Stage::Both | Stage::Client => "engraft",
        Stage::Origin => "engraft.origin",
    }
}

impl Metrics {
    pub(crate) fn new(stage: Stage) -> Self {
        Self { prefix: prefix(stage), ids: Rc::default() }
    }

    /// Adds what an exchange counts.
    pub(crate) fn count(&self, report: &Report) {
        for (counter, n) in report.counters() {
            self.add(counter, n);
        }
    }

    /// Adds to one of them.
    pub(crate) fn add(&self, counter: Counter, n: u64) {
        let mut ids = self.ids.borrow_mut();
        let define = |counter: &Counter| host::define_counter(&format!("{}.{counter}", self.prefix));
        if let Some(id) = ids.entry(counter).or_insert_with_key(define) {
            host::increment(*id, n);
        }
    }
}
