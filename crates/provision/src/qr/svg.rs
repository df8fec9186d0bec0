//! The symbol as an SVG document of one path, sharp at any size.

use core::fmt::Write as _;

use super::{Error, Modules};

/// Draws `text` as an SVG 1.1 document, black on white, one unit a module, without scripts,
/// styles or outside references.
///
/// # Errors
///
/// [`Error::TooLong`] beyond 2,331 bytes.
pub fn svg(text: &str) -> Result<String, Error> {
    let modules = Modules::of(text)?;
    let side = modules.side();
    let mut path = String::new();
    for (y, row) in modules.rows().enumerate() {
        let mut x = 0_usize;
        for run in row.chunk_by(|a, b| a == b) {
            if run.first() == Some(&true) {
                // Writing to a string does not fail.
                let _ = write!(path, "M{x} {y}h{len}v1h-{len}z", len = run.len());
            }
            x = x.saturating_add(run.len());
        }
    }
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" viewBox=\"0 0 {side} {side}\" \
         shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path fill=\"#000\" d=\"{path}\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runs_of_the_path_are_the_dark_modules() {
        let text = "otpauth://totp/A:b?secret=AAAA";
        let modules = Modules::of(text).unwrap();
        let svg = svg(text).unwrap();
        let (_, path) = svg.split_once("#000\" d=\"").unwrap();
        let (path, _) = path.split_once('"').unwrap();
        let mut drawn = vec![false; modules.dark.len()];
        for run in path.split('M').skip(1) {
            let (x, rest) = run.split_once(' ').unwrap();
            let (y, rest) = rest.split_once('h').unwrap();
            let (len, rest) = rest.split_once('v').unwrap();
            assert_eq!(rest, format!("1h-{len}z"));
            let at: usize =
                y.parse::<usize>().unwrap() * modules.side() + x.parse::<usize>().unwrap();
            drawn[at..at + len.parse::<usize>().unwrap()].fill(true);
        }
        assert_eq!(drawn, modules.dark);
    }
}
