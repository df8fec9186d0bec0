//! Keys turn while the server serves, by file and by a key management service that is slow or down.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::support::clock::wait_for;
use super::support::config::{Config, EMAIL, PASSWORD};
use super::support::person::{Enrolled, Person};
use super::support::server::{Server, countersign};

/// What a client may wait for a node to read its keys again.
const SOON: Duration = Duration::from_secs(20);

#[test]
fn keys_rotate_while_the_server_serves() {
    let server = Config::new().serve();
    let mut person = Person::known_to(&server);
    let Enrolled { mut app, answer, .. } = person.enrol();
    let mut session = person.browser.clone().with_bearer(&answer.text("accessToken"));
    let open = person.elsewhere().mfa_token();
    assert_eq!(list(&server).len(), 1);

    // Somebody logs in all the while, and nobody is told 503.
    let rotated = AtomicBool::new(false);
    let mut busy = person.elsewhere();
    let (asked, output) = std::thread::scope(|scope| {
        let logins = scope.spawn(|| {
            let mut asked = 0_u32;
            while !rotated.load(Ordering::Relaxed) {
                busy.login();
                asked += 1;
                // Under what one address may try.
                std::thread::sleep(Duration::from_millis(50));
            }
            asked
        });
        let output = keys(&["rotate", "--wait", "2"], &server.config());
        rotated.store(true, Ordering::Relaxed);
        (logins.join().unwrap(), output)
    });
    let said = succeeds(&output);
    assert!(said.ends_with("under key 2\n") && !said.starts_with("resealed 0"), "{said}");
    assert!(asked > 10, "{asked} logins meanwhile");
    assert!(String::from_utf8_lossy(&output.stderr).contains("of 1024 partitions"), "progress");

    let listed = list(&server);
    assert!(listed[0].starts_with("key 1: 0 records, "), "{listed:?}");
    assert!(listed[1].ends_with("seals") && !listed[1].starts_with("key 2: 0 "), "{listed:?}");
    assert!(server.log().contains("the key ring has turned"), "{}", server.log());

    // What the old key sealed and a client holds is still good: a login, a session.
    person.verify(&open, &app.code()).expect(201);
    session.get("users/v2/me").expect(200);

    // The old key goes only when it is told what that costs, and events that it sealed are delivered.
    let refused = keys(&["drop", "1"], &server.config());
    assert!(!refused.status.success());
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(told.contains("deliver them first") || told.contains("--and-its-tokens"), "{told}");
    let refused = keys(&["drop", "2", "--and-its-tokens"], &server.config());
    assert!(!refused.status.success(), "the key that seals is never taken out");

    // Without the old key in the ring everything in the database opens, also after a restart.
    let file = server.data().join("keys");
    let text = std::fs::read_to_string(&file).unwrap();
    let left: Vec<&str> = text.lines().filter(|line| !line.starts_with("key 1 ")).collect();
    let config = server.config();
    let directory = server.kill();
    std::fs::write(&file, left.join("\n")).unwrap();
    let sound = succeeds(
        &countersign().args(["store", "check", "--config"]).arg(&config).output().unwrap(),
    );
    assert!(sound.starts_with("sound "), "{sound}");
    let server = Server::serve(directory, &config);
    let mut person = Person::with_password(server.browser(), EMAIL, PASSWORD);
    let token = person.mfa_token();
    person.verify(&token, &app.code()).expect(201);
}

#[test]
fn a_key_that_nothing_needs_is_taken_out() {
    let (_directory, config) = Config::new().written(1);
    let events =
        succeeds(&countersign().args(["events", "--config"]).arg(&config).output().unwrap());
    assert_eq!(events, "", "no event is sealed under the first key");
    let early = keys(&["drop", "1", "--and-its-tokens"], &config);
    assert!(!early.status.success(), "it seals");
    succeeds(&keys(&["add"], &config));
    succeeds(&keys(&["seal-with", "2"], &config));
    let early = keys(&["drop", "1", "--and-its-tokens"], &config);
    let said = String::from_utf8_lossy(&early.stderr).into_owned();
    assert!(!early.status.success() && said.contains("`keys reseal` first"), "{said}");
    let resealed = succeeds(&keys(&["reseal"], &config));
    assert!(resealed.ends_with("records under key 2\n"), "{resealed}");
    let early = keys(&["drop", "1"], &config);
    let said = String::from_utf8_lossy(&early.stderr).into_owned();
    assert!(!early.status.success() && said.contains("--and-its-tokens"), "{said}");
    succeeds(&keys(&["drop", "1", "--and-its-tokens"], &config));
    let listed = succeeds(&keys(&["list"], &config));
    assert!(listed.starts_with("key 2: ") && listed.lines().count() == 1, "{listed}");
    // A third begins where the numbers ended: a number never stands for two keys.
    assert_eq!(succeeds(&keys(&["add"], &config)), "added key 3\n");
}

#[test]
fn a_record_under_an_unknown_key_is_refused_and_never_overwritten() {
    let server = Config::new().serve();
    let mut person = Person::known_to(&server);
    let Enrolled { mut app, .. } = person.enrol();
    let file = server.data().join("keys");
    let with_both = {
        succeeds(&keys(&["rotate", "--wait", "2"], &server.config()));
        std::fs::read_to_string(&file).unwrap()
    };
    let config = server.config();
    let directory = server.kill();

    // A node that was given the ring of before the rotation.
    let before: Vec<&str> = with_both
        .lines()
        .filter(|line| !line.starts_with("key 2 ") && !line.starts_with("newest"))
        .collect();
    std::fs::write(&file, before.join("\n")).unwrap();
    let refused = countersign().args(["serve", "--config"]).arg(&config).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("keys complete"), "{said}");

    std::fs::write(&file, with_both).unwrap();
    let server = Server::serve(directory, &config);
    let mut person = Person::with_password(server.browser(), EMAIL, PASSWORD);
    let token = person.mfa_token();
    person.verify(&token, &app.code()).expect(201);
}

#[test]
fn a_key_file_that_is_anothers_or_broken_changes_nothing() {
    let server = Config::new().serve();
    let mut person = Person::known_to(&server);
    person.login();
    let file = server.data().join("keys");
    let good = std::fs::read_to_string(&file).unwrap();
    let other = tempfile::tempdir().unwrap();
    let others = other.path().join("keys");
    succeeds(&countersign().args(["keys", "new", "--out"]).arg(&others).output().unwrap());
    for (bad, why) in [
        (std::fs::read_to_string(&others).unwrap(), "another root"),
        ("countersign-keys 1\nroot".to_owned(), "line 2"),
    ] {
        std::fs::write(&file, bad).unwrap();
        wait_for(SOON, || server.log().contains(why).then_some(())).expect(why);
        person.login();
    }
    std::fs::write(&file, good).unwrap();
    person.login();
}

#[test]
fn a_key_management_service_wraps_the_ring_and_may_be_away() {
    let place = tempfile::tempdir().unwrap();
    let (socket, kek) = (place.path().join("socket"), place.path().join("kek"));
    let program = example("kms");
    let kms = Service::start(&program, &socket, &kek, &[]);
    let line = format!(
        "kms = {{wrap = [{program:?}, 'wrap', {socket:?}], unwrap = [{program:?}, 'unwrap', {socket:?}], timeout_seconds = 2}}"
    );
    // The user was added by a command, which made the database; its ring is wrapped from the start.
    let server = Config::new().line(&line).serve();
    let file = server.data().join("keys");
    let wrapped = std::fs::read_to_string(&file).unwrap();
    assert!(wrapped.starts_with("countersign-wrapped-keys 1\n"), "{wrapped}");

    // It turns by the service too.
    let mut person = Person::known_to(&server);
    person.login();
    succeeds(&keys(&["rotate", "--wait", "3"], &server.config()));
    assert_ne!(std::fs::read_to_string(&file).unwrap(), wrapped);
    person.login();

    // Down: whoever serves goes on, who starts is told, and nothing is turned halfway.
    drop(kms);
    std::fs::remove_file(&socket).unwrap();
    let before = std::fs::read(&file).unwrap();
    assert!(!keys(&["add"], &server.config()).status.success());
    assert_eq!(std::fs::read(&file).unwrap(), before);
    std::fs::write(&file, &before).unwrap();
    wait_for(SOON, || server.log().contains("the keys in use stay").then_some(())).unwrap();
    person.login();
    let config = server.config();
    let directory = server.kill();
    let refused = countersign().args(["serve", "--config"]).arg(&config).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success(), "{said}");
    assert!(said.contains("the key management service refused"), "{said}");

    // Slow: the start waits as long as it was told to, and no longer.
    let slow = Service::start(&program, &socket, &kek, &["--slow", "30"]);
    let refused = countersign().args(["serve", "--config"]).arg(&config).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("no answer within 2 s"), "{said}");
    drop(slow);
    std::fs::remove_file(&socket).unwrap();

    // Back, and a little slow.
    let _kms = Service::start(&program, &socket, &kek, &["--slow", "1"]);
    let server = Server::serve(directory, &config);
    Person::with_password(server.browser(), EMAIL, PASSWORD).login();
}

#[test]
fn a_plain_key_file_is_wrapped_in_its_place() {
    let place = tempfile::tempdir().unwrap();
    let (socket, kek) = (place.path().join("socket"), place.path().join("kek"));
    let program = example("kms");
    let _kms = Service::start(&program, &socket, &kek, &[]);
    let server = Config::new().serve();
    let config = server.config();
    let directory = server.kill();
    // One that looks at what it is given.
    let seen = place.path().join("seen");
    let script =
        format!("env > {}; exec {} unwrap {}", seen.display(), program.display(), socket.display());
    let line = format!(
        "kms = {{wrap = [{program:?}, 'wrap', {socket:?}], unwrap = ['sh', '-c', {script:?}]}}\n"
    );
    std::fs::write(&config, line + &std::fs::read_to_string(&config).unwrap()).unwrap();
    let refused = countersign().args(["serve", "--config"]).arg(&config).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("countersign keys wrap"), "{said}");
    succeeds(&countersign().args(["keys", "wrap", "--config"]).arg(&config).output().unwrap());
    let server = Server::serve_with(directory, &config, "COUNTERSIGN_SERVICE", Path::new("Marked"));
    Person::with_password(server.browser(), EMAIL, PASSWORD).login();
    let seen = std::fs::read_to_string(seen).unwrap();
    assert!(seen.contains("PATH=") && !seen.contains("COUNTERSIGN"), "{seen}");
}

/// The example of a service, as a process.
struct Service(Child);

impl Service {
    fn start(program: &Path, socket: &Path, kek: &Path, more: &[&str]) -> Self {
        let mut command = Command::new(program);
        command.arg("serve").arg(socket).arg(kek).args(more).stdout(Stdio::null());
        let service = Self(command.spawn().unwrap());
        wait_for(SOON, || socket.exists().then_some(())).expect("the service is ready");
        service
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// An example's program. `cargo test` builds it, unless it was told of this test alone.
fn example(name: &str) -> PathBuf {
    let binary = Path::new(env!("CARGO_BIN_EXE_countersign"));
    let program = binary.with_file_name("examples").join(name);
    if !program.exists() {
        let mut command = Command::new(env!("CARGO"));
        command.args(["build", "-q", "-p", "countersign-server", "--example", name]);
        assert!(command.status().unwrap().success(), "example {name} builds");
    }
    program
}

fn list(server: &Server) -> Vec<String> {
    let listed = succeeds(&keys(&["list"], &server.config()));
    listed.lines().map(str::to_owned).collect()
}

fn keys(arguments: &[&str], config: &Path) -> Output {
    countersign().arg("keys").args(arguments).arg("--config").arg(config).output().unwrap()
}

/// It must have; what it printed.
#[track_caller]
fn succeeds(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
