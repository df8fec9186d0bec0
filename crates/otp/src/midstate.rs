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
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing, zeroize_bytes};

use crate::Secret;

/// What HMAC masks the key with, before the message and before the inner digest (RFC 2104, section 2).
const PADS: [u8; 2] = [0x36, 0x5c];

/// A hash's key state: `$words` words of type `$word` for each chaining value, blocks of `$block` bytes.
macro_rules! midstate {
    ($name:ident: $digest:ty, $compress:path, [$word:ty; $words:literal], $block:literal, $initial:expr) => {
        /// The chaining values after `key ^ ipad` and `key ^ opad`.
        #[derive(Clone)]
        pub(crate) struct $name {
            pub(crate) inner: [$word; $words],
            pub(crate) outer: [$word; $words],
        }

        impl $name {
            pub(crate) fn absorb(secret: &Secret) -> Self {
                let hashed;
                let block = if let Some(block) = secret.padded() {
                    block
                } else {
                    hashed = Zeroizing::new(digested::<$digest, $block>(secret.expose()));
                    &hashed
                };
                #[cfg(feature = "lanes")]
                if let Some([inner, outer]) =
                    crate::lanes::absorb::<countersign_lanes::$name>(&$initial, block, PADS)
                {
                    return Self { inner, outer };
                }
                let [inner, outer] = PADS.map(|pad| {
                    let (mut state, mut block) = ($initial, block.map(|byte| byte ^ pad));
                    $compress(&mut state, core::slice::from_ref(&block));
                    zeroize_bytes(&mut block);
                    state
                });
                Self { inner, outer }
            }

            /// The truncated HMAC of each counter: 31 bits.
            #[inline]
            pub(crate) fn truncated<const N: usize>(&self, counters: [u64; N]) -> [u32; N] {
                #[cfg(feature = "lanes")]
                if let Some(values) = crate::lanes::truncated::<countersign_lanes::$name, N>(
                    &self.inner,
                    &self.outer,
                    counters,
                ) {
                    return values;
                }
                self.truncated_by_blocks(counters)
            }

            /// The same by the block functions. A compression mostly waits for itself; several that
            /// do not need each other run side by side in that time.
            #[inline]
            pub(crate) fn truncated_by_blocks<const N: usize>(
                &self,
                counters: [u64; N],
            ) -> [u32; N] {
                let mut blocks = counters.map(|c| last_block::<$block>(&c.to_be_bytes()));
                let mut digests = [self.inner; N];
                for (digest, block) in digests.iter_mut().zip(&blocks) {
                    $compress(digest, core::slice::from_ref(block));
                }
                for (digest, block) in digests.iter_mut().zip(&mut blocks) {
                    *block = last_block(digest.map(<$word>::to_be_bytes).as_flattened());
                    *digest = self.outer;
                }
                for (digest, block) in digests.iter_mut().zip(&blocks) {
                    $compress(digest, core::slice::from_ref(block));
                }
                let values = digests.map(|d| truncate(d.map(<$word>::to_be_bytes).as_flattened()));
                digests.as_flattened_mut().zeroize();
                zeroize_bytes(blocks.as_flattened_mut());
                values
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                self.inner.as_mut_slice().zeroize();
                self.outer.as_mut_slice().zeroize();
            }
        }

        impl ZeroizeOnDrop for $name {}
    };
}

midstate!(Sha1: sha1::Sha1, sha1::block_api::compress, [u32; 5], 64, [
    0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0,
]);

midstate!(Sha256: sha2::Sha256, sha2::block_api::compress256, [u32; 8], 64, [
    0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a,
    0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
]);

midstate!(Sha512: sha2::Sha512, sha2::block_api::compress512, [u64; 8], 128, [
    0x6a09_e667_f3bc_c908, 0xbb67_ae85_84ca_a73b, 0x3c6e_f372_fe94_f82b, 0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1, 0x9b05_688c_2b3e_6c1f, 0x1f83_d9ab_fb41_bd6b, 0x5be0_cd19_137e_2179,
]);

/// The digest of a key that is longer than a block, with zeros after it.
fn digested<D: Digest, const BLOCK: usize>(key: &[u8]) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let mut digest = D::digest(key);
    block.iter_mut().zip(digest.iter()).for_each(|(b, d)| *b = *d);
    digest.as_mut_slice().zeroize();
    block
}

/// `message`, which leaves room for it, as the last block of one that has a block before it: then a
/// set bit, zeros, and the length of both in bits.
#[inline]
fn last_block<const BLOCK: usize>(message: &[u8]) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    if let Some((start, [end, ..])) = block.split_at_mut_checked(message.len()) {
        start.copy_from_slice(message);
        *end = 0x80;
    }
    let bits = BLOCK.wrapping_add(message.len()).wrapping_mul(8).to_be_bytes();
    if let (Some(to), Some(from)) = (block.last_chunk_mut::<2>(), bits.last_chunk()) {
        *to = *from;
    }
    block
}

/// Dynamic truncation (RFC 4226, section 5.3) of a digest of 20 bytes or more: the 31 bits at the byte
/// offset that its last four bits name, 0 to 15.
///
/// The offset steers a shift through the first five words, by eight bytes, by four, by up to three.
#[inline]
pub(crate) fn truncate(digest: &[u8]) -> u32 {
    let (Some(&[a, b, c, d, e]), Some(&last)) = (digest.as_chunks().0.first_chunk(), digest.last())
    else {
        return 0;
    };
    let [a, b, c, d, e] = [a, b, c, d, e].map(u32::from_be_bytes);
    let choose = |bit: u8, this: u32, other: u32| {
        this ^ 0_u32.wrapping_sub(u32::from(bit & 1)) & (this ^ other)
    };
    let (a, b, c) = (choose(last >> 3, a, c), choose(last >> 3, b, d), choose(last >> 3, c, e));
    let (a, b) = (choose(last >> 2, a, b), choose(last >> 2, b, c));
    let shift = u32::from(last & 3) << 3;
    // A shift of the upper word by less than its bits, and what the lower one moves up into it.
    (a.wrapping_shl(shift) | (b >> 1).wrapping_shr(31_u32.wrapping_sub(shift))) & 0x7fff_ffff
}
