//! Reads the `qrCode` of an answer: a PNG as a data URI, which a page puts unmodified into `<img src>`.

use base64ct::{Base64, Encoding};

use super::browser::Answer;

/// The bytes of the PNG.
#[track_caller]
pub(crate) fn png(answer: &Answer) -> Vec<u8> {
    decode(&answer.text("qrCode"))
}

/// What the picture of an answer says, read by `rqrr` (zbarimg says the same in `main_job`).
#[track_caller]
pub(crate) fn read(answer: &Answer) -> String {
    read_uri(&answer.text("qrCode"))
}

#[track_caller]
fn decode(uri: &str) -> Vec<u8> {
    let data = uri.strip_prefix("data:image/png;base64,").expect("a complete data URI");
    let png = Base64::decode_vec(data).expect("standard base64 with padding");
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"), "the signature of a PNG");
    png
}

/// What the picture of a data URI says.
#[track_caller]
pub(crate) fn read_uri(uri: &str) -> String {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(decode(uri)));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().expect("a PNG");
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut pixels).unwrap();
    let (width, height) = (frame.width as usize, frame.height as usize);
    let samples = frame.color_type.samples();
    read_grey(width, height, |x, y| pixels[(y * width + x) * samples])
}

/// What a picture in the terminal says: half blocks, light where they are filled.
#[track_caller]
pub(crate) fn read_terminal(drawn: &str) -> String {
    const SCALE: usize = 4;
    let rows: Vec<Vec<char>> = drawn.lines().map(|line| line.chars().collect()).collect();
    let width = rows.iter().map(Vec::len).max().unwrap();
    let is_light = |x: usize, y: usize| match rows[y / 2].get(x) {
        Some('\u{2588}') => true,
        Some('\u{2580}') => y.is_multiple_of(2),
        Some('\u{2584}') => !y.is_multiple_of(2),
        _ => false,
    };
    read_grey(width * SCALE, rows.len() * 2 * SCALE, |x, y| {
        if is_light(x / SCALE, y / SCALE) { u8::MAX } else { 0 }
    })
}

#[track_caller]
fn read_grey(width: usize, height: usize, pixel: impl FnMut(usize, usize) -> u8) -> String {
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, pixel);
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1, "one QR code in the picture");
    grids[0].decode().expect("a readable QR code").1
}
