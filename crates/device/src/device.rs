//! An enrolled factor: confirmed, with an id, a label and a life of its own.
//!
//! What waits to be confirmed is a [`Pending`](crate::Pending) one, and another type: it has no
//! method that judges a login (E-01, E-05). What is removed is gone from the record.

use countersign_otp::UnixTime;
use serde::{Deserialize, Serialize};

use crate::life::Life;
use crate::{DeviceId, Label};

/// An enrolled factor of a kind `F`: [`Authenticator`](crate::Authenticator),
/// [`Phone`](crate::Phone) or [`Passkey`](crate::Passkey). It is active until it is locked or
/// removed.
///
/// Its encoding is for a sealed record alone: it holds secrets in the clear.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Device<F> {
    id: DeviceId,
    pub(crate) factor: F,
    label: Label,
    pub(crate) life: Life,
}

impl<F> Device<F> {
    pub(crate) fn new(id: DeviceId, factor: F, now: UnixTime) -> Self {
        Self { id, factor, label: Label::default(), life: Life::begin(now) }
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> DeviceId {
        self.id
    }

    /// What its owner calls it. Empty until somebody does.
    #[must_use]
    pub const fn label(&self) -> &Label {
        &self.label
    }

    /// Calls it something else.
    pub fn rename(&mut self, label: Label) {
        self.label = label;
    }

    /// When it was confirmed.
    #[must_use]
    pub const fn created(&self) -> UnixTime {
        self.life.created()
    }

    /// When it last answered.
    #[must_use]
    pub const fn last_used(&self) -> Option<UnixTime> {
        self.life.last_used()
    }

    /// How often in a row it was answered wrongly, 0 to 100.
    #[must_use]
    pub const fn failures(&self) -> u8 {
        self.life.failures()
    }

    /// Did it take 100 failures in a row, or was it locked by hand? Then it answers no more, and
    /// must be bound again (NIST SP 800-63B-4, 3.2.2).
    #[must_use]
    pub const fn is_locked(&self) -> bool {
        self.life.is_locked()
    }

    /// It was answered wrongly.
    pub const fn fail(&mut self) {
        self.life.fail();
    }

    /// Locks it: its owner reports a loss, or it looks cloned.
    pub const fn lock(&mut self) {
        self.life.lock();
    }
}
