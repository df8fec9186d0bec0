//! Refusals that a client must not tell apart, each as one call of the engine: what a test counts the work of, and what
//! `refusal-times` takes the time of.
//!
//! Two classes of RULES are compared within one route: before a first factor, and a judged code.

mod counted;

use std::sync::Arc;

use countersign_ceremony::assertion::FirstFactor;
use countersign_ceremony::engine::{ChallengedReply, Client, Engine, Passed, Reply, Settings};
use countersign_ceremony::env::{Env, FrozenClock};
use countersign_ceremony::policy::{Enforce, Policy, Strategies};
use countersign_device::{EmailAddress, RealmId, TenantId, UserId};
use countersign_otp::{Secret, Totp, UnixTime};
use countersign_token::Params;
use zeroize::Zeroizing;

pub use counted::Work;
use counted::{Counted, LastMail};

const BEGINNING: u64 = 1_800_000_000;
/// Longer than the cool-down of a resend, in seconds, and than two steps of an app.
const LATER: u64 = 90;
const OWNER: &str = "owner@example.com";
const VOUCHED: &str = "vouched@example.com";
/// Well-formed, and nobody's.
const RECOVERY: &str = "0123-4567-89AB-CDEF";

/// One way to be refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Case {
    /// A wrong password of one of our own users.
    WrongPassword,
    /// A password of nobody.
    UnknownUser,
    /// A password of a user whom another directory keeps.
    OthersUser,
    /// A recovery code that is not this user's.
    WrongRecovery,
    /// A recovery code of nobody.
    UnknownRecovery,
    /// A code that the app never showed.
    WrongCode,
    /// The code that was spent at the enrolment.
    ReplayedCode,
    /// The right code, for a device that is not there.
    UnknownDevice,
    /// A wrong code of an open challenge.
    WrongMailedCode,
    /// The right code of a challenge that a resend has replaced.
    DeadChallenge,
    /// A code that is none: never judged. It is no member of a class, and shows that the search would see a difference.
    MalformedCode,
}

/// The classes, and who is in each.
pub const CLASSES: [(&str, &[Case]); 4] = [
    ("a password", &[Case::WrongPassword, Case::UnknownUser, Case::OthersUser]),
    ("a recovery", &[Case::WrongRecovery, Case::UnknownRecovery]),
    ("a code of an app", &[Case::WrongCode, Case::ReplayedCode, Case::UnknownDevice]),
    ("a mailed code", &[Case::WrongMailedCode, Case::DeadChallenge]),
];

/// An engine over the memory store, and people who are refused.
#[derive(Debug)]
pub struct Refusals {
    engine: Engine<Counted>,
    work: Arc<Work>,
    clock: Arc<FrozenClock>,
    mail: Arc<LastMail>,
    people: u32,
}

/// A case that is ready to be refused.
#[derive(Debug)]
pub struct Ready {
    case: Case,
    token: String,
    challenge: String,
    code: String,
}

impl Refusals {
    /// A world in which Argon2id costs this.
    ///
    /// # Panics
    /// The system gives no thread, or the engine refuses what it must not.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a world for tests")]
    pub async fn new(argon2: Params) -> Self {
        let clock = Arc::new(FrozenClock::at(UnixTime::from_secs(BEGINNING)));
        let (mail, work) = (Arc::new(LastMail::default()), Arc::new(Work::default()));
        let env = Env::for_tests().expect("a thread");
        let workers = Arc::new(counted::Workers { of: env.workers, work: Arc::clone(&work) });
        let env = Env { clock: clock.clone(), deliver: mail.clone(), workers, ..env };
        let realm = RealmId::parse("main").expect("an id");
        let mut settings = Settings::new(realm, "https://id.example".into(), "app".into());
        settings.argon2 = argon2;
        settings.policy = Policy {
            enforce: Enforce::Force,
            strategies: Strategies { authenticator: true, email: true, ..Strategies::default() },
            ..Policy::default()
        };
        let store = Arc::new(Counted::new(clock.clone(), Arc::clone(&work)));
        let engine = Engine::new(store, env, settings).expect("a key");
        let password = Zeroizing::new(b"the right password".to_vec());
        let added = engine.directory().add(&address(OWNER), password, vec![tenant()]).await;
        let owner = added.expect("the store answers").expect("nobody was there before");
        let mut world = Self { engine, work, clock, mail, people: 0 };
        world.enrolled(owner, OWNER).await;
        world.enrolled(UserId::parse("vouched").expect("an id"), VOUCHED).await;
        world
    }

    /// Brings somebody to where the case can be refused. The next call of [`refuse`](Self::refuse) is all that counts.
    ///
    /// # Panics
    /// The engine refuses what it must not.
    #[expect(clippy::expect_used, reason = "a world for tests")]
    pub async fn ready(&mut self, case: Case) -> Ready {
        let mut ready =
            Ready { case, token: String::new(), challenge: String::new(), code: RECOVERY.into() };
        if !matches!(
            case,
            Case::WrongPassword
                | Case::UnknownUser
                | Case::OthersUser
                | Case::WrongRecovery
                | Case::UnknownRecovery
        ) {
            // Somebody of their own, so that no budget has a part in it.
            self.people = self.people.saturating_add(1);
            let name = format!("user{:08}", self.people);
            let (user, email) =
                (UserId::parse(&name).expect("an id"), format!("{name}@example.com"));
            let (secret, spent) = self.enrolled(user.clone(), &email).await;
            let asked = self.challenged(user, &email).await;
            ready.token = asked.token.as_str().to_owned();
            match case {
                Case::ReplayedCode => ready.code = spent,
                Case::UnknownDevice => ready.code = self.shown(&secret, 1),
                Case::MalformedCode => "none".clone_into(&mut ready.code),
                Case::WrongMailedCode | Case::DeadChallenge => {
                    // The same way to both, so that what is warm in one is in the other.
                    let dead = self.mailed(&ready.token).await;
                    self.clock.advance(LATER);
                    let living = self.mailed(&ready.token).await;
                    (ready.challenge, ready.code) = match case {
                        Case::DeadChallenge => dead,
                        _ => (living.0, other_than(&[living.1])),
                    };
                }
                _ => {
                    let near: Vec<String> = (-2..=2).map(|n| self.shown(&secret, n)).collect();
                    ready.code = other_than(&near);
                }
            }
        }
        ready
    }

    /// Refuses it: what the client is told.
    ///
    /// # Panics
    /// The store of this world always answers.
    #[expect(clippy::expect_used, reason = "a world for tests")]
    pub async fn refuse(&self, ready: &Ready) -> Option<Reply> {
        let (engine, client, token) = (&self.engine, Client::default(), &*ready.token);
        let wrong = || Zeroizing::new(b"a wrong password".to_vec());
        let reply = match ready.case {
            Case::WrongPassword => engine.log_in(&address(OWNER), wrong(), None, &client).await,
            Case::OthersUser => engine.log_in(&address(VOUCHED), wrong(), None, &client).await,
            Case::UnknownUser => {
                engine.log_in(&address("nobody@example.com"), wrong(), None, &client).await
            }
            Case::WrongRecovery => {
                engine.recover(&address(OWNER), &ready.code, &client).await.map(Some)
            }
            Case::UnknownRecovery => {
                let nobody = address("nobody@example.com");
                engine.recover(&nobody, &ready.code, &client).await.map(Some)
            }
            Case::UnknownDevice => {
                let device = Some("00000000-0000-4000-8000-000000000000");
                engine.code(token, &client, device, &ready.code, false).await.map(Some)
            }
            Case::WrongCode | Case::ReplayedCode | Case::MalformedCode => {
                engine.code(token, &client, None, &ready.code, false).await.map(Some)
            }
            Case::WrongMailedCode | Case::DeadChallenge => {
                let challenge = &ready.challenge;
                let judged = engine.email_code(token, &client, challenge, &ready.code, false);
                judged.await.map(Some)
            }
        };
        reply.expect("the store answers")
    }

    /// What was done since the last call.
    #[must_use]
    pub fn work(&self) -> [u64; 5] {
        self.work.take()
    }

    /// Enrols an app: its secret, and the code that this spent.
    #[expect(clippy::expect_used, clippy::panic, reason = "a world for tests")]
    async fn enrolled(&mut self, user: UserId, email: &str) -> (Secret, String) {
        let asked = self.challenged(user, email).await;
        let secret = asked.challenged.enrolment.expect("a secret").secret;
        let (code, client) = (self.shown(&secret, 0), Client::default());
        let confirmed = self.engine.confirm(asked.token.as_str(), &client, &code, false).await;
        match confirmed.expect("the store answers") {
            Reply::Granted(_) => (secret, code),
            other => panic!("not granted: {other:?}"),
        }
    }

    #[expect(clippy::expect_used, clippy::panic, reason = "a world for tests")]
    async fn challenged(&self, user: UserId, email: &str) -> ChallengedReply {
        let passed = Passed {
            user,
            tenant: tenant(),
            also: Vec::new(),
            application: None,
            email: Some(address(email)),
            first: FirstFactor::Password,
            epoch: None,
        };
        match self.engine.begin(passed, &Client::default()).await.expect("the store answers") {
            Reply::Challenged(asked) => *asked,
            other => panic!("not asked: {other:?}"),
        }
    }

    #[expect(clippy::expect_used, clippy::panic, reason = "a world for tests")]
    async fn mailed(&self, token: &str) -> (String, String) {
        let sent = self.engine.send_email(token, &Client::default()).await;
        match sent.expect("the store answers") {
            Reply::Sent { token, .. } => {
                (token.as_str().to_owned(), self.mail.take().expect("a mail"))
            }
            other => panic!("not sent: {other:?}"),
        }
    }

    #[expect(clippy::expect_used, reason = "a world for tests")]
    fn shown(&self, secret: &Secret, steps: i8) -> String {
        use countersign_ceremony::env::Clock;
        let totp = Totp::DEFAULT;
        let step = totp.step_at(self.clock.now()).checked_offset(steps).expect("a step");
        totp.code(&totp.key(secret), step).as_str().to_owned()
    }
}

#[expect(clippy::expect_used, reason = "a world for tests")]
fn address(email: &str) -> EmailAddress {
    EmailAddress::parse(email).expect("an address")
}

#[expect(clippy::expect_used, reason = "a world for tests")]
fn tenant() -> TenantId {
    TenantId::parse("acme").expect("an id")
}

#[expect(clippy::expect_used, reason = "a world for tests")]
fn other_than(right: &[String]) -> String {
    let mut codes = (100_000..1_000_000).map(|n| format!("{n:06}"));
    codes.find(|code| !right.contains(code)).expect("some code is wrong")
}
