//! `engraft completions`: each shell gets a script that knows the commands, and bash completes by it.

use std::io::Write as _;
use std::process::Command;

use crate::command::{Tested, data, engraft};

#[test]
fn each_shell_gets_commands_and_options() -> Tested {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let run = engraft(&data("check"), ["completions", shell])?;
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{shell}");
        for word in ["check", "render", "completions", "decryption-key", "response-header"] {
            assert!(run.text()?.contains(word), "{shell}: {word}");
        }
    }
    let run = engraft(&data("check"), ["completions", "tcsh"])?;
    assert!(run.stderr.contains("possible values: bash, elvish, fish, powershell, zsh"), "{run:?}");
    assert_eq!(run.code, Some(2));
    Ok(())
}

/// What bash offers, with the script loaded, for a line that ends in `[TAB]`.
fn bash_offers(line: &[&str]) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let script = r#"
        source <("$ENGRAFT" completions bash) || exit 3
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
        _engraft engraft "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}" || exit 4
        complete -p engraft >/dev/null || exit 5
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let output = Command::new("bash")
        .args(["--noprofile", "--norc", "-c", script, "bash"])
        .args(line)
        .env("ENGRAFT", env!("CARGO_BIN_EXE_engraft"))
        .current_dir(data("check"))
        .output()?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stderr.is_empty(), "{}: {stderr}", output.status);
    Ok(String::from_utf8(output.stdout)?.lines().map(str::to_owned).collect())
}

#[test]
fn bash_completes_by_it() -> Tested {
    if Command::new("bash").arg("--version").output().is_err() {
        writeln!(std::io::stderr(), "SKIPPED: completions in bash: there is no bash")?;
        return Ok(());
    }
    for (line, offered) in [
        (&["engraft", "che"][..], &["check"][..]),
        (&["engraft", "check", "--format", "j"], &["json"]),
        (&["engraft", "render", "--respon"], &["--response-header"]),
        (&["engraft", "completions", "p"], &["powershell"]),
    ] {
        assert_eq!(bash_offers(line)?, offered, "{line:?}");
    }
    Ok(())
}
