//! A process that is killed in the middle of load, again and again, on one file.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::env;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use countersign_ceremony::port::Outbox;
use countersign_conformance::Dial;
use countersign_conformance::crash::{Account, write_until_killed};
use countersign_otp::UnixTime;
use countersign_store_sqlite::SqliteStore;

/// Names the file to write to, in the process that is to be killed.
const VICTIM: &str = "COUNTERSIGN_TEST_VICTIM";

/// How many threads write; more than one, so that groups form.
const CLIENTS: u8 = 16;

fn open(path: &Path) -> SqliteStore {
    let clock = Arc::new(Dial::at(UnixTime::from_secs(1_700_000_000)));
    SqliteStore::open(path, clock, Outbox::default()).unwrap()
}

/// This very test program, running only the test below, as the victim.
fn victim(before: &str, file: &Path) -> Command {
    let mut command = Command::new("/bin/sh");
    let script = format!("{before} exec \"$0\" \"$@\"");
    command.args(["-c", &script]).arg(env::current_exe().unwrap());
    command.args(["--exact", "the_victim_ends_when_nobody_hears_it", "--nocapture"]);
    command.env(VICTIM, file).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// An output that takes some lines.
struct Deaf(usize);

impl io::Write for Deaf {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(1).ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_victim_ends_when_nobody_hears_it() {
    if let Some(file) = env::var_os(VICTIM) {
        let why = write_until_killed(&open(Path::new(&file)), CLIENTS, io::stdout());
        panic!("the victim came to an end: {why:?}");
    }
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("db"));
    assert!(write_until_killed(&store, 2, Deaf(200)).is_err());
    assert!(store.written().writes > 10);
}

#[test]
#[cfg(unix)]
fn what_was_acknowledged_survives_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("db");
    let mut account = Account::default();
    for kill in 1..=6_u64 {
        let mut child = victim("", &file).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let enough = account.acknowledged() + 150 * kill;
        while account.acknowledged() < enough {
            account.hear(&lines.next().unwrap().unwrap());
        }
        child.kill().unwrap();
        // What it had said before it died.
        lines.map_while(Result::ok).for_each(|line| account.hear(&line));
        assert!(!child.wait().unwrap().success());

        let store = open(&file);
        account.judge(&store).unwrap_or_else(|lost| panic!("after kill {kill}: {lost}"));
        store.check().unwrap();
    }
    assert!(account.acknowledged() > 3000);
}

/// A file that may not grow further stands for a disk that is full.
#[test]
#[cfg(unix)]
fn a_full_disk_is_an_answer_and_no_acknowledged_write_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("db");
    let mut account = Account::default();
    // In blocks of 512 bytes; the signal that would kill is ignored, so that writes fail.
    let ended = victim("ulimit -f 1500; trap '' XFSZ;", &file).output().unwrap();
    let heard = String::from_utf8(ended.stdout).unwrap();
    heard.lines().for_each(|line| account.hear(line));
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(said.contains("Unavailable") || said.contains("Unknown"), "{said}");
    assert!(!said.contains("the store panicked"), "{said}");
    assert!(account.acknowledged() > 100, "the limit came too early to show anything");

    let store = open(&file);
    account.judge(&store).unwrap();
    store.check().unwrap();
}

#[test]
fn a_judge_misses_what_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("db"));
    let mut account = Account::default();
    for line in ["begins 0 1", "won 0 1"] {
        account.hear(line);
    }
    assert!(account.judge(&store).unwrap_err().contains("1 were acknowledged"));
}
