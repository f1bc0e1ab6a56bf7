//! Escapers, one for each kind of place. The attack that they prevent: a visitor's header, cookie or query becoming
//! markup, script or another attribute.

/// Escapes for text and for attribute values in either kind of quotes (WHATWG HTML § 13.2.5: none of these characters can
/// then end a text, a tag or a quoted value). CR, which the tokenizer would turn into a line feed, stays a CR; other control
/// characters become U+FFFD: an ESC would switch a page in ISO-2022-JP to an alphabet without `<`.
pub fn markup(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\r' => out.push_str("&#13;"),
            '\t' | '\n' => out.push(character),
            control if control.is_ascii_control() => out.push('\u{FFFD}'),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_that_ends_a_text_or_a_value_is_left() {
        let mut out = String::new();
        super::markup("a&b<c>\"d'\0\u{1b}$B\u{7f}\r\n`é", &mut out);
        assert_eq!(out, "a&amp;b&lt;c&gt;&quot;d&#39;\u{FFFD}\u{FFFD}$B\u{FFFD}&#13;\n`é");
    }
}
