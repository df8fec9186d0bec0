//! `countersign vendor-token`: a token of the management routes, for whoever has the keys.

use clap::Args;
use countersign_device::ClientId;

use super::data::Data;
use super::{Failure, block_on, print};

const DAY: u64 = 24 * 60 * 60;
/// The client whose tokens these are: without a secret, and with every power.
const OPERATOR: &str = "operator";

/// Print a bearer token for the management routes, without a client and a secret.
///
/// Whoever has it manages everything: it is for operators and their scripts. A service gets a client
/// of its own by `vendor new`. `vendor revoke operator` ends all tokens made here.
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
        let operator = ClientId::parse(OPERATOR)?;
        let lives = self.days.saturating_mul(DAY);
        let token = block_on(async {
            Ok(self.data.engine().await?.operator_token(&operator, lives).await?)
        })?;
        let token = token.ok_or_else(super::vendor::too_many)?;
        print(&format!("{token}\n"))
    }
}
