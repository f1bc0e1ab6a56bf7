//! What a scenario is given, as a request and an answer of the origin.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use engraft::config::problem::suggest;
use engraft::decisions::force::Forced;
use engraft::engine::Engine;
use engraft::exchange::Overrides;
use engraft::live::Live;
use engraft::request::decided::Decided;
use http::header::{CONTENT_TYPE, COOKIE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::Value;

use super::files::{Files, page_in};
use super::scenario::Given;
use super::words::{Many, Name};
use crate::args::{self, Url};
use crate::exchange::rendering::Answer;
use crate::exchange::visit::{self, Visit};

/// 2026-01-01T00:00:00Z: the time of a request that does not say one. A test that holds today is to hold tomorrow.
const NOW: Duration = Duration::from_secs(1_767_225_600);

/// What a scenario's visitor has who is not said to have another: without one, visitors count as bots.
const BROWSER: HeaderValue = HeaderValue::from_static(
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
);

/// An exchange that can be run, as often as one likes.
#[derive(Debug)]
pub(super) struct Staged {
    pub(super) visit: Visit,
    pub(super) page: Rc<[u8]>,
    status: StatusCode,
    headers: HeaderMap,
}

/// What keeps a scenario from being run: the field that is to blame, and why.
#[derive(Debug)]
pub(super) struct Unstaged {
    pub(super) field: &'static str,
    pub(super) why: String,
}

impl Unstaged {
    fn new(field: &'static str, why: impl fmt::Display) -> Self {
        Self { field, why: why.to_string() }
    }
}

/// What scenarios of a file have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scene<'s> {
    pub(super) engine: &'s Engine,
    pub(super) live: Option<&'s Arc<Live>>,
    /// Where paths begin.
    pub(super) folder: &'s Path,
    pub(super) site: Option<&'s Path>,
}

impl Staged {
    pub(super) fn new(given: &Given, scene: Scene<'_>, files: &mut Files) -> Result<Self, Unstaged> {
        let Some(url) = given.url.clone().map(|url| url.0) else {
            return Err(Unstaged::new("url", "there is no \"url\", here or under the file's \"given\""));
        };
        let mut headers = lines(&given.headers).map_err(|why| Unstaged::new("headers", why))?;
        if !given.headers.keys().any(|name| name.name == USER_AGENT) {
            headers.insert(USER_AGENT, BROWSER);
        }
        if let Some(cookies) = cookies(given)? {
            headers.append(COOKIE, cookies);
        }
        let method = given.method.as_ref().map_or(Method::GET, |method| method.0.clone());
        let (page, content_type) = page(given, &url, scene, files)?;
        let facts = given
            .facts
            .iter()
            .filter_map(|(name, value)| value.clone().map(|value| args::Fact { name: name.clone(), value }));
        let facts: Vec<args::Fact> = facts.collect();
        let head = visit::head(&method, url, headers);
        let visit = Visit::new(head, &facts, scene.engine.facts());
        let mut visit = visit.map_err(|why| Unstaged::new("facts", why))?;
        visit.now = given.now.map_or_else(|| SystemTime::UNIX_EPOCH + NOW, |now| now.0);
        // A new visitor's id is the same each time.
        visit.random = 0;
        visit.live = scene.live.cloned();
        visit.overrides = overrides(given, scene.engine)?;
        let mut headers = lines(&given.response.headers)
            .map_err(|why| Unstaged::new("response", format!("headers: {why}")))?;
        if let Some(content_type) = content_type.filter(|_| !headers.contains_key(CONTENT_TYPE)) {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        let status = given.response.status.map_or(StatusCode::OK, |status| status.0);
        Ok(Self { visit, page, status, headers })
    }

    /// The origin's answer, in chunks of that many bytes.
    pub(super) fn answer(&self, chunk: Option<NonZeroUsize>) -> Answer {
        Answer::new(self.status, self.headers.clone(), self.page.to_vec()).in_chunks(chunk)
    }
}

fn lines(given: &BTreeMap<Name, Option<Many>>) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (Name { written, name }, values) in given {
        for value in values.iter().flat_map(|values| &values.0) {
            let value = HeaderValue::from_str(value)
                .or_else(|_| HeaderValue::from_bytes(value.as_bytes()))
                .map_err(|_| format!("the value of {written} has control characters in it"))?;
            headers.append(name.clone(), value);
        }
    }
    Ok(headers)
}

fn cookies(given: &Given) -> Result<Option<HeaderValue>, Unstaged> {
    let pairs = given.cookies.iter().filter_map(|(name, value)| Some(format!("{name}={}", value.as_ref()?)));
    let pairs: Vec<String> = pairs.collect();
    if pairs.is_empty() {
        return Ok(None);
    }
    let value = HeaderValue::from_bytes(pairs.join("; ").as_bytes());
    value.map(Some).map_err(|_| Unstaged::new("cookies", "there are control characters in a cookie"))
}

/// The page, and the content type that its form says.
fn page(
    given: &Given,
    url: &Url,
    scene: Scene<'_>,
    files: &mut Files,
) -> Result<(Rc<[u8]>, Option<&'static str>), Unstaged> {
    if let Some(html) = &given.html {
        return Ok((html.as_bytes().into(), None));
    }
    if let Some(json) = &given.json {
        let text = serde_json::to_vec(json).map_err(|why| Unstaged::new("json", why))?;
        return Ok((text.into(), Some("application/json")));
    }
    let (field, path) = match (&given.page, scene.site) {
        (Some(page), _) => ("page", scene.folder.join(page)),
        (None, Some(site)) => {
            let page = page_in(site, &url.path);
            ("url", page.ok_or_else(|| Unstaged::new("url", "the path names no file in the \"site\""))?)
        }
        (None, None) => return Ok((Rc::default(), None)),
    };
    let page = files.read(&path).map_err(|why| {
        Unstaged::new(
            field,
            format!("can't read {}: {why}; \"page\", \"html\" or \"json\" gives one", path.display()),
        )
    })?;
    let is_json = path.extension().is_some_and(|extension| extension == "json");
    Ok((page, is_json.then_some("application/json")))
}

/// What the visitor has or sees whatever the request says. Values of attributes are what they would be, were they read.
fn overrides(given: &Given, engine: &Engine) -> Result<Option<Overrides>, Unstaged> {
    let catalogue = engine.attributes();
    // What is decided is chosen as `variants` and `flags`.
    let is_read = |name: &&str| matches!(Decided::of(name), None | Some(Decided::Id));
    let known = || catalogue.names().filter(is_read);
    if let Some(unknown) = given.attributes.keys().find(|name| !known().any(|known| known == name.as_str())) {
        let meant = suggest(unknown, known());
        let meant = meant.map(|meant| format!("; did you mean \"{meant}\"?")).unwrap_or_default();
        let message = format!("the configuration has no attribute \"{unknown}\"{meant}");
        return Err(Unstaged::new("attributes", message));
    }
    let settled = given.attributes.iter().map(|(name, value)| {
        let value = match value {
            Value::Array(_) | Value::Object(_) => value.clone(),
            Value::Null => catalogue.settle(name, None).unwrap_or_default(),
            value => catalogue.settle(name, Some(written(value).into_owned())).unwrap_or_default(),
        };
        (name.clone(), value)
    });
    let overrides = Overrides { attributes: settled.collect(), choices: Forced::of_pairs(choices(given)) };
    Ok((overrides != Overrides::default()).then_some(overrides))
}

/// What is chosen, by experiment and flag.
pub(super) fn choices(given: &Given) -> impl Iterator<Item = (String, String)> {
    let variants = given.variants.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?)));
    let flags = given.flags.iter().filter(|(_, value)| !value.is_null());
    variants.chain(flags.map(|(name, value)| (name.clone(), written(value).into_owned())))
}

/// The value of a flag as those who choose write it, and as reports say it.
pub(super) fn written(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => text.into(),
        value => value.to_string().into(),
    }
}
