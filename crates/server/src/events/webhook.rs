//! To a webhook: a batch a request, signed as messages to phones are.
//!
//! A batch counts as taken when the answer is 2xx. Anything else is tried again, for ever: an event
//! is not given up because somebody misread it. A batch that comes again may begin or end with
//! another event, so it is the events' own ids that say what came twice.

use std::sync::Arc;
use std::time::Duration;

use countersign_ceremony::audit::Audit;
use countersign_ceremony::env::{Clock, Later};
use hyper::Uri;
use sha2::{Digest, Sha256};

use super::Sink;
use crate::signed::{Failed, Signed};
use crate::wire;

/// A webhook for events.
#[derive(Debug)]
pub struct EventHook {
    name: String,
    signed: Signed,
    clock: Arc<dyn Clock>,
}

impl EventHook {
    /// Prepares it; nothing is connected yet.
    ///
    /// # Errors
    /// A sentence: the system's TLS roots cannot be read.
    pub fn new(
        name: String,
        url: &Uri,
        secret: &str,
        patience: Duration,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, String> {
        let signed = Signed::new(&format!("events.sinks.{name}"), url, secret, patience)?;
        Ok(Self { name, signed, clock })
    }
}

impl Sink for EventHook {
    fn name(&self) -> &str {
        &self.name
    }

    fn take<'a>(&'a self, events: &'a [Audit]) -> Later<'a, Result<(), String>> {
        Box::pin(async move {
            let body = wire::events(events).to_string().into_bytes();
            let posted = self.signed.post(&batch(events), body, self.clock.now()).await;
            posted.map_err(|failed| match failed {
                Failed::ForNow(why) | Failed::ForGood(why) => why,
            })
        })
    }
}

/// The same for the same events.
fn batch(events: &[Audit]) -> String {
    let mut ids = Sha256::new();
    for event in events {
        ids.update(event.id.0);
    }
    let digest = ids.finalize();
    digest.iter().take(16).fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
