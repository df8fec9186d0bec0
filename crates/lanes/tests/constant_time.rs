//! Secret-marked memory under valgrind: in every kernel that it can run, no branch and no address depends
//! on a state, a tail or a block. It knows no AVX-512 and no SHA extensions; their kernels are made of
//! instructions whose time does not depend on data, from the same source of rounds (AVX-512) or without a
//! branch but over counts (SHA).
//!
//! `cargo build --release -p countersign-lanes --example secret_marked_lanes`, then
//! `cargo test -p countersign-lanes --test constant_time -- --ignored`
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{path::PathBuf, process::Command};

fn example() -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    while path.file_name().is_some_and(|name| name != "debug" && name != "release") {
        path.pop();
    }
    path.pop();
    path.join("release/examples/secret_marked_lanes")
}

/// What the example says under valgrind, and what valgrind says.
fn run(operation: &str) -> (String, String) {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--error-limit=no", "--num-callers=20", "--read-inline-info=yes"]);
    let output = valgrind.arg(example()).arg(operation).output().unwrap();
    assert!(output.status.success(), "{operation}: {}", String::from_utf8_lossy(&output.stderr));
    let [said, report] =
        [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(report.contains("ERROR SUMMARY"), "{report}");
    (said, report)
}

#[test]
#[ignore = "needs valgrind, and the example in release: run by name"]
fn no_kernel_depends_on_what_it_hashes() {
    let (kernels, _) = run("list");
    let kernels: Vec<&str> = kernels.lines().collect();
    assert!(kernels.contains(&"portable"));
    #[cfg(target_arch = "x86_64")]
    assert_eq!(kernels.contains(&"avx2"), std::arch::is_x86_feature_detected!("avx2"));
    for kernel in kernels {
        let (_, report) = run(kernel);
        assert!(report.contains("ERROR SUMMARY: 0 errors"), "{kernel}: {report}");
    }
}

#[test]
#[ignore = "needs valgrind, and the example in release: run by name"]
fn what_does_depend_is_reported() {
    for (operation, report) in [
        ("branch", "Conditional jump or move depends on uninitialised value"),
        ("address", "Use of uninitialised value"),
    ] {
        assert!(run(operation).1.contains(report), "{operation}");
    }
}
