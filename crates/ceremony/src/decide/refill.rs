//! The owner's link that refills the ledger: mailed when strangers have spent half of it, and when it
//! closes.
//!
//! It logs nobody in and adds no factor: it buys as many guesses as any refill does, twice a year at
//! most, for whoever reads the owner's mail. A mailbox that has just reset the password gets none.

use countersign_device::EmailAddress;
use countersign_otp::UnixTime;
use countersign_vault::{Digest, Purpose};

use super::draft::Draft;
use super::{Outcome, Refusal};
use crate::audit::What;
use crate::record::{Class, Gate, LinkId, Price, Standing};
use crate::rules::LEDGER_HALF;

const LINK: Purpose = Purpose::new("refill link");

/// A link is to be mailed.
#[derive(Clone, Debug)]
pub struct RefillOffer {
    /// To whom.
    pub to: Vec<EmailAddress>,
    /// What it says.
    pub id: LinkId,
    /// When it ends.
    pub ends: UnixTime,
}

impl Draft<'_> {
    /// A guess failed, before which `before` units were charged: is a link to be mailed?
    pub(super) fn offer_refill(&mut self, class: Class, price: Price, before: u32) {
        let (ledger, most) = (&self.record.ledger, self.given.policy.max_attempts);
        let is_half = before < LEDGER_HALF && ledger.units() >= LEDGER_HALF;
        // The guess was let through: where nothing was charged, the gate is as open as it was.
        let is_closed = ledger.gate(class, price, most, self.now) == Gate::Closed;
        if !(is_half || is_closed) || !self.record.refills.may_mail(self.now) {
            return;
        }
        let mut to = self.addresses();
        to.retain(|address| !self.record.mailbox_is_barred(address, self.now));
        if to.is_empty() {
            return;
        }
        let id = LinkId(self.seed.array());
        let digest = self.link_digest(id);
        let ends = self.record.refills.mail(&digest, self.now);
        self.note(What::RefillOffered);
        self.offer = Some(RefillOffer { to, id, ends });
    }

    /// The owner opened a link. It works once.
    pub(super) fn refill(&mut self, id: LinkId) -> Outcome {
        let digest = self.link_digest(id);
        if self.record.standing != Standing::Enabled
            || !self.record.refills.lives(&digest, self.now)
        {
            return Outcome::Refused(Refusal::LinkOver);
        }
        self.record.refill();
        self.note(What::LedgerRefilled);
        Outcome::Done
    }

    fn link_digest(&self, LinkId(id): LinkId) -> Digest {
        self.given.vault.digest(LINK, &[&id])
    }
}
