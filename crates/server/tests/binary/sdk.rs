//! Access tokens as services judge them: `@frontegg/client` and `jose`, unmodified, in Node; and keys that rotate. The
//! judge is `tests/node-sdk/judge.mjs`.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::http::Method;

use super::support::config::Config;
use super::support::person::{Person, VENDOR_LOGINS};
use super::support::server::{Server, config_file};
use super::support::tool::Tool;
use super::vendors;

const FILES: [&str; 3] = ["package.json", "package-lock.json", "judge.mjs"];
const CLIENT_ID: &str = "b6adfe4c-d695-4c04-b95f-3ec9fd0c6cca";

/// A fresh RSA key, as an operator makes one.
fn rsa_key(node: &Tool, directory: &TempDir, name: &str) -> PathBuf {
    let make = "const { privateKey } = require('crypto').generateKeyPairSync('rsa', { modulusLength: 2048 });\
                process.stdout.write(privateKey.export({ type: 'pkcs8', format: 'pem' }))";
    let pem = node.run(&["-e", make]);
    let path = directory.path().join(name);
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(&path).unwrap();
    writeln!(file, "{pem}").unwrap();
    path
}

fn serve(keys: &[&Path]) -> Server {
    Config::new().line(&format!("signing_keys = {keys:?}")).serve()
}

/// Two access tokens: of a login that proved a second factor, and of one that was not asked.
fn tokens(server: &Server) -> (String, String) {
    let proved = Person::known_to(server).enrol().answer.text("accessToken");
    let mut service = server.browser().with_bearer(&server.vendor_token());
    service = service.with_header("frontegg-application-id", "lax");
    let mut tenant = service.clone().with_header("frontegg-tenant-id", "acme");
    tenant
        .post("configurations/v1/mfa-policy", &json!({"enforceMFAType": "DontForce"}))
        .expect(201);
    let login = json!({"tenantId": "acme", "userId": "bob", "email": "bob@example.com", "firstFactor": "password"});
    (proved, service.post(VENDOR_LOGINS, &login).expect(200).text("accessToken"))
}

/// Lets the SDKs judge.
fn judge(tools: &[Tool; 2], server: &Server, algorithm: &str) {
    let [node, npm] = tools;
    let copy = tempfile::tempdir().unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/node-sdk");
    for file in FILES {
        std::fs::copy(source.join(file), copy.path().join(file)).unwrap();
    }
    let directory = copy.path().to_str().unwrap();
    npm.run(&["ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", directory]);
    let (client, secret) = vendors::add(server, &["--scope", "read"]);
    let (proved, plain) = tokens(server);
    let output = node
        .command()
        .args(["judge.mjs", &server.url, &client, &secret, &server.url, CLIENT_ID, algorithm])
        .args([&proved, &plain])
        .current_dir(copy.path())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let shown = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.trim().ends_with("done"), "{told}\n{shown}");
}

#[test]
fn the_vendors_server_sdk_takes_our_rs256_tokens_and_their_step_up() {
    let test = "the_vendors_server_sdk_takes_our_rs256_tokens_and_their_step_up";
    let Some(tools) = Tool::find(["node", "npm"], test) else { return };
    let keys = tempfile::tempdir().unwrap();
    let key = rsa_key(&tools[0], &keys, "key.pem");
    judge(&tools, &serve(&[&key]), "RS256");
}

#[test]
fn a_service_that_reads_the_key_set_takes_our_eddsa_tokens() {
    let test = "a_service_that_reads_the_key_set_takes_our_eddsa_tokens";
    let Some(tools) = Tool::find(["node", "npm"], test) else { return };
    let server = Config::new().serve();
    judge(&tools, &server, "EdDSA");
    let mut service = server.browser().with_bearer(&server.vendor_token());
    let told = service.get("configurations/v1").expect(200);
    assert!(
        told.text("publicKey").starts_with("-----BEGIN PUBLIC KEY-----\nMCow"),
        "{}",
        told.body
    );
    assert_eq!(told.body["id"], CLIENT_ID);
    server.browser().get("configurations/v1").refused(401);
}

#[test]
fn a_retired_key_is_published_and_taken_until_it_is_taken_out() {
    let test = "a_retired_key_is_published_and_taken_until_it_is_taken_out";
    let Some([node]) = Tool::find(["node"], test) else { return };
    let keys = tempfile::tempdir().unwrap();
    let [old, new] = ["old", "new"].map(|name| rsa_key(&node, &keys, name));
    let server = serve(&[&old]);
    let token = Person::known_to(&server).enrol().answer.text("accessToken");
    let me = |server: &Server| server.browser().with_bearer(&token).get("users/v2/me").status;
    assert_eq!(me(&server), 200);
    let first = published(&server);

    let again = |server: Server, from: &str, to: &str| {
        let directory = server.kill();
        let file = config_file(directory.path());
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(&file, text.replace(from, to)).unwrap();
        Server::serve(directory, &file)
    };
    let server = again(server, &format!("[{old:?}]"), &format!("[{new:?}, {old:?}]"));
    assert_eq!(me(&server), 200, "its session goes on");
    let second = published(&server);
    assert_ne!(second[0], first[0], "the new one signs");
    assert_eq!(second[1..], first[..], "the old one is still published");
    let server = again(server, &format!("[{new:?}, {old:?}]"), &format!("[{new:?}]"));
    assert_eq!(me(&server), 401);
    assert!(!published(&server).contains(&first[0]));
}

/// The ids of the published keys, the one that signs first.
fn published(server: &Server) -> Vec<Value> {
    let set = server.browser().send(Method::GET, "/.well-known/jwks.json", Vec::new()).expect(200);
    set.body["keys"].as_array().unwrap().iter().map(|key| key["kid"].clone()).collect()
}
