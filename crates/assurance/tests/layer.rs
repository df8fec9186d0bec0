//! The layer before a service, with tokens of every kind.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use countersign_assurance::{Denied, JwksError, MULTI_FACTOR, RequireAssurance, keys};
use countersign_otp::UnixTime;
use countersign_token::{AccessClaims, Ed25519, Keys, Sign, access};
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{Request, Response, StatusCode};
use tower::{Layer, Service, ServiceExt, service_fn};

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

fn claims(age: u64, amr: &[&str], acr: Option<&str>) -> AccessClaims {
    AccessClaims {
        iss: "https://id.example".into(),
        aud: "app".into(),
        sub: "alice".into(),
        sid: "s".into(),
        tenant_id: "t".into(),
        tenant_ids: vec!["t".into()],
        email: None,
        email_verified: false,
        amr: amr.iter().map(|amr| (*amr).into()).collect(),
        acr: acr.map(Into::into),
        first_factor: "password".into(),
        auth_time: NOW.saturating_sub(age),
        iat: NOW.saturating_sub(age),
        exp: NOW.saturating_add(900),
        jti: "j".into(),
        roles: Vec::new(),
        permissions: Vec::new(),
        epoch: 0,
    }
}

fn signer(seed: u8) -> Ed25519 {
    Ed25519::from_seed(&[seed; 32])
}

fn verifier() -> Keys {
    Keys::new("https://id.example", "app", [signer(1).verifier()]).unwrap()
}

fn request(token: &str) -> Request<()> {
    Request::get("/").header(AUTHORIZATION, format!("Bearer {token}")).body(()).unwrap()
}

/// Who is told to the service behind the layer, or the status and challenge of the refusal.
async fn ask(require: &RequireAssurance, request: Request<()>) -> Result<String, String> {
    let inner = service_fn(async |request: Request<()>| {
        let claims = request.extensions().get::<AccessClaims>().cloned();
        Ok::<_, std::convert::Infallible>(Response::new(claims.unwrap().sub))
    });
    let mut service = require.layer(inner);
    let answer = service.ready().await.unwrap().call(request).await.unwrap();
    if answer.status() == StatusCode::OK {
        return Ok(answer.into_body());
    }
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    Err(answer.headers()[WWW_AUTHENTICATE].to_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_stepped_up_token_passes_and_nothing_less() {
    let require = RequireAssurance::new(verifier(), || NOW).multi_factor().max_age(300);
    let two = Some(MULTI_FACTOR);
    for (amr, acr, age, passes) in [
        (&["pwd", "mfa", "otp"][..], two, 0, true),
        (&["pwd", "mfa", "sms"], two, 300, true),
        (&["pwd", "mfa", "hwk"], two, 299, true),
        (&["pwd", "mfa", "otp"], two, 301, false),
        (&["pwd"], None, 0, false),
        (&["pwd", "remembered"], None, 0, false),
        // Half of what the clients of the contract read is not enough either.
        (&["pwd", "mfa", "otp"], None, 0, false),
        (&["pwd", "mfa", "otp"], Some("1"), 0, false),
        (&["pwd", "otp"], two, 0, false),
        (&["pwd", "mfa"], two, 0, false),
    ] {
        let token = access::mint(&signer(1), &claims(age, amr, acr)).unwrap();
        let asked = ask(&require, request(&token)).await;
        assert_eq!(asked.is_ok(), passes, "{amr:?} {acr:?} {age}: {asked:?}");
        if let Err(challenge) = asked {
            assert_eq!(
                challenge,
                format!(
                    "Bearer error=\"insufficient_user_authentication\", \
                     error_description=\"a stronger or more recent authentication is needed\", \
                     acr_values=\"{MULTI_FACTOR}\", max_age=\"300\""
                )
            );
        }
    }
}

#[tokio::test]
async fn an_auth_time_from_the_future_is_not_fresh() {
    let require = RequireAssurance::new(verifier(), || NOW).max_age(300);
    for (ahead, passes) in [(30, true), (31, false), (86_400, false)] {
        let claims = AccessClaims { auth_time: NOW.saturating_add(ahead), ..claims(0, &[], None) };
        let token = access::mint(&signer(1), &claims).unwrap();
        assert_eq!(ask(&require, request(&token)).await.is_ok(), passes, "{ahead}");
    }
}

#[tokio::test]
async fn what_is_no_valid_token_of_ours_passes_nothing() {
    let require = RequireAssurance::new(verifier(), || NOW);
    let good = access::mint(&signer(1), &claims(9_999, &["pwd"], None)).unwrap();
    assert_eq!(ask(&require, request(&good)).await, Ok("alice".into()), "any, where any will do");

    let none = Request::get("/").body(()).unwrap();
    assert_eq!(ask(&require, none).await, Err("Bearer".into()));
    let twice = Request::get("/")
        .header(AUTHORIZATION, format!("Bearer {good}"))
        .header(AUTHORIZATION, format!("Bearer {good}"));
    assert_eq!(ask(&require, twice.body(()).unwrap()).await, Err("Bearer".into()));
    let basic = Request::get("/").header(AUTHORIZATION, "Basic dTpw").body(()).unwrap();
    assert_eq!(ask(&require, basic).await, Err("Bearer".into()));

    let foreign = access::mint(&signer(2), &claims(0, &["pwd"], None)).unwrap();
    let other = AccessClaims { aud: "other".into(), ..claims(0, &["pwd"], None) };
    let expired = AccessClaims { exp: NOW, ..claims(0, &["pwd"], None) };
    let other = access::mint(&signer(1), &other).unwrap();
    let expired = access::mint(&signer(1), &expired).unwrap();
    for token in ["nonsense", &foreign, &other, &expired] {
        let asked = ask(&require, request(token)).await;
        assert_eq!(asked, Err("Bearer error=\"invalid_token\"".into()), "{token}");
    }
}

#[tokio::test]
async fn published_keys_are_enough() {
    let point = base64(&signer(1));
    let jwks = format!(
        r#"{{"keys": [{{"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "r"}},
            {{"kty": "OKP", "crv": "Ed25519", "x": "{point}", "kid": "e", "use": "sig"}}]}}"#
    );
    let keys_of = |jwks: &str| keys(jwks, "https://id.example", "app");
    let require = RequireAssurance::new(keys_of(&jwks).unwrap(), || NOW);
    let token = access::mint(&signer(1), &claims(0, &["pwd"], None)).unwrap();
    assert_eq!(ask(&require, request(&token)).await, Ok("alice".into()));

    assert_eq!(keys_of("{}").unwrap_err(), JwksError::Malformed);
    assert_eq!(keys_of("nonsense").unwrap_err(), JwksError::Malformed);
    assert_eq!(keys_of(r#"{"keys": []}"#).unwrap_err(), JwksError::NoKey);
    let short = r#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}]}"#;
    assert_eq!(keys_of(short).unwrap_err(), JwksError::NoKey);
    let zero =
        format!(r#"{{"keys": [{{"kty": "OKP", "crv": "Ed25519", "x": "{}"}}]}}"#, "A".repeat(43));
    assert_eq!(keys_of(&zero).unwrap_err(), JwksError::NoKey, "a weak key is none");
    let key = format!(r#"{{"kty": "OKP", "crv": "Ed25519", "x": "{point}"}}"#);
    let twice = format!(r#"{{"keys": [{key}, {key}]}}"#);
    assert_eq!(keys_of(&twice).unwrap_err(), JwksError::SameKeyTwice);
}

#[test]
fn a_refusal_says_what_a_client_needs() {
    let insufficient = Denied::Insufficient { multi_factor: false, max_age: Some(60) };
    let challenge = insufficient.challenge();
    let challenge = challenge.to_str().unwrap();
    assert!(challenge.ends_with(", max_age=\"60\"") && !challenge.contains("acr_values"));
}

/// The point of a key, as its JWK has it.
fn base64(signer: &Ed25519) -> String {
    let jwk = signer.public_jwk();
    match jwk.key {
        access::PublicKey::Okp { x, .. } => x,
        other => panic!("another key: {other:?}"),
    }
}
