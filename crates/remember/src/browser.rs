//! One browser of one user, and what a presented secret says of it.
//!
//! It is a family of secrets, rotated at each use; the keyed digests of the present and the
//! previous one are kept, and no more (D-02). So a family has one living successor at any time, and
//! a secret that comes after another took its place is either late by a tab (D-03), late by a lost
//! answer, or a copy (D-01, D-06).

use std::fmt;

use countersign_device::Label;
use countersign_otp::UnixTime;
use countersign_token::FamilyId;
use countersign_vault::Digest;
use serde::{Deserialize, Serialize};

use crate::Policy;

/// How long the previous secret is accepted after a rotation, in seconds, for tabs that log in
/// together (D-03).
pub const GRACE_SECS: u64 = 60;

/// How far a stored time may lie ahead of now before a clock is wrong, in seconds (D-11).
const SKEW_SECS: u64 = 30;

/// A browser of one user: known since its first completed login, remembered where it was granted.
///
/// Its encoding is for a sealed record.
#[derive(Clone, Serialize, Deserialize)]
pub struct Browser {
    family: FamilyId,
    present: [u8; Digest::LEN],
    previous: Option<[u8; Digest::LEN]>,
    /// When the present secret took its place.
    rotated: u64,
    /// Was the present secret ever presented? Where not, its answer may have been lost.
    presented: bool,
    known_since: u64,
    last_used: u64,
    /// When remembering was first granted. Its end counts from here, whatever came later (D-05).
    remembered: Option<u64>,
    label: Label,
}

/// What a presented secret says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Presented {
    /// Nothing: no such family, or none of this user's.
    Unknown,
    /// This is the browser.
    Known {
        /// Which.
        family: FamilyId,
        /// May it skip the second factor now?
        remembered: bool,
        /// Should it be given a new secret? Not within the grace, where another tab was.
        rotate: bool,
    },
    /// The previous secret came late, and the present one never did: an answer was lost. The family
    /// ends, without alarm.
    AnswerLost(FamilyId),
    /// A secret came that another had replaced, and that other was used; or one that never was of
    /// this family. There is a copy. The family ends, and its owner is told.
    Stolen(FamilyId),
}

impl Browser {
    /// A browser that is known from now on, by its first secret.
    pub(crate) fn meet(family: FamilyId, secret: &Digest, now: UnixTime) -> Self {
        let now = now.secs();
        Self {
            family,
            present: *secret.as_bytes(),
            previous: None,
            rotated: now,
            presented: false,
            known_since: now,
            last_used: now,
            remembered: None,
            label: Label::default(),
        }
    }

    /// Its family.
    #[must_use]
    pub const fn family(&self) -> FamilyId {
        self.family
    }

    /// What it said that it is. Empty where nobody noted it.
    #[must_use]
    pub const fn label(&self) -> &Label {
        &self.label
    }

    /// Since when it is known.
    #[must_use]
    pub const fn known_since(&self) -> UnixTime {
        UnixTime::from_secs(self.known_since)
    }

    /// When it was last used: met, or given a new secret.
    #[must_use]
    pub const fn last_used(&self) -> UnixTime {
        UnixTime::from_secs(self.last_used)
    }

    /// Until when it may skip the second factor, by a policy that is read now.
    #[must_use]
    pub fn remembered_until(&self, policy: &Policy, now: UnixTime) -> Option<UnixTime> {
        let granted = UnixTime::from_secs(self.remembered.filter(|_| policy.allows())?);
        let until = granted.saturating_add(policy.secs());
        // A grant from the future is another node's wrong clock: it is none (D-11).
        (granted.since(now) <= SKEW_SECS && now < until).then_some(until)
    }

    /// May it skip the second factor, by a policy that is read now (D-15)?
    #[must_use]
    pub fn is_remembered(&self, policy: &Policy, now: UnixTime) -> bool {
        self.remembered_until(policy, now).is_some()
    }

    pub(crate) fn judge(&self, secret: &Digest, policy: &Policy, now: UnixTime) -> Presented {
        let family = self.family;
        let remembered = self.is_remembered(policy, now);
        // Both are compared, in constant time, whichever matches.
        let is_present = self.is_present(secret);
        let is_previous = self.previous.is_some_and(|of| Digest::from_bytes(of) == *secret);
        let rotated = UnixTime::from_secs(self.rotated);
        let in_grace = now.since(rotated) < GRACE_SECS && rotated.since(now) <= SKEW_SECS;
        match (is_present, is_previous) {
            (true, _) => Presented::Known { family, remembered, rotate: true },
            (false, true) if in_grace => Presented::Known { family, remembered, rotate: false },
            (false, true) if !self.presented => Presented::AnswerLost(family),
            _ => Presented::Stolen(family),
        }
    }

    pub(crate) fn rotate(&mut self, next: &Digest, now: UnixTime) {
        self.previous = Some(self.present);
        self.present = *next.as_bytes();
        self.rotated = now.secs();
        self.presented = false;
        self.last_used = now.secs();
    }

    pub(crate) fn note_presented(&mut self, secret: &Digest) {
        self.presented |= self.is_present(secret);
    }

    pub(crate) fn rename(&mut self, label: Label) {
        self.label = label;
    }

    /// Is it granted now, where it was not before?
    pub(crate) fn remember(&mut self, policy: &Policy, now: UnixTime) -> bool {
        let begins = policy.allows() && !self.is_remembered(policy, now);
        if begins {
            self.remembered = Some(now.secs());
        }
        begins
    }

    fn is_present(&self, secret: &Digest) -> bool {
        Digest::from_bytes(self.present) == *secret
    }
}

impl fmt::Debug for Browser {
    /// No digest.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            family,
            present: _,
            previous: _,
            rotated,
            presented,
            known_since,
            last_used,
            remembered,
            label,
        } = self;
        f.debug_struct("Browser")
            .field("family", family)
            .field("rotated", rotated)
            .field("presented", presented)
            .field("known_since", known_since)
            .field("last_used", last_used)
            .field("remembered", remembered)
            .field("label", label)
            .finish_non_exhaustive()
    }
}
