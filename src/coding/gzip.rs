//! `gzip`: members of RFC 1952, one after the other.
//!
//! After a member, `1f 8b` begins another; anything else is not part of the page, and neither is what comes after it.
//! Chrome ignores such bytes, and there are servers that send them.

use super::chain::{Codec, Corrupt, Flow, Step};
use super::inflate::Inflate;

const MAGIC: [u8; 2] = [0x1f, 0x8b];

pub(super) struct Gzip {
    part: Part,
    inflate: Inflate,
    crc: crc32fast::Hasher,
    /// Bytes of this member, modulo 2³² as its trailer has them.
    len: u32,
}

enum Part {
    Header {
        field: Field,
        flags: u8,
    },
    Blocks,
    Trailer {
        read: usize,
        bytes: [u8; 8],
    },
    /// A member has ended.
    Between,
    /// And the first byte of another was seen.
    Magic,
}

/// Where in the header the next byte lies.
#[derive(Clone, Copy)]
enum Field {
    Fixed(u8),
    ExtraLen,
    ExtraLenHigh(u8),
    Extra(u16),
    Name,
    Comment,
    Crc,
    CrcHigh,
}

const FLAG_CRC: u8 = 2;
const FLAG_EXTRA: u8 = 4;
const FLAG_NAME: u8 = 8;
const FLAG_COMMENT: u8 = 16;
const RESERVED_FLAGS: u8 = 0xe0;

impl Gzip {
    pub(super) fn new() -> Self {
        Self {
            part: Part::Header { field: Field::Fixed(0), flags: 0 },
            inflate: Inflate::raw(),
            crc: crc32fast::Hasher::new(),
            len: 0,
        }
    }

    fn blocks(&mut self, input: &[u8], room: &mut [u8]) -> Result<Step, Corrupt> {
        let step = self.inflate.step(input, room)?;
        let written = room.get(..step.written).unwrap_or_default();
        self.crc.update(written);
        // Never more than a piece.
        self.len = self.len.wrapping_add(u32::try_from(written.len()).map_err(|_| Corrupt::default())?);
        if step.flow == Flow::Ended {
            self.part = Part::Trailer { read: 0, bytes: [0; 8] };
            return Ok(Step { flow: Flow::Again, ..step });
        }
        Ok(step)
    }

    fn trailer(&self, bytes: [u8; 8]) -> Result<Part, Corrupt> {
        let [c0, c1, c2, c3, l0, l1, l2, l3] = bytes;
        let crc = u32::from_le_bytes([c0, c1, c2, c3]);
        let len = u32::from_le_bytes([l0, l1, l2, l3]);
        if crc == self.crc.clone().finalize() && len == self.len {
            Ok(Part::Between)
        } else {
            Err(Corrupt::default())
        }
    }

    fn next_member(&mut self) -> Part {
        self.inflate.restart();
        self.crc.reset();
        self.len = 0;
        Part::Header { field: Field::Fixed(2), flags: 0 }
    }
}

impl Codec for Gzip {
    fn step(&mut self, input: &[u8], room: &mut [u8]) -> Result<Step, Corrupt> {
        let mut consumed = 0;
        for byte in input {
            self.part = match self.part {
                Part::Header { field, flags } => header(field, flags, *byte)?,
                Part::Trailer { read, mut bytes } => {
                    if let Some(slot) = bytes.get_mut(read) {
                        *slot = *byte;
                    }
                    if read == 7 { self.trailer(bytes)? } else { Part::Trailer { read: read + 1, bytes } }
                }
                Part::Between if *byte == MAGIC[0] => Part::Magic,
                Part::Magic if *byte == MAGIC[1] => self.next_member(),
                Part::Between | Part::Magic => return Ok(Step { consumed, written: 0, flow: Flow::Ended }),
                Part::Blocks => break,
            };
            consumed += 1;
        }
        if !matches!(self.part, Part::Blocks) {
            return Ok(Step { consumed, written: 0, flow: Flow::Starved });
        }
        let step = self.blocks(input.get(consumed..).unwrap_or_default(), room)?;
        Ok(Step { consumed: consumed.saturating_add(step.consumed), ..step })
    }

    fn is_complete(&mut self) -> bool {
        matches!(self.part, Part::Between | Part::Magic)
    }
}

/// RFC 1952 § 2.3. Nothing in it is used, so its own checksum is not checked either.
fn header(field: Field, flags: u8, byte: u8) -> Result<Part, Corrupt> {
    let next = match field {
        Field::Fixed(0) if byte != MAGIC[0] => return Err(Corrupt::default()),
        Field::Fixed(1) if byte != MAGIC[1] => return Err(Corrupt::default()),
        Field::Fixed(2) if byte != 8 => return Err(Corrupt::default()),
        Field::Fixed(3) if byte & RESERVED_FLAGS != 0 => return Err(Corrupt::default()),
        Field::Fixed(3) => return Ok(Part::Header { field: Field::Fixed(4), flags: byte }),
        Field::Fixed(9) => after_fixed(flags),
        Field::Fixed(at) => Some(Field::Fixed(at.saturating_add(1))),
        Field::ExtraLen => Some(Field::ExtraLenHigh(byte)),
        Field::ExtraLenHigh(low) => match u16::from_le_bytes([low, byte]) {
            0 => after_extra(flags),
            len => Some(Field::Extra(len)),
        },
        Field::Extra(1) => after_extra(flags),
        Field::Extra(left) => Some(Field::Extra(left.saturating_sub(1))),
        Field::Name if byte == 0 => after_name(flags),
        Field::Comment if byte == 0 => after_comment(flags),
        Field::Name | Field::Comment => Some(field),
        Field::Crc => Some(Field::CrcHigh),
        Field::CrcHigh => None,
    };
    Ok(next.map_or(Part::Blocks, |field| Part::Header { field, flags }))
}

fn after_fixed(flags: u8) -> Option<Field> {
    if flags & FLAG_EXTRA != 0 { Some(Field::ExtraLen) } else { after_extra(flags) }
}

fn after_extra(flags: u8) -> Option<Field> {
    if flags & FLAG_NAME != 0 { Some(Field::Name) } else { after_name(flags) }
}

fn after_name(flags: u8) -> Option<Field> {
    if flags & FLAG_COMMENT != 0 { Some(Field::Comment) } else { after_comment(flags) }
}

fn after_comment(flags: u8) -> Option<Field> {
    (flags & FLAG_CRC != 0).then_some(Field::Crc)
}
