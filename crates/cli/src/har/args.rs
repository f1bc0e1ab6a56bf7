//! The arguments of `engraft har`.

use std::path::PathBuf;
use std::time::SystemTime;

use clap::{Args, ValueEnum};

use crate::args::Fact;
use crate::exchange::args::Rules;
use crate::input::Input;

#[derive(Debug, Args)]
pub(crate) struct Har {
    /// The recording, HAR 1.2 as browsers and proxies save it, with bodies; `-` is standard input
    pub(crate) file: Input,
    #[command(flatten)]
    pub(crate) rules: Rules,
    /// What the proxy knows of the connection or keeps in its filter state (`peer_address=192.0.2.1`), as often as needed; a
    /// recording does not say who asked
    #[arg(long = "fact", value_name = "NAME=VALUE")]
    pub(crate) facts: Vec<Fact>,
    /// The time of all requests; each one's own, unless said
    #[arg(long, value_name = "TIME", value_parser = crate::time::parse)]
    pub(crate) now: Option<SystemTime>,
    /// How to tell the outcome
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// Write a report as one HTML file, too
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A line for each exchange, the slowest first, as wide as the terminal
    #[default]
    Table,
    /// One object with everything
    Json,
}
