//! Every kernel that this processor has, not only the chosen one, computes what `sha1` and `sha2` do:
//! on random input, and on every length of a slice up to a few bundles.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::cast_lossless,
    reason = "tests"
)]

use countersign_lanes::{Bundle, Hash, Kernel, Schedule, Sha1, Sha256, Sha512};
use proptest::prelude::*;

/// A hash with the block function of another crate beside it, and a naive nested hash over that.
trait Oracle: Hash {
    fn compress_once(state: &mut Self::State, block: &Self::Block);
    fn state(seed: u64) -> Self::State;
    fn block(seed: u64) -> Self::Block;

    fn last_block(message: &[u8]) -> Self::Block {
        let mut block = Self::block(0);
        let bytes = block.as_mut();
        bytes.fill(0);
        bytes[..message.len()].copy_from_slice(message);
        bytes[message.len()] = 0x80;
        let length = bytes.len();
        let bits = (8 * (length + message.len())) as u64;
        bytes[length - 8..].copy_from_slice(&bits.to_be_bytes());
        block
    }

    fn digest(state: &Self::State) -> Vec<u8>;

    fn nested_once(first: &Self::State, second: &Self::State, tail: u64) -> u32 {
        let (mut inner, mut outer) = (*first, *second);
        Self::compress_once(&mut inner, &Self::last_block(&tail.to_be_bytes()));
        Self::compress_once(&mut outer, &Self::last_block(&Self::digest(&inner)));
        let digest = Self::digest(&outer);
        let offset = usize::from(digest[digest.len() - 1] & 15);
        u32::from_be_bytes(digest[offset..offset + 4].try_into().unwrap()) & 0x7fff_ffff
    }
}

/// A stream of words that no two seeds share (splitmix64).
fn random(seed: u64) -> impl FnMut() -> u64 {
    let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def0;
    move || {
        x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

macro_rules! oracle {
    ($hash:ty, $word:ty, $words:literal, $bytes:literal, $compress:path) => {
        impl Oracle for $hash {
            fn compress_once(state: &mut [$word; $words], block: &[u8; $bytes]) {
                $compress(state, &[*block]);
            }
            fn state(seed: u64) -> [$word; $words] {
                let mut next = random(seed);
                std::array::from_fn(|_| next() as $word)
            }
            fn block(seed: u64) -> [u8; $bytes] {
                let mut next = random(!seed);
                std::array::from_fn(|_| next() as u8)
            }
            fn digest(state: &[$word; $words]) -> Vec<u8> {
                state.iter().flat_map(|word| word.to_be_bytes()).collect()
            }
        }
    };
}
oracle!(Sha1, u32, 5, 64, sha1::block_api::compress);
oracle!(Sha256, u32, 8, 64, sha2::block_api::compress256);
oracle!(Sha512, u64, 8, 128, sha2::block_api::compress512);

/// Tails at the edges of their halves, and any.
fn tail(seed: u64) -> u64 {
    const EDGES: [u64; 8] =
        [0, 1, 1 << 31, (1 << 32) - 1, 1 << 32, (1 << 32) + 1, 1 << 63, u64::MAX];
    let mut next = random(seed ^ 0x5555);
    let word = next();
    if word.is_multiple_of(3) { EDGES[(next() & 7) as usize] } else { next() >> (next() & 63) }
}

fn compress_is_the_oracles<H: Oracle>(kernel: Kernel, length: u64, seed: u64) {
    let mut states: Vec<_> = (0..length).map(|i| H::state(seed ^ i)).collect();
    let blocks: Vec<_> = (0..length).map(|i| H::block(seed ^ i)).collect();
    let mut expected = states.clone();
    for (state, block) in expected.iter_mut().zip(&blocks) {
        H::compress_once(state, block);
    }
    kernel.compress::<H>(&mut states, &blocks);
    assert_eq!(states, expected, "{} x {length}", kernel.name());
}

fn nested_is_the_oracles<H: Oracle>(kernel: Kernel, bundles: u64, seed: u64) {
    let lanes = H::LANES as u64;
    let chain = |i: u64| (H::state(seed ^ (2 * i)), H::state(seed ^ (2 * i + 1)));
    let tails: Vec<u64> = (0..bundles * lanes).map(|i| tail(seed.wrapping_add(i))).collect();
    let racks: Vec<Bundle<H>> = (0..bundles)
        .map(|b| {
            let mut bundle = Bundle::new();
            for lane in 0..lanes {
                let (first, second) = chain(b * lanes + lane);
                bundle.set(lane as usize, &first, &second);
            }
            bundle
        })
        .collect();
    let in_lanes: Vec<H::Lanes<u64>> = tails
        .chunks_exact(H::LANES)
        .map(|tails| {
            let mut lanes = H::splat(0);
            lanes.as_mut().copy_from_slice(tails);
            lanes
        })
        .collect();
    let mut out = vec![H::splat(0); racks.len()];
    kernel.nested::<H>(&racks, &in_lanes, &mut out);
    let out: Vec<u32> = out.iter().flat_map(|lanes| lanes.as_ref().to_vec()).collect();
    let expected: Vec<u32> = (0..bundles * lanes)
        .map(|i| H::nested_once(&chain(i).0, &chain(i).1, tails[i as usize]))
        .collect();
    assert_eq!(out, expected, "{} x {bundles} bundles", kernel.name());

    let shared = tail(seed);
    let mut out = vec![H::splat(0); racks.len()];
    kernel.nested_shared::<H>(&racks, &Schedule::new(shared), &mut out);
    let out: Vec<u32> = out.iter().flat_map(|lanes| lanes.as_ref().to_vec()).collect();
    let expected: Vec<u32> =
        (0..bundles * lanes).map(|i| H::nested_once(&chain(i).0, &chain(i).1, shared)).collect();
    assert_eq!(out, expected, "{} x {bundles} bundles, shared", kernel.name());
}

fn few_is_the_oracles<H: Oracle>(kernel: Kernel, seed: u64) {
    fn check<H: Oracle, const N: usize>(kernel: Kernel, seed: u64) {
        let (first, second) = (H::state(seed), H::state(!seed));
        let tails: [u64; N] = std::array::from_fn(|i| tail(seed + i as u64));
        let expected = tails.map(|tail| H::nested_once(&first, &second, tail));
        assert_eq!(
            kernel.nested_few::<H, N>(&first, &second, tails),
            expected,
            "{}",
            kernel.name()
        );
    }
    check::<H, 0>(kernel, seed);
    check::<H, 1>(kernel, seed);
    check::<H, 2>(kernel, seed);
    check::<H, 3>(kernel, seed);
    check::<H, 4>(kernel, seed);
    check::<H, 5>(kernel, seed);
}

fn all<H: Oracle>(length: u64, bundles: u64, seed: u64) {
    for kernel in Kernel::available() {
        compress_is_the_oracles::<H>(kernel, length, seed);
        nested_is_the_oracles::<H>(kernel, bundles, seed);
        few_is_the_oracles::<H>(kernel, seed >> 1);
    }
}

fn masked_is_the_same<H: Oracle + 'static>(kernel: Kernel, seed: u64) {
    let (state, block) = (H::state(seed), H::block(seed));
    for masks in [[0, 0xff], [0x36, 0x5c], [seed as u8, (seed >> 8) as u8]] {
        let expected = masks.map(|mask| {
            let (mut state, mut block) = (state, block);
            block.as_mut().iter_mut().for_each(|byte| *byte ^= mask);
            H::compress_once(&mut state, &block);
            state
        });
        let computed = kernel.compress_masked::<H>(&state, &block, masks);
        assert_eq!(computed, expected, "{}", kernel.name());
    }
}

#[test]
fn one_block_under_two_masks() {
    for kernel in Kernel::available() {
        for seed in 0..200 {
            masked_is_the_same::<Sha1>(kernel, seed);
            masked_is_the_same::<Sha256>(kernel, seed);
            masked_is_the_same::<Sha512>(kernel, seed);
        }
    }
}

#[test]
fn every_length_of_a_slice() {
    for length in 0..=2 * 16 + 7 {
        for kernel in Kernel::available() {
            compress_is_the_oracles::<Sha1>(kernel, length, length);
            compress_is_the_oracles::<Sha256>(kernel, length, length);
            compress_is_the_oracles::<Sha512>(kernel, length, length);
        }
    }
}

#[test]
fn every_number_of_bundles() {
    for bundles in 0..=5 {
        all::<Sha1>(1, bundles, 77 * bundles);
        all::<Sha256>(1, bundles, 77 * bundles);
        all::<Sha512>(1, bundles, 77 * bundles);
    }
}

#[test]
fn the_shortest_slice_decides_and_the_rest_is_left_alone() {
    for kernel in Kernel::available() {
        let state = Sha1::state(1);
        let mut states = [state; 20];
        kernel.compress::<Sha1>(&mut states, &[Sha1::block(2); 17]);
        assert!(states[..17].iter().all(|s| *s != state));
        assert!(states[17..].iter().all(|s| *s == state));
        let bundles = [Bundle::<Sha1>::new(), Bundle::new(), Bundle::new()];
        for (tails, outs) in [(0, 3), (1, 3), (2, 3), (3, 2), (3, 1), (3, 0)] {
            let mut out = vec![[u32::MAX; 16]; outs];
            kernel.nested::<Sha1>(&bundles, &vec![[5; 16]; tails], &mut out);
            for (i, out) in out.iter().enumerate() {
                assert_eq!(*out == [u32::MAX; 16], i >= tails);
            }
        }
        let mut out = [[u32::MAX; 16]; 4];
        kernel.nested_shared::<Sha1>(&bundles, &Schedule::new(5), &mut out);
        assert_eq!(out.map(|out| out == [u32::MAX; 16]), [false, false, false, true]);
    }
}

#[test]
fn every_truncation_offset_occurs() {
    // With 4096 random chains an offset that was wrong would show; this shows that none is missing.
    for seed in 0..64 {
        all::<Sha1>(0, 4, seed << 20);
    }
}

#[test]
fn a_bundle_of_one_chain_and_one_beyond_the_last_lane() {
    let (first, second) = (Sha256::state(1), Sha256::state(2));
    let mut bundle = Bundle::<Sha256>::splat(&first, &second);
    bundle.set(16, &Sha256::state(3), &Sha256::state(4));
    let mut out = [[0; 16]];
    Kernel::Portable.nested::<Sha256>(&[bundle], &[[9; 16]], &mut out);
    assert_eq!(out, [[Sha256::nested_once(&first, &second, 9); 16]]);
}

/// A kernel that the processor has and nobody reaches would rot, and its tests pass without running.
#[test]
#[cfg(target_arch = "x86_64")]
fn what_the_processor_has_is_reachable() {
    use std::arch::is_x86_feature_detected as has;
    let names: Vec<_> = Kernel::available().map(Kernel::name).collect();
    let wide = has!("avx512f") && has!("avx512bw");
    assert_eq!(names.contains(&"avx512"), wide);
    assert_eq!(names.contains(&"avx2"), has!("avx2"));
    assert_eq!(names.contains(&"sha-ni"), has!("sha") && has!("sse4.1"));
    assert!(names.contains(&"portable"));
    if wide {
        assert_eq!(Kernel::best::<Sha1>().name(), "avx512");
        assert_eq!(Kernel::best::<Sha256>().name(), "avx512");
        assert_eq!(Kernel::best::<Sha512>().name(), "avx512");
    }
}

#[test]
fn debug_shows_nothing() {
    assert_eq!(format!("{:?}", Bundle::<Sha1>::splat(&[7; 5], &[9; 5])), "Bundle(..)");
    assert_eq!(format!("{:?}", Schedule::<Sha512>::new(7)), "Schedule(..)");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_input(seed: u64, length in 0..70_u64, bundles in 0..4_u64) {
        all::<Sha1>(length, bundles, seed);
        all::<Sha256>(length, bundles, seed);
        all::<Sha512>(length, bundles, seed);
    }
}
