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

use super::criteria::Criteria;
use super::matcher::{Matcher, Shape};
use super::paths::{Draft, Paths};

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
            // What is in lower case says nothing about a path that isn't.
            let path = criteria.path().filter(|path| !path.ignores_case());
            match path.map_or(Shape::Prefix(""), Matcher::shape) {
                Shape::Exact(path) => paths.add_exact(path, route),
                Shape::Prefix(prefix) => paths.add_prefix(prefix, route),
            }
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
