//! Records of their own kind (budgets, policies, sessions, addresses): look, change, settle.

use std::fmt;
use std::hint::black_box;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;

use countersign_otp::UnixTime;

use crate::codec;
use crate::engine::Error;
use crate::env::Env;
use crate::port::{Entry, EventRow, Key, Settle, Settled, Store, StoreError, Version, WriteId};

/// How often a swap is tried before the caller is told that others keep winning it.
pub(crate) const ATTEMPTS: usize = 16;

/// One record of any kind, as it was looked at.
pub(crate) struct Found<T> {
    pub(crate) version: Version,
    pub(crate) value: Option<T>,
}

/// Opens what a look found.
pub(crate) fn opened<T: DeserializeOwned>(
    env: &Env,
    key: Key,
    entry: Option<Entry>,
) -> Result<Found<T>, Error> {
    let Some(Entry { version, bytes }) = entry else {
        return Ok(Found { version: Version::ABSENT, value: None });
    };
    let value = codec::open(&*env.vault, key, &bytes)?;
    Ok(Found { version, value: Some(value) })
}

/// Looks at one record.
pub(crate) async fn look<S: Store, T: DeserializeOwned>(
    store: &S,
    env: &Env,
    key: Key,
) -> Result<Found<T>, Error> {
    let looked = store.look(&[key]).await?;
    opened(env, key, looked.entries.into_iter().next().flatten())
}

/// Looks at records of one kind at the same cost whether there is one or not: where there is none, the
/// last one that was there is opened again, so that no time tells who has an account.
#[derive(Default)]
pub(crate) struct Doubles(Mutex<Option<(Key, Vec<u8>)>>);

impl Doubles {
    pub(crate) async fn look<S: Store, T: DeserializeOwned>(
        &self,
        store: &S,
        env: &Env,
        key: Key,
    ) -> Result<Option<T>, Error> {
        let looked = store.look(&[key]).await?;
        let vault = &*env.vault;
        // Nothing panics while it holds the lock.
        let last = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Entry { bytes, .. }) = looked.entries.into_iter().next().flatten() {
            let value = codec::open(vault, key, &bytes)?;
            *last() = Some((key, bytes));
            return Ok(Some(value));
        }
        let double = last().clone();
        if let Some((key, bytes)) = double {
            // Whether it opens is nobody's concern here.
            drop(black_box(codec::open::<T>(vault, key, &bytes)));
        }
        Ok(None)
    }
}

impl fmt::Debug for Doubles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Doubles")
    }
}

/// Changes one record until the swap is won. `change` may be called several times; what it answers
/// is the last call's. It refuses by an answer of its own and `None` for the record.
///
pub(crate) async fn change<S, T, A>(
    store: &S,
    env: &Env,
    key: Key,
    expiry: Option<UnixTime>,
    mut change: impl FnMut(Option<T>) -> (Option<T>, Vec<EventRow>, A),
) -> Result<A, Error>
where
    S: Store,
    T: Serialize + DeserializeOwned,
{
    for _ in 0..ATTEMPTS {
        let Found { version, value } = look::<S, T>(store, env, key).await?;
        let (next, events, answer) = change(value);
        let Some(next) = next else { return Ok(answer) };
        let settle = Settle {
            key,
            expected: version,
            next: version.next(WriteId(env.draw()?)),
            bytes: codec::seal(&*env.vault, env.encoding, key, env.draw()?, &next)?,
            events,
            expiry,
        };
        match store.settle(settle.clone()).await {
            Ok(Settled::Won) => return Ok(answer),
            Ok(Settled::Lost) => {}
            Err(StoreError::Unknown) => {
                if resolve(store, env, settle).await? {
                    return Ok(answer);
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::Contended)
}

/// The reply to a settle was lost: looks until it is known how it ended. True where it was won,
/// false where another write stands there. What cannot be told apart is an error: the caller burns
/// before it grants.
async fn resolve<S: Store>(store: &S, env: &Env, settle: Settle) -> Result<bool, Error> {
    for attempt in 0..6_u32 {
        env.clock.pause(25_u64.saturating_mul(1 << attempt)).await;
        let Ok(looked) = store.look(&[settle.key]).await else { continue };
        let entry: Option<Entry> = looked.entries.into_iter().next().flatten();
        let version = entry.map_or(Version::ABSENT, |entry| entry.version);
        if version == settle.next {
            return Ok(true);
        }
        if version != settle.expected {
            break;
        }
        // It may still be under way: the swap decides, and at most one of the two wins it.
        if let Ok(Settled::Won) = store.settle(settle.clone()).await {
            return Ok(true);
        }
    }
    Err(StoreError::Unknown.into())
}
