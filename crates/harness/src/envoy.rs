//! A real Envoy in a process of its own: started from a bootstrap, asked through its admin interface, stopped by its pid.
//!
//! The process runs in a temporary directory, in a process group of its own (so that Ctrl-C reaches whoever started it, who then
//! stops it in order), and dies with its parent, where the machine has util-linux' `setpriv`; without that an Envoy outlives a
//! test process that was killed with SIGKILL, and only then.

mod admin;
mod binary;
mod error;
mod update;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

pub use binary::{Binary, Version};
pub use error::EnvoyError;
pub use update::Update;

use crate::bootstrap::{ACCESS_LOG_FILE, LISTENERS_FILE, Listener};
use crate::process::Process;

/// How long an Envoy gets to be ready, to take an update or to show what a test waits for, before that is an error. Generous,
/// because a loaded machine compiles wasm slowly.
pub const PATIENCE: Duration = Duration::from_secs(120);

const LOG_FILE: &str = "envoy.log";
const BOOTSTRAP_FILE: &str = "bootstrap.yaml";
const ADMIN_ADDRESS_FILE: &str = "admin.addr";

/// What an Envoy is started with.
#[derive(Clone, Debug)]
pub struct Launch {
    bootstrap: String,
    files: Vec<(String, String)>,
    concurrency: u32,
    arguments: Vec<String>,
    binary: Option<Binary>,
}

impl Launch {
    /// One worker, and nothing but the bootstrap.
    #[must_use]
    pub const fn new(bootstrap: String) -> Self {
        Self { bootstrap, files: Vec::new(), concurrency: 1, arguments: Vec::new(), binary: None }
    }

    /// Sets the number of workers.
    #[must_use]
    pub const fn concurrency(mut self, workers: u32) -> Self {
        self.concurrency = workers;
        self
    }

    /// Puts a file into Envoy's working directory, where the bootstrap can name it relative to `./`.
    #[must_use]
    pub fn file(mut self, name: &str, content: impl Into<String>) -> Self {
        self.files.push((name.to_owned(), content.into()));
        self
    }

    /// Adds a command line argument.
    #[must_use]
    pub fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Uses this Envoy instead of the one that [`Binary::find`] finds.
    #[must_use]
    pub fn binary(mut self, binary: &Binary) -> Self {
        self.binary = Some(binary.clone());
        self
    }

    /// Starts it and waits until it is live.
    ///
    /// # Errors
    /// When there is no suitable Envoy, or it exits instead (the error then holds the end of its log).
    pub fn start(self) -> Result<Envoy, EnvoyError> {
        let binary = match &self.binary {
            Some(binary) => binary.clone(),
            None => Binary::find()?,
        };
        let dir = TempDir::with_prefix("engraft-envoy-")
            .map_err(EnvoyError::io("make a directory", "envoy".as_ref()))?;
        let bootstrap = (BOOTSTRAP_FILE.to_owned(), self.bootstrap);
        for (name, content) in self.files.iter().chain([&bootstrap]) {
            let path = dir.path().join(name);
            std::fs::write(&path, content).map_err(EnvoyError::io("write", &path))?;
        }
        let concurrency = self.concurrency.to_string();
        let mut arguments = vec![
            "--config-path",
            BOOTSTRAP_FILE,
            "--concurrency",
            &concurrency,
            "--disable-hot-restart",
            "--admin-address-path",
            ADMIN_ADDRESS_FILE,
            "--file-flush-interval-msec",
            "20",
        ];
        arguments.extend(self.arguments.iter().map(String::as_str));
        let process = Process::start(binary.path(), &arguments, dir.path(), &dir.path().join(LOG_FILE))
            .map_err(EnvoyError::io("start", binary.path()))?;
        let mut envoy = Envoy {
            process,
            admin: SocketAddr::from(([127, 0, 0, 1], 0)),
            concurrency: self.concurrency,
            binary,
            dir: Some(dir),
        };
        envoy.wait_until_live()?;
        Ok(envoy)
    }
}

/// A running Envoy. Dropping it stops the process (SIGTERM, after three seconds SIGKILL) and removes its directory; in a test
/// that is failing, the end of its log goes to stderr, and with `ENGRAFT_KEEP` set the directory stays.
#[derive(Debug)]
pub struct Envoy {
    process: Process,
    admin: SocketAddr,
    concurrency: u32,
    binary: Binary,
    /// Taken only by the drop.
    dir: Option<TempDir>,
}

impl Envoy {
    /// Starts one worker with this bootstrap; see [`Launch`] for more.
    ///
    /// # Errors
    /// See [`Launch::start`].
    pub fn start(bootstrap_yaml: String) -> Result<Self, EnvoyError> {
        Launch::new(bootstrap_yaml).start()
    }

    /// What runs.
    #[must_use]
    pub const fn binary(&self) -> &Binary {
        &self.binary
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// The processor time it has used so far; to 10 ms on common kernels.
    ///
    /// # Errors
    /// When the system has no `/proc`.
    pub fn cpu_time(&self) -> Result<Duration, EnvoyError> {
        self.process.cpu_time().map_err(EnvoyError::io("measure", self.binary.path()))
    }

    /// The working directory: bootstrap, logs and whatever [`Launch::file`] put there.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.as_ref().map_or_else(|| Path::new(""), TempDir::path)
    }

    /// Where the admin interface listens.
    #[must_use]
    pub const fn admin_addr(&self) -> SocketAddr {
        self.admin
    }

    /// Where a listener listens.
    ///
    /// # Errors
    /// When Envoy has no listener of that name: it may have refused it, so the error holds the end of the log.
    pub fn listener_addr(&self, name: &str) -> Result<SocketAddr, EnvoyError> {
        let listeners = admin::listeners(self.admin)?;
        match listeners.iter().find(|(listener, _)| listener == name) {
            Some((_, addr)) => Ok(*addr),
            None => Err(EnvoyError::NoListener {
                name: name.to_owned(),
                have: listeners.into_iter().map(|(name, _)| name).collect(),
                log_tail: self.log_tail(),
            }),
        }
    }

    /// Counters and gauges whose name matches a regular expression.
    ///
    /// # Errors
    /// When the admin interface does not answer.
    pub fn stats(&self, filter: &str) -> Result<BTreeMap<String, u64>, EnvoyError> {
        admin::stats(self.admin, filter)
    }

    /// One counter or gauge, by its whole name; 0 while Envoy does not know it.
    ///
    /// # Errors
    /// When the admin interface does not answer.
    pub fn stat(&self, name: &str) -> Result<u64, EnvoyError> {
        let stats = self.stats(&format!("^{}$", name.replace('.', "\\.")))?;
        Ok(stats.get(name).copied().unwrap_or_default())
    }

    /// All statistics in Prometheus' form.
    ///
    /// # Errors
    /// When the admin interface does not answer.
    pub fn prometheus(&self) -> Result<String, EnvoyError> {
        admin::get(self.admin, "/stats/prometheus")
    }

    /// A GET to the admin interface.
    ///
    /// # Errors
    /// When it does not answer 200.
    pub fn admin_get(&self, path: &str) -> Result<String, EnvoyError> {
        admin::get(self.admin, path)
    }

    /// A POST to the admin interface (`/runtime_modify?…`).
    ///
    /// # Errors
    /// When it does not answer 200.
    pub fn admin_post(&self, path: &str) -> Result<String, EnvoyError> {
        admin::post(self.admin, path)
    }

    /// Everything it has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// The last lines of the log.
    #[must_use]
    pub fn log_tail(&self) -> String {
        error::tail(&self.process.log())
    }

    /// Waits for at least `lines` lines of the access log and returns them all. Envoy writes it with a delay of some
    /// milliseconds.
    ///
    /// # Errors
    /// When they do not come in time.
    pub fn access_log(&self, lines: usize) -> Result<Vec<Value>, EnvoyError> {
        let path = self.file(ACCESS_LOG_FILE);
        self.wait_for("lines in the access log", || {
            // The file appears with the first listener; its last line may be half written.
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
            let read: Vec<Value> = whole.filter_map(|line| serde_json::from_str(line).ok()).collect();
            Ok((read.len() >= lines).then_some(read))
        })
    }

    /// Replaces the listeners and waits until Envoy's workers have the new ones, or Envoy has refused them and goes on with the
    /// old. The bootstrap has to say [`listeners_can_change`](crate::bootstrap::Bootstrap::listeners_can_change).
    ///
    /// # Errors
    /// When Envoy does neither in time.
    pub fn update_listeners(&self, listeners: &[Listener]) -> Result<Update, EnvoyError> {
        self.update_listeners_file(&crate::bootstrap::listeners_document(listeners))
    }

    /// The same for one listener.
    ///
    /// # Errors
    /// See [`Self::update_listeners`].
    pub fn update_listener(&self, listener: &Listener) -> Result<Update, EnvoyError> {
        self.update_listeners(std::slice::from_ref(listener))
    }

    /// The same with a document of the caller's, as it stands in a file of listeners (`resources: […]`).
    ///
    /// # Errors
    /// See [`Self::update_listeners`].
    pub fn update_listeners_file(&self, document: &str) -> Result<Update, EnvoyError> {
        update::run(self, &self.file(LISTENERS_FILE), document)
    }

    /// Asks `probe` until it has an answer.
    ///
    /// # Errors
    /// The probe's own; or, after [`PATIENCE`], that `what` did not come.
    pub fn wait_for<T>(
        &self,
        what: &'static str,
        mut probe: impl FnMut() -> Result<Option<T>, EnvoyError>,
    ) -> Result<T, EnvoyError> {
        let start = Instant::now();
        loop {
            if let Some(answer) = probe()? {
                return Ok(answer);
            }
            if start.elapsed() > PATIENCE {
                return Err(EnvoyError::TimedOut { what, log_tail: self.log_tail() });
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn wait_until_live(&mut self) -> Result<(), EnvoyError> {
        let start = Instant::now();
        let address_file = self.file(ADMIN_ADDRESS_FILE);
        loop {
            if let Some(status) = self.process.exited() {
                return Err(EnvoyError::Exited { status: status.to_string(), log_tail: self.log_tail() });
            }
            let address = std::fs::read_to_string(&address_file).unwrap_or_default();
            if let Ok(address) = address.trim().parse() {
                self.admin = address;
                // Refused while it does not listen yet, 503 while listeners warm.
                let live = admin::get(address, "/ready").is_ok_and(|answer| answer.trim() == "LIVE");
                // The workers take the listeners in after that; an update counts on their having done so.
                if live && self.stat("listener_manager.workers_started")? == 1 {
                    return Ok(());
                }
            }
            if start.elapsed() > PATIENCE {
                return Err(EnvoyError::TimedOut {
                    what: "`LIVE` from the admin's /ready",
                    log_tail: self.log_tail(),
                });
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        if std::thread::panicking() {
            error::show_log(self.pid(), &self.log_tail());
        }
        self.process.stop();
        if std::env::var_os("ENGRAFT_KEEP").is_some()
            && let Some(dir) = self.dir.take()
        {
            error::show_kept(&dir.keep());
        }
    }
}
