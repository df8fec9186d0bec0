//! A signed request to a webhook of the operator's.
//!
//! It carries its time and `HMAC-SHA-256(secret, time "." body)` (RFC 2104), so that nobody else
//! sends in our name and nothing is sent again later; and an id, the same each time it is tried, so
//! that what was taken twice counts once. Redirects are not followed: what is sent goes to the
//! configured URL and nowhere else.

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

/// What is read of an answer, so that its connection can be used again.
const ANSWER: usize = 64 * 1024;
const SIGNATURE: &str = "countersign-signature";
const IDEMPOTENCY: &str = "idempotency-key";

/// A URL, the secret that its requests are signed with, and a client.
pub(crate) struct Signed {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    url: Uri,
    secret: Zeroizing<Vec<u8>>,
    patience: Duration,
}

/// How a request ended that was not taken. No sentence holds anything of its body.
#[derive(Debug)]
pub(crate) enum Failed {
    /// It may be taken later.
    ForNow(String),
    /// It will not.
    ForGood(String),
}

impl Signed {
    /// Prepares it; nothing is connected yet. `place` is what errors call it.
    ///
    /// # Errors
    /// A sentence: the system's TLS roots cannot be read.
    pub(crate) fn new(
        place: &str,
        url: &Uri,
        secret: &str,
        patience: Duration,
    ) -> Result<Self, String> {
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
            .map_err(|error| format!("{place}: TLS cannot be prepared: {error}"))?
            // The configuration takes plain HTTP on loopback, or where it is told to.
            .https_or_http()
            .enable_http1()
            .build();
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            url: url.clone(),
            secret: Zeroizing::new(secret.as_bytes().to_vec()),
            patience,
        })
    }

    /// Posts JSON once. Taken is what is answered with 2xx.
    ///
    /// # Errors
    /// [`Failed`].
    pub(crate) async fn post(&self, id: &str, body: Vec<u8>, at: UnixTime) -> Result<(), Failed> {
        let request = self.request(id, body, at).map_err(Failed::ForGood)?;
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

    fn request(
        &self,
        id: &str,
        body: Vec<u8>,
        at: UnixTime,
    ) -> Result<Request<Full<Bytes>>, String> {
        let signature = format!("t={},v1={}", at.secs(), self.signature(at, &body)?);
        Request::post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header(IDEMPOTENCY, id)
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

impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (host, patience) = (self.url.host(), &self.patience);
        f.debug_struct("Signed")
            .field("host", &host)
            .field("patience", patience)
            .finish_non_exhaustive()
    }
}
