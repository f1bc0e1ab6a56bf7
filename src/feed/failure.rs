//! Why there is no new payload.

use std::fmt;

use crate::decide::decrypt::DecryptError;
use crate::decide::payload::{MAX_PAYLOAD_BYTES, PayloadError};

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

impl Failure {
    /// Its name in counters.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NoCluster { .. } => "no_cluster",
            Self::NotAsked => "not_asked",
            Self::BrokenOff => "broken_off",
            Self::Silent => "silent",
            Self::Status(_) => "status",
            Self::ContentCoding => "content_coding",
            Self::TooLong { .. } | Self::Payload(PayloadError::TooLong { .. }) => "too_long",
            Self::Payload(PayloadError::Json { .. } | PayloadError::Member { .. }) => "no_json",
            Self::Payload(PayloadError::Unexpected { .. }) => "no_payload",
            Self::Payload(PayloadError::NoKey { .. }) => "no_key",
            Self::Payload(PayloadError::Encrypted { why: DecryptError::WrongKey, .. }) => "wrong_key",
            Self::Payload(PayloadError::Encrypted { .. }) => "not_encrypted",
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
