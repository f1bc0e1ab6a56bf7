//! Decisions: what those of one request cost, and what a configuration costs that has many it does not need.

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use engraft::decisions::Asking;
use engraft::engine::Engine;
use engraft::exchange::{self, Next, Surroundings};
use engraft::request::RequestHead;
use engraft_harness::samples::Samples;
use engraft_harness::table::Table;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Map, Value, json};

use crate::{Outcome, ROUNDS, TURN};

/// Few and many.
const FEW: usize = 10;
const MANY: usize = 1_000;

/// Experiments with what people give them: conditions, weights, namespaces.
fn experiments(count: usize) -> Value {
    let experiment = |n: usize| {
        let experiment = json!({
            "variations": ["control", "bold"],
            "weights": [0.4, 0.6],
            "condition": { "country": { "$in": ["US", "CA", "DE"] }, "plan": { "$ne": "none" } },
            "namespace": { "name": "all", "range": [0, 0.99] },
        });
        (format!("experiment-{n}"), experiment)
    };
    Value::Object((0..count).map(experiment).collect::<Map<_, _>>())
}

fn engine(experiments_count: usize, routes: Vec<Value>) -> Outcome<Arc<Engine>> {
    let configuration = json!({
        "version": 1,
        "visitor": { "id": { "cookie": "id" } },
        "attributes": {
            "country": { "header": "x-geo-country", "values": ["US", "CA", "DE"], "otherwise": "other" },
            "plan": { "cookie": "plan" },
        },
        "experiments": experiments(experiments_count),
        "routes": routes,
    });
    Ok(Arc::new(Engine::load(configuration.to_string().as_bytes())?.engine))
}

fn request(path: String) -> RequestHead {
    let mut headers = HeaderMap::new();
    headers.insert(header::COOKIE, HeaderValue::from_static("id=0b7c9d1e; plan=pro; theme=dark"));
    headers.insert(
        header::USER_AGENT,
        HeaderValue::from_static("Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"),
    );
    headers.insert("x-geo-country", HeaderValue::from_static("US"));
    RequestHead {
        method: "GET".into(),
        scheme: "https".into(),
        authority: "shop.example".into(),
        path,
        headers,
        has_body: false,
    }
}

/// A table of both.
pub(crate) fn table() -> Outcome<Table> {
    let mut table = Table::new(&["decisions", "µs", "× few"]);
    let all: Vec<Value> = (0..FEW).map(|n| json!({ "variant": { format!("experiment-{n}"): "bold" }, "select": "h1", "text": "t", "name": format!("p{n}") })).collect();
    let of_ten = engine(FEW, vec![json!({ "name": "ten", "patches": all })])?;
    let visit = request("/".into());
    let route = of_ten.routes().first().ok_or("there is a route")?;
    let values = of_ten.attributes().read(&route.reads, &visit, &[]);
    let ten = |tells: bool| {
        let mut values = values.clone();
        let asking = Asking {
            names: &route.decides,
            request: &visit,
            live: None,
            forced: None,
            now: SystemTime::UNIX_EPOCH,
            random: None,
            asks_for_page: true,
            tells,
            explains: false,
        };
        of_ten.decisions().make(&asking, &mut values).exposures.len()
    };
    if ten(true) == 0 {
        return Err("nobody is assigned anything".into());
    }
    for (name, tells) in [("of one request, 10 experiments", false), ("the same, to be told", true)] {
        let times = (0..ROUNDS).map(|_| micros(&|| ten(tells)));
        table.row(vec![name.into(), Samples::new(times).to_string(), String::new()]);
    }

    let (few, many) = (site(FEW)?, site(MANY)?);
    let mut samples = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        samples.0.push(micros(&|| heads(&few)));
        samples.1.push(micros(&|| heads(&many)));
    }
    let per_request = |times: &[f64]| {
        #[expect(clippy::cast_precision_loss, reason = "there are ten requests")]
        let requests = FEW as f64;
        Samples::new(times.iter().map(|time| time / requests)).to_string()
    };
    let ratio = Samples::ratios(samples.1.iter().copied(), samples.0.iter().copied()).to_string();
    table.row(vec![
        format!("heads of an exchange, {FEW} experiments and routes"),
        per_request(&samples.0),
        String::new(),
    ]);
    table.row(vec![
        format!("heads of an exchange, {MANY} experiments and routes"),
        per_request(&samples.1),
        ratio,
    ]);
    Ok(table)
}

/// As many routes as experiments, one for each, and ten requests for some of them.
fn site(count: usize) -> Outcome<(Arc<Engine>, Vec<RequestHead>)> {
    let route = |n: usize| {
        let patch = json!({ "variant": { format!("experiment-{n}"): "bold" }, "select": "h1", "text": "t" });
        json!({ "name": format!("route-{n}"), "match": { "path": { "prefix": format!("/section-{n}/") } }, "patches": [patch] })
    };
    let requests = (0..FEW).map(|n| request(format!("/section-{}/page", n * count / FEW)));
    Ok((engine(count, (0..count).map(route).collect())?, requests.collect()))
}

fn heads((engine, requests): &(Arc<Engine>, Vec<RequestHead>)) -> usize {
    let mut response = HeaderMap::new();
    response.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
    let forwarded = requests.iter().filter_map(|request| {
        match exchange::begin(engine, request, &Surroundings::default()).next {
            Next::Forward(forwarded) => Some(forwarded.answer(StatusCode::OK, &response)),
            Next::Respond(..) => None,
        }
    });
    forwarded.map(|answered| answered.headers.len()).sum()
}

/// How long one run takes.
fn micros<T>(run: &impl Fn() -> T) -> f64 {
    let start = Instant::now();
    let mut runs = 0_u32;
    loop {
        black_box(run());
        runs = runs.saturating_add(1);
        let elapsed = start.elapsed();
        if elapsed >= TURN {
            return elapsed.as_secs_f64() * 1e6 / f64::from(runs);
        }
    }
}
