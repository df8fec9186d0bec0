//! What is said of a browser, a cookie and a policy: enough to tell them apart, and no secret. And what a dropped entry
//! leaves behind.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(unsafe_code, reason = "reading what a dropped value leaves behind is what is tested")]

use std::mem::{MaybeUninit, size_of};

use countersign_otp::UnixTime;
use countersign_remember::{Browsers, Cookie, Entry, Policy, PolicyError};
use countersign_token::FamilyId;
use countersign_vault::Digest;

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

fn family() -> FamilyId {
    FamilyId::from_bytes([0xab; 16])
}

#[test]
fn debug_names_the_family_and_shows_no_secret() {
    let cookie = Cookie::default().with(family(), [92; 32]);
    let name = format!("{:?}", family());
    for shown in [format!("{cookie:?}"), format!("{:?}", cookie.entries()[0])] {
        assert!(shown.contains(&name) && shown.contains("Entry"), "{shown}");
        assert!(!shown.contains("92"), "{shown}");
    }
    let mut browsers = Browsers::default();
    browsers.meet(family(), &Digest::from_bytes([92; 32]), NOW);
    let shown = format!("{:?}", browsers.list()[0]);
    assert!(shown.contains("Browser") && shown.contains(&name), "{shown}");
    assert!(!shown.contains("92"), "{shown}");
}

#[test]
fn a_policy_says_its_bounds_and_is_stored_as_two_numbers() {
    assert!(PolicyError.to_string().contains("400 days"));
    let policy = Policy::new(true, 77).unwrap();
    assert_eq!(<(bool, u64)>::from(policy), (true, 77));
    assert_eq!(Policy::try_from((true, 77)), Ok(policy));
    assert_eq!(Policy::try_from((true, 0)), Err(PolicyError));
}

#[test]
fn a_dropped_entry_leaves_no_secret() {
    let secret: [u8; 32] = std::array::from_fn(|n| u8::try_from(n + 101).unwrap());
    let cookie = Cookie::default().with(family(), secret);
    let mut memory: Box<MaybeUninit<Entry>> = Box::new(MaybeUninit::zeroed());
    let place: *mut Entry = memory.as_mut_ptr();
    // SAFETY: the place is that of an entry, and nothing was there.
    unsafe { place.write(cookie.entries()[0].clone()) };
    let read = || -> Vec<u8> {
        let bytes: *const u8 = place.cast();
        // SAFETY: the memory was zeroed, is that long and alive; volatile, so that nothing is assumed of it.
        (0..size_of::<Entry>()).map(|at| unsafe { bytes.add(at).read_volatile() }).collect()
    };
    let holds = |memory: &[u8], part: &[u8]| memory.windows(part.len()).any(|it| it == part);
    assert!(holds(&read(), &secret));
    // SAFETY: the place holds an entry, which is not used after this.
    unsafe { place.drop_in_place() };
    let left = read();
    assert!(secret.windows(4).all(|four| !holds(&left, four)));
}
