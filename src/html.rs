//! HTML: [`locate`] finds places, [`operation`] says what is to be done there, [`editor`] folds it into edits and
//! [`splice`] makes them.

pub mod charset;
pub mod editor;
mod fold;
pub(crate) mod javascript;
pub mod late;
pub mod operation;
pub mod outcome;
pub(crate) mod seam;
pub mod splice;
mod start_tag;
pub mod tag_rewrite;
pub mod text_editor;
mod texts;

pub use engraft_locate::{locate, selector};
