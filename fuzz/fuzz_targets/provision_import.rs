//! Any file is refused or read by each reader of exports, and every key of it can be written.
#![no_main]

use countersign_provision::{Uri, import};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    for read in [import::aegis, import::andotp, import::twofas] {
        let Ok(import) = read(file) else { continue };
        for key in import.keys {
            let written = key.uri.expose();
            let again = Uri::parse(&written).expect("what is written is read").uri;
            assert_eq!(again.expose(), written);
        }
        for refused in import.refused {
            assert!(!refused.to_string().contains(char::is_control));
        }
    }
});
