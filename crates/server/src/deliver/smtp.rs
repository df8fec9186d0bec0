//! Over SMTP (RFC 5321), by lettre, with TLS by rustls and a bound on every wait.

use std::error::Error;

use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use super::letter::Letter;
use crate::config::{Smtp, SmtpTls};

/// A mail server.
#[derive(Debug)]
pub struct SmtpServer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    patience: std::time::Duration,
}

impl SmtpServer {
    /// How many steps a conversation has, each bounded by the configured timeout.
    const STEPS: u32 = 4;

    /// Prepares it; nothing is connected yet.
    ///
    /// # Errors
    /// A sentence: the system's TLS roots cannot be read.
    pub fn new(smtp: &Smtp) -> Result<Self, String> {
        let parameters = || {
            TlsParameters::new(smtp.host.clone())
                .map_err(|error| format!("smtp: TLS cannot be prepared: {error}"))
        };
        let tls = match smtp.tls {
            // Required: opportunistic TLS is no TLS against whoever strips it.
            SmtpTls::Starttls => Tls::Required(parameters()?),
            SmtpTls::Tls => Tls::Wrapper(parameters()?),
            SmtpTls::None => Tls::None,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&smtp.host)
            .port(smtp.port)
            .tls(tls)
            .hello_name(ClientId::Domain(smtp.hello.clone()))
            .timeout(Some(smtp.timeout));
        if let Some((user, password)) = &smtp.credentials {
            builder = builder.credentials(Credentials::new(user.clone(), String::clone(password)));
        }
        Ok(Self { transport: builder.build(), patience: smtp.timeout.saturating_mul(Self::STEPS) })
    }

    /// Sends one letter.
    ///
    /// # Errors
    /// A sentence, without an address and without a code.
    pub(super) async fn send(&self, letter: Letter) -> Result<(), String> {
        let sent = self.transport.send(letter.to_message()?);
        match tokio::time::timeout(self.patience, sent).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(told(&error)),
            Err(_) => Err("the mail server took too long".to_owned()),
        }
    }
}

/// What may be logged. A server's reply often repeats the address, so of a reply only the status is told.
fn told(error: &lettre::transport::smtp::Error) -> String {
    match error.status() {
        Some(status) if error.is_transient() => {
            format!("the mail server refused it for now ({status})")
        }
        Some(status) => format!("the mail server refused it ({status})"),
        None if error.is_response() => "the mail server's reply makes no sense".to_owned(),
        None => {
            let mut sentence = error.to_string();
            let mut cause = error.source();
            while let Some(inner) = cause {
                sentence = format!("{sentence}: {inner}");
                cause = inner.source();
            }
            sentence
        }
    }
}
