//! `Totp::find`, `Totp::resynchronise`, `Hotp::find` and `Hotp::resynchronise` against twins written
//! for reading: HMAC by its crate, truncation by an index, the first idea that comes to mind.
#![no_main]

use countersign_otp::{
    Algorithm, Code, Digits, Drift, Found, Hotp, LookAhead, Period, Radius, Reach, Secret, Step,
    Totp, UnixTime, Window,
};
use hmac::{Hmac, KeyInit, Mac};
use libfuzzer_sys::fuzz_target;

struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    fn below(&mut self, bound: u8) -> u8 {
        self.byte() % bound
    }

    fn number(&mut self) -> u64 {
        let number = u64::from_le_bytes([(); 8].map(|()| self.byte()));
        number >> (self.byte() % 64)
    }
}

struct Twin<'a> {
    algorithm: Algorithm,
    digits: Digits,
    key: &'a [u8],
}

impl Twin<'_> {
    fn code(&self, counter: u64) -> String {
        fn tag<M: Mac + KeyInit>(key: &[u8], counter: u64) -> Vec<u8> {
            let mac = <M as KeyInit>::new_from_slice(key).expect("any length");
            mac.chain_update(counter.to_be_bytes()).finalize().into_bytes().to_vec()
        }
        let tag = match self.algorithm {
            Algorithm::Sha1 => tag::<Hmac<sha1::Sha1>>(self.key, counter),
            Algorithm::Sha256 => tag::<Hmac<sha2::Sha256>>(self.key, counter),
            Algorithm::Sha512 => tag::<Hmac<sha2::Sha512>>(self.key, counter),
        };
        let at = usize::from(tag[tag.len() - 1] & 15);
        let value = u32::from_be_bytes(tag[at..at + 4].try_into().expect("four")) & 0x7fff_ffff;
        let count = usize::from(self.digits.count());
        let all = format!("{value:010}");
        all[10 - count..].to_owned()
    }

    fn find(
        &self,
        code: &str,
        offsets: std::ops::RangeInclusive<i128>,
        spent: Option<u64>,
        present: u64,
    ) -> Result<u64, bool> {
        let mut replayed = false;
        for offset in offsets.rev() {
            let Ok(step) = u64::try_from(i128::from(present) + offset) else { continue };
            if self.code(step) == code {
                if spent.is_none_or(|spent| step > spent) {
                    return Ok(step);
                }
                replayed = true;
            }
        }
        Err(replayed)
    }

    fn pair(
        &self,
        first: &str,
        second: &str,
        seconds: impl Iterator<Item = u64>,
        spent: Option<u64>,
    ) -> Option<u64> {
        seconds
            .filter(|second_at| {
                let Some(first_at) = second_at.checked_sub(1) else { return false };
                spent.is_none_or(|spent| first_at > spent)
                    && self.code(first_at) == first
                    && self.code(*second_at) == second
            })
            .last()
    }
}

fuzz_target!(|data: &[u8]| {
    let mut bytes = Bytes(data);
    let algorithm =
        [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512][usize::from(bytes.below(3))];
    let digits = Digits::try_from(6 + bytes.below(3)).expect("6 to 8");
    let period = Period::new(15 + u64::from(bytes.below(106))).expect("15 to 120");
    let window = Window::new(bytes.below(3), bytes.below(3)).expect("to 2");
    let drift = i8::try_from(bytes.below(41)).expect("small") - 20;
    let now = UnixTime::from_secs(bytes.number());
    let totp = Totp::new(algorithm, digits, period);
    let present = totp.step_at(now).number();
    let spent = (bytes.below(2) == 0)
        .then(|| present.saturating_add_signed(i64::from(bytes.byte().cast_signed()) / 4));
    let near = i64::from(bytes.byte().cast_signed()) / 4;
    let key: Vec<u8> = (0..1 + usize::from(bytes.byte())).map(|_| bytes.byte()).collect();

    let twin = Twin { algorithm, digits, key: &key };
    let secret = Secret::import_short(&key).expect("1 to 256 bytes");
    let keyed = totp.key(&secret);
    let typed_at = present.saturating_add_signed(near);
    let typed = twin.code(typed_at);
    let code = Code::parse(&typed).expect("digits");
    let known = Drift::new(drift).expect("within 20");

    // TOTP, one code.
    let (low, high) = (drift - window.back().cast_signed(), drift + window.ahead().cast_signed());
    let expected = twin.find(&typed, low.into()..=high.into(), spent, present);
    let found = totp.find(&keyed, &code, window, known, spent.map(Step::new), now);
    assert_eq!(found, totp.find_raw(&secret, &code, window, known, spent.map(Step::new), now));
    match (found, expected) {
        (Found::Fresh { step, drift: learned }, Ok(twin)) => {
            assert_eq!(step.number(), twin);
            assert!((learned.steps() - drift).abs() <= 2);
            assert!(learned.steps().abs() <= drift.abs().max(2));
        }
        (Found::Replayed, Err(true)) | (Found::No, Err(false)) => (),
        (found, expected) => panic!("{found:?}, not {expected:?}"),
    }

    // TOTP, two codes in a row.
    let radius = 1 + bytes.below(20);
    let next = twin.code(typed_at.wrapping_add(1));
    let second = Code::parse(&next).expect("digits");
    let reach = i128::from(radius);
    let seconds = (-reach..=reach).filter_map(|o| u64::try_from(i128::from(present) + o).ok());
    let expected = twin.pair(&typed, &next, seconds, spent);
    let found = totp.resynchronise(
        &keyed,
        &code,
        &second,
        Radius::new(radius).expect("1 to 20"),
        spent.map(Step::new),
        now,
    );
    assert_eq!(found.map(|(step, _)| step.number()), expected);
    if let Some((step, drift)) = found {
        let offset = i128::from(step.number()) - i128::from(present);
        assert_eq!(i128::from(drift.steps()), offset);
    }

    // HOTP, from the same numbers.
    let hotp = Hotp::new(digits);
    assert_eq!(hotp.code(&keyed, typed_at).as_str(), typed);
    let ahead = bytes.below(16);
    let expected = twin.find(&typed, 0..=ahead.into(), None, present).ok();
    let found = hotp.find(&keyed, &code, present, LookAhead::new(ahead).expect("to 15"));
    assert_eq!(found, expected.and_then(|counter| counter.checked_add(1)));
    let reach = 1 + bytes.below(100);
    let seconds = (1..=u64::from(reach) + 1).filter_map(|o| present.checked_add(o));
    let expected = twin.pair(&typed, &next, seconds, None);
    let found =
        hotp.resynchronise(&keyed, &code, &second, present, Reach::new(reach).expect("1 to 100"));
    assert_eq!(found, expected.and_then(|counter| counter.checked_add(1)));
});
