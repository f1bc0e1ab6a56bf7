//! Sections of cases, and how many of them pass.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use libtest_mimic::Trial;

use crate::Tested;

/// Cases of a kind.
pub(crate) struct Section {
    pub(crate) name: String,
    pub(crate) cases: Vec<Case>,
}

/// One case, to be run once.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) run: Box<dyn FnOnce() -> Tested + Send>,
}

impl Case {
    pub(crate) fn new(name: impl Into<String>, run: impl FnOnce() -> Tested + Send + 'static) -> Self {
        Self { name: name.into(), run: Box::new(run) }
    }
}

/// How many of a section passed.
pub(crate) struct Count {
    name: String,
    passed: Arc<AtomicUsize>,
    all: usize,
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.name, self.passed.load(Ordering::Relaxed), self.all)
    }
}

pub(crate) fn trials(sections: Vec<Section>) -> (Vec<Trial>, Vec<Count>) {
    let mut trials = Vec::new();
    let mut counts = Vec::new();
    for Section { name, cases } in sections {
        let passed = Arc::new(AtomicUsize::new(0));
        counts.push(Count { name: name.clone(), passed: Arc::clone(&passed), all: cases.len() });
        for (index, case) in cases.into_iter().enumerate() {
            let passed = Arc::clone(&passed);
            // Names in the data may repeat; numbers don't.
            let name = format!("{name}::{}::{}", index + 1, case.name.replace(char::is_whitespace, "_"));
            trials.push(Trial::test(name, move || {
                (case.run)()?;
                passed.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }));
        }
    }
    (trials, counts)
}
