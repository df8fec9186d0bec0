//! The browsers that one user is known by, and what a presented secret says.
//!
//! Each is a family of secrets, rotated at each use; the keyed digests of the present and the
//! previous one are kept. A secret that comes after another took its place ends its own family, and
//! no other: somebody has a copy, or an answer was lost (D-01, D-06, D-14).

use countersign_otp::UnixTime;
use countersign_token::FamilyId;
use countersign_vault::Digest;
use serde::{Deserialize, Serialize};

use crate::Policy;

/// How many browsers a user is known by; the least recently used gives way (D-19).
pub const MOST: usize = 8;

/// How long the previous secret is accepted after a rotation, for tabs that log in together (D-03).
pub const GRACE_SECS: u64 = 60;

/// How far a stored time may lie ahead of now before a clock is wrong.
const SKEW_SECS: u64 = 30;

/// A browser of one user: known since its first completed login, remembered where it was granted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Browser {
    family: FamilyId,
    present: [u8; 32],
    previous: Option<[u8; 32]>,
    /// When the present secret took its place.
    rotated: u64,
    /// Was the present secret ever presented? Where not, its answer may have been lost.
    presented: bool,
    known_since: u64,
    last_used: u64,
    /// When remembering was first granted. Its end counts from here, whatever came later (D-05).
    remembered: Option<u64>,
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
    /// A secret came that another had replaced, and that other was used: there is a copy. The
    /// family ends, and its owner is told.
    Stolen(FamilyId),
}

/// The browsers of one user.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Browsers(Vec<Browser>);

impl Browser {
    /// Its family.
    #[must_use]
    pub const fn family(&self) -> FamilyId {
        self.family
    }

    /// Since when it is known.
    #[must_use]
    pub const fn known_since(&self) -> UnixTime {
        UnixTime::from_secs(self.known_since)
    }

    /// When it was last used.
    #[must_use]
    pub const fn last_used(&self) -> UnixTime {
        UnixTime::from_secs(self.last_used)
    }

    /// May it skip the second factor, by a policy that is read now?
    #[must_use]
    pub fn is_remembered(&self, policy: &Policy, now: UnixTime) -> bool {
        let Some(granted) = self.remembered.filter(|_| policy.allows()) else { return false };
        // A grant from the future is another node's wrong clock: it is none (D-11).
        granted <= now.secs().saturating_add(SKEW_SECS)
            && now.secs() < granted.saturating_add(policy.secs())
    }

    fn judge(&self, secret: &Digest, policy: &Policy, now: UnixTime) -> Presented {
        let family = self.family;
        let remembered = self.is_remembered(policy, now);
        // Both are compared, whichever matches.
        let is_present = Digest::from_bytes(self.present) == *secret;
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
}

impl Browsers {
    /// What a presented (family, digest of its secret) says. It changes nothing: what ends a family
    /// is [`revoke`](Self::revoke), what rotates it [`rotate`](Self::rotate).
    pub fn judge(
        &self,
        family: FamilyId,
        secret: &Digest,
        policy: &Policy,
        now: UnixTime,
    ) -> Presented {
        self.0
            .iter()
            .find(|browser| browser.family == family)
            .map_or(Presented::Unknown, |browser| browser.judge(secret, policy, now))
    }

    /// Knows a browser from now on. Beyond [`MOST`] the least recently used gives way.
    pub fn meet(&mut self, family: FamilyId, secret: &Digest, now: UnixTime) {
        self.revoke(family);
        while self.0.len() >= MOST {
            let oldest = self.0.iter().enumerate().min_by_key(|(_, browser)| browser.last_used);
            let Some((oldest, _)) = oldest else { break };
            self.0.remove(oldest);
        }
        self.0.push(Browser {
            family,
            present: *secret.as_bytes(),
            previous: None,
            rotated: now.secs(),
            presented: false,
            known_since: now.secs(),
            last_used: now.secs(),
            remembered: None,
        });
    }

    /// Gives a browser that presented its present secret a new one.
    pub fn rotate(&mut self, family: FamilyId, next: &Digest, now: UnixTime) {
        if let Some(browser) = self.find(family) {
            browser.previous = Some(browser.present);
            browser.present = *next.as_bytes();
            browser.rotated = now.secs();
            browser.presented = false;
            browser.last_used = now.secs();
        }
    }

    /// Notes that a browser presented its present secret, where no rotation follows.
    pub fn note_presented(&mut self, family: FamilyId, secret: &Digest) {
        if let Some(browser) = self.find(family) {
            browser.presented |= Digest::from_bytes(browser.present) == *secret;
        }
    }

    /// Remembers a browser, from its first grant on: a second grant extends nothing.
    pub fn remember(&mut self, family: FamilyId, policy: &Policy, now: UnixTime) -> bool {
        let allowed = policy.allows();
        match self.find(family) {
            Some(browser) if allowed => {
                let running = browser.remembered.is_some() && browser.is_remembered(policy, now);
                if !running {
                    browser.remembered = Some(now.secs());
                }
                !running
            }
            _ => false,
        }
    }

    /// Ends one family, and no other (D-08).
    pub fn revoke(&mut self, family: FamilyId) -> bool {
        let before = self.0.len();
        self.0.retain(|browser| browser.family != family);
        self.0.len() < before
    }

    /// Ends all (D-04).
    pub fn revoke_all(&mut self) {
        self.0.clear();
    }

    /// The browsers, in the order in which they were first known.
    #[must_use]
    pub fn list(&self) -> &[Browser] {
        &self.0
    }

    fn find(&mut self, family: FamilyId) -> Option<&mut Browser> {
        self.0.iter_mut().find(|browser| browser.family == family)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 24 * 60 * 60;
    const F: FamilyId = FamilyId::from_bytes([1; 16]);
    const G: FamilyId = FamilyId::from_bytes([2; 16]);

    fn at(secs: u64) -> UnixTime {
        UnixTime::from_secs(1_800_000_000 + secs)
    }

    fn secret(n: u8) -> Digest {
        Digest::from_bytes([n; 32])
    }

    fn policy() -> Policy {
        Policy::new(true, Policy::DEFAULT_SECS).unwrap()
    }

    fn remembered() -> Browsers {
        let mut browsers = Browsers::default();
        browsers.meet(F, &secret(1), at(0));
        assert!(browsers.remember(F, &policy(), at(0)));
        browsers
    }

    fn skips(browsers: &Browsers, n: u8, policy: &Policy, now: UnixTime) -> bool {
        let presented = browsers.judge(F, &secret(n), policy, now);
        matches!(presented, Presented::Known { remembered: true, .. })
    }

    /// D-03, D-06: tabs that log in together; n-1 in the grace is accepted, n-2 is theft.
    #[test]
    fn the_previous_secret_is_taken_for_a_minute_and_rotates_nothing() {
        let mut browsers = remembered();
        browsers.rotate(F, &secret(2), at(10));
        let late_tab = browsers.judge(F, &secret(1), &policy(), at(69));
        assert_eq!(late_tab, Presented::Known { family: F, remembered: true, rotate: false });
        assert_eq!(browsers.judge(F, &secret(1), &policy(), at(70)), Presented::AnswerLost(F));
        browsers.rotate(F, &secret(3), at(20));
        assert_eq!(browsers.judge(F, &secret(1), &policy(), at(21)), Presented::Stolen(F));
    }

    /// D-01: a copy is used beside its original.
    #[test]
    fn a_secret_that_was_replaced_by_one_in_use_is_stolen() {
        let mut browsers = remembered();
        browsers.rotate(F, &secret(2), at(10));
        browsers.note_presented(F, &secret(2));
        assert_eq!(browsers.judge(F, &secret(1), &policy(), at(DAY)), Presented::Stolen(F));
        assert_eq!(browsers.judge(F, &secret(9), &policy(), at(DAY)), Presented::Stolen(F));
    }

    /// D-05: used every day for a year, it ends two weeks after its first grant.
    #[test]
    fn the_end_is_fixed_at_the_first_grant() {
        let mut browsers = remembered();
        let skipped = (1..365_u64).filter(|day| {
            let n = u8::try_from(day % 250).unwrap();
            let now = at(day * DAY);
            let skips = skips(&browsers, if *day == 1 { 1 } else { n }, &policy(), now);
            browsers.rotate(F, &secret(u8::try_from((day + 1) % 250).unwrap()), now);
            skips
        });
        assert_eq!(skipped.count(), 13);
    }

    /// D-15: a policy that is switched off or shortened holds at the next judgement.
    #[test]
    fn the_policy_is_read_afresh() {
        let browsers = remembered();
        assert!(skips(&browsers, 1, &policy(), at(DAY)));
        assert!(!skips(&browsers, 1, &Policy::new(false, Policy::DEFAULT_SECS).unwrap(), at(DAY)));
        assert!(!skips(&browsers, 1, &Policy::new(true, DAY).unwrap(), at(DAY)));
        assert!(skips(&browsers, 1, &Policy::new(true, DAY).unwrap(), at(DAY - 1)));
    }

    /// D-08: one is revoked, and only that one.
    #[test]
    fn revoking_one_leaves_the_others() {
        let mut browsers = remembered();
        browsers.meet(G, &secret(5), at(0));
        assert!(browsers.revoke(F));
        assert_eq!(browsers.judge(F, &secret(1), &policy(), at(1)), Presented::Unknown);
        assert!(matches!(browsers.judge(G, &secret(5), &policy(), at(1)), Presented::Known { .. }));
    }

    /// D-11: times from the future and at the end of time.
    #[test]
    fn a_grant_from_the_future_is_none() {
        let mut browsers = Browsers::default();
        for now in [at(1_000_000), UnixTime::from_secs(u64::MAX)] {
            browsers.meet(F, &secret(1), now);
            browsers.remember(F, &policy(), now);
            assert!(!skips(&browsers, 1, &policy(), at(0)));
        }
    }

    /// D-19: the cap holds, and the least recently used gives way.
    #[test]
    fn eight_at_most() {
        let mut browsers = Browsers::default();
        for n in 0..200_u8 {
            browsers.meet(FamilyId::from_bytes([n; 16]), &secret(n), at(u64::from(n)));
        }
        assert_eq!(browsers.list().len(), MOST);
        assert!(browsers.list().iter().all(|browser| browser.family().as_bytes()[0] >= 192));
    }

    /// Never granted where the policy does not allow it (D-17 is its callers').
    #[test]
    fn nothing_is_remembered_where_it_is_not_allowed() {
        let mut browsers = Browsers::default();
        browsers.meet(F, &secret(1), at(0));
        assert!(!browsers.remember(F, &Policy::default(), at(0)));
        assert!(!skips(&browsers, 1, &policy(), at(0)));
    }

    #[test]
    fn they_survive_their_encoding() {
        let bytes = postcard::to_allocvec(&remembered()).unwrap();
        let back: Browsers = postcard::from_bytes(&bytes).unwrap();
        assert!(skips(&back, 1, &policy(), at(1)));
    }
}
