//! Selectors on a [`Dom`], as `querySelectorAll` matches them: the crate of the browsers, not the code under test.

use std::fmt;

use cssparser::{ParserInput, ToCss};
use html5ever::interface::QuirksMode;
use html5ever::{LocalName, Namespace, local_name, ns};
use precomputed_hash::PrecomputedHash;
use selectors::OpaqueElement;
use selectors::attr::{AttrSelectorOperation, CaseSensitivity, NamespaceConstraint};
use selectors::bloom::BloomFilter;
use selectors::context::{
    MatchingContext, MatchingForInvalidation, MatchingMode, NeedsSelectorFlags, SelectorCaches,
};
use selectors::matching::{self, ElementSelectorFlags};
use selectors::parser::{self, ParseRelative, SelectorImpl, SelectorList, SelectorParseErrorKind};

use crate::dom::{DOCUMENT, Dom, Id, Kind};

/// The elements that match, in tree order.
///
/// # Errors
/// Why it is not a selector.
pub fn select(dom: &Dom, selector: &str) -> Result<Vec<Id>, String> {
    let mut input = ParserInput::new(selector);
    let list =
        SelectorList::<Css>::parse(&CssParser, &mut cssparser::Parser::new(&mut input), ParseRelative::No)
            .map_err(|error| format!("{selector}: {error:?}"))?;
    let quirks = match dom.quirks() {
        QuirksMode::Quirks => selectors::context::QuirksMode::Quirks,
        QuirksMode::LimitedQuirks => selectors::context::QuirksMode::LimitedQuirks,
        QuirksMode::NoQuirks => selectors::context::QuirksMode::NoQuirks,
    };
    let mut caches = SelectorCaches::default();
    let mut context = MatchingContext::new(
        MatchingMode::Normal,
        None,
        &mut caches,
        quirks,
        NeedsSelectorFlags::No,
        MatchingForInvalidation::No,
    );
    let elements = dom.elements().map(|id| Node { dom, id });
    let matched = elements.filter(|node| matching::matches_selector_list(&list, node, &mut context));
    Ok(matched.map(|node| node.id).collect())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Css;

/// A name or a value in a selector.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Word(LocalName);

impl From<&str> for Word {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl AsRef<str> for Word {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl ToCss for Word {
    fn to_css<W: fmt::Write>(&self, out: &mut W) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl PrecomputedHash for Word {
    fn precomputed_hash(&self) -> u32 {
        self.0.precomputed_hash()
    }
}

/// There are none: states and pseudo-elements are not in markup.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Never {}

impl ToCss for Never {
    fn to_css<W: fmt::Write>(&self, _: &mut W) -> fmt::Result {
        match *self {}
    }
}

impl parser::NonTSPseudoClass for Never {
    type Impl = Css;

    fn is_active_or_hover(&self) -> bool {
        match *self {}
    }

    fn is_user_action_state(&self) -> bool {
        match *self {}
    }
}

impl parser::PseudoElement for Never {
    type Impl = Css;
}

impl SelectorImpl for Css {
    type ExtraMatchingData<'a> = ();
    type AttrValue = Word;
    type Identifier = Word;
    type LocalName = Word;
    type NamespaceUrl = Namespace;
    type NamespacePrefix = Word;
    type BorrowedNamespaceUrl = Namespace;
    type BorrowedLocalName = Word;
    type NonTSPseudoClass = Never;
    type PseudoElement = Never;
}

struct CssParser;

impl<'i> parser::Parser<'i> for CssParser {
    type Impl = Css;
    type Error = SelectorParseErrorKind<'i>;

    fn parse_is_and_where(&self) -> bool {
        true
    }

    fn parse_has(&self) -> bool {
        true
    }

    fn parse_nth_child_of(&self) -> bool {
        true
    }
}

#[derive(Clone, Copy)]
struct Node<'a> {
    dom: &'a Dom,
    id: Id,
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node {}", self.id)
    }
}

impl Node<'_> {
    fn at(&self, id: Id) -> Self {
        Self { dom: self.dom, id }
    }

    fn element(&self) -> Option<&crate::dom::Element> {
        self.dom.element(self.id)
    }

    fn nearest(&self, first: Option<Id>, next: impl Fn(Id) -> Option<Id>) -> Option<Self> {
        let mut nodes = std::iter::successors(first, |id| next(*id));
        nodes.find(|id| self.dom.element(*id).is_some()).map(|id| self.at(id))
    }
}

impl selectors::Element for Node<'_> {
    type Impl = Css;

    fn opaque(&self) -> OpaqueElement {
        OpaqueElement::new(self.dom.node(self.id))
    }

    fn parent_element(&self) -> Option<Self> {
        let parent = self.dom.node(self.id).parent?;
        self.dom.element(parent).map(|_| self.at(parent))
    }

    fn parent_node_is_shadow_root(&self) -> bool {
        false
    }

    fn containing_shadow_host(&self) -> Option<Self> {
        None
    }

    fn is_pseudo_element(&self) -> bool {
        false
    }

    fn prev_sibling_element(&self) -> Option<Self> {
        self.nearest(self.dom.node(self.id).previous, |id| self.dom.node(id).previous)
    }

    fn next_sibling_element(&self) -> Option<Self> {
        self.nearest(self.dom.node(self.id).next, |id| self.dom.node(id).next)
    }

    fn first_element_child(&self) -> Option<Self> {
        self.nearest(self.dom.node(self.id).first, |id| self.dom.node(id).next)
    }

    fn is_html_element_in_html_document(&self) -> bool {
        self.element().is_some_and(|element| element.name.ns == ns!(html))
    }

    fn has_local_name(&self, name: &Word) -> bool {
        self.element().is_some_and(|element| element.name.local == name.0)
    }

    fn has_namespace(&self, namespace: &Namespace) -> bool {
        self.element().is_some_and(|element| element.name.ns == *namespace)
    }

    fn is_same_type(&self, other: &Self) -> bool {
        let name = |node: &Self| node.element().map(|it| (it.name.ns.clone(), it.name.local.clone()));
        name(self) == name(other)
    }

    fn attr_matches(
        &self,
        namespace: &NamespaceConstraint<&Namespace>,
        name: &Word,
        operation: &AttrSelectorOperation<&Word>,
    ) -> bool {
        let in_namespace = |ns: &Namespace| match namespace {
            NamespaceConstraint::Any => true,
            NamespaceConstraint::Specific(wanted) => ns == *wanted,
        };
        self.element().is_some_and(|element| {
            element.attributes.iter().any(|(attribute, value)| {
                in_namespace(&attribute.ns) && attribute.local == name.0 && operation.eval_str(value)
            })
        })
    }

    fn match_non_ts_pseudo_class(&self, class: &Never, _: &mut MatchingContext<'_, Css>) -> bool {
        match *class {}
    }

    fn match_pseudo_element(&self, element: &Never, _: &mut MatchingContext<'_, Css>) -> bool {
        match *element {}
    }

    fn apply_selector_flags(&self, _: ElementSelectorFlags) {}

    fn is_link(&self) -> bool {
        false
    }

    fn is_html_slot_element(&self) -> bool {
        self.element().is_some_and(|element| element.is_html(&local_name!("slot")))
    }

    fn has_id(&self, id: &Word, case: CaseSensitivity) -> bool {
        let value = self.element().and_then(|element| element.attribute("id"));
        value.is_some_and(|value| case.eq(value.as_bytes(), id.0.as_bytes()))
    }

    fn has_class(&self, name: &Word, case: CaseSensitivity) -> bool {
        let value = self.element().and_then(|element| element.attribute("class")).unwrap_or_default();
        value.split_ascii_whitespace().any(|class| case.eq(class.as_bytes(), name.0.as_bytes()))
    }

    fn has_custom_state(&self, _: &Word) -> bool {
        false
    }

    fn imported_part(&self, _: &Word) -> Option<Word> {
        None
    }

    fn is_part(&self, _: &Word) -> bool {
        false
    }

    fn is_empty(&self) -> bool {
        self.dom.children(self.id).all(|child| match &self.dom.node(child).kind {
            Kind::Element(_) => false,
            Kind::Text(text) => text.is_empty(),
            _ => true,
        })
    }

    fn is_root(&self) -> bool {
        self.dom.node(self.id).parent == Some(DOCUMENT)
    }

    fn add_element_unique_hashes(&self, _: &mut BloomFilter) -> bool {
        false
    }
}
