//! What the engine is given from outside: time, randomness, keys, signatures, mail, workers.
//!
//! One plain struct of `Arc<dyn ..>`, so that a test replaces one part and keeps the rest:
//! `Env { clock: Arc::new(FrozenClock::at(t)), ..Env::for_tests() }`.

mod testing;
mod webauthn;
mod workers;

use std::fmt::{self, Debug};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use countersign_device::{Address, EmailAddress, PhoneChannel, PhoneNumber};
use countersign_otp::{Code, UnixTime};
use countersign_token::{Sign, Token};
use countersign_vault::Vault;

use crate::claims::RefillKind;
use crate::codec::Encoding;
use crate::decide::NoticeOf;
use crate::incarnation::Incarnation;
use crate::record::{Class, CodePurpose};

pub use testing::{Delivered, FrozenClock, NotedMail, SeededRandom};
pub use webauthn::{
    AssertionResponse, AttestationResponse, NoPasskeys, Registrant, RelyingParty, Started,
    Unavailable, Unproven, UserHandle,
};
pub use workers::{Busy, Threads};

/// A boxed future: the ports that are `dyn` answer with one.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where the time comes from. The one implementation that reads the system's is in the server.
pub trait Clock: Send + Sync + Debug {
    /// The time now.
    fn now(&self) -> UnixTime;

    /// Waits before a store is asked again. At once, where a clock knows no timer.
    fn pause(&self, millis: u64) -> Later<'_, ()> {
        let _ = millis;
        Box::pin(std::future::ready(()))
    }
}

/// The system's generator.
pub trait Random: Send + Sync + Debug {
    /// Fills a buffer with bytes that nobody can guess.
    ///
    /// # Errors
    /// The generator gave none; whoever asked fails closed.
    fn try_fill(&self, buf: &mut [u8]) -> Result<(), NoRandomness>;
}

/// The system's generator gave nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoRandomness;

impl fmt::Display for NoRandomness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the system gives no random bytes")
    }
}

impl std::error::Error for NoRandomness {}

/// Takes messages to people. It answers when the message is in good hands, and tells no code.
pub trait Deliver: Send + Sync + Debug {
    /// Takes one message.
    fn deliver(&self, message: Message) -> Later<'_, Result<(), NotDelivered>>;
}

/// A message to somebody.
#[derive(Clone, Debug)]
pub struct Message {
    /// Who, by which way.
    pub to: To,
    /// What it says.
    pub body: Body,
    /// The name of the service, as the tenant's policy has it.
    pub issuer: String,
    /// Where it comes from, where the policy names an address.
    pub sender: Option<EmailAddress>,
}

/// Where a message goes, and by what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum To {
    /// By mail.
    Mailbox(EmailAddress),
    /// To a phone.
    Phone(PhoneNumber, PhoneChannel),
}

impl To {
    /// The address, by whatever it is reached.
    #[must_use]
    pub fn address(&self) -> Address {
        match self {
            Self::Mailbox(address) => Address::Mailbox(address.clone()),
            Self::Phone(number, _) => Address::Phone(*number),
        }
    }
}

/// What a message says.
#[derive(Clone, Debug)]
pub enum Body {
    /// A code.
    Code {
        /// The code.
        code: Code,
        /// What it is for, so that nobody is talked into giving it away for something else.
        purpose: CodePurpose,
        /// For how many seconds it lives.
        lives_secs: u64,
    },
    /// Something happened to the account.
    Notice(NoticeOf),
    /// The ledger is half spent, or closed: whoever opens this refills it
    /// ([`Engine::refill`](crate::engine::Engine::refill)). A link that a page behind it asks about before it acts:
    /// mail is opened by programs as well.
    Refill {
        /// What the link names. It holds no run of six digits.
        link: Token<RefillKind>,
        /// For how many seconds it lives.
        lives_secs: u64,
    },
}

/// A message was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotDelivered;

impl fmt::Display for NotDelivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the message could not be handed over for delivery")
    }
}

impl std::error::Error for NotDelivered {}

/// The one bounded pool for costly work: Argon2 of passwords and of recovery codes, and the
/// signatures of passkeys.
pub trait Workers: Send + Sync + Debug {
    /// Runs a job, when its turn comes: known browsers first.
    fn run(&self, whose: Class, job: Box<dyn FnOnce() + Send>) -> Later<'_, Result<(), Busy>>;
}

/// What the engine is given from outside.
#[derive(Clone, Debug)]
pub struct Env {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The system's generator.
    pub random: Arc<dyn Random>,
    /// Seals records, events and tokens.
    pub vault: Arc<dyn Vault>,
    /// Signs access tokens.
    pub sign: Arc<dyn Sign>,
    /// Takes messages to people.
    pub deliver: Arc<dyn Deliver>,
    /// Does costly work.
    pub workers: Arc<dyn Workers>,
    /// Speaks WebAuthn.
    pub relying_party: Arc<dyn RelyingParty>,
    /// What this node is called in audit events.
    pub node: Arc<str>,
    /// Which incarnation of the database it serves: [`incarnation::of`](crate::incarnation::of).
    pub incarnation: Incarnation,
    /// In which encoding records are written. Name the next one when every node reads it.
    pub encoding: Encoding,
}

impl Env {
    /// Draws some bytes.
    ///
    /// # Errors
    /// [`NoRandomness`].
    pub fn draw<const N: usize>(&self) -> Result<[u8; N], NoRandomness> {
        let mut bytes = [0; N];
        self.random.try_fill(&mut bytes)?;
        Ok(bytes)
    }

    /// Does costly work on the pool, in the line of strangers.
    ///
    /// # Errors
    /// [`Busy`]: too much of it waits already.
    pub async fn work<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        self.work_for(Class::Stranger, job).await
    }

    /// Does costly work on the pool: that of known browsers, and of whoever has passed a first factor, goes first.
    ///
    /// # Errors
    /// [`Busy`]: too much of it waits already.
    pub async fn work_for<T: Send + 'static>(
        &self,
        whose: Class,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let (done, result) = tokio::sync::oneshot::channel();
        let job = Box::new(move || {
            // Nobody waits any more where the receiver is gone.
            let _ = done.send(job());
        });
        self.workers.run(whose, job).await?;
        result.await.map_err(|_| Busy)
    }
}
