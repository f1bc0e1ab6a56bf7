//! Runs files of scenarios.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use engraft::config::model::Stage;
use engraft::config::node::Path as Place;
use engraft::decide::decrypt::DecryptionKey;
use engraft::engine::{Engine, Loaded};
use engraft::live::Live;

use super::coverage::Coverage;
use super::expect::Expect;
use super::files::Files;
use super::judge::{Exchange, Verdicts, hold_choices, judge};
use super::outcome::{Complaint, Flaw, Mismatch, Round, ScenarioOutcome, SuiteOutcome};
use super::scenario::{Document, Scenario, scenario_path};
use super::snapshot::{Held, Snapshots};
use super::staging::{Scene, Staged, choices};
use crate::cacheability::{Audience, Verdict};
use crate::exchange::rendering::Rendering;
use crate::exchange::stages::Stages;
use crate::time;

/// The configuration of a file that names none.
const CONFIGURATION: &str = "engraft.yaml";

/// What a round is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) filter: Option<&'a str>,
    pub(super) updates: bool,
    pub(super) coverage: bool,
}

/// Runs all scenarios of the files that are asked for.
pub(super) fn run(paths: &[PathBuf], asked: Asked<'_>, files: &mut Files) -> Round {
    let begun = time::instant();
    let mut runner = Runner { asked, files, configurations: BTreeMap::new(), notes: Vec::new() };
    let mut suites: Vec<SuiteOutcome> = paths.iter().map(|path| runner.suite(path)).collect();
    // A file of which nothing is asked has nothing to tell.
    suites.retain(|suite| !matches!(&suite.scenarios, Ok(scenarios) if scenarios.is_empty()));
    let mut notes = runner.notes;
    for (path, configuration) in runner.configurations.iter().filter(|_| asked.coverage) {
        if let Ok(Configuration { engine, bytes, coverage, .. }) = configuration {
            let lacks = coverage.lacks(engine, bytes).into_iter();
            notes.extend(lacks.map(|lack| format!("{}: {lack}", path.display())));
        }
    }
    Round { suites, notes, took: begun.elapsed() }
}

#[derive(Debug)]
struct Runner<'r> {
    asked: Asked<'r>,
    files: &'r mut Files,
    /// Each is compiled once, however many files name it.
    configurations: BTreeMap<PathBuf, Result<Configuration, Vec<Flaw>>>,
    notes: Vec<String>,
}

/// A configuration, and what scenarios touch of it.
#[derive(Debug)]
struct Configuration {
    bytes: Rc<[u8]>,
    engine: Arc<Engine>,
    stages: Option<Stages>,
    coverage: Coverage,
}

/// A file of scenarios with all that it names.
struct Suite<'s> {
    document: &'s Document,
    folder: &'s Path,
    site: Option<PathBuf>,
    configuration: &'s mut Configuration,
    live: Option<Arc<Live>>,
}

impl Runner<'_> {
    fn suite(&mut self, path: &Path) -> SuiteOutcome {
        let file = path.display().to_string();
        let scenarios = self.scenarios(path, &file);
        SuiteOutcome { file, scenarios }
    }

    fn scenarios(&mut self, path: &Path, file: &str) -> Result<Vec<ScenarioOutcome>, Vec<Flaw>> {
        let bytes =
            self.files.read(path).map_err(|why| vec![Flaw::new(file, format!("can't be read: {why}"))])?;
        let document = Document::read(&bytes)
            .map_err(|problems| problems.iter().map(|problem| Flaw::of(file, problem)).collect::<Vec<_>>())?;
        let folder = path.parent().unwrap_or_else(|| Path::new(""));
        let blame = |field: &str, message: String| {
            vec![Flaw { at: document.at(&Place::default().key(field)), ..Flaw::new(file, message) }]
        };
        let live = match &document.suite.payload {
            None => None,
            Some(payload) => {
                let bytes = self.files.read(&folder.join(payload));
                let bytes = bytes.map_err(|why| blame("payload", format!("can't read {payload}: {why}")))?;
                let key = document.suite.decryption_key.as_deref().map(DecryptionKey::parse).transpose();
                let key = key.map_err(|why| blame("decryption_key", why.to_string()))?;
                let live = Live::read(&bytes, key.as_ref());
                Some(Arc::new(live.map_err(|why| blame("payload", format!("{payload}: {why}")))?))
            }
        };
        let named = document.suite.config.as_deref();
        let config = folder.join(named.unwrap_or(CONFIGURATION));
        if !self.configurations.contains_key(&config) {
            let configuration = self.configuration(&config);
            self.configurations.insert(config.clone(), configuration);
        }
        let configuration = match self.configurations.get_mut(&config) {
            Some(Ok(configuration)) => configuration,
            Some(Err(flaws)) => {
                let mut all =
                    blame("config", format!("the configuration {} can't be used", config.display()));
                all.extend(flaws.iter().map(|Flaw { file, at, message }| Flaw {
                    file: file.clone(),
                    at: *at,
                    message: message.clone(),
                }));
                return Err(all);
            }
            None => return Err(blame("config", "the configuration is not there".to_owned())),
        };
        let site = document.suite.site.as_ref().map(|site| folder.join(site));
        let suite = Suite { document: &document, folder, site, configuration, live };
        let mut snapshots = Snapshots::beside(path, self.asked.updates);
        let outcomes = suite.run(self.asked, self.files, &mut snapshots);
        if self.asked.filter.is_none() {
            let left_over = snapshots.left_over().into_iter();
            self.notes
                .extend(left_over.map(|path| format!("{}: no scenario has this snapshot", path.display())));
        }
        Ok(outcomes)
    }

    fn configuration(&mut self, path: &Path) -> Result<Configuration, Vec<Flaw>> {
        let name = path.display().to_string();
        let bytes =
            self.files.read(path).map_err(|why| vec![Flaw::new(&name, format!("can't be read: {why}"))])?;
        match Engine::load(&bytes) {
            Ok(Loaded { engine, .. }) => Ok(Configuration {
                stages: Stages::of(&bytes),
                // There is no cache here, so one exchange is both.
                engine: Arc::new(engine.at_stage(Stage::Both)),
                coverage: Coverage::default(),
                bytes,
            }),
            Err(problems) => Err(problems.iter().map(|problem| Flaw::of(&name, problem)).collect()),
        }
    }
}

impl Suite<'_> {
    fn run(mut self, asked: Asked<'_>, files: &mut Files, snapshots: &mut Snapshots) -> Vec<ScenarioOutcome> {
        let document = self.document;
        let scenarios = document.suite.scenarios.iter().enumerate();
        let scenarios =
            scenarios.filter(|(_, scenario)| asked.filter.is_none_or(|text| scenario.name.contains(text)));
        let outcome = |(index, scenario): (usize, &Scenario)| {
            let begun = time::instant();
            let place = scenario_path(index);
            let mut outcome = ScenarioOutcome {
                name: scenario.name.clone(),
                at: document.at(&place),
                complaints: Vec::new(),
                updated: None,
                took: begun.elapsed(),
            };
            self.scenario(scenario, &place, files, snapshots, &mut outcome);
            outcome.complaints.sort_by_key(|complaint| complaint.at);
            outcome.took = begun.elapsed();
            outcome
        };
        scenarios.map(outcome).collect()
    }

    fn scenario(
        &mut self,
        scenario: &Scenario,
        place: &Place,
        files: &mut Files,
        snapshots: &mut Snapshots,
        outcome: &mut ScenarioOutcome,
    ) {
        let mut complain = |path: Place, what: Mismatch| {
            let at = self.document.at(&path);
            outcome.complaints.push(Complaint { path, at, what });
        };
        let Configuration { engine, stages, coverage, .. } = &mut *self.configuration;
        let given = scenario.given.over(&self.document.suite.given);
        let scene =
            Scene { engine, live: self.live.as_ref(), folder: self.folder, site: self.site.as_deref() };
        let staged = match Staged::new(&given, scene, files) {
            Ok(staged) => staged,
            Err(unstaged) => {
                return complain(
                    place.clone().key("given").key(unstaged.field),
                    Mismatch::Says(unstaged.why),
                );
            }
        };
        let Staged { visit, page, .. } = &staged;
        let rendering = Rendering::of(engine, visit.clone(), &staged.answer(None));
        coverage.add(&rendering.report);
        let in_bytes = Rendering::of(engine, visit.clone(), &staged.answer(NonZeroUsize::new(1)));
        if let Some(mismatch) = told_apart(&rendering, &in_bytes) {
            complain(place.clone(), mismatch);
        }
        let verdict =
            |audience| Verdict::of(audience, &visit.head, (rendering.status, &rendering.headers), visit.now);
        let verdicts = Verdicts {
            browser: verdict(Audience::Browser),
            shared: verdict(Audience::Shared),
            store: stages.as_ref().and_then(|stages| stages.store(visit, &staged.answer(None))),
        };
        if let Some(mismatch) = hold_choices(choices(&scenario.given), &rendering.report) {
            let field = if scenario.given.variants.is_empty() { "flags" } else { "variants" };
            complain(place.clone().key("given").key(field), mismatch);
        }
        let expect = place.clone().key("expect");
        let exchange = Exchange { engine, rendering: &rendering, page, verdicts };
        for (path, mismatch) in judge(&scenario.expect, exchange) {
            complain(joined(&expect, &path), mismatch);
        }
        let Expect { body: Some(body), .. } = &scenario.expect else { return };
        let Some(snapshot) = &body.0.snapshot else { return };
        match snapshots.hold(snapshot, &scenario.name, &rendering.body, &rendering.headers, files) {
            Held::Same => {}
            Held::Written(path) => outcome.updated = Some(path.display().to_string()),
            Held::Mismatch(mismatch) => complain(expect.key("body").key("snapshot"), mismatch),
        }
    }
}

fn joined(base: &Place, rest: &Place) -> Place {
    use engraft::config::node::Segment;
    rest.segments().iter().fold(base.clone(), |path, segment| match segment {
        Segment::Index(index) => path.index(*index),
        Segment::Key(name) => path.key(name),
    })
}

/// An exchange is the same however the network cuts the page; where it is not, that is a bug of engraft's.
fn told_apart(whole: &Rendering, in_bytes: &Rendering) -> Option<Mismatch> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let head = |rendering: &Rendering| format!("{} {:?}", rendering.status, rendering.headers);
    let (what, expected, found) = if whole.body != in_bytes.body {
        ("page", text(&whole.body), text(&in_bytes.body))
    } else if head(whole) != head(in_bytes) {
        ("head", head(whole), head(in_bytes))
    } else if whole.report.summary() != in_bytes.report.summary() {
        ("report", whole.report.summary(), in_bytes.report.summary())
    } else {
        return None;
    };
    let message = format!(
        "the {what} is another one where the body comes byte by byte; please report this bug of engraft"
    );
    let difference = crate::diff::plain(&expected, &found);
    Some(Mismatch::Says(format!("{message}\n{difference}")))
}
