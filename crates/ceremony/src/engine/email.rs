//! A user's address under a session: bound by the code that comes to it, where it was changed or took
//! too many failures.

use countersign_otp::Code;

use super::login::malformed;
use super::{Account, Client, Engine, Error, Reply};
use crate::decide::{Deed, Target};
use crate::port::Store;

impl<S: Store> Engine<S> {
    /// Sends a code to the user's address, which is not proven or is locked.
    ///
    /// # Errors
    /// No decision was reached, or [`Error::Undelivered`].
    pub async fn send_to_address(
        &self,
        account: &Account,
        client: &Client,
    ) -> Result<Reply, Error> {
        self.send_for(account, client, Target::BoundMailbox).await
    }

    /// Binds the address by that code.
    ///
    /// # Errors
    /// No decision was reached.
    pub async fn confirm_address(
        &self,
        account: &Account,
        client: &Client,
        challenge: &str,
        code: &str,
    ) -> Result<Reply, Error> {
        let (Ok(code), Some(challenge)) = (Code::parse(code), self.challenge(challenge)) else {
            return malformed();
        };
        let deed = |recovery| Deed::ConfirmEmail {
            challenge: challenge.clone(),
            code: code.clone(),
            recovery,
        };
        self.act_with_recovery(account, client, deed).await
    }
}
