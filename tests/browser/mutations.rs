//! Mutations of visual experiments, done by the core while a page streams, and by dom-mutator to the page that is there.
//!
//! What the core reports as skipped dom-mutator is not told to do: the rest must be the same document. `MUTATIONS_SEED` and
//! `MUTATIONS_CASES` look further.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;

use engraft::csp::Page;
use engraft::html::charset::Charset;
use engraft::html::editor::Editor;
use engraft::html::locate::Bounds;
use engraft::html::outcome::Skip;
use engraft::live::Live;
use engraft::patch::admission::{Admission, admitted};
use engraft::request::attributes::Values;
use http::HeaderMap;
use serde_json::{Value, json};

use crate::browser::Mutating;
use crate::{Lab, Test};

const CASES: u64 = 500;
const SEED: u64 = 0x646f_6d20_0001;
/// How many of the pages that are compared are changed at least, with the default number of cases.
const MIN_CHANGED: usize = 200;
/// How many differences a failure shows.
const SHOWN: usize = 3;

pub(crate) fn tests() -> Result<Vec<Test>, String> {
    let seed = number("MUTATIONS_SEED")?.unwrap_or(SEED);
    let cases = number("MUTATIONS_CASES")?.unwrap_or(CASES);
    let test = move |lab: &Lab| as_dom_mutator(lab, seed, cases);
    Ok(vec![("mutations::as_dom_mutator".to_owned(), Box::new(test))])
}

fn number(name: &str) -> Result<Option<u64>, String> {
    let Ok(text) = std::env::var(name) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| format!("{name} is {text:?}, which is no number"))
}

fn as_dom_mutator(lab: &Lab, seed: u64, cases: u64) -> Result<(), String> {
    let (mut compared, mut changed, mut nested, mut parts) = (0_usize, 0_usize, 0_usize, 0_usize);
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    let mut differences = Vec::new();
    for case in 0..cases {
        let mut random = Random::of(seed, case);
        let page = random.page();
        let mutations: Vec<Value> = (0..=random.below(3)).map(|_| random.mutation()).collect();
        let edited = edit(&page, &mutations)?;
        edited.reasons.iter().for_each(|reason| *reasons.entry(reason).or_default() += 1);
        if edited.in_part {
            parts += 1;
            continue;
        }
        let asked = Mutating { page: &page, mutations: &edited.done, edited: &edited.page };
        let seen = lab
            .browser
            .mutate(&asked)
            .map_err(|why| format!("case {case}, seed {seed}: {why}: {}\n{page}", json!(edited.done)))?;
        if seen.nested {
            nested += 1;
            continue;
        }
        compared += 1;
        changed += usize::from(edited.page != page);
        if seen.ours != seen.theirs {
            let mut told =
                format!("case {case}, seed {seed}: {}\n{page}\n{}\n", json!(edited.done), edited.page);
            let _ = write!(told, "dom-mutator:\n{}\nengraft:\n{}", seen.theirs, seen.ours);
            differences.push(told);
        }
    }
    let _ = writeln!(
        std::io::stderr(),
        "mutations: {compared} of {cases} pages compared, {changed} of them changed (seed {seed}); not compared: {parts} done in part, {nested} nested; \
         skipped: {reasons:?}"
    );
    if !differences.is_empty() {
        let shown = differences.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join("\n\n");
        return Err(format!("{} pages differ\n{shown}", differences.len()));
    }
    if cases >= CASES && changed < MIN_CHANGED {
        return Err(format!("only {changed} of the pages that were compared were changed"));
    }
    Ok(())
}

struct Edited {
    page: String,
    /// The mutations that were done wherever they were to be done, or that have nothing to do.
    done: Vec<Value>,
    /// A mutation was done to some of its elements only.
    in_part: bool,
    reasons: Vec<&'static str>,
}

fn edit(page: &str, mutations: &[Value]) -> Result<Edited, String> {
    let variation = json!({ "domMutations": mutations });
    let payload = json!({ "experiments": [{ "key": "e", "variations": [{}, variation] }] });
    let live = Live::read(payload.to_string().as_bytes(), None).map_err(|error| error.to_string())?;
    let patches = live.auto().patches(0, 1);
    let of = Page::new("http", "shop.example");
    let verdicts = Admission::judge(patches, &HeaderMap::new(), &[], &of).verdicts;
    let mut told = BTreeMap::new();
    let (mut ready, mut labels) = (Vec::new(), Vec::new());
    for edit in admitted(patches, &verdicts) {
        match edit.render(&Values::default(), Charset::UTF_8, &of) {
            Ok(patch) => {
                ready.push(patch);
                labels.push(edit.label());
            }
            Err(reason) => drop(told.insert(edit.label(), (0, vec![reason]))),
        }
    }
    let bounds = Bounds { max_tag_bytes: 1 << 16, max_elements: 1 << 16, max_undecided_bytes: 1 << 16 };
    let mut editor = Editor::new(ready, Charset::UTF_8, bounds, 1 << 16);
    let mut out = Vec::new();
    let kept = editor.write(page.as_bytes(), &mut out);
    out.extend_from_slice(page.as_bytes().get(page.len().saturating_sub(kept)..).unwrap_or_default());
    editor.end(&mut out);
    for (label, outcome) in labels.into_iter().zip(editor.outcomes()) {
        let reasons = outcome.skipped.keys().copied().chain(outcome.search_ended);
        told.insert(label, (outcome.applied, reasons.filter(|reason| *reason != Skip::Covered).collect()));
    }
    let page = String::from_utf8(out).map_err(|error| error.to_string())?;
    let mut edited = Edited { page, done: Vec::new(), in_part: false, reasons: Vec::new() };
    for (number, mutation) in mutations.iter().enumerate() {
        match told.get(&format!("auto.e.1.{number}")) {
            Some((applied, reasons)) if !reasons.is_empty() => {
                edited.in_part |= *applied > 0;
                edited.reasons.extend(reasons.iter().map(|reason| reason.name()));
            }
            _ => edited.done.push(mutation.clone()),
        }
    }
    Ok(edited)
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Random(u64);

const CLASSES: &[&str] = &["a", "b", "c", "hero", "md:w-1"];
const SELECTORS: &[&str] = &[
    "h1",
    "p",
    "li",
    "a",
    ".a",
    ".b",
    "p.a",
    ".hero",
    ".md\\:w-1",
    "#i1",
    "#i2",
    "#i3",
    "main > p",
    "div p",
    "ul > li:nth-child(2)",
    "li:first-child",
    "h1 + p",
    "section, .c",
    "p:not(.a)",
    "[title]",
    "a[href^='/x']",
    "body > main > *:nth-child(2)",
    "p:has(a)",
    "li:last-child",
    "h1 ~ div",
    "p:nth-of-type(2) > a",
    "img",
    "td",
    "nothing",
];
const MARKUP: &[&str] = &[
    "",
    "New",
    "a &amp; b &lt;i&gt;",
    "<b>bold</b>",
    "<span class=\"a q\">x</span>",
    "x<img src=\"/n.png\" alt=n>",
    "<i>open",
    "{{ id }}",
    "<a href=\"/x/n\">link</a>",
    "<em class=z>é</em> 1 < 2",
    "<p>block</p>",
    "<!-- note -->x",
    "<b",
    "<svg><path d=\"M0\"/></svg>",
    "<script>f()</script>",
];
const VALUES: &[&str] =
    &["", "v", "/x/new?a=1&b=2", "color: red", "\"quoted\" 'too'", "a<b>c", "é &amp;", " q"];

impl Random {
    const fn of(seed: u64, case: u64) -> Self {
        let mut random = Self(seed);
        Self(random.next() ^ case.wrapping_mul(0xD134_2543_DE82_EF95))
    }

    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % limit).unwrap_or_default()
    }

    fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices.get(self.below(choices.len())).copied().unwrap_or_default()
    }

    fn page(&mut self) -> String {
        let mut page = String::from(if self.percent(80) { "<!DOCTYPE html>\n" } else { "" });
        page.push_str("<html><head><title>t</title></head><body>");
        let is_main = self.percent(70);
        page.push_str(if is_main { "<main>" } else { "" });
        for _ in 0..=self.below(5) {
            self.block(&mut page, 2);
        }
        page.push_str(if is_main { "</main>" } else { "" });
        page.push_str("</body></html>");
        page
    }

    fn open(&mut self, name: &str, page: &mut String) {
        let _ = write!(page, "<{name}");
        if self.percent(40) {
            let _ = write!(page, " id={}", self.pick(&["i1", "i2", "i3"]));
        }
        if self.percent(60) {
            let quote = self.pick(&["\"", "'"]);
            let _ = write!(page, " class={quote}{}", self.pick(CLASSES));
            if self.percent(40) {
                let _ = write!(page, "{}{}", self.pick(&[" ", "  ", "\n"]), self.pick(CLASSES));
            }
            page.push_str(quote);
        }
        if self.percent(20) {
            page.push_str(self.pick(&[
                " title=t",
                " title='a &amp; \"b\"'",
                " title",
                " title=\"x&lt\"",
                " style=\"top: 0\"",
            ]));
        }
        page.push('>');
    }

    fn block(&mut self, page: &mut String, depth: usize) {
        let name = self.pick(&["p", "p", "h1", "div", "section", "ul", "table"]);
        self.open(name, page);
        match name {
            "p" | "h1" => self.inline(page),
            "ul" => {
                for _ in 0..=self.below(3) {
                    self.open("li", page);
                    self.inline(page);
                    page.push_str(if self.percent(70) { "</li>" } else { "" });
                }
            }
            "table" => {
                page.push_str("<tr>");
                self.open("td", page);
                self.inline(page);
                page.push_str("</td></tr>");
            }
            _ if depth == 0 => self.inline(page),
            _ => {
                for _ in 0..=self.below(3) {
                    self.block(page, depth.saturating_sub(1));
                }
            }
        }
        if name != "p" || self.percent(80) {
            let _ = write!(page, "</{name}>");
        }
        page.push_str(self.pick(&["", "\n", " "]));
    }

    fn inline(&mut self, page: &mut String) {
        for _ in 0..=self.below(2) {
            match self.below(5) {
                0 => {
                    page.push_str("<a href=\"/x/y?z&amp;w\"");
                    page.push_str(self.pick(&["", " class=a"]));
                    page.push_str(">go</a>");
                }
                1 => page.push_str("<img src=/i.png>"),
                2 => page.push_str("<b>b</b>"),
                _ => page.push_str(self.pick(&["text", "a &amp; b", "é", "1 < 2"])),
            }
        }
    }

    fn mutation(&mut self) -> Value {
        let selector = self.pick(SELECTORS);
        match self.below(5) {
            0 | 1 => {
                let action = self.pick(&["set", "set", "append"]);
                json!({ "selector": selector, "attribute": "html", "action": action, "value": self.pick(MARKUP) })
            }
            2 => {
                let action = self.pick(&["set", "append", "append", "remove"]);
                let value = self.pick(&["a", "b", "q", "md:w-1", ""]);
                json!({ "selector": selector, "attribute": "class", "action": action, "value": value })
            }
            _ => {
                let attribute =
                    self.pick(&["title", "href", "style", "data-x", "onclick", "ALT", "1x", "id"]);
                let action = self.pick(&["set", "append", "remove"]);
                json!({ "selector": selector, "attribute": attribute, "action": action, "value": self.pick(VALUES) })
            }
        }
    }
}
