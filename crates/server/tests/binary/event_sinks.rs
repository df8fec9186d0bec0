//! Audit events at the operator's own systems: a file, syslog over UDP, TCP and a socket, a signed webhook. At least
//! once, whoever is down, and with an alarm before anything is lost or refused.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::support::clock::wait_for;
use super::support::config::{Config, free_port};
use super::support::events::Events;
use super::support::person::{Person, other_than};
use super::support::phone::{Answer, SECRET, Webhook};
use super::support::server::{Server, countersign};
use super::support::syslog::Syslog;

const PATIENCE: Duration = Duration::from_secs(30);
/// A node that was killed holds the outbox for 20 s.
const LEASE: Duration = Duration::from_secs(40);

fn with_file(config: Config, path: &Path) -> Config {
    config.line(&format!("events.sinks.file.file = '{}'", path.display()))
}

fn with_webhook(config: Config, hook: &Webhook) -> Config {
    config
        .line(&format!("events.sinks.siem.webhook = 'http://{}/events'", hook.address))
        .line(&format!("events.sinks.siem.secret = '{SECRET}'"))
        .line("events.sinks.siem.timeout_seconds = 2")
}

fn with_syslog(config: Config, name: &str, place: &str) -> Config {
    config.line(&format!("events.sinks.{name}.syslog = '{place}'"))
}

/// The events of a file of JSON lines, where there is one yet.
fn in_file(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    // A reader may come in the middle of a line.
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn at(hook: &Webhook) -> Vec<Value> {
    let requests = hook.all();
    requests.iter().flat_map(|request| request.body["events"].as_array().unwrap().clone()).collect()
}

fn ids(events: &[Value]) -> BTreeSet<String> {
    events.iter().map(|event| event["id"].as_str().expect("an id").to_owned()).collect()
}

/// Logins of so many users, each of which writes an event; how each was answered.
fn logins(server: &Server, name: &str, count: usize) -> Vec<u16> {
    let vendor = server.vendor_token();
    let login = |n| Person::vouched(server, &vendor, "acme", &format!("{name}{n}")).try_login();
    (0..count).map(|n| login(n).status).collect()
}

#[track_caller]
fn waits(what: &str, patience: Duration, mut is: impl FnMut() -> bool) {
    assert!(wait_for(patience, || is().then_some(())).is_some(), "{what}");
}

#[test]
fn every_sink_has_every_event_with_its_ids_and_its_real_reason_and_no_secret() {
    let directory = tempfile::tempdir().unwrap();
    let (path, socket) = (directory.path().join("events.jsonl"), directory.path().join("log"));
    let (udp, tcp, unix) = (Syslog::udp(), Syslog::tcp(0), Syslog::unix(&socket));
    let hook = Webhook::start(&[]);
    let config = with_webhook(with_file(Config::new(), &path), &hook);
    let config = with_syslog(config, "udp", &format!("udp://{}", udp.address()));
    let config = with_syslog(config, "tcp", &format!("tcp://{}", tcp.address()));
    let config = with_syslog(config, "dev", &format!("unix:{}", socket.display()));
    let server = config.serve();

    let mut person = Person::known_to(&server);
    let enrolled = person.enrol();
    let mut person = person.elsewhere();
    let mfa_token = person.mfa_token();
    let (mut app, wrong) = (enrolled.app, other_than(&enrolled.spent));
    person.verify(&mfa_token, &wrong).refused(400);
    person.verify(&mfa_token, &enrolled.spent).refused(400);
    let right = app.code();
    person.verify(&mfa_token, &right).expect(201);

    let grants =
        |events: &[Value]| events.iter().filter(|event| event["kind"] == json!("granted")).count();
    waits("both grants in the file", PATIENCE, || grants(&in_file(&path)) == 2);
    let events = in_file(&path);
    let verdicts: Vec<_> = events
        .iter()
        .filter(|event| event["kind"] == json!("judged"))
        .map(|event| event["verdict"].as_str().unwrap())
        .collect();
    assert_eq!(verdicts, ["won", "wrong", "replayed", "won"]);
    for event in &events {
        for key in ["id", "at", "kind", "node", "user", "tenant", "realm"] {
            assert!(!event[key].is_null(), "{key} in {event}");
        }
    }
    let text = std::fs::read_to_string(&path).unwrap();
    for secret in [&enrolled.spent, &wrong, &right, &enrolled.recovery_code, &mfa_token] {
        assert!(!text.contains(&format!("\"{secret}\"")), "{secret}");
    }
    assert!(!text.contains('@'), "no address: {text}");

    for (name, sink) in [("udp", &udp), ("tcp", &tcp), ("unix", &unix)] {
        waits(name, PATIENCE, || ids(&sink.events()) == ids(&events));
        for line in sink.lines() {
            let pri = if line.contains("wrong") || line.contains("replayed") { 84 } else { 85 };
            assert!(line.starts_with(&format!("<{pri}>1 20")), "{line}");
            assert!(line.contains(" countersign - "), "{line}");
        }
    }
    waits("the webhook", PATIENCE, || ids(&at(&hook)) == ids(&events));
    assert!(hook.all().iter().all(|request| request.headers.contains_key("idempotency-key")));
    waits("the outbox is empty", PATIENCE, || Events::read(&server.data()).is_empty());
    assert_eq!(in_file(&path).len(), events.len(), "none came twice");
}

#[test]
fn sinks_that_are_down_hold_up_nobody_and_have_everything_when_they_are_back() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events.jsonl");
    let hook = Webhook::start(&[Answer::Status(503), Answer::Never, Answer::Status(400)]);
    let port = free_port();
    let config = with_webhook(with_file(Config::new(), &path), &hook);
    let server = with_syslog(config, "tcp", &format!("tcp://127.0.0.1:{port}")).serve();

    assert!(logins(&server, "a", 20).iter().all(|status| *status < 300));
    waits("the file goes on", PATIENCE, || in_file(&path).len() >= 20);
    waits("the outbox empties", PATIENCE, || Events::read(&server.data()).is_empty());
    assert!(server.log().contains("a sink of events is down"), "{}", server.log());

    let tcp = Syslog::tcp(port);
    assert!(logins(&server, "b", 5).iter().all(|status| *status < 300));
    waits("the file", PATIENCE, || in_file(&path).len() >= 25);
    let all = ids(&in_file(&path));
    waits("the webhook is back", LEASE, || ids(&at(&hook)) == all);
    waits("syslog is back", LEASE, || ids(&tcp.events()) == all);
    assert_eq!(in_file(&path).len(), all.len(), "the file has none twice");
    // A file that was rotated away is left alone, and the next event begins another.
    let rotated = directory.path().join("events.1");
    std::fs::rename(&path, &rotated).unwrap();
    logins(&server, "c", 1);
    waits("a new file", PATIENCE, || !in_file(&path).is_empty());
    assert_eq!(ids(&in_file(&rotated)), all);
}

#[test]
fn killed_between_handing_out_and_forgetting_nothing_is_lost() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events.jsonl");
    // The first batch hangs at the webhook, when the file has it already.
    let hook = Webhook::start(&[Answer::Never]);
    let config = with_webhook(with_file(Config::new(), &path), &hook);
    let (held, file) = config.written(free_port());
    let server = Server::serve(held, &file);
    assert!(logins(&server, "a", 3).iter().all(|status| *status < 300));
    waits("the file has some", PATIENCE, || !in_file(&path).is_empty());
    let handed_out = ids(&in_file(&path));
    let held = server.kill();

    let server = Server::serve(held, &file);
    assert!(logins(&server, "b", 3).iter().all(|status| *status < 300));
    waits("the outbox empties", LEASE, || Events::read(&server.data()).is_empty());
    let all = ids(&in_file(&path));
    assert!(all.len() >= 6 && all.is_superset(&handed_out), "{all:?}");
    waits("the webhook has all", LEASE, || ids(&at(&hook)) == all);
    assert!(in_file(&path).len() > all.len(), "what was not forgotten came again");
}

#[test]
fn two_nodes_share_the_outbox_and_the_second_goes_on_when_the_first_dies() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events.jsonl");
    let config = with_file(Config::new(), &path);
    let (held, file) = config.written(free_port());
    let data = held.path().join("data");
    let first = Server::serve(held, &file);
    let second = tempfile::tempdir().unwrap();
    let file = second.path().join("countersign.toml");
    std::fs::write(&file, config.toml(&data, free_port())).unwrap();
    let second = Server::serve(second, &file);
    let vendor = first.vendor_token();
    let login = |server: &Server, user: &str| {
        Person::vouched(server, &vendor, "acme", user).try_login().expect(200);
    };
    for n in 0..10 {
        login(&first, &format!("a{n}"));
        login(&second, &format!("b{n}"));
    }
    waits("all of both", PATIENCE, || in_file(&path).len() >= 20);
    waits("the outbox empties", PATIENCE, || Events::read(&data).is_empty());
    let events = in_file(&path);
    for node in [&first, &second] {
        let node = json!(node.address().to_string());
        assert!(events.iter().any(|event| event["node"] == node), "{node} wrote some");
    }
    assert_eq!(ids(&events).len(), events.len(), "none came twice");

    let _data = first.kill();
    login(&second, "c");
    waits("the second goes on", LEASE, || in_file(&path).len() > events.len());
}

#[test]
fn a_full_outbox_refuses_with_an_alarm_before_and_nothing_is_lost() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events.jsonl");
    let port = free_port();
    let config = with_file(Config::new(), &path)
        .line("events.bound = 20")
        .line("events.when_full = 'refuse'");
    let server = with_syslog(config, "tcp", &format!("tcp://127.0.0.1:{port}")).serve();
    let mut accepted = 0;
    let mut round = 0;
    // The outbox may fill before the sink's backlog does, and empty into it once.
    waits("it refuses, after both alarms", PATIENCE, || {
        round += 1;
        let statuses = logins(&server, &format!("r{round}x"), 5);
        accepted += statuses.iter().filter(|status| **status < 300).count();
        assert!(statuses.iter().all(|status| *status < 300 || *status == 503), "{statuses:?}");
        let log = server.log();
        let told = |alarm| log.contains(alarm);
        statuses.contains(&503)
            && told("the backlog of a sink of events is nearly full")
            && told("the outbox of audit events is full")
    });
    // Each round's token of a service is an event too.
    assert!(accepted + round >= 20, "{accepted} logins in {round} rounds");

    let tcp = Syslog::tcp(port);
    waits("it takes logins again", LEASE, || logins(&server, "after", 1)[0] < 300);
    waits("the outbox empties", LEASE, || Events::read(&server.data()).is_empty());
    waits("both have all", LEASE, || {
        let all = ids(&in_file(&path));
        all.len() > accepted && ids(&tcp.events()) == all
    });
}

#[test]
fn a_full_outbox_drops_its_oldest_with_an_alarm_before_and_drains_in_steps() {
    let server = Config::new().line("events.bound = 20").serve();
    assert!(logins(&server, "a", 17).iter().all(|status| *status < 300));
    let alarm = || server.log().contains("the outbox of audit events is nearly full");
    waits("the alarm", PATIENCE, alarm);
    assert!(!server.log().contains("events is full"));
    assert!(logins(&server, "b", 20).iter().all(|status| *status < 300));
    waits("it is full", PATIENCE, || server.log().contains("the outbox of audit events is full"));

    let shown = Events::read(&server.data());
    assert_eq!(shown.len(), 20);
    let drain = |max: &str| {
        let mut command = countersign();
        command.args(["events", "drain", "--max", max, "--data"]).arg(server.data());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let first = drain("7");
    assert_eq!((first.len(), Events::read(&server.data()).len()), (7, 13));
    let rest = drain("1000");
    assert_eq!((rest.len(), Events::read(&server.data()).len()), (13, 0));
    let drained: BTreeSet<_> = first.into_iter().chain(rest).collect();
    assert_eq!(drained.len(), 20, "each once");
    waits("the alarm ends", PATIENCE, || server.log().contains("has room again"));
}
