//! When an experiment runs.

use std::time::SystemTime;

/// From when until when, the end not included. What is not said is always.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Period {
    pub(super) starts_at: Option<SystemTime>,
    pub(super) ends_at: Option<SystemTime>,
}

/// Where in a period a moment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Before,
    During,
    After,
}

impl Period {
    pub(super) fn phase(self, now: SystemTime) -> Phase {
        if self.ends_at.is_some_and(|end| now >= end) {
            Phase::After
        } else if self.starts_at.is_some_and(|start| now < start) {
            Phase::Before
        } else {
            Phase::During
        }
    }
}
