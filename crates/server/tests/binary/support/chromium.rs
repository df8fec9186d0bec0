//! A real Chromium, by WebDriver (W3C) over chromedriver, with a virtual authenticator (WebAuthn Level 3, section 11).

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use base64ct::{Base64, Encoding};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::clock::wait_for;
use super::tool::Tool;

/// How long the page may take to show something.
const PATIENCE: Duration = Duration::from_secs(60);
/// An element's id is under this key (WebDriver, section 12.1).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// One window of one browser.
#[derive(Debug)]
pub(crate) struct Chromium {
    driver: Child,
    session: String,
    agent: ureq::Agent,
    /// Its profile, which goes with it.
    _profile: TempDir,
}

/// An authenticator that the browser believes in.
#[derive(Debug)]
pub(crate) struct Virtual(String);

impl Chromium {
    /// Starts it, on behalf of a test. None: it is not installed here.
    pub(crate) fn start(test: &str) -> Option<Self> {
        let [chromium, chromedriver] = Tool::find(["chromium", "chromedriver"], test)?;
        let mut driver = chromedriver
            .command()
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines().map(Result::unwrap);
        let port = lines.find_map(|line| {
            let port = line.split("on port ").nth(1)?.trim_end_matches('.').parse::<u16>().ok()?;
            (port != 0).then_some(port)
        });
        let port = port.expect("chromedriver says its port");
        // Read on, so that it never writes into a closed pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .build()
            .new_agent();
        let profile = tempfile::tempdir().unwrap();
        let mut browser = Self { driver, session: String::new(), agent, _profile: profile };
        browser.session = format!("http://127.0.0.1:{port}/session");
        let options = json!({
            "binary": chromium.path(),
            "args": [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--window-size=420,900",
                format!("--user-data-dir={}", browser._profile.path().display()),
            ],
        });
        let wanted = json!({
            "browserName": "chrome",
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL"},
        });
        let made = browser.post("", json!({"capabilities": {"alwaysMatch": wanted}}));
        let id = made["sessionId"].as_str().expect("a session").to_owned();
        browser.session = format!("{}/{id}", browser.session);
        Some(browser)
    }

    /// Plugs an authenticator in.
    pub(crate) fn plug(&self, transport: &str) -> Virtual {
        let made = self.post(
            "/webauthn/authenticator",
            json!({
                "protocol": "ctap2",
                "transport": transport,
                "hasResidentKey": true,
                "hasUserVerification": true,
                "isUserConsenting": true,
                "isUserVerified": true,
            }),
        );
        Virtual(made.as_str().expect("the authenticator's id").to_owned())
    }

    /// What an authenticator holds.
    pub(crate) fn credentials(&self, of: &Virtual) -> Vec<Value> {
        let held = self.send("GET", &format!("/webauthn/authenticator/{}/credentials", of.0), None);
        held.as_array().expect("a list").clone()
    }

    /// Puts a credential in the place of all that it holds.
    pub(crate) fn replace(&self, of: &Virtual, credential: Value) {
        let credentials = format!("/webauthn/authenticator/{}/credentials", of.0);
        self.send("DELETE", &credentials, None);
        self.post(&format!("/webauthn/authenticator/{}/credential", of.0), credential);
    }

    pub(crate) fn open(&self, url: &str) {
        self.post("/url", json!({"url": url}));
    }

    /// Waits until the page shows this view.
    #[track_caller]
    pub(crate) fn sees(&self, view: &str) {
        let seen = wait_for(PATIENCE, || (self.view() == view).then_some(()));
        assert!(seen.is_some(), "{view} is not shown, but {}: {}", self.view(), self.text("main"));
    }

    fn view(&self) -> String {
        let script = "return [...document.querySelectorAll('[data-view]')]\
                      .filter((section) => !section.hidden).map((section) => section.dataset.view).join()";
        self.run(script).as_str().unwrap_or_default().to_owned()
    }

    /// The text that is seen of an element.
    pub(crate) fn text(&self, css: &str) -> String {
        let script = format!("return document.querySelector({}).innerText", json!(css));
        self.run(&script).as_str().unwrap_or_default().to_owned()
    }

    /// Waits until an element has a text.
    #[track_caller]
    pub(crate) fn told(&self, css: &str) -> String {
        let told = wait_for(PATIENCE, || Some(self.text(css)).filter(|text| !text.is_empty()));
        told.unwrap_or_else(|| panic!("{css} says nothing: {}", self.text("main")))
    }

    /// Types into a field, as a keyboard would.
    pub(crate) fn write(&self, css: &str, text: &str) {
        let path = format!("/element/{}/value", self.element(css));
        self.post(&path, json!({"text": text}));
    }

    pub(crate) fn click(&self, css: &str) {
        self.post(&format!("/element/{}/click", self.element(css)), json!({}));
    }

    /// What the console has that is an error.
    pub(crate) fn errors(&self) -> Vec<Value> {
        let lines = self.post("/se/log", json!({"type": "browser"}));
        let lines = lines.as_array().cloned().unwrap_or_default();
        lines.into_iter().filter(|line| line["level"] == "SEVERE").collect()
    }

    /// A picture of the window, where `COUNTERSIGN_PICTURES` names a directory for it.
    pub(crate) fn picture(&self, name: &str) {
        let Some(directory) = std::env::var_os("COUNTERSIGN_PICTURES") else { return };
        let picture = self.send("GET", "/screenshot", None);
        let bytes = Base64::decode_vec(picture.as_str().unwrap());
        std::fs::write(Path::new(&directory).join(format!("{name}.png")), bytes.unwrap()).unwrap();
    }

    fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", json!({"script": script, "args": []}))
    }

    fn element(&self, css: &str) -> String {
        let found = self.post("/element", json!({"using": "css selector", "value": css}));
        found[ELEMENT].as_str().expect("an element").to_owned()
    }

    #[track_caller]
    fn post(&self, path: &str, body: Value) -> Value {
        self.send("POST", path, Some(body))
    }

    #[track_caller]
    fn send(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let url = format!("{}{path}", self.session);
        let request = ureq::http::Request::builder().method(method).uri(&url);
        let request = request.header("content-type", "application/json");
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let mut answer = self.agent.run(request.body(body).unwrap()).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        let told: Value = serde_json::from_str(&text).unwrap();
        assert!(answer.status().is_success(), "{method} {path}: {text}");
        told["value"].clone()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // The browser first: it does not go with its driver.
        let end = ureq::http::Request::delete(&self.session).body(String::new()).unwrap();
        self.agent.run(end).ok();
        self.driver.kill().ok();
        self.driver.wait().ok();
    }
}
