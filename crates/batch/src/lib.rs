#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod find;

pub use countersign_lanes::{Bundle as Rack, Hash, Schedule, Sha1, Sha256, Sha512};
use countersign_lanes::{Divisor, Kernel};
use countersign_otp::{Algorithm, Code, Digits, Keyed};
use zeroize::Zeroize;

pub use self::find::{Around, find, look_ahead};

/// A hash that keys are absorbed into: [`Sha1`], [`Sha256`] and [`Sha512`].
pub trait KeyedHash: Hash {
    /// The chaining values of a key that was absorbed into this hash.
    #[doc(hidden)]
    fn states(key: &Keyed) -> Option<[&Self::State; 2]>;
}

macro_rules! keyed_hash {
    ($($hash:ident $expose:ident)+) => {$(
        impl KeyedHash for $hash {
            #[inline]
            fn states(key: &Keyed) -> Option<[&Self::State; 2]> {
                key.$expose()
            }
        }
    )+};
}
keyed_hash!(Sha1 expose_sha1 Sha256 expose_sha256 Sha512 expose_sha512);

/// Puts a key into a slot of a rack. False, and nothing put, if the key was absorbed into another hash, or
/// if there is no such slot.
#[must_use = "a key of another hash is not put"]
pub fn put<H: KeyedHash>(rack: &mut Rack<H>, slot: usize, key: &Keyed) -> bool {
    match H::states(key) {
        Some([inner, outer]) if slot < H::LANES => {
            rack.set(slot, inner, outer);
            true
        }
        _ => false,
    }
}

/// The number of the code of each key at its own counter, or step. Up to the shortest of the slices.
pub fn codes<H: KeyedHash>(
    racks: &[Rack<H>],
    counters: &[H::Lanes<u64>],
    digits: Digits,
    numbers: &mut [H::Lanes<u32>],
) {
    let kernel = Kernel::best::<H>();
    kernel.nested(racks, counters, numbers);
    kernel.remainders::<H>(numbers, divisor(digits));
}

/// The number of the code of each key at one counter, or step, whose [`Schedule`] serves for all keys and
/// as long as the step does.
pub fn codes_at<H: KeyedHash>(
    racks: &[Rack<H>],
    counter: &Schedule<H>,
    digits: Digits,
    numbers: &mut [H::Lanes<u32>],
) {
    let kernel = Kernel::best::<H>();
    kernel.nested_shared(racks, counter, numbers);
    kernel.remainders::<H>(numbers, divisor(digits));
}

/// The numbers of a key's codes from counter `first` on, one for each place; past the largest counter, of
/// the largest again.
pub fn codes_from(key: &Keyed, first: u64, digits: Digits, numbers: &mut [u32]) {
    let counters = (0..).map(|ahead| first.saturating_add(ahead));
    match key.algorithm() {
        Algorithm::Sha1 => from::<Sha1>(key, counters, digits, numbers),
        Algorithm::Sha256 => from::<Sha256>(key, counters, digits, numbers),
        Algorithm::Sha512 => from::<Sha512>(key, counters, digits, numbers),
    }
}

/// The numbers of the codes of any keys, of whatever hash, each at its own counter or step. Up to the
/// shorter of the two.
pub fn codes_of_each<'k>(
    pairs: impl IntoIterator<Item = (&'k Keyed, u64)>,
    digits: Digits,
    numbers: &mut [u32],
) {
    let mut waiting = (Waiting::<Sha1>::new(), Waiting::<Sha256>::new(), Waiting::<Sha512>::new());
    let length = numbers.len();
    for (place, (key, counter)) in pairs.into_iter().take(length).enumerate() {
        match key.algorithm() {
            Algorithm::Sha1 => waiting.0.push(key, counter, place, digits, numbers),
            Algorithm::Sha256 => waiting.1.push(key, counter, place, digits, numbers),
            Algorithm::Sha512 => waiting.2.push(key, counter, place, digits, numbers),
        }
    }
    waiting.0.compute(digits, numbers);
    waiting.1.compute(digits, numbers);
    waiting.2.compute(digits, numbers);
}

/// The number that a code writes; what no code is, for a code of another number of digits.
#[must_use]
pub fn number(code: &Code, digits: Digits) -> u32 {
    let number = (code.digits() == digits.count()).then(|| u32::try_from(code.last_eight()));
    number.and_then(Result::ok).unwrap_or(u32::MAX)
}

/// The code that writes a number, of which it has the last digits.
#[must_use]
pub fn code(number: u32, digits: Digits) -> Code {
    Code::truncated(number, digits)
}

/// Pairs of keys and counters that wait for two racks to be full, and where their numbers go.
struct Waiting<H: KeyedHash> {
    racks: [Rack<H>; 2],
    counters: [H::Lanes<u64>; 2],
    places: [H::Lanes<usize>; 2],
    length: usize,
}

impl<H: KeyedHash> Waiting<H> {
    fn new() -> Self {
        Self {
            racks: [Rack::new(), Rack::new()],
            counters: [H::splat(0); 2],
            places: [H::splat(usize::MAX); 2],
            length: 0,
        }
    }

    fn push(
        &mut self,
        key: &Keyed,
        counter: u64,
        place: usize,
        digits: Digits,
        numbers: &mut [u32],
    ) {
        let (half, slot) = if self.length < H::LANES {
            (0, self.length)
        } else {
            (1, self.length.wrapping_sub(H::LANES))
        };
        if let (Some(rack), Some(counters), Some(places)) =
            (self.racks.get_mut(half), self.counters.get_mut(half), self.places.get_mut(half))
            && let (Some(to), Some(at)) =
                (counters.as_mut().get_mut(slot), places.as_mut().get_mut(slot))
            && put(rack, slot, key)
        {
            (*to, *at) = (counter, place);
            self.length = self.length.wrapping_add(1);
        }
        if self.length == H::LANES.wrapping_mul(2) {
            self.compute(digits, numbers);
        }
    }

    /// Computes the racks that hold a key, and empties them.
    fn compute(&mut self, digits: Digits, numbers: &mut [u32]) {
        let used = self.length.div_ceil(H::LANES);
        let mut computed = [H::splat(0); 2];
        let filled = computed.get_mut(..used).unwrap_or_default();
        codes(self.racks.get(..used).unwrap_or_default(), &self.counters, digits, filled);
        let all = computed.iter().zip(&self.places);
        for (number, place) in
            all.flat_map(|(n, p)| n.as_ref().iter().zip(p.as_ref())).take(self.length)
        {
            if let Some(to) = numbers.get_mut(*place) {
                *to = *number;
            }
        }
        computed.iter_mut().for_each(|computed| computed.as_mut().zeroize());
        self.length = 0;
    }
}

fn from<H: KeyedHash>(
    key: &Keyed,
    mut counters: impl Iterator<Item = u64>,
    digits: Digits,
    numbers: &mut [u32],
) {
    let Some([inner, outer]) = H::states(key) else {
        return;
    };
    let rack = [Rack::<H>::splat(inner, outer)];
    for numbers in numbers.chunks_mut(H::LANES) {
        let mut tails = H::splat(0);
        tails.as_mut().iter_mut().zip(&mut counters).for_each(|(tail, counter)| *tail = counter);
        let mut computed = [H::splat(0)];
        codes(&rack, &[tails], digits, &mut computed);
        let [computed] = &mut computed;
        numbers
            .iter_mut()
            .zip(computed.as_ref())
            .for_each(|(number, computed)| *number = *computed);
        computed.as_mut().zeroize();
    }
}

/// What a truncated value is divided by, so that the number of its code is left (RFC 4226, section 5.3).
#[inline]
const fn divisor(digits: Digits) -> Divisor {
    match digits {
        Digits::Six => Divisor::MILLION,
        Digits::Seven => Divisor::TEN_MILLION,
        Digits::Eight => Divisor::HUNDRED_MILLION,
    }
}
