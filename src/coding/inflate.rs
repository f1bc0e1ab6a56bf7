//! RFC 1951, which gzip and deflate share.

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::stream::{InflateState, MinReset, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush, MZStatus};

use super::chain::{Corrupt, Flow, Step};

/// A window of 32 KiB and some tables, in one box of 43 KiB; nothing grows. Each body has a fresh one: miniz_oxide does
/// not refuse a match that begins before the start of the stream, and reads zeros there.
pub(super) struct Inflate(Box<InflateState>);

impl Inflate {
    /// Bare blocks.
    pub(super) fn raw() -> Self {
        Self(InflateState::new_boxed(DataFormat::Raw))
    }

    /// With header and Adler-32.
    pub(super) fn zlib() -> Self {
        Self(InflateState::new_boxed(DataFormat::Zlib))
    }

    /// For the next stream of the same body. The window is not cleared: 20 bytes of input could ask for that, and all
    /// that a malformed stream could read there is what the body itself has sent.
    pub(super) fn restart(&mut self) {
        self.0.reset_as(MinReset);
    }

    pub(super) fn step(&mut self, input: &[u8], room: &mut [u8]) -> Result<Step, Corrupt> {
        let space = room.len();
        let done = inflate(&mut self.0, input, room, MZFlush::None);
        let (consumed, written) = (done.bytes_consumed, done.bytes_written);
        let flow = match done.status {
            Ok(MZStatus::StreamEnd) => Flow::Ended,
            // The status of the call does not tell that its window was full; the one below does.
            Ok(_) | Err(MZError::Buf)
                if written == space || self.0.last_status() == TINFLStatus::HasMoreOutput =>
            {
                Flow::Again
            }
            Ok(_) | Err(MZError::Buf) if consumed == input.len() => Flow::Starved,
            Ok(MZStatus::Ok) => Flow::Again,
            Ok(_) | Err(_) => return Err(Corrupt { written }),
        };
        Ok(Step { consumed, written, flow })
    }
}
