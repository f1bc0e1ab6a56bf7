//! The promise about 304, against a model of an origin and of browsers: whoever is told 304 has, byte for byte, what they would
//! get now; and who asks twice in a row is told so.

use super::*;
use proptest::prelude::*;

/// Configurations for the same URLs. They differ in what they say, in how it leaves, in which page of the origin's it is
/// about, and in whether anything is done at all.
const CONFIGURATIONS: [&str; 5] = [
    "patches: [{ select: p, text: 'one {{ plan }}' }, { json: body, set: { /plan: '{{ plan }}' } }, { when: { plan: pro }, script: { inline: f() } }]",
    "patches: [{ select: p, text: 'two {{ plan }}' }, { json: body, set: { /plan: 'two' } }]",
    "{ delivery: whole, content_coding: gzip, patches: [{ when: { plan: pro }, select: p, text: only }] }",
    "patches: [{ when: { plan: pro }, rewrite: { path: /other } }]",
    "patches: []",
];

/// What is asked for. The last one has a nonce in its head that is another one each time.
const PATHS: [&str; 4] = ["/page", "/data", "/image", "/nonce"];

fn engines() -> Vec<Arc<Engine>> {
    let engine = |route: &&str| {
        let route = route.trim_start_matches("{ ").trim_end_matches(" }").to_owned();
        let route = if route.ends_with(']') { route } else { format!("{route} }}") };
        let config = format!(
            "version: 1\nattributes: {{ plan: {{ cookie: plan, values: [free, pro], otherwise: free }} }}\nroutes: [{{ name: r, {route} }}]"
        );
        Arc::new(Engine::load(config.as_bytes()).unwrap().engine)
    };
    CONFIGURATIONS.iter().map(engine).collect()
}

#[derive(Debug, Clone)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn text(&self, name: HeaderName) -> Option<String> {
        self.headers.get(name).map(|value| value.to_str().unwrap().to_owned())
    }
}

/// One version of everything at a time. Its tags say the version only, so two of its pages have the same.
#[derive(Debug, Default)]
struct Origin {
    version: u8,
    is_weak: bool,
    answers: u32,
}

impl Origin {
    fn answer(&mut self, path: &str, headers: &HeaderMap) -> Answer {
        self.answers += 1;
        let tag = format!("\"v{}\"", self.version);
        let written = format!("{}{tag}", if self.is_weak { "W/" } else { "" });
        let date = format!("Thu, 01 Jan 2026 00:00:{:02} GMT", self.version);
        let (content_type, body) = match path {
            "/data" => ("application/json", format!("{{\"version\":{}}}", self.version)),
            "/image" => ("image/png", format!("png {}", self.version)),
            _ => ("text/html; charset=utf-8", format!("<head></head><p>x</p>{path} {}", self.version)),
        };
        let mut told = HeaderMap::new();
        let mut tell =
            |name: HeaderName, value: &str| told.insert(name, HeaderValue::from_str(value).unwrap());
        tell(header::ETAG, &written);
        tell(header::LAST_MODIFIED, &date);
        if path == "/nonce" {
            tell(header::CONTENT_SECURITY_POLICY, &format!("script-src 'nonce-n{}'", self.answers));
        }
        // RFC 9110 § 13.2.2, with weak comparison.
        let is_known = match headers.get(header::IF_NONE_MATCH) {
            Some(tags) => {
                let tags = tags.to_str().unwrap().split(", ");
                tags.map(|known| known.trim_start_matches("W/")).any(|known| known == tag || known == "*")
            }
            None => headers.get(header::IF_MODIFIED_SINCE).is_some_and(|since| *since == date),
        };
        if is_known {
            return Answer { status: 304, headers: told, body: Vec::new() };
        }
        told.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        Answer { status: 200, headers: told, body: body.into_bytes() }
    }
}

fn ask(engine: &Arc<Engine>, origin: &mut Origin, mut request: RequestHead) -> Answer {
    let begun = begin(engine, &request, &Default::default());
    let Next::Forward(forwarded) = begun.next else { panic!("answered") };
    begun.edits.headers.iter().for_each(|edit| edit.apply(&mut request.headers));
    let path = begun.edits.path.unwrap_or(request.path);
    let mut answer = origin.answer(&path, &request.headers);
    let answered = forwarded.answer(StatusCode::from_u16(answer.status).unwrap(), &answer.headers);
    answered.headers.iter().for_each(|edit| edit.apply(&mut answer.headers));
    if let Body::Edited(mut edits) = answered.body {
        let mut out = Vec::new();
        let tail = edits.write(&answer.body, &mut out);
        out.extend_from_slice(&answer.body[answer.body.len() - tail..]);
        let _ = edits.end(&mut out);
        answer.body = out;
    }
    if request.method == "HEAD" {
        answer.body.clear();
    }
    answer
}

/// One step of one of two visitors, or of the world.
#[derive(Debug, Clone)]
enum Step {
    Publish {
        is_weak: bool,
    },
    /// The pages are the version before again.
    Unpublish,
    Reconfigure(usize),
    ChangePlan {
        visitor: usize,
    },
    Visit {
        visitor: usize,
        path: usize,
        how: How,
    },
}

/// How a browser asks for what it may have.
#[derive(Debug, Clone)]
struct How {
    /// By every tag that it has seen, not only by that of the body that it keeps.
    by_all_tags: bool,
    by_tag: bool,
    by_date: bool,
    by_asterisk: bool,
    takes_gzip: bool,
    says_image: bool,
}

/// What a browser keeps of one URL: all that came, the last one last.
type Kept = Vec<Answer>;

fn request(plan: &str, path: &str, how: &How, kept: &Kept) -> RequestHead {
    let mut request = head(path, &[]);
    let mut say = |name: HeaderName, value: String| {
        request.headers.append(name, HeaderValue::try_from(value).unwrap());
    };
    say(header::COOKIE, format!("plan={plan}"));
    if how.takes_gzip {
        say(header::ACCEPT_ENCODING, "gzip".to_owned());
    }
    if how.says_image && path == "/image" {
        say(HeaderName::from_static("sec-fetch-dest"), "image".to_owned());
    }
    let asked = if how.by_all_tags { kept.as_slice() } else { &kept[kept.len().saturating_sub(1)..] };
    if how.by_tag {
        asked
            .iter()
            .filter_map(|answer| answer.text(header::ETAG))
            .for_each(|tag| say(header::IF_NONE_MATCH, tag));
    }
    if how.by_asterisk && path == "/page" {
        say(header::IF_NONE_MATCH, "*".to_owned());
    }
    if let Some(date) =
        kept.last().filter(|_| how.by_date).and_then(|answer| answer.text(header::LAST_MODIFIED))
    {
        say(header::IF_MODIFIED_SINCE, date);
    }
    request
}

/// The body that a 304 is about, by its tag (RFC 9111 § 4.3.4).
fn chosen<'k>(kept: &'k Kept, answer: &Answer) -> Option<&'k Answer> {
    let opaque = |tag: &str| tag.trim_start_matches("W/").to_owned();
    let wanted = answer.text(header::ETAG).map(|tag| opaque(&tag));
    let same = |kept: &&Answer| kept.text(header::ETAG).map(|tag| opaque(&tag)) == wanted;
    kept.iter().rev().find(same)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let how = (any::<[bool; 5]>(), prop::bool::weighted(0.1)).prop_map(|(flags, by_asterisk)| {
        let [by_all_tags, by_tag, by_date, takes_gzip, says_image] = flags;
        How { by_all_tags, by_tag, by_date, by_asterisk, takes_gzip, says_image }
    });
    let step = prop_oneof![
        1 => any::<bool>().prop_map(|is_weak| Step::Publish { is_weak }),
        1 => Just(Step::Unpublish),
        2 => (0..CONFIGURATIONS.len()).prop_map(Step::Reconfigure),
        2 => (0..2_usize).prop_map(|visitor| Step::ChangePlan { visitor }),
        12 => (0..2_usize, 0..PATHS.len(), how).prop_map(|(visitor, path, how)| Step::Visit { visitor, path, how }),
    ];
    prop::collection::vec(step, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn who_is_told_304_has_what_they_would_get(steps in steps()) {
        let engines = engines();
        let mut origin = Origin::default();
        let mut engine = &engines[0];
        let mut plans = ["free", "pro"];
        let mut kept: [[Kept; PATHS.len()]; 2] = Default::default();
        for step in steps {
            match step {
                Step::Publish { is_weak } => {
                    origin.version += 1;
                    origin.is_weak = is_weak;
                }
                Step::Unpublish => origin.version = origin.version.saturating_sub(1),
                Step::Reconfigure(index) => engine = &engines[index],
                Step::ChangePlan { visitor } => {
                    plans[visitor] = if plans[visitor] == "pro" { "free" } else { "pro" };
                }
                Step::Visit { visitor, path, how } => {
                    let (plan, kept) = (plans[visitor], &mut kept[visitor][path]);
                    // Where there are no patches, `*` is between the visitor and the origin.
                    let has_patches = !engine.routes()[0].patches.is_empty();
                    let how = How { by_asterisk: how.by_asterisk && has_patches, ..how };
                    let asked = |how: &How, kept: &Kept| request(plan, PATHS[path], how, kept);
                    let nothing = How { by_tag: false, by_date: false, by_asterisk: false, ..how.clone() };
                    let now = ask(engine, &mut origin, asked(&nothing, kept));
                    let of_head = ask(engine, &mut origin, RequestHead { method: "HEAD".into(), ..asked(&nothing, kept) });
                    prop_assert_eq!(now.text(header::ETAG), of_head.text(header::ETAG));
                    prop_assert_eq!(now.status, 200);
                    let answer = ask(engine, &mut origin, asked(&how, kept));
                    if answer.status == 304 {
                        let had = chosen(kept, &answer);
                        let had = had.ok_or_else(|| TestCaseError::fail("304 for a page that nobody has"))?;
                        prop_assert_eq!(had.body.escape_ascii().to_string(), now.body.escape_ascii().to_string());
                        prop_assert_eq!(answer.text(header::LAST_MODIFIED), now.text(header::LAST_MODIFIED));
                        // Of what type the page is, a 304 need not say, so it is private in any case.
                        if PATHS[path] == "/page" {
                            prop_assert_eq!(answer.text(header::CACHE_CONTROL), now.text(header::CACHE_CONTROL));
                        }
                    } else {
                        kept.push(answer.clone());
                    }
                    // Nothing happens, and they ask again by what they just got.
                    let again = How { by_all_tags: false, by_tag: true, by_asterisk: false, ..how };
                    let is_variant = answer.text(header::ETAG).is_some_and(|tag| tag.contains(';'));
                    if answer.status == 200 && (PATHS[path] == "/page" || is_variant) {
                        let answer = ask(engine, &mut origin, asked(&again, kept));
                        prop_assert_eq!(answer.status, 304, "{}", PATHS[path]);
                    }
                }
            }
        }
    }
}

#[test]
fn conditional_requests_in_every_order_over_two_variants_and_two_configurations() {
    let engines = engines();
    let mut origin = Origin::default();
    let how = How {
        by_all_tags: false,
        by_tag: false,
        by_date: true,
        by_asterisk: false,
        takes_gzip: false,
        says_image: false,
    };
    let states: Vec<(usize, &str)> =
        vec![(0, "free"), (0, "pro"), (1, "free"), (1, "pro"), (3, "free"), (3, "pro")];
    for (first, plan) in &states {
        let kept = vec![ask(&engines[*first], &mut origin, request(plan, "/page", &how, &Vec::new()))];
        for (second, other) in &states {
            let by_tag = How { by_tag: true, ..how.clone() };
            let answer = ask(&engines[*second], &mut origin, request(other, "/page", &by_tag, &kept));
            let expected = if (first, plan) == (second, other) { 304 } else { 200 };
            assert_eq!(answer.status, expected, "{first} {plan}, then {second} {other}");
        }
    }
}

#[test]
fn a_page_with_a_nonce_has_no_validator() {
    let engines = engines();
    let how = How {
        by_all_tags: false,
        by_tag: true,
        by_date: true,
        by_asterisk: false,
        takes_gzip: false,
        says_image: false,
    };
    let answer = ask(&engines[0], &mut Origin::default(), request("pro", "/nonce", &how, &Vec::new()));
    assert!(String::from_utf8_lossy(&answer.body).contains("nonce=\"n1\""));
    assert_eq!((answer.text(header::ETAG), answer.text(header::LAST_MODIFIED)), (None, None));
}
