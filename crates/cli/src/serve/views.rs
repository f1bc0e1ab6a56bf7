//! Pages as somebody wants to see them: with variations, attributes and a time of their choosing, for a frame of the panel.
//!
//! What is chosen is kept here under a number that nobody can guess, and pages are asked for with that number in the query. It is taken
//! off before anything else reads the request, off the `Referer` too: neither the core nor the origin sees it. A page that
//! is asked for from such a page, be it a link or a redirect, gets the number back into its address, so that one stays in the view.
//!
//! The attack that is prevented: a link on another site that chooses what somebody sees here. It would have to know the number, and
//! requests that another site starts are in no view even so.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use engraft::config::model::Force;
use engraft::decisions::force;
use engraft::exchange::Overrides;
use engraft::request::RequestHead;
use http::{HeaderMap, HeaderValue, Method, header};

use super::guard;
use super::live;
use crate::time;

/// The parameter that has the number.
const PARAMETER: &str = "__engraft_view";
/// How many views are kept; the oldest go first.
const MAX_VIEWS: usize = 100;

/// What somebody wants to see instead of what requests say.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct View {
    pub(crate) overrides: Overrides,
    /// The time that it is; the real one unless chosen.
    pub(crate) now: Option<SystemTime>,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(crate) struct Views(Mutex<VecDeque<(String, Arc<View>)>>);

impl Views {
    /// Keeps a view, and gives its number.
    pub(crate) fn add(&self, view: View) -> String {
        let id = format!("{:032x}", time::random());
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_back((id.clone(), Arc::new(view)));
        while kept.len() > MAX_VIEWS {
            kept.pop_front();
        }
        id
    }

    fn find(&self, id: &str) -> Option<Arc<View>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(kept, _)| kept == id).map(|(_, view)| Arc::clone(view))
    }
}

/// What view a request is in.
#[derive(Debug, PartialEq)]
pub(crate) enum Standing {
    /// In none.
    Outside,
    In(Seen),
    /// A page that is asked for from a page in a view: it is to be asked for at this path.
    Elsewhere(String),
    /// In one that is not kept any more.
    Gone,
}

/// A view, and its number.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    pub(crate) id: String,
    pub(crate) view: Arc<View>,
}

/// Takes the number off a request for `host`, which reached `listener`, and looks it up.
pub(crate) fn enter(views: &Views, head: &mut RequestHead, host: &str, listener: SocketAddr) -> Standing {
    let own = take(&mut head.path);
    let referer = take_from_referer(&mut head.headers, host);
    // Reading is all that is asked for, whatever the method: the origin is what a POST is for.
    if guard::check(&Method::GET, host, &head.headers, listener).is_err() {
        return Standing::Outside;
    }
    match (own, referer) {
        (Some(id), _) => match views.find(&id) {
            Some(view) => Standing::In(Seen { id, view }),
            None => Standing::Gone,
        },
        (None, Some(id)) => match views.find(&id) {
            Some(_) if live::navigates(head) => Standing::Elsewhere(put(&head.path, &id)),
            Some(view) => Standing::In(Seen { id, view }),
            // The page that asks said that it is gone.
            None => Standing::Outside,
        },
        (None, None) => Standing::Outside,
    }
}

impl Seen {
    /// Has a response be shown in a frame of the panel, and redirects stay in the view.
    pub(crate) fn apply(&self, headers: &mut HeaderMap, host: &str) {
        headers.remove(header::X_FRAME_OPTIONS);
        let policies = headers.get_all(header::CONTENT_SECURITY_POLICY);
        let policies: Vec<HeaderValue> = policies.iter().filter_map(framed).collect();
        headers.remove(header::CONTENT_SECURITY_POLICY);
        for policy in policies {
            headers.append(header::CONTENT_SECURITY_POLICY, policy);
        }
        let location = headers.get(header::LOCATION).and_then(|location| location.to_str().ok());
        let home = location.filter(|location| is_at(location, host)).map(|location| put(location, &self.id));
        if let Some(home) = home.and_then(|home| HeaderValue::try_from(home).ok()) {
            headers.insert(header::LOCATION, home);
        }
    }
}

/// Policies without what they say of frames that the page is in; `None` where they say nothing else.
fn framed(policies: &HeaderValue) -> Option<HeaderValue> {
    let Ok(text) = policies.to_str() else { return Some(policies.clone()) };
    let is_kept = |directive: &&str| {
        let name = directive.split_ascii_whitespace().next().unwrap_or_default();
        !name.is_empty() && !name.eq_ignore_ascii_case("frame-ancestors")
    };
    let policy = |policy: &str| policy.split(';').filter(is_kept).collect::<Vec<_>>().join(";");
    let kept: Vec<String> = text.split(',').map(policy).filter(|policy| !policy.is_empty()).collect();
    if kept.is_empty() { None } else { HeaderValue::try_from(kept.join(",")).ok() }
}

/// Whether a reference leads to the listener.
fn is_at(location: &str, host: &str) -> bool {
    // To browsers a backslash is a slash, and two of them begin a host.
    let begins_host = location.get(..2).is_some_and(|start| start.chars().all(|c| matches!(c, '/' | '\\')));
    let is_relative =
        !begins_host && location.split(['/', '?', '#']).next().is_some_and(|start| !start.contains(':'));
    is_relative || is_own(location, host)
}

fn is_own(url: &str, host: &str) -> bool {
    let rest = url.strip_prefix("http://").and_then(|rest| rest.strip_prefix(host));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
}

/// Takes the parameter off a path or a URL, as parameters that choose variations are.
fn take(path: &mut String) -> Option<String> {
    let mut parameter = Force::default();
    PARAMETER.clone_into(&mut parameter.parameter);
    let found = force::parameters(&parameter, path);
    let (rest, id) = (found.rest.into_owned(), found.choices);
    *path = rest;
    id
}

fn take_from_referer(headers: &mut HeaderMap, host: &str) -> Option<String> {
    let mut referer = headers.get(header::REFERER)?.to_str().ok()?.to_owned();
    if !is_own(&referer, host) {
        return None;
    }
    let id = take(&mut referer)?;
    headers.insert(header::REFERER, HeaderValue::try_from(referer).ok()?);
    Some(id)
}

/// Names a view in a reference.
pub(crate) fn put(reference: &str, id: &str) -> String {
    let (rest, fragment) = reference.split_once('#').map_or((reference, None), |(rest, it)| (rest, Some(it)));
    let separator = if rest.contains('?') { '&' } else { '?' };
    let fragment = fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
    format!("{rest}{separator}{PARAMETER}={id}{fragment}")
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;
    use crate::exchange::visit::map;

    const HOST: &str = "localhost:8080";

    fn entered(views: &Views, path: &str, lines: &[(HeaderName, String)]) -> (Standing, RequestHead) {
        let lines = lines.iter().map(|(name, value)| (name.clone(), HeaderValue::try_from(value).unwrap()));
        let mut head = RequestHead {
            method: "GET".to_owned(),
            path: path.to_owned(),
            headers: map(lines),
            ..RequestHead::default()
        };
        let standing = enter(views, &mut head, HOST, SocketAddr::from(([127, 0, 0, 1], 8080)));
        (standing, head)
    }

    #[test]
    fn the_number_is_taken_off_before_anything_sees_it() {
        let views = Views::default();
        let id = views.add(View::default());
        let referer = (header::REFERER, format!("http://{HOST}/p?x=1&__engraft_view={id}"));
        let (standing, head) =
            entered(&views, &format!("/p?a=1&__engraft_view={id}&b"), std::slice::from_ref(&referer));
        assert!(matches!(standing, Standing::In(seen) if seen.id == id));
        assert_eq!(head.path, "/p?a=1&b");
        assert_eq!(head.headers["referer"], "http://localhost:8080/p?x=1");
        let (standing, head) = entered(&views, "/data.json", std::slice::from_ref(&referer));
        assert!(matches!(standing, Standing::In(_)) && head.path == "/data.json");
        let page = (header::ACCEPT, "text/html".to_owned());
        let (standing, _) = entered(&views, "/q#f", &[referer, page]);
        assert_eq!(standing, Standing::Elsewhere(format!("/q?__engraft_view={id}#f")));
        let (standing, head) = entered(&views, "/p?__engraft_view=0", &[]);
        assert_eq!((standing, head.path.as_str()), (Standing::Gone, "/p"));
        assert_eq!(entered(&views, "/p?a=1", &[]).0, Standing::Outside);
    }

    #[test]
    fn nobody_elses_pages_are_in_a_view() {
        let views = Views::default();
        let id = views.add(View::default());
        let path = format!("/p?__engraft_view={id}");
        let fetch_site = HeaderName::from_static("sec-fetch-site");
        let foreign =
            [(fetch_site, "cross-site".to_owned()), (header::ORIGIN, "https://evil.example".to_owned())];
        for line in foreign {
            let (standing, head) = entered(&views, &path, &[line]);
            assert_eq!((standing, head.path.as_str()), (Standing::Outside, "/p"));
        }
        let referer = (header::REFERER, format!("http://evil.example/?__engraft_view={id}"));
        assert_eq!(entered(&views, "/p", &[referer]).0, Standing::Outside);
        let mut head = RequestHead { path, ..RequestHead::default() };
        let listener = SocketAddr::from(([127, 0, 0, 1], 8080));
        assert_eq!(enter(&views, &mut head, "evil.example:8080", listener), Standing::Outside);
    }

    #[test]
    fn responses_in_a_view_can_be_framed_and_stay_in_it() {
        let seen = Seen { id: "7".to_owned(), view: Arc::default() };
        let applied = |name: HeaderName, value: &str| {
            let mut headers = map([(name.clone(), HeaderValue::try_from(value).unwrap())]);
            seen.apply(&mut headers, HOST);
            headers.get(name).map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(applied(header::X_FRAME_OPTIONS, "DENY"), None);
        for (policy, left) in [
            ("frame-ancestors 'none'", None),
            ("script-src 'self'; Frame-Ancestors 'none' ; img-src *", Some("script-src 'self'; img-src *")),
            ("default-src a, frame-ancestors b", Some("default-src a")),
            ("default-src 'none'", Some("default-src 'none'")),
        ] {
            assert_eq!(applied(header::CONTENT_SECURITY_POLICY, policy).as_deref(), left, "{policy}");
        }
        for (location, to) in [
            ("/p", "/p?__engraft_view=7"),
            ("p?a=1#b", "p?a=1&__engraft_view=7#b"),
            ("http://localhost:8080/p", "http://localhost:8080/p?__engraft_view=7"),
            ("http://localhost:80801/p", "http://localhost:80801/p"),
            ("https://evil.example/p", "https://evil.example/p"),
            ("//evil.example/p", "//evil.example/p"),
            ("/\\evil.example/p", "/\\evil.example/p"),
            ("\\/evil.example/p", "\\/evil.example/p"),
            ("mailto:a@b.example", "mailto:a@b.example"),
        ] {
            assert_eq!(applied(header::LOCATION, location).as_deref(), Some(to), "{location}");
        }
    }

    #[test]
    fn the_oldest_views_go() {
        let views = Views::default();
        let first = views.add(View::default());
        let ids: Vec<String> = (0..MAX_VIEWS).map(|_| views.add(View::default())).collect();
        assert!(views.find(&first).is_none() && ids.iter().all(|id| views.find(id).is_some()));
    }
}
