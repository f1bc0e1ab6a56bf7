use std::collections::BTreeMap;
use std::num::NonZeroU32;

use serde::Deserialize;

use super::*;
use crate::config::source::read;
use crate::config::structpb;

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    version: u8,
    #[serde(default)]
    stage: Stage,
    #[serde(default)]
    attributes: BTreeMap<Name, Attribute>,
    routes: Vec<Route>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stage {
    #[default]
    Both,
    Client,
    Origin,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
struct Name(String);

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase());
        if plain { Ok(Self(name)) } else { Err(format!("{name:?} is no name: use lower-case letters")) }
    }
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Attribute {
    Device,
    Cookie(Name),
    Header { name: Name, trusted: bool },
    Pair(u8, u8),
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Route {
    name: String,
    #[serde(rename = "match")]
    matching: Match,
    #[serde(default)]
    patches: Vec<Patch>,
    max_age: Option<u32>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Match {
    host: String,
    path: String,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(try_from = "RawPatch")]
struct Patch(RawPatch);

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPatch {
    select: String,
    #[serde(default)]
    all: bool,
    text: Option<String>,
    html: Option<String>,
}

impl TryFrom<RawPatch> for Patch {
    type Error = &'static str;

    fn try_from(raw: RawPatch) -> Result<Self, Self::Error> {
        match (&raw.text, &raw.html) {
            (Some(_), None) | (None, Some(_)) => Ok(Self(raw)),
            _ => Err("a patch has one of text and html"),
        }
    }
}

fn lines<T: DeserializeOwned + std::fmt::Debug>(text: &str) -> Vec<String> {
    let document = read(text.as_bytes()).unwrap_or_else(|problems| panic!("{problems}"));
    match document.decode::<T>() {
        Ok(value) => panic!("accepted: {value:?}"),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

#[track_caller]
fn value<T: DeserializeOwned>(text: &str) -> T {
    let document = read(format!("k: {text}").as_bytes()).unwrap_or_else(|problems| panic!("{problems}"));
    let mut map: BTreeMap<String, T> =
        document.decode().unwrap_or_else(|problems| panic!("{text}: {problems}"));
    map.remove("k").unwrap()
}

#[track_caller]
fn problem<T: DeserializeOwned + std::fmt::Debug>(text: &str) -> String {
    let lines = lines::<BTreeMap<String, T>>(&format!("k: {text}"));
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines[0].strip_prefix("k (line 1, column 4): ").unwrap_or(&lines[0]).to_owned()
}

const WRONG: &str = r#"
version: 300
stage: bth
attribtes: {}
attributes:
  device: device
  Country: { cookie: c }
  plan: { cookie: Plan }
  lang: { header: { name: x, trusted: "yes" } }
  pair: { pair: [1, 2, 3] }
  two: { device: , cookie: x }
  color: colour
routes:
  - name: [product]
    match: { host: shop, pth: /p }
    patches:
      - { select: h1, text: a }
      - { select: h1 }
      - slect: h1
        text: b
      - { select: h1, txt: c }
      - { select: h1, text: [c] }
      - { all: 1, text: c }
      - h1
    max_age: 1.5
  - match: {}
    max_age: -1
    foo: 1
  - ~
"#;

#[test]
fn all_problems_come_at_once() {
    assert_eq!(
        lines::<Config>(WRONG),
        [
            "version (line 2, column 10): found the number 300, expected a whole number from 0 to 255",
            "stage (line 3, column 8): unknown value \"bth\"; did you mean \"both\"? accepted: both, client, origin",
            "attribtes (line 4, column 1): unknown field \"attribtes\"; did you mean \"attributes\"? \
             accepted: version, stage, attributes, routes",
            "attributes.Country (line 7, column 3): \"Country\" is no name: use lower-case letters",
            "attributes.plan.cookie (line 8, column 19): \"Plan\" is no name: use lower-case letters",
            "attributes.lang.header.trusted (line 9, column 39): found text \"yes\", expected true or false; \
             remove the quotes: true",
            "attributes.pair.pair (line 10, column 17): found a list of 3, expected a list of 2",
            "attributes.two (line 11, column 8): found a map of 2 keys, expected a map of one key, \
             device, cookie, header or pair",
            "attributes.color (line 12, column 10): unknown value \"colour\"; accepted: device, cookie, header, pair",
            "routes[0].name (line 14, column 11): found a list, expected text",
            "routes[0].match.pth (line 15, column 26): unknown field \"pth\"; did you mean \"path\"? accepted: host, path",
            "routes[0].patches[1] (line 18, column 9): a patch has one of text and html",
            "routes[0].patches[2].slect (line 19, column 9): unknown field \"slect\"; did you mean \"select\"? \
             accepted: select, all, text, html",
            "routes[0].patches[3].txt (line 21, column 23): unknown field \"txt\"; did you mean \"text\"? \
             accepted: select, all, text, html",
            "routes[0].patches[4].text (line 22, column 29): found a list, expected text",
            "routes[0].patches[5] (line 23, column 9): missing field \"select\"",
            "routes[0].patches[5].all (line 23, column 16): found the number 1, expected true or false",
            "routes[0].patches[6] (line 24, column 9): found text \"h1\", expected a map of select, all, text, html",
            "routes[0].max_age (line 25, column 14): found text \"1.5\", expected a whole number from 0 to 4294967295",
            "routes[1] (line 26, column 5): missing field \"name\"",
            "routes[1].match (line 26, column 12): missing field \"host\"",
            "routes[1].match (line 26, column 12): missing field \"path\"",
            "routes[1].max_age (line 27, column 14): found the number -1, expected a whole number from 0 to 4294967295",
            "routes[1].foo (line 28, column 5): unknown field \"foo\"; accepted: name, match, patches, max_age",
            "routes[2] (line 29, column 5): found null, expected a map of name, match, patches, max_age",
        ]
    );
}

#[test]
fn the_problems_of_a_struct_are_the_same_without_places() {
    let root = read(WRONG.as_bytes()).unwrap().root;
    let mut in_text: Vec<_> = decode::<Config>(&root).unwrap_err().into_vec();
    in_text.iter_mut().for_each(|problem| problem.at = None);
    let in_struct = read(&structpb::encode(&root)).unwrap().decode::<Config>().unwrap_err();
    assert_eq!(Problems::collect(in_text), Some(in_struct));
}

#[test]
fn a_key_written_twice_is_one_problem_among_others() {
    assert_eq!(
        lines::<Config>("version: 1\nroutes: []\nversion: x\nstge: both\n"),
        [
            "version (line 3, column 1): key \"version\" was already given at line 1, column 1; keep one of them",
            "stge (line 4, column 1): unknown field \"stge\"; did you mean \"stage\"? \
             accepted: version, stage, attributes, routes",
        ]
    );
}

#[test]
fn the_root_can_be_wrong_too() {
    let expected = "line 1, column 1: found a list, expected a map of version, stage, attributes, routes";
    assert_eq!(lines::<Config>("- a\n"), [expected]);
    assert_eq!(
        lines::<Config>("{}"),
        ["line 1, column 1: missing field \"version\"", "line 1, column 1: missing field \"routes\""]
    );
}

#[test]
fn the_list_of_problems_ends() {
    let entries = "  - {}\n".repeat(1000);
    let lines = lines::<Config>(&format!("version: 1\nroutes:\n{entries}"));
    assert_eq!(lines.len(), MAX_PROBLEMS + 1);
    assert_eq!(lines.last().unwrap(), "there may be more problems; fix these first");
    let twice = "a: 1\n".repeat(1000);
    assert_eq!(self::lines::<Config>(&twice).len(), MAX_PROBLEMS + 1);
}

#[test]
fn numbers_may_come_as_text() {
    for text in ["3", "3.0", "'3'", "'3.0'", "3e0", "+3", "0x3", "003", "'003'"] {
        assert_eq!(value::<u8>(text), 3, "{text}");
        assert_eq!(value::<i64>(text), 3, "{text}");
        assert_eq!(value::<f64>(text), 3.0, "{text}");
        assert_eq!(value::<NonZeroU32>(text).get(), 3, "{text}");
    }
    assert_eq!(value::<u64>("3000000000"), 3_000_000_000);
    assert_eq!(value::<u64>("18446744073709551615"), u64::MAX);
    assert_eq!(value::<i64>("-9223372036854775808"), i64::MIN);
    assert_eq!(value::<f64>("-1.5e3"), -1500.0);
    assert_eq!(value::<usize>("7"), 7);
    assert_eq!(value::<Vec<f64>>("[0.5, 1]"), [0.5, 1.0]);

    assert_eq!(problem::<u8>("256"), "found the number 256, expected a whole number from 0 to 255");
    assert_eq!(problem::<u64>("-1"), "found the number -1, expected a whole number, 0 or more");
    assert_eq!(problem::<u64>("1.5"), "found text \"1.5\", expected a whole number, 0 or more");
    assert_eq!(problem::<i32>("3000000000").split(", ").next(), Some("found text \"3000000000\""));
    assert_eq!(problem::<f64>("1h"), "found text \"1h\", expected a number");
    assert_eq!(problem::<f64>(".inf"), "found text \".inf\", expected a number");
    assert_eq!(problem::<f64>("inf"), "found text \"inf\", expected a number");
    assert_eq!(problem::<f64>("1e999"), "found text \"1e999\", expected a number");
    assert_eq!(problem::<f64>("on"), "found true, expected a number");
    assert_eq!(problem::<NonZeroU32>("0"), "found the number 0, expected a nonzero whole number");
}

#[test]
fn scalars_may_be_asked_for_as_text() {
    assert_eq!(value::<[String; 4]>("[7, yes, NO, 1.0]"), ["7", "true", "false", "1.0"]);
    assert_eq!(value::<char>("x"), 'x');
    assert_eq!(problem::<String>("~"), "found null, expected text");
    assert_eq!(problem::<String>("{}"), "found a map, expected text");
    assert_eq!(problem::<char>("xy"), "found text \"xy\", expected a character");
}

#[test]
fn quoted_text_is_no_truth() {
    assert!(value::<bool>("on"));
    assert_eq!(
        problem::<bool>("'No'"),
        "found text \"No\", expected true or false; remove the quotes: false"
    );
    assert_eq!(problem::<bool>("nope"), "found text \"nope\", expected true or false");
    assert_eq!(problem::<bool>("1"), "found the number 1, expected true or false");
}

#[test]
fn null_is_nothing() {
    assert_eq!(value::<Option<u8>>("~"), None);
    assert_eq!(value::<Option<u8>>("1"), Some(1));
    value::<()>("");
    assert_eq!(problem::<()>("1"), "found the number 1, expected null");
    assert_eq!(problem::<Vec<u8>>("'~'"), "found text \"~\", expected a list");
    assert_eq!(
        lines::<BTreeMap<String, Vec<u8>>>("k:\n"),
        ["k (line 1, column 1): found null, expected a list"]
    );
}

#[test]
fn any_value_is_as_json_would_have_it() {
    let expected = serde_json::json!({ "a": [7, -7, "1.5", "3000000000", true, null, "x"] });
    assert_eq!(value::<serde_json::Value>("{ a: [7, -7, 1.5, 3000000000, on, ~, x] }"), expected);
    let fraction = Node::new(Value::Number(1.5));
    assert_eq!(decode::<serde_json::Value>(&fraction), Ok(serde_json::json!(1.5)));
}

#[test]
fn variants_are_words_or_maps_of_one_key() {
    let name = || Name("x".to_owned());
    assert_eq!(value::<Attribute>("device"), Attribute::Device);
    assert_eq!(value::<Attribute>("{ device: }"), Attribute::Device);
    assert_eq!(value::<Attribute>("{ cookie: x }"), Attribute::Cookie(name()));
    assert_eq!(value::<Attribute>("{ pair: [1, 2] }"), Attribute::Pair(1, 2));
    let header = Attribute::Header { name: name(), trusted: true };
    assert_eq!(value::<Attribute>("{ header: { name: x, trusted: true } }"), header);

    assert_eq!(problem::<Attribute>("cookie"), "found text \"cookie\", expected cookie with a value");
    assert_eq!(
        problem::<Attribute>("header"),
        "found text \"header\", expected header with a map of name, trusted"
    );
    assert_eq!(
        problem::<Attribute>("{ device: 1 }"),
        "k.device (line 1, column 14): found the number 1, expected nothing; write device on its own"
    );
    assert_eq!(
        problem::<Attribute>("{ cokie: 1 }"),
        "k.cokie (line 1, column 6): unknown value \"cokie\"; did you mean \"cookie\"? \
         accepted: device, cookie, header, pair"
    );
    assert_eq!(problem::<Attribute>("[]"), "found a list, expected device, cookie, header or pair");
}

#[test]
fn keys_may_be_asked_for_as_numbers_and_words() {
    assert_eq!(value::<BTreeMap<u16, u8>>("{ 404: 1 }"), BTreeMap::from([(404, 1)]));
    assert_eq!(value::<BTreeMap<bool, u8>>("{ true: 1 }"), BTreeMap::from([(true, 1)]));
    assert_eq!(
        problem::<BTreeMap<u16, u8>>("{ 404: 1, 4xx: 2 }"),
        "k[\"4xx\"] (line 1, column 14): found key \"4xx\", expected a key that is a whole number"
    );
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its problems are looked at")]
struct Renamed {
    #[serde(alias = "old")]
    new: u8,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its problems are looked at")]
struct Flattened {
    a: u8,
    #[serde(flatten)]
    rest: Rest,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only its problems are looked at")]
struct Rest {
    b: String,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its problems are looked at")]
enum Either {
    Word(String),
    List(Vec<String>),
}

#[test]
fn less_favoured_habits_of_serde_still_make_sense() {
    assert_eq!(
        lines::<Vec<Renamed>>("- { old: 1, new: 2 }\n- { new: x }\n"),
        [
            "[0] (line 1, column 3): \"new\" is given twice, under two names; keep one of them",
            "[1].new (line 2, column 10): found text \"x\", expected a whole number from 0 to 255",
        ]
    );
    assert_eq!(
        lines::<Vec<Flattened>>("- { a: 1, b: x, c: 2 }\n- { a: 1 }\n- { a: x, b: [] }\n"),
        [
            "[0].c (line 1, column 17): unknown field \"c\"",
            "[1] (line 2, column 3): missing field \"b\"",
            "[2].a (line 3, column 8): found text \"x\", expected a whole number from 0 to 255",
        ]
    );
    assert_eq!(problem::<Either>("{}"), "this has none of the accepted forms");
}

/// The unit of a stand-in must never surface as a problem of its own.
#[test]
fn stand_ins_are_never_blamed() {
    #[derive(Debug, Deserialize)]
    #[serde(try_from = "Vec<Name>")]
    struct Unique(#[expect(dead_code, reason = "only its problems are looked at")] Vec<Name>);

    impl TryFrom<Vec<Name>> for Unique {
        type Error = String;

        fn try_from(names: Vec<Name>) -> Result<Self, String> {
            if names.len() < 3 { Err("three names are needed".to_owned()) } else { Ok(Self(names)) }
        }
    }
    assert_eq!(
        lines::<BTreeMap<String, Unique>>("a: [x, Z, z]\nb: [x]\n"),
        [
            "a[1] (line 1, column 8): \"Z\" is no name: use lower-case letters",
            "b (line 2, column 4): three names are needed"
        ]
    );
}
