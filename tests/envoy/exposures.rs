//! Who has seen a variation, as Envoy's access log tells it and as the page's own scripts are told: no one who has not, and no
//! arm of an experiment by another rule than the others.

use std::error::Error;
use std::io::Write as _;

use engraft::csp::Hash;
use engraft::exposure::page::SCRIPT;
use engraft_harness::client::{Received, Request};
use engraft_harness::origin::{Framing, ReceivedRequest, Reply};
use engraft_harness::wire::Protocol::{self, Http1};
use serde_json::{Value, json};

use crate::stage::{Outcome, Stage, ids, logged_exposures, page_view, protocols};

const CONFIGURATION: &str = "
version: 1
visitor:
  id: { cookie: engraft_id }
exposures: { access_log: true }
experiments:
  hero: { variations: [control, bold] }
  away: { variations: [stay, go] }
routes:
  - name: away
    match: { path: { prefix: /away } }
    patches:
      - { variant: { away: go }, redirect: { to: /elsewhere } }
  - name: hero
    patches:
      - { variant: { hero: bold }, select: h1, text: Bold }
      - { variant: { hero: bold }, select: p.buy, class: { add: [large] } }
";

const PAGE: &str = "<!doctype html><html><body><h1>Hello</h1><p class=buy>Buy</p></body></html>";
const BOLD: &str = "<!doctype html><html><body><h1>Bold</h1><p class=\"buy large\">Buy</p></body></html>";

/// An origin, an Envoy whose log has exposures, and how many responses it has logged.
struct Views {
    stage: Stage,
    logged: usize,
}

impl Views {
    fn start(configuration: &str) -> Result<Self, Box<dyn Error>> {
        let log =
            |listener: engraft_harness::bootstrap::Listener| listener.log_filter_state("engraft.exposures");
        let stage = Stage::with(configuration, log, |cluster| cluster)?;
        stage.origin.otherwise(origin);
        Ok(Self { stage, logged: 0 })
    }

    /// What a visitor gets, and what the access log says that they have seen.
    fn see(
        &mut self,
        protocols: (Protocol, Protocol),
        request: &Request,
    ) -> Result<(Received, Vec<Value>), Box<dyn Error>> {
        let received = self.stage.fetch(protocols, request)?;
        self.logged += 1;
        let events = logged_exposures(&self.stage.envoy, self.logged)?;
        Ok((received, events))
    }
}

/// A page with the elements that are edited, one without, and things that are no pages. It knows what it has sent.
fn origin(request: &ReceivedRequest) -> Reply {
    if request.headers.get("if-none-match") == Some("\"v1\"") {
        return Reply::new(304, "").header("etag", "\"v1\"");
    }
    let reply = match request.path() {
        "/without" => Reply::html("<h1>Hello</h1>"),
        "/image" => Reply::ok("image/png", "png"),
        "/chunked" => Reply::html(PAGE).framing(Framing::Chunked),
        "/strict" => Reply::html(PAGE).header("content-security-policy", "default-src 'self'"),
        _ => Reply::html(PAGE),
    };
    reply.header("etag", "\"v1\"")
}

fn view_by(id: &str, path: &str) -> Request {
    page_view(path).header("cookie", format!("engraft_id={id}"))
}

fn field(event: &Value, name: &str) -> Value {
    event.get(name).cloned().unwrap_or_default()
}

/// By what each of the events was seen.
fn seen_by(events: &[Value]) -> Vec<Value> {
    events.iter().map(|event| field(event, "seen_by")).collect()
}

#[test]
fn an_edited_page_is_one_event_with_all_that_is_documented() -> Outcome {
    let mut views = Views::start(CONFIGURATION)?;
    let [_, bold] = ids("hero");
    let mut numbers = Vec::new();
    for pair in protocols() {
        let (page, events) = views.see(pair, &view_by(&bold, "/p/42?token=secret"))?;
        assert_eq!(page.text(), BOLD, "{pair:?}");
        let [event] = events.as_slice() else { panic!("{pair:?}: {events:?}") };
        let (view, time) = (field(event, "view_id"), field(event, "timestamp"));
        let expected = json!({
            "event": "experiment_viewed",
            "experiment_id": "hero",
            "variation_id": "bold",
            "variation_index": 1,
            "hash_attribute": "id",
            "hash_value": bold,
            "feature_id": null,
            "route": "hero",
            "seen_by": "edit",
            "url_path": "/p/42",
            "view_id": view,
            "timestamp": time,
        });
        assert_eq!(*event, expected, "{pair:?}");
        assert_eq!(view.as_str().map(str::len), Some(32));
        assert!(time.as_str().is_some_and(|time| time.len() == 24 && time.ends_with('Z')), "{time}");
        numbers.push(view.to_string());
    }
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), protocols().count(), "each view has a number of its own");
    views.stage.assert_alive()
}

#[test]
fn the_control_counts_and_leaves_byte_for_byte_as_it_came() -> Outcome {
    let mut views = Views::start(CONFIGURATION)?;
    let [control, _] = ids("hero");
    for pair in protocols() {
        let (page, events) = views.see(pair, &view_by(&control, "/"))?;
        assert_eq!(page.text(), PAGE, "{pair:?}");
        assert_eq!(page.header("content-length"), Some(PAGE.len().to_string().as_str()), "{pair:?}");
        assert_eq!(page.header("etag"), Some("\"v1\""), "{pair:?}: it is the origin's page");
        assert_eq!(seen_by(&events), ["control"], "{pair:?}");
        assert_eq!(events.first().map(|event| field(event, "variation_id")), Some(json!("control")));
        let (page, events) = views.see(pair, &view_by(&control, "/chunked"))?;
        assert_eq!((page.text().as_ref(), seen_by(&events)), (PAGE, vec![json!("control")]), "{pair:?}");
    }
    views.stage.assert_alive()
}

#[test]
fn a_control_that_comes_compressed_is_looked_into_and_leaves_as_it_came() -> Outcome {
    let mut views = Views::start(CONFIGURATION)?;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(PAGE.as_bytes())?;
    let zipped = encoder.finish()?;
    // It was asked for none, and compresses anyway.
    views.stage.origin.reply("/zipped", Reply::html(zipped.clone()).header("content-encoding", "gzip"));
    let [control, _] = ids("hero");
    for pair in protocols() {
        let request = view_by(&control, "/zipped").header("accept-encoding", "gzip");
        let (page, events) = views.see(pair, &request)?;
        assert_eq!(page.body, zipped, "{pair:?}");
        assert_eq!(page.header("content-encoding"), Some("gzip"), "{pair:?}");
        assert_eq!(page.header("content-length"), Some(zipped.len().to_string().as_str()), "{pair:?}");
        assert_eq!(seen_by(&events), ["control"], "{pair:?}");
    }
    views.stage.assert_alive()
}

#[test]
fn a_page_without_what_one_variation_edits_tells_nothing_of_either() -> Outcome {
    let mut views = Views::start(CONFIGURATION)?;
    for id in ids("hero") {
        // There is a heading and nothing to buy.
        let (page, events) = views.see((Http1, Http1), &view_by(&id, "/without"))?;
        assert!(page.complete && events.is_empty(), "{id}: {events:?}");
        let (page, events) = views.see((Http1, Http1), &view_by(&id, "/image"))?;
        assert_eq!((page.text().as_ref(), events), ("png", vec![]), "{id}");
    }
    Ok(())
}

#[test]
fn a_304_counts_where_it_confirms_the_page_that_would_be_sent() -> Outcome {
    let mut views = Views::start(CONFIGURATION)?;
    let mut tags = Vec::new();
    for id in ids("hero") {
        let (page, _) = views.see((Http1, Http1), &view_by(&id, "/"))?;
        let tag = page.header("etag").ok_or("no tag")?.to_owned();
        let (again, events) = views.see((Http1, Http1), &view_by(&id, "/").header("if-none-match", &*tag))?;
        assert_eq!((again.status, again.header("etag")), (304, Some(tag.as_str())), "{id}");
        assert_eq!(seen_by(&events), ["not_modified"], "{id}");
        tags.push(tag);
    }
    // Who comes with the tag of the other variation's page gets their own one.
    let [control, bold] = ids("hero");
    let [of_control, of_bold] = tags.as_slice() else { return Err("two tags".into()) };
    for (id, tag, text, seen) in [(&control, of_bold, PAGE, "control"), (&bold, of_control, BOLD, "edit")] {
        let request = view_by(id, "/").header("if-none-match", tag.as_str());
        let (page, events) = views.see((Http1, Http1), &request)?;
        assert_eq!((page.status, page.text().as_ref()), (200, text), "{id}");
        assert_eq!(seen_by(&events), [seen], "{id}");
    }
    Ok(())
}

#[test]
fn a_redirect_counts_when_it_is_sent() -> Outcome {
    let mut views = Views::start(CONFIGURATION)?;
    let [stay, go] = ids("away");
    let (answer, events) = views.see((Http1, Http1), &view_by(&go, "/away"))?;
    assert_eq!((answer.status, answer.header("location")), (302, Some("/elsewhere")));
    assert_eq!(seen_by(&events), ["redirect"]);
    assert_eq!(events.first().map(|event| field(event, "variation_id")), Some(json!("go")));
    let (answer, events) = views.see((Http1, Http1), &view_by(&stay, "/away"))?;
    assert_eq!((answer.text().as_ref(), seen_by(&events)), (PAGE, vec![json!("control")]));
    Ok(())
}

#[test]
fn what_nobody_may_ever_look_at_is_seen_by_no_one() -> Outcome {
    let mut views = Views::start(CONFIGURATION)?;
    let [_, bold] = ids("hero");
    for purpose in ["prefetch", "prefetch;prerender"] {
        let request = view_by(&bold, "/").header("sec-purpose", purpose);
        let (page, events) = views.see((Http1, Http1), &request)?;
        assert_eq!((page.text().as_ref(), events), (BOLD, vec![]), "{purpose}");
    }
    let mut head = view_by(&bold, "/");
    "HEAD".clone_into(&mut head.method);
    let (_, events) = views.see((Http1, Http1), &head)?;
    assert_eq!(events, Vec::<Value>::new());
    let bot = Request::get("/")
        .header("user-agent", "Googlebot/2.1")
        .header("cookie", format!("engraft_id={bold}"));
    let (page, events) = views.see((Http1, Http1), &bot)?;
    assert_eq!((page.text().as_ref(), events), (PAGE, vec![]), "bots get the control");
    Ok(())
}

#[test]
fn scripts_of_the_page_are_told_at_its_end_and_a_policy_allows_it() -> Outcome {
    let configuration = CONFIGURATION.replace("access_log: true", "page: true");
    let mut views = Views::start(&configuration)?;
    for (id, page, variation, index) in ids("hero")
        .into_iter()
        .zip([PAGE, BOLD])
        .zip(["control", "bold"])
        .zip(0..)
        .map(|(((id, page), variation), index)| (id, page, variation, index))
    {
        for pair in protocols() {
            let (got, events) = views.see(pair, &view_by(&id, "/strict"))?;
            assert_eq!(events, Vec::<Value>::new(), "the access log is another sink");
            let text = got.text();
            let told = text
                .split_once("<script type=\"application/json\" id=\"engraft-exposures\">")
                .and_then(|(before, rest)| Some((before, rest.split_once("</script>")?)));
            let Some((before, (data, after))) = told else { panic!("{variation} {pair:?}: {text}") };
            assert_eq!(after, format!("<script>{SCRIPT}</script></body></html>"), "{variation} {pair:?}");
            assert_eq!(format!("{before}</body></html>"), page, "{variation} {pair:?}");
            assert_eq!(
                serde_json::from_str::<Value>(data)?,
                json!([{
                    "event": "experiment_viewed",
                    "experiment_id": "hero",
                    "variation_id": variation,
                    "variation_index": index,
                    "hash_attribute": "id",
                    "hash_value": null,
                    "feature_id": null,
                    "route": "hero",
                    "seen_by": "page",
                }]),
                "{pair:?}"
            );
            let policy = got.header("content-security-policy").unwrap_or_default();
            assert!(policy.contains(&Hash::of(SCRIPT).to_string()), "{variation} {pair:?}: {policy}");
            assert!(policy.contains("default-src 'self'"), "{variation} {pair:?}: {policy}");

            let tag = got.header("etag").ok_or("no tag")?.to_owned();
            assert_ne!(tag, "\"v1\"", "it is not the origin's page");
            let again = view_by(&id, "/strict").header("if-none-match", &*tag);
            let (again, _) = views.see(pair, &again)?;
            assert_eq!(
                (again.status, again.header("etag")),
                (304, Some(tag.as_str())),
                "{variation} {pair:?}"
            );
        }
    }
    // Without what is edited there is nothing to tell, and no script.
    let (got, _) = views.see((Http1, Http1), &view_by("visitor-0", "/without"))?;
    assert!(!got.text().contains("<script"), "{}", got.text());
    views.stage.assert_alive()
}
