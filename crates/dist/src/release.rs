//! What is said of a release as a whole.

use std::time::{Duration, SystemTime};

use crate::Outcome;

/// The commit that a release is made from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Release {
    /// When it was made, in seconds since 1970.
    pub(crate) epoch: Option<u64>,
    /// Its name.
    pub(crate) revision: Option<String>,
}

impl Release {
    pub(crate) fn from_environment() -> Outcome<Self> {
        let said = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
        let epoch = match said("SOURCE_DATE_EPOCH") {
            Some(seconds) => Some(
                seconds
                    .parse()
                    .map_err(|_| format!("SOURCE_DATE_EPOCH is {seconds:?}, not a number of seconds"))?,
            ),
            None => None,
        };
        Ok(Self { epoch, revision: said("ENGRAFT_REVISION") })
    }

    /// The version of everything in the workspace.
    pub(crate) const fn version() -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    /// Where the sources are.
    pub(crate) const fn repository() -> &'static str {
        env!("CARGO_PKG_REPOSITORY")
    }

    /// The project's licence.
    pub(crate) const fn licence() -> &'static str {
        env!("CARGO_PKG_LICENSE")
    }

    /// When the commit was made, in RFC 3339; none where the year has more than four digits.
    pub(crate) fn created(&self) -> Option<String> {
        // 9999-12-31T23:59:59Z, after which RFC 3339 ends and the formatter would panic.
        let epoch = self.epoch.filter(|seconds| *seconds <= 253_402_300_799)?;
        let at = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(epoch))?;
        Some(humantime::format_rfc3339_seconds(at).to_string())
    }
}
