//! Rules of decide, broken on purpose: each is a weakness that some product of the field had, made
//! by changing what a decision is about to settle. The attack that names it must win.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countersign_ceremony::codec::{self, Encoding};
use countersign_ceremony::env::Env;
use countersign_ceremony::memory::MemoryStore;
use countersign_ceremony::names::Names;
use countersign_ceremony::port::{
    Entry, EventId, EventRow, Key, Looked, Settle, Settled, Store, StoreError, Version, Walked,
};
use countersign_ceremony::record::{Class, Price, Record, Standing, Touched};
use countersign_conformance::Fresh;
use countersign_conformance::attacks::{Schedules, attack_with};
use countersign_device::{FactorKind, RealmId, UserId, UserKey};
use countersign_otp::UnixTime;
use countersign_vault::Vault;

/// A rule that is broken, with the weakness that it stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Rule {
    /// No step is ever spent: Kratos, better-auth, Supabase and others.
    StepsUnspent,
    /// A challenge that was answered stays: Supabase.
    ChallengeKept,
    /// What was guessed at a code is counted nowhere but in its challenge: better-auth.
    ResendRefills,
    /// No account-wide budget: Kratos, Authelia.
    NoLedger,
    /// Any success forgives everything: rauthy.
    SuccessForgivesAll,
    /// No epoch: sessions outlive what should end them.
    EpochKept,
    /// Trust survives a reset: vaultwarden, Hanko.
    TrustSurvives,
    /// The cookie's secret is never replaced: django-two-factor-auth.
    NeverRotated,
    /// Every browser that was ever seen is trusted: authentik's first design.
    EveryBrowserTrusted,
    /// A recovery code may be used again: parse-server.
    RecoveryReusable,
    /// After a recovery a password alone enrols.
    GatewayForgotten,
    /// The mailbox that reset the password is the second factor as well: Kratos #4317.
    MailboxTrusted,
    /// Sessions outlive a recovery: Kanidm's and others' resets.
    RecoverySparesSessions,
    /// A disabled user logs in.
    StandingIgnored,
    /// Logins that were open when the lock fell go on: Keycloak #26177.
    LoginsSurviveTheLock,
    /// What is counted for a login is forgotten.
    LoginsForgotten,
    /// Nothing is written down.
    EventsDropped,
    /// A stranger's failures are the owner's: Keycloak #46164.
    StrangersChargeOwner,
    /// The cool-down is in no store: Secure-FTP #16.
    SendsForgotten,
    /// A policy is read once: Bike4Mind.
    PolicyCached,
    /// A refresh token is spent nowhere.
    SessionsForgotten,
    /// A factor is lost with the password: Lemmy #3714.
    ResetRemovesFactors,
    /// An answer is told before it is written: SuperTokens.
    ToldBeforeWritten,
    /// The last writer wins: Hanko, Nextcloud, devise.
    LastWriterWins,
}

const RULES: [(Rule, &str); 24] = [
    (Rule::StepsUnspent, "A-01"),
    (Rule::ChallengeKept, "B-02"),
    (Rule::ResendRefills, "C-07"),
    (Rule::NoLedger, "C-01"),
    (Rule::SuccessForgivesAll, "C-13"),
    (Rule::EpochKept, "D-04"),
    (Rule::TrustSurvives, "D-04"),
    (Rule::NeverRotated, "D-05"),
    (Rule::EveryBrowserTrusted, "D-17"),
    (Rule::RecoveryReusable, "E-07"),
    (Rule::GatewayForgotten, "R-01"),
    (Rule::MailboxTrusted, "E-13"),
    (Rule::RecoverySparesSessions, "R-03"),
    (Rule::StandingIgnored, "D-04"),
    (Rule::LoginsSurviveTheLock, "C-20"),
    (Rule::LoginsForgotten, "C-07"),
    (Rule::EventsDropped, "A-01"),
    (Rule::StrangersChargeOwner, "C-09"),
    (Rule::SendsForgotten, "C-24"),
    (Rule::PolicyCached, "D-15"),
    (Rule::SessionsForgotten, "R-02"),
    (Rule::ResetRemovesFactors, "E-13"),
    (Rule::ToldBeforeWritten, "A-02"),
    (Rule::LastWriterWins, "A-02"),
];

/// A store that changes what it is told to keep.
struct Broken {
    rule: Rule,
    inner: MemoryStore,
    vault: Arc<dyn Vault>,
    user: Key,
    /// What a cache answers for a policy, present or not.
    cached: Mutex<HashMap<Key, Option<Entry>>>,
}

impl Broken {
    fn new(rule: Rule, fresh: Fresh) -> Self {
        // The world of the attacks has the keys of this environment too.
        let vault = Env::for_tests().unwrap().vault;
        let (realm, alice) = (RealmId::parse("main").unwrap(), UserId::parse("alice").unwrap());
        let user = Names(&*vault).user(&UserKey::new(realm, alice));
        let inner = MemoryStore::with_outbox(fresh.clock, fresh.outbox);
        Self { rule, inner, vault, user, cached: Mutex::default() }
    }

    async fn present(&self, key: Key) -> Option<Entry> {
        self.inner.look(&[key]).await.unwrap().entries.into_iter().next().flatten()
    }

    fn open(&self, bytes: &[u8]) -> Record {
        codec::open(&*self.vault, self.user, bytes).unwrap()
    }

    /// Breaks the rule in what is about to be settled of the user.
    fn spoil(&self, before: Option<Record>, next: &mut Record) {
        let before = before.unwrap_or_default();
        let new_epoch = before.epoch != next.epoch;
        match self.rule {
            Rule::StepsUnspent if before.authenticators.len() == next.authenticators.len() => {
                next.authenticators = before.authenticators;
            }
            Rule::ChallengeKept | Rule::ResendRefills => {
                let mailed = |of: &Touched| of.challenge(FactorKind::Email).map(|sent| sent.id);
                for login in &mut next.logins {
                    let Some(was) = before.logins.iter().find(|of| of.id == login.id) else {
                        continue;
                    };
                    let answered = mailed(was).is_some() && mailed(login).is_none();
                    let guessed = mailed(was).is_some() && mailed(login) == mailed(was);
                    if if self.rule == Rule::ChallengeKept { answered } else { guessed } {
                        *login = was.clone();
                    }
                }
            }
            Rule::NoLedger => {
                next.ledger.refill();
                next.strangers_floor = UnixTime::EPOCH;
            }
            Rule::SuccessForgivesAll if next.logins.iter().any(|of| of.spent) => {
                next.ledger.refill();
            }
            Rule::EpochKept => next.epoch = before.epoch,
            Rule::TrustSurvives if new_epoch => next.browsers = before.browsers,
            Rule::NeverRotated if before.browsers.list().len() == next.browsers.list().len() => {
                next.browsers = before.browsers;
            }
            Rule::EveryBrowserTrusted => {
                let policy = countersign_remember::Policy::new(true, 86_400).unwrap();
                let families: Vec<_> = next
                    .browsers
                    .list()
                    .iter()
                    .map(countersign_remember::Browser::family)
                    .collect();
                for family in families {
                    next.browsers.remember(family, &policy, next.settled);
                }
            }
            Rule::RecoveryReusable if next.recovery.is_none() => next.recovery = before.recovery,
            Rule::GatewayForgotten => next.gateway = None,
            Rule::MailboxTrusted => next.mailbox_reset = None,
            Rule::RecoverySparesSessions if next.gateway.is_some() => next.epoch = before.epoch,
            Rule::StandingIgnored => next.standing = Standing::Enabled,
            Rule::LoginsSurviveTheLock => {
                next.strangers_floor = UnixTime::EPOCH;
                next.known_floor = UnixTime::EPOCH;
            }
            Rule::LoginsForgotten => next.logins.clear(),
            Rule::StrangersChargeOwner if next.ledger.units() > before.ledger.units() => {
                let all = Price::of(100, 6);
                let _ = next.ledger.charge(Class::Known, all, 100, UnixTime::EPOCH);
            }
            Rule::ResetRemovesFactors if new_epoch => next.authenticators.clear(),
            _ => {}
        }
    }
}

impl Store for Broken {
    async fn look(&self, keys: &[Key]) -> Result<Looked, StoreError> {
        let mut looked = self.inner.look(keys).await?;
        if self.rule == Rule::LastWriterWins {
            // As long as a database takes: others look meanwhile.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        if self.rule == Rule::PolicyCached && keys.first() == Some(&self.user) {
            let mut cached = self.cached.lock().unwrap();
            for (key, entry) in keys.iter().zip(&mut looked.entries).skip(1) {
                *entry = cached.entry(*key).or_insert_with(|| entry.clone()).clone();
            }
        }
        Ok(looked)
    }

    async fn settle(&self, mut settle: Settle) -> Result<Settled, StoreError> {
        let present = self.present(settle.key).await;
        match self.rule {
            Rule::EventsDropped => settle.events.clear(),
            Rule::LastWriterWins => {
                settle.expected = present.as_ref().map_or(Version::ABSENT, |entry| entry.version);
            }
            Rule::ToldBeforeWritten if settle.key == self.user && !settle.events.is_empty() => {
                let swapped = present.as_ref().map_or(Version::ABSENT, |entry| entry.version);
                if swapped == settle.expected && settle.events.len() == 2 {
                    return Ok(Settled::Won);
                }
            }
            // What is neither the user's nor of a policy: budgets, families.
            Rule::SendsForgotten | Rule::SessionsForgotten
                if settle.key != self.user && settle.expiry.is_some() =>
            {
                return Ok(Settled::Won);
            }
            _ => {}
        }
        if settle.key == self.user {
            let mut next = self.open(&settle.bytes);
            self.spoil(present.map(|entry| self.open(&entry.bytes)), &mut next);
            settle.bytes =
                codec::seal(&*self.vault, Encoding::default(), self.user, [5; 24], &next).unwrap();
        }
        self.inner.settle(settle).await
    }

    async fn walk(&self, after: Option<Key>, limit: usize) -> Result<Vec<Walked>, StoreError> {
        self.inner.walk(after, limit).await
    }

    async fn events(&self, limit: usize) -> Result<Vec<EventRow>, StoreError> {
        self.inner.events(limit).await
    }

    async fn forget(&self, ids: &[EventId]) -> Result<(), StoreError> {
        self.inner.forget(ids).await
    }
}

#[test]
fn each_broken_rule_lets_the_attack_win_that_names_it() {
    let mut unnoticed = Vec::new();
    for (rule, id) in RULES {
        let fresh = |fresh: Fresh| Broken::new(rule, fresh);
        match attack_with(fresh, Schedules(20), |of| of == id) {
            Ok(_) => unnoticed.push(format!("{rule:?}: {id} noticed nothing")),
            Err(fell) => println!("{rule:?}: {}", fell.first().unwrap()),
        }
    }
    assert!(unnoticed.is_empty(), "{}", unnoticed.join("\n"));
}
