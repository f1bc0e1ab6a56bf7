use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::client::ClientError;

/// Why there is no Envoy, or it does not do what was asked.
#[non_exhaustive]
pub enum EnvoyError {
    /// No usable Envoy on this machine.
    NotFound {
        /// Each place that was looked at, and what is wrong with what is there.
        tried: Vec<String>,
    },
    /// There is an Envoy, and it can't run the module.
    Unsuitable {
        /// The file.
        path: PathBuf,
        /// What it lacks.
        why: String,
    },
    /// A file or process operation failed.
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// Envoy exited instead of becoming ready.
    Exited {
        /// Its exit status.
        status: String,
        /// The end of its log, where it says why.
        log_tail: String,
    },
    /// Something that was waited for did not come.
    TimedOut {
        /// What.
        what: &'static str,
        /// The end of its log.
        log_tail: String,
    },
    /// The admin interface was not reached.
    AdminUnreachable {
        /// What was asked.
        path: String,
        /// What the client says.
        source: ClientError,
    },
    /// The admin interface answered something else than was asked for.
    AdminAnswer {
        /// What was asked.
        path: String,
        /// What it answered.
        got: String,
    },
    /// There is no such listener.
    NoListener {
        /// The one that was asked for.
        name: String,
        /// Those there are.
        have: Vec<String>,
        /// The end of the log.
        log_tail: String,
    },
}

impl EnvoyError {
    pub(super) fn io<'p>(doing: &'static str, path: &'p Path) -> impl FnOnce(io::Error) -> Self + use<'p> {
        move |source| Self::Io { doing, path: path.to_path_buf(), source }
    }
}

impl fmt::Display for EnvoyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { tried } => {
                let tried = tried.join("; ");
                write!(
                    f,
                    "no Envoy that can run the module ({tried}): run `make envoy`, or set ENVOY_BIN to one"
                )
            }
            Self::Unsuitable { path, why } => {
                write!(f, "{} {why}: run `make envoy`, or set ENVOY_BIN to another", path.display())
            }
            Self::Io { doing, path, source } => write!(f, "could not {doing} {}: {source}", path.display()),
            Self::Exited { status, log_tail } => {
                write!(f, "envoy exited ({status}) instead of becoming ready; its log ends\n{log_tail}")
            }
            Self::TimedOut { what, log_tail } => {
                write!(f, "waited in vain for {what}; envoy's log ends\n{log_tail}")
            }
            Self::AdminUnreachable { path, source } => write!(f, "envoy's admin at {path}: {source}"),
            Self::AdminAnswer { path, got } => write!(f, "envoy's admin at {path} answered {got:?}"),
            Self::NoListener { name, have, log_tail } => {
                let have = have.join(", ");
                write!(f, "envoy has no listener {name:?}, only [{have}]; its log ends\n{log_tail}")
            }
        }
    }
}

/// As [`Display`](fmt::Display): a test that returns this error is reported by its `Debug`, and a log is read by its lines.
impl fmt::Debug for EnvoyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for EnvoyError {}

/// The last lines, without the inventory of what is linked in that every start begins with.
pub(super) fn tail(log: &str) -> String {
    let tells = |line: &&str| !line.contains("]   ") && !line.contains("statically linked extensions");
    let mut last: Vec<&str> = log.lines().rev().filter(tells).take(40).collect();
    last.reverse();
    last.join("\n")
}

#[expect(clippy::print_stderr, reason = "only while a test fails, for its reader")]
pub(super) fn show_log(pid: u32, tail: &str) {
    eprintln!("--- the log of envoy {pid} ends\n{tail}\n---");
}

#[expect(clippy::print_stderr, reason = "only when ENGRAFT_KEEP asks for it")]
pub(super) fn show_kept(dir: &Path) {
    eprintln!("kept {}", dir.display());
}
