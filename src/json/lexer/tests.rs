use super::*;
use proptest::prelude::*;
use serde::de::IgnoredAny;

fn plain() -> Lexer {
    Lexer::new(Bytes::Plain, false, 512)
}

/// All tokens with the offset at which each is known, or where the text can't be followed any more.
fn read(lexer: &mut Lexer, pieces: &[&[u8]]) -> (Vec<(usize, Token)>, Result<bool, Fault>) {
    let (mut tokens, mut at) = (Vec::new(), 0);
    for piece in pieces {
        let mut rest = *piece;
        while !rest.is_empty() {
            match lexer.next(rest) {
                Ok((used, token)) => {
                    at += used;
                    rest = &rest[used..];
                    tokens.extend(token.map(|token| (at, token)));
                }
                Err(fault) => return (tokens, Err(fault)),
            }
        }
    }
    (tokens, lexer.end())
}

fn accepts(text: &[u8]) -> bool {
    read(&mut plain(), &[text]).1.is_ok()
}

/// Pieces of JSON in any order: most are wrong, many are nearly right.
fn nearly_json() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&'static [u8]> = vec![
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"\"",
        b"\\",
        b"\"a\"",
        b"\"a\":",
        b"\"\\u12aF\"",
        b"u",
        b"0",
        b"1",
        b"-",
        b".",
        b"e",
        b"E+",
        b"12",
        b"true",
        b"false",
        b"null",
        b"nul",
        b" ",
        b"\n",
        b"\t",
        b"\0",
        b"\x7f",
        b"\xC3\xA9",
        b"\xFF",
        b"\x0c",
        b"/",
        b"'",
        b"1.5e-3",
    ];
    prop_oneof![
        proptest::collection::vec(proptest::sample::select(pieces), 0..12).prop_map(|pieces| pieces.concat()),
        proptest::collection::vec(any::<u8>(), 0..6),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5_000, ..ProptestConfig::default() })]

    #[test]
    fn takes_what_serde_json_takes(text in nearly_json()) {
        prop_assert_eq!(accepts(&text), serde_json::from_slice::<IgnoredAny>(&text).is_ok());
    }

    #[test]
    fn cuts_do_not_matter(text in nearly_json(), cut in 0_usize..64) {
        let (head, tail) = text.split_at(cut.min(text.len()));
        prop_assert_eq!(read(&mut plain(), &[head, tail]), read(&mut plain(), &[&text]));
    }
}

#[test]
fn tokens_stand_where_they_are_known() {
    let (tokens, end) = read(&mut plain(), &[b"{\"a\": [1, \"\\\"\"], \"b\":true} "]);
    let expected = [
        (1, Token::Value(Shape::Object)),
        (2, Token::Key),
        (4, Token::KeyEnd),
        (7, Token::Value(Shape::Array)),
        (8, Token::Value(Shape::Scalar)),
        (8, Token::ValueEnd),
        (9, Token::Comma),
        (11, Token::Value(Shape::Scalar)),
        (14, Token::ValueEnd),
        (15, Token::ValueEnd),
        (16, Token::Comma),
        (18, Token::Key),
        (20, Token::KeyEnd),
        (22, Token::Value(Shape::Scalar)),
        (25, Token::ValueEnd),
        (26, Token::ValueEnd),
    ];
    assert_eq!(tokens, expected);
    assert_eq!(end, Ok(false));
    assert_eq!(read(&mut plain(), &[b" 1"]).1, Ok(true), "only the end tells that a number ends");
}

#[test]
fn marks_and_nul_depend_on_where_the_text_stands() {
    let in_script = |text: &[u8]| read(&mut Lexer::new(Bytes::Plain, true, 512), &[text]).1.is_ok();
    assert!(accepts(b"\xEF\xBB\xBF{}") && !in_script(b"\xEF\xBB\xBF{}"));
    assert!(!accepts(b" \xEF\xBB\xBF{}") && !accepts(b"\xEF\xBB{}") && !accepts(b"\xEF\xBB\xBF"));
    assert!(!accepts(b"\"a\0\"") && in_script(b"\"a\0\"") && !in_script(b"[\0]"));
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
    assert_eq!(read(&mut plain(), &[&nested(512)]).1, Ok(false));
    assert_eq!(read(&mut plain(), &[&nested(513)]).1, Err(Fault::TooDeep));
    assert_eq!(read(&mut plain(), &[&vec![b'['; 1_000_000]]).1, Err(Fault::TooDeep));
}

#[test]
fn characters_of_two_bytes_may_end_in_a_backslash() {
    use encoding_rs::{BIG5, EUC_KR, GB18030, GBK, SHIFT_JIS, UTF_8};
    let ends = |encoding, text: &[u8]| read(&mut Lexer::new(Bytes::of(encoding), true, 512), &[text]).1;
    for (encoding, lead) in [(SHIFT_JIS, 0x95), (GBK, 0x81), (GB18030, 0x81), (BIG5, 0xA5)] {
        let text = [b'"', lead, b'\\', b'"'];
        assert_eq!(ends(Some(encoding), &text), Ok(false), "{}", encoding.name());
        // As single bytes, the quote would be escaped.
        assert_eq!(ends(Some(UTF_8), &text), Err(Fault::Syntax));
        assert_eq!(ends(None, &text), Err(Fault::Charset));
        // A character before it takes the lead byte for itself.
        assert_eq!(ends(Some(encoding), &[b'"', lead, lead, b'\\', b'n', b'"']), Ok(false));
    }
    assert_eq!(ends(Some(SHIFT_JIS), b"\"\x85\\\"\""), Ok(false), "no character: an escaped quote");
    assert_eq!(ends(Some(EUC_KR), b"\"\xB0\\\"\""), Ok(false));
    assert_eq!(ends(None, "\"é\\n😀\\n\"".as_bytes()), Ok(false), "UTF-8");
}
