//! Ports for tests: a clock that stands still, a generator that can be repeated, mail that is kept.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use countersign_otp::UnixTime;
use countersign_token::Ed25519;
use countersign_vault::Ring;
use rand::rngs::ChaCha20Rng;
use rand::{Rng, SeedableRng};

use crate::codec::Encoding;
use crate::incarnation::Incarnation;

use super::{
    Body, Clock, Deliver, Env, Later, Message, NoPasskeys, NoRandomness, NotDelivered, Random,
    Threads,
};

/// A clock that stands where it is put.
#[derive(Debug)]
pub struct FrozenClock(AtomicU64);

impl FrozenClock {
    /// A clock that stands at a time.
    #[must_use]
    pub const fn at(time: UnixTime) -> Self {
        Self(AtomicU64::new(time.secs()))
    }

    /// Puts it elsewhere.
    pub fn set(&self, time: UnixTime) {
        self.0.store(time.secs(), Ordering::SeqCst);
    }

    /// Puts it so many seconds ahead.
    pub fn advance(&self, secs: u64) {
        self.0.fetch_add(secs, Ordering::SeqCst);
    }
}

impl Clock for FrozenClock {
    fn now(&self) -> UnixTime {
        UnixTime::from_secs(self.0.load(Ordering::SeqCst))
    }
}

/// A generator that gives the same bytes from the same seed: for tests alone.
pub struct SeededRandom(Mutex<ChaCha20Rng>);

impl SeededRandom {
    /// From this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(ChaCha20Rng::seed_from_u64(seed)))
    }
}

impl Random for SeededRandom {
    fn try_fill(&self, buf: &mut [u8]) -> Result<(), NoRandomness> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(buf);
        Ok(())
    }
}

impl std::fmt::Debug for SeededRandom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SeededRandom")
    }
}

/// Mail that is kept instead of sent.
#[derive(Debug, Default)]
pub struct NotedMail(Mutex<Vec<Message>>);

/// What a kept mail says.
pub type Delivered = Message;

impl NotedMail {
    /// What was sent so far, oldest first.
    #[must_use]
    pub fn all(&self) -> Vec<Delivered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The last code that was sent.
    #[must_use]
    pub fn last_code(&self) -> Option<String> {
        self.all().iter().rev().find_map(|message| match &message.body {
            Body::Code { code, .. } => Some(code.as_str().to_owned()),
            Body::Notice(_) | Body::Refill { .. } => None,
        })
    }

    /// The last link that refills a ledger.
    #[must_use]
    pub fn last_link(&self) -> Option<String> {
        self.all().into_iter().rev().find_map(|message| match message.body {
            Body::Refill { link, .. } => Some(link.into_string()),
            Body::Code { .. } | Body::Notice(_) => None,
        })
    }
}

impl Deliver for NotedMail {
    fn deliver(&self, message: Message) -> Later<'_, Result<(), NotDelivered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(message);
        Box::pin(std::future::ready(Ok(())))
    }
}

impl Env {
    /// An environment for tests: its time stands, its bytes repeat, its mail is kept.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn for_tests() -> std::io::Result<Self> {
        let random = SeededRandom::new(1);
        let fill = |buf: &mut [u8]| random.try_fill(buf);
        let ring = Ring::try_new(fill).map_err(std::io::Error::other)?;
        let sign = Ed25519::try_new(fill).map_err(std::io::Error::other)?;
        Ok(Self {
            clock: Arc::new(FrozenClock::at(UnixTime::from_secs(1_800_000_000))),
            vault: Arc::new(ring),
            sign: Arc::new(sign),
            deliver: Arc::new(NotedMail::default()),
            workers: Arc::new(Threads::start(1, 64)?),
            relying_party: Arc::new(NoPasskeys),
            node: "test".into(),
            random: Arc::new(random),
            incarnation: Incarnation::default(),
            encoding: Encoding::default(),
        })
    }
}
