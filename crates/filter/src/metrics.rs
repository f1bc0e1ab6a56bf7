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
        let mut ids = self.ids.borrow_mut();
        for (name, n) in report.counters() {
            let define = |name: &Counter| host::define_counter(&format!("{}.{name}", self.prefix));
            let id = ids.entry(name).or_insert_with_key(define);
            if let Some(id) = id {
                host::increment(*id, n);
            }
        }
    }
}
