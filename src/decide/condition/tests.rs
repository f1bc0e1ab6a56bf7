use proptest::prelude::*;
use serde_json::{Value, json};

use super::coercion::{number_text, text_number};
use super::{Condition, Kind, MAX_DEPTH, MAX_SEARCHED_BYTES, SavedGroups, Vocabulary};

fn vocabulary() -> Vocabulary {
    Vocabulary::from_iter([
        ("country", Kind::Text),
        ("sku", Kind::Text),
        ("age", Kind::Number),
        ("beta", Kind::Bool),
        ("tags", Kind::List),
        ("request.host", Kind::Text),
    ])
}

fn strict(condition: &Value, attributes: &Value) -> bool {
    let condition = Condition::compile(condition, &vocabulary()).unwrap();
    condition.eval(attributes, &SavedGroups::default())
}

fn lenient(condition: &Value, attributes: &Value) -> bool {
    Condition::compile_lenient(condition).eval(attributes, &SavedGroups::default())
}

#[test]
fn operands_are_read_as_the_declared_kind() {
    for (condition, attributes, expected) in [
        (json!({ "sku": 7 }), json!({ "sku": "7" }), true),
        (json!({ "sku": { "$eq": 7 } }), json!({ "sku": "7" }), true),
        (json!({ "sku": { "$in": [7, true] } }), json!({ "sku": "true" }), true),
        (json!({ "sku": { "$nin": [7] } }), json!({ "sku": "7" }), false),
        (json!({ "country": false }), json!({ "country": "false" }), true),
        (json!({ "country": { "$regex": 40 } }), json!({ "country": "404" }), true),
        (json!({ "country": { "$not": { "$eq": 7 } } }), json!({ "country": "7" }), false),
        (json!({ "age": { "$eq": "18" } }), json!({ "age": 18 }), true),
        (json!({ "age": { "$in": ["1e1", 9] } }), json!({ "age": 10 }), true),
        (json!({ "age": { "$gt": "9" } }), json!({ "age": 10 }), true),
        (json!({ "beta": "true" }), json!({ "beta": true }), true),
        (json!({ "beta": { "$ne": "true" } }), json!({ "beta": true }), false),
        (json!({ "tags": { "$all": [1, "b"] } }), json!({ "tags": ["b", "1"] }), true),
        (json!({ "tags": { "$elemMatch": { "$eq": 1 } } }), json!({ "tags": ["1"] }), true),
        (json!({ "tags": { "$size": "2" } }), json!({ "tags": ["1", "2"] }), true),
        (json!({ "tags": { "$size": { "$gte": "2" } } }), json!({ "tags": ["1"] }), false),
        (json!({ "tags": [1, 2] }), json!({ "tags": ["1", "2"] }), true),
        (json!({ "request.host": "a.example" }), json!({ "request": { "host": "a.example" } }), true),
        // More than nine, however the nine arrives; dates stay text.
        (json!({ "sku": { "$gt": 9 } }), json!({ "sku": "10" }), true),
        (json!({ "sku": { "$gt": "9" } }), json!({ "sku": "10" }), true),
        (json!({ "sku": { "$gt": "2024-01-31" } }), json!({ "sku": "2024-02-01" }), true),
    ] {
        assert_eq!(strict(&condition, &attributes), expected, "{condition} on {attributes}");
    }
}

#[test]
fn what_cannot_be_meant_is_an_error_with_its_place() {
    for (condition, message) in [
        (json!({ "contry": "US" }), "at /contry: unknown attribute `contry`; did you mean `country`?"),
        (json!({ "weather": "US" }), "at /weather: unknown attribute `weather`"),
        (
            json!({ "country": { "$inn": [] } }),
            "at /country/$inn: unknown operator `$inn`; did you mean `$in`?",
        ),
        (json!({ "country": { "in": [] } }), "at /country/in: unknown operator `in`; did you mean `$in`?"),
        (json!({ "$ro": [] }), "at /$ro: unknown operator `$ro`; did you mean `$or`?"),
        (
            json!({ "$in": ["US"] }),
            "at /$in: expected an attribute, `$and`, `$or`, `$nor` or `$not`, got `$in`, which stands under an attribute",
        ),
        (json!({ "$or": [{}, { "x/y": 1 }] }), "at /$or/1/x~1y: unknown attribute `x/y`"),
        (json!({ "$or": {} }), "at /$or: expected a list of conditions, got an object"),
        (json!(["US"]), "expected a condition such as { country: US }, got a list"),
        (json!({ "country": ["US"] }), "at /country: expected a value, or a list under `$in`, got a list"),
        (json!({ "country": {} }), "at /country: expected a value or operators, got an empty object"),
        (json!({ "country": { "$in": "US" } }), "at /country/$in: expected a list, got `US`"),
        (json!({ "country": { "$in": [["US"]] } }), "at /country/$in/0: expected text, got a list"),
        (json!({ "age": "old" }), "at /age: expected a number, got `old`"),
        (json!({ "beta": 1 }), "at /beta: expected true or false, got 1"),
        (
            json!({ "country": { "$exists": "yes" } }),
            "at /country/$exists: expected true or false, got `yes`",
        ),
        (
            json!({ "country": { "$type": "text" } }),
            "at /country/$type: expected one of null, boolean, number, string, array, object, got `text`",
        ),
        (
            json!({ "country": { "$all": ["a"] } }),
            "at /country/$all: expected an operator for single values, got `$all` (the attribute is text)",
        ),
        (
            json!({ "tags": { "$eq": "a" } }),
            "at /tags/$eq: expected an operator for lists, got `$eq` (the attribute is a list)",
        ),
        (
            json!({ "tags": "a" }),
            "at /tags: expected a list, or an operator for lists such as `$in` or `$all`, got `a`",
        ),
    ] {
        let error = Condition::compile(&condition, &vocabulary()).unwrap_err();
        assert_eq!(error.to_string(), message, "{condition}");
    }
    let error = Condition::compile(&json!({ "country": { "$regex": "(?=a)" } }), &vocabulary()).unwrap_err();
    assert!(
        error.to_string().starts_with("at /country/$regex: pattern `(?=a)` does not compile: "),
        "{error}"
    );
}

#[test]
fn what_a_payload_says_in_words_we_do_not_know_is_false_where_it_stands() {
    let name = json!({ "name": "hello", "tags": ["a"] });
    for (condition, expected) in [
        (json!({ "name": { "$regx": "hello" } }), false),
        (json!({ "name": { "$not": { "$regx": "hello" } } }), true),
        (json!({ "$or": [{ "name": { "$regx": "hello" } }, { "name": "hello" }] }), true),
        (json!({ "$or": [5, { "name": "hello" }] }), true),
        (json!({ "$or": 5 }), false),
        (json!({ "$nor": 5 }), false),
        (json!({ "name": { "$notRegex": "(?=h)" } }), false),
        (json!({ "tags": { "$elemMatch": "a" } }), false),
        (json!(5), false),
    ] {
        assert_eq!(lenient(&condition, &name), expected, "{condition}");
    }
}

/// Beyond the shared cases: what the JavaScript SDK's code does, checked by reading it.
#[test]
fn coerces_as_javascript() {
    for (condition, attributes, expected) in [
        (json!({ "n": 0 }), json!({}), true),
        (json!({ "n": { "$eq": 0 } }), json!({}), false),
        (json!({ "n": "null" }), json!({}), true),
        (json!({ "n": 5 }), json!({ "n": "0x5" }), true),
        (json!({ "n": 5 }), json!({ "n": [5] }), true),
        (json!({ "n": 5 }), json!({ "n": { "a": 5 } }), false),
        (json!({ "n": "1,2" }), json!({ "n": [1, 2] }), true),
        (json!({ "n": "0.1" }), json!({ "n": 0.1 }), true),
        (json!({ "n": true }), json!({ "n": "no" }), true),
        (json!({ "n": false }), json!({ "n": "" }), true),
        (json!({ "n": { "$eq": [1] } }), json!({ "n": [1] }), false),
        (json!({ "n": { "$ne": [1] } }), json!({ "n": [1] }), true),
        (json!({ "n": { "$lt": "b" } }), json!({}), false),
        (json!({ "n": { "$gte": null } }), json!({ "n": 0 }), true),
        (json!({ "n": { "$lt": "\u{FFFF}" } }), json!({ "n": "\u{10000}" }), true),
        (json!({ "n": { "$gt": [2] } }), json!({ "n": 10 }), true),
        (json!({ "n": { "$regex": "^null$" } }), json!({}), true),
        (json!({ "n": { "$regex": r"^\/p\/\d+$" } }), json!({ "n": "/p/12" }), true),
        (json!({ "n": { "$notRegexi": "^A" } }), json!({ "n": "abc" }), false),
        (json!({ "n": { "$exists": 1 } }), json!({ "n": null }), false),
        (json!({ "n": { "$all": [{ "$gt": 4 }, 1] } }), json!({ "n": [1, 5] }), true),
        (json!({ "n": { "$elemMatch": { "$eq": 0 } } }), json!({ "n": [0] }), false),
        (json!({ "n": [1.0, { "a": 1, "b": 2 }] }), json!({ "n": [1, { "b": 2, "a": 1.0 }] }), true),
        (json!({ "n.1.a": "x" }), json!({ "n": [0, { "a": "x" }] }), true),
        (json!({ "n.01": 0 }), json!({ "n": [1, 1] }), true),
        (json!({ "n": { "$in": [0.0] } }), json!({ "n": -0.0 }), true),
        (
            json!({ "n": { "$in": [9_007_199_254_740_993_u64] } }),
            json!({ "n": 9_007_199_254_740_992_u64 }),
            true,
        ),
        (json!({ "n": { "$veq": "1" } }), json!({ "n": 1 }), true),
        (json!({ "n": { "$veq": "0" } }), json!({ "n": [] }), true),
    ] {
        assert_eq!(lenient(&condition, &attributes), expected, "{condition} on {attributes}");
    }
}

#[test]
fn numbers_and_text_convert_as_in_javascript() {
    for (number, text) in [
        (0.0, "0"),
        (-0.0, "0"),
        (7.0, "7"),
        (-1.5, "-1.5"),
        (100.0, "100"),
        (123_456.789, "123456.789"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1.5e300, "1.5e+300"),
        (123e-20, "1.23e-18"),
        (1e-6, "0.000001"),
        (1.25e-5, "0.0000125"),
        (1e-7, "1e-7"),
        (5e-324, "5e-324"),
    ] {
        assert_eq!(number_text(number), text);
        assert_eq!(text_number(text), number);
    }
    for (text, number) in [
        ("", 0.0),
        (" \u{FEFF}\n12 ", 12.0),
        ("0b101", 5.0),
        ("0O17", 15.0),
        ("5.", 5.0),
        ("-Infinity", f64::NEG_INFINITY),
    ] {
        assert_eq!(text_number(text), number, "{text:?}");
    }
    for text in ["inf", "NaN", ".", "1e", "0x", "-0x1", "1_0", "\u{85}1", "1 2"] {
        assert!(text_number(text).is_nan(), "{text:?}");
    }
}

#[test]
fn lists_the_attributes_it_reads() {
    let condition = Condition::compile_lenient(&json!({
        "b.c": 1,
        "$or": [{ "a": 1 }, { "$not": { "b.c": { "$unknown": 1 } } }],
        "list": { "$elemMatch": { "inner": 1 } },
    }));
    assert_eq!(condition.attributes().collect::<Vec<_>>(), ["a", "b.c", "list"]);
}

#[test]
fn nesting_is_bounded() {
    let nest =
        |levels: usize| (0..levels).fold(json!({ "country": "US" }), |inner, _| json!({ "$not": inner }));
    assert!(strict(&nest(MAX_DEPTH - 2), &json!({ "country": "US" })));
    let error = Condition::compile(&nest(MAX_DEPTH + 1), &vocabulary()).unwrap_err();
    assert!(error.to_string().ends_with("nested deeper than 64"), "{error}");
    assert!(!lenient(&json!({ "$not": { "$not": nest(100) } }), &json!({ "country": "DE" })));

    let list = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!([inner]));
    assert!(!lenient(&json!({ "n": list(100) }), &json!({ "n": list(100) })));
    assert!(lenient(&json!({ "n": list(20) }), &json!({ "n": list(20) })));
}

#[test]
fn patterns_and_the_text_they_search_are_bounded() {
    assert!(!lenient(&json!({ "n": { "$regex": "((a{100}){100}){100}" } }), &json!({ "n": "a" })));
    let text = |length| json!({ "n": "a".repeat(length) });
    assert!(lenient(&json!({ "n": { "$regex": "a$" } }), &text(MAX_SEARCHED_BYTES)));
    assert!(!lenient(&json!({ "n": { "$regex": "a$" } }), &text(MAX_SEARCHED_BYTES + 1)));
    assert!(!lenient(&json!({ "n": { "$regex": "^(a|a|aa)*b$" } }), &text(MAX_SEARCHED_BYTES)));
}

/// JSON that looks like conditions often enough to reach every operator.
fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (0_i64..3).prop_map(Value::from),
        "[ab.1-]{0,3}".prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        Just(json!("(a|b")),
    ];
    let key = prop_oneof![
        prop::sample::select(vec![
            "$eq",
            "$ne",
            "$lt",
            "$lte",
            "$gt",
            "$gte",
            "$exists",
            "$type",
            "$in",
            "$nin",
            "$ini",
            "$nini",
            "$all",
            "$alli",
            "$size",
            "$elemMatch",
            "$regex",
            "$regexi",
            "$notRegex",
            "$notRegexi",
            "$not",
            "$and",
            "$or",
            "$nor",
            "$inGroup",
            "$notInGroup",
            "$vgt",
            "$vgte",
            "$vlt",
            "$vlte",
            "$veq",
            "$vne",
        ])
        .prop_map(str::to_owned),
        prop::sample::select(vec!["a", "b", "a.b", "a.0", "country", "age", "beta", "tags"])
            .prop_map(str::to_owned),
        ".{0,4}",
    ];
    leaf.prop_recursive(5, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(key.clone(), inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_condition_panics_on_any_attributes(
        condition in json_value(),
        attributes in json_value(),
        groups in json_value(),
    ) {
        let groups = groups.as_object().map(SavedGroups::new).unwrap_or_default();
        let compiled = Condition::compile_lenient(&condition);
        let holds = compiled.eval(&attributes, &groups);
        let negated = Condition::compile_lenient(&json!({ "$not": condition }));
        if condition.is_object() {
            prop_assert_eq!(negated.eval(&attributes, &groups), !holds);
        }
        if let Ok(strict) = Condition::compile(&condition, &vocabulary()) {
            let _ = strict.eval(&attributes, &groups);
        }
    }

    #[test]
    fn numbers_survive_their_text(number in any::<f64>().prop_filter("JSON has no such number", |n| n.is_finite())) {
        prop_assert_eq!(text_number(&number_text(number)), number);
    }
}
