use crate::{Secret, midstate::*};
use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
extern crate std;
use std::vec::Vec;

/// Dynamic truncation as RFC 4226, section 5.3 writes it.
fn naive(digest: &[u8]) -> u32 {
    let offset = usize::from(digest[digest.len() - 1] & 15);
    let bytes = digest[offset..offset + 4].try_into().unwrap();
    u32::from_be_bytes(bytes) & 0x7fff_ffff
}

fn hmac<M: Mac + KeyInit>(key: &[u8], counter: u64) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(key).unwrap();
    mac.update(&counter.to_be_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn same_as_hmac(key: &[u8], counter: u64) {
    let secret = &Secret::import_short(key).unwrap();
    let sha1 = naive(&hmac::<Hmac<sha1::Sha1>>(key, counter));
    assert_eq!(Sha1::absorb(secret).truncated([counter]), [sha1]);
    let sha256 = naive(&hmac::<Hmac<sha2::Sha256>>(key, counter));
    assert_eq!(Sha256::absorb(secret).clone().truncated([counter]), [sha256]);
    let sha512 = naive(&hmac::<Hmac<sha2::Sha512>>(key, counter));
    assert_eq!(Sha512::absorb(secret).truncated([counter]), [sha512]);
}

#[test]
fn rfc_4226_section_5_4() {
    // The example's digest has offset 10.
    let digest = [
        0x1f, 0x86, 0x98, 0x69, 0x0e, 0x02, 0xca, 0x16, 0x61, 0x85, 0x50, 0xef, 0x7f, 0x19, 0xda,
        0x8e, 0x94, 0x5b, 0x55, 0x5a,
    ];
    assert_eq!(truncate(&digest), 0x50ef_7f19);
}

#[test]
fn every_offset_reads_its_four_bytes() {
    for len in [20, 32, 64] {
        for offset in 0..=u8::MAX {
            let mut digest: Vec<u8> = (0x70..).take(len).collect();
            digest[len - 1] = offset;
            assert_eq!(truncate(&digest), naive(&digest), "{len} bytes, offset {offset}");
        }
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
