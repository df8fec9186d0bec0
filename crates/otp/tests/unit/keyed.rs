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
