//! The one clock of these tests. The server is a process of its own and reads the system's clock, so they must too.

use std::time::{Duration, Instant, SystemTime};

/// Seconds since 1970-01-01 UTC.
#[allow(clippy::disallowed_methods, reason = "the tests' one clock")]
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

/// Asks again until there is an answer, for at most `patience`.
#[allow(clippy::disallowed_methods, reason = "the tests' one clock")]
pub(crate) fn wait_for<T>(patience: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        if begun.elapsed() > patience {
            return None;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// How long something takes, and what came of it.
#[allow(clippy::disallowed_methods, reason = "the tests' one clock")]
pub(crate) fn timed<T>(act: impl FnOnce() -> T) -> (Duration, T) {
    let begun = Instant::now();
    let came = act();
    (begun.elapsed(), came)
}
