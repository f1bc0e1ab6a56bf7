//! The judge, judged: what is wrong has to be found wrong.

use engraft_oracle::dom::Dom;
use engraft_oracle::operation::{Operation, Patch};
use libtest_mimic::Trial;

use crate::generate;
use crate::judge::{Told, Verdict, explained, verdict};
use crate::random::Random;

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("judge::sees_what_is_wrong", || sees_what_is_wrong().map_err(Into::into)),
        Trial::test("judge::finds_what_was_left_out", || finds_what_was_left_out().map_err(Into::into)),
    ]
}

fn sees_what_is_wrong() -> Result<(), String> {
    let source = "<p>1</p><p>2</p>";
    let patch =
        Patch { select: "p".to_owned(), all: true, operations: vec![Operation::Text("new".to_owned())] };
    let nothing = Patch { select: "i".to_owned(), ..patch.clone() };
    let told = |applied, skipped| Told::new(applied, skipped);
    let wrong = [
        (&patch, "<p>new</p><p>2</p>", told(2, 0)),
        (&patch, "<p>new</p><p>2</p>", told(1, 0)),
        (&patch, "<p>new</p><p>x</p>", told(1, 1)),
        (&patch, "<p>new</p><p>2</p>", told(0, 2)),
        (&patch, "<p>new<i></p><p>new</p>", told(2, 0)),
        (&patch, source, told(0, 0)),
        (&patch, source, told(2, 0)),
        (&nothing, "<p>new</p><p>new</p>", told(0, 0)),
        (&nothing, source, told(1, 0)),
    ];
    let fine = [
        (&patch, "<p>new</p><p>new</p>", told(2, 0), Verdict::Right),
        (&patch, "<p>new<p>new", told(2, 0), Verdict::Right),
        (&patch, "<p>1</p><p>new</p>", told(1, 1), Verdict::Skipped("unclosed".to_owned())),
        (&patch, source, told(0, 2), Verdict::Skipped("unclosed".to_owned())),
        (&nothing, source, told(0, 0), Verdict::Untouched),
    ];
    let dom = Dom::parse(source.as_bytes());
    let judge = |patch: &Patch, output: &str, told: &Told| -> Result<Verdict, String> {
        let matches = patch.matches(&dom)?;
        let expected = patch.apply(&dom, &matches);
        Ok(verdict(source.as_bytes(), &dom, patch, &matches, &expected, output.as_bytes(), told))
    };
    for (patch, output, told) in wrong {
        let verdict = judge(patch, output, &told)?;
        if !matches!(verdict, Verdict::Wrong(_)) {
            return Err(format!("{} {output} {told}: {verdict:?}", patch.select));
        }
    }
    for (patch, output, told, expected) in fine {
        let verdict = judge(patch, output, &told)?;
        if verdict != expected {
            return Err(format!("{} {output} {told}: {verdict:?}", patch.select));
        }
    }
    Ok(())
}

/// Of what was done to some of the elements, the judge finds that it was done to some of the elements.
fn finds_what_was_left_out() -> Result<(), String> {
    let mut random = Random::new(7);
    let mut tried = 0;
    while tried < 200 {
        let dom = Dom::parse(generate::document(&mut random).concat().as_bytes());
        let patch = Patch { all: true, ..generate::patch(&mut random, &dom)? };
        let matches = patch.matches(&dom)?;
        if matches.len() < 2 {
            continue;
        }
        tried += 1;
        let mut some = matches.clone();
        for _ in 0..=random.below(3) {
            if some.len() > 1 {
                some.remove(random.below(some.len()));
            }
        }
        let actual = patch.apply(&dom, &some);
        if !explained(&dom, &patch, &matches, some.len(), &actual) {
            return Err(format!("{}: {some:?} of {matches:?}", patch.to_json()));
        }
    }
    Ok(())
}
