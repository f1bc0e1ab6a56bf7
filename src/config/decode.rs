//! The value tree into any type that serde can build, with all problems at once.
//!
//! Answers for typing by the schema: what a scalar means is decided by what the type asks for, the same in every form of
//! the document (`7` and `"7"` are both a number where a number is asked for, both text where text is). It refuses to
//! stop at the first problem: a value that will not do is noted, something that does is put in its place, and the tree is
//! read again, until it reads through or [`MAX_PROBLEMS`] are found.
//!
//! Two habits of serde work against this and are best avoided in configuration types: `flatten` and `untagged` (and
//! `tag`) look at a value before the type is known, so inside them numbers given as text stay text, and problems are
//! placed at the value around them.

use serde::de::DeserializeOwned;

use super::node::{Key, Node, Path, Segment, Value, quote};
use super::problem::{Kind, Problem, Problems};
use super::yaml::Warning;

mod access;
mod failure;
mod marks;
mod reader;
mod scalar;
mod stub;

use failure::{Failure, Fault};
use marks::{Marks, State};
use reader::Reader;

/// The most problems that are looked for at once.
pub const MAX_PROBLEMS: usize = 100;

/// The most readings of the tree: a problem takes one to be found, and a few to find what may stand in for the value.
const MAX_PASSES: usize = 5 * MAX_PROBLEMS;

/// Reads a tree as a `T`.
///
/// # Errors
/// Every problem that can be found without guessing. A value is not blamed for lacking what another problem took from it.
pub fn decode<T: DeserializeOwned>(root: &Node) -> Result<T, Problems> {
    let mut attempt = Attempt { root, marks: Marks::default(), problems: Vec::new() };
    for (problem, node) in root.duplicate_keys() {
        attempt.marks.set(node, State::Removed);
        if !attempt.note(problem) {
            return Err(attempt.problems());
        }
    }
    for _ in 0..MAX_PASSES {
        match T::deserialize(Reader::new(root, &attempt.marks)) {
            Ok(value) if attempt.problems.is_empty() => return Ok(value),
            Ok(_) => return Err(attempt.problems()),
            Err(failure) => {
                if !attempt.mend(&failure) {
                    return Err(attempt.problems());
                }
            }
        }
    }
    attempt.cut_short();
    Err(attempt.problems())
}

/// The warnings that still matter once a `T` has said what it asks each scalar for.
pub(super) fn relevant<T: DeserializeOwned>(root: &Node, warnings: &[Warning]) -> Vec<Warning> {
    let node_of = |warning: &Warning| root.find(&warning.path);
    let marks = Marks::watching(warnings.iter().filter_map(node_of));
    // A tree that does not read through has problems to report, and those come first.
    let _ = T::deserialize(Reader::new(root, &marks));
    let moot = |warning: &Warning| {
        node_of(warning)
            .is_some_and(|node| marks.asked(node).is_some_and(|asked| warning.is_moot(node, asked)))
    };
    warnings.iter().filter(|warning| !moot(warning)).cloned().collect()
}

/// What has been found so far, and what was changed to find more.
struct Attempt<'n> {
    root: &'n Node,
    marks: Marks,
    problems: Vec<Problem>,
}

/// The value that a failure is about.
struct Site<'n> {
    /// From the root to the value, both included.
    chain: Vec<&'n Node>,
    node: &'n Node,
    path: Path,
    /// The key of its entry, when it stands in a map.
    key: Option<&'n Key>,
    /// The failure is that of a stand-in for a field that was not there at all.
    absent: bool,
}

impl<'n> Attempt<'n> {
    /// Notes what is wrong and changes what is read next. False when nothing is left to change.
    fn mend(&mut self, failure: &Failure) -> bool {
        let site = self.site(&failure.trail);
        if site.absent || (self.marks.state(site.node) == State::Stubbed && !failure.at_key) {
            // No stand-in will do; without one, the value around it can't be had either.
            return self.advance(&site);
        }
        match &*failure.fault {
            Fault::UnknownField { name, accepted } => {
                self.unknown_field(&site, failure.at_key, name, accepted)
            }
            Fault::MissingField(name) => self.missing_field(&site, name),
            Fault::DuplicateField(name) => {
                let message = format!("{} is given twice, under two names; keep one of them", quote(name));
                self.blame(&site, failure, Problem::new(Kind::DuplicateKey, site.path.clone(), message))
            }
            Fault::UnknownVariant { name, accepted } => {
                let message = format!("unknown value {}", quote(name));
                let problem =
                    Problem::new(Kind::UnknownValue, site.path.clone(), message).accepting(name, accepted);
                self.blame(&site, failure, problem)
            }
            Fault::Mismatch { kind, found, expected, advice } => {
                let found = found.clone().unwrap_or_else(|| describe(&site, failure.at_key));
                let mut problem = Problem::new(*kind, site.path.clone(), "").mismatch(found, expected);
                if let Some(advice) = advice {
                    problem.message = format!("{}; {advice}", problem.message);
                }
                self.blame(&site, failure, problem)
            }
            Fault::Custom(message) => {
                self.blame(&site, failure, Problem::new(Kind::InvalidValue, site.path.clone(), message))
            }
        }
    }

    /// Notes a problem with a value, unless the value is only wrong for what was already changed inside it.
    fn blame(&mut self, site: &Site<'n>, failure: &Failure, problem: Problem) -> bool {
        let at = site.key.filter(|_| failure.at_key).map_or(site.node.at, |key| key.at);
        if failure.at_key {
            self.marks.set(site.node, State::Removed);
            self.damage_around(site);
            return self.note(problem.at(at));
        }
        if !self.marks.is_damaged(site.node) && !self.note(problem.at(at)) {
            return false;
        }
        self.advance(site)
    }

    fn unknown_field(&mut self, site: &Site<'n>, at_key: bool, name: &str, accepted: &[&str]) -> bool {
        // `flatten` reports at the map what it finds left over in it.
        let entry = match &site.node.value {
            Value::Map(entries) if !at_key => entries.iter().find(|(key, _)| key.name == name),
            _ => None,
        };
        let (path, key, node) = match entry {
            Some((key, node)) => (site.path.clone().key(name), Some(key), node),
            None if at_key => (site.path.clone(), site.key, site.node),
            // Nothing that could be left out: the value around it is what can't be read.
            None => return self.advance(site),
        };
        let at = key.and_then(|key| key.at);
        let problem = Problem::new(Kind::UnknownField, path, format!("unknown field {}", quote(name)));
        let problem = problem.at(at).accepting(name, accepted);
        self.marks.set(node, State::Removed);
        // A field nobody knows leaves no gap behind, unless it is a known one misspelt.
        if problem.suggestion.is_some() {
            self.damage_around(site);
            if !at_key {
                self.marks.damage(site.node);
            }
        }
        self.note(problem)
    }

    fn missing_field(&mut self, site: &Site<'n>, name: &'static str) -> bool {
        let Value::Map(entries) = &site.node.value else { return self.advance(site) };
        let taken =
            entries.iter().any(|(key, node)| key.name == name && self.marks.state(node) == State::Removed);
        if taken || self.marks.added(site.node).contains(&name) {
            return self.advance(site);
        }
        // Written, but under a name that was not understood.
        let misspelt = self.problems.iter().any(|problem| {
            problem.suggestion.as_deref() == Some(name)
                && matches!(problem.path.segments().split_last(), Some((_, parent)) if parent == site.path.segments())
        });
        self.marks.add(site.node, name);
        self.marks.damage(site.node);
        self.damage_around(site);
        let message = format!("missing field {}", quote(name));
        misspelt || self.note(Problem::new(Kind::MissingField, site.path.clone(), message).at(site.node.at))
    }

    /// Puts a stand-in in the place of a value, or takes the stand-in away as well.
    fn advance(&mut self, site: &Site<'n>) -> bool {
        if site.chain.len() <= 1 {
            return false;
        }
        let next = match self.marks.state(site.node) {
            State::Whole => State::Stubbed,
            State::Stubbed | State::Removed => State::Removed,
        };
        self.marks.set(site.node, next);
        self.damage_around(site);
        true
    }

    fn damage_around(&mut self, site: &Site<'n>) {
        for node in site.chain.iter().rev().skip(1) {
            self.marks.damage(node);
        }
    }

    /// Follows the positions that a failure passed on its way up.
    fn site(&self, trail: &[usize]) -> Site<'n> {
        let mut site =
            Site { chain: vec![self.root], node: self.root, path: Path::default(), key: None, absent: false };
        for &position in trail.iter().rev() {
            let (child, segment, key) = match &site.node.value {
                Value::List(items) => (items.get(position), Segment::Index(position), None),
                Value::Map(entries) => match entries.get(position) {
                    Some((key, child)) => (Some(child), Segment::Key(key.name.clone()), Some(key)),
                    None => (None, Segment::Index(position), None),
                },
                _ => (None, Segment::Index(position), None),
            };
            let Some(child) = child else {
                site.absent = true;
                break;
            };
            site.chain.push(child);
            site.node = child;
            site.path.push(segment);
            site.key = key;
        }
        site
    }

    /// False when the list is full.
    fn note(&mut self, problem: Problem) -> bool {
        if self.problems.len() >= MAX_PROBLEMS {
            self.cut_short();
            return false;
        }
        self.problems.push(problem);
        true
    }

    fn cut_short(&mut self) {
        let message = "there may be more problems; fix these first";
        self.problems.push(Problem::new(Kind::More, Path::default(), message));
    }

    fn problems(self) -> Problems {
        let unexplained =
            || Problem::new(Kind::InvalidValue, Path::default(), "the configuration can't be read").into();
        Problems::collect(self.problems).unwrap_or_else(unexplained)
    }
}

fn describe(site: &Site<'_>, at_key: bool) -> String {
    match site.key.filter(|_| at_key) {
        Some(key) => format!("key {}", quote(&key.name)),
        None => site.node.describe(),
    }
}

#[cfg(test)]
mod tests;
