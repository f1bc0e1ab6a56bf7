//! Who a visitor is, which variation they see and who may choose one: on pages that go by the origin's word, on pages that Envoy's
//! cache has stored for all, and by a payload of GrowthBook's that stands in the configuration.
//!
//! The attacks: an id or a variation of one visitor that a cache gives to others, and a link that chooses what its reader sees.

use std::collections::BTreeSet;
use std::error::Error;

use engraft_harness::bootstrap::{CacheFilter, Listener};
use engraft_harness::client::{Received, Request};
use engraft_harness::envoy::Envoy;
use engraft_harness::origin::{ReceivedRequest, Reply};
use engraft_harness::wire::Protocol::Http1;

use crate::stage::{Outcome, Stage, assert_no_vm_failed, ids, logged_exposures, page_view, protocols, shown};
use crate::stored::Chain;

const VISITORS: &str = "
version: 1
visitor:
  id: { cookie: engraft_id }
  consent: { cookie: consent, contains: analytics }
exposures: { access_log: true }
experiments:
  hero: { variations: [control, bold] }
routes:
  - name: hero
    patches:
      - { variant: { hero: bold }, select: h1, text: Bold }
";

const PAGE: &str = "<h1>Hello</h1>";
const BOLD: &str = "<h1>Bold</h1>";

/// The id that a response sets, having looked at what is said of the cookie.
fn set_id(received: &Received) -> Option<String> {
    let set = received.header("set-cookie")?;
    let (id, attributes) = set.strip_prefix("engraft_id=")?.split_once("; ")?;
    assert_eq!(attributes, "Path=/; Max-Age=31536000; Secure; HttpOnly; SameSite=Lax");
    Some(id.to_owned())
}

/// Whether it is a random UUID, in the form in which they are written (RFC 9562 § 4, 5.4).
fn is_uuid(id: &str) -> bool {
    let form = id.chars().map(|digit| match digit {
        '0'..='9' | 'a'..='f' => 'x',
        other => other,
    });
    let version = id.chars().nth(14);
    let variant = id.chars().nth(19);
    form.collect::<String>() == "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
        && version == Some('4')
        && matches!(variant, Some('8' | '9' | 'a' | 'b'))
}

fn agreed(path: &str) -> Request {
    page_view(path).header("cookie", "consent=analytics+marketing")
}

fn again(path: &str, id: &str) -> Request {
    page_view(path).header("cookie", format!("consent=analytics; engraft_id={id}"))
}

#[test]
fn a_visitor_gets_an_id_and_sees_the_same_variation_again() -> Outcome {
    let stage = Stage::start(VISITORS)?;
    stage.origin.otherwise(|_| Reply::html(PAGE));
    let (mut minted, mut seen) = (BTreeSet::new(), BTreeSet::new());
    // By chance, all of them may see the same variation; that happens once in a thousand million times.
    for (n, pair) in (0..8).flat_map(|_| protocols()).enumerate() {
        let first = stage.fetch(pair, &agreed(&format!("/{n}")))?;
        let id = set_id(&first).ok_or("no id")?;
        assert!(is_uuid(&id), "{id}");
        assert_eq!(first.header("cache-control"), Some("private, no-cache"));
        let second = stage.fetch(pair, &again("/", &id))?;
        assert_eq!((second.text(), second.header("set-cookie")), (first.text(), None), "{id}");
        seen.insert(first.text().into_owned());
        minted.insert(id);
    }
    assert_eq!(minted.len(), 32, "each visitor has an id of their own");
    assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), [BOLD, PAGE]);
    stage.assert_alive()
}

#[test]
fn no_id_without_a_page_without_consent_or_for_a_bot() -> Outcome {
    let stage = Stage::start(VISITORS)?;
    stage.origin.otherwise(|_| Reply::html(PAGE));
    stage.origin.reply("/image", Reply::ok("image/png", "png").header("cache-control", "max-age=60"));
    let bot = Request::get("/").header("user-agent", "Googlebot/2.1").header("cookie", "consent=analytics");
    for (why, request, page) in [
        ("no consent", page_view("/"), PAGE),
        ("another consent", page_view("/").header("cookie", "consent=necessary"), PAGE),
        ("a bot", bot, PAGE),
        ("an image", agreed("/image"), "png"),
        ("an image, as browsers ask for it", agreed("/image").header("sec-fetch-dest", "image"), "png"),
    ] {
        for pair in protocols() {
            let received = stage.fetch(pair, &request)?;
            assert_eq!((received.text().as_ref(), received.header("set-cookie")), (page, None), "{why}");
        }
    }
    stage.assert_alive()
}

/// Pages that are stored before they are personal, and pages of which one is stored for each variation.
const STORED: &str = "
version: 1
visitor: { id: { cookie: engraft_id } }
exposures: { access_log: true }
force: { secret: sixteen-characters }
experiments:
  hero: { variations: [control, bold] }
routes:
  - name: personal
    match: { path: { prefix: /p/ } }
    cache: { store: { max_age: 10m } }
    patches:
      - { select: title, text: For all }
      - { variant: { hero: bold }, select: h1, text: Bold }
  - name: keyed
    match: { path: { prefix: /k/ } }
    origin_reads: [{ header: x-hero, values: [control, bold], otherwise: control }]
    cache: { store: { max_age: 10m } }
    patches:
      - { request_headers: { set: { x-hero: '{{ variants.hero }}' } } }
";

/// What the origin was asked for, and by which variation.
fn tells(request: &ReceivedRequest) -> Reply {
    let hero = request.headers.get("x-hero").unwrap_or("none");
    Reply::html(format!("<title>Page</title><h1>Hello</h1><p>{} {hero}</p>", request.target))
        .header("cache-control", "max-age=600")
}

fn stored_page(heading: &str, path: &str) -> String {
    format!("<title>For all</title><h1>{heading}</h1><p>{path} none</p>")
}

fn chain(cache: &CacheFilter) -> Result<Chain, Box<dyn Error>> {
    let chain = Chain::with(cache, STORED, STORED)?;
    chain.origin.otherwise(tells);
    Ok(chain)
}

fn both_caches() -> [CacheFilter; 2] {
    [CacheFilter::simple(), CacheFilter::simple().second_version()]
}

/// What the last of so many responses showed.
fn exposures(envoy: &Envoy, responses: usize) -> Result<Vec<String>, Box<dyn Error>> {
    Ok(logged_exposures(envoy, responses)?.iter().map(shown).collect())
}

#[test]
fn both_variations_are_made_of_the_one_stored_page() -> Outcome {
    for cache in both_caches() {
        let chain = chain(&cache)?;
        let mut responses = 0;
        for _ in 0..3 {
            for (id, (heading, seen)) in ids("hero").iter().zip([("Hello", "control"), ("Bold", "bold")]) {
                let visitor = page_view("/p/a").header("cookie", format!("engraft_id={id}"));
                let received = chain.get(&visitor)?;
                responses += 1;
                assert_eq!(received.text(), stored_page(heading, "/p/a"));
                assert_eq!(received.header("cache-control"), Some("private, no-cache"));
                assert_eq!(received.header("set-cookie"), None, "the id is known");
                let by = if seen == "bold" { "edit" } else { "control" };
                assert_eq!(exposures(&chain.envoy, responses)?, [format!("hero={seen} by {by}")]);
            }
        }
        assert_eq!(chain.asked(), 1);
        assert_no_vm_failed(&chain.envoy);
    }
    Ok(())
}

#[test]
fn a_stored_page_comes_with_the_id_of_who_asks_and_with_no_other() -> Outcome {
    for cache in both_caches() {
        let chain = chain(&cache)?;
        let mut minted = BTreeSet::new();
        for path in ["/p/a", "/p/a", "/k/a", "/k/a", "/p/a", "/k/a"] {
            let first = chain.get(&page_view(path))?;
            let set = first.headers.all("set-cookie");
            let id = set_id(&first).ok_or("no id")?;
            assert_eq!((set.len(), is_uuid(&id)), (1, true), "{set:?}");
            let second = chain.get(&page_view(path).header("cookie", format!("engraft_id={id}")))?;
            assert_eq!((second.text(), second.header("set-cookie")), (first.text(), None), "{path}");
            assert!(minted.insert(id), "somebody else's id");
        }
        let told = chain.origin.requests().into_iter().find(|request| request.headers.has("cookie"));
        assert!(told.is_none(), "{told:?}");
        assert_no_vm_failed(&chain.envoy);
    }
    Ok(())
}

#[test]
fn who_has_the_page_of_their_variation_is_told_so_from_the_cache() -> Outcome {
    for cache in both_caches() {
        let chain = chain(&cache)?;
        chain.origin.otherwise(|request| tells(request).header("etag", "\"v1\""));
        let mut responses = 0;
        for path in ["/p/a", "/k/a"] {
            for (id, variation) in ids("hero").iter().zip(["control", "bold"]) {
                let visitor = page_view(path).header("cookie", format!("engraft_id={id}"));
                let first = chain.get(&visitor)?;
                let tag = first.header("etag").ok_or("no tag")?.to_owned();
                let again = chain.get(&visitor.header("if-none-match", &*tag))?;
                assert_eq!((again.status, again.header("etag")), (304, Some(tag.as_str())), "{path} {id}");
                responses += 2;
                let seen = exposures(&chain.envoy, responses)?;
                assert_eq!(seen, [format!("hero={variation} by not_modified")], "{path}");
            }
        }
        assert_eq!(chain.asked(), 1 + 2);
        assert_no_vm_failed(&chain.envoy);
    }
    Ok(())
}

#[test]
fn an_experiment_of_the_origin_s_is_part_of_the_key() -> Outcome {
    for cache in both_caches() {
        let chain = chain(&cache)?;
        let mut responses = 0;
        for _ in 0..3 {
            for (id, variation) in ids("hero").iter().zip(["control", "bold"]) {
                // What a visitor says of it does not count.
                let visitor = page_view("/k/a")
                    .header("cookie", format!("engraft_id={id}"))
                    .header("x-hero", if variation == "bold" { "control" } else { "bold" });
                let received = chain.get(&visitor)?;
                responses += 1;
                assert!(received.text().contains(&format!("<p>/k/a {variation}</p>")), "{}", received.text());
                assert_eq!(exposures(&chain.envoy, responses)?.len(), 1);
            }
        }
        let asked: Vec<String> =
            chain.origin.requests().iter().map(|asked| asked.headers.all("x-hero").join(",")).collect();
        assert_eq!(asked, ["control", "bold"], "once for each variation");
        assert_no_vm_failed(&chain.envoy);
    }
    Ok(())
}

#[test]
fn who_shows_the_secret_chooses_past_every_cache() -> Outcome {
    for cache in both_caches() {
        let chain = chain(&cache)?;
        let [control, _] = ids("hero");
        let visitor = |path: &str| page_view(path).header("cookie", format!("engraft_id={control}"));
        assert_eq!(chain.get(&visitor("/p/a?a=1"))?.text(), stored_page("Hello", "/p/a?a=1"));
        let choosing = "engraft-force=hero:bold&engraft-force-secret";
        for n in 1..3 {
            let chosen = chain.get(&visitor(&format!("/p/a?{choosing}=sixteen-characters&a=1")))?;
            assert_eq!(chosen.text(), stored_page("Bold", "/p/a?a=1"));
            assert_eq!(chosen.header("cache-control"), Some("private, no-store"));
            assert_eq!((chosen.header("etag"), chosen.header("set-cookie")), (None, None));
            assert!(chosen.header("x-engraft-debug").is_some_and(|it| it.contains("forced=hero:bold")));
            assert_eq!(chain.asked(), 1 + n, "the cache was not asked, or it kept the page");
            assert_eq!(exposures(&chain.envoy, 1 + n)?, Vec::<String>::new());
        }
        // Nothing of it was kept: the page that was stored before is still the one.
        assert_eq!(chain.get(&visitor("/p/a?a=1"))?.text(), stored_page("Hello", "/p/a?a=1"));
        assert_eq!(chain.asked(), 3);
        let targets = chain.origin.requests().into_iter().map(|request| request.target);
        assert_eq!(targets.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>(), ["/p/a?a=1"]);
        // A page of which one is stored for each variation.
        let chosen = chain.get(&visitor(&format!("/k/a?{choosing}=sixteen-characters")))?;
        assert!(chosen.text().contains("<p>/k/a bold</p>"), "{}", chosen.text());
        assert_eq!(chain.asked(), 4);
        for (n, id) in ids("hero").iter().enumerate() {
            chain.get(&page_view("/k/a").header("cookie", format!("engraft_id={id}")))?;
            assert_eq!(chain.asked(), 5 + n, "it was not stored for those who see that variation");
        }
        assert_no_vm_failed(&chain.envoy);
    }
    Ok(())
}

#[test]
fn a_link_without_the_secret_is_the_page_that_is_stored() -> Outcome {
    for cache in both_caches() {
        let chain = chain(&cache)?;
        let [control, _] = ids("hero");
        let visitor = |path: &str| page_view(path).header("cookie", format!("engraft_id={control}"));
        let paths = [
            "/p/a?a=1",
            "/p/a?engraft-force=hero:bold&a=1",
            "/p/a?a=1&engraft-force=hero:bold&engraft-force-secret=sixteen-characterS",
            "/p/a?engraft-force-secret=&engraft-force=hero:bold&a=1",
        ];
        for (path, responses) in paths.into_iter().zip(1..) {
            let received = chain.get(&visitor(path))?;
            assert_eq!(received.text(), stored_page("Hello", "/p/a?a=1"), "{path}");
            assert_eq!(received.header("cache-control"), Some("private, no-cache"), "{path}");
            assert_eq!(received.header("x-engraft-debug"), None, "{path}");
            assert_eq!(
                exposures(&chain.envoy, responses)?,
                ["hero=control by control"],
                "{path}: it is their own"
            );
        }
        assert_eq!(chain.asked(), 1);
        assert_no_vm_failed(&chain.envoy);
    }
    Ok(())
}

#[test]
fn without_a_secret_only_this_machine_chooses() -> Outcome {
    let configuration = VISITORS.replace("version: 1\n", "version: 1\nforce: {}\n");
    let stage = Stage::start(&configuration)?;
    stage.origin.otherwise(|_| Reply::html(PAGE));
    let [control, _] = ids("hero");
    for pair in protocols() {
        let link = again("/?engraft-force=hero:bold", &control);
        let here = stage.fetch(pair, &link)?;
        let said = (here.text(), here.header("cache-control"));
        assert_eq!((said.0.as_ref(), said.1), (BOLD, Some("private, no-store")), "{pair:?}");
        for header in ["x-forwarded-for", "forwarded"] {
            let told = if header == "forwarded" { "for=192.0.2.7" } else { "192.0.2.7" };
            let from_afar = stage.fetch(pair, &link.clone().header(header, told))?;
            assert_eq!(from_afar.text(), PAGE, "{pair:?}: a proxy on this machine speaks for somebody else");
        }
    }
    let targets = stage.origin.requests().into_iter().map(|request| request.target);
    assert_eq!(targets.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>(), ["/"]);
    stage.assert_alive()
}

/// A payload as GrowthBook's API answers it, in Envoy's configuration as an object: what Envoy makes of its scalars included.
const PAYLOAD: &str = r##"
version: 1
visitor: { id: { cookie: engraft_id } }
exposures: { access_log: true }
attributes:
  country: { header: x-geo-country, trusted: true, values: [US, DE], otherwise: other }
growthbook:
  payload:
    status: 200
    features:
      banner:
        defaultValue: { text: "none", columns: 3, version: "1.0", is_on: false }
        rules:
          - condition: { country: "US" }
            force: { text: "Free shipping", columns: 4, version: "2.0", is_on: true }
      button:
        defaultValue: "buy"
        rules:
          - { key: button-test, seed: button, hashVersion: 2, variations: ["buy", "get"], weights: [0.5, 0.5], coverage: 1 }
    experiments:
      - key: headline
        seed: headline
        hashVersion: 2
        hashAttribute: id
        status: running
        weights: [0.5, 0.5]
        coverage: 1
        urlPatterns: [{ type: simple, pattern: "/shop/*", include: true }]
        variations:
          - {}
          - css: "h1 { color: red }"
            domMutations:
              - { selector: h1, action: set, attribute: html, value: "<b>Bold</b>" }
              - { selector: h1, action: append, attribute: class, value: "large" }
      - key: moved
        seed: moved
        hashVersion: 2
        hashAttribute: id
        weights: [0.5, 0.5]
        coverage: 1
        persistQueryString: true
        urlPatterns: [{ type: simple, pattern: "/old", include: true }]
        variations:
          - {}
          - { urlRedirect: "http://shop.example/new" }
routes:
  - name: flags
    match: { path: { prefix: /flags } }
    patches:
      - { flag: { button: get }, select: button, text: Get }
      - { when: { flags.banner.is_on: true }, select: p, text: "{{ flags.banner.text }} {{ flags.banner.columns }} {{ flags.banner.version }}" }
  - name: auto
    auto_experiments: true
"##;

/// Envoy by that configuration, with exposures in its log, and an origin of that page.
fn by_payload(page: &'static str) -> Result<Stage, Box<dyn Error>> {
    let log = |listener: Listener| listener.log_filter_state("engraft.exposures");
    let stage = Stage::with(PAYLOAD, log, |cluster| cluster)?;
    stage.origin.otherwise(move |_| Reply::html(page));
    Ok(stage)
}

fn by(id: &str, path: &str) -> Request {
    page_view(path).header("cookie", format!("engraft_id={id}"))
}

#[test]
fn experiments_of_the_visual_editor_are_made_on_their_pages() -> Outcome {
    const PAGE: &str = "<html><head></head><body><h1 class=big>Hello</h1></body></html>";
    const EDITED: &str = "<html><head><style>h1 { color: red }</style></head><body><h1 class=\"big large\"><b>Bold</b></h1></body></html>";
    let stage = by_payload(PAGE)?;
    let mut responses = 0;
    for (variation, (id, text)) in ids("headline").iter().zip([PAGE, EDITED]).enumerate() {
        for pair in protocols() {
            let page = stage.fetch(pair, &by(id, "/shop/a"))?;
            responses += 1;
            assert_eq!(page.text(), text, "{id} {pair:?}");
            let seen_by = if variation == 0 { "control" } else { "edit" };
            let seen = format!("headline={variation} by {seen_by}");
            assert_eq!(exposures(&stage.envoy, responses)?, [seen], "{pair:?}");
        }
        let elsewhere = stage.fetch((Http1, Http1), &by(id, "/about"))?;
        responses += 1;
        let seen = exposures(&stage.envoy, responses)?;
        assert_eq!((elsewhere.text().as_ref(), seen), (PAGE, vec![]), "{id}");
    }
    stage.assert_alive()
}

#[test]
fn redirects_of_a_payload_lead_away_and_keep_the_query() -> Outcome {
    let stage = by_payload("<h1>Old</h1>")?;
    let [stays, goes] = ids("moved");
    let page = stage.fetch((Http1, Http1), &by(&stays, "/old?utm=a"))?;
    assert_eq!((page.status, page.text().as_ref()), (200, "<h1>Old</h1>"));
    assert_eq!(exposures(&stage.envoy, 1)?, ["moved=0 by control"]);
    for (pair, responses) in protocols().zip(2..) {
        let page = stage.fetch(pair, &by(&goes, "/old?utm=a"))?;
        assert_eq!((page.status, page.header("location")), (302, Some("http://shop.example/new?utm=a")));
        assert_eq!(page.header("cache-control"), Some("private, no-cache"));
        assert_eq!(exposures(&stage.envoy, responses)?, ["moved=1 by redirect"]);
    }
    stage.assert_alive()
}

#[test]
fn flags_of_a_payload_decide_about_pages() -> Outcome {
    let stage = by_payload("<p>none</p><button>Buy</button>")?;
    for (variation, (id, button)) in ids("button").iter().zip(["Buy", "Get"]).enumerate() {
        let american = by(id, "/flags").header("x-geo-country", "US");
        let page = stage.fetch((Http1, Http1), &american)?;
        assert_eq!(page.text(), format!("<p>Free shipping 4 2.0</p><button>{button}</button>"), "{id}");
        let seen_by = if variation == 0 { "control" } else { "edit" };
        let seen = [format!("button-test={variation} by {seen_by} of button")];
        assert_eq!(exposures(&stage.envoy, 2 * variation + 1)?, seen);
        let page = stage.fetch((Http1, Http1), &by(id, "/flags"))?;
        assert_eq!(page.text(), format!("<p>none</p><button>{button}</button>"), "{id}");
        assert_eq!(exposures(&stage.envoy, 2 * variation + 2)?, seen);
    }
    stage.assert_alive()
}
