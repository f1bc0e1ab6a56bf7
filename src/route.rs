//! Which route a request is on.
//!
//! Answers for: compiling the `match` of every route, and finding the first route, in the order written, that a
//! request is for. What is named in one `match` must all hold; what isn't named is not looked at.
//!
//! A route decides what a shared cache is told, so a request must not get off its route by being written another
//! way, or by being long. Hosts are compared without regard to case ([`crate::request::authority::host`] takes care
//! of port and final dot), and no length makes a text unmatchable. It refuses what no request can satisfy
//! (`path: { prefix: shop/ }`), which would be a route that silently never counts.
//!
//! Finding a route costs what the request's own path costs, not what the table costs: candidates come from an
//! index by host and path, and only they are checked.

mod criteria;
mod index;
mod literal;
mod matcher;
mod parameters;
pub(crate) mod paths;
mod syntax;
#[cfg(test)]
mod tests;

use http::HeaderMap;

use crate::config::model::RequestMatch;
use crate::config::node::Path;
use crate::config::problem::Problem;
use crate::request::RequestHead;
use crate::request::target::Target;

use criteria::Criteria;
pub use criteria::Unmet;
use index::Index;
use parameters::Parameters;

pub use matcher::{MAX_COMPILED_REGEX_BYTES, Matcher};

/// What routes may look at, of one request.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "built by whoever has the request, field by field")]
pub struct RouteInput<'r> {
    /// The method, as it came.
    pub method: &'r str,
    /// The host, as [`crate::request::authority::host`] gives it.
    pub host: &'r str,
    /// The path and the query.
    pub target: Target<'r>,
    /// The headers; only the first of each name is compared.
    pub headers: &'r HeaderMap,
}

impl<'r> RouteInput<'r> {
    /// That of a request; `host` is what [`crate::request::authority::host`] makes of its authority.
    #[must_use]
    pub fn of(request: &'r RequestHead, host: &'r str) -> Self {
        let RequestHead { method, path, headers, .. } = request;
        Self { method, host, target: Target::parse(path), headers }
    }
}

/// The `match` of every route, compiled once.
///
/// ```
/// use engraft::config::{model::RequestMatch, node::Path};
/// use engraft::request::target::Target;
/// use engraft::route::{RouteInput, RouteTable};
/// use serde_json::json;
///
/// let shop: RequestMatch = serde_json::from_value(json!({
///     "host": { "exact": "shop.example" },
///     "path": { "safe_regex": { "regex": "/p/[0-9]+" } },
/// })).unwrap();
/// let routes = Path::default().key("routes");
/// let matches = [Some(&shop), None].into_iter().enumerate();
/// let matches = matches.map(|(i, it)| (routes.clone().index(i).key("match"), it));
/// let mut problems = Vec::new();
/// let table = RouteTable::compile(matches, &mut problems).unwrap();
///
/// let headers = http::HeaderMap::new();
/// let find = |target| {
///     let target = Target::parse(target);
///     table.find(&RouteInput { method: "GET", host: "shop.example", target, headers: &headers })
/// };
/// assert_eq!(find("/p/17?ref=mail"), Some(0));
/// assert_eq!(find("/p/shoes"), Some(1));
/// ```
#[derive(Debug, Clone)]
pub struct RouteTable {
    routes: Vec<Criteria>,
    index: Index,
}

impl RouteTable {
    /// Compiles the `match` of each route, in order, each with its own place; a route without one takes every
    /// request. The table only exists when nothing is wrong; everything that is wrong is added to `problems`.
    pub fn compile<'m>(
        matches: impl IntoIterator<Item = (Path, Option<&'m RequestMatch>)>,
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let compiled: Vec<_> =
            matches.into_iter().map(|(at, matches)| Criteria::compile(matches, &at, problems)).collect();
        let routes: Vec<_> = compiled.into_iter().collect::<Option<_>>()?;
        let index = Index::new(&routes);
        Some(Self { routes, index })
    }

    /// The first route, in the order they were given in, that this request is for.
    #[must_use]
    pub fn find(&self, request: &RouteInput<'_>) -> Option<usize> {
        let parameters = Parameters::new(request.target);
        self.candidates(request)
            .find(|&route| self.routes.get(route).is_some_and(|criteria| criteria.hold(request, &parameters)))
    }

    /// What of each route's `match` this request does not satisfy, in order; `None` where it satisfies all.
    pub fn unmet<'t>(&'t self, request: &'t RouteInput<'t>) -> impl Iterator<Item = Option<Unmet<'t>>> {
        let parameters = Parameters::new(request.target);
        self.routes.iter().map(move |criteria| criteria.unmet(request, &parameters))
    }

    /// The first route before this one that takes every request which this one is for. `None` where that takes more than a look
    /// at one route after the other: several that together leave nothing over are not seen.
    #[cfg(feature = "lint")]
    #[must_use]
    pub fn shadow(&self, route: usize) -> Option<usize> {
        let shadowed = self.routes.get(route)?;
        self.routes.iter().take(route).position(|earlier| earlier.covers(shadowed))
    }

    /// Every route that host and path don't rule out, in order: what [`find`](Self::find) has to check at most.
    pub(crate) fn candidates(&self, request: &RouteInput<'_>) -> impl Iterator<Item = usize> {
        self.index.candidates(request.host, request.target.path())
    }
}
