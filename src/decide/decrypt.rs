//! Encrypted payloads: AES-128-CBC with PKCS#7 padding, written `base64(iv).base64(ciphertext)`
//! (`docs/lib/build-your-own.mdx`, "decrypt").
//!
//! CBC hides what a payload says; it does not show who wrote it. A wrong key is found by its padding nearly always, and
//! otherwise by what comes out being no JSON.

use std::fmt;

use aes::Aes128;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt as _, KeyIvInit as _};
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
#[derive(Clone)]
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
        let mut parts = text.split('.');
        let (Some(iv), Some(ciphertext)) = (parts.next(), parts.next()) else {
            return Err(DecryptError::Form);
        };
        let iv: [u8; 16] = decoded(iv).and_then(|iv| iv.try_into().ok()).ok_or(DecryptError::Form)?;
        let mut bytes = decoded(ciphertext).ok_or(DecryptError::Form)?;
        let cipher = cbc::Decryptor::<Aes128>::new(&self.0.into(), &iv.into());
        let plain = cipher.decrypt_padded::<Pkcs7>(&mut bytes).map_err(|_| DecryptError::WrongKey)?;
        let text = String::from_utf8_lossy(plain);
        Ok(text.strip_prefix('\u{FEFF}').unwrap_or(&text).to_owned())
    }
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
    fn base64_is_as_lenient_as_in_browsers() {
        assert_eq!(decoded("YWI="), Some(b"ab".to_vec()));
        assert_eq!(decoded(" YW\nI "), Some(b"ab".to_vec()));
        assert_eq!(decoded("YWJ"), Some(b"ab".to_vec()));
        assert_eq!(decoded("Y"), None);
        assert_eq!(decoded("YW-_"), None);
    }
}
