//! From the text of a selector to what is tested, by Servo's parser.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use cssparser::{Parser as CssParser, ParserInput, ToCss};
use selectors::attr::{AttrSelectorOperator, ParsedAttrSelectorOperation, ParsedCaseSensitivity};
use selectors::parser::{
    Combinator as RawCombinator, Component, NonTSPseudoClass, NthType, ParseRelative, Parser, PseudoElement,
    Selector as RawSelector, SelectorImpl, SelectorList, SelectorParseErrorKind,
};

use super::Reason;
use crate::name::Name;

/// One of the alternatives that commas separate: its compound selectors, the one for the element itself last.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Complex {
    pub(crate) compounds: Vec<Arc<Compound>>,
}

/// Tests of one element.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Compound {
    /// How it relates to the element of the compound selector before it.
    pub(crate) combinator: Option<Combinator>,
    pub(crate) tests: Vec<Test>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Combinator {
    Descendant,
    Child,
    NextSibling,
    LaterSibling,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Test {
    /// As written, and in lower case.
    Type {
        name: String,
        lower: Name,
    },
    Id(String),
    Class(String),
    Attribute(AttributeTest),
    /// The `an+b`th child, or child of its type.
    Nth {
        of_type: bool,
        a: i32,
        b: i32,
    },
    /// The root element.
    Root,
    /// One of these.
    Any(Vec<Vec<Self>>),
    /// None of these.
    None(Vec<Vec<Self>>),
}

#[derive(Clone, PartialEq)]
pub(crate) struct AttributeTest {
    pub(crate) name: String,
    pub(crate) lower: String,
    pub(crate) value: Option<(AttrSelectorOperator, String, Case)>,
}

impl fmt::Debug for AttributeTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value =
            self.value.as_ref().map(|(operator, value, case)| (operator.to_css_string(), value, case));
        f.debug_struct("AttributeTest").field("name", &self.name).field("value", &value).finish()
    }
}

/// How a value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    Sensitive,
    Insensitive,
    /// Insensitive on HTML elements (WHATWG HTML § 4.16.2: `type`, `lang`, `method` and the like).
    InsensitiveInHtml,
}

/// Parses a list of selectors.
pub(super) fn parse(source: &str) -> Result<Vec<Complex>, Reason> {
    let mut input = ParserInput::new(source);
    let mut parser = CssParser::new(&mut input);
    let list =
        SelectorList::parse(&Grammar, &mut parser, ParseRelative::No).map_err(|error| match error.kind {
            cssparser::ParseErrorKind::Basic(cssparser::BasicParseErrorKind::EndOfInput) => {
                Reason::UnexpectedEnd
            }
            cssparser::ParseErrorKind::Basic(_) => Reason::Syntax,
            cssparser::ParseErrorKind::Custom(Refusal(reason)) => reason,
        })?;
    list.slice().iter().map(complex).collect()
}

fn complex(selector: &RawSelector<Css>) -> Result<Complex, Reason> {
    let mut compounds = Vec::new();
    let mut tests = Vec::new();
    for component in selector.iter_raw_match_order() {
        if let Component::Combinator(combinator) = component {
            let combinator = match combinator {
                RawCombinator::Descendant => Combinator::Descendant,
                RawCombinator::Child => Combinator::Child,
                RawCombinator::NextSibling => Combinator::NextSibling,
                RawCombinator::LaterSibling => Combinator::LaterSibling,
                _ => return Err(Reason::Pseudo),
            };
            let tests = std::mem::take(&mut tests);
            compounds.push(Arc::new(Compound { combinator: Some(combinator), tests }));
        } else {
            tests.extend(test(component)?);
        }
    }
    compounds.push(Arc::new(Compound { combinator: None, tests }));
    compounds.reverse();
    Ok(Complex { compounds })
}

fn test(component: &Component<Css>) -> Result<Option<Test>, Reason> {
    Ok(Some(match component {
        Component::LocalName(name) => {
            Test::Type { name: name.name.0.clone(), lower: Name::new(name.lower_name.0.as_bytes()) }
        }
        Component::ID(id) => Test::Id(id.0.clone()),
        Component::Class(class) => Test::Class(class.0.clone()),
        Component::AttributeInNoNamespaceExists { local_name, local_name_lower } => {
            Test::Attribute(AttributeTest {
                name: local_name.0.clone(),
                lower: local_name_lower.0.clone(),
                value: None,
            })
        }
        Component::AttributeInNoNamespace { local_name, operator, value, case_sensitivity } => {
            Test::Attribute(AttributeTest {
                name: local_name.0.clone(),
                lower: local_name.0.clone(),
                value: Some((*operator, value.0.clone(), case(*case_sensitivity))),
            })
        }
        Component::AttributeOther(attribute) if attribute.namespace.is_none() => {
            let value = match &attribute.operation {
                ParsedAttrSelectorOperation::Exists => None,
                ParsedAttrSelectorOperation::WithValue { operator, case_sensitivity, value } => {
                    Some((*operator, value.0.clone(), case(*case_sensitivity)))
                }
            };
            Test::Attribute(AttributeTest {
                name: attribute.local_name.0.clone(),
                lower: attribute.local_name_lower.0.clone(),
                value,
            })
        }
        Component::ExplicitUniversalType | Component::ExplicitAnyNamespace => return Ok(None),
        Component::Nth(nth) => {
            let of_type = match nth.ty {
                NthType::Child => false,
                NthType::OfType => true,
                _ => return Err(Reason::Pseudo),
            };
            Test::Nth { of_type, a: nth.an_plus_b.0, b: nth.an_plus_b.1 }
        }
        Component::Root => Test::Root,
        Component::Is(list) | Component::Where(list) => Test::Any(alternatives(list)?),
        Component::Negation(list) => Test::None(alternatives(list)?),
        Component::DefaultNamespace(_)
        | Component::Namespace(..)
        | Component::ExplicitNoNamespace
        | Component::AttributeOther(_) => return Err(Reason::Namespace),
        Component::Invalid(_) => return Err(Reason::Syntax),
        _ => return Err(Reason::Pseudo),
    }))
}

/// The arguments of `:is()`, `:where()` and `:not()`.
fn alternatives(list: &SelectorList<Css>) -> Result<Vec<Vec<Test>>, Reason> {
    list.slice()
        .iter()
        .map(|selector| {
            let complex = complex(selector)?;
            match complex.compounds.as_slice() {
                [compound] => Ok(compound.tests.clone()),
                _ => Err(Reason::CombinatorInside),
            }
        })
        .collect()
}

const fn case(parsed: ParsedCaseSensitivity) -> Case {
    match parsed {
        ParsedCaseSensitivity::AsciiCaseInsensitive => Case::Insensitive,
        ParsedCaseSensitivity::AsciiCaseInsensitiveIfInHtmlElementInHtmlDocument => Case::InsensitiveInHtml,
        ParsedCaseSensitivity::CaseSensitive | ParsedCaseSensitivity::ExplicitCaseSensitive => {
            Case::Sensitive
        }
    }
}

struct Grammar;

impl<'i> Parser<'i> for Grammar {
    type Impl = Css;
    type Error = Refusal;

    fn parse_is_and_where(&self) -> bool {
        true
    }

    /// A part of a selector that is not understood must not be dropped silently.
    fn allow_forgiving_selectors(&self) -> bool {
        false
    }
}

struct Refusal(Reason);

impl<'i> From<SelectorParseErrorKind<'i>> for Refusal {
    fn from(kind: SelectorParseErrorKind<'i>) -> Self {
        use SelectorParseErrorKind as Kind;
        Self(match kind {
            Kind::EmptySelector => Reason::Empty,
            Kind::DanglingCombinator => Reason::DanglingCombinator,
            Kind::UnsupportedPseudoClassOrElement(_)
            | Kind::PseudoElementExpectedColon(_)
            | Kind::PseudoElementExpectedIdent(_)
            | Kind::NoIdentForPseudo(_) => Reason::Pseudo,
            Kind::ExpectedNamespace(_) | Kind::ExplicitNamespaceUnexpectedToken(_) => Reason::Namespace,
            Kind::ClassNeedsIdent(_) => Reason::ClassName,
            Kind::NoQualifiedNameInAttributeSelector(_) | Kind::InvalidQualNameInAttr(_) => {
                Reason::AttributeName
            }
            Kind::UnexpectedTokenInAttributeSelector(_)
            | Kind::ExpectedBarInAttr(_)
            | Kind::BadValueInAttr(_) => Reason::AttributeSyntax,
            _ => Reason::Syntax,
        })
    }
}

/// The parser's types, all plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Css;

impl SelectorImpl for Css {
    type ExtraMatchingData<'a> = ();
    type AttrValue = Text;
    type Identifier = Text;
    type LocalName = Text;
    type NamespaceUrl = Text;
    type NamespacePrefix = Text;
    type BorrowedNamespaceUrl = str;
    type BorrowedLocalName = str;
    type NonTSPseudoClass = Never;
    type PseudoElement = Never;
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Text(String);

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl ToCss for Text {
    fn to_css<W: fmt::Write>(&self, dest: &mut W) -> fmt::Result {
        dest.write_str(&self.0)
    }
}

impl precomputed_hash::PrecomputedHash for Text {
    /// Only the parser's matcher would use it.
    fn precomputed_hash(&self) -> u32 {
        0
    }
}

/// What the parser is never given.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Never {}

impl ToCss for Never {
    fn to_css<W: fmt::Write>(&self, _: &mut W) -> fmt::Result {
        match *self {}
    }
}

impl NonTSPseudoClass for Never {
    type Impl = Css;

    fn is_active_or_hover(&self) -> bool {
        match *self {}
    }

    fn is_user_action_state(&self) -> bool {
        match *self {}
    }
}

impl PseudoElement for Never {
    type Impl = Css;
}
