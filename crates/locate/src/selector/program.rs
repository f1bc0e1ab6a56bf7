//! All selectors of a page's patches, matched together as its elements come.
//!
//! Each compound selector has a bit. An element's bits follow from the element itself and from the bits of its parent
//! and of the sibling before it, so nothing is looked up twice: the work for an element grows with the number of
//! selectors, never with its depth.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use encoding_rs::Encoding;
use selectors::attr::{AttrSelectorOperator, CaseSensitivity};

use super::Selector;
use super::marks::{Bits, Children, Marks};
use super::parse::{AttributeTest, Case, Combinator, Compound, Test};
use crate::attribute::Attribute;
use crate::character_reference::decode_attribute;
use crate::name::{Name, Tag};
use crate::tree::{Namespace, StartTag};

/// See the [module](self).
#[derive(Debug)]
pub(crate) struct Program {
    /// Ascending by target.
    steps: Vec<Step>,
    lookup: Lookup,
    /// At other elements there is nothing to be tried.
    asked: Asked,
    /// A selector counts siblings.
    pub(crate) is_positional: bool,
    counts_types: bool,
    /// A selector asks for a parent.
    pub(crate) has_child: bool,
}

/// One compound selector. That of the one before it in its selector is one bit lower.
#[derive(Debug)]
struct Step {
    compound: Arc<Compound>,
    /// Nothing stands before it.
    is_first: bool,
    target: usize,
    /// It describes the target's element, not what stands before that.
    is_last: bool,
    /// Nobody asks for it any more.
    done: bool,
}

/// Which steps an element may pass, so that thousands of patches do not have to be tried on every element.
#[derive(Debug, Default)]
struct Lookup {
    /// By the id that they ask for, in lower case.
    ids: HashMap<Box<[u8]>, Vec<usize>>,
    /// By a class that they ask for, in lower case.
    classes: HashMap<Box<[u8]>, Vec<usize>>,
    /// All others.
    rest: Vec<usize>,
}

/// Fewer steps are tried sooner than looked up.
const FEW: usize = 32;

impl Lookup {
    fn new(steps: &[Step]) -> Self {
        let mut lookup = Self::default();
        for (index, step) in steps.iter().enumerate() {
            let asks = |test: &&Test| matches!(test, Test::Id(_) | Test::Class(_));
            let steps = match step.compound.tests.iter().find(asks).filter(|_| steps.len() > FEW) {
                Some(Test::Id(id)) => {
                    lookup.ids.entry(id.to_ascii_lowercase().into_bytes().into()).or_default()
                }
                Some(Test::Class(class)) => {
                    lookup.classes.entry(class.to_ascii_lowercase().into_bytes().into()).or_default()
                }
                _ => &mut lookup.rest,
            };
            steps.push(index);
        }
        lookup
    }

    /// Calls `found` with every step that the element may pass.
    fn each(&self, element: &mut Candidate<'_>, mut found: impl FnMut(usize, &mut Candidate<'_>)) {
        for index in &self.rest {
            found(*index, element);
        }
        let mut all = |steps: Option<&Vec<usize>>, element: &mut Candidate<'_>| {
            for index in steps.into_iter().flatten() {
                found(*index, element);
            }
        };
        if !self.ids.is_empty()
            && let Some(id) = element.value("id")
        {
            all(self.ids.get(id.to_ascii_lowercase().as_bytes()), element);
        }
        if !self.classes.is_empty()
            && let Some(classes) = element.value("class")
        {
            for class in split_classes(&classes) {
                all(self.classes.get(class.to_ascii_lowercase().as_bytes()), element);
            }
        }
    }
}

/// How many steps ask for each tag, and for any.
#[derive(Debug, Clone)]
struct Asked {
    tags: [u32; Tag::COUNT],
    any: u32,
}

impl Asked {
    fn new(steps: &[Step]) -> Self {
        let mut asked = Self { tags: [0; Tag::COUNT], any: 0 };
        for step in steps {
            let count = asked.count_of(&step.compound);
            *count = count.saturating_add(1);
        }
        asked
    }

    /// `compound` is not asked for any more.
    fn forget(&mut self, compound: &Compound) {
        let count = self.count_of(compound);
        *count = count.saturating_sub(1);
    }

    fn count_of(&mut self, compound: &Compound) -> &mut u32 {
        let tag = compound.tests.iter().find_map(|test| match test {
            Test::Type { lower, .. } => Some(lower.tag),
            _ => None,
        });
        tag.and_then(|tag| self.tags.get_mut(tag as usize)).unwrap_or(&mut self.any)
    }

    fn has(&self, tag: Tag) -> bool {
        self.any > 0 || self.tags.get(tag as usize).is_some_and(|count| *count > 0)
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
        let mut steps = Vec::new();
        for (target, selector) in selectors {
            for complex in &selector.alternatives {
                let last = complex.compounds.len().saturating_sub(1);
                steps.extend(complex.compounds.iter().enumerate().map(|(at, compound)| Step {
                    compound: Arc::clone(compound),
                    is_first: at == 0,
                    target,
                    is_last: at == last,
                    done: false,
                }));
            }
        }
        let any = |holds: fn(&Compound) -> bool| steps.iter().any(|step| holds(&step.compound));
        Self {
            is_positional: any(Compound::is_positional),
            counts_types: any(Compound::counts_types),
            has_child: any(|compound| compound.combinator == Some(Combinator::Child)),
            lookup: Lookup::new(&steps),
            asked: Asked::new(&steps),
            steps,
        }
    }

    /// Nobody asks for this target any more.
    pub(crate) fn finish(&mut self, target: usize) {
        let start = self.steps.partition_point(|step| step.target < target);
        let steps = self.steps.iter_mut().enumerate().skip(start);
        for (index, step) in steps.take_while(|(_, step)| step.target == target) {
            if !std::mem::replace(&mut step.done, true) {
                self.asked.forget(&step.compound);
            }
            if let Ok(at) = self.lookup.rest.binary_search(&index) {
                self.lookup.rest.remove(at);
            }
        }
    }

    /// Whether a target may be at an element with this name.
    pub(crate) fn may_find(&self, name: &Name) -> bool {
        self.asked.has(name.tag)
    }

    /// Matches an element that is a child of `parent`; what it says goes into `marks`, which are empty, and into those of
    /// the parent.
    pub(crate) fn enter(
        &self,
        element: &mut Candidate<'_>,
        parent: Option<&mut Marks>,
        marks: &mut Marks,
    ) -> Matched {
        let mut root = Marks::default();
        let parent = parent.unwrap_or(&mut root);
        if self.is_positional {
            let children = parent.children.get_or_insert_default();
            children.count = children.count.saturating_add(1);
            element.index = children.count;
            if self.counts_types {
                element.index_of_type = children.count_type(element.tag.name);
            }
        }
        if !self.asked.has(element.tag.name.tag) {
            if self.is_positional {
                return self.arrive(parent, marks);
            }
            marks.above.assign(&parent.above);
            return Matched::default();
        }
        self.lookup.each(element, |index, element| {
            let live = self.steps.get(index).filter(|step| !step.done);
            if live.is_some_and(|step| step.compound.tests.iter().all(|test| element.passes(test))) {
                marks.local.insert(index);
            }
        });
        self.arrive(parent, marks)
    }

    /// A formatting element goes on, with the attributes of its first start tag, in another place.
    pub(crate) fn enter_clone(&self, parent: Option<&mut Marks>, marks: &mut Marks) -> Matched {
        let mut root = Marks::default();
        let parent = parent.unwrap_or(&mut root);
        if self.is_positional {
            let children = parent.children.get_or_insert_default();
            children.count = children.count.saturating_add(1);
        }
        let local = std::mem::take(&mut marks.local);
        *marks = Marks::from(local);
        self.arrive(parent, marks)
    }

    /// Places the new last child of `parent`.
    fn arrive(&self, parent: &mut Marks, marks: &mut Marks) -> Matched {
        let matched = self.place(parent, marks);
        if let Some(children) = &mut parent.children {
            children.last.clone_from(&marks.matched);
            children.any.extend(&marks.matched);
        }
        matched
    }

    /// Matches again an element that has another parent now.
    pub(crate) fn moved(&self, parent: &Marks, marks: &mut Marks) -> Matched {
        marks.matched = Bits::default();
        self.place(parent, marks)
    }

    fn place(&self, parent: &Marks, marks: &mut Marks) -> Matched {
        let mut found = Matched::default();
        marks.above.assign(&parent.above);
        if marks.local.is_empty() {
            return found;
        }
        for index in marks.local.iter() {
            let Some(step) = self.steps.get(index) else { continue };
            let before = index.wrapping_sub(1);
            let holds = match step.compound.combinator {
                None => step.is_first,
                Some(Combinator::Descendant) => parent.above.contains(before),
                Some(Combinator::Child) => parent.matched.contains(before),
                Some(Combinator::NextSibling) => {
                    parent.children.as_ref().is_some_and(|children| children.last.contains(before))
                }
                Some(Combinator::LaterSibling) => {
                    parent.children.as_ref().is_some_and(|children| children.any.contains(before))
                }
            };
            if holds {
                marks.matched.insert(index);
                if step.is_last {
                    found.by_context |= !step.is_first || step.compound.is_positional();
                    found.targets.push(step.target);
                }
            }
        }
        // Steps ascend by target; several alternatives of one may match.
        found.targets.dedup();
        marks.above.extend(&marks.matched);
        found
    }
}

impl Children {
    fn count_type(&mut self, name: &Name) -> u32 {
        if let Some((_, count)) = self.types.iter_mut().find(|(known, _)| known == name) {
            *count = count.saturating_add(1);
            return *count;
        }
        self.types.push((name.clone(), 1));
        1
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
    attributes: &'t mut Vec<Attribute>,
    is_read: bool,
}

impl<'t> Candidate<'t> {
    /// `attributes` is for its own use.
    pub(crate) const fn new(
        tag: StartTag<'t>,
        ns: Namespace,
        quirks: bool,
        encoding: &'static Encoding,
        is_root: bool,
        attributes: &'t mut Vec<Attribute>,
    ) -> Self {
        Self { tag, ns, quirks, encoding, is_root, index: 0, index_of_type: 0, attributes, is_read: false }
    }

    fn passes(&mut self, test: &Test) -> bool {
        match test {
            Test::Type { name, lower } => {
                if self.ns == Namespace::Html {
                    self.tag.name == lower
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
                    split_classes(&value).any(|known| case.eq(known.as_bytes(), class.as_bytes()))
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
        if tag.is_bare() {
            return None;
        }
        if !std::mem::replace(&mut self.is_read, true) {
            self.attributes.clear();
            self.attributes.extend(tag.attributes());
        }
        let found = self.attributes.iter().find(|it| {
            it.name.len() == name.len()
                && tag
                    .source
                    .get(it.name.clone())
                    .is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
        })?;
        let value = found.value.clone().and_then(|at| tag.source.get(at)).unwrap_or_default();
        Some(decode(value, self.encoding))
    }
}

/// The value of an attribute, as the page's scripts see it, from its bytes between the quotes.
#[must_use]
pub fn decode<'v>(value: &'v [u8], encoding: &'static Encoding) -> Cow<'v, str> {
    let is_plain = |byte: &u8| byte.is_ascii() && !matches!(byte, b'&' | b'\r' | b'\0');
    if value.iter().all(is_plain)
        && let Ok(text) = std::str::from_utf8(value)
    {
        return Cow::Borrowed(text);
    }
    let (text, _) = encoding.decode_without_bom_handling(value);
    if !text.contains(['&', '\r', '\0']) {
        return text;
    }
    let text = text.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "\u{FFFD}");
    Cow::Owned(decode_attribute(&text).into_owned())
}

fn split_classes(value: &str) -> impl Iterator<Item = &str> {
    value.split([' ', '\t', '\n', '\x0c', '\r'])
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locate::{Bounds, Locator, Place, Sighting, Target};

    /// The offsets of the elements that each selector finds.
    fn found(selectors: &[&str], page: &[u8]) -> Vec<Vec<u64>> {
        let target = |selector: &&str| Target {
            place: Place::Elements {
                selector: Arc::new(selector.parse().unwrap()),
                all: true,
                skip_first: 0,
            },
            needs_end: false,
            needs_text: false,
            displaces: false,
            keeps_content: None,
            attributes: None,
            inserts: Vec::new(),
        };
        let bounds = Bounds { max_tag_bytes: 1024, max_elements: 1024, max_undecided_bytes: 1024 };
        let mut locator = Locator::new(selectors.iter().map(target).collect(), encoding_rs::UTF_8, bounds);
        locator.write(page);
        locator.end();
        let mut found = vec![Vec::new(); selectors.len()];
        for sighting in locator.take_sightings() {
            if let Sighting::Start(start) = sighting {
                for at in start.targets {
                    found[at.target].push(start.tag.start);
                }
            }
        }
        found
    }

    #[test]
    fn many_selectors_find_what_few_find() {
        let page = b"<!doctype html><main id=A class='x  Y'><p class=x id=b>1<p id=B class='y z'>2\
            <div class=x><p class='x y'>3<b id=a class=q>4</b></div></main><div class='X y x'><p id='&#97;'>5</div>";
        let selectors = [
            "#a",
            "#A",
            "p#b",
            ".x",
            ".x.y",
            "p.y",
            "main .x",
            "main > .x p#b",
            ".x + #B",
            ".x ~ div",
            "#A .z",
            ":not(.x)",
            ":is(#a, .z)",
            "p",
            "b.q#a",
            ".x p.y b",
        ];
        let decoys: Vec<String> = (0..FEW * 3)
            .map(|nth| match nth % 3 {
                0 => format!("#absent-{nth}"),
                1 => format!(".absent-{nth} p"),
                _ => format!("absent-{nth}"),
            })
            .collect();
        let crowd: Vec<&str> = selectors.iter().copied().chain(decoys.iter().map(String::as_str)).collect();
        for page in [&page[..], &page[15..]] {
            let few: Vec<Vec<u64>> = selectors.iter().flat_map(|selector| found(&[selector], page)).collect();
            assert!(few.iter().filter(|found| !found.is_empty()).count() > 12, "{few:?}");
            let many = found(&crowd, page);
            let (known, absent) = many.split_at(selectors.len());
            assert_eq!(known, few);
            assert!(absent.iter().all(Vec::is_empty));
        }
    }
}
