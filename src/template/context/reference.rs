//! Character references in what the configuration writes (WHATWG HTML § 13.2.5.72): `java&Tab;script&colon;` is a scheme for
//! a browser, so it has to be one here.

/// Names of ASCII characters (WHATWG HTML § 13.5). What is beyond ASCII means nothing to any language here.
const NAMES: &[(&str, char)] = &[
    ("AMP", '&'),
    ("DiacriticalGrave", '`'),
    ("GT", '>'),
    ("Hat", '^'),
    ("LT", '<'),
    ("NewLine", '\n'),
    ("QUOT", '"'),
    ("Tab", '\t'),
    ("UnderBar", '_'),
    ("VerticalLine", '|'),
    ("amp", '&'),
    ("apos", '\''),
    ("ast", '*'),
    ("bsol", '\\'),
    ("colon", ':'),
    ("comma", ','),
    ("commat", '@'),
    ("dollar", '$'),
    ("equals", '='),
    ("excl", '!'),
    ("grave", '`'),
    ("gt", '>'),
    ("lbrace", '{'),
    ("lbrack", '['),
    ("lcub", '{'),
    ("lowbar", '_'),
    ("lpar", '('),
    ("lsqb", '['),
    ("lt", '<'),
    ("midast", '*'),
    ("num", '#'),
    ("percnt", '%'),
    ("period", '.'),
    ("plus", '+'),
    ("quest", '?'),
    ("quot", '"'),
    ("rbrace", '}'),
    ("rbrack", ']'),
    ("rcub", '}'),
    ("rpar", ')'),
    ("rsqb", ']'),
    ("semi", ';'),
    ("sol", '/'),
    ("verbar", '|'),
    ("vert", '|'),
];

/// Those that need no `;`.
const WITHOUT_SEMICOLON: &[&str] = &["AMP", "GT", "LT", "QUOT", "amp", "gt", "lt", "quot"];

/// Reads the value of an attribute and gives its characters.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    /// From `&` on, while it may still become a reference.
    pending: String,
}

impl Decoder {
    /// What has been read of a reference that is not complete.
    pub(super) fn pending(&self) -> &str {
        &self.pending
    }

    pub(super) fn forget(&mut self) {
        self.pending.clear();
    }

    /// Takes a character and adds to `out` what there is to know.
    pub(super) fn read(&mut self, c: char, out: &mut String) {
        if self.pending.is_empty() {
            if c == '&' {
                self.pending.push(c)
            } else {
                out.push(c)
            }
            return;
        }
        if c.is_ascii_alphanumeric() || (c == '#' && self.pending == "&") {
            return self.pending.push(c);
        }
        self.settle(Some(c), out);
        match c {
            ';' => {}
            '&' => self.pending.push(c),
            _ => out.push(c),
        }
    }

    /// The value ends.
    pub(super) fn end(&mut self, out: &mut String) {
        if !self.pending.is_empty() {
            self.settle(None, out);
        }
    }

    fn settle(&mut self, next: Option<char>, out: &mut String) {
        let raw = std::mem::take(&mut self.pending);
        let name = raw.strip_prefix('&').unwrap_or_default();
        let closed = next == Some(';');
        if let Some((c, rest)) = name.strip_prefix('#').and_then(numeric) {
            out.push(c);
            return out.push_str(rest);
        }
        let known = NAMES.iter().find(|(known, _)| *known == name).map(|(_, c)| *c);
        let without = WITHOUT_SEMICOLON.contains(&name) && next != Some('=');
        match known.filter(|_| closed || without) {
            Some(c) => out.push(c),
            None if closed && name.starts_with(|first: char| first.is_ascii_alphabetic()) => {
                out.push('\u{FFFD}')
            }
            None => {
                out.push_str(&raw);
                out.push_str(if closed { ";" } else { "" });
            }
        }
    }
}

/// `#38` and `#x26`, without the `#`, and what follows the digits. Whatever is no character is U+FFFD; the controls of
/// windows-1252 are none either, being letters and quotes beyond ASCII.
fn numeric(number: &str) -> Option<(char, &str)> {
    let (digits, radix) = match number.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    let (digits, rest) = digits.split_at(digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len()));
    if digits.is_empty() {
        return None;
    }
    let code = u32::from_str_radix(digits, radix).ok().filter(|code| *code != 0);
    Some((code.and_then(char::from_u32).unwrap_or('\u{FFFD}'), rest))
}
