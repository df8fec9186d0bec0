//! One mail, composed: a text part and an HTML part that says the same (RFC 5322, RFC 2046).

use std::fmt;

use countersign_ceremony::env::Random;
use lettre::address::AddressError;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use zeroize::Zeroizing;

use crate::random::SystemRandom;

/// A mail that may hold a code: its `Debug` shows nothing of it.
pub struct Letter {
    /// Who sends it.
    pub from: String,
    /// Who gets it.
    pub to: String,
    /// Its subject; never a code, which lock screens would show.
    pub subject: String,
    /// The text part.
    pub text: Zeroizing<String>,
    /// The HTML part.
    pub html: Zeroizing<String>,
}

impl Letter {
    /// As a message of RFC 5322.
    ///
    /// # Errors
    /// A sentence: an address that mail cannot reach.
    pub fn to_message(&self) -> Result<lettre::Message, String> {
        let address = |error: AddressError| format!("an address that mail cannot reach: {error}");
        let from: Mailbox = self.from.parse().map_err(address)?;
        let to = Mailbox::new(None, self.to.parse().map_err(address)?);
        // The boundary is ours, so that no part of a mail looks like a code but the code.
        let parts = MultiPart::alternative()
            .boundary("countersign-part")
            .singlepart(part(ContentType::TEXT_PLAIN, &self.text))
            .singlepart(part(ContentType::TEXT_HTML, &self.html));
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        lettre::Message::builder()
            .to(to)
            .subject(&*self.subject)
            .message_id(message_id(from.email.domain()))
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
            .from(from)
            .multipart(parts)
            .map_err(|error| error.to_string())
    }
}

/// A name for the mail (RFC 5322, section 3.6.4), in letters alone: a digit in it could be taken for a code's. Without a
/// generator the mail server gives it one.
fn message_id(domain: &str) -> Option<String> {
    let mut bytes = [0; 16];
    SystemRandom.try_fill(&mut bytes).ok()?;
    let letter = |nibble: u8| char::from(b'a'.saturating_add(nibble & 15));
    let name: String = bytes.iter().flat_map(|byte| [letter(byte >> 4), letter(*byte)]).collect();
    Some(format!("<{name}@{domain}>"))
}

fn part(kind: ContentType, body: &Zeroizing<String>) -> SinglePart {
    SinglePart::builder().header(kind).body(String::clone(body))
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Letter(..)")
    }
}
