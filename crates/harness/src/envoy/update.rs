use std::path::Path;

use super::{Envoy, EnvoyError};

/// What Envoy made of new listeners.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Update {
    /// It runs them.
    Accepted,
    /// They are the ones it runs already.
    Unchanged,
    /// It goes on with the old ones.
    Rejected {
        /// What it logged about it.
        why: String,
    },
}

/// The counters that tell how far an update has come.
#[derive(Clone, Copy, Debug)]
struct Progress {
    accepted: u64,
    rejected: u64,
    /// Listeners that the main thread has taken in; one updated in place counts as modified, too.
    taken: u64,
    /// Listeners times workers that run them.
    running: u64,
}

impl Progress {
    fn of(envoy: &Envoy) -> Result<Self, EnvoyError> {
        let stats = envoy.stats("^listener_manager\\.")?;
        let stat = |name: &str| stats.get(&format!("listener_manager.{name}")).copied().unwrap_or_default();
        Ok(Self {
            accepted: stat("lds.update_success"),
            rejected: stat("lds.update_rejected"),
            taken: stat("listener_added") + stat("listener_modified"),
            running: stat("listener_create_success"),
        })
    }
}

/// Moves the document into place in one step, as Envoy would read half of one otherwise, and sees what becomes of it.
pub(super) fn run(envoy: &Envoy, file: &Path, document: &str) -> Result<Update, EnvoyError> {
    let before = Progress::of(envoy)?;
    let logged = envoy.log().len();
    let new = file.with_extension("new");
    std::fs::write(&new, document).map_err(EnvoyError::io("write", &new))?;
    std::fs::rename(&new, file).map_err(EnvoyError::io("write", file))?;

    let rejected = envoy.wait_for("Envoy to accept or reject the listeners", || {
        let now = Progress::of(envoy)?;
        let decided = now.accepted > before.accepted || now.rejected > before.rejected;
        Ok(decided.then_some(now.rejected > before.rejected))
    })?;
    if rejected {
        return Ok(Update::Rejected { why: envoy.log().get(logged..).unwrap_or_default().to_owned() });
    }
    let after = Progress::of(envoy)?;
    if after.taken == before.taken {
        return Ok(Update::Unchanged);
    }
    let wanted = before.running + (after.taken - before.taken) * u64::from(envoy.concurrency);
    envoy.wait_for("Envoy's workers to run the new listeners", || {
        Ok((Progress::of(envoy)?.running >= wanted).then_some(()))
    })?;
    Ok(Update::Accepted)
}
