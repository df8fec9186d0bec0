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
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| {
        pixels[(y * width + x) * samples]
    });
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1, "one QR code in the picture");
    grids[0].decode().expect("a readable QR code").1
}
