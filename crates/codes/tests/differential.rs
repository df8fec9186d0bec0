//! Steam's codes against `totp-rs`, which shares no code with this crate above the hash functions.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use countersign_codes::steam::Steam;
use countersign_otp::{Secret, Step};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn totp_rs_agrees(
        bytes in proptest::collection::vec(any::<u8>(), 16..=200),
        secs in any::<u64>(),
        shift in 0..64_u32,
    ) {
        // Its own steps overflow at the end of time.
        let secs = (secs >> shift).min(u64::MAX - 1000);
        let key = Steam.key(&Secret::from_bytes(&bytes).unwrap());
        let oracle = totp_rs::Builder::new_steam().with_secret(bytes).build_noncompliant();
        let expected = oracle.generate(secs).to_string();
        let code = Steam.code(&key, Step::new(secs / 30));
        prop_assert_eq!(code.as_str(), expected);
    }
}
