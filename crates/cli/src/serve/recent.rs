//! The exchanges of late: what the panel shows.
//!
//! Bounded twice, in number and in the bytes of the bodies that are kept; the oldest go first.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use engraft::exchange::report::Report;
use engraft::request::RequestHead;
use http::{HeaderMap, StatusCode};
use tokio::sync::watch;

use crate::exchange::rendering::OriginRequest;

/// How many exchanges are kept.
const MAX_EXCHANGES: usize = 200;
/// How much of one body is kept.
pub(crate) const MAX_BODY_BYTES: usize = 2 << 20;
/// How much of all bodies is kept.
const MAX_BYTES: usize = 64 << 20;

/// An exchange, from the request to the last byte that left.
#[derive(Debug)]
pub(crate) struct Exchange {
    /// Counted from 1 since the start.
    pub(crate) id: u64,
    pub(crate) at: SystemTime,
    /// The request as the core saw it.
    pub(crate) request: RequestHead,
    /// The number of the [view](super::views) that it was in.
    pub(crate) view: Option<String>,
    /// What the origin was asked; `None` where it was not.
    pub(crate) to_origin: Option<OriginRequest>,
    /// The head of the origin's answer as it came; `None` where none did.
    pub(crate) from_origin: Option<(StatusCode, HeaderMap)>,
    /// From the request to that head.
    pub(crate) origin_head_after: Option<Duration>,
    pub(crate) status: StatusCode,
    /// The headers of the answer as they left.
    pub(crate) headers: HeaderMap,
    /// From the request to the head of the answer.
    pub(crate) head_after: Duration,
    /// From the request to the end.
    pub(crate) took: Duration,
    /// How long the core was at work on the request, the head of the response, and its body.
    pub(crate) worked: BTreeMap<&'static str, Duration>,
    /// The bytes of the body that left, without what is put in for loading pages again.
    pub(crate) bytes: u64,
    pub(crate) before: Option<Capture>,
    /// `None` where it is the body before, byte for byte.
    pub(crate) after: Option<Capture>,
    pub(crate) end: End,
    pub(crate) report: Report,
}

/// How an exchange ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// The whole answer left.
    Whole,
    /// Whoever asked did not wait for it.
    Aborted,
    /// The origin did not answer, or not to the end.
    Failed(String),
}

/// A body, or the beginning of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Capture {
    pub(crate) bytes: Vec<u8>,
    /// There was more.
    pub(crate) is_cut: bool,
}

impl Capture {
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        let (kept, rest) = bytes.split_at(bytes.len().min(MAX_BODY_BYTES.saturating_sub(self.bytes.len())));
        self.bytes.extend_from_slice(kept);
        self.is_cut |= !rest.is_empty();
    }
}

impl Exchange {
    fn kept_bytes(&self) -> usize {
        let of = |capture: &Option<Capture>| capture.as_ref().map_or(0, |capture| capture.bytes.capacity());
        of(&self.before).saturating_add(of(&self.after))
    }
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(crate) struct Recent {
    kept: Mutex<Kept>,
    /// How many there ever were.
    added: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct Kept {
    exchanges: VecDeque<Arc<Exchange>>,
    bytes: usize,
    added: usize,
}

impl Recent {
    pub(crate) fn add(&self, exchange: Arc<Exchange>) {
        let mut kept = self.kept();
        kept.bytes = kept.bytes.saturating_add(exchange.kept_bytes());
        kept.exchanges.push_back(exchange);
        while kept.exchanges.len() > MAX_EXCHANGES || (kept.bytes > MAX_BYTES && kept.exchanges.len() > 1) {
            let gone = kept.exchanges.pop_front().map_or(0, |gone| gone.kept_bytes());
            kept.bytes = kept.bytes.saturating_sub(gone);
        }
        kept.added = kept.added.saturating_add(1);
        let added = kept.added;
        drop(kept);
        // Two that end at once may come here in either order.
        self.added.send_modify(|seen| *seen = added.max(*seen));
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells whoever has it when there are more.
    pub(crate) fn watch(&self) -> watch::Receiver<usize> {
        self.added.subscribe()
    }

    /// All of them, the newest first.
    pub(crate) fn all(&self) -> Vec<Arc<Exchange>> {
        self.since(0).0
    }

    /// Those that came after the first `seen` there ever were, the newest first, and how many there are now.
    pub(crate) fn since(&self, seen: usize) -> (Vec<Arc<Exchange>>, usize) {
        let kept = self.kept();
        let fresh = kept.exchanges.iter().rev().take(kept.added.saturating_sub(seen));
        (fresh.map(Arc::clone).collect(), kept.added)
    }

    pub(crate) fn find(&self, id: u64) -> Option<Arc<Exchange>> {
        self.all().into_iter().find(|exchange| exchange.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(id: u64, body: usize) -> Arc<Exchange> {
        let mut before = Capture::default();
        before.add(&vec![b'a'; body]);
        Arc::new(Exchange {
            id,
            at: SystemTime::UNIX_EPOCH,
            request: RequestHead::default(),
            view: None,
            to_origin: None,
            from_origin: None,
            origin_head_after: None,
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            head_after: Duration::ZERO,
            took: Duration::ZERO,
            worked: BTreeMap::new(),
            bytes: 0,
            before: Some(before),
            after: None,
            end: End::Whole,
            report: Report::default(),
        })
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many_or_their_bodies_are_too_large() {
        let recent = Recent::default();
        (1..=300).for_each(|id| recent.add(exchange(id, 10)));
        let ids: Vec<u64> = recent.all().iter().map(|exchange| exchange.id).collect();
        assert_eq!((ids.len(), ids.first(), ids.last()), (MAX_EXCHANGES, Some(&300), Some(&101)));
        (301..=400).for_each(|id| recent.add(exchange(id, MAX_BODY_BYTES + 1)));
        let all = recent.all();
        assert_eq!(all.first().map(|exchange| exchange.id), Some(400));
        assert!(all.len() <= MAX_BYTES / MAX_BODY_BYTES && all.len() > 10, "{}", all.len());
        assert!(recent.find(400).unwrap().before.as_ref().unwrap().is_cut);
        assert!(recent.find(1).is_none());
    }

    #[test]
    fn who_watches_hears_of_each_once() {
        let recent = Recent::default();
        let watched = recent.watch();
        (1..=3).for_each(|id| recent.add(exchange(id, 0)));
        assert!(watched.has_changed().unwrap());
        let ids = |seen| {
            let (fresh, added) = recent.since(seen);
            (fresh.iter().map(|exchange| exchange.id).collect::<Vec<_>>(), added)
        };
        assert_eq!(ids(0), (vec![3, 2, 1], 3));
        assert_eq!(ids(2), (vec![3], 3));
        assert_eq!(ids(3), (vec![], 3));
    }
}
