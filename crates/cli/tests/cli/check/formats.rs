//! One set of remarks in each of its forms.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::command::{Tested, data, engraft, engraft_with};

/// What is said of `unfitting.yaml` in a form.
fn unfitting(format: &str, golden: &str) -> Tested {
    let folder = data("check");
    let run = engraft(&folder, ["check", "--format", format, "unfitting.yaml"])?;
    assert_eq!(run.text()?, fs::read_to_string(folder.join(golden))?);
    assert_eq!(run.code, Some(1));
    Ok(())
}

#[test]
fn a_line_each_for_editors() -> Tested {
    unfitting("short", "unfitting.short.txt")
}

#[test]
fn annotations_for_github() -> Tested {
    unfitting("github", "unfitting.github.txt")?;
    let run = engraft(&data("check"), ["check", "--format=github", "unfitting.yaml"])?;
    assert_eq!(run.stderr, "6 errors, 1 warning\n");
    Ok(())
}

#[test]
fn json_holds_everything() -> Tested {
    let folder = data("check");
    let run = engraft(&folder, ["check", "--format", "json", "unfitting.yaml"])?;
    assert_eq!(run.json()?, serde_json::from_slice::<Value>(&fs::read(folder.join("unfitting.json"))?)?);
    assert_eq!((run.code, run.stderr.as_str()), (Some(1), ""));
    Ok(())
}

/// What SARIF 2.1.0 asks of the parts that are written (OASIS, § 3.13 log, § 3.14 run, § 3.18 tool, § 3.27 result, § 3.28
/// location, § 3.30 region, § 3.49 rules), and what code scanning asks besides: relative URIs, help, a place for each result.
fn sarif_schema() -> Value {
    let text = json!({ "type": "object", "required": ["text"], "properties": { "text": { "type": "string", "minLength": 1 } } });
    let level = json!({ "enum": ["none", "note", "warning", "error"] });
    let place = json!({ "type": "integer", "minimum": 1 });
    let rule = json!({
        "type": "object",
        "required": ["id", "shortDescription", "help", "helpUri", "defaultConfiguration"],
        "properties": {
            "id": { "type": "string" },
            "shortDescription": text,
            "help": { "allOf": [text, { "required": ["markdown"] }] },
            "helpUri": { "type": "string", "pattern": "^https://" },
            "defaultConfiguration": { "properties": { "level": level }, "required": ["level"] },
        },
    });
    let region = json!({
        "type": "object",
        "required": ["startLine", "startColumn", "endColumn"],
        "properties": { "startLine": place, "startColumn": place, "endColumn": place },
        "additionalProperties": false,
    });
    let physical = json!({
        "type": "object",
        "required": ["artifactLocation", "region"],
        "properties": {
            "artifactLocation": { "required": ["uri"], "properties": { "uri": { "type": "string", "pattern": "^[^:]+$" } } },
            "region": region,
        },
    });
    let result = json!({
        "type": "object",
        "required": ["ruleId", "ruleIndex", "level", "message", "locations"],
        "properties": {
            "ruleId": { "type": "string" },
            "ruleIndex": { "type": "integer", "minimum": 0 },
            "level": level,
            "message": text,
            "locations": {
                "type": "array",
                "minItems": 1,
                "items": { "required": ["physicalLocation"], "properties": { "physicalLocation": physical } },
            },
        },
        "additionalProperties": false,
    });
    let driver = json!({
        "required": ["name", "version", "rules"],
        "properties": { "rules": { "type": "array", "uniqueItems": true, "items": rule } },
    });
    let run = json!({
        "type": "object",
        "required": ["tool", "results", "columnKind"],
        "properties": {
            "tool": { "required": ["driver"], "properties": { "driver": driver } },
            "columnKind": { "const": "unicodeCodePoints" },
            "results": { "type": "array", "items": result },
        },
    });
    json!({
        "type": "object",
        "required": ["$schema", "version", "runs"],
        "properties": { "version": { "const": "2.1.0" }, "runs": { "type": "array", "minItems": 1, "items": run } },
    })
}

#[test]
fn sarif_is_as_code_scanning_takes_it() -> Tested {
    let validator = jsonschema::validator_for(&sarif_schema())?;
    for (case, results) in [("unfitting", 7), ("keyed", 2), ("fine", 0)] {
        let run = engraft(&data("check"), ["check", "--format=sarif", &format!("{case}.yaml")])?;
        let log = run.json()?;
        let wrong: Vec<String> =
            validator.iter_errors(&log).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert_eq!(wrong, [""; 0], "{case}");
        let of_run = &log["runs"][0];
        let found = of_run["results"].as_array().ok_or("no results")?;
        assert_eq!(found.len(), results, "{case}");
        for result in found {
            let index = usize::try_from(result["ruleIndex"].as_u64().ok_or("no index")?)?;
            assert_eq!(of_run["tool"]["driver"]["rules"][index]["id"], result["ruleId"], "{case}");
        }
    }
    Ok(())
}

#[test]
fn the_place_in_sarif_is_that_of_the_marked_text() -> Tested {
    let run = engraft(&data("check"), ["check", "--format=sarif", "unfitting.yaml"])?;
    let result = &run.json()?["runs"][0]["results"][3];
    assert_eq!(result["ruleId"], "unsupported-selector");
    let location = &result["locations"][0];
    assert_eq!(
        location["physicalLocation"],
        json!({
            "artifactLocation": { "uri": "unfitting.yaml" },
            "region": { "startLine": 10, "startColumn": 17, "endColumn": 25 },
        })
    );
    assert_eq!(location["logicalLocations"][0]["fullyQualifiedName"], "routes[0].patches[0].select");
    Ok(())
}

/// `version: 2` as the bytes of a `google.protobuf.Struct`: field 1 is an entry, of which 1 is the key and 2 the value, whose 2 is a
/// number.
#[test]
fn a_struct_has_no_lines_to_show() -> Tested {
    let mut bytes = vec![0x0a, 20, 0x0a, 7];
    bytes.extend(b"version");
    bytes.extend([0x12, 9, 0x11]);
    bytes.extend(2.0_f64.to_le_bytes());
    let run = engraft_with(&data("check"), ["check", "-"], &bytes)?;
    assert_eq!(
        run.text()?,
        "error[invalid-value]: version: 2 is not known\n--> <stdin>\n = help: write 1\n = note: engraft check --explain invalid-value\n\n1 error\n"
    );
    let run = engraft_with(&data("check"), ["check", "--format=github", "-"], &bytes)?;
    assert_eq!(run.text()?, "::error file=<stdin>,title=invalid-value::version: 2 is not known; write 1\n");
    Ok(())
}

#[test]
fn lines_end_where_the_terminal_does() -> Tested {
    for (case, columns) in
        [("malformed.yaml", 50_usize), ("malformed.yaml", 72), ("malformed.yaml", 140), ("keyed.yaml", 60)]
    {
        let output = Command::new(env!("CARGO_BIN_EXE_engraft"))
            .args(["check", case])
            .current_dir(data("check"))
            .env("COLUMNS", columns.to_string())
            .stdin(Stdio::null())
            .output()?;
        let text = String::from_utf8(output.stdout)?;
        // What is marked in the source has its path beside it, which is not broken.
        let said = text.lines().filter(|line| !line.contains("^ "));
        let widest = said.map(|line| line.chars().count()).max().ok_or("nothing is said")?;
        assert!(widest <= columns, "{widest} of {columns}:\n{text}");
        assert!(!text.contains('\u{1b}'), "colours are for terminals");
    }
    Ok(())
}

#[test]
fn a_line_as_long_as_a_file_is_shown_in_part() -> Tested {
    let filler = "x".repeat(100_000);
    let json = format!(
        "{{\"version\": 1, \"routes\": [{{\"name\": \"a\", \"match\": {{\"path\": {{\"prefix\": \"/{filler}\"}}}}, \"nome\": 1}}]}}"
    );
    let run = engraft_with(&data("check"), ["check", "-"], json.as_bytes())?;
    let text = run.text()?;
    let place = format!("--> <stdin>:1:{}\n", json.find("\"nome\"").ok_or("no such key")? + 1);
    assert!(text.contains(&place) && text.contains("^^^^^^ routes[0].nome"), "{text}");
    assert!(text.len() < 2000, "{} bytes", text.len());
    Ok(())
}
