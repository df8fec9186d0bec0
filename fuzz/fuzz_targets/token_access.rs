//! Any text is verified as no access token but one that we minted, until it expires.
#![no_main]

use std::sync::LazyLock;

use base64ct::{Base64UrlUnpadded, Encoding};
use countersign_otp::UnixTime;
use countersign_token::{AccessClaims, Ed25519, Keys, Sign, access};
use libfuzzer_sys::fuzz_target;

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

static SIGNER: LazyLock<Ed25519> = LazyLock::new(|| Ed25519::from_seed(&[7; 32]));

static KEYS: LazyLock<Keys> =
    LazyLock::new(|| Keys::new("issuer", "audience", [SIGNER.verifier()]).expect("one key"));

static TOKEN: LazyLock<String> = LazyLock::new(|| {
    let claims = AccessClaims {
        iss: "issuer".into(),
        aud: "audience".into(),
        sub: "alice".into(),
        sid: "s".into(),
        tenant_id: "t".into(),
        tenant_ids: vec!["t".into()],
        email: None,
        email_verified: false,
        amr: vec!["pwd".into()],
        acr: None,
        first_factor: "password".into(),
        auth_time: NOW,
        iat: NOW,
        exp: NOW.saturating_add(900),
        jti: "j".into(),
        roles: Vec::new(),
        permissions: Vec::new(),
        epoch: 0,
    };
    access::mint(&*SIGNER, &claims).expect("a token")
});

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = str::from_utf8(data) {
        assert!(KEYS.verify(text, NOW).is_err() || text == *TOKEN);
    }

    let mut changed = TOKEN.as_bytes().to_vec();
    for change in data.chunks_exact(3) {
        let place = usize::from(u16::from_be_bytes([change[0], change[1]])) % changed.len();
        changed[place] = change[2] & 0x7f;
    }
    let changed = str::from_utf8(&changed).expect("ASCII");
    assert_eq!(KEYS.verify(changed, NOW).is_ok(), changed == *TOKEN);

    // What our own key signed, under our own header, and is not an access token: no panic, whatever
    // it says.
    let (header, _) = TOKEN.split_once('.').expect("three parts");
    let message = format!("{header}.{}", Base64UrlUnpadded::encode_string(data));
    let signature = SIGNER.sign(message.as_bytes()).expect("a local key");
    let _ =
        KEYS.verify(&format!("{message}.{}", Base64UrlUnpadded::encode_string(&signature)), NOW);
});
