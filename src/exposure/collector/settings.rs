//! `exposures.collector`, compiled.

use std::sync::Arc;

use http::uri::{Authority, PathAndQuery};

use crate::config::model;
use crate::config::node::Path;
use crate::config::problem::{Kind, Problem};

/// Where events go, and in which portions.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// Envoy's name of the service.
    pub cluster: Arc<str>,
    /// `:authority`.
    pub authority: Arc<str>,
    /// `:path`.
    pub path: Arc<str>,
    /// How long an answer may take, in milliseconds.
    pub timeout: u64,
    /// So many events may wait.
    pub max_queue_events: usize,
    /// So many bytes of them.
    pub max_queue_bytes: usize,
    /// So many events make a batch.
    pub batch_events: usize,
    /// So many bytes of them. A batch is no longer than this, unless it is one event.
    pub batch_bytes: usize,
    /// After so many milliseconds whatever there is makes a batch.
    pub batch_age: u64,
}

impl Settings {
    /// What is configured; a configuration in which it is out of range does not load.
    #[must_use]
    pub fn new(written: &model::ExposureCollector) -> Self {
        let millis = |duration: model::Duration| u64::from(duration.seconds()).saturating_mul(1000);
        let size = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        Self {
            cluster: Arc::from(written.cluster.as_str()),
            authority: Arc::from(written.authority.as_str()),
            path: Arc::from(written.path.as_str()),
            timeout: millis(written.timeout),
            max_queue_events: size(written.max_queue_events),
            max_queue_bytes: size(written.max_queue_bytes),
            batch_events: size(written.batch_events),
            batch_bytes: size(written.batch_bytes),
            batch_age: millis(written.batch_age),
        }
    }

    /// What is wrong with it.
    pub(crate) fn check(written: &model::ExposureCollector, path: &Path, problems: &mut Vec<Problem>) {
        let mut report = |field: &str, message: String| {
            problems.push(Problem::new(Kind::InvalidValue, path.clone().key(field), message));
        };
        if written.cluster.trim().is_empty() {
            report("cluster", "it names no cluster of Envoy".to_owned());
        }
        let authority = &written.authority;
        if authority.parse::<Authority>().is_err() || authority.contains('@') {
            report(
                "authority",
                format!("\"{}\" is not a host, with its port if it has one", authority.escape_debug()),
            );
        }
        let is_path = written.path.starts_with('/') && written.path.parse::<PathAndQuery>().is_ok();
        if !is_path {
            report("path", format!("\"{}\" is not a path that begins with `/`", written.path.escape_debug()));
        }
        let seconds = [("timeout", written.timeout, 1, 60), ("batch_age", written.batch_age, 1, 3600)];
        for (field, value, min, max) in seconds {
            if !(min..=max).contains(&value.seconds()) {
                report(field, format!("{value} is out of range; accepted: {min}s to {max}s"));
            }
        }
        let numbers = [
            ("max_queue_events", written.max_queue_events, 1, 1_000_000),
            ("max_queue_bytes", written.max_queue_bytes, 64 * 1024, 256 * 1024 * 1024),
            ("batch_events", written.batch_events, 1, 10_000),
            ("batch_bytes", written.batch_bytes, 1024, 4 * 1024 * 1024),
        ];
        for (field, value, min, max) in numbers {
            if !(min..=max).contains(&value) {
                report(field, format!("{value} is out of range; accepted: {min} to {max}"));
            }
        }
        if written.batch_events > written.max_queue_events {
            report(
                "batch_events",
                format!(
                    "the queue takes {}, so a batch never has {}",
                    written.max_queue_events, written.batch_events
                ),
            );
        }
    }
}
