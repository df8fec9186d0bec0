//! What is checked, and the bugs that are planted to show that each check fires.

use std::fmt;

/// What must hold in every story.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Invariant {
    /// No code has two winners.
    OneWinner,
    /// No more guesses are told than the budget (C-01, C-11).
    Budget,
    /// No assertion is told without its commit.
    Committed,
    /// No step that was spent is taken again.
    StepsStaySpent,
    /// No event is lost.
    NoEventLost,
    /// No event is written twice, or without its settle.
    NoEventInvented,
    /// An attacker without the password keeps no owner out (C-14).
    NoLockOut,
    /// A clock that jumps a year costs one login at most.
    OneLoginAClock,
    /// A revocation that was acknowledged is seen by whoever asks next (D-08).
    RevocationSeen,
    /// Of two copies of a browser's secret or of a refresh token one lives on at most, also after
    /// a store forgot what it had acknowledged (D-01).
    NoFork,
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OneWinner => "no code has two winners",
            Self::Budget => "no more guesses are told than the budget",
            Self::Committed => "no assertion without its commit",
            Self::StepsStaySpent => "no spent step is forgotten",
            Self::NoEventLost => "no event is lost",
            Self::NoEventInvented => "no event is written twice, or without its settle",
            Self::NoLockOut => "no owner is kept out by somebody without the password",
            Self::OneLoginAClock => "a clock that jumps costs one login at most",
            Self::RevocationSeen => "a revocation is seen by whoever asks next",
            Self::NoFork => "of two copies one lives on at most",
        })
    }
}

/// A bug that is planted on purpose, in the store or in what it is told to keep.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Bug {
    /// A settle is won whatever version it names.
    LostUpdate,
    /// A settle is acknowledged and not written.
    Unwritten,
    /// A settle is acknowledged, written, and gone at the next look.
    Forgotten,
    /// The ledger, the waits and the touched logins are emptied by every settle.
    LedgerEmptied,
    /// Events are left out.
    EventsLost,
    /// Events are written twice.
    EventsDoubled,
    /// The events of a lost swap are written.
    EventsOfLosers,
    /// Whoever knows the name is asked for no password.
    NoPassword,
    /// A jumped clock leaves a floor that lies a year ahead, and no trace to heal it by.
    FloorsAhead,
    /// The epoch is not changed by a revocation.
    EpochKept,
    /// After a failover two nodes go on with two copies of everything.
    SplitBrain,
}

impl Bug {
    /// All of them, with the invariant that each breaks.
    pub const ALL: [(Self, Invariant); 11] = [
        (Self::LostUpdate, Invariant::OneWinner),
        (Self::Unwritten, Invariant::Committed),
        (Self::Forgotten, Invariant::StepsStaySpent),
        (Self::LedgerEmptied, Invariant::Budget),
        (Self::EventsLost, Invariant::NoEventLost),
        (Self::EventsDoubled, Invariant::NoEventInvented),
        (Self::EventsOfLosers, Invariant::NoEventInvented),
        (Self::NoPassword, Invariant::NoLockOut),
        (Self::FloorsAhead, Invariant::OneLoginAClock),
        (Self::EpochKept, Invariant::RevocationSeen),
        (Self::SplitBrain, Invariant::NoFork),
    ];
}
