//! Flags and payloads as they stand in a configuration: JSON of GrowthBook's form, some of whose members are numbers.
//!
//! Envoy has text for a number with a fraction (`0.5`), which in a list of weights would switch the experiment off. So what is a
//! number in a payload is read as one, in every form of the document. The values of flags and what conditions ask for may be of any
//! type, and stay what arrives.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// A part of a payload, by what is in it.
#[derive(Debug, Clone, Copy)]
enum Part {
    Payload,
    Features,
    Feature,
    /// Rules of a feature, experiments, and contexts of a bandit, whose members of one name mean the same.
    Rules,
    Rule,
    Bandits,
    Bandit,
    Ranges,
    Numbers,
    /// A name, and from where to where.
    Namespace,
    Number,
    Anything,
}

/// Flags, by key.
pub(super) fn features<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, Value>, D::Error> {
    struct Keyed;
    impl<'de> Visitor<'de> for Keyed {
        type Value = BTreeMap<String, Value>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map of flags")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut features = BTreeMap::new();
            while let Some(key) = map.next_key()? {
                features.insert(key, map.next_value_seed(Part::Feature)?);
            }
            Ok(features)
        }
    }
    deserializer.deserialize_map(Keyed)
}

/// A payload, as an object or as its text.
pub(super) fn payload<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    struct Written(Value);
    impl<'de> Deserialize<'de> for Written {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            Part::Payload.deserialize(deserializer).map(Self)
        }
    }
    Ok(Option::<Written>::deserialize(deserializer)?.map(|Written(payload)| payload))
}

impl Part {
    fn member(self, name: &str) -> Self {
        match (self, name) {
            (Self::Payload, "features") => Self::Features,
            (Self::Payload, "experiments") | (Self::Feature, "rules") | (Self::Bandit, "contexts") => {
                Self::Rules
            }
            (Self::Payload, "contextualBandits") => Self::Bandits,
            (Self::Features, _) => Self::Feature,
            (Self::Bandits, _) => Self::Bandit,
            (Self::Rule, "coverage" | "hashVersion" | "bucketVersion" | "minBucketVersion") => Self::Number,
            (Self::Rule, "weights" | "range") => Self::Numbers,
            (Self::Rule, "ranges") => Self::Ranges,
            (Self::Rule, "namespace") => Self::Namespace,
            // They have ranges and a version of the hash, too.
            (Self::Rule, "filters") => Self::Rules,
            _ => Self::Anything,
        }
    }

    const fn item(self, index: usize) -> Self {
        match self {
            Self::Rules => Self::Rule,
            Self::Ranges => Self::Numbers,
            Self::Numbers => Self::Number,
            Self::Namespace if index > 0 => Self::Number,
            _ => Self::Anything,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Part {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        match self {
            Self::Anything => Value::deserialize(deserializer),
            Self::Number => Ok(Option::<f64>::deserialize(deserializer)?.map_or(Value::Null, Value::from)),
            _ => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Part {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a part of a payload")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            let part = self.member(&name);
            members.insert(name, map.next_value_seed(part)?);
        }
        Ok(Value::Object(members))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(self.item(items.len()))? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    // What is of another type than it should be is the payload's own affair.
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::Engine;

    /// Flags and a payload whose numbers are written in that way.
    fn document(one_half: &str, two: &str) -> String {
        let rule = format!(
            r#"{{ "key": "e", "variations": ["0.5", "1.0"], "weights": [{one_half}, {one_half}], "coverage": {one_half}, "hashVersion": {two},
                "bucketVersion": {two}, "ranges": [[0, {one_half}], [{one_half}, 1]], "namespace": ["1.0", 0, {one_half}],
                "filters": [{{ "seed": "1.0", "ranges": [[0, {one_half}]], "hashVersion": {two} }}] }}"#
        );
        let forced = format!(r#"{{ "force": "1.0", "range": [0, {one_half}] }}"#);
        let features = format!(r#"{{ "f": {{ "defaultValue": "0.5", "rules": [{rule}, {forced}] }} }}"#);
        format!(
            r#"{{ "version": 1, "features": {features},
                "growthbook": {{ "payload": {{ "features": {features}, "experiments": [{rule}],
                    "contextualBandits": {{ "b": {{ "contexts": [{{ "weights": [{one_half}, {one_half}] }}] }} }} }} }} }}"#
        )
    }

    #[test]
    fn numbers_of_payloads_are_numbers_however_they_arrive() {
        let loaded = |document: &str| Engine::load(document.as_bytes()).unwrap_or_else(|why| panic!("{why}"));
        let json = loaded(&document("0.5", "2"));
        // As YAML, and as Envoy hands it on.
        let yaml = format!("# YAML\n{}", document("0.5", "2"));
        for (form, document) in [("yaml", yaml), ("text", document("\"0.5\"", "\"2.0\""))] {
            let loaded = loaded(&document);
            assert_eq!(loaded.engine.digest(), json.engine.digest(), "{form}");
            assert!(loaded.warnings.is_empty(), "{form}: {:?}", loaded.warnings);
        }
        let payload = json.engine.growthbook().and_then(|growthbook| growthbook.live()).unwrap().payload();
        assert_eq!(payload.switched_off().1, 0);
        let ranges = payload.experiments()[0].ranges();
        assert_eq!((ranges[0].start, ranges[0].end, ranges[1].end), (0.0, 0.5, 1.0));
    }

    #[test]
    fn what_is_no_number_is_named() {
        let document = document("\"a half\"", "2");
        let problems = Engine::load(document.as_bytes()).map(|_| ()).unwrap_err().to_string();
        assert!(problems.contains("features.f.rules[0].weights[0]"), "{problems}");
    }
}
