//! Sightings that are kept back because what follows decides on them, and those behind them.

use super::{Misfit, Sighting};

/// What decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// How the formatting element with this id is closed.
    Settle {
        /// Its id in the tree.
        guard: u32,
    },
    /// Whether anything still goes into the head after its end tag.
    Head,
    /// Whether anything still goes into the body after its end tag.
    Body,
}

#[derive(Debug)]
struct Held {
    hold: Hold,
    from: u64,
    /// Index in the queue of the sighting that it is about; the queue's length where it is about none.
    at: usize,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Holds {
    queue: Vec<Sighting>,
    held: Vec<Held>,
}

impl Holds {
    pub(super) fn push(&mut self, sighting: Sighting) {
        self.queue.push(sighting);
    }

    /// Keeps back what comes next, and everything in the source from this offset on.
    pub(super) fn hold(&mut self, hold: Hold, from: u64) {
        self.held.push(Held { hold, from, at: self.queue.len() });
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    pub(super) fn from(&self) -> Option<u64> {
        self.held.iter().map(|held| held.from).min()
    }

    /// The sightings that are certain.
    pub(super) fn take(&mut self) -> Vec<Sighting> {
        let certain = self.held.iter().map(|held| held.at).min().unwrap_or(self.queue.len());
        let later = self.queue.split_off(certain.min(self.queue.len()));
        for held in &mut self.held {
            held.at = held.at.saturating_sub(certain);
        }
        std::mem::replace(&mut self.queue, later)
    }

    pub(super) fn into_sightings(self) -> Vec<Sighting> {
        self.queue
    }

    /// It turned out well.
    pub(super) fn settle(&mut self, hold: Hold) {
        self.held.retain(|held| held.hold != hold);
    }

    /// It did not.
    pub(super) fn refuse(&mut self, hold: Hold) {
        self.refuse_where(|held| held.hold == hold);
    }

    pub(super) fn refuse_settling(&mut self) {
        self.refuse_where(|held| matches!(held.hold, Hold::Settle { .. }));
    }

    pub(super) fn refuse_all(&mut self) {
        self.refuse_where(|_| true);
    }

    /// What is kept back for longer is refused.
    pub(super) fn bound(&mut self, at: u64, max: u64) {
        if !self.held.is_empty() {
            self.refuse_where(|held| at.saturating_sub(held.from) > max);
        }
    }

    /// The page is over: nothing came that speaks against it.
    pub(super) fn settle_all(&mut self) {
        self.held.clear();
    }

    fn refuse_where(&mut self, matches: impl Fn(&Held) -> bool) {
        for held in self.held.iter().filter(|held| matches(held)) {
            match self.queue.get_mut(held.at) {
                // Where head and body end, it is about nothing but their ends.
                Some(Sighting::Start(start)) if matches!(held.hold, Hold::Settle { .. }) => {
                    for target in &mut start.targets {
                        target.misfit = target.misfit.or(Some(Misfit::Misnested));
                    }
                }
                Some(Sighting::End(end)) => end.is_strayed = true,
                _ => {}
            }
        }
        self.held.retain(|held| !matches(held));
    }
}
