//! Which guards hold together: tried out on requests that are made up from what the configuration says.
//!
//! A guard reads a few attributes. Those with a closed set of values get each of them; those without get the values that guards
//! compare them with, one that nobody names, and none. Then the guards themselves are asked. So that two hold together is known
//! where it is found, and that they never do only where all sets are closed.
//!
//! What is decided counts as any of its values, whatever the visitor: that a flag is on for one country only is not looked at.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Lint, Part};
use crate::config::model;
use crate::config::problem::Code;
use crate::decide::condition::{Attributes, Kind};
use crate::patch::Patch;
use crate::request::decided::Decided;
use crate::request::input::Input;
use crate::request::user_agent::Device;

/// So many requests are made up at most; where there would be more, nothing is said.
const MAX_REQUESTS: usize = 20_000;

/// What names a group in a condition.
const GROUP_OPERATORS: [&str; 2] = ["$inGroup", "$notInGroup"];

/// A value that no configuration names.
const UNNAMED: &str = "\u{fffd}engraft";

/// What came of two guards.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Survey {
    /// Both hold for some request.
    pub(super) both: bool,
    /// The first holds for some request for which the second does not.
    pub(super) only_first: bool,
    /// The other way round.
    pub(super) only_second: bool,
    /// There are no other requests.
    pub(super) is_complete: bool,
}

/// A request, as far as guards look at it.
struct MadeUp<'v>(BTreeMap<&'v str, &'v Value>);

impl Attributes for MadeUp<'_> {
    fn attribute(&self, path: &str) -> Option<&Value> {
        self.0.get(path).copied()
    }
}

/// The values that an attribute may have.
struct Domain {
    values: Vec<Value>,
    is_closed: bool,
}

impl Lint<'_> {
    pub(super) fn guards(&mut self, part: &Part<'_>) {
        for (path, written, patch) in part.patches() {
            let Some(found) = self.survey((written, patch), (written, patch)) else { continue };
            if !found.both && found.is_complete {
                let names: BTreeSet<&str> = patch.guarded_by().collect();
                let names = names.into_iter().collect::<Vec<_>>().join("`, `");
                let field = if written.when.is_some() {
                    path.key("when")
                } else if written.variant.is_empty() {
                    path
                } else {
                    path.key("variant")
                };
                let message = format!(
                    "the patch is never applied: of all the values that `{names}` can have, none makes its guards hold; compare with values \
                     that there are"
                );
                self.add(Code::ImpossibleGuard, field, message);
            }
        }
    }

    /// Asks the guards of two patches; `None` where there are too many requests to ask about, or where a payload says who is in a
    /// group.
    pub(super) fn survey(
        &self,
        first: (&model::Patch, &Patch),
        second: (&model::Patch, &Patch),
    ) -> Option<Survey> {
        let mut named = Vec::new();
        for (written, _) in [first, second] {
            if self.config.growthbook.is_some() && written.when.as_ref().is_some_and(names_group) {
                return None;
            }
            written.variant.values().for_each(|value| named.push(Value::String(value.clone())));
            written.flag.values().chain(&written.when).for_each(|value| self.scalars(value, &mut named));
        }
        let names: BTreeSet<&str> = first.1.guarded_by().chain(second.1.guarded_by()).collect();
        let domains: Vec<(&str, Domain)> =
            names.into_iter().map(|name| (name, self.domain(name, &named))).collect();
        let count = domains.iter().try_fold(1_usize, |count, (_, it)| count.checked_mul(it.values.len()));
        let count = count.filter(|count| *count <= MAX_REQUESTS)?;
        let groups = self.engine.decisions().saved_groups();
        let mut survey =
            Survey { is_complete: domains.iter().all(|(_, it)| it.is_closed), ..Survey::default() };
        for number in 0..count {
            let mut rest = number;
            let values = domains.iter().filter_map(|(name, domain)| {
                let position = rest.checked_rem(domain.values.len())?;
                rest = rest.checked_div(domain.values.len())?;
                Some((*name, domain.values.get(position)?))
            });
            let request = MadeUp(values.collect());
            let [holds, other] = [first.1, second.1].map(|patch| patch.is_eligible(&request, groups));
            survey.both |= holds && other;
            survey.only_first |= holds && !other;
            survey.only_second |= other && !holds;
        }
        Some(survey)
    }

    /// Whether one of two patches asks for a decision, which the other does not, that may come out so for visitors only for whom the
    /// other patch is not: experiments share a namespace so that nobody is in two of them, or are for one country each.
    pub(super) fn may_be_for_others(&self, first: &Patch, second: &Patch) -> bool {
        let [first, second]: [BTreeSet<&str>; 2] = [first, second].map(|patch| patch.guarded_by().collect());
        first.symmetric_difference(&second).any(|name| match Decided::of(name) {
            Some(Decided::Variant(key)) => self.config.experiments.get(key).is_none_or(is_for_some),
            Some(Decided::Flag(name)) => {
                let is_of = |key: &str| {
                    name.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
                };
                let mut flags = self.config.features.iter().filter(|(key, _)| is_of(key)).peekable();
                flags.peek().is_none() || flags.any(|(_, flag)| has_rule_for_some(flag))
            }
            _ => false,
        })
    }

    /// The values that are compared with, groups included.
    fn scalars(&self, value: &Value, found: &mut Vec<Value>) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    let group = value.as_str().filter(|_| GROUP_OPERATORS.contains(&name.as_str()));
                    let members = group.and_then(|group| self.config.saved_groups.get(group));
                    found.extend(members.into_iter().flatten().cloned());
                    self.scalars(value, found);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.scalars(item, found)),
            Value::Null => {}
            scalar => found.push(scalar.clone()),
        }
    }

    fn domain(&self, name: &str, named: &[Value]) -> Domain {
        let attributes = self.engine.attributes();
        let kind = attributes.vocabulary().kind(name).unwrap_or(Kind::Any);
        let closed: Option<Vec<String>> = match (attributes.values(name), attributes.input(name)) {
            (Some(values), _) => Some(values.to_vec()),
            (None, Some(Input::Device)) => Some(Device::ALL.map(|it| it.name().to_owned()).to_vec()),
            (None, Some(Input::Language(tags))) => Some(tags.to_vec()),
            (None, _) if kind == Kind::Bool => Some(["true", "false"].map(str::to_owned).to_vec()),
            _ => None,
        };
        let mut values: Vec<Value> = match &closed {
            Some(words) => words.iter().filter_map(|word| typed(kind, word)).collect(),
            None => open(kind, named),
        };
        // Some sources always say something; what is said besides makes no guard hold that would not hold otherwise.
        match attributes.fallback(name) {
            Some(word) => values.extend(typed(kind, word)),
            None if matches!(
                attributes.input(name),
                Some(Input::Device | Input::Bot | Input::Experiment)
            ) => {}
            None => values.push(Value::Null),
        }
        values.dedup();
        Domain { values, is_closed: closed.is_some() }
    }
}

/// Whether not everybody can have any of its variations.
fn is_for_some(experiment: &model::Experiment) -> bool {
    let model::Experiment { condition, namespace, parent_conditions, force, active, .. } = experiment;
    let is_limited = condition.is_some() || namespace.is_some() || !parent_conditions.is_empty();
    let is_timed = experiment.starts_at.is_some() || experiment.ends_at.is_some();
    is_limited || is_timed || force.is_some() || *active == Some(false)
}

/// The same of a flag's values, by what GrowthBook calls it.
fn has_rule_for_some(flag: &Value) -> bool {
    const LIMITS: [&str; 5] = ["condition", "namespace", "parentConditions", "filters", "ranges"];
    let mut rules = flag.get("rules").and_then(Value::as_array).into_iter().flatten();
    rules.any(|rule| LIMITS.iter().any(|limit| rule.get(*limit).is_some()))
}

fn names_group(value: &Value) -> bool {
    match value {
        Value::Object(members) => {
            members.iter().any(|(name, value)| GROUP_OPERATORS.contains(&name.as_str()) || names_group(value))
        }
        Value::Array(items) => items.iter().any(names_group),
        _ => false,
    }
}

/// What attributes without a closed set may be.
fn open(kind: Kind, named: &[Value]) -> Vec<Value> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match kind {
        Kind::Number => {
            let numbers = named.iter().filter_map(|it| it.as_f64().or_else(|| it.as_str()?.parse().ok()));
            let near = numbers.flat_map(|number| [number - 1.0, number, number + 1.0]);
            near.chain([0.0]).map(Value::from).collect()
        }
        Kind::Text => named.iter().map(text).chain([UNNAMED.to_owned()]).map(Value::String).collect(),
        Kind::List => {
            let one = |item: String| Value::Array(vec![Value::String(item)]);
            let all = Value::Array(named.iter().map(|it| Value::String(text(it))).collect());
            named.iter().map(text).chain([UNNAMED.to_owned()]).map(one).chain([all]).collect()
        }
        _ => named.iter().cloned().chain([Value::from(UNNAMED), Value::from(false)]).collect(),
    }
}

/// A value of a closed set as requests have it.
fn typed(kind: Kind, word: &str) -> Option<Value> {
    Some(match kind {
        Kind::Number => Value::from(word.trim().parse::<f64>().ok()?),
        Kind::Bool => Value::Bool(matches!(word, "true" | "1")),
        Kind::List => {
            let items = word.split(',').map(str::trim).filter(|item| !item.is_empty());
            Value::Array(items.map(Value::from).collect())
        }
        _ => Value::from(word),
    })
}
