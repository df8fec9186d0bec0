//! `countersign qr`: an otpauth URI as a picture in the terminal.

use std::io::Write;

use clap::Args;
use countersign_provision::Uri;
use countersign_provision::qr::{Background, terminal};

use super::{Failure, print};

/// Draw an otpauth URI as a QR code in the terminal.
///
/// The picture is the secret: whoever sees it can enrol it.
#[derive(Args)]
pub(super) struct Qr {
    /// The URI: otpauth://totp/Issuer:account?secret=...
    uri: String,
    /// For a terminal with a light background.
    #[arg(long)]
    light: bool,
}

impl Qr {
    pub(super) fn run(self) -> Result<(), Failure> {
        let parsed = Uri::parse(&self.uri)?;
        for warning in &parsed.warnings {
            // A warning that nobody reads stops nothing.
            let _ = writeln!(std::io::stderr(), "countersign: {warning}");
        }
        let background = if self.light { Background::Light } else { Background::Dark };
        print(&terminal(&parsed.uri.expose(), background)?)
    }
}

impl std::fmt::Debug for Qr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Qr(..)")
    }
}
