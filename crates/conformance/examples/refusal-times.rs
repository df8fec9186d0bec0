//! How long refusals of one class take, compared by Welch's t, with a planted leak of each class as the control.
//!
//! ```text
//! cargo run --release -p countersign-conformance --example refusal-times
//! ```
//!
//! Cases are taken in turn, in process, over the memory store. As dudect does, only the samples below a common quantile
//! count, and |t| above 10 is a difference. The planted leak is the same case with a few microseconds more.

#![allow(clippy::disallowed_methods, reason = "measuring is reading the clock")]

use std::error::Error;
use std::time::{Duration, Instant};

use countersign_conformance::refusals::{CLASSES, Case, Refusals};
use countersign_token::Params;

/// Samples of each case.
const SAMPLES: usize = 4_000;
/// What dudect takes for certain.
const THRESHOLD: f64 = 10.0;
/// How much of a planted leak there is, in microseconds: where the work crosses to another thread, and where not.
const PLANTED_AFAR: u64 = 20;
const PLANTED: u64 = 5;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut differs = false;
    for (class, cases) in CLASSES {
        let crosses = cases.contains(&Case::WrongPassword);
        let planted = if crosses { PLANTED_AFAR } else { PLANTED };
        // As cheap as can be: what else differs would drown in the usual one's noise.
        let mut world = Refusals::new(Params::INSECURE_FOR_TESTS).await;
        // The last is the first again, with the leak.
        let mut taken: Vec<Vec<f64>> = vec![Vec::new(); cases.len().saturating_add(1)];
        for _ in 0..SAMPLES {
            let planted = Duration::from_micros(planted);
            let leaks = std::iter::once((cases.first(), planted));
            let plain = cases.iter().map(|case| (Some(case), Duration::ZERO));
            for (samples, (case, leak)) in taken.iter_mut().zip(plain.chain(leaks)) {
                let Some(case) = case else { continue };
                let ready = world.ready(*case).await;
                let begun = Instant::now();
                let told = world.refuse(&ready).await;
                let refused = Instant::now();
                while refused.elapsed() < leak {}
                samples.push(begun.elapsed().as_secs_f64() * 1e6);
                drop(told);
            }
        }
        let Some((control, taken)) = taken.split_last() else { continue };
        let Some((first, rest)) = taken.split_first() else { continue };
        for (case, samples) in cases.iter().skip(1).zip(rest) {
            let t = welch(first, samples);
            differs |= t.abs() > THRESHOLD;
            println!("{class}: {case:?} against the first: {}", told(t, first, samples));
        }
        let t = welch(first, control);
        println!("{class}: planted leak of {planted} us: {}", told(t, first, control));
        if t.abs() <= THRESHOLD {
            return Err(format!("{class}: a planted leak was not seen").into());
        }
    }
    if differs { Err("refusals of one class can be told apart by time".into()) } else { Ok(()) }
}

fn told(t: f64, one: &[f64], other: &[f64]) -> String {
    format!("t = {t:.1}, medians {:.1} and {:.1} us", quantile(one, 50), quantile(other, 50))
}

/// Welch's t of what is below the common 80th percentile.
fn welch(one: &[f64], other: &[f64]) -> f64 {
    let both: Vec<f64> = one.iter().chain(other).copied().collect();
    let most = quantile(&both, 80);
    let ((a, va, na), (b, vb, nb)) = (moments(one, most), moments(other, most));
    (a - b) / (va / na + vb / nb).sqrt()
}

/// Mean, variance and count of what is not above `most`.
fn moments(samples: &[f64], most: f64) -> (f64, f64, f64) {
    let kept = || samples.iter().filter(|sample| **sample <= most);
    let count = kept().fold(0.0, |count, _| count + 1.0);
    let mean = kept().sum::<f64>() / count;
    let variance = kept().map(|sample| (sample - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, variance, count)
}

fn quantile(samples: &[f64], percent: usize) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = sorted.len().saturating_sub(1).saturating_mul(percent) / 100;
    sorted.get(at).copied().unwrap_or_default()
}
