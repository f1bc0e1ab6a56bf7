//! What patches are made of.

use crate::random::Random;
use engraft_oracle::operation::Operation;

/// Selectors, weighted.
const SELECTORS: &[(usize, &[&str])] = &[
    (
        40,
        &[
            "p", "div", "li", "a", "span", "td", "b", "i", "h1", "h2", "ul", "table", "tr", "dt", "dd",
            "section", "em", "strong", "img", "tbody", "option", "select", "svg", "title", "pre", "button",
        ],
    ),
    (
        10,
        &[
            "body",
            "html",
            "head",
            "script",
            "style",
            "textarea",
            "template",
            "noscript",
            "iframe",
            "br",
            "hr",
            "input",
            "form",
            "caption",
            "colgroup",
            "th",
            "thead",
            "math",
            "font",
            "nobr",
            "g",
            "foreignObject",
            "path",
            "label",
            "code",
            "rt",
            "ruby",
            "optgroup",
            "x-tag",
            "frameset",
            "mi",
            "desc",
            "small",
        ],
    ),
    (14, &[".a", ".b", ".c", ".A", "#i1", "#i2", "#i3", "p.a", "div.b", "a.c", "li.a.b", ".late"]),
    (
        10,
        &[
            "[id]",
            "[class]",
            "[data-k]",
            "[data-k=v]",
            "[data-k~=w]",
            "[data-k^=v]",
            "[data-k$=w]",
            "[data-k*=' ']",
            "[lang|=en]",
            "[data-k=V i]",
            "a[href]",
            "[hidden]",
            "[class=a]",
            "[lang=EN]",
            "[title='A & B']",
        ],
    ),
    (
        14,
        &[
            "div p",
            "div > p",
            "ul > li",
            "section > p",
            "body > div",
            "body p",
            "td > p",
            "table td",
            "tr > td",
            "table > tbody",
            "tbody > tr",
            "p > b",
            "div span",
            "li a",
            "html > body > p",
            "dl > dt",
            "dl dd",
            "a b",
            "svg a",
            "svg > g",
            "div.a p",
            "body > *",
            "ul ul li",
            "select > option",
            "table p",
            "form input",
            "b p",
            "i b",
            "head > title",
            "head > *",
        ],
    ),
    (
        8,
        &[
            "p:nth-child(2)",
            "li:nth-child(odd)",
            "td:nth-child(2)",
            "*:nth-child(3n+1)",
            "p:nth-of-type(1)",
            "li:nth-of-type(2)",
            "div:first-child",
            "li:first-child",
            "body > :nth-child(2)",
            "tr:nth-of-type(2)",
            "p:nth-of-type(2n)",
        ],
    ),
    (
        6,
        &[
            "p:not(.a)",
            "div:not([id])",
            "li:not(:first-child)",
            "body > :not(p)",
            "a:not([href])",
            "b:not(.a):not(.b)",
        ],
    ),
    (5, &["h1, h2", "p, div", "li, dt, dd", "td, th", ".a, #i1", "b, i, a"]),
    (1, &["*"]),
    (8, EXTENDED),
];

/// Selectors that a configuration may refuse, as long as it does not take them; they are counted.
const EXTENDED: &[&str] = &[
    "p + p",
    "h1 + p",
    "li + li",
    "td + td",
    "p ~ p",
    "li ~ li",
    "dt ~ dd",
    "b + i",
    "div + div",
    ":is(p, li)",
    "div :is(a, b)",
    ":is(ul, ol) > li",
    ":where(p, .a)",
    "p:not(.a, .b)",
    ":not(p, div, b, i, a)",
    "div > p:not(:is(.a, .c))",
    "p:first-of-type",
    ".a + *",
    "body > * + *",
    "[data-k=v s]",
];

/// Markup, weighted: most of it fits wherever text does.
const MARKUP: &[(usize, &str)] = &[
    (14, "<b class=\"n\">new</b>"),
    (10, "new"),
    (8, "<i>n</i> tail"),
    (6, "<span data-n=\"1\">n</span>"),
    (4, "<!--n-->"),
    (4, "<img src=\"n\">"),
    (2, "n<br>n"),
    (6, "<p>new</p>"),
    (4, "<div><p>n</p></div>"),
    (3, "<hr>"),
    (2, "<ul><li>n</li></ul>"),
    (2, "<li>n</li>"),
    (2, "<a href=\"/n\">n</a>"),
    (1, "<tr><td>n</td></tr>"),
    (1, "<td>n</td>"),
    (1, "<table><tbody><tr><td>n</td></tr></tbody></table>"),
    (1, "<script>1</script>"),
    (1, "<style>n{}</style>"),
    (1, "<option>n</option>"),
    (1, "<svg><path d=\"n\"/></svg>"),
    (1, "<h2>n</h2>"),
    (1, "<form><input></form>"),
    (1, "<button>n</button>"),
    (1, "<b>open"),
    (1, "</p>"),
    (1, "</div>n"),
    (1, "\nn"),
    (1, " "),
    (1, "<dd>n</dd>"),
    (1, "<template><p>n</p></template>"),
    (1, "<nobr>n</nobr>"),
    (1, "&lt;n&gt; &amp; n"),
    (1, "<title>n</title>"),
    (1, "<meta name=\"n\">"),
    (1, "<select><option>n</option></select>"),
    (1, "<body class=\"n\">n"),
];

const TEXTS: &[(usize, &str)] = &[
    (10, "new"),
    (4, "A & B <c> \"d\" &amp; </p>"),
    (1, ""),
    (1, "\nline"),
    (1, " "),
    (1, "</script></textarea>"),
];

const NAMES: &[(usize, &str)] = &[
    (6, "div"),
    (6, "span"),
    (3, "section"),
    (3, "h2"),
    (3, "em"),
    (2, "p"),
    (2, "b"),
    (1, "li"),
    (1, "dd"),
    (1, "a"),
    (1, "x-new"),
    (1, "td"),
    (1, "ul"),
    (1, "button"),
    (1, "article"),
];

const VALUES: &[(usize, (&str, &str))] = &[
    (6, ("data-new", "1")),
    (4, ("title", "A & \"B\" <c> 'd'")),
    (4, ("href", "/new")),
    (3, ("id", "new")),
    (3, ("class", "new")),
    (2, ("data-k", "")),
    (1, ("data-k", "line\nbreak")),
    (1, ("type", "hidden")),
    (1, ("color", "red")),
    (1, ("encoding", "text/html")),
];

/// A selector.
pub(super) fn selector(random: &mut Random) -> String {
    let group = *random.weighted(SELECTORS);
    random.pick(group).to_owned()
}

/// An operation.
pub(super) fn operation(random: &mut Random) -> Operation {
    let markup = |random: &mut Random| (*random.weighted(MARKUP)).to_owned();
    match random.below(19) {
        0 | 1 => Operation::Remove,
        2 | 3 => Operation::Text((*random.weighted(TEXTS)).to_owned()),
        4 | 5 => Operation::Html(markup(random)),
        6 => Operation::Prepend(markup(random)),
        7 | 8 => Operation::Append(markup(random)),
        9 => Operation::Before(markup(random)),
        10 | 11 => Operation::After(markup(random)),
        12 => Operation::Replace(markup(random)),
        13 => Operation::Unwrap,
        14 => Operation::Rename((*random.weighted(NAMES)).to_owned()),
        15 | 16 => {
            let (name, value) = *random.weighted(VALUES);
            Operation::SetAttribute(name.to_owned(), value.to_owned())
        }
        17 => Operation::RemoveAttribute(random.pick(&["class", "id", "data-k", "href", "lang"]).to_owned()),
        _ => {
            let class = random.pick(&["a", "b", "new", "c"]).to_owned();
            if random.percent(70) { Operation::AddClass(class) } else { Operation::RemoveClass(class) }
        }
    }
}

/// The order in which the operations of a patch are done.
pub(super) fn order(operation: &Operation) -> usize {
    let names = [
        "rename",
        "attributes",
        "class",
        "text",
        "html",
        "prepend",
        "append",
        "before",
        "after",
        "replace",
        "remove",
        "unwrap",
    ];
    names.iter().position(|name| *name == operation.name()).unwrap_or(names.len())
}
