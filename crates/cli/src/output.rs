//! Standard output and standard error.
//!
//! A reader that has seen enough (`engraft check f | head -1`) is no failure: a closed pipe ends the output quietly.

use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::process::ExitCode;

use clap::builder::styling::{AnsiColor, Style};

use crate::failure::Failure;
use crate::printable;

/// Styles for a terminal, or none of them. Shown with `{style}…{style:#}`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Palette {
    pub(crate) error: Style,
    pub(crate) warning: Style,
    pub(crate) fine: Style,
    pub(crate) note: Style,
    pub(crate) place: Style,
    pub(crate) faint: Style,
    /// How wide the terminal is; none where there is none, and nobody says.
    pub(crate) columns: Option<usize>,
}

impl Palette {
    /// Colours on a terminal, unless the environment asks for none (<https://no-color.org>).
    pub(crate) fn of(stream: &(impl IsTerminal + AsFd)) -> Self {
        let columns = columns(stream);
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        if !stream.is_terminal() || set("NO_COLOR") || dumb {
            return Self { columns, ..Self::default() };
        }
        let bold = |colour: AnsiColor| Style::new().bold().fg_color(Some(colour.into()));
        Self {
            error: bold(AnsiColor::Red),
            warning: bold(AnsiColor::Yellow),
            fine: bold(AnsiColor::Green),
            note: bold(AnsiColor::Cyan),
            place: Style::new().bold(),
            faint: Style::new().dimmed(),
            columns,
        }
    }

    /// Whether it has colours.
    pub(crate) fn is_coloured(&self) -> bool {
        self.place != Style::default()
    }
}

/// What the environment says, for whoever pipes to a terminal of their own; else what the terminal says.
pub(crate) fn columns(stream: &(impl IsTerminal + AsFd)) -> Option<usize> {
    let said = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let asked = || terminal_size::terminal_size_of(stream).map(|(width, _)| usize::from(width.0));
    said.filter(|columns| *columns > 0).or_else(|| asked().filter(|_| stream.is_terminal()))
}

/// How many columns a line of standard output has, one way or the other.
pub(crate) fn width() -> usize {
    const OTHERWISE: usize = 100;
    const AT_LEAST: usize = 40;
    columns(&io::stdout()).unwrap_or(OTHERWISE).max(AT_LEAST)
}

/// Writes to standard output.
pub(crate) fn to_stdout(
    write: impl FnOnce(&mut dyn Write, &Palette) -> io::Result<()>,
) -> Result<(), Failure> {
    let stdout = io::stdout();
    let palette = Palette::of(&stdout);
    settle(write_all(&mut stdout.lock(), &palette, write))
}

/// Writes to standard error.
pub(crate) fn to_stderr(
    write: impl FnOnce(&mut dyn Write, &Palette) -> io::Result<()>,
) -> Result<(), Failure> {
    let stderr = io::stderr();
    let palette = Palette::of(&stderr);
    settle(write_all(&mut stderr.lock(), &palette, write))
}

fn write_all(
    stream: &mut dyn Write,
    palette: &Palette,
    write: impl FnOnce(&mut dyn Write, &Palette) -> io::Result<()>,
) -> io::Result<()> {
    write(stream, palette)?;
    stream.flush()
}

fn settle(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::Write(error)),
        _ => Ok(()),
    }
}

/// Says why a file other than a configuration can't be used.
pub(crate) fn refused(
    out: &mut dyn Write,
    palette: &Palette,
    name: &str,
    why: &dyn std::fmt::Display,
) -> io::Result<()> {
    let style = palette.error;
    writeln!(out, "{name}: {style}error:{style:#} {}", printable::line(&why.to_string()))
}

/// A value as JSON, for people and programs: pretty, with a line feed at the end.
pub(crate) fn json(out: &mut dyn Write, value: &impl serde::Serialize) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    out.write_all(b"\n")
}

/// Says why a command failed. Where even that can't be written, the exit code says it alone.
pub(crate) fn failed(failure: &Failure) {
    let _ = to_stderr(|out, palette| self::failure(out, palette, failure));
}

/// The same where it is not the command that fails.
pub(crate) fn failure(out: &mut dyn Write, palette: &Palette, failure: &Failure) -> io::Result<()> {
    let error = palette.error;
    writeln!(out, "{error}error:{error:#} {}", printable::line(&failure.to_string()))
}

/// Arguments that are not a command: help and version too, which are what was asked for.
pub(crate) fn unparsed(message: &clap::Error) -> ExitCode {
    let written = settle(message.print());
    if let Err(failure) = &written {
        failed(failure);
    }
    if message.use_stderr() || written.is_err() { 2.into() } else { ExitCode::SUCCESS }
}
