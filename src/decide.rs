//! Decisions: what a visitor is to see.
//!
//! Answers for features and experiments as GrowthBook's SDKs define them: a payload is compiled once
//! ([`Payload`](payload::Payload)), and an [`Evaluation`](evaluation::Evaluation) then decides for one visitor on one
//! page, without I/O, clock or chance. The same payload, attributes and URL give here what they give in a browser
//! (`docs/decisions.md` says how that is checked, and lists where it is not so), so both ends agree on who sees what.
//!
//! ```text
//! payload ─► decrypt ─► compile ─► features, experiments ─┐
//! attributes, URL, sticky buckets ─► visitor ─────────────┴─► evaluation ─► results, exposures, changed documents
//! ```
//!
//! Bounds, since payloads come over the network and URLs and attributes from visitors: a payload's length
//! ([`MAX_PAYLOAD_BYTES`](payload::MAX_PAYLOAD_BYTES)), how many features wait for one another
//! ([`MAX_DEPTH`](prerequisite::MAX_DEPTH)), the work in circles
//! ([`MAX_CYCLIC_EVALUATIONS`](prerequisite::MAX_CYCLIC_EVALUATIONS)), and the sizes of patterns and of what they are
//! searched in ([`condition`]).

pub mod auto;
pub mod bandit;
pub mod bucket;
pub mod condition;
pub mod decrypt;
pub mod evaluation;
pub mod experiment;
pub mod feature;
pub mod fields;
mod filter;
pub mod hash;
mod identity;
pub mod namespace;
mod pattern;
pub mod payload;
pub mod prerequisite;
pub mod query_override;
pub mod reads;
pub mod result;
pub mod sticky;
mod url;
pub mod url_targeting;
pub mod visitor;
