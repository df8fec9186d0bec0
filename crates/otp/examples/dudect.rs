//! Does time tell a secret? Measured as dudect does (Reparaz, Balasch and Verbauwhede, "Dude, is my code
//! constant time?", 2017): two classes of inputs in random order, a time for each, slow outliers cut off at
//! several heights, and Welch's t-test between the classes. |t| above 10 is a leak; below 4.5 none was
//! found in so many measurements.
//!
//! `cargo run --release -p countersign-otp --example dudect -- 1000000`, best on a core of its own
//! (`taskset -c 1`). The last line is a leak planted on purpose: a comparison that stops at the first
//! difference must be found, or the others say nothing. Exits with 1 if it is not, or if another is.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a harness that cannot go on fails"
)]
#![allow(clippy::cast_precision_loss, reason = "statistics")]

use core::hint::black_box;

use countersign_codes::delivered;
use countersign_otp::{Code, Digits, Drift, Hotp, LookAhead, Secret, Totp, UnixTime, Window};

/// Splitmix64: which class is next, and the inputs of the random ones.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        [(); N].map(|()| self.next().to_le_bytes()[0])
    }
}

/// Welch's t, from sums that are kept as values come (Welford).
#[derive(Clone, Copy, Default)]
struct Class {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Class {
    fn push(&mut self, value: f64) {
        self.count += 1.0;
        let from = value - self.mean;
        self.mean += from / self.count;
        self.squares += from * (value - self.mean);
    }

    fn t(self, other: Self) -> f64 {
        let variance = |class: Self| class.squares / (class.count - 1.0) / class.count;
        let t = (self.mean - other.mean) / (variance(self) + variance(other)).sqrt();
        if t.is_finite() { t } else { 0.0 }
    }
}

/// Nanoseconds that `run` takes.
#[allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]
fn time(run: impl FnOnce()) -> f64 {
    let start = std::time::Instant::now();
    run();
    start.elapsed().as_nanos() as f64
}

/// The largest |t| over all heights at which outliers are cut off.
fn measure<I>(
    count: usize,
    mut input: impl FnMut(bool, &mut Random) -> I,
    run: impl Fn(&I),
) -> f64 {
    /// Inputs are made before the clock runs, so many at a time.
    const AT_ONCE: usize = 1000;
    let mut random = Random(1);
    let mut times = Vec::with_capacity(count);
    for _ in 0..count / AT_ONCE {
        let inputs = [(); AT_ONCE].map(|()| {
            let class = random.next() & 1 == 1;
            (class, input(class, &mut random))
        });
        times.extend(inputs.iter().map(|(class, input)| (*class, time(|| run(input)))));
    }
    let times = times.split_off(count / 20); // the first ones warm up
    let mut sorted: Vec<f64> = times.iter().map(|(_, time)| *time).collect();
    sorted.sort_by(f64::total_cmp);
    let heights = [500, 750, 900, 950, 990, 999, 1000]
        .map(|thousandths| sorted[(sorted.len() - 1) * thousandths / 1000]);
    let t = heights.map(|height| {
        let mut classes = [Class::default(); 2];
        for (class, time) in times.iter().filter(|(_, time)| *time <= height) {
            classes[usize::from(*class)].push(*time);
        }
        classes[0].t(classes[1]).abs()
    });
    t.into_iter().fold(0.0, f64::max)
}

fn main() {
    let count = std::env::args().nth(1).map_or(1_000_000, |count| count.parse().unwrap());
    let now = UnixTime::from_secs(1_700_000_000);
    let secret = Secret::from_bytes(b"12345678901234567890").unwrap();
    let key = Totp::DEFAULT.key(&secret);
    let at = |offset| {
        let step = Totp::DEFAULT.step_at(now).checked_offset(offset).unwrap();
        Totp::DEFAULT.code(&key, step)
    };
    let wrong =
        |random: &mut Random| Code::parse(&format!("{:06}", random.next() % 1_000_000)).unwrap();
    let digest_key = [7; 32];
    let kept = delivered::digest(&digest_key, &[b"login"], &at(0));

    let cases: [(&str, f64); 7] = [
        (
            "find: right at the first step, at the last",
            measure(
                count,
                |class, _| at(if class { 1 } else { -1 }),
                |code| {
                    let window = Window::DEFAULT;
                    let _ =
                        black_box(Totp::DEFAULT.find(&key, code, window, Drift::NONE, None, now));
                },
            ),
        ),
        (
            "find: one wrong code, any",
            measure(
                count,
                |class, random| if class { wrong(random) } else { Code::parse("000000").unwrap() },
                |code| {
                    let window = Window::NONE;
                    let _ =
                        black_box(Totp::DEFAULT.find(&key, code, window, Drift::NONE, None, now));
                },
            ),
        ),
        (
            "find from the raw key: one key, any",
            measure(
                count,
                |class, random| {
                    let bytes = if class { random.bytes() } else { [0; 20] };
                    Secret::from_bytes(&bytes).unwrap()
                },
                |secret| {
                    let (window, code) = (Window::DEFAULT, Code::parse("755224").unwrap());
                    let totp = Totp::DEFAULT;
                    let _ = black_box(totp.find_raw(secret, &code, window, Drift::NONE, None, now));
                },
            ),
        ),
        (
            "look-ahead: right at the first counter, at the last",
            measure(
                count,
                |class, _| Hotp::new(Digits::Six).code(&key, if class { 15 } else { 0 }),
                |code| {
                    black_box(Hotp::new(Digits::Six).find(&key, code, 0, LookAhead::MAX));
                },
            ),
        ),
        (
            "base32: one secret, any",
            measure(
                count,
                |class, random| {
                    let bytes = if class { random.bytes() } else { [0; 20] };
                    Secret::from_bytes(&bytes).unwrap().to_base32()
                },
                |text| {
                    let _ = black_box(Secret::from_base32(text.as_str()));
                },
            ),
        ),
        (
            "delivered: differs in the first byte, in the last",
            measure(
                count,
                |class, _| {
                    let mut bytes = *kept.as_bytes();
                    bytes[if class { 31 } else { 0 }] ^= 1;
                    delivered::CodeDigest::from_bytes(bytes)
                },
                |digest| {
                    black_box(*digest == kept);
                },
            ),
        ),
        (
            "planted: a comparison that stops at the first difference",
            measure(
                count,
                |class, _| {
                    let mut bytes = *kept.as_bytes();
                    bytes[if class { 31 } else { 0 }] ^= 1;
                    bytes
                },
                |bytes| {
                    let pairs = bytes.iter().zip(kept.as_bytes());
                    black_box(pairs.take_while(|(a, b)| black_box(a) == black_box(b)).count());
                },
            ),
        ),
    ];
    println!("{count} measurements each");
    for (name, t) in cases {
        println!("{t:8.2}  {name}");
    }
    let leak = |t: f64| t > 10.0;
    let [honest @ .., (_, planted)] = cases;
    if honest.iter().any(|(_, t)| leak(*t)) || !leak(planted) {
        std::process::exit(1);
    }
}
