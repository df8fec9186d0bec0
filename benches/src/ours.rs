//! What is measured of ours.

use std::hint::black_box;

use countersign_batch::{self as batch, Around, KeyedHash, Rack, Schedule, Sha1, Sha512};
use countersign_otp::{
    Algorithm, Code, Digits, Drift, Found, Hotp, Keyed, LookAhead, Secret, Step, Totp, UnixTime,
    Window,
};

use crate::sampling::Case;

/// The secret of every case.
pub const SECRET: [u8; 20] = *b"12345678901234567890";

/// The time of every case, and its step.
pub const NOW: u64 = 1_111_111_109;
const STEP: u64 = NOW / 30;

/// A code that is wrong at every step of the window.
pub const WRONG: &str = "000000";

/// How many keys a batch has: their states are 20 kB for SHA-1, in the first cache.
const KEYS: u32 = 256;

/// The cases that have a gate, each by its name there.
#[must_use]
#[allow(clippy::missing_panics_doc, clippy::expect_used, reason = "the inputs are constants")]
pub fn gated() -> Vec<Case> {
    let totp = Totp::DEFAULT;
    let secret = Secret::from_bytes(&SECRET).expect("20 bytes");
    let now = UnixTime::from_secs(NOW);
    let kept = totp.key(&secret);
    let (window, drift) = (Window::DEFAULT, Drift::NONE);
    let find_kept = {
        let key = kept.clone();
        move || {
            let code = Code::parse(black_box(WRONG)).expect("six digits");
            let found = totp.find(black_box(&key), &code, window, drift, None, black_box(now));
            assert_eq!(found, Found::No);
        }
    };
    let find_raw = move || {
        let code = Code::parse(black_box(WRONG)).expect("six digits");
        let found = totp.find_raw(black_box(&secret), &code, window, drift, None, black_box(now));
        assert_eq!(found, Found::No);
    };
    let generate = {
        let key = kept.clone();
        move || totp.code(black_box(&key), Step::new(black_box(STEP)))
    };
    let look_ahead = move || {
        let code = Code::parse(black_box(WRONG)).expect("six digits");
        let hotp = Hotp::new(Digits::Six);
        batch::look_ahead(&hotp, black_box(&kept), &code, black_box(STEP), LookAhead::MAX)
    };
    vec![
        Case::new("generate_kept", 1, generate),
        Case::new("verify_kept", 1, find_kept),
        Case::new("verify_raw", 1, find_raw),
        Case::new("batch_generate", KEYS, generate_each::<Sha1>(Algorithm::Sha1)),
        Case::new("batch_generate_same_step", KEYS, generate_at::<Sha1>(Algorithm::Sha1)),
        Case::new("batch_verify", KEYS, find_each()),
        Case::new("batch_generate_sha512", KEYS, generate_each::<Sha512>(Algorithm::Sha512)),
        Case::new("lookahead16", 1, look_ahead),
    ]
}

/// A code from a kept key state by safe code alone, as computed without the feature `lanes`.
#[must_use]
#[allow(clippy::missing_panics_doc, clippy::expect_used, reason = "the inputs are constants")]
pub fn generate_safe() -> Case {
    let key = Totp::DEFAULT.key(&Secret::from_bytes(&SECRET).expect("20 bytes"));
    Case::new("generate_safe", 1, move || {
        Hotp::new(Digits::Six).code_by_blocks(black_box(&key), black_box(STEP))
    })
}

/// Codes of keys that do not lie in lane order, and are put there in each call.
#[must_use]
pub fn generate_scattered() -> Case {
    let keys = keys(Algorithm::Sha1);
    let mut numbers = vec![0; keys.len()];
    Case::new("batch_generate_scattered", KEYS, move || {
        let pairs = black_box(&keys).iter().zip(STEP..);
        batch::codes_of_each(pairs, Digits::Six, &mut numbers);
        black_box(&numbers);
    })
}

fn keys(algorithm: Algorithm) -> Vec<Keyed> {
    let key = |i: u32| {
        let mut bytes = SECRET;
        for (byte, more) in bytes.iter_mut().zip(i.to_be_bytes()) {
            *byte ^= more;
        }
        Some(Keyed::new(&Secret::from_bytes(&bytes).ok()?, algorithm))
    };
    (0..KEYS).filter_map(key).collect()
}

fn racks<H: KeyedHash>(algorithm: Algorithm) -> Vec<Rack<H>> {
    let mut racks = Vec::new();
    for keys in keys(algorithm).chunks(H::LANES) {
        let mut rack = Rack::new();
        for (slot, key) in keys.iter().enumerate() {
            assert!(batch::put(&mut rack, slot, key));
        }
        racks.push(rack);
    }
    racks
}

fn generate_each<H: KeyedHash>(algorithm: Algorithm) -> impl FnMut() {
    let racks = racks::<H>(algorithm);
    let mut steps = vec![H::splat(STEP); racks.len()];
    for (step, ahead) in steps.iter_mut().flat_map(AsMut::as_mut).zip(0..) {
        *step += ahead;
    }
    let mut numbers = vec![H::splat(0); racks.len()];
    move || {
        batch::codes(black_box(&racks), black_box(&steps), Digits::Six, &mut numbers);
        black_box(&numbers);
    }
}

fn generate_at<H: KeyedHash>(algorithm: Algorithm) -> impl FnMut() {
    let racks = racks::<H>(algorithm);
    let step = Schedule::new(STEP);
    let mut numbers = vec![H::splat(0); racks.len()];
    move || {
        batch::codes_at(black_box(&racks), black_box(&step), Digits::Six, &mut numbers);
        black_box(&numbers);
    }
}

fn find_each() -> impl FnMut() {
    type Lanes<T> = <Sha1 as batch::Hash>::Lanes<T>;
    let racks = racks::<Sha1>(Algorithm::Sha1);
    // Codes of one digit: none is right for these keys.
    let numbers: Vec<Lanes<u32>> = vec![[0; 16]; racks.len()];
    let spent: Vec<Lanes<Option<Step>>> = vec![[Some(Step::new(STEP - 5)); 16]; racks.len()];
    let mut found: Vec<Lanes<Found>> = vec![[Found::No; 16]; racks.len()];
    let totp = Totp::DEFAULT;
    let now = UnixTime::from_secs(NOW);
    move || {
        let around = Around::new(&totp, Window::DEFAULT, Drift::NONE, black_box(now));
        batch::find(black_box(&racks), black_box(&numbers), black_box(&spent), &around, &mut found);
        black_box(&found);
    }
}
