//! A mail as its reader sees it, parsed by `mailparse`.

use mailparse::{MailHeaderMap, ParsedMail};

/// One mail: the headers that matter and the text part, decoded.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    pub(crate) to: String,
    pub(crate) from: String,
    pub(crate) subject: String,
    pub(crate) text: String,
}

impl Mail {
    /// Parses RFC 5322 bytes.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let mail = mailparse::parse_mail(bytes).expect("a well-formed mail");
        let header = |name| mail.headers.get_first_value(name).unwrap_or_default();
        Self {
            to: header("To"),
            from: header("From"),
            subject: header("Subject"),
            text: text_part(&mail).expect("a mail has a text part"),
        }
    }

    /// The code: the only run of six digits in the text part. `None` in a mail without.
    pub(crate) fn code(&self) -> Option<String> {
        let mut runs = self.text.split(|letter: char| !letter.is_ascii_digit());
        let code = runs.find(|run| run.len() == 6)?;
        assert!(runs.all(|run| run.len() != 6), "two runs of six digits:\n{}", self.text);
        Some(code.to_owned())
    }
}

fn text_part(mail: &ParsedMail<'_>) -> Option<String> {
    if mail.ctype.mimetype == "text/plain" {
        return Some(mail.get_body().unwrap());
    }
    mail.subparts.iter().find_map(text_part)
}
