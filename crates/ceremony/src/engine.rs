//! The engine: look, decide, settle; and nothing is told before the swap is won.
//!
//! It opens tokens, asks decide, settles what decide made of the record, and answers with what the
//! commit unsealed. It judges nothing itself. One file a task: `fold` settles, `login` answers
//! under a login, `account` under a session or for the administrator, `recovery` makes its codes, `refill` mails and opens its links, `phone` adds phones and sends to
//! them, `reply` says what came of it, `session` mints and refreshes, `sends` burns budgets, `policies` says what
//! policy holds, `vendors` who may manage.

mod account;
mod devices;
mod email;
mod fold;
mod login;
mod moving;
mod passkey;
mod phone;
mod policies;
mod recovery;
mod refill;
mod reply;
mod sends;
mod session;
mod vendors;

use std::sync::Arc;

use countersign_device::RealmId;

use crate::assertion::Assertion;
use crate::claims::ChallengeKind;
use crate::codec::CodecError;
use crate::decide::{Challenged, Enrolment, RecoveryCodes, Refusal};
use crate::directory::Directory;
use crate::env::{Busy, Env, NoRandomness, NotDelivered};
use crate::policy::Policy;
use crate::policy::profile::Profile;
use crate::port::{Store, StoreError};
use crate::rules::{ACCESS_SECS, SESSION_SECS};

pub use account::Account;
pub use devices::{Factors, KnownBrowser, Listed};
pub use login::{Client, Passed};
pub use moving::{MovedIn, MovingIn, MovingOut};
pub use passkey::PasskeyReply;
pub use session::{Authenticated, Tokens};

use countersign_remember::Cookie;
use countersign_token::{Keys, Token, Verify};

/// What an engine is set to.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The password directory that it serves.
    pub realm: RealmId,
    /// The issuer of its access tokens (`iss`).
    pub issuer: String,
    /// The audience of its access tokens (`aud`).
    pub audience: String,
    /// Keys of signers that have retired: their tokens are still verified, and the keys published.
    pub retired_keys: Vec<Arc<dyn Verify>>,
    /// The policy of tenants that have none of their own.
    pub policy: Policy,
    /// What Argon2id costs, for passwords and recovery codes.
    pub argon2: countersign_token::Params,
    /// How many recovery codes are issued together: 1 to 10.
    pub recovery_codes: u8,
    /// How long an access token lives, in seconds.
    pub access_secs: u64,
    /// How long a session lives, in seconds.
    pub session_secs: u64,
    /// How long a session may lie without being refreshed, in seconds; none: as long as it lives.
    pub idle_secs: Option<u64>,
}

impl Settings {
    /// The same under a profile.
    #[must_use]
    pub fn under(mut self, profile: Profile) -> Self {
        self.policy.profile = profile;
        self.session_secs =
            profile.session_secs().unwrap_or(self.session_secs).min(self.session_secs);
        self.idle_secs = profile.idle_secs().or(self.idle_secs);
        self
    }

    /// The defaults for a realm.
    #[must_use]
    pub fn new(realm: RealmId, issuer: String, audience: String) -> Self {
        Self {
            realm,
            issuer,
            audience,
            retired_keys: Vec::new(),
            policy: Policy::default(),
            argon2: countersign_token::Params::default(),
            recovery_codes: 1,
            access_secs: ACCESS_SECS,
            session_secs: SESSION_SECS,
            idle_secs: None,
        }
    }
}

/// Looks, decides, settles.
#[derive(Debug)]
pub struct Engine<S> {
    store: Arc<S>,
    env: Env,
    settings: Settings,
    folds: fold::Folds,
    opened: policies::Opened,
    keys: Keys,
    directory: Directory<S>,
}

/// What the client is told.
#[derive(Clone, Debug)]
pub enum Reply {
    /// The login is complete.
    Granted(Box<GrantedReply>),
    /// A second factor is asked for.
    Challenged(Box<ChallengedReply>),
    /// A pending authenticator.
    Enrolment(Box<Enrolment>),
    /// A code was sent.
    Sent {
        /// The token that names it.
        token: Token<ChallengeKind>,
        /// What may be shown of where it went.
        to: String,
    },
    /// The ceremony of a passkey has begun.
    Passkey(Box<PasskeyReply>),
    /// The factors are removed. The browser's cookie is told.
    Recovered {
        /// The new device cookie.
        cookie: Cookie,
    },
    /// A factor was added under a session.
    Added {
        /// The recovery code, to be shown once.
        recovery: Option<RecoveryCodes>,
    },
    /// What a session or the administrator asked for is done.
    Done,
    /// No.
    Refused(Refusal),
}

impl Reply {
    /// The device cookie that it sets, where it does.
    #[must_use]
    pub fn cookie(&self) -> Option<&Cookie> {
        match self {
            Self::Granted(granted) => granted.cookie.as_ref(),
            Self::Challenged(asked) => asked.cookie.as_ref(),
            Self::Recovered { cookie } => Some(cookie),
            _ => None,
        }
    }
}

/// A completed login, as the client is told of it.
#[derive(Clone, Debug)]
pub struct GrantedReply {
    /// Who logged in, and how: [`Engine::mint`] makes tokens of it, or the service its own.
    pub assertion: Assertion,
    /// The new device cookie, where it changes.
    pub cookie: Option<Cookie>,
    /// The recovery code, to be shown once.
    pub recovery: Option<RecoveryCodes>,
}

/// A second factor is asked for, as the client is told of it.
#[derive(Clone, Debug)]
pub struct ChallengedReply {
    /// The login's token.
    pub token: Token<crate::claims::LoginKind>,
    /// What it may be answered with.
    pub challenged: Challenged,
    /// The new device cookie, where it changes.
    pub cookie: Option<Cookie>,
}

/// No decision was reached, or it is not known whether one was: nobody was let in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Error {
    /// The store gave no answer.
    Store(StoreError),
    /// A record cannot be read or written.
    Codec(CodecError),
    /// The system gives no random bytes.
    Random,
    /// Too much costly work waits already.
    Busy,
    /// This node's clock is too far from the store's.
    Skew,
    /// Other nodes kept winning the swap.
    Contended,
    /// The code could not be handed over for delivery. Another may be asked for.
    Undelivered,
    /// Ids and address are too long to fit a token together, or a token could not be signed.
    Token,
    /// The assertion is of another realm, or so old that its access token would have ended.
    Assertion,
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Codec(error) => error.fmt(f),
            Self::Random => NoRandomness.fmt(f),
            Self::Busy => Busy.fmt(f),
            Self::Skew => f.write_str("this node's clock is over 30 s from the store's; set it"),
            Self::Contended => {
                f.write_str("other nodes kept writing this user's record; try again")
            }
            Self::Undelivered => NotDelivered.fmt(f),
            Self::Token => f.write_str("a token could not be made; are the ids too long together?"),
            Self::Assertion => {
                f.write_str("this login is another realm's, or too old for tokens; log in anew")
            }
        }
    }
}

impl std::error::Error for Error {}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<CodecError> for Error {
    fn from(error: CodecError) -> Self {
        Self::Codec(error)
    }
}

impl From<NoRandomness> for Error {
    fn from(_: NoRandomness) -> Self {
        Self::Random
    }
}

impl From<Busy> for Error {
    fn from(_: Busy) -> Self {
        Self::Busy
    }
}

impl<S: Store> Engine<S> {
    /// An engine over a store.
    ///
    /// # Errors
    /// [`Error::Token`]: the signing key cannot say what it is.
    pub fn new(store: Arc<S>, env: Env, settings: Settings) -> Result<Self, Error> {
        let (issuer, audience) = (settings.issuer.clone(), settings.audience.clone());
        let retired = settings.retired_keys.iter().cloned();
        let keys = Keys::new(issuer, audience, std::iter::once(env.sign.verifier()).chain(retired));
        Ok(Self {
            keys: keys.map_err(|_| Error::Token)?,
            directory: Directory::new(
                Arc::clone(&store),
                env.clone(),
                settings.realm.clone(),
                settings.argon2,
            ),
            folds: fold::Folds::default(),
            opened: policies::Opened::default(),
            store,
            env,
            settings,
        })
    }

    /// The directory of our own users.
    #[must_use]
    pub const fn directory(&self) -> &Directory<S> {
        &self.directory
    }

    /// What it was given from outside.
    #[must_use]
    pub const fn env(&self) -> &Env {
        &self.env
    }

    /// What it is set to.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The store under it.
    #[must_use]
    pub fn store(&self) -> &S {
        &self.store
    }

    /// The same, for what works on it beside the engine.
    #[must_use]
    pub fn shared_store(&self) -> Arc<S> {
        Arc::clone(&self.store)
    }

    /// The keys that its access tokens are verified with, to be published as a JWKS.
    #[must_use]
    pub const fn keys(&self) -> &Keys {
        &self.keys
    }
}
