//! What Envoy's log says of engraft is what docs/logging.md lists, and nothing that visitors send is in it, in a metric, or in an access
//! log of the shipped formats.

use std::error::Error;

use engraft_harness::bootstrap::{Bootstrap, Cluster, Configuration, Listener, Plugin};
use engraft_harness::client::{self, Request};
use engraft_harness::envoy::{Envoy, Launch, Update};
use engraft_harness::origin::{Framing, Gate, Origin, Pieces, Reply};
use engraft_harness::wire::Protocol::{self, Http1, Http2};
use engraft_harness::workspace;
use serde_json::json;

use crate::shipped::{EVERYWHERE, ORIGIN, address, configuration, port, uncommented};
use crate::stage::{Outcome, assert_no_vm_failed, engraft, page_view};

/// A line that the page lists: its level as Envoy writes it, and its text, in which `…` stands for anything.
#[derive(Debug)]
struct Line {
    level: String,
    pattern: String,
}

/// The rows of the page's tables of lines: the plugin's, and Envoy's own.
fn listed() -> Result<[Vec<Line>; 2], Box<dyn Error>> {
    let page = std::fs::read_to_string(workspace::root().join("docs/logging.md"))?;
    let (ours, envoys) =
        page.split_once("Envoy's own lines").ok_or("docs/logging.md lists no lines of Envoy's")?;
    let row = |line: &str| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        let (level, text) = (cells.next()?, cells.next()?);
        let pattern = text.strip_prefix('`')?.strip_suffix('`')?;
        let is_level = ["info", "warning", "error", "critical"].contains(&level);
        is_level.then(|| Line { level: level.to_owned(), pattern: pattern.to_owned() })
    };
    Ok([ours, envoys].map(|part| part.lines().filter_map(row).collect()))
}

impl Line {
    fn is(&self, level: &str, text: &str) -> bool {
        let mut parts = self.pattern.split('…');
        let begins = parts.next().and_then(|first| text.strip_prefix(first));
        let rest = parts.try_fold(begins, |rest, part| {
            let rest = rest?;
            // The last part has to end the line, which `…` at the end does anyway.
            rest.find(part).map(|at| rest.get(at + part.len()..))
        });
        self.level == level && rest.flatten().is_some()
    }
}

/// What the plugin has logged: level and text of each line.
fn logged(envoy: &Envoy) -> Vec<(String, String)> {
    let line = |line: &str| {
        // `root_id` and `vm_id`; where a stream speaks, the plugin's name before them.
        let (head, text) = line.split_once("] wasm log engraft engraft")?;
        let (_, text) = text.split_once(": ")?;
        let level = head.split("][").nth(2)?;
        Some((level.to_owned(), text.to_owned()))
    };
    envoy.log().lines().filter_map(line).collect()
}

fn wait_for(envoy: &Envoy, line: &str) -> Outcome {
    Ok(envoy.wait_for("a line in the log", || Ok(envoy.log().contains(line).then_some(())))?)
}

const FED: &str = "
version: 1
growthbook: { fetch: { cluster: growthbook, authority: features.example, client_key: sdk-test, interval: 1s } }
attributes: { country: { header: x-country, values: [NO, DE], otherwise: other } }
routes:
  - name: all
    patches:
      - { select: b, text: '{{ country }}' }
";

/// A panic is a bug, and none is known.
#[test]
fn every_line_is_listed_and_every_line_that_is_listed_is_written() -> Outcome {
    let (origin, service) = (Origin::start()?, Origin::start()?);
    service.otherwise(|_| Reply::new(500, ""));
    let good = Listener::main().plugin(&Plugin::engraft(Configuration::Text(FED.to_owned()))?);
    let bootstrap = Bootstrap::proxy(good, Cluster::origin(Http2, origin.addr()))
        .cluster(Cluster::new("growthbook", Http1, service.addr()))
        .listeners_can_change();
    let arguments = ["--component-log-level", "wasm:debug"];
    let launch = arguments.into_iter().fold(bootstrap.launch(), Launch::argument);
    let envoy = launch.start()?;
    wait_for(&envoy, "payload: the feature service answered 500")?;
    service.otherwise(|_| Reply::ok("application/json", r#"{ "features": {}, "experiments": [] }"#));
    wait_for(&envoy, "payload: 0 features")?;

    // Trailers come while an element is held that may yet end.
    let gate = Gate::new();
    let reply = Reply::html("<p>1</p><b>old, not closed").framing(Framing::Chunked);
    origin.reply("/", reply.pieces(Pieces::Sizes(vec![8])).gate(&gate).trailer("x-sum", "42"));
    gate.open_for_good();
    client::fetch(Http1, envoy.listener_addr("main")?, &Request::get("/"))?;
    wait_for(&envoy, "held bytes of a body")?;

    let bad = Listener::main().plugin(&engraft("version: 2")?);
    let update = envoy.update_listener(&bad)?;
    assert!(matches!(update, Update::Rejected { .. }), "{update:?}");

    let (lines, [ours, envoys]) = (logged(&envoy), listed()?);
    for (level, text) in &lines {
        let is_listed = ours.iter().any(|line| line.is(level, text));
        assert!(is_listed, "docs/logging.md does not list: {level}: {text}");
    }
    assert!(!ours.is_empty() && !envoys.is_empty(), "both tables are there");
    for line in ours.iter().filter(|line| line.level != "critical") {
        let is_written = lines.iter().any(|(level, text)| line.is(level, text));
        assert!(is_written, "nobody writes {line:?}; written:\n{lines:#?}");
    }
    // `crash` has those of a VM that fails.
    let log = envoy.log();
    for line in envoys.iter().filter(|line| !line.pattern.contains("RuntimeError")) {
        let is_written = log.lines().any(|text| {
            text.contains(&format!("[{}][wasm]", line.level)) && text.ends_with(line.pattern.as_str())
        });
        assert!(is_written, "Envoy does not write {line:?}");
    }
    Ok(())
}

/// Where a visitor can write, each with something of its own. The path is not among them: it is logged.
const MARKS: [&str; 9] = [
    "mark-query",
    "mark-cookie",
    "mark-id",
    "mark-agent",
    "mark-referer",
    "mark-authorization",
    "mark-debug",
    "mark-body",
    "mark-header",
];

fn marked(path: &str) -> Request {
    let cookies = "first_name=mark-cookie; plan=mark-cookie; session=mark-cookie; engraft_id=mark-id";
    page_view(&format!(
        "{path}?q=mark-query&engraft-force=mark-query:1&engraft-force-secret=mark-query&mark-query"
    ))
    .header("cookie", cookies)
    .header("user-agent", "Mozilla/5.0 mark-agent")
    .header("referer", "https://elsewhere.example/mark-referer")
    .header("authorization", "Bearer mark-authorization")
    .header("x-engraft-debug", "mark-debug")
    .header("x-geo-country", "mark-header")
    .header("x-mark", "mark-header")
}

/// A file of `envoy/` with what is commented out in it, at the level at which Envoy tells everything of wasm.
fn start(file: &str, origin: &Origin, change: impl Fn(String) -> String) -> Result<Envoy, Box<dyn Error>> {
    let module = workspace::module()?.to_string_lossy().into_owned();
    let (admin, listener, (old, new)) = (port(9901), port(10000), EVERYWHERE);
    let mut replaced = vec![
        (admin.0.as_str(), admin.1),
        (listener.0.as_str(), listener.1),
        ("/etc/envoy/engraft.wasm", module),
        (old, new.to_owned()),
        (ORIGIN.0, address(origin.addr())),
    ];
    // Nobody is there.
    let nowhere = "address: 127.0.0.1, port_value: 9".to_owned();
    match file {
        "engraft.yaml" => replaced.push(("address: cdn.growthbook.io, port_value: 443", nowhere)),
        "exposures.yaml" => replaced.push(("address: collector.internal, port_value: 8080", nowhere)),
        _ => replaced.push(("cache_path: /var/cache/envoy", "cache_path: .".to_owned())),
    }
    let launch = Launch::new(change(uncommented(&configuration(file, &replaced)?)));
    Ok(["--component-log-level", "wasm:debug"].into_iter().fold(launch, Launch::argument).start()?)
}

/// What of the marks is in the log, in the statistics or in Prometheus' form of them, when so many requests have been logged.
fn found(envoy: &Envoy, requests: usize) -> Result<Vec<String>, Box<dyn Error>> {
    let log = envoy.wait_for("the requests in the access log", || {
        let log = envoy.log();
        let lines = log.lines().filter(|line| line.starts_with('{')).count();
        Ok((lines >= requests).then_some(log))
    })?;
    let places = [("log", log), ("stats", envoy.admin_get("/stats")?), ("prometheus", envoy.prometheus()?)];
    let finds = places.iter().flat_map(|(name, text)| {
        MARKS.iter().filter(|mark| text.contains(**mark)).map(move |mark| format!("{mark} in the {name}"))
    });
    Ok(finds.collect())
}

/// A page and a form, over each protocol; what came back of the last page, and how many requests those were.
fn visit(envoy: &Envoy, origin: &Origin) -> Result<(String, usize), Box<dyn Error>> {
    origin.otherwise(|_| Reply::html("<p class=greeting></p><p class=banner></p><a class=cta></a>"));
    let addr = envoy.listener_addr("edge")?;
    let mut last = String::new();
    for down in Protocol::ALL {
        let mut posted = marked("/p/form/").header("content-type", "application/x-www-form-urlencoded");
        "POST".clone_into(&mut posted.method);
        client::fetch(down, addr, &posted.body("name=mark-body"))?;
        last = client::fetch(down, addr, &marked("/p/aurora/"))?.text().into_owned();
    }
    Ok((last, 2 * Protocol::ALL.len()))
}

#[test]
fn what_visitors_send_is_in_no_log_and_no_metric() -> Outcome {
    for file in ["engraft.yaml", "cached.yaml", "exposures.yaml"] {
        let origin = Origin::start()?;
        let envoy = start(file, &origin, |text| text)?;
        let (page, requests) = visit(&envoy, &origin)?;
        if file != "exposures.yaml" {
            assert!(page.contains("mark-cookie"), "{file}: the page is personal: {page}");
        }
        // Who was shown which variation has to say who, and what visitors are by is the operator's choice: docs/logging.md.
        let expected: &[&str] =
            if file == "exposures.yaml" { &["mark-id in the log", "mark-agent in the log"] } else { &[] };
        let mut found = found(&envoy, requests)?;
        found.sort();
        let mut expected: Vec<String> = expected.iter().map(|find| (*find).to_owned()).collect();
        expected.sort();
        assert_eq!(found, expected, "{file}");
        assert_no_vm_failed(&envoy);
    }
    Ok(())
}

/// What docs/logging.md says of Envoy's own format.
#[test]
fn envoys_own_format_has_query_browser_and_address() -> Outcome {
    let origin = Origin::start()?;
    origin.otherwise(|_| Reply::html("<p>"));
    let log = json!([{
        "name": "envoy.access_loggers.stdout",
        "typed_config": { "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog" },
    }]);
    let fields = [("access_log", log), ("use_remote_address", json!(true))];
    let listener = fields
        .into_iter()
        .fold(Listener::main(), |listener, (name, value)| listener.manager_field(name, value));
    let plugin = engraft("{ version: 1, routes: [{ name: all }] }")?;
    let envoy = Bootstrap::proxy(listener.plugin(&plugin), Cluster::origin(Http1, origin.addr())).start()?;
    let request = marked("/p/aurora/").header("x-forwarded-for", "192.0.2.7");
    client::fetch(Http1, envoy.listener_addr("main")?, &request)?;
    let line = envoy.wait_for("the request in the access log", || {
        Ok(envoy.log().lines().find(|line| line.contains("\"GET /p/aurora/")).map(str::to_owned))
    })?;
    let seen: Vec<&str> = MARKS.into_iter().filter(|mark| line.contains(mark)).collect();
    assert_eq!(seen, ["mark-query", "mark-agent"], "{line}");
    assert!(line.contains("192.0.2.7"), "{line}");
    Ok(())
}
