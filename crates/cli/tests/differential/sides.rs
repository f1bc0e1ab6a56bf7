//! The two programs that answer.

use std::error::Error;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

pub(crate) struct Sides {
    node: PathBuf,
    script: PathBuf,
}

impl Sides {
    /// Looks for what it takes, and says what is missing.
    pub(crate) fn find() -> Result<Self, String> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let node = std::env::split_paths(&path).map(|dir| dir.join("node")).find(|file| file.is_file());
        let node = node.ok_or("node is absent (apt install nodejs npm)")?;
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/growthbook");
        if !dir.join("node_modules/@growthbook/growthbook").is_dir() {
            return Err("@growthbook/growthbook is absent (scripts/growthbook installs it)".to_owned());
        }
        Ok(Self { node, script: dir.join("sdk.mjs") })
    }

    /// What we answer, and what the SDK does.
    pub(crate) fn answer(&self, requests: &[Value]) -> Result<(Vec<Value>, Vec<Value>), Box<dyn Error>> {
        let lines: String = requests.iter().map(|request| format!("{request}\n")).collect();
        let mut ours = Command::new(env!("CARGO_BIN_EXE_engraft"));
        let mut theirs = Command::new(&self.node);
        let ours = answers(ours.args(["decide", "--batch"]), &lines, requests.len())?;
        Ok((ours, answers(theirs.arg(&self.script), &lines, requests.len())?))
    }
}

fn answers(command: &mut Command, lines: &str, count: usize) -> Result<Vec<Value>, Box<dyn Error>> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut stdin = child.stdin.take().ok_or("no standard input")?;
    let output = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(lines.as_bytes()));
        child.wait_with_output()
    })?;
    let answers: Result<Vec<Value>, _> =
        std::str::from_utf8(&output.stdout)?.lines().map(serde_json::from_str).collect();
    let answers = answers?;
    if answers.len() == count {
        Ok(answers)
    } else {
        Err(format!("{command:?} answers {} of {count} requests", answers.len()).into())
    }
}
