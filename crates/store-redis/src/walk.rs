//! All records in the order of their keys.
//!
//! Redis keeps no order of its own, so each partition has an index of its records' keys, written
//! when a record comes. It may name some that have ended; it misses none.

use countersign_ceremony::port::{Key, StoreError, Walked};
use redis::{Value, cmd};

use crate::cluster::Cluster;
use crate::names::{Names, Partition};
use crate::store::living;

/// How many records are read in one trip.
const READ: usize = 256;

/// How many partitions are asked in one trip for their keys.
const SPAN: usize = 64;

/// The records whose keys come after `after`, at most `limit`.
pub(crate) async fn walk(
    cluster: &Cluster,
    names: &Names,
    mut after: Option<Key>,
    limit: usize,
) -> Result<Vec<Walked>, StoreError> {
    let mut walked = Vec::new();
    while walked.len() < limit {
        let want = limit.saturating_sub(walked.len()).min(READ);
        let keys = keys_after(cluster, names, after, want).await?;
        let Some(last) = keys.last() else { break };
        after = Some(*last);
        let reads = keys.iter().map(|key| {
            let mut get = cmd("GET");
            get.arg(names.record(key));
            (Partition::of(key), get)
        });
        let values = cluster.read(reads.collect()).await?;
        for (key, (value, now)) in keys.into_iter().zip(values) {
            if let Some((entry, expiry)) = living(value, now)? {
                walked.push(Walked { key, entry, expiry });
            }
        }
    }
    Ok(walked)
}

/// The next keys, at most `want`; none when there are no more.
async fn keys_after(
    cluster: &Cluster,
    names: &Names,
    after: Option<Key>,
    want: usize,
) -> Result<Vec<Key>, StoreError> {
    let first = Partition::of(&after.unwrap_or(Key::from_bytes([0; 32])));
    let partitions: Vec<Partition> = first.following().collect();
    let mut keys = Vec::new();
    for some in partitions.chunks(SPAN) {
        let reads = some.iter().map(|partition| {
            let from = match after {
                Some(key) if *partition == first => [b"(", key.as_bytes().as_slice()].concat(),
                _ => b"-".to_vec(),
            };
            let mut range = cmd("ZRANGEBYLEX");
            range.arg(names.index(*partition)).arg(from).arg("+").arg("LIMIT").arg(0).arg(want);
            (*partition, range)
        });
        for (value, _) in cluster.read(reads.collect()).await? {
            keys.extend(members(value)?);
        }
        if keys.len() >= want {
            keys.truncate(want);
            break;
        }
    }
    Ok(keys)
}

fn members(value: Value) -> Result<Vec<Key>, StoreError> {
    let Value::Array(members) = value else { return Err(StoreError::Corrupt) };
    let key = |member: Value| match member {
        Value::BulkString(bytes) => bytes.try_into().map(Key::from_bytes).ok(),
        _ => None,
    };
    members.into_iter().map(|member| key(member).ok_or(StoreError::Corrupt)).collect()
}
