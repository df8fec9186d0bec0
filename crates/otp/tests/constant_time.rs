//! Secret-marked memory under valgrind: no branch and no address depends on a key, a code or a base32
//! secret, but the lines below, each of which tells what the caller is told anyway.
//!
//! `cargo build --release -p countersign-otp --example secret_marked`, then
//! `cargo test -p countersign-otp --test constant_time -- --ignored`
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::{collections::BTreeSet, path::PathBuf, process::Command};

/// The operations, and the source lines at which each may branch, by what they say.
const OPERATIONS: [(&str, &[&str]); 10] = [
    ("generate", &[]),
    // What became of the code is told.
    ("find", &["match self.latest(", "(fresh != 0)", "(fresh | replayed != 0)"]),
    ("resynchronise", &["(found != 0)", ".latest_pair("]),
    ("hotp", &["(fresh != 0)", "(fresh | replayed != 0)", ".latest(candidate", "latest.flatten()"]),
    ("steam", &["match self.latest(", "(fresh != 0)", "(fresh | replayed != 0)"]),
    ("compare", &[]),
    // Whether it is a code at all is told.
    ("parse", &["if foreign == 0"]),
    // Whether it is base32, and canonical, is told.
    ("base32", &["Base32UpperUnpadded::decode", "base32::decode(", "bool::from(canonical)"]),
    ("delivered", &[]),
    // A draw that is rejected is thrown away.
    ("uniform", &[">= surplus", "if foreign == 0"]),
];

fn example() -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    while path.file_name().is_some_and(|name| name != "debug" && name != "release") {
        path.pop();
    }
    path.pop();
    path.join("release/examples/secret_marked")
}

/// The lines of this crate nearest to each branch or address that depended on a secret.
fn reported(operation: &str) -> BTreeSet<String> {
    let output = Command::new("valgrind")
        .args(["--error-limit=no", "--num-callers=30", "--read-inline-info=yes"])
        .arg(example())
        .arg(operation)
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(report.contains("ERROR SUMMARY"), "{report}");
    let report = report.replace("Use of uninitialised", "depends on uninitialised");
    report.split("depends on uninitialised").skip(1).map(place).collect()
}

/// The source line of the first frame of an error that lies in this crate.
fn place(error: &str) -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    for frame in error.lines().filter(|line| line.contains(" at 0x") || line.contains(" by 0x")) {
        let Some((_, at)) = frame.rsplit_once('(') else { continue };
        let Some((file, line)) = at.trim_end_matches(')').split_once(':') else { continue };
        for folder in ["src", "examples", "../codes/src"] {
            if let Ok(text) = std::fs::read_to_string(root.join(folder).join(file)) {
                let Some(source) = line.parse::<usize>().ok().and_then(|n| text.lines().nth(n - 1))
                else {
                    continue;
                };
                return format!("{file}:{line}: {}", source.trim());
            }
        }
    }
    format!("outside: {error}")
}

#[test]
#[ignore = "needs valgrind, and the example in release: run by name"]
fn nothing_depends_on_a_secret_but_the_answer() {
    for (operation, allowed) in OPERATIONS {
        for line in reported(operation) {
            assert!(allowed.iter().any(|a| line.contains(a)), "{operation}: {line}");
        }
    }
}

#[test]
#[ignore = "needs valgrind, and the example in release: run by name"]
fn what_does_depend_is_reported() {
    for operation in ["branch", "address"] {
        assert!(!reported(operation).is_empty(), "{operation}");
    }
}
