use super::*;
use crate::tokenizer::{Token, Tokenizer};

/// The names of what is open at the end of a page, from the root.
fn open(page: &str) -> String {
    let mut tokenizer = Tokenizer::default();
    let mut tree = Tree::default();
    let mut rest = page.as_bytes();
    let mut in_text = false;
    loop {
        let len = match tokenizer.next(rest, tree.is_in_foreign(), true) {
            Token::More => break,
            Token::Text { len } => {
                if !in_text {
                    rest[..len].iter().for_each(|byte| tree.text(byte.is_ascii_whitespace(), *byte == 0));
                }
                len
            }
            Token::Nothing { len, .. } => len,
            Token::Doctype { len } => {
                tree.doctype(crate::doctype::is_quirky(&rest[..len]));
                len
            }
            Token::Start { len, name, name_end, self_closing } => {
                tree.start(&StartTag { name: &name, source: &rest[..len], name_end, self_closing });
                if let Some(kind) = tree.step.text {
                    in_text = true;
                    tokenizer.expect(kind, name);
                }
                if tree.step.is_void {
                    tree.close_void();
                }
                len
            }
            Token::End { len, name } => {
                if std::mem::take(&mut in_text) {
                    tree.end_of_text()
                } else {
                    tree.end(&name)
                }
                len
            }
        };
        rest = &rest[len..];
    }
    let names: Vec<String> = tree.stack.iter().map(|node| format!("{:?}", node.name)).collect();
    names.join(" ")
}

/// The tree as a whole is judged by tests/tree; here is what each rule is there for.
#[test]
fn what_is_open_is_what_the_standard_says() {
    let cases = [
        ("", ""),
        ("a", "html body"),
        ("<title>a", "html head title"),
        ("<p>a<div>", "html body div"),
        ("<!doctype html><p><table>", "html body table"),
        ("<p><table>", "html body p table"),
        ("<ul><li>a<li>", "html body ul li"),
        ("<ul><li><ul><li>", "html body ul li ul li"),
        ("<li><div><li>", "html body li"),
        ("<li><section><li>", "html body li section li"),
        ("<dl><dt>a<dd>", "html body dl dd"),
        ("<h1>a<h2>", "html body h2"),
        ("<table><td>a<td>", "html body table tbody tr td"),
        ("<table><col><tr>", "html body table tbody tr"),
        ("<table>a<b>", "html body table b"),
        ("<select><option>a<option>", "html body select option"),
        ("<b><p>a</b>", "html body p"),
        ("<b><p>a</b>c", "html body p"),
        ("<p><b>a</p>c", "html body b"),
        ("<a>1<a>", "html body a"),
        ("<svg><g><title><p>", "html body svg g title p"),
        ("<svg><g><p>", "html body p"),
        ("<math><mi><svg>", "html body math mi svg"),
        ("<template><td>", "html head template td"),
        ("<head></head><title></title>", "html"),
        ("<form><div></form>", "html body div"),
        ("</p>", ""),
        ("<body></p>", "html body"),
        ("<body></body>a<b>", "html body b"),
    ];
    for (page, expected) in cases {
        assert_eq!(open(page), expected, "{page}");
    }
}

#[test]
fn what_can_not_be_followed_is_said() {
    let mut tree = Tree::default();
    let name = Name::new(b"b");
    for _ in 0..600 {
        tree.start(&StartTag { name: &name, source: b"<b>", name_end: 2, self_closing: false });
    }
    assert_eq!(tree.lost, Some(Lost::TooComplex));
}
