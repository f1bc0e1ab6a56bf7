//! Experiments: what a payload says of them, compiled.

mod run;

use std::borrow::Cow;

use serde_json::Value;

use super::auto::Auto;
use super::bandit::{Bandit, BanditLeaf};
use super::bucket::{self, Range};
use super::condition::{Condition, coercion};
use super::fields::{Fields, Unreadable};
use super::filter::Filter;
use super::hash::HashVersion;
use super::identity;
use super::namespace::Namespace;
use super::pattern::Pattern;
use super::payload::{Payload, Scope};
use super::prerequisite::Prerequisite;
use super::url_targeting::{Target, Targets};

/// An experiment: of a payload's own list, of a feature's rule, or given by itself.
#[derive(Debug, Clone)]
pub struct Experiment {
    pub(crate) key: Box<str>,
    name: Option<Box<str>>,
    phase: Option<Box<str>>,
    pub(crate) variations: Box<[Value]>,
    meta: Box<[Meta]>,
    pub(crate) hash_attribute: Box<str>,
    pub(crate) fallback_attribute: Option<Box<str>>,
    seed: Box<str>,
    hash_version: Option<HashVersion>,
    ranges: Box<[Range]>,
    filters: Option<Box<[Filter]>>,
    namespace: Option<Namespace>,
    condition: Option<Condition>,
    pub(crate) parents: Box<[Prerequisite]>,
    pub(crate) sticky: Sticky,
    bandit: Option<Bandit>,
    inactive: bool,
    stopped: bool,
    /// The outer one: whether it says which variation; the inner one: whether there is such a variation.
    force: Option<Option<usize>>,
    /// Groups are long gone from payloads; nobody is in any.
    groups: bool,
    pub(crate) targets: Option<Targets>,
    /// The outer one: whether there is a pattern; the inner one: whether it can be read.
    url: Option<Option<Pattern>>,
    pub(crate) auto: Auto,
}

/// What is said of a variation.
#[derive(Debug, Clone, Default)]
struct Meta {
    key: Option<Box<str>>,
    name: Option<Box<str>>,
    passthrough: bool,
}

/// How an experiment uses sticky buckets.
#[derive(Debug, Clone)]
pub(crate) struct Sticky {
    pub(crate) disabled: bool,
    /// Under which name variations are remembered.
    pub(crate) assignment: Box<str>,
    /// Who was assigned by an earlier version may not take part.
    pub(crate) min_version: f64,
}

impl Experiment {
    /// Compiles an experiment that stands by itself, as the SDK's `run` takes it. Features that it depends on are those of
    /// the payload.
    ///
    /// # Errors
    /// A member of a wrong type, with which the SDK could not have run it.
    pub fn compile(value: &Value, payload: &Payload) -> Result<Self, Unreadable> {
        Self::defined(value, &payload.scope())
    }

    /// One of a payload's list, or by itself.
    pub(crate) fn defined(value: &Value, scope: &Scope<'_>) -> Result<Self, Unreadable> {
        let fields = Fields::of(value, "experiment")?;
        let key = fields.text("key")?.ok_or(Unreadable { member: "key", expected: "text" })?;
        let variations = fields.list("variations")?;
        let variations = variations.ok_or(Unreadable { member: "variations", expected: "a list" })?;
        let status = fields.any("status").and_then(Value::as_str);
        let targets = fields.truthy("urlPatterns").map(targets).transpose()?;
        let redirects = targets.is_some();
        Ok(Self {
            parents: Prerequisite::read(fields, scope)?,
            inactive: status == Some("draft") || fields.any("active") == Some(&Value::Bool(false)),
            stopped: status == Some("stopped"),
            force: fields.any("force").map(index),
            groups: fields.is("groups"),
            targets,
            url: fields.text("url")?.map(Pattern::compile),
            auto: Auto::read(fields, variations, redirects),
            ..Self::read(fields, key, variations)?
        })
    }

    /// A feature's rule that has variations.
    pub(crate) fn of_rule(
        fields: Fields<'_>,
        feature: &str,
        variations: &[Value],
        scope: &Scope<'_>,
    ) -> Result<Self, Unreadable> {
        let mut experiment = Self::read(fields, fields.text("key")?.unwrap_or(feature), variations)?;
        experiment.bandit = experiment.bandit(fields, scope)?;
        Ok(experiment)
    }

    /// What both have.
    fn read(fields: Fields<'_>, key: &str, variations: &[Value]) -> Result<Self, Unreadable> {
        let weights = fields.weights()?;
        let metas = fields.list("meta")?.unwrap_or_default();
        Ok(Self {
            key: key.into(),
            name: fields.owned("name")?,
            phase: fields.owned("phase")?,
            variations: variations.into(),
            meta: metas.iter().map(Meta::read).collect(),
            hash_attribute: fields.text("hashAttribute")?.unwrap_or(identity::DEFAULT).into(),
            fallback_attribute: fields.owned("fallbackAttribute")?,
            seed: fields.text("seed")?.unwrap_or(key).into(),
            hash_version: fields.hash_version(HashVersion::V1),
            ranges: match fields.ranges()? {
                Some(ranges) => ranges,
                None => ranges(fields, variations.len(), weights.as_deref()),
            },
            filters: fields.filters()?,
            namespace: fields.namespace()?,
            condition: fields.condition(),
            parents: Box::default(),
            sticky: Sticky {
                disabled: fields.is("disableStickyBucketing"),
                assignment: {
                    let version = fields.truthy("bucketVersion").map_or(Cow::Borrowed("0"), coercion::text);
                    format!("{key}__{version}").into()
                },
                min_version: fields.truthy("minBucketVersion").map_or(0.0, coercion::number),
            },
            bandit: None,
            inactive: false,
            stopped: false,
            force: None,
            groups: false,
            targets: None,
            url: None,
            auto: Auto::default(),
        })
    }

    fn bandit(&self, fields: Fields<'_>, scope: &Scope<'_>) -> Result<Option<Bandit>, Unreadable> {
        let Some(name) = fields.text("contextualBanditRef")? else { return Ok(None) };
        let Some(definition) = scope.bandit(name) else { return Ok(None) };
        let own_ranges = fields.is("ranges");
        let leaf = |id: Value, condition, weights: Option<Vec<f64>>| BanditLeaf {
            id,
            condition,
            ranges: if own_ranges {
                self.ranges.clone()
            } else {
                ranges(fields, self.variations.len(), weights.as_deref())
            },
            weights: weights.unwrap_or_else(|| bucket::equal_weights(self.variations.len())).into(),
        };
        let read = |value| {
            let context = Fields::of(value, "contexts")?;
            let id = context.any("leafId").cloned().unwrap_or_default();
            Ok(leaf(id, context.condition(), context.weights()?))
        };
        let contexts = definition.list("contexts")?.unwrap_or_default();
        Ok(Some(Bandit {
            leaves: contexts.iter().map(read).collect::<Result<_, _>>()?,
            otherwise: leaf(Value::from(-1), None, fields.weights()?),
            version: definition.any("banditVersion").cloned(),
        }))
    }

    /// The same with another condition.
    pub(crate) fn with_condition(self, condition: Option<Condition>) -> Self {
        Self { condition, ..self }
    }

    /// Its key: under which results are reported, and which forced variations name.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Its name, for people.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Its phase.
    #[must_use]
    pub fn phase(&self) -> Option<&str> {
        self.phase.as_deref()
    }

    /// The values of its variations.
    #[must_use]
    pub const fn variations(&self) -> &[Value] {
        &self.variations
    }

    /// The part of the hashes that each variation has; of a contextual bandit, for those who are in none of its contexts.
    #[must_use]
    pub const fn ranges(&self) -> &[Range] {
        &self.ranges
    }

    /// The attributes that its own decision reads, as paths as they are written, some more than once: what visitors are hashed
    /// by, and what its conditions, filters and contexts ask. Those of the features that it depends on are not among them
    /// ([`Payload::reads`]). With sticky buckets there may be a document of `id`, too.
    pub fn reads(&self) -> impl Iterator<Item = &str> {
        let sticky = (!self.sticky.disabled).then_some(identity::DEFAULT);
        let filters = self.filters.iter().flatten().map(|filter| &*filter.attribute);
        let leaves = self.bandit.iter().flat_map(|bandit| &bandit.leaves);
        let conditions = leaves.filter_map(|leaf| leaf.condition.as_ref()).chain(&self.condition);
        let conditions = conditions.flat_map(Condition::attributes);
        self.hash_attributes().chain(sticky).chain(filters).chain(conditions)
    }

    /// The features that it depends on, by their places in the payload.
    pub(crate) fn parents(&self) -> impl Iterator<Item = usize> {
        self.parents.iter().filter_map(|parent| parent.feature)
    }

    /// The attributes that it hashes by.
    pub(crate) fn hash_attributes(&self) -> impl Iterator<Item = &str> {
        [Some(&*self.hash_attribute), self.fallback_attribute.as_deref()].into_iter().flatten()
    }

    /// The key of a variation: of its meta data, or its number.
    #[must_use]
    pub fn key_of(&self, variation: usize) -> Cow<'_, str> {
        let key = self.meta.get(variation).and_then(|meta| meta.key.as_deref());
        key.map_or_else(|| variation.to_string().into(), Cow::Borrowed)
    }

    /// The variation whose meta data have that key.
    pub(crate) fn variation_keyed(&self, key: &str) -> Option<usize> {
        self.meta.iter().position(|meta| meta.key.as_deref() == Some(key))
    }
}

/// The variation of that number, if it can be one.
fn index(value: &Value) -> Option<usize> {
    value.as_number().and_then(|_| coercion::text(value).parse().ok())
}

/// By coverage and weights.
fn ranges(fields: Fields<'_>, variations: usize, weights: Option<&[f64]>) -> Box<[Range]> {
    let coverage = fields.any("coverage").map_or(1.0, coercion::number);
    bucket::ranges(variations, coverage, weights).into()
}

impl Meta {
    fn read(value: &Value) -> Self {
        let member = |name| value.get(name).filter(|value| coercion::truthy(value));
        let text = |name| Some(coercion::text(member(name)?).as_ref().into());
        Self { key: text("key"), name: text("name"), passthrough: member("passthrough").is_some() }
    }
}

fn targets(value: &Value) -> Result<Targets, Unreadable> {
    // Anything but a list has no length that isn't zero, or no patterns in it.
    let patterns = value.as_array().map(Vec::as_slice).unwrap_or_default();
    let target = |value: &Value| {
        if value.is_null() {
            return Err(Unreadable { member: "urlPatterns", expected: "a list of patterns" });
        }
        let include = value.get("include") != Some(&Value::Bool(false));
        let member = |name| value.get(name).and_then(Value::as_str);
        Ok(match (member("type"), member("pattern")) {
            (Some("simple"), Some(pattern)) => Target::simple(pattern, include),
            (Some("regex"), Some(pattern)) => Target::regex(pattern, include),
            _ => Target::unknown(include),
        })
    };
    patterns.iter().map(target).collect::<Result<_, _>>().map(Targets::new)
}
