//! A real nginx as a cache: behind Envoy, or in front of it in the place of a CDN.
//!
//! It needs the machine's `nginx` (Debian: `apt install nginx-light`), or the one
//! that `NGINX_BIN` names. It runs as whoever starts it, in a temporary directory, on a port of 127.0.0.1.

use std::env;
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::envoy::PATIENCE;
use crate::process::Process;

const CONFIGURATION_FILE: &str = "nginx.conf";
const LOG_FILE: &str = "nginx.log";
/// How often nginx is started again when somebody else took the port that was free a moment ago.
const ATTEMPTS: usize = 5;

/// In the folder that it is started in, which whoever starts it may write to.
const TEMPORARY_FILES: &str = "  client_body_temp_path tmp-body;
  proxy_temp_path tmp-proxy;
  fastcgi_temp_path tmp-fastcgi;
  uwsgi_temp_path tmp-uwsgi;
  scgi_temp_path tmp-scgi;";

/// A `proxy_cache` in front of one address.
#[derive(Clone, Debug)]
pub struct Cache {
    upstream: SocketAddr,
    key: String,
    directives: Vec<String>,
}

impl Cache {
    /// In front of `upstream`, keyed by host and path with query. Equal requests wait for one another (`proxy_cache_lock`), and every
    /// response says in `x-cache` what the cache made of it (`MISS`, `HIT`, `BYPASS`, `STALE`, …).
    #[must_use]
    pub fn new(upstream: SocketAddr) -> Self {
        Self { upstream, key: "$host$request_uri".to_owned(), directives: Vec::new() }
    }

    /// Adds a request header to the key.
    #[must_use]
    pub fn keyed_by(mut self, header: &str) -> Self {
        self.key += &format!("|$http_{}", header.to_ascii_lowercase().replace('-', "_"));
        self
    }

    /// Adds a directive to the location, with its semicolon.
    #[must_use]
    pub fn directive(mut self, directive: &str) -> Self {
        self.directives.push(directive.to_owned());
        self
    }

    fn configuration(&self, listen: SocketAddr) -> String {
        let Self { upstream, key, directives } = self;
        let directives = directives.join("\n      ");
        format!(
            r#"events {{ worker_connections 512; }}
http {{
  access_log off;
  proxy_cache_path cache keys_zone=pages:4m use_temp_path=off;
  upstream behind {{ server {upstream}; keepalive 16; }}
  server {{
    listen {listen};
    location / {{
      proxy_pass http://behind;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Connection "";
      proxy_cache pages;
      proxy_cache_key "{key}";
      proxy_cache_lock on;
      proxy_cache_lock_timeout 30s;
      proxy_cache_lock_age 30s;
      add_header x-cache $upstream_cache_status always;
      {directives}
    }}
  }}
}}
"#
        )
    }

    /// Starts nginx and waits until it takes connections.
    ///
    /// # Errors
    /// When there is no nginx, or it exits instead (the error then holds its log).
    pub fn start(&self) -> Result<Nginx, NginxError> {
        start(|listen| self.configuration(listen))
    }
}

/// Starts nginx with a whole configuration, which is told where to listen, and waits until it takes connections.
///
/// What belongs to the process is not for the configuration to say: `daemon`, `pid`, `error_log`, `worker_processes`. The folders
/// for temporary files are put into its `http`.
///
/// # Errors
/// When there is no nginx, or it exits instead (the error then holds its log).
pub fn start(configuration: impl Fn(SocketAddr) -> String) -> Result<Nginx, NginxError> {
    let binary = binary().ok_or(NginxError::NotFound)?;
    let mut last = NginxError::NotFound;
    for _ in 0..ATTEMPTS {
        match attempt(&binary, &configuration) {
            Ok(nginx) => return Ok(nginx),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn attempt(binary: &Path, configuration: impl Fn(SocketAddr) -> String) -> Result<Nginx, NginxError> {
    let io = |source| NginxError::Io { source };
    let dir = TempDir::with_prefix("engraft-nginx-").map_err(io)?;
    // Its listeners can't be asked which port they got: this one is free until somebody takes it in between.
    let addr = TcpListener::bind(("127.0.0.1", 0)).and_then(|free| free.local_addr()).map_err(io)?;
    let text = configuration(addr).replacen("http {", &format!("http {{\n{TEMPORARY_FILES}"), 1);
    std::fs::write(dir.path().join(CONFIGURATION_FILE), text).map_err(io)?;
    let prefix = dir.path().to_string_lossy();
    let process = format!("daemon off; pid nginx.pid; error_log {LOG_FILE} warn; worker_processes 1;");
    let arguments = ["-p", &prefix, "-c", CONFIGURATION_FILE, "-e", LOG_FILE, "-g", &process];
    let process =
        Process::start(binary, &arguments, dir.path(), &dir.path().join("output.log")).map_err(io)?;
    let mut nginx = Nginx { process, addr, dir };
    let start = Instant::now();
    loop {
        if let Some(status) = nginx.process.exited() {
            return Err(NginxError::Exited { status: status.to_string(), log: nginx.log() });
        }
        if TcpStream::connect(addr).is_ok() {
            return Ok(nginx);
        }
        if start.elapsed() > PATIENCE {
            return Err(NginxError::Exited {
                status: "it takes no connections".to_owned(),
                log: nginx.log(),
            });
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A running nginx. Dropping it stops it.
#[derive(Debug)]
pub struct Nginx {
    process: Process,
    addr: SocketAddr,
    dir: TempDir,
}

impl Nginx {
    /// Where it listens.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What it has logged and printed.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join(LOG_FILE)).unwrap_or_default() + &self.process.log()
    }
}

/// The nginx of this machine: `NGINX_BIN`, or the one on the path or where Debian puts it, which for most users is not on the path.
#[must_use]
pub fn binary() -> Option<PathBuf> {
    if let Some(named) = env::var_os("NGINX_BIN") {
        return Some(PathBuf::from(named)).filter(|path| path.is_file());
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join("nginx")).find(|path| path.is_file())
}

/// Why there is no nginx.
#[derive(Debug)]
#[non_exhaustive]
pub enum NginxError {
    /// None on this machine.
    NotFound,
    /// A file or process operation failed.
    Io {
        /// Why.
        source: io::Error,
    },
    /// It exited instead of taking connections.
    Exited {
        /// Its exit status.
        status: String,
        /// What it logged.
        log: String,
    },
}

impl fmt::Display for NginxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => {
                f.write_str("no nginx here; install it (Debian: nginx-light) or let NGINX_BIN name one")
            }
            Self::Io { source } => write!(f, "can't start nginx: {source}"),
            Self::Exited { status, log } => write!(f, "nginx did not start ({status}); its log:\n{log}"),
        }
    }
}

impl std::error::Error for NginxError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source } => Some(source),
            _ => None,
        }
    }
}
