//! One code: ours and others' in one run.

use std::time::Duration;

use countersign_benches::{ours, peers, sampling::Case};
use criterion::{Criterion, criterion_group, criterion_main};

fn generate(c: &mut Criterion) {
    let [totp_rs, _, totp_rs_sha512] = peers::totp_rs();
    let [totp_rfc, _] = peers::totp_rfc();
    let mut cases: Vec<Case> = ours::gated().into_iter().take(1).collect();
    cases.extend([ours::generate_safe(), totp_rs, totp_rs_sha512, totp_rfc, peers::hmac_kept()]);
    cases.extend(peers::liboath().into_iter().flatten().take(1));
    let mut group = c.benchmark_group("generate");
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    for mut case in cases {
        group.bench_function(case.name(), |b| b.iter_custom(|n| case.times(n)));
    }
    group.finish();
}

criterion_group!(benches, generate);
criterion_main!(benches);
