//! Visitors who ask for a page again and again while a test changes something behind their backs, and look at every byte they get.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

use engraft_harness::client::{Connection, Request};
use engraft_harness::envoy::{Envoy, EnvoyError};
use engraft_harness::wire::Protocol;

/// What one visitor asks for, and every page that is right for them: of one state of affairs each, in the order in which a test brings
/// them about.
pub(crate) struct Visitor {
    pub(crate) request: Request,
    pub(crate) pages: Vec<String>,
}

/// All of them, each with one connection, half over HTTP/1.1 and half over HTTP/2. A connection belongs to one worker of Envoy, and must
/// last: whoever changes something by closing connections is found out.
pub(crate) struct Visitors {
    is_over: Arc<AtomicBool>,
    /// Which of their pages each got last; [`NONE`] before the first.
    last: Vec<Arc<AtomicUsize>>,
    threads: Vec<JoinHandle<Result<Seen, String>>>,
}

/// Before the first page.
const NONE: usize = usize::MAX;

/// What one visitor got.
#[derive(Debug)]
pub(crate) struct Seen {
    /// Which of their pages, in their order, those that are alike in a row once.
    pub(crate) runs: Vec<usize>,
    /// How often each of them came.
    pub(crate) counts: Vec<usize>,
}

impl Visitors {
    pub(crate) fn start(addr: SocketAddr, visitors: Vec<Visitor>) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let mut all = Self { is_over, last: Vec::new(), threads: Vec::new() };
        for (visitor, protocol) in visitors.into_iter().zip(Protocol::ALL.into_iter().cycle()) {
            let (is_over, last) = (Arc::clone(&all.is_over), Arc::new(AtomicUsize::new(NONE)));
            all.last.push(Arc::clone(&last));
            all.threads.push(std::thread::spawn(move || visitor.ask(protocol, addr, &is_over, &last)));
        }
        all
    }

    /// Waits until the page that each got last is this one.
    pub(crate) fn wait_for(&self, envoy: &Envoy, page: usize) -> Result<(), EnvoyError> {
        envoy.wait_for("all visitors to see a page", || {
            // Who has ended has failed; `finish` says how.
            let has_failed = self.threads.iter().any(JoinHandle::is_finished);
            let all_see_it = self.last.iter().all(|last| last.load(Ordering::SeqCst) == page);
            Ok((all_see_it || has_failed).then_some(()))
        })
    }

    /// What each got.
    ///
    /// # Errors
    /// When one of them ever got anything but one of their pages, whole.
    pub(crate) fn finish(mut self) -> Result<Vec<Seen>, Box<dyn Error>> {
        self.is_over.store(true, Ordering::SeqCst);
        let threads = std::mem::take(&mut self.threads);
        let seen =
            threads.into_iter().map(|thread| thread.join().map_err(|_| "a visitor panicked".to_owned())?);
        Ok(seen.collect::<Result<_, _>>()?)
    }
}

/// A test that fails leaves nobody behind who asks.
impl Drop for Visitors {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
    }
}

impl Visitor {
    fn ask(
        &self,
        protocol: Protocol,
        addr: SocketAddr,
        is_over: &AtomicBool,
        last: &AtomicUsize,
    ) -> Result<Seen, String> {
        let mut connection = Connection::open(protocol, addr).map_err(|error| error.to_string())?;
        let mut seen = Seen { runs: Vec::new(), counts: vec![0; self.pages.len()] };
        while !is_over.load(Ordering::SeqCst) {
            let after = format!("over {protocol:?}, after {:?}", seen.runs);
            let page = connection.fetch(&self.request).map_err(|error| format!("{error} {after}"))?;
            let text = page.text();
            let which = self.pages.iter().position(|right| *right == text);
            let (true, 200, Some(which)) = (page.complete, page.status, which) else {
                let (status, whole) = (page.status, page.complete);
                return Err(format!("status {status}, whole: {whole}, {after}: {}\n{text}", page.headers));
            };
            if seen.runs.last() != Some(&which) {
                seen.runs.push(which);
            }
            if let Some(count) = seen.counts.get_mut(which) {
                *count += 1;
            }
            last.store(which, Ordering::SeqCst);
        }
        Ok(seen)
    }
}
