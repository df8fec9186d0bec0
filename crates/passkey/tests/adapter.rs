//! The port against an authenticator in software: what it takes, and everything that it refuses.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use base64ct::{Base64UrlUnpadded, Encoding};
use countersign_ceremony::env::{
    AssertionResponse, AttestationResponse, Registrant, RelyingParty, Started, Unproven, UserHandle,
};
use countersign_device::{Attachment, Backup, Credential};
use countersign_passkey::software::{Authenticator, NoAnswer};
use countersign_passkey::{Site, WebAuthn};
use serde_json::Value;

const ORIGIN: &str = "https://login.example.com";
const ALICE: UserHandle = [0xa1; 32];

fn site(id: &str, origin: &str) -> WebAuthn {
    WebAuthn::new(Site::new(id, "Example", &[origin.to_owned()]).unwrap())
}

fn here() -> WebAuthn {
    site("example.com", ORIGIN)
}

fn key() -> Authenticator {
    Authenticator::new([7; 32], ORIGIN)
}

/// A copy of the authenticator, which differs by this.
fn but(key: &Authenticator, change: impl FnOnce(&mut Authenticator)) -> Authenticator {
    let mut key = key.clone();
    change(&mut key);
    key
}

fn ask(rp: &WebAuthn, known: &[&Credential]) -> Started {
    let known: Vec<_> = known.iter().map(|credential| credential.id.clone()).collect();
    let registrant = Registrant { handle: ALICE, name: "alice@example.com", known: &known };
    rp.start_registration(&registrant).unwrap()
}

fn options(started: &Started) -> Value {
    serde_json::from_str(&started.options).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    Base64UrlUnpadded::decode_vec(value.as_str().unwrap()).unwrap()
}

fn made(answer: &Value) -> AttestationResponse {
    AttestationResponse {
        id: bytes(&answer["id"]),
        attachment: Attachment::CrossPlatform,
        client_data: bytes(&answer["response"]["clientDataJSON"]),
        attestation: bytes(&answer["response"]["attestationObject"]),
    }
}

fn signed(answer: &Value) -> AssertionResponse {
    let response = &answer["response"];
    AssertionResponse {
        id: bytes(&answer["id"]),
        client_data: bytes(&response["clientDataJSON"]),
        authenticator_data: bytes(&response["authenticatorData"]),
        signature: bytes(&response["signature"]),
        user_handle: response.get("userHandle").map(bytes),
    }
}

fn enrol(rp: &WebAuthn, key: &mut Authenticator) -> Result<Credential, Unproven> {
    let started = ask(rp, &[]);
    let answer = key.create(&options(&started)).unwrap();
    rp.finish_registration(&started.state, &made(&answer))
}

fn log_in(
    rp: &WebAuthn,
    known: &Credential,
    key: &mut Authenticator,
) -> Result<Credential, Unproven> {
    let started = rp.start_authentication(&[known]).unwrap();
    let answer = key.get(&options(&started)).unwrap();
    rp.finish_authentication(&started.state, known, &ALICE, &signed(&answer))
}

#[test]
fn what_is_made_is_reported_and_signs_again() {
    let (rp, mut key) = (here(), key());
    let credential = enrol(&rp, &mut key).unwrap();
    assert_eq!(credential.id.as_bytes(), key.credentials()[0]);
    assert_eq!((credential.sign_count, credential.backup), (1, Backup::Never));
    assert_eq!(credential.attachment, Attachment::CrossPlatform);
    assert!(credential.state.as_bytes().len() < 80, "{credential:?}");

    let reported = log_in(&rp, &credential, &mut key).unwrap();
    assert_eq!(reported, Credential { sign_count: 2, ..credential.clone() });
    // The counter is decide's to judge: a copy of the key that is behind has signed all the same.
    let ahead = Credential { sign_count: 90, ..credential };
    assert_eq!(log_in(&rp, &ahead, &mut key).unwrap().sign_count, 3);
}

#[test]
fn a_synced_passkey_counts_nothing_and_tells_of_its_backup() {
    let (rp, mut key) = (here(), Authenticator::synced([8; 32], ORIGIN));
    key.backup = (true, false);
    let credential = enrol(&rp, &mut key).unwrap();
    assert_eq!((credential.sign_count, credential.backup), (0, Backup::Possible));
    key.backup = (true, true);
    let reported = log_in(&rp, &credential, &mut key).unwrap();
    assert_eq!((reported.sign_count, reported.backup), (0, Backup::Done));
    // What may be backed up stays so (section 6.1.3).
    key.backup = (false, false);
    assert_eq!(log_in(&rp, &credential, &mut key), Err(Unproven));
    key.backup = (false, true);
    assert_eq!(log_in(&rp, &credential, &mut key), Err(Unproven));
}

/// The shape that clients of the contract read, and browsers: byte strings in base64url.
#[test]
fn options_have_the_shape_that_browsers_read() {
    let (rp, mut key) = (here(), key());
    let credential = enrol(&rp, &mut key).unwrap();
    let started = ask(&rp, &[&credential]);
    let creation = options(&started);
    assert_eq!(creation["rp"], serde_json::json!({"id": "example.com", "name": "Example"}));
    assert_eq!(bytes(&creation["user"]["id"]), ALICE);
    assert_eq!(creation["user"]["name"], "alice@example.com");
    assert_eq!(creation["user"]["displayName"], "alice@example.com");
    assert_eq!(bytes(&creation["challenge"]).len(), 32);
    assert_eq!(bytes(&creation["excludeCredentials"][0]["id"]), credential.id.as_bytes());
    assert_eq!(creation["authenticatorSelection"]["userVerification"], "preferred");
    assert_eq!(creation["attestation"], "none");
    assert_eq!(key.create(&creation), Err(NoAnswer::Credential));

    let asked = rp.start_authentication(&[&credential]).unwrap();
    let request = options(&asked);
    assert_eq!(request["rpId"], "example.com");
    assert_eq!(bytes(&request["challenge"]).len(), 32);
    assert_eq!(request["allowCredentials"][0]["type"], "public-key");
    assert_eq!(bytes(&request["allowCredentials"][0]["id"]), credential.id.as_bytes());
    for started in [started, asked] {
        assert!(started.state.len() < 100, "{} bytes fit no token", started.state.len());
    }
}

#[test]
fn no_two_challenges_are_one() {
    let rp = here();
    let challenges: std::collections::HashSet<String> = (0..50)
        .map(|_| options(&ask(&rp, &[]))["challenge"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(challenges.len(), 50);
}

#[test]
fn a_registration_for_elsewhere_is_refused() {
    let rp = here();
    for origin in [
        "https://evil.example",
        "https://example.com",
        "https://login.example.com.evil.example",
        "https://a.login.example.com",
        "https://login.example.com:8443",
        "http://login.example.com",
        "null",
    ] {
        let mut key = Authenticator::new([7; 32], origin);
        assert_eq!(enrol(&rp, &mut key), Err(Unproven), "{origin}");
    }
    let mut other = but(&key(), |key| key.relying_party = Some("evil.example".into()));
    assert_eq!(enrol(&rp, &mut other), Err(Unproven));
    let mut framed = but(&key(), |key| key.framed = true);
    assert_eq!(enrol(&rp, &mut framed), Err(Unproven));
}

#[test]
fn a_login_for_elsewhere_is_refused() {
    let (rp, mut key) = (here(), key());
    let credential = enrol(&rp, &mut key).unwrap();
    for origin in ["https://evil.example", "https://example.com", "http://login.example.com"] {
        let mut phished = but(&key, |key| key.origin = origin.into());
        assert_eq!(log_in(&rp, &credential, &mut phished), Err(Unproven), "{origin}");
    }
    let mut other = but(&key, |key| key.relying_party = Some("evil.example".into()));
    assert_eq!(log_in(&rp, &credential, &mut other), Err(Unproven));
    let mut framed = but(&key, |key| key.framed = true);
    assert_eq!(log_in(&rp, &credential, &mut framed), Err(Unproven));
    assert!(log_in(&rp, &credential, &mut key).is_ok());
}

/// B-11: an id that is empty, forged or another's, a key that is another's, a user that is another.
#[test]
fn another_credential_and_another_user_are_refused() {
    let (rp, mut key, mut mallory) = (here(), key(), Authenticator::new([66; 32], ORIGIN));
    let credential = enrol(&rp, &mut key).unwrap();
    let foreign = enrol(&rp, &mut mallory).unwrap();
    let started = rp.start_authentication(&[&credential]).unwrap();
    let asked = options(&started);
    let judge = |answer: &AssertionResponse| {
        rp.finish_authentication(&started.state, &credential, &ALICE, answer)
    };
    // Mallory's own credential, and mallory's key under alice's id.
    let theirs = signed(&mallory.sign(foreign.id.as_bytes(), &asked).unwrap());
    assert_eq!(judge(&theirs), Err(Unproven));
    let forged = signed(&mallory.sign(credential.id.as_bytes(), &asked).unwrap());
    assert_eq!(judge(&forged), Err(Unproven));
    let right = signed(&key.get(&asked).unwrap());
    for id in [vec![], vec![0; 32], foreign.id.as_bytes().to_vec()] {
        assert_eq!(judge(&AssertionResponse { id, ..right.clone() }), Err(Unproven));
    }
    let handle = Some(vec![0xb0; 32]);
    assert_eq!(judge(&AssertionResponse { user_handle: handle, ..right.clone() }), Err(Unproven));
    for user_handle in [None, Some(vec![])] {
        assert!(judge(&AssertionResponse { user_handle, ..right.clone() }).is_ok());
    }
}

#[test]
fn an_answer_to_another_challenge_is_refused() {
    let (rp, mut key) = (here(), key());
    let credential = enrol(&rp, &mut key).unwrap();
    let (one, two) = (
        rp.start_authentication(&[&credential]).unwrap(),
        rp.start_authentication(&[&credential]).unwrap(),
    );
    let answer = signed(&key.get(&options(&one)).unwrap());
    let judge = |state: &[u8]| rp.finish_authentication(state, &credential, &ALICE, &answer);
    assert_eq!(judge(&two.state), Err(Unproven));
    // A registration's challenge is none of a login's, and the other way.
    let registration = ask(&rp, &[]);
    assert_eq!(judge(&registration.state), Err(Unproven));
    let made = made(&key.create(&options(&registration)).unwrap());
    assert_eq!(rp.finish_registration(&one.state, &made), Err(Unproven));
    for state in [&[][..], &[0], &[0xff; 64]] {
        assert_eq!(judge(state), Err(Unproven));
        assert_eq!(rp.finish_registration(state, &made), Err(Unproven));
    }
    assert!(judge(&one.state).is_ok());
    assert!(rp.finish_registration(&registration.state, &made).is_ok());
}

/// Every bit of what was signed counts, and no damage panics.
#[test]
fn a_flipped_bit_is_refused() {
    let (rp, mut key) = (here(), key());
    let credential = enrol(&rp, &mut key).unwrap();
    let started = rp.start_authentication(&[&credential]).unwrap();
    let right = signed(&key.get(&options(&started)).unwrap());
    let judge = |answer: &AssertionResponse| {
        rp.finish_authentication(&started.state, &credential, &ALICE, answer)
    };
    for at in 0..right.authenticator_data.len() {
        let mut answer = right.clone();
        answer.authenticator_data[at] ^= 1 << (at % 8);
        assert_eq!(judge(&answer), Err(Unproven), "authenticator data {at}");
    }
    for at in (0..right.signature.len()).step_by(7) {
        let mut answer = right.clone();
        answer.signature[at] ^= 0x10;
        assert_eq!(judge(&answer), Err(Unproven), "signature {at}");
    }
    for at in (0..right.client_data.len()).step_by(9) {
        let mut answer = right.clone();
        answer.client_data[at] ^= 1;
        assert_eq!(judge(&answer), Err(Unproven), "client data {at}");
    }
    for len in [0, 1, 36] {
        let mut answer = right.clone();
        answer.authenticator_data.truncate(len);
        assert_eq!(judge(&answer), Err(Unproven), "{len} bytes");
    }
    let long = AssertionResponse { client_data: vec![b'{'; 64 * 1024], ..right.clone() };
    assert_eq!(judge(&long), Err(Unproven));
    assert!(judge(&right).is_ok());
}

#[test]
fn a_registration_that_is_damaged_or_names_another_id_is_refused() {
    let (rp, mut key) = (here(), key());
    let started = ask(&rp, &[]);
    let right = made(&key.create(&options(&started)).unwrap());
    let judge = |answer: &AttestationResponse| rp.finish_registration(&started.state, answer);
    for id in [vec![], vec![0; 32]] {
        assert_eq!(judge(&AttestationResponse { id, ..right.clone() }), Err(Unproven));
    }
    for len in (0..right.attestation.len()).step_by(5) {
        let attestation = right.attestation[..len].to_vec();
        assert_eq!(judge(&AttestationResponse { attestation, ..right.clone() }), Err(Unproven));
    }
    // Nested without end: refused, and in bounded time and stack.
    let attestation = vec![0x81; 30 * 1024];
    assert_eq!(judge(&AttestationResponse { attestation, ..right.clone() }), Err(Unproven));
    assert!(judge(&right).is_ok());
}

/// Who verified its user at the registration does so at each login.
#[test]
fn a_passkey_that_verified_its_user_goes_on_to() {
    let rp = here();
    let mut verifying = key();
    let credential = enrol(&rp, &mut verifying).unwrap();
    verifying.verifies = false;
    assert_eq!(log_in(&rp, &credential, &mut verifying), Err(Unproven));
    let mut touched = but(&key(), |key| key.verifies = false);
    let credential = enrol(&rp, &mut touched).unwrap();
    assert!(log_in(&rp, &credential, &mut touched).is_ok());
}
