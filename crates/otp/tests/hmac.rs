//! The HMAC under a code: the vectors of RFC 2202, RFC 4231 and Project Wycheproof for the oracle that the
//! other tests compare with, and codes from these vectors' keys against it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use countersign_otp::{Algorithm, Digits, Hotp, Keyed, Secret};
use hmac::{Hmac, KeyInit, Mac};

/// Key, data, and the digests for SHA-1 (RFC 2202, section 3), SHA-256 and SHA-512 (RFC 4231, section
/// 4), where the key and the data are those of the vector.
type Vector = (Vec<u8>, Vec<u8>, [Option<&'static str>; 3]);

fn vectors() -> Vec<Vector> {
    let counted: Vec<u8> = (1..=25).collect();
    let larger: &[u8] = b"This is a test using a larger than block-size key and a larger than \
        block-size data. The key needs to be hashed before being used by the HMAC algorithm.";
    vec![
        (
            vec![0x0b; 20],
            b"Hi There".to_vec(),
            [
                Some("b617318655057264e28bc0b6fb378c8ef146be00"),
                Some("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
                Some(concat!(
                    "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde",
                    "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"
                )),
            ],
        ),
        (
            b"Jefe".to_vec(),
            b"what do ya want for nothing?".to_vec(),
            [
                Some("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
                Some("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
                Some(concat!(
                    "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554",
                    "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"
                )),
            ],
        ),
        (
            vec![0xaa; 20],
            vec![0xdd; 50],
            [
                Some("125d7342b9ac11cd91a39af48aa17b4f63f175d3"),
                Some("773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
                Some(concat!(
                    "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39",
                    "bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb"
                )),
            ],
        ),
        (
            counted,
            vec![0xcd; 50],
            [
                Some("4c9007f4026250c6bc8414f9bf50c86c2d7235da"),
                Some("82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
                Some(concat!(
                    "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3db",
                    "a91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd"
                )),
            ],
        ),
        (
            vec![0xaa; 80],
            b"Test Using Larger Than Block-Size Key - Hash Key First".to_vec(),
            [Some("aa4ae5e15272d00e95705637ce8a3b55ed402112"), None, None],
        ),
        (
            vec![0xaa; 131],
            b"Test Using Larger Than Block-Size Key - Hash Key First".to_vec(),
            [
                None,
                Some("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
                Some(concat!(
                    "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352",
                    "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"
                )),
            ],
        ),
        (
            vec![0xaa; 131],
            larger.to_vec(),
            [
                None,
                Some("9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"),
                Some(concat!(
                    "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944",
                    "b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58"
                )),
            ],
        ),
    ]
}

const ALGORITHMS: [Algorithm; 3] = [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512];

fn tag(algorithm: Algorithm, key: &[u8], data: &[u8]) -> Vec<u8> {
    fn of<M: Mac + KeyInit>(key: &[u8], data: &[u8]) -> Vec<u8> {
        let mac = <M as KeyInit>::new_from_slice(key).unwrap();
        mac.chain_update(data).finalize().into_bytes().to_vec()
    }
    match algorithm {
        Algorithm::Sha1 => of::<Hmac<sha1::Sha1>>(key, data),
        Algorithm::Sha256 => of::<Hmac<sha2::Sha256>>(key, data),
        Algorithm::Sha512 => of::<Hmac<sha2::Sha512>>(key, data),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// RFC 4226, section 5.3, as it is written there.
fn naive(algorithm: Algorithm, key: &[u8], counter: u64) -> String {
    truncated(&tag(algorithm, key, &counter.to_be_bytes()))
}

fn truncated(tag: &[u8]) -> String {
    let offset = usize::from(tag[tag.len() - 1] & 15);
    let value = u32::from_be_bytes(tag[offset..offset + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:08}", value % 100_000_000)
}

#[test]
fn rfc_2202_and_rfc_4231() {
    for (key, data, digests) in vectors() {
        for (algorithm, digest) in ALGORITHMS.into_iter().zip(digests) {
            if let Some(digest) = digest {
                assert_eq!(hex(&tag(algorithm, &key, &data)), digest);
            }
        }
    }
}

#[test]
fn codes_from_these_keys() {
    let counters = [0, 1, 1 << 31, (1 << 32) - 1, 1 << 32, (1 << 32) + 1, 1 << 63, u64::MAX];
    for (bytes, ..) in vectors() {
        let secret = Secret::import_short(&bytes).unwrap();
        for algorithm in ALGORITHMS {
            let key = Keyed::new(&secret, algorithm);
            for counter in counters {
                let code = Hotp::new(Digits::Eight).code(&key, counter);
                assert_eq!(code.as_str(), naive(algorithm, &bytes, counter));
            }
        }
    }
}

/// Project Wycheproof: the oracle passes all, and one vector of each hash has a message that is a counter.
#[test]
fn wycheproof() {
    let (mut algorithm, mut counts, mut counters) = (Algorithm::Sha1, [0; 2], 0);
    for line in include_str!("wycheproof/hmac.txt").lines().filter(|line| !line.starts_with('#')) {
        let [key, data, digest, right] = line.split(' ').collect::<Vec<_>>()[..] else {
            algorithm =
                ALGORITHMS.into_iter().find(|a| a.name().eq_ignore_ascii_case(line)).unwrap();
            continue;
        };
        let (key, data, right) = (unhex(key), unhex(data), right == "+");
        counts[usize::from(right)] += 1;
        assert_eq!(hex(&tag(algorithm, &key, &data)).starts_with(digest), right, "{line}");

        let keyed = Keyed::new(&Secret::import_short(&key).unwrap(), algorithm);
        let code = |counter| Hotp::new(Digits::Eight).code(&keyed, counter);
        assert_eq!(code(1).as_str(), naive(algorithm, &key, 1));
        if let (Ok(counter), true) = (data.try_into().map(u64::from_be_bytes), right)
            && digest.len() == 2 * algorithm.secret_len()
        {
            assert_eq!(code(counter).as_str(), truncated(&unhex(digest)));
            counters += 1;
        }
    }
    assert_eq!((counts, counters), ([320, 198], 3));
}

fn unhex(text: &str) -> Vec<u8> {
    let text = text.trim_matches('-');
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}
