//! What Envoy exposes, and what expressions select of it.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;

use promql_parser::label::{Matcher, Matchers};
use promql_parser::parser::{self, Expr, VectorSelector};
use promql_parser::util::{ExprVisitor, walk_expr};

const NAME: &str = "__name__";
/// Prometheus puts these on all that it scrapes.
const OF_SCRAPES: [&str; 2] = ["job", "instance"];

/// A series by its labels, the name among them.
pub(super) type Series = BTreeMap<String, String>;

/// The series of an exposition in Prometheus' text format. Each stands there as an expression that selects it.
pub(super) fn exposed(text: &str) -> Result<Vec<Series>, Box<dyn Error>> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (series, _) = line.rsplit_once(' ').ok_or_else(|| format!("no value: {line}"))?;
            let Expr::VectorSelector(selector) = parser::parse(series)? else {
                return Err(format!("no series: {line}").into());
            };
            let labels = selector.matchers.matchers.into_iter().map(|matcher| (matcher.name, matcher.value));
            let name = selector.name.map(|name| (NAME.to_owned(), name));
            Ok(name.into_iter().chain(labels).collect())
        })
        .collect()
}

/// The names of series, once each.
pub(super) fn names(series: &[Series]) -> BTreeSet<&str> {
    series.iter().filter_map(|series| series.get(NAME)).map(String::as_str).collect()
}

/// What an expression selects.
#[derive(Debug, Default)]
pub(super) struct Selectors(Vec<Selector>);

/// One part of an expression that asks for series.
#[derive(Debug)]
pub(super) struct Selector {
    /// The name, where it is told.
    pub(super) name: Option<String>,
    matchers: Vec<Matcher>,
}

impl Selectors {
    /// All of an expression.
    pub(super) fn of(expression: &str) -> Result<Vec<Selector>, Box<dyn Error>> {
        let expr = parser::parse(expression).map_err(|error| format!("{error}: {expression}"))?;
        let mut selectors = Self::default();
        walk_expr(&mut selectors, &expr)?;
        Ok(selectors.0)
    }
}

impl ExprVisitor for Selectors {
    type Error = String;

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool, String> {
        let VectorSelector { name, matchers, .. } = match expr {
            Expr::VectorSelector(selector) => selector,
            Expr::MatrixSelector(matrix) => &matrix.vs,
            _ => return Ok(true),
        };
        let Matchers { matchers, or_matchers } = matchers;
        if !or_matchers.is_empty() {
            return Err("`or` between matchers is not looked at".to_owned());
        }
        self.0.push(Selector { name: name.clone(), matchers: matchers.clone() });
        Ok(true)
    }
}

impl Selector {
    /// Whether it selects a series of this name, whatever its labels are.
    pub(super) fn is_of(&self, name: &str) -> bool {
        let named = self.matchers.iter().filter(|matcher| matcher.name == NAME);
        self.name.as_deref().is_none_or(|own| own == name)
            && named.into_iter().all(|matcher| matcher.is_match(name))
    }

    /// Whether it selects this series once it is scraped, and each of its labels is there.
    pub(super) fn selects(&self, series: &Series) -> bool {
        let labels = self.matchers.iter().filter(|matcher| !OF_SCRAPES.contains(&matcher.name.as_str()));
        series.get(NAME).is_some_and(|name| self.is_of(name))
            && labels
                .into_iter()
                .all(|matcher| series.get(&matcher.name).is_some_and(|value| matcher.is_match(value)))
    }

    /// The values that a label is to have, or is not to have: those between `|`.
    pub(super) fn values(&self, label: &str) -> impl Iterator<Item = &str> {
        let of_label = self.matchers.iter().filter(move |matcher| matcher.name == label);
        of_label.flat_map(|matcher| matcher.value.split('|'))
    }
}
