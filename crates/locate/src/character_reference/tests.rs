use std::cell::RefCell;

use html5ever::TokenizerResult;
use html5ever::data::NAMED_ENTITIES;
use html5ever::tendril::{SliceExt, StrTendril};
use html5ever::tokenizer::{BufferQueue, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};
use proptest::prelude::*;

use super::*;

/// Text and attribute values of a page, as another tokenizer reads them.
#[derive(Default)]
struct Read {
    text: RefCell<String>,
    value: RefCell<String>,
}

impl TokenSink for Read {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        match token {
            Token::CharacterTokens(text) => self.text.borrow_mut().push_str(&text),
            Token::NullCharacterToken => self.text.borrow_mut().push('\0'),
            Token::TagToken(tag) => {
                for attribute in tag.attrs {
                    self.value.borrow_mut().push_str(&attribute.value);
                }
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

fn read(page: &str) -> Read {
    let tokenizer = Tokenizer::new(Read::default(), TokenizerOpts::default());
    let input = BufferQueue::default();
    let page: StrTendril = page.to_tendril();
    input.push_back(page);
    while let TokenizerResult::Script(()) = tokenizer.feed(&input) {}
    tokenizer.end();
    tokenizer.sink
}

fn as_text(source: &str) -> String {
    read(source).text.into_inner()
}

fn as_attribute(source: &str) -> String {
    read(&format!("<a b=\"{source}\">")).value.into_inner()
}

/// `source` decoded from pieces: each call sees only what has arrived.
fn in_pieces(source: &str, cuts: &[usize], in_attribute: bool) -> String {
    let source = source.as_bytes();
    let (mut out, mut at, mut arrived) = (Vec::new(), 0, 0);
    for end in cuts.iter().copied().chain([source.len()]) {
        arrived = end.max(arrived);
        let at_end = arrived == source.len();
        while at < arrived {
            if source[at] != b'&' {
                out.push(source[at]);
                at += 1;
                continue;
            }
            match next(&source[at..arrived], in_attribute, at_end) {
                Reference::Characters { characters, length } => {
                    out.extend(characters.into_iter().collect::<String>().bytes());
                    at += length;
                }
                Reference::NotAReference => {
                    out.push(b'&');
                    at += 1;
                }
                Reference::NeedMore => {
                    assert!(!at_end);
                    break;
                }
            }
        }
    }
    String::from_utf8(out).unwrap()
}

fn names() -> Vec<(String, Vec<u32>)> {
    let entities = NAMED_ENTITIES.entries().filter(|(_, (first, _))| *first != 0);
    let mut names: Vec<_> = entities
        .map(|(name, (first, second))| {
            ((*name).to_owned(), [*first, *second].into_iter().filter(|point| *point != 0).collect())
        })
        .collect();
    names.sort();
    names
}

#[test]
fn the_list_is_that_of_the_standard() {
    let known: String = names()
        .iter()
        .map(|(name, points)| {
            let points: Vec<_> = points.iter().map(|point| format!("{point:X}")).collect();
            format!("{name} {}\n", points.join(" "))
        })
        .collect();
    assert_eq!(names().len(), 2231);
    assert_eq!(std::str::from_utf8(NAMES).unwrap(), known);
}

#[test]
fn every_name_is_decoded_in_front_of_everything() {
    for (name, _) in names() {
        for after in ["", ";", "=", "a", "1", " ", "&", "#", "é"] {
            let source = format!("x&{name}{after}");
            for (in_attribute, decoded, expected) in [
                (false, decode_text(&source), as_text(&source)),
                (true, decode_attribute(&source), as_attribute(&source)),
            ] {
                assert_eq!(decoded, expected, "{source} in_attribute {in_attribute}");
                if !matches!(after, "" | "=" | "a") {
                    continue;
                }
                for cut in 0..source.len() {
                    assert_eq!(in_pieces(&source, &[cut], in_attribute), expected, "{source} cut at {cut}");
                }
            }
        }
    }
}

#[test]
fn a_name_is_decided_within_the_bound() {
    let longest = names().iter().map(|(name, _)| name.len()).max().unwrap();
    assert_eq!(LONGEST_NAME, longest + 2);
    for (name, _) in names() {
        let source = format!("&{name}{}", "a".repeat(LONGEST_NAME));
        for in_attribute in [false, true] {
            assert_ne!(
                next(&source.as_bytes()[..LONGEST_NAME], in_attribute, false),
                Reference::NeedMore,
                "{source}"
            );
        }
    }
}

#[test]
fn numbers_and_near_misses() {
    let zeros = "0".repeat(5000);
    let cases = [
        "",
        "&",
        "&&",
        "&;",
        "&#",
        "&#;",
        "&#x",
        "&#x;",
        "&#X;",
        "&#xg;",
        "&#-1;",
        "&#65",
        "&#65;",
        "&#65a",
        "&#x41",
        "&#X41;",
        "&#x41g",
        "&#0;",
        "&#x0",
        "&#13;",
        "&#10;",
        "&#127;",
        "&#xD800;",
        "&#xDFFF;",
        "&#x10FFFF;",
        "&#x110000;",
        "&#4294967361;",
        "&#99999999999999999999;",
        "&#xFDD0;",
        "&#x1F600;",
        "&notit;",
        "&notin;",
        "&noti",
        "&not=",
        "&notx",
        "&NotEqualTilde;",
        "&amp",
        "&ampx",
        "&amp;amp;",
        "&&amp;&",
        "&AMP;&Amp;",
        "&#&amp;",
        "&#x&lt;",
        "&unknown;",
        "&no",
        "&CounterClockwiseContourIntegral;",
        "&CounterClockwiseContourIntegral",
        "a&b;c&copy=d&copy;=",
        &format!("&#{zeros}65;"),
        &format!("&#x{zeros}"),
    ];
    for source in cases {
        for in_attribute in [false, true] {
            let (decoded, expected) = if in_attribute {
                (decode_attribute(source), as_attribute(source))
            } else {
                (decode_text(source), as_text(source))
            };
            assert_eq!(decoded, expected, "{source} in_attribute {in_attribute}");
            for cut in 0..source.len().min(64) {
                assert_eq!(in_pieces(source, &[cut], in_attribute), expected, "{source} cut at {cut}");
            }
        }
    }
}

#[test]
fn every_number_up_to_the_last_code_point_and_beyond() {
    for value in (0..=0x3FF_u32).chain((0x400..0x0012_0000).step_by(0x7F)).chain([0xD7FF, 0xE000, u32::MAX]) {
        // A CR from a reference stays one; in the source it would be read as a line feed.
        assert_eq!(decode_text(&format!("&#{value};")), as_text(&format!("&#{value};")), "{value}");
        assert_eq!(decode_text(&format!("&#x{value:x}")), as_text(&format!("&#x{value:x}")), "{value:x}");
    }
}

#[test]
fn what_has_no_reference_is_not_copied() {
    for source in ["", "plain", "a & b", "&unknown;", "&#;"] {
        assert!(matches!(decode_text(source), Cow::Borrowed(same) if same == source), "{source}");
    }
}

proptest! {
    #[test]
    fn as_another_tokenizer_reads_it(
        pieces in prop::collection::vec(
            prop_oneof![
                Just("&".to_owned()), Just("&#".to_owned()), Just("&#x".to_owned()), Just(";".to_owned()),
                Just("=".to_owned()), "[a-zA-Z0-9]{1,3}",
                prop::sample::select(names()).prop_map(|(name, _)| name),
                Just("é".to_owned()), Just(" ".to_owned()),
            ],
            0..12,
        ),
        cuts in prop::collection::vec(0_usize..64, 0..4),
    ) {
        let source = pieces.concat();
        let mut cuts: Vec<_> = cuts.into_iter().filter(|cut| *cut <= source.len()).collect();
        cuts.sort_unstable();
        prop_assert_eq!(decode_text(&source), as_text(&source));
        prop_assert_eq!(decode_attribute(&source), as_attribute(&source));
        prop_assert_eq!(in_pieces(&source, &cuts, false), as_text(&source));
        prop_assert_eq!(in_pieces(&source, &cuts, true), as_attribute(&source));
    }
}
