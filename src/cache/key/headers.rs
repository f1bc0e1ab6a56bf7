//! Request headers that become one of a few values, so that a cache keeps a few variants.
//!
//! In: what a visitor sends, of any length. Out: a value that the configuration names, or one of three devices; the first
//! language where none fits, `desktop` where nothing is told.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::config::model::{self, KeyUserAgent};
use crate::config::node::Path;
use crate::config::problem::{Kind, Problem};
use crate::headers::HeaderEdit;
use crate::request::{language, user_agent};

/// How many languages; each is a variant of every page.
const MAX_LANGUAGES: usize = 64;

/// Compiled `cache.headers`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers {
    languages: Vec<String>,
    device: bool,
}

impl Headers {
    /// Compiles it; what is wrong goes to `problems`.
    #[must_use]
    pub fn compile(headers: &model::KeyHeaders, path: &Path, problems: &mut Vec<Problem>) -> Self {
        let languages = headers.accept_language.clone();
        let mut report =
            |path: Path, message: String| problems.push(Problem::new(Kind::InvalidValue, path, message));
        if headers.accept_language.is_none() && headers.user_agent.is_none() {
            let message = "nothing is said; write `accept_language: [en, de]` or `user_agent: device`";
            report(path.clone(), message.into());
        }
        if let Some(tags) = &languages {
            let path = path.clone().key("accept_language");
            if tags.is_empty() {
                let message = "the list of languages is empty; name those that the site has: [en, de]";
                report(path.clone(), message.into());
            }
            if tags.len() > MAX_LANGUAGES {
                report(path.clone(), format!("{} languages; at most {MAX_LANGUAGES} do", tags.len()));
            }
            for (index, tag) in tags.iter().enumerate() {
                let path = path.clone().index(index);
                if !is_tag(tag) {
                    report(path, format!("\"{tag}\" is not a language tag; write one such as de or en-GB"));
                } else if tags.iter().take(index).any(|known| known.eq_ignore_ascii_case(tag)) {
                    report(path, format!("\"{tag}\" stands in the list already; leave one out"));
                }
            }
        }
        Self {
            languages: languages.unwrap_or_default(),
            device: headers.user_agent == Some(KeyUserAgent::Device),
        }
    }

    /// What `Accept-Language` may become; empty where it stays.
    #[must_use]
    pub fn languages(&self) -> &[String] {
        &self.languages
    }

    /// Whether `User-Agent` becomes the device.
    #[must_use]
    pub const fn has_device(&self) -> bool {
        self.device
    }

    /// The headers that become one of a few values.
    pub fn names(&self) -> impl Iterator<Item = HeaderName> + use<> {
        let language = (!self.languages.is_empty()).then_some(header::ACCEPT_LANGUAGE);
        language.into_iter().chain(self.device.then_some(header::USER_AGENT))
    }

    /// Whether it is taken away because another header says it in a few values.
    #[must_use]
    pub fn takes(&self, name: &str) -> bool {
        self.device && name != header::USER_AGENT && user_agent::DEVICE_HEADERS.contains(&name)
    }

    /// The changes of a request's headers.
    #[must_use]
    pub fn edits(&self, headers: &HeaderMap) -> Vec<HeaderEdit> {
        let mut edits = Vec::new();
        let mut set = |name: HeaderName, value: &str| {
            let mut values = headers.get_all(&name).into_iter();
            let told = values.next().is_some_and(|told| told.as_bytes() == value.as_bytes());
            if let Ok(value) = HeaderValue::try_from(value)
                && !(told && values.next().is_none())
            {
                edits.push(HeaderEdit::Set(name, value));
            }
        };
        if let Some(first) = self.languages.first() {
            let chosen = language::negotiate(headers, &self.languages);
            set(header::ACCEPT_LANGUAGE, chosen.and_then(|index| self.languages.get(index)).unwrap_or(first));
        }
        if self.device {
            set(header::USER_AGENT, user_agent::Device::of(headers).name());
            let hints = headers.keys().filter(|name| self.takes(name.as_str()));
            edits.extend(hints.cloned().map(HeaderEdit::Remove));
        }
        edits
    }
}

fn is_tag(tag: &str) -> bool {
    let is_subtag =
        |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    tag.len() <= 64 && tag.split('-').all(is_subtag)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::source;

    fn compile(yaml: &str) -> (Headers, Vec<String>) {
        let headers: model::KeyHeaders = source::read(yaml.as_bytes()).unwrap().decode().unwrap();
        let mut problems = Vec::new();
        let compiled = Headers::compile(&headers, &Path::default(), &mut problems);
        (compiled, problems.iter().map(ToString::to_string).collect())
    }

    fn normalised(rule: &Headers, lines: &[(&'static str, &str)]) -> Vec<(String, String)> {
        let lines = lines.iter().map(|(name, value)| {
            (HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap())
        });
        let mut headers: HeaderMap = lines.collect();
        rule.edits(&headers.clone()).iter().for_each(|edit| edit.apply(&mut headers));
        assert_eq!(rule.edits(&headers), [], "normalised once and for all");
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
    }

    const BOTH: &str = "{ accept_language: [en, de-AT], user_agent: device }";
    const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/15E148";

    #[test]
    fn few_values_are_left() {
        let (rule, problems) = compile(BOTH);
        assert_eq!(problems, [""; 0]);
        for (lines, language, device) in [
            (&[][..], "en", "desktop"),
            (&[("accept-language", "de, en;q=0.5"), ("user-agent", IPHONE)], "de-AT", "mobile"),
            (&[("accept-language", "fr"), ("user-agent", "x")], "en", "desktop"),
            (&[("accept-language", "\u{e9};;q=,,"), ("user-agent", "\u{e9}")], "en", "desktop"),
            (&[("accept-language", "fr"), ("accept-language", "de-at")], "de-AT", "desktop"),
            (&[("accept-language", "en"), ("accept-language", "en")], "en", "desktop"),
            (
                &[("user-agent", "x"), ("sec-ch-ua-mobile", "?1"), ("sec-ch-ua-platform", "\"Android\"")],
                "en",
                "mobile",
            ),
            (&[("user-agent", "Mozilla/5.0 (iPad; CPU OS 12_0)")], "en", "tablet"),
        ] {
            let mut got = normalised(&rule, lines);
            got.sort_unstable();
            let expected = [("accept-language", language), ("user-agent", device)]
                .map(|(n, v)| (n.to_owned(), v.to_owned()));
            assert_eq!(got, expected, "{lines:?}");
        }
    }

    #[test]
    fn what_is_not_named_stays() {
        let (rule, _) = compile("{ accept_language: [en] }");
        let lines = [("accept-language", "de"), ("user-agent", "x"), ("sec-ch-ua-mobile", "?1")];
        let mut got = normalised(&rule, &lines);
        got.sort_unstable();
        assert_eq!(got.len(), 3);
        assert_eq!(got[2].1, "x");
    }

    #[test]
    fn lists_are_checked() {
        for (yaml, message) in [
            ("{}", "nothing is said"),
            ("{ accept_language: [] }", "is empty"),
            ("{ accept_language: ['en us'] }", "not a language tag"),
            ("{ accept_language: [en, EN] }", "stands in the list already"),
        ] {
            let (_, problems) = compile(yaml);
            assert!(problems.iter().any(|problem| problem.contains(message)), "{yaml}: {problems:?}");
        }
    }

    proptest! {
        #[test]
        fn any_request_becomes_one_of_the_variants(language in "[a-z,;=q0-9. *-]{0,24}", agent in "\\PC{0,24}") {
            let (rule, _) = compile(BOTH);
            for (name, value) in normalised(&rule, &[("accept-language", &language), ("user-agent", &agent)]) {
                let few: &[&str] =
                    if name == "user-agent" { &["desktop", "mobile", "tablet"] } else { &["en", "de-AT"] };
                prop_assert!(few.contains(&value.as_str()), "{name}: {value}");
            }
        }
    }
}
