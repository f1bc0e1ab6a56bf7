//! What an outcome depends on besides the origin's bytes, in 64 bits, and tags that carry it.
//!
//! Equal digests mean equal edits: the same configuration (and with it the module's version), the same payload where one is read, the same patches, the same
//! values of all that they read, the same coding of what leaves. A nonce of the page's policies is not among them; where one
//! is put into the page, the page has no validator.
//!
//! The digest is written into tags that outlive the process, so it is the same natively and in wasm, on every platform.

use std::collections::BTreeSet;
use std::fmt;
use std::hash::Hasher;

use serde_json::Value;
use siphasher::sip128::{Hasher128, SipHasher13};

use super::entity_tag::EntityTag;
use crate::decide::condition::Attributes;
use crate::request::attributes::Values;

/// The longest tag of an origin that gets a digest. With a longer one a page has no validator.
pub const MAX_ORIGIN_TAG_BYTES: usize = 1024;

/// Changes whenever the meaning of a digest does.
const FORM: &[u8] = b"engraft outcome 1";
/// How many digits a digest has.
const DIGITS: usize = 16;
/// `;e=` and the digits.
const SUFFIX_BYTES: usize = 3 + DIGITS;

/// What stands for an outcome: 16 digits, in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(u64);

/// Everything that a page depends on besides the origin's bytes.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "whoever makes a digest must say all of it")]
pub struct Outcome<'a> {
    /// The digest of the configuration.
    pub configuration: u128,
    /// The digest of the payload that had a say.
    pub payload: Option<u128>,
    /// What the page's scripts may be told.
    pub told: &'a [String],
    /// The names of those patches that are the payload's: their numbers are those of one request.
    pub auto: Vec<&'a str>,
    /// The name of the route.
    pub route: &'a str,
    /// The numbers of the patches whose guards hold.
    pub patches: &'a [usize],
    /// The attributes that these read.
    pub reads: BTreeSet<&'a str>,
    /// Their values for the visitor.
    pub values: &'a Values,
    /// Pages leave compressed.
    pub to_gzip: bool,
    /// Pages leave wholly edited or not at all.
    pub is_whole: bool,
}

impl Outcome<'_> {
    /// Its digest.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut hash = Fields(SipHasher13::new());
        hash.bytes(FORM);
        hash.bytes(&self.configuration.to_le_bytes());
        if let Some(payload) = self.payload {
            hash.bytes(&payload.to_le_bytes());
        }
        self.told.iter().for_each(|told| hash.bytes(told.as_bytes()));
        self.auto.iter().for_each(|name| hash.bytes(name.as_bytes()));
        hash.bytes(self.route.as_bytes());
        hash.count(self.patches.len());
        self.patches.iter().for_each(|index| hash.count(*index));
        hash.count(self.reads.len());
        for name in &self.reads {
            hash.bytes(name.as_bytes());
            match self.values.attribute(name) {
                Some(value) => hash.value(value),
                None => hash.bytes(b""),
            }
        }
        hash.bytes(&[self.to_gzip.into(), self.is_whole.into()]);
        let [a, b, c, d, e, f, g, h, ..] = hash.0.finish128().as_u128().to_le_bytes();
        Digest(u64::from_le_bytes([a, b, c, d, e, f, g, h]))
    }
}

/// Fields of known length, one after the other. `Hasher`'s methods for numbers write them as the machine keeps them.
struct Fields(SipHasher13);

impl Fields {
    fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.write(bytes);
    }

    fn count(&mut self, n: usize) {
        let n = u64::try_from(n).unwrap_or(u64::MAX);
        self.0.write(&n.to_le_bytes());
    }

    /// As JSON, which is never empty, so that no value looks like none.
    fn value(&mut self, value: &Value) {
        self.bytes(value.to_string().as_bytes());
    }
}

impl Digest {
    /// The variant's tag of a page for which the origin's is `origin`; `None` where that is too long.
    #[must_use]
    pub fn mark(self, origin: &EntityTag) -> Option<EntityTag> {
        if origin.opaque.len() > MAX_ORIGIN_TAG_BYTES {
            return None;
        }
        let letter = if origin.is_weak { 'w' } else { 'e' };
        let suffix = format!(";{letter}={self}");
        Some(EntityTag { is_weak: true, opaque: [&origin.opaque, suffix.as_bytes()].concat() })
    }

    /// Takes a variant's tag apart: its digest, and the origin's tag as it was. `None` for what does not end in a digest. An
    /// origin's tag may end in one itself; the last one is ours.
    #[must_use]
    pub fn unmark(tag: &EntityTag) -> Option<(Self, EntityTag)> {
        let at = tag.opaque.len().checked_sub(SUFFIX_BYTES)?;
        let (opaque, suffix) = tag.opaque.split_at_checked(at)?;
        let (is_weak, digits) = match suffix.strip_prefix(b";e=") {
            Some(digits) => (false, digits),
            None => (true, suffix.strip_prefix(b";w=")?),
        };
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let digits = std::str::from_utf8(digits).ok().filter(|text| text.as_bytes().iter().all(is_digit))?;
        let digest = u64::from_str_radix(digits, 16).ok()?;
        Some((Self(digest), EntityTag { is_weak, opaque: opaque.to_vec() }))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Engine;
    use crate::request::RequestHead;
    use http::{HeaderName, HeaderValue};

    const CONFIG: &str = "
version: 1
attributes:
  text: { header: x-text }
  number: { header: x-number, type: number }
  list: { header: x-list, type: list }
";

    fn values(headers: &[(&'static str, &'static str)]) -> Values {
        let engine = Engine::load(CONFIG.as_bytes()).unwrap().engine;
        let headers = headers.iter();
        let headers =
            headers.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let request = RequestHead { headers: headers.collect(), ..RequestHead::default() };
        let wanted = ["text", "number", "list"].map(str::to_owned).into_iter().collect();
        engine.attributes().read(&wanted, &request, &[])
    }

    fn outcome(values: &Values) -> Outcome<'_> {
        Outcome {
            configuration: 7,
            payload: None,
            told: &[],
            auto: Vec::new(),
            route: "product",
            patches: &[0, 2],
            reads: BTreeSet::from(["text", "number", "list"]),
            values,
            to_gzip: false,
            is_whole: false,
        }
    }

    #[test]
    fn a_digest_is_the_same_everywhere() {
        let values = values(&[("x-text", "a b"), ("x-number", "0.1"), ("x-list", "a, b")]);
        assert_eq!(outcome(&values).digest().to_string(), "8ca31e0667845ecb");
        assert_eq!(outcome(&values).digest(), outcome(&values).digest());
    }

    #[test]
    fn whatever_a_page_depends_on_has_another_digest() {
        let some = values(&[("x-text", "ab")]);
        let of = |headers| values(headers);
        let others = [
            of(&[]),
            of(&[("x-text", "")]),
            of(&[("x-text", "a")]),
            of(&[("x-text", "null")]),
            of(&[("x-text", "1")]),
            of(&[("x-number", "1")]),
            of(&[("x-text", "ab"), ("x-number", "1")]),
            of(&[("x-text", "ab"), ("x-list", "")]),
            of(&[("x-text", "ab"), ("x-list", "1")]),
            of(&[("x-list", "ab")]),
            of(&[("x-list", "a,b")]),
        ];
        let mut digests: Vec<Digest> = others.iter().map(|values| outcome(values).digest()).collect();
        digests.push(outcome(&some).digest());
        digests.push(Outcome { configuration: 8, ..outcome(&some) }.digest());
        digests.push(Outcome { payload: Some(8), ..outcome(&some) }.digest());
        digests.push(Outcome { told: &["hero".to_owned()], ..outcome(&some) }.digest());
        digests.push(Outcome { auto: vec!["auto.hero.1.0"], ..outcome(&some) }.digest());
        digests.push(Outcome { route: "produc", ..outcome(&some) }.digest());
        digests.push(Outcome { patches: &[0], ..outcome(&some) }.digest());
        digests.push(Outcome { patches: &[0, 1], ..outcome(&some) }.digest());
        digests.push(Outcome { patches: &[], ..outcome(&some) }.digest());
        digests.push(Outcome { to_gzip: true, ..outcome(&some) }.digest());
        digests.push(Outcome { is_whole: true, ..outcome(&some) }.digest());
        digests.push(Outcome { reads: BTreeSet::from(["text"]), ..outcome(&some) }.digest());
        let different: std::collections::HashSet<Digest> = digests.iter().copied().collect();
        assert_eq!(different.len(), digests.len());
    }

    #[test]
    fn what_nobody_reads_does_not_count() {
        let (one, other) = (values(&[("x-text", "a")]), values(&[("x-text", "b")]));
        let blind = |values| Outcome { reads: BTreeSet::from(["number"]), ..outcome(values) }.digest();
        assert_eq!(blind(&one), blind(&other));
        assert_ne!(outcome(&one).digest(), outcome(&other).digest());
    }

    #[test]
    fn a_marked_tag_gives_the_origins_back() {
        let digest = Digest(0xabc);
        let nested = format!("a;e={}", Digest(5));
        for opaque in ["abc", "", ";e=", ";e=0123456789abcdef", &nested, "a, b"] {
            for is_weak in [false, true] {
                let origin = EntityTag { is_weak, opaque: opaque.as_bytes().to_vec() };
                let marked = digest.mark(&origin).unwrap();
                assert!(marked.is_weak);
                assert_eq!(EntityTag::parse(&marked.to_bytes()).as_ref(), Some(&marked));
                assert_eq!(Digest::unmark(&marked), Some((digest, origin)));
            }
        }
        let strong = EntityTag::parse(b"\"abc\"").unwrap();
        assert_eq!(digest.mark(&strong).unwrap().to_bytes(), b"W/\"abc;e=0000000000000abc\"");
        let long = EntityTag { is_weak: false, opaque: vec![b'x'; MAX_ORIGIN_TAG_BYTES + 1] };
        assert_eq!(digest.mark(&long), None);
    }

    #[test]
    fn what_does_not_end_in_a_digest_is_the_origins() {
        for text in [
            "abc",
            "",
            "0123456789abcdef",
            "abc;e=0123456789abcde",
            "abc;e=0123456789ABCDEF",
            "abc;e=+123456789abcdef",
            "abc;x=0123456789abcdef",
            "abc;e=0123456789abcdef-gzip",
            "abc;e=0123456789abcdef ",
        ] {
            let tag = EntityTag { is_weak: true, opaque: text.as_bytes().to_vec() };
            assert_eq!(Digest::unmark(&tag), None, "{text}");
        }
    }
}
