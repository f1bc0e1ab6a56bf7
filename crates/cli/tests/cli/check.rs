//! `engraft check`. What it says of `tests/data/check/<case>.yaml` is in `<case>.txt` beside it.

mod docs;
mod formats;
mod pages;
mod weights;

use std::fs;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::command::{Tested, data, engraft, engraft_with, workspace};

/// The text and the exit code for a case of `tests/data/check`.
fn says(case: &str, code: i32) -> Tested {
    let folder = data("check");
    let run = engraft(&folder, ["check", &format!("{case}.yaml")])?;
    assert_eq!(run.text()?, fs::read_to_string(folder.join(case).with_extension("txt"))?);
    assert_eq!((run.code, run.stderr.as_str()), (Some(code), ""));
    Ok(())
}

#[test]
fn what_is_fine_is_counted() -> Tested {
    says("fine", 0)
}

#[test]
fn policies_say_what_pages_are_made_from() -> Tested {
    says("keyed", 0)
}

#[test]
fn every_malformed_value_is_said_with_its_place() -> Tested {
    says("malformed", 1)
}

#[test]
fn what_does_not_fit_together_is_said_beside_warnings() -> Tested {
    says("unfitting", 1)
}

#[test]
fn warnings_alone_are_fine() -> Tested {
    says("warned", 0)
}

#[test]
fn the_example_is_fine() -> Tested {
    let run = engraft(&workspace(), ["check", "examples/shop/engraft.yaml"])?;
    assert!(run.text()?.starts_with("examples/shop/engraft.yaml is fine: "), "{run:?}");
    assert_eq!(run.code, Some(0));
    Ok(())
}

#[test]
fn json_of_what_is_fine_has_the_digest_in_every_form() -> Tested {
    let folder = data("check");
    let yaml = engraft(&folder, ["check", "--format=json", "fine.yaml"])?;
    let digest = yaml.json()?["digest"].clone();
    assert_eq!(digest.as_str().map(str::len), Some(32), "{digest}");
    let reading = json!({
        "patch": "0", "attribute": "country", "from": "header x-geo-country",
        "of_visitor": true, "keyed": false, "bounded": false,
    });
    let key = ["method", "scheme", "host", "path", "query"];
    let policy = json!({
        "route": "home", "browser": "private, no-cache", "cdn": [], "store": null,
        "inputs": { "key": key, "stored": false, "stages": [], "reads": [reading] },
    });
    assert_eq!(
        yaml.json()?,
        json!({
            "file": "fine.yaml", "valid": true, "findings": [], "policies": [policy], "digest": digest,
        })
    );

    let document = engraft::config::source::read(&fs::read(folder.join("fine.yaml"))?)?;
    let as_json = document.decode::<Value>()?.to_string();
    let run = engraft_with(&folder, ["check", "--format=json", "-"], as_json.as_bytes())?;
    assert_eq!(run.json()?["digest"], digest);
    Ok(())
}

#[test]
fn a_regex_without_its_map_is_told_the_form() -> Tested {
    let written = b"version: 1\nroutes:\n  - { name: a, match: { path: { safe_regex: /p/.* } } }";
    let run = engraft_with(&data("check"), ["check", "--format=short", "-"], written)?;
    let found = "<stdin>:3:45: error[wrong-type]: routes[0].match.path.safe_regex: found text \"/p/.*\", expected a map ";
    let form = run.text()?.strip_prefix(found).and_then(|rest| rest.strip_suffix("\n1 error\n"));
    assert!(form.is_some_and(|form| form.contains("regex")), "{run:?}");
    assert_eq!(run.code, Some(1));
    Ok(())
}

#[test]
fn standard_input_has_a_name() -> Tested {
    let run = engraft_with(&data("check"), ["check", "-"], b"{ \"version\": 1,\n  \"routes\": [ { ]\n}")?;
    assert_eq!(run.text()?.lines().last(), Some("1 error"));
    assert!(run.text()?.contains(" --> <stdin>:2:"), "{run:?}");
    assert_eq!(run.code, Some(1));

    let run = engraft_with(&data("check"), ["check", "-"], b"version: 1")?;
    assert_eq!(run.text()?, "<stdin> is fine: 0 routes, 0 patches\n");
    assert_eq!(run.code, Some(0));
    Ok(())
}

#[test]
fn a_list_that_was_cut_short_says_so() -> Tested {
    let routes = "  - { nome: a }\n".repeat(200);
    let run = engraft_with(
        &data("check"),
        ["check", "--format=short", "-"],
        format!("version: 1\nroutes:\n{routes}").as_bytes(),
    )?;
    let lines: Vec<&str> = run.text()?.lines().collect();
    assert_eq!(lines.len(), 102);
    assert!(lines[100].starts_with("<stdin>: note: "), "{}", lines[100]);
    assert_eq!(lines[101], "100 errors or more");
    Ok(())
}

#[test]
fn what_cannot_be_read_and_wrong_usage_exit_with_2() -> Tested {
    let run = engraft(&data("check"), ["check", "nowhere.yaml"])?;
    assert!(run.stderr.starts_with("error: can't read nowhere.yaml: "), "{run:?}");
    assert_eq!((run.code, run.text()?), (Some(2), ""));

    let wrong: [&[&str]; 10] = [
        &[],
        &["check"],
        &["check", "fine.yaml", "--format", "xml"],
        &["chekc", "fine.yaml"],
        &["check", "fine.yaml", "--allow", "no-such-code"],
        &["check", "fine.yaml", "--allow", "unknown-field"],
        &["check", "fine.yaml", "--deny", "everything"],
        &["check", "fine.yaml", "--url", "/"],
        &["check", "-", "--page", "-"],
        &["check", "--explain", "no-such-code"],
    ];
    for args in wrong {
        let run = engraft(&data("check"), args)?;
        assert_eq!((run.code, run.text()?), (Some(2), ""), "{args:?}");
        assert!(!run.stderr.is_empty(), "{args:?}");
    }
    Ok(())
}

#[test]
fn help_tells_the_exit_codes() -> Tested {
    for args in [
        &["--help"][..],
        &["check", "--help"],
        &["render", "--help"],
        &["decide", "--help"],
        &["schema", "--help"],
    ] {
        let run = engraft(&data("check"), args)?;
        assert!(run.text()?.contains("1  what was read has problems"), "{args:?}");
        assert_eq!(run.code, Some(0));
    }
    Ok(())
}

/// `engraft check f | head -1` is a usual thing to do.
#[test]
fn a_closed_pipe_is_no_failure() -> Tested {
    let mut child = Command::new(env!("CARGO_BIN_EXE_engraft"))
        .args(["check", "malformed.yaml"])
        .current_dir(data("check"))
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .stdout({
            let (reader, writer) = std::io::pipe()?;
            drop(reader);
            writer
        })
        .spawn()?;
    assert_eq!(child.wait()?.code(), Some(1));
    let stderr = std::io::read_to_string(child.stderr.take().ok_or("no standard error")?)?;
    assert_eq!(stderr, "");
    Ok(())
}
