//! The browser: met by its cookie, known after every completed login, remembered where allowed.
//!
//! The rules are the remember crate's; here they meet the record. A secret that comes after it was
//! replaced ends its own family and no other (D-01, D-14).

use countersign_token::FamilyId;
use countersign_vault::{Digest, Purpose, Vault};

use super::draft::Draft;
use super::{NoticeOf, Outcome, Refusal};
use crate::audit::What;
use crate::record::Record;
use countersign_otp::UnixTime;
use countersign_remember::{Browser, Entry, Policy, Presented};

pub use countersign_remember::Cookie;

const BROWSER: Purpose = Purpose::new("browser secret");

/// What the browser's cookie is told.
#[derive(Clone)]
pub struct FreshBrowser {
    /// Its family.
    pub family: FamilyId,
    /// The secret that it presents next.
    pub secret: [u8; 32],
    /// The family whose entry this one takes the place of.
    pub replaces: Option<FamilyId>,
}

impl std::fmt::Debug for FreshBrowser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FreshBrowser").field("family", &self.family).finish_non_exhaustive()
    }
}

/// A browser that this user is known by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Met {
    pub(super) family: FamilyId,
    pub(super) remembered: bool,
    pub(super) rotate: bool,
}

/// Does a cookie come from a browser that this user is known by? It decides nothing: who is asked
/// first, where many wait.
pub(crate) fn is_known(record: &Record, cookie: &Cookie, vault: &dyn Vault, now: UnixTime) -> bool {
    let policy = Policy::default();
    cookie.entries().iter().any(|entry| {
        let family = entry.family();
        let secret = digest(vault, family, entry.secret());
        let presented = record.browsers.judge(family, &secret, &policy, now);
        matches!(presented, Presented::Known { .. })
    })
}

impl Draft<'_> {
    /// Which browser of this user is it? What comes with a replaced secret ends its family.
    pub(super) fn meet(&mut self, cookie: &Cookie) -> Option<Met> {
        let policy = &self.given.policy.remember;
        let mut met = None;
        for entry in cookie.entries() {
            let family = entry.family();
            let secret = self.digest(family, entry.secret());
            match self.record.browsers.judge(family, &secret, policy, self.now) {
                Presented::Unknown => {}
                Presented::Known { family, remembered, rotate } => {
                    // Worth no write of its own: it is kept where something else is settled.
                    self.record.browsers.note_presented(family, &secret);
                    let remembered = remembered && self.is_as_it_was(family);
                    met = met.or(Some(Met { family, remembered, rotate }));
                }
                Presented::AnswerLost(family) => {
                    self.forget(family);
                    self.note(What::BrowserAnswerLost);
                }
                Presented::Stolen(family) => {
                    self.forget(family);
                    self.note(What::BrowserStolen);
                    self.notice(NoticeOf::BrowserStolen);
                }
            }
        }
        met
    }

    /// The browser of a granted login: known from now on, with a new secret; remembered where it
    /// is asked for and allowed.
    pub(super) fn know_browser(&mut self, cookie: &Cookie, remember: bool) -> Option<FreshBrowser> {
        let met = self.meet(cookie);
        let fresh = match met {
            Some(Met { family, rotate: true, .. }) => {
                let secret = self.seed.array();
                let digest = self.digest(family, &secret);
                self.record.browsers.rotate(family, &digest, self.now);
                Some(FreshBrowser { family, secret, replaces: None })
            }
            // Another tab was faster, and its answer holds the new secret.
            Some(Met { rotate: false, .. }) => None,
            None => Some(self.new_browser(cookie)),
        };
        if let Some(fresh) = &fresh {
            self.label(fresh.family);
        }
        let family = fresh.as_ref().map(|fresh| fresh.family).or(met.map(|met| met.family));
        let policy = &self.given.policy.remember;
        if let Some(family) = family.filter(|_| remember)
            && self.record.browsers.remember(family, policy, self.now)
        {
            self.note(What::BrowserRemembered);
            self.notice(NoticeOf::BrowserRemembered);
        }
        self.changed = true;
        fresh
    }

    /// A browser that is known from now on. It takes the place of an entry of the cookie that was
    /// this user's and ended.
    pub(super) fn new_browser(&mut self, cookie: &Cookie) -> FreshBrowser {
        let family = FamilyId::from_bytes(self.seed.array());
        let secret = self.seed.array();
        let digest = self.digest(family, &secret);
        self.record.browsers.meet(family, &digest, self.now);
        self.label(family);
        let ended = self.take_forgotten();
        let replaces =
            cookie.entries().iter().map(Entry::family).find(|family| ended.contains(family));
        FreshBrowser { family, secret, replaces }
    }

    /// Forgets one browser, or all: at the next login each is a stranger (D-08).
    ///
    /// # Errors
    /// [`Refusal::NoSuchFactor`] where there is no such browser.
    pub(super) fn forget_browsers(&mut self, only: Option<FamilyId>) -> Result<Outcome, Refusal> {
        let count = self.record.browsers.list().len();
        match only {
            Some(family) if !self.record.browsers.revoke(family) => {
                return Err(Refusal::NoSuchFactor);
            }
            Some(_) => self.note(What::BrowsersForgotten { count: 1 }),
            // Nothing to forget is nothing to write down.
            None if count == 0 => {}
            None => {
                self.record.browsers.revoke_all();
                self.note(What::BrowsersForgotten {
                    count: u8::try_from(count).unwrap_or(u8::MAX),
                });
            }
        }
        Ok(Outcome::Done)
    }

    /// Does the browser say that it is what it was? One that is another kind now, or on another system, is
    /// asked for the second factor: its trust rests until that was proved, and is not extended (D-18). Whoever
    /// copied a cookie can claim to be what its owner has; whoever did not think of it is told apart.
    fn is_as_it_was(&self, family: FamilyId) -> bool {
        let mut browsers = self.record.browsers.list().iter();
        let was = browsers.find(|browser| browser.family() == family).map(Browser::label);
        // Who never said anything says nothing new; who falls silent is not who it was.
        was.is_none_or(|was| was.as_str().is_empty() || *was == self.agent)
    }

    /// What the browser says that it is, for its owner to tell it from others.
    fn label(&mut self, family: FamilyId) {
        if !self.agent.as_str().is_empty() {
            self.record.browsers.rename(family, self.agent.clone());
        }
    }

    fn forget(&mut self, family: FamilyId) {
        self.record.browsers.revoke(family);
        self.forgotten.push(family);
    }

    /// The digest of a browser's secret, bound to its family.
    fn digest(&self, family: FamilyId, secret: &[u8; 32]) -> Digest {
        digest(self.given.vault, family, secret)
    }
}

fn digest(vault: &dyn Vault, family: FamilyId, secret: &[u8; 32]) -> Digest {
    let parts: [&[u8]; 2] = [family.as_bytes(), secret];
    vault.digest(BROWSER, &parts)
}
