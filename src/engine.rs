//! A compiled configuration: what every exchange is run with.

use std::collections::BTreeSet;

use http::{HeaderMap, HeaderName};
use siphasher::sip128::{Hasher128, SipHasher13};
use std::hash::Hasher;

use crate::cache::advice::advise;
use crate::config::model::{self, Config, Limits};
use crate::config::node::Path;
use crate::config::problem::{Code, Kind, Problem, Problems};
use crate::config::source::{self, Document, Warning};
use crate::decide::condition;
use crate::decisions::Decisions;
use crate::explain::trace::RouteVerdict;
use crate::exposure::sinks::{Sinks, in_pages};
use crate::feed::GrowthBook;
use crate::request::attributes::{Catalogue, Fact};
use crate::request::decided::{self, AUTO, Declared};
use crate::request::{RequestHead, authority};
use crate::route::{RouteInput, RouteTable};

mod route;

pub use route::Route;
use route::{Scope, headers_that_choose};

/// Of how many routes traces tell.
const MAX_CONSIDERED: usize = 200;

/// See the [module](self).
#[derive(Debug)]
pub struct Engine {
    attributes: Catalogue,
    decisions: Decisions,
    asks_for_chance: bool,
    limits: Limits,
    debug: Option<model::Debug>,
    secrets: model::Secrets,
    growthbook: Option<GrowthBook>,
    exposures: Sinks,
    routes: Vec<Route>,
    table: RouteTable,
    stage: model::Stage,
    digest: u128,
    advice: Vec<Problem>,
}

/// A configuration that can be used, and remarks on it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Loaded {
    /// The compiled configuration.
    pub engine: Engine,
    /// Scalars that do not mean what they seem to.
    pub warnings: Vec<Warning>,
}

impl Engine {
    /// Reads and compiles a configuration: JSON or YAML text, or the bytes of a `google.protobuf.Struct`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn load(bytes: &[u8]) -> Result<Loaded, Problems> {
        let document = source::read(bytes)?;
        let config: Config = document.decode()?;
        let mut engine = Self::compile(&config).map_err(|problems| place(problems, &document))?;
        for advice in &mut engine.advice {
            advice.at = document.root.locate(&advice.path);
        }
        Ok(Loaded { engine, warnings: document.warnings_for::<Config>() })
    }

    /// Compiles a configuration.
    ///
    /// # Errors
    /// Everything that does not fit together, without places in a text.
    pub fn compile(config: &Config) -> Result<Self, Problems> {
        let mut problems = Vec::new();
        if config.version != 1 {
            let path = Path::default().key("version");
            problems.push(Problem::new(
                Kind::InvalidValue,
                path,
                format!("{} is not known; write 1", config.version),
            ));
        }
        check_limits(&config.limits, &mut problems);
        check_debug(config.debug.as_ref(), &mut problems);
        check_secrets(&config.secrets, &mut problems);
        let exposures = Sinks::compile(config.exposures.as_ref(), &mut problems);
        let max_value_bytes = usize::try_from(config.limits.max_value_bytes).unwrap_or(usize::MAX);
        let mut attributes = Catalogue::compile(&config.attributes, max_value_bytes, &mut problems);
        let mut advice = Vec::new();
        let growthbook = config.growthbook.as_ref();
        let growthbook =
            growthbook.and_then(|growthbook| GrowthBook::compile(growthbook, &mut problems, &mut advice));
        if let Some(growthbook) = &growthbook {
            declare(growthbook, &mut attributes);
        }
        let decisions = Decisions::compile(config, &mut attributes, &mut problems);
        let matches = config.routes.iter().enumerate();
        let matches = matches.map(|(index, route)| (route_path(index).key("match"), route.matches.as_ref()));
        let table = RouteTable::compile(matches, &mut problems);
        let routes = config.routes.iter().enumerate().map(|(index, route)| {
            let of_match = headers_that_choose(&config.routes, index);
            let path = route_path(index);
            let tells_pages = exposures.page.is_some();
            let scope =
                Scope { attributes: &attributes, decisions: &decisions, limits: &config.limits, tells_pages };
            Route::compile(route, &of_match, scope, &path, &mut problems)
        });
        let routes: Vec<Route> = routes.collect();
        check_names(&config.routes, &mut problems);
        decisions.advise(&attributes, &mut advice);
        for (index, (written, route)) in config.routes.iter().zip(&routes).enumerate() {
            advise(&route.key, written, &route_path(index), &mut advice);
        }
        if config.stage != model::Stage::Both && !routes.iter().any(|route| route.key.is_stored()) {
            let message = "nothing is stored between the stages, so two of them do what one does; add `cache: { store: … }` to a route, or \
                           write `stage: both`";
            advice.push(Problem::advice(Code::UselessStage, Path::default().key("stage"), message));
        }
        match (table, Problems::collect(problems)) {
            (Some(table), None) => Ok(Self {
                attributes,
                decisions,
                asks_for_chance: routes.iter().any(|route| !route.decides_by_visitor.is_empty()),
                limits: config.limits,
                debug: config.debug.clone(),
                secrets: config.secrets.clone(),
                growthbook,
                exposures,
                stage: config.stage,
                routes,
                table,
                digest: digest(config),
                advice,
            }),
            (_, Some(problems)) => Err(problems),
            (None, None) => {
                Err(Problem::new(Kind::InvalidValue, Path::default().key("routes"), "routes don't compile")
                    .into())
            }
        }
    }

    /// The route of a request and its number: the first one that matches.
    #[must_use]
    pub fn route(&self, request: &RequestHead) -> Option<(usize, &Route)> {
        let host = authority::host(&request.authority);
        let input = RouteInput::of(request, &host);
        self.table.find(&input).and_then(|index| Some((index, self.routes.get(index)?)))
    }

    /// Which routes a request is not on, and why, up to the one that it is on.
    #[cold]
    pub(crate) fn considered(&self, request: &RequestHead) -> Vec<RouteVerdict> {
        let host = authority::host(&request.authority);
        let input = RouteInput::of(request, &host);
        let mut verdicts = Vec::new();
        for (route, unmet) in self.routes.iter().zip(self.table.unmet(&input)).take(MAX_CONSIDERED) {
            verdicts
                .push(RouteVerdict { name: route.name.clone(), fails: unmet.map(|unmet| unmet.to_string()) });
            if unmet.is_none() {
                break;
            }
        }
        verdicts
    }

    /// What finds routes.
    #[cfg(feature = "lint")]
    pub(crate) const fn table(&self) -> &RouteTable {
        &self.table
    }

    /// On which side of a cache it stands.
    #[must_use]
    pub const fn stage(&self) -> model::Stage {
        self.stage
    }

    /// The same configuration to stand at another stage: for a host in which there is no cache, and one filter is all of them.
    #[must_use]
    pub fn at_stage(self, stage: model::Stage) -> Self {
        Self { stage, ..self }
    }

    /// The route of this name and its number.
    #[must_use]
    pub fn route_named(&self, name: &str) -> Option<(usize, &Route)> {
        self.routes.iter().enumerate().find(|(_, route)| route.name == name)
    }

    /// The routes, in order.
    #[must_use]
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The bounds.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Who may ask for debug headers.
    #[must_use]
    pub const fn debug(&self) -> Option<&model::Debug> {
        self.debug.as_ref()
    }

    /// What nobody is shown of requests and responses.
    #[must_use]
    pub const fn secrets(&self) -> &model::Secrets {
        &self.secrets
    }

    /// Whether who asks is of interest: some things are for this machine only.
    #[must_use]
    pub const fn asks_for_peer(&self) -> bool {
        self.debug.is_some() || self.decisions.force().is_some()
    }

    /// Whether chance is of interest: ids and views are numbered by it.
    #[must_use]
    pub const fn asks_for_chance(&self) -> bool {
        self.asks_for_chance
    }

    /// Where the payload comes from, if there is one.
    #[must_use]
    pub const fn growthbook(&self) -> Option<&GrowthBook> {
        self.growthbook.as_ref()
    }

    /// Who is told of exposures.
    #[must_use]
    pub const fn exposures(&self) -> &Sinks {
        &self.exposures
    }

    /// What can be used and may not do what was meant.
    #[must_use]
    pub fn advice(&self) -> &[Problem] {
        &self.advice
    }

    /// The attributes.
    #[must_use]
    pub const fn attributes(&self) -> &Catalogue {
        &self.attributes
    }

    /// What is decided about visitors.
    #[must_use]
    pub const fn decisions(&self) -> &Decisions {
        &self.decisions
    }

    /// What the host is to supply with each request, in this order.
    #[must_use]
    pub fn facts(&self) -> &[Fact] {
        self.attributes.facts()
    }

    /// A digest of what the configuration means: the same for the same configuration in any form and in every stage.
    #[must_use]
    pub const fn digest(&self) -> u128 {
        self.digest
    }
}

/// Names the flags and experiments of a payload that is known, or all that one may have that is fetched.
fn declare(growthbook: &GrowthBook, attributes: &mut Catalogue) {
    let declared =
        || Declared { kind: condition::Kind::Any, of_visitor: true, values: None, otherwise: None };
    attributes.declare(AUTO, declared());
    match growthbook.live() {
        None => attributes.declare_others(),
        Some(live) => {
            let features = live.payload().features().iter().map(|feature| decided::flag(feature.key()));
            let experiments = live.payload().experiments().iter();
            let names = features.chain(experiments.map(|experiment| decided::variant(experiment.key())));
            names.for_each(|name| attributes.declare(&name, declared()));
        }
    }
}

fn route_path(index: usize) -> Path {
    Path::default().key("routes").index(index)
}

/// Gives problems their places in the text.
fn place(problems: Problems, document: &Document) -> Problems {
    let placed = problems.into_vec().into_iter().map(|problem| {
        let at = document.root.locate(&problem.path);
        problem.at(at)
    });
    let placed: Vec<Problem> = placed.collect();
    Problems::collect(placed)
        .unwrap_or_else(|| Problem::new(Kind::InvalidValue, Path::default(), "invalid").into())
}

fn check_limits(limits: &Limits, problems: &mut Vec<Problem>) {
    let ranges = [
        ("max_held_bytes", limits.max_held_bytes, 1024, 16 * 1024 * 1024),
        ("max_tag_bytes", limits.max_tag_bytes, 1024, 1024 * 1024),
        ("max_elements", limits.max_elements, 1, 100_000),
        ("max_value_bytes", limits.max_value_bytes, 16, 64 * 1024),
        ("max_decoded_bytes", limits.max_decoded_bytes, 64 * 1024, 256 * 1024 * 1024),
        ("max_whole_bytes", limits.max_whole_bytes, 1024, 16 * 1024 * 1024),
    ];
    for (name, value, min, max) in ranges {
        if !(min..=max).contains(&value) {
            let path = Path::default().key("limits").key(name);
            problems.push(Problem::new(
                Kind::InvalidValue,
                path,
                format!("{value} is out of range; accepted: {min} to {max}"),
            ));
        }
    }
}

fn check_debug(debug: Option<&model::Debug>, problems: &mut Vec<Problem>) {
    let secret = debug.and_then(|debug| debug.secret.as_deref());
    if secret.is_some_and(|secret| secret.chars().count() < 16) {
        let path = Path::default().key("debug").key("secret");
        problems.push(Problem::new(
            Kind::InvalidValue,
            path,
            "the secret is too short to be one; write at least 16 characters",
        ));
    }
}

/// A name that nothing can have would hide nothing, and nobody would know.
fn check_secrets(secrets: &model::Secrets, problems: &mut Vec<Problem>) {
    let path = Path::default().key("secrets");
    let mut report = |member: &str, index: usize, message: String| {
        problems.push(Problem::new(Kind::InvalidValue, path.clone().key(member).index(index), message));
    };
    let is_cookie = |name: &str| {
        let ends =
            |letter: char| matches!(letter, '=' | ';') || letter.is_whitespace() || letter.is_control();
        !name.is_empty() && !name.contains(ends)
    };
    for (index, name) in secrets.cookies.iter().enumerate().filter(|(_, name)| !is_cookie(name)) {
        report("cookies", index, format!("\"{name}\" can't be the name of a cookie; write the name alone"));
    }
    for (index, name) in secrets.headers.iter().enumerate() {
        if HeaderName::try_from(name).is_err() {
            report("headers", index, format!("\"{name}\" is not a header name; write the name alone"));
        }
    }
}

/// Names become parts of metrics and headers.
fn check_names(routes: &[model::Route], problems: &mut Vec<Problem>) {
    let mut seen = BTreeSet::new();
    for (index, route) in routes.iter().enumerate() {
        let path = route_path(index).key("name");
        let name = route.name.as_str();
        let valid = name.len() <= 64
            && !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        if !valid {
            let message = format!("\"{name}\" is not a name; use letters, digits, `_` and `-`, from 1 to 64");
            problems.push(Problem::new(Kind::InvalidValue, path, message));
        } else if !seen.insert(name) {
            problems.push(Problem::new(
                Kind::InvalidValue,
                path,
                format!("another route is called \"{name}\" already"),
            ));
        }
    }
}

fn digest(config: &Config) -> u128 {
    let mut hasher = SipHasher13::new();
    hasher.write(env!("CARGO_PKG_VERSION").as_bytes());
    let exposures = in_pages(config.exposures.as_ref());
    let everywhere = Config { stage: model::Stage::default(), exposures, ..config.clone() };
    // Serialising plain data can't fail; if it did, the digest would only be less specific.
    hasher.write(&serde_json::to_vec(&everywhere).unwrap_or_default());
    hasher.finish128().as_u128()
}

/// Headers that only engraft may send.
pub(crate) fn internal_headers(headers: &HeaderMap) -> impl Iterator<Item = HeaderName> + '_ {
    headers.keys().filter(|name| name.as_str().starts_with("x-engraft-")).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(routes: &str) -> String {
        let config = format!("version: 1\nroutes:\n{routes}");
        Engine::load(config.as_bytes()).map(|_| String::new()).unwrap_or_else(|problems| problems.to_string())
    }

    #[test]
    fn a_route_that_a_header_chooses_can_not_be_public() {
        let public = "cache: { cdn: { max_age: 1h } }";
        let beta =
            "- { name: beta, match: { path: { prefix: /a/ }, headers: { x-beta: { exact: '1' } } } }\n";
        let cases = [
            ("{ path: { prefix: /a/ } }", true),
            ("{ path: { exact: /a/b } }", true),
            ("{ path: { suffix: .html } }", true),
            ("{ path: { prefix: /b/ } }", false),
            ("{ path: { exact: /b } }", false),
        ];
        for (matches, refused) in cases {
            let found = problems(&format!("{beta}- {{ name: rest, match: {matches}, {public} }}\n"));
            assert_eq!(found.contains("the header x-beta"), refused, "{matches}: {found}");
            let first = problems(&format!("- {{ name: rest, match: {matches}, {public} }}\n{beta}"));
            assert_eq!(first, "", "what comes later chooses nothing");
        }
    }

    #[test]
    fn a_secret_that_nothing_can_be_called_is_refused() {
        let found =
            problems("  []\nsecrets: { cookies: [session, a=b, ''], headers: [X-Api-Key, 'x-key: '] }");
        let places = ["cookies[1]", "cookies[2]", "headers[1]"];
        assert!(places.iter().all(|place| found.contains(&format!("secrets.{place} "))), "{found}");
        assert_eq!(found.lines().count(), places.len(), "{found}");
    }

    #[test]
    fn two_stages_are_for_what_is_stored() {
        let advice = |stage: &str, cache: &str| {
            let config = format!("version: 1\nstage: {stage}\nroutes: [{{ name: a, cache: {cache} }}]");
            let loaded = Engine::load(config.as_bytes()).unwrap();
            loaded
                .engine
                .advice()
                .iter()
                .any(|advice| advice.to_string().contains("nothing is stored between"))
        };
        assert!(advice("client", "{}") && advice("origin", "{ store: no_store }"));
        assert!(!advice("both", "{}") && !advice("client", "{ store: { max_age: 1h } }"));
    }

    #[test]
    fn a_configuration_means_the_same_at_another_stage() {
        let written = |stage: &str| {
            let config = format!(
                "version: 1\nstage: {stage}\nroutes: [{{ name: a, cache: {{ store: {{ max_age: 1h }} }} }}]"
            );
            Engine::load(config.as_bytes()).unwrap().engine
        };
        let (both, client) = (written("both"), written("client").at_stage(model::Stage::Both));
        assert_eq!((both.stage(), both.digest()), (client.stage(), client.digest()));
    }

    #[test]
    fn patches_tell_the_origin_of_a_stored_page_nothing_that_is_not_in_its_key() {
        let load = |patch: &str| {
            let config = format!(
                "version: 1\nattributes: {{ campaign: {{ query: utm_source }}, section: {{ path_segment: 0 }} }}\nroutes:\n- name: a\n  cache: {{ store: {{ max_age: 1h }}, query: {{ drop: [tracking] }} }}\n  patches: [{patch}]\n"
            );
            Engine::load(config.as_bytes()).map_err(|problems| problems.to_string())
        };
        for patch in [
            // Dropped from the query.
            "{ request_headers: { set: { x-a: '{{ campaign }}' } } }",
            // Several URLs become one.
            "{ rewrite: { path: /page } }, { request_headers: { set: { x-a: '{{ section }}' } } }",
            // What is stored for GET answers HEAD.
            "{ when: { request.method: HEAD }, request_headers: { set: { x-a: b } } }",
        ] {
            let problems = load(patch).map(|_| String::new()).unwrap_or_else(|problems| problems);
            assert!(problems.contains("add `header: x-a` to `origin_reads`"), "{patch}: {problems}");
        }
        assert!(load("{ request_headers: { set: { x-a: '{{ section }}' } } }").is_ok());
    }
}
