//! What people saw: the only thing that a checker believes beside the disk.

use std::sync::{Arc, Mutex, PoisonError};

use countersign_device::SessionId;

use super::bug::Invariant;

/// Something that somebody was told, or found out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Seen {
    /// A login was granted.
    Granted {
        user: usize,
        session: SessionId,
        /// The code that was sent for it, with its step before it; none where a remembered browser skipped the step.
        code: Option<String>,
    },
    /// A code of six digits was judged and refused.
    Refused { user: usize, stranger: bool },
    /// A code was sent for judging, and no answer came.
    Silence { user: usize },
    /// An owner came with the right password and a fresh right code, and was not let in.
    KeptOut {
        user: usize,
        /// Told to wait, and nothing else.
        waits: bool,
        why: String,
    },
    /// An owner was let in.
    LetIn { user: usize },
    /// An invariant was seen broken on the spot.
    Broken(Invariant, String),
}

/// All that was seen, with its time in milliseconds.
#[derive(Clone, Default)]
pub(super) struct History(Arc<Mutex<Vec<(u64, Seen)>>>);

impl History {
    pub(super) fn note(&self, at: u64, seen: Seen) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((at, seen));
    }

    pub(super) fn all(&self) -> Vec<(u64, Seen)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
