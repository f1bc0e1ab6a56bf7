//! `.vscode/launch.json`: what it starts is there, and starts.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::Tested;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn json(file: &str) -> Result<Value, Box<dyn Error>> {
    Ok(serde_json::from_slice(&fs::read(workspace().join(file))?)?)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn words(value: &Value) -> Vec<&str> {
    list(value).filter_map(Value::as_str).collect()
}

#[test]
fn each_configuration_builds_and_starts_what_there_is() -> Tested {
    let (launch, tasks) = (json(".vscode/launch.json")?, json(".vscode/tasks.json")?);
    let labels: Vec<_> = list(&tasks["tasks"]).map(|task| &task["label"]).collect();
    let mut builds: Vec<_> = list(&tasks["tasks"]).map(|task| words(&task["args"])).collect();
    let mut renders = 0;
    for configuration in list(&launch["configurations"]) {
        let name = &configuration["name"];
        match &configuration["cargo"] {
            Value::Null => {
                assert!(labels.contains(&&configuration["preLaunchTask"]), "{name}");
                assert_eq!(configuration["program"], "${workspaceFolder}/target/debug/engraft", "{name}");
            }
            cargo => builds.push(words(&cargo["args"])),
        }
        let args = words(&configuration["args"]);
        for named in args.windows(2).filter(|pair| ["--config", "--site", "--body"].contains(&pair[0])) {
            assert!(workspace().join(named[1]).exists(), "{name}: {}", named[1]);
        }
        if args[0] == "render" {
            let run =
                Command::new(env!("CARGO_BIN_EXE_engraft")).args(args).current_dir(workspace()).output()?;
            let said = String::from_utf8_lossy(&run.stderr);
            assert!(run.status.success() && said.contains("\nbody: edited, "), "{name}: {said}");
            renders += 1;
        }
    }
    assert_eq!(renders, 2);
    for build in builds {
        let package = build.iter().position(|word| *word == "-p").and_then(|at| build.get(at + 1));
        assert!(matches!(package, Some(&("engraft" | "engraft-cli"))), "{build:?}");
    }

    let test = launch["inputs"][0]["default"].as_str().and_then(|test| test.rsplit_once("::"));
    let (module, function) = test.ok_or("no test is named")?;
    let file = workspace().join("src").join(module.replace("::", "/")).with_extension("rs");
    assert!(
        fs::read_to_string(&file)?.contains(&format!("fn {function}()")),
        "{function} in {}",
        file.display()
    );
    Ok(())
}
