//! `deflate`: RFC 1950 by the book, RFC 1951 bare from servers that read the name literally.

use super::chain::{Codec, Corrupt, Flow, Step};
use super::inflate::Inflate;

/// The first two bytes decide. Taken for bare blocks, a zlib header would begin with a stored block whose padding is
/// not zero; no encoder writes that.
pub(super) enum Deflate {
    Undecided { first: Option<u8> },
    Decided(Inflate),
}

impl Deflate {
    pub(super) const fn new() -> Self {
        Self::Undecided { first: None }
    }
}

impl Codec for Deflate {
    fn step(&mut self, input: &[u8], room: &mut [u8]) -> Result<Step, Corrupt> {
        let mut inflate = match (&mut *self, input) {
            (Self::Decided(inflate), _) => return inflate.step(input, room),
            (Self::Undecided { .. }, []) => return Ok(Step { consumed: 0, written: 0, flow: Flow::Starved }),
            (Self::Undecided { first: Some(first) }, [second, ..]) => {
                let mut inflate = decide(*first, *second);
                // One byte gives nothing yet.
                inflate.step(&[*first], room)?;
                inflate
            }
            (Self::Undecided { first: None }, [first, second, ..]) => decide(*first, *second),
            (Self::Undecided { first }, [only]) => {
                *first = Some(*only);
                return Ok(Step { consumed: 1, written: 0, flow: Flow::Starved });
            }
        };
        let step = inflate.step(input, room)?;
        *self = Self::Decided(inflate);
        Ok(step)
    }

    fn is_complete(&mut self) -> bool {
        // The chain knows when the stream has ended; before, it has not.
        false
    }
}

/// CM is 8, the window at most 32 KiB, and the check bits are right (RFC 1950 § 2.2).
fn decide(first: u8, second: u8) -> Inflate {
    let is_zlib =
        first & 0x0f == 8 && first >> 4 <= 7 && u16::from_be_bytes([first, second]).is_multiple_of(31);
    if is_zlib { Inflate::zlib() } else { Inflate::raw() }
}
