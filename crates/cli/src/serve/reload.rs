//! What is in force: the last configuration that could be used, and what is wrong with a later one.
//!
//! Files are looked at ten times a second rather than watched: there are two of them, editors replace files in ways that watchers of one
//! file lose, and shared folders of containers and virtual machines tell watchers nothing.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use engraft::config::model::Stage;
use engraft::decide::decrypt::DecryptionKey;
use engraft::engine::Engine;
use engraft::live::Live;
use tokio::sync::watch;

use super::args::Serve;
use crate::check::Findings;
use crate::failure::Failure;
use crate::output::{self, Palette};
use crate::stamp::{Stamp, stamp};

/// How often the files are looked at.
const PERIOD: Duration = Duration::from_millis(100);

/// What exchanges are run with. Each keeps the one that it began with.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) engine: Arc<Engine>,
    /// The payload of a feature service.
    pub(crate) payload: Option<Arc<Live>>,
    /// How many usable saves there were before.
    pub(crate) generation: u64,
    /// What is wrong with the files as they are now, as `engraft check` says it; what is in force is then older than they are.
    pub(crate) problems: Option<Arc<str>>,
}

/// The files that it comes from.
#[derive(Debug)]
pub(crate) struct Files {
    config: PathBuf,
    payload: Option<PathBuf>,
    key: Option<DecryptionKey>,
    /// What they were when they were read.
    read_at: Vec<Stamp>,
}

/// Files that can't be used.
#[derive(Debug)]
pub(crate) enum Refused {
    Config {
        name: String,
        findings: Box<Findings>,
    },
    Payload {
        name: String,
        why: String,
    },
    /// One of them can't be read.
    Unread(Failure),
}

type Usable = (Arc<Engine>, Option<Arc<Live>>);

impl Files {
    pub(crate) fn of(args: &Serve) -> Self {
        Self {
            config: args.config.clone(),
            payload: args.payload.clone(),
            key: args.decryption_key.clone(),
            read_at: Vec::new(),
        }
    }

    /// Reads them. There is no cache here, so one exchange is both stages, whichever the configuration was written for.
    pub(crate) fn read(&mut self) -> Result<Result<Usable, Refused>, Failure> {
        // Before: what is saved while they are read is read again.
        self.read_at = self.stamps();
        let name = self.config.display().to_string();
        let mut findings = Findings::of(&read(&self.config)?);
        let Some(engine) = findings.engine.take() else {
            return Ok(Err(Refused::Config { name, findings: Box::new(findings) }));
        };
        let engine = Arc::new(engine.at_stage(Stage::Both));
        let Some(path) = &self.payload else { return Ok(Ok((engine, None))) };
        Ok(match Live::read(&read(path)?, self.key.as_ref()) {
            Ok(live) => Ok((engine, Some(Arc::new(live)))),
            Err(error) => Err(Refused::Payload { name: path.display().to_string(), why: error.to_string() }),
        })
    }

    /// When they were changed, and how long they are; of a file that is not there, nothing.
    fn stamps(&self) -> Vec<Stamp> {
        std::iter::once(&self.config).chain(&self.payload).map(|path| stamp(path)).collect()
    }

    /// Watches for saves, for good, and has `current` be what they bring.
    pub(crate) async fn watch(mut self, current: watch::Sender<Setup>) {
        let mut before = self.read_at.clone();
        let mut ticks = tokio::time::interval(PERIOD);
        loop {
            ticks.tick().await;
            let stamps = self.stamps();
            // Editors may take a file away before they put the next one there, or write it in several steps.
            let is_settled = stamps == before && !stamps.contains(&None);
            let is_read = stamps == self.read_at;
            before = stamps;
            if is_read || !is_settled {
                continue;
            }
            let read = match self.read() {
                Ok(read) => read,
                // What was taken away after all is no save either.
                Err(Failure::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => continue,
                Err(failure) => {
                    // Whose it is may change with nothing else of it, so it is tried again, and told of once.
                    self.read_at.clear();
                    let refused = Refused::Unread(failure);
                    if current.borrow().is_known(&refused) {
                        continue;
                    }
                    Err(refused)
                }
            };
            tell(&read, &self.config);
            current.send_modify(|setup| setup.take(read));
        }
    }
}

impl Setup {
    pub(crate) fn new((engine, payload): Usable) -> Self {
        Self { engine, payload, generation: 0, problems: None }
    }

    /// Whether this is what is wrong already.
    fn is_known(&self, refused: &Refused) -> bool {
        self.problems.as_deref() == Some(&*refused.text())
    }

    fn take(&mut self, read: Result<Usable, Refused>) {
        match read {
            Ok((engine, payload)) => {
                *self =
                    Self { engine, payload, generation: self.generation.saturating_add(1), problems: None };
            }
            Err(refused) => self.problems = Some(refused.text().into()),
        }
    }
}

impl Refused {
    /// For a terminal.
    pub(crate) fn write(&self, out: &mut dyn io::Write, palette: &Palette) -> io::Result<()> {
        match self {
            Self::Config { name, findings } => findings.write(out, palette, name),
            Self::Payload { name, why } => output::refused(out, palette, name, why),
            Self::Unread(failure) => output::failure(out, palette, failure),
        }
    }

    fn text(&self) -> String {
        let mut text = Vec::new();
        // Writing to memory does not fail.
        let _ = self.write(&mut text, &Palette::default());
        String::from_utf8_lossy(&text).into_owned()
    }
}

/// Says in the terminal what a save brought. A terminal that is gone is no reason to stop.
fn tell(read: &Result<Usable, Refused>, config: &Path) {
    let _ = output::to_stderr(|out, palette| match read {
        Ok((engine, _)) => {
            let style = palette.fine;
            let patches: usize = engine.routes().iter().map(|route| route.patches.len()).sum();
            let (name, routes) = (config.display(), engine.routes().len());
            writeln!(out, "{style}{name} is in force{style:#}: routes {routes}, patches {patches}")
        }
        Err(refused) => {
            refused.write(out, palette)?;
            writeln!(out, "what was in force before goes on")
        }
    });
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|source| Failure::Read { name: path.display().to_string(), source })
}
