//! gzip the other way round, for routes that ask for it: light, and flushed after each chunk, so that it streams.

use engraft_locate::offset::as_u64;
use std::fmt;

use miniz_oxide::deflate::core::{CompressionStrategy, CompressorOxide};
use miniz_oxide::deflate::stream::deflate;
use miniz_oxide::{DataFormat, MZFlush, MZStatus};

/// What zlib calls 1. More would cost a multiple of what parsing the page does.
const LEVEL: u8 = 1;
/// RFC 1952 § 2.3: deflate, no fields, no time, the fastest level, an unknown system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255];
/// What is made room for at once.
const ROOM: usize = 16 << 10;

/// One gzip stream (RFC 1952). [`write`](Self::write) each chunk, then [`end`](Self::end). Some 300 KiB of memory.
///
/// What it decodes to does not depend on how the input was cut; its own bytes do, as each chunk is flushed.
pub struct Gzip {
    compressor: Box<CompressorOxide>,
    crc: crc32fast::Hasher,
    /// Bytes so far, modulo 2³² as the trailer has them.
    len: u32,
    begun: bool,
}

impl Default for Gzip {
    fn default() -> Self {
        let compressor =
            CompressorOxide::with_params(DataFormat::Raw, LEVEL, CompressionStrategy::Default, 15);
        Self { compressor: Box::new(compressor), crc: crc32fast::Hasher::new(), len: 0, begun: false }
    }
}

impl fmt::Debug for Gzip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gzip").field("len", &self.len).finish_non_exhaustive()
    }
}

impl Gzip {
    /// Adds `chunk`, compressed, to `out`: all of it can be decoded from what `out` has got so far.
    pub fn write(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        if chunk.is_empty() {
            return;
        }
        self.begin(out);
        self.crc.update(chunk);
        // The trailer has no more of the length than this.
        let low = as_u64(chunk.len()) & u64::from(u32::MAX);
        self.len = self.len.wrapping_add(u32::try_from(low).unwrap_or_default());
        self.compress(chunk, MZFlush::Sync, out);
    }

    /// Adds the end of the stream.
    pub fn end(mut self, out: &mut Vec<u8>) {
        self.begin(out);
        self.compress(&[], MZFlush::Finish, out);
        out.extend_from_slice(&self.crc.finalize().to_le_bytes());
        out.extend_from_slice(&self.len.to_le_bytes());
    }

    fn begin(&mut self, out: &mut Vec<u8>) {
        if !std::mem::replace(&mut self.begun, true) {
            out.extend_from_slice(&HEADER);
        }
    }

    fn compress(&mut self, mut chunk: &[u8], flush: MZFlush, out: &mut Vec<u8>) {
        let mut was_full = false;
        loop {
            let start = out.len();
            out.resize(start.saturating_add(ROOM), 0);
            let done = deflate(&mut self.compressor, chunk, out.get_mut(start..).unwrap_or_default(), flush);
            out.truncate(start.saturating_add(done.bytes_written));
            chunk = chunk.get(done.bytes_consumed..).unwrap_or_default();
            let is_full = done.bytes_written == ROOM;
            // A call that writes what had no room before does nothing else, so one that flushes has to follow. To flush
            // what is flushed costs five bytes.
            let is_flushed = chunk.is_empty() && !is_full && !was_full && flush != MZFlush::Finish;
            // Its errors say that there is nothing left to do, and that it was called in the wrong order.
            if is_flushed || done.status != Ok(MZStatus::Ok) {
                return;
            }
            was_full = is_full;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Bounds, Coding, Decoder};
    use super::*;
    use proptest::prelude::*;

    fn decoder() -> Decoder {
        Decoder::for_codings(&[Coding::Gzip], Bounds::default()).unwrap()
    }

    proptest! {
        #[test]
        fn every_chunk_can_be_decoded_when_it_is_out(
            chunks in proptest::collection::vec(
                prop_oneof![
                    proptest::collection::vec(any::<u8>(), 0..3000),
                    (any::<u8>(), 0usize..200_000).prop_map(|(byte, len)| vec![byte; len]),
                    Just(b"<p class=a>text</p>\n".repeat(4000)),
                    proptest::collection::vec(any::<u8>(), 60_000..70_000),
                ], 0..6),
        ) {
            let (mut gzip, mut decoder) = (Gzip::default(), decoder());
            let (mut decoded, mut expected) = (Vec::new(), Vec::new());
            for chunk in &chunks {
                let mut out = Vec::new();
                gzip.write(chunk, &mut out);
                decoder.write(&out, &mut decoded).unwrap();
                expected.extend_from_slice(chunk);
                prop_assert!(decoded == expected, "{} of {}", decoded.len(), expected.len());
            }
            let mut out = Vec::new();
            gzip.end(&mut out);
            decoder.write(&out, &mut decoded).unwrap();
            prop_assert_eq!(decoder.end(), Ok(()));
            prop_assert!(decoded == expected);
        }
    }

    #[test]
    fn a_page_without_a_byte_is_a_stream() {
        let mut out = Vec::new();
        Gzip::default().end(&mut out);
        let (mut decoder, mut decoded) = (decoder(), Vec::new());
        decoder.write(&out, &mut decoded).unwrap();
        assert_eq!((decoder.end(), decoded.len()), (Ok(()), 0));
    }

    #[test]
    fn it_is_a_stream_that_others_read() {
        use std::io::Read as _;

        let body = b"<li class=item>text</li>".repeat(1000);
        let mut out = Vec::new();
        let mut gzip = Gzip::default();
        body.chunks(777).for_each(|chunk| gzip.write(chunk, &mut out));
        gzip.end(&mut out);
        assert!(out.len() < body.len() / 4, "{} of {}", out.len(), body.len());
        let mut decoded = Vec::new();
        flate2::read::GzDecoder::new(&out[..]).read_to_end(&mut decoded).unwrap();
        assert!(decoded == body);
    }
}
