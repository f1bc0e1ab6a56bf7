//! A value of the tree as a serde deserializer.
//!
//! Answers for giving each type what it asks for when the value can be read so, and for saying what would have done when
//! it can't. It refuses structs and tuples of another shape than the documents describe, which serde would accept.

use std::borrow::Cow;

use serde::de::{Deserializer, Visitor};

use super::super::node::{Node, Value};
use super::super::yaml::Asked;
use super::access::{Elements, Entries, Variant};
use super::failure::{Failure, Fault};
use super::marks::Marks;
use super::scalar;

/// Reads `node` as the marks have changed it.
#[derive(Clone, Copy)]
pub(super) struct Reader<'n, 'm> {
    pub(super) node: &'n Node,
    pub(super) marks: &'m Marks,
}

impl<'n, 'm> Reader<'n, 'm> {
    pub(super) fn new(node: &'n Node, marks: &'m Marks) -> Self {
        Self { node, marks }
    }

    fn visit_list<V: Visitor<'n>>(self, visitor: V, expected: &str) -> Result<V::Value, Failure> {
        match &self.node.value {
            Value::List(items) => visitor.visit_seq(Elements::new(items, self.marks)),
            _ => Err(Failure::expected(expected)),
        }
    }

    fn visit_entries<V: Visitor<'n>>(
        self,
        visitor: V,
        expected: impl FnOnce() -> String,
    ) -> Result<V::Value, Failure> {
        match &self.node.value {
            Value::Map(entries) => visitor.visit_map(Entries::new(self.node, entries, self.marks)),
            _ => Err(Failure::expected(expected())),
        }
    }

    fn visit_tuple<V: Visitor<'n>>(self, length: usize, visitor: V) -> Result<V::Value, Failure> {
        let expected = format!("a list of {length}");
        if let Value::List(items) = &self.node.value
            && items.len() != length
        {
            // serde reads a longer list as if the rest were not there.
            let found = format!("a list of {}", items.len());
            return Err(Failure::new(Fault::Mismatch {
                kind: super::Kind::InvalidValue,
                found: Some(found),
                expected,
                advice: None,
            }));
        }
        self.visit_list(visitor, &expected)
    }
}

macro_rules! whole_numbers {
    ($($method:ident $visit:ident $bounds:literal)*) => {$(
        fn $method<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Failure> {
            self.marks.ask(self.node, Asked::Number);
            visitor.$visit(scalar::whole(self.node, $bounds)?)
        }
    )*};
}

impl<'n> Deserializer<'n> for Reader<'n, '_> {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.marks.ask(self.node, Asked::Any);
        match &self.node.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(truth) => visitor.visit_bool(*truth),
            // Whole numbers go as integers, or JSON made of them would say 7.0.
            Value::Number(number) => match scalar::integral(*number) {
                Some(whole) => match (u64::try_from(whole), i64::try_from(whole)) {
                    (Ok(whole), _) => visitor.visit_u64(whole),
                    (_, Ok(whole)) => visitor.visit_i64(whole),
                    _ => visitor.visit_f64(*number),
                },
                None => visitor.visit_f64(*number),
            },
            Value::Text(text) => visitor.visit_borrowed_str(text),
            Value::List(items) => visitor.visit_seq(Elements::new(items, self.marks)),
            Value::Map(entries) => visitor.visit_map(Entries::new(self.node, entries, self.marks)),
        }
    }

    fn deserialize_bool<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.marks.ask(self.node, Asked::Bool);
        visitor.visit_bool(scalar::boolean(self.node)?)
    }

    whole_numbers! {
        deserialize_i8 visit_i8 "a whole number from -128 to 127"
        deserialize_i16 visit_i16 "a whole number from -32768 to 32767"
        deserialize_i32 visit_i32 "a whole number from -2147483648 to 2147483647"
        deserialize_i64 visit_i64 "a whole number"
        deserialize_i128 visit_i128 "a whole number"
        deserialize_u8 visit_u8 "a whole number from 0 to 255"
        deserialize_u16 visit_u16 "a whole number from 0 to 65535"
        deserialize_u32 visit_u32 "a whole number from 0 to 4294967295"
        deserialize_u64 visit_u64 "a whole number, 0 or more"
        deserialize_u128 visit_u128 "a whole number, 0 or more"
    }

    fn deserialize_f32<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.marks.ask(self.node, Asked::Number);
        visitor.visit_f64(scalar::number(self.node)?)
    }

    fn deserialize_char<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_str(visitor)
    }

    fn deserialize_str<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.marks.ask(self.node, Asked::Text);
        match scalar::text(self.node)? {
            Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
            Cow::Owned(text) => visitor.visit_string(text),
        }
    }

    fn deserialize_string<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_str(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.node.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.node.value {
            Value::Null => visitor.visit_unit(),
            _ => Err(Failure::expected("null")),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'n>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'n>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.visit_list(visitor, "a list")
    }

    fn deserialize_tuple<V: Visitor<'n>>(self, length: usize, visitor: V) -> Result<V::Value, Failure> {
        self.visit_tuple(length, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'n>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.visit_tuple(length, visitor)
    }

    fn deserialize_map<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.visit_entries(visitor, || "a map".to_owned())
    }

    fn deserialize_struct<V: Visitor<'n>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.visit_entries(visitor, || map_of(fields))
    }

    fn deserialize_enum<V: Visitor<'n>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        self.marks.ask(self.node, Asked::Text);
        visitor.visit_enum(Variant::new(self, variants)?)
    }

    fn deserialize_ignored_any<V: Visitor<'n>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_unit()
    }
}

/// A map by some of its fields: enough to recognise which of the documented maps is meant.
pub(super) fn map_of(fields: &[&str]) -> String {
    const MAX_SHOWN: usize = 5;
    match fields.get(..MAX_SHOWN) {
        Some(some) if fields.len() > MAX_SHOWN => format!("a map of {}, …", some.join(", ")),
        _ if fields.is_empty() => "an empty map".to_owned(),
        _ if fields.len() == 1 => format!("a map such as {{ {}: … }}", fields.concat()),
        _ => format!("a map of {}", fields.join(", ")),
    }
}
