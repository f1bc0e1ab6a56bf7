//! Which routes a request may be on, told by its host and path without asking each.
//!
//! Answers for a short list in the order of the routes that leaves out none the request is on; whether it is on one
//! is for its [`Criteria`] to say. Routes that ask for an exact host are apart from the rest; in each part they are
//! sorted by exact path or by what the path must start with, which may be nothing.
//!
//! Everything is a sorted list or tree: hash maps with a random seed have none to draw from in wasm, and without one
//! a visitor could aim at a bucket.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::iter;

use super::criteria::Criteria;
use super::matcher::{Matcher, Shape};

/// Positions of routes, ascending.
type Routes = Vec<usize>;

/// All routes of a table, sorted by host and path.
#[derive(Debug, Clone)]
pub(super) struct Index {
    by_host: BTreeMap<Box<str>, Paths>,
    any_host: Paths,
}

impl Index {
    pub(super) fn new(routes: &[Criteria]) -> Self {
        let mut by_host: BTreeMap<_, Draft> = BTreeMap::new();
        let mut any_host = Draft::default();
        for (route, criteria) in routes.iter().enumerate() {
            // The shape of a host is in lower case, and so are the hosts that are asked for.
            let paths = match criteria.host().map(Matcher::shape) {
                Some(Shape::Exact(host)) => by_host.entry(Box::from(host)).or_default(),
                _ => &mut any_host,
            };
            paths.add(route, criteria.path());
        }
        let by_host = by_host.into_iter().map(|(host, paths)| (host, paths.into())).collect();
        Self { by_host, any_host: any_host.into() }
    }

    /// The routes that a request for this host (in lower case) and path may be on, in order.
    pub(super) fn candidates<'i>(&'i self, host: &str, path: &str) -> Candidates<'i> {
        let paths = self.by_host.get(host).into_iter().chain([&self.any_host]);
        let lists = paths.flat_map(|paths| paths.lists(path));
        Candidates { heads: lists.filter_map(head).collect() }
    }
}

/// The routes of several lists, merged in order as far as somebody asks.
pub(super) struct Candidates<'i> {
    heads: BinaryHeap<Reverse<(usize, &'i [usize])>>,
}

impl Iterator for Candidates<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let Reverse((route, rest)) = self.heads.pop()?;
        self.heads.extend(head(rest));
        Some(route)
    }
}

fn head(routes: &[usize]) -> Option<Reverse<(usize, &[usize])>> {
    routes.split_first().map(|(&first, rest)| Reverse((first, rest)))
}

/// Routes by path, while they are being collected.
#[derive(Default)]
struct Draft {
    exact: BTreeMap<Box<str>, Routes>,
    prefixes: BTreeMap<Box<str>, Routes>,
}

impl Draft {
    fn add(&mut self, route: usize, path: Option<&Matcher>) {
        // What is in lower case says nothing about a path that isn't.
        let shape = path.filter(|path| !path.ignores_case()).map_or(Shape::Prefix(""), Matcher::shape);
        let routes = match shape {
            Shape::Exact(path) => self.exact.entry(Box::from(path)),
            Shape::Prefix(prefix) => self.prefixes.entry(Box::from(prefix)),
        };
        routes.or_default().push(route);
    }
}

/// Routes by path.
#[derive(Debug, Clone)]
struct Paths {
    exact: BTreeMap<Box<str>, Routes>,
    /// In the order of the prefixes, so each stands after those that it starts with itself.
    prefixes: Vec<Prefix>,
}

#[derive(Debug, Clone)]
struct Prefix {
    text: Box<str>,
    /// Where the longest other prefix stands that this one starts with.
    parent: Option<usize>,
    routes: Routes,
}

impl From<Draft> for Paths {
    fn from(draft: Draft) -> Self {
        let mut prefixes: Vec<Prefix> = Vec::with_capacity(draft.prefixes.len());
        for (text, routes) in draft.prefixes {
            let mut parent = prefixes.len().checked_sub(1);
            while let Some(prefix) = parent.and_then(|parent| prefixes.get(parent)) {
                if text.starts_with(&*prefix.text) {
                    break;
                }
                parent = prefix.parent;
            }
            prefixes.push(Prefix { text, parent, routes });
        }
        Self { exact: draft.exact, prefixes }
    }
}

impl Paths {
    /// The lists of routes that this path may be on.
    fn lists<'p>(&'p self, path: &str) -> impl Iterator<Item = &'p [usize]> + use<'p> {
        let exact = self.exact.get(path);
        exact.into_iter().chain(self.prefixes_of(path).map(|prefix| &prefix.routes)).map(Vec::as_slice)
    }

    /// Every prefix that the path starts with, the longest first.
    ///
    /// Between such a prefix and the path, in their order, stands only what starts with that prefix too. So all of
    /// them are above the last one that is not after the path: one search, then one step for each prefix above it,
    /// which all differ in length. How much of the path that last one shares tells for all whether they are prefixes.
    fn prefixes_of<'p>(&'p self, path: &str) -> impl Iterator<Item = &'p Prefix> + use<'p> {
        let after = self.prefixes.partition_point(|prefix| *prefix.text <= *path);
        let nearest = after.checked_sub(1).and_then(|last| self.prefixes.get(last));
        let shared = nearest.map_or(0, |prefix| {
            prefix.text.bytes().zip(path.bytes()).take_while(|(ours, theirs)| ours == theirs).count()
        });
        let above = |prefix: &&'p Prefix| prefix.parent.and_then(|parent| self.prefixes.get(parent));
        iter::successors(nearest, above).filter(move |prefix| prefix.text.len() <= shared)
    }
}
