//! What was found in a configuration.

use std::io::{self, Write};

use engraft::config::model::Config;
use engraft::config::problem::{Level, Problem};
use engraft::config::source::{self, Document};
use engraft::engine::{Engine, Loaded};
use engraft::lint::lint;

use super::finding::Finding;
use super::json::Json;
use super::pages::{self, Page, Seen};
use super::policy::Policy;
use super::snippet::Source;
use super::summary::Summary;
use super::weights::Weights;
use super::{human, short};
use crate::args::Url;
use crate::failure::Failure;
use crate::output::Palette;

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Findings {
    /// The compiled configuration, where nothing is wrong with it.
    pub(crate) engine: Option<Engine>,
    pub(super) source: Source,
    pub(super) list: Vec<Finding>,
    /// What the patches select on pages that were given.
    seen: Vec<Seen>,
}

impl Findings {
    /// What is wrong with a configuration, and what the core says of it in passing.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let (engine, problems, warnings) = match Engine::load(bytes) {
            Ok(Loaded { engine, warnings, .. }) => {
                let advice = engine.advice().to_vec();
                (Some(engine), advice, warnings)
            }
            Err(problems) => (None, problems.into_vec(), warnings_beside_problems(bytes)),
        };
        let list = problems.into_iter().map(Finding::from).chain(warnings.into_iter().map(Finding::from));
        let mut findings = Self { engine, source: Source::of(bytes), list: list.collect(), seen: Vec::new() };
        findings.sort();
        findings
    }

    /// Looks for what can be used and is probably not meant, in the configuration that these are of.
    pub(super) fn lint(&mut self, bytes: &[u8]) {
        let Some(engine) = &self.engine else { return };
        let Ok(document) = source::read(bytes) else { return };
        let Ok(config) = document.decode::<Config>() else { return };
        self.add(lint(&config, engine), &document);
    }

    /// Looks for what the patches select on pages; `url` is what files are asked for by.
    ///
    /// # Errors
    /// A page that can't be had.
    pub(super) fn look(&mut self, bytes: &[u8], pages: &[Page], url: Option<&Url>) -> Result<(), Failure> {
        let Some(engine) = &self.engine else { return Ok(()) };
        let Ok(document) = source::read(bytes) else { return Ok(()) };
        self.seen = pages::see(engine, pages, url)?;
        self.add(pages::remarks(&self.seen), &document);
        Ok(())
    }

    fn add(&mut self, problems: Vec<Problem>, document: &Document) {
        let placed = problems.into_iter().map(|problem| {
            let at = document.root.locate_entry(&problem.path);
            Finding::from(problem.at(at))
        });
        self.list.extend(placed);
        self.sort();
    }

    /// Weighs each remark anew, and leaves out those that are not to be said.
    pub(super) fn weigh(&mut self, weights: &Weights) {
        self.list.retain_mut(|finding| match weights.weigh(finding.code(), finding.level) {
            Some(level) => {
                finding.level = level;
                true
            }
            None => false,
        });
    }

    /// The weight of the heaviest remark.
    pub(super) fn weight(&self) -> Option<Level> {
        self.list.iter().map(|finding| finding.level).max()
    }

    /// Errors first, each in the order of the text; what says that there may be more errors is behind them.
    fn sort(&mut self) {
        self.list.sort_by(|a, b| {
            let key = |it: &Finding| {
                let is_error = it.level == Level::Error || it.is_of_the_list();
                (!is_error, it.is_of_the_list(), it.problem.at)
            };
            key(a).cmp(&key(b)).then_with(|| a.problem.path.cmp(&b.problem.path))
        });
    }

    /// Each remark with the line that it is about, and a last line that sums up; what the caches are told, where the configuration
    /// can be used.
    pub(crate) fn write(&self, out: &mut dyn Write, palette: &Palette, name: &str) -> io::Result<()> {
        self.list.iter().try_for_each(|it| human::write(out, palette, name, &self.source, it))?;
        self.sum_up(out, palette, name)?;
        self.policies().iter().try_for_each(|policy| policy.write(out, palette))?;
        self.seen.iter().try_for_each(|seen| seen.write(out, palette))
    }

    /// The same, with a line for each remark.
    pub(super) fn write_short(&self, out: &mut dyn Write, palette: &Palette, name: &str) -> io::Result<()> {
        self.list.iter().try_for_each(|it| short::write(out, palette, name, it))?;
        self.sum_up(out, palette, name)?;
        self.policies().iter().try_for_each(|policy| policy.write(out, palette))?;
        self.seen.iter().try_for_each(|seen| seen.write(out, palette))
    }

    /// The line that says how much there is.
    pub(super) fn sum_up(&self, out: &mut dyn Write, palette: &Palette, name: &str) -> io::Result<()> {
        Summary::of(self).write(out, palette, name)
    }

    /// Of the routes about which there is something to say.
    pub(super) fn policies(&self) -> Vec<Policy<'_>> {
        let routes = self.engine.iter().flat_map(|engine| engine.routes().iter().map(move |it| (engine, it)));
        routes.map(|(engine, route)| Policy::of(route, engine)).filter(|policy| !policy.is_plain()).collect()
    }

    pub(super) fn to_json<'f>(&'f self, file: &'f str) -> Json<'f> {
        Json {
            file,
            valid: self.engine.is_some(),
            findings: &self.list,
            pages: &self.seen,
            policies: self.policies(),
            digest: self.engine.as_ref().map(|engine| format!("{:032x}", engine.digest())),
        }
    }
}

/// The core gives warnings with what can be used only. Where the values are well formed and do not fit together, they can
/// be told all the same; before that, too little is known of what each scalar was to be.
fn warnings_beside_problems(bytes: &[u8]) -> Vec<source::Warning> {
    match source::read(bytes) {
        Ok(document) if document.decode::<Config>().is_ok() => document.warnings_for::<Config>(),
        _ => Vec::new(),
    }
}
