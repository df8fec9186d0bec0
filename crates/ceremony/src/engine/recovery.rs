//! Recovery codes on the engine: made, hashed and verified on the workers, outside decide.

use countersign_device::UserKey;
use countersign_token::{Pepper, RecoveryCode, RecoveryTag};
use countersign_vault::Vault;

use super::{Account, Client, Engine, Error, Reply};
use crate::decide::{Deed, Evidence, FreshCode, FreshRecovery, Refusal, is_heard};
use crate::port::Store;
use crate::record::Class;
use crate::rules::{RECOVERIES_A_DAY, RECOVERY_CODES};

/// How many codes are drawn at most for a set of ten: two of them rarely have one tag.
const DRAWS: u8 = 100;

impl<S: Store> Engine<S> {
    /// Issues recovery codes anew, by a code of an app, by a recovery code, or in a session that is
    /// fresh. The old ones are dead in the same write (E-11).
    ///
    /// # Errors
    /// No decision was reached: the old ones may be dead.
    pub async fn regenerate_recovery(
        &self,
        account: &Account,
        client: &Client,
        code: Option<&str>,
    ) -> Result<Reply, Error> {
        let Some(proof) = self.proof(account, code).await? else {
            return Ok(Reply::Refused(Refusal::Code));
        };
        let deed = |fresh| Deed::Regenerate { proof: proof.clone(), fresh };
        self.act_with_recovery(account, client, deed).await
    }

    /// How many recovery codes an account has left.
    ///
    /// # Errors
    /// The store gave no answer; or, inside, why the actor is not heard.
    pub async fn recovery_left(&self, account: &Account) -> Result<Result<usize, Refusal>, Error> {
        let record = self.record(account.user()).await?;
        let heard = is_heard(&record, account.actor(), account.tenant());
        Ok(heard.map(|()| record.recovery.left()))
    }

    /// What Argon2 says of a recovery code. None, without Argon2 and without a write: its tag is none
    /// of the user's, or the day's tries are used up.
    pub(super) async fn recovery_evidence(
        &self,
        user: &UserKey,
        code: RecoveryCode,
    ) -> Result<Option<Evidence>, Error> {
        let record = self.record(user).await?;
        let offered = tag(&code, user, &*self.env.vault);
        let Some(recovery) = record.recovery.tagged(&offered) else { return Ok(None) };
        if record.recoveries_today(self.env.clock.now()) >= RECOVERIES_A_DAY {
            return Ok(None);
        }
        let (hash, pepper) = (recovery.hash.clone(), Pepper::of(&*self.env.vault));
        let evidence = self
            .env
            .work_for(Class::Known, move || {
                hash.verify(&pepper, &code).map(|matches| Evidence { matches, of: hash })
            })
            .await?;
        evidence.map(Some).map_err(|_| Error::Busy)
    }

    /// A set of codes, each under a tag of its own, so that one look tells which one is tried.
    pub(super) async fn fresh_recovery(&self, user: &UserKey) -> Result<FreshRecovery, Error> {
        let count = self.settings.recovery_codes.clamp(1, RECOVERY_CODES);
        let mut fresh: Vec<FreshCode> = Vec::new();
        for _ in 0..DRAWS {
            if fresh.len() >= usize::from(count) {
                break;
            }
            let code = RecoveryCode::try_fill(|buf| self.env.random.try_fill(buf))?;
            let tag = tag(&code, user, &*self.env.vault);
            if fresh.iter().any(|of| of.tag == tag) {
                continue;
            }
            let (salt, pepper) = (self.env.draw()?, Pepper::of(&*self.env.vault));
            let (hashed, params) = (code.clone(), self.settings.argon2);
            let hash = self
                .env
                .work_for(Class::Known, move || hashed.hash(&pepper, &salt, params))
                .await?;
            fresh.push(FreshCode { code, tag, hash: hash.map_err(|_| Error::Busy)? });
        }
        // A generator that draws one tag again and again is none.
        if fresh.len() < usize::from(count) { Err(Error::Random) } else { Ok(FreshRecovery(fresh)) }
    }
}

/// The tag of a recovery code, bound to its user.
fn tag(code: &RecoveryCode, user: &UserKey, vault: &dyn Vault) -> RecoveryTag {
    code.tag(vault, &[user.realm().as_str().as_bytes(), user.user().as_str().as_bytes()])
}
