//! The choke point: every judged code of every factor passes here, and nowhere else (C-15).
//!
//! What a passed first factor has earned to know (the login is over, the ledger closed, too many
//! tries) is told before any judging, and is the same whether the code is right or wrong. What is
//! judged is charged, counted and written down in the same commit.

use countersign_device::{DeviceId, FactorKind};

use super::draft::Draft;
use super::{NoticeOf, Refusal};
use crate::audit::{Verdict, What};
use crate::claims::Login;
use crate::record::{Class, Gate, Price, Touched};
use crate::rules::{TOUCHED_BY_STRANGERS, TOUCHED_LOGINS};

/// What a judge found.
pub(super) struct Judged<T> {
    /// How the code ended.
    pub(super) verdict: Verdict,
    /// Against which device, where one was named or matched.
    pub(super) device: Option<DeviceId>,
    /// What a right code won.
    pub(super) prize: Option<T>,
}

impl<T> Judged<T> {
    /// A code that wins nothing.
    pub(super) const fn lost(verdict: Verdict, device: Option<DeviceId>) -> Self {
        Self { verdict, device, prize: None }
    }

    /// A right code.
    pub(super) const fn won(device: Option<DeviceId>, prize: T) -> Self {
        Self { verdict: Verdict::Won, device, prize: Some(prize) }
    }
}

impl Draft<'_> {
    /// Judges a code: gates, judges, and charges a wrong one before anybody is told.
    ///
    /// # Errors
    /// The refusal for the client. A right code returns what it won; the login is not yet spent.
    pub(super) fn guess<T>(
        &mut self,
        login: &Login,
        factor: FactorKind,
        price: Price,
        judge: impl FnOnce(&mut Self) -> Judged<T>,
    ) -> Result<T, Refusal> {
        let class = login.class();
        let most = self.given.policy.max_attempts;
        match self.record.ledger.gate(class, price, most, self.now) {
            Gate::Open => {}
            Gate::Wait(secs) => return Err(Refusal::TooMany(Some(secs))),
            Gate::Closed => return Err(Refusal::TooMany(None)),
        }
        let touched = self.record.logins.iter().find(|touched| touched.id == login.id);
        if let Some(touched) = touched.filter(|of| of.is_exhausted() && self.now < of.ends) {
            // A login is over by then; a session may try again once its entry is forgotten.
            return Err(Refusal::TooMany(Some(touched.ends.since(self.now))));
        }
        self.touch(login)?;
        let Judged { verdict, device, prize } = judge(self);
        let units = match verdict {
            Verdict::Won => {
                self.forgive(login, class, factor);
                0
            }
            Verdict::Wrong => price.units(),
            // Right once, or not judged against anything: it could win nothing.
            Verdict::Replayed
            | Verdict::DeadChallenge
            | Verdict::UnknownDevice
            | Verdict::NoEnrolment
            | Verdict::CountWentBack => 0,
        };
        self.note(What::Judged { factor, device, verdict, class, units });
        if verdict != Verdict::Won {
            if let Ok(touched) = self.touch(login) {
                touched.fail(factor, units);
            }
            let before = self.record.ledger.units();
            // What could win nothing costs nothing, and still counts in the window.
            let charged = if units > 0 { price } else { Price::default() };
            if self.record.ledger.charge(class, charged, most, self.now) {
                self.kill_logins(class);
            }
            self.offer_refill(class, price, before);
        }
        prize.ok_or(Refusal::Code)
    }

    /// The login's entry in the record, made where there is none.
    ///
    /// # Errors
    /// Too many logins of this user are touched already.
    pub(super) fn touch(&mut self, login: &Login) -> Result<&mut Touched, Refusal> {
        let logins = &mut self.record.logins;
        let found = logins.iter().position(|touched| touched.id == login.id);
        let at = if let Some(at) = found {
            at
        } else {
            let now = self.now;
            logins.retain(|touched| now < touched.ends);
            let strangers = logins.iter().filter(|touched| touched.class == Class::Stranger);
            let crowded =
                login.class() == Class::Stranger && strangers.count() >= TOUCHED_BY_STRANGERS;
            if crowded || logins.len() >= TOUCHED_LOGINS {
                let soonest = logins.iter().map(|touched| touched.ends.since(now)).min();
                return Err(Refusal::TooMany(soonest));
            }
            logins.push(Touched::new(login.id, login.class(), login.ends()));
            logins.len().saturating_sub(1)
        };
        self.changed = true;
        // The index was found or made just now.
        self.record.logins.get_mut(at).ok_or(Refusal::LoginOver)
    }

    /// A success forgives the failures of its own login on its own factor, and nothing else.
    fn forgive(&mut self, login: &Login, class: Class, factor: FactorKind) {
        let touched = self.record.logins.iter().find(|touched| touched.id == login.id);
        let (units, guesses) = touched.map_or((0, 0), |touched| touched.charged(factor));
        self.record.ledger.forgive(class, units, guesses);
    }

    /// The window is full: the logins of this class issued until now are dead (C-20).
    fn kill_logins(&mut self, class: Class) {
        match class {
            Class::Stranger => self.record.strangers_floor = self.now,
            Class::Known => self.record.known_floor = self.now,
        }
        self.note(What::LoginsKilled { class });
        // Whoever fills a window knows the password: the owner had better know that.
        self.notice(NoticeOf::GuessingStopped);
    }
}
