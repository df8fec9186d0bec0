//! An audit event as one line of JSON. It holds what [`Audit`] holds: no secret, no code, no token, no address.

use countersign_ceremony::audit::{Audit, By, ClientChange, Verdict, What};
use countersign_ceremony::lifecycle::LifecycleKind;
use countersign_ceremony::policy::change::Part;
use countersign_ceremony::record::{Class, CodePurpose};
use countersign_device::{ApplicationId, FactorKind};
use serde_json::{Map, Value, json};

/// The line of an event. `kind` says what happened; what else is there depends on it.
#[must_use]
pub fn event(audit: &Audit) -> Value {
    let id = audit.id.0.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    let (kind, details) = what(&audit.what);
    let mut line = Map::new();
    line.insert("id".into(), json!(id));
    line.insert("at".into(), json!(audit.at.secs()));
    line.insert("kind".into(), json!(kind));
    if let Some(user) = &audit.user {
        line.insert("user".into(), json!(user.user().as_str()));
        line.insert("realm".into(), json!(user.realm().as_str()));
    }
    if let Some(tenant) = &audit.tenant {
        line.insert("tenant".into(), json!(tenant.as_str()));
    }
    if let Some(login) = &audit.login {
        line.insert("login".into(), json!(login.to_string()));
    }
    match &audit.by {
        By::Anybody => {}
        By::Session(session) => {
            line.insert("by_session".into(), json!(session.to_string()));
        }
        By::Administrator(client) => {
            line.insert("by_client".into(), json!(client.as_str()));
        }
    }
    if let Value::Object(details) = details {
        line.extend(details);
    }
    line.insert("node".into(), json!(audit.node));
    Value::Object(line)
}

/// The body of one request to a webhook.
#[must_use]
pub fn events(events: &[Audit]) -> Value {
    json!({"events": events.iter().map(event).collect::<Vec<_>>()})
}

fn what(what: &What) -> (&'static str, Value) {
    match what {
        What::Judged { factor: of, device, verdict, class, units } => (
            "judged",
            json!({
                "factor": factor(*of),
                "device": device.as_ref().map(ToString::to_string),
                "won": *verdict == Verdict::Won,
                "verdict": told(*verdict),
                "by": class_of(*class),
                "units": units,
            }),
        ),
        What::Granted { session, second, remembered, replaces } => (
            "granted",
            json!({
                "session": session.to_string(),
                "factor": second.map(factor),
                "remembered": remembered,
                "replaces": replaces.as_ref().map(ToString::to_string),
            }),
        ),
        What::LoginsKilled { class } => ("logins_killed", json!({"by": class_of(*class)})),
        What::EnrolmentStarted { factor: of, device } => {
            ("enrolment_started", json!({"factor": factor(*of), "device": device.to_string()}))
        }
        What::FactorAdded { factor: of, device } => (
            "factor_added",
            json!({"factor": factor(*of), "device": device.as_ref().map(ToString::to_string)}),
        ),
        What::FactorRemoved { factor: of, device } => {
            ("factor_removed", json!({"factor": factor(*of), "device": device.to_string()}))
        }
        What::FactorsRemoved => ("factors_removed", Value::Null),
        What::RecoveryIssued => ("recovery_issued", Value::Null),
        What::CodeSent { factor: of, purpose, device } => (
            "code_sent",
            json!({
                "factor": factor(*of),
                "purpose": code_purpose(*purpose),
                "device": device.as_ref().map(ToString::to_string),
            }),
        ),
        What::MailboxProven => ("mailbox_proven", Value::Null),
        What::BrowsersForgotten { count } => ("browsers_forgotten", json!({"count": count})),
        What::BrowserRemembered => ("browser_remembered", Value::Null),
        What::BrowserStolen => ("browser_stolen", Value::Null),
        What::BrowserAnswerLost => ("browser_answer_lost", Value::Null),
        What::Lifecycle(kind) => ("lifecycle", json!({"event": lifecycle(*kind)})),
        What::SessionReplayed { session } => {
            ("session_replayed", json!({"session": session.to_string()}))
        }
        What::PolicyChanged { by, application, part } => (
            "policy_changed",
            json!({
                "client": by.as_str(),
                "application": application.as_ref().map(ApplicationId::as_str),
                "part": part_of(*part),
            }),
        ),
        What::Client { client, change } => {
            (client_change(*change), json!({"client": client.as_str()}))
        }
        What::RefillOffered => ("refill_offered", Value::Null),
        What::LedgerRefilled => ("ledger_refilled", Value::Null),
        What::ForeignTenant => ("foreign_tenant", Value::Null),
        What::ClockSkew { ahead } => ("clock_skew", json!({"ahead": ahead})),
        _ => ("other", Value::Null),
    }
}

const fn factor(kind: FactorKind) -> &'static str {
    match kind {
        FactorKind::Authenticator => "authenticator",
        FactorKind::Email => "email",
        FactorKind::Sms => "sms",
        FactorKind::PasskeyPlatform => "passkey_platform",
        FactorKind::PasskeyCrossPlatform => "passkey_cross_platform",
        FactorKind::Recovery => "recovery",
        _ => "other",
    }
}

const fn code_purpose(purpose: CodePurpose) -> &'static str {
    match purpose {
        CodePurpose::LogIn => "log_in",
        CodePurpose::Enrol => "enrol",
        CodePurpose::Disable => "disable",
    }
}

const fn told(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Won => "won",
        Verdict::Wrong => "wrong",
        Verdict::Replayed => "replayed",
        Verdict::DeadChallenge => "dead_challenge",
        Verdict::UnknownDevice => "unknown_device",
        Verdict::NoEnrolment => "no_enrolment",
        Verdict::CountWentBack => "count_went_back",
    }
}

const fn class_of(class: Class) -> &'static str {
    match class {
        Class::Known => "known_browser",
        Class::Stranger => "stranger",
    }
}

const fn part_of(part: Part) -> &'static str {
    match part {
        Part::Mfa => "mfa-policy",
        Part::Strategies => "strategies",
        Part::Factors => "mfa",
        Part::Lockout => "lockout-policy",
    }
}

const fn client_change(change: ClientChange) -> &'static str {
    match change {
        ClientChange::Refused => "client_refused",
        ClientChange::TokenRevoked => "client_token_revoked",
        ClientChange::Added => "client_added",
        ClientChange::TokenBought => "client_authenticated",
        ClientChange::Revoked => "client_revoked",
    }
}

const fn lifecycle(kind: LifecycleKind) -> &'static str {
    match kind {
        LifecycleKind::PasswordChanged => "PasswordChanged",
        LifecycleKind::Disabled => "Disabled",
        LifecycleKind::Enabled => "Enabled",
        LifecycleKind::AddressChanged => "AddressChanged",
        LifecycleKind::SignOutEverywhere => "SignOutEverywhere",
        LifecycleKind::Erased => "Erased",
    }
}
