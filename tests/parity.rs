//! One meaning for every form of a configuration, in the core and in Envoy.
//!
//! Envoy hands a configuration over as `google.protobuf.Struct` (the operator's native YAML, which Envoy's own reader has read)
//! or as text (Istio). Each document in `tests/data/parity` is loaded by the real Envoy as a `Struct`, as YAML text and, with
//! the JSON beside it, as JSON text, and by the core in this process:
//!
//! - `accepted`: the digest that the filter logs is the same for all of them, and the core's;
//! - `refused`: the listener is refused, with the problems that the core gives; a `Struct` has no lines and columns;
//! - `refused_text`: likewise, for what only text can hold.
//!
//! All listeners of a kind are one update of one Envoy, and all plugins share a VM's code, so that a document costs little.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use engraft::engine::Engine;
use engraft_harness::bootstrap::{Bootstrap, Configuration, Listener, Plugin};
use engraft_harness::envoy::Update;
use engraft_harness::workspace;
use libtest_mimic::{Arguments, Trial};
use serde_json::json;

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode, Box<dyn Error>> {
    let arguments = Arguments::from_args();
    let lab = Arc::new(Lab { documents: documents()?, parts: OnceLock::new() });
    let trials = (0..lab.documents.len()).filter_map(|index| {
        let document = lab.documents.get(index)?;
        let (name, lab) = (document.name.clone(), Arc::clone(&lab));
        Some(Trial::test(name, move || lab.check(index).map_err(Into::into)))
    });
    let trials = trials.collect();
    Ok(libtest_mimic::run(&arguments, trials).exit_code())
}

/// A document in one form.
#[derive(Debug)]
struct Document {
    /// `<kind>::<document>::<form>`; its listener and its plugin, too.
    name: String,
    accepted: bool,
    form: Form,
    text: String,
    /// The YAML of the same document.
    yaml: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Native YAML in Envoy's configuration.
    Struct,
    Yaml,
    Json,
}

fn documents() -> Result<Vec<Document>, Box<dyn Error>> {
    let dir = workspace::root().join("tests/data/parity");
    let mut documents = Vec::new();
    for kind in ["accepted", "refused", "refused_text"] {
        for path in sorted(&dir.join(kind))? {
            let Some(stem) = path.file_stem() else { continue };
            let is_json = path.extension().is_some_and(|extension| extension == "json");
            let forms: &[Form] = match (is_json, kind) {
                (true, _) => &[Form::Json],
                (false, "refused_text") => &[Form::Yaml],
                (false, _) => &[Form::Struct, Form::Yaml],
            };
            let text = fs::read_to_string(&path)?;
            let yaml = fs::read_to_string(path.with_extension("yaml"))?;
            for form in forms {
                documents.push(Document {
                    name: format!("{kind}::{}::{form:?}", stem.to_string_lossy()).to_lowercase(),
                    accepted: kind == "accepted",
                    form: *form,
                    text: text.clone(),
                    yaml: yaml.clone(),
                });
            }
        }
    }
    // The example that everybody meets first.
    let shop = fs::read_to_string(workspace::root().join("examples/shop/engraft.yaml"))?;
    for form in [Form::Struct, Form::Yaml] {
        documents.push(Document {
            name: format!("accepted::example_shop::{form:?}").to_lowercase(),
            accepted: true,
            form,
            text: shop.clone(),
            yaml: shop.clone(),
        });
    }
    Ok(documents)
}

fn sorted(dir: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let entries: Result<Vec<_>, _> = fs::read_dir(dir)?.collect();
    let mut paths: Vec<PathBuf> = entries?.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}

/// Envoy, started when the first test needs it, and what it logged.
struct Lab {
    documents: Vec<Document>,
    parts: OnceLock<Result<Logged, String>>,
}

/// What the filter logged, by plugin.
#[derive(Default)]
struct Logged {
    loaded: BTreeMap<String, Vec<String>>,
    problems: BTreeMap<String, Vec<String>>,
    /// The listeners that run.
    running: Vec<String>,
}

impl Lab {
    fn check(&self, index: usize) -> Result<(), String> {
        let document = self.documents.get(index).ok_or("no such document")?;
        let logged =
            self.parts.get_or_init(|| Logged::collect(&self.documents).map_err(|error| error.to_string()));
        let logged = logged.as_ref().map_err(Clone::clone)?;
        let lines =
            |map: &BTreeMap<String, Vec<String>>| map.get(&document.name).cloned().unwrap_or_default();
        let (loaded, problems) = (lines(&logged.loaded), lines(&logged.problems));
        let runs = logged.running.contains(&document.name);
        if document.accepted {
            let expected = document.loaded()?;
            if !runs || loaded.is_empty() || loaded.iter().any(|line| *line != expected) {
                return Err(format!("expected {expected:?}\n     got {loaded:?} and {problems:#?}"));
            }
            return Ok(());
        }
        let expected = document.problems()?;
        if runs || !loaded.is_empty() || problems != expected {
            return Err(format!("expected {expected:#?}\n     got {problems:#?} and {loaded:?}"));
        }
        Ok(())
    }
}

impl Document {
    /// What the filter is to log when it has loaded the document: what the core makes of its YAML, whatever the form.
    fn loaded(&self) -> Result<String, String> {
        let digest = |text: &str| match Engine::load(text.as_bytes()) {
            Ok(loaded) => Ok((loaded.engine.routes().len(), loaded.engine.digest())),
            Err(problems) => Err(problems.to_string()),
        };
        let (yaml, own) = (digest(&self.yaml)?, digest(&self.text)?);
        if yaml != own {
            return Err(format!("the core reads another configuration: {own:x?} instead of {yaml:x?}"));
        }
        Ok(format!("{} routes, digest {:032x}", yaml.0, yaml.1))
    }

    /// The problems that the filter is to log.
    fn problems(&self) -> Result<Vec<String>, String> {
        let Err(problems) = Engine::load(self.text.as_bytes()) else {
            return Err("the core accepts it".to_owned());
        };
        let is_struct = self.form == Form::Struct;
        let problems = problems.into_vec().into_iter();
        let lines = problems.map(|problem| if is_struct { problem.at(None) } else { problem }.to_string());
        let mut lines: Vec<String> = lines.collect();
        // The keys of a `Struct` have no order.
        lines.sort();
        Ok(lines)
    }
}

impl Logged {
    fn collect(documents: &[Document]) -> Result<Self, Box<dyn Error>> {
        let listeners: Vec<Listener> = documents.iter().map(listener).collect::<Result<_, _>>()?;
        let first = Listener::new("empty").answer(200, "");
        let envoy = Bootstrap::new().listener(first).listeners_can_change().start()?;
        // Envoy takes those listeners of an update that it can, and refuses the rest.
        let update = envoy.update_listeners(&listeners)?;
        if !matches!(update, Update::Rejected { .. }) {
            return Err(format!("the update was {update:?}").into());
        }
        // Each either runs in the end or has been refused.
        let refused = |document: &&Document| {
            envoy.log().contains(&format!("{0}: Unable to create Wasm plugin {0}", document.name))
        };
        let mut waiting: Vec<&Document> = documents.iter().filter(|document| !refused(document)).collect();
        let mut logged = Self::default();
        envoy.wait_for("the accepted listeners", || {
            waiting.retain(|document| match envoy.listener_addr(&document.name) {
                Ok(_) => {
                    logged.running.push(document.name.clone());
                    false
                }
                Err(_) => true,
            });
            Ok(waiting.is_empty().then_some(()))
        })?;
        logged.read(&envoy.log());
        Ok(logged)
    }

    fn read(&mut self, log: &str) {
        for line in log.lines() {
            // [time][thread][level][wasm] [source] wasm log <plugin> <vm id>: <message>
            let Some((_, said)) = line.split_once("wasm log ") else { continue };
            let Some((by, message)) = said.split_once(": ") else { continue };
            let plugin = by.split(' ').next().unwrap_or_default().to_owned();
            let is_warning = line.contains("[warning]");
            if let Some(loaded) = message.strip_prefix("configuration loaded: ") {
                self.loaded.entry(plugin).or_default().push(loaded.to_owned());
            } else if let Some(problem) = message.strip_prefix("configuration: ").filter(|_| !is_warning) {
                self.problems.entry(plugin).or_default().push(problem.to_owned());
            }
        }
        self.problems.values_mut().for_each(|lines| lines.sort());
    }
}

fn listener(document: &Document) -> Result<Listener, Box<dyn Error>> {
    let text = document.text.clone();
    let configuration = match document.form {
        Form::Struct => Configuration::Yaml(text),
        Form::Yaml | Form::Json => Configuration::Text(text),
    };
    let plugin = Plugin::engraft(configuration)?.name(&document.name).vm_field("vm_id", json!("parity"));
    Ok(Listener::new(&document.name).answer(200, "").plugin(&plugin))
}
