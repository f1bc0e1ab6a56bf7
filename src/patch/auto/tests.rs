use http::HeaderMap;
use http::header::CONTENT_SECURITY_POLICY;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::*;
use crate::csp;
use crate::decide::payload::Payload;
use crate::html::charset::Charset;
use crate::html::editor::Editor;
use crate::html::locate::Bounds;
use crate::html::outcome::Outcome;
use crate::patch::admission::{Admission, admitted};
use crate::request::attributes::Values;

/// A page after patches, and what became of each edit: its label, how often it was applied, and why not elsewhere.
fn edit<'p>(
    patches: impl IntoIterator<Item = &'p Patch>,
    page: &str,
    charset: Charset,
    policy: &str,
) -> (String, Vec<String>) {
    let patches: Vec<&Patch> = patches.into_iter().collect();
    let patches = || patches.iter().map(|patch| -> &Patch { patch });
    let mut headers = HeaderMap::new();
    if !policy.is_empty() {
        headers.insert(CONTENT_SECURITY_POLICY, policy.parse().unwrap());
    }
    let of = csp::Page::new("https", "shop.example");
    let verdicts = Admission::judge(patches(), &headers, &[], &of).verdicts;
    let (mut ready, mut labels, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for edit in admitted(patches(), &verdicts) {
        match edit.render(&Values::default(), charset, &of) {
            Ok(patch) => {
                ready.push(patch);
                labels.push(edit.label());
            }
            Err(reason) => refused.push((edit.label(), Outcome::skipped(reason))),
        }
    }
    let bounds = Bounds { max_tag_bytes: 1 << 16, max_elements: 1 << 16, max_undecided_bytes: 1 << 16 };
    let mut editor = Editor::new(ready, charset, bounds, 1 << 16);
    let mut out = Vec::new();
    let kept = editor.write(page.as_bytes(), &mut out);
    out.extend_from_slice(&page.as_bytes()[page.len() - kept..]);
    editor.end(&mut out);
    let done = labels.into_iter().zip(editor.outcomes()).chain(refused);
    let told = done.map(|(label, outcome)| {
        let skipped: Vec<_> = outcome.skipped.keys().map(|reason| reason.name()).collect();
        format!("{label}: {} {}", outcome.applied, skipped.join(" ")).trim_end().to_owned()
    });
    (String::from_utf8(out).unwrap(), told.collect())
}

fn compiled(experiments: &Value) -> AutoExperiments {
    let payload = Payload::compile(&json!({ "experiments": experiments })).unwrap();
    let mut draft = Draft::default();
    payload.experiments().iter().for_each(|experiment| draft.add(experiment));
    draft.finish()
}

fn of_variation(variation: &Value) -> AutoExperiments {
    compiled(&json!([{ "key": "e", "variations": [{}, variation] }]))
}

fn mutation(selector: &str, attribute: &str, action: &str, value: &str) -> Value {
    json!({ "selector": selector, "attribute": attribute, "action": action, "value": value })
}

#[track_caller]
fn becomes(mutations: Value, page: &str, expected: &str, outcomes: &[&str]) {
    let auto = of_variation(&json!({ "domMutations": mutations }));
    let (edited, told) = edit(auto.patches(0, 1), page, Charset::UTF_8, "");
    assert_eq!(edited, expected, "{mutations} on {page}");
    let expected: Vec<_> = outcomes.iter().map(|outcome| format!("auto.e.1.{outcome}")).collect();
    assert_eq!(told, expected, "{mutations} on {page}");
}

#[test]
fn one_mutation_is_what_dom_mutator_does() {
    for (attribute, action, value, page, expected, outcome) in [
        ("html", "set", "a<b>c</b>", "<p>x<p>y<div>z</div>", "<p>a<b>c</b><p>a<b>c</b><div>z</div>", "2"),
        ("html", "set", "", "<p>x</p>", "<p></p>", "1"),
        ("html", "set", "{{ id }} &amp; {% raw %}", "<p>x</p>", "<p>{{ id }} &amp; {% raw %}</p>", "1"),
        ("html", "append", "<i>é</i>", "<p>x</p>y", "<p>x<i>é</i></p>y", "1"),
        ("class", "append", "b", "<p class='a  c'>x", "<p class='a c b'>x", "1"),
        ("class", "append", "c", "<p class='a  c'>x", "<p class='a  c'>x", "1"),
        ("class", "append", "b a", "<p>x", "<p class=\"b a\">x", "1"),
        ("class", "remove", "a", "<p class=a>x<p class='b a'>", "<p class=\"\">x<p class='b'>", "2"),
        ("class", "set", "n", "<p class=a>x", "<p class=\"n\">x", "1"),
        ("class", "set", "", "<p class=a>x", "<p>x", "1"),
        (
            "title",
            "set",
            "\"{{ id }}\" <&>",
            "<p title=a>",
            "<p title=\"&quot;{{ id }}&quot; &lt;&amp;&gt;\">",
            "1",
        ),
        ("title", "append", "\"b", "<p title='a&lt'>x", "<p title='a&lt;&quot;b'>x", "1"),
        ("title", "append", "b", "<p title=a\"&amp>x", "<p title=\"a&quot;&amp;b\">x", "1"),
        ("title", "append", "b", "<p>x", "<p title=\"b\">x", "1"),
        ("title", "remove", "", "<p title=a id=b>x", "<p id=b>x", "1"),
        ("onclick", "set", "f()", "<p>x", "<p onclick=\"f()\">x", "1"),
        ("1x", "set", "f()", "<p>x", "<p>x", ""),
        ("html", "remove", "", "<p>x", "<p>x", ""),
        // The page would go on in them, or look otherwise than in a browser.
        ("html", "set", "<b", "<p>x", "<p>x", "0 open_markup"),
        ("html", "set", "<!-- a", "<p>x", "<p>x", "0 open_markup"),
        ("html", "append", "<textarea>", "<p>x", "<p>x", "0 open_markup"),
        ("html", "append", "<script>f()</script>", "<p>x", "<p>x", "0 inert_markup"),
        ("html", "append", "<template shadowrootmode=open>a</template>", "<p>x", "<p>x", "0 inert_markup"),
        ("html", "append", "</p></body>b", "<p>x</p>", "<p>x</p>", "0 misplaced_markup"),
        ("html", "append", "<li>b", "<p>x</p>", "<p>x</p>", "0 misplaced_markup"),
        ("html", "append", "<b>b", "<p>x</p>y", "<p>x<b>b</b></p>y", "1"),
    ] {
        let outcome = format!("0: {outcome}");
        let outcomes = if outcome == "0: " { &[][..] } else { &[&*outcome][..] };
        becomes(json!([mutation("p", attribute, action, value)]), page, expected, outcomes);
    }
}

#[test]
fn what_a_stream_cannot_do_is_told_and_the_rest_is_done() {
    let moved = json!({
        "selector": "p", "attribute": "position", "action": "set", "value": "",
        "parentSelector": "div", "insertBeforeSelector": "b",
    });
    becomes(
        json!([
            mutation("p:has(b)", "html", "set", "a"),
            mutation("p >", "html", "set", "a"),
            moved,
            mutation("p", "className", "append", "a"),
            { "selector": 7 },
            mutation("body", "html", "set", "a"),
            mutation("br", "html", "set", "a"),
            mutation("script", "html", "set", "a"),
            mutation("p", "html", "set", "new"),
        ]),
        "<body><p>x</p><br><script>f()</script></body>",
        "<body><p>new</p><br><script>f()</script></body>",
        &[
            "5: 0 page_frame",
            "6: 0 void_element",
            "7: 0 raw_text_element",
            "8: 1",
            "0: 0 unsupported_selector",
            "1: 0 unsupported_selector",
            "2: 0 move",
            "3: 0 unsupported_mutation",
            "4: 0 unsupported_mutation",
        ],
    );
}

#[test]
fn several_mutations_of_an_element_are_done_in_their_order() {
    for (mutations, expected, outcomes) in [
        (
            json!([mutation("p", "html", "append", "1"), mutation("p", "html", "append", "2")]),
            "<p class=\"a b\" title=\"t\">x12</p>",
            &["0: 1", "1: 1"][..],
        ),
        (
            json!([
                mutation("p", "html", "append", "1"),
                mutation("p", "html", "set", "2"),
                mutation("p", "html", "append", "3")
            ]),
            "<p class=\"a b\" title=\"t\">23</p>",
            &["0: 0 covered", "1: 1", "2: 1"],
        ),
        (
            json!([
                mutation("p", "class", "set", "n"),
                mutation("p", "class", "append", "m"),
                mutation("p", "class", "remove", "n")
            ]),
            "<p class=\"m\" title=\"t\">x</p>",
            &["0: 1", "1: 1", "2: 1"],
        ),
        (
            json!([mutation("p", "title", "append", "1"), mutation("p", "title", "append", "2")]),
            "<p class=\"a b\" title=\"t12\">x</p>",
            &["0: 1", "1: 1"],
        ),
        (
            json!([mutation("p", "title", "remove", ""), mutation("p", "title", "append", "2")]),
            "<p class=\"a b\" title=\"2\">x</p>",
            &["0: 1", "1: 1"],
        ),
        (
            json!([
                mutation("p", "title", "set", "1"),
                mutation("p", "title", "append", "&2"),
                mutation("p", "html", "set", "y")
            ]),
            "<p class=\"a b\" title=\"1&amp;2\">y</p>",
            &["0: 1", "1: 1", "2: 1"],
        ),
    ] {
        becomes(mutations, "<p class=\"a b\" title=\"t\">x</p>", expected, outcomes);
    }
}

#[test]
fn what_selects_by_other_mutations_is_not_done() {
    let page = "<p class=a>x</p><p class=b>y</p>";
    for (first, second, outcome) in [
        (mutation("p", "class", "append", "z"), mutation(".z", "html", "set", "n"), "0 depends_on_mutation"),
        (mutation(".a", "class", "remove", "a"), mutation(".a", "html", "set", "n"), "0 depends_on_mutation"),
        (mutation(".a", "class", "set", "q"), mutation(".a", "html", "set", "n"), "0 depends_on_mutation"),
        (mutation(".a", "class", "set", "a q"), mutation(".a", "html", "set", "n"), "0 depends_on_mutation"),
        (mutation(".a", "id", "set", "z"), mutation("#z", "html", "set", "n"), "0 depends_on_mutation"),
        (
            mutation(".a", "html", "set", "<b class=q>n</b>"),
            mutation("b", "html", "set", "n"),
            "0 depends_on_mutation",
        ),
        (
            mutation(".a", "html", "set", "<b class=q>n</b>"),
            mutation("p > .q", "html", "set", "n"),
            "0 depends_on_mutation",
        ),
        (mutation(".a", "html", "set", "<b>n</b>"), mutation(".b", "title", "set", "n"), "1"),
        (mutation(".a", "class", "append", "z"), mutation(".b", "title", "set", "n"), "1"),
        (mutation(".a", "title", "set", "z"), mutation(".a", "html", "set", "n"), "1"),
    ] {
        let auto = of_variation(&json!({ "domMutations": [first, second] }));
        let (_, told) = edit(auto.patches(0, 1), page, Charset::UTF_8, "");
        assert!(told.iter().any(|it| it.starts_with("auto.e.1.0: ") && it.len() == 13), "{told:?}");
        assert!(told.contains(&format!("auto.e.1.1: {outcome}")), "{first} {second} {told:?}");
    }
    // When content is inserted, a browser looks again, at what came first too.
    let auto = of_variation(&json!({ "domMutations": [
        mutation("[title]", "html", "set", "n"), mutation(".b", "title", "set", "t"),
    ] }));
    let (_, told) = edit(auto.patches(0, 1), page, Charset::UTF_8, "");
    assert_eq!(told, ["auto.e.1.1: 1", "auto.e.1.0: 0 depends_on_mutation"]);
    // A browser would go on with its own content for ever, unless that stands too deep.
    let own = |selector: &str| {
        let auto = of_variation(
            &json!({ "domMutations": [mutation(selector, "html", "append", "<b class=a>n</b>")] }),
        );
        edit(auto.patches(0, 1), "<body><b class=a>x</b></body>", Charset::UTF_8, "").1
    };
    assert_eq!(own(".a"), ["auto.e.1.0: 0 depends_on_mutation"]);
    assert_eq!(own("body > .a:nth-child(1)"), ["auto.e.1.0: 1"]);
    // The elements that it names are found before the class is gone; what is inserted is looked at at any time.
    let auto = of_variation(&json!({ "domMutations": [
        mutation(".a", "html", "set", "n"), mutation(".a", "class", "remove", "a"),
    ] }));
    let (_, told) = edit(auto.patches(0, 1), page, Charset::UTF_8, "");
    assert_eq!(told, ["auto.e.1.0: 1", "auto.e.1.1: 1"]);
    let auto = of_variation(&json!({ "domMutations": [
        mutation("b", "html", "set", "n"), mutation(".a", "html", "set", "<b>n</b>"),
    ] }));
    let (_, told) = edit(auto.patches(0, 1), page, Charset::UTF_8, "");
    assert_eq!(told, ["auto.e.1.1: 1", "auto.e.1.0: 0 depends_on_mutation"]);
}

#[test]
fn styles_and_scripts_go_into_the_head() {
    let auto = of_variation(&json!({ "js": "f('{{ id }}', \"é\")", "css": "p > a {}", "domMutations": [] }));
    let page = "<head><title>x</title></head><body>y";
    let (edited, told) = edit(auto.patches(0, 1), page, Charset::UTF_8, "");
    assert_eq!(
        edited,
        "<head><title>x</title><style>p > a {}</style><script>f('{{ id }}', \"é\")</script></head><body>y"
    );
    assert_eq!(told, ["auto.e.1.css: 1", "auto.e.1.js: 1"]);
    let (edited, told) = edit(auto.patches(0, 1), page, Charset::Undeclared, "script-src 'none'");
    assert_eq!(edited, "<head><title>x</title><style>p > a {}</style></head><body>y");
    assert_eq!(told, ["auto.e.1.css: 1", "auto.e.1.js: 0 charset"]);
    let (edited, _) =
        edit(auto.patches(0, 1), page, Charset::UTF_8, "script-src 'nonce-n'; style-src 'nonce-n'");
    assert!(edited.contains("<style nonce=\"n\">") && edited.contains("<script nonce=\"n\">"), "{edited}");
    for hostile in [
        json!({ "js": "'</script><b>'" }),
        json!({ "js": "'</SCRIPT'" }),
        json!({ "js": "'<!--<script>'" }),
        json!({ "css": "a{}</style><b>" }),
    ] {
        let (edited, told) = edit(of_variation(&hostile).patches(0, 1), page, Charset::UTF_8, "");
        assert_eq!(edited, page);
        assert!(told[0].ends_with(": 0 ends_its_element"), "{told:?}");
    }
}

#[test]
fn policies_have_a_say() {
    let auto = of_variation(&json!({ "domMutations": [
        mutation("p", "onclick", "set", "f()"),
        mutation("p", "style", "append", "color: red"),
        mutation("p", "html", "set", "<b style='color: red'>a</b>"),
        mutation("p", "title", "set", "a"),
    ] }));
    let (edited, told) = edit(auto.patches(0, 1), "<p>x</p>", Charset::UTF_8, "default-src 'self'");
    // The policy gets the hashes of what is constant; what is added to something of the page has none.
    assert_eq!(edited, "<p onclick=\"f()\" title=\"a\"><b style='color: red'>a</b></p>");
    assert_eq!(
        told,
        ["auto.e.1.0: 1", "auto.e.1.2: 1", "auto.e.1.3: 1", "auto.e.1.1: 0 content_security_policy"]
    );
}

#[test]
fn a_value_in_an_unknown_encoding_is_left() {
    let auto = of_variation(&json!({ "domMutations": [mutation("p", "title", "append", "é")] }));
    let (edited, told) = edit(auto.patches(0, 1), "<p title=a><p title=é>", Charset::Undeclared, "");
    assert_eq!(edited, "<p title=\"a&#233;\"><p title=é>");
    assert_eq!(told, ["auto.e.1.0: 1 charset"]);
}

#[test]
fn experiments_of_one_page_are_done_in_their_order() {
    let auto = compiled(&json!([
        { "key": "a", "variations": [{}, { "domMutations": [mutation("p", "html", "append", "1"), mutation("p", "class", "append", "m")] }] },
        { "key": "b", "variations": [{}, { "css": "x", "domMutations": [mutation("p", "html", "append", "2")] }] },
    ]));
    let patches: Vec<&Patch> = auto.patches(0, 1).iter().chain(auto.patches(1, 1)).collect();
    let (edited, told) = edit(patches, "<body><p>x</p>", Charset::UTF_8, "");
    assert_eq!(edited, "<style>x</style><body><p class=\"m\">x12</p>");
    assert_eq!(told, ["auto.a.1.0: 1", "auto.a.1.1: 1", "auto.b.1.css: 1", "auto.b.1.0: 1"]);
}

#[test]
fn some_experiments_have_no_patches() {
    let auto = compiled(&json!([
        { "key": "control", "variations": [{ "domMutations": [] }, { "css": "", "js": "" }] },
        { "key": "manual", "manual": true, "variations": [{ "css": "a" }, { "css": "a" }] },
        { "key": "redirect", "urlPatterns": [{ "type": "simple", "pattern": "*" }],
            "variations": [{ "css": "a" }, { "urlRedirect": "https://a.example/" }] },
        { "key": "unknown", "variations": [{ "new": 1 }, {}] },
        { "key": "unreadable", "variations": [{}, { "domMutations": "all" }] },
    ]));
    let labels = |experiment: usize| {
        (0..3)
            .flat_map(|variation| auto.patches(experiment, variation))
            .map(|patch| &*patch.label)
            .collect::<Vec<_>>()
    };
    assert_eq!([0, 1, 2, 3].map(labels), [[""; 0].to_vec(), vec![], vec![], vec![]]);
    assert_eq!(labels(4), ["auto.unreadable.1.mutations"]);
    assert_eq!(labels(5), [""; 0]);
}

#[test]
fn there_are_bounds() {
    let many: Vec<Value> = (0..=MAX_CHANGES).map(|_| mutation("p", "html", "set", "a")).collect();
    let auto = of_variation(&json!({ "css": "a", "domMutations": many }));
    let (edited, told) = edit(auto.patches(0, 1), "<p>x", Charset::UTF_8, "");
    assert_eq!((&*edited, told), ("<p>x", vec!["auto.e.1.mutations: 0 too_many_changes".to_owned()]));

    let variation = json!({ "domMutations": &many[..MAX_CHANGES - 2] });
    let experiment = json!({ "key": "e", "variations": [{}, variation] });
    let experiments = vec![experiment; MAX_PATCHES / (MAX_CHANGES - 2) + 2];
    let auto = compiled(&json!(experiments));
    let all = (0..experiments.len()).map(|experiment| auto.patches(experiment, 1));
    let counts: Vec<usize> = all.map(<[Patch]>::len).collect();
    assert_eq!(counts.last(), Some(&1));
    assert!(counts.iter().filter(|count| **count > 1).sum::<usize>() <= MAX_PATCHES);
    let (_, told) = edit(auto.patches(experiments.len() - 1, 1), "<p>x", Charset::UTF_8, "");
    assert_eq!(told, ["auto.too_many: 0 too_many_changes"]);

    let long = "a".repeat(MAX_TEXT_BYTES + 1);
    let auto = of_variation(
        &json!({ "js": long, "css": "a", "domMutations": [mutation("p", "title", "set", &long)] }),
    );
    let (_, told) = edit(auto.patches(0, 1), "<p>x", Charset::UTF_8, "");
    assert_eq!(told, ["auto.e.1.css: 1", "auto.e.1.js: 0 text_too_long", "auto.e.1.0: 0 text_too_long"]);
}

/// Each compared with each they took minutes.
#[test]
fn tags_with_many_attributes_are_compiled() {
    let names: String = (0..50_000).map(|number| format!("a{number:x} ")).collect();
    let many = format!("<b {names}>x</b>");
    assert!(many.len() < MAX_TEXT_BYTES);
    for (selector, outcome) in [("p", "auto.e.1.0: 0 depends_on_mutation"), ("body > p", "auto.e.1.0: 1")] {
        let auto = of_variation(&json!({ "domMutations": [mutation(selector, "html", "set", &many)] }));
        let (_, told) = edit(auto.patches(0, 1), "<p>x</p>", Charset::UTF_8, "");
        assert_eq!(told, [outcome]);
    }
}

fn hostile_text() -> impl Strategy<Value = String> {
    let pieces = select(
        &[
            "<",
            ">",
            "</",
            "<!--",
            "-->",
            "<script>",
            "</script>",
            "<style>",
            "</style>",
            "</p>",
            "<p>",
            "<b>",
            "<svg>",
            "<title>",
            "<textarea>",
            "<plaintext>",
            "<body>",
            "</body>",
            "</html>",
            "<iframe>",
            "<table>",
            "<td>",
            "<![CDATA[",
            "{{",
            "}}",
            "id",
            "'",
            "\"",
            "=",
            " ",
            "&",
            "&lt",
            ";",
            "\u{0}",
            "\n",
            "é",
            "x",
            "/",
            "<template>",
            "<select>",
        ][..],
    );
    proptest::collection::vec(pieces, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]
    /// Whatever a payload says, what stands around the element that is changed stays as it is, for the parser too.
    #[test]
    fn no_text_reaches_what_stands_around(
        texts in proptest::collection::vec((select(&["html", "title", "class", "onclick", "x y"][..]), select(&["set", "append", "remove"][..]), hostile_text()), 0..4),
        selector in hostile_text(),
        js in hostile_text(),
    ) {
        let mut mutations: Vec<Value> =
            texts.iter().map(|(attribute, action, value)| mutation("p", attribute, action, value)).collect();
        mutations.push(mutation(&selector, "title", "set", "a"));
        let auto = of_variation(&json!({ "js": js, "css": js, "domMutations": mutations }));
        let page = "<html><head></head><body><i>before</i><div><p title=t>x</p></div><i id=after>y</i></body></html>";
        let (edited, _) = edit(auto.patches(0, 1), page, Charset::UTF_8, "");
        let body = edited.split_once("</head>").map(|(_, body)| body).unwrap_or_default();
        prop_assert!(body.starts_with("<body><i>before</i><div><p"), "{}", edited);
        prop_assert!(edited.ends_with("</p></div><i id=after>y</i></body></html>"), "{}", edited);
        let dom = engraft_oracle::dom::Dom::parse(edited.as_bytes());
        for selector in ["body > i:first-child", "body > i + div > p", "body > div + i#after"] {
            let found = engraft_oracle::select::select(&dom, selector).unwrap();
            prop_assert_eq!(found.len(), 1, "{}: {}", selector, edited);
        }
    }
}
