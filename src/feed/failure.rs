//! Why there is no new payload.

use std::fmt;

use crate::decide::decrypt::DecryptError;
use crate::decide::payload::{MAX_PAYLOAD_BYTES, PayloadError};
use crate::names::names;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// Envoy does not know the cluster.
    NoCluster {
        /// As it is called in the configuration.
        cluster: String,
    },
    /// Envoy could not ask.
    NotAsked,
    /// The answer broke off, or was longer than Envoy holds.
    BrokenOff,
    /// Neither an answer came nor the end of one.
    Silent,
    /// Another status than 200 or 304; 503 and 504 are also what Envoy says for a service that is down or slow.
    Status(u16),
    /// It is compressed, though nothing was asked for.
    ContentCoding,
    /// It is longer than is read.
    TooLong {
        /// How long.
        bytes: usize,
    },
    /// It is no payload.
    Payload(PayloadError),
}

/// As what a [`Failure`] is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Reason {
    /// Envoy does not know the cluster.
    NoCluster,
    /// Envoy could not ask.
    NotAsked,
    /// The answer broke off, or was longer than Envoy holds.
    BrokenOff,
    /// Neither an answer came nor the end of one.
    Silent,
    /// Another status than 200 or 304.
    Status,
    /// It is compressed.
    ContentCoding,
    /// It is longer than is read.
    TooLong,
    /// It is no JSON.
    NoJson,
    /// It is JSON, and no payload.
    NoPayload,
    /// It is encrypted, and there is no key.
    NoKey,
    /// It is encrypted by another key.
    WrongKey,
    /// What it says is encrypted is not.
    NotEncrypted,
}

names! {
    Reason {
        NoCluster => "no_cluster",
        NotAsked => "not_asked",
        BrokenOff => "broken_off",
        Silent => "silent",
        Status => "status",
        ContentCoding => "content_coding",
        TooLong => "too_long",
        NoJson => "no_json",
        NoPayload => "no_payload",
        NoKey => "no_key",
        WrongKey => "wrong_key",
        NotEncrypted => "not_encrypted",
    }
}

impl Failure {
    /// As what it is counted.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            Self::NoCluster { .. } => Reason::NoCluster,
            Self::NotAsked => Reason::NotAsked,
            Self::BrokenOff => Reason::BrokenOff,
            Self::Silent => Reason::Silent,
            Self::Status(_) => Reason::Status,
            Self::ContentCoding => Reason::ContentCoding,
            Self::TooLong { .. } | Self::Payload(PayloadError::TooLong { .. }) => Reason::TooLong,
            Self::Payload(PayloadError::Json { .. } | PayloadError::Member { .. }) => Reason::NoJson,
            Self::Payload(PayloadError::Unexpected { .. }) => Reason::NoPayload,
            Self::Payload(PayloadError::NoKey { .. }) => Reason::NoKey,
            Self::Payload(PayloadError::Encrypted { why: DecryptError::WrongKey, .. }) => Reason::WrongKey,
            Self::Payload(PayloadError::Encrypted { .. }) => Reason::NotEncrypted,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCluster { cluster } => {
                write!(
                    f,
                    "Envoy knows no cluster \"{cluster}\"; add it, or name another in growthbook.fetch.cluster"
                )
            }
            Self::NotAsked => f.write_str("Envoy could not ask the feature service"),
            Self::BrokenOff => {
                f.write_str("the feature service's answer broke off, or is longer than Envoy holds")
            }
            Self::Silent => f.write_str("the feature service did not answer"),
            Self::Status(status @ (503 | 504)) => {
                write!(f, "the feature service is down or slow: {status}")
            }
            Self::Status(status @ (401 | 403 | 404)) => {
                write!(f, "the feature service answered {status}; is the client key right?")
            }
            Self::Status(status) => write!(f, "the feature service answered {status}"),
            Self::ContentCoding => {
                f.write_str("the feature service's answer is compressed, though asked not to be")
            }
            Self::TooLong { bytes } => {
                write!(f, "the payload has {bytes} bytes, at most {MAX_PAYLOAD_BYTES} are read")
            }
            Self::Payload(why) => write!(f, "{why}"),
        }
    }
}

impl std::error::Error for Failure {}
