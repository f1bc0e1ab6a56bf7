//! A remark with the line that it is about, as Rust's compiler shows them.

use std::io::{self, Write};

use annotate_snippets::{AnnotationKind, Level as Label, Origin, Renderer, Snippet};
use engraft::config::node::Location;
use engraft::config::problem::Level;

use super::finding::Finding;
use super::snippet::Source;
use crate::output::Palette;

/// How wide it is where nobody says.
const COLUMNS: usize = 100;

pub(super) fn write(
    out: &mut dyn Write,
    palette: &Palette,
    name: &str,
    source: &Source,
    finding: &Finding,
) -> io::Result<()> {
    let columns = palette.columns.unwrap_or(COLUMNS);
    let renderer = if palette.is_coloured() { Renderer::styled() } else { Renderer::plain() };
    let label = match finding.level {
        Level::Error => Label::ERROR,
        Level::Warning => Label::WARNING,
        Level::Note => Label::NOTE,
    };
    let code = finding.code().map(|code| code.name());
    let (wrong, fix) = finding.parts();
    let path = finding.problem.path.to_string();
    let excerpt = finding.problem.at.and_then(|at| Some((at, source.excerpt(at)?)));
    // Without a line to point at, the path says where.
    let wrong = if excerpt.is_some() || path.is_empty() { wrong } else { format!("{path}: {wrong}") };
    let heading =
        finding.level.name().len().saturating_add(code.map_or(0, |code| code.len().saturating_add(2)));
    let title = label.primary_title(wrapped(&wrong, columns, heading.saturating_add(2)));
    let title = match code {
        Some(code) => title.id(code),
        None => title,
    };
    let origin = Origin::path(name);
    let mut group = match &excerpt {
        Some((Location { line, column }, excerpt)) => {
            let mark = AnnotationKind::Primary.span(excerpt.marked.clone()).label(path);
            let snippet = Snippet::source(excerpt.text).line_start(*line).fold(false).annotation(mark);
            if excerpt.is_from_start {
                title.element(snippet.path(name))
            } else {
                title.element(origin.line(*line).char_column(*column)).element(snippet)
            }
        }
        None => title.element(origin),
    };
    let margin = "   = help: ".len();
    if let Some(fix) = fix {
        group = group.element(Label::HELP.message(wrapped(&fix, columns, margin)));
    }
    if let Some(code) = code {
        group = group.element(Label::NOTE.message(format!("engraft check --explain {code}")));
    }
    let shown = renderer.term_width(columns).render(&[group]);
    writeln!(out, "{shown}\n")
}

/// Broken where the terminal ends, `taken` columns being taken on each line.
fn wrapped(text: &str, columns: usize, taken: usize) -> String {
    textwrap::wrap(text, columns.saturating_sub(taken).max(20)).join("\n")
}
