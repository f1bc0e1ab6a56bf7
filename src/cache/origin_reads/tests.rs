//! What is left of requests.

use proptest::prelude::*;

use super::*;
use crate::config::source;

fn compile(yaml: &str) -> (OriginReads, Vec<String>) {
    let reads: Vec<OriginRead> = source::read(yaml.as_bytes()).unwrap().decode().unwrap();
    let mut problems = Vec::new();
    let set = vec![HeaderName::from_static("x-set")];
    let compiled = OriginReads::compile(&reads, &Headers::default(), set, &Path::default(), &mut problems);
    (compiled, problems.iter().map(ToString::to_string).collect())
}

fn request(lines: &[(String, Vec<u8>)]) -> RequestHead {
    let headers = lines.iter().map(|(name, value)| {
        (HeaderName::try_from(name.as_str()).unwrap(), HeaderValue::from_bytes(value).unwrap())
    });
    RequestHead {
        scheme: "https".into(),
        authority: "shop.example".into(),
        headers: headers.collect(),
        ..RequestHead::default()
    }
}

fn left(reads: &OriginReads, mut request: RequestHead, standing: Standing) -> HeaderMap {
    let edits = reads.edits(&request, &request.headers, standing);
    edits.iter().for_each(|edit| edit.apply(&mut request.headers));
    assert_eq!(reads.edits(&request, &request.headers, standing), [], "taken once and for all");
    request.headers
}

fn lines(lines: &[(&str, &str)]) -> Vec<(String, Vec<u8>)> {
    lines.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect()
}

#[test]
fn the_list_can_be_searched() {
    assert!(PASSED.is_sorted());
}

#[test]
fn the_origin_gets_what_is_declared() {
    let (reads, problems) = compile(
        "[{ cookie: plan, any_value: true }, { cookie: A, any_value: true }, { header: X-Geo-Country, any_value: true }]",
    );
    assert_eq!(problems, [""; 0]);
    type Cookie<'a> = (&'a [&'a str], Option<&'a str>);
    let cookies: &[Cookie<'_>] = &[
        (&["plan=pro"], Some("plan=pro")),
        (&["id=1; plan=pro; a=2"], Some("plan=pro")),
        (&["A=1;plan=\"p r o\";;x; A=2 ;id=1"], Some("A=1; plan=\"p r o\"; A=2")),
        (&["id=1", "plan=pro", "A=x=y"], Some("plan=pro; A=x=y")),
        (&["plan = caf\u{e9}"], Some("plan = caf\u{e9}")),
        (&["plan="], Some("plan=")),
        (&["plan"], None),
        (&["=plan"], None),
        (&["id=1; Plan=pro"], None),
        (&["id=\"; plan=pro\""], Some("plan=pro\"")),
        (&[""], None),
        (&[";;;"], None),
        (&[], None),
    ];
    for (sent, expected) in cookies {
        let sent: Vec<(String, Vec<u8>)> =
            sent.iter().map(|value| ("cookie".to_owned(), value.as_bytes().to_vec())).collect();
        let headers = left(&reads, request(&sent), Standing::Visitor);
        let got: Vec<&[u8]> = headers.get_all("cookie").iter().map(HeaderValue::as_bytes).collect();
        assert_eq!(got, expected.iter().map(|value| value.as_bytes()).collect::<Vec<_>>(), "{sent:?}");
    }
    for (name, value, expected) in [
        ("x-geo-country", "US", Some("US")),
        ("authorization", "Bearer x", None),
        ("proxy-authorization", "Basic x", None),
        ("accept", "text/html", None),
        ("accept-language", "de", None),
        ("referer", "/", None),
        ("origin", "https://other.example", None),
        ("sec-ch-ua", "x", None),
        ("x-forwarded-for", "192.0.2.1", None),
        ("forwarded", "for=192.0.2.1", None),
        ("x-original-url", "/admin", None),
        ("x-http-method-override", "POST", None),
        ("x-whatever", "1", None),
        ("x-set", "1", None),
        ("x-envoy-external-address", "192.0.2.1", None),
        ("x-envoy-max-retries", "1", Some("1")),
        ("user-agent", "curl/8", Some("engraft")),
        ("x-forwarded-proto", "https", Some("https")),
        ("x-forwarded-proto", "nothttps", Some("https")),
        ("x-forwarded-host", "evil.example", Some("shop.example")),
        ("accept-encoding", "br", Some("br")),
        ("if-none-match", "\"a\"", Some("\"a\"")),
        ("traceparent", "00-1-1-01", Some("00-1-1-01")),
        ("x-request-id", "1", Some("1")),
    ] {
        let headers = left(&reads, request(&lines(&[(name, value)])), Standing::Visitor);
        let got = headers.get(name).map(|value| value.to_str().unwrap());
        assert_eq!(got, expected, "{name}: {value}");
    }
}

#[test]
fn what_is_bounded_says_one_of_a_few_values() {
    let declared = "[{ cookie: currency, values: [EUR, USD], otherwise: EUR }, { cookie: theme, values: [dark] }, { cookie: any, any_value: true }, { header: x-geo, values: [US, CA], otherwise: other }, { header: x-ab, values: [a, b] }]";
    let (reads, problems) = compile(declared);
    assert_eq!(problems, [""; 0]);
    for (sent, expected) in [
        (&[][..], "cookie: currency=EUR; x-geo: other"),
        (
            &[("cookie", "currency=USD; theme=dark; any=x; id=1")],
            "cookie: currency=USD; theme=dark; any=x; x-geo: other",
        ),
        (&[("cookie", "currency=\"USD\"; currency=EUR; theme=light")], "cookie: currency=USD; x-geo: other"),
        (&[("cookie", "currency=usd")], "cookie: currency=EUR; x-geo: other"),
        (&[("x-geo", "CA"), ("x-ab", "b")], "cookie: currency=EUR; x-ab: b; x-geo: CA"),
        (&[("x-geo", "ca"), ("x-ab", "c")], "cookie: currency=EUR; x-geo: other"),
        (&[("x-geo", "US"), ("x-geo", "CA")], "cookie: currency=EUR; x-geo: US"),
    ] {
        let left = left(&reads, request(&lines(sent)), Standing::Visitor);
        let mut shown: Vec<String> = left
            .iter()
            .filter(|(name, _)| **name != "user-agent")
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        shown.sort();
        assert_eq!(shown.join("; "), expected, "{sent:?}");
    }
    assert_eq!(
        reads.shown(),
        [
            "header x-geo: US, CA or other",
            "header x-ab: a, b or none",
            "cookie currency: USD or EUR",
            "cookie theme: dark or none",
            "cookie any: any value"
        ]
    );
}

#[test]
fn an_attribute_is_in_the_key_where_it_is_the_same_before_and_after() {
    let list = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
    let few = |values: &[&str], otherwise: Option<&str>| Few::new(list(values), otherwise.map(str::to_owned));
    for (of_key, of_attribute, same) in [
        (few(&["US", "CA"], Some("other")), (&["US", "CA"][..], Some("other")), true),
        (few(&["US", "CA"], Some("other")), (&["US"], Some("rest")), true),
        (few(&["US", "CA"], None), (&["US"], None), true),
        (few(&["US", "CA"], Some("CA")), (&["US", "CA"], Some("CA")), true),
        (few(&["US", "CA"], Some("CA")), (&["US", "CA"], Some("other")), false),
        (few(&["US"], Some("other")), (&["US", "CA"], Some("other")), false),
        (few(&["US"], Some("DE")), (&["US", "DE"], Some("other")), false),
    ] {
        assert_eq!(
            of_key.keeps(Some(&list(of_attribute.0)), of_attribute.1),
            same,
            "{of_key:?} {of_attribute:?}"
        );
    }
    assert!(!few(&["US"], None).keeps(None, None), "an attribute with any value");
}

#[test]
fn what_only_patches_set_comes_from_no_visitor() {
    let (reads, problems) = compile("[{ header: x-set }]");
    assert_eq!(problems, [""; 0]);
    let sent = lines(&[("x-set", "forged")]);
    assert!(!left(&reads, request(&sent), Standing::Visitor).contains_key("x-set"));
    assert!(left(&reads, request(&sent), Standing::Patched).contains_key("x-set"));
}

#[test]
fn what_patches_set_passes_the_second_time() {
    let (reads, _) = compile("[]");
    let sent = lines(&[("x-set", "1"), ("x-other", "1")]);
    let headers = left(&reads, request(&sent), Standing::Patched);
    assert!(headers.contains_key("x-set") && !headers.contains_key("x-other"));
    assert!(reads.may_vary("x-set"));
}

#[test]
fn responses_differ_by_what_is_declared() {
    let (reads, _) = compile(
        "[{ cookie: plan, any_value: true }, { header: User-Agent, any_value: true }, { header: x-geo, any_value: true }]",
    );
    let vary: Vec<String> = reads.vary().map(|name| name.to_string()).collect();
    assert_eq!(vary, ["user-agent", "x-geo", "cookie"]);
    for (name, may) in [
        ("cookie", true),
        ("user-agent", true),
        ("x-geo", true),
        ("accept", false),
        ("accept-encoding", true),
    ] {
        assert_eq!(reads.may_vary(name), may, "{name}");
    }
    let (nothing, _) = compile("[]");
    assert!(!nothing.may_vary("user-agent") && !nothing.may_vary("cookie"));
    let headers = left(&reads, request(&lines(&[("user-agent", "curl/8")])), Standing::Visitor);
    assert_eq!(headers["user-agent"], "curl/8");
}

#[test]
fn declarations_are_checked() {
    for (yaml, message) in [
        ("[{}]", "[0]: one of the two"),
        ("[{ cookie: a, header: b }]", "[0]: one of the two"),
        ("[{ header: a b }]", "[0]: \"a b\" is not a header name"),
        ("[{ header: Cookie, any_value: true }]", "write `cookie: name`"),
        ("[{ header: host, any_value: true }]", "in every key"),
        ("[{ header: via, any_value: true }]", "always passes"),
        ("[{ header: x-engraft-record, any_value: true }]", "engraft's own"),
        (
            "[{ header: A, any_value: true }, { header: a, any_value: true }]",
            "[1]: the header \"a\" is declared already",
        ),
        (
            "[{ cookie: a, any_value: true }, { cookie: a, any_value: true }]",
            "[1]: the cookie \"a\" is declared already",
        ),
        ("[{ cookie: 'a;b', any_value: true }]", "not a cookie's name"),
        ("[{ cookie: '', any_value: true }]", "not a cookie's name"),
        ("[{ cookie: a }]", "as many values as visitors send"),
        ("[{ header: a }]", "write `values: […]`"),
        ("[{ header: a, otherwise: b }]", "add `values`"),
        ("[{ header: a, values: [], otherwise: b }]", "0 values; from 1 to 256"),
        ("[{ header: a, values: [b], any_value: true }]", "contradict"),
        ("[{ cookie: a, values: ['b c'] }]", "\"b c\" can't be the value of a cookie"),
        ("[{ header: a, values: [b], otherwise: \"b\\n\" }]", "can't be the value of a header"),
    ] {
        let (_, problems) = compile(yaml);
        assert!(problems.len() == 1 && problems[0].contains(message), "{yaml}: {problems:?}");
    }
    assert_eq!(compile("[{ cookie: a, any_value: true }, { cookie: A, any_value: true }, { header: cookies, any_value: true }]").1, [""; 0]);
    let many = format!(
        "[{}]",
        (0..65).map(|n| format!("{{ cookie: c{n}, any_value: true }}, ")).collect::<String>()
    );
    assert!(compile(&many).1[0].contains("at most 64"));
}

/// Names that mean something here, and others.
fn header_lines() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    let names = vec![
        "cookie",
        "user-agent",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-geo",
        "accept",
        "x-a",
        "via",
    ];
    let value = prop_oneof!["[aAb;= \"]{0,12}".prop_map(String::into_bytes), Just(b"a=\xE9; b=1".to_vec())];
    prop::collection::vec((prop::sample::select(names).prop_map(str::to_owned), value), 0..8)
}

proptest! {
    /// Two requests with the same declared inputs are one to the origin: the rest of them is not.
    #[test]
    fn equal_keys_are_equal_requests(one in header_lines(), other in header_lines()) {
        let (reads, _) = compile("[{ cookie: a, any_value: true }, { header: x-geo, any_value: true }]");
        let about_message = |name: &str| passes(name) && !matches!(name, "user-agent" | FORWARDED_HOST | FORWARDED_PROTO);
        let seen = |lines: &[(String, Vec<u8>)]| {
            // Envoy adds this one where there is none.
            let mut sent = lines.to_vec();
            sent.extend([(FORWARDED_PROTO.to_owned(), b"http".to_vec()), (FORWARDED_HOST.to_owned(), b"h".to_vec())]);
            let mut headers = left(&reads, request(&sent), Standing::Visitor);
            let message: Vec<HeaderName> = headers.keys().filter(|name| about_message(name.as_str())).cloned().collect();
            message.iter().for_each(|name| { headers.remove(name); });
            headers
        };
        let (one, other) = (seen(&one), seen(&other));
        let key = |headers: &HeaderMap| -> Vec<Vec<HeaderValue>> {
            reads.vary().map(|name| headers.get_all(name).iter().cloned().collect()).collect()
        };
        if key(&one) == key(&other) {
            prop_assert_eq!(one, other);
        }
    }
}
