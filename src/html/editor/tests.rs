use super::*;
use crate::html::late::LateContent;
use crate::html::operation::{Content, Dynamic, Fallback, Operation};
use proptest::prelude::*;
use std::rc::Rc;
use std::sync::Arc;

fn content(html: &str) -> Content {
    Content {
        bytes: html.as_bytes().to_vec(),
        needs_markup: false,
        needs_html: false,
        encodable: true,
        has_references: false,
    }
}

fn text(html: &str) -> Operation {
    Operation::SetContent(Content {
        bytes: html.as_bytes().to_vec(),
        needs_markup: true,
        needs_html: false,
        encodable: true,
        has_references: false,
    })
}

fn set(name: &str, value: &str) -> Operation {
    Operation::SetAttribute { name: name.into(), value: value.into(), dynamic: Dynamic::No }
}

fn patch(selector: &str, operations: impl Into<Vec<Operation>>) -> ElementPatch {
    let site = Site::Elements { selector: Arc::new(selector.parse().unwrap()), all: false, skip_first: 0 };
    ElementPatch { site, operations: operations.into(), fallback: None, policies: None, is_probe: false }
}

fn all(selector: &str, operations: impl Into<Vec<Operation>>) -> ElementPatch {
    let mut patch = patch(selector, operations);
    if let Site::Elements { all, .. } = &mut patch.site {
        *all = true;
    }
    patch
}

const BOUNDS: Bounds =
    Bounds { max_tag_bytes: 64 * 1024, max_elements: 1000, max_undecided_bytes: MAX_HELD as u64 };
const MAX_HELD: usize = 4096;

fn run(patches: &[ElementPatch], page: &[u8], cuts: &[usize]) -> (Vec<u8>, Vec<Outcome>) {
    run_with(patches, Vec::new(), page, cuts)
}

fn run_with(
    patches: &[ElementPatch],
    late: Vec<LateInsertion>,
    page: &[u8],
    cuts: &[usize],
) -> (Vec<u8>, Vec<Outcome>) {
    let utf8 = Charset::from_label(b"utf-8").unwrap();
    let mut editor = Editor::with_late(patches.to_vec(), late, utf8, BOUNDS, MAX_HELD);
    let mut out = Vec::new();
    let mut start = 0;
    for end in cuts.iter().copied().chain([page.len()]) {
        let chunk = &page[start..end];
        let tail = editor.write(chunk, &mut out);
        out.extend_from_slice(&chunk[chunk.len() - tail..]);
        start = end;
    }
    editor.end(&mut out);
    (out, editor.outcomes())
}

/// The page after the patches, the same at every split position and byte by byte.
fn edit(patches: &[ElementPatch], page: &str) -> (String, Vec<Outcome>) {
    let page = page.as_bytes();
    let whole = run(patches, page, &[]);
    let bytewise: Vec<usize> = (1..page.len()).collect();
    assert_eq!(run(patches, page, &bytewise), whole, "byte by byte");
    for cut in 0..page.len() {
        assert_eq!(run(patches, page, &[cut]), whole, "cut at {cut}");
    }
    (String::from_utf8(whole.0).unwrap(), whole.1)
}

#[track_caller]
fn check(patches: &[ElementPatch], page: &str, expected: &str) {
    assert_eq!(edit(patches, page).0, expected);
}

#[track_caller]
fn check_skipped(patches: &[ElementPatch], page: &str, expected: &str, skips: &[(usize, Skip)]) {
    let (out, outcomes) = edit(patches, page);
    assert_eq!(out, expected);
    for (index, outcome) in outcomes.iter().enumerate() {
        let expected: Vec<Skip> = skips.iter().filter(|(at, _)| *at == index).map(|(_, s)| *s).collect();
        assert_eq!(outcome.skipped.keys().copied().collect::<Vec<_>>(), expected, "patch {index}");
    }
}

#[test]
fn each_operation() {
    let page = "<main><h1 class=a>Old <b>news</b></h1><p>rest</main>";
    let cases: &[(Operation, &str)] = &[
        (text("New"), "<h1 class=a>New</h1>"),
        (Operation::Replace(content("<h2>x</h2>")), "<h2>x</h2>"),
        (Operation::Replace(content("")), ""),
        (Operation::Before(content("<i></i>")), "<i></i><h1 class=a>Old <b>news</b></h1>"),
        (Operation::After(content("<i></i>")), "<h1 class=a>Old <b>news</b></h1><i></i>"),
        (Operation::Prepend(content("<i></i>")), "<h1 class=a><i></i>Old <b>news</b></h1>"),
        (Operation::Append(content("<i>x")), "<h1 class=a>Old <b>news</b><i>x</i></h1>"),
        (Operation::Unwrap, "Old <b>news</b>"),
        (Operation::Rename("h2".into()), "<h2 class=a>Old <b>news</b></h2>"),
        (set("id", "x"), "<h1 id=\"x\" class=a>Old <b>news</b></h1>"),
        (set("class", "x y"), "<h1 class=\"x y\">Old <b>news</b></h1>"),
        (Operation::RemoveAttribute("class".into()), "<h1>Old <b>news</b></h1>"),
        (Operation::AddClass("b".into()), "<h1 class=\"a b\">Old <b>news</b></h1>"),
        (Operation::RemoveClass("a".into()), "<h1 class=\"\">Old <b>news</b></h1>"),
    ];
    for (operation, expected) in cases {
        check(&[patch("h1", [operation.clone()])], page, &format!("<main>{expected}<p>rest</main>"));
    }
}

#[test]
fn attributes_keep_the_bytes_around_them() {
    let cases: &[(&str, Operation, &str)] = &[
        ("<a href='x' id=y>", set("href", "n"), "<a href='n' id=y>"),
        ("<a href=x>", set("href", "n"), "<a href=\"n\">"),
        ("<a HREF = x >", set("href", "n"), "<a HREF = \"n\" >"),
        ("<a href>", set("href", "n"), "<a href=\"n\">"),
        ("<a href=>", set("href", "n"), "<a href=\"n\">"),
        ("<a href= >", set("href", "n"), "<a href=\"n\" >"),
        ("<a href=\"\">", set("href", "n"), "<a href=\"n\">"),
        ("<a href='1' href='2'>", set("href", "n"), "<a href='n' href='2'>"),
        ("<a/id=1>", set("href", "n"), "<a href=\"n\"/id=1>"),
        ("<A>", set("href", "n"), "<A href=\"n\">"),
        ("<a href='1' href='2'>", Operation::RemoveAttribute("href".into()), "<a>"),
        ("<a x='1'y='2'>", Operation::RemoveAttribute("x".into()), "<a y='2'>"),
        ("<a x='1'y='2'>", Operation::RemoveAttribute("y".into()), "<a x='1'>"),
        ("<a x=1 y>", Operation::RemoveAttribute("y".into()), "<a x=1>"),
        ("<a x= y>", Operation::RemoveAttribute("x".into()), "<a>"),
        ("<a x=>", Operation::RemoveAttribute("x".into()), "<a>"),
        ("<a x\n=\n'1'\ny>", Operation::RemoveAttribute("x".into()), "<a\ny>"),
        ("<a>", Operation::RemoveAttribute("x".into()), "<a>"),
        ("<a>", Operation::AddClass("n".into()), "<a class=\"n\">"),
        ("<a class>", Operation::AddClass("n".into()), "<a class=\"n\">"),
        ("<a class=' m  n '>", Operation::AddClass("n".into()), "<a class=' m  n '>"),
        ("<a class=' m  o '>", Operation::AddClass("n".into()), "<a class='m o n'>"),
        ("<a class='m n m'>", Operation::RemoveClass("m".into()), "<a class='n'>"),
    ];
    for (tag, operation, expected) in cases {
        check(&[patch("a", [operation.clone()])], &format!("{tag}t</a>"), &format!("{expected}t</a>"));
    }
}

#[test]
fn several_patches_on_one_element_apply_in_their_order() {
    let b = |s| Operation::Before(content(s));
    let cases: &[(Vec<Operation>, &str)] = &[
        (vec![b("1"), b("2")], "12<p>old</p>"),
        (vec![Operation::After(content("1")), Operation::After(content("2"))], "<p>old</p>21"),
        (vec![Operation::Prepend(content("1")), Operation::Prepend(content("2"))], "<p>21old</p>"),
        (vec![Operation::Append(content("1")), Operation::Append(content("2"))], "<p>old12</p>"),
        (vec![text("1"), Operation::Append(content("2")), Operation::Prepend(content("0"))], "<p>012</p>"),
        (vec![Operation::Append(content("2")), text("1")], "<p>1</p>"),
        (vec![text("1"), text("2")], "<p>2</p>"),
        (vec![Operation::Unwrap, text("1")], "1"),
        (vec![set("id", "a"), set("id", "b")], "<p id=\"b\">old</p>"),
        (vec![set("class", "a"), Operation::AddClass("b".into())], "<p class=\"a b\">old</p>"),
        (vec![Operation::AddClass("b".into()), set("class", "a")], "<p class=\"a\">old</p>"),
        (vec![Operation::Replace(content("1")), b("0"), Operation::Replace(content("2"))], "01"),
        (vec![set("id", "a"), Operation::Replace(content("1"))], "1"),
    ];
    for (operations, expected) in cases {
        let patches: Vec<_> = operations.iter().map(|op| patch("p", [op.clone()])).collect();
        check(&patches, "<div><p>old</p></div>", &format!("<div>{expected}</div>"));
    }
}

#[test]
fn nested_targets_of_a_replaced_element_are_covered() {
    let inner = patch("b", [text("inner")]);
    let outer = patch("p", [text("outer")]);
    let page = "<body><p>1<b>2</b>3</p>4";
    check_skipped(&[inner.clone(), outer.clone()], page, "<body><p>outer</p>4", &[(0, Skip::Covered)]);
    check_skipped(&[outer, inner.clone()], page, "<body><p>outer</p>4", &[(1, Skip::Covered)]);
    let unwrapped = patch("p", [Operation::Unwrap]);
    check_skipped(&[unwrapped, inner], page, "<body>1<b>inner</b>34", &[]);
}

#[test]
fn inserted_content_is_never_matched() {
    let patches =
        [all("p", [Operation::Before(content("<p>new</p>"))]), all("p", [Operation::Append(content("!"))])];
    check(&patches, "<p>1</p><p>2</p>", "<p>new</p><p>1!</p><p>new</p><p>2!</p>");
}

#[test]
fn first_match_unless_all() {
    check(&[patch("p", [text("x")])], "<p>1</p><p>2</p>", "<p>x</p><p>2</p>");
    check(&[all("p", [text("x")])], "<p>1</p><p>2</p>", "<p>x</p><p>x</p>");
}

#[test]
fn an_element_without_end_keeps_its_content() {
    let patches = [patch("div", [text("x")]), patch("div", [set("id", "y")])];
    check_skipped(&patches, "<div>1<p>2", "<div id=\"y\">1<p>2", &[(0, Skip::Unclosed)]);
    let patches = [patch("p", [text("x")]), patch("p", [set("id", "y")])];
    // These have an end, by the standard: it may be left out.
    check_skipped(&patches, "<p>1<p>2", "<p id=\"y\">x<p>2", &[]);
    check_skipped(&patches, "<div><p>1</div>2", "<div><p id=\"y\">x</div>2", &[]);
}

#[test]
fn a_patch_is_applied_wholly_or_not_at_all() {
    let both = [Operation::Before(content("B")), set("id", "y"), Operation::Append(content("A"))];
    let page = "<div><div class=x>1</div>2";
    check_skipped(&[patch("div", both.clone())], page, page, &[(0, Skip::Unclosed)]);
    check_skipped(&[patch("p", both)], "<p>1</p>2", "B<p id=\"y\">1A</p>2", &[]);
}

#[test]
fn an_element_over_the_bound_goes_out_as_it_is() {
    let long = format!("<div><p>1</p>{}</div>", "x".repeat(MAX_HELD));
    let page = format!("{long}<i>2</i>");
    let patches = [
        patch("div", [text("gone")]),
        patch("div", [set("id", "y")]),
        patch("div", [Operation::Append(content("end"))]),
        patch("p", [text("kept")]),
        patch("i", [text("later")]),
    ];
    let expected =
        long.replace("<div>", "<div id=\"y\">").replace("<p>1", "<p>kept").replace("</div>", "end</div>");
    for cuts in [vec![], vec![10, 2000, 4090], (1..page.len()).collect()] {
        let (out, outcomes) = run(&patches, page.as_bytes(), &cuts);
        assert_eq!(String::from_utf8(out).unwrap(), format!("{expected}<i>later</i>"));
        assert_eq!(outcomes[0].skipped.get(&Skip::HeldTooLong), Some(&1));
        assert!(outcomes[1..].iter().all(|outcome| outcome.applied == 1));
    }
}

#[test]
fn void_and_raw_text_elements_refuse_what_they_cannot_take() {
    check_skipped(&[patch("img", [text("x")])], "<img><p>", "<img><p>", &[(0, Skip::VoidElement)]);
    check_skipped(&[patch("img", [Operation::After(content("x"))])], "<img><p>", "<img>x<p>", &[]);
    check_skipped(&[patch("img", [Operation::Replace(content("x"))])], "<img><p>", "x<p>", &[]);
    let script = "<script>a</script>";
    check_skipped(&[patch("script", [text("x")])], script, script, &[(0, Skip::RawText)]);
    check_skipped(
        &[patch("script", [Operation::SetContent(content("x"))])],
        script,
        "<script>x</script>",
        &[],
    );
    check_skipped(&[patch("title", [text("&lt;x")])], "<title>a</title>", "<title>&lt;x</title>", &[]);
    let meta = "<meta content=x>";
    let dynamic =
        Operation::SetAttribute { name: "content".into(), value: "y".into(), dynamic: Dynamic::Inside };
    check_skipped(&[patch("meta", [dynamic])], meta, meta, &[(0, Skip::UnsafeAttribute)]);
}

#[test]
fn ambiguous_markup_ends_the_search_and_nothing_else() {
    // The attributes of a second body go to the first one, which is out.
    let page = "<body><h1>1</h1><body class=b><h2>2</h2>";
    let patches = [patch("h1", [text("x")]), patch("h2", [text("y")])];
    let (out, outcomes) = edit(&patches, page);
    assert_eq!(out, "<body><h1>x</h1><body class=b><h2>2</h2>");
    assert_eq!(outcomes[0].search_ended, None);
    assert!(matches!(outcomes[1].search_ended, Some(Skip::Lost(_))), "{outcomes:?}");
}

#[test]
fn a_tag_over_the_bound_ends_the_search_wherever_it_is_cut() {
    for len in [60_000, 70_000, 100_000, 200_000] {
        let page = format!("<i>1</i><q x='{}'>2</q><u>3</u>", "y".repeat(len));
        let patches = [patch("i", [text("x")]), patch("q", [set("id", "x")]), patch("u", [text("x")])];
        let whole = run(&patches, page.as_bytes(), &[]);
        for cuts in [vec![50_000], vec![59_999, 60_001], (1..page.len()).step_by(777).collect()] {
            assert!(run(&patches, page.as_bytes(), &cuts) == whole, "length {len}");
        }
        assert_eq!(whole.1[0].applied, 1);
        assert_eq!(whole.1[1].applied, u32::from(len < 65_000));
    }
}

#[test]
fn deep_nesting_ends_the_search_and_the_page_is_whole() {
    let page = format!("<h1>1</h1>{}<h2>2</h2>", "<div>".repeat(50_000));
    let patches = [patch("h1", [text("x")]), patch("h2", [text("y")])];
    let whole = run(&patches, page.as_bytes(), &[]);
    assert_eq!(whole.0.len(), page.len());
    assert_eq!(whole.1[1].search_ended, Some(Skip::Lost(super::super::locate::Lost::TooComplex)));
    let cuts: Vec<usize> = (1..page.len()).step_by(997).collect();
    assert!(run(&patches, page.as_bytes(), &cuts) == whole);
}

#[test]
fn the_parser_follows_512_elements_and_any_number_of_attributes() {
    let depth = |n| format!("{}<h1>1</h1>", "<div>".repeat(n));
    let attributes = |n| format!("<h1{}>1</h1>", " a".repeat(n));
    // With html and body.
    for (page, edited) in [(depth(509), true), (depth(511), false), (attributes(30_000), true)] {
        let (_, outcomes) = run(&[patch("h1[a], div h1", [set("id", "x")])], page.as_bytes(), &[]);
        assert_eq!(outcomes[0].applied == 1, edited, "{} bytes", page.len());
    }
}

fn markup() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-z ]{0,4}",
        prop::sample::select(vec![
            "<p>",
            "</p>",
            "<b>",
            "</b>",
            "<div class=x>",
            "</div>",
            "<img src=a>",
            "<br/>",
            "<!-- <p> -->",
            "<script>",
            "</script>",
            "<title>",
            "</title>",
            "<svg><path/>",
            "</svg>",
            "<table><tr><td>",
            "</table>",
            "<p id='1' id=2>",
            "<",
            "</",
            "&amp;",
            "<a href=x",
            ">",
            "\0",
            "<ul><li>",
            "</li>",
            "</ul>",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

#[test]
fn new_content_has_nothing_open_at_its_end() {
    let appended = Operation::Append(content("E"));
    check(&[patch("td", [text("T"), appended])], "<table><tr><td><p>x</td>", "<table><tr><td>TE</td>");
}

#[test]
fn of_two_patches_that_would_take_each_other_away_the_one_that_replaces_stands() {
    let replaced = Operation::Replace(content("<q>R</q>"));
    check(&[patch("p", [text("T"), replaced]), patch("p", [text("U")])], "<p>x</p>", "<q>R</q>");
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        Just(text("T")),
        Just(Operation::Replace(content("<q>R</q>"))),
        Just(Operation::Before(content("B"))),
        Just(Operation::After(content("A"))),
        Just(Operation::Prepend(content("P"))),
        Just(Operation::Append(content("E"))),
        Just(Operation::Unwrap),
        Just(Operation::Rename("em".into())),
        Just(set("id", "n")),
        Just(Operation::RemoveAttribute("id".into())),
        Just(Operation::AddClass("c".into())),
    ]
}

fn any_patch() -> impl Strategy<Value = ElementPatch> {
    let selector =
        prop::sample::select(vec!["p", "b", "div", "div p", "li", "*", "[id]", "script", "path", "td"]);
    (selector, any::<bool>(), prop::collection::vec(operation(), 1..3)).prop_map(
        |(selector, every, operations)| {
            if every { all(selector, operations) } else { patch(selector, operations) }
        },
    )
}

#[test]
fn what_is_open_in_the_body_is_ended_once() {
    let body_end = ElementPatch {
        site: Site::Landmark(Landmark::BodyEnd),
        ..patch("p", [Operation::Before(content("<i></i>"))])
    };
    let append = patch("body", [Operation::Append(content("B"))]);
    check(&[append, body_end.clone()], "<body><p>1", "<body><p>1</p>B<i></i>");
    check(&[body_end, patch("body", [set("id", "b")])], "<body><p>1", "<body id=\"b\"><p>1</p><i></i>");
}

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
    fn output_does_not_depend_on_the_cuts(
        page in markup(),
        patches in prop::collection::vec(any_patch(), 1..4),
        seed in any::<u64>(),
    ) {
        let whole = run(&patches, page.as_bytes(), &[]);
        let bytewise: Vec<usize> = (1..page.len()).collect();
        prop_assert_eq!(&run(&patches, page.as_bytes(), &bytewise), &whole);
        let at = usize::try_from(seed % (page.len() as u64 + 1)).unwrap();
        prop_assert_eq!(&run(&patches, page.as_bytes(), &[at]), &whole);
        prop_assert!(whole.1.iter().all(|outcome| !outcome.skipped.contains_key(&Skip::Internal)));
    }

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

    #[test]
    fn a_skipped_patch_is_as_good_as_none(
        page in markup(),
        patches in prop::collection::vec(any_patch(), 1..4),
    ) {
        let (out, outcomes) = run(&patches, page.as_bytes(), &[]);
        let effective: Vec<ElementPatch> = patches
            .iter()
            .zip(&outcomes)
            .filter(|(_, outcome)| outcome.applied > 0)
            .map(|(patch, _)| patch.clone())
            .collect();
        // A covered patch stays without effect only as long as the one that covers it is there.
        prop_assert_eq!(run(&effective, page.as_bytes(), &[]).0, out);
    }
}
