//! What is asked under a login: tokens are opened, decide is asked, and the answer is sealed.

use countersign_device::{
    ApplicationId, DeviceId, EmailAddress, Label, SessionId, TenantId, UserId, UserKey,
};
use countersign_otp::Code;
use countersign_remember::Cookie;
use countersign_token::{RecoveryCode, Token};
use zeroize::Zeroizing;

use super::reply::cookie;
use super::{Engine, Error, Reply};
use crate::assertion::FirstFactor;
use crate::claims::{ChallengeClaims, ChallengeKind, Login, LoginKind};
use crate::decide::{Ask, Begin, Event, FreshRecovery, Outcome, Recover, Refusal, Step, Target};
use crate::lifecycle::Lifecycle;
use crate::port::Store;
use crate::record::{Epoch, Record};

/// A first factor passed, by our own directory or by the service that keeps the users.
#[derive(Clone, Debug)]
pub struct Passed {
    /// Whose.
    pub user: UserId,
    /// In which tenant.
    pub tenant: TenantId,
    /// The user's other tenants: where one of them enforces a second factor, this login does too.
    pub also: Vec<TenantId>,
    /// For which application.
    pub application: Option<ApplicationId>,
    /// The address of the directory.
    pub email: Option<EmailAddress>,
    /// Which first factor.
    pub first: FirstFactor,
    /// The user's epoch before the first factor was checked, where that takes time: a login whose
    /// user has another by then is over, because what was checked may have changed.
    pub epoch: Option<Epoch>,
}

/// What the client presents beside a token.
#[derive(Clone, Debug, Default)]
pub struct Client {
    /// The browser's device cookie.
    pub cookie: Cookie,
    /// The digest of a nonce that the client keeps, for clients without cookies.
    pub nonce: Option<[u8; 32]>,
    /// The session whose access token the client presents beside the login's, where it does: the
    /// step-up of one session is not finished in another (B-04).
    pub session: Option<SessionId>,
    /// What the browser says that it is, to be shown to its owner.
    pub agent: Label,
}

impl<S: Store> Engine<S> {
    /// A first factor passed: what next?
    ///
    /// # Errors
    /// No decision was reached.
    pub async fn begin(&self, passed: Passed, client: &Client) -> Result<Reply, Error> {
        let Passed { user, tenant, also, application, email, first, epoch } = passed;
        let user = UserKey::new(self.settings.realm.clone(), user);
        let begin = Begin {
            tenant: tenant.clone(),
            also,
            application: application.clone(),
            email,
            first,
            epoch,
            nonce: client.nonce,
            cookie: client.cookie.clone(),
            agent: client.agent.clone(),
        };
        let outcome = self.decided(&user, Event::Begin(begin)).await?;
        self.reply(outcome, (&tenant, application.as_ref()), client).await
    }

    /// Logs in one of our own users. None: the password is wrong, or there is no such user; both
    /// are told alike and cost alike.
    ///
    /// # Errors
    /// No decision was reached.
    pub async fn log_in(
        &self,
        email: &EmailAddress,
        password: Zeroizing<Vec<u8>>,
        application: Option<ApplicationId>,
        client: &Client,
    ) -> Result<Option<Reply>, Error> {
        let Some((mut passed, unreported)) =
            self.directory.checked(email, password.clone(), &client.cookie).await?
        else {
            return Ok(None);
        };
        if unreported {
            // The change ends what was open before it, this login's own epoch included: the
            // password is checked again under the new one.
            self.password_changed(email, passed.user.clone()).await?;
            match self.directory.checked(email, password, &client.cookie).await? {
                Some((again, _)) => passed = again,
                None => return Ok(None),
            }
        }
        self.begin(Passed { application, ..passed }, client).await.map(Some)
    }

    /// Gives one of our own users another password, and ends what is open. False: there is no such
    /// user, or the password is empty or over 1,024 bytes.
    ///
    /// # Errors
    /// No decision was reached: change it again.
    pub async fn change_password(
        &self,
        email: &EmailAddress,
        password: Zeroizing<Vec<u8>>,
    ) -> Result<bool, Error> {
        let Some(user) = self.directory.set_password(email, password).await? else {
            return Ok(false);
        };
        self.password_changed(email, user).await?;
        Ok(true)
    }

    async fn password_changed(&self, email: &EmailAddress, user: UserId) -> Result<(), Error> {
        self.report(user, Lifecycle::PasswordChanged { through_mailbox: None }).await?;
        self.directory.reported(email).await
    }

    /// The pending authenticator of a login: the same each time under the same login.
    ///
    /// # Errors
    /// No decision was reached.
    pub async fn pre_enrol(&self, token: &str, client: &Client) -> Result<Reply, Error> {
        let Some(login) = self.login(token) else { return over() };
        self.step(login, client, Ask::PreEnrol, false).await
    }

    /// Confirms the pending authenticator of a login by its first code.
    ///
    /// # Errors
    /// No decision was reached.
    pub async fn confirm(
        &self,
        token: &str,
        client: &Client,
        code: &str,
        remember: bool,
    ) -> Result<Reply, Error> {
        let Some(login) = self.login(token) else { return over() };
        let Ok(code) = Code::parse(code) else { return malformed() };
        let ask = |recovery| Ask::Confirm { code: code.clone(), recovery };
        self.step_with_recovery(login, client, ask, remember).await
    }

    /// Judges a code of an authenticator app; without a device, against all of them.
    ///
    /// # Errors
    /// No decision was reached.
    pub async fn code(
        &self,
        token: &str,
        client: &Client,
        device: Option<&str>,
        code: &str,
        remember: bool,
    ) -> Result<Reply, Error> {
        let Some(login) = self.login(token) else { return over() };
        let Ok(code) = Code::parse(code) else { return malformed() };
        // An id that is none is an unknown device, and judged as one.
        let device = device.map(|id| DeviceId::parse(id).unwrap_or(DeviceId::NONE));
        let ask = |recovery| Ask::Code { device, code: code.clone(), recovery };
        self.step_with_recovery(login, client, ask, remember).await
    }

    /// Sends a code by email: settles the destination, then the user, then sends.
    ///
    /// # Errors
    /// No decision was reached, or [`Error::Undelivered`]: nothing was sent.
    pub async fn send_email(&self, token: &str, client: &Client) -> Result<Reply, Error> {
        let Some(login) = self.login(token) else { return over() };
        self.send(login, client, Target::Mailbox).await
    }

    /// Judges a code that was sent by email.
    ///
    /// # Errors
    /// No decision was reached.
    pub async fn email_code(
        &self,
        token: &str,
        client: &Client,
        challenge: &str,
        code: &str,
        remember: bool,
    ) -> Result<Reply, Error> {
        let Some(login) = self.login(token) else { return over() };
        let Ok(code) = Code::parse(code) else { return malformed() };
        // A token that is none of ours is no challenge, dead or alive.
        let Some(challenge) = self.challenge(challenge) else { return over() };
        let ask = Ask::EmailCode { challenge, code };
        self.step(login, client, ask, remember).await
    }

    /// Spends a recovery code: the factors are removed, and nobody is logged in. The same refusal
    /// at the same cost for an unknown address, a user without a code, and a wrong code.
    ///
    /// # Errors
    /// No decision was reached.
    pub async fn recover(
        &self,
        email: &EmailAddress,
        code: &str,
        client: &Client,
    ) -> Result<Reply, Error> {
        let refused = Ok(Reply::Refused(Refusal::Code));
        let Ok(code) = RecoveryCode::parse(code) else { return refused };
        let nobody = self.directory.nobody(email);
        let user = self.directory.user_of(email).await?.unwrap_or(nobody);
        let Some(evidence) = self.recovery_evidence(&user, code).await? else { return refused };
        let recover = Recover {
            evidence,
            email: Some(email.clone()),
            cookie: client.cookie.clone(),
            agent: client.agent.clone(),
        };
        let outcome = self.decided(&user, Event::Recover(recover)).await?;
        Ok(match outcome {
            Outcome::Recovered(browser) => Reply::Recovered { cookie: cookie(client, browser) },
            Outcome::Refused(refusal) => Reply::Refused(refusal),
            // Whatever else it could be answers another question.
            _ => Reply::Refused(Refusal::Code),
        })
    }

    /// The owner of the users reports: one decide, one settle.
    ///
    /// # Errors
    /// No decision was reached: report it again.
    pub async fn report(&self, user: UserId, report: Lifecycle) -> Result<bool, Error> {
        let user = UserKey::new(self.settings.realm.clone(), user);
        match self.decided(&user, Event::Report(report)).await? {
            Outcome::Reported => Ok(true),
            _ => Ok(false),
        }
    }

    /// What an open login's token says, for whoever only reads it. It may have ended.
    #[must_use]
    pub fn login(&self, token: &str) -> Option<Login> {
        let context = [self.settings.realm.as_str().as_bytes()];
        Token::<LoginKind>::open(&*self.env.vault, &context, token).ok()
    }

    pub(super) fn challenge(&self, token: &str) -> Option<ChallengeClaims> {
        let context = [self.settings.realm.as_str().as_bytes()];
        Token::<ChallengeKind>::open(&*self.env.vault, &context, token).ok()
    }

    pub(super) async fn step(
        &self,
        login: Login,
        client: &Client,
        ask: Ask,
        remember: bool,
    ) -> Result<Reply, Error> {
        let user = login.user.clone();
        let (tenant, application) = (login.tenant.clone(), login.application.clone());
        let step = Step {
            login,
            cookie: client.cookie.clone(),
            agent: client.agent.clone(),
            nonce: client.nonce,
            session: client.session,
            ask,
            remember,
        };
        let outcome = self.decided(&user, Event::Step(Box::new(step))).await?;
        self.reply(outcome, (&tenant, application.as_ref()), client).await
    }

    /// The same for what may end an enrolment: where decide asks for a fresh recovery code, it is
    /// made and hashed on the workers, once, and decide is asked again.
    pub(super) async fn step_with_recovery(
        &self,
        login: Login,
        client: &Client,
        ask: impl Fn(Option<FreshRecovery>) -> Ask + Send,
        remember: bool,
    ) -> Result<Reply, Error> {
        let user = login.user.clone();
        let (tenant, application) = (login.tenant.clone(), login.application.clone());
        let step = |ask| {
            let (login, cookie) = (login.clone(), client.cookie.clone());
            let (agent, session) = (client.agent.clone(), client.session);
            let nonce = client.nonce;
            let step = Step { login, cookie, agent, nonce, session, ask, remember };
            Event::Step(Box::new(step))
        };
        let mut outcome = self.decided(&user, step(ask(None))).await?;
        if matches!(outcome, Outcome::NeedsRecovery) {
            let fresh = self.fresh_recovery(&user).await?;
            outcome = self.decided(&user, step(ask(Some(fresh)))).await?;
        }
        self.reply(outcome, (&tenant, application.as_ref()), client).await
    }

    /// The record of a user, read and not judged.
    pub(super) async fn record(&self, user: &UserKey) -> Result<Record, Error> {
        self.directory.record(user).await
    }
}

/// A token that is malformed, foreign or of another kind.
pub(super) const fn over() -> Result<Reply, Error> {
    Ok(Reply::Refused(Refusal::LoginOver))
}

/// A code that is none: it is never judged, charged or written.
pub(super) const fn malformed() -> Result<Reply, Error> {
    Ok(Reply::Refused(Refusal::Code))
}
