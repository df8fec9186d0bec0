//! Times in the record's encoding: seconds, one number each.

use countersign_otp::UnixTime;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) fn serialize<S: Serializer>(time: &UnixTime, to: S) -> Result<S::Ok, S::Error> {
    time.secs().serialize(to)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<UnixTime, D::Error> {
    u64::deserialize(from).map(UnixTime::from_secs)
}

/// The same for lists.
pub(crate) mod list {
    use super::{Deserialize, Deserializer, Serializer, UnixTime};

    pub(crate) fn serialize<S: Serializer>(times: &[UnixTime], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(times.iter().map(|time| time.secs()))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<UnixTime>, D::Error> {
        Ok(Vec::<u64>::deserialize(from)?.into_iter().map(UnixTime::from_secs).collect())
    }
}
