//! The link that refills a ledger: mailed to its owner, and opened.

use countersign_device::{EmailAddress, UserKey};
use countersign_token::Token;

use super::{Engine, Error};
use crate::claims::{RefillClaims, RefillKind};
use crate::decide::{Event, Outcome, RefillOffer, Refusal};
use crate::env::Body;
use crate::port::Store;

/// How often a link is sealed until it holds no run of six digits: one in five hundred does.
const SEALS: u8 = 16;
/// Programs that read codes out of mails take so many digits for one.
const RUN: usize = 6;

impl<S: Store> Engine<S> {
    /// Opens the link that was mailed when the ledger was half spent, or closed: guesses are judged
    /// again. It logs nobody in. Ask before it is called: mail is opened by programs as well.
    ///
    /// # Errors
    /// No decision was reached; or, inside, [`Refusal::LinkOver`].
    pub async fn refill(&self, link: &str) -> Result<Result<(), Refusal>, Error> {
        let context = [self.settings.realm.as_str().as_bytes()];
        let Ok(claims) = Token::<RefillKind>::open(&*self.env.vault, &context, link) else {
            return Ok(Err(Refusal::LinkOver));
        };
        match self.decided(&claims.user, Event::Refill(claims.id)).await? {
            Outcome::Done => Ok(Ok(())),
            Outcome::Refused(refusal) => Ok(Err(refusal)),
            // No other answer is one to this.
            _ => Err(Error::Contended),
        }
    }

    /// The letters that bring a link. One that could not be made is in the audit event alone.
    pub(super) fn letters(
        &self,
        user: &UserKey,
        RefillOffer { to, id, ends }: RefillOffer,
    ) -> Vec<(EmailAddress, Body)> {
        let Some(link) = self.link(&RefillClaims { user: user.clone(), id }) else {
            return Vec::new();
        };
        let lives_secs = ends.since(self.env.clock.now());
        let body = Body::Refill { link, lives_secs };
        to.into_iter().map(|address| (address, body.clone())).collect()
    }

    /// A link without a run of digits that looks like a code.
    fn link(&self, claims: &RefillClaims) -> Option<Token<RefillKind>> {
        let context = [self.settings.realm.as_str().as_bytes()];
        (0..SEALS).find_map(|_| {
            let nonce = self.env.draw().ok()?;
            let link = Token::seal(&*self.env.vault, &context, nonce, claims).ok()?;
            let mut runs = link.as_str().split(|letter: char| !letter.is_ascii_digit());
            runs.all(|run| run.len() < RUN).then_some(link)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use countersign_device::{RealmId, UserId};

    use super::*;
    use crate::engine::Settings;
    use crate::env::Env;
    use crate::memory::MemoryStore;
    use crate::record::LinkId;

    /// One in five hundred is drawn anew: of three thousand hardly none.
    #[test]
    fn no_link_holds_six_digits_in_a_row() {
        let env = Env::for_tests().unwrap();
        let store = Arc::new(MemoryStore::new(Arc::clone(&env.clock)));
        let realm = RealmId::parse("main").unwrap();
        let settings = Settings::new(realm.clone(), "https://id.example".into(), "app".into());
        let engine = Engine::new(store, env, settings).unwrap();
        let user = UserKey::new(realm, UserId::parse("alice").unwrap());
        for n in 0..3_000_u128 {
            let claims = RefillClaims { user: user.clone(), id: LinkId(n.to_be_bytes()) };
            let link = engine.link(&claims).unwrap();
            let longest = link.as_str().split(|letter: char| !letter.is_ascii_digit());
            assert!(longest.map(str::len).max().unwrap_or(0) < RUN);
        }
    }
}
