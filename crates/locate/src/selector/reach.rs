//! What a selector asks, for whoever has to know whether a change of a page can be seen by it.

use std::collections::BTreeSet;

use super::Selector;
use super::parse::{Combinator, Complex, Compound, Test};

/// Where the search for a selector ends, because elements were moved that it may have matched or will match.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the locator gives up for no other reason that is the selector's"
)]
pub enum GivesUp {
    /// Nowhere: it does not ask for a parent or a place among siblings.
    #[default]
    Never,
    /// Where a block is moved out of a formatting element (WHATWG HTML § 13.2.6.4.7, adoption agency algorithm).
    AtMovedBlocks,
    /// Also where formatting elements go on in another place, or something is put in front of a table.
    AtAllMoves,
}

impl Selector {
    /// The elements that it may name, by their types in lower case; `None` where an alternative takes any type.
    #[must_use]
    pub fn subjects(&self) -> Option<BTreeSet<String>> {
        let of = |complex: &Complex| types(&complex.compounds.last()?.tests);
        self.alternatives.iter().map(of).try_fold(BTreeSet::new(), |mut all, types| {
            all.extend(types?);
            Some(all)
        })
    }

    /// The attributes that it looks at, in lower case: of the element, and of what stands around and before it.
    #[must_use]
    pub fn attributes(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        self.each_test(&mut |test| {
            match test {
                Test::Id(_) => names.insert("id".to_owned()),
                Test::Class(_) => names.insert("class".to_owned()),
                Test::Attribute(attribute) => names.insert(attribute.lower.to_ascii_lowercase()),
                _ => false,
            };
        });
        names
    }

    /// Whether it asks for that class, or for something about all classes; of the element, or of what stands around and before
    /// it. Without regard to case, which in some pages has no meaning.
    #[must_use]
    pub fn asks_for_class(&self, name: &str) -> bool {
        let mut asks = false;
        self.each_test(&mut |test| {
            asks |= match test {
                Test::Class(class) => class.eq_ignore_ascii_case(name),
                Test::Attribute(attribute) => attribute.lower.eq_ignore_ascii_case("class"),
                _ => false,
            };
        });
        asks
    }

    /// Whether it may name an element with this tag name and these attributes, in lower case, wherever that stands. Values of
    /// attributes but `id` and `class` are not looked at.
    #[must_use]
    pub fn may_name<'v>(&self, name: &str, attribute: impl Fn(&str) -> Option<&'v str>) -> bool {
        self.alternatives.iter().any(|complex| {
            complex.compounds.last().is_some_and(|subject| may_pass(&subject.tests, name, &attribute))
        })
    }

    /// How many elements deep all elements stand that it names, `html` being the first; `None` where it does not say.
    #[must_use]
    pub fn depth(&self) -> Option<usize> {
        let mut depths = self.alternatives.iter().map(depth);
        let first = depths.next()??;
        depths.all(|depth| depth == Some(first)).then_some(first)
    }

    /// Where the search for it ends.
    #[must_use]
    pub fn gives_up(&self) -> GivesUp {
        let mut compounds = self.alternatives.iter().flat_map(|complex| &complex.compounds);
        if compounds.clone().any(|compound| compound.is_positional()) {
            GivesUp::AtAllMoves
        } else if compounds.any(|compound| compound.combinator == Some(Combinator::Child)) {
            GivesUp::AtMovedBlocks
        } else {
            GivesUp::Never
        }
    }

    /// Whether all its alternatives, or none of them, ask where an element stands: which; `None` where they differ.
    #[must_use]
    pub fn asks_for_context_everywhere(&self) -> Option<bool> {
        let asks = |complex: &Complex| {
            complex.compounds.len() > 1 || complex.compounds.iter().any(|compound| compound.is_positional())
        };
        let mut all = self.alternatives.iter().map(asks);
        let first = all.next()?;
        all.all(|asks| asks == first).then_some(first)
    }

    /// Whether it matches only where one of these elements, given in lower case, has begun: it names one in each alternative,
    /// for the element itself or for what stands around or before it.
    #[must_use]
    pub fn comes_after_any_of(&self, names: &[&str]) -> bool {
        let names_one = |compound: &Compound| {
            types(&compound.tests).is_some_and(|types| types.iter().all(|it| names.contains(&it.as_str())))
        };
        self.alternatives.iter().all(|complex| complex.compounds.iter().any(|compound| names_one(compound)))
    }

    fn each_test(&self, see: &mut dyn FnMut(&Test)) {
        for complex in &self.alternatives {
            for compound in &complex.compounds {
                each(&compound.tests, see);
            }
        }
    }
}

fn each(tests: &[Test], see: &mut dyn FnMut(&Test)) {
    for test in tests {
        match test {
            Test::Any(lists) | Test::None(lists) => lists.iter().for_each(|tests| each(tests, see)),
            test => see(test),
        }
    }
}

fn depth(complex: &Complex) -> Option<usize> {
    let (first, rest) = complex.compounds.split_first()?;
    let of_type = |wanted: &str| types(&first.tests).is_some_and(|types| types.iter().all(|it| it == wanted));
    let top = if first.tests.contains(&Test::Root) || of_type("html") {
        1_usize
    } else if of_type("body") {
        2
    } else {
        return None;
    };
    rest.iter().try_fold(top, |depth, compound| match compound.combinator? {
        Combinator::Descendant => None,
        Combinator::Child => Some(depth.saturating_add(1)),
        Combinator::NextSibling | Combinator::LaterSibling => Some(depth),
    })
}

fn may_pass<'v>(tests: &[Test], name: &str, attribute: &dyn Fn(&str) -> Option<&'v str>) -> bool {
    tests.iter().all(|test| match test {
        Test::Type { name: wanted, .. } => wanted.eq_ignore_ascii_case(name),
        Test::Id(id) => attribute("id").is_some_and(|it| it.eq_ignore_ascii_case(id)),
        Test::Class(class) => attribute("class")
            .is_some_and(|it| it.split_ascii_whitespace().any(|it| it.eq_ignore_ascii_case(class))),
        Test::Attribute(wanted) => attribute(&wanted.lower.to_ascii_lowercase()).is_some(),
        Test::Any(lists) => lists.iter().any(|tests| may_pass(tests, name, attribute)),
        Test::Nth { .. } | Test::Root | Test::None(_) => true,
    })
}

/// The types, in lower case, of which an element is one that passes all of these tests; `None` where it may be any.
fn types(tests: &[Test]) -> Option<BTreeSet<String>> {
    tests.iter().find_map(|test| match test {
        Test::Type { name, .. } => Some(BTreeSet::from([name.to_ascii_lowercase()])),
        Test::Any(lists) => lists.iter().try_fold(BTreeSet::new(), |mut all, tests| {
            all.extend(types(tests)?);
            Some(all)
        }),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_selector_asks() {
        use GivesUp::{AtAllMoves, AtMovedBlocks, Never};
        for (selector, subjects, attributes, gives_up, context) in [
            ("P.a", Some("p"), "class", Never, Some(false)),
            ("main #x > h1:not([Data-K=v])", Some("h1"), "data-k id", AtMovedBlocks, Some(true)),
            ("a, b", Some("a b"), "", Never, Some(false)),
            (".a, b c", None, "class", Never, None),
            (":is(p, li.x) em", Some("em"), "class", Never, Some(true)),
            ("div :is(p, li.x)", Some("li p"), "class", Never, Some(true)),
            (":is(p, .x)", None, "class", Never, Some(false)),
            (":not(p)", None, "", Never, Some(false)),
            ("foreignObject", Some("foreignobject"), "", Never, Some(false)),
            ("h1 + p", Some("p"), "", AtAllMoves, Some(true)),
            ("li:not(:first-child)", Some("li"), "", AtAllMoves, Some(true)),
            ("*", None, "", Never, Some(false)),
        ] {
            let parsed: Selector = selector.parse().unwrap();
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<BTreeSet<_>>();
            assert_eq!(parsed.subjects(), subjects.map(words), "{selector}");
            assert_eq!(parsed.attributes(), words(attributes), "{selector}");
            assert_eq!(parsed.gives_up(), gives_up, "{selector}");
            assert_eq!(parsed.asks_for_context_everywhere(), context, "{selector}");
        }
        for (selector, depth) in [
            ("body", Some(2)),
            ("body > main > p:nth-child(2) + p", Some(4)),
            (":root > body.x > a, html > body > b", Some(3)),
            ("body > a, body > b > c", None),
            ("body p", None),
            ("main > p", None),
            (":is(body, p) > a", None),
        ] {
            assert_eq!(selector.parse::<Selector>().unwrap().depth(), depth, "{selector}");
        }
        for (selector, asks, may_name) in [
            (".x", true, true),
            ("p.X", true, true),
            ("li.x", true, false),
            ("main > p:nth-child(3)", false, true),
            ("p[title=z]", false, true),
            ("p[lang]", false, false),
            ("#i:not(.x)", true, true),
            ("#j, .z", false, false),
            ("[class*=y] p", true, true),
            (":is(li, p).y", false, true),
        ] {
            let parsed: Selector = selector.parse().unwrap();
            let attributes = [("id", "i"), ("class", "x y"), ("title", "t")];
            let value =
                |name: &str| attributes.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
            assert_eq!(parsed.asks_for_class("x"), asks, "{selector}");
            assert_eq!(parsed.may_name("p", value), may_name, "{selector}");
        }
        for (selector, expected) in [
            ("li", true),
            ("table td", true),
            ("li, p", false),
            ("li:not(.x) + b", true),
            (":not(li)", false),
        ] {
            let parsed: Selector = selector.parse().unwrap();
            assert_eq!(parsed.comes_after_any_of(&["li", "table"]), expected, "{selector}");
        }
    }
}
