//! Passkeys, under a login or a session: the relying party begins and judges, decide decides between the two.
//!
//! What the relying party keeps of a challenge goes into a sealed token, which opens once: the
//! record has its id until the first answer. A signature is checked on the workers, and only where
//! its challenge is still open: an answer that comes again costs none.

use countersign_device::{Credential, DeviceId, Label, LoginId, UserKey};
use countersign_token::Token;
use countersign_vault::{Purpose, Vault};

use super::login::over;
use super::{Account, Client, Engine, Error, Reply};
use crate::claims::{PasskeyClaims, PasskeyKind};
use crate::decide::{
    Ask, Deed, FreshRecovery, PasskeyAsk, PasskeyBegun, PasskeyCeremony, PasskeyEvidence, Refusal,
};
use crate::env::{
    AssertionResponse, AttestationResponse, Registrant, Started, Unproven, UserHandle,
};
use crate::port::Store;
use crate::record::Class;

const HANDLE: Purpose = Purpose::new("passkey user handle");

/// A ceremony that was begun, as the client is told of it.
#[derive(Clone, Debug)]
pub struct PasskeyReply {
    /// Names it when its answer comes.
    pub token: Token<PasskeyKind>,
    /// The options for the browser, as JSON (WebAuthn Level 3, 5.1.8 and 5.1.9).
    pub options: String,
}

impl<S: Store> Engine<S> {
    /// Begins the registration of a passkey under a login.
    ///
    /// # Errors
    /// No decision was reached.
    pub async fn enrol_passkey(&self, token: &str, client: &Client) -> Result<Reply, Error> {
        let Some(login) = self.login(token) else { return over() };
        self.step(login, client, Ask::Passkey(PasskeyAsk::Enrol), false).await
    }

    /// Adds the passkey that was registered, and completes the login.
    ///
    /// # Errors
    /// No decision was reached.
    pub async fn confirm_passkey(
        &self,
        token: &str,
        client: &Client,
        challenge: &str,
        answer: AttestationResponse,
        remember: bool,
    ) -> Result<Reply, Error> {
        let Some(login) = self.login(token) else { return over() };
        let Some(claims) = self.passkey_claims(challenge) else { return over() };
        let found = self.registered(&login.user, login.id, &claims, answer).await?;
        let ask = |recovery| Ask::Passkey(confirm(&claims, &found, &Label::default(), recovery));
        self.step_with_recovery(login, client, ask, remember).await
    }

    /// Asks a passkey to answer a login.
    ///
    /// # Errors
    /// No decision was reached.
    pub async fn challenge_passkey(
        &self,
        token: &str,
        client: &Client,
        device: &str,
    ) -> Result<Reply, Error> {
        let Some(login) = self.login(token) else { return over() };
        let device = DeviceId::parse(device).unwrap_or(DeviceId::NONE);
        let ask = Ask::Passkey(PasskeyAsk::Challenge { device });
        self.step(login, client, ask, false).await
    }

    /// Judges what it answered.
    ///
    /// # Errors
    /// No decision was reached.
    pub async fn passkey(
        &self,
        token: &str,
        client: &Client,
        device: &str,
        challenge: &str,
        answer: AssertionResponse,
        remember: bool,
    ) -> Result<Reply, Error> {
        let Some(login) = self.login(token) else { return over() };
        let Some(claims) = self.passkey_claims(challenge) else { return over() };
        let device = DeviceId::parse(device).unwrap_or(DeviceId::NONE);
        let evidence = self.signature(&login.user, login.id, device, &claims, answer).await?;
        let ask = Ask::Passkey(PasskeyAsk::Answer { device, challenge: claims, evidence });
        self.step(login, client, ask, remember).await
    }

    /// Begins the registration of a passkey under a session.
    ///
    /// # Errors
    /// No decision was reached.
    pub async fn add_passkey(&self, account: &Account, client: &Client) -> Result<Reply, Error> {
        self.act(account, client, Deed::Passkey(PasskeyAsk::Enrol)).await
    }

    /// Adds the passkey that was registered under a session, under a label.
    ///
    /// # Errors
    /// No decision was reached.
    pub async fn confirm_added_passkey(
        &self,
        account: &Account,
        client: &Client,
        challenge: &str,
        answer: AttestationResponse,
        label: &str,
    ) -> Result<Reply, Error> {
        let Some(claims) = self.passkey_claims(challenge) else { return over() };
        let login = account.actor().login();
        let found = self.registered(account.user(), login, &claims, answer).await?;
        let label = Label::clean(label);
        let deed = |recovery| Deed::Passkey(confirm(&claims, &found, &label, recovery));
        self.act_with_recovery(account, client, deed).await
    }

    /// Asks a passkey for the signature that its removal takes.
    ///
    /// # Errors
    /// No decision was reached.
    pub async fn challenge_removal(
        &self,
        account: &Account,
        client: &Client,
        device: &str,
    ) -> Result<Reply, Error> {
        let device = DeviceId::parse(device).unwrap_or(DeviceId::NONE);
        self.act(account, client, Deed::Passkey(PasskeyAsk::Challenge { device })).await
    }

    /// Removes a passkey: by its own signature, or in a session that is fresh.
    ///
    /// # Errors
    /// No decision was reached.
    pub async fn remove_passkey(
        &self,
        account: &Account,
        client: &Client,
        device: &str,
        answer: Option<(&str, AssertionResponse)>,
    ) -> Result<Reply, Error> {
        let device = DeviceId::parse(device).unwrap_or(DeviceId::NONE);
        let proof = match answer {
            None => None,
            Some((challenge, answer)) => {
                let Some(claims) = self.passkey_claims(challenge) else { return over() };
                let (user, login) = (account.user(), account.actor().login());
                let evidence = self.signature(user, login, device, &claims, answer).await?;
                Some((claims, evidence))
            }
        };
        self.act(account, client, Deed::Passkey(PasskeyAsk::Remove { device, proof })).await
    }

    /// The relying party begins what was decided, and its state is sealed for the answer.
    pub(super) fn begun(&self, begun: PasskeyBegun) -> Result<Reply, Error> {
        let PasskeyBegun { user, login, id, ceremony } = begun;
        let relying_party = &self.env.relying_party;
        let started = match &ceremony {
            PasskeyCeremony::Registration { name, known, handle } => {
                let handle = handle.unwrap_or_else(|| user_handle(&*self.env.vault, &user));
                relying_party.start_registration(&Registrant { handle, name, known })
            }
            PasskeyCeremony::Authentication(by) => relying_party.start_authentication(&[by]),
        };
        let Ok(Started { options, state }) = started else {
            return Ok(Reply::Refused(Refusal::NoSuchFactor));
        };
        let claims = PasskeyClaims { user, login, id, state };
        let context = [self.settings.realm.as_str().as_bytes()];
        let token = Token::seal(&*self.env.vault, &context, self.env.draw()?, &claims);
        Ok(Reply::Passkey(Box::new(PasskeyReply {
            token: token.map_err(|_| Error::Token)?,
            options,
        })))
    }

    /// What the relying party finds of a registration, where its challenge is open.
    async fn registered(
        &self,
        user: &UserKey,
        login: LoginId,
        claims: &PasskeyClaims,
        answer: AttestationResponse,
    ) -> Result<Result<Credential, Unproven>, Error> {
        let record = self.record(user).await?;
        if !record.awaits_passkey(login, claims.id) {
            return Ok(Err(Unproven));
        }
        let (relying_party, state) = (self.env.relying_party.clone(), claims.state.clone());
        let job = move || relying_party.finish_registration(&state, &answer);
        // Whoever has come so far has passed a first factor.
        Ok(self.env.work_for(Class::Known, job).await?)
    }

    /// What the relying party finds of a signature, where its challenge is open.
    async fn signature(
        &self,
        user: &UserKey,
        login: LoginId,
        device: DeviceId,
        claims: &PasskeyClaims,
        answer: AssertionResponse,
    ) -> Result<PasskeyEvidence, Error> {
        let record = self.record(user).await?;
        let open = record.awaits_passkey(login, claims.id);
        let known = record.passkeys.iter().find(|passkey| passkey.id() == device && open);
        let Some(known) = known.map(|passkey| passkey.credential().clone()) else {
            return Ok(PasskeyEvidence { of: None, found: Err(Unproven) });
        };
        let (relying_party, state) = (self.env.relying_party.clone(), claims.state.clone());
        let handle = record.handle.unwrap_or_else(|| user_handle(&*self.env.vault, user));
        let of = known.clone();
        let job = move || relying_party.finish_authentication(&state, &known, &handle, &answer);
        Ok(PasskeyEvidence { of: Some(of), found: self.env.work_for(Class::Known, job).await? })
    }

    fn passkey_claims(&self, token: &str) -> Option<PasskeyClaims> {
        let context = [self.settings.realm.as_str().as_bytes()];
        Token::<PasskeyKind>::open(&*self.env.vault, &context, token).ok()
    }
}

/// Authenticators know a user by a keyed digest: always the same, and nobody's name.
pub(super) fn user_handle(vault: &dyn Vault, user: &UserKey) -> UserHandle {
    let parts = [user.realm().as_str().as_bytes(), user.user().as_str().as_bytes()];
    *vault.digest(HANDLE, &parts).as_bytes()
}

fn confirm(
    claims: &PasskeyClaims,
    found: &Result<Credential, Unproven>,
    label: &Label,
    recovery: Option<FreshRecovery>,
) -> PasskeyAsk {
    let (challenge, found, label) = (claims.clone(), found.clone(), label.clone());
    PasskeyAsk::Confirm { challenge, found, label, recovery }
}
