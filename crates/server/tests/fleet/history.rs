//! What clients were told, and what must hold of it: no code accepted twice, no acknowledged
//! enrolment lost, and nothing but 503 while the database is away.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use ureq::http::Method;

use super::fleet::{Fleet, NODES};
use super::support::authenticator::Authenticator;
use super::support::browser::{Answer, Browser};
use super::support::clock::{now, wait_for};
use super::support::person::{ENROL_VERIFY, VENDOR_LOGINS, VERIFY};
use super::support::qr;
use super::support::race::race;

/// The tenant of the fleet's configuration.
const TENANT: &str = "acme";

/// How long after the database's return a node may take to serve.
const BACK: Duration = Duration::from_secs(15);

/// A user whose enrolment was acknowledged.
#[derive(Debug)]
struct Acknowledged {
    user: String,
    app: Authenticator,
    /// The step that confirmed the enrolment.
    step: u64,
    /// How often the code of the step after it was accepted, over all that was ever sent.
    accepted: usize,
}

/// What all clients were told.
#[derive(Debug)]
pub(crate) struct History<'f> {
    fleet: &'f Fleet,
    acknowledged: Mutex<Vec<Acknowledged>>,
    broken: Mutex<Vec<String>>,
    /// Odd while the database is away.
    away: AtomicU64,
    /// Nothing is broken on purpose: no node that answers says that it cannot.
    faultless: bool,
}

impl<'f> History<'f> {
    pub(crate) fn of(fleet: &'f Fleet) -> Self {
        Self {
            fleet,
            acknowledged: Mutex::default(),
            broken: Mutex::default(),
            away: AtomicU64::new(0),
            faultless: false,
        }
    }

    /// Of a fleet in which nothing is broken on purpose: 503 is no answer either.
    pub(crate) fn without_faults(fleet: &'f Fleet) -> Self {
        Self { faultless: true, ..Self::of(fleet) }
    }

    /// How many enrolments were acknowledged so far.
    fn acknowledged(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    /// The database went away, or came back.
    pub(crate) fn turned(&self) {
        self.away.fetch_add(1, Ordering::SeqCst);
    }

    /// Does this while so many clients live one user after the other, then judges. Should it fail, the clients end with it.
    pub(crate) fn while_clients_live(self, clients: usize, work: impl FnOnce(&Self)) {
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for client in 0..clients {
                let (history, over) = (&self, &over);
                scope.spawn(move || {
                    for n in 0.. {
                        if over.load(Ordering::SeqCst) {
                            break;
                        }
                        history.live(&format!("user{client}-{n}"), client + n);
                    }
                });
            }
            let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&self)));
            over.store(true, Ordering::SeqCst);
            if let Err(panic) = ended {
                std::panic::resume_unwind(panic);
            }
        });
        self.judge();
    }

    /// Waits until so many more enrolments are acknowledged.
    #[track_caller]
    pub(crate) fn goes_on(&self, more: usize, when: &str) {
        let enough = self.acknowledged() + more;
        let loaded =
            wait_for(Duration::from_secs(60), || (self.acknowledged() >= enough).then_some(()));
        assert!(loaded.is_some(), "{when}: no load");
    }

    /// One user from the first login on: enrols at one node, then sends one code to all of them at
    /// once.
    fn live(&self, user: &str, at: usize) {
        let Some(login) = self.login(user, at) else { return };
        let app = Authenticator::scan(&qr::read(&login));
        let step = now() / app.period();
        let body = json!({"mfaToken": login.text("mfaToken"), "token": app.at_step(step)});
        let told = self.told(&mut self.fleet.browser(at), ENROL_VERIFY, &body);
        if told.is_none_or(|answer| answer.status != 201) {
            return;
        }
        let mut known = Acknowledged { user: user.to_owned(), app, step, accepted: 0 };
        known.accepted = self.race(&known);
        self.acknowledged.lock().unwrap().push(known);
    }

    /// Opens a login a node, and sends the next code under all of them at once; how many it won.
    fn race(&self, known: &Acknowledged) -> usize {
        let code = known.app.at_step(known.step + 1);
        let logins: Vec<(usize, Answer)> =
            (0..NODES).filter_map(|node| Some((node, self.login(&known.user, node)?))).collect();
        let senders = logins.into_iter().map(|(node, login)| {
            let body = json!({"mfaToken": login.text("mfaToken"), "value": code});
            move || self.told(&mut self.fleet.browser(node), VERIFY, &body)
        });
        let answers = race(senders.collect());
        answers.into_iter().flatten().filter(|answer| answer.status == 201).count()
    }

    /// Passes the first factor, where the node answers so.
    fn login(&self, user: &str, node: usize) -> Option<Answer> {
        let who = json!({
            "tenantId": TENANT,
            "userId": user,
            "email": format!("{user}@example.com"),
            "firstFactor": "password",
        });
        let mut vendor = self.fleet.browser(node).with_bearer(&self.fleet.vendor_token);
        self.told(&mut vendor, VENDOR_LOGINS, &who).filter(|answer| answer.status == 200)
    }

    /// Asks a node that may be dead. An answer that came whole while the database was away says so.
    fn told(&self, browser: &mut Browser, route: &str, body: &Value) -> Option<Answer> {
        let before = self.away.load(Ordering::SeqCst);
        let path = browser.path(route);
        let answer = browser.try_send(Method::POST, &path, body.to_string().into_bytes()).ok()?;
        let away = before % 2 == 1 && before == self.away.load(Ordering::SeqCst);
        let status = answer.status;
        let fits =
            if away { status == 503 } else { [200, 201, 400, 401, 429, 503].contains(&status) };
        let fits = fits && !(self.faultless && status == 503);
        if !fits {
            let what = format!("{route} answered {status}, away: {away}: {}", answer.body);
            self.broken.lock().unwrap().push(what);
        }
        Some(answer)
    }

    /// Every node serves again, soon after the database's return.
    pub(crate) fn served_again(&self, round: usize) {
        for node in 0..NODES {
            let user = format!("probe{round}-{node}");
            let served = wait_for(BACK, || self.login(&user, node));
            assert!(served.is_some(), "node {node} serves nobody {} s after", BACK.as_secs());
        }
    }

    /// Holds the fleet, as it stands now, to what clients were told.
    fn judge(self) {
        let broken = self.broken.lock().unwrap();
        assert!(broken.is_empty(), "{}", broken.join("\n"));
        let acknowledged = self.acknowledged.lock().unwrap();
        for (at, known) in acknowledged.iter().enumerate() {
            let user = &known.user;
            let login = self.login(user, at).expect("a login");
            assert_ne!(login.body["mfaEnrolled"], json!(false), "{user} was told 201 and is lost");
            // Spent codes stay spent, on every node.
            let spent =
                json!({"mfaToken": login.text("mfaToken"), "value": known.app.at_step(known.step)});
            let told = self.told(&mut self.fleet.browser(at), VERIFY, &spent);
            assert_ne!(told.map(|answer| answer.status), Some(201), "{user}: accepted twice");
            let accepted = known.accepted + self.race(known);
            assert!(accepted <= 1, "{user}: one code was accepted {accepted} times");
        }
    }
}
