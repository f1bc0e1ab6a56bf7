//! What the command depends on: each with its reason, in the documentation too, and nothing of it in the module.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::command::{Tested, workspace};

/// Dependencies in a row, and the comment above them.
struct Reason {
    names: Vec<String>,
    comment: String,
}

/// What of the command is in the module as well, because the core or what it is made of takes it: each of them is small.
const SHARED: [&str; 11] = [
    "base64",
    "bytes",
    "encoding_rs",
    "engraft",
    "getrandom",
    "http",
    "httpdate",
    "percent-encoding",
    "regex-lite",
    "serde",
    "serde_json",
];

/// The dependencies of crates/cli, on any platform.
fn reasons() -> Result<Vec<Reason>, Box<dyn Error>> {
    let manifest = fs::read_to_string(workspace().join("crates/cli/Cargo.toml"))?;
    let mut found: Vec<Reason> = Vec::new();
    let mut counts = false;
    for line in manifest.lines() {
        if line.starts_with('[') {
            counts = line.ends_with("dependencies]") && line != "[dev-dependencies]";
        }
        let last = found.last_mut();
        match (line.strip_prefix("# "), line.split_once(" = "), last) {
            _ if !counts => {}
            (Some(more), _, Some(reason)) if reason.names.is_empty() => {
                reason.comment = format!("{} {more}", reason.comment);
            }
            (Some(comment), ..) => found.push(Reason { names: Vec::new(), comment: comment.to_owned() }),
            (None, Some((name, _)), Some(reason)) => reason.names.push(name.to_owned()),
            (None, Some((name, _)), None) => return Err(format!("{name} is without a reason").into()),
            (None, None, _) => {}
        }
    }
    Ok(found)
}

fn cargo(args: &str) -> Result<String, Box<dyn Error>> {
    let output = Command::new(env!("CARGO")).args(args.split(' ')).current_dir(workspace()).output()?;
    assert!(output.status.success(), "cargo {args}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// What a package of the workspace says that it depends on, its features left out.
fn direct(metadata: &Value, package: &str) -> BTreeSet<String> {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let dependencies =
        packages.filter(|it| it["name"] == package).filter_map(|it| it["dependencies"].as_array());
    let needed = dependencies.flatten().filter(|it| it["kind"].is_null() && it["optional"] == false);
    needed.filter_map(|it| it["name"].as_str()).map(str::to_owned).collect()
}

#[test]
fn the_documentation_gives_the_reason_for_each() -> Tested {
    let rows = reasons()?.into_iter().map(|it| format!("| `{}` | {} |\n", it.names.join("`, `"), it.comment));
    let table = format!("| dependency | what for |\n|---|---|\n{}", rows.collect::<String>());
    let page = fs::read_to_string(workspace().join("docs/cli.md"))?;
    assert!(page.contains(&table), "docs/cli.md should have what crates/cli/Cargo.toml says:\n\n{table}");
    Ok(())
}

#[test]
fn each_dependency_has_a_reason() -> Tested {
    let metadata: Value = serde_json::from_str(&cargo("metadata --no-deps --format-version 1 --locked")?)?;
    let with_reason: BTreeSet<_> = reasons()?.into_iter().flat_map(|reason| reason.names).collect();
    assert_eq!(with_reason, direct(&metadata, "engraft-cli"));
    Ok(())
}

#[test]
fn a_plain_build_of_the_module_has_nothing_of_the_command() -> Tested {
    let metadata: Value = serde_json::from_str(&cargo("metadata --no-deps --format-version 1 --locked")?)?;
    let members = metadata["workspace_default_members"].as_array().cloned().unwrap_or_default();
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let packages = packages.filter(|it| members.contains(&it["id"])).map(|it| &it["name"]);
    assert_eq!(packages.collect::<Vec<_>>(), ["engraft", "engraft-filter"]);

    // Macros run on the machine that builds.
    let tree =
        cargo("tree --target wasm32-wasip1 -e normal,no-proc-macro --prefix none --format {p} --locked")?;
    let built: BTreeSet<_> =
        tree.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
    for expected in ["engraft", "engraft-filter", "proxy-wasm"] {
        assert!(built.contains(expected), "{expected} in {built:?}");
    }
    let of_command = direct(&metadata, "engraft-cli");
    assert!(of_command.contains("clap"), "{of_command:?}");
    let pulled: Vec<_> =
        of_command.intersection(&built).filter(|name| !SHARED.contains(&name.as_str())).collect();
    assert_eq!(pulled, Vec::<&String>::new(), "in the module too; where it needs them, add them to SHARED");
    // The feature that the command asks of the core.
    assert!(!built.contains("schemars") && !built.contains("engraft-cli"), "{built:?}");
    Ok(())
}
