//! What all connections share: what is in force, what was said on the command line, and what happened.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::HeaderMap;
use tokio::sync::watch;

use super::args::{Origin, Serve};
use super::live::Live;
use super::log;
use super::recent::{Exchange, Recent};
use super::reload::Setup;
use super::views::Views;
use crate::args::Url;
use crate::exchange::visit;

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) setup: watch::Receiver<Setup>,
    /// True once the server is to end.
    pub(crate) ending: watch::Receiver<bool>,
    /// Where pages come from, where it is not a folder.
    pub(crate) origin: Option<Origin>,
    pub(crate) seen_as: Option<Url>,
    /// What the edge would set.
    pub(crate) edge_headers: HeaderMap,
    pub(crate) preserves_host: bool,
    /// What has pages load again.
    pub(crate) live: Option<Arc<Live>>,
    pub(crate) recent: Recent,
    /// What somebody wants to see in the panel.
    pub(crate) views: Views,
    /// The files that were named, for commands to copy.
    pub(crate) config: PathBuf,
    pub(crate) payload: Option<PathBuf>,
    /// Another one for each start: pages tell by it that the server is another.
    pub(crate) instance: u128,
    log: log::Log,
    ids: AtomicU64,
}

impl State {
    pub(crate) fn new(args: &Serve, setup: watch::Receiver<Setup>, ending: watch::Receiver<bool>) -> Self {
        Self {
            setup,
            ending,
            origin: args.origin.clone(),
            seen_as: args.seen_as.clone(),
            edge_headers: visit::lines(&args.headers),
            preserves_host: args.preserve_host,
            live: (!args.no_live).then(Live::new).flatten().map(Arc::new),
            recent: Recent::default(),
            views: Views::default(),
            config: args.config.clone(),
            payload: args.payload.clone(),
            instance: crate::time::random(),
            log: log::Log::new(args.log),
            ids: AtomicU64::new(0),
        }
    }

    pub(crate) fn next_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed).saturating_add(1)
    }

    /// An exchange is over: tells of it and keeps it.
    pub(crate) fn ended(&self, exchange: Exchange) {
        self.log.write(&exchange);
        self.recent.add(Arc::new(exchange));
    }
}
