//! What the workers of one Envoy tell each other: values under keys, each with a version.

use std::hash::{Hash as _, Hasher};

use siphasher::sip128::{Hasher128, SipHasher13};

use super::Source;
use crate::decide::decrypt::DecryptionKey;

/// A value on the board.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a host must say all of it")]
pub struct Entry {
    /// The value.
    pub value: Vec<u8>,
    /// Its version, another one after each writing.
    pub version: Option<u32>,
}

/// The board. It is there for all workers, and nobody waits for it.
pub trait Board {
    /// What stands under a key.
    fn read(&self, key: &str) -> Option<Entry>;

    /// Writes a value; with a version, only over that one. Returns whether it did.
    fn write(&mut self, key: &str, value: &[u8], version: Option<u32>) -> bool;
}

/// Under which keys the workers of one source meet.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) lease: String,
    pub(super) issue: String,
    pub(super) bytes: String,
}

impl Keys {
    /// Who asks the same service for the same and reads it by the same key meets, whatever else their configurations say. After an
    /// update Envoy keeps the workers of the old configuration for minutes: one with a wrong key must not ask for all.
    pub(super) fn of(source: &Source, key: Option<&DecryptionKey>) -> Self {
        let mut hasher = SipHasher13::new();
        for part in [&source.cluster, &source.authority, &source.path] {
            hasher.write(part.as_bytes());
            hasher.write(&[0]);
        }
        if let Some(key) = key {
            key.hash(&mut hasher);
        }
        let name = format!("engraft.payload.{:032x}", hasher.finish128().as_u128());
        Self {
            lease: format!("{name}.lease"),
            issue: format!("{name}.issue"),
            bytes: format!("{name}.bytes"),
        }
    }
}
