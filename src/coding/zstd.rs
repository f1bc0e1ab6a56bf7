//! `zstd`: frames of RFC 8878, one after the other, skippable ones between them.

use mzstd::{DecodeLimits, DecodeOperation, DecoderConfig, DecoderSessionOwned, DecoderStatus, Decompressor};

use super::chain::{Codec, Corrupt, Flow, Step};

/// 8 MiB: what RFC 9659 requires of senders and lets receivers rely on.
const MAX_WINDOW_LOG: u8 = 23;

pub(super) struct Zstd(DecoderSessionOwned);

impl Zstd {
    pub(super) fn new() -> Self {
        let limits = DecodeLimits::DEFAULT.with_max_window_log(MAX_WINDOW_LOG).unwrap_or_default();
        Self(Decompressor::new(DecoderConfig::from(limits)).into_session())
    }
}

impl Codec for Zstd {
    fn step(&mut self, input: &[u8], room: &mut [u8]) -> Result<Step, Corrupt> {
        let progress = self
            .0
            .process(input, room, DecodeOperation::Process)
            .map_err(|failure| Corrupt { written: failure.produced })?;
        let flow = match progress.status {
            DecoderStatus::NeedsInput => Flow::Starved,
            DecoderStatus::NeedsOutput => Flow::Again,
            DecoderStatus::Finished => Flow::Ended,
        };
        Ok(Step { consumed: progress.consumed, written: progress.produced, flow })
    }

    fn is_complete(&mut self) -> bool {
        // All output is written, so nothing is asked for but the verdict.
        self.0.finish(&mut []).is_ok_and(|progress| progress.status == DecoderStatus::Finished)
    }
}
