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

#[cfg(test)]
mod tests {
    use countersign_device::EmailAddress;

    use super::super::Event;
    use super::super::tests::World;
    use super::*;
    use crate::port::WriteId;

    fn report(world: &mut World, report: Lifecycle) -> Outcome {
        world.decide(Event::Report(report))
    }

    /// Of a user who is gone that fact stays, and what tells an old copy of the record from it.
    #[test]
    fn erased_is_for_good_and_as_old_as_it_was() {
        let (mut world, _) = World::enrolled();
        world.record.incarnation = postcard::from_bytes(&[3]).unwrap();
        let write = WriteId([7; 8]);
        world.record.note_write(write);
        let before = world.record.clone();
        assert!(matches!(report(&mut world, Lifecycle::Erased), Outcome::Reported));
        let after = &world.record;
        assert_eq!(after.standing, Standing::Erased);
        assert_ne!(after.epoch, before.epoch);
        assert_ne!(after.epoch, Record::default().epoch);
        assert_eq!(after.incarnation, before.incarnation);
        assert!(after.has_write(write), "a settle whose outcome is unknown is found by its write");
        assert!(after.authenticators.is_empty());
        // Whose it was is kept for whoever lists users, and of nobody who is gone.
        assert!(before.owner.is_some() && after.owner.is_none());

        let gone = format!("{after:?}");
        assert!(matches!(report(&mut world, Lifecycle::Erased), Outcome::Reported));
        let enabled = report(&mut world, Lifecycle::Enabled);
        assert!(matches!(enabled, Outcome::Refused(Refusal::Disabled)), "{enabled:?}");
        assert_eq!(format!("{:?}", world.record), gone);
    }

    /// A new address is a factor to be proven, of whoever had one: an app or an address.
    #[test]
    fn a_changed_address_is_a_new_binding_of_whoever_had_a_factor() {
        let to = |text: &str| Lifecycle::AddressChanged { to: EmailAddress::parse(text).unwrap() };
        let mut world = World::new();
        report(&mut world, to("one@example.com"));
        assert_eq!(world.record.factors, 0, "there was none");
        report(&mut world, to("two@example.com"));
        assert_eq!(world.record.factors, 1, "there was an address");
        let (mut world, _) = World::enrolled();
        let before = world.record.factors;
        report(&mut world, to("one@example.com"));
        assert_eq!(world.record.factors, before + 1, "there was an app");
    }
}
