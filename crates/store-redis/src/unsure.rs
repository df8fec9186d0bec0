//! Partitions whose newest writes may not have reached their replicas.
//!
//! A settle whose outcome is unknown, or that was lost to another, leaves a mark: looks there wait
//! for the replicas as well until one has seen them reached, so that nobody decides on, or tells
//! of, a write that a failover would take back.

use std::sync::atomic::{AtomicU64, Ordering};

use countersign_ceremony::port::Key;

use crate::names::Partition;

/// The marks of each partition.
#[derive(Debug)]
pub(crate) struct Unsure(Box<[Marks]>);

/// How many marks there ever were, and how many of them are done with.
#[derive(Debug, Default)]
struct Marks {
    set: AtomicU64,
    done: AtomicU64,
}

impl Default for Unsure {
    fn default() -> Self {
        Self((0..Key::PARTITIONS).map(|_| Marks::default()).collect())
    }
}

impl Unsure {
    pub(crate) fn mark(&self, partition: Partition) {
        if let Some(marks) = self.0.get(partition.place()) {
            marks.set.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// The newest mark, where one stands.
    pub(crate) fn marked(&self, partition: Partition) -> Option<u64> {
        let marks = self.0.get(partition.place())?;
        let set = marks.set.load(Ordering::SeqCst);
        (marks.done.load(Ordering::SeqCst) < set).then_some(set)
    }

    /// All marks up to this one are done with; one that came since stands.
    pub(crate) fn done(&self, partition: Partition, mark: u64) {
        if let Some(marks) = self.0.get(partition.place()) {
            marks.done.fetch_max(mark, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_stands_in_its_partition_until_it_is_done_with() {
        let unsure = Unsure::default();
        let partitions: Vec<_> = Partition::all().collect();
        unsure.mark(partitions[700]);
        for partition in &partitions {
            assert_eq!(unsure.marked(*partition).is_some(), partition.place() == 700);
        }
        let first = unsure.marked(partitions[700]).unwrap();
        unsure.mark(partitions[700]);
        unsure.done(partitions[700], first);
        let second =
            unsure.marked(partitions[700]).expect("one came while the first was looked at");
        unsure.done(partitions[700], second);
        unsure.done(partitions[700], first);
        assert_eq!(unsure.marked(partitions[700]), None);
    }
}
