//! Messages to phones over a signed webhook: the operator's own adapter to a provider.
//!
//! A request carries its time and `HMAC-SHA-256(secret, time "." body)` (RFC 2104), so that nobody
//! else sends in our name and nothing is sent again later; and the id of its message, the same each
//! time it is tried, so that what was taken twice is sent once. What fails for now (no answer, 408,
//! 429, 5xx) is tried again, a few times, with growing pauses; what is refused is not. Redirects are
//! not followed: a code goes to the configured URL and nowhere else.

use std::fmt;
use std::time::Duration;

use countersign_otp::UnixTime;
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::header::CONTENT_TYPE;
use hyper::{Request, StatusCode, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::texts::Text;
use crate::config::Sms;
use crate::wire::PhoneMessage;

/// How often a message is tried.
const ATTEMPTS: u32 = 4;
/// The pause after the first attempt; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(250);
/// What is read of an answer, so that its connection can be used again.
const ANSWER: usize = 64 * 1024;
const SIGNATURE: &str = "countersign-signature";
const IDEMPOTENCY: &str = "idempotency-key";

/// A webhook.
pub struct Webhook {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    url: Uri,
    secret: Zeroizing<Vec<u8>>,
    patience: Duration,
}

/// How an attempt ended that did not succeed. No sentence holds a number or a code.
enum Failed {
    /// It may succeed later.
    ForNow(String),
    /// It will not.
    ForGood(String),
}

impl Webhook {
    /// Prepares it; nothing is connected yet.
    ///
    /// # Errors
    /// A sentence: the system's TLS roots cannot be read.
    pub fn new(sms: &Sms) -> Result<Self, String> {
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
            .map_err(|error| format!("sms: TLS cannot be prepared: {error}"))?
            // The configuration takes plain HTTP on loopback, or where it is told to.
            .https_or_http()
            .enable_http1()
            .build();
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            url: sms.url.clone(),
            secret: Zeroizing::new(sms.secret.as_bytes().to_vec()),
            patience: sms.timeout,
        })
    }

    /// Sends one message, trying again where that may help and its code still lives.
    ///
    /// # Errors
    /// A sentence, without a number and without a code.
    pub(super) async fn send(&self, text: &Text, now: impl Fn() -> UnixTime) -> Result<(), String> {
        let mut last = "its code ended before it was sent".to_owned();
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                tokio::time::sleep(PAUSE.saturating_mul(1 << attempt.saturating_sub(1))).await;
            }
            let at = now();
            if at >= text.ends {
                // Nobody wants it any more: another was asked for, or the login is over.
                return Err(last);
            }
            match self.attempt(text, at).await {
                Ok(()) => return Ok(()),
                Err(Failed::ForGood(why)) => return Err(why),
                Err(Failed::ForNow(why)) => last = why,
            }
        }
        Err(format!("{last}, {ATTEMPTS} times"))
    }

    async fn attempt(&self, text: &Text, at: UnixTime) -> Result<(), Failed> {
        let request = self.request(text, at).map_err(Failed::ForGood)?;
        let exchange = async {
            let response = self.client.request(request).await.map_err(|error| told(&error))?;
            let status = response.status();
            // Read to its end, or the connection is not used again; what it says is not ours.
            let _ = Limited::new(response.into_body(), ANSWER).collect().await;
            Ok(status)
        };
        match tokio::time::timeout(self.patience, exchange).await {
            Err(_) => Err(Failed::ForNow("the webhook took too long".to_owned())),
            Ok(Err(why)) => Err(Failed::ForNow(why)),
            Ok(Ok(status)) if status.is_success() => Ok(()),
            Ok(Ok(status)) => Err(refused(status)),
        }
    }

    fn request(&self, text: &Text, at: UnixTime) -> Result<Request<Full<Bytes>>, String> {
        let number = text.to.to_string();
        let body = serde_json::to_vec(&PhoneMessage {
            id: &text.id,
            to: &number,
            channel: text.channel(),
            text: &text.said,
            code: &text.code,
            purpose: text.purpose(),
            expires_in: text.ends.since(at),
            service: &text.service,
        });
        let body = body.map_err(|error| error.to_string())?;
        let signature = format!("t={},v1={}", at.secs(), self.signature(at, &body)?);
        Request::post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(IDEMPOTENCY, &text.id)
            .header(SIGNATURE, signature)
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| error.to_string())
    }

    fn signature(&self, at: UnixTime, body: &[u8]) -> Result<String, String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret)
            .map_err(|_| "the webhook's secret is no key".to_owned())?;
        mac.update(at.secs().to_string().as_bytes());
        mac.update(b".");
        mac.update(body);
        let digest = mac.finalize().into_bytes();
        Ok(digest.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}")))
    }
}

fn refused(status: StatusCode) -> Failed {
    let why = format!("the webhook answered {}", status.as_u16());
    match status {
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Failed::ForNow(why),
        status if status.is_server_error() => Failed::ForNow(why),
        _ => Failed::ForGood(why),
    }
}

fn told(error: &hyper_util::client::legacy::Error) -> String {
    let mut sentence = format!("the webhook was not reached: {error}");
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        sentence = format!("{sentence}: {inner}");
        cause = inner.source();
    }
    sentence
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").field("patience", &self.patience).finish_non_exhaustive()
    }
}
