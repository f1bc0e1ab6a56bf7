//! Two traces, member by member: what was recorded, and what came of running it again.

use std::collections::BTreeMap;

use engraft::explain::trace::{HIDDEN, HeaderChange, Trace};
use serde::Serialize;

/// The name of a member, and what it says.
type Compared = (&'static str, fn(&Trace) -> Facts);

/// The members that are compared, in the order in which an exchange comes to them.
const MEMBERS: [Compared; 11] = [
    ("configuration", configuration),
    ("payload", payload),
    ("route", route),
    ("attributes", attributes),
    ("decisions", decisions),
    ("patches", patches),
    ("origin", origin),
    ("response", response),
    ("outcomes", outcomes),
    ("body", body),
    ("exposures", exposures),
];

/// What a member says, by what it says it of.
type Facts = BTreeMap<String, String>;

/// What of a trace can be compared besides what is always in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    /// The page was at hand when it was run again.
    pub(super) page: bool,
    /// All that the request says, nothing of it hidden.
    pub(super) request: bool,
}

/// What has a digest of all values in it that patches read, the hidden ones too.
const VALIDATORS: [&str; 3] = ["etag", "if-match", "if-none-match"];

/// A member of two traces.
#[derive(Debug, Serialize)]
pub(super) struct Member {
    pub(super) name: &'static str,
    /// Why nothing can be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) not_compared: Option<&'static str>,
    pub(super) differences: Vec<Difference>,
    /// Whose values are hidden, or are those of the debug header that is not answered here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) unknown: Vec<String>,
}

/// What is not the same; none where there was nothing, or is nothing now.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Difference {
    pub(super) of: String,
    pub(super) recorded: Option<String>,
    pub(super) replayed: Option<String>,
}

pub(super) fn compare(recorded: &Trace, replayed: &Trace, known: Known) -> Vec<Member> {
    let mut unknown = changed_by_debug(recorded, replayed);
    if !known.request && recorded.attributes.iter().any(|attribute| attribute.hidden) {
        unknown.extend(VALIDATORS.map(str::to_owned));
    }
    let member = |(name, facts): &Compared| {
        let not_compared = missing(name, recorded, known);
        let mut member = Member { name, not_compared, differences: Vec::new(), unknown: Vec::new() };
        if not_compared.is_none() {
            let of_head = matches!(*name, "origin" | "response");
            let unknown = if of_head { unknown.as_slice() } else { &[] };
            member.compare(facts(recorded), facts(replayed), unknown);
        }
        member
    };
    MEMBERS.iter().map(member).collect()
}

impl Member {
    pub(super) fn is_same(&self) -> bool {
        self.differences.is_empty()
    }

    /// What differs, but for what is not known anyway.
    fn compare(&mut self, recorded: Facts, mut replayed: Facts, unknown: &[String]) {
        for (of, before) in recorded {
            let after = replayed.remove(&of);
            let hides = before.contains(HIDDEN);
            if after.as_ref().is_some_and(|after| agrees(&before, after)) {
                // A placeholder that both have is no news, but for attributes, which others are made from.
                if hides && (after.as_ref() != Some(&before) || self.name == "attributes") {
                    self.unknown.push(of);
                }
            } else if unknown.contains(&of) {
                self.unknown.push(of);
            } else {
                self.differences.push(Difference { of, recorded: Some(before), replayed: after });
            }
        }
        for (of, after) in replayed {
            if unknown.contains(&of) {
                self.unknown.push(of);
            } else {
                self.differences.push(Difference { of, recorded: None, replayed: Some(after) });
            }
        }
    }
}

/// Whether a text may be the recorded one, where anything may be hidden.
fn agrees(recorded: &str, replayed: &str) -> bool {
    let Some((start, after)) = recorded.split_once(HIDDEN) else { return recorded == replayed };
    let Some(mut rest) = replayed.strip_prefix(start) else { return false };
    let (middle, end) = after.rsplit_once(HIDDEN).map_or((None, after), |(middle, end)| (Some(middle), end));
    for piece in middle.into_iter().flat_map(|middle| middle.split(HIDDEN)) {
        let Some((_, after)) = rest.split_once(piece) else { return false };
        rest = after;
    }
    rest.ends_with(end)
}

/// Why a member can't be compared.
fn missing(name: &str, recorded: &Trace, known: Known) -> Option<&'static str> {
    const ROOM: &str = "there was no room for it in the trace";
    let is_out = |what: &str| recorded.left_out.iter().any(|out| out == what);
    let body = recorded.body.as_ref().map(|body| body.state.as_str());
    match (name, body) {
        ("attributes" | "origin", _) if is_out(name) => Some(ROOM),
        ("decisions" | "patches", _) if is_out("patches, decisions") => Some(ROOM),
        ("response", _) if is_out("response.headers") => {
            Some("there was no room in the trace for the head that came")
        }
        ("response", _) if is_out("response.changes") => Some(ROOM),
        ("outcomes" | "body" | "exposures", None) => Some("a header leaves before the body does"),
        ("outcomes" | "body" | "exposures", Some("aborted")) => Some("it broke off"),
        ("outcomes" | "body" | "exposures", Some(state)) if !known.page && depends_on_page(state) => {
            Some("the page is not at hand; name it with --body")
        }
        _ => None,
    }
}

fn depends_on_page(state: &str) -> bool {
    matches!(state, "edited" | "reverted" | "untouched:corrupt_coding" | "untouched:expansion")
        || state.starts_with("broken")
}

/// The headers that the debug header changed there, where it is not answered here.
fn changed_by_debug(recorded: &Trace, replayed: &Trace) -> Vec<String> {
    let of = |trace: &Trace| -> Vec<String> {
        let changes = trace.response.iter().flat_map(|response| &response.changes);
        let by_debug = changes.filter(|change| change.by.iter().any(|by| by == "debug"));
        by_debug.map(|change| change.name.clone()).collect()
    };
    if of(replayed).is_empty() { of(recorded) } else { Vec::new() }
}

fn pairs<K: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (K, V)>) -> Facts {
    pairs.into_iter().map(|(of, value)| (of.into(), value.into())).collect()
}

fn configuration(trace: &Trace) -> Facts {
    let engine = &trace.engine;
    pairs([("digest", &engine.configuration), ("version of engraft", &engine.version)])
}

fn payload(trace: &Trace) -> Facts {
    pairs(trace.engine.payload.as_ref().map(|digest| ("digest", digest)))
}

fn route(trace: &Trace) -> Facts {
    pairs([("name", trace.route.as_deref().unwrap_or("none"))])
}

fn attributes(trace: &Trace) -> Facts {
    pairs(trace.attributes.iter().map(|attribute| (&attribute.name, attribute.value.to_string())))
}

fn decisions(trace: &Trace) -> Facts {
    let shown = |value: &str, because: &str| format!("{value}, by {because}");
    pairs(trace.decisions.iter().map(|it| (&it.name, shown(&it.value, &it.because))))
}

/// Of those that are not to be applied there may have been no room.
fn patches(trace: &Trace) -> Facts {
    pairs(trace.patches.iter().filter(|patch| patch.eligible).map(|patch| (&patch.name, "to be applied")))
}

fn outcomes(trace: &Trace) -> Facts {
    let outcomes = trace.patches.iter().flat_map(|patch| {
        patch.outcomes.iter().enumerate().map(|(number, outcome)| {
            let part = outcome.part.clone().unwrap_or_else(|| number.to_string());
            let of =
                if patch.outcomes.len() > 1 { format!("{}.{part}", patch.name) } else { patch.name.clone() };
            (of, outcome.state.clone())
        })
    });
    pairs(outcomes)
}

fn origin(trace: &Trace) -> Facts {
    let Some(origin) = &trace.origin else { return pairs([("url", "not asked")]) };
    let mut facts = pairs(origin.changes.iter().map(change));
    facts.insert("url".to_owned(), origin.url.clone());
    facts
}

fn response(trace: &Trace) -> Facts {
    let Some(response) = &trace.response else { return Facts::new() };
    let mut facts = pairs(response.changes.iter().map(change));
    facts.insert("status".to_owned(), response.status.to_string());
    if let Some(patch) = &response.redirected_by {
        facts.insert("redirected by".to_owned(), patch.clone());
        // It was made here, all of it.
        facts.extend(response.headers.iter().map(|header| (header.name.clone(), header.value.clone())));
    }
    facts
}

fn change(change: &HeaderChange) -> (&String, String) {
    let after = if change.after.is_empty() { "gone".to_owned() } else { change.after.join(", ") };
    (&change.name, format!("{after}  ({})", change.by.join(", ")))
}

fn body(trace: &Trace) -> Facts {
    let Some(body) = &trace.body else { return Facts::new() };
    let edit = |edit: &engraft::explain::trace::Edit| {
        let shown = format!("{:?} → {:?}, by {}", edit.was, edit.with, edit.patches.join(", "));
        (format!("bytes {:>8} to {}", edit.start, edit.end), shown)
    };
    let mut facts = pairs(body.edits.iter().map(edit));
    facts.insert("state".to_owned(), body.state.clone());
    facts
}

fn exposures(trace: &Trace) -> Facts {
    pairs(trace.exposures.iter().map(|exposure| (&exposure.experiment, &exposure.variation)))
}

#[cfg(test)]
mod tests {
    use engraft::explain::trace::{Attribute, Body, Decision, Edit, Response};

    use super::*;

    const KNOWN: Known = Known { page: true, request: true };

    fn trace() -> Trace {
        let edit =
            Edit { start: 4, end: 7, was: "Old".into(), with: "Hi ‹hidden›!".into(), ..Edit::default() };
        let body = Body { state: "edited".into(), edits: vec![edit], ..Body::default() };
        let cache = HeaderChange {
            name: "cache-control".into(),
            after: vec!["private, no-store".into()],
            by: vec!["cache_policy".into(), "debug".into()],
            ..HeaderChange::default()
        };
        Trace {
            route: Some("product".into()),
            attributes: vec![Attribute {
                name: "session".into(),
                value: HIDDEN.into(),
                ..Attribute::default()
            }],
            decisions: vec![Decision {
                name: "variants.hero".into(),
                value: "bold".into(),
                because: "hash".into(),
            }],
            response: Some(Response { status: 200, changes: vec![cache], ..Response::default() }),
            body: Some(body),
            ..Trace::default()
        }
    }

    fn of<'m>(members: &'m [Member], name: &str) -> &'m Member {
        members.iter().find(|member| member.name == name).unwrap()
    }

    #[test]
    fn what_is_hidden_agrees_with_anything() {
        for (recorded, replayed, agree) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("‹hidden›", "", true),
            ("a‹hidden›c", "abc", true),
            ("a‹hidden›c‹hidden›e", "abcde", true),
            ("a‹hidden›c‹hidden›e", "abde", false),
            ("a‹hidden›c", "ab", false),
            ("a‹hidden›a", "a", false),
        ] {
            assert_eq!(agrees(recorded, replayed), agree, "{recorded} {replayed}");
        }
    }

    #[test]
    fn differences_are_told_by_member() {
        let mut replayed = trace();
        replayed.attributes[0].value = "x".into();
        replayed.decisions[0].value = "control".into();
        replayed.body.as_mut().unwrap().edits[0].with = "Hi you!".into();
        let members = compare(&trace(), &replayed, KNOWN);
        let different: Vec<&str> = members.iter().filter(|it| !it.is_same()).map(|it| it.name).collect();
        assert_eq!(different, ["decisions"]);
        let difference = Difference {
            of: "variants.hero".into(),
            recorded: Some("bold, by hash".into()),
            replayed: Some("control, by hash".into()),
        };
        assert_eq!(of(&members, "decisions").differences, [difference]);
        assert_eq!(of(&members, "attributes").unknown, ["session"]);
        assert_eq!(of(&members, "body").unknown, ["bytes        4 to 7"]);
    }

    #[test]
    fn what_a_trace_does_not_tell_is_not_compared() {
        let members = compare(&trace(), &Trace::default(), Known { page: false, ..KNOWN });
        assert!(of(&members, "body").not_compared.is_some_and(|why| why.contains("--body")));
        let mut header = Trace { body: None, ..trace() };
        header.left_out = ["response.headers", "attributes", "patches, decisions"].map(str::to_owned).into();
        let members = compare(&header, &Trace::default(), KNOWN);
        let compared: Vec<&str> =
            members.iter().filter(|it| it.not_compared.is_none()).map(|it| it.name).collect();
        assert_eq!(compared, ["configuration", "payload", "route", "origin"]);
    }

    #[test]
    fn a_validator_is_made_from_what_is_hidden_too() {
        let etag = |value: &str| HeaderChange {
            name: "etag".into(),
            after: vec![value.into()],
            by: vec!["edited_body".into()],
            ..HeaderChange::default()
        };
        let (mut recorded, mut replayed) = (trace(), trace());
        recorded.attributes[0].hidden = true;
        recorded.response.as_mut().unwrap().changes.push(etag("W/\"a;e=1\""));
        replayed.response.as_mut().unwrap().changes.push(etag("W/\"a;e=2\""));
        let members = compare(&recorded, &replayed, Known { request: false, ..KNOWN });
        assert_eq!(of(&members, "response").unknown, ["etag"]);
        assert!(members.iter().all(Member::is_same));
        let members = compare(&recorded, &replayed, KNOWN);
        assert!(!of(&members, "response").is_same(), "it was given again");
    }

    #[test]
    fn what_debug_headers_change_counts_only_where_they_are_answered() {
        let mut replayed = trace();
        replayed.response.as_mut().unwrap().changes.clear();
        let members = compare(&trace(), &replayed, KNOWN);
        assert!(of(&members, "response").is_same());
        assert_eq!(of(&members, "response").unknown, ["cache-control"]);
    }
}
