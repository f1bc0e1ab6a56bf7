//! From `visitor`, `experiments`, `features` and `force` to [`Decisions`], with everything that is wrong with them.

use std::collections::BTreeSet;
use std::time::SystemTime;

use serde_json::{Map, Value, json};

use super::Decisions;
use super::period::Period;
use super::set_cookie;
use super::trial::{self, Trial};
use super::visitor::Visitors;
use crate::config::model::{self, Config};
use crate::config::node::Path;
use crate::config::problem::{Code, Kind as ProblemKind, Problem, suggest};
use crate::decide::condition::{Condition, Kind};
use crate::decide::payload::Payload;
use crate::request::attributes::Catalogue;
use crate::request::decided::{Declared, ID, flag, variant};

/// The shortest secret, as for debug headers.
const MIN_SECRET_BYTES: usize = 16;
const MAX_NAME_BYTES: usize = 64;

impl Decisions {
    /// Compiles what `config` decides, and tells `catalogue` under which names. What is wrong goes to `problems`.
    #[must_use]
    pub fn compile(config: &Config, catalogue: &mut Catalogue, problems: &mut Vec<Problem>) -> Self {
        if config.visitor.as_ref().is_some_and(|visitor| visitor.id.is_some()) {
            let declared = Declared { kind: Kind::Text, of_visitor: true, values: None, otherwise: None };
            catalogue.declare(ID, declared);
        }
        let mut compiler = Compiler { config, catalogue, problems };
        let visitors = compiler.visitors();
        compiler.force();
        let payload = compiler.payload();
        let trials = config.experiments.iter().filter_map(|(name, written)| {
            let path = Path::default().key("experiments").key(name);
            Some((name.clone(), compiler.trial(name, written, &payload, &path)?))
        });
        let trials = trials.collect();
        compiler.declare();
        Self { payload, trials, visitors, force: config.force.clone() }
    }
}

struct Compiler<'c> {
    config: &'c Config,
    catalogue: &'c mut Catalogue,
    problems: &'c mut Vec<Problem>,
}

impl Compiler<'_> {
    fn report(&mut self, path: &Path, message: impl Into<String>) {
        self.problems.push(Problem::new(ProblemKind::InvalidValue, path.clone(), message));
    }

    fn visitors(&mut self) -> Visitors {
        let Some(visitor) = &self.config.visitor else { return Visitors::default() };
        let path = Path::default().key("visitor");
        if let Some(id) = &visitor.id {
            let path = path.clone().key("id");
            if id.from.is_empty() && id.cookie.is_none() {
                self.report(&path, "an id comes from nowhere; name a `cookie`, or attributes under `from`");
            }
            for (index, name) in id.from.iter().enumerate() {
                if name == ID || self.catalogue.input(name).is_none() {
                    let hint = suggest(name, self.catalogue.names());
                    let hint = hint.map(|name| format!("; did you mean \"{name}\"?")).unwrap_or_default();
                    let message = format!("\"{name}\" is not an attribute{hint}");
                    self.report(&path.clone().key("from").index(index), message);
                }
            }
            let cookie = id.cookie.as_deref();
            if let Some(name) = cookie.filter(|name| !set_cookie::is_name(name)) {
                self.report(&path.clone().key("cookie"), format!("\"{name}\" can't be the name of a cookie"));
            }
            self.cookie_bounds(id.max_age, id.domain.as_deref(), &path);
        }
        if let Some(consent) = &visitor.consent
            && consent.equals.is_some() == consent.contains.is_some()
        {
            self.report(
                &path.clone().key("consent"),
                "say what the cookie must say: either `equals` or `contains`",
            );
        }
        if let Some(sticky) = &visitor.sticky_buckets {
            self.cookie_bounds(sticky.max_age, sticky.domain.as_deref(), &path.key("sticky_buckets"));
        }
        Visitors {
            id: visitor.id.clone(),
            consent: visitor.consent.clone(),
            bots: visitor.bots,
            sticky: visitor.sticky_buckets.clone(),
        }
    }

    fn cookie_bounds(&mut self, max_age: Option<model::Duration>, domain: Option<&str>, path: &Path) {
        if max_age.is_some_and(|age| age.seconds() > set_cookie::MAX_AGE_SECONDS) {
            self.report(&path.clone().key("max_age"), "browsers keep no cookie longer than 400d");
        }
        if let Some(domain) = domain.filter(|domain| !set_cookie::is_domain(domain)) {
            self.report(&path.clone().key("domain"), format!("\"{domain}\" is not a domain"));
        }
    }

    fn force(&mut self) {
        let Some(force) = &self.config.force else { return };
        let path = Path::default().key("force");
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let parameter = force.parameter.as_str();
        if parameter.is_empty() || parameter.len() > MAX_NAME_BYTES || !parameter.bytes().all(is_letter) {
            self.report(
                &path.clone().key("parameter"),
                format!("\"{parameter}\" is no parameter; use letters, digits, `-`, `_` and `.`"),
            );
        }
        if force.secret.as_ref().is_some_and(|secret| secret.len() < MIN_SECRET_BYTES) {
            self.report(
                &path.key("secret"),
                format!("the secret has less than {MIN_SECRET_BYTES} characters and can be guessed; write a longer one"),
            );
        }
    }

    fn payload(&mut self) -> Payload {
        let groups: Map<String, Value> = self
            .config
            .saved_groups
            .iter()
            .map(|(name, values)| (name.clone(), Value::Array(values.clone())))
            .collect();
        let features: Map<String, Value> =
            self.config.features.iter().map(|(key, feature)| (key.clone(), feature.clone())).collect();
        let path = Path::default().key("features");
        for (key, feature) in &self.config.features {
            if !feature.is_object() {
                let message = "a flag is an object; write `{ defaultValue: false }`";
                self.report(&path.clone().key(key), message);
            }
        }
        match Payload::compile(&json!({ "features": features, "savedGroups": groups })) {
            Ok(payload) => {
                for off in payload.switched_off().0 {
                    self.report(&path, off.to_string());
                }
                payload
            }
            Err(error) => {
                self.report(&path, error.to_string());
                Payload::default()
            }
        }
    }

    fn trial(
        &mut self,
        name: &str,
        written: &model::Experiment,
        payload: &Payload,
        path: &Path,
    ) -> Option<Trial> {
        let before = self.problems.len();
        self.names(name, written, path);
        self.numbers(written, path);
        self.attributes(written, path);
        let index = |key: &str| written.variations.iter().position(|variation| variation == key);
        for (member, key) in [("force", &written.force), ("winner", &written.winner)] {
            if let Some(key) = key.as_deref().filter(|key| index(key).is_none()) {
                let known = written.variations.join(", ");
                let message = format!("\"{key}\" is none of the variations; accepted: {known}");
                self.report(&path.clone().key(member), message);
            }
        }
        for (number, parent) in written.parent_conditions.iter().enumerate() {
            if !payload.has_feature(&parent.flag) {
                let message = format!("there is no flag \"{}\" under `features`", parent.flag);
                self.report(&path.clone().key("parent_conditions").index(number).key("flag"), message);
            }
        }
        let period = self.period(written, path);
        let condition = written.condition.as_ref().and_then(|condition| {
            match Condition::compile(condition, &self.catalogue.vocabulary()) {
                Ok(condition) => Some(condition),
                Err(error) => {
                    let path = path.clone().key("condition");
                    let problem = Problem::new(ProblemKind::InvalidValue, path, error.to_string());
                    self.problems.push(problem.coded(Code::InvalidCondition));
                    None
                }
            }
        });
        let experiment = match trial::experiment(name, written, payload) {
            Ok(experiment) => experiment.with_condition(condition),
            Err(error) => {
                self.report(path, error.to_string());
                return None;
            }
        };
        let winner = written.winner.as_deref().and_then(index).unwrap_or_default();
        (self.problems.len() == before).then_some(Trial { experiment, period, winner })
    }

    /// They become parts of cookies, events and URLs.
    fn names(&mut self, name: &str, written: &model::Experiment, path: &Path) {
        let is_name = |name: &str| {
            let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            !name.is_empty() && name.len() <= MAX_NAME_BYTES && name.bytes().all(is_letter)
        };
        if !is_name(name) {
            self.report(
                path,
                format!("\"{name}\" is not a name; use letters, digits, `_` and `-`, from 1 to 64"),
            );
        }
        let path = path.clone().key("variations");
        if written.variations.len() < 2 {
            self.report(
                &path,
                "an experiment compares two variations or more; write `variations: [control, bold]`",
            );
        }
        let mut seen = BTreeSet::new();
        for (index, key) in written.variations.iter().enumerate() {
            if !is_name(key) {
                let message =
                    format!("\"{key}\" is not a name; use letters, digits, `_` and `-`, from 1 to 64");
                self.report(&path.clone().index(index), message);
            } else if !seen.insert(key) {
                self.report(
                    &path.clone().index(index),
                    format!("another variation is called \"{key}\" already"),
                );
            }
        }
    }

    fn numbers(&mut self, written: &model::Experiment, path: &Path) {
        let is_part = |number: f64| (0.0..=1.0).contains(&number);
        if let Some(weights) = &written.weights {
            let path = path.clone().key("weights");
            let sum: f64 = weights.iter().sum();
            if weights.len() != written.variations.len() {
                let message =
                    format!("{} weights for {} variations", weights.len(), written.variations.len());
                self.report(&path, message);
            } else if !weights.iter().all(|weight| is_part(*weight)) || !(0.99..=1.01).contains(&sum) {
                self.report(
                    &path,
                    format!("the weights add up to {sum}; each is from 0 to 1, and together they are 1"),
                );
            }
        }
        if let Some(coverage) = written.coverage.filter(|coverage| !is_part(*coverage)) {
            self.report(
                &path.clone().key("coverage"),
                format!("{coverage} is no part; write a number from 0 to 1"),
            );
        }
        if let Some(version) = written.hash_version.filter(|version| !matches!(version, 1 | 2)) {
            self.report(&path.clone().key("hash_version"), format!("{version} is not known; write 1 or 2"));
        }
        if let Some(namespace) = &written.namespace {
            let (start, end) = namespace.range;
            if !is_part(start) || !is_part(end) || start >= end {
                let message = "a range goes from a lower to a higher number between 0 and 1: [0, 0.5]";
                self.report(&path.clone().key("namespace").key("range"), message);
            }
        }
    }

    fn attributes(&mut self, written: &model::Experiment, path: &Path) {
        let has_id = self.config.visitor.as_ref().is_some_and(|visitor| visitor.id.is_some());
        let named = [
            ("hash_attribute", Some(written.hash_attribute.as_deref().unwrap_or(ID))),
            ("fallback_attribute", written.fallback_attribute.as_deref()),
        ];
        for (member, name) in named {
            match name {
                Some(ID) if !has_id => self.report(
                    &path.clone().key(member),
                    "visitors have no `id` to be told apart by; add `visitor: { id: { cookie: engraft_id } }`",
                ),
                Some(name) if name != ID && self.catalogue.input(name).is_none() => {
                    let hint = suggest(name, self.catalogue.names());
                    let hint = hint.map(|name| format!("; did you mean \"{name}\"?")).unwrap_or_default();
                    self.report(&path.clone().key(member), format!("\"{name}\" is not an attribute{hint}"));
                }
                _ => {}
            }
        }
        let is_sticky = self.config.visitor.as_ref().is_some_and(|visitor| visitor.sticky_buckets.is_some());
        if written.fallback_attribute.is_some() && !is_sticky {
            self.report(
                &path.clone().key("fallback_attribute"),
                "counts only where visitors keep what they had, as they would change variations when they log in; add \
                 `visitor: { sticky_buckets: {} }`",
            );
        }
    }

    fn period(&mut self, written: &model::Experiment, path: &Path) -> Period {
        let mut moment = |member: &str, text: &Option<String>| -> Option<SystemTime> {
            let text = text.as_ref()?;
            match humantime::parse_rfc3339(text) {
                Ok(time) => Some(time),
                Err(_) => {
                    let message = format!("\"{text}\" is no time; write it in UTC, as 2026-03-01T09:00:00Z");
                    self.report(&path.clone().key(member), message);
                    None
                }
            }
        };
        let starts_at = moment("starts_at", &written.starts_at);
        let ends_at = moment("ends_at", &written.ends_at);
        if starts_at.zip(ends_at).is_some_and(|(start, end)| start >= end) {
            self.report(&path.clone().key("ends_at"), "it ends before it starts");
        }
        Period { starts_at, ends_at }
    }

    /// The names under which there are decisions.
    fn declare(&mut self) {
        for (name, experiment) in &self.config.experiments {
            let values = experiment.variations.clone();
            self.catalogue.declare(
                &variant(name),
                Declared {
                    kind: Kind::Text,
                    of_visitor: true,
                    otherwise: values.first().cloned(),
                    values: Some(values),
                },
            );
        }
        for (key, feature) in &self.config.features {
            let of_visitor =
                feature.get("rules").and_then(Value::as_array).is_some_and(|rules| !rules.is_empty());
            let declared = Declared { kind: kind(feature), of_visitor, values: None, otherwise: None };
            self.catalogue.declare(&flag(key), declared);
        }
    }
}

/// Of what kind the values of a flag are, where all that it can be is of one.
fn kind(feature: &Value) -> Kind {
    let rules = feature.get("rules").and_then(Value::as_array).into_iter().flatten();
    let of_rule = rules.flat_map(|rule| {
        let variations = rule.get("variations").and_then(Value::as_array).into_iter().flatten();
        rule.get("force").into_iter().chain(variations)
    });
    let kind = |value: &Value| match value {
        Value::Bool(_) => Kind::Bool,
        Value::Number(_) => Kind::Number,
        Value::String(_) => Kind::Text,
        _ => Kind::Any,
    };
    let default = feature.get("defaultValue").map_or(Kind::Any, kind);
    if of_rule.map(kind).all(|kind| kind == default) { default } else { Kind::Any }
}
