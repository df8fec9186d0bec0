//! What a webhook is told that sends messages to phones.

use serde::Serialize;

/// The body of one request: a message for one phone.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PhoneMessage<'a> {
    /// The message's own id, the same each time it is tried.
    pub id: &'a str,
    /// The number, in the form of E.164.
    pub to: &'a str,
    /// `sms` or `whatsapp`.
    pub channel: &'static str,
    /// What the message says.
    pub text: &'a str,
    /// The code alone, for providers that put it into a template of their own.
    pub code: &'a str,
    /// `login`, `enroll` or `disable`.
    pub purpose: &'static str,
    /// For how many seconds the code lives, from now on.
    pub expires_in: u64,
    /// The name of the service.
    pub service: &'a str,
}

/// It carries a code.
impl std::fmt::Debug for PhoneMessage<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PhoneMessage").field("id", &self.id).finish_non_exhaustive()
    }
}
