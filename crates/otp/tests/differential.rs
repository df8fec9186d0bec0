//! Against `totp-rs`, which shares no code with this crate above the hash functions, and against the
//! `hmac` crate with truncation as RFC 4226 writes it. A hundred thousand cases here; ten million by
//! `cargo test --release -p countersign-otp --test differential -- --ignored`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use countersign_otp::{
    Algorithm, Code, Digits, Drift, Found, Hotp, Keyed, Period, Secret, Totp, UnixTime, Window,
};
use hmac::{Hmac, KeyInit, Mac};

/// A generator that needs no crate (Steele and others, "SplittableRandom", 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn bytes(&mut self, len: u64) -> Vec<u8> {
        (0..len).map(|_| self.next().to_le_bytes()[0]).collect()
    }

    /// A number of any magnitude, often at an edge.
    fn number(&mut self) -> u64 {
        let edges = [0, 1 << 31, 1 << 32, 1 << 63, u64::MAX];
        match self.below(4) {
            0 => edges[usize::try_from(self.below(5)).unwrap()].wrapping_add(self.below(7)),
            1 => edges[usize::try_from(self.below(5)).unwrap()].wrapping_sub(self.below(7)),
            _ => {
                let shift = self.below(64);
                self.next() >> shift
            }
        }
    }

    /// 16 to 200 bytes, often around the blocks of the hashes.
    fn key(&mut self) -> Vec<u8> {
        let len = match self.below(3) {
            0 => [63, 64, 65, 127, 128, 129][usize::try_from(self.below(6)).unwrap()],
            _ => 16 + self.below(185),
        };
        self.bytes(len)
    }
}

const ALGORITHMS: [(Algorithm, totp_rs::Algorithm); 3] = [
    (Algorithm::Sha1, totp_rs::Algorithm::SHA1),
    (Algorithm::Sha256, totp_rs::Algorithm::SHA256),
    (Algorithm::Sha512, totp_rs::Algorithm::SHA512),
];

fn oracle(algorithm: totp_rs::Algorithm, digits: u8, key: &[u8], period: u64) -> totp_rs::Totp {
    totp_rs::Builder::new()
        .with_algorithm(algorithm)
        .with_digits(digits)
        .with_secret(key.to_vec())
        .with_skew(1)
        .with_step_duration(period)
        .build_noncompliant()
}

/// Each key is used for eight cases: a code, and what becomes of it and of a neighbour.
fn against_totp_rs(seed: u64, cases: u64) {
    let mut random = Random(seed);
    for round in 0..cases / 8 {
        let (algorithm, theirs) = ALGORITHMS[usize::try_from(round % 3).unwrap()];
        let count = 6 + u8::try_from(random.below(3)).unwrap();
        let period = 15 + random.below(106);
        let bytes = random.key();
        let digits = Digits::try_from(count).unwrap();
        let totp = Totp::new(algorithm, digits, Period::new(period).unwrap());
        let key = totp.key(&Secret::from_bytes(&bytes).unwrap());
        let oracle = oracle(theirs, count, &bytes, period);
        for _ in 0..8 {
            // Its own steps overflow at the end of time.
            let secs = random.number().min(u64::MAX - 1000);
            let now = UnixTime::from_secs(secs);
            let expected = oracle.generate(secs).to_string();
            assert_eq!(totp.code(&key, totp.step_at(now)).as_str(), expected);
            let later = secs + random.below(4) * period;
            let step = match totp.find(
                &key,
                &Code::parse(&expected).unwrap(),
                Window::DEFAULT,
                Drift::NONE,
                None,
                UnixTime::from_secs(later),
            ) {
                Found::Fresh { step, .. } => Some(step.number()),
                Found::Replayed => panic!("nothing is spent"),
                Found::No => None,
            };
            // It returns the first match, and we the last: the same but for a collision.
            let first = oracle.check(&expected, later);
            assert_eq!(step.is_some(), first.is_some());
            if step != first {
                let there = oracle.generate(step.unwrap() * period).to_string();
                assert_eq!(there, expected);
            }
        }
    }
}

fn against_hmac(seed: u64, cases: u64) {
    fn naive<M: Mac + KeyInit>(key: &[u8], counter: u64) -> u32 {
        let mac = <M as KeyInit>::new_from_slice(key).unwrap();
        let tag = mac.chain_update(counter.to_be_bytes()).finalize().into_bytes();
        let offset = usize::from(tag[tag.len() - 1] & 15);
        u32::from_be_bytes(tag[offset..offset + 4].try_into().unwrap()) & 0x7fff_ffff
    }
    let mut random = Random(seed);
    for _ in 0..cases / 8 {
        let bytes = random.key();
        let (algorithm, _) = ALGORITHMS[usize::try_from(random.below(3)).unwrap()];
        let key = Keyed::new(&Secret::from_bytes(&bytes).unwrap(), algorithm);
        for _ in 0..8 {
            let counter = random.number();
            let value = match algorithm {
                Algorithm::Sha1 => naive::<Hmac<sha1::Sha1>>(&bytes, counter),
                Algorithm::Sha256 => naive::<Hmac<sha2::Sha256>>(&bytes, counter),
                Algorithm::Sha512 => naive::<Hmac<sha2::Sha512>>(&bytes, counter),
            };
            let code = Hotp::new(Digits::Eight).code(&key, counter);
            assert_eq!(code.as_str(), format!("{:08}", value % 100_000_000));
        }
    }
}

#[test]
fn totp_rs_agrees() {
    against_totp_rs(1, 100_000);
}

#[test]
fn hmac_agrees() {
    against_hmac(2, 100_000);
}

#[test]
#[ignore = "ten million cases take minutes: run by name, with --release"]
fn totp_rs_agrees_ten_million_times() {
    against_totp_rs(3, 10_000_000);
}

#[test]
#[ignore = "ten million cases take minutes: run by name, with --release"]
fn hmac_agrees_ten_million_times() {
    against_hmac(4, 10_000_000);
}
