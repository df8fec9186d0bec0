//! Any payload is refused or read, and what can be written of it is read back the same.
#![no_main]

use base64ct::{Base64, Encoding};
use countersign_provision::migration;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = core::str::from_utf8(bytes) {
        let _ = migration::read(text);
        let _ = migration::read(&format!("otpauth-migration://offline?data={text}"));
    }
    let data = Base64::encode_string(bytes).replace('+', "%2B");
    let Ok(payload) = migration::read(&format!("otpauth-migration://offline?data={data}")) else {
        return;
    };
    let keys: Vec<_> = payload.keys.into_iter().map(|key| key.uri).collect();
    let uris = migration::write(&keys, payload.batch.id).expect("it came from this format");
    let read =
        uris.iter().flat_map(|uri| migration::read(uri).expect("what is written is read").keys);
    let read: Vec<_> = read.map(|key| key.uri.expose()).collect();
    assert!(
        read.iter().eq(keys
            .iter()
            .map(countersign_provision::Uri::expose)
            .collect::<Vec<_>>()
            .iter())
    );
});
