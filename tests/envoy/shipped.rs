//! The configurations in `envoy/` work as they stand. Only ports, the module's path and the origin's address are replaced.

use std::error::Error;
use std::io::Write as _;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use engraft_harness::client::{self, Request};
use engraft_harness::envoy::{Binary, Envoy, Launch};
use engraft_harness::nginx::{self, Nginx};
use engraft_harness::origin::{Framing, Origin, Reply};
use engraft_harness::site::Site;
use engraft_harness::wire::Protocol::{self, Http1};
use engraft_harness::workspace;

use crate::stage::{Outcome, assert_no_vm_failed, counter, ids, page_view};

/// A file of `envoy/` with each of `replaced` in its place; every one of them has to stand there.
pub(crate) fn configuration(name: &str, replaced: &[(&str, String)]) -> Result<String, Box<dyn Error>> {
    let mut text = std::fs::read_to_string(workspace::root().join("envoy").join(name))?;
    for (old, new) in replaced {
        if !text.contains(old) {
            return Err(format!("{name} does not say {old:?}").into());
        }
        text = text.replace(old, new);
    }
    Ok(text)
}

pub(crate) fn port(number: u16) -> (String, String) {
    (format!("port_value: {number} }}"), "port_value: 0 }".to_owned())
}

/// What all interfaces are in the files, and here.
pub(crate) const EVERYWHERE: (&str, &str) = ("address: 0.0.0.0,", "address: 127.0.0.1,");
/// The origin in Envoy's files, and in nginx's.
pub(crate) const ORIGIN: (&str, &str) =
    ("address: origin.internal, port_value: 8080", "origin.internal:8080");

/// An address as Envoy's files have it.
pub(crate) fn address(addr: SocketAddr) -> String {
    format!("address: {}, port_value: {}", addr.ip(), addr.port())
}

/// Starts an Envoy with a file of `envoy/` that listens where `engraft.yaml` does.
fn start(name: &str, more: &[(&str, String)]) -> Result<Envoy, Box<dyn Error>> {
    let module = workspace::module()?.to_string_lossy().into_owned();
    let (admin, listener) = (port(9901), port(10000));
    let mut replaced = vec![
        (admin.0.as_str(), admin.1),
        (listener.0.as_str(), listener.1),
        ("/etc/envoy/engraft.wasm", module),
    ];
    replaced.extend_from_slice(more);
    Ok(Launch::new(configuration(name, &replaced)?).start()?)
}

/// `envoy/engraft.yaml` in front of an origin.
pub(crate) fn edge(origin: &Origin) -> Result<Envoy, Box<dyn Error>> {
    let (old, new) = EVERYWHERE;
    start("engraft.yaml", &[(old, new.to_owned()), (ORIGIN.0, address(origin.addr()))])
}

fn gunzip(bytes: &[u8]) -> Result<String, Box<dyn Error>> {
    let mut gzip = Command::new("gzip").arg("-dc").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    // Dropped at the end of the statement, which is the end of its input.
    gzip.stdin.take().ok_or("no stdin")?.write_all(bytes)?;
    Ok(String::from_utf8(gzip.wait_with_output()?.stdout)?)
}

const GREETING: &str = "Welcome back, Ada &amp; Bob.";
const DOLLARS: &str = "Free shipping across the US";
const NEWSLETTER: &str = "class=\"newsletter\"";

fn product() -> Request {
    Request::get("/p/aurora/").header("cookie", "first_name=Ada & Bob; plan=pro")
}

#[test]
fn edge_serves_personal_pages_and_compresses_them() -> Outcome {
    let origin = Site::new(&workspace::root().join("examples/shop/site"))?.serve()?;
    let envoy = edge(&origin)?;
    let addr = envoy.listener_addr("edge")?;
    let source = client::fetch(Http1, origin.addr(), &Request::get("/p/aurora/"))?.text().into_owned();
    assert!(source.contains(NEWSLETTER) && !source.contains(GREETING));
    for down in Protocol::ALL {
        let plain = client::fetch(down, addr, &product())?;
        assert!(plain.complete && plain.text().contains(GREETING), "{}", plain.text());
        assert!(!plain.text().contains(NEWSLETTER), "{down:?}");
        assert_eq!(plain.header("cache-control"), Some("private, no-cache"), "{down:?}");

        let zipped = client::fetch(down, addr, &product().header("accept-encoding", "gzip, br"))?;
        assert_eq!(zipped.header("content-encoding"), Some("gzip"), "{down:?}");
        assert_eq!(gunzip(&zipped.body)?, plain.text(), "{down:?}");

        let stranger = client::fetch(down, addr, &Request::get("/p/aurora/"))?;
        assert_eq!(stranger.text(), source, "{down:?}");
        let elsewhere = client::fetch(down, addr, &Request::get("/about/").header("cookie", "plan=pro"))?;
        assert!(elsewhere.text().contains(NEWSLETTER), "{down:?}");
    }
    assert_no_vm_failed(&envoy);
    Ok(())
}

#[test]
fn edge_believes_no_visitor_about_the_country_or_the_address() -> Outcome {
    let origin = Site::new(&workspace::root().join("examples/shop/site"))?.serve()?;
    let envoy = edge(&origin)?;
    for down in Protocol::ALL {
        let request = product()
            .header("x-geo-country", "US")
            .header("x-geo-country", "CA")
            .header("x-forwarded-for", "192.0.2.7")
            .header("x-engraft-debug", "1");
        let page = client::fetch(down, envoy.listener_addr("edge")?, &request)?;
        assert!(page.text().contains(GREETING) && !page.text().contains(DOLLARS), "{down:?}");
        let asked = origin.take_requests().pop().ok_or("the origin was not asked")?;
        assert!(
            !asked.headers.has("x-geo-country") && !asked.headers.has("x-engraft-debug"),
            "{:?}",
            asked.headers
        );
        // What Envoy itself says comes last.
        let forwarded = asked.headers.get("x-forwarded-for").unwrap_or_default();
        assert!(forwarded.contains(',') && !forwarded.ends_with("192.0.2.7"), "{forwarded}");
    }
    Ok(())
}

#[test]
fn edge_streams_pages_larger_than_its_buffers() -> Outcome {
    let origin = Origin::start()?;
    let filler: String = (0..20_000).map(|line| format!("<p>{line:06} of the page</p>\n")).collect();
    let page = |greeting: &str| format!("<p class=greeting>{greeting}</p>{filler}<i>end</i>");
    origin.reply("/p/aurora/", Reply::html(page("")).framing(Framing::Chunked));
    let envoy = edge(&origin)?;
    for down in Protocol::ALL {
        let received = client::fetch(down, envoy.listener_addr("edge")?, &product())?;
        assert!(received.complete && received.body == page(GREETING).as_bytes(), "{down:?}");
    }
    Ok(())
}

#[test]
fn edge_logs_what_became_of_the_patches() -> Outcome {
    let origin = Site::new(&workspace::root().join("examples/shop/site"))?.serve()?;
    let envoy = edge(&origin)?;
    client::fetch(Http1, envoy.listener_addr("edge")?, &product())?;
    // The access log goes to Envoy's standard output.
    let line = envoy.wait_for("the request in the access log", || {
        let log = envoy.log();
        Ok(log.lines().find(|line| line.starts_with('{') && line.contains("/p/aurora/")).map(str::to_owned))
    })?;
    let line: serde_json::Value = serde_json::from_str(&line)?;
    let field = |name: &str| line.get(name).and_then(|value| value.as_str()).unwrap_or_default();
    assert_eq!((field("route"), field("body"), field("patches")), ("product", "edited", "1=1,2=1"), "{line}");
    Ok(())
}

#[test]
fn exposures_go_to_the_access_log_the_page_and_the_collector() -> Outcome {
    let origin = Site::new(&workspace::root().join("examples/shop/site"))?.serve()?;
    let service = Origin::start()?;
    service.reply("/v1/events", Reply::new(204, ""));
    let (old, new) = EVERYWHERE;
    let collector = ("address: collector.internal, port_value: 8080", address(service.addr()));
    let envoy =
        start("exposures.yaml", &[(old, new.to_owned()), (ORIGIN.0, address(origin.addr())), collector])?;
    let addr = envoy.listener_addr("edge")?;
    let [control, shipping] = ids("banner");
    for (id, variation) in [(&control, "control"), (&shipping, "shipping")] {
        let request = page_view("/p/aurora/").header("cookie", format!("engraft_id={id}"));
        let page = client::fetch(Http1, addr, &request)?;
        assert_eq!(page.text().contains(DOLLARS), variation == "shipping", "{}", page.text());
        assert!(page.text().contains("id=\"engraft-exposures\""), "{}", page.text());
        // A string in the list, which is a string itself.
        let line = logged(&envoy, &format!("{id}\\\""))?;
        let field = |name: &str| line.get(name).and_then(|value| value.as_str()).unwrap_or_default();
        assert_eq!(field("route"), "product", "{line}");
        let events: serde_json::Value = serde_json::from_str(field("exposures"))?;
        assert_eq!(events.pointer("/0/variation_id").and_then(|id| id.as_str()), Some(variation), "{line}");
        assert_eq!(events.pointer("/0/hash_value").and_then(|id| id.as_str()), Some(id.as_str()), "{line}");
    }
    // On no route: no exposure, and no id.
    let elsewhere = client::fetch(Http1, addr, &page_view("/about/"))?;
    assert_eq!(elsewhere.header("set-cookie"), None);
    assert_eq!(logged(&envoy, "/about/")?.get("exposures"), Some(&serde_json::Value::Null));
    let stranger = client::fetch(Http1, addr, &page_view("/p/aurora/"))?;
    assert!(stranger.header("set-cookie").is_some_and(|set| set.starts_with("engraft_id=")));
    let batch = envoy.wait_for("the collector to be told", || Ok(service.requests().pop()))?;
    let batch: serde_json::Value = serde_json::from_slice(&batch.body)?;
    assert_eq!(batch.pointer("/events").and_then(|events| events.as_array()).map(Vec::len), Some(3));
    assert_no_vm_failed(&envoy);
    Ok(())
}

/// The line of the access log, which goes to Envoy's standard output, in which that stands.
fn logged(envoy: &Envoy, text: &str) -> Result<serde_json::Value, Box<dyn Error>> {
    let line = envoy.wait_for("the request in the access log", || {
        let log = envoy.log();
        Ok(log.lines().find(|line| line.starts_with('{') && line.contains(text)).map(str::to_owned))
    })?;
    Ok(serde_json::from_str(&line)?)
}

/// The same document with what is commented out in it: comments whose first line has no space behind its `#`.
pub(crate) fn uncommented(text: &str) -> String {
    let mut is_out = false;
    let lines = text.lines().map(|line| {
        let rest = line.trim_start();
        let comment = rest.strip_prefix('#');
        is_out = comment.is_some_and(|comment| is_out || !comment.is_empty() && !comment.starts_with(' '));
        match comment.filter(|_| is_out) {
            Some(comment) => format!("{}{comment}", line.strip_suffix(rest).unwrap_or_default()),
            None => line.to_owned(),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn edge_runs_with_what_is_commented_out_in_it() -> Outcome {
    let origin = Site::new(&workspace::root().join("examples/shop/site"))?.serve()?;
    let module = workspace::module()?.to_string_lossy().into_owned();
    let ((old, new), admin, listener) = (EVERYWHERE, port(9901), port(10000));
    let replaced = [
        (admin.0.as_str(), admin.1),
        (listener.0.as_str(), listener.1),
        ("/etc/envoy/engraft.wasm", module),
        (old, new.to_owned()),
        (ORIGIN.0, address(origin.addr())),
        // Nobody is there, so pages do without the flag.
        ("address: cdn.growthbook.io, port_value: 443", "address: 127.0.0.1, port_value: 9".to_owned()),
    ];
    let envoy = Launch::new(uncommented(&configuration("engraft.yaml", &replaced)?)).start()?;
    let addr = envoy.listener_addr("edge")?;
    for (id, is_shown) in ids("buy").iter().zip([false, true]) {
        let request = page_view("/p/aurora/").header("cookie", format!("engraft_id={id}; first_name=Ada"));
        let page = client::fetch(Http1, addr, &request)?;
        assert!(page.text().contains("Welcome back, Ada."), "{}", page.text());
        assert_eq!(page.text().contains("Buy now"), is_shown, "{}", page.text());
        assert!(!page.text().contains("class=\"dark\""), "{}", page.text());
    }
    envoy.wait_for("the service to be asked", || {
        Ok((envoy.stat(&counter("payload.failed.status"))? > 0).then_some(()))
    })?;
    assert_no_vm_failed(&envoy);
    Ok(())
}

#[test]
fn originless_serves_a_folder_through_engraft_in_one_process() -> Outcome {
    let binary = Binary::find()?;
    if !binary.has_extension("envoy.filters.http.file_server") {
        let version = binary.version();
        writeln!(std::io::stderr(), "SKIPPED: Envoy {version} has no envoy.filters.http.file_server")?;
        return Ok(());
    }
    let site = workspace::root().join("examples/shop/site");
    let module = workspace::module()?.to_string_lossy().into_owned();
    let (admin, listener) = (port(9901), port(10000));
    let replaced = [
        (admin.0.as_str(), admin.1),
        (listener.0.as_str(), listener.1),
        ("filename: dist/engraft.wasm", format!("filename: {module}")),
        ("file_path_prefix: examples/shop/site/", format!("file_path_prefix: {}/", site.display())),
    ];
    let envoy = Launch::new(configuration("originless.yaml", &replaced)?).start()?;
    let addr = envoy.listener_addr("site")?;
    let source = std::fs::read_to_string(site.join("index.html"))?;
    for down in Protocol::ALL {
        let fetch = |request: Request| client::fetch(down, addr, &request);
        assert_eq!(fetch(Request::get("/"))?.text(), source, "{down:?}");

        let german = Request::get("/?from=a+%3Cfriend%3E").header("accept-language", "de-AT, en;q=0.5");
        let page = fetch(german)?;
        assert!(
            page.complete && page.text().contains("Rücksendung kostenlos, 30 Tage lang"),
            "{}",
            page.text()
        );
        assert!(page.text().contains("Sent by a &lt;friend&gt;? Welcome."), "{}", page.text());
        assert_eq!(page.header("content-length"), None, "{down:?}");
        assert_eq!(page.header("cache-control"), Some("private, no-cache"), "{down:?}");

        // Below a folder, with an index; and what is no page, untouched.
        let french = fetch(Request::get("/p/tide/").header("accept-language", "fr"))?;
        assert!(french.text().contains("Retours gratuits pendant 30 jours"), "{}", french.text());
        let style = fetch(Request::get("/assets/style.css?from=x").header("accept-language", "fr"))?;
        assert_eq!(style.body, std::fs::read(site.join("assets/style.css"))?, "{down:?}");
        assert_eq!(style.header("content-type"), Some("text/css; charset=utf-8"), "{down:?}");

        assert_eq!(fetch(Request::get("/none"))?.status, 404, "{down:?}");
        let outside = fetch(Request::get("/../engraft.yaml"))?;
        assert!(outside.status >= 400, "{down:?}: {}", outside.status);
        assert_eq!(fetch(Request::new("POST", "/").body("x"))?.status, 405, "{down:?}");
    }
    assert_no_vm_failed(&envoy);
    Ok(())
}

/// `envoy/cached.yaml` in front of an origin; its pages are in Envoy's working directory, and go away with it.
pub(crate) fn cached(origin: &Origin) -> Result<Envoy, Box<dyn Error>> {
    let (old, new) = EVERYWHERE;
    let folder = ("cache_path: /var/cache/envoy", "cache_path: .".to_owned());
    start("cached.yaml", &[(old, new.to_owned()), (ORIGIN.0, address(origin.addr())), folder])
}

/// What two visitors are to see of the page.
const VISITORS: [(&str, &str); 2] =
    [("first_name=Ada & Bob; plan=pro", GREETING), ("first_name=Eve; session=secret", "Welcome back, Eve.")];

#[test]
fn cached_makes_a_stored_page_personal() -> Outcome {
    let origin = Site::new(&workspace::root().join("examples/shop/site"))?.serve()?;
    let envoy = cached(&origin)?;
    let addr = envoy.listener_addr("edge")?;
    let source = client::fetch(Http1, origin.addr(), &Request::get("/p/aurora/"))?.text().into_owned();
    for (turn, down) in Protocol::ALL.into_iter().enumerate() {
        for (cookies, greeting) in VISITORS {
            let request =
                Request::get(&format!("/p/aurora/?utm_source=mail-{turn}")).header("cookie", cookies);
            let page = client::fetch(down, addr, &request.header("accept-encoding", "gzip"))?;
            assert_eq!((page.status, page.complete), (200, true), "{down:?}");
            let text = gunzip(&page.body)?;
            assert!(text.contains(greeting), "{down:?} {cookies}: {text}");
            assert_eq!(text.contains(NEWSLETTER), !cookies.contains("plan=pro"), "{down:?} {cookies}");
            assert_eq!(page.header("cache-control"), Some("private, no-cache"), "{down:?}");
            let ours = page.headers.iter().find(|(name, _)| name.starts_with("x-engraft-"));
            assert!(ours.is_none(), "{ours:?}");
        }
        let stranger = client::fetch(down, addr, &Request::get("/p/aurora/"))?;
        assert_eq!(stranger.text(), source, "{down:?}");
    }
    assert_no_vm_failed(&envoy);
    Ok(())
}

#[test]
fn cached_asks_the_origin_once_for_all_visitors() -> Outcome {
    let origin = Site::new(&workspace::root().join("examples/shop/site"))?.serve()?;
    let envoy = cached(&origin)?;
    let addr = envoy.listener_addr("edge")?;
    let product = |cookies: &str, campaign: &str| {
        Request::get(&format!("/p/aurora/?utm_source={campaign}")).header("cookie", cookies)
    };
    for (turn, (cookies, greeting)) in VISITORS.into_iter().cycle().take(4).enumerate() {
        // A reload is no reason to ask either.
        let request = product(cookies, &format!("mail-{turn}")).header("cache-control", "no-cache");
        assert!(client::fetch(Http1, addr, &request)?.text().contains(greeting), "{cookies}");
    }
    let asked = origin.requests();
    assert_eq!(asked.len(), 1, "{asked:?}");
    let asked = asked.first().ok_or("the origin was not asked")?;
    assert_eq!(asked.target, "/p/aurora/");
    assert!(!asked.headers.has("cookie"), "{:?}", asked.headers);
    let ours = asked.headers.iter().find(|(name, _)| name.starts_with("x-engraft-"));
    assert!(ours.is_none(), "{ours:?}");
    Ok(())
}

/// Starts an nginx with a file of `envoy/`; `None`, and a line that says so, where there is no nginx.
fn nginx(name: &str, listen: &str, replaced: &[(&str, String)]) -> Result<Option<Nginx>, Box<dyn Error>> {
    if nginx::binary().is_none() {
        writeln!(std::io::stderr(), "SKIPPED: {}", nginx::NginxError::NotFound)?;
        return Ok(None);
    }
    let folder = [("/var/cache/nginx/pages", "pages".to_owned()), (listen, "listen LISTEN;".to_owned())];
    let text = configuration(name, &[&folder, replaced].concat())?;
    Ok(Some(nginx::start(|addr| text.replace("LISTEN", &addr.to_string()))?))
}

#[test]
fn nginx_behind_keeps_one_page_for_all_visitors() -> Outcome {
    let origin = Site::new(&workspace::root().join("examples/shop/site"))?.serve()?;
    let upstream = [(ORIGIN.1, origin.addr().to_string())];
    let Some(cache) = nginx("nginx-behind.conf", "listen 127.0.0.1:8081;", &upstream)? else { return Ok(()) };
    let (old, new) = EVERYWHERE;
    let behind = ("address: 127.0.0.1, port_value: 8081", address(cache.addr()));
    let envoy = start("nginx-behind.yaml", &[(old, new.to_owned()), behind])?;
    let addr = envoy.listener_addr("edge")?;
    for (turn, down) in Protocol::ALL.into_iter().enumerate() {
        for (cookies, greeting) in VISITORS {
            let request = Request::get(&format!("/p/aurora/?utm_source=mail-{turn}"))
                .header("cookie", cookies)
                .header("authorization", format!("Bearer {cookies}"))
                .header("accept-language", if turn == 0 { "en-GB" } else { "fr, en" })
                .header("accept-encoding", if turn == 0 { "gzip" } else { "br" });
            let page = client::fetch(down, addr, &request)?;
            let text = if turn == 0 { gunzip(&page.body)? } else { page.text().into_owned() };
            assert!(text.contains(greeting), "{down:?} {cookies}: {text}");
            assert_eq!(text.contains(NEWSLETTER), !cookies.contains("plan=pro"), "{down:?} {cookies}");
            assert_eq!(page.header("cache-control"), Some("private, no-cache"), "{down:?}");
        }
    }
    let asked = origin.take_requests();
    assert_eq!(asked.len(), 1, "{asked:?}");
    let german = product().header("accept-language", "de-CH");
    client::fetch(Http1, addr, &german)?;
    client::fetch(Http1, addr, &german)?;
    let asked = origin.take_requests();
    assert_eq!(asked.len(), 1, "{asked:?}");
    let asked = asked.first().ok_or("the origin was not asked")?;
    assert_eq!((asked.target.as_str(), asked.headers.get("accept-language")), ("/p/aurora/", Some("de")));
    assert!(!asked.headers.has("cookie") && !asked.headers.has("authorization"), "{:?}", asked.headers);

    // What is no route's is nobody's business in between.
    for (cookies, _) in VISITORS {
        client::fetch(Http1, addr, &Request::get("/about/").header("cookie", cookies))?;
    }
    let saw: Vec<String> =
        origin.take_requests().iter().flat_map(|asked| asked.headers.all("cookie")).collect();
    assert_eq!(saw, VISITORS.map(|(cookies, _)| cookies));
    assert_no_vm_failed(&envoy);
    Ok(())
}

#[test]
fn nginx_in_front_keeps_a_page_for_each_country() -> Outcome {
    let origin = Site::new(&workspace::root().join("examples/shop/site"))?.serve()?;
    let envoy = start("nginx-in-front.yaml", &[(ORIGIN.0, address(origin.addr()))])?;
    let engraft = envoy.listener_addr("edge")?;
    let upstream = [
        ("server 127.0.0.1:10000;", format!("server {engraft};")),
        // Where this visitor is.
        ("192.0.2.0/24 US;", "127.0.0.0/8 US;".to_owned()),
    ];
    let Some(cache) = nginx("nginx-in-front.conf", "listen 0.0.0.0:80;", &upstream)? else { return Ok(()) };
    let fetch = |request: &Request| client::fetch(Http1, cache.addr(), request);
    for (turn, (cookies, _)) in VISITORS.into_iter().enumerate() {
        let request = Request::get("/p/aurora/").header("cookie", cookies).header("accept-encoding", "gzip");
        let page = fetch(&request)?;
        let text = gunzip(&page.body)?;
        assert!(text.contains(DOLLARS) && !text.contains("Welcome back"), "{text}");
        assert_eq!(page.header("x-cache"), Some(if turn == 0 { "MISS" } else { "HIT" }));
        let cache_control = page.header("cache-control").unwrap_or_default();
        assert!(
            cache_control.contains("s-maxage=600") && cache_control.contains("max-age=0"),
            "{cache_control}"
        );
        assert!(!page.headers.has("xkey"), "{}", page.headers);
    }
    assert_eq!(origin.take_requests().len(), 1);
    // Nobody says where they are themselves.
    let elsewhere = fetch(&Request::get("/p/aurora/").header("x-geo-country", "DE"))?;
    assert!(elsewhere.text().contains(DOLLARS), "{}", elsewhere.text());

    for (cookies, _) in VISITORS {
        let page = fetch(&Request::get("/about/").header("cookie", cookies))?;
        assert_eq!(page.text().contains(NEWSLETTER), !cookies.contains("plan=pro"), "{cookies}");
        assert_eq!(page.header("x-cache"), Some("MISS"), "{cookies}");
        assert_eq!(page.header("cache-control"), Some("private, no-cache"), "{cookies}");
    }
    assert_no_vm_failed(&envoy);
    Ok(())
}
