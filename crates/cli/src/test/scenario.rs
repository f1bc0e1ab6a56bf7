//! A file of scenarios: what is asked, by whom, and which page the origin has.
//!
//! It is read as configurations are, so that a slip is told with its line, its column and what was probably meant.

use std::collections::BTreeMap;

use engraft::config::node::{Location, Node, Path};
use engraft::config::problem::{Kind, Problem, Problems};
use engraft::config::source;
use http::{Method, StatusCode};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::expect::Expect;
use super::words::{Many, Name, Parsed};
use crate::args::Url;

/// A file, and where what it says is written.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) suite: Suite,
    root: Node,
}

/// What a file says. Paths are relative to its folder.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Suite {
    /// The configuration.
    pub(super) config: Option<String>,
    /// The payload of a feature service, and its key where it is encrypted.
    pub(super) payload: Option<String>,
    pub(super) decryption_key: Option<String>,
    /// The folder of the pages, by their paths.
    pub(super) site: Option<String>,
    /// What all scenarios are given that do not say otherwise.
    pub(super) given: Given,
    pub(super) scenarios: Vec<Scenario>,
}

/// One exchange, and what must hold of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scenario {
    pub(super) name: String,
    #[serde(default)]
    pub(super) given: Given,
    pub(super) expect: Expect,
}

/// A request, and what the origin answers. What a scenario does not say it has of its file; null takes away what the file says.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Given {
    pub(super) url: Option<Parsed<Url>>,
    pub(super) method: Option<Verb>,
    pub(super) headers: BTreeMap<Name, Option<Many>>,
    pub(super) cookies: BTreeMap<String, Option<String>>,
    pub(super) facts: BTreeMap<String, Option<String>>,
    /// RFC 3339, or seconds since 1970.
    pub(super) now: Option<Now>,
    /// Values of attributes, whatever the request says; null for none.
    pub(super) attributes: BTreeMap<String, Value>,
    /// Variations of experiments and values of flags that are chosen, not decided.
    pub(super) variants: BTreeMap<String, Option<String>>,
    pub(super) flags: BTreeMap<String, Value>,
    /// A file with the page, or the page: one of the three.
    pub(super) page: Option<String>,
    pub(super) html: Option<String>,
    pub(super) json: Option<Value>,
    pub(super) response: Response,
}

/// The head of the origin's answer.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Response {
    pub(super) status: Option<Status>,
    pub(super) headers: BTreeMap<Name, Option<Many>>,
}

/// A method.
#[derive(Debug, Clone)]
pub(super) struct Verb(pub(super) Method);

impl<'de> Deserialize<'de> for Verb {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let method =
            text.parse().map_err(|_| format!("\"{text}\" is no method; write one such as GET or HEAD"));
        method.map(Self).map_err(serde::de::Error::custom)
    }
}

/// The time of a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now(pub(super) std::time::SystemTime);

impl<'de> Deserialize<'de> for Now {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        crate::time::parse(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

/// A status code.
#[derive(Debug, Clone, Copy)]
pub(super) struct Status(pub(super) StatusCode);

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = StatusCode::from_u16(u16::deserialize(deserializer)?);
        code.map(Self).map_err(|_| serde::de::Error::custom("write a number from 100 to 999"))
    }
}

impl Document {
    /// Reads a file.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Problems> {
        let refuse = |kind, path: Path, message: &str| Problems::from(Problem::new(kind, path, message));
        if bytes.trim_ascii().is_empty() {
            let message = "the file is empty; write at least \"config\" and a list of \"scenarios\"";
            return Err(refuse(Kind::MissingField, Path::default(), message));
        }
        let source = source::read(bytes)?;
        let suite: Suite = source.decode()?;
        let document = Self { suite, root: source.root };
        let mut problems = Vec::new();
        let mut note = |path: Path, message: String| {
            let at = document.at(&path);
            problems.push(Problem::new(Kind::InvalidValue, path, message).at(at));
        };
        if document.suite.scenarios.is_empty() {
            note(
                Path::default(),
                "there are no scenarios; write a list of them under \"scenarios\"".to_owned(),
            );
        }
        let mut seen = BTreeMap::new();
        for (index, scenario) in document.suite.scenarios.iter().enumerate() {
            let path = scenario_path(index);
            if scenario.name.trim().is_empty() {
                note(path.clone().key("name"), "a scenario needs a name that says what holds".to_owned());
            }
            if let Some(first) = seen.insert(scenario.name.as_str(), index) {
                let at = document.at(&scenario_path(first).key("name"));
                let at = at.map_or(0, |at| at.line);
                note(
                    path.clone().key("name"),
                    format!("the scenario in line {at} has the same name; rename one"),
                );
            }
            if scenario.expect.is_empty() {
                note(
                    path.key("expect"),
                    "nothing is expected, so nothing can fail; say what should hold".to_owned(),
                );
            }
        }
        let givens = document.suite.scenarios.iter().enumerate();
        let givens = givens.map(|(index, scenario)| (scenario_path(index).key("given"), &scenario.given));
        for (path, given) in givens.chain([(Path::default().key("given"), &document.suite.given)]) {
            if given.pages() > 1 {
                note(path, "\"page\", \"html\" and \"json\" are the same page; keep one of them".to_owned());
            }
        }
        match Problems::collect(problems) {
            Some(problems) => Err(problems),
            None => Ok(document),
        }
    }

    /// Where the value at a path is written, or the closest one around it.
    pub(super) fn at(&self, path: &Path) -> Option<Location> {
        self.root.locate(path)
    }
}

/// Where a scenario stands.
pub(super) fn scenario_path(index: usize) -> Path {
    Path::default().key("scenarios").index(index)
}

impl Given {
    /// This, where it says something, and else `shared`.
    pub(super) fn over(&self, shared: &Self) -> Self {
        let own = self.clone();
        let all = shared.clone();
        let has_page = own.pages() > 0;
        Self {
            url: own.url.or(all.url),
            method: own.method.or(all.method),
            headers: merged(all.headers, own.headers),
            cookies: merged(all.cookies, own.cookies),
            facts: merged(all.facts, own.facts),
            now: own.now.or(all.now),
            attributes: merged(all.attributes, own.attributes),
            variants: merged(all.variants, own.variants),
            flags: merged(all.flags, own.flags),
            page: if has_page { own.page } else { all.page },
            html: if has_page { own.html } else { all.html },
            json: if has_page { own.json } else { all.json },
            response: Response {
                status: own.response.status.or(all.response.status),
                headers: merged(all.response.headers, own.response.headers),
            },
        }
    }

    /// How many pages are given.
    fn pages(&self) -> usize {
        [self.page.is_some(), self.html.is_some(), self.json.is_some()].into_iter().filter(|it| *it).count()
    }
}

fn merged<K: Ord, V>(mut shared: BTreeMap<K, V>, own: BTreeMap<K, V>) -> BTreeMap<K, V> {
    shared.extend(own);
    shared
}
