//! What is stored of an authenticator, inside a sealed record only. It passes the constructors
//! again, so that a corrupt row is an error and never a device.

use std::fmt;

use countersign_otp::{Algorithm, Digits, Drift, Period, Secret, Step, Totp};
use serde::{Deserialize, Serialize, Serializer};
use zeroize::Zeroizing;

use super::AuthenticatorKey;

/// As it is read.
#[derive(Deserialize)]
#[cfg_attr(test, derive(Serialize))]
pub(super) struct Key {
    /// Wiped when the row is dropped. An imported secret may be shorter than ours.
    secret: Zeroizing<Vec<u8>>,
    algorithm: u8,
    digits: u8,
    period: u64,
}

/// As it is written, with no copy of the secret.
#[derive(Serialize)]
struct KeyOf<'a> {
    secret: &'a [u8],
    algorithm: u8,
    digits: u8,
    period: u64,
}

/// As they are read.
#[derive(Deserialize)]
#[cfg_attr(test, derive(Serialize))]
pub(super) struct Totps {
    key: AuthenticatorKey,
    spent: u64,
    drift: i8,
}

/// As they are written.
#[derive(Serialize)]
struct TotpsOf<'a> {
    key: &'a AuthenticatorKey,
    spent: u64,
    drift: i8,
}

/// A stored row that its constructors refuse.
#[derive(Debug)]
pub(super) struct Corrupt;

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a stored authenticator is not one")
    }
}

impl Serialize for AuthenticatorKey {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self { secret, totp } = self;
        let row = KeyOf {
            secret: secret.expose(),
            algorithm: match totp.algorithm() {
                Algorithm::Sha1 => 1,
                Algorithm::Sha256 => 2,
                Algorithm::Sha512 => 3,
            },
            digits: totp.digits().count(),
            period: totp.period().secs(),
        };
        row.serialize(to)
    }
}

impl TryFrom<Key> for AuthenticatorKey {
    type Error = Corrupt;

    fn try_from(row: Key) -> Result<Self, Corrupt> {
        let algorithm = match row.algorithm {
            1 => Algorithm::Sha1,
            2 => Algorithm::Sha256,
            3 => Algorithm::Sha512,
            _ => return Err(Corrupt),
        };
        let digits = Digits::try_from(row.digits).map_err(|_| Corrupt)?;
        let period = Period::new(row.period).map_err(|_| Corrupt)?;
        let secret = Secret::import_short(&row.secret).map_err(|_| Corrupt)?;
        Ok(Self { secret, totp: Totp::new(algorithm, digits, period) })
    }
}

impl Serialize for super::Totps {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self { key, spent, drift } = self;
        TotpsOf { key, spent: spent.number(), drift: drift.steps() }.serialize(to)
    }
}

impl TryFrom<Totps> for super::Totps {
    type Error = Corrupt;

    fn try_from(Totps { key, spent, drift }: Totps) -> Result<Self, Corrupt> {
        let drift = Drift::new(drift).map_err(|_| Corrupt)?;
        Ok(Self { key, spent: Step::new(spent), drift })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Authenticator, DeviceId, LoginId, Opener, Pending};
    use countersign_otp::UnixTime;
    use proptest::prelude::*;

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

    fn pending(secret: &[u8], totp: Totp) -> Pending {
        let opener = Opener::Login(LoginId::from_random_bytes([2; 16]));
        let secret = Secret::import_short(secret).unwrap();
        Pending::begin(DeviceId::from_random_bytes([1; 16]), secret, totp, opener, 7, NOW)
    }

    fn totp() -> impl Strategy<Value = Totp> {
        let algorithm =
            prop::sample::select(vec![Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512]);
        let digits = prop::sample::select(vec![6_u8, 7, 8]);
        (algorithm, digits, 1..=u64::MAX).prop_filter_map(
            "a period",
            |(algorithm, digits, secs)| {
                let digits = Digits::try_from(digits).ok()?;
                // Any period that there is, and mostly one of those in use.
                let period = Period::new(secs).or_else(|_| Period::new(secs % 120 + 1)).ok()?;
                Some(Totp::new(algorithm, digits, period))
            },
        )
    }

    #[test]
    fn a_row_that_is_none_says_so() {
        assert!(Corrupt.to_string().contains("stored authenticator"));
    }

    proptest! {
        // What is written is what is read, byte for byte: a stored row outlives the code that wrote it.
        #[test]
        fn what_is_written_is_the_row_that_is_read(
            secret in prop::collection::vec(any::<u8>(), 1..=256),
            totp in totp(),
            spent: u64,
            drift in -20_i8..=20,
        ) {
            let algorithm = [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512];
            let place = algorithm.iter().position(|of| *of == totp.algorithm()).unwrap();
            let row = Key {
                secret: Zeroizing::new(secret.clone()),
                algorithm: u8::try_from(place).unwrap() + 1,
                digits: totp.digits().count(),
                period: totp.period().secs(),
            };
            let key = AuthenticatorKey { secret: Secret::import_short(&secret).unwrap(), totp };
            prop_assert_eq!(postcard::to_allocvec(&key).unwrap(), postcard::to_allocvec(&row).unwrap());
            let row = Totps { key: key.clone(), spent, drift };
            let drift = Drift::new(drift).unwrap();
            let totps = super::super::Totps { key, spent: Step::new(spent), drift };
            prop_assert_eq!(postcard::to_allocvec(&totps).unwrap(), postcard::to_allocvec(&row).unwrap());
        }

        #[test]
        fn what_is_stored_comes_back(
            secret in prop::collection::vec(any::<u8>(), 16..=256),
            totp in totp(),
            spent: u64,
            drift in -20_i8..=20,
        ) {
            let pending = pending(&secret, totp);
            let bytes = postcard::to_allocvec(&pending).unwrap();
            let back: Pending = postcard::from_bytes(&bytes).unwrap();
            prop_assert_eq!(back.show().0.expose(), &secret[..]);
            prop_assert_eq!(back.show().1, totp);
            prop_assert_eq!((back.id(), back.opener()), (pending.id(), pending.opener()));
            prop_assert_eq!((back.generation(), back.begun()), (7, NOW));

            let drift = Drift::new(drift).unwrap();
            let device = pending.confirm(Step::new(spent), drift, NOW);
            let bytes = postcard::to_allocvec(&device).unwrap();
            let back: Authenticator = postcard::from_bytes(&bytes).unwrap();
            prop_assert_eq!((back.spent(), back.drift(), back.totp()), (Step::new(spent), drift, totp));
            prop_assert_eq!((back.id(), back.last_used()), (device.id(), Some(NOW)));
        }

        #[test]
        fn no_bytes_break_it(bytes: Vec<u8>) {
            let _ = postcard::from_bytes::<Authenticator>(&bytes);
            let _ = postcard::from_bytes::<Pending>(&bytes);
        }
    }

    #[test]
    fn a_corrupt_row_is_refused() {
        let good = || Key { secret: vec![1; 20].into(), algorithm: 1, digits: 6, period: 30 };
        let read = |row: &Key| {
            let bytes = postcard::to_allocvec(row).unwrap();
            postcard::from_bytes::<AuthenticatorKey>(&bytes)
        };
        assert!(read(&good()).is_ok());
        for bad in [
            Key { secret: Vec::new().into(), ..good() },
            Key { secret: vec![1; 257].into(), ..good() },
            Key { algorithm: 0, ..good() },
            Key { algorithm: 4, ..good() },
            Key { digits: 5, ..good() },
            Key { digits: 12, ..good() },
            Key { period: 0, ..good() },
        ] {
            assert!(read(&bad).is_err());
        }
        let row = Totps { key: good().try_into().unwrap(), spent: 9, drift: 21 };
        assert!(super::super::Totps::try_from(row).is_err());
    }
}
