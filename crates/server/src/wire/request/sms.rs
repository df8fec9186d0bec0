//! The requests of phones.

use countersign_device::{PhoneChannel, PhoneNumber};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::phone;
use crate::wire::field::{Field, Flag, Invalid};

/// `mfa/sms/enroll` and `mfa/sms/{deviceId}`; under a session `sms/enroll` and `sms/{deviceId}/disable`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct SmsSend {
    /// The login.
    pub mfa_token: Field,
    phone_number: Field,
    channel: Field,
}

/// `mfa/sms/enroll/verify` and `mfa/sms/{deviceId}/verify`; under a session `sms/enroll/verify` and
/// `sms/{deviceId}/disable/verify`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct SmsCheck {
    /// The login.
    pub mfa_token: Field,
    /// The challenge.
    pub otc_token: Field,
    /// The code.
    pub code: Field,
    /// Remember this browser?
    pub remember_device: Flag,
    /// What its owner calls the phone.
    pub label: Field,
}

impl SmsSend {
    /// The number to be added.
    ///
    /// # Errors
    /// [`Invalid`].
    pub fn number(&self) -> Result<PhoneNumber, Invalid> {
        let text = self.phone_number.required("phoneNumber")?;
        phone::normalised(text).map_err(|_| Invalid::NotAPhoneNumber("phoneNumber"))
    }

    /// By what the code is sent: SMS, where nothing is said.
    ///
    /// # Errors
    /// [`Invalid`].
    pub fn channel(&self) -> Result<PhoneChannel, Invalid> {
        match self.channel.optional("channel")? {
            None => Ok(PhoneChannel::Sms),
            Some(text) if text.eq_ignore_ascii_case("sms") => Ok(PhoneChannel::Sms),
            Some(text) if text.eq_ignore_ascii_case("whatsapp") => Ok(PhoneChannel::WhatsApp),
            Some(_) => Err(Invalid::NotOneOf("channel", "sms, whatsapp")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(json: &str) -> SmsSend {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_number_and_a_channel_are_read_or_named() {
        let whole = request(r#"{"phoneNumber":"+1-555-555-0100","channel":"whatsapp","more":1}"#);
        assert_eq!(whole.number().unwrap().to_string(), "+15555550100");
        assert_eq!(whole.channel(), Ok(PhoneChannel::WhatsApp));
        assert_eq!(request("{}").channel(), Ok(PhoneChannel::Sms));
        assert_eq!(request("{}").number(), Err(Invalid::Empty("phoneNumber")));
        let other = request(r#"{"phoneNumber":"555","channel":"pigeon"}"#);
        assert_eq!(other.number(), Err(Invalid::NotAPhoneNumber("phoneNumber")));
        assert_eq!(other.channel(), Err(Invalid::NotOneOf("channel", "sms, whatsapp")));
        assert_eq!(request(r#"{"channel":1}"#).channel(), Err(Invalid::NotAString("channel")));
    }
}
