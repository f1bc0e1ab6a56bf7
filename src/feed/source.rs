//! Where payloads come from, as configured.

use std::sync::Arc;
use std::time::Duration;

use http::uri::{Authority, PathAndQuery};
use serde_json::Value;

use super::Feed;
use crate::config::model;
use crate::config::node::Path;
use crate::config::problem::{Code, Kind, Problem};
use crate::decide::decrypt::DecryptionKey;
use crate::live::Live;

/// How often a service may be asked, in seconds.
const INTERVALS: std::ops::RangeInclusive<u32> = 1..=86_400;

/// How long an answer may take, in seconds.
const TIMEOUTS: std::ops::RangeInclusive<u32> = 1..=60;

/// What stands for the client key in a path.
const PLACEHOLDER: &str = "{client_key}";

/// What a service is asked, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Source {
    /// Envoy's name of it.
    pub cluster: String,
    /// `:authority`.
    pub authority: String,
    /// `:path`.
    pub path: String,
    /// From answer to question.
    pub interval: Duration,
    /// From question to answer.
    pub timeout: Duration,
}

/// `growthbook`, compiled.
#[derive(Debug)]
pub struct GrowthBook {
    key: Option<DecryptionKey>,
    from: From,
}

#[derive(Debug)]
enum From {
    Service(Source),
    Configuration(Arc<Live>),
}

impl GrowthBook {
    /// Compiles it, or says what is wrong. What is not as the payload's author meant it is `advice`.
    pub(crate) fn compile(
        written: &model::GrowthBook,
        problems: &mut Vec<Problem>,
        advice: &mut Vec<Problem>,
    ) -> Option<Self> {
        let at = |field: &str| Path::default().key("growthbook").key(field);
        let key = written.decryption_key.as_ref().map(|key| DecryptionKey::parse(key.reveal()));
        let key = match key.transpose() {
            Ok(key) => key,
            Err(why) => {
                problems.push(problem(at("decryption_key"), why.to_string()));
                return None;
            }
        };
        let from = match (&written.fetch, &written.payload) {
            (Some(fetch), None) => From::Service(Source::compile(fetch, &at("fetch"), problems)?),
            (None, Some(payload)) => {
                let live = inline(payload, key.as_ref());
                let live = live.map_err(|why| problems.push(problem(at("payload"), why))).ok()?;
                let (off, count) = live.payload().switched_off();
                advice
                    .extend(off.iter().map(|off| {
                        Problem::advice(Code::PayloadSwitchedOff, at("payload"), off.to_string())
                    }));
                if count > off.len() {
                    let message = format!("{} more are off", count.saturating_sub(off.len()));
                    advice.push(Problem::advice(Code::PayloadSwitchedOff, at("payload"), message));
                }
                From::Configuration(Arc::new(live))
            }
            (Some(_), Some(_)) => {
                let message = "the payload is either fetched or written here; take `fetch` or `payload` out";
                problems.push(problem(at("payload"), message));
                return None;
            }
            (None, None) => {
                let path = Path::default().key("growthbook");
                problems.push(problem(
                    path,
                    "it says nowhere to take a payload from; write `fetch` or `payload`",
                ));
                return None;
            }
        };
        Some(Self { key, from })
    }

    /// What is to be asked, if the payload is fetched.
    #[must_use]
    pub const fn source(&self) -> Option<&Source> {
        match &self.from {
            From::Service(source) => Some(source),
            From::Configuration(_) => None,
        }
    }

    /// The feed of a worker whose number is `id`, if the payload is fetched.
    #[must_use]
    pub fn feed(&self, id: u64) -> Option<Feed> {
        self.source().map(|source| Feed::new(source, self.key.as_ref(), id))
    }

    /// The payload, if it stands in the configuration.
    #[must_use]
    pub const fn live(&self) -> Option<&Arc<Live>> {
        match &self.from {
            From::Service(_) => None,
            From::Configuration(live) => Some(live),
        }
    }
}

/// A payload that stands in the configuration. As text it comes through Envoy as it was written.
fn inline(payload: &Value, key: Option<&DecryptionKey>) -> Result<Live, String> {
    let live = match payload {
        Value::String(text) => Live::read(text.as_bytes(), key),
        Value::Object(_) => Live::read(payload.to_string().as_bytes(), key),
        _ => return Err("expected an object as GrowthBook answers it, or its text".to_owned()),
    };
    live.map_err(|why| why.to_string())
}

impl Source {
    fn compile(fetch: &model::Fetch, path: &Path, problems: &mut Vec<Problem>) -> Option<Self> {
        let before = problems.len();
        let mut say = |field: &str, message: String| problems.push(problem(path.clone().key(field), message));
        if fetch.cluster.is_empty() {
            say("cluster", "it is empty; write the name of Envoy's cluster".to_owned());
        }
        let is_host = Authority::try_from(fetch.authority.as_str()).is_ok() && !fetch.authority.contains('@');
        if !is_host {
            let message = format!("{:?} is no host; write one such as cdn.growthbook.io", fetch.authority);
            say("authority", message);
        }
        let is_plain = |key: &str| {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'~');
            (1..=128).contains(&key.len()) && key.bytes().all(plain) && !matches!(key, "." | "..")
        };
        let key = fetch.client_key.as_deref();
        if let Some(key) = key.filter(|key| !is_plain(key)) {
            let message =
                format!("{key:?} is no client key; copy it from the SDK connection, such as sdk-abc123");
            say("client_key", message);
        }
        let written = fetch.path.as_deref().unwrap_or("/api/features/{client_key}");
        if key.is_none() && written.contains(PLACEHOLDER) {
            say("client_key", "it is missing; copy it from the SDK connection".to_owned());
        }
        let asked = written.replace(PLACEHOLDER, key.unwrap_or_default());
        let is_visible = |byte: u8| byte.is_ascii_graphic() && byte != b'#';
        if !asked.starts_with('/')
            || !asked.bytes().all(is_visible)
            || PathAndQuery::try_from(asked.as_str()).is_err()
        {
            let message = format!(
                "{written:?} is no path; write one such as /api/features/{PLACEHOLDER}, the rest percent-encoded"
            );
            say("path", message);
        }
        for (field, value, range) in
            [("interval", fetch.interval, INTERVALS), ("timeout", fetch.timeout, TIMEOUTS)]
        {
            if !range.contains(&value.seconds()) {
                let message =
                    format!("{value} is out of range; accepted: {}s to {}s", range.start(), range.end());
                say(field, message);
            }
        }
        let seconds = |duration: model::Duration| Duration::from_secs(duration.seconds().into());
        (problems.len() == before).then(|| Self {
            cluster: fetch.cluster.clone(),
            authority: fetch.authority.clone(),
            path: asked,
            interval: seconds(fetch.interval),
            timeout: seconds(fetch.timeout),
        })
    }
}

fn problem(path: Path, message: impl Into<String>) -> Problem {
    Problem::new(Kind::InvalidValue, path, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Engine;

    fn load(growthbook: &str) -> Result<Engine, String> {
        let text = format!("version: 1\ngrowthbook: {growthbook}\n");
        Engine::load(text.as_bytes()).map(|loaded| loaded.engine).map_err(|problems| problems.to_string())
    }

    fn fetch(more: &str) -> String {
        format!("{{ fetch: {{ cluster: growthbook, authority: cdn.growthbook.example, {more} }} }}")
    }

    #[test]
    fn what_is_asked_is_in_the_configuration() {
        for (more, path) in [
            ("client_key: sdk-a.B_9~", "/api/features/sdk-a.B_9~"),
            ("client_key: sdk-a, path: '/proxy/{client_key}?a=b'", "/proxy/sdk-a?a=b"),
            ("path: /payload.json", "/payload.json"),
        ] {
            let engine = load(&fetch(more)).unwrap();
            let source = engine.growthbook().and_then(GrowthBook::source).unwrap();
            assert_eq!(source.path, path);
            assert_eq!((source.interval.as_secs(), source.timeout.as_secs()), (60, 5));
        }
    }

    #[test]
    fn what_can_not_be_asked_is_refused_with_its_place() {
        for (growthbook, says) in [
            ("{}".to_owned(), "growthbook (line 2, column 13): it says nowhere to take a payload from"),
            (
                "{ payload: { features: {} }, fetch: { cluster: a, authority: b, client_key: c } }"
                    .to_owned(),
                "growthbook.payload",
            ),
            (fetch("interval: 60s"), "growthbook.fetch.client_key"),
            (fetch("client_key: a/../b"), "\"a/../b\" is no client key"),
            (fetch("client_key: '..'"), "is no client key"),
            (fetch("client_key: \"a\\r\\nb\""), "growthbook.fetch.client_key"),
            (fetch("path: 'http://a/'"), "growthbook.fetch.path"),
            (fetch("path: '/a b'"), "growthbook.fetch.path"),
            (fetch("path: '/a#b'"), "growthbook.fetch.path"),
            (fetch("client_key: a, interval: 0s"), "0s is out of range; accepted: 1s to 86400s"),
            (fetch("client_key: a, timeout: 2m"), "2m is out of range; accepted: 1s to 60s"),
            (
                "{ fetch: { cluster: '', authority: 'a b', client_key: a } }".to_owned(),
                "growthbook.fetch.cluster",
            ),
            (
                "{ fetch: { cluster: c, authority: 'a@b', client_key: a } }".to_owned(),
                "growthbook.fetch.authority",
            ),
            ("{ payload: [] }".to_owned(), "expected an object"),
            ("{ payload: '{' }".to_owned(), "growthbook.payload"),
            ("{ payload: { encryptedFeatures: a.b } }".to_owned(), "there is no decryption key"),
            ("{ payload: {}, decryption_key: c2VjcmV0 }".to_owned(), "growthbook.decryption_key"),
        ] {
            let problems = load(&growthbook).map(|_| String::new()).unwrap_or_else(|problems| problems);
            assert!(problems.contains(says), "{growthbook}: {problems}");
        }
    }

    #[test]
    fn a_payload_in_the_configuration_is_in_force_at_once() {
        let object = "{ payload: { features: { a: { defaultValue: 1, rules: [{ filters: all }] } } } }";
        let text = r#"{ payload: '{"features":{"a":{"defaultValue":1.0}}}' }"#;
        for growthbook in [object, text] {
            let engine = load(growthbook).unwrap();
            let growthbook = engine.growthbook().unwrap();
            assert_eq!(growthbook.live().unwrap().payload().features().len(), 1);
            assert!(growthbook.feed(1).is_none());
        }
        let engine = load(object).unwrap();
        let advice: Vec<String> = engine.advice().iter().map(ToString::to_string).collect();
        assert_eq!(
            advice,
            ["growthbook.payload (line 2, column 24): /features/a/rules/0 is off: `filters` is not a list"]
        );
    }

    #[test]
    fn the_key_is_not_shown() {
        let key = "ZW5ncmFmdC10ZXN0LWtleQ==";
        let text = format!("version: 1\ngrowthbook: {{ payload: {{}}, decryption_key: {key} }}\n");
        let document = crate::config::source::read(text.as_bytes()).unwrap();
        let config: model::Config = document.decode().unwrap();
        let engine = Engine::compile(&config).unwrap();
        for shown in [format!("{config:?}"), format!("{engine:?}")] {
            assert!(!shown.contains(key) && !shown.contains("engraft-test-key"), "{shown}");
        }
    }
}
