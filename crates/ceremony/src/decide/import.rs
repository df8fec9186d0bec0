//! A user moves in with factors that were enrolled elsewhere.
//!
//! It adds factors to a user who has none, and never to one who has: whoever could import would
//! else add a factor of their own to anybody. What the other system took up to now is spent here
//! and an enrolment that was begun before is not confirmed after (E-05).

use countersign_device::TenantId;
use countersign_device::{Authenticator, DeviceId, EmailAddress, EmailFactor, FactorKind, Label};
use countersign_otp::{Secret, Step, Totp};

use super::draft::Draft;
use super::{Outcome, Refusal};
use crate::audit::What;
use crate::record::Standing;
use crate::rules::AUTHENTICATORS;

/// What a user moves in with.
#[derive(Clone, Debug, Default)]
pub struct Import {
    /// The tenants that the user belongs to.
    pub tenants: Vec<TenantId>,
    /// The authenticator apps.
    pub apps: Vec<ImportedApp>,
    /// The address, where it was proven to be the user's.
    pub email: Option<EmailAddress>,
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
}

impl std::fmt::Debug for ImportedApp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ImportedApp").field("totp", &self.totp).finish_non_exhaustive()
    }
}

impl Draft<'_> {
    pub(super) fn import(&mut self, import: Import) -> Outcome {
        let Import { tenants, apps, email } = import;
        if self.record.standing != Standing::Enabled {
            return Outcome::Refused(Refusal::Disabled);
        }
        if self.record.is_enrolled() || self.record.email.is_some() {
            return Outcome::Refused(Refusal::AlreadyEnrolled);
        }
        if apps.len() > AUTHENTICATORS {
            return Outcome::Refused(Refusal::TooMany(None));
        }
        if apps.is_empty() && email.is_none() {
            return Outcome::Reported;
        }
        for tenant in &tenants {
            self.record.note_tenant(tenant);
        }
        for ImportedApp { secret, totp, spent, label } in apps {
            let id = DeviceId::from_random_bytes(self.seed.array());
            let now = totp.step_at(self.now);
            let spent = spent.map_or(now, |spent| now.max(Step::new(spent)));
            let mut app = Authenticator::imported(id, secret, totp, spent, self.now);
            app.rename(label);
            self.record.authenticators.push(app);
            self.note(What::FactorAdded { factor: FactorKind::Authenticator, device: Some(id) });
        }
        if let Some(email) = email {
            self.record.email = Some(EmailFactor::active(email, self.now));
            self.note(What::FactorAdded { factor: FactorKind::Email, device: None });
        }
        self.record.factors = self.record.factors.saturating_add(1);
        Outcome::Reported
    }
}
