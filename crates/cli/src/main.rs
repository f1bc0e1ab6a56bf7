//! The `engraft` command: the core that runs in Envoy, on a terminal.
//!
//! This crate reads files and arguments, hands them to the core and prints what comes back. It decides nothing that the
//! filter would decide.

use std::process::ExitCode;

mod args;
mod cacheability;
mod check;
mod completions;
mod content_type;
mod decide;
mod diff;
mod examples;
mod exchange;
mod explain;
mod failure;
mod fetch;
mod har;
mod init;
mod input;
mod man;
mod output;
mod printable;
mod quote;
mod render;
mod replay;
mod schema;
mod serve;
mod stamp;
mod test;
mod time;
mod tls;
mod trace;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let outcome = match args::parse() {
        Ok(args::Command::Init(args)) => init::run(&args),
        Ok(args::Command::Check(args)) => check::run(&args),
        Ok(args::Command::Render(args)) => render::run(&args),
        Ok(args::Command::Explain(args)) => explain::run(&args),
        Ok(args::Command::Replay(args)) => replay::run(&args),
        Ok(args::Command::Decide(args)) => decide::run(&args),
        Ok(args::Command::Serve(args)) => serve::run(*args),
        Ok(args::Command::Test(args)) => test::run(&args),
        Ok(args::Command::Har(args)) => har::run(&args),
        Ok(args::Command::Schema) => schema::run(),
        Ok(args::Command::Completions(args)) => completions::run(&args),
        Ok(args::Command::Man(args)) => man::run(&args),
        Err(unparsed) => return output::unparsed(&unparsed),
    };
    if let Err(failure) = &outcome {
        output::failed(failure);
    }
    failure::exit_code(&outcome).into()
}
