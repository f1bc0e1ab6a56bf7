//! Why something is no payload.

use std::fmt;

use super::MAX_PAYLOAD_BYTES;
use crate::decide::decrypt::DecryptError;

/// What keeps a payload from being used; whoever has an earlier one keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PayloadError {
    /// Longer than [`MAX_PAYLOAD_BYTES`].
    TooLong {
        /// How long.
        bytes: usize,
    },
    /// No JSON, or only the start of it.
    Json {
        /// From 1 on.
        line: usize,
        /// From 1 on.
        column: usize,
        /// What the parser says.
        reason: String,
    },
    /// It has a member that is no JSON, or none that is read: text that is no Unicode, numbers beyond all bounds, a hundred levels.
    Member {
        /// Where it stands, as a JSON pointer.
        at: String,
        /// What the parser says.
        reason: String,
    },
    /// Of another type than payloads are.
    Unexpected {
        /// Which member; empty for the payload itself.
        member: &'static str,
        /// What it should have been.
        expected: &'static str,
    },
    /// Encrypted, and there is no key.
    NoKey {
        /// Which member.
        member: &'static str,
    },
    /// Can't be decrypted.
    Encrypted {
        /// Which member.
        member: &'static str,
        /// Why.
        why: DecryptError,
    },
}

impl PayloadError {
    pub(super) fn json(error: &serde_json::Error) -> Self {
        Self::Json { line: error.line(), column: error.column(), reason: reason(error) }
    }

    pub(super) fn member(at: String, error: &serde_json::Error) -> Self {
        Self::Member { at, reason: reason(error) }
    }
}

/// The parser says the place in its text, too.
fn reason(error: &serde_json::Error) -> String {
    error.to_string().split(" at line ").next().unwrap_or_default().to_owned()
}

impl fmt::Display for PayloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { bytes } => {
                write!(f, "the payload has {bytes} bytes, at most {MAX_PAYLOAD_BYTES} are read")
            }
            Self::Json { line, column, reason } => {
                write!(f, "the payload is no JSON: line {line}, column {column}: {reason}")
            }
            Self::Member { at, reason } => write!(f, "{at} of the payload is no JSON: {reason}"),
            Self::Unexpected { member: "", expected } => write!(f, "the payload is not {expected}"),
            Self::Unexpected { member, expected } => write!(f, "`{member}` of the payload is not {expected}"),
            Self::NoKey { member } => {
                write!(f, "`{member}` of the payload is encrypted, and there is no decryption key")
            }
            Self::Encrypted { member, why } => {
                write!(f, "`{member}` of the payload can't be decrypted: {why}")
            }
        }
    }
}

impl std::error::Error for PayloadError {}
