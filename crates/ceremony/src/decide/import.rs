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
