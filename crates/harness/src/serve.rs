//! A running `engraft serve`.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::envoy::PATIENCE;
use crate::process::Process;

const LOG_FILE: &str = "serve.log";

/// The process, on a free port of 127.0.0.1. Dropping it stops it.
#[derive(Debug)]
pub struct Serve {
    process: Process,
    addr: SocketAddr,
    _dir: TempDir,
}

impl Serve {
    /// Starts `binary` with arguments besides the address; what it prints goes to a file.
    ///
    /// # Errors
    /// When it does not start, with what it said.
    pub fn start(binary: &Path, arguments: &[&str]) -> Result<Self, ServeError> {
        let dir = TempDir::with_prefix("engraft-serve-")?;
        let all = [&["serve", "--listen", "127.0.0.1:0"], arguments].concat();
        let mut process = Process::start(binary, &all, dir.path(), &dir.path().join(LOG_FILE))?;
        let start = Instant::now();
        loop {
            let log = process.log();
            let line = log.lines().find_map(|line| line.strip_prefix("at "));
            if let Some(addr) = line.and_then(address) {
                return Ok(Self { process, addr, _dir: dir });
            }
            if process.exited().is_some() || start.elapsed() > PATIENCE {
                return Err(ServeError::NotStarted { log });
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Where it listens.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// User and system time so far.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn cpu_time(&self) -> io::Result<Duration> {
        self.process.cpu_time()
    }
}

fn address(url: &str) -> Option<SocketAddr> {
    url.trim().strip_prefix("http://")?.strip_suffix('/')?.parse().ok()
}

/// The path as an argument.
///
/// # Errors
/// When it is not UTF-8.
pub fn argument(path: &Path) -> Result<&str, ServeError> {
    path.to_str().ok_or_else(|| ServeError::Name(path.as_os_str().to_string_lossy().into_owned()))
}

/// Why there is no server.
#[derive(Debug)]
#[non_exhaustive]
pub enum ServeError {
    /// The process can't be started.
    Io(io::Error),
    /// A path that no argument can be made of.
    Name(String),
    /// It ended, or did not say where it listens.
    NotStarted {
        /// What it said.
        log: String,
    },
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "engraft can't be started: {error}"),
            Self::Name(path) => write!(f, "{path} is not UTF-8"),
            Self::NotStarted { log } => write!(f, "engraft serve did not start; it said\n{log}"),
        }
    }
}

impl std::error::Error for ServeError {}

impl From<io::Error> for ServeError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
