//! Runs `engraft` in a folder of `tests/data`, so that messages name files as short as a person would.

use std::collections::BTreeSet;
use std::error::Error;
use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a test ends with: its assertions panic, and what gets in their way is an error.
pub(crate) type Tested = Result<(), Box<dyn Error>>;

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn text(&self) -> Result<&str, Box<dyn Error>> {
        Ok(std::str::from_utf8(&self.stdout)?)
    }

    pub(crate) fn json(&self) -> Result<serde_json::Value, Box<dyn Error>> {
        Ok(serde_json::from_slice(&self.stdout)?)
    }
}

pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub(crate) fn data(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(folder)
}

/// Runs `engraft` in `folder`, with nothing on standard input.
pub(crate) fn engraft<A: AsRef<OsStr>>(
    folder: &Path,
    args: impl IntoIterator<Item = A>,
) -> Result<Run, Box<dyn Error>> {
    engraft_with(folder, args, b"")
}

/// Runs `engraft` in `folder`, with `stdin` on standard input.
pub(crate) fn engraft_with<A: AsRef<OsStr>>(
    folder: &Path,
    args: impl IntoIterator<Item = A>,
    stdin: &[u8],
) -> Result<Run, Box<dyn Error>> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_engraft"))
        .args(args)
        .current_dir(folder)
        .env_remove("COLUMNS")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut to_child = child.stdin.take().ok_or("no standard input")?;
    std::thread::scope(|scope| {
        // A run that ends before it has read everything closes the pipe; its exit code says why.
        scope.spawn(move || to_child.write_all(stdin));
        let output = child.wait_with_output()?;
        Ok(Run {
            code: output.status.code(),
            stdout: output.stdout,
            stderr: String::from_utf8(output.stderr)?,
        })
    })
}

/// The commands that `engraft --help` lists.
pub(crate) fn commands() -> Result<BTreeSet<String>, Box<dyn Error>> {
    let help = engraft(&data("check"), ["--help"])?;
    let (_, listed) = help.text()?.split_once("Commands:\n").ok_or("no list of commands")?;
    // What goes on in the next line is indented further.
    let names = listed.lines().take_while(|line| !line.is_empty()).filter_map(|line| line.strip_prefix("  "));
    let names = names.filter_map(|line| line.split(' ').next()).filter(|name| !["", "help"].contains(name));
    Ok(names.map(str::to_owned).collect())
}
