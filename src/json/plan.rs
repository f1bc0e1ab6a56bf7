//! What is done to a document, as a tree of the names on the way there.
//!
//! All places are those of the document as it comes: two operations on one array do not move each other's indexes, and
//! none sees what another one inserts. So their order does not matter, and a place that lies inside another one's is refused.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

use super::pointer::{Pointer, array_index};

/// The name of the one member of an object that is not a value itself: what it holds is JSON, as it is written.
pub const RAW: &str = "$json";

/// One change; `V` is a value, in whatever state of preparation.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever plans must handle each")]
pub enum Change<V> {
    /// Replaces the value, or adds the member that is missing in an object that is there.
    Set(V),
    /// Removes the member or element.
    Remove,
    /// Adds a member, as [`Set`](Self::Set) does, or inserts before an element; `-`, or the array's length, is the end (RFC 6902
    /// § 4.1).
    Insert(V),
    /// Applies a merge patch (RFC 7396).
    Merge(Patch<V>),
}

/// A merge patch that is an object.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "RFC 7396 has no more")]
pub struct Patch<V> {
    /// What it makes of a value that is no object: itself without its nulls.
    pub whole: V,
    /// Its members.
    pub members: BTreeMap<String, Member<V>>,
}

/// A member of a merge patch.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 7396 has no more")]
pub enum Member<V> {
    /// `null`: removes, where there is something.
    Remove,
    /// An object: merges.
    Merge(Patch<V>),
    /// Everything else: sets.
    Set(V),
}

/// Two operations on places of which one is the other, or lies in it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Overlap {
    /// The outer one.
    pub outer: Pointer,
    /// The inner one.
    pub inner: Pointer,
}

impl fmt::Display for Overlap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.outer == self.inner {
            write!(f, "\"{}\" is changed twice; keep one, or write two patches", self.inner)
        } else {
            write!(
                f,
                "\"{}\" lies in \"{}\", which is changed as a whole; change the outer value only, or write two patches",
                self.inner, self.outer
            )
        }
    }
}

impl std::error::Error for Overlap {}

/// A tree of operations, in one list: each step, then the steps below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan<V> {
    steps: Vec<Step<V>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step<V> {
    pub(super) action: Action<V>,
    pub(super) branches: Branches,
    /// The steps below it end before this one.
    pub(super) end: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action<V> {
    /// Nothing here, something below.
    Walk,
    Set(V),
    Insert(V),
    Remove,
    /// Into an object; everything else is replaced.
    Merge(V),
}

/// The steps below a step, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Branches {
    names: BTreeMap<String, usize>,
    indexes: BTreeMap<u64, usize>,
    /// The longest way to spell one of the names as a key, in bytes.
    longest_key: usize,
}

/// A change and the names on the way to it.
type Placed<V> = (Vec<String>, Change<V>);

impl<V> Plan<V> {
    /// Plans `changes`.
    ///
    /// # Errors
    /// Every pair of neighbours that overlap.
    pub fn new(changes: Vec<(Pointer, Change<V>)>) -> Result<Self, Vec<Overlap>> {
        let mut changes = changes;
        changes.sort_by(|(a, _), (b, _)| a.cmp(b));
        // In this order, what lies in a place follows it at once, or follows something else that lies in it.
        let mut overlaps = Vec::new();
        let mut outer: Option<&Pointer> = None;
        for (pointer, _) in &changes {
            match outer.filter(|outer| pointer.tokens().starts_with(outer.tokens())) {
                Some(outer) => overlaps.push(Overlap { outer: outer.clone(), inner: pointer.clone() }),
                None => outer = Some(pointer),
            }
        }
        if !overlaps.is_empty() {
            return Err(overlaps);
        }
        let mut plan = Self { steps: Vec::new() };
        let changes = changes.into_iter().map(|(pointer, change)| (pointer.into_tokens(), change)).collect();
        plan.grow(changes, 0);
        Ok(plan)
    }

    /// The same with other values.
    #[must_use]
    pub fn map<W>(&self, mut value: impl FnMut(&V) -> W) -> Plan<W> {
        let step = |step: &Step<V>| Step {
            action: match &step.action {
                Action::Walk => Action::Walk,
                Action::Set(it) => Action::Set(value(it)),
                Action::Insert(it) => Action::Insert(value(it)),
                Action::Remove => Action::Remove,
                Action::Merge(it) => Action::Merge(value(it)),
            },
            branches: step.branches.clone(),
            end: step.end,
        };
        Plan { steps: self.steps.iter().map(step).collect() }
    }

    /// The values in it.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.steps.iter().filter_map(|step| step.action.value())
    }

    pub(super) fn step(&self, index: usize) -> Option<&Step<V>> {
        self.steps.get(index)
    }

    pub(super) fn len(&self) -> usize {
        self.steps.len()
    }

    /// Adds the step that stands `depth` names deep in all of `changes`, and those below it.
    fn grow(&mut self, changes: Vec<Placed<V>>, depth: usize) -> usize {
        let index = self.steps.len();
        let mut branches = Branches::default();
        let mut changes = changes.into_iter().peekable();
        if changes.peek().is_some_and(|(tokens, _)| tokens.len() <= depth)
            && let Some((_, change)) = changes.next()
        {
            return match change {
                Change::Set(value) => self.leaf(Action::Set(value)),
                Change::Insert(value) => self.leaf(Action::Insert(value)),
                Change::Remove => self.leaf(Action::Remove),
                Change::Merge(patch) => self.merge(patch),
            };
        }
        self.leaf(Action::Walk);
        let mut groups: Vec<(String, Vec<Placed<V>>)> = Vec::new();
        for change in changes {
            let Some(token) = change.0.get(depth).cloned() else { continue };
            match groups.last_mut() {
                Some((name, group)) if *name == token => group.push(change),
                _ => groups.push((token, vec![change])),
            }
        }
        for (name, group) in groups {
            let below = self.grow(group, depth.saturating_add(1));
            branches.add(name, below);
        }
        self.finish(index, branches)
    }

    fn merge(&mut self, patch: Patch<V>) -> usize {
        let index = self.leaf(Action::Merge(patch.whole));
        let mut branches = Branches::default();
        for (name, member) in patch.members {
            let below = match member {
                Member::Remove => self.leaf(Action::Remove),
                Member::Set(value) => self.leaf(Action::Set(value)),
                Member::Merge(patch) => self.merge(patch),
            };
            branches.add(name, below);
        }
        self.finish(index, branches)
    }

    fn leaf(&mut self, action: Action<V>) -> usize {
        let index = self.steps.len();
        self.steps.push(Step { action, branches: Branches::default(), end: index.saturating_add(1) });
        index
    }

    fn finish(&mut self, index: usize, branches: Branches) -> usize {
        let end = self.steps.len();
        if let Some(step) = self.steps.get_mut(index) {
            step.branches = branches;
            step.end = end;
        }
        index
    }
}

impl<V> Patch<V> {
    /// The merge patch that an object is; `make` prepares its values.
    #[must_use]
    pub fn from_object(object: &Map<String, Value>, make: &mut dyn FnMut(&Value) -> V) -> Self {
        let member = |value: &Value, make: &mut dyn FnMut(&Value) -> V| match value {
            Value::Null => Member::Remove,
            Value::Object(object) if !is_raw(object) => Member::Merge(Self::from_object(object, make)),
            value => Member::Set(make(value)),
        };
        let members = object.iter().map(|(name, value)| (name.clone(), member(value, make))).collect();
        Self { whole: make(&Value::Object(without_nulls(object))), members }
    }
}

/// Whether an object stands for JSON as it is written.
#[must_use]
pub fn is_raw(object: &Map<String, Value>) -> bool {
    object.len() == 1 && object.contains_key(RAW)
}

/// What a merge patch makes of nothing (RFC 7396 § 2).
fn without_nulls(object: &Map<String, Value>) -> Map<String, Value> {
    let members = object.iter().filter(|(_, value)| !value.is_null());
    let made = members.map(|(name, value)| match value {
        Value::Object(object) if !is_raw(object) => (name.clone(), Value::Object(without_nulls(object))),
        value => (name.clone(), value.clone()),
    });
    made.collect()
}

impl<V> Action<V> {
    /// What a member that is missing is added with.
    pub(super) const fn value(&self) -> Option<&V> {
        match self {
            Self::Set(value) | Self::Insert(value) | Self::Merge(value) => Some(value),
            Self::Walk | Self::Remove => None,
        }
    }
}

impl Branches {
    fn add(&mut self, name: String, step: usize) {
        // Each UTF-16 unit takes at most the six bytes of an escape.
        let spelled = name.encode_utf16().count().saturating_mul(6);
        self.longest_key = self.longest_key.max(spelled);
        if let Some(index) = array_index(&name) {
            self.indexes.insert(index, step);
        }
        self.names.insert(name, step);
    }

    pub(super) fn member(&self, name: &str) -> Option<usize> {
        self.names.get(name).copied()
    }

    pub(super) fn element(&self, index: u64) -> Option<usize> {
        self.indexes.get(&index).copied()
    }

    pub(super) fn members(&self) -> impl Iterator<Item = (&str, usize)> {
        self.names.iter().map(|(name, step)| (name.as_str(), *step))
    }

    pub(super) const fn longest_key(&self) -> usize {
        self.longest_key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(pointers: &[&str]) -> Result<Plan<u8>, Vec<Overlap>> {
        Plan::new(pointers.iter().map(|pointer| (pointer.parse().unwrap(), Change::Set(0))).collect())
    }

    #[test]
    fn places_in_one_another_are_refused_all_at_once() {
        let overlaps = plan(&["/b", "/a/b/c", "/a", "/a-", "/a/x", "/b", "/c/0", "/c/00"]).unwrap_err();
        let shown: Vec<String> =
            overlaps.iter().map(|overlap| format!("{} in {}", overlap.inner, overlap.outer)).collect();
        assert_eq!(shown, ["/a/b/c in /a", "/a/x in /a", "/b in /b"]);
        assert_eq!(plan(&["", "/a"]).unwrap_err().len(), 1);
        assert!(plan(&["/a", "/a-", "/ab", "/b/a", "/c/0/a", "/c/0/b", "/"]).is_ok());
    }

    #[test]
    fn steps_stand_before_those_below_them() {
        let plan = plan(&["/a/x", "/a/y", "/b"]).unwrap();
        let ends: Vec<usize> = (0..plan.len()).map(|index| plan.step(index).unwrap().end).collect();
        assert_eq!(ends, [5, 4, 3, 4, 5]);
        assert_eq!(plan.step(0).unwrap().branches.member("b"), Some(4));
    }
}
