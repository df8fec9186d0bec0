//! Messages to phones: composed here, sent by a webhook or kept in the outbox.
//!
//! One says what its code is for, and to give it to nobody. Its last line binds the code to the site
//! that asks for it, so that a phone fills it in there and nowhere else (WICG, origin-bound one-time
//! codes).

use std::fmt;
use std::sync::Arc;

use countersign_ceremony::env::{Clock, NotDelivered, Random};
use countersign_ceremony::record::CodePurpose;
use countersign_device::{DeviceId, PhoneChannel, PhoneNumber};
use countersign_otp::{Code, UnixTime};
use zeroize::Zeroizing;

use super::outbox::OutboxDirectory;
use super::templates::{Name, Templates};
use super::webhook::Webhook;
use crate::random::SystemRandom;

/// How many messages are under way to a webhook at once.
const AT_ONCE: usize = 16;

/// One message to a phone. It holds a code: its `Debug` shows nothing of it.
pub struct Text {
    /// Its id, the same each time it is tried.
    pub(super) id: String,
    /// Who gets it.
    pub(super) to: PhoneNumber,
    by: PhoneChannel,
    purpose: CodePurpose,
    /// What it says.
    pub(super) said: Zeroizing<String>,
    /// The code alone.
    pub(super) code: Zeroizing<String>,
    /// The name of the service.
    pub(super) service: String,
    /// When its code ends: after that it is not sent.
    pub(super) ends: UnixTime,
}

/// A code for a phone, before it is composed.
pub(super) struct Coded<'a> {
    pub(super) to: PhoneNumber,
    pub(super) by: PhoneChannel,
    pub(super) code: &'a Code,
    pub(super) purpose: CodePurpose,
    pub(super) lives_secs: u64,
    pub(super) service: &'a str,
}

/// Where messages to phones go.
#[derive(Debug)]
pub enum Texts {
    /// To a webhook.
    Webhook(Box<Webhook>),
    /// Into the directory that mails go to.
    Outbox(OutboxDirectory),
}

impl Text {
    /// Writes a message. `site` is the host that its code is typed in at, where it has a name.
    pub(super) fn compose(
        templates: &Templates,
        coded: &Coded<'_>,
        site: Option<&str>,
        now: UnixTime,
    ) -> Result<Self, NotDelivered> {
        let Coded { to, by, code, purpose, lives_secs, service } = *coded;
        let code = Zeroizing::new(code.as_str().to_owned());
        let line = templates.say_to_phone(Name::of_text(purpose), service, &code, lives_secs);
        let line = line.ok_or(NotDelivered)?;
        let said = Zeroizing::new(match site {
            Some(site) => format!("{}\n\n@{site} #{}", *line, *code),
            None => String::clone(&line),
        });
        let mut id = [0; 16];
        SystemRandom.try_fill(&mut id).map_err(|_| NotDelivered)?;
        Ok(Self {
            id: DeviceId::from_random_bytes(id).to_string(),
            to,
            by,
            purpose,
            said,
            code,
            service: service.to_owned(),
            ends: now.saturating_add(lives_secs),
        })
    }

    /// By what it goes, as the webhook and the outbox name it.
    pub(super) const fn channel(&self) -> &'static str {
        match self.by {
            PhoneChannel::Sms => "sms",
            PhoneChannel::WhatsApp => "whatsapp",
        }
    }

    /// What its code is for, as the webhook names it.
    pub(super) const fn purpose(&self) -> &'static str {
        match self.purpose {
            CodePurpose::LogIn => "login",
            CodePurpose::Enrol => "enroll",
            CodePurpose::Disable => "disable",
        }
    }
}

impl Texts {
    /// Sends one message.
    ///
    /// # Errors
    /// A sentence, without a number and without a code.
    pub(super) async fn send(&self, text: Text, clock: &Arc<dyn Clock>) -> Result<(), String> {
        match self {
            Self::Webhook(webhook) => webhook.send(&text, || clock.now()).await,
            Self::Outbox(outbox) => outbox.write_text(text).await,
        }
    }

    /// How many may be under way at once: a directory keeps the order in which they came.
    pub(super) const fn at_once(&self) -> usize {
        match self {
            Self::Webhook(_) => AT_ONCE,
            Self::Outbox(_) => 1,
        }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Text").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is one character in a message to a phone (GSM 03.38), of what our texts use.
    fn is_one_septet(letter: char) -> bool {
        letter.is_ascii() && letter != '`' || "äöüÄÖÜß".contains(letter)
    }

    #[test]
    fn a_message_says_what_its_code_is_for_and_where_it_belongs() {
        let code = Code::parse("012345").unwrap();
        let now = UnixTime::from_secs(1_800_000_000);
        for (language, purpose, says) in [
            ("en", CodePurpose::LogIn, "log in"),
            ("en", CodePurpose::Enrol, "add this phone"),
            ("en", CodePurpose::Disable, "remove this phone"),
            ("de", CodePurpose::LogIn, "zum Anmelden"),
            ("de", CodePurpose::Enrol, "zum Hinzufügen"),
            ("de", CodePurpose::Disable, "zum Entfernen"),
        ] {
            let coded = Coded {
                to: PhoneNumber::parse("+15555550100").unwrap(),
                by: PhoneChannel::Sms,
                code: &code,
                purpose,
                lives_secs: 600,
                service: "Example",
            };
            let templates = Templates::open(language, None).unwrap();
            let text = Text::compose(&templates, &coded, Some("login.example.com"), now).unwrap();
            assert!(text.said.contains(says), "{}", *text.said);
            assert!(text.said.ends_with("\n\n@login.example.com #012345"), "{}", *text.said);
            assert!(text.said.chars().all(is_one_septet), "{}", *text.said);
            assert!(text.said.is_ascii() || language != "en", "{}", *text.said);
            assert!(text.said.chars().count() <= 160, "one message, not two");
            assert_eq!(text.ends, now.saturating_add(600));
            let other = Text::compose(&templates, &coded, None, now).unwrap();
            assert_ne!(other.id, text.id);
            assert!(!other.said.contains('@'));
            let shown = format!("{text:?}");
            assert!(!shown.contains("012345") && !shown.contains("5550100"), "{shown}");
        }
    }
}
