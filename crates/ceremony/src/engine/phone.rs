//! Phones under a login, and under a session: a number is added by the code that comes to it, answers
//! logins by codes that are sent there, and is removed by one that is sent for that.

use countersign_device::{DeviceId, Label, PhoneChannel, PhoneNumber};
use countersign_otp::Code;

use super::login::{malformed, over};
use super::{Account, Client, Engine, Error, Reply};
use crate::decide::{Ask, Deed, Proof, Target};
use crate::port::Store;

impl<S: Store> Engine<S> {
    /// Sends a code to a number that is to be added.
    ///
    /// # Errors
    /// No decision was reached, or [`Error::Undelivered`].
    pub async fn enrol_phone(
        &self,
        token: &str,
        client: &Client,
        number: PhoneNumber,
        by: PhoneChannel,
    ) -> Result<Reply, Error> {
        let Some(login) = self.login(token) else { return over() };
        self.send(login, client, Target::NewPhone(number, by)).await
    }

    /// Adds the phone by the code that was sent to it.
    ///
    /// # Errors
    /// No decision was reached.
    pub async fn confirm_phone(
        &self,
        token: &str,
        client: &Client,
        challenge: &str,
        code: &str,
        remember: bool,
    ) -> Result<Reply, Error> {
        let Some(login) = self.login(token) else { return over() };
        let Ok(code) = Code::parse(code) else { return malformed() };
        let Some(challenge) = self.challenge(challenge) else { return over() };
        let ask = |recovery| Ask::ConfirmPhone {
            challenge: challenge.clone(),
            code: code.clone(),
            recovery,
        };
        self.step_with_recovery(login, client, ask, remember).await
    }

    /// Sends a code to a phone of the user. An id that is none is an unknown phone.
    ///
    /// # Errors
    /// No decision was reached, or [`Error::Undelivered`].
    pub async fn send_to_phone(
        &self,
        token: &str,
        client: &Client,
        device: &str,
        by: PhoneChannel,
    ) -> Result<Reply, Error> {
        let Some(login) = self.login(token) else { return over() };
        self.send(login, client, Target::Phone(named(device), by)).await
    }

    /// Judges a code that was sent to a phone of the user.
    ///
    /// # Errors
    /// No decision was reached.
    pub async fn phone_code(
        &self,
        token: &str,
        client: &Client,
        device: &str,
        challenge: &str,
        code: &str,
        remember: bool,
    ) -> Result<Reply, Error> {
        let Some(login) = self.login(token) else { return over() };
        let Ok(code) = Code::parse(code) else { return malformed() };
        let Some(challenge) = self.challenge(challenge) else { return over() };
        let ask = Ask::PhoneCode { device: named(device), challenge, code };
        self.step(login, client, ask, remember).await
    }
}

impl<S: Store> Engine<S> {
    /// Sends a code to a number that a session adds to its account.
    ///
    /// # Errors
    /// No decision was reached, or [`Error::Undelivered`].
    pub async fn add_phone(
        &self,
        account: &Account,
        client: &Client,
        number: PhoneNumber,
        by: PhoneChannel,
    ) -> Result<Reply, Error> {
        self.send_for(account, client, Target::NewPhone(number, by)).await
    }

    /// Adds the phone by the code that was sent to it, under a label.
    ///
    /// # Errors
    /// No decision was reached.
    pub async fn confirm_added(
        &self,
        account: &Account,
        client: &Client,
        challenge: &str,
        code: &str,
        label: &str,
    ) -> Result<Reply, Error> {
        let (Ok(code), Some(challenge)) = (Code::parse(code), self.challenge(challenge)) else {
            return malformed();
        };
        let label = Label::clean(label);
        let deed = |recovery| Deed::ConfirmPhone {
            challenge: challenge.clone(),
            code: code.clone(),
            label: label.clone(),
            recovery,
        };
        self.act_with_recovery(account, client, deed).await
    }

    /// Sends a code that removes a phone.
    ///
    /// # Errors
    /// No decision was reached, or [`Error::Undelivered`].
    pub async fn send_removal(
        &self,
        account: &Account,
        client: &Client,
        device: &str,
        by: PhoneChannel,
    ) -> Result<Reply, Error> {
        self.send_for(account, client, Target::RemovedPhone(named(device), by)).await
    }

    /// Removes a phone: by the code that was sent for that, where its challenge is named; else by a
    /// code of an app or the recovery code; or, without any, in a session that is fresh.
    ///
    /// # Errors
    /// No decision was reached.
    pub async fn remove_phone(
        &self,
        account: &Account,
        client: &Client,
        device: &str,
        challenge: Option<&str>,
        code: Option<&str>,
    ) -> Result<Reply, Error> {
        let device = named(device);
        let proof = match challenge {
            None => self.proof(account, code).await?,
            Some(challenge) => {
                let code = code.and_then(|code| Code::parse(code).ok());
                let sent = self.challenge(challenge).zip(code);
                sent.map(|(challenge, code)| Proof::Sent { device, challenge, code })
            }
        };
        let Some(proof) = proof else { return malformed() };
        self.act(account, client, Deed::RemovePhone { device, proof }).await
    }
}

/// An id that is none is an unknown device, and judged as one.
fn named(device: &str) -> DeviceId {
    DeviceId::parse(device).unwrap_or(DeviceId::NONE)
}
