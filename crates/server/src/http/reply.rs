//! From what the engine says to what the client reads: status, body, cookies.

use std::time::{Duration, UNIX_EPOCH};

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Response};
use countersign_ceremony::decide::{Challenged, Enrolment, RecoveryCodes, Refusal};
use countersign_ceremony::engine::{ChallengedReply, Error, GrantedReply, Reply, Tokens};
use countersign_ceremony::port::Store;
use countersign_otp::UnixTime;
use countersign_provision::{Uri, qr};
use countersign_remember::Cookie;
use countersign_token::AccessClaims;

use super::caller::Caller;
use super::cookie::Which;
use super::error::ApiError;
use crate::node::Node;
use crate::wire::{
    self, Added, AuthResponse, Device, Email, MfaDevices, OtcToken, Passkey, PasskeyOptions, Phone,
    PreEnrol,
};

/// 400 days: the longest that browsers keep a cookie (RFC 6265bis, section 5.5).
const LONGEST_COOKIE: u64 = 34_560_000;
/// The last second that an HTTP date can say: in the year 9999.
const LAST_HTTP_DATE: u64 = 253_402_300_799;

/// The answer to whatever a login or a verification came to.
pub(super) fn answer<S: Store>(
    node: &Node<S>,
    caller: &Caller,
    status: StatusCode,
    reply: Result<Reply, Error>,
) -> Result<Response, ApiError> {
    match reply? {
        Reply::Granted(granted) => granted_answer(node, caller, status, *granted),
        Reply::Challenged(challenged) => challenged_answer(node, caller, status, *challenged),
        Reply::Enrolment(enrolment) => {
            let (qr_code, secret) = drawn(&enrolment)?;
            Ok((status, Json(PreEnrol { qr_code, secret })).into_response())
        }
        Reply::Sent { token, .. } => {
            Ok((status, Json(OtcToken { otc_token: token.into_string() })).into_response())
        }
        Reply::Passkey(begun) => {
            let options = serde_json::from_str(&begun.options).map_err(|error| {
                tracing::error!(%error, "the options of a passkey are no JSON");
                ApiError::internal()
            })?;
            let webauthn_token = begun.token.into_string();
            Ok((status, Json(PasskeyOptions { webauthn_token, options })).into_response())
        }
        Reply::Recovered { cookie } => {
            let mut response = (status, Json(serde_json::json!({}))).into_response();
            set(node, caller, &mut response, Which::Device, &cookie.to_string(), LONGEST_COOKIE);
            Ok(response)
        }
        Reply::Added { recovery } => {
            let (recovery_code, recovery_codes) = shown(recovery);
            Ok((status, Json(Added { recovery_code, recovery_codes })).into_response())
        }
        Reply::Done => Ok((status, Json(serde_json::json!({}))).into_response()),
        Reply::Refused(refusal) => Err(refusal.into()),
    }
}

fn granted_answer<S: Store>(
    node: &Node<S>,
    caller: &Caller,
    status: StatusCode,
    granted: GrantedReply,
) -> Result<Response, ApiError> {
    let GrantedReply { assertion, cookie, recovery } = granted;
    let tokens = node.engine.mint(&assertion)?;
    let mut answer = with_tokens(&tokens);
    (answer.recovery_code, answer.recovery_codes) = shown(recovery);
    let mut response = (status, Json(answer)).into_response();
    session_cookies(node, caller, &mut response, &tokens, cookie);
    Ok(response)
}

/// One code, as the contract has it; all of them beside it where there are several.
fn shown(recovery: Option<RecoveryCodes>) -> (Option<String>, Option<Vec<String>>) {
    let all = |codes: &RecoveryCodes| codes.reveal_all().map(|code| String::clone(&code)).collect();
    let several = recovery.as_ref().filter(|codes| codes.reveal_all().len() > 1).map(all);
    (recovery.map(|codes| String::clone(&codes.reveal())), several)
}

/// The answer of a refresh: new tokens, and no word of the second factor.
pub(super) fn refreshed<S: Store>(node: &Node<S>, caller: &Caller, tokens: &Tokens) -> Response {
    let mut response = (StatusCode::CREATED, Json(with_tokens(tokens))).into_response();
    session_cookies(node, caller, &mut response, tokens, None);
    response
}

/// The refresh cookie lives as long as the session, the browser's identity as long as a browser keeps a cookie: its end
/// is in the record.
fn session_cookies<S: Store>(
    node: &Node<S>,
    caller: &Caller,
    response: &mut Response,
    tokens: &Tokens,
    device: Option<Cookie>,
) {
    let lives = tokens.session_ends.since(node.engine.env().clock.now());
    set(node, caller, response, Which::Refresh, &tokens.refresh, lives);
    // Set where it changes and nowhere else: what a request presented may be older than what another
    // answer has given this browser since.
    if let Some(device) = device {
        set(node, caller, response, Which::Device, &device.to_string(), LONGEST_COOKIE);
    }
}

fn with_tokens(tokens: &Tokens) -> AuthResponse {
    let now = tokens.expires.saturating_sub(tokens.expires_in);
    AuthResponse {
        refresh_token: Some(tokens.refresh.clone()),
        ..of_session(&tokens.access, &tokens.claims, now)
    }
}

/// A session as its access token tells of it, without the means to refresh it.
pub(super) fn of_session(access: &str, claims: &AccessClaims, now: UnixTime) -> AuthResponse {
    // A clock beyond that year is wrong, and no reason to have no answer.
    let expires = Duration::from_secs(claims.exp.secs().min(LAST_HTTP_DATE));
    let expires = UNIX_EPOCH.checked_add(expires).unwrap_or(UNIX_EPOCH);
    AuthResponse {
        token_type: Some("bearer"),
        mfa_required: false,
        access_token: Some(access.to_owned()),
        expires_in: Some(claims.exp.since(now)),
        expires: Some(httpdate::fmt_http_date(expires)),
        user_id: Some(claims.sub.clone()),
        user_email: claims.email.clone(),
        ..AuthResponse::default()
    }
}

fn challenged_answer<S: Store>(
    node: &Node<S>,
    caller: &Caller,
    status: StatusCode,
    reply: ChallengedReply,
) -> Result<Response, ApiError> {
    let ChallengedReply { token, challenged, cookie } = reply;
    let Challenged {
        enrolled,
        authenticators,
        emails,
        passkeys,
        phones,
        strategies,
        enrolment,
        ..
    } = challenged;
    let drawn = enrolment.as_ref().map(drawn).transpose()?;
    let (qr_code, secret) = drawn.unzip();
    let answer = AuthResponse {
        mfa_required: true,
        mfa_token: Some(token.into_string()),
        mfa_enrolled: Some(enrolled),
        mfa_devices: Some(MfaDevices {
            authenticators: authenticators
                .into_iter()
                .map(|id| Device { id: id.to_string() })
                .collect(),
            phones: phones
                .into_iter()
                .map(|(id, phone_number)| Phone { id: id.to_string(), phone_number })
                .collect(),
            emails: emails.into_iter().map(|email| Email { email }).collect(),
            webauthn: passkeys
                .into_iter()
                .map(|(id, at, label)| Passkey::new(id.to_string(), at, label.as_str()))
                .collect(),
        }),
        mfa_strategies: Some(strategies.into_iter().map(wire::strategy).collect()),
        qr_code,
        secret,
        ..AuthResponse::default()
    };
    let mut response = (status, Json(answer)).into_response();
    if let Some(cookie) = cookie {
        let max_age = if cookie.entries().is_empty() { 0 } else { LONGEST_COOKIE };
        set(node, caller, &mut response, Which::Device, &cookie.to_string(), max_age);
    }
    Ok(response)
}

/// The QR code as a data URI, and the same secret to be typed by hand.
fn drawn(enrolment: &Enrolment) -> Result<(String, String), ApiError> {
    let Enrolment { secret, totp, issuer, account } = enrolment;
    let typed = secret.to_base32().as_str().to_owned();
    let uri = Uri::totp(issuer, account, secret.clone(), *totp).map_err(|error| {
        tracing::error!(%error, "an enrolment has names that no QR code can say");
        ApiError::internal()
    })?;
    let picture = qr::data_uri(&uri.expose()).map_err(|error| {
        tracing::error!(%error, "a QR code could not be drawn");
        ApiError::internal()
    })?;
    Ok((picture, typed))
}

/// Sets a cookie; one that a header cannot hold is not set.
pub(super) fn set<S: Store>(
    node: &Node<S>,
    caller: &Caller,
    response: &mut Response,
    which: Which,
    value: &str,
    max_age: u64,
) {
    if let Some(line) = node.cookies.set(which, value, max_age, caller.client.tls) {
        response.headers_mut().append(SET_COOKIE, line);
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Code => Self::code(),
            Refusal::LoginOver => Self::login_over(),
            Refusal::Unbound => Self::unbound(),
            Refusal::TooMany(wait) => Self::too_many(wait),
            Refusal::NoSuchFactor => Self::no_such_factor(),
            Refusal::AlreadyEnrolled => Self::already_enrolled(),
            Refusal::Disabled => Self::locked(),
            Refusal::SessionOver => Self::unauthorized(),
            Refusal::StepUp => Self::step_up(),
            Refusal::Forced => Self::forced(),
            Refusal::NotEnrolled => Self::not_enrolled(),
            Refusal::UnknownUser => Self::unknown("User"),
            Refusal::LinkOver => Self::link_over(),
        }
    }
}

/// No decision was reached: the client may try again, and nobody is let in.
impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        if matches!(error, Error::Token | Error::Assertion) {
            tracing::error!(%error, "no token could be made");
            return Self::internal();
        }
        if error == Error::Undelivered {
            return Self::undelivered();
        }
        tracing::warn!(%error, "no decision was reached");
        Self::unavailable()
    }
}
