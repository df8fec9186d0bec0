//! The vectors of RFC 4226, appendix D, and RFC 6238, appendix B.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use countersign_otp::{
    Algorithm, Code, Digits, Drift, Found, Hotp, Keyed, LookAhead, Period, Secret, Totp, UnixTime,
    Window,
};

/// RFC 4226, appendix D: the truncated value in decimal, and the code.
const HOTP: [(u32, &str); 10] = [
    (1_284_755_224, "755224"),
    (1_094_287_082, "287082"),
    (137_359_152, "359152"),
    (1_726_969_429, "969429"),
    (1_640_338_314, "338314"),
    (868_254_676, "254676"),
    (1_918_287_922, "287922"),
    (82_162_583, "162583"),
    (673_399_871, "399871"),
    (645_520_489, "520489"),
];

/// RFC 6238, appendix B: the time, and the codes for SHA-1, SHA-256 and SHA-512.
const TOTP: [(u64, [&str; 3]); 6] = [
    (59, ["94287082", "46119246", "90693936"]),
    (1_111_111_109, ["07081804", "68084774", "25091201"]),
    (1_111_111_111, ["14050471", "67062674", "99943326"]),
    (1_234_567_890, ["89005924", "91819424", "93441116"]),
    (2_000_000_000, ["69279037", "90698825", "38618901"]),
    (20_000_000_000, ["65353130", "77737706", "47863826"]),
];

/// The appendix's seeds: the same digits, as long as the hash's output.
fn seed(algorithm: Algorithm) -> Secret {
    let digits = b"1234567890".iter().copied().cycle();
    let bytes: Vec<u8> = digits.take(algorithm.secret_len()).collect();
    Secret::from_bytes(&bytes).unwrap()
}

#[test]
fn rfc_4226_appendix_d() {
    let key = Keyed::new(&seed(Algorithm::Sha1), Algorithm::Sha1);
    for (counter, (truncated, code)) in (0..).zip(HOTP) {
        let six = Hotp::new(Digits::Six);
        assert_eq!(six.code(&key, counter).as_str(), code);
        let eight = Hotp::new(Digits::Eight).code(&key, counter);
        assert_eq!(eight.as_str(), format!("{:08}", truncated % 100_000_000));
        let found =
            six.find(&key, &Code::parse(code).unwrap(), counter, LookAhead::new(0).unwrap());
        assert_eq!(found, Some(counter + 1));
    }
}

#[test]
fn rfc_6238_appendix_b() {
    for (place, algorithm) in
        [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512].iter().enumerate()
    {
        let totp = Totp::new(*algorithm, Digits::Eight, Period::THIRTY);
        let key = totp.key(&seed(*algorithm));
        for (secs, codes) in TOTP {
            let now = UnixTime::from_secs(secs);
            let step = totp.step_at(now);
            assert_eq!(totp.code(&key, step).as_str(), codes[place], "{algorithm:?} at {secs}");
            let code = Code::parse(codes[place]).unwrap();
            let found = totp.find(&key, &code, Window::NONE, Drift::NONE, None, now);
            assert_eq!(found, Found::Fresh { step, drift: Drift::NONE });
        }
    }
}
