//! Links that refill the ledger, mailed to the owner: two a year, so that they add two refills to it
//! and no more.

use serde::{Deserialize, Serialize};

use countersign_otp::UnixTime;
use countersign_vault::Digest;

use super::seconds;
use crate::rules::{REFILL_LINK_SECS, REFILL_LINKS_A_YEAR, YEAR_SECS};

/// What a link says, beside whose it is: 128 random bits.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkId(pub [u8; 16]);

impl std::fmt::Debug for LinkId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LinkId(..)")
    }
}

/// The link that lives, and when links were mailed in the last year.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Refills {
    live: Option<Link>,
    #[serde(with = "seconds::list")]
    mailed: Vec<UnixTime>,
}

/// A link that was mailed: one lives at a time.
#[derive(Clone, Serialize, Deserialize)]
struct Link {
    digest: [u8; Digest::LEN],
    #[serde(with = "seconds")]
    ends: UnixTime,
}

impl Refills {
    /// May another link be mailed?
    #[must_use]
    pub fn may_mail(&self, now: UnixTime) -> bool {
        self.mailed.iter().filter(|at| now.since(**at) < YEAR_SECS).count() < REFILL_LINKS_A_YEAR
    }

    /// A link is mailed: it takes the place of the one before, and ends then.
    pub(crate) fn mail(&mut self, link: &Digest, now: UnixTime) -> UnixTime {
        let ends = now.saturating_add(REFILL_LINK_SECS);
        self.mailed.retain(|at| now.since(*at) < YEAR_SECS);
        self.mailed.push(now);
        self.live = Some(Link { digest: *link.as_bytes(), ends });
        ends
    }

    /// Is this the link that lives? Compared in constant time.
    #[must_use]
    pub fn lives(&self, link: &Digest, now: UnixTime) -> bool {
        let live = self.live.as_ref().filter(|live| now < live.ends);
        live.is_some_and(|live| Digest::from_bytes(live.digest) == *link)
    }

    /// The link is dead: it was opened, or what it is for has been done by other means.
    pub(crate) fn end(&mut self) {
        self.live = None;
    }

    /// A clock was wrong: a link lives as long as any, and a year is a year from now at most.
    pub(crate) fn heal(&mut self, now: UnixTime) {
        self.mailed.iter_mut().for_each(|at| *at = now.min(*at));
        if let Some(live) = &mut self.live {
            live.ends = live.ends.min(now.saturating_add(REFILL_LINK_SECS));
        }
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("ends", &self.ends).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

    fn link(n: u8) -> Digest {
        Digest::from_bytes([n; Digest::LEN])
    }

    #[test]
    fn two_are_mailed_a_year() {
        let mut refills = Refills::default();
        for n in 0..2 {
            assert!(refills.may_mail(NOW));
            let _ends = refills.mail(&link(n), NOW);
        }
        let year = NOW.saturating_add(YEAR_SECS);
        assert!(!refills.may_mail(NOW.saturating_add(YEAR_SECS - 1)) && refills.may_mail(year));
        let _ends = refills.mail(&link(3), year);
        assert_eq!(refills.mailed, [year], "what is a year old is forgotten");
    }

    #[test]
    fn one_lives_until_its_end_or_the_next() {
        let mut refills = Refills::default();
        let ends = refills.mail(&link(1), NOW);
        assert_eq!(ends, NOW.saturating_add(REFILL_LINK_SECS));
        let last = NOW.saturating_add(REFILL_LINK_SECS - 1);
        assert!(refills.lives(&link(1), last) && !refills.lives(&link(1), ends));
        assert!(!refills.lives(&link(2), NOW));
        let _ends = refills.mail(&link(2), NOW);
        assert!(refills.lives(&link(2), NOW) && !refills.lives(&link(1), NOW));
        refills.end();
        assert!(!refills.lives(&link(2), NOW));
    }

    #[test]
    fn a_clock_a_year_ahead_leaves_no_link_that_lives_longer_and_takes_none_for_longer() {
        let mut refills = Refills::default();
        let _ends = refills.mail(&link(1), NOW.saturating_add(YEAR_SECS));
        let _ends = refills.mail(&link(1), NOW.saturating_add(YEAR_SECS));
        refills.heal(NOW);
        assert!(refills.lives(&link(1), NOW.saturating_add(REFILL_LINK_SECS - 1)));
        assert!(!refills.lives(&link(1), NOW.saturating_add(REFILL_LINK_SECS)));
        assert!(refills.may_mail(NOW.saturating_add(YEAR_SECS)));
    }
}
