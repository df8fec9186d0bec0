//! Somebody who logs in: a browser, a first factor, and perhaps an authenticator app.

use serde_json::{Value, json};
use ureq::http::Method;

use super::authenticator::Authenticator;
use super::browser::{Answer, Browser};
use super::qr;
use super::server::Server;

/// Base path of the login routes.
pub(crate) const AUTH: &str = "auth/v1/user";
/// Verifies a code of any authenticator, or finishes a forced enrolment.
pub(crate) const VERIFY: &str = "auth/v1/user/mfa/verify";
/// Sends a code by email.
pub(crate) const EMAIL_CODE: &str = "auth/v1/user/mfa/emailcode";
/// Verifies it.
pub(crate) const EMAIL_VERIFY: &str = "auth/v1/user/mfa/emailcode/verify";
/// Starts an enrolment.
pub(crate) const ENROL: &str = "auth/v1/user/mfa/authenticator/enroll";
/// Confirms it.
pub(crate) const ENROL_VERIFY: &str = "auth/v1/user/mfa/authenticator/enroll/verify";
/// Removes every factor.
pub(crate) const RECOVER: &str = "auth/v1/user/mfa/recover";
/// Opens a login for a service that owns its users.
pub(crate) const VENDOR_LOGINS: &str = "vendor-only/mfa/v1/logins";
/// Reports what happened to a user.
pub(crate) const VENDOR_LIFECYCLE: &str = "vendor-only/mfa/v1/lifecycle";

/// How the person passes the first factor.
#[derive(Clone, Debug)]
enum FirstFactor {
    Password(String),
    /// A service has checked it and says so on the management route.
    Vouched {
        vendor: Box<Browser>,
        tenant: String,
        user: String,
    },
}

/// One person at one browser.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) browser: Browser,
    pub(crate) email: String,
    first: FirstFactor,
}

/// What an enrolment left behind.
#[derive(Debug)]
pub(crate) struct Enrolled {
    pub(crate) app: Authenticator,
    /// The code that confirmed the enrolment: spent.
    pub(crate) spent: String,
    pub(crate) recovery_code: String,
    pub(crate) answer: Answer,
}

impl Person {
    /// The user in the server's own directory, at a fresh browser.
    pub(crate) fn known_to(server: &Server) -> Self {
        Self::with_password(server.browser(), &server.email, &server.password)
    }

    /// Somebody with a password.
    pub(crate) fn with_password(browser: Browser, email: &str, password: &str) -> Self {
        let first = FirstFactor::Password(password.to_owned());
        Self { browser, email: email.to_owned(), first }
    }

    /// A user whose first factor a service vouches for.
    pub(crate) fn vouched(server: &Server, vendor_token: &str, tenant: &str, user: &str) -> Self {
        let vendor = Box::new(server.browser().with_bearer(vendor_token));
        let (tenant, user) = (tenant.to_owned(), user.to_owned());
        let email = format!("{user}@example.com");
        let first = FirstFactor::Vouched { vendor, tenant, user };
        Self { browser: server.browser(), email, first }
    }

    /// The same person at another browser.
    pub(crate) fn elsewhere(&self) -> Self {
        let (email, first) = (self.email.clone(), self.first.clone());
        Self { browser: self.browser.another(), email, first }
    }

    /// Passes the first factor at a server that may be dead: the whole answer, whatever its status.
    pub(crate) fn open_login(&mut self) -> Result<Answer, ureq::Error> {
        let (browser, route, body) = match &mut self.first {
            FirstFactor::Password(password) => {
                (&mut self.browser, AUTH, json!({"email": self.email, "password": password}))
            }
            FirstFactor::Vouched { vendor, tenant, user } => {
                let who = json!({"tenantId": tenant, "userId": user, "email": self.email});
                (&mut **vendor, VENDOR_LOGINS, with(who, "firstFactor", "password"))
            }
        };
        let path = browser.path(route);
        browser.try_send(Method::POST, &path, body.to_string().into_bytes())
    }

    /// The same at a server that lives.
    pub(crate) fn try_login(&mut self) -> Answer {
        self.open_login().expect("an answer")
    }

    /// Passes the first factor.
    #[track_caller]
    pub(crate) fn login(&mut self) -> Answer {
        self.try_login().expect(200)
    }

    /// Passes the first factor; the `mfaToken` of the answer, which asks for a second.
    #[track_caller]
    pub(crate) fn mfa_token(&mut self) -> String {
        let answer = self.login();
        assert_eq!(answer.body["mfaRequired"], true, "{}", answer.body);
        answer.text("mfaToken")
    }

    /// The whole forced enrolment: log in, scan, confirm.
    #[track_caller]
    pub(crate) fn enrol(&mut self) -> Enrolled {
        self.enrol_with(false)
    }

    /// The same, and this browser is remembered.
    #[track_caller]
    pub(crate) fn enrol_remembered(&mut self) -> Enrolled {
        self.enrol_with(true)
    }

    #[track_caller]
    fn enrol_with(&mut self, remember: bool) -> Enrolled {
        let mfa_token = self.mfa_token();
        let offer = self.browser.post(ENROL, &json!({"mfaToken": mfa_token})).expect(201);
        let mut app = Authenticator::scan(&qr::read(&offer));
        let spent = app.code();
        let body = json!({"mfaToken": mfa_token, "token": spent, "rememberDevice": remember});
        let answer = self.browser.post(ENROL_VERIFY, &body).expect(201);
        let recovery_code = answer.text("recoveryCode");
        Enrolled { app, spent, recovery_code, answer }
    }

    /// Submits a code of an app to `mfa/verify`.
    pub(crate) fn verify(&mut self, mfa_token: &str, code: &str) -> Answer {
        self.browser.post(VERIFY, &json!({"mfaToken": mfa_token, "value": code}))
    }

    /// Asks for a code by email; the `otcToken`.
    #[track_caller]
    pub(crate) fn request_email_code(&mut self, mfa_token: &str) -> String {
        let sent = self.browser.post(EMAIL_CODE, &json!({"mfaToken": mfa_token})).expect(201);
        sent.text("otcToken")
    }
}

/// The tenant of the demo's user, as its access token names it.
pub(crate) fn demo_tenant(server: &Server) -> String {
    let answer = Person::known_to(server).enrol().answer;
    answer.claims()["tenantId"].as_str().expect("a tenant").to_owned()
}

/// A body with one field more.
pub(crate) fn with(mut body: Value, field: &str, value: impl Into<Value>) -> Value {
    body[field] = value.into();
    body
}

/// The body of `emailcode/verify`.
pub(crate) fn email_verification(mfa_token: &str, otc_token: &str, code: &str) -> Value {
    json!({"mfaToken": mfa_token, "otcToken": otc_token, "code": code})
}

/// Another code of six digits.
pub(crate) fn other_than(code: &str) -> String {
    let number: u32 = code.parse().unwrap();
    format!("{:06}", (number + 1) % 1_000_000)
}
