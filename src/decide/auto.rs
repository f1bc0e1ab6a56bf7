//! Auto experiments: those of the visual editor and URL redirects, which a page runs by itself (`_runAutoExperiment` of the
//! JavaScript SDK's `GrowthBook.ts`).

mod index;

use std::borrow::Cow;

use http::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::evaluation::Evaluation;
use super::experiment::Experiment;
use super::fields::Fields;
use super::result::ExperimentResult;
use super::url::Url;
use super::url_targeting::PageUrl;

pub use index::{AutoIndex, AutoIndexDraft};

/// What an auto experiment does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// Leads to another page.
    Redirect,
    /// Changes the page.
    Visual,
    /// Something that we don't know, which is not run.
    #[default]
    Unknown,
}

/// What is said of an experiment that runs by itself.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Auto {
    pub(crate) change: Change,
    /// Waits for a script to start it.
    manual: bool,
    keeps_query: bool,
}

impl Auto {
    pub(crate) fn read(fields: Fields<'_>, variations: &[Value], has_targets: bool) -> Self {
        let any = |is: fn(&Value) -> bool| variations.iter().any(is);
        let change = if has_targets && any(|variation| variation.get("urlRedirect").is_some()) {
            Change::Redirect
        } else if any(|variation| {
            ["js", "css"].iter().any(|name| variation.get(name).is_some())
                || variation.get("domMutations").is_some_and(|value| !value.is_null())
        }) {
            Change::Visual
        } else {
            Change::Unknown
        };
        Self { change, manual: fields.is("manual"), keeps_query: fields.is("persistQueryString") }
    }
}

/// An auto experiment that was run.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Ran<'a> {
    /// Its place in the payload's list.
    pub index: usize,
    /// Which.
    pub experiment: &'a Experiment,
    /// What came out.
    pub result: ExperimentResult<'a>,
    /// Where the visitor is sent, if anywhere.
    pub redirect: Option<String>,
    /// Whether every variation that leads elsewhere would lead there from this page: only then do those who stay show anything
    /// about those who are sent. Not one of the SDK's notions.
    pub is_comparable: bool,
}

impl Ran<'_> {
    /// [`redirect`](Self::redirect) as `Location` has it: a URL of the web, written as browsers write it, in visible ASCII. Where
    /// it is something else (`javascript:…`), nobody is sent there.
    #[must_use]
    pub fn location(&self) -> Option<HeaderValue> {
        location(self.redirect.as_deref()?)
    }
}

fn location(url: &str) -> Option<HeaderValue> {
    let url = Url::absolute(url).filter(Url::is_of_the_web)?;
    HeaderValue::from_str(url.href()).ok().filter(|value| value.as_bytes().iter().all(u8::is_ascii_graphic))
}

impl Experiment {
    /// What it does where it is an auto experiment.
    #[must_use]
    pub const fn change(&self) -> Change {
        self.auto.change
    }

    /// Whether it is run by a script only, not by itself.
    #[must_use]
    pub const fn waits_for_script(&self) -> bool {
        self.auto.manual
    }

    fn redirect_of(&self, variation: usize) -> Option<&str> {
        let value = self.variations.get(variation)?.get("urlRedirect")?.as_str();
        value.filter(|url| !url.is_empty())
    }

    /// Whether the page's URL and those that it may lead to can be read.
    fn leads_somewhere(&self, page: &PageUrl<'_>) -> bool {
        let mut urls = (0..self.variations.len()).filter_map(|variation| self.redirect_of(variation));
        Url::absolute(page.text()).is_some() && urls.all(|url| Url::absolute(url).is_some())
    }
}

impl<'a> Evaluation<'a> {
    /// Runs the payload's experiments as a page does: in their order, up to the first redirect that the visitor takes part
    /// in. Left out are those that wait for a script, and those that the SDK blocks because it doesn't know what they do, or
    /// where they lead.
    ///
    /// A redirect that would come back to a page where the visitor has been, by way of other experiments of the payload, is
    /// none, too.
    pub fn auto_experiments(&mut self) -> Vec<Ran<'a>> {
        self.auto_experiments_among(0..self.payload.experiments().len())
    }

    /// The same with some of them, by their places in the payload, ascending. With the [candidates](AutoIndex::candidates) of
    /// the page, what is left out are those that the visitor takes no part in because the page is not theirs.
    pub fn auto_experiments_among(&mut self, candidates: impl IntoIterator<Item = usize>) -> Vec<Ran<'a>> {
        let mut ran = Vec::new();
        for index in candidates {
            let Some(experiment) = self.payload.experiments().get(index) else { continue };
            let runs = match experiment.auto.change {
                Change::Redirect => experiment.leads_somewhere(&self.visitor.url),
                Change::Visual => true,
                Change::Unknown => false,
            };
            if !runs || experiment.auto.manual {
                continue;
            }
            let result = self.experiment(experiment);
            let is_redirect = experiment.auto.change == Change::Redirect && result.in_experiment;
            let redirect = is_redirect.then(|| self.redirect(experiment, result.variation_id)).flatten();
            let redirect = redirect.filter(|url| !self.comes_back(url));
            let is_comparable = !is_redirect || self.leads_everybody(experiment);
            ran.push(Ran { index, experiment, result, redirect, is_comparable });
            if is_redirect {
                break;
            }
        }
        ran
    }

    /// Whether who is sent to `url` is sent on from there, and at last to where they have been.
    fn comes_back(&self, url: &str) -> bool {
        let mut been: Vec<Option<Url>> = vec![Url::absolute(self.visitor.url.text())];
        let mut next = url.to_owned();
        while been.len() <= MAX_HOPS {
            let here = Url::absolute(&next);
            if been.contains(&here) {
                return true;
            }
            been.push(here);
            let redirect = {
                let mut there = self.elsewhere(&next);
                there.first_redirect()
            };
            match redirect {
                Some(url) => next = url,
                None => return false,
            }
        }
        true
    }

    /// Where the visitor is sent from the page, without regard to where that leads.
    fn first_redirect(&mut self) -> Option<String> {
        let payload = self.payload;
        let of_redirects = |it: &&Experiment| it.auto.change == Change::Redirect && !it.auto.manual;
        for experiment in payload.experiments().iter().filter(of_redirects) {
            if experiment.leads_somewhere(&self.visitor.url) {
                let result = self.experiment(experiment);
                if result.in_experiment {
                    return self.redirect(experiment, result.variation_id);
                }
            }
        }
        None
    }

    /// Whether all of its variations that lead elsewhere do so from this page.
    fn leads_everybody(&self, experiment: &Experiment) -> bool {
        (0..experiment.variations.len()).filter(|variation| experiment.redirect_of(*variation).is_some()).all(
            |variation| {
                let url = self.redirect(experiment, variation).filter(|url| location(url).is_some());
                url.is_some_and(|url| !self.comes_back(&url))
            },
        )
    }

    /// Where a variation leads, unless the experiment is for that page too, which would lead there for ever.
    fn redirect(&self, experiment: &Experiment, variation: usize) -> Option<String> {
        let url = experiment.redirect_of(variation)?;
        let url = if experiment.auto.keeps_query {
            with_query_of(self.visitor.url.text(), url)
        } else {
            Cow::Borrowed(url)
        };
        let targets = experiment.targets.as_ref()?;
        (!targets.include(&PageUrl::new(&url))).then(|| url.into_owned())
    }
}

/// How many redirects, one after the other, are looked at. Browsers follow twenty.
const MAX_HOPS: usize = 5;

/// § 5.2, application/x-www-form-urlencoded percent-encode set.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'*').remove(b'-').remove(b'.').remove(b'_');

/// A URL with those parameters of the page's that it lacks (`mergeQueryStrings`).
fn with_query_of<'u>(page: &str, url: &'u str) -> Cow<'u, str> {
    let (Some(page), Some(target)) = (Url::absolute(page), Url::absolute(url)) else { return url.into() };
    let mut parameters: Vec<(Cow<'_, str>, Cow<'_, str>)> = target.parameters().collect();
    let own = parameters.len();
    for (name, value) in page.parameters() {
        if parameters.iter().all(|(known, _)| *known != name) {
            parameters.push((name, value));
        }
    }
    if parameters.len() == own {
        return target.href().to_owned().into();
    }
    let (before, fragment) = target.around_query();
    let pairs = parameters.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    format!("{before}?{}{fragment}", pairs.collect::<Vec<_>>().join("&")).into()
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, FORM).to_string().replace("%20", "+")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::decide::payload::Payload;
    use crate::decide::visitor::Visitor;

    #[test]
    fn queries_are_merged_as_in_browsers() {
        for (page, url, merged) in [
            ("https://a.example/?x=1", "https://b.example/n", "https://b.example/n?x=1"),
            ("https://a.example/?x=1&x=2", "https://b.example/?y=a%20b#f", "https://b.example/?y=a+b&x=1#f"),
            ("https://a.example/?y=2", "https://b.example/?y=a%20b", "https://b.example/?y=a%20b"),
            (
                "https://a.example/?q=a%26b%3D%C3%A9~",
                "https://b.example",
                "https://b.example/?q=a%26b%3D%C3%A9%7E",
            ),
            ("/relative?x=1", "https://b.example", "https://b.example"),
        ] {
            assert_eq!(with_query_of(page, url), merged);
        }
    }

    #[test]
    fn locations_are_urls_of_the_web_in_ascii() {
        for (url, expected) in [
            ("https://B.example/é x", Some("https://b.example/%C3%A9%20x")),
            ("https://b.example/a\r\nset-cookie: x", Some("https://b.example/aset-cookie:%20x")),
            ("https://b.example/\u{7f}\u{1}?\u{0}x", Some("https://b.example/%7F%01?%00x")),
            ("http:b.example", Some("http://b.example/")),
            ("javascript:alert(1)", None),
            ("data:text/html,x", None),
            ("ftp://b.example/", None),
            ("/relative", None),
        ] {
            let found = location(url);
            assert_eq!(found.as_ref().and_then(|value| value.to_str().ok()), expected, "{url}");
        }
    }

    #[test]
    fn redirects_that_come_back_are_none() {
        let on = |page: &str| json!([{ "type": "simple", "pattern": page, "include": true }]);
        let redirect = |key: &str, page: &str, to: &str| json!({ "key": key, "urlPatterns": on(page), "variations": [{ "urlRedirect": to }, { "urlRedirect": to }] });
        let payload = Payload::compile(&json!({ "experiments": [
            redirect("one", "/one", "https://a.example/two"),
            redirect("two", "/two", "https://a.example/three"),
            redirect("three", "/three", "https://a.example/two"),
            redirect("last", "/last", "https://a.example/end"),
            redirect("before", "/before", "https://a.example/last"),
        ] }))
        .unwrap();
        let attributes = json!({ "id": "1" });
        let sent = |page: &str| {
            let url = format!("https://a.example{page}");
            let mut evaluation = Evaluation::new(&payload, Visitor::new(&attributes, &url));
            evaluation.auto_experiments().into_iter().find_map(|ran| ran.redirect)
        };
        assert_eq!(sent("/one"), None);
        assert_eq!(sent("/two"), None);
        assert_eq!(sent("/before").as_deref(), Some("https://a.example/last"));
        assert_eq!(sent("/last").as_deref(), Some("https://a.example/end"));
    }

    #[test]
    fn a_redirect_to_itself_is_none_and_ends_the_run_all_the_same() {
        let everywhere = json!([{ "type": "simple", "pattern": "*", "include": true }]);
        let payload = Payload::compile(&json!({ "experiments": [
            { "key": "manual", "manual": true, "variations": [{ "css": "" }, { "css": "" }] },
            { "key": "unknown", "variations": [{}, { "new": 1 }] },
            { "key": "visual", "variations": [{ "css": "" }, { "css": "a" }] },
            { "key": "broken", "urlPatterns": everywhere, "variations": [{}, { "urlRedirect": "/relative" }] },
            { "key": "redirect", "urlPatterns": everywhere, "variations": [{}, { "urlRedirect": "https://b.example/" }] },
            { "key": "late", "variations": [{ "css": "" }, { "css": "a" }] },
        ] }))
        .unwrap();
        let attributes = json!({ "id": "1" });
        let mut evaluation = Evaluation::new(&payload, Visitor::new(&attributes, "https://a.example/"));
        let ran = evaluation.auto_experiments();
        let keys: Vec<_> = ran.iter().map(|ran| ran.experiment.key()).collect();
        assert_eq!(keys, ["visual", "redirect"]);
        assert!(ran.iter().all(|ran| ran.redirect.is_none()));
    }
}
