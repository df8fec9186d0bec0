//! Messages to phones over a signed webhook: the operator's own adapter to a provider.
//!
//! A request carries the id of its message, the same each time it is tried, so that what was taken
//! twice is sent once. What fails for now (no answer, 408, 429, 5xx) is tried again, a few times,
//! with growing pauses; what is refused is not.

use std::time::Duration;

use countersign_otp::UnixTime;

use super::texts::Text;
use crate::config::Sms;
use crate::signed::{Failed, Signed};
use crate::wire::PhoneMessage;

/// How often a message is tried.
const ATTEMPTS: u32 = 4;
/// The pause after the first attempt; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(250);

/// A webhook.
#[derive(Debug)]
pub struct Webhook(Signed);

impl Webhook {
    /// Prepares it; nothing is connected yet.
    ///
    /// # Errors
    /// A sentence: the system's TLS roots cannot be read.
    pub fn new(sms: &Sms) -> Result<Self, String> {
        Signed::new("sms", &sms.url, &sms.secret, sms.timeout).map(Self)
    }

    /// Sends one message, trying again where that may help and its code still lives.
    ///
    /// # Errors
    /// A sentence, without a number and without a code.
    pub(super) async fn send(&self, text: &Text, now: impl Fn() -> UnixTime) -> Result<(), String> {
        let mut last = "its code ended before it was sent".to_owned();
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                tokio::time::sleep(PAUSE.saturating_mul(1 << attempt.saturating_sub(1))).await;
            }
            let at = now();
            if at >= text.ends {
                // Nobody wants it any more: another was asked for, or the login is over.
                return Err(last);
            }
            match self.attempt(text, at).await {
                Ok(()) => return Ok(()),
                Err(Failed::ForGood(why)) => return Err(why),
                Err(Failed::ForNow(why)) => last = why,
            }
        }
        Err(format!("{last}, {ATTEMPTS} times"))
    }

    async fn attempt(&self, text: &Text, at: UnixTime) -> Result<(), Failed> {
        let number = text.to.to_string();
        let body = serde_json::to_vec(&PhoneMessage {
            id: &text.id,
            to: &number,
            channel: text.channel(),
            text: &text.said,
            code: &text.code,
            purpose: text.purpose(),
            expires_in: text.ends.since(at),
            service: &text.service,
        });
        let body = body.map_err(|error| Failed::ForGood(error.to_string()))?;
        self.0.post(&text.id, body, at).await
    }
}
