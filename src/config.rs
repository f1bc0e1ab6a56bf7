//! Configuration: from bytes to typed values, with everything that is wrong said at once.
//!
//! ```text
//! bytes ─► source::read ─► Node tree ─► decode ─► model::Config ─► engine (compiled)
//!          Struct, JSON, YAML            typed by the model
//! ```

pub mod decode;
pub mod json;
pub mod model;
pub mod node;
pub mod problem;
pub mod source;
pub mod structpb;
pub mod yaml;
