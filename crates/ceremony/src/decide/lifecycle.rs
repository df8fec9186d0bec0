//! What the owner of the users reports, and the epoch that ends everything open.

use countersign_device::{EmailFactor, SessionId};

use super::draft::Draft;
use super::{NoticeOf, Outcome, Refusal};
use crate::audit::What;
use crate::lifecycle::Lifecycle;
use crate::record::{MailboxReset, Record, Standing};

impl Draft<'_> {
    pub(super) fn report(&mut self, report: Lifecycle) -> Outcome {
        if self.record.standing == Standing::Erased {
            // Gone for good: a report of it again is harmless, anything else comes too late.
            return match report {
                Lifecycle::Erased => Outcome::Reported,
                _ => Outcome::Refused(Refusal::Disabled),
            };
        }
        self.note(What::Lifecycle(report.kind()));
        self.new_epoch(None);
        match report {
            Lifecycle::PasswordChanged { through_mailbox } => {
                if let Some(address) = through_mailbox {
                    self.record.mailbox_reset = Some(MailboxReset { address, at: self.now });
                }
            }
            Lifecycle::Disabled => self.record.standing = Standing::Disabled,
            Lifecycle::Enabled => self.record.standing = Standing::Enabled,
            Lifecycle::AddressChanged { to } => {
                // The old address is told, before it is nobody's.
                self.notice(NoticeOf::AddressChanged);
                // Reported again, it takes nothing back that was proven in between.
                let bound = self.record.email.as_ref().is_some_and(|of| *of.address() == to);
                if !bound {
                    // A user who never had a factor has none now: nobody is asked for one by this.
                    let had = self.record.is_enrolled() || self.record.email.is_some();
                    self.record.email = Some(EmailFactor::unproven(to, self.now));
                    self.record.factors = self.record.factors.saturating_add(u32::from(had));
                }
            }
            Lifecycle::SignOutEverywhere => {}
            Lifecycle::Erased => {
                self.record = Record {
                    standing: Standing::Erased,
                    epoch: self.record.epoch,
                    incarnation: self.record.incarnation,
                    writes: std::mem::take(&mut self.record.writes),
                    ..Record::default()
                };
            }
        }
        Outcome::Reported
    }

    /// A new epoch: sessions, remembered browsers and open logins of before are dead with it.
    /// The session that removed or replaced a factor lives on.
    pub(super) fn new_epoch(&mut self, survivor: Option<SessionId>) {
        let epoch = self.record.epoch.next(u32::from_be_bytes(self.seed.array()));
        self.record.begin(epoch, survivor);
        self.changed = true;
    }
}
