//! Messages over real TLS: to a webhook, and to a mail server by STARTTLS and from the first byte. Whoever shows another
//! name, or a certificate of somebody else's authority, gets nothing.

use std::time::Duration;

use super::support::clock::wait_for;
use super::support::config::{Config, EMAIL, PASSWORD, free_port};
use super::support::person::Person;
use super::support::phone::{SECRET, Webhook};
use super::support::server::Server;
use super::support::smtp::Smtp;
use super::support::tls::{Authority, Before};

const PATIENCE: Duration = Duration::from_secs(30);

/// A server with these lines in place of its outbox, which trusts this authority alone.
fn served(config: &Config, lines: &str, trusted: &Authority) -> (Server, Person) {
    let (directory, file) = config.written(free_port());
    let text = std::fs::read_to_string(&file).unwrap();
    let outbox = text.lines().find(|line| line.trim_start().starts_with("outbox = "));
    let text = if lines.is_empty() { text } else { text.replace(outbox.unwrap(), lines) };
    std::fs::write(&file, text).unwrap();
    let server = Server::serve_with(directory, &file, "SSL_CERT_FILE", &trusted.file());
    let person = Person::with_password(server.browser(), EMAIL, PASSWORD);
    (server, person)
}

fn refused(server: &Server) {
    let told = wait_for(PATIENCE, || server.log().contains("a message was not sent").then_some(()));
    told.expect("the refusal is logged");
    assert!(!server.log().contains(EMAIL), "without the address");
}

#[test]
fn mail_goes_over_tls_to_the_right_server_alone() {
    let (ours, others) = (Authority::new(), Authority::new());
    for (tls, before) in [("starttls", Before::StartTls), ("tls", Before::Nothing)] {
        for (name, trusted, taken) in [
            ("localhost", &ours, true),
            ("mail.example.com", &ours, false),
            ("localhost", &others, false),
        ] {
            let smtp = Smtp::start();
            let port = ours.before(smtp.address, name, before);
            let lines = format!(
                "smtp = {{host = 'localhost', port = {port}, tls = '{tls}', from = 'Ex <mfa@example.com>'}}"
            );
            let (server, mut person) = served(&Config::new(), &lines, trusted);
            person.enrol();
            if taken {
                let mail = smtp.wait_beyond(0);
                assert_eq!(mail.recipients, [EMAIL]);
            } else {
                refused(&server);
                assert!(smtp.all().is_empty(), "{tls} to {name}");
            }
        }
    }
}

#[test]
fn codes_go_over_tls_to_the_right_webhook_alone() {
    let (ours, others) = (Authority::new(), Authority::new());
    for (name, trusted, taken) in [
        ("localhost", &ours, true),
        ("sms.example.com", &ours, false),
        ("localhost", &others, false),
    ] {
        let hook = Webhook::start(&[]);
        let port = ours.before(hook.address, name, Before::Nothing);
        let config = Config::new()
            .line(&format!("sms.url = \"https://localhost:{port}/send\""))
            .line(&format!("sms.secret = \"{SECRET}\""))
            .line("sms.timeout_seconds = 2")
            .line("deadline_seconds = 60")
            .strategies(&["AuthenticatorApp", "SMS"]);
        let (server, mut person) = served(&config, "", trusted);
        let token = person.mfa_token();
        let body = serde_json::json!({"mfaToken": token, "phoneNumber": "+15555550100"});
        person.browser.post("auth/v1/user/mfa/sms/enroll", &body).expect(201);
        if taken {
            assert_eq!(hook.wait_for(1).body["to"], "+15555550100");
        } else {
            refused(&server);
            assert!(hook.all().is_empty(), "{name}");
        }
    }
}
