//! The WebAuthn port (WebAuthn Level 3): challenges for authenticators, and the judgement of what
//! they sign.
//!
//! An adapter brings its own randomness and clock, and both stay in it: decide sees a credential as
//! it was reported, never a signature. What comes back is a [`Credential`] or [`Unproven`], and an
//! answer that cannot be judged for whatever reason is the latter (B-11). Options and state are the
//! adapter's own: bytes that the engine passes on and does not read.

use std::fmt::{self, Debug};

use countersign_device::{Attachment, Credential, CredentialId};

/// Speaks WebAuthn for one relying party.
pub trait RelyingParty: Send + Sync + Debug {
    /// Begins the registration of a credential (section 7.1).
    ///
    /// # Errors
    /// [`Unavailable`].
    fn start_registration(&self, registrant: &Registrant<'_>) -> Result<Started, Unavailable>;

    /// Ends it: the credential that was made for this challenge, this relying party and one of its
    /// origins.
    ///
    /// # Errors
    /// [`Unproven`].
    fn finish_registration(
        &self,
        state: &[u8],
        answer: &AttestationResponse,
    ) -> Result<Credential, Unproven>;

    /// Asks for a signature by one of these credentials (section 7.2).
    ///
    /// # Errors
    /// [`Unavailable`].
    fn start_authentication(&self, credentials: &[&Credential]) -> Result<Started, Unavailable>;

    /// Ends it: the known credential as its authenticator reports it now, where its key has signed
    /// this challenge for this relying party and one of its origins. Whether its counter rose is
    /// the caller's to judge: it knows the counter at the time of the decision.
    ///
    /// # Errors
    /// [`Unproven`].
    fn finish_authentication(
        &self,
        state: &[u8],
        known: &Credential,
        handle: &UserHandle,
        answer: &AssertionResponse,
    ) -> Result<Credential, Unproven>;
}

/// What an authenticator knows a user by (section 5.4.3): it says nothing of who that is.
pub type UserHandle = [u8; 32];

/// Whom a credential is made for.
#[derive(Clone, Debug)]
pub struct Registrant<'a> {
    /// What the authenticator knows the user by.
    pub handle: UserHandle,
    /// What the user reads there: an address, or an id.
    pub name: &'a str,
    /// What the user has already. Authenticators make no second one beside these; whoever stores
    /// the result checks it all the same.
    pub known: &'a [CredentialId],
}

/// What was begun.
#[derive(Clone)]
pub struct Started {
    /// For the browser: the options as JSON, byte strings in base64url (sections 5.1.8 and 5.1.9).
    pub options: String,
    /// For the adapter, when the answer comes: under 100 bytes, to be kept where nobody changes it
    /// and used once.
    pub state: Vec<u8>,
}

/// What a browser brings back from `navigator.credentials.create()`.
#[derive(Clone)]
pub struct AttestationResponse {
    /// The id of the credential.
    pub id: Vec<u8>,
    /// Where its authenticator is, as the client says: a hint for people, and no evidence.
    pub attachment: Attachment,
    /// `clientDataJSON`.
    pub client_data: Vec<u8>,
    /// `attestationObject`.
    pub attestation: Vec<u8>,
}

/// What a browser brings back from `navigator.credentials.get()`.
#[derive(Clone)]
pub struct AssertionResponse {
    /// The id of the credential.
    pub id: Vec<u8>,
    /// `clientDataJSON`.
    pub client_data: Vec<u8>,
    /// `authenticatorData`.
    pub authenticator_data: Vec<u8>,
    /// `signature`.
    pub signature: Vec<u8>,
    /// `userHandle`, where the authenticator knows it.
    pub user_handle: Option<Vec<u8>>,
}

/// No: malformed, forged, for another challenge, relying party, origin, user or credential. Which
/// of these is in the adapter's log; nobody else is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unproven;

/// Nothing can be begun here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unavailable;

/// Takes no passkeys: a node without a domain name, or whose owner wants none.
#[derive(Clone, Copy, Debug)]
pub struct NoPasskeys;

impl RelyingParty for NoPasskeys {
    fn start_registration(&self, _: &Registrant<'_>) -> Result<Started, Unavailable> {
        Err(Unavailable)
    }

    fn finish_registration(
        &self,
        _: &[u8],
        _: &AttestationResponse,
    ) -> Result<Credential, Unproven> {
        Err(Unproven)
    }

    fn start_authentication(&self, _: &[&Credential]) -> Result<Started, Unavailable> {
        Err(Unavailable)
    }

    fn finish_authentication(
        &self,
        _: &[u8],
        _: &Credential,
        _: &UserHandle,
        _: &AssertionResponse,
    ) -> Result<Credential, Unproven> {
        Err(Unproven)
    }
}

impl fmt::Display for Unproven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("what the authenticator answered proves nothing")
    }
}

impl std::error::Error for Unproven {}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("passkeys are not available here")
    }
}

impl std::error::Error for Unavailable {}

impl Debug for Started {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Started(..)")
    }
}

impl Debug for AttestationResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AttestationResponse(..)")
    }
}

impl Debug for AssertionResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AssertionResponse(..)")
    }
}
