//! HMAC (RFC 2104) over one counter, from key state that was absorbed once.
//!
//! HMAC hashes `key ^ ipad` before the message and `key ^ opad` before the inner digest. Both fill
//! exactly one block and depend on the key alone, so their two compressions are done once and the two
//! chaining values kept: 40 bytes for SHA-1, 64 for SHA-256, 128 for SHA-512. They stand for the key
//! and are wiped as one. A counter and an inner digest fit one block each, so a code costs two
//! compressions and nothing else.
//!
//! The block functions are those of `sha1` and `sha2`; this file holds their initial values
//! (FIPS 180-4, section 5.3), the padding (section 5.1) and dynamic truncation (RFC 4226, section
//! 5.3), which here reads every word whatever the offset is: no address depends on a secret.

use sha1::Digest;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A hash with its block function laid open.
pub(crate) trait Hash {
    /// A chaining value.
    type State: Copy + Zeroize;
    /// A block of input.
    type Block: Zeroize + AsMut<[u8]>;

    /// The initial chaining value.
    const INITIAL: Self::State;

    fn compress(state: &mut Self::State, block: &Self::Block);

    /// The key, or its digest when it is longer than a block, with zeros after it.
    fn key_block(key: &[u8]) -> Self::Block;

    /// A counter as the last block of a message that has one block before it.
    fn counter_block(counter: u64) -> Self::Block;

    /// A digest as the last block of a message that has one block before it.
    fn digest_block(digest: &Self::State) -> Self::Block;

    /// The value that dynamic truncation takes from a digest: 31 bits.
    fn truncate(digest: &Self::State) -> u64;
}

/// The chaining values after `key ^ ipad` and `key ^ opad`.
pub(crate) struct Midstate<H: Hash> {
    inner: H::State,
    outer: H::State,
}

impl<H: Hash> Midstate<H> {
    pub(crate) fn absorb(key: &[u8]) -> Self {
        let mut block = H::key_block(key);
        let mut pad = |byte: u8| {
            let mut state = H::INITIAL;
            block.as_mut().iter_mut().for_each(|b| *b ^= byte);
            H::compress(&mut state, &block);
            state
        };
        let inner = pad(0x36);
        let outer = pad(0x36 ^ 0x5c);
        block.zeroize();
        Self { inner, outer }
    }

    /// The truncated HMAC of `counter`: 31 bits.
    #[inline]
    pub(crate) fn truncated(&self, counter: u64) -> u64 {
        let mut digest = self.inner;
        H::compress(&mut digest, &H::counter_block(counter));
        let mut block = H::digest_block(&digest);
        digest = self.outer;
        H::compress(&mut digest, &block);
        let value = H::truncate(&digest);
        block.zeroize();
        digest.zeroize();
        value
    }
}

impl<H: Hash> Clone for Midstate<H> {
    fn clone(&self) -> Self {
        Self { inner: self.inner, outer: self.outer }
    }
}

impl<H: Hash> Drop for Midstate<H> {
    fn drop(&mut self) {
        self.inner.zeroize();
        self.outer.zeroize();
    }
}

impl<H: Hash> ZeroizeOnDrop for Midstate<H> {}

pub(crate) enum Sha1 {}

impl Hash for Sha1 {
    type State = [u32; 5];
    type Block = [u8; 64];

    const INITIAL: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];

    #[inline]
    fn compress(state: &mut [u32; 5], block: &[u8; 64]) {
        sha1::block_api::compress(state, core::slice::from_ref(block));
    }

    fn key_block(key: &[u8]) -> [u8; 64] {
        zero_padded::<sha1::Sha1, 64>(key)
    }

    #[inline]
    fn counter_block(counter: u64) -> [u8; 64] {
        let [high, low] = halves(counter);
        block32([high, low, END32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (64 + 8) * 8])
    }

    #[inline]
    fn digest_block(&[a, b, c, d, e]: &[u32; 5]) -> [u8; 64] {
        block32([a, b, c, d, e, END32, 0, 0, 0, 0, 0, 0, 0, 0, 0, (64 + 20) * 8])
    }

    #[inline]
    fn truncate(&[a, b, c, d, e]: &[u32; 5]) -> u64 {
        truncate([a, b, c, d, e], e)
    }
}

pub(crate) enum Sha256 {}

impl Hash for Sha256 {
    type State = [u32; 8];
    type Block = [u8; 64];

    const INITIAL: [u32; 8] = [
        0x6a09_e667,
        0xbb67_ae85,
        0x3c6e_f372,
        0xa54f_f53a,
        0x510e_527f,
        0x9b05_688c,
        0x1f83_d9ab,
        0x5be0_cd19,
    ];

    #[inline]
    fn compress(state: &mut [u32; 8], block: &[u8; 64]) {
        sha2::block_api::compress256(state, core::slice::from_ref(block));
    }

    fn key_block(key: &[u8]) -> [u8; 64] {
        zero_padded::<sha2::Sha256, 64>(key)
    }

    #[inline]
    fn counter_block(counter: u64) -> [u8; 64] {
        Sha1::counter_block(counter)
    }

    #[inline]
    fn digest_block(&[a, b, c, d, e, f, g, h]: &[u32; 8]) -> [u8; 64] {
        block32([a, b, c, d, e, f, g, h, END32, 0, 0, 0, 0, 0, 0, (64 + 32) * 8])
    }

    #[inline]
    fn truncate(&[a, b, c, d, e, _, _, h]: &[u32; 8]) -> u64 {
        truncate([a, b, c, d, e], h)
    }
}

pub(crate) enum Sha512 {}

impl Hash for Sha512 {
    type State = [u64; 8];
    type Block = [u8; 128];

    const INITIAL: [u64; 8] = [
        0x6a09_e667_f3bc_c908,
        0xbb67_ae85_84ca_a73b,
        0x3c6e_f372_fe94_f82b,
        0xa54f_f53a_5f1d_36f1,
        0x510e_527f_ade6_82d1,
        0x9b05_688c_2b3e_6c1f,
        0x1f83_d9ab_fb41_bd6b,
        0x5be0_cd19_137e_2179,
    ];

    #[inline]
    fn compress(state: &mut [u64; 8], block: &[u8; 128]) {
        sha2::block_api::compress512(state, core::slice::from_ref(block));
    }

    fn key_block(key: &[u8]) -> [u8; 128] {
        zero_padded::<sha2::Sha512, 128>(key)
    }

    #[inline]
    fn counter_block(counter: u64) -> [u8; 128] {
        block64([counter, END64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (128 + 8) * 8])
    }

    #[inline]
    fn digest_block(&[a, b, c, d, e, f, g, h]: &[u64; 8]) -> [u8; 128] {
        block64([a, b, c, d, e, f, g, h, END64, 0, 0, 0, 0, 0, 0, (128 + 64) * 8])
    }

    #[inline]
    fn truncate(&[a, b, c, _, _, _, _, h]: &[u64; 8]) -> u64 {
        let ([a, b], [c, d], [e, _], [_, h]) = (halves(a), halves(b), halves(c), halves(h));
        truncate([a, b, c, d, e], h)
    }
}

/// The bit that ends a message, in a word of its own: both messages here are whole words.
const END32: u32 = 1 << 31;
const END64: u64 = 1 << 63;

#[inline]
fn block32(words: [u32; 16]) -> [u8; 64] {
    let mut block = [0; 64];
    for (bytes, word) in block.as_chunks_mut().0.iter_mut().zip(words) {
        *bytes = word.to_be_bytes();
    }
    block
}

#[inline]
fn block64(words: [u64; 16]) -> [u8; 128] {
    let mut block = [0; 128];
    for (bytes, word) in block.as_chunks_mut().0.iter_mut().zip(words) {
        *bytes = word.to_be_bytes();
    }
    block
}

fn zero_padded<D: Digest, const BLOCK: usize>(key: &[u8]) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    if let Some(start) = block.get_mut(..key.len()) {
        start.copy_from_slice(key);
    } else {
        let mut digest = D::digest(key);
        block.iter_mut().zip(digest.iter()).for_each(|(b, d)| *b = *d);
        digest.as_mut_slice().zeroize();
    }
    block
}

/// Dynamic truncation (RFC 4226, section 5.3) of a digest with these first five words and this last
/// one: the 31 bits at the byte offset that the last four bits name, 0 to 15.
///
/// The offset steers a shift through all five words, by eight bytes, by four, and then by up to three.
#[inline]
fn truncate([a, b, c, d, e]: [u32; 5], last: u32) -> u64 {
    let by_eight = all_or_nothing(last >> 3);
    let (a, b, c) = (choose(by_eight, a, c), choose(by_eight, b, d), choose(by_eight, c, e));
    let by_four = all_or_nothing(last >> 2);
    let (a, b) = (choose(by_four, a, b), choose(by_four, b, c));
    let at_offset = (u64::from(a) << 32 | u64::from(b)).wrapping_shl((last & 3).wrapping_mul(8));
    at_offset >> 32 & 0x7fff_ffff
}

/// All bits set if the lowest bit of `bit` is, else none.
#[inline]
const fn all_or_nothing(bit: u32) -> u32 {
    0_u32.wrapping_sub(bit & 1)
}

/// `other` where `mask` is set, else `this`.
#[inline]
const fn choose(mask: u32, this: u32, other: u32) -> u32 {
    this ^ mask & (this ^ other)
}

/// The high and the low half.
#[inline]
const fn halves(word: u64) -> [u32; 2] {
    let [a, b, c, d, e, f, g, h] = word.to_be_bytes();
    [u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])]
}

#[cfg(test)]
mod tests {
    use super::*;
    use hmac::{Hmac, KeyInit, Mac};
    use proptest::prelude::*;
    extern crate std;
    use std::vec::Vec;

    /// Dynamic truncation as RFC 4226, section 5.3 writes it.
    fn naive(digest: &[u8]) -> u64 {
        let offset = usize::from(digest[digest.len() - 1] & 15);
        let bytes = digest[offset..offset + 4].try_into().unwrap();
        u64::from(u32::from_be_bytes(bytes) & 0x7fff_ffff)
    }

    fn hmac<M: Mac + KeyInit>(key: &[u8], counter: u64) -> Vec<u8> {
        let mut mac = <M as KeyInit>::new_from_slice(key).unwrap();
        mac.update(&counter.to_be_bytes());
        mac.finalize().into_bytes().to_vec()
    }

    fn same_as_hmac(key: &[u8], counter: u64) {
        let sha1 = naive(&hmac::<Hmac<sha1::Sha1>>(key, counter));
        assert_eq!(Midstate::<Sha1>::absorb(key).truncated(counter), sha1);
        let sha256 = naive(&hmac::<Hmac<sha2::Sha256>>(key, counter));
        assert_eq!(Midstate::<Sha256>::absorb(key).clone().truncated(counter), sha256);
        let sha512 = naive(&hmac::<Hmac<sha2::Sha512>>(key, counter));
        assert_eq!(Midstate::<Sha512>::absorb(key).truncated(counter), sha512);
    }

    #[test]
    fn rfc_4226_section_5_4() {
        // The example's digest, 1f8698690e02ca16618550ef7f19da8e945b555a, has offset 10.
        let words = [0x1f86_9869, 0x0e02_ca16, 0x6185_50ef, 0x7f19_da8e, 0x945b_555a];
        assert_eq!(truncate(words, words[4]), 0x50ef_7f19);
    }

    #[test]
    fn every_offset_reads_its_four_bytes() {
        let digest: Vec<u8> = (0x80..0x94).collect();
        let words: Vec<u32> =
            digest.chunks(4).map(|w| u32::from_be_bytes(w.try_into().unwrap())).collect();
        for offset in 0..16_u32 {
            let at = usize::try_from(offset).unwrap();
            let four = u32::from_be_bytes(digest[at..at + 4].try_into().unwrap());
            let read = truncate(words.clone().try_into().unwrap(), 0xffff_fff0 | offset);
            assert_eq!(read, u64::from(four & 0x7fff_ffff));
        }
    }

    #[test]
    fn keys_around_the_blocks() {
        for len in [1, 16, 20, 55, 56, 63, 64, 65, 111, 112, 127, 128, 129, 200, 256] {
            let key: Vec<u8> = (0..len).map(|i| u8::try_from(i % 251).unwrap()).collect();
            for counter in [0, 1, 1 << 31, u64::from(u32::MAX), 1 << 32, 1 << 63, u64::MAX] {
                same_as_hmac(&key, counter);
            }
        }
    }

    proptest! {
        #[test]
        fn equals_hmac(key in proptest::collection::vec(any::<u8>(), 1..=200), counter: u64) {
            same_as_hmac(&key, counter);
        }
    }
}
