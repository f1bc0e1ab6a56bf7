use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::policy::{Delivery, Policy};
use super::*;

const CSP: HeaderName = CONTENT_SECURITY_POLICY;
const REPORT_ONLY: HeaderName = CONTENT_SECURITY_POLICY_REPORT_ONLY;
/// `f()`.
const HASH: &str = "'sha256-GcEEE0IkDzIP5EQ6DXZaDPORqT5RTBELX8Fyzyg9yvo='";

fn page() -> Page {
    Page::new("https", "shop.example")
}

fn script() -> Need {
    Need::Inline { kind: Kind::Script, hash: Some(Hash::of_inline("f()")), nonceable: true }
}

fn style() -> Need {
    Need::Inline { kind: Kind::Style, hash: Some(Hash::of_inline("f()")), nonceable: true }
}

fn attribute(kind: Kind) -> Need {
    Need::Attribute { kind, hash: Some(Hash::of_inline("f()")) }
}

fn external(url: &str, integrity: &str) -> Need {
    let integrity = Hash::of_integrity(integrity);
    Need::Fetch { resource: Resource::Script, url: Url::parse(url), integrity, nonceable: true }
}

fn fetch(resource: Resource, url: &str) -> Need {
    Need::Fetch { resource, url: Url::parse(url), integrity: Vec::new(), nonceable: true }
}

fn headers(values: &[(HeaderName, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in values {
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}

/// The verdict on one group and the policies that leave, as they leave.
fn plan(policies: &[(HeaderName, &str)], needs: &[Need]) -> (Verdict, Vec<(HeaderName, String)>) {
    let mut headers = headers(policies);
    let plan = Plan::for_response(&headers, &page(), &[needs]);
    plan.header_edits.iter().for_each(|edit| edit.apply(&mut headers));
    let leaving = [CSP, REPORT_ONLY].into_iter().flat_map(|name| {
        let values = headers.get_all(&name).iter();
        let values =
            values.map(|value| (name.clone(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        values.collect::<Vec<_>>()
    });
    let leaving = leaving.collect();
    let [verdict] = <[Verdict; 1]>::try_from(plan.verdicts).unwrap();
    (verdict, leaving)
}

fn free() -> Verdict {
    Verdict::Insert { nonce: None }
}

fn with(nonce: &str) -> Verdict {
    Verdict::Insert { nonce: Some(nonce.to_owned()) }
}

/// `#` stands for the hash, `=` for a header that leaves as it came.
#[test]
fn one_policy_and_one_need() {
    use Verdict::Refused;
    let cases = [
        // Allowed already.
        (script(), "", free(), "="),
        (script(), "img-src 'none'", free(), "="),
        (script(), "script-src 'unsafe-inline'", free(), "="),
        (script(), "script-src 'self' 'UNSAFE-INLINE' https:; object-src 'none'", free(), "="),
        (script(), "script-src #", free(), "="),
        (script(), "default-src 'none'; script-src-elem 'unsafe-inline'", free(), "="),
        // The governing directive takes up the hash.
        (script(), "script-src 'self'", free(), "script-src 'self' #"),
        (script(), "script-src 'self'; img-src *", free(), "script-src 'self' #; img-src *"),
        (script(), " Script-Src\t'self'  ;img-src *;", free(), " Script-Src\t'self' #  ;img-src *;"),
        (
            script(),
            "script-src-elem 'self'; script-src a.example",
            free(),
            "script-src-elem 'self' #; script-src a.example",
        ),
        (
            script(),
            "script-src 'self'; script-src 'unsafe-inline'",
            free(),
            "script-src 'self' #; script-src 'unsafe-inline'",
        ),
        (
            script(),
            "script-src-attr 'unsafe-inline'; script-src 'self'",
            free(),
            "script-src-attr 'unsafe-inline'; script-src 'self' #",
        ),
        (script(), "script-src 'sha256-AAAA'", free(), "script-src 'sha256-AAAA' #"),
        (
            script(),
            "script-src 'unsafe-inline' 'sha256-AAAA'",
            free(),
            "script-src 'unsafe-inline' 'sha256-AAAA' #",
        ),
        (
            script(),
            "script-src 'unsafe-inline' 'strict-dynamic'",
            free(),
            "script-src 'unsafe-inline' 'strict-dynamic' #",
        ),
        (script(), "script-src *", free(), "script-src * #"),
        // `'none'` and nothing are the same, and both contradict a hash.
        (script(), "script-src 'none'", free(), "script-src #"),
        (script(), "script-src 'NONE' ; x", free(), "script-src # ; x"),
        (script(), "script-src", free(), "script-src #"),
        (script(), "script-src 'none' 'self'", free(), "script-src 'none' 'self' #"),
        // `default-src` governs much else: a directive of its own.
        (script(), "default-src 'self'", free(), "default-src 'self'; script-src-elem 'self' #"),
        (script(), "default-src 'self';", free(), "default-src 'self'; script-src-elem 'self' #"),
        (script(), "default-src 'none'", free(), "default-src 'none'; script-src-elem #"),
        (script(), "default-src", free(), "default-src; script-src-elem #"),
        (
            script(),
            "default-src 'self' 'unsafe-inline' 'strict-dynamic'",
            free(),
            "default-src 'self' 'unsafe-inline' 'strict-dynamic'; script-src-elem 'self' 'unsafe-inline' 'strict-dynamic' #",
        ),
        (
            style(),
            "default-src 'self'; script-src 'none'",
            free(),
            "default-src 'self'; script-src 'none'; style-src-elem 'self' #",
        ),
        (style(), "style-src 'self' 'unsafe-inline' 'strict-dynamic'", free(), "="),
        (style(), "style-src 'self'", free(), "style-src 'self' #"),
        // Directives that browsers pass over.
        (
            script(),
            "script-src \u{e9}; default-src 'self'",
            free(),
            "script-src \u{e9}; default-src 'self'; script-src-elem 'self' #",
        ),
        // Nonces.
        (script(), "script-src 'nonce-abc'", with("abc"), "="),
        (script(), "script-src 'nonce-abc' 'strict-dynamic' 'unsafe-inline' https:", with("abc"), "="),
        (script(), "default-src 'nonce-abc' 'nonce-def'", with("abc"), "="),
        (script(), "script-src 'nonce-abc' #", free(), "="),
        (script(), "script-src 'nonce-a\"b'", free(), "script-src 'nonce-a\"b' #"),
        (
            script(),
            "style-src 'nonce-abc'; script-src 'self'",
            free(),
            "style-src 'nonce-abc'; script-src 'self' #",
        ),
        (
            Need::Inline { kind: Kind::Script, hash: None, nonceable: true },
            "script-src 'nonce-abc'",
            with("abc"),
            "=",
        ),
        (Need::Inline { kind: Kind::Script, hash: None, nonceable: true }, "script-src 'self'", Refused, "="),
        (
            Need::Inline { kind: Kind::Script, hash: Some(Hash::of("f()")), nonceable: false },
            "script-src 'nonce-abc'",
            free(),
            "script-src 'nonce-abc' #",
        ),
        // Scripts by URL: no host is ever added.
        (external("https://cdn.example/x.js", ""), "script-src https://cdn.example", free(), "="),
        (external("https://cdn.example/x.js", ""), "script-src 'self'", Refused, "="),
        (external("/x.js", ""), "script-src 'self'", free(), "="),
        (external("/x.js", ""), "default-src 'none'", Refused, "="),
        (external("https://cdn.example/x.js", ""), "script-src 'nonce-abc'", with("abc"), "="),
        (external("https://cdn.example/x.js", ""), "script-src 'nonce-abc' cdn.example", free(), "="),
        (
            external("https://cdn.example/x.js", ""),
            "script-src 'nonce-abc' 'strict-dynamic' cdn.example",
            with("abc"),
            "=",
        ),
        (external("https://cdn.example/x.js", ""), "script-src 'strict-dynamic' cdn.example", Refused, "="),
        (
            external("https://cdn.example/x.js", "sha384-AAAA"),
            "script-src 'self'",
            free(),
            "script-src 'self' 'sha384-AAAA'",
        ),
        (
            external("https://cdn.example/x.js", "sha384-AAAA"),
            "default-src 'none'",
            free(),
            "default-src 'none'; script-src-elem 'sha384-AAAA'",
        ),
        (
            external("https://cdn.example/x.js", "sha384-AAAA"),
            "script-src 'strict-dynamic' cdn.example",
            free(),
            "script-src 'strict-dynamic' cdn.example 'sha384-AAAA'",
        ),
        (
            external("https://cdn.example/x.js", "sha384-AAAA sha256-BBBB"),
            "script-src 'sha384-AAAA'",
            free(),
            "script-src 'sha384-AAAA' 'sha256-BBBB'",
        ),
        (
            external("https://cdn.example/x.js", "sha384-AAAA"),
            "script-src 'self' 'unsafe-inline'",
            Refused,
            "=",
        ),
        // Other fetches.
        (fetch(Resource::Style, "https://cdn.example/x.css"), "style-src 'self'", Refused, "="),
        (fetch(Resource::Style, "https://cdn.example/x.css"), "style-src 'nonce-a'", with("a"), "="),
        (fetch(Resource::Image, "https://cdn.example/x.png"), "img-src 'nonce-a'", Refused, "="),
        (
            fetch(Resource::Image, "https://cdn.example/x.png"),
            "default-src 'none'; img-src https:",
            free(),
            "=",
        ),
        (fetch(Resource::Font, "https://cdn.example/x"), "default-src *.example", free(), "="),
        (
            fetch(Resource::Hint, "https://cdn.example/x"),
            "default-src 'self'; img-src cdn.example",
            free(),
            "=",
        ),
        (
            fetch(Resource::Hint, "https://cdn.example/x"),
            "default-src 'self'; report-to cdn.example",
            Refused,
            "=",
        ),
        (fetch(Resource::Hint, "https://cdn.example/x"), "script-src 'self'", free(), "="),
        // Attributes: hashes count beside `'unsafe-hashes'` only.
        (attribute(Kind::Style), "style-src 'unsafe-inline'", free(), "="),
        (attribute(Kind::Style), "style-src 'unsafe-hashes' #", free(), "="),
        (attribute(Kind::Style), "style-src #", free(), "style-src #; style-src-attr 'unsafe-hashes' #"),
        (
            attribute(Kind::Style),
            "style-src 'self' 'sha256-AAAA'",
            free(),
            "style-src 'self' 'sha256-AAAA'; style-src-attr 'unsafe-hashes' #",
        ),
        (
            attribute(Kind::Style),
            "default-src 'self' 'report-sample'",
            free(),
            "default-src 'self' 'report-sample'; style-src-attr 'report-sample' 'unsafe-hashes' #",
        ),
        (
            attribute(Kind::Style),
            "style-src 'unsafe-hashes' 'sha256-AAAA'",
            free(),
            "style-src 'unsafe-hashes' 'sha256-AAAA'; style-src-attr 'unsafe-hashes' 'sha256-AAAA' #",
        ),
        (
            attribute(Kind::Style),
            "style-src-attr 'unsafe-hashes' 'sha256-AAAA'",
            free(),
            "style-src-attr 'unsafe-hashes' 'sha256-AAAA' #",
        ),
        (attribute(Kind::Style), "style-src-attr 'none'", free(), "style-src-attr 'unsafe-hashes' #"),
        (attribute(Kind::Style), "style-src-attr 'sha256-AAAA'", Refused, "="),
        (
            attribute(Kind::Style),
            "style-src 'nonce-a'",
            free(),
            "style-src 'nonce-a'; style-src-attr 'unsafe-hashes' #",
        ),
        (
            attribute(Kind::Script),
            "script-src 'self'",
            free(),
            "script-src 'self'; script-src-attr 'unsafe-hashes' #",
        ),
        (Need::Attribute { kind: Kind::Style, hash: None }, "style-src 'self'", Refused, "="),
        // Scripts don't run in a sandbox.
        (script(), "sandbox", Refused, "="),
        (script(), "sandbox Allow-Scripts", free(), "="),
        (external("/x.js", ""), "sandbox allow-forms", Refused, "="),
        (style(), "sandbox", free(), "="),
        // Trusted Types are about what scripts do, not about scripts of the page.
        (script(), "require-trusted-types-for 'script'; trusted-types x", free(), "="),
    ];
    for (need, policy, verdict, leaving) in cases {
        let [policy, leaving] = [policy, leaving].map(|text| text.replace('#', HASH));
        let (got, left) = plan(&[(CSP, &policy)], &[need]);
        assert_eq!(got, verdict, "{policy}");
        let leaving = if leaving == "=" { policy.clone() } else { leaving };
        assert_eq!(left, [(CSP, leaving)], "{policy}");
    }
}

#[test]
fn all_policies_count_each_in_its_own_line() {
    type Lines<'a> = &'a [(HeaderName, &'a str)];
    let cases: [(Lines<'_>, Verdict, Lines<'_>); 9] = [
        (&[], free(), &[]),
        (
            &[(CSP, "script-src 'self'"), (CSP, "img-src *"), (CSP, "default-src x.example")],
            free(),
            &[
                (CSP, "script-src 'self' #"),
                (CSP, "img-src *"),
                (CSP, "default-src x.example; script-src-elem x.example #"),
            ],
        ),
        (
            &[(CSP, "script-src 'self', default-src 'none';,")],
            free(),
            &[(CSP, "script-src 'self' #, default-src 'none'; script-src-elem #,")],
        ),
        (
            &[(CSP, "script-src 'self'"), (REPORT_ONLY, "script-src 'none'")],
            free(),
            &[(CSP, "script-src 'self' #"), (REPORT_ONLY, "script-src #")],
        ),
        (
            &[(CSP, "script-src 'unsafe-inline'"), (REPORT_ONLY, "sandbox; script-src 'self'")],
            free(),
            &[(CSP, "script-src 'unsafe-inline'"), (REPORT_ONLY, "sandbox; script-src 'self' #")],
        ),
        // The nonce that both know.
        (
            &[(CSP, "script-src 'nonce-a' 'nonce-b'"), (REPORT_ONLY, "script-src 'nonce-b' 'nonce-c'")],
            with("b"),
            &[(CSP, "script-src 'nonce-a' 'nonce-b'"), (REPORT_ONLY, "script-src 'nonce-b' 'nonce-c'")],
        ),
        // No such nonce: the hash for the other.
        (
            &[(CSP, "script-src 'nonce-a'"), (CSP, "script-src 'nonce-b'")],
            with("a"),
            &[(CSP, "script-src 'nonce-a'"), (CSP, "script-src 'nonce-b' #")],
        ),
        (
            &[(CSP, "script-src 'nonce-a'"), (CSP, "script-src 'self'")],
            with("a"),
            &[(CSP, "script-src 'nonce-a'"), (CSP, "script-src 'self' #")],
        ),
        (
            &[(CSP, "script-src 'self'"), (CSP, "sandbox")],
            Verdict::Refused,
            &[(CSP, "script-src 'self'"), (CSP, "sandbox")],
        ),
    ];
    for (policies, verdict, leaving) in cases {
        let leaving: Vec<(HeaderName, String)> =
            leaving.iter().map(|(name, value)| (name.clone(), value.replace('#', HASH))).collect();
        assert_eq!(plan(policies, &[script()]), (verdict, leaving), "{policies:?}");
    }
}

#[test]
fn a_group_is_inserted_wholly_or_not_at_all() {
    let policy = [(CSP, "default-src 'self'")];
    let needs = [script(), external("https://cdn.example/x.js", "")];
    assert_eq!(plan(&policy, &needs), (Verdict::Refused, vec![(CSP, "default-src 'self'".to_owned())]));

    let headers = headers(&policy);
    let (script, style) = ([script()], [style()]);
    let groups: [&[Need]; 4] = [&needs, &script, &[], &style];
    let plan = Plan::for_response(&headers, &page(), &groups);
    assert_eq!(plan.verdicts, [Verdict::Refused, free(), free(), free()]);
    let expected = format!("default-src 'self'; script-src-elem 'self' {HASH}; style-src-elem 'self' {HASH}");
    assert_eq!(plan.header_edits, [HeaderEdit::Set(CSP, HeaderValue::try_from(expected).unwrap())]);
}

#[test]
fn the_same_hash_is_added_once() {
    let headers = headers(&[(CSP, "default-src 'none'")]);
    let group = [script(), attribute(Kind::Script)];
    let plan = Plan::for_response(&headers, &page(), &[&group, &group]);
    let expected =
        format!("default-src 'none'; script-src-elem {HASH}; script-src-attr 'unsafe-hashes' {HASH}");
    assert_eq!(plan.header_edits, [HeaderEdit::Set(CSP, HeaderValue::try_from(expected).unwrap())]);
}

#[test]
fn policies_beyond_the_bound_are_not_worked_with() {
    let long = format!("script-src 'self' {}", "x.example ".repeat(7000));
    assert_eq!(plan(&[(CSP, &long)], &[script()]).0, Verdict::Refused);
    assert_eq!(plan(&[(CSP, &long)], &[]).0, free());
}

#[test]
fn policies_that_a_patch_sets_are_the_ones_that_count() {
    let origin = headers(&[(CSP, "script-src 'none'"), (REPORT_ONLY, "script-src 'none'")]);
    let edits = [
        HeaderEdit::Set(CSP, HeaderValue::from_static("img-src *")),
        HeaderEdit::Set(HeaderName::from_static("x-other"), HeaderValue::from_static("1")),
        HeaderEdit::Remove(REPORT_ONLY),
        HeaderEdit::Add(CSP, HeaderValue::from_static("script-src 'self'")),
    ];
    assert_eq!(policies_after(&origin, &edits), headers(&[(CSP, "img-src *"), (CSP, "script-src 'self'")]));
}

fn source() -> impl Strategy<Value = &'static str> {
    select(vec![
        "'none'",
        "'self'",
        "'unsafe-inline'",
        "'unsafe-hashes'",
        "'strict-dynamic'",
        "'unsafe-eval'",
        "'report-sample'",
        "'nonce-a'",
        "'nonce-b'",
        "'nonce-'",
        "'sha256-AAAA'",
        "*",
        "https:",
        "cdn.example",
        "https://*.example/js/",
    ])
}

fn directive() -> impl Strategy<Value = String> {
    let names = vec![
        "script-src-elem",
        "script-src-attr",
        "script-src",
        "style-src-elem",
        "style-src-attr",
        "style-src",
        "default-src",
        "DEFAULT-SRC",
        "img-src",
        "sandbox",
        "",
    ];
    let sources = proptest::collection::vec(source(), 0..5);
    (select(names), sources, select(vec!["", " ", "\t "]))
        .prop_map(|(name, sources, end)| format!("{name} {}{end}", sources.join(" ")))
}

fn header_value() -> impl Strategy<Value = String> {
    proptest::collection::vec((directive(), select(vec![";", "; ", ";;", ","])), 0..6)
        .prop_map(|parts| parts.into_iter().map(|(directive, end)| directive + end).collect())
}

/// Of every kind, and none of them is inserted by us.
fn strangers() -> Vec<Need> {
    let other = Some(Hash::of("g()"));
    let mut needs = vec![
        Need::Inline { kind: Kind::Script, hash: other.clone(), nonceable: true },
        Need::Inline { kind: Kind::Style, hash: other.clone(), nonceable: true },
        Need::Inline { kind: Kind::Script, hash: Hash::parse("sha256-AAAA"), nonceable: true },
        Need::Inline { kind: Kind::Style, hash: Hash::parse("sha256-AAAA"), nonceable: true },
        Need::Attribute { kind: Kind::Script, hash: other.clone() },
        Need::Attribute { kind: Kind::Style, hash: other },
        Need::Attribute { kind: Kind::Script, hash: Hash::parse("sha256-AAAA") },
        Need::Attribute { kind: Kind::Style, hash: Hash::parse("sha256-AAAA") },
        external("https://cdn.example/js/x.js", "sha256-AAAA"),
        external("https://cdn.example/js/x.js", "sha256-BBBB"),
    ];
    for resource in [Resource::Script, Resource::Style, Resource::Image, Resource::Hint] {
        for url in ["/x", "https://cdn.example/x", "https://a.example/js/x", "http://b.test/x", "data:,x"] {
            needs.push(fetch(resource, url));
        }
    }
    needs
}

fn policies_of(headers: &HeaderMap) -> Vec<Policy> {
    let of = |name: &HeaderName, delivery| -> Vec<Policy> {
        let values = headers.get_all(name).into_iter();
        let values: Vec<String> = values.map(|value| value.to_str().unwrap().to_owned()).collect();
        values.iter().flat_map(|value| value.split(',')).map(|text| Policy::parse(text, delivery)).collect()
    };
    [of(&CSP, Delivery::Header), of(&REPORT_ONLY, Delivery::ReportOnly)].concat()
}

/// Without `'none'`, which goes where a hash comes.
fn tokens(policy: &str) -> Vec<String> {
    let tokens = policy.split(|c: char| c == ';' || c.is_ascii_whitespace());
    let tokens = tokens.filter(|token| !token.is_empty() && !token.eq_ignore_ascii_case("'none'"));
    tokens.map(str::to_owned).collect()
}

proptest! {
    #[test]
    fn a_plan_allows_its_insertions_and_changes_nothing_else(
        enforced in proptest::collection::vec(header_value(), 0..3),
        reported in proptest::collection::vec(header_value(), 0..2),
        picked in subsequence((0..7).collect::<Vec<usize>>(), 1..4),
    ) {
        let ours = [
            script(),
            style(),
            attribute(Kind::Script),
            attribute(Kind::Style),
            external("https://cdn.example/js/x.js", ""),
            external("https://cdn.example/js/x.js", "sha512-CCCC"),
            fetch(Resource::Style, "https://cdn.example/js/x.css"),
        ];
        let lines = enforced.iter().map(|value| (CSP, value.as_str()));
        let lines: Vec<_> = lines.chain(reported.iter().map(|value| (REPORT_ONLY, value.as_str()))).collect();
        let before = headers(&lines);
        let groups: Vec<&[Need]> = picked.iter().filter_map(|at| ours.get(*at)).map(std::slice::from_ref).collect();
        let plan = Plan::for_response(&before, &page(), &groups);
        let mut after = before.clone();
        plan.header_edits.iter().for_each(|edit| edit.apply(&mut after));
        let (old, new) = (policies_of(&before), policies_of(&after));
        prop_assert_eq!(old.len(), new.len());

        for (old, new) in old.iter().zip(&new) {
            for (group, verdict) in groups.iter().zip(&plan.verdicts) {
                if let Verdict::Insert { nonce } = verdict {
                    for need in *group {
                        prop_assert!(new.admits(need, nonce.as_deref(), &page()), "{:?} {:?}", need, new);
                    }
                }
            }
            for need in strangers() {
                for nonce in [None, Some("a"), Some("b"), Some("c")] {
                    let (was, is) = (old.admits(&need, nonce, &page()), new.admits(&need, nonce, &page()));
                    prop_assert_eq!(was, is, "{:?} {:?} {:?}", need, nonce, new);
                }
            }
            // What the page said is still there, in its order; what came is ours or a copy.
            let (old, new) = (tokens(&old.serialize()), tokens(&new.serialize()));
            let mut left = new.iter();
            prop_assert!(old.iter().all(|token| left.any(|other| other == token)), "{:?} {:?}", old, new);
        }
        if plan.verdicts.iter().all(|verdict| *verdict == Verdict::Refused) {
            prop_assert_eq!(before, after);
        }
    }

    #[test]
    fn policies_are_written_as_they_were_read(text in "[ -~\t\u{80}-\u{ff}]{0,80}") {
        prop_assert_eq!(Policy::parse(&text, Delivery::Header).serialize(), text);
    }
}
