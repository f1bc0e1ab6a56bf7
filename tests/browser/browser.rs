//! The browser, and the script that drives it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use engraft_harness::workspace;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What it takes.
pub(crate) struct Programs {
    node: PathBuf,
    chromium: PathBuf,
    script: PathBuf,
}

pub(crate) enum Found {
    Programs(Programs),
    /// What is not there, and how to get it.
    Missing(String),
}

/// Looks for what it takes.
///
/// # Errors
/// When `CHROMIUM_BIN` names nothing: no other browser is used in its stead.
pub(crate) fn find() -> Result<Found, String> {
    let named = std::env::var_os("CHROMIUM_BIN").filter(|named| !named.is_empty()).map(PathBuf::from);
    if let Some(named) = named.as_deref().filter(|named| !named.is_file()) {
        return Err(format!("CHROMIUM_BIN is {}, where there is no file", named.display()));
    }
    let missing = |what: &str| Ok(Found::Missing(what.to_owned()));
    let Some(chromium) = named.or_else(|| on_path("chromium")) else {
        return missing("chromium is absent (apt install chromium, or set CHROMIUM_BIN)");
    };
    let Some(node) = on_path("node") else { return missing("node is absent (apt install nodejs npm)") };
    let dir = workspace::root().join("tests/browser");
    for package in ["playwright-core", "dom-mutator"] {
        if !dir.join("node_modules").join(package).is_dir() {
            return missing(&format!("{package} is absent (scripts/browser installs it)"));
        }
    }
    Ok(Found::Programs(Programs { node, chromium, script: dir.join("drive.mjs") }))
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file())
}

impl Programs {
    /// Starts the browser; the tests' hosts lead to `port`.
    pub(crate) fn start(self, port: u16) -> Result<Browser, String> {
        let mut command = Command::new(&self.node);
        command.arg(&self.script).arg(&self.chromium).arg(port.to_string());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let failed = |error: std::io::Error| format!("{}: {error}", self.node.display());
        let mut child = command.spawn().map_err(failed)?;
        let talk = child.stdin.take().zip(child.stdout.take());
        let (to, from) = talk.ok_or("node was started without pipes")?;
        let mut talk = Talk { to: Some(to), from: BufReader::new(from) };
        let ready: Value = talk.hear(&self.script)?;
        if ready.get("ready").is_none() {
            return Err(format!("the browser does not start: {ready}"));
        }
        Ok(Browser { program: self.chromium, script: self.script, talk: Mutex::new(talk), child })
    }
}

/// A running browser. Dropping it closes it.
pub(crate) struct Browser {
    program: PathBuf,
    script: PathBuf,
    talk: Mutex<Talk>,
    child: Child,
}

struct Talk {
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
}

/// A page to look at; what each field means is said in `drive.mjs`.
#[derive(Debug, Serialize)]
pub(crate) struct Asked<'a> {
    pub(crate) url: &'a str,
    pub(crate) slots: Option<&'a [String]>,
    pub(crate) reads: &'a str,
    pub(crate) awaits: &'a [String],
}

/// What happened in it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Seen {
    failed: Option<String>,
    pub(crate) marks: Vec<String>,
    pub(crate) attacks: Vec<String>,
    pub(crate) dialogs: Vec<String>,
    pub(crate) errors: Vec<String>,
    pub(crate) requests: Vec<String>,
    pub(crate) violations: Vec<String>,
    pub(crate) slots: Vec<Option<Slot>>,
    pub(crate) children: Vec<String>,
}

/// An element that was looked at, or the document.
#[derive(Debug, Default, Clone, Deserialize)]
pub(crate) struct Slot {
    pub(crate) read: String,
    pub(crate) shape: Vec<String>,
    pub(crate) schemes: Vec<String>,
}

/// A page to be mutated by dom-mutator, and one to compare it with.
#[derive(Debug, Serialize)]
pub(crate) struct Mutating<'a> {
    pub(crate) page: &'a str,
    pub(crate) mutations: &'a [Value],
    pub(crate) edited: &'a str,
}

/// Both.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Mutated {
    failed: Option<String>,
    pub(crate) theirs: String,
    pub(crate) ours: String,
    pub(crate) nested: bool,
}

impl Browser {
    /// The program itself.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    pub(crate) fn open(&self, asked: &Asked<'_>) -> Result<Seen, String> {
        let seen: Seen = self.ask(asked)?;
        match seen.failed {
            Some(why) => Err(format!("{}: {why}", asked.url)),
            None => Ok(seen),
        }
    }

    pub(crate) fn mutate(&self, asked: &Mutating<'_>) -> Result<Mutated, String> {
        let mutated: Mutated = self.ask(asked)?;
        match mutated.failed {
            Some(why) => Err(why),
            None => Ok(mutated),
        }
    }

    fn ask<T: for<'de> Deserialize<'de>>(&self, asked: &impl Serialize) -> Result<T, String> {
        let mut talk = self.talk.lock().unwrap_or_else(PoisonError::into_inner);
        let line = serde_json::to_string(asked).map_err(|error| error.to_string())?;
        let to = talk.to.as_mut().ok_or("the browser is closed")?;
        writeln!(to, "{line}").map_err(|error| format!("{}: {error}", self.script.display()))?;
        talk.hear(&self.script)
    }
}

impl Talk {
    fn hear<T: for<'de> Deserialize<'de>>(&mut self, script: &Path) -> Result<T, String> {
        let mut line = String::new();
        self.from.read_line(&mut line).map_err(|error| format!("{}: {error}", script.display()))?;
        serde_json::from_str(&line).map_err(|error| format!("{} says {line:?}: {error}", script.display()))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The end of its input tells the script to close the browser.
        self.talk.get_mut().unwrap_or_else(PoisonError::into_inner).to = None;
        let _ = self.child.wait();
    }
}
