//! The browsers that one user is known by.
//!
//! A user has at most eight; what ends one ends no other (D-08, D-14). They live and die with the
//! user's epoch: whoever turns the epoch calls [`Browsers::revoke_all`] in the same settle, so that
//! no family of another epoch is ever kept (D-04).

use countersign_device::Label;
use countersign_otp::UnixTime;
use countersign_token::FamilyId;
use countersign_vault::Digest;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::{Browser, Cookie, Entry, Policy, Presented};

/// How many browsers a user is known by; the least recently used gives way (D-19).
pub const MOST: usize = 8;

/// The browsers of one user: at most [`MOST`], one a family.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Browsers(#[serde(deserialize_with = "checked")] Vec<Browser>);

impl Browsers {
    /// The entry of a cookie that is this user's, found by its family, which is no secret. Where a
    /// cookie has several, it is the newest.
    #[must_use]
    pub fn presented<'c>(&self, cookie: &'c Cookie) -> Option<&'c Entry> {
        let ours = |entry: &&Entry| self.0.iter().any(|browser| browser.family() == entry.family());
        cookie.entries().iter().rev().find(ours)
    }

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
            .find(|browser| browser.family() == family)
            .map_or(Presented::Unknown, |browser| browser.judge(secret, policy, now))
    }

    /// Knows a browser from now on. Beyond [`MOST`] the least recently used gives way.
    pub fn meet(&mut self, family: FamilyId, secret: &Digest, now: UnixTime) {
        self.revoke(family);
        while self.0.len() >= MOST {
            // A use in the future was a wrong clock: it keeps no browser longer than one used now.
            let used = |browser: &Browser| browser.last_used().min(now);
            let oldest = self.0.iter().enumerate().min_by_key(|(_, browser)| used(browser));
            let Some((oldest, _)) = oldest else { break };
            self.0.remove(oldest);
        }
        self.0.push(Browser::meet(family, secret, now));
    }

    /// Gives a browser that presented its present secret a new one.
    pub fn rotate(&mut self, family: FamilyId, next: &Digest, now: UnixTime) {
        if let Some(browser) = self.find(family) {
            browser.rotate(next, now);
        }
    }

    /// Notes that a browser presented its present secret, where no rotation follows.
    pub fn note_presented(&mut self, family: FamilyId, secret: &Digest) {
        if let Some(browser) = self.find(family) {
            browser.note_presented(secret);
        }
    }

    /// Notes what a browser says that it is.
    pub fn rename(&mut self, family: FamilyId, label: Label) {
        if let Some(browser) = self.find(family) {
            browser.rename(label);
        }
    }

    /// Remembers a browser, from its first grant on: a second grant extends nothing. Only for a
    /// login that proved a second factor (D-17). Was it granted now?
    pub fn remember(&mut self, family: FamilyId, policy: &Policy, now: UnixTime) -> bool {
        self.find(family).is_some_and(|browser| browser.remember(policy, now))
    }

    /// Ends one family, and no other (D-08).
    pub fn revoke(&mut self, family: FamilyId) -> bool {
        let before = self.0.len();
        self.0.retain(|browser| browser.family() != family);
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
        self.0.iter_mut().find(|browser| browser.family() == family)
    }
}

/// A stored list is no longer than one can grow, and has no family twice.
fn checked<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Browser>, D::Error> {
    let list = Vec::<Browser>::deserialize(from)?;
    let twice = |(n, browser): (usize, &Browser)| {
        list.iter().skip(n.saturating_add(1)).any(|other| other.family() == browser.family())
    };
    // The length first: what is short is compared with itself.
    if list.len() > MOST || list.iter().enumerate().any(twice) {
        return Err(D::Error::custom("a stored list of browsers is too long, or has one twice"));
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_vault::{Purpose, Ring, Vault};

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

    /// D-03: 64 logins at once with one secret: one rotates it, none forks it.
    #[test]
    fn parallel_logins_rotate_once() {
        let mut browsers = remembered();
        let mut rotations = 0;
        for _ in 0..64 {
            let presented = browsers.judge(F, &secret(1), &policy(), at(5));
            let Presented::Known { remembered: true, rotate, .. } = presented else {
                panic!("known, and in the grace: {presented:?}");
            };
            if rotate {
                rotations += 1;
                browsers.rotate(F, &secret(2), at(5));
            }
        }
        assert_eq!(rotations, 1);
        let next = browsers.judge(F, &secret(2), &policy(), at(6));
        assert_eq!(next, Presented::Known { family: F, remembered: true, rotate: true });
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

    /// D-05: what ran out is granted anew by a new proof alone, and what runs is not extended.
    #[test]
    fn a_second_grant_extends_nothing() {
        let mut browsers = remembered();
        assert!(!browsers.remember(F, &policy(), at(13 * DAY)));
        assert!(skips(&browsers, 1, &policy(), at(14 * DAY - 1)));
        assert!(!skips(&browsers, 1, &policy(), at(14 * DAY)));
        assert!(browsers.remember(F, &policy(), at(14 * DAY)));
        assert!(skips(&browsers, 1, &policy(), at(28 * DAY - 1)));
        let until = browsers.list()[0].remembered_until(&policy(), at(15 * DAY));
        assert_eq!(until, Some(at(28 * DAY)));
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

    /// D-11: a clock that was ahead ends nothing that is in use, and keeps nothing alive.
    #[test]
    fn a_rotation_from_the_future_gives_no_grace() {
        let mut browsers = remembered();
        browsers.rotate(F, &secret(2), at(1000));
        assert!(skips(&browsers, 2, &policy(), at(10)));
        assert_eq!(browsers.judge(F, &secret(1), &policy(), at(969)), Presented::AnswerLost(F));
        assert!(skips(&browsers, 1, &policy(), at(970)));
        let end = UnixTime::from_secs(u64::MAX);
        assert_eq!(browsers.judge(F, &secret(1), &policy(), end), Presented::AnswerLost(F));
    }

    /// D-19, D-11: whoever was used in the future goes first among equals, and never outlives all.
    #[test]
    fn a_use_in_the_future_keeps_no_place() {
        let mut browsers = Browsers::default();
        browsers.meet(F, &secret(1), UnixTime::from_secs(u64::MAX));
        for n in 10..18_u8 {
            browsers.meet(FamilyId::from_bytes([n; 16]), &secret(n), at(0));
        }
        assert_eq!(browsers.judge(F, &secret(1), &policy(), at(0)), Presented::Unknown);
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

    /// D-17: no judgement, rotation or label grants anything, and a family that ended is not
    /// granted. That only a proof leads to a grant is its callers'.
    #[test]
    fn nothing_but_a_grant_remembers() {
        let mut browsers = Browsers::default();
        browsers.meet(F, &secret(1), at(0));
        browsers.note_presented(F, &secret(1));
        browsers.rotate(F, &secret(2), at(1));
        browsers.rename(F, Label::clean("Firefox"));
        assert!(!skips(&browsers, 2, &policy(), at(2)));
        browsers.revoke(F);
        assert!(!browsers.remember(F, &policy(), at(3)));
        assert!(browsers.list().is_empty());
    }

    /// D-15: never granted where the policy does not allow it.
    #[test]
    fn nothing_is_remembered_where_it_is_not_allowed() {
        let mut browsers = Browsers::default();
        browsers.meet(F, &secret(1), at(0));
        assert!(!browsers.remember(F, &Policy::default(), at(0)));
        assert!(!skips(&browsers, 1, &policy(), at(0)));
    }

    /// D-02: whoever reads the whole record builds no cookie from it.
    #[test]
    fn what_is_stored_is_no_secret() {
        let mut bytes = 0..=u8::MAX;
        let vault = Ring::try_new(|buf: &mut [u8]| {
            buf.iter_mut().zip(&mut bytes).for_each(|(byte, next)| *byte = next);
            Ok::<(), std::convert::Infallible>(())
        });
        let vault = vault.unwrap();
        let digest = |secret: &[u8]| vault.digest(Purpose::new("browser secret"), &[secret]);
        let mut browsers = Browsers::default();
        browsers.meet(F, &digest(&[1; 32]), at(0));
        browsers.rotate(F, &digest(&[2; 32]), at(1));
        let stored = postcard::to_allocvec(&browsers).unwrap();
        assert!(!stored.windows(32).any(|bytes| bytes == [1; 32] || bytes == [2; 32]));
        for bytes in stored.windows(32) {
            let presented = browsers.judge(F, &digest(bytes), &policy(), at(2));
            assert_eq!(presented, Presented::Stolen(F));
        }
    }

    /// The entry of this user, among those of others who share the browser.
    #[test]
    fn a_cookie_is_searched_by_its_families() {
        let mut browsers = remembered();
        let other = FamilyId::from_bytes([9; 16]);
        let cookie = Cookie::default().with(F, [1; 32]).with(other, [9; 32]);
        assert_eq!(browsers.presented(&cookie).map(Entry::family), Some(F));
        assert!(browsers.presented(&cookie.clone().without(F)).is_none());
        browsers.meet(G, &secret(2), at(0));
        let both = cookie.with(G, [2; 32]);
        assert_eq!(browsers.presented(&both).map(Entry::family), Some(G));
        browsers.revoke_all();
        assert!(browsers.presented(&both).is_none());
    }

    #[test]
    fn they_survive_their_encoding() {
        let mut browsers = remembered();
        browsers.rename(F, Label::clean("Firefox on Linux"));
        let bytes = postcard::to_allocvec(&browsers).unwrap();
        let back: Browsers = postcard::from_bytes(&bytes).unwrap();
        assert!(skips(&back, 1, &policy(), at(1)));
        assert_eq!(back.list()[0].label().as_str(), "Firefox on Linux");
        assert_eq!(back.list()[0].known_since(), at(0));
    }

    #[test]
    fn a_list_that_never_was_is_refused() {
        let browser = |n: u8| Browser::meet(FamilyId::from_bytes([n; 16]), &secret(n), at(0));
        let read = |list: Vec<Browser>| {
            postcard::from_bytes::<Browsers>(&postcard::to_allocvec(&list).unwrap())
        };
        assert!(read((0..8).map(browser).collect()).is_ok());
        assert!(read((0..9).map(browser).collect()).is_err());
        assert!(read(vec![browser(1), browser(2), browser(1)]).is_err());
    }

    /// E-17.
    #[test]
    fn debug_shows_no_digest() {
        let mut browsers = remembered();
        browsers.rotate(F, &secret(77), at(1));
        let shown = format!("{browsers:?}");
        assert!(!shown.contains("77, 77") && !shown.contains("1, 1"), "{shown}");
    }
}
