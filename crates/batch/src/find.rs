//! Verification of many codes: every code against every step of the window around the present.

use countersign_lanes::Kernel;
use countersign_otp::{
    Code, Digits, Drift, Found, Hotp, Keyed, LookAhead, Step, Totp, UnixTime, Window,
};
use zeroize::Zeroize;

use crate::{KeyedHash, Rack, Schedule, codes_from, divisor, number};

/// The most steps that a window has.
const MOST: usize = 5;

/// The steps of a window around the present one, shifted by a drift, expanded for many keys: for all users
/// of whom that drift is known, at one moment.
#[derive(Clone, Debug)]
pub struct Around<H: KeyedHash> {
    /// Ascending; none where the step would lie before the first or after the last.
    steps: [Option<(Step, Schedule<H>)>; MOST],
    first: u64,
    present: Step,
    drift: Drift,
    early: bool,
    digits: Digits,
}

impl<H: KeyedHash> Around<H> {
    /// Expands the steps of `window` around that of `now`, shifted by `drift`.
    #[must_use]
    pub fn new(totp: &Totp, window: Window, drift: Drift, now: UnixTime) -> Self {
        let present = totp.step_at(now);
        let mut steps = [const { None }; MOST];
        for (step, offset) in steps.iter_mut().zip(window.offsets(drift)) {
            *step = present.checked_offset(offset).map(|at| (at, Schedule::new(at.number())));
        }
        let early = totp.remaining(now) > totp.period().secs() / 2;
        let first =
            steps.iter().flatten().map(|(step, _)| step.number()).next().unwrap_or(u64::MAX);
        Self { steps, first, present, drift, early, digits: totp.digits() }
    }

    fn steps(&self) -> impl Iterator<Item = &(Step, Schedule<H>)> {
        self.steps.iter().flatten()
    }

    /// How many of the steps are spent, when all up to `spent` are. They are consecutive.
    #[inline]
    fn spent(&self, spent: Option<Step>) -> u32 {
        let beyond_first = spent.and_then(|spent| spent.number().checked_sub(self.first));
        beyond_first
            .map_or(0, |steps| u32::try_from(steps).unwrap_or(u32::MAX).min(4).saturating_add(1))
    }

    /// What became of a code that was last right, unspent, at the `latest`th step, 0 for none, and
    /// `replayed` at a spent one.
    fn found(&self, latest: u32, replayed: u32) -> Found {
        if latest | replayed == 0 {
            return Found::No;
        }
        let step = (1..).zip(self.steps()).find(|(place, _)| *place == latest);
        match step {
            Some((_, (step, _))) => {
                let drift = self.drift.learn(step.offset_from(self.present), self.early);
                Found::Fresh { step: *step, drift }
            }
            None => Found::Replayed,
        }
    }
}

/// Looks for the code of each key, given as its number ([`number`]), at all steps `around`
/// the present one, and tells what [`Totp::find`] tells. Codes at or below the last
/// spent step are told as replayed. Up to the shortest of the slices.
///
/// Constant work: neither time nor addresses depend on a key, on a code, or on where it matches; whether it
/// was found is told last, by a branch.
pub fn find<H: KeyedHash>(
    racks: &[Rack<H>],
    numbers: &[H::Lanes<u32>],
    spent: &[H::Lanes<Option<Step>>],
    around: &Around<H>,
    found: &mut [H::Lanes<Found>],
) {
    let kernel = Kernel::best::<H>();
    let both = racks.chunks(2).zip(numbers.chunks(2));
    for ((racks, numbers), (spent, found)) in both.zip(spent.chunks(2).zip(found.chunks_mut(2))) {
        let mut floors = [H::splat(0); 2];
        for (floors, spent) in floors.iter_mut().zip(spent) {
            for (floor, spent) in floors.as_mut().iter_mut().zip(spent.as_ref()) {
                *floor = around.spent(*spent);
            }
        }
        let (mut latest, mut replayed) = ([H::splat(0); 2], [H::splat(0); 2]);
        let mut values = [H::splat(0); 2];
        for (place, (_, schedule)) in (1..).zip(around.steps()) {
            kernel.nested_shared(racks, schedule, &mut values);
            kernel.remainders::<H>(&mut values, divisor(around.digits));
            for (i, numbers) in numbers.iter().enumerate() {
                let (Some(values), Some(floors)) = (values.get_mut(i), floors.get(i)) else {
                    break;
                };
                let (Some(latest), Some(replayed)) = (latest.get_mut(i), replayed.get_mut(i))
                else {
                    break;
                };
                let lanes = values.as_ref().iter().zip(numbers.as_ref()).zip(floors.as_ref());
                let marks = latest.as_mut().iter_mut().zip(replayed.as_mut());
                for (((value, number), floor), (latest, replayed)) in lanes.zip(marks) {
                    let hit = equal(*value, *number);
                    let above = less(*floor, place);
                    *latest ^= hit & above & (*latest ^ place);
                    *replayed |= hit & !above;
                }
            }
        }
        values.iter_mut().for_each(|values| values.as_mut().zeroize());
        for (found, (latest, replayed)) in found.iter_mut().zip(latest.iter().zip(&replayed)) {
            let marks = latest.as_ref().iter().zip(replayed.as_ref());
            for (found, (latest, replayed)) in found.as_mut().iter_mut().zip(marks) {
                *found = around.found(*latest, *replayed);
            }
        }
    }
}

/// [`Hotp::find`] with all counters computed at once.
#[must_use = "the counter returned must be stored, or the code passes again"]
pub fn look_ahead(
    hotp: &Hotp,
    key: &Keyed,
    code: &Code,
    next: u64,
    ahead: LookAhead,
) -> Option<u64> {
    let candidate = number(code, hotp.digits());
    let mut numbers = [0; 16];
    codes_from(key, next, hotp.digits(), &mut numbers);
    let mut latest = 0;
    for (place, number) in (1..).zip(&numbers).take(usize::from(ahead.counters()).saturating_add(1))
    {
        latest ^= equal(*number, candidate) & (latest ^ place);
    }
    numbers.zeroize();
    // Past the largest counter the largest comes again, and has no next one.
    if latest == 0 { None } else { next.checked_add(u64::from(latest)) }
}

/// All bits if the two are equal, else none: by arithmetic alone, which runs over vectors.
#[inline]
const fn equal(x: u32, y: u32) -> u32 {
    let differ = x ^ y;
    ((differ | differ.wrapping_neg()) >> 31).wrapping_sub(1)
}

/// All bits if `x < y`, else none, for two below 2^31.
#[inline]
const fn less(x: u32, y: u32) -> u32 {
    (x.wrapping_sub(y) >> 31).wrapping_neg()
}
