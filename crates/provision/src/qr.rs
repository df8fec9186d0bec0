//! QR codes of otpauth URIs: PNG for pages, SVG for print, half blocks for a terminal.
//!
//! What it is: the presentation of one string as an ISO/IEC 18004 symbol, always with the quiet
//! zone of four modules that the standard asks for (section 9.1) and with error correction at
//! level M. What it refuses: a text that no symbol can hold.
//!
//! A QR code of an otpauth URI *is* the secret. Whoever sees the picture can enrol the key, so
//! send it once, over TLS, with `Cache-Control: no-store`, and keep it out of logs and of
//! mail. Nothing here leaves the process, and no picture is fetched from anywhere.

mod png;
mod svg;
mod terminal;

use core::fmt;

use qrcode::{Color, EcLevel, QrCode};

pub use self::{
    png::{data_uri, png},
    svg::svg,
    terminal::{Background, terminal},
};

/// Light modules around the symbol on each side: ISO/IEC 18004, section 9.1.
const QUIET_ZONE: usize = 4;

/// Why no QR code could be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The text is longer than a symbol of version 40 at level M holds. Shorten the issuer or the
    /// account name.
    TooLong {
        /// Length of the text in bytes; the limit is 2,331 for text of arbitrary bytes.
        len: usize,
    },
    /// The PNG encoder refused the picture. Use the SVG, and report this.
    Picture,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { len } => {
                write!(f, "{len} bytes do not fit a QR code; shorten the issuer or the account")
            }
            Self::Picture => f.write_str("the PNG encoder refused the picture; use the SVG"),
        }
    }
}

impl core::error::Error for Error {}

/// The symbol with its quiet zone, as rows of modules: `true` is dark.
struct Modules {
    side: usize,
    dark: Vec<bool>,
}

impl Modules {
    fn of(text: &str) -> Result<Self, Error> {
        let code = QrCode::with_error_correction_level(text, EcLevel::M)
            .map_err(|_| Error::TooLong { len: text.len() })?;
        let width = code.width();
        let side = width.saturating_add(QUIET_ZONE.saturating_mul(2));

        let blank = || core::iter::repeat_n(false, side.saturating_mul(QUIET_ZONE));
        let margin = [false; QUIET_ZONE];
        let mut dark: Vec<bool> = blank().collect();
        for row in code.to_colors().chunks(width) {
            dark.extend(margin);
            dark.extend(row.iter().map(|module| *module == Color::Dark));
            dark.extend(margin);
        }
        dark.extend(blank());
        Ok(Self { side, dark })
    }

    /// Modules on one edge, quiet zone included.
    fn side(&self) -> usize {
        self.side
    }

    fn rows(&self) -> impl Iterator<Item = &[bool]> {
        self.dark.chunks(self.side)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quiet_zone_is_four_light_modules_on_every_side() {
        let modules = Modules::of("otpauth://totp/A:b?secret=AAAA").unwrap();
        let side = modules.side();
        let rows: Vec<&[bool]> = modules.rows().collect();
        assert_eq!(rows.len(), side);
        for (y, row) in rows.iter().enumerate() {
            assert_eq!(row.len(), side);
            for (x, dark) in row.iter().enumerate() {
                let inside = (4..side - 4).contains(&x) && (4..side - 4).contains(&y);
                assert!(inside || !dark, "a dark module at {x},{y}");
            }
        }
        // The corner of the finder pattern is the first module of the symbol.
        assert!(rows[4][4] && rows[4][side - 5] && rows[side - 5][4]);
    }

    #[test]
    fn a_text_that_no_symbol_holds_is_refused() {
        let text = "a".repeat(2332);
        assert_eq!(Modules::of(&text).err(), Some(Error::TooLong { len: 2332 }));
        assert!(Modules::of(&"a".repeat(2331)).is_ok());
    }
}
