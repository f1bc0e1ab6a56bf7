//! The command line: its commands, and arguments as the types that they mean.

use std::fmt;
use std::str::FromStr;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use http::{HeaderName, HeaderValue, Uri};

use crate::check::args::Check;
use crate::completions::Completions;
use crate::decide::args::Decide;
use crate::examples::{self, FIRST_STEPS};
use crate::explain::args::Explain;
use crate::failure::EXIT_CODES;
use crate::har::args::Har;
use crate::init::args::Init;
use crate::man::Manual;
use crate::render::args::Render;
use crate::replay::args::Replay;
use crate::serve::args::Serve;
use crate::test::args::Test;

/// Checks and tries out configurations of the engraft filter with the core that runs in Envoy.
#[derive(Debug, Parser)]
#[command(name = "engraft", version, after_help = format!("{FIRST_STEPS}\n{EXIT_CODES}"))]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a commented configuration to start from
    #[command(after_help = EXIT_CODES)]
    Init(Init),
    /// Say everything that is wrong with a configuration, and what may surprise in it
    #[command(after_help = EXIT_CODES)]
    Check(Check),
    /// Run one request and its response through a configuration and print the page
    #[command(after_help = EXIT_CODES)]
    Render(Render),
    /// Say how a response comes about: routes, decisions, patches, headers, caches
    #[command(after_help = EXIT_CODES)]
    Explain(Explain),
    /// Run what a trace tells of again, and say whether the same comes of it
    #[command(after_help = EXIT_CODES)]
    Replay(Replay),
    /// Decide what a visitor sees of a configuration or a GrowthBook payload, as its SDKs do
    #[command(after_help = EXIT_CODES)]
    Decide(Decide),
    /// Serve a site or a folder through a configuration, which is read again whenever it is saved
    #[command(after_help = EXIT_CODES)]
    Serve(Box<Serve>),
    /// Run scenarios: what visitors ask for, and what must come of it
    #[command(after_help = EXIT_CODES)]
    Test(Test),
    /// Run what a browser recorded through a configuration: what would change, how fast, and what caches would keep
    #[command(after_help = EXIT_CODES)]
    Har(Har),
    /// Print the JSON Schema of configurations
    #[command(after_help = EXIT_CODES)]
    Schema,
    /// Print what a shell needs to complete commands and options
    #[command(after_help = EXIT_CODES)]
    Completions(Completions),
    /// Print the manual, or write a page for each command
    #[command(after_help = EXIT_CODES)]
    Man(Manual),
}

pub(crate) fn parse() -> Result<Command, clap::Error> {
    let matches = command().try_get_matches()?;
    let line = CommandLine::from_arg_matches(&matches).map_err(|error| error.format(&mut command()))?;
    Ok(line.command)
}

/// The command line with all its commands, for what describes it.
pub(crate) fn command() -> clap::Command {
    examples::added_to(CommandLine::command())
}

/// The URL of a request, in the parts that a request head has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Url {
    pub(crate) scheme: String,
    pub(crate) authority: String,
    /// With the query.
    pub(crate) path: String,
}

/// A text that can't be sent to an HTTP server as a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UrlError {
    /// Neither of the two forms.
    Form,
    /// With a user name in it.
    User,
}

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let uri: Uri = text.parse().map_err(|_| UrlError::Form)?;
        let (scheme, authority) = match (uri.scheme_str(), uri.authority()) {
            (Some(scheme), Some(authority)) => (scheme.to_ascii_lowercase(), authority.to_string()),
            (None, None) if text.starts_with('/') => ("http".to_owned(), "localhost".to_owned()),
            _ => return Err(UrlError::Form),
        };
        if !matches!(scheme.as_str(), "http" | "https") {
            return Err(UrlError::Form);
        }
        if authority.contains('@') {
            return Err(UrlError::User);
        }
        let path = uri.path_and_query().map_or("", |path| path.as_str());
        let slash = if path.starts_with('/') { "" } else { "/" };
        Ok(Self { scheme, authority, path: format!("{slash}{path}") })
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.path)
    }
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => {
                "write https://host/path?query or only /path?query, spaces and the like percent-encoded"
            }
            Self::User => "the filter sees no user name; send it as a header: -H 'authorization: …'",
        })
    }
}

impl std::error::Error for UrlError {}

/// A header line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) name: HeaderName,
    pub(crate) value: HeaderValue,
}

/// A text that is not a header line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HeaderError {
    /// No colon.
    Form,
    /// What stands before the colon is not a name.
    Name(String),
    /// Control characters.
    Value,
}

impl FromStr for Header {
    type Err = HeaderError;

    fn from_str(text: &str) -> Result<Self, HeaderError> {
        let (name, value) = text.split_once(':').ok_or(HeaderError::Form)?;
        let value = HeaderValue::from_bytes(value.trim().as_bytes()).map_err(|_| HeaderError::Value)?;
        let name = HeaderName::try_from(name.trim_end()).map_err(|_| HeaderError::Name(name.to_owned()))?;
        Ok(Self { name, value })
    }
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => f.write_str("there is no colon; write 'name: value'"),
            Self::Name(name) => write!(f, "\"{name}\" is not a header name; write 'name: value'"),
            Self::Value => {
                f.write_str("the value has control characters in it; write 'name: value' on one line")
            }
        }
    }
}

impl std::error::Error for HeaderError {}

/// A fact and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// A text that is not a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FactError;

impl FromStr for Fact {
    type Err = FactError;

    fn from_str(text: &str) -> Result<Self, FactError> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => {
                Ok(Self { name: name.to_owned(), value: value.to_owned() })
            }
            _ => Err(FactError),
        }
    }
}

impl fmt::Display for FactError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("write name=value, such as peer_address=192.0.2.1")
    }
}

impl std::error::Error for FactError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn urls_become_the_parts_of_a_head() {
        for (text, shown) in [
            ("https://shop.example/p/?a=1&b", "https://shop.example/p/?a=1&b"),
            ("HTTPS://Shop.Example:8443/p", "https://Shop.Example:8443/p"),
            ("http://shop.example", "http://shop.example/"),
            ("http://shop.example?a=1", "http://shop.example/?a=1"),
            ("http://shop.example/p#part", "http://shop.example/p"),
            ("http://[::1]:80/", "http://[::1]:80/"),
            ("http://shop.example/café", "http://shop.example/café"),
            ("/p?a=1", "http://localhost/p?a=1"),
        ] {
            assert_eq!(text.parse::<Url>().map(|url| url.to_string()), Ok(shown.to_owned()), "{text}");
        }
        for text in
            ["", "*", "shop.example", "shop.example/p", "ftp://shop.example/", "http:///p", "/a b", "?a=1"]
        {
            assert_eq!(text.parse::<Url>(), Err(UrlError::Form), "{text}");
        }
        assert_eq!("http://ada:secret@shop.example/".parse::<Url>(), Err(UrlError::User));
    }

    #[test]
    fn headers_are_lines() {
        let header = |text: &str| text.parse::<Header>().map(|Header { name, value }| (name, value));
        let of = |name, value| Ok((HeaderName::from_static(name), HeaderValue::from_static(value)));
        assert_eq!(header("Cookie: a=1; b=2"), of("cookie", "a=1; b=2"));
        assert_eq!(header("x-at:12:30"), of("x-at", "12:30"));
        assert_eq!(header("x-empty:"), of("x-empty", ""));
        assert!(header("x-name: Zoë").is_ok());
        assert_eq!(header("cookie"), Err(HeaderError::Form));
        assert_eq!(header(":path: /"), Err(HeaderError::Name(String::new())));
        assert_eq!(header("a b: c"), Err(HeaderError::Name("a b".to_owned())));
        assert_eq!(header("a: b\nc: d"), Err(HeaderError::Value));
    }

    #[test]
    fn facts_have_names() {
        let fact = |name: &str, value: &str| Ok(Fact { name: name.to_owned(), value: value.to_owned() });
        assert_eq!("mtls=true".parse(), fact("mtls", "true"));
        assert_eq!("filter_state.a.b=c=d".parse(), fact("filter_state.a.b", "c=d"));
        assert_eq!("mtls".parse::<Fact>(), Err(FactError));
        assert_eq!("=x".parse::<Fact>(), Err(FactError));
    }
}
