//! The arguments of `engraft check`.

use std::ffi::OsString;

use clap::{Args, ValueEnum};
use engraft::config::problem::{Code, Level, suggest};

use super::pages::Page;
use super::weights::{Denied, Weights};
use crate::args::Url;
use crate::input::Input;

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The configuration, as YAML, JSON or the bytes of a google.protobuf.Struct; `-` is standard input
    #[arg(required_unless_present = "explain")]
    pub(crate) file: Option<Input>,
    /// How to say it
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// Leave out remarks with this code, as often as needed; errors stay
    #[arg(long, value_name = "CODE", value_parser = allowed)]
    allow: Vec<Code>,
    /// Make errors of remarks with this code, or of all `warnings`, as often as needed; more than `--allow` has to say
    #[arg(long, value_name = "CODE", value_parser = denied)]
    deny: Vec<Denied>,
    /// Say what the patches select on this page, as often as needed: a URL, with the route that it is for, or a file
    #[arg(long = "page", value_name = "FILE|URL", value_parser = page, conflicts_with = "explain")]
    pub(crate) pages: Vec<Page>,
    /// What files given by `--page` are asked for by: `https://shop.example/p/`, or only a path. Without it every route is tried
    #[arg(long, requires = "pages")]
    pub(crate) url: Option<Url>,
    /// Print the page of the docs about a code
    #[arg(long, value_name = "CODE", value_parser = code, exclusive = true)]
    pub(crate) explain: Option<Code>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// With the lines that it is about
    #[default]
    Human,
    /// A line for each remark
    Short,
    /// One object with everything
    Json,
    /// Annotations of a run of GitHub Actions
    Github,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}

impl Format {
    /// Whether people see none of it, but for what a program makes of it.
    pub(super) const fn is_for_machines(self) -> bool {
        matches!(self, Self::Github | Self::Sarif)
    }
}

impl Check {
    pub(super) fn weights(&self) -> Weights {
        Weights::new(&self.allow, &self.deny)
    }
}

fn page(text: &str) -> Result<Page, String> {
    let is_web = ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme));
    if !is_web {
        return Ok(Page::File(Input::from(OsString::from(text))));
    }
    text.parse().map(Page::Web).map_err(|error: crate::args::UrlError| error.to_string())
}

fn code(name: &str) -> Result<Code, String> {
    Code::named(name).ok_or_else(|| {
        let meant = suggest(name, Code::ALL.iter().map(|code| code.name()));
        let meant = meant.map(|meant| format!("did you mean {meant}? ")).unwrap_or_default();
        format!("there is no such code; {meant}all of them are in docs/checks/README.md")
    })
}

fn allowed(name: &str) -> Result<Code, String> {
    let code = code(name)?;
    if code.level() == Level::Error {
        return Err("with this the configuration can't be used; it can't be allowed".into());
    }
    Ok(code)
}

fn denied(name: &str) -> Result<Denied, String> {
    if name == "warnings" { Ok(Denied::Warnings) } else { code(name).map(Denied::Code) }
}
