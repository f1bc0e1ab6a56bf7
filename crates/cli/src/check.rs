//! `engraft check`: everything that is wrong with a configuration, and what may surprise in it.

use std::fmt;
use std::io::{self, Write};

use clap::builder::styling::Style;
use engraft::cache::Answer;
use engraft::cache::inputs::Inputs;
use engraft::cache::set_cookie::Storable;
use engraft::config::model::Config;
use engraft::config::node::Location;
use engraft::config::problem::{Kind, Problem};
use engraft::config::source::{self, Warning};
use engraft::engine::{Engine, Loaded, Route};
use engraft::request::attributes::Values;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;

use crate::args::{Check, Format};
use crate::failure::{Failure, Verdict};
use crate::output::{self, Palette};

pub(crate) fn run(args: &Check) -> Result<Verdict, Failure> {
    let findings = Findings::of(&args.file.read()?);
    let name = args.file.name();
    output::to_stdout(|out, palette| match args.format {
        Format::Human => findings.write(out, palette, &name),
        Format::Json => output::json(out, &findings.to_json(&name)),
    })?;
    Ok(if findings.engine.is_some() { Verdict::Fine } else { Verdict::Problems })
}

/// What was found in a configuration.
#[derive(Debug)]
pub(crate) struct Findings {
    /// The compiled configuration, where nothing is wrong with it.
    pub(crate) engine: Option<Engine>,
    problems: Vec<Problem>,
    warnings: Vec<Warning>,
}

impl Findings {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        match Engine::load(bytes) {
            Ok(Loaded { engine, warnings, .. }) => {
                Self { engine: Some(engine), problems: Vec::new(), warnings }
            }
            Err(problems) => Self {
                engine: None,
                problems: problems.into_vec(),
                warnings: warnings_beside_problems(bytes),
            },
        }
    }

    /// A line for each problem and each warning, and a last one that sums up.
    pub(crate) fn write(&self, out: &mut dyn Write, palette: &Palette, name: &str) -> io::Result<()> {
        for problem in &self.problems {
            let Problem { at, kind, .. } = *problem;
            let (label, style) =
                if kind == Kind::More { ("note", palette.place) } else { ("error", palette.error) };
            let mut rest = problem.clone();
            rest.at = None;
            line(out, palette.place, name, at, (label, style), &rest)?;
        }
        for warning in &self.warnings {
            let mut rest = warning.clone();
            rest.at = None;
            line(out, palette.place, name, warning.at, ("warning", palette.warning), &rest)?;
        }
        for advice in self.advice() {
            let mut rest = advice.clone();
            rest.at = None;
            line(out, palette.place, name, advice.at, ("warning", palette.warning), &rest)?;
        }
        self.sum_up(out, palette, name)?;
        self.policies().iter().try_for_each(|policy| policy.write(out, palette))
    }

    fn advice(&self) -> &[Problem] {
        self.engine.as_ref().map(Engine::advice).unwrap_or_default()
    }

    /// Of the routes about which there is something to say.
    fn policies(&self) -> Vec<Policy<'_>> {
        let routes = self.engine.iter().flat_map(|engine| engine.routes().iter().map(move |it| (engine, it)));
        routes.map(|(engine, route)| Policy::of(route, engine)).filter(|policy| !policy.is_plain()).collect()
    }

    fn sum_up(&self, out: &mut dyn Write, palette: &Palette, name: &str) -> io::Result<()> {
        let warnings = Count(self.warnings.len().saturating_add(self.advice().len()), "warning");
        let Some(engine) = &self.engine else {
            let errors = self.problems.iter().filter(|problem| problem.kind != Kind::More).count();
            let or_more = if errors < self.problems.len() { " or more" } else { "" };
            let style = palette.error;
            write!(out, "{style}{}{or_more}{style:#}", Count(errors, "error"))?;
            return if warnings.0 > 0 { writeln!(out, ", {warnings}") } else { writeln!(out) };
        };
        let routes = Count(engine.routes().len(), "route");
        let patches = Count(engine.routes().iter().map(|route| route.patches.len()).sum(), "patch");
        let style = palette.fine;
        write!(out, "{style}{name} is fine{style:#}: {routes}, {patches}")?;
        if warnings.0 > 0 { writeln!(out, ", {warnings}") } else { writeln!(out) }
    }

    fn to_json<'f>(&'f self, file: &'f str) -> Json<'f> {
        Json {
            file,
            valid: self.engine.is_some(),
            problems: &self.problems,
            warnings: &self.warnings,
            advice: self.advice(),
            policies: self.policies(),
            digest: self.engine.as_ref().map(|engine| format!("{:032x}", engine.digest())),
        }
    }
}

/// What the caches are told of the pages of a route, and what those pages are made from.
#[derive(Debug, Serialize)]
struct Policy<'f> {
    route: &'f str,
    /// `Cache-Control`; none where it is the origin's.
    browser: Option<String>,
    /// What shared caches in front are told besides, header by header.
    cdn: Vec<String>,
    /// `Cache-Control` for the cache behind the personal edits, where there is one; none where it is the origin's.
    store: Option<String>,
    inputs: Inputs,
}

impl<'f> Policy<'f> {
    fn of(route: &'f Route, engine: &Engine) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
        let answer = Answer {
            status: StatusCode::OK,
            headers: &headers,
            vary: None,
            is_page: true,
            asked: &route.cache.asked(&HeaderMap::new()),
            values: &Values::default(),
            is_of_visitor: false,
            cookies: &Storable::Yes,
        };
        let (edits, of_store) = (route.cache.edits(&answer), route.cache.store_edits(&answer));
        let mut stored = HeaderMap::new();
        of_store.headers.iter().for_each(|edit| edit.apply(&mut stored));
        headers.clear();
        edits.headers.iter().for_each(|edit| edit.apply(&mut headers));
        let shown = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let browser = headers.remove(CACHE_CONTROL).as_ref().map(shown);
        let cdn: Vec<String> =
            headers.iter().map(|(name, value)| format!("{name}: {}", shown(value))).collect();
        let inputs = Inputs::of(route, engine.attributes());
        let store = stored.get(CACHE_CONTROL).filter(|_| inputs.stored).map(shown);
        Self { route: &route.name, browser, cdn, store, inputs }
    }

    fn is_plain(&self) -> bool {
        self.browser.is_none() && self.cdn.is_empty() && self.inputs.is_plain()
    }

    fn write(&self, out: &mut dyn Write, palette: &Palette) -> io::Result<()> {
        let place = palette.place;
        writeln!(out, "\n{place}route {}{place:#}", self.route)?;
        let browser = self.browser.as_deref().unwrap_or("as the origin says");
        writeln!(out, "  {:<12}{browser}", "browser")?;
        let mut label = "cdn";
        for header in &self.cdn {
            writeln!(out, "  {label:<12}{header}")?;
            label = "";
        }
        if self.cdn.is_empty() {
            writeln!(out, "  {label:<12}as the browser")?;
        }
        let store = match (&self.store, self.inputs.stored) {
            (_, false) => "nothing",
            (None, true) => "as the origin says",
            (Some(store), true) => store,
        };
        let key = self.inputs.key.join("; ");
        for (label, text) in [("store", store), ("key", &key)] {
            writeln!(out, "  {label:<12}{text}")?;
        }
        let mut label = "depends on";
        for reading in &self.inputs.reads {
            writeln!(out, "  {label:<12}{reading}")?;
            label = "";
        }
        let mut label = "patches";
        for staged in &self.inputs.stages {
            writeln!(out, "  {label:<12}{staged}")?;
            label = "";
        }
        Ok(())
    }
}

/// The core gives warnings with what can be used only. Where the values are well formed and do not fit together, they can
/// be told all the same; before that, too little is known of what each scalar was to be.
fn warnings_beside_problems(bytes: &[u8]) -> Vec<Warning> {
    match source::read(bytes) {
        Ok(document) if document.decode::<Config>().is_ok() => document.warnings_for::<Config>(),
        _ => Vec::new(),
    }
}

/// `FILE:LINE:COL: error: …`, as compilers write it and editors read it.
fn line(
    out: &mut dyn Write,
    place: Style,
    name: &str,
    at: Option<Location>,
    (label, style): (&str, Style),
    rest: &dyn fmt::Display,
) -> io::Result<()> {
    match at {
        Some(Location { line, column }) => write!(out, "{place}{name}:{line}:{column}:{place:#} ")?,
        None => write!(out, "{place}{name}:{place:#} ")?,
    }
    writeln!(out, "{style}{label}:{style:#} {rest}")
}

/// A number of things.
struct Count(usize, &'static str);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(n, noun) = self;
        let plural = match *n {
            1 => "",
            _ if noun.ends_with("ch") => "es",
            _ => "s",
        };
        write!(f, "{n} {noun}{plural}")
    }
}

#[derive(Serialize)]
struct Json<'f> {
    file: &'f str,
    valid: bool,
    problems: &'f [Problem],
    warnings: &'f [Warning],
    #[serde(skip_serializing_if = "<[Problem]>::is_empty")]
    advice: &'f [Problem],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    policies: Vec<Policy<'f>>,
    /// What the digest of the loaded configuration is in Envoy too; none where it is not loaded.
    digest: Option<String>,
}
