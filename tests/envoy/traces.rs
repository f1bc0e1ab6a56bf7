//! Who shows the secret gets a trace: the command line reads it, and what it tells of comes out the same when it is run natively. Nobody
//! else gets one, no cache keeps one, and what the configuration names as secret is in none.

use std::error::Error;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use engraft::explain::compact::{self, MAX_BYTES};
use engraft_harness::bootstrap::CacheFilter;
use engraft_harness::client::{Received, Request};
use engraft_harness::origin::Reply;
use engraft_harness::wire::Protocol::Http1;
use engraft_harness::workspace::existing;

use crate::stage::{Outcome, Stage, assert_no_vm_failed, page_view, protocols};
use crate::stored::Chain;

const SECRET: &str = "sixteen characters of a secret";

const SHOP: &str = "
version: 1
visitor: { id: { cookie: uid } }
debug: { secret: sixteen characters of a secret }
secrets: { cookies: [session], headers: [x-api-key] }
attributes:
  country: { header: x-geo-country, trusted: true, values: [US, DE], otherwise: other }
  session: { cookie: session }
  peer: { connection: peer_address }
experiments:
  hero: { variations: [control, bold] }
routes:
  - name: away
    match: { path: { exact: /away } }
    patches: [{ name: sent, when: { country: US }, redirect: { to: /p/1 } }]
  - name: product
    match: { path: { prefix: /p/ } }
    cache: { browser: { max_age: 1m } }
    patches:
      - { name: headline, variant: { hero: bold }, select: h1, text: 'Deals for {{ country }}' }
      - { name: greeting, when: { session: { $exists: true } }, select: p, text: Back again }
      - { name: edition, response_headers: { set: { x-edition: '{{ country }}' } } }
";

const PAGE: &str = "<h1>Lamp</h1><p>Hello</p>";

/// A run of the built `engraft`: its exit code and what it says.
fn engraft(args: &[&str], stdin: &str) -> Result<(Option<i32>, String), Box<dyn Error>> {
    let test = std::env::current_exe()?;
    let folder = test.ancestors().nth(2).ok_or("the test runs nowhere")?;
    let command = existing(folder.join("engraft"), "run `cargo build -p engraft-cli` to build it")?;
    let mut child = Command::new(command)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    child.stdin.take().ok_or("no standard input")?.write_all(stdin.as_bytes())?;
    let output = child.wait_with_output()?;
    let said = [output.stdout, output.stderr].concat();
    Ok((output.status.code(), String::from_utf8(said)?))
}

/// A configuration as a file that the command line reads.
fn file(name: &str, configuration: &str) -> Result<PathBuf, Box<dyn Error>> {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, configuration)?;
    Ok(path)
}

/// The head of a response as a person would paste it.
fn head(received: &Received) -> String {
    let lines = received
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}\r\n", String::from_utf8_lossy(value)));
    format!("HTTP/1.1 {}\r\n{}", received.status, lines.collect::<String>())
}

fn asking(path: &str) -> Request {
    page_view(path)
        .header("cookie", "uid=u-1; session=s3cr3t-one")
        .header("x-api-key", "k3y-of-somebody")
        .header("authorization", "Bearer t0ken-of-somebody")
        .header("x-geo-country", "US")
        .header("x-engraft-debug", SECRET)
}

#[test]
fn who_shows_the_secret_gets_a_trace_that_comes_out_the_same_natively() -> Outcome {
    let stage = Stage::start(SHOP)?;
    let origin =
        || Reply::html(PAGE).header("set-cookie", "session=s3cr3t-two; Path=/").header("etag", "\"v1\"");
    stage.origin.otherwise(move |_| origin());
    let config = file("traces-shop.yaml", SHOP)?;
    let config = config.to_str().ok_or("no text")?;
    for (n, pair) in protocols().enumerate() {
        for path in ["/p/1?a=b", "/away", "/elsewhere"] {
            let received = stage.fetch(pair, &asking(path))?;
            let value = received.header("x-engraft-trace").ok_or_else(|| format!("{path}: no trace"))?;
            assert!(value.len() <= MAX_BYTES, "{}", value.len());
            assert_eq!(received.header("cache-control"), Some("private, no-store"), "{path}");
            let trace = compact::decode(value)?;
            assert_eq!(trace.left_out, Vec::<String>::new(), "{path}");

            let (code, shown) =
                engraft(&["explain", "--config", config, "--from-header", "-"], &head(&received))?;
            assert_eq!(code, Some(0), "{shown}");
            assert!(shown.contains("the same, engraft"), "{shown}");
            if n == 0 && path.starts_with("/p/") {
                for line in [
                    "✓ product",
                    "country = \"US\"",
                    "variants.hero = ",
                    "session = \"‹hidden›\"",
                    "whole_bodies",
                ] {
                    assert!(shown.contains(line), "{line} is not in\n{shown}");
                }
            }
            for secret in ["s3cr3t", "k3y-of", "t0ken-of", SECRET] {
                let json = serde_json::to_string(&trace)?;
                assert!(!json.contains(secret) && !shown.contains(secret), "{path}: {secret} is in\n{shown}");
            }

            let (code, said) = engraft(&["replay", "-", "--config", config], &head(&received))?;
            assert_eq!(code, Some(0), "{path}:\n{said}");
            assert!(said.contains("the outcome is the same: 8 of 11 members compared"), "{path}:\n{said}");
        }
    }
    stage.assert_alive()
}

#[test]
fn what_comes_out_otherwise_natively_is_found() -> Outcome {
    let stage = Stage::start(SHOP)?;
    stage.origin.otherwise(|_| Reply::html(PAGE));
    let other = SHOP.replace("values: [US, DE]", "values: [FR, DE]");
    let config = file("traces-other.yaml", &other)?;
    let received = stage.fetch((Http1, Http1), &asking("/p/1"))?;
    let args = ["replay", "-", "--config", config.to_str().ok_or("no text")?];
    let (code, said) = engraft(&args, &head(&received))?;
    assert_eq!(code, Some(1), "{said}");
    for line in [
        "configuration different",
        "- country: \"US\"",
        "+ country: \"other\"",
        "+ x-edition: other  (patch edition)",
    ] {
        assert!(said.contains(line), "{line} is not in\n{said}");
    }
    stage.assert_alive()
}

#[test]
fn nobody_else_gets_a_trace() -> Outcome {
    let stage = Stage::start(SHOP)?;
    stage.origin.otherwise(|_| Reply::html(PAGE));
    for pair in protocols() {
        for path in ["/p/1", "/away", "/elsewhere"] {
            let known = || page_view(path).header("x-geo-country", "US");
            for (who, request) in [
                ("nobody", known()),
                ("a guess", known().header("x-engraft-debug", "1")),
                ("nearly", known().header("x-engraft-debug", SECRET.replace("sixteen", "Sixteen"))),
                ("an answer", known().header("x-engraft-trace", SECRET)),
            ] {
                let received = stage.fetch(pair, &request)?;
                assert_eq!(received.header("x-engraft-trace"), None, "{who}: {path}");
                assert_eq!(received.header("x-engraft-debug"), None, "{who}: {path}");
            }
        }
    }
    stage.assert_alive()
}

/// Letters that do not compress.
fn noise(seed: u64, len: usize) -> String {
    let mut state = seed;
    let letters = (0..len).map(|_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'a' + u8::try_from((state >> 33) % 26).unwrap_or(0))
    });
    letters.collect()
}

#[test]
fn a_trace_fits_into_its_header_whatever_is_asked() -> Outcome {
    let patches: String = (0..200)
        .map(|n| {
            format!("      - {{ name: p{}, select: .{}, text: new }}\n", noise(n, 20), noise(1000 + n, 20))
        })
        .collect();
    let configuration = format!(
        "version: 1\ndebug: {{ secret: {SECRET} }}\nroutes:\n  - name: product\n    patches:\n{patches}"
    );
    let stage = Stage::start(&configuration)?;
    stage.origin.otherwise(|_| Reply::html(PAGE));
    let many =
        (0..30).fold(asking("/p/1"), |request, n| request.header(&format!("x-{n}"), noise(2000 + n, 1000)));
    for pair in protocols() {
        let received = stage.fetch(pair, &many)?;
        let value = received.header("x-engraft-trace").ok_or("no trace")?;
        assert!(value.len() <= MAX_BYTES, "{}", value.len());
        let trace = compact::decode(value)?;
        assert_eq!(trace.route.as_deref(), Some("product"));
        assert!(trace.left_out.iter().any(|out| out == "request.headers"), "{:?}", trace.left_out);
        assert_eq!(received.text(), PAGE);

        let long = stage.fetch(pair, &asking(&format!("/p/{}", noise(1, 8000))))?;
        let trace = compact::decode(long.header("x-engraft-trace").ok_or("no trace")?)?;
        assert_eq!(trace.left_out.last().map(String::as_str), Some("the end of request.url"));
    }
    stage.assert_alive()
}

const STORED: &str = "
version: 1
debug: { secret: sixteen characters of a secret }
attributes:
  country: { header: x-geo-country, trusted: true, values: [US, DE], otherwise: other }
routes:
  - name: stored
    cache: { store: { max_age: 10m } }
    patches:
      - { name: all, select: p, text: For all }
      - { name: some, select: h1, text: '{{ country }}' }
";

#[test]
fn a_trace_is_of_the_stage_that_knows_the_visitor_and_no_cache_keeps_it() -> Outcome {
    for cache in [CacheFilter::simple(), CacheFilter::simple().second_version()] {
        let chain = Chain::with(&cache, STORED, STORED)?;
        chain.origin.otherwise(|_| Reply::html(PAGE).header("cache-control", "max-age=600"));
        let config =
            file("traces-client.yaml", &STORED.replace("version: 1\n", "version: 1\nstage: client\n"))?;
        let config = config.to_str().ok_or("no text")?;
        for found in ["miss", "hit"] {
            let received = chain.get(&asking("/p/1"))?;
            assert_eq!(received.headers.all("x-engraft-trace").len(), 1);
            assert_eq!(received.header("cache-control"), Some("private, no-store"));
            let trace = compact::decode(received.header("x-engraft-trace").ok_or("no trace")?)?;
            assert_eq!(trace.route.as_deref(), Some("stored"));
            assert_eq!(trace.cache.and_then(|cache| cache.found).as_deref(), Some(found));
            let (code, said) = engraft(&["replay", "-", "--config", config], &head(&received))?;
            assert_eq!(code, Some(0), "{found}:\n{said}");

            // What is stored has none of it.
            let next = chain.get(&page_view("/p/1").header("x-geo-country", "DE"))?;
            assert_eq!((next.header("x-engraft-trace"), next.header("x-engraft-debug")), (None, None));
            assert!(next.text().contains("<h1>DE</h1>"), "{}", next.text());
            assert_eq!(chain.asked(), 1, "all from the cache but the first");
        }
        let asked = chain.origin.requests();
        assert!(asked.iter().all(|request| !request.headers.has("x-engraft-debug")), "{asked:?}");
        assert_no_vm_failed(&chain.envoy);
    }
    Ok(())
}
