//! The built `engraft` as a person or a script calls it: arguments and files in; text, JSON and exit codes out.

mod check;
mod command;
mod completions;
mod decide;
mod dependencies;
mod documentation;
mod explain;
mod har;
mod init;
mod man;
mod render;
mod replay;
mod schema;
mod test;
