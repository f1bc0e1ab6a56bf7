//! Waits until a file changes that was read.
//!
//! What to look at is known after a round, and it is few files, so their times are asked for: that works on every file system, mounted
//! and shared ones too, where notifications of the kernel do not arrive, and needs no library.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::stamp::{Stamp, stamp};

/// How often is looked.
const INTERVAL: Duration = Duration::from_millis(200);

/// Returns when one of the files is another than when it was read, is gone or has come, or when `found` finds other files; and
/// has been so for a moment, since most programs empty a file before they write it.
pub(super) fn wait(read: &BTreeMap<PathBuf, Stamp>, found: impl Fn() -> bool) {
    let now = || -> Vec<Stamp> { read.keys().map(|path| stamp(path)).collect() };
    let mut last: Vec<Stamp> = read.values().copied().collect();
    let mut has_changed = false;
    loop {
        let stamps = now();
        let is_new = stamps != last || (!has_changed && found());
        if has_changed && !is_new {
            return;
        }
        has_changed |= is_new;
        last = stamps;
        std::thread::sleep(INTERVAL);
    }
}
