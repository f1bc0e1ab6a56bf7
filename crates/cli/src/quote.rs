//! Words of a command and scalars of YAML, of texts that anybody may have written.
//!
//! The attack that is prevented: a URL or a header of a page's making that, copied into a terminal, becomes another command. A quoted word
//! has no character in it that a POSIX shell reads, and no control character, which a terminal might take for a key.

/// A word for a POSIX shell.
pub(crate) fn shell(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    let mut quoted = String::from("'");
    for c in word.chars() {
        match c {
            '\'' => quoted.push_str("'\\''"),
            // No URL and no header line has these; what is copied has them no more.
            c if c.is_control() => quoted.push('\u{fffd}'),
            c => quoted.push(c),
        }
    }
    quoted.push('\'');
    quoted
}

/// A scalar in double quotes, which JSON and YAML share.
pub(crate) fn yaml(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    // YAML takes these for the ends of lines.
    json.replace('\u{85}', "\\u0085").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

/// A text over several lines, each `indent` deep, as the value of a field; in quotes where lines can't hold it.
pub(crate) fn yaml_block(text: &str, indent: usize) -> String {
    let is_odd =
        |c: char| (c.is_control() && !matches!(c, '\n' | '\t')) || "\u{2028}\u{2029}\u{feff}".contains(c);
    let last = text.rsplit('\n').next().unwrap_or_default();
    let ends_blank = !last.is_empty() && last.trim().is_empty();
    if text.is_empty() || text.contains(is_odd) || text.trim().is_empty() || ends_blank {
        return yaml(text);
    }
    let mut block = String::from(if text.ends_with('\n') { "|2+" } else { "|2-" });
    for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
        block.push('\n');
        if !line.is_empty() {
            block.push_str(&" ".repeat(indent));
            block.push_str(line);
        }
    }
    block
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use engraft::config::source;

    use super::*;

    const HOSTILE: [&str; 16] = [
        "",
        "plain/-_.:=@%+,",
        "a b",
        "$(touch pwned)`touch pwned`",
        "'; touch pwned; '",
        "\\'; touch pwned #",
        "!! !x $'\\n' ${IFS}",
        "-rf",
        "~/* {a,b} [a-z]? <x >y |z &",
        "é ☃ \u{1f600}",
        "\"double\" 'single'",
        "#comment: yes - no",
        "a: b\n- c\n  d",
        "|",
        "‹hidden›",
        "%00%0a",
    ];

    #[test]
    fn a_shell_reads_words_as_they_were() {
        let line: Vec<String> = HOSTILE.iter().map(|word| shell(word)).collect();
        let script = format!("printf '%s\\0' {}", line.join(" "));
        let output = Command::new("sh").arg("-c").arg(script).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8(output.stdout).unwrap();
        let read: Vec<&str> = said.split_terminator('\0').collect();
        let expected: Vec<String> = HOSTILE.iter().map(|word| word.replace('\n', "\u{fffd}")).collect();
        assert_eq!(read, expected);
    }

    #[test]
    fn no_key_is_pressed_by_what_is_pasted() {
        let quoted = shell("a\u{1b}[A\r\n\u{7f}\u{9b}b\0");
        assert!(!quoted.chars().any(char::is_control), "{quoted:?}");
    }

    #[test]
    fn yaml_says_what_was_said() {
        let more = [
            "\u{85}x\u{2028}y\u{2029}",
            "\n\na\n\n",
            "a\n",
            " a\n\tb\n",
            "a\n  ",
            "\u{feff}a\nb",
            "a\r\nb",
            "\0",
            "---\n...",
        ];
        for text in HOSTILE.iter().chain(&more) {
            let document = format!("a: {}\nb:\n  c: {}\n  d: 1\n", yaml(text), yaml_block(text, 4));
            let read = source::read(document.as_bytes());
            let read: serde_json::Value =
                read.unwrap_or_else(|e| panic!("{document}: {e}")).decode().unwrap();
            assert_eq!(
                (read["a"].as_str(), read["b"]["c"].as_str()),
                (Some(*text), Some(*text)),
                "{document}"
            );
        }
    }
}
