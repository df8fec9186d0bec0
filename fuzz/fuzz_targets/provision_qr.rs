//! Any text is drawn, or is told to be too long.
#![no_main]

use countersign_provision::qr;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let drawn = qr::svg(text).is_ok();
    assert_eq!(qr::png(text).is_ok(), drawn);
    assert!(drawn || text.len() > 2_331, "{} bytes were not drawn", text.len());
});
