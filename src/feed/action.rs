//! What goes into a feed, and what comes out of it.

use crate::exchange::report::Counter;

/// When something happens.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "a host must say all of it")]
pub struct Moment {
    /// Milliseconds since 1970.
    pub millis: u64,
    /// A number by chance, another one each time.
    pub random: u64,
}

/// What a host is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Ask the service.
    Ask(Question),
    /// Add one to a counter.
    Count(Counter),
    /// Tell the operator of something that is wrong; at most once a minute.
    Warn(String),
    /// Tell the operator of something that has changed; at most once a minute.
    Inform(String),
}

/// A question to the service: `GET` of the [source](super::Source)'s path.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Question {
    /// What the answer is to be given with.
    pub number: u32,
    /// What `If-None-Match` says.
    pub tag: Option<String>,
}

/// What is looked at before a body is.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "a host must say all of it")]
pub struct AnswerHead<'a> {
    /// The status.
    pub status: u16,
    /// `ETag`.
    pub tag: Option<&'a str>,
    /// `Content-Encoding`.
    pub content_coding: Option<&'a str>,
    /// How long the body is.
    pub body_bytes: usize,
}
