//! `countersign vendor-token`: what a service presents on the management routes.

use clap::Args;
use countersign_ceremony::env::Clock;

use super::data::Data;
use super::{Failure, print};
use crate::clock::SystemClock;
use crate::random::SystemRandom;
use crate::vendor;

const DAY: u64 = 24 * 60 * 60;

/// Print a bearer token for the management routes, sealed with the keys of a data directory.
///
/// Whoever has it opens logins and reports for every user: hand it to the service alone.
#[derive(Args, Debug)]
pub(super) struct VendorToken {
    #[command(flatten)]
    data: Data,
    /// For how many days it lives.
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=365))]
    days: u64,
}

impl VendorToken {
    pub(super) fn run(self) -> Result<(), Failure> {
        let vault = self.data.keys()?;
        let lives = self.days.saturating_mul(DAY);
        let token = vendor::issue(&vault, &SystemRandom, lives, SystemClock.now())?;
        print(&format!("{token}\n"))
    }
}
