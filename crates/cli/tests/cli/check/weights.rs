//! `--allow` and `--deny`: what is said, and how it ends.

use crate::command::{Tested, data, engraft};

/// The last line about `keyed.yaml`, which has a warning of each of two codes, and the exit code.
fn ends(args: &[&str]) -> Result<(String, Option<i32>), Box<dyn std::error::Error>> {
    let run = engraft(&data("check"), [&["check", "--format=short", "keyed.yaml"], args].concat())?;
    let text = run.text()?;
    let last = text.lines().take_while(|line| !line.is_empty()).last().unwrap_or_default();
    Ok((last.to_owned(), run.code))
}

#[test]
fn warnings_fail_where_they_are_denied() -> Tested {
    let fine = |rest: &str| (format!("keyed.yaml is fine: 3 routes, 2 patches{rest}"), Some(0));
    let failed = |rest: &str| (rest.to_owned(), Some(1));
    for (args, expected) in [
        (&[][..], fine(", 2 warnings")),
        (&["--allow", "open-query-key"], fine(", 1 warning")),
        (&["--allow", "open-query-key", "--allow", "unbounded-key"], fine("")),
        (&["--deny", "warnings"], failed("2 errors")),
        (&["--deny", "open-query-key"], failed("1 error, 1 warning")),
        (&["--deny", "warnings", "--allow", "unbounded-key"], failed("1 error")),
        (&["--deny", "unbounded-key", "--allow", "unbounded-key"], failed("1 error, 1 warning")),
        (&["--deny", "unused-flag"], fine(", 2 warnings")),
    ] {
        assert_eq!(ends(args)?, expected, "{args:?}");
    }
    Ok(())
}

#[test]
fn what_is_denied_can_still_be_used() -> Tested {
    let run = engraft(&data("check"), ["check", "--format=json", "keyed.yaml", "--deny", "warnings"])?;
    let json = run.json()?;
    assert_eq!((run.code, &json["valid"]), (Some(1), &serde_json::Value::Bool(true)));
    assert_eq!(json["findings"][0]["level"], "error");
    Ok(())
}
