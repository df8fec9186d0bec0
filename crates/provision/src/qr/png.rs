//! The symbol as a whole PNG file (RFC 2083): one bit a pixel, greyscale, no metadata.

use base64ct::{Base64, Encoding as _};
use png::{BitDepth, ColorType, Encoder};

use super::{Error, Modules};

/// The edge that a picture comes close to, in pixels: large enough for a phone held at arm's
/// length before a laptop, small enough for a dialogue.
const TARGET: usize = 300;

/// Draws `text` as a PNG of about 300 by 300 pixels, each module a whole number of pixels wide.
///
/// # Errors
///
/// [`Error::TooLong`] beyond 2,331 bytes.
pub fn png(text: &str) -> Result<Vec<u8>, Error> {
    let modules = Modules::of(text)?;
    let scale = scale(modules.side());
    let pixels = modules.side().saturating_mul(scale);

    let mut rows = Vec::with_capacity(pixels.div_ceil(8).saturating_mul(pixels));
    for row in modules.rows() {
        let line = packed(row, scale);
        for _ in 0..scale {
            rows.extend_from_slice(&line);
        }
    }

    let edge = u32::try_from(pixels).map_err(|_| Error::Picture)?;
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, edge, edge);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::One);
    let mut writer = encoder.write_header().map_err(|_| Error::Picture)?;
    writer.write_image_data(&rows).map_err(|_| Error::Picture)?;
    writer.finish().map_err(|_| Error::Picture)?;
    Ok(file)
}

/// The same picture as `data:image/png;base64,...`, ready for the `src` of an `img` element.
///
/// # Errors
///
/// As [`png()`].
pub fn data_uri(text: &str) -> Result<String, Error> {
    Ok(format!("data:image/png;base64,{}", Base64::encode_string(&png(text)?)))
}

/// Pixels a module: what brings the picture nearest to the target, and never fewer than two.
fn scale(side: usize) -> usize {
    let half = side.checked_div(2).unwrap_or_default();
    TARGET.saturating_add(half).checked_div(side).unwrap_or_default().max(2)
}

/// One line of pixels, eight to a byte, the leftmost in the highest bit; a light pixel is 1.
fn packed(row: &[bool], scale: usize) -> Vec<u8> {
    let pixels: Vec<bool> =
        row.iter().flat_map(|dark| core::iter::repeat_n(!*dark, scale)).collect();
    pixels
        .chunks(8)
        .map(|eight| {
            (0..8).fold(0, |byte: u8, i| (byte << 1) | u8::from(eight.get(i) == Some(&true)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edge_is_about_300_pixels_whatever_the_symbol() {
        // Versions 1 to 40 have 21 to 177 modules; the quiet zone adds 8.
        for side in (29..=185).step_by(4) {
            let edge = side * scale(side);
            assert!((240..=370).contains(&edge), "{side} modules make {edge} pixels");
        }
    }

    #[test]
    fn pixels_are_packed_from_the_left() {
        assert_eq!(packed(&[true, false, false], 3), [0b0001_1111, 0b1000_0000]);
    }
}
