//! Audit events on their way to the operator's own systems.
//!
//! The database is the first that has them: sealed, in the commit of what they tell of. From there a
//! [`Pump`] hands them to every sink of the configuration, each at least once; whoever reads them
//! knows one that came twice by its `id`. A sink that is down blocks no login and no other sink.
//! [`watch`] raises the alarm before the database's own bound is reached.

mod alarm;
mod file;
mod pump;
mod syslog;
mod webhook;

use std::sync::Arc;

use countersign_ceremony::audit::Audit;
use countersign_ceremony::env::{Clock, Later};

use crate::config::{EventSink, SinkKind};

pub use self::alarm::watch;
pub use self::file::Lines;
pub use self::pump::Pump;
pub use self::syslog::Syslog;
pub use self::webhook::EventHook;

/// Takes events, each at least once.
pub trait Sink: Send + Sync + std::fmt::Debug {
    /// Its name in the configuration.
    fn name(&self) -> &str;

    /// Takes all of these, in this order. `Ok` says that they are in good hands: they do not come
    /// again. The error is a sentence that holds nothing of an event.
    fn take<'a>(&'a self, events: &'a [Audit]) -> Later<'a, Result<(), String>>;
}

/// Prepares the sinks of a configuration; none is connected yet.
///
/// # Errors
/// A sentence: which one, and why not.
pub fn open(sinks: &[EventSink], clock: &Arc<dyn Clock>) -> Result<Vec<Arc<dyn Sink>>, String> {
    let opened = sinks.iter().map(|sink| {
        let name = sink.name.clone();
        Ok(match &sink.kind {
            SinkKind::File(path) => Arc::new(Lines::new(name, path.clone())) as Arc<dyn Sink>,
            SinkKind::Syslog(peer) => Arc::new(Syslog::new(name, peer.clone(), sink.timeout)),
            SinkKind::Webhook { url, secret } => {
                let clock = Arc::clone(clock);
                Arc::new(EventHook::new(name, url, secret, sink.timeout, clock)?)
            }
        })
    });
    opened.collect()
}
