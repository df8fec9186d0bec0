//! Takes messages to people: composed, queued, and sent off the request's path.
//!
//! A message is in good hands when the queue has it: the request that caused it goes on, so a slow
//! mail server slows no login, and how long an answer takes tells nothing of an address. The queue
//! is bounded; beyond it a message is refused, and whoever asked is told so. A mail that cannot be
//! sent is logged without its address and without its code; its owner asks for another.

mod letter;
mod outbox;
mod smtp;
mod text;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use countersign_ceremony::env::{Body, Deliver, Later, Message, NotDelivered, To};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;

use crate::config::{Mail, Smtp};

pub use self::letter::Letter;
pub use self::outbox::OutboxDirectory;
pub use self::smtp::SmtpServer;

/// How many messages may wait.
const QUEUE: usize = 1024;
/// How many are under way at once.
const AT_ONCE: usize = 4;

/// The queue before a [`Transport`].
pub struct Post {
    queue: Sender<Letter>,
    from: String,
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

impl Transport {
    /// Opens what the configuration names, and the address that mail comes from.
    ///
    /// # Errors
    /// A sentence: the TLS roots cannot be read, or the directory cannot be made.
    pub fn open(mail: &Mail) -> Result<(Self, String), String> {
        match mail {
            Mail::Smtp(smtp) => Ok((Self::Smtp(SmtpServer::new(smtp)?), Smtp::clone(smtp).from)),
            Mail::Outbox(directory) => {
                let outbox = OutboxDirectory::open(directory)
                    .map_err(|error| format!("{}: {error}", directory.display()))?;
                Ok((Self::Outbox(outbox), "Countersign <countersign@localhost>".to_owned()))
            }
        }
    }

    async fn send(&self, letter: Letter) -> Result<(), String> {
        match self {
            Self::Smtp(server) => server.send(letter).await,
            Self::Outbox(outbox) => outbox.write(letter).await,
        }
    }
}

impl Post {
    /// Starts the tasks that send. They end when the queue is dropped and empty.
    #[must_use]
    pub fn start(transport: Transport, from: String) -> (Self, Carriers) {
        let (queue, letters) = channel(QUEUE);
        let letters = Arc::new(Mutex::new(letters));
        let transport = Arc::new(transport);
        // A directory keeps the order in which letters came.
        let at_once = if matches!(*transport, Transport::Outbox(_)) { 1 } else { AT_ONCE };
        let mut carriers = JoinSet::new();
        for _ in 0..at_once {
            carriers.spawn(carry(Arc::clone(&letters), Arc::clone(&transport)));
        }
        (Self { queue, from }, Carriers(carriers))
    }
}

impl Carriers {
    /// Waits until everything that was queued is sent, for at most this long. The [`Post`] must be dropped before.
    pub async fn finish(mut self, patience: Duration) {
        let all = async { while self.0.join_next().await.is_some() {} };
        if tokio::time::timeout(patience, all).await.is_err() {
            tracing::warn!("mails were left unsent");
        }
    }
}

async fn carry(letters: Arc<Mutex<Receiver<Letter>>>, transport: Arc<Transport>) {
    loop {
        let next = letters.lock().await.recv().await;
        let Some(letter) = next else { return };
        let outcome = match transport.send(letter).await {
            Ok(()) => "sent",
            Err(error) => {
                tracing::error!(error, "a mail was not sent");
                "failed"
            }
        };
        metrics::counter!("mails", "outcome" => outcome).increment(1);
    }
}

impl Deliver for Post {
    fn deliver(&self, message: Message) -> Later<'_, Result<(), NotDelivered>> {
        let kind = match message.body {
            Body::Code { .. } => "code",
            Body::Notice(_) => "notice",
        };
        let To::Mailbox(to) = &message.to else {
            tracing::error!(kind, "nothing here takes messages to phones");
            return Box::pin(std::future::ready(Err(NotDelivered)));
        };
        let from = message.sender.as_ref().map_or(&*self.from, |sender| sender.as_str());
        let letter = text::compose(from, to, &message.body, &message.issuer);
        let queued = self.queue.try_send(letter).map_err(|_| {
            tracing::error!(kind, "the mail queue is full");
            metrics::counter!("mails", "outcome" => "refused").increment(1);
            NotDelivered
        });
        Box::pin(std::future::ready(queued))
    }
}

impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Post").field("from", &self.from).finish_non_exhaustive()
    }
}
