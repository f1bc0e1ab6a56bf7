use proptest::prelude::*;

use super::*;

/// The tokens of a page, the text kinds of a few elements respected, fed in pieces that end at these offsets.
fn tokens(page: &str, cuts: &[usize]) -> Vec<String> {
    let mut tokenizer = Tokenizer::default();
    let (mut found, mut waiting) = (Vec::new(), Vec::new());
    let ends: Vec<usize> = cuts.iter().copied().chain([page.len()]).collect();
    let mut start = 0;
    for (index, end) in ends.iter().enumerate() {
        waiting.extend_from_slice(&page.as_bytes()[start.min(*end)..*end]);
        start = *end;
        take(&mut tokenizer, &mut waiting, index + 1 == ends.len(), &mut found);
    }
    found
}

fn take(tokenizer: &mut Tokenizer, waiting: &mut Vec<u8>, at_end: bool, found: &mut Vec<String>) {
    loop {
        let token = tokenizer.next(waiting, false, at_end);
        let source = |len: usize| String::from_utf8_lossy(&waiting[..len]).into_owned();
        let (kind, len) = match &token {
            Token::More => return,
            Token::Text { len } => ("text", *len),
            Token::Nothing { len, comment: true } => ("comment", *len),
            Token::Nothing { len, .. } => ("nothing", *len),
            Token::Start { len, .. } => ("start", *len),
            Token::End { len, .. } => ("end", *len),
            Token::Doctype { len } => ("doctype", *len),
        };
        // Pieces of one text or comment are one.
        match found.last_mut().filter(|last| matches!(kind, "text" | "comment") && last.starts_with(kind)) {
            Some(last) => last.push_str(&source(len)),
            None => found.push(format!("{kind} {}", source(len))),
        }
        waiting.drain(..len);
        if let Token::Start { name, .. } = token {
            let kind = match name.tag {
                Tag::Script => TextKind::Script,
                Tag::Style => TextKind::RawText,
                Tag::Title => TextKind::Rcdata,
                Tag::Plaintext => TextKind::PlainText,
                _ => continue,
            };
            tokenizer.expect(kind, name);
        }
    }
}

#[test]
fn pages_fall_into_the_tokens_of_the_standard() {
    let cases: &[(&str, &[&str])] = &[
        ("a<b>c</b >d", &["text a", "start <b>", "text c", "end </b >", "text d"]),
        ("<a b='>' c=\">\" d=>>", &["start <a b='>' c=\">\" d=>", "text >"]),
        ("a < b </ c> <?x>", &["text a < b ", "comment </ c>", "text  ", "comment <?x>"]),
        ("</><!x><![CDATA[a]]>", &["nothing </>", "comment <!x><![CDATA[a]]>"]),
        ("<!doctype html><p", &["doctype <!doctype html>"]),
        (
            "<!--a--!>b<!-->c<!--->d<!-- - -- ->-->e",
            &[
                "comment <!--a--!>",
                "text b",
                "comment <!-->",
                "text c",
                "comment <!--->",
                "text d",
                "comment <!-- - -- ->-->",
                "text e",
            ],
        ),
        (
            "<title>a<b></titles></title >c",
            &["start <title>", "text a<b></titles>", "end </title >", "text c"],
        ),
        (
            "<script>'<!--<script>'</script>'--></script>b",
            &["start <script>", "text '<!--<script>'</script>'-->", "end </script>", "text b"],
        ),
        ("<script><!--></script>a", &["start <script>", "text <!-->", "end </script>", "text a"]),
        ("<script><!-- a </script>b", &["start <script>", "text <!-- a ", "end </script>", "text b"]),
        ("<style></styl></STYLE\n>", &["start <style>", "text </styl>", "end </STYLE\n>"]),
        ("<plaintext></plaintext><b>", &["start <plaintext>", "text </plaintext><b>"]),
    ];
    for (page, expected) in cases {
        assert_eq!(tokens(page, &[]), *expected, "{page}");
        for cut in 1..page.len() {
            assert_eq!(tokens(page, &[cut]), *expected, "{page} cut at {cut}");
        }
    }
}

proptest! {
    #[test]
    fn tokens_do_not_depend_on_cuts(
        pieces in prop::collection::vec(prop::sample::select(&[
            "<", ">", "/", "!", "-", "--", "<!--", "-->", "<script>", "</script>", "<script", "</scr", "ipt>", "<b a='", "'", "\"", "=",
            " ", "x", "<title>", "</title", "<style>", "</style>", "<!doctype", "<![CDATA[", "]]>", "\n", "\0",
        ][..]), 0..30),
        step in 1_usize..9,
    ) {
        let page = pieces.concat();
        let cuts: Vec<usize> = (1..page.len()).step_by(step).collect();
        prop_assert_eq!(tokens(&page, &cuts), tokens(&page, &[]));
    }
}
