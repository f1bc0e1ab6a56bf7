//! The arguments of `engraft test`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Files of scenarios, or folders that are searched for files named `*.test.yaml`
    #[arg(value_name = "FILE|DIR", default_value = ".")]
    pub(crate) paths: Vec<PathBuf>,
    /// How to tell the outcome
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// Only the scenarios that have this in their name
    #[arg(long, value_name = "TEXT")]
    pub(crate) filter: Option<String>,
    /// Write pages that differ from their snapshots over them, and say which
    #[arg(long)]
    pub(crate) update: bool,
    /// Say which routes, patches and variations no scenario touches
    #[arg(long)]
    pub(crate) coverage: bool,
    /// Run again whenever a file changes that was read, until Ctrl-C
    #[arg(long, conflicts_with_all = ["format", "update"])]
    pub(crate) watch: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A line for each scenario, and what is wrong in full
    #[default]
    Human,
    /// Test Anything Protocol, version 14
    Tap,
    /// The XML that CI servers read
    Junit,
    /// One object with everything
    Json,
}
