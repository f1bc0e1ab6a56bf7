//! The query that caches and the origin see.
//!
//! The attack that this prevents: a link with a new parameter each time, which makes every visit a miss.
//!
//! In: `:path` as it came. Out: the same with some parameters left out, and the others in order. What is kept keeps its
//! bytes; nothing is decoded but names, to compare them (`application/x-www-form-urlencoded`, so `%75tm_source` is found).
//! Empty parameters (`a&&b`) fall away, and so do a question mark with nothing behind it and a fragment, which is no part
//! of a request (RFC 9110 § 7.1). The work is that of reading and, where asked for, sorting what the proxy lets in.
//!
//! A target of which a kept part is not UTF-8 stays as it is: its bytes are not known here. It gains a visitor nothing
//! that any other value of that part would not.

use crate::cache::names::Names;
use crate::config::model::KeyQuery;
use crate::config::node::Path;
use crate::config::problem::{Kind, Problem};
use crate::request::target::{Parameter, Target};

use super::tracking::TRACKING;

/// Compiled `cache.query`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    rule: Rule,
    sort: bool,
    /// For people.
    shown: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    All,
    Keep(Names),
    Drop(Names),
}

/// The word for [`TRACKING`].
const TRACKING_WORD: &str = "tracking";

impl Query {
    /// Compiles it; what is wrong goes to `problems`.
    #[must_use]
    pub fn compile(query: &KeyQuery, path: &Path, problems: &mut Vec<Problem>) -> Self {
        let mut report = |path: &Path, message: &str| {
            problems.push(Problem::new(Kind::InvalidValue, path.clone(), message));
        };
        if query.keep.is_some() && query.drop.is_some() {
            report(path, "`keep` and `drop` exclude each other; write the one that is shorter");
        }
        if query.keep.is_none() && query.drop.is_none() && !query.sort {
            report(path, "nothing is said; write `keep: […]`, `drop: […]` or `sort: true`");
        }
        if query.drop.as_ref().is_some_and(Vec::is_empty) {
            report(
                &path.clone().key("drop"),
                "the list is empty, so nothing is dropped; name parameters, or write `keep: []` to drop all",
            );
        }
        let (rule, shown) = match (&query.keep, &query.drop) {
            (Some(keep), _) if keep.is_empty() => (Rule::Keep(Names::default()), "no query".to_owned()),
            (Some(keep), _) => {
                let names = Names::compile(keep, &path.clone().key("keep"), problems);
                (Rule::Keep(names), format!("query: only {}", keep.join(", ")))
            }
            (None, Some(drop)) => {
                let mut names = Names::compile(drop, &path.clone().key("drop"), problems);
                if drop.iter().any(|name| name == TRACKING_WORD) {
                    TRACKING.iter().flat_map(|(_, set)| *set).for_each(|name| {
                        names.insert(name);
                    });
                }
                (Rule::Drop(names), format!("query without {}", drop.join(", ")))
            }
            (None, None) => (Rule::All, "query".to_owned()),
        };
        let shown = if query.sort { format!("{shown}, sorted") } else { shown };
        Self { rule, sort: query.sort, shown }
    }

    /// Whether a parameter of this name, decoded, is kept.
    #[must_use]
    pub fn keeps(&self, name: &str) -> bool {
        match &self.rule {
            Rule::All => true,
            Rule::Keep(names) => names.has(name),
            Rule::Drop(names) => !names.has(name),
        }
    }

    /// Whether some parameters are not kept.
    #[must_use]
    pub const fn drops(&self) -> bool {
        !matches!(self.rule, Rule::All)
    }

    /// What is kept, for people.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// The target that others are to see; `None` where it is the one that came.
    #[must_use]
    pub fn apply(&self, target: &str) -> Option<String> {
        let whole = target.split_once('#').map_or(target, |(target, _)| target);
        let path = whole.split_once('?').map_or(whole, |(path, _)| path);
        let parameters = Target::parse(target).parameters();
        let mut kept: Vec<Parameter<'_>> = parameters.filter(|it| self.keeps(&it.name())).collect();
        if self.sort {
            kept.sort_by_cached_key(|parameter| parameter.name().into_owned());
        }
        let mut made = String::with_capacity(target.len());
        made.push_str(path);
        for (index, parameter) in kept.iter().enumerate() {
            made.push(if index == 0 { '?' } else { '&' });
            made.push_str(parameter.raw());
        }
        (made != target && !made.contains(char::REPLACEMENT_CHARACTER)).then_some(made)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::config::source;

    fn query(yaml: &str) -> (Query, Vec<String>) {
        let query: KeyQuery = source::read(yaml.as_bytes()).unwrap().decode().unwrap();
        let mut problems = Vec::new();
        let compiled = Query::compile(&query, &Path::default(), &mut problems);
        (compiled, problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn targets_are_normalised() {
        const KEEP: &str = "{ keep: [page, sort] }";
        const DROP: &str = "{ drop: [tracking, session_id, 'x_*'] }";
        const SORT: &str = "{ sort: true }";
        for (rule, target, expected) in [
            (KEEP, "/p?page=2&utm_source=x&sort=up", "/p?page=2&sort=up"),
            (KEEP, "/p?a=1", "/p"),
            (KEEP, "/p?", "/p"),
            (KEEP, "/p?&&", "/p"),
            (KEEP, "/p", "/p"),
            (KEEP, "/p?page", "/p?page"),
            (KEEP, "/p?=1&page=", "/p?page="),
            (KEEP, "/p?%70age=%32&Page=1", "/p?%70age=%32"),
            (KEEP, "/p?sort=a+b%2bc%zz&&page=1&page=0", "/p?sort=a+b%2bc%zz&page=1&page=0"),
            (KEEP, "/p?page=1#page=2", "/p?page=1"),
            (KEEP, "/p#f?page=1", "/p"),
            (KEEP, "http://h/p?page=1&x", "http://h/p?page=1"),
            (KEEP, "*", "*"),
            (KEEP, "", ""),
            (KEEP, "/p?page=a?b", "/p?page=a?b"),
            (KEEP, "/p?x=1;page=2", "/p"),
            ("{ keep: [] }", "/p?a&b=1", "/p"),
            ("{ keep: ['a b'] }", "/p?a+b=1&a%20b=2&ab=3", "/p?a+b=1&a%20b=2"),
            ("{ keep: [tracking] }", "/p?tracking=AB12&gclid=1", "/p?tracking=AB12"),
            (DROP, "/p?utm_source=x&utm_=y&a=1&gclid=2&fbclid=3", "/p?a=1"),
            (DROP, "/p?%75tm_source=x&utm%5Fmedium&a=%41", "/p?a=%41"),
            (DROP, "/p?session_id=1&x_1&x_=2&x=3&UTM_source=4", "/p?x=3&UTM_source=4"),
            (DROP, "/p?b=1&a=2&b=0", "/p?b=1&a=2&b=0"),
            (DROP, "/p?=1&a", "/p?=1&a"),
            // The word itself is no name of the set.
            (DROP, "/p?a&tracking=1", "/p?a"),
            (SORT, "/p?b=2&a=9&b=1&a=3", "/p?a=9&a=3&b=2&b=1"),
            (SORT, "/p?%62=1&a=2&b=0&=", "/p?=&a=2&%62=1&b=0"),
            (SORT, "/p?aa&a=1&a", "/p?a=1&a&aa"),
            ("{ drop: [a], sort: true }", "/p?c&a=1&b", "/p?b&c"),
        ] {
            let (rule, problems) = query(rule);
            assert_eq!(problems, [""; 0]);
            let made = rule.apply(target);
            assert_eq!(made.as_deref().unwrap_or(target), expected, "{target}");
            assert_eq!(made.is_none(), target == expected, "{target}");
        }
    }

    #[test]
    fn what_is_not_text_stays_unless_it_is_dropped() {
        let (rule, _) = query("{ keep: [page] }");
        assert_eq!(rule.apply("/p?page=1&a=\u{FFFD}").as_deref(), Some("/p?page=1"));
        assert_eq!(rule.apply("/p?page=\u{FFFD}&a=1"), None);
        assert_eq!(rule.apply("/\u{FFFD}?a=1"), None);
    }

    #[test]
    fn a_rule_says_something_once() {
        for (yaml, message) in [
            ("{ keep: [a], drop: [b] }", "exclude each other"),
            ("{}", "nothing is said"),
            ("{ drop: [] }", "write `keep: []`"),
            ("{ keep: [a, a] }", "keep[1]: \"a\" stands"),
            ("{ drop: ['*'] }", "drop[0]: `*` alone"),
        ] {
            let (_, problems) = query(yaml);
            assert!(problems.iter().any(|problem| problem.contains(message)), "{yaml}: {problems:?}");
        }
        assert_eq!(
            query("{ drop: [tracking, gclid, 'utm_*'] }").1,
            [""; 0],
            "some sites name what the set has"
        );
    }

    #[test]
    fn the_tracking_set_names_each_once() {
        let all: Vec<&str> = TRACKING.iter().flat_map(|(_, names)| *names).copied().collect();
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    }

    #[test]
    fn long_queries_are_read_to_their_end() {
        let (rule, _) = query("{ drop: [tracking], sort: true }");
        let target = format!("/p?{}b&{}a=1", "utm_x&".repeat(16 * 1024), "&".repeat(16 * 1024));
        assert_eq!(rule.apply(&target).as_deref(), Some("/p?a=1&b"));
    }

    proptest! {
        #[test]
        fn normalised_once_and_for_all(
            target in "(/[a-c%]{0,3})?(\\?([abU%6142+=&?;é]{0,4}&?(utm_a|%75tm_b|gclid|a|%61)?=?&?){0,6})?(#a)?",
            rule in prop::sample::select(vec![
                "{ keep: [a, 'b*'] }", "{ keep: [a], sort: true }", "{ drop: [tracking, a] }",
                "{ drop: ['a*'], sort: true }", "{ sort: true }", "{ keep: [] }",
            ]),
        ) {
            let (rule, _) = query(rule);
            let made = rule.apply(&target).unwrap_or_else(|| target.clone());
            prop_assert_eq!(rule.apply(&made), None);
            let (before, after) = (Target::parse(&target), Target::parse(&made));
            prop_assert_eq!(before.path(), after.path());
            // Nothing that is dropped is left, and what is kept has its bytes and, by name, its order.
            let mut expected: Vec<&str> =
                before.parameters().filter(|it| rule.keeps(&it.name())).map(Parameter::raw).collect();
            let got: Vec<&str> = after.parameters().map(Parameter::raw).collect();
            for parameter in after.parameters() {
                prop_assert!(rule.keeps(&parameter.name()));
                let of_name = |target: Target<'_>| -> Vec<String> {
                    let same = target.parameters().filter(|it| it.name() == parameter.name());
                    same.map(|it| it.raw().to_owned()).collect()
                };
                prop_assert_eq!(of_name(before), of_name(after));
            }
            if rule.sort {
                let names: Vec<String> = after.parameters().map(|it| it.name().into_owned()).collect();
                prop_assert!(names.is_sorted());
                let mut got = got;
                got.sort_unstable();
                expected.sort_unstable();
                prop_assert_eq!(got, expected);
            } else {
                prop_assert_eq!(got, expected);
            }
        }
    }
}
