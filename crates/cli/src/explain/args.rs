//! The arguments of `engraft explain`.

use std::str::FromStr;

use clap::Args;

use crate::exchange::args::{Answered, Asked, Rules};

#[derive(Debug, Args)]
#[command(
    override_usage = "engraft explain --config <FILE> --url <URL> [OPTIONS]\n       engraft explain --from-header <TEXT> [--config <FILE>] [--json]",
    mut_arg("config", |arg| arg.required(false).required_unless_present("from_header")),
    mut_arg("url", |arg| arg.required(false).required_unless_present("from_header"))
)]
pub(crate) struct Explain {
    #[command(flatten)]
    pub(crate) rules: Option<Rules>,
    #[command(flatten)]
    pub(crate) asked: Option<Asked>,
    #[command(flatten)]
    pub(crate) answered: Answered,
    /// The variation of an experiment or the value of a flag, whatever would be decided; as often as needed
    #[arg(long, value_name = "NAME:VALUE", value_parser = choice)]
    pub(crate) force: Vec<(String, String)>,
    /// The value of an attribute, as if that were read, whatever the request says; without `=VALUE` nothing is. As often as needed
    #[arg(long = "attribute", value_name = "NAME=VALUE")]
    pub(crate) attributes: Vec<Given>,
    /// Explain what the header `x-engraft-trace` of a response tells, and run nothing: its value, its line, or the whole head; `-` is
    /// standard input. With --config, say whether that is the configuration
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["Asked", "Answered", "payload", "force", "attributes"])]
    pub(crate) from_header: Option<String>,
    /// Print the trace as JSON (docs/trace.md)
    #[arg(long)]
    pub(crate) json: bool,
}

/// What is given for an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) name: String,
    pub(crate) value: Option<String>,
}

impl FromStr for Given {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        match name {
            "" => Err("write name=value, or only the name"),
            name => Ok(Self { name: name.to_owned(), value: value.map(str::to_owned) }),
        }
    }
}

fn choice(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once(':') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write name:value, such as hero:bold"),
    }
}
