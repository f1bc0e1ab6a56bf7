//! What a request gets, before anybody is asked for it: what is decided about the visitor, the patches that come of it, and where
//! they lead, if they lead elsewhere.

use std::sync::Arc;

use http::{HeaderValue, StatusCode, header};

use super::intent::view_number;
use super::patches::Patches;
use super::report::Report;
use super::watch::{View, Watch};
use super::{LocalResponse, Surroundings};
use crate::cache::PRIVATE;
use crate::decisions::force::Forced;
use crate::decisions::visitor::Standing;
use crate::decisions::{Asking, Exposed, Made, Note};
use crate::engine::{Engine, Route};
use crate::exposure::SeenBy;
use crate::patch::exchange::RedirectTemplate;
use crate::patch::{Action, Redirect};
use crate::request::attributes::Values;
use crate::request::target::Target;
use crate::request::{RequestHead, authority};

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) values: Values,
    pub(super) decided: Decided,
    pub(super) patches: Patches,
    /// The numbers of the patches that are to be carried out.
    pub(super) eligible: Vec<usize>,
    /// The digest of the payload that had a say.
    pub(super) payload: Option<u128>,
    /// Where an experiment of the payload leads, and what is seen by that.
    leads_to: Option<(HeaderValue, Option<Exposed>)>,
}

/// What is known of a request besides its route.
#[derive(Debug)]
pub(super) struct Wish {
    /// Somebody chose what they see, who may.
    pub(super) forced: Option<Forced>,
    pub(super) asks_for_page: bool,
    pub(super) is_subresource: bool,
    pub(super) is_prefetch: bool,
    /// People want to know why.
    pub(super) explains: bool,
}

impl Choice {
    /// Decides for a request on that route, given what its attributes are.
    pub(super) fn make(
        engine: &Arc<Engine>,
        (index, route): (usize, &Route),
        request: &RequestHead,
        mut values: Values,
        wish: Wish,
        surroundings: &Surroundings<'_>,
    ) -> Self {
        let Surroundings { now, random, live, .. } = *surroundings;
        let groups = engine.decisions().saved_groups();
        let mut decided = Decided {
            is_view: wish.asks_for_page && request.method != "HEAD",
            is_prefetch: wish.is_prefetch,
            forced: wish.forced,
            ..Decided::default()
        };
        let mut patches = Patches::of_route(Arc::clone(engine), index);
        let mut made = Made::default();
        if !route.decides.is_empty() {
            decided.view = View {
                route: route.name.clone(),
                path: Target::parse(&request.path).path().to_owned(),
                number: view_number(random),
            };
            let asking = Asking {
                names: &route.decides,
                request,
                live,
                forced: decided.forced.as_ref(),
                now,
                // Parts of a page come with its id, or before there is one to come with.
                random: (!route.decides_by_visitor.is_empty() && !wish.is_subresource).then_some(random),
                asks_for_page: wish.asks_for_page,
                tells: !engine.exposures().is_empty(),
                explains: wish.explains || decided.forced.is_some(),
            };
            made = engine.decisions().make(&asking, &mut values);
            decided.cookies = std::mem::take(&mut made.cookies);
            decided.awaits_payload = made.awaits_payload;
            decided.too_long = made.too_long;
            decided.notes = std::mem::take(&mut made.notes);
        }
        let is_left_alone = made.standing == Standing::LeftAlone;
        let eligible = patches.of_the_route().filter(|(_, patch)| {
            let is_left_out =
                is_left_alone && route.decides_by_visitor.iter().any(|name| patch.reads().contains(name));
            !is_left_out && patch.is_eligible(&values, groups)
        });
        let mut eligible: Vec<usize> = eligible.map(|(number, _)| number).collect();
        let is_sent = |redirect: &RedirectTemplate| {
            redirect
                .render(&values)
                .is_some_and(|redirect| local_response(&redirect, route, request).is_some())
        };
        decided.watch = Watch::new(made.exposures, &patches, &eligible, &values, groups, is_sent);
        let mut leads_to = None;
        for auto in made.auto {
            let numbers = live.map(|live| patches.add(live, &auto)).unwrap_or_default();
            eligible.extend(&numbers.own);
            if let Some(location) = auto.location {
                leads_to = Some((location, auto.exposed));
            } else if let Some(exposed) = auto.exposed {
                decided.watch.add(exposed, numbers, auto.leads_away);
            }
        }
        let payload = live.filter(|_| made.uses_live).map(|live| live.digest());
        Self { values, decided, patches, eligible, payload, leads_to }
    }

    /// Where the visitor is sent, if anywhere: by the first patch that leads somewhere, or by an experiment of the payload.
    pub(super) fn redirect(
        &mut self,
        route: &Route,
        request: &RequestHead,
    ) -> Option<(LocalResponse, Report)> {
        let first = self.eligible.iter().find_map(|number| {
            let patch = self.patches.get(*number)?;
            let Action::Redirect(redirect) = &patch.action else { return None };
            let response = local_response(&redirect.render(&self.values)?, route, request)?;
            Some((*number, response, Report::redirected(&route.name, patch)))
        });
        let (seen, mut response, mut report) = match (first, self.leads_to.take()) {
            (Some((number, response, report)), _) => {
                let seen = std::mem::take(&mut self.decided.watch).redirected(number);
                (seen, response, report)
            }
            (None, Some((location, exposed))) => {
                let headers = vec![(header::LOCATION, location), (header::CACHE_CONTROL, PRIVATE)];
                let response = LocalResponse { status: StatusCode::FOUND, headers };
                (exposed.into_iter().collect(), response, Report::led_away(&route.name))
            }
            (None, None) => return None,
        };
        self.decided.redirected(seen, &mut response, &mut report);
        Some((response, report))
    }
}

/// What was decided about a visitor, besides values.
#[derive(Debug, Default)]
pub(super) struct Decided {
    pub(super) watch: Watch,
    pub(super) view: View,
    /// To be set where the response is for this visitor alone.
    pub(super) cookies: Vec<HeaderValue>,
    /// Somebody chose what they see: no cache may keep it.
    pub(super) forced: Option<Forced>,
    /// A page is asked for, and with its body.
    pub(super) is_view: bool,
    /// The page is fetched before it is looked at, if it ever is (`Sec-Purpose`).
    pub(super) is_prefetch: bool,
    pub(super) awaits_payload: bool,
    /// How many assignments have names or values that are too long to be told.
    pub(super) too_long: u32,
    /// For people who debug.
    pub(super) notes: Vec<Note>,
}

impl Decided {
    /// The visitor is sent away, and that is what they see of these.
    fn redirected(&mut self, seen: Vec<Exposed>, response: &mut LocalResponse, report: &mut Report) {
        let headers = &mut response.headers;
        report.awaits_payload = self.awaits_payload;
        report.too_long_exposures = self.too_long;
        report.forced = self.forced.is_some();
        report.decisions = std::mem::take(&mut self.notes);
        if self.forced.is_some() {
            headers.retain(|(name, _)| name != header::CACHE_CONTROL);
            headers.push((header::CACHE_CONTROL, PRIVATE_NO_STORE));
        } else if headers.iter().any(|(name, _)| name == header::CACHE_CONTROL) {
            headers.extend(std::mem::take(&mut self.cookies).into_iter().map(|it| (header::SET_COOKIE, it)));
        }
        if !self.is_prefetch && self.is_view {
            report.exposures = self.view.events(seen.iter().map(|exposed| (exposed, SeenBy::Redirect)));
        }
    }
}

/// Of what somebody chose to see.
pub(super) const PRIVATE_NO_STORE: HeaderValue = HeaderValue::from_static("private, no-store");

/// `None` where the visitor would be sent where they are: a condition that still holds there would never end.
fn local_response(redirect: &Redirect, route: &Route, request: &RequestHead) -> Option<LocalResponse> {
    let query = request.path.split_once('?').map(|(_, query)| query);
    // Beyond visible ASCII a header can't hold it.
    let query =
        query.filter(|query| redirect.keep_query && query.bytes().all(|byte| byte.is_ascii_graphic()));
    let location = match query {
        Some(query) => {
            let location = redirect.location.to_str().ok()?;
            let (location, fragment) = location.split_at(location.find('#').unwrap_or(location.len()));
            let separator = if location.contains('?') { '&' } else { '?' };
            HeaderValue::try_from(format!("{location}{separator}{query}{fragment}")).ok()?
        }
        None => redirect.location.clone(),
    };
    if leads_to(&location, request) {
        return None;
    }
    let mut headers = vec![(header::LOCATION, location)];
    if !route.cache.depends_on().is_empty() {
        headers.push((header::CACHE_CONTROL, PRIVATE));
    }
    Some(LocalResponse { status: redirect.status, headers })
}

/// Whether a location, a path or a whole URL, is the request's own.
fn leads_to(location: &HeaderValue, request: &RequestHead) -> bool {
    let Some(location) = location.to_str().ok().and_then(|text| text.split('#').next()) else { return false };
    let own = location.split_once("://").filter(|(scheme, _)| scheme.eq_ignore_ascii_case(&request.scheme));
    let path = match own {
        Some((_, rest)) => {
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            if authority::host(host) != authority::host(&request.authority) {
                return false;
            }
            if path.is_empty() { "/" } else { path }
        }
        None => location,
    };
    path == request.path
}
