//! The alarm before the outbox is full.
//!
//! At four fifths of the bound an error is logged, once until it has emptied to three fifths; and
//! again, each minute, while it is full. The gauges `events_waiting` and `events_bound` say how it
//! stands at any time.

use std::sync::Weak;
use std::time::Duration;

use countersign_ceremony::port::{Outbox, Store, WhenFull};

/// How often the outbox is counted.
const EVERY: Duration = Duration::from_secs(5);
/// After how many counts a full outbox is told of again.
const AGAIN: u32 = 12;

/// Counts what waits, until the store is gone.
pub async fn watch<S: Store>(store: Weak<S>, outbox: Outbox) {
    let mut alarm = Alarm { outbox, raised: false, full_for: 0 };
    loop {
        let Some(held) = store.upgrade() else { return };
        match held.waiting().await {
            Ok(Some(waiting)) => alarm.counted(waiting),
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "the outbox of audit events was not counted"),
        }
        drop(held);
        tokio::time::sleep(EVERY).await;
    }
}

#[derive(Debug)]
struct Alarm {
    outbox: Outbox,
    raised: bool,
    full_for: u32,
}

impl Alarm {
    #[allow(clippy::cast_precision_loss, reason = "a gauge is a float")]
    fn counted(&mut self, waiting: u64) {
        let Outbox { bound, when_full } = self.outbox;
        metrics::gauge!("events_waiting").set(waiting as f64);
        metrics::gauge!("events_bound").set(bound as f64);
        let then = match when_full {
            WhenFull::Refuse => "beyond it logins are refused with 503",
            WhenFull::DropOldest => "beyond it the oldest are lost",
        };
        // A store that keeps its bound in shares makes room a little before the end.
        if waiting >= bound.saturating_sub(bound / 64) {
            if self.full_for.is_multiple_of(AGAIN) {
                tracing::error!(waiting, bound, then, "the outbox of audit events is full");
            }
            self.full_for = self.full_for.wrapping_add(1);
            self.raised = true;
            return;
        }
        self.full_for = 0;
        if !self.raised && waiting >= bound.saturating_sub(bound / 5) {
            self.raised = true;
            tracing::error!(waiting, bound, then, "the outbox of audit events is nearly full");
        } else if self.raised && waiting <= bound / 5 * 3 {
            self.raised = false;
            tracing::info!(waiting, bound, "the outbox of audit events has room again");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_raised_once_before_the_end_and_ends_when_there_is_room() {
        let outbox = Outbox { bound: 1000, when_full: WhenFull::Refuse };
        let mut alarm = Alarm { outbox, raised: false, full_for: 0 };
        for (waiting, raised) in [
            (799, false),
            (800, true),
            (700, true),
            (600, false),
            (790, false),
            (1000, true),
            (601, true),
        ] {
            alarm.counted(waiting);
            assert_eq!(alarm.raised, raised, "{waiting}");
        }
    }
}
