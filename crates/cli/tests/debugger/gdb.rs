//! A gdb that runs `engraft` by a script, and what it says meanwhile.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

/// How long it may be silent: only reached where something hangs, and the test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A gdb that may trace programs, and Rust's pretty printers for it.
#[derive(Debug)]
pub(crate) struct Gdb {
    printers: PathBuf,
}

impl Gdb {
    /// What is missing, where the session can't be had.
    pub(crate) fn find() -> Result<Self, String> {
        if !cfg!(debug_assertions) {
            return Err("this build has nothing to show to a debugger; leave out --release".to_owned());
        }
        let probe = ["-q", "-batch", "-nx", "-ex", "python print('python')"];
        let probe = Command::new("gdb").args(probe).args(["-ex", "run", "--args", "true"]).output();
        let probe = probe.map_err(|error| format!("gdb: {error}; apt install gdb"))?;
        let said = String::from_utf8_lossy(&probe.stdout);
        if !said.contains("python\n") {
            return Err("this gdb was built without Python".to_owned());
        }
        if !said.contains("exited normally") {
            let why = String::from_utf8_lossy(&probe.stderr);
            return Err(format!("gdb may not trace programs here: {}", why.trim()));
        }
        let sysroot = Command::new("rustc").args(["--print", "sysroot"]).output();
        let sysroot = sysroot.map_err(|error| format!("rustc: {error}"))?;
        let printers = Path::new(String::from_utf8_lossy(&sysroot.stdout).trim()).join("lib/rustlib/etc");
        if printers.join("gdb_load_rust_pretty_printers.py").is_file() {
            Ok(Self { printers })
        } else {
            Err(format!("{} has no pretty printers for gdb", printers.display()))
        }
    }

    /// What it says to a breakpoint at each function, a line each.
    pub(crate) fn break_at(&self, functions: &[String]) -> io::Result<String> {
        let mut gdb = self.command();
        for function in functions {
            gdb.args(["-ex", &format!("break {function}")]);
        }
        let output = gdb.arg(env!("CARGO_BIN_EXE_engraft")).output()?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// A gdb that knows Rust, reads nobody's settings and asks nothing.
    fn command(&self) -> Command {
        let printers = self.printers.display();
        let mut gdb = Command::new("gdb");
        gdb.args(["-q", "-batch", "-nx", "-iex", &format!("add-auto-load-safe-path {printers}")])
            .args(["-iex", &format!("directory {printers}")])
            // It starts programs by it.
            .env("SHELL", "/bin/sh")
            // It would look for sources of system libraries on the network.
            .env_remove("DEBUGINFOD_URLS")
            .stdin(Stdio::null());
        gdb
    }

    /// Runs `engraft` in `folder`, as `rust-gdb -x scripts/engraft.gdb -x SCRIPT --args engraft …` does.
    pub(crate) fn run<A: AsRef<OsStr>>(
        &self,
        folder: &Path,
        script: &Path,
        args: impl IntoIterator<Item = A>,
    ) -> io::Result<Session> {
        let commands = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/engraft.gdb");
        let (from_both, to_both) = io::pipe()?;
        let child = self
            .command()
            .args([OsStr::new("-x"), commands.as_os_str(), OsStr::new("-x"), script.as_os_str()])
            .args(["--args", env!("CARGO_BIN_EXE_engraft")])
            .args(args)
            .current_dir(folder)
            // Both into one, in the order in which a person would read them.
            .stdout(to_both.try_clone()?)
            .stderr(to_both)
            .spawn()?;
        let (to, lines) = mpsc::channel();
        thread::spawn(move || pass_on(from_both, &to));
        Ok(Session { child, lines, said: String::new() })
    }
}

/// Line by line, until it ends or nobody listens.
fn pass_on(stream: impl Read, to: &Sender<String>) {
    let mut lines = BufReader::new(stream);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
        if to.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
            return;
        }
        line.clear();
    }
}

/// A gdb that runs. Dropped, it ends, and what it runs with it.
#[derive(Debug)]
pub(crate) struct Session {
    child: Child,
    lines: Receiver<String>,
    /// All that came, from gdb and from the program.
    said: String,
}

impl Session {
    /// Waits for a line in which `mark` stands, and gives what stands behind it.
    pub(crate) fn wait_for(&mut self, mark: &str) -> Result<String, String> {
        loop {
            let line = self.next().map_err(|error| format!("{error} before \"{mark}\":\n{}", self.said))?;
            if let Some((_, rest)) = line.split_once(mark) {
                return Ok(rest.trim_end().to_owned());
            }
        }
    }

    /// Waits for the end, and gives all that was said.
    pub(crate) fn finish(mut self) -> Result<Said, String> {
        loop {
            match self.next() {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(Said(std::mem::take(&mut self.said))),
                Err(error) => return Err(format!("{error} before the end:\n{}", self.said)),
            }
        }
    }

    fn next(&mut self) -> Result<String, RecvTimeoutError> {
        let line = self.lines.recv_timeout(PATIENCE)?;
        self.said.push_str(&line);
        Ok(line)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Where it has ended by itself, both find nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// All that gdb and the program said.
#[derive(Debug)]
pub(crate) struct Said(pub(crate) String);

impl Said {
    /// What stands between the line `== name` and the next one of the kind.
    pub(crate) fn section(&self, name: &str) -> Result<&str, String> {
        let (_, rest) = self
            .0
            .split_once(&format!("\n== {name}\n"))
            .ok_or_else(|| format!("gdb did not come to \"{name}\":\n{}", self.0))?;
        Ok(rest.split_once("\n== ").map_or(rest, |(section, _)| section))
    }
}
