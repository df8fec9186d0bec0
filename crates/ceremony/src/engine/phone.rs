//! Phones under a login: a number is added by the code that comes to it, and answers logins by codes
//! that are sent there.

use countersign_device::{DeviceId, PhoneChannel, PhoneNumber};
use countersign_otp::Code;

use super::login::{malformed, over};
use super::{Client, Engine, Error, Reply};
use crate::decide::{Ask, Target};
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

/// An id that is none is an unknown device, and judged as one.
fn named(device: &str) -> DeviceId {
    DeviceId::parse(device).unwrap_or(DeviceId::NONE)
}
