//! Against programs that share nothing with this crate: `oathtool` of the OATH toolkit, over its windows, so
//! that a process tells a hundred codes, and Python's `hmac`, in one process.
//!
//! An absent program is said in one line; where `CI` is set it is a failure.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::{
    io::Write,
    process::{Command, Stdio},
};

use countersign_otp::{Algorithm, Digits, Hotp, Keyed, Period, Secret, Totp, UnixTime};

const ALGORITHMS: [Algorithm; 3] = [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512];
const DIGITS: [Digits; 3] = [Digits::Six, Digits::Seven, Digits::Eight];

/// Around the shortest, the blocks of the hashes, and long.
const LENGTHS: [usize; 12] = [16, 20, 32, 63, 64, 65, 100, 127, 128, 129, 199, 200];

/// So many codes after the first one are told too.
const WINDOW: u64 = 100;

/// The first counters of windows that run over 2^31, 2^32 and 2^63.
const STARTS: [u64; 4] = [0, (1 << 31) - 50, (1 << 32) - 50, (1 << 63) - 50];

fn key(len: usize) -> Vec<u8> {
    let mixed = |i: usize| (i + len + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    (0..len).map(|i| mixed(i).to_le_bytes()[0]).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn is_there(program: &str, test: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let there = command.status().is_ok_and(|status| status.success());
    assert!(there || std::env::var_os("CI").is_none(), "{test}: {program} is not installed");
    if !there {
        // Not by `eprintln!`: the harness would swallow it, and a silent skip is a lie.
        let line = format!("not run: {test}: {program} is not installed\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
    }
    there
}

/// The codes that `oathtool` tells.
fn oathtool(arguments: &[String], key: &[u8], digits: Digits) -> Vec<String> {
    let output = Command::new("oathtool")
        .args(arguments)
        .args(["-w", &WINDOW.to_string(), "-d", &digits.count().to_string(), &hex(key)])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// All counters up to the last one of all, after which the toolkit begins anew and so does this test.
#[test]
fn oathtool_agrees_on_hotp() {
    if !is_there("oathtool", "oathtool_agrees_on_hotp") {
        return;
    }
    for len in LENGTHS {
        let bytes = key(len);
        let keyed = Keyed::new(&Secret::from_bytes(&bytes).unwrap(), Algorithm::Sha1);
        for first in STARTS.into_iter().chain([u64::MAX - 50]) {
            for digits in DIGITS {
                let arguments = ["--hotp".to_owned(), format!("-c{first}")];
                let codes = oathtool(&arguments, &bytes, digits);
                let ours = (0..=WINDOW)
                    .map(|i| Hotp::new(digits).code(&keyed, first.wrapping_add(i)))
                    .map(|code| code.as_str().to_owned());
                assert_eq!(codes, ours.collect::<Vec<_>>(), "{len} bytes from {first}");
            }
        }
    }
}

/// The toolkit takes a time in seconds below 2^63; at one second a step all but the last windows are there.
#[test]
fn oathtool_agrees_on_totp() {
    if !is_there("oathtool", "oathtool_agrees_on_totp") {
        return;
    }
    let mut turn = DIGITS.into_iter().cycle();
    for (algorithm, len) in ALGORITHMS.into_iter().flat_map(|a| LENGTHS.map(|len| (a, len))) {
        let bytes = key(len);
        let keyed = Keyed::new(&Secret::from_bytes(&bytes).unwrap(), algorithm);
        let mode = format!("--totp={}", algorithm.name());
        for first in STARTS {
            let digits = turn.next().unwrap();
            // A step of one second is shorter than ours may be: the counter of HOTP in its place.
            let arguments = [mode.clone(), "-s1s".to_owned(), format!("-N@{first}")];
            let codes = oathtool(&arguments, &bytes, digits);
            let ours = (0..=WINDOW)
                .map(|i| Hotp::new(digits).code(&keyed, first + i))
                .map(|code| code.as_str().to_owned());
            assert_eq!(codes, ours.collect::<Vec<_>>(), "{algorithm:?}, {len} bytes from {first}");
        }
        for (period, secs) in [(15, 59), (30, 1_111_111_109), (60, 20_000_000_000), (120, 119)] {
            let digits = turn.next().unwrap();
            let totp = Totp::new(algorithm, digits, Period::new(period).unwrap());
            let arguments = [mode.clone(), format!("-s{period}s"), format!("-N@{secs}")];
            let codes = oathtool(&arguments, &bytes, digits);
            let ours = (0..=WINDOW)
                .map(|i| totp.step_at(UnixTime::from_secs(secs + i * period)))
                .map(|step| totp.code(&keyed, step).as_str().to_owned());
            assert_eq!(codes, ours.collect::<Vec<_>>(), "{algorithm:?}, {len} bytes at {secs}");
        }
    }
}

/// Truncated values of every key length from 16 to 200, at edges and over all magnitudes of counters.
#[test]
fn python_agrees() {
    if !is_there("python3", "python_agrees") {
        return;
    }
    let script = "\
import hmac, sys
for line in sys.stdin.read().splitlines():
    name, key, counter = line.split()
    tag = hmac.new(bytes.fromhex(key), int(counter).to_bytes(8, 'big'), name).digest()
    at = tag[-1] & 15
    print('%08d' % ((int.from_bytes(tag[at:at + 4], 'big') & 0x7fffffff) % 10 ** 8))";
    let edges = [0, 1, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 32, (1 << 32) + 1, 1 << 63];
    let all = (0..64).map(|bit| 0x9e37_79b9_7f4a_7c15_u64 >> bit).chain(edges).chain([u64::MAX]);
    let counters: Vec<u64> = all.collect();
    let (mut asked, mut ours) = (String::new(), String::new());
    for (len, algorithm) in (16..=200).flat_map(|len| ALGORITHMS.map(|a| (len, a))) {
        let bytes = key(len);
        let keyed = Keyed::new(&Secret::from_bytes(&bytes).unwrap(), algorithm);
        let (name, key) = (algorithm.name().to_lowercase(), hex(&bytes));
        for counter in &counters {
            asked += &format!("{name} {key} {counter}\n");
            ours += Hotp::new(Digits::Eight).code(&keyed, *counter).as_str();
            ours.push('\n');
        }
    }
    let mut python = Command::new("python3");
    python.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut python = python.spawn().unwrap();
    // It reads all before it writes.
    python.stdin.take().unwrap().write_all(asked.as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    let theirs = String::from_utf8(output.stdout).unwrap();
    assert_eq!(theirs.lines().count(), 185 * 3 * 73);
    for ((asked, theirs), ours) in asked.lines().zip(theirs.lines()).zip(ours.lines()) {
        assert_eq!(theirs, ours, "{asked}");
    }
}
