//! `countersign events`: the audit events, opened.

use clap::Args;
use countersign_ceremony::codec;
use countersign_ceremony::port::Store;

use super::data::Data;
use super::{Failure, block_on, print};
use crate::wire;

/// Print the audit events that wait in the outbox as JSON lines, oldest first. The server may run.
#[derive(Args, Debug)]
pub(super) struct Events {
    #[command(flatten)]
    data: Data,
    /// How many at most.
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    limit: usize,
}

impl Events {
    pub(super) fn run(self) -> Result<(), Failure> {
        let vault = self.data.keys()?;
        let rows = block_on(async { Ok(self.data.databases().await?.events(self.limit).await?) })?;
        let mut lines = String::new();
        for row in &rows {
            lines.push_str(&wire::event(&codec::open_event(&vault, row)?).to_string());
            lines.push('\n');
        }
        print(&lines)
    }
}
