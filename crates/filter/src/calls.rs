//! Calls to other services that are open, and whose answers they are.
//!
//! Envoy tells of an answer by a token only. Whoever calls says with what the answer is to be brought back; the
//! [root context](crate::root) brings it there.

use std::collections::BTreeMap;

use engraft::exposure::collector::Ticket;

use crate::host::{self, Call, Refused};

/// Who called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    /// [`Payload`](crate::payload::Payload), with the number of its question.
    Payload {
        /// The number of the question.
        question: u32,
    },
    /// [`Exposures`](crate::exposures::Exposures), with what its batch is answered by.
    Exposures {
        /// Of the batch.
        ticket: Ticket,
    },
}

/// The open calls of a root context.
#[derive(Debug, Default)]
pub(crate) struct Calls(BTreeMap<u32, Caller>);

impl Calls {
    /// Calls. The answer is brought to `caller`, and there is always one, if only that there is none.
    pub(crate) fn send(&mut self, caller: Caller, call: &Call<'_>) -> Result<(), Refused> {
        let token = host::send_call(call)?;
        self.0.insert(token, caller);
        Ok(())
    }

    /// Whose answer this is.
    pub(crate) fn take(&mut self, token: u32) -> Option<Caller> {
        self.0.remove(&token)
    }
}
