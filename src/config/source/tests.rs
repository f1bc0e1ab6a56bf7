use super::*;
use crate::config::node::{Key, MAX_DEPTH};
use proptest::prelude::*;
use serde::Deserialize;

/// The tree without its places, and with the keys in the order in which a `Struct` gives them.
fn bare(node: &Node) -> Node {
    Node::new(match &node.value {
        Value::List(items) => Value::List(items.iter().map(bare).collect()),
        Value::Map(entries) => {
            let mut entries: Vec<_> =
                entries.iter().map(|(key, value)| (Key { at: None, ..key.clone() }, bare(value))).collect();
            entries.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
            Value::Map(entries)
        }
        scalar => scalar.clone(),
    })
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sample {
    version: u32,
    weights: Vec<f64>,
    seed: String,
    limit: u64,
    ratio: Option<f64>,
    on: bool,
    nested: Nested,
    any: serde_json::Value,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nested {
    names: Vec<String>,
    stage: Stage,
    rule: Rule,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stage {
    Client,
    Origin,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Rule {
    Prefix(String),
    Range { from: i64, to: i64 },
}

const YAML: &str = "
version: 1
weights: [0.5, 1, 1e3]
seed: 7
limit: 3000000000
ratio: ~
'on': true
nested:
  names: [a, 7, true, '007']
  stage: client
  rule: { range: { from: -3, to: 3.0 } }
any: { list: [1, 1.5, -2, x, null, false], deep: { a: '1' } }
";

const JSON: &str = r#"{
  "version": 1, "weights": [0.5, 1, 1e3], "seed": 7, "limit": 3000000000, "ratio": null, "on": true,
  "nested": { "names": ["a", 7, true, "007"], "stage": "client", "rule": { "range": { "from": -3, "to": 3.0 } } },
  "any": { "list": [1, 1.5, -2, "x", null, false], "deep": { "a": "1" } }
}"#;

#[test]
fn the_three_forms_of_a_document_are_one() {
    let yaml = read(YAML.as_bytes()).unwrap();
    let json = read(JSON.as_bytes()).unwrap();
    let bytes = structpb::encode(&yaml.root);
    let structure = read(&bytes).unwrap();
    assert_eq!((yaml.form, json.form, structure.form), (Form::Yaml, Form::Json, Form::Struct));
    assert_eq!(bare(&yaml.root), bare(&json.root));
    assert_eq!(bare(&yaml.root), structure.root);

    let expected = Sample {
        version: 1,
        weights: vec![0.5, 1.0, 1000.0],
        seed: "7".to_owned(),
        limit: 3_000_000_000,
        ratio: None,
        on: true,
        nested: Nested {
            names: ["a", "7", "true", "007"].map(str::to_owned).to_vec(),
            stage: Stage::Client,
            rule: Rule::Range { from: -3, to: 3 },
        },
        any: serde_json::json!({ "list": [1, "1.5", -2, "x", null, false], "deep": { "a": "1" } }),
    };
    for document in [&yaml, &json, &structure] {
        assert_eq!(document.decode::<Sample>().as_ref(), Ok(&expected), "{:?}", document.form);
    }
    assert_eq!(
        yaml.decode::<Nested>().unwrap_err().iter().count(),
        json.decode::<Nested>().unwrap_err().iter().count()
    );
}

#[test]
fn the_schema_settles_most_warnings() {
    let document = read(
        b"version: 0x1\nweights: [0.5, 010]\nseed: 1.0\nlimit: 3e9\nratio: .5\non: on\nnested:\n  \
        names: [NO, 1e3]\n  stage: client\n  rule: { prefix: 007 }\nany: [1.5, off]\n",
    )
    .unwrap();
    document.decode::<Sample>().unwrap();
    let lines: Vec<_> = document.warnings_for::<Sample>().iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "weights[1] (line 2, column 16): unquoted 010 becomes the number 8 as in Envoy; quotes keep it as written",
            "nested.names[0] (line 8, column 11): unquoted NO becomes false as in Envoy; quotes keep it as written",
            "nested.rule.prefix (line 10, column 19): unquoted 007 becomes the number 7 as in Envoy; quotes keep it as written",
            "any[0] (line 11, column 7): unquoted 1.5 becomes text \"1.5\", not a number, as in Envoy; quotes keep it as written",
            "any[1] (line 11, column 12): unquoted off becomes false as in Envoy; quotes keep it as written",
        ]
    );
    assert_eq!(document.warnings.len(), 12);
}

#[test]
fn forms_are_told_apart() {
    let cases: [(&[u8], Form); 8] = [
        (b"{\"a\": 1}", Form::Json),
        (b" \n\t{\"a\": 1}\n", Form::Json),
        ("\u{feff}{\"a\": 1}".as_bytes(), Form::Json),
        (b"{a: 1}", Form::Yaml),
        (b"a: 1", Form::Yaml),
        ("\u{feff}a: 1".as_bytes(), Form::Yaml),
        (b"\n\na: 1\n", Form::Yaml),
        (b"\n\x0e\n\x01a\x12\x09\x11\0\0\0\0\0\0\xf0\x3f", Form::Struct),
    ];
    let expected = Value::Number(1.0);
    for (bytes, form) in cases {
        let document = read(bytes).unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(document.form, form, "{bytes:?}");
        assert_eq!(document.root.find(&Path::default().key("a")).unwrap().value, expected);
    }
}

#[test]
fn what_is_no_configuration_says_why() {
    let empty = "the configuration is empty; write at least \"version: 1\" and a list of routes";
    let cases: [(&[u8], &str); 11] = [
        (b"", empty),
        (b"# nothing\n", empty),
        (b"---\n", empty),
        (b"\n", empty),
        ("\u{feff}".as_bytes(), empty),
        (b"null", empty),
        (
            b"a: 1\nb: \xc3\xa9\xff\n",
            "line 2, column 5: byte 0xff is neither UTF-8 nor part of a google.protobuf.Struct; save it as UTF-8",
        ),
        (b"{\"a\": 1,\n \"b\": }x", "line 2, column 7: expected value"),
        (b"{\"a\": 1 \"b\": 2}", "line 1, column 9: expected `,` or `}`"),
        (b"{a: 1, b: [}", "line 1, column 12: while parsing a node, did not find expected node content"),
        (b"a: \0", "line 1, column 4: found unprintable character"),
    ];
    for (bytes, expected) in cases {
        match read(bytes) {
            Ok(document) => panic!("{bytes:?} is {document:?}"),
            Err(problems) => {
                assert_eq!(problems.to_string(), expected, "{:?}", String::from_utf8_lossy(bytes))
            }
        }
    }
    let large = vec![b' '; MAX_BYTES + 1];
    assert_eq!(
        read(&large).unwrap_err().to_string(),
        "the configuration has 4194305 bytes, more than the 4194304 accepted"
    );
}

#[test]
fn all_forms_nest_equally_deep() {
    fn nested(depth: usize) -> Node {
        let wrap = |node, _| Node::new(Value::Map(vec![(Key { name: "a".to_owned(), at: None }, node)]));
        (0..depth).fold(Node::new(Value::Bool(true)), wrap)
    }
    for (depth, accepted) in [(MAX_DEPTH, true), (MAX_DEPTH + 1, false), (50, false)] {
        let json = format!("{}true{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        let yaml = format!("{}true{}", "{a: ".repeat(depth), "}".repeat(depth));
        let forms = [structpb::encode(&nested(depth)), json.into_bytes(), yaml.into_bytes()];
        for bytes in forms {
            assert_eq!(read(&bytes).is_ok(), accepted, "{depth}: {:?}", String::from_utf8_lossy(&bytes));
        }
    }
}

fn exercise(bytes: &[u8]) {
    if let Ok(document) = read(bytes) {
        if let Err(problems) = document.decode::<Sample>() {
            assert!(problems.iter().count() > 0);
            assert!(!problems.to_string().contains("Sample"));
        }
        document.warnings_for::<Sample>();
        document.decode::<serde_json::Value>().ok();
    }
}

/// Words that YAML, JSON and the sample type care about: random text of them goes deep into all three.
fn token() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "version", "weights", "seed", "limit", "nested", "names", "stage", "rule", "range", "prefix", "any",
        ":", ": ", "- ", "\n", "\n  ", "\n    ", "{", "}", "[", "]", ",", ", ", "\"", "'", "#", " #", "&a",
        " *a", "!!str ", "! ", "!x ", "|", ">-", "---\n", "...\n", "%TAG", "? ", "~", "1", "0.5", "007",
        "NO", "\t", "\\", "\\u", "é", "\u{feff}", "\r", "<<", "\u{85}", "\u{2028}", "client", "null", "@",
        "`", "-", " ",
    ])
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        exercise(&bytes);
    }

    #[test]
    fn bytes_that_begin_as_a_struct_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        let length = u8::try_from(bytes.len()).unwrap();
        exercise(&[b"\n", &[length][..], &bytes].concat());
    }

    #[test]
    fn arbitrary_documents_never_panic(words in proptest::collection::vec(token(), 0..60)) {
        exercise(words.concat().as_bytes());
    }

    #[test]
    fn damaged_documents_never_panic(cut in 0..YAML.len(), word in token(), json in any::<bool>()) {
        let text = if json { JSON } else { YAML };
        if let (Some(before), Some(after)) = (text.get(..cut), text.get(cut..)) {
            exercise(format!("{before}{word}{after}").as_bytes());
            exercise(before.as_bytes());
        }
    }
}
