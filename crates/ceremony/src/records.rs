//! Records of their own kind (budgets, policies, sessions, addresses): look, change, settle.

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

/// Changes one record until the swap is won. `change` may be called several times; what it answers
/// is the last call's. It refuses by an answer of its own and `None` for the record.
///
/// A settle whose reply is lost counts as not won: the caller burns before it grants, so that the
/// worst is a send or a try that cost twice.
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
            bytes: codec::seal(&*env.vault, key, env.draw()?, &next)?,
            events,
            expiry,
        };
        match store.settle(settle).await {
            Ok(Settled::Won) => return Ok(answer),
            Ok(Settled::Lost) => {}
            Err(StoreError::Unknown) => return Err(StoreError::Unknown.into()),
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::Contended)
}
