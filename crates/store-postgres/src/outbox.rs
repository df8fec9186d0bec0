//! How full the outbox is, without a row that every commit would write.
//!
//! The node counts once, and then knows what it added and took out itself. What other nodes did it
//! learns by counting again: beside each group where the bound is small enough to count, and else
//! about once a second while the outbox is nearly full. So the bound is exact for one node, and for
//! a fleet it is off by what the others wrote within that second.

use std::sync::atomic::{AtomicU64, Ordering};

use countersign_ceremony::port::{Outbox, WhenFull};

/// Up to this bound the events are counted beside each group that brings some.
const COUNTED: u64 = 4096;

/// The outbox as this node sees it.
#[derive(Debug)]
pub(crate) struct Fill {
    pub(crate) outbox: Outbox,
    waiting: AtomicU64,
}

impl Fill {
    pub(crate) const fn new(outbox: Outbox, waiting: u64) -> Self {
        Self { outbox, waiting: AtomicU64::new(waiting) }
    }

    /// Whether it has to be counted before a group is written.
    pub(crate) const fn is_counted(&self) -> bool {
        self.outbox.bound <= COUNTED
    }

    pub(crate) const fn refuses(&self) -> bool {
        matches!(self.outbox.when_full, WhenFull::Refuse)
    }

    /// How many events have room.
    pub(crate) fn room(&self) -> u64 {
        self.outbox.bound.saturating_sub(self.waiting.load(Ordering::Relaxed))
    }

    pub(crate) fn counted(&self, waiting: u64) {
        self.waiting.store(waiting, Ordering::Relaxed);
    }

    pub(crate) fn added(&self, events: u64) {
        self.waiting.fetch_add(events, Ordering::Relaxed);
    }

    pub(crate) fn removed(&self, events: u64) {
        let fewer = |waiting: u64| Some(waiting.saturating_sub(events));
        // It always changes.
        let _before = self.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer);
    }

    /// Nearly full: time to see what the others did, and to make room ahead of the next commits.
    pub(crate) fn is_close(&self) -> bool {
        !self.is_counted() && self.room() < self.outbox.bound / 16
    }

    /// How many of the oldest give way ahead of time where so many wait, so that commits do not.
    pub(crate) fn excess(&self, waiting: u64) -> u64 {
        if self.refuses() {
            return 0;
        }
        let wanted = self.outbox.bound.saturating_sub(self.outbox.bound / 64);
        if waiting > wanted { waiting.saturating_sub(wanted) } else { 0 }
    }
}
