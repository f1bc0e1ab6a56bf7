use std::sync::Arc;

use http::HeaderMap;

use crate::engine::Engine;
use crate::exchange::{Begun, Next, begin};
use crate::headers::HeaderEdit;
use crate::request::RequestHead;

fn begun(patch: &str, path: &str, cookie: &str) -> Begun {
    let config = format!(
        "version: 1\nattributes: {{ q: {{ query: q }}, c: {{ cookie: c }} }}\nroutes:\n- name: a\n  patches:\n  - {patch}\n"
    );
    let loaded = Engine::load(config.as_bytes()).unwrap_or_else(|problems| panic!("{problems}"));
    let mut headers = HeaderMap::new();
    headers.insert("cookie", cookie.parse().unwrap());
    let request = RequestHead {
        method: "GET".into(),
        scheme: "https".into(),
        authority: "shop.example".into(),
        path: path.into(),
        headers,
        has_body: false,
    };
    begin(&Arc::new(loaded.engine), &request, &Default::default())
}

#[test]
fn redirects_lead_where_the_configuration_says() {
    for (to, path, expected) in [
        ("/de/{{ q }}", "/p?q=a/../../b%0d%0a", Some("/de/a%2F_%2F_%2Fb%0D%0A")),
        ("/{{ q }}/{{ c }}", "/p?q=", Some("/_/evil.example")),
        ("/{{ q }}", "/p?q=/evil.example", Some("/%2Fevil.example")),
        ("/{{ q }}", "/p?q=%5Cevil.example", Some("/%5Cevil.example")),
        (
            "https://new.example{{ request.path }}?from={{ q }}",
            "//evil/..;/x?q=%26a=b",
            Some("https://new.example/evil/_/x?from=%26a%3Db"),
        ),
        // Where the visitor is already.
        ("{{ request.path }}", "/p", None),
    ] {
        let location = match begun(&format!("redirect: {{ to: '{to}' }}"), path, "c=evil.example").next {
            Next::Respond(response, _) => Some(response.headers[0].1.to_str().unwrap().to_owned()),
            Next::Forward(_) => None,
        };
        assert_eq!(location.as_deref(), expected, "{to} for {path}");
    }
}

#[test]
fn rewrites_stay_in_their_directory() {
    for (target, path, expected) in [
        ("/p/{{ q }}", "/x?q=../../etc", Some("/p/_%2F_%2Fetc?q=../../etc")),
        ("/p/{{ q }}", "/x?q=a?b%23c", Some("/p/a%3Fb%23c?q=a?b%23c")),
        ("/p{{ request.path }}", "/%2e%2e/x", Some("/p/_/x")),
        ("/{{ q }}/a", "/x", Some("/_/a")),
    ] {
        let edits = begun(&format!("rewrite: {{ path: '{target}' }}"), path, "c=1").edits;
        assert_eq!(edits.path.as_deref(), expected, "{target} for {path}");
    }
}

#[test]
fn headers_stay_on_their_line() {
    let edits = begun(
        "request_headers: { set: { x-c: 'c={{ c }}' }, add: { x-q: \"{{ q | default('none') }}\" } }",
        "/p?q=a%0D%0Ax:+y",
        "c=1,2",
    )
    .edits;
    let values: Vec<(String, String)> = edits
        .headers
        .iter()
        .filter_map(|edit| match edit {
            HeaderEdit::Set(name, value) | HeaderEdit::Add(name, value) => {
                Some((name.to_string(), value.to_str().unwrap().to_owned()))
            }
            HeaderEdit::Remove(_) => None,
        })
        .collect();
    assert_eq!(values, [("x-c".into(), "c=1%2C2".into()), ("x-q".into(), "a%0D%0Ax: y".into())]);
}

#[test]
fn what_could_lead_elsewhere_is_refused() {
    for (patch, message) in [
        ("redirect: { to: '{{ q }}' }", "at its start, and would decide where it leads"),
        ("redirect: { to: 'https://{{ q }}/' }", "in the host of the URL"),
        ("redirect: { to: '//a.example/{{ q }}' }", "is neither a path"),
        ("rewrite: { path: '/a?b={{ q }}' }", "has no query"),
        ("rewrite: { path: 'a/{{ q }}' }", "is not a path"),
        ("rewrite: { host: '{{ q }}' }", "a value can't be a host"),
        ("response_headers: { set: { location: '/{{ q }}' } }", "which browsers and caches obey"),
        ("response_headers: { set: { x-a: '{{ qq }}' } }", "\"qq\" is not an attribute"),
    ] {
        let config = format!(
            "version: 1\nattributes: {{ q: {{ query: q }} }}\nroutes:\n- name: a\n  patches:\n  - {patch}\n"
        );
        let problems = Engine::load(config.as_bytes()).unwrap_err().to_string();
        assert!(problems.contains(message), "{patch}: {problems}");
    }
}

#[test]
fn a_header_with_a_visitors_value_is_not_for_everybody() {
    let config = "version: 1\nattributes: { c: { cookie: c } }\nroutes:\n- name: a\n  cache: { cdn: { public: true, max_age: 1h } }\n  patches:\n  - response_headers: { set: { x-c: '{{ c }}' } }\n";
    let problems = Engine::load(config.as_bytes()).unwrap_err().to_string();
    assert!(problems.contains("cdn"), "{problems}");
}
