//! Whether a file is another than it was, by what its folder says of it.

use std::path::Path;
use std::time::SystemTime;

/// When a file was changed, and how long it is in bytes; `None` of one that is not there.
pub(crate) type Stamp = Option<(SystemTime, u64)>;

/// How a file is now.
pub(crate) fn stamp(path: &Path) -> Stamp {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}
