//! The command line.

mod backup;
mod code;
mod data;
mod demo;
mod doctor;
mod events;
mod export;
mod import;
mod keys;
mod qr;
mod serve;
mod store;
mod templates;
mod user;
mod vendor;
mod vendor_token;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Multi-factor authentication behind the password: the server, a demo of it, and tools.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Demo),
    Serve(serve::Serve),
    Doctor(doctor::Doctor),
    Code(code::Code),
    Qr(qr::Qr),
    #[command(subcommand)]
    User(user::User),
    #[command(subcommand)]
    Vendor(vendor::Vendor),
    VendorToken(vendor_token::VendorToken),
    #[command(subcommand)]
    Keys(keys::Keys),
    Events(events::Events),
    Import(import::Import),
    Export(export::Export),
    Backup(backup::Backup),
    Restore(backup::Restore),
    #[command(subcommand)]
    Store(store::StoreCommand),
    Templates(templates::Templates),
}

/// Why a command failed: a sentence that says what is wrong and, where possible, how to mend it.
#[derive(Debug)]
pub(crate) struct Failure(String);

/// Runs the command line of this process.
#[must_use]
pub fn run() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Demo(command) => command.run(),
        Command::Serve(command) => command.run(),
        Command::Doctor(command) => command.run(),
        Command::Code(command) => command.run(),
        Command::Qr(command) => command.run(),
        Command::User(command) => command.run(),
        Command::Vendor(command) => command.run(),
        Command::VendorToken(command) => command.run(),
        Command::Keys(command) => command.run(),
        Command::Events(command) => command.run(),
        Command::Import(command) => command.run(),
        Command::Export(command) => command.run(),
        Command::Backup(command) => command.run(),
        Command::Restore(command) => command.run(),
        Command::Store(command) => command.run(),
        Command::Templates(command) => command.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(sentence)) => {
            // Where standard error is gone there is nobody left to tell.
            let _ = writeln!(io::stderr(), "countersign: {sentence}");
            ExitCode::FAILURE
        }
    }
}

/// Writes lines to standard output. A reader that went away is no failure of ours.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure(format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// The same where it matters that they were written.
fn printed(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| Failure(format!("standard output: {error}")))
}

/// The runtime of commands that wait for something.
fn block_on<T>(task: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| Failure(format!("no thread can be started: {error}")))?.block_on(task)
}

impl Failure {
    fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_holds_together() {
        super::Cli::command().debug_assert();
    }
}
