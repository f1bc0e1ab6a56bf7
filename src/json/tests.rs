use std::rc::Rc;

use engraft_locate::offset::as_usize;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::plan::Patch;
use super::*;
use crate::html::outcome::{Outcome, Skip};
use crate::html::text_editor::{TextEdit, TextEditor, TextOutcome};

mod reference;

use reference::{Operation, apply};

const AMPLE: Bounds = Bounds::holding(1 << 20);

fn plan(operations: &[Operation]) -> Option<Rc<Plan<String>>> {
    let changes = operations.iter().map(|operation| {
        let (pointer, change) = match operation {
            Operation::Set(pointer, value) => (pointer, Change::Set(value.to_string())),
            Operation::Remove(pointer) => (pointer, Change::Remove),
            Operation::Insert(pointer, value) => (pointer, Change::Insert(value.to_string())),
            Operation::Merge(pointer, object) => {
                (pointer, Change::Merge(Patch::from_object(object, &mut |value| value.to_string())))
            }
        };
        (pointer.parse().unwrap(), change)
    });
    Plan::new(changes.collect()).ok().map(Rc::new)
}

fn one(operation: Operation) -> Rc<Plan<String>> {
    plan(&[operation]).unwrap()
}

fn set(pointer: &str, value: Value) -> Operation {
    Operation::Set(pointer.to_owned(), value)
}

fn remove(pointer: &str) -> Operation {
    Operation::Remove(pointer.to_owned())
}

fn insert(pointer: &str, value: Value) -> Operation {
    Operation::Insert(pointer.to_owned(), value)
}

fn merge(pointer: &str, value: Value) -> Operation {
    Operation::Merge(pointer.to_owned(), value.as_object().unwrap().clone())
}

/// The edits that an editor makes of a text in pieces. What it lets go must not be edited afterwards, and what it holds is bounded.
fn edits(mut editor: Editor, pieces: &[&[u8]], max_held: u64) -> (Vec<TextEdit>, TextOutcome) {
    // Places in a page are far from its start.
    let (mut all, mut at, mut gone) = (Vec::new(), 1000, 1000);
    for piece in pieces {
        let before = all.len();
        editor.write(piece, at, &mut all);
        at += piece.len() as u64;
        assert!(all[before..].iter().all(|edit: &TextEdit| edit.range.start >= gone), "edits what has left");
        let open = editor.open_from().unwrap_or(at);
        assert!(open >= gone && at - open <= max_held.max(256), "holds {} bytes", at - open);
        gone = open;
    }
    editor.end_node(&mut all);
    let before = all.len();
    let outcome = editor.end(&mut all);
    assert!(all[before..].iter().all(|edit| edit.range.start >= gone), "edits what has left");
    for edit in &mut all {
        edit.range = edit.range.start - 1000..edit.range.end - 1000;
    }
    (all, outcome)
}

fn applied(source: &[u8], edits: &[TextEdit]) -> Vec<u8> {
    let (mut out, mut at) = (Vec::new(), 0);
    for edit in edits {
        out.extend_from_slice(&source[at..as_usize(edit.range.start)]);
        out.extend_from_slice(&edit.with);
        at = as_usize(edit.range.end);
    }
    out.extend_from_slice(&source[at..]);
    out
}

/// A body through the editor, in pieces.
fn body(plans: &[Rc<Plan<String>>], pieces: &[&[u8]], bounds: Bounds) -> (Vec<u8>, Vec<Outcome>, usize) {
    let mut editor = BodyEditor::new(plans.iter().cloned(), bounds);
    let mut out = Vec::new();
    for piece in pieces {
        let tail = editor.write(piece, &mut out);
        out.extend_from_slice(&piece[piece.len() - tail..]);
    }
    editor.end(&mut out);
    let held = editor.max_held();
    (out, editor.outcomes(), held)
}

fn edited(source: &str, operations: &[Operation]) -> (String, TextOutcome) {
    let editor = Editor::new(plan(operations).unwrap(), Medium::Body, AMPLE);
    let (edits, outcome) = edits(editor, &[source.as_bytes()], u64::MAX);
    (String::from_utf8(applied(source.as_bytes(), &edits)).unwrap(), outcome)
}

fn pieces<'s>(source: &'s [u8], cuts: &[usize]) -> Vec<&'s [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (source.len() + 1)).collect();
    cuts.sort_unstable();
    let mut out = Vec::new();
    let mut from = 0;
    for cut in cuts.into_iter().chain([source.len()]) {
        out.push(&source[from..cut]);
        from = cut;
    }
    out
}

const APPLIED: TextOutcome = TextOutcome::Applied;
const MISSED: TextOutcome = TextOutcome::Missed;

#[test]
fn only_the_place_changes() {
    let cases: &[(&str, Operation, &str, TextOutcome)] = &[
        ("{ \"a\" : 1.0 , \"b\":1e3 }", set("/a", json!(2)), "{ \"a\" : 2 , \"b\":1e3 }", APPLIED),
        ("{\"a\":[1,{\"b\":2}]}", set("/a/1/b", json!("x")), "{\"a\":[1,{\"b\":\"x\"}]}", APPLIED),
        ("{\"a\":1}", set("/b", json!(null)), "{\"a\":1,\"b\":null}", APPLIED),
        ("{}", set("/b", json!([])), "{\"b\":[]}", APPLIED),
        ("{\n  \"a\": 1\n}", set("/b", json!(2)), "{\n  \"a\": 1,\"b\":2\n}", APPLIED),
        (" [ ] ", insert("/-", json!(1)), " [1 ] ", APPLIED),
        ("[1,2]", insert("/0", json!(0)), "[0,1,2]", APPLIED),
        ("[1,2]", insert("/1", json!(0)), "[1,0,2]", APPLIED),
        ("[1,2]", insert("/2", json!(0)), "[1,2,0]", APPLIED),
        ("[1,2]", insert("/3", json!(0)), "[1,2]", MISSED),
        ("[1,2]", insert("/01", json!(0)), "[1,2]", MISSED),
        ("[1,2]", set("/1", json!(0)), "[1,0]", APPLIED),
        ("[1,2]", set("/2", json!(0)), "[1,2]", MISSED),
        ("[1,2]", set("/-", json!(0)), "[1,2]", MISSED),
        ("{\"-\":1}", set("/-", json!(0)), "{\"-\":0}", APPLIED),
        ("{\"a\":1}", insert("/a", json!(0)), "{\"a\":0}", APPLIED),
        ("{\"a\":1}", insert("/b", json!(0)), "{\"a\":1,\"b\":0}", APPLIED),
        ("{\"a\":1}", set("/b/c", json!(0)), "{\"a\":1}", MISSED),
        ("{\"a\":1}", set("/a/c", json!(0)), "{\"a\":1}", MISSED),
        ("{\"a\":{}}", set("", json!(0)), "0", APPLIED),
        (" 12 ", set("", json!(0)), " 0 ", APPLIED),
        ("12", set("", json!(0)), "0", APPLIED),
        ("\"a\"", set("/a", json!(0)), "\"a\"", MISSED),
        ("{ \"a\": 1, \"b\": 2 }", remove("/a"), "{ \"b\": 2 }", APPLIED),
        ("{ \"a\": 1, \"b\": 2 }", remove("/b"), "{ \"a\": 1 }", APPLIED),
        ("{\n \"a\": 1,\n \"b\": 2\n}", remove("/a"), "{\n \"b\": 2\n}", APPLIED),
        ("{ \"a\": 1 }", remove("/a"), "{ }", APPLIED),
        ("[1 , 2 , 3]", remove("/1"), "[1  , 3]", APPLIED),
        ("[1]", remove("/1"), "[1]", MISSED),
        ("{\"a\":1}", remove("/b"), "{\"a\":1}", MISSED),
        ("{\"a\\u0062\":1}", set("/ab", json!(2)), "{\"a\\u0062\":2}", APPLIED),
        ("{\"\\ud83d\\ude00\":1}", set("/😀", json!(2)), "{\"\\ud83d\\ude00\":2}", APPLIED),
        ("{\"a/b~\":1}", set("/a~1b~0", json!(2)), "{\"a/b~\":2}", APPLIED),
        ("{\"\":{\"\":1}}", set("//", json!(2)), "{\"\":{\"\":2}}", APPLIED),
        ("\u{FEFF}{\"a\":1}", set("/a", json!(2)), "\u{FEFF}{\"a\":2}", APPLIED),
        (
            "{\"a\":\"\\ud800\",\"\\udc00\":\"\\u0000\"}",
            set("/b", json!(2)),
            "{\"a\":\"\\ud800\",\"\\udc00\":\"\\u0000\",\"b\":2}",
            APPLIED,
        ),
        ("{\"a\":\"\\ud800\"}", set("/a", json!(2)), "{\"a\":2}", APPLIED),
        ("{\"a\":1,\"a\":2}", set("/a", json!(3)), "{\"a\":3,\"a\":3}", APPLIED),
        ("{\"a\":1,\"b\":0,\"a\":2}", remove("/a"), "{\"b\":0}", APPLIED),
        ("{\"a\":{\"b\":1},\"a\":2}", set("/a/b", json!(3)), "{\"a\":{\"b\":3},\"a\":2}", MISSED),
        ("{\"a\":2,\"a\":{\"b\":1}}", set("/a/b", json!(3)), "{\"a\":2,\"a\":{\"b\":3}}", APPLIED),
        (
            "{\"a\":{\"b\":1,\"c\":2}}",
            merge("", json!({"a": {"b": null, "d": {"e": null, "f": 1}}})),
            "{\"a\":{\"c\":2,\"d\":{\"f\":1}}}",
            APPLIED,
        ),
        ("{\"a\":[1]}", merge("/a", json!({"b": 1})), "{\"a\":{\"b\":1}}", APPLIED),
        ("{}", merge("/a", json!({"b": null})), "{\"a\":{}}", APPLIED),
        ("{\"a\":{}}", merge("/a", json!({"b": null})), "{\"a\":{}}", MISSED),
        ("7", merge("", json!({"b": 1, "c": [null]})), "{\"b\":1,\"c\":[null]}", APPLIED),
    ];
    for (source, operation, expected, outcome) in cases {
        let found = edited(source, std::slice::from_ref(operation));
        assert_eq!(found, ((*expected).to_owned(), *outcome), "{source} {operation:?}");
        let plan = one(operation.clone());
        let bytes = source.as_bytes();
        for (first, second) in (0..=bytes.len()).flat_map(|a| (a..=bytes.len()).map(move |b| (a, b))) {
            let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
            let (out, outcomes, _) = body(&[Rc::clone(&plan)], &pieces, AMPLE);
            assert_eq!(String::from_utf8_lossy(&out), *expected, "{source} cut at {first} and {second}");
            assert_eq!(outcomes[0].applied, u32::from(*outcome == APPLIED));
        }
    }
}

#[test]
fn operations_of_one_patch_are_done_to_the_source() {
    let cases: &[(&str, &[Operation], &str)] = &[
        ("[1,2,3]", &[remove("/0"), insert("/1", json!("x")), set("/2", json!("y"))], "[\"x\",2,\"y\"]"),
        ("[1]", &[remove("/0"), insert("/1", json!("x")), insert("/-", json!("y"))], "[\"x\",\"y\"]"),
        ("[1,2]", &[remove("/0"), remove("/1")], "[]"),
        ("[1,2,3]", &[remove("/0"), remove("/1")], "[3]"),
        (
            "{\"b\":1,\"c\":2}",
            &[remove("/b"), remove("/c"), set("/a", json!(0)), set("/d", json!(0))],
            "{\"a\":0,\"d\":0}",
        ),
        ("[[1,2],3]", &[remove("/0/0"), set("/1", json!(4))], "[[2],4]"),
    ];
    for (source, operations, expected) in cases {
        assert_eq!(edited(source, operations), ((*expected).to_owned(), APPLIED), "{source}");
    }
}

#[test]
fn what_is_not_json_passes_from_there_on() {
    let cases = [
        ("{\"a\":1,}", "{\"a\":2,}"),
        ("{\"a\":1", "{\"a\":1"),
        ("{\"a\":1 ", "{\"a\":2 "),
        ("{\"a\":1}x", "{\"a\":2}x"),
        ("{\"b\":'', \"a\":1}", "{\"b\":'', \"a\":1}"),
        ("{\"a\":\"\n\"}", "{\"a\":\"\n\"}"),
        ("// c\n{\"a\":1}", "// c\n{\"a\":1}"),
        ("", ""),
        (" ", " "),
        ("{\"a\":[1,2", "{\"a\":[1,2"),
        ("{\"b\":1,\"a\":\"", "{\"b\":1,\"a\":\""),
    ];
    for (source, expected) in cases {
        let (out, outcome) = edited(source, &[set("/a", json!(2))]);
        assert_eq!((out.as_str(), outcome), (expected, TextOutcome::Skipped(Skip::JsonSyntax)), "{source}");
    }
}

#[test]
fn deep_nesting_passes_and_is_counted() {
    let nest = |depth: usize| format!("{{\"a\":1,\"b\":{}{},\"c\":1}}", "[".repeat(depth), "]".repeat(depth));
    let operations = [set("/a", json!(2)), set("/c", json!(2))];
    let (out, outcome) = edited(&nest(511), &operations);
    assert_eq!((out, outcome), (nest(511).replace(":1", ":2"), APPLIED));
    let (out, outcome) = edited(&nest(512), &operations);
    assert_eq!((out, outcome), (nest(512).replacen(":1", ":2", 1), TextOutcome::Skipped(Skip::JsonTooDeep)));
    let (out, outcome) = edited(&nest(100_000), &[remove("/b")]);
    assert_eq!((out, outcome), (nest(100_000), TextOutcome::Skipped(Skip::JsonTooDeep)));
}

#[test]
fn long_values_stay_and_are_counted() {
    const MAX: usize = 100;
    let too_long = TextOutcome::Skipped(Skip::JsonTooLong);
    let string = |length: usize| format!("\"{}\"", "x".repeat(length - 2));
    let cases = [
        // Exactly as long as may be held, and a byte longer.
        (format!("{{\"a\":{}}}", string(MAX)), set("/a", json!(1)), "{\"a\":1}".to_owned(), APPLIED),
        (
            format!("{{\"a\":{}}}", string(MAX + 1)),
            set("/a", json!(1)),
            format!("{{\"a\":{}}}", string(MAX + 1)),
            too_long,
        ),
        // What is not to go may be as long as it likes.
        (
            format!("{{\"b\":{},\"a\":0}}", string(10_000)),
            set("/a", json!(1)),
            format!("{{\"b\":{},\"a\":1}}", string(10_000)),
            APPLIED,
        ),
        (
            format!("{{{}:0,\"a\":0}}", string(10_000)),
            set("/a", json!(1)),
            format!("{{{}:0,\"a\":1}}", string(10_000)),
            APPLIED,
        ),
        (
            format!("{{{0}:0{1},{1}\"a\":0}}", string(200), " ".repeat(300)),
            set("/a", json!(1)),
            format!("{{{0}:0{1},{1}\"a\":1}}", string(200), " ".repeat(300)),
            APPLIED,
        ),
        // A removal takes the comma with it, and what is between.
        (format!("[0,{}]", string(MAX - 1)), remove("/1"), "[0]".to_owned(), APPLIED),
        (format!("[0,{}]", string(MAX)), remove("/1"), format!("[0,{}]", string(MAX)), too_long),
        (format!("[0,{}1]", " ".repeat(200)), remove("/1"), format!("[0,{}1]", " ".repeat(200)), too_long),
        (format!("[{},0]", string(MAX - 1)), remove("/0"), "[0]".to_owned(), APPLIED),
        (format!("[{},0]", string(MAX)), remove("/0"), format!("[{},0]", string(MAX)), too_long),
        (format!("[0{},1]", " ".repeat(200)), remove("/0"), format!("[0{},1]", " ".repeat(200)), too_long),
        // One of two stays, so both must.
        (
            format!("{{\"a\":{0},\"a\":1}}", string(200)),
            remove("/a"),
            format!("{{\"a\":{0},\"a\":1}}", string(200)),
            too_long,
        ),
        (
            format!("{{\"a\":{0},\"a\":1}}", string(200)),
            set("/a", json!(2)),
            format!("{{\"a\":{0},\"a\":2}}", string(200)),
            APPLIED,
        ),
        (
            format!("{{\"a\":1,\"a\":{0}}}", string(200)),
            set("/a", json!(2)),
            format!("{{\"a\":2,\"a\":{0}}}", string(200)),
            too_long,
        ),
        // A bracket that is far away.
        (
            format!("[1{}]", " ".repeat(300)),
            insert("/-", json!(2)),
            format!("[1{},2]", " ".repeat(300)),
            APPLIED,
        ),
    ];
    for (source, operation, expected, outcome) in cases {
        let plan = one(operation);
        for size in [1, 7, source.len()] {
            let pieces: Vec<&[u8]> = source.as_bytes().chunks(size).collect();
            let editor = Editor::new(Rc::clone(&plan), Medium::Body, Bounds::holding(MAX));
            let (edits, found) = edits(editor, &pieces, MAX as u64);
            let out = String::from_utf8(applied(source.as_bytes(), &edits)).unwrap();
            assert_eq!((&out, found), (&expected, outcome), "{source} by {size}");
        }
    }
}

#[test]
fn repeated_names_are_bounded() {
    let repeat = |times: usize| format!("{{{}}}", vec!["\"a\":{}"; times].join(","));
    let operations = [set("/a/x", json!(1))];
    let (out, outcome) = edited(&repeat(65), &operations);
    assert_eq!((out.matches("\"x\":1").count(), outcome), (65, APPLIED));
    let (out, outcome) = edited(&repeat(100_000), &operations);
    assert_eq!((out.matches("\"x\":1").count(), outcome), (65, TextOutcome::Skipped(Skip::JsonRepeats)));
}

#[test]
fn scripts_keep_their_end() {
    let run = |source: &str, operation: Operation| {
        let medium = Medium::Script(Some(encoding_rs::UTF_8));
        let (edits, outcome) =
            edits(Editor::new(one(operation), medium, AMPLE), &[source.as_bytes()], u64::MAX);
        (String::from_utf8(applied(source.as_bytes(), &edits)).unwrap(), outcome)
    };
    let kept = TextOutcome::Skipped(Skip::ScriptComment);
    let source = "{\"a\":\"<!-- <script>\",\"b\":\"</script>\",\"c\":\"-->\",\"d\":1}";
    for pointer in ["/a", "/b", "/c"] {
        assert_eq!(run(source, set(pointer, json!(1))), (source.to_owned(), kept), "{pointer}");
        assert_eq!(run(source, remove(pointer)), (source.to_owned(), kept), "{pointer}");
    }
    assert_eq!(run(source, set("/d", json!(2))), (source.replace(":1", ":2"), APPLIED));
    assert_eq!(run("{\"a\":\"<b> -->\"}", set("/a", json!(1))), ("{\"a\":1}".to_owned(), APPLIED));
    // NUL is U+FFFD there, and a byte order mark is a character like any other.
    assert_eq!(run("{\"a\":\"\0\"}", set("/a", json!(1))), ("{\"a\":1}".to_owned(), APPLIED));
    assert_eq!(run("{\"\0\":0}", set("/\u{FFFD}", json!(1))), ("{\"\0\":1}".to_owned(), APPLIED));
    let marked = "\u{FEFF}{\"a\":0}";
    assert_eq!(run(marked, set("/a", json!(1))), (marked.to_owned(), TextOutcome::Skipped(Skip::JsonSyntax)));
}

#[test]
fn text_with_something_in_it_passes() {
    let mut editor = Editor::new(one(set("/a", json!(1))), Medium::Script(None), AMPLE);
    let mut edits = Vec::new();
    editor.write(b"{\"b\":", 0, &mut edits);
    editor.end_node(&mut edits);
    editor.write(b"1,\"a\":2}", 20, &mut edits);
    assert_eq!((editor.end(&mut edits), edits), (TextOutcome::Skipped(Skip::JsonSyntax), Vec::new()));
}

#[test]
fn keys_are_written_for_the_page_that_they_stand_in() {
    for (encoding, expected) in [
        (Some(encoding_rs::UTF_8), "{\"é\\u003c/script\\u003e\":1}"),
        (Some(encoding_rs::WINDOWS_1252), "{\"\\u00e9\\u003c/script\\u003e\":1}"),
        (None, "{\"\\u00e9\\u003c/script\\u003e\":1}"),
    ] {
        let plan = one(set("/é<~1script>", json!(1)));
        let (edits, _) = edits(Editor::new(plan, Medium::Script(encoding), AMPLE), &[b"{}"], u64::MAX);
        assert_eq!(applied(b"{}", &edits), expected.as_bytes());
    }
    let sources: [(&'static encoding_rs::Encoding, &[u8]); 2] = [
        (encoding_rs::WINDOWS_1252, b"{\"\xE9\":\"\xE9\"}"),
        (encoding_rs::SHIFT_JIS, b"{\"\x95\\\":\"\x95\\\"}"),
    ];
    for (encoding, source) in sources {
        let name = if encoding == encoding_rs::SHIFT_JIS { "/表" } else { "/é" };
        let editor = Editor::new(one(set(name, json!(1))), Medium::Script(Some(encoding)), AMPLE);
        let (edits, outcome) = edits(editor, &[source], u64::MAX);
        assert_eq!((edits.len(), outcome), (1, APPLIED), "{}", encoding.name());
    }
}

const NAMES: [&str; 10] = ["a", "b", "c", "0", "1", "2", "-", "é", "a/b", ""];

fn space() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec!["", "", "", " ", "\n  ", "\t", "\r\n"])
}

/// JSON text, with names repeated and numbers and names spelled in many ways.
fn document() -> impl Strategy<Value = String> {
    let scalars = vec![
        "0",
        "-0",
        "1.0",
        "1e3",
        "12345678901234567890123",
        "true",
        "false",
        "null",
        "\"\"",
        "\"a\\u0062\"",
        "\"é\"",
        "\"</script>\"",
        "\"{\\\"a\\\":[1]}\"",
        "\"\\\\\"",
        "{}",
        "[]",
        "[ ]",
        "{ }",
    ];
    let name = proptest::sample::select(NAMES.to_vec());
    let key = (name, any::<bool>()).prop_map(|(name, escaped)| {
        let spelled = |unit: u16| format!("\\u{unit:04X}");
        if escaped { name.encode_utf16().map(spelled).collect() } else { name.to_owned() }
    });
    let leaf = proptest::sample::select(scalars).prop_map(str::to_owned);
    leaf.prop_recursive(4, 40, 5, move |inner| {
        let around = (space(), inner, space())
            .prop_map(|(before, text, after)| format!("{before}{text}{after}"))
            .boxed();
        let member = (space(), key.clone(), space(), around.clone())
            .prop_map(|(before, key, after, value)| format!("{before}\"{key}\"{after}:{value}"));
        prop_oneof![
            proptest::collection::vec(around, 0..5).prop_map(|items| format!("[{}]", items.join(","))),
            proptest::collection::vec(member, 0..6).prop_map(|items| format!("{{{}}}", items.join(","))),
        ]
    })
}

fn pointer() -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(NAMES.to_vec()), 1..4)
        .prop_map(|names| names.iter().map(|name| format!("/{}", name.replace('/', "~1"))).collect())
}

fn value() -> impl Strategy<Value = Value> {
    proptest::sample::select(vec![json!(1), json!("x\"y"), json!({"n": [null, {}]}), json!(null), json!([])])
}

fn merge_patch() -> impl Strategy<Value = Value> {
    let name = || proptest::sample::select(NAMES.to_vec()).prop_map(str::to_owned);
    let object = move |inner: BoxedStrategy<Value>| {
        proptest::collection::btree_map(name(), inner, 0..4)
            .prop_map(|members| Value::Object(members.into_iter().collect()))
    };
    let inner = value().boxed();
    let deep = prop_oneof![3 => inner.clone(), 1 => object(inner)].boxed();
    object(prop_oneof![2 => deep.clone(), 1 => object(deep)].boxed())
}

fn operation(merges: bool) -> impl Strategy<Value = Operation> {
    let merge_weight = u32::from(merges);
    prop_oneof![
        3 => (pointer(), value()).prop_map(|(pointer, value)| set(&pointer, value)),
        3 => pointer().prop_map(|pointer| remove(&pointer)),
        3 => (pointer(), value()).prop_map(|(pointer, value)| insert(&pointer, value)),
        merge_weight => (prop_oneof![pointer(), Just(String::new())], merge_patch())
            .prop_map(|(pointer, patch)| merge(&pointer, patch)),
    ]
}

/// Operations that can be in one patch.
fn operations(merges: bool) -> impl Strategy<Value = Vec<Operation>> {
    proptest::collection::vec(operation(merges), 1..6).prop_map(|all| {
        let mut kept: Vec<Operation> = Vec::new();
        for operation in all {
            kept.push(operation);
            if plan(&kept).is_none() {
                kept.pop();
            }
        }
        kept
    })
}

fn cuts() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(0_usize..400, 0..8)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn an_edited_text_parses_to_the_edited_document(
        source in document(),
        operations in operations(true),
        cuts in cuts(),
    ) {
        let plan = plan(&operations).unwrap();
        let before: Value = serde_json::from_str(&source).unwrap();
        let expected = apply(&before, &operations);
        let pieces = pieces(source.as_bytes(), &cuts);
        let (edits, outcome) = edits(Editor::new(Rc::clone(&plan), Medium::Body, AMPLE), &pieces, u64::MAX);
        let out = applied(source.as_bytes(), &edits);
        let after: Value = serde_json::from_slice(&out).unwrap();
        prop_assert_eq!(&after, &expected, "{} -> {}", source, String::from_utf8_lossy(&out));
        if outcome == TextOutcome::Missed {
            prop_assert_eq!(&before, &after, "said to have found nothing");
        } else {
            prop_assert_eq!(outcome, TextOutcome::Applied);
            prop_assert!(!edits.is_empty());
        }
        let (spliced, outcomes, _) = body(&[plan], &pieces, AMPLE);
        prop_assert_eq!(spliced, out);
        prop_assert_eq!(outcomes[0].applied, u32::from(outcome == TextOutcome::Applied));
    }

    #[test]
    fn cuts_do_not_matter_at_any_bound(
        source in document(),
        operations in operations(true),
        cuts in cuts(),
        max_held in 0_usize..40,
        nul in 0_usize..400,
    ) {
        let mut source = source.into_bytes();
        // One in two is broken somewhere.
        if let Some(byte) = source.get_mut(nul) {
            *byte = b'\0';
        }
        let plan = plan(&operations).unwrap();
        let bounds = Bounds { max_held_bytes: max_held, max_depth: 4 };
        for medium in [Medium::Body, Medium::Script(None)] {
            let run = |pieces: &[&[u8]]| {
                edits(Editor::new(Rc::clone(&plan), medium, bounds), pieces, max_held as u64)
            };
            let whole = run(&[&source]);
            prop_assert_eq!(&run(&pieces(&source, &cuts)), &whole);
            let bytes: Vec<&[u8]> = source.chunks(1).collect();
            prop_assert_eq!(&run(&bytes), &whole);
        }
    }

    #[test]
    fn what_is_too_long_is_as_if_it_had_not_been_asked_for(
        source in document(),
        operations in operations(false),
        max_held in 0_usize..40,
    ) {
        let before: Value = serde_json::from_str(&source).unwrap();
        let (out, _, _) = body(&[plan(&operations).unwrap()], &[source.as_bytes()], Bounds::holding(max_held));
        let after: Value = serde_json::from_slice(&out).unwrap();
        let subsets = 0_u32..(1 << operations.len());
        let chosen = |subset: u32| -> Vec<Operation> {
            let at = |index: &usize| subset & (1 << index) != 0;
            (0..operations.len()).filter(at).map(|index| operations[index].clone()).collect()
        };
        prop_assert!(
            subsets.into_iter().any(|subset| apply(&before, &chosen(subset)) == after),
            "{} -> {}", source, String::from_utf8_lossy(&out)
        );
    }

    #[test]
    fn a_text_that_breaks_off_loses_nothing(source in document(), operations in operations(true)) {
        let plan = plan(&operations).unwrap();
        let editor = || Editor::new(Rc::clone(&plan), Medium::Body, AMPLE);
        let (whole, _) = edits(editor(), &[source.as_bytes()], u64::MAX);
        for end in 0..source.len() {
            let head = &source.as_bytes()[..end];
            let (made, outcome) = edits(editor(), &[head], u64::MAX);
            let (out, _, _) = body(&[Rc::clone(&plan)], &[head], AMPLE);
            prop_assert_eq!(applied(head, &made), out);
            if serde_json::from_slice::<serde::de::IgnoredAny>(head).is_err() {
                prop_assert_eq!(outcome, TextOutcome::Skipped(Skip::JsonSyntax));
                prop_assert_eq!(&made[..], &whole[..made.len()], "only what the rest can't change");
            }
        }
    }

    #[test]
    fn patches_work_on_what_the_ones_before_left(
        source in document(),
        patches in proptest::collection::vec(operations(true), 2..5),
        cuts in cuts(),
        max_held in prop_oneof![Just(1 << 20), 0_usize..40],
    ) {
        let bounds = Bounds::holding(max_held);
        let plans: Vec<Rc<Plan<String>>> = patches.iter().map(|operations| plan(operations).unwrap()).collect();
        let (mut one_by_one, mut outcomes) = (source.clone().into_bytes(), Vec::new());
        for plan in &plans {
            let (out, outcome, _) = body(&[Rc::clone(plan)], &[&one_by_one], bounds);
            one_by_one = out;
            outcomes.extend(outcome);
        }
        let (out, found, held) = body(&plans, &pieces(source.as_bytes(), &cuts), bounds);
        prop_assert_eq!(String::from_utf8(out), String::from_utf8(one_by_one));
        prop_assert_eq!(found, outcomes);
        prop_assert!(held <= plans.len() * max_held.max(256), "{} held", held);
        let mut document: Value = serde_json::from_str(&source).unwrap();
        if max_held > 1000 {
            for operations in &patches {
                document = apply(&document, operations);
            }
            let (out, _, _) = body(&plans, &[source.as_bytes()], bounds);
            prop_assert_eq!(serde_json::from_slice::<Value>(&out).unwrap(), document);
        }
    }
}
