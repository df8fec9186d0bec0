//! Takes messages to people: composed, queued, and sent off the request's path.
//!
//! A message is in good hands when the queue has it: the request that caused it goes on, so a slow
//! mail server slows no login, and how long an answer takes tells nothing of an address. The queue
//! is bounded; beyond it a message is refused, and whoever asked is told so. A message that cannot be
//! sent is logged without its address and without its code; its owner asks for another. Mails and
//! messages to phones have a queue each: a provider that is down holds up its own alone.

mod letter;
mod outbox;
mod smtp;
mod templates;
mod text;
mod texts;
mod webhook;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use countersign_ceremony::env::{Body, Clock, Deliver, Later, Message, NotDelivered, To};
use countersign_device::{EmailAddress, PhoneChannel, PhoneNumber};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;

use crate::config::{Config, Mail, Smtp};

pub use self::letter::Letter;
pub use self::outbox::OutboxDirectory;
pub use self::smtp::SmtpServer;
pub use self::templates::{Templates, write_built_in};
use self::texts::Coded;
pub use self::texts::{Text, Texts};
pub use self::webhook::Webhook;

/// How many messages may wait.
const QUEUE: usize = 1024;
/// How many are under way at once.
const AT_ONCE: usize = 4;

/// The queues before the ways that messages go.
pub struct Post {
    mails: Sender<Letter>,
    texts: Option<Sender<Text>>,
    from: String,
    site: Option<String>,
    base_url: String,
    templates: Templates,
    clock: Arc<dyn Clock>,
}

/// The ways that messages go, as the configuration names them.
#[derive(Debug)]
pub struct Ways {
    /// Where mails go.
    pub mail: Transport,
    /// The address that they come from.
    pub from: String,
    /// Where messages to phones go, if anywhere.
    pub texts: Option<Texts>,
    /// The host at which their codes are typed in, where it has a name.
    pub site: Option<String>,
    /// Where the page is that a link leads to.
    pub base_url: String,
    /// What messages say.
    pub templates: Templates,
}

/// The tasks that send what is queued.
#[derive(Debug)]
pub struct Carriers(JoinSet<()>);

/// Where letters go.
#[derive(Debug)]
pub enum Transport {
    /// Over SMTP.
    Smtp(SmtpServer),
    /// Into a directory.
    Outbox(OutboxDirectory),
}

impl Ways {
    /// Opens what the configuration names.
    ///
    /// # Errors
    /// A sentence: the TLS roots cannot be read, the directory cannot be made, or a template does
    /// not hold together.
    pub fn open(config: &Config) -> Result<Self, String> {
        let (mail, from, outbox) = match &config.mail {
            Mail::Smtp(smtp) => {
                (Transport::Smtp(SmtpServer::new(smtp)?), Smtp::clone(smtp).from, None)
            }
            Mail::Outbox(directory) => {
                let outbox = OutboxDirectory::open(directory)
                    .map_err(|error| format!("{}: {error}", directory.display()))?;
                let from = "Countersign <countersign@localhost>".to_owned();
                (Transport::Outbox(outbox.clone()), from, Some(outbox))
            }
        };
        let texts = match &config.sms {
            Some(sms) => Some(Texts::Webhook(Box::new(Webhook::new(sms)?))),
            None => outbox.map(Texts::Outbox),
        };
        let templates = Templates::open(&config.language, config.templates.as_deref())
            .map_err(|error| format!("templates: {error}"))?;
        Ok(Self {
            mail,
            from,
            texts,
            site: site(&config.base_url),
            base_url: config.base_url.clone(),
            templates,
        })
    }
}

impl Transport {
    async fn send(&self, letter: Letter) -> Result<(), String> {
        match self {
            Self::Smtp(server) => server.send(letter).await,
            Self::Outbox(outbox) => outbox.write(letter).await,
        }
    }

    /// How many may be under way at once: a directory keeps the order in which they came.
    const fn at_once(&self) -> usize {
        match self {
            Self::Smtp(_) => AT_ONCE,
            Self::Outbox(_) => 1,
        }
    }
}

impl Post {
    /// Starts the tasks that send. They end when the queues are dropped and empty.
    #[must_use]
    pub fn start(ways: Ways, clock: Arc<dyn Clock>) -> (Self, Carriers) {
        let Ways { mail, from, texts, site, base_url, templates } = ways;
        let mut carriers = JoinSet::new();
        let (at_once, mail) = (mail.at_once(), Arc::new(mail));
        let mails = queue(&mut carriers, at_once, "mails", move |letter| {
            let mail = Arc::clone(&mail);
            async move { mail.send(letter).await }
        });
        let texts = texts.map(|texts| {
            let (at_once, texts, clock) = (texts.at_once(), Arc::new(texts), Arc::clone(&clock));
            queue(&mut carriers, at_once, "texts", move |text| {
                let (texts, clock) = (Arc::clone(&texts), Arc::clone(&clock));
                async move { texts.send(text, &clock).await }
            })
        });
        (Self { mails, texts, from, site, base_url, templates, clock }, Carriers(carriers))
    }

    fn mail(&self, to: &EmailAddress, message: &Message) -> Result<(), NotDelivered> {
        let from = message.sender.as_ref().map_or(&*self.from, |sender| sender.as_str());
        let (body, service) = (&message.body, &message.issuer);
        let letter = text::compose(&self.templates, from, to, body, service, &self.base_url)?;
        self.mails.try_send(letter).map_err(|_| refused("mails", "the queue is full"))
    }

    fn text(
        &self,
        (to, by): (PhoneNumber, PhoneChannel),
        message: &Message,
    ) -> Result<(), NotDelivered> {
        let Body::Code { code, purpose, lives_secs } = &message.body else {
            return Err(refused("texts", "notices go by mail"));
        };
        let Some(queue) = &self.texts else {
            return Err(refused("texts", "no way to phones is configured"));
        };
        let coded = Coded {
            to,
            by,
            code,
            purpose: *purpose,
            lives_secs: *lives_secs,
            service: &message.issuer,
        };
        let text = Text::compose(&self.templates, &coded, self.site.as_deref(), self.clock.now())?;
        queue.try_send(text).map_err(|_| refused("texts", "the queue is full"))
    }
}

impl Carriers {
    /// Waits until everything that was queued is sent, for at most this long. The [`Post`] must be dropped before.
    pub async fn finish(mut self, patience: Duration) {
        let all = async { while self.0.join_next().await.is_some() {} };
        if tokio::time::timeout(patience, all).await.is_err() {
            tracing::warn!("messages were left unsent");
        }
    }
}

/// A bounded queue, and the tasks that send what is in it. `what` names them in logs and metrics.
fn queue<T, F>(
    carriers: &mut JoinSet<()>,
    at_once: usize,
    what: &'static str,
    send: impl Fn(T) -> F + Clone + Send + 'static,
) -> Sender<T>
where
    T: Send + 'static,
    F: Future<Output = Result<(), String>> + Send + 'static,
{
    let (queue, waiting) = channel(QUEUE);
    let waiting = Arc::new(Mutex::new(waiting));
    for _ in 0..at_once {
        let (waiting, send) = (Arc::clone(&waiting), send.clone());
        carriers.spawn(carry(waiting, what, send));
    }
    queue
}

async fn carry<T, F: Future<Output = Result<(), String>>>(
    waiting: Arc<Mutex<Receiver<T>>>,
    what: &'static str,
    send: impl Fn(T) -> F,
) {
    loop {
        let next = waiting.lock().await.recv().await;
        let Some(message) = next else { return };
        let outcome = match send(message).await {
            Ok(()) => "sent",
            Err(error) => {
                tracing::error!(error, queue = what, "a message was not sent");
                "failed"
            }
        };
        metrics::counter!(what, "outcome" => outcome).increment(1);
    }
}

impl Deliver for Post {
    fn deliver(&self, message: Message) -> Later<'_, Result<(), NotDelivered>> {
        let queued = match &message.to {
            To::Mailbox(to) => self.mail(to, &message),
            To::Phone(to, by) => self.text((*to, *by), &message),
        };
        Box::pin(std::future::ready(queued))
    }
}

/// A message that is in nobody's hands.
fn refused(what: &'static str, why: &'static str) -> NotDelivered {
    tracing::error!(queue = what, why, "a message was refused");
    metrics::counter!(what, "outcome" => "refused").increment(1);
    NotDelivered
}

/// The host of a URL, where it is a name and not an address.
fn site(base_url: &str) -> Option<String> {
    let uri: hyper::Uri = base_url.parse().ok()?;
    let host = uri.host()?;
    let named = host.contains('.') && host.parse::<std::net::Ipv4Addr>().is_err();
    (named && !host.starts_with('[')).then(|| host.to_owned())
}

impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Post").field("from", &self.from).finish_non_exhaustive()
    }
}
