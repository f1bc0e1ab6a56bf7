//! `br`: RFC 7932.
//!
//! Windows are those of the RFC, up to 16 MiB; the "large window" extension, up to 1 GiB, is refused. The window is
//! allocated as far as what was announced needs it: a page gets what it is long, but two dozen bytes may announce it all.

use brotli_decompressor::{
    Allocator, BrotliDecoderHasMoreOutput, BrotliDecompressStream, BrotliResult, BrotliState, SliceWrapper,
    SliceWrapperMut,
};

use super::chain::{Codec, Corrupt, Flow, Step};

pub(super) struct Brotli(Box<BrotliState<Heap, Heap, Heap>>);

impl Brotli {
    pub(super) fn new() -> Self {
        // `new` would take large windows.
        Self(Box::new(BrotliState::new_strict(Heap, Heap, Heap)))
    }
}

impl Codec for Brotli {
    fn step(&mut self, input: &[u8], room: &mut [u8]) -> Result<Step, Corrupt> {
        let (mut left, mut consumed) = (input.len(), 0);
        let (mut space, mut written) = (room.len(), 0);
        let result = BrotliDecompressStream(
            &mut left,
            &mut consumed,
            input,
            &mut space,
            &mut written,
            room,
            &mut 0,
            &mut self.0,
        );
        let flow = match result {
            BrotliResult::ResultSuccess => Flow::Ended,
            BrotliResult::NeedsMoreOutput => Flow::Again,
            // It also asks for input when it could not write all that it has.
            BrotliResult::NeedsMoreInput if BrotliDecoderHasMoreOutput(&self.0) => Flow::Again,
            BrotliResult::NeedsMoreInput => Flow::Starved,
            BrotliResult::ResultFailure => return Err(Corrupt { written }),
        };
        Ok(Step { consumed, written, flow })
    }

    fn is_complete(&mut self) -> bool {
        // The chain knows when the stream has ended; before, it has not.
        false
    }
}

/// The decoder's memory: a vector for each of its tables. What it asks for is bounded by the format.
struct Heap;

struct Cells<T>(Vec<T>);

impl<T: Clone + Default> Allocator<T> for Heap {
    type AllocatedMemory = Cells<T>;

    fn alloc_cell(&mut self, len: usize) -> Cells<T> {
        Cells(vec![T::default(); len])
    }

    fn free_cell(&mut self, _: Cells<T>) {}
}

impl<T> Default for Cells<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> SliceWrapper<T> for Cells<T> {
    fn slice(&self) -> &[T] {
        &self.0
    }
}

impl<T> SliceWrapperMut<T> for Cells<T> {
    fn slice_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}
