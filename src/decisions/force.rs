//! Seeing a variation without being assigned to it: `?engraft-force=hero:bold`.
//!
//! The attack that this prevents: a link with which somebody makes others see, or a cache keep, a variation of their choosing. The
//! parameters are taken off every request before anything else reads it; they count only with the secret, or from this machine.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

use crate::config::model;
use crate::request::target::Target;

/// How many choices one URL makes at most.
const MAX_CHOICES: usize = 32;
/// The longest choice.
const MAX_CHOICE_BYTES: usize = 256;

/// What somebody chose to see, by experiment or flag.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forced(BTreeMap<String, String>);

/// The parameters in a path, and the path without them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a path is taken apart into these")]
pub struct Parameters<'p> {
    /// The path and query without them.
    pub rest: Cow<'p, str>,
    /// What is chosen.
    pub choices: Option<String>,
    /// The secret that was shown.
    pub secret: Option<String>,
}

/// Takes the parameters out of a path.
///
/// ```
/// use engraft::config::model::Force;
/// use engraft::decisions::force::parameters;
///
/// let found = parameters(&Force::default(), "/p?a=1&engraft-force=hero:bold&engraft-force-secret=s");
/// assert_eq!((found.rest.as_ref(), found.choices.as_deref()), ("/p?a=1", Some("hero:bold")));
/// assert_eq!(found.secret.as_deref(), Some("s"));
/// ```
#[must_use]
pub fn parameters<'p>(force: &model::Force, path: &'p str) -> Parameters<'p> {
    let untouched = Parameters { rest: Cow::Borrowed(path), choices: None, secret: None };
    let Some((before, query)) = path.split_once('?') else { return untouched };
    let secret = format!("{}-secret", force.parameter);
    let is_ours = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        name == force.parameter || name == secret
    };
    if !query.split('&').any(|pair| is_ours(&pair)) {
        return untouched;
    }
    let target = Target::parse(path);
    let value = |name: &str| target.parameter(name).map(Cow::into_owned);
    let kept: Vec<&str> = query.split('&').filter(|pair| !is_ours(pair)).collect();
    let rest = if kept.is_empty() { before.to_owned() } else { format!("{before}?{}", kept.join("&")) };
    Parameters { rest: rest.into(), choices: value(&force.parameter), secret: value(&secret) }
}

impl Forced {
    /// Reads choices, `hero:bold,new-nav:true`; what is none is passed over.
    #[must_use]
    pub fn parse(choices: &str) -> Self {
        let choices = choices.split(',').filter(|choice| choice.len() <= MAX_CHOICE_BYTES);
        let pairs = choices.filter_map(|choice| choice.trim().split_once(':'));
        Self(pairs.take(MAX_CHOICES).map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// What was chosen, by experiment and flag; as many as one URL could say.
    pub fn of_pairs(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        let fits =
            |(name, value): &(String, String)| name.len().saturating_add(value.len()) < MAX_CHOICE_BYTES;
        Self(pairs.into_iter().filter(fits).take(MAX_CHOICES).collect())
    }

    /// What was chosen for an experiment or a flag.
    #[must_use]
    pub fn of(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// What was chosen for a flag: JSON, or else text.
    #[must_use]
    pub fn value(&self, flag: &str) -> Option<Value> {
        let text = self.of(flag)?;
        Some(serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())))
    }

    /// As it was written, for people.
    #[must_use]
    pub fn shown(&self) -> String {
        let pairs: Vec<String> = self.0.iter().map(|(name, value)| format!("{name}:{value}")).collect();
        pairs.join(",")
    }

    /// By experiment or flag.
    #[must_use]
    pub const fn pairs(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    /// By experiment.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}
