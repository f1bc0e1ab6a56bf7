//! The lease: which of the workers asks the service.
//!
//! Whoever finds it free or run out writes its own number over that very version, so that one of several succeeds, and asks only
//! when it has read itself there a tick later. A holder renews it long before it runs out. Where its VM dies, another one takes over
//! when it has run out.

use std::fmt;

use super::Board;

/// How long a lease lasts. Longer than a worker is ever busy.
pub(super) const LEASE: u64 = 10_000;

/// What stands on the board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lease {
    holder: u64,
    until: u64,
}

impl Lease {
    const FREE: Self = Self { holder: 0, until: 0 };

    fn parse(value: &[u8]) -> Option<Self> {
        let (holder, until) = std::str::from_utf8(value).ok()?.split_once(' ')?;
        Some(Self { holder: u64::from_str_radix(holder, 16).ok()?, until: until.parse().ok()? })
    }

    /// A clock that was set back does not make it last longer.
    const fn is_held(self, now: u64) -> bool {
        self.until > now && self.until <= now.saturating_add(LEASE)
    }
}

impl fmt::Display for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x} {}", self.holder, self.until)
    }
}

/// A worker that may hold it.
#[derive(Debug)]
pub(super) struct Holder {
    id: u64,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Other,
    Claimed,
    Mine,
}

impl Holder {
    pub(super) fn new(id: u64) -> Self {
        // Nobody is 0.
        Self { id: id.max(1), state: State::Other }
    }

    /// Whether it was this worker's at the last look.
    pub(super) fn is_mine(&self) -> bool {
        self.state == State::Mine
    }

    /// Whether the next look tells.
    pub(super) const fn is_claimed(&self) -> bool {
        matches!(self.state, State::Claimed)
    }

    /// Writes a free lease where there is none: only what is there has a version to be written over.
    pub(super) fn open(&self, key: &str, board: &mut impl Board) {
        if board.read(key).is_none() {
            board.write(key, Lease::FREE.to_string().as_bytes(), None);
        }
    }

    /// Looks at the lease, and renews or claims it. Returns whether it is this worker's.
    pub(super) fn renew(&mut self, key: &str, now: u64, board: &mut impl Board) -> bool {
        let Some(entry) = board.read(key) else {
            self.open(key, board);
            self.state = State::Other;
            return false;
        };
        let lease = Lease::parse(&entry.value).unwrap_or(Lease::FREE);
        let own = Lease { holder: self.id, until: now.saturating_add(LEASE) };
        let write = |board: &mut _| Board::write(board, key, own.to_string().as_bytes(), entry.version);
        self.state = if lease.holder == self.id && lease.is_held(now) {
            let is_half_over = lease.until.saturating_sub(now) < LEASE / 2;
            if is_half_over && !write(board) { State::Other } else { State::Mine }
        } else if !lease.is_held(now) && write(board) {
            State::Claimed
        } else {
            State::Other
        };
        self.is_mine()
    }
}
