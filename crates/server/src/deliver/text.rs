//! What mails say.
//!
//! The code is the only run of six digits in its mail, and no other mail holds such a run: programs
//! that read codes out of mails find the right one. No mail holds a link, so none can be forged into
//! a habit; but one, at most twice a year, and it logs nobody in. Nothing that a stranger chose is repeated in a mail but the service's own name.

use countersign_ceremony::env::{Body, NotDelivered};
use countersign_device::EmailAddress;

use zeroize::Zeroizing;

use super::letter::Letter;
use super::templates::{Name, Said, Templates};

/// Writes the mail for a message to a mailbox.
pub(super) fn compose(
    templates: &Templates,
    from: &str,
    to: &EmailAddress,
    body: &Body,
    service: &str,
    base_url: &str,
) -> Result<Letter, NotDelivered> {
    let said = match body {
        Body::Code { code, purpose, lives_secs } => {
            templates.say(Name::of_code(*purpose), service, Some(code.as_str()), *lives_secs)
        }
        Body::Notice(notice) => templates.say(Name::of_notice(*notice), service, None, 0),
        // After the `#`, which no browser sends: no log of a server or a proxy holds it.
        Body::Refill { link, lives_secs } => {
            let link = Zeroizing::new(format!("{base_url}/#tries={}", link.as_str()));
            templates.say_link(Name::LedgerRefill, service, &link, *lives_secs)
        }
    };
    let Said { subject, text, html } = said.ok_or(NotDelivered)?;
    Ok(Letter { from: from.to_owned(), to: to.as_str().to_owned(), subject, text, html })
}
#[cfg(test)]
mod tests {
    use countersign_ceremony::decide::NoticeOf;
    use countersign_ceremony::record::CodePurpose;
    use countersign_device::{EmailAddress, FactorKind};
    use countersign_otp::Code;

    use super::*;

    const SITE: &str = "https://id.example.com";

    const NOTICES: [NoticeOf; 16] = [
        NoticeOf::FactorAdded(FactorKind::Authenticator),
        NoticeOf::FactorAdded(FactorKind::Email),
        NoticeOf::FactorAdded(FactorKind::Sms),
        NoticeOf::FactorAdded(FactorKind::PasskeyPlatform),
        NoticeOf::FactorRemoved(FactorKind::Authenticator),
        NoticeOf::FactorRemoved(FactorKind::Email),
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

    fn letter_in(language: &str, body: Body) -> Letter {
        let to = EmailAddress::parse("ada123456@example.com").unwrap();
        let templates = Templates::open(language, None).unwrap();
        compose(&templates, "Example <mfa@example.com>", &to, &body, "R&D <x>", SITE).unwrap()
    }

    fn letter(body: Body) -> Letter {
        letter_in("en", body)
    }

    fn runs_of_six(text: &str) -> Vec<&str> {
        text.split(|letter: char| !letter.is_ascii_digit()).filter(|run| run.len() == 6).collect()
    }

    #[test]
    fn the_code_is_the_only_run_of_six_digits() {
        let code = Code::parse("012345").unwrap();
        for (language, lives) in [("en", "10 minutes"), ("de", "10 Minuten")] {
            for purpose in [CodePurpose::LogIn, CodePurpose::Enrol, CodePurpose::Disable] {
                let body = Body::Code { code: code.clone(), purpose, lives_secs: 600 };
                let letter = letter_in(language, body);
                assert_eq!(runs_of_six(&letter.text), ["012345"]);
                assert_eq!(runs_of_six(&letter.html), ["012345"]);
                assert_eq!(
                    runs_of_six(&letter.subject),
                    [""; 0],
                    "a lock screen shows the subject"
                );
                assert!(letter.text.contains(lives) && letter.html.contains(lives));
                assert!(letter.html.contains(&format!("<html lang=\"{language}\">")));
            }
        }
    }

    #[test]
    fn no_notice_holds_such_a_run() {
        for language in Templates::LANGUAGES {
            let mut texts = std::collections::BTreeSet::new();
            for notice in NOTICES {
                let letter = letter_in(language, Body::Notice(notice));
                for part in [&*letter.subject, &*letter.text, &*letter.html] {
                    assert_eq!(runs_of_six(part), [""; 0], "{notice:?}");
                    assert!(!part.contains("{{") && !part.contains("http"), "{notice:?}");
                }
                texts.insert(letter.text.to_string());
            }
            assert_eq!(texts.len(), NOTICES.len(), "each notice says something of its own");
        }
    }

    #[test]
    fn the_link_that_refills_stands_alone_and_is_the_only_one_there_is() {
        let vault = countersign_ceremony::env::Env::for_tests().unwrap().vault;
        let claims = countersign_ceremony::claims::RefillClaims {
            user: countersign_device::UserKey::new(
                countersign_device::RealmId::parse("main").unwrap(),
                countersign_device::UserId::parse("ada").unwrap(),
            ),
            id: countersign_ceremony::record::LinkId([7; 16]),
        };
        let link = countersign_token::Token::seal(&*vault, &[], [0; 24], &claims).unwrap();
        let url = format!("{SITE}/#tries={}", link.as_str());
        for (language, lives) in [("en", "within 30 days"), ("de", "innerhalb von 30 Tagen")] {
            let body = Body::Refill { link: link.clone(), lives_secs: 30 * 24 * 60 * 60 };
            let letter = letter_in(language, body);
            assert!(letter.text.contains(&format!("\n\n{url}\n\n")), "{}", *letter.text);
            assert!(letter.html.contains(&format!("<a href=\"{url}\">{url}</a>")));
            assert_eq!(letter.html.matches("href").count(), 1);
            assert!(letter.text.contains(lives) && letter.html.contains(lives));
            assert_eq!(runs_of_six(&letter.subject), [""; 0]);
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
        let german = letter_in("de", Body::Notice(NoticeOf::AddressChanged)).to_message().unwrap();
        let german = german.formatted();
        assert!(german.is_ascii(), "what is not is encoded (RFC 2045, RFC 2047)");
        let german = mailparse::parse_mail(&german).unwrap();
        let subject = mailparse::MailHeaderMap::get_first_value(&german.headers[..], "Subject");
        assert_eq!(subject.unwrap(), "Ihre E-Mail-Adresse wurde geändert – R&D <x>");
        assert!(german.subparts[0].get_body().unwrap().contains("wurde geändert."));
        let id = message.headers().get_raw("Message-ID").unwrap();
        assert!(id.ends_with("@example.com>") && !id.contains(|char: char| char.is_ascii_digit()));
        let mut forged = letter(Body::Notice(NoticeOf::RecoveryUsed));
        forged.subject = "x\r\nBcc: eve@example.com".to_owned();
        let bytes = forged.to_message().unwrap().formatted();
        let mail = mailparse::parse_mail(&bytes).unwrap();
        assert!(mail.headers.iter().all(|header| !header.get_key().eq_ignore_ascii_case("bcc")));
    }
}
