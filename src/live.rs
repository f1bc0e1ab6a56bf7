//! The payload that is in force: what a feature service answered last, ready for every exchange.
//!
//! It changes while traffic runs, so it is no part of the [engine](crate::engine): a host hands the current one to each
//! exchange, which keeps it to its end.

use std::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher13};

use crate::decide::decrypt::DecryptionKey;
use crate::decide::payload::{Payload, PayloadError};

/// See the [module](self).
#[derive(Debug)]
pub struct Live {
    payload: Payload,
    digest: u128,
}

impl Live {
    /// Reads a payload as it came over the network, all at once.
    ///
    /// # Errors
    /// What [`Payload::read`] says.
    pub fn read(bytes: &[u8], key: Option<&DecryptionKey>) -> Result<Self, PayloadError> {
        let payload = Payload::read(bytes, key)?;
        let mut hasher = SipHasher13::new();
        hasher.write(bytes);
        Ok(Self { payload, digest: hasher.finish128().as_u128() })
    }

    /// The payload.
    #[must_use]
    pub const fn payload(&self) -> &Payload {
        &self.payload
    }

    /// A digest of its bytes: the same bytes, the same decisions.
    #[must_use]
    pub const fn digest(&self) -> u128 {
        self.digest
    }
}
