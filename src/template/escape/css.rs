//! Values in CSS (CSS Syntax § 4). The attacks: a declaration or a rule too many, the end of the style element, a function.

use std::fmt::Write as _;

/// What a value becomes that is no plain word of CSS. No property knows it, so the declaration is void.
const INVALID_VALUE: &str = "engraft-invalid";

/// A value as part of a declaration: words, numbers, colours, lists of them. Everything else (functions, strings, escapes,
/// what ends the declaration) becomes a word that no property knows; a list is accepted or refused as a whole.
pub fn css_value(text: &str, out: &mut String) {
    let plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '#' | '%' | '.' | '+' | '-' | ',' | ' ' | '_');
    out.push_str(if text.chars().all(plain) { text } else { INVALID_VALUE });
}

/// The inside of a string: all but letters, digits and a few marks becomes a hexadecimal escape.
pub fn css_string(text: &str, out: &mut String) {
    escape(text, out, |c| matches!(c, ' ' | '-' | '_' | '.' | ','));
}

/// A percent-encoded URL or a part of one, inside `url(…)`, with quotes or without.
pub fn css_url(url: &str, out: &mut String) {
    escape(url, out, |c| {
        matches!(
            c,
            '-' | '.' | '_' | '~' | '%' | '/' | ':' | '?' | '#' | '=' | '@' | '!' | '+' | '*' | '[' | ']'
        )
    });
}

fn escape(text: &str, out: &mut String, plain: impl Fn(char) -> bool) {
    let mut after_escape = false;
    for c in text.chars() {
        // Six digits need no space behind them, but one that is there belongs to the escape.
        if c.is_ascii_alphanumeric() || (plain(c) && !(c == ' ' && after_escape)) {
            out.push(c);
            after_escape = false;
        } else {
            // NUL would be U+FFFD anyway.
            let code = if c == '\0' { 0xFFFD } else { u32::from(c) };
            let _ = write!(out, "\\{code:06x}");
            after_escape = true;
        }
    }
}
