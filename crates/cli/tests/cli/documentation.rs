//! `docs/cli.md` and the help texts say what there is.

use std::fs;

use crate::command::{Tested, commands, data, engraft, workspace};

#[test]
fn each_command_has_a_section_with_an_example() -> Tested {
    let page = fs::read_to_string(workspace().join("docs/cli.md"))?;
    for command in commands()? {
        let section = page.split_once(&format!("\n### engraft {command}\n")).map(|(_, rest)| rest);
        let section = section.and_then(|rest| rest.split("\n### ").next()).unwrap_or_default();
        assert!(
            section.contains(&format!("\n$ engraft {command}")),
            "docs/cli.md: engraft {command}: {section}"
        );
    }
    Ok(())
}

#[test]
fn exit_codes_are_the_same_in_the_documentation_and_in_each_help() -> Tested {
    let page = fs::read_to_string(workspace().join("docs/cli.md"))?;
    let help = engraft(&data("check"), ["--help"])?;
    let (_, codes) = help.text()?.split_once("\nExit codes:\n").ok_or("no exit codes")?;
    let meanings: Vec<_> = codes.lines().filter_map(|line| line.trim().split_once("  ")).collect();
    assert_eq!(meanings.iter().map(|(code, _)| *code).collect::<Vec<_>>(), ["0", "1", "2"]);
    for (code, meaning) in meanings {
        assert!(page.contains(&format!("\n| {code} | {meaning} |\n")), "docs/cli.md: {code}, {meaning}");
    }
    for command in commands()? {
        for help in ["-h", "--help"] {
            let run = engraft(&data("check"), [&command, help])?;
            assert!(run.text()?.ends_with(codes), "{command} {help}");
        }
    }
    Ok(())
}
