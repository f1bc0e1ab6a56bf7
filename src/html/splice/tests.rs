use super::*;
use proptest::prelude::*;

/// A source is walked as a script: what is skipped, what is edited, what is held open. From one script come both the
/// calls to the splicer and the output that a naive in-memory editor would give.
#[derive(Debug, Clone)]
enum Step {
    Skip(usize),
    Replace(usize, Vec<u8>),
    Region(Vec<Self>, Outcome),
}

#[derive(Debug, Clone)]
enum Outcome {
    Kept { lead: Vec<u8>, trail: Vec<u8> },
    Dropped { with: Vec<u8> },
    GivenUp,
    NeverSettled,
}

fn step() -> impl Strategy<Value = Step> {
    let text = || proptest::collection::vec(b'A'..=b'Z', 0..4);
    let leaf = prop_oneof![
        (0usize..6).prop_map(Step::Skip),
        (0usize..4, text()).prop_map(|(n, with)| Step::Replace(n, with)),
    ];
    leaf.prop_recursive(4, 24, 5, move |inner| {
        let outcome = prop_oneof![
            (text(), text()).prop_map(|(lead, trail)| Outcome::Kept { lead, trail }),
            text().prop_map(|with| Outcome::Dropped { with }),
            Just(Outcome::GivenUp),
            Just(Outcome::NeverSettled),
        ];
        (proptest::collection::vec(inner, 0..5), outcome).prop_map(|(steps, o)| Step::Region(steps, o))
    })
}

enum Call {
    Edit(Edit),
    Open(u64),
    Settle { nth: usize, lead: Vec<Edit>, inner: Inner, trail: Vec<Edit> },
}

#[derive(Default)]
struct Script {
    source: Vec<u8>,
    calls: Vec<(u64, Call)>,
    opened: usize,
}

impl Script {
    fn grow(&mut self, n: usize) {
        for _ in 0..n {
            let next = b'a' + u8::try_from(self.source.len() % 26).unwrap();
            self.source.push(next);
        }
    }

    fn walk(&mut self, steps: &[Step]) -> Vec<u8> {
        let mut expected = Vec::new();
        for step in steps {
            let start = as_u64(self.source.len());
            match step {
                Step::Skip(n) => {
                    self.grow(*n);
                    expected.extend_from_slice(&self.source[as_usize(start)..]);
                }
                Step::Replace(n, with) => {
                    self.grow(*n);
                    let end = as_u64(self.source.len());
                    self.calls.push((end, Call::Edit(Edit::new(start..end, with.clone(), 0))));
                    expected.extend_from_slice(with);
                }
                Step::Region(steps, outcome) => {
                    let nth = self.opened;
                    self.opened += 1;
                    self.calls.push((start, Call::Open(start)));
                    let inner = self.walk(steps);
                    let end = as_u64(self.source.len());
                    let at = |offset, with: &Vec<u8>| vec![Edit::insert(offset, with.clone(), 0)];
                    let (call, output) = match outcome {
                        Outcome::Kept { lead, trail } => (
                            Some((at(start, lead), Inner::Keep, at(end, trail))),
                            [lead.clone(), inner, trail.clone()].concat(),
                        ),
                        Outcome::Dropped { with } => (
                            Some((vec![Edit::new(start..end, with.clone(), 0)], Inner::Drop, vec![])),
                            with.clone(),
                        ),
                        Outcome::GivenUp => (Some((vec![], Inner::Keep, vec![])), inner),
                        Outcome::NeverSettled => (None, inner),
                    };
                    if let Some((lead, inner, trail)) = call {
                        self.calls.push((end, Call::Settle { nth, lead, inner, trail }));
                    }
                    expected.extend(output);
                }
            }
        }
        expected
    }
}

fn run(script: Script, cuts: &[usize]) -> Vec<u8> {
    let mut splicer = Splicer::default();
    let mut regions = Vec::new();
    let mut dropped = Vec::new();
    let mut out = Vec::new();
    let mut calls = script.calls.into_iter().peekable();
    let mut start = 0;
    let len = script.source.len();
    for end in cuts.iter().copied().chain([len]) {
        let end = end.min(len);
        if end < start {
            continue;
        }
        while let Some((_, call)) = calls.next_if(|(at, _)| *at <= as_u64(end)) {
            match call {
                Call::Edit(edit) => splicer.edit(edit).unwrap(),
                Call::Open(at) => regions.push(splicer.open(at)),
                Call::Settle { nth, lead, inner, trail } => {
                    splicer.settle(regions[nth], lead, inner, trail, &mut dropped).unwrap();
                }
            }
        }
        // As a parser does: what is cut in the middle of an edit is not located before its end has come.
        let located = match calls.peek() {
            Some((_, Call::Edit(edit))) => edit.range.start.min(as_u64(end)),
            _ => as_u64(end),
        };
        let chunk = &script.source[start..end];
        let tail = splicer.push(chunk, located, &mut out);
        out.extend_from_slice(&chunk[chunk.len() - tail..]);
        start = end;
    }
    splicer.finish(&mut out);
    out
}

proptest! {
    #[test]
    fn agrees_with_a_naive_editor(
        steps in proptest::collection::vec(step(), 0..8),
        cuts in proptest::collection::vec(0usize..60, 0..8),
    ) {
        let mut script = Script::default();
        let expected = script.walk(&steps);
        let mut cuts = cuts;
        cuts.sort_unstable();
        prop_assert_eq!(
            String::from_utf8(run(script, &cuts)).unwrap(),
            String::from_utf8(expected).unwrap()
        );
    }
}

#[test]
fn untouched_chunk_is_not_copied() {
    let mut splicer = Splicer::default();
    let mut out = Vec::new();
    assert_eq!(splicer.push(b"plain", 5, &mut out), 5);
    assert!(out.is_empty());
}

#[test]
fn what_is_not_located_yet_waits() {
    let mut splicer = Splicer::default();
    let mut out = Vec::new();
    assert_eq!(splicer.push(b"text <im", 5, &mut out), 0);
    assert_eq!(out, b"text ");
    assert_eq!(splicer.held(), b"<im");
    splicer.edit(Edit::new(5..10, "<b>", 0)).unwrap();
    assert_eq!(splicer.push(b"g> more", 15, &mut out), 5);
    assert_eq!(out, b"text <b>");
}

#[test]
fn an_edit_before_the_last_one_is_an_error() {
    let mut splicer = Splicer::default();
    splicer.edit(Edit::new(4..8, "x", 0)).unwrap();
    assert_eq!(splicer.edit(Edit::insert(7, "y", 0)), Err(SpliceError::OutOfOrder { start: 7, earliest: 8 }));
}

#[test]
fn owners_of_dropped_edits_are_told() {
    let mut splicer = Splicer::default();
    let mut dropped = Vec::new();
    splicer.edit(Edit::insert(0, "kept", 1)).unwrap();
    let region = splicer.open(2);
    splicer.edit(Edit::insert(3, "gone", 2)).unwrap();
    splicer.settle(region, vec![Edit::new(2..5, "-", 3)], Inner::Drop, vec![], &mut dropped).unwrap();
    assert_eq!(dropped, [2]);
    assert_eq!(
        splicer.settle(region, vec![], Inner::Keep, vec![], &mut dropped),
        Err(SpliceError::UnknownRegion)
    );
}

#[test]
fn what_has_left_is_known_for_a_while() {
    let source: Vec<u8> = (b'a'..=b'z').cycle().take(100).collect();
    for size in [1, 3, 20, 100] {
        let (mut splicer, mut out, mut at) = (Splicer::default(), Vec::new(), 0);
        for chunk in source.chunks(size) {
            let end = at + chunk.len();
            let expected = &source[end.saturating_sub(MAX_PAST)..end];
            assert_eq!(splicer.before(as_u64(end), chunk), expected, "{size} to {end}");
            let expected = &source[at.saturating_sub(MAX_PAST)..at];
            assert_eq!(splicer.before(as_u64(at), chunk), expected, "{size} from {at}");
            splicer.push(chunk, as_u64(end), &mut out);
            at = end;
        }
    }
}
