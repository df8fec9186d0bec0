//! A year of the ledger: attackers at every minute, and an owner who logs in every day.
//!
//! ```text
//! cargo run --release -p countersign-conformance --example ledger-year
//! ```
//!
//! `--days N` (365) and `--seed N` (1) make it another.

use std::error::Error;
use std::io::Write as _;

use countersign_conformance::year::{Knowing, simulate};

/// What the ledger promises: no more than this for each refill.
const MOST: f64 = 1e-4;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let after = |name: &str| arguments.iter().skip_while(|word| *word != name).nth(1);
    let days = after("--days").map_or(Ok(365), |text| text.parse())?;
    let seed = after("--seed").map_or(Ok(1), |text| text.parse())?;
    let progress = |day: u32| {
        if day.is_multiple_of(10) {
            eprint!("\rday {day} of {days}");
            // Where standard error is gone nobody looks.
            let _ = std::io::stderr().flush();
        }
    };
    for knowing in [Knowing::ThePassword, Knowing::TheName] {
        let told = simulate(days, knowing, seed, progress).await;
        eprintln!();
        println!("attackers know {knowing:?}, {days} days, seed {seed}");
        println!(
            "  tries {}, judged {}, none after day {}",
            told.tries, told.judged, told.closed_after
        );
        println!(
            "  their chance in all {:.2e} (at most {MOST:.0e}), right {}",
            told.chance, told.won
        );
        println!("  the owner logged in {} times, mistyped {}", told.logins, told.mistyped);
        println!(
            "  days on which the owner was refused: {} {:?}",
            told.refused_on.len(),
            told.refused_on
        );
        println!("  mails and messages {}", told.messages);
        println!(
            "  in the end a remembered browser: {}, the recovery code: {}",
            told.remembered_works, told.recovery_works
        );
        if told.chance > MOST || !told.remembered_works || !told.recovery_works {
            return Err("the ledger does not hold".into());
        }
        if knowing == Knowing::TheName && !told.refused_on.is_empty() {
            return Err("whoever knows the name alone kept the owner out".into());
        }
    }
    Ok(())
}
