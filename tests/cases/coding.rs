//! Content codings as others write and read them.

use std::io::{self, Read as _, Write as _};

use flate2::Compression;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use serde::Deserialize;

/// A content coding, `deflate` in both of its readings.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Coding {
    Gzip,
    Zlib,
    Deflate,
    Br,
    Zstd,
}

impl Coding {
    pub(crate) fn encode(self, body: &[u8]) -> io::Result<Vec<u8>> {
        let level = Compression::new(6);
        match self {
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), level);
                encoder.write_all(body)?;
                encoder.finish()
            }
            Self::Zlib => {
                let mut encoder = ZlibEncoder::new(Vec::new(), level);
                encoder.write_all(body)?;
                encoder.finish()
            }
            Self::Deflate => {
                let mut encoder = DeflateEncoder::new(Vec::new(), level);
                encoder.write_all(body)?;
                encoder.finish()
            }
            Self::Br => {
                let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 22);
                encoder.write_all(body)?;
                Ok(encoder.into_inner())
            }
            Self::Zstd => {
                let mut encoder = mzstd::Compressor::new(mzstd::EncoderConfig::default())
                    .map_err(|error| io::Error::other(error.to_string()))?;
                encoder.compress(body).map_err(|error| io::Error::other(error.to_string()))
            }
        }
    }

    pub(crate) fn decode(self, body: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        match self {
            Self::Gzip => MultiGzDecoder::new(body).read_to_end(&mut out)?,
            Self::Zlib => ZlibDecoder::new(body).read_to_end(&mut out)?,
            Self::Deflate => DeflateDecoder::new(body).read_to_end(&mut out)?,
            Self::Br => brotli::Decompressor::new(body, 4096).read_to_end(&mut out)?,
            Self::Zstd => {
                let decoded = mzstd::Decompressor::default().decompress(body);
                out = decoded.map_err(|error| io::Error::other(error.to_string()))?;
                out.len()
            }
        };
        Ok(out)
    }
}
