//! The names of what is kept, and the slot of a partition.
//!
//! Everything of one partition has its number as hash tag, so one script may touch all of it, and
//! a partition moves between the masters of a cluster as a whole (Redis Cluster Specification,
//! "Hash tags").

use std::io::Write as _;

use countersign_ceremony::port::Key;

/// One of the 1,024 partitions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Partition(u16);

impl Partition {
    /// The partition of a key.
    pub(crate) const fn of(key: &Key) -> Self {
        Self(key.partition())
    }

    /// From this one on, all that follow.
    pub(crate) fn following(self) -> impl Iterator<Item = Self> {
        (self.0..Key::PARTITIONS).map(Self)
    }

    /// All of them.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Self(0).following()
    }

    /// Its place in a table of all.
    pub(crate) fn place(self) -> usize {
        usize::from(self.0)
    }

    /// The cluster slot of its hash tag.
    pub(crate) fn slot(self) -> u16 {
        crc16(self.0.to_string().as_bytes()) % SLOTS
    }
}

/// The slot of a cluster in which a record lies, with all of its partition (Redis Cluster Specification,
/// "Key distribution model"). Partitions are 1,024, so most of the 16,384 slots stay empty: whoever spreads
/// them over many masters counts partitions, and not slots.
#[must_use]
pub fn slot(key: &Key) -> u16 {
    Partition::of(key).slot()
}

/// How many slots a cluster has.
pub(crate) const SLOTS: u16 = 16_384;

/// The names under one prefix.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    prefix: String,
}

impl Names {
    pub(crate) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    /// A record. Its last 32 bytes are its key.
    pub(crate) fn record(&self, key: &Key) -> Vec<u8> {
        let mut name = self.of(Partition::of(key), b'r');
        name.extend_from_slice(key.as_bytes());
        name
    }

    /// The event list of a partition.
    pub(crate) fn events(&self, partition: Partition) -> Vec<u8> {
        self.of(partition, b'e')
    }

    /// The keys of a partition's records, in their order.
    pub(crate) fn index(&self, partition: Partition) -> Vec<u8> {
        self.of(partition, b'i')
    }

    /// The keys of those that end, by the time at which Redis drops them.
    pub(crate) fn ending(&self, partition: Partition) -> Vec<u8> {
        self.of(partition, b'x')
    }

    /// What is written so that there is something to wait for.
    pub(crate) fn fence(&self, partition: Partition) -> Vec<u8> {
        self.of(partition, b'f')
    }

    fn of(&self, partition: Partition, kind: u8) -> Vec<u8> {
        // With room for a record's key.
        let mut name = Vec::with_capacity(self.prefix.len().saturating_add(3 + 4 + 32));
        name.extend_from_slice(self.prefix.as_bytes());
        // Writing to a vector does not fail.
        let _written = write!(name, "{{{}}}", partition.0);
        name.push(kind);
        name
    }
}

/// CRC-16/XMODEM: the polynomial 0x1021 over bytes, from zero.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc: u16, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slot_is_that_of_the_specification() {
        // Its own test vector, and what `CLUSTER KEYSLOT` answers for these tags.
        assert_eq!(crc16(b"123456789"), 0x31c3);
        assert_eq!(Partition(0).slot(), 13_907);
        assert_eq!(Partition(1).slot(), 9_842);
        assert_eq!(Partition(1023).slot(), 14_911);
    }

    #[test]
    fn all_of_a_partition_shares_its_tag() {
        let names = Names::new("cs");
        let key = Key::from_bytes([0xff; 32]);
        let partition = Partition::of(&key);
        assert!(names.record(&key).starts_with(b"cs{1023}r"));
        assert!(names.record(&key).ends_with(&[0xff; 32]));
        assert_eq!(names.events(partition), b"cs{1023}e");
        assert_eq!(Partition::all().count(), 1024);
        assert_eq!(partition.following().count(), 1);
    }
}
