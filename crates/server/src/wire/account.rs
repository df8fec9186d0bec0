//! What an account has: its devices, and the browsers that its owner is known by.

use countersign_ceremony::engine::{Factors, KnownBrowser, Listed};
use countersign_device::Attachment;
use serde::Serialize;
use utoipa::ToSchema;

use super::passkey::Passkey;
use super::rfc3339;

/// The answer of `users/v1/mfa/devices`: the contract's four arrays, and beside their fields the label
/// and times of each device, which its clients pass over.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OwnDevices {
    webauthn: Vec<OwnPasskey>,
    phones: Vec<OwnDevice>,
    authenticators: Vec<OwnDevice>,
    emails: Vec<OwnEmail>,
    /// The address that has to be proven before codes are sent to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    unproven_email: Option<String>,
}

/// A device, as its owner sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OwnDevice {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<String>,
    label: String,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<String>,
    locked: bool,
}

/// A passkey: what the contract's lists say of it, and beside that what they say of each device.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OwnPasskey {
    id: String,
    device_type: &'static str,
    name: String,
    label: String,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<String>,
    locked: bool,
}

/// A mailbox.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct OwnEmail {
    email: String,
}

/// The answer of `users/v1/mfa/remembered-devices`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RememberedDevices {
    devices: Vec<RememberedDevice>,
}

/// A browser that its owner is known by.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RememberedDevice {
    id: String,
    label: String,
    created_at: String,
    last_used_at: String,
    /// Until when it skips the second factor; not there where it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    remembered_until: Option<String>,
    is_current: bool,
}

impl From<Factors> for OwnDevices {
    fn from(factors: Factors) -> Self {
        let Factors { authenticators, passkeys, phones, emails, unproven_email } = factors;
        Self {
            webauthn: passkeys.into_iter().map(|(device, at)| OwnPasskey::of(device, at)).collect(),
            phones: phones
                .into_iter()
                .map(|(phone, number)| OwnDevice::of(phone, Some(number)))
                .collect(),
            authenticators: authenticators
                .into_iter()
                .map(|app| OwnDevice::of(app, None))
                .collect(),
            emails: emails.into_iter().map(|email| OwnEmail { email }).collect(),
            unproven_email,
        }
    }
}

impl OwnPasskey {
    fn of(device: Listed, at: Attachment) -> Self {
        let listed = Passkey::new(device.id.to_string(), at, device.label.as_str());
        let Passkey { id, device_type, name } = listed;
        Self {
            id,
            device_type,
            name,
            label: device.label.to_string(),
            created_at: rfc3339(device.created),
            last_used_at: device.last_used.map(rfc3339),
            locked: device.locked,
        }
    }
}

impl OwnDevice {
    fn of(device: Listed, phone_number: Option<String>) -> Self {
        Self {
            id: device.id.to_string(),
            phone_number,
            label: device.label.to_string(),
            created_at: rfc3339(device.created),
            last_used_at: device.last_used.map(rfc3339),
            locked: device.locked,
        }
    }
}

impl RememberedDevices {
    /// The answer for these browsers.
    #[must_use]
    pub fn of(browsers: Vec<KnownBrowser>) -> Self {
        let devices = browsers.into_iter().map(|browser| RememberedDevice {
            id: format!("{:032x}", u128::from_be_bytes(*browser.family.as_bytes())),
            label: browser.label.to_string(),
            created_at: rfc3339(browser.known_since),
            last_used_at: rfc3339(browser.last_used),
            remembered_until: browser.remembered_until.map(rfc3339),
            is_current: browser.is_this,
        });
        Self { devices: devices.collect() }
    }
}

/// The answer of `users/v1/mfa/recovery-codes`.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct RecoveryLeft {
    /// How many are left.
    pub remaining: usize,
}
