//! At most one line a minute.

use std::fmt;

const PAUSE: u64 = 60_000;

/// How long ago the last line was, and how many there would have been since.
#[derive(Debug, Default)]
pub(super) struct Quiet {
    last: Option<u64>,
    silent: u64,
}

/// What a line says of those before it that were not written.
#[derive(Debug, Clone, Copy)]
pub(super) struct More(u64);

impl Quiet {
    /// Whether there is to be a line now.
    pub(super) fn speaks(&mut self, now: u64) -> Option<More> {
        if self.last.is_some_and(|last| now.abs_diff(last) < PAUSE) {
            self.silent = self.silent.saturating_add(1);
            return None;
        }
        self.last = Some(now);
        Some(More(std::mem::take(&mut self.silent)))
    }
}

impl fmt::Display for More {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            more => write!(f, " ({more} more since the last line)"),
        }
    }
}
