use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use proptest::prelude::*;

use super::*;

const UNBOUNDED: Bounds =
    Bounds { allowance_bytes: u64::MAX, max_ratio: u64::MAX, max_bytes_per_write: u64::MAX };

/// What a body may be coded with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoder {
    Gzip,
    Zlib,
    Raw,
    Brotli,
    Zstd,
}

const ENCODERS: [Encoder; 5] = [Encoder::Gzip, Encoder::Zlib, Encoder::Raw, Encoder::Brotli, Encoder::Zstd];

impl Encoder {
    fn coding(self) -> Coding {
        match self {
            Self::Gzip => Coding::Gzip,
            Self::Zlib | Self::Raw => Coding::Deflate,
            Self::Brotli => Coding::Brotli,
            Self::Zstd => Coding::Zstd,
        }
    }

    /// The stream of `parts`, flushed after each: what to send after each part, and at the end.
    fn flushed(self, parts: &[&[u8]], level: u32) -> Vec<Vec<u8>> {
        match self {
            Self::Gzip => {
                flushed(GzEncoder::new(Vec::new(), Compression::new(level)), parts, GzEncoder::finish)
            }
            Self::Zlib => {
                flushed(ZlibEncoder::new(Vec::new(), Compression::new(level)), parts, ZlibEncoder::finish)
            }
            Self::Raw => flushed(
                DeflateEncoder::new(Vec::new(), Compression::new(level)),
                parts,
                DeflateEncoder::finish,
            ),
            Self::Brotli => {
                let encoder = ::brotli::CompressorWriter::new(Vec::new(), 4096, level.min(9), 22);
                flushed(encoder, parts, |encoder| Ok(encoder.into_inner()))
            }
            Self::Zstd => {
                let level = mzstd::Level::try_from(i32::try_from(level).unwrap()).unwrap();
                let config = mzstd::EncoderConfig::default().with_level(level);
                let mut compressor = mzstd::Compressor::new(config).unwrap();
                let encoder = compressor.writer(Vec::new(), mzstd::StreamConfig::default());
                flushed(encoder, parts, |encoder| {
                    encoder.finish().map_err(|error| std::io::Error::other(error.to_string()))
                })
            }
        }
    }

    fn encode(self, body: &[u8], level: u32) -> Vec<u8> {
        self.flushed(&[body], level).concat()
    }
}

fn flushed<W: Write + Sink>(
    mut encoder: W,
    parts: &[&[u8]],
    finish: impl FnOnce(W) -> std::io::Result<Vec<u8>>,
) -> Vec<Vec<u8>> {
    let mut ends = Vec::new();
    for (nth, part) in parts.iter().enumerate() {
        encoder.write_all(part).unwrap();
        if nth + 1 != parts.len() {
            encoder.flush().unwrap();
            ends.push(encoder.sink().len());
        }
    }
    let stream = finish(encoder).unwrap();
    ends.push(stream.len());
    let mut start = 0;
    ends.into_iter().map(|end| stream[std::mem::replace(&mut start, end)..end].to_vec()).collect()
}

trait Sink {
    fn sink(&self) -> &Vec<u8>;
}

impl Sink for GzEncoder<Vec<u8>> {
    fn sink(&self) -> &Vec<u8> {
        self.get_ref()
    }
}

impl Sink for ZlibEncoder<Vec<u8>> {
    fn sink(&self) -> &Vec<u8> {
        self.get_ref()
    }
}

impl Sink for DeflateEncoder<Vec<u8>> {
    fn sink(&self) -> &Vec<u8> {
        self.get_ref()
    }
}

impl Sink for mzstd::io::EncoderWriter<'_, Vec<u8>> {
    fn sink(&self) -> &Vec<u8> {
        self.get_ref()
    }
}

impl Sink for ::brotli::CompressorWriter<Vec<u8>> {
    fn sink(&self) -> &Vec<u8> {
        self.get_ref()
    }
}

fn decode_chunks<'c>(
    codings: &[Coding],
    chunks: impl IntoIterator<Item = &'c [u8]>,
    bounds: Bounds,
) -> (Vec<u8>, Result<(), CodingError>) {
    let mut decoder = Decoder::for_codings(codings, bounds).unwrap();
    let mut out = Vec::new();
    let written = chunks.into_iter().try_for_each(|chunk| decoder.write(chunk, &mut out));
    (out, written.and_then(|()| decoder.end()))
}

fn decode(codings: &[Coding], stream: &[u8]) -> Result<Vec<u8>, CodingError> {
    let (out, result) = decode_chunks(codings, [stream], UNBOUNDED);
    result.map(|()| out)
}

/// A page of about `len` bytes that compresses as pages do: repeated markup, varied text.
fn page(len: usize) -> Vec<u8> {
    let mut page = b"<!doctype html><title>Shop</title><ul>".to_vec();
    let mut seed = 1u32;
    while page.len() < len {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        page.extend_from_slice(format!("<li class=item id=\"i{}\">{seed:x}</li>\n", seed >> 20).as_bytes());
    }
    page
}

#[test]
fn every_coding_is_undone_in_one_piece_and_byte_by_byte() {
    for body in [&b""[..], b"x", &page(100), &page(70_000), &vec![b'a'; 70_000]] {
        for encoder in ENCODERS {
            for level in [0, 6] {
                let stream = encoder.encode(body, level);
                let codings = [encoder.coding()];
                assert_eq!(decode(&codings, &stream).as_deref(), Ok(body), "{encoder:?} {level}");
                let (out, result) = decode_chunks(&codings, stream.chunks(1), UNBOUNDED);
                assert_eq!((out.as_slice(), result), (body, Ok(())), "{encoder:?} {level}");
            }
        }
    }
}

#[test]
fn stacked_codings_are_undone_last_first() {
    let body = page(50_000);
    let stream = Encoder::Gzip.encode(&Encoder::Raw.encode(&Encoder::Brotli.encode(&body, 5), 6), 6);
    let tokens = [&b"br"[..], b"identity", b"Deflate", b"x-gzip"];
    let mut decoder = Decoder::from_header(tokens, Bounds::default()).unwrap();
    let mut out = Vec::new();
    for chunk in stream.chunks(1000) {
        decoder.write(chunk, &mut out).unwrap();
    }
    decoder.end().unwrap();
    assert_eq!(out, body);
}

#[test]
fn identity_passes_and_unknown_codings_have_no_decoder() {
    let from = |tokens: &[&'static [u8]]| Decoder::from_header(tokens.iter().copied(), Bounds::default());
    let mut out = Vec::new();
    let mut identity = from(&[b"identity", b"Identity"]).unwrap();
    assert!(identity.is_identity());
    identity.write(b"as it is", &mut out).unwrap();
    identity.end().unwrap();
    assert_eq!(out, b"as it is");
    assert!(!from(&[b"GZIP"]).unwrap().is_identity());
    assert!(from(&[b"gzip", b"identity", b"br", b"deflate"]).is_some());
    assert!(from(&[&b"gzip"[..]; 4]).is_none());
    for unknown in [&b"compress"[..], b"aes128gcm", b"dcb", b"", b"gzip "] {
        assert!(from(&[b"gzip", unknown]).is_none(), "{unknown:?}");
    }
}

#[test]
fn flushed_blocks_come_out_at_once() {
    let head = b"<!doctype html><title>first</title>".to_vec();
    let (middle, tail) = (page(70_000), b"</ul>".to_vec());
    for encoder in ENCODERS {
        for level in [1, 6, 9] {
            let parts = encoder.flushed(&[&head, &middle, b"<p>", &tail], level);
            for cut in [1, 7, usize::MAX] {
                let mut decoder = Decoder::for_codings(&[encoder.coding()], Bounds::default()).unwrap();
                let mut out = Vec::new();
                let mut expected = Vec::new();
                for (sent, body) in parts.iter().zip([&head[..], &middle, b"<p>", &tail]) {
                    for chunk in sent.chunks(cut) {
                        decoder.write(chunk, &mut out).unwrap();
                    }
                    expected.extend_from_slice(body);
                    assert!(
                        out == expected,
                        "{encoder:?} {level} {cut}: {} of {}",
                        out.len(),
                        expected.len()
                    );
                }
                decoder.end().unwrap();
            }
        }
    }
}

#[test]
fn flushed_blocks_come_out_at_once_through_all_layers() {
    let parts = Encoder::Gzip.flushed(&[b"first", b"second"], 6);
    let outer = Encoder::Brotli.flushed(&[&parts[0], &parts[1]], 5);
    let mut decoder = Decoder::for_codings(&[Coding::Gzip, Coding::Brotli], Bounds::default()).unwrap();
    let mut out = Vec::new();
    decoder.write(&outer[0], &mut out).unwrap();
    assert_eq!(out, b"first");
    decoder.write(&outer[1], &mut out).unwrap();
    assert_eq!(out, b"firstsecond");
}

#[test]
fn gzip_members_follow_each_other_and_anything_else_is_ignored() {
    let members =
        [Encoder::Gzip.encode(b"one ", 6), Encoder::Gzip.encode(b"", 6), Encoder::Gzip.encode(b"two", 6)]
            .concat();
    for (garbage, whole) in [
        (&b""[..], true),
        (b"\0\0\0\0", true),
        (b"garbage", true),
        (b"\x1f", true),
        (b"\x1f\x1f\x8b\x08", true),
        (b"\x1f\x8b", false),
    ] {
        let stream = [&members[..], garbage].concat();
        for cut in [1, 3, usize::MAX] {
            let (out, result) = decode_chunks(&[Coding::Gzip], stream.chunks(cut), UNBOUNDED);
            assert_eq!(out, b"one two");
            assert_eq!(result.is_ok(), whole, "{garbage:?}");
        }
    }
    for encoder in [Encoder::Zlib, Encoder::Raw, Encoder::Brotli] {
        let stream = [&encoder.encode(b"body", 6)[..], b"garbage"].concat();
        assert_eq!(decode(&[encoder.coding()], &stream).unwrap(), b"body", "{encoder:?}");
        let (out, result) = decode_chunks(&[encoder.coding()], stream.chunks(1), UNBOUNDED);
        assert_eq!((&out[..], result), (&b"body"[..], Ok(())), "{encoder:?}");
    }
}

#[test]
fn gzip_headers_may_have_every_field() {
    let plain = Encoder::Gzip.encode(b"body", 6);
    for flags in 0..32u8 {
        let mut stream = vec![0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 0, 3];
        if flags & 4 != 0 {
            stream.extend_from_slice(b"\x03\x00abc");
        }
        if flags & 8 != 0 {
            stream.extend_from_slice(b"index.html\0");
        }
        if flags & 16 != 0 {
            stream.extend_from_slice(b"\0");
        }
        if flags & 2 != 0 {
            stream.extend_from_slice(b"\x12\x34");
        }
        stream.extend_from_slice(&plain[10..]);
        for cut in [1, 2, usize::MAX] {
            let (out, result) = decode_chunks(&[Coding::Gzip], stream.chunks(cut), UNBOUNDED);
            assert_eq!((&out[..], result), (&b"body"[..], Ok(())), "{flags}");
        }
    }
    let mut reserved = plain.clone();
    reserved[3] = 0x20;
    assert_eq!(
        decode(&[Coding::Gzip], &reserved),
        Err(CodingError::Corrupt { coding: Coding::Gzip, produced: 0 })
    );
    let empty_extra = [&[0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 3, 0, 0][..], &plain[10..]].concat();
    assert_eq!(decode(&[Coding::Gzip], &empty_extra).unwrap(), b"body");
}

#[test]
fn every_truncated_body_is_an_error_and_an_empty_one_is_not() {
    let body = page(3000);
    for encoder in ENCODERS {
        let stream = encoder.encode(&body, 6);
        let codings = [encoder.coding()];
        assert_eq!(decode(&codings, b"").unwrap(), b"");
        for len in 1..stream.len() {
            let (out, result) = decode_chunks(&codings, [&stream[..len]], UNBOUNDED);
            let produced = u64::try_from(out.len()).unwrap();
            let error = CodingError::Truncated { coding: encoder.coding(), produced };
            assert_eq!(result, Err(error), "{encoder:?} {len}");
            assert_eq!(error.produced_any(), !out.is_empty());
            assert!(body.starts_with(&out));
        }
    }
}

#[test]
fn the_innermost_truncated_coding_is_found_when_the_outer_ones_are_whole() {
    let inner = Encoder::Gzip.encode(&page(1000), 6);
    let stream = Encoder::Brotli.encode(&inner[..inner.len() - 1], 5);
    let (_, result) = decode_chunks(&[Coding::Gzip, Coding::Brotli], [&stream[..]], UNBOUNDED);
    assert!(matches!(result, Err(CodingError::Truncated { coding: Coding::Gzip, .. })), "{result:?}");
}

#[test]
fn checksums_and_lengths_are_checked() {
    let body = page(100_000);
    for (encoder, trailer) in [(Encoder::Gzip, 8), (Encoder::Zlib, 4)] {
        let stream = encoder.encode(&body, 6);
        for at in stream.len() - trailer..stream.len() {
            let mut wrong = stream.clone();
            wrong[at] ^= 0x40;
            let (out, result) = decode_chunks(&[encoder.coding()], [&wrong[..]], UNBOUNDED);
            let Err(error @ CodingError::Corrupt { .. }) = result else {
                panic!("{encoder:?} {at}: {result:?}");
            };
            assert!(error.produced_any() && body.starts_with(&out));
        }
    }
}

#[test]
fn what_is_not_compressed_at_all_is_corrupt_before_anything_comes_out() {
    for coding in [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd] {
        let mut decoder = Decoder::for_codings(&[coding], Bounds::default()).unwrap();
        let mut out = Vec::new();
        let error = decoder.write(b"<!doctype html><title>plain</title>", &mut out).unwrap_err();
        assert_eq!(error, CodingError::Corrupt { coding, produced: 0 });
        assert!(!error.produced_any() && out.is_empty());
        assert_eq!(decoder.write(b"more", &mut out), Err(error));
        assert_eq!(decoder.end(), Err(error));
    }
}

/// Nothing is produced beyond the bounds but the rest of a piece.
fn assert_expansion(codings: &[Coding], stream: &[u8], cut: usize, bounds: Bounds, most: u64) {
    let (out, result) = decode_chunks(codings, stream.chunks(cut), bounds);
    assert!(matches!(result, Err(CodingError::Expansion { .. })), "{codings:?} {cut}: {result:?}");
    assert!(as_u64(out.len()) <= most + (16 << 10), "{codings:?} {cut}: {}", out.len());
}

#[test]
fn bombs_are_stopped_at_the_bounds() {
    let zeros = vec![0; 32 << 20];
    let bounds = Bounds::default();
    for encoder in ENCODERS {
        let bomb = encoder.encode(&zeros, 9);
        let codings = [encoder.coding()];
        assert_expansion(&codings, &bomb, usize::MAX, bounds, bounds.max_bytes_per_write);
        assert_expansion(&codings, &bomb, 100, bounds, bounds.allowance_bytes.max(100 * as_u64(bomb.len())));
        let lavish = Bounds { max_bytes_per_write: 1 << 20, ..UNBOUNDED };
        assert_expansion(&codings, &bomb, usize::MAX, lavish, 1 << 20);
    }
    let bomb = Encoder::Gzip.encode(&Encoder::Gzip.encode(&zeros, 9), 9);
    assert_expansion(&[Coding::Gzip; 2], &bomb, usize::MAX, bounds, bounds.allowance_bytes);
}

#[test]
fn a_bomb_that_the_next_coding_throws_away_is_stopped_too() {
    let mut inner = Encoder::Raw.encode(b"body", 6);
    inner.resize(32 << 20, 0);
    let bomb = Encoder::Gzip.encode(&inner, 9);
    assert_expansion(&[Coding::Deflate, Coding::Gzip], &bomb, usize::MAX, Bounds::default(), 0);
}

#[test]
fn a_page_within_the_allowance_passes_whatever_its_ratio() {
    let body = vec![b' '; 4 << 20];
    for encoder in ENCODERS {
        let stream = encoder.encode(&body, 9);
        for cut in [64, usize::MAX] {
            let (out, result) = decode_chunks(&[encoder.coding()], stream.chunks(cut), Bounds::default());
            assert_eq!(result, Ok(()), "{encoder:?} {cut}");
            assert!(out == body);
        }
    }
}

#[test]
fn large_windows_of_brotli_are_refused_and_those_of_the_rfc_are_not() {
    let body = page(100_000);
    for (large_window, lgwin) in [(false, 10), (false, 16), (false, 24), (true, 26), (true, 30)] {
        let params =
            ::brotli::enc::BrotliEncoderParams { quality: 5, lgwin, large_window, ..Default::default() };
        let mut encoder = ::brotli::CompressorWriter::with_params(Vec::new(), 4096, &params);
        encoder.write_all(&body).unwrap();
        let stream = encoder.into_inner();
        let decoded = decode(&[Coding::Brotli], &stream);
        if large_window {
            assert_eq!(decoded, Err(CodingError::Corrupt { coding: Coding::Brotli, produced: 0 }), "{lgwin}");
        } else {
            assert_eq!(decoded.as_deref(), Ok(&body[..]), "{lgwin}");
        }
    }
}

/// zlib refuses such a stream. What matters is that nothing but zeros can be read there.
#[test]
fn a_match_before_the_start_of_the_body_reads_zeros() {
    assert_eq!(decode(&[Coding::Deflate], &[3, 2, 0]).as_deref(), Ok(&[0, 0, 0][..]));
}

#[test]
fn errors_say_what_and_where() {
    let produced = 7;
    let coding = Coding::Brotli;
    assert_eq!(
        CodingError::Corrupt { coding, produced }.to_string(),
        "body is not valid br after 7 decoded bytes"
    );
    assert_eq!(
        CodingError::Truncated { coding, produced }.to_string(),
        "body ends inside its br stream after 7 decoded bytes"
    );
    assert_eq!(
        CodingError::Expansion { coding, received: 2, produced }.to_string(),
        "2 bytes of br expand to more than allowed (7 so far)"
    );
}

/// `stream` cut at `cuts`, each taken modulo what is left.
fn split<'s>(mut stream: &'s [u8], cuts: &[usize]) -> Vec<&'s [u8]> {
    let mut chunks = Vec::new();
    for cut in cuts {
        let (chunk, rest) = stream.split_at(cut % (stream.len() + 1));
        chunks.push(chunk);
        stream = rest;
    }
    chunks.push(stream);
    chunks
}

/// Everything that must not depend on the cuts.
fn verdict(result: Result<(), CodingError>) -> u8 {
    match result {
        Ok(()) => 0,
        Err(CodingError::Corrupt { .. }) => 1,
        Err(CodingError::Truncated { .. }) => 2,
        Err(CodingError::Expansion { .. }) => 3,
    }
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..20),
        Just(b"<div class=\"item\">".to_vec()),
        Just(b"</div>\n".to_vec()),
        (any::<u8>(), 0usize..20_000).prop_map(|(byte, len)| vec![byte; len]),
    ];
    proptest::collection::vec(word, 0..60).prop_map(|words| words.concat())
}

fn encoders() -> impl Strategy<Value = Vec<Encoder>> {
    proptest::collection::vec(proptest::sample::select(&ENCODERS[..]), 1..=3)
}

fn stack(encoders: &[Encoder], body: &[u8], level: u32) -> (Vec<Coding>, Vec<u8>) {
    let stream = encoders.iter().fold(body.to_vec(), |body, encoder| encoder.encode(&body, level));
    (encoders.iter().map(|encoder| encoder.coding()).collect(), stream)
}

proptest! {
    #[test]
    fn cuts_change_nothing(
        body in body(),
        encoders in encoders(),
        level in 0u32..=9,
        cuts in proptest::collection::vec(any::<usize>(), 0..12),
    ) {
        let (codings, stream) = stack(&encoders, &body, level);
        let (out, result) = decode_chunks(&codings, split(&stream, &cuts), UNBOUNDED);
        prop_assert_eq!(result, Ok(()));
        prop_assert!(out == body);
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        codings in proptest::collection::vec(
            proptest::sample::select(&[Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd][..]), 1..=3),
        cuts in proptest::collection::vec(any::<usize>(), 0..8),
    ) {
        let (whole, judged) = decode_chunks(&codings, [&bytes[..]], Bounds::default());
        let (parts, again) = decode_chunks(&codings, split(&bytes, &cuts), Bounds::default());
        prop_assert_eq!(verdict(judged), verdict(again));
        prop_assert!(judged.is_err() || whole == parts);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn mutated_streams_never_panic_and_are_judged_alike_however_cut(
        body in body(),
        encoder in proptest::sample::select(&ENCODERS[..]),
        level in 0u32..=9,
        mutations in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..6),
        cuts in proptest::collection::vec(any::<usize>(), 0..6),
    ) {
        let mut stream = encoder.encode(&body, level);
        for (at, byte) in mutations {
            let len = stream.len();
            stream[at % len] = byte;
        }
        let codings = [encoder.coding()];
        let bounds = Bounds { max_ratio: u64::MAX, ..Bounds::default() };
        let (whole, judged) = decode_chunks(&codings, [&stream[..]], bounds);
        let (parts, again) = decode_chunks(&codings, split(&stream, &cuts), bounds);
        if verdict(judged) != 3 {
            prop_assert_eq!(verdict(judged), verdict(again));
            prop_assert!(whole.starts_with(&parts) || parts.starts_with(&whole));
            prop_assert!(judged.is_err() || whole == parts);
        }
    }
}
