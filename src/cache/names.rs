//! Sets of names, some of them by how they begin, as configurations list them.
//!
//! `name` is that name, `prefix*` is every name that begins so. Comparison is exact, case included: that is how origins
//! compare parameters and cookies.

use std::collections::BTreeSet;

use crate::config::node::Path;
use crate::config::problem::{Kind, Problem};

/// How many names one list holds, and how long each is: what a request is compared with is bounded by them.
const MAX_NAMES: usize = 256;
const MAX_NAME_BYTES: usize = 256;

/// See the [module](self).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    exact: BTreeSet<String>,
    prefixes: Vec<String>,
}

impl Names {
    /// Compiles a list. Names that say nothing, stand there twice or would match everything are problems.
    #[must_use]
    pub fn compile(list: &[String], path: &Path, problems: &mut Vec<Problem>) -> Self {
        let mut names = Self::default();
        let mut report =
            |path: Path, message: String| problems.push(Problem::new(Kind::InvalidValue, path, message));
        if list.len() > MAX_NAMES {
            report(path.clone(), format!("the list has {} names; at most {MAX_NAMES} do", list.len()));
        }
        for (index, name) in list.iter().enumerate().take(MAX_NAMES) {
            let path = path.clone().index(index);
            let prefix = name.strip_suffix('*');
            if name.is_empty() {
                report(path, "the name is empty; write a name, or leave it out".into());
            } else if name.len() > MAX_NAME_BYTES {
                report(
                    path,
                    format!("the name is longer than {MAX_NAME_BYTES} bytes; write a prefix: `abc*`"),
                );
            } else if prefix.unwrap_or(name).contains('*') {
                report(path, format!("\"{name}\" has a `*` that is not its end; write a name or `prefix*`"));
            } else if prefix == Some("") {
                report(path, "`*` alone is every name; write names, or how they begin: `prefix*`".into());
            } else if !names.insert(name) {
                report(path, format!("\"{name}\" stands in the list already; leave one out"));
            }
        }
        names
    }

    /// Adds a name or `prefix*`; `false` where it is known already.
    pub(super) fn insert(&mut self, name: &str) -> bool {
        match name.strip_suffix('*') {
            None => self.exact.insert(name.to_owned()),
            Some(prefix) if self.prefixes.iter().any(|known| known == prefix) => false,
            Some(prefix) => {
                self.prefixes.push(prefix.to_owned());
                true
            }
        }
    }

    /// Whether `name` is one of them.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.exact.contains(name) || self.prefixes.iter().any(|prefix| name.starts_with(prefix))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.prefixes.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_beginnings_of_names() {
        let mut problems = Vec::new();
        let list = ["a", "utm_*", "b*"].map(str::to_owned);
        let names = Names::compile(&list, &Path::default(), &mut problems);
        assert_eq!(problems, []);
        for (name, known) in [
            ("a", true),
            ("A", false),
            ("aa", false),
            ("utm_", true),
            ("utm_x", true),
            ("utm", false),
            ("b", true),
            ("", false),
        ] {
            assert_eq!(names.has(name), known, "{name}");
        }
    }

    #[test]
    fn lists_that_say_nothing_are_refused() {
        let long = "x".repeat(257);
        for (list, message) in [
            (&["a", "a"][..], "[1]: \"a\" stands in the list already"),
            (&["a*", "a*"], "[1]: \"a*\" stands in the list already"),
            (&[""], "[0]: the name is empty"),
            (&["*"], "[0]: `*` alone is every name"),
            (&["a*b"], "[0]: \"a*b\" has a `*`"),
            (&["**"], "[0]: \"**\" has a `*`"),
            (&[&long], "[0]: the name is longer"),
        ] {
            let mut problems = Vec::new();
            let list: Vec<String> = list.iter().map(|name| (*name).to_owned()).collect();
            let _ = Names::compile(&list, &Path::default(), &mut problems);
            let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
            assert!(shown.len() == 1 && shown[0].contains(message), "{list:?}: {shown:?}");
        }
    }
}
