//! Every operation that is served. What is not here is not told of; the test of it fails.

use super::operation::{Operation, Who};
use crate::wire;

const APPLICATION: &[&str] = &["frontegg-requested-application-id"];
const ABOUT: &[&str] = &["frontegg-user-id", "frontegg-tenant-id"];
const SCOPE: &[&str] = &["frontegg-tenant-id", "frontegg-application-id"];

fn get(path: &str, summary: &'static str) -> Operation {
    Operation::new("get", path, summary)
}

fn post(path: &str, summary: &'static str) -> Operation {
    Operation::new("post", path, summary)
}

/// All of them.
pub(super) fn operations() -> Vec<Operation> {
    [login(), factors(), phones(), account(), sessions(), configuration(), service()]
        .into_iter()
        .flatten()
        .collect()
}

/// A login, and what is asked under it.
fn login() -> Vec<Operation> {
    vec![
        post("auth/v1/user", "Log in with a password")
            .headers(APPLICATION)
            .takes::<wire::Login>(&["password"])
            .answers::<wire::AuthResponse>(200),
        get(
            "configurations/v1/mfa-policy/allow-remember-device",
            "May this browser be remembered?",
        )
        .query(&["mfaToken"])
        .answers::<wire::AllowRemember>(200),
        post("auth/v1/user/mfa/recover", "Spend the recovery code: it removes the factors")
            .takes::<wire::Recover>(&["email", "recoveryCode"])
            .empty(200),
        post("auth/v1/user/mfa/refill", "Open the mailed link: codes are judged again")
            .takes::<wire::Refill>(&["token"])
            .empty(200),
    ]
}

/// Second factors under an open login.
fn factors() -> Vec<Operation> {
    vec![
        post("auth/v1/user/mfa/verify", "Verify a code of any authenticator app")
            .takes::<wire::CodeCheck>(&["mfaToken", "value"])
            .answers::<wire::AuthResponse>(201),
        post("auth/v1/user/mfa/authenticator/enroll", "Begin to enrol an authenticator app")
            .takes::<wire::LoginTokenOnly>(&["mfaToken"])
            .answers::<wire::PreEnrol>(201),
        post(
            "auth/v1/user/mfa/authenticator/enroll/verify",
            "Enrol an authenticator app by its first code",
        )
        .takes::<wire::EnrolCheck>(&["mfaToken", "token"])
        .answers::<wire::AuthResponse>(201),
        post(
            "auth/v1/user/mfa/authenticator/{deviceId}/verify",
            "Verify a code of one authenticator app",
        )
        .takes::<wire::CodeCheck>(&["mfaToken", "value"])
        .answers::<wire::AuthResponse>(201),
        post("auth/v1/user/mfa/webauthn/enroll", "Begin to enrol a passkey")
            .takes::<wire::LoginTokenOnly>(&["mfaToken"])
            .answers::<wire::PasskeyOptions>(201),
        post("auth/v1/user/mfa/webauthn/enroll/verify", "Enrol the passkey that was made")
            .takes::<wire::PasskeyEnrolCheck>(&[
                "mfaToken",
                "webauthnToken",
                "deviceType",
                "options",
            ])
            .answers::<wire::AuthResponse>(201),
        post("auth/v1/user/mfa/webauthn/{deviceId}", "Ask a passkey")
            .takes::<wire::LoginTokenOnly>(&["mfaToken"])
            .answers::<wire::PasskeyOptions>(201),
        post("auth/v1/user/mfa/webauthn/{deviceId}/verify", "Verify what a passkey signed")
            .takes::<wire::PasskeyCheck>(&["mfaToken", "webauthnToken", "options"])
            .answers::<wire::AuthResponse>(201),
        post("auth/v1/user/mfa/emailcode", "Send a code by mail")
            .takes::<wire::LoginTokenOnly>(&["mfaToken"])
            .answers::<wire::OtcToken>(201),
        post("auth/v1/user/mfa/emailcode/verify", "Verify a code that was mailed")
            .takes::<wire::EmailCodeCheck>(&["mfaToken", "otcToken", "code"])
            .answers::<wire::AuthResponse>(201),
    ]
}

/// Phones, under a login and under a session.
fn phones() -> Vec<Operation> {
    let under_login = |path: &str, summary| post(&format!("auth/v1/user/mfa/sms/{path}"), summary);
    let own = |path: &str, summary| {
        post(&format!("users/v1/mfa/sms/{path}"), summary).by(Who::Either).headers(ABOUT)
    };
    vec![
        under_login("enroll", "Send a code to a phone that is to be enrolled")
            .takes::<wire::SmsSend>(&["mfaToken", "phoneNumber"])
            .answers::<wire::SmsSent>(201),
        under_login("enroll/verify", "Enrol a phone by the code that came to it")
            .takes::<wire::SmsCheck>(&["mfaToken", "otcToken", "code"])
            .answers::<wire::AuthResponse>(201),
        under_login("{deviceId}", "Send a code to a phone")
            .takes::<wire::SmsSend>(&["mfaToken"])
            .answers::<wire::SmsSent>(201),
        under_login("{deviceId}/verify", "Verify a code that was sent to a phone")
            .takes::<wire::SmsCheck>(&["mfaToken", "otcToken", "code"])
            .answers::<wire::AuthResponse>(201),
        own("enroll", "Send a code to a phone that is to be enrolled")
            .takes::<wire::SmsSend>(&["phoneNumber"])
            .answers::<wire::SmsSent>(200),
        own("enroll/verify", "Enrol a phone by the code that came to it")
            .takes::<wire::SmsCheck>(&["otcToken", "code"])
            .answers::<wire::Added>(200),
        post(
            "users/v1/mfa/email/enroll",
            "Send a code to the user's own address, which is not proven",
        )
        .by(Who::Either)
        .headers(ABOUT)
        .answers::<wire::EmailSent>(200),
        post("users/v1/mfa/email/enroll/verify", "Prove that address by the code that came to it")
            .by(Who::Either)
            .headers(ABOUT)
            .takes::<wire::EmailBinding>(&["otcToken", "code"])
            .answers::<wire::Added>(200),
        own("{deviceId}/disable", "Send a code to a phone that is to be removed")
            .takes::<wire::SmsSend>(&[])
            .answers::<wire::SmsSent>(200),
        own("{deviceId}/disable/verify", "Remove a phone").takes::<wire::SmsCheck>(&[]).empty(200),
    ]
}

/// What a session asks for its own account, or the administrator for a user's.
fn account() -> Vec<Operation> {
    let ask = |path: &str, summary| post(path, summary).by(Who::Either).headers(ABOUT);
    let mut all = vec![
        get("users/v1/mfa/devices", "The factors of an account")
            .by(Who::Either)
            .headers(ABOUT)
            .answers::<wire::OwnDevices>(200),
        get("users/v1/mfa/remembered-devices", "The browsers that an account is known by")
            .by(Who::Either)
            .headers(ABOUT)
            .answers::<wire::RememberedDevices>(200),
        Operation::new("delete", "users/v1/mfa/remembered-devices", "Forget every browser")
            .by(Who::Either)
            .headers(ABOUT)
            .empty(200),
        Operation::new("delete", "users/v1/mfa/remembered-devices/{id}", "Forget one browser")
            .by(Who::Either)
            .headers(ABOUT)
            .empty(200),
    ];
    all.push(
        get("users/v1/mfa/recovery-codes", "How many recovery codes are left")
            .by(Who::Either)
            .headers(ABOUT)
            .answers::<wire::RecoveryLeft>(200),
    );
    all.push(
        post("users/v1/mfa/recovery-codes/regenerate", "Replace the recovery codes")
            .by(Who::User)
            .takes::<wire::AccountCode>(&[])
            .answers::<wire::Added>(200),
    );
    for kind in ["", "authenticator/"] {
        all.push(
            ask(&format!("users/v1/mfa/{kind}enroll"), "Begin to enrol an authenticator app")
                .answers::<wire::PreEnrol>(200),
        );
        all.push(
            ask(
                &format!("users/v1/mfa/{kind}enroll/verify"),
                "Enrol an authenticator app by its first code",
            )
            .takes::<wire::AccountCode>(&["token"])
            .answers::<wire::Added>(200),
        );
    }
    all.push(
        ask("users/v1/mfa/authenticator/{deviceId}/disable/verify", "Remove one authenticator app")
            .takes::<wire::AccountCode>(&[])
            .empty(200),
    );
    all.extend([
        ask("users/v1/mfa/webauthn/enroll", "Begin to enrol a passkey")
            .answers::<wire::PasskeyOptions>(200),
        ask("users/v1/mfa/webauthn/enroll/verify", "Enrol the passkey that was made")
            .takes::<wire::PasskeyAddition>(&["webauthnToken", "deviceType", "options"])
            .answers::<wire::Added>(200),
        ask("users/v1/mfa/webauthn/{deviceId}/disable", "Ask a passkey before it is removed")
            .answers::<wire::PasskeyOptions>(200),
        ask("users/v1/mfa/webauthn/{deviceId}/disable/verify", "Remove one passkey")
            .takes::<wire::PasskeyRemoval>(&[])
            .empty(200),
    ]);
    all.push(
        ask("users/v1/mfa/disable", "Remove every factor")
            .takes::<wire::AccountCode>(&[])
            .empty(200),
    );
    all.push(
        post("vendor-only/users/v1/{userId}/mfa/unenroll", "Reset a user's factors")
            .by(Who::Vendor)
            .empty(200),
    );
    all
}

/// Sessions and the keys of their tokens.
fn sessions() -> Vec<Operation> {
    vec![
        post("auth/v1/user/token/refresh", "Trade a refresh token for new tokens")
            .takes::<wire::Refresh>(&[])
            .answers::<wire::AuthResponse>(201),
        post("auth/v1/logout", "End the session").takes::<wire::Refresh>(&[]).empty(200),
        Operation::new("delete", "users/sessions/v1/me/all", "Sign out everywhere")
            .by(Who::Either)
            .headers(ABOUT)
            .empty(200),
        post("auth/v1/user/step-up/generate", "Ask for a second factor again")
            .by(Who::User)
            .takes::<wire::StepUp>(&[])
            .answers::<wire::AuthResponse>(200),
        get("users/v2/me", "Who is this?").by(Who::User).answers::<wire::Me>(200),
        get("users/v3/me/tenants", "In which tenants?").by(Who::User).answers::<wire::Tenants>(200),
        get("/.well-known/jwks.json", "The keys of access tokens (RFC 7517)").empty(200),
    ]
}

/// What tenants and applications ask of their users.
fn configuration() -> Vec<Operation> {
    let policy = |method: &'static str, summary| {
        let policy = Operation::new(method, "configurations/v1/mfa-policy", summary);
        policy.by(Who::Vendor).headers(SCOPE).takes::<wire::MfaPolicyRequest>(&[])
    };
    let lockout = |method: &'static str, summary| {
        let lockout = Operation::new(method, "configurations/v1/lockout-policy", summary);
        lockout.by(Who::Vendor).headers(SCOPE).takes::<wire::LockoutRequest>(&[])
    };
    let read = |path, summary| get(path, summary).by(Who::Either).headers(SCOPE);
    vec![
        read("configurations/v1/mfa-policy", "The MFA policy of a scope")
            .answers::<wire::MfaPolicy>(200),
        policy("post", "Make the MFA policy of a scope").answers::<wire::MfaPolicy>(201),
        policy("patch", "Change the MFA policy of a scope").answers::<wire::MfaPolicy>(200),
        policy("put", "Make or change the MFA policy of a scope").answers::<wire::MfaPolicy>(200),
        read("configurations/v1/mfa-policy/vendor", "The MFA policy of the environment")
            .answers::<wire::MfaPolicy>(200),
        read("configurations/v1/mfa/strategies", "Which factors are taken?")
            .answers::<wire::Strategies>(200),
        post("configurations/v1/mfa/strategies", "Take a factor, or not")
            .by(Who::Vendor)
            .headers(SCOPE)
            .takes::<wire::StrategyRequest>(&["strategy", "isActive"])
            .empty(201),
        read("configurations/v1/mfa", "What people see of the factors")
            .answers::<wire::MfaConfig>(200),
        post("configurations/v1/mfa", "Change what people see of the factors")
            .by(Who::Vendor)
            .headers(SCOPE)
            .takes::<wire::MfaConfigRequest>(&[])
            .answers::<wire::MfaConfig>(201),
        read("configurations/v1/lockout-policy", "After how many failures?")
            .answers::<wire::LockoutPolicy>(200),
        lockout("post", "Make the lockout policy").answers::<wire::LockoutPolicy>(201),
        lockout("patch", "Change the lockout policy").answers::<wire::LockoutPolicy>(200),
        get("configurations/v1", "What a service's SDK reads at its start")
            .by(Who::Vendor)
            .answers::<wire::ServiceConfig>(200),
    ]
}

/// Services and their users.
fn service() -> Vec<Operation> {
    vec![
        post("/auth/vendor", "Trade a client's secret for a vendor token")
            .takes::<wire::VendorLogin>(&["clientId", "secret"])
            .answers::<wire::VendorToken>(200),
        post("vendor-only/mfa/v1/logins", "Open a login whose first factor the service checked")
            .by(Who::Vendor)
            .headers(APPLICATION)
            .takes::<wire::ServiceLogin>(&["tenantId", "userId", "email", "firstFactor"])
            .answers::<wire::AuthResponse>(200),
        post("vendor-only/mfa/v1/lifecycle", "Report what happened to a user")
            .by(Who::Vendor)
            .takes::<wire::Lifecycle>(&["userId", "event"])
            .empty(200),
    ]
}
