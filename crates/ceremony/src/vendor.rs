//! The clients of the management routes: services that hold a secret, and what each may do.
//!
//! A client's secret has 256 bits, so its keyed digest needs no Argon2: nobody enumerates it, and
//! without the vault's key nobody tries candidates against a stolen database. It buys a token that
//! is sealed, ends, and carries the client's epoch: revoked, a client's tokens are dead at the next
//! request. A wrong client and a wrong secret are told alike and cost alike. A client of one tenant
//! acts on that tenant alone (E-19).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use countersign_device::{ClientId, TenantId};
use countersign_otp::UnixTime;
use countersign_token::Kind;
use countersign_vault::{Digest, Purpose, Vault};

use crate::record::seconds;

/// How many clients there are at most: their list is one record.
pub const CLIENTS: usize = 256;
/// How long a token lives that a secret buys, in seconds: a day.
pub const TOKEN_SECS: u64 = 24 * 60 * 60;
/// How many tokens of a client live at once; the oldest gives way.
pub const TOKENS: usize = 256;
/// A wrong secret of a client is written down so many seconds apart at most: whoever tries fills no
/// outbox.
pub const REFUSALS_APART_SECS: u64 = 60 * 60;

const SECRET: Purpose = Purpose::new("vendor secret");

/// What a client may do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Power {
    /// Read policies and users' devices.
    Read,
    /// Change policies.
    Policy,
    /// Report what happened to users, and manage their factors.
    Users,
    /// Open logins for users whose first factor it has checked.
    Logins,
}

/// A set of powers.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Powers(BTreeSet<Power>);

/// The kind of vendor tokens.
#[derive(Clone, Copy, Debug)]
pub enum VendorKind {}

impl Kind for VendorKind {
    const NAME: &'static str = "vendor token";
    type Claims = VendorClaims;
}

/// What a vendor token says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct VendorClaims {
    /// Whose it is.
    pub client: ClientId,
    /// The client's epoch then.
    pub epoch: u32,
    /// Which of the client's tokens it is.
    pub id: TokenId,
    /// What it may do.
    pub powers: Powers,
    /// The one tenant that it may act on; none: on all.
    pub tenant: Option<TenantId>,
    /// When it ends.
    #[serde(with = "seconds")]
    pub ends: UnixTime,
}

/// A client, as it is stored.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// Its id.
    pub id: ClientId,
    /// What its operator calls it.
    pub name: String,
    /// What it may do.
    pub powers: Powers,
    /// The one tenant that it may act on; none: on all.
    pub tenant: Option<TenantId>,
    /// Raised by every revocation.
    pub epoch: u32,
    /// When it was added.
    #[serde(with = "seconds")]
    pub created: UnixTime,
    /// When its secret last bought a token.
    pub last_token: Option<u64>,
    /// The tokens that were bought last and not revoked, the oldest first.
    pub tokens: Vec<LiveToken>,
    /// When a wrong secret was last written down.
    pub(crate) last_refusal: Option<u64>,
    /// The digest of its secret; none: the secret buys nothing, or there never was one.
    pub(crate) secret: Option<[u8; 32]>,
}

/// The id of one token, by which it is listed and revoked. It opens nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TokenId(pub [u8; 8]);

/// A token of a client, as it is listed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LiveToken {
    /// Which.
    pub id: TokenId,
    /// When it was bought.
    #[serde(with = "seconds")]
    pub bought: UnixTime,
    /// When it ends.
    #[serde(with = "seconds")]
    pub ends: UnixTime,
}

/// The list of clients.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Clients(pub(crate) Vec<ClientId>);

/// A new client: its secret is shown this once.
pub struct Added {
    /// The client.
    pub client: ClientId,
    /// Its secret.
    pub secret: zeroize::Zeroizing<String>,
}

/// A token that a secret bought.
pub struct Bought {
    /// The token.
    pub token: String,
    /// For how many seconds it lives.
    pub lives: u64,
}

impl Power {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Read, Self::Policy, Self::Users, Self::Logins];

    /// Its name, as operators write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Policy => "policy",
            Self::Users => "users",
            Self::Logins => "logins",
        }
    }
}

impl Powers {
    /// All powers.
    #[must_use]
    pub fn all() -> Self {
        Power::ALL.into_iter().collect()
    }

    /// Does it hold this one? Whoever changes policies reads them too.
    #[must_use]
    pub fn include(&self, power: Power) -> bool {
        self.0.contains(&power) || power == Power::Read && !self.0.is_empty()
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = Power> {
        self.0.iter().copied()
    }
}

impl FromIterator<Power> for Powers {
    fn from_iter<I: IntoIterator<Item = Power>>(powers: I) -> Self {
        Self(powers.into_iter().collect())
    }
}

impl VendorClaims {
    /// May it act on this tenant?
    #[must_use]
    pub fn acts_on(&self, tenant: &TenantId) -> bool {
        self.tenant.as_ref().is_none_or(|own| own == tenant)
    }
}

impl std::fmt::Display for TokenId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

impl std::str::FromStr for TokenId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u64::from_str_radix(text, 16).map(|number| Self(number.to_be_bytes()))
    }
}

impl Client {
    /// Lists a token that was bought. None leaves for having ended: a clock that is ahead would end
    /// those of everybody else.
    pub(crate) fn list(&mut self, id: TokenId, now: UnixTime, ends: UnixTime) {
        let excess = self.tokens.len().saturating_add(1).saturating_sub(TOKENS);
        self.tokens.drain(..excess.min(self.tokens.len()));
        self.tokens.push(LiveToken { id, bought: now, ends });
        self.last_token = Some(now.secs());
    }

    /// Does this token of it still live?
    pub(crate) fn honours(&self, claims: &VendorClaims) -> bool {
        self.epoch == claims.epoch && self.tokens.iter().any(|token| token.id == claims.id)
    }

    /// Has it a secret that buys tokens?
    #[must_use]
    pub const fn has_a_secret(&self) -> bool {
        self.secret.is_some()
    }

    /// Is this its secret? In constant time, at one cost for a client that there is and one that
    /// there is not.
    pub(crate) fn has_secret(
        client: Option<&Self>,
        vault: &dyn Vault,
        id: &str,
        secret: &str,
    ) -> bool {
        let offered = digest(vault, id, secret);
        let kept = client.and_then(|client| client.secret);
        let matches = offered == Digest::from_bytes(kept.unwrap_or_default());
        matches && kept.is_some()
    }
}

/// What is kept of a secret, bound to its client.
pub(crate) fn digest(vault: &dyn Vault, client: &str, secret: &str) -> Digest {
    vault.digest(SECRET, &[client.as_bytes(), secret.as_bytes()])
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client")
            .field("id", &self.id)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Added {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Added").field("client", &self.client).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Bought {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bought").field("lives", &self.lives).finish_non_exhaustive()
    }
}
