//! The payload that is in force: what a feature service answered last, ready for every exchange.
//!
//! It changes while traffic runs, so it is no part of the [engine](crate::engine): a host hands the current one to each
//! exchange, which keeps it to its end. How a host comes by it is the [feed](crate::feed)'s business.

mod takeover;

use std::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher13};

pub use takeover::{Step, Takeover};

use crate::decide::decrypt::DecryptionKey;
use crate::decide::payload::{Payload, PayloadError};
use crate::patch::auto::AutoExperiments;

/// See the [module](self).
#[derive(Debug)]
pub struct Live {
    payload: Payload,
    auto: AutoExperiments,
    digest: u128,
}

impl Live {
    /// Reads a payload as it came over the network, all at once; a [`Takeover`] does the same in pieces.
    ///
    /// # Errors
    /// What [`Payload::read`] says.
    pub fn read(bytes: &[u8], key: Option<&DecryptionKey>) -> Result<Self, PayloadError> {
        Takeover::new(bytes.to_vec(), key.cloned()).finish()
    }

    /// The payload.
    #[must_use]
    pub const fn payload(&self) -> &Payload {
        &self.payload
    }

    /// What its visual experiments do to pages, and which of its experiments a page may be in.
    ///
    /// ```
    /// use engraft::decide::{evaluation::Evaluation, visitor::Visitor};
    /// use engraft::live::Live;
    /// use serde_json::json;
    ///
    /// let payload = br##"{ "experiments": [{
    ///     "key": "hero",
    ///     "urlPatterns": [{ "type": "simple", "pattern": "/shop/*", "include": true }],
    ///     "variations": [{}, { "domMutations": [
    ///         { "selector": "h1", "action": "set", "attribute": "html", "value": "Sale" }
    ///     ] }],
    ///     "weights": [0, 1]
    /// }] }"##;
    /// let live = Live::read(payload, None).unwrap();
    /// let attributes = json!({ "id": "u-1" });
    /// let visitor = Visitor::new(&attributes, "https://example.com/shop/shoes");
    ///
    /// let candidates = live.auto().candidates(&visitor.url);
    /// let mut evaluation = Evaluation::new(live.payload(), visitor);
    /// let ran = evaluation.auto_experiments_among(candidates);
    /// let patches: Vec<_> = ran.iter().flat_map(|ran| live.auto().patches_of(ran)).collect();
    /// assert_eq!(patches[0].label, "auto.hero.1.0");
    /// ```
    #[must_use]
    pub const fn auto(&self) -> &AutoExperiments {
        &self.auto
    }

    /// A digest of its bytes: the same bytes, the same decisions.
    #[must_use]
    pub const fn digest(&self) -> u128 {
        self.digest
    }
}

/// The digest of a payload's bytes.
#[must_use]
pub fn digest(bytes: &[u8]) -> u128 {
    let mut hasher = SipHasher13::new();
    hasher.write(bytes);
    hasher.finish128().as_u128()
}
