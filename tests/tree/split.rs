//! Two stages make the very bytes that one filter makes.
//!
//! A route is run on a page as a whole; then the patches that may run before the page is stored, and the others on what these
//! left. The same is done as if everything that reads nothing of the visitor could run before: this must go wrong now and then,
//! or nothing was shown.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::sync::Arc;

use engraft::engine::Engine;
use engraft::patch::split::{Place, Why};
use engraft::request::RequestHead;
use http::HeaderValue;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::generate;
use crate::generated::Plan;
use crate::judge::pass;
use crate::random::Random;
use crate::shrink::shrink;
use engraft_oracle::dom::Dom;

mod route;
mod rules;

/// How many routes a test looks for.
const CASES: u64 = 400;

const SHARES: u64 = 4;

/// So many are made up until one has patches in both stages.
const ROUTES: usize = 5;

/// How many pages each is tried on.
const PAGES: usize = 8;

/// So many smaller documents are tried.
const TRIES: usize = 600;

/// What is done before, beside something that is done after.
const CLASSES: [&str; 4] = ["head", "attributes", "words", "added"];

/// A test for each share of the routes, and one for the rules.
pub(crate) fn trials(plan: &Plan) -> Vec<Trial> {
    let trial = |share| {
        let plan = plan.clone();
        Trial::test(format!("split::{share}"), move || run(&plan, share).map_err(Into::into))
    };
    let rules = Trial::test("split::rules", || rules::run().map_err(Into::into));
    (0..SHARES).map(trial).chain([rules]).collect()
}

fn run(plan: &Plan, share: u64) -> Result<(), String> {
    let mut counts = Counts::default();
    for number in (share..CASES * SHARES).step_by(usize::try_from(SHARES).unwrap_or(1)) {
        if plan.only.is_some_and(|only| only != number) {
            continue;
        }
        let mut random = Random::of(plan.seed ^ 0x5911, number);
        let mut tokens = document(&mut random);
        let dom = Dom::parse(tokens.concat().as_bytes());
        let mut made_up = None;
        for _ in 0..ROUTES {
            let Some(route) = Route::new(route::route(&mut random, &dom)?)? else { continue };
            counts.made_up(&route);
            if route.has_two_stages() {
                made_up = Some(route);
                break;
            }
            if random.percent(20) {
                let visitor = Visitor { cookie: true, asks: true };
                counts.naive(&route.run(&visitor, tokens.concat().as_bytes())?);
            }
        }
        let Some(route) = made_up else { continue };
        for _ in 0..PAGES {
            let visitor = Visitor { cookie: random.percent(90), asks: random.percent(50) };
            let page = tokens.concat();
            let made = route.run(&visitor, page.as_bytes())?;
            if made.one != made.two {
                return Err(explain(plan.seed, number, route, &visitor, tokens)?);
            }
            counts.add(&route, &made, page.as_bytes());
            tokens = document(&mut random);
        }
    }
    let _ = writeln!(std::io::stderr(), "split::{share}, seed {}: {counts}", plan.seed);
    let untried: Vec<&str> = CLASSES.into_iter().filter(|class| !counts.before.contains_key(class)).collect();
    match plan.only {
        None if !untried.is_empty() => {
            Err(format!("never done before the page is stored: {}", untried.join(", ")))
        }
        None if counts.naive_differs == 0 => {
            Err("the order makes no difference to any of the pages".to_owned())
        }
        _ => Ok(()),
    }
}

/// A page; now and then one that says what may be put into it.
fn document(random: &mut Random) -> Vec<String> {
    let mut tokens = generate::document(random);
    let head = tokens.iter().position(|token| token == "<head>");
    if let Some(head) = head.filter(|_| random.percent(5)) {
        let policy = "<meta http-equiv=content-security-policy content=\"script-src 'none'\">";
        tokens.insert(head + 1, policy.to_owned());
    }
    tokens
}

/// Who asks: with a cookie that patches read, for a URL that they read.
struct Visitor {
    cookie: bool,
    asks: bool,
}

impl Visitor {
    fn request(&self) -> RequestHead {
        let path = if self.asks { "/?q=1" } else { "/" };
        let mut request = RequestHead { method: "GET".into(), path: path.into(), ..RequestHead::default() };
        if self.cookie {
            request.headers.insert("cookie", HeaderValue::from_static("v=<b>"));
        }
        request
    }
}

/// A route, whole and in two stages.
struct Route {
    patches: Vec<Value>,
    places: Vec<Place>,
    all: Arc<Engine>,
    before: Arc<Engine>,
    after: Arc<Engine>,
    /// As if nothing depended on anything.
    naive: Option<(Arc<Engine>, Arc<Engine>)>,
}

/// A page, by one filter and by two.
struct Made {
    one: Vec<u8>,
    two: Vec<u8>,
    before: Vec<u8>,
    /// Whether it is another one if all that may be done before is done before, where that makes a difference.
    naive_differs: Option<bool>,
}

impl Route {
    /// `None` where the configuration is not taken.
    fn new(patches: Vec<Value>) -> Result<Option<Self>, String> {
        let Ok(all) = engine(patches.iter()) else { return Ok(None) };
        let places = all.routes()[0].places.clone();
        let stages = |is_before: &dyn Fn(&Place) -> bool| -> Result<_, String> {
            let of = |wanted: bool| {
                let placed = patches.iter().zip(&places);
                engine(placed.filter(|(_, place)| is_before(place) == wanted).map(|(patch, _)| patch))
            };
            Ok((of(true)?, of(false)?))
        };
        let (before, after) = stages(&|place| *place == Place::Origin)?;
        let depends = |place: &Place| matches!(place, Place::Client(Why::DependsOn { .. }));
        let naive = match places.iter().any(depends) {
            true => Some(stages(&|place| *place == Place::Origin || depends(place))?),
            false => None,
        };
        Ok(Some(Self { places, all, before, after, naive, patches }))
    }

    fn has_two_stages(&self) -> bool {
        let before = self.places.iter().filter(|place| **place == Place::Origin).count();
        (1..self.places.len()).contains(&before)
    }

    fn run(&self, visitor: &Visitor, page: &[u8]) -> Result<Made, String> {
        let request = visitor.request();
        let through = |engine: &Arc<Engine>, page: &[u8]| {
            pass(engine, &request, page, std::iter::empty()).map(|(out, _)| out)
        };
        let one = through(&self.all, page)?;
        let before = through(&self.before, page)?;
        let two = through(&self.after, &before)?;
        let naive_differs = match &self.naive {
            Some((before, after)) => Some(through(after, &through(before, page)?)? != one),
            None => None,
        };
        Ok(Made { one, two, before, naive_differs })
    }

    /// What a patch is that runs before.
    fn class(patch: &Value) -> &'static str {
        if route::changes_attributes(patch) {
            "attributes"
        } else if route::keys(patch, &["find", "replace_with"]) {
            "words"
        } else if patch.get("select").is_some() {
            "added"
        } else {
            "head"
        }
    }
}

fn engine<'p>(patches: impl Iterator<Item = &'p Value>) -> Result<Arc<Engine>, String> {
    let patches: Vec<&Value> = patches.collect();
    let config = json!({
        "version": 1,
        "limits": { "max_held_bytes": 1_048_576, "max_elements": 100_000 },
        "attributes": { "v": { "cookie": "v" }, "q": { "query": "q" } },
        "routes": [{ "name": "a", "patches": patches }],
    });
    let loaded = Engine::load(config.to_string().as_bytes());
    loaded.map(|loaded| Arc::new(loaded.engine)).map_err(|problems| problems.to_string())
}

/// As few of the patches as still go wrong.
fn fewer(mut patches: Vec<Value>, fails: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let mut at = 0;
    while at < patches.len() {
        let mut without = patches.clone();
        without.remove(at);
        if fails(&without) {
            patches = without;
        } else {
            at += 1;
        }
    }
    patches
}

/// What goes wrong, in as few patches and as small a page as it does.
fn explain(
    seed: u64,
    number: u64,
    route: Route,
    visitor: &Visitor,
    page: Vec<String>,
) -> Result<String, String> {
    let differs = |patches: &[Value], page: &str| -> bool {
        let route = Route::new(patches.to_vec()).ok().flatten();
        let made = route.and_then(|route| route.run(visitor, page.as_bytes()).ok());
        made.is_some_and(|made| made.one != made.two)
    };
    let patches = fewer(route.patches, |patches| differs(patches, &page.concat()));
    let page = shrink(page, TRIES, |page| differs(&patches, page));
    let route = Route::new(patches)?.ok_or("it is refused")?;
    let made = route.run(visitor, page.as_bytes())?;
    let mut out =
        format!("two stages make another page (ENGRAFT_TREE_SEED={seed} ENGRAFT_TREE_ONLY={number})\n");
    for (patch, place) in route.patches.iter().zip(&route.places) {
        let _ = writeln!(out, "  {place:?}  {patch}");
    }
    let text = String::from_utf8_lossy;
    let _ = writeln!(out, "  page    {page:?}");
    let _ = writeln!(out, "  stored  {:?}", text(&made.before));
    let _ = writeln!(out, "  two     {:?}", text(&made.two));
    let _ = writeln!(out, "  one     {:?}", text(&made.one));
    Ok(out)
}

/// What was tried.
#[derive(Debug, Default)]
struct Counts {
    pages: u64,
    /// Routes that were made up for them.
    routes: u64,
    /// Pages that both stages changed.
    changed_twice: u64,
    /// Patches that ran before, beside one that ran after, on pages that both stages changed.
    before: BTreeMap<&'static str, u64>,
    /// Patches that depend on another one, by what they have to do with it.
    depend: BTreeMap<&'static str, u64>,
    naive: u64,
    naive_differs: u64,
}

impl Counts {
    fn made_up(&mut self, route: &Route) {
        self.routes += 1;
        for place in &route.places {
            if let Place::Client(Why::DependsOn { because, .. }) = place {
                *self.depend.entry(because).or_default() += 1;
            }
        }
    }

    fn naive(&mut self, made: &Made) {
        self.naive += u64::from(made.naive_differs.is_some());
        self.naive_differs += u64::from(made.naive_differs == Some(true));
    }

    fn add(&mut self, route: &Route, made: &Made, page: &[u8]) {
        self.pages += 1;
        self.naive(made);
        if made.before == page || made.two == made.before {
            return;
        }
        self.changed_twice += 1;
        for (patch, _) in
            route.patches.iter().zip(&route.places).filter(|(_, place)| **place == Place::Origin)
        {
            *self.before.entry(Route::class(patch)).or_default() += 1;
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |counts: &BTreeMap<&str, u64>| {
            counts.iter().map(|(what, n)| format!("{what} {n}")).collect::<Vec<_>>().join(", ")
        };
        write!(f, "{} pages ({} routes), {} changed twice", self.pages, self.routes, self.changed_twice)?;
        write!(f, "; before: {}", list(&self.before))?;
        write!(f, "; depend: {}", list(&self.depend))?;
        write!(f, "; without the rules {} of {} are other pages", self.naive_differs, self.naive)
    }
}
