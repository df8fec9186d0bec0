//! A flood of wrong passwords: costly work is bounded, and a known browser does not wait behind it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::support::authenticator::Authenticator;
use super::support::browser::Browser;
use super::support::clock::timed;
use super::support::config::{Config, EMAIL, PASSWORD};
use super::support::person::{AUTH, ENROL_VERIFY, Person, VENDOR_LOGINS, VERIFY};
use super::support::qr;
use super::support::server::Server;

/// Connections that try one wrong password after the other.
const STRANGERS: usize = 64;
/// Users whose codes are judged for the figures.
const USERS: usize = 50;
/// Asks for the figures; `docs/assurance.md` has the command.
const FIGURES: &str = "COUNTERSIGN_FLOOD";

fn served() -> Server {
    Config::new().line("failed_logins_per_minute = 0").line("malformed_per_minute = 0").serve()
}

fn wrong_password() -> Value {
    json!({"email": EMAIL, "password": "nobody's password"})
}

/// Runs something under the flood; how many of its wrong passwords were answered, and what came of it.
fn under_flood<T>(server: &Server, act: impl FnOnce(&AtomicUsize) -> T) -> (usize, T) {
    let (over, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..STRANGERS {
            let (over, answered) = (&over, &answered);
            let mut browser = server.browser().connected();
            scope.spawn(move || {
                while !over.load(Ordering::SeqCst) {
                    let status = browser.post(AUTH, &wrong_password()).status;
                    assert!([401, 429, 503].contains(&status), "{status}");
                    answered.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            // All of them wait, when the first ones have been answered.
            while answered.load(Ordering::SeqCst) < STRANGERS {
                std::thread::sleep(Duration::from_millis(5));
            }
            act(&answered)
        }));
        over.store(true, Ordering::SeqCst);
        let acted = ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (answered.load(Ordering::SeqCst), acted)
    })
}

#[test]
fn a_known_browser_logs_in_before_the_wrong_passwords_that_wait() {
    let server = served();
    let mut person = Person::known_to(&server);
    person.enrol();
    let (known, stranger) = (person.browser.connected(), server.browser().connected());
    let body = json!({"email": EMAIL, "password": PASSWORD});
    let (_, [known, stranger]) = under_flood(&server, |answered| {
        [known, stranger].map(|mut browser| {
            let overtaken = (0..5).map(|_| {
                let before = answered.load(Ordering::SeqCst);
                browser.post(AUTH, &body).expect(200);
                answered.load(Ordering::SeqCst) - before
            });
            let mut overtaken: Vec<usize> = overtaken.collect();
            overtaken.sort_unstable();
            overtaken[2]
        })
    });
    // Those in hand, a turn of the strangers, and what was answered on the way: not all that waited.
    assert!(known < STRANGERS / 3, "{known} strangers were answered first");
    assert!(known < stranger, "a stranger waits behind the others: {known} and {stranger}");
}

/// Named in docs/assurance.md: prints a known browser's login and the quantiles of an MFA verification, idle and under
/// the flood.
#[test]
fn figures_of_a_flood() {
    if std::env::var_os(FIGURES).is_none() {
        return super::support::tool::not_run("figures_of_a_flood", "COUNTERSIGN_FLOOD is not set");
    }
    let server = served();
    let mut person = Person::known_to(&server);
    person.enrol();
    let mut known = person.browser.connected();
    let vendor = server.browser().with_bearer(&server.vendor_token()).connected();
    let idle = verifications(&server, &vendor, "idle");
    let body = json!({"email": EMAIL, "password": PASSWORD});
    let mut login = || timed(|| known.post(AUTH, &body).expect(200)).0;
    let (lasted, (answered, (logins, busy))) = timed(|| {
        under_flood(&server, |_| {
            let logins: Vec<Duration> = (0..40).map(|_| login()).collect();
            (logins, verifications(&server, &vendor, "busy"))
        })
    });
    let rate = f64::from(u32::try_from(answered).unwrap()) / lasted.as_secs_f64();
    println!("wrong passwords answered: {answered}, {rate:.0} a second");
    let (idle, busy) = (quantiles(idle), quantiles(busy));
    println!("known browser's login under the flood, [p50, p99, most]: {:?}", quantiles(logins));
    println!("MFA verification idle, [p50, p99, most]: {idle:?}");
    println!("MFA verification under the flood, [p50, p99, most]: {busy:?}");
    println!("p99 to p99: {:.2}", busy[1].as_secs_f64() / idle[1].as_secs_f64());
}

/// How long wrong codes take to be judged and written, one after the other, over so many users.
fn verifications(server: &Server, vendor: &Browser, name: &str) -> Vec<Duration> {
    let mut vendor = vendor.clone();
    let mut browser = server.browser().connected();
    let mut took = Vec::new();
    for n in 0..USERS {
        let user = format!("{name}{n}");
        let who = json!({"tenantId": "acme", "userId": user, "email": format!("{user}@example.com"),
            "firstFactor": "password"});
        let first = vendor.post(VENDOR_LOGINS, &who).expect(200);
        let app = Authenticator::scan(&qr::read(&first));
        let confirmation = json!({"mfaToken": first.text("mfaToken"), "token": app.peek()});
        browser.post(ENROL_VERIFY, &confirmation).expect(201);
        browser.cookies.clear();
        // Below what a login and a window allow.
        for code in app.wrong_codes(8) {
            let login = vendor.post(VENDOR_LOGINS, &who).expect(200);
            let body = json!({"mfaToken": login.text("mfaToken"), "value": code});
            let (lasted, answer) = timed(|| browser.post(VERIFY, &body));
            took.push(lasted);
            answer.refused(400);
        }
    }
    took
}

fn quantiles(mut took: Vec<Duration>) -> [Duration; 3] {
    took.sort();
    let at = |of: usize| took[(took.len() - 1) * of / 1000];
    [at(500), at(990), at(1000)]
}
