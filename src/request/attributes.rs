//! Attributes: the values of a request that conditions and templates may read.
//!
//! What a visitor can write is bounded here: a value longer than `limits.max_value_bytes` counts as missing, and a closed
//! set (`values`) maps everything else to one fallback.

use std::collections::{BTreeMap, BTreeSet};

use http::{HeaderMap, HeaderName};
use serde_json::Value;

use super::decided::{Decided, Declared, FLAGS, VARIANTS};
use super::input::Input;
use super::{RequestHead, authority, cookies, google_analytics, jwt, language, target::Target, user_agent};
use crate::config::model;
use crate::config::model::{AttributeKind, Connection};
use crate::config::node::Path;
use crate::config::problem::{Kind as ProblemKind, Problem};
use crate::decide::condition::{Attributes, Kind, Vocabulary};
use crate::template::Known;

/// Something about a request that is not in its head: the host knows it, or does not.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fact {
    /// Of the connection.
    Connection(Connection),
    /// An object in Envoy's filter state.
    FilterState(String),
}

impl Fact {
    /// What people call it: `peer_address`, `filter_state.team`.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Connection(connection) => connection.name().to_owned(),
            Self::FilterState(key) => format!("filter_state.{key}"),
        }
    }
}

/// The attributes that a configuration names, and the built-in ones.
#[derive(Debug, Default)]
pub struct Catalogue {
    entries: BTreeMap<String, Entry>,
    /// What stands for every flag and every experiment that is not known before a payload comes.
    undeclared: Option<Entry>,
    facts: Vec<Fact>,
    max_value_bytes: usize,
}

#[derive(Debug)]
struct Entry {
    source: Source,
    kind: AttributeKind,
    trusted: bool,
    values: Option<Vec<String>>,
    otherwise: Option<String>,
}

#[derive(Debug)]
enum Source {
    Header(HeaderName),
    Cookie(String),
    Query(String),
    PathSegment(usize),
    Language(Vec<String>),
    Device,
    Bot,
    /// A claim of the token in a header.
    HeaderJwt(HeaderName, String),
    /// A claim of the token in a cookie.
    CookieJwt(String, String),
    GoogleAnalytics(String),
    /// Index in the catalogue's facts.
    Fact(usize),
    /// Not read but decided.
    Decided {
        kind: Kind,
        of_visitor: bool,
    },
    Host,
    Path,
    QueryString,
    Method,
    Scheme,
}

impl Source {
    /// The built-in attributes.
    const fn built_in() -> [(&'static str, Self); 5] {
        [
            ("request.host", Self::Host),
            ("request.path", Self::Path),
            ("request.query", Self::QueryString),
            ("request.method", Self::Method),
            ("request.scheme", Self::Scheme),
        ]
    }
}

/// Names that have a meaning.
const RESERVED: [&str; 4] = ["request", "variants", "flags", "id"];

fn token(jwt: &model::Jwt) -> Result<Source, String> {
    if !jwt.unverified {
        return Err("nobody verifies the token here, so anybody can write one; say `unverified: true` if that is all right, or if a \
                    filter before this one refuses tokens that are not genuine"
            .into());
    }
    match (&jwt.header, &jwt.cookie) {
        (Some(header), None) => {
            let name = HeaderName::try_from(header.as_str());
            let name = name.map_err(|_| format!("\"{header}\" is not a header name"))?;
            Ok(Source::HeaderJwt(name, jwt.claim.clone()))
        }
        (None, Some(cookie)) => Ok(Source::CookieJwt(cookie.clone(), jwt.claim.clone())),
        _ => Err("a token is in one place; name `header` or `cookie`".into()),
    }
}

impl Catalogue {
    /// Compiles `attributes`; what is wrong with them goes to `problems`.
    #[must_use]
    pub fn compile(
        attributes: &BTreeMap<String, model::Attribute>,
        max_value_bytes: usize,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut catalogue = Self { max_value_bytes, ..Self::default() };
        for (name, source) in Source::built_in() {
            catalogue.entries.insert(name.to_owned(), Entry::built_in(source));
        }
        for (name, attribute) in attributes {
            let path = Path::default().key("attributes").key(name);
            let mut report = |message: String| {
                problems.push(Problem::new(ProblemKind::InvalidValue, path.clone(), message))
            };
            if RESERVED.contains(&name.as_str()) {
                report(format!("\"{name}\" is reserved; call it something else"));
            } else if !is_name(name) {
                report(format!(
                    "\"{name}\" can't be written in a template; use letters, digits, `_` and `-`, starting with a letter"
                ));
            }
            match catalogue.entry(attribute) {
                Ok(entry) => {
                    catalogue.entries.insert(name.clone(), entry);
                }
                Err(message) => report(message),
            }
        }
        catalogue
    }

    fn entry(&mut self, attribute: &model::Attribute) -> Result<Entry, String> {
        let mut sources: Vec<Source> = Vec::new();
        if let Some(name) = &attribute.header {
            let name = HeaderName::try_from(name.as_str())
                .map_err(|_| format!("\"{name}\" is not a header name"))?;
            if name == http::header::COOKIE {
                return Err("a cookie is read by its name: write `cookie: name`".into());
            }
            sources.push(Source::Header(name));
        }
        sources.extend(attribute.cookie.clone().map(Source::Cookie));
        sources.extend(attribute.query.clone().map(Source::Query));
        sources.extend(attribute.path_segment.map(|index| Source::PathSegment(index.into())));
        sources.extend(attribute.language.clone().map(Source::Language));
        sources.extend(attribute.user_agent.map(|what| match what {
            model::UserAgent::Device => Source::Device,
            model::UserAgent::Bot => Source::Bot,
        }));
        sources.extend(attribute.jwt.as_ref().map(token).transpose()?);
        sources.extend(attribute.google_analytics.clone().map(Source::GoogleAnalytics));
        let facts = attribute.connection.map(Fact::Connection).into_iter();
        for fact in facts.chain(attribute.filter_state.clone().map(Fact::FilterState)) {
            sources.push(Source::Fact(self.facts.len()));
            self.facts.push(fact);
        }
        if sources.len() != 1 {
            const SOURCES: &str = "header, cookie, query, path_segment, language, user_agent, connection, jwt, google_analytics, filter_state";
            let count = if sources.is_empty() { "no source" } else { "more than one source" };
            return Err(format!("{count} is named; name one of {SOURCES}"));
        }
        let source = sources.pop().ok_or("no source is named")?;
        if matches!(&source, Source::Language(tags) if tags.is_empty()) {
            return Err("the list of languages is empty; name those that the site has: [en, de]".into());
        }
        if attribute.values.as_ref().is_some_and(Vec::is_empty) {
            return Err("the list of values is empty; name the values, or leave `values` out".into());
        }
        let kind = match source {
            Source::Bot | Source::Fact(_) if self.is_flag(&source) => AttributeKind::Boolean,
            _ => attribute.kind,
        };
        // What the proxy itself knows is not the visitor's to write, but a filter state may hold a copy of a header.
        let trusted = attribute.trusted || attribute.connection.is_some();
        Ok(Entry {
            source,
            kind,
            trusted,
            values: attribute.values.clone(),
            otherwise: attribute.otherwise.clone(),
        })
    }

    fn is_flag(&self, source: &Source) -> bool {
        match source {
            Source::Bot => true,
            Source::Fact(index) => matches!(self.facts.get(*index), Some(Fact::Connection(Connection::Mtls))),
            _ => false,
        }
    }

    /// Adds a name under which something is decided.
    pub fn declare(&mut self, name: &str, declared: Declared) {
        self.entries.insert(name.to_owned(), Entry::decided(declared));
    }

    /// From now on every name of a flag or an experiment is known: a payload will say which there are.
    pub fn declare_others(&mut self) {
        let others = Declared { kind: Kind::Any, of_visitor: true, values: None, otherwise: None };
        self.undeclared = Some(Entry::decided(others));
    }

    /// A member of a flag's value (`flags.layout.columns`) is known where the flag is.
    fn find(&self, name: &str) -> Option<&Entry> {
        if let Some(entry) = self.entries.get(name) {
            return Some(entry);
        }
        if !name.starts_with(FLAGS) && !name.starts_with(VARIANTS) {
            return None;
        }
        let mut flags = name.match_indices('.').rev().filter_map(|(at, _)| self.entries.get(name.get(..at)?));
        let is_open = |entry: &&Entry| matches!(entry.source, Source::Decided { kind: Kind::Any, .. });
        flags.find(is_open).or(self.undeclared.as_ref())
    }

    /// The names that there are, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.entries.keys().map(String::as_str)
    }

    /// What conditions may name, and what kind each is.
    #[must_use]
    pub fn vocabulary(&self) -> Vocabulary {
        let kind = |kind| match kind {
            AttributeKind::Text => Kind::Text,
            AttributeKind::Number => Kind::Number,
            AttributeKind::Boolean => Kind::Bool,
            AttributeKind::List => Kind::List,
        };
        let kinds = self.entries.iter().map(|(name, entry)| match &entry.source {
            Source::Decided { kind, .. } => (name.as_str(), *kind),
            _ => (name.as_str(), kind(entry.kind)),
        });
        let vocabulary: Vocabulary = kinds.collect();
        if self.undeclared.is_some() { vocabulary.with_prefixes(&[FLAGS, VARIANTS]) } else { vocabulary }
    }

    /// What the host is to supply with each request, in this order.
    #[must_use]
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// Whether two requests for the same URL can differ in it. Caches key by URL, so what depends on nothing else is the
    /// same for everybody.
    #[must_use]
    pub fn depends_on_visitor(&self, name: &str) -> bool {
        !matches!(
            self.find(name).map(|entry| &entry.source),
            Some(
                Source::Query(_)
                    | Source::PathSegment(_)
                    | Source::Host
                    | Source::Path
                    | Source::QueryString
                    | Source::Method
                    | Source::Scheme
                    | Source::Decided { of_visitor: false, .. }
            )
        )
    }

    /// What it is read from.
    #[must_use]
    pub fn input(&self, name: &str) -> Option<Input<'_>> {
        Some(match &self.find(name)?.source {
            Source::Header(name) => Input::Header(name),
            Source::Cookie(name) => Input::Cookie(name),
            Source::Query(name) => Input::Parameter(name),
            Source::PathSegment(index) => Input::PathSegment(*index),
            Source::Language(tags) => Input::Language(tags),
            Source::Device => Input::Device,
            Source::Bot => Input::Bot,
            Source::Fact(index) => match self.facts.get(*index)? {
                Fact::Connection(connection) => Input::Connection(*connection),
                Fact::FilterState(key) => Input::FilterState(key),
            },
            Source::HeaderJwt(header, _) => Input::Header(header),
            Source::CookieJwt(cookie, _) | Source::GoogleAnalytics(cookie) => Input::Cookie(cookie),
            Source::Decided { .. } => match Decided::of(name)? {
                Decided::Id => Input::VisitorId,
                Decided::Variant(_) | Decided::Auto => Input::Experiment,
                Decided::Flag(_) => Input::Flag,
            },
            Source::Host => Input::Host,
            Source::Path => Input::Path,
            Source::QueryString => Input::Query,
            Source::Method => Input::Method,
            Source::Scheme => Input::Scheme,
        })
    }

    /// Whether it has as few values as the configuration says, whatever a visitor sends: only then may it be part of a key.
    #[must_use]
    pub fn is_bounded(&self, name: &str) -> bool {
        self.find(name).is_some_and(|entry| {
            let is_closed = matches!(entry.source, Source::Language(_) | Source::Device | Source::Bot);
            is_closed || entry.values.is_some() || entry.kind == AttributeKind::Boolean
        })
    }

    /// The only values that it has, besides the one where there is none of these.
    #[must_use]
    pub fn values(&self, name: &str) -> Option<&[String]> {
        self.find(name)?.values.as_deref()
    }

    /// The value where there is none.
    #[must_use]
    pub fn fallback(&self, name: &str) -> Option<&str> {
        self.find(name)?.otherwise.as_deref()
    }

    /// The request headers that it is read from; `None` where it is, or may be, read from something else than headers.
    #[must_use]
    pub fn request_headers(&self, name: &str) -> Option<Vec<HeaderName>> {
        let names = |names: &[&'static str]| names.iter().copied().map(HeaderName::from_static).collect();
        Some(match &self.find(name)?.source {
            Source::Header(name) => vec![name.clone()],
            Source::Cookie(_) | Source::CookieJwt(..) | Source::GoogleAnalytics(_) => {
                vec![http::header::COOKIE]
            }
            Source::HeaderJwt(name, _) => vec![name.clone()],
            Source::Language(_) => vec![http::header::ACCEPT_LANGUAGE],
            Source::Device => names(&user_agent::DEVICE_HEADERS),
            Source::Bot => names(&user_agent::BOT_HEADERS),
            _ => return None,
        })
    }

    /// Where it is read, in words: `the cookie plan`.
    #[must_use]
    pub fn source(&self, name: &str) -> Option<String> {
        Some(match &self.find(name)?.source {
            Source::Header(name) => format!("the header {name}"),
            Source::Cookie(name) => format!("the cookie {name}"),
            Source::Query(name) => format!("the query parameter {name}"),
            Source::PathSegment(index) => format!("the path segment {index}"),
            Source::Language(_) => "the header accept-language".to_owned(),
            Source::Device | Source::Bot => "the browser that asks".to_owned(),
            Source::HeaderJwt(header, _) => format!("a token in the header {header}"),
            Source::CookieJwt(cookie, _) => format!("a token in the cookie {cookie}"),
            Source::GoogleAnalytics(cookie) => format!("the cookie {cookie}"),
            Source::Fact(_) => "known of the connection".to_owned(),
            Source::Decided { .. } => "decided for each visitor".to_owned(),
            _ => "part of the URL or the method".to_owned(),
        })
    }

    /// Whether a visitor can make up its value.
    #[must_use]
    pub fn is_visitor_controlled(&self, name: &str) -> bool {
        self.find(name).is_none_or(|entry| !entry.trusted)
    }

    /// The value of an attribute, were this what is read for it, or nothing; `None` where that is no value.
    #[must_use]
    pub fn settle(&self, name: &str, text: Option<String>) -> Option<Value> {
        self.find(name)?.settle(text.filter(|text| text.len() <= self.max_value_bytes))
    }

    /// The values of a request, of those attributes that are `wanted`. `facts` are those that [`facts`](Self::facts)
    /// lists.
    #[must_use]
    pub fn read(&self, wanted: &BTreeSet<String>, request: &RequestHead, facts: &[Option<String>]) -> Values {
        let target = Target::parse(&request.path);
        let read = |name: &String| {
            let entry = self.find(name)?;
            let text =
                entry.source.read(request, target, facts).filter(|text| text.len() <= self.max_value_bytes);
            Some((name.clone(), entry.settle(text)?))
        };
        Values(wanted.iter().filter_map(read).collect())
    }
}

impl Known for Catalogue {
    fn names(&self) -> Vec<&str> {
        Self::names(self).collect()
    }

    fn knows(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    fn constants(&self, name: &str) -> Option<Vec<&str>> {
        let entry = self.find(name)?;
        // A list is taken apart and put together again: it may say something that no constant says.
        let is_kept = entry.kind == AttributeKind::Text;
        let (values, otherwise) = entry.values.as_ref().zip(entry.otherwise.as_ref()).filter(|_| is_kept)?;
        Some(values.iter().chain([otherwise]).map(String::as_str).collect())
    }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

impl Entry {
    const fn built_in(source: Source) -> Self {
        Self { source, kind: AttributeKind::Text, trusted: false, values: None, otherwise: None }
    }

    fn decided(declared: Declared) -> Self {
        let Declared { kind, of_visitor, values, otherwise } = declared;
        let source = Source::Decided { kind, of_visitor };
        Self { source, kind: AttributeKind::Text, trusted: false, values, otherwise }
    }

    /// What becomes of a text that was read, or was not there.
    fn settle(&self, text: Option<String>) -> Option<Value> {
        let known = text.filter(|text| self.values.as_ref().is_none_or(|values| values.contains(text)));
        let typed = known.and_then(|text| typed(self.kind, text));
        typed.or_else(|| typed_fallback(self.kind, self.otherwise.as_ref()?))
    }
}

fn typed(kind: AttributeKind, text: String) -> Option<Value> {
    match kind {
        AttributeKind::Text => Some(Value::String(text)),
        AttributeKind::Number => {
            let number: f64 = text.trim().parse().ok()?;
            serde_json::Number::from_f64(number).map(Value::Number)
        }
        AttributeKind::Boolean => match text.as_str() {
            "true" | "1" => Some(Value::Bool(true)),
            "false" | "0" => Some(Value::Bool(false)),
            _ => None,
        },
        AttributeKind::List => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Some(Value::Array(items.map(|item| Value::String(item.to_owned())).collect()))
        }
    }
}

fn typed_fallback(kind: AttributeKind, otherwise: &str) -> Option<Value> {
    typed(kind, otherwise.to_owned())
}

impl Source {
    fn read(&self, request: &RequestHead, target: Target<'_>, facts: &[Option<String>]) -> Option<String> {
        match self {
            Self::Header(name) => first_value(&request.headers, name),
            Self::Cookie(name) => cookies::cookie(&request.headers, name).map(Into::into),
            Self::Query(name) => target.parameter(name).map(Into::into),
            Self::PathSegment(index) => target.segment(*index).map(Into::into),
            Self::Language(tags) => {
                language::negotiate(&request.headers, tags).and_then(|index| tags.get(index).cloned())
            }
            Self::Device => Some(user_agent::Device::of(&request.headers).name().to_owned()),
            Self::Bot => Some(user_agent::is_bot(&request.headers).to_string()),
            Self::HeaderJwt(name, claim) => jwt::claim(&first_value(&request.headers, name)?, claim),
            Self::CookieJwt(name, claim) => jwt::claim(&cookies::cookie(&request.headers, name)?, claim),
            Self::GoogleAnalytics(name) => {
                let cookie = cookies::cookie(&request.headers, name)?;
                google_analytics::client_id(&cookie).map(str::to_owned)
            }
            Self::Fact(index) => facts.get(*index).cloned().flatten(),
            Self::Decided { .. } => None,
            Self::Host => Some(authority::host(&request.authority).into_owned()),
            Self::Path => Some(target.path().to_owned()),
            Self::QueryString => target.query().map(str::to_owned),
            Self::Method => Some(request.method.clone()),
            Self::Scheme => Some(request.scheme.clone()),
        }
    }
}

fn first_value(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// The attributes of one request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Values(BTreeMap<String, Value>);

impl Values {
    /// The value as text: numbers as JavaScript writes them, lists with commas.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).map(|value| crate::decide::condition::coercion::text(value).into_owned())
    }

    /// Says what was decided under a name.
    pub fn decide(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }

    /// Says that there is no value under a name.
    pub(crate) fn forget(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// Names and values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}

impl Attributes for Values {
    fn attribute(&self, path: &str) -> Option<&Value> {
        self.0.get(path)
    }
}

#[cfg(test)]
mod tests;
