//! Codes of authenticator apps.
//!
//! Every device in question is judged, over its whole window and by its own floor, whether another
//! has matched or not (A-09, constant work). The latest match wins, spends its step, and so no code
//! is taken twice, nor an older one after it.

use countersign_device::{Authenticator, DeviceId, FactorKind};
use countersign_otp::{Code, Digits, Found};

use super::draft::Draft;
use super::guess::Judged;
use super::{Cookie, Outcome, Proof, Refusal};
use crate::assertion::Second;
use crate::audit::Verdict;
use crate::claims::Login;
use crate::record::Price;

impl Draft<'_> {
    pub(super) fn authenticator_code(
        &mut self,
        login: &Login,
        device: Option<DeviceId>,
        code: &Code,
        cookie: &Cookie,
        remember: bool,
    ) -> Result<Outcome, Refusal> {
        self.prove_by_app(login, device, code)?;
        let second = Second::Proved(FactorKind::Authenticator);
        Ok(self.grant(login, second, cookie, remember, None))
    }

    /// Judges a code of an app, and spends it.
    ///
    /// # Errors
    /// The refusal for the client.
    pub(super) fn prove_by_app(
        &mut self,
        login: &Login,
        device: Option<DeviceId>,
        code: &Code,
    ) -> Result<(), Refusal> {
        let named: Vec<usize> = self
            .record
            .authenticators
            .iter()
            .enumerate()
            .filter(|(_, of)| device.is_none_or(|id| of.id() == id) && !of.is_locked())
            .filter(|(_, of)| of.totp().digits().count() == code.digits())
            .map(|(at, _)| at)
            .collect();
        if named.is_empty() && code.digits() != Digits::Six.count() {
            // A code that no device of this user could show, and no usual one either: it is not
            // judged.
            return Err(Refusal::Code);
        }
        let price = self.price(&named);
        self.guess(login, FactorKind::Authenticator, price, |draft| {
            draft.judge_authenticators(&named, device, code)
        })
    }

    /// Removes one app, where that is proven.
    ///
    /// # Errors
    /// The refusal for the client.
    pub(super) fn remove_authenticator(
        &mut self,
        login: &Login,
        device: DeviceId,
        proof: Proof,
    ) -> Result<Outcome, Refusal> {
        let is_it = |of: &Authenticator| of.id() == device;
        if !self.record.authenticators.iter().any(is_it) {
            return Err(Refusal::NoSuchFactor);
        }
        let mut without = self.record.clone();
        without.authenticators.retain(|of| !is_it(of));
        let last = self.usable_of(&without, login).is_empty();
        self.removal(login, last, proof)?;
        self.record.authenticators.retain(|of| !is_it(of));
        Ok(self.removed(login, FactorKind::Authenticator, device))
    }

    /// What a guess against these devices could win. Where none is named that exists, what one
    /// usual device would: the gate then tells nothing of who has which.
    fn price(&self, named: &[usize]) -> Price {
        let codes = u64::from(self.given.policy.window.codes());
        let devices = named.iter().filter_map(|at| self.record.authenticators.get(*at));
        if named.is_empty() {
            return Price::of(codes, Digits::Six.count());
        }
        devices
            .map(|device| Price::of(codes, device.totp().digits().count()))
            .fold(Price::default(), Price::and)
    }

    fn judge_authenticators(
        &mut self,
        named: &[usize],
        device: Option<DeviceId>,
        code: &Code,
    ) -> Judged<()> {
        let (window, now) = (self.given.policy.window, self.now);
        let mut won: Option<DeviceId> = None;
        let mut replayed = false;
        for at in named {
            let Some(of) = self.record.authenticators.get_mut(*at) else { continue };
            match of.judge(code, window, now) {
                // Spent on every device that shows it, so that it wins nowhere a second time.
                Found::Fresh { step, drift } => {
                    of.spend(step, drift, now);
                    won = won.or(Some(of.id()));
                }
                Found::Replayed => replayed = true,
                Found::No => {}
            }
        }
        if won.is_some() {
            return Judged::won(won, ());
        }
        if named.is_empty() {
            // The same work as for a device that exists.
            let _ = Authenticator::judge_nothing(code, window, now);
            return Judged::lost(Verdict::UnknownDevice, device);
        }
        if replayed {
            return Judged::lost(Verdict::Replayed, device);
        }
        for at in named {
            if let Some(of) = self.record.authenticators.get_mut(*at) {
                of.fail();
            }
        }
        Judged::lost(Verdict::Wrong, device)
    }
}
