//! Words in text.

use std::sync::Arc;

use super::Compiler;
use crate::config::model;
use crate::config::node::Path;
use crate::find::{Find, Pattern, PatternError, Replacement};
use crate::patch::element::Step;
use crate::template::{Part, Template};

impl Compiler<'_> {
    /// `find` and `replace_with`, everything that is wrong with either reported.
    pub(super) fn find(&mut self, patch: &model::Patch, path: &Path) -> Option<Step> {
        let (find, with) = (patch.find.as_ref(), patch.replace_with.as_ref());
        if find.is_none() && with.is_none() {
            return None;
        }
        if let Some((name, _)) =
            [("text", &patch.text), ("html", &patch.html)].iter().find(|(_, content)| content.is_some())
        {
            self.report(
                path,
                format!("`{name}` replaces the content, so nothing is left to be found in it; keep one"),
            );
        }
        if find.is_none() {
            self.report(
                &path.clone().key("replace_with"),
                "`find` is missing: it says what the text stands instead of",
            );
        }
        if with.is_none() {
            self.report(
                &path.clone().key("find"),
                "`replace_with` is missing: the text that stands there instead; \"\" takes it away",
            );
        }
        let at = path.clone().key("find");
        let pattern = find.map(|find| match find {
            model::Find::Text(text) => Pattern::literal(text).map_err(|error| (at, error)),
            model::Find::Regex(find) => Pattern::regex(&find.regex, find.max_match).map_err(|error| {
                let key = if matches!(error, PatternError::MaxMatch(_)) { "max_match" } else { "regex" };
                (at.key(key), error)
            }),
        });
        let at = path.clone().key("replace_with");
        let template = with.and_then(|with| self.text_template(with, &at));
        let pattern = match pattern? {
            Ok(pattern) => pattern,
            Err((at, error)) => {
                self.report(&at, error.to_string());
                return None;
            }
        };
        let template = template?;
        let keeps_words = find.is_some_and(looks_for_words) && begins_with_a_word(&template);
        match Replacement::new(template, &pattern) {
            Ok(replacement) => {
                let find = Find { pattern: Arc::new(pattern), replacement };
                Some(Step::Find { find, keeps_words })
            }
            Err(error) => {
                self.report(&at, error.to_string());
                None
            }
        }
    }
}

/// Whether whatever is found is more than white space and signs.
fn looks_for_words(find: &model::Find) -> bool {
    matches!(find, model::Find::Text(text) if text.contains(char::is_alphanumeric))
}

/// Whether it is more than white space and signs, whatever its values are, and begins with what makes no tag where a text has
/// a `<` in front of it, nor the end tag of a title where it has the rest of that.
fn begins_with_a_word(template: &Template) -> bool {
    let is_safe = |first: char| first.is_alphanumeric() && !first.is_ascii_alphabetic();
    matches!(template.parts().first(), Some(Part::Literal(text)) if text.starts_with(is_safe))
}

#[cfg(test)]
mod tests {
    use crate::engine::Engine;

    /// What is wrong with a patch.
    fn problems(patch: &str) -> String {
        let config = format!(
            "version: 1\nattributes: {{ name: {{ query: name }} }}\n\
             routes: [{{ name: r, match: {{}}, patches: [{{ select: p, {patch} }}] }}]\n"
        );
        Engine::load(config.as_bytes()).map(|_| String::new()).unwrap_or_else(|problems| problems.to_string())
    }

    #[test]
    fn words_are_found_and_replaced() {
        for patch in [
            "find: Old, replace_with: New",
            "find: '2024', replace_with: ''",
            "find: 'true', replace_with: '{{ name }}', all: true, class: { add: [x] }",
            "find: { regex: '(a)b' }, replace_with: '$1{{ name | default(\"$\") }}'",
            "find: { regex: a, max_match: 1024 }, replace_with: x, rename: div",
            "find: $, replace_with: $",
        ] {
            assert_eq!(problems(patch), "", "{patch}");
        }
    }

    #[test]
    fn everything_that_is_wrong_is_told() {
        let cases: &[(&str, &[&str])] = &[
            ("find: Old", &["patches[0].find", "`replace_with` is missing"]),
            ("replace_with: New", &["patches[0].replace_with", "`find` is missing"]),
            ("find: '', replace_with: x", &["patches[0].find", "nothing is looked for"]),
            ("find: a, replace_with: x, text: y", &["`text` replaces the content"]),
            ("find: a, replace_with: x, html: y", &["`html` replaces the content"]),
            ("find: a, replace_with: x, remove: true", &["the element goes"]),
            ("find: { regex: 'a(' }, replace_with: x", &["patches[0].find.regex", "doesn't compile"]),
            (
                "find: { regex: a, max_match: 2000 }, replace_with: x",
                &["patches[0].find.max_match", "1 to 1024"],
            ),
            ("find: { regex: a, max: 2 }, replace_with: x", &["unknown field \"max\"", "max_match"]),
            ("find: { max_match: 2 }, replace_with: x", &["missing field \"regex\""]),
            ("find: 7, replace_with: x", &["text in quotes"]),
            ("find: a, replace_with: '{{ nam }}'", &["patches[0].replace_with", "did you mean \"name\"?"]),
            ("find: { regex: a }, replace_with: $1", &["patches[0].replace_with", "no group \"1\""]),
            (
                "find: { regex: '*' }, replace_with: '{{ nam }}'",
                &["patches[0].find.regex", "patches[0].replace_with"],
            ),
        ];
        for (patch, expected) in cases {
            let found = problems(patch);
            for expected in *expected {
                assert!(found.contains(expected), "{patch}: {found}");
            }
        }
    }
}
