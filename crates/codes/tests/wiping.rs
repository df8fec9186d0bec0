//! Wiping, by looking: a value is put into memory that this test owns, dropped there, and the memory
//! read again.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(unsafe_code, reason = "reading what a dropped value leaves behind is what is tested")]

use core::mem::{MaybeUninit, align_of, size_of};
use countersign_codes::{delivered::LetterCode, steam::Steam};
use countersign_otp::{Secret, UnixTime};

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

#[test]
fn codes() {
    let (before, after) = before_and_after(LetterCode::parse("BCDFGHJKLM").unwrap());
    assert!(holds(&before, b"BCDFGHJKLM"));
    assert!(!remains(&after, b"BCDFGHJKLM"));

    let key = Steam.key(&Secret::from_bytes(&[0x81; 20]).unwrap());
    let code = Steam.code(&key, Steam.step_at(UnixTime::EPOCH));
    let text = code.as_str().to_owned();
    let (before, after) = before_and_after(code);
    assert!(holds(&before, text.as_bytes()));
    assert!(!remains(&after, text.as_bytes()));
}
