//! Times of many cases, sampled in turn.

use std::{
    fmt,
    hint::black_box,
    time::{Duration, Instant},
};

/// Something to measure: `run(n)` does it `n` times.
pub struct Case {
    name: &'static str,
    /// How many codes, or users, one run is: the time is told for one of them.
    items: u32,
    repeats: u32,
    run: Box<dyn FnMut(u32)>,
}

impl Case {
    /// A case that is timed by `items` of what one call of `call` does.
    pub fn new<T>(name: &'static str, items: u32, mut call: impl FnMut() -> T + 'static) -> Self {
        let run = Box::new(move |repeats| {
            for _ in 0..repeats {
                black_box(call());
            }
        });
        let mut case = Self { name, items, repeats: 1, run };
        // A sample is long against the clock's own time, and short against what interrupts it. The shortest
        // of several tells how long: one that was interrupted would stop this too early.
        let shortest = |case: &mut Self| (0..9).map(|_| case.sample()).fold(f64::MAX, f64::min);
        while shortest(&mut case) * f64::from(case.repeats * items) < 10_000.0 {
            case.repeats *= 2;
        }
        case
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// How long `n` items take, as criterion asks; at least one call is made.
    pub fn times(&mut self, n: u64) -> Duration {
        let calls = u32::try_from(n.div_ceil(u64::from(self.items))).unwrap_or(u32::MAX).max(1);
        let start = Instant::now();
        (self.run)(calls);
        let done = f64::from(calls) * f64::from(self.items);
        #[allow(clippy::cast_precision_loss, reason = "criterion asks for thousands")]
        start.elapsed().mul_f64(n as f64 / done)
    }

    /// Nanoseconds an item, once.
    #[allow(clippy::cast_precision_loss, reason = "a sample is microseconds long")]
    fn sample(&mut self) -> f64 {
        let start = Instant::now();
        (self.run)(self.repeats);
        start.elapsed().as_nanos() as f64 / f64::from(self.repeats * self.items)
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The lowest decile of each case's samples, in nanoseconds an item, in the order of the cases. All cases
/// are sampled once in each round.
pub fn lowest_deciles(cases: &mut [Case], rounds: usize) -> Vec<f64> {
    let mut samples: Vec<Vec<f64>> = cases.iter().map(|_| Vec::with_capacity(rounds)).collect();
    for _ in 0..rounds {
        for (case, samples) in cases.iter_mut().zip(&mut samples) {
            samples.push(case.sample());
        }
    }
    samples
        .into_iter()
        .map(|mut samples| {
            samples.sort_by(f64::total_cmp);
            samples.get(rounds / 10).copied().unwrap_or(f64::NAN)
        })
        .collect()
}

/// Keeps this thread on the last core that it may run on, and tells which, where the system can.
#[must_use]
pub fn pin() -> Option<usize> {
    let allowed = rustix::thread::sched_getaffinity(None).ok()?;
    let core = (0..rustix::thread::CpuSet::MAX_CPU).rev().find(|core| allowed.is_set(*core))?;
    let mut one = rustix::thread::CpuSet::new();
    one.set(core);
    rustix::thread::sched_setaffinity(None, &one).ok()?;
    Some(core)
}

/// The processor's name, as the system tells it.
#[must_use]
pub fn cpu() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line =
            info.lines().find(|line| line.split(':').next().is_some_and(|n| n.trim() == name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let name = field("model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    match (field("cpu family"), field("model")) {
        (Some(family), Some(model)) => format!("{name} (family {family}, model {model})"),
        _ => name,
    }
}
