//! Any text is refused or read as a key whose one written form is read as the same key.
#![no_main]

use countersign_provision::Uri;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(parsed) = Uri::parse(text) else { return };
    let uri = parsed.uri;
    assert!(uri.issuer().is_none_or(|issuer| !issuer.contains(':') && issuer.len() <= 255));
    assert!(!uri.account().contains(':') && uri.account().len() <= 255);
    assert!((1..=256).contains(&uri.secret().expose().len()));

    let written = uri.expose();
    assert!(written.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'+'));
    let again = Uri::parse(&written).expect("what is written is read").uri;
    assert_eq!(again.expose(), written);
    assert_eq!(again.issuer(), uri.issuer());
    assert_eq!(again.account(), uri.account());
    assert_eq!(again.kind(), uri.kind());
    assert_eq!(again.secret().expose(), uri.secret().expose());
});
