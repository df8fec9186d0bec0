//! Every order in which a small world can go: two users, three clients, two nodes, and a store that loses requests and
//! replies. Where the simulation draws stories, this leaves none out, within its bounds.
//!
//! Each move is one that the engine makes: it looks at a record and decides, it settles, it resolves a settle whose reply
//! was lost. Decide is the real one; what it makes of a record is kept whole, so that equal worlds are met once.
//! `COUNTERSIGN_SMALL_WORLDS=larger` with `--release` lets more happen in one world.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use countersign_ceremony::assertion::FirstFactor;
use countersign_ceremony::audit::{Verdict, What};
use countersign_ceremony::claims::Login;
use countersign_ceremony::decide::{Ask, Cookie, Event, Given, Import, ImportedApp, Step, decide};
use countersign_ceremony::env::Env;
use countersign_ceremony::lifecycle::Lifecycle;
use countersign_ceremony::policy::{Enforce, Policy};
use countersign_ceremony::record::Record;
use countersign_device::{Label, LoginId, RealmId, TenantId, UserId, UserKey};
use countersign_otp::{Code, Secret, Totp, UnixTime};
use countersign_vault::Vault;
use stateright::{Checker, HasDiscoveries, Model, Property};

/// When the apps moved in: their codes of that step are spent.
const MOVED_IN: u64 = 1_800_000_000;
const START: u64 = MOVED_IN + 60;
const STEP: u64 = 30;
/// How far each node's clock is off, in seconds.
const SKEWS: [u64; 2] = [0, 5];
/// Failures that a window takes.
const BUDGET: u8 = 1;

/// Who asks: the owner, a thief who knows the password and sees each code that the owner types, and somebody else.
const CLIENTS: [(Client, usize); 3] =
    [(Client::Owner, ALICE), (Client::Thief, ALICE), (Client::Bob, BOB)];
const ALICE: usize = 0;
const BOB: usize = 1;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Client {
    Owner,
    Thief,
    Bob,
}

/// What is asked.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Asked {
    /// The code that the app shows at this step of the world.
    Code(u8),
    /// A code that is wrong.
    Wrong,
    /// Everything that is open ends.
    SignOut,
}

/// What decide made of a record.
#[derive(PartialEq, Eq, Hash, Debug)]
struct Decided {
    next: Vec<u8>,
    changed: bool,
    granted: bool,
    /// Judged, and not right.
    failed: bool,
}

/// A request on its way. `write` is drawn once a request.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Phase {
    Idle,
    Asked,
    Looked { node: usize, expected: Version, decided: Arc<Decided> },
    Unsure { node: usize, expected: Version, decided: Arc<Decided> },
}

/// How many writes, and the last of them.
type Version = (u8, u8);

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Request {
    asked: Option<Asked>,
    /// Which of the client's.
    number: u8,
    phase: Phase,
    /// How often it was committed.
    commits: u8,
}

/// A user's record in the store.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Row {
    version: Version,
    bytes: Arc<Vec<u8>>,
    before: Arc<Vec<u8>>,
    writes: Vec<u8>,
    /// Failures that were committed.
    failures: u8,
    /// The codes that won, by the step at which they were shown.
    won: Vec<u8>,
    signed_out: bool,
}

/// What must not happen.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Broken {
    TwoWinners,
    OverBudget,
    StepForgotten,
    NoCommit,
    CommittedTwice,
    EpochOutlived,
    KeysMixed,
}

/// What has to be seen, or nothing was shown.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Seen {
    Won,
    Refused,
    SwapLost,
    ResolvedWon,
    ResolvedAgain,
    SignedOutMeanwhile,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct State {
    ticks: u8,
    faults: u8,
    rows: [Row; 2],
    requests: [Request; 3],
    broken: Option<Broken>,
    seen: Option<Seen>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Fate {
    Arrives,
    RequestLost,
    ReplyLost,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Move {
    Ask(usize, Asked),
    Look(usize, usize),
    Settle(usize, Fate),
    Resolve(usize),
    Crash(usize),
    Tick,
}

/// An engine or a store that does it wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Bug {
    /// The last writer wins.
    NoSwap,
    /// A replica answers the look, of the record before.
    StaleLook,
    /// A settle whose reply was lost is decided again, whatever came of it.
    RetriesBlindly,
    /// The answer goes before the settle.
    TellsFirst,
    /// The epoch stays.
    NoEpoch,
    /// Two users have one record.
    OneKey,
    /// What a failure costs is left out.
    NoLedger,
    /// Signing out brings the apps back as they moved in.
    StepsComeBack,
}

const BUGS: [(Bug, Broken); 8] = [
    (Bug::NoSwap, Broken::TwoWinners),
    (Bug::StaleLook, Broken::TwoWinners),
    (Bug::RetriesBlindly, Broken::CommittedTwice),
    (Bug::TellsFirst, Broken::NoCommit),
    (Bug::NoEpoch, Broken::EpochOutlived),
    (Bug::OneKey, Broken::KeysMixed),
    (Bug::NoLedger, Broken::OverBudget),
    (Bug::StepsComeBack, Broken::StepForgotten),
];

type Known = HashMap<(Vec<u8>, usize, u8, Asked, u64), Arc<Decided>>;

/// How much may happen in one world.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// How often each client asks.
    asks: [u8; 3],
    /// How much goes wrong: requests and replies that are lost, nodes that crash.
    faults: u8,
}

/// All three clients once; and the two at one account twice, with more faults.
const SMALL: [Bounds; 2] =
    [Bounds { asks: [1, 1, 1], faults: 1 }, Bounds { asks: [2, 2, 0], faults: 1 }];
const LARGER: [Bounds; 3] = [
    Bounds { asks: [2, 2, 1], faults: 1 },
    Bounds { asks: [2, 2, 0], faults: 3 },
    Bounds { asks: [3, 3, 0], faults: 1 },
];

struct Small {
    bounds: Bounds,
    bug: Option<Bug>,
    users: [UserKey; 2],
    secrets: [Secret; 2],
    first: [Record; 2],
    policy: Policy,
    vault: Arc<dyn Vault>,
    known: Mutex<Known>,
}

fn tenant() -> TenantId {
    TenantId::parse("acme").unwrap()
}

impl Small {
    fn new(bounds: Bounds, bug: Option<Bug>) -> Self {
        let vault = Env::for_tests().unwrap().vault;
        let realm = RealmId::parse("main").unwrap();
        let users =
            ["alice", "bob"].map(|id| UserKey::new(realm.clone(), UserId::parse(id).unwrap()));
        let secrets = [[1_u8; 20], [2; 20]].map(|bytes| Secret::from_bytes(&bytes).unwrap());
        let policy = Policy { enforce: Enforce::Force, max_attempts: BUDGET, ..Policy::default() };
        let first = [ALICE, BOB].map(|user| {
            let app = ImportedApp {
                secret: secrets[user].clone(),
                totp: Totp::DEFAULT,
                spent: None,
                label: Label::default(),
                is_locked: false,
            };
            let import = Import { tenants: vec![tenant()], apps: vec![app], ..Import::default() };
            let given = Given { user: &users[user], policy: &policy, vault: &*vault, node: "0" };
            let event = Event::Import(Box::new(import));
            let now = UnixTime::from_secs(MOVED_IN);
            decide(Record::default(), &given, event, now, [9; 32]).record
        });
        Self { bounds, bug, users, secrets, first, policy, vault, known: Mutex::default() }
    }

    fn login(&self, client: usize) -> Login {
        let user = CLIENTS[client].1;
        Login {
            id: LoginId::from_bytes([u8::try_from(client).unwrap() + 1; 16]),
            user: self.users[user].clone(),
            tenant: tenant(),
            application: None,
            email: None,
            issued: UnixTime::from_secs(START),
            first: FirstFactor::Password,
            epoch: self.first[user].epoch,
            binding: None,
            mailbox_proven: false,
            session: None,
        }
    }

    fn code(&self, user: usize, tick: u8) -> Code {
        let at = UnixTime::from_secs(START + STEP * u64::from(tick));
        Totp::DEFAULT.code(&Totp::DEFAULT.key(&self.secrets[user]), Totp::DEFAULT.step_at(at))
    }

    /// A code that no step of this world has.
    fn wrong(&self, user: usize) -> Code {
        let shown: Vec<Code> = (0..8).map(|tick| self.code(user, tick)).collect();
        let codes = (0..20).map(|n| Code::parse(&format!("{n:06}")).unwrap());
        codes.into_iter().find(|code| shown.iter().all(|it| it.as_str() != code.as_str())).unwrap()
    }

    /// What decide makes of a record, and of nothing else.
    fn decided(&self, state: &State, client: usize, node: usize, bytes: &[u8]) -> Arc<Decided> {
        let (user, request) = (CLIENTS[client].1, &state.requests[client]);
        let asked = request.asked.unwrap();
        let now = START + STEP * u64::from(state.ticks) + SKEWS[node];
        let key = (bytes.to_vec(), client, request.number, asked, now);
        if let Some(known) = self.known.lock().unwrap().get(&key) {
            return Arc::clone(known);
        }
        let code = match asked {
            Asked::Code(tick) => Some(self.code(user, tick)),
            Asked::Wrong => Some(self.wrong(user)),
            Asked::SignOut => None,
        };
        let event = match code {
            Some(code) => Event::Step(Box::new(Step {
                login: self.login(client),
                cookie: Cookie::default(),
                agent: Label::default(),
                nonce: None,
                session: None,
                ask: Ask::Code { device: None, code, recovery: None },
                remember: false,
            })),
            None => Event::Report(Lifecycle::SignOutEverywhere),
        };
        let given =
            Given { user: &self.users[user], policy: &self.policy, vault: &*self.vault, node: "0" };
        let record: Record = postcard::from_bytes(bytes).unwrap();
        let (ledger, floor) = (record.ledger.clone(), record.strangers_floor);
        let mut seed = [7; 32];
        seed[0] = u8::try_from(client).unwrap();
        seed[1] = request.number;
        let decision = decide(record, &given, event, UnixTime::from_secs(now), seed);
        let mut next = decision.record;
        match self.bug {
            Some(Bug::NoEpoch) => next.epoch = self.first[user].epoch,
            Some(Bug::NoLedger) => (next.ledger, next.strangers_floor) = (ledger, floor),
            Some(Bug::StepsComeBack) if asked == Asked::SignOut => {
                next.authenticators.clone_from(&self.first[user].authenticators);
            }
            _ => {}
        }
        let told = |wanted: fn(&What) -> bool| decision.audits.iter().any(|it| wanted(&it.what));
        let decided = Arc::new(Decided {
            next: postcard::to_allocvec(&next).unwrap(),
            changed: decision.changed,
            granted: told(|what| matches!(what, What::Granted { .. })),
            failed: told(
                |what| matches!(what, What::Judged { verdict, .. } if *verdict != Verdict::Won),
            ),
        });
        self.known.lock().unwrap().insert(key, Arc::clone(&decided));
        decided
    }

    fn commit(&self, state: &mut State, client: usize, decided: &Decided) {
        let user = if self.bug == Some(Bug::OneKey) { ALICE } else { CLIENTS[client].1 };
        let request = &mut state.requests[client];
        let (row, write) = (&mut state.rows[user], write(client, request.number));
        request.commits += 1;
        let was: Record = postcard::from_bytes(&row.bytes).unwrap();
        let is: Record = postcard::from_bytes(&decided.next).unwrap();
        if request.commits > 1 {
            state.broken = Some(Broken::CommittedTwice);
        }
        if is.owner != Some(self.users[user].clone()) {
            state.broken = Some(Broken::KeysMixed);
        } else if is.authenticators[0].spent() < was.authenticators[0].spent() {
            state.broken = Some(Broken::StepForgotten);
        }
        row.version = (row.version.0 + 1, write);
        row.before = std::mem::replace(&mut row.bytes, Arc::new(decided.next.clone()));
        row.writes.push(write);
        row.failures += u8::from(decided.failed);
        if row.failures > BUDGET {
            state.broken = Some(Broken::OverBudget);
        }
        match request.asked.unwrap() {
            Asked::Code(tick) if decided.granted => {
                if row.signed_out {
                    state.broken = Some(Broken::EpochOutlived);
                }
                if row.won.contains(&tick) {
                    state.broken = Some(Broken::TwoWinners);
                }
                row.won.push(tick);
            }
            Asked::SignOut => {
                row.signed_out = true;
                let under_way = |of: &Request| matches!(of.phase, Phase::Looked { .. });
                if state.requests.iter().filter(|of| under_way(of)).count() > 1 {
                    state.seen = Some(Seen::SignedOutMeanwhile);
                }
            }
            _ => {}
        }
    }

    /// The client has an answer.
    fn answer(state: &mut State, client: usize, decided: &Decided) {
        let request = &mut state.requests[client];
        if decided.granted && request.commits == 0 {
            state.broken = Some(Broken::NoCommit);
        }
        state.seen = state.seen.or(match (decided.granted, decided.changed) {
            (true, _) => Some(Seen::Won),
            (false, false) => Some(Seen::Refused),
            (false, true) => None,
        });
        request.asked = None;
        request.phase = Phase::Idle;
        request.commits = 0;
    }
}

/// The id of a request's write.
fn write(client: usize, number: u8) -> u8 {
    u8::try_from(client).unwrap() * 16 + number
}

impl Model for Small {
    type State = State;
    type Action = Move;

    fn init_states(&self) -> Vec<State> {
        let row = |user: usize| {
            let bytes = Arc::new(postcard::to_allocvec(&self.first[user]).unwrap());
            Row {
                version: (1, 0),
                before: Arc::clone(&bytes),
                bytes,
                writes: Vec::new(),
                failures: 0,
                won: Vec::new(),
                signed_out: false,
            }
        };
        let request = Request { asked: None, number: 0, phase: Phase::Idle, commits: 0 };
        vec![State {
            ticks: 0,
            faults: 0,
            rows: [row(ALICE), row(BOB)],
            requests: std::array::from_fn(|_| request.clone()),
            broken: None,
            seen: None,
        }]
    }

    fn actions(&self, state: &State, moves: &mut Vec<Move>) {
        if state.broken.is_some() {
            return;
        }
        let may_fail = state.faults < self.bounds.faults;
        for (client, request) in state.requests.iter().enumerate() {
            match &request.phase {
                Phase::Idle if request.number < self.bounds.asks[client] => {
                    let code = Asked::Code(state.ticks);
                    let asks = match CLIENTS[client].0 {
                        Client::Owner => [code, Asked::SignOut],
                        Client::Thief | Client::Bob => [code, Asked::Wrong],
                    };
                    moves.extend(asks.map(|asked| Move::Ask(client, asked)));
                }
                Phase::Idle => {}
                Phase::Asked => moves.extend([0, 1].map(|node| Move::Look(client, node))),
                Phase::Looked { .. } => {
                    moves.push(Move::Settle(client, Fate::Arrives));
                    if may_fail {
                        let fates = [Fate::RequestLost, Fate::ReplyLost];
                        moves.extend(fates.map(|fate| Move::Settle(client, fate)));
                    }
                }
                Phase::Unsure { .. } => moves.push(Move::Resolve(client)),
            }
        }
        if may_fail {
            moves.extend([0, 1].map(Move::Crash));
        }
        if state.ticks == 0 {
            moves.push(Move::Tick);
        }
    }

    fn next_state(&self, last: &State, action: Move) -> Option<State> {
        let mut state = State { seen: None, ..last.clone() };
        match action {
            Move::Tick => state.ticks += 1,
            Move::Ask(client, asked) => {
                let request = &mut state.requests[client];
                request.asked = Some(asked);
                request.number += 1;
                request.phase = Phase::Asked;
            }
            Move::Look(client, node) => {
                let row = &state.rows[CLIENTS[client].1];
                let is_stale = self.bug == Some(Bug::StaleLook) && node == 1;
                let bytes = Arc::clone(if is_stale { &row.before } else { &row.bytes });
                let expected = row.version;
                let decided = self.decided(&state, client, node, &bytes);
                if !decided.changed || self.bug == Some(Bug::TellsFirst) {
                    Self::answer(&mut state, client, &decided);
                } else {
                    state.requests[client].phase = Phase::Looked { node, expected, decided };
                }
            }
            Move::Settle(client, fate) => {
                let Phase::Looked { node, expected, decided } = last.requests[client].phase.clone()
                else {
                    return None;
                };
                let row = &state.rows[CLIENTS[client].1];
                let wins = row.version == expected || self.bug == Some(Bug::NoSwap);
                if wins && fate != Fate::RequestLost {
                    self.commit(&mut state, client, &decided);
                }
                match fate {
                    Fate::Arrives if wins => Self::answer(&mut state, client, &decided),
                    Fate::Arrives => {
                        state.seen = Some(Seen::SwapLost);
                        state.requests[client].phase = Phase::Asked;
                    }
                    Fate::RequestLost | Fate::ReplyLost => {
                        state.faults += 1;
                        state.requests[client].phase = Phase::Unsure { node, expected, decided };
                    }
                }
            }
            Move::Resolve(client) => {
                let Phase::Unsure { expected, decided, .. } = last.requests[client].phase.clone()
                else {
                    return None;
                };
                let row = &state.rows[CLIENTS[client].1];
                let write = write(client, last.requests[client].number);
                if self.bug == Some(Bug::RetriesBlindly) {
                    state.requests[client].phase = Phase::Asked;
                } else if row.version == expected {
                    self.commit(&mut state, client, &decided);
                    Self::answer(&mut state, client, &decided);
                    state.seen = Some(Seen::ResolvedAgain);
                } else if row.version == (expected.0 + 1, write) || row.writes.contains(&write) {
                    Self::answer(&mut state, client, &decided);
                    state.seen = Some(Seen::ResolvedWon);
                } else {
                    state.requests[client].phase = Phase::Asked;
                }
            }
            Move::Crash(node) => {
                state.faults += 1;
                for request in &mut state.requests {
                    match request.phase {
                        Phase::Looked { node: at, .. } | Phase::Unsure { node: at, .. }
                            if at == node =>
                        {
                            request.asked = None;
                            request.phase = Phase::Idle;
                            request.commits = 0;
                        }
                        _ => {}
                    }
                }
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        macro_rules! never {
            ($($broken:ident)*) => {
                [$(Property::always(stringify!($broken), |_: &Self, state: &State| {
                    state.broken != Some(Broken::$broken)
                })),*]
            };
        }
        macro_rules! once {
            ($($seen:ident)*) => {
                [$(Property::sometimes(stringify!($seen), |_: &Self, state: &State| {
                    state.seen == Some(Seen::$seen)
                })),*]
            };
        }
        let broken = never! {
            TwoWinners OverBudget StepForgotten NoCommit CommittedTwice EpochOutlived KeysMixed
        };
        let seen = once!(Won Refused SwapLost ResolvedWon ResolvedAgain SignedOutMeanwhile);
        broken.into_iter().chain(seen).collect()
    }
}

fn explore(small: Small) -> impl Checker<Small> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let until = HasDiscoveries::AnyFailures;
    small.checker().threads(threads).finish_when(until).spawn_bfs().join()
}

#[test]
fn every_order_of_a_small_world_holds() {
    let larger = std::env::var("COUNTERSIGN_SMALL_WORLDS").is_ok_and(|size| size == "larger");
    for bounds in if larger { &LARGER[..] } else { &SMALL[..] } {
        let checker = explore(Small::new(*bounds, None));
        let (met, different) = (checker.state_count(), checker.unique_state_count());
        println!("{bounds:?}: {met} worlds, {different} of them different");
        checker.assert_properties();
    }
}

#[test]
fn each_planted_bug_is_found() {
    for (bug, broken) in BUGS {
        let found = SMALL.iter().any(|bounds| {
            let found = explore(Small::new(*bounds, Some(bug))).discoveries();
            found.contains_key(&*format!("{broken:?}"))
        });
        assert!(found, "{bug:?} does not show as {broken:?}");
    }
    for property in Small::new(SMALL[0], None).properties() {
        let is_never = matches!(property.expectation, stateright::Expectation::Always);
        let has_bug = BUGS.iter().any(|(_, broken)| format!("{broken:?}") == property.name);
        assert!(!is_never || has_bug, "{} is broken by no bug", property.name);
    }
}
