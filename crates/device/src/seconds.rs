//! Times in a stored encoding: seconds, one number each.

use countersign_otp::UnixTime;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) fn serialize<S: Serializer>(time: &UnixTime, to: S) -> Result<S::Ok, S::Error> {
    time.secs().serialize(to)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<UnixTime, D::Error> {
    u64::deserialize(from).map(UnixTime::from_secs)
}

/// The same for a time that may not have come yet.
pub(crate) mod option {
    use super::{Deserialize, Deserializer, Serialize, Serializer, UnixTime};

    pub(crate) fn serialize<S: Serializer>(
        time: &Option<UnixTime>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        time.map(UnixTime::secs).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<UnixTime>, D::Error> {
        Option::<u64>::deserialize(from).map(|secs| secs.map(UnixTime::from_secs))
    }
}
