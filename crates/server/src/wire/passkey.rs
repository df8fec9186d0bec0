//! Passkeys on the wire: what `navigator.credentials` wants and gives, byte strings in base64url.
//!
//! Clients send every property that a credential has; what is not named here is passed over.

use base64ct::{Base64UrlUnpadded, Encoding};
use countersign_ceremony::env::{AssertionResponse, AttestationResponse};
use countersign_device::Attachment;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::field::{Field, Flag, Invalid};

/// `mfa/webauthn/enroll/verify`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct PasskeyEnrolCheck {
    /// The login.
    pub mfa_token: Field,
    /// The challenge.
    pub webauthn_token: Field,
    device_type: Field,
    #[schema(value_type = Object)]
    options: Value,
    /// Remember this browser?
    pub remember_device: Flag,
}

/// `mfa/webauthn/{deviceId}/verify`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct PasskeyCheck {
    /// The login.
    pub mfa_token: Field,
    /// The challenge.
    pub webauthn_token: Field,
    #[schema(value_type = Object)]
    options: Value,
    /// Remember this browser?
    pub remember_device: Flag,
}

/// `users/v1/mfa/webauthn/enroll/verify`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct PasskeyAddition {
    /// The challenge.
    pub webauthn_token: Field,
    /// What its owner calls it: ours, beyond the contract.
    pub label: Field,
    device_type: Field,
    #[schema(value_type = Object)]
    options: Value,
}

/// `users/v1/mfa/webauthn/{deviceId}/disable/verify`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct PasskeyRemoval {
    webauthn_token: Field,
    #[schema(value_type = Object)]
    options: Value,
}

/// The answer that begins a ceremony.
#[derive(Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PasskeyOptions {
    /// Names the challenge.
    pub webauthn_token: String,
    /// The public-key options themselves.
    #[schema(value_type = Object)]
    pub options: Value,
}

/// A passkey, as `mfaDevices` lists it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Passkey {
    /// Its id.
    pub id: String,
    /// Where its authenticator is.
    pub device_type: &'static str,
    /// What its owner calls it.
    pub name: String,
}

impl PasskeyEnrolCheck {
    /// What the authenticator made.
    ///
    /// # Errors
    /// [`Invalid`] with the name of the field.
    pub fn answer(&self) -> Result<AttestationResponse, Invalid> {
        attestation(&self.device_type, &self.options)
    }
}

impl PasskeyAddition {
    /// What the authenticator made.
    ///
    /// # Errors
    /// [`Invalid`] with the name of the field.
    pub fn answer(&self) -> Result<AttestationResponse, Invalid> {
        attestation(&self.device_type, &self.options)
    }
}

impl PasskeyRemoval {
    /// The challenge, and what the authenticator signed; none where the session has to do.
    ///
    /// # Errors
    /// [`Invalid`] with the name of the field: one of the two without the other.
    pub fn answer(&self) -> Result<Option<(&str, AssertionResponse)>, Invalid> {
        match (self.webauthn_token.optional("webauthnToken")?, &self.options) {
            (None, Value::Null) => Ok(None),
            (None, _) => Err(Invalid::Empty("webauthnToken")),
            (Some(token), options) => Ok(Some((token, assertion(options)?))),
        }
    }
}

/// A credential that `navigator.credentials.create()` gave.
fn attestation(device_type: &Field, options: &Value) -> Result<AttestationResponse, Invalid> {
    let attachment = match device_type.required("deviceType")? {
        "Platform" => Attachment::Platform,
        "CrossPlatform" => Attachment::CrossPlatform,
        _ => return Err(Invalid::NotOneOf("deviceType", "Platform, CrossPlatform")),
    };
    let response = &options["response"];
    Ok(AttestationResponse {
        id: bytes(&options["id"], "options.id")?,
        attachment,
        client_data: bytes(&response["clientDataJSON"], "options.response.clientDataJSON")?,
        attestation: bytes(&response["attestationObject"], "options.response.attestationObject")?,
    })
}

impl PasskeyCheck {
    /// What the authenticator signed.
    ///
    /// # Errors
    /// [`Invalid`] with the name of the field.
    pub fn answer(&self) -> Result<AssertionResponse, Invalid> {
        assertion(&self.options)
    }
}

/// A credential that `navigator.credentials.get()` gave.
fn assertion(options: &Value) -> Result<AssertionResponse, Invalid> {
    let response = &options["response"];
    let user_handle = match &response["userHandle"] {
        Value::Null => None,
        Value::String(handle) if handle.is_empty() => None,
        handle => Some(bytes(handle, "options.response.userHandle")?),
    };
    Ok(AssertionResponse {
        id: bytes(&options["id"], "options.id")?,
        client_data: bytes(&response["clientDataJSON"], "options.response.clientDataJSON")?,
        authenticator_data: bytes(
            &response["authenticatorData"],
            "options.response.authenticatorData",
        )?,
        signature: bytes(&response["signature"], "options.response.signature")?,
        user_handle,
    })
}

impl Passkey {
    /// As a list shows it. One that nobody named is called by where it is.
    #[must_use]
    pub fn new(id: String, attachment: Attachment, label: &str) -> Self {
        let (device_type, called) = match attachment {
            Attachment::Platform => ("Platform", "Passkey"),
            Attachment::CrossPlatform => ("CrossPlatform", "Security key"),
        };
        let name = if label.is_empty() { called } else { label };
        Self { id, device_type, name: name.to_owned() }
    }
}

fn bytes(value: &Value, name: &'static str) -> Result<Vec<u8>, Invalid> {
    let text = match value {
        Value::Null => return Err(Invalid::Empty(name)),
        Value::String(text) => text.trim_end_matches('='),
        _ => return Err(Invalid::NotAString(name)),
    };
    if text.is_empty() {
        return Err(Invalid::Empty(name));
    }
    Base64UrlUnpadded::decode_vec(text).map_err(|_| Invalid::NotBase64Url(name))
}

impl std::fmt::Debug for PasskeyOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasskeyOptions(..)")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    fn sent() -> Value {
        json!({
            "mfaToken": "MT",
            "webauthnToken": "WT",
            "deviceType": "Platform",
            "publicKey": {"a": 1},
            "options": {
                "id": "Y3JlZA",
                "rawId": "Y3JlZA",
                "type": "public-key",
                "getClientExtensionResults": {},
                "response": {
                    "clientDataJSON": "e30",
                    "attestationObject": "oA==",
                    "authenticatorData": "AA",
                    "signature": "AA",
                    "userHandle": "dTE",
                    "getTransports": {},
                },
            },
        })
    }

    #[test]
    fn what_the_client_emits_is_read() {
        let made = from_value::<PasskeyEnrolCheck>(sent()).unwrap().answer().unwrap();
        assert_eq!((made.id, made.attestation), (b"cred".to_vec(), vec![0xa0]));
        assert_eq!((made.client_data, made.attachment), (b"{}".to_vec(), Attachment::Platform));
        let signed = from_value::<PasskeyCheck>(sent()).unwrap().answer().unwrap();
        assert_eq!(signed.user_handle, Some(b"u1".to_vec()));
        for none in [json!(null), json!("")] {
            let mut sent = sent();
            sent["options"]["response"]["userHandle"] = none;
            let signed = from_value::<PasskeyCheck>(sent).unwrap().answer().unwrap();
            assert_eq!(signed.user_handle, None);
        }
    }

    #[test]
    fn what_is_missing_or_of_another_type_is_named() {
        let refused = |change: &dyn Fn(&mut Value)| {
            let mut sent = sent();
            change(&mut sent);
            from_value::<PasskeyEnrolCheck>(sent).unwrap().answer().unwrap_err().to_string()
        };
        let id = "options.id";
        assert_eq!(refused(&|of| of["options"] = json!(7)), format!("{id} should not be empty"));
        let other = refused(&|of| of["options"]["id"] = json!([1]));
        assert_eq!(other, format!("{id} must be a string"));
        let text = refused(&|of| of["options"]["id"] = json!("a+b/"));
        assert_eq!(text, format!("{id} must be a base64url string"));
        let kind = refused(&|of| of["deviceType"] = json!("Phone"));
        assert!(kind.contains("deviceType") && kind.contains("CrossPlatform"), "{kind}");
        let gone = refused(&|of| of["options"]["response"] = json!(null));
        assert_eq!(gone, "options.response.clientDataJSON should not be empty");
    }
}
