//! An authenticator in software, and the browser before it: for tests alone.
//!
//! It answers the options of a ceremony as `navigator.credentials` does, with JSON whose byte
//! strings are in base64url, and can be told to misbehave. Its keys come from its seed: whoever
//! knows that is the owner.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// An authenticator with its credentials, at a browser that shows a page of one origin.
///
/// A clone is a copy of the authenticator, keys and counter included, as nobody should have one.
#[derive(Clone)]
pub struct Authenticator {
    seed: [u8; 32],
    /// The origin of the page that asks.
    pub origin: String,
    /// Is the page in a frame of another origin?
    pub framed: bool,
    /// The relying party that it signs for, where it is another than the one that asks.
    pub relying_party: Option<String>,
    /// How often it signed; none where it does not count, as synced passkeys do not.
    pub count: Option<u32>,
    /// Does it verify its user, by a finger or a PIN?
    pub verifies: bool,
    /// May its credentials be backed up, and are they?
    pub backup: (bool, bool),
    /// Of which user it says the credential is; none where it does not say.
    pub user_handle: Option<String>,
    made: Vec<Vec<u8>>,
}

/// Why it does not answer, as a browser would not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// The options lack this field, or it is of another form.
    Options(&'static str),
    /// It holds a credential that the options exclude, or none of those that they allow.
    Credential,
}

impl Authenticator {
    /// A fresh one, which counts and verifies its user, and whose credentials stay on it.
    #[must_use]
    pub fn new(seed: [u8; 32], origin: &str) -> Self {
        Self {
            seed,
            origin: origin.to_owned(),
            framed: false,
            relying_party: None,
            count: Some(0),
            verifies: true,
            backup: (false, false),
            user_handle: None,
            made: Vec::new(),
        }
    }

    /// One whose passkeys are synced: it does not count.
    #[must_use]
    pub fn synced(seed: [u8; 32], origin: &str) -> Self {
        Self { count: None, backup: (true, true), ..Self::new(seed, origin) }
    }

    /// Answers creation options (WebAuthn Level 3, section 6.3.2).
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub fn create(&mut self, options: &Value) -> Result<Value, NoAnswer> {
        let rp = text(&options["rp"]["id"], "rp.id")?;
        let challenge = text(&options["challenge"], "challenge")?;
        self.user_handle = Some(text(&options["user"]["id"], "user.id")?.to_owned());
        let es256 = options["pubKeyCredParams"].as_array().into_iter().flatten();
        if !es256.into_iter().any(|params| params["alg"] == -7 && params["type"] == "public-key") {
            return Err(NoAnswer::Options("pubKeyCredParams"));
        }
        if ids(&options["excludeCredentials"]).any(|id| self.made.contains(&id)) {
            return Err(NoAnswer::Credential);
        }
        let id =
            self.digest(&[b"id", &[u8::try_from(self.made.len()).unwrap_or(u8::MAX)]]).to_vec();
        self.made.push(id.clone());
        let mut data = self.data(rp, 0x40);
        data.extend([0; 16]);
        data.extend(u16::try_from(id.len()).unwrap_or(u16::MAX).to_be_bytes());
        data.extend(&id);
        data.extend(cose(&self.key(&id)?));
        // The map {"fmt": "none", "attStmt": {}, "authData": data} (RFC 8949).
        let mut attestation = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData".to_vec();
        attestation.push(0x59);
        attestation.extend(u16::try_from(data.len()).unwrap_or(u16::MAX).to_be_bytes());
        attestation.extend(data);
        let client_data = self.client_data("webauthn.create", challenge);
        Ok(credential(
            &id,
            json!({
                "clientDataJSON": encode(client_data.as_bytes()),
                "attestationObject": encode(&attestation),
            }),
        ))
    }

    /// Answers request options (section 6.3.3).
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub fn get(&mut self, options: &Value) -> Result<Value, NoAnswer> {
        let id = ids(&options["allowCredentials"]).find(|id| self.made.contains(id));
        self.sign(&id.ok_or(NoAnswer::Credential)?, options)
    }

    /// Answers request options with the credential of this id, asked for or not.
    ///
    /// # Errors
    /// [`NoAnswer::Options`].
    pub fn sign(&mut self, id: &[u8], options: &Value) -> Result<Value, NoAnswer> {
        let rp = text(&options["rpId"], "rpId")?;
        let challenge = text(&options["challenge"], "challenge")?;
        let data = self.data(rp, 0);
        let client_data = self.client_data("webauthn.get", challenge);
        let mut signed = data.clone();
        signed.extend(Sha256::digest(client_data.as_bytes()));
        let signature: Signature = self.key(id)?.sign(&signed);
        let mut response = json!({
            "clientDataJSON": encode(client_data.as_bytes()),
            "authenticatorData": encode(&data),
            "signature": encode(signature.to_der().as_bytes()),
        });
        if let Some(handle) = &self.user_handle {
            response["userHandle"] = json!(handle);
        }
        Ok(credential(id, response))
    }

    /// The ids of its credentials, oldest first.
    #[must_use]
    pub fn credentials(&self) -> &[Vec<u8>] {
        &self.made
    }

    /// The authenticator data without extensions (section 6.1). It counts each.
    fn data(&mut self, rp: &str, flags: u8) -> Vec<u8> {
        self.count = self.count.map(|count| count.saturating_add(1));
        let rp = self.relying_party.as_deref().unwrap_or(rp);
        let mut data = Sha256::digest(rp.as_bytes()).to_vec();
        let (eligible, backed_up) = self.backup;
        data.push(
            flags
                | 0x01
                | u8::from(self.verifies) << 2
                | u8::from(eligible) << 3
                | u8::from(backed_up) << 4,
        );
        data.extend(self.count.unwrap_or(0).to_be_bytes());
        data
    }

    fn client_data(&self, kind: &str, challenge: &str) -> String {
        let (origin, framed) = (&self.origin, self.framed);
        json!({"type": kind, "challenge": challenge, "origin": origin, "crossOrigin": framed})
            .to_string()
    }

    fn key(&self, id: &[u8]) -> Result<SigningKey, NoAnswer> {
        // All but one of 2^32 digests are a key.
        SigningKey::from_slice(&self.digest(&[b"key", id])).map_err(|_| NoAnswer::Credential)
    }

    fn digest(&self, parts: &[&[u8]]) -> [u8; 32] {
        let digest = Sha256::new_with_prefix(self.seed);
        parts.iter().fold(digest, Digest::chain_update).finalize().into()
    }
}

/// A public key as a COSE map (RFC 9053, section 7.1): EC2, ES256, P-256, x, y.
fn cose(key: &SigningKey) -> Vec<u8> {
    let point = key.verifying_key().to_sec1_point(false);
    // The first byte says that both coordinates follow.
    let (x, y) =
        point.as_bytes().get(1..).unwrap_or_default().split_at_checked(32).unwrap_or_default();
    let mut cose = b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20".to_vec();
    cose.extend(x);
    cose.extend(b"\x22\x58\x20");
    cose.extend(y);
    cose
}

/// A credential as a browser hands it to a page, with the fields that we do not read.
fn credential(id: &[u8], response: Value) -> Value {
    let id = encode(id);
    json!({
        "id": id,
        "rawId": id,
        "type": "public-key",
        "authenticatorAttachment": "platform",
        "response": response,
        "getClientExtensionResults": {},
    })
}

fn ids(descriptors: &Value) -> impl Iterator<Item = Vec<u8>> {
    let ids = descriptors.as_array().into_iter().flatten();
    ids.filter_map(|of| Base64UrlUnpadded::decode_vec(of["id"].as_str()?).ok())
}

fn text<'a>(value: &'a Value, name: &'static str) -> Result<&'a str, NoAnswer> {
    value.as_str().ok_or(NoAnswer::Options(name))
}

fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticator")
            .field("origin", &self.origin)
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Options(field) => write!(f, "the options have no {field} that can be answered"),
            Self::Credential => f.write_str("there is no credential to answer with"),
        }
    }
}

impl std::error::Error for NoAnswer {}
