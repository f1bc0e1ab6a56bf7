//! Spans that Envoy sends say what engraft did, with what docs/tracing.md has to paste, and nothing that the visitor sent.

use std::error::Error;
use std::io::Write as _;

use engraft_harness::bootstrap::{Bootstrap, Cluster, Listener};
use engraft_harness::client;
use engraft_harness::envoy::{Binary, Envoy, Launch};
use engraft_harness::origin::{Origin, Reply};
use engraft_harness::wire::Protocol::Http1;
use engraft_harness::workspace;
use serde_json::json;

use crate::shipped::{EVERYWHERE, ORIGIN, address, configuration, port};
use crate::stage::{Outcome, assert_no_vm_failed, engraft, ids, page_view};

/// The pieces of YAML on the page, in order, at the indent where they are pasted.
fn pieces(indents: [usize; 2]) -> Result<[String; 2], Box<dyn Error>> {
    let page = std::fs::read_to_string(workspace::root().join("docs/tracing.md"))?;
    let mut blocks = page.split("```yaml\n").skip(1).map_while(|block| block.split("```").next());
    let mut next = |indent: usize| {
        let block = blocks.next().ok_or("docs/tracing.md has fewer pieces of YAML")?;
        let lines: String = block.lines().map(|line| format!("{:indent$}{line}\n", "")).collect();
        Ok::<_, &str>(lines)
    };
    Ok([next(indents[0])?, next(indents[1])?])
}

/// What a span has for a tag, as OpenTelemetry's protobuf writes a text: `KeyValue { key: 1, value: 2 { string_value: 1 } }`.
fn attribute(tag: &str, value: &str) -> Vec<u8> {
    let field = |number: u8, bytes: &[u8]| {
        let mut field = vec![number << 3 | 2, u8::try_from(bytes.len()).unwrap_or(u8::MAX)];
        field.extend_from_slice(bytes);
        field
    };
    [field(1, tag.as_bytes()), field(2, &field(1, value.as_bytes()))].concat()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// What the collector was sent, when a span with that text is among it.
fn sent(envoy: &Envoy, collector: &Origin, text: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    Ok(envoy.wait_for("a span", || {
        let requests = collector.requests();
        let bodies = requests.iter().filter(|request| request.path() == "/v1/traces");
        Ok(bodies.map(|request| request.body.to_vec()).find(|body| contains(body, text.as_bytes())))
    })?)
}

fn collector() -> Result<Origin, Box<dyn Error>> {
    let collector = Origin::start()?;
    collector.otherwise(|_| Reply::new(200, ""));
    Ok(collector)
}

#[test]
fn spans_say_route_body_and_patches_and_nothing_of_the_visitor() -> Outcome {
    let version = Binary::find()?.version();
    if (version.major, version.minor) < (1, 37) {
        writeln!(std::io::stderr(), "SKIPPED: tags of Envoy {version} have no value")?;
        return Ok(());
    }
    let (origin, collector) = (Origin::start()?, collector()?);
    origin.otherwise(|_| Reply::html("<p class=greeting></p>"));
    let [tracing, cluster] = pieces([16, 4])?;
    let module = workspace::module()?.to_string_lossy().into_owned();
    let (admin, listener, (old, new)) = (port(9901), port(10000), EVERYWHERE);
    let text = configuration(
        "engraft.yaml",
        &[
            (admin.0.as_str(), admin.1),
            (listener.0.as_str(), listener.1),
            ("/etc/envoy/engraft.wasm", module),
            (old, new.to_owned()),
            (ORIGIN.0, address(origin.addr())),
            ("                stat_prefix: edge\n", format!("                stat_prefix: edge\n{tracing}")),
            ("  clusters:\n", format!("  clusters:\n{cluster}")),
            // One span is enough to send; Envoy waits for more.
            ("static_layer: {}", "static_layer: { tracing.opentelemetry.min_flush_spans: 1 }".to_owned()),
        ],
    )?;
    let otel = "address: otel.internal, port_value: 4318";
    assert!(text.contains(otel));
    let envoy = Launch::new(text.replace(otel, &address(collector.addr()))).start()?;
    let addr = envoy.listener_addr("edge")?;
    let ask = |path: &str| {
        let request = page_view(&format!("{path}?q=mark-query")).header("cookie", "first_name=mark-cookie");
        client::fetch(Http1, addr, &request.header("referer", "https://mark-referer.example/"))
    };
    assert!(ask("/p/aurora/")?.text().contains("mark-cookie"), "the page is personal");
    let span = sent(&envoy, &collector, "/p/aurora/")?;
    let shown = String::from_utf8_lossy(&span);
    for (tag, value) in [
        ("engraft.route", "product"),
        ("engraft.body", "edited"),
        ("engraft.patches", "1=1"),
        ("http.url", "http://shop.example/p/aurora/"),
        ("user_agent", "left out"),
    ] {
        assert!(contains(&span, &attribute(tag, value)), "{tag}={value} is not in {shown}");
    }
    for mark in ["mark-", "Firefox"] {
        assert!(!shown.contains(mark), "{mark} is in {shown}");
    }
    ask("/about/")?;
    let span = sent(&envoy, &collector, "/about/")?;
    assert!(!contains(&span, b"engraft.route"), "{}", String::from_utf8_lossy(&span));
    assert_no_vm_failed(&envoy);
    Ok(())
}

#[test]
fn a_header_of_a_patch_brings_the_variation_into_the_span() -> Outcome {
    let (origin, collector) = (Origin::start()?, collector()?);
    origin.otherwise(|_| Reply::html("<p>"));
    let tracing = json!({
        "provider": {
            "name": "envoy.tracers.opentelemetry",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
                "service_name": "edge",
                "http_service": { "http_uri": { "uri": "http://otel/v1/traces", "cluster": "otel", "timeout": "1s" } },
            },
        },
        "custom_tags": [{ "tag": "variants.hero", "request_header": { "name": "x-hero" } }],
    });
    let plugin = engraft(
        "
version: 1
visitor: { id: { cookie: uid } }
experiments: { hero: { variations: [control, bold] } }
routes:
  - name: all
    patches:
      - { request_headers: { set: { x-hero: \"{{ variants.hero }}\" } } }
",
    )?;
    let layers =
        json!([{ "name": "static", "static_layer": { "tracing.opentelemetry.min_flush_spans": 1 } }]);
    let envoy = Bootstrap::proxy(
        // Whether a request is sampled is in its id.
        Listener::main()
            .manager_field("generate_request_id", json!(true))
            .manager_field("tracing", tracing)
            .plugin(&plugin),
        Cluster::origin(Http1, origin.addr()),
    )
    .cluster(Cluster::new("otel", Http1, collector.addr()))
    .field("layered_runtime", json!({ "layers": layers }))
    .start()?;
    for (id, variation) in ids("hero").iter().zip(["control", "bold"]) {
        let request = page_view(&format!("/{variation}")).header("cookie", format!("uid={id}"));
        client::fetch(Http1, envoy.listener_addr("main")?, &request)?;
        let span = sent(&envoy, &collector, &format!("/{variation}"))?;
        let shown = String::from_utf8_lossy(&span);
        assert!(contains(&span, &attribute("variants.hero", variation)), "{shown}");
    }
    Ok(())
}
