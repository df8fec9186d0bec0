//! RFC 6238, section 6: a device whose clock is wrong by a little more each day is followed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use countersign_otp::{Code, Drift, Found, Radius, Secret, Step, Totp, UnixTime, Window};

const DAY: u64 = 86_400;
const START: u64 = 1_700_000_000;

struct Device {
    key: countersign_otp::Keyed,
    millis_a_day: i64,
}

impl Device {
    fn new(millis_a_day: i64) -> Self {
        Self { key: Totp::DEFAULT.key(&Secret::from_bytes(&[1; 20]).unwrap()), millis_a_day }
    }

    /// What its own clock shows.
    fn clock(&self, now: u64) -> UnixTime {
        let elapsed = i64::try_from(now - START).unwrap();
        let wrong = elapsed * self.millis_a_day / i64::try_from(DAY).unwrap() / 1000;
        UnixTime::from_secs(now.checked_add_signed(wrong).unwrap())
    }

    fn shows(&self, now: u64) -> Code {
        Totp::DEFAULT.code(&self.key, Totp::DEFAULT.step_at(self.clock(now)))
    }
}

struct Verifier {
    drift: Drift,
    spent: Option<Step>,
}

impl Verifier {
    fn accepts(&mut self, device: &Device, code: &Code, now: u64) -> bool {
        let now = UnixTime::from_secs(now);
        let window = Window::DEFAULT;
        match Totp::DEFAULT.find(&device.key, code, window, self.drift, self.spent, now) {
            Found::Fresh { step, drift } => {
                (self.spent, self.drift) = (Some(step), drift);
                true
            }
            Found::Replayed | Found::No => false,
        }
    }
}

/// Three logins a day for so many days, each typed in 1 to 12 seconds, at any second of the step:
/// how many there were, how many passed, and the first day on which one did not.
fn simulate(device: &Device, days: u64) -> (u32, u32, Option<u64>) {
    let mut verifier = Verifier { drift: Drift::NONE, spent: None };
    let (mut tries, mut passed, mut failed) = (0, 0, None);
    for day in 0..days {
        for login in 0..3 {
            let now = START + day * DAY + login * 20_000 + (day * 7 + login * 13) % 601;
            let code = device.shows(now);
            let typed = now + 1 + (day * 5 + login * 3) % 12;
            tries += 1;
            if verifier.accepts(device, &code, typed) {
                passed += 1;
            } else {
                failed = failed.or(Some(day));
            }
        }
    }
    (tries, passed, failed)
}

#[test]
fn a_fifth_of_a_second_a_day_is_followed_for_a_year() {
    for millis_a_day in [-200, -100, 0, 100, 200] {
        let (tries, passed, _) = simulate(&Device::new(millis_a_day), 365);
        assert!(passed * 1000 >= tries * 999, "{passed} of {tries} at {millis_a_day} ms a day");
    }
}

#[test]
fn a_second_a_day_meets_the_bound_after_about_90_days() {
    for millis_a_day in [-1000, 1000] {
        let (_, _, failed) = simulate(&Device::new(millis_a_day), 200);
        let day = failed.unwrap();
        assert!((70..=110).contains(&day), "day {day} at {millis_a_day} ms a day");
    }
}

#[test]
fn beyond_the_bound_two_codes_in_a_row_bring_it_back() {
    for millis_a_day in [-1000, 1000] {
        let device = Device::new(millis_a_day);
        let mut verifier = Verifier { drift: Drift::NONE, spent: None };
        let now = START + 200 * DAY;
        assert!(!verifier.accepts(&device, &device.shows(now), now + 3));
        let (first, second) = (device.shows(now), device.shows(now + 30));
        let found = Totp::DEFAULT.resynchronise(
            &device.key,
            &first,
            &second,
            Radius::MAX,
            verifier.spent,
            UnixTime::from_secs(now + 33),
        );
        let (step, drift) = found.unwrap();
        (verifier.spent, verifier.drift) = (Some(step), drift);
        assert!(!verifier.accepts(&device, &second, now + 35), "spent");
        assert!(verifier.accepts(&device, &device.shows(now + 60), now + 63));
    }
}
