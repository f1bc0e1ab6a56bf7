//! Why the local server can't start.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// See the [module](self).
#[derive(Debug)]
pub(crate) enum ServeError {
    /// The address is taken, or not of this machine.
    Listen { addr: SocketAddr, source: io::Error },
    /// Other machines could ask, and nobody said that they may.
    Remote(SocketAddr),
    /// The folder is not there, or is none.
    Site { path: PathBuf, source: io::Error },
    /// The file has no certificates in it that can be trusted.
    Certificates { path: PathBuf, why: String },
    /// A host that no certificate can be for.
    ServerName(String),
    /// The system gives no threads, timers or signals.
    System(io::Error),
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen { addr, source } => {
                write!(
                    f,
                    "can't listen on {addr}: {source}; name another address, or port 0 for any: --listen 127.0.0.1:0"
                )
            }
            Self::Remote(addr) => write!(
                f,
                "{addr} is open to other machines, which could look at the origin and at every exchange through this one; \
                 listen on 127.0.0.1, or say --allow-remote"
            ),
            Self::Site { path, source } => {
                write!(f, "can't serve {}: {source}; name a folder", path.display())
            }
            Self::Certificates { path, why } => {
                write!(
                    f,
                    "can't trust what is in {}: {why}; it should hold certificates as PEM",
                    path.display()
                )
            }
            Self::ServerName(host) => write!(
                f,
                "\"{host}\" is not a name that a certificate can be for; write the host of --origin as its certificate has it"
            ),
            Self::System(source) => write!(f, "the system does not let the server run: {source}"),
        }
    }
}

impl Error for ServeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Listen { source, .. } | Self::Site { source, .. } | Self::System(source) => Some(source),
            Self::Remote(_) | Self::Certificates { .. } | Self::ServerName(_) => None,
        }
    }
}

impl From<ServeError> for crate::failure::Failure {
    fn from(error: ServeError) -> Self {
        Self::Serve(error)
    }
}
