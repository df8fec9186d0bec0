//! One code from one key: ours and totp-rs in the same run.

use std::{hint::black_box, time::Duration};

use criterion::{Criterion, criterion_group, criterion_main};
use totp_rs::{Algorithm, Builder};

fn generate(c: &mut Criterion) {
    let mut group = c.benchmark_group("generate");
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    for algorithm in [Algorithm::SHA1, Algorithm::SHA256, Algorithm::SHA512] {
        let totp = Builder::new().with_algorithm(algorithm).with_secret(vec![0x42; 20]).build_noncompliant();
        group.bench_function(format!("totp-rs/{algorithm}"), |b| {
            b.iter(|| black_box(&totp).generate(black_box(1_700_000_000)));
        });
    }
    group.finish();
}

criterion_group!(benches, generate);
criterion_main!(benches);
