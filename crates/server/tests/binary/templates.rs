//! Messages in another language, and in an operator's own words.

use super::support::config::Config;
use super::support::person::{EMAIL_VERIFY, Person, email_verification};
use super::support::server::{Server, countersign};

#[test]
fn german_mails_and_an_operators_own_words() {
    let place = tempfile::tempdir().unwrap();
    let templates = place.path().join("templates");
    let written = countersign()
        .args(["templates", "--language", "de", "--out"])
        .arg(&templates)
        .output()
        .unwrap();
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    let german = templates.join("de");
    assert!(german.join("recovery-used.txt").is_file() && german.join("layout.html").is_file());
    // One in other words, the rest as it is built in.
    for file in std::fs::read_dir(&german).unwrap() {
        std::fs::remove_file(file.unwrap().path()).unwrap();
    }
    let own = "Subject: Der Schlüssel zu {{service}}\n\nBitte sehr:\n\n{{code}}\n\nGültig {{minutes}} Minuten.\n";
    std::fs::write(german.join("code-login.txt"), own).unwrap();

    let lines = format!("language = \"de\"\n            templates = {templates:?}");
    let server = Config::new().line(&lines).serve();
    let mut outbox = server.outbox();
    let mut person = Person::known_to(&server);
    person.enrol();
    let token = person.mfa_token();
    let otc = person.request_email_code(&token);
    let mut mails = Vec::new();
    while !mails.iter().any(|mail: &super::support::mail::Mail| mail.code().is_some()) {
        mails.extend(outbox.unread());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let added = mails.iter().find(|mail| mail.subject.starts_with("Ein zweiter Faktor")).unwrap();
    assert!(
        added.text.contains("Eine Authenticator-App schützt jetzt Ihr Konto."),
        "{}",
        added.text
    );
    let coded = mails.iter().find(|mail| mail.code().is_some()).unwrap();
    assert_eq!(coded.subject, "Der Schlüssel zu Countersign");
    assert!(coded.text.contains("Gültig 10 Minuten."), "{}", coded.text);
    let code = coded.code().unwrap();
    person.browser.post(EMAIL_VERIFY, &email_verification(&token, &otc, &code)).expect(201);

    // A template that lacks its code is found before anything is served.
    std::fs::write(german.join("code-login.txt"), "Subject: Code\n\nHier.\n").unwrap();
    let config = server.config();
    let directory = server.kill();
    let refused = countersign().args(["serve", "--config"]).arg(&config).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success(), "{said}");
    assert!(said.contains("templates: de/code-login.txt: {{code}} must be there once"), "{said}");
    std::fs::write(german.join("code-login.txt"), own).unwrap();
    Server::serve(directory, &config);
}
