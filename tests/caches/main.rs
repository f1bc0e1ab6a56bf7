//! Promise 5: whatever depends on the visitor stays out of shared caches, be it read by a patch or by the origin.
//!
//! For random configurations that load, visitors who differ in whatever can be read ask through a model cache in front of engraft,
//! behind it, or between its two stages; and everybody gets what they would get with no cache at all, byte for byte. The origin puts
//! all that it gets into its page. [`model`] is the specification: what a shared cache may do, and where it may stand.
//!
//! `ENGRAFT_CACHES_SEED` chooses other configurations, `ENGRAFT_CACHES_CASES` how many.

#![expect(clippy::indexing_slicing, reason = "what the test stumbles over is a failure")]

use std::collections::BTreeMap;
use std::sync::Arc;

use engraft::cache::mark;
use engraft::engine::{Engine, Route};
use engraft::exchange::DEBUG_HEADER;
use engraft::patch::split::Place;
use engraft::request::RequestHead;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::{Value, json};

mod generate;
mod model;
#[path = "../tree/random.rs"]
#[expect(dead_code, reason = "the tests of the tree use all of it")]
mod random;
mod world;

use generate::SECRET;
use model::{Response, SharedCache, Vary, stage};
use random::Random;
use world::{Kept, Manners};

/// How many visitors there are in each world, and how often one of them asks.
const VISITORS: usize = 10;
const REQUESTS: usize = 60;

/// Where the cache stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Topology {
    /// visitor → cache → engraft → origin
    InFront,
    /// visitor → engraft → cache → origin
    Behind,
    /// visitor → client stage → cache → origin stage → origin
    Between,
}

const TOPOLOGIES: [Topology; 3] = [Topology::InFront, Topology::Behind, Topology::Between];

/// A configuration in all its stages.
struct Engines {
    both: Arc<Engine>,
    client: Arc<Engine>,
    origin: Arc<Engine>,
}

impl Engines {
    fn load(config: &Value) -> Result<Self, String> {
        let stage = |stage: &str| {
            let mut config = config.clone();
            config["stage"] = json!(stage);
            let loaded =
                Engine::load(config.to_string().as_bytes()).map_err(|problems| problems.to_string())?;
            Ok::<_, String>(Arc::new(loaded.engine))
        };
        Ok(Self { both: stage("both")?, client: stage("client")?, origin: stage("origin")? })
    }
}

/// The cache that an operator sets up for a configuration, as its documentation says: keyed by what is declared.
fn cache(config: &Value, topology: Topology) -> SharedCache {
    let routes = config["routes"].as_array().cloned().unwrap_or_default();
    let names = |pointer: &str| -> Vec<HeaderName> {
        let lists = routes.iter().filter_map(|route| route.pointer(pointer)?.as_array());
        let texts = lists.flatten().filter_map(|name| name.as_str().or_else(|| name.get("header")?.as_str()));
        texts.filter_map(|name| HeaderName::try_from(name).ok()).collect()
    };
    match topology {
        Topology::InFront => {
            let reads_own = routes
                .iter()
                .all(|route| route.pointer("/cache/cdn_dialects/0") != Some(&json!("cloudfront")));
            let own = reads_own.then(|| HeaderName::from_static("cdn-cache-control"));
            // A CDN has one key for all routes only where it is told so; here the key of each route is part of every key.
            SharedCache::new(names("/cache/cdn/key"), own)
        }
        Topology::Behind => {
            let mut key = names("/origin_reads");
            key.extend([header::ACCEPT_LANGUAGE, header::USER_AGENT, header::COOKIE]);
            // As nginx and Varnish do: there is nobody to tell this cache.
            SharedCache { stores_cookies: false, ..SharedCache::new(key, None) }
        }
        // Envoy's has no key of its own, and does not know `Vary`.
        Topology::Between => SharedCache { vary: Vary::KeepsOut, ..SharedCache::new(Vec::new(), None) },
    }
}

/// One origin, one cache, and the configurations that are in force beside each other: mostly one.
struct World<'w> {
    /// Of the filter, or of the client stage.
    engines: &'w Engines,
    /// Of the origin stage; none where it is not there.
    behind: Option<&'w Engines>,
    manners: &'w Manners,
    topology: Topology,
    cache: SharedCache,
}

impl World<'_> {
    fn fetch(&mut self, request: &RequestHead) -> Response {
        let Self { engines, behind, manners, topology, cache } = self;
        let mut origin = |request: &RequestHead| manners.answer(request);
        match topology {
            Topology::InFront => {
                cache.fetch(request, &mut |request| stage(&engines.both, request, &mut origin))
            }
            Topology::Behind => {
                stage(&engines.both, request, &mut |request| cache.fetch(request, &mut origin))
            }
            Topology::Between => stage(&engines.client, request, &mut |request| {
                cache.fetch(request, &mut |request| match behind {
                    Some(behind) => stage(&behind.origin, request, &mut origin),
                    None => origin(request),
                })
            }),
        }
    }

    /// What a visitor gets with no cache at all.
    fn fresh(&self, request: &RequestHead) -> Response {
        stage(&self.engines.both, request, &mut |request| self.manners.answer(request))
    }

    /// Many visitors, some of whom come back with what they were given. Says what is wrong.
    fn run(&mut self, random: &mut Random) -> Result<(), String> {
        let visitors: Vec<RequestHead> = (0..VISITORS).map(|_| world::request(random)).collect();
        self.ask(&visitors, &mut Vec::new(), REQUESTS, random)
    }

    fn ask(
        &mut self,
        visitors: &[RequestHead],
        kept: &mut Vec<Kept>,
        times: usize,
        random: &mut Random,
    ) -> Result<(), String> {
        for _ in 0..times {
            let mut request = visitors[random.below(VISITORS)].clone();
            let mut unconditional = request.clone();
            if self.topology == Topology::Between {
                // Between stages that parameter is engraft's, and no visitor's.
                unconditional.path = mark::without_key(&request.path).into_owned();
            }
            let before = kept.iter().filter(|it| it.path == request.path).cloned().collect::<Vec<_>>();
            let before = (!before.is_empty() && random.percent(40))
                .then(|| before[random.below(before.len())].clone());
            if let Some(before) = &before {
                request.headers.insert(header::IF_NONE_MATCH, before.tag.clone());
            }
            let hits = self.cache.hits;
            let got = self.fetch(&request);
            let is_hit = self.cache.hits > hits;
            let shown = match (got.status, &before) {
                (304, Some(before)) => before.body.clone(),
                (304, None) => return Err(format!("a 304 that nobody asked for\n{request:#?}")),
                _ => got.body.clone(),
            };
            self.judge(&unconditional, &got, &shown, is_hit)?;
            if let Some(tag) = got.headers.get(header::ETAG).filter(|_| got.status == 200) {
                kept.push(Kept { path: request.path.clone(), tag: tag.clone(), body: shown });
            }
        }
        Ok(())
    }

    fn judge(&self, request: &RequestHead, got: &Response, shown: &str, is_hit: bool) -> Result<(), String> {
        let fresh = self.fresh(request);
        // What a cache in front has for all, it has for those whose cookies keep pages from caches, too: it does not see cookies.
        let others = self.fresh(&world::without_session(request));
        let is_for_all = self.topology == Topology::InFront && is_hit;
        // A cookie that keeps pages from the store asks the origin by itself where there is an origin stage to tell the cache so.
        let passes = self.topology == Topology::Between && request.headers.get(header::COOKIE).is_some();
        let mut expected = vec![fresh.body.clone()];
        if is_for_all {
            expected.push(others.body);
        }
        if passes {
            let alone = stage(&self.engines.client, request, &mut |request| {
                stage(&self.engines.origin, request, &mut |request| self.manners.answer(request))
            });
            expected.push(alone.body);
        }
        if !expected.iter().any(|body| body == shown) {
            return Err(format!(
                "{request:#?}\ngot  {shown}\nwant {}\n{:#?}",
                expected.join("\n  or "),
                got.headers
            ));
        }
        // What is set behind the cache is the visitor's own.
        let is_own = |cookie: &HeaderValue| {
            self.topology != Topology::InFront && cookie.as_bytes().starts_with(b"uid=")
        };
        let mut cookies = got.headers.get_all(header::SET_COOKIE).iter();
        if is_hit && cookies.any(|cookie| !is_own(cookie)) && got.status == 200 {
            return Err(format!("a cookie from a cache\n{request:#?}\n{:#?}", got.headers));
        }
        let is_chosen = request.path.contains(SECRET);
        let may_have = |name: &HeaderName| is_chosen && *name == DEBUG_HEADER;
        let mut internal = got.headers.keys().filter(|name| name.as_str().starts_with("x-engraft"));
        let internal = internal.find(|name| !may_have(name));
        if let Some(name) = internal {
            return Err(format!("{name} reaches a visitor"));
        }
        if self.topology == Topology::Between && got.status == 200 && !passes {
            let (got, fresh) = (lasting(&got.headers, is_hit), lasting(&fresh.headers, is_hit));
            if got != fresh {
                return Err(format!("{request:#?}\ngot  {got:#?}\nwant {fresh:#?}"));
            }
        }
        Ok(())
    }
}

/// Headers without what a cache adds, without cookies that may be dropped, and of what is older without what is left of lifetimes.
fn lasting(headers: &HeaderMap, is_older: bool) -> BTreeMap<String, Vec<HeaderValue>> {
    let of_caches = [header::AGE, header::DATE, header::SET_COOKIE];
    let names = headers.keys().filter(|name| !of_caches.contains(name));
    let names = names.filter(|name| !is_older || !name.as_str().ends_with("cache-control"));
    names.map(|name| (name.to_string(), headers.get_all(name).iter().cloned().collect())).collect()
}

/// Whether engraft answers for what caches keep of some route: only there may an origin be careless.
fn answers_for_the_origin(engines: &Engines, topology: Topology) -> bool {
    engines.both.routes().iter().all(|route| match topology {
        Topology::InFront => route.key.reads().is_some(),
        Topology::Behind | Topology::Between => route.key.is_stored(),
    })
}

/// Whether caches in front keep responses by engraft's word only, so that an origin need not think of its cookies.
fn answers_for_cookies(engines: &Engines) -> bool {
    engines.both.routes().iter().all(|route| route.cache.keepers(&route.cache.asked(&HeaderMap::new())).front)
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Random configurations that load.
fn accepted(seed: u64, cases: u64) -> impl Iterator<Item = (u64, Random, Value, Engines)> {
    (0..cases).filter_map(move |case| {
        let mut random = Random::of(seed, case);
        let config = generate::config(&mut random);
        Engines::load(&config).ok().map(|engines| (case, random, config, engines))
    })
}

fn manners(engines: &Engines, topology: Topology, random: &mut Random) -> Manners {
    let is_honest = !answers_for_the_origin(engines, topology) || random.percent(30);
    let mut manners = Manners::random(random, is_honest);
    if topology == Topology::InFront && !answers_for_cookies(engines) {
        manners.sets_cookie = None;
    }
    manners
}

#[test]
fn no_visitor_gets_bytes_of_another_from_any_cache() {
    let (seed, cases) = (number("ENGRAFT_CACHES_SEED", 5), number("ENGRAFT_CACHES_CASES", 400));
    let mut hits: BTreeMap<Topology, usize> = BTreeMap::new();
    let (mut loaded, mut split) = (0, 0);
    for (case, mut random, config, engines) in accepted(seed, cases) {
        loaded += 1;
        let runs_at_origin = |route: &Route| route.key.is_stored() && route.places.contains(&Place::Origin);
        split += usize::from(engines.both.routes().iter().any(runs_at_origin));
        for topology in TOPOLOGIES {
            let manners = manners(&engines, topology, &mut random);
            let (engines, cache) = (&engines, cache(&config, topology));
            let mut world = World { engines, behind: Some(engines), manners: &manners, topology, cache };
            if let Err(why) = world.run(&mut random) {
                panic!(
                    "ENGRAFT_CACHES_SEED={seed}, case {case}, {topology:?}: {why}\n{manners:#?}\n{config:#}"
                );
            }
            *hits.entry(topology).or_default() += world.cache.hits;
        }
    }
    println!(
        "{loaded} of {cases} configurations load, {split} with patches of the origin stage; hits {hits:?}"
    );
    assert!(loaded * 5 > cases, "too few configurations load to prove anything: {loaded} of {cases}");
    for topology in TOPOLOGIES {
        let hits = hits.get(&topology).copied().unwrap_or_default();
        assert!(hits > 500, "{topology:?}: the cache was hardly used, {hits} hits");
    }
}

/// While a new configuration is rolled out, each stage has the one or the other, and visitors come back with what they got by either.
#[test]
fn a_new_configuration_never_meets_what_an_old_one_made() {
    let (seed, cases) = (number("ENGRAFT_CACHES_SEED", 6), number("ENGRAFT_CACHES_CASES", 400) / 4);
    let mut before: Option<(Value, Engines)> = None;
    let mut hits = 0;
    for (case, mut random, config, engines) in accepted(seed, cases) {
        if let Some((old_config, old)) = &before {
            let topology = Topology::Between;
            let (of_old, of_new) =
                (manners(old, topology, &mut random), manners(&engines, topology, &mut random));
            let manners = if of_old.is_honest { of_old } else { of_new };
            let visitors: Vec<RequestHead> = (0..VISITORS).map(|_| world::request(&mut random)).collect();
            let mut kept = Vec::new();
            let mut cache = cache(&config, topology);
            for _ in 0..20 {
                let mut pick = || if random.percent(50) { old } else { &engines };
                let (client, behind) = (pick(), pick());
                let mut world =
                    World { engines: client, behind: Some(behind), manners: &manners, topology, cache };
                if let Err(why) = world.ask(&visitors, &mut kept, 6, &mut random) {
                    panic!(
                        "ENGRAFT_CACHES_SEED={seed}, case {case}: {why}\n{manners:#?}\n{old_config:#}\n{config:#}"
                    );
                }
                cache = world.cache;
            }
            hits += cache.hits;
        }
        before = Some((config, engines));
    }
    assert!(hits > 200, "the cache was hardly used, {hits} hits");
}

/// Worlds that are not as the documentation says: a test that passes here proves nothing.
#[test]
fn the_model_finds_what_a_wrong_cache_or_a_missing_stage_leaks() {
    let broken = |topology: Topology, spoil: fn(&mut World<'_>)| {
        let found = accepted(5, 120).filter(|(_, random, config, engines)| {
            let manners = Manners {
                cache_control: Some("public, max-age=60"),
                is_honest: false,
                has_tag: true,
                sets_cookie: None,
            };
            let cache = cache(config, topology);
            let mut world = World { engines, behind: Some(engines), manners: &manners, topology, cache };
            spoil(&mut world);
            world.run(&mut random.clone()).is_err()
        });
        found.count()
    };
    let unkeyed: fn(&mut World<'_>) = |world| {
        world.cache.key.clear();
        world.cache.vary = Vary::Neglects;
    };
    for (what, found) in [
        ("a cache in front without its key", broken(Topology::InFront, unkeyed)),
        ("a cache behind without its key", broken(Topology::Behind, unkeyed)),
        ("no origin stage", broken(Topology::Between, |world| world.behind = None)),
    ] {
        assert!(found > 0, "{what} leaks, and was not found");
    }
}
