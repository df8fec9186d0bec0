//! Recovery codes as they are made and shown: a set of them, each for once.
//!
//! A set is issued with the first factor, and anew where its owner asks for that under a fresh
//! session or with a right code (E-11): the old set is dead in the same write. A recovery spends the
//! whole set, and the next enrolment issues another; a code that proves a removal spends itself.

use countersign_token::{RecoveryCode, RecoveryHash, RecoveryTag};
use zeroize::Zeroizing;

use super::draft::Draft;
use super::{NoticeOf, Outcome, Proof, Refusal};
use crate::audit::What;
use crate::claims::Login;
use crate::record::Recovery;

/// Recovery codes that the engine made and hashed, because decide asked for them.
#[derive(Clone)]
pub struct FreshRecovery(pub Vec<FreshCode>);

/// One of them.
#[derive(Clone)]
pub struct FreshCode {
    /// The code, to be shown once.
    pub code: RecoveryCode,
    /// Its tag.
    pub tag: RecoveryTag,
    /// Its hash.
    pub hash: RecoveryHash,
}

/// Recovery codes, to be shown once.
#[derive(Clone)]
pub struct RecoveryCodes(Vec<RecoveryCode>);

impl RecoveryCodes {
    /// The first of them, for a client that knows one.
    #[must_use]
    pub fn reveal(&self) -> Zeroizing<String> {
        self.0.first().map(RecoveryCode::reveal).unwrap_or_default()
    }

    /// Each of them.
    pub fn reveal_all(&self) -> impl ExactSizeIterator<Item = Zeroizing<String>> {
        self.0.iter().map(RecoveryCode::reveal)
    }
}

impl Draft<'_> {
    /// Puts fresh codes in the place of those that were there.
    pub(super) fn issue(&mut self, FreshRecovery(fresh): FreshRecovery) -> RecoveryCodes {
        let rows = fresh.iter().map(|of| Recovery { tag: of.tag, hash: of.hash.clone() });
        self.record.recovery = rows.collect();
        self.note(What::RecoveryIssued);
        RecoveryCodes(fresh.into_iter().map(|of| of.code).collect())
    }

    /// Issues a set anew, where that is proven.
    ///
    /// # Errors
    /// The refusal for the client: the old set stands.
    pub(super) fn regenerate(
        &mut self,
        login: &Login,
        proof: Proof,
        fresh: Option<FreshRecovery>,
    ) -> Result<Outcome, Refusal> {
        if !self.record.is_enrolled() {
            return Err(Refusal::NotEnrolled);
        }
        let mark = self.mark();
        self.prove(login, proof)?;
        let Some(fresh) = fresh else {
            // Nothing is decided yet: the engine hashes the codes and asks again.
            self.go_back(mark);
            return Ok(Outcome::NeedsRecovery);
        };
        self.notice(NoticeOf::RecoveryIssued);
        Ok(Outcome::Added { recovery: Some(self.issue(fresh)) })
    }
}

impl std::fmt::Debug for FreshRecovery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FreshRecovery(..)")
    }
}

impl std::fmt::Debug for FreshCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FreshCode(..)")
    }
}

impl std::fmt::Debug for RecoveryCodes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RecoveryCodes({})", self.0.len())
    }
}
