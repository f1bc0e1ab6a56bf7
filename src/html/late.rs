//! Content that is made when the end of the body is reached: what became of the patches before it is known only then.
//!
//! The end of the body is seen at the end of the page, for what comes behind `</body>` may still belong to the body. By then
//! all elements have ended, the body too, or are known to have no end, and nothing is held but what stands behind the body.
//! So there are no patches of which it is still open what became of them, and what is asked does not depend on how the page
//! was cut.

use std::fmt;
use std::rc::Rc;

use super::operation::Admits;
use super::outcome::Outcome;

/// Makes content for the end of the body.
pub trait LateContent: fmt::Debug {
    /// Markup in the page's encoding, behind everything else that is inserted there; `None` for nothing. It is asked once, when
    /// these are the outcomes of the [editor](super::editor::Editor)'s patches, in their order; not where no more is
    /// [found](super::locate::Lost) in the page.
    fn markup(&self, outcomes: &[Outcome]) -> Option<Vec<u8>>;
}

/// An insertion at the end of the body.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "whoever inserts says all of it")]
pub struct LateInsertion {
    /// What.
    pub content: Rc<dyn LateContent>,
    /// What policies that the page itself states are asked, where they have a say in it.
    pub policies: Option<Rc<dyn Admits>>,
    /// Whether the page is XML. What seems to be open at its end then is not (`<div/>`), and an end tag for it would break the
    /// page.
    pub in_xml: bool,
}
