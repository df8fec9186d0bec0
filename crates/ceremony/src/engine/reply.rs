//! What was decided, as the client is told of it; and whom else it concerns.
//!
//! All of this follows a won swap. Nothing here may take a grant back: what cannot be done any more
//! is left out, and the audit event stands.

use countersign_device::{ApplicationId, EmailAddress, TenantId};
use countersign_remember::Cookie;
use countersign_token::Token;

use super::{ChallengedReply, Client, Engine, Error, GrantedReply, Reply};
use crate::decide::{Challenged, FreshBrowser, Granted, Outcome, Send};
use crate::env::{Body, Message, To};
use crate::policy::Policy;
use crate::policy::scope::Scope;
use crate::port::Store;

impl<S: Store> Engine<S> {
    /// Turns what was decided into what the client is told.
    pub(super) async fn reply(
        &self,
        outcome: Outcome,
        of: (&TenantId, Option<&ApplicationId>),
        client: &Client,
    ) -> Result<Reply, Error> {
        match outcome {
            Outcome::Granted(granted) => self.granted(*granted, client).await,
            Outcome::Challenged(challenged) => self.challenged(*challenged, client),
            Outcome::Enrolment(enrolment) => Ok(Reply::Enrolment(enrolment)),
            Outcome::Send(send) => self.sent(*send, of).await,
            Outcome::Added { recovery } => Ok(Reply::Added { recovery }),
            Outcome::Done => Ok(Reply::Done),
            Outcome::Passkey(begun) => self.begun(*begun),
            Outcome::Recovered(browser) => Ok(Reply::Recovered { cookie: cookie(client, browser) }),
            Outcome::Refused(refusal) => Ok(Reply::Refused(refusal)),
            // These answer other questions than a client asks here.
            Outcome::Reported | Outcome::NeedsRecovery => Err(Error::Contended),
        }
    }

    async fn granted(&self, granted: Granted, client: &Client) -> Result<Reply, Error> {
        let Granted { assertion, browser, recovery, replaces } = granted;
        if let Some(replaced) = replaces {
            // Where this is not written, the session that stepped up ends by its own time.
            let _ = self.end_session(replaced, &assertion).await;
        }
        if let (Some(_), Some(email)) = (&recovery, &assertion.subject().email) {
            // A service's own users recover by address as ours do. Where this is not written, their
            // service still opens logins for them; the recovery code is shown all the same.
            let _ = self.directory.note_address(email, &assertion.subject().user).await;
        }
        let cookie = browser.map(|browser| cookie(client, browser));
        Ok(Reply::Granted(Box::new(GrantedReply { assertion, cookie, recovery })))
    }

    fn challenged(&self, challenged: Challenged, client: &Client) -> Result<Reply, Error> {
        let context = [self.settings.realm.as_str().as_bytes()];
        let (vault, nonce) = (&*self.env.vault, self.env.draw()?);
        let token = Token::seal(vault, &context, nonce, &challenged.login);
        let token = token.map_err(|_| Error::Token)?;
        let forgotten = &challenged.forget_browser;
        let cookie = (!forgotten.is_empty()).then(|| {
            let kept = client.cookie.clone();
            forgotten.iter().fold(kept, |cookie, family| cookie.without(*family))
        });
        Ok(Reply::Challenged(Box::new(ChallengedReply { token, challenged, cookie })))
    }

    async fn sent(
        &self,
        send: Send,
        (tenant, application): (&TenantId, Option<&ApplicationId>),
    ) -> Result<Reply, Error> {
        let Send { to, shown, code, ends, challenge } = send;
        let context = [self.settings.realm.as_str().as_bytes()];
        let token = Token::seal(&*self.env.vault, &context, self.env.draw()?, &challenge);
        let token = token.map_err(|_| Error::Token)?;
        let lives_secs = ends.since(self.env.clock.now());
        let (issuer, sender) = self.names(Some(tenant), application).await;
        let body = Body::Code { code, purpose: challenge.purpose, lives_secs };
        let handed_over = self.env.deliver.deliver(Message { to, body, issuer, sender }).await;
        // In good hands or not: whether it arrives is no part of the answer, and in the adapter's log.
        handed_over.map_err(|_| Error::Undelivered)?;
        Ok(Reply::Sent { token, to: shown })
    }

    /// Tells the owner of an account what happened to it.
    pub(super) async fn notify(
        &self,
        letters: Vec<(EmailAddress, Body)>,
        tenant: Option<&TenantId>,
        application: Option<&ApplicationId>,
    ) {
        if letters.is_empty() {
            return;
        }
        let (issuer, sender) = self.names(tenant, application).await;
        for (to, body) in letters {
            let (issuer, sender) = (issuer.clone(), sender.clone());
            let message = Message { to: To::Mailbox(to), body, issuer, sender };
            // Mail is never the only record: the audit event is in the outbox.
            let _ = self.env.deliver.deliver(message).await;
        }
    }

    /// What the service calls itself in mails, and where they come from.
    async fn names(
        &self,
        tenant: Option<&TenantId>,
        application: Option<&ApplicationId>,
    ) -> (String, Option<EmailAddress>) {
        let scope = Scope { tenant: tenant.cloned(), application: application.cloned() };
        let policy = self.policy_of(&scope).await;
        let Policy { issuer, sender, .. } = policy.unwrap_or_else(|_| self.settings.policy.clone());
        (issuer, sender)
    }
}

/// The device cookie with this browser's entry, and the entries of its other users.
pub(super) fn cookie(client: &Client, browser: FreshBrowser) -> Cookie {
    let FreshBrowser { family, secret, replaces } = browser;
    let cookie = client.cookie.clone();
    let cookie = match replaces {
        Some(ended) => cookie.without(ended),
        None => cookie,
    };
    cookie.with(family, secret)
}
