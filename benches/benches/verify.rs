//! A wrong code within a step of now: ours and others' in one run.

use std::time::Duration;

use countersign_benches::{ours, peers, sampling::Case};
use criterion::{Criterion, criterion_group, criterion_main};

fn verify(c: &mut Criterion) {
    let [_, totp_rs, _] = peers::totp_rs();
    let [_, totp_rfc] = peers::totp_rfc();
    let ours = ours::gated().into_iter().filter(|case| case.name().starts_with("verify"));
    let mut cases: Vec<Case> = ours.collect();
    cases.extend([totp_rs, totp_rfc]);
    cases.extend(peers::liboath().into_iter().flatten().skip(1));
    let mut group = c.benchmark_group("verify");
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    for mut case in cases {
        group.bench_function(case.name(), |b| b.iter_custom(|n| case.times(n)));
    }
    group.finish();
}

criterion_group!(benches, verify);
criterion_main!(benches);
