//! Content codings: compressed chunks in, the page's bytes out, as soon as the input allows (RFC 9110 § 8.4); and gzip
//! the other way round.
//!
//! The body is somebody else's: a few bytes may stand for gigabytes, demand a huge window, or be made to crash a
//! decoder, and a panic takes the whole VM with it. So everything is bounded ([`Bounds`]), every decoder is free of
//! unsafe code, and what is wrong with a stream is an error that tells whether anything came out before.
//!
//! A decoder's own memory is that of its window: 32 KiB for gzip and deflate, up to 16 MiB for br, 8 MiB for zstd. What
//! asks for more (br's large windows, zstd's long ones) is refused, as browsers do.
//!
//! A stream that was flushed by its sender comes out at once: after [`Decoder::write`] nothing is held back that the
//! bytes so far determine.

mod brotli;
mod chain;
mod deflate;
mod encoder;
mod gzip;
mod inflate;
pub mod negotiation;
mod zstd;

use std::fmt;

use chain::{Chain, Fault};
pub use encoder::Gzip;

/// At most so many codings on top of each other; every honest sender uses one.
const MAX_STACKED: usize = 3;

/// A coding that can be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Coding {
    /// RFC 1952, of any number of members.
    Gzip,
    /// RFC 1950, or RFC 1951 as some servers send it.
    Deflate,
    /// RFC 7932.
    Brotli,
    /// RFC 8878, with the window of RFC 9659.
    Zstd,
}

impl Coding {
    /// The coding that `token` names in `Content-Encoding`; case does not matter. `identity` is none.
    #[must_use]
    pub fn from_token(token: &[u8]) -> Option<Self> {
        [
            (&b"gzip"[..], Self::Gzip),
            (b"x-gzip", Self::Gzip),
            (b"deflate", Self::Deflate),
            (b"br", Self::Brotli),
            (b"zstd", Self::Zstd),
        ]
        .into_iter()
        .find_map(|(name, coding)| name.eq_ignore_ascii_case(token).then_some(coding))
    }

    /// The codings that the members of `Content-Encoding` name, in their order: the last one was applied last. `identity`
    /// changes nothing. None for a coding that is not known, and for more than three of them.
    #[must_use]
    pub fn stack<'h>(tokens: impl IntoIterator<Item = &'h [u8]>) -> Option<Vec<Self>> {
        let codings = tokens
            .into_iter()
            .filter(|token| !token.eq_ignore_ascii_case(b"identity"))
            .map(Self::from_token)
            // One more than allowed is enough to know.
            .take(MAX_STACKED + 1)
            .collect::<Option<Vec<_>>>()?;
        (codings.len() <= MAX_STACKED).then_some(codings)
    }
}

impl fmt::Display for Coding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        })
    }
}

/// How much may come out. A body that decodes to `allowance_bytes` or less is never refused, unless a single chunk
/// holds more than `max_bytes_per_write`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "callers make them, and a new bound is a change for each")]
pub struct Bounds {
    /// What may come out whatever came in.
    pub allowance_bytes: u64,
    /// Beyond the allowance, how many bytes may come out for each byte that came in.
    pub max_ratio: u64,
    /// What one [`Decoder::write`] may add to its output, so that a small chunk can't fill the memory.
    pub max_bytes_per_write: u64,
}

impl Default for Bounds {
    /// 4 MiB, and 100 times the input beyond them; 16 MiB a chunk. Pages shrink to a fifth or a tenth; deflate could
    /// make 1,032 bytes of one, brotli any number.
    fn default() -> Self {
        Self { allowance_bytes: 4 << 20, max_ratio: 100, max_bytes_per_write: 16 << 20 }
    }
}

/// Why decoding ended. All are the origin's doing.
///
/// `produced` counts the bytes that came out since the start of the body, those of the failing call included: when it is
/// 0 nobody has seen anything of the body yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodingError {
    /// The bytes are not of this coding, or a checksum does not match, or the window is larger than allowed.
    Corrupt {
        /// The coding that could not go on.
        coding: Coding,
        /// Bytes that came out before.
        produced: u64,
    },
    /// The body ended before the coding did.
    Truncated {
        /// The coding that was not at its end.
        coding: Coding,
        /// Bytes that came out before.
        produced: u64,
    },
    /// More came out than [`Bounds`] allow.
    Expansion {
        /// The coding that made too much.
        coding: Coding,
        /// Bytes that came in.
        received: u64,
        /// Bytes that came out.
        produced: u64,
    },
}

impl CodingError {
    /// Bytes that came out since the start of the body.
    #[must_use]
    pub const fn produced(&self) -> u64 {
        match self {
            Self::Corrupt { produced, .. }
            | Self::Truncated { produced, .. }
            | Self::Expansion { produced, .. } => *produced,
        }
    }

    /// Whether anything came out: midway in the body the answer to an error is another than before its first byte.
    #[must_use]
    pub const fn produced_any(&self) -> bool {
        self.produced() != 0
    }
}

impl fmt::Display for CodingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Corrupt { coding, produced } => {
                write!(f, "body is not valid {coding} after {produced} decoded bytes")
            }
            Self::Truncated { coding, produced } => {
                write!(f, "body ends inside its {coding} stream after {produced} decoded bytes")
            }
            Self::Expansion { coding, received, produced } => {
                write!(f, "{received} bytes of {coding} expand to more than allowed ({produced} so far)")
            }
        }
    }
}

impl std::error::Error for CodingError {}

/// The decoder of one body.
///
/// [`write`](Self::write) each chunk as it comes, then [`end`](Self::end). After an error the decoder is spent and
/// repeats it. How the body is cut into chunks changes neither the bytes nor whether it is valid; only the bounds are
/// judged chunk by chunk.
///
/// A body without a single byte decodes to none, as browsers read it. Bytes after the end of a stream are ignored, as
/// browsers do, except that a gzip member may follow another (RFC 1952 § 2.2).
///
/// ```
/// use engraft::coding::{Bounds, Decoder};
///
/// let gzipped = [31, 139, 8, 0, 0, 0, 0, 0, 0, 3, 203, 72, 205, 201, 201, 7, 0, 134, 166, 16, 54, 5, 0, 0, 0];
/// let mut decoder = Decoder::from_header([&b"identity"[..], b"GZIP"], Bounds::default()).unwrap();
/// let mut out = Vec::new();
/// for byte in gzipped {
///     decoder.write(&[byte], &mut out)?;
/// }
/// decoder.end()?;
/// assert_eq!(out, b"hello");
/// # Ok::<(), engraft::coding::CodingError>(())
/// ```
#[derive(Debug)]
pub struct Decoder {
    chain: Chain,
    bounds: Bounds,
    received: u64,
    failed: Option<CodingError>,
}

impl Decoder {
    /// For the members of `Content-Encoding` in their order; see [`Coding::stack`].
    #[must_use]
    pub fn from_header<'h>(tokens: impl IntoIterator<Item = &'h [u8]>, bounds: Bounds) -> Option<Self> {
        Self::for_codings(&Coding::stack(tokens)?, bounds)
    }

    /// For `codings` in the order in which they were applied. None for more than three of them.
    #[must_use]
    pub fn for_codings(codings: &[Coding], bounds: Bounds) -> Option<Self> {
        (codings.len() <= MAX_STACKED).then(|| Self {
            chain: Chain::new(codings.iter().rev().copied()),
            bounds,
            received: 0,
            failed: None,
        })
    }

    /// Whether there is nothing to decode: what is written comes out as it is.
    #[must_use]
    pub const fn is_identity(&self) -> bool {
        self.chain.is_empty()
    }

    /// Decodes `chunk` and adds what it gives to `out`.
    ///
    /// # Errors
    /// See [`CodingError`]. What came out before the error stays in `out`; it is the start of what was sent, but no
    /// checksum vouches for it.
    pub fn write(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), CodingError> {
        self.check()?;
        self.received = self.received.saturating_add(as_u64(chunk.len()));
        let decoded = self.chain.write(chunk, out, self.received, &self.bounds);
        decoded.map_err(|(coding, fault)| self.fail(coding, fault))
    }

    /// The body has ended.
    ///
    /// # Errors
    /// [`CodingError::Truncated`] where a coding was not at its end, and the error of an earlier call.
    pub fn end(mut self) -> Result<(), CodingError> {
        self.check()?;
        match self.chain.unfinished() {
            Some(coding) => Err(self.fail(coding, Fault::Truncated)),
            None => Ok(()),
        }
    }

    fn check(&self) -> Result<(), CodingError> {
        self.failed.map_or(Ok(()), Err)
    }

    fn fail(&mut self, coding: Coding, fault: Fault) -> CodingError {
        let produced = self.chain.produced();
        let error = match fault {
            Fault::Corrupt => CodingError::Corrupt { coding, produced },
            Fault::Truncated => CodingError::Truncated { coding, produced },
            Fault::Expansion => CodingError::Expansion { coding, received: self.received, produced },
        };
        *self.failed.insert(error)
    }
}

/// usize is 32 bits in wasm and 64 natively; what is counted over a body is always 64.
fn as_u64(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
