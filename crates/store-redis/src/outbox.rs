//! The events, found over all partitions.
//!
//! A drain takes the same from each partition as long as there is some, and more from those that
//! have more, so that none overflows while another is read.

use std::collections::{BTreeMap, HashMap, HashSet};

use countersign_ceremony::port::{EventId, EventRow, Key, StoreError};
use redis::{Cmd, Value, cmd};

use crate::cluster::Cluster;
use crate::names::{Names, Partition};

/// How many events one trip reads of a partition.
const READ: usize = 256;

/// How many partitions are read in one trip.
const SPAN: usize = 64;

/// How many of the events that were read last are remembered with their partition.
const REMEMBERED: usize = 65_536;

/// In which partition the events are that were read last.
pub(crate) type Seen = HashMap<EventId, Partition>;

/// The oldest events of every partition, at most `limit` in all.
pub(crate) async fn oldest(
    cluster: &Cluster,
    names: &Names,
    limit: usize,
) -> Result<(Vec<EventRow>, Seen), StoreError> {
    let (mut rows, mut seen) = (Vec::new(), Seen::new());
    for some in shares(waiting(cluster, names).await?, limit).chunks(SPAN) {
        let reads = some.iter().map(|(partition, take)| {
            (*partition, some_of(names, *partition, 0, (*take).min(READ)))
        });
        let answers = cluster.read(reads.collect()).await?;
        for ((partition, take), (answer, _)) in some.iter().zip(answers) {
            let mut own = read(answer)?;
            if *take > READ && own.len() == READ {
                let rest = take.saturating_sub(READ);
                own.extend(range(cluster, names, *partition, READ, rest).await?);
            }
            let room = REMEMBERED.saturating_sub(seen.len());
            seen.extend(own.iter().take(room).map(|row| (row.id, *partition)));
            rows.append(&mut own);
        }
    }
    Ok((rows, seen))
}

/// These events with the partition where they were read last, and those of which none is known.
pub(crate) fn by_partition(
    seen: &Seen,
    ids: &[EventId],
) -> (BTreeMap<Partition, HashSet<EventId>>, HashSet<EventId>) {
    let mut known: BTreeMap<Partition, HashSet<EventId>> = BTreeMap::new();
    let mut others = HashSet::new();
    for id in ids {
        match seen.get(id) {
            Some(partition) => known.entry(*partition).or_default().insert(*id),
            None => others.insert(*id),
        };
    }
    (known, others)
}

/// Takes these out. Only an id that was not read before is looked for everywhere.
pub(crate) async fn forget(
    cluster: &Cluster,
    names: &Names,
    known: BTreeMap<Partition, HashSet<EventId>>,
    mut others: HashSet<EventId>,
) -> Result<(), StoreError> {
    for (partition, mut ids) in known {
        // From the oldest on, so they are found at once.
        forget_in(cluster, names, partition, &mut ids).await?;
    }
    if others.is_empty() {
        return Ok(());
    }
    for (partition, _) in waiting(cluster, names).await? {
        forget_in(cluster, names, partition, &mut others).await?;
        if others.is_empty() {
            break;
        }
    }
    Ok(())
}

/// Takes out what of these is in this partition, and leaves the rest among them.
async fn forget_in(
    cluster: &Cluster,
    names: &Names,
    partition: Partition,
    ids: &mut HashSet<EventId>,
) -> Result<(), StoreError> {
    let mut from = 0;
    while !ids.is_empty() {
        let rows = range(cluster, names, partition, from, READ).await?;
        if rows.is_empty() {
            break;
        }
        let read = rows.len();
        let gone: Vec<EventRow> = rows.into_iter().filter(|row| ids.remove(&row.id)).collect();
        // What was taken out before it has moved the rest forward.
        from = from.saturating_add(read).saturating_sub(gone.len());
        if !gone.is_empty() {
            let removals = gone.iter().map(|row| (partition, remove(names, partition, row)));
            cluster.read(removals.collect()).await?;
        }
    }
    Ok(())
}

/// Found from the oldest on; taking out what is not there is harmless.
fn remove(names: &Names, partition: Partition, row: &EventRow) -> Cmd {
    let mut remove = cmd("LREM");
    let value = [row.id.0.as_slice(), &row.bytes].concat();
    remove.arg(names.events(partition)).arg(1).arg(value);
    remove
}

/// The partitions that have events, and how many.
async fn waiting(cluster: &Cluster, names: &Names) -> Result<Vec<(Partition, usize)>, StoreError> {
    let reads = Partition::all().map(|partition| {
        let mut length = cmd("LLEN");
        length.arg(names.events(partition));
        (partition, length)
    });
    let lengths = cluster.read(reads.collect()).await?;
    let mut waiting = Vec::new();
    for (partition, (length, _)) in Partition::all().zip(lengths) {
        let Value::Int(length) = length else { return Err(StoreError::Corrupt) };
        if length > 0 {
            waiting.push((partition, usize::try_from(length).unwrap_or(usize::MAX)));
        }
    }
    Ok(waiting)
}

/// How many would wait if every partition were as full as the fullest: its share is full first.
pub(crate) async fn fullest(cluster: &Cluster, names: &Names) -> Result<u64, StoreError> {
    let longest = waiting(cluster, names).await?.into_iter().map(|(_, length)| length).max();
    let longest = u64::try_from(longest.unwrap_or(0)).unwrap_or(u64::MAX);
    Ok(longest.saturating_mul(Key::PARTITIONS.into()))
}

/// How many are taken of each, `limit` in all: who has least gives all, the others share the rest.
fn shares(mut waiting: Vec<(Partition, usize)>, limit: usize) -> Vec<(Partition, usize)> {
    waiting.sort_by_key(|(_, length)| *length);
    let mut left = limit;
    let mut parts = waiting.len();
    for (_, length) in &mut waiting {
        let share = left.checked_div(parts).unwrap_or(0);
        *length = share.min(*length);
        left = left.saturating_sub(*length);
        parts = parts.saturating_sub(1);
    }
    waiting.retain(|(_, take)| *take > 0);
    waiting.sort_unstable();
    waiting
}

/// Some events of one partition from one place on.
async fn range(
    cluster: &Cluster,
    names: &Names,
    partition: Partition,
    from: usize,
    count: usize,
) -> Result<Vec<EventRow>, StoreError> {
    let mut rows = Vec::new();
    while rows.len() < count {
        let some = count.saturating_sub(rows.len()).min(READ);
        let first = from.saturating_add(rows.len());
        let asked = vec![(partition, some_of(names, partition, first, some))];
        let (answer, _) = cluster.read(asked).await?.pop().ok_or(StoreError::Unavailable)?;
        let own = read(answer)?;
        let short = own.len() < some;
        rows.extend(own);
        if short {
            break;
        }
    }
    Ok(rows)
}

/// Asks for some events of one partition.
fn some_of(names: &Names, partition: Partition, first: usize, count: usize) -> Cmd {
    let mut range = cmd("LRANGE");
    let last = first.saturating_add(count).saturating_sub(1);
    range.arg(names.events(partition)).arg(first).arg(last);
    range
}

fn read(answer: Value) -> Result<Vec<EventRow>, StoreError> {
    let Value::Array(values) = answer else { return Err(StoreError::Corrupt) };
    values.into_iter().map(|value| row(value).ok_or(StoreError::Corrupt)).collect()
}

fn row(value: Value) -> Option<EventRow> {
    let Value::BulkString(value) = value else { return None };
    let (id, bytes) = value.split_first_chunk::<16>()?;
    Some(EventRow { id: EventId(*id), bytes: bytes.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(lengths: &[usize], limit: usize) -> Vec<usize> {
        let waiting = Partition::all().zip(lengths.iter().copied()).collect();
        let taken: HashMap<_, _> = shares(waiting, limit).into_iter().collect();
        let all = Partition::all().take(lengths.len());
        all.map(|partition| taken.get(&partition).copied().unwrap_or(0)).collect()
    }

    #[test]
    fn a_drain_is_fair_and_as_large_as_it_may_be() {
        assert_eq!(shared(&[5, 100, 3], 100), [5, 92, 3]);
        assert_eq!(shared(&[50, 50, 50], 30), [10, 10, 10]);
        assert_eq!(shared(&[5, 1], 100), [5, 1]);
        assert_eq!(shared(&[1, 1, 9], 2), [0, 1, 1]);
        assert_eq!(shared(&[4, 4], 0), [0, 0]);
        assert_eq!(shared(&[], 10), Vec::<usize>::new());
    }
}
