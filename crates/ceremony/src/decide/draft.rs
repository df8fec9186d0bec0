//! What a decision is made in: the record as it will be, and what was noted on the way.

use countersign_device::{EmailAddress, EmailFactor, Label, LoginId, TenantId};
use countersign_otp::UnixTime;
use countersign_token::FamilyId;
use rand::rngs::ChaCha20Rng;
use rand::{Rng, SeedableRng};

use super::{Actor, Decision, Given, Notice, NoticeOf, Outcome, RefillOffer, Sealed, Told};
use crate::audit::{Audit, By, Id, What};
use crate::record::{Record, Standing};
use crate::rules::SKEW_SECS;

/// Everything random in one decision, from 32 bytes that the engine drew.
pub struct Seed(ChaCha20Rng);

impl Seed {
    /// Stretches 32 random bytes.
    #[must_use]
    pub fn new(seed: [u8; 32]) -> Self {
        Self(ChaCha20Rng::from_seed(seed))
    }

    /// Fills a buffer.
    pub fn fill(&mut self, buf: &mut [u8]) {
        self.0.fill_bytes(buf);
    }

    /// Draws some bytes.
    pub fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed(..)")
    }
}

/// One decision in the making.
pub(super) struct Draft<'a> {
    pub(super) record: Record,
    pub(super) given: &'a Given<'a>,
    pub(super) now: UnixTime,
    pub(super) seed: Seed,
    /// The tenant and the login that audit events name, where there are any.
    pub(super) tenant: Option<TenantId>,
    pub(super) login: Option<LoginId>,
    /// What the browser says that it is.
    pub(super) agent: Label,
    /// Who acts on the account, where it is not a login that asks.
    pub(super) actor: Option<Actor>,
    pub(super) changed: bool,
    /// The address that the event came with: it is told beside the one of the email factor.
    pub(super) email: Option<EmailAddress>,
    notices: Vec<Notice>,
    /// A link to be mailed.
    pub(super) offer: Option<RefillOffer>,
    /// Families that ended in this decision: their entries leave the cookie.
    pub(super) forgotten: Vec<FamilyId>,
    audits: Vec<Audit>,
}

/// Where a decision stood, to go back to.
pub(super) struct Mark {
    record: Record,
    audits: usize,
    notices: usize,
    offer: Option<RefillOffer>,
    changed: bool,
}

impl<'a> Draft<'a> {
    pub(super) fn new(record: Record, given: &'a Given<'a>, now: UnixTime, seed: Seed) -> Self {
        Self {
            record,
            given,
            now,
            seed,
            tenant: None,
            login: None,
            agent: Label::default(),
            actor: None,
            changed: false,
            email: None,
            notices: Vec::new(),
            offer: None,
            forgotten: Vec::new(),
            audits: Vec::new(),
        }
    }

    /// Notes that something happened. Whatever is worth an event is worth a settle.
    pub(super) fn note(&mut self, what: What) {
        self.changed = true;
        let audit = Audit {
            id: Id(self.seed.array()),
            at: self.now,
            node: self.given.node.to_owned(),
            user: Some(self.given.user.clone()),
            tenant: self.tenant.clone(),
            login: self.login,
            by: self.by(),
            what,
        };
        self.audits.push(audit);
    }

    fn by(&self) -> By {
        match &self.actor {
            None => By::Anybody,
            Some(Actor::Session(session)) => By::Session(session.id),
            Some(Actor::Administrator(of)) => By::Administrator(of.client.clone()),
        }
    }

    /// Notes that the owner is to be told: at the address of the event, and at the bound one.
    pub(super) fn notice(&mut self, of: NoticeOf) {
        self.notices.extend(self.addresses().into_iter().map(|to| Notice { to, of }));
    }

    /// Where the owner is reached: at the bound address, and at the one of the event.
    pub(super) fn addresses(&self) -> Vec<EmailAddress> {
        let bound = self.record.email.as_ref().map(EmailFactor::address);
        let mut addresses: Vec<_> = bound.into_iter().chain(&self.email).cloned().collect();
        addresses.dedup();
        addresses
    }

    /// Was the record last settled so far ahead of now that a clock must be wrong? Then open
    /// logins are dead, this once, and no time of the future keeps anybody out.
    pub(super) fn heal(&mut self) -> bool {
        let ahead = self.record.settled.since(self.now);
        if ahead <= SKEW_SECS {
            return false;
        }
        self.record.heal(self.now);
        self.note(What::ClockSkew { ahead });
        true
    }

    /// Where the decision stands.
    pub(super) fn mark(&self) -> Mark {
        Mark {
            record: self.record.clone(),
            audits: self.audits.len(),
            notices: self.notices.len(),
            offer: self.offer.clone(),
            changed: self.changed,
        }
    }

    /// Goes back: nothing since was decided.
    pub(super) fn go_back(&mut self, mark: Mark) {
        let Mark { record, audits, notices, offer, changed } = mark;
        self.record = record;
        self.audits.truncate(audits);
        self.notices.truncate(notices);
        self.offer = offer;
        self.changed = changed;
    }

    /// The families that ended in this decision.
    pub(super) fn take_forgotten(&mut self) -> Vec<FamilyId> {
        std::mem::take(&mut self.forgotten)
    }

    pub(super) fn finish(mut self, outcome: Outcome) -> Decision {
        if self.changed {
            self.record.prune(self.now);
            self.record.settled = self.now;
            let is_kept = self.record.standing != Standing::Erased;
            self.record.owner = is_kept.then(|| self.given.user.clone());
        }
        let Self { record, changed, audits, notices, offer, .. } = self;
        Decision { record, changed, audits, told: Sealed(Told { outcome, notices, offer }) }
    }
}
