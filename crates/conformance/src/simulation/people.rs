//! People: owners who log in, mistype, refresh and sign out.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use countersign_ceremony::assertion::FirstFactor;
use countersign_ceremony::decide::Refusal;
use countersign_ceremony::engine::{Client, Passed, Reply};
use countersign_device::{EmailAddress, TenantId, UserId};
use countersign_otp::{Secret, Step, Totp};
use countersign_remember::Cookie;

use super::history::{History, Seen};
use super::site::{Answer, NoAnswer, Site, answered, true_time};

/// Somebody who has an account, and what others may see of it.
pub(super) struct Account {
    pub(super) number: usize,
    pub(super) user: UserId,
    pub(super) tenant: TenantId,
    pub(super) address: EmailAddress,
    pocket: Mutex<Pocket>,
    /// The owner's app is enrolled, and works.
    settled: AtomicBool,
}

/// What the owner carries, and somebody may copy.
#[derive(Clone, Default)]
pub(super) struct Pocket {
    pub(super) cookie: Cookie,
    pub(super) access: Option<String>,
    pub(super) refresh: Option<String>,
    /// The codes that were typed so far.
    pub(super) typed: Vec<String>,
    /// What the app has scanned; the one that works is last.
    scanned: Vec<Secret>,
    last: Option<Step>,
}

impl Account {
    pub(super) fn new(number: usize, user: UserId, tenant: TenantId, mail: EmailAddress) -> Self {
        let (pocket, settled) = (Mutex::default(), AtomicBool::new(false));
        Self { number, user, tenant, address: mail, pocket, settled }
    }

    pub(super) fn pocket(&self) -> MutexGuard<'_, Pocket> {
        self.pocket.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_settled(&self) -> bool {
        self.settled.load(Ordering::Relaxed)
    }

    fn passed(&self) -> Passed {
        Passed {
            user: self.user.clone(),
            tenant: self.tenant.clone(),
            also: Vec::new(),
            application: None,
            email: Some(self.address.clone()),
            first: FirstFactor::Password,
            epoch: None,
        }
    }
}

/// One person at one account: its owner, or not.
#[derive(Clone)]
pub(super) struct Person {
    pub(super) site: Arc<Site>,
    pub(super) history: History,
    pub(super) account: Arc<Account>,
    /// Somebody looks over the owner's shoulder, and types what is typed at the same moment.
    pub(super) watched: bool,
}

fn client(cookie: &Cookie) -> Client {
    Client { cookie: cookie.clone(), ..Client::default() }
}

impl Person {
    pub(super) fn note(&self, seen: Seen) {
        self.history.note(self.site.world.now(), seen);
    }

    /// Passes the first factor with this cookie.
    pub(super) async fn begin(&self, cookie: &Cookie) -> Result<Answer, NoAnswer> {
        let (passed, client) = (self.account.passed(), client(cookie));
        let asked = self.site.ask(|node| async move {
            let reply = node.begin(passed, &client).await?;
            answered(&node, reply)
        });
        let asked = asked.await;
        if let Ok((Reply::Granted(granted), _)) = &asked {
            let session = granted.assertion.subject().session;
            self.note(Seen::Granted { user: self.account.number, session, code: None });
        }
        asked
    }

    /// Types a code, under a login.
    pub(super) async fn code(
        &self,
        token: &str,
        cookie: &Cookie,
        code: &str,
        remember: bool,
    ) -> Result<Answer, NoAnswer> {
        let (token, typed, client) = (token.to_owned(), code.to_owned(), client(cookie));
        let asked = self.site.ask(|node| async move {
            let reply = node.code(&token, &client, None, &typed, remember).await?;
            answered(&node, reply)
        });
        let asked = asked.await;
        let user = self.account.number;
        match &asked {
            Ok((Reply::Granted(granted), _)) => {
                let session = granted.assertion.subject().session;
                self.note(Seen::Granted { user, session, code: Some(self.of_its_step(code)) });
            }
            Ok(_) => {}
            Err(_) => self.note(Seen::Silence { user }),
        }
        asked
    }

    /// A code with its step before it: the same digits at two steps are two codes.
    fn of_its_step(&self, code: &str) -> String {
        let totp = Totp::DEFAULT;
        let now = totp.step_at(true_time(&self.site.world));
        let scanned = self.account.pocket().scanned.clone();
        let step = scanned.iter().rev().find_map(|secret| {
            let key = totp.key(secret);
            // The nearest first.
            let near = (0_i8..=8).flat_map(|steps| [-steps, steps]);
            let mut steps = near.filter_map(|steps| now.checked_offset(steps));
            steps.find(|step| totp.code(&key, *step).as_str() == code)
        });
        format!("{step:?}:{code}")
    }

    /// The owner's story.
    pub(super) async fn own(self, acts: usize) {
        self.enrol().await;
        for _ in 0..acts {
            let pause = 31_000_u64.saturating_add(self.site.world.below(90_000));
            self.site.world.sleep(pause).await;
            match self.site.world.below(10) {
                0 => self.sign_out().await,
                1 | 2 => self.refresh().await,
                _ => self.log_in().await,
            }
        }
    }

    /// Scans what is shown and confirms it, until a login works by it.
    async fn enrol(&self) {
        for _ in 0..40 {
            self.site.world.sleep(self.site.world.below(35_000)).await;
            let cookie = self.account.pocket().cookie.clone();
            let Ok((Reply::Challenged(asked), _)) = self.begin(&cookie).await else { continue };
            let token = asked.token.as_str().to_owned();
            if let Some(shown) = asked.challenged.enrolment {
                self.account.pocket().scanned.push(shown.secret.clone());
                let Some((code, _)) = self.shown(&shown.secret) else { continue };
                let client = client(&cookie);
                let confirmed = self.site.ask(|node| async move {
                    let reply = node.confirm(&token, &client, &code, true).await?;
                    answered(&node, reply)
                });
                self.keep(confirmed.await.ok());
                continue;
            }
            // Enrolled, by one of the codes that were scanned: which?
            let scanned = self.account.pocket().scanned.clone();
            for secret in scanned.into_iter().rev().take(4) {
                let Some((code, step)) = self.shown(&secret) else { continue };
                let told = self.code(&token, &cookie, &code, true).await.ok();
                if matches!(told, Some((Reply::Refused(Refusal::Code), _))) {
                    let user = self.account.number;
                    self.note(Seen::Refused { user, stranger: false });
                }
                let is_granted = matches!(told, Some((Reply::Granted(_), _)));
                self.keep(told);
                if is_granted {
                    let mut pocket = self.account.pocket();
                    pocket.scanned.push(secret);
                    pocket.last = Some(step);
                    drop(pocket);
                    self.account.settled.store(true, Ordering::Relaxed);
                    return;
                }
            }
        }
    }

    /// What an app shows now.
    fn shown(&self, secret: &Secret) -> Option<(String, Step)> {
        let totp = Totp::DEFAULT;
        let step = totp.step_at(true_time(&self.site.world));
        let code = totp.code(&totp.key(secret), step);
        Some((code.as_str().to_owned(), step))
    }

    async fn log_in(&self) {
        if !self.account.is_settled() {
            return;
        }
        let user = self.account.number;
        let own = !self.site.world.chance(300);
        let cookie = if own { self.account.pocket().cookie.clone() } else { Cookie::default() };
        let asked = match self.begin(&cookie).await {
            Ok((Reply::Challenged(asked), _)) => asked,
            Ok(answer @ (Reply::Granted(_), _)) => {
                self.note(Seen::LetIn { user });
                return self.keep(Some(answer));
            }
            Ok((other, _)) => {
                let why = format!("at the first factor: {other:?}");
                return self.note(Seen::KeptOut { user, waits: false, why });
            }
            Err(_) => return self.lost(own),
        };
        let token = asked.token.as_str().to_owned();
        let Some(secret) = self.account.pocket().scanned.last().cloned() else { return };
        let Some((code, step)) = self.shown(&secret) else { return };
        if self.site.world.chance(100) {
            match self.slips(&token, &cookie, &typo(&code), step).await {
                Ok(false) => {}
                Ok(true) => return,
                Err(_) => return self.lost(own),
            }
        }
        if self.account.pocket().last.is_some_and(|last| step <= last) {
            return;
        }
        {
            let mut pocket = self.account.pocket();
            pocket.last = Some(step);
            pocket.typed.push(code.clone());
        }
        if self.watched && self.site.world.chance(400) {
            self.race(&code).await;
        }
        let remember = self.site.world.chance(500);
        match self.code(&token, &cookie, &code, remember).await {
            Ok(answer @ (Reply::Granted(_), _)) => {
                self.note(Seen::LetIn { user });
                self.keep(Some(answer));
            }
            Ok((other, _)) => {
                let waits = matches!(other, Reply::Refused(Refusal::TooMany(Some(_))));
                let why = format!("with a fresh code: {other:?}");
                self.note(Seen::KeptOut { user, waits, why });
            }
            Err(_) => self.lost(own),
        }
    }

    /// Types something else than the code of this step. Is the owner let in by it? Where the answer
    /// was lost nobody knows, and the login may be spent.
    async fn slips(
        &self,
        token: &str,
        cookie: &Cookie,
        typed: &str,
        step: Step,
    ) -> Result<bool, NoAnswer> {
        let user = self.account.number;
        let answer = self.code(token, cookie, typed, false).await?;
        let is_granted = matches!(answer, (Reply::Granted(_), _));
        if is_granted {
            // It was the code of a step beside, perhaps of the next one: that is spent now.
            self.account.pocket().last = step.checked_offset(1);
            self.note(Seen::LetIn { user });
            self.keep(Some(answer));
        } else if matches!(answer, (Reply::Refused(Refusal::Code), _)) {
            self.note(Seen::Refused { user, stranger: false });
        }
        Ok(is_granted)
    }

    /// An answer was lost, and a new cookie perhaps with it: the browser keeps the one it has.
    fn lost(&self, own: bool) {
        if own {
            self.account.pocket().refresh = None;
        }
    }

    async fn refresh(&self) {
        let Some(token) = self.account.pocket().refresh.take() else { return };
        let asked = self.site.ask(|node| async move { node.refresh(&token).await }).await;
        if let Ok(Some(tokens)) = asked {
            let mut pocket = self.account.pocket();
            pocket.access = Some(tokens.access);
            pocket.refresh = Some(tokens.refresh);
        }
    }

    /// Ends everything, and looks whether it has ended.
    async fn sign_out(&self) {
        use countersign_ceremony::lifecycle::Lifecycle;
        let before = self.account.pocket().clone();
        let user = self.account.user.clone();
        let reported = self
            .site
            .ask(|node| async move { node.report(user, Lifecycle::SignOutEverywhere).await });
        if reported.await != Ok(true) {
            return;
        }
        let broken = |what: &str| {
            let what = format!("user {}: {what} works after signing out", self.account.number);
            self.note(Seen::Broken(super::bug::Invariant::RevocationSeen, what));
        };
        if let Some(access) = before.access {
            let seen = self.site.ask(|node| async move { node.authenticate(&access).await }).await;
            if matches!(seen, Ok(Some(_))) {
                broken("an access token");
            }
        }
        if let Some(refresh) = before.refresh {
            let seen = self.site.ask(|node| async move { node.refresh(&refresh).await }).await;
            if matches!(seen, Ok(Some(_))) {
                broken("a refresh token");
            }
        }
        if self.account.is_settled()
            && let Ok((Reply::Granted(_), _)) = self.begin(&before.cookie).await
        {
            broken("a remembered browser");
        }
    }

    /// Keeps what an answer brings, as a browser does.
    fn keep(&self, answer: Option<Answer>) {
        let Some((reply, tokens)) = answer else { return };
        let mut pocket = self.account.pocket();
        if let Some(tokens) = tokens {
            pocket.access = Some(tokens.access);
            pocket.refresh = Some(tokens.refresh);
        }
        if let Some(cookie) = reply.cookie() {
            pocket.cookie = cookie.clone();
        }
    }
}

/// Another code than this one: its last digit is off by one.
fn typo(code: &str) -> String {
    let (start, last) = code.split_at(code.len().saturating_sub(1));
    let last = last.parse::<u8>().map_or(0, |digit| (digit + 1) % 10);
    format!("{start}{last}")
}

#[cfg(test)]
mod tests;
