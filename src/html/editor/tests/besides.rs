//! What an editor does besides editing: content that is made at the end, and patches that are only looked for.

use super::*;
use crate::html::late::LateContent;
use std::rc::Rc;

/// Says what became of the patches before it, if anything was applied.
#[derive(Debug)]
struct Told;

impl LateContent for Told {
    fn markup(&self, outcomes: &[Outcome]) -> Option<Vec<u8>> {
        let applied: Vec<u32> = outcomes.iter().map(|outcome| outcome.applied).collect();
        let skipped = outcomes.iter().map(|outcome| outcome.matched() - outcome.applied).sum::<u32>();
        applied.iter().any(|n| *n > 0).then(|| format!("[{applied:?} {skipped}]").into_bytes())
    }
}

fn told() -> Vec<LateInsertion> {
    vec![LateInsertion { content: Rc::new(Told), policies: None, in_xml: false }]
}

#[test]
fn late_content_knows_what_became_of_all_patches() {
    let body_end = ElementPatch {
        site: Site::Landmark(Landmark::BodyEnd),
        ..patch("p", [Operation::Before(content("<i></i>"))])
    };
    let patches = [
        body_end,
        all("p", [text("x")]),
        patch("div", [Operation::Append(content("D"))]),
        patch("body", [Operation::Append(content("B"))]),
        patch("div p", [set("id", "gone")]),
        patch("div", [text("new")]),
    ];
    for (page, expected) in [
        ("<body><p>1</p></body></html>\n", "<body><p>x</p>B<i></i>[[1, 1, 0, 1, 0, 0] 0]</body></html>\n"),
        // A body without a tag of its own is not edited.
        ("<p>1</p>", "<p>x</p><i></i>[[1, 1, 0, 0, 0, 0] 1]"),
        ("<body><p>1", "<body><p>x</p>B<i></i>[[1, 1, 0, 1, 0, 0] 0]"),
        // What is covered has not been applied, and what never ends is skipped.
        (
            "<body><div><p>1</p></div><p>2</body>",
            "<body><div>new</div><p>x</p>B<i></i>[[1, 1, 0, 1, 0, 1] 3]</body>",
        ),
        ("<body><div>a</body>", "<body><div>a</div>B<i></i>[[1, 0, 0, 1, 0, 0] 2]</body>"),
        // Behind the body, and still in it.
        ("<body></body><p>1</p>", "<body></body><p>x</p>B<i></i>[[1, 1, 0, 1, 0, 0] 0]"),
        // There is no place.
        ("<body><p>1</p><script>", "<body><p>x</p><script>"),
        ("<frameset><p>", "<frameset><p>"),
    ] {
        let whole = run_with(&patches, told(), page.as_bytes(), &[]);
        for cut in 0..page.len() {
            assert_eq!(run_with(&patches, told(), page.as_bytes(), &[cut]), whole, "cut at {cut}");
        }
        assert_eq!(String::from_utf8(whole.0).unwrap(), expected);
        let late = whole.1.last().unwrap();
        assert_eq!(late.applied, u32::from(expected.contains('[')), "{page}: {late:?}");
    }
}

#[test]
fn late_content_closes_nothing_in_xml() {
    let page = "<body><h1>1</h1><div/></body>";
    let late = |in_xml| told().into_iter().map(|it| LateInsertion { in_xml, ..it }).collect::<Vec<_>>();
    for (in_xml, expected) in [(true, ""), (false, "</div>")] {
        let (out, _) = run_with(&[patch("h1", [text("x")])], late(in_xml), page.as_bytes(), &[]);
        let expected = format!("<body><h1>x</h1><div/>{expected}[[1] 0]</body>");
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}

#[test]
fn late_content_that_is_nothing_leaves_no_trace() {
    let page = "<p>1</p></body>";
    let (out, outcomes) = run_with(&[patch("h1", [text("x")])], told(), page.as_bytes(), &[]);
    assert_eq!(String::from_utf8(out).unwrap(), page);
    assert_eq!(outcomes[1], Outcome::default());
}

#[test]
fn a_probe_holds_nothing_and_counts_what_would_be_held_for_too_long() {
    let long = format!("<div>{}</div><p>b</p>", "x".repeat(MAX_HELD));
    let never = "<div>".to_owned() + &"x".repeat(100);
    for (page, operation, reason) in [
        (long.as_str(), text("T"), Skip::HeldTooLong),
        (long.as_str(), Operation::Unwrap, Skip::HeldTooLong),
        (never.as_str(), text("T"), Skip::Unclosed),
        (never.as_str(), Operation::Append(content("E")), Skip::Unclosed),
        ("<div/>1<br>", Operation::SetContent(Content { encodable: false, ..content("E") }), Skip::Charset),
    ] {
        let probe = patch("div", [operation.clone()]).probe();
        let mut editor = Editor::new(vec![probe], Charset::from_label(b"utf-8").unwrap(), BOUNDS, MAX_HELD);
        let mut out = Vec::new();
        for byte in page.as_bytes() {
            let tail = editor.write(&[*byte], &mut out);
            out.extend(&[*byte][1 - tail..]);
        }
        assert!(editor.max_held() < 8, "{operation:?} held {}", editor.max_held());
        editor.end(&mut out);
        assert_eq!(out, page.as_bytes());
        let [outcome] = <[Outcome; 1]>::try_from(editor.outcomes()).unwrap();
        assert_eq!(outcome.skipped, [(reason, 1)].into(), "{operation:?}");
        assert_eq!(run(&[patch("div", [operation])], page.as_bytes(), &[]).1, [outcome]);
    }
}

#[test]
fn a_probe_is_covered_by_patches_and_covers_none() {
    let page = "<main><p>1</p></main>";
    let probes = |patch: &ElementPatch| patch.probe();
    for (patches, expected, counts) in [
        ([patch("main", [text("T")]), probes(&patch("p", [text("x")]))], "<main>T</main>", [1, 0]),
        ([probes(&patch("main", [text("T")])), patch("p", [text("x")])], "<main><p>x</p></main>", [1, 1]),
        ([probes(&patch("p", [text("T")])), patch("p", [text("x")])], "<main><p>x</p></main>", [0, 1]),
        ([patch("p", [text("T")]), probes(&patch("p", [text("x")]))], "<main><p>T</p></main>", [1, 1]),
        (
            [patch("p", [Operation::Replace(content(""))]), probes(&patch("p", [text("x")]))],
            "<main></main>",
            [1, 0],
        ),
    ] {
        let (out, outcomes) = edit(&patches, page);
        assert_eq!(out, expected);
        assert_eq!(outcomes.iter().map(|outcome| outcome.applied).collect::<Vec<_>>(), counts, "{expected}");
    }
}

#[test]
fn landmarks_fallbacks_and_skipped_matches_are_probed() {
    let at = |landmark| ElementPatch {
        site: Site::Landmark(landmark),
        ..patch("p", [Operation::Before(content("x"))])
    };
    let mut upsert = patch("head > title", [text("T")]);
    upsert.fallback = Some(Fallback { landmark: Landmark::HeadEnd, content: content("<title>T</title>") });
    let mut second = patch("p", [text("T")]);
    if let Site::Elements { skip_first, .. } = &mut second.site {
        *skip_first = 1;
    }
    let patches = [at(Landmark::HeadStart), at(Landmark::BodyEnd), upsert, second, all("p", [text("T")])];
    for page in
        ["<p>1</p><p>2</p>", "<head><title>t</title></head><p>1", "<svg/>", "<frameset>", "<script>", ""]
    {
        for patch in &patches {
            let (_, real) = edit(std::slice::from_ref(patch), page);
            let (out, probed) = edit(&[patch.probe()], page);
            assert_eq!((out.as_str(), probed), (page, real), "{page}: {patch:?}");
        }
    }
}

/// What a probe must tell of a patch that was alone on its page: what the patch took away from itself it can't know.
fn without_covered(outcome: &Outcome) -> Outcome {
    let mut outcome = outcome.clone();
    outcome.applied += outcome.skipped.remove(&Skip::Covered).unwrap_or_default();
    outcome
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn a_probe_tells_what_its_patch_would_have_come_to(page in markup(), patch in any_patch(), at in any::<u16>()) {
        let (_, real) = run(std::slice::from_ref(&patch), page.as_bytes(), &[]);
        let at = usize::from(at) % (page.len() + 1);
        for cuts in [&[][..], &[at]] {
            let (out, probed) = run(&[patch.probe()], page.as_bytes(), cuts);
            prop_assert_eq!(out, page.as_bytes());
            prop_assert_eq!(&probed[0], &without_covered(&real[0]));
        }
    }

    #[test]
    fn late_content_does_not_depend_on_the_cuts(
        page in markup(),
        patches in prop::collection::vec(any_patch(), 1..4),
        probed in any::<bool>(),
        at in any::<u16>(),
    ) {
        let mut patches = patches;
        patches.iter_mut().for_each(|patch| patch.is_probe = probed);
        let whole = run_with(&patches, told(), page.as_bytes(), &[]);
        let bytewise: Vec<usize> = (1..page.len()).collect();
        prop_assert_eq!(&run_with(&patches, told(), page.as_bytes(), &bytewise), &whole);
        prop_assert_eq!(&run_with(&patches, told(), page.as_bytes(), &[usize::from(at) % (page.len() + 1)]), &whole);
        // What it was told is what is told in the end.
        let (late, outcomes) = whole.1.split_last().unwrap();
        if late.applied > 0 {
            let said = Told.markup(outcomes).unwrap();
            let out = String::from_utf8_lossy(&whole.0);
            prop_assert!(out.contains(&*String::from_utf8_lossy(&said)), "{}", out);
        }
    }
}
