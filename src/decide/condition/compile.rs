//! From JSON to clauses and predicates.
//!
//! One compiler for both ways: it reports every clause that it can't understand, and the lenient one then
//! puts [`Clause::Never`] or [`Predicate::Never`] in that clause's place. What only the strict one refuses
//! (operands that JavaScript would coerce, operators that can't hold) asks for a vocabulary first.

use std::collections::BTreeSet;

use regex_lite::RegexBuilder;
use serde_json::{Map, Value};

use super::clause::Clause;
use super::coercion;
use super::error::{ConditionError, Problem};
use super::groups::Members;
use super::operand::{name, ordered, scalar, unexpected};
use super::operator::{Connective, Operator};
use super::predicate::{Comparison, Predicate, Type};
use super::version::Version;
use super::vocabulary::{Kind, Vocabulary};
use super::{MAX_COMPILED_PATTERN_BYTES, MAX_DEPTH};

type Result<T> = std::result::Result<T, ConditionError>;

pub(super) struct Compiler<'v> {
    /// Present when compiling strictly.
    vocabulary: Option<&'v Vocabulary>,
    at: String,
    depth: usize,
    /// Inside `$elemMatch`, paths start at the element and name no attribute.
    in_element: bool,
    attributes: BTreeSet<Box<str>>,
}

impl<'v> Compiler<'v> {
    pub(super) fn strict(vocabulary: &'v Vocabulary) -> Self {
        Self { vocabulary: Some(vocabulary), ..Self::lenient() }
    }

    pub(super) const fn lenient() -> Self {
        Self { vocabulary: None, at: String::new(), depth: 0, in_element: false, attributes: BTreeSet::new() }
    }

    pub(super) fn into_attributes(self) -> Box<[Box<str>]> {
        self.attributes.into_iter().collect()
    }

    pub(super) fn condition(&mut self, condition: &Value) -> Result<Clause> {
        let Value::Object(members) = condition else {
            return self.refuse(unexpected("a condition such as { country: US }", condition));
        };
        let clauses = members.iter().map(|(key, operand)| {
            self.within(key, Clause::Never, |compiler| match Connective::named(key) {
                Some(connective) => compiler.connective(connective, operand),
                None => compiler.attribute(key, operand),
            })
        });
        Ok(Clause::All(clauses.collect::<Result<_>>()?))
    }

    fn connective(&mut self, connective: Connective, operand: &Value) -> Result<Clause> {
        if let Connective::Not = connective {
            return Ok(Clause::Not(Box::new(self.condition(operand)?)));
        }
        let Value::Array(conditions) = operand else {
            return self.refuse(unexpected("a list of conditions", operand));
        };
        let clauses = self.each(conditions, Clause::Never, Self::condition)?;
        // An empty `$or` holds for everybody, as in the SDK.
        let any = |clauses: Vec<_>| if clauses.is_empty() { Clause::ALWAYS } else { Clause::Any(clauses) };
        Ok(match connective {
            Connective::And => Clause::All(clauses),
            Connective::Or => any(clauses),
            Connective::Nor | Connective::Not => Clause::Not(Box::new(any(clauses))),
        })
    }

    fn attribute(&mut self, path: &str, operand: &Value) -> Result<Clause> {
        let kind = self.kind(path)?;
        if !self.in_element {
            self.attributes.insert(path.into());
        }
        Ok(Clause::Attribute { path: path.into(), predicate: self.predicate(operand, kind)? })
    }

    fn kind(&self, path: &str) -> Result<Option<Kind>> {
        let Some(vocabulary) = self.vocabulary else { return Ok(None) };
        match vocabulary.kind(path) {
            Some(Kind::Any) => Ok(None),
            Some(kind) => Ok(Some(kind)),
            None if Operator::named(path).is_some() => self.refuse(Problem::Unexpected {
                expected: "an attribute, `$and`, `$or`, `$nor` or `$not`",
                got: format!("`{path}`, which stands under an attribute"),
            }),
            None if path.starts_with('$') => self.refuse(Problem::UnknownOperator {
                name: path.to_owned(),
                nearest: Connective::nearest(path),
            }),
            None => self.refuse(Problem::UnknownAttribute {
                path: path.to_owned(),
                nearest: vocabulary.nearest(path).map(str::to_owned),
            }),
        }
    }

    fn predicate(&mut self, operand: &Value, kind: Option<Kind>) -> Result<Predicate> {
        match operand {
            Value::Object(members) => self.operators(members, kind),
            Value::Array(items) => match kind {
                Some(Kind::List) => Ok(Predicate::Json(Value::Array(self.scalars(items, kind)?))),
                Some(_) => self.refuse(unexpected("a value, or a list under `$in`", operand)),
                None => self.literal(operand),
            },
            Value::Null => Ok(Predicate::Null),
            Value::Bool(_) | Value::Number(_) | Value::String(_) if kind == Some(Kind::List) => {
                self.refuse(unexpected("a list, or an operator for lists such as `$in` or `$all`", operand))
            }
            Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(equal_to(self.scalar(operand, kind)?)),
        }
    }

    fn operators(&mut self, members: &Map<String, Value>, kind: Option<Kind>) -> Result<Predicate> {
        if !is_operators(members) && kind.is_none() {
            return self.literal(&Value::Object(members.clone()));
        }
        if members.is_empty() {
            return self.refuse(Problem::Unexpected {
                expected: "a value or operators",
                got: "an empty object".to_owned(),
            });
        }
        let predicates = members.iter().map(|(key, operand)| {
            self.within(key, Predicate::Never, |compiler| match Operator::named(key) {
                Some(operator) => compiler.operator(operator, key, operand, kind),
                None => compiler
                    .refuse(Problem::UnknownOperator { name: key.clone(), nearest: Operator::nearest(key) }),
            })
        });
        Ok(Predicate::All(predicates.collect::<Result<_>>()?))
    }

    fn operator(
        &mut self,
        operator: Operator,
        key: &str,
        operand: &Value,
        kind: Option<Kind>,
    ) -> Result<Predicate> {
        if let Some(kind) = kind.filter(|kind| !operator.suits(*kind)) {
            let expected =
                if kind == Kind::List { "an operator for lists" } else { "an operator for single values" };
            return self.refuse(Problem::Unexpected {
                expected,
                got: format!("`{key}` (the attribute is {})", kind.name()),
            });
        }
        Ok(match operator {
            Operator::Eq => Predicate::Is(self.scalar(operand, kind)?),
            Operator::Ne => Predicate::Is(self.scalar(operand, kind)?).negated(),
            Operator::Order(comparison) => {
                let operand = ordered(operand, kind).or_else(|problem| self.refuse(problem))?;
                Predicate::Order(comparison, coercion::primitive(&operand).into_owned())
            }
            Operator::Version(comparison) => Predicate::Version(comparison, self.version(operand)?),
            Operator::VersionNot => Predicate::Version(Comparison::Equal, self.version(operand)?).negated(),
            Operator::Exists => match (operand, self.vocabulary) {
                (Value::Bool(expected), _) => Predicate::Exists(*expected),
                (_, None) => Predicate::Exists(coercion::truthy(operand)),
                (_, Some(_)) => return self.refuse(unexpected("true or false", operand)),
            },
            Operator::Type => self.type_named(operand)?,
            Operator::In { folded, negated } => {
                let items = self.scalars(self.list(operand)?, kind)?;
                let members =
                    Predicate::In(if folded { Members::folded(&items) } else { Members::of(&items) });
                if negated { members.negated() } else { members }
            }
            Operator::InGroup { negated } => {
                let id = name(operand, "the id of a saved group").or_else(|problem| self.refuse(problem))?;
                let group = Predicate::InGroup(id.into());
                if negated { group.negated() } else { group }
            }
            Operator::All { folded } => {
                let element = kind.map(|_| Kind::Text);
                let items = self.list(operand)?;
                Predicate::Each(self.each(items, Predicate::Never, |compiler, item| match item {
                    Value::String(text) if folded => {
                        Ok(Predicate::FoldedText(coercion::lower(text).as_ref().into()))
                    }
                    _ => compiler.predicate(item, element),
                })?)
            }
            Operator::Size => Predicate::Size(Box::new(self.predicate(operand, kind.map(|_| Kind::Number))?)),
            Operator::ElemMatch => self.element(operand, kind)?,
            Operator::Regex { folded, negated } => {
                let pattern = self.pattern(operand, folded)?;
                if negated { pattern.negated() } else { pattern }
            }
            Operator::Not => self.predicate(operand, kind)?.negated(),
        })
    }

    /// The elements of our own lists are text: a condition over their members is for payloads.
    fn element(&mut self, operand: &Value, kind: Option<Kind>) -> Result<Predicate> {
        match operand {
            Value::Object(members) if is_operators(members) || kind.is_some() => {
                Ok(Predicate::Element(Box::new(self.operators(members, kind.map(|_| Kind::Text))?)))
            }
            Value::Object(_) => {
                let outer = std::mem::replace(&mut self.in_element, true);
                let clause = self.condition(operand);
                self.in_element = outer;
                Ok(Predicate::ElementWhere(Box::new(clause?)))
            }
            _ => self.refuse(unexpected("operators such as { $regex: ^beta }", operand)),
        }
    }

    fn type_named(&self, operand: &Value) -> Result<Predicate> {
        let known = Type::NAMES.iter().find(|(name, _)| operand == name);
        let types = "one of null, boolean, number, string, array, object";
        known
            .map_or_else(|| self.refuse(unexpected(types, operand)), |(_, known)| Ok(Predicate::Type(*known)))
    }

    fn pattern(&self, operand: &Value, folded: bool) -> Result<Predicate> {
        let pattern = name(operand, "a pattern").or_else(|problem| self.refuse(problem))?;
        let compiled = RegexBuilder::new(&pattern)
            .case_insensitive(folded)
            .size_limit(MAX_COMPILED_PATTERN_BYTES)
            .build();
        match compiled {
            Ok(compiled) => Ok(Predicate::Matches(compiled)),
            Err(error) => self.refuse(Problem::Pattern { reason: error.to_string(), pattern }),
        }
    }

    fn version(&self, operand: &Value) -> Result<Version> {
        if self.vocabulary.is_some() && !(operand.is_string() || operand.is_number()) {
            return self.refuse(unexpected("a version such as \"1.2.3\"", operand));
        }
        Ok(Version::of(operand))
    }

    /// A list or an object to be equal to; only payloads have them.
    fn literal(&self, operand: &Value) -> Result<Predicate> {
        if deeper_than(operand, MAX_DEPTH) {
            return self.refuse(Problem::TooDeep);
        }
        Ok(Predicate::Json(operand.clone()))
    }

    fn list<'a>(&self, operand: &'a Value) -> Result<&'a [Value]> {
        match operand {
            Value::Array(items) => Ok(items),
            _ => self.refuse(unexpected("a list", operand)),
        }
    }

    fn scalars(&mut self, items: &[Value], kind: Option<Kind>) -> Result<Vec<Value>> {
        let scalars = self.each(items, None, |compiler, item| compiler.scalar(item, kind).map(Some))?;
        Ok(scalars.into_iter().flatten().collect())
    }

    fn scalar(&self, operand: &Value, kind: Option<Kind>) -> Result<Value> {
        scalar(operand, kind).or_else(|problem| self.refuse(problem))
    }

    fn each<T: Clone>(
        &mut self,
        items: &[Value],
        never: T,
        mut compile: impl FnMut(&mut Self, &Value) -> Result<T>,
    ) -> Result<Vec<T>> {
        let numbered = items.iter().enumerate();
        numbered
            .map(|(position, item)| {
                self.within(&position.to_string(), never.clone(), |compiler| compile(compiler, item))
            })
            .collect()
    }

    /// Compiles what stands under `key`. This is where leniency lives: `never` takes the place of what isn't
    /// understood.
    fn within<T>(&mut self, key: &str, never: T, compile: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let outer = self.at.len();
        self.at.push('/');
        self.at.push_str(&key.replace('~', "~0").replace('/', "~1"));
        self.depth = self.depth.saturating_add(1);
        let compiled = if self.depth > MAX_DEPTH { self.refuse(Problem::TooDeep) } else { compile(self) };
        self.depth = self.depth.saturating_sub(1);
        self.at.truncate(outer);
        match (compiled, self.vocabulary) {
            (Err(_), None) => Ok(never),
            (compiled, _) => compiled,
        }
    }

    fn refuse<T>(&self, problem: Problem) -> Result<T> {
        Err(ConditionError { at: self.at.clone(), problem })
    }
}

/// Implicit equality with a scalar.
fn equal_to(operand: Value) -> Predicate {
    match operand {
        Value::String(text) => Predicate::Text(text.into()),
        Value::Number(number) => Predicate::Number(coercion::float(&number)),
        Value::Bool(value) => Predicate::Truthy(value),
        Value::Null => Predicate::Null,
        Value::Array(_) | Value::Object(_) => Predicate::Json(operand),
    }
}

/// Whether an object is operators rather than an object to be equal to: it has members, and all start with
/// `$`.
fn is_operators(members: &Map<String, Value>) -> bool {
    !members.is_empty() && members.keys().all(|key| key.starts_with('$'))
}

fn deeper_than(value: &Value, limit: usize) -> bool {
    let Some(limit) = limit.checked_sub(1) else { return true };
    match value {
        Value::Array(items) => items.iter().any(|item| deeper_than(item, limit)),
        Value::Object(members) => members.values().any(|member| deeper_than(member, limit)),
        _ => false,
    }
}
