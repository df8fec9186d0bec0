//! Backups that are restored, and a database that moves to another while the server serves.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::json;

use super::support::config::Config;
use super::support::person::{Enrolled, Person};
use super::support::server::{Server, countersign};

#[test]
fn a_restored_backup_keeps_the_factors_and_honours_no_session() {
    let server = Config::new().serve();
    let mut person = Person::known_to(&server);
    let Enrolled { mut app, answer, .. } = person.enrol();
    let access = answer.text("accessToken");
    let backup = server.data().join("backup");
    succeeds(&run(&["backup", "--to"], &backup, &server.config()));
    let again = run(&["backup", "--to"], &backup, &server.config());
    assert!(!again.status.success(), "a backup never overwrites");
    let open = person.mfa_token();

    // What is in place is never overwritten either.
    let config = server.config();
    let refused = run(&["restore", "--from"], &backup, &config);
    assert!(!refused.status.success());
    let directory = server.kill();
    let data = directory.path().join("data");
    for name in ["countersign.sqlite", "countersign.sqlite-wal", "countersign.sqlite-shm"] {
        // The log may have gone with the last checkpoint.
        std::fs::remove_file(data.join(name)).ok();
    }
    succeeds(&run(&["restore", "--from"], &backup, &config));
    let sound = succeeds(&check(&config));
    assert!(sound.starts_with("sound "), "{sound}");

    let server = Server::serve(directory, &config);
    let mut person =
        Person::with_password(server.browser(), &person.email, super::support::config::PASSWORD);
    let mut session = server.browser().with_bearer(&access);
    assert_eq!(session.get("users/v2/me").status, 401, "a session from before");
    person.verify(&open, &app.code()).refused(401);
    let mfa_token = person.mfa_token();
    person.verify(&mfa_token, &app.code()).expect(201);
}

#[test]
fn everything_moves_to_another_database_while_the_server_serves() {
    let other = tempfile::tempdir().unwrap();
    let to = other.path().join("other.sqlite");
    let server = Config::new().serve();
    let mut person = Person::known_to(&server);
    let Enrolled { mut app, .. } = person.enrol();

    // What is new while it moves is made in the other database at once; what was there is copied.
    let config = server.config();
    let before = std::fs::read_to_string(&config).unwrap();
    let directory = server.kill();
    let moving = format!("moving_to = 'sqlite:{}'\n{before}", to.display());
    std::fs::write(&config, moving).unwrap();
    let server = Server::serve(directory, &config);
    let mut person =
        Person::with_password(server.browser(), &person.email, super::support::config::PASSWORD);
    let open = person.mfa_token();

    let moved = succeeds(&store("copy", &server.config()));
    assert!(moved.starts_with("moved ") && !moved.starts_with("moved 0"), "{moved}");
    let again = succeeds(&store("copy", &server.config()));
    assert!(again.starts_with("moved 0 records"), "{again}");
    person.verify(&open, &app.code()).expect(201);

    // A node that knows the old database alone refuses; one that knows the new one alone serves.
    let config = server.config();
    let told = std::fs::read_to_string(&config).unwrap();
    let directory = server.kill();
    let lines = || told.lines().filter(|line| !line.contains("moving_to"));
    let old: Vec<&str> = lines().collect();
    std::fs::write(&config, old.join("\n")).unwrap();
    let refused = countersign().args(["serve", "--config"]).arg(&config).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("moved to another database"), "{said}");

    let new = format!("database = 'sqlite:{}'\n{}", to.display(), old.join("\n"));
    std::fs::write(&config, new).unwrap();
    let server = Server::serve(directory, &config);
    let mut person =
        Person::with_password(server.browser(), &person.email, super::support::config::PASSWORD);
    let login = person.login();
    assert_eq!(login.body["mfaEnrolled"], json!(true));
    person.verify(&login.text("mfaToken"), &app.code()).expect(201);
}

fn run(arguments: &[&str], path: &Path, config: &PathBuf) -> Output {
    countersign().args(arguments).arg(path).arg("--config").arg(config).output().unwrap()
}

fn check(config: &PathBuf) -> Output {
    store("check", config)
}

fn store(command: &str, config: &PathBuf) -> Output {
    countersign().args(["store", command, "--config"]).arg(config).output().unwrap()
}

/// It must have; what it printed.
#[track_caller]
fn succeeds(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
