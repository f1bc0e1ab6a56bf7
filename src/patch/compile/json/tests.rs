use crate::engine::Engine;
use crate::exchange::begin;
use crate::html::charset::Charset;
use crate::html::operation::Operation;
use crate::html::text_editor::TextOutcome;
use crate::json::BodyEditor;
use crate::patch::Action;
use crate::request::RequestHead;

const ATTRIBUTES: &str = "attributes: { who: { query: who } }";

fn load(patch: &str) -> Result<Engine, String> {
    let config = format!("version: 1\n{ATTRIBUTES}\nroutes: [{{ name: r, patches: [{patch}] }}]");
    Engine::load(config.as_bytes()).map(|loaded| loaded.engine).map_err(|problems| {
        let shown = problems.to_string();
        shown
            .lines()
            .map(|line| line.split_once("): ").map_or(line, |(_, message)| message))
            .collect::<Vec<_>>()
            .join("\n")
    })
}

/// What a patch makes of a body that is JSON, for a visitor.
fn body(patch: &str, who: &str, source: &str) -> String {
    let engine = load(patch).unwrap();
    let request =
        RequestHead { method: "GET".into(), path: format!("/?who={who}"), ..RequestHead::default() };
    let reads = &engine.routes()[0].reads;
    let values = engine.attributes().read(reads, &request, &[]);
    let Action::Json(edit) = &engine.routes()[0].patches[0].action else { panic!("not for bodies") };
    let mut editor = BodyEditor::new([edit.for_body(&values)], edit.bounds());
    let mut out = Vec::new();
    let tail = editor.write(source.as_bytes(), &mut out);
    out.extend_from_slice(&source.as_bytes()[source.len() - tail..]);
    editor.end(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn values_are_typed_as_they_are_written_and_texts_are_templates() {
    let patch = r#"{ json: body, set: {
        /a: "Hi {{ who | default('you') }}", /b: 7, /c: true, /d: null, /e: [1, { x: "{{ who }}" }], /f: "7", /g: { $json: "19.90" },
        /h: { $json: "{\"z\":1,\"a\":\"<é\"}" } } }"#;
    let source = "{\"a\":0,\"b\":0,\"c\":0,\"d\":0,\"e\":0,\"f\":0,\"g\":0,\"h\":0}";
    assert_eq!(
        body(patch, "%22%7D%3C/script%3E%E2%80%A8%5C", source),
        "{\"a\":\"Hi \\\"}\\u003c/script\\u003e\\u2028\\\\\",\"b\":7,\"c\":true,\"d\":null,\
         \"e\":[1,{\"x\":\"\\\"}\\u003c/script\\u003e\\u2028\\\\\"}],\"f\":\"7\",\"g\":19.90,\
         \"h\":{\"z\":1,\"a\":\"\\u003cé\"}}"
    );
    assert_eq!(
        body("{ json: body, set: { /a: \"{{ who }}\" } }", "7", "{\"a\":0}"),
        "{\"a\":\"7\"}",
        "still text"
    );
}

#[test]
fn every_operation() {
    let patch = r#"{ json: body, set: { /a: 1 }, remove: [/b], insert: { /l/0: "x", /l/-: "y" },
        merge: { /m: { n: null, o: { p: null, q: "{{ who }}" }, r: { $json: "null" } } } }"#;
    assert_eq!(
        body(patch, "z", "{\"b\":0,\"l\":[0],\"m\":{\"n\":1}}"),
        "{\"l\":[\"x\",0,\"y\"],\"m\":{\"o\":{\"q\":\"z\"},\"r\":null},\"a\":1}"
    );
    assert_eq!(
        body("{ json: body, merge: { \"\": { a: { b: 1, c: null } } } }", "", "[]"),
        "{\"a\":{\"b\":1}}"
    );
}

#[test]
fn scripts_are_edited_for_the_encoding_of_their_page() {
    let engine = load("{ json: 'script#d', set: { /a: 'é {{ who }}' } }").unwrap();
    let request = RequestHead { method: "GET".into(), path: "/?who=%C3%BC".into(), ..RequestHead::default() };
    let values = engine.attributes().read(&engine.routes()[0].reads, &request, &[]);
    let Action::Elements(edits) = &engine.routes()[0].patches[0].action else { panic!("not for elements") };
    let json = |name: &str| (name == "type").then(|| "application/json".to_owned());
    for (label, expected) in [("utf-8", "\"é ü\""), ("windows-1252", "\"\\u00e9 \\u00fc\"")] {
        let rendered = edits[0].render(&values, Charset::from_label(label.as_bytes()).unwrap());
        let [Operation::EditText(factory)] = rendered.operations.as_slice() else { panic!("{rendered:?}") };
        let mut editor = factory.editor("script", &json).unwrap().unwrap();
        let mut found = Vec::new();
        editor.write(b"{\"a\":1}", 50, &mut found);
        assert_eq!(editor.end(&mut found), TextOutcome::Applied);
        assert_eq!((found[0].range.clone(), found[0].with.as_slice()), (55..56, expected.as_bytes()));
    }
    let begun = begin(&std::sync::Arc::new(engine), &request, &Default::default());
    assert!(matches!(begun.next, crate::exchange::Next::Forward(_)));
}

#[test]
fn what_a_patch_reads_is_known() {
    for patch in
        ["{ json: body, merge: { '': { a: ['{{ who }}'] } } }", "{ json: script, set: { /a: '{{ who }}' } }"]
    {
        let engine = load(patch).unwrap();
        assert!(engine.routes()[0].reads.contains("who"), "{patch}");
    }
}

#[test]
fn everything_that_is_wrong_is_said() {
    let cases = [
        (
            "{ set: { /a: 1 } }",
            "`set` must have `json` beside it: a selector of `script` elements, or `body` for responses that are JSON",
        ),
        ("{ json: body }", "nothing is done to the JSON; add `set`, `insert`, `remove` or `merge`"),
        ("{ json: body, select: p, set: { /a: 1 } }", "`json` and `select` can't be in one patch; write two"),
        (
            "{ json: body, text: x, set: { /a: 1 } }",
            "`json` and `edits of elements` can't be in one patch; write two",
        ),
        (
            "{ json: body, set: { /a: 1 }, redirect: { to: / } }",
            "`json` and `redirect` can't be in one patch; write two",
        ),
        ("{ json: body, all: true, set: { /a: 1 } }", "a response has one body; leave `all` out"),
        ("{ json: 'a:has(b)', set: { /a: 1 } }", "pseudo-class is not supported"),
        (
            "{ json: body, set: { a: 1, /~: 2 } }",
            "\"a\" is not a JSON Pointer: one starts with `/`, or is empty for the whole document\n\
             \"/~\" is not a JSON Pointer: one writes `~` as `~0`, and a `/` inside of a name as `~1`",
        ),
        (
            "{ json: body, set: { '/{{ who }}': 1 } }",
            "values can't stand in a JSON Pointer; write one patch for each value, with `when`",
        ),
        ("{ json: body, set: { /a: { '{{ who }}': 1 } } }", "values can't stand in the names of members"),
        (
            "{ json: body, set: { /a: ['{{ nobody }}'] } }",
            "\"nobody\" is not an attribute; name it under `attributes`",
        ),
        (
            "{ json: body, merge: { /a: { b: '{{ nobody }}' } } }",
            "\"nobody\" is not an attribute; name it under `attributes`",
        ),
        (
            "{ json: body, set: { /a: 1 }, remove: [/a/b] }",
            "\"/a/b\" lies in \"/a\", which is changed as a whole; change the outer value only, or write two patches",
        ),
        (
            "{ json: body, insert: { /a: 1 }, remove: [/a] }",
            "\"/a\" is changed twice; keep one, or write two patches",
        ),
        ("{ json: body, remove: [''] }", "the whole document can't be removed; use `set` with another value"),
        (
            "{ json: body, insert: { '': 1 } }",
            "nothing can be inserted next to the whole document; use `set`",
        ),
        ("{ json: body, merge: { /a: 1 } }", "a merge patch is a map; use `set` or `remove`"),
        ("{ json: body, set: { /a: { $json: '{' } } }", "this is not JSON"),
        ("{ json: body, set: { /a: { $json: [1] } } }", "`$json` holds JSON as text, such as \"19.90\""),
        (
            "{ select: p, remove: maybe }",
            "found text \"maybe\", expected true, or a list of JSON Pointers such as [/props/banner]",
        ),
    ];
    for (patch, expected) in cases {
        let found = load(patch).unwrap_err();
        assert!(found.contains(expected), "{patch}: {found}");
        assert_eq!(found.lines().count(), expected.lines().count(), "{patch}: {found}");
    }
    let deep = "/a".repeat(513);
    assert!(load(&format!("{{ json: body, remove: ['{deep}'] }}")).unwrap_err().contains("more than 512"));
    assert!(
        load("{ select: p, remove: true }").is_ok() && load("{ select: p, text: x, remove: false }").is_ok()
    );
}
