//! The server of a test.

use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::io::{BufRead as _, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use engraft_harness::client::{self, Received, Request};
use engraft_harness::origin::Origin;
use engraft_harness::wire::Protocol;
use serde_json::Value;
use tempfile::TempDir;

/// What a test ends with: its assertions panic, and what gets in their way is an error.
pub(crate) type Tested = Result<(), Box<dyn Error>>;

/// How long anything may take that a test waits for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A configuration whose one route greets by a cookie.
pub(crate) const GREETING: &str = "\
version: 1
attributes:
  name: { cookie: first_name }
routes:
- name: page
  match: { path: { prefix: /p } }
  patches:
  - { when: { name: { $exists: true } }, select: h1, text: \"Hello {{ name | default('you') }}\" }
";

/// A process that does not outlive its test.
pub(crate) struct Process(pub(crate) Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A running `engraft serve`. Dropping it kills it.
pub(crate) struct Server {
    process: Process,
    pub(crate) addr: SocketAddr,
    lines: Receiver<String>,
    said: Receiver<String>,
    /// Where its configuration is.
    pub(crate) folder: TempDir,
}

impl Server {
    /// Starts one with `configuration` in front of `origin`.
    pub(crate) fn before(origin: &Origin, configuration: &str) -> Result<Self, Box<dyn Error>> {
        Self::with(configuration, ["--origin".to_owned(), format!("http://{}", origin.addr())])
    }

    /// Starts one with `configuration` and arguments.
    pub(crate) fn with<A: AsRef<OsStr>>(
        configuration: &str,
        args: impl IntoIterator<Item = A>,
    ) -> Result<Self, Box<dyn Error>> {
        let folder = TempDir::with_prefix("engraft-serve-")?;
        let config = folder.path().join("engraft.yaml");
        std::fs::write(&config, configuration)?;
        let mut all: Vec<OsString> = vec!["--config".into(), config.into()];
        all.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        Self::start(folder, &all)
    }

    fn start(folder: TempDir, args: &[OsString]) -> Result<Self, Box<dyn Error>> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_engraft"))
            .args(["serve", "--listen", "127.0.0.1:0", "--log", "json"])
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let lines = lines_of(child.stdout.take().ok_or("no standard output")?);
        let said = lines_of(child.stderr.take().ok_or("no standard error")?);
        let mut before = Vec::new();
        let addr = loop {
            let Ok(line) = said.recv_timeout(PATIENCE) else {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("the server did not start: {before:?}").into());
            };
            if let Some(addr) = line.strip_prefix("at ").map(str::trim) {
                break addr.trim_start_matches("http://").trim_end_matches('/').parse()?;
            }
            before.push(line);
        };
        Ok(Self { process: Process(child), addr, lines, said, folder })
    }

    pub(crate) fn fetch(&self, request: &Request) -> Result<Received, Box<dyn Error>> {
        Ok(client::fetch(Protocol::Http1, self.addr, request)?)
    }

    pub(crate) fn get(&self, target: &str) -> Result<Received, Box<dyn Error>> {
        self.fetch(&Request::get(target))
    }

    /// A request for the panel, under the listener's name.
    pub(crate) fn own(&self, target: &str) -> Request {
        Request::get(target).host(&self.addr.to_string())
    }

    /// The next line about a request.
    pub(crate) fn line(&self) -> Result<Value, Box<dyn Error>> {
        Ok(serde_json::from_str(&self.lines.recv_timeout(PATIENCE)?)?)
    }

    /// What is said next in the terminal with `needle` in it.
    pub(crate) fn said(&self, needle: &str) -> Result<String, Box<dyn Error>> {
        loop {
            let line = self.said.recv_timeout(PATIENCE).map_err(|_| format!("nobody said {needle:?}"))?;
            if line.contains(needle) {
                return Ok(line);
            }
        }
    }

    /// Saves another configuration, as editors do: the new file takes the old one's place.
    pub(crate) fn save(&self, configuration: &str) -> Tested {
        let next = self.folder.path().join("engraft.yaml.next");
        std::fs::write(&next, configuration)?;
        Ok(std::fs::rename(next, self.folder.path().join("engraft.yaml"))?)
    }

    /// The most memory that it has had so far, in KiB.
    pub(crate) fn peak_memory(&self) -> Result<u64, Box<dyn Error>> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
        Ok(line.trim().trim_end_matches("kB").trim().parse()?)
    }

    /// Asks it to end, and waits until it has.
    pub(crate) fn end(mut self) -> Result<ExitStatus, Box<dyn Error>> {
        self.process.end()
    }
}

impl Process {
    /// Asks it to end, and waits until it has.
    #[expect(clippy::disallowed_methods, reason = "a test waits for so long and no longer")]
    pub(crate) fn end(&mut self) -> Result<ExitStatus, Box<dyn Error>> {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.0.id())?).ok_or("no such process")?;
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        let asked = Instant::now();
        while asked.elapsed() < PATIENCE {
            if let Some(status) = self.0.try_wait()? {
                return Ok(status);
            }
            std::thread::yield_now();
        }
        Err("it did not end".into())
    }
}

/// The lines of a stream as they come.
fn lines_of(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// What `engraft render` makes of a page.
pub(crate) fn rendered(
    config: &Path,
    url: &str,
    header: &str,
    page: &[u8],
) -> Result<Vec<u8>, Box<dyn Error>> {
    let folder = TempDir::new()?;
    let body = folder.path().join("page.html");
    std::fs::write(&body, page)?;
    let output = Command::new(env!("CARGO_BIN_EXE_engraft"))
        .args(["render", "--url", url, "--header", header, "--config"])
        .arg(config)
        .arg("--body")
        .arg(&body)
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(output.stdout)
}
