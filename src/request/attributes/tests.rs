//! Reading attributes, and what is wrong with them.

use super::*;

fn catalogue(yaml: &str) -> (Catalogue, Vec<String>) {
    let config: model::Config = crate::config::source::read(yaml.as_bytes()).unwrap().decode().unwrap();
    let mut problems = Vec::new();
    let catalogue = Catalogue::compile(&config.attributes, 64, &mut problems);
    (catalogue, problems.iter().map(ToString::to_string).collect())
}

fn request() -> RequestHead {
    let headers = [
        ("x-geo-country", "US"),
        (
            "cookie",
            "plan=pro; first=\u{e9}; seats=12; big=1234567890123456789012345678901234567890123456789012345678901234567890",
        ),
        ("accept-language", "de-AT, en;q=0.5"),
        ("user-agent", "curl/8.0"),
        ("x-tags", "a, b,,c"),
        ("x-on", "1"),
    ];
    let mut head = RequestHead {
        method: "GET".into(),
        scheme: "https".into(),
        authority: "Shop.Example:8443".into(),
        path: "/p/aurora%20x?utm_source=mail&q=%3C".into(),
        headers: HeaderMap::new(),
        has_body: false,
    };
    for (name, value) in headers {
        head.headers.append(name, http::HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    head
}

#[test]
fn every_source_is_read() {
    let (catalogue, problems) = catalogue(
        "version: 1
attributes:
  country: { header: X-Geo-Country, trusted: true, values: [US, CA], otherwise: other }
  narrow:  { header: x-geo-country, values: [DE], otherwise: other }
  plan:    { cookie: plan }
  first:   { cookie: first }
  seats:   { cookie: seats, type: number }
  big:     { cookie: big, otherwise: none }
  slug:    { path_segment: 1 }
  utm:     { query: utm_source }
  missing: { query: nothing }
  lang:    { language: [en, de], otherwise: en }
  device:  { user_agent: device }
  bot:     { user_agent: bot }
  tags:    { header: x-tags, type: list }
  on:      { header: x-on, type: boolean }
  peer:    { connection: peer_address }
  team:    { filter_state: team }
",
    );
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(
        catalogue.facts(),
        [Fact::Connection(Connection::PeerAddress), Fact::FilterState("team".into())]
    );
    let wanted = catalogue.names().map(str::to_owned).collect();
    let values = catalogue.read(&wanted, &request(), &[Some("192.0.2.1".into()), None]);
    let shown: Vec<String> = values.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(
        shown,
        [
            "big=\"none\"",
            "bot=true",
            "country=\"US\"",
            "device=\"desktop\"",
            "first=\"é\"",
            "lang=\"de\"",
            "narrow=\"other\"",
            "on=true",
            "peer=\"192.0.2.1\"",
            "plan=\"pro\"",
            "request.host=\"shop.example\"",
            "request.method=\"GET\"",
            "request.path=\"/p/aurora%20x\"",
            "request.query=\"utm_source=mail&q=%3C\"",
            "request.scheme=\"https\"",
            "seats=12.0",
            "slug=\"aurora x\"",
            "tags=[\"a\",\"b\",\"c\"]",
            "utm=\"mail\"",
        ]
    );
    assert_eq!(values.text("seats").as_deref(), Some("12"));
    assert!(catalogue.is_visitor_controlled("plan") && !catalogue.is_visitor_controlled("country"));
    assert!(catalogue.depends_on_visitor("plan") && !catalogue.depends_on_visitor("slug"));
}

#[test]
fn mistakes_are_named_with_their_place() {
    let (_, problems) = catalogue(
        "version: 1
attributes:
  id: { cookie: a }
  a b: { cookie: a }
  both: { cookie: a, header: b }
  none: { trusted: true }
  bad: { header: 'a b' }
  jar: { header: Cookie }
  empty: { language: [] }
  closed: { cookie: a, values: [] }
",
    );
    for (path, message) in [
        ("attributes.id", "reserved"),
        ("attributes[\"a b\"]", "letters"),
        ("attributes.both", "more than one source"),
        ("attributes.none", "no source"),
        ("attributes.bad", "not a header name"),
        ("attributes.jar", "`cookie: name`"),
        ("attributes.empty", "languages is empty"),
        ("attributes.closed", "values is empty"),
    ] {
        assert!(
            problems.iter().any(|line| line.contains(path) && line.contains(message)),
            "{path}: {problems:#?}"
        );
    }
}
