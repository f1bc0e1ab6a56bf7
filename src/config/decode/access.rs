//! The inside of lists, maps and enums.
//!
//! Answers for passing over what was removed, putting stand-ins where values were refused, and writing into every failure
//! the position it comes from. Positions are those of the tree as written, whatever was removed.

use serde::de::value::StringDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::super::node::{Key, Node, Value};
use super::super::yaml::decimal;
use super::failure::{Failure, Fault};
use super::marks::{Marks, State};
use super::reader::{Reader, map_of};
use super::scalar;
use super::stub::Stub;

fn read<'n, S: DeserializeSeed<'n>>(seed: S, node: &'n Node, marks: &Marks) -> Result<S::Value, Failure> {
    match marks.state(node) {
        State::Whole => seed.deserialize(Reader::new(node, marks)),
        State::Stubbed | State::Removed => seed.deserialize(Stub::default()),
    }
}

/// The elements of a list.
pub(super) struct Elements<'n, 'm> {
    items: std::iter::Enumerate<std::slice::Iter<'n, Node>>,
    marks: &'m Marks,
}

impl<'n, 'm> Elements<'n, 'm> {
    pub(super) fn new(items: &'n [Node], marks: &'m Marks) -> Self {
        Self { items: items.iter().enumerate(), marks }
    }
}

impl<'n> SeqAccess<'n> for Elements<'n, '_> {
    type Error = Failure;

    fn next_element_seed<S: DeserializeSeed<'n>>(&mut self, seed: S) -> Result<Option<S::Value>, Failure> {
        let marks = self.marks;
        match self.items.find(|(_, item)| marks.state(item) != State::Removed) {
            None => Ok(None),
            Some((position, item)) => {
                read(seed, item, marks).map(Some).map_err(|failure| failure.within(position))
            }
        }
    }
}

/// The entries of a map, then the stand-ins for fields that it lacks.
pub(super) struct Entries<'n, 'm> {
    entries: std::iter::Enumerate<std::slice::Iter<'n, (Key, Node)>>,
    added: std::slice::Iter<'m, &'static str>,
    /// One past the last entry: the position of everything that was added.
    end: usize,
    marks: &'m Marks,
    next: Option<(usize, &'n Node)>,
}

impl<'n, 'm> Entries<'n, 'm> {
    pub(super) fn new(node: &Node, entries: &'n [(Key, Node)], marks: &'m Marks) -> Self {
        Self {
            entries: entries.iter().enumerate(),
            added: marks.added(node).iter(),
            end: entries.len(),
            marks,
            next: None,
        }
    }
}

impl<'n> MapAccess<'n> for Entries<'n, '_> {
    type Error = Failure;

    fn next_key_seed<S: DeserializeSeed<'n>>(&mut self, seed: S) -> Result<Option<S::Value>, Failure> {
        let marks = self.marks;
        if let Some((position, (key, value))) =
            self.entries.find(|(_, (_, value))| marks.state(value) != State::Removed)
        {
            self.next = Some((position, value));
            let key = seed.deserialize(KeyReader(&key.name));
            return key.map(Some).map_err(|failure| failure.within_key(position));
        }
        self.next = None;
        match self.added.next() {
            None => Ok(None),
            Some(name) => {
                seed.deserialize(KeyReader(name)).map(Some).map_err(|failure| failure.within_key(self.end))
            }
        }
    }

    fn next_value_seed<S: DeserializeSeed<'n>>(&mut self, seed: S) -> Result<S::Value, Failure> {
        match self.next.take() {
            Some((position, value)) => {
                read(seed, value, self.marks).map_err(|failure| failure.within(position))
            }
            None => seed.deserialize(Stub::default()).map_err(|failure| failure.within(self.end)),
        }
    }
}

/// A key: text, and a number or word where the type of the map asks for one.
struct KeyReader<'k>(&'k str);

macro_rules! number_keys {
    ($($method:ident $visit:ident $type:ty)*) => {$(
        fn $method<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Failure> {
            let key = self.0.parse::<$type>().map_err(|_| Failure::expected("a key that is a whole number"))?;
            visitor.$visit(key)
        }
    )*};
}

impl<'n> Deserializer<'n> for KeyReader<'_> {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_str(self.0)
    }

    number_keys! {
        deserialize_i8 visit_i8 i8
        deserialize_i16 visit_i16 i16
        deserialize_i32 visit_i32 i32
        deserialize_i64 visit_i64 i64
        deserialize_i128 visit_i128 i128
        deserialize_u8 visit_u8 u8
        deserialize_u16 visit_u16 u16
        deserialize_u32 visit_u32 u32
        deserialize_u64 visit_u64 u64
        deserialize_u128 visit_u128 u128
    }

    fn deserialize_f64<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_f64(decimal(self.0).ok_or_else(|| Failure::expected("a key that is a number"))?)
    }

    fn deserialize_f32<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_bool<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.0 {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            _ => Err(Failure::expected("the key true or false")),
        }
    }

    fn deserialize_option<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'n>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'n>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        visitor.visit_enum(self.0.into_deserializer())
    }

    serde::forward_to_deserialize_any! {
        <V: Visitor<'n>>
        char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// One of several variants: a word, or a map of the word to what the variant holds.
pub(super) struct Variant<'n, 'm> {
    name: String,
    /// The entry that names the variant and holds its content, unless it is a bare word.
    content: Option<(usize, &'n Node)>,
    marks: &'m Marks,
}

impl<'n, 'm> Variant<'n, 'm> {
    pub(super) fn new(reader: Reader<'n, 'm>, variants: &'static [&'static str]) -> Result<Self, Failure> {
        let Reader { node, marks } = reader;
        let Value::Map(entries) = &node.value else {
            let name = scalar::text(node).map_err(|_| Failure::expected(one_of(variants)))?;
            return Ok(Self { name: name.into_owned(), content: None, marks });
        };
        let mut present =
            entries.iter().enumerate().filter(|(_, (_, value))| marks.state(value) != State::Removed);
        match (present.next(), present.next()) {
            (Some((position, (key, value))), None) => {
                Ok(Self { name: key.name.clone(), content: Some((position, value)), marks })
            }
            _ => Err(Failure::new(Fault::Mismatch {
                kind: super::Kind::WrongType,
                found: Some(format!("a map of {} keys", entries.len())),
                expected: format!("a map of one key, {}", one_of(variants)),
                advice: None,
            })),
        }
    }
}

/// The words of an enum, as a choice.
fn one_of(variants: &[&str]) -> String {
    match variants {
        [] => "nothing".to_owned(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

impl<'n, 'm> EnumAccess<'n> for Variant<'n, 'm> {
    type Error = Failure;
    type Variant = Content<'n, 'm>;

    fn variant_seed<S: DeserializeSeed<'n>>(self, seed: S) -> Result<(S::Value, Self::Variant), Failure> {
        let Self { name, content, marks } = self;
        let word: StringDeserializer<Failure> = name.clone().into_deserializer();
        let variant = seed.deserialize(word).map_err(|failure| match content {
            Some((position, _)) => failure.within_key(position),
            None => failure,
        })?;
        Ok((variant, Content { name, content, marks }))
    }
}

/// What a variant holds.
pub(super) struct Content<'n, 'm> {
    name: String,
    content: Option<(usize, &'n Node)>,
    marks: &'m Marks,
}

impl<'n> Content<'n, '_> {
    fn read<T>(
        self,
        expected: impl FnOnce() -> String,
        read: impl FnOnce(ContentReader<'n, '_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        match self.content {
            None => Err(Failure::expected(format!("{} with {}", self.name, expected()))),
            Some((position, node)) => {
                let reader = match self.marks.state(node) {
                    State::Whole => ContentReader::Whole(Reader::new(node, self.marks)),
                    State::Stubbed | State::Removed => ContentReader::Stub(Stub::default()),
                };
                read(reader).map_err(|failure| failure.within(position))
            }
        }
    }
}

enum ContentReader<'n, 'm> {
    Whole(Reader<'n, 'm>),
    Stub(Stub),
}

impl<'n> VariantAccess<'n> for Content<'n, '_> {
    type Error = Failure;

    fn unit_variant(self) -> Result<(), Failure> {
        match self.content {
            None => Ok(()),
            Some((position, node)) if self.marks.state(node) == State::Whole => match node.value {
                Value::Null => Ok(()),
                _ => {
                    let advice = format!("write {} on its own", self.name);
                    Err(Failure::advised("nothing", advice).within(position))
                }
            },
            Some(_) => Ok(()),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'n>>(self, seed: S) -> Result<S::Value, Failure> {
        self.read(
            || "a value".to_owned(),
            |content| match content {
                ContentReader::Whole(reader) => seed.deserialize(reader),
                ContentReader::Stub(stub) => seed.deserialize(stub),
            },
        )
    }

    fn tuple_variant<V: Visitor<'n>>(self, length: usize, visitor: V) -> Result<V::Value, Failure> {
        self.read(
            || format!("a list of {length}"),
            |content| match content {
                ContentReader::Whole(reader) => reader.deserialize_tuple(length, visitor),
                ContentReader::Stub(stub) => stub.deserialize_tuple(length, visitor),
            },
        )
    }

    fn struct_variant<V: Visitor<'n>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.read(
            || map_of(fields),
            |content| match content {
                ContentReader::Whole(reader) => reader.deserialize_struct("", fields, visitor),
                ContentReader::Stub(stub) => stub.deserialize_struct("", fields, visitor),
            },
        )
    }
}
