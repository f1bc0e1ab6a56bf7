use std::ops::Range;

use encoding_rs::Encoding;
use proptest::prelude::*;

use super::*;
use crate::html::text_editor::{TextEdit, TextOutcome};
use crate::template::{Known, Template};

/// There is one attribute, `x`.
struct OnlyX;

impl Known for OnlyX {
    fn names(&self) -> Vec<&str> {
        vec!["x"]
    }

    fn constants(&self, _: &str) -> Option<Vec<&str>> {
        None
    }
}

fn template(source: &str) -> Template {
    Template::parse(source, &OnlyX).unwrap()
}

fn utf8() -> Charset {
    Charset::from_label(b"utf-8").unwrap()
}

fn find(pattern: Pattern, with: &str) -> Find {
    let replacement = Replacement::new(template(with), &pattern).unwrap();
    Find { pattern: Arc::new(pattern), replacement }
}

fn literal(text: &str, with: &str) -> Find {
    find(Pattern::literal(text).unwrap(), with)
}

fn regex(pattern: &str, max_match: u16, with: &str) -> Find {
    find(Pattern::regex(pattern, max_match).unwrap(), with)
}

/// Where the text of a page is: what is not between `<` and `>`.
fn text_nodes(page: &[u8]) -> Vec<Range<usize>> {
    let (mut nodes, mut start) = (Vec::new(), Some(0));
    for (at, byte) in page.iter().enumerate() {
        match (byte, start) {
            (b'<', Some(first)) => {
                nodes.push(first..at);
                start = None;
            }
            (b'>', None) => start = Some(at + 1),
            _ => {}
        }
    }
    nodes.extend(start.map(|first| first..page.len()));
    nodes.retain(|node| !node.is_empty());
    nodes
}

/// The page behind an editor that gets its text in pieces.
fn run(find: &Find, charset: Charset, page: &[u8], cuts: &[usize]) -> (Vec<u8>, TextOutcome) {
    let factory = find.render(&Values::default(), charset);
    let mut editor = factory.editor("div", &|_| None).unwrap().unwrap();
    let (mut edits, mut may_leave) = (Vec::new(), 0);
    let mut check = |edits: &[TextEdit], known: &mut usize, written: u64, open: Option<u64>| {
        for edit in &edits[*known..] {
            assert!(edit.range.start >= may_leave, "{edit:?} has left at {may_leave}");
            assert!(edit.range.start < edit.range.end && edit.range.end <= written, "{edit:?}");
            may_leave = edit.range.end;
        }
        *known = edits.len();
        let open = open.unwrap_or(written);
        assert!(open <= written);
        may_leave = may_leave.max(open);
    };
    // Offsets of a page that does not start at zero.
    let origin = 1000;
    let mut known = 0;
    for node in text_nodes(page) {
        let inside = cuts.iter().copied().filter(|cut| node.contains(cut));
        let mut start = node.start;
        for end in inside.chain([node.end]) {
            editor.write(&page[start..end], origin + start as u64, &mut edits);
            check(&edits, &mut known, origin + end as u64, editor.open_from());
            start = end;
        }
        editor.end_node(&mut edits);
        assert_eq!(editor.open_from(), None);
        check(&edits, &mut known, origin + node.end as u64, None);
    }
    let outcome = editor.end(&mut edits);
    let (mut out, mut at) = (Vec::new(), 0);
    for edit in edits {
        let offset = |at: u64| engraft_locate::offset::as_usize(at - origin);
        let (start, end) = (offset(edit.range.start), offset(edit.range.end));
        out.extend_from_slice(&page[at..start]);
        out.extend(edit.with);
        at = end;
    }
    out.extend_from_slice(&page[at..]);
    (out, outcome)
}

/// The page after the edits, the same at every cut and byte by byte.
fn edit_bytes(find: &Find, charset: Charset, page: &[u8]) -> (Vec<u8>, TextOutcome) {
    let whole = run(find, charset, page, &[]);
    let bytewise: Vec<usize> = (1..page.len()).collect();
    assert_eq!(run(find, charset, page, &bytewise), whole, "byte by byte");
    for cut in 0..page.len() {
        assert_eq!(run(find, charset, page, &[cut]), whole, "cut at {cut}");
    }
    whole
}

fn edit(find: &Find, page: &str) -> String {
    let (out, outcome) = edit_bytes(find, utf8(), page.as_bytes());
    let out = String::from_utf8(out).unwrap();
    assert_eq!(outcome == TextOutcome::Applied, out != page, "{page} {outcome:?}");
    out
}

#[test]
fn a_text_is_found_as_a_reader_sees_it() {
    let cases = [
        ("Old", "New", "Old", "New"),
        ("Old", "New", "an Old one, Older, old", "an New one, Newer, old"),
        ("Old Name", "New", "Old Name<b>Old</b> Name", "New<b>Old</b> Name"),
        ("Old Name", "New", "Old&#32;Name Old&#x20;Name Old&#0032Name", "New New New"),
        ("Old Name", "New", "Old&nbsp;Name Old\u{A0}Name", "Old&nbsp;Name Old\u{A0}Name"),
        ("Old\u{A0}Name", "New", "Old&nbsp;Name Old&nbspName Old\u{A0}Name Old&#160;Name", "New New New New"),
        ("a & b", "c", "a & b, a &amp; b, a &amp b, a &AMP; b, a &ampb", "c, c, c, c, a &ampb"),
        ("<b>", "i", "&lt;b&gt; &LTb&GT", "i i"),
        ("¬it;", "x", "&notit; &notin;", "x &notin;"),
        ("&", "+", "&&amp;&#38;&#x26;&unknown;&#;&", "+++++unknown;+#;+"),
        ("é", "e", "é&eacute;&#233;&#xE9;e\u{301}", "eeeee\u{301}"),
        ("a\nb", "x", "a\nb a\rb a\r\nb a&#10;b a&#13;b a\r\n\nb", "x x x x a&#13;b a\r\n\nb"),
        ("\n\n", "x", "\r\r\n\n\r", "xx"),
        ("\r", "x", "\r\n&#13;", "\r\nx"),
        ("aab", "x", "aaab aaaab abaab", "ax aax abx"),
        ("aa", "x", "aaaaa", "xxa"),
        ("abab", "x", "abababab abab", "xx x"),
        ("a", "aa", "aba", "aabaa"),
        ("a", "", "bab", "bb"),
        ("𝒳😀", "x", "𝒳😀 &Xscr;😀 𝒳&#x1F600;", "x x x"),
        ("€", "EUR", "&#128; € &euro;", "EUR EUR EUR"),
        ("\u{FFFD}", "?", "&#0; &#xD800; \u{FFFD}", "? ? ?"),
        // Two characters of one reference are not parted.
        ("≂\u{338}", "x", "&NotEqualTilde; ≂\u{338}", "x x"),
        ("≂", "x", "&NotEqualTilde; ≂", "&NotEqualTilde; x"),
        ("\u{338}a", "x", "&NotEqualTilde;a \u{338}a", "&NotEqualTilde;a x"),
        // What is put in is escaped, and never searched.
        ("a", "<a>&amp;$1", "a", "&lt;a&gt;&amp;amp;$1"),
        ("a", "{{ x | default('<a>&') }}a", "a", "&lt;a&gt;&amp;a"),
        ("ab", "a", "abb", "ab"),
        ("not there", "x", "not here, &not; there", "not here, &not; there"),
    ];
    for (text, with, page, expected) in cases {
        assert_eq!(edit(&literal(text, with), page), expected, "{text} in {page}");
    }
}

#[test]
fn an_expression_is_found_within_its_bound() {
    let cases = [
        ("[0-9]+ days", 64, "soon", "in 30 days, 1&nbsp;day, 7&#32;days", "in soon, 1&nbsp;day, soon"),
        ("a|ab", 8, "x", "ab", "xb"),
        ("ab|a", 8, "x", "aba", "xx"),
        ("a+", 3, "x", "aa aaa aaaa aaaaa", "x x ax aax"),
        ("a+?", 3, "x", "aaa", "xxx"),
        ("a{2,3}", 3, "x", "aaaaa a", "xx a"),
        ("a.*b", 4, "x", "a12b a123b ab", "x a123b x"),
        ("a.*?b", 4, "x", "abab", "xx"),
        ("^a", 4, "x", "aa<b>aa</b>a", "xa<b>xa</b>x"),
        ("a$", 4, "x", "aa<b>aa</b>a", "ax<b>ax</b>x"),
        ("^a$", 4, "x", "a<b>aa</b>a", "x<b>aa</b>x"),
        (r"\bab\b", 4, "x", "ab abc cab ab<b>ab</b>", "x abc cab x<b>x</b>"),
        (r"\Bb", 4, "x", "b ab&#98;", "b axx"),
        ("(?m)^a", 4, "x", "aa\na\r\na", "xa\nx\r\nx"),
        ("(?i)old", 8, "new", "OLD Old old", "new new new"),
        (r"(\w+) (\w+)", 64, "$2 $1", "one two<b>a  b</b>", "two one<b>a  b</b>"),
        (r"(?P<first>\w+)-(x)?", 64, "${first}$2!", "one-", "one!"),
        (r"(.) ", 64, "[$1$1$$]", "&lt; &amp; é ", "[&lt;&lt;$][&amp;&amp;$][éé$]"),
        (r"(\W)x", 64, "$1y", "\u{c}x&#13;x\r\nx", "\u{c}y&#13;y\ny"),
        ("a", 1, "$0a", "aa", "aaaa"),
        ("≂", 4, "x", "&NotEqualTilde;≂", "&NotEqualTilde;x"),
        ("a\n", 4, "x", "a\r\na\ra\n", "xxx"),
        // The alternative that is liked best may take too much; then there is no match from there.
        ("ab*|a", 3, "x", "abbbb abb", "abbbb x"),
    ];
    for (pattern, max_match, with, page, expected) in cases {
        assert_eq!(edit(&regex(pattern, max_match, with), page), expected, "{pattern} in {page}");
    }
}

#[test]
fn a_long_text_is_searched_to_its_end() {
    let page = "ab cd ".repeat(5000);
    for find in [literal("cd", "x"), regex(r"\bc\w", 8, "x")] {
        let (out, _) = run(&find, utf8(), page.as_bytes(), &[1, 7000, 7001, 20_000]);
        assert_eq!(String::from_utf8(out).unwrap(), "ab x ".repeat(5000));
    }
}

#[test]
fn a_match_is_found_wherever_it_stands() {
    for (find, max_match) in
        [(literal("abcd", "x"), 4), (regex("ab+cd", 6, "x"), 6), (regex("a.*?d", 100, "x"), 100)]
    {
        for before in (0..2 * max_match + 600).chain(4090..4100) {
            let page = format!("{}abcd{}", "-".repeat(before), "-".repeat(700));
            for cuts in [&[][..], &[before + 1, before + 300]] {
                let (out, _) = run(&find, utf8(), page.as_bytes(), cuts);
                assert_eq!(
                    String::from_utf8(out).unwrap(),
                    page.replace("abcd", "x"),
                    "{find:?} {before} {cuts:?}"
                );
            }
        }
    }
}

#[test]
fn bytes_are_read_in_the_encoding_of_the_page() {
    let cases = [
        // A second byte that is a letter in ASCII: ア is 83 41, ソ 83 5C.
        ("shift_jis", "A", "x", "アA ソ\\A", "アx ソ\\x"),
        ("shift_jis", "ソ", "x", "アソ", "アx"),
        ("big5", "功", "é", "成功功", "成&#233;&#233;"),
        ("gb18030", "𝒳0", "x", "0𝒳0𝒳", "0x𝒳"),
        ("gbk", "中", "&", "中a中", "&amp;a&amp;"),
        ("euc-jp", "語", "x", "日本語", "日本x"),
        ("euc-kr", "한", "x", "한국", "x국"),
        ("windows-1252", "é€", "e", "é€ &eacute;&euro;", "e e"),
        ("koi8-r", "и", "i", "мир", "мiр"),
    ];
    for (label, text, with, page, expected) in cases {
        let encoding = Encoding::for_label(label.as_bytes()).unwrap();
        let encoded = |text: &str| {
            let (bytes, _, lossy) = encoding.encode(text);
            assert!(!lossy || text == expected, "{text}");
            bytes.into_owned()
        };
        let charset = Charset::from_label(label.as_bytes()).unwrap();
        let (out, _) = edit_bytes(&literal(text, with), charset, &encoded(page));
        assert_eq!(out, encoded(expected), "{label}");
        let escaped: String = text.chars().map(|c| format!("\\x{{{:x}}}", u32::from(c))).collect();
        let (out, _) = edit_bytes(&regex(&escaped, 8, with), charset, &encoded(page));
        assert_eq!(out, encoded(expected), "{label}");
    }
}

#[test]
fn what_cannot_be_read_for_certain_is_not_matched() {
    let unreadable = TextOutcome::Skipped(Skip::UnreadableText);
    let zeros = format!("a&#{}98;c", "0".repeat(64));
    type Case<'a> = (Charset, &'a str, &'a [u8], &'a [u8], TextOutcome);
    let cases: &[Case<'_>] = &[
        (Charset::Undeclared, "A", b"A \x83A", b"x \x83A", TextOutcome::Applied),
        (Charset::Undeclared, "A", b"\x83A", b"\x83A", unreadable),
        (Charset::Undeclared, "0", b"\x81\x30\x81\x30 \xC3\xA90", b"\x81\x30\x81\x30 \xC3\xA90", unreadable),
        (Charset::Undeclared, ".", b"\x83.", b"\x83x", TextOutcome::Applied),
        (Charset::Undeclared, "\u{FFFD}", b"\x83\xFF ", b"\x83\xFF ", unreadable),
        (Charset::Undeclared, "A", b"plain", b"plain", TextOutcome::Missed),
        (utf8(), "ab", b"a\0b ab", b"a\0b x", TextOutcome::Applied),
        (utf8(), "ab", b"a\0b", b"a\0b", unreadable),
        (utf8(), "abc", zeros.as_bytes(), zeros.as_bytes(), unreadable),
        (
            utf8(),
            "c",
            zeros.as_bytes(),
            &[&zeros.as_bytes()[..zeros.len() - 1], b"x"].concat(),
            TextOutcome::Applied,
        ),
        (utf8(), "\u{FFFD}b", b"\xC3b \xFFb \xE2\x82b", b"x x x", TextOutcome::Applied),
    ];
    for (charset, text, page, expected, outcome) in cases {
        let found = edit_bytes(&literal(text, "x"), *charset, page);
        assert_eq!(found, (expected.to_vec(), *outcome), "{text} in {}", page.escape_ascii());
    }
    // It is no word character, and a node neither starts nor ends there.
    let page = b"a\0a\0a";
    for (pattern, expected) in
        [("^a", &b"x\0a\0a"[..]), ("a$", b"a\0a\0x"), (r"\ba\b", b"x\0x\0x"), ("a.a", page), ("a.", page)]
    {
        assert_eq!(edit_bytes(&regex(pattern, 3, "x"), utf8(), page).0, expected, "{pattern}");
    }
}

#[test]
fn what_is_held_back_is_bounded() {
    let hold = |find: &Find, page: &str| {
        let factory = find.render(&Values::default(), utf8());
        let mut editor = factory.editor("p", &|_| None).unwrap().unwrap();
        let (mut edits, mut most) = (Vec::new(), 0);
        for (at, byte) in page.bytes().enumerate() {
            let at = at as u64;
            editor.write(&[byte], at, &mut edits);
            most = most.max(at + 1 - editor.open_from().unwrap_or(at + 1));
        }
        most
    };
    assert_eq!(hold(&literal("x", "y"), &"abc ".repeat(100)), 0);
    assert_eq!(hold(&literal("abcd", "y"), &"abc ".repeat(100)), 3);
    assert_eq!(hold(&regex("x", 10, "y"), &"abc ".repeat(100)), 20);
    // The longest references there are.
    let long = "&#0000000000000000000000000000000000097;";
    assert!(hold(&regex("a+b", 10, "y"), &long.repeat(100)) <= 21 * 40);
    assert!(hold(&literal("aab", "y"), &long.repeat(100)) <= 3 * 40);
    assert!(hold(&literal("aab", "y"), &format!("a&#{}", "0".repeat(10_000))) <= 42);
    assert!(hold(&regex("a+b", 10, "y"), &format!("a&#x{}", "0".repeat(10_000))) <= 42);
}

#[test]
fn a_page_has_bounds() {
    let outcome = |find: &Find, page: &str| run(find, utf8(), page.as_bytes(), &[]).1;
    let enough = "a".repeat(MAX_MATCHES as usize);
    for find in [literal("a", "b"), regex("a", 1, "b")] {
        assert_eq!(outcome(&find, &enough), TextOutcome::Applied);
        assert_eq!(outcome(&find, &format!("{enough}a")), TextOutcome::Skipped(Skip::TooManyMatches));
    }
    let discarded = regex("a.*b", 2, "c");
    assert_eq!(outcome(&discarded, &"axxb".repeat(MAX_MATCHES as usize)), TextOutcome::Missed);
    assert_eq!(
        outcome(&discarded, &"axxb".repeat(MAX_MATCHES as usize + 1)),
        TextOutcome::Skipped(Skip::TooManyMatches)
    );
    let large = literal("a", &"b".repeat(MAX_INSERTED_BYTES / 4));
    assert_eq!(outcome(&large, "aaaa"), TextOutcome::Applied);
    assert_eq!(outcome(&large, "aaaaa"), TextOutcome::Skipped(Skip::TooManyMatches));
    // They are those of the page, not of each element.
    let factory = large.render(&Values::default(), utf8());
    for (outcome, text) in [(TextOutcome::Applied, "aa"), (TextOutcome::Applied, "aa")] {
        let mut editor = factory.editor("p", &|_| None).unwrap().unwrap();
        let mut edits = Vec::new();
        editor.write(text.as_bytes(), 0, &mut edits);
        assert_eq!(editor.end(&mut edits), outcome);
    }
    assert_eq!(factory.editor("p", &|_| None).unwrap_err(), Skip::TooManyMatches);
}

#[test]
fn text_that_is_not_for_reading_is_left_alone() {
    let factory = literal("a", "b").render(&Values::default(), utf8());
    for name in RAW_TEXT {
        assert_eq!(factory.editor(name, &|_| None).unwrap_err(), Skip::RawText, "{name}");
    }
    for name in ["title", "textarea", "p", "x-y"] {
        assert!(factory.editor(name, &|_| None).unwrap().is_some(), "{name}");
    }
}

#[test]
fn pieces_with_a_gap_are_two_texts() {
    let factory = literal("ab", "x").render(&Values::default(), utf8());
    let mut editor = factory.editor("p", &|_| None).unwrap().unwrap();
    let mut edits = Vec::new();
    editor.write(b"a", 0, &mut edits);
    editor.write(b"b", 9, &mut edits);
    assert_eq!(editor.end(&mut edits), TextOutcome::Missed);
}

#[test]
fn patterns_that_cannot_be_used_are_refused() {
    let long = "a".repeat(usize::from(MAX_MATCH) + 1);
    for (text, expected) in [("", "nothing is looked for"), (&long, "1025 characters")] {
        let error = Pattern::literal(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let cases = [
        ("", 1, "nothing is looked for"),
        ("a(", 1, "\"a(\" doesn't compile"),
        ("(?=a)", 1, "doesn't compile"),
        ("(a{100}){100}", 1, "at most 16 KB"),
        ("a*", 1, "at least one"),
        ("^", 1, "at least one"),
        (r"\b", 1, "at least one"),
        ("a|", 1, "at least one"),
        ("a", 0, "1 to 1024"),
        ("a", 1025, "1 to 1024"),
    ];
    for (pattern, max_match, expected) in cases {
        let error = Pattern::regex(pattern, max_match).unwrap_err().to_string();
        assert!(error.contains(expected), "{pattern}: {error}");
    }
}

#[test]
fn replacements_that_cannot_be_used_are_refused() {
    let pattern = Pattern::regex("(a)(?P<b>b)", 8).unwrap();
    let new = |with: &str| Replacement::new(template(with), &pattern);
    for with in ["$0$1$2${b}${1}", "$$", "", "{{ x }}", "$1{{ x }}"] {
        assert!(new(with).is_ok(), "{with}");
    }
    for (with, expected) in [
        ("$3", "no group \"3\"; its last one is $2"),
        ("${c}", "no group \"c\""),
        ("$9.99", "`$$`"),
        ("$", "`$$`"),
        ("$ 5", "`$$`"),
        ("${1", "`$$`"),
        ("${{ x }}", "`$$`"),
    ] {
        let error = new(with).unwrap_err().to_string();
        assert!(error.contains(expected), "{with}: {error}");
    }
    assert!(Replacement::new(template("$9"), &Pattern::literal("a").unwrap()).is_ok());
}

/// Source and what it reads as; no two of them make something else together.
const ATOMS: &[(&str, &str)] = &[
    ("a", "a"),
    ("b", "b"),
    ("a", "a"),
    ("b", "b"),
    (" ", " "),
    ("&#97;", "a"),
    ("&#x62;", "b"),
    ("\r\n", "\n"),
    ("\n", "\n"),
    ("é", "é"),
    ("&eacute;", "é"),
    ("&NotEqualTilde;", "≂\u{338}"),
    ("≂", "≂"),
    ("😀", "😀"),
    ("&amp;", "&"),
    ("& ", "& "),
];

/// What is looked for.
#[derive(Debug, Clone, Copy)]
enum Wanted {
    Text(&'static str),
    Regex(&'static str, u16),
}

impl Wanted {
    fn pattern(self) -> Pattern {
        match self {
            Self::Text(text) => Pattern::literal(text).unwrap(),
            Self::Regex(pattern, max_match) => Pattern::regex(pattern, max_match).unwrap(),
        }
    }

    /// How long a match from a character of `text` on is, with all of it in view.
    fn lengths(self, text: &[char]) -> impl Fn(usize) -> Option<usize> {
        let regex = match self {
            Self::Text(_) => None,
            Self::Regex(pattern, _) => Some(regex_lite::Regex::new(pattern).unwrap()),
        };
        move |at| match self {
            Self::Text(wanted) => {
                let wanted: Vec<char> = wanted.chars().collect();
                text[at..].starts_with(&wanted).then_some(wanted.len())
            }
            Self::Regex(_, max_match) => {
                let max_match = usize::from(max_match);
                let end = text.len().min(at + max_match + 1);
                let seen: String = text[..end].iter().collect();
                let start = text[..at].iter().collect::<String>().len();
                let found = regex.as_ref()?.find_at(&seen, start).filter(|found| found.start() == start)?;
                let length = found.as_str().chars().count();
                (length <= max_match && (end == text.len() || found.end() < seen.len())).then_some(length)
            }
        }
    }
}

/// The same by another way: all of the text at once, character by character.
fn naive(wanted: Wanted, with: &str, atoms: &[(&str, &str)]) -> String {
    // For each character the source that starts with it, and whether the source ends with it.
    let (mut text, mut sources) = (Vec::new(), Vec::new());
    for (source, characters) in atoms {
        let is_plain = source == characters;
        let count = characters.chars().count();
        for (position, character) in characters.chars().enumerate() {
            let source = if is_plain { character.to_string() } else { (*source).to_owned() };
            text.push(character);
            sources.push(((is_plain || position == 0).then_some(source), is_plain || position + 1 == count));
        }
    }
    let length = wanted.lengths(&text);
    let (mut out, mut at) = (String::new(), 0);
    while at < text.len() {
        let whole = |length: &usize| sources[at].0.is_some() && sources[at + length - 1].1;
        if let Some(length) = length(at).filter(whole) {
            out.push_str(with);
            at += length;
        } else {
            out.push_str(sources[at].0.as_deref().unwrap_or_default());
            at += 1;
        }
    }
    out
}

fn wanted() -> impl Strategy<Value = Wanted> {
    let texts = ["a", "ab", "aab", "aba", "a\nb", "é", "≂\u{338}", "\u{338}", "b ", "&", "& a", "😀a"];
    let expressions = [
        "a+",
        "ab?",
        "a.b",
        "a.*b",
        "a.*?b",
        "(?s)a.*b",
        r"\ba",
        r"b\b",
        "^a",
        "b$",
        "^[ab]+$",
        "(?m)^a",
        "[^a]",
        "a{2}",
        "(a|b){1,3}",
        "é|a\n",
        "≂.",
        ".≂",
        ".",
        "(?s)..",
        "ab*|a",
        "a.*$|a",
        r"\Ba",
        " +a",
    ];
    prop_oneof![
        prop::sample::select(texts.to_vec()).prop_map(Wanted::Text),
        (prop::sample::select(expressions.to_vec()), 1_u16..6)
            .prop_map(|(pattern, max_match)| Wanted::Regex(pattern, max_match)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn it_is_what_a_search_through_all_of_the_text_finds(
        wanted in wanted(),
        atoms in prop_oneof![
            prop::collection::vec(prop::sample::select(ATOMS.to_vec()), 0..40),
            prop::collection::vec(prop::sample::select(ATOMS.to_vec()), 300..900),
        ],
        cuts in prop::collection::btree_set(0_usize..3000, 0..60),
    ) {
        let page: String = atoms.iter().map(|(source, _)| *source).collect();
        let expected = naive(wanted, "[x]", &atoms);
        let find = find(wanted.pattern(), "[x]");
        let cuts: Vec<usize> = cuts.into_iter().collect();
        let (out, _) = run(&find, utf8(), page.as_bytes(), &cuts);
        prop_assert_eq!(String::from_utf8(out).unwrap(), expected, "{} {:?} {:?}", page.escape_debug(), wanted, cuts);
    }

    #[test]
    fn it_never_depends_on_cuts(
        wanted in wanted(),
        label in prop::sample::select(vec!["utf-8", "shift_jis", "gb18030", "big5", "euc-kr", "windows-1252", ""]),
        page in prop::collection::vec(
            prop_oneof![
                4 => prop::sample::select(b"ab \n&;<>#x0197".to_vec()),
                1 => any::<u8>(),
            ],
            0..200,
        ),
        cuts in prop::collection::btree_set(0_usize..200, 0..20),
    ) {
        let charset = Charset::from_label(label.as_bytes()).unwrap_or(Charset::Undeclared);
        let find = find(wanted.pattern(), "x");
        let cuts: Vec<usize> = cuts.into_iter().collect();
        prop_assert_eq!(run(&find, charset, &page, &[]), run(&find, charset, &page, &cuts));
    }

    #[test]
    fn it_reads_what_the_decoder_of_the_encoding_reads(
        label in prop::sample::select(vec![
            "utf-8", "shift_jis", "gb18030", "gbk", "big5", "euc-jp", "euc-kr", "windows-1252", "iso-8859-8", "koi8-u",
            "x-user-defined", "macintosh", "windows-874", "ibm866",
        ]),
        page in prop::collection::vec(
            prop_oneof![
                prop::sample::select(b"aA09 \\~\x80\x81\x8E\x8F\xA1\xE2\x82\xF0\xFF".to_vec()),
                any::<u8>(),
            ].prop_filter("read in another way", |byte| !matches!(byte, 0 | b'&' | b'\r')),
            0..60,
        ),
        cut in 0_usize..60,
    ) {
        let charset = Charset::from_label(label.as_bytes()).unwrap();
        let mut reader = reader::Reader::new(charset);
        let mut window = window::Window::default();
        let (mut at, mut arrived) = (0, cut.min(page.len()));
        loop {
            let end = arrived == page.len();
            match reader.read(&page[at..arrived], end, &mut window) {
                reader::Read::Taken(length) => at += length,
                reader::Read::Unreadable(_) => return Err(TestCaseError::fail("it has an encoding")),
                reader::Read::NeedMore if end => break,
                reader::Read::NeedMore => arrived = page.len(),
            }
        }
        let encoding = Encoding::for_label(label.as_bytes()).unwrap();
        // A tag follows, as in a page.
        let behind = [page.as_slice(), b"<"].concat();
        let (text, _) = encoding.decode_without_bom_handling(&behind);
        prop_assert_eq!(window.text(), text.strip_suffix('<').unwrap());
        prop_assert_eq!((at, window.end()), (page.len(), page.len() as u64));
    }
}
