//! A user moves in with factors that were enrolled elsewhere.
//!
//! It adds factors to a user who has none, and never to one who has: whoever could import would
//! else add a factor of their own to anybody. What the other system took up to now is spent here
//! and an enrolment that was begun before is not confirmed after (E-05).

use countersign_device::{
    Authenticator, Credential, DeviceId, EmailAddress, EmailFactor, FactorKind, Label, Passkey,
    Phone, PhoneNumber, TenantId,
};
use countersign_otp::{Secret, Step, Totp};

use super::draft::Draft;
use super::{Outcome, Refusal};
use crate::audit::What;
use crate::env::UserHandle;
use crate::record::{Recovery, Standing};
use crate::rules::{AUTHENTICATORS, PASSKEYS, PHONES, RECOVERY_CODES};

/// What a user moves in with.
#[derive(Clone, Debug, Default)]
pub struct Import {
    /// The tenants that the user belongs to.
    pub tenants: Vec<TenantId>,
    /// The authenticator apps.
    pub apps: Vec<ImportedApp>,
    /// The address, where it was proven to be the user's.
    pub email: Option<EmailAddress>,
    /// The phones, proven to be the user's.
    pub phones: Vec<ImportedPhone>,
    /// The passkeys.
    pub passkeys: Vec<ImportedPasskey>,
    /// The name that those passkeys know the user by.
    pub handle: Option<UserHandle>,
    /// The recovery codes, as a vault of the same root keeps them.
    pub recovery: Vec<Recovery>,
}

/// A phone of another system.
#[derive(Clone, Debug)]
pub struct ImportedPhone {
    /// Its number.
    pub number: PhoneNumber,
    /// What its owner calls it.
    pub label: Label,
    /// Whether it took too many failures, and answers no more.
    pub is_locked: bool,
}

/// A passkey of another system under the same domain.
#[derive(Clone, Debug)]
pub struct ImportedPasskey {
    /// What its signatures are checked against.
    pub credential: Credential,
    /// What its owner calls it.
    pub label: Label,
    /// Whether it answers no more.
    pub is_locked: bool,
}

/// An authenticator app of another system.
#[derive(Clone)]
pub struct ImportedApp {
    /// Its secret.
    pub secret: Secret,
    /// How its codes are made.
    pub totp: Totp,
    /// The last step that the other system took; all up to the import is spent in any case.
    pub spent: Option<u64>,
    /// What its owner calls it.
    pub label: Label,
    /// Whether it took too many failures, and answers no more.
    pub is_locked: bool,
}

impl std::fmt::Debug for ImportedApp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ImportedApp").field("totp", &self.totp).finish_non_exhaustive()
    }
}

impl Draft<'_> {
    pub(super) fn import(&mut self, import: Import) -> Outcome {
        let Import { tenants, apps, email, phones, passkeys, handle, recovery } = import;
        if self.record.standing != Standing::Enabled {
            return Outcome::Refused(Refusal::Disabled);
        }
        if self.record.is_enrolled() || self.record.email.is_some() {
            return Outcome::Refused(Refusal::AlreadyEnrolled);
        }
        if apps.len() > AUTHENTICATORS
            || phones.len() > PHONES
            || passkeys.len() > PASSKEYS
            || recovery.len() > usize::from(RECOVERY_CODES)
        {
            return Outcome::Refused(Refusal::TooMany(None));
        }
        if apps.is_empty() && email.is_none() && phones.is_empty() && passkeys.is_empty() {
            return Outcome::Reported;
        }
        for tenant in &tenants {
            self.record.note_tenant(tenant);
        }
        for app in apps {
            self.import_app(app);
        }
        for ImportedPhone { number, label, is_locked } in phones {
            let id = DeviceId::from_random_bytes(self.seed.array());
            let mut phone = Phone::imported(id, number, self.now);
            phone.rename(label);
            if is_locked {
                phone.lock();
            }
            self.record.phones.push(phone);
            self.note(What::FactorAdded { factor: FactorKind::Sms, device: Some(id) });
        }
        for ImportedPasskey { credential, label, is_locked } in passkeys {
            let id = DeviceId::from_random_bytes(self.seed.array());
            let mut passkey = Passkey::imported(id, credential, self.now);
            passkey.rename(label);
            if is_locked {
                passkey.lock();
            }
            self.note(What::FactorAdded { factor: passkey.kind(), device: Some(id) });
            self.record.passkeys.push(passkey);
        }
        if let Some(email) = email {
            self.record.email = Some(EmailFactor::active(email, self.now));
            self.note(What::FactorAdded { factor: FactorKind::Email, device: None });
        }
        self.record.handle = handle;
        if !recovery.is_empty() {
            self.record.recovery = recovery.into_iter().collect();
        }
        self.record.factors = self.record.factors.saturating_add(1);
        Outcome::Reported
    }

    fn import_app(&mut self, app: ImportedApp) {
        let ImportedApp { secret, totp, spent, label, is_locked } = app;
        let id = DeviceId::from_random_bytes(self.seed.array());
        let now = totp.step_at(self.now);
        let spent = spent.map_or(now, |spent| now.max(Step::new(spent)));
        let mut app = Authenticator::imported(id, secret, totp, spent, self.now);
        app.rename(label);
        if is_locked {
            app.lock();
        }
        self.record.authenticators.push(app);
        self.note(What::FactorAdded { factor: FactorKind::Authenticator, device: Some(id) });
    }
}

#[cfg(test)]
mod tests {
    use countersign_device::{AdapterState, Attachment, Backup, CredentialId};

    use super::super::Event;
    use super::super::tests::World;
    use super::*;

    fn app() -> ImportedApp {
        ImportedApp {
            secret: Secret::from_bytes(&[0x5a; 20]).unwrap(),
            totp: Totp::DEFAULT,
            spent: None,
            label: Label::clean("work"),
            is_locked: false,
        }
    }

    fn phone() -> ImportedPhone {
        let number = PhoneNumber::parse("+15555550100").unwrap();
        ImportedPhone { number, label: Label::default(), is_locked: false }
    }

    fn passkey() -> ImportedPasskey {
        let credential = Credential {
            id: CredentialId::from_bytes(&[7; 32]).unwrap(),
            attachment: Attachment::Platform,
            sign_count: 0,
            backup: Backup::Never,
            state: AdapterState::from_bytes(vec![0xab; 90]).unwrap(),
        };
        ImportedPasskey { credential, label: Label::default(), is_locked: false }
    }

    fn codes(many: u8) -> Vec<Recovery> {
        let mut fresh = World::new().fresh_recovery().0;
        let fresh = fresh.pop().unwrap();
        (0..many).map(|_| Recovery { tag: fresh.tag, hash: fresh.hash.clone() }).collect()
    }

    fn address() -> Option<EmailAddress> {
        Some(EmailAddress::parse("alice@example.com").unwrap())
    }

    fn import(world: &mut World, import: Import) -> Outcome {
        world.decide(Event::Import(Box::new(import)))
    }

    /// As many as a user may have of each factor are taken, and one more is refused with all of it.
    #[test]
    fn so_many_of_each_and_no_more() {
        let at_most = || Import {
            apps: vec![app(); AUTHENTICATORS],
            phones: vec![phone(); PHONES],
            passkeys: vec![passkey(); PASSKEYS],
            recovery: codes(RECOVERY_CODES),
            ..Import::default()
        };
        let mut world = World::new();
        assert!(matches!(import(&mut world, at_most()), Outcome::Reported));
        assert_eq!(world.record.authenticators.len(), AUTHENTICATORS);
        assert_eq!(world.record.phones.len(), PHONES);
        assert_eq!(world.record.passkeys.len(), PASSKEYS);
        for more in [
            Import { apps: vec![app(); AUTHENTICATORS + 1], ..at_most() },
            Import { phones: vec![phone(); PHONES + 1], ..at_most() },
            Import { passkeys: vec![passkey(); PASSKEYS + 1], ..at_most() },
            Import { recovery: codes(RECOVERY_CODES + 1), ..at_most() },
        ] {
            let mut world = World::new();
            let refused = import(&mut world, more);
            assert!(matches!(refused, Outcome::Refused(Refusal::TooMany(None))), "{refused:?}");
            assert!(!world.record.is_enrolled());
        }
    }

    /// Any one factor is worth moving, alone; recovery codes of nothing are not.
    #[test]
    fn any_one_factor_moves_alone() {
        let none = Import { recovery: codes(1), ..Import::default() };
        let mut world = World::new();
        assert!(matches!(import(&mut world, none), Outcome::Reported));
        assert!(!world.record.is_enrolled() && world.audits.is_empty());
        for one in [
            Import { apps: vec![app()], ..Import::default() },
            Import { phones: vec![phone()], ..Import::default() },
            Import { passkeys: vec![passkey()], ..Import::default() },
            Import { email: address(), ..Import::default() },
        ] {
            let mut world = World::new();
            assert!(matches!(import(&mut world, one.clone()), Outcome::Reported));
            let moved = (
                world.record.authenticators.len(),
                world.record.phones.len(),
                world.record.passkeys.len(),
                world.record.active_email().cloned(),
            );
            let meant = (one.apps.len(), one.phones.len(), one.passkeys.len(), one.email);
            assert_eq!(moved, meant);
            assert_eq!(world.audits.len(), 1, "{:?}", world.audits);
        }
    }

    #[test]
    fn an_app_is_spent_up_to_now_and_further_where_the_other_system_was() {
        let now = Totp::DEFAULT.step_at(World::new().now);
        for (spent, meant) in [
            (None, now),
            (Some(now.number() - 5), now),
            (Some(now.number() + 5), Step::new(now.number() + 5)),
        ] {
            let mut world = World::new();
            let apps = vec![ImportedApp { spent, is_locked: spent.is_some(), ..app() }];
            import(&mut world, Import { apps, ..Import::default() });
            let app = &world.record.authenticators[0];
            assert_eq!((app.spent(), app.is_locked()), (meant, spent.is_some()));
        }
    }

    #[test]
    fn whoever_is_disabled_or_has_a_factor_is_not_written_over() {
        let one = || Import { apps: vec![app()], ..Import::default() };
        let mut world = World::new();
        world.record.standing = Standing::Disabled;
        assert!(matches!(import(&mut world, one()), Outcome::Refused(Refusal::Disabled)));
        for first in [one(), Import { email: address(), ..Import::default() }] {
            let mut world = World::new();
            import(&mut world, first);
            let again = import(&mut world, one());
            assert!(matches!(again, Outcome::Refused(Refusal::AlreadyEnrolled)), "{again:?}");
        }
    }

    /// Recovery codes that are not moved take the place of none.
    #[test]
    fn only_codes_that_are_there_are_moved() {
        for many in [0, 1] {
            let mut world = World::new();
            let recovery = codes(many);
            import(&mut world, Import { apps: vec![app()], recovery, ..Import::default() });
            assert_eq!(world.record.recovery.iter().count(), usize::from(many));
        }
    }
}
