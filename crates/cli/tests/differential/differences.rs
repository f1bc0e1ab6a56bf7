//! Where the two differ, and which of those differences are meant.
//!
//! By name:
//!
//! - `the SDK throws`: where a member has a type that it can't use, it gives no answer at all. We switch the rule, or the
//!   experiment, off and answer.
//! - `echoed weights`: with the result of a contextual bandit the SDK repeats the leaf's weights as they are written. Where
//!   they are no list we give those that counted. The decision is the same.
//!
//! Not generated, because they are meant as well, and said where they are decided (`src/decide/condition.rs`,
//! `src/decide/url.rs`):
//!
//! - regular expressions that only JavaScript has (lookaround, backreferences, `[^]`, Unicode in `\s`), and letters beyond
//!   ASCII without regard to case in them: ours take linear time;
//! - patterns that are no text: the SDK answers them from a cache by their text form, so `null` is an error until somebody
//!   asks for `"null"`;
//! - objects that differ in the order of members only;
//! - paths into what JavaScript's lists and texts inherit (`tags.length`);
//! - operands of connectives and of `$elemMatch` that are no objects or lists;
//! - hosts beyond ASCII, and `^` in paths, which the SDK's runtime has as an older version of the URL Standard does.

use std::fmt;

use serde_json::Value;

/// One decision that differs.
pub(crate) struct Difference {
    /// Of a difference that is meant.
    pub(crate) name: Option<&'static str>,
    at: String,
    ours: Value,
    theirs: Value,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  ours   {}\n  theirs {}", self.at, self.ours, self.theirs)
    }
}

const THROWS: &str = "the SDK throws";
const ECHOED: &str = "echoed weights";

/// Whether two results differ only in weights that are no list.
fn are_echoed(ours: &Value, theirs: &Value) -> bool {
    let weights = "/experimentResult/variationWeights";
    let mut ours = ours.clone();
    match (ours.pointer_mut(weights), theirs.pointer(weights)) {
        (Some(ours), theirs) if theirs.is_none_or(|theirs| !theirs.is_array()) => {
            *ours = theirs.cloned().unwrap_or_default();
        }
        _ => return false,
    }
    same(&ours, theirs)
}

pub(crate) fn between(request: &Value, ours: &Value, theirs: &Value) -> Vec<Difference> {
    let difference = |name, at: String, ours: &Value, theirs: &Value| Difference {
        name,
        at,
        ours: ours.clone(),
        theirs: theirs.clone(),
    };
    if theirs.get("threw").is_some() {
        return vec![difference(Some(THROWS), "all".to_owned(), ours, theirs)];
    }
    if request.get("condition").is_some() {
        let same = ours == theirs;
        return if same { Vec::new() } else { vec![difference(None, "match".to_owned(), ours, theirs)] };
    }
    let mut found = Vec::new();
    for section in ["features", "experiments"] {
        let (ours, theirs) = (&ours[section], &theirs[section]);
        for (key, theirs) in theirs.as_object().into_iter().flatten() {
            let name = match theirs.get("threw") {
                Some(_) => Some(THROWS),
                None => are_echoed(&ours[key], theirs).then_some(ECHOED),
            };
            if name.is_some() || !same(&ours[key], theirs) {
                found.push(difference(name, format!("{section}/{key}"), &ours[key], theirs));
            }
        }
        let count = |side: &Value| side.as_object().map(serde_json::Map::len);
        if count(ours) != count(theirs) && found.iter().all(|difference| difference.name.is_none()) {
            found.push(difference(None, section.to_owned(), ours, theirs));
        }
    }
    let documents = "stickyBucketAssignmentDocs";
    if found.is_empty() && !same(&ours[documents], &theirs[documents]) {
        found.push(difference(None, documents.to_owned(), &ours[documents], &theirs[documents]));
    }
    found
}

/// How many of an answer's decisions are a condition that holds, or an experiment that the visitor is in.
pub(crate) fn positive(answer: &Value) -> usize {
    let is_in = |result: &Value| result["inExperiment"] == true;
    let members = |section: &str| answer[section].as_object().into_iter().flatten();
    usize::from(answer["match"] == true)
        + members("features").filter(|(_, result)| is_in(&result["experimentResult"])).count()
        + members("experiments").filter(|(_, result)| is_in(result)).count()
}

/// Numbers as numbers, and `null` as what isn't there: JSON has no `undefined`.
fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.keys().chain(b.keys()).all(|key| same(&ours[key], &theirs[key]))
        }
        _ => ours == theirs,
    }
}
