//! Scripts of who and what, with faults: decide over two users, while swaps are lost, replies are lost, a store forgets
//! its last write and a clock jumps.
#![no_main]

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use countersign_ceremony::assertion::FirstFactor;
use countersign_ceremony::audit::{Verdict, What};
use countersign_ceremony::claims::{Binding, Login};
use countersign_ceremony::decide::{
    Act, ActingSession, Actor, Ask, Begin, Cookie, Deed, Event, Evidence, Given, Import,
    ImportedApp, Proof, Recover, Step, Target, decide,
};
use countersign_ceremony::env::Env;
use countersign_ceremony::lifecycle::Lifecycle;
use countersign_ceremony::policy::{Enforce, Policy, Strategies};
use countersign_ceremony::record::{LinkId, Record};
use countersign_ceremony::rules::{AUTHENTICATORS, LEDGER_UNITS, PENDING, TOUCHED_LOGINS};
use countersign_device::{
    DeviceId, EmailAddress, Label, LoginId, RealmId, SessionId, TenantId, UserId, UserKey,
};
use countersign_otp::{Code, Secret, Totp, UnixTime};
use countersign_token::FamilyId;
use countersign_vault::Vault;
use libfuzzer_sys::fuzz_target;

const START: u64 = 1_800_000_000;
/// No record grows beyond this, whatever is done: in bytes.
const LARGEST: usize = 16 * 1024;
const MOST: usize = 48;

static VAULT: LazyLock<Arc<dyn Vault>> =
    LazyLock::new(|| Env::for_tests().expect("a thread").vault);
static USERS: LazyLock<[UserKey; 2]> = LazyLock::new(|| {
    let realm = RealmId::parse("main").expect("a realm");
    ["alice", "bob"].map(|id| UserKey::new(realm.clone(), UserId::parse(id).expect("an id")))
});
static POLICY: LazyLock<Policy> = LazyLock::new(|| Policy {
    enforce: Enforce::Force,
    remember: countersign_remember::Policy::new(true, 14 * 24 * 3600).expect("a policy"),
    strategies: Strategies { authenticator: true, email: true, ..Strategies::default() },
    ..Policy::default()
});

fn secret(user: usize) -> Secret {
    Secret::from_bytes(&[if user == 0 { 1 } else { 2 }; 20]).expect("a secret")
}

fn tenant() -> TenantId {
    TenantId::parse("acme").expect("a tenant")
}

fn address() -> EmailAddress {
    EmailAddress::parse("alice@example.com").expect("an address")
}

/// The users' records, what they were before, and what was seen.
struct World {
    records: [Record; 2],
    before: [Record; 2],
    /// What another node has in hand.
    stale: [Record; 2],
    now: u64,
    seeds: u64,
    won: HashSet<(usize, LoginId, u64)>,
    forgot: bool,
}

fn given(user: usize) -> Given<'static> {
    Given { user: &USERS[user], policy: &POLICY, vault: &**VAULT, node: "fuzz" }
}

impl World {
    fn new() -> Self {
        let records = [0, 1].map(|user| {
            let app = ImportedApp {
                secret: secret(user),
                totp: Totp::DEFAULT,
                spent: None,
                label: Label::default(),
                is_locked: false,
            };
            let import = Import { tenants: vec![tenant()], apps: vec![app], ..Import::default() };
            let event = Event::Import(Box::new(import));
            decide(Record::default(), &given(user), event, UnixTime::from_secs(START), [9; 32])
                .record
        });
        let (before, stale) = (records.clone(), records.clone());
        let (now, seeds, won) = (START + 60, 0, HashSet::new());
        Self { records, before, stale, now, seeds, won, forgot: false }
    }

    fn login(&self, user: usize, id: u8, what: u8) -> Login {
        let age = u64::from(what >> 4) * 45;
        Login {
            id: LoginId::from_bytes([id; 16]),
            user: USERS[user].clone(),
            tenant: tenant(),
            application: None,
            email: Some(address()),
            issued: UnixTime::from_secs(self.now.saturating_sub(age)),
            first: if what & 1 == 0 { FirstFactor::Password } else { FirstFactor::Email },
            epoch: self.records[user].epoch,
            binding: (what & 2 != 0).then(|| Binding::Nonce([7; 32])),
            mailbox_proven: what & 4 != 0,
            session: None,
        }
    }

    /// The app's code so many steps from now, or one that may be any.
    fn code(&self, user: usize, what: u8) -> Code {
        let totp = Totp::DEFAULT;
        let now = totp.step_at(UnixTime::from_secs(self.now));
        let pending = self.records[user].pending.first().map(|pending| pending.show().0.clone());
        let secret =
            if what & 8 == 0 { secret(user) } else { pending.unwrap_or_else(|| secret(user)) };
        match now.checked_offset(i8::try_from(what & 7).unwrap_or(0) - 3) {
            Some(step) if what < 0xc0 => totp.code(&totp.key(&secret), step),
            _ => Code::parse(&format!("{:06}", u32::from(what) * 3_907)).expect("six digits"),
        }
    }

    fn event(&self, user: usize, kind: u8, a: u8, b: u8) -> Event {
        let login = self.login(user, a & 3, b);
        let session = ActingSession {
            id: SessionId::from_bytes([a & 3; 16]),
            epoch: self.records[user].epoch,
            first: FirstFactor::Password,
            proved: b & 1 == 0,
            auth_time: UnixTime::from_secs(self.now),
        };
        let step = |ask| {
            let nonce = (b & 8 == 0).then_some([7; 32]);
            Event::Step(Box::new(Step {
                login: login.clone(),
                cookie: Cookie::default(),
                agent: Label::default(),
                nonce,
                session: None,
                ask,
                remember: a & 4 != 0,
            }))
        };
        let act = |deed| {
            Event::Act(Box::new(Act {
                actor: Actor::Session(session.clone()),
                tenant: tenant(),
                also: Vec::new(),
                application: None,
                email: Some(address()),
                cookie: Cookie::default(),
                agent: Label::default(),
                deed,
            }))
        };
        let app = self.records[user].authenticators.first().map_or(DeviceId::NONE, |app| app.id());
        match kind % 16 {
            0..=3 => step(Ask::Code { device: None, code: self.code(user, b), recovery: None }),
            4 => step(Ask::Code { device: Some(app), code: self.code(user, b), recovery: None }),
            5 => step(Ask::PreEnrol),
            6 => step(Ask::Confirm { code: self.code(user, b | 8), recovery: None }),
            7 => step(Ask::Send(Target::Mailbox)),
            8 => Event::Begin(Begin {
                tenant: tenant(),
                also: Vec::new(),
                application: None,
                email: Some(address()),
                first: FirstFactor::Password,
                epoch: None,
                nonce: None,
                cookie: Cookie::default(),
                agent: Label::default(),
            }),
            9 => act(Deed::PreEnrol),
            10 => {
                let (code, label) = (self.code(user, b | 8), Label::default());
                act(Deed::Confirm { code, label, recovery: None })
            }
            11 => {
                let proof =
                    if a & 8 == 0 { Proof::Session } else { Proof::Code(self.code(user, b)) };
                act(Deed::RemoveAuthenticator { device: app, proof })
            }
            12 => act(Deed::StepUp { max_age: u64::from(b), nonce: None }),
            13 => act(Deed::ForgetBrowsers {
                only: (a & 1 == 0).then(|| FamilyId::from_bytes([b; 16])),
            }),
            14 => match b & 7 {
                0 => Event::Report(Lifecycle::Disabled),
                1 => Event::Report(Lifecycle::Enabled),
                2 => Event::Report(Lifecycle::PasswordChanged { through_mailbox: Some(address()) }),
                3 => Event::Report(Lifecycle::AddressChanged { to: address() }),
                4 => act(Deed::RemoveAll { proof: Proof::Session }),
                5 => act(Deed::SignOutEverywhere),
                _ => Event::Report(Lifecycle::SignOutEverywhere),
            },
            _ => match self.records[user].recovery.iter().next() {
                Some(recovery) if b & 1 == 0 => Event::Recover(Recover {
                    evidence: Evidence { of: recovery.hash.clone(), matches: b & 2 == 0 },
                    email: Some(address()),
                    cookie: Cookie::default(),
                    agent: Label::default(),
                }),
                _ => Event::Refill(LinkId([b; 16])),
            },
        }
    }

    /// One move: who, what, and what goes wrong.
    fn go(&mut self, [who, what, a, b]: [u8; 4]) {
        let user = usize::from(who & 1);
        match who >> 4 {
            // Time passes; a clock goes wrong; the store forgets.
            1 | 2 => self.now += u64::from(a) * if b & 1 == 0 { 1 } else { 30 },
            3 if b & 1 == 0 => self.now = START + 60 + u64::from(a) * 3_600,
            4 => {
                self.records[user] = self.before[user].clone();
                self.forgot = true;
            }
            _ => {}
        }
        self.seeds += 1;
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&self.seeds.to_be_bytes());
        // Another node decides on what it looked at before: it loses the swap.
        let is_stale = who & 2 != 0;
        let looked = if is_stale { self.stale[user].clone() } else { self.records[user].clone() };
        let was = looked.clone();
        let event = self.event(user, what, a, b);
        let now = UnixTime::from_secs(self.now);
        let decision = decide(looked, &given(user), event, now, seed);
        let next = decision.record;
        assert!(decision.changed || decision.audits.is_empty(), "an event is worth a settle");
        self.check(&was, &next);
        self.stale[user] = self.records[user].clone();
        if is_stale || !decision.changed || who & 4 != 0 {
            return;
        }
        for audit in &decision.audits {
            if let What::Judged { verdict: Verdict::Won, .. } = audit.what
                && let Some(login) = audit.login
            {
                let fresh = self.won.insert((user, login, next.epoch.number()));
                let of_session = audit.by != countersign_ceremony::audit::By::Anybody;
                // A session is no login, and a login is forgotten when it ends.
                let was_open =
                    was.logins.iter().any(|of| of.id == login && of.spent && now < of.ends);
                assert!(fresh || self.forgot || of_session || !was_open, "a login was won twice");
            }
        }
        self.before[user] = std::mem::replace(&mut self.records[user], next);
    }

    fn check(&self, was: &Record, next: &Record) {
        for app in &next.authenticators {
            let before = was.authenticators.iter().find(|of| of.id() == app.id());
            assert!(before.is_none_or(|before| before.spent() <= app.spent()), "a step came back");
        }
        assert!(next.ledger.units() <= LEDGER_UNITS);
        assert!(next.logins.len() <= TOUCHED_LOGINS);
        assert!(next.pending.len() <= PENDING);
        assert!(next.authenticators.len() <= AUTHENTICATORS);
        assert!(next.browsers.list().len() <= countersign_remember::MOST);
        let bytes = postcard::to_allocvec(next).expect("a record is written");
        assert!(bytes.len() <= LARGEST, "{} bytes", bytes.len());
        let read: Record = postcard::from_bytes(&bytes).expect("and read");
        assert_eq!(postcard::to_allocvec(&read).expect("and written"), bytes);
    }
}

fuzz_target!(|data: &[u8]| {
    let mut world = World::new();
    for step in data.chunks_exact(4).take(MOST) {
        world.go([step[0], step[1], step[2], step[3]]);
    }
});
