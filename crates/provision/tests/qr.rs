//! What we draw, another's reader reads.
#![cfg(feature = "qr")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use countersign_provision::qr::{self, Background};
use proptest::prelude::*;

const URI: &str = "otpauth://totp/Example%20Ltd:alice@example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP\
                   &issuer=Example%20Ltd&algorithm=SHA1&digits=6&period=30";

/// Decodes a PNG into (edge in pixels, one byte a pixel) by the `png` crate.
fn pixels(file: &[u8]) -> (usize, Vec<u8>) {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(file));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut bytes).unwrap();
    assert_eq!(info.width, info.height);
    (info.width as usize, bytes)
}

fn read(edge: usize, luma: impl FnMut(usize, usize) -> u8) -> String {
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(edge, edge, luma);
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1, "one symbol");
    grids[0].decode().unwrap().1
}

fn read_png(file: &[u8]) -> String {
    let (edge, bytes) = pixels(file);
    read(edge, |x, y| bytes[y * edge + x])
}

#[test]
fn the_png_is_read_back() {
    let file = qr::png(URI).unwrap();
    assert!(file.starts_with(b"\x89PNG\r\n\x1a\n") && file.ends_with(b"IEND\xae\x42\x60\x82"));
    assert_eq!(read_png(&file), URI);
    assert!(file.len() < 3_000, "{} bytes", file.len());
}

#[test]
fn what_does_not_fit_is_told_with_its_length() {
    assert!(qr::svg(&"a".repeat(2_331)).is_ok());
    let error = qr::svg(&"a".repeat(2_332)).unwrap_err();
    assert_eq!(error, qr::Error::TooLong { len: 2_332 });
    let said = error.to_string();
    assert!(said.starts_with("2332 bytes do not fit"), "{said}");
}

#[test]
fn the_data_uri_carries_the_png() {
    use base64ct::{Base64, Encoding as _};
    let uri = qr::data_uri(URI).unwrap();
    let encoded = uri.strip_prefix("data:image/png;base64,").unwrap();
    assert_eq!(Base64::decode_vec(encoded).unwrap(), qr::png(URI).unwrap());
}

#[test]
fn the_terminal_is_read_back_on_both_grounds() {
    for (background, ink) in [(Background::Dark, 255), (Background::Light, 0)] {
        let drawn = qr::terminal(URI, background).unwrap();
        let lines: Vec<Vec<char>> = drawn.lines().map(|l| l.chars().collect()).collect();
        let side = lines[0].len();
        let luma = |x: usize, y: usize| {
            let (x, y) = (x / 4, y / 4);
            let inked = match lines[y / 2][x] {
                '█' => true,
                '▀' => y % 2 == 0,
                '▄' => y % 2 == 1,
                _ => false,
            };
            if inked { ink } else { 255 - ink }
        };
        assert_eq!(read(side * 4, luma), URI);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_printable_text_is_read_back(text in "[ -~]{1,400}") {
        prop_assert_eq!(read_png(&qr::png(&text).unwrap()), text);
    }
}
