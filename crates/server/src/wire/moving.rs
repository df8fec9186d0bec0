//! A user as one line of JSON, who moves in or out. It is ours: the contract has no such thing.

use serde::Deserialize;
use serde_json::{Value, json};

use base64ct::{Base64UrlUnpadded, Encoding};
use countersign_ceremony::decide::{Import, ImportedApp, ImportedPasskey, ImportedPhone};
use countersign_ceremony::engine::{MovedIn, MovingIn, MovingOut};
use countersign_ceremony::record::Recovery;
use countersign_device::{
    AdapterState, Attachment, Authenticator, Backup, Credential, CredentialId, EmailAddress, Label,
    Passkey, Phone, PhoneNumber, TenantId, UserId,
};
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
    phones: Vec<PhoneRow>,
    passkeys: Vec<PasskeyRow>,
    user_handle: Field,
    recovery: RecoveryRow,
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
    locked: Flag,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PhoneRow {
    number: Field,
    label: Field,
    locked: Flag,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PasskeyRow {
    credential_id: Field,
    device_type: Field,
    sign_count: Number,
    backup: Field,
    credential: Field,
    label: Field,
    locked: Flag,
}

/// Kept under the pepper of one key ring: worth nothing under another root.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RecoveryRow {
    root: Field,
    codes: Vec<String>,
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
                phones: self.phones.iter().map(PhoneRow::read).collect::<Result<_, _>>()?,
                passkeys: self.passkeys.iter().map(PasskeyRow::read).collect::<Result<_, _>>()?,
                handle: self.handle()?,
                recovery: self.recovery.read()?,
            },
            root: self.recovery.root()?,
            email,
            password: hash.map_err(|_| {
                "passwordHash: only Argon2id in PHC form is verified here".to_owned()
            })?,
        })
    }
}

impl Row {
    /// The name that passkeys know the user by: 32 bytes, as an export wrote it.
    fn handle(&self) -> Result<Option<[u8; 32]>, String> {
        let given = self.user_handle.optional("userHandle").map_err(|error| error.to_string())?;
        let Some(given) = given else { return Ok(None) };
        let bytes = Base64UrlUnpadded::decode_vec(given).ok();
        let handle = bytes.and_then(|bytes| bytes.try_into().ok());
        handle.map(Some).ok_or_else(|| "userHandle: 32 bytes in base64url".to_owned())
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
            is_locked: self.locked.is_set("locked").map_err(told)?,
        })
    }
}

impl PhoneRow {
    fn read(&self) -> Result<ImportedPhone, String> {
        let told = |error: super::Invalid| format!("phones: {error}");
        let number = self.number.required("number").map_err(told)?;
        let label = self.label.optional("label").map_err(told)?;
        Ok(ImportedPhone {
            number: PhoneNumber::parse(number)
                .map_err(|error| format!("phones: number: {error}"))?,
            label: label.map(Label::clean).unwrap_or_default(),
            is_locked: self.locked.is_set("locked").map_err(told)?,
        })
    }
}

impl PasskeyRow {
    fn read(&self) -> Result<ImportedPasskey, String> {
        let told = |error: super::Invalid| format!("passkeys: {error}");
        let bytes = |field: &Field, name| {
            let text = field.required(name).map_err(told)?;
            Base64UrlUnpadded::decode_vec(text)
                .map_err(|_| format!("passkeys: {name}: base64url without padding"))
        };
        let id = CredentialId::from_bytes(&bytes(&self.credential_id, "credentialId")?);
        let state = AdapterState::from_bytes(bytes(&self.credential, "credential")?);
        let count = self.sign_count.optional("signCount").map_err(told)?.unwrap_or_default();
        let label = self.label.optional("label").map_err(told)?;
        Ok(ImportedPasskey {
            credential: Credential {
                id: id.map_err(|error| format!("passkeys: credentialId: {error}"))?,
                attachment: match self.device_type.required("deviceType").map_err(told)? {
                    "Platform" => Attachment::Platform,
                    "CrossPlatform" => Attachment::CrossPlatform,
                    _ => return Err("passkeys: deviceType: Platform or CrossPlatform".to_owned()),
                },
                sign_count: u32::try_from(count)
                    .map_err(|_| "passkeys: signCount: below 4294967296".to_owned())?,
                backup: match self.backup.required("backup").map_err(told)? {
                    "never" => Backup::Never,
                    "possible" => Backup::Possible,
                    "done" => Backup::Done,
                    _ => return Err("passkeys: backup: never, possible or done".to_owned()),
                },
                state: state.map_err(|error| format!("passkeys: credential: {error}"))?,
            },
            label: label.map(Label::clean).unwrap_or_default(),
            is_locked: self.locked.is_set("locked").map_err(told)?,
        })
    }
}

impl RecoveryRow {
    fn root(&self) -> Result<Option<u128>, String> {
        let told = |error: super::Invalid| format!("recovery: {error}");
        let Some(root) = self.root.optional("root").map_err(told)? else { return Ok(None) };
        let root = u128::from_str_radix(root, 16);
        root.map(Some).map_err(|_| "recovery: root: as an export wrote it".to_owned())
    }

    fn read(&self) -> Result<Vec<Recovery>, String> {
        let read = |text: &String| {
            let bytes = Base64UrlUnpadded::decode_vec(text).ok()?;
            Recovery::from_bytes(&bytes)
        };
        let codes: Option<Vec<Recovery>> = self.codes.iter().map(read).collect();
        codes.ok_or_else(|| "recovery: codes: as an export wrote them".to_owned())
    }
}

/// Why a row was left out; none where it was not.
#[must_use]
pub const fn refused(moved: MovedIn) -> Option<&'static str> {
    match moved {
        MovedIn::Moved | MovedIn::WasThere => None,
        MovedIn::Taken => Some("email: it leads to another user"),
        MovedIn::Disabled => Some("the user is disabled or erased"),
        MovedIn::TooMany => Some(
            "a user has 10 authenticators, 5 phones, 10 passkeys and 10 recovery codes at most",
        ),
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
        MovingOut::Factors {
            user,
            tenants,
            apps,
            email,
            phones,
            passkeys,
            handle,
            recovery,
            root,
        } => {
            json!({
                "userId": user.as_str(),
                "email": email.as_ref().map(EmailAddress::as_str),
                "emailFactor": email.is_some(),
                "tenants": names(tenants),
                "authenticators": apps.iter().map(app).collect::<Vec<_>>(),
                "phones": phones.iter().map(phone).collect::<Vec<_>>(),
                "passkeys": passkeys.iter().map(passkey).collect::<Vec<_>>(),
                "userHandle": base64(handle),
            "recovery": {
                    "root": format!("{root:032x}"),
                    "codes": recovery.iter().filter_map(Recovery::to_bytes).map(|bytes| base64(&bytes)).collect::<Vec<_>>(),
                },
            })
        }
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
        "locked": app.is_locked(),
    })
}

fn phone(phone: &Phone) -> Value {
    json!({
        "number": phone.number().to_string(),
        "label": phone.label().as_str(),
        "locked": phone.is_locked(),
    })
}

fn passkey(passkey: &Passkey) -> Value {
    let Credential { id, attachment, sign_count, backup, state } = passkey.credential();
    json!({
        "credentialId": base64(id.as_bytes()),
        "deviceType": match attachment {
            Attachment::Platform => "Platform",
            Attachment::CrossPlatform => "CrossPlatform",
        },
        "signCount": sign_count,
        "backup": match backup {
            Backup::Never => "never",
            Backup::Possible => "possible",
            Backup::Done => "done",
        },
        "credential": base64(state.as_bytes()),
        "label": passkey.label().as_str(),
        "locked": passkey.is_locked(),
    })
}

fn base64(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}
