//! A payload on its way to being in force, in steps that are short: a worker has one thread, and requests wait while it works.
//!
//! Each step of [`Reading`] is one here; then its auto experiments become patches, a few at a time.

use super::{Live, digest};
use crate::decide::decrypt::DecryptionKey;
use crate::decide::payload::{self, Payload, PayloadError, Reading};
use crate::patch::auto::Draft;

/// How many experiments become patches in one step.
const EXPERIMENTS_A_STEP: usize = 8;

/// See the module. Call [`step`](Self::step) until it is [`Step::Done`].
#[derive(Debug)]
pub struct Takeover {
    digest: u128,
    stage: Stage,
}

/// What is done at the moment.
#[derive(Debug)]
enum Stage {
    Reading(Box<Reading>),
    /// Of the payload's experiments, so many are done.
    Patching(Box<(Payload, Draft)>, usize),
}

/// What came of a step.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "there is more to do, or there is not")]
pub enum Step {
    /// There is more to do.
    Working(Takeover),
    /// It is ready.
    Done(Box<Live>),
}

impl Takeover {
    /// Begins with the bytes as they came over the network.
    #[must_use]
    pub fn new(bytes: Vec<u8>, key: Option<DecryptionKey>) -> Self {
        Self { digest: digest(&bytes), stage: Stage::Reading(Box::new(Reading::new(bytes, key))) }
    }

    /// The digest of what is taken over.
    #[must_use]
    pub const fn digest(&self) -> u128 {
        self.digest
    }

    /// Does a little.
    ///
    /// # Errors
    /// If it is no payload, see [`Payload::read`](crate::decide::payload::Payload::read).
    pub fn step(self) -> Result<Step, PayloadError> {
        let Self { digest, stage } = self;
        match stage {
            Stage::Reading(reading) => Ok(match reading.step()? {
                payload::Step::Working(reading) => {
                    Step::Working(Self { digest, stage: Stage::Reading(Box::new(reading)) })
                }
                payload::Step::Done(payload) => {
                    let stage = Stage::Patching(Box::new((payload, Draft::default())), 0);
                    Step::Working(Self { digest, stage })
                }
            }),
            Stage::Patching(mut made, done) => {
                let (payload, draft) = &mut *made;
                let mut rest = payload.experiments().iter().skip(done).peekable();
                rest.by_ref().take(EXPERIMENTS_A_STEP).for_each(|experiment| draft.add(experiment));
                if rest.peek().is_some() {
                    let done = done.saturating_add(EXPERIMENTS_A_STEP);
                    return Ok(Step::Working(Self { digest, stage: Stage::Patching(made, done) }));
                }
                let (payload, draft) = *made;
                Ok(Step::Done(Box::new(Live { payload, auto: draft.finish(), digest })))
            }
        }
    }

    /// Does the rest at once.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub fn finish(mut self) -> Result<Live, PayloadError> {
        loop {
            match self.step()? {
                Step::Working(takeover) => self = takeover,
                Step::Done(live) => return Ok(*live),
            }
        }
    }
}
