//! A step-up: a session proves its user anew, by a second factor.
//!
//! It is a login that names its session: it is finished for that session alone (B-04), begins a new
//! one (B-14), and no remembered browser skips it (D-16). What is asked for is computed from the
//! factors that live now (B-13). A proof that is young enough already is said to be.

use countersign_device::LoginId;

use super::draft::Draft;
use super::{Actor, Outcome, Refusal};
use crate::claims::{Binding, Login};

impl Draft<'_> {
    /// Asks a session for its second factor, unless one was proved at most `max_age` seconds ago.
    ///
    /// # Errors
    /// [`Refusal::NotEnrolled`] where the user has nothing to answer with.
    pub(super) fn step_up(
        &mut self,
        login: &Login,
        max_age: u64,
        nonce: Option<[u8; 32]>,
    ) -> Result<Outcome, Refusal> {
        // From here on a login asks, and the session is the one that it names.
        let Some(Actor::Session(session)) = self.actor.take() else {
            return Err(Refusal::SessionOver);
        };
        if session.proved && session.is_young(max_age, self.now) {
            return Ok(Outcome::Done);
        }
        let stepped = Login {
            id: LoginId::from_random_bytes(self.seed.array()),
            binding: login.binding.or(nonce.map(Binding::Nonce)),
            session: Some(session.id),
            ..login.clone()
        };
        if stepped.binding.is_none() && self.given.policy.profile.is_strict() {
            return Err(Refusal::Unbound);
        }
        // After a recovery the mailbox is what there is to prove.
        if self.usable(&stepped).is_empty() && self.email_target(&stepped).is_none() {
            return Err(Refusal::NotEnrolled);
        }
        self.login = Some(stepped.id);
        Ok(self.challenge(stepped))
    }
}
