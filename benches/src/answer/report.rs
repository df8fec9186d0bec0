//! Alternating pairs, their medians, and the line that tells of them.

use std::fmt;

use super::Outcome;
use super::pass::Pass;

/// How many pairs count. One before them does not: files and caches are still growing to their size.
pub const PAIRS: usize = 5;

/// What pairs came to.
#[derive(Clone, Debug)]
pub struct Line {
    /// Which store, and how it is set.
    pub store: &'static str,
    /// `engine`, `engine, tokens` or `http`.
    pub layer: &'static str,
    /// How many at a time.
    pub clients: usize,
    /// What it is compared with.
    pub ceiling: &'static str,
    /// The ratio that it has to keep.
    pub gate: Option<f64>,
    /// The most that the 99th percentile may be of the median.
    pub tail: Option<f64>,
    ours: f64,
    theirs: f64,
    ratio: f64,
    trips: f64,
    p50: f64,
    p99: f64,
}

/// Pairs, as they are measured.
#[derive(Debug, Default)]
pub struct Pairs {
    ours: Vec<f64>,
    theirs: Vec<f64>,
    ratio: Vec<f64>,
    trips: Vec<f64>,
    p50: Vec<f64>,
    p99: Vec<f64>,
}

impl Pairs {
    /// One more.
    #[allow(clippy::cast_precision_loss, reason = "a pass has thousands")]
    pub fn add(&mut self, pass: &Pass, ceiling: f64) {
        self.ours.push(pass.per_second());
        self.theirs.push(ceiling);
        self.ratio.push(pass.per_second() / ceiling);
        self.trips.push(pass.trips as f64 / pass.latencies.len() as f64);
        self.p50.push(pass.percentile(50));
        self.p99.push(pass.percentile(99));
    }

    /// Their medians. Of the tail, the ratio is of the medians.
    ///
    /// # Errors
    /// A verification took more than two trips to the store.
    pub fn line(
        self,
        (store, layer, clients): (&'static str, &'static str, usize),
        ceiling: &'static str,
        gate: Option<f64>,
        tail: Option<f64>,
    ) -> Outcome<Line> {
        let line = Line {
            store,
            layer,
            clients,
            ceiling,
            gate,
            tail,
            ours: median(self.ours),
            theirs: median(self.theirs),
            ratio: median(self.ratio),
            trips: median(self.trips),
            p50: median(self.p50),
            p99: median(self.p99),
        };
        if line.trips > 2.0 {
            return Err(format!("{:.3} trips a verification: {line}", line.trips).into());
        }
        Ok(line)
    }
}

impl Line {
    /// As one JSON object.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::json!({
            "store": self.store, "layer": self.layer, "clients": self.clients,
            "ours_per_s": self.ours.round(), "ceiling": self.ceiling,
            "ceiling_per_s": self.theirs.round(), "ratio": self.ratio,
            "round_trips": self.trips, "p50_ms": self.p50, "p99_ms": self.p99,
        })
        .to_string()
    }

    fn kept(&self) -> &'static str {
        let rate = self.gate.is_none_or(|gate| self.ratio >= gate);
        let tail = self.tail.is_none_or(|tail| self.p99 <= tail * self.p50);
        match (self.gate.or(self.tail), rate && tail) {
            (None, _) => "",
            (_, true) => "kept",
            (_, false) => "missed",
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { store, layer, clients, ceiling, ours, theirs, ratio, trips, p50, p99, .. } =
            self;
        let gate = self.gate.map_or_else(String::new, |gate| gate.to_string());
        write!(
            f,
            "| {store} | {layer} | {clients} | {ours:.0} | {ceiling} | {theirs:.0} | {ratio:.2} | {gate} | \
             {trips:.2} | {p50:.2} | {p99:.2} | {} |",
            self.kept()
        )
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
