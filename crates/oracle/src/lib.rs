//! What edits are judged by: `DOM(output) = operation(DOM(source))`.
//!
//! [`dom`] is the tree that the standard makes of a page, by html5ever; [`select`] matches selectors on it, by the crate of
//! the browsers; [`operation`] does to it what a patch does to a page, by the methods of the DOM. None of it shares code with
//! what it judges; `engraft test` holds pages against what scenarios say by the same tree, with what [`markup`] reads of it. A
//! crate of its own, so that it is compiled with optimisations where tests are not.

#![expect(
    clippy::indexing_slicing,
    reason = "an index of a node that is not in the arena is a bug, and only tests and `engraft test` run this"
)]

pub mod dom;
pub mod markup;
pub mod operation;
pub mod select;
