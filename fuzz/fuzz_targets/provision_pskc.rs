//! Any stream is refused or read to its end, in plain, with a pre-shared key and with a passphrase.
#![no_main]

use std::io::BufReader;

use countersign_otp::UnixTime;
use countersign_provision::{
    Uri,
    pskc::{self, Unlock},
};
use libfuzzer_sys::fuzz_target;

/// The pre-shared key of RFC 6030, figure 6.
const KEY: [u8; 16] =
    [0x12, 0x34, 0x56, 0x78, 0x90, 0x12, 0x34, 0x56, 0x78, 0x90, 0x12, 0x34, 0x56, 0x78, 0x90, 0x12];

fuzz_target!(|xml: &[u8]| {
    // A key of May 2006 is one that figure 10 lets be used.
    let now = UnixTime::from_secs(1_147_651_200);
    let unlocks = [
        Unlock::Nothing,
        Unlock::PreSharedKey(KEY.into()),
        Unlock::Passphrase { passphrase: "qwerty".to_owned().into(), max_iterations: 1000 },
    ];
    for unlock in unlocks {
        // A small buffer, so that everything is cut somewhere.
        let Ok(keys) = pskc::read(BufReader::with_capacity(61, xml), unlock, now) else { continue };
        for key in keys.filter_map(Result::ok) {
            let written = key.key.uri.expose();
            let again = Uri::parse(&written).expect("what is written is read").uri;
            assert_eq!(again.expose(), written);
        }
    }
});
