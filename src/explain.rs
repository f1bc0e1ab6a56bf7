//! Traces: what an exchange came to, and why, for people and for tools.
//!
//! An [exchange](crate::exchange) that is to explain itself notes what it does while it does it, and hands a [`Trace`](trace::Trace)
//! out with its report. The trace is the same wherever the exchange runs: the command line prints it, the local panel draws it, and
//! the filter sends as much of it as fits into a [header](compact) to whoever shows the secret.
//!
//! The attack that this prevents: a trace that tells whoever looks over somebody's shoulder, or finds it in a ticket, what the
//! visitor's session is. What the configuration names as [secret](crate::config::model::Secrets) is [hidden] wherever it turns up.

pub mod compact;
pub(crate) mod hidden;
mod texts;
pub mod trace;
pub mod trail;
