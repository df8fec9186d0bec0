//! Recovery: the code that was shown once takes the factors away.
//!
//! It does not log in. What Argon2 said comes as evidence, bound to the hash that it was computed
//! from, so that a code is spent once however many tries were hashed at the same time (E-07).

use countersign_device::FactorKind;
use countersign_token::RecoveryHash;

use super::draft::Draft;
use super::{NoticeOf, Outcome, Recover, Refusal};
use crate::audit::{Verdict, What};
use crate::record::{Class, Gateway, Standing};
use crate::rules::{RECOVERIES_A_DAY, RECOVERY_GRANT_SECS};

/// What Argon2 said of a code.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The hash that it was computed from.
    pub of: RecoveryHash,
    /// Does the code belong to it?
    pub matches: bool,
}

impl Draft<'_> {
    pub(super) fn recover(&mut self, recover: Recover) -> Outcome {
        let Recover { evidence, email, cookie, agent } = recover;
        self.agent = agent;
        self.email = email;
        if self.record.standing != Standing::Enabled {
            return Outcome::Refused(Refusal::Code);
        }
        if !self.spend_recovery(&evidence) {
            // A day's tries that are used up are told like a wrong one: nobody has passed a first
            // factor here.
            return Outcome::Refused(Refusal::Code);
        }
        // Every address is told: the one of the directory and the one of the factor.
        self.notice(NoticeOf::RecoveryUsed);
        let left = std::mem::take(&mut self.record.recovery);
        self.forget_factors();
        if !self.given.policy.recovery_replaced {
            self.record.recovery = left;
        }
        self.record.refill();
        self.note(What::FactorsRemoved);
        self.new_epoch(None);
        let browser = self.new_browser(&cookie);
        self.record.gateway = Some(Gateway {
            browser: browser.family,
            until: self.now.saturating_add(RECOVERY_GRANT_SECS),
        });
        Outcome::Recovered(browser)
    }

    /// Judges what Argon2 said of a recovery code, and spends the code. At most ten a day are judged.
    pub(super) fn spend_recovery(&mut self, evidence: &Evidence) -> bool {
        if self.record.recoveries_today(self.now) >= RECOVERIES_A_DAY {
            return false;
        }
        self.record.recoveries.push(self.now);
        let right = evidence.matches && self.record.recovery.has(&evidence.of);
        self.note(What::Judged {
            factor: FactorKind::Recovery,
            device: None,
            verdict: if right { Verdict::Won } else { Verdict::Wrong },
            class: Class::Stranger,
            units: 0,
        });
        if right {
            self.record.recovery.spend(&evidence.of);
        }
        right
    }
}
