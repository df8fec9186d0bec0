//! The one clock of the project: everything below takes the time as an argument.

use std::time::{Duration, SystemTime};

use countersign_ceremony::env::{Clock, Later};
use countersign_otp::UnixTime;

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the one clock")]
    fn now(&self) -> UnixTime {
        // A clock before 1970 is no clock: every code and every expiry fails closed at second 0.
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        UnixTime::from_secs(since.map_or(0, |since| since.as_secs()))
    }

    fn pause(&self, millis: u64) -> Later<'_, ()> {
        Box::pin(tokio::time::sleep(Duration::from_millis(millis)))
    }
}
