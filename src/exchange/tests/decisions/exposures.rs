//! What counts as seen, and what does not.

use super::*;

#[test]
fn a_variation_is_shown_and_counted() {
    let bold = visit("/hero", &[("cookie", &cookie_of("bold"))]);
    assert_eq!(bold.body, "<nav>old</nav><main>m</main><h1>Bold for bold</h1>");
    assert_eq!(bold.exposures(), "hero=bold");
    assert_eq!(bold.report.exposures[0].hash_attribute(), "id");
    assert_eq!(bold.header("cache-control"), Some("private, max-age=0"));
    assert_eq!(bold.header("set-cookie"), None, "the id is known");
}

#[test]
fn the_control_is_counted_where_the_others_elements_are_and_passes_as_it_came() {
    let cookie = cookie_of("control");
    let control = visit("/hero", &[("cookie", &cookie)]);
    assert_eq!((control.body.as_str(), control.exposures().as_str()), (PAGE, "hero=control"));
    assert_eq!(control.header("etag"), Some("\"v1\""), "it is the origin's page");
    assert_eq!(control.report.body, BodyState::NotWanted);
    let surroundings = Surroundings::default();
    for variation in ["control", "bold"] {
        let without = visit_with("/hero", &[("cookie", &cookie_of(variation))], &surroundings, "<p>none</p>");
        assert_eq!((without.body.as_str(), without.exposures().as_str()), ("<p>none</p>", ""), "{variation}");
    }
}

#[test]
fn all_variations_count_on_the_same_pages() {
    let cookie = [("cookie", "consent=analytics; engraft_id=1")];
    let surroundings = Surroundings::default();
    for (page, seen) in [("<h1>1</h1><h2>2</h2>", "three=a"), ("<h1>1</h1>", ""), ("<h2>2</h2>", "")] {
        assert_eq!(visit_with("/three", &cookie, &surroundings, page).exposures(), seen, "{page}");
    }
}

#[test]
fn variations_of_one_element_count_alike() {
    let engine = |weights: &str| {
        let config = CONFIG.replace("weights: [1, 0, 0]", &format!("weights: {weights}"));
        Arc::new(Engine::load(config.as_bytes()).unwrap().engine)
    };
    let cookie = [("cookie", "consent=analytics; engraft_id=1")];
    for (weights, seen) in [("[1, 0, 0]", "three=a"), ("[0, 1, 0]", "three=b"), ("[0, 0, 1]", "three=c")] {
        let engine = engine(weights);
        let surroundings = Surroundings::default();
        let exposures = |page| exchange_by(&engine, "/same", &cookie, &surroundings, page).exposures();
        assert_eq!(exposures("<body><h1>1</h1></body>"), seen);
        assert_eq!(exposures("<body><h2>1</h2></body>"), "", "{seen}: the element is not there");
    }
}

#[test]
fn a_page_that_would_have_been_taken_back_does_not_count() {
    let surroundings = Surroundings::default();
    // The second one never ends, so the first is taken back as well.
    for (page, counts) in [("<h1>a</h1>", true), ("<h1>a</h1><h1>b", false)] {
        for variation in ["control", "bold"] {
            let got = visit_with("/whole", &[("cookie", &cookie_of(variation))], &surroundings, page);
            assert_eq!(!got.exposures().is_empty(), counts, "{variation} {page} {}", got.body);
        }
    }
}

#[test]
fn where_a_redirect_leads_nobody_is_compared() {
    for id in ["1", "2"] {
        let cookie = format!("consent=analytics; engraft_id={id}");
        let got = visit("/elsewhere", &[("cookie", &cookie), PAGE_WANTED]);
        assert_eq!((got.status, got.exposures().as_str()), (200, ""));
    }
    let known = ("cookie", "consent=analytics; engraft_id=1");
    let image = visit("/away", &[known, ("sec-fetch-dest", "image")]);
    assert_eq!((image.status, image.exposures().as_str()), (302, ""), "no page was asked for");
}

#[test]
fn a_redirect_counts_when_it_is_sent() {
    let got = visit("/away", &[CONSENT, PAGE_WANTED]);
    assert_eq!((got.status, got.header("location")), (302, Some("/elsewhere")));
    assert_eq!(
        (got.exposures().as_str(), got.header("cache-control")),
        ("away=go", Some("private, no-cache"))
    );
    assert!(got.header("set-cookie").is_some());
    let prefetched = visit("/away", &[CONSENT, PAGE_WANTED, ("sec-purpose", "prefetch;prerender")]);
    assert_eq!((prefetched.status, prefetched.exposures().as_str()), (302, ""));
}

/// What the origin answers to somebody who has the page, or something else.
fn revalidated(
    cookie: &str,
    method: &str,
    more: &[(&'static str, &str)],
    tag: &str,
) -> (String, Vec<String>) {
    let mut request = head("/hero", &[]);
    request.method = method.to_owned();
    let headers = [("cookie", cookie), BROWSER, ("if-none-match", tag)];
    for (name, value) in headers.iter().chain(more) {
        request.headers.append(*name, HeaderValue::from_str(value).unwrap());
    }
    let begun = begin(&config(), &request, &Surroundings::default());
    begun.edits.headers.iter().for_each(|edit| edit.apply(&mut request.headers));
    let Next::Forward(forwarded) = begun.next else { panic!("it is answered") };
    let asked = request.headers.get("if-none-match").map(|tag| tag.to_str().unwrap().to_owned());
    let answered = forwarded.answer(StatusCode::NOT_MODIFIED, &map(&[("etag", "\"v1\"")]));
    let Body::Passes(report) = answered.body else { panic!("a 304 has no body") };
    let seen_by = |event: &crate::exposure::Event| {
        let event: serde_json::Value = serde_json::from_str(&event.for_server(0)).unwrap();
        event["seen_by"].as_str().unwrap().to_owned()
    };
    (asked.unwrap_or_default(), report.exposures.iter().map(seen_by).collect())
}

#[test]
fn a_304_counts_for_all_variations_where_it_may_be_about_the_page() {
    let page = [("accept", "text/html,*/*;q=0.8")];
    for variation in ["control", "bold"] {
        let cookie = cookie_of(variation);
        let tag = visit("/hero", &[("cookie", &cookie)]).header("etag").unwrap().to_owned();
        let not_modified = ("\"v1\"".to_owned(), vec!["not_modified".to_owned()]);
        assert_eq!(revalidated(&cookie, "GET", &page, &tag), not_modified, "{variation}");
        let as_browsers_do = [("accept", "*/*"), ("sec-fetch-dest", "document")];
        assert_eq!(revalidated(&cookie, "GET", &as_browsers_do, &tag), not_modified, "{variation}");
        for (method, more) in [
            ("HEAD", page),
            ("GET", [("sec-fetch-dest", "image")]),
            ("GET", [("accept", "image/avif,*/*")]),
            ("GET", [("sec-fetch-dest", "empty")]),
        ] {
            let (_, seen) = revalidated(&cookie, method, &more, &tag);
            assert!(seen.is_empty(), "{variation}: {method} {more:?}");
        }
    }
}

#[test]
fn what_the_origin_is_told_counts_on_pages() {
    let got = visit("/rewritten", &[("cookie", &cookie_of("bold"))]);
    assert_eq!(got.request.get("x-hero").unwrap(), "bold");
    assert_eq!((got.body.as_str(), got.exposures().as_str()), (PAGE, "hero=bold"));
}
