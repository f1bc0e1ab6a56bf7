//! One remark on a configuration.

use engraft::config::problem::{Code, Kind, Level, Problem};
use engraft::config::source::Warning;
use serde::Serialize;

/// See the [module](self). As JSON it is the problem with its weight.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Finding {
    pub(super) level: Level,
    #[serde(flatten)]
    pub(super) problem: Problem,
}

impl Finding {
    pub(super) const fn code(&self) -> Option<Code> {
        self.problem.code
    }

    /// What says that the list was cut short.
    pub(super) fn is_of_the_list(&self) -> bool {
        self.problem.kind == Kind::More
    }

    /// What is wrong, and what to do, apart: the message is one sentence with a semicolon between the two, and suggestions
    /// belong to the latter.
    pub(super) fn parts(&self) -> (String, Option<String>) {
        let Problem { message, suggestion, accepted, .. } = &self.problem;
        let (wrong, fix) = match outer_semicolon(message) {
            Some(at) => {
                let (wrong, fix) = message.split_at(at);
                (wrong, Some(fix.trim_start_matches(';').trim_start().to_owned()))
            }
            None => (message.as_str(), None),
        };
        let meant = suggestion.as_ref().map(|meant| format!("did you mean \"{meant}\"?"));
        let accepted = (!accepted.is_empty()).then(|| format!("accepted: {}", accepted.join(", ")));
        let join = if meant.is_some() && fix.is_none() { " " } else { "; " };
        let fixes: Vec<String> = [fix, meant, accepted].into_iter().flatten().collect();
        (wrong.to_owned(), (!fixes.is_empty()).then(|| fixes.join(join)))
    }
}

impl From<Problem> for Finding {
    fn from(problem: Problem) -> Self {
        let level = match (problem.kind, problem.code) {
            (Kind::More, _) => Level::Note,
            (Kind::Advice, Some(code)) => code.level(),
            (Kind::Advice, None) => Level::Warning,
            _ => Level::Error,
        };
        Self { level, problem }
    }
}

impl From<Warning> for Finding {
    fn from(warning: Warning) -> Self {
        let Warning { path, at, written, code, message, .. } = warning;
        let mut problem = Problem::advice(code, path, message).at(at);
        problem.found = Some(written);
        problem.into()
    }
}

/// The first semicolon with a space behind it that is not in quotes, backticks or parentheses.
fn outer_semicolon(message: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quote = None;
    let mut is_escaped = false;
    let mut before = None;
    for (at, c) in message.char_indices() {
        match (quote, c) {
            (Some('"'), '\\') if !is_escaped => {
                is_escaped = true;
                continue;
            }
            (Some(open), c) if c == open && !is_escaped => quote = None,
            (None, '"' | '`') => quote = Some(c),
            (None, '(') => depth = depth.saturating_add(1),
            (None, ')') => depth = depth.saturating_sub(1),
            (None, ' ') if depth == 0 => {
                if let Some((at, ';')) = before {
                    return Some(at);
                }
            }
            _ => {}
        }
        is_escaped = false;
        before = Some((at, c));
    }
    None
}

#[cfg(test)]
mod tests {
    use engraft::config::node::Path;

    use super::*;

    #[test]
    fn what_is_wrong_and_what_to_do_are_told_apart() {
        for (message, wrong, fix) in [
            ("it is empty", "it is empty", None),
            ("it is empty; write some", "it is empty", Some("write some")),
            ("\"a; b\" is no name; write one", "\"a; b\" is no name", Some("write one")),
            (r#""a\"; b" is no name; c"#, r#""a\"; b" is no name"#, Some("c")),
            (
                "`a; b` (or c; d) is none; write one; or two",
                "`a; b` (or c; d) is none",
                Some("write one; or two"),
            ),
            ("a;b", "a;b", None),
        ] {
            let finding = Finding::from(Problem::new(Kind::InvalidValue, Path::default(), message));
            assert_eq!(finding.parts(), (wrong.to_owned(), fix.map(str::to_owned)), "{message}");
        }
        let unknown = Problem::new(Kind::UnknownField, Path::default(), "unknown field \"a\"");
        let finding = Finding::from(unknown.accepting("nme", &["name", "other"]));
        assert_eq!(finding.parts().1.as_deref(), Some("did you mean \"name\"? accepted: name, other"));
    }
}
