//! An authenticator app: the secret of one otpauth URI and the last step whose code it gave away. `totp-rs` computes
//! the codes, so that the server is judged by somebody else's arithmetic (RFC 6238).

use std::time::Duration;

use super::canaries;
use super::clock::now;

/// The app on somebody's phone.
#[derive(Debug)]
pub(crate) struct Authenticator {
    totp: totp_rs::Totp,
    /// What the QR code said.
    pub(crate) uri: String,
    last_step: u64,
}

impl Authenticator {
    /// Reads the URI as an app would.
    pub(crate) fn scan(uri: &str) -> Self {
        let totp = totp_rs::Totp::from_url_unchecked(uri)
            .unwrap_or_else(|error| panic!("no otpauth URI: {uri}: {error}"));
        let app = Self { totp, uri: uri.to_owned(), last_step: 0 };
        canaries::keep("the secret of an app", &app.secret());
        app
    }

    /// A code that was not given before and that the server accepts now: of the present step or, once that is spent, of
    /// the next. A third in a row waits for the clock. Never of the step before: it may teach the server that this
    /// device is late, and then the next step is none of its window.
    pub(crate) fn code(&mut self) -> String {
        let step = self.next_step();
        self.last_step = step;
        self.at_step(step)
    }

    /// What [`code`](Self::code) would give, without giving it away: for a code that must not be judged.
    pub(crate) fn peek(&self) -> String {
        self.at_step(self.next_step())
    }

    /// The step whose code [`code`](Self::code) would give; waits until the window reaches it.
    pub(crate) fn next_step(&self) -> u64 {
        let period = self.totp.step();
        let step = (self.last_step + 1).max(now() / period);
        while step > now() / period + 1 {
            std::thread::sleep(Duration::from_millis(200));
        }
        step
    }

    /// The code of one step, spent or not.
    pub(crate) fn at_step(&self, step: u64) -> String {
        self.totp.generate(step * self.totp.step()).to_string()
    }

    /// Distinct codes that are wrong now and for some minutes to come.
    pub(crate) fn wrong_codes(&self, count: usize) -> Vec<String> {
        let step = now() / self.totp.step();
        let right: Vec<String> =
            (step.saturating_sub(25)..step + 35).map(|near| self.at_step(near)).collect();
        (0..1_000_000_u32)
            .step_by(997)
            .map(|number| format!("{number:06}"))
            .filter(|code| !right.contains(code))
            .take(count)
            .collect()
    }

    /// One code that is wrong now.
    pub(crate) fn wrong_code(&self) -> String {
        self.wrong_codes(1).remove(0)
    }

    /// The secret in base32, as the URI has it.
    pub(crate) fn secret(&self) -> String {
        self.parameter("secret").expect("the URI has a secret")
    }

    /// A query parameter of the URI, percent-decoded.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let query = self.uri.split_once('?')?.1;
        query.split('&').filter_map(|pair| pair.split_once('=')).find(|pair| pair.0 == name).map(
            |pair| percent_encoding::percent_decode_str(pair.1).decode_utf8().unwrap().into_owned(),
        )
    }

    /// Steps of this authenticator, in seconds.
    pub(crate) fn period(&self) -> u64 {
        self.totp.step()
    }
}
