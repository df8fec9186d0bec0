//! Sessions: tokens from an assertion, refreshed until they end, dead with the epoch.
//!
//! A refresh token of generation 0 is sealed and needs no record; its first use creates the
//! family's. Later uses rotate it, and a reuse ends the family. Refresh settles the family first
//! and looks at the user last, so that a revocation acknowledged before is always seen.

use serde::{Deserialize, Serialize};

use countersign_device::{FactorKind, RealmId, SessionId};
use countersign_otp::UnixTime;
use countersign_token::{AccessClaims, FamilyId, Opaque, Token, access};
use countersign_vault::Digest;

use super::{Account, Engine, Error};
use crate::assertion::{Assertion, Second, Subject};
use crate::audit::{Audit, By, Id, What};
use crate::claims::{RefreshKind, Session, SessionKind};
use crate::codec;
use crate::names::Names;
use crate::port::Store;
use crate::record::seconds;
use crate::records;

/// The tokens of a session.
#[derive(Clone)]
pub struct Tokens {
    /// The access token: a compact JWS.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
    /// When the access token ends.
    pub expires: UnixTime,
    /// For how many seconds the access token lives.
    pub expires_in: u64,
    /// When the session ends, however often it is refreshed.
    pub session_ends: UnixTime,
    /// What the access token says.
    pub claims: AccessClaims,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("expires", &self.expires).finish_non_exhaustive()
    }
}

/// Who presents an access token that is valid, of a user whose epoch it carries.
#[derive(Clone, Debug)]
pub struct Authenticated {
    /// What the token says.
    pub claims: AccessClaims,
    /// Whose account that opens.
    pub(super) account: Account,
}

impl Authenticated {
    /// The account, for what its session may ask.
    #[must_use]
    pub const fn account(&self) -> &Account {
        &self.account
    }
}

/// The record of a refresh family, from its first use on.
#[derive(Clone, Serialize, Deserialize)]
struct Family {
    session: Session,
    /// The digest of the one secret that may be presented next.
    present: [u8; 32],
    /// It came twice: nothing is refreshed any more.
    ended: bool,
    /// When it was last refreshed.
    #[serde(with = "seconds")]
    last: UnixTime,
}

/// What became of the family.
enum Turn {
    Rotated(Session),
    Over,
}

impl<S: Store> Engine<S> {
    /// Mints the tokens of a new session. It takes an [`Assertion`], which a won settle alone gives:
    /// there is no other way in. The store is not asked.
    ///
    /// It is for the moment after the login, and once is enough. Whoever mints again, or later, gets no
    /// more by it: the session is the same, of the same epoch, and both it and the access token end so
    /// long after the login as they would have; of two first refresh tokens the second that is used
    /// ends the session, as a copy would.
    ///
    /// # Errors
    /// [`Error::Assertion`]: the access token would have ended by now, or the login is another realm's.
    /// [`Error::Random`], [`Error::Token`]: there are no tokens; the login is spent, what else the
    /// reply brings counts, and the same assertion may be minted again.
    pub fn mint(&self, assertion: &Assertion) -> Result<Tokens, Error> {
        let now = self.env.clock.now();
        // A clock that was ahead when the login was decided makes nothing live longer.
        let from = assertion.auth_time().min(now);
        let session = Session {
            subject: assertion.subject().clone(),
            first: assertion.first(),
            second: assertion.second(),
            auth_time: assertion.auth_time(),
            ends: from.saturating_add(self.settings.session_secs),
        };
        let expires = self.access_ends(&session, from);
        if *assertion.subject().user.realm() != self.settings.realm || now >= expires {
            return Err(Error::Assertion);
        }
        let context = [self.settings.realm.as_str().as_bytes()];
        let token =
            Token::<SessionKind>::seal(&*self.env.vault, &context, self.env.draw()?, &session);
        let refresh = token.map_err(|_| Error::Token)?;
        self.tokens(&session, refresh.as_str().to_owned(), (now, expires))
    }

    /// Trades a refresh token for new tokens. None: it is malformed, foreign, expired or spent.
    ///
    /// # Errors
    /// No decision was reached: the token may be spent.
    pub async fn refresh(&self, token: &str) -> Result<Option<Tokens>, Error> {
        let now = self.env.clock.now();
        let Some(presented) = self.presented(token) else { return Ok(None) };
        let family = presented.family();
        let key = Names(&*self.env.vault).session(session_of(family));
        let fresh = Opaque::<RefreshKind>::try_in(family, |buf| self.env.random.try_fill(buf))?;
        let next = fresh.digest(&*self.env.vault);
        let ends = match &presented {
            Presented::First(session) => Some(session.ends),
            Presented::Later(_) => None,
        };
        let turn = self.turn(key, &presented, next, ends, now).await?;
        let session = match turn {
            Turn::Rotated(session) => session,
            Turn::Over => return Ok(None),
        };
        // The user last: a revocation that was acknowledged before is seen here.
        let record = self.record(&session.subject.user).await?;
        if !record.honours(session.subject.session, session.subject.epoch) {
            return Ok(None);
        }
        // The look may have taken its time.
        let now = self.env.clock.now();
        let expires = self.access_ends(&session, now);
        self.tokens(&session, fresh.to_text().to_string(), (now, expires)).map(Some)
    }

    /// Whose access token is this? None where it is invalid, or its user's epoch is another.
    ///
    /// # Errors
    /// The store gave no answer.
    pub async fn authenticate(&self, access: &str) -> Result<Option<Authenticated>, Error> {
        let now = self.env.clock.now();
        let Ok(claims) = self.keys.verify(access, now) else { return Ok(None) };
        let Some((account, session)) = Account::of(&claims, self.realm()) else { return Ok(None) };
        let record = self.record(account.user()).await?;
        let honoured = record.honours(session.id, session.epoch);
        Ok(honoured.then(|| Authenticated { claims, account: account.in_all_of(&record) }))
    }

    /// Which session an access token names, as far as the token itself tells: the session may have
    /// ended. None where the token is not valid.
    #[must_use]
    pub fn session_of(&self, access: &str) -> Option<SessionId> {
        let claims = self.keys.verify(access, self.env.clock.now()).ok()?;
        SessionId::parse(&claims.sid).ok()
    }

    /// Ends a session that another of the same user took the place of: nothing is refreshed by it
    /// any more. Its access token ends by itself.
    pub(super) async fn end_session(
        &self,
        session: SessionId,
        by: &Assertion,
    ) -> Result<(), Error> {
        let key = Names(&*self.env.vault).session(session);
        let ends = self.env.clock.now().saturating_add(self.settings.session_secs);
        let present = self.env.draw()?;
        let unused = Session {
            subject: Subject { session, ..by.subject().clone() },
            first: by.first(),
            second: by.second(),
            auth_time: by.auth_time(),
            ends,
        };
        records::change(&*self.store, &self.env, key, Some(ends), |family: Option<Family>| {
            match family {
                Some(family) if family.ended => (None, Vec::new(), ()),
                Some(family) => (Some(Family { ended: true, ..family }), Vec::new(), ()),
                // It was never refreshed: its first refresh finds it ended.
                None => {
                    let session = unused.clone();
                    (
                        Some(Family { session, present, ended: true, last: by.auth_time() }),
                        Vec::new(),
                        (),
                    )
                }
            }
        })
        .await
    }

    /// Settles the family: rotates it, or ends it where its token comes again.
    async fn turn(
        &self,
        key: crate::port::Key,
        presented: &Presented,
        next: Digest,
        ends: Option<UnixTime>,
        now: UnixTime,
    ) -> Result<Turn, Error> {
        let (store, env) = (&*self.store, &self.env);
        // The family's own end, for the record's expiry, is in the first token or in the record.
        let ends = match ends {
            Some(ends) => ends,
            None => match records::look::<S, Family>(store, env, key).await?.value {
                Some(family) => family.session.ends,
                None => return Ok(Turn::Over),
            },
        };
        let id = Id(env.draw()?);
        let nonce = env.draw()?;
        let idle =
            |last: UnixTime| self.settings.idle_secs.is_some_and(|most| now.since(last) > most);
        records::change(store, env, key, Some(ends), |family: Option<Family>| {
            let session = match (family, presented) {
                (None, Presented::First(session))
                    if now < session.ends && !idle(session.auth_time) =>
                {
                    (**session).clone()
                }
                (None, _) => return (None, Vec::new(), Turn::Over),
                (Some(family), _)
                    if family.ended || now >= family.session.ends || idle(family.last) =>
                {
                    return (None, Vec::new(), Turn::Over);
                }
                (Some(family), Presented::Later(opaque))
                    if opaque.matches(&*env.vault, &Digest::from_bytes(family.present)) =>
                {
                    family.session
                }
                // Generation 0 again, or a secret that was rotated away: somebody has a copy.
                (Some(family), _) => {
                    let audit = self.replayed(id, &family.session, now);
                    let events =
                        codec::seal_event(&*env.vault, nonce, &audit).into_iter().collect();
                    let ended = Family { ended: true, ..family };
                    return (Some(ended), events, Turn::Over);
                }
            };
            let turned = Family {
                session: session.clone(),
                present: *next.as_bytes(),
                ended: false,
                last: now,
            };
            (Some(turned), Vec::new(), Turn::Rotated(session))
        })
        .await
    }

    fn replayed(&self, id: Id, session: &Session, at: UnixTime) -> Audit {
        Audit {
            id,
            at,
            node: self.env.node.to_string(),
            user: Some(session.subject.user.clone()),
            tenant: Some(session.subject.tenant.clone()),
            login: None,
            by: By::Anybody,
            what: What::SessionReplayed { session: session.subject.session },
        }
    }

    fn presented(&self, token: &str) -> Option<Presented> {
        if let Ok(opaque) = Opaque::<RefreshKind>::parse(token) {
            return Some(Presented::Later(opaque));
        }
        let context = [self.settings.realm.as_str().as_bytes()];
        let session = Token::<SessionKind>::open(&*self.env.vault, &context, token).ok()?;
        Some(Presented::First(Box::new(session)))
    }

    /// When an access token ends that lives from then on: with its session at the latest.
    fn access_ends(&self, session: &Session, from: UnixTime) -> UnixTime {
        from.saturating_add(self.settings.access_secs).min(session.ends)
    }

    /// `amr`, `acr` and `auth_time` are carried unchanged from the login on.
    fn tokens(
        &self,
        session: &Session,
        refresh: String,
        (now, expires): (UnixTime, UnixTime),
    ) -> Result<Tokens, Error> {
        let Session { subject, first, second, auth_time, ends } = session;
        let assertion = Assertion {
            subject: subject.clone(),
            first: *first,
            second: *second,
            auth_time: *auth_time,
        };
        let email = subject.email.as_ref().map(|email| email.as_str().to_owned());
        let claims = AccessClaims {
            iss: self.settings.issuer.clone(),
            aud: self.settings.audience.clone(),
            sub: subject.user.user().to_string(),
            sid: subject.session.to_string(),
            tenant_id: subject.tenant.to_string(),
            tenant_ids: vec![subject.tenant.to_string()],
            // True where a code proved the mailbox in this very login, and nowhere else.
            email_verified: email.is_some() && *second == Second::Proved(FactorKind::Email),
            email,
            amr: assertion.amr(),
            acr: assertion.acr().map(str::to_owned),
            first_factor: first.name().to_owned(),
            auth_time: *auth_time,
            iat: now,
            exp: expires,
            jti: SessionId::from_random_bytes(self.env.draw()?).to_string(),
            roles: Vec::new(),
            permissions: Vec::new(),
            epoch: subject.epoch.number(),
        };
        let access = access::mint(&*self.env.sign, &claims).map_err(|_| Error::Token)?;
        Ok(Tokens {
            access,
            refresh,
            expires,
            expires_in: expires.since(now),
            session_ends: *ends,
            claims,
        })
    }

    pub(super) fn realm(&self) -> RealmId {
        self.settings.realm.clone()
    }
}

/// A refresh token as it was presented.
enum Presented {
    /// Generation 0.
    First(Box<Session>),
    /// A later one.
    Later(Opaque<RefreshKind>),
}

impl Presented {
    fn family(&self) -> FamilyId {
        match self {
            Self::First(session) => FamilyId::from_bytes(*session.subject.session.as_bytes()),
            Self::Later(opaque) => opaque.family(),
        }
    }
}

/// A refresh family has its session's id.
const fn session_of(family: FamilyId) -> SessionId {
    SessionId::from_bytes(*family.as_bytes())
}
