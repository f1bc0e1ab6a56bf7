//! What patches of experiments are called in reports and counters: `auto.<experiment>.<variation>`.

use std::hash::Hasher;

use siphasher::sip::SipHasher13;

/// How many bytes of an experiment's key stand in a label.
const MAX_KEY_BYTES: usize = 48;

/// The label of a variation, in letters, digits, `-`, `_` and `.`. Where the key has other characters, or is long, a digest
/// stands for what is missing.
pub(super) fn of(key: &str, variation: usize) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if key.len() <= MAX_KEY_BYTES && !key.is_empty() && key.bytes().all(is_plain) {
        return format!("auto.{key}.{variation}");
    }
    let plain = key.bytes().map(|byte| if is_plain(byte) { char::from(byte) } else { '_' });
    let plain: String = plain.take(MAX_KEY_BYTES).collect();
    let mut hasher = SipHasher13::new();
    hasher.write(key.as_bytes());
    format!("auto.{plain}-{:016x}.{variation}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn labels_are_short_and_plain_and_differ() {
        assert_eq!(of("hero-2_a", 1), "auto.hero-2_a.1");
        let keys = ["", "a b", "a/b", "a.b", "é", "a\r\nb", &"x".repeat(1000), &"x".repeat(1001)];
        let labels = keys.map(|key| of(key, 0));
        for (at, label) in labels.iter().enumerate() {
            assert!(label.len() < 100, "{label}");
            assert!(
                label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)),
                "{label}"
            );
            assert!(!labels[..at].contains(label), "{label}");
        }
    }
}
