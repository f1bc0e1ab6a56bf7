//! Counters: `engraft.<name>`, defined when they are first used.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use engraft::exchange::report::{Counter, Report};

use crate::host;

/// The counters of a VM; a copy is another handle to the same ones.
#[derive(Debug, Clone, Default)]
pub(crate) struct Metrics(Rc<RefCell<BTreeMap<Counter, Option<u32>>>>);

impl Metrics {
    /// Adds what an exchange counts.
    pub(crate) fn count(&self, report: &Report) {
        let mut ids = self.0.borrow_mut();
        for (name, n) in report.counters() {
            let id =
                ids.entry(name).or_insert_with_key(|name| host::define_counter(&format!("engraft.{name}")));
            if let Some(id) = id {
                host::increment(*id, n);
            }
        }
    }
}
