//! A real Prometheus that scrapes one address, and its `promtool`.
//!
//! They are the machine's (Debian: `apt install prometheus` has both), or those that `PROMETHEUS_BIN` and `PROMTOOL_BIN` name.
//! Prometheus runs as whoever starts it, in a temporary directory, on a port of 127.0.0.1.

use std::env;
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tempfile::TempDir;

use crate::client::{self, Request};
use crate::envoy::PATIENCE;
use crate::process::Process;
use crate::wire::Protocol::Http1;

/// How often Prometheus is started again when somebody else took the port that was free a moment ago.
const ATTEMPTS: usize = 5;

/// A running Prometheus. Dropping it stops it.
#[derive(Debug)]
pub struct Prometheus {
    process: Process,
    addr: SocketAddr,
    _dir: TempDir,
}

impl Prometheus {
    /// Starts one that asks `target` for `/stats/prometheus` each second, under the name `job`, and has these rules, as files have
    /// them. It has scraped at least once when this returns.
    ///
    /// # Errors
    /// When there is none, or it exits instead (the error then holds its log), or it can't scrape.
    pub fn start(job: &str, target: SocketAddr, rules: &[&Path]) -> Result<Self, PrometheusError> {
        let binary = prometheus().ok_or(PrometheusError::NotFound)?;
        let mut last = PrometheusError::NotFound;
        for _ in 0..ATTEMPTS {
            match Self::attempt(&binary, job, target, rules) {
                Ok(prometheus) => return Ok(prometheus),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn attempt(
        binary: &Path,
        job: &str,
        target: SocketAddr,
        rules: &[&Path],
    ) -> Result<Self, PrometheusError> {
        let io = |source| PrometheusError::Io { source };
        let dir = TempDir::with_prefix("engraft-prometheus-").map_err(io)?;
        let files: Vec<String> = rules.iter().map(|path| path.to_string_lossy().into_owned()).collect();
        let configuration = serde_json::json!({
            "global": { "scrape_interval": "1s", "evaluation_interval": "1s" },
            "rule_files": files,
            "scrape_configs": [{
                "job_name": job,
                "metrics_path": "/stats/prometheus",
                "static_configs": [{ "targets": [target.to_string()] }],
            }],
        });
        std::fs::write(dir.path().join("prometheus.yml"), configuration.to_string()).map_err(io)?;
        // It can't be asked which port it got: this one is free until somebody takes it in between.
        let addr = TcpListener::bind(("127.0.0.1", 0)).and_then(|free| free.local_addr()).map_err(io)?;
        let listen = format!("--web.listen-address={addr}");
        let arguments = ["--config.file=prometheus.yml", "--storage.tsdb.path=data", &listen];
        let process =
            Process::start(binary, &arguments, dir.path(), &dir.path().join("prometheus.log")).map_err(io)?;
        let mut prometheus = Self { process, addr, _dir: dir };
        let start = Instant::now();
        loop {
            if let Some(status) = prometheus.process.exited() {
                return Err(PrometheusError::Exited {
                    status: status.to_string(),
                    log: prometheus.process.log(),
                });
            }
            // Refused while it does not listen yet.
            let is_up = prometheus.query("up == 1");
            if is_up.is_ok_and(|samples| !samples.is_empty()) {
                return Ok(prometheus);
            }
            if start.elapsed() > PATIENCE {
                let status = format!("it does not scrape {target}");
                return Err(PrometheusError::Exited { status, log: prometheus.process.log() });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What an expression comes to now: its samples, as the HTTP API has them.
    ///
    /// # Errors
    /// When Prometheus does not answer, or refuses the expression.
    pub fn query(&self, expression: &str) -> Result<Vec<Value>, PrometheusError> {
        let data = self.get(&format!("query?query={}", utf8_percent_encode(expression, NON_ALPHANUMERIC)))?;
        Ok(match data.get("result") {
            Some(Value::Array(samples)) => samples.clone(),
            other => other.cloned().into_iter().collect(),
        })
    }

    /// The rules that it runs, each with its `health` and `lastError`.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn rules(&self) -> Result<Vec<Value>, PrometheusError> {
        let data = self.get("rules")?;
        let groups = data.get("groups").and_then(Value::as_array).into_iter().flatten();
        Ok(groups.filter_map(|group| group.get("rules")?.as_array()).flatten().cloned().collect())
    }

    fn get(&self, path: &str) -> Result<Value, PrometheusError> {
        let refused = |why: String| PrometheusError::Refused { asked: path.to_owned(), why };
        let answer = client::fetch(Http1, self.addr, &Request::get(&format!("/api/v1/{path}")))
            .map_err(|error| refused(error.to_string()))?;
        let mut answer: Value =
            serde_json::from_slice(&answer.body).map_err(|error| refused(error.to_string()))?;
        match answer.get_mut("data") {
            Some(data) => Ok(data.take()),
            None => Err(refused(answer.to_string())),
        }
    }
}

/// The Prometheus of this machine, if it has one.
#[must_use]
pub fn prometheus() -> Option<PathBuf> {
    find("PROMETHEUS_BIN", "prometheus")
}

/// The promtool of this machine, if it has one.
#[must_use]
pub fn promtool() -> Option<PathBuf> {
    find("PROMTOOL_BIN", "promtool")
}

fn find(variable: &str, name: &str) -> Option<PathBuf> {
    if let Some(named) = env::var_os(variable) {
        return Some(PathBuf::from(named)).filter(|path| path.is_file());
    }
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// Why there is no Prometheus, or no answer of it.
#[derive(Debug)]
#[non_exhaustive]
pub enum PrometheusError {
    /// None on this machine.
    NotFound,
    /// A file or process operation failed.
    Io {
        /// Why.
        source: io::Error,
    },
    /// It exited, or does not scrape.
    Exited {
        /// Its exit status.
        status: String,
        /// What it logged.
        log: String,
    },
    /// It did not answer a question, or not with data.
    Refused {
        /// The question.
        asked: String,
        /// What it said.
        why: String,
    },
}

impl fmt::Display for PrometheusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str(
                "no prometheus and promtool here; install them (Debian: prometheus) or let PROMETHEUS_BIN and PROMTOOL_BIN name them",
            ),
            Self::Io { source } => write!(f, "can't start prometheus: {source}"),
            Self::Exited { status, log } => write!(f, "prometheus did not start ({status}); its log:\n{log}"),
            Self::Refused { asked, why } => write!(f, "prometheus was asked {asked}: {why}"),
        }
    }
}

impl std::error::Error for PrometheusError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source } => Some(source),
            _ => None,
        }
    }
}
