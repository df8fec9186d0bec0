//! The times of ours beside those of others, from one run. `--json` prints an object a line.
#![allow(clippy::print_stdout, reason = "this is what it is for")]

use countersign_benches::{
    ours, peers,
    sampling::{Case, cpu, lowest_deciles, pin},
};

/// How often each case is sampled.
const ROUNDS: usize = 2000;

/// A case of ours, what it is compared with, how often that is done in its place, and the ratio that it
/// has to keep.
struct Line {
    ours: &'static str,
    peer: &'static str,
    theirs: &'static str,
    times: f64,
    gate: Option<f64>,
}

const fn gate(ours: &'static str, theirs: &'static str, times: f64, gate: f64) -> Line {
    Line { ours, peer: "totp-rs", theirs, times, gate: Some(gate) }
}

const fn beside(ours: &'static str, peer: &'static str, theirs: &'static str) -> Line {
    Line { ours, peer, theirs, times: 1.0, gate: None }
}

const LINES: [Line; 17] = [
    gate("generate_kept", "totp-rs generate", 1.0, 0.48),
    gate("verify_kept", "totp-rs check", 1.0, 0.25),
    gate("verify_raw", "totp-rs check", 1.0, 0.36),
    gate("batch_generate", "totp-rs generate", 1.0, 0.10),
    gate("batch_generate_same_step", "totp-rs generate", 1.0, 0.075),
    gate("batch_verify", "totp-rs check", 1.0, 0.085),
    gate("batch_generate_sha512", "totp-rs generate sha512", 1.0, 0.10),
    gate("lookahead16", "totp-rs generate", 16.0, 0.15),
    gate("generate_safe", "totp-rs generate", 1.0, 0.55),
    beside("batch_generate_scattered", "totp-rs", "totp-rs generate"),
    beside("generate_kept", "hmac", "hmac (kept key)"),
    beside("generate_kept", "totp-rfc", "totp-rfc generate"),
    beside("verify_kept", "totp-rfc", "totp-rfc verify_window"),
    beside("verify_raw", "totp-rfc", "totp-rfc verify_window"),
    beside("generate_kept", "liboath", "liboath generate"),
    beside("verify_kept", "liboath", "liboath validate"),
    beside("verify_raw", "liboath", "liboath validate"),
];

fn main() {
    let json = std::env::args().any(|argument| argument == "--json");
    let core = pin();
    let mut cases: Vec<Case> = ours::gated();
    cases.push(ours::generate_safe());
    cases.push(ours::generate_scattered());
    cases.extend(peers::totp_rs());
    cases.extend(peers::totp_rfc());
    cases.push(peers::hmac_kept());
    cases.extend(peers::liboath().into_iter().flatten());

    let times = lowest_deciles(&mut cases, ROUNDS);
    let time = |name: &str| {
        cases.iter().zip(&times).find(|(case, _)| case.name() == name).map(|(_, time)| *time)
    };
    let cpu = cpu();
    if !json {
        println!("{cpu}, core {core:?}: lowest decile of {ROUNDS} samples, nanoseconds");
        println!(
            "{:26} {:>9}  {:10} {:>9}  {:>6}  gate",
            "case", "ours", "peer", "peer's", "ratio"
        );
    }
    for line in LINES {
        let (Some(ours), Some(theirs)) = (time(line.ours), time(line.theirs)) else {
            continue;
        };
        let theirs = theirs * line.times;
        let ratio = ours / theirs;
        if json {
            println!(
                r#"{{"case":"{}","ours_ns":{ours:.2},"peer":"{}","peer_ns":{theirs:.2},"ratio":{ratio:.4},"cpu":{}}}"#,
                line.ours,
                line.peer,
                serde_json::Value::from(cpu.as_str()),
            );
        } else {
            let gate = line.gate.map_or_else(String::new, |gate| {
                format!("{gate} {}", if ratio <= gate { "kept" } else { "MISSED" })
            });
            println!(
                "{:26} {ours:9.2}  {:10} {theirs:9.2}  {ratio:6.4}  {gate}",
                line.ours, line.peer
            );
        }
    }
}
