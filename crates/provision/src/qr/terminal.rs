//! The symbol in half blocks, two rows of modules to a line of text.
//!
//! A scanner wants dark modules on a light ground, and text is drawn in the foreground colour. So
//! on a dark terminal the *light* modules are the ones to draw, and on a light one the dark.

use core::fmt;

use super::{Error, Modules};

/// What the text will stand on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Background {
    /// Light text on a dark ground, as most terminals have it.
    Dark,
    /// Dark text on a light ground; also right for a text file that will be printed.
    Light,
    /// Unknown: the colours are set by escape sequences (ECMA-48, SGR), so that it is right on
    /// either. Only for a terminal that understands them.
    Ansi,
}

/// Black on bright white, and back to the terminal's own.
const BLACK_ON_WHITE: &str = "\u{1b}[30;107m";
const RESET: &str = "\u{1b}[0m";

/// Draws `text` as lines of `█`, `▀`, `▄` and space, each ended by a line feed.
///
/// # Errors
///
/// [`Error::TooLong`] beyond 2,331 bytes.
pub fn terminal(text: &str, background: Background) -> Result<String, Error> {
    let modules = Modules::of(text)?;
    let mut drawn = String::new();
    // Writing to a string does not fail.
    let _ = draw(&modules, background, &mut drawn);
    Ok(drawn)
}

fn draw(modules: &Modules, background: Background, out: &mut impl fmt::Write) -> fmt::Result {
    let inked = |dark: bool| dark != (background == Background::Dark);
    let rows: Vec<&[bool]> = modules.rows().collect();
    for pair in rows.chunks(2) {
        let upper = pair.first().copied().unwrap_or_default();
        let lower = pair.get(1).copied().unwrap_or_default();
        if background == Background::Ansi {
            out.write_str(BLACK_ON_WHITE)?;
        }
        for (x, dark) in upper.iter().enumerate() {
            // Below the last row of an odd number lies the quiet zone's own colour.
            let below = lower.get(x).copied().unwrap_or_default();
            out.write_char(match (inked(*dark), inked(below)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            })?;
        }
        if background == Background::Ansi {
            out.write_str(RESET)?;
        }
        out.write_char('\n')?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "otpauth://totp/A:b?secret=AAAA";

    /// Reads half blocks back into modules, given which ink means dark.
    fn read(drawn: &str, ink_is_dark: bool) -> Vec<Vec<bool>> {
        let mut rows = Vec::new();
        for line in drawn.lines() {
            let half = |full: char| {
                line.chars().map(|c| (c == '█' || c == full) == ink_is_dark).collect::<Vec<_>>()
            };
            rows.push(half('▀'));
            rows.push(half('▄'));
        }
        rows
    }

    #[test]
    fn each_background_shows_the_same_modules() {
        let modules = Modules::of(TEXT).unwrap();
        let mut expected: Vec<Vec<bool>> = modules.rows().map(<[bool]>::to_vec).collect();
        expected.push(vec![false; modules.side()]);

        assert_eq!(read(&terminal(TEXT, Background::Dark).unwrap(), false), expected);
        assert_eq!(read(&terminal(TEXT, Background::Light).unwrap(), true), expected);
        let ansi = terminal(TEXT, Background::Ansi).unwrap();
        let plain = ansi.replace(BLACK_ON_WHITE, "").replace(RESET, "");
        assert_eq!(read(&plain, true), expected);
        assert!(ansi.lines().all(|l| l.starts_with(BLACK_ON_WHITE) && l.ends_with(RESET)));
    }

    #[test]
    fn on_a_dark_ground_the_quiet_zone_is_inked() {
        let drawn = terminal(TEXT, Background::Dark).unwrap();
        assert!(drawn.lines().next().unwrap().chars().all(|c| c == '█'));
        let drawn = terminal(TEXT, Background::Light).unwrap();
        assert!(drawn.lines().next().unwrap().chars().all(|c| c == ' '));
    }
}
