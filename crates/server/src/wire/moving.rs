//! A user as one line of JSON, who moves in or out. It is ours: the contract has no such thing.

use serde::Deserialize;
use serde_json::{Value, json};

use countersign_ceremony::decide::{Import, ImportedApp};
use countersign_ceremony::engine::{MovedIn, MovingIn, MovingOut};
use countersign_device::{Authenticator, EmailAddress, Label, TenantId, UserId};
use countersign_otp::{Algorithm, Digits, Period, Secret, Totp};
use countersign_token::password::PasswordHash;

use super::field::{Field, Flag, Number};

/// A line.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Row {
    user_id: Field,
    email: Field,
    /// Was the address proven to be the user's?
    email_factor: Flag,
    tenants: Vec<String>,
    password_hash: Field,
    authenticators: Vec<AppRow>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct AppRow {
    secret: Field,
    algorithm: Field,
    digits: Number,
    period: Number,
    last_step: Number,
    label: Field,
}

impl Row {
    /// What the line says.
    ///
    /// # Errors
    /// A sentence that names the field, and nothing of what it holds.
    pub fn read(&self) -> Result<MovingIn, String> {
        let text = |field: &Field, name| -> Result<Option<String>, String> {
            Ok(field.optional(name).map_err(|error| error.to_string())?.map(str::to_owned))
        };
        let user = text(&self.user_id, "userId")?.map(|id| UserId::parse(&id)).transpose();
        let email = text(&self.email, "email")?.map(|of| EmailAddress::parse(&of)).transpose();
        let email = email.map_err(|error| format!("email: {error}"))?;
        let hash =
            self.password_hash.optional("passwordHash").map_err(|error| error.to_string())?;
        let hash = hash.map(PasswordHash::parse).transpose();
        let tenants = self.tenants.iter().map(|id| TenantId::parse(id));
        let proven = self.email_factor.is_set("emailFactor").map_err(|error| error.to_string())?;
        if proven && email.is_none() {
            return Err("emailFactor: there is no email".to_owned());
        }
        Ok(MovingIn {
            user: user.map_err(|error| format!("userId: {error}"))?,
            import: Import {
                tenants: tenants
                    .collect::<Result<_, _>>()
                    .map_err(|error| format!("tenants: {error}"))?,
                apps: self.authenticators.iter().map(AppRow::read).collect::<Result<_, _>>()?,
                email: email.clone().filter(|_| proven),
            },
            email,
            password: hash.map_err(|_| {
                "passwordHash: only Argon2id in PHC form is verified here".to_owned()
            })?,
        })
    }
}

impl AppRow {
    fn read(&self) -> Result<ImportedApp, String> {
        let told = |error: super::Invalid| format!("authenticators: {error}");
        let secret = self.secret.required("secret").map_err(told)?;
        let secret = Secret::import_short_base32(secret)
            .map_err(|error| format!("authenticators: secret: {error}"))?;
        let algorithm = match self.algorithm.optional("algorithm").map_err(told)? {
            None | Some("SHA1") => Algorithm::Sha1,
            Some("SHA256") => Algorithm::Sha256,
            Some("SHA512") => Algorithm::Sha512,
            Some(_) => return Err("authenticators: algorithm: SHA1, SHA256 or SHA512".to_owned()),
        };
        let digits = self.digits.optional("digits").map_err(told)?.unwrap_or(6);
        let digits = u8::try_from(digits).ok().and_then(|count| Digits::try_from(count).ok());
        let digits = digits.ok_or("authenticators: digits: 6, 7 or 8")?;
        let period = self.period.optional("period").map_err(told)?.unwrap_or(30);
        let period =
            Period::new(period).map_err(|error| format!("authenticators: period: {error}"))?;
        let label = self.label.optional("label").map_err(told)?;
        Ok(ImportedApp {
            secret,
            totp: Totp::new(algorithm, digits, period),
            spent: self.last_step.optional("lastStep").map_err(told)?,
            label: label.map(Label::clean).unwrap_or_default(),
        })
    }
}

/// Why a row was left out; none where it was not.
#[must_use]
pub const fn refused(moved: MovedIn) -> Option<&'static str> {
    match moved {
        MovedIn::Moved | MovedIn::WasThere => None,
        MovedIn::Taken => Some("email: it leads to another user"),
        MovedIn::Disabled => Some("the user is disabled or erased"),
        MovedIn::TooMany => Some("authenticators: a user has 10 at most"),
        MovedIn::Nobody => Some("it names no user: give userId or email"),
        MovedIn::NoDirectory => Some("passwordHash: it needs an email and a tenant"),
    }
}

/// The line of what moves out: [`Row`] reads it. **It holds secrets in the clear.**
#[must_use]
pub fn moving_out(row: &MovingOut) -> Value {
    let names = |tenants: &[TenantId]| {
        tenants.iter().map(|tenant| tenant.as_str().to_owned()).collect::<Vec<_>>()
    };
    match row {
        MovingOut::Factors { user, tenants, apps, email } => json!({
            "userId": user.as_str(),
            "email": email.as_ref().map(EmailAddress::as_str),
            "emailFactor": email.is_some(),
            "tenants": names(tenants),
            "authenticators": apps.iter().map(app).collect::<Vec<_>>(),
        }),
        MovingOut::Address { user, email, tenants, password } => json!({
            "userId": user.as_str(),
            "email": email.as_str(),
            "tenants": names(tenants),
            "passwordHash": password,
        }),
    }
}

fn app(app: &Authenticator) -> Value {
    let totp = app.totp();
    json!({
        "secret": app.expose_secret().to_base32().as_str(),
        "algorithm": match totp.algorithm() {
            Algorithm::Sha1 => "SHA1",
            Algorithm::Sha256 => "SHA256",
            Algorithm::Sha512 => "SHA512",
        },
        "digits": totp.digits().count(),
        "period": totp.period().secs(),
        "lastStep": app.spent().number(),
        "label": app.label().as_str(),
    })
}
