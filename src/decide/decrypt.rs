//! Encrypted payloads: AES-128-CBC with PKCS#7 padding, written `base64(iv).base64(ciphertext)`
//! (`docs/lib/build-your-own.mdx`, "decrypt").
//!
//! CBC hides what a payload says; it does not show who wrote it. A wrong key is found by its padding nearly always, and
//! otherwise by what comes out being no JSON.

use std::fmt;

use aes::Aes128;
use aes::cipher::{Array, BlockModeDecrypt as _, KeyIvInit as _};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

/// As lenient as `atob` (WHATWG Infra § 7).
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The key of an SDK connection. It is not shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct DecryptionKey([u8; 16]);

impl DecryptionKey {
    /// Reads a key as GrowthBook gives it out: 128 bits in base64.
    ///
    /// # Errors
    /// For what isn't.
    pub fn parse(text: &str) -> Result<Self, DecryptError> {
        let bytes = decoded(text).ok_or(DecryptError::Key)?;
        bytes.try_into().map(Self).map_err(|_| DecryptError::Key)
    }

    /// Decrypts a member of a payload.
    ///
    /// # Errors
    /// For what was not encrypted, or by another key.
    ///
    /// ```
    /// use engraft::decide::decrypt::DecryptionKey;
    ///
    /// let key = DecryptionKey::parse("Zvwv/+uhpFDznZ6SX28Yjg==").unwrap();
    /// let plain = key.decrypt(
    ///     "m5ylFM6ndyOJA2OPadubkw==.Uu7ViqgKEt/dWvCyhI46q088PkAEJbnXKf3KPZjf9IEQQ+A8fojNoxw4wIbPX3aj",
    /// );
    /// assert_eq!(plain.unwrap(), r#"{"feature":{"defaultValue":true}}"#);
    /// ```
    pub fn decrypt(&self, text: &str) -> Result<String, DecryptError> {
        let mut decryption = self.begin(text)?;
        decryption.advance(usize::MAX);
        decryption.finish()
    }

    /// Begins to decrypt a member, to be done in pieces.
    pub(crate) fn begin(&self, text: &str) -> Result<Decryption, DecryptError> {
        let mut parts = text.split('.');
        let (Some(iv), Some(ciphertext)) = (parts.next(), parts.next()) else {
            return Err(DecryptError::Form);
        };
        let iv: [u8; 16] = decoded(iv).and_then(|iv| iv.try_into().ok()).ok_or(DecryptError::Form)?;
        let bytes = decoded(ciphertext).ok_or(DecryptError::Form)?;
        let cipher = cbc::Decryptor::<Aes128>::new(&self.0.into(), &iv.into());
        Ok(Decryption { cipher, bytes, done: 0 })
    }
}

/// A member that is being decrypted: a long one keeps a machine busy for a while.
pub(crate) struct Decryption {
    cipher: cbc::Decryptor<Aes128>,
    bytes: Vec<u8>,
    /// So many of them are plain.
    done: usize,
}

impl Decryption {
    /// Decrypts at most so many bytes more. Returns whether all is done.
    pub(crate) fn advance(&mut self, max_bytes: usize) -> bool {
        let end = self.done.saturating_add(max_bytes.max(BLOCK)).min(self.bytes.len());
        // What is no whole block is left as it is, and no padding is found in it.
        let piece = self.bytes.get_mut(self.done..end).unwrap_or_default();
        let (blocks, _) = Array::slice_as_chunks_mut(piece);
        self.cipher.decrypt_blocks(blocks);
        let whole = blocks.len().saturating_mul(BLOCK);
        let is_last = end == self.bytes.len();
        self.done = if is_last { end } else { self.done.saturating_add(whole) };
        is_last
    }

    /// The plain text; once all is done.
    pub(crate) fn finish(self) -> Result<String, DecryptError> {
        let plain = unpadded(&self.bytes).ok_or(DecryptError::WrongKey)?;
        let text = String::from_utf8_lossy(plain);
        Ok(text.strip_prefix('\u{FEFF}').unwrap_or(&text).to_owned())
    }
}

impl fmt::Debug for Decryption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Decryption(…)")
    }
}

/// The length of a block of AES.
const BLOCK: usize = 16;

/// Without the padding of PKCS#7 (RFC 5652 § 6.3).
fn unpadded(bytes: &[u8]) -> Option<&[u8]> {
    let padding = *bytes.last()?;
    let length = bytes.len().checked_sub(usize::from(padding))?;
    let (plain, end) = bytes.split_at_checked(length)?;
    let holds = (1..=BLOCK).contains(&end.len())
        && end.iter().all(|byte| *byte == padding)
        && bytes.len().is_multiple_of(BLOCK);
    holds.then_some(plain)
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    let is_space = |c: char| matches!(c, '\t' | '\n' | '\u{c}' | '\r' | ' ');
    BASE64.decode(text.replace(is_space, "")).ok()
}

impl fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DecryptionKey(…)")
    }
}

/// Why something can't be decrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecryptError {
    /// The key isn't one.
    Key,
    /// What is to be decrypted doesn't look encrypted.
    Form,
    /// It was encrypted by another key, or is damaged.
    WrongKey,
}

impl fmt::Display for DecryptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key => "the decryption key is not 128 bits in base64; copy it from the SDK connection",
            Self::Form => "expected base64, a dot and base64",
            Self::WrongKey => {
                "the decryption key is that of another SDK connection, or the payload is damaged"
            }
        })
    }
}

impl std::error::Error for DecryptError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_not_shown() {
        let key = DecryptionKey::parse("Zvwv/+uhpFDznZ6SX28Yjg==").unwrap();
        assert_eq!(format!("{key:?}"), "DecryptionKey(…)");
        for text in ["", "Zvwv", "Zvwv/+uhpFDznZ6SX28YjgAA", "…"] {
            assert_eq!(DecryptionKey::parse(text).unwrap_err(), DecryptError::Key);
        }
    }

    #[test]
    fn pieces_make_the_whole() {
        let key = DecryptionKey::parse("Zvwv/+uhpFDznZ6SX28Yjg==").unwrap();
        let text =
            "m5ylFM6ndyOJA2OPadubkw==.Uu7ViqgKEt/dWvCyhI46q088PkAEJbnXKf3KPZjf9IEQQ+A8fojNoxw4wIbPX3aj";
        for max_bytes in [16, 17, 31, 32, 48, 1000] {
            let mut decryption = key.begin(text).unwrap();
            while !decryption.advance(max_bytes) {}
            assert_eq!(decryption.finish(), key.decrypt(text), "{max_bytes}");
        }
        let cut = text.get(..text.len() - 8).unwrap();
        assert_eq!(key.decrypt(cut), Err(DecryptError::WrongKey), "no whole block at the end");
        assert_eq!(key.decrypt("m5ylFM6ndyOJA2OPadubkw==."), Err(DecryptError::WrongKey), "no block at all");
    }

    #[test]
    fn base64_is_as_lenient_as_in_browsers() {
        assert_eq!(decoded("YWI="), Some(b"ab".to_vec()));
        assert_eq!(decoded(" YW\nI "), Some(b"ab".to_vec()));
        assert_eq!(decoded("YWJ"), Some(b"ab".to_vec()));
        assert_eq!(decoded("Y"), None);
        assert_eq!(decoded("YW-_"), None);
    }
}
