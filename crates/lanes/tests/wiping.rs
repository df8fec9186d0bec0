//! Wiping, by looking: a bundle is put into memory that this test owns, dropped there, and the memory read
//! again.
#![allow(unsafe_code, reason = "reading what a dropped value leaves behind is what is tested")]

use core::mem::MaybeUninit;

use countersign_lanes::{Bundle, Hash, Sha1, Sha256, Sha512};

/// The bytes of `value` where it stands, and those that its drop leaves there.
fn before_and_after<T>(value: T) -> (Vec<u8>, Vec<u8>) {
    fn read(memory: *const u8, len: usize) -> Vec<u8> {
        // SAFETY: the memory was zeroed, is `len` bytes long and alive; volatile, so that nothing is
        // assumed of it from what was written.
        (0..len).map(|place| unsafe { memory.add(place).read_volatile() }).collect()
    }
    let mut memory: Box<MaybeUninit<T>> = Box::new(MaybeUninit::zeroed());
    let place: *mut T = memory.as_mut_ptr();
    // SAFETY: the place is that of a `T`, and nothing was there.
    unsafe { place.write(value) };
    let before = read(place.cast(), size_of::<T>());
    // SAFETY: the place holds a `T`, which is not used after this.
    unsafe { place.drop_in_place() };
    (before, read(place.cast(), size_of::<T>()))
}

/// A bundle is all states and no padding but for alignment, so that all of it was set and all is zero.
fn is_wiped<H: Hash + Clone>(first: H::State, second: H::State) {
    let mut bundle = Bundle::<H>::new();
    for lane in 0..H::LANES {
        bundle.set(lane, &first, &second);
    }
    for bundle in [bundle.clone(), bundle, Bundle::splat(&first, &second)] {
        let (before, after) = before_and_after(bundle);
        let states = 2 * H::LANES * size_of::<H::State>();
        assert_eq!(before.iter().filter(|byte| **byte != 0).count(), states);
        assert!(after.iter().all(|byte| *byte == 0));
    }
}

#[test]
fn bundles() {
    is_wiped::<Sha1>([0x8182_8384; 5], [0x9192_9394; 5]);
    is_wiped::<Sha256>([0x8182_8384; 8], [0x9192_9394; 8]);
    is_wiped::<Sha512>([0x8182_8384_8586_8788; 8], [0x9192_9394_9596_9798; 8]);
}
