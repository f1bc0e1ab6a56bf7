//! All selectors of a page's patches, matched together as its elements come.
//!
//! Each compound selector has a bit. An element's bits follow from the element itself and from the bits of its parent
//! and of the sibling before it, so nothing is looked up twice: the work for an element grows with the number of
//! selectors, never with its depth.

use std::borrow::Cow;
use std::sync::Arc;

use encoding_rs::Encoding;
use selectors::attr::{AttrSelectorOperator, CaseSensitivity};

use super::Selector;
use super::marks::{Bits, Marks};
use super::parse::{AttributeTest, Case, Combinator, Compound, Test};
use crate::attribute::Attribute;
use crate::character_reference::decode_attribute;
use crate::name::Name;
use crate::tree::{Namespace, StartTag};

/// See the [module](self).
#[derive(Debug, Clone)]
pub(crate) struct Program {
    steps: Vec<Step>,
    /// A selector counts siblings.
    pub(crate) is_positional: bool,
    counts_types: bool,
    /// A selector asks for a parent.
    pub(crate) has_child: bool,
}

#[derive(Debug, Clone)]
struct Step {
    selector: Arc<Selector>,
    /// Which alternative, and which compound in it.
    at: (usize, usize),
    /// The target whose element it describes; `None` for what stands before it.
    target: Option<usize>,
    /// Nobody asks for it any more.
    done: bool,
}

impl Step {
    fn compound(&self) -> Option<&Compound> {
        self.selector.alternatives.get(self.at.0)?.compounds.get(self.at.1)
    }

    /// The compound selector before it is one bit lower.
    const fn is_first(&self) -> bool {
        self.at.1 == 0
    }
}

/// What a new element matches.
#[derive(Debug, Default)]
pub(crate) struct Matched {
    /// Targets, ascending.
    pub(crate) targets: Vec<usize>,
    /// One of them matches because of where it stands.
    pub(crate) by_context: bool,
}

impl Program {
    /// The selectors, in the order of the targets.
    pub(crate) fn new(selectors: impl Iterator<Item = (usize, Arc<Selector>)>) -> Self {
        let mut program =
            Self { steps: Vec::new(), is_positional: false, counts_types: false, has_child: false };
        for (target, selector) in selectors {
            for (alternative, complex) in selector.alternatives.iter().enumerate() {
                let last = complex.compounds.len().saturating_sub(1);
                for (at, compound) in complex.compounds.iter().enumerate() {
                    program.is_positional |= compound.is_positional();
                    program.counts_types |= compound.counts_types();
                    program.has_child |= compound.combinator == Some(Combinator::Child);
                    program.steps.push(Step {
                        selector: Arc::clone(&selector),
                        at: (alternative, at),
                        target: (at == last).then_some(target),
                        done: false,
                    });
                }
            }
        }
        program
    }

    /// Nobody asks for this target any more.
    pub(crate) fn finish(&mut self, target: usize) {
        let mut done = false;
        for step in self.steps.iter_mut().rev() {
            if let Some(found) = step.target {
                done = found == target;
            }
            step.done |= done;
        }
    }

    /// Matches an element that is a child of `parent`; what it says goes into `marks`, and into those of the parent.
    pub(crate) fn enter(
        &self,
        element: &mut Candidate<'_>,
        parent: Option<&mut Marks>,
        marks: &mut Marks,
    ) -> Matched {
        *marks = Marks::default();
        let mut root = Marks::default();
        let parent = parent.unwrap_or(&mut root);
        parent.children = parent.children.saturating_add(1);
        element.index = parent.children;
        if self.counts_types {
            element.index_of_type = count_type(&mut parent.types, element.tag.name.bytes());
        }
        for (index, step) in self.steps.iter().enumerate() {
            if !step.done
                && step.compound().is_some_and(|it| it.tests.iter().all(|test| element.passes(test)))
            {
                marks.local.insert(index);
            }
        }
        let matched = self.place(parent, marks);
        parent.last_child = marks.matched.clone();
        parent.any_child.extend(&marks.matched);
        matched
    }

    /// A formatting element goes on, with the attributes of its first start tag, in another place.
    pub(crate) fn enter_clone(&self, parent: Option<&mut Marks>, marks: &mut Marks) -> Matched {
        let mut root = Marks::default();
        let parent = parent.unwrap_or(&mut root);
        parent.children = parent.children.saturating_add(1);
        let local = std::mem::take(&mut marks.local);
        *marks = Marks { local, ..Marks::default() };
        let matched = self.place(parent, marks);
        parent.last_child = marks.matched.clone();
        parent.any_child.extend(&marks.matched);
        matched
    }

    /// Matches again an element that has another parent now.
    pub(crate) fn moved(&self, parent: &Marks, marks: &mut Marks) -> Matched {
        marks.matched = Bits::default();
        self.place(parent, marks)
    }

    fn place(&self, parent: &Marks, marks: &mut Marks) -> Matched {
        let mut found = Matched::default();
        for index in marks.local.iter() {
            let Some(step) = self.steps.get(index) else { continue };
            let before = index.wrapping_sub(1);
            let holds = match step.compound().and_then(|compound| compound.combinator) {
                None => step.is_first(),
                Some(Combinator::Descendant) => parent.above.contains(before),
                Some(Combinator::Child) => parent.matched.contains(before),
                Some(Combinator::NextSibling) => parent.last_child.contains(before),
                Some(Combinator::LaterSibling) => parent.any_child.contains(before),
            };
            if holds {
                marks.matched.insert(index);
                if let Some(target) = step.target {
                    found.by_context |=
                        !step.is_first() || step.compound().is_some_and(Compound::is_positional);
                    if !found.targets.contains(&target) {
                        found.targets.push(target);
                    }
                }
            }
        }
        found.targets.sort_unstable();
        marks.above = parent.above.clone();
        marks.above.extend(&marks.matched);
        found
    }
}

impl Compound {
    pub(super) fn is_positional(&self) -> bool {
        matches!(self.combinator, Some(Combinator::NextSibling | Combinator::LaterSibling))
            || self.tests.iter().any(Test::is_positional)
    }

    fn counts_types(&self) -> bool {
        self.tests.iter().any(Test::counts_types)
    }
}

impl Test {
    fn any(&self, matches: &dyn Fn(&Self) -> bool) -> bool {
        match self {
            Self::Any(lists) | Self::None(lists) => lists.iter().flatten().any(|test| test.any(matches)),
            test => matches(test),
        }
    }

    fn is_positional(&self) -> bool {
        self.any(&|test| matches!(test, Self::Nth { .. }))
    }

    fn counts_types(&self) -> bool {
        self.any(&|test| matches!(test, Self::Nth { of_type: true, .. }))
    }
}

fn count_type(types: &mut Vec<(Box<[u8]>, u32)>, name: &[u8]) -> u32 {
    if let Some((_, count)) = types.iter_mut().find(|(known, _)| **known == *name) {
        *count = count.saturating_add(1);
        return *count;
    }
    types.push((name.into(), 1));
    1
}

/// An element that is being matched.
pub(crate) struct Candidate<'t> {
    pub(crate) tag: StartTag<'t>,
    pub(crate) ns: Namespace,
    /// Classes and ids are compared without case (Selectors 4 § 6.6, 6.7).
    pub(crate) quirks: bool,
    pub(crate) encoding: &'static Encoding,
    pub(crate) is_root: bool,
    index: u32,
    index_of_type: u32,
    /// Read when a test asks for them.
    attributes: Option<Vec<Attribute>>,
}

impl<'t> Candidate<'t> {
    pub(crate) const fn new(
        tag: StartTag<'t>,
        ns: Namespace,
        quirks: bool,
        encoding: &'static Encoding,
        is_root: bool,
    ) -> Self {
        Self { tag, ns, quirks, encoding, is_root, index: 0, index_of_type: 0, attributes: None }
    }

    fn passes(&mut self, test: &Test) -> bool {
        match test {
            Test::Type { name, lower } => {
                if self.ns == Namespace::Html {
                    self.tag.name.bytes() == lower.as_bytes()
                } else {
                    is_foreign_type(self.tag.name, self.ns, name)
                }
            }
            Test::Id(id) => {
                let case = self.case();
                self.value("id").is_some_and(|value| case.eq(value.as_bytes(), id.as_bytes()))
            }
            Test::Class(class) => {
                let case = self.case();
                self.value("class").is_some_and(|value| {
                    value
                        .split([' ', '\t', '\n', '\x0c', '\r'])
                        .any(|known| case.eq(known.as_bytes(), class.as_bytes()))
                })
            }
            Test::Attribute(attribute) => self.passes_attribute(attribute),
            Test::Nth { of_type, a, b } => {
                is_nth(if *of_type { self.index_of_type } else { self.index }, *a, *b)
            }
            Test::Root => self.is_root,
            Test::Any(lists) => lists.iter().any(|tests| tests.iter().all(|test| self.passes(test))),
            Test::None(lists) => !lists.iter().any(|tests| tests.iter().all(|test| self.passes(test))),
        }
    }

    const fn case(&self) -> CaseSensitivity {
        if self.quirks { CaseSensitivity::AsciiCaseInsensitive } else { CaseSensitivity::CaseSensitive }
    }

    fn passes_attribute(&mut self, test: &AttributeTest) -> bool {
        let html = self.ns == Namespace::Html;
        let Some(value) = self.value(&test.lower) else { return false };
        let Some((operator, expected, case)) = &test.value else { return true };
        let insensitive = *case == Case::Insensitive || (*case == Case::InsensitiveInHtml && html);
        let case =
            if insensitive { CaseSensitivity::AsciiCaseInsensitive } else { CaseSensitivity::CaseSensitive };
        // An empty value matches nothing (Selectors 4 § 6.2).
        let matches_nothing = expected.is_empty()
            && matches!(
                operator,
                AttrSelectorOperator::Prefix | AttrSelectorOperator::Suffix | AttrSelectorOperator::Substring
            );
        !matches_nothing && operator.eval_str(&value, expected, case)
    }

    /// The decoded value of an attribute, given in lower case.
    fn value(&mut self, name: &str) -> Option<Cow<'t, str>> {
        let tag = self.tag;
        if tag.name_end.saturating_add(1) >= tag.source.len() {
            return None;
        }
        let attributes = self.attributes.get_or_insert_with(|| tag.attributes().collect());
        let found = attributes.iter().find(|it| {
            tag.source.get(it.name.clone()).is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
        })?;
        let value = found.value.clone().and_then(|at| tag.source.get(at)).unwrap_or_default();
        Some(decode(value, self.encoding))
    }
}

/// The value of an attribute, as the page's scripts see it, from its bytes between the quotes.
#[must_use]
pub fn decode<'v>(value: &'v [u8], encoding: &'static Encoding) -> Cow<'v, str> {
    let (text, _) = encoding.decode_without_bom_handling(value);
    if !text.contains(['&', '\r', '\0']) {
        return text;
    }
    let text = text.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "\u{FFFD}");
    Cow::Owned(decode_attribute(&text).into_owned())
}

/// Names in SVG have capitals, which the parser restores (WHATWG HTML § 13.2.6.5, adjust SVG tag names).
fn is_foreign_type(name: &Name, ns: Namespace, selector: &str) -> bool {
    let adjusted = if ns == Namespace::Svg {
        SVG_NAMES.iter().find(|known| known.as_bytes().eq_ignore_ascii_case(name.bytes()))
    } else {
        None
    };
    adjusted.map_or_else(|| name.bytes(), |known| known.as_bytes()) == selector.as_bytes()
}

const SVG_NAMES: &[&str] = &[
    "altGlyph",
    "altGlyphDef",
    "altGlyphItem",
    "animateColor",
    "animateMotion",
    "animateTransform",
    "clipPath",
    "feBlend",
    "feColorMatrix",
    "feComponentTransfer",
    "feComposite",
    "feConvolveMatrix",
    "feDiffuseLighting",
    "feDisplacementMap",
    "feDistantLight",
    "feDropShadow",
    "feFlood",
    "feFuncA",
    "feFuncB",
    "feFuncG",
    "feFuncR",
    "feGaussianBlur",
    "feImage",
    "feMerge",
    "feMergeNode",
    "feMorphology",
    "feOffset",
    "fePointLight",
    "feSpecularLighting",
    "feSpotLight",
    "feTile",
    "feTurbulence",
    "foreignObject",
    "glyphRef",
    "linearGradient",
    "radialGradient",
    "textPath",
];

/// Whether `index`, from 1, is `a * n + b` for some `n` from 0 (Selectors 4 § 13).
fn is_nth(index: u32, a: i32, b: i32) -> bool {
    let offset = i64::from(index) - i64::from(b);
    match i64::from(a) {
        0 => offset == 0,
        a => offset % a == 0 && offset / a >= 0,
    }
}
