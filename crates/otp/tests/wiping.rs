//! Wiping, by looking: a value is put into memory that this test owns, dropped there, and the memory
//! read again.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(unsafe_code, reason = "reading what a dropped value leaves behind is what is tested")]

use core::mem::{MaybeUninit, align_of, size_of};
use countersign_otp::{Algorithm, Code, Digits, Hotp, Keyed, Secret, Totp};

/// The bytes of `value` where it stands, and those that its drop leaves there.
fn before_and_after<T>(value: T) -> (Vec<u8>, Vec<u8>) {
    fn read(memory: *const u8, len: usize) -> Vec<u8> {
        // SAFETY: the memory was zeroed, is `len` bytes long and alive; volatile, so that nothing is
        // assumed of it from what was written.
        (0..len).map(|place| unsafe { memory.add(place).read_volatile() }).collect()
    }
    let mut memory: Box<MaybeUninit<T>> = Box::new(MaybeUninit::zeroed());
    let place: *mut T = memory.as_mut_ptr();
    assert_eq!(place.align_offset(align_of::<T>()), 0);
    // SAFETY: the place is that of a `T`, and nothing was there.
    unsafe { place.write(value) };
    let before = read(place.cast(), size_of::<T>());
    // SAFETY: the place holds a `T`, which is not used after this.
    unsafe { place.drop_in_place() };
    (before, read(place.cast(), size_of::<T>()))
}

fn holds(memory: &[u8], bytes: &[u8]) -> bool {
    memory.windows(bytes.len()).any(|window| window == bytes)
}

/// Any four bytes in a row of what must be gone.
fn remains(memory: &[u8], secret: &[u8]) -> bool {
    secret.windows(4).any(|four| holds(memory, four))
}

fn distinct(len: u8) -> Vec<u8> {
    (0x80..).take(usize::from(len)).collect()
}

#[test]
fn a_secret() {
    for len in [16, 20, 32, 64, 127] {
        let bytes = distinct(len);
        let (before, after) = before_and_after(Secret::from_bytes(&bytes).unwrap());
        assert!(holds(&before, &bytes));
        assert!(!remains(&after, &bytes));
    }
}

#[test]
fn a_secret_in_base32() {
    let secret = Secret::from_bytes(&distinct(32)).unwrap();
    let text = secret.to_base32().as_str().to_owned();
    let (before, after) = before_and_after(secret.to_base32());
    assert!(holds(&before, text.as_bytes()));
    assert!(!remains(&after, text.as_bytes()));
}

#[test]
fn a_key_state() {
    let secret = Secret::from_bytes(&distinct(32)).unwrap();
    for (algorithm, len) in
        [(Algorithm::Sha1, 40), (Algorithm::Sha256, 64), (Algorithm::Sha512, 128)]
    {
        let (before, after) = before_and_after(Keyed::new(&secret, algorithm));
        // Where the state of the hash stood, all is zero; beside it only what tells the hash, and
        // padding.
        let wiped = before.windows(len).zip(after.windows(len)).any(|(before, after)| {
            let set = before.iter().filter(|byte| **byte != 0).count();
            set > len * 9 / 10 && after.iter().all(|byte| *byte == 0)
        });
        assert!(wiped, "{algorithm:?}");
    }
}

#[test]
fn codes() {
    let (before, after) = before_and_after(Code::parse("8675309123").unwrap());
    assert!(holds(&before, b"8675309123"));
    assert!(!remains(&after, b"8675309123"));

    let key = Totp::DEFAULT.key(&Secret::from_bytes(&distinct(20)).unwrap());
    let code = Hotp::new(Digits::Eight).code(&key, 1);
    let text = code.as_str().to_owned();
    let (before, after) = before_and_after(code);
    assert!(holds(&before, text.as_bytes()));
    assert!(!remains(&after, text.as_bytes()));
}
