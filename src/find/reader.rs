//! Bytes of a text node to characters: the page's encoding, line ends and character references.

use encoding_rs::{Encoding, UTF_8};
use engraft_locate::character_reference::{self, Digit, Digits, Reference};

use super::window::Window;
use crate::html::charset::Charset;

/// The longest character reference that is read. A number may have any number of zeros in front, and all of them would have to
/// be held back.
const MAX_REFERENCE_BYTES: usize = 40;

/// Reads text nodes.
#[derive(Debug)]
pub(super) struct Reader {
    encoding: Option<&'static Encoding>,
    /// In a number that is too long to be read.
    digits: Option<Digits>,
    /// The byte before was beyond ASCII and is not understood, so the next one may be the other half of a character.
    after_unknown: bool,
}

/// What became of the start of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    /// So many bytes are in the window.
    Taken(usize),
    /// So many bytes can't be read for certain.
    Unreadable(usize),
    /// What follows decides.
    NeedMore,
}

impl Reader {
    pub(super) fn new(charset: Charset) -> Self {
        let encoding = match charset {
            Charset::Declared(encoding) => Some(encoding),
            Charset::Undeclared => None,
        };
        Self { encoding, digits: None, after_unknown: false }
    }

    /// A node starts.
    pub(super) fn start(&mut self) {
        self.digits = None;
        self.after_unknown = false;
    }

    /// Reads what `input` starts with; at its `end` everything is decided. Read from the first byte on, it comes to
    /// the same whatever the pieces are.
    pub(super) fn read(&mut self, input: &[u8], end: bool, window: &mut Window) -> Read {
        if input.is_empty() {
            return Read::NeedMore;
        }
        if let Some(digits) = &mut self.digits {
            return match input.iter().position(|byte| digits.push(*byte) != Digit::Taken) {
                None => Read::Unreadable(input.len()),
                Some(at) => {
                    self.digits = None;
                    let semicolon = usize::from(input.get(at) == Some(&b';'));
                    Read::Unreadable(at.saturating_add(semicolon))
                }
            };
        }
        let after_unknown = std::mem::take(&mut self.after_unknown);
        match input {
            // In all encodings that are supersets of ASCII, second bytes are digits, letters or signs between them.
            [0x30..=0x7E, ..] if after_unknown => Read::Unreadable(1),
            [b'&', ..] => self.reference(input, end, window),
            [b'\r', b'\n', ..] => whole(window, ['\n'], 2),
            [b'\r'] if !end => Read::NeedMore,
            [b'\r', ..] => whole(window, ['\n'], 1),
            // Gone or U+FFFD, depending on where in the tree it stands (WHATWG HTML § 13.2.6.4.7 and 13.2.6.5).
            [0, ..] => Read::Unreadable(1),
            _ => self.text(input, end, window),
        }
    }

    fn reference(&mut self, input: &[u8], end: bool, window: &mut Window) -> Read {
        match character_reference::next(input, false, end) {
            Reference::Characters { length, .. } if length > MAX_REFERENCE_BYTES => Read::Unreadable(length),
            Reference::Characters { characters, length } => whole(window, characters, length),
            Reference::NotAReference => {
                window.push_plain("&");
                Read::Taken(1)
            }
            Reference::NeedMore if input.len() > MAX_REFERENCE_BYTES => {
                let mut digits = Digits::new();
                for byte in input.iter().skip(2) {
                    digits.push(*byte);
                }
                self.digits = Some(digits);
                Read::Unreadable(input.len())
            }
            Reference::NeedMore => Read::NeedMore,
        }
    }

    /// Text without anything special in front.
    fn text(&mut self, input: &[u8], end: bool, window: &mut Window) -> Read {
        let special = |byte: &u8| matches!(byte, b'&' | b'\r' | 0);
        let run = input.iter().position(special).and_then(|at| input.get(..at)).unwrap_or(input);
        let open = !end && run.len() == input.len();
        let is_utf8 = self.encoding == Some(UTF_8);
        let plain = if is_utf8 {
            match std::str::from_utf8(run) {
                Ok(text) => text,
                Err(error) if error.valid_up_to() == 0 => {
                    return match error.error_len() {
                        Some(length) => whole(window, ['\u{FFFD}'], length),
                        None if open => Read::NeedMore,
                        None => whole(window, ['\u{FFFD}'], run.len()),
                    };
                }
                Err(error) => valid_utf8(run, error.valid_up_to()),
            }
        } else {
            valid_utf8(run, run.iter().position(|byte| !byte.is_ascii()).unwrap_or(run.len()))
        };
        if !plain.is_empty() {
            window.push_plain(plain);
            return Read::Taken(plain.len());
        }
        match self.encoding {
            None => {
                self.after_unknown = true;
                Read::Unreadable(1)
            }
            Some(encoding) => character(encoding, input, end, window),
        }
    }
}

fn whole(window: &mut Window, characters: impl IntoIterator<Item = char>, length: usize) -> Read {
    window.push_whole(characters, length);
    Read::Taken(length)
}

fn valid_utf8(bytes: &[u8], up_to: usize) -> &str {
    bytes.get(..up_to).and_then(|valid| std::str::from_utf8(valid).ok()).unwrap_or_default()
}

/// Reads a character beyond ASCII in an encoding other than UTF-8: byte by byte, until something comes out. Then the
/// decoder is where it was before, as those encodings have no other state.
fn character(encoding: &'static Encoding, input: &[u8], end: bool, window: &mut Window) -> Read {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    // The end of a text node is the `<` of a tag, which is what the decoder of the page meets there.
    let behind = if end { &b"<"[..] } else { &[] };
    let mut taken = 0_usize;
    for byte in input.iter().chain(behind) {
        let mut out = [0; OUT_BYTES];
        let (_, _, length, _) = decoder.decode_to_utf8(std::slice::from_ref(byte), &mut out, false);
        taken = taken.saturating_add(1);
        if length > 0 {
            let mut text = valid_utf8(&out, length);
            // A byte that did not fit comes out as itself, and is read once more.
            if let Some(shorter) = text.strip_suffix(char::from(*byte)).filter(|_| byte.is_ascii()) {
                text = shorter;
                taken = taken.saturating_sub(1);
            }
            return whole(window, text.chars(), taken);
        }
    }
    Read::NeedMore
}

/// More than any byte brings out: three characters in a malformed sequence of four bytes.
const OUT_BYTES: usize = 32;
