//! Any cookie value is read as a cookie or as an empty one, and one that is read has one form. Any
//! stored list of browsers is read within its bounds or refused, and judges without a panic.
#![no_main]

use countersign_otp::UnixTime;
use countersign_remember::{Browsers, Cookie, MOST, Policy, Presented};
use countersign_vault::Digest;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(value) = str::from_utf8(data) {
        let cookie = Cookie::parse(value);
        assert!(cookie.entries().len() <= Cookie::MOST);
        if !cookie.entries().is_empty() {
            assert_eq!(cookie.to_string(), value);
        }
        for entry in cookie.entries() {
            let found = cookie.entry(entry.family()).map(|found| found.secret());
            assert_eq!(found, Some(entry.secret()), "one entry a family");
            // Replacing an entry keeps the others.
            let next = cookie.clone().with(entry.family(), [7; 32]);
            assert_eq!(next.entries().len(), cookie.entries().len());
            assert!(next.to_string().len() < 1024);
        }
    }
    if let Ok(mut browsers) = postcard::from_bytes::<Browsers>(data) {
        assert!(browsers.list().len() <= MOST);
        let secret = Digest::from_bytes([7; 32]);
        let policy = Policy::new(true, Policy::LONGEST_SECS).unwrap_or_default();
        for now in [0, 1_800_000_000, u64::MAX].map(UnixTime::from_secs) {
            for family in browsers.list().iter().map(|browser| browser.family()).collect::<Vec<_>>()
            {
                let _ = browsers.judge(family, &secret, &policy, now);
                browsers.rotate(family, &secret, now);
                browsers.remember(family, &policy, now);
                let presented = browsers.judge(family, &secret, &policy, now);
                assert!(matches!(presented, Presented::Known { rotate: true, .. }));
            }
        }
    }
});
