//! The pages about codes, `docs/checks`: their examples are run.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use engraft::config::problem::Code;
use serde_json::Value;

use crate::command::{Tested, data, engraft, engraft_with, workspace};

fn folder() -> PathBuf {
    workspace().join("docs/checks")
}

/// What stands in the fenced blocks of a language.
fn blocks<'p>(page: &'p str, language: &str) -> Vec<&'p str> {
    let open = format!("```{language}\n");
    page.split(&open).skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

/// The codes of what is said of a configuration, with the page that it is for.
fn said(config: &str, page: Option<&str>) -> Result<BTreeSet<String>, Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let mut args = vec!["check", "--format=json", "-"];
    if let Some(page) = page {
        fs::write(folder.path().join("page.html"), page)?;
        args.extend(["--page", "page.html", "--url", "/"]);
    }
    let run = engraft_with(folder.path(), args, config.as_bytes())?;
    let json = run.json().map_err(|error| format!("{error}: {run:?}"))?;
    let findings = json.get("findings").and_then(Value::as_array).ok_or("no findings")?;
    Ok(findings.iter().filter_map(|it| it.get("code")?.as_str()).map(str::to_owned).collect())
}

#[test]
fn the_example_of_each_page_triggers_its_code_alone_and_the_fix_nothing() -> Tested {
    for code in Code::ALL {
        let page = fs::read_to_string(folder().join(format!("{code}.md")))?;
        let configs = blocks(&page, "yaml");
        let [example, fix] = configs.as_slice() else {
            return Err(format!("{code}: an example and its fix, no more").into());
        };
        let html = blocks(&page, "html").first().copied();
        assert_eq!(said(example, html)?, BTreeSet::from([code.to_string()]), "{code}: the example");
        assert_eq!(said(fix, html)?, BTreeSet::new(), "{code}: the fix");
    }
    Ok(())
}

#[test]
fn every_page_is_about_a_code_and_says_its_level() -> Tested {
    let index = fs::read_to_string(folder().join("README.md"))?;
    for entry in fs::read_dir(folder())? {
        let name = entry?.file_name().into_string().map_err(|_| "a name that is no text")?;
        let Some(code) = name.strip_suffix(".md").filter(|name| *name != "README") else { continue };
        let code = Code::named(code).ok_or_else(|| format!("{name} is about nothing"))?;
        let page = fs::read_to_string(folder().join(&name))?;
        assert!(page.contains(&format!("\nLevel: {}", code.level())), "{name}");
        let line = format!("| [{code}]({code}.md) | {} |", code.level());
        assert!(index.contains(&line), "README.md lacks {line}");
    }
    let listed = index.lines().filter(|line| line.starts_with("| [")).count();
    assert_eq!(listed, Code::ALL.len(), "README.md lists a code twice, or one that there is not");
    Ok(())
}

#[test]
fn a_page_can_be_read_without_the_docs() -> Tested {
    let run = engraft(&data("check"), ["check", "--explain", "unreachable-route"])?;
    assert_eq!(run.text()?, fs::read_to_string(folder().join("unreachable-route.md"))?);
    assert_eq!(run.code, Some(0));
    let run = engraft(&data("check"), ["check", "--explain", "unreachable-rout"])?;
    assert!(run.stderr.contains("did you mean unreachable-route?"), "{run:?}");
    Ok(())
}

#[test]
fn links_between_pages_lead_somewhere() -> Tested {
    for entry in fs::read_dir(folder())? {
        let page = fs::read_to_string(entry?.path())?;
        for link in page.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target =
                fs::read_to_string(folder().join(file)).map_err(|error| format!("{link}: {error}"))?;
            let heading = |line: &str| {
                let words = line.trim_start_matches('#').trim().to_lowercase();
                words
                    .chars()
                    .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-'))
                    .collect::<String>()
                    .replace(' ', "-")
            };
            let found = anchor.is_empty()
                || target.lines().any(|line| line.starts_with('#') && heading(line) == anchor);
            assert!(found, "{link}");
        }
    }
    Ok(())
}

/// The examples that people copy are what they should be.
#[test]
fn nothing_is_said_of_the_configurations_that_are_shipped() -> Tested {
    let run = engraft(&workspace(), ["check", "--format=json", "examples/shop/engraft.yaml"])?;
    assert_eq!(run.json()?["findings"], Value::Array(Vec::new()));
    Ok(())
}
