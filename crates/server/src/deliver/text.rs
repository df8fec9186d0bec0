//! What mails say.
//!
//! The code is the only run of six digits in its mail, and no other mail holds such a run: programs
//! that read codes out of mails find the right one. No mail holds a link, so none can be forged into
//! a habit. Nothing that a stranger chose is repeated in a mail but the service's own name.

use countersign_ceremony::decide::NoticeOf;
use countersign_ceremony::env::Body;
use countersign_ceremony::record::CodePurpose;
use countersign_device::{EmailAddress, FactorKind};
use zeroize::Zeroizing;

use super::letter::Letter;

/// What one mail says, before it is put in parts.
struct Said {
    subject: String,
    /// Paragraphs before the code.
    before: Vec<String>,
    code: Option<Zeroizing<String>>,
    /// Paragraphs after it.
    after: Vec<String>,
}

/// Writes the mail for a message to a mailbox.
pub(super) fn compose(from: &str, to: &EmailAddress, body: &Body, service: &str) -> Letter {
    let said = match body {
        Body::Code { code, purpose, lives_secs } => {
            code_mail(service, *purpose, Zeroizing::new(code.as_str().to_owned()), *lives_secs)
        }
        Body::Notice(notice) => notice_mail(service, *notice),
    };
    Letter {
        from: from.to_owned(),
        to: to.as_str().to_owned(),
        text: said.text(service),
        html: said.html(service),
        subject: said.subject,
    }
}

fn code_mail(
    service: &str,
    purpose: CodePurpose,
    code: Zeroizing<String>,
    lives_secs: u64,
) -> Said {
    let (name, to_do, doing) = match purpose {
        CodePurpose::LogIn => ("login code", "log in to", "logging in"),
        CodePurpose::Enrol => ("confirmation code", "add this address to", "adding it"),
        CodePurpose::Disable => ("removal code", "remove a second factor from", "removing one"),
    };
    Said {
        subject: format!("Your {service} {name}"),
        before: vec![format!("This is your code to {to_do} {service}:")],
        code: Some(code),
        after: vec![
            format!("It works once, within {}.", minutes(lives_secs)),
            format!(
                "If you are not {doing} right now, somebody else knows your password: change it, and \
                 give this code to nobody. We never ask for it by mail or by phone."
            ),
        ],
    }
}

fn notice_mail(service: &str, notice: NoticeOf) -> Said {
    let (subject, happened, otherwise) = match notice {
        NoticeOf::FactorAdded(factor) => (
            "A second factor was added",
            match factor {
                FactorKind::Email => "Codes by email now protect your account.",
                FactorKind::Sms => "Codes by SMS now protect your account.",
                FactorKind::PasskeyPlatform | FactorKind::PasskeyCrossPlatform => {
                    "A passkey now protects your account."
                }
                _ => "An authenticator app now protects your account.",
            },
            "If that was not you, change your password and tell us.",
        ),
        NoticeOf::FactorRemoved(factor) => (
            "A second factor was removed",
            match factor {
                FactorKind::Sms => "A phone no longer protects your account.",
                FactorKind::PasskeyPlatform | FactorKind::PasskeyCrossPlatform => {
                    "A passkey no longer protects your account."
                }
                _ => "An authenticator app no longer protects your account.",
            },
            "Every other session has ended. If that was not you, change your password and tell us.",
        ),
        NoticeOf::FactorsRemoved => (
            "Your second factors were removed",
            "The second factors of your account were removed, and its recovery code with them. Every \
             browser is forgotten and every other session has ended.",
            "If you did not ask for that, change your password at once and tell us.",
        ),
        NoticeOf::RecoveryIssued => (
            "Your recovery codes were replaced",
            "New recovery codes were issued for your account, and the old ones are worth nothing any \
             more.",
            "If that was not you, change your password at once and tell us.",
        ),
        NoticeOf::RecoveryUsed => (
            "Your recovery code was used",
            "Your recovery code was used. The second factors of your account are removed, every \
             browser is forgotten and every session has ended. You set up a new second factor at \
             your next login.",
            "If that was not you, change your password at once and tell us.",
        ),
        NoticeOf::BrowserStolen => (
            "A remembered browser may have been copied",
            "A browser presented something that another one had already replaced. Somebody may have \
             copied it, so it is no longer remembered, and the second factor is asked for again.",
            "If you did not move this browser to another machine, change your password.",
        ),
        NoticeOf::PasskeyCopied => (
            "A passkey may have been copied",
            "A passkey signed, and had counted less than it had before. Somebody may have copied it, \
             so it was not let in.",
            "If it goes on, remove this passkey and set up a new one.",
        ),
        NoticeOf::BrowserRemembered => (
            "A browser is remembered",
            "A browser will not be asked for the second factor for some days.",
            "If that was not you, change your password: it ends every remembered browser.",
        ),
        NoticeOf::GuessingStopped => (
            "Somebody may know your password",
            "Somebody logged in with your password and then gave wrong codes, many times. We have \
             stopped it: further tries have to wait.",
            "If that was not you, change your password.",
        ),
        NoticeOf::AddressChanged => (
            "Your email address was changed",
            "The email address of your account was changed. Every session has ended.",
            "If that was not you, tell us at once.",
        ),
    };
    Said {
        subject: format!("{subject} – {service}"),
        before: vec![happened.to_owned(), otherwise.to_owned()],
        code: None,
        after: Vec::new(),
    }
}

fn minutes(seconds: u64) -> String {
    match seconds.div_ceil(60) {
        1 => "a minute".to_owned(),
        minutes => format!("{minutes} minutes"),
    }
}

impl Said {
    fn text(&self, service: &str) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::new());
        let code = self.code.as_ref().map(|code| code.as_str());
        let before = self.before.iter().map(String::as_str);
        for paragraph in before.chain(code).chain(self.after.iter().map(String::as_str)) {
            text.push_str(paragraph);
            text.push_str("\n\n");
        }
        text.push_str(service);
        text.push('\n');
        text
    }

    fn html(&self, service: &str) -> Zeroizing<String> {
        let paragraph =
            |text: &String| format!("<p style=\"margin:0 0 16px\">{}</p>", escape(text));
        let mut html = Zeroizing::new(format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}</title></head>\
             <body style=\"margin:0;padding:32px 16px;font:16px/1.5 system-ui,sans-serif\">\
             <div style=\"max-width:480px;margin:0 auto\">",
            escape(&self.subject)
        ));
        html.extend(self.before.iter().map(paragraph));
        if let Some(code) = &self.code {
            html.push_str(
                "<p style=\"margin:0 0 16px;font:600 32px/1.2 ui-monospace,monospace;\
                           letter-spacing:6px\">",
            );
            html.push_str(code);
            html.push_str("</p>");
        }
        html.extend(self.after.iter().map(paragraph));
        html.push_str(&format!(
            "<p style=\"margin:32px 0 0;opacity:.7\">{}</p></div></body></html>\n",
            escape(service)
        ));
        html
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use countersign_device::EmailAddress;
    use countersign_otp::Code;

    use super::*;

    const NOTICES: [NoticeOf; 15] = [
        NoticeOf::FactorAdded(FactorKind::Authenticator),
        NoticeOf::FactorAdded(FactorKind::Email),
        NoticeOf::FactorAdded(FactorKind::Sms),
        NoticeOf::FactorAdded(FactorKind::PasskeyPlatform),
        NoticeOf::FactorRemoved(FactorKind::Authenticator),
        NoticeOf::FactorRemoved(FactorKind::Sms),
        NoticeOf::FactorRemoved(FactorKind::PasskeyCrossPlatform),
        NoticeOf::FactorsRemoved,
        NoticeOf::RecoveryIssued,
        NoticeOf::RecoveryUsed,
        NoticeOf::BrowserStolen,
        NoticeOf::PasskeyCopied,
        NoticeOf::BrowserRemembered,
        NoticeOf::GuessingStopped,
        NoticeOf::AddressChanged,
    ];

    fn letter(body: Body) -> Letter {
        let to = EmailAddress::parse("ada123456@example.com").unwrap();
        compose("Example <mfa@example.com>", &to, &body, "R&D <x>")
    }

    fn runs_of_six(text: &str) -> Vec<&str> {
        text.split(|letter: char| !letter.is_ascii_digit()).filter(|run| run.len() == 6).collect()
    }

    #[test]
    fn the_code_is_the_only_run_of_six_digits() {
        let code = Code::parse("012345").unwrap();
        for purpose in [CodePurpose::LogIn, CodePurpose::Enrol, CodePurpose::Disable] {
            let letter = letter(Body::Code { code: code.clone(), purpose, lives_secs: 600 });
            assert_eq!(runs_of_six(&letter.text), ["012345"]);
            assert_eq!(runs_of_six(&letter.html), ["012345"]);
            assert_eq!(runs_of_six(&letter.subject), [""; 0], "a lock screen shows the subject");
            assert!(letter.text.contains("10 minutes"));
        }
    }

    #[test]
    fn no_notice_holds_such_a_run() {
        for notice in NOTICES {
            let letter = letter(Body::Notice(notice));
            for part in [&*letter.subject, &*letter.text, &*letter.html] {
                assert_eq!(runs_of_six(part), [""; 0], "{notice:?}");
            }
        }
    }

    #[test]
    fn names_are_escaped_in_html() {
        let html = letter(Body::Notice(NoticeOf::RecoveryUsed)).html;
        assert!(html.contains("R&amp;D &lt;x&gt;") && !html.contains("<x>"));
    }

    #[test]
    fn a_letter_is_a_mail_whose_headers_nothing_can_extend() {
        let message = letter(Body::Notice(NoticeOf::RecoveryUsed)).to_message().unwrap();
        let bytes = message.formatted();
        let mail = mailparse::parse_mail(&bytes).unwrap();
        assert_eq!(mail.subparts.len(), 2);
        let id = message.headers().get_raw("Message-ID").unwrap();
        assert!(id.ends_with("@example.com>") && !id.contains(|char: char| char.is_ascii_digit()));
        let mut forged = letter(Body::Notice(NoticeOf::RecoveryUsed));
        forged.subject = "x\r\nBcc: eve@example.com".to_owned();
        let bytes = forged.to_message().unwrap().formatted();
        let mail = mailparse::parse_mail(&bytes).unwrap();
        assert!(mail.headers.iter().all(|header| !header.get_key().eq_ignore_ascii_case("bcc")));
    }
}
