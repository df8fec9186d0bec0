//! The command line: codes against oathtool, QR codes in the terminal, and configurations that do not load.

use std::path::Path;
use std::process::Output;

use super::support::qr;
use super::support::server::{Server, countersign};
use super::support::tool::Tool;

/// RFC 6238, appendix B: the secrets of SHA-1, SHA-256 and SHA-512, in base32.
const SECRETS: [(&str, &str); 3] = [
    ("SHA1", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"),
    ("SHA256", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA"),
    (
        "SHA512",
        "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNA",
    ),
];

/// The times of appendix B.
const TIMES: [&str; 6] =
    ["59", "1111111109", "1111111111", "1234567890", "2000000000", "20000000000"];

fn run(arguments: &[&str]) -> Output {
    countersign().args(arguments).output().unwrap()
}

#[track_caller]
fn printed(arguments: &[&str]) -> String {
    let output = run(arguments);
    let shown = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {shown}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// What a failing command wrote to standard error.
#[track_caller]
fn complaint(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(!output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(!complaint.contains("panicked"), "{complaint}");
    assert!(!complaint.trim().is_empty(), "{arguments:?} says what is wrong");
    complaint
}

#[test]
fn code_prints_the_vectors_of_the_rfcs() {
    let (_, sha1) = SECRETS[0];
    for (counter, code) in ["755224", "287082", "359152", "969429"].iter().enumerate() {
        let counter = counter.to_string();
        assert_eq!(printed(&["code", "--secret", sha1, "--counter", &counter]), *code);
    }
    let eight = |(algorithm, secret)| {
        printed(&[
            "code",
            "--secret",
            secret,
            "--algorithm",
            algorithm,
            "--digits",
            "8",
            "--at",
            "59",
        ])
    };
    assert_eq!(SECRETS.map(eight), ["94287082", "46119246", "90693936"]);
}

#[test]
fn code_agrees_with_oathtool() {
    let Some([oathtool]) = Tool::find(["oathtool"], "code_agrees_with_oathtool") else { return };
    for (algorithm, secret) in SECRETS {
        for digits in ["6", "7", "8"] {
            for at in TIMES {
                for period in ["30", "60"] {
                    let ours = printed(&[
                        "code",
                        "--secret",
                        secret,
                        "--algorithm",
                        algorithm,
                        "--digits",
                        digits,
                        "--period",
                        period,
                        "--at",
                        at,
                    ]);
                    let (mode, now) = (format!("--totp={algorithm}"), format!("@{at}"));
                    let step = format!("{period}s");
                    let theirs = oathtool
                        .run(&[&mode, "-b", secret, "-d", digits, "-s", &step, "--now", &now]);
                    assert_eq!(ours, theirs, "{algorithm} {digits} {period} {at}");
                }
            }
        }
    }
    let (_, sha1) = SECRETS[0];
    for counter in ["0", "1", "9", "4294967296", "9007199254740993"] {
        for digits in ["6", "8"] {
            let ours =
                printed(&["code", "--secret", sha1, "--digits", digits, "--counter", counter]);
            assert_eq!(ours, oathtool.run(&["--hotp", "-b", sha1, "-d", digits, "-c", counter]));
        }
    }
}

#[test]
fn code_refuses_what_it_cannot_mean() {
    let (_, secret) = SECRETS[0];
    complaint(&["code"]);
    complaint(&["code", "--secret", "not base32!"]);
    complaint(&["code", "--secret", secret, "--digits", "5"]);
    complaint(&["code", "--secret", secret, "--digits", "9"]);
    complaint(&["code", "--secret", secret, "--algorithm", "MD5"]);
    complaint(&["code", "--secret", secret, "--period", "0"]);
    complaint(&["code", "--secret", secret, "--at", "59", "--counter", "1"]);
    let said = complaint(&["code", "--secret", "not base32!"]);
    assert!(!said.contains("not base32!"), "a secret is not repeated: {said}");
}

#[test]
fn qr_draws_in_the_terminal_what_a_phone_reads() {
    let uri = "otpauth://totp/Example:ada@example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Example&algorithm=SHA1&digits=6&period=30";
    let drawn = printed(&["qr", uri]);
    assert_eq!(qr::read_terminal(&drawn), uri);
    assert!(!drawn.contains("JBSWY3DP"), "the secret is in the picture alone");
    complaint(&["qr"]);
    complaint(&["qr", "https://example.com"]);
}

#[test]
fn help_names_every_command() {
    let help = printed(&["--help"]);
    for command in ["demo", "serve", "code", "qr", "user", "vendor-token", "events"] {
        assert!(help.contains(command), "{command} is missing in\n{help}");
        printed(&[command, "--help"]);
    }
    complaint(&["no-such-command"]);
}

#[test]
fn server_ends_at_sigterm_as_asked() {
    Server::demo().stop();
}

#[test]
fn absent_configuration_is_named() {
    let said = complaint(&["serve", "--config", "/nowhere/countersign.toml"]);
    assert!(said.contains("/nowhere/countersign.toml"), "{said}");
}

#[test]
fn bad_configuration_says_what_and_where() {
    let directory = tempfile::tempdir().unwrap();
    let complaint_about = |config: &str| {
        let file = directory.path().join("countersign.toml");
        std::fs::write(&file, config).unwrap();
        let said = complaint(&["serve", "--config", file.to_str().unwrap()]);
        assert!(said.contains("countersign.toml"), "where: {said}");
        said
    };
    complaint_about("listen = ");
    let said = complaint_about("no_such_setting = 1\n");
    assert!(said.contains("no_such_setting"), "{said}");
    let said = complaint_about("listen = 7\n");
    assert!(said.contains("listen"), "{said}");
    let said = complaint_about("listen = \"nowhere\"\n");
    assert!(said.contains("listen"), "{said}");
}

#[test]
fn absent_data_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let absent = directory.path().join("absent");
    for command in ["events", "vendor-token"] {
        let said = complaint(&[command, "--data", absent.to_str().unwrap()]);
        assert!(said.contains("absent"), "{said}");
        assert!(!Path::new(&absent).exists(), "{command} made no data directory");
    }
}
