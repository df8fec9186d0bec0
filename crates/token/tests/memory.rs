//! What Argon2 took goes back to the system, whichever thread hashed.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::fs;
use std::thread;

use countersign_token::Params;
use countersign_token::password::PasswordHash;

/// Threads that hash at once, each in memory of its own.
const THREADS: usize = 8;
/// What may be left: a fifth of what one hash took on each of them.
const LEFT: usize = THREADS * 19 * 1024 / 5;

/// Memory that the process holds, in KiB.
fn held() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn hashing_on_many_threads_leaves_no_memory_behind() {
    let before = held();
    // The threads stay: what an arena keeps, it keeps for its threads.
    let (done, wait) = (std::sync::Barrier::new(THREADS + 1), std::sync::Barrier::new(THREADS + 1));
    thread::scope(|scope| {
        for n in 0..THREADS {
            let (done, wait) = (&done, &wait);
            scope.spawn(move || {
                for _ in 0..3 {
                    let salt = [u8::try_from(n).unwrap(); 16];
                    PasswordHash::of(b"password", &salt, Params::DEFAULT).unwrap();
                }
                done.wait();
                wait.wait();
            });
        }
        done.wait();
        let left = held().saturating_sub(before);
        wait.wait();
        assert!(left < LEFT, "{left} KiB are left");
    });
}
