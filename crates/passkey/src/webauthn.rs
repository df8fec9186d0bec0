//! The port, on webauthn-rs: registration (WebAuthn Level 3, section 7.1) and authentication
//! (section 7.2).
//!
//! It asks for no attestation: which make an authenticator is of decides nothing here. User
//! verification is preferred, and demanded of whoever gave it at the registration: a passkey is a
//! second factor here, beside one that the user knew. Beyond what webauthn-rs checks, it refuses a
//! page in a frame of another origin at a login too, and a user handle that is another user's.

use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use countersign_ceremony::env::{
    AssertionResponse, AttestationResponse, Registrant, RelyingParty, Started, Unavailable,
    Unproven, UserHandle,
};
use countersign_device::{Backup, Credential, CredentialId};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use webauthn_rs_core::WebauthnCore;
use webauthn_rs_core::error::WebauthnError;
use webauthn_rs_core::proto::{
    AllowCredentials, AttestationFormat, AttestationMetadata, AuthenticationState,
    AuthenticatorAssertionResponseRaw, AuthenticatorAttestationResponseRaw, COSEAlgorithm,
    CreationChallengeResponse, Credential as Known, ParsedAttestation, ParsedAttestationData,
    PublicKeyCredential, PublicKeyCredentialDescriptor, RegisterPublicKeyCredential,
    RegisteredExtensions, RegistrationState, RequestChallengeResponse, ResidentKeyRequirement,
    UserVerificationPolicy,
};

use crate::key::Kept;
use crate::site::Site;

/// How long a browser waits for the authenticator (section 5.4, and its recommended range).
const TIMEOUT: Duration = Duration::from_secs(5 * 60);
/// Longer answers are no authenticator's: attestations with their certificates stay far below it.
const LONGEST: usize = 32 * 1024;
const VERIFICATION: UserVerificationPolicy = UserVerificationPolicy::Preferred;
const TYPE: &str = "public-key";

/// One relying party.
#[derive(Clone, Debug)]
pub struct WebAuthn {
    core: WebauthnCore,
}

/// What is kept until the answer comes: the challenge, and of which ceremony, so that a
/// registration's never passes for a login's. All else that the library keeps is this relying
/// party's for every challenge alike.
#[derive(Serialize, Deserialize)]
enum State {
    Registration([u8; 32]),
    Authentication([u8; 32]),
}

impl WebAuthn {
    /// The relying party of a site.
    #[must_use]
    pub fn new(site: Site) -> Self {
        let Site { id, name, origins } = site;
        // Its wrapper `webauthn-rs` carries every credential of a user in the state of a challenge,
        // which then fits no token; and it has no say in where the authenticator is.
        let core = WebauthnCore::new_unsafe_experts_only(
            &name,
            &id,
            origins,
            TIMEOUT,
            Some(false),
            Some(false),
        );
        Self { core }
    }

    fn registration(
        &self,
        handle: &UserHandle,
        name: &str,
    ) -> Result<(CreationChallengeResponse, RegistrationState), WebauthnError> {
        let builder = self.core.new_challenge_register_builder(handle, name, name)?;
        let builder = builder
            .user_verification_policy(VERIFICATION)
            .credential_algorithms(COSEAlgorithm::secure_algs());
        self.core.generate_challenge_register(builder)
    }

    fn authentication(
        &self,
    ) -> Result<(RequestChallengeResponse, AuthenticationState), WebauthnError> {
        let none = Vec::new();
        let builder = self.core.new_challenge_authenticate_builder(none, Some(VERIFICATION))?;
        self.core.generate_challenge_authenticate(builder)
    }
}

impl RelyingParty for WebAuthn {
    fn start_registration(&self, registrant: &Registrant<'_>) -> Result<Started, Unavailable> {
        let Registrant { handle, name, known } = registrant;
        let (mut options, _) = self.registration(handle, name).map_err(unavailable)?;
        // Told to the browser alone: whoever stores the credential checks it.
        let known = known.iter().map(|id| PublicKeyCredentialDescriptor {
            type_: TYPE.to_owned(),
            id: id.as_bytes().to_vec(),
            transports: None,
        });
        options.public_key.exclude_credentials = Some(known.collect());
        if let Some(selection) = &mut options.public_key.authenticator_selection {
            // Whether the authenticator can list it is nothing to us: we name it at each login.
            selection.resident_key = Some(ResidentKeyRequirement::Preferred);
        }
        let challenge = challenge(&options.public_key.challenge)?;
        started(&options.public_key, &State::Registration(challenge))
    }

    fn finish_registration(
        &self,
        state: &[u8],
        answer: &AttestationResponse,
    ) -> Result<Credential, Unproven> {
        let Ok(State::Registration(challenge)) = postcard::from_bytes(state) else {
            return Err(refused("the challenge is none of a registration"));
        };
        let (_, state) = self.registration(&[0; 32], "-").map_err(refused)?;
        let state: RegistrationState = with_challenge(&state, &challenge)?;
        let AttestationResponse { id, attachment, client_data, attestation } = answer;
        bounded(&[id, client_data, attestation])?;
        let answer = RegisterPublicKeyCredential {
            id: Base64UrlUnpadded::encode_string(id),
            raw_id: id.clone(),
            response: AuthenticatorAttestationResponseRaw {
                attestation_object: attestation.clone(),
                client_data_json: client_data.clone(),
                transports: None,
            },
            type_: TYPE.to_owned(),
            extensions: Default::default(),
        };
        let made = self.core.register_credential(&answer, &state, None).map_err(refused)?;
        if made.cred_id != *id {
            return Err(refused("the credential is another than its answer names"));
        }
        let backup = Backup::from_flags(made.backup_eligible, made.backup_state);
        Ok(Credential {
            id: CredentialId::from_bytes(&made.cred_id).map_err(refused)?,
            attachment: *attachment,
            sign_count: made.counter,
            backup: backup.map_err(refused)?,
            state: Kept::new(made.cred, made.user_verified)?.to_state()?,
        })
    }

    fn start_authentication(&self, credentials: &[&Credential]) -> Result<Started, Unavailable> {
        let (mut options, _) = self.authentication().map_err(unavailable)?;
        let allowed = credentials.iter().map(|credential| AllowCredentials {
            type_: TYPE.to_owned(),
            id: credential.id.as_bytes().to_vec(),
            transports: None,
        });
        options.public_key.allow_credentials = allowed.collect();
        let challenge = challenge(&options.public_key.challenge)?;
        started(&options.public_key, &State::Authentication(challenge))
    }

    fn finish_authentication(
        &self,
        state: &[u8],
        known: &Credential,
        handle: &UserHandle,
        answer: &AssertionResponse,
    ) -> Result<Credential, Unproven> {
        let Ok(State::Authentication(challenge)) = postcard::from_bytes(state) else {
            return Err(refused("the challenge is none of a login"));
        };
        let (_, state) = self.authentication().map_err(refused)?;
        let state: AuthenticationState = with_challenge(&state, &challenge)?;
        let AssertionResponse { id, client_data, authenticator_data, signature, user_handle } =
            answer;
        bounded(&[id, client_data, authenticator_data, signature])?;
        if user_handle.as_ref().is_some_and(|told| !told.is_empty() && **told != *handle) {
            return Err(refused("the passkey is another user's"));
        }
        if is_framed(client_data) {
            return Err(refused("the page is in a frame of another origin"));
        }
        let answer = PublicKeyCredential {
            id: Base64UrlUnpadded::encode_string(id),
            raw_id: id.clone(),
            response: AuthenticatorAssertionResponseRaw {
                authenticator_data: authenticator_data.clone(),
                client_data_json: client_data.clone(),
                signature: signature.clone(),
                user_handle: user_handle.clone(),
            },
            extensions: Default::default(),
            type_: TYPE.to_owned(),
        };
        let by = as_known(known)?;
        let proven = self.core.authenticate_single_credential(&answer, &state, &by);
        let proven = proven.map_err(refused)?;
        let backup = Backup::from_flags(proven.backup_eligible(), proven.backup_state());
        Ok(Credential {
            sign_count: proven.counter(),
            backup: backup.map_err(refused)?,
            ..known.clone()
        })
    }
}

/// A credential as the library wants it. Its counter says nothing here: decide judges it.
fn as_known(known: &Credential) -> Result<Known, Unproven> {
    let kept = Kept::of(&known.state)?;
    Ok(Known {
        cred_id: known.id.as_bytes().to_vec(),
        counter: 0,
        transports: None,
        user_verified: kept.verified,
        backup_eligible: known.backup.is_eligible(),
        backup_state: known.backup == Backup::Done,
        registration_policy: VERIFICATION,
        extensions: RegisteredExtensions::none(),
        attestation: ParsedAttestation {
            data: ParsedAttestationData::None,
            metadata: AttestationMetadata::None,
        },
        attestation_format: AttestationFormat::None,
        cred: kept.into_key()?,
    })
}

fn challenge(drawn: &[u8]) -> Result<[u8; 32], Unavailable> {
    drawn.try_into().map_err(unavailable)
}

/// A state of the library's with this challenge: it has no other way in than its encoding.
fn with_challenge<T: Serialize + DeserializeOwned>(
    state: &T,
    challenge: &[u8; 32],
) -> Result<T, Unproven> {
    let mut state = serde_json::to_value(state).map_err(refused)?;
    let field = state.get_mut("challenge").ok_or_else(|| refused("no challenge in the state"))?;
    *field = Base64UrlUnpadded::encode_string(challenge).into();
    serde_json::from_value(state).map_err(refused)
}

/// The library asks this at a registration alone.
fn is_framed(client_data: &[u8]) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct ClientData {
        #[serde(default)]
        cross_origin: bool,
    }
    // What cannot be read is refused by the library, for that reason.
    serde_json::from_slice(client_data).is_ok_and(|data: ClientData| data.cross_origin)
}

fn bounded(parts: &[&Vec<u8>]) -> Result<(), Unproven> {
    if parts.iter().any(|part| part.is_empty() || part.len() > LONGEST) {
        return Err(refused("a part of the answer is empty or too long"));
    }
    Ok(())
}

fn started(options: &impl Serialize, state: &State) -> Result<Started, Unavailable> {
    Ok(Started {
        options: serde_json::to_string(options).map_err(unavailable)?,
        state: postcard::to_allocvec(state).map_err(unavailable)?,
    })
}

/// The client is told that it failed; the operator is told why.
fn refused(why: impl std::fmt::Display) -> Unproven {
    tracing::info!(%why, "a passkey's answer was refused");
    Unproven
}

fn unavailable(why: impl std::fmt::Display) -> Unavailable {
    tracing::warn!(%why, "no passkey can be asked for");
    Unavailable
}
