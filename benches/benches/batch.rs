//! Many codes at once, by the code or by the user, beside one of totp-rs in the same run.

use std::time::Duration;

use countersign_benches::{ours, peers, sampling::Case};
use criterion::{Criterion, criterion_group, criterion_main};

fn batch(c: &mut Criterion) {
    let ours = ours::gated().into_iter().filter(|case| !case.name().ends_with("_kept"));
    let mut cases: Vec<Case> = ours.filter(|case| case.name() != "verify_raw").collect();
    cases.push(ours::generate_scattered());
    cases.extend(peers::totp_rs());
    let mut group = c.benchmark_group("batch");
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    for mut case in cases {
        group.bench_function(case.name(), |b| b.iter_custom(|n| case.times(n)));
    }
    group.finish();
}

criterion_group!(benches, batch);
criterion_main!(benches);
