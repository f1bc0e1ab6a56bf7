//! Making the decisions of one request.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use http::HeaderValue;
use serde_json::Value;

use super::force::Forced;
use super::trial::Trial;
use super::visitor::{Id, Standing};
use super::{Decisions, sticky};
use crate::decide::auto::Change;
use crate::decide::condition::{Attributes as _, coercion};
use crate::decide::evaluation::{Evaluation, Exposure};
use crate::decide::experiment::Experiment;
use crate::decide::payload::Payload;
use crate::decide::result::{ExperimentResult, Reason};
use crate::decide::visitor::Visitor;
use crate::exposure::Event;
use crate::live::Live;
use crate::request::RequestHead;
use crate::request::attributes::Values;
use crate::request::decided::{self, Decided, ID};

/// What decisions are asked for.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "whoever asks must say all of it")]
pub struct Asking<'a> {
    /// The names whose values are wanted.
    pub names: &'a [String],
    /// The request, as it came.
    pub request: &'a RequestHead,
    /// The payload in force.
    pub live: Option<&'a Arc<Live>>,
    /// What somebody chose to see who may.
    pub forced: Option<&'a Forced>,
    /// What time it is.
    pub now: SystemTime,
    /// What a new id is made of; `None` where none may be minted.
    pub random: Option<u128>,
    /// A page is asked for, not something that is part of one: the payload's own experiments are for pages.
    pub asks_for_page: bool,
    /// Somebody is told of assignments.
    pub tells: bool,
    /// People want to know why.
    pub explains: bool,
}

/// The decisions of one request.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Made {
    /// What is done for the visitor.
    pub standing: Standing,
    /// The assignments that count once they are seen.
    pub exposures: Vec<Exposed>,
    /// The payload's own experiments that the visitor takes part in.
    pub auto: Vec<Auto>,
    /// Cookies to set, wherever the response is for this visitor alone.
    pub cookies: Vec<HeaderValue>,
    /// Something was asked for that only a payload knows, and none has come yet.
    pub awaits_payload: bool,
    /// The payload in force had a say.
    pub uses_live: bool,
    /// How many assignments have names or values that are too long to be told.
    pub too_long: u32,
    /// What was decided, for people, where they want to know: name, value and why.
    pub notes: Vec<Note>,
}

/// One of the payload's own experiments, and what it does to a page.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Auto {
    /// Its place in the payload.
    pub experiment: usize,
    /// The variation's number.
    pub variation: usize,
    /// How many variations there are.
    pub variations: usize,
    /// Some variation leads elsewhere.
    pub leads_away: bool,
    /// Where it leads, if it leads anywhere.
    pub location: Option<HeaderValue>,
    /// To be reported when it is seen.
    pub exposed: Option<Exposed>,
}

/// A decision, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Note {
    /// `variants.hero`.
    pub name: String,
    /// `bold`.
    pub value: String,
    /// `hash`.
    pub because: &'static str,
}

/// A visitor was assigned a variation by hash.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Exposed {
    /// The experiment's key.
    pub experiment: String,
    /// The variation's key.
    pub variation: String,
    /// The variation's number.
    pub index: usize,
    /// The attribute that was hashed, and its value.
    pub hash: (String, String),
    /// The flag whose rule the experiment is.
    pub feature: Option<String>,
    /// The names that it had a part in.
    pub decides: Vec<String>,
    /// What the names that it decided would be for those who see other variations.
    pub others: Vec<Vec<(String, Value)>>,
}

impl Exposed {
    /// That a visitor was assigned a variation: its key, and its number. `hash` is the attribute that was hashed, and its value.
    #[must_use]
    pub fn new(experiment: &str, (variation, index): (&str, usize), hash: (&str, &str)) -> Self {
        let (attribute, value) = hash;
        Self {
            experiment: experiment.to_owned(),
            variation: variation.to_owned(),
            index,
            hash: (attribute.to_owned(), value.to_owned()),
            feature: None,
            decides: Vec::new(),
            others: Vec::new(),
        }
    }

    /// Whether both are of one assignment.
    #[must_use]
    pub fn is_of(&self, other: &Self) -> bool {
        self.experiment == other.experiment && self.index == other.index && self.hash == other.hash
    }
}

impl Decisions {
    /// Decides, and adds what comes out to `values`, where what the decisions depend on is.
    #[must_use]
    pub fn make(&self, asking: &Asking<'_>, values: &mut Values) -> Made {
        let request = asking.request;
        let standing = if asking.forced.is_some() {
            Standing::Visitor
        } else {
            self.visitors.standing(&request.headers)
        };
        let mut made = Made { standing, ..Made::default() };
        let random = asking.random.filter(|_| standing == Standing::Visitor && asking.forced.is_none());
        // One that somebody chose is there already.
        if values.attribute(ID).is_none() {
            match self.visitors.id(values, &request.headers, random) {
                Some(Id::Known(id)) => values.decide(ID, Value::String(id)),
                Some(Id::Minted(id)) => {
                    made.cookies.extend(self.visitors.keep(&id));
                    values.decide(ID, Value::String(id));
                }
                None => {}
            }
        }
        let url = format!("{}://{}{}", request.scheme, request.authority, request.path);
        let forced = asking.forced.map(|forced| self.forced_variations(forced, asking.live.map(Arc::as_ref)));
        let visitor = Visitor {
            enabled: standing == Standing::Visitor,
            forced_variations: forced.as_ref(),
            ..Visitor::new(values, &url)
        };
        let buckets = self.visitors.sticky.as_ref().map(|_| sticky::read(&request.headers));
        let own = Evaluation::new(&self.payload, visitor.clone());
        let own = match buckets {
            Some(buckets) => own.with_sticky_buckets(buckets),
            None => own,
        };
        let mut maker =
            Maker { decisions: self, asking, own, live: None, made, values: Vec::new(), ran: Vec::new() };
        // The payload's decisions begin with the sticky buckets that the configuration's leave.
        let (own, others): (Vec<&String>, Vec<&String>) =
            asking.names.iter().partition(|name| self.decides(name));
        for name in own.into_iter().chain(others) {
            maker.name(name, &visitor);
        }
        let (made, decided) = maker.finish();
        for (name, value) in decided {
            values.decide(name, value);
        }
        made
    }

    /// Whether a name is decided by the configuration itself.
    fn decides(&self, name: &str) -> bool {
        match Decided::of(name) {
            Some(Decided::Variant(key)) => self.trials.contains_key(key),
            Some(Decided::Flag(path)) => resolve(&self.payload, path).is_some(),
            Some(Decided::Id | Decided::Auto) | None => false,
        }
    }

    /// The numbers of the variations that somebody chose.
    fn forced_variations(&self, forced: &Forced, live: Option<&Live>) -> BTreeMap<String, i64> {
        let number = |name: &str, key: &str| {
            let own = self.trials.get(name).and_then(|trial| trial.variation(key));
            let live = || {
                let mut experiments = live?.payload().experiments().iter();
                experiments.find(|experiment| experiment.key() == name)?.variation_keyed(key)
            };
            own.or_else(live).or_else(|| key.parse().ok()).and_then(|number| i64::try_from(number).ok())
        };
        forced.iter().filter_map(|(name, key)| Some((name.to_owned(), number(name, key)?))).collect()
    }
}

struct Maker<'a, 'd> {
    decisions: &'d Decisions,
    asking: &'d Asking<'d>,
    own: Evaluation<'a>,
    live: Option<Evaluation<'a>>,
    made: Made,
    /// What was decided, by name.
    values: Vec<(&'d str, Value)>,
    /// The keys of the experiments that were run.
    ran: Vec<&'a str>,
}

impl<'a, 'd: 'a> Maker<'a, 'd> {
    fn name(&mut self, name: &'d str, visitor: &Visitor<'a>) {
        let decided = match Decided::of(name) {
            Some(Decided::Variant(key)) => match self.decisions.trials.get(key) {
                Some(trial) => self.trial(name, trial),
                None => self.experiment(name, key, visitor),
            },
            Some(Decided::Flag(path)) => self.flag(name, path, visitor),
            Some(Decided::Auto) => return self.auto(visitor),
            Some(Decided::Id) | None => return,
        };
        let Some((value, because)) = decided else { return };
        if self.asking.explains {
            let value = coercion::text(&value).into_owned();
            self.made.notes.push(Note { name: name.to_owned(), value, because });
        }
        if !value.is_null() {
            self.values.push((name, value));
        }
    }

    /// An experiment of the configuration.
    fn trial(&mut self, name: &str, trial: &'d Trial) -> Option<(Value, &'static str)> {
        let result = trial.run(&mut self.own, self.asking.now);
        self.ran.push(trial.experiment.key());
        let because = reason(result.reason, self.made.standing);
        let value = Value::String(result.key.clone().into_owned());
        self.assigned(name, &trial.experiment, result);
        Some((value, because))
    }

    /// What came of an experiment that decides under its own name.
    fn assigned(&mut self, name: &str, experiment: &Experiment, result: ExperimentResult<'_>) {
        if !result.in_experiment || !result.hash_used || !self.asking.tells {
            return;
        }
        let others = (0..experiment.variations().len()).filter(|index| *index != result.variation_id);
        let others = others.map(|index| Value::String(experiment.key_of(index).into_owned()));
        self.expose(name, exposed(experiment, &result), others.collect());
    }

    /// An experiment of the payload's own list.
    fn experiment(&mut self, name: &str, key: &str, visitor: &Visitor<'a>) -> Option<(Value, &'static str)> {
        let payload = self.payload()?;
        let experiment = payload.experiments().iter().find(|experiment| experiment.key() == key)?;
        let result = self.live(visitor)?.experiment(experiment);
        self.ran.push(experiment.key());
        let because = reason(result.reason, self.made.standing);
        let value = Value::String(result.key.clone().into_owned());
        self.assigned(name, experiment, result);
        Some((value, because))
    }

    /// Those of the payload's experiments that run by themselves.
    fn auto(&mut self, visitor: &Visitor<'a>) {
        let Some(live) = self.asking.live else {
            self.made.awaits_payload = true;
            return;
        };
        self.made.uses_live = true;
        if !self.asking.asks_for_page || self.made.standing == Standing::LeftAlone {
            return;
        }
        let candidates = live.auto().candidates(&visitor.url);
        let Some(evaluation) = self.live(visitor) else { return };
        for ran in evaluation.auto_experiments_among(candidates) {
            let result = &ran.result;
            self.ran.push(ran.experiment.key());
            if self.asking.explains {
                self.made.notes.push(Note {
                    name: decided::variant(ran.experiment.key()),
                    value: result.key.clone().into_owned(),
                    because: reason(result.reason, self.made.standing),
                });
            }
            if !result.in_experiment {
                continue;
            }
            let is_reported = result.hash_used && ran.is_comparable && self.asking.tells;
            let exposed = is_reported.then(|| exposed(ran.experiment, result));
            self.made.auto.push(Auto {
                experiment: ran.index,
                variation: result.variation_id,
                variations: ran.experiment.variations().len(),
                leads_away: ran.experiment.change() == Change::Redirect,
                location: ran.location(),
                exposed,
            });
        }
    }

    /// A flag, of the configuration where it has one of that key.
    fn flag(&mut self, name: &str, path: &str, visitor: &Visitor<'a>) -> Option<(Value, &'static str)> {
        let own = &self.decisions.payload;
        let is_own = resolve(own, path).is_some();
        let payload = if is_own { own } else { self.payload()? };
        let (key, member) = resolve(payload, path)?;
        if let Some(value) = self.asking.forced.and_then(|forced| forced.value(key)) {
            return Some((walk(&value, member).clone(), "forced"));
        }
        let is_told = self.asking.tells;
        let evaluation = if is_own { &mut self.own } else { self.live(visitor)? };
        let before = evaluation.exposures().len();
        let result = evaluation.feature(key);
        let value = walk(result.value, member).clone();
        let (source, last) = (result.source.name(), result.experiment_key);
        let is_last = |exposure: &Exposure<'a>| {
            let of = result.experiment_result.as_ref().filter(|of| of.in_experiment && of.hash_used);
            let is_it = |of: &ExperimentResult<'_>| {
                exposure.result.variation_id == of.variation_id
                    && exposure.result.hash_attribute == of.hash_attribute
            };
            last == Some(exposure.experiment.key()) && of.is_some_and(is_it)
        };
        // What decided last may have been assigned for another flag already; what came before it (a holdout, a flag that this one
        // depends on) has a part in the value, too, but nobody can say what it would have been otherwise.
        let exposures = evaluation.exposures().iter().enumerate();
        let exposures = exposures.filter(|(at, exposure)| is_told && (*at >= before || is_last(exposure)));
        let told = exposures.map(|(_, exposure)| {
            let (experiment, of) = (exposure.experiment, &exposure.result);
            let others = (0..experiment.variations().len()).filter(|index| *index != of.variation_id);
            let others =
                others.filter_map(|index| Some(walk(experiment.variations().get(index)?, member).clone()));
            let others = if is_last(exposure) { others.collect() } else { Vec::new() };
            (exposed(experiment, of), others)
        });
        let told: Vec<(Exposed, Vec<Value>)> = told.collect();
        self.ran.extend(last);
        for (exposed, others) in told {
            self.expose(name, exposed, others);
        }
        Some((value, source))
    }

    /// `others` are what `name` is for those who see another variation, in the order of the variations; nothing where nobody knows.
    fn expose(&mut self, name: &str, exposed: Exposed, others: Vec<Value>) {
        let exposures = &mut self.made.exposures;
        let known = exposures.iter().position(|known| known.is_of(&exposed));
        let at = known.unwrap_or(exposures.len());
        if known.is_none() {
            exposures.push(exposed);
        }
        let Some(exposure) = exposures.get_mut(at) else { return };
        exposure.decides.push(name.to_owned());
        exposure.others.resize(exposure.others.len().max(others.len()), Vec::new());
        for (other, value) in exposure.others.iter_mut().zip(others) {
            other.push((name.to_owned(), value));
        }
    }

    fn payload(&mut self) -> Option<&'d Payload> {
        match self.asking.live {
            Some(live) => {
                self.made.uses_live = true;
                Some(live.payload())
            }
            None => {
                self.made.awaits_payload = true;
                None
            }
        }
    }

    fn live(&mut self, visitor: &Visitor<'a>) -> Option<&mut Evaluation<'a>> {
        let payload = self.asking.live?.payload();
        let evaluation = self.live.get_or_insert_with(|| {
            let evaluation = Evaluation::new(payload, visitor.clone());
            match self.own.sticky_buckets() {
                Some(buckets) => evaluation.with_sticky_buckets(buckets.clone()),
                None => evaluation,
            }
        });
        Some(evaluation)
    }

    fn finish(mut self) -> (Made, Vec<(&'d str, Value)>) {
        let made = &mut self.made;
        if made.standing != Standing::Visitor || self.asking.forced.is_some() {
            made.exposures.clear();
            made.auto.iter_mut().for_each(|auto| auto.exposed = None);
            made.cookies.clear();
            return (self.made, self.values);
        }
        let before = made.exposures.len();
        made.exposures.retain(Event::fits);
        made.too_long = u32::try_from(before.saturating_sub(made.exposures.len())).unwrap_or(u32::MAX);
        for auto in &mut made.auto {
            if auto.exposed.as_ref().is_some_and(|exposed| !Event::fits(exposed)) {
                auto.exposed = None;
                made.too_long = made.too_long.saturating_add(1);
            }
        }
        if let Some(cookies) = &self.decisions.visitors.sticky {
            // The second one began with what the first one had.
            let last = self.live.as_ref().unwrap_or(&self.own);
            let is_current = |key: &str| self.ran.contains(&key);
            let of_last = last.sticky_buckets().map(|buckets| sticky::set(buckets, cookies, is_current));
            made.cookies.extend(of_last.into_iter().flatten());
        }
        (self.made, self.values)
    }
}

fn reason(reason: Reason, standing: Standing) -> &'static str {
    match (reason, standing) {
        (Reason::Disabled, Standing::Bot | Standing::LeftAlone) => "a bot",
        (Reason::Disabled, Standing::NoConsent) => "no consent",
        (reason, _) => reason.name(),
    }
}

fn exposed(experiment: &Experiment, result: &ExperimentResult<'_>) -> Exposed {
    let hash = (result.hash_attribute, &*coercion::text(result.hash_value));
    Exposed {
        feature: result.feature_id.map(str::to_owned),
        ..Exposed::new(experiment.key(), (&result.key, result.variation_id), hash)
    }
}

/// The flag that a name speaks of, and where in its value.
pub(super) fn resolve<'p>(payload: &Payload, path: &'p str) -> Option<(&'p str, &'p str)> {
    if payload.has_feature(path) {
        return Some((path, ""));
    }
    let parts = path.match_indices('.').rev();
    let parts = parts.filter_map(|(at, _)| Some((path.get(..at)?, path.get(at.saturating_add(1)..)?)));
    parts.into_iter().find(|(key, _)| payload.has_feature(key))
}

fn walk<'v>(value: &'v Value, path: &str) -> &'v Value {
    if path.is_empty() {
        return value;
    }
    path.split('.').try_fold(value, |value, member| value.get(member)).unwrap_or(&Value::Null)
}
