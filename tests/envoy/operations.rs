//! What an operator sees of a fleet: every metric that the documentation names and no other, and a dashboard and alerts that ask for
//! what a real Envoy exposes.

mod files;
mod series;

use std::collections::BTreeSet;
use std::error::Error;
use std::io::Write as _;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use engraft::config::model::Stage;
use engraft::exchange::report::{Counter, HELD_BYTES};
use engraft_harness::bootstrap::{
    Bootstrap, CacheFilter, Cluster, Configuration, FailurePolicy, Listener, Plugin,
};
use engraft_harness::client::{self, Request};
use engraft_harness::envoy::{Binary, Envoy};
use engraft_harness::origin::{Origin, Reply};
use engraft_harness::prometheus::{self, Prometheus, PrometheusError};
use engraft_harness::wire::Protocol::Http1;
use serde_json::{Value, json};

use crate::stage::{Outcome, assert_no_vm_failed, ids, page_view};
use files::{RULES, SUBQUERY, queries, quoted, rows, rules};
use series::{Selector, Selectors, exposed, names};

/// Both stages have it. The collector refuses what it gets.
const CONFIGURATION: &str = "
version: 1
visitor: { id: { cookie: engraft_id } }
force: { secret: 'at least sixteen characters' }
attributes:
  name: { cookie: first_name }
growthbook:
  fetch: { cluster: growthbook, authority: features.example, client_key: sdk-test, interval: 1s, timeout: 1s }
experiments:
  hero: { variations: [control, bold] }
exposures:
  access_log: true
  page: true
  collector: { cluster: collector, authority: collector.example, path: /v1/events, batch_events: 1 }
routes:
  - name: old
    match: { path: { exact: /old } }
    patches: [{ redirect: { to: /new } }]
  - name: moved
    match: { path: { exact: /moved } }
    patches: [{ rewrite: { path: /p/1 } }]
  - name: whole
    match: { path: { prefix: /whole } }
    delivery: whole
    patches: [{ select: h1, text: new }, { select: .none, required: true, text: new }]
  - name: product
    match: { path: { prefix: /p/ } }
    cache: { store: { max_age: 10m } }
    patches:
      - { select: h1, text: for all }
      - { select: p.who, text: '{{ name }}' }
      - { select: .none, required: true, remove: true }
      - { select: img, text: in an image }
  - name: hero
    match: { path: { prefix: /hero } }
    patches:
      - { variant: { hero: bold }, select: h1, text: Bold }
";

const PAGE: &str = "<!doctype html><title>t</title><body><h1>Hello</h1><p class=who></p><img src=a></body>";

/// An Envoy with both stages, a cache between them, a service of features and a collector.
struct Fleet {
    envoy: Envoy,
    addr: SocketAddr,
    _features: Origin,
    _pages: Origin,
    _collector: Origin,
}

impl Fleet {
    fn start() -> Result<Self, Box<dyn Error>> {
        let (pages, features, collector) = (Origin::start()?, Origin::start()?, Origin::start()?);
        pages.otherwise(|request| match request.path() {
            "/p/text" => Reply::ok("text/plain", "<h1>"),
            "/p/frames" => Reply::html("<!doctype html><frameset></frameset>"),
            "/p/cookie" => Reply::html(PAGE).header("set-cookie", "session=1"),
            _ => Reply::html(PAGE),
        });
        let has_answered = AtomicBool::new(false);
        features.otherwise(move |_| match has_answered.swap(true, Ordering::Relaxed) {
            false => Reply::ok("application/json", json!({ "features": {} }).to_string()),
            true => Reply::new(500, ""),
        });
        collector.otherwise(|_| Reply::new(400, ""));
        let plugin = |name: &str, stage: &str| -> Result<Plugin, Box<dyn Error>> {
            let text = CONFIGURATION.replace("version: 1\n", &format!("version: 1\nstage: {stage}\n"));
            let plugin = Plugin::engraft(Configuration::Yaml(text))?;
            Ok(plugin.name(name).failure_policy(FailurePolicy::FailReload))
        };
        let cache = CacheFilter::simple().second_version().to_filter();
        let bootstrap = Bootstrap::new()
            .listeners_can_change()
            .listener(Listener::main().plugin(&plugin("engraft", "client")?).filter(cache))
            .cluster(Cluster::origin(Http1, pages.addr()).plugin(&plugin("engraft_origin", "origin")?))
            .cluster(Cluster::new("growthbook", Http1, features.addr()))
            .cluster(Cluster::new("collector", Http1, collector.addr()));
        let envoy = bootstrap.launch().start()?;
        let addr = envoy.listener_addr("main")?;
        Ok(Self { envoy, addr, _features: features, _pages: pages, _collector: collector })
    }

    fn get(&self, request: &Request) -> Outcome {
        let received = client::fetch(Http1, self.addr, request)?;
        assert!(received.complete, "{:?}\n{}", received.broken, self.envoy.log_tail());
        Ok(())
    }

    /// Visitors ask for pages of every route, some of them twice.
    fn visit(&self) -> Outcome {
        for path in ["/old", "/moved", "/whole", "/else", "/p/1", "/p/1", "/p/text", "/p/cookie", "/p/frames"]
        {
            self.get(&page_view(path).header("cookie", "first_name=Ada"))?;
        }
        for id in ids("hero") {
            self.get(&page_view("/hero").header("cookie", format!("engraft_id={id}")))?;
        }
        let secret = "at%20least%20sixteen%20characters";
        self.get(&page_view(&format!("/hero?engraft-force=hero:bold&engraft-force-secret={secret}")))?;
        Ok(())
    }
}

/// What Envoy calls the metrics of a stage, in Prometheus.
fn ours(stage: Stage) -> BTreeSet<String> {
    let prefix = if stage == Stage::Origin { "engraft_origin_" } else { "engraft_" };
    let histogram = ["bucket", "sum", "count"].map(|part| format!("{HELD_BYTES}_{part}"));
    let names = Counter::all(stage).into_iter().map(|counter| counter.to_string()).chain(histogram);
    names.map(|name| format!("{prefix}{}", name.replace('.', "_"))).collect()
}

/// Whether this Envoy puts the cluster in front of the names of the origin stage's metrics, which is not what dashboard and rules are for.
fn names_are_of_clusters() -> Result<bool, Box<dyn Error>> {
    let version = Binary::find()?.version();
    let are = (version.major, version.minor) < (1, 37);
    if are {
        writeln!(
            std::io::stderr(),
            "SKIPPED: Envoy {version} names the origin stage's metrics by the cluster"
        )?;
    }
    Ok(are)
}

#[test]
fn every_metric_is_there_before_anything_is_counted() -> Outcome {
    if names_are_of_clusters()? {
        return Ok(());
    }
    let fleet = Fleet::start()?;
    let exposed = exposed(&fleet.envoy.prometheus()?)?;
    let found: BTreeSet<String> =
        names(&exposed).into_iter().filter(|name| name.starts_with("engraft_")).map(str::to_owned).collect();
    let mut expected = ours(Stage::Client);
    expected.extend(ours(Stage::Origin));
    assert_eq!(found, expected);
    Ok(())
}

#[test]
fn the_page_has_a_row_for_each_metric_and_no_other() -> Outcome {
    let stages = [Stage::Client, Stage::Origin].map(Counter::all);
    let mut expected: BTreeSet<String> = stages.iter().flatten().map(ToString::to_string).collect();
    expected.insert(HELD_BYTES.to_owned());
    let rows = rows()?;
    let is_envoys = |name: &str| name.starts_with("envoy_") || name.starts_with('\u{2026}');
    let documented: Vec<&String> =
        rows.iter().map(|(name, _)| name).filter(|name| !is_envoys(name)).collect();
    let names: BTreeSet<String> = documented.iter().map(|name| (*name).clone()).collect();
    let (gone, new) = (names.difference(&expected), expected.difference(&names));
    let [gone, new] = [gone.collect::<Vec<_>>(), new.collect()];
    assert!(
        gone.is_empty() && new.is_empty(),
        "rows without a metric: {gone:?}, metrics without a row: {new:?}"
    );
    assert_eq!(documented.len(), names.len(), "a metric has two rows");
    Ok(())
}

/// An alert's own selectors, and those of the rates that it is made of.
fn looks_at(alert: &str) -> Result<Vec<Selector>, Box<dyn Error>> {
    let records = rules("record")?;
    let mut selectors = Vec::new();
    for selector in Selectors::of(alert)? {
        if let Some(record) = selector.name.as_ref().and_then(|name| records.get(name)) {
            selectors.extend(Selectors::of(record)?);
        }
        selectors.push(selector);
    }
    Ok(selectors)
}

#[test]
fn each_metric_has_the_alert_that_its_row_names_or_a_reason_for_none() -> Outcome {
    let alerts = rules("alert")?;
    let rows = rows()?;
    for (name, alert) in &rows {
        if alert.starts_with("none: ") {
            continue;
        }
        let named = quoted(alert).next().ok_or_else(|| format!("{name}: {alert}"))?;
        let expression = alerts.get(named).ok_or_else(|| format!("{name}: no alert {named}"))?;
        let metric = name.replace('.', "_");
        let suffix = metric.trim_start_matches('\u{2026}');
        let candidates = [
            metric.clone(),
            format!("engraft_{metric}"),
            format!("engraft_origin_{metric}"),
            format!("envoy_wasm_engraft_vm_reload{suffix}"),
        ];
        let looks_at = looks_at(expression)?;
        assert!(
            candidates.iter().any(|name| looks_at.iter().any(|selector| selector.is_of(name))),
            "{named} does not look at {name}"
        );
    }
    for alert in alerts.keys().filter(|alert| *alert != "EngraftAbsent") {
        assert!(
            rows.iter().any(|(_, cell)| quoted(cell).any(|named| named == alert)),
            "no row names {alert}"
        );
    }
    Ok(())
}

#[test]
fn dashboard_and_rules_ask_for_what_envoy_exposes() -> Outcome {
    if names_are_of_clusters()? {
        return Ok(());
    }
    let fleet = Fleet::start()?;
    fleet.visit()?;
    let exposed = exposed(&fleet.envoy.prometheus()?)?;
    let names = names(&exposed);
    let (records, alerts) = (rules("record")?, rules("alert")?);
    for (what, expression) in records.iter().chain(&alerts).chain(&queries("1m")?) {
        for selector in Selectors::of(expression)? {
            let recorded = selector.name.as_ref().filter(|name| records.contains_key(*name));
            let Some(recorded) = recorded else {
                assert!(exposed.iter().any(|series| selector.selects(series)), "{what}: {selector:?}");
                continue;
            };
            let group = recorded.trim_start_matches("engraft:").trim_end_matches(":rate5m");
            for reason in selector.values("reason") {
                let is_one =
                    |stage: &str| names.contains(format!("engraft_{stage}{group}_{reason}").as_str());
                assert!(is_one("") || is_one("origin_"), "{what}: {group} has no reason {reason}");
            }
        }
    }
    assert_no_vm_failed(&fleet.envoy);
    Ok(())
}

#[test]
fn a_real_prometheus_answers_every_query_and_runs_every_rule() -> Outcome {
    if prometheus::prometheus().is_none() {
        writeln!(std::io::stderr(), "SKIPPED: {}", PrometheusError::NotFound)?;
        return Ok(());
    }
    if names_are_of_clusters()? {
        return Ok(());
    }
    let fleet = Fleet::start()?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("engraft.rules.yaml");
    let often = "[1m:1s]";
    std::fs::write(&file, files::text(RULES)?.replace(SUBQUERY, often))?;
    let prometheus = Prometheus::start("envoy", fleet.envoy.admin_addr(), &[&file])?;
    // Nothing of the traffic brings these up.
    let is_quiet = |query: &str| {
        query.ends_with("> 0") && ["body_broken", "in_page_skipped"].iter().any(|group| query.contains(group))
    };
    let mut waiting = queries("1m")?;
    for query in waiting.values_mut() {
        *query = query.replace(SUBQUERY, often);
        prometheus.query(query).map_err(|error| format!("{query}: {error}"))?;
    }
    waiting.retain(|_, query| !is_quiet(query));
    let all_answered = fleet.envoy.wait_for("an answer to every query", || {
        // More of it, so that counters grow between one scrape and the next.
        let went_well = fleet.visit().is_ok();
        waiting.retain(|_, query| !prometheus.query(query).is_ok_and(|samples| !samples.is_empty()));
        Ok((went_well && waiting.is_empty()).then_some(()))
    });
    all_answered.map_err(|error| format!("{error}: {waiting:#?}"))?;
    let rules = prometheus.rules()?;
    assert!(!rules.is_empty());
    for rule in &rules {
        assert_eq!(rule.get("health").and_then(Value::as_str), Some("ok"), "{rule}");
    }
    let states = |name: &str| {
        let of_name = |rule: &&Value| rule.get("name").and_then(Value::as_str) == Some(name);
        rules.iter().find(of_name).and_then(|rule| rule.get("state")).cloned()
    };
    assert_eq!(states("EngraftAbsent"), Some(json!("inactive")));
    assert_eq!(states("EngraftVmFailed"), Some(json!("inactive")));
    Ok(())
}

#[test]
fn alerts_fire_as_their_tests_say() -> Outcome {
    let Some(promtool) = prometheus::promtool() else {
        writeln!(std::io::stderr(), "SKIPPED: {}", PrometheusError::NotFound)?;
        return Ok(());
    };
    let folder = files::path("envoy/prometheus");
    for arguments in [["check", "rules", "engraft.rules.yaml"], ["test", "rules", "engraft.rules.test.yaml"]]
    {
        let output = Command::new(&promtool).args(arguments).current_dir(&folder).output()?;
        let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{told}");
    }
    let tests = files::text("envoy/prometheus/engraft.rules.test.yaml")?;
    for alert in rules("alert")?.keys() {
        assert!(tests.contains(&format!("alertname=\"{alert}\"")), "no test has {alert} fire");
    }
    Ok(())
}
