use crate::midstate::{Sha1, Sha256, Sha512};
use crate::*;
extern crate std;
use std::format;

#[test]
fn it_says_nothing_but_its_hash() {
    let secret = Secret::from_bytes(&[0x41; 20]).unwrap();
    for algorithm in [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512] {
        let keyed = Keyed::new(&secret, algorithm);
        assert_eq!(format!("{keyed:?}"), "Keyed(..)");
        assert_eq!(keyed.algorithm(), algorithm);
        assert_eq!(keyed.clone().truncated([1]), keyed.truncated([1]));
    }
}

#[test]
fn it_is_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Keyed>();
}

#[test]
fn the_key_state_is_two_chaining_values() {
    assert_eq!(size_of::<Sha1>(), 40);
    assert_eq!(size_of::<Sha256>(), 64);
    assert_eq!(size_of::<Sha512>(), 128);
}

#[test]
fn it_exposes_the_state_of_its_own_hash_alone() {
    let secret = Secret::from_bytes(&[0x41; 20]).unwrap();
    let absorbed = [0x36, 0x5c].map(|pad| {
        let mut block = [pad; 64];
        block[..20].fill(0x41 ^ pad);
        // FIPS 180-4, section 5.3.1.
        let mut state = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
        sha1::block_api::compress(&mut state, &[block]);
        state
    });
    let [inner, outer] = &absorbed;
    for algorithm in [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512] {
        let keyed = Keyed::new(&secret, algorithm);
        let sha1 = (algorithm == Algorithm::Sha1).then_some([inner, outer]);
        assert_eq!(keyed.expose_sha1(), sha1);
        assert_eq!(keyed.expose_sha256().is_some(), algorithm == Algorithm::Sha256);
        assert_eq!(keyed.expose_sha512().is_some(), algorithm == Algorithm::Sha512);
    }
}

#[cfg(feature = "lanes")]
#[test]
fn the_block_functions_alone_compute_the_same() {
    let secret = Secret::from_bytes(&[0x41; 64]).unwrap();
    for algorithm in [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512] {
        let (keyed, hotp) = (Keyed::new(&secret, algorithm), Hotp::new(Digits::Eight));
        for counter in [0, 1, 1 << 40, u64::MAX] {
            assert_eq!(hotp.code_by_blocks(&keyed, counter), hotp.code(&keyed, counter));
            let both = [counter, counter ^ 1];
            assert_eq!(keyed.truncated_by_blocks(both), keyed.truncated(both));
        }
    }
}
