//! Which jobs go together: at most one of a key, and no more than the outbox has room for.
//!
//! Two jobs of one key in a statement would update one row once, and both would read "won".

use std::collections::{HashSet, VecDeque};

use countersign_ceremony::port::{Key, Settle, Settled, StoreError};
use tokio::sync::oneshot;

use crate::lane::Job;
use crate::outbox::Fill;

/// How many jobs go together at most.
const GROUP: usize = 64;

/// How many bytes go together at most, beside one job that is longer by itself.
const BYTES: usize = 4 << 20;

/// How many events go together at most: the database counts its way to each of them. As many as one settle may have.
pub(crate) const EVENTS: usize = 4096;

/// One settle, and who waits for its verdict.
pub(crate) struct Swap {
    pub(crate) settle: Settle,
    pub(crate) reply: oneshot::Sender<Result<Settled, StoreError>>,
}

impl Swap {
    pub(crate) fn answer(self, verdict: Result<Settled, StoreError>) {
        // Whoever does not wait any more asked not to know.
        let _unheard = self.reply.send(verdict);
    }

    fn events(&self) -> u64 {
        u64::try_from(self.settle.events.len()).unwrap_or(u64::MAX)
    }

    fn bytes(&self) -> usize {
        let events = self.settle.events.iter().map(|event| event.bytes.len());
        events.fold(self.settle.bytes.len(), usize::saturating_add)
    }
}

impl Job for Swap {
    fn refuse(self) {
        self.answer(Err(StoreError::Unavailable));
    }
}

/// What is done next.
#[derive(Default)]
pub(crate) struct Group {
    /// In key order.
    pub(crate) swaps: Vec<Swap>,
    /// Those whose events have no room: refused, unless their swap is lost anyway.
    pub(crate) crowded: Vec<Swap>,
}

/// Takes a group from what waits, in the order of arrival. A second job of a key waits for the
/// next one and keeps its place before a third.
pub(crate) fn next(waiting: &mut VecDeque<Swap>, fill: &Fill) -> Group {
    let room = fill.room();
    // A group never drops events of its own.
    let most = if fill.refuses() { room } else { fill.outbox.bound };
    let most = most.min(u64::try_from(EVENTS).unwrap_or(u64::MAX));
    let mut group = Group::default();
    let mut keys: HashSet<Key> = HashSet::with_capacity(GROUP);
    let (mut events, mut bytes) = (0_u64, 0_usize);
    let mut later = VecDeque::new();
    for swap in waiting.drain(..) {
        let more_events = events.saturating_add(swap.events());
        let more_bytes = bytes.saturating_add(swap.bytes());
        if group.swaps.len() >= GROUP || !keys.insert(swap.settle.key) {
            later.push_back(swap);
        } else if swap.events() > 0 && swap.events() > most {
            group.crowded.push(swap);
        } else if (swap.events() > 0 && more_events > most) || (bytes > 0 && more_bytes > BYTES) {
            later.push_back(swap);
        } else {
            (events, bytes) = (more_events, more_bytes);
            group.swaps.push(swap);
        }
    }
    *waiting = later;
    group.swaps.sort_unstable_by_key(|swap| swap.settle.key);
    group
}

#[cfg(test)]
mod tests {
    use countersign_ceremony::port::{EventId, EventRow, Outbox, Version, WhenFull, WriteId};

    use super::*;

    fn swap(key: u8, tag: u8, events: u8) -> Swap {
        let event = |n| EventRow { id: EventId([n; 16]), bytes: vec![n] };
        let settle = Settle {
            key: Key::from_bytes([key; 32]),
            expected: Version::ABSENT,
            next: Version::ABSENT.next(WriteId([tag; 8])),
            bytes: vec![tag],
            events: (0..events).map(event).collect(),
            expiry: None,
        };
        Swap { settle, reply: oneshot::channel().0 }
    }

    fn fill(bound: u64, when_full: WhenFull, waiting: u64) -> Fill {
        Fill::new(Outbox { bound, when_full }, waiting)
    }

    fn tags(swaps: &[Swap]) -> Vec<u8> {
        swaps.iter().map(|swap| swap.settle.bytes[0]).collect()
    }

    #[test]
    fn a_group_has_one_job_a_key_in_key_order() {
        let fill = fill(100, WhenFull::DropOldest, 100);
        let mut waiting = VecDeque::from([
            swap(3, 1, 1),
            swap(2, 2, 1),
            swap(3, 3, 1),
            swap(1, 4, 1),
            swap(3, 5, 1),
        ]);
        assert_eq!(tags(&next(&mut waiting, &fill).swaps), [4, 2, 1]);
        assert_eq!(tags(&next(&mut waiting, &fill).swaps), [3]);
        assert_eq!(tags(&next(&mut waiting, &fill).swaps), [5]);
        assert!(waiting.is_empty());
    }

    #[test]
    fn a_group_is_bounded() {
        let fill = fill(1000, WhenFull::Refuse, 0);
        let mut waiting: VecDeque<_> = (0..100).map(|n| swap(n, n, 0)).collect();
        assert_eq!(next(&mut waiting, &fill).swaps.len(), GROUP);
        assert_eq!(tags(&next(&mut waiting, &fill).swaps), (64..100).collect::<Vec<_>>());
    }

    #[test]
    fn events_beyond_what_one_settle_may_have_wait_for_the_next_group() {
        let fill = fill(1 << 20, WhenFull::Refuse, 0);
        let mut most = swap(1, 1, 1);
        most.settle.events = vec![most.settle.events[0].clone(); EVENTS];
        let mut waiting = VecDeque::from([most, swap(2, 2, 1), swap(3, 3, 0)]);
        assert_eq!(tags(&next(&mut waiting, &fill).swaps), [1, 3]);
        assert_eq!(tags(&next(&mut waiting, &fill).swaps), [2]);
    }

    #[test]
    fn what_may_find_no_room_waits_and_what_cannot_is_told_apart() {
        let refuse = fill(10, WhenFull::Refuse, 7);
        let mut waiting = VecDeque::from([
            swap(1, 1, 2),
            swap(2, 2, 2),
            swap(3, 3, 4),
            swap(4, 4, 0),
            swap(5, 5, 1),
        ]);
        let group = next(&mut waiting, &refuse);
        assert_eq!(tags(&group.swaps), [1, 4, 5]);
        assert_eq!(tags(&group.crowded), [3]);
        assert_eq!(tags(waiting.make_contiguous()), [2]);

        let drop = fill(3, WhenFull::DropOldest, 3);
        let mut waiting = VecDeque::from([swap(1, 1, 2), swap(2, 2, 2), swap(3, 3, 1)]);
        assert_eq!(tags(&next(&mut waiting, &drop).swaps), [1, 3], "at most the bound in a group");
    }
}
