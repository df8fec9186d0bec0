//! `countersign events`: the audit events, opened.

use clap::{Args, Subcommand};
use countersign_ceremony::codec;
use countersign_ceremony::outbox;
use countersign_ceremony::port::Store;

use super::data::Data;
use super::{Failure, block_on, print, printed};
use crate::wire;

/// How many events one step of a drain takes out.
const STEP: usize = 256;

/// Print the audit events that wait in the outbox as JSON lines, oldest first. The server may run.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Events {
    #[command(flatten)]
    data: Data,
    /// How many at most.
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    limit: usize,
    #[command(subcommand)]
    command: Option<EventsCommand>,
}

#[derive(Debug, Subcommand)]
enum EventsCommand {
    Drain(Drain),
}

/// Print them, and take each out of the outbox once it is printed, a few at a time.
///
/// What was taken out goes to no sink any more. Should the command be interrupted, the last lines may
/// come again: an event is known by its `id`.
#[derive(Args, Debug)]
struct Drain {
    #[command(flatten)]
    data: Data,
    /// How many at most.
    #[arg(long, value_name = "N", default_value_t = usize::MAX, hide_default_value = true)]
    max: usize,
}

impl Events {
    pub(super) fn run(self) -> Result<(), Failure> {
        match self.command {
            Some(EventsCommand::Drain(drain)) => drain.run(),
            None => show(&self.data, self.limit),
        }
    }
}

fn show(data: &Data, limit: usize) -> Result<(), Failure> {
    let vault = data.keys()?;
    let rows = block_on(async { Ok(data.databases().await?.events(limit).await?) })?;
    let mut lines = String::new();
    for row in &rows {
        lines.push_str(&wire::event(&codec::open_event(&vault, row)?).to_string());
        lines.push('\n');
    }
    print(&lines)
}

impl Drain {
    fn run(self) -> Result<(), Failure> {
        let env = self.data.env()?;
        block_on(async {
            let store = self.data.databases().await?;
            let mut left = self.max;
            while left > 0 {
                let some = outbox::oldest(&store, &env, left.min(STEP)).await?;
                if some.unreadable > 0 {
                    let count = some.unreadable;
                    return Err(Failure(format!("{count} events open under no key of the ring")));
                }
                if some.events.is_empty() {
                    break;
                }
                let lines: String =
                    some.events.iter().map(|event| format!("{}\n", wire::event(event))).collect();
                // Before they are gone.
                printed(&lines)?;
                store.forget(&some.ids()).await?;
                left = left.saturating_sub(some.events.len());
            }
            Ok(())
        })
    }
}
