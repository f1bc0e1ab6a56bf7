//! Validators of pages that are not the same for everybody.
//!
//! The attack that this prevents: a visitor is told 304 and keeps a page that was made for somebody else, or by another
//! configuration, because the origin, which knows one page, was asked about one page.
//!
//! - An **origin's tag**, `"abc"`, stands for the origin's bytes. Whoever got them unedited has it as it is.
//! - A **variant's tag**, `W/"abc;e=0123456789abcdef"`, stands for what the patches make of these bytes for one outcome of
//!   the configuration, of which the digits are the [`Digest`](digest::Digest). `;w=` instead of `;e=` says that the origin's was weak.
//!   It is always weak: equal digests are what makes pages equal, and a comparison byte by byte is not ours to promise.
//!
//! So that a page without an eligible patch leaves as it came even where other visitors' pages are edited: its tag is no
//! variant's, and whose page is edited now gets no 304 for it. [`conditional`] translates in both directions.
//!
//! Refused: a page whose outcome is not a function of the digest has no validator at all. What an origin changes without
//! changing its tag (the type, `no-transform`, policies) can't be seen in time either.

pub mod conditional;
pub mod digest;
pub mod entity_tag;

/// What of a route's URLs is not the same for everybody, or for every configuration, because of its patches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "whoever translates validators must handle each")]
pub enum Variance {
    /// Nothing: what has a tag is what the origin sent.
    #[default]
    Nothing,
    /// Pages, as they are edited.
    Pages,
    /// Everything: visitors get answers that the origin gives to other requests. Two of these may have the same tag.
    Everything,
}
