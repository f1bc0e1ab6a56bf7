//! `engraft schema`, and that the schema says what the decoder says.

use std::error::Error;
use std::fs;

use engraft::config::source;
use engraft::engine::Engine;
use jsonschema::Validator;
use serde_json::Value;

use crate::command::{Tested, data, engraft, workspace};

fn schema() -> Result<Value, Box<dyn Error>> {
    engraft(&workspace(), ["schema"])?.json()
}

/// What the schema and what the core say of a document.
fn verdicts(validator: &Validator, yaml: &str) -> Result<(bool, bool), Box<dyn Error>> {
    let document: Value = source::read(yaml.as_bytes())?.decode()?;
    Ok((validator.is_valid(&document), Engine::load(yaml.as_bytes()).is_ok()))
}

#[test]
fn the_file_is_what_the_command_prints() -> Tested {
    let run = engraft(&workspace(), ["schema"])?;
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    let file = fs::read_to_string(workspace().join("envoy/engraft.schema.json")).unwrap_or_default();
    assert!(
        file == run.text()?,
        "envoy/engraft.schema.json is out of date; run\n\
         cargo run -p engraft-cli -- schema > envoy/engraft.schema.json"
    );
    Ok(())
}

#[test]
fn it_is_a_schema_with_title_and_description_and_no_id() -> Tested {
    let schema = schema()?;
    assert!(jsonschema::meta::is_valid(&schema));
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert!(schema["title"].is_string() && schema["description"].is_string());
    assert_eq!(schema.get("$id"), None);
    Ok(())
}

#[test]
fn configurations_at_hand_are_valid() -> Tested {
    let validator = jsonschema::validator_for(&schema()?)?;
    let files = [
        workspace().join("examples/shop/engraft.yaml"),
        data("check").join("fine.yaml"),
        data("render").join("engraft.yaml"),
    ];
    for file in files {
        let document: Value = source::read(&fs::read(&file)?)?.decode()?;
        let errors =
            validator.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path()));
        assert_eq!(errors.collect::<Vec<_>>(), Vec::<String>::new(), "{}", file.display());
    }
    Ok(())
}

#[test]
fn schema_and_core_agree() -> Tested {
    let validator = jsonschema::validator_for(&schema()?)?;
    let route = |rest: &str| format!("{{ version: 1, routes: [{{ name: a, {rest} }}] }}");
    let patch = |rest: &str| route(&format!("patches: [{{ select: p, {rest} }}]"));
    let exchange = |rest: &str| route(&format!("patches: [{{ {rest} }}]"));
    let attribute = |rest: &str| format!("{{ version: 1, attributes: {{ x: {rest} }} }}");
    let named = |name: &str| format!("{{ version: 1, routes: [{{ name: {name} }}] }}");
    let collector = |rest: &str| {
        format!(
            "{{ version: 1, exposures: {{ collector: {{ cluster: c, authority: c.example, path: /v1, {rest} }} }} }}"
        )
    };
    let cases = [
        ("{ version: 1 }".to_owned(), true),
        ("{ routes: [] }".to_owned(), false),
        ("[]".to_owned(), false),
        ("{ version: 0 }".to_owned(), false),
        ("{ version: 2 }".to_owned(), false),
        ("{ version: one }".to_owned(), false),
        ("{ version: 1, rotes: [] }".to_owned(), false),
        ("{ version: 1, routes: {} }".to_owned(), false),
        ("{ version: 1, debug: ~ }".to_owned(), true),
        ("{ version: 1, debug: { secret: 0123456789abcdef } }".to_owned(), true),
        ("{ version: 1, debug: { secret: 0123456789abcde } }".to_owned(), false),
        ("{ version: 1, debug: { secret: short } }".to_owned(), false),
        ("{ version: 1, debug: { secret: ~ } }".to_owned(), true),
        ("{ version: 1, limits: { max_elements: 10 } }".to_owned(), true),
        ("{ version: 1, limits: { max_elements: 0 } }".to_owned(), false),
        ("{ version: 1, limits: { max_elements: 1.5 } }".to_owned(), false),
        ("{ version: 1, limits: { max_held_bytes: 16777217 } }".to_owned(), false),
        ("{ version: 1, limits: { max_time: 1 } }".to_owned(), false),
        ("{ version: 1, exposures: {} }".to_owned(), true),
        ("{ version: 1, exposures: { access_log: true, page: true } }".to_owned(), true),
        ("{ version: 1, exposures: { page: { hash_value: true } } }".to_owned(), true),
        ("{ version: 1, exposures: { page: 7 } }".to_owned(), false),
        ("{ version: 1, exposures: { page: { hash: true } } }".to_owned(), false),
        ("{ version: 1, exposures: { collector: {} } }".to_owned(), false),
        (collector(""), true),
        (collector("timeout: 2s, batch_events: 10, batch_age: 1m"), true),
        (collector("max_queue_events: 0"), false),
        (collector("batch_bytes: 10"), false),
        (collector("url: /v2"), false),
        (attribute("{ header: x-a }"), true),
        (attribute("{ cookie: a, values: [b], otherwise: c, trusted: true, type: text }"), true),
        (attribute("{ cookie: a, type: date }"), false),
        (attribute("{ cookie: a, values: b }"), false),
        (attribute("{ cookie: a, trusted: perhaps }"), false),
        (attribute("{ path_segment: 1 }"), true),
        (attribute("{ path_segment: -1 }"), false),
        (attribute("{ path_segment: 65536 }"), false),
        (attribute("{ language: [en, de] }"), true),
        (attribute("{ user_agent: device }"), true),
        (attribute("{ user_agent: browser }"), false),
        (attribute("{ connection: mtls }"), true),
        (attribute("{ connection: colour }"), false),
        (attribute("{ filter_state: team }"), true),
        (attribute("country"), false),
        ("{ version: 1, routes: [{}] }".to_owned(), false),
        ("{ version: 1, routes: [{ match: { path: { exact: / } } }] }".to_owned(), false),
        (named("~"), false),
        (named("''"), false),
        (named("a b"), false),
        (named("caf\u{e9}"), false),
        (named("\"a\\n\""), false),
        (named("Az09_-"), true),
        (named(&"a".repeat(64)), true),
        (named(&"a".repeat(65)), false),
        (route("match: { path: { prefix: / } }"), true),
        (
            route(
                "match: { path: { prefix: /, ignore_case: true }, methods: [GET], query: { a: { exact: b } } }",
            ),
            true,
        ),
        (route("match: { path: / }"), false),
        (route("match: { path: { safe_regex: { regex: '/a.*' } } }"), true),
        (route("match: { path: { safe_regex: '/a.*' } }"), false),
        (route("match: { path: { safe_regex: {} } }"), false),
        (route("match: { paht: { exact: / } }"), false),
        (route("content_types: [text/x-fragment]"), true),
        (route("content_types: text/x-fragment"), false),
        (route("cache: { browser: private, cdn: no_store }"), true),
        (route("cache: { browser: { max_age: 5m, stale_if_error: 1d } }"), true),
        (route("cache: { browser: public }"), false),
        (route("cache: { browser: { max_age: 300 } }"), false),
        (route("cache: { browser: { max_age: 5 m } }"), false),
        (route("cache: { browser: { max_age: 5y } }"), false),
        (route("cache: { stored: private }"), false),
        (patch("text: Hello"), true),
        (patch("text: [Hello]"), false),
        (patch("text: Hello, all: true, required: true, name: b"), true),
        (patch("text: Hello, all: some"), false),
        (patch("attributes: { set: { a: b }, remove: [c] }, class: { add: [d], remove: [e] }"), true),
        (patch("attributes: { sett: { a: b } }"), false),
        (patch("class: { add: d }"), false),
        (patch("remove: true"), true),
        (patch("text: Hello, when: { request.method: GET }"), true),
        (patch("text: Hello, when: GET"), false),
        (patch("text: Hello, when: [GET]"), false),
        (exchange("redirect: { to: /b, status: 301, keep_query: true }"), true),
        (exchange("redirect: { to: /b }"), true),
        (exchange("redirect: { status: 301 }"), false),
        (exchange("redirect: { to: /b, status: 200 }"), false),
        (exchange("redirect: /b"), false),
        (exchange("rewrite: { path: /b, host: b.example }"), true),
        (exchange("rewrite: { query: a }"), false),
        (exchange("response_headers: { set: { x-a: b }, add: { x-c: d }, remove: [x-e] }"), true),
        (exchange("response_headers: { set: [x-a] }"), false),
    ];
    let redirects = (299..310).map(|status| {
        let yaml = exchange(&format!("redirect: {{ to: /b, status: {status} }}"));
        (yaml, matches!(status, 301 | 302 | 303 | 307 | 308))
    });
    for (yaml, valid) in cases.into_iter().chain(redirects) {
        assert_eq!(verdicts(&validator, &yaml)?, (valid, valid), "{yaml} (schema, core)");
    }
    Ok(())
}

/// The two known ways to differ: what fields mean together is beyond a schema, and the core types scalars by what is
/// asked for, because a `Struct` changes them on its way through Envoy.
#[test]
fn where_schema_and_core_differ() -> Tested {
    let validator = jsonschema::validator_for(&schema()?)?;
    for yaml in [
        "{ version: 1, attributes: { x: { trusted: true } } }",
        "{ version: 1, routes: [{ name: a }, { name: a }] }",
        "{ version: 1, routes: [{ name: a, match: { path: { exact: /, prefix: / } } }] }",
        "{ version: 1, routes: [{ name: a, patches: [{ select: 'p >', text: b }] }] }",
        "{ version: 1, routes: [{ name: a, patches: [{ select: p, text: '{{ nobody }}' }] }] }",
    ] {
        assert_eq!(verdicts(&validator, yaml)?, (true, false), "{yaml} (schema, core)");
    }
    for yaml in ["{ version: '1' }", "{ version: 1, routes: [{ name: 7 }] }"] {
        assert_eq!(verdicts(&validator, yaml)?, (false, true), "{yaml} (schema, core)");
    }
    Ok(())
}
