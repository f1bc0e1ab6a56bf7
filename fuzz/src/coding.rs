//! A body in a content coding: the first byte says which and how much may come out, the rest is the body.
//!
//! Never more comes out than the bounds let; how the body is cut changes neither what comes out nor whether it is valid. And
//! whatever the bytes are, coded they decode to themselves.

use std::io::{self, Write as _};

use engraft::coding::{Bounds, Coding, CodingError, Decoder, Gzip};
use engraft_locate::offset::as_u64;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

use crate::{cuts, same, shown};

const STACKS: [&[Coding]; 8] = [
    &[Coding::Gzip],
    &[Coding::Deflate],
    &[Coding::Brotli],
    &[Coding::Zstd],
    &[Coding::Gzip, Coding::Gzip],
    &[Coding::Brotli, Coding::Gzip],
    &[Coding::Zstd, Coding::Deflate],
    &[Coding::Gzip, Coding::Zstd, Coding::Brotli],
];

/// What is more than anything the inputs of a fuzzer are worth.
const AMPLE: Bounds = Bounds { allowance_bytes: 1 << 20, max_ratio: 1, max_bytes_per_write: 1 << 20 };
const TIGHT: Bounds = Bounds { allowance_bytes: 1000, max_ratio: 3, max_bytes_per_write: 300 };
/// A codec writes so much at once, before it is asked whether that was too much.
const PIECE: u64 = 16 << 10;

type Decoded = (Vec<u8>, Result<(), CodingError>);

/// Checks a stream.
///
/// # Errors
/// What does not hold.
pub fn check(input: &[u8]) -> Result<(), String> {
    let Some((first, body)) = input.split_first() else { return Ok(()) };
    let Some(codings) = STACKS.get(usize::from(first % 8)) else { return Ok(()) };
    let whole = decode(codings, &[body], AMPLE)?;
    for pieces in cuts::ways(body) {
        let cut = decode(codings, &pieces, AMPLE)?;
        let is_over = |(_, result): &Decoded| matches!(result, Err(CodingError::Expansion { .. }));
        if is_over(&whole) || is_over(&cut) {
            // How far it gets is judged by the chunk.
            let common = whole.0.len().min(cut.0.len());
            same("what came out before it was too much", &cut.0.get(..common), &whole.0.get(..common))?;
        } else {
            let lengths: Vec<usize> = pieces.iter().map(|piece| piece.len()).collect();
            let kind = |(_, result): &Decoded| result.map_err(|error| std::mem::discriminant(&error));
            same(format!("cut into {lengths:?}"), &kind(&cut), &kind(&whole))?;
            same(format!("cut into {lengths:?}"), &shown(&cut.0), &shown(&whole.0))?;
        }
        let _ = decode(codings, &pieces, TIGHT)?;
    }
    let _ = decode(codings, &[body], TIGHT)?;
    round_trips(body)
}

/// What comes out, which is never more than the bounds let.
fn decode(codings: &[Coding], pieces: &[&[u8]], bounds: Bounds) -> Result<Decoded, String> {
    let mut decoder = Decoder::for_codings(codings, bounds).ok_or("no decoder")?;
    let mut out = Vec::new();
    let mut received = 0_u64;
    for piece in pieces {
        let before = out.len();
        received = received.saturating_add(as_u64(piece.len()));
        let written = decoder.write(piece, &mut out);
        let allowed = bounds.allowance_bytes.max(received.saturating_mul(bounds.max_ratio));
        let excess = if written.is_ok() { 0 } else { PIECE };
        let fits = as_u64(out.len()) <= allowed.saturating_add(excess)
            && as_u64(out.len().saturating_sub(before)) <= bounds.max_bytes_per_write.saturating_add(excess);
        if !fits {
            return Err(format!("{received} bytes became {}, by {bounds:?}", out.len()));
        }
        if let Err(error) = written {
            same("what the error says of the output", &error.produced(), &as_u64(out.len()))?;
            return Ok((out, Err(error)));
        }
    }
    Ok((out, decoder.end()))
}

/// That all codings of `body` decode to it.
fn round_trips(body: &[u8]) -> Result<(), String> {
    let failed = |error: io::Error| error.to_string();
    let level = Compression::new(u32::try_from(body.len() % 10).unwrap_or_default());
    let gzip =
        written(GzEncoder::new(Vec::new(), level), body).and_then(GzEncoder::finish).map_err(failed)?;
    let zlib =
        written(ZlibEncoder::new(Vec::new(), level), body).and_then(ZlibEncoder::finish).map_err(failed)?;
    let raw = written(DeflateEncoder::new(Vec::new(), level), body)
        .and_then(DeflateEncoder::finish)
        .map_err(failed)?;
    let brotli =
        written(brotli::CompressorWriter::new(Vec::new(), 4096, 2, 16), body).map_err(failed)?.into_inner();
    let zstd = zstd(body).map_err(failed)?;
    let own = {
        let (mut gzip, mut out) = (Gzip::default(), Vec::new());
        cuts::ways(body).last().unwrap_or_default().iter().for_each(|piece| gzip.write(piece, &mut out));
        gzip.end(&mut out);
        out
    };
    for (name, coding, stream) in [
        ("gzip", Coding::Gzip, gzip),
        ("zlib", Coding::Deflate, zlib),
        ("deflate", Coding::Deflate, raw),
        ("br", Coding::Brotli, brotli),
        ("zstd", Coding::Zstd, zstd),
        ("our own gzip", Coding::Gzip, own),
    ] {
        for pieces in [vec![stream.as_slice()], cuts::ways(&stream).last().unwrap_or_default()] {
            let (out, result) = decode(&[coding], &pieces, AMPLE)?;
            same(name, &(shown(&out), result), &(shown(body), Ok(())))?;
        }
    }
    Ok(())
}

fn written<W: io::Write>(mut encoder: W, body: &[u8]) -> io::Result<W> {
    encoder.write_all(body)?;
    Ok(encoder)
}

fn zstd(body: &[u8]) -> io::Result<Vec<u8>> {
    let other = |error: &dyn std::fmt::Display| io::Error::other(error.to_string());
    let mut compressor =
        mzstd::Compressor::new(mzstd::EncoderConfig::default()).map_err(|error| other(&error))?;
    let mut encoder = compressor.writer(Vec::new(), mzstd::StreamConfig::default());
    encoder.write_all(body)?;
    encoder.finish().map_err(|error| other(&error))
}
