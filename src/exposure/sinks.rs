//! `exposures`, compiled: who is told.

use super::collector::Settings;
use crate::config::model::{ExposurePage, Exposures};
use crate::config::node::Path;
use crate::config::problem::Problem;

/// What filter state of this name Envoy's access log shows, behind the prefix of the others:
/// `%FILTER_STATE(wasm.engraft.exposures:PLAIN)%`.
pub const FILTER_STATE: &str = "exposures";

/// See the [module](self). Nobody, unless it is configured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sinks {
    /// Envoy's access log.
    pub access_log: bool,
    /// The page's own scripts.
    pub page: Option<PageSink>,
    /// An HTTP service.
    pub collector: Option<Settings>,
}

/// What the page's scripts are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PageSink {
    /// The value that was hashed, too. The page then depends on it.
    pub hash_value: bool,
}

impl Sinks {
    /// Compiles what is configured.
    pub(crate) fn compile(written: Option<&Exposures>, problems: &mut Vec<Problem>) -> Self {
        let Some(written) = written else { return Self::default() };
        if let Some(collector) = &written.collector {
            Settings::check(collector, &Path::default().key("exposures").key("collector"), problems);
        }
        Self {
            access_log: written.access_log,
            page: written.page.as_ref().and_then(PageSink::compile),
            collector: written.collector.as_ref().map(Settings::new),
        }
    }

    /// Whether nobody is told anything: then nothing need be looked for on behalf of them.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        !self.access_log && self.page.is_none() && self.collector.is_none()
    }
}

impl PageSink {
    fn compile(written: &ExposurePage) -> Option<Self> {
        written.enabled.then_some(Self { hash_value: written.hash_value })
    }
}

/// The part of what is configured that pages depend on.
pub(crate) fn in_pages(written: Option<&Exposures>) -> Option<Exposures> {
    let page = written?.page.clone().filter(|page| page.enabled)?;
    Some(Exposures { page: Some(page), ..Exposures::default() })
}

#[cfg(test)]
mod tests {
    use crate::engine::Engine;

    fn problems(exposures: &str) -> String {
        let config = format!("version: 1\nexposures: {exposures}\n");
        Engine::load(config.as_bytes()).map(|_| String::new()).unwrap_or_else(|problems| problems.to_string())
    }

    #[test]
    fn a_page_is_told_by_true_or_by_a_map() {
        for (written, expected) in [
            ("{}", None),
            ("{ page: false }", None),
            ("{ page: { enabled: false, hash_value: true } }", None),
            ("{ page: true }", Some(false)),
            ("{ page: {} }", Some(false)),
            ("{ page: { hash_value: true } }", Some(true)),
        ] {
            let config = format!("version: 1\nexposures: {written}\n");
            let engine = Engine::load(config.as_bytes()).unwrap().engine;
            assert_eq!(engine.exposures().page.map(|page| page.hash_value), expected, "{written}");
            assert_eq!(engine.exposures().is_empty(), expected.is_none());
        }
        assert!(problems("{ page: { hash: true } }").contains("hash_value"));
    }

    #[test]
    fn a_collector_is_checked_field_by_field() {
        let collector = |fields: &str| {
            problems(&format!("{{ collector: {{ cluster: c, authority: c.example, path: /v1, {fields} }} }}"))
        };
        assert_eq!(collector(""), "");
        for (fields, expected) in [
            ("timeout: 2m", "2m is out of range; accepted: 1s to 60s"),
            ("batch_age: 0s", "0s is out of range"),
            ("max_queue_events: 0", "0 is out of range; accepted: 1 to 1000000"),
            ("batch_bytes: 100", "100 is out of range"),
            ("max_queue_events: 10", "the queue takes 10, so a batch never has 500"),
            ("url: x", "url"),
        ] {
            let found = collector(fields);
            assert!(found.contains(expected), "{fields}: {found}");
        }
        let found = problems("{ collector: { cluster: ' ', authority: 'a b', path: v1 } }");
        for expected in ["names no cluster", "\"a b\" is not a host", "\"v1\" is not a path"] {
            assert!(found.contains(expected), "{found}");
        }
    }

    #[test]
    fn only_what_is_in_pages_makes_other_pages() {
        let digest = |exposures: &str| {
            let config = format!("version: 1\n{exposures}\n");
            Engine::load(config.as_bytes()).unwrap().engine.digest()
        };
        let plain = digest("");
        let collector = "collector: { cluster: c, authority: c.example, path: /v1 }";
        for same in ["exposures: {}", "exposures: { access_log: true }", "exposures: { page: false }"] {
            assert_eq!(digest(same), plain, "{same}");
        }
        assert_eq!(digest(&format!("exposures: {{ {collector} }}")), plain);
        let page = digest("exposures: { page: true }");
        assert_ne!(page, plain);
        assert_ne!(digest("exposures: { page: { hash_value: true } }"), page);
        assert_eq!(digest(&format!("exposures: {{ page: {{}}, {collector} }}")), page);
    }
}
