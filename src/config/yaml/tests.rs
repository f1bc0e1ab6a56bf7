use super::*;

fn tree(text: &str) -> Node {
    parse(text).unwrap_or_else(|problems| panic!("{problems}\n{text}")).root.unwrap()
}

fn problems(text: &str) -> String {
    match parse(text) {
        Ok(parsed) => panic!("accepted: {:?}", parsed.root),
        Err(problems) => problems.to_string(),
    }
}

fn warnings(text: &str) -> Vec<String> {
    parse(text)
        .unwrap_or_else(|problems| panic!("{problems}"))
        .warnings
        .iter()
        .map(Warning::to_string)
        .collect()
}

fn number(number: f64) -> Value {
    Value::Number(number)
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn value_of(scalar: &str) -> Value {
    match tree(&format!("k: {scalar}\n")).value {
        Value::Map(mut entries) => entries.remove(0).1.value,
        other => panic!("{other:?}"),
    }
}

/// What Envoy 1.40.0 showed under `node.metadata` in `/server_info` for the scalar on the left, `=` for text as written.
#[test]
fn scalars_are_what_envoy_makes_of_them() {
    let truths = ["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"];
    let lies = ["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"];
    for scalar in truths {
        assert_eq!(value_of(scalar), Value::Bool(true), "{scalar}");
    }
    for scalar in lies {
        assert_eq!(value_of(scalar), Value::Bool(false), "{scalar}");
    }
    for scalar in ["~", "null", "Null", "NULL", "", "# c", "&a"] {
        assert_eq!(value_of(scalar), Value::Null, "{scalar}");
    }
    let numbers = [
        ("0", 0.0),
        ("-1", -1.0),
        ("+1", 1.0),
        ("-0", 0.0),
        ("00", 0.0),
        ("007", 7.0),
        ("010", 8.0),
        ("-010", -8.0),
        ("+007", 7.0),
        ("0x10", 16.0),
        ("0X10", 16.0),
        ("0xfF", 255.0),
        ("-0x10", -16.0),
        ("0x7fffffff", 2_147_483_647.0),
        ("2147483647", 2_147_483_647.0),
        ("-2147483648", -2_147_483_648.0),
        ("000000000000000000000000000000000000000000000000000003", 3.0),
        ("!!str 7", 7.0),
        ("!!int \"7\"", 7.0),
        ("!!float 7", 7.0),
        ("&a 7", 7.0),
        ("7 # c", 7.0),
    ];
    for (scalar, expected) in numbers {
        assert_eq!(value_of(scalar), number(expected), "{scalar}");
    }
    let as_written = "yEs nO tRUE oN t nULL none None 08 09 0o17 0O17 0b11 0xFg 0x +0x 1_000 1,000 2147483648 \
        -2147483649 3000000000 9223372036854775807 9223372036854775808 -9223372036854775808 -9223372036854775809 \
        0x8000000000000000 01777777777777777777777 1.0 1.5 1e3 1E3 -1.5 +1.5 .5 5. 0.0 -0.0 1e400 0.1 .inf -.inf .nan \
        nan inf Infinity 1e 1e+3 0x1p3 1.0f 1.2.3 12:30 2001-12-14 + . 1a --1 1- = << 365d 1h 0s 00.5 1L 0_1 ٣ １";
    for scalar in as_written.split_whitespace() {
        assert_eq!(value_of(scalar), text(scalar), "{scalar}");
    }
    let texts = [
        ("0x80000000", "2147483648"),
        ("0x7fffffffffffffff", "9223372036854775807"),
        ("-0x8000000000000000", "-9223372036854775808"),
        ("0777777777777777777777", "9223372036854775807"),
        ("\"NO\"", "NO"),
        ("'007'", "007"),
        ("\"~\"", "~"),
        ("\"\"", ""),
        ("! 7", "7"),
        ("! NO", "NO"),
        ("! null", "null"),
        ("!!str", ""),
        ("!!str null", "null"),
        ("!!null \"\"", ""),
        ("!!int 1.5", "1.5"),
        ("|\n      NO\n", "NO\n"),
        (">-\n      7\n", "7"),
        ("1 2", "1 2"),
        ("a\n      b", "a b"),
        ("'it''s'", "it's"),
    ];
    for (scalar, expected) in texts {
        assert_eq!(value_of(scalar), text(expected), "{scalar}");
    }
    assert_eq!(value_of("!!bool \"yes\""), Value::Bool(true));
    assert_eq!(value_of("!!str \"NO\""), Value::Bool(false));
}

#[test]
fn keys_are_text_as_written() {
    let text = "{yes: 1, NO: 2, 007: 3, 1.0: 4, ~: 5, '': 6, 0x10: 7, !!str 5: 8, \"~\": 9, !ignore x: 10}";
    let Value::Map(entries) = tree(text).value else { panic!() };
    let names: Vec<_> = entries.iter().map(|(key, _)| key.name.as_str()).collect();
    assert_eq!(names, ["yes", "NO", "007", "1.0", "null", "", "0x10", "5", "~"]);
}

#[test]
fn every_value_and_key_has_its_place() {
    let root = tree("# c\nroutes:\n  - name: é\n    match: { host: x }\n  -\n    name: y\n  - empty:\n");
    let at = |path: &Path| {
        let at = root.find(path).unwrap().at.unwrap();
        (at.line, at.column)
    };
    let routes = Path::default().key("routes");
    assert_eq!(at(&Path::default()), (2, 1));
    assert_eq!(at(&routes), (3, 3));
    assert_eq!(at(&routes.clone().index(0)), (3, 5));
    assert_eq!(at(&routes.clone().index(0).key("name")), (3, 11));
    assert_eq!(at(&routes.clone().index(0).key("match")), (4, 12));
    assert_eq!(at(&routes.clone().index(0).key("match").key("host")), (4, 20));
    assert_eq!(at(&routes.clone().index(1)), (6, 5));
    assert_eq!(at(&routes.index(2).key("empty")), (7, 5));
}

#[test]
fn scalars_that_surprise_are_remarked_on() {
    let text = "country: NO\nswitch: on\nkey: [y, 007, 1.0, 1e3, 3000000000, .inf, 0x10, 010, +1]\n\
                fine: [7, -7, true, False, ~, x, 365d, \"NO\", '1.0', 12:30, 0b1]\n";
    assert_eq!(
        warnings(text),
        [
            "country (line 1, column 10): unquoted NO becomes false as in Envoy; quotes keep it as written",
            "switch (line 2, column 9): unquoted on becomes true as in Envoy; quotes keep it as written",
            "key[0] (line 3, column 7): unquoted y becomes true as in Envoy; quotes keep it as written",
            "key[1] (line 3, column 10): unquoted 007 becomes the number 7 as in Envoy; quotes keep it as written",
            "key[2] (line 3, column 15): unquoted 1.0 becomes text \"1.0\", not a number, as in Envoy; quotes keep it as written",
            "key[3] (line 3, column 20): unquoted 1e3 becomes text \"1e3\", not a number, as in Envoy; quotes keep it as written",
            "key[4] (line 3, column 25): unquoted 3000000000 becomes text \"3000000000\", not a number, as in Envoy; quotes keep it as written",
            "key[5] (line 3, column 37): unquoted .inf becomes text \".inf\", not a number, as in Envoy; quotes keep it as written",
            "key[6] (line 3, column 43): unquoted 0x10 becomes the number 16 as in Envoy; quotes keep it as written",
            "key[7] (line 3, column 49): unquoted 010 becomes the number 8 as in Envoy; quotes keep it as written",
            "key[8] (line 3, column 54): unquoted +1 becomes the number 1 as in Envoy; quotes keep it as written",
        ]
    );
    assert_eq!(
        warnings("a: !!str \"NO\"\nb: !!int 7\nc: !!str x\n<<: {}\n"),
        [
            "a (line 1, column 4): !!str NO becomes false as in Envoy, which ignores the tag; \
             quotes without a tag keep it as written",
            "[\"<<\"] (line 4, column 1): the key << merges nothing, as in Envoy: it is a key like any other",
        ]
    );
}

#[test]
fn warnings_are_bounded() {
    assert_eq!(warnings(&"- NO\n".repeat(MAX_WARNINGS + 1)).len(), MAX_WARNINGS);
}

#[test]
fn aliases_are_copies() {
    let root = tree("a: &x {b: &y [NO]}\nc: *x\nd: *y\n*y : 1\n".replace("*y : 1\n", "").as_str());
    let path = Path::default().key("c").key("b").index(0);
    assert_eq!(root.find(&path).unwrap().value, Value::Bool(false));
    // The place of a copy is where its text stands.
    assert_eq!(root.find(&path).unwrap().at, Some(Location { line: 1, column: 15 }));
    assert_eq!(root.find(&Path::default().key("d").index(0)).unwrap().value, Value::Bool(false));
    assert_eq!(
        tree("!ignore k: &k name\n*k : 1\n").find(&Path::default().key("name")).unwrap().value,
        number(1.0)
    );
}

#[test]
fn billion_laughs_are_harmless() {
    let mut text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for level in 1..20 {
        let inner = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{inner}]\n"));
    }
    assert!(
        problems(&text)
            .ends_with("anchors and aliases expand to more than 16 MiB up to here; write the values out")
    );
    let large = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), vec!["*a"; 1000].join(", "));
    assert!(problems(&large).contains("expand to more than 16 MiB"));
}

#[test]
fn what_is_not_one_plain_document_is_refused() {
    let cases = [
        ("a: *b\n", "line 1, column 4: while parsing node, found unknown anchor"),
        ("a: &a [*a]\n", "line 1, column 8: this alias stands inside the value that it stands for"),
        (
            "a: 1\n---\nb: 2\n",
            "line 2, column 1: a second document starts here; a configuration is one document",
        ),
        ("[a, b]: 1\n", "line 1, column 1: a key must be text, not a list or a map"),
        ("a: [1\nb: 2\n", "line 2, column 2: illegal placement of ':' indicator"),
        ("a: 1\n b: 2\n", "line 2, column 3: mapping values are not allowed in this context"),
        ("a: \"x\n", "line 1, column 4: while scanning a quoted scalar, found unexpected end of stream"),
        (
            "a: !env X\nb: [!!binary aGk=]\nc: !!set {x}\n!k d: 1\n",
            "a (line 1, column 4): tag \"!env\" means nothing here, and Envoy would ignore it; remove it\n\
             b[0] (line 2, column 5): tag \"!!binary\" means nothing here, and Envoy would ignore it; remove it\n\
             c (line 3, column 4): tag \"!!set\" means nothing here, and Envoy would ignore it; remove it\n\
             line 4, column 1: tag \"!k\" means nothing here, and Envoy would ignore it; remove it",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(problems(text), expected, "{text}");
    }
}

#[test]
fn an_explicit_end_is_no_second_document() {
    assert_eq!(tree("---\na: 1\n...\n"), { tree("\na: 1\n") });
    assert!(parse("# nothing\n").unwrap().root.is_none());
    assert_eq!(tree("---\n").value, Value::Null);
}

#[test]
fn deep_nesting_is_a_problem() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    tree(&nested(MAX_DEPTH));
    let expected = "lists and maps nest more than 32 deep";
    assert!(problems(&nested(MAX_DEPTH + 1)).ends_with(&format!("(line 1, column 33): {expected}")));
    assert!(problems(&nested(100_000)).ends_with(expected));
    let chain: String = (1..40).map(|n| format!("a{n}: &a{n} [*a{}]\n", n - 1)).collect();
    assert!(problems(&format!("a0: &a0 x\n{chain}")).ends_with(expected));
    let block: String = (0..100).map(|n| format!("{}a:\n", " ".repeat(n))).collect();
    assert!(problems(&block).ends_with(expected));
}
