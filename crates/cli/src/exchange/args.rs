//! The arguments of commands that run an exchange: by what, what is asked, and what the origin answers.

use std::num::NonZeroUsize;
use std::time::SystemTime;

use clap::Args;
use engraft::decide::decrypt::DecryptionKey;
use engraft::engine::Engine;
use http::{Method, StatusCode};

use super::rendering::Answer;
use super::visit::{self, Visit};
use crate::args::{Fact, Header, Url};
use crate::failure::Failure;
use crate::input::Input;

/// What an exchange is run by.
#[derive(Debug, Args)]
pub(crate) struct Rules {
    /// The configuration; `-` is standard input
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: Input,
    /// The payload of a feature service, where the configuration has one fetched; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) payload: Option<Input>,
    /// The key of an encrypted payload
    #[arg(long, value_name = "KEY", value_parser = crate::decide::args::key)]
    pub(crate) decryption_key: Option<DecryptionKey>,
}

/// What a visitor asks for, and what a proxy would know of them.
#[derive(Debug, Args)]
pub(crate) struct Asked {
    /// What is asked for: `https://shop.example/p/?page=2`, or only a path
    #[arg(short, long)]
    pub(crate) url: Url,
    /// The method
    #[arg(short = 'X', long, default_value = "GET", value_parser = method)]
    pub(crate) method: Method,
    /// A header of the request, as often as needed; `host` takes the place of the URL's
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    pub(crate) headers: Vec<Header>,
    /// What the proxy knows of the connection or keeps in its filter state (`peer_address=192.0.2.1`,
    /// `filter_state.KEY=VALUE`), as often as needed; what is not given is missing, and the peer is this machine
    #[arg(long = "fact", value_name = "NAME=VALUE")]
    pub(crate) facts: Vec<Fact>,
    /// The time of the request, as 2026-01-31T12:00:00Z or seconds since 1970; the time that it is, unless said
    #[arg(long, value_name = "TIME", value_parser = crate::time::parse)]
    pub(crate) now: Option<SystemTime>,
}

/// What the origin answers.
#[derive(Debug, Args)]
pub(crate) struct Answered {
    /// The origin's page; `-` is standard input. Without it the body is empty
    #[arg(short, long, value_name = "PAGE")]
    pub(crate) body: Option<Input>,
    /// The status of the origin's response
    #[arg(long, value_name = "N", default_value = "200", value_parser = status)]
    pub(crate) status: StatusCode,
    /// A header of the origin's response, as often as needed. Unless given, `content-type` is text/html in UTF-8, and
    /// `content-length` the body's
    #[arg(long = "response-header", value_name = "NAME: VALUE")]
    pub(crate) response_headers: Vec<Header>,
    /// Feed the page in chunks of that many bytes; the output is the same
    #[arg(long, value_name = "N", value_parser = chunk)]
    pub(crate) chunk: Option<NonZeroUsize>,
}

impl Asked {
    /// The request, as the filter would get it.
    pub(crate) fn visit(&self, engine: &Engine) -> Result<Visit, Failure> {
        let head = visit::head(&self.method, self.url.clone(), visit::lines(&self.headers));
        let visit = Visit::new(head, &self.facts, engine.facts())?;
        Ok(Visit { now: self.now.unwrap_or(visit.now), ..visit })
    }
}

impl Answered {
    /// The response; the page is read here.
    pub(crate) fn answer(&self) -> Result<Answer, Failure> {
        let page = self.body.as_ref().map(Input::read).transpose()?.unwrap_or_default();
        Ok(Answer::new(self.status, visit::lines(&self.response_headers), page).in_chunks(self.chunk))
    }
}

fn method(text: &str) -> Result<Method, &'static str> {
    text.parse().map_err(|_| "write a method such as GET or HEAD")
}

fn status(text: &str) -> Result<StatusCode, &'static str> {
    text.parse().map_err(|_| "write a number from 100 to 999")
}

fn chunk(text: &str) -> Result<NonZeroUsize, &'static str> {
    text.parse().map_err(|_| "write a number of bytes, at least 1")
}
