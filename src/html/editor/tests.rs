use super::*;
use crate::html::operation::{Content, Dynamic, Fallback, Operation};
use proptest::prelude::*;
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

mod besides;
