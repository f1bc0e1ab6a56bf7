//! How values are written in scenarios: short where little is to be said, as a map where more is.

use std::cmp::Ordering;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use http::HeaderName;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// The word for what must not be there.
const ABSENT: &str = "absent";

/// What has a short form.
pub(super) trait Short: Sized {
    /// What may be written, for messages.
    const FORMS: &'static str;

    /// The meaning of a bare word or text.
    fn short(text: &str) -> Result<Self, String>;
}

/// A `T` in its short form or as a map.
#[derive(Debug, Clone, Default)]
pub(super) struct Brief<T>(pub(super) T);

/// Either `absent`, or a `T` in its short form or as a map.
#[derive(Debug, Clone)]
pub(super) enum Wanted<T> {
    Absent,
    Is(T),
}

impl<'de, T: Short + Deserialize<'de>> Deserialize<'de> for Brief<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Forms(PhantomData)).map(Self)
    }
}

impl<'de, T: Short + Deserialize<'de>> Deserialize<'de> for Wanted<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wanted: OrAbsent<T> = deserializer.deserialize_any(Forms(PhantomData))?;
        Ok(wanted.0.map_or(Self::Absent, Self::Is))
    }
}

/// `None` where `absent` is written.
struct OrAbsent<T>(Option<T>);

impl<T: Short> Short for OrAbsent<T> {
    const FORMS: &'static str = T::FORMS;

    fn short(text: &str) -> Result<Self, String> {
        if text == ABSENT { Ok(Self(None)) } else { T::short(text).map(|wanted| Self(Some(wanted))) }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OrAbsent<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(|wanted| Self(Some(wanted)))
    }
}

struct Forms<T>(PhantomData<T>);

impl<'de, T: Short + Deserialize<'de>> Visitor<'de> for Forms<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::FORMS)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::short(text).map_err(E::custom)
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<T, E> {
        self.visit_str(if truth { "true" } else { "false" })
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

/// One text, or a list of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Many(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for Many {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;
        impl<'de> Visitor<'de> for Texts {
            type Value = Many;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text or a list of texts")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Many, E> {
                Ok(Many(vec![text.to_owned()]))
            }

            fn visit_bool<E: Error>(self, truth: bool) -> Result<Many, E> {
                Ok(Many(vec![truth.to_string()]))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Many, E> {
                Ok(Many(vec![number.to_string()]))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Many, E> {
                Ok(Many(vec![number.to_string()]))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Many, E> {
                Ok(Many(vec![number.to_string()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Many, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = list.next_element()? {
                    texts.push(text);
                }
                Ok(Many(texts))
            }
        }
        deserializer.deserialize_any(Texts)
    }
}

/// Text that stands for a `T`.
#[derive(Debug, Clone)]
pub(super) struct Parsed<T>(pub(super) T);

impl<'de, T: FromStr<Err: fmt::Display>> Deserialize<'de> for Parsed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Self).map_err(D::Error::custom)
    }
}

/// The name of a header, as it is written; capitals make no difference.
#[derive(Debug, Clone)]
pub(super) struct Name {
    pub(super) written: String,
    pub(super) name: HeaderName,
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = String::deserialize(deserializer)?;
        match HeaderName::try_from(&written) {
            Ok(name) => Ok(Self { written, name }),
            Err(_) => Err(D::Error::custom(format!("\"{written}\" is not the name of a header"))),
        }
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name.as_str().cmp(other.name.as_str())
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Name {}
