//! A small blocking HTTP client with cookies handled in the open, so that a test sees each of them.

use std::collections::BTreeMap;
use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::Value;
use ureq::http::{HeaderMap, Method, Request};

use super::canaries;

/// Nothing here may take longer: a server that hangs fails the test and does not stop the run.
const PATIENCE: Duration = Duration::from_secs(60);

/// One browser (or SDK): a base URL, a path prefix, cookies, and headers that go with each request.
#[derive(Clone, Debug)]
pub(crate) struct Browser {
    agent: ureq::Agent,
    base: String,
    prefix: &'static str,
    /// Name and value of each cookie, as a browser would keep them.
    pub(crate) cookies: BTreeMap<String, String>,
    headers: Vec<(String, String)>,
}

/// An answer, read whole.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
    /// The body as JSON; `Null` if it is none.
    pub(crate) body: Value,
}

impl Browser {
    /// A browser without cookies. `base` is scheme, host and port.
    pub(crate) fn new(base: &str) -> Self {
        let base = base.trim_end_matches('/').to_owned();
        Self {
            agent: agent(0),
            base,
            prefix: "/identity",
            cookies: BTreeMap::new(),
            headers: Vec::new(),
        }
    }

    /// The same person at another browser: no cookie.
    pub(crate) fn another(&self) -> Self {
        let mut other = Self::new(&self.base);
        other.prefix = self.prefix;
        other
    }

    /// The same browser with a connection of its own, already open and kept open, so that a race is about the answer.
    pub(crate) fn connected(&self) -> Self {
        let mut same = Self { agent: agent(1), ..self.clone() };
        same.send(Method::GET, "/.well-known/jwks.json", Vec::new()).expect(200);
        same
    }

    /// The same browser at a server that came up again elsewhere.
    pub(crate) fn moved_to(&self, base: &str) -> Self {
        let mut same = self.clone();
        base.trim_end_matches('/').clone_into(&mut same.base);
        same
    }

    /// The prefix before `/resources/...`.
    pub(crate) fn with_prefix(mut self, prefix: &'static str) -> Self {
        self.prefix = prefix;
        self
    }

    /// A header that goes with each request from now on.
    pub(crate) fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The bearer token that goes with each request from now on.
    pub(crate) fn with_bearer(self, token: &str) -> Self {
        self.with_header("authorization", &format!("Bearer {token}"))
    }

    /// `POST {prefix}/resources/{route}` with a JSON body.
    pub(crate) fn post(&mut self, route: &str, body: &Value) -> Answer {
        let path = self.path(route);
        self.send(Method::POST, &path, body.to_string().into_bytes())
    }

    /// `GET {prefix}/resources/{route}`.
    pub(crate) fn get(&mut self, route: &str) -> Answer {
        let path = self.path(route);
        self.send(Method::GET, &path, Vec::new())
    }

    /// The path of a route under this browser's prefix.
    pub(crate) fn path(&self, route: &str) -> String {
        format!("{}/resources/{route}", self.prefix)
    }

    /// Any method, path and bytes; `Content-Type: application/json` unless a header of this browser says otherwise.
    ///
    /// A server may refuse from the head alone and hang up, and then the refusal can be lost on its way: it is asked
    /// for again. What was granted is not granted twice, so that hides nothing.
    pub(crate) fn send(&mut self, method: Method, path: &str, body: Vec<u8>) -> Answer {
        for _ in 0..3 {
            if let Ok(answer) = self.try_send(method.clone(), path, body.clone()) {
                return answer;
            }
        }
        self.try_send(method, path, body).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// As [`send`](Self::send), for a server that may die meanwhile.
    pub(crate) fn try_send(
        &mut self,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<Answer, ureq::Error> {
        let mut request = Request::builder().method(&method).uri(format!("{}{path}", self.base));
        if !self.headers.iter().any(|header| header.0.eq_ignore_ascii_case("content-type")) {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if !self.cookies.is_empty() {
            let pairs: Vec<String> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header("cookie", pairs.join("; "));
        }
        self.note(&body);
        let sent: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let bodiless = matches!(method, Method::GET | Method::HEAD | Method::OPTIONS);
        let response = if bodiless {
            self.agent.run(request.body(()).unwrap())?
        } else {
            self.agent.run(request.body(body).unwrap())?
        };
        let (parts, mut body) = response.into_parts();
        let bytes = body.read_to_vec()?;
        let answer = Answer {
            status: parts.status.as_u16(),
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
            headers: parts.headers,
            bytes,
        };
        canaries::note_body(&self.base, &answer.body);
        if answer.status >= 400 {
            self.assert_repeats_nothing(&sent, &answer);
        }
        self.keep_cookies(&answer);
        Ok(answer)
    }

    /// A refusal repeats nothing that was said in confidence.
    #[track_caller]
    fn assert_repeats_nothing(&self, sent: &Value, answer: &Answer) {
        let mut said = canaries::secrets_in(sent);
        for (name, value) in self.headers.iter().filter(|header| header.0 == "authorization") {
            canaries::mark(&mut said, name, value.trim_start_matches("Bearer "));
        }
        for (name, value) in &self.cookies {
            canaries::mark(&mut said, name, value);
        }
        canaries::assert_none(&said, "a refusal", &answer.bytes);
    }

    /// What it says in confidence must show nowhere.
    fn note(&self, body: &[u8]) {
        for (name, value) in &self.headers {
            if ["authorization", "x-access-token"].contains(&name.as_str()) {
                canaries::note(&self.base, name, value.trim_start_matches("Bearer "));
            }
        }
        for (name, value) in &self.cookies {
            canaries::note(&self.base, name, value);
        }
        if let Ok(body) = serde_json::from_slice(body) {
            canaries::note_body(&self.base, &body);
        }
    }

    fn keep_cookies(&mut self, answer: &Answer) {
        for cookie in answer.set_cookies() {
            let (pair, attributes) = cookie.split_once(';').unwrap_or((&cookie, ""));
            let (name, value) = pair.split_once('=').expect("a cookie is a name and a value");
            if attributes.to_ascii_lowercase().contains("max-age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

/// Keeps so many connections open between requests. A server may close one at any time, and then only the client knows
/// whether it may ask again; so here each request has its own, unless the test is about speed.
fn agent(kept: usize) -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_idle_connections(kept)
        .timeout_global(Some(PATIENCE))
        .build()
        .new_agent()
}

impl Answer {
    /// The status must be this one.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "the answer was {}", String::from_utf8_lossy(&self.bytes));
        self
    }

    /// A refusal of the contract's shape: this status, `errors` an array of sentences, `errorCode` an `ER-` code.
    #[track_caller]
    pub(crate) fn refused(self, status: u16) -> Self {
        let refusal = self.expect(status);
        refusal.assert_error_shape();
        refusal
    }

    /// The refusal has this code.
    #[track_caller]
    pub(crate) fn assert_code(&self, code: &str) {
        assert_eq!(self.body["errorCode"], code, "{}", self.body);
    }

    /// See CONTRACT: the real client crashes on errors of another shape.
    #[track_caller]
    pub(crate) fn assert_error_shape(&self) {
        let shown = String::from_utf8_lossy(&self.bytes);
        let errors = self.body["errors"].as_array().unwrap_or_else(|| panic!("errors: {shown}"));
        assert!(!errors.is_empty(), "at least one error: {shown}");
        assert!(errors.iter().all(|error| error.as_str().is_some_and(|text| !text.is_empty())));
        let code = self.body["errorCode"].as_str().unwrap_or_else(|| panic!("errorCode: {shown}"));
        assert!(code.starts_with("ER-"), "{code}");
        let kind = self.header("content-type").unwrap_or_default();
        assert!(kind.starts_with("application/json"), "{kind}");
    }

    /// A string field that must be there.
    #[track_caller]
    pub(crate) fn text(&self, field: &str) -> String {
        match self.body[field].as_str() {
            Some(text) if !text.is_empty() => text.to_owned(),
            _ => panic!("no {field} in {} {}", self.status, String::from_utf8_lossy(&self.bytes)),
        }
    }

    /// The claims of the access token, unverified.
    #[track_caller]
    pub(crate) fn claims(&self) -> Value {
        let token = self.text("accessToken");
        let payload = token.split('.').nth(1).expect("a token of three parts");
        serde_json::from_slice(&Base64UrlUnpadded::decode_vec(payload).unwrap()).unwrap()
    }

    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Each `Set-Cookie` line, whole.
    pub(crate) fn set_cookies(&self) -> Vec<String> {
        let lines = self.headers.get_all("set-cookie").iter();
        lines.map(|line| line.to_str().unwrap().to_owned()).collect()
    }

    /// The first `Set-Cookie` line whose name begins so.
    pub(crate) fn set_cookie(&self, name: &str) -> Option<String> {
        self.set_cookies().into_iter().find(|line| line.starts_with(name))
    }
}
