//! Any stream is refused or read to its end: in plain, with a pre-shared key or with a passphrase, by the
//! first byte. `provision_pskc_kdf` has containers that are worth deriving a key for.
#![no_main]

use std::io::BufReader;

use countersign_otp::UnixTime;
use countersign_provision::{
    Uri,
    pskc::{self, Unlock},
};
use libfuzzer_sys::fuzz_target;

/// The pre-shared key of RFC 6030, figure 6.
const KEY: [u8; 16] = [
    0x12, 0x34, 0x56, 0x78, 0x90, 0x12, 0x34, 0x56, 0x78, 0x90, 0x12, 0x34, 0x56, 0x78, 0x90, 0x12,
];

fuzz_target!(|input: &[u8]| {
    let Some((mode, xml)) = input.split_first() else { return };
    let unlock = match mode % 3 {
        0 => Unlock::Nothing,
        1 => Unlock::PreSharedKey(KEY.into()),
        // Few iterations, so that they are not what the time goes into.
        _ => Unlock::Passphrase { passphrase: "qwerty".to_owned().into(), max_iterations: 9 },
    };
    // A key of May 2006 is one that figure 10 lets be used.
    let now = UnixTime::from_secs(1_147_651_200);
    // A small buffer, so that everything is cut somewhere.
    let Ok(mut keys) = pskc::read(BufReader::with_capacity(61, xml), unlock, now) else { return };
    let mut ended = false;
    for key in &mut keys {
        assert!(!ended, "nothing follows an error of the container");
        match key {
            Ok(key) => {
                let written = key.key.uri.expose();
                let again = Uri::parse(&written).expect("what is written is read").uri;
                assert_eq!(again.expose(), written);
            }
            Err(pskc::Error::Key { token, reason }) => {
                assert!(!token.to_string().contains(char::is_control));
                assert!(!reason.to_string().is_empty());
            }
            Err(_) => ended = true,
        }
    }
    assert!(keys.next().is_none());
});
